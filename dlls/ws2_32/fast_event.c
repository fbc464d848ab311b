/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of fast events (see fast_event.h).
 *
 * Owns: the state of every known event.  Takes events_lock; makes real calls on events under it,
 * but only while a thread waits in the kernel or just did.
 *
 * A signal is in one place.  A manual-reset event's is `set`; `in_kernel` says that the kernel has
 * a copy of it, which is made when a thread waits there and taken back by the next reset.  An
 * auto-reset event's is either `set` or in the kernel, and in the kernel only while a thread waits
 * there:
 *
 *     auto-reset, kernel_waiters > 0  =>  not set
 *     auto-reset, kernel_waiters == 0 =>  in_kernel == 0
 *
 * `in_kernel` of an auto-reset event counts real sets that nobody is known to have consumed, so it
 * is at least 1 while the kernel's object is signaled; 0 says surely that it is not.  The last
 * thread to leave the kernel takes back what is left there (event_leave_kernel).
 *
 * Who sets an event gives the signal to a parked thread, first come, first served; an auto-reset
 * one's goes to the kernel only if nobody who is parked takes it.
 */
#include "fast_event_internal.h"
#include "intercept.h"
#include "log.h"

/* Plain events are changed by real calls that are not under the lock; how long one may take. */
#define CHANGERS_MS 1000u

/* ---- the kernel's copy; caller holds the lock ---- */

void event_push(struct event *event)
{
    if (!event->set || !event->kernel_waiters || (event->manual && event->in_kernel))
        return;
    if (real_NtSetEvent(event->handle, NULL)) {
        log_once(LOG_WARN, "event %p cannot be set for those who wait in the kernel",
                 event->handle);
        return;
    }
    event->in_kernel++;
    if (!event->manual)
        event->set = false;
}

/* What the kernel still holds of an auto-reset event becomes ours. */
static void pull(struct event *event)
{
    LONG previous = 0;

    if (event->manual || !event->in_kernel)
        return;
    if (!real_NtResetEvent(event->handle, &previous) && previous)
        event->set = true;
    event->in_kernel = 0;
}

void event_enter_kernel(struct event *event)
{
    event->kernel_waiters++;
    if (event->mode == EVENT_FAST)
        event_push(event);
}

void event_leave_kernel(struct event *event, bool consumed)
{
    event->kernel_waiters--;
    if (event->mode != EVENT_FAST || event->manual)
        return;
    if (consumed && event->in_kernel)
        event->in_kernel--;
    if (event->kernel_waiters || !event->in_kernel)
        return;
    pull(event);
    event_satisfy(event);
}

/* ---- signals; caller holds the lock ---- */

bool event_ready(struct event *event)
{
    LARGE_INTEGER zero = {.QuadPart = 0};

    if (!event->set && !event->manual && event->in_kernel &&
        real_NtWaitForSingleObject(event->handle, FALSE, &zero) == STATUS_WAIT_0) {
        event->in_kernel--;
        event->set = true; /* until event_take, or push gives it back */
    }
    return event->set;
}

void event_take(struct event *event)
{
    if (!event->manual)
        event->set = false;
}

static void give(struct event *event)
{
    struct event_link *link = event->parked;

    while (link && event->set) {
        struct parked_wait *wait = link->wait;

        if (event_set_try(&wait->set)) {
            parked_wait_unlink(wait);
            waiter_signal(wait->waiter);
            link = event->parked; /* the same event may be there twice in one wait */
        } else
            link = link->next;
    }
}

void event_satisfy(struct event *event)
{
    give(event);
    event_push(event);
}

static bool reset(struct event *event)
{
    bool was = event->set;
    LONG previous = 0;

    event->set = false;
    if (event->in_kernel) {
        real_NtResetEvent(event->handle, &previous);
        if (event->manual)
            event->in_kernel = 0;
        was = was || previous;
    }
    return was;
}

static bool set(struct event *event)
{
    bool was = event->set;
    LONG previous = 0;

    if (!was && !event->manual && event->in_kernel) {
        /* somebody may be on the way with the last one, or not */
        if (!real_NtResetEvent(event->handle, &previous) && previous)
            event->in_kernel--;
        was = previous;
    }
    event->set = true;
    event_satisfy(event);
    return was;
}

/* "sets the state of the event to signaled and then resets it after the release of the appropriate
 * number of waiting threads" (PulseEvent).  Threads that are between looking and waiting miss it:
 * the same page says that this happens. */
static bool pulse(struct event *event)
{
    bool was = reset(event);

    event->set = true;
    if (event->kernel_waiters && (event->manual || !event->parked)) {
        real_NtPulseEvent(event->handle, NULL);
        if (!event->manual) {
            event->in_kernel++; /* if there was somebody to consume it */
            event->set = false;
            return was;
        }
    }
    give(event);
    event->set = false;
    return was;
}

/* ---- between the modes; caller holds the lock ---- */

/* Those who saw the event plain and change it by a real call: it is short. */
static bool changers_gone(const struct event *event)
{
    DWORD start = GetTickCount();

    while (event->changers) {
        if (GetTickCount() - start > CHANGERS_MS)
            return false;
        SwitchToThread();
    }
    return true;
}

static bool kernel_state(const struct event *event)
{
    struct event_information information = {0};

    return !real_NtQueryEvent(event->handle, EVENT_BASIC_CLASS, &information, sizeof(information),
                              NULL) &&
           information.set;
}

void event_adopt(struct event *event)
{
    if (event->mode != EVENT_PLAIN)
        return;
    event_mark_fast(event); /* then take the kernel's signal: pairs with passes_by, wait_object.c */
    InterlockedExchange(&event->mode, EVENT_FAST); /* then look: pairs with change_plain */
    if (!changers_gone(event)) {
        InterlockedExchange(&event->mode, EVENT_NATIVE);
        return;
    }
    if (event->manual) {
        event->set = kernel_state(event);
        event->in_kernel = event->set;
    } else {
        /* at most each of those who wait, and one signal more */
        event->in_kernel = event->kernel_waiters + 1;
        if (!event->kernel_waiters)
            pull(event);
    }
}

void event_demote(struct event *event)
{
    struct event_link *link;

    if (event->mode == EVENT_FAST) {
        if (event->set && !(event->manual && event->in_kernel))
            real_NtSetEvent(event->handle, NULL);
        event->set = false;
        event->in_kernel = 0;
    }
    InterlockedExchange(&event->mode, EVENT_NATIVE);
    for (link = event->parked; link; link = link->next)
        waiter_signal(
            link->wait->waiter); /* each sees that this is not its kind of wait any more */
}

void event_keep_handle(struct event *event)
{
    HANDLE copy;

    if (real_NtDuplicateObject(GetCurrentProcess(), event->handle, GetCurrentProcess(), &copy, 0, 0,
                               DUPLICATE_SAME_ACCESS)) {
        log_once(LOG_WARN, "event %p is closed while it is in use, and cannot be kept",
                 event->handle);
        event->handle = NULL;
        return;
    }
    event->handle = copy;
    event->private = true;
}

/* ---- from outside ---- */

struct event *event_begin(HANDLE handle)
{
    struct event *event;
    unsigned lacks;

    if (!event_of(handle, &lacks) || (lacks & HANDLE_NO_CHANGE))
        return NULL;
    AcquireSRWLockExclusive(&events_lock);
    if ((event = event_of(handle, &lacks))) {
        event_adopt(event);
        if (event->mode == EVENT_FAST) {
            reset(event);
            event_hold_locked(event);
        } else
            event = NULL;
    }
    ReleaseSRWLockExclusive(&events_lock);
    return event;
}

void event_set(struct event *event)
{
    bool entered = events_enter();

    if (event->mode == EVENT_FAST)
        set(event);
    else
        real_NtSetEvent(event->handle, NULL);
    events_leave(entered);
}

void event_put(struct event *event)
{
    bool entered = events_enter();

    event_put_locked(event);
    events_leave(entered);
}

static void with_event(HANDLE handle, void (*action)(struct event *))
{
    struct event *event;
    unsigned lacks;

    if (!event_of(handle, &lacks))
        return;
    AcquireSRWLockExclusive(&events_lock);
    if ((event = event_of(handle, &lacks)))
        action(event);
    ReleaseSRWLockExclusive(&events_lock);
}

void event_make_fast(HANDLE handle)
{
    with_event(handle, event_adopt);
}

bool event_is_fast(HANDLE handle)
{
    unsigned lacks;
    struct event *event = event_of(handle, &lacks);

    return event && event->mode == EVENT_FAST;
}

bool event_is_plain_auto_reset(HANDLE handle)
{
    unsigned lacks;
    struct event *event = event_of(handle, &lacks);

    return event && event->mode == EVENT_PLAIN && !event->manual;
}

void event_make_native(HANDLE handle)
{
    with_event(handle, event_demote);
}

static NTSTATUS real_change(HANDLE handle, enum event_change change, LONG *previous)
{
    switch (change) {
    case EVENT_SET:
        return real_NtSetEvent(handle, previous);
    case EVENT_RESET:
        return real_NtResetEvent(handle, previous);
    case EVENT_CLEAR:
        return real_NtClearEvent(handle);
    default:
        return real_NtPulseEvent(handle, previous);
    }
}

/* False: it is not plain (any more). */
static bool change_plain(struct event *event, HANDLE handle, enum event_change change,
                         LONG *previous, NTSTATUS *status)
{
    bool plain;

    InterlockedIncrement(&event->changers); /* then look: pairs with event_adopt */
    if ((plain = event->mode != EVENT_FAST))
        *status = real_change(handle, change, previous);
    InterlockedDecrement(&event->changers);
    return plain;
}

bool event_change(HANDLE handle, enum event_change change, LONG *previous, NTSTATUS *status)
{
    bool fast, entered, was = false;
    struct event *event;
    unsigned lacks;

    if (!(event = event_of(handle, &lacks)) || (lacks & HANDLE_NO_CHANGE))
        return false;
    if (change_plain(event, handle, change, previous, status))
        return true;
    entered = events_enter();
    event = event_of(handle, &lacks);
    if ((fast = event && event->mode == EVENT_FAST))
        was = change == EVENT_SET     ? set(event)
              : change == EVENT_PULSE ? pulse(event)
                                      : reset(event);
    events_leave(entered);
    if (!fast)
        return false;
    if (previous)
        *previous = was;
    *status = STATUS_SUCCESS;
    return true;
}

NTSTATUS event_change_any(HANDLE handle, enum event_change change, LONG *previous)
{
    NTSTATUS status;

    return event_change(handle, change, previous, &status) ? status
                                                           : real_change(handle, change, previous);
}

bool event_query(HANDLE handle, bool *manual, bool *is_set)
{
    struct event *event;
    unsigned lacks;
    bool entered, fast;

    if (!event_of(handle, &lacks) || lacks)
        return false;
    entered = events_enter();
    event = event_of(handle, &lacks);
    if ((fast = event && event->mode == EVENT_FAST)) {
        *manual = event->manual;
        *is_set = event_ready(event);
        event_push(event);
    }
    events_leave(entered);
    return fast;
}
