/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls to the server (see request.h).  Owns session.calls; takes call_lock, and the submit lock
 * through submit_begin, never both.
 */
#include "request.h"
#include "blocking_hook.h"
#include "pending_call.h"
#include "session.h"
#include "waiter.h"

static void call_link(struct session *session, struct pending_call *call)
{
    AcquireSRWLockExclusive(&session->call_lock);
    call->cookie = ++session->last_cookie;
    call->next = session->calls;
    session->calls = call;
    ReleaseSRWLockExclusive(&session->call_lock);
}

/* Takes the call with this cookie (0: any) out of the list; caller finishes it. */
static struct pending_call *call_unlink(struct session *session, uint64_t cookie)
{
    struct pending_call **link, *call;

    AcquireSRWLockExclusive(&session->call_lock);
    for (link = &session->calls; (call = *link); link = &call->next)
        if (!cookie || call->cookie == cookie)
            break;
    if (call)
        *link = call->next;
    ReleaseSRWLockExclusive(&session->call_lock);
    return call;
}

static void call_finish(struct pending_call *call)
{
    struct waiter *waiter = call->waiter;

    if (call->finish) {
        call->finish(call);
        return;
    }
    InterlockedExchange(&call->finished, 1); /* the caller's stack may be gone from here on */
    waiter_signal(waiter);
}

void pending_call_reply(struct session *session, const struct rs_reply *reply, const void *payload,
                        uint32_t length)
{
    struct pending_call *call;
    struct request *request;

    if (!reply->cookie || !(call = call_unlink(session, reply->cookie)))
        return; /* nobody waits */
    request = call->request;
    call->error = reply->error;
    request->value = reply->value;
    request->value2 = reply->value2;
    request->reply_length = length;
    if (request->reply)
        memcpy(request->reply, payload,
               length < request->reply_size ? length : request->reply_size);
    call_finish(call);
}

void pending_calls_fail(struct session *session)
{
    struct pending_call *call;

    while ((call = call_unlink(session, 0))) {
        call->error = WSAENETDOWN;
        call_finish(call);
    }
}

static bool call_submit(struct session *session, struct pending_call *call)
{
    const struct request *request = call->request;
    uint32_t length = request->payload_size + request->payload2_size;
    uint32_t size = sizeof(struct rs_record) + sizeof(struct rs_call) + length;
    struct rs_record *record =
        submit_begin(session, request->type, request->flags, request->socket, size);
    struct rs_call *wire;
    uint8_t *payload;

    if (!record)
        return false;
    wire = (struct rs_call *)(record + 1);
    memset(wire, 0, sizeof(*wire));
    wire->cookie = call->cookie;
    wire->wake = call->finish ? call->wake : waiter_wake_word(call->waiter);
    wire->arg0 = request->arg[0];
    wire->arg1 = request->arg[1];
    wire->arg2 = request->arg[2];
    wire->arg3 = request->arg[3];
    payload = (uint8_t *)(wire + 1);
    if (request->payload_size)
        memcpy(payload, request->payload, request->payload_size);
    if (request->payload2_size)
        memcpy(payload + request->payload_size, request->payload2, request->payload2_size);
    /* an address in front of a datagram does not count as payload (abi.h) */
    submit_end(session, record, size,
               request->type == RS_SUB_SENDTO ? request->payload2_size : length);
    return true;
}

bool request_begin(struct pending_call *call)
{
    struct session *session = call->request->session;

    call_link(session, call);
    /* if it was taken off meanwhile, who did that finishes it */
    return call_submit(session, call) || !call_unlink(session, call->cookie);
}

static enum waiter_result wait_for_reply(struct pending_call *call)
{
    return call->request->can_block ? blocking_wait(call->waiter, WAITER_FOREVER, false)
                                    : waiter_wait(call->waiter, WAITER_FOREVER, false);
}

DWORD request_call(struct request *request)
{
    struct pending_call call = {.request = request};
    struct session *session = request->session;
    DWORD error;

    if (!session && (error = session_open(&session)))
        return error;
    if (request->payload_size + request->payload2_size > RS_MAX_PAYLOAD + sizeof(struct rs_addr) +
                                                           sizeof(struct rs_control))
        return WSAEMSGSIZE;
    if (!(call.waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(call.waiter, session);
    call_link(session, &call);
    if (!call_submit(session, &call) && call_unlink(session, call.cookie)) {
        waiter_disarm(call.waiter);
        return WSAENETDOWN;
    }
    while (!call.finished) {
        session_reap(session);
        if (!call.finished && wait_for_reply(&call) == WAITER_CANCELLED &&
            call_unlink(session, call.cookie)) {
            waiter_disarm(call.waiter);
            return WSAEINTR;
        }
    }
    waiter_disarm(call.waiter);
    return call.error;
}
