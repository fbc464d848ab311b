/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion ports in user mode: packets, and whom they wake (waiting itself: port_remove.c).
 *
 * Owns: each port's queue, its stack of parked threads, its tokens, its wake word in the session's
 * segment.  Takes port.lock, which is inner to a socket's lock and to the ports' table_lock; under
 * it only waiter_signal and, for a token, real_NtSetIoCompletion are called.
 *
 * From the first association of a socket on ("fast"), every packet of ours and every post of the
 * program goes into the port's own queue and stays there until a thread of this process takes it:
 * no packet is ever in two places, so none is lost or doubled and the order is that of the queue.
 * The kernel's queue holds what completes there by itself (files, jobs: such a port is "foreign"),
 * what was posted before (kernel_first: taken first), and tokens.  A token only says "look at the
 * queue": it is how a thread that waits in the kernel is woken, and is dropped wherever it comes
 * out.
 *
 * A thread that wants a packet, in this order: takes one from the queue; reaps the completion ring
 * and looks again; parks on its FIFO for some milliseconds (not on a foreign port, whose kernel
 * packets it would not see); waits in the kernel.
 *
 * No lost wake-up.  The invariant, true whenever port.lock is free:
 *
 *     packets queued, and threads parked or in the kernel
 *         => one of them was called (called > 0, or a token is out for a thread in the kernel),
 *            or a looker is about to take the lock (lookers > 0).
 *
 * Posting, and every end of one of the things on the right, happens under the lock and ends in
 * port_call_waiter, which restores it.  Who was called takes a packet and calls the next one if
 * there are more: so one wake-up is under way per port, and a burst wakes as many threads as are
 * needed to take it.  A thread counts itself as waiting, under the lock and with the queue empty,
 * before it waits.  `lookers` goes up without the lock: a poster that misses it only wakes one
 * thread too many.
 *
 * And none between server and port: the server publishes a record, then loads the socket's interest
 * word and the port's group word.  A thread publishes the group word, then looks at the ring, then
 * waits.  So the server sees the word or the thread sees the record.  The word is the topmost
 * parked thread's slot (woken, it reaps; if it is not parked any more the server wakes the pump,
 * which reaps and calls a waiter); the pump while threads wait in the kernel only; nobody while
 * nobody waits, since the next one to ask looks at the ring first.
 */
#include "intercept.h"
#include "log.h"
#include "port_internal.h"
#include "port_table.h"
#include "socket.h"

#define FIRST_CAPACITY 64u
#define MAX_CAPACITY   (1u << 24)             /* beyond, the kernel keeps them */
#define TOKEN_STATUS   ((NTSTATUS)0x6e4b5352) /* customer code, success: no real packet has it */

static const char token_key; /* its address: a key that the program cannot have chosen */

/* ---- tokens ---- */

static void post_token(struct port *port)
{
    NTSTATUS status = STATUS_INVALID_HANDLE;

    if (port->handle)
        status = real_NtSetIoCompletion(port->handle, (ULONG_PTR)&token_key, (ULONG_PTR)port,
                                        TOKEN_STATUS, 0);
    if (!status)
        port->tokens++;
    else
        log_once(LOG_WARN, "threads that wait on port %p cannot be woken: status %08lx",
                 port->handle, (unsigned long)status);
}

bool port_is_token(const struct io_packet *packet)
{
    return packet->key == (ULONG_PTR)&token_key && packet->iosb.Status == TOKEN_STATUS;
}

ULONG port_drop_tokens(struct port *port, struct io_packet *packets, ULONG count)
{
    ULONG i, left = 0;

    for (i = 0; i < count; i++) {
        if (!port_is_token(&packets[i]))
            packets[left++] = packets[i];
        else if (port->tokens)
            port->tokens--;
    }
    return left;
}

/* ---- who is to look ---- */

void port_publish(struct port *port)
{
    struct session *session = session_current();
    uint32_t word = RS_WAKE_NONE;

    if (!session || !port->group || port->group >= session->group_count)
        return;
    if (port->parked && port->parked->waiter->session == session)
        word = waiter_wake_word(port->parked->waiter);
    else if (port->parked || port->kernel_waiters)
        word = RS_WAKE_PUMP;
    /* pairs with the server's load after it has published a record: see above */
    __atomic_store_n(&session->groups[port->group], word, __ATOMIC_SEQ_CST);
}

static void call_parked(struct port *port)
{
    struct parked *parked = port->parked;

    port->parked = parked->next;
    if (port->parked)
        port->parked->previous = &port->parked;
    parked->called = true; /* under the lock: the thread's stack lives until it has taken it */
    port->called++;
    waiter_signal(parked->waiter);
}

void port_call_waiter(struct port *port)
{
    if (!port->count || port->closed || port->called || port->lookers)
        return;
    if (port->tokens && port->kernel_waiters)
        return;
    if (port->parked) {
        call_parked(port);
        port_publish(port);
    } else if (port->kernel_waiters)
        post_token(port);
}

void port_call_all(struct port *port)
{
    LONG waiters;

    while (port->parked)
        call_parked(port);
    port_publish(port);
    for (waiters = port->kernel_waiters; waiters > 0; waiters--)
        post_token(port);
}

static void call_parked_all(struct port *port)
{
    AcquireSRWLockExclusive(&port->lock);
    while (port->parked)
        call_parked(port);
    port_publish(port);
    ReleaseSRWLockExclusive(&port->lock);
}

void port_wake_all(void)
{
    port_for_each(call_parked_all);
}

/* ---- the queue ---- */

static bool grow(struct port *port)
{
    uint32_t i, capacity = port->capacity ? port->capacity * 2 : FIRST_CAPACITY;
    struct packet *packets;

    if (capacity > MAX_CAPACITY || !(packets = malloc(capacity * sizeof(*packets))))
        return false;
    for (i = 0; i < port->count; i++)
        packets[i] = port->packets[(port->first + i) & (port->capacity - 1)];
    free(port->packets);
    port->packets = packets;
    port->first = 0;
    port->capacity = capacity;
    return true;
}

ULONG port_pop(struct port *port, struct io_packet *packets, ULONG count)
{
    ULONG i;

    for (i = 0; i < count && port->count; i++) {
        const struct packet *packet = &port->packets[port->first];

        packets[i].key = packet->key;
        packets[i].context = packet->context;
        packets[i].iosb.Status = packet->status;
        packets[i].iosb.Information = packet->information;
        port->first = (port->first + 1) & (port->capacity - 1);
        port->count--;
    }
    return i;
}

static NTSTATUS post_to_kernel(struct port *port, const struct packet *packet)
{
    if (!port->handle)
        return STATUS_INVALID_HANDLE; /* closed: nobody can ever ask for the packet */
    return real_NtSetIoCompletion(port->handle, packet->key, packet->context, packet->status,
                                  packet->information);
}

void port_post(struct port *port, ULONG_PTR key, ULONG_PTR context, NTSTATUS status,
               ULONG_PTR information)
{
    struct packet packet = {key, context, information, status};

    AcquireSRWLockExclusive(&port->lock);
    if (port->closed)
        log_debug("a packet for a closed port");
    else if (!port->native && (port->count < port->capacity || grow(port))) {
        port->packets[(port->first + port->count++) & (port->capacity - 1)] = packet;
        port_call_waiter(port);
    } else {
        NTSTATUS posted = post_to_kernel(port, &packet);

        port->kernel_first = true;
        if (posted)
            log_error("a packet for port %p is lost: status %08lx", port->handle,
                      (unsigned long)posted);
    }
    ReleaseSRWLockExclusive(&port->lock);
}

NTSTATUS port_send(struct port *port, HANDLE handle, const struct io_packet *packet)
{
    NTSTATUS status = STATUS_PENDING;

    InterlockedIncrement(&port->kernel_posts); /* then look: pairs with make_fast, kernel_turn */
    if (!port->fast)
        status = real_NtSetIoCompletion(handle, packet->key, packet->context, packet->iosb.Status,
                                        packet->iosb.Information);
    InterlockedDecrement(&port->kernel_posts);
    if (status != STATUS_PENDING)
        return status;
    port_post(port, packet->key, packet->context, packet->iosb.Status, packet->iosb.Information);
    return STATUS_SUCCESS;
}

void port_foreign(struct port *port, LONG change)
{
    AcquireSRWLockExclusive(&port->lock);
    port->foreign += change;
    while (port->foreign && port->parked)
        call_parked(port); /* they would not see the kernel's packets */
    port_publish(port);
    ReleaseSRWLockExclusive(&port->lock);
}

/* ---- sockets ---- */

static void make_fast(struct port *port)
{
    if (!port->group)
        port_give_group(port);
    AcquireSRWLockExclusive(&port->lock);
    if (!port->fast) {
        port->kernel_first = true;
        InterlockedExchange(&port->fast, 1); /* pairs with the counters in port_remove, port_send */
    }
    port_publish(port);
    ReleaseSRWLockExclusive(&port->lock);
}

NTSTATUS port_open_fast(HANDLE file, HANDLE handle, ULONG_PTR key, struct port **port)
{
    if (!(*port = port_adopt(handle))) {
        /* the kernel knows what is wrong with it; or else that it is a port after all */
        struct file_completion information = {handle, key};
        IO_STATUS_BLOCK iosb;
        NTSTATUS status = real_NtSetInformationFile(file, &iosb, &information, sizeof(information),
                                                    FILE_COMPLETION_CLASS);

        if (status)
            return status;
        if (!(*port = port_adopt_unchecked(handle)))
            return STATUS_NO_MEMORY;
    }
    if (!(*port)->native)
        make_fast(*port);
    return STATUS_SUCCESS;
}

struct port *port_open_notified(HANDLE handle)
{
    struct port *port = port_adopt(handle);

    if (port && !port->native)
        make_fast(port);
    return port;
}

NTSTATUS port_associate(struct socket *socket, HANDLE handle, ULONG_PTR key)
{
    struct port *port;
    NTSTATUS status = port_open_fast((HANDLE)socket->handle, handle, key, &port);

    if (status)
        return status;
    status = STATUS_INVALID_PARAMETER;
    AcquireSRWLockExclusive(&socket->lock);
    if (!socket->port) {
        socket->port_key = key;
        socket->port = port_hold(port);
        socket_update_interest(socket);
        status = STATUS_SUCCESS;
    }
    ReleaseSRWLockExclusive(&socket->lock);
    port_put(port);
    return status;
}

NTSTATUS port_replace(struct socket *socket, HANDLE handle, ULONG_PTR key)
{
    struct former_port *former = malloc(sizeof(*former));
    struct port *port = NULL;
    NTSTATUS status = former ? STATUS_SUCCESS : STATUS_NO_MEMORY;

    if (!status && handle)
        status = port_open_fast((HANDLE)socket->handle, handle, key, &port);
    if (status) {
        free(former);
        return status;
    }
    AcquireSRWLockExclusive(&socket->lock);
    former->port = socket->port;
    former->next = socket->former_ports;
    socket->former_ports = former;
    socket->port_key = key;
    socket->port = port;
    socket_update_interest(socket);
    ReleaseSRWLockExclusive(&socket->lock);
    return STATUS_SUCCESS;
}

bool port_is_fast(const struct port *port)
{
    return port->fast;
}

static void put_if_any(struct port *port)
{
    if (port)
        port_put(port);
}

void port_release(struct socket *socket)
{
    struct former_port *former;

    while ((former = socket->former_ports)) {
        socket->former_ports = former->next;
        put_if_any(former->port);
        free(former);
    }
    put_if_any(socket->port);
    socket->port = NULL;
}

uint32_t port_wake_word(const struct port *port)
{
    return port->group ? RS_WAKE_GROUP(port->group) : RS_WAKE_PUMP;
}
