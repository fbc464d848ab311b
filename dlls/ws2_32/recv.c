/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recv, recvfrom, WSARecv, WSARecvFrom: from their arguments to one operation.  Takes the socket's
 * lock; the queue is receive.c's.
 */
#include "receive.h"
#include "socket_life.h"
#include "startup.h"

struct receive_call {
    WSABUF *buffers;
    DWORD count;
    DWORD *bytes, *flags;
    struct sockaddr *from;
    int *from_length;
    WSAOVERLAPPED *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
};

static DWORD receive_check(const struct socket *socket, DWORD flags)
{
    bool stream = socket->type == SOCK_STREAM;

    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->closing)
        return WSAENOTSOCK;
    if (stream && socket->state != SOCKET_CONNECTED && !socket->error)
        return WSAENOTCONN;
    if (!stream && !socket->bound)
        return WSAEINVAL; /* WSARecv.txt: "The socket has not been bound" */
    if (!stream && (flags & MSG_OOB))
        return WSAEOPNOTSUPP;
    if (socket->shut_recv)
        return WSAESHUTDOWN;
    /* WSARecv.txt: MSG_WAITALL "along with MSG_OOB, MSG_PEEK, or MSG_PARTIAL", on a nonblocking
     * socket or for messages "will fail with WSAEOPNOTSUPP" */
    if ((flags & MSG_WAITALL) &&
        (!stream || socket->nonblocking || (flags & (MSG_OOB | MSG_PEEK | MSG_PARTIAL))))
        return WSAEOPNOTSUPP;
    return 0;
}

/* True when there is an answer: *error, or the operation is complete. */
static bool answer(struct socket *socket, struct operation *operation, DWORD *error)
{
    return (*error = receive_check(socket, operation->flags)) || receive_try(socket, operation);
}

/* The same after what is in the ring has been applied; the lock stays held. */
static bool answer_with_lock(struct socket *socket, struct operation *operation, DWORD *error)
{
    session_reap(socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    return answer(socket, operation, error);
}

static uint64_t deadline_of(const struct socket *socket)
{
    return socket->receive_timeout ? waiter_deadline(socket->receive_timeout) : WAITER_FOREVER;
}

static DWORD wait_for_data(struct socket *socket, struct operation *operation)
{
    DWORD error;
    bool answered;

    if (!(operation->waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(operation->waiter, socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    if (!(answered = answer(socket, operation, &error))) {
        operation_append(&socket->receiving, operation);
        socket_update_interest(socket);
    }
    ReleaseSRWLockExclusive(&socket->lock);
    if (answered) {
        waiter_disarm(operation->waiter);
        return error ? error : operation->error;
    }
    return socket_wait(socket, &socket->receiving, operation, deadline_of(socket));
}

static DWORD receive_now(struct socket *socket, const struct receive_call *call,
                         struct operation *operation)
{
    bool answered, nonblocking;
    DWORD error;

    answered = answer_with_lock(socket, operation, &error);
    nonblocking = socket->nonblocking;
    socket_event_enable(socket, operation->flags & MSG_OOB ? FD_OOB : FD_READ);
    ReleaseSRWLockExclusive(&socket->lock);
    if (answered)
        error = error ? error : operation->error;
    else
        error = nonblocking ? WSAEWOULDBLOCK : wait_for_data(socket, operation);
    if (!error || error == WSAEMSGSIZE) {
        *call->bytes = (DWORD)operation->done;
        *call->flags = operation->result_flags;
    }
    return error;
}

static DWORD receive_synchronous(struct socket *socket, const struct receive_call *call)
{
    struct operation operation = {.kind = OPERATION_RECV, .flags = *call->flags};
    DWORD error = operation_set_buffers(&operation, call->buffers, call->count);

    if (error)
        return error;
    operation.address = call->from;
    operation.address_length = call->from_length;
    error = receive_now(socket, call, &operation);
    operation_release_buffers(&operation);
    return error;
}

/* The operation is complete or queued; returns what the call returns. */
static DWORD post(struct socket *socket, struct operation *operation)
{
    DWORD error;
    bool answered = answer_with_lock(socket, operation, &error);

    if (!answered) {
        operation_append(&socket->receiving, operation);
        socket_update_interest(socket);
    }
    socket_event_enable(socket, operation->flags & MSG_OOB ? FD_OOB : FD_READ);
    ReleaseSRWLockExclusive(&socket->lock);
    if (answered)
        return error ? error : operation->error;
    session_reap(socket->session); /* what was published before the server saw our interest */
    return WSA_IO_PENDING;
}

static DWORD receive_overlapped(struct socket *socket, const struct receive_call *call)
{
    struct operation *operation;
    DWORD error;

    operation = operation_create(socket, OPERATION_RECV, call->overlapped, call->routine, &error);
    if (!operation)
        return error;
    operation->flags = *call->flags;
    operation->address = call->from;
    operation->address_length = call->from_length;
    if (!(operation->error = operation_set_buffers(operation, call->buffers, call->count)))
        error = post(socket, operation);
    else
        error = operation->error;
    if (error == WSA_IO_PENDING)
        return error;
    if (!error) {
        if (call->bytes)
            *call->bytes = (DWORD)operation->done;
        *call->flags = operation->result_flags;
    }
    return operation_end_call(operation, error);
}

static int receive(SOCKET s, struct receive_call *call)
{
    struct socket *socket = socket_get(s);
    bool overlapped;
    DWORD error;

    if (!socket)
        return SOCKET_ERROR;
    /* WSARecv.txt: lpOverlapped is "ignored for nonoverlapped sockets" */
    overlapped = call->overlapped && (socket->creation_flags & WSA_FLAG_OVERLAPPED);
    if (!call->buffers || !call->flags || (!overlapped && !call->bytes) ||
        (call->from && !call->from_length))
        error = WSAEFAULT;
    else if (!call->count)
        error = WSAEINVAL;
    else
        error = overlapped ? receive_overlapped(socket, call) : receive_synchronous(socket, call);
    socket_put(socket);
    return return_error(error);
}

int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, LPDWORD flags,
                       struct sockaddr *from, LPINT from_length, LPWSAOVERLAPPED overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct receive_call call = {buffers, count,       bytes,      flags,
                                from,    from_length, overlapped, routine};

    return receive(s, &call);
}

int WSAAPI WSARecv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, LPDWORD flags,
                   LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    return WSARecvFrom(s, buffers, count, bytes, flags, NULL, NULL, overlapped, routine);
}

int WSAAPI recvfrom(SOCKET s, char *buffer, int length, int flags, struct sockaddr *from,
                    int *from_length)
{
    WSABUF data = {(ULONG)length, buffer};
    DWORD bytes = 0, in_out = (DWORD)flags;
    struct receive_call call = {.buffers = &data,
                                .count = 1,
                                .bytes = &bytes,
                                .flags = &in_out,
                                .from = from,
                                .from_length = from_length};

    if (length < 0 || (!buffer && length))
        return socket_is_valid(s) ? return_error(WSAEFAULT) : SOCKET_ERROR;
    return receive(s, &call) ? SOCKET_ERROR : (int)bytes;
}

int WSAAPI recv(SOCKET s, char *buffer, int length, int flags)
{
    return recvfrom(s, buffer, length, flags, NULL, NULL);
}
