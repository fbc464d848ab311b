/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * send, sendto, WSASend, WSASendTo, WSASendMsg, WSASendDisconnect: from their arguments to one
 * operation.  Takes the socket's lock; the rest is send.c's.
 */
#include "control_data.h"
#include "guarded_copy.h"
#include "raw_io.h"
#include "request.h"
#include "send.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"

#define DATAGRAM_MAX 65507u /* 65535 less the IPv4 and UDP headers */

struct send_call {
    const WSABUF *buffers;
    DWORD count;
    DWORD bytes;          /* the result */
    DWORD *bytes_pointer; /* where the program wants it */
    bool by_value;        /* send, sendto: they have no such pointer */
    DWORD flags;
    const struct sockaddr *to;
    int to_length;
    WSABUF control; /* WSASendMsg */
    WSAOVERLAPPED *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
};

static bool is_overlapped(const struct socket *socket, const struct send_call *call)
{
    return call->overlapped && (socket->creation_flags & WSA_FLAG_OVERLAPPED);
}

/* ---- datagrams: the first to a destination, and any larger one, is checked by the kernel before
 * the call returns; the others are on their way at once, until one of them fails ---- */

static DWORD datagram_check(const struct socket *socket, struct operation *operation,
                            const struct send_call *call, struct rs_addr *to)
{
    DWORD error;

    if (!call->to || (!call->to_length && socket->peer.family)) {
        if (!socket->peer.family)
            return WSAENOTCONN;
        *to = socket->peer;
    } else {
        if ((error = sockaddr_to_wire(to, call->to, call->to_length, socket->family)))
            return error;
        if (wire_address_is_any(
                to)) /* sendto's page: "not a valid address, for example, ADDR_ANY" */
            return WSAEADDRNOTAVAIL;
        /* the server cannot tell this from what send sends to a connected address */
        if (wire_address_equal(to, &socket->peer) && wire_address_is_broadcast(to) &&
            !socket->broadcast)
            return WSAEACCES;
        operation->address_copy_length = sockaddr_from_wire(&operation->address_copy, to);
    }
    if (call->control.len) {
        operation->address_copy_length = sockaddr_from_wire(&operation->address_copy, to);
        if ((error = control_parse(&call->control, socket->family, to, &operation->control)))
            return error;
        /* "TX timestamps are not supported when doing a coalesced send via UDP_SEND_MSG_SIZE." */
        if (send_segment(socket, operation))
            operation->control.present &= ~RS_CONTROL_STAMP;
    }
    return operation->total > DATAGRAM_MAX ? WSAEMSGSIZE : 0;
}

static DWORD gather(const struct operation *operation, uint8_t **all)
{
    uint8_t *to = *all = malloc(operation->total ? operation->total : 1);
    DWORD i;

    if (!to)
        return WSAENOBUFS;
    for (i = 0; i < operation->buffer_count; to += operation->buffers[i++].len)
        if (guarded_copy(to, operation->buffers[i].buf, operation->buffers[i].len))
            return WSAEFAULT;
    return 0;
}

static bool is_checked(const struct socket *socket, const struct operation *operation,
                       const struct rs_addr *to)
{
    return wire_address_equal(to, &socket->last_destination) &&
           operation->total <= socket->last_size &&
           control_same_source(&operation->control, &socket->last_source);
}

static void count_submitted(struct socket *socket, uint32_t cost)
{
    AcquireSRWLockExclusive(&socket->lock);
    socket->submitted += cost;
    ReleaseSRWLockExclusive(&socket->lock);
}

/* Sends and waits for the kernel's word; binds the socket.  No lock is held. */
static DWORD send_checked_datagram(struct socket *socket, struct operation *operation,
                                   const struct rs_addr *to)
{
    struct {
        struct rs_addr to;
        struct rs_control control;
    } fixed = {*to, operation->control};
    bool with_control = operation->control.present;
    struct rs_addr local = {0};
    struct request request = {.session = socket->session,
                              .type = RS_SUB_SENDTO,
                              .flags = RS_SEND_REPLY | (with_control ? RS_SEND_CONTROL : 0),
                              .socket = socket->index,
                              .payload = &fixed,
                              .payload_size = with_control ? sizeof(fixed) : sizeof(fixed.to),
                              .reply = &local,
                              .reply_size = sizeof(local)};
    uint8_t *data;
    uint32_t lost = socket->sends_lost;
    DWORD error = gather(operation, &data);

    do {
        uint32_t length = send_part_length(socket, operation);

        if (error)
            break;
        request.payload2 = data + operation->done;
        request.payload2_size = length;
        /* before the server can count it as sent: other threads look at the window meanwhile */
        count_submitted(socket, send_cost(socket, length));
        if ((error = request_call(&request))) /* what was refused the server does not count */
            count_submitted(socket, 0 - send_cost(socket, length));
        else
            operation->done += length;
    } while (operation->done < operation->total);
    if (!error) {
        AcquireSRWLockExclusive(&socket->lock);
        if (lost == socket->sends_lost) { /* or this one may be what was lost on its way */
            socket->last_destination = *to;
            socket->last_size = (uint32_t)operation->total;
            socket->last_source = operation->control;
        }
        if (!socket->bound)
            socket->local = local;
        socket->bound = true;
        ReleaseSRWLockExclusive(&socket->lock);
    }
    free(data);
    return error;
}

/* ---- both kinds of socket ---- */

enum outcome { SEND_DONE, SEND_QUEUED };

/* Caller holds the lock.  Queues what cannot be handed over now. */
static enum outcome push_or_queue(struct socket *socket, struct operation *operation, bool whole)
{
    if (!socket->sending.head && send_push(socket, operation, whole))
        return SEND_DONE;
    if (!operation->done && (operation->error = operation_probe(operation)))
        return SEND_DONE;
    operation_append(&socket->sending, operation);
    socket_update_interest(socket);
    return SEND_QUEUED;
}

static DWORD wait_until_sent(struct socket *socket, struct operation *operation)
{
    uint64_t deadline =
        socket->send_timeout ? waiter_deadline(socket->send_timeout) : WAITER_FOREVER;

    return socket_wait(socket, &socket->sending, operation, deadline);
}

static DWORD send_nonblocking(struct socket *socket, struct operation *operation)
{
    bool fills;

    if (socket->sending.head || !socket_can_send(socket)) {
        send_has_filled(socket);
        socket_event_enable(socket, FD_WRITE); /* "after a send failed with WSAEWOULDBLOCK" */
        socket_update_interest(socket);
        return WSAEWOULDBLOCK;
    }
    if ((fills = send_fills(socket, operation)))
        send_will_fill(socket);
    /* Windows takes all or nothing; beyond what a server should keep we take a part */
    send_push(socket, operation, send_takes_whole(socket, operation));
    if (fills)
        send_has_filled(socket);
    return operation->error;
}

static bool pointer_is_bad(const struct socket *socket, const struct send_call *call)
{
    DWORD unused;

    if (call->by_value)
        return false;
    if (call->bytes_pointer)
        return !guarded_probe(call->bytes_pointer, &unused);
    /* "This parameter can be NULL only if the lpOverlapped parameter is not NULL" */
    return !is_overlapped(socket, call);
}

/* WSASend's page: MSG_OOB is for streams; MSG_PARTIAL gives WSAEOPNOTSUPP "by transports that do
 * not support partial message transmissions", as UDP, while to TCP it means nothing and Windows
 * lets it pass (dotnet/corefx issue 35375); what is no flag at all is refused too (Kode/Kore pull
 * request 801); MSG_DONTROUTE: "A Windows Sockets service provider can choose to ignore this flag."
 */
static DWORD check_flags(const struct socket *socket, DWORD flags)
{
    DWORD known = MSG_DONTROUTE;

    if (socket->type == SOCK_STREAM)
        known |= MSG_OOB | MSG_PARTIAL;
    return flags & ~known ? WSAEOPNOTSUPP : 0;
}

/* The socket's state first, then the arguments, as recv.c has it.  What is asked here without the
 * lock is asked again under it. */
static DWORD take_arguments(const struct socket *socket, const struct send_call *call,
                            struct operation *operation, struct rs_addr *to)
{
    DWORD error = send_check(socket);

    if (error || (error = check_flags(socket, call->flags)))
        return error;
    operation->flags = call->flags;
    if (pointer_is_bad(socket, call))
        return WSAEFAULT;
    if ((error = operation_set_buffers(operation, call->buffers, call->count)))
        return error;
    /* all or nothing: what takes several records must not stop in the midst */
    if (operation->total > RS_MAX_PAYLOAD && (error = operation_probe(operation)))
        return error;
    return socket->type == SOCK_STREAM ? 0 : datagram_check(socket, operation, call, to);
}

static void give_result(struct send_call *call, const struct operation *operation)
{
    call->bytes = (DWORD)operation->done;
    if (!call->by_value && call->bytes_pointer)
        guarded_store(call->bytes_pointer, call->bytes);
}

DWORD send_blocking(struct socket *socket, const WSABUF *data, const struct carried *carried)
{
    struct operation operation = {.kind = OPERATION_SEND};
    enum outcome outcome = SEND_DONE;
    DWORD error;

    if ((error = operation_set_buffers(&operation, data, 1)))
        return error;
    if (!(operation.waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(operation.waiter, socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->closing || carried->cancelled)
        error = WSA_OPERATION_ABORTED;
    else if (!(error = send_check(socket)))
        outcome = push_or_queue(socket, &operation, false);
    send_unlock(socket);
    if (outcome == SEND_QUEUED) {
        error = socket_wait(socket, &socket->sending, &operation, WAITER_FOREVER);
        return error == WSAEINTR ? WSA_OPERATION_ABORTED : error;
    }
    waiter_disarm(operation.waiter);
    return error ? error : operation.error;
}

static DWORD send_synchronous(struct socket *socket, struct operation *operation)
{
    enum outcome outcome = SEND_DONE;
    DWORD error;

    AcquireSRWLockExclusive(&socket->lock);
    if (!(error = send_check(socket))) {
        if (socket->nonblocking)
            error = send_nonblocking(socket, operation);
        else if (!socket->sending.head && send_push(socket, operation, false))
            error = operation->error;
        else
            outcome = SEND_QUEUED;
    }
    send_unlock(socket);
    if (outcome == SEND_DONE)
        return error;

    if (!(operation->waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(operation->waiter, socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    outcome = SEND_DONE;
    if (!(error = send_check(socket))) /* once more: it may have been closed meanwhile */
        outcome = push_or_queue(socket, operation, false);
    send_unlock(socket);
    if (outcome == SEND_DONE) {
        waiter_disarm(operation->waiter);
        return error ? error : operation->error;
    }
    return wait_until_sent(socket, operation);
}

static DWORD send_sync_call(struct socket *socket, struct send_call *call)
{
    struct operation operation = {.kind = OPERATION_SEND};
    struct rs_addr to = {0};
    DWORD error = take_arguments(socket, call, &operation, &to);

    if (!error && to.family && !is_checked(socket, &operation, &to)) {
        if (!(error = send_check(socket)))
            error = send_checked_datagram(socket, &operation, &to);
    } else if (!error)
        error = send_synchronous(socket, &operation);
    if (!error)
        give_result(call, &operation);
    operation_release_buffers(&operation);
    return error;
}

static DWORD post(struct socket *socket, struct operation *operation, bool may_wait)
{
    enum outcome outcome = SEND_DONE;
    DWORD error;

    AcquireSRWLockExclusive(&socket->lock);
    if (!(error = send_check(socket))) {
        if (socket->nonblocking && !may_wait)
            error = send_nonblocking(socket, operation);
        else
            outcome = push_or_queue(socket, operation, false);
    }
    send_unlock(socket);
    if (outcome == SEND_DONE)
        return error ? error : operation->error;
    session_reap(socket->session);
    return WSA_IO_PENDING;
}

/* Its arguments were taken; returns what the call returns. */
static DWORD start(struct socket *socket, struct operation *operation, const struct rs_addr *to,
                   bool may_wait)
{
    DWORD error;

    if (!to->family || is_checked(socket, operation, to))
        return post(socket, operation, may_wait);
    error = send_check(socket);
    return error ? error : send_checked_datagram(socket, operation, to);
}

/* SO_SNDBUF of 0: nothing is buffered, so a send is not complete before the transport has taken the
 * bytes, which is after the call (Wine's test_send, run on Windows). */
static bool is_unbuffered(const struct socket *socket)
{
    return socket->type == SOCK_STREAM && socket->send_buffer_set && !socket->send_buffer;
}

static DWORD send_overlapped(struct socket *socket, struct send_call *call)
{
    struct operation *operation;
    struct rs_addr to = {0};
    DWORD error;

    operation = operation_create(socket, OPERATION_SEND, call->overlapped, call->routine, &error);
    if (!operation)
        return error;
    if (!(error = take_arguments(socket, call, operation, &to)))
        error = start(socket, operation, &to, true);
    if (error == WSA_IO_PENDING)
        return error;
    if (!error && is_unbuffered(socket)) {
        operation_deliver(operation);
        return WSA_IO_PENDING;
    }
    if (!error)
        give_result(call, operation);
    return operation_end_call(operation, error);
}

DWORD send_raw(struct socket *socket, struct operation *operation, const struct raw_data *data)
{
    int to_length = data->address_length ? *data->address_length : 0;
    struct send_call call = {.buffers = data->buffers,
                             .count = data->count,
                             .by_value = true,
                             .flags = data->flags,
                             .to = data->address,
                             .to_length = to_length};
    struct rs_addr to = {0};
    DWORD error;

    session_reap(socket->session); /* it may be connected, or reset, by now */
    if (data->refused)
        return (error = send_check(socket)) ? error : data->refused;
    error = take_arguments(socket, &call, operation, &to);
    return error ? error : start(socket, operation, &to, data->may_wait);
}

static int transmit(SOCKET s, struct send_call *call)
{
    struct socket *socket = socket_get(s);
    DWORD error;

    if (!socket)
        return SOCKET_ERROR;
    session_reap(socket->session); /* it may be connected, or reset, by now */
    error =
        is_overlapped(socket, call) ? send_overlapped(socket, call) : send_sync_call(socket, call);
    socket_put(socket);
    SetLastError(error); /* 0 on success, as Windows does */
    return error ? SOCKET_ERROR : 0;
}

/* ---- exports ---- */

int WSAAPI WSASendTo(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, DWORD flags,
                     const struct sockaddr *to, int to_length, LPWSAOVERLAPPED overlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct send_call call = {.buffers = buffers,
                             .count = count,
                             .bytes_pointer = bytes,
                             .flags = flags,
                             .to = to,
                             .to_length = to_length,
                             .overlapped = overlapped,
                             .routine = routine};

    return transmit(s, &call);
}

int WSAAPI WSASend(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, DWORD flags,
                   LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    return WSASendTo(s, buffers, count, bytes, flags, NULL, 0, overlapped, routine);
}

int WSAAPI sendto(SOCKET s, const char *buffer, int length, int flags, const struct sockaddr *to,
                  int to_length)
{
    WSABUF data = {(ULONG)length, length < 0 ? NULL : (char *)buffer}; /* no buffer is that long */
    struct send_call call = {.buffers = &data,
                             .count = 1,
                             .by_value = true,
                             .flags = (DWORD)flags,
                             .to = to,
                             .to_length = to_length};

    return transmit(s, &call) ? SOCKET_ERROR : (int)call.bytes;
}

int WSAAPI send(SOCKET s, const char *buffer, int length, int flags)
{
    return sendto(s, buffer, length, flags, NULL, 0);
}

static DWORD message_check(const struct socket *socket, const WSAMSG *message)
{
    if (socket->type == SOCK_STREAM)
        return WSAEINVAL; /* WSASendMsg's page: datagram and raw sockets only */
    /* "... was a NULL pointer and the Control.len member ... was not set to zero" */
    return !message->Control.buf && message->Control.len ? WSAEFAULT : 0;
}

/* "a bad call to WSASendMsg will also bind the socket" (Wine's test_WSASendMsg, run on Windows) */
static void bind_implicitly(struct socket *socket)
{
    struct rs_addr any = {.family = socket->family == AF_INET6 ? RS_AF_INET6 : RS_AF_INET};

    if (!socket->bound && socket->state == SOCKET_OPEN)
        socket_bind(socket, &any);
}

int WSAAPI WSASendMsg(SOCKET s, LPWSAMSG message, DWORD flags, LPDWORD bytes,
                      LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct socket *socket = socket_get(s);
    struct send_call call = {
        .bytes_pointer = bytes, .flags = flags, .overlapped = overlapped, .routine = routine};
    WSAMSG copy;
    DWORD error;

    if (!socket)
        return SOCKET_ERROR;
    error = guarded_copy(&copy, message, sizeof(copy)) ? WSAEFAULT : message_check(socket, &copy);
    if (!error)
        bind_implicitly(socket);
    socket_put(socket);
    if (error)
        return return_error(error);
    call.buffers = copy.lpBuffers;
    call.count = copy.dwBufferCount;
    call.to = copy.name;
    call.to_length = copy.namelen;
    call.control = copy.Control;
    return transmit(s, &call);
}
