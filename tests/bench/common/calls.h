/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows "one call": what one call costs its caller, on TCP connections of this process.
 *   recv-empty   nonblocking recv, nothing there: must fail with "would block"
 *   recv-byte    recv of 1 byte of many that have arrived: must be the next of the stream
 *   send-byte    send of 1 byte with room in the buffers; the bytes are taken out again at the
 *                other end between the timed batches (what comes after the call is not timed)
 *   send-stream  the same without that favour: another thread receives all the time, and the clock
 *                runs until the last byte is there
 *   select, poll select / WSAPoll for reading over --sockets connections with timeout 0, nothing
 *                there; before and after, one byte on the last one must be reported, and only it
 * Nothing but the main thread runs, except for send-stream's receiver.
 */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include "net.h"

#define CALLS_BATCH    256u
#define CALLS_ARRIVED  2048u
#define CALLS_MAX_SETS 64u /* Windows' FD_SETSIZE */

static inline uint64_t calls_recv_empty(struct bench_meter *meter)
{
    net_socket far_end, near_end;
    uint64_t checked = 0;

    net_one_pair(&far_end, &near_end);
    net_nonblocking(near_end);
    meter_start(meter);
    while (!meter->done) {
        unsigned n = meter_batch(meter, CALLS_BATCH);
        for (unsigned i = 0; i < n; i++) {
            char byte;
            if (recv(near_end, &byte, 1, 0) != -1 || net_error() != NET_WOULD_BLOCK)
                net_die("recv that must find nothing");
            checked++;
        }
        meter_add(meter, n);
    }
    net_close(far_end);
    net_close(near_end);
    return checked;
}

static inline uint64_t calls_recv_byte(struct bench_meter *meter)
{
    char out[CALLS_ARRIVED];
    net_socket far_end, near_end;
    uint64_t checked = 0;

    for (unsigned i = 0; i < CALLS_ARRIVED; i++)
        out[i] = (char)(i * 7 + 1);
    net_one_pair(&far_end, &near_end);
    meter_start(meter);
    while (!meter->done) {
        unsigned n = meter_batch(meter, CALLS_ARRIVED);
        net_send_all(far_end, out, n);
        while (net_arrived(near_end) < n)
            ;
        uint64_t from = bench_now();
        for (unsigned i = 0; i < n; i++) {
            char byte;
            if (recv(near_end, &byte, 1, 0) != 1)
                net_die("recv of a byte that is there");
            if (byte != out[i])
                bench_die("byte %u is wrong", i);
        }
        meter_lap(meter, n, from, bench_now());
        checked += n;
    }
    net_close(far_end);
    net_close(near_end);
    return checked;
}

static inline uint64_t calls_send_byte(struct bench_meter *meter)
{
    char in[CALLS_BATCH];
    net_socket far_end, near_end;
    uint64_t checked = 0;

    net_one_pair(&far_end, &near_end);
    meter_start(meter);
    while (!meter->done) {
        unsigned n = meter_batch(meter, CALLS_BATCH);
        uint64_t from = bench_now();
        for (unsigned i = 0; i < n; i++) {
            char byte = (char)i;
            if (send(far_end, &byte, 1, 0) != 1)
                net_die("send");
        }
        meter_lap(meter, n, from, bench_now());
        if (!net_recv_all(near_end, in, n))
            bench_die("the stream ended early");
        for (unsigned i = 0; i < n; i++) {
            if (in[i] != (char)i)
                bench_die("byte %u is wrong", i);
        }
        checked += n;
    }
    net_close(far_end);
    net_close(near_end);
    return checked;
}

struct calls_receiver {
    net_socket s;
    uint64_t received; /* read after the join */
};

static void calls_receive(void *arg)
{
    struct calls_receiver *receiver = arg;
    static char in[65536];

    for (;;) {
        int n = (int)recv(receiver->s, in, sizeof(in), 0);
        if (n < 0)
            net_die("recv");
        if (!n)
            return;
        for (int i = 0; i < n; i++) {
            if (in[i] != (char)receiver->received++)
                bench_die("byte %" PRIu64 " is wrong", receiver->received - 1);
        }
    }
}

static inline uint64_t calls_send_stream(struct bench_meter *meter)
{
    struct calls_receiver receiver = {0};
    struct bench_thread thread;
    net_socket far_end;
    uint64_t sent = 0, total, last;

    net_one_pair(&far_end, &receiver.s);
    bench_thread_start(&thread, calls_receive, &receiver);
    meter_start(meter);
    do {
        unsigned n = meter_batch(meter, CALLS_BATCH);
        for (unsigned i = 0; i < n; i++) {
            char byte = (char)sent++;
            if (send(far_end, &byte, 1, 0) != 1)
                net_die("send");
        }
        meter_add(meter, n);
    } while (!meter->done);
    total = sent;
    net_finish_sending(far_end);
    bench_thread_join(&thread);
    last = bench_now();
    meter->busy += last - meter->last; /* until the last byte was there */
    if (receiver.received != total)
        bench_die("%" PRIu64 " of %" PRIu64 " bytes arrived", receiver.received, total);
    net_close(far_end);
    net_close(receiver.s);
    return total;
}

struct calls_set {
    net_socket far_ends[CALLS_MAX_SETS], near_ends[CALLS_MAX_SETS];
    net_pollfd polls[CALLS_MAX_SETS];
    fd_set fds;
    int top;
    bool use_poll;
};

static inline int calls_ready(struct calls_set *set, fd_set *fds, int timeout_ms)
{
    struct timeval timeout = {timeout_ms / 1000, 0};
    int n;

    if (set->use_poll) {
        n = net_poll(set->polls, bench_args.sockets, timeout_ms);
        if (n < 0)
            net_die("poll");
        return n;
    }
    memcpy(fds, &set->fds, sizeof(*fds));
    n = select(set->top, fds, NULL, NULL, &timeout);
    if (n < 0)
        net_die("select");
    return n;
}

static inline void calls_check_ready(struct calls_set *set)
{
    unsigned last = bench_args.sockets - 1;
    fd_set fds;
    char byte = '!';

    net_send_all(set->far_ends[last], &byte, 1);
    int n = calls_ready(set, &fds, 2000);
    bool found = set->use_poll ? (set->polls[last].revents & POLLIN) != 0
                               : FD_ISSET(set->near_ends[last], &fds) != 0;
    if (n != 1 || !found)
        bench_die("%d sockets reported, expected only the last of %u", n, bench_args.sockets);
    if (!net_recv_all(set->near_ends[last], &byte, 1) || byte != '!')
        bench_die("the byte is wrong");
}

static inline void calls_make_set(struct calls_set *set)
{
    struct sockaddr_in addr;
    net_socket listener = net_listen(&addr);

    if (bench_args.sockets > CALLS_MAX_SETS)
        bench_die("--sockets can be at most %u", CALLS_MAX_SETS);
    FD_ZERO(&set->fds);
    for (unsigned i = 0; i < bench_args.sockets; i++) {
        net_pair(listener, &addr, &set->far_ends[i], &set->near_ends[i]);
        FD_SET(set->near_ends[i], &set->fds);
        if ((int)set->near_ends[i] >= set->top)
            set->top = (int)set->near_ends[i] + 1;
        set->polls[i].fd = set->near_ends[i];
        set->polls[i].events = POLLIN;
    }
    net_close(listener);
}

static inline uint64_t calls_set(struct bench_meter *meter, bool use_poll)
{
    static struct calls_set set;
    uint64_t checked = 0;
    fd_set fds;

    set.use_poll = use_poll;
    calls_make_set(&set);
    calls_check_ready(&set);
    meter_start(meter);
    while (!meter->done) {
        unsigned n = meter_batch(meter, CALLS_BATCH);
        for (unsigned i = 0; i < n; i++) {
            if (calls_ready(&set, &fds, 0))
                bench_die("a socket was reported that has nothing");
            checked++;
        }
        meter_add(meter, n);
    }
    calls_check_ready(&set);
    for (unsigned i = 0; i < bench_args.sockets; i++) {
        net_close(set.far_ends[i]);
        net_close(set.near_ends[i]);
    }
    return checked;
}

static inline int calls_main(int argc, char **argv)
{
    struct bench_meter meter;
    uint64_t checked = 0;

    bench_start(argc, argv);
    net_start();
    if (!strcmp(bench_args.call, "recv-empty"))
        checked = calls_recv_empty(&meter);
    else if (!strcmp(bench_args.call, "recv-byte"))
        checked = calls_recv_byte(&meter);
    else if (!strcmp(bench_args.call, "send-byte"))
        checked = calls_send_byte(&meter);
    else if (!strcmp(bench_args.call, "send-stream"))
        checked = calls_send_stream(&meter);
    else if (!strcmp(bench_args.call, "select") || !strcmp(bench_args.call, "poll"))
        checked = calls_set(&meter, !strcmp(bench_args.call, "poll"));
    else
        bench_die("no such call: %s", bench_args.call);
    return bench_result(&meter, 0, checked);
}

#endif
