/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AcceptEx and GetAcceptExSockaddrs.
 * Sources: their pages, that of setsockopt (SO_UPDATE_ACCEPT_CONTEXT) and "Socket Options"
 * (SO_CONNECT_TIME).
 */
#include "net.h"

/* AcceptEx: each address length "must be at least 16 bytes more than the maximum address length" */
#define ADDRESS_ROOM (sizeof(struct sockaddr_in6) + 16)

static LPFN_ACCEPTEX accept_ex;
static LPFN_GETACCEPTEXSOCKADDRS get_addresses;

static void load(void)
{
    GUID accept_guid = WSAID_ACCEPTEX, addresses_guid = WSAID_GETACCEPTEXSOCKADDRS;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD bytes;

    /* AcceptEx, Remarks: "must be obtained at run time by ... WSAIoctl ...
     * SIO_GET_EXTENSION_FUNCTION_POINTER" */
    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &accept_guid, sizeof(GUID),
                        &accept_ex, sizeof(accept_ex), &bytes, NULL, NULL));
    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &addresses_guid, sizeof(GUID),
                        &get_addresses, sizeof(get_addresses), &bytes, NULL, NULL));
    closesocket(s);
}

static SOCKET connected(struct sockaddr_storage *address, int length)
{
    SOCKET s = socket(address->ss_family, SOCK_STREAM, 0);

    ok_success(connect(s, (struct sockaddr *)address, length));
    return s;
}

/* What the accepted socket must be able to do once SO_UPDATE_ACCEPT_CONTEXT was set: "the
 * getpeername, getsockname, getsockopt, and setsockopt functions can be used". */
static void check_accepted(SOCKET l, SOCKET accepted, SOCKET client)
{
    struct sockaddr_storage name, peer;
    int name_length = sizeof(name), peer_length = sizeof(peer), got;
    DWORD seconds = 0xdead;
    char buffer[8];

    ok_success(setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof(l)));
    memset(&name, 0, sizeof(name));
    memset(&peer, 0, sizeof(peer));
    ok_success(getpeername(accepted, (struct sockaddr *)&peer, &peer_length));
    ok_success(getsockname(client, (struct sockaddr *)&name, &name_length));
    ok(name_length == peer_length && !memcmp(&name, &peer, name_length), "wrong peer\n");
    net_send_all(client, "ping", 4);
    got = net_recv_all(accepted, buffer, 4);
    ok(got == 4 && !memcmp(buffer, "ping", 4), "got %d\n", got);
    net_send_all(accepted, "pong", 4);
    got = net_recv_all(client, buffer, 4);
    ok(got == 4 && !memcmp(buffer, "pong", 4), "got %d\n", got);
    /* SO_CONNECT_TIME: "the number of seconds a socket has been connected", -1 if it is not */
    got = sizeof(seconds);
    ok_success(getsockopt(accepted, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &got));
    ok(seconds < 60, "got %lu\n", seconds);
}

static void check_addresses(char *buffer, DWORD received, struct sockaddr_storage *local_name,
                            SOCKET client)
{
    struct sockaddr *local = NULL, *remote = NULL;
    INT local_length = 0, remote_length = 0, length;
    struct sockaddr_storage name;

    get_addresses(buffer, received, ADDRESS_ROOM, ADDRESS_ROOM, &local, &local_length, &remote,
                  &remote_length);
    length = sizeof(name);
    memset(&name, 0, sizeof(name));
    getsockname(client, (struct sockaddr *)&name, &length);
    ok(remote && remote_length == length && !memcmp(remote, &name, length),
       "wrong remote address, length %d\n", remote_length);
    ok(local && local_length == length && !memcmp(local, local_name, length),
       "wrong local address, length %d\n", local_length);
}

/* Without receive data: "If this parameter is zero, accepting the connection will not result in a
 * receive operation. Instead, AcceptEx completes as soon as a connection arrives." */
static void test_event(int family)
{
    struct sockaddr_storage address;
    char buffer[2 * ADDRESS_ROOM];
    int length;
    SOCKET l = net_listener(family, &address, &length), accepted, client;
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED ov = {0};
    DWORD bytes = 0, flags;
    BOOL result;

    winetest_push_context("family %d", family);
    accepted = socket(family, SOCK_STREAM, 0);
    ov.hEvent = event;
    WSASetLastError(0);
    result = accept_ex(l, accepted, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov);
    ok(!result && WSAGetLastError() == ERROR_IO_PENDING, "got %d, error %d\n", result,
       WSAGetLastError());
    ok(WaitForSingleObject(event, 50) == WAIT_TIMEOUT, "complete without a connection\n");
    client = connected(&address, length);
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    bytes = 77;
    ok(WSAGetOverlappedResult(l, &ov, &bytes, FALSE, &flags), "error %d\n", WSAGetLastError());
    ok(bytes == 0, "got %lu\n", bytes);
    check_addresses(buffer, 0, &address, client);
    check_accepted(l, accepted, client);
    closesocket(accepted);
    closesocket(client);

    /* a connection that waits already */
    client = connected(&address, length);
    Sleep(50);
    accepted = socket(family, SOCK_STREAM, 0);
    ResetEvent(event);
    result = accept_ex(l, accepted, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov);
    ok(result || WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
    ok(WSAGetOverlappedResult(l, &ov, &bytes, TRUE, &flags), "error %d\n", WSAGetLastError());
    ok(WaitForSingleObject(event, 0) == WAIT_OBJECT_0, "event not set\n");
    check_addresses(buffer, 0, &address, client);
    check_accepted(l, accepted, client);
    closesocket(accepted);
    closesocket(client);
    closesocket(l);
    CloseHandle(event);
    winetest_pop_context();
}

/* With receive data: "the function ... does not complete until a connection arrives and the first
 * block of data"; by completion port. */
static void test_data(void)
{
    enum { ROOM = 32 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct sockaddr_storage address;
    char buffer[ROOM + 2 * ADDRESS_ROOM];
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), accepted, client;
    OVERLAPPED ov = {0}, *got;
    ULONG_PTR key;
    DWORD bytes = 0;
    BOOL result;

    ok(CreateIoCompletionPort((HANDLE)l, port, 88, 0) == port, "error %lu\n", GetLastError());
    accepted = socket(AF_INET, SOCK_STREAM, 0);
    result = accept_ex(l, accepted, buffer, ROOM, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov);
    ok(!result && WSAGetLastError() == ERROR_IO_PENDING, "got %d, error %d\n", result,
       WSAGetLastError());
    client = connected(&address, length);
    SetLastError(0);
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 100) && !got,
       "complete without data\n");
    net_send_all(client, "first block", 11);
    got = NULL;
    ok(GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE), "error %lu\n",
       GetLastError());
    ok(got == &ov && key == 88 && bytes == 11, "got %p, key %lu, %lu bytes\n", (void *)got,
       (DWORD)key, bytes);
    ok(!memcmp(buffer, "first block", 11), "wrong bytes\n");
    check_addresses(buffer, ROOM, &address, client);
    check_accepted(l, accepted, client);
    closesocket(accepted);
    closesocket(client);
    closesocket(l);
    CloseHandle(port);
}

/* Several posted at once are used one per connection. */
static void test_several(void)
{
    enum { COUNT = 5 };
    struct sockaddr_storage address;
    char buffer[COUNT][2 * ADDRESS_ROOM];
    int length, i, k;
    SOCKET l = net_listener(AF_INET, &address, &length), accepted[COUNT], client[COUNT];
    OVERLAPPED ov[COUNT];
    DWORD bytes, flags;

    memset(ov, 0, sizeof(ov));
    for (i = 0; i < COUNT; i++) {
        accepted[i] = socket(AF_INET, SOCK_STREAM, 0);
        ov[i].hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
        ok(!accept_ex(l, accepted[i], buffer[i], 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov[i]) &&
               WSAGetLastError() == ERROR_IO_PENDING,
           "error %d\n", WSAGetLastError());
    }
    for (i = 0; i < COUNT; i++) {
        char byte = (char)('0' + i);

        client[i] = connected(&address, length);
        net_send_all(client[i], &byte, 1);
    }
    for (i = 0, k = 0; i < COUNT; i++) {
        char byte = 0;

        ok(WSAGetOverlappedResult(l, &ov[i], &bytes, TRUE, &flags), "%d: error %d\n", i,
           WSAGetLastError());
        ok(recv(accepted[i], &byte, 1, 0) == 1, "%d: error %d\n", i, WSAGetLastError());
        if (byte >= '0' && byte < '0' + COUNT)
            k |= 1 << (byte - '0');
        CloseHandle(ov[i].hEvent);
    }
    ok(k == (1 << COUNT) - 1, "connections lost or doubled: %x\n", k);
    for (i = 0; i < COUNT; i++) {
        closesocket(accepted[i]);
        closesocket(client[i]);
    }
    closesocket(l);
}

/* Closing the listener ends what is pending; the accepting socket may be used again. */
static void test_close(void)
{
    struct sockaddr_storage address;
    char buffer[2 * ADDRESS_ROOM];
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), accepted, client;
    OVERLAPPED ov = {0};
    DWORD bytes, flags;

    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    accepted = socket(AF_INET, SOCK_STREAM, 0);
    ok(!accept_ex(l, accepted, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov) &&
           WSAGetLastError() == ERROR_IO_PENDING,
       "error %d\n", WSAGetLastError());
    ok_success(closesocket(l));
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    ok((LONG)ov.Internal < 0, "got status %lx\n", (DWORD)ov.Internal);

    l = net_listener(AF_INET, &address, &length);
    ResetEvent(ov.hEvent);
    ok(!accept_ex(l, accepted, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov) &&
           WSAGetLastError() == ERROR_IO_PENDING,
       "error %d\n", WSAGetLastError());
    client = connected(&address, length);
    ok(WSAGetOverlappedResult(l, &ov, &bytes, TRUE, &flags), "error %d\n", WSAGetLastError());
    check_accepted(l, accepted, client);
    closesocket(accepted);
    closesocket(client);
    closesocket(l);
    CloseHandle(ov.hEvent);
}

/* AcceptEx: sAcceptSocket "must not be bound or connected"; sListenSocket must listen. */
static void test_errors(void)
{
    struct sockaddr_storage address, other;
    static char buffer[2 * ADDRESS_ROOM]; /* static: a wrong answer may leave them in use */
    int length, other_length;
    SOCKET l = net_listener(AF_INET, &address, &length), s;
    static OVERLAPPED ov;
    DWORD bytes;

    WSASetLastError(0);
    ok(!accept_ex(INVALID_SOCKET, l, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov) &&
           WSAGetLastError() == WSAENOTSOCK,
       "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!accept_ex(l, INVALID_SOCKET, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov), "ok\n");
    s = net_bound(AF_INET, SOCK_STREAM, &other, &other_length);
    WSASetLastError(0);
    todo_wine ok(!accept_ex(l, s, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov) &&
                     WSAGetLastError() == WSAEINVAL,
                 "bound: error %d\n", WSAGetLastError());
    closesocket(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    WSASetLastError(0);
    todo_wine ok(!accept_ex(s, l, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov) &&
                     WSAGetLastError() == WSAEINVAL,
                 "not listening: error %d\n", WSAGetLastError());
    /* "lpOutputBuffer ... This parameter must be specified" */
    WSASetLastError(0);
    todo_wine ok(!accept_ex(l, s, NULL, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov) &&
                     WSAGetLastError() == WSAEFAULT,
                 "no buffer: error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!accept_ex(l, s, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, NULL) &&
           WSAGetLastError() == ERROR_INVALID_PARAMETER,
       "no overlapped: error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(l);
}

static int CALLBACK say_defer(LPWSABUF caller, LPWSABUF caller_data, LPQOS quality, LPQOS group,
                              LPWSABUF callee, LPWSABUF callee_data, GROUP *g, DWORD_PTR context)
{
    (void)caller, (void)caller_data, (void)quality, (void)group;
    (void)callee, (void)callee_data, (void)g, (void)context;
    return CF_DEFER;
}

/* AcceptEx gets a connection that a condition function has deferred, but by completion, and accept
 * the next one (Wine's test_accept, run on Windows; when the first is complete it does not ask
 * before the second is accepted, and neither is the built-in). */
static void test_deferred(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), client = connected(&address, length);
    SOCKET accepted = socket(AF_INET, SOCK_STREAM, 0), second, other;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char room[2 * ADDRESS_ROOM];
    DWORD bytes;

    ok(net_readable(l, NET_PATIENCE), "no connection\n");
    ok_error(WSAAccept(l, NULL, NULL, say_defer, 0), WSATRY_AGAIN);
    WSASetLastError(0);
    ok(!accept_ex(l, accepted, room, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &overlapped) &&
           WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
    second = connected(&address, length);
    other = accept(l, NULL, NULL);
    ok(other != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "not accepted\n");
    check_accepted(l, accepted, client);
    CloseHandle(overlapped.hEvent);
    closesocket(other);
    closesocket(second);
    closesocket(accepted);
    closesocket(client);
    closesocket(l);
}

START_TEST(acceptex)
{
    net_start();
    load();
    RUN(test_event, AF_INET);
    RUN(test_event, AF_INET6);
    RUN(test_data);
    RUN(test_several);
    RUN(test_close);
    RUN(test_errors);
    RUN(test_deferred);
    WSACleanup();
}
