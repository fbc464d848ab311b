/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "UDP echo": a client keeps --window datagrams of --size bytes under way, an echo thread sends
 * each back with blocking recvfrom and sendto. One operation is one datagram that went there and
 * back; each carries its number, and order and content are compared (loopback neither loses nor
 * reorders as long as the receive buffer has room). A lost datagram ends in the watchdog's message.
 */
#ifndef BENCH_UDP_H
#define BENCH_UDP_H

#include "net.h"

#define UDP_STOP 1 /* the length of the datagram that ends the echo thread */

static void udp_echo(void *arg)
{
    net_socket s = *(net_socket *)arg;
    char *data = bench_alloc(1, bench_args.size + 1);

    for (;;) {
        struct sockaddr_in from;
        socklen_t from_len = sizeof(from);
        int n = (int)recvfrom(s, data, (int)bench_args.size + 1, 0, (struct sockaddr *)&from,
                              &from_len);
        if (n < 0)
            net_die("recvfrom (echo)");
        if (n == UDP_STOP)
            break;
        if (sendto(s, data, (unsigned)n, 0, (struct sockaddr *)&from, from_len) != n)
            net_die("sendto (echo)");
    }
    net_close(s);
    free(data);
}

static inline void udp_send(net_socket s, const struct sockaddr_in *to, char *data, uint64_t number)
{
    memcpy(data, &number, sizeof(number));
    if (sendto(s, data, bench_args.size, 0, (const struct sockaddr *)to, sizeof(*to)) !=
        (int)bench_args.size)
        net_die("sendto");
}

static inline void udp_receive(net_socket s, const struct sockaddr_in *peer, char *data,
                               const char *sample, uint64_t number)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    int n =
        (int)recvfrom(s, data, (int)bench_args.size + 1, 0, (struct sockaddr *)&from, &from_len);

    if (n < 0)
        net_die("recvfrom");
    if (n != (int)bench_args.size || memcmp(data, &number, sizeof(number)) ||
        memcmp(data + sizeof(number), sample + sizeof(number), bench_args.size - sizeof(number)))
        bench_die("datagram %" PRIu64 " came back changed (%d bytes)", number, n);
    if (from.sin_port != peer->sin_port || from.sin_addr.s_addr != peer->sin_addr.s_addr)
        bench_die("datagram %" PRIu64 " came from somebody else", number);
}

static inline int udp_main(int argc, char **argv)
{
    struct bench_thread echo;
    struct bench_meter meter;
    uint64_t sent = 0, received = 0;

    bench_start(argc, argv);
    if (bench_args.size < sizeof(sent))
        bench_die("--size must be at least %zu", sizeof(sent));
    net_start();
    net_socket server = net_open(SOCK_DGRAM), client = net_open(SOCK_DGRAM);
    struct sockaddr_in to = net_bind(server, INADDR_LOOPBACK);
    net_bind(client, INADDR_LOOPBACK);
    bench_thread_start(&echo, udp_echo, &server);

    char *out = bench_alloc(1, bench_args.size), *in = bench_alloc(1, bench_args.size + 1);
    memset(out, 'u', bench_args.size);
    meter_start(&meter);
    for (;;) {
        while (!meter.done && sent - received < bench_args.window &&
               (!bench_args.ops || sent < bench_args.ops))
            udp_send(client, &to, out, sent++);
        if (sent == received)
            break;
        udp_receive(client, &to, in, out, received++);
        meter_add(&meter, 1);
    }
    if (sendto(client, out, UDP_STOP, 0, (struct sockaddr *)&to, sizeof(to)) != UDP_STOP)
        net_die("sendto (stop)");
    bench_thread_join(&echo);
    net_close(client);
    return bench_result(&meter, bench_args.size, received);
}

#endif
