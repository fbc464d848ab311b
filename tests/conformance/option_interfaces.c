/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IP_IFLIST and the options that change it; UDP_NOCHECKSUM, TCP_BSDURGENT.
 * Sources: "IPPROTO_IP", "IPPROTO_UDP" and "IPPROTO_TCP Socket Options".
 */
#include "net.h"

enum { IFLIST = 28, ADD_IFLIST, DEL_IFLIST, GET_IFLIST = 33 };
enum { NOCHECKSUM = 1 };
#define LOOPBACK_INTERFACE 1 /* everywhere */
#define ANOTHER_INTERFACE  777

static int set(SOCKET s, int level, int option, DWORD value)
{
    return setsockopt(s, level, option, (char *)&value, sizeof(value));
}

static DWORD get(SOCKET s, int level, int option)
{
    DWORD value = 0xdead;
    int size = sizeof(value);

    return getsockopt(s, level, option, (char *)&value, &size) ? 0xbad : value;
}

/* "When this option is set to true, Datagram reception is restricted to interfaces that are in the
 * IFLIST. Datagrams received on any other interfaces are ignored. IFLIST starts empty." */
static void test_list(int family)
{
    int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, length, size;
    struct sockaddr_storage address[2];
    DWORD list[4] = {0};
    char byte = 0;
    SOCKET s[2];

    winetest_push_context("family %d", family);
    net_udp_pair(family, s, address, &length);
    size = sizeof(list);
    todo_wine ok_error(getsockopt(s[1], level, GET_IFLIST, (char *)list, &size), WSAEINVAL);
    if (set(s[1], level, IFLIST, 1)) {
        todo_wine ok(0, "no IP_IFLIST, error %d\n", WSAGetLastError());
        closesocket(s[0]);
        closesocket(s[1]);
        winetest_pop_context();
        return;
    }
    ok(get(s[1], level, IFLIST) == 1, "not enabled\n");
    size = sizeof(list);
    ok_success(getsockopt(s[1], level, GET_IFLIST, (char *)list, &size));
    ok(!size, "%d bytes\n", size);
    ok(sendto(s[0], "a", 1, 0, (struct sockaddr *)&address[1], length) == 1, "error %d\n",
       WSAGetLastError());
    ok(!net_readable(s[1], 200), "received from an interface that is not in the list\n");
    ok_success(set(s[1], level, ADD_IFLIST, ANOTHER_INTERFACE));
    ok_success(set(s[1], level, ADD_IFLIST, LOOPBACK_INTERFACE));
    ok_success(set(s[1], level, ADD_IFLIST, LOOPBACK_INTERFACE));
    size = sizeof(list);
    ok_success(getsockopt(s[1], level, GET_IFLIST, (char *)list, &size));
    ok(size == 8 && list[0] == ANOTHER_INTERFACE && list[1] == LOOPBACK_INTERFACE,
       "%d bytes: %lu, %lu\n", size, list[0], list[1]);
    size = 4;
    ok_error(getsockopt(s[1], level, GET_IFLIST, (char *)list, &size), WSAEFAULT);
    sendto(s[0], "b", 1, 0, (struct sockaddr *)&address[1], length);
    ok(net_readable(s[1], NET_PATIENCE), "nothing came\n");
    ok(recv(s[1], &byte, 1, 0) == 1 && byte == 'b', "got '%c'\n", byte);
    ok_success(set(s[1], level, DEL_IFLIST, LOOPBACK_INTERFACE));
    sendto(s[0], "c", 1, 0, (struct sockaddr *)&address[1], length);
    ok(!net_readable(s[1], 200), "received from an interface that was removed\n");
    ok_success(set(s[1], level, IFLIST, 0));
    sendto(s[0], "d", 1, 0, (struct sockaddr *)&address[1], length);
    ok(net_readable(s[1], NET_PATIENCE), "nothing came\n");
    ok(recv(s[1], &byte, 1, 0) == 1 && byte == 'd', "got '%c'\n", byte);
    closesocket(s[0]);
    closesocket(s[1]);
    winetest_pop_context();
}

/* "When TRUE, UDP datagrams are sent with the checksum of zero. ... This option is not supported
 * for IPv6." */
static void test_no_checksum(void)
{
    struct sockaddr_storage address[2];
    SOCKET s[2], v6 = socket(AF_INET6, SOCK_DGRAM, 0);
    int length;
    char byte;

    net_udp_pair(AF_INET, s, address, &length);
    todo_wine ok(!get(s[0], IPPROTO_UDP, NOCHECKSUM), "not 0 at first\n");
    todo_wine ok_success(set(s[0], IPPROTO_UDP, NOCHECKSUM, 1));
    todo_wine ok(get(s[0], IPPROTO_UDP, NOCHECKSUM) == 1, "not set\n");
    sendto(s[0], "x", 1, 0, (struct sockaddr *)&address[1], length);
    ok(net_readable(s[1], NET_PATIENCE) && recv(s[1], &byte, 1, 0) == 1, "nothing came\n");
    ok(set(v6, IPPROTO_UDP, NOCHECKSUM, 1) == SOCKET_ERROR, "set for IPv6\n");
    closesocket(s[0]);
    closesocket(s[1]);
    closesocket(v6);
}

/* TCP_BSDURGENT: "enabled (set to TRUE) by default"; "Once this option is set on, this option
 * cannot be turned off." */
static void test_urgent(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    todo_wine ok(get(s, IPPROTO_TCP, TCP_BSDURGENT) == 1, "not enabled\n");
    todo_wine ok_success(set(s, IPPROTO_TCP, TCP_BSDURGENT, 1));
    ok(set(s, IPPROTO_TCP, TCP_BSDURGENT, 0) == SOCKET_ERROR, "turned off\n");
    closesocket(s);
}

START_TEST(option_interfaces)
{
    net_start();
    RUN(test_list, AF_INET);
    RUN(test_list, AF_INET6);
    RUN(test_no_checksum);
    RUN(test_urgent);
    WSACleanup();
}
