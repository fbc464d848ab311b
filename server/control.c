/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What belongs to one datagram beside its bytes: Linux's control messages to and from struct
 * rs_control.
 *
 * Owns: which of them the kernel is asked for, and every check of what a process wants sent.  Loop
 * thread only, no locks.
 *
 * An IPv6 socket that takes mapped addresses gets IPv4 datagrams, of which the kernel tells with
 * the messages of IPPROTO_IP (udp(7); net/ipv6/udp.c); so both levels are asked.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "clock.h"
#include "error.h"
#include "socket.h"

/* Room for each message of both levels at once, which is more than ever comes. */
#define CONTROL_ROOM 256u

static bool ask(int fd, int level, int name, bool on)
{
    int value = on;

    return !setsockopt(fd, level, name, &value, sizeof(value));
}

uint32_t control_enable(struct socket *socket, uint32_t wanted)
{
    int fd = socket->watch.fd;
    bool well;

    if (wanted & ~(RS_CONTROL_PACKET | RS_CONTROL_TTL | RS_CONTROL_TOS | RS_CONTROL_TIME))
        return WSAEINVAL;
    wanted |= socket->control;
    well = ask(fd, IPPROTO_IP, IP_PKTINFO, wanted & RS_CONTROL_PACKET) &&
           ask(fd, IPPROTO_IP, IP_RECVTTL, wanted & RS_CONTROL_TTL) &&
           ask(fd, IPPROTO_IP, IP_RECVTOS, wanted & RS_CONTROL_TOS);
    if (well && socket->family == RS_AF_INET6)
        well = ask(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, wanted & RS_CONTROL_PACKET) &&
               ask(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, wanted & RS_CONTROL_TTL) &&
               ask(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, wanted & RS_CONTROL_TOS);
    if (well && wanted & RS_CONTROL_TIME)
        well = ask(fd, SOL_SOCKET, SO_TIMESTAMPNS, true);
    if (!well)
        return error_from_errno(errno);
    socket->control = (uint8_t)wanted;
    return 0;
}

uint32_t control_coalesce(struct socket *socket, bool on)
{
    if (!ask(socket->watch.fd, IPPROTO_UDP, UDP_GRO, on))
        return error_from_errno(errno);
    if (on)
        socket->control |= RS_CONTROL_SEGMENT;
    return 0;
}

/* ---- from the kernel ---- */

/* Linux's spec_dst is the local address: not the destination where that was a broadcast (ip(7)). */
static void take_packet4(struct rs_control *control, const struct in_pktinfo *info)
{
    control->present |= RS_CONTROL_PACKET;
    control->interface_index = (uint32_t)info->ipi_ifindex;
    memcpy(control->address, &info->ipi_addr, sizeof(info->ipi_addr));
    if (IN_MULTICAST(ntohl(info->ipi_addr.s_addr)))
        control->delivery = RS_DELIVERY_MULTICAST;
    else if (info->ipi_addr.s_addr != info->ipi_spec_dst.s_addr)
        control->delivery = RS_DELIVERY_BROADCAST;
}

static void take_packet6(struct rs_control *control, const struct in6_pktinfo *info)
{
    control->present |= RS_CONTROL_PACKET;
    control->interface_index = info->ipi6_ifindex;
    memcpy(control->address, &info->ipi6_addr, sizeof(info->ipi6_addr));
    if (IN6_IS_ADDR_MULTICAST(&info->ipi6_addr))
        control->delivery = RS_DELIVERY_MULTICAST;
}

/* IP_TOS is one byte, the others are an int. */
static uint8_t small_number(const struct cmsghdr *part)
{
    int number = 0;

    if (part->cmsg_len >= CMSG_LEN(sizeof(number)))
        memcpy(&number, CMSG_DATA(part), sizeof(number));
    else if (part->cmsg_len >= CMSG_LEN(1))
        number = *CMSG_DATA(part);
    return (uint8_t)number;
}

static void take_number(struct rs_control *control, const struct cmsghdr *part)
{
    bool v6 = part->cmsg_level == IPPROTO_IPV6;

    if (part->cmsg_type == (v6 ? IPV6_HOPLIMIT : IP_TTL)) {
        control->present |= RS_CONTROL_TTL;
        control->ttl = small_number(part);
    } else if (part->cmsg_type == (v6 ? IPV6_TCLASS : IP_TOS)) {
        control->present |= RS_CONTROL_TOS;
        control->tos = small_number(part);
    }
}

static void take_part(struct rs_control *control, const struct cmsghdr *part)
{
    union {
        struct in_pktinfo v4;
        struct in6_pktinfo v6;
    } info;
    bool v6 = part->cmsg_level == IPPROTO_IPV6;
    size_t size = v6 ? sizeof(info.v6) : sizeof(info.v4);

    if (part->cmsg_type != (v6 ? IPV6_PKTINFO : IP_PKTINFO)) {
        take_number(control, part);
        return;
    }
    if (part->cmsg_len < CMSG_LEN(size))
        return;
    memcpy(&info, CMSG_DATA(part), size);
    if (v6)
        take_packet6(control, &info.v6);
    else
        take_packet4(control, &info.v4);
}

/* How long each is of the datagrams that the kernel has put together; of a single one it says
 * nothing. */
static void take_segment(struct rs_control *control, const struct cmsghdr *part)
{
    int number;

    if (part->cmsg_type != UDP_GRO || part->cmsg_len < CMSG_LEN(sizeof(number)))
        return;
    memcpy(&number, CMSG_DATA(part), sizeof(number));
    if (number <= 0 || number > UINT16_MAX)
        return;
    control->present |= RS_CONTROL_SEGMENT;
    control->segment = (uint16_t)number;
}

static uint64_t wall_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * CLOCK_PER_SECOND + (uint64_t)now.tv_nsec / 100;
}

/* The kernel tells by the wall clock; one that was set since then makes no arrival of the future.
 * What passes between the two readings makes the arrival later, but never earlier than it was. */
static void take_time(struct rs_control *control, const struct cmsghdr *part)
{
    uint64_t wall = wall_clock(), now = clock_now(), age;
    struct timespec stamp;

    if (part->cmsg_type != SCM_TIMESTAMPNS || part->cmsg_len < CMSG_LEN(sizeof(stamp)))
        return;
    memcpy(&stamp, CMSG_DATA(part), sizeof(stamp));
    age = wall - (uint64_t)stamp.tv_sec * CLOCK_PER_SECOND - (uint64_t)stamp.tv_nsec / 100;
    control->present |= RS_CONTROL_TIME;
    control->time = age < now ? now - age : now;
}

static bool is_v4(const union address *address)
{
    return address->any.sa_family == AF_INET ||
           (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr));
}

ssize_t control_receive(struct socket *socket, void *bytes, size_t size, union address *source,
                        socklen_t *source_size, struct rs_control *control)
{
    _Alignas(struct cmsghdr) char room[CONTROL_ROOM];
    struct iovec piece = {bytes, size};
    struct msghdr message = {.msg_name = &source->any,
                             .msg_namelen = *source_size,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = room,
                             .msg_controllen = sizeof(room)};
    ssize_t count = recvmsg(socket->watch.fd, &message, 0);
    int level;

    if (count < 0)
        return count;
    *source_size = message.msg_namelen;
    memset(control, 0, sizeof(*control));
    control->family = is_v4(source) ? RS_AF_INET : RS_AF_INET6;
    level = control->family == RS_AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
        if (part->cmsg_level == level)
            take_part(control, part);
        else if (part->cmsg_level == IPPROTO_UDP)
            take_segment(control, part);
        else if (part->cmsg_level == SOL_SOCKET)
            take_time(control, part);
    return count;
}

/* ---- to the kernel ---- */

uint32_t control_check(const struct rs_control *control, const union address *to)
{
    uint8_t family = is_v4(to) ? RS_AF_INET : RS_AF_INET6;

    if (control->present & ~RS_CONTROL_ALL)
        return WSAEINVAL;
    if (control->present & RS_CONTROL_PACKET &&
        (control->family != family || control->interface_index > INT32_MAX))
        return WSAEINVAL;
    return control->present & RS_CONTROL_TTL && !control->ttl ? WSAEINVAL : 0;
}

static void put(struct msghdr *message, int level, int type, const void *data, size_t size)
{
    struct cmsghdr *part =
        (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);

    part->cmsg_level = level;
    part->cmsg_type = type;
    part->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(part), data, size);
    message->msg_controllen += CMSG_SPACE(size);
}

static void put_packet(struct msghdr *message, const struct rs_control *control, bool v4)
{
    struct in_pktinfo info4 = {.ipi_ifindex = (int)control->interface_index};
    struct in6_pktinfo info6 = {.ipi6_ifindex = control->interface_index};

    memcpy(&info4.ipi_spec_dst, control->address, sizeof(info4.ipi_spec_dst));
    memcpy(&info6.ipi6_addr, control->address, sizeof(info6.ipi6_addr));
    if (v4)
        put(message, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
    else
        put(message, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
}

static int traffic_class(const struct socket *socket, const struct rs_control *control, bool v4)
{
    uint8_t common = control->present & RS_CONTROL_TOS ? control->tos
                     : v4                              ? socket->tos
                                                       : socket->tclass;

    return control->present & RS_CONTROL_ECN ? (common & ~3) | (control->tos & 3) : common;
}

/* Kernels differ in what they say of a source address that is not this host's (6.18: ENETUNREACH);
 * Windows says WSAEINVAL (LizardByte/Sunshine issue 5443). */
static bool is_of_route(int error)
{
    return error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL;
}

static bool is_local(const struct rs_control *control)
{
    struct rs_addr wire = {.family = control->family, .scope_id = control->interface_index};
    union address address;
    socklen_t size;
    bool local;
    int fd;

    memcpy(wire.bytes, control->address, sizeof(wire.bytes));
    size = address_to_host(&wire, &address);
    fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* not known */
    local = !bind(fd, &address.any, size);
    close(fd);
    return local;
}

ssize_t control_send(struct socket *socket, const union address *to, socklen_t to_size,
                     const struct rs_control *control, const void *bytes, size_t size)
{
    _Alignas(struct cmsghdr) char room[CONTROL_ROOM] = {0};
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)&to->any,
                             .msg_namelen = to_size,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = room};
    bool v4 = is_v4(to);
    uint64_t time = 0;
    ssize_t count;
    int number;

    if (control->present & RS_CONTROL_PACKET)
        put_packet(&message, control, v4);
    if (control->present & RS_CONTROL_TTL) {
        number = control->ttl;
        put(&message, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT, &number,
            sizeof(number));
    }
    if (control->present & (RS_CONTROL_TOS | RS_CONTROL_ECN)) {
        number = traffic_class(socket, control, v4);
        put(&message, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &number,
            sizeof(number));
    }
    if (control->present & RS_CONTROL_SEGMENT)
        put(&message, IPPROTO_UDP, UDP_SEGMENT, &control->segment, sizeof(control->segment));
    if (control->present & RS_CONTROL_STAMP)
        time = clock_now(); /* before: over the loopback it arrives within the call */
    count = sendmsg(socket->watch.fd, &message, MSG_NOSIGNAL);
    if (count >= 0 && time)
        sent_times_add(socket, control->stamp, time);
    if (count < 0 && control->present & RS_CONTROL_PACKET && is_of_route(errno) &&
        !is_local(control))
        errno = EINVAL;
    return count;
}
