/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sleeping alertably: what stands in for NtDelayExecution and NtTestAlert (see handles.h,
 * routine.h).
 *
 * Owns nothing; takes what it calls takes.  A thread with overlapped operations under way parks on
 * its FIFO for up to RINGSOCK_PARK_MS, where a completion routine that becomes due wakes it, and
 * sleeps in the kernel after that; any other one does so from the start.  APCs of others come late
 * by as much.
 */
#include "handles.h"
#include "intercept.h"
#include "routine.h"
#include "thread_block.h"

static void park(struct waiter *waiter, struct session *session, uint64_t deadline)
{
    enum waiter_result result = WAITER_SIGNALED;

    waiter_arm(waiter, session);
    while (result == WAITER_SIGNALED) {
        session_reap(session);
        if (routines_due(waiter) || session->dead)
            break;
        result = waiter_wait_brief(waiter, deadline);
    }
    waiter_disarm(waiter);
}

static NTSTATUS sleep_in_kernel(struct waiter *waiter, const LARGE_INTEGER *timeout)
{
    NTSTATUS status;

    alertable_begin(waiter);
    status = real_NtDelayExecution(TRUE, timeout);
    alertable_end(waiter);
    return status;
}

static NTSTATUS sleep_on(struct waiter *waiter, const LARGE_INTEGER *timeout, uint64_t deadline)
{
    LARGE_INTEGER left = {.QuadPart = 0};
    uint64_t now;

    if (!deadline && !routines_due(waiter)) /* it does not wait, so nobody has to end that */
        return real_NtDelayExecution(TRUE, timeout);
    if (!timeout || timeout->QuadPart >= 0 || deadline == WAITER_FOREVER)
        return sleep_in_kernel(waiter, timeout);
    if ((now = rs_clock()) < deadline)
        left.QuadPart = -(LONGLONG)(deadline - now);
    return sleep_in_kernel(waiter, &left);
}

NTSTATUS alertable_sleep(struct waiter *waiter, const LARGE_INTEGER *timeout)
{
    bool none = timeout && !timeout->QuadPart;
    uint64_t deadline = none ? 0 : waiter_nt_deadline(timeout);
    struct session *session = session_current();

    if (session && waiter->pending_operations > 0)
        session_reap(session);
    if (routines_run(waiter))
        return STATUS_USER_APC;
    if (!none && session && waiter->pending_operations > 0) {
        if (alert_now(waiter))
            return STATUS_USER_APC;
        park(waiter, session, deadline);
        if (routines_run(waiter))
            return STATUS_USER_APC;
    }
    return sleep_on(waiter, timeout, deadline);
}

NTSTATUS NTAPI our_NtDelayExecution(BOOLEAN alertable, const LARGE_INTEGER *timeout)
{
    struct waiter *waiter = alertable && !RtlDllShutdownInProgress() ? waiter_existing() : NULL;
    DWORD error = last_error();
    NTSTATUS status;

    if (!waiter)
        return real_NtDelayExecution(alertable, timeout);
    status = alertable_sleep(waiter, timeout);
    last_error_set(error);
    return status;
}

NTSTATUS NTAPI our_NtTestAlert(void)
{
    if (!RtlDllShutdownInProgress())
        routines_run(waiter_existing());
    return real_NtTestAlert();
}
