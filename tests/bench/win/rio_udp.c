/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows "UDP echo, registered I/O": --window datagrams of --size bytes under way between two sockets,
 * with one slot of registered memory for each.  What a batch of completions leads to is deferred and
 * committed once.
 */
#include "../common/rio.h"

#define INET_ROOM 32u /* for a SOCKADDR_INET */

struct udp_side {
    struct rio_side rio; /* first */
    net_socket s;
    rq_t rq;
    struct bench_meter *meter; /* the client's; NULL: this side echoes */
    struct sockaddr_in peer;
    uint64_t sent, received;
    bool receives, sends; /* something is deferred */
    bool stop;            /* the echo's: nothing more will come */
};

static ULONG slot_size(void)
{
    return 2 * bench_args.size + INET_ROOM;
}

static struct slice in_slice(const struct udp_side *side, ULONG slot)
{
    return (struct slice){side->rio.id, slot * slot_size(), bench_args.size};
}

static struct slice out_slice(const struct udp_side *side, ULONG slot)
{
    return (struct slice){side->rio.id, slot * slot_size() + bench_args.size, bench_args.size};
}

static struct slice address_slice(const struct udp_side *side, ULONG slot)
{
    return (struct slice){side->rio.id, slot * slot_size() + 2 * bench_args.size, 28};
}

/* Request contexts: twice the slot, one more for sends. */
static void receive(struct udp_side *side, ULONG slot)
{
    struct slice data = in_slice(side, slot), from = address_slice(side, slot);

    if (!rio.receive_ex(side->rq, &data, 1, NULL, &from, NULL, NULL, MSG_DEFER,
                        (void *)(ULONG_PTR)(2 * slot)))
        net_die("RIOReceiveEx");
    side->receives = true;
}

/* Behind the slots: where the client sends to. */
static struct slice peer_slice(const struct udp_side *side)
{
    return (struct slice){side->rio.id, bench_args.window * slot_size(), 28};
}

static void send_to(struct udp_side *side, const struct slice *data, const struct slice *to,
                    ULONG slot)
{
    /* only the echo's slots wait for their send */
    if (!rio.send_ex(side->rq, data, 1, NULL, to, NULL, NULL,
                     side->meter ? MSG_DEFER | MSG_DONT_NOTIFY : MSG_DEFER,
                     (void *)(ULONG_PTR)(2 * slot + 1)))
        net_die("RIOSendEx");
    side->sends = true;
}

static void flush(struct rio_side *rio_side)
{
    struct udp_side *side = (struct udp_side *)rio_side;

    if (side->receives && !rio.receive(side->rq, NULL, 0, MSG_COMMIT, NULL))
        net_die("RIOReceive");
    if (side->sends && !rio.send(side->rq, NULL, 0, MSG_COMMIT, NULL))
        net_die("RIOSend");
    side->receives = side->sends = false;
}

static bool may_send(const struct udp_side *side)
{
    return !side->meter->done && (!bench_args.ops || side->sent < bench_args.ops);
}

static void client_send(struct udp_side *side, ULONG slot)
{
    struct slice data = out_slice(side, slot), to = peer_slice(side);

    memcpy(side->rio.memory + data.offset, &side->sent, sizeof(side->sent));
    side->sent++;
    send_to(side, &data, &to, slot);
}

static void client_completed(struct rio_side *rio_side, const struct result *result)
{
    struct udp_side *side = (struct udp_side *)rio_side;
    ULONG slot = (ULONG)result->request_context / 2;
    const char *in = rio_side->memory + in_slice(side, slot).offset;
    const char *from = rio_side->memory + address_slice(side, slot).offset;

    if (result->request_context & 1)
        return;
    if (result->bytes != bench_args.size || memcmp(in, &side->received, sizeof(side->received)) ||
        in[bench_args.size - 1] != 'u')
        bench_die("datagram %" PRIu64 " came back changed", side->received);
    if (memcmp(from, &side->peer, 8))
        bench_die("datagram %" PRIu64 " came from somebody else", side->received);
    side->received++;
    meter_add(side->meter, 1);
    receive(side, slot);
    if (may_send(side))
        client_send(side, slot);
}

static void echo_completed(struct rio_side *rio_side, const struct result *result)
{
    struct udp_side *side = (struct udp_side *)rio_side;
    ULONG slot = (ULONG)result->request_context / 2;
    struct slice data = in_slice(side, slot), to = address_slice(side, slot);

    if (result->request_context & 1)
        receive(side, slot);
    else if (result->bytes != bench_args.size)
        side->stop = true;
    else
        send_to(side, &data, &to, slot);
}

static bool client_is_done(const struct udp_side *side)
{
    return !may_send(side) && side->received == side->sent;
}

/* Its last act, where the echo has a thread that waits: an empty datagram. */
static bool client_ended(const struct rio_side *rio_side)
{
    const struct udp_side *side = (const struct udp_side *)rio_side;

    if (!client_is_done(side))
        return false;
    if (rio_side->port && sendto(side->s, "", 0, 0, (const struct sockaddr *)&side->peer,
                                 sizeof(side->peer)))
        net_die("sendto");
    return true;
}

/* Polled, both sides end together. */
static bool echo_ended(const struct rio_side *side)
{
    return !side->port || ((const struct udp_side *)side)->stop;
}

int main(int argc, char **argv)
{
    static struct udp_side client, echo;
    static struct bench_meter meter;
    struct udp_side *sides[2] = {&client, &echo};
    struct sockaddr_in bound[2];

    rio_start(argc, argv);
    client.rio.completed = client_completed;
    client.rio.ended = client_ended;
    echo.rio.completed = echo_completed;
    echo.rio.ended = echo_ended;
    for (int k = 0; k < 2; k++) {
        sides[k]->s = rio_open(SOCK_DGRAM);
        bound[k] = net_bind(sides[k]->s, INADDR_LOOPBACK);
        rio_prepare(&sides[k]->rio, 4 * bench_args.window,
                    bench_args.window * slot_size() + INET_ROOM);
        sides[k]->rq = rio_queue(&sides[k]->rio, sides[k]->s, 2 * bench_args.window,
                                 2 * bench_args.window, NULL);
        sides[k]->rio.flush = flush;
        memset(sides[k]->rio.memory, 'u', bench_args.window * slot_size());
    }
    client.peer = bound[1];
    memcpy(client.rio.memory + peer_slice(&client).offset, &client.peer, sizeof(client.peer));
    client.meter = &meter;
    for (ULONG slot = 0; slot < bench_args.window; slot++) {
        receive(&client, slot);
        receive(&echo, slot);
    }
    flush(&client.rio);
    flush(&echo.rio);
    meter_start(&meter);
    for (ULONG slot = 0; slot < bench_args.window && may_send(&client); slot++)
        client_send(&client, slot);
    flush(&client.rio);
    rio_run(&client.rio, &echo.rio);
    net_close(client.s);
    net_close(echo.s);
    return bench_result(&meter, bench_args.size, client.received);
}
