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
        todo_wine ok(local.sin_family == AF_INET &&
                         local.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && local.sin_port,
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

START_TEST(connect_by_name)
{
    net_start();
    RUN(test_by_name);
    RUN(test_by_list);
    WSACleanup();
}
