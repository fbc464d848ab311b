/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one socket receives while its operations are cancelled: a stream of known bytes or numbered
 * messages, and the operations that are outstanding, in the order of the calls.
 *
 * Locks: flow.lock for the list and what has been verified; it is held across WSARecv, so that the
 * order of the calls is known.  Who cancels, closes or shuts down takes no lock: that is the race.
 * A completion routine takes none either.
 */
#ifndef RINGSOCK_TESTS_STRESS_FLOW_H
#define RINGSOCK_TESTS_STRESS_FLOW_H

#include "stress_operation.h"

#define STATUS_CANCELLED_ ((LONG)0xc0000120)
#define RECENT            16u

/* What becomes of a flow: all of it arrives, or something ends it before. */
enum fate { SURVIVES, CLOSED, SHUT_AND_CLOSED, RESET, FATES };
static const char *const fate_names[FATES] = {"survives", "closed", "shut and closed", "reset"};

struct actor {
    struct round *round;
    struct random random;
    unsigned int turns; /* until it ends and leaves its operations behind; 0: it stays */
    HANDLE thread;
    BOOL volatile dead;
};

struct flow {
    unsigned int number;
    enum fate fate;
    BOOL messages;
    BOOL blocking;  /* a thread that blocks in recv; not overlapped */
    BOOL skip;      /* FILE_SKIP_COMPLETION_PORT_ON_SUCCESS */
    HANDLE port;
    SOCKET socket, peer;
    HANDLE reader; /* the thread that blocks */
    CRITICAL_SECTION lock;
    ULONG64 key, length;
    ULONG64 verified;     /* bytes, or messages */
    LONG volatile seen;   /* the same, for the sender to look at */
    LONG lag;             /* so far it may be ahead of that */
    LONG volatile ended;  /* operations; when it is `limit` its fate comes */
    LONG limit;
    unsigned int depth, outstanding;
    struct operation *first, **link;
    struct operation *volatile recent[RECENT]; /* for those who cancel */
    unsigned int recent_next;
    LONG volatile dying; /* any error may come now */
    BOOL volatile closed;
    BOOL refused;  /* no further receives */
    BOOL complete; /* all has arrived */
    LONG volatile claimed; /* somebody does what its fate says */
    BOOL cancels_sends;
    DWORD send_max, receive_max;
    unsigned int pause_percent; /* of the sender */
    BOOL done;
};

static void __attribute__((noreturn)) flow_failed(const struct flow *flow, const char *what,
                                                  LONG number)
{
    model_failed("flow %u (%s%s%s, %s): %llu of %llu, %u outstanding: %s (%lx)", flow->number,
                 flow->messages ? "messages" : "stream", flow->port ? ", port" : "",
                 flow->blocking ? ", blocking" : "", fate_names[flow->fate], flow->verified,
                 flow->length, flow->outstanding, what, number);
}

/* ---- messages: a number, then what follows from it ---- */

static DWORD message_fill(const struct flow *flow, DWORD number, BYTE *message)
{
    DWORD length = sizeof(number) + (DWORD)(random_mix(flow->key + number) % 1200);

    memcpy(message, &number, sizeof(number));
    sequence_bytes(flow->key + number, 0, message + sizeof(number), length - sizeof(number));
    return length;
}

static void check_message(struct flow *flow, const struct operation *operation, DWORD bytes)
{
    BYTE expected[2048];
    DWORD length = message_fill(flow, (DWORD)flow->verified, expected);

    if (flow->verified == flow->length)
        flow_failed(flow, "a message too many", 0);
    if (bytes != length || memcmp(operation->buffer, expected, length))
        flow_failed(flow, "not the message whose turn it is", *(LONG *)operation->buffer);
    flow->seen = (LONG)++flow->verified;
    flow->complete = flow->verified == flow->length;
}

/* ---- streams ---- */

static void check_bytes(struct flow *flow, const BYTE *buffer, DWORD bytes)
{
    BYTE expected[PAGE];

    if (bytes > flow->length - flow->verified)
        flow_failed(flow, "bytes too many", (LONG)bytes);
    sequence_bytes(flow->key, flow->verified, expected, bytes);
    if (memcmp(buffer, expected, bytes))
        flow_failed(flow, "not the bytes whose turn it is", (LONG)bytes);
    flow->verified += bytes;
    flow->seen = (LONG)flow->verified;
}

static void check_end(struct flow *flow)
{
    if (flow->verified != flow->length && !flow->dying)
        flow_failed(flow, "the stream ends", 0);
    flow->complete = TRUE;
}

/* ---- what an operation has ended with ---- */

static void check_result(struct flow *flow, const struct operation *operation)
{
    LONG status = (LONG)operation->ov->Internal;
    DWORD bytes = (DWORD)operation->ov->InternalHigh;

    if (status == STATUS_CANCELLED_)
        InterlockedIncrement(&stress_cancelled);
    else if (status && !flow->dying)
        flow_failed(flow, "an operation failed", status);
    else if (status)
        InterlockedIncrement(&stress_aborted);
    if (bytes > operation->size)
        operation_failed(operation, "more bytes than it has room for");
    if (status && bytes)
        operation_failed(operation, "took bytes that nobody will see");
    if (bytes < operation->size &&
        !holds_fill(operation->buffer + bytes, operation->size - bytes))
        operation_failed(operation, "holds more than it says");
    if (status)
        return;
    if (flow->messages)
        check_message(flow, operation, bytes);
    else if (bytes)
        check_bytes(flow, operation->buffer, bytes);
    else
        check_end(flow);
}

static BOOL has_status(const struct operation *operation)
{
    return *(volatile ULONG_PTR *)&operation->ov->Internal != STATUS_PENDING;
}

/* A routine whose thread has ended never runs. */
static BOOL is_asked(const struct operation *operation)
{
    return operation->style == BY_ASKING ||
           (operation->style == BY_ROUTINE && operation->issuer->dead);
}

static BOOL has_ended(struct operation *operation)
{
    BOOL ended = operation->state == ENDED;

    if (!ended && operation->style == BY_EVENT)
        ended = WaitForSingleObject(operation->event, 0) == WAIT_OBJECT_0;
    else if (!ended && is_asked(operation))
        ended = has_status(operation);
    if (!ended)
        return FALSE;
    if (operation->state == PENDING)
        operation_told(operation);
    if (!has_status(operation))
        operation_failed(operation, "is told of and has not ended");
    return TRUE;
}

static void retire(struct flow *flow, struct operation *operation, struct random *random)
{
    if (operation->style == BY_BOTH &&
        WaitForSingleObject(operation->event, 60000) != WAIT_OBJECT_0)
        operation_failed(operation, "has ended, and its event is not set");
    flow->outstanding--;
    InterlockedIncrement(&flow->ended);
    operation_retire(operation, random_chance(random, 60));
}

/* Checks all whose turn has come; who calls has the lock. */
static void flow_settle(struct flow *flow, struct random *random)
{
    struct operation *operation;

    while ((operation = flow->first) && has_ended(operation)) {
        if (!(flow->first = operation->next))
            flow->link = &flow->first;
        check_result(flow, operation);
        retire(flow, operation, random);
    }
    /* no message will come for those that are left */
    if (flow->complete && flow->messages && flow->first)
        CancelIoEx((HANDLE)flow->socket, NULL);
    if (!flow->blocking) /* else its reader says so */
        flow->done = !flow->first && (flow->complete || flow->closed ||
                                      (flow->refused && flow->fate == RESET));
}

/* ---- the calls ---- */

static void CALLBACK stress_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    struct operation *operation = operation_of(ov);

    (void)flags;
    if (!operation || operation->ov != ov || operation->state != PENDING)
        model_failed("a routine is called for %p, which is not pending", (void *)ov);
    if (bytes != (DWORD)ov->InternalHigh || !error != !ov->Internal)
        operation_failed(operation, "the routine is told something else");
    operation_told(operation);
}

static enum style choose_style(const struct flow *flow, struct random *random)
{
    static const enum style without[] = {BY_EVENT, BY_EVENT, BY_ROUTINE, BY_ROUTINE, BY_ASKING};
    static const enum style with[] = {BY_PACKET, BY_PACKET, BY_BOTH, BY_EVENT};

    return flow->port ? with[random_below(random, ARRAYSIZE(with))]
                      : without[random_below(random, ARRAYSIZE(without))];
}

static HANDLE event_of(const struct operation *operation)
{
    switch (operation->style) {
    case BY_EVENT: /* the low bit keeps the packet away */
        return operation->flow->port ? (HANDLE)((ULONG_PTR)operation->event | 1) : operation->event;
    case BY_BOTH:
        return operation->event;
    case BY_ROUTINE: /* "hEvent is ignored" */
        return (HANDLE)1234;
    default:
        return NULL;
    }
}

/* The call has refused it: no completion comes. */
static void take_back(struct flow *flow, struct operation *operation, int error)
{
    struct operation **link = &flow->first;

    if (!flow->dying)
        flow_failed(flow, "WSARecv failed", error);
    while (*link != operation)
        link = &(*link)->next;
    *link = NULL; /* the last one, since the lock is held */
    flow->link = link;
    flow->outstanding--;
    flow->refused = TRUE;
    operation_retire(operation, TRUE);
}

/* One more receive; who calls has the lock. */
static void flow_post(struct flow *flow, struct actor *actor)
{
    enum style style = choose_style(flow, &actor->random);
    struct operation *operation = operation_take(&actor->random, style, flow->receive_max);
    DWORD flags = 0, bytes = 0, part;
    WSABUF buffers[2];
    int result;

    if (!operation)
        return;
    part = random_below(&actor->random, operation->size + 1);
    buffers[0] = (WSABUF){part, (char *)operation->buffer};
    buffers[1] = (WSABUF){operation->size - part, (char *)operation->buffer + part};
    operation->flow = flow;
    operation->issuer = actor;
    operation->ov->hEvent = event_of(operation);
    if (flow->messages) /* has room for any */
        buffers[0] = (WSABUF){operation->size = SIZE_MAX_, (char *)pages_of(operation)};
    if (flow->messages)
        operation->buffer = pages_of(operation);
    *flow->link = operation;
    flow->link = &operation->next;
    flow->outstanding++;
    flow->recent[flow->recent_next++ % RECENT] = operation;
    result = WSARecv(flow->socket, buffers, flow->messages ? 1 : 2, &bytes, &flags, operation->ov,
                     operation->style == BY_ROUTINE ? stress_routine : NULL);
    if (result && WSAGetLastError() != WSA_IO_PENDING)
        take_back(flow, operation, WSAGetLastError());
    else if (!result && flow->skip && operation->style >= BY_PACKET)
        operation_told(operation);
}

/* A packet of the port. */
static void flow_packet(struct flow *flow, WSAOVERLAPPED *ov, DWORD bytes, struct random *random)
{
    struct operation *operation = operation_of(ov);

    if (!operation)
        model_failed("a packet with %p", (void *)ov);
    EnterCriticalSection(&flow->lock);
    if (operation->state != PENDING || operation->flow != flow || operation->style < BY_PACKET)
        operation_failed(operation, "a packet that is not its own");
    if (!has_status(operation) || bytes != (DWORD)ov->InternalHigh)
        operation_failed(operation, "the packet tells something else");
    operation_told(operation);
    flow_settle(flow, random);
    LeaveCriticalSection(&flow->lock);
}

#endif
