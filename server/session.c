/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions: made for the stock, taken, greeted, run once a turn, ended.
 *
 * Owns: the session's directory and the life of everything in it.  Loop thread only, no locks.
 *
 * A process that is gone leaves a DEAD session behind while a connection of it still has something
 * to send, or while another process holds one of its sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "comp.h"
#include "log.h"
#include "server.h"
#include "session.h"
#include "socket.h"
#include "submission.h"

#define HELLO_TIMEOUT (30 * CLOCK_PER_SECOND)
#define BACKLOG_LARGE (32u << 20) /* from here on its memory is worth giving back */

static void hello_timeout(struct timer *timer)
{
    struct session *session = container_of(timer, struct session, hello_timer);

    log_warn("session %s: taken, but nobody said hello", session->name);
    session_destroy(session);
}

static int make_directory(struct session *session)
{
    struct server *server = session->server;

    /* Numbers are not secret (the directory is), but they must not come twice. */
    do {
        if (getrandom(&session->id, sizeof(session->id), 0) != sizeof(session->id))
            return -errno;
    } while (!session->id || session_find(server, session->id));
    snprintf(session->name, sizeof(session->name), "s%016llx", (unsigned long long)session->id);
    if (mkdirat(server->dir.fd, session->name, 0700))
        return -errno;
    session->dir_fd =
        openat(server->dir.fd, session->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return session->dir_fd < 0 ? -errno : 0;
}

static int make_tables(struct session *session)
{
    session->slot_fds = malloc(RS_MAX_SLOTS * sizeof(*session->slot_fds));
    session->sockets = calloc(RS_MAX_SOCKETS, sizeof(*session->sockets));
    if (!session->slot_fds || !session->sockets)
        return -ENOMEM;
    memset(session->slot_fds, 0xff, RS_MAX_SLOTS * sizeof(*session->slot_fds));
    session->socket_end = 1; /* 0 is never a socket */
    return 0;
}

struct session *session_create(struct server *server)
{
    struct session *session = calloc(1, sizeof(*session));
    int error;

    if (!session) {
        log_rarely("cannot prepare a session: %s", strerror(ENOMEM));
        return NULL;
    }
    session->server = server;
    session->dir_fd = session->bell.fd = -1;
    list_init(&session->overflow);
    list_init(&session->hung);
    list_init(&session->spare_anchors);
    timer_init(&session->hello_timer, hello_timeout);
    list_append(&server->sessions, &session->link);
    error = make_directory(session);
    if (!error)
        error = make_tables(session);
    if (!error)
        error = segment_create(session);
    if (!error)
        error = bell_open(session);
    if (!error)
        error = wake_make_slot(session, 0); /* the pump's: there before the process is */
    if (!error)
        return session;
    log_rarely("cannot prepare a session: %s", strerror(-error));
    session_destroy(session);
    return NULL;
}

void session_taken(struct session *session)
{
    struct loop *loop = &session->server->loop;

    session->state = SESSION_TAKEN;
    timer_arm(&loop->timers, &session->hello_timer, loop->now + HELLO_TIMEOUT);
    server_session_taken(session->server);
}

void session_hello(struct session *session, const struct rs_hello *hello)
{
    char version[RS_VERSION_LEN + 1] = {0};

    if (session->state == SESSION_STOCK)
        join_taken(session->server);
    if (session->state != SESSION_TAKEN) {
        session_corrupt(session, "said hello twice");
        return;
    }
    timer_disarm(&session->hello_timer);
    session->state = SESSION_LIVE;
    session->windows_pid = hello->windows_pid;
    session->windows_parent = hello->windows_parent;
    session->placing = session->server->workers;
    memcpy(version, hello->dll_version, RS_VERSION_LEN);
    memcpy(session->program, hello->program, sizeof(session->program) - 1);
    for (char *c = session->program; *c; c++)
        *c = (unsigned char)*c < ' ' ? '?' : *c;
    for (char *c = version; *c; c++)
        *c = (unsigned char)*c < ' ' ? '?' : *c;
    log_info("session %s: %s (Windows pid %u, %u bit, ringsock %s)", session->name,
             session->program, hello->windows_pid, hello->pointer_bits, version);
}

struct session *session_find(struct server *server, uint64_t id)
{
    for (struct link *link = server->sessions.next; link != &server->sessions; link = link->next) {
        struct session *session = container_of(link, struct session, link);

        if (session->id == id && session->dir_fd >= 0)
            return session;
    }
    return NULL;
}

void session_corrupt(struct session *session, const char *why)
{
    if (!session->corrupt)
        log_error("session %s (%s): broken: %s", session->name, session->program, why);
    session->corrupt = true;
}

/* What dead processes have left counts for the living: nobody else could stop it from growing. */
void session_backlog(struct session *session, int64_t change)
{
    session->backlog_bytes += (size_t)change;
    if (session->state == SESSION_DEAD)
        session->server->orphaned_bytes += (size_t)change;
}

static void for_each_socket(struct session *session, void (*act)(struct socket *socket))
{
    for (uint32_t i = 1; session->sockets && i < session->socket_end; i++) {
        if (session->sockets[i])
            act(session->sockets[i]);
    }
}

void session_publish_backlog(struct session *session)
{
    uint64_t before = session->backlog_published;
    uint64_t bytes = session->backlog_bytes + session->server->orphaned_bytes;

    if (bytes == before)
        return;
    session->backlog_published = bytes;
    if (bytes > session->backlog_peak)
        session->backlog_peak = bytes;
    if (!bytes && session->backlog_peak > BACKLOG_LARGE) {
        session->backlog_peak = 0;
        malloc_trim(0); /* the pieces in between have kept the heap from shrinking */
    }
    /* Publish, then look: the DLL sets want_sent and then reads this word again. */
    __atomic_store_n(&session->segment->backlog, bytes, __ATOMIC_SEQ_CST);
    if (before > RS_BACKLOG_CROWDED && bytes <= RS_BACKLOG_CROWDED)
        for_each_socket(session, socket_tell_sent);
}

/* The process is gone; so is the program's hand on each socket that nobody else holds. */
static void let_go(struct socket *socket)
{
    if (socket->state == SOCKET_CLOSED) {
        socket_forget(socket);
    } else if (socket->listener && socket->returned) {
        return; /* for who gets the listener */
    } else if (anchor_is_gone(socket)) {
        list_remove(&socket->hung);
        socket->anchor_gone = true;
        list_append(&socket->session->hung, &socket->hung);
    }
}

static void session_died(struct session *session)
{
    if (session->state == SESSION_STOCK)
        join_taken(session->server);
    log_debug("session %s: %s has ended", session->name, session->program);
    timer_disarm(&session->hello_timer);
    session->state = SESSION_DEAD;
    session->server->orphaned_bytes += session->backlog_bytes;
    comp_discard(session);
    session->wakes.count = 0;
    loop_close(&session->bell);
    runtime_dir_remove(session->server->dir.fd, session->name);
    share_died(session);
    for_each_socket(session, let_go);
}

void session_change_server(struct session *session, struct server *to)
{
    loop_unwatch(&session->server->loop, &session->bell);
    session->server = to;
    if (session->bell.fd >= 0 && loop_watch(&to->loop, &session->bell, EPOLLIN))
        session_corrupt(session, "its bell cannot be heard");
}

void session_watch_sockets(struct session *session, struct loop *before)
{
    for (uint32_t i = 1; session->sockets && i < session->socket_end; i++) {
        if (session->sockets[i] && !socket_change_loop(session->sockets[i], before))
            session_corrupt(session, "a socket cannot be watched");
    }
}

void session_run(struct session *session)
{
    /* What a process or a handle left behind counts until its end. */
    submission_drain(session, session->hung_up || !list_empty(&session->hung));
    if (session->placing)
        return;
    if (segment_lost(session))
        session_corrupt(session, "its segment was cut short");
    if (!session->corrupt && session->hung_up && session->state != SESSION_DEAD)
        session_died(session);
    if (!session->corrupt)
        socket_close_hung(session);
    if (session->corrupt || (session->state == SESSION_DEAD && !session->open_sockets)) {
        session_destroy(session);
        return;
    }
    if (!list_empty(&session->overflow) && comp_flush(session))
        session->server->blocked = true;
}

static void socket_destroy(struct socket *socket)
{
    struct session *session = socket->session;
    uint32_t index = socket->index;

    if (share_move_away(socket) && !(socket = session->sockets[index]))
        return;
    socket_finish(socket, true);
    if (session->sockets[index] == socket)
        socket_forget(socket);
}

void session_destroy(struct session *session)
{
    struct server *server = session->server;

    if (session == server->join.stock) /* broken, so somebody must have it */
        join_taken(server);
    session->corrupt = true; /* nothing is told to it any more */
    timer_disarm(&session->hello_timer);
    for_each_socket(session, socket_destroy);
    anchor_close_spare(session);
    comp_discard(session);
    wake_close(session);
    loop_close(&session->bell);
    if (session->segment)
        session->segment->magic = 0; /* for a process that still looks at it */
    segment_unmap(session);
    if (session->dir_fd >= 0) {
        close(session->dir_fd);
        if (session->state != SESSION_DEAD)
            runtime_dir_remove(server->dir.fd, session->name);
    }
    free(session->sockets);
    free(session->free_indexes);
    list_remove(&session->link);
    if (session->state != SESSION_STOCK)
        server_session_gone(server);
    loop_free_later(&server->loop, &session->grave, session);
}
