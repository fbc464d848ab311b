/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control data: the messages that WSARecvMsg returns (control_data.c) and WSASendMsg takes
 * (control_parse.c).
 */
#ifndef RINGSOCK_CONTROL_DATA_H
#define RINGSOCK_CONTROL_DATA_H

#include "socket.h"

/* Types of control data: ws2ipdef.h's that not every mingw-w64 has. */
#define TYPE_RECVDSTADDR         25
#define TYPE_TCLASS              39
#define TYPE_ORIGINAL_ARRIVAL_IF 47
#define TYPE_ECN                 50
#define TYPE_PKTINFO_EX          51
#define TYPE_RECVERR             75
#define TYPE_UDP_SEND_MSG_SIZE   2
#define TYPE_UDP_COALESCED_INFO  3
/* mstcpip.h, for newer Windows only */
#define TYPE_TIMESTAMP           0x300a
#define TYPE_TIMESTAMP_ID        0x300b

#define ECN_MASK 3u

/* What an option asks for: bits of socket.control_ip and control_ip6. */
enum {
    WANTED_PKTINFO = 1,
    WANTED_DESTINATION = 2, /* IP_RECVDSTADDR */
    WANTED_INTERFACE = 4,   /* IP_RECVIF */
    WANTED_ARRIVAL = 8,     /* IP_ORIGINAL_ARRIVAL_IF */
    WANTED_TTL = 16,
    WANTED_TOS = 32,
    WANTED_ECN = 64,
    WANTED_PKTINFO_EX = 128,
};

/* The options of one level.  control_want asks the server: no lock. */
uint32_t control_wanted(struct socket *socket, int level);
DWORD control_want(struct socket *socket, int level, uint32_t which, bool on);

/* SO_TIMESTAMP: when each datagram arrived.  Asks the server: no lock. */
DWORD control_want_times(struct socket *socket, bool on);

/* Somebody will call WSARecvMsg, on this socket or another: so datagrams should bring along whether
 * they were broadcast.  No lock. */
void control_expect_messages(struct socket *socket);
/* The same, of this socket. */
void control_ask_packet(struct socket *socket);
/* What a new datagram socket should begin with: RS_CONTROL_*. */
uint32_t control_at_birth(void);

/* A WSARecvMsg gets a datagram: fills in its control data and flags.  `control` may be NULL.
 * Caller holds the socket's lock. */
void control_store(const struct socket *socket, struct operation *operation,
                   const struct rs_control *control);

/* The same of an ICMP message (error_queue.c). */
void control_store_error(struct operation *operation, const struct rs_icmp_message *icmp);

/* The messages of a datagram, as the socket's options want them, and its MSG_* flags.  False: there
 * is no such memory. */
bool control_write(const struct socket *socket, const struct rs_control *control,
                   const WSABUF *room, ULONG *used, DWORD *flags);

/* control_parse.c: what WSASendMsg was given, for a datagram to that address: WSAEINVAL if it makes
 * no sense, WSAEFAULT if it is not there. */
DWORD control_parse(const WSABUF *buffer, int family, const struct rs_addr *to,
                    struct rs_control *control);
/* Whether both come from the same address and interface, in pieces of the same size. */
bool control_same_source(const struct rs_control *first, const struct rs_control *second);

#endif
