/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What arrives from the server, applied to sockets and operations.
 */
#ifndef RINGSOCK_INBOUND_H
#define RINGSOCK_INBOUND_H

#include "session.h"

/* One record; `body` is what follows the header, in the ring.  Caller holds the reap lock. */
void inbound_record(struct session *session, const struct rs_record *header, const uint8_t *body);

/* Every socket of the session is dead, every operation ends with WSAENETDOWN. */
void inbound_session_dead(struct session *session);

#endif
