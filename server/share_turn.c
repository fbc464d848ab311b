/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose turn it is with a shared socket, and what passes with it (share.h).
 *
 * Owns: share.state, the exchange of identities, the move of a listener's connections.  Loop thread
 * only, no locks.
 *
 * Who uses the socket gets it at once, who only waits for something gets it when nobody waits where
 * it is.  Whoever got it keeps it for a moment, so that two who use it both come to their call.
 */
#include "clock.h"
#include "comp.h"
#include "error.h"
#include "log.h"
#include "server.h"
#include "share.h"

#define TENURE         ((uint64_t)RS_CLOCK_PER_MS)
#define YIELD_PATIENCE (10 * CLOCK_PER_SECOND)

/* ---- giving ---- */

static void swap_numbers(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;

    *a = *b;
    *b = kept;
}

/* The core becomes the view of the stub's session, and the stub that of the core's. */
static void exchange(struct socket *core, struct socket *stub)
{
    struct session *before = core->session;
    bool seen = core->close_seen;
    uint16_t flags = core->close_flags;

    disconnect_end(core, WSA_OPERATION_ABORTED); /* does not outlast a turn */
    session_backlog(before, -(int64_t)core->backlog.bytes);
    core->session = stub->session;
    stub->session = before;
    session_backlog(core->session, (int64_t)core->backlog.bytes);
    swap_numbers(&core->index, &stub->index);
    swap_numbers(&core->sent, &stub->sent);
    swap_numbers(&core->view, &stub->view);
    core->close_seen = stub->close_seen;
    core->close_flags = stub->close_flags;
    stub->close_seen = seen;
    stub->close_flags = flags;
    core->session->sockets[core->index] = core;
    stub->session->sockets[stub->index] = stub;
    core->sender = NULL;
}

static bool is_over(const struct socket *view)
{
    return view->close_seen || view->session->state == SESSION_DEAD || view->session->corrupt;
}

static void count_anew(struct socket *core)
{
    struct rs_socket_shared *shared = &core->session->shared[core->index];

    core->delivered = __atomic_load_n(&shared->consumed, __ATOMIC_SEQ_CST);
    core->oob_delivered = 0;
    core->stalled = false;
    __atomic_store_n(&shared->recv_stalled, 0, __ATOMIC_SEQ_CST);
}

static void post_given(struct socket *core)
{
    struct share *share = core->share;
    struct rs_record header = {
        .type = RS_COMP_GIVEN, .socket = core->index, .length = share->state_size};
    struct rs_given given = {.sent_shut = core->send_shut, .taken = core->syn_bytes};

    address_of_socket(core->watch.fd, &given.local);
    if (core->state == SOCKET_LISTENING)
        given.state = RS_STATE_LISTENING;
    else if (core->state == SOCKET_CONNECTING)
        given.state = RS_STATE_CONNECTING;
    else if (core->state != SOCKET_OPEN) {
        given.state = RS_STATE_CONNECTED;
        address_to_wire(&core->peer, &given.peer);
    }
    comp_post_data(core->session, &header, &given, sizeof(given), share->state_bytes);
}

/* A connection that the holder before has not taken becomes one of the new holder's. */
static void move_connection(struct socket *listener, struct socket *child)
{
    struct rs_accepted accepted = {0};
    struct socket *moved;
    int error;

    listener_release(child);
    moved = socket_create(listener->session, child->family, RS_STREAM, -1, &error);
    if (!moved) {
        socket_limit_met(listener->session, -error);
        socket_finish(child, true);
        return;
    }
    accepted.socket = moved->index;
    accepted.anchor = anchor_number(moved);
    address_of_socket(child->watch.fd, &accepted.local);
    address_to_wire(&child->peer, &accepted.peer);
    moved->listener = listener;
    moved->held_back = true;
    list_append(&listener->children, &moved->sibling);
    listener->child_count++;
    list_take(&moved->unread, &child->unread);
    swap_numbers(&moved->unread_bytes, &child->unread_bytes);
    swap_numbers(&moved->unread_cost, &child->unread_cost);
    socket_move(moved, child);
    comp_post(listener->session, RS_COMP_ACCEPTED, listener->index, &accepted, sizeof(accepted));
    share_replay(moved);
}

static void move_connections(struct socket *listener)
{
    for (struct link *link = listener->children.next, *next; link != &listener->children;
         link = next) {
        struct socket *child = container_of(link, struct socket, sibling);

        next = link->next;
        if (child->returned)
            move_connection(listener, child);
    }
}

static void give(struct share *share, struct socket *view)
{
    struct socket *core = share->core, *left = NULL;

    if (view != core) {
        exchange(core, view);
        left = view; /* now the view of who had it */
    }
    share->state = SHARE_HELD;
    share->wanted_told = share->turn_over = false;
    share->tenure_end = core->session->server->loop.now + TENURE;
    count_anew(core);
    post_given(core);
    if (core->state == SOCKET_LISTENING)
        move_connections(core);
    share_replay(core);
    asks_end(share, core, 0);
    if (core->readable || core->icmp_waits)
        socket_queue_work(core);
    if (left && is_over(left))
        socket_finish(left, false);
}

/* A view that lives in the place of one that has ended; nobody holds the socket.  What its process
 * has not consumed is then what was handed back, and nothing else. */
static void let_other_park(struct share *share)
{
    struct socket *core = share->core, *stub;

    if (!is_over(core) || list_empty(&share->stubs))
        return;
    stub = container_of(share->stubs.next, struct socket, stub_link);
    exchange(core, stub);
    count_anew(core);
    core->delivered += core->unread_cost;
    socket_finish(stub, false);
}

/* ---- whose turn it is ---- */

static void ask_holder(struct share *share, enum rs_comp type)
{
    struct socket *core = share->core;

    comp_post(core->session, type, core->index, NULL, 0);
    wake_word(core->session, RS_WAKE_PUMP); /* nobody may be waiting there */
}

void share_ask_back(struct share *share)
{
    struct loop *loop = &share->core->session->server->loop;

    share->state = SHARE_ASKED;
    timer_arm(&loop->timers, &share->tenure, loop->now + YIELD_PATIENCE);
    ask_holder(share, RS_COMP_YIELD);
}

/* A process that is stopped holds up nobody for ever: what uses the socket fails. */
static void give_up_asking(struct share *share)
{
    struct ask *ask;

    log_rarely("session %s (%s): does not hand back a shared socket", share->core->session->name,
               share->core->session->program);
    while ((ask = ask_first(share, ASK_USE)) || (ask = ask_first(share, ASK_PARK)))
        ask_end(share, ask, WSAENETDOWN);
}

static bool is_urgent(struct share *share)
{
    return ask_first(share, ASK_USE) || ask_first(share, ASK_PARK) || is_over(share->core) ||
           share->turn_over;
}

static void settle_held(struct share *share)
{
    struct loop *loop = &share->core->session->server->loop;

    asks_end(share, share->core, 0); /* who has it need not ask */
    if (list_empty(&share->asks) && !is_over(share->core))
        return;
    if (loop->now < share->tenure_end && !ask_first(share, ASK_PARK) && !is_over(share->core))
        timer_arm(&loop->timers, &share->tenure, share->tenure_end);
    else if (is_urgent(share))
        share_ask_back(share);
    else if (!share->wanted_told) {
        share->wanted_told = true;
        ask_holder(share, RS_COMP_WANTED);
    }
}

static void settle_parked(struct share *share)
{
    struct ask *ask;

    while ((ask = ask_first(share, ASK_PARK)))
        ask_end(share, ask, 0);
    let_other_park(share);
    ask = ask_first(share, ASK_USE);
    if (!ask)
        ask = ask_first(share, ASK_WANT);
    if (!ask)
        return;
    give(share, socket_at(ask->session, ask->index));
    share_settle(share); /* there may be more who ask */
}

void share_settle(struct share *share)
{
    if (share->core->state == SOCKET_CLOSING || share->core->state == SOCKET_CLOSED ||
        share->core->anchor_gone)
        return;
    if (share->state == SHARE_HELD)
        settle_held(share);
    else if (share->state == SHARE_PARKED)
        settle_parked(share);
}

bool share_turn_over(struct socket *listener)
{
    struct share *share = listener->share;

    if (!share || list_empty(&share->asks))
        return false;
    share->turn_over = true;
    share->tenure_end = 0;
    share_settle(share);
    return share_pauses(listener);
}

void share_tenure_over(struct timer *timer)
{
    struct share *share = container_of(timer, struct share, tenure);

    if (share->state == SHARE_ASKED)
        give_up_asking(share);
    else
        share_settle(share);
}
