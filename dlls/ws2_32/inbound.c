/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records from the server (see inbound.h).  Takes one socket lock at a time under the reap lock (a
 * listener's before an accepted connection's), delivers after it has let go of it.
 */
#include "inbound.h"
#include "afd.h"
#include "accept.h"
#include "cancel.h"
#include "connect.h"
#include "disconnect.h"
#include "error_queue.h"
#include "handle_table.h"
#include "log.h"
#include "pending_call.h"
#include "receive.h"
#include "send.h"
#include "share.h"
#include "socket_life.h"
#include "stock.h"
#include "urgent.h"

struct arrival {
    struct session *session;
    const struct rs_record *header;
    const uint8_t *body; /* header->size - sizeof(*header) bytes */
    struct socket *socket;
    struct operation_queue finished;
    long edges;
};

/* The fixed part of a record, or NULL where it is too short to have one. */
static const void *fixed_part(const struct arrival *arrival, size_t size, uint32_t *payload)
{
    uint32_t body = arrival->header->size - sizeof(*arrival->header);

    if (body < size || arrival->header->length > body - size)
        return NULL;
    *payload = arrival->header->length;
    return arrival->body;
}

static void on_data(struct arrival *arrival)
{
    struct socket *socket = arrival->socket;
    uint16_t flags = arrival->header->flags;
    uint32_t length;
    const uint8_t *data = fixed_part(arrival, 0, &length);

    if (!data || !length)
        return;
    if (flags & RS_DATA_OOB) {
        urgent_arrived(socket, data[0], &arrival->finished);
        arrival->edges = FD_OOB;
        return;
    }
    receive_stream(socket, data, length, flags & RS_DATA_MARK, &arrival->finished);
    arrival->edges = FD_READ;
}

static void on_datagram(struct arrival *arrival)
{
    bool with_control = arrival->header->flags & RS_DATAGRAM_CONTROL;
    uint32_t length,
        fixed = sizeof(struct rs_addr) + (with_control ? sizeof(struct rs_control) : 0);
    const uint8_t *body = fixed_part(arrival, fixed, &length);
    struct rs_control control;
    struct rs_addr source;

    if (!body)
        return;
    memcpy(&source, body, sizeof(source));
    if (with_control)
        memcpy(&control, body + sizeof(source), sizeof(control));
    receive_datagram(arrival->socket, &source, with_control ? &control : NULL, body + fixed, length,
                     &arrival->finished);
    arrival->edges = FD_READ;
}

static void on_icmp(struct arrival *arrival)
{
    struct rs_icmp_message icmp;
    uint32_t length;
    const uint8_t *body = fixed_part(arrival, sizeof(icmp), &length);

    if (!body)
        return;
    memcpy(&icmp, body, sizeof(icmp));
    error_queue_arrived(arrival->socket, &icmp, body + sizeof(icmp), length);
}

static void on_eof(struct arrival *arrival)
{
    if (arrival->socket->away)
        return; /* told again when it is our turn */
    arrival->socket->end_of_stream = true;
    arrival->socket->sent_at_end =
        __atomic_load_n(&arrival->socket->shared->sent, __ATOMIC_SEQ_CST);
    receive_end(arrival->socket, &arrival->finished);
    arrival->edges = FD_CLOSE;
}

/* SIO_UDP_NETRESET is about the time to live, SIO_UDP_CONNRESET about whatever was unreachable: Go
 * switches off this one alone, and its programs are only ever told of the other (golang/go 68614).
 */
static bool is_unwanted(const struct socket *socket, DWORD error)
{
    return error == WSAENETRESET ? socket->udp_netreset_off : socket->udp_connreset_off;
}

static void on_datagram_error(struct arrival *arrival, const struct rs_error *error)
{
    struct socket *socket = arrival->socket;

    if (error->flags & RS_ERROR_SEND) {
        memset(&socket->last_destination, 0, sizeof(socket->last_destination)); /* ask again */
        socket->sends_lost++;
        return;
    }
    if (is_unwanted(socket, error->error))
        return;
    receive_error(socket, error->error, &arrival->finished);
    arrival->edges = FD_READ;
}

static void on_error(struct arrival *arrival)
{
    struct socket *socket = arrival->socket;
    uint32_t length;
    const struct rs_error *error = fixed_part(arrival, sizeof(*error), &length);

    if (!error || socket->away)
        return;
    if (socket->type != SOCK_STREAM) {
        on_datagram_error(arrival, error);
        return;
    }
    socket->error = error->error; /* and not SO_ERROR: that stays 0 on Windows */
    receive_end(socket, &arrival->finished);
    send_fail(socket, error->error, &arrival->finished);
    /* setsockopt's page, SO_KEEPALIVE: "the error code WSAENETRESET is returned to any calls in
     * progress on the socket, and any subsequent calls will fail with WSAENOTCONN" */
    if (error->error == WSAENETRESET)
        socket->error = WSAENOTCONN;
    arrival->edges = FD_CLOSE;
}

static void on_connected(struct arrival *arrival)
{
    uint32_t length;
    const struct rs_connected *connected = fixed_part(arrival, sizeof(*connected), &length);

    if (connected)
        arrival->edges = connect_finished(arrival->socket, connected, &arrival->finished);
}

static void on_reused(struct arrival *arrival)
{
    uint32_t length;
    const struct rs_reused *reused = fixed_part(arrival, sizeof(*reused), &length);

    if (reused)
        disconnect_finished(arrival->socket, reused, &arrival->finished);
}

static void on_accepted(struct arrival *arrival)
{
    uint32_t length;
    const struct rs_accepted *accepted = fixed_part(arrival, sizeof(*accepted), &length);

    if (accepted)
        arrival->edges = accept_arrived(arrival->socket, accepted, &arrival->finished);
}

static void on_sent(struct arrival *arrival)
{
    send_progress(arrival->socket, &arrival->finished);
    arrival->edges = FD_WRITE;
}

static void on_yield(struct arrival *arrival)
{
    share_yield(arrival->socket);
}

static void on_wanted(struct arrival *arrival)
{
    arrival->socket->duplicated = arrival->socket->yield_due = true;
}

static void on_given(struct arrival *arrival)
{
    uint32_t length;
    const struct rs_given *given = fixed_part(arrival, sizeof(*given), &length);

    if (given)
        arrival->edges = share_given(arrival->socket, given, given + 1, length, &arrival->finished);
}

static void on_closed(struct arrival *arrival)
{
    socket_forget_index(arrival->session, arrival->header->socket);
}

static void (*const handlers[RS_COMP_MAX])(struct arrival *) = {
    [RS_COMP_DATA] = on_data,     [RS_COMP_DATAGRAM] = on_datagram,
    [RS_COMP_ICMP] = on_icmp,     [RS_COMP_EOF] = on_eof,
    [RS_COMP_ERROR] = on_error,   [RS_COMP_CONNECTED] = on_connected,
    [RS_COMP_REUSED] = on_reused, [RS_COMP_ACCEPTED] = on_accepted,
    [RS_COMP_SENT] = on_sent,     [RS_COMP_CLOSED] = on_closed,
    [RS_COMP_YIELD] = on_yield,   [RS_COMP_WANTED] = on_wanted,
    [RS_COMP_GIVEN] = on_given,
};

static void on_reply(const struct arrival *arrival)
{
    uint32_t length;
    const uint8_t *body = fixed_part(arrival, sizeof(struct rs_reply), &length);
    struct rs_reply reply;

    if (!body)
        return;
    memcpy(&reply, body, sizeof(reply));
    pending_call_reply(arrival->session, &reply, body + sizeof(reply), length);
}

/* Its index is no socket of ours yet. */
static void on_stock(const struct arrival *arrival)
{
    uint32_t length;
    const uint8_t *body = fixed_part(arrival, sizeof(struct rs_stock), &length);
    struct rs_stock stock;

    if (!body)
        return;
    memcpy(&stock, body, sizeof(stock));
    stock_arrived(arrival->session, arrival->header->socket, &stock);
}

void inbound_record(struct session *session, const struct rs_record *header, const uint8_t *body)
{
    struct arrival arrival = {.session = session, .header = header, .body = body};

    if (header->type == RS_COMP_REPLY) {
        on_reply(&arrival);
        return;
    }
    if (header->type == RS_COMP_STOCK) {
        on_stock(&arrival);
        return;
    }
    if (header->type >= RS_COMP_MAX || !handlers[header->type]) {
        log_once(LOG_WARN, "unknown record type %u from the server", header->type);
        return;
    }
    if (!(arrival.socket = socket_by_index(session, header->socket))) {
        /* given back before it became a socket here */
        if (header->type == RS_COMP_CLOSED && header->socket < session->socket_count)
            socket_forget_index(session, header->socket);
        return;
    }
    AcquireSRWLockExclusive(&arrival.socket->lock);
    handlers[header->type](&arrival);
    if (!arrival.socket->closing && arrival.edges)
        socket_notify(arrival.socket, arrival.edges);
    socket_update_interest(arrival.socket);
    operation_deliver_requests(&arrival.finished);
    send_unlock(arrival.socket);
    operation_deliver_list(&arrival.finished);
    afd_poll_clean();
    socket_put(arrival.socket);
}

static void kill_socket(struct socket *socket)
{
    struct operation_queue finished = {0};

    AcquireSRWLockExclusive(&socket->lock);
    socket->state = SOCKET_DEAD;
    socket->error = socket->so_error = WSAENETDOWN;
    socket_abort_all(socket, WSAENETDOWN, &finished);
    socket_notify(socket, FD_READ | FD_WRITE | FD_CLOSE | FD_ACCEPT | FD_CONNECT);
    ReleaseSRWLockExclusive(&socket->lock);
    operation_deliver_list(&finished);
}

void inbound_session_dead(struct session *session)
{
    uint32_t index;

    AcquireSRWLockExclusive(&session->reap_lock);
    for (index = 0; index < session->socket_count; index++) {
        struct socket *socket = socket_by_index(session, index);

        if (socket) {
            kill_socket(socket);
            socket_unindex(session, index);
            socket_put(socket);
        }
    }
    ReleaseSRWLockExclusive(&session->reap_lock);
}
