/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IP_PKTINFO_EX and IPV6_PKTINFO_EX: packet information with a scope.  No Wine has them.
 * Source: ws2ipdef.h, IN_PKTINFO_EX and IN6_PKTINFO_EX.  What the scope is nobody says; here it is
 * taken for sin6_scope_id of the address beside it.
 */
#include "control.h"

struct packet4 {
    IN_PKTINFO info;
    ULONG scope_id;
};
struct packet6 {
    IN6_PKTINFO info;
    ULONG scope_id;
};

static BOOL is_there(int family, int level)
{
    SOCKET udp = socket(family, SOCK_DGRAM, 0), tcp = socket(family, SOCK_STREAM, 0);
    DWORD value = 77;
    int size = sizeof(value);
    BOOL there = !getsockopt(udp, level, TYPE_PKTINFO_EX, (char *)&value, &size);

    todo_wine ok(there && !value, "error %d: %lu\n", WSAGetLastError(), value);
    if (there) {
        enable(udp, level, TYPE_PKTINFO_EX, 1);
        ok_success(getsockopt(udp, level, TYPE_PKTINFO_EX, (char *)&value, &size));
        ok(value == 1, "got %lu\n", value);
        enable(udp, level, TYPE_PKTINFO_EX, 0);
        ok_success(getsockopt(udp, level, TYPE_PKTINFO_EX, (char *)&value, &size));
        ok(!value, "got %lu\n", value);
        ok_error(getsockopt(tcp, level, TYPE_PKTINFO_EX, (char *)&value, &size), WSAEINVAL);
    }
    closesocket(udp);
    closesocket(tcp);
    return there;
}

static void check_packet4(struct message *m, ULONG address)
{
    struct packet4 *packet = message_find(m, IPPROTO_IP, TYPE_PKTINFO_EX, sizeof(*packet));

    ok(packet != NULL, "no packet information\n");
    if (!packet)
        return;
    ok(ntohl(packet->info.ipi_addr.s_addr) == address, "address %s\n",
       inet_ntoa(packet->info.ipi_addr));
    ok(packet->info.ipi_ifindex, "no interface\n");
    ok(!packet->scope_id, "scope %lu\n", packet->scope_id);
}

/* `interface_index`: 0, any. */
static void check_packet6(struct message *m, const IN6_ADDR *address, ULONG interface_index,
                          ULONG scope)
{
    struct packet6 *packet = message_find(m, IPPROTO_IPV6, TYPE_PKTINFO_EX, sizeof(*packet));

    ok(packet != NULL, "no packet information\n");
    if (!packet)
        return;
    ok(!memcmp(&packet->info.ipi6_addr, address, sizeof(*address)), "wrong address\n");
    ok(packet->info.ipi6_ifindex &&
           (!interface_index || packet->info.ipi6_ifindex == interface_index),
       "interface %lu, expected %lu\n", (ULONG)packet->info.ipi6_ifindex, interface_index);
    ok(packet->scope_id == scope, "scope %lu, expected %lu\n", packet->scope_id, scope);
}

/* Alone, and beside what it extends. */
static void test_loopback(int family)
{
    struct message *m = message_new(family);
    size_t size = family == AF_INET ? sizeof(IN_PKTINFO) : sizeof(IN6_PKTINFO);

    for (DWORD both = 0; both < 2; both++) {
        enable(m->b, m->level, TYPE_PKTINFO_EX, 1);
        enable(m->b, m->level, IP_PKTINFO, both);
        message_pass(m);
        if (family == AF_INET)
            check_packet4(m, INADDR_LOOPBACK);
        else
            check_packet6(m, &in6addr_loopback, 0, 0);
        ok(!message_find(m, m->level, IP_PKTINFO, size) == !both, "both %lu\n", both);
    }
    enable(m->b, m->level, IP_PKTINFO, 0);
    enable(m->b, m->level, TYPE_PKTINFO_EX, 0);
    message_pass(m);
    ok(!m->msg.Control.len, "turned off: %lu bytes\n", m->msg.Control.len);
    message_free(m);
}

/* The sender's: the source address. */
static void test_source(void)
{
    struct message *m = message_new(AF_INET);
    struct packet4 packet = {.info.ipi_addr.s_addr = htonl(INADDR_LOOPBACK + 5)};
    struct sockaddr_in any = {.sin_family = AF_INET}, *from = (struct sockaddr_in *)&m->name;
    WSACMSGHDR *header = (WSACMSGHDR *)m->control;
    DWORD bytes = 0;

    closesocket(m->a);
    m->a = socket(AF_INET, SOCK_DGRAM, 0);
    ok_success(bind(m->a, (struct sockaddr *)&any, sizeof(any)));
    header->cmsg_len = WSA_CMSG_LEN(sizeof(packet));
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = TYPE_PKTINFO_EX;
    memcpy(WSA_CMSG_DATA(header), &packet, sizeof(packet));
    m->msg.Control.len = WSA_CMSG_SPACE(sizeof(packet));
    m->msg.name = (struct sockaddr *)&m->address[1];
    m->msg.namelen = m->length;
    header->cmsg_len -= sizeof(packet.scope_id);
    ok_error(send_message(m->a, &m->msg, 0, &bytes, NULL, NULL), WSAEINVAL);
    header->cmsg_len += sizeof(packet.scope_id);
    ok_success(send_message(m->a, &m->msg, 0, &bytes, NULL, NULL));
    message_receive(m);
    ok(from->sin_addr.s_addr == packet.info.ipi_addr.s_addr, "from %s\n",
       inet_ntoa(from->sin_addr));
    message_free(m);
}

/* The first link-local address that the host has, or FALSE. */
static BOOL find_link_local(struct sockaddr_in6 *address)
{
    static char room[16384];
    SOCKET_ADDRESS_LIST *list = (SOCKET_ADDRESS_LIST *)room;
    SOCKET s = socket(AF_INET6, SOCK_DGRAM, 0);
    DWORD bytes = 0;

    ok_success(
        WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, sizeof(room), &bytes, NULL, NULL));
    closesocket(s);
    for (int i = 0; i < list->iAddressCount; i++) {
        memcpy(address, list->Address[i].lpSockaddr, sizeof(*address));
        if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr) && address->sin6_scope_id)
            return TRUE;
    }
    return FALSE;
}

/* A link-local address, and a group of that link. */
static void test_link_local(void)
{
    struct message *m = message_new(AF_INET6);
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&m->address[1], own;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    IPV6_MREQ join = {.ipv6mr_multiaddr = {{{0xff, 2, [15] = 0x77}}}};
    int size = sizeof(any);

    if (!find_link_local(&own)) {
        skip("no link-local address\n");
        message_free(m);
        return;
    }
    closesocket(m->a);
    closesocket(m->b);
    m->a = socket(AF_INET6, SOCK_DGRAM, 0);
    m->b = socket(AF_INET6, SOCK_DGRAM, 0);
    ok_success(bind(m->b, (struct sockaddr *)&any, sizeof(any)));
    ok_success(getsockname(m->b, (struct sockaddr *)&any, &size));
    enable(m->b, IPPROTO_IPV6, TYPE_PKTINFO_EX, 1);
    own.sin6_port = any.sin6_port;
    *to = own;
    message_pass(m);
    check_packet6(m, &own.sin6_addr, 0, own.sin6_scope_id);
    join.ipv6mr_interface = own.sin6_scope_id;
    ok_success(setsockopt(m->b, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, (char *)&join, sizeof(join)));
    to->sin6_addr = join.ipv6mr_multiaddr;
    message_pass(m);
    check_packet6(m, &join.ipv6mr_multiaddr, own.sin6_scope_id, own.sin6_scope_id);
    message_free(m);
}

START_TEST(pktinfo_ex)
{
    net_start();
    find_functions();
    if (is_there(AF_INET, IPPROTO_IP) && is_there(AF_INET6, IPPROTO_IPV6)) {
        RUN(test_loopback, AF_INET);
        RUN(test_loopback, AF_INET6);
        RUN(test_source);
        RUN(test_link_local);
    }
    WSACleanup();
}
