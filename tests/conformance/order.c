/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Order: which bytes come into which buffer, one sentence of the pages of WSARecv and WSASend per
 * function.  Quotes without a name are from WSARecv's page.  order_model.c tries the same at
 * random.
 */
#include "net.h"

#define COUNT 24
#define SIZE  8 /* of the largest receive */

/* Receives that are posted one after the other on one socket, each with a size of its own. */
struct batch {
    SOCKET sender, receiver;
    HANDLE port;
    struct posted {
        WSAOVERLAPPED ov;
        char buffer[SIZE];
        DWORD error, bytes;
        BOOL done;
    } posted[COUNT];
    LONG volatile next; /* the one that is posted next */
    LONG volatile told; /* how many have ended */
    CRITICAL_SECTION lock;
};

static DWORD size_of(int number)
{
    return 1 + number * 5 % SIZE;
}

static char byte_at(int place)
{
    return (char)(place * 7 + 1);
}

static void batch_open(struct batch *batch)
{
    memset(batch, 0, sizeof(*batch));
    net_pair(&batch->sender, &batch->receiver);
    InitializeCriticalSection(&batch->lock);
}

static void batch_close(struct batch *batch)
{
    closesocket(batch->sender);
    closesocket(batch->receiver);
    if (batch->port)
        CloseHandle(batch->port);
    DeleteCriticalSection(&batch->lock);
}

static void post_next(struct batch *batch, HANDLE event, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    int number = batch->next++;
    struct posted *posted = &batch->posted[number];
    WSABUF buf = {size_of(number), posted->buffer};
    DWORD flags = 0;

    posted->ov.hEvent = event;
    ok_error(WSARecv(batch->receiver, &buf, 1, NULL, &flags, &posted->ov, routine), WSA_IO_PENDING);
}

/* As many bytes as the receives can take, in parts that do not suit them, then the end. */
static void send_stream(struct batch *batch)
{
    char part[5];
    int i, place = 0, total = 0;

    for (i = 0; i < COUNT; i++)
        total += size_of(i);
    while (place < total) {
        for (i = 0; i < (int)sizeof(part) && place < total; i++)
            part[i] = byte_at(place++);
        net_send_all(batch->sender, part, i);
    }
    ok_success(shutdown(batch->sender, SD_SEND));
}

static void ended(struct batch *batch, WSAOVERLAPPED *ov, DWORD error, DWORD bytes)
{
    struct posted *posted = CONTAINING_RECORD(ov, struct posted, ov);

    ok(posted >= batch->posted && posted < batch->posted + COUNT && !posted->done,
       "not one that can end: %p\n", ov);
    posted->error = error;
    posted->bytes = bytes;
    posted->done = TRUE;
    InterlockedIncrement(&batch->told);
}

/* The buffers in the order of the calls hold the stream from its begin to its end. */
static void check_stream(const struct batch *batch)
{
    int i, total = 0, place = 0;
    DWORD k;

    for (i = 0; i < COUNT; i++)
        total += size_of(i);
    for (i = 0; i < COUNT; i++) {
        const struct posted *posted = &batch->posted[i];

        ok(posted->done && !posted->error && posted->bytes <= size_of(i),
           "receive %d: done %d, error %lu, %lu bytes\n", i, posted->done, posted->error,
           posted->bytes);
        ok(posted->bytes || place == total, "receive %d is empty at %d of %d\n", i, place, total);
        for (k = 0; k < posted->bytes; k++, place++)
            ok(posted->buffer[k] == byte_at(place), "receive %d, byte %lu: got %d, expected %d\n",
               i, k, posted->buffer[k], byte_at(place));
    }
    /* each took one part at least, so not all need have come to their turn */
    ok(place <= total, "%d bytes of %d\n", place, total);
}

/* "the posted buffers are guaranteed to be filled in the same order in which they are specified" */
static void test_order_by_event(void)
{
    static struct batch batch;
    DWORD bytes, flags;
    int i;

    batch_open(&batch);
    for (i = 0; i < COUNT; i++)
        post_next(&batch, WSACreateEvent(), NULL);
    send_stream(&batch);
    for (i = COUNT - 1; i >= 0; i--) {
        WSAOVERLAPPED *ov = &batch.posted[i].ov;

        ok(WSAGetOverlappedResult(batch.receiver, ov, &bytes, TRUE, &flags), "%d: error %d\n", i,
           WSAGetLastError());
        ended(&batch, ov, 0, bytes);
        WSACloseEvent(ov->hEvent);
    }
    check_stream(&batch);
    batch_close(&batch);
}

static struct batch *routine_batch;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    ok(!flags, "got flags %lx\n", flags);
    ended(routine_batch, ov, error, bytes);
}

/* "The completion routines can be called in any order, not necessarily in the same order the
 * overlapped operations are completed. However, the posted buffers are guaranteed to be filled in
 * the same order in which they are specified." */
static void test_order_by_routine(void)
{
    static struct batch batch;
    DWORD start = GetTickCount();
    int i;

    batch_open(&batch);
    routine_batch = &batch;
    for (i = 0; i < COUNT; i++)
        post_next(&batch, NULL, routine);
    send_stream(&batch);
    while (batch.told < COUNT && GetTickCount() - start < NET_PATIENCE)
        SleepEx(100, TRUE);
    check_stream(&batch);
    batch_close(&batch);
}

static void open_port(struct batch *batch)
{
    batch->port = CreateIoCompletionPort((HANDLE)batch->receiver, NULL, 7, 0);
    ok(batch->port != NULL, "error %lu\n", GetLastError());
}

static void take_packets(struct batch *batch)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    while (batch->told < COUNT &&
           GetQueuedCompletionStatus(batch->port, &bytes, &key, &ov, NET_PATIENCE))
        ended(batch, (WSAOVERLAPPED *)ov, 0, bytes);
}

/* "If you are using I/O completion ports, be aware that the order of calls made to WSARecv is also
 * the order in which the buffers are populated." */
static void test_order_over_port(void)
{
    static struct batch batch;
    int i;

    batch_open(&batch);
    open_port(&batch);
    for (i = 0; i < COUNT; i++)
        post_next(&batch, NULL, NULL);
    send_stream(&batch);
    take_packets(&batch);
    check_stream(&batch);
    batch_close(&batch);
}

static DWORD WINAPI post_in_turn(void *arg)
{
    struct batch *batch = arg;
    BOOL more = TRUE;

    while (more) {
        EnterCriticalSection(&batch->lock);
        if ((more = batch->next < COUNT))
            post_next(batch, NULL, NULL);
        LeaveCriticalSection(&batch->lock);
        Sleep(0);
    }
    /* receives on a port outlive their thread, but not the test */
    while (batch->told < COUNT)
        Sleep(1);
    return 0;
}

/* "WSARecv should not be called on the same socket simultaneously from different threads, because
 * it can result in an unpredictable buffer order": called from them one at a time it is the order
 * of the calls. */
static void test_order_from_threads(void)
{
    static struct batch batch;
    HANDLE threads[3];
    int i;

    batch_open(&batch);
    open_port(&batch);
    for (i = 0; i < 3; i++)
        threads[i] = CreateThread(NULL, 0, post_in_turn, &batch, 0, NULL);
    while (batch.next < COUNT)
        Sleep(1);
    EnterCriticalSection(&batch.lock); /* the last one is posted */
    LeaveCriticalSection(&batch.lock);
    send_stream(&batch);
    take_packets(&batch);
    check_stream(&batch);
    batch.told = COUNT;
    ok(!WaitForMultipleObjects(3, threads, TRUE, NET_PATIENCE), "a thread hangs\n");
    for (i = 0; i < 3; i++)
        CloseHandle(threads[i]);
    batch_close(&batch);
}

/* A call without an OVERLAPPED comes after those that are outstanding: "the order of calls made to
 * WSARecv is also the order in which the buffers are populated". */
static DWORD WINAPI send_three(void *arg)
{
    SOCKET s = *(SOCKET *)arg;

    Sleep(50);
    net_send_all(s, "A", 1);
    Sleep(50);
    net_send_all(s, "B", 1);
    Sleep(50);
    net_send_all(s, "C", 1);
    return 0;
}

static void test_synchronous_after_outstanding(void)
{
    static WSAOVERLAPPED ov[2];
    static char buffer[2][4];
    DWORD bytes, flags = 0;
    char byte = 0;
    HANDLE thread;
    SOCKET a, b;
    int i;

    net_pair(&a, &b);
    for (i = 0; i < 2; i++) {
        WSABUF buf = {4, buffer[i]};

        ov[i].hEvent = WSACreateEvent();
        ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov[i], NULL), WSA_IO_PENDING);
    }
    thread = CreateThread(NULL, 0, send_three, &a, 0, NULL);
    ok(recv(b, &byte, 1, 0) == 1 && byte == 'C', "got %d, error %d\n", byte, WSAGetLastError());
    for (i = 0; i < 2; i++) {
        ok(WSAGetOverlappedResult(b, &ov[i], &bytes, FALSE, &flags) && bytes == 1 &&
               buffer[i][0] == 'A' + i,
           "receive %d: error %d, %lu bytes, got %d\n", i, WSAGetLastError(), bytes, buffer[i][0]);
        WSACloseEvent(ov[i].hEvent);
    }
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(a);
    closesocket(b);
}

#define PIECES 40

/* Pieces of 0 to 4 bytes, a guard byte after each. */
static DWORD make_pieces(WSABUF *pieces, char *memory)
{
    DWORD total = 0;
    int i;

    memset(memory, '.', PIECES * 5);
    for (i = 0; i < PIECES; i++) {
        pieces[i].len = i % 5;
        pieces[i].buf = memory;
        memory += pieces[i].len + 1;
        total += pieces[i].len;
    }
    return total;
}

static void check_pieces(const WSABUF *pieces, DWORD bytes)
{
    DWORD place = 0, k;
    int i;

    for (i = 0; i < PIECES; i++) {
        for (k = 0; k < pieces[i].len; k++, place++) {
            char expected = place < bytes ? byte_at(place) : '.';

            ok(pieces[i].buf[k] == expected, "piece %d, byte %lu: got %d, expected %d\n", i, k,
               pieces[i].buf[k], expected);
        }
        ok(pieces[i].buf[k] == '.', "piece %d: its guard was overwritten\n", i);
    }
}

/* "The buffers are filled in the order in which they appear in the array pointed to by lpBuffers,
 * and the buffers are packed so that no holes are created." */
static void test_packed(BOOL pending)
{
    char memory[PIECES * 5], data[PIECES * 5];
    DWORD bytes = 0, flags = 0, total;
    WSABUF pieces[PIECES];
    WSAOVERLAPPED ov = {0};
    SOCKET a, b;
    int i, part;

    winetest_push_context(pending ? "pending" : "immediate");
    net_pair(&a, &b);
    total = make_pieces(pieces, memory);
    for (i = 0; i < (int)total; i++)
        data[i] = byte_at(i);
    ov.hEvent = WSACreateEvent();
    for (part = 1; part <= (int)total; part += 13) {
        make_pieces(pieces, memory);
        if (pending) {
            ok_error(WSARecv(b, pieces, PIECES, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
            net_send_all(a, data, part);
        } else {
            net_send_all(a, data, part);
            net_arrived(b, part);
            ok_success(WSARecv(b, pieces, PIECES, NULL, &flags, &ov, NULL));
        }
        ok(WSAGetOverlappedResult(b, &ov, &bytes, TRUE, &flags) && bytes == (DWORD)part,
           "got %lu of %d bytes, error %d\n", bytes, part, WSAGetLastError());
        check_pieces(pieces, bytes);
    }
    closesocket(a);
    closesocket(b);
    WSACloseEvent(ov.hEvent);
    winetest_pop_context();
}

/* CancelIoEx's page: "cancels all outstanding asynchronous I/O ... for the specified file handle";
 * with an OVERLAPPED that one only: the others keep their place, and it takes no byte. */
static void test_cancelled_one_takes_nothing(void)
{
    static WSAOVERLAPPED ov[3];
    static char buffer[3][4];
    DWORD bytes = 0, flags = 0;
    SOCKET a, b;
    int i;

    net_pair(&a, &b);
    for (i = 0; i < 3; i++) {
        WSABUF buf = {4, buffer[i]};

        ov[i].hEvent = WSACreateEvent();
        ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov[i], NULL), WSA_IO_PENDING);
    }
    ok(CancelIoEx((HANDLE)b, (OVERLAPPED *)&ov[1]), "error %lu\n", GetLastError());
    ok(!WSAGetOverlappedResult(b, &ov[1], &bytes, TRUE, &flags) &&
           WSAGetLastError() == WSA_OPERATION_ABORTED && !ov[1].InternalHigh,
       "error %d, %lu bytes\n", WSAGetLastError(), (DWORD)ov[1].InternalHigh);
    net_send_all(a, "AAAA", 4);
    ok(WSAGetOverlappedResult(b, &ov[0], &bytes, TRUE, &flags) && bytes == 4, "error %d\n",
       WSAGetLastError());
    net_send_all(a, "BBBB", 4);
    ok(WSAGetOverlappedResult(b, &ov[2], &bytes, TRUE, &flags) && bytes == 4, "error %d\n",
       WSAGetLastError());
    ok(!memcmp(buffer[0], "AAAA", 4) && !memcmp(buffer[1], "\0\0\0\0", 4) &&
           !memcmp(buffer[2], "BBBB", 4),
       "got %.4s, %.4s, %.4s\n", buffer[0], buffer[1], buffer[2]);
    for (i = 0; i < 3; i++)
        WSACloseEvent(ov[i].hEvent);
    closesocket(a);
    closesocket(b);
}

/* "MSG_WAITALL: The receive request will complete only when ... The request has been canceled":
 * with what it holds by then, as when the connection is closed, and the next one goes on behind
 * that. */
static void test_cancelled_waitall(void)
{
    DWORD bytes = 0, flags = MSG_WAITALL;
    WSAOVERLAPPED ov = {0};
    char buffer[8] = "";
    WSABUF buf = {8, buffer};
    SOCKET a, b;

    net_pair(&a, &b);
    ov.hEvent = WSACreateEvent();
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    net_send_all(a, "abc", 3);
    /* the built-in does not know the flag and ends here */
    todo_wine ok(WaitForSingleObject(ov.hEvent, 100) == WAIT_TIMEOUT, "did not wait for all\n");
    CancelIoEx((HANDLE)b, (OVERLAPPED *)&ov);
    ok(WSAGetOverlappedResult(b, &ov, &bytes, TRUE, &flags) && bytes == 3 &&
           !memcmp(buffer, "abc", 3),
       "error %d, %lu bytes, got %.8s\n", WSAGetLastError(), bytes, buffer);
    net_send_all(a, "def", 3);
    ok(net_recv_all(b, buffer, 3) == 3 && !memcmp(buffer, "def", 3), "got %.3s\n", buffer);
    closesocket(a);
    closesocket(b);
    WSACloseEvent(ov.hEvent);
}

/* ---- peeking ---- */

struct peeking {
    SOCKET s;
    char buffer[8];
    int got;
};

static DWORD WINAPI peek_main(void *arg)
{
    struct peeking *peeking = arg;

    peeking->got = recv(peeking->s, peeking->buffer, sizeof(peeking->buffer), MSG_PEEK);
    return 0;
}

/* "MSG_PEEK: ... The data is copied into the buffer, but is not removed from the input queue": so
 * it goes to the receive that was posted while the other one waited. */
static void test_peek_before_receive(int type)
{
    struct sockaddr_storage address[2];
    struct peeking peeking = {0};
    DWORD bytes = 0, flags = 0;
    WSAOVERLAPPED ov = {0};
    char buffer[8] = "";
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET sender, pair[2];
    HANDLE thread;
    int length;

    winetest_push_context(type == SOCK_STREAM ? "stream" : "messages");
    if (type == SOCK_STREAM) {
        net_pair(&sender, &peeking.s);
    } else {
        net_udp_pair(AF_INET, pair, address, &length);
        sender = pair[0];
        peeking.s = pair[1];
        ok_success(connect(sender, (struct sockaddr *)&address[1], length));
    }
    thread = CreateThread(NULL, 0, peek_main, &peeking, 0, NULL);
    Sleep(100); /* it waits; if it does not yet, its turn comes later, and that is right too */
    ov.hEvent = WSACreateEvent();
    ok_error(WSARecv(peeking.s, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    ok(send(sender, "one", 3, 0) == 3, "error %d\n", WSAGetLastError());
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    ok(WSAGetOverlappedResult(peeking.s, &ov, &bytes, FALSE, &flags) && bytes == 3 &&
           !memcmp(buffer, "one", 3),
       "error %d, %lu bytes, got %.8s\n", WSAGetLastError(), bytes, buffer);
    send(sender, "two", 3, 0); /* for the one that peeks, if it has come too late */
    ok(!WaitForSingleObject(thread, NET_PATIENCE), "still peeks\n");
    ok(peeking.got == 3, "got %d\n", peeking.got);
    CloseHandle(thread);
    closesocket(sender);
    closesocket(peeking.s);
    WSACloseEvent(ov.hEvent);
    winetest_pop_context();
}

/* ---- sending ---- */

#define SENDS     12
#define SEND_SIZE 40000

struct sends {
    SOCKET s;
    WSAOVERLAPPED ov[SENDS];
    unsigned char *data[SENDS];
    LONG next;
    CRITICAL_SECTION lock;
};

static DWORD WINAPI send_in_turn(void *arg)
{
    struct sends *sends = arg;
    BOOL more = TRUE;

    while (more) {
        EnterCriticalSection(&sends->lock);
        if ((more = sends->next < SENDS)) {
            int number = sends->next++, result;
            /* "the array of buffers": in the order of the array, whatever the parts */
            WSABUF parts[3] = {{1, (char *)sends->data[number]},
                               {0, NULL},
                               {SEND_SIZE - 1, (char *)sends->data[number] + 1}};

            result = WSASend(sends->s, parts, 3, NULL, 0, &sends->ov[number], NULL);
            ok(!result || WSAGetLastError() == WSA_IO_PENDING, "send %d: error %d\n", number,
               WSAGetLastError());
        }
        LeaveCriticalSection(&sends->lock);
        Sleep(0);
    }
    for (int i = 0; i < SENDS; i++) /* a thread's end would cancel what it has begun */
        WaitForSingleObject(sends->ov[i].hEvent, INFINITE);
    return 0;
}

/* WSASend: "the order of calls made to WSASend is also the order in which the buffers are
 * transmitted. WSASend should not be called on the same stream-oriented socket concurrently from
 * different threads"; more than the send buffer holds, so that most of them are pending. */
static void test_order_of_sends(void)
{
    static struct sends sends;
    unsigned char *got = malloc(SEND_SIZE);
    DWORD bytes, flags;
    HANDLE threads[2];
    int i, wrong;
    SOCKET b;

    memset(&sends, 0, sizeof(sends));
    net_pair(&sends.s, &b);
    InitializeCriticalSection(&sends.lock);
    for (i = 0; i < SENDS; i++) {
        sends.data[i] = malloc(SEND_SIZE);
        for (int k = 0; k < SEND_SIZE; k++)
            sends.data[i][k] = (unsigned char)(i * 16 + k % 13);
        sends.ov[i].hEvent = WSACreateEvent();
    }
    for (i = 0; i < 2; i++)
        threads[i] = CreateThread(NULL, 0, send_in_turn, &sends, 0, NULL);
    for (i = 0; i < SENDS; i++) {
        ok(net_recv_all(b, got, SEND_SIZE) == SEND_SIZE, "error %d\n", WSAGetLastError());
        for (wrong = 0; wrong < SEND_SIZE && got[wrong] == sends.data[i][wrong];)
            wrong++;
        ok(wrong == SEND_SIZE, "send %d: byte %d is wrong\n", i, wrong);
    }
    for (i = 0; i < SENDS; i++)
        ok(WSAGetOverlappedResult(sends.s, &sends.ov[i], &bytes, TRUE, &flags) &&
               bytes == SEND_SIZE,
           "send %d: error %d, %lu bytes\n", i, WSAGetLastError(), bytes);
    ok(!WaitForMultipleObjects(2, threads, TRUE, NET_PATIENCE), "a thread hangs\n");
    for (i = 0; i < 2; i++)
        CloseHandle(threads[i]);
    for (i = 0; i < SENDS; i++) {
        WSACloseEvent(sends.ov[i].hEvent);
        free(sends.data[i]);
    }
    free(got);
    DeleteCriticalSection(&sends.lock);
    closesocket(sends.s);
    closesocket(b);
}

/* ---- messages ---- */

/* "an incoming message is placed into the buffers up to the total size of the buffers, and the
 * completion indication occurs": one message for each receive, in the order of both. */
static void test_order_of_messages(void)
{
    static struct {
        WSAOVERLAPPED ov;
        char buffer[32], expected[32];
    } posted[COUNT];
    struct sockaddr_storage address[2];
    DWORD bytes, flags = 0;
    int i, length, size;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    for (i = 0; i < COUNT; i++) {
        WSABUF parts[2] = {{3, posted[i].buffer}, {29, posted[i].buffer + 3}};

        posted[i].ov.hEvent = WSACreateEvent();
        ok_error(WSARecv(s[1], parts, 2, NULL, &flags, &posted[i].ov, NULL), WSA_IO_PENDING);
    }
    for (i = 0; i < COUNT; i++) {
        /* every fifth is empty, and a message all the same */
        size =
            snprintf(posted[i].expected, 32, "%.*s", i % 5 * 6, "message after message to the end");
        if (size)
            posted[i].expected[0] = (char)('A' + i);
        ok(sendto(s[0], posted[i].expected, size, 0, (struct sockaddr *)&address[1], length) ==
               size,
           "error %d\n", WSAGetLastError());
    }
    for (i = 0; i < COUNT; i++) {
        ok(WSAGetOverlappedResult(s[1], &posted[i].ov, &bytes, TRUE, &flags), "%d: error %d\n", i,
           WSAGetLastError());
        ok(bytes == strlen(posted[i].expected) && !memcmp(posted[i].buffer, posted[i].expected, 32),
           "message %d: got %lu bytes, %s, expected %s\n", i, bytes, posted[i].buffer,
           posted[i].expected);
        WSACloseEvent(posted[i].ov.hEvent);
    }
    closesocket(s[0]);
    closesocket(s[1]);
}

START_TEST(order)
{
    net_start();
    RUN(test_order_by_event);
    RUN(test_order_by_routine);
    RUN(test_order_over_port);
    RUN(test_order_from_threads);
    RUN(test_synchronous_after_outstanding);
    RUN(test_packed, FALSE);
    RUN(test_packed, TRUE);
    RUN(test_cancelled_one_takes_nothing);
    RUN(test_cancelled_waitall);
    RUN(test_peek_before_receive, SOCK_STREAM);
    RUN(test_peek_before_receive, SOCK_DGRAM);
    RUN(test_order_of_sends);
    RUN(test_order_of_messages);
    WSACleanup();
}
