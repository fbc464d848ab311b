/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for SOCKETs (see wait_object.h).  Owns socket.object and object_set; takes the socket's
 * lock.
 *
 * The pipe behind a SOCKET knows nothing of our operations, so waits for the handle are turned into
 * waits for an event, which is made by the first of them.  Until then the state is a word: whoever
 * changes it looks for the event afterwards, whoever makes the event looks at the word afterwards.
 */
#include "wait_object.h"
#include "anchor_pool.h"
#include "fast_event.h"
#include "handle_pages.h"
#include "handles.h"
#include "handoff_event.h"
#include "intercept.h"
#include "sleep_timer.h"
#include "thread_block.h"

static void apply(struct socket *socket, bool set)
{
    HANDLE object;

    InterlockedExchange(&socket->object_set, set); /* then look: pairs with make_object */
    if (!(object = socket->object))
        return;
    if (set)
        SetEvent(object);
    else
        ResetEvent(object);
}

void wait_object_reset(struct socket *socket)
{
    apply(socket, false);
}

void wait_object_set(struct socket *socket)
{
    apply(socket, true);
}

void wait_object_free(struct socket *socket)
{
    if (socket->object)
        CloseHandle(socket->object);
}

/* Caller holds the lock. */
static void make_object(struct socket *socket)
{
    socket->object = CreateEventW(NULL, TRUE, FALSE, NULL);
    event_make_fast(socket->object);
    if (socket->object && InterlockedCompareExchange(&socket->object_set, 0, 0))
        SetEvent(socket->object);
    socket_update_interest(socket);
}

/* The handle to wait for in the place of this one; *socket then has a reference. */
static HANDLE stand_in(HANDLE handle, struct socket **socket)
{
    HANDLE object;

    if (!(*socket = socket_find(handle)))
        return anchor_pool_hide(handle);
    AcquireSRWLockExclusive(&(*socket)->lock);
    if (!(*socket)->object && !(*socket)->closing)
        make_object(*socket);
    object = (*socket)->object;
    ReleaseSRWLockExclusive(&(*socket)->lock);
    session_reap((*socket)->session); /* what came before the server saw the new interest */
    return object ? object : handle;
}

/* Whether a wait is the kernel's alone.  What such a wait pays here are lines that are not in the
 * cache, so one line of each handle is all that is looked at (docs/performance.md). */
static inline bool passes_by(ULONG count, const HANDLE *handles, bool at_once)
{
    for (ULONG i = 0; i < count; i++) {
        const struct handle_entry *entry = handle_entry(handles[i]);
        ULONG_PTR event = entry ? (ULONG_PTR)entry->of[HANDLE_EVENT] : 0;

        if (handle_keeps(entry, HANDLE_EVENT))
            return false;
        if (event && (!at_once || event & HANDLE_FAST)) /* who waits for it is counted */
            return false;
    }
    return true;
}

static bool is_at_once(const LARGE_INTEGER *timeout)
{
    return timeout && !timeout->QuadPart;
}

/* An event that has become fast during a call that found nothing: its signal may have gone from the
 * kernel to us in between.  Pairs with event_adopt. */
static bool found_all(ULONG count, const HANDLE *handles, const LARGE_INTEGER *timeout,
                      NTSTATUS status)
{
    return status != STATUS_TIMEOUT || !is_at_once(timeout) || passes_by(count, handles, true);
}

static NTSTATUS wait_for_one(HANDLE handle, bool alertable, const LARGE_INTEGER *timeout)
{
    DWORD error = last_error();
    struct socket *socket;
    NTSTATUS status;

    if (!sleep_timer_wait(handle, alertable, timeout, &status) &&
        !handoff_event_wait(handle, alertable, timeout, &status)) {
        handle = stand_in(handle, &socket);
        status = event_wait(1, &handle, true, alertable, timeout);
        if (socket)
            socket_put(socket);
    }
    last_error_set(error);
    return status;
}

NTSTATUS NTAPI our_NtWaitForSingleObject(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout)
{
    NTSTATUS status;

    if (!alertable && passes_by(1, &handle, is_at_once(timeout))) {
        status = real_NtWaitForSingleObject(handle, alertable, timeout);
        if (found_all(1, &handle, timeout, status))
            return status;
    }
    if (RtlDllShutdownInProgress())
        return real_NtWaitForSingleObject(handle, alertable, timeout);
    return wait_for_one(handle, alertable, timeout);
}

static NTSTATUS wait_for_many(ULONG count, const HANDLE *handles, bool any, bool alertable,
                              const LARGE_INTEGER *timeout)
{
    struct socket *sockets[MAXIMUM_WAIT_OBJECTS];
    struct handoff_event *lent[MAXIMUM_WAIT_OBJECTS];
    HANDLE stand_ins[MAXIMUM_WAIT_OBJECTS];
    DWORD error = last_error();
    bool found = false;
    NTSTATUS status;
    ULONG i;

    i = 0;
    do {
        sleep_timer_give_back(handles[i]);
        lent[i] = handoff_event_lend(handles[i]);
        stand_ins[i] = stand_in(handles[i], &sockets[i]);
        found = found || sockets[i] || lent[i];
    } while (++i < count);
    status = event_wait(count, stand_ins, any, alertable, timeout);
    for (i = 0; found && i < count; i++) {
        if (lent[i])
            handoff_event_return(lent[i], wait_has_taken(i, any, count, status));
        if (sockets[i])
            socket_put(sockets[i]);
    }
    last_error_set(error);
    return status;
}

NTSTATUS NTAPI our_NtWaitForMultipleObjects(ULONG count, const HANDLE *handles, BOOLEAN any,
                                            BOOLEAN alertable, const LARGE_INTEGER *timeout)
{
    NTSTATUS status;

    if (!count || count > MAXIMUM_WAIT_OBJECTS)
        return real_NtWaitForMultipleObjects(count, handles, any, alertable, timeout);
    if (!alertable && passes_by(count, handles, is_at_once(timeout))) {
        status = real_NtWaitForMultipleObjects(count, handles, any, alertable, timeout);
        if (found_all(count, handles, timeout, status))
            return status;
    }
    if (RtlDllShutdownInProgress())
        return real_NtWaitForMultipleObjects(count, handles, any, alertable, timeout);
    if (count == 1) /* what WaitForSingleObject comes as on Wine 8.0 */
        return wait_for_one(handles[0], alertable, timeout);
    return wait_for_many(count, handles, any, alertable, timeout);
}
