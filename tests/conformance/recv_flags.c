/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The flags of receives and sends: which go together, and what is told afterwards.
 * Sources: the pages of WSARecv ("WSARecv:"), WSARecvFrom, WSASend, WSAGetOverlappedResult; Wine's
 * test_ip_pktinfo, which was run on Windows.
 */
#include "net.h"

#ifndef MSG_PUSH_IMMEDIATE
#define MSG_PUSH_IMMEDIATE 0x20
#endif

static const DWORD bits[] = {
    MSG_OOB, MSG_PEEK, MSG_PUSH_IMMEDIATE, MSG_WAITALL, MSG_PARTIAL, 0x4, 0x10, 0x40, 0x100,
    0x1000,  0x4000,   0x80000000};

#define KNOWN (MSG_OOB | MSG_PEEK | MSG_PUSH_IMMEDIATE | MSG_WAITALL | MSG_PARTIAL)

struct kind {
    BOOL stream, nonblocking, overlapped;
};

static BOOL is_refused(const struct kind *kind, DWORD flags)
{
    if ((flags & ~KNOWN) || ((flags & MSG_OOB) && !kind->stream))
        return TRUE;
    return (flags & MSG_WAITALL) &&
           (!kind->stream || kind->nonblocking || (flags & (MSG_OOB | MSG_PEEK | MSG_PARTIAL)));
}

struct ends {
    SOCKET a, b;
    struct sockaddr_storage to; /* of b; datagrams */
    int to_length;
};

static struct ends make_ends(const struct kind *kind)
{
    struct sockaddr_storage address[2];
    struct ends ends = {0};
    SOCKET s[2];

    if (kind->stream) {
        net_pair(&ends.a, &ends.b);
    } else {
        net_udp_pair(AF_INET, s, address, &ends.to_length);
        ends.a = s[0];
        ends.b = s[1];
        ends.to = address[1];
        ok_success(connect(ends.a, (struct sockaddr *)&ends.to, ends.to_length));
    }
    net_nonblocking(ends.b, kind->nonblocking);
    return ends;
}

static void close_ends(struct ends *ends)
{
    closesocket(ends->a);
    closesocket(ends->b);
}

/* Four bytes, or one urgent one, are there; receives once with the flags. */
static void check_receive(const struct kind *kind, DWORD flags)
{
    struct ends ends = make_ends(kind);
    BOOL urgent = kind->stream && (flags & MSG_OOB), refused = is_refused(kind, flags);
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD bytes = 0, expected = urgent ? 1 : 4;
    WSAOVERLAPPED ov = {0};
    int result;

    ok(send(ends.a, "data", 4, urgent ? MSG_OOB : 0) == 4, "error %d\n", WSAGetLastError());
    ok(net_arrived(ends.b, urgent ? 3 : 4), "nothing has arrived\n");
    Sleep(urgent ? 20 : 0);
    WSASetLastError(0xdead);
    result = WSARecv(ends.b, &buf, 1, &bytes, &flags, kind->overlapped ? &ov : NULL, NULL);
    if (refused)
        ok(result == SOCKET_ERROR && WSAGetLastError() == WSAEOPNOTSUPP, "got %d, error %d\n",
           result, WSAGetLastError());
    else
        ok(!result && bytes == expected && flags == (urgent ? MSG_OOB : 0),
           "got %d, error %d, %lu bytes, flags %lx\n", result, WSAGetLastError(), bytes, flags);
    close_ends(&ends);
}

/* WSARecv: "if the underlying transport provider does not support MSG_WAITALL, or if the socket is
 * in a non-blocking mode, then this call will fail with WSAEOPNOTSUPP. Also, if MSG_WAITALL is
 * specified along with MSG_OOB, MSG_PEEK, or MSG_PARTIAL". */
static void test_combinations(const struct kind *kind)
{
    size_t i, j;

    winetest_push_context("%s, %s%s", kind->stream ? "stream" : "datagram",
                          kind->nonblocking ? "nonblocking" : "blocking",
                          kind->overlapped ? ", overlapped" : "");
    for (i = 0; i < ARRAYSIZE(bits); i++)
        for (j = i; j < ARRAYSIZE(bits); j++) {
            DWORD flags = bits[i] | bits[j];

            if (on_builtin() && is_refused(kind, flags))
                continue; /* takes them all, and waits for what never comes */
            winetest_push_context("flags %lx", flags);
            check_receive(kind, flags);
            winetest_pop_context();
        }
    winetest_pop_context();
}

static void test_all_combinations(void)
{
    static const struct kind kinds[] = {
        {TRUE, FALSE, FALSE},  {TRUE, FALSE, TRUE},  {TRUE, TRUE, FALSE},  {TRUE, TRUE, TRUE},
        {FALSE, FALSE, FALSE}, {FALSE, FALSE, TRUE}, {FALSE, TRUE, FALSE}, {FALSE, TRUE, TRUE},
    };
    size_t i;

    if (on_builtin())
        return;
    for (i = 0; i < ARRAYSIZE(kinds); i++)
        test_combinations(&kinds[i]);
}

static const struct kind streams = {TRUE, FALSE, FALSE}, datagrams = {FALSE, FALSE, FALSE};

/* WSARecv: "For message-oriented sockets, the MSG_PARTIAL bit is set in the lpFlags parameter if a
 * partial message is received." */
static void test_partial_at_once(void)
{
    struct ends ends = make_ends(&datagrams);
    DWORD bytes = 0, flags = 0;
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};

    ok(send(ends.a, "too long", 8, 0) == 8, "error %d\n", WSAGetLastError());
    ok_error(WSARecv(ends.b, &buf, 1, &bytes, &flags, NULL, NULL), WSAEMSGSIZE);
    ok(!memcmp(buffer, "too ", 4), "wrong bytes\n");
    todo_wine ok(bytes == 4, "got %lu bytes\n", bytes);
    todo_wine ok(flags == MSG_PARTIAL || broken(!flags), "got flags %lx\n", flags);
    close_ends(&ends);
}

/* "If a complete message is received, MSG_PARTIAL is cleared in lpFlags." */
static void test_partial_is_cleared(void)
{
    struct ends ends = make_ends(&datagrams);
    DWORD bytes = 0, flags = MSG_PARTIAL;
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};

    ok(send(ends.a, "fits", 4, 0) == 4, "error %d\n", WSAGetLastError());
    ok_success(WSARecv(ends.b, &buf, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 4, "got %lu bytes\n", bytes);
    todo_wine ok(flags == 0, "got flags %lx\n", flags);
    close_ends(&ends);
}

/* WSARecv: "Any other error code indicates that the overlapped operation was not successfully
 * initiated and no completion indication will occur": a message that is cut off does complete, so
 * the code is WSA_IO_PENDING (test_ip_pktinfo). */
static void test_too_long_overlapped(void)
{
    struct ends ends = make_ends(&datagrams);
    HANDLE port = CreateIoCompletionPort((HANDLE)ends.b, NULL, 3, 0);
    WSAOVERLAPPED ov = {.Offset = 0xdead3, .OffsetHigh = 0xdead4};
    OVERLAPPED *got = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 77, flags = 0;
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};

    ok(send(ends.a, "too long", 8, 0) == 8, "error %d\n", WSAGetLastError());
    ok(net_readable(ends.b, NET_PATIENCE), "nothing has arrived\n");
    todo_wine ok_error(WSARecv(ends.b, &buf, 1, &bytes, &flags, &ov, NULL), WSA_IO_PENDING);
    bytes = 77;
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE) &&
           GetLastError() == ERROR_MORE_DATA,
       "error %lu\n", GetLastError());
    ok(got == (OVERLAPPED *)&ov && key == 3 && bytes == 4, "got %p, %lu bytes\n", got, bytes);
    ok(!memcmp(buffer, "too ", 4), "wrong bytes\n");
    got = NULL;
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 0) && !got, "it completed twice\n");
    ok(ov.Offset == 0xdead3 && ov.OffsetHigh == 0xdead4, "got %lx %lx\n", ov.Offset, ov.OffsetHigh);
    bytes = 77;
    flags = 0xbeef;
    ok(!WSAGetOverlappedResult(ends.b, &ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSAEMSGSIZE,
       "error %d\n", WSAGetLastError());
    ok(bytes == 4, "got %lu bytes\n", bytes);
    todo_wine ok(flags == 0xbeef, "got flags %lx\n", flags);
    close_ends(&ends);
    CloseHandle(port);
}

static DWORD routine_calls, routine_error, routine_bytes, routine_flags;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)ov;
    routine_calls++;
    routine_error = error;
    routine_bytes = bytes;
    routine_flags = flags;
}

/* "The dwFlags parameter contains information that would have appeared in lpFlags if the receive
 * operation had completed immediately", also where it was cut off; lpFlags itself "is not updated".
 */
static void test_too_long_routine(void)
{
    struct ends ends = make_ends(&datagrams);
    WSAOVERLAPPED ov = {0};
    DWORD flags = MSG_PARTIAL;
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};

    routine_calls = 0;
    ok(send(ends.a, "too long", 8, 0) == 8, "error %d\n", WSAGetLastError());
    ok(net_readable(ends.b, NET_PATIENCE), "nothing has arrived\n");
    todo_wine ok_error(WSARecv(ends.b, &buf, 1, NULL, &flags, &ov, routine), WSA_IO_PENDING);
    ok(flags == MSG_PARTIAL, "lpFlags was updated: %lx\n", flags);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no routine ran\n");
    ok(routine_calls == 1 && routine_error == WSAEMSGSIZE && routine_bytes == 4,
       "%lu calls, error %lu, %lu bytes\n", routine_calls, routine_error, routine_bytes);
    todo_wine ok(routine_flags == MSG_PARTIAL || broken(!routine_flags), "got %lx\n",
                 routine_flags);
    close_ends(&ends);
}

/* MSG_PEEK "is valid only for nonoverlapped sockets"; Windows lets it wait like any other (libuv
 * relies on it: it peeks with a buffer of no bytes to learn that a datagram is there). */
static void test_peek_overlapped(void)
{
    struct ends ends = make_ends(&datagrams);
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 77, flags = MSG_PEEK;
    char buffer[8];
    WSABUF buf = {0, buffer};

    ok_error(WSARecv(ends.b, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    ok(send(ends.a, "peek", 4, 0) == 4, "error %d\n", WSAGetLastError());
    ok(WSAWaitForMultipleEvents(1, &ov.hEvent, TRUE, NET_PATIENCE, FALSE) == WSA_WAIT_EVENT_0,
       "no completion\n");
    ok(!WSAGetOverlappedResult(ends.b, &ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSAEMSGSIZE && !bytes,
       "error %d, %lu bytes\n", WSAGetLastError(), bytes);
    ok(recv(ends.b, buffer, 8, 0) == 4 && !memcmp(buffer, "peek", 4), "error %d\n",
       WSAGetLastError());
    close_ends(&ends);
    WSACloseEvent(ov.hEvent);
}

/* The same of a stream. */
static void test_peek_overlapped_stream(void)
{
    struct ends ends = make_ends(&streams);
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags = MSG_PEEK;
    char peeked[8], buffer[8];
    WSABUF buf = {sizeof(peeked), peeked};

    ok_error(WSARecv(ends.b, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    net_send_all(ends.a, "peek", 4);
    ok(WSAWaitForMultipleEvents(1, &ov.hEvent, TRUE, NET_PATIENCE, FALSE) == WSA_WAIT_EVENT_0,
       "no completion\n");
    ok(WSAGetOverlappedResult(ends.b, &ov, &bytes, FALSE, &flags) && bytes == 4 && !flags,
       "error %d, %lu bytes\n", WSAGetLastError(), bytes);
    ok(!memcmp(peeked, "peek", 4), "wrong bytes\n");
    ok(net_recv_all(ends.b, buffer, 4) == 4 && !memcmp(buffer, "peek", 4), "wrong bytes\n");
    close_ends(&ends);
    WSACloseEvent(ov.hEvent);
}

/* WSASend, MSG_DONTROUTE: "A Windows Sockets service provider can choose to ignore this flag." */
static void test_send_dontroute(void)
{
    struct ends ends = make_ends(&streams), of_datagrams = make_ends(&datagrams);
    char buffer[4];

    ok(send(ends.a, "data", 4, MSG_DONTROUTE) == 4, "error %d\n", WSAGetLastError());
    ok(net_recv_all(ends.b, buffer, 4) == 4, "error %d\n", WSAGetLastError());
    ok(send(of_datagrams.a, "data", 4, MSG_DONTROUTE) == 4, "error %d\n", WSAGetLastError());
    ok(recv(of_datagrams.b, buffer, 4, 0) == 4, "error %d\n", WSAGetLastError());
    close_ends(&ends);
    close_ends(&of_datagrams);
}

/* WSASend, MSG_PARTIAL: "the error code WSAEOPNOTSUPP will be returned by transports that do not
 * support partial message transmissions." */
static void test_send_partial(void)
{
    struct ends ends = make_ends(&datagrams);

    todo_wine ok_error(send(ends.a, "data", 4, MSG_PARTIAL), WSAEOPNOTSUPP);
    close_ends(&ends);
}

/* To a stream it means nothing (dotnet/corefx issue 35375: it works on Windows). */
static void test_send_partial_stream(void)
{
    struct ends ends = make_ends(&streams);
    char buffer[4];

    ok(send(ends.a, "data", 4, MSG_PARTIAL) == 4, "error %d\n", WSAGetLastError());
    ok(net_recv_all(ends.b, buffer, 4) == 4, "error %d\n", WSAGetLastError());
    close_ends(&ends);
}

/* What is no flag of a send is refused, and nothing is sent (Kode/Kore pull request 801). */
static void test_send_unknown(void)
{
    static const DWORD unknown[] = {MSG_PEEK, MSG_WAITALL, 0x10, 0x20, 0x40, 0x4000};
    struct ends ends = make_ends(&streams), of_datagrams = make_ends(&datagrams);
    size_t i;

    if (on_builtin())
        return;
    for (i = 0; i < ARRAYSIZE(unknown); i++) {
        ok_error(send(ends.a, "data", 4, unknown[i]), WSAEOPNOTSUPP);
        ok_error(send(of_datagrams.a, "data", 4, unknown[i]), WSAEOPNOTSUPP);
    }
    ok(!net_readable(ends.b, 50) && !net_readable(of_datagrams.b, 0), "something was sent\n");
    close_ends(&ends);
    close_ends(&of_datagrams);
}

START_TEST(recv_flags)
{
    net_start();
    RUN(test_all_combinations);
    RUN(test_partial_at_once);
    RUN(test_partial_is_cleared);
    RUN(test_too_long_overlapped);
    RUN(test_too_long_routine);
    RUN(test_peek_overlapped);
    RUN(test_peek_overlapped_stream);
    RUN(test_send_dontroute);
    RUN(test_send_partial);
    RUN(test_send_partial_stream);
    RUN(test_send_unknown);
    WSACleanup();
}
