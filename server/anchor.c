/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The anchor of a socket: the FIFO that the program's SOCKET handle stands on.
 *
 * Owns: the FIFO a<N> and the server's end of it.  Loop thread only, no locks.
 *
 * A FIFO hangs up only after it has had a writer (pipe_poll in Linux's fs/pipe.c), so an anchor
 * that the DLL has not opened yet stays quiet.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"
#include "socket.h"

static void anchor_name(const struct socket *socket, char *name, size_t size)
{
    snprintf(name, size, "a%u", socket->anchor_number);
}

static void anchor_ready(struct watch *watch, uint32_t events)
{
    struct socket *socket = container_of(watch, struct socket, anchor);

    if (!(events & EPOLLHUP) || socket->anchor_gone)
        return;
    socket->anchor_gone = true;
    list_append(&socket->session->hung, &socket->hung);
}

int anchor_open(struct socket *socket)
{
    struct session *session = socket->session;
    char name[16];
    int error;

    watch_init(&socket->anchor, anchor_ready);
    socket->anchor_number = session->next_anchor++;
    anchor_name(socket, name, sizeof(name));
    if (mkfifoat(session->dir_fd, name, 0600))
        return -errno;
    socket->anchor.fd =
        openat(session->dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    error = socket->anchor.fd < 0 ? -errno : loop_watch(&session->server->loop, &socket->anchor, 0);
    if (error)
        anchor_close(socket);
    return error;
}

static void anchor_unlink(struct socket *socket)
{
    char name[16];

    anchor_name(socket, name, sizeof(name));
    unlinkat(socket->session->dir_fd, name, 0);
}

void anchor_adopt(struct socket *socket)
{
    if (socket->anchored || socket->state == SOCKET_CLOSED)
        return;
    socket->anchored = true;
    anchor_unlink(socket);
    listener_release(socket);
}

bool anchor_is_gone(struct socket *socket)
{
    struct pollfd poll_fd = {.fd = socket->anchor.fd};

    if (!socket->anchored || socket->anchor_gone || socket->anchor.fd < 0)
        return true;
    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLHUP);
}

void anchor_close(struct socket *socket)
{
    if (!socket->anchored)
        anchor_unlink(socket);
    socket->anchored = true; /* the name is gone in any case */
    list_remove(&socket->hung);
    loop_close(&socket->anchor);
}
