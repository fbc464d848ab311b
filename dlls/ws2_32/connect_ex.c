/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ConnectEx.  Takes the socket's lock.
 */
#include "connect.h"
#include "extension.h"
#include "guarded_copy.h"
#include "ntcalls.h"
#include "send.h"
#include "sockaddr.h"
#include "startup.h"

/* The data is sent when the connection is there, but the program may change the buffer at once: the
 * operation gets a copy, in the block that operation_release_buffers frees. */
static DWORD copy_data(struct operation *operation, const WSABUF *data)
{
    WSABUF *copy;
    size_t size;

    if (!data->len)
        return 0;
    if (__builtin_add_overflow(sizeof(*copy), data->len, &size))
        return WSAEFAULT;
    if (!(copy = malloc(size)))
        return WSAENOBUFS;
    copy->len = data->len;
    copy->buf = (char *)(copy + 1);
    operation->buffers = copy;
    operation->buffer_count = 1;
    operation->total = data->len;
    return guarded_copy(copy->buf, data->buf, data->len) ? WSAEFAULT : 0;
}

static DWORD connect_ex(struct socket *socket, const struct rs_addr *peer, WSABUF *data,
                        OVERLAPPED *overlapped)
{
    struct operation *operation;
    DWORD error;

    AcquireSRWLockShared(&socket->lock);
    error = socket->bound ? connect_check(socket, true) : WSAEINVAL;
    ReleaseSRWLockShared(&socket->lock);
    if (error) /* the count in the OVERLAPPED stays as it was */
        return error;
    if (!(operation = operation_create(socket, OPERATION_CONNECT, overlapped, NULL, &error)))
        return error;
    if ((error = copy_data(operation, data)))
        return operation_end_call(operation, error);
    AcquireSRWLockExclusive(&socket->lock);
    error = socket->bound ? connect_start(socket, peer, operation) : WSAEINVAL;
    ReleaseSRWLockExclusive(&socket->lock);
    if (error)
        return operation_end_call(operation, error);
    session_reap(socket->session);
    return WSA_IO_PENDING;
}

BOOL WINAPI ws_ConnectEx(SOCKET s, const struct sockaddr *name, int length, void *buffer,
                         DWORD size, DWORD *sent, OVERLAPPED *overlapped)
{
    struct socket *socket;
    WSABUF data = {size, buffer};
    struct rs_addr peer;
    DWORD error;

    (void)sent; /* "ignored" until completion: the operation never completes at once */
    if (overlapped && !guarded_store_pointer(&overlapped->Internal, STATUS_PENDING))
        return return_error(WSAEFAULT) == 0;
    if (!(socket = socket_get(s)))
        return FALSE;
    session_reap(socket->session);
    if (!overlapped)
        error = ERROR_INVALID_PARAMETER;
    else if (socket->type != SOCK_STREAM)
        error = WSAEINVAL;
    else if (size && !buffer)
        error = WSAEFAULT;
    else if (!(error = connect_destination(socket, name, length, &peer)))
        error = connect_ex(socket, &peer, &data, overlapped);
    socket_put(socket);
    return return_error(error) == 0;
}
