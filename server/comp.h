/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling a process something.  See comp.c.
 */
#ifndef SERVER_COMP_H
#define SERVER_COMP_H

#include <stdbool.h>
#include <stdint.h>

#include "ringsock/ring.h"

struct session;

/* Room for a data record with `body` bytes behind its header; NULL while the ring is full or other
 * records wait for it.  May be abandoned. */
struct rs_record *comp_reserve(struct session *session, uint32_t body);
/* Publishes it: `body` bytes are used, `length` of them are payload. */
void comp_publish(struct session *session, struct rs_record *record, const struct rs_record *header,
                  uint32_t body);
/* A record about a socket, which is never lost: it waits if the ring is full. */
void comp_post(struct session *session, enum rs_comp type, uint32_t socket, const void *body,
               uint32_t size);
/* The same with a payload behind the body. */
void comp_post_data(struct session *session, const struct rs_record *header, const void *body,
                    uint32_t size, const void *payload);
void comp_reply(struct session *session, const struct rs_call *call, uint32_t error);
void comp_reply_values(struct session *session, const struct rs_call *call, uint32_t value,
                       uint32_t value2);
void comp_reply_data(struct session *session, const struct rs_call *call, uint32_t value,
                     const void *payload, uint32_t length);
void comp_reply_full(struct session *session, const struct rs_call *call,
                     const struct rs_reply *values, const void *payload, uint32_t length);
/* Moves waiting records into the ring; true if some are left. */
bool comp_flush(struct session *session);
void comp_discard(struct session *session);

#endif
