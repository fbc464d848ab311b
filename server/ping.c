/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Raw ICMP sockets of who has no right to raw ones: Linux's datagram sockets for echo requests,
 * which net.ipv4.ping_group_range allows (icmp(7)), made to look as raw sockets do.
 *
 * Owns: socket.ping and ping_id.  Loop thread only, no locks.
 *
 * Such a socket sends echo requests and gets their replies alone.  Linux puts a number of its own
 * in place of the identifier, and no IPv4 header in front: both are made good here.
 */
#include <errno.h>
#include <string.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "socket.h"

#define IDENTIFIER_AT 4u
#define CHECKSUM_AT   2u
#define ECHO_SIZE     8u /* type, code, checksum, identifier, sequence number */

bool ping_can_do(int family, int protocol)
{
    return protocol == (family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

int ping_open(int family)
{
    int protocol = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

    if (fd < 0 && errno == EACCES) /* neither the one nor the other */
        errno = EPERM;
    return fd;
}

uint32_t ping_adopt(struct socket *socket)
{
    int type = 0;
    socklen_t size = sizeof(type);

    if (getsockopt(socket->watch.fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_DGRAM)
        return 0;
    socket->ping = true;
    /* what the header is made of */
    return control_enable(socket, RS_CONTROL_PACKET | RS_CONTROL_TTL | RS_CONTROL_TOS);
}

void ping_sends(struct socket *socket, const uint8_t *payload, uint32_t length)
{
    if (length >= ECHO_SIZE)
        memcpy(socket->ping_id, payload + IDENTIFIER_AT, sizeof(socket->ping_id));
}

static uint32_t add(uint32_t sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return sum;
}

static void store_checksum(uint8_t *to, uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    sum = ~(sum + (sum >> 16));
    to[0] = (uint8_t)(sum >> 8);
    to[1] = (uint8_t)sum;
}

/* The identifier that the program has sent, and the checksum that it makes (RFC 1624). */
static void restore_identifier(const struct socket *socket, uint8_t *message)
{
    uint8_t reply = socket->family == RS_AF_INET6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY, old[4];
    uint32_t sum;

    if (message[0] != reply)
        return;
    memcpy(old, message + CHECKSUM_AT, sizeof(old)); /* checksum and identifier */
    for (size_t i = 0; i < sizeof(old); i++)
        old[i] = (uint8_t)~old[i];
    sum = add(add(0, old, sizeof(old)), socket->ping_id, sizeof(socket->ping_id));
    memcpy(message + IDENTIFIER_AT, socket->ping_id, sizeof(socket->ping_id));
    store_checksum(message + CHECKSUM_AT, sum);
}

/* "an application receives the IP header at the front of each received datagram" ("TCP/IP Raw
 * Sockets"). */
static void make_header(uint8_t *to, size_t size, const union address *source,
                        const struct rs_control *control)
{
    struct iphdr header = {.version = 4,
                           .ihl = sizeof(header) / 4,
                           .tos = control->tos,
                           .tot_len = htons((uint16_t)(sizeof(header) + size)),
                           .ttl = control->ttl,
                           .protocol = IPPROTO_ICMP,
                           .saddr = source->v4.sin_addr.s_addr};

    memcpy(&header.daddr, control->address, sizeof(header.daddr));
    memcpy(to, &header, sizeof(header));
    store_checksum(to + offsetof(struct iphdr, check), add(0, to, sizeof(header)));
}

ssize_t ping_receive(struct socket *socket, uint8_t *bytes, size_t size, union address *source,
                     socklen_t *source_size, struct rs_control *control)
{
    size_t front = socket->family == RS_AF_INET6 ? 0 : sizeof(struct iphdr);
    ssize_t count =
        control_receive(socket, bytes + front, size - front, source, source_size, control);

    if (count < 0)
        return count;
    if ((size_t)count >= ECHO_SIZE)
        restore_identifier(socket, bytes + front);
    if (front)
        make_header(bytes, (size_t)count, source, control);
    return count + (ssize_t)front;
}
