/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stream sockets with blocking calls: connect, accept, send, recv, shutdown, names, refusal.
 * Sources: the pages of connect, accept, send, recv, shutdown, getsockname, getpeername.
 */
#include "net.h"

/* connect / accept: "accept ... extracts the first connection on the queue ... creates and returns
 * a handle to the new socket"; addr receives "the address of the connecting entity". */
static void test_connect(int family)
{
    struct sockaddr_storage address, peer, own, other;
    int length, peer_length = sizeof(peer), own_length = sizeof(own), size = sizeof(other);
    SOCKET l = net_listener(family, &address, &length), a, b;
    char buffer[32];

    winetest_push_context("family %d", family);
    a = socket(family, SOCK_STREAM, 0);
    ok_success(connect(a, (struct sockaddr *)&address, length));
    memset(&peer, 0, sizeof(peer));
    b = accept(l, (struct sockaddr *)&peer, &peer_length);
    ok(b != INVALID_SOCKET, "accept error %d\n", WSAGetLastError());
    ok(peer_length == length, "got length %d\n", peer_length);

    /* getsockname: connect "will be assigned an address"; the acceptor was told the same one */
    memset(&own, 0, sizeof(own));
    ok_success(getsockname(a, (struct sockaddr *)&own, &own_length));
    ok(own_length == length && !memcmp(&own, &peer, length), "the two views differ\n");
    /* getpeername of the connector is where it connected to */
    memset(&other, 0, sizeof(other));
    ok_success(getpeername(a, (struct sockaddr *)&other, &size));
    ok(size == length && !memcmp(&other, &address, length), "the peer's name differs\n");
    /* and of the accepted socket: its own name is the listener's, its peer the connector */
    size = sizeof(other);
    memset(&other, 0, sizeof(other));
    ok_success(getsockname(b, (struct sockaddr *)&other, &size));
    ok(size == length && !memcmp(&other, &address, length), "the local name differs\n");
    size = sizeof(other);
    memset(&other, 0, sizeof(other));
    ok_success(getpeername(b, (struct sockaddr *)&other, &size));
    ok(size == length && !memcmp(&other, &own, length), "the peer's name differs\n");

    net_send_all(a, "to and", 6);
    ok(net_recv_all(b, buffer, 6) == 6 && !memcmp(buffer, "to and", 6), "wrong bytes\n");
    net_send_all(b, " fro", 4);
    ok(net_recv_all(a, buffer, 4) == 4 && !memcmp(buffer, " fro", 4), "wrong bytes\n");
    closesocket(a);
    closesocket(b);
    closesocket(l);
    winetest_pop_context();
}

/* accept works from the queue in order; connect before accept is enough to be connected */
static void test_backlog(void)
{
    struct sockaddr_storage address, name, peer;
    int length, size, i;
    SOCKET l = net_listener(AF_INET, &address, &length), a[4], b;
    char byte;

    for (i = 0; i < 4; i++) {
        a[i] = socket(AF_INET, SOCK_STREAM, 0);
        ok_success(connect(a[i], (struct sockaddr *)&address, length));
        byte = (char)('a' + i);
        net_send_all(a[i], &byte, 1);
    }
    for (i = 0; i < 4; i++) {
        size = sizeof(peer);
        b = accept(l, (struct sockaddr *)&peer, &size);
        size = sizeof(name);
        ok_success(getsockname(a[i], (struct sockaddr *)&name, &size));
        ok(!memcmp(&name, &peer, size), "connection %d out of order\n", i);
        ok(recv(b, &byte, 1, 0) == 1 && byte == 'a' + i, "got %c\n", byte);
        closesocket(b);
        closesocket(a[i]);
    }
    closesocket(l);
}

/* connect: WSAECONNREFUSED "the attempt to connect was forcefully rejected" */
static void test_refused(void)
{
    struct sockaddr_storage nobody, address;
    int length = net_nobody(AF_INET, &nobody), size;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), l;
    char byte;

    ok_error(connect(s, (struct sockaddr *)&nobody, length), WSAECONNREFUSED);
    todo_wine ok_error(recv(s, &byte, 1, 0), WSAENOTCONN);
    todo_wine ok_error(send(s, "x", 1, 0), WSAENOTCONN);
    size = sizeof(address);
    ok_error(getpeername(s, (struct sockaddr *)&address, &size), WSAENOTCONN);
    /* connect, Remarks: after a refusal "the application can call connect again" */
    todo_wine ok_error(connect(s, (struct sockaddr *)&nobody, length), WSAECONNREFUSED);
    l = net_listener(AF_INET, &address, &size);
    ok_success(connect(s, (struct sockaddr *)&address, size));
    /* connect: WSAEISCONN "The socket is already connected" */
    ok_error(connect(s, (struct sockaddr *)&address, size), WSAEISCONN);
    closesocket(l);
    closesocket(s);
}

/* recv: "If the connection has been gracefully closed, the return value is zero"; a blocked recv
 * returns as soon as there is something, with what there is. */
static void test_partial(void)
{
    char buffer[64];
    SOCKET a, b;
    int got;

    net_pair(&a, &b);
    net_send_all(a, "0123456789", 10);
    ok(net_arrived(b, 10) == 10, "not arrived\n");
    got = recv(b, buffer, 4, 0);
    ok(got == 4 && !memcmp(buffer, "0123", 4), "got %d\n", got);
    got = recv(b, buffer, sizeof(buffer), 0);
    ok(got == 6 && !memcmp(buffer, "456789", 6), "got %d\n", got);
    /* send of nothing: "If len is zero, send will return 0 without sending anything" */
    got = send(a, buffer, 0, 0);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    net_send_all(a, "end", 3);
    closesocket(a);
    got = net_recv_all(b, buffer, 3);
    ok(got == 3, "got %d\n", got);
    got = recv(b, buffer, sizeof(buffer), 0);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    got = recv(b, buffer, sizeof(buffer), 0);
    ok(got == 0, "the end should stay: got %d, error %d\n", got, WSAGetLastError());
    closesocket(b);
}

/* recv, MSG_PEEK: "The data is copied into the buffer, but is not removed from the input queue". */
static void test_peek(void)
{
    char buffer[16];
    SOCKET a, b;
    int got, i;

    net_pair(&a, &b);
    net_send_all(a, "peekaboo", 8);
    net_arrived(b, 8);
    for (i = 0; i < 3; i++) {
        memset(buffer, 0, sizeof(buffer));
        got = recv(b, buffer, sizeof(buffer), MSG_PEEK);
        ok(got == 8 && !memcmp(buffer, "peekaboo", 8), "got %d\n", got);
    }
    got = recv(b, buffer, 3, MSG_PEEK);
    ok(got == 3 && !memcmp(buffer, "pee", 3), "got %d\n", got);
    got = recv(b, buffer, sizeof(buffer), 0);
    ok(got == 8, "got %d\n", got);
    closesocket(a);
    got = recv(b, buffer, sizeof(buffer), MSG_PEEK);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    closesocket(b);
}

static DWORD WINAPI slow_sender(void *arg)
{
    SOCKET s = *(SOCKET *)arg;
    int i;

    for (i = 0; i < 5; i++) {
        net_send_all(s, &"abcde"[i], 1);
        Sleep(20);
    }
    return 0;
}

/* recv, MSG_WAITALL: completes only when "the buffer supplied by the caller is completely full",
 * the connection is closed or an error occurred. */
static void test_waitall(void)
{
    char buffer[16];
    HANDLE thread;
    SOCKET a, b;
    int got;

    net_pair(&a, &b);
    thread = CreateThread(NULL, 0, slow_sender, &a, 0, NULL);
    got = recv(b, buffer, 5, MSG_WAITALL);
    todo_wine ok(got == 5 && !memcmp(buffer, "abcde", 5), "got %d\n", got);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(a);
    closesocket(b);

    net_pair(&a, &b);
    net_send_all(a, "xyz", 3);
    closesocket(a);
    got = recv(b, buffer, sizeof(buffer), MSG_WAITALL);
    ok(got == 3 && !memcmp(buffer, "xyz", 3), "got %d, error %d\n", got, WSAGetLastError());
    closesocket(b);
}

/* shutdown: SD_SEND: "subsequent calls to the send function are disallowed ... a FIN will be sent
 * after all data is sent"; SD_RECEIVE: recv fails; WSAESHUTDOWN on both. */
static void test_shutdown(void)
{
    char buffer[16];
    SOCKET a, b;
    int got;

    net_pair(&a, &b);
    net_send_all(a, "bye", 3);
    ok_success(shutdown(a, SD_SEND));
    ok_error(send(a, "x", 1, 0), WSAESHUTDOWN);
    got = net_recv_all(b, buffer, sizeof(buffer));
    ok(got == 3, "got %d\n", got);
    /* the other direction still works */
    net_send_all(b, "half", 4);
    got = net_recv_all(a, buffer, 4);
    ok(got == 4 && !memcmp(buffer, "half", 4), "got %d\n", got);
    ok_success(shutdown(a, SD_RECEIVE));
    ok_error(recv(a, buffer, 1, 0), WSAESHUTDOWN);
    closesocket(a);
    closesocket(b);

    net_pair(&a, &b);
    ok_success(shutdown(a, SD_BOTH));
    ok_error(send(a, "x", 1, 0), WSAESHUTDOWN);
    ok_error(recv(a, buffer, 1, 0), WSAESHUTDOWN);
    got = recv(b, buffer, 1, 0);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    /* shutdown: "does not close the socket" */
    ok_success(closesocket(a));
    closesocket(b);

    a = socket(AF_INET, SOCK_STREAM, 0);
    ok_error(shutdown(a, SD_BOTH), WSAENOTCONN);
    closesocket(a);
    net_pair(&a, &b);
    ok_error(shutdown(a, 0xdead), WSAEINVAL);
    closesocket(a);
    closesocket(b);
}

/* WSAAccept without a condition function is accept. */
static void test_wsaaccept(void)
{
    struct sockaddr_storage address, peer;
    int length, size = sizeof(peer), got;
    SOCKET l = net_listener(AF_INET, &address, &length), a, b;
    char byte;

    a = socket(AF_INET, SOCK_STREAM, 0);
    /* WSAConnect without data and quality of service is connect */
    ok_success(WSAConnect(a, (struct sockaddr *)&address, length, NULL, NULL, NULL, NULL));
    b = WSAAccept(l, (struct sockaddr *)&peer, &size, NULL, 0);
    ok(b != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(size == length, "got %d\n", size);
    net_send_all(a, "!", 1);
    got = recv(b, &byte, 1, 0);
    ok(got == 1 && byte == '!', "got %d\n", got);
    closesocket(a);
    closesocket(b);
    closesocket(l);
}

/* WSAConnect: WSAEPROTONOSUPPORT "The lpCallerData parameter is not supported by the service
 * provider", WSAEOPNOTSUPP "The FLOWSPEC structures specified in lpSQOS and lpGQOS cannot be
 * satisfied"; "lpCalleeData->len is set to zero if no user data has been passed back". */
static void test_wsaconnect(void)
{
    struct sockaddr_storage address;
    char room[16] = "user data";
    WSABUF data = {sizeof(room), room};
    QOS quality = {0};
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s = socket(AF_INET, SOCK_STREAM, 0);

    todo_wine ok_error(WSAConnect(s, (struct sockaddr *)&address, length, &data, NULL, NULL, NULL),
                       WSAEPROTONOSUPPORT);
    closesocket(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    todo_wine ok_error(
        WSAConnect(s, (struct sockaddr *)&address, length, NULL, NULL, &quality, NULL),
        WSAEOPNOTSUPP);
    closesocket(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(WSAConnect(s, (struct sockaddr *)&address, length, NULL, &data, NULL, NULL));
    todo_wine ok(!data.len, "got %lu bytes\n", data.len);
    ok(!strcmp(room, "user data"), "the room was written to\n");
    closesocket(s);
    closesocket(l);
}

/* accept: "The backlog ... listening socket remains open"; errors WSAEINVAL "listen was not invoked
 * prior to accept", WSAEOPNOTSUPP for a datagram socket. */
static void test_accept_errors(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = net_bound(AF_INET, SOCK_STREAM, &address, &length);

    WSASetLastError(0);
    ok(accept(s, NULL, NULL) == INVALID_SOCKET && WSAGetLastError() == WSAEINVAL, "error %d\n",
       WSAGetLastError());
    closesocket(s);
    s = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    WSASetLastError(0);
    ok(accept(s, NULL, NULL) == INVALID_SOCKET && WSAGetLastError() == WSAEOPNOTSUPP, "error %d\n",
       WSAGetLastError());
    ok_error(listen(s, 5), WSAEOPNOTSUPP);
    closesocket(s);
    /* listen: WSAEINVAL "The socket has not been bound with bind" */
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_error(listen(s, 5), WSAEINVAL);
    closesocket(s);
}

/* accept: "If addr and/or addrlen are equal to NULL, then no information about the remote address
 * of the accepted socket is returned." */
static void test_accept_no_length(void)
{
    struct sockaddr_storage address, nothing = {0}, peer = {0};
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), s;
    SOCKET client = socket(AF_INET, SOCK_STREAM, 0);

    ok_success(connect(client, (struct sockaddr *)&address, length));
    s = accept(listener, (struct sockaddr *)&peer, NULL);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(!memcmp(&peer, &nothing, sizeof(peer)), "an address was stored\n");
    closesocket(s);
    closesocket(client);
    closesocket(listener);
}

/* Who is sent to although gone answers by a reset; over the loopback that has come when send
 * returns, so that the end of the stream is an abort by then (Wine's test_shutdown, run on
 * Windows). Who has only ended sending goes on receiving. */
static void test_send_to_closed(void)
{
    char buffer[8];
    SOCKET a, b;

    for (int i = 0; i < 50; i++) {
        net_pair(&a, &b);
        ok_success(shutdown(a, SD_SEND));
        ok(recv(b, buffer, sizeof(buffer), 0) == 0, "no end\n");
        ok(send(b, "test", 4, 0) == 4, "error %d\n", WSAGetLastError());
        ok(recv(b, buffer, sizeof(buffer), 0) == 0, "no end, error %d\n", WSAGetLastError());
        ok(net_recv_all(a, buffer, 4) == 4, "error %d\n", WSAGetLastError());
        closesocket(a);
        ok(send(b, "test", 4, 0) == 4, "error %d\n", WSAGetLastError());
        todo_wine ok_error(recv(b, buffer, sizeof(buffer), 0), WSAECONNABORTED);
        closesocket(b);
    }
}

START_TEST(tcp)
{
    net_start();
    RUN(test_connect, AF_INET);
    RUN(test_connect, AF_INET6);
    RUN(test_backlog);
    RUN(test_refused);
    RUN(test_partial);
    RUN(test_peek);
    RUN(test_waitall);
    RUN(test_shutdown);
    RUN(test_send_to_closed);
    RUN(test_wsaconnect);
    RUN(test_wsaaccept);
    RUN(test_accept_errors);
    RUN(test_accept_no_length);
    WSACleanup();
}
