/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page of WSARecv, sentence by sentence, as far as overlapped.c, apc.c, iocp.c and udp.c do not
 * have it: the two modes, flags in and out, scatter, waiting for all, errors at once.
 * Each comment quotes the sentence that is checked.
 */
#include "net.h"

#ifndef MSG_PUSH_IMMEDIATE
#define MSG_PUSH_IMMEDIATE 0x20
#endif

struct later {
    SOCKET s;
    const char *data;
    DWORD delay;
};

/* The pieces of data (separated by '|') one after another */
static DWORD WINAPI send_later(void *arg)
{
    struct later *later = arg;
    const char *at = later->data, *end;

    for (;;) {
        Sleep(later->delay);
        end = strchr(at, '|');
        net_send_all(later->s, at, end ? (int)(end - at) : (int)strlen(at));
        if (!end)
            return 0;
        at = end + 1;
    }
}

static HANDLE begin(struct later *later)
{
    return CreateThread(NULL, 0, send_later, later, 0, NULL);
}

/* "If both lpOverlapped and lpCompletionRoutine are NULL, the socket in this function will be
 * treated as a nonoverlapped socket." "In the case of a blocking socket with no data currently
 * having been received ..., the call will block until data is received." "receipt of a single byte
 * is sufficient to unblock the caller." */
static void test_nonoverlapped(void)
{
    struct later later = {0, "1", 100};
    DWORD bytes = 77, flags = 0, timeout = 150, start;
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};
    HANDLE thread;
    SOCKET b;

    net_pair(&later.s, &b);
    start = GetTickCount();
    thread = begin(&later);
    ok_success(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 1 && buffer[0] == '1', "got %lu\n", bytes);
    ok(GetTickCount() - start >= 80, "did not block\n");
    net_finish(thread);

    /* "The socket options SO_RCVTIMEO and SO_SNDTIMEO apply only to blocking sockets." */
    ok_success(setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout)));
    ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAETIMEDOUT);
    closesocket(later.s);
    closesocket(b);

    /* "WSAEWOULDBLOCK ... Nonoverlapped sockets: The socket is marked as nonblocking and the
     * receive operation cannot be completed immediately." */
    net_pair(&later.s, &b);
    net_nonblocking(b, 1);
    ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAEWOULDBLOCK);
    closesocket(later.s);
    closesocket(b);
}

/* An overlapped call neither blocks nor fails on a nonblocking socket: it pends; and SO_RCVTIMEO
 * does not end it. */
static void test_overlapped_pends(void)
{
    DWORD bytes = 0xbeef, flags = 0, timeout = 50;
    WSAOVERLAPPED ov = {0};
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET a, b;

    net_pair(&a, &b);
    net_nonblocking(b, 1);
    ok_success(setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout)));
    ov.hEvent = WSACreateEvent();
    ok_error(WSARecv(b, &buf, 1, &bytes, &flags, &ov, NULL), WSA_IO_PENDING);
    ok(WaitForSingleObject(ov.hEvent, 300) == WAIT_TIMEOUT, "SO_RCVTIMEO ended it\n");
    net_send_all(a, "late", 4);
    ok(WSAGetOverlappedResult(b, &ov, &bytes, TRUE, &flags) && bytes == 4, "got %lu, error %d\n",
       bytes, WSAGetLastError());

    /* "If the overlapped operation is successfully initiated and will complete later ... In this
     * case, lpNumberOfBytesRecvd and lpFlags are not updated." */
    flags = MSG_PUSH_IMMEDIATE;
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    ok(flags == MSG_PUSH_IMMEDIATE, "got flags %lx\n", flags);
    net_send_all(a, "x", 1);
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    ok(flags == MSG_PUSH_IMMEDIATE,
       "\"In the case of delayed completion, the value pointed to by "
       "lpFlags is not updated\": got %lx\n",
       flags);
    closesocket(a);
    closesocket(b);
    WSACloseEvent(ov.hEvent);
}

/* "lpOverlapped ... (ignored for nonoverlapped sockets)": one made without WSA_FLAG_OVERLAPPED
 * waits and returns zero. */
static void test_ignored_overlapped(void)
{
    struct later later = {0, "sync", 100};
    WSAOVERLAPPED ov = {0};
    DWORD bytes = 0, flags = 0;
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};
    HANDLE thread;
    SOCKET s;

    net_pair_flags(AF_INET, 0, &s, &later.s);
    thread = begin(&later);
    ok_success(WSARecv(s, &buf, 1, &bytes, &flags, &ov, NULL));
    ok(bytes == 4 && !memcmp(buffer, "sync", 4), "got %lu\n", bytes);
    net_finish(thread);
    closesocket(s);
    closesocket(later.s);
}

/* "The buffers are filled in the order in which they appear in the array pointed to by lpBuffers,
 * and the buffers are packed so that no holes are created." "placed into the buffers until the
 * buffers are filled, the connection is closed, or the internally buffered data is exhausted." */
static void test_scatter(void)
{
    char store[24];
    WSABUF buffers[3] = {{4, store}, {6, store + 8}, {4, store + 16}};
    DWORD bytes, flags = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "0123456789", 10);
    net_arrived(b, 10);
    memset(store, '.', sizeof(store));
    ok_success(WSARecv(b, buffers, 3, &bytes, &flags, NULL, NULL));
    ok(bytes == 10 && !memcmp(store, "0123....456789..........", 24), "got %lu: %.24s\n", bytes,
       store);
    /* a buffer of no length among them is passed over */
    net_send_all(a, "abcdef", 6);
    net_arrived(b, 6);
    memset(store, '.', sizeof(store));
    buffers[1].len = 0;
    ok_success(WSARecv(b, buffers, 3, &bytes, &flags, NULL, NULL));
    ok(bytes == 6 && !memcmp(store, "abcd............ef......", 24), "got %lu: %.24s\n", bytes,
       store);
    /* WSASend gathers in the same manner */
    buffers[0].buf = "gath";
    buffers[2].buf = "ered";
    ok_success(WSASend(b, buffers, 3, &bytes, 0, NULL, NULL));
    ok(bytes == 8 && net_recv_all(a, store, 8) == 8 && !memcmp(store, "gathered", 8),
       "got %lu: %.8s\n", bytes, store);
    closesocket(a);
    closesocket(b);
}

/* "MSG_PEEK ... The data is copied into the buffer, but is not removed from the input queue." */
static void test_peek(void)
{
    DWORD bytes, flags = MSG_PEEK;
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "peek", 4);
    net_arrived(b, 4);
    ok_success(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 4, "got %lu\n", bytes);
    flags = 0;
    ok_success(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 4 && !memcmp(buffer, "peek", 4), "got %lu\n", bytes);

    /* "MSG_PUSH_IMMEDIATE ... This flag is a hint rather than an actual guarantee." */
    net_send_all(a, "push", 4);
    net_arrived(b, 4);
    flags = MSG_PUSH_IMMEDIATE;
    ok_success(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 4, "got %lu\n", bytes);
    closesocket(a);
    closesocket(b);
}

/* "MSG_WAITALL: The receive request will complete only when ... The buffer supplied by the caller
 * is completely full. The connection has been closed. The request has been canceled or an error
 * occurred." */
static void test_waitall(void)
{
    struct later later = {0, "12|34|5678", 60};
    DWORD bytes = 0, flags = MSG_WAITALL;
    WSAOVERLAPPED ov = {0};
    char store[16] = "";
    WSABUF buffers[2] = {{3, store}, {5, store + 3}};
    HANDLE thread;
    SOCKET b;

    net_pair(&later.s, &b);
    thread = begin(&later);
    ok_success(WSARecv(b, buffers, 2, &bytes, &flags, NULL, NULL));
    todo_wine ok(bytes == 8 && !memcmp(store, "12345678", 8), "got %lu: %.8s\n", bytes, store);
    net_finish(thread);
    closesocket(later.s);
    closesocket(b);

    net_pair(&later.s, &b);
    ov.hEvent = WSACreateEvent();
    flags = MSG_WAITALL;
    ok_error(WSARecv(b, buffers, 2, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    thread = begin(&later);
    ok(WSAGetOverlappedResult(b, &ov, &bytes, TRUE, &flags), "error %d\n", WSAGetLastError());
    todo_wine ok(bytes == 8 && !memcmp(store, "12345678", 8), "got %lu: %.8s\n", bytes, store);
    net_finish(thread);
    closesocket(later.s);
    closesocket(b);

    /* the end of the stream ends it with what there is */
    net_pair(&later.s, &b);
    ResetEvent(ov.hEvent);
    flags = MSG_WAITALL;
    ok_error(WSARecv(b, buffers, 2, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    net_send_all(later.s, "abc", 3);
    closesocket(later.s);
    ok(WSAGetOverlappedResult(b, &ov, &bytes, TRUE, &flags) && bytes == 3, "got %lu, error %d\n",
       bytes, WSAGetLastError());
    closesocket(b);
    WSACloseEvent(ov.hEvent);
}

/* "if the socket is in a non-blocking mode, then this call will fail with WSAEOPNOTSUPP. Also, if
 * MSG_WAITALL is specified along with MSG_OOB, MSG_PEEK, or MSG_PARTIAL, then this call will fail
 * with WSAEOPNOTSUPP. This flag is not supported on datagram sockets". */
static void test_waitall_refused(void)
{
    static const DWORD with[] = {MSG_OOB, MSG_PEEK, MSG_PARTIAL};
    struct sockaddr_storage address[2];
    DWORD bytes, flags;
    char buffer[16];
    WSABUF buf = {4, buffer};
    int length;
    unsigned i;
    SOCKET a, b, s[2];

    net_pair(&a, &b);
    net_send_all(a, "data to be there", 16);
    net_arrived(b, 16);
    for (i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
        if (with[i] == MSG_OOB && on_builtin())
            continue; /* which would wait for ever */
        winetest_push_context("with flag %lx", with[i]);
        flags = MSG_WAITALL | with[i];
        todo_wine ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAEOPNOTSUPP);
        winetest_pop_context();
    }
    net_nonblocking(b, 1);
    flags = MSG_WAITALL;
    todo_wine ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAEOPNOTSUPP);
    closesocket(a);
    closesocket(b);

    net_udp_pair(AF_INET, s, address, &length);
    sendto(s[0], "data", 4, 0, (struct sockaddr *)&address[1], length);
    net_arrived(s[1], 4);
    flags = MSG_WAITALL;
    todo_wine ok_error(WSARecv(s[1], &buf, 1, &bytes, &flags, NULL, NULL), WSAEOPNOTSUPP);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* "WSAEINVAL: The socket has not been bound"; "WSAEOPNOTSUPP: MSG_OOB was specified, but the socket
 * is not stream-style"; "WSAESHUTDOWN: ... it is not possible to call WSARecv on a socket after
 * shutdown has been invoked with how set to SD_RECEIVE or SD_BOTH"; of overlapped calls: "Any other
 * error code indicates that the overlapped operation was not successfully initiated and no
 * completion indication will occur." */
static void test_errors(void)
{
    struct sockaddr_storage address;
    DWORD bytes, flags = 0;
    WSAOVERLAPPED ov = {0};
    char buffer[16];
    WSABUF buf = {4, buffer};
    int length;
    SOCKET a, b, s;

    ov.hEvent = WSACreateEvent();
    s = socket(AF_INET, SOCK_DGRAM, 0);
    net_nonblocking(s, 1);
    todo_wine ok_error(WSARecv(s, &buf, 1, &bytes, &flags, NULL, NULL), WSAEINVAL);
    closesocket(s);

    s = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    net_nonblocking(s, 1);
    flags = MSG_OOB;
    todo_wine ok_error(WSARecv(s, &buf, 1, &bytes, &flags, NULL, NULL), WSAEOPNOTSUPP);
    closesocket(s);

    net_pair(&a, &b);
    ok_success(shutdown(b, SD_RECEIVE));
    flags = 0;
    ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAESHUTDOWN);
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, NULL), WSAESHUTDOWN);
    ok(WaitForSingleObject(ov.hEvent, 20) == WAIT_TIMEOUT, "a completion came\n");
    closesocket(a);
    closesocket(b);

    /* "WSAEFAULT: The lpBuffers parameter is not completely contained in a valid part of the user
     * address space." */
    net_pair(&a, &b);
    net_send_all(a, "data", 4);
    net_arrived(b, 4);
    if (!on_builtin()) { /* which would crash */
        ok_error(WSARecv(b, NULL, 1, &bytes, &flags, NULL, NULL), WSAEFAULT);
        ok_error(WSARecv(b, (WSABUF *)8, 1, &bytes, &flags, NULL, NULL), WSAEFAULT);
        ok_error(WSARecv(b, (WSABUF *)8, 1, NULL, &flags, &ov, NULL), WSAEFAULT);
    }
    buf.buf = (char *)8;
    ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAEFAULT);
    /* and the data is still there */
    ok(recv(b, buffer, sizeof(buffer), 0) == 4 && !memcmp(buffer, "data", 4), "the data is gone\n");
    closesocket(a);
    closesocket(b);
    WSACloseEvent(ov.hEvent);
}

/* WSAECONNRESET: "the virtual circuit was reset by the remote side", at once if it has happened,
 * and then for overlapped calls no completion. */
static void test_reset(void)
{
    DWORD bytes, flags = 0;
    WSAOVERLAPPED ov = {0};
    char buffer[16];
    WSABUF buf = {4, buffer};
    SOCKET a, b;

    ov.hEvent = WSACreateEvent();
    net_pair(&a, &b);
    net_reset(a);
    Sleep(100);
    todo_wine ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, NULL), WSAECONNRESET);
    ok(on_builtin() || WaitForSingleObject(ov.hEvent, 20) == WAIT_TIMEOUT, "a completion came\n");
    closesocket(b);

    net_pair(&a, &b);
    net_reset(a);
    Sleep(100);
    todo_wine ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAECONNRESET);
    closesocket(b);
    WSACloseEvent(ov.hEvent);
}

START_TEST(wsarecv)
{
    net_start();
    RUN(test_nonoverlapped);
    RUN(test_overlapped_pends);
    RUN(test_ignored_overlapped);
    RUN(test_scatter);
    RUN(test_peek);
    RUN(test_waitall);
    RUN(test_waitall_refused);
    RUN(test_errors);
    RUN(test_reset);
    WSACleanup();
}
