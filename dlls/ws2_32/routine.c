/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion routines (see routine.h).  Owns each waiter's list of operations whose routines are
 * due, and its stack of those that run; takes the waiter's lock, and none while a routine runs.
 *
 * One APC runs whatever is due, in order.  WSARecv.txt: "For a given socket, I/O completion
 * routines will not be nested": a routine that waits alertably lets those of other sockets run;
 * its own socket's stay in the list until it returns, when the loop that called it goes on with
 * them ("Returning from this function allows invocation of another pending completion routine for
 * this socket").  So all have run before the alertable wait that they interrupted ends.
 *
 * An operation lives until its routine has returned.  Of one that never does (it ended its thread,
 * or jumped out), routines_end frees the operation, or the next APC that finds itself above the
 * place that it was called from.
 */
#include "routine.h"
#include "log.h"
#include "ntcalls.h"
#include "socket.h"

static void CALLBACK run_due(ULONG_PTR unused, ULONG_PTR unused2, ULONG_PTR unused3);

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

/* The lock also keeps the thread from ending, and its handle open. */
static void queue_apc(struct waiter *waiter)
{
    NTSTATUS status = NtQueueApcThread(waiter->thread, run_due, 0, 0, 0);

    waiter->apc_queued = !status;
    if (status)
        log_warn("completion routines cannot be queued: status %08lx", (unsigned long)status);
}

/* Takes the next one and puts it on the stack. */
static struct operation *start_next(struct waiter *waiter)
{
    struct operation *previous, **link = find_next(waiter, &previous), *operation = *link;

    waiter->apc_queued = false;
    if (!operation)
        return NULL;
    if (!(*link = operation->next))
        waiter->routines_last = previous;
    operation->next = waiter->running;
    waiter->running = operation;
    /* what is due for other sockets may run in an alertable wait of this one */
    if (*find_next(waiter, &previous))
        queue_apc(waiter);
    return operation;
}

/* ---- running them ---- */

static void forget_innermost(struct waiter *waiter)
{
    struct operation *operation = waiter->running;

    waiter->running = operation->next;
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

static void CALLBACK run_due(ULONG_PTR unused, ULONG_PTR unused2, ULONG_PTR unused3)
{
    struct waiter *waiter = waiter_existing();
    struct operation *operation;
    char here;

    (void)unused, (void)unused2, (void)unused3;
    if (!waiter)
        return;
    while (waiter->running && was_left(waiter->running, &here))
        forget_innermost(waiter);
    do {
        AcquireSRWLockExclusive(&waiter->lock);
        operation = start_next(waiter);
        ReleaseSRWLockExclusive(&waiter->lock);
        if (operation)
            run(waiter, operation, &here);
    } while (operation);
}

/* ---- from outside ---- */

void routine_queue(struct operation *operation)
{
    struct waiter *waiter = operation->issuer;
    bool ended;

    AcquireSRWLockExclusive(&waiter->lock);
    if (!(ended = waiter->serial != operation->issuer_serial)) {
        append(waiter, operation);
        if (!waiter->apc_queued)
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
    ReleaseSRWLockExclusive(&waiter->lock);
    for (; due; due = next) {
        next = due->next;
        operation_free(due);
    }
    while (waiter->running)
        forget_innermost(waiter);
}
