/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RS_SUB_LOOK: what is on its way to a socket is read before the answer.
 *
 * Owns: nothing.  Loop thread only, no locks.
 *
 * A receive that does not wait finds nothing where the program is faster than this server.  Behind
 * a stall that is no race of the program's: all that exceeded the socket's credit was sent long
 * ago, and over Windows' loopback it would be there.  So the DLL asks.
 */
#include "comp.h"
#include "socket.h"
#include "submission.h"

#define TURNS 16 /* it has credit for no more, if it does not read meanwhile */

/* The kernel has something, or will get it: on a loaded machine it passes the loopback later. */
static bool is_on_its_way(const struct socket *socket)
{
    const struct socket *twin = socket->shortcut.twin;

    return twin && !twin->shortcut.ended /* urgent bytes are not counted where they arrive */ &&
           (!backlog_empty(&twin->backlog) ||
            twin->shortcut.kernel_out != socket->shortcut.kernel_in);
}

static void read_on(struct socket *socket)
{
    enum work work = WORK_MORE;

    if (socket->shortcut.twin)
        socket_flush(socket->shortcut.twin); /* the kernel may have room by now */
    socket->readable = true;
    for (int turns = TURNS; turns && work == WORK_MORE; turns--)
        work = socket_work(socket);
    if (work != WORK_DONE)
        socket_queue_work(socket);
}

void request_look(struct request *request)
{
    struct socket *socket = request->socket;
    struct rs_reply reply = {.value = RS_LOOK_NOTHING};
    uint32_t before = socket->delivered;

    if (socket->state == SOCKET_CONNECTED || socket->state == SOCKET_OPEN) {
        read_on(socket);
        if (socket->delivered != before)
            reply.value = RS_LOOK_DATA;
        else if (is_on_its_way(socket))
            reply.value = RS_LOOK_SOON;
    }
    comp_reply_full(request->session, &request->call, &reply, NULL, 0);
}
