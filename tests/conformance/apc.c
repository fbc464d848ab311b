/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion routines.
 * Source: the page of WSARecv ("The completion routine follows the same rules as ... Windows file
 * I/O completion routines ... will not be invoked until the thread is in an alertable wait state";
 * "all waiting completion routines are called before the alertable thread's wait is satisfied with
 * a return code of WSA_IO_COMPLETION"; "For a given socket, I/O completion routines will not be
 * nested"), of SleepEx and of WSAWaitForMultipleEvents.
 */
#include "net.h"

static struct {
    int calls, depth, nested;
    DWORD thread, error, bytes, flags;
    WSAOVERLAPPED *overlapped;
} seen;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    if (seen.depth++)
        seen.nested++;
    seen.calls++;
    seen.thread = GetCurrentThreadId();
    seen.error = error;
    seen.bytes = bytes;
    seen.flags = flags;
    seen.overlapped = overlapped;
    seen.depth--;
}

static void clear(void)
{
    memset(&seen, 0, sizeof(seen));
}

/* Waits alertably, but not for ever. */
static DWORD sleep_alertably(void)
{
    return SleepEx(NET_PATIENCE, TRUE);
}

static void test_basic(void)
{
    WSAOVERLAPPED ov = {0};
    DWORD flags = 0, bytes = 0;
    char buffer[8];
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET a, b;

    net_pair(&a, &b);
    clear();
    /* "If lpCompletionRoutine is not NULL, the hEvent parameter is ignored and can be used by the
     * application to pass context information" */
    ov.hEvent = (HANDLE)(ULONG_PTR)0xdeadbeef;
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, routine), WSA_IO_PENDING);
    net_send_all(a, "abc", 3);
    Sleep(50);
    ok(!seen.calls, "called without an alertable wait\n");
    ok(WaitForSingleObjectEx(GetCurrentThread(), 20, FALSE) == WAIT_TIMEOUT && !seen.calls,
       "called in a wait that is not alertable\n");
    ok(sleep_alertably() == WAIT_IO_COMPLETION, "no completion\n");
    ok(seen.calls == 1, "got %d calls\n", seen.calls);
    ok(seen.thread == GetCurrentThreadId(), "on another thread\n");
    ok(seen.error == 0 && seen.bytes == 3 && seen.flags == 0 && seen.overlapped == &ov,
       "got error %lu, %lu bytes, flags %lx\n", seen.error, seen.bytes, seen.flags);
    ok(!memcmp(buffer, "abc", 3), "wrong bytes\n");
    ok(ov.hEvent == (HANDLE)(ULONG_PTR)0xdeadbeef, "hEvent was changed\n");
    ok(SleepEx(0, TRUE) == 0 && seen.calls == 1, "called twice\n");
    /* WSAGetOverlappedResult afterwards, fWait FALSE */
    ok(WSAGetOverlappedResult(b, &ov, &bytes, FALSE, &flags) && bytes == 3, "got %lu\n", bytes);

    /* "If no error occurs and the receive operation has completed immediately, ... the completion
     * routine will have already been scheduled to be called once the calling thread is in the
     * alertable state." */
    net_send_all(a, "defg", 4);
    net_arrived(b, 4);
    clear();
    ok_success(WSARecv(b, &buf, 1, &bytes, &flags, &ov, routine));
    ok(bytes == 4, "got %lu\n", bytes);
    ok(!seen.calls, "called at once\n");
    ok(SleepEx(0, TRUE) == WAIT_IO_COMPLETION, "not scheduled\n");
    ok(seen.calls == 1 && seen.bytes == 4, "got %d calls, %lu bytes\n", seen.calls, seen.bytes);

    /* WSASend likewise */
    clear();
    buf.len = 4;
    ok_success(WSASend(b, &buf, 1, &bytes, 0, &ov, routine));
    ok(!seen.calls, "called at once\n");
    ok(SleepEx(0, TRUE) == WAIT_IO_COMPLETION && seen.calls == 1 && seen.bytes == 4,
       "got %d calls, %lu bytes\n", seen.calls, seen.bytes);
    closesocket(a);
    closesocket(b);
}

/* All waiting routines run before the wait returns. */
static void test_all(void)
{
    enum { COUNT = 10 };
    WSAOVERLAPPED ov[COUNT];
    HANDLE event = WSACreateEvent();
    DWORD flags = 0, result;
    char buffer[COUNT];
    WSABUF buf = {1, NULL};
    SOCKET a, b;
    int i;

    net_pair(&a, &b);
    clear();
    memset(ov, 0, sizeof(ov));
    for (i = 0; i < COUNT; i++) {
        buf.buf = &buffer[i];
        ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov[i], routine), WSA_IO_PENDING);
    }
    net_send_all(a, "0123456789", COUNT);
    Sleep(200);
    result = WSAWaitForMultipleEvents(1, &event, TRUE, NET_PATIENCE, TRUE);
    ok(result == WSA_WAIT_IO_COMPLETION, "got %lx\n", result);
    ok(seen.calls == COUNT, "got %d calls\n", seen.calls);
    ok(!seen.nested, "nested\n");
    ok(!memcmp(buffer, "0123456789", COUNT), "got %.10s\n", buffer);
    closesocket(a);
    closesocket(b);
    WSACloseEvent(event);
}

/* "The WSARecv function using overlapped I/O can be called from within the completion routine of a
 * previous WSARecv"; nested alertable waits aside, each runs after the other. */
static struct {
    SOCKET s;
    char data[64], buffer[4];
    int got, ended, depth, nested;
    WSAOVERLAPPED ov;
} chain;

static void CALLBACK chain_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    WSABUF buf = {sizeof(chain.buffer), chain.buffer};
    int result;

    (void)flags;
    if (chain.depth++)
        chain.nested++;
    if (error || !bytes || chain.got + bytes > sizeof(chain.data)) {
        chain.ended = 1;
    } else {
        memcpy(chain.data + chain.got, chain.buffer, bytes);
        chain.got += bytes;
        flags = 0;
        result = WSARecv(chain.s, &buf, 1, NULL, &flags, overlapped, chain_routine);
        ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    }
    chain.depth--;
}

static void test_chain(void)
{
    WSABUF buf = {sizeof(chain.buffer), chain.buffer};
    DWORD flags = 0, start = GetTickCount();
    SOCKET a;

    net_pair(&a, &chain.s);
    ok_error(WSARecv(chain.s, &buf, 1, NULL, &flags, &chain.ov, chain_routine), WSA_IO_PENDING);
    net_send_all(a, "the quick brown fox jumps", 25);
    closesocket(a);
    while (!chain.ended && GetTickCount() - start < NET_PATIENCE)
        SleepEx(1000, TRUE);
    ok(chain.ended, "no end of stream\n");
    ok(!chain.nested, "nested %d times\n", chain.nested);
    ok(chain.got == 25 && !memcmp(chain.data, "the quick brown fox jumps", 25), "got %d: %.*s\n",
       chain.got, chain.got, chain.data);
    closesocket(chain.s);
}

/* Blocking Winsock calls: "Winsock performs an alertable wait in this situation, which can be
 * interrupted by an asynchronous procedure call (APC) scheduled on the same thread." */
static DWORD WINAPI send_two(void *arg)
{
    SOCKET *s = arg;

    Sleep(100);
    net_send_all(s[0], "apc", 3);
    Sleep(100);
    net_send_all(s[1], "b", 1);
    return 0;
}

static void test_blocking_call(void)
{
    WSAOVERLAPPED ov = {0};
    SOCKET a[2], b, c;
    DWORD flags = 0;
    char buffer[8], byte = 0;
    WSABUF buf = {sizeof(buffer), buffer};
    HANDLE thread;
    int got;

    net_pair(&a[0], &b);
    net_pair(&a[1], &c);
    clear();
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, routine), WSA_IO_PENDING);
    thread = CreateThread(NULL, 0, send_two, a, 0, NULL);
    got = recv(c, &byte, 1, 0);
    ok(got == 1 && byte == 'b', "got %d, error %d\n", got, WSAGetLastError());
    ok(seen.calls == 1 && seen.bytes == 3, "the routine did not run during recv: %d calls\n",
       seen.calls);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(a[0]);
    closesocket(a[1]);
    closesocket(b);
    closesocket(c);
}

/* Only the issuing thread runs it; closesocket performs it with WSA_OPERATION_ABORTED. */
struct poster {
    SOCKET s;
    HANDLE posted, go;
    DWORD thread;
};

static DWORD WINAPI post_and_wait(void *arg)
{
    static WSAOVERLAPPED ov;
    struct poster *poster = arg;
    static char buffer[8];
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD flags = 0;

    poster->thread = GetCurrentThreadId();
    memset(&ov, 0, sizeof(ov));
    ok_error(WSARecv(poster->s, &buf, 1, NULL, &flags, &ov, routine), WSA_IO_PENDING);
    SetEvent(poster->posted);
    WaitForSingleObject(poster->go, INFINITE);
    ok(sleep_alertably() == WAIT_IO_COMPLETION, "no completion\n");
    return 0;
}

static void test_thread(void)
{
    struct poster poster;
    HANDLE thread;
    SOCKET a;

    poster.posted = CreateEventA(NULL, FALSE, FALSE, NULL);
    poster.go = CreateEventA(NULL, FALSE, FALSE, NULL);
    net_pair(&a, &poster.s);
    clear();
    thread = CreateThread(NULL, 0, post_and_wait, &poster, 0, NULL);
    WaitForSingleObject(poster.posted, INFINITE);
    net_send_all(a, "thread", 6);
    ok(SleepEx(100, TRUE) == 0 && !seen.calls, "ran on the wrong thread\n");
    SetEvent(poster.go);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    ok(seen.calls == 1 && seen.thread == poster.thread && seen.bytes == 6,
       "got %d calls, thread %lx, %lu bytes\n", seen.calls, seen.thread, seen.bytes);

    clear();
    thread = CreateThread(NULL, 0, post_and_wait, &poster, 0, NULL);
    WaitForSingleObject(poster.posted, INFINITE);
    ok_success(closesocket(poster.s));
    SetEvent(poster.go);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    ok(seen.calls == 1 && seen.thread == poster.thread, "got %d calls, thread %lx\n", seen.calls,
       seen.thread);
    todo_wine ok(seen.error == WSA_OPERATION_ABORTED || seen.error == WSAECONNABORTED,
                 "got error %lu\n", seen.error);
    ok(seen.bytes == 0, "got %lu bytes\n", seen.bytes);
    closesocket(a);
    CloseHandle(poster.posted);
    CloseHandle(poster.go);
}

/* The end of the stream and a reset come through the routine's error and count. */
static void test_ends(void)
{
    WSAOVERLAPPED ov = {0};
    DWORD flags = 0;
    char buffer[8];
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET a, b;

    net_pair(&a, &b);
    clear();
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, routine), WSA_IO_PENDING);
    closesocket(a);
    ok(sleep_alertably() == WAIT_IO_COMPLETION, "no completion\n");
    ok(!seen.error && !seen.bytes, "got error %lu, %lu bytes\n", seen.error, seen.bytes);
    closesocket(b);

    net_pair(&a, &b);
    clear();
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, routine), WSA_IO_PENDING);
    net_reset(a);
    ok(sleep_alertably() == WAIT_IO_COMPLETION, "no completion\n");
    ok(seen.error == WSAECONNRESET, "got error %lu\n", seen.error);
    closesocket(b);
}

/* A routine cannot be combined with a completion port on the socket: WSAEINVAL (the page of
 * CreateIoCompletionPort and BindIoCompletionCallback: "cannot be used with ReadFileEx"). */
static void test_with_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    WSAOVERLAPPED ov = {0};
    DWORD flags = 0;
    char buffer[8];
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET a, b;

    net_pair(&a, &b);
    ok(CreateIoCompletionPort((HANDLE)b, port, 1, 0) == port, "error %lu\n", GetLastError());
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, routine), WSAEINVAL);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

static void CALLBACK count_user_apc(ULONG_PTR counter)
{
    InterlockedIncrement((LONG *)counter);
}

static DWORD WINAPI echo_all(void *arg)
{
    char byte;

    while (recv(*(SOCKET *)arg, &byte, 1, 0) == 1)
        send(*(SOCKET *)arg, &byte, 1, 0);
    return 0;
}

/* "A blocking ... call ... the Winsock client issues an alertable wait": however short each wait
 * is, an APC runs in one of them. */
static void test_short_waits(void)
{
    DWORD begin;
    LONG count = 0;
    char byte = 'x';
    HANDLE thread;
    SOCKET a, b;

    net_pair(&a, &b);
    thread = CreateThread(NULL, 0, echo_all, &b, 0, NULL);
    for (int i = 0; i < 100; i++)
        ok(send(a, &byte, 1, 0) == 1 && recv(a, &byte, 1, 0) == 1, "no answer\n");
    ok(QueueUserAPC(count_user_apc, thread, (ULONG_PTR)&count), "error %lu\n", GetLastError());
    for (begin = GetTickCount(); !count && GetTickCount() - begin < 1000;)
        if (send(a, &byte, 1, 0) != 1 || recv(a, &byte, 1, 0) != 1)
            break;
    ok(count == 1, "%ld calls\n", count);
    closesocket(a);
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "still there\n");
    CloseHandle(thread);
    closesocket(b);
}

START_TEST(apc)
{
    net_start();
    RUN(test_basic);
    RUN(test_all);
    RUN(test_chain);
    RUN(test_blocking_call);
    RUN(test_short_waits);
    RUN(test_thread);
    RUN(test_ends);
    RUN(test_with_port);
    WSACleanup();
}
