/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SO_REUSE_MULTICASTPORT: a datagram socket that gets multicast only.
 *
 * Owns: socket.multicast_port, which bind.c asks.  Loop thread only, no locks.
 *
 * "the socket will never be used to receive unicast packets, and consequently ... its port can be
 * shared with other multicast-only applications" (Microsoft, "SOL_SOCKET Socket Options").
 */
#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "error.h"
#include "socket.h"

#define NETWORK_HEADER ((uint32_t)SKF_NET_OFF)

/* What of a datagram is taken: all if it went to a group, else nothing.  An IPv6 socket gets both
 * kinds of header. */
static int drop_unicast(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NETWORK_HEADER), /* the version */
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NETWORK_HEADER + 16), /* IPv4: the destination */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xe0, 2, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NETWORK_HEADER + 24), /* IPv6: the destination */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xff, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int take_all(int fd)
{
    int unused = 0;

    return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
}

uint32_t multicast_port_set(struct socket *socket, bool on)
{
    int fd = socket->watch.fd;

    if (socket->type != RS_DGRAM)
        return WSAENOPROTOOPT;
    if (on == socket->multicast_port)
        return 0;
    if (on ? drop_unicast(fd) : take_all(fd))
        return error_from_errno(errno);
    socket->multicast_port = on;
    socket->flows_barred = true; /* the kernel has the filter */
    return 0;
}
