/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading all that was sent, with receives that do not wait.
 *
 * Over Windows' loopback what send has taken is with the receiver, so that who reads until nothing
 * is there has read all of it (Wine's test_write_events, run on Windows, counts on that).
 */
#include "net.h"

/* Until no more comes while nobody reads. */
static void wait_until_full(SOCKET s)
{
    u_long there = 0, before;

    do {
        before = there;
        Sleep(100);
        ok(!ioctlsocket(s, FIONREAD, &there), "error %d\n", WSAGetLastError());
    } while (there != before || !there);
}

/* Reads until nothing is there; how much there was. */
static size_t read_all(SOCKET s, char *buffer, int size)
{
    size_t total = 0;
    int got;

    while ((got = recv(s, buffer, size, 0)) > 0)
        total += got;
    ok(got < 0 && WSAGetLastError() == WSAEWOULDBLOCK, "got %d, error %d\n", got,
       WSAGetLastError());
    return total;
}

/* A sender that does not wait either sends as often as it can; then the receiver reads. */
static void test_many_at_once(int chunk, int part)
{
    char *buffer = calloc(1, chunk > part ? chunk : part);

    winetest_push_context("%d bytes, read by %d", chunk, part);
    for (int connection = 0; connection < 4; connection++) {
        SOCKET a, b;

        net_pair(&a, &b);
        net_nonblocking(a, 1);
        net_nonblocking(b, 1);
        for (int round = 0; round < 4; round++) {
            size_t sent = 0, got;
            int count;

            while ((count = send(a, buffer, chunk, 0)) > 0)
                sent += count;
            ok(WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
            wait_until_full(b);
            got = read_all(b, buffer, part);
            ok(got == sent, "%d.%d: %lu of %lu bytes\n", connection, round, (ULONG)got,
               (ULONG)sent);
            while (got < sent && net_readable(b, NET_PATIENCE))
                got += read_all(b, buffer, part);
        }
        closesocket(a);
        closesocket(b);
    }
    winetest_pop_context();
    free(buffer);
}

/* As much as the buffers of both ends hold, by a sender that waits. */
static void test_one_that_waits(void)
{
    enum { SIZE = 1 << 20 };
    char *buffer = calloc(1, SIZE);

    for (int connection = 0; connection < 4; connection++) {
        SOCKET a, b;
        size_t got;

        net_pair(&a, &b);
        net_nonblocking(b, 1);
        for (int round = 0; round < 4; round++) {
            net_send_all(a, buffer, SIZE);
            wait_until_full(b);
            got = read_all(b, buffer, 10000);
            ok(got == SIZE, "%d.%d: %lu of %d bytes\n", connection, round, (ULONG)got, SIZE);
            while (got < SIZE && net_readable(b, NET_PATIENCE))
                got += read_all(b, buffer, 10000);
        }
        closesocket(a);
        closesocket(b);
    }
    free(buffer);
}

START_TEST(recv_rest)
{
    net_start();
    RUN(test_many_at_once, 1 << 20, 65536);
    RUN(test_many_at_once, 16 << 20, 65536);
    RUN(test_many_at_once, 16 << 20, 16 << 20);
    RUN(test_one_that_waits);
    WSACleanup();
}
