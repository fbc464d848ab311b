/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles of event objects (see fast_event.h).
 *
 * Owns: the table from handle values to events, the free list.  Takes events_lock; reading the
 * table takes none: an event's memory is recycled and never freed, and who then changes it looks
 * again under the lock.  Calls wineserver only for an event that is closed while it is in use.
 *
 * References: one for each handle, each operation that will set the event, each wait.
 */
#include "fast_event_internal.h"
#include "handle_pages.h"
#include "intercept.h"
#include "log.h"

SRWLOCK events_lock = SRWLOCK_INIT;

static struct event *free_events;
static struct event
    *volatile dropped; /* also free; put there without the lock, taken all at once */
static bool enabled;

void event_table_init(bool in_user_mode)
{
    enabled = in_user_mode;
    if (!enabled)
        log_info("events work through the kernel");
}

bool events_enter(void)
{
    if (RtlDllShutdownInProgress())
        return TryAcquireSRWLockExclusive(&events_lock);
    AcquireSRWLockExclusive(&events_lock);
    return true;
}

void events_leave(bool entered)
{
    if (entered)
        ReleaseSRWLockExclusive(&events_lock);
}

/* ---- the table ---- */

struct event *event_of(HANDLE handle, unsigned *lacks)
{
    void *volatile *entry = handle_find(HANDLE_EVENT, handle);
    ULONG_PTR value = entry ? (ULONG_PTR)*entry : 0;

    *lacks = (unsigned)(value & (HANDLE_NO_WAIT | HANDLE_NO_CHANGE));
    return (struct event *)(value & ~HANDLE_TAGS);
}

static void *tagged(struct event *event, unsigned tags)
{
    return (void *)((ULONG_PTR)event | tags);
}

void event_mark_fast(struct event *event)
{
    for (const struct event_handle *known = event->handles; known; known = known->next)
        *handle_find(HANDLE_EVENT, known->handle) = tagged(event, known->lacks | HANDLE_FAST);
}

bool event_is_known(HANDLE handle)
{
    unsigned lacks;

    return event_of(handle, &lacks) != NULL;
}

struct event *event_find(HANDLE handle, unsigned *lacks)
{
    struct event *event;

    if (!event_is_known(handle))
        return NULL;
    AcquireSRWLockExclusive(&events_lock);
    if ((event = event_of(handle, lacks)))
        event_hold_locked(event);
    ReleaseSRWLockExclusive(&events_lock);
    return event;
}

/* ---- lives; caller holds the lock ---- */

static struct event *allocate(bool manual)
{
    struct event *event = free_events;

    if (!event)
        event = InterlockedExchangePointer((void *volatile *)&dropped, NULL);
    if (event)
        free_events = event->next_free;
    else if (!(event = calloc(1, sizeof(*event))))
        return NULL;
    /* `changers` stays: a late look-up may be counted there for a moment */
    event->manual = manual;
    event->set = event->private = false;
    event->in_kernel = event->kernel_waiters = event->references = 0;
    event->handle = NULL;
    event->handles = NULL;
    event->own.handle = NULL;
    event->parked = NULL;
    event->parked_end = &event->parked;
    InterlockedExchange(&event->mode, EVENT_PLAIN);
    return event;
}

void event_hold_locked(struct event *event)
{
    event->references++;
}

void event_put_locked(struct event *event)
{
    if (--event->references)
        return;
    if (event->private)
        real_NtClose(event->handle);
    event->next_free = free_events;
    free_events = event;
}

/* Most events have one handle all their lives. */
static struct event_handle *allocate_handle(struct event *event)
{
    return event->own.handle ? malloc(sizeof(struct event_handle)) : &event->own;
}

static void free_handle(struct event *event, struct event_handle *known)
{
    if (known == &event->own)
        known->handle = NULL;
    else
        free(known);
}

static bool add(struct event *event, HANDLE handle, unsigned lacks)
{
    void *volatile *entry = handle_make(HANDLE_EVENT, handle);
    struct event_handle *known = entry ? allocate_handle(event) : NULL;

    if (!known)
        return false;
    known->handle = handle_plain(handle);
    known->lacks = lacks;
    known->next = event->handles;
    event->handles = known;
    if (!event->handle)
        event->handle = known->handle;
    event_hold_locked(event);
    *entry = tagged(event, lacks | (event->mode == EVENT_FAST ? HANDLE_FAST : 0));
    return true;
}

/* Real calls go through one with all rights, if there is one. */
static void choose_handle(struct event *event, bool stale)
{
    struct event_handle *known = event->handles;

    while (known && known->lacks)
        known = known->next;
    if (known)
        event->handle = known->handle;
    else if (event->references && !stale)
        event_keep_handle(event);
    else
        event->handle = NULL;
}

/* Takes the handle from the table; the caller owns its reference then. */
static struct event *take(HANDLE handle, bool stale)
{
    void *volatile *entry = handle_find(HANDLE_EVENT, handle);
    struct event_handle **link, *known;
    struct event *event;

    if (!entry || !*entry)
        return NULL;
    event = (struct event *)((ULONG_PTR)*entry & ~HANDLE_TAGS);
    *entry = NULL;
    for (link = &event->handles; (known = *link); link = &known->next) {
        if (known->handle == handle_plain(handle)) {
            *link = known->next;
            free_handle(event, known);
            break;
        }
    }
    if (event->handle == handle_plain(handle) && !event->private) {
        event->references--; /* the one that goes does not need a handle */
        choose_handle(event, stale);
        event->references++;
    }
    return event;
}

/* ---- handles come ---- */

void event_unknown(HANDLE handle)
{
    struct event *stale;

    if (!event_is_known(handle))
        return;
    AcquireSRWLockExclusive(&events_lock);
    if ((stale = take(handle, true)))
        event_put_locked(stale);
    ReleaseSRWLockExclusive(&events_lock);
}

void event_born(HANDLE handle, bool manual)
{
    struct event *event;

    event_unknown(handle); /* what the table says of a new handle is history */
    if (!enabled)
        return;
    AcquireSRWLockExclusive(&events_lock);
    if ((event = allocate(manual)) && !add(event, handle, 0)) {
        event->next_free = free_events;
        free_events = event;
    }
    ReleaseSRWLockExclusive(&events_lock);
}

#define VAGUE (GENERIC_ALL | GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | MAXIMUM_ALLOWED)

void event_add_handle_like(struct event *event, HANDLE handle, unsigned lacks)
{
    event_unknown(handle);
    AcquireSRWLockExclusive(&events_lock);
    if (!add(event, handle, lacks))
        event_demote(event);
    ReleaseSRWLockExclusive(&events_lock);
}

void event_add_handle(struct event *event, HANDLE handle, ACCESS_MASK access)
{
    unsigned lacks = (access & EVENT_MODIFY_STATE ? 0 : HANDLE_NO_CHANGE) |
                     (~access & (SYNCHRONIZE | EVENT_QUERY_STATE) ? HANDLE_NO_WAIT : 0);

    if (access & VAGUE) { /* what it may do cannot be told: the kernel is to say so */
        AcquireSRWLockExclusive(&events_lock);
        event_demote(event);
        ReleaseSRWLockExclusive(&events_lock);
        lacks = 0;
    }
    event_add_handle_like(event, handle, lacks);
}

/* ---- handles go ---- */

HANDLE event_duplicate(HANDLE handle)
{
    unsigned lacks;
    struct event *event = event_find(handle, &lacks);
    HANDLE copy;

    if (real_NtDuplicateObject(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, 0,
                               DUPLICATE_SAME_ACCESS))
        copy = NULL;
    else if (event)
        event_add_handle_like(event, copy, lacks);
    if (event)
        event_put(event);
    return copy;
}

struct event *event_closing(HANDLE handle)
{
    struct event *event;

    if (!event_is_known(handle))
        return NULL;
    AcquireSRWLockExclusive(&events_lock);
    /* before the real close: afterwards the value may be another object's already */
    event = take(handle, false);
    ReleaseSRWLockExclusive(&events_lock);
    return event;
}

/* Nobody else has it, and nobody can find it. */
static void drop(struct event *event)
{
    void *top;

    event->references = 0;
    do {
        top = dropped;
        event->next_free = top;
    } while (InterlockedCompareExchangePointer((void *volatile *)&dropped, event, top) != top);
}

void event_closed(struct event *event, HANDLE handle, NTSTATUS status)
{
    if (status != STATUS_HANDLE_NOT_CLOSABLE && event->references == 1 && !event->private) {
        drop(event);
        return;
    }
    AcquireSRWLockExclusive(&events_lock);
    if (status == STATUS_HANDLE_NOT_CLOSABLE)
        add(event, handle, 0);
    event_put_locked(event); /* the entry's */
    ReleaseSRWLockExclusive(&events_lock);
}
