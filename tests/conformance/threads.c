/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several threads: waiting on different sockets, on one socket, and a close beneath a waiter.
 * Sources: closesocket ("any blocking or asynchronous calls pending on the same socket in any
 * thread
 * ... are canceled"), recv and select pages, WSARecv ("All I/O initiated by a given thread is
 * canceled when that thread exits").
 */
#include "net.h"

struct job {
    SOCKET s;
    int result, error;
    char byte;
};

static DWORD WINAPI recv_one(void *arg)
{
    struct job *job = arg;

    job->result = recv(job->s, &job->byte, 1, 0);
    job->error = WSAGetLastError();
    return 0;
}

static HANDLE run(DWORD(WINAPI *function)(void *), struct job *job)
{
    HANDLE thread = CreateThread(NULL, 0, function, job, 0, NULL);

    ok(thread != NULL, "error %lu\n", GetLastError());
    return thread;
}

static BOOL finished(HANDLE thread, DWORD milliseconds)
{
    return WaitForSingleObject(thread, milliseconds) == WAIT_OBJECT_0;
}

/* Each waits for its own socket: only the right one wakes */
static void test_two(void)
{
    struct job job[2] = {{0}};
    SOCKET a[2];
    HANDLE thread[2];
    int i;

    for (i = 0; i < 2; i++) {
        net_pair(&a[i], &job[i].s);
        thread[i] = run(recv_one, &job[i]);
    }
    Sleep(100);
    net_send_all(a[1], "1", 1);
    ok(finished(thread[1], NET_PATIENCE), "not woken\n");
    ok(job[1].result == 1 && job[1].byte == '1', "got %d, %c\n", job[1].result, job[1].byte);
    ok(!finished(thread[0], 50), "the wrong one ended too\n");
    net_send_all(a[0], "0", 1);
    ok(finished(thread[0], NET_PATIENCE), "not woken\n");
    ok(job[0].result == 1 && job[0].byte == '0', "got %d, %c\n", job[0].result, job[0].byte);
    for (i = 0; i < 2; i++) {
        CloseHandle(thread[i]);
        closesocket(a[i]);
        closesocket(job[i].s);
    }
}

/* Many wait, all are woken, in whatever order */
static void test_many(void)
{
    enum { COUNT = 24 };
    static struct job job[COUNT];
    static SOCKET a[COUNT];
    HANDLE thread[COUNT];
    int i;

    for (i = 0; i < COUNT; i++) {
        net_pair(&a[i], &job[i].s);
        thread[i] = run(recv_one, &job[i]);
    }
    Sleep(100);
    for (i = COUNT; i--;) {
        char byte = (char)('A' + i);

        net_send_all(a[i], &byte, 1);
    }
    ok(WaitForMultipleObjects(COUNT, thread, TRUE, NET_PATIENCE) == WAIT_OBJECT_0, "not all\n");
    for (i = 0; i < COUNT; i++) {
        ok(job[i].result == 1 && job[i].byte == 'A' + i, "%d: got %d, %c\n", i, job[i].result,
           job[i].byte);
        CloseHandle(thread[i]);
        closesocket(a[i]);
        closesocket(job[i].s);
    }
}

/* Two threads in recv on one socket: each byte goes to exactly one */
static void test_same_socket(void)
{
    struct job job[2] = {{0}};
    HANDLE thread[2];
    SOCKET a, b;
    int i;

    net_pair(&a, &b);
    for (i = 0; i < 2; i++) {
        job[i].s = b;
        thread[i] = run(recv_one, &job[i]);
    }
    Sleep(100);
    net_send_all(a, "xy", 2);
    ok(WaitForMultipleObjects(2, thread, TRUE, NET_PATIENCE) == WAIT_OBJECT_0, "not both\n");
    ok(job[0].result == 1 && job[1].result == 1, "got %d and %d\n", job[0].result, job[1].result);
    ok((job[0].byte == 'x' && job[1].byte == 'y') || (job[0].byte == 'y' && job[1].byte == 'x'),
       "got %c and %c\n", job[0].byte, job[1].byte);
    CloseHandle(thread[0]);
    CloseHandle(thread[1]);
    closesocket(a);
    closesocket(b);
}

/* closesocket beneath a recv: it ends with an error (WSAEINTR or WSAECONNABORTED or
 * WSAENOTSOCK by Windows's version and moment), soon */
static void test_close(void)
{
    struct job job = {0};
    HANDLE thread;
    SOCKET a;

    net_pair(&a, &job.s);
    thread = run(recv_one, &job);
    Sleep(100);
    ok_success(closesocket(job.s));
    ok(finished(thread, NET_PATIENCE), "recv never ended\n");
    ok(job.result == SOCKET_ERROR, "got %d\n", job.result);
    trace("error %d\n", job.error);
    CloseHandle(thread);
    closesocket(a);
}

/* the same for accept */
static DWORD WINAPI accept_one(void *arg)
{
    struct job *job = arg;
    SOCKET s = accept(job->s, NULL, NULL);

    job->result = s == INVALID_SOCKET ? SOCKET_ERROR : 0;
    job->error = WSAGetLastError();
    return 0;
}

static void test_close_accept(void)
{
    struct sockaddr_storage address;
    struct job job = {0};
    HANDLE thread;
    int length;

    job.s = net_listener(AF_INET, &address, &length);
    thread = run(accept_one, &job);
    Sleep(100);
    ok_success(closesocket(job.s));
    ok(finished(thread, NET_PATIENCE), "accept never ended\n");
    ok(job.result == SOCKET_ERROR, "got %d\n", job.result);
    trace("error %d\n", job.error);
    CloseHandle(thread);
}

/* A thread's end cancels what it began (no completion port): WSA_OPERATION_ABORTED, event set */
struct begun {
    SOCKET s;
    WSAOVERLAPPED ov;
    char buffer[8];
};

static DWORD WINAPI begin_recv(void *arg)
{
    struct begun *begun = arg;
    WSABUF buf = {sizeof(begun->buffer), begun->buffer};
    DWORD flags = 0;

    ok_error(WSARecv(begun->s, &buf, 1, NULL, &flags, &begun->ov, NULL), WSA_IO_PENDING);
    return 0;
}

static void test_thread_exit(void)
{
    static struct begun begun;
    DWORD bytes, flags;
    HANDLE thread;
    SOCKET a;

    net_pair(&a, &begun.s);
    begun.ov.hEvent = WSACreateEvent();
    thread = CreateThread(NULL, 0, begin_recv, &begun, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    ok(WaitForSingleObject(begun.ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    WSASetLastError(0);
    ok(!WSAGetOverlappedResult(begun.s, &begun.ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSA_OPERATION_ABORTED,
       "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(begun.s);
    WSACloseEvent(begun.ov.hEvent);
}

/* Sockets made, used and closed by many threads at the same time */
static DWORD WINAPI churn(void *arg)
{
    struct job *job = arg;
    int i;

    for (i = 0; i < 10; i++) {
        char text[8];
        SOCKET a, b;

        net_pair(&a, &b);
        net_send_all(a, "churn", 5);
        job->result += net_recv_all(b, text, 5) == 5 && !memcmp(text, "churn", 5);
        closesocket(a);
        closesocket(b);
    }
    return 0;
}

static void test_churn(void)
{
    enum { COUNT = 6 };
    struct job job[COUNT] = {{0}};
    HANDLE thread[COUNT];
    int i;

    for (i = 0; i < COUNT; i++)
        thread[i] = run(churn, &job[i]);
    ok(WaitForMultipleObjects(COUNT, thread, TRUE, 30000) == WAIT_OBJECT_0, "not finished\n");
    for (i = 0; i < COUNT; i++) {
        ok(job[i].result == 10, "thread %d: %d of 10\n", i, job[i].result);
        CloseHandle(thread[i]);
    }
}

START_TEST(threads)
{
    net_start();
    RUN(test_two);
    RUN(test_many);
    RUN(test_same_socket);
    RUN(test_close);
    RUN(test_close_accept);
    RUN(test_thread_exit);
    RUN(test_churn);
    WSACleanup();
}
