/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wrong arguments get the error their page names, and nothing crashes.
 * Sources: "Error code / Meaning" tables of bind, connect, listen, accept, send, recv, sendto,
 * WSARecv, WSASend, getsockname, getpeername, closesocket, shutdown.
 */
#include "net.h"

/* WSAENOTSOCK "The descriptor is not a socket": closed, never one, another kind of handle */
static void check_not_socket(SOCKET s)
{
    struct sockaddr_in address = {AF_INET, 0, {{{127, 0, 0, 1}}}, {0}};
    int length = sizeof(address), value = 0;
    u_long count = 0;
    DWORD bytes = 0, flags = 0;
    char byte = 0;
    WSABUF buf = {1, &byte};
    WSANETWORKEVENTS events;

    ok_error(bind(s, (struct sockaddr *)&address, length), WSAENOTSOCK);
    ok_error(listen(s, 1), WSAENOTSOCK);
    WSASetLastError(0);
    ok(accept(s, NULL, NULL) == INVALID_SOCKET && WSAGetLastError() == WSAENOTSOCK, "error %d\n",
       WSAGetLastError());
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAENOTSOCK);
    ok_error(send(s, &byte, 1, 0), WSAENOTSOCK);
    ok_error(recv(s, &byte, 1, 0), WSAENOTSOCK);
    ok_error(sendto(s, &byte, 1, 0, (struct sockaddr *)&address, length), WSAENOTSOCK);
    ok_error(recvfrom(s, &byte, 1, 0, NULL, NULL), WSAENOTSOCK);
    ok_error(WSASend(s, &buf, 1, &bytes, 0, NULL, NULL), WSAENOTSOCK);
    ok_error(WSARecv(s, &buf, 1, &bytes, &flags, NULL, NULL), WSAENOTSOCK);
    ok_error(shutdown(s, SD_BOTH), WSAENOTSOCK);
    ok_error(getsockname(s, (struct sockaddr *)&address, &length), WSAENOTSOCK);
    ok_error(getpeername(s, (struct sockaddr *)&address, &length), WSAENOTSOCK);
    ok_error(ioctlsocket(s, FIONREAD, &count), WSAENOTSOCK);
    length = sizeof(value);
    ok_error(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &length), WSAENOTSOCK);
    ok_error(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, length), WSAENOTSOCK);
    ok_error(WSAEnumNetworkEvents(s, NULL, &events), WSAENOTSOCK);
    ok_error(closesocket(s), WSAENOTSOCK);
}

static void test_not_sockets(void)
{
    SOCKET closed = socket(AF_INET, SOCK_STREAM, 0);
    HANDLE event;

    closesocket(closed);
    winetest_push_context("closed");
    check_not_socket(closed);
    winetest_pop_context();
    winetest_push_context("INVALID_SOCKET");
    check_not_socket(INVALID_SOCKET);
    winetest_pop_context();
    winetest_push_context("zero");
    check_not_socket(0);
    winetest_pop_context();
    winetest_push_context("event");
    event = CreateEventA(NULL, TRUE, FALSE, NULL);
    check_not_socket((SOCKET)event);
    ok(SetEvent(event), "the event was closed\n");
    CloseHandle(event);
    winetest_pop_context();
}

/* WSAEFAULT: pointers and lengths of addresses */
static void test_addresses(void)
{
    struct sockaddr_storage address, name;
    int length, small = 3, size = sizeof(name);
    SOCKET s = net_bound(AF_INET, SOCK_STREAM, &address, &length), t;

    t = socket(AF_INET, SOCK_STREAM, 0);
    ok_error(bind(t, NULL, sizeof(struct sockaddr_in)), WSAEFAULT);
    ok_error(bind(t, (struct sockaddr *)&address, 1), WSAEFAULT);
    if (!on_builtin()) /* which would crash */
        ok_error(connect(t, NULL, sizeof(struct sockaddr_in)), WSAEFAULT);
    todo_wine ok_error(connect(t, (struct sockaddr *)&address, 3), WSAEFAULT);
    ok_error(getsockname(s, (struct sockaddr *)&name, &small), WSAEFAULT);
    ok_error(getsockname(s, NULL, &size), WSAEFAULT);
    if (!on_builtin()) /* which would crash */
        ok_error(getsockname(s, (struct sockaddr *)&name, NULL), WSAEFAULT);
    /* getsockname: WSAEINVAL "The socket has not been bound" */
    size = sizeof(name);
    ok_error(getsockname(t, (struct sockaddr *)&name, &size), WSAEINVAL);
    ok_error(getpeername(t, (struct sockaddr *)&name, &size), WSAENOTCONN);
    todo_wine ok_error(getpeername(t, NULL, NULL), WSAENOTCONN);
    /* WSAEAFNOSUPPORT: a family that is not the socket's */
    address.ss_family = AF_INET6;
    todo_wine ok_error(connect(t, (struct sockaddr *)&address, sizeof(struct sockaddr_in6)),
                       WSAEAFNOSUPPORT);
    closesocket(s);
    closesocket(t);
}

/* Data pointers of blocking and overlapped calls */
static void test_buffers(void)
{
    DWORD bytes = 0, flags = 0;
    WSABUF buf = {4, NULL};
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "data", 4);
    net_arrived(b, 4);
    ok_error(recv(b, NULL, 4, 0), WSAEFAULT);
    ok_error(send(b, NULL, 4, 0), WSAEFAULT);
    ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAEFAULT);
    ok_error(WSASend(b, &buf, 1, &bytes, 0, NULL, NULL), WSAEFAULT);
    /* WSARecv: lpNumberOfBytesRecvd "can be NULL only if the lpOverlapped parameter is not NULL" */
    buf.buf = (char *)&flags;
    ok_error(WSASend(b, &buf, 1, NULL, 0, NULL, NULL), WSAEFAULT);
    flags = 0;
    /* "WSARecv ... with 0 buffers" */
    todo_wine ok_error(WSARecv(b, &buf, 0, &bytes, &flags, NULL, NULL), WSAEINVAL);

    closesocket(a);
    closesocket(b);
}

/* WSAENOTCONN "The socket is not connected" */
static void test_not_connected(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    WSAOVERLAPPED ov = {0};
    DWORD bytes, flags = 0;
    char byte = 0;
    WSABUF buf = {1, &byte};

    todo_wine ok_error(send(s, &byte, 1, 0), WSAENOTCONN);
    ok_error(recv(s, &byte, 1, 0), WSAENOTCONN);
    todo_wine ok_error(WSASend(s, &buf, 1, &bytes, 0, NULL, NULL), WSAENOTCONN);
    ok_error(WSARecv(s, &buf, 1, &bytes, &flags, NULL, NULL), WSAENOTCONN);
    /* an overlapped call fails at once: "Any other error code indicates that the overlapped
     * operation was not successfully initiated and no completion indication will occur" */
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    ok_error(WSARecv(s, &buf, 1, NULL, &flags, &ov, NULL), WSAENOTCONN);
    ok(WaitForSingleObject(ov.hEvent, 20) == WAIT_TIMEOUT, "the event was set\n");
    todo_wine ok_error(WSASend(s, &buf, 1, NULL, 0, &ov, NULL), WSAENOTCONN);
    ok(WaitForSingleObject(ov.hEvent, 20) == WAIT_TIMEOUT, "the event was set\n");
    CloseHandle(ov.hEvent);
    closesocket(s);
}

/* Flags: MSG_OOB on a datagram socket WSAEOPNOTSUPP; MSG_WAITALL with MSG_PEEK as well */
static void test_flags(void)
{
    struct sockaddr_storage address[2];
    int length;
    char byte = 0;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    net_nonblocking(s[1], 1);
    todo_wine ok_error(recv(s[1], &byte, 1, MSG_OOB), WSAEOPNOTSUPP);
    ok_error(sendto(s[0], &byte, 1, MSG_OOB, (struct sockaddr *)&address[1], length),
             WSAEOPNOTSUPP);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* WSAWaitForMultipleEvents and the event functions */
static void test_events(void)
{
    HANDLE event = WSACreateEvent(), none = NULL;

    ok(event != WSA_INVALID_EVENT, "error %d\n", WSAGetLastError());
    ok(WSAWaitForMultipleEvents(1, &event, FALSE, 0, FALSE) == WSA_WAIT_TIMEOUT, "already set\n");
    ok(WSASetEvent(event), "error %d\n", WSAGetLastError());
    ok(WSAWaitForMultipleEvents(1, &event, FALSE, 0, FALSE) == WSA_WAIT_EVENT_0, "not set\n");
    /* WSACreateEvent: "a manual-reset event object" */
    ok(WSAWaitForMultipleEvents(1, &event, TRUE, 0, FALSE) == WSA_WAIT_EVENT_0, "was reset\n");
    ok(WSAResetEvent(event), "error %d\n", WSAGetLastError());
    ok(WSAWaitForMultipleEvents(1, &event, FALSE, 0, FALSE) == WSA_WAIT_TIMEOUT, "still set\n");
    ok(WSACloseEvent(event), "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!WSACloseEvent(event) && WSAGetLastError() == WSA_INVALID_HANDLE, "error %d\n",
       WSAGetLastError());
    WSASetLastError(0);
    ok(!WSASetEvent(event) && WSAGetLastError() == WSA_INVALID_HANDLE, "error %d\n",
       WSAGetLastError());
    WSASetLastError(0);
    ok(WSAWaitForMultipleEvents(1, &none, FALSE, 0, FALSE) == WSA_WAIT_FAILED &&
           WSAGetLastError() == WSA_INVALID_HANDLE,
       "error %d\n", WSAGetLastError());
}

START_TEST(badargs)
{
    net_start();
    RUN(test_not_sockets);
    RUN(test_addresses);
    RUN(test_buffers);
    RUN(test_not_connected);
    RUN(test_flags);
    RUN(test_events);
    WSACleanup();
}
