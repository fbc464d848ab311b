/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Event objects, WSAEventSelect and WSAEnumNetworkEvents.
 *
 * Takes the socket's lock.  The recording itself is in readiness.c.
 */
#include "arguments.h"
#include "async_select.h"
#include "fast_event.h"
#include "look_again.h"
#include "readiness.h"
#include "startup.h"

WSAEVENT WSAAPI WSACreateEvent(void)
{
    WSAEVENT event = CreateEventW(NULL, TRUE, FALSE, NULL);

    event_make_fast(event);
    return event;
}

BOOL WSAAPI WSASetEvent(WSAEVENT event)
{
    return SetEvent(event);
}

BOOL WSAAPI WSAResetEvent(WSAEVENT event)
{
    return ResetEvent(event);
}

BOOL WSAAPI WSACloseEvent(WSAEVENT event)
{
    return CloseHandle(event);
}

DWORD WSAAPI WSAWaitForMultipleEvents(DWORD count, const WSAEVENT *events, BOOL all, DWORD timeout,
                                      BOOL alertable)
{
    struct session *session = session_current();

    if (!count || count > WSA_MAXIMUM_WAIT_EVENTS || !events ||
        !argument_in(events, count * sizeof(*events))) {
        SetLastError(WSA_INVALID_PARAMETER);
        return WSA_WAIT_FAILED;
    }
    if (session)
        session_reap(session); /* what has arrived already needs no waiting for the pump */
    return WaitForMultipleObjectsEx(count, events, all, timeout, alertable);
}

/* The socket's own handle of the program's event, with the right that recording needs. */
static DWORD duplicate_event(HANDLE event, HANDLE *copy)
{
    event_make_fast(event);
    return DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), copy,
                           EVENT_MODIFY_STATE, FALSE, 0)
               ? 0
               : WSAEINVAL;
}

static HANDLE event_replace(struct socket *socket, HANDLE event, long mask)
{
    HANDLE old = socket->event;

    socket->event = event;
    socket->event_mask = mask;
    return old;
}

/* A sender that has room learns of it even if its connection was made before anybody recorded. */
static void record_first_write(struct socket *socket)
{
    bool known = socket->type == SOCK_STREAM || socket->bound || socket->peer.family;

    if (known && !(socket->event_disabled & FD_WRITE))
        socket_event_enable(socket, FD_WRITE);
}

int WSAAPI WSAEventSelect(SOCKET handle, WSAEVENT event, long mask)
{
    struct socket *socket = socket_get(handle);
    HANDLE copy = NULL, old;
    DWORD error = 0;

    if (!socket)
        return SOCKET_ERROR;
    session_reap(socket->session);
    if (mask)
        error = event ? duplicate_event(event, &copy) : WSAEINVAL;
    if (error) {
        socket_put(socket);
        return return_error(error);
    }
    AcquireSRWLockExclusive(&socket->lock);
    old = event_replace(socket, copy, mask);
    async_select_cancel(socket);
    socket->nonblocking = true;
    if (mask)
        record_first_write(socket);
    if (socket->event_pending & mask)
        SetEvent(copy);
    socket_update_interest(socket);
    ReleaseSRWLockExclusive(&socket->lock);
    if (old)
        CloseHandle(old);
    session_reap(socket->session); /* what came before the server saw the new interest */
    socket_put(socket);
    return 0;
}

int WSAAPI WSAEnumNetworkEvents(SOCKET handle, WSAEVENT event, WSANETWORKEVENTS *events)
{
    struct socket *socket = socket_get(handle);

    if (!socket)
        return SOCKET_ERROR;
    if (!events || !argument_out(events, sizeof(*events))) {
        socket_put(socket);
        return return_error(WSAEFAULT);
    }
    session_reap(socket->session);
    /* Over Windows' loopback a send, or a close, is with its peer when the call returns (Wine's
     * afd.c, run on Windows, sends and asks).  The words may change meanwhile: then it looks once
     * too often, or tells what it would have told a moment ago. */
    if (!(socket->event_pending & socket->event_mask) && !submit_is_all_past(socket->session))
        look_now(socket);
    AcquireSRWLockExclusive(&socket->lock);
    if (event)
        ResetEvent(event);
    events->lNetworkEvents = socket->event_pending & socket->event_mask;
    for (int bit = 0; bit < FD_MAX_EVENTS; bit++)
        if (events->lNetworkEvents & (1 << bit))
            events->iErrorCode[bit] = socket->event_error[bit];
    socket->event_pending &= ~events->lNetworkEvents;
    ReleaseSRWLockExclusive(&socket->lock);
    socket_put(socket);
    return 0;
}

void socket_event_inherit(struct socket *accepted, struct socket *listener)
{
    HANDLE copy = NULL;
    long mask;

    AcquireSRWLockExclusive(&listener->lock);
    mask = listener->event_mask;
    if (mask && duplicate_event(listener->event, &copy))
        mask = 0;
    ReleaseSRWLockExclusive(&listener->lock);
    if (!mask)
        return;
    AcquireSRWLockExclusive(&accepted->lock);
    copy = event_replace(accepted, copy, mask);
    record_first_write(accepted);
    if (accepted->event_pending & mask)
        SetEvent(accepted->event);
    socket_update_interest(accepted);
    ReleaseSRWLockExclusive(&accepted->lock);
    if (copy)
        CloseHandle(copy);
}

void socket_event_release(struct socket *socket)
{
    HANDLE old;

    AcquireSRWLockExclusive(&socket->lock);
    old = event_replace(socket, NULL, 0);
    ReleaseSRWLockExclusive(&socket->lock);
    if (old)
        CloseHandle(old);
}
