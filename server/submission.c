/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes records out of a session's submission ring, checks each, and hands it to who does it.
 *
 * Owns: the ring's consumer side, and every check of a record's shape.  Loop thread only, no locks.
 *
 * A record whose shape is wrong breaks the session: no DLL of ours writes one.  A record for an
 * index that is no socket (any more) is none of that; a call for it is answered WSAENOTSOCK.
 */
#include <string.h>

#include "comp.h"
#include "error.h"
#include "log.h"
#include "session.h"
#include "socket.h"
#include "submission.h"

static void do_anchored(struct request *request)
{
    stock_taken(request->socket);
    anchor_adopt(request->socket);
}

static void do_bind(struct request *request)
{
    struct rs_addr local;
    uint32_t error = socket_bind(request->socket, &request->address);

    if (error) {
        comp_reply(request->session, &request->call, error);
        return;
    }
    address_of_socket(request->socket->watch.fd, &local);
    comp_reply_data(request->session, &request->call, 0, &local, sizeof(local));
}

static void do_listen(struct request *request)
{
    struct socket *socket = request->socket;
    uint32_t error;

    if (socket->type != RS_STREAM)
        error = WSAEOPNOTSUPP;
    else if (socket->state == SOCKET_LISTENING || (socket->state == SOCKET_OPEN && socket->bound))
        error = error_from_errno(-listener_start(socket, request->call.arg0));
    else
        error = socket->state == SOCKET_CONNECTED ? WSAEISCONN : WSAEINVAL;
    comp_reply(request->session, &request->call, error);
    if (!error)
        socket_queue_work(socket);
}

static void do_connect(struct request *request)
{
    socket_connect(request->socket, &request->address, request->payload, request->length);
}

static void do_send(struct request *request)
{
    socket_send(request->socket, request->payload, request->length,
                (request->header.flags & RS_SEND_OOB) != 0);
}

static void do_sendto(struct request *request)
{
    struct socket *socket = request->socket;
    bool call = (request->header.flags & RS_SEND_REPLY) != 0;
    bool control = (request->header.flags & RS_SEND_CONTROL) != 0;
    uint32_t error = WSAEOPNOTSUPP;
    struct rs_addr local;

    if (socket->type != RS_STREAM && socket->state != SOCKET_CLOSING)
        error = socket_send_to(socket, &request->address, control ? &request->control : NULL,
                               request->payload, request->length);
    if (!call) {
        if (error && socket->type != RS_STREAM)
            socket_not_sent(socket, error, request->length);
        return;
    }
    socket->send_error_told = false;
    if (error) {
        comp_reply(request->session, &request->call, error);
        return;
    }
    datagram_arrive(socket->session->server, &request->address);
    address_of_socket(socket->watch.fd, &local);
    comp_reply_data(request->session, &request->call, 0, &local, sizeof(local));
}

static void do_shutdown(struct request *request)
{
    comp_reply(request->session, &request->call,
               socket_shutdown(request->socket, request->call.arg0));
}

static void do_close(struct request *request)
{
    socket_close_request(request->socket, request->header.flags,
                         request->header.flags & RS_CLOSE_REPLY ? &request->call : NULL);
}

static void do_forget(struct request *request)
{
    if (request->socket->state == SOCKET_CLOSED)
        socket_forget(request->socket);
}

static void do_resume(struct request *request)
{
    if (request->socket->readable || shortcut_waits(request->socket))
        socket_queue_work(request->socket);
}

static void do_hello(struct request *request)
{
    struct rs_hello hello;

    memcpy(&hello, request->payload, sizeof(hello));
    session_hello(request->session, &hello);
}

enum {
    CALL = 1,         /* a struct rs_call comes first */
    CALL_FLAGGED = 2, /* one comes if flag RS_SEND_REPLY (= RS_CLOSE_REPLY) says so */
    ADDRESS = 4,      /* a struct rs_addr comes then */
    SOCKET = 8,       /* the header names a socket */
    CLOSED_TOO = 16,  /* which may be closed already */
    VIEW = 32,        /* means this session's view of it, also where another one holds it */
};
_Static_assert(RS_SEND_REPLY == RS_CLOSE_REPLY, "one bit for both");

static const struct {
    void (*act)(struct request *request);
    uint32_t shape;
    uint32_t minimum; /* bytes behind those */
} types[RS_SUB_MAX] = {
    [RS_SUB_HELLO] = {do_hello, 0, sizeof(struct rs_hello)},
    [RS_SUB_SLOT] = {request_slot, CALL, 0},
    [RS_SUB_SOCKET] = {request_socket, CALL, 0},
    [RS_SUB_ANCHORED] = {do_anchored, SOCKET | VIEW, 0},
    [RS_SUB_BIND] = {do_bind, CALL | ADDRESS | SOCKET, 0},
    [RS_SUB_LISTEN] = {do_listen, CALL | SOCKET, 0},
    [RS_SUB_CONNECT] = {do_connect, ADDRESS | SOCKET, 0},
    [RS_SUB_SEND] = {do_send, SOCKET, 0},
    [RS_SUB_SENDTO] = {do_sendto, CALL_FLAGGED | ADDRESS | SOCKET, 0},
    [RS_SUB_SHUTDOWN] = {do_shutdown, CALL | SOCKET, 0},
    [RS_SUB_CLOSE] = {do_close, CALL_FLAGGED | SOCKET | CLOSED_TOO | VIEW, 0},
    [RS_SUB_FORGET] = {do_forget, SOCKET | CLOSED_TOO | VIEW, 0},
    [RS_SUB_RESUME] = {do_resume, SOCKET | VIEW, 0},
    [RS_SUB_GETOPT] = {request_getopt, CALL | SOCKET, 0},
    [RS_SUB_SETOPT] = {request_setopt, CALL | SOCKET, sizeof(uint32_t)},
    [RS_SUB_GETNAME] = {request_getname, CALL | SOCKET, 0},
    [RS_SUB_RESOLVE] = {request_resolve, CALL, sizeof(struct rs_resolve)},
    [RS_SUB_REVERSE] = {request_reverse, CALL | ADDRESS, 0},
    [RS_SUB_HOSTNAME] = {request_hostname, CALL, 0},
    [RS_SUB_DISCONNECT] = {disconnect_request, SOCKET, 0},
    [RS_SUB_INTERFACES] = {request_interfaces, CALL, 0},
    [RS_SUB_UNIX_PATH] = {unix_path_request, CALL | SOCKET, 1},
    [RS_SUB_PORTS] = {ports_request, CALL | SOCKET, 0},
    [RS_SUB_ADOPT] = {request_adopt, SOCKET | VIEW, sizeof(struct rs_adopt)},
    [RS_SUB_ATTACH] = {request_attach, CALL, 0},
    [RS_SUB_SHARE] = {request_share, CALL | SOCKET | VIEW, 0},
    [RS_SUB_USE] = {request_use, CALL | SOCKET | VIEW, 0},
    [RS_SUB_WANT] = {request_want, SOCKET | VIEW, 0},
    [RS_SUB_IDLE] = {request_idle, SOCKET | VIEW, 0},
    [RS_SUB_UNREAD] = {request_unread, ADDRESS | SOCKET | VIEW, 0},
    [RS_SUB_RETURN] = {request_return, SOCKET | VIEW, 0},
    [RS_SUB_YIELD] = {request_yield, SOCKET | VIEW, 0},
    [RS_SUB_LOOK] = {request_look, CALL | SOCKET | VIEW, 0},
};

/* Copies `size` bytes off the front of what is left of the record. */
static bool take(const uint8_t **body, uint32_t *left, void *to, uint32_t size)
{
    if (*left < size)
        return false;
    memcpy(to, *body, size);
    *body += size;
    *left -= size;
    return true;
}

/* Behind its address. */
static bool has_payload(const struct rs_record *header)
{
    return header->type == RS_SUB_SENDTO || header->type == RS_SUB_UNREAD ||
           (header->type == RS_SUB_CONNECT && header->flags & RS_CONNECT_DATA);
}

/* Takes the record apart; NULL if its shape is right, else what is wrong. */
static const char *parse(struct request *request, const uint8_t *body)
{
    const struct rs_record *header = &request->header;
    uint32_t left = header->size - (uint32_t)sizeof(*header), shape;
    bool call;

    if (header->type >= RS_SUB_MAX || !types[header->type].act)
        return "a record of no known type";
    shape = types[header->type].shape;
    call = shape & CALL || (shape & CALL_FLAGGED && header->flags & RS_SEND_REPLY);
    if (call && !take(&body, &left, &request->call, sizeof(request->call)))
        return "a record too short for a call";
    if (shape & ADDRESS && !take(&body, &left, &request->address, sizeof(request->address)))
        return "a record too short for an address";
    if ((header->type == RS_SUB_SENDTO || header->type == RS_SUB_UNREAD) &&
        header->flags & RS_SEND_CONTROL &&
        !take(&body, &left, &request->control, sizeof(request->control)))
        return "a record too short for its control data";
    if (shape & SOCKET && (!header->socket || header->socket >= RS_MAX_SOCKETS))
        return "a record of no possible socket";
    /* An address alone may be counted as payload or not (abi.h calls it both). */
    if (shape & ADDRESS && !has_payload(header))
        return NULL;
    if (left < types[header->type].minimum)
        return "a record too short for its type";
    if (header->type == RS_SUB_HELLO)
        left = sizeof(struct rs_hello);
    else if (header->length > left || header->length > RS_MAX_PAYLOAD)
        return "a payload longer than its record";
    else
        left = header->length;
    if (left < types[header->type].minimum)
        return "a payload too short for its type";
    request->payload = body;
    request->length = left;
    return NULL;
}

/* What another session holds is acted upon all the same; what it sends counts for this one. */
static void act(struct request *request, uint32_t shape)
{
    struct socket *view = request->socket;

    if (view && !(shape & VIEW))
        request->socket = share_core(view);
    if (request->socket == view) {
        types[request->header.type].act(request);
        return;
    }
    request->socket->sender = view;
    types[request->header.type].act(request);
    request->socket->sender = NULL;
}

static void dispatch(struct request *request)
{
    uint32_t shape = types[request->header.type].shape;

    if (request->session->state != SESSION_LIVE && request->header.type != RS_SUB_HELLO) {
        session_corrupt(request->session, "did not say hello first");
        return;
    }
    if (shape & SOCKET) {
        request->socket = socket_at(request->session, request->header.socket);
        if (request->socket && request->socket->state == SOCKET_CLOSED && !(shape & CLOSED_TOO))
            request->socket = NULL;
        if (!request->socket) {
            if (shape & CALL || (shape & CALL_FLAGGED && request->header.flags & RS_SEND_REPLY))
                comp_reply(request->session, &request->call, WSAENOTSOCK);
            return;
        }
    }
    act(request, shape);
}

/* Room given back for each so many bytes, so that a process that fills the ring is not held up
 * until the end of a long turn. */
#define GIVE_BACK (128u << 10)
/* A turn's share: what is sent by then is received while the caches still have it. */
#define SHARE     (128u << 10)

void submission_drain(struct session *session, bool everything)
{
    struct rs_ring_end *ring = &session->sub;
    uint32_t end = __atomic_load_n(&ring->shared->tail, __ATOMIC_SEQ_CST);
    uint32_t begin = ring->position, given = begin;

    if (end == ring->position)
        return;
    /* `end` may be passed (by a process that publishes records across it), hence the comparison;
     * one that was never possible is found by peeking. */
    do {
        struct request request = {.session = session};
        const uint8_t *body;
        const char *wrong;
        enum rs_peek peek = rs_ring_peek(ring, &request.header, &body);

        if (peek == RS_PEEK_EMPTY)
            break;
        wrong =
            peek == RS_PEEK_CORRUPT ? "its submission ring makes no sense" : parse(&request, body);
        if (wrong) {
            session_corrupt(session, wrong);
            return;
        }
        log_trace("session %s: record %u, socket %u, %u bytes", session->name, request.header.type,
                  request.header.socket, request.header.length);
        dispatch(&request);
        rs_ring_skip(ring, &request.header);
        if (ring->position - given >= GIVE_BACK) {
            given = ring->position;
            rs_ring_consume_end(ring);
        }
        if (!everything && ring->position - begin >= SHARE)
            break;
    } while (!session->corrupt && !session->placing && end - ring->position - 1 < ring->size);
    rs_ring_consume_end(ring);
}
