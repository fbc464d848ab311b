/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AcceptEx: a socket that the program made beforehand becomes a connection that a listener
 * accepted.
 *
 * Owns: the move of the kernel's socket from one index to another.  Loop thread only, no locks.
 *
 * The DLL has taken nothing under the old index, so what was delivered there is counted against
 * the target's `consumed` from here on, which an earlier connection may have moved (disconnect.c).
 */
#include <errno.h>
#include <string.h>

#include "comp.h"
#include "error.h"
#include "log.h"
#include "server.h"
#include "socket.h"
#include "submission.h"

/* The kernel's socket and all that is known of its stream. */
static void move_stream(struct socket *target, struct socket *source)
{
    target->state = source->state;
    target->peer = source->peer;
    target->bound = true;
    target->readable = true; /* watched anew: what came in between is found by reading */
    target->peer_closed = source->peer_closed;
    target->receive_done = source->receive_done;
    target->urgent = source->urgent;
    target->urgent_held = source->urgent_held;
    target->urgent_byte = source->urgent_byte;
    target->marks = source->marks;
    target->pending_error = source->pending_error;
    target->delivered += source->delivered;
    target->oob_delivered += source->oob_delivered;
    target->oob_inline = source->oob_inline;
    target->watch.fd = source->watch.fd;
    source->watch.fd = -1;
    source->watch.watching = false;
}

static int watch_again(struct socket *target)
{
    /* the descriptor is in the epoll set already, with the source as its owner */
    target->watch.watching = true;
    return socket_rewatch(target);
}

void socket_move(struct socket *target, struct socket *source)
{
    loop_close(&target->watch);
    move_stream(target, source);
    shortcut_move(target, source);
    socket_finish(source, false);
    if (watch_again(target))
        stream_fail(target, WSAENOBUFS);
    else if (!target->receive_done)
        socket_queue_work(target);
}

void request_adopt(struct request *request)
{
    struct socket *target = request->socket, *source;
    struct rs_adopt adopt;

    memcpy(&adopt, request->payload, sizeof(adopt));
    source = socket_at(request->session, adopt.source);
    if (!source || source == target || source->type != RS_STREAM || target->type != RS_STREAM ||
        target->state != SOCKET_OPEN || !source->listener ||
        (source->state != SOCKET_CONNECTED && source->state != SOCKET_FAILED)) {
        log_debug("session %s: socket %u cannot become %u", request->session->name,
                  request->header.socket, adopt.source);
        return;
    }
    socket_move(target, source);
    /* Who waits said so at the target, and nobody looked there for what came under the old index. */
    wake_socket(request->session, target->index);
}
