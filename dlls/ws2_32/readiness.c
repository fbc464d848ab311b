/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a socket's state to what the program may be told about it: levels, the event record of
 * WSAEventSelect, whom the server should wake.
 *
 * Everything here runs under the socket's lock, which the caller holds.  Calls waiter_signal and
 * SetEvent, neither of which takes a lock of ours.
 *
 * The event record follows AFD: what happens is recorded whether it is selected or not, and
 * WSAEventSelect only chooses what is told; so re-selecting does not repeat what was enumerated,
 * and selecting later finds what happened before (Wine's test_events, run on Windows, shows both).
 */
#include "readiness.h"
#include "async_select.h"
#include "port.h"
#include "rio.h"
#include "share.h"
#include "urgent.h"

static bool is_stream(const struct socket *socket)
{
    return socket->type == SOCK_STREAM;
}

/* A stream that had a connection and lost it to an error. */
static bool is_aborted(const struct socket *socket)
{
    return socket->state == SOCKET_DEAD ||
           (is_stream(socket) && socket->error && !socket->connect_failed);
}

static bool is_writable(struct socket *socket)
{
    if (is_aborted(socket))
        return true; /* a send does not wait: it fails */
    if (is_stream(socket) && socket->state != SOCKET_CONNECTED)
        return false;
    return socket_can_send(socket);
}

long socket_levels(struct socket *socket, long wanted)
{
    bool stream = is_stream(socket);
    long levels = 0;

    if (socket->arrived || urgent_inline_bytes(socket) || (!stream && socket->error))
        levels |= LEVEL_READ;
    if (socket->urgent && !socket->oob_inline)
        levels |= LEVEL_OOB;
    if ((wanted & LEVEL_WRITE) && is_writable(socket))
        levels |= LEVEL_WRITE;
    if (socket->incoming)
        levels |= LEVEL_ACCEPT;
    if (socket->state == SOCKET_CONNECTED)
        levels |= LEVEL_CONNECTED;
    if (socket->connect_failed)
        levels |= LEVEL_CONNECT_FAILED;
    if (socket->end_of_stream)
        levels |= LEVEL_HANGUP;
    if (is_aborted(socket))
        levels |= LEVEL_ABORT;
    levels &= wanted;
    if (socket->closing)
        levels |= LEVEL_CLOSED;
    if (socket->state == SOCKET_DEAD)
        levels |= LEVEL_ABORT; /* nothing will ever happen: nobody may wait for it */
    return levels;
}

static const struct {
    long event, levels;
} event_levels[] = {
    {FD_READ, LEVEL_READ},
    {FD_OOB, LEVEL_OOB},
    {FD_WRITE, LEVEL_WRITE},
    {FD_ACCEPT, LEVEL_ACCEPT},
    {FD_CLOSE, LEVEL_HANGUP | LEVEL_ABORT},
    {FD_CONNECT, LEVEL_CONNECTED | LEVEL_CONNECT_FAILED},
};

static long events_that_hold(struct socket *socket, long among)
{
    long events = 0;

    for (size_t i = 0; i < ARRAYSIZE(event_levels); i++)
        if ((event_levels[i].event & among) &&
            (socket_levels(socket, event_levels[i].levels) & event_levels[i].levels))
            events |= event_levels[i].event;
    return events;
}

long socket_readiness(struct socket *socket)
{
    return events_that_hold(socket, FD_ALL_EVENTS);
}

/* ---- the event record ---- */

/* A reset is told as WSAECONNABORTED, unlike what recv says (Wine's test_close_events on Windows);
 * "a time-out or other failure" is the same (WSAEventSelect's page, which has no other code). */
int socket_close_error(const struct socket *socket)
{
    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    return socket->error ? WSAECONNABORTED : 0;
}

int socket_connect_error(const struct socket *socket)
{
    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    return socket->connect_failed ? (int)socket->connect_error : 0;
}

static void event_record(struct socket *socket, long events)
{
    long fresh = events & ~socket->event_pending;

    if (events & FD_CONNECT)
        socket->event_error[FD_CONNECT_BIT] = socket_connect_error(socket);
    if (events & FD_CLOSE)
        socket->event_error[FD_CLOSE_BIT] = socket_close_error(socket);
    if (events & FD_WRITE)
        socket->event_disabled |= FD_WRITE; /* told once, until a send finds no room */
    socket->event_pending |= events;
    if (socket->event && (fresh & socket->event_mask))
        SetEvent(socket->event);
}

void socket_event_enable(struct socket *socket, long events)
{
    socket->event_disabled &= ~events;
    socket->event_pending &= ~events;
    event_record(socket, events_that_hold(socket, events));
    async_select_enable(socket, events);
}

static void record_edges(struct socket *socket, long edges)
{
    long events =
        edges & (FD_CONNECT | FD_CLOSE | FD_ADDRESS_LIST_CHANGE | FD_ROUTING_INTERFACE_CHANGE);

    if (socket->closing)
        return; /* closesocket tells pollers, not the program's event */
    if (edges & FD_CONNECT)
        socket->event_disabled &= ~FD_WRITE;
    /* what has been taken already, by an operation that waited for it, is not told */
    events |= events_that_hold(socket, edges & ~events & ~(socket->event_disabled & FD_WRITE));
    if (events)
        event_record(socket, events);
}

void socket_notify(struct socket *socket, long edges)
{
    record_edges(socket, edges);
    async_select_notify(socket, edges);
    for (struct poller *poller = socket->pollers; poller; poller = poller->next) {
        long levels = socket_levels(socket, poller->events);

        if (levels && poller->waiter)
            waiter_signal(poller->waiter);
        else if (levels)
            poller->fires(poller, levels);
    }
}

/* ---- who waits ---- */

struct interest {
    uint32_t slot;   /* a wake word that names a thread, or 0 */
    uint32_t word;   /* of the one port, or completion queue of registered I/O, that waits, or 0 */
    bool pump;       /* somebody waits elsewhere, or at more than one of those */
    uint32_t issuer; /* in the pump's place: who waits for an event or a routine most likely */
};

static void interest_of_word(struct interest *interest, uint32_t word)
{
    if (word == RS_WAKE_PUMP || (word && interest->word && interest->word != word))
        interest->pump = true;
    else if (word)
        interest->word = word;
}

static void interest_of_port(struct interest *interest, const struct port *port)
{
    interest_of_word(interest, port ? port_wake_word(port) : RS_WAKE_PUMP);
}

static void interest_of_waiter(struct interest *interest, const struct waiter *waiter)
{
    if (!waiter || !waiter->slot)
        interest->pump = true;
    else if (!interest->slot)
        interest->slot = waiter_wake_word(waiter);
}

static void interest_of_queue(struct interest *interest, const struct socket *socket,
                              const struct operation_queue *queue)
{
    const struct operation *head = queue->head;

    if (!head)
        return;
    if (queue->requests && !(head->deliver && queue->tail->deliver))
        interest->pump = true; /* of both kinds: the head does not speak for all */
    if (queue->calls && (head->overlapped || head->deliver))
        interest->pump =
            true; /* nobody may be at the head's port: all its threads may block here */
    if (head->deliver)
        interest_of_word(interest, rio_wake_word(head));
    else if (head->overlapped)
        interest_of_port(interest, socket->port);
    if (head->overlapped && (head->event || head->routine) && head->issuer->slot &&
        head->issuer->session == socket->session)
        interest->issuer = waiter_wake_word(head->issuer);
    if (head->waiter || !(head->overlapped || head->deliver))
        interest_of_waiter(interest, head->waiter);
}

/* Some thread may wait in kernel32 for an operation's event, whatever its port's threads do. */
static bool waits_for_event(const struct socket *socket)
{
    return socket->receiving.with_event || socket->receiving_urgent.with_event ||
           socket->sending.with_event || socket->connecting.with_event ||
           socket->accepting.with_event || socket->backlog_watch.with_event;
}

static uint32_t interest_word(struct socket *socket)
{
    struct interest interest = {0};

    interest_of_queue(&interest, socket, &socket->receiving);
    interest_of_queue(&interest, socket, &socket->receiving_urgent);
    interest_of_queue(&interest, socket, &socket->connecting);
    interest_of_queue(&interest, socket, &socket->accepting);
    interest_of_queue(&interest, socket, &socket->sending);
    interest_of_queue(&interest, socket, &socket->backlog_watch);
    for (struct poller *poller = socket->pollers; poller; poller = poller->next) {
        if (poller->waiter)
            interest_of_waiter(&interest, poller->waiter);
        else
            interest_of_port(&interest, poller->port);
    }
    if (interest.slot)
        return interest.slot;
    if (interest.pump || socket->result_waiters || socket_is_selected(socket) ||
        waits_for_event(socket) || (interest.word && socket->object))
        /* whoever is parked and woken reaps for all; where that thread is not, the pump is woken */
        return interest.issuer ? interest.issuer : RS_WAKE_PUMP;
    return interest.word;
}

void socket_update_interest(struct socket *socket)
{
    uint32_t word;

    if (!socket->shared || socket->closing) /* the index may be another socket's already */
        return;
    if (socket->duplicated)
        share_waits_changed(socket);
    word = interest_word(socket);
    /* Pairs with the server's load after it has published a record: "publish, then look" on both
     * sides (docs/concurrency.md); whoever waits looks at the ring again after this. */
    if (__atomic_load_n(&socket->shared->interest, __ATOMIC_RELAXED) != word)
        __atomic_store_n(&socket->shared->interest, word, __ATOMIC_SEQ_CST);
}

void poller_add(struct socket *socket, struct poller *poller)
{
    poller->next = socket->pollers;
    poller->previous = &socket->pollers;
    if (poller->next)
        poller->next->previous = &poller->next;
    socket->pollers = poller;
}

void poller_remove(struct poller *poller)
{
    *poller->previous = poller->next;
    if (poller->next)
        poller->next->previous = poller->previous;
}
