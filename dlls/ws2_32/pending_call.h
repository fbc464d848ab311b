/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that wait for their reply: what the reaping side does with them (request.c).
 */
#ifndef RINGSOCK_PENDING_CALL_H
#define RINGSOCK_PENDING_CALL_H

#include "request.h"
#include "waiter.h"

struct pending_call {
    struct pending_call *next;
    struct request *request;
    struct waiter *waiter;
    uint64_t cookie; /* unique in the session: the reply to a cancelled call finds nobody */
    DWORD error;
    LONG volatile finished;
};

/* RS_COMP_REPLY has arrived.  Caller holds the reap lock. */
void pending_call_reply(struct session *session, const struct rs_reply *reply, const void *payload,
                        uint32_t length);

/* The session is dead: each call fails with WSAENETDOWN. */
void pending_calls_fail(struct session *session);

#endif
