/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAEFAULT: each pointer of the send and receive calls that is not there, is only partly there, or
 * is read-only, for calls that complete at once and for pending ones; and what becomes bad while an
 * operation is pending.  Nothing crashes, and what had arrived stays.
 *
 * Sources: WSAEFAULT in the tables of WSARecv, WSARecvFrom, recvfrom, WSASend, WSASendTo, sendto,
 * WSASendMsg.
 *
 * Wine's own DLL reads and writes many of them unguarded: there it would crash.
 */
#include "net.h"

/* ---- memory ---- */

enum { NOWHERE, ONE, KERNEL, RESERVED, INACCESSIBLE, PARTLY, READ_ONLY, KINDS };
static const char *const kind_names[KINDS] = {
    "NULL", "1", "kernel's", "reserved", "inaccessible", "last bytes missing", "read-only"};

static char *pages; /* good, inaccessible, read-only, reserved only */

static void *bad_memory(int kind, size_t size)
{
    switch (kind) {
    case NOWHERE:
        return NULL;
    case ONE:
        return (void *)1;
    case KERNEL:
        return (void *)(ULONG_PTR)-4096;
    case RESERVED:
        return pages + 12288;
    case INACCESSIBLE:
        return pages + 4096;
    case READ_ONLY:
        return pages + 8192;
    default:
        return pages + 4096 - size / 2;
    }
}

static void make_pages(void)
{
    DWORD old;

    pages = VirtualAlloc(NULL, 4 * 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    ok(pages != NULL, "error %lu\n", GetLastError());
    ok(VirtualProtect(pages + 4096, 4096, PAGE_NOACCESS, &old), "error %lu\n", GetLastError());
    ok(VirtualProtect(pages + 8192, 4096, PAGE_READONLY, &old), "error %lu\n", GetLastError());
    ok(VirtualFree(pages + 12288, 4096, MEM_DECOMMIT), "error %lu\n", GetLastError());
}

#define FOR_EACH_KIND(kind)                                                         \
    for (int kind = 0; kind < KINDS; kind++)                                        \
        for (int once = (winetest_push_context("%s", kind_names[kind]), 1); once--; \
             winetest_pop_context())

/* ---- a connection with "data" waiting ---- */

struct pair {
    SOCKET a, b;
    HANDLE event;
    WSAOVERLAPPED overlapped;
    char buffer[16];
    WSABUF buf;
};

static void pair_open(struct pair *pair)
{
    memset(pair, 0, sizeof(*pair));
    net_pair(&pair->a, &pair->b);
    net_send_all(pair->a, "data", 4);
    net_arrived(pair->b, 4);
    pair->event = pair->overlapped.hEvent = WSACreateEvent();
    pair->buf.len = sizeof(pair->buffer);
    pair->buf.buf = pair->buffer;
}

/* "no completion indication will occur", and the data is still there. */
static void pair_untouched(struct pair *pair)
{
    char data[8] = "";

    ok(WaitForSingleObject(pair->event, 0) == WAIT_TIMEOUT, "a completion came\n");
    ok(recv(pair->b, data, sizeof(data), MSG_PEEK) == 4 && !memcmp(data, "data", 4),
       "the data is gone: %.8s\n", data);
}

static void pair_close(struct pair *pair)
{
    closesocket(pair->a);
    closesocket(pair->b);
    WSACloseEvent(pair->event);
}

/* ---- receiving ---- */

/* lpFlags: "[in, out] A pointer to flags used to modify the behavior" */
static void test_flags(void)
{
    struct pair pair;
    DWORD bytes = 0;

    if (on_builtin())
        return; /* which would crash */
    pair_open(&pair);
    FOR_EACH_KIND(kind)
    {
        DWORD *flags = bad_memory(kind, sizeof(*flags));

        ok_error(WSARecv(pair.b, &pair.buf, 1, &bytes, flags, NULL, NULL), WSAEFAULT);
        ok_error(WSARecv(pair.b, &pair.buf, 1, &bytes, flags, &pair.overlapped, NULL), WSAEFAULT);
        ok_error(WSARecvFrom(pair.b, &pair.buf, 1, &bytes, flags, NULL, NULL, NULL, NULL),
                 WSAEFAULT);
        pair_untouched(&pair);
    }
    pair_close(&pair);
}

/* lpNumberOfBytesRecvd: "A pointer to the number, in bytes, of data received by this call if the
 * receive operation completes immediately." */
static void test_bytes_received(void)
{
    struct pair pair;
    DWORD flags = 0;

    if (on_builtin())
        return; /* which would crash */
    pair_open(&pair);
    FOR_EACH_KIND(kind)
    {
        DWORD *bytes = bad_memory(kind, sizeof(*bytes));

        ok_error(WSARecv(pair.b, &pair.buf, 1, bytes, &flags, NULL, NULL), WSAEFAULT);
        if (kind != NOWHERE) /* "Use NULL for this parameter if the lpOverlapped ... is not NULL" */
            ok_error(WSARecv(pair.b, &pair.buf, 1, bytes, &flags, &pair.overlapped, NULL),
                     WSAEFAULT);
        pair_untouched(&pair);
    }
    pair_close(&pair);
}

/* "If the overlapped operation is successfully initiated and will complete later ...
 * lpNumberOfBytesRecvd and lpFlags are not updated": so nobody asks whether the first is there. */
static void test_bytes_of_pending(void)
{
    struct pair pair;
    DWORD bytes, flags = 0;

    pair_open(&pair);
    ok(recv(pair.b, pair.buffer, 16, 0) == 4, "error %d\n", WSAGetLastError());
    FOR_EACH_KIND(kind)
    {
        if (on_builtin() && kind != NOWHERE)
            continue; /* which would crash */
        ok_error(WSARecv(pair.b, &pair.buf, 1, bad_memory(kind, 4), &flags, &pair.overlapped, NULL),
                 WSA_IO_PENDING);
        net_send_all(pair.a, "later", 5);
        ok(WaitForSingleObject(pair.event, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
        ok(WSAGetOverlappedResult(pair.b, &pair.overlapped, &bytes, FALSE, &flags) && bytes == 5,
           "error %d\n", WSAGetLastError());
    }
    pair_close(&pair);
}

/* lpOverlapped: "A pointer to a WSAOVERLAPPED structure" */
static void test_overlapped(void)
{
    struct pair pair;
    DWORD flags = 0;

    if (on_builtin())
        return; /* which would crash */
    pair_open(&pair);
    FOR_EACH_KIND(kind)
    {
        WSAOVERLAPPED *overlapped = bad_memory(kind, sizeof(*overlapped));

        if (kind == NOWHERE)
            continue; /* a call without one */
        ok_error(WSARecv(pair.b, &pair.buf, 1, NULL, &flags, overlapped, NULL), WSAEFAULT);
        ok_error(WSARecvFrom(pair.b, &pair.buf, 1, NULL, &flags, NULL, NULL, overlapped, NULL),
                 WSAEFAULT);
        ok_error(WSASend(pair.b, &pair.buf, 1, NULL, 0, overlapped, NULL), WSAEFAULT);
        pair_untouched(&pair);
    }
    pair_close(&pair);
}

/* "WSAEFAULT: The lpBuffers parameter is not completely contained in a valid part of the user
 * address space." */
static void test_buffer_array(void)
{
    struct pair pair;
    DWORD bytes = 0, flags = 0;

    if (on_builtin())
        return; /* which would crash */
    pair_open(&pair);
    memset(pages, 0, 4096); /* the part that is there: empty buffers */
    FOR_EACH_KIND(kind)
    {
        WSABUF *buffers = bad_memory(kind, 8 * sizeof(*buffers));

        if (kind == READ_ONLY)
            continue; /* nothing is written there */
        ok_error(WSARecv(pair.b, buffers, 1 + 7 * (kind == PARTLY), &bytes, &flags, NULL, NULL),
                 WSAEFAULT);
        ok_error(WSARecv(pair.b, buffers, 8, NULL, &flags, &pair.overlapped, NULL), WSAEFAULT);
        ok_error(WSASend(pair.b, buffers, 8, &bytes, 0, NULL, NULL), WSAEFAULT);
        ok_error(WSASend(pair.b, buffers, 8, NULL, 0, &pair.overlapped, NULL), WSAEFAULT);
        pair_untouched(&pair);
    }
    pair_close(&pair);
}

/* The same for arrays of more entries than there can be */
static void test_huge_count(void)
{
    static const DWORD counts[] = {0x1000, 0x10000000, 0x7fffffff, 0xffffffff};
    struct pair pair;
    DWORD bytes = 0, flags = 0;
    unsigned i;

    if (on_builtin())
        return; /* which would crash */
    pair_open(&pair);
    for (i = 0; i < ARRAYSIZE(counts); i++) {
        WSABUF *buffers = (WSABUF *)(pages + 4096) - 4;

        winetest_push_context("%lx buffers", counts[i]);
        ok_error(WSARecv(pair.b, buffers, counts[i], &bytes, &flags, NULL, NULL), WSAEFAULT);
        ok_error(WSARecv(pair.b, buffers, counts[i], NULL, &flags, &pair.overlapped, NULL),
                 WSAEFAULT);
        ok_error(WSASend(pair.b, buffers, counts[i], &bytes, 0, NULL, NULL), WSAEFAULT);
        pair_untouched(&pair);
        winetest_pop_context();
    }
    pair_close(&pair);
}

/* An hEvent that is no event: the I/O manager's STATUS_INVALID_HANDLE and
 * STATUS_OBJECT_TYPE_MISMATCH, which Winsock tells as WSAENOTSOCK (Wine's
 * test_WSAGetOverlappedResult has the table, run on Windows). */
static void test_event(void)
{
    struct pair pair;
    HANDLE file, closed = WSACreateEvent();
    DWORD flags = 0;

    WSACloseEvent(closed);
    file = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL);
    pair_open(&pair);
    pair.overlapped.hEvent = (HANDLE)(ULONG_PTR)0xdead4;
    ok_error(WSARecv(pair.b, &pair.buf, 1, NULL, &flags, &pair.overlapped, NULL), WSAENOTSOCK);
    ok_error(WSASend(pair.b, &pair.buf, 1, NULL, 0, &pair.overlapped, NULL), WSAENOTSOCK);
    pair.overlapped.hEvent = closed;
    ok_error(WSARecv(pair.b, &pair.buf, 1, NULL, &flags, &pair.overlapped, NULL), WSAENOTSOCK);
    pair.overlapped.hEvent = file;
    ok_error(WSARecv(pair.b, &pair.buf, 1, NULL, &flags, &pair.overlapped, NULL), WSAENOTSOCK);
    pair_untouched(&pair);
    pair_close(&pair);
    CloseHandle(file);
}

static BOOL routine_ran;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    (void)flags;
    ok(!error && bytes == 4, "error %lu, %lu bytes\n", error, bytes);
    ok(overlapped->hEvent == (HANDLE)1234, "got %p\n", overlapped->hEvent);
    routine_ran = TRUE;
}

/* "If lpCompletionRoutine is not NULL, the hEvent parameter is ignored and can be used by the
 * application to pass context information to the completion routine." */
static void test_event_ignored(void)
{
    struct pair pair;
    DWORD flags = 0;

    pair_open(&pair);
    pair.overlapped.hEvent = (HANDLE)1234;
    routine_ran = FALSE;
    ok(!WSARecv(pair.b, &pair.buf, 1, NULL, &flags, &pair.overlapped, routine) ||
           WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
    SleepEx(NET_PATIENCE, TRUE);
    ok(routine_ran, "the routine did not run\n");
    pair_close(&pair);
}

/* ---- the sender's address ---- */

struct datagrams {
    SOCKET s[2];
    struct sockaddr_storage address[2];
    int length;
    char buffer[16];
    WSABUF buf;
};

static void datagrams_open(struct datagrams *udp)
{
    memset(udp, 0, sizeof(*udp));
    net_udp_pair(AF_INET, udp->s, udp->address, &udp->length);
    udp->buf.len = sizeof(udp->buffer);
    udp->buf.buf = udp->buffer;
}

static void datagrams_send(struct datagrams *udp, const char *text)
{
    int length = (int)strlen(text);

    ok(sendto(udp->s[0], text, length, 0, (struct sockaddr *)&udp->address[1], udp->length) ==
           length,
       "error %d\n", WSAGetLastError());
}

/* The datagram is still there, whole and with its sender */
static void datagrams_untouched(struct datagrams *udp)
{
    struct sockaddr_storage from;
    int length = sizeof(from);
    char data[8] = "";

    ok(recvfrom(udp->s[1], data, sizeof(data), MSG_PEEK, (struct sockaddr *)&from, &length) == 4 &&
           !memcmp(data, "data", 4),
       "the datagram is gone: %.8s\n", data);
    ok(length == udp->length && !memcmp(&from, &udp->address[0], length), "another sender\n");
}

static void datagrams_close(struct datagrams *udp)
{
    closesocket(udp->s[0]);
    closesocket(udp->s[1]);
}

/* recvfrom: "WSAEFAULT: The buffer pointed to by the buf or from parameters are not in the user
 * address space, or the fromlen parameter is too small to accommodate the source address of the
 * peer address." Its datagram is not lost (Wine's test_UDP, run on Windows). */
static void test_from(void)
{
    struct sockaddr_storage address[2];
    struct datagrams udp;
    DWORD bytes = 0, flags = 0;

    if (on_builtin())
        return; /* which would crash */
    datagrams_open(&udp);
    datagrams_send(&udp, "data");
    net_arrived(udp.s[1], 4);
    FOR_EACH_KIND(kind)
    {
        int length = sizeof(address);
        struct sockaddr *from = bad_memory(kind, 2 * sizeof(struct sockaddr_in) - 2);
        int *from_length = bad_memory(kind, sizeof(int));

        if (kind != NOWHERE) { /* "optional" */
            ok_error(recvfrom(udp.s[1], udp.buffer, 16, 0, from, &length), WSAEFAULT);
            ok_error(WSARecvFrom(udp.s[1], &udp.buf, 1, &bytes, &flags, from, &length, NULL, NULL),
                     WSAEFAULT);
        }
        from = (struct sockaddr *)address;
        ok_error(recvfrom(udp.s[1], udp.buffer, 16, 0, from, from_length), WSAEFAULT);
        ok_error(WSARecvFrom(udp.s[1], &udp.buf, 1, &bytes, &flags, from, from_length, NULL, NULL),
                 WSAEFAULT);
        datagrams_untouched(&udp);
    }
    datagrams_close(&udp);
}

/* The same: "the fromlen parameter is too small" */
static void test_from_length(void)
{
    static const int lengths[] = {0, 1, sizeof(struct sockaddr_in) - 1, -1, INT_MIN};
    struct datagrams udp;
    DWORD bytes = 0, flags = 0;
    char address[64];
    unsigned i;

    datagrams_open(&udp);
    for (i = 0; i < ARRAYSIZE(lengths); i++) {
        struct sockaddr *from = (struct sockaddr *)address;
        int length = lengths[i];

        if (on_builtin() && length < 0)
            continue;
        winetest_push_context("length %d", length);
        datagrams_send(&udp, "data");
        net_arrived(udp.s[1], 4);
        memset(address, 'A', sizeof(address));
        todo_wine ok_error(recvfrom(udp.s[1], udp.buffer, 16, 0, from, &length), WSAEFAULT);
        todo_wine_if(i) ok(address[0] == 'A', "something was written\n");
        if (!on_builtin()) {
            ok_error(WSARecvFrom(udp.s[1], &udp.buf, 1, &bytes, &flags, from, &length, NULL, NULL),
                     WSAEFAULT);
            datagrams_untouched(&udp);
        }
        winetest_pop_context();
    }
    datagrams_close(&udp);
}

/* recvfrom: "If a connection-oriented socket is used, from and fromlen are ignored": whatever they
 * are (Wine's test_tcp_sendto_recvfrom, run on Windows). */
static void test_from_of_stream(void)
{
    struct pair pair;

    pair_open(&pair);
    FOR_EACH_KIND(kind)
    {
        if (on_builtin() && kind != NOWHERE)
            continue; /* which would crash */
        ok(recvfrom(pair.b, pair.buffer, 16, MSG_PEEK, bad_memory(kind, 30),
                    bad_memory(kind, sizeof(int))) == 4,
           "error %d\n", WSAGetLastError());
        /* likewise sendto: "the to and tolen parameters are ignored" */
        ok(sendto(pair.b, "x", 1, 0, bad_memory(kind, 30), 16) == 1, "error %d\n",
           WSAGetLastError());
    }
    pair_close(&pair);
}

/* A WSARecvFrom that would wait fails at once */
static void test_from_of_pending(void)
{
    WSAOVERLAPPED overlapped = {.hEvent = WSACreateEvent()};
    struct datagrams udp;
    DWORD flags = 0;

    if (on_builtin())
        return; /* which would crash */
    datagrams_open(&udp);
    FOR_EACH_KIND(kind)
    {
        int length = sizeof(udp.address[0]);

        if (kind != NOWHERE)
            ok_error(WSARecvFrom(udp.s[1], &udp.buf, 1, NULL, &flags, bad_memory(kind, 30), &length,
                                 &overlapped, NULL),
                     WSAEFAULT);
        ok_error(WSARecvFrom(udp.s[1], &udp.buf, 1, NULL, &flags,
                             (struct sockaddr *)&udp.address[0], bad_memory(kind, sizeof(int)),
                             &overlapped, NULL),
                 WSAEFAULT);
        ok(WaitForSingleObject(overlapped.hEvent, 0) == WAIT_TIMEOUT, "a completion came\n");
    }
    datagrams_close(&udp);
    WSACloseEvent(overlapped.hEvent);
}

/* ---- what becomes bad while an operation is pending ---- */

static void wait_for_event(HANDLE event)
{
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
}

/* WSARecvFrom: lpFrom and lpFromlen are pointers that "must be valid for the duration of the
 * overlapped operation"; Windows has locked their pages, so the operation completes, and the
 * datagram is there, when they are not. */
static void test_from_freed(void)
{
    struct {
        char address[64];
        int length;
    } * gone;
    WSAOVERLAPPED overlapped = {.hEvent = WSACreateEvent()};
    struct datagrams udp;
    DWORD bytes = 0, flags = 0;

    if (on_builtin())
        return; /* which would crash */
    datagrams_open(&udp);
    gone = VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    gone->length = sizeof(gone->address);
    ok_error(WSARecvFrom(udp.s[1], &udp.buf, 1, NULL, &flags, (struct sockaddr *)gone->address,
                         &gone->length, &overlapped, NULL),
             WSA_IO_PENDING);
    VirtualFree(gone, 0, MEM_RELEASE);
    datagrams_send(&udp, "data");
    wait_for_event(overlapped.hEvent);
    ok(WSAGetOverlappedResult(udp.s[1], &overlapped, &bytes, FALSE, &flags) && bytes == 4 &&
           !memcmp(udp.buffer, "data", 4),
       "error %d, %lu bytes\n", WSAGetLastError(), bytes);
    datagrams_close(&udp);
    WSACloseEvent(overlapped.hEvent);
}

static WSAOVERLAPPED *new_overlapped(HANDLE event)
{
    WSAOVERLAPPED *overlapped = VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);

    overlapped->hEvent = event;
    return overlapped;
}

/* "The lpOverlapped parameter must be valid for the duration of the overlapped operation."  If it
 * is not, the event is set all the same, and nobody crashes: neither the thread that waits in
 * Winsock meanwhile nor a thread of the DLL's own. */
static void test_overlapped_freed(void)
{
    WSAOVERLAPPED *gone;
    struct pair pair;
    DWORD bytes, flags = 0;
    int round;

    if (on_builtin())
        return; /* which may write into what is there next */
    for (round = 0; round < 2; round++) {
        pair_open(&pair);
        ok(recv(pair.b, pair.buffer, 16, 0) == 4, "error %d\n", WSAGetLastError());
        gone = new_overlapped(pair.event);
        ok_error(WSARecv(pair.b, &pair.buf, 1, NULL, &flags, gone, NULL), WSA_IO_PENDING);
        VirtualFree(gone, 0, MEM_RELEASE);
        net_send_all(pair.a, "late", 4);
        if (round)
            WaitForSingleObject(pair.event, NET_PATIENCE); /* the DLL's own thread */
        else
            net_readable(pair.b, 50); /* this thread */
        wait_for_event(pair.event);
        ok(!memcmp(pair.buffer, "late", 4), "got %.4s\n", pair.buffer);
        net_send_all(pair.a, "next", 4);
        ok_success(WSARecv(pair.b, &pair.buf, 1, &bytes, &flags, NULL, NULL));
        ok(bytes == 4 && !memcmp(pair.buffer, "next", 4), "got %.4s\n", pair.buffer);
        pair_close(&pair);
    }
}

/* The same with a completion port, which never looks into the OVERLAPPED */
static void test_overlapped_freed_with_port(void)
{
    OVERLAPPED *packet = NULL;
    WSAOVERLAPPED *gone;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    struct pair pair;
    DWORD bytes = 0, flags = 0;
    ULONG_PTR key = 0;

    if (on_builtin())
        return; /* which may write into what is there next */
    pair_open(&pair);
    ok(recv(pair.b, pair.buffer, 16, 0) == 4, "error %d\n", WSAGetLastError());
    ok(CreateIoCompletionPort((HANDLE)pair.b, port, 17, 0) == port, "error %lu\n", GetLastError());
    gone = new_overlapped(NULL);
    ok_error(WSARecv(pair.b, &pair.buf, 1, NULL, &flags, gone, NULL), WSA_IO_PENDING);
    VirtualFree(gone, 0, MEM_RELEASE);
    net_send_all(pair.a, "late", 4);
    ok(GetQueuedCompletionStatus(port, &bytes, &key, &packet, NET_PATIENCE), "error %lu\n",
       GetLastError());
    ok(packet == (OVERLAPPED *)gone && key == 17 && bytes == 4, "got %p, %lu bytes\n", packet,
       bytes);
    pair_close(&pair);
    CloseHandle(port);
}

/* The same when the socket is closed: WSA_OPERATION_ABORTED has nowhere to go */
static void test_overlapped_freed_and_closed(void)
{
    WSAOVERLAPPED *gone;
    struct pair pair;
    DWORD flags = 0;

    if (on_builtin())
        return; /* which may write into what is there next */
    pair_open(&pair);
    ok(recv(pair.b, pair.buffer, 16, 0) == 4, "error %d\n", WSAGetLastError());
    gone = new_overlapped(pair.event);
    ok_error(WSARecv(pair.b, &pair.buf, 1, NULL, &flags, gone, NULL), WSA_IO_PENDING);
    VirtualFree(gone, 0, MEM_RELEASE);
    ok_success(closesocket(pair.b));
    wait_for_event(pair.event);
    closesocket(pair.a);
    WSACloseEvent(pair.event);
}

static DWORD WINAPI posting_thread(void *argument)
{
    struct pair *pair = argument;
    WSAOVERLAPPED *gone = new_overlapped(pair->event);
    DWORD flags = 0;

    ok_error(WSARecv(pair->b, &pair->buf, 1, NULL, &flags, gone, NULL), WSA_IO_PENDING);
    VirtualFree(gone, 0, MEM_RELEASE);
    return 0;
}

/* The same when the thread ends: "All I/O initiated by a given thread is canceled when that thread
 * exits." */
static void test_overlapped_freed_and_thread_gone(void)
{
    struct pair pair;
    HANDLE thread;

    if (on_builtin())
        return; /* which may write into what is there next */
    pair_open(&pair);
    ok(recv(pair.b, pair.buffer, 16, 0) == 4, "error %d\n", WSAGetLastError());
    thread = CreateThread(NULL, 0, posting_thread, &pair, 0, NULL);
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "it hangs\n");
    CloseHandle(thread);
    wait_for_event(pair.event);
    net_send_all(pair.a, "next", 4);
    ok(recv(pair.b, pair.buffer, 16, 0) == 4 && !memcmp(pair.buffer, "next", 4), "error %d\n",
       WSAGetLastError());
    pair_close(&pair);
}

/* ---- sending ---- */

/* WSASend: lpNumberOfBytesSent "can be NULL only if the lpOverlapped parameter is not NULL";
 * nothing is sent. */
static void test_bytes_sent(void)
{
    struct pair pair;

    if (on_builtin())
        return; /* which would crash */
    pair_open(&pair);
    FOR_EACH_KIND(kind)
    {
        DWORD *bytes = bad_memory(kind, sizeof(*bytes));

        ok_error(WSASend(pair.b, &pair.buf, 1, bytes, 0, NULL, NULL), WSAEFAULT);
        ok_error(WSASendTo(pair.b, &pair.buf, 1, bytes, 0, NULL, 0, NULL, NULL), WSAEFAULT);
        if (kind != NOWHERE)
            ok_error(WSASend(pair.b, &pair.buf, 1, bytes, 0, &pair.overlapped, NULL), WSAEFAULT);
        pair_untouched(&pair);
    }
    ok(!net_readable(pair.a, 50), "something was sent\n");
    pair_close(&pair);
}

/* WSASend: "WSAEFAULT: The lpBuffers, lpNumberOfBytesSent, lpOverlapped, lpCompletionRoutine
 * parameter is not totally contained in a valid part of the user address space": then nothing is
 * sent at all, however much of the data is there. */
static void test_sent_data(void)
{
    const size_t there = 1 << 20;
    static struct pair pair; /* the built-in still has operations on it in the end */
    char *data = VirtualAlloc(NULL, there + 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD bytes = 0, old;

    ok(VirtualProtect(data + there, 4096, PAGE_NOACCESS, &old), "error %lu\n", GetLastError());
    pair_open(&pair);
    pair.buf.buf = data;
    pair.buf.len = (ULONG)there + 1;
    ok_error(send(pair.b, data, (int)there + 1, 0), WSAEFAULT);
    ok_error(WSASend(pair.b, &pair.buf, 1, &bytes, 0, NULL, NULL), WSAEFAULT);
    todo_wine ok_error(WSASend(pair.b, &pair.buf, 1, NULL, 0, &pair.overlapped, NULL), WSAEFAULT);
    net_nonblocking(pair.b, 1);
    todo_wine ok_error(send(pair.b, data, (int)there + 1, 0), WSAEFAULT);
    todo_wine ok_error(WSASend(pair.b, &pair.buf, 1, NULL, 0, &pair.overlapped, NULL), WSAEFAULT);
    pair_untouched(&pair);
    todo_wine ok(!net_readable(pair.a, 50), "something was sent\n");
    pair_close(&pair);
    VirtualFree(data, 0, MEM_RELEASE);
}

/* The same for a send that would have to wait.  Small buffers, which Linux does not let grow then
 * (otherwise to 10 MB and more on both sides together), so that it soon has to. */
static void test_sent_data_of_pending(void)
{
    static char block[1 << 16];
    static WSAOVERLAPPED first[512];
    struct pair pair;
    WSABUF buf = {sizeof(block), block};
    int i, size = sizeof(block), error = 0;

    if (on_builtin())
        return; /* which may not notice before it is too late */
    pair_open(&pair);
    ok_success(setsockopt(pair.b, SOL_SOCKET, SO_SNDBUF, (char *)&size, sizeof(size)));
    ok_success(setsockopt(pair.a, SOL_SOCKET, SO_RCVBUF, (char *)&size, sizeof(size)));
    for (i = 0; i < (int)ARRAYSIZE(first) && error != WSA_IO_PENDING; i++)
        error = WSASend(pair.b, &buf, 1, NULL, 0, &first[i], NULL) ? WSAGetLastError() : 0;
    ok(error == WSA_IO_PENDING, "%d sends, error %d\n", i, error);
    buf.buf = pages + 4096 - 8;
    buf.len = 16;
    ok_error(WSASend(pair.b, &buf, 1, NULL, 0, &pair.overlapped, NULL), WSAEFAULT);
    pair_untouched(&pair);
    closesocket(pair.b);
    while (i--)
        ok(first[i].Internal != (ULONG_PTR)0x103, "send %d is still pending\n", i);
    pair_close(&pair);
}

/* sendto: "WSAEFAULT: The buf or to parameters are not part of the user address space, or the tolen
 * parameter is too small." */
static void test_to(void)
{
    static const int lengths[] = {1, sizeof(struct sockaddr_in) - 1, -1, INT_MIN};
    struct datagrams udp;
    DWORD bytes = 0;
    unsigned i;

    datagrams_open(&udp);
    FOR_EACH_KIND(kind)
    {
        struct sockaddr *to = bad_memory(kind, 2 * sizeof(struct sockaddr_in) - 2);

        if (kind == NOWHERE || kind == READ_ONLY || on_builtin())
            continue;
        ok_error(sendto(udp.s[0], "x", 1, 0, to, udp.length), WSAEFAULT);
        ok_error(WSASendTo(udp.s[0], &udp.buf, 1, &bytes, 0, to, udp.length, NULL, NULL),
                 WSAEFAULT);
    }
    for (i = 0; i < ARRAYSIZE(lengths); i++) {
        winetest_push_context("length %d", lengths[i]);
        todo_wine_if(lengths[i] < 0) ok_error(
            sendto(udp.s[0], "x", 1, 0, (struct sockaddr *)&udp.address[1], lengths[i]), WSAEFAULT);
        winetest_pop_context();
    }
    todo_wine ok(!net_readable(udp.s[1], 50), "something was sent\n");
    datagrams_close(&udp);
}

/* WSASendMsg: "WSAEFAULT: The lpBuffers, lpFlags, lpFrom, lpNumberOfBytesRecvd, lpFromlen,
 * lpOverlapped, or lpCompletionRoutine parameter is not totally contained in a valid part of the
 * user address space" */
static void test_message(void)
{
    struct datagrams udp;
    WSAMSG message = {0};
    DWORD bytes = 0;

    if (on_builtin())
        return; /* which would crash */
    datagrams_open(&udp);
    FOR_EACH_KIND(kind)
    {
        if (kind != READ_ONLY)
            ok_error(WSASendMsg(udp.s[0], bad_memory(kind, sizeof(WSAMSG)), 0, &bytes, NULL, NULL),
                     WSAEFAULT);
        message.name = (struct sockaddr *)&udp.address[1];
        message.namelen = udp.length;
        message.lpBuffers = bad_memory(kind, sizeof(WSABUF));
        message.dwBufferCount = 1;
        if (kind != READ_ONLY)
            ok_error(WSASendMsg(udp.s[0], &message, 0, &bytes, NULL, NULL), WSAEFAULT);
        message.lpBuffers = &udp.buf;
        ok_error(WSASendMsg(udp.s[0], &message, 0, bad_memory(kind, 4), NULL, NULL), WSAEFAULT);
        message.name = bad_memory(kind, 30);
        if (kind != NOWHERE && kind != READ_ONLY)
            ok_error(WSASendMsg(udp.s[0], &message, 0, &bytes, NULL, NULL), WSAEFAULT);
    }
    ok(!net_readable(udp.s[1], 50), "something was sent\n");
    datagrams_close(&udp);
}

START_TEST(bad_pointers)
{
    net_start();
    make_pages();
    RUN(test_flags);
    RUN(test_bytes_received);
    RUN(test_bytes_of_pending);
    RUN(test_overlapped);
    RUN(test_buffer_array);
    RUN(test_huge_count);
    RUN(test_event);
    RUN(test_event_ignored);
    RUN(test_from);
    RUN(test_from_length);
    RUN(test_from_of_stream);
    RUN(test_from_of_pending);
    RUN(test_from_freed);
    RUN(test_overlapped_freed);
    RUN(test_overlapped_freed_with_port);
    RUN(test_overlapped_freed_and_closed);
    RUN(test_overlapped_freed_and_thread_gone);
    RUN(test_bytes_sent);
    RUN(test_sent_data);
    RUN(test_sent_data_of_pending);
    RUN(test_to);
    RUN(test_message);
    WSACleanup();
}
