/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Raw sockets that receive what passes through an interface (SIO_RCVALL and its like).
 *
 * Owns: socket.capture, a packet socket that stands in for the raw one in everything received while
 * it is on; that one's own queue gets nothing meanwhile.  Loop thread only, no locks.
 *
 * The page of SIO_RCVALL: received are "all IPv4 or IPv6 packets passing through a network
 * interface", since Windows 7 those too that this host sends there; each begins with its header.
 * "Setting this IOCTL requires Administrator privilege": here it is CAP_NET_RAW that decides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "error.h"
#include "interfaces.h"
#include "server.h"
#include "socket.h"

#ifndef PACKET_IGNORE_OUTGOING /* since Linux 4.20 */
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { IPV4_SOURCE = 12, IPV4_HEADER = 20, IPV6_SOURCE = 8, IPV6_HEADER = 40 };

/* ---- which interface ---- */

static bool is_at(const struct rs_interface *interface, const union address *address)
{
    union address own;

    if (address_is_loopback(address) && address->any.sa_family == AF_INET)
        return interface->flags & RS_IF_LOOPBACK; /* its whole network is this host's */
    address_to_host(&interface->address, &own);
    if (own.any.sa_family != address->any.sa_family)
        return false;
    return address->any.sa_family == AF_INET
               ? own.v4.sin_addr.s_addr == address->v4.sin_addr.s_addr
               : IN6_ARE_ADDR_EQUAL(&own.v6.sin6_addr, &address->v6.sin6_addr) &&
                     (!address->v6.sin6_scope_id || address->v6.sin6_scope_id == interface->index);
}

static struct rs_interface find_interface(const union address *address)
{
    struct rs_interface found = {0};
    uint32_t count;
    struct rs_interface *list = interfaces_list(&count);

    for (uint32_t i = 0; list && i < count && !found.index; i++)
        if (is_at(&list[i], address))
            found = list[i];
    free(list);
    return found;
}

/* ---- what of it ---- */

static int attach(int fd, struct sock_filter *code, unsigned short length)
{
    struct sock_fprog program = {.len = length, .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* The kernel shows what is sent only to packet sockets of every protocol (packet(7), ETH_P_ALL). */
#define THE_PROTOCOL (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)

static int filter_family(int fd, uint16_t ethertype)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, THE_PROTOCOL),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ethertype, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };

    return attach(fd, code, sizeof(code) / sizeof(*code));
}

/* What goes to a group, of one protocol or of any, and of that what the raw socket itself would
 * get: a packet's bytes begin with IPv4's header here. */
static int filter_groups(int fd, uint8_t protocol, bool any_protocol, const union address *own)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, THE_PROTOCOL),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 10),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 16), /* destination */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xe0, 0, 2),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol, 4, any_protocol ? 4 : 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(own->v4.sin_addr.s_addr), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };

    return attach(fd, code, sizeof(code) / sizeof(*code));
}

static int filter(int fd, const struct socket *raw, uint32_t what)
{
    switch (what) {
    case RS_CAPTURE_GROUPS:
        return filter_groups(fd, IPPROTO_UDP, true, &raw->bound_to);
    case RS_CAPTURE_IGMP:
        return filter_groups(fd, IPPROTO_IGMP, false, &raw->bound_to);
    default:
        return filter_family(fd, raw->family == RS_AF_INET6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
    }
}

/* The raw socket's own queue: nothing, or as ever. */
static void keep_own(const struct socket *socket, bool on)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    int unused = 0;

    if (on)
        setsockopt(socket->watch.fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
    else
        attach(socket->watch.fd, &nothing, 1);
}

/* What the interface itself is to let in. */
static int widen(int fd, uint32_t index, uint32_t what)
{
    struct packet_mreq request = {.mr_ifindex = (int)index, .mr_type = PACKET_MR_PROMISC};

    if (what == RS_CAPTURE_HOST)
        return 0;
    if (what != RS_CAPTURE_ALL)
        request.mr_type = PACKET_MR_ALLMULTI;
    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request));
}

/* A descriptor, or -errno. */
static int open_packets(const struct socket *raw, uint32_t what,
                        const struct rs_interface *interface)
{
    struct sockaddr_ll place = {.sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_ALL),
                                .sll_ifindex = (int)interface->index};
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, error;

    if (fd < 0)
        return -errno;
    /* over the loopback each is seen twice */
    if (interface->flags & RS_IF_LOOPBACK)
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
    if (filter(fd, raw, what) || widen(fd, interface->index, what) ||
        bind(fd, (struct sockaddr *)&place, sizeof(place))) {
        error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static void capture_ready(struct watch *watch, uint32_t events)
{
    struct socket *socket = container_of(watch, struct socket, capture);

    (void)events;
    socket->readable = true;
    socket_queue_work(socket);
}

void capture_end(struct socket *socket)
{
    if (socket->capture.fd >= 0)
        loop_close(&socket->capture);
    socket->capture.fd = -1;
}

static int watch(struct socket *socket)
{
    return loop_watch(&socket->session->server->loop, &socket->capture, EPOLLIN);
}

bool capture_change_loop(struct socket *socket, struct loop *before)
{
    loop_unwatch(before, &socket->capture);
    return socket->capture.fd < 0 || !watch(socket);
}

static uint32_t begin(struct socket *socket, uint32_t what)
{
    struct rs_interface interface = find_interface(&socket->bound_to);
    int fd, error;

    if (!interface.index)
        return WSAEINVAL; /* "the network interface associated with the socket cannot be found" */
    if ((fd = open_packets(socket, what, &interface)) < 0)
        return error_from_errno(-fd);
    capture_end(socket);
    watch_init(&socket->capture, capture_ready);
    socket->capture.fd = fd;
    if ((error = watch(socket))) {
        capture_end(socket);
        return error_from_errno(-error);
    }
    keep_own(socket, false);
    return 0;
}

uint32_t capture_set(struct socket *socket, uint32_t what)
{
    bool groups = what == RS_CAPTURE_GROUPS || what == RS_CAPTURE_IGMP;

    if (socket->type != RS_RAW || socket->ping)
        return WSAEINVAL;
    if (what == RS_CAPTURE_OFF) {
        capture_end(socket);
        keep_own(socket, true);
        return 0;
    }
    if (what > RS_CAPTURE_IGMP || (groups && socket->family != RS_AF_INET) || !socket->bound ||
        address_is_any(&socket->bound_to))
        return WSAEINVAL;
    return begin(socket, what);
}

ssize_t capture_receive(struct socket *socket, uint8_t *bytes, size_t size, union address *source,
                        struct rs_control *control)
{
    bool v6 = socket->family == RS_AF_INET6;
    struct rs_addr from = {.family = socket->family};
    struct sockaddr_ll place;
    socklen_t place_size;
    ssize_t count;

    do {
        place_size = sizeof(place);
        count =
            recvfrom(socket->capture.fd, bytes, size, 0, (struct sockaddr *)&place, &place_size);
    } while (count >= 0 && count < (v6 ? IPV6_HEADER : IPV4_HEADER));
    if (count < 0)
        return count;
    memcpy(from.bytes, bytes + (v6 ? IPV6_SOURCE : IPV4_SOURCE), v6 ? 16 : 4);
    address_to_host(&from, source);
    memset(control, 0, sizeof(*control));
    control->family = socket->family;
    return count;
}
