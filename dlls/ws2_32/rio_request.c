/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RIOReceive(Ex), RIOSend(Ex): from their arguments to one request, and commits.
 *
 * Holds the request queue's lock throughout and takes the socket's inside; owns nothing.  What the
 * page names as the call's own errors (parameters, buffers, room) the call returns; the state of
 * the socket is asked when the request is executed, so its errors are the completion's status, as
 * on Windows, where the kernel finds them.
 *
 * RIO_MSG_DEFER: the request waits on the socket, counted against the limit, until one without the
 * flag or RIO_MSG_COMMIT_ONLY comes in the same direction.  A commit executes all that waits under
 * one taking of the lock, and bytes of several deferred sends of a stream leave in one record.
 */
#include "rio.h"
#include "control_data.h"
#include "guarded_copy.h"
#include "readiness.h"
#include "receive.h"
#include "send.h"
#include "sockaddr.h"

struct rio_call {
    ULONG_PTR rq;
    enum rio_direction direction;
    const struct rio_slice *data, *local, *remote, *control, *flags_slice;
    ULONG count;
    DWORD flags;
    void *context;
};

#define INET_SIZE sizeof(struct sockaddr_in6) /* SOCKADDR_INET's */

/* ---- arguments ---- */

static DWORD check_flags(const struct socket *socket, const struct rio_call *call)
{
    DWORD known = RIO_DONT_NOTIFY | RIO_DEFER;

    if (call->flags == RIO_COMMIT_ONLY)
        return call->data || call->count || call->context || call->local || call->remote ||
                       call->control || call->flags_slice
                   ? WSAEINVAL
                   : 0;
    /* "This flag is not supported on UDP sockets." */
    if (call->direction == RIO_RECEIVES && socket->type == SOCK_STREAM)
        known |= RIO_WAITALL;
    return call->flags & ~known ? WSAEINVAL : 0;
}

static DWORD take_data(const struct socket *socket, const struct rio_call *call,
                       struct operation *operation)
{
    DWORD error;

    if (call->count != (call->data ? 1u : 0u))
        return WSAEINVAL;
    if (!call->data) /* "may be NULL for a bound registered I/O UDP socket" */
        return socket->type == SOCK_STREAM ? WSAEINVAL : 0;
    if ((error = rio_find_slice(call->data, &operation->inline_buffers[0])))
        return error;
    operation->buffer_count = 1;
    operation->total = operation->inline_buffers[0].len;
    return 0;
}

/* A slice that must have room for so much; one that is not given is none. */
static DWORD take_slice(const struct rio_slice *slice, DWORD size, WSABUF *memory)
{
    DWORD error;

    memory->buf = NULL;
    if (!slice)
        return 0;
    if (!(error = rio_find_slice(slice, memory)) && memory->len < size)
        error = WSAEINVAL;
    return error;
}

static DWORD take_receive(const struct rio_call *call, struct rio_request *request)
{
    struct operation *operation = &request->operation;
    DWORD error;

    operation->flags = call->flags & RIO_WAITALL ? MSG_WAITALL : 0;
    if ((error = take_slice(call->local, INET_SIZE, &request->local)) ||
        (error = take_slice(call->remote, INET_SIZE, &request->remote)) ||
        (error = take_slice(call->control, RIO_CMSG_BASE, &request->control)) ||
        (error = take_slice(call->flags_slice, sizeof(DWORD), &request->flags)))
        return error;
    if (request->local.buf)
        control_ask_packet(operation->socket);
    if (request->remote.buf && operation->socket->type != SOCK_STREAM) {
        request->remote_room = INET_SIZE;
        operation->address = (struct sockaddr *)request->remote.buf;
        operation->address_length = &request->remote_room;
    }
    return 0;
}

/* The messages behind a RIO_CMSG_BUFFER, which counts itself; of a stream there can be none. */
static DWORD take_control(struct rio_request *request, const struct rs_addr *to)
{
    struct operation *operation = &request->operation;
    WSABUF messages = {0, request->control.buf + RIO_CMSG_BASE};
    DWORD length;

    if (!guarded_load((DWORD *)request->control.buf, &length))
        return WSAEFAULT;
    if (length > request->control.len)
        return WSAEINVAL;
    if (length <= RIO_CMSG_BASE)
        return 0;
    if (operation->socket->type == SOCK_STREAM)
        return WSAEOPNOTSUPP;
    if (to->family)
        operation->address_copy_length = sockaddr_from_wire(&operation->address_copy, to);
    messages.len = length - RIO_CMSG_BASE;
    return control_parse(&messages, operation->socket->family, to, &operation->control);
}

/* "pLocalAddress ... is reserved and must be NULL". */
static DWORD take_send(const struct rio_call *call, struct rio_request *request)
{
    struct operation *operation = &request->operation;
    struct rs_addr to = operation->socket->peer;
    DWORD error;

    if (call->local)
        return WSAEINVAL;
    if ((error = take_slice(call->remote, INET_SIZE, &request->remote)) ||
        (error = take_slice(call->control, sizeof(DWORD), &request->control)) ||
        (error = take_slice(call->flags_slice, sizeof(DWORD), &request->flags)))
        return error;
    if (request->remote.buf && operation->socket->type != SOCK_STREAM) {
        if ((error = sockaddr_to_wire(&to, (struct sockaddr *)request->remote.buf, INET_SIZE,
                                      operation->socket->family)))
            return error;
        operation->address_copy_length = sockaddr_from_wire(&operation->address_copy, &to);
    }
    return request->control.buf ? take_control(request, &to) : 0;
}

static DWORD take_arguments(const struct rio_call *call, struct rio_request *request)
{
    DWORD error = take_data(request->operation.socket, call, &request->operation);

    if (error)
        return error;
    request->context = call->context;
    request->quiet = call->flags & RIO_DONT_NOTIFY;
    return call->direction == RIO_SENDS ? take_send(call, request) : take_receive(call, request);
}

/* ---- executing; the socket's lock is held ---- */

static void finish(struct operation *operation, DWORD error)
{
    if (error)
        operation->error = error;
    rio_deliver(operation);
}

/* True if something waits now. */
static bool commit_receives(struct socket *socket)
{
    struct operation *operation;
    bool waits = false;
    DWORD error;

    while ((operation = operation_pop(&socket->deferred_receives))) {
        if ((error = receive_state(socket)) || receive_try(socket, operation)) {
            finish(operation, error);
            continue;
        }
        operation_append(&socket->receiving, operation);
        waits = true;
    }
    if (socket->event_pending & FD_READ)
        socket_event_enable(socket, FD_READ);
    return waits;
}

/* ---- sends of streams ---- */

#define GATHER_MOST 64u

/* What one record can carry of the deferred sends, as one operation. */
static ULONG gather(const struct socket *socket, struct operation *all, WSABUF *buffers)
{
    const struct operation *operation = socket->deferred_sends.head;
    ULONG count = 0;

    memset(all, 0, sizeof(*all));
    all->kind = OPERATION_SEND;
    for (; operation && count < GATHER_MOST; operation = operation->next) {
        if (operation->done || all->total + operation->total > RS_MAX_PAYLOAD)
            break;
        buffers[count++] = operation->inline_buffers[0];
        all->total += operation->total;
    }
    all->buffers = buffers;
    all->buffer_count = count;
    return count;
}

/* Gives what was handed over to the deferred sends, in order; one that is not complete stays. */
static void share_out(struct socket *socket, ULONG count, size_t done)
{
    struct operation *operation;

    for (; count && (operation = socket->deferred_sends.head); count--) {
        if (operation->total > done) {
            operation->done = done;
            return;
        }
        done -= operation->done = operation->total;
        finish(operation_pop(&socket->deferred_sends), 0);
    }
}

/* A single one, first in line.  False: there is no room for it. */
static bool send_first(struct socket *socket)
{
    struct operation *operation = operation_pop(&socket->deferred_sends);

    if (send_push(socket, operation, false)) {
        finish(operation, 0);
        return true;
    }
    operation_append(&socket->sending, operation);
    return false;
}

/* Several small sends go as one record, which is one send of the server's.  Where that does not
 * work out (no room, a buffer that is gone) they go one by one. */
static void send_deferred(struct socket *socket)
{
    WSABUF buffers[GATHER_MOST];
    struct operation all;
    bool together = true;

    while (socket->deferred_sends.head && !socket->sending.head) {
        ULONG count = together ? gather(socket, &all, buffers) : 0;

        if (count > 1) {
            send_push(socket, &all, false);
            share_out(socket, count, all.done);
            together = all.done == all.total;
        } else if (!send_first(socket))
            return;
    }
}

/* ---- datagrams: the first to a destination, and any larger one, completes when the server has
 * told its outcome, as in send_calls.c, but nobody waits for it here ---- */

#define DATAGRAM_MAX 65507u /* 65535 less the IPv4 and UDP headers */

static DWORD check_destination(const struct socket *socket, const struct operation *operation,
                               struct rs_addr *to)
{
    DWORD error;

    if (!operation->address_copy_length) {
        if (!socket->peer.family)
            return WSAENOTCONN;
        *to = socket->peer;
    } else if ((error = sockaddr_to_wire(to, (struct sockaddr *)&operation->address_copy,
                                         operation->address_copy_length, socket->family)))
        return error;
    else if (wire_address_is_any(to))
        return WSAEADDRNOTAVAIL; /* sendto's page: "not a valid address, for example, ADDR_ANY" */
    return operation->total > DATAGRAM_MAX ? WSAEMSGSIZE : 0;
}

/* The answer is there: reap_lock is held, nothing else. */
static void datagram_told(struct pending_call *call)
{
    struct rio_request *request =
        (struct rio_request *)((char *)call - offsetof(struct rio_request, call));
    struct operation *operation = &request->operation;
    struct socket *socket = operation->socket;
    DWORD error = call->error == WSAENOTSOCK ? WSA_OPERATION_ABORTED : call->error;

    AcquireSRWLockExclusive(&socket->lock);
    if (error) {
        socket->submitted -= send_cost(socket, (uint32_t)operation->total);
    } else {
        operation->done = operation->total;
        if (request->lost == socket->sends_lost) { /* or this one may be what was lost */
            socket->last_destination = request->front.to;
            socket->last_size = (uint32_t)operation->total;
            socket->last_source = operation->control;
        }
        if (!socket->bound)
            socket->local = request->from;
        socket->bound = true;
    }
    finish(operation, error);
    ReleaseSRWLockExclusive(&socket->lock);
    socket_put(socket);
}

static void ask(struct socket *socket, struct rio_request *request)
{
    const WSABUF *data = &request->operation.inline_buffers[0];
    bool has_data = request->operation.buffer_count != 0;
    uint32_t size = sizeof(request->front.to);
    uint16_t flags = RS_SEND_REPLY;

    if (has_data && !guarded_readable(data->buf, data->len)) {
        finish(&request->operation, WSAEFAULT);
        return;
    }
    if (request->operation.control.present) {
        request->front.control = request->operation.control;
        flags |= RS_SEND_CONTROL;
        size = sizeof(request->front);
    }
    request->lost = socket->sends_lost;
    request->question = (struct request){.session = socket->session,
                                         .type = RS_SUB_SENDTO,
                                         .flags = flags,
                                         .socket = socket->index,
                                         .payload = &request->front,
                                         .payload_size = size,
                                         .payload2 = has_data ? data->buf : NULL,
                                         .payload2_size = has_data ? data->len : 0,
                                         .reply = &request->from,
                                         .reply_size = sizeof(request->from)};
    request->call = (struct pending_call){.request = &request->question,
                                          .finish = datagram_told,
                                          .wake = rio_completion_word(request->completions)};
    socket_hold(socket);
    /* before the server can count it as sent; it does not count what was refused */
    socket->submitted += send_cost(socket, (uint32_t)request->operation.total);
    if (!request_begin(&request->call)) {
        finish(&request->operation, WSAENETDOWN);
        socket_put(socket); /* not the last reference: the queue has one */
    }
}

static void send_datagram(struct socket *socket, struct rio_request *request)
{
    struct operation *operation = &request->operation;
    DWORD error = check_destination(socket, operation, &request->front.to);

    if (error)
        finish(operation, error);
    else if (!socket_can_send(socket))
        operation_append(&socket->sending, operation);
    else if (!wire_address_equal(&request->front.to, &socket->last_destination) ||
             operation->total > socket->last_size ||
             !control_same_source(&operation->control, &socket->last_source))
        ask(socket, request);
    else if (send_push(socket, operation, false))
        finish(operation, 0);
    else
        operation_append(&socket->sending, operation);
}

/* True if something waits now. */
static bool commit_sends(struct socket *socket)
{
    DWORD error = send_check(socket);
    struct operation *operation;

    if (!error && socket->type == SOCK_STREAM)
        send_deferred(socket);
    while ((operation = operation_pop(&socket->deferred_sends))) {
        if (error)
            finish(operation, error);
        else if (socket->sending.head)
            operation_append(&socket->sending, operation);
        else
            send_datagram(socket, rio_request_of(operation));
    }
    return socket->sending.head != NULL;
}

/* ---- the calls ---- */

static bool commit(struct socket *socket, enum rio_direction direction)
{
    bool waits = direction == RIO_SENDS ? commit_sends(socket) : commit_receives(socket);

    if (waits)
        socket_update_interest(socket);
    return waits;
}

/* Caller holds the queue's lock; `request` is NULL where there only is something to commit. */
static DWORD submit(struct rio_queue *queue, const struct rio_call *call,
                    struct rio_request *request)
{
    struct socket *socket = queue->socket;
    bool deferred = call->flags & RIO_DEFER, waits = false;

    if (!deferred) {
        session_reap(socket->session); /* it may have data, or be reset, by now */
        rio_publish(queue->completions[call->direction], socket->session);
    }
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->closing) {
        ReleaseSRWLockExclusive(&socket->lock);
        return WSAEINVAL;
    }
    if (request)
        operation_append(call->direction == RIO_SENDS ? &socket->deferred_sends
                                                      : &socket->deferred_receives,
                         &request->operation);
    if (!deferred)
        waits = commit(socket, call->direction);
    send_unlock(socket);
    if (waits)
        session_reap(socket->session); /* what was published before the server saw our interest */
    return 0;
}

static DWORD issue(struct rio_queue *queue, const struct rio_call *call)
{
    struct rio_request *request = NULL;
    DWORD error = check_flags(queue->socket, call);

    if (error)
        return error;
    if (rio_completions_closed(queue->completions[call->direction]))
        return WSAEINVAL; /* "the integrity of the completion queue has been compromised" */
    if (call->flags != RIO_COMMIT_ONLY &&
        !(request = rio_request_make(queue, call->direction, &error)))
        return error;
    if (request)
        error = take_arguments(call, request);
    if (!error)
        error = submit(queue, call, request);
    if (error && request)
        rio_request_free(request);
    return error;
}

static BOOL run(const struct rio_call *call)
{
    struct rio_queue *queue = rio_queue_lock(call->rq);
    DWORD error = WSAEINVAL; /* "if the SocketQueue parameter is not valid" */

    if (queue) {
        error = issue(queue, call);
        ReleaseSRWLockExclusive(&queue->object.lock);
    }
    if (error)
        SetLastError(error);
    return !error;
}

BOOL WINAPI rio_receive(ULONG_PTR rq, const struct rio_slice *data, ULONG count, DWORD flags,
                        void *context)
{
    return rio_receive_ex(rq, data, count, NULL, NULL, NULL, NULL, flags, context);
}

int WINAPI rio_receive_ex(ULONG_PTR rq, const struct rio_slice *data, ULONG count,
                          const struct rio_slice *local, const struct rio_slice *remote,
                          const struct rio_slice *control, const struct rio_slice *result_flags,
                          DWORD flags, void *context)
{
    struct rio_call call = {rq,      RIO_RECEIVES, data,  local, remote,
                            control, result_flags, count, flags, context};

    return run(&call);
}

BOOL WINAPI rio_send(ULONG_PTR rq, const struct rio_slice *data, ULONG count, DWORD flags,
                     void *context)
{
    return rio_send_ex(rq, data, count, NULL, NULL, NULL, NULL, flags, context);
}

BOOL WINAPI rio_send_ex(ULONG_PTR rq, const struct rio_slice *data, ULONG count,
                        const struct rio_slice *local, const struct rio_slice *remote,
                        const struct rio_slice *control, const struct rio_slice *result_flags,
                        DWORD flags, void *context)
{
    struct rio_call call = {rq,      RIO_SENDS,    data,  local, remote,
                            control, result_flags, count, flags, context};

    return run(&call);
}
