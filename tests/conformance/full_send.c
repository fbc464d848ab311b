/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream whose sender does not wait and has filled the buffers: it goes on when the receiver has
 * read, and not before.
 * Sources: WSAEventSelect's page, "after a send fails with WSAEWOULDBLOCK and buffer space becomes
 * available"; Wine's test_write_events and, in afd.c, test_poll, both run on Windows: who reads
 * until nothing is there has read all, and FD_WRITE comes; while nobody reads nothing says that the
 * sender may send, not even after urgent data the other way.
 */
#include "network_events.h"

#include "afd_poll.h"

#define SIZE   (1 << 20)
#define SOON   1000 /* ms: when there is room, it is told that soon on a busy machine too */
#define CHOSEN (FD_READ | FD_WRITE | FD_OOB | FD_CLOSE)

static char bytes[SIZE];

/* Sends until there is no room; how much was taken. */
static size_t fill(SOCKET s, int chunk)
{
    size_t total = 0;
    int sent;

    while ((sent = send(s, bytes, chunk, 0)) > 0)
        total += sent;
    ok(WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
    return total;
}

/* Reads until nothing is there; how much there was. */
static size_t drain(SOCKET s, int part)
{
    size_t total = 0;
    int got;

    while ((got = recv(s, bytes, part, 0)) > 0)
        total += got;
    ok(WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
    return total;
}

/* The built-in's data may be on its way inside of Linux. */
static size_t drain_all(SOCKET s, int part, size_t sent)
{
    size_t total = drain(s, part);

    while (on_builtin() && total < sent && net_readable(s, NET_PATIENCE))
        total += drain(s, part);
    return total;
}

/* ---- it goes on ---- */

static const struct {
    int chunk, part;
    DWORD pause; /* before the receiver reads: more than the server waits for one that is slow */
    BOOL chosen_late;
} ways[] = {
    {SIZE, SIZE, 0, FALSE},  {SIZE, SIZE, 0, TRUE},      {SIZE, SIZE, 20, FALSE},
    {SIZE, SIZE, 20, TRUE},  {SIZE, 10000, 0, FALSE},    {SIZE, 10000, 20, TRUE},
    {65536, SIZE, 0, FALSE}, {65536, 65536, 0, TRUE},    {65536, 3000, 20, FALSE},
    {5000, SIZE, 0, TRUE},   {300000, 100000, 0, FALSE}, {300000, 100000, 20, TRUE},
};

static BOOL is_told(SOCKET s)
{
    DWORD start = GetTickCount();
    long some = 0;

    while (!(some & FD_WRITE) && GetTickCount() - start < SOON)
        some = next_told(s, 20, NULL);
    ok(some == FD_WRITE, "got %lx after %lu ms\n", some, GetTickCount() - start);
    return some == FD_WRITE;
}

static BOOL fill_and_drain(SOCKET a, SOCKET b, unsigned way)
{
    size_t sent, got;

    if (ways[way].chosen_late)
        choose(a, 0);
    sent = fill(a, ways[way].chunk);
    if (ways[way].chosen_late)
        choose(a, CHOSEN);
    if (ways[way].pause)
        Sleep(ways[way].pause);
    got = drain_all(b, ways[way].part, sent);
    ok(got == sent, "%lu of %lu bytes\n", (ULONG)got, (ULONG)sent);
    return is_told(a) && got == sent;
}

static void test_reader_makes_room(void)
{
    for (unsigned way = 0; way < ARRAYSIZE(ways); way++) {
        SOCKET a, b;

        winetest_push_context("by %d, read by %d after %lu ms%s", ways[way].chunk, ways[way].part,
                              ways[way].pause, ways[way].chosen_late ? ", chosen late" : "");
        for (int connection = 0; connection < 5; connection++) {
            net_pair(&a, &b);
            net_nonblocking(b, 1);
            choose(a, CHOSEN);
            ok_told(a, FD_WRITE);
            for (int round = 0; round < 5 && fill_and_drain(a, b, way); round++)
                ;
            closesocket(a);
            closesocket(b);
        }
        winetest_pop_context();
    }
}

/* ---- and not before ---- */

static BOOL select_writable(SOCKET s)
{
    struct timeval time = {0, 0};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(s, &set);
    return select(0, NULL, &set, NULL, &time) == 1;
}

static BOOL afd_writable(SOCKET s)
{
    HANDLE done = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct poll poll;
    NTSTATUS status = poll_one((HANDLE)s, done, &poll, s, POLL_SEND, 0);

    if (status == STATUS_PENDING)
        WaitForSingleObject(done, NET_PATIENCE);
    CloseHandle(done);
    return poll.info.count && (poll.info.handles[0].flags & POLL_SEND);
}

static BOOL poll_writable(SOCKET s)
{
    WSAPOLLFD fd = {.fd = s, .events = POLLWRNORM};

    return WSAPoll(&fd, 1, 0) == 1;
}

static void ok_full(SOCKET s, const char *when)
{
    winetest_push_context("%s", when);
    ok_quiet(s);
    ok(!select_writable(s), "select says that it is writable\n");
    ok(!afd_writable(s), "AFD says that it is writable\n");
    ok(!poll_writable(s), "WSAPoll says that it is writable\n");
    winetest_pop_context();
}

/* Linux may hand on to the receiver's buffer what makes room again. */
static size_t fill_for_good(SOCKET s)
{
    size_t total = fill(s, SIZE);

    while (on_builtin() && told(s, 0, NULL))
        total += fill(s, SIZE);
    return total;
}

static void test_nobody_reads(void)
{
    size_t sent, got;
    SOCKET a, b;

    for (int connection = 0; connection < 3; connection++) {
        net_pair(&a, &b);
        net_nonblocking(b, 1);
        choose(a, FD_WRITE | FD_CLOSE);
        ok_told(a, FD_WRITE);
        sent = fill_for_good(a);
        ok_full(a, "at first");
        Sleep(200);
        ok_full(a, "later");
        ok(send(b, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
        ok(send(b, "u", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
        Sleep(50);
        ok_full(a, "after urgent data of the receiver's");
        got = drain_all(b, SIZE, sent);
        ok(got == sent, "%lu of %lu bytes\n", (ULONG)got, (ULONG)sent);
        is_told(a);
        ok(select_writable(a), "select says that it is not writable\n");
        ok(afd_writable(a), "AFD says that it is not writable\n");
        ok(poll_writable(a), "WSAPoll says that it is not writable\n");
        ok(recv(a, bytes, SIZE, 0) == 1, "error %d\n", WSAGetLastError());
        closesocket(a);
        closesocket(b);
    }
}

/* ---- both at once ---- */

struct reading {
    SOCKET s;
    size_t total;
    int part;
    DWORD pause;
};

static DWORD WINAPI reader(void *argument)
{
    struct reading *reading = argument;
    char *part = malloc(reading->part);
    int got = 1;

    while (net_readable(reading->s, NET_PATIENCE) && got) {
        while ((got = recv(reading->s, part, reading->part, 0)) > 0)
            reading->total += got;
        if (reading->pause)
            Sleep(reading->pause);
    }
    free(part);
    return 0;
}

static void test_both_at_once(size_t size, int chunk, int part, DWORD pause)
{
    struct reading reading = {.part = part, .pause = pause};
    size_t sent = 0;
    HANDLE thread;
    SOCKET a;
    int count;

    winetest_push_context("by %d, read by %d with %lu ms between", chunk, part, pause);
    net_pair(&a, &reading.s);
    net_nonblocking(reading.s, 1);
    choose(a, CHOSEN);
    ok_told(a, FD_WRITE);
    thread = CreateThread(NULL, 0, reader, &reading, 0, NULL);
    while (sent < size) {
        while (sent < size && (count = send(a, bytes, chunk, 0)) > 0)
            sent += count;
        if (sent < size && !is_told(a))
            break;
    }
    closesocket(a);
    ok(!WaitForSingleObject(thread, 60000), "the reader does not end\n");
    ok(reading.total == sent, "%lu of %lu bytes\n", (ULONG)reading.total, (ULONG)sent);
    CloseHandle(thread);
    closesocket(reading.s);
    winetest_pop_context();
}

static void run_all(void)
{
    RUN(test_reader_makes_room);
    RUN(test_nobody_reads);
    RUN(test_both_at_once, 32 << 20, SIZE, 65536, 0);
    RUN(test_both_at_once, 32 << 20, 65536, 10000, 0);
    RUN(test_both_at_once, 16 << 20, SIZE, SIZE, 10);
    RUN(test_both_at_once, 8 << 20, 20000, SIZE, 10);
}

START_TEST(full_send)
{
    net_start();
    each_way_to_tell(run_all);
    WSACleanup();
}
