/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_IDEAL_SEND_BACKLOG_QUERY and SIO_IDEAL_SEND_BACKLOG_CHANGE.  Takes the socket's lock.
 *
 * The value says how much a program should have on its way.  A send is complete here once it is
 * handed to the server, which keeps more than that on its way by itself: so there is one value for
 * every connection, and it never changes.  Sources: the pages of both.
 */
#include "ioctl.h"
#include "socket_life.h"

#define IDEAL_SEND_BACKLOG 0x10000u

/* "allowed only on a stream socket that is in the connected state"; on a datagram socket
 * WSAEOPNOTSUPP. */
static DWORD check(const struct socket *socket)
{
    if (socket->type != SOCK_STREAM)
        return WSAEOPNOTSUPP;
    return socket->state == SOCKET_CONNECTED ? 0 : WSAENOTCONN;
}

DWORD ioctl_send_backlog(struct ioctl_call *call)
{
    ULONG value = IDEAL_SEND_BACKLOG;
    DWORD error = check(call->socket);

    return error ? error : ioctl_return(call, &value, sizeof(value));
}

/* It "can fail with WSAEINTR or WSA_OPERATION_ABORTED" where the connection "is gracefully
 * disconnected in the send direction", "has been reset or aborted", and "when there is already a
 * pended notification request": the first for who blocks. */
static DWORD post(struct socket *socket, struct operation *operation)
{
    DWORD error;

    AcquireSRWLockExclusive(&socket->lock);
    if (socket->closing)
        error = WSAENOTSOCK;
    else if (!(error = check(socket)) &&
             (socket->backlog_watch.head || socket->shut_send || socket->error))
        error = operation->overlapped ? WSA_OPERATION_ABORTED : WSAEINTR;
    if (!error) {
        operation_append(&socket->backlog_watch, operation);
        socket_update_interest(socket);
    }
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

DWORD ioctl_send_backlog_change(struct ioctl_call *call, WSAOVERLAPPED *overlapped,
                                LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    call->bytes_on_error = true;
    if (call->out_size) /* "This error is returned if the cbOutBuffer parameter is not zero" */
        return WSAEINVAL;
    /* "If socket s is in non-blocking mode, this function will still block". */
    return socket_watch_change(call->socket, &call->socket->backlog_watch, post, overlapped,
                               routine);
}
