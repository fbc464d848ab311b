/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What AcceptEx and ConnectEx refuse, what they leave in the OVERLAPPED then, and what other calls
 * say to a socket that one of them is busy with.
 * Sources: the pages of AcceptEx, ConnectEx, connect and getpeername; where a page says nothing,
 * what Windows was seen to do (facts/windows-not-wine.md: 8221..8622, 8293, 12330).
 */
#include "net.h"

#define ROOM  ((DWORD)sizeof(struct sockaddr_in) + 16)
#define STALE 0xdeadbeef

static LPFN_ACCEPTEX accept_ex;
static LPFN_CONNECTEX connect_ex;

static void find_functions(void)
{
    GUID accept_guid = WSAID_ACCEPTEX, connect_guid = WSAID_CONNECTEX;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD got;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &accept_guid, sizeof(accept_guid),
                        &accept_ex, sizeof(accept_ex), &got, NULL, NULL));
    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &connect_guid, sizeof(connect_guid),
                        &connect_ex, sizeof(connect_ex), &got, NULL, NULL));
    closesocket(s);
}

static SOCKET stream(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok(s != INVALID_SOCKET, "socket error %d\n", WSAGetLastError());
    return s;
}

static int call_accept_ex(SOCKET listener, SOCKET target, void *buffer, DWORD local, DWORD remote,
                          OVERLAPPED *overlapped)
{
    DWORD got;

    if (overlapped)
        overlapped->Internal = STALE;
    WSASetLastError(0xdead);
    return accept_ex(listener, target, buffer, 0, local, remote, &got, overlapped)
               ? 0
               : WSAGetLastError();
}

static void connect_to(SOCKET s, const struct sockaddr_storage *address, int length)
{
    ok(!connect(s, (const struct sockaddr *)address, length), "connect error %d\n",
       WSAGetLastError());
}

static DWORD finish(SOCKET s, OVERLAPPED *overlapped)
{
    DWORD got = 0;

    ok(!WaitForSingleObject(overlapped->hEvent, NET_PATIENCE), "not finished\n");
    return GetOverlappedResult((HANDLE)s, overlapped, &got, FALSE) ? 0 : GetLastError();
}

/* AcceptEx: sListenSocket "specifies a socket that has already been called with the listen
 * function"; sAcceptSocket "must not be bound or connected". */
static void test_accept_ex_wrong_sockets(void)
{
    struct sockaddr_storage address;
    int length, error;
    SOCKET listener = net_bound(AF_INET, SOCK_STREAM, &address, &length), target = stream();
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, 0), a, b;
    SOCKET bound = net_bound(AF_INET, SOCK_STREAM, &(struct sockaddr_storage){0}, &(int){0});
    OVERLAPPED overlapped = {0};
    char buffer[256];
    unsigned int i;

    net_pair(&a, &b);
    error = call_accept_ex(INVALID_SOCKET, target, buffer, ROOM, ROOM, &overlapped);
    ok(error == WSAENOTSOCK, "error %d\n", error);
    ok(overlapped.Internal == STATUS_PENDING, "status %#lx\n", (ULONG)overlapped.Internal);
    if (!on_builtin()) { /* it would wait */
        error = call_accept_ex(listener, target, buffer, ROOM, ROOM, &overlapped);
        ok(error == WSAEINVAL, "not listening: error %d\n", error);
        ok(overlapped.Internal == STATUS_PENDING, "status %#lx\n", (ULONG)overlapped.Internal);
    }
    ok_success(listen(listener, 5));
    error = call_accept_ex(listener, INVALID_SOCKET, buffer, ROOM, ROOM, &overlapped);
    ok(error == WSAENOTSOCK, "error %d\n", error);
    for (i = 0; i < 4 && !on_builtin(); i++) {
        error = call_accept_ex(listener, ((SOCKET[]){udp, bound, a, b})[i], buffer, ROOM, ROOM,
                               &overlapped);
        ok(error == WSAEINVAL, "socket %u: error %d\n", i, error);
        ok(overlapped.Internal == STATUS_PENDING, "status %#lx\n", (ULONG)overlapped.Internal);
    }
    closesocket(udp);
    closesocket(bound);
    closesocket(a);
    closesocket(b);
    closesocket(target);
    closesocket(listener);
}

/* lpOverlapped: "This parameter must be specified; it cannot be NULL."  lpOutputBuffer: "This
 * parameter must be specified."  dwRemoteAddressLength: "Cannot be zero." */
static void test_accept_ex_missing(void)
{
    struct sockaddr_storage address;
    int length, error;
    SOCKET listener = net_listener(AF_INET, &address, &length), target = stream();
    OVERLAPPED overlapped = {0};
    char buffer[256];

    error = call_accept_ex(listener, target, buffer, ROOM, ROOM, NULL);
    ok(error == ERROR_INVALID_PARAMETER, "error %d\n", error);
    if (!on_builtin()) {
        error = call_accept_ex(listener, target, NULL, ROOM, ROOM, &overlapped);
        ok(error == WSAEFAULT, "error %d\n", error);
    }
    error = call_accept_ex(listener, target, buffer, ROOM, 0, &overlapped);
    ok(error == WSAEFAULT, "error %d\n", error);
    ok(overlapped.Internal == STATUS_PENDING, "status %#lx\n", (ULONG)overlapped.Internal);
    closesocket(target);
    closesocket(listener);
}

/* dwLocalAddressLength: "This value must be at least 16 bytes more than the maximum address length
 * for the transport protocol in use": found out when there is an address to store; the connection
 * stays in the backlog. */
static void test_accept_ex_short_room(DWORD local)
{
    struct sockaddr_storage address;
    int length, error;
    SOCKET listener = net_listener(AF_INET, &address, &length), target = stream();
    SOCKET client = stream(), accepted;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char buffer[256];

    error = call_accept_ex(listener, target, buffer, local, ROOM, &overlapped);
    ok(error == ERROR_IO_PENDING, "error %d\n", error);
    connect_to(client, &address, length);
    error = (int)finish(listener, &overlapped);
    todo_wine_if(local > 3) ok(error == ERROR_INSUFFICIENT_BUFFER, "error %d\n", error);
    net_nonblocking(listener, 1);
    todo_wine ok(net_readable(listener, on_builtin() ? 0 : NET_PATIENCE), "no connection\n");
    accepted = accept(listener, NULL, NULL);
    todo_wine ok(accepted != INVALID_SOCKET, "accept error %d\n", WSAGetLastError());
    closesocket(accepted);
    closesocket(client);
    closesocket(target);
    closesocket(listener);
    CloseHandle(overlapped.hEvent);
}

static void test_accept_ex_short_rooms(void)
{
    test_accept_ex_short_room(3);
    test_accept_ex_short_room(sizeof(struct sockaddr_in) + 4);
}

/* The socket is being accepted into: it can be neither accepted into again nor connected. */
static void test_accept_ex_busy(void)
{
    struct sockaddr_storage address;
    int length, error;
    SOCKET listener = net_listener(AF_INET, &address, &length), target = stream();
    OVERLAPPED overlapped = {0}, second = {0};
    char buffer[256];
    DWORD sent;

    error = call_accept_ex(listener, target, buffer, ROOM, ROOM, &overlapped);
    ok(error == ERROR_IO_PENDING, "error %d\n", error);
    error = call_accept_ex(listener, target, buffer, ROOM, ROOM, &second);
    ok(error == WSAEINVAL, "error %d\n", error);
    ok_error(connect(target, (struct sockaddr *)&address, length), WSAEINVAL);
    WSASetLastError(0);
    ok(!connect_ex(target, (struct sockaddr *)&address, length, NULL, 0, &sent, &second) &&
           WSAGetLastError() == WSAEINVAL,
       "error %d\n", WSAGetLastError());
    ok(overlapped.Internal == STATUS_PENDING, "status %#lx\n", (ULONG)overlapped.Internal);
    closesocket(target);
    closesocket(listener);
}

/* closesocket: "any pending overlapped ... operations ... issued by any thread in this process are
 * also canceled": the AcceptEx that waits for this socket. */
static void test_accept_ex_target_closed(void)
{
    struct sockaddr_storage address;
    int length, error;
    SOCKET listener = net_listener(AF_INET, &address, &length), target = stream();
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char buffer[256];

    error = call_accept_ex(listener, target, buffer, ROOM, ROOM, &overlapped);
    ok(error == ERROR_IO_PENDING, "error %d\n", error);
    ok_success(closesocket(target));
    error = (int)finish(listener, &overlapped);
    ok(error == ERROR_OPERATION_ABORTED, "error %d\n", error);
    closesocket(listener);
    CloseHandle(overlapped.hEvent);
}

static void check_refused(SOCKET s, const struct sockaddr_storage *address, int length,
                          int expected)
{
    OVERLAPPED overlapped = {.Internal = STALE, .InternalHigh = STALE};
    DWORD sent;
    BOOL done;

    WSASetLastError(0);
    done = connect_ex(s, (const struct sockaddr *)address, length, NULL, 0, &sent, &overlapped);
    ok(!done && WSAGetLastError() == expected, "got %d, error %d, expected %d\n", done,
       WSAGetLastError(), expected);
    ok(overlapped.Internal == STATUS_PENDING, "status %#lx\n", (ULONG)overlapped.Internal);
    todo_wine ok(overlapped.InternalHigh == STALE, "count %#lx\n", (ULONG)overlapped.InternalHigh);
}

/* ConnectEx: WSAEINVAL "The parameter s is an unbound or a listening socket"; WSAEISCONN "The
 * socket is already connected".  A call that is refused leaves the count alone. */
static void test_connect_ex_refused(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), unbound = stream(), a, b;

    net_pair(&a, &b);
    check_refused(listener, &address, length, WSAEINVAL);
    check_refused(unbound, &address, length, WSAEINVAL);
    check_refused(a, &address, length, WSAEISCONN);
    check_refused(b, &address, length, WSAEISCONN);
    closesocket(a);
    closesocket(b);
    closesocket(unbound);
    closesocket(listener);
}

/* ConnectEx: without SO_UPDATE_CONNECT_CONTEXT "the socket does not enable previously set
 * properties"; connect calls it no connection of its own, with the option it does. */
static void test_connect_after_connect_ex(void)
{
    struct sockaddr_storage address, any = {.ss_family = AF_INET};
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), s = stream();
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD sent;

    ok_success(bind(s, (struct sockaddr *)&any, sizeof(struct sockaddr_in)));
    connect_ex(s, (struct sockaddr *)&address, length, NULL, 0, &sent, &overlapped);
    ok(!finish(s, &overlapped), "error %lu\n", GetLastError());
    todo_wine ok_error(connect(s, (struct sockaddr *)&address, length), WSAEINVAL);
    ok_success(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0));
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAEISCONN);
    closesocket(s);
    closesocket(listener);
    CloseHandle(overlapped.hEvent);
}

/* ConnectEx: lpSendBuffer is "a buffer to be transferred after a connection is established"; the
 * program may use it again at once. */
static void test_connect_ex_data(void)
{
    struct sockaddr_storage address, any = {.ss_family = AF_INET};
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), s = stream(), accepted;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char data[] = "early", got[8] = "";
    DWORD sent;

    ok_success(bind(s, (struct sockaddr *)&any, sizeof(struct sockaddr_in)));
    connect_ex(s, (struct sockaddr *)&address, length, data, 5, &sent, &overlapped);
    memset(data, 0, sizeof(data));
    ok(!finish(s, &overlapped), "error %lu\n", GetLastError());
    ok(overlapped.InternalHigh == 5, "count %lu\n", (ULONG)overlapped.InternalHigh);
    accepted = accept(listener, NULL, NULL);
    ok(net_recv_all(accepted, got, 5) == 5 && !memcmp(got, "early", 5), "got '%s'\n", got);
    closesocket(accepted);
    closesocket(s);
    closesocket(listener);
    CloseHandle(overlapped.hEvent);
}

/* ConnectEx: a buffer that would reach past the end of memory has no place in it, however long the
 * program says that it is (WSAEFAULT, of connect's page: "not a valid part of the user address
 * space"). */
static void test_connect_ex_endless_data(void)
{
    struct sockaddr_storage address, any = {.ss_family = AF_INET};
    OVERLAPPED overlapped = {0};
    SOCKET listener, s;
    int length, error;
    DWORD sent;
    char *data;

    if (on_builtin()) /* crashes */
        return;
    listener = net_listener(AF_INET, &address, &length);
    s = stream();
    data = VirtualAlloc(NULL, 0x20000, MEM_RESERVE, PAGE_READWRITE);
    ok(VirtualAlloc(data, 0x10000, MEM_COMMIT, PAGE_READWRITE) == data, "no memory\n");
    ok_success(bind(s, (struct sockaddr *)&any, sizeof(struct sockaddr_in)));
    for (DWORD size = 0xfffffff0; size; size++) {
        error = connect_ex(s, (struct sockaddr *)&address, length, data, size, &sent, &overlapped)
                    ? 0
                    : WSAGetLastError();
        ok(error == WSAEFAULT || error == WSAENOBUFS, "%#lx bytes: error %d\n", size, error);
    }
    VirtualFree(data, 0, MEM_RELEASE);
    closesocket(s);
    closesocket(listener);
}

/* getpeername tells whom a nonblocking connect has gone to, and nobody once that has failed. */
static void test_peer_while_connecting(void)
{
    struct sockaddr_storage address;
    struct sockaddr_in peer;
    int length = net_nobody(AF_INET, &address), size = sizeof(peer);
    SOCKET s = stream();
    fd_set failed;
    struct timeval patience = {NET_PATIENCE / 1000, 0};

    net_nonblocking(s, 1);
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAEWOULDBLOCK);
    FD_ZERO(&failed);
    FD_SET(s, &failed);
    ok(select(0, NULL, NULL, &failed, &patience) == 1, "the connect does not fail\n");
    ok_error(getpeername(s, (struct sockaddr *)&peer, &size), WSAENOTCONN);
    closesocket(s);
}

START_TEST(extension_arguments)
{
    net_start();
    find_functions();
    RUN(test_accept_ex_wrong_sockets);
    RUN(test_accept_ex_missing);
    RUN(test_accept_ex_short_rooms);
    RUN(test_accept_ex_busy);
    RUN(test_accept_ex_target_closed);
    RUN(test_connect_ex_refused);
    RUN(test_connect_after_connect_ex);
    RUN(test_connect_ex_data);
    RUN(test_connect_ex_endless_data);
    RUN(test_peer_while_connecting);
    WSACleanup();
}
