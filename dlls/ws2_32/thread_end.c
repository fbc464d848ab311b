/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of threads (see thread_end.h).  Owns nothing; takes what it calls takes.
 */
#include "thread_end.h"
#include "afd.h"
#include "cancel.h"
#include "fast_event.h"
#include "handles.h"
#include "handoff_event.h"
#include "intercept.h"
#include "log.h"
#include "routine.h"

static void cancel_in(struct socket *socket, void *filter)
{
    socket_cancel(socket, filter);
}

static void end_waiter(struct waiter *waiter)
{
    struct operation_filter filter = {.issuer = waiter->serial, .thread_exit = true};

    if (waiter->pending_operations > 0)
        socket_for_each(cancel_in, &filter);
    afd_poll_cancel(NULL, &filter);
    routines_end(waiter);
}

void thread_ends(void)
{
    struct waiter *waiter = waiter_existing();

    if (waiter)
        end_waiter(waiter);
    waiter_detach(waiter);
}

/* ---- a thread that another one ends: no DLL_THREAD_DETACH comes ---- */

/* A thread that was killed with a lock of ours leaves it locked for ever, like any critical section
 * (TerminateThread's page).  Such a socket is left alone. */
static bool can_be_locked(struct socket *socket)
{
    for (int tries = 0; tries < 100; tries++) {
        if (TryAcquireSRWLockExclusive(&socket->lock)) {
            ReleaseSRWLockExclusive(&socket->lock);
            return true;
        }
        Sleep(1);
    }
    log_warn("a thread was terminated while it held the lock of socket %p", (void *)socket->handle);
    return false;
}

/* What it had issued, and the call that it blocked in, whose operation lies on its stack. */
struct killed {
    struct operation_filter issued, blocked;
};

static void cancel_of_killed(struct socket *socket, void *context)
{
    const struct killed *killed = context;

    if (!can_be_locked(socket))
        return;
    socket_cancel(socket, &killed->issued);
    socket_cancel(socket, &killed->blocked);
}

/* The waiter is nobody's afterwards: its FIFO and event may hold a signal that came too late. */
NTSTATUS NTAPI our_NtTerminateThread(HANDLE thread, NTSTATUS exit_code)
{
    struct killed killed = {.issued = {.thread_exit = true}};
    struct waiter *waiter = NULL;
    NTSTATUS status;
    DWORD id = 0;

    if (!RtlDllShutdownInProgress() && thread != GetCurrentThread()) {
        waiter = waiter_of_thread(thread);
        id = GetThreadId(thread);
    }
    if (waiter && waiter == waiter_existing())
        waiter = NULL;
    status = real_NtTerminateThread(thread, exit_code);
    if (!status && id)
        handoff_events_thread_gone(id);
    if (status || !waiter)
        return status;
    killed.issued.issuer = waiter->serial;
    killed.blocked.blocked = waiter;
    routines_end(waiter); /* first: nothing is queued to it any more */
    event_wait_abandon(waiter);
    socket_for_each(cancel_of_killed, &killed);
    afd_poll_cancel(NULL, &killed.issued);
    return status;
}
