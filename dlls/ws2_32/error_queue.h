/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IP_RECVERR: ICMP messages about datagrams that were sent.  See error_queue.c.
 */
#ifndef RINGSOCK_ERROR_QUEUE_H
#define RINGSOCK_ERROR_QUEUE_H

#include "socket.h"

#ifndef MSG_ERRQUEUE /* not in every mingw-w64's headers */
#define MSG_ERRQUEUE 0x1000
#endif

/* One has come; `data` is what it quotes of the datagram.  This and the others: caller holds the
 * socket's lock. */
void error_queue_arrived(struct socket *socket, const struct rs_icmp_message *icmp,
                         const uint8_t *data, uint32_t length);
/* Completes a receive with MSG_ERRQUEUE: WSAEWOULDBLOCK if there is none. */
void error_queue_take(struct socket *socket, struct operation *operation);
void error_queue_clear(struct socket *socket);

#endif
