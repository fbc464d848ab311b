/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Multicast with source filters, both generations, over the loopback interface.
 * Sources: the pages "IPPROTO_IP Socket Options" and "Multicast Programming" (WinSock):
 * IP_ADD_SOURCE_MEMBERSHIP "Join the supplied multicast group on the given interface and accept
 * data sourced from the supplied source address", IP_BLOCK_SOURCE "Removes the given source as a
 * sender to the supplied multicast group and interface", and the MCAST_ forms of them.
 */
#include "multicast.h"

/* As in ws2ipdef.h. */
enum { MCAST_JOIN = 41, MCAST_BLOCK = 43, MCAST_UNBLOCK, MCAST_JOIN_SOURCE, MCAST_LEAVE_SOURCE };
struct source_request {
    IN_ADDR group, source, interface_address;
};
struct group_source_request {
    ULONG interface_index;
    SOCKADDR_STORAGE group, source;
};
struct group_request {
    ULONG interface_index;
    SOCKADDR_STORAGE group;
};

static int change(SOCKET s, int option, ULONG source)
{
    struct source_request request;

    request.group.s_addr = htonl(GROUP);
    request.source.s_addr = htonl(source);
    request.interface_address.s_addr = htonl(LOOPBACK);
    return setsockopt(s, IPPROTO_IP, option, (char *)&request, sizeof(request));
}

static void put(SOCKADDR_STORAGE *to, ULONG address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    in.sin_addr.s_addr = htonl(address);
    memset(to, 0, sizeof(*to));
    memcpy(to, &in, sizeof(in));
}

static int change_group(SOCKET s, int option, ULONG source)
{
    struct group_source_request request = {.interface_index = 1}; /* the loopback's, everywhere */

    put(&request.group, GROUP);
    put(&request.source, source);
    return setsockopt(s, IPPROTO_IP, option, (char *)&request, sizeof(request));
}

static void test_join_source(void)
{
    u_short port;
    SOCKET s = receiver(&port);

    todo_wine ok_success(change(s, IP_ADD_SOURCE_MEMBERSHIP, ELSEWHERE));
    ok(!comes(s, port), "from a source that was not joined\n");
    ok_success(change(s, IP_ADD_SOURCE_MEMBERSHIP, LOOPBACK));
    ok(comes(s, port), "nothing came\n");
    ok_success(change(s, IP_DROP_SOURCE_MEMBERSHIP, LOOPBACK));
    ok(!comes(s, port), "from a source that was left\n");
    closesocket(s);
}

static void test_block_source(void)
{
    struct ip_mreq request;
    u_short port;
    SOCKET s = receiver(&port);

    request.imr_multiaddr.s_addr = htonl(GROUP);
    request.imr_interface.s_addr = htonl(LOOPBACK);
    ok_success(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&request, sizeof(request)));
    ok(comes(s, port), "nothing came\n");
    ok_success(change(s, IP_BLOCK_SOURCE, LOOPBACK));
    ok(!comes(s, port), "from a blocked source\n");
    ok_success(change(s, IP_UNBLOCK_SOURCE, LOOPBACK));
    ok(comes(s, port), "nothing came after that\n");
    closesocket(s);
}

/* The same by interface index.  Wine 8.0's built-in lacks these. */
static void test_groups(void)
{
    struct group_request request = {.interface_index = 1};
    BOOL came;
    u_short port;
    SOCKET s = receiver(&port);

    todo_wine ok_success(change_group(s, MCAST_JOIN_SOURCE, LOOPBACK));
    came = comes(s, port);
    todo_wine ok(came, "nothing came\n");
    todo_wine ok_success(change_group(s, MCAST_LEAVE_SOURCE, LOOPBACK));
    ok(!comes(s, port), "from a source that was left\n");
    put(&request.group, GROUP);
    todo_wine
    {
        ok_success(setsockopt(s, IPPROTO_IP, MCAST_JOIN, (char *)&request, sizeof(request)));
        ok_success(change_group(s, MCAST_BLOCK, LOOPBACK));
    }
    ok(!comes(s, port), "from a blocked source\n");
    todo_wine ok_success(change_group(s, MCAST_UNBLOCK, LOOPBACK));
    came = comes(s, port);
    todo_wine ok(came, "nothing came after that\n");
    closesocket(s);
}

/* "WSAEFAULT: ... the optlen parameter is too small". */
static void test_lengths(void)
{
    char value[4] = {0};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    todo_wine ok_error(setsockopt(s, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, value, sizeof(value)),
                       WSAEFAULT);
    closesocket(s);
}

START_TEST(multicast_source)
{
    net_start();
    RUN(test_join_source);
    RUN(test_block_source);
    RUN(test_groups);
    RUN(test_lengths);
    WSACleanup();
}
