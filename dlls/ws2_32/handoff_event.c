/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auto-reset events by which threads wake one another: any thread sets one, one at a time waits for
 * it.  So run-time systems park their threads (Go's for each packet that finds an idle one), and
 * each time wineserver is asked twice and everybody else waits for it (docs/performance.md, "Real
 * programs").
 *
 * Owns: the events' states (handoff_event_table.c: their handles and memory).  Takes no lock at
 * all, so that a thread which is suspended anywhere here (a garbage collector does that, and then
 * sets and waits for events of its own) is in nobody's way.
 *
 * An event is kept by its handle, from when a thread waits for it, or, if it was made before we
 * were loaded, from when it is first set; and in user mode once it was seen how it is used.  All of
 * it is one word:
 *
 *   BELOW     not in user mode (yet): fast_event.h and the kernel have the signal
 *   EMPTY     not signaled, nobody waits.  From here on nothing below is signaled
 *   SET       signaled
 *   a thread  not signaled; that thread waits: who wakes it makes the event EMPTY
 *   LENT      one thread waits below, or the wait is over and its end is being looked at
 *   MOVING    on the way down or up; for a system call's time
 *   NATIVE    not in user mode for good: somebody did with it what the others are not enough for
 *
 * A thread waits here for BRIEF and then below, so a signal of which we learn nothing (another
 * process that fetched the handle, a driver) is no later than that, and the last of its kind: an
 * end of a wait below that no set explains makes the event NATIVE.
 */
#include "handoff_event_internal.h"
#include "intercept.h"
#include "log.h"
#include "private_handle.h"
#include "session.h"
#include "waiter.h"

#define BRIEF    (20 * (uint64_t)RS_CLOCK_PER_MS)
#define PROOFS   4     /* waits that a set has ended, before it is in user mode */
#define PATIENCE 10000 /* looks at a state that is about to change */

static bool enabled;

void handoff_events_init(bool in_user_mode)
{
    enabled = in_user_mode;
}

/* The handle is an event's.  It may be set. */
static void learn(HANDLE handle)
{
    if (enabled && session_current() && !RtlDllShutdownInProgress())
        handoff_event_add(handle);
}

/* ---- the states ---- */

static LONG state_of(const struct handoff_event *event)
{
    return __atomic_load_n(&event->state, __ATOMIC_ACQUIRE);
}

/* The state at the next look that does not find it MOVING.  NATIVE also after PATIENCE looks, which
 * `looks` counts from one call to the next: either way there is nothing more to be done here. */
static LONG settled_state(const struct handoff_event *event, int *looks)
{
    while ((*looks)++ < PATIENCE) {
        LONG state = state_of(event);

        if (state != MOVING)
            return state;
        SwitchToThread();
    }
    return NATIVE;
}

static bool change(struct handoff_event *event, LONG from, LONG to)
{
    return InterlockedCompareExchange(&event->state, to, from) == from;
}

static bool is_thread(LONG state)
{
    return state && !(state & 3);
}

static void wake(LONG thread)
{
    NtAlertThreadByThreadId((HANDLE)(ULONG_PTR)thread);
}

/* What is set in user mode is set below: MOVING meanwhile, and then `to`. */
static bool move_down(struct handoff_event *event, LONG to)
{
    if (!change(event, SET, MOVING))
        return false;
    InterlockedIncrement(&event->unclaimed);
    if (event_change_any(event->handle, EVENT_SET, NULL))
        log_once(LOG_WARN, "event %p cannot be set", event->handle);
    InterlockedExchange(&event->state, to);
    return true;
}

/* It waits below from here on. */
static bool evict(struct handoff_event *event, LONG thread)
{
    if (!change(event, thread, MOVING))
        return false;
    event->evicted = (DWORD)thread;
    event->copy = event_duplicate(event->handle);
    InterlockedExchange(&event->state, NATIVE);
    wake(thread);
    return true;
}

static void give_back(struct handoff_event *event)
{
    int looks = 0;
    LONG state;

    while ((state = settled_state(event, &looks)) != NATIVE)
        if (is_thread(state) ? evict(event, state)
            : state == SET   ? move_down(event, NATIVE)
                             : change(event, state, NATIVE))
            return;
}

void handoff_event_give_back(HANDLE handle)
{
    struct handoff_event *event = handoff_event_hold(handle);

    if (!event)
        return;
    give_back(event);
    handoff_event_put(event);
}

void handoff_event_closing(HANDLE handle)
{
    struct handoff_event *event = handoff_event_remove(handle);

    if (!event)
        return;
    give_back(event); /* who waits still has the object, and it may not be closed after all */
    handoff_event_put(event);
}

/* ---- setting and resetting ---- */

/* False: it is in user mode (again). */
static bool change_below(struct handoff_event *event, enum event_change kind, LONG *previous,
                         NTSTATUS *status)
{
    LONG state;
    bool below;

    InterlockedIncrement(&event->changers); /* then look: pairs with come_up */
    state = state_of(event);
    if ((below = state == BELOW || state == LENT)) {
        if (kind == EVENT_SET)
            InterlockedIncrement(&event->unclaimed);
        *status = event_change_any(event->handle, kind, previous);
        if (kind == EVENT_SET && *status)
            InterlockedDecrement(&event->unclaimed);
    }
    InterlockedDecrement(&event->changers);
    return below;
}

/* Who waits has the signal as soon as the event is EMPTY. */
static LONG state_after(LONG state, enum event_change kind)
{
    if (is_thread(state))
        return kind == EVENT_SET || kind == EVENT_PULSE ? EMPTY : state;
    return kind == EVENT_SET ? SET : EMPTY;
}

static bool change_here(struct handoff_event *event, LONG state, enum event_change kind)
{
    LONG after = state_after(state, kind);

    if (!change(event, state, after))
        return false;
    if (is_thread(state) && after == EMPTY)
        wake(state);
    return true;
}

/* False: to be done below, where nobody counts it. */
static bool change_kept(struct handoff_event *event, enum event_change kind, LONG *previous,
                        NTSTATUS *status)
{
    int looks = 0;
    LONG state;

    while ((state = settled_state(event, &looks)) != NATIVE) {
        if (state == BELOW || state == LENT) {
            if (change_below(event, kind, previous, status))
                return true;
        } else if (change_here(event, state, kind)) {
            if (previous)
                *previous = state == SET;
            *status = STATUS_SUCCESS;
            return true;
        }
    }
    return false;
}

NTSTATUS handoff_event_change(HANDLE handle, enum event_change kind, LONG *previous)
{
    struct handoff_event *event = handoff_event_hold(handle);
    NTSTATUS status;
    bool done;

    if (!event) {
        status = event_change_any(handle, kind, previous);
        if (kind == EVENT_SET && !status && !event_is_known(handle))
            learn(handle);
        return status;
    }
    done = change_kept(event, kind, previous, &status);
    handoff_event_put(event);
    return done ? status : event_change_any(handle, kind, previous);
}

/* ---- waiting below, and coming up ---- */

/* For a wait below.  False: it is not this one's only wait, or it is NATIVE anyway. */
static bool lend(struct handoff_event *event)
{
    int looks = 0;
    LONG state;

    while ((state = settled_state(event, &looks)) != NATIVE)
        if (is_thread(state) || state == LENT)
            give_back(event); /* a second thread waits */
        else if (state == SET ? move_down(event, LENT) : change(event, state, LENT))
            return true;
    return false;
}

static bool is_fit(struct handoff_event *event)
{
    struct event_information information;

    return enabled && !event_is_fast(event->handle) &&
           !real_NtQueryEvent(event->handle, EVENT_BASIC_CLASS, &information, sizeof(information),
                              NULL) &&
           information.type == SYNCHRONIZATION_EVENT && handle_is_private(event->handle);
}

static bool changers_gone(const struct handoff_event *event)
{
    for (int looks = 0; looks < PATIENCE; looks++) {
        if (!__atomic_load_n(&event->changers, __ATOMIC_SEQ_CST))
            return true;
        SwitchToThread();
    }
    return false;
}

/* From LENT into user mode, with what is signaled below. */
static void come_up(struct handoff_event *event)
{
    LONG state = EMPTY, was = 0;

    if (!change(event, LENT, MOVING)) /* then look: pairs with change_below */
        return;
    if (!changers_gone(event))
        state = BELOW; /* one is suspended there: next time */
    else if (InterlockedExchange(&event->unclaimed, 0) > 0 &&
             !event_change_any(event->handle, EVENT_RESET, &was) && was)
        state = SET;
    InterlockedExchange(&event->state, state);
}

static void returned(struct handoff_event *event, bool consumed)
{
    if (consumed && InterlockedDecrement(&event->unclaimed) < 0) {
        give_back(event); /* set by somebody whom we do not see */
        return;
    }
    if (consumed && event->proofs < PROOFS && ++event->proofs == PROOFS &&
        !(event->fit = is_fit(event)))
        give_back(event);
    else if (event->fit)
        come_up(event);
    else
        change(event, LENT, BELOW);
}

struct handoff_event *handoff_event_lend(HANDLE handle)
{
    struct handoff_event *event = handoff_event_hold(handle);

    if (event && !lend(event)) {
        handoff_event_put(event);
        event = NULL;
    }
    return event;
}

void handoff_event_return(struct handoff_event *event, bool consumed)
{
    returned(event, consumed);
    handoff_event_put(event);
}

/* It is LENT. */
static NTSTATUS wait_below(struct handoff_event *event, bool alertable,
                           const LARGE_INTEGER *timeout)
{
    NTSTATUS status = event_wait(1, &event->handle, true, alertable, timeout);

    returned(event, status == STATUS_WAIT_0);
    return status;
}

/* ---- waiting here ---- */

static const LARGE_INTEGER *time_left(uint64_t deadline, LARGE_INTEGER *left)
{
    uint64_t now = rs_clock();

    left->QuadPart = now < deadline ? -(LONGLONG)(deadline - now) : 0;
    return deadline == WAITER_FOREVER ? NULL : left;
}

static NTSTATUS wait_evicted(struct handoff_event *event, uint64_t deadline)
{
    LARGE_INTEGER left;
    NTSTATUS status;

    status = event_wait(1, event->copy ? &event->copy : &event->handle, true, false,
                        time_left(deadline, &left));
    if (event->copy)
        CloseHandle(event->copy);
    return status;
}

/* True: the wait ends, or goes on below. */
static bool park_over(struct handoff_event *event, LONG thread, uint64_t brief, uint64_t deadline,
                      NTSTATUS *status)
{
    LONG state = state_of(event);
    uint64_t now = rs_clock();
    LARGE_INTEGER left;

    *status = STATUS_WAIT_0;
    if (state == NATIVE && event->evicted == (DWORD)thread)
        *status = wait_evicted(event, deadline);
    else if (state == MOVING)
        return SwitchToThread(), false;
    else if (state == thread) {
        if (now >= deadline && change(event, thread, EMPTY))
            *status = STATUS_TIMEOUT;
        else if (now >= brief && now < deadline && change(event, thread, LENT))
            *status = wait_below(event, false, time_left(deadline, &left));
        else
            return false;
    }
    return true;
}

/* The state names this thread. */
static NTSTATUS park(struct handoff_event *event, LONG thread, uint64_t deadline)
{
    uint64_t brief = rs_clock() + BRIEF;
    LARGE_INTEGER left;
    NTSTATUS status;

    do
        NtWaitForAlertByThreadId(event, time_left(deadline < brief ? deadline : brief, &left));
    while (!park_over(event, thread, brief, deadline, &status));
    return status;
}

/* False: to be done below, where nobody counts it. */
static bool wait_kept(struct handoff_event *event, const LARGE_INTEGER *timeout, NTSTATUS *status)
{
    LONG thread = (LONG)GetCurrentThreadId();
    int looks = 0;
    LONG state;

    while ((state = settled_state(event, &looks)) != NATIVE) {
        if (state == SET && change(event, SET, EMPTY)) {
            *status = STATUS_WAIT_0;
            return true;
        } else if ((state == EMPTY || state == thread) && change(event, state, thread)) {
            *status = park(event, thread, waiter_nt_deadline(timeout));
            return true;
        } else if (state != SET && state != EMPTY) {
            if (!lend(event))
                return false;
            *status = wait_below(event, false, timeout);
            return true;
        }
    }
    return false;
}

/* The same with a time-out of 0. */
static bool look_kept(struct handoff_event *event, NTSTATUS *status)
{
    int looks = 0;
    LONG state;

    while ((state = settled_state(event, &looks)) != NATIVE) {
        *status = state == SET ? STATUS_WAIT_0 : STATUS_TIMEOUT;
        if (state == BELOW || state == LENT)
            return false;
        if (state != SET || change(event, SET, EMPTY))
            return true;
    }
    return false;
}

bool handoff_event_wait(HANDLE handle, bool alertable, const LARGE_INTEGER *timeout,
                        NTSTATUS *status)
{
    struct handoff_event *event = handoff_event_hold(handle);
    bool done;

    if (!event && !alertable && !(timeout && !timeout->QuadPart) &&
        event_is_plain_auto_reset(handle)) {
        learn(handle);
        event = handoff_event_hold(handle);
    }
    if (!event)
        return false;
    if (alertable || (timeout && timeout->QuadPart > 0)) { /* a date stays one */
        if ((done = lend(event)))
            *status = wait_below(event, alertable, timeout);
    } else if (timeout && !timeout->QuadPart)
        done = look_kept(event, status);
    else
        done = wait_kept(event, timeout, status);
    handoff_event_put(event);
    return done;
}
