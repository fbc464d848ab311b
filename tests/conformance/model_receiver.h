/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a thread does with a flow: it begins a receive of some kind, cancels one, waits for one, or
 * looks at what has ended.
 *
 * Owns nothing.  Every function but the completion routine is called with flow.lock held, and
 * leaves the model (model_flow.h) complete.
 */
#ifndef RINGSOCK_TESTS_MODEL_RECEIVER_H
#define RINGSOCK_TESTS_MODEL_RECEIVER_H

#include "model_flow.h"

enum kind { ONE_THREAD, THREADS, PORT, KINDS };

/* One thread's state. */
struct receiver {
    enum kind kind;
    struct random random;
    HANDLE never; /* an event that nobody sets */
};

/* ---- one receive ---- */

static void CALLBACK on_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags);

/* On a port a packet must follow every message: the last one is what ends the flow. */
static enum style choose_style(const struct flow *flow, struct random *random, enum kind kind)
{
    static const enum style one_thread[] = {BY_EVENT, BY_ROUTINE, BY_ROUTINE, BY_ASKING};

    if (kind == ONE_THREAD)
        return one_thread[random_below(random, ARRAYSIZE(one_thread))];
    if (kind == PORT)
        return flow->messages || random_chance(random, 85) ? BY_PORT : BY_EVENT;
    return random_chance(random, 50) ? BY_EVENT : BY_ASKING;
}

static int call_receive(struct receive *receive, DWORD *bytes, BOOL overlapped)
{
    struct flow *flow = receive->flow;
    struct scatter *scatter = &receive->scatter;
    WSAOVERLAPPED *ov = overlapped ? &receive->ov : NULL;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine = receive->style == BY_ROUTINE ? on_routine : NULL;
    WSABUF stack[PIECES_MAX];
    DWORD flags = receive->flags;
    int result;

    memcpy(stack, scatter->pieces, sizeof(*stack) * scatter->count);
    if (flow->messages)
        result = WSARecvFrom(flow->socket, stack, scatter->count, bytes, &flags,
                             (struct sockaddr *)&receive->from, &receive->from_length, ov, routine);
    else
        result = WSARecv(flow->socket, stack, scatter->count, bytes, &flags, ov, routine);
    memset(stack, 0, sizeof(stack)); /* "stack-based WSABUF arrays" */
    return result;
}

/* Messages that do not fit end a call at once with an error, and then it is no matter of order
 * whether a completion comes too: so they are left to those that are asked. */
static void make_room_for_messages(struct flow *flow, struct receive *receive,
                                   struct random *random)
{
    if (flow->messages && !is_asked(receive) && receive->style != BY_CALL)
        scatter_plan(&receive->scatter, random, flow->sources[0].chunk_max, flow->pieces_max);
}

static void post(struct flow *flow, struct random *random, enum kind kind, enum style style)
{
    struct receive *receive = flow_begin(flow, random, style);
    DWORD bytes = 0;
    int result;

    make_room_for_messages(flow, receive, random);
    if (flow->waitall && random_chance(random, 20))
        receive->flags = MSG_WAITALL;
    if (style == BY_EVENT)
        receive->ov.hEvent = (HANDLE)((ULONG_PTR)receive->event | (kind == PORT));
    result = call_receive(receive, &bytes, TRUE);
    if (!result) {
        receive->bytes = bytes;
        receive->immediate = TRUE;
        if (style == BY_PORT && flow->skip_on_success)
            receive_ended(receive, 0, bytes);
    } else if (WSAGetLastError() != WSA_IO_PENDING) {
        DWORD error = WSAGetLastError();

        if (error != WSAEMSGSIZE || !is_asked(receive))
            flow_failed(flow, "WSARecv error %lu", error);
        receive_ended(receive, error, (DWORD)receive->scatter.total);
        WSASetEvent(receive->event); /* nobody else does */
    }
}

/* "The WSARecv function using overlapped I/O can be called from within the completion routine" */
static void CALLBACK on_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    struct receive *receive = CONTAINING_RECORD(overlapped, struct receive, ov);
    struct flow *flow = receive->flow;

    (void)flags;
    if (receive->thread != GetCurrentThreadId())
        receive_failed(receive, "its routine runs in another thread");
    receive_ended(receive, error, bytes);
    if (!flow->complete && flow->outstanding < flow->depth_max &&
        random_chance(&flow->routine_random, 20))
        post(flow, &flow->routine_random, ONE_THREAD, BY_ROUTINE);
}

static void choose_flags(const struct flow *flow, struct receive *receive, struct random *random)
{
    unsigned int what = random_below(random, 100);

    if (what < 40)
        receive->flags = MSG_PEEK;
    else if (what < 60 && flow->waitall)
        receive->flags = MSG_WAITALL;
}

/* A call without OVERLAPPED; it may wait for those that are outstanding, and then for its own. */
static void call(struct flow *flow, struct random *random)
{
    struct receive *receive;
    DWORD bytes = 0, error;

    if (!flow_can_block(flow))
        return;
    receive = flow_begin(flow, random, BY_CALL);
    choose_flags(flow, receive, random);
    error = call_receive(receive, &bytes, FALSE) ? WSAGetLastError() : 0;
    receive_ended(receive, error, error == WSAEMSGSIZE ? (DWORD)receive->scatter.total : bytes);
}

/* ---- cancelling ---- */

static void cancel_one(struct flow *flow, struct random *random)
{
    unsigned int left = flow->outstanding ? random_below(random, flow->outstanding) : 0;
    struct receive *receive = flow->first;

    while (receive && left--)
        receive = receive->next;
    if (!receive)
        return;
    receive->cancelled = TRUE;
    if (!CancelIoEx((HANDLE)flow->socket, (OVERLAPPED *)&receive->ov) &&
        GetLastError() != ERROR_NOT_FOUND)
        flow_failed(flow, "CancelIoEx error %lu", GetLastError());
    InterlockedIncrement(&model_cancels);
}

/* thread: of this one only, as CancelIo does. */
static void cancel_all(struct flow *flow, DWORD thread)
{
    struct receive *receive;

    for (receive = flow->first; receive; receive = receive->next)
        if (!thread || receive->thread == thread)
            receive->cancelled = TRUE;
    if (thread)
        CancelIo((HANDLE)flow->socket);
    else
        CancelIoEx((HANDLE)flow->socket, NULL);
    InterlockedIncrement(&model_cancels);
}

/* ---- waiting for the first one that is outstanding: it is sure to end ---- */

static void wait_for_event(struct flow *flow, struct receiver *receiver)
{
    struct receive *receive = flow->first, *each;
    HANDLE events[8];
    DWORD bytes = 0, flags, count = 0;
    BOOL result;

    if (random_chance(&receiver->random, 40)) {
        result = WSAGetOverlappedResult(flow->socket, &receive->ov, &bytes, TRUE, &flags);
        receive_answered(receive, result, bytes);
        return;
    }
    for (each = receive; each && count < ARRAYSIZE(events); each = each->next)
        if (each->style == BY_EVENT && !each->ended)
            events[count++] = each->event;
    WSAWaitForMultipleEvents(count, events, FALSE, INFINITE, random_chance(&receiver->random, 50));
}

static void wait_for_routine(struct receiver *receiver)
{
    if (random_chance(&receiver->random, 50))
        SleepEx(INFINITE, TRUE);
    else
        WSAWaitForMultipleEvents(1, &receiver->never, TRUE, INFINITE, TRUE);
}

static void wait_for_answer(struct flow *flow, struct receiver *receiver)
{
    struct receive *receive = flow->first;
    DWORD bytes = 0, flags;
    BOOL result;

    /* without an event it waits for the socket's handle: of use with nothing else outstanding */
    if (flow->outstanding == 1 && !flow->duplex && random_chance(&receiver->random, 30)) {
        result = WSAGetOverlappedResult(flow->socket, &receive->ov, &bytes, TRUE, &flags);
        receive_answered(receive, result, bytes);
    } else if (!receive_ask(receive))
        SleepEx(random_chance(&receiver->random, 30), random_chance(&receiver->random, 50));
}

static void wait_for_first(struct flow *flow, struct receiver *receiver)
{
    struct receive *receive = flow->first;

    if (!receive || receive->ended)
        return;
    switch (receive->style) {
    case BY_EVENT:
        wait_for_event(flow, receiver);
        break;
    case BY_ROUTINE:
        wait_for_routine(receiver);
        break;
    case BY_ASKING:
        wait_for_answer(flow, receiver);
        break;
    default: /* its packet comes to somebody */
        break;
    }
}

/* ---- what a thread does next ---- */

static void cancel_some(struct flow *flow, struct random *random)
{
    unsigned int what = random_below(random, 10);

    if (what < 8)
        cancel_one(flow, random);
    else if (what < 9 || flow->duplex) /* the other direction's sends are not to be cancelled */
        cancel_all(flow, GetCurrentThreadId());
    else
        cancel_all(flow, 0);
}

/* Receives that no message will come for. */
static void cancel_needless(struct flow *flow)
{
    if (flow->complete && flow->messages && flow->first)
        cancel_all(flow, 0);
}

static void check_waiting_bytes(const struct flow *flow)
{
    u_long bytes = 0;

    if (ioctlsocket(flow->socket, FIONREAD, &bytes))
        flow_failed(flow, "FIONREAD error %d", WSAGetLastError());
    if (!flow->messages && bytes > flow->length - flow->verified)
        flow_failed(flow, "%lu bytes wait", bytes);
}

static void turn(struct flow *flow, struct receiver *receiver)
{
    struct random *random = &receiver->random;
    unsigned int what = random_below(random, 100);

    if (flow->complete) {
        cancel_needless(flow);
        wait_for_first(flow, receiver);
    } else if (random_chance(random, flow->cancel_percent))
        cancel_some(flow, random);
    else if (what < 60 && flow->outstanding < flow->depth_max)
        post(flow, random, receiver->kind, choose_style(flow, random, receiver->kind));
    else if (what < 85)
        wait_for_first(flow, receiver);
    else if (what < 97)
        call(flow, random);
    else if (what < 99)
        check_waiting_bytes(flow);
    else
        Sleep(random_below(random, 3));
    flow_settle(flow);
}

#endif
