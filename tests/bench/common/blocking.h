/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, blocking": one connection, one thread at each end, blocking send and recv of
 * --size bytes. One operation is one round trip; every message carries its number and is compared.
 */
#ifndef BENCH_BLOCKING_H
#define BENCH_BLOCKING_H

#include "latency.h"
#include "net.h"

static void blocking_echo(void *arg)
{
    net_socket s = *(net_socket *)arg;
    char *data = bench_alloc(1, bench_args.size);

    while (net_recv_all(s, data, bench_args.size))
        net_send_all(s, data, bench_args.size);
    net_close(s);
    free(data);
}

static inline int blocking_main(int argc, char **argv)
{
    struct bench_thread echo;
    struct bench_meter meter;
    struct latency latency;
    net_socket near_end, far_end;
    uint64_t number = 0;

    bench_start(argc, argv);
    if (bench_args.size < sizeof(number))
        bench_die("--size must be at least %zu", sizeof(number));
    net_start();
    net_one_pair(&far_end, &near_end);
    bench_thread_start(&echo, blocking_echo, &near_end);

    char *out = bench_alloc(1, bench_args.size);
    char *in = bench_alloc(1, bench_args.size);
    memset(out, 'x', bench_args.size);
    latency_start(&latency);
    meter_start(&meter);
    while (!meter.done) {
        uint64_t from = meter.last;

        number++;
        memcpy(out, &number, sizeof(number));
        net_send_all(far_end, out, bench_args.size);
        if (!net_recv_all(far_end, in, bench_args.size))
            bench_die("the echo ended early");
        if (memcmp(in, out, bench_args.size))
            bench_die("message %" PRIu64 " came back changed", number);
        meter_add(&meter, 1);
        latency_add(&latency, &meter, from);
    }
    net_finish_sending(far_end);
    bench_thread_join(&echo);
    net_close(far_end);
    latency_print(&latency);
    return bench_result(&meter, bench_args.size, number);
}

#endif
