/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many receives at a time: 10 on each of 1,000 connections, told by event, by completion port and
 * by completion routine. Source: the page of WSARecv ("For overlapped sockets, WSARecv is used to
 * post one or more buffers into which incoming data will be placed as it becomes available, after
 * which the application-specified completion indication ... occurs"; "If multiple I/O operations
 * are simultaneously outstanding, each must reference a separate WSAOVERLAPPED structure"; "the
 * posted buffers are guaranteed to be filled in the same order in which they are specified").
 */
#include "net.h"

#define CONNECTIONS 1000
#define EACH        10
#define RECEIVES    (CONNECTIONS * EACH)
#define SIZE        24
#define STREAM      (EACH * SIZE) /* bytes that go over each connection */
#define PATIENCE    60000         /* for the whole, on a busy machine */

struct receive {
    WSAOVERLAPPED ov;
    int told; /* completions seen */
    DWORD error, bytes;
    char data[SIZE];
};

static SOCKET senders[CONNECTIONS], receivers[CONNECTIONS];
static struct receive receives[RECEIVES];
static int told;

/* The byte at a place of a connection's stream. */
static char byte_at(int connection, int place)
{
    return (char)(connection * 31 + place * 7 + (place >> 4));
}

static struct receive *receive_of(WSAOVERLAPPED *overlapped)
{
    struct receive *receive = CONTAINING_RECORD(overlapped, struct receive, ov);

    ok(receive >= receives && receive < receives + RECEIVES, "not one of ours: %p\n", overlapped);
    return receive;
}

static void connect_all(void)
{
    struct sockaddr_storage address;
    int length, i, on = 1;
    SOCKET l = net_listener(AF_INET, &address, &length);

    for (i = 0; i < CONNECTIONS; i++) {
        senders[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (senders[i] == INVALID_SOCKET ||
            connect(senders[i], (struct sockaddr *)&address, length)) {
            ok(0, "connection %d: error %d\n", i, WSAGetLastError());
            exit(1);
        }
        receivers[i] = accept(l, NULL, NULL);
        setsockopt(senders[i], IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on));
    }
    closesocket(l);
}

static void close_all(void)
{
    int i, failed = 0;

    for (i = 0; i < CONNECTIONS; i++)
        failed += closesocket(senders[i]) || closesocket(receivers[i]);
    ok(!failed, "%d did not close, error %d\n", failed, WSAGetLastError());
}

static void post_all(LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    int i, pending = 0;

    told = 0;
    for (i = 0; i < RECEIVES; i++) {
        WSABUF buf = {SIZE, receives[i].data};
        DWORD flags = 0;

        receives[i].told = 0;
        receives[i].error = receives[i].bytes = 0;
        if (WSARecv(receivers[i / EACH], &buf, 1, NULL, &flags, &receives[i].ov, routine) &&
            WSAGetLastError() == WSA_IO_PENDING)
            pending++;
    }
    ok(pending == RECEIVES, "%d of %d are pending, last error %d\n", pending, RECEIVES,
       WSAGetLastError());
}

/* Round by round over all connections, in pieces that fit no buffer. */
static void send_all(void)
{
    static const int ends[] = {17, 18, 101, STREAM};
    char data[STREAM];
    int round, i, k, from = 0;

    for (round = 0; round < (int)ARRAYSIZE(ends); from = ends[round++]) {
        for (i = 0; i < CONNECTIONS; i++) {
            for (k = from; k < ends[round]; k++)
                data[k] = byte_at(i, k);
            net_send_all(senders[i], data + from, ends[round] - from);
        }
    }
}

static void tell(struct receive *receive, DWORD error, DWORD bytes)
{
    receive->told++;
    receive->error = error;
    receive->bytes = bytes;
    told++;
}

/* Compares one connection's receives with its stream; what they left is still there to be read. */
static int right(int connection)
{
    struct receive *receive = &receives[connection * EACH];
    char rest[STREAM];
    int place = 0, i;
    DWORD k;

    for (i = 0; i < EACH; i++, receive++) {
        if (receive->told != 1 || receive->error || !receive->bytes || receive->bytes > SIZE)
            return 0;
        for (k = 0; k < receive->bytes; k++)
            if (receive->data[k] != byte_at(connection, place++))
                return 0;
    }
    if (net_recv_all(receivers[connection], rest, STREAM - place) != STREAM - place)
        return 0;
    for (i = 0; place < STREAM; i++)
        if (rest[i] != byte_at(connection, place++))
            return 0;
    return 1;
}

static void check_all(void)
{
    int i, wrong = 0;

    ok(told == RECEIVES, "%d of %d were told\n", told, RECEIVES);
    for (i = 0; i < CONNECTIONS && !wrong; i++)
        if (!right(i))
            wrong = i + 1;
    ok(!wrong, "connection %d got something else\n", wrong - 1);
}

static void test_events(void)
{
    DWORD start, bytes, flags;
    int i;

    connect_all();
    for (i = 0; i < RECEIVES; i++)
        receives[i].ov.hEvent = WSACreateEvent();
    ok(receives[RECEIVES - 1].ov.hEvent != NULL, "error %lu\n", GetLastError());
    post_all(NULL);
    send_all();
    start = GetTickCount();
    for (i = 0; i < RECEIVES; i++) {
        DWORD spent = GetTickCount() - start;

        if (WaitForSingleObject(receives[i].ov.hEvent, spent < PATIENCE ? PATIENCE - spent : 0))
            break;
        bytes = 0;
        if (WSAGetOverlappedResult(receivers[i / EACH], &receives[i].ov, &bytes, FALSE, &flags))
            tell(&receives[i], 0, bytes);
    }
    check_all();
    for (i = 0; i < RECEIVES; i++) {
        WSACloseEvent(receives[i].ov.hEvent);
        receives[i].ov.hEvent = NULL;
    }
    close_all();
}

static void test_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    WSAOVERLAPPED *overlapped;
    ULONG_PTR key;
    DWORD bytes;
    int i;

    connect_all();
    for (i = 0; i < CONNECTIONS; i++)
        if (CreateIoCompletionPort((HANDLE)receivers[i], port, i, 0) != port)
            ok(0, "association %d: error %lu\n", i, GetLastError());
    post_all(NULL);
    send_all();
    while (told < RECEIVES &&
           GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, PATIENCE)) {
        struct receive *receive = receive_of(overlapped);

        if (key != (ULONG_PTR)(receive - receives) / EACH)
            ok(0, "a packet with key %lu\n", (unsigned long)key);
        tell(receive, 0, bytes);
    }
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 0) && !overlapped,
       "a packet too many\n");
    check_all();
    close_all();
    CloseHandle(port);
}

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    ok(!flags, "got flags %lx\n", flags);
    tell(receive_of(overlapped), error, bytes);
}

static void test_routines(void)
{
    DWORD start;

    connect_all();
    post_all(routine);
    send_all();
    start = GetTickCount();
    ok(!told, "%d called without an alertable wait\n", told);
    while (told < RECEIVES && GetTickCount() - start < PATIENCE)
        SleepEx(1000, TRUE);
    ok(!SleepEx(0, TRUE), "a call too many\n");
    check_all();
    close_all();
}

START_TEST(pressure)
{
    net_start();
    RUN(test_events);
    RUN(test_port);
    RUN(test_routines);
    WSACleanup();
}
