/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "bulk": one connection, one thread sends blocks of --size bytes with blocking send, the other
 * receives them with a buffer of the same size. One operation is one received block. The first
 * 4 MiB are compared byte for byte; after that, because a full comparison would compete with the
 * transfer for the two processors, each block's number and the last 64 bytes of each recv. The
 * totals of both ends must agree. The only shared variable is the atomic stop flag.
 */
#ifndef BENCH_BULK_H
#define BENCH_BULK_H

#include "net.h"
#include <stdatomic.h>

#define BULK_FULLY_COMPARED (4u << 20)
#define BULK_TAIL           64u

struct bulk_sender {
    net_socket s;
    uint64_t blocks; /* sent; read after the join */
    atomic_bool stop;
};

/* A block is this pattern with its number in the first 8 bytes. */
static inline char bulk_byte(uint64_t number, size_t at)
{
    if (at < sizeof(number))
        return (char)(number >> (8 * at));
    return (char)(at * 31 + (at >> 8));
}

static void bulk_send(void *arg)
{
    struct bulk_sender *sender = arg;
    char *block = bench_alloc(1, bench_args.size);

    for (size_t at = 0; at < bench_args.size; at++)
        block[at] = bulk_byte(0, at);
    while (!atomic_load(&sender->stop)) {
        if (bench_args.ops && sender->blocks == bench_args.ops)
            break;
        for (size_t at = 0; at < sizeof(uint64_t); at++)
            block[at] = bulk_byte(sender->blocks, at);
        net_send_all(sender->s, block, bench_args.size);
        sender->blocks++;
    }
    net_finish_sending(sender->s);
    free(block);
}

static inline void bulk_compare(const char *data, uint64_t offset, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        uint64_t place = offset + i;
        if (data[i] != bulk_byte(place / bench_args.size, (size_t)(place % bench_args.size)))
            bench_die("wrong byte at offset %" PRIu64, place);
    }
}

static inline void bulk_check(const char *data, size_t len, uint64_t offset)
{
    size_t to_head = (size_t)((bench_args.size - offset % bench_args.size) % bench_args.size);

    if (offset < BULK_FULLY_COMPARED) {
        bulk_compare(data, offset, 0, len);
        return;
    }
    if (offset % bench_args.size < sizeof(uint64_t)) /* a number may be split between two recvs */
        to_head = 0;
    if (to_head < len)
        bulk_compare(data, offset, to_head,
                     len - to_head < sizeof(uint64_t) ? len : to_head + sizeof(uint64_t));
    bulk_compare(data, offset, len > BULK_TAIL ? len - BULK_TAIL : 0, len);
}

static inline int bulk_main(int argc, char **argv)
{
    struct bulk_sender sender = {0};
    struct bench_thread thread;
    struct bench_meter meter;
    net_socket near_end;
    uint64_t received = 0, counted = 0;

    bench_start(argc, argv);
    if (bench_args.size < 2 * sizeof(uint64_t))
        bench_die("--size must be at least %zu", 2 * sizeof(uint64_t));
    net_start();
    net_one_pair(&sender.s, &near_end);

    char *data = bench_alloc(1, bench_args.size);
    meter_start(&meter);
    bench_thread_start(&thread, bulk_send, &sender);
    for (;;) {
        int n = (int)recv(near_end, data, (int)bench_args.size, 0);
        if (n < 0)
            net_die("recv");
        if (!n)
            break;
        bulk_check(data, (size_t)n, received);
        received += (uint64_t)n;
        if (received / bench_args.size > counted) {
            meter_add(&meter, received / bench_args.size - counted);
            counted = received / bench_args.size;
        }
        if (meter.done)
            atomic_store(&sender.stop, true);
    }
    bench_thread_join(&thread);
    if (received != sender.blocks * bench_args.size)
        bench_die("%" PRIu64 " bytes received of %" PRIu64 " blocks", received, sender.blocks);
    net_close(sender.s);
    net_close(near_end);
    return bench_result(&meter, bench_args.size, received);
}

#endif
