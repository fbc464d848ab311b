/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IOCTL_AFD_POLL as event loops send it that go around ws2_32 (mio, wepoll, libuv): through a
 * helper handle on \Device\Afd with a completion port, or through a socket.  No documentation of
 * Microsoft's describes it; the layout and the flags are those in the sources of wepoll and mio,
 * which work on Windows, and what is not obvious was shown by Wine's test_poll, run on Windows.
 */
#include "afd_poll.h"

static const LONGLONG for_ever = 0x7fffffffffffffffll;

static HANDLE open_helper(void)
{
    static WCHAR path[] = L"\\Device\\Afd\\Test";
    UNICODE_STRING name = {sizeof(path) - sizeof(WCHAR), sizeof(path), path};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK iosb;
    HANDLE helper = NULL;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    status = NtCreateFile(&helper, SYNCHRONIZE, &attributes, &iosb, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0);
    ok(!status, "NtCreateFile: %lx\n", status);
    return helper;
}

/* A helper on a port, as mio makes it. */
static HANDLE open_helper_on_port(HANDLE *port)
{
    HANDLE helper = open_helper();

    *port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    ok(CreateIoCompletionPort(helper, *port, 77, 0) == *port, "error %lu\n", GetLastError());
    return helper;
}

static void expect_packet(HANDLE port, const struct poll *poll, NTSTATUS status, SOCKET s,
                          ULONG flags)
{
    OVERLAPPED_ENTRY entry = {0};
    ULONG count = 0;

    ok(GetQueuedCompletionStatusEx(port, &entry, 1, &count, NET_PATIENCE, FALSE) && count == 1,
       "no packet, error %lu\n", GetLastError());
    ok(entry.lpCompletionKey == 77 && (void *)entry.lpOverlapped == (const void *)poll,
       "got key %lu, %p, expected %p\n", (ULONG)entry.lpCompletionKey, entry.lpOverlapped, poll);
    ok(poll->iosb.Status == status, "status %lx\n", poll->iosb.Status);
    if (status)
        return;
    ok(poll->iosb.Information == size_of(poll->info.count), "information %lu\n",
       (ULONG)poll->iosb.Information);
    ok(poll->info.count == 1 && poll->info.handles[0].handle == s, "count %lu\n", poll->info.count);
    ok(poll->info.handles[0].flags == flags, "flags %lx, expected %lx\n",
       poll->info.handles[0].flags, flags);
}

static void expect_no_packet(HANDLE port)
{
    OVERLAPPED_ENTRY entry;
    ULONG count;

    ok(!GetQueuedCompletionStatusEx(port, &entry, 1, &count, 50, FALSE), "a packet came\n");
}

static void close_all(HANDLE helper, HANDLE port, SOCKET a, SOCKET b)
{
    CloseHandle(helper);
    if (port)
        CloseHandle(port);
    closesocket(a);
    closesocket(b);
}

/* A poll waits, and ends with a packet when data comes; one that can be answered at once has its
 * packet too. */
static void test_receive(void)
{
    struct poll poll;
    HANDLE helper, port;
    char buffer[8];
    SOCKET a, b;

    net_pair(&a, &b);
    helper = open_helper_on_port(&port);
    ok(poll_one(helper, NULL, &poll, b, POLL_RECEIVE | POLL_DISCONNECT, for_ever) == STATUS_PENDING,
       "does not wait\n");
    expect_no_packet(port);
    net_send_all(a, "x", 1);
    expect_packet(port, &poll, 0, b, POLL_RECEIVE);
    ok(!poll_one(helper, NULL, &poll, b, POLL_RECEIVE | POLL_DISCONNECT, for_ever), "waits\n");
    expect_packet(port, &poll, 0, b, POLL_RECEIVE);
    ok(recv(b, buffer, sizeof(buffer), 0) == 1, "error %d\n", WSAGetLastError());
    ok(poll_one(helper, NULL, &poll, b, POLL_RECEIVE, for_ever) == STATUS_PENDING, "no wait\n");
    ok(CancelIoEx(helper, (OVERLAPPED *)&poll.iosb), "error %lu\n", GetLastError());
    expect_packet(port, &poll, STATUS_CANCELLED, b, 0);
    close_all(helper, port, a, b);
}

/* The system goes on moving bytes to the peer for a while after the first WSAEWOULDBLOCK. */
static void fill(SOCKET s)
{
    static char block[65536];

    net_nonblocking(s, 1);
    do {
        while (send(s, block, sizeof(block), 0) > 0)
            ;
    } while (net_writable(s, 200));
}

static void test_send(void)
{
    static char block[65536];
    struct poll poll;
    HANDLE helper, port;
    SOCKET a, b;

    net_pair(&a, &b);
    helper = open_helper_on_port(&port);
    ok(!poll_one(helper, NULL, &poll, a, POLL_SEND, for_ever), "not writable at first\n");
    expect_packet(port, &poll, 0, a, POLL_SEND);
    fill(a);
    ok(poll_one(helper, NULL, &poll, a, POLL_SEND, for_ever) == STATUS_PENDING, "writable\n");
    net_nonblocking(b, 1);
    do {
        while (recv(b, block, sizeof(block), 0) > 0)
            ;
    } while (net_readable(b, 200));
    expect_packet(port, &poll, 0, a, POLL_SEND);
    close_all(helper, port, a, b);
}

/* The peer's shutdown, its reset, and closing the polled socket here, which is told unasked. */
static void test_ends(void)
{
    struct poll poll;
    HANDLE helper, port;
    SOCKET a, b;

    net_pair(&a, &b);
    helper = open_helper_on_port(&port);
    ok(poll_one(helper, NULL, &poll, b, POLL_DISCONNECT, for_ever) == STATUS_PENDING, "no wait\n");
    shutdown(a, SD_SEND);
    expect_packet(port, &poll, 0, b, POLL_DISCONNECT);
    closesocket(a);
    closesocket(b);

    net_pair(&a, &b);
    memset(&poll, 0, sizeof(poll));
    ok(poll_one(helper, NULL, &poll, b, POLL_ABORT, for_ever) == STATUS_PENDING, "no wait\n");
    net_reset(a);
    expect_packet(port, &poll, 0, b, POLL_ABORT);
    closesocket(b);

    net_pair(&a, &b);
    ok(poll_one(helper, NULL, &poll, b, POLL_RECEIVE, for_ever) == STATUS_PENDING, "no wait\n");
    closesocket(b);
    expect_packet(port, &poll, 0, b, POLL_LOCAL_CLOSE);
    close_all(helper, port, a, INVALID_SOCKET);
}

static void test_accept(void)
{
    struct sockaddr_storage address;
    struct poll poll;
    HANDLE helper, port;
    SOCKET l, client;
    int length;

    l = net_listener(AF_INET, &address, &length);
    helper = open_helper_on_port(&port);
    ok(poll_one(helper, NULL, &poll, l, POLL_ACCEPT, for_ever) == STATUS_PENDING, "no wait\n");
    client = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(client, (struct sockaddr *)&address, length));
    expect_packet(port, &poll, 0, l, POLL_ACCEPT);
    close_all(helper, port, l, client);
}

static void test_connect_fails(void)
{
    struct sockaddr_storage address;
    int length = net_nobody(AF_INET, &address);
    struct poll poll;
    HANDLE helper, port;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    helper = open_helper_on_port(&port);
    net_nonblocking(s, 1);
    connect(s, (struct sockaddr *)&address, length);
    poll_one(helper, NULL, &poll, s, POLL_CONNECT_FAIL, for_ever);
    expect_packet(port, &poll, 0, s, POLL_CONNECT_FAIL);
    ok(poll.info.handles[0].status != 0, "no status\n");
    close_all(helper, port, s, INVALID_SOCKET);
}

/* Through a socket, with an event, about two sockets; only the ready one is told. */
static void test_two_sockets(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct poll poll = {0};
    SOCKET a, b, c, d;

    net_pair(&a, &b);
    net_pair(&c, &d);
    poll.info.timeout = for_ever;
    poll.info.count = 2;
    poll.info.handles[0].handle = b;
    poll.info.handles[1].handle = d;
    poll.info.handles[0].flags = poll.info.handles[1].flags = POLL_RECEIVE;
    ok(send_poll((HANDLE)a, event, &poll) == STATUS_PENDING, "no wait\n");
    ok(WaitForSingleObject(event, 50) == WAIT_TIMEOUT, "signaled\n");
    net_send_all(c, "x", 1);
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "no event\n");
    ok(!poll.iosb.Status && poll.info.count == 1 && poll.info.handles[0].handle == d &&
           poll.info.handles[0].flags == POLL_RECEIVE,
       "status %lx, count %lu\n", poll.iosb.Status, poll.info.count);
    /* the other one is free for the next poll */
    net_send_all(a, "x", 1);
    net_arrived(b, 1);
    ok(!poll_one((HANDLE)a, event, &poll, b, POLL_RECEIVE, 0) && poll.info.count == 1,
       "count %lu\n", poll.info.count);
    close_all(event, NULL, a, b);
    closesocket(c);
    closesocket(d);
}

/* 0 does not wait; a time ends the poll with STATUS_TIMEOUT and no socket. */
static void test_time(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD start = GetTickCount();
    struct poll poll;
    SOCKET a, b;

    net_pair(&a, &b);
    ok(!poll_one((HANDLE)b, event, &poll, b, POLL_RECEIVE, 0), "waits\n");
    ok(!poll.iosb.Status && !poll.info.count, "status %lx, count %lu\n", poll.iosb.Status,
       poll.info.count);
    ok(poll_one((HANDLE)b, event, &poll, b, POLL_RECEIVE, -2000000) == STATUS_PENDING, "no wait\n");
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "no event\n");
    ok(GetTickCount() - start >= 180, "after %lu ms\n", GetTickCount() - start);
    ok(poll.iosb.Status == STATUS_TIMEOUT && !poll.info.count &&
           poll.iosb.Information == size_of(0),
       "status %lx, count %lu\n", poll.iosb.Status, poll.info.count);
    close_all(event, NULL, a, b);
}

/* An exclusive poll takes the place of the exclusive one before it. */
static void test_exclusive(void)
{
    HANDLE events[2] = {CreateEventW(NULL, TRUE, FALSE, NULL),
                        CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct poll polls[2] = {0};
    SOCKET a, b;
    int i;

    net_pair(&a, &b);
    for (i = 0; i < 2; i++) {
        polls[i].info.timeout = for_ever;
        polls[i].info.count = polls[i].info.exclusive = 1;
        polls[i].info.handles[0].handle = b;
        polls[i].info.handles[0].flags = POLL_RECEIVE;
        ok(send_poll((HANDLE)a, events[i], &polls[i]) == STATUS_PENDING, "%d does not wait\n", i);
    }
    ok(WaitForSingleObject(events[0], NET_PATIENCE) == WAIT_OBJECT_0, "the first stays\n");
    ok(!polls[0].info.count, "count %lu\n", polls[0].info.count);
    ok(WaitForSingleObject(events[1], 50) == WAIT_TIMEOUT, "the second ends\n");
    net_send_all(a, "x", 1);
    ok(WaitForSingleObject(events[1], NET_PATIENCE) == WAIT_OBJECT_0, "no event\n");
    ok(polls[1].info.count == 1, "count %lu\n", polls[1].info.count);
    close_all(events[0], events[1], a, b);
}

static void test_refused(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), helper = open_helper();
    struct poll poll = {0};
    NTSTATUS status;
    SOCKET a, b;

    net_pair(&a, &b);
    status = poll_one(helper, event, &poll, 0, POLL_RECEIVE, 0);
    ok(status == STATUS_INVALID_HANDLE, "no socket: %lx\n", status);
    poll.info.count = 0;
    status = NtDeviceIoControlFile(helper, event, NULL, NULL, &poll.iosb, IOCTL_AFD_POLL,
                                   &poll.info, size_of(1), &poll.info, size_of(1));
    ok(status == STATUS_INVALID_PARAMETER, "no handles: %lx\n", status);
    poll.info.count = 1;
    poll.info.handles[0].handle = b;
    status = NtDeviceIoControlFile(helper, event, NULL, NULL, &poll.iosb, IOCTL_AFD_POLL,
                                   &poll.info, size_of(1), &poll.info, size_of(1) - 1);
    ok(status == STATUS_INVALID_PARAMETER, "short output: %lx\n", status);
    poll.info.count = 2;
    status = NtDeviceIoControlFile(helper, event, NULL, NULL, &poll.iosb, IOCTL_AFD_POLL,
                                   &poll.info, size_of(1), &poll.info, size_of(1));
    ok(status == STATUS_INVALID_PARAMETER, "short input: %lx\n", status);
    CloseHandle(helper);
    close_all(event, NULL, a, b);
}

/* Many polls from one thread, answered from another: none is lost, each once. */
static DWORD WINAPI answer(void *arg)
{
    SOCKET s = (SOCKET)arg;
    char byte;

    while (recv(s, &byte, 1, 0) == 1)
        send(s, &byte, 1, 0);
    return 0;
}

static void test_ping_pong(void)
{
    enum { ROUNDS = 3000 };
    HANDLE helper, port, thread;
    struct poll poll;
    SOCKET a, b;
    int i, done = 0;
    char byte;

    net_pair(&a, &b);
    helper = open_helper_on_port(&port);
    thread = CreateThread(NULL, 0, answer, (void *)a, 0, NULL);
    net_nonblocking(b, 1);
    for (i = 0; i < ROUNDS; i++) {
        OVERLAPPED_ENTRY entry;
        ULONG count;
        NTSTATUS status;

        send(b, "x", 1, 0);
        status = poll_one(helper, NULL, &poll, b, POLL_RECEIVE, for_ever);
        if (status && status != STATUS_PENDING)
            break;
        if (!GetQueuedCompletionStatusEx(port, &entry, 1, &count, NET_PATIENCE, FALSE))
            break;
        done += recv(b, &byte, 1, 0) == 1;
    }
    ok(done == ROUNDS, "%d of %d rounds\n", done, ROUNDS);
    closesocket(b);
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "the other thread hangs\n");
    CloseHandle(thread);
    close_all(helper, port, a, INVALID_SOCKET);
}

/* A poll is of the sockets that it names: that the one it was sent through is closed says nothing
 * of them. */
static void test_issuer_closes(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct poll poll;
    struct sockaddr_storage address;
    int length;
    SOCKET a = socket(AF_INET, SOCK_STREAM, 0),
           b = net_bound(AF_INET, SOCK_DGRAM, &address, &length);

    ok(poll_one((HANDLE)a, event, &poll, b, POLL_RECEIVE, -200 * 10000) == STATUS_PENDING,
       "no wait\n");
    closesocket(a);
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "no end\n");
    todo_wine ok((ULONG)poll.iosb.Status == STATUS_TIMEOUT && !poll.info.count, "status %lx\n",
                 poll.iosb.Status);
    closesocket(b);
    CloseHandle(event);
}

static void test_datagrams_connect(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct sockaddr_storage address;
    struct poll poll;
    int length;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0),
           r = net_bound(AF_INET, SOCK_DGRAM, &address, &length);

    ok(poll_one((HANDLE)s, event, &poll, s, POLL_CONNECT, for_ever) == STATUS_PENDING, "no wait\n");
    ok_success(connect(s, (struct sockaddr *)&address, length));
    todo_wine ok(WaitForSingleObject(event, 1000) == WAIT_OBJECT_0, "no end\n");
    closesocket(s);
    closesocket(r);
    CloseHandle(event);
}

static void CALLBACK no_routine(void *context, IO_STATUS_BLOCK *iosb, ULONG reserved)
{
    (void)context, (void)iosb, (void)reserved;
}

/* A routine and a port exclude each other; a status block is written at the end only. */
static void test_routine_and_port(void)
{
    struct poll poll = {.info = {.timeout = for_ever, .count = 1}};
    HANDLE port;
    SOCKET a, b;

    net_pair(&a, &b);
    port = CreateIoCompletionPort((HANDLE)b, NULL, 0, 0);
    poll.info.handles[0].handle = b;
    poll.info.handles[0].flags = POLL_RECEIVE;
    memset(&poll.iosb, 0xcc, sizeof(poll.iosb));
    ok(NtDeviceIoControlFile((HANDLE)b, NULL, no_routine, NULL, &poll.iosb, IOCTL_AFD_POLL,
                             &poll.info, size_of(1), &poll.info,
                             size_of(1)) == STATUS_INVALID_PARAMETER,
       "not refused\n");
    ok(send_poll((HANDLE)b, NULL, &poll) == STATUS_PENDING, "no wait\n");
    ok((ULONG)poll.iosb.Status == 0xcccccccc, "status %lx\n", poll.iosb.Status);
    CancelIoEx((HANDLE)b, NULL);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

START_TEST(afd_poll)
{
    net_start();
    RUN(test_receive);
    RUN(test_send);
    RUN(test_ends);
    RUN(test_accept);
    RUN(test_connect_fails);
    RUN(test_two_sockets);
    RUN(test_time);
    RUN(test_exclusive);
    RUN(test_refused);
    RUN(test_ping_pong);
    RUN(test_issuer_closes);
    RUN(test_datagrams_connect);
    RUN(test_routine_and_port);
    WSACleanup();
}
