/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sockets of a session: the table of indexes, a socket's begin and end, its share of a turn.
 *
 * Owns: session.sockets and the free indexes, the words of sockets[] that the server writes, the
 * credit of reading ahead.  Loop thread only, no locks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "comp.h"
#include "error.h"
#include "flow.h"
#include "log.h"
#include "server.h"
#include "socket.h"

bool socket_has_index(const struct session *session)
{
    return session->free_count || session->socket_end < RS_MAX_SOCKETS;
}

/* Giving it back must not need memory, which may be what there is none of: so the room for that is
 * made first. */
static uint32_t index_take(struct session *session)
{
    uint32_t size = session->free_size ? 2 * session->free_size : 64;
    uint32_t *grown;

    if (session->free_count)
        return session->free_indexes[--session->free_count];
    if (session->socket_end >= session->free_size) {
        grown = realloc(session->free_indexes, size * sizeof(*grown));
        if (!grown)
            return 0;
        session->free_indexes = grown;
        session->free_size = size;
    }
    return session->socket_end++;
}

static void index_give(struct session *session, uint32_t index)
{
    session->free_indexes[session->free_count++] = index;
}

static void socket_ready(struct watch *watch, uint32_t events)
{
    struct socket *socket = container_of(watch, struct socket, watch);

    switch (socket->state) {
    case SOCKET_LISTENING:
        socket->readable = true;
        socket_queue_work(socket);
        break;
    case SOCKET_CONNECTING:
        connect_ready(socket);
        if (socket->state == SOCKET_CONNECTED)
            stream_ready(socket, events);
        break;
    case SOCKET_CLOSING:
        socket_closing_progress(socket);
        break;
    case SOCKET_OPEN:
    case SOCKET_CONNECTED:
        if (socket->type == RS_STREAM)
            stream_ready(socket, events);
        else
            datagram_ready(socket, events);
        break;
    case SOCKET_FAILED:
    case SOCKET_CLOSED:
    case SOCKET_AWAY:
        break;
    }
}

static void socket_init(struct socket *socket, struct session *session, uint8_t family,
                        uint8_t type, int fd)
{
    socket->session = session;
    socket->family = family;
    socket->type = type;
    socket->state = SOCKET_OPEN;
    watch_init(&socket->watch, socket_ready);
    socket->watch.fd = fd;
    socket->capture.fd = -1;
    list_init(&socket->work);
    list_init(&socket->hung);
    list_init(&socket->bound_link);
    list_init(&socket->sibling);
    list_init(&socket->children);
    list_init(&socket->held);
    list_init(&socket->listening);
    list_init(&socket->stub_link);
    list_init(&socket->unread);
    shortcut_init(socket);
    list_init(&socket->flows);
    list_init(&socket->flows_in);
    timer_init(&socket->timer, NULL);
}

void socket_limit_met(struct session *session, int error)
{
    struct rlimit limit = {0};

    session->limit_met = true;
    if (!socket_has_index(session)) {
        log_rarely("session %s (%s): all of its %u sockets are in use", session->name,
                   session->program, RS_MAX_SOCKETS - 1);
        return;
    }
    if (error != EMFILE && error != ENFILE) {
        log_rarely("session %s (%s): no further socket beside its %u: %s", session->name,
                   session->program, session->open_sockets, strerror(error));
        return;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    log_rarely("session %s (%s): no further socket beside its %u: %s (each needs %s of the %llu "
               "descriptors that this server may have; ulimit -n)",
               session->name, session->program, session->open_sockets, strerror(error),
               anchor_watch_works(session->server) ? "one" : "two",
               (unsigned long long)limit.rlim_cur);
}

static bool enter_table(struct socket *socket)
{
    struct session *session = socket->session;
    uint32_t index = index_take(session);

    if (!index)
        return false;
    socket->index = index;
    memset(&session->shared[index], 0, sizeof(session->shared[index]));
    session->sockets[index] = socket;
    session->open_sockets++;
    return true;
}

struct socket *socket_create(struct session *session, uint8_t family, uint8_t type, int fd,
                             int *error)
{
    struct socket *socket = calloc(1, sizeof(*socket));

    *error = -ENOMEM;
    if (!socket)
        return NULL;
    socket_init(socket, session, family, type, fd);
    *error = socket_has_index(session) ? anchor_open(socket) : -EMFILE;
    if (!*error) {
        if (enter_table(socket)) {
            session->limit_met = false;
            return socket;
        }
        *error = -ENOMEM;
        anchor_close(socket);
    }
    free(socket);
    return NULL;
}

struct socket *socket_create_stub(struct session *session, const struct socket *core)
{
    struct socket *stub = calloc(1, sizeof(*stub));

    if (!stub)
        return NULL;
    socket_init(stub, session, core->family, core->type, -1);
    stub->state = SOCKET_AWAY;
    stub->anchored = true;
    if (socket_has_index(session) && enter_table(stub))
        return stub;
    free(stub);
    return NULL;
}

struct socket *socket_at(struct session *session, uint32_t index)
{
    return index && index < RS_MAX_SOCKETS ? session->sockets[index] : NULL;
}

/* The index is free again, or its session is. */
void socket_forget(struct socket *socket)
{
    struct session *session = socket->session;

    session->sockets[socket->index] = NULL;
    session->open_sockets--;
    index_give(session, socket->index);
    loop_free_later(&session->server->loop, &socket->grave, socket);
}

static void abandon_calls(struct socket *socket)
{
    disconnect_end(socket, WSA_OPERATION_ABORTED);
    if (socket->close_waits)
        comp_reply(socket->session, &socket->close_call, 0);
    socket->close_waits = false;
}

/* Who binds beside it looks at its descriptor until it is off the list. */
static void close_named(struct socket *socket)
{
    bool named = !list_empty(&socket->bound_link) || socket->family == RS_AF_UNIX;

    if (named)
        names_lock();
    loop_close(&socket->watch);
    if (!named)
        return;
    bind_release(socket);
    unix_release(socket);
    names_unlock();
}

void socket_finish(struct socket *socket, bool reset)
{
    struct session *session = socket->session;
    struct linger abort = {.l_onoff = 1, .l_linger = 0};

    if (socket->state == SOCKET_CLOSED)
        return;
    shortcut_end(socket);
    flow_forget(socket);
    sent_times_end(socket);
    stock_ended(socket);
    if (socket->share)
        share_leave(socket);
    share_discard_unread(socket);
    if (socket->state == SOCKET_LISTENING)
        listener_stop(socket);
    listener_release(socket);
    if (reset)
        setsockopt(socket->watch.fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    socket->state = SOCKET_CLOSED;
    close_named(socket);
    capture_end(socket);
    anchor_close(socket);
    timer_disarm(&socket->timer);
    list_remove(&socket->work);
    ports_owner_closed(socket);
    session_backlog(session, -(int64_t)socket->backlog.bytes);
    backlog_clear(&socket->backlog);
    abandon_calls(socket);
    comp_post(session, RS_COMP_CLOSED, socket->index, NULL, 0);
    /* The index and its memory come back when the DLL has seen that, which somebody may wait for.
     */
    if (session->limit_met)
        wake_word(session, RS_WAKE_PUMP);
    if (session->state == SESSION_DEAD)
        socket_forget(socket);
}

void socket_post_error(struct socket *socket, uint32_t error, uint32_t flags)
{
    struct rs_error body = {.error = error, .flags = flags};

    comp_post(socket->session, RS_COMP_ERROR, socket->index, &body, sizeof(body));
}

void socket_queue_work(struct socket *socket)
{
    if (list_empty(&socket->work))
        list_append(&socket->session->server->work, &socket->work);
}

enum work socket_work(struct socket *socket)
{
    /* Nobody would take it. */
    if (socket->session->state == SESSION_DEAD || socket->session->corrupt)
        return WORK_DONE;
    if (socket->state == SOCKET_LISTENING)
        return listener_accept(socket);
    if (socket->type != RS_STREAM)
        return socket->state == SOCKET_CLOSING ? WORK_DONE : datagram_read(socket);
    return socket->state == SOCKET_CONNECTED ? stream_read(socket) : WORK_DONE;
}

uint32_t socket_outstanding(const struct socket *socket)
{
    const uint32_t *consumed = &socket->session->shared[socket->index].consumed;
    uint32_t left = socket->delivered - __atomic_load_n(consumed, __ATOMIC_SEQ_CST);

    /* Urgent bytes travel out of line and are not counted; a DLL that does count them is not ahead
     * of us by more than that. */
    return -left <= socket->oob_delivered ? 0 : left;
}

static uint32_t credit_left(const struct socket *socket)
{
    uint32_t outstanding = socket_outstanding(socket);

    return outstanding < RS_RECV_WINDOW ? RS_RECV_WINDOW - outstanding : 0;
}

uint32_t socket_credit(struct socket *socket)
{
    uint32_t *stalled = &socket->session->shared[socket->index].recv_stalled;
    uint32_t credit = credit_left(socket);

    if (!credit && !socket->stalled) {
        socket->stalled = true;
        /* Publish, then look: the DLL adds to `consumed` first and then reads this word. */
        __atomic_store_n(stalled, 1, __ATOMIC_SEQ_CST);
        credit = credit_left(socket);
    }
    if (credit && socket->stalled) {
        socket->stalled = false;
        __atomic_store_n(stalled, 0, __ATOMIC_SEQ_CST);
    }
    return credit;
}

/* A datagram socket would report every packet sent as a chance to send (sock_def_write_space), and
 * any socket reports it once at first: so it is asked for only by who waits for it. */
static uint32_t events_of(const struct socket *socket)
{
    uint32_t events = socket->type == RS_STREAM ? EPOLLIN | EPOLLRDHUP | EPOLLPRI : EPOLLIN;

    return socket->wants_out ? events | EPOLLOUT : events;
}

int socket_watch(struct socket *socket)
{
    if (socket->watch.watching)
        return 0;
    return loop_watch(&socket->session->server->loop, &socket->watch, events_of(socket));
}

int socket_rewatch(struct socket *socket)
{
    return loop_rewatch(&socket->session->server->loop, &socket->watch, events_of(socket));
}

bool socket_change_loop(struct socket *socket, struct loop *before)
{
    bool watched = socket->watch.watching;

    loop_unwatch(before, &socket->watch);
    return (!watched || !socket_watch(socket)) && capture_change_loop(socket, before);
}
