/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The receive queue of a socket (see receive.h).  Owns socket.arrived and socket.receiving; the
 * caller holds the socket's lock.
 *
 * Rules (WSARecv.txt): buffers fill in the order of the calls and of the WSABUFs, packed; a stream
 * completes when what has arrived is exhausted; a datagram that is too long fills the buffers, the
 * rest is lost, and the error is WSAEMSGSIZE.
 */
#include "receive.h"
#include "control_data.h"
#include "error_queue.h"
#include "guarded_copy.h"
#include "log.h"
#include "sockaddr.h"
#include "urgent.h"
#include "write_watch.h"

#define ERRORS_KEPT 64u /* of a socket; whoever sends ICMP messages need not keep to a credit */

/* What waits to be taken, in the measure of the window. */
static uint32_t arrived_cost(const struct socket *socket)
{
    return socket->arrived_bytes + socket->arrived_datagrams * RS_DATAGRAM_OVERHEAD;
}

/* Tells the server that so much of the window is free again. */
static void give_credit(struct socket *socket, uint32_t cost)
{
    struct rs_socket_shared *shared = socket->shared;

    /* after closesocket the index may be another socket's already */
    if (!cost || socket->closing || socket->state == SOCKET_DEAD)
        return;
    /* pairs with the server's look at consumed after it has set recv_stalled */
    __atomic_store_n(&shared->consumed, shared->consumed + cost, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&shared->recv_stalled, __ATOMIC_SEQ_CST))
        return;
    socket->stalled = true;
    if (arrived_cost(socket) <= RS_RECV_WINDOW / 2)
        submit_simple(socket->session, RS_SUB_RESUME, 0, socket->index);
}

uint32_t receive_copy(struct operation *operation, const uint8_t *data, uint32_t length)
{
    size_t position = operation->done, skipped = 0;
    uint32_t copied = 0;
    DWORD i;

    for (i = 0; i < operation->buffer_count && copied < length; i++) {
        const WSABUF *buffer = &operation->buffers[i];
        size_t offset, room, missing;

        if (position >= skipped + buffer->len) {
            skipped += buffer->len;
            continue;
        }
        offset = position - skipped;
        room = buffer->len - offset;
        if (room > length - copied)
            room = length - copied;
        missing = operation->probed ? write_watch_copy(buffer->buf + offset, data + copied, room)
                                    : guarded_copy(buffer->buf + offset, data + copied, room);
        if (missing) {
            operation->error = WSAEFAULT;
            return copied;
        }
        copied += (uint32_t)room;
        position += room;
        skipped += buffer->len;
    }
    operation->done = position;
    return copied;
}

/* A new last segment with these bytes, and room for more. */
static struct segment *keep_apart(struct socket *socket, const uint8_t *data, uint32_t length,
                                  uint32_t capacity)
{
    struct segment *segment = segment_allocate(capacity);

    if (!segment) {
        log_error("out of memory: %u bytes that arrived are lost", length);
        socket->error = WSAENOBUFS;
        return NULL;
    }
    memcpy(segment->data, data, length);
    segment->length = length;
    if (socket->arrived_last)
        socket->arrived_last->next = segment;
    else
        socket->arrived = segment;
    socket->arrived_last = segment;
    socket->arrived_bytes += length;
    return segment;
}

/* Bytes that come one by one must not cost a segment each while nobody reads: so later segments are
 * as large as all that waits already. */
static void keep_stream(struct socket *socket, const uint8_t *data, uint32_t length, bool mark)
{
    struct segment *last = socket->arrived_last;
    uint32_t room = socket->arrived_bytes;

    if (last && !mark && last->capacity - last->length >= length) {
        memcpy(last->data + last->length, data, length);
        last->length += length;
        socket->arrived_bytes += length;
        return;
    }
    if (room < length)
        room = length;
    if ((last = keep_apart(socket, data, length, room < RS_MAX_PAYLOAD ? room : RS_MAX_PAYLOAD)))
        last->mark = mark;
}

static void keep_datagram(struct socket *socket, const struct rs_addr *source,
                          const struct rs_control *control, const uint8_t *data, uint32_t length)
{
    struct segment *segment = keep_apart(socket, data, length, length);

    if (segment) {
        segment->source = *source;
        if (control)
            segment->control = *control;
        socket->arrived_datagrams++;
    }
}

static void drop_first(struct socket *socket)
{
    struct segment *segment = socket->arrived;

    if (!(socket->arrived = segment->next))
        socket->arrived_last = NULL;
    segment_free(segment);
}

/* ---- streams ---- */

static bool wants_more(const struct operation *operation)
{
    return (operation->flags & MSG_WAITALL) && !(operation->flags & MSG_PEEK) &&
           operation->done < operation->total;
}

DWORD receive_cut_short(const struct operation *operation, DWORD error)
{
    bool holds_bytes =
        operation->kind == OPERATION_RECV && (operation->flags & MSG_WAITALL) && operation->done;

    return holds_bytes ? 0 : error;
}

/* Copies what has arrived, up to the place of urgent data: "a single recv operation does not span
 * that position", and in line "OOB data is never mixed with normal data" (the page on out-of-band
 * data). */
static uint32_t copy_arrived(const struct socket *socket, struct operation *operation)
{
    const struct segment *segment;
    uint32_t copied = 0;

    for (segment = socket->arrived; segment && operation->done < operation->total;
         segment = segment->next) {
        if (segment->mark && !segment->offset && copied)
            break;
        copied += receive_copy(operation, segment->data + segment->offset,
                               segment->length - segment->offset);
        if (operation->error)
            break;
    }
    return copied;
}

static void drop_arrived(struct socket *socket, uint32_t length)
{
    uint32_t left = length;

    while (left) {
        struct segment *segment = socket->arrived;
        uint32_t part = segment->length - segment->offset;

        if (part > left)
            part = left;
        segment->offset += part;
        left -= part;
        if (segment->offset == segment->length)
            drop_first(socket);
    }
    socket->arrived_bytes -= length;
    give_credit(socket, length);
}

static bool try_stream(struct socket *socket, struct operation *operation)
{
    if (urgent_inline_bytes(socket)) {
        urgent_read_inline(socket, operation);
        if (operation->error || !wants_more(operation))
            return true;
    }
    while (socket->arrived_bytes) {
        size_t before = operation->done;
        uint32_t copied = copy_arrived(socket, operation);

        if (!operation->error && wants_more(operation)) /* what it takes now it keeps */
            operation->error = operation_probe(operation);
        if (operation->error) {
            operation->done = before; /* nothing that has arrived is lost */
            return true;
        }
        if (!(operation->flags & MSG_PEEK))
            drop_arrived(socket, copied);
        if (!wants_more(operation))
            return true;
    }
    if (socket->error && !operation->done) {
        operation->error = socket->error;
        return true;
    }
    return socket->end_of_stream || socket->error;
}

void receive_stream(struct socket *socket, const uint8_t *data, uint32_t length, bool mark,
                    struct operation_queue *finished)
{
    uint32_t used = 0, taken = 0;
    struct operation *operation;

    if (socket->error) /* bytes before these could not be kept: none may take their place */
        return;
    while (used < length && (operation = socket->receiving.head) && !socket->arrived) {
        uint32_t copied = receive_copy(operation, data + used, length - used);

        if (!(operation->flags & MSG_PEEK) && !operation->error) {
            used += copied;
            taken += copied;
        }
        if (operation->error || !wants_more(operation))
            operation_append(finished, operation_pop(&socket->receiving));
    }
    if (used < length)
        keep_stream(socket, data + used, length - used, mark && !used);
    give_credit(socket, taken);
}

/* ---- datagrams ---- */

bool receive_fill(struct operation *operation, const struct rs_addr *source, const uint8_t *data,
                  uint32_t length)
{
    receive_copy(operation, data, length);
    if (operation->error)
        return false;
    if (length > operation->total) {
        operation->error = WSAEMSGSIZE;
        operation->result_flags = MSG_PARTIAL;
    }
    if (operation->address &&
        sockaddr_store(source, operation->address, operation->address_length) && !operation->probed)
        operation->error = WSAEFAULT;
    return true;
}

static void fill_datagram(const struct socket *socket, struct operation *operation,
                          const struct rs_addr *source, const struct rs_control *control,
                          const uint8_t *data, uint32_t length)
{
    if (!receive_fill(operation, source, data, length))
        return;
    if (operation->message)
        control_store(socket, operation, control);
    else if (operation->deliver && control) /* registered I/O gives it when it is delivered */
        operation->control = *control;
}

bool receive_takes_away(const struct operation *operation)
{
    return !(operation->flags & MSG_PEEK) && operation->error != WSAEFAULT;
}

/* Peeking leaves it there (libuv, which peeks: "without the MSG_PEEK flag to clear out the error
 * queue"). */
static void take_error(struct socket *socket, struct operation *operation)
{
    operation->error = socket->arrived->error;
    if (!(operation->flags & MSG_PEEK)) {
        drop_first(socket);
        socket->arrived_errors--;
    }
}

static bool try_datagram(struct socket *socket, struct operation *operation)
{
    struct segment *segment = socket->arrived;

    if (segment && segment->error) {
        take_error(socket, operation);
        return true;
    }
    if (segment) {
        fill_datagram(socket, operation, &segment->source, &segment->control, segment->data,
                      segment->length);
        if (receive_takes_away(operation)) {
            uint32_t length = segment->length;

            drop_first(socket);
            socket->arrived_bytes -= length;
            socket->arrived_datagrams--;
            give_credit(socket, RS_DATAGRAM_COST(length));
        }
        return true;
    }
    if (socket->error) { /* reported once */
        operation->error = socket->error;
        socket->error = 0;
        return true;
    }
    return false;
}

void receive_datagram(struct socket *socket, const struct rs_addr *source,
                      const struct rs_control *control, const uint8_t *data, uint32_t length,
                      struct operation_queue *finished)
{
    struct operation *operation;

    if ((socket->peer.family && !wire_address_equal(source, &socket->peer)) ||
        receive_is_restricted(socket, control)) {
        give_credit(socket, RS_DATAGRAM_COST(length));
        return;
    }
    while (!socket->arrived && (operation = operation_pop(&socket->receiving))) {
        fill_datagram(socket, operation, source, control, data, length);
        operation_append(finished, operation);
        if (receive_takes_away(operation)) {
            give_credit(socket, RS_DATAGRAM_COST(length));
            return;
        }
    }
    keep_datagram(socket, source, control, data, length);
}

/* Reported once, in its place among the datagrams: "a previous send operation resulted in..." */
void receive_error(struct socket *socket, DWORD error, struct operation_queue *finished)
{
    struct segment *segment;
    struct operation *operation;

    if (socket->arrived_errors >= ERRORS_KEPT || !(segment = keep_apart(socket, NULL, 0, 0)))
        return;
    segment->error = error;
    socket->arrived_errors++;
    while (socket->arrived == segment && (operation = operation_pop(&socket->receiving))) {
        take_error(socket, operation);
        operation_append(finished, operation);
    }
}

void receive_drop_strangers(struct socket *socket)
{
    struct segment **link = &socket->arrived, *segment;
    uint32_t before = arrived_cost(socket);

    socket->arrived_last = NULL;
    while ((segment = *link)) {
        if (wire_address_equal(&segment->source, &socket->peer)) {
            socket->arrived_last = segment;
            link = &segment->next;
            continue;
        }
        *link = segment->next;
        if (segment->error) {
            socket->arrived_errors--;
        } else {
            socket->arrived_bytes -= segment->length;
            socket->arrived_datagrams--;
        }
        segment_free(segment);
    }
    give_credit(socket, before - arrived_cost(socket));
}

/* ---- both ---- */

bool receive_try(struct socket *socket, struct operation *operation)
{
    if (operation->flags & MSG_OOB)
        return urgent_try(socket, operation);
    if (operation->flags & MSG_ERRQUEUE) {
        error_queue_take(socket, operation);
        return true;
    }
    if (socket->receiving.head)
        return false; /* behind those that were posted before */
    return socket->type == SOCK_STREAM ? try_stream(socket, operation)
                                       : try_datagram(socket, operation);
}

/* The stream has ended or an error has come: nothing posted can wait any longer. */
void receive_end(struct socket *socket, struct operation_queue *finished)
{
    struct operation_queue posted = socket->receiving;
    struct operation *operation;

    socket->receiving = (struct operation_queue){0};
    while ((operation = operation_pop(&posted))) {
        bool complete = receive_try(socket, operation);

        operation_append(complete ? finished : &socket->receiving, operation);
    }
    urgent_retry(socket, finished);
}

void receive_forget(struct socket *socket, struct operation_queue *finished)
{
    drop_arrived(socket, socket->arrived_bytes);
    socket->end_of_stream = true;
    receive_end(socket, finished);
}
