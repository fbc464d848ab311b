/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TF_REUSE_SOCKET: sockets of which the connection has ended begin another one.
 * Sources: the pages of DisconnectEx, TransmitFile, AcceptEx and ConnectEx.  No Wine does it.
 */
#include "net.h"

#define ADDRESS_ROOM (sizeof(struct sockaddr_storage) + 16)

static LPFN_CONNECTEX connect_ex;
static LPFN_ACCEPTEX accept_ex;
static LPFN_DISCONNECTEX disconnect_ex;
static LPFN_TRANSMITFILE transmit_file;

static void load_one(SOCKET s, GUID guid, void *function)
{
    DWORD bytes;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), function,
                        sizeof(void *), &bytes, NULL, NULL));
}

static void load(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    load_one(s, (GUID)WSAID_CONNECTEX, &connect_ex);
    load_one(s, (GUID)WSAID_ACCEPTEX, &accept_ex);
    load_one(s, (GUID)WSAID_DISCONNECTEX, &disconnect_ex);
    load_one(s, (GUID)WSAID_TRANSMITFILE, &transmit_file);
    closesocket(s);
}

static void finish(SOCKET s, OVERLAPPED *ov, BOOL result)
{
    DWORD bytes, flags;

    ok(result || WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
    ok(!WaitForSingleObject(ov->hEvent, NET_PATIENCE), "no completion\n");
    ok(WSAGetOverlappedResult(s, ov, &bytes, FALSE, &flags), "error %d\n", WSAGetLastError());
}

static void connect_by_ex(SOCKET s, struct sockaddr_storage *address, int length)
{
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};

    finish(s, &ov, connect_ex(s, (struct sockaddr *)address, length, NULL, 0, NULL, &ov));
    ok_success(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0));
    CloseHandle(ov.hEvent);
}

static void exchange(SOCKET a, SOCKET b, const char *text)
{
    char buffer[32] = {0};
    int length = (int)strlen(text);

    net_send_all(a, text, length);
    ok(net_recv_all(b, buffer, length) == length && !memcmp(buffer, text, length),
       "got '%s', not '%s'\n", buffer, text);
}

static void disconnect(SOCKET s)
{
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};

    finish(s, &ov, disconnect_ex(s, &ov, TF_REUSE_SOCKET, 0));
    CloseHandle(ov.hEvent);
}

static SOCKET bound(int family)
{
    struct sockaddr_storage address;
    int length;

    return net_bound(family, SOCK_STREAM, &address, &length);
}

/* "When the DisconnectEx request completes, the socket handle can be passed to the AcceptEx or
 * ConnectEx function." */
static void test_connect(int family)
{
    struct sockaddr_storage address, name, before, after;
    int length, size = sizeof(before), on = 1;
    SOCKET l = net_listener(family, &address, &length), s = bound(family), peer;

    ok_success(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on)));
    ok_success(getsockname(s, (struct sockaddr *)&before, &size));
    for (int round = 0; round < 3; round++) {
        winetest_push_context("round %d", round);
        connect_by_ex(s, &address, length);
        peer = accept(l, NULL, NULL);
        exchange(s, peer, "there");
        exchange(peer, s, "and back");
        closesocket(peer); /* the passive end has no TIME_WAIT: the address is free */
        disconnect(s);
        size = sizeof(name);
        ok_error(getpeername(s, (struct sockaddr *)&name, &size), WSAENOTCONN);
        ok_error(send(s, "x", 1, 0), WSAENOTCONN);
        winetest_pop_context();
    }
    /* what was set stays, and so does the address */
    on = 0;
    size = sizeof(on);
    ok_success(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&on, &size));
    ok((on & 0xff) == 1, "TCP_NODELAY is %d\n", on);
    size = sizeof(after);
    ok_success(getsockname(s, (struct sockaddr *)&after, &size));
    ok(!memcmp(&before, &after, length), "another address\n");
    closesocket(s);
    closesocket(l);
}

static SOCKET connected(struct sockaddr_storage *address, int length)
{
    SOCKET s = socket(address->ss_family, SOCK_STREAM, 0);

    ok_success(connect(s, (struct sockaddr *)address, length));
    return s;
}

static void accept_by_ex(SOCKET l, SOCKET s, SOCKET *client, struct sockaddr_storage *address,
                         int length)
{
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char buffer[2 * ADDRESS_ROOM];
    BOOL result;
    DWORD bytes;

    result = accept_ex(l, s, buffer, 0, ADDRESS_ROOM, ADDRESS_ROOM, &bytes, &ov);
    *client = connected(address, length);
    WSASetLastError(ERROR_IO_PENDING);
    finish(l, &ov, result);
    ok_success(setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof(l)));
    CloseHandle(ov.hEvent);
}

/* The same of AcceptEx, by either end's wish to part. */
static void test_accept(int family)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(family, &address, &length), s = socket(family, SOCK_STREAM, 0), client;
    char byte;

    for (int round = 0; round < 4; round++) {
        winetest_push_context("round %d", round);
        accept_by_ex(l, s, &client, &address, length);
        exchange(client, s, "there");
        exchange(s, client, "and back");
        if (round & 1) {
            closesocket(client);
            disconnect(s);
        } else {
            OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
            BOOL result = disconnect_ex(s, &ov, TF_REUSE_SOCKET, 0);

            ok(!result && WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
            ok(recv(client, &byte, 1, 0) == 0, "error %d\n", WSAGetLastError());
            ok(WaitForSingleObject(ov.hEvent, 50) == WAIT_TIMEOUT, "before the peer's end\n");
            closesocket(client);
            WSASetLastError(ERROR_IO_PENDING);
            finish(s, &ov, result);
            CloseHandle(ov.hEvent);
        }
        winetest_pop_context();
    }
    closesocket(s);
    closesocket(l);
}

/* What was sent arrives whole; what the peer sends then is nobody's. */
static void test_data(void)
{
    static char data[1 << 20], back[sizeof(data)];
    struct sockaddr_storage address;
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD posted = 0, flags = 0, bytes;
    WSAOVERLAPPED receive = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char room[16];
    WSABUF buffer = {sizeof(room), room}, all = {sizeof(data), data};
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s = bound(AF_INET), peer;
    BOOL result;

    for (unsigned int i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 13 >> 4);
    connect_by_ex(s, &address, length);
    peer = accept(l, NULL, NULL);
    ok_error(WSARecv(s, &buffer, 1, &posted, &flags, &receive, NULL), WSA_IO_PENDING);
    ok_success(WSASend(s, &all, 1, &bytes, 0, NULL, NULL));
    result = disconnect_ex(s, &ov, TF_REUSE_SOCKET, 0);
    ok(!result && WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
    net_send_all(peer, data, 300000);
    ok(net_recv_all(peer, back, sizeof(back)) == sizeof(back) && !memcmp(back, data, sizeof(data)),
       "not all has arrived\n");
    ok(recv(peer, back, 1, 0) == 0, "error %d\n", WSAGetLastError());
    closesocket(peer);
    WSASetLastError(ERROR_IO_PENDING);
    finish(s, &ov, result);
    /* what was posted has ended with the connection */
    ok(!WaitForSingleObject(receive.hEvent, NET_PATIENCE), "the receive still waits\n");
    connect_by_ex(s, &address, length);
    peer = accept(l, NULL, NULL);
    exchange(peer, s, "only this");
    exchange(s, peer, "and that");
    closesocket(peer);
    closesocket(s);
    closesocket(l);
    CloseHandle(ov.hEvent);
    CloseHandle(receive.hEvent);
}

/* The peer resets it: the socket is free all the same. */
static void test_reset(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s = bound(AF_INET), peer;
    char byte;

    connect_by_ex(s, &address, length);
    peer = accept(l, NULL, NULL);
    net_reset(peer);
    ok(recv(s, &byte, 1, 0) == SOCKET_ERROR, "not reset\n");
    disconnect(s);
    connect_by_ex(s, &address, length);
    peer = accept(l, NULL, NULL);
    exchange(s, peer, "again");
    closesocket(peer);
    closesocket(s);
    closesocket(l);
}

/* TransmitFile, TF_REUSE_SOCKET: "Prepare the socket handle to be reused. ... When the TransmitFile
 * request completes, the socket handle can be passed to the function call previously used to
 * establish the connection"; TransmitPackets' page: WSAEINVAL without TF_DISCONNECT. */
static void test_transmit_file(void)
{
    TRANSMIT_FILE_BUFFERS ends = {(char *)"bye", 3, NULL, 0};
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct sockaddr_storage address;
    char text[4] = {0};
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s = socket(AF_INET, SOCK_STREAM, 0);
    SOCKET client;
    BOOL result;

    for (int round = 0; round < 2; round++) {
        accept_by_ex(l, s, &client, &address, length);
        WSASetLastError(0);
        ok(!transmit_file(s, NULL, 0, 0, &ov, &ends, TF_REUSE_SOCKET) &&
               WSAGetLastError() == WSAEINVAL,
           "error %d\n", WSAGetLastError());
        ResetEvent(ov.hEvent);
        result = transmit_file(s, NULL, 0, 0, &ov, &ends, TF_DISCONNECT | TF_REUSE_SOCKET);
        ok(!result && WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
        ok(net_recv_all(client, text, 4) == 3 && !memcmp(text, "bye", 3), "got '%s'\n", text);
        closesocket(client);
        WSASetLastError(ERROR_IO_PENDING);
        finish(s, &ov, result);
    }
    closesocket(s);
    closesocket(l);
    CloseHandle(ov.hEvent);
}

/* WSAENOTCONN "if the socket is not in a connected state"; WSAEINVAL for other flags and the
 * reserved parameter; closing ends what waits. */
static void test_errors(void)
{
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    SOCKET s = bound(AF_INET), a, b;

    ok(!disconnect_ex(s, NULL, TF_REUSE_SOCKET, 0) && WSAGetLastError() == WSAENOTCONN,
       "error %d\n", WSAGetLastError());
    ok(!disconnect_ex(s, NULL, TF_REUSE_SOCKET | TF_DISCONNECT, 0) &&
           WSAGetLastError() == WSAEINVAL,
       "error %d\n", WSAGetLastError());
    ok(!disconnect_ex(s, NULL, TF_REUSE_SOCKET, 1) && WSAGetLastError() == WSAEINVAL, "error %d\n",
       WSAGetLastError());
    closesocket(s);
    net_pair(&a, &b);
    ok(!disconnect_ex(a, &ov, TF_REUSE_SOCKET, 0) && WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
    closesocket(a);
    ok(!WaitForSingleObject(ov.hEvent, NET_PATIENCE), "still waits\n");
    ok((LONG)ov.Internal < 0, "status %lx\n", (ULONG)ov.Internal);
    closesocket(b);
    CloseHandle(ov.hEvent);
}

START_TEST(socket_reuse)
{
    net_start();
    load();
    if (on_builtin()) {
        skip("the built-in does not reuse sockets\n");
        WSACleanup();
        return;
    }
    RUN(test_connect, AF_INET);
    RUN(test_connect, AF_INET6);
    RUN(test_accept, AF_INET);
    RUN(test_accept, AF_INET6);
    RUN(test_data);
    RUN(test_reset);
    RUN(test_transmit_file);
    RUN(test_errors);
    WSACleanup();
}
