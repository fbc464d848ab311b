/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAccept, and its condition function.  Takes the listener's lock, never while the function runs.
 *
 * The connection stands already when the function is asked, since the server accepts ahead of the
 * program; so a peer that is rejected has been connected and is reset.  On Windows that is so too,
 * unless SO_CONDITIONAL_ACCEPT is set.
 */
#include "accept.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "unix_socket.h"

union name {
    struct sockaddr any;
    struct sockaddr_in6 in6;
    struct unix_address path;
};

static WSABUF name_of(const struct socket *connection, bool peer, union name *name)
{
    int length = sizeof(*name);

    if (connection->family == AF_UNIX)
        unix_name_store(connection, peer, &name->any, &length);
    else
        length = sockaddr_from_wire(&name->in6, peer ? &connection->peer : &connection->local);
    return (WSABUF){(ULONG)length, (char *)name};
}

/* "A value of zero means passing user data back to the caller is not supported."  Socket groups are
 * "reserved for future use". */
static int ask(LPCONDITIONPROC condition, DWORD_PTR context, const struct socket *connection)
{
    union name peer, local;
    WSABUF caller = name_of(connection, true, &peer);
    WSABUF callee = name_of(connection, false, &local);
    WSABUF data = {0, NULL};
    GROUP group = 0;

    return condition(&caller, NULL, NULL, NULL, &callee, &data, &group, context);
}

/* CF_DEFER: "no action about this connection request should be taken"; it is the next one again. */
static DWORD defer(struct socket *listener, struct socket *connection, DWORD error)
{
    bool kept;

    AcquireSRWLockExclusive(&listener->lock);
    kept = !listener->closing && accept_put_back(listener, connection);
    ReleaseSRWLockExclusive(&listener->lock);
    if (!kept) {
        socket_discard(connection);
        socket_put(connection);
    }
    return error;
}

/* 0: the connection is the caller's still; else it is not. */
static DWORD decide(struct socket *listener, struct socket *connection, LPCONDITIONPROC condition,
                    DWORD_PTR context)
{
    switch (condition ? ask(condition, context, connection) : CF_ACCEPT) {
    case CF_ACCEPT:
        return 0;
    case CF_REJECT:
        socket_discard(connection);
        socket_put(connection);
        return WSAECONNREFUSED;
    case CF_DEFER:
        return defer(listener, connection, WSATRY_AGAIN);
    default: /* "the return value of the condition function is not a valid one" */
        return defer(listener, connection, WSAEINVAL);
    }
}

static DWORD accept_one(struct socket *listener, struct sockaddr *address, int *length,
                        LPCONDITIONPROC condition, DWORD_PTR context, SOCKET *result)
{
    struct socket *connection = NULL;
    DWORD error;

    if ((error = accept_check_room(listener, address, length)) ||
        (error = accept_next(listener, &connection)) ||
        (error = decide(listener, connection, condition, context)))
        return error;
    if (!(error = accept_give_handle(connection, listener))) {
        *result = connection->handle;
        accept_tell_peer(connection, address, length);
    }
    socket_put(connection);
    return error;
}

SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *address, LPINT length, LPCONDITIONPROC condition,
                        DWORD_PTR context)
{
    struct socket *listener = socket_get(s);
    SOCKET result = INVALID_SOCKET;
    DWORD error;

    if (!listener)
        return INVALID_SOCKET;
    error = accept_one(listener, address, length, condition, context, &result);
    socket_put(listener);
    if (error)
        SetLastError(error);
    return result;
}
