/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The short cut of datagrams (shortcut.c has that of streams).
 *
 * Owns: struct flow, server.flows.  Loop thread only, no locks.
 *
 * A flow is what one socket sends to one loopback address.  The first of it goes through the
 * kernel, and when a socket of this server reads it, both ends and the source that the receiver
 * sees are known to be what the kernel makes of them.  Further ones go straight into the receiver's
 * completion ring while the kernel has none of the flow left, so that they stay in order, and while
 * the receiver has credit: without, the kernel's queue takes them or drops them, as ever.
 *
 * The kernel would give each to the same socket, as neither end shares its port with anybody
 * (bind.c), until one of them closes, connects or is shared.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "comp.h"
#include "flow.h"
#include "server.h"
#include "socket.h"

#define FLOWS_PER_SOCKET 32
#define LARGEST          65507u /* of IPv4; more is the kernel's to refuse */
/* After so long on the loopback, and an empty queue since, a datagram has come or is lost. */
#define ARRIVAL          (2 * (uint64_t)RS_CLOCK_PER_MS)

struct flow {
    struct link bucket;         /* server.flows */
    struct link mine;           /* socket.flows of the sender */
    struct link others;         /* socket.flows_in of the receiver */
    struct socket *from, *twin; /* twin: NULL: not known */
    union address local, to;
    struct rs_addr source;
    uint32_t asked, seen; /* the kernel was given, the twin has got from it */
    uint32_t mark;        /* `asked` at mark_time */
    uint64_t mark_time;
    bool ambiguous; /* another flow of the sender may end at the same socket */
};

static bool is_plain(const struct socket *socket)
{
    return socket->type == RS_DGRAM && !socket->share && !socket_shares_port(socket) &&
           !socket->flows_barred &&
           (socket->state == SOCKET_OPEN || socket->state == SOCKET_CONNECTED);
}

static void set_twin(struct flow *flow, struct socket *twin)
{
    list_remove(&flow->others);
    flow->twin = twin;
    if (twin)
        list_append(&twin->flows_in, &flow->others);
}

static struct flow *flow_of(struct socket *socket, const union address *to)
{
    for (struct link *link = socket->flows.next; link != &socket->flows; link = link->next) {
        struct flow *flow = container_of(link, struct flow, mine);

        if (!address_equal(&flow->to, to))
            continue;
        list_remove(&flow->mine); /* most recently used first */
        list_insert_after(&socket->flows, &flow->mine);
        return flow;
    }
    return NULL;
}

/* ---- sending ---- */

/* What was lost on the way is not waited for. */
static void count_lost(struct flow *flow, uint64_t now)
{
    if (flow->twin && flow->twin->drained_at > flow->mark_time + ARRIVAL) {
        if ((int32_t)(flow->mark - flow->seen) > 0)
            flow->seen = flow->mark;
        flow->mark = flow->asked;
        flow->mark_time = now;
    }
}

static bool is_open(struct flow *flow, uint64_t now)
{
    const struct socket *twin = flow->twin;

    if (flow->asked != flow->seen)
        count_lost(flow, now);
    return twin && flow->asked == flow->seen && !flow->ambiguous && is_plain(flow->from) &&
           is_plain(twin) && !twin->receive_done && !twin->control;
}

bool flow_send(struct socket *socket, const union address *to, const uint8_t *payload,
               uint32_t length)
{
    struct rs_record header = {.type = RS_COMP_DATAGRAM, .length = length};
    uint32_t body = (uint32_t)sizeof(struct rs_addr) + length;
    struct flow *flow = flow_of(socket, to);
    struct rs_record *record;

    if (!flow || !is_open(flow, socket->session->server->loop.now) || length > LARGEST ||
        !socket_credit(flow->twin) || !(record = comp_reserve(flow->twin->session, body)))
        return false;
    header.socket = flow->twin->index;
    memcpy(record + 1, &flow->source, sizeof(flow->source));
    memcpy((uint8_t *)(record + 1) + sizeof(flow->source), payload, length);
    flow->twin->delivered += RS_DATAGRAM_COST(length);
    comp_publish(flow->twin->session, record, &header, body);
    return true;
}

/* ---- what the kernel does ---- */

static struct flow *flow_begin(struct socket *socket, const union address *to)
{
    struct server *server = socket->session->server;
    socklen_t size = sizeof(union address);
    struct flow *flow;

    if (!server->shortcut || !address_is_loopback(to) || !is_plain(socket) ||
        socket->flow_count == FLOWS_PER_SOCKET || !(flow = calloc(1, sizeof(*flow))))
        return NULL;
    list_init(&flow->others);
    flow->from = socket;
    flow->to = *to;
    if (getsockname(socket->watch.fd, &flow->local.any, &size)) {
        free(flow);
        return NULL;
    }
    for (struct link *link = socket->flows.next; link != &socket->flows; link = link->next) {
        struct flow *other = container_of(link, struct flow, mine);

        if (address_port(&other->to) == address_port(to))
            other->ambiguous = flow->ambiguous = true;
    }
    gather_meet(socket, to);
    list_insert_after(&socket->flows, &flow->mine);
    list_append(port_pairs_bucket(&server->flows, address_port(&flow->local), address_port(to)),
                &flow->bucket);
    socket->flow_count++;
    return flow;
}

void flow_asked_kernel(struct socket *socket, const union address *to)
{
    struct flow *flow = flow_of(socket, to);

    if (!flow && !(flow = flow_begin(socket, to)))
        return;
    if (flow->asked == flow->seen) {
        flow->mark = flow->asked + 1;
        flow->mark_time = socket->session->server->loop.now;
    }
    flow->asked++;
}

static bool is_source(const struct flow *flow, const union address *source)
{
    return address_port(&flow->local) == address_port(source) &&
           flow->local.any.sa_family == source->any.sa_family &&
           (address_is_any(&flow->local) || address_equal(&flow->local, source));
}

/* Of a socket that sending has bound only a flow of its own knows. */
static const union address *local_of(const struct socket *socket)
{
    if (address_port(&socket->bound_to) || list_empty(&socket->flows))
        return &socket->bound_to;
    return &container_of(socket->flows.next, struct flow, mine)->local;
}

static bool leads_to(const struct flow *flow, const union address *local)
{
    return address_port(&flow->to) == address_port(local) &&
           (address_is_any(local) || address_equal(&flow->to, local));
}

void flow_arrived(struct socket *socket, const union address *source)
{
    const union address *local = local_of(socket);
    struct link *head;

    if (!address_is_loopback(source) || !is_plain(socket) || !address_port(local))
        return;
    head = port_pairs_bucket(&socket->session->server->flows, address_port(source),
                             address_port(local));
    for (struct link *link = head->next; link != head; link = link->next) {
        struct flow *flow = container_of(link, struct flow, bucket);

        if (!is_source(flow, source) || !leads_to(flow, local))
            continue;
        if (flow->twin != socket) {
            set_twin(flow, socket);
            address_to_wire(source, &flow->source);
        }
        if (flow->asked != flow->seen)
            flow->seen++;
        return;
    }
}

void flow_forget(struct socket *socket)
{
    while (!list_empty(&socket->flows_in))
        set_twin(container_of(socket->flows_in.next, struct flow, others), NULL);
    while (!list_empty(&socket->flows)) {
        struct flow *flow = container_of(socket->flows.next, struct flow, mine);

        set_twin(flow, NULL);
        list_remove(&flow->bucket);
        list_remove(&flow->mine);
        free(flow);
    }
    socket->flow_count = 0;
}
