/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a process gets its session: it reads one ticket from `join`.
 *
 * Owns: the FIFO and the one session in stock.  Loop thread only, no locks.
 *
 * The pipe is made one page long: then a ticket in it makes it full, and the moment when it is
 * taken is an EPOLLOUT edge (pipe(7): a pipe is full when its slots are, whatever they hold).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "server.h"
#include "session.h"

static void prepare_stock(struct server *server)
{
    struct rs_ticket ticket = {.magic = RS_MAGIC, .protocol = RS_PROTOCOL};
    struct session *session = session_create(server);

    if (session) {
        ticket.session = session->id;
        if (write(server->join.watch.fd, &ticket, sizeof(ticket)) == sizeof(ticket)) {
            server->join.stock = session;
            return;
        }
        log_error("cannot write to join: %s", strerror(errno));
        session_destroy(session);
    }
    /* Out of descriptors or memory: those who wait at `join` go on waiting. */
    timer_arm(&server->loop.timers, &server->join.retry, server->loop.now + CLOCK_PER_SECOND / 5);
}

static void join_retry(struct timer *timer)
{
    prepare_stock(container_of(timer, struct server, join.retry));
}

void join_taken(struct server *server)
{
    struct session *session = server->join.stock;

    if (!session)
        return;
    server->join.stock = NULL;
    session_taken(session);
    prepare_stock(server);
}

static void join_ready(struct watch *watch, uint32_t events)
{
    struct server *server = container_of(watch, struct server, join.watch);
    int waiting = 0;

    (void)events;
    if (server->join.stock && !ioctl(watch->fd, FIONREAD, &waiting) && !waiting)
        join_taken(server);
}

int join_open(struct server *server)
{
    struct join *join = &server->join;
    int error;

    watch_init(&join->watch, join_ready);
    timer_init(&join->retry, join_retry);
    join->stock = NULL;
    if (mkfifoat(server->dir.fd, "join", 0600))
        return -errno;
    join->watch.fd = openat(server->dir.fd, "join", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (join->watch.fd < 0)
        return -errno;
    if (fcntl(join->watch.fd, F_SETPIPE_SZ, 4096) < 0)
        return -errno;
    error = loop_watch(&server->loop, &join->watch, EPOLLOUT);
    if (!error)
        prepare_stock(server);
    return error;
}

bool join_withdraw(struct server *server)
{
    struct session *session;
    struct rs_ticket ticket;

    if (!server->join.stock)
        return true;
    if (read(server->join.watch.fd, &ticket, sizeof(ticket)) != sizeof(ticket)) {
        join_taken(server);
        return false;
    }
    session = server->join.stock;
    server->join.stock = NULL;
    session_destroy(session);
    return true;
}

void join_close(struct server *server)
{
    loop_close(&server->join.watch);
}
