/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the holder of a shared socket had read ahead and has handed back, kept for the next one.
 *
 * Owns: socket.unread.  Loop thread only, no locks.
 */
#include <stdlib.h>
#include <string.h>

#include "comp.h"
#include "log.h"
#include "share.h"
#include "submission.h"

/* More than what was read ahead no process of ours hands back. */
#define UNREAD_MAX (4 * RS_RECV_WINDOW)

struct unread {
    struct link link; /* socket.unread */
    uint16_t type, flags;
    uint32_t length;
    struct {
        struct rs_addr source;
        struct rs_control control;
    } datagram;
    uint8_t bytes[];
};

static uint32_t cost_of(const struct unread *unread)
{
    if (unread->type == RS_COMP_DATAGRAM)
        return RS_DATAGRAM_COST(unread->length);
    return unread->flags & RS_DATA_OOB ? 0 : unread->length; /* of a stream */
}

static void take_out(struct socket *socket, struct unread *unread)
{
    list_remove(&unread->link);
    socket->unread_bytes -= (uint32_t)sizeof(*unread) + unread->length;
    socket->unread_cost -= cost_of(unread);
}

void request_unread(struct request *request)
{
    struct socket *socket = request->socket;
    bool datagram = (request->header.flags & RS_UNREAD_DATAGRAM) != 0;
    uint32_t size = (uint32_t)sizeof(struct unread) + request->length;
    struct unread *unread;

    if (datagram != (socket->type == RS_DGRAM) || (!datagram && !request->length))
        return;
    if (size > UNREAD_MAX - socket->unread_bytes) {
        session_corrupt(request->session, "hands back more than it was given");
        return;
    }
    unread = malloc(size);
    if (!unread) {
        session_corrupt(request->session, "no memory for what it hands back");
        return;
    }
    unread->type = datagram ? RS_COMP_DATAGRAM : RS_COMP_DATA;
    unread->flags =
        datagram ? RS_DATAGRAM_CONTROL : request->header.flags & (RS_DATA_OOB | RS_DATA_MARK);
    unread->length = request->length;
    unread->datagram.source = request->address;
    unread->datagram.control = request->control;
    memcpy(unread->bytes, request->payload, request->length);
    list_append(&socket->unread, &unread->link);
    socket->unread_bytes += size;
    socket->unread_cost += cost_of(unread);
}

void share_discard_unread(struct socket *socket)
{
    while (!list_empty(&socket->unread)) {
        struct unread *unread = container_of(socket->unread.next, struct unread, link);

        take_out(socket, unread);
        free(unread);
    }
}

static void post_end(struct socket *socket)
{
    if (socket->type != RS_STREAM || !socket->receive_done)
        return;
    if (socket->state == SOCKET_FAILED)
        socket_post_error(socket, socket->pending_error, 0);
    else if (socket->state == SOCKET_CONNECTED)
        comp_post(socket->session, RS_COMP_EOF, socket->index, NULL, 0);
}

void share_replay(struct socket *socket)
{
    while (!list_empty(&socket->unread)) {
        struct unread *unread = container_of(socket->unread.next, struct unread, link);
        bool datagram = unread->type == RS_COMP_DATAGRAM;
        struct rs_record header = {.type = unread->type,
                                   .flags = unread->flags,
                                   .socket = socket->index,
                                   .length = unread->length};

        take_out(socket, unread);
        socket->delivered += cost_of(unread);
        if (!datagram)
            socket->oob_delivered += unread->flags & RS_DATA_OOB;
        comp_post_data(socket->session, &header, &unread->datagram,
                       datagram ? (uint32_t)sizeof(unread->datagram) : 0, unread->bytes);
        free(unread);
    }
    post_end(socket);
}
