/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FD_WRITE of WSAEventSelect and WSAAsyncSelect: once for a connection, however it is made, and then
 * only after a send that failed with WSAEWOULDBLOCK.
 * Sources: WSAAsyncSelect's page, and in the same words WSAEventSelect's: "An FD_WRITE network event is recorded when a socket is first
 * connected with a call to the connect, ConnectEx, WSAConnect, WSAConnectByList, or
 * WSAConnectByName function or when a socket is accepted with accept, AcceptEx, or WSAAccept
 * function and then after a send fails with WSAEWOULDBLOCK and buffer space becomes available."
 */
#include "network_events.h"

typedef BOOL(WINAPI *by_list_fn)(SOCKET, PSOCKET_ADDRESS_LIST, LPDWORD, LPSOCKADDR, LPDWORD,
                                 LPSOCKADDR, const struct timeval *, LPWSAOVERLAPPED);

#define CHOSEN (FD_READ | FD_WRITE | FD_OOB | FD_CLOSE)

/* ---- the first ---- */

static void by_connect(SOCKET s, const struct sockaddr *address, int length)
{
    ok_success(connect(s, address, length));
}

static void by_WSAConnect(SOCKET s, const struct sockaddr *address, int length)
{
    ok_success(WSAConnect(s, address, length, NULL, NULL, NULL, NULL));
}

static void by_ConnectEx(SOCKET s, const struct sockaddr *address, int length)
{
    GUID guid = WSAID_CONNECTEX;
    LPFN_CONNECTEX connect_ex = NULL;
    struct sockaddr_in any = {.sin_family = AF_INET};
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD bytes, flags;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &connect_ex,
                        sizeof(connect_ex), &bytes, NULL, NULL));
    ok_success(bind(s, (struct sockaddr *)&any, sizeof(any)));
    ok(connect_ex(s, address, length, NULL, 0, NULL, &overlapped) ||
           WSAGetLastError() == ERROR_IO_PENDING,
       "error %d\n", WSAGetLastError());
    ok(WSAGetOverlappedResult(s, &overlapped, &bytes, TRUE, &flags), "error %d\n",
       WSAGetLastError());
    CloseHandle(overlapped.hEvent);
}

static void by_WSAConnectByName(SOCKET s, const struct sockaddr *address, int length)
{
    char port[16];

    (void)length;
    sprintf(port, "%u", ntohs(((const struct sockaddr_in *)address)->sin_port));
    ok(WSAConnectByNameA(s, (char *)"127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL),
       "error %d\n", WSAGetLastError());
}

static void by_WSAConnectByList(SOCKET s, const struct sockaddr *address, int length)
{
    by_list_fn by_list =
        (by_list_fn)(void *)GetProcAddress(GetModuleHandleA("ws2_32"), "WSAConnectByList");
    SOCKET_ADDRESS_LIST list = {.iAddressCount = 1};

    list.Address[0].lpSockaddr = (struct sockaddr *)address;
    list.Address[0].iSockaddrLength = length;
    ok(by_list(s, &list, NULL, NULL, NULL, NULL, NULL, NULL), "error %d\n", WSAGetLastError());
}

static const struct {
    const char *name;
    void (*connect)(SOCKET s, const struct sockaddr *address, int length);
    SOCKET (*accept)(SOCKET listener);
    BOOL ours_only; /* no Wine has WSAConnectByList */
} ways[] = {
    {"connect, accept", by_connect, accept_by_accept, FALSE},
    {"WSAConnect, WSAAccept", by_WSAConnect, accept_by_WSAAccept, FALSE},
    {"ConnectEx, AcceptEx", by_ConnectEx, accept_by_AcceptEx, FALSE},
    {"WSAConnectByName, accept", by_WSAConnectByName, accept_by_accept, FALSE},
    {"WSAConnectByList, accept", by_WSAConnectByList, accept_by_accept, TRUE},
};

/* Chosen after the connection was made: an event that "has already happened" is told. */
static void test_first(void)
{
    struct sockaddr_storage address;
    SOCKET l, s, a;
    int length;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(ways); i++) {
        if (ways[i].ours_only && on_builtin())
            continue;
        winetest_push_context("%s", ways[i].name);
        l = net_listener(AF_INET, &address, &length);
        s = socket(AF_INET, SOCK_STREAM, 0);
        ways[i].connect(s, (struct sockaddr *)&address, length);
        a = ways[i].accept(l);
        ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        choose(s, CHOSEN);
        ok_told(s, FD_WRITE);
        ok_quiet(s);
        choose(a, CHOSEN);
        ok_told(a, FD_WRITE);
        ok_quiet(a);
        closesocket(s);
        closesocket(a);
        closesocket(l);
        winetest_pop_context();
    }
}

/* Not before there is a connection, nor when it fails. */
static void test_without_connection(void)
{
    struct sockaddr_storage nobody;
    int length = net_nobody(AF_INET, &nobody);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    choose(s, CHOSEN | FD_CONNECT);
    ok_quiet(s);
    todo_wine ok_error(send(s, "x", 1, 0), WSAENOTCONN);
    ok_quiet(s);
    ok_error(connect(s, (struct sockaddr *)&nobody, length), WSAEWOULDBLOCK);
    ok_told(s, FD_CONNECT);
    ok_quiet(s);
    closesocket(s);
}

/* ---- and then: "send, sendto, WSASend, or WSASendTo" ---- */

typedef int (*send_fn)(SOCKET s, char *buffer, int size);

static int by_send(SOCKET s, char *buffer, int size)
{
    return send(s, buffer, size, 0);
}

static int by_sendto(SOCKET s, char *buffer, int size)
{
    return sendto(s, buffer, size, 0, NULL, 0);
}

static int by_WSASend(SOCKET s, char *buffer, int size)
{
    WSABUF buf = {(ULONG)size, buffer};
    DWORD bytes = 0;

    return WSASend(s, &buf, 1, &bytes, 0, NULL, NULL) ? SOCKET_ERROR : (int)bytes;
}

static int by_WSASendTo(SOCKET s, char *buffer, int size)
{
    WSABUF buf = {(ULONG)size, buffer};
    DWORD bytes = 0;

    return WSASendTo(s, &buf, 1, &bytes, 0, NULL, 0, NULL, NULL) ? SOCKET_ERROR : (int)bytes;
}

static const struct {
    const char *name;
    send_fn send;
} sends[] = {
    {"send", by_send}, {"sendto", by_sendto}, {"WSASend", by_WSASend}, {"WSASendTo", by_WSASendTo}};

/* "an application can assume that sends are possible starting from the first FD_WRITE network event
 * setting and lasting until a send returns WSAEWOULDBLOCK. After such a failure the application
 * will find out that sends are again possible when an FD_WRITE network event is recorded": a send
 * that succeeds, of a part or of all that there is room for, has told nothing. */
static void test_after_a_full_buffer(void)
{
    static char block[65536];
    unsigned long long sent, seen;
    SOCKET a, b;
    unsigned i;
    BOOL full;
    int got;

    for (i = 0; i < ARRAYSIZE(sends); i++) {
        winetest_push_context("%s", sends[i].name);
        net_pair(&a, &b);
        choose(a, CHOSEN);
        ok_told(a, FD_WRITE);
        ok(sends[i].send(a, block, 100) == 100, "error %d\n", WSAGetLastError());
        ok_quiet(a);
        sent = 100;
        do { /* what is handed on to the network may make room again, and is then told */
            while ((got = sends[i].send(a, block, sizeof(block))) > 0 && sent < 1u << 30)
                sent += got;
            ok(got < 0 && WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
            full = !told(a, 0, NULL);
        } while (!full && sent < 1u << 30);
        ok(full, "FD_WRITE although full\n");
        for (seen = 0; seen < sent && (got = recv(b, block, sizeof(block), 0)) > 0;)
            seen += got;
        ok(seen == sent, "%llu of %llu bytes\n", seen, sent);
        ok_told(a, FD_WRITE);
        ok_quiet(a);
        ok(sends[i].send(a, block, 100) == 100, "error %d\n", WSAGetLastError());
        ok_quiet(a);
        closesocket(a);
        closesocket(b);
        winetest_pop_context();
    }
}

/* What a nonblocking send of a stream begins it takes whole: several buffers too, and each way. */
static void test_no_short_send(void)
{
    enum { SIZE = 8 << 20, PARTS = 4 };
    char *block = calloc(1, SIZE);
    WSABUF parts[PARTS];
    SOCKET a, b;
    DWORD bytes;
    unsigned i;
    int got, seen;

    for (i = 0; i < ARRAYSIZE(sends); i++) {
        winetest_push_context("%s", sends[i].name);
        net_pair(&a, &b);
        net_nonblocking(a, 1);
        got = sends[i].send(a, block, SIZE);
        todo_wine ok(got == SIZE, "took %d, error %d\n", got, WSAGetLastError());
        closesocket(a);
        for (seen = 0; (got = recv(b, block, SIZE, 0)) > 0;)
            seen += got;
        todo_wine ok(seen == SIZE, "%d bytes, the last result %d\n", seen, got);
        closesocket(b);
        winetest_pop_context();
    }
    net_pair(&a, &b);
    net_nonblocking(a, 1);
    for (i = 0; i < PARTS; i++)
        parts[i] = (WSABUF){SIZE / PARTS, block + i * (SIZE / PARTS)};
    ok_success(WSASend(a, parts, PARTS, &bytes, 0, NULL, NULL));
    todo_wine ok(bytes == SIZE, "took %lu\n", bytes);
    closesocket(a);
    for (seen = 0; (got = recv(b, block, SIZE, 0)) > 0;)
        seen += got;
    todo_wine ok(seen == SIZE, "%d bytes, the last result %d\n", seen, got);
    closesocket(b);
    free(block);
}

static void run_all(void)
{
    RUN(test_first);
    RUN(test_without_connection);
    RUN(test_after_a_full_buffer);
}

START_TEST(event_write)
{
    net_start();
    each_way_to_tell(run_all);
    RUN(test_no_short_send);
    WSACleanup();
}
