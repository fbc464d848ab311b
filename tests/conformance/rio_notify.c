/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RIONotify: by event and by completion port.  Sources: the pages of RIONotify,
 * RIOCreateCompletionQueue and RIO_NOTIFICATION_COMPLETION.
 */
#include "rio_api.h"

static BOOL is_set(HANDLE event, DWORD patience)
{
    return WaitForSingleObject(event, patience) == WAIT_OBJECT_0;
}

/* "A non-zero value cause[s] the associated event to be reset" by RIONotify; it is set once a
 * completion is there */
static void test_event(BOOL reset)
{
    struct notification how = {.type = 1};
    struct rio_end end;

    winetest_push_context("reset %d", reset);
    how.u.event.handle = CreateEventA(NULL, TRUE, TRUE, NULL);
    how.u.event.reset = reset;
    rio_open_end(&end, &how, 4, 4);
    ok(is_set(how.u.event.handle, 0), "made without touching the event\n");
    ok(!rio.notify(end.cq), "failed\n");
    ok(is_set(how.u.event.handle, 0) == !reset, "RIONotify resets it, or not\n");
    /* "if a previous RIONotify request has not yet completed" */
    ok(rio.notify(end.cq) == WSAEALREADY, "twice\n");
    ResetEvent(how.u.event.handle);
    ok(rio_receive(&end, 0, 4, 0, 1), "error %d\n", WSAGetLastError());
    ok(!is_set(how.u.event.handle, 50), "set too early\n");
    net_send_all(end.peer, "abcd", 4);
    ok(is_set(how.u.event.handle, NET_PATIENCE), "not set\n");
    ok_result(end.cq, 0, 4, 1);

    /* "Once a completion queue notification is issued, the application must call the RIONotify
     * function in order to receive another" */
    ResetEvent(how.u.event.handle);
    ok(rio_receive(&end, 0, 4, 0, 2), "error %d\n", WSAGetLastError());
    net_send_all(end.peer, "efgh", 4);
    net_arrived(end.s, 4);
    ok(!is_set(how.u.event.handle, 50), "set without RIONotify\n");
    /* "already not empty ... additional entries do not need to enter the completion queue" */
    ok(!rio.notify(end.cq), "failed\n");
    ok(is_set(how.u.event.handle, NET_PATIENCE), "not set\n");
    ok(!rio.notify(end.cq), "failed\n"); /* that one has completed */
    ok_result(end.cq, 0, 4, 2);
    rio_close_end(&end);
    CloseHandle(how.u.event.handle);
    winetest_pop_context();
}

/* A thread waits in the kernel, nobody polls: a completion must wake it. */
static DWORD WINAPI send_soon(void *arg)
{
    struct rio_end *end = arg;

    Sleep(100);
    net_send_all(end->peer, "late", 4);
    return 0;
}

static void test_wait(void)
{
    struct notification how = {.type = 1};
    struct rio_end end;
    HANDLE thread;
    int i;

    how.u.event.handle = CreateEventA(NULL, TRUE, FALSE, NULL);
    how.u.event.reset = TRUE;
    rio_open_end(&end, &how, 4, 4);
    for (i = 0; i < 3; i++) {
        ok(rio_receive(&end, 0, 4, 0, i), "error %d\n", WSAGetLastError());
        ok(!rio.notify(end.cq), "failed\n");
        thread = CreateThread(NULL, 0, send_soon, &end, 0, NULL);
        ok(is_set(how.u.event.handle, NET_PATIENCE), "not woken\n");
        ok_result(end.cq, 0, 4, i);
        net_finish(thread);
    }
    rio_close_end(&end);
    CloseHandle(how.u.event.handle);
}

/* "Completion queue notification ... will never be triggered as a result of such requests"; "any
 * completed requests can still be retrieved" */
static void test_dont_notify(void)
{
    struct notification how = {.type = 1};
    struct rio_end end;
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);

    how.u.event.handle = event;
    rio_open_end(&end, &how, 4, 4);
    ok(!rio.notify(end.cq), "failed\n");
    ok(rio_receive(&end, 0, 1, MSG_DONT_NOTIFY, 1), "error %d\n", WSAGetLastError());
    ok(rio_receive(&end, 1, 1, 0, 2), "error %d\n", WSAGetLastError());
    net_send_all(end.peer, "a", 1);
    ok(!is_set(event, 100), "set for a request that does not want it\n");
    ok_result(end.cq, 0, 1, 1);
    net_send_all(end.peer, "b", 1);
    ok(is_set(event, NET_PATIENCE), "not set\n");
    ok_result(end.cq, 0, 1, 2);
    ResetEvent(event);
    /* "If the completion queue contains only entries with the ... flag set, the ... notification
     * will not be triggered" */
    ok(rio_send(&end, 0, 1, MSG_DONT_NOTIFY, 3), "error %d\n", WSAGetLastError());
    ok(!rio.notify(end.cq), "failed\n");
    ok(!is_set(event, 50), "set for an entry that does not want it\n");
    ok(rio_send(&end, 0, 1, 0, 4), "error %d\n", WSAGetLastError());
    ok(is_set(event, NET_PATIENCE), "not set\n");
    ok_result(end.cq, 0, 1, 3);
    ok_result(end.cq, 0, 1, 4);
    rio_close_end(&end);
    CloseHandle(event);
}

static void ok_packet_(int line, HANDLE port, ULONG_PTR expected, OVERLAPPED *overlapped)
{
    OVERLAPPED *got = NULL;
    ULONG_PTR key = 0;
    DWORD bytes;
    BOOL result = GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE);

    ok_(__FILE__, line)(result, "error %lu\n", GetLastError());
    ok_(__FILE__, line)(key == expected && got == overlapped, "key %lu\n", (ULONG)key);
}
#define ok_packet(port, key, overlapped) ok_packet_(__LINE__, port, key, overlapped)

/* "will queue an entry to the I/O completion port", with the key and OVERLAPPED of the structure */
static void test_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), thread;
    OVERLAPPED overlapped = {0}, *got;
    struct notification how = {.type = 2};
    struct rio_end end;
    ULONG_PTR key;
    DWORD bytes;
    int i;

    how.u.port.port = port;
    how.u.port.key = (void *)77;
    how.u.port.overlapped = &overlapped;
    rio_open_end(&end, &how, 4, 4);
    for (i = 0; i < 3; i++) {
        ok(rio_receive(&end, 0, 4, 0, i), "error %d\n", WSAGetLastError());
        ok(!rio.notify(end.cq), "failed\n");
        ok(rio.notify(end.cq) == WSAEALREADY, "twice\n");
        thread = CreateThread(NULL, 0, send_soon, &end, 0, NULL);
        ok_packet(port, 77, &overlapped);
        ok_result(end.cq, 0, 4, i);
        net_finish(thread);
    }
    ok(rio_send(&end, 0, 4, 0, 10), "error %d\n", WSAGetLastError());
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 20), "a packet without RIONotify\n");
    ok(!rio.notify(end.cq), "failed\n");
    ok_packet(port, 77, &overlapped);
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 20), "two packets\n");
    ok_result(end.cq, 0, 4, 10);
    rio_close_end(&end);
    CloseHandle(port);
}

/* Two completion queues and a plain socket at one port: the keys tell which. */
static void test_shared_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED overlapped[2] = {{0}}, plain = {0};
    struct notification how = {.type = 2};
    static struct rio_end end[2];
    WSABUF buffer = {4, NULL};
    DWORD flags = 0;
    char data[4];
    SOCKET s, peer;
    int i;

    how.u.port.port = port;
    for (i = 0; i < 2; i++) {
        how.u.port.key = (void *)(ULONG_PTR)(i + 1);
        how.u.port.overlapped = &overlapped[i];
        rio_open_end(&end[i], &how, 2, 2);
        ok(rio_receive(&end[i], 0, 4, 0, i), "error %d\n", WSAGetLastError());
        ok(!rio.notify(end[i].cq), "failed\n");
    }
    net_pair(&s, &peer);
    ok(CreateIoCompletionPort((HANDLE)s, port, 3, 0) == port, "error %lu\n", GetLastError());
    buffer.buf = data;
    ok_error(WSARecv(s, &buffer, 1, NULL, &flags, &plain, NULL), WSA_IO_PENDING);
    net_send_all(end[1].peer, "1111", 4);
    ok_packet(port, 2, &overlapped[1]);
    net_send_all(peer, "2222", 4);
    ok_packet(port, 3, &plain);
    net_send_all(end[0].peer, "0000", 4);
    ok_packet(port, 1, &overlapped[0]);
    for (i = 0; i < 2; i++) {
        ok_result(end[i].cq, 0, 4, (ULONG)i);
        rio_close_end(&end[i]);
    }
    closesocket(s);
    closesocket(peer);
    CloseHandle(port);
}

static void test_invalid(void)
{
    struct notification how = {.type = 1};
    cq_t cq = rio.create_cq(1, NULL);

    ok(rio.notify(NULL) == WSAEINVAL, "RIO_INVALID_CQ\n");
    ok(rio.notify(cq) == WSAEINVAL, "made without a way to notify\n");
    rio.close_cq(cq);
    ok(rio.notify(cq) == WSAEINVAL, "closed\n");
    how.u.event.handle = (HANDLE)(ULONG_PTR)0xdead00;
    ok_refused(rio.create_cq(1, &how), WSAEINVAL);
    how.type = 2;
    how.u.port.port = (HANDLE)(ULONG_PTR)0xdead00;
    how.u.port.overlapped = &how;
    ok_refused(rio.create_cq(1, &how), WSAEINVAL);
}

/* Receives of RIO and of WSARecv on one socket: one stream, in the order of the calls. */
static void test_mixed(void)
{
    OVERLAPPED overlapped = {0};
    struct notification how = {.type = 1};
    struct rio_end end;
    WSABUF buffer = {2, NULL};
    DWORD flags = 0, bytes = 0;
    char data[2];

    how.u.event.handle = CreateEventA(NULL, TRUE, FALSE, NULL);
    rio_open_end(&end, &how, 4, 4);
    overlapped.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    buffer.buf = data;
    ok(rio_receive(&end, 0, 2, 0, 1), "error %d\n", WSAGetLastError());
    ok_error(WSARecv(end.s, &buffer, 1, NULL, &flags, &overlapped, NULL), WSA_IO_PENDING);
    ok(rio_receive(&end, 2, 2, 0, 2), "error %d\n", WSAGetLastError());
    ok(!rio.notify(end.cq), "failed\n");
    net_send_all(end.peer, "aabbcc", 6);
    ok(is_set(overlapped.hEvent, NET_PATIENCE), "WSARecv not told\n");
    ok(is_set(how.u.event.handle, NET_PATIENCE), "RIO not told\n");
    ok(WSAGetOverlappedResult(end.s, &overlapped, &bytes, FALSE, &flags), "error %d\n",
       WSAGetLastError());
    ok(bytes == 2 && !memcmp(data, "bb", 2), "wrong bytes\n");
    ok_result(end.cq, 0, 2, 1);
    ok_result(end.cq, 0, 2, 2);
    ok(!memcmp(end.data, "aacc", 4), "wrong bytes\n");
    rio_close_end(&end);
    CloseHandle(overlapped.hEvent);
    CloseHandle(how.u.event.handle);
}

START_TEST(rio_notify)
{
    net_start();
    if (!rio_load()) {
        skip("no registered I/O here\n");
        WSACleanup();
        return;
    }
    RUN(test_event, FALSE);
    RUN(test_event, TRUE);
    RUN(test_wait);
    RUN(test_dont_notify);
    RUN(test_port);
    RUN(test_shared_port);
    RUN(test_invalid);
    RUN(test_mixed);
    WSACleanup();
}
