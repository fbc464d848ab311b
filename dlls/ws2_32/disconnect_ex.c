/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DisconnectEx, and the sockets that it and TransmitFile make new.  Takes the socket's lock.
 *
 * An operation that waits for that is in the socket's queue of connects, of which it is the only
 * one.
 */
#include "disconnect.h"
#include "extension.h"
#include "log.h"
#include "receive.h"
#include "segment.h"
#include "send.h"
#include "socket_life.h"
#include "startup.h"

DWORD disconnect_send(struct socket *socket)
{
    struct operation_queue finished = {0};
    DWORD error = 0;

    AcquireSRWLockExclusive(&socket->lock);
    if (socket->state != SOCKET_CONNECTED)
        error = WSAENOTCONN;
    else if (!socket->shut_send) {
        send_shutdown(socket, &finished);
        socket->shut_send = true;
    }
    ReleaseSRWLockExclusive(&socket->lock);
    operation_deliver_list(&finished);
    return error;
}

/* Windows does not wait for the peer, but tells of the end by completion even so (Wine's
 * test_DisconnectEx and test_shutdown_completion_port, run on Windows). */
static DWORD disconnect_overlapped(struct socket *socket, OVERLAPPED *overlapped)
{
    struct operation *operation;
    DWORD error;

    if (!(operation = operation_create(socket, OPERATION_CONNECT, overlapped, NULL, &error)))
        return error;
    if ((error = disconnect_send(socket)))
        return operation_end_call(operation, error);
    operation_deliver(operation);
    return WSA_IO_PENDING;
}

/* ---- to be used again ---- */

/* "if the socket is in the transmit closing state from a previous request" it may still be reused
 * (DisconnectEx's page).  Caller holds the lock. */
static DWORD reuse_check(const struct socket *socket)
{
    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->closing)
        return WSA_OPERATION_ABORTED;
    if (socket->type != SOCK_STREAM || socket->state != SOCKET_CONNECTED || socket->connecting.head)
        return WSAENOTCONN;
    if (socket->family != AF_UNIX && !socket->duplicated)
        return 0;
    log_once(LOG_WARN, "sockets of AF_UNIX and of several processes cannot be reused");
    return WSAEOPNOTSUPP;
}

static DWORD reuse_start(struct socket *socket, struct operation *operation,
                         const struct carried *carried)
{
    struct operation_queue finished = {0};
    DWORD error;

    AcquireSRWLockExclusive(&socket->lock);
    error = carried && carried->cancelled ? WSA_OPERATION_ABORTED : reuse_check(socket);
    if (!error) {
        operation_append(&socket->connecting, operation);
        if (!socket->disconnecting) { /* else one that was cancelled has started it */
            socket->shut_send = socket->shut_recv = socket->disconnecting = true;
            send_shutdown(socket, &finished);
        }
        socket_update_interest(socket);
    }
    ReleaseSRWLockExclusive(&socket->lock);
    operation_deliver_list(&finished);
    return error;
}

static DWORD reuse_overlapped(struct socket *socket, OVERLAPPED *overlapped)
{
    struct operation *operation;
    DWORD error;

    if (!(operation = operation_create(socket, OPERATION_CONNECT, overlapped, NULL, &error)))
        return error;
    if ((error = reuse_start(socket, operation, NULL)))
        return operation_end_call(operation, error);
    session_reap(socket->session);
    return WSA_IO_PENDING;
}

DWORD disconnect_and_wait(struct socket *socket, const struct carried *carried)
{
    struct operation operation = {.kind = OPERATION_CONNECT};
    DWORD error;

    if (!(operation.waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(operation.waiter, socket->session);
    if (!(error = reuse_start(socket, &operation, carried))) {
        error = socket_wait(socket, &socket->connecting, &operation, WAITER_FOREVER);
        return carried && error == WSAEINTR ? WSA_OPERATION_ABORTED : error;
    }
    waiter_disarm(operation.waiter);
    return error;
}

/* What was set on the socket stays, what the connection was goes. */
static void forget_connection(struct socket *socket, const struct rs_addr *local)
{
    socket->state = SOCKET_OPEN;
    socket->bound = local->family != RS_AF_UNSPEC;
    socket->local = *local;
    memset(&socket->peer, 0, sizeof(socket->peer));
    socket->shut_send = socket->shut_recv = socket->end_of_stream = false;
    socket->connectex = socket->acceptex = socket->connect_failed = false;
    socket->error = socket->so_error = socket->connect_error = 0;
    socket->event_pending = socket->event_disabled = socket->window_told = 0;
    if (socket->urgent)
        segment_free(socket->urgent);
    socket->urgent = NULL;
}

void disconnect_finished(struct socket *socket, const struct rs_reused *reused,
                         struct operation_queue *finished)
{
    struct operation *operation = operation_pop(&socket->connecting);

    socket->disconnecting = false;
    if (!reused->error) {
        receive_forget(socket, finished);
        send_fail(socket, WSAECONNRESET, finished);
        forget_connection(socket, &reused->local);
    }
    if (operation) {
        operation->error = reused->error;
        operation_append(finished, operation);
    }
}

/* ---- the call ---- */

BOOL WINAPI ws_DisconnectEx(SOCKET s, OVERLAPPED *overlapped, DWORD flags, DWORD reserved)
{
    struct socket *socket = socket_get(s);
    DWORD error;

    if (!socket)
        return FALSE;
    session_reap(socket->session);
    if (reserved || (flags & ~TF_REUSE_SOCKET))
        error = WSAEINVAL;
    else if (flags & TF_REUSE_SOCKET)
        error = overlapped ? reuse_overlapped(socket, overlapped)
                           : disconnect_and_wait(socket, NULL);
    else
        error = overlapped ? disconnect_overlapped(socket, overlapped) : disconnect_send(socket);
    socket_put(socket);
    return return_error(error) == 0;
}
