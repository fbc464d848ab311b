/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Datagrams between two sockets of this server.  See flow.c.
 */
#ifndef SERVER_FLOW_H
#define SERVER_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct socket;

/* Sends past the kernel; false: the kernel must be asked.  `to` is where the datagram goes. */
bool flow_send(struct socket *socket, const union address *to, const uint8_t *payload,
               uint32_t length);
/* The kernel has taken one. */
void flow_asked_kernel(struct socket *socket, const union address *to);
/* One has come from the kernel. */
void flow_arrived(struct socket *socket, const union address *source);
/* What is known of the socket's ways does not hold any more: it is closed, connected, shared. */
void flow_forget(struct socket *socket);

#endif
