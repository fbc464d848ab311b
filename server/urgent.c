/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Urgent data of streams, where Linux and Windows differ most.
 *
 * Owns: socket.urgent, what may be read past an urgent byte, the change to in-line reception.  Loop
 * thread only, no locks.
 *
 * Windows keeps urgent bytes in a queue beside the stream, as many as come.  Linux remembers one
 * (tcp_check_urg): it is in its place in the stream, recv(MSG_OOB) copies it, and reading on skips
 * it; a second one that comes before that turns the first into ordinary data.  So each is taken as
 * soon as it is announced, the stream is read on behind it, and only then it is told of: whoever
 * answers it with another one cannot be too early.  A sender whose peer is of this server too does
 * not even leave the time for a second one.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include "comp.h"
#include "server.h"
#include "socket.h"

/* Does not count against the credit: it comes through although the stream is stalled. */
bool urgent_tell(struct socket *socket)
{
    struct rs_record header = {
        .type = RS_COMP_DATA, .flags = RS_DATA_OOB, .socket = socket->index, .length = 1};
    struct rs_record *record;

    if (!socket->urgent_held)
        return true;
    if (share_pauses(socket) || !(record = comp_reserve(socket->session, 1)))
        return false;
    *(uint8_t *)(record + 1) = socket->urgent_byte;
    socket->urgent_held = false;
    comp_publish(socket->session, record, &header, 1);
    return true;
}

/* False: one that was taken before cannot be told of yet. */
static bool take(struct socket *socket)
{
    uint8_t byte;

    if (recv(socket->watch.fd, &byte, 1, MSG_OOB | MSG_PEEK) != 1)
        return true; /* it has been taken before */
    if (!urgent_tell(socket))
        return false;
    if (recv(socket->watch.fd, &byte, 1, MSG_OOB) == 1) {
        socket->oob_delivered++;
        socket->urgent_byte = byte;
        socket->urgent_held = true;
    }
    return true;
}

void urgent_announced(struct socket *socket)
{
    socket->urgent = true;
    if (!socket->oob_inline)
        take(socket);
}

bool urgent_before_read(struct socket *socket)
{
    int mark = 0;

    if (!socket->oob_inline && !take(socket))
        return false;
    if (!ioctl(socket->watch.fd, SIOCATMARK, &mark) && mark) {
        /* Remembered, because reading on forgets it in the kernel even if nothing comes back. */
        socket->urgent = false;
        socket->marks = socket->oob_inline ? URGENT_IN_LINE : 1;
    }
    return true;
}

/* Linux would hand out a second time, in line, what it has not been read past. */
int urgent_set_inline(struct socket *socket, bool on)
{
    int value = on;

    if (on && !socket->oob_inline && socket->urgent && socket->state == SOCKET_CONNECTED &&
        stream_read(socket) == WORK_BLOCKED)
        socket_queue_work(socket);
    socket->oob_inline = on;
    return setsockopt(socket->watch.fd, SOL_SOCKET, SO_OOBINLINE, &value, sizeof(value));
}

/* ---- to a peer of this server ---- */

static bool local_address(const struct socket *socket, union address *local)
{
    socklen_t size = sizeof(*local);

    return !getsockname(socket->watch.fd, &local->any, &size);
}

static bool is_other_end(const struct socket *socket, const struct socket *sender,
                         const union address *sender_local)
{
    union address local;

    return socket && socket->type == RS_STREAM && socket->state == SOCKET_CONNECTED &&
           address_equal(&socket->peer, sender_local) && local_address(socket, &local) &&
           address_equal(&local, &sender->peer);
}

static struct socket *other_end(const struct socket *sender)
{
    struct server *server = sender->session->server;
    union address local;

    if (!local_address(sender, &local) || !address_same_host(&local, &sender->peer))
        return NULL;
    for (struct link *link = server->sessions.next; link != &server->sessions; link = link->next) {
        const struct session *session = container_of(link, struct session, link);

        for (uint32_t i = 1; i < session->socket_end; i++)
            if (is_other_end(session->sockets[i], sender, &local))
                return session->sockets[i];
    }
    return NULL;
}

void urgent_sent(const struct socket *sender)
{
    struct socket *receiver = other_end(sender);

    if (receiver)
        stream_ready(receiver, EPOLLPRI | EPOLLIN);
    if (receiver && !receiver->oob_inline && !receiver->receive_done)
        stream_read(receiver);
}
