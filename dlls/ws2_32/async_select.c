/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAsyncSelect: network events as window messages.
 *
 * Unlike the record of WSAEventSelect (readiness.c) nothing is remembered of the time before: each
 * selection starts anew, tells at once what holds, and tells an event again only after the call
 * that enables it, "even if the call fails".  FD_CONNECT alone is an edge.  That is what Wine's
 * test_events saw on Windows in its message half.
 *
 * Messages are posted under the socket's lock, so that their order is that of the events and none
 * is posted after a cancellation.  PostMessageW takes no lock of ours and calls nobody.
 */
#include "async_select.h"
#include "readiness.h"
#include "startup.h"
#include "window_post.h"

#define KNOWN_EVENTS FD_ALL_EVENTS

/* In the order of the messages, where several events happen at once. */
static const long order[] = {FD_CONNECT, FD_ACCEPT, FD_READ, FD_OOB, FD_WRITE, FD_CLOSE};

static void tell(struct socket *socket, long event)
{
    int error = 0;

    if (event == FD_CLOSE)
        error = socket_close_error(socket);
    else if (event == FD_CONNECT)
        error = socket_connect_error(socket);
    if (window_post(socket->window, socket->window_message, socket->handle,
                    WSAMAKESELECTREPLY(event, error)))
        socket->window_told |= event;
}

/* Of the levels those that hold and were not told; FD_CONNECT if it has happened just now. */
static void tell_what_holds(struct socket *socket, long edges)
{
    long wanted = socket->window_mask & ~socket->window_told & ~FD_CONNECT;
    long now = (socket_readiness(socket) & wanted) | (edges & socket->window_mask & FD_CONNECT);

    for (size_t i = 0; i < ARRAYSIZE(order); i++)
        if (now & order[i])
            tell(socket, order[i]);
}

void async_select_notify(struct socket *socket, long edges)
{
    if (!socket->window_mask || socket->closing)
        return;
    if (edges & FD_CONNECT)
        socket->window_told &= ~FD_WRITE;
    if (socket->type != SOCK_STREAM)
        edges &= ~FD_CONNECT; /* a datagram socket's connect is told as FD_WRITE only */
    tell_what_holds(socket, edges);
}

void async_select_enable(struct socket *socket, long events)
{
    if (!socket->window_mask)
        return;
    socket->window_told &= ~events;
    tell_what_holds(socket, 0);
}

void async_select_cancel(struct socket *socket)
{
    socket->window = NULL;
    socket->window_mask = 0;
}

static void select_window(struct socket *socket, HWND window, UINT message, long mask)
{
    socket->window = window;
    socket->window_message = message;
    socket->window_mask = mask;
    socket->window_told = 0;
    socket_update_interest(socket);
    tell_what_holds(socket, 0);
}

void async_select_inherit(struct socket *accepted, struct socket *listener)
{
    HWND window;
    UINT message;
    long mask;

    AcquireSRWLockShared(&listener->lock);
    window = listener->window;
    message = listener->window_message;
    mask = listener->window_mask;
    ReleaseSRWLockShared(&listener->lock);
    if (!mask)
        return;
    AcquireSRWLockExclusive(&accepted->lock);
    select_window(accepted, window, message, mask);
    ReleaseSRWLockExclusive(&accepted->lock);
}

void async_select_handle_closed(struct socket *socket)
{
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->window_mask & FD_CLOSE & ~socket->window_told)
        tell(socket, FD_CLOSE);
    ReleaseSRWLockExclusive(&socket->lock);
}

int WSAAPI WSAAsyncSelect(SOCKET s, HWND window, u_int message, __LONG32 events)
{
    struct socket *socket = socket_get(s);

    if (!socket)
        return SOCKET_ERROR;
    /* "WSAEINVAL: One of the specified parameters was invalid, such as the window handle not
     * referring to an existing window" */
    if ((events & ~KNOWN_EVENTS) || (events && !window_exists(window))) {
        socket_put(socket);
        return return_error(WSAEINVAL);
    }
    /* "cancels any previous WSAAsyncSelect or WSAEventSelect for the same socket" */
    socket_event_release(socket);
    session_reap(socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    socket->nonblocking = true; /* "regardless of the value of lEvent" */
    select_window(socket, window, message, events);
    ReleaseSRWLockExclusive(&socket->lock);
    session_reap(socket->session); /* what came before the server saw the new interest */
    socket_put(socket);
    return 0;
}
