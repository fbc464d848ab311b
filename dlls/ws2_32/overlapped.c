/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAGetOverlappedResult.  Takes the socket's lock to find an operation that is still queued.
 */
#include "arguments.h"
#include "guarded_copy.h"
#include "socket.h"
#include "socket_life.h"
#include "startup.h"

static struct operation *find(const struct operation_queue *queue, const WSAOVERLAPPED *overlapped)
{
    struct operation *operation = queue->head;

    while (operation && operation->overlapped != overlapped)
        operation = operation->next;
    return operation;
}

static struct operation *find_operation(const struct socket *socket,
                                        const WSAOVERLAPPED *overlapped)
{
    struct operation *operation = find(&socket->receiving, overlapped);

    if (!operation)
        operation = find(&socket->receiving_urgent, overlapped);
    if (!operation)
        operation = find(&socket->sending, overlapped);
    if (!operation)
        operation = find(&socket->connecting, overlapped);
    if (!operation)
        operation = find(&socket->watching, overlapped);
    if (!operation)
        operation = find(&socket->backlog_watch, overlapped);
    return operation ? operation : find(&socket->accepting, overlapped);
}

static bool pending(const WSAOVERLAPPED *overlapped)
{
    return __atomic_load_n(&overlapped->Internal, __ATOMIC_ACQUIRE) == (ULONG)STATUS_PENDING;
}

/* Without an event: this thread is told by the operation itself. */
static void wait_as_waiter(struct socket *socket, WSAOVERLAPPED *overlapped)
{
    struct waiter *waiter = waiter_current();
    struct operation *operation;

    if (!waiter)
        return;
    waiter_arm(waiter, socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    if ((operation = find_operation(socket, overlapped))) {
        operation->waiter = waiter;
        socket->result_waiters++; /* it may stand behind others, which a port's threads wait for */
        socket_update_interest(socket);
    }
    ReleaseSRWLockExclusive(&socket->lock);
    while (pending(overlapped)) {
        session_reap(socket->session);
        if (!pending(overlapped))
            break;
        if (operation)
            waiter_wait(waiter, WAITER_FOREVER, false);
        else
            SwitchToThread(); /* taken off its queue: another thread is delivering it */
    }
    waiter_disarm(waiter);
    if (!operation)
        return;
    AcquireSRWLockExclusive(&socket->lock);
    socket->result_waiters--;
    socket_update_interest(socket);
    ReleaseSRWLockExclusive(&socket->lock);
}

static void wait_until_done(struct socket *socket, WSAOVERLAPPED *overlapped)
{
    HANDLE event = (HANDLE)((ULONG_PTR)overlapped->hEvent & ~(ULONG_PTR)1);

    session_reap(socket->session);
    if (!pending(overlapped))
        return;
    if (event)
        WaitForSingleObject(event, INFINITE);
    else
        wait_as_waiter(socket, overlapped);
}

/* STATUS_PENDING is a success: so a signalled event of somebody else's ends the wait, and the call
 * succeeds (Wine's test_WSAGetOverlappedResult, run on Windows). */
static DWORD result_of(NTSTATUS status, bool waited)
{
    if (status == STATUS_PENDING)
        return waited ? 0 : WSA_IO_INCOMPLETE;
    return error_from_status(status);
}

BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD bytes, BOOL wait,
                                   LPDWORD flags)
{
    struct socket *socket = socket_get_known(s);
    NTSTATUS status;
    DWORD error;
    bool done, there = true;

    if (!socket)
        return FALSE;
    if (!overlapped || !bytes || !argument_in(overlapped, sizeof(*overlapped))) {
        socket_put(socket);
        return return_error(WSAEFAULT) == 0;
    }
    if (wait)
        wait_until_done(socket, overlapped);
    else if (pending(overlapped))
        session_reap(socket->session);
    socket_put(socket);
    status = (NTSTATUS)overlapped->Internal;
    done = status >= 0 && (wait || status != STATUS_PENDING);
    error = result_of(status, wait);
    /* "If WSAGetOverlappedResult fails", both are left alone, but for the count of a message that
     * was too long (Wine's test_ip_pktinfo, run on Windows) */
    if (done || error == WSAEMSGSIZE)
        there = guarded_store(bytes, (DWORD)overlapped->InternalHigh);
    /* only behind the count (Wine's test_TransmitFile, run on Windows, takes it without flags) */
    if (!flags || !there || (done && !guarded_store(flags, flags_from_status(status)))) {
        done = false;
        error = WSAEFAULT;
    }
    SetLastError(error);
    return done;
}
