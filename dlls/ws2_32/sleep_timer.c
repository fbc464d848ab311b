/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waitable timers that are only slept on: set to a short time, then waited for by one thread.  So
 * Go's monitor sleeps, thousands of times a second beside a busy server, and with each of them two
 * requests keep wineserver from everybody else (docs/performance.md, "Real programs").
 *
 * Owns: the table of such timers, what replaces the calls on timers.  timers_lock guards the free
 * list alone, a leaf; setting and waiting take no lock, so that a thread which is suspended there
 * is in nobody's way.
 *
 * Go makes its timers before it loads us, so a timer is known from when it is first set to a short
 * time:
 *
 *   LEARNING  the kernel's; if the thread that has set it then waits for it, the end of that wait
 *             tells whether it resets itself (a synchronization timer) and is nobody else's too
 *   READY     not set.  The kernel's is neither set nor signaled, as long as we have it
 *   HELD      set; the kernel does not know
 *   SLEEPING  set, and one thread sleeps until then
 *   MOVING    being given to the kernel; for a system call's time
 *   NATIVE    the kernel's for good: somebody did with it what the others are not enough for
 *   CLOSED    closed while a thread sleeps, which ends its sleep and frees what is left
 *
 * Who sleeps cannot be woken before, so only times up to LONGEST are held, and other threads'
 * calls are that late at most.  It finds then that the timer is not SLEEPING any more, and waits
 * in the kernel.  Not seen is what another process does that fetches the handle.
 */
#include "sleep_timer.h"
#include "guarded_copy.h"
#include "handle_pages.h"
#include "intercept.h"
#include "log.h"
#include "private_handle.h"
#include "session.h"

#define LONGEST  (10 * (LONGLONG)RS_CLOCK_PER_MS)
/* Windows' timers are no finer at their finest (timeBeginPeriod's page has 1 ms, high-resolution
 * timers half of it).  Wine 8.0's sleep for 1 ms; a thread that really sleeps for 20 us, as Go
 * asks, is a load of its own. */
#define SHORTEST ((LONGLONG)RS_CLOCK_PER_MS / 2)
#define PATIENCE 10000 /* looks at a timer that is MOVING */

#define TIMER_BASIC_CLASS 0u

enum timer_state { LEARNING, READY, HELD, SLEEPING, MOVING, NATIVE, CLOSED };

struct sleep_timer {
    LONG volatile state;   /* interlocked */
    DWORD owner;           /* LEARNING: who has set it */
    uint64_t volatile due; /* rs clock; written while MOVING, by who made it so */
    HANDLE handle;
    struct sleep_timer *next_free;
};

struct timer_information { /* TIMER_BASIC_INFORMATION */
    LARGE_INTEGER left;
    BOOLEAN signaled;
};

NTSTATUS(NTAPI *real_NtSetTimer)
(HANDLE, const LARGE_INTEGER *, void *, void *, BOOLEAN, ULONG, BOOLEAN *);
NTSTATUS(NTAPI *real_NtCancelTimer)(HANDLE, BOOLEAN *);
NTSTATUS(NTAPI *real_NtQueryTimer)(HANDLE, ULONG, void *, ULONG, ULONG *);

static SRWLOCK timers_lock = SRWLOCK_INIT;
static struct sleep_timer *free_timers;
static bool enabled;

void sleep_timers_init(bool in_user_mode)
{
    enabled = in_user_mode;
    if (!enabled)
        log_info("timers work through the kernel");
}

/* ---- the table ---- */

static struct sleep_timer *timer_of(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_TIMER, handle);

    return entry ? *entry : NULL;
}

static struct sleep_timer *allocate(void)
{
    struct sleep_timer *timer;

    AcquireSRWLockExclusive(&timers_lock);
    if ((timer = free_timers))
        free_timers = timer->next_free;
    ReleaseSRWLockExclusive(&timers_lock);
    return timer ? timer : calloc(1, sizeof(*timer));
}

static void recycle(struct sleep_timer *timer)
{
    AcquireSRWLockExclusive(&timers_lock);
    timer->next_free = free_timers;
    free_timers = timer;
    ReleaseSRWLockExclusive(&timers_lock);
}

/* ---- its states ---- */

static bool change(struct sleep_timer *timer, LONG from, LONG to)
{
    return InterlockedCompareExchange(&timer->state, to, from) == from;
}

/* What the kernel would have, had it been told at once. */
static void tell_kernel(const struct sleep_timer *timer)
{
    struct timer_information information = {.signaled = FALSE};
    uint64_t now = rs_clock();
    LARGE_INTEGER left = {.QuadPart = timer->due > now ? -(LONGLONG)(timer->due - now) : -1};

    if (real_NtSetTimer(timer->handle, &left, NULL, NULL, FALSE, 0, NULL))
        log_once(LOG_WARN, "timer %p cannot be set", timer->handle);
    /* one that is over is signaled before anybody looks */
    for (int i = 0; left.QuadPart == -1 && !information.signaled && i < 100; i++)
        if (real_NtQueryTimer(timer->handle, TIMER_BASIC_CLASS, &information, sizeof(information),
                              NULL))
            break;
}

/* NATIVE, or as good as. */
static void give_back(struct sleep_timer *timer)
{
    for (int looks = 0; looks < PATIENCE; looks++) {
        LONG state = timer->state;

        if (state == NATIVE || state == CLOSED ||
            ((state == LEARNING || state == READY) && change(timer, state, NATIVE)))
            return;
        if ((state == HELD || state == SLEEPING) && change(timer, state, MOVING)) {
            tell_kernel(timer);
            InterlockedExchange(&timer->state, NATIVE);
            return;
        }
        if (state == MOVING)
            SwitchToThread();
    }
}

void sleep_timer_give_back(HANDLE handle)
{
    struct sleep_timer *timer = timer_of(handle);

    if (timer && !RtlDllShutdownInProgress())
        give_back(timer);
}

void sleep_timer_closing(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_TIMER, handle);
    struct sleep_timer *timer = entry ? *entry : NULL;

    if (!timer || InterlockedCompareExchangePointer(entry, NULL, timer) != timer)
        return;
    if (!change(timer, SLEEPING, CLOSED)) {
        give_back(timer); /* should it not be closed after all */
        recycle(timer);
    }
}

/* ---- learning ---- */

static void learn_begin(HANDLE handle)
{
    void *volatile *entry = handle_make(HANDLE_TIMER, handle);
    struct sleep_timer *timer = entry ? allocate() : NULL, *other;

    if (!timer)
        return;
    timer->handle = handle;
    timer->owner = GetCurrentThreadId();
    InterlockedExchange(&timer->state, LEARNING);
    if ((other = InterlockedCompareExchangePointer(entry, timer, NULL))) {
        give_back(other); /* two threads set it at once */
        recycle(timer);
    }
}

/* The wait that the timer's signal has ended took it, or did not.  Who has waited for it before
 * this thread had its signal first. */
static void learn_end(struct sleep_timer *timer)
{
    struct timer_information information;

    if (!real_NtQueryTimer(timer->handle, TIMER_BASIC_CLASS, &information, sizeof(information),
                           NULL) &&
        !information.signaled && handle_is_private(timer->handle))
        change(timer, LEARNING, READY); /* unless somebody has done something meanwhile */
    else
        give_back(timer);
}

/* ---- setting and waiting ---- */

/* False: the kernel has it, and the real call replaces what it was set to. */
static bool hold(struct sleep_timer *timer, uint64_t due)
{
    for (int looks = 0; looks < PATIENCE; looks++) {
        LONG state = timer->state;

        if (state == NATIVE || state == CLOSED ||
            (state == LEARNING && timer->owner == GetCurrentThreadId()))
            return false;
        if ((state == LEARNING || state == SLEEPING) && change(timer, state, NATIVE))
            return false;
        if ((state == READY || state == HELD) && change(timer, state, MOVING)) {
            timer->due = due;
            InterlockedExchange(&timer->state, HELD);
            return true;
        }
        if (state == MOVING)
            SwitchToThread();
    }
    return false;
}

static void sleep_until(uint64_t due)
{
    LONGLONG time = (LONGLONG)(due - rs_clock());
    LARGE_INTEGER left = {.QuadPart = time > SHORTEST ? -time : -SHORTEST};

    real_NtDelayExecution(FALSE, &left);
}

bool sleep_timer_wait(HANDLE handle, bool alertable, const LARGE_INTEGER *timeout, NTSTATUS *status)
{
    struct sleep_timer *timer = timer_of(handle);

    if (!timer)
        return false;
    *status = STATUS_WAIT_0;
    if (!alertable && !timeout && timer->state == LEARNING &&
        timer->owner == GetCurrentThreadId()) {
        if (!(*status = real_NtWaitForSingleObject(handle, FALSE, NULL)))
            learn_end(timer);
        return true;
    }
    if (alertable || timeout || !change(timer, HELD, SLEEPING)) {
        give_back(timer);
        return false;
    }
    if (timer_of(handle) != timer) { /* closed in the last moment, and another one's now */
        change(timer, SLEEPING, HELD);
        return false;
    }
    sleep_until(timer->due);
    if (change(timer, SLEEPING, READY))
        return true;
    if (timer->state == CLOSED) {
        recycle(timer);
        return true;
    }
    give_back(timer); /* somebody else has, or is about to have */
    return false;
}

/* ---- in the place of the system's calls ---- */

static bool is_short(const LARGE_INTEGER *when, uint64_t *due)
{
    LARGE_INTEGER time;

    if (guarded_copy(&time, when, sizeof(time)) || time.QuadPart >= 0 || time.QuadPart < -LONGEST)
        return false;
    *due = rs_clock() + (uint64_t)-time.QuadPart;
    return true;
}

NTSTATUS NTAPI our_NtSetTimer(HANDLE handle, const LARGE_INTEGER *when, void *routine,
                              void *context, BOOLEAN resume, ULONG period, BOOLEAN *previous)
{
    struct sleep_timer *timer;
    NTSTATUS status;
    uint64_t due;
    bool is_sleep;

    if (!enabled || RtlDllShutdownInProgress())
        return real_NtSetTimer(handle, when, routine, context, resume, period, previous);
    timer = timer_of(handle);
    is_sleep = !routine && !resume && !period && !previous && is_short(when, &due);
    if (timer && is_sleep && hold(timer, due))
        return STATUS_SUCCESS;
    if (timer && !is_sleep)
        give_back(timer);
    status = real_NtSetTimer(handle, when, routine, context, resume, period, previous);
    if (!timer && is_sleep && !status && session_current())
        learn_begin(handle);
    return status;
}

NTSTATUS NTAPI our_NtCancelTimer(HANDLE handle, BOOLEAN *previous)
{
    sleep_timer_give_back(handle);
    return real_NtCancelTimer(handle, previous);
}

NTSTATUS NTAPI our_NtQueryTimer(HANDLE handle, ULONG class, void *information, ULONG size,
                                ULONG *needed)
{
    sleep_timer_give_back(handle);
    return real_NtQueryTimer(handle, class, information, size, needed);
}
