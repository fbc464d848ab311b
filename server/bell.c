/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session's doorbell: a FIFO that wakes the loop, and whose hang-up is the end of the process.
 *
 * Owns: the FIFO and when it is emptied.  What the ring means is looked up in the submission ring
 * once a turn, for every session.  Loop thread only, no locks.
 *
 * Watched edge-triggered, each byte is an event of its own even if earlier ones lie unread: so most
 * of them are left there and taken out many at a time.  Kernels 5.5 to 5.13 had no event for the
 * second byte, which is why it is tried out first.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "server.h"
#include "session.h"

#define RINGS_UNREAD                                                            \
    1024u /* a FIFO holds 4096 bytes at least, and two rings may make one event \
           */

static void bell_empty(struct session *session)
{
    char bytes[RINGS_UNREAD];

    while (read(session->bell.fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
        ;
    session->rings = 0;
}

static void bell_ready(struct watch *watch, uint32_t events)
{
    struct session *session = container_of(watch, struct session, bell);

    if (events & EPOLLIN) {
        session->rings++;
        if (!session->server->bell_keeps_ringing || session->rings >= RINGS_UNREAD)
            bell_empty(session);
    }
    if (events & EPOLLHUP)
        session->hung_up = true;
}

int bell_open(struct session *session)
{
    watch_init(&session->bell, bell_ready);
    if (mkfifoat(session->dir_fd, "bell", 0600))
        return -errno;
    session->bell.fd =
        openat(session->dir_fd, "bell", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (session->bell.fd < 0)
        return -errno;
    return loop_watch(&session->server->loop, &session->bell, EPOLLIN);
}

bool bell_is_edge_triggered(void)
{
    int ends[2], epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    bool works = false;

    if (epoll_fd < 0)
        return false;
    if (!pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
        works = !epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ends[0], &event);
        for (int i = 0; works && i < 3; i++)
            works = write(ends[1], "", 1) == 1 && epoll_wait(epoll_fd, &event, 1, 0) == 1 &&
                    epoll_wait(epoll_fd, &event, 1, 0) == 0;
        close(ends[0]);
        close(ends[1]);
    }
    close(epoll_fd);
    return works;
}
