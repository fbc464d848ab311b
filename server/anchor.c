/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anchors: the FIFOs that the program's SOCKET handles stand on.
 *
 * Owns: the FIFOs a<N>, the server's ends of them, and a session's spare ones.  Loop thread only,
 * no locks.
 *
 * A FIFO hangs up only after it has had a writer (pipe_poll in Linux's fs/pipe.c), so an anchor
 * that the DLL has not opened yet stays quiet.  One whose writers have all gone can serve the next
 * socket: that saves making, opening, watching and removing a FIFO for each.  Then it still reports
 * the old hang-up, so its events mean nothing until RS_SUB_ANCHORED has come.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"
#include "socket.h"

#define SPARE_MAX 64u /* a session keeps; each is a descriptor */

struct anchor {
    struct watch watch;
    struct grave grave;
    struct link spare;     /* session.spare_anchors */
    struct socket *socket; /* NULL: spare */
    uint32_t number;
};

static void hang_up(struct socket *socket)
{
    if (socket->anchor_gone)
        return;
    socket->anchor_gone = true;
    list_append(&socket->session->hung, &socket->hung);
}

static void anchor_ready(struct watch *watch, uint32_t events)
{
    struct anchor *anchor = container_of(watch, struct anchor, watch);

    if ((events & EPOLLHUP) && anchor->socket && anchor->socket->anchored)
        hang_up(anchor->socket);
}

static void anchor_name(const struct anchor *anchor, char *name, size_t size)
{
    snprintf(name, size, "a%u", anchor->number);
}

static void anchor_destroy(struct session *session, struct anchor *anchor)
{
    char name[16];

    anchor_name(anchor, name, sizeof(name));
    unlinkat(session->dir_fd, name, 0);
    loop_close(&anchor->watch);
    loop_free_later(&session->server->loop, &anchor->grave, anchor);
}

static struct anchor *anchor_create(struct session *session, int *error)
{
    struct anchor *anchor = calloc(1, sizeof(*anchor));
    char name[16];

    *error = -ENOMEM;
    if (!anchor)
        return NULL;
    watch_init(&anchor->watch, anchor_ready);
    list_init(&anchor->spare);
    anchor->number = session->next_anchor++;
    anchor_name(anchor, name, sizeof(name));
    if (mkfifoat(session->dir_fd, name, 0600)) {
        *error = -errno;
        free(anchor);
        return NULL;
    }
    anchor->watch.fd =
        openat(session->dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    *error = anchor->watch.fd < 0 ? -errno : loop_watch(&session->server->loop, &anchor->watch, 0);
    if (!*error)
        return anchor;
    anchor_destroy(session, anchor);
    return NULL;
}

int anchor_open(struct socket *socket)
{
    struct session *session = socket->session;
    struct anchor *anchor;
    int error = 0;

    if (!list_empty(&session->spare_anchors)) {
        anchor = container_of(session->spare_anchors.next, struct anchor, spare);
        list_remove(&anchor->spare);
        session->spare_anchor_count--;
    } else
        anchor = anchor_create(session, &error);
    if (!anchor)
        return error;
    anchor->socket = socket;
    socket->anchor = anchor;
    return 0;
}

uint32_t anchor_number(const struct socket *socket)
{
    return socket->anchor->number;
}

static bool hung_up(const struct anchor *anchor)
{
    struct pollfd poll_fd = {.fd = anchor->watch.fd};

    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLHUP);
}

void anchor_adopt(struct socket *socket)
{
    if (socket->anchored || socket->state == SOCKET_CLOSED)
        return;
    socket->anchored = true;
    listener_release(socket);
    if (hung_up(socket->anchor)) /* closed again already; that event was passed over */
        hang_up(socket);
}

bool anchor_is_gone(struct socket *socket)
{
    return !socket->anchored || socket->anchor_gone || !socket->anchor || hung_up(socket->anchor);
}

/* A process that said RS_SUB_ANCHORED and never opened the FIFO would leave one that never hangs up.
 * Once it has had a writer it does, unless there is another one. */
bool anchor_is_abandoned(struct socket *socket)
{
    char path[32];
    int fd;

    if (anchor_is_gone(socket))
        return true;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", socket->anchor->watch.fd);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return hung_up(socket->anchor);
}

/* Nobody has it open, and nothing that a program wrote into its SOCKET lies in it: end of file. */
static bool reusable(const struct session *session, const struct anchor *anchor)
{
    char byte;

    return session->state == SESSION_LIVE && !session->corrupt &&
           session->spare_anchor_count < SPARE_MAX && !read(anchor->watch.fd, &byte, 1);
}

void anchor_close(struct socket *socket)
{
    struct session *session = socket->session;
    struct anchor *anchor = socket->anchor;

    list_remove(&socket->hung);
    if (!anchor)
        return;
    socket->anchor = NULL;
    anchor->socket = NULL;
    /* One that was never opened may still be, by a DLL that is about to: never give that away. */
    if (!socket->anchored || !reusable(session, anchor)) {
        anchor_destroy(session, anchor);
        return;
    }
    list_append(&session->spare_anchors, &anchor->spare);
    session->spare_anchor_count++;
}

void anchor_close_spare(struct session *session)
{
    while (!list_empty(&session->spare_anchors)) {
        struct anchor *anchor = container_of(session->spare_anchors.next, struct anchor, spare);

        list_remove(&anchor->spare);
        anchor_destroy(session, anchor);
    }
    session->spare_anchor_count = 0;
}
