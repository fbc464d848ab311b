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
    /* Instead of a waiter: called when the reply is there or the session dead, under the reap lock
     * or none; `wake` is whom the server wakes for the reply. */
    void (*finish)(struct pending_call *call);
    uint32_t wake;
    uint64_t cookie; /* unique in the session: the reply to a cancelled call finds nobody */
    DWORD error;
    LONG volatile finished;
};

/* Sends a call that has `finish`, without waiting.  False: the session is dead, and `finish` is not
 * called.  May be called under a socket's lock. */
bool request_begin(struct pending_call *call);

/* RS_COMP_REPLY has arrived.  Caller holds the reap lock. */
void pending_call_reply(struct session *session, const struct rs_reply *reply, const void *payload,
                        uint32_t length);

/* The session is dead: each call fails with WSAENETDOWN. */
void pending_calls_fail(struct session *session);

#endif
