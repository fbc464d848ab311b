/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets that several processes hold (docs/protocol.md, "Shared sockets").
 *
 * Owns: struct share, its beginning and end, the requests.  Loop thread only, no locks.
 *
 * One session at a time holds a shared socket and reads ahead.  The `struct socket` with the
 * kernel's socket is the core; it carries the session and index of its holder, and when another
 * session's turn comes the two exchange identities (share_turn.c): every list, timer and watch
 * stays where it is.  Each other session has a stub, in state SOCKET_AWAY.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "comp.h"
#include "error.h"
#include "flow.h"
#include "log.h"
#include "server.h"
#include "share.h"
#include "submission.h"

static struct share *share_of(struct socket *socket)
{
    struct share *share = socket->share;

    if (share)
        return share;
    share = calloc(1, sizeof(*share));
    if (!share)
        return NULL;
    share->core = socket;
    list_init(&share->stubs);
    list_init(&share->asks);
    timer_init(&share->tenure, share_tenure_over);
    share->next_view = 1; /* 0: who made it */
    shortcut_end(socket);
    flow_forget(socket);
    socket->share = share;
    /* From here on its connections are not read before somebody has them. */
    for (struct link *link = socket->children.next; link != &socket->children; link = link->next)
        container_of(link, struct socket, sibling)->held_back = true;
    return share;
}

bool share_pauses(const struct socket *socket)
{
    return socket->held_back || (socket->share && socket->share->state != SHARE_HELD);
}

struct socket *share_core(struct socket *view)
{
    return view->state == SOCKET_AWAY ? view->share->core : view;
}

struct socket *share_view(struct socket *socket, uint32_t number)
{
    struct share *share = socket->share;

    for (struct link *link = share ? share->stubs.next : NULL; share && link != &share->stubs;
         link = link->next) {
        struct socket *stub = container_of(link, struct socket, stub_link);

        if (stub->view == number)
            return stub;
    }
    return NULL;
}

/* ---- requests ---- */

static struct socket *own_view(struct share *share, const struct session *session)
{
    if (share->core->session == session && !share->core->close_seen)
        return share->core;
    for (struct link *link = share->stubs.next; link != &share->stubs; link = link->next) {
        struct socket *stub = container_of(link, struct socket, stub_link);

        if (stub->session == session && !stub->close_seen)
            return stub;
    }
    return NULL;
}

static struct socket *find_core(const struct request *request)
{
    const struct rs_call *call = &request->call;
    uint64_t inode = call->arg0 | (uint64_t)call->arg1 << 32;
    struct socket *core = anchor_find(request->session->server, inode);

    if (!core || core->state == SOCKET_CLOSING || core->state == SOCKET_CLOSED ||
        core->anchor_gone || core->session->corrupt ||
        (call->arg2 && (request->length < RS_PROOF || !anchor_proves(core, request->payload))))
        return NULL;
    return core;
}

void request_attach(struct request *request)
{
    struct socket *core = find_core(request), *view = NULL;
    struct share *share = core && request->call.arg2 ? share_of(core) : NULL;
    struct rs_attached attached;
    struct rs_reply values;
    bool known;

    if (!core && gather_ask(request))
        return;
    if (!core || !request->call.arg2) {
        comp_reply(request->session, &request->call, core ? 0 : WSAENOTSOCK);
        return;
    }
    if (share)
        view = own_view(share, request->session);
    known = view != NULL;
    if (share && !view)
        view = socket_create_stub(request->session, core);
    if (!view) {
        comp_reply(request->session, &request->call, WSAENOBUFS);
        return;
    }
    if (!known) {
        anchor_adopt(core);
        view->share = share;
        view->view = share->next_view++;
        list_append(&share->stubs, &view->stub_link);
        log_debug("session %s: socket %u is one of session %s", request->session->name, view->index,
                  core->session->name);
    }
    values = (struct rs_reply){.value = view->index, .value2 = known};
    attached = (struct rs_attached){core->family, core->type};
    comp_reply_full(request->session, &request->call, &values, &attached, sizeof(attached));
    share_settle(share);
}

/* Replied when what was read ahead is here, or somebody else's anyway. */
void request_share(struct request *request)
{
    struct socket *view = request->socket;
    struct share *share = share_of(view);
    uint32_t error = share ? 0 : WSAENOBUFS;

    if (!error && view == share->core && share->state != SHARE_PARKED)
        error = ask_add(share, ASK_PARK, view, &request->call);
    else {
        comp_reply(request->session, &request->call, error);
        return;
    }
    if (error)
        comp_reply(request->session, &request->call, error);
    share_settle(share);
}

void request_use(struct request *request)
{
    struct share *share = request->socket->share;
    uint32_t error = 0;

    if (!share || (error = ask_add(share, ASK_USE, request->socket, &request->call)))
        comp_reply(request->session, &request->call, error);
    if (share)
        share_settle(share);
}

void request_want(struct request *request)
{
    struct share *share = request->socket->share;

    if (!share)
        return;
    ask_add(share, ASK_WANT, request->socket, NULL);
    share_settle(share);
}

void request_idle(struct request *request)
{
    struct share *share = request->socket->share;

    if (!share || request->socket != share->core || share->state != SHARE_HELD)
        return;
    share->wanted_told = false;
    if (!list_empty(&share->asks))
        share_ask_back(share);
}

void request_return(struct request *request)
{
    if (request->socket->listener && request->socket->held_back)
        request->socket->returned = true;
}

void request_yield(struct request *request)
{
    struct share *share = request->socket->share;

    if (!share || request->socket != share->core || share->state != SHARE_ASKED)
        return;
    share->state_size = request->length < RS_STATE_MAX ? request->length : RS_STATE_MAX;
    memcpy(share->state_bytes, request->payload, share->state_size);
    share->state = SHARE_PARKED;
    share_settle(share);
}

/* ---- ends ---- */

static void share_end(struct share *share)
{
    struct socket *core = share->core;

    while (!list_empty(&share->stubs))
        socket_finish(container_of(share->stubs.next, struct socket, stub_link), false);
    asks_end(share, NULL, WSAENOTSOCK);
    timer_disarm(&share->tenure);
    core->share = NULL;
    loop_free_later(&core->session->server->loop, &share->grave, share);
}

void share_leave(struct socket *socket)
{
    struct share *share = socket->share;

    if (socket == share->core) {
        share_end(share);
        return;
    }
    asks_end(share, socket, WSAENOTSOCK);
    list_remove(&socket->stub_link);
    socket->share = NULL;
    if (share->core->sender == socket)
        share->core->sender = NULL;
}

void share_closed(struct socket *socket)
{
    struct share *share = socket->state == SOCKET_AWAY ? socket->share : share_of(socket);

    if (socket->state == SOCKET_AWAY) {
        if (share->core->close_seen)
            share->core->close_flags |= socket->close_flags;
        socket_finish(socket, false);
    } else if (share)
        share_settle(share);
}

/* The peer must see that something is missing. */
static void lose_connection(struct socket *core)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (core->state != SOCKET_CONNECTED)
        return;
    log_warn("session %s (%s): has ended with data that others were to get: a connection is reset",
             core->session->name, core->session->program);
    connect(core->watch.fd, &nobody, sizeof(nobody));
    core->pending_error = WSAECONNRESET;
    core->receive_done = true;
    core->readable = false;
    core->state = SOCKET_FAILED;
}

/* What the process had been given and neither taken nor handed back is gone with it. */
static void holder_died(struct socket *core)
{
    struct share *share = share_of(core);

    if (!share || share->state == SHARE_PARKED)
        return;
    if (core->type == RS_STREAM && socket_outstanding(core) > core->unread_cost)
        lose_connection(core);
    for (struct link *link = core->children.next; link != &core->children; link = link->next) {
        struct socket *child = container_of(link, struct socket, sibling);

        child->returned = socket_outstanding(child) <= child->unread_cost;
    }
    disconnect_end(core, WSA_OPERATION_ABORTED);
    share->state = SHARE_PARKED;
}

void share_died(struct session *session)
{
    for (uint32_t i = 1; i < session->socket_end; i++) {
        struct socket *socket = session->sockets[i];

        if (!socket || socket->state == SOCKET_CLOSED || socket->state == SOCKET_CLOSING)
            continue;
        if (socket->state == SOCKET_AWAY)
            socket_finish(socket, false);
        else if (socket->share || (socket->anchored && !anchor_is_gone(socket))) {
            holder_died(socket);
            if (socket->share)
                share_settle(socket->share);
        }
    }
}

bool share_move_away(struct socket *socket)
{
    struct share *share = socket->share;

    if (!share || socket != share->core || list_empty(&share->stubs))
        return false;
    holder_died(socket);
    share_settle(share);
    return true;
}
