/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion routines (see routine.h).  Owns each waiter's list of operations whose routines are
 * due, and its stack of those that run; takes the waiter's lock, and none while a routine runs.
 *
 * They run where the thread waits alertably: in user mode, before such a wait begins or when it is
 * woken from its FIFO (every system call that can wait alertably is taken over), or by one APC for
 * as many as are due while the thread is in the kernel alertably.  That one is queued only then,
 * and while it is under way nobody else runs what is due: so no wait is interrupted by an APC that
 * finds nothing to run any more.
 *
 * Whatever is due runs in order.  WSARecv.txt: "For a given socket, I/O completion routines will
 * not be nested": a routine that waits alertably lets those of other sockets run; its own socket's
 * stay in the list until it returns, when the loop that called it goes on with them ("Returning
 * from this function allows invocation of another pending completion routine for this socket").  So
 * all have run before the alertable wait that they interrupted ends.
 *
 * An operation lives until its routine has returned.  Of one that never does (it ended its thread,
 * or jumped out), routines_end frees the operation, or the next APC that finds itself above the
 * place that it was called from.
 */
#include "routine.h"
#include "intercept.h"
#include "log.h"
#include "ntcalls.h"
#include "socket.h"

static void CALLBACK run_by_apc(ULONG_PTR unused, ULONG_PTR unused2, ULONG_PTR unused3);

/* Not every call that waits alertably could be taken over, or RINGSOCK_FASTEVENT=0: an APC is
 * queued whenever something is due. */
static bool kernel_only;

/* ---- the list of those that are due; caller holds the waiter's lock ---- */

static void append(struct waiter *waiter, struct operation *operation)
{
    operation->next = NULL;
    if (waiter->routines_last)
        waiter->routines_last->next = operation;
    else
        waiter->routines = operation;
    waiter->routines_last = operation;
}

/* Routines of the NT layer are plain APCs, and may be nested as they like. */
static bool must_wait(const struct waiter *waiter, const struct operation *due)
{
    const struct operation *operation = waiter->running;

    while (operation && (operation->raw || operation->socket != due->socket))
        operation = operation->next;
    return operation && !due->raw;
}

/* Where the first one hangs that may run now. */
static struct operation **find_next(struct waiter *waiter, struct operation **previous)
{
    struct operation **link = &waiter->routines;

    *previous = NULL;
    while (*link && must_wait(waiter, *link)) {
        *previous = *link;
        link = &(*link)->next;
    }
    return link;
}

static bool is_due(struct waiter *waiter)
{
    struct operation *previous;

    return waiter->routines && *find_next(waiter, &previous);
}

/* What is due runs by an APC, if the thread could be waiting alertably in the kernel.  The lock
 * also keeps it from ending, and its handle open. */
static void queue_apc(struct waiter *waiter)
{
    NTSTATUS status;

    if (waiter->apc_queued || !(waiter->alertable || (kernel_only && !waiter->running)) ||
        !is_due(waiter))
        return;
    status = NtQueueApcThread(waiter->thread, run_by_apc, 0, 0, 0);
    waiter->apc_queued = !status;
    if (status)
        log_warn("completion routines cannot be queued: status %08lx", (unsigned long)status);
}

/* Takes the next one and puts it on the stack. */
static struct operation *start_next(struct waiter *waiter)
{
    struct operation *previous, **link = find_next(waiter, &previous), *operation = *link;

    if (!operation)
        return NULL;
    if (!(*link = operation->next))
        waiter->routines_last = previous;
    operation->next = waiter->running;
    waiter->running = operation;
    return operation;
}

/* ---- running them ---- */

/* Only its own thread changes the stack, but others look at it (must_wait). */
static void forget_innermost(struct waiter *waiter)
{
    struct operation *operation;

    AcquireSRWLockExclusive(&waiter->lock);
    operation = waiter->running;
    waiter->running = operation->next;
    ReleaseSRWLockExclusive(&waiter->lock);
    operation_free(operation);
}

/* Jumped out of: the stack grows downwards, and another fiber's lies elsewhere. */
static bool was_left(const struct operation *operation, const char *here)
{
    const char *frame = operation->frame;
    ULONG_PTR bottom, top;

    GetCurrentThreadStackLimits(&bottom, &top);
    return frame >= (const char *)bottom && frame < here;
}

static void call(const struct operation *operation)
{
    if (operation->raw)
        operation->apc(operation->context, (IO_STATUS_BLOCK *)operation->overlapped, 0);
    else
        operation->routine(error_from_status(status_from_error(operation->error)),
                           (DWORD)operation->done, operation->overlapped, operation->result_flags);
}

static void run(struct waiter *waiter, struct operation *operation, const char *here)
{
    operation->frame = here;
    call(operation);
    while (waiter->running != operation)
        forget_innermost(waiter);
    forget_innermost(waiter);
}

/* Runs what is due; returns whether anything was.  While a routine runs, the wait that it runs in
 * does not count as one in the kernel: the loop sees what becomes due meanwhile. */
static bool run_due(struct waiter *waiter, bool by_apc)
{
    struct operation *operation;
    bool ran = false;
    LONG outer;
    char here;

    while (waiter->running && was_left(waiter->running, &here))
        forget_innermost(waiter);
    AcquireSRWLockExclusive(&waiter->lock);
    if (by_apc)
        waiter->apc_queued = false;
    outer = waiter->alertable;
    waiter->alertable = 0;
    /* an alertable wait of a routine may have left an APC behind: the rest is for that one */
    while (!waiter->apc_queued && (operation = start_next(waiter))) {
        ReleaseSRWLockExclusive(&waiter->lock);
        run(waiter, operation, &here);
        ran = true;
        AcquireSRWLockExclusive(&waiter->lock);
    }
    waiter->alertable = outer;
    ReleaseSRWLockExclusive(&waiter->lock);
    return ran;
}

static void CALLBACK run_by_apc(ULONG_PTR unused, ULONG_PTR unused2, ULONG_PTR unused3)
{
    struct waiter *waiter = waiter_existing();

    (void)unused, (void)unused2, (void)unused3;
    if (waiter)
        run_due(waiter, true);
}

/* ---- where the thread waits ---- */

bool routines_due(struct waiter *waiter)
{
    bool due;

    /* pairs with routine_queue's "append, then unpark" */
    if (!waiter || !__atomic_load_n(&waiter->routines, __ATOMIC_SEQ_CST))
        return false;
    AcquireSRWLockExclusive(&waiter->lock);
    due = is_due(waiter);
    ReleaseSRWLockExclusive(&waiter->lock);
    return due;
}

bool routines_run(struct waiter *waiter)
{
    LARGE_INTEGER zero = {.QuadPart = 0};

    if (kernel_only || !routines_due(waiter) || waiter->apc_queued || !run_due(waiter, false))
        return false;
    if (waiter->apc_queued)
        real_NtDelayExecution(TRUE, &zero);
    return true;
}

void alertable_begin(struct waiter *waiter)
{
    if (!waiter)
        return;
    AcquireSRWLockExclusive(&waiter->lock);
    waiter->alertable++;
    queue_apc(waiter);
    ReleaseSRWLockExclusive(&waiter->lock);
}

void alertable_end(struct waiter *waiter)
{
    if (!waiter)
        return;
    AcquireSRWLockExclusive(&waiter->lock);
    if (waiter->alertable) /* a jump out of a routine may have come between */
        waiter->alertable--;
    ReleaseSRWLockExclusive(&waiter->lock);
}

bool alert_now(struct waiter *waiter)
{
    LARGE_INTEGER zero = {.QuadPart = 0};
    DWORD now = GetTickCount();

    if (!waiter->apc_queued && now - waiter->alerted < ALERT_MS)
        return false;
    waiter->alerted = now;
    return real_NtDelayExecution(TRUE, &zero) == STATUS_USER_APC;
}

void routines_init(bool in_user_mode)
{
    kernel_only = !in_user_mode;
}

/* ---- from outside ---- */

void routine_queue(struct operation *operation)
{
    struct waiter *waiter = operation->issuer;
    bool ended;

    AcquireSRWLockExclusive(&waiter->lock);
    if (!(ended = waiter->serial != operation->issuer_serial)) {
        append(waiter, operation);
        queue_apc(waiter);
        waiter_unpark(waiter);
    }
    ReleaseSRWLockExclusive(&waiter->lock);
    if (ended)
        operation_free(operation);
}

void routines_end(struct waiter *waiter)
{
    struct operation *due, *next;

    AcquireSRWLockExclusive(&waiter->lock);
    waiter->serial = 0;
    due = waiter->routines;
    waiter->routines = waiter->routines_last = NULL;
    waiter->apc_queued = false;
    waiter->alertable = 0;
    ReleaseSRWLockExclusive(&waiter->lock);
    for (; due; due = next) {
        next = due->next;
        operation_free(due);
    }
    while (waiter->running)
        forget_innermost(waiter);
}
