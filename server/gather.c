/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Brings together two servers (workers.c) whose processes come to share a socket, or talk to each
 * other.
 *
 * A process attaches to a socket by its anchor.  One that its own server does not know may be
 * another's: the request is put aside, and the first's thread looks through all of them.  If one
 * has it, everything of one of the two servers goes to the other, for good; the thread that has
 * nothing left is there for the next process.  The same where a program connects, or sends a
 * datagram, to one of another server over the host itself: past the kernel (shortcut.c, flow.c)
 * both are faster on one thread than on two.
 *
 * Owns: server.strays.  Servers are held by turns (workers.h); with both held nobody else sees what
 * is in between.
 */
#include <stdlib.h>
#include <string.h>

#include "comp.h"
#include "log.h"
#include "server.h"
#include "session.h"
#include "socket.h"
#include "submission.h"

/* More than programs have threads that wait; who goes on asking gets no answer but "no". */
#define STRAYS_MAX 4096u

/* What a server's thread asks the first's. */
struct stray {
    struct link link; /* server.strays */
    uint64_t session;
    uint16_t port; /* of whom it talks to, in network order; 0: it attaches */
    uint8_t type;
    struct rs_call call;
    uint8_t proof[RS_PROOF];
    uint32_t length;
};

static struct stray *ask(const struct session *session)
{
    struct server *server = session->server;
    struct stray *stray;

    if (server->stray_count >= STRAYS_MAX || !(stray = calloc(1, sizeof(*stray))))
        return NULL;
    stray->session = session->id;
    list_append(&server->strays, &stray->link);
    server->stray_count++;
    server_kick(server->first);
    return stray;
}

bool gather_ask(const struct request *request)
{
    struct stray *stray;

    if (request->gathered || !workers_at(1) || !(stray = ask(request->session)))
        return false;
    stray->call = request->call;
    stray->length = request->length < RS_PROOF ? request->length : RS_PROOF;
    memcpy(stray->proof, request->payload, stray->length);
    return true;
}

/* ---- who listens, or receives, there ---- */

static bool is_there(const struct server *server, uint8_t type, uint16_t port)
{
    const struct link *all = type == RS_STREAM ? &server->listeners : &server->bound;

    for (const struct link *link = all->next; link != all; link = link->next) {
        const struct socket *socket = type == RS_STREAM
                                          ? container_of(link, struct socket, listening)
                                          : container_of(link, struct socket, bound_link);

        if (socket->type == type && address_port(&socket->bound_to) == port)
            return true;
    }
    return false;
}

static struct server *whose_is(const struct server *but, uint8_t type, uint16_t port)
{
    struct server *server = NULL;

    names_lock();
    while ((server = names_next(server)) && (server == but || !is_there(server, type, port)))
        ;
    names_unlock();
    return server;
}

void gather_meet(const struct socket *socket, const union address *to)
{
    const struct session *session = socket->session;
    uint16_t port = address_port(to);
    struct stray *stray;

    if (!workers_at(1) || is_there(session->server, socket->type, port) ||
        !whose_is(session->server, socket->type, port) || !(stray = ask(session)))
        return;
    stray->port = port;
    stray->type = socket->type;
}

void gather_forget(struct server *server)
{
    while (!list_empty(&server->strays)) {
        struct stray *stray = container_of(server->strays.next, struct stray, link);

        list_remove(&stray->link);
        free(stray);
    }
}

/* ---- two into one ---- */

static void take_sessions(struct server *into, struct server *from)
{
    struct link *end = &from->sessions;

    for (struct link *link = end->next; link != end; link = link->next)
        session_change_server(container_of(link, struct session, link), into);
    /* Of a shared socket the one that watches may be with any of them. */
    for (struct link *link = end->next; link != end; link = link->next)
        session_watch_sockets(container_of(link, struct session, link), &from->loop);
    list_move(&into->sessions, &from->sessions);
}

static void take_pairs(struct port_pairs *into, struct port_pairs *from)
{
    for (uint32_t i = 0; i < PORT_PAIR_BUCKETS; i++)
        list_move(&into->buckets[i], &from->buckets[i]);
}

static void take_names(struct server *into, struct server *from)
{
    names_lock();
    list_move(&into->bound, &from->bound);
    list_move(&into->listeners, &from->listeners);
    list_move(&into->reservations, &from->reservations);
    names_unlock();
    if (into->last_reservation < from->last_reservation)
        into->last_reservation = from->last_reservation; /* tokens do not come twice */
}

static void take_timers(struct link *into, struct link *from)
{
    while (!list_empty(from)) {
        struct timer *timer = container_of(from->next, struct timer, link);

        timer_arm(into, timer, timer->when);
    }
}

/* Both are held.  False: it cannot be done. */
static bool take_all(struct server *into, struct server *from)
{
    if (!anchors_take(into, from))
        return false;
    take_sessions(into, from);
    take_names(into, from);
    take_pairs(&into->offers, &from->offers);
    take_pairs(&into->flows, &from->flows);
    take_timers(&into->loop.timers, &from->loop.timers);
    list_move(&into->work, &from->work);
    list_move(&into->strays, &from->strays);
    into->stray_count += from->stray_count;
    from->stray_count = 0;
    list_move(&into->loop.graves, &from->loop.graves);
    into->orphaned_bytes += from->orphaned_bytes;
    from->orphaned_bytes = 0;
    into->blocked |= from->blocked;
    from->hold.moved++;
    shortcut_match_all(into);
    server_kick(into);
    return true;
}

/* The first keeps what is its own, and one that has inotify knows all anchors. */
static void bring_together(struct server *a, struct server *b)
{
    bool swap = !b->number || (a->number && !anchor_watch_works(a));
    struct server *into = swap ? b : a, *from = swap ? a : b;

    server_hold(a->number < b->number ? a : b);
    server_hold(a->number < b->number ? b : a);
    if (take_all(into, from))
        log_debug("thread %u takes over from thread %u", into->number, from->number);
    server_release(b);
    server_release(a);
}

/* ---- whom to ask ---- */

static struct server *holder_of(uint64_t inode)
{
    struct server *server;

    for (unsigned i = 0; (server = workers_at(i)); i++) {
        bool found;

        server_hold(server);
        found = anchor_find(server, inode) != NULL;
        server_release(server);
        if (found)
            return server;
    }
    return NULL;
}

static struct server *home_of(const struct stray *stray)
{
    struct session *session;
    struct server *home = workers_hold_session(stray->session, &session);

    if (home)
        server_release(home);
    return home;
}

static void answer(const struct stray *stray)
{
    struct request request = {
        .call = stray->call, .payload = stray->proof, .length = stray->length, .gathered = true};
    struct server *home = workers_hold_session(stray->session, &request.session);

    if (!home)
        return;
    if (request.session->state == SESSION_LIVE && !request.session->corrupt)
        request_attach(&request);
    server_kick(home);
    server_release(home);
}

static void settle(const struct stray *stray)
{
    uint64_t inode = stray->call.arg0 | (uint64_t)stray->call.arg1 << 32;
    struct server *home = home_of(stray), *other;

    if (!home)
        return;
    other = stray->port ? whose_is(home, stray->type, stray->port) : holder_of(inode);
    if (other && other != home)
        bring_together(other, home);
    if (!stray->port)
        answer(stray);
}

void gather_turn(void)
{
    struct server *server;

    for (unsigned i = 0; (server = workers_at(i)); i++) {
        struct link strays;

        server_hold(server);
        list_take(&strays, &server->strays);
        server->stray_count = 0;
        server_release(server);
        while (!list_empty(&strays)) {
            struct stray *stray = container_of(strays.next, struct stray, link);

            list_remove(&stray->link);
            settle(stray);
            free(stray);
        }
    }
}
