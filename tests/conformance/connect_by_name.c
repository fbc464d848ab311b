/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAConnectByNameA/W and WSAConnectByList.
 * Sources: the pages of those functions.
 */
#include "net.h"

typedef BOOL(WINAPI *by_list_fn)(SOCKET, PSOCKET_ADDRESS_LIST, LPDWORD, LPSOCKADDR, LPDWORD,
                                 LPSOCKADDR, const struct timeval *, LPWSAOVERLAPPED);

static void port_text(const struct sockaddr_storage *address, char *text, WCHAR *wide)
{
    sprintf(text, "%u", ntohs(((const struct sockaddr_in *)address)->sin_port));
    MultiByteToWideChar(CP_ACP, 0, text, -1, wide, 16);
}

/* That bytes go through the new connection, from client to server. */
static void check_connected(SOCKET client, SOCKET listener)
{
    SOCKET server = accept(listener, NULL, NULL);
    char byte = 0;

    ok(server != INVALID_SOCKET, "accept error %d\n", WSAGetLastError());
    ok(send(client, "x", 1, 0) == 1, "send error %d\n", WSAGetLastError());
    ok(recv(server, &byte, 1, 0) == 1 && byte == 'x', "recv error %d\n", WSAGetLastError());
    closesocket(server);
}

/* "If the LocalAddress parameter is NULL, the LocalAddress is not returned"; the lengths are "on
 * output, the number of bytes copied". */
static void test_by_name(void)
{
    struct sockaddr_storage address;
    struct sockaddr_in local, remote;
    DWORD local_size = sizeof(local), remote_size = sizeof(remote);
    struct timeval patience = {5, 0};
    char port[16];
    WCHAR wide_port[16];
    int length;
    BOOL connected;
    SOCKET listener = net_listener(AF_INET, &address, &length), s;

    port_text(&address, port, wide_port);
    s = socket(AF_INET, SOCK_STREAM, 0);
    connected = WSAConnectByNameA(s, (char *)"localhost", port, &local_size, (SOCKADDR *)&local,
                                  &remote_size, (SOCKADDR *)&remote, NULL, NULL);
    ok(connected, "error %d\n", WSAGetLastError());
    if (connected) {
        ok(local_size == sizeof(local) && remote_size == sizeof(remote), "sizes %lu, %lu\n",
           local_size, remote_size);
        ok(!memcmp(&remote, &address, 8), "another peer\n");
        /* without its port (Wine's test_WSAConnectByName, run on Windows) */
        ok(local.sin_family == AF_INET && local.sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
               !local.sin_port,
           "local address\n");
        check_connected(s, listener);
    }
    closesocket(s);

    s = socket(AF_INET, SOCK_STREAM, 0);
    connected = WSAConnectByNameW(s, (WCHAR *)L"127.0.0.1", wide_port, NULL, NULL, NULL, NULL,
                                  &patience, NULL);
    ok(connected, "error %d\n", WSAGetLastError());
    if (connected)
        check_connected(s, listener);
    closesocket(s);
    closesocket(listener);

    /* "An error is returned ... if the nodename or servicename parameter is NULL": WSAEINVAL */
    s = socket(AF_INET, SOCK_STREAM, 0);
    WSASetLastError(0);
    ok(!WSAConnectByNameA(s, NULL, port, NULL, NULL, NULL, NULL, NULL, NULL), "connected\n");
    ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!WSAConnectByNameA(s, (char *)"127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL),
       "connected to nobody\n");
    ok(WSAGetLastError() == WSAECONNREFUSED, "error %d\n", WSAGetLastError());
    closesocket(s);
    WSASetLastError(0);
    ok(!WSAConnectByNameA(s, (char *)"127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL),
       "connected a closed socket\n");
    ok(WSAGetLastError() == WSAENOTSOCK, "error %d\n", WSAGetLastError());
}

/* "one out of a collection of possible endpoints"; an IPv6 socket with IPV6_V6ONLY off takes both
 * families, IPv4 as mapped addresses. */
static void test_by_list(void)
{
    by_list_fn by_list =
        (by_list_fn)(void *)GetProcAddress(GetModuleHandleA("ws2_32"), "WSAConnectByList");
    struct {
        INT count;
        SOCKET_ADDRESS entry[2];
    } list;
    struct sockaddr_storage good, nobody;
    struct timeval patience = {5, 0};
    int length, off = 0;
    SOCKET listener, s;
    BOOL connected;

    if (!by_list) {
        skip("WSAConnectByList is not there\n");
        return;
    }
    listener = net_listener(AF_INET, &good, &length);
    net_nobody(AF_INET, &nobody);
    list.count = 2;
    list.entry[0].lpSockaddr = (SOCKADDR *)&nobody;
    list.entry[1].lpSockaddr = (SOCKADDR *)&good;
    list.entry[0].iSockaddrLength = list.entry[1].iSockaddrLength = length;

    s = socket(AF_INET6, SOCK_STREAM, 0);
    ok_success(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof(off)));
    connected = by_list(s, (PSOCKET_ADDRESS_LIST)&list, NULL, NULL, NULL, NULL, &patience, NULL);
    ok(connected, "error %d\n", WSAGetLastError());
    if (connected)
        check_connected(s, listener);
    closesocket(s);
    closesocket(listener);
}

/* One address, ready for WSAConnectByList; NULL where that function is not there. */
struct one_address {
    INT count;
    SOCKET_ADDRESS entry[1];
};

static by_list_fn by_list_of(struct one_address *list, struct sockaddr_storage *address, int length)
{
    by_list_fn by_list =
        (by_list_fn)(void *)GetProcAddress(GetModuleHandleA("ws2_32"), "WSAConnectByList");

    list->count = 1;
    list->entry[0].lpSockaddr = (SOCKADDR *)address;
    list->entry[0].iSockaddrLength = length;
    if (!by_list)
        skip("WSAConnectByList is not there\n");
    return by_list;
}

/* "The function does not support overlapped I/O or non-blocking behavior.  WSAConnectByList will
 * block even if the socket is in non-blocking mode." */
static void test_list_blocks(void)
{
    struct sockaddr_storage address;
    struct one_address list;
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), s;
    by_list_fn by_list = by_list_of(&list, &address, length);

    if (by_list) {
        s = socket(AF_INET, SOCK_STREAM, 0);
        net_nonblocking(s, 1);
        ok(by_list(s, (void *)&list, NULL, NULL, NULL, NULL, NULL, NULL), "error %d\n",
           WSAGetLastError());
        ok_error(recv(s, (char *)&length, 1, 0), WSAEWOULDBLOCK); /* and it is as before */
        net_nonblocking(s, 0);
        check_connected(s, listener);
        closesocket(s);
    }
    closesocket(listener);
}

/* The same of WSAConnectByName's page. */
static void test_name_blocks(void)
{
    struct sockaddr_storage address;
    char port[16];
    WCHAR wide[16];
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    port_text(&address, port, wide);
    net_nonblocking(s, 1);
    todo_wine ok(
        WSAConnectByNameA(s, (char *)"127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL),
        "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(listener);
}

/* "the WSAConnectByList function requires an unbound socket" */
static void test_list_wants_unbound(void)
{
    struct sockaddr_storage address, own;
    struct one_address list;
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), s;
    by_list_fn by_list = by_list_of(&list, &address, length);

    if (by_list) {
        s = net_bound(AF_INET, SOCK_STREAM, &own, &length);
        WSASetLastError(0);
        ok(!by_list(s, (void *)&list, NULL, NULL, NULL, NULL, NULL, NULL), "connected\n");
        ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
        closesocket(s);
    }
    closesocket(listener);
}

/* "This restriction was removed Windows 10", for WSAConnectByName. */
static void test_name_takes_bound(void)
{
    struct sockaddr_storage address, own, peer;
    char port[16];
    WCHAR wide[16];
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), accepted;
    SOCKET s = net_bound(AF_INET, SOCK_STREAM, &own, &length);

    port_text(&address, port, wide);
    ok(WSAConnectByNameA(s, (char *)"127.0.0.1", port, NULL, NULL, NULL, NULL, NULL, NULL),
       "error %d\n", WSAGetLastError());
    length = sizeof(peer);
    accepted = accept(listener, (SOCKADDR *)&peer, &length);
    ok(!memcmp(&peer, &own, 8), "from another address\n");
    closesocket(accepted);
    closesocket(s);
    closesocket(listener);
}

/* "The Reserved parameter must be NULL", else WSAEINVAL. */
static void test_reserved(void)
{
    struct sockaddr_storage address;
    struct one_address list;
    OVERLAPPED overlapped = {0};
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    by_list_fn by_list;

    WSASetLastError(0);
    ok(!WSAConnectByNameA(s, (char *)"127.0.0.1", (char *)"9", NULL, NULL, NULL, NULL, NULL,
                          &overlapped),
       "connected\n");
    ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    by_list = by_list_of(&list, &address, length);
    if (by_list) {
        WSASetLastError(0);
        ok(!by_list(s, (void *)&list, NULL, NULL, NULL, NULL, NULL, &overlapped), "connected\n");
        ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    }
    closesocket(s);
    closesocket(listener);
}

/* "It works only for connection-oriented sockets, such as those of type SOCK_STREAM." */
static void test_only_streams(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    WSASetLastError(0);
    ok(!WSAConnectByNameA(s, (char *)"127.0.0.1", (char *)"9", NULL, NULL, NULL, NULL, NULL, NULL),
       "connected\n");
    todo_wine ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    closesocket(s);
}

#define MOST_CLIENTS 32

/* Connects until the listener's backlog takes no more: the last one stays unconnected. */
static int fill_backlog(const struct sockaddr_storage *address, int length, SOCKET *clients)
{
    int count = 0;

    while (count < MOST_CLIENTS) {
        SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

        net_nonblocking(s, 1);
        connect(s, (const struct sockaddr *)address, length);
        clients[count++] = s;
        if (!net_writable(s, 1000))
            break;
    }
    return count;
}

/* "WSAETIMEDOUT: A response from the remote application was not received before the timeout
 * parameter was exceeded." */
static void test_timeout(void)
{
    struct sockaddr_storage address;
    struct timeval half = {0, 500000};
    struct one_address list;
    SOCKET clients[MOST_CLIENTS], listener, s;
    int length, count;
    by_list_fn by_list;
    DWORD start;

    if (on_builtin()) {
        skip("the built-in has no time limit\n");
        return;
    }
    listener = net_bound(AF_INET, SOCK_STREAM, &address, &length);
    ok_success(listen(listener, 1));
    count = fill_backlog(&address, length, clients);
    ok(count < MOST_CLIENTS, "the backlog has no end\n");
    by_list = by_list_of(&list, &address, length);
    s = socket(AF_INET, SOCK_STREAM, 0);
    start = GetTickCount();
    WSASetLastError(0);
    ok(!by_list(s, (void *)&list, NULL, NULL, NULL, NULL, &half, NULL), "connected\n");
    ok(WSAGetLastError() == WSAETIMEDOUT, "error %d\n", WSAGetLastError());
    ok(GetTickCount() - start >= 450, "after %lu ms\n", GetTickCount() - start);
    closesocket(s);
    while (count--)
        closesocket(clients[count]);
    closesocket(listener);
}

/* The names are looked at before the socket (Wine's test_WSAConnectByName, run on Windows). */
static void test_arguments_first(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    closesocket(s);
    WSASetLastError(0);
    ok(!WSAConnectByNameA(s, (char *)"localhost", NULL, NULL, NULL, NULL, NULL, NULL, NULL) &&
           WSAGetLastError() == WSAEINVAL,
       "error %d\n", WSAGetLastError());
}

START_TEST(connect_by_name)
{
    net_start();
    RUN(test_arguments_first);
    RUN(test_by_name);
    RUN(test_by_list);
    RUN(test_list_blocks);
    RUN(test_name_blocks);
    RUN(test_list_wants_unbound);
    RUN(test_name_takes_bound);
    RUN(test_reserved);
    RUN(test_only_streams);
    RUN(test_timeout);
    WSACleanup();
}
