/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * listen, accept.  Owns socket.incoming; takes the listener's lock.
 *
 * The server accepts ahead of the program (RS_ACCEPT_WINDOW), so a connection is here, and its data
 * may be, before anybody asks; it gets its handle when somebody does.
 */
#include "accept.h"
#include "arguments.h"
#include "async_select.h"
#include "guarded_copy.h"
#include "log.h"
#include "option.h"
#include "readiness.h"
#include "request.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"
#include "unix_socket.h"

int WSAAPI listen(SOCKET s, int backlog)
{
    struct socket *socket = socket_get(s);
    struct request request = {.type = RS_SUB_LISTEN};
    DWORD error = 0;

    if (!socket)
        return SOCKET_ERROR;
    AcquireSRWLockShared(&socket->lock);
    if (socket->state == SOCKET_DEAD)
        error = WSAENETDOWN;
    else if (socket->type != SOCK_STREAM)
        error = WSAEOPNOTSUPP;
    else if (socket->state == SOCKET_CONNECTED || socket->state == SOCKET_CONNECTING)
        error = WSAEISCONN;
    else if (!socket->bound)
        error = WSAEINVAL;
    ReleaseSRWLockShared(&socket->lock);
    if (!error) {
        request.session = socket->session;
        request.socket = socket->index;
        request.arg[0] = backlog < 0 ? SOMAXCONN : (uint32_t)backlog;
        /* before the call: a connection may arrive together with the reply */
        AcquireSRWLockExclusive(&socket->lock);
        socket->state = SOCKET_LISTENING;
        socket_update_interest(socket);
        ReleaseSRWLockExclusive(&socket->lock);
        if ((error = request_call(&request))) {
            AcquireSRWLockExclusive(&socket->lock);
            socket->state = SOCKET_OPEN;
            ReleaseSRWLockExclusive(&socket->lock);
        }
    }
    socket_put(socket);
    return return_error(error);
}

/* ---- arrivals ---- */

/* accept's page: the new socket "has the same properties as socket s". */
static struct socket *make_connection(struct socket *listener, const struct rs_accepted *accepted)
{
    struct socket *socket = socket_make(listener->session, accepted->socket, listener->family,
                                        listener->type, listener->protocol);

    if (!socket)
        return NULL;
    socket->anchor = accepted->anchor;
    socket->local = accepted->local;
    socket->peer = accepted->peer;
    socket->state = SOCKET_CONNECTED;
    socket->bound = true;
    socket->connect_time = GetTickCount();
    socket->creation_flags = listener->creation_flags;
    socket->nonblocking = listener->nonblocking;
    unix_name_inherit(socket, listener);
    option_inherit(socket, listener);
    return socket;
}

static bool keep_connection(struct socket *listener, struct socket *connection)
{
    struct incoming *incoming = calloc(1, sizeof(*incoming));

    if (!incoming)
        return false;
    incoming->socket = connection;
    if (listener->incoming_last)
        listener->incoming_last->next = incoming;
    else
        listener->incoming = incoming;
    listener->incoming_last = incoming;
    return true;
}

bool accept_put_back(struct socket *listener, struct socket *connection)
{
    struct incoming *incoming = calloc(1, sizeof(*incoming));

    if (!incoming)
        return false;
    incoming->socket = connection;
    incoming->deferred = true;
    if (!(incoming->next = listener->incoming))
        listener->incoming_last = incoming;
    listener->incoming = incoming;
    return true;
}

struct socket *accept_take(struct socket *listener)
{
    struct incoming *incoming = listener->incoming;
    struct socket *connection;

    if (!incoming)
        return NULL;
    if (!(listener->incoming = incoming->next))
        listener->incoming_last = NULL;
    connection = incoming->socket;
    free(incoming);
    return connection;
}

long accept_arrived(struct socket *listener, const struct rs_accepted *accepted,
                    struct operation_queue *finished)
{
    struct socket *connection = make_connection(listener, accepted);
    struct operation *operation;

    if (!connection) {
        log_error("out of memory: a connection is refused");
        submit_simple(listener->session, RS_SUB_CLOSE, RS_CLOSE_ABORT, accepted->socket);
        return 0;
    }
    if (listener->closing) { /* for another process that has the listener, if there is one */
        if (!keep_connection(listener, connection)) {
            socket_discard(connection);
            socket_put(connection);
        }
        return 0;
    }
    do
        operation = operation_pop(&listener->accepting);
    while (operation && operation->overlapped && accept_ex_refuse(operation, finished));
    if (operation) {
        if (operation->overlapped)
            accept_ex_connect(operation, connection, finished);
        else {
            operation->accepted = connection;
            operation_append(finished, operation);
        }
    } else if (keep_connection(listener, connection))
        return FD_ACCEPT;
    else {
        socket_discard(connection);
        socket_put(connection);
    }
    return 0;
}

/* ---- accept ---- */

static DWORD accept_check(const struct socket *listener)
{
    if (listener->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (listener->closing)
        return WSAENOTSOCK;
    if (listener->type != SOCK_STREAM)
        return WSAEOPNOTSUPP;
    return listener->state == SOCKET_LISTENING ? 0 : WSAEINVAL;
}

DWORD accept_next(struct socket *listener, struct socket **connection)
{
    struct operation operation = {.kind = OPERATION_ACCEPT};
    DWORD error;

    if (!(operation.waiter = waiter_current()))
        return WSAENOBUFS;
    session_reap(listener->session);
    waiter_arm(operation.waiter, listener->session);
    AcquireSRWLockExclusive(&listener->lock);
    if (!(error = accept_check(listener)) && !(*connection = accept_take(listener))) {
        if (listener->nonblocking)
            error = WSAEWOULDBLOCK;
        else {
            operation_append(&listener->accepting, &operation);
            socket_update_interest(listener);
        }
    }
    socket_event_enable(listener, FD_ACCEPT);
    ReleaseSRWLockExclusive(&listener->lock);
    if (error || *connection) {
        waiter_disarm(operation.waiter);
        return error;
    }
    error = socket_wait(listener, &listener->accepting, &operation, WAITER_FOREVER);
    *connection = operation.accepted;
    return error;
}

DWORD accept_give_handle(struct socket *connection, struct socket *listener)
{
    DWORD error = socket_open_handle(connection, connection->anchor);

    if (error) {
        socket_discard(connection);
        return error;
    }
    socket_event_inherit(connection, listener);
    async_select_inherit(connection, listener);
    return 0;
}

/* Before a connection is taken, which would be lost.  "If addr and/or addrlen are equal to NULL,
 * then no information about the remote address of the accepted socket is returned"; "WSAEFAULT: The
 * addrlen parameter is too small or addr is not a valid part of the user address space". */
static bool has_room(const struct socket *listener, struct sockaddr *address, int *length)
{
    int size = sockaddr_size(listener->family);
    DWORD room;

    return !address || !length ||
           (guarded_probe((DWORD *)length, &room) && (int)room >= size &&
            argument_out(address, (size_t)size));
}

/* "Any call to the reenabling routine, even one that fails, results in reenabling" (WSAEventSelect's
 * page): the connection waits on, and is told again. */
DWORD accept_check_room(struct socket *listener, struct sockaddr *address, int *length)
{
    if (has_room(listener, address, length))
        return 0;
    AcquireSRWLockExclusive(&listener->lock);
    socket_event_enable(listener, FD_ACCEPT);
    ReleaseSRWLockExclusive(&listener->lock);
    return WSAEFAULT;
}

void accept_tell_peer(const struct socket *connection, struct sockaddr *address, int *length)
{
    if (!address || !length)
        return;
    if (connection->family == AF_UNIX)
        unix_name_store(connection, true, address, length);
    else
        sockaddr_store(&connection->peer, address, length);
}

SOCKET WSAAPI accept(SOCKET s, struct sockaddr *address, int *length)
{
    struct socket *listener = socket_get(s), *connection = NULL;
    SOCKET result = INVALID_SOCKET;
    DWORD error;

    if (!listener)
        return INVALID_SOCKET;
    if (!(error = accept_check_room(listener, address, length)) &&
        !(error = accept_next(listener, &connection))) {
        if (!(error = accept_give_handle(connection, listener))) {
            result = connection->handle;
            accept_tell_peer(connection, address, length);
        }
        socket_put(connection);
    }
    socket_put(listener);
    if (error)
        SetLastError(error);
    return result;
}
