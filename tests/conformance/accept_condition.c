/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAccept with a condition function; WSASendDisconnect and WSARecvDisconnect.
 * Sources: their pages; "recorded" = what Wine's test_accept found on Windows.
 */
#include "net.h"

/* What the condition function was given, and what it is to say. */
struct condition {
    int answer, calls;
    struct sockaddr_storage caller, callee;
    int caller_length, callee_length;
    BOOL caller_data, qualities, callee_data;
    GROUP group;
    DWORD thread;
};

static int CALLBACK decide(LPWSABUF caller, LPWSABUF caller_data, LPQOS quality,
                           LPQOS group_quality, LPWSABUF callee, LPWSABUF callee_data, GROUP *group,
                           DWORD_PTR context)
{
    struct condition *condition = (struct condition *)context;

    condition->calls++;
    condition->caller_length = (int)caller->len;
    memcpy(&condition->caller, caller->buf, min(caller->len, sizeof(condition->caller)));
    condition->callee_length = (int)callee->len;
    memcpy(&condition->callee, callee->buf, min(callee->len, sizeof(condition->callee)));
    condition->caller_data = caller_data && caller_data->len;
    condition->qualities = quality || group_quality;
    condition->callee_data = callee_data && callee_data->len;
    condition->group = *group;
    condition->thread = GetCurrentThreadId();
    return condition->answer;
}

/* A listener with one connection that waits. */
static SOCKET listen_and_connect(SOCKET *client, struct sockaddr_storage *address, int *length)
{
    SOCKET l = net_listener(AF_INET, address, length);

    *client = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(*client, (struct sockaddr *)address, *length));
    return l;
}

/* "If the condition function returns CF_ACCEPT, WSAAccept creates a new socket." */
static void test_accept(void)
{
    struct condition condition = {.answer = CF_ACCEPT};
    struct sockaddr_storage address;
    int length;
    SOCKET client, l = listen_and_connect(&client, &address, &length), s;
    char byte = 0;

    s = WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(condition.calls == 1, "%d calls\n", condition.calls);
    net_send_all(client, "x", 1);
    ok(recv(s, &byte, 1, 0) == 1 && byte == 'x', "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(client);
    closesocket(l);
}

/* "The condition function runs in the same thread as this function does". */
static void test_thread(void)
{
    struct condition condition = {.answer = CF_ACCEPT};
    struct sockaddr_storage address;
    int length;
    SOCKET client, l = listen_and_connect(&client, &address, &length);

    closesocket(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition));
    ok(condition.thread == GetCurrentThreadId(), "thread %lx\n", condition.thread);
    closesocket(client);
    closesocket(l);
}

/* "The lpCallerId parameter points to a WSABUF structure that contains the address of the
 * connecting entity". */
static void test_caller(void)
{
    struct condition condition = {.answer = CF_ACCEPT};
    struct sockaddr_storage address, own;
    int length;
    SOCKET client, l = listen_and_connect(&client, &address, &length);

    closesocket(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition));
    ok_success(getsockname(client, (struct sockaddr *)&own, &length));
    ok(condition.caller_length >= (int)sizeof(struct sockaddr_in) &&
           !memcmp(&condition.caller, &own, 8),
       "another caller, length %d\n", condition.caller_length);
    closesocket(client);
    closesocket(l);
}

/* "The lpCalleeId is a parameter that contains the local address of the connected entity." */
static void test_callee(void)
{
    struct condition condition = {.answer = CF_ACCEPT};
    struct sockaddr_storage address;
    int length;
    SOCKET client, l = listen_and_connect(&client, &address, &length);

    closesocket(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition));
    ok(condition.callee_length >= (int)sizeof(struct sockaddr_in) &&
           !memcmp(&condition.callee, &address, 8),
       "another callee, length %d\n", condition.callee_length);
    closesocket(client);
    closesocket(l);
}

/* "If no caller identification or caller data is available, the corresponding parameters will be
 * NULL"; "A NULL value indicates that there is no caller-supplied quality of service"; "A value of
 * zero means passing user data back to the caller is not supported"; no group. */
static void test_not_supported(void)
{
    struct condition condition = {.answer = CF_ACCEPT};
    struct sockaddr_storage address;
    int length;
    SOCKET client, l = listen_and_connect(&client, &address, &length);

    closesocket(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition));
    ok(!condition.caller_data && !condition.qualities, "data %d, quality %d\n",
       condition.caller_data, condition.qualities);
    /* the built-in hands over whatever lies there */
    todo_wine_if(condition.group != 0) ok(!condition.group, "group %u\n", condition.group);
    todo_wine ok(!condition.callee_data, "room for data\n");
    closesocket(client);
    closesocket(l);
}

/* "If the condition function returns CF_REJECT, WSAAccept rejects the connection request":
 * WSAECONNREFUSED. */
static void test_reject(void)
{
    struct condition condition = {.answer = CF_REJECT};
    struct sockaddr_storage address;
    int length, got;
    SOCKET client, l = listen_and_connect(&client, &address, &length);
    char byte;

    ok_error(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition), WSAECONNREFUSED);
    ok(condition.calls == 1, "%d calls\n", condition.calls);
    got = recv(client, &byte, 1, 0);
    ok(got <= 0, "got %d\n", got);
    net_nonblocking(l, 1);
    ok_error(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition), WSAEWOULDBLOCK);
    closesocket(client);
    closesocket(l);
}

/* "WSATRY_AGAIN: ... the acceptance of the connection request was deferred as indicated in the
 * return value of the condition function (CF_DEFER)." */
static void test_defer(void)
{
    struct condition condition = {.answer = CF_DEFER};
    struct sockaddr_storage address;
    int length;
    SOCKET client, l = listen_and_connect(&client, &address, &length), s;

    ok_error(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition), WSATRY_AGAIN);
    /* "it will invoke WSAAccept again and return either CF_ACCEPT or CF_REJECT" */
    condition.answer = CF_ACCEPT;
    s = WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition);
    ok(s != INVALID_SOCKET && condition.calls == 2, "error %d, %d calls\n", WSAGetLastError(),
       condition.calls);
    closesocket(s);
    closesocket(client);
    closesocket(l);
}

/* A deferred connection is the first one still, for accept as well (recorded). */
static void test_defer_keeps_place(void)
{
    struct condition condition = {.answer = CF_DEFER};
    struct sockaddr_storage address, first, peer;
    int length, size = sizeof(peer);
    SOCKET client[2], l = listen_and_connect(&client[0], &address, &length), s;

    client[1] = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(client[1], (struct sockaddr *)&address, length));
    ok_error(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition), WSATRY_AGAIN);
    s = accept(l, (struct sockaddr *)&peer, &size);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_success(getsockname(client[0], (struct sockaddr *)&first, &length));
    ok(!memcmp(&first, &peer, 8), "another one\n");
    closesocket(s);
    s = accept(l, NULL, NULL);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(client[0]);
    closesocket(client[1]);
    closesocket(l);
}

/* "WSAEINVAL: ... the return value of the condition function is not a valid one". */
static void test_invalid_answer(void)
{
    struct condition condition = {.answer = 77};
    struct sockaddr_storage address;
    int length;
    SOCKET client, l = listen_and_connect(&client, &address, &length);

    todo_wine ok_error(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition), WSAEINVAL);
    closesocket(client);
    closesocket(l);
}

/* "WSAEWOULDBLOCK: ... the socket is marked as nonblocking and no connections are present to be
 * accepted": the function is not called. */
static void test_nothing_there(void)
{
    struct condition condition = {.answer = CF_ACCEPT};
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length);

    net_nonblocking(l, 1);
    ok_error(WSAAccept(l, NULL, NULL, decide, (DWORD_PTR)&condition), WSAEWOULDBLOCK);
    ok(!condition.calls, "%d calls\n", condition.calls);
    closesocket(l);
}

/* "WSAEFAULT: ... the addrlen parameter is too small" (recorded with 0, which stays). */
static void test_small_address(void)
{
    struct sockaddr_storage address, peer;
    int length, size = 0;
    SOCKET client, l = listen_and_connect(&client, &address, &length);

    ok_error(WSAAccept(l, (struct sockaddr *)&peer, &size, NULL, 0), WSAEFAULT);
    ok(!size, "size %d\n", size);
    closesocket(client);
    closesocket(l);
}

/* "If addr and/or addrlen are equal to NULL, then no information about the remote address of the
 * accepted socket is returned." */
static void test_no_address(void)
{
    struct sockaddr_storage address, peer;
    int length, size = sizeof(peer);
    SOCKET client, l = listen_and_connect(&client, &address, &length), s;

    s = WSAAccept(l, NULL, &size, NULL, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(client);
    closesocket(l);
}

/* WSASendDisconnect: "WSAENOPROTOOPT: The parameter lpOutboundDisconnectData is not NULL, and the
 * disconnect data is not supported by the service provider." */
static void test_disconnect_data(void)
{
    char byte;
    WSABUF data = {1, &byte};
    SOCKET a, b;

    net_pair(&a, &b);
    todo_wine
    {
        ok_error(WSASendDisconnect(a, &data), WSAENOPROTOOPT);
        ok_error(WSARecvDisconnect(a, &data), WSAENOPROTOOPT);
    }
    ok_error(WSASendDisconnect(INVALID_SOCKET, NULL), WSAENOTSOCK);
    ok_error(WSARecvDisconnect(INVALID_SOCKET, NULL), WSAENOTSOCK);
    closesocket(a);
    closesocket(b);
}

/* "WSASendDisconnect is equivalent to shutdown (SD_SEND)": the peer reads the end, this side may
 * still receive. */
static void test_send_disconnect(void)
{
    char byte = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(WSASendDisconnect(a, NULL));
    ok(!recv(b, &byte, 1, 0), "error %d\n", WSAGetLastError());
    ok_error(send(a, "x", 1, 0), WSAESHUTDOWN);
    net_send_all(b, "y", 1);
    ok(recv(a, &byte, 1, 0) == 1 && byte == 'y', "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(b);
}

/* "After this function has been successfully issued, subsequent receives on the socket will be
 * disallowed." */
static void test_recv_disconnect(void)
{
    char byte;
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(WSARecvDisconnect(a, NULL));
    ok_error(recv(a, &byte, 1, 0), WSAESHUTDOWN);
    net_send_all(a, "x", 1);
    ok(recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(b);
}

/* SO_CONDITIONAL_ACCEPT: a BOOL of streams, off at first; "must be set before the listen function
 * is called". */
static void test_conditional_accept(void)
{
    struct sockaddr_storage address;
    int length, value = 0xdead, size = sizeof(value);
    SOCKET l = net_listener(AF_INET, &address, &length), s = socket(AF_INET, SOCK_STREAM, 0);

    todo_wine
    {
        ok_success(getsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&value, &size));
        ok(!value, "initially %d\n", value);
        value = 1;
        ok_success(setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&value, sizeof(value)));
        value = 0;
        ok_success(getsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&value, &size));
        ok(value == 1, "got %d\n", value);
        ok_error(setsockopt(l, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, (char *)&value, sizeof(value)),
                 WSAEINVAL);
    }
    closesocket(s);
    closesocket(l);
}

START_TEST(accept_condition)
{
    net_start();
    RUN(test_accept);
    RUN(test_thread);
    RUN(test_caller);
    RUN(test_callee);
    RUN(test_not_supported);
    RUN(test_reject);
    RUN(test_defer);
    RUN(test_defer_keeps_place);
    RUN(test_invalid_answer);
    RUN(test_nothing_there);
    RUN(test_small_address);
    RUN(test_no_address);
    RUN(test_disconnect_data);
    RUN(test_send_disconnect);
    RUN(test_recv_disconnect);
    RUN(test_conditional_accept);
    WSACleanup();
}
