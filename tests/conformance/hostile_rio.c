/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments (hostile.h) for the 13 functions of registered I/O, on a connection that is
 * made anew now and then, as deferred requests stay.
 *
 * Each list of errors is that of the call's page.
 */
#include "hostile_sockets.h"
#include "rio_types.h"

static const int request_errors[] = {WSAEFAULT, WSAEINVAL, WSAENOBUFS, WSAEOPNOTSUPP, 0};
static const int queue_errors[] = {WSAEFAULT, WSAEINVAL, WSAENOBUFS, WSAENOTSOCK, WSAEOPNOTSUPP, 0};
static const int resize_errors[] = {WSAEFAULT, WSAEINVAL, WSAENOBUFS, WSAETOOMANYREFS, 0};
static const int notify_errors[] = {WSAEINVAL, WSAEALREADY, 0};
static const int register_errors[] = {WSAEFAULT, WSAEINVAL, WSAENOBUFS, 0};
static const int dequeue_errors[] = {0xdead, 0}; /* RIO_CORRUPT_CQ is all that it says */

#define OUTSTANDING 64
#define ROOM        2048 /* bytes that are registered */

static rq_t rq;
static cq_t cq, other_cq;
static buffer_t id, other_id;
static struct notification how;
static struct slice data, local, remote, control, flags, sent_control, sent_flags;
static char memory[ROOM];
static unsigned used;

static void close_made(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    rio.close_cq((cq_t)result);
}

static void deregister_made(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    rio.deregister((buffer_t)result);
}

/* clang-format off */
static const struct hostile_row requests[] = {
    {EXTENSION(RIOReceive, rio.receive, FAILS_NULL, request_errors, A_HANDLE(rq), READS(data),
               A_NUMBER(1), A_NUMBER(0), A_NUMBER(0))},
    {EXTENSION(RIOReceiveEx, rio.receive_ex, FAILS_NULL, request_errors, A_HANDLE(rq),
               READS(data), A_NUMBER(1), READS(local), READS(remote), READS(control),
               READS(flags), A_NUMBER(0), A_NUMBER(0))},
    {EXTENSION(RIOSend, rio.send, FAILS_NULL, request_errors, A_HANDLE(rq), READS(data),
               A_NUMBER(1), A_NUMBER(0), A_NUMBER(0))},
    {EXTENSION(RIOSendEx, rio.send_ex, FAILS_NULL, request_errors, A_HANDLE(rq), READS(data),
               A_NUMBER(1), A_NUMBER(0), READS(remote), READS(sent_control),
               READS(sent_flags), A_NUMBER(0), A_NUMBER(0))},
    {EXTENSION(RIODequeueCompletion, rio.dequeue, FAILS_MINUS_ONE, dequeue_errors, A_HANDLE(cq),
               WRITES(4 * sizeof(struct result)), A_NUMBER(4))},
    {EXTENSION(RIONotify, rio.notify, FAILS_CODE, notify_errors, A_HANDLE(other_cq))},
    {EXTENSION(RIOResizeCompletionQueue, rio.resize_cq, FAILS_NULL, resize_errors,
               A_HANDLE(other_cq), A_NUMBER(2 * OUTSTANDING))},
    {EXTENSION(RIOResizeRequestQueue, rio.resize_rq, FAILS_NULL, resize_errors, A_HANDLE(rq),
               A_NUMBER(OUTSTANDING), A_NUMBER(OUTSTANDING))},
    {EXTENSION(RIOCreateCompletionQueue, rio.create_cq, FAILS_NULL, queue_errors, A_NUMBER(8),
               READS(how)), .undo = close_made},
    {EXTENSION(RIORegisterBuffer, rio.register_buffer, FAILS_MINUS_ONE, register_errors,
               UPDATES(memory), A_NUMBER(ROOM)), .undo = deregister_made},
    {EXTENSION(RIOCloseCompletionQueue, rio.close_cq, FAILS_NEVER, NULL, A_HANDLE(other_cq))},
    {EXTENSION(RIODeregisterBuffer, rio.deregister, FAILS_NEVER, NULL, A_HANDLE(other_id))},
};
static const struct hostile_row create_queue[] = {
    {EXTENSION(RIOCreateRequestQueue, rio.create_rq, FAILS_NULL, queue_errors, A_SOCKET,
               A_NUMBER(1), A_NUMBER(1), A_NUMBER(1), A_NUMBER(1), A_HANDLE(cq), A_HANDLE(cq),
               A_NUMBER(0))},
};
/* clang-format on */

static void take_completions(void)
{
    struct result results[16];
    ULONG count;

    do
        count = rio.dequeue(cq, results, ARRAYSIZE(results));
    while (count && count != CORRUPT_CQ);
}

static void close_connection(void)
{
    hostile_close();
    take_completions();
    rio.close_cq(cq);
    rio.close_cq(other_cq);
    rio.deregister(other_id);
}

static void open_connection(void)
{
    net_pair_flags(AF_INET, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED, &hostile.s,
                   &hostile_peer);
    net_nonblocking(hostile_peer, 1);
    cq = rio.create_cq(4 * OUTSTANDING, NULL);
    rq = rio.create_rq(hostile.s, OUTSTANDING, 1, OUTSTANDING, 1, cq, cq, NULL);
    ok(cq && rq, "error %d\n", WSAGetLastError());
}

/* The queues and buffers that the calls close and name are there; now and then all is made anew. */
static void open_again(void)
{
    if (!(used++ % (OUTSTANDING / 2))) {
        if (used > 1)
            close_connection();
        open_connection();
    } else {
        rio.close_cq(other_cq);
        rio.deregister(other_id);
        hostile_drain(hostile_peer);
    }
    other_cq = rio.create_cq(OUTSTANDING, &how);
    other_id = rio.register_buffer(memory, sizeof(memory));
    send(hostile_peer, memory, HOSTILE_DATA_SIZE, 0);
}

static void test_requests(void)
{
    hostile_walk_table(requests, ARRAYSIZE(requests), open_again);
    close_connection();
}

/* A socket has one queue. */
static void open_socket(void)
{
    hostile_close();
    hostile_open(
        WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED));
}

static void test_create_queue(void)
{
    hostile.s = hostile_peer = INVALID_SOCKET;
    cq = rio.create_cq(4 * OUTSTANDING, NULL);
    hostile_walk_table(create_queue, ARRAYSIZE(create_queue), open_socket);
    hostile_close();
    rio.close_cq(cq);
}

static void make_slices(void)
{
    id = rio.register_buffer(memory, sizeof(memory));
    ok(id != BAD_BUFFER, "error %d\n", WSAGetLastError());
    data = (struct slice){id, 0, HOSTILE_DATA_SIZE};
    local = (struct slice){id, 128, 64};
    remote = (struct slice){id, 256, 64};
    control = (struct slice){id, 512, 256};
    flags = (struct slice){id, 768, sizeof(DWORD)};
    sent_control = (struct slice){id, 1024, 256}; /* all zero: no message */
    sent_flags = (struct slice){id, 1280, sizeof(DWORD)};
}

START_TEST(hostile_rio)
{
    hostile_start();
    if (on_builtin())
        return;
    net_start();
    hostile.started = TRUE;
    how.type = 1;
    how.u.event.handle = hostile.event;
    ok(rio_get(), "no registered I/O, error %d\n", WSAGetLastError());
    make_slices();
    RUN(test_requests);
    RUN(test_create_queue);
    rio.deregister(id);
    WSACleanup();
}
