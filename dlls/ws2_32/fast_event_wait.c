/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for fast events (the rules of their state are in fast_event.c's header comment).
 *
 * Owns each waiter's parked_wait.  Takes events_lock, never while it waits or reaps; the caller
 * holds no lock.
 *
 * A wait for nothing but events of ours looks at them, reaps, parks on its FIFO for
 * RINGSOCK_PARK_MS at most, and then waits in the kernel, counted, so that whoever sets one of the
 * events does so there. Everything else that waits for a known event, together with handles of
 * other things or through another call, waits in the kernel from the start, counted likewise.
 *
 * The FIFO phase runs no APCs.  An alertable wait lets the kernel run those that are there before
 * it parks, at most once in ALERT_MS per thread, and ends in the kernel: it is never late by more.
 * Completion routines run at once (routine.h).
 */
#include "fast_event_internal.h"
#include "intercept.h"
#include "log.h"
#include "routine.h"

/* ---- looking; caller holds the lock ---- */

static bool all_fast(const struct event_set *set)
{
    ULONG i;

    for (i = 0; i < set->count && set->events[i]->mode == EVENT_FAST; i++)
        ;
    return i == set->count;
}

static bool try_any(struct event_set *set)
{
    ULONG i;

    for (i = 0; i < set->count; i++) {
        if (event_ready(set->events[i])) {
            event_take(set->events[i]);
            set->satisfied = (LONG)i;
            return true;
        }
    }
    return false;
}

/* "The function does not modify the states of the specified objects until the states of all objects
 * have been set to signaled" (WaitForMultipleObjects). */
static bool try_all(struct event_set *set)
{
    ULONG i, ready = 0;

    while (ready < set->count && event_ready(set->events[ready]))
        ready++;
    for (i = 0; i < ready; i++) {
        if (ready == set->count)
            event_take(set->events[i]);
        else
            event_push(set->events[i]);
    }
    if (ready < set->count)
        return false;
    set->satisfied = 0;
    return true;
}

bool event_set_try(struct event_set *set)
{
    return set->any ? try_any(set) : try_all(set);
}

/* ---- parking ---- */

static void link_wait(struct parked_wait *wait)
{
    for (ULONG i = 0; i < wait->set.count; i++) {
        struct event *event = wait->set.events[i];
        struct event_link *link = &wait->links[i];

        link->wait = wait;
        link->next = NULL;
        link->previous = event->parked_end;
        *event->parked_end = link;
        event->parked_end = &link->next;
    }
    wait->linked = true;
}

void parked_wait_unlink(struct parked_wait *wait)
{
    for (ULONG i = 0; i < wait->set.count; i++) {
        struct event_link *link = &wait->links[i];

        *link->previous = link->next;
        if (link->next)
            link->next->previous = link->previous;
        else
            wait->set.events[i]->parked_end = link->previous;
    }
    wait->linked = false;
}

void event_wait_abandon(struct waiter *waiter)
{
    AcquireSRWLockExclusive(&events_lock);
    if (waiter->parked_wait && waiter->parked_wait->linked)
        parked_wait_unlink(waiter->parked_wait);
    ReleaseSRWLockExclusive(&events_lock);
}

static struct parked_wait *parked_wait_of(struct waiter *waiter, const struct event_set *set)
{
    struct parked_wait *wait = waiter->parked_wait;

    if (!wait && !(wait = waiter->parked_wait = calloc(1, sizeof(*wait))))
        return NULL;
    wait->waiter = waiter;
    wait->set.count = set->count;
    wait->set.any = set->any;
    wait->set.satisfied = NOT_SATISFIED;
    memcpy(wait->set.events, set->events, set->count * sizeof(set->events[0]));
    return wait;
}

/* STATUS_PENDING: to be gone on with in the kernel. */
static NTSTATUS look(struct event_set *set)
{
    NTSTATUS status = STATUS_PENDING;
    bool entered = events_enter();

    if (all_fast(set) && event_set_try(set))
        status = STATUS_WAIT_0 + set->satisfied;
    events_leave(entered);
    return status;
}

/* False: there is nothing to park for any more. */
static bool start_parking(struct parked_wait *wait)
{
    bool parks;

    AcquireSRWLockExclusive(&events_lock);
    if ((parks = all_fast(&wait->set) && !event_set_try(&wait->set)))
        link_wait(wait);
    ReleaseSRWLockExclusive(&events_lock);
    return parks;
}

static void park(struct parked_wait *wait, struct session *session, uint64_t deadline,
                 bool alertable)
{
    struct waiter *waiter = wait->waiter;
    enum waiter_result result = WAITER_SIGNALED;

    while (result == WAITER_SIGNALED) {
        session_reap(session);
        if (wait->set.satisfied != NOT_SATISFIED || session->dead || !all_fast(&wait->set) ||
            (alertable && routines_due(waiter)))
            break;
        result = waiter_wait_brief(waiter, deadline);
    }
    AcquireSRWLockExclusive(&events_lock);
    if (wait->linked)
        parked_wait_unlink(wait);
    ReleaseSRWLockExclusive(&events_lock);
}

/* STATUS_PENDING: nothing within the FIFO phase. */
static NTSTATUS wait_in_fifo(struct event_set *set, uint64_t deadline, bool alertable)
{
    struct session *session = session_current();
    struct waiter *waiter = session ? waiter_current() : NULL;
    struct parked_wait *wait = waiter ? parked_wait_of(waiter, set) : NULL;

    if (!wait)
        return STATUS_PENDING;
    if (alertable && alert_now(waiter))
        return STATUS_USER_APC;
    waiter_arm(waiter, session);
    wait = parked_wait_of(waiter, set); /* an APC, or the first use of a slot, may have used it */
    if (waiter->slot && start_parking(wait))
        park(wait, session, deadline, alertable);
    waiter_disarm(waiter);
    if (wait->set.satisfied != NOT_SATISFIED)
        return STATUS_WAIT_0 + wait->set.satisfied;
    if (alertable && routines_run(waiter))
        return STATUS_USER_APC;
    return !alertable && deadline != WAITER_FOREVER && rs_clock() >= deadline ? STATUS_TIMEOUT
                                                                              : STATUS_PENDING;
}

/* ---- in the kernel ---- */

void kernel_wait_begin(struct kernel_wait *wait, ULONG count, const HANDLE *handles)
{
    bool entered = events_enter();

    wait->count = count;
    for (ULONG i = 0; i < count; i++) {
        unsigned lacks;

        if (!(wait->events[i] = event_of(handles[i], &lacks)))
            continue;
        event_hold_locked(wait->events[i]);
        event_enter_kernel(wait->events[i]);
    }
    events_leave(entered);
}

bool wait_has_taken(ULONG index, bool any, ULONG count, NTSTATUS status)
{
    if (status < STATUS_WAIT_0 || (ULONG)status >= count)
        return false;
    return !any || (ULONG)status == index;
}

void kernel_wait_end(struct kernel_wait *wait, bool any, NTSTATUS status)
{
    bool entered = events_enter();

    for (ULONG i = 0; i < wait->count; i++) {
        if (!wait->events[i])
            continue;
        event_leave_kernel(wait->events[i], wait_has_taken(i, any, wait->count, status));
        event_put_locked(wait->events[i]);
    }
    events_leave(entered);
}

static NTSTATUS real_wait(ULONG count, const HANDLE *handles, bool any, bool alertable,
                          const LARGE_INTEGER *timeout)
{
    LARGE_INTEGER copy = timeout ? *timeout : (LARGE_INTEGER){.QuadPart = 0};
    struct waiter *waiter = alertable ? waiter_existing() : NULL;
    NTSTATUS status;

    alertable_begin(waiter);
    if (count == 1)
        status = real_NtWaitForSingleObject(handles[0], alertable, timeout ? &copy : NULL);
    else
        status =
            real_NtWaitForMultipleObjects(count, handles, any, alertable, timeout ? &copy : NULL);
    alertable_end(waiter);
    return status;
}

static NTSTATUS wait_in_kernel(ULONG count, const HANDLE *handles, bool any, bool alertable,
                               const LARGE_INTEGER *timeout)
{
    struct kernel_wait wait;
    NTSTATUS status;

    kernel_wait_begin(&wait, count, handles);
    status = real_wait(count, handles, any, alertable, timeout);
    kernel_wait_end(&wait, any, status);
    return status;
}

/* ---- the whole ---- */

static bool twice(const struct event_set *set)
{
    for (ULONG i = 1; i < set->count; i++)
        for (ULONG k = 0; k < i; k++)
            if (set->events[i] == set->events[k])
                return true;
    return false;
}

/* True: all are fast, the plain ones among them from now on, and `set` has references.  A wait for
 * plain events alone leaves them as they are. */
static bool collect(struct event_set *set, const HANDLE *handles)
{
    bool entered = events_enter(), ours = true;
    ULONG i, fast = 0;
    unsigned lacks;

    for (i = 0; i < set->count && ours; i++) {
        struct event *event = set->events[i] = event_of(handles[i], &lacks);

        ours = event && !(lacks & HANDLE_NO_WAIT) && event->mode != EVENT_NATIVE;
        fast += ours && event->mode == EVENT_FAST;
    }
    /* who waits for all of them names each but once: the kernel is to say what it thinks of it */
    ours = ours && fast && (set->any || !twice(set));
    for (i = 0; i < set->count && ours; i++) {
        event_adopt(set->events[i]);
        event_hold_locked(set->events[i]);
    }
    events_leave(entered);
    return ours;
}

static void put(const struct event_set *set)
{
    bool entered = events_enter();

    for (ULONG i = 0; i < set->count; i++)
        event_put_locked(set->events[i]);
    events_leave(entered);
}

/* STATUS_PENDING: to be gone on with in the kernel. */
static NTSTATUS wait_fast(struct event_set *set, bool alertable, const LARGE_INTEGER *timeout,
                          uint64_t deadline)
{
    struct session *session;
    NTSTATUS status = look(set);

    if (status != STATUS_PENDING || RtlDllShutdownInProgress())
        return status;
    if ((session = session_current())) {
        session_reap(session);
        if ((status = look(set)) != STATUS_PENDING)
            return status;
    }
    if (alertable && routines_run(waiter_existing()))
        return STATUS_USER_APC;
    if (timeout && !timeout->QuadPart)
        return alertable ? STATUS_PENDING : STATUS_TIMEOUT;
    return wait_in_fifo(set, deadline, alertable);
}

static NTSTATUS wait_for_set(struct event_set *set, const HANDLE *handles, bool alertable,
                             const LARGE_INTEGER *timeout)
{
    uint64_t now, deadline = timeout && !timeout->QuadPart ? 0 : waiter_nt_deadline(timeout);
    NTSTATUS status = wait_fast(set, alertable, timeout, deadline);
    LARGE_INTEGER left = {.QuadPart = 0};

    if (status != STATUS_PENDING)
        return status;
    if (timeout && timeout->QuadPart > 0)
        left = *timeout; /* a date stays one, however the clock is set meanwhile */
    else if (deadline && deadline != WAITER_FOREVER && (now = rs_clock()) < deadline)
        left.QuadPart = -(LONGLONG)(deadline - now);
    return wait_in_kernel(set->count, handles, set->any, alertable,
                          deadline == WAITER_FOREVER ? NULL : &left);
}

/* Together with other things: the events before the first of those can still end a wait for any at
 * once. */
static NTSTATUS look_first(ULONG count, const HANDLE *handles)
{
    NTSTATUS status = STATUS_PENDING;
    bool entered = events_enter();
    unsigned lacks;

    for (ULONG i = 0; i < count && status == STATUS_PENDING; i++) {
        struct event *event = event_of(handles[i], &lacks);

        if (!event || (lacks & HANDLE_NO_WAIT) || event->mode != EVENT_FAST)
            break;
        if (event_ready(event)) {
            event_take(event);
            status = STATUS_WAIT_0 + (NTSTATUS)i;
        }
    }
    events_leave(entered);
    return status;
}

static NTSTATUS wait_mixed(ULONG count, const HANDLE *handles, bool any, bool alertable,
                           const LARGE_INTEGER *timeout)
{
    NTSTATUS status = any ? look_first(count, handles) : STATUS_PENDING;

    return status != STATUS_PENDING ? status
                                    : wait_in_kernel(count, handles, any, alertable, timeout);
}

/* What can be told of the handles without a lock. */
static enum event_mode glance(ULONG count, const HANDLE *handles)
{
    enum event_mode found = EVENT_NATIVE;
    unsigned lacks;

    for (ULONG i = 0; i < count && found != EVENT_FAST; i++) {
        const struct event *event = event_of(handles[i], &lacks);
        enum event_mode mode = event ? (enum event_mode)event->mode : EVENT_NATIVE;

        if (mode != EVENT_NATIVE)
            found = mode;
    }
    return found;
}

NTSTATUS event_wait(ULONG count, const HANDLE *handles, bool any, bool alertable,
                    const LARGE_INTEGER *timeout)
{
    enum event_mode found = glance(count, handles);
    struct event_set set;
    NTSTATUS status;

    if (found == EVENT_NATIVE)
        return real_wait(count, handles, any, alertable, timeout);
    if (found == EVENT_PLAIN)
        return wait_in_kernel(count, handles, any || count == 1, alertable, timeout);
    set.count = count;
    set.any = any || count == 1;
    set.satisfied = NOT_SATISFIED;
    if (!collect(&set, handles))
        return wait_mixed(count, handles, set.any, alertable, timeout);
    status = wait_for_set(&set, handles, alertable, timeout);
    put(&set);
    return status;
}
