/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the end of a thread does to the operations that it has issued.
 * Sources: WSARecv's page ("Note  All I/O initiated by a given thread is canceled when that thread
 * exits.  For overlapped sockets, pending asynchronous operations can fail if the thread is closed
 * before the operations complete") and ExitThread's ("except for I/O that is associated with a
 * completion port").  Which of the combinations of event, routine and packet are cancelled is what
 * Wine's test_async_thread_termination, run on Windows, has: without a port all; with one those
 * with an event, and those that no packet tells of; a routine and a port together are refused.
 */
#include "overlapped.h"

enum thread_end { END_RETURN, END_EXIT, END_TERMINATE, ENDS };
static const char *const end_names[] = {"return", "ExitThread", "TerminateThread"};

struct issuer {
    SOCKET s;
    WSAOVERLAPPED ov;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    enum thread_end end;
    HANDLE posted;
    int result, error;
    char *buffer; /* of 8 bytes */
};

/* How long a thread gets to be at rest in its wait before it is terminated, in ms.  One that dies
 * inside a system call of Wine 8.0 leaves the locks of ntdll's own taken, and the next NtClose
 * waits for ever, on the built-in as well: at the 5th to the 72nd of threads that had just begun.
 */
enum { AT_REST = 100 };

static LONG routines;

static void CALLBACK count_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)error, (void)bytes, (void)ov, (void)flags;
    InterlockedIncrement(&routines);
}

/* No checks in here: a thread that is terminated must not hold what they use. */
static DWORD WINAPI issue(void *arg)
{
    struct issuer *issuer = arg;
    WSABUF buf = {8, issuer->buffer};
    DWORD flags = 0;

    issuer->result = WSARecv(issuer->s, &buf, 1, NULL, &flags, &issuer->ov, issuer->routine);
    issuer->error = WSAGetLastError();
    SetEvent(issuer->posted);
    if (issuer->end == END_TERMINATE)
        Sleep(INFINITE);
    if (issuer->end == END_EXIT)
        ExitThread(0);
    return 0;
}

/* Runs a thread that issues the operation, and ends it. */
static void run_issuer(struct issuer *issuer)
{
    HANDLE thread;

    issuer->posted = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, issue, issuer, 0, NULL);
    ok(WaitForSingleObject(issuer->posted, NET_PATIENCE) == WAIT_OBJECT_0, "not posted\n");
    if (issuer->end == END_TERMINATE) {
        Sleep(AT_REST);
        ok(TerminateThread(thread, 0), "error %lu\n", GetLastError());
    }
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "the thread does not end\n");
    CloseHandle(thread);
    CloseHandle(issuer->posted);
}

/* One combination: what a program may say with hEvent (an event, its low bit) and a routine.
 *
 * The low bit alone (hEvent is 1): GetQueuedCompletionStatus's page wants "a valid event handle
 * whose low-order bit is set", so Windows may refuse it like any hEvent that is no event, or take
 * it as no event and no packet, which is the row that Wine's test makes below Winsock.  Nobody has
 * told which; either way nothing may be left pending, and no data be lost. */
static void check_combination(enum thread_end end, BOOL with_port, BOOL event, BOOL routine,
                              BOOL packet)
{
    HANDLE set = CreateEventA(NULL, TRUE, FALSE, NULL), port = NULL;
    struct issuer issuer = {.end = end, .routine = routine ? count_routine : NULL};
    BOOL stays = with_port && !event && packet;
    char *page = page_make(), byte = 0;
    OVERLAPPED *ov = NULL;
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    SOCKET pair[2];
    BOOL refused;

    net_pair(&pair[0], &pair[1]);
    issuer.s = pair[1];
    issuer.buffer = page;
    issuer.ov.hEvent = (HANDLE)((event ? (ULONG_PTR)set : 0) | (packet ? 0 : 1));
    if (with_port)
        port = CreateIoCompletionPort((HANDLE)pair[1], NULL, 0x77, 0);
    run_issuer(&issuer);
    refused = !event && !routine && !packet && issuer.error == WSAENOTSOCK;
    if (with_port && routine) {
        ok(issuer.result == -1 && issuer.error == WSAEINVAL, "got %d, error %d\n", issuer.result,
           issuer.error);
    } else if (refused) {
        ok(issuer.result == -1, "got %d\n", issuer.result);
        net_send_all(pair[0], "x", 1);
    } else {
        ok(issuer.result == -1 && issuer.error == WSA_IO_PENDING, "got %d, error %d\n",
           issuer.result, issuer.error);
        /* a terminated thread may still be on its way out */
        for (int i = 0; !stays && i < 500 && (DWORD)issuer.ov.Internal == (DWORD)STATUS_PENDING_;
             i++)
            Sleep(10);
        ok((DWORD)issuer.ov.Internal == (DWORD)(stays ? STATUS_PENDING_ : STATUS_CANCELLED_),
           "status %lx\n", (DWORD)issuer.ov.Internal);
        if (event && !routine)
            ok(WaitForSingleObject(set, NET_PATIENCE) == WAIT_OBJECT_0, "the event is not set\n");
        if (!stays)
            page_take_away(page);
        net_send_all(pair[0], "x", 1);
    }
    if (with_port && !routine && packet) {
        BOOL result = GetQueuedCompletionStatus(port, &bytes, &key, &ov, NET_PATIENCE);

        ok(ov == &issuer.ov, "no packet\n");
        ok(result == stays && bytes == (DWORD)stays, "got %d, error %lu, %lu bytes\n", result,
           GetLastError(), bytes);
        ok(stays || GetLastError() == ERROR_OPERATION_ABORTED, "error %lu\n", GetLastError());
    } else if (with_port)
        ok(!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20) && !ov, "a packet\n");
    /* what arrives is the next receive's, unless it was the one that goes on */
    if (!stays && !(with_port && routine))
        ok(recv(pair[1], &byte, 1, 0) == 1 && byte == 'x', "the data is gone, error %d\n",
           WSAGetLastError());
    closesocket(pair[0]);
    closesocket(pair[1]);
    if (port)
        CloseHandle(port);
    CloseHandle(set);
    page_free(page);
}

/* "All I/O initiated by a given thread is canceled when that thread exits": the sixteen
 * combinations of port, event, routine and packet. */
static void test_matrix(enum thread_end end)
{
    int i;

    for (i = 0; i < 16; i++) {
        BOOL with_port = !!(i & 8), event = !!(i & 4), routine = !!(i & 2), packet = !(i & 1);

        winetest_push_context("%s, %sport, %sevent, %sroutine, %spacket", end_names[end],
                              with_port ? "" : "no ", event ? "" : "no ", routine ? "" : "no ",
                              packet ? "" : "no ");
        check_combination(end, with_port, event, routine, packet);
        winetest_pop_context();
    }
    SleepEx(0, TRUE);
    ok(!routines, "%ld routines ran\n", routines);
}

static void test_return(void)
{
    test_matrix(END_RETURN);
}

static void test_exit_thread(void)
{
    test_matrix(END_EXIT);
}

/* TerminateThread: "the target thread has no chance to execute any user-mode code". */
static void test_terminate_thread(void)
{
    test_matrix(END_TERMINATE);
}

struct blocked {
    SOCKET s;
    HANDLE begun;
};

static DWORD WINAPI block(void *arg)
{
    struct blocked *blocked = arg;
    char byte;

    SetEvent(blocked->begun);
    return recv(blocked->s, &byte, 1, 0);
}

/* The same of a thread that blocks in recv: what arrives is the next receive's. */
static void test_terminate_blocked(void)
{
    struct blocked blocked = {.begun = CreateEventA(NULL, FALSE, FALSE, NULL)};
    SOCKET pair[2];
    HANDLE thread;
    char byte = 0;
    int i;

    net_pair(&pair[0], &pair[1]);
    blocked.s = pair[1];
    for (i = 0; i < 4; i++) {
        thread = CreateThread(NULL, 0, block, &blocked, 0, NULL);
        ok(WaitForSingleObject(blocked.begun, NET_PATIENCE) == WAIT_OBJECT_0, "not begun\n");
        Sleep(AT_REST);
        ok(TerminateThread(thread, 0), "error %lu\n", GetLastError());
        ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "it does not end\n");
        CloseHandle(thread);
        net_send_all(pair[0], "x", 1);
        ok(recv(pair[1], &byte, 1, 0) == 1 && byte == 'x', "error %d\n", WSAGetLastError());
    }
    closesocket(pair[0]);
    closesocket(pair[1]);
    CloseHandle(blocked.begun);
}

START_TEST(thread_exit)
{
    net_start();
    RUN(test_return);
    RUN(test_exit_thread);
    RUN(test_terminate_thread);
    RUN(test_terminate_blocked);
    WSACleanup();
}
