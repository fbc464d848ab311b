/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The short cut: what goes over a connection between two sockets of this server need not go through
 * the kernel.  Two of different servers are soon of one (gather.c).
 *
 * Owns: struct shortcut, server.offers.  Loop thread only, no locks.
 *
 * Every connection is the kernel's: who is bound, who listens, who is refused, how it ends, and
 * what ss(8) shows.  Only its bytes may go past it, from the sender's submission ring into the
 * receiver's completion ring, and only while the kernel holds none of that direction: the sender's
 * end counts what it gave to the kernel, the receiver's what it took from it, and where both are
 * equal the stream's next byte may come from either way.  So it begins at any time, with a
 * connection that has sent before it was accepted, and it may end at any time: for one direction
 * with urgent data, for both when another process gets the socket, when an end is shut or closed.
 * A FIN is sent when all before it is in the receiver's ring or was given to the kernel, and comes
 * in the kernel's order.
 *
 * What the receiver has no credit or room for waits in the sender's backlog, and is taken from
 * there by the receiver (shortcut_pull): so who sends faster than the other reads is held up, and
 * what passes stays in the caches.  If the receiver takes nothing for some milliseconds, the kernel
 * gets it, and its buffers hold what they hold for any program that sends a megabyte to itself
 * before it reads.  But who has filled its window by sends that do not wait may go on when the
 * receiver has taken something, as on Windows, and not when the kernel has room (Wine's afd test,
 * run on Windows, looks for that).  Not for ever: a receiver may have found nothing before the
 * bytes came here, and take that for all there is; if it is of the same process it looks twice
 * (submit_mark of the DLL), if of another one nothing but time tells.
 *
 * Over the loopback Windows too has a way past its stack ("SIO_LOOPBACK_FAST_PATH ... to improve
 * performance of loopback", Microsoft's page of that control code).
 */
#include <string.h>

#include "comp.h"
#include "server.h"
#include "session.h"
#include "shortcut.h"
#include "socket.h"

#define PULLS_PER_TURN 2
#define PATIENCE       (5 * (uint64_t)RS_CLOCK_PER_MS)
#define FULL_PATIENCE  (2000 * (uint64_t)RS_CLOCK_PER_MS) /* for who has filled its window */

static void twin_is_slow(struct timer *timer);

void shortcut_init(struct socket *socket)
{
    memset(&socket->shortcut, 0, sizeof(socket->shortcut));
    list_init(&socket->shortcut.offered);
    timer_init(&socket->shortcut.patience, twin_is_slow);
}

/* ---- finding the other end ---- */

/* An IPv4 address is the same in an IPv6 socket's form. */
static bool same_place(union address a, union address b)
{
    address_unmap(&a);
    address_unmap(&b);
    return address_equal(&a, &b);
}

/* Without what needs the kernel in the middle. */
static bool is_plain(const struct socket *socket)
{
    return socket->type == RS_STREAM && socket->family != RS_AF_UNIX &&
           socket->state == SOCKET_CONNECTED && !socket->share && !socket->held_back &&
           !socket->disconnecting && !socket->urgent && !socket->urgent_held && !socket->marks;
}

void shortcut_offer(struct socket *socket, const struct rs_addr *local)
{
    struct server *server = socket->session->server;

    if (!server->shortcut || !is_plain(socket))
        return;
    address_to_host(local, &socket->shortcut.local);
    list_append(port_pairs_bucket(&server->offers, local->port, address_port(&socket->peer)),
                &socket->shortcut.offered);
    if (address_same_host(&socket->shortcut.local, &socket->peer))
        gather_meet(socket, &socket->peer);
}

static struct socket *find_offer(struct server *server, const union address *local,
                                 const union address *peer)
{
    struct link *head = port_pairs_bucket(&server->offers, address_port(peer), address_port(local));

    for (struct link *link = head->next; link != head; link = link->next) {
        struct socket *offer = container_of(link, struct socket, shortcut.offered);

        if (same_place(offer->shortcut.local, *peer) && same_place(offer->peer, *local))
            return offer;
    }
    return NULL;
}

void shortcut_match(struct socket *socket, const struct rs_addr *wire)
{
    struct server *server = socket->session->server;
    struct socket *offer;
    union address local;

    if (!server->shortcut || !is_plain(socket) || !address_port(&socket->peer))
        return;
    address_to_host(wire, &local);
    offer = find_offer(server, &local, &socket->peer);
    if (!offer)
        return;
    list_remove(&offer->shortcut.offered);
    if (!is_plain(offer))
        return;
    offer->shortcut.twin = socket;
    socket->shortcut.twin = offer;
}

static void match_those_of(const struct session *session)
{
    for (uint32_t i = 1; session->sockets && i < session->socket_end; i++) {
        struct socket *socket = session->sockets[i];
        struct rs_addr local;

        if (socket && is_plain(socket) && !socket->shortcut.twin &&
            list_empty(&socket->shortcut.offered) && address_of_socket(socket->watch.fd, &local))
            shortcut_match(socket, &local);
    }
}

void shortcut_match_all(struct server *server)
{
    struct link *all = &server->sessions;

    for (struct link *link = all->next; server->shortcut && link != all; link = link->next)
        match_those_of(container_of(link, struct session, link));
}

/* ---- data ---- */

static bool takes(const struct socket *twin)
{
    return is_plain(twin) && !twin->receive_done && !twin->pending_error;
}

/* As much as there is credit and room for; `full` is set if there was no room. */
static uint32_t hand_over(struct socket *sender, struct socket *twin, const uint8_t *payload,
                          uint32_t length, bool *full)
{
    struct rs_record header = {.type = RS_COMP_DATA, .socket = twin->index};
    uint32_t credit = socket_credit(twin);
    struct rs_record *record;

    length = length < credit ? length : credit;
    length = length < RS_MAX_PAYLOAD ? length : RS_MAX_PAYLOAD;
    if (!length)
        return 0;
    record = comp_reserve(twin->session, length);
    if (!record) {
        *full = true;
        return 0;
    }
    memcpy(record + 1, payload, length);
    header.length = length;
    twin->delivered += length;
    twin->shortcut.in += length;
    sender->shortcut.out += length;
    comp_publish(twin->session, record, &header, length);
    return length;
}

bool shortcut_is_open(const struct socket *socket)
{
    const struct socket *twin = socket->shortcut.twin;

    return twin && !socket->shortcut.ended &&
           socket->shortcut.kernel_out == twin->shortcut.kernel_in && is_plain(socket) &&
           takes(twin);
}

static void arm_patience(struct socket *socket, uint64_t patience)
{
    struct loop *loop = &socket->session->server->loop;

    socket->shortcut.out_before = socket->shortcut.out;
    socket->shortcut.patient = patience == FULL_PATIENCE;
    timer_arm(&loop->timers, &socket->shortcut.patience, loop->now + patience);
}

static void wait_for_twin(struct socket *socket)
{
    arm_patience(socket, PATIENCE);
}

static bool is_full(const struct socket *socket)
{
    const uint32_t *send_full = &socket->session->shared[socket->index].send_full;

    return __atomic_load_n(send_full, __ATOMIC_RELAXED) == 1;
}

static void twin_is_slow(struct timer *timer)
{
    struct socket *socket = container_of(timer, struct socket, shortcut.patience);

    if (!socket->shortcut.holds)
        return;
    if (socket->shortcut.out != socket->shortcut.out_before)
        wait_for_twin(socket);
    else if (is_full(socket) && !socket->shortcut.patient)
        arm_patience(socket, FULL_PATIENCE);
    else
        shortcut_flush(socket);
}

uint32_t shortcut_send(struct socket *socket, const uint8_t *payload, uint32_t length)
{
    struct socket *twin = socket->shortcut.twin;
    uint32_t count = 0, part;
    bool full = false;

    do {
        part = hand_over(socket, twin, payload + count, length - count, &full);
        count += part;
    } while (part && count < length);
    socket->shortcut.holds = count < length;
    if (socket->shortcut.holds)
        wait_for_twin(socket);
    if (full)
        socket_queue_work(twin);
    return count;
}

bool shortcut_waits(const struct socket *socket)
{
    return socket->shortcut.twin && socket->shortcut.twin->shortcut.holds;
}

enum work shortcut_pull(struct socket *socket)
{
    struct socket *twin = socket->shortcut.twin;
    bool full = false;

    if (!takes(socket)) {
        shortcut_flush(twin);
        return WORK_DONE;
    }
    for (int i = 0; i < PULLS_PER_TURN && !backlog_empty(&twin->backlog); i++) {
        const struct chunk *chunk = twin->backlog.first;
        uint32_t count = hand_over(twin, socket, chunk->bytes + chunk->offset,
                                   chunk->length - chunk->offset, &full);

        if (!count)
            return full ? WORK_BLOCKED : WORK_DONE; /* RS_SUB_RESUME takes it up again */
        socket_sent_from_backlog(twin, count);
        if (twin->shortcut.patient)
            wait_for_twin(twin);
    }
    twin->shortcut.holds = !backlog_empty(&twin->backlog);
    return twin->shortcut.holds ? WORK_MORE : WORK_DONE;
}

/* ---- the end of it ---- */

void shortcut_flush(struct socket *socket)
{
    if (!socket->shortcut.holds)
        return;
    socket->shortcut.holds = false;
    if (backlog_empty(&socket->backlog))
        return;
    socket_want_out(socket);
    socket_flush(socket);
}

void shortcut_leave(struct socket *socket)
{
    list_remove(&socket->shortcut.offered);
    socket->shortcut.ended = true;
    shortcut_flush(socket);
}

void shortcut_end(struct socket *socket)
{
    struct socket *twin = socket->shortcut.twin;

    list_remove(&socket->shortcut.offered);
    timer_disarm(&socket->shortcut.patience);
    if (!twin)
        return;
    socket->shortcut.twin = twin->shortcut.twin = NULL;
    shortcut_flush(socket);
    shortcut_flush(twin);
}

void shortcut_move(struct socket *target, struct socket *source)
{
    struct socket *twin = source->shortcut.twin;

    shortcut_end(target);
    list_remove(&source->shortcut.offered);
    timer_disarm(&source->shortcut.patience);
    target->shortcut = source->shortcut;
    list_init(&target->shortcut.offered);
    timer_init(&target->shortcut.patience, twin_is_slow);
    source->shortcut.twin = NULL;
    if (twin)
        twin->shortcut.twin = target;
}
