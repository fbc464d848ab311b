/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model beside the receives of one socket: which bytes each of them must hold.
 *
 * A flow is what one socket receives: a stream, or the messages of several senders.  Owns the
 * receives that are outstanding, in the order of the calls.  A receive that has ended is looked at
 * when all that were begun before it have: then it is known where in the stream it stands.  Who
 * calls holds flow.lock (a completion routine runs in the thread that has it), except for
 * flow_lock itself and receive_ended in a routine.
 */
#ifndef RINGSOCK_TESTS_MODEL_FLOW_H
#define RINGSOCK_TESTS_MODEL_FLOW_H

#include "model_failure.h"
#include "model_scatter.h"

#define SOURCES_MAX 3

static LONG volatile model_receives; /* begun */
static LONG volatile model_sends, model_cancels;

enum style { BY_EVENT, BY_ROUTINE, BY_PORT, BY_ASKING, BY_CALL };

struct receive {
    WSAOVERLAPPED ov;
    struct flow *flow;
    struct receive *next;
    struct scatter scatter;
    enum style style;
    HANDLE event; /* kept from one use to the next */
    DWORD thread; /* that began it */
    DWORD flags;
    struct sockaddr_in from;
    int from_length;
    BOOL immediate; /* the call has returned 0 with `bytes` */
    BOOL cancelled; /* somebody has tried */
    BOOL ended;
    DWORD error, bytes;
};

/* Who sends into a flow.  Messages are numbered; of a stream there is one. */
struct source {
    struct flow *flow;
    SOCKET socket;
    struct sockaddr_in from, to; /* of messages */
    ULONG64 key;
    ULONG64 length;         /* bytes, or number of messages */
    LONG volatile verified; /* messages; the sender's window looks at it */
    unsigned int chunk_max, pause_percent, overlapped_max;
    struct random random;
};

struct flow {
    unsigned int number;
    BOOL messages;
    SOCKET socket;
    CRITICAL_SECTION lock;
    struct source sources[SOURCES_MAX];
    unsigned int source_count;
    ULONG64 length, verified; /* of all sources */

    struct receive *first, **link; /* outstanding, and ended ones whose turn has not come */
    unsigned int outstanding;
    struct receive *spare;
    BOOL complete; /* the end of the stream was seen, or all messages */
    BOOL noted;    /* its round knows that it is done */

    unsigned int window; /* messages under way from one source */
    unsigned int depth_max, size_max, pieces_max, cancel_percent;
    BOOL duplex, nonblocking, timeout, waitall, skip_on_success;
    HANDLE port;
    struct random routine_random;
};

/* ---- what to say ---- */

static int describe_receive(char *text, size_t size, const struct receive *receive)
{
    static const char *const styles[] = {"by event", "by routine", "by port", "asked", "a call"};

    return snprintf(text, size,
                    "receive (%s, %lu pieces of %lu bytes, flags %lx%s%s, ended %d, error %lu, "
                    "%lu bytes, status %lx)",
                    styles[receive->style], receive->scatter.count, (DWORD)receive->scatter.total,
                    receive->flags, receive->immediate ? ", immediate" : "",
                    receive->cancelled ? ", cancelled" : "", receive->ended, receive->error,
                    receive->bytes, (DWORD)receive->ov.Internal);
}

static int describe_flow(char *text, size_t size, const struct flow *flow)
{
    return snprintf(text, size, "flow %u (%s%s%s%s) at %llu of %llu, %u outstanding", flow->number,
                    flow->messages ? "messages" : "stream", flow->duplex ? ", duplex" : "",
                    flow->nonblocking ? ", nonblocking" : "", flow->timeout ? ", time-out" : "",
                    flow->verified, flow->length, flow->outstanding);
}

static void __attribute__((noreturn, format(gnu_printf, 2, 3)))
flow_failed(const struct flow *flow, const char *format, ...)
{
    char text[700];
    va_list args;
    int used = describe_flow(text, sizeof(text), flow);

    used += snprintf(text + used, sizeof(text) - used, ": ");
    va_start(args, format);
    rt_vsnprintf(text + used, sizeof(text) - used, format, args);
    va_end(args);
    model_stop(text);
}

static void __attribute__((noreturn))
receive_failed(const struct receive *receive, const char *what)
{
    char text[300];

    describe_receive(text, sizeof(text), receive);
    flow_failed(receive->flow, "%s: %s", text, what);
}

/* ---- messages ---- */

static ULONG64 message_key(const struct source *source, ULONG64 number)
{
    return random_mix(source->key + number * 0x9e3779b97f4a7c15u);
}

static unsigned int message_length(const struct source *source, ULONG64 number)
{
    struct random random = {message_key(source, number)};

    return random_size(&random, source->chunk_max);
}

/* ---- receives ---- */

static struct receive *flow_begin(struct flow *flow, struct random *random, enum style style)
{
    struct receive *receive = flow->spare;
    unsigned int pieces = random_chance(random, 50) ? 1 : flow->pieces_max;

    if (receive) {
        flow->spare = receive->next;
        if (!scatter_is_quiet(&receive->scatter))
            flow_failed(flow, "a buffer was written after its receive had ended");
    } else {
        receive = calloc(1, sizeof(*receive));
        receive->flow = flow;
    }
    if (style == BY_EVENT && !receive->event)
        receive->event = WSACreateEvent();
    scatter_plan(&receive->scatter, random, random_size(random, flow->size_max), pieces);
    memset(&receive->ov, 0, sizeof(receive->ov));
    receive->style = style;
    receive->thread = GetCurrentThreadId();
    receive->flags = 0;
    receive->from_length = sizeof(receive->from);
    receive->immediate = receive->cancelled = receive->ended = FALSE;
    receive->error = receive->bytes = 0;
    receive->next = NULL;
    *flow->link = receive;
    flow->link = &receive->next;
    flow->outstanding++;
    InterlockedIncrement(&model_receives);
    return receive;
}

static void receive_ended(struct receive *receive, DWORD error, DWORD bytes)
{
    if (receive->ended)
        receive_failed(receive, "has ended twice");
    if (receive->immediate && (error || bytes != receive->bytes))
        receive_failed(receive, "the call and its completion differ");
    receive->ended = TRUE;
    receive->error = error;
    receive->bytes = bytes;
    InterlockedIncrement(&model_progress);
}

/* What WSAGetOverlappedResult has answered.  A cancelled one's count is in the OVERLAPPED only. */
static BOOL receive_answered(struct receive *receive, BOOL result, DWORD bytes)
{
    DWORD error = result ? 0 : WSAGetLastError();

    if (error == WSA_IO_INCOMPLETE)
        return FALSE;
    if (result && receive->ov.Internal == STATUS_PENDING) {
        /* the built-in, asked to wait without an event */
        todo_wine ok(0, "WSAGetOverlappedResult succeeded, and the receive is pending\n");
        return FALSE;
    }
    receive_ended(receive, error, result ? bytes : (DWORD)receive->ov.InternalHigh);
    return TRUE;
}

static BOOL is_asked(const struct receive *receive)
{
    return receive->style == BY_EVENT || receive->style == BY_ASKING;
}

static BOOL receive_ask(struct receive *receive)
{
    DWORD bytes = 0, flags;
    BOOL result =
        WSAGetOverlappedResult(receive->flow->socket, &receive->ov, &bytes, FALSE, &flags);

    return receive_answered(receive, result, bytes);
}

/* ---- what a receive must hold ---- */

static BOOL took_nothing(const struct receive *receive)
{
    switch (receive->error) {
    case WSA_OPERATION_ABORTED:
        return receive->cancelled;
    case WSAEWOULDBLOCK:
        return receive->style == BY_CALL && receive->flow->nonblocking;
    case WSAETIMEDOUT:
        return receive->style == BY_CALL && receive->flow->timeout;
    default:
        return FALSE;
    }
}

static void expect_bytes(const struct receive *receive, ULONG64 key, ULONG64 offset)
{
    const char *wrong = scatter_check(&receive->scatter, key, offset, receive->bytes);

    ok(!wrong, "checked below\n");
    if (wrong)
        receive_failed(receive, wrong);
}

static void check_stream(struct flow *flow, const struct receive *receive)
{
    struct source *source = &flow->sources[0];
    BOOL at_end;

    if (receive->error)
        receive_failed(receive, "no error was expected");
    expect_bytes(receive, source->key, flow->verified);
    at_end = flow->verified + receive->bytes == flow->length;
    if (!receive->bytes && receive->scatter.total && !at_end)
        receive_failed(receive, "the stream seems to end");
    if ((receive->flags & MSG_WAITALL) && receive->bytes < receive->scatter.total && !at_end &&
        !receive->cancelled && !(flow->timeout && receive->style == BY_CALL))
        todo_wine ok(0, "a receive for all of %lu bytes ended with %lu\n",
                     (DWORD)receive->scatter.total, receive->bytes);
    if (!(receive->flags & MSG_PEEK))
        flow->verified += receive->bytes;
    if (!receive->bytes && receive->scatter.total)
        flow->complete = TRUE;
}

static struct source *source_of(struct flow *flow, const struct receive *receive)
{
    unsigned int i;

    for (i = 0; i < flow->source_count; i++)
        if (!memcmp(&flow->sources[i].from.sin_addr, &receive->from.sin_addr, sizeof(IN_ADDR)) &&
            flow->sources[i].from.sin_port == receive->from.sin_port)
            return &flow->sources[i];
    receive_failed(receive, "a message from a stranger");
}

static void check_message(struct flow *flow, const struct receive *receive)
{
    struct source *source = source_of(flow, receive);
    LONG number = source->verified;
    DWORD length = message_length(source, number);
    DWORD room = (DWORD)receive->scatter.total;

    if ((ULONG64)number == source->length)
        receive_failed(receive, "a message too many");
    if (receive->error != (length > room ? WSAEMSGSIZE : 0) ||
        receive->bytes != (length > room ? room : length))
        receive_failed(receive, "not the message whose turn it is");
    expect_bytes(receive, message_key(source, number), 0);
    if (receive->flags & MSG_PEEK)
        return;
    InterlockedIncrement(&source->verified);
    flow->complete = ++flow->verified == flow->length;
}

static void flow_check(struct flow *flow, struct receive *receive)
{
    if (took_nothing(receive)) {
        /* what a cancelled one says that it has, it has; no message is divided */
        if (receive->bytes && (receive->error != WSA_OPERATION_ABORTED || flow->messages))
            receive_failed(receive, "took bytes that nobody will see");
        expect_bytes(receive, flow->sources[0].key, flow->verified);
        flow->verified += receive->bytes;
    } else if (flow->messages)
        check_message(flow, receive);
    else
        check_stream(flow, receive);
}

/* An event is set a moment after the status; the receive is not used again before that. */
static void receive_retire(struct flow *flow, struct receive *receive)
{
    if (receive->style == BY_EVENT && WaitForSingleObject(receive->event, 60000) != WAIT_OBJECT_0)
        receive_failed(receive, "has ended, and its event is not set");
    scatter_fill(&receive->scatter);
    receive->next = flow->spare;
    flow->spare = receive;
}

/* Checks all whose turn has come. */
static void flow_settle(struct flow *flow)
{
    struct receive *receive;

    while ((receive = flow->first) &&
           (receive->ended || (is_asked(receive) && receive_ask(receive)))) {
        if (!(flow->first = receive->next))
            flow->link = &flow->first;
        flow->outstanding--;
        flow_check(flow, receive);
        receive_retire(flow, receive);
    }
}

/* All has arrived and nothing is outstanding. */
static BOOL flow_is_done(const struct flow *flow)
{
    return flow->complete && !flow->first;
}

/* Whether a call that waits returns, although nothing is checked meanwhile: of messages one more
 * must be on its way than those that are outstanding can take. */
static BOOL flow_can_block(const struct flow *flow)
{
    return !flow->messages ||
           (flow->length - flow->verified > flow->outstanding && flow->window > flow->outstanding);
}

static void flow_open(struct flow *flow)
{
    InitializeCriticalSection(&flow->lock);
    flow->link = &flow->first;
}

static void flow_close(struct flow *flow)
{
    struct receive *receive;

    if (flow->verified != flow->length)
        flow_failed(flow, "not all has arrived");
    while ((receive = flow->spare)) {
        if (!scatter_is_quiet(&receive->scatter))
            flow_failed(flow, "a buffer was written after its receive had ended");
        flow->spare = receive->next;
        if (receive->event)
            WSACloseEvent(receive->event);
        free(receive->scatter.memory);
        free(receive);
    }
    DeleteCriticalSection(&flow->lock);
}

#endif
