/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the registered I/O programs share: sockets with the flag, a side's completion queue, and the
 * two ways to learn of completions that a row names with --call.  Windows only.
 *
 *   port   one thread per side: a packet says that something is there, then all of it is dequeued
 *   poll   one thread dequeues for both sides, and never waits
 */
#ifndef BENCH_RIO_H
#define BENCH_RIO_H

#include "net.h"
#include "rio_types.h"

#define RIO_PATIENCE_MS 8000
#define RIO_BATCH       64u

struct rio_side {
    cq_t cq;
    HANDLE port; /* NULL: polled */
    OVERLAPPED notification;
    char *memory;
    buffer_t id;
    void (*completed)(struct rio_side *side, const struct result *result);
    void (*flush)(struct rio_side *side); /* after each batch; may be NULL */
    bool (*ended)(const struct rio_side *side);
};

static net_socket rio_open(int type)
{
    net_socket s = WSASocketW(AF_INET, type, 0, NULL, 0,
                              WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);

    if (s == NET_NONE)
        net_die("WSASocket");
    return s;
}

static rq_t rio_queue(struct rio_side *side, net_socket s, ULONG receives, ULONG sends, void *context)
{
    rq_t rq = rio.create_rq(s, receives, 1, sends, 1, side->cq, side->cq, context);

    if (!rq)
        net_die("RIOCreateRequestQueue");
    return rq;
}

static void rio_prepare(struct rio_side *side, ULONG places, size_t memory)
{
    struct notification how = {.type = 2};

    if (!strcmp(bench_args.call, "port")) {
        side->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
        how.u.port.port = side->port;
        how.u.port.overlapped = &side->notification;
    } else if (strcmp(bench_args.call, "poll")) {
        bench_die("--call must be port or poll");
    }
    if (!(side->cq = rio.create_cq(places, side->port ? &how : NULL)))
        net_die("RIOCreateCompletionQueue");
    side->memory = bench_alloc(1, (unsigned)memory);
    if ((side->id = rio.register_buffer(side->memory, (DWORD)memory)) == BAD_BUFFER)
        net_die("RIORegisterBuffer");
}

/* All that is there, and what that leads to at once. */
static void rio_drain(struct rio_side *side)
{
    struct result results[RIO_BATCH];
    ULONG count, i;

    do {
        if ((count = rio.dequeue(side->cq, results, RIO_BATCH)) == CORRUPT_CQ)
            bench_die("the completion queue is corrupt");
        for (i = 0; i < count; i++) {
            if (results[i].status)
                bench_die("a request failed with %ld", results[i].status);
            side->completed(side, &results[i]);
        }
        if (count && side->flush)
            side->flush(side);
    } while (count);
}

static void rio_port_loop(void *arg)
{
    struct rio_side *side = arg;
    OVERLAPPED *overlapped;
    ULONG_PTR key;
    DWORD bytes;
    int error;

    while (!side->ended(side)) {
        if ((error = rio.notify(side->cq)))
            bench_die("RIONotify failed, error %d", error);
        if (!GetQueuedCompletionStatus(side->port, &bytes, &key, &overlapped, RIO_PATIENCE_MS))
            bench_die("GetQueuedCompletionStatus failed, error %lu", GetLastError());
        rio_drain(side);
    }
}

/* Everything has been posted already. */
static void rio_run(struct rio_side *client, struct rio_side *server)
{
    struct bench_thread thread;

    if (!client->port) {
        while (!client->ended(client) || !server->ended(server)) {
            rio_drain(client);
            rio_drain(server);
        }
        return;
    }
    bench_thread_start(&thread, rio_port_loop, server);
    rio_port_loop(client);
    bench_thread_join(&thread);
}

static void rio_start(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_args.size < sizeof(uint64_t))
        bench_die("--size must be at least %zu", sizeof(uint64_t));
    net_start();
    if (!rio_get())
        bench_die("no registered I/O here");
}

#endif
