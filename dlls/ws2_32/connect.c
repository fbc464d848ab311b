/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * connect and WSAConnect, and the state of connecting.  Takes the socket's lock.
 */
#include "connect.h"
#include "arguments.h"
#include "guarded_copy.h"
#include "receive.h"
#include "request.h"
#include "send.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"
#include "unix_socket.h"

/* ---- state ---- */

/* A ConnectEx is under way, or has connected the socket and SO_UPDATE_CONNECT_CONTEXT was not set:
 * connect takes no part in that. */
static bool is_connect_ex(const struct socket *socket)
{
    return socket->connectex || (socket->connecting.head && socket->connecting.head->overlapped);
}

DWORD connect_check(const struct socket *socket, bool extended)
{
    if (socket->closing)
        return WSAENOTSOCK;
    switch (socket->state) {
    case SOCKET_DEAD:
        return WSAENETDOWN;
    case SOCKET_LISTENING:
        return WSAEINVAL;
    case SOCKET_CONNECTING:
        return extended || is_connect_ex(socket) ? WSAEINVAL : WSAEALREADY;
    case SOCKET_CONNECTED:
        if (socket->type != SOCK_STREAM)
            return 0;
        return !extended && is_connect_ex(socket) ? WSAEINVAL : WSAEISCONN;
    default:
        return socket->accept_pending ? WSAEINVAL : 0;
    }
}

/* TCP_FASTOPEN: "you should use ConnectEx to make the initial connection, and specify data in that
 * function's lpSendBuffer parameter to be transferred during the handshake process. Some of the
 * data in lpSendBuffer will be transferred under the Fast Open protocol"; the copy that ConnectEx
 * made. */
static uint32_t early_data(const struct socket *socket, const struct operation *operation)
{
    if (!operation || !operation->total || !socket->fast_open)
        return 0;
    return (uint32_t)min(operation->total, RS_MAX_PAYLOAD);
}

static bool submit_connect(struct socket *socket, const struct rs_addr *peer,
                           const struct operation *operation)
{
    uint32_t length = early_data(socket, operation);
    uint32_t size = sizeof(struct rs_record) + sizeof(*peer) + length;
    struct rs_record *record = submit_begin(socket->session, RS_SUB_CONNECT,
                                            length ? RS_CONNECT_DATA : 0, socket->index, size);

    if (!record)
        return false;
    memcpy(record + 1, peer, sizeof(*peer));
    if (length)
        memcpy((uint8_t *)(record + 1) + sizeof(*peer), operation->buffers->buf, length);
    submit_end(socket->session, record, size, length);
    return true;
}

DWORD connect_start(struct socket *socket, const struct rs_addr *peer, struct operation *operation)
{
    bool extended = operation && operation->overlapped;
    DWORD error = connect_check(socket, extended);

    if (error)
        return error;
    socket->connect_failed = false;
    socket->connect_error = socket->so_error = 0;
    if (socket->type == SOCK_STREAM) {
        socket->state = SOCKET_CONNECTING;
        socket->error = 0;
        if (!extended) /* getpeername tells it from now on */
            socket->peer = *peer;
    }
    if (operation)
        operation_append(&socket->connecting, operation);
    socket_update_interest(socket);
    if (submit_connect(socket, peer, operation))
        return 0;
    if (operation)
        operation_remove(&socket->connecting, operation);
    return WSAENETDOWN;
}

static void connected_successfully(struct socket *socket, const struct rs_connected *connected)
{
    socket->local = connected->local;
    socket->peer = connected->peer;
    socket->bound = true;
    socket->connect_time = GetTickCount();
    socket->state = connected->peer.family ? SOCKET_CONNECTED : SOCKET_OPEN;
    if (socket->type != SOCK_STREAM && connected->peer.family)
        receive_drop_strangers(socket);
}

long connect_finished(struct socket *socket, const struct rs_connected *connected,
                      struct operation_queue *finished)
{
    struct operation *operation = operation_pop(&socket->connecting);

    if (!connected->error)
        connected_successfully(socket, connected);
    else {
        if (socket->type == SOCK_STREAM) {
            socket->state = SOCKET_OPEN;
            socket->peer.family = RS_AF_UNSPEC;
        }
        if (connected->local.family) { /* the attempt has bound it */
            socket->local = connected->local;
            socket->bound = true;
        }
        socket->connect_error = connected->error;
        if (!operation || operation->overlapped) /* not for the program that gets it from connect */
            socket->so_error = connected->error;
        socket->connect_failed = true;
    }
    if (operation) {
        operation->error = connected->error;
        if (operation->overlapped && !connected->error)
            socket->connectex = true;
        operation->done = min(connected->taken, operation->total);
        /* ConnectEx: what it was given to send goes first */
        if (!connected->error && operation->total && !send_push(socket, operation, false))
            operation_append(&socket->sending, operation);
        else
            operation_append(finished, operation);
    }
    return connected->error ? FD_CONNECT : FD_CONNECT | FD_WRITE;
}

/* ---- the calls ---- */

DWORD connect_destination(struct socket *socket, const struct sockaddr *name, int length,
                          struct rs_addr *peer)
{
    struct unix_address address;
    DWORD error;

    if (socket->family != AF_UNIX)
        return sockaddr_to_wire(peer, name, length, socket->family);
    if (!(error = unix_address_begin(socket, name, length, &address, peer)))
        unix_name_set(socket, &address, true);
    return error;
}

/* connect's page: a stream's destination must be a real one (WSAEADDRNOTAVAIL); for datagrams the
 * address of all zeroes dissolves the association. */
static DWORD destination(struct socket *socket, const struct sockaddr *name, int length,
                         struct rs_addr *peer)
{
    unsigned short name_family;
    DWORD error;

    memset(peer, 0, sizeof(*peer));
    if (socket->type != SOCK_STREAM && length >= (int)sizeof(name_family) &&
        !guarded_copy(&name_family, name, sizeof(name_family)) && name_family == AF_UNSPEC)
        return 0;
    if ((error = connect_destination(socket, name, length, peer)) || socket->family == AF_UNIX)
        return error;
    if (socket->type == SOCK_STREAM)
        return wire_address_is_any(peer) || !peer->port ? WSAEADDRNOTAVAIL : 0;
    if (wire_address_is_any(peer))
        memset(peer, 0, sizeof(*peer));
    return 0;
}

static DWORD connect_and_wait(struct socket *socket, const struct rs_addr *peer)
{
    struct operation operation = {.kind = OPERATION_CONNECT};
    bool waits;
    DWORD error;

    if (!(operation.waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(operation.waiter, socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    waits = !socket->nonblocking || socket->type != SOCK_STREAM;
    error = connect_start(socket, peer, waits ? &operation : NULL);
    ReleaseSRWLockExclusive(&socket->lock);
    if (!error && waits)
        error = socket_wait(socket, &socket->connecting, &operation, WAITER_FOREVER);
    else if (!error)
        error = WSAEWOULDBLOCK;
    waiter_disarm(operation.waiter);
    return error;
}

int WSAAPI connect(SOCKET s, const struct sockaddr *name, int length)
{
    struct socket *socket = socket_get(s);
    struct rs_addr peer;
    DWORD error;

    if (!socket)
        return SOCKET_ERROR;
    session_reap(socket->session);
    if (!(error = destination(socket, name, length, &peer)))
        error = connect_and_wait(socket, &peer);
    socket_put(socket);
    return return_error(error);
}

int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *name, int length, LPWSABUF caller,
                      LPWSABUF callee, LPQOS quality, LPQOS group_quality)
{
    DWORD error = 0;

    if (!argument_in(caller, sizeof(*caller)) || !argument_out(callee, sizeof(*callee)))
        error = WSAEFAULT;
    else if (quality || group_quality)
        error = WSAEOPNOTSUPP; /* "The FLOWSPEC structures ... cannot be satisfied" */
    else if (caller && caller->len)
        error = WSAEPROTONOSUPPORT; /* "The lpCallerData parameter is not supported" */
    if (error)
        return socket_is_valid(s) ? return_error(error) : SOCKET_ERROR;
    if (callee) /* "will be set to zero if no user data has been passed back", which TCP has none of
                 */
        callee->len = 0;
    return connect(s, name, length);
}
