/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which calls make WSAEventSelect's record ready for an event again, each by name, and let
 * WSAAsyncSelect send the message again.
 * Sources: WSAEventSelect's page: its table of re-enabling functions and "Any call to the reenabling
 * routine, even one that fails, results in reenabling of recording and signaling"; WSAAsyncSelect's
 * page has the same table, and "... results in reenabling of message posting for the relevant event".
 * Quoted below is the former.
 */
#include "network_events.h"

/* ---- FD_READ and FD_OOB: "recv, recvfrom, WSARecv, WSARecvEx, or WSARecvFrom" ---- */

typedef int (*receive_fn)(SOCKET s, char *buffer, int size, int flags);

static int by_recv(SOCKET s, char *buffer, int size, int flags)
{
    return recv(s, buffer, size, flags);
}

static int by_recvfrom(SOCKET s, char *buffer, int size, int flags)
{
    struct sockaddr_storage from;
    int length = sizeof(from);

    return recvfrom(s, buffer, size, flags, (struct sockaddr *)&from, &length);
}

static int by_WSARecv(SOCKET s, char *buffer, int size, int flags)
{
    WSABUF buf = {(ULONG)size, buffer};
    DWORD bytes = 0, dword = (DWORD)flags;

    return WSARecv(s, &buf, 1, &bytes, &dword, NULL, NULL) ? SOCKET_ERROR : (int)bytes;
}

static int by_WSARecvFrom(SOCKET s, char *buffer, int size, int flags)
{
    WSABUF buf = {(ULONG)size, buffer};
    DWORD bytes = 0, dword = (DWORD)flags;

    return WSARecvFrom(s, &buf, 1, &bytes, &dword, NULL, NULL, NULL, NULL) ? SOCKET_ERROR
                                                                           : (int)bytes;
}

/* WSARecvEx is mswsock's, and none of Wine's does anything. */
static const struct {
    const char *name;
    receive_fn receive;
} receives[] = {
    {"recv", by_recv},
    {"recvfrom", by_recvfrom},
    {"WSARecv", by_WSARecv},
    {"WSARecvFrom", by_WSARecvFrom},
};

/* "The application issues recv(s, buffptr, 50, 0) to read 50 bytes. The transport provider causes
 * WS2_32.DLL to record the FD_READ network event and sets the associated event object again since
 * there is still data to be read." */
static void test_receive_in_part(void)
{
    char buffer[100] = {0};
    SOCKET a, b;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(receives); i++) {
        winetest_push_context("%s", receives[i].name);
        net_pair(&a, &b);
        choose(b, FD_READ | FD_CLOSE);
        net_send_all(a, buffer, 100);
        ok_told(b, FD_READ);
        ok(net_arrived(b, 100) == 100, "not all there\n");
        ok(receives[i].receive(b, buffer, 50, 0) == 50, "error %d\n", WSAGetLastError());
        ok_told(b, FD_READ);
        ok(receives[i].receive(b, buffer, 50, 0) == 50, "error %d\n", WSAGetLastError());
        ok_quiet(b);
        closesocket(a);
        closesocket(b);
        winetest_pop_context();
    }
}

/* A call that fails for want of data enables too: what comes after it is told. */
static void test_receive_of_nothing(void)
{
    char byte;
    SOCKET a, b;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(receives); i++) {
        winetest_push_context("%s", receives[i].name);
        net_pair(&a, &b);
        choose(b, FD_READ | FD_CLOSE);
        net_send_all(a, "x", 1);
        ok_told(b, FD_READ);
        ok(receives[i].receive(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
        ok_error(receives[i].receive(b, &byte, 1, 0), WSAEWOULDBLOCK);
        net_send_all(a, "y", 1);
        ok_told(b, FD_READ);
        closesocket(a);
        closesocket(b);
        winetest_pop_context();
    }
}

/* A call that fails for another reason leaves the data, of which there is another message; the event
 * record shows nothing again, unlike what the page says (Wine's test_events, run on Windows). */
static void test_receive_failure(void)
{
    char buffer[8];
    SOCKET a, b;
    unsigned i;

    for (i = 0; i < 2; i++) { /* recv and recvfrom: a size for WSARecv cannot be negative */
        winetest_push_context("%s", receives[i].name);
        net_pair(&a, &b);
        choose(b, FD_READ | FD_CLOSE);
        net_send_all(a, "1234", 4);
        ok_told(b, FD_READ);
        ok_error(receives[i].receive(b, buffer, -1, 0), WSAEFAULT);
        todo_wine_if(event_window != NULL) ok_told(b, event_window ? FD_READ : 0);
        ok(receives[i].receive(b, buffer, 8, 0) == 4, "error %d\n", WSAGetLastError());
        ok_quiet(b);
        closesocket(a);
        closesocket(b);
        winetest_pop_context();
    }
}

/* A datagram too large for the buffer: "WSAEMSGSIZE"; the next one that waits is told. */
static void test_receive_too_small(void)
{
    struct sockaddr_storage address[2];
    char buffer[8];
    int length;
    SOCKET s[2];
    unsigned i;

    for (i = 0; i < ARRAYSIZE(receives); i++) {
        winetest_push_context("%s", receives[i].name);
        net_udp_pair(AF_INET, s, address, &length);
        choose(s[1], FD_READ);
        ok(sendto(s[0], "first", 5, 0, (struct sockaddr *)&address[1], length) == 5, "error %d\n",
           WSAGetLastError());
        ok_told(s[1], FD_READ);
        ok(sendto(s[0], "second", 6, 0, (struct sockaddr *)&address[1], length) == 6, "error %d\n",
           WSAGetLastError());
        told(s[1], 0, NULL); /* which may be told, as new data are */
        ok_error(receives[i].receive(s[1], buffer, 2, 0), WSAEMSGSIZE);
        ok_told(s[1], FD_READ);
        closesocket(s[0]);
        closesocket(s[1]);
        winetest_pop_context();
    }
}

/* The urgent byte is FD_OOB alone; reading it enables the next one, and so does a call that fails. */
static void test_urgent(void)
{
    char byte = 0;
    SOCKET a, b;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(receives); i++) {
        winetest_push_context("%s", receives[i].name);
        net_pair(&a, &b);
        choose(b, FD_READ | FD_OOB | FD_CLOSE);
        ok(send(a, "!", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
        ok_told(b, FD_OOB);
        ok(receives[i].receive(b, &byte, 1, MSG_OOB) == 1 && byte == '!', "error %d\n",
           WSAGetLastError());
        ok_quiet(b);
        ok(receives[i].receive(b, &byte, 1, MSG_OOB) == SOCKET_ERROR, "a second byte\n");
        ok_quiet(b);
        ok(send(a, "?", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
        ok_told(b, FD_OOB);
        if (event_window && i < 2) { /* as above; here the byte is still there */
            ok_error(receives[i].receive(b, &byte, -1, MSG_OOB), WSAEFAULT);
            todo_wine ok_told(b, FD_OOB);
        }
        ok(receives[i].receive(b, &byte, 1, MSG_OOB) == 1 && byte == '?', "error %d\n",
           WSAGetLastError());
        closesocket(a);
        closesocket(b);
        winetest_pop_context();
    }
}

/* ---- FD_ACCEPT: "accept, AcceptEx, or WSAAccept" ---- */

static SOCKET connected_to(const struct sockaddr_storage *address, int length)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok_success(connect(s, (const struct sockaddr *)address, length));
    return s;
}

static const struct {
    const char *name;
    SOCKET (*accept)(SOCKET listener);
} accepts[] = {{"accept", accept_by_accept},
               {"WSAAccept", accept_by_WSAAccept},
               {"AcceptEx", accept_by_AcceptEx}};

/* "An application calls listen. A connect request is received but not yet accepted. The application
 * calls WSAEventSelect specifying that it is interested in the FD_ACCEPT network event for the
 * socket. Due to the persistence of network events, Windows Sockets records the FD_ACCEPT network
 * event and sets the associated event object immediately."  And one that is accepted leaves the
 * next one to tell. */
static void test_accept(void)
{
    struct sockaddr_storage address;
    SOCKET l, s[2], a;
    int length;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(accepts); i++) {
        winetest_push_context("%s", accepts[i].name);
        l = net_listener(AF_INET, &address, &length);
        s[0] = connected_to(&address, length);
        s[1] = connected_to(&address, length);
        choose(l, FD_ACCEPT);
        ok(event_window || WaitForSingleObject(event, 0) == WAIT_OBJECT_0,
           "not set immediately\n");
        ok_told(l, FD_ACCEPT);
        told(l, 0, NULL); /* the second may have come only now */
        a = accepts[i].accept(l);
        ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        closesocket(a);
        ok_told(l, FD_ACCEPT);
        a = accepts[i].accept(l);
        ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        closesocket(a);
        ok_quiet(l);
        closesocket(s[0]);
        closesocket(s[1]);
        closesocket(l);
        winetest_pop_context();
    }
}

static int CALLBACK answer(LPWSABUF caller, LPWSABUF caller_data, LPQOS qos, LPQOS group_qos,
                           LPWSABUF callee, LPWSABUF callee_data, GROUP *group, DWORD_PTR what)
{
    (void)caller, (void)caller_data, (void)qos, (void)group_qos;
    (void)callee, (void)callee_data, (void)group;
    return (int)what;
}

/* A refusal fails with WSAECONNREFUSED, and tells the connection behind the refused one. */
static void test_accept_refusal(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s[2], a;

    choose(l, FD_ACCEPT);
    s[0] = connected_to(&address, length);
    s[1] = connected_to(&address, length);
    ok_told(l, FD_ACCEPT);
    told(l, 0, NULL); /* as above */
    a = WSAAccept(l, NULL, NULL, answer, CF_REJECT);
    ok(a == INVALID_SOCKET && WSAGetLastError() == WSAECONNREFUSED, "error %d\n",
       WSAGetLastError());
    ok_told(l, FD_ACCEPT);
    closesocket(s[0]);
    closesocket(s[1]);
    closesocket(l);
}

/* "... unless the error code returned is WSATRY_AGAIN indicating that the condition function
 * returned CF_DEFER." */
static void test_accept_deferral(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s, a;

    choose(l, FD_ACCEPT);
    s = connected_to(&address, length);
    ok_told(l, FD_ACCEPT);
    a = WSAAccept(l, NULL, NULL, answer, CF_DEFER);
    ok(a == INVALID_SOCKET && WSAGetLastError() == WSATRY_AGAIN, "error %d\n", WSAGetLastError());
    ok_quiet(l);
    a = WSAAccept(l, NULL, NULL, answer, CF_ACCEPT);
    ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_quiet(l);
    closesocket(a);
    closesocket(s);
    closesocket(l);
}

/* An accept that finds nobody waiting enables too. */
static void test_accept_of_nobody(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s[2], a;

    choose(l, FD_ACCEPT);
    s[0] = connected_to(&address, length);
    ok_told(l, FD_ACCEPT);
    a = accept(l, NULL, NULL);
    ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(a);
    a = accept(l, NULL, NULL);
    ok(a == INVALID_SOCKET && WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
    s[1] = connected_to(&address, length);
    ok_told(l, FD_ACCEPT);
    closesocket(s[0]);
    closesocket(s[1]);
    closesocket(l);
}

/* One that fails for its arguments (accept: "WSAEFAULT: The addrlen parameter is too small") leaves
 * the connection, which is told again. */
static void test_accept_failure(void)
{
    struct sockaddr_storage address, peer;
    int length, small = 1;
    SOCKET l = net_listener(AF_INET, &address, &length), s, a;

    choose(l, FD_ACCEPT);
    s = connected_to(&address, length);
    ok_told(l, FD_ACCEPT);
    a = accept(l, (struct sockaddr *)&peer, &small);
    ok(a == INVALID_SOCKET && WSAGetLastError() == WSAEFAULT, "error %d\n", WSAGetLastError());
    todo_wine ok_told(l, FD_ACCEPT);
    a = accept(l, NULL, NULL);
    todo_wine ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_quiet(l);
    closesocket(a);
    closesocket(s);
    closesocket(l);
}

/* ---- FD_CLOSE: none ---- */

/* "Windows Sockets will record only an FD_CLOSE network event to indicate closure of a virtual
 * circuit. It will not record an FD_READ network event to indicate this condition."  It "results
 * from the remote end performing a shutdown on the send side or a closesocket", and no call enables
 * it again. */
static void test_close(void)
{
    char byte;
    SOCKET a, b;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(receives); i++) {
        winetest_push_context("%s", receives[i].name);
        net_pair(&a, &b);
        choose(b, FD_READ | FD_CLOSE | FD_OOB);
        ok_success(shutdown(a, SD_SEND));
        ok_told(b, FD_CLOSE);
        ok(!receives[i].receive(b, &byte, 1, 0), "error %d\n", WSAGetLastError());
        ok(!receives[i].receive(b, &byte, 1, 0), "error %d\n", WSAGetLastError());
        ok_quiet(b);
        closesocket(a);
        ok_quiet(b);
        closesocket(b);
        winetest_pop_context();
    }
}

static void run_all(void)
{
    RUN(test_receive_in_part);
    RUN(test_receive_of_nothing);
    RUN(test_receive_failure);
    RUN(test_receive_too_small);
    RUN(test_urgent);
    RUN(test_accept);
    RUN(test_accept_refusal);
    RUN(test_accept_deferral);
    RUN(test_accept_of_nobody);
    RUN(test_accept_failure);
    RUN(test_close);
}

START_TEST(event_enabling)
{
    net_start();
    each_way_to_tell(run_all);
    WSACleanup();
}
