/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the ping-pongs share, on Windows and on Linux: --conns connections, each with one
 * message of --size bytes under way; a client thread (the main thread) and a server thread that
 * echoes. One operation is one round trip. Each side belongs to its thread; nothing is shared
 * after the connections have been made. Beside them there are --idle sockets, two to a connection:
 * both ends wait for what never comes, until the process ends.
 */
#ifndef BENCH_PING_H
#define BENCH_PING_H

#include "net.h"

struct ping_conn;

struct ping_side {
    struct bench_meter *meter; /* the client's; NULL: this side echoes */
    unsigned open;             /* connections not closed yet */
    uint64_t begun;            /* client: round trips begun */
    uint64_t messages;         /* complete messages received */
};

/* May the client begin another round trip? */
static inline bool ping_may_begin(const struct ping_side *side)
{
    return !side->meter->done && (!bench_args.ops || side->begun < bench_args.ops);
}

static inline void ping_fill(char *data, uint64_t number, unsigned index)
{
    memset(data, (char)('a' + index % 26), bench_args.size);
    memcpy(data, &number, sizeof(number));
}

static inline void ping_begin(struct ping_side *side, char *out, unsigned index)
{
    ping_fill(out, side->begun++, index);
}

static inline void ping_end(struct ping_side *side, const char *out, const char *in)
{
    if (memcmp(out, in, bench_args.size))
        bench_die("a message came back changed");
    side->messages++;
    meter_add(side->meter, 1);
}

static inline unsigned ping_all_conns(void)
{
    return bench_args.conns + bench_args.idle / 2;
}

static inline int ping_result(const struct ping_side *client, const struct ping_side *server)
{
    if (client->messages != client->begun || server->messages != client->begun)
        bench_die("%" PRIu64 " messages begun, %" PRIu64 " echoed, %" PRIu64 " came back",
                  client->begun, server->messages, client->messages);
    return bench_result(client->meter, bench_args.size, client->messages);
}

/* The client's loop here, the server's in a thread of its own; a side begins with its ping_side.
 * Each loop ends when no connection of its side is open. */
static inline int ping_run(struct ping_side *client, struct ping_side *server,
                           void (*loop)(void *side))
{
    static struct bench_meter meter;
    struct bench_thread thread;

    client->meter = &meter;
    meter_start(&meter);
    bench_thread_start(&thread, loop, server);
    loop(client);
    bench_thread_join(&thread);
    return ping_result(client, server);
}

static inline void ping_start(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_args.size < sizeof(uint64_t))
        bench_die("--size must be at least %zu", sizeof(uint64_t));
    net_start();
}

#endif
