/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows "connection set-up" (--call connect: socket, blocking connect, accept, one byte across so
 * that the pair is known to be the right one, close of both ends) and "socket and closesocket"
 * (--call socket). One operation is one connection or one socket; one thread does everything.
 */
#ifndef BENCH_SETUP_H
#define BENCH_SETUP_H

#include "net.h"

#define SETUP_HOSTS 200u

/* Each connection leaves a port in TIME_WAIT for a minute and a host address has only 28,000 of
 * them, so the connections go round over many loopback addresses. */
static inline void setup_connect(net_socket listener, struct sockaddr_in addr, uint64_t number)
{
    char out = (char)number, in = (char)~out;
    net_socket far_end, near_end;

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number % SETUP_HOSTS));
    far_end = net_open(SOCK_STREAM);
    if (connect(far_end, (struct sockaddr *)&addr, sizeof(addr)))
        net_die("connect");
    near_end = accept(listener, NULL, NULL);
    if (near_end == NET_NONE)
        net_die("accept");
    net_send_all(far_end, &out, 1);
    if (!net_recv_all(near_end, &in, 1) || in != out)
        bench_die("connection %" PRIu64 " carried another one's byte", number);
    net_close(far_end);
    net_close(near_end);
}

static inline int setup_main(int argc, char **argv)
{
    struct bench_meter meter;
    uint64_t number = 0;
    bool with_connection;

    bench_start(argc, argv);
    with_connection = !strcmp(bench_args.call, "connect");
    if (!with_connection && strcmp(bench_args.call, "socket"))
        bench_die("--call must be connect or socket");
    net_start();

    net_socket listener = net_open(SOCK_STREAM);
    struct sockaddr_in addr = net_bind(listener, INADDR_ANY);
    if (listen(listener, 128))
        net_die("listen");
    meter_start(&meter);
    while (!meter.done) {
        if (with_connection)
            setup_connect(listener, addr, number);
        else
            net_close(net_open(SOCK_STREAM));
        number++;
        meter_add(&meter, 1);
    }
    net_close(listener);
    return bench_result(&meter, with_connection ? 1 : 0, number);
}

#endif
