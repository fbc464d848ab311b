/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams that the server has made in advance (docs/protocol.md, STOCK): taking one saves the round
 * trip of RS_SUB_SOCKET.  At most one of each IP family lies in session.stock.  No locks.
 */
#ifndef RINGSOCK_STOCK_H
#define RINGSOCK_STOCK_H

#include "session.h"

/* RS_COMP_STOCK came. */
void stock_arrived(struct session *session, uint32_t index, const struct rs_stock *stock);
/* Takes the one of that family (enum rs_family); the caller owns the index then, as of the answer to
 * RS_SUB_SOCKET.  false: there is none. */
bool stock_take(struct session *session, uint32_t family, uint32_t *index, uint32_t *anchor);
/* Lets go of what lies there: somebody needs the room. */
void stock_clear(struct session *session);

#endif
