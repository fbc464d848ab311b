/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting on a completion port (the rules are in port.c's header comment).
 *
 * Owns nothing.  Takes port.lock, never while it waits or reaps; the caller holds no lock.
 */
#include "intercept.h"
#include "port_internal.h"
#include "routine.h"

/* How stale the kernel's queue may get on a port that should never have anything there. */
#define KERNEL_LOOK_MS 100u
/* A foreign port's kernel packets get their turn even if the queue here never runs dry. */
#define KERNEL_TURN    16u

/* One call of NtRemoveIoCompletion*, on its thread's stack. */
struct removal {
    struct port *port;
    HANDLE handle; /* the caller's own */
    struct io_packet *packets;
    ULONG count, removed;
    uint64_t deadline; /* WAITER_FOREVER: none */
    bool alertable;
};

/* The cheaper of the two calls, where it can be told no difference. */
static NTSTATUS ask_for_one(struct removal *removal, LARGE_INTEGER *timeout)
{
    struct io_packet *packet = removal->packets;
    NTSTATUS status = real_NtRemoveIoCompletion(removal->handle, &packet->key, &packet->context,
                                                &packet->iosb, timeout);

    removal->removed = !status;
    return status;
}

/* NtRemoveIoCompletion* itself; what came may be tokens. */
static NTSTATUS ask_kernel(struct removal *removal, LARGE_INTEGER *timeout, bool alertable)
{
    struct waiter *waiter = alertable ? waiter_existing() : NULL;
    NTSTATUS status;

    if (removal->count == 1 && !alertable)
        return ask_for_one(removal, timeout);
    removal->removed = 0;
    alertable_begin(waiter);
    status = real_NtRemoveIoCompletionEx(removal->handle, removal->packets, removal->count,
                                         &removal->removed, timeout, alertable);
    alertable_end(waiter);
    if (status)
        removal->removed = 0;
    return status;
}

static NTSTATUS poll_kernel(struct removal *removal, bool alertable)
{
    struct port *port = removal->port;
    LARGE_INTEGER zero = {.QuadPart = 0};
    NTSTATUS status = ask_kernel(removal, &zero, alertable);
    bool full = removal->removed == removal->count;

    AcquireSRWLockExclusive(&port->lock);
    removal->removed = port_drop_tokens(port, removal->packets, removal->removed);
    port->kernel_look = GetTickCount64();
    if (full)
        port->kernel_first = true; /* there may be more */
    port_call_waiter(port);
    ReleaseSRWLockExclusive(&port->lock);
    return !status && !removal->removed ? STATUS_TIMEOUT : status;
}

/* Is it the kernel queue's turn before ours?  Caller holds the lock. */
static bool kernel_turn(struct port *port)
{
    if (port->kernel_first) {
        /* what a thread still posts there will be younger than what is here only after this */
        if (!port->kernel_posts)
            port->kernel_first = false;
        return true;
    }
    return port->count && port->foreign && !(++port->removals % KERNEL_TURN);
}

/* What a wait on a port that was closed ends with.  Some Wines' kernel32 do not know
 * STATUS_ABANDONED_WAIT_0; for the program's sake they get a status that they turn into the right
 * error. */
static NTSTATUS abandoned(void)
{
    if (RtlNtStatusToDosError(STATUS_ABANDONED_WAIT_0) == ERROR_ABANDONED_WAIT_0)
        return STATUS_ABANDONED_WAIT_0;
    return (NTSTATUS)HRESULT_FROM_WIN32(ERROR_ABANDONED_WAIT_0);
}

/* Packets without waiting; STATUS_PENDING if there are none.  Caller holds the lock. */
static NTSTATUS take_locked(struct removal *removal)
{
    struct port *port = removal->port;

    removal->removed = port_pop(port, removal->packets, removal->count);
    port_call_waiter(port);
    if (removal->removed)
        return STATUS_SUCCESS;
    return port->closed ? abandoned() : STATUS_PENDING;
}

static NTSTATUS take(struct removal *removal)
{
    struct port *port = removal->port;
    NTSTATUS status;

    AcquireSRWLockExclusive(&port->lock);
    if (!port->closed && kernel_turn(port)) {
        ReleaseSRWLockExclusive(&port->lock);
        if (!poll_kernel(removal, false))
            return STATUS_SUCCESS;
        AcquireSRWLockExclusive(&port->lock);
    }
    status = take_locked(removal);
    ReleaseSRWLockExclusive(&port->lock);
    return status;
}

/* From here to reap_and_lock nobody else need be called: we look. */
static void start_look(struct port *port)
{
    InterlockedIncrement(&port->lookers);
}

/* Reaps, and returns with the port's lock held. */
static void reap_and_lock(struct port *port)
{
    struct session *session = session_current();

    if (session)
        session_reap(session);
    AcquireSRWLockExclusive(&port->lock);
    InterlockedDecrement(&port->lookers);
}

static NTSTATUS reap_and_take(struct removal *removal)
{
    NTSTATUS status;

    start_look(removal->port);
    reap_and_lock(removal->port);
    status = take_locked(removal);
    ReleaseSRWLockExclusive(&removal->port->lock);
    return status;
}

/* The end of a wait, or of a call that must not wait. */
static NTSTATUS last_look(struct removal *removal)
{
    struct port *port = removal->port;

    if (!removal->alertable && !port->foreign &&
        GetTickCount64() - port->kernel_look < KERNEL_LOOK_MS)
        return STATUS_TIMEOUT;
    return poll_kernel(removal, removal->alertable);
}

/* ---- the FIFO phase ---- */

static void push_parked(struct port *port, struct parked *parked)
{
    parked->next = port->parked;
    parked->previous = &port->parked;
    if (parked->next)
        parked->next->previous = &parked->next;
    port->parked = parked;
    port_publish(port);
}

static void leave_parked(struct port *port, struct parked *parked)
{
    if (parked->called) {
        port->called--;
        return;
    }
    *parked->previous = parked->next;
    if (parked->next)
        parked->next->previous = parked->previous;
    port_publish(port);
}

/* Nothing to park for, or nothing that would wake us. */
static bool must_not_park(const struct port *port)
{
    return port->count || port->closed || port->foreign || port->kernel_first;
}

/* STATUS_PENDING: nothing within the FIFO phase. */
static NTSTATUS park(struct removal *removal, struct session *session)
{
    struct port *port = removal->port;
    struct parked parked = {.waiter = waiter_current()};
    enum waiter_result result;
    NTSTATUS status;

    if (!parked.waiter)
        return STATUS_PENDING;
    waiter_arm(parked.waiter, session);
    AcquireSRWLockExclusive(&port->lock);
    if (must_not_park(port)) {
        ReleaseSRWLockExclusive(&port->lock);
        waiter_disarm(parked.waiter);
        return STATUS_PENDING;
    }
    push_parked(port, &parked);
    do {
        ReleaseSRWLockExclusive(&port->lock);
        result = waiter_wait_brief(parked.waiter, removal->deadline);
        start_look(port);
        reap_and_lock(port);
        /* alertable: a signal that brought no packet may have been for an APC */
    } while (result == WAITER_SIGNALED && !parked.called && !must_not_park(port) &&
             !session->dead && !removal->alertable);
    leave_parked(port, &parked);
    status = take_locked(removal);
    ReleaseSRWLockExclusive(&port->lock);
    waiter_disarm(parked.waiter);
    return status;
}

/* Before an alertable thread parks, which runs no APCs: those that are there, now and then. */
static NTSTATUS run_apcs(struct removal *removal)
{
    static DWORD tls = TLS_OUT_OF_INDEXES; /* when this thread did so last */
    static LONG volatile allocating;
    DWORD now = GetTickCount();

    if (tls == TLS_OUT_OF_INDEXES) {
        if (InterlockedExchange(&allocating, 1) || (tls = TlsAlloc()) == TLS_OUT_OF_INDEXES)
            return STATUS_PENDING;
    }
    if (now - (DWORD)(ULONG_PTR)TlsGetValue(tls) < ALERT_MS)
        return STATUS_PENDING;
    TlsSetValue(tls, (void *)(ULONG_PTR)now);
    return poll_kernel(removal, true);
}

/* ---- the kernel phase ---- */

/* Counts the thread as one that waits in the kernel; STATUS_PENDING: it may. */
static NTSTATUS enter_kernel(struct removal *removal)
{
    struct port *port = removal->port;
    NTSTATUS status = STATUS_PENDING;

    start_look(port);
    AcquireSRWLockExclusive(&port->lock);
    InterlockedIncrement(&port->kernel_waiters);
    port_publish(port);
    ReleaseSRWLockExclusive(&port->lock);
    reap_and_lock(port); /* publish, then look */
    if (port->count || port->closed) {
        InterlockedDecrement(&port->kernel_waiters);
        port_publish(port);
        status = take_locked(removal);
    }
    ReleaseSRWLockExclusive(&port->lock);
    return status;
}

/* STATUS_PENDING: was called for nothing. */
static NTSTATUS leave_kernel(struct removal *removal, NTSTATUS result)
{
    struct port *port = removal->port;
    NTSTATUS status = STATUS_SUCCESS;

    AcquireSRWLockExclusive(&port->lock);
    InterlockedDecrement(&port->kernel_waiters);
    removal->removed = port_drop_tokens(port, removal->packets, removal->removed);
    port->kernel_look = GetTickCount64();
    port_publish(port);
    if (removal->removed)
        port_call_waiter(port);
    else if ((status = take_locked(removal)) == STATUS_PENDING && result)
        status = result;
    ReleaseSRWLockExclusive(&port->lock);
    return status;
}

static NTSTATUS wait_in_kernel(struct removal *removal)
{
    LARGE_INTEGER timeout = {.QuadPart = 0};
    bool forever = removal->deadline == WAITER_FOREVER;
    NTSTATUS status = enter_kernel(removal);
    uint64_t now;

    if (status != STATUS_PENDING)
        return status;
    now = forever ? 0 : rs_clock();
    if (!forever && now < removal->deadline)
        timeout.QuadPart = -(LONGLONG)(removal->deadline - now);
    status = ask_kernel(removal, forever ? NULL : &timeout, removal->alertable);
    return leave_kernel(removal, status);
}

/* Before the first association everything is the kernel's, but who waits is counted.
 * STATUS_PENDING: the port is not like that, or not any more. */
static NTSTATUS wait_like_before(struct removal *removal, LARGE_INTEGER *timeout)
{
    struct port *port = removal->port;
    NTSTATUS status;

    InterlockedIncrement(&port->kernel_waiters); /* then look: pairs with make_fast */
    if (port->fast) {
        InterlockedDecrement(&port->kernel_waiters);
        return STATUS_PENDING;
    }
    status = ask_kernel(removal, timeout, removal->alertable);
    if (!port->closed && !(removal->removed && port_is_token(&removal->packets[0]))) {
        InterlockedDecrement(&port->kernel_waiters); /* then look, again */
        if (!port->fast)
            return status;
        InterlockedIncrement(&port->kernel_waiters);
    }
    return leave_kernel(removal, status);
}

/* ---- the whole ---- */

static NTSTATUS wait_fast(struct removal *removal, const LARGE_INTEGER *timeout)
{
    NTSTATUS status = STATUS_PENDING;

    for (;;) {
        struct session *session;

        if ((status = take(removal)) != STATUS_PENDING)
            return status;
        if ((status = reap_and_take(removal)) != STATUS_PENDING)
            return status;
        if (removal->alertable && routines_run(waiter_existing()))
            return STATUS_USER_APC;
        if (timeout && !timeout->QuadPart)
            return last_look(removal);
        if (!removal->deadline)
            removal->deadline = waiter_nt_deadline(timeout);
        if (removal->alertable && (status = run_apcs(removal)) != STATUS_PENDING &&
            status != STATUS_TIMEOUT)
            return status;
        session = session_current();
        if (session && (status = park(removal, session)) != STATUS_PENDING)
            return status;
        if (removal->alertable && routines_run(waiter_existing()))
            return STATUS_USER_APC;
        if (removal->deadline != WAITER_FOREVER && rs_clock() >= removal->deadline) {
            if ((status = last_look(removal)) != STATUS_TIMEOUT)
                return status;
            status = reap_and_take(removal);
            return status == STATUS_PENDING ? STATUS_TIMEOUT : status;
        }
        if ((status = wait_in_kernel(removal)) != STATUS_PENDING)
            return status;
    }
}

NTSTATUS port_remove(struct port *port, HANDLE handle, struct io_packet *packets, ULONG count,
                     ULONG *removed, const LARGE_INTEGER *timeout, bool alertable)
{
    struct removal removal = {
        .port = port, .handle = handle, .packets = packets, .count = count, .alertable = alertable};
    LARGE_INTEGER copy = timeout ? *timeout : (LARGE_INTEGER){.QuadPart = 0};
    NTSTATUS status = STATUS_PENDING;

    if (!port->fast) {
        if (!timeout || timeout->QuadPart)
            removal.deadline = waiter_nt_deadline(timeout);
        status = wait_like_before(&removal, timeout ? &copy : NULL);
    }
    if (status == STATUS_PENDING)
        status = wait_fast(&removal, timeout);
    *removed = removal.removed;
    return status;
}
