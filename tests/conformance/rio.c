/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registered I/O: creation, requests, completions, lifetimes (notification: rio_notify.c; datagrams:
 * rio_udp.c).  Sources: the pages of the functions (nc-mswsock-lpfn_rio*), of RIORESULT and RIO_RQ.
 */
#include "rio_api.h"

/* "cbSize: the size, in bytes, of the structure", then thirteen functions */
static void test_table(void)
{
    GUID guid = {0x8509e081, 0x96dd, 0x4005, {0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f}};
    SOCKET s = rio_socket(AF_INET, SOCK_STREAM);
    void **function = (void **)&rio.receive;
    char room[sizeof(rio)];
    DWORD bytes = 0;
    int i;

    ok(rio.size == sizeof(rio), "size %lu\n", rio.size);
    for (i = 0; i < 13; i++)
        ok(function[i] != NULL, "function %d is NULL\n", i);
    ok_error(WSAIoctl(s, MULTIPLE_EXTENSIONS, &guid, sizeof(guid), room, sizeof(room) - 1, &bytes,
                      NULL, NULL),
             WSAEFAULT);
    guid.Data1++;
    ok_error(WSAIoctl(s, MULTIPLE_EXTENSIONS, &guid, sizeof(guid), room, sizeof(room), &bytes,
                      NULL, NULL),
             WSAEINVAL);
    closesocket(s);
}

static void test_register(void)
{
    static char data[64];
    buffer_t id;

    ok_refused(rio.register_buffer(data, 0) != BAD_BUFFER, WSAEINVAL); /* "DataLength ... is zero" */
    ok_refused(rio.register_buffer(NULL, 16) != BAD_BUFFER, WSAEFAULT);
    ok_refused(rio.register_buffer((void *)16, 16) != BAD_BUFFER, WSAEFAULT);
    id = rio.register_buffer(data, sizeof(data));
    ok(id != BAD_BUFFER, "error %d\n", WSAGetLastError());
    rio.deregister(id);
    rio.deregister(id); /* "an invalid buffer identifier ... is ignored" */
    rio.deregister(BAD_BUFFER);
    rio.deregister(NULL);
}

static void test_create_cq(void)
{
    struct notification how = {.type = 2};
    cq_t cq;

    ok_refused(rio.create_cq(0, NULL), WSAEINVAL); /* "less than 1 or greater than RIO_MAX_CQ_SIZE" */
    ok_refused(rio.create_cq(MAX_CQ + 1, NULL), WSAEINVAL);
    ok_refused(rio.create_cq(1, (struct notification *)16), WSAEFAULT);
    how.u.port.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    ok_refused(rio.create_cq(1, &how), WSAEINVAL); /* "Iocp.Overlapped ... must not be NULL" */
    CloseHandle(how.u.port.port);
    how.type = 3;
    ok_refused(rio.create_cq(1, &how), WSAEINVAL);
    cq = rio.create_cq(1, NULL);
    ok(cq != NULL, "error %d\n", WSAGetLastError());
    ok(!rio.dequeue(cq, NULL, 0), "not empty\n");
    rio.close_cq(cq);
    rio.close_cq(cq); /* "this is ignored" */
    rio.close_cq(NULL);
    ok(rio.dequeue(cq, NULL, 0) == CORRUPT_CQ, "not valid: RIO_CORRUPT_CQ\n");
    ok(rio.dequeue(NULL, NULL, 0) == CORRUPT_CQ, "RIO_INVALID_CQ\n");
}

static void test_create_rq(void)
{
    SOCKET s = rio_socket(AF_INET, SOCK_STREAM), plain = socket(AF_INET, SOCK_STREAM, 0);
    cq_t cq = rio.create_cq(4, NULL), closed = rio.create_cq(4, NULL);
    rq_t rq;

    rio.close_cq(closed);
    ok_refused(rio.create_rq(s, 1, 1, 1, 1, NULL, cq, NULL), WSAEINVAL); /* RIO_INVALID_CQ */
    ok_refused(rio.create_rq(s, 1, 1, 1, 1, cq, NULL, NULL), WSAEINVAL);
    ok_refused(rio.create_rq(s, 1, 1, 1, 1, cq, closed, NULL), WSAEINVAL);
    ok_refused(rio.create_rq(s, 0, 1, 0, 1, cq, cq, NULL), WSAEINVAL); /* "both ... are zero" */
    ok_refused(rio.create_rq(s, 1, 2, 1, 1, cq, cq, NULL), WSAEINVAL); /* "must be 1" */
    ok_refused(rio.create_rq(s, 1, 1, 1, 2, cq, cq, NULL), WSAEINVAL);
    ok_refused(rio.create_rq((SOCKET)0xdead0, 1, 1, 1, 1, cq, cq, NULL), WSAENOTSOCK);
    /* RIO_RQ: "must have been created by calling the WSASocket function with the WSA_FLAG_RIO" */
    ok_refused(rio.create_rq(plain, 1, 1, 1, 1, cq, cq, NULL), WSAEOPNOTSUPP);
    rq = rio.create_rq(s, 2, 1, 2, 1, cq, cq, NULL);
    ok(rq != NULL, "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(plain);
    rio.close_cq(cq);
}

/* "the sizes ... must be greater than or equal to the send and receive sizes of all attached sockets.
 * As request queues are closed by closing the sockets ... those slots will be freed up" */
static void test_room_of_cq(void)
{
    SOCKET s = rio_socket(AF_INET, SOCK_STREAM), other = rio_socket(AF_INET, SOCK_STREAM);
    cq_t cq = rio.create_cq(4, NULL);

    ok_refused(rio.create_rq(s, 3, 1, 2, 1, cq, cq, NULL), WSAENOBUFS);
    ok(rio.create_rq(s, 2, 1, 1, 1, cq, cq, NULL) != NULL, "error %d\n", WSAGetLastError());
    ok_refused(rio.create_rq(other, 1, 1, 1, 1, cq, cq, NULL), WSAENOBUFS);
    ok_refused(rio.resize_cq(cq, 2), WSAETOOMANYREFS);
    ok_refused(rio.resize_cq(cq, MAX_CQ + 1), WSAEINVAL);
    ok_refused(rio.resize_cq(NULL, 4), WSAEINVAL);
    ok(rio.resize_cq(cq, 3), "error %d\n", WSAGetLastError());
    ok_refused(rio.create_rq(other, 1, 1, 0, 1, cq, cq, NULL), WSAENOBUFS);
    closesocket(s);
    ok(rio.create_rq(other, 2, 1, 1, 1, cq, cq, NULL) != NULL, "error %d\n", WSAGetLastError());
    closesocket(other);
    rio.close_cq(cq);
}

static void test_data_there(void)
{
    struct rio_end end;
    ULONG i;

    rio_open_end(&end, NULL, 4, 4);
    net_send_all(end.peer, "abcdef", 6);
    net_arrived(end.s, 6);
    ok(rio_receive(&end, 10, 4, 0, 1), "error %d\n", WSAGetLastError());
    ok_result(end.cq, 0, 4, 1);
    ok(!memcmp(end.data + 10, "abcd", 4) && !end.data[14], "wrong bytes\n");
    /* "a slice of the buffer": one at its end */
    ok(rio_receive(&end, sizeof(end.data) - 100, 100, 0, 2), "error %d\n", WSAGetLastError());
    ok_result(end.cq, 0, 2, 2);
    ok(!memcmp(end.data + sizeof(end.data) - 100, "ef", 2), "wrong bytes\n");
    for (i = 0; i < 3; i++) {
        memcpy(end.data, "answer", 6);
        ok(rio_send(&end, i, 6 - i, 0, 100 + i), "error %d\n", WSAGetLastError());
        ok_result(end.cq, 0, 6 - i, 100 + i);
        ok(net_recv_all(end.peer, end.data + 50, 6 - i) == (int)(6 - i), "not received\n");
        ok(!memcmp(end.data + 50, "answer" + i, 6 - i), "wrong bytes\n");
    }
    rio_close_end(&end);
}

/* Requests are completed in the order in which they were posted, and so are the entries. */
static void test_data_later(void)
{
    struct rio_end end;
    ULONG i;

    rio_open_end(&end, NULL, 8, 1);
    for (i = 0; i < 8; i++)
        ok(rio_receive(&end, 10 * i, 2, 0, i), "error %d\n", WSAGetLastError());
    ok(!rio.dequeue(end.cq, NULL, 0), "something completed\n");
    net_send_all(end.peer, "0123456789abcdef", 16);
    for (i = 0; i < 8; i++) {
        ok_result(end.cq, 0, 2, i);
        ok(end.data[10 * i] == "0123456789abcdef"[2 * i], "wrong bytes at %lu\n", i);
    }
    rio_close_end(&end);
}

/* "inserts the request into the request queue"; "the receive request is charged against the
 * outstanding I/O capacity ... regardless of whether RIO_MSG_DEFER is set" */
static void test_defer(void)
{
    struct rio_end end;
    char got[8];
    ULONG i;

    rio_open_end(&end, NULL, 4, 4);
    memcpy(end.data, "deferred", 8);
    for (i = 0; i < 4; i++)
        ok(rio_send(&end, 2 * i, 2, MSG_DEFER, i), "error %d\n", WSAGetLastError());
    ok_refused(rio_send(&end, 0, 1, MSG_DEFER, 4), WSAENOBUFS);
    ok(rio.send(end.rq, NULL, 0, MSG_COMMIT, NULL), "error %d\n", WSAGetLastError());
    ok(net_recv_all(end.peer, got, 8) == 8 && !memcmp(got, "deferred", 8), "wrong bytes\n");
    for (i = 0; i < 4; i++)
        ok_result(end.cq, 0, 2, i);
    /* "To trigger execution for all receives in a request queue, call ... without" the flag */
    for (i = 0; i < 3; i++)
        ok(rio_receive(&end, 100 + i, 1, MSG_DEFER, 10 + i), "error %d\n", WSAGetLastError());
    ok(rio_receive(&end, 103, 1, 0, 13), "error %d\n", WSAGetLastError());
    ok_refused(rio_receive(&end, 0, 1, 0, 14), WSAENOBUFS);
    net_send_all(end.peer, "wxyz", 4);
    for (i = 0; i < 4; i++)
        ok_result(end.cq, 0, 1, 10 + i);
    ok(!memcmp(end.data + 100, "wxyz", 4), "wrong bytes\n");
    rio_close_end(&end);
}

/* "Only after a request's completion has been dequeued does the system release ... its quota charge" */
static void test_quota(void)
{
    struct rio_end end;

    rio_open_end(&end, NULL, 1, 1);
    net_send_all(end.peer, "ab", 2);
    net_arrived(end.s, 2);
    ok(rio_receive(&end, 0, 1, 0, 1), "error %d\n", WSAGetLastError());
    ok_refused(rio_receive(&end, 0, 1, 0, 2), WSAENOBUFS);
    ok_result(end.cq, 0, 1, 1);
    ok(rio_receive(&end, 0, 1, 0, 3), "error %d\n", WSAGetLastError());
    ok_result(end.cq, 0, 1, 3);
    rio_close_end(&end);

    rio_open_end(&end, NULL, 0, 1); /* "was created with zero receive entries" */
    ok_refused(rio_receive(&end, 0, 1, 0, 1), WSAENOBUFS);
    rio_close_end(&end);
}

static void test_resize_rq(void)
{
    struct rio_end end;

    rio_open_end(&end, NULL, 1, 1);
    ok_refused(rio.resize_rq(NULL, 2, 2), WSAEINVAL);
    ok_refused(rio.resize_rq(end.rq, 0, 0), WSAEINVAL);
    ok_refused(rio.resize_rq(end.rq, 2, 2), WSAENOBUFS); /* the completion queue has two places */
    ok(rio.resize_cq(end.cq, 4), "error %d\n", WSAGetLastError());
    ok(rio.resize_rq(end.rq, 3, 1), "error %d\n", WSAGetLastError());
    ok(rio_receive(&end, 0, 1, 0, 1), "error %d\n", WSAGetLastError());
    ok(rio_receive(&end, 1, 1, 0, 2), "error %d\n", WSAGetLastError());
    ok_refused(rio.resize_rq(end.rq, 1, 1), WSAETOOMANYREFS);
    ok(rio.resize_rq(end.rq, 2, 1), "error %d\n", WSAGetLastError());
    ok_refused(rio_receive(&end, 2, 1, 0, 3), WSAENOBUFS);
    net_send_all(end.peer, "xy", 2);
    ok_result(end.cq, 0, 1, 1);
    ok_result(end.cq, 0, 1, 2);
    rio_close_end(&end);
}

/* "will not complete until ... the buffer segment ... is completely full; the connection has been
 * closed; ..." */
static void test_waitall(void)
{
    struct rio_end end;

    rio_open_end(&end, NULL, 2, 2);
    ok(rio_receive(&end, 0, 6, MSG_ALL, 1), "error %d\n", WSAGetLastError());
    ok(rio_receive(&end, 6, 6, MSG_ALL, 2), "error %d\n", WSAGetLastError());
    net_send_all(end.peer, "abc", 3);
    Sleep(50);
    ok(!rio.dequeue(end.cq, NULL, 0), "completed too early\n");
    net_send_all(end.peer, "defgh", 5);
    ok_result(end.cq, 0, 6, 1);
    shutdown(end.peer, SD_SEND);
    ok_result(end.cq, 0, 2, 2);
    ok(!memcmp(end.data, "abcdefgh", 8), "wrong bytes\n");
    rio_close_end(&end);
}

static void test_flags(void)
{
    struct rio_end end;
    struct slice data = {NULL, 0, 4};

    rio_open_end(&end, NULL, 4, 4);
    data.buffer = end.id;
    ok_refused(rio_send(&end, 0, 1, MSG_ALL, 1), WSAEINVAL); /* "not valid for a send operation" */
    ok_refused(rio_send(&end, 0, 1, 16, 1), WSAEINVAL);
    ok_refused(rio_receive(&end, 0, 1, 16, 1), WSAEINVAL);
    /* RIO_MSG_COMMIT_ONLY: "no other flags may be specified", and all arguments NULL or zero */
    ok_refused(rio.receive(end.rq, NULL, 0, MSG_COMMIT | MSG_DEFER, NULL), WSAEINVAL);
    ok_refused(rio.receive(end.rq, &data, 1, MSG_COMMIT, NULL), WSAEINVAL);
    ok_refused(rio.receive(end.rq, NULL, 0, MSG_COMMIT, REQUEST(1)), WSAEINVAL);
    ok_refused(rio.send_ex(end.rq, NULL, 0, NULL, &data, NULL, NULL, MSG_COMMIT, NULL), WSAEINVAL);
    ok(rio.receive(end.rq, NULL, 0, MSG_COMMIT, NULL), "error %d\n", WSAGetLastError());
    /* "zero if the pData is NULL. Otherwise ... 1"; NULL is for UDP sockets */
    ok_refused(rio.receive(end.rq, &data, 0, 0, NULL), WSAEINVAL);
    ok_refused(rio.receive(end.rq, &data, 2, 0, NULL), WSAEINVAL);
    ok_refused(rio.receive(end.rq, NULL, 1, 0, NULL), WSAEINVAL);
    ok_refused(rio.send(end.rq, NULL, 0, 0, NULL), WSAEINVAL);
    ok_refused(rio.send_ex(end.rq, &data, 1, &data, NULL, NULL, NULL, 0, NULL), WSAEINVAL);
    ok_refused(rio.receive(NULL, &data, 1, 0, NULL), WSAEINVAL);
    ok_refused(rio.send((rq_t)(ULONG_PTR)0xdeadbeef, &data, 1, 0, NULL), WSAEINVAL);
    ok(!rio.dequeue(end.cq, NULL, 0), "a refused request completed\n");
    rio_close_end(&end);
}

/* WSAEFAULT: "if a buffer identifier is deregistered"; a slice beyond its buffer is an invalid
 * parameter */
static void test_bad_slices(void)
{
    struct rio_end end;
    struct slice data = {BAD_BUFFER, 0, 1};

    rio_open_end(&end, NULL, 4, 4);
    ok_refused(rio.receive(end.rq, &data, 1, 0, NULL), WSAEFAULT);
    ok_refused(rio.send(end.rq, &data, 1, 0, NULL), WSAEFAULT);
    ok_refused(rio.receive(end.rq, (struct slice *)16, 1, 0, NULL), WSAEFAULT);
    ok_refused(rio_receive(&end, sizeof(end.data), 1, 0, 0), WSAEINVAL);
    ok_refused(rio_receive(&end, 1, sizeof(end.data), 0, 0), WSAEINVAL);
    ok_refused(rio_receive(&end, ~0u, 2, 0, 0), WSAEINVAL);
    ok_refused(rio_send(&end, 2, ~0u, 0, 0), WSAEINVAL);
    ok(rio_send(&end, sizeof(end.data), 0, 0, 7), "error %d\n", WSAGetLastError());
    ok_result(end.cq, 0, 0, 7);
    rio.deregister(end.id);
    ok_refused(rio_receive(&end, 0, 1, 0, 0), WSAEFAULT);
    rio_close_end(&end);
}

/* A buffer deregistered while in use: "the status will be unchanged from the normal status"; freed as
 * well, it may not take the data along. */
static void test_lost_buffer(void)
{
    struct rio_end end;
    char *memory = VirtualAlloc(NULL, 4096, MEM_COMMIT, PAGE_READWRITE), got[4];
    struct slice data = {NULL, 0, 4};

    rio_open_end(&end, NULL, 2, 2);
    ok(rio_receive(&end, 0, 3, 0, 1), "error %d\n", WSAGetLastError());
    rio.deregister(end.id);
    net_send_all(end.peer, "abc", 3);
    ok_result(end.cq, 0, 3, 1);
    ok(!memcmp(end.data, "abc", 3), "wrong bytes\n");

    data.buffer = rio.register_buffer(memory, 4096);
    ok(rio.receive(end.rq, &data, 1, 0, REQUEST(2)), "error %d\n", WSAGetLastError());
    VirtualFree(memory, 0, MEM_RELEASE);
    net_send_all(end.peer, "wxyz", 4);
    ok_result(end.cq, WSAEFAULT, 0, 2);
    ok(net_recv_all(end.s, got, 4) == 4 && !memcmp(got, "wxyz", 4), "the data is lost\n");
    rio.deregister(data.buffer);
    rio_close_end(&end);
}

static void test_end_of_stream(void)
{
    struct rio_end end;

    rio_open_end(&end, NULL, 4, 4);
    ok(rio_receive(&end, 0, 4, 0, 1), "error %d\n", WSAGetLastError());
    shutdown(end.peer, SD_SEND);
    ok_result(end.cq, 0, 0, 1);
    ok(rio_receive(&end, 0, 4, 0, 2), "error %d\n", WSAGetLastError());
    ok_result(end.cq, 0, 0, 2);
    net_reset(end.peer);
    end.peer = INVALID_SOCKET;
    rio_close_end(&end);

    rio_open_end(&end, NULL, 4, 4);
    ok(rio_receive(&end, 0, 4, 0, 1), "error %d\n", WSAGetLastError());
    net_reset(end.peer);
    ok_result(end.cq, WSAECONNRESET, 0, 1); /* "10054": what programs have seen on Windows */
    ok(rio_send(&end, 0, 4, 0, 2), "error %d\n", WSAGetLastError());
    ok_result(end.cq, WSAECONNRESET, 0, 2);
    end.peer = INVALID_SOCKET;
    rio_close_end(&end);
}

/* The socket's state is found when the request is executed, and told by its completion. */
static void test_states(void)
{
    SOCKET s = rio_socket(AF_INET, SOCK_STREAM);
    struct rio_end end = {0};

    end.s = s;
    end.peer = INVALID_SOCKET;
    end.cq = rio.create_cq(4, NULL);
    end.rq = rio.create_rq(s, 2, 1, 2, 1, end.cq, end.cq, SOCKET_CONTEXT);
    end.id = rio.register_buffer(end.data, sizeof(end.data));
    ok(rio_receive(&end, 0, 1, 0, 1), "error %d\n", WSAGetLastError());
    ok_result(end.cq, WSAENOTCONN, 0, 1);
    ok(rio_send(&end, 0, 1, 0, 2), "error %d\n", WSAGetLastError());
    ok_result(end.cq, WSAENOTCONN, 0, 2);
    rio_close_end(&end);

    rio_open_end(&end, NULL, 2, 2);
    ok_success(shutdown(end.s, SD_SEND));
    ok(rio_send(&end, 0, 1, 0, 3), "error %d\n", WSAGetLastError());
    ok_result(end.cq, WSAESHUTDOWN, 0, 3);
    rio_close_end(&end);
}

/* WSA_OPERATION_ABORTED: "if the socket is closed locally"; afterwards the RIO_RQ is not valid. */
static void test_close_socket(void)
{
    struct rio_end end;
    struct result got[4] = {{0}};
    ULONG i;

    rio_open_end(&end, NULL, 4, 4);
    ok(rio_receive(&end, 0, 4, 0, 1), "error %d\n", WSAGetLastError());
    ok(rio_receive(&end, 4, 4, 0, 2), "error %d\n", WSAGetLastError());
    ok(rio_receive(&end, 8, 4, MSG_DEFER, 3), "error %d\n", WSAGetLastError());
    ok(rio_send(&end, 8, 4, MSG_DEFER, 4), "error %d\n", WSAGetLastError());
    ok_success(closesocket(end.s));
    end.s = INVALID_SOCKET;
    ok(rio_take(end.cq, got, 4) == 4, "not all have completed\n");
    for (i = 0; i < 4; i++) {
        ok(got[i].status == WSA_OPERATION_ABORTED, "%lu: status %ld\n", i, got[i].status);
        ok(!got[i].bytes && got[i].socket_context == (ULONG_PTR)SOCKET_CONTEXT, "%lu\n", i);
        ok(got[i].request_context == i + 1, "%lu: request %lu\n", i, (ULONG)got[i].request_context);
    }
    ok_refused(rio_receive(&end, 0, 4, 0, 5), WSAEINVAL);
    ok_refused(rio.resize_rq(end.rq, 1, 1), WSAEINVAL);
    ok(!rio.dequeue(end.cq, got, 4), "more completions\n");
    rio_close_end(&end);
}

/* "Any new completions to be added are silently dropped." */
static void test_close_cq(void)
{
    struct rio_end end;

    rio_open_end(&end, NULL, 4, 4);
    ok(rio_receive(&end, 0, 4, 0, 1), "error %d\n", WSAGetLastError());
    ok(rio_send(&end, 0, 4, 0, 2), "error %d\n", WSAGetLastError());
    rio.close_cq(end.cq);
    net_send_all(end.peer, "abcd", 4);
    /* "the integrity of the completion queue has been compromised" */
    ok_refused(rio_receive(&end, 0, 4, 0, 3), WSAEINVAL);
    ok(rio.dequeue(end.cq, NULL, 0) == CORRUPT_CQ, "still there\n");
    Sleep(20);
    rio_close_end(&end);
}

/* Several sockets, one completion queue: the contexts tell which. */
static void test_many_sockets(void)
{
    enum { SOCKETS = 20 };
    SOCKET s[SOCKETS], peer[SOCKETS];
    cq_t cq = rio.create_cq(2 * SOCKETS, NULL);
    static char data[SOCKETS];
    buffer_t id = rio.register_buffer(data, sizeof(data));
    struct result got[SOCKETS];
    ULONG i, seen = 0;

    for (i = 0; i < SOCKETS; i++) {
        struct slice slice = {id, i, 1};
        rq_t rq;

        net_pair_flags(AF_INET, WSA_FLAG_REGISTERED_IO, &s[i], &peer[i]);
        rq = rio.create_rq(s[i], 1, 1, 1, 1, cq, cq, REQUEST(i));
        ok(rio.receive(rq, &slice, 1, 0, REQUEST(100 + i)), "error %d\n", WSAGetLastError());
    }
    for (i = SOCKETS; i--;) {
        char byte = (char)('A' + i);

        net_send_all(peer[i], &byte, 1);
    }
    ok(rio_take(cq, got, SOCKETS) == SOCKETS, "not all have completed\n");
    for (i = 0; i < SOCKETS; i++) {
        ok(got[i].request_context == got[i].socket_context + 100, "contexts of %lu\n", i);
        ok(!got[i].status && got[i].bytes == 1, "status %ld\n", got[i].status);
        seen |= 1u << got[i].socket_context;
        ok(data[i] == (char)('A' + i), "wrong byte\n");
    }
    ok(seen == (1u << SOCKETS) - 1, "some came twice\n");
    for (i = 0; i < SOCKETS; i++) {
        closesocket(s[i]);
        closesocket(peer[i]);
    }
    rio.close_cq(cq);
    rio.deregister(id);
}

/* A listener made with the flag accepts sockets of registered I/O (as RIO servers are written). */
static void test_accepted(void)
{
    struct sockaddr_storage address;
    int length = net_loopback(AF_INET, &address);
    SOCKET l = rio_socket(AF_INET, SOCK_STREAM), client = socket(AF_INET, SOCK_STREAM, 0), s;
    cq_t cq = rio.create_cq(2, NULL);

    ok_success(bind(l, (struct sockaddr *)&address, length));
    ok_success(listen(l, 1));
    ok_success(getsockname(l, (struct sockaddr *)&address, &length));
    ok_success(connect(client, (struct sockaddr *)&address, length));
    s = accept(l, NULL, NULL);
    ok(rio.create_rq(s, 1, 1, 1, 1, cq, cq, NULL) != NULL, "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(l);
    closesocket(client);
    rio.close_cq(cq);
}

/* More than the peer takes: the sends wait, and complete in order. */
static void test_big_sends(void)
{
    enum { SIZE = 1 << 20, SENDS = 4 };
    struct rio_end end;
    char *data = malloc(SIZE), *got = malloc(SIZE);
    struct slice slice = {NULL, 0, SIZE};
    ULONG i, k;

    rio_open_end(&end, NULL, 1, SENDS);
    for (i = 0; i < SIZE; i++)
        data[i] = (char)(i * 7 + (i >> 9));
    slice.buffer = rio.register_buffer(data, SIZE);
    for (i = 0; i < SENDS; i++)
        ok(rio.send(end.rq, &slice, 1, 0, REQUEST(i)), "error %d\n", WSAGetLastError());
    for (i = 0; i < SENDS; i++) {
        ok(net_recv_all(end.peer, got, SIZE) == SIZE, "not received\n");
        for (k = 0; k < SIZE && got[k] == data[k]; k++)
            ;
        ok(k == SIZE, "send %lu: wrong byte at %lu\n", i, k);
    }
    for (i = 0; i < SENDS; i++)
        ok_result(end.cq, 0, SIZE, i);
    rio.deregister(slice.buffer);
    rio_close_end(&end);
    free(data);
    free(got);
}

START_TEST(rio)
{
    net_start();
    if (!rio_load()) {
        skip("no registered I/O here\n");
        WSACleanup();
        return;
    }
    RUN(test_table);
    RUN(test_register);
    RUN(test_create_cq);
    RUN(test_create_rq);
    RUN(test_room_of_cq);
    RUN(test_data_there);
    RUN(test_data_later);
    RUN(test_defer);
    RUN(test_quota);
    RUN(test_resize_rq);
    RUN(test_waitall);
    RUN(test_flags);
    RUN(test_bad_slices);
    RUN(test_lost_buffer);
    RUN(test_end_of_stream);
    RUN(test_states);
    RUN(test_close_socket);
    RUN(test_close_cq);
    RUN(test_many_sockets);
    RUN(test_accepted);
    RUN(test_big_sends);
    WSACleanup();
}
