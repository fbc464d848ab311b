/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One WSAIoctl call, as its handler sees it.
 */
#ifndef RINGSOCK_IOCTL_H
#define RINGSOCK_IOCTL_H

#include "socket.h"

struct ioctl_call {
    struct socket *socket;
    const void *in;
    DWORD in_size;
    void *out;
    DWORD out_size;
    bool overlapped;
    DWORD bytes;         /* out: what goes to *lpcbBytesReturned */
    bool bytes_on_error; /* out: and even if the call fails */
    /* out, for a call with an OVERLAPPED: */
    bool pends_always;   /* it never completes at once, whatever the result */
    bool leaves_pending; /* refused, it leaves its status behind */
    bool keeps_bytes;    /* without a routine it does not touch *lpcbBytesReturned */
};

/* Copies a value of this size in, or WSAEFAULT. */
DWORD ioctl_take(const struct ioctl_call *call, void *value, DWORD size);
/* Copies a value of this size out, or WSAEFAULT. */
DWORD ioctl_return(struct ioctl_call *call, const void *value, DWORD size);

/* About the host's interfaces (ioctl_interfaces.c); each returns 0 or a WSA error code. */
DWORD ioctl_interface_list(struct ioctl_call *call);
DWORD ioctl_address_list(struct ioctl_call *call);
DWORD ioctl_routing_interface(struct ioctl_call *call);

/* The address that a datagram to there would come from: what a connected UDP socket is bound to. */
DWORD ioctl_source_address(int family, const struct sockaddr_in6 *destination,
                           struct sockaddr_in6 *source);
/* address_sort.c */
DWORD ioctl_sort_addresses(struct ioctl_call *call);

DWORD ioctl_broadcast_address(struct ioctl_call *call);
/* Where SIO_ROUTING_INTERFACE_QUERY and _CHANGE want to go. */
DWORD ioctl_destination(const struct ioctl_call *call);

/* ioctl_send_backlog.c; the second waits, or is completed later (WSA_IO_PENDING). */
DWORD ioctl_send_backlog(struct ioctl_call *call);
DWORD ioctl_send_backlog_change(struct ioctl_call *call, WSAOVERLAPPED *overlapped,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/* Raw sockets (ioctl_raw.c). */
DWORD ioctl_receive_all(struct ioctl_call *call);
DWORD ioctl_receive_groups(struct ioctl_call *call);
DWORD ioctl_receive_igmp(struct ioctl_call *call);

/* About TCP (ioctl_tcp.c). */
DWORD ioctl_tcp_info(struct ioctl_call *call);
DWORD ioctl_initial_rto(struct ioctl_call *call);
DWORD ioctl_compatibility_mode(struct ioctl_call *call);
DWORD ioctl_ack_frequency(struct ioctl_call *call);
DWORD ioctl_priority_hint(struct ioctl_call *call);
DWORD ioctl_initial_window(struct ioctl_call *call);

/* When datagrams came and went (ioctl_timestamping.c). */
DWORD ioctl_timestamping(struct ioctl_call *call);
DWORD ioctl_sent_time(struct ioctl_call *call);

/* Multicast by final state (ioctl_multicast.c). */
DWORD ioctl_multicast_scope(struct ioctl_call *call);
DWORD ioctl_multipoint_loopback(struct ioctl_call *call);
DWORD ioctl_set_ipv4_filter(struct ioctl_call *call);
DWORD ioctl_get_ipv4_filter(struct ioctl_call *call);
DWORD ioctl_set_filter(struct ioctl_call *call);
DWORD ioctl_get_filter(struct ioctl_call *call);

/* Who has which port (ioctl_ports.c). */
DWORD ioctl_acquire_ports(struct ioctl_call *call);
DWORD ioctl_release_ports(struct ioctl_call *call);
DWORD ioctl_associate_ports(struct ioctl_call *call);
DWORD ioctl_cpu_affinity(struct ioctl_call *call);

/* A number that changes with what SIO_ADDRESS_LIST_QUERY lists for the socket. */
DWORD ioctl_addresses_state(struct socket *socket, uint64_t *state);

#endif
