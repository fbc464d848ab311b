/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing bytes to the server (see send.h).  Owns socket.submitted and socket.sending; the caller
 * holds the socket's lock, the submit lock is taken inside.
 *
 * A send completes when its last byte is in the submission ring: from there it reaches the network
 * even if the process dies.  `submitted - sent` is what the kernel has not taken yet.
 */
#include "send.h"
#include "guarded_copy.h"
#include "sockaddr.h"

#define WHOLE_SEND_MAX (64u << 20)

static uint32_t outstanding(const struct socket *socket)
{
    /* pairs with the server's store, after which it looks at want_sent */
    return socket->submitted - __atomic_load_n(&socket->shared->sent, __ATOMIC_SEQ_CST);
}

/* The server keeps so much of what this process has sent that no more must pile up there. */
static bool crowded(const struct socket *socket)
{
    /* pairs with the server's store, after which it looks at want_sent */
    return __atomic_load_n(&socket->session->segment->backlog, __ATOMIC_SEQ_CST) >
           RS_BACKLOG_CROWDED;
}

static bool window_open(const struct socket *socket)
{
    uint32_t waiting = outstanding(socket);

    return !waiting || (waiting < socket->send_window && !crowded(socket));
}

bool send_takes_whole(const struct socket *socket, const struct operation *operation)
{
    return operation->total <= WHOLE_SEND_MAX && !crowded(socket);
}

/* Whether the server is to hold what waits for a receiver on this host.  It looks at that later. */
static void tell_full(struct socket *socket, uint32_t full)
{
    uint32_t *send_full = &socket->shared->send_full;

    if (socket->type == SOCK_STREAM && __atomic_load_n(send_full, __ATOMIC_RELAXED) != full)
        __atomic_store_n(send_full, full, __ATOMIC_RELAXED);
}

bool send_fills(const struct socket *socket, const struct operation *operation)
{
    return operation->total >= socket->send_window ||
           outstanding(socket) + operation->total >= socket->send_window;
}

void send_will_fill(struct socket *socket)
{
    tell_full(socket, 1);
}

void send_has_filled(struct socket *socket)
{
    tell_full(socket, 1);
    if (socket->type == SOCK_STREAM)
        submit_mark(socket->session);
}

bool socket_can_send(struct socket *socket)
{
    if (socket->state == SOCKET_DEAD)
        return true;
    if (window_open(socket)) {
        tell_full(socket, 0);
        return true;
    }
    __atomic_store_n(&socket->shared->want_sent, 1, __ATOMIC_SEQ_CST);
    return window_open(socket); /* the progress may have come in between */
}

uint32_t send_cost(const struct socket *socket, uint32_t length)
{
    return socket->type == SOCK_STREAM ? length : RS_DATAGRAM_COST(length);
}

DWORD send_check(const struct socket *socket)
{
    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->closing)
        return WSAENOTSOCK;
    if (socket->shut_send)
        return WSAESHUTDOWN;
    if (socket->type != SOCK_STREAM)
        return 0;
    if (socket->error)
        return socket->error;
    return socket->state == SOCKET_CONNECTED ? 0 : WSAENOTCONN;
}

/* Copies `length` bytes of the operation's buffers, from byte `position` on.  False for memory that
 * is not there. */
static bool copy_out(const struct operation *operation, size_t position, uint8_t *to, size_t length)
{
    DWORD i;

    for (i = 0; i < operation->buffer_count && length; i++) {
        const WSABUF *buffer = &operation->buffers[i];
        size_t part;

        if (position >= buffer->len) {
            position -= buffer->len;
            continue;
        }
        part = buffer->len - position;
        if (part > length)
            part = length;
        if (guarded_copy(to, buffer->buf + position, part))
            return false;
        to += part;
        length -= part;
        position = 0;
    }
    return true;
}

static bool submit_part(struct socket *socket, struct operation *operation, uint32_t length)
{
    bool last = operation->done + length == operation->total;
    uint16_t flags = last && (operation->flags & MSG_OOB) ? RS_SEND_OOB : 0;
    uint32_t size = sizeof(struct rs_record) + length;
    struct rs_record *record =
        submit_begin(socket->session, RS_SUB_SEND, flags, socket->index, size);

    if (!record) {
        operation->error = WSAENETDOWN;
        return false;
    }
    if (!copy_out(operation, operation->done, (uint8_t *)(record + 1), length)) {
        submit_abandon(socket->session);
        operation->error = WSAEFAULT;
        return false;
    }
    submit_publish(socket->session, record, size, length);
    socket->bell_due = true;
    operation->done += length;
    socket->submitted += send_cost(socket, length);
    return true;
}

static bool push_stream(struct socket *socket, struct operation *operation, bool whole)
{
    while (operation->done < operation->total) {
        size_t left = operation->total - operation->done;
        uint32_t most = crowded(socket) ? RS_CROWDED_PART : RS_MAX_PAYLOAD;

        if (!whole && !socket_can_send(socket))
            return false;
        if (!submit_part(socket, operation, left < most ? (uint32_t)left : most))
            break;
        if (operation->done < operation->total)
            session_ring_bell(socket->session); /* it can begin */
    }
    return true;
}

#define SEGMENTS_MAX 64u /* of older kernels (UDP_MAX_SEGMENTS) */

uint32_t send_segment(const struct socket *socket, const struct operation *operation)
{
    return operation->control.present & RS_CONTROL_SEGMENT ? operation->control.segment
                                                           : socket->udp_send_size;
}

uint32_t send_part_length(const struct socket *socket, const struct operation *operation)
{
    uint32_t left = (uint32_t)(operation->total - operation->done);
    uint32_t segment = send_segment(socket, operation);

    return segment && segment * SEGMENTS_MAX < left ? segment * SEGMENTS_MAX : left;
}

static bool submit_datagram_to(struct socket *socket, struct operation *operation,
                               const struct rs_addr *to, uint32_t length)
{
    uint32_t size, fixed = sizeof(*to);
    struct rs_record *record;
    uint16_t flags = 0;

    if (operation->control.present) {
        flags = RS_SEND_CONTROL;
        fixed += sizeof(operation->control);
    }
    size = sizeof(*record) + fixed + length;
    if (!(record = submit_begin(socket->session, RS_SUB_SENDTO, flags, socket->index, size))) {
        operation->error = WSAENETDOWN;
        return false;
    }
    memcpy(record + 1, to, sizeof(*to));
    if (flags)
        memcpy((uint8_t *)(record + 1) + sizeof(*to), &operation->control,
               sizeof(operation->control));
    if (!copy_out(operation, operation->done, (uint8_t *)(record + 1) + fixed, length)) {
        submit_abandon(socket->session);
        operation->error = WSAEFAULT;
        return false;
    }
    submit_publish(socket->session, record, size, length);
    socket->bell_due = true;
    operation->done += length;
    socket->submitted += send_cost(socket, length);
    return true;
}

static bool push_datagram(struct socket *socket, struct operation *operation)
{
    bool connected = !operation->address_copy_length, going = true;
    struct rs_addr to;

    if (!socket_can_send(socket))
        return false;
    if (!connected &&
        (operation->error = sockaddr_to_wire(&to, (struct sockaddr *)&operation->address_copy,
                                             operation->address_copy_length, socket->family)))
        return true;
    do {
        uint32_t length = send_part_length(socket, operation);

        going = connected ? submit_part(socket, operation, length)
                          : submit_datagram_to(socket, operation, &to, length);
    } while (going && operation->done < operation->total);
    return true;
}

void send_unlock(struct socket *socket)
{
    bool bell_due = socket->bell_due;

    socket->bell_due = false;
    ReleaseSRWLockExclusive(&socket->lock);
    if (bell_due)
        session_ring_bell(socket->session);
}

bool send_push(struct socket *socket, struct operation *operation, bool whole)
{
    return socket->type == SOCK_STREAM ? push_stream(socket, operation, whole)
                                       : push_datagram(socket, operation);
}

static void submit_shutdown(struct socket *socket)
{
    struct rs_record *record;
    struct rs_call *call;

    socket->fin_pending = false;
    if (socket->disconnecting) {
        submit_simple(socket->session, RS_SUB_DISCONNECT, 0, socket->index);
        return;
    }
    record = submit_begin(socket->session, RS_SUB_SHUTDOWN, 0, socket->index,
                          sizeof(*record) + sizeof(*call));
    if (!record)
        return;
    call = (struct rs_call *)(record + 1);
    memset(call, 0, sizeof(*call)); /* cookie 0: nobody waits for the reply */
    call->arg0 = RS_SHUT_SEND;
    submit_end(socket->session, record, sizeof(*record) + sizeof(*call), 0);
}

/* Who waits for another ideal backlog gets none any more. */
static void end_backlog_watch(struct socket *socket, struct operation_queue *finished)
{
    struct operation *operation;

    while ((operation = operation_pop(&socket->backlog_watch))) {
        operation->error = WSA_OPERATION_ABORTED;
        operation_append(finished, operation);
    }
}

void send_shutdown(struct socket *socket, struct operation_queue *finished)
{
    end_backlog_watch(socket, finished);
    if (socket->sending.head)
        socket->fin_pending = true;
    else
        submit_shutdown(socket);
}

void send_progress(struct socket *socket, struct operation_queue *finished)
{
    struct operation *operation;

    while ((operation = socket->sending.head) && send_push(socket, operation, false))
        operation_append(finished, operation_pop(&socket->sending));
    if (socket->fin_pending && !socket->sending.head)
        submit_shutdown(socket);
}

void send_fail(struct socket *socket, DWORD error, struct operation_queue *finished)
{
    struct operation *operation;

    while ((operation = operation_pop(&socket->sending))) {
        operation->error = error;
        operation_append(finished, operation);
    }
    end_backlog_watch(socket, finished);
}
