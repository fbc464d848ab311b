/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matching what has arrived with what is posted.  All under the socket's lock.
 */
#ifndef RINGSOCK_RECEIVE_H
#define RINGSOCK_RECEIVE_H

#include "socket.h"

/* Copies to where the operation stands, as much as fits; returns how much that was.  Memory that is
 * not there fails the operation. */
uint32_t receive_copy(struct operation *operation, const uint8_t *data, uint32_t length);

/* Completes the operation from what has arrived, from the end of the stream or with the socket's
 * error, if it can: then true, with its result set. */
bool receive_try(struct socket *socket, struct operation *operation);

/* A message for a receive: its bytes and whose they are.  False: there is no such memory. */
bool receive_fill(struct operation *operation, const struct rs_addr *source, const uint8_t *data,
                  uint32_t length);
/* Whether the receive that was given a message takes it away from those behind it. */
bool receive_takes_away(const struct operation *operation);

/* Why this socket cannot receive now, or 0 (recv.c). */
DWORD receive_state(const struct socket *socket);

/* What a receive that can wait no longer ends with, instead of `error`: bytes that a MSG_WAITALL
 * has taken reach the program with success, because no other receive will get them. */
DWORD receive_cut_short(const struct operation *operation, DWORD error);

/* IP_IFLIST keeps a datagram of that interface away (option_interfaces.c). */
bool receive_is_restricted(const struct socket *socket, const struct rs_control *control);

/* Stream bytes / a datagram / the end / an error from the server: fills posted operations in order,
 * appends the finished ones to `finished`, and keeps the rest. */
void receive_stream(struct socket *socket, const uint8_t *data, uint32_t length, bool mark,
                    struct operation_queue *finished);
void receive_datagram(struct socket *socket, const struct rs_addr *source,
                      const struct rs_control *control, const uint8_t *data, uint32_t length,
                      struct operation_queue *finished);
void receive_error(struct socket *socket, DWORD error, struct operation_queue *finished);
void receive_end(struct socket *socket, struct operation_queue *finished);

/* A connection has ended and its socket begins anew: what is posted ends, what waits is dropped. */
void receive_forget(struct socket *socket, struct operation_queue *finished);

/* A datagram socket was connected: what came from others is discarded (WSARecv.txt: "Messages from
 * other addresses are (silently) discarded"). */
void receive_drop_strangers(struct socket *socket);

#endif
