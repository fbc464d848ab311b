/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets that several processes hold, by turns (docs/protocol.md, "Shared sockets").
 *
 * Owns the socket's `duplicated`, `away`, `wanted` and `yield_due`.  One process at a time has the
 * socket and what was read ahead.  Here it is `away` while another one has it: what is posted stays
 * posted, and each call of the program's gets the socket back first.
 */
#include "share.h"
#include "connect.h"
#include "log.h"
#include "request.h"
#include "socket_life.h"

/* ---- the state that travels ---- */

/* From here to the end of struct socket's `kept_end` lie the options: no pointers, and of the same
 * size in both widths. */
#define KEPT_BEGIN offsetof(struct socket, receive_timeout)
#define KEPT_SIZE  (offsetof(struct socket, kept_end) - KEPT_BEGIN)

struct travelling_state {
    uint32_t size; /* of all this: another version's is not understood */
    uint32_t creation_flags, send_window, so_error, connect_error;
    int32_t protocol;
    uint8_t nonblocking, shut_send, shut_recv, connect_failed, connectex, acceptex;
    uint8_t options[KEPT_SIZE];
};
_Static_assert(sizeof(struct travelling_state) <= RS_STATE_MAX, "fits into the record");

static void pack_state(const struct socket *socket, struct travelling_state *state)
{
    *state = (struct travelling_state){.size = sizeof(*state),
                                       .creation_flags = socket->creation_flags,
                                       .send_window = socket->send_window,
                                       .so_error = socket->so_error,
                                       .connect_error = socket->connect_error,
                                       .protocol = socket->protocol,
                                       .nonblocking = socket->nonblocking,
                                       .shut_send = socket->shut_send,
                                       .shut_recv = socket->shut_recv,
                                       .connect_failed = socket->connect_failed,
                                       .connectex = socket->connectex,
                                       .acceptex = socket->acceptex};
    memcpy(state->options, (const char *)socket + KEPT_BEGIN, KEPT_SIZE);
}

static void unpack_state(struct socket *socket, const void *bytes, uint32_t size)
{
    struct travelling_state state;

    if (size != sizeof(state))
        return; /* the process before has ended without a word, or is of another version */
    memcpy(&state, bytes, sizeof(state));
    if (state.size != sizeof(state))
        return;
    socket->creation_flags = state.creation_flags;
    socket->send_window = state.send_window;
    socket->so_error = state.so_error;
    socket->connect_error = state.connect_error;
    socket->protocol = state.protocol;
    socket->nonblocking = state.nonblocking || socket_is_selected(socket);
    socket->shut_send = state.shut_send;
    socket->shut_recv = state.shut_recv;
    socket->connect_failed = state.connect_failed;
    socket->connectex = state.connectex;
    socket->acceptex = state.acceptex;
    memcpy((char *)socket + KEPT_BEGIN, state.options, KEPT_SIZE);
}

/* ---- handing back ---- */

/* The address and the control data are a datagram's; with a stream's bytes they are empty. */
struct unread_head {
    struct rs_addr source;
    struct rs_control control;
};
_Static_assert(sizeof(struct unread_head) == sizeof(struct rs_addr) + sizeof(struct rs_control),
               "as they travel");

static void submit_unread(struct socket *socket, uint16_t flags, const struct unread_head *head,
                          const uint8_t *data, uint32_t length)
{
    uint32_t size = sizeof(struct rs_record) + sizeof(*head) + length;
    struct rs_record *record =
        submit_begin(socket->session, RS_SUB_UNREAD, flags | RS_SEND_CONTROL, socket->index, size);

    if (!record)
        return;
    memcpy(record + 1, head, sizeof(*head));
    memcpy((uint8_t *)(record + 1) + sizeof(*head), data, length);
    submit_end(socket->session, record, size, length);
}

static void hand_back_segment(struct socket *socket, const struct segment *segment)
{
    bool stream = socket->type == SOCK_STREAM;
    uint16_t flags = stream ? 0 : RS_UNREAD_DATAGRAM;
    struct unread_head head = {segment->source, segment->control};

    if (segment->error)
        return; /* what happened to a datagram of ours is not news for others */
    if (stream && segment->mark && !segment->offset)
        flags |= RS_DATA_MARK;
    submit_unread(socket, flags, &head, segment->data + segment->offset,
                  segment->length - segment->offset);
}

static void hand_back_urgent(struct socket *socket)
{
    static const struct unread_head nothing;
    struct segment *segment = socket->urgent;

    socket->urgent = NULL;
    for (uint32_t i = segment ? segment->offset : 0; segment && i < segment->length; i++)
        submit_unread(socket, RS_DATA_OOB, &nothing, segment->data + i, 1);
    if (segment)
        segment_free(segment);
}

static void hand_back_data(struct socket *socket)
{
    struct segment *segment;

    hand_back_urgent(socket);
    while ((segment = socket->arrived)) {
        socket->arrived = segment->next;
        hand_back_segment(socket, segment);
        segment_free(segment);
    }
    socket->arrived_last = NULL;
    socket->arrived_bytes = socket->arrived_datagrams = socket->arrived_errors = 0;
    /* told again to whoever has the socket */
    socket->end_of_stream = false;
    if (socket->type == SOCK_STREAM && socket->state != SOCKET_DEAD)
        socket->error = 0;
}

static void hand_back_connections(struct socket *listener)
{
    struct incoming *incoming;

    while ((incoming = listener->incoming)) {
        struct socket *connection = incoming->socket;

        listener->incoming = incoming->next;
        free(incoming);
        AcquireSRWLockExclusive(&connection->lock);
        connection->closing = true;
        hand_back_data(connection);
        submit_simple(connection->session, RS_SUB_RETURN, 0, connection->index);
        ReleaseSRWLockExclusive(&connection->lock);
        socket_put(connection);
    }
    listener->incoming_last = NULL;
}

void share_yield(struct socket *socket)
{
    struct travelling_state state;
    uint32_t size = sizeof(struct rs_record) + sizeof(state);
    struct rs_record *record;

    if (socket->away)
        return;
    hand_back_data(socket);
    hand_back_connections(socket);
    pack_state(socket, &state);
    socket->duplicated = socket->away = true;
    socket->wanted = socket->yield_due = false;
    if (!(record = submit_begin(socket->session, RS_SUB_YIELD, 0, socket->index, size)))
        return;
    memcpy(record + 1, &state, sizeof(state));
    submit_end(socket->session, record, size, sizeof(state));
}

/* ---- getting ---- */

static void now_connected(struct socket *socket, const struct rs_given *given,
                          struct operation_queue *finished)
{
    struct rs_connected connected = {
        .taken = given->taken, .local = given->local, .peer = given->peer};

    if (socket->connecting.head) /* it was decided while somebody else had the socket */
        connect_finished(socket, &connected, finished);
    socket->state = SOCKET_CONNECTED;
    socket->peer = given->peer;
    socket->connect_failed = false;
}

long share_given(struct socket *socket, const struct rs_given *given, const void *state,
                 uint32_t size, struct operation_queue *finished)
{
    socket->duplicated = true;
    socket->away = socket->wanted = socket->yield_due = false;
    if (socket->closing || socket->state == SOCKET_DEAD)
        return 0;
    unpack_state(socket, state, size);
    socket->bound = given->local.port || given->state != RS_STATE_OPEN;
    if (socket->bound)
        socket->local = given->local;
    if (given->sent_shut)
        socket->shut_send = true;
    switch (given->state) {
    case RS_STATE_CONNECTED:
        now_connected(socket, given, finished);
        return FD_WRITE;
    case RS_STATE_CONNECTING:
        socket->state = SOCKET_CONNECTING;
        return 0;
    case RS_STATE_LISTENING:
        socket->state = SOCKET_LISTENING;
        return 0;
    default:
        socket->state = SOCKET_OPEN;
        return socket->bound ? FD_WRITE : 0;
    }
}

/* ---- asking ---- */

static bool somebody_waits(const struct socket *socket)
{
    return socket->receiving.head || socket->receiving_urgent.head || socket->connecting.head ||
           socket->accepting.head || socket->pollers || socket_is_selected(socket);
}

void share_waits_changed(struct socket *socket)
{
    bool waits = somebody_waits(socket);

    if (socket->away && waits && !socket->wanted) {
        socket->wanted = true;
        submit_simple(socket->session, RS_SUB_WANT, 0, socket->index);
    } else if (!socket->away && socket->yield_due && !waits) {
        socket->yield_due = false;
        submit_simple(socket->session, RS_SUB_IDLE, 0, socket->index);
    }
}

static DWORD ask(struct socket *socket, uint16_t type)
{
    struct request request = {.session = socket->session, .type = type, .socket = socket->index};
    DWORD error = request_call(&request);

    /* the server has no such socket any more: the process that had it was torn down with it */
    if (error == WSAENOTSOCK)
        return socket->type == SOCK_STREAM ? WSAECONNRESET : WSAENETDOWN;
    return error;
}

DWORD share_use(struct socket *socket)
{
    DWORD error = 0;

    while (socket->away && !socket->closing && socket->state != SOCKET_DEAD && !error)
        error = ask(socket, RS_SUB_USE);
    return error;
}

DWORD share_park(struct socket *socket)
{
    return ask(socket, RS_SUB_SHARE);
}
