/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Urgent bytes (see urgent.h).  Owns socket.urgent and socket.receiving_urgent; the caller holds
 * the socket's lock.
 *
 * Windows keeps every urgent byte until it is asked for, SIOCATMARK says whether one is waiting,
 * and receives of the stream neither see them nor wait for them (Wine's test_fionread_siocatmark
 * and test_oob_events, run on Windows).
 */
#include "urgent.h"
#include "log.h"
#include "receive.h"

#define KEPT_MAX 1024u /* of a peer that sends them and a program that does not ask */

static bool make_room(struct socket *socket)
{
    struct segment *segment = socket->urgent;

    if (!segment && !(segment = socket->urgent = segment_allocate(KEPT_MAX)))
        return false;
    if (segment->offset) {
        segment->length -= segment->offset;
        memmove(segment->data, segment->data + segment->offset, segment->length);
        segment->offset = 0;
    }
    return segment->length < KEPT_MAX;
}

static void keep(struct socket *socket, uint8_t byte)
{
    if (make_room(socket))
        socket->urgent->data[socket->urgent->length++] = byte;
    else
        log_rarely(LOG_WARN, "an urgent byte is lost: %u wait to be read",
                   socket->urgent ? socket->urgent->length : 0);
}

static void drop(struct socket *socket, uint32_t length)
{
    struct segment *segment = socket->urgent;

    segment->offset += length;
    if (segment->offset < segment->length)
        return;
    socket->urgent = NULL;
    segment_free(segment);
}

static void copy(struct socket *socket, struct operation *operation)
{
    const struct segment *segment = socket->urgent;
    uint32_t copied =
        receive_copy(operation, segment->data + segment->offset, segment->length - segment->offset);

    if (!operation->error && !(operation->flags & MSG_PEEK))
        drop(socket, copied);
}

bool urgent_try(struct socket *socket, struct operation *operation)
{
    if (socket->receiving_urgent.head)
        return false; /* behind those that were posted before */
    if (socket->urgent) {
        copy(socket, operation);
        operation->result_flags = MSG_OOB;
        return true;
    }
    operation->error = socket->error;
    return socket->error || socket->end_of_stream;
}

void urgent_retry(struct socket *socket, struct operation_queue *finished)
{
    struct operation_queue posted = socket->receiving_urgent;
    struct operation *operation;

    socket->receiving_urgent = (struct operation_queue){0};
    while ((operation = operation_pop(&posted)))
        operation_append(urgent_try(socket, operation) ? finished : &socket->receiving_urgent,
                         operation);
}

void urgent_arrived(struct socket *socket, uint8_t byte, struct operation_queue *finished)
{
    keep(socket, byte);
    urgent_retry(socket, finished);
}

uint32_t urgent_inline_bytes(const struct socket *socket)
{
    return socket->urgent && socket->oob_inline ? socket->urgent->length - socket->urgent->offset
                                                : 0;
}

void urgent_read_inline(struct socket *socket, struct operation *operation)
{
    copy(socket, operation);
}
