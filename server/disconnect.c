/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DisconnectEx with TF_REUSE_SOCKET: a connection ends in order, and its socket is as new.
 *
 * Owns: the replacement of the kernel's socket.  Loop thread only, no locks.
 *
 * The kernel's socket is closed when both ends have said that they are done, and delivers by itself
 * what the peer has not acknowledged yet; another one with its options and its address takes its
 * place.  (connect() to AF_UNSPEC would reset a connection of which something is still on its way.)
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "comp.h"
#include "error.h"
#include "server.h"
#include "socket.h"
#include "submission.h"

#define DRAINS_PER_TURN 4
#define DRAIN_SIZE      (256u << 10)

void disconnect_end(struct socket *socket, uint32_t error)
{
    struct rs_reused body = {.error = error};

    if (!socket->disconnecting)
        return;
    socket->disconnecting = false;
    comp_post(socket->session, RS_COMP_REUSED, socket->index, &body, sizeof(body));
}

/* What a connection leaves behind.  The counters go on. */
static void forget_connection(struct socket *socket)
{
    socket->state = SOCKET_OPEN;
    socket->readable = socket->peer_closed = socket->receive_done = false;
    socket->stalled = false;
    __atomic_store_n(&socket->session->shared[socket->index].recv_stalled, 0, __ATOMIC_SEQ_CST);
    socket->urgent = socket->urgent_held = false;
    socket->marks = 0;
    socket->pending_error = 0;
    socket->send_shut = socket->send_failed = socket->wants_out = false;
    shortcut_init(socket);
    memset(&socket->peer, 0, sizeof(socket->peer));
    list_remove(&socket->work);
}

/* "the socket handle can be passed to the function call previously used to establish the
 * connection" (TransmitFile's page): ConnectEx wants it bound, AcceptEx not bound, and so it was.
 */
static void renew(struct socket *socket)
{
    int fd = socket_open(socket->family, socket->type, 0);
    struct rs_reused body = {0};

    if (fd < 0) {
        disconnect_end(socket, error_from_errno(-fd));
        return;
    }
    option_copy(socket, fd);
    names_lock(); /* who binds beside it looks at its descriptor */
    loop_close(&socket->watch);
    socket->watch.fd = fd;
    names_unlock();
    forget_connection(socket);
    if (socket->oob_inline)
        urgent_set_inline(socket, true);
    socket->bound = !list_empty(&socket->bound_link);
    if (socket->bound) {
        bind_again(socket);
        address_of_socket(fd, &body.local);
    }
    socket->disconnecting = false;
    comp_post(socket->session, RS_COMP_REUSED, socket->index, &body, sizeof(body));
}

void disconnect_settle(struct socket *socket)
{
    if (!socket->disconnecting || !socket->receive_done ||
        (socket->state != SOCKET_CONNECTED && socket->state != SOCKET_FAILED))
        return;
    if (socket->send_failed || backlog_empty(&socket->backlog))
        renew(socket);
}

/* Nobody will read it (MSG_TRUNC of a stream throws away; tcp(7)). */
enum work disconnect_drain(struct socket *socket)
{
    ssize_t count = -1;

    for (int i = 0; i < DRAINS_PER_TURN; i++) {
        count = recv(socket->watch.fd, NULL, DRAIN_SIZE, MSG_TRUNC);
        if (count <= 0)
            break;
    }
    if (count > 0 || (count < 0 && errno == EINTR))
        return WORK_MORE;
    socket->readable = false;
    if (count < 0 && errno == EAGAIN)
        return WORK_DONE;
    socket->receive_done = true; /* the peer's end, or a reset */
    disconnect_settle(socket);
    return WORK_DONE;
}

void disconnect_request(struct request *request)
{
    struct socket *socket = request->socket;

    if (socket->disconnecting)
        return;
    shortcut_end(socket);
    socket->disconnecting = true;
    if (socket->type != RS_STREAM || socket->family == RS_AF_UNIX || socket->share) {
        disconnect_end(socket, WSAEOPNOTSUPP);
    } else if (socket->state != SOCKET_CONNECTED && socket->state != SOCKET_FAILED) {
        disconnect_end(socket, WSAENOTCONN);
    } else if (socket->receive_done) {
        socket_shutdown(socket, RS_SHUT_SEND);
        disconnect_settle(socket);
    } else {
        socket_shutdown(socket, RS_SHUT_SEND);
        socket->readable = true;
        socket_queue_work(socket);
    }
}
