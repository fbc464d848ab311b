/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One completion port for several things: sockets, posted packets, files, many threads.
 * Sources: "I/O Completion Ports" (FileIO: "queued ... in first-in-first-out order", several
 * threads, "a file handle can be ... a socket"), the pages of GetQueuedCompletionStatusEx,
 * PostQueuedCompletionStatus.
 */
#include "net.h"

/* PostQueuedCompletionStatus: packets with any key and number, between those of a socket, in order
 */
static void test_posted(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    WSAOVERLAPPED ov = {0};
    OVERLAPPED fake = {0}, *got;
    DWORD flags = 0, bytes, i;
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};
    ULONG_PTR key;
    SOCKET a, b;

    net_pair(&a, &b);
    ok(CreateIoCompletionPort((HANDLE)b, port, 7, 0) == port, "error %lu\n", GetLastError());
    ok(PostQueuedCompletionStatus(port, 11, 111, &fake), "error %lu\n", GetLastError());
    net_send_all(a, "s", 1);
    net_arrived(b, 1);
    ok_success(WSARecv(b, &buf, 1, NULL, &flags, &ov, NULL));
    ok(PostQueuedCompletionStatus(port, 22, 222, NULL), "error %lu\n", GetLastError());
    for (i = 0; i < 3; i++) {
        static const DWORD expected_bytes[] = {11, 1, 22}, expected_key[] = {111, 7, 222};
        OVERLAPPED *expected_ov[] = {&fake, (OVERLAPPED *)&ov, NULL};

        ok(GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE), "error %lu\n",
           GetLastError());
        ok(bytes == expected_bytes[i] && key == expected_key[i] && got == expected_ov[i],
           "packet %lu: %lu bytes, key %lu, overlapped %p\n", i, bytes, (DWORD)key, (void *)got);
    }
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* GetQueuedCompletionStatusEx: "Retrieves multiple completion port entries simultaneously" */
static void test_ex(void)
{
    enum { COUNT = 20 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED_ENTRY entries[8];
    WSAOVERLAPPED ov[COUNT];
    DWORD flags = 0;
    ULONG count, total = 0, i, posted = 0;
    char buffer[COUNT];
    WSABUF buf;
    SOCKET a, b;

    net_pair(&a, &b);
    CreateIoCompletionPort((HANDLE)b, port, 9, 0);
    memset(ov, 0, sizeof(ov));
    count = 77;
    SetLastError(0);
    ok(!GetQueuedCompletionStatusEx(port, entries, 8, &count, 0, FALSE) &&
           GetLastError() == WAIT_TIMEOUT,
       "error %lu\n", GetLastError());
    for (i = 0; i < COUNT; i++) {
        buf.buf = &buffer[i];
        buf.len = 1;
        ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov[i], NULL), WSA_IO_PENDING);
    }
    net_send_all(a, "abcdefghijklmnopqrst", COUNT);
    for (i = 0; i < 5; i++)
        ok(PostQueuedCompletionStatus(port, 1000 + i, 10, NULL), "error %lu\n", GetLastError());
    while (total < COUNT + 5 &&
           GetQueuedCompletionStatusEx(port, entries, 8, &count, NET_PATIENCE, FALSE)) {
        ok(count >= 1 && count <= 8, "got %lu\n", count);
        for (i = 0; i < count; i++, total++) {
            if (entries[i].lpCompletionKey == 10) {
                ok(entries[i].dwNumberOfBytesTransferred == 1000 + posted++, "out of order\n");
                continue;
            }
            ok(entries[i].lpCompletionKey == 9 && entries[i].dwNumberOfBytesTransferred == 1 &&
                   (WSAOVERLAPPED *)entries[i].lpOverlapped >= ov &&
                   (WSAOVERLAPPED *)entries[i].lpOverlapped < ov + COUNT,
               "strange packet\n");
        }
    }
    ok(total == COUNT + 5, "got %lu packets\n", total);
    ok(!memcmp(buffer, "abcdefghijklmnopqrst", COUNT), "got %.20s\n", buffer);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* Waiting times: zero, finite; a wait ends when the packet comes, not later. */
static DWORD WINAPI send_later(void *arg)
{
    Sleep(100);
    net_send_all(*(SOCKET *)arg, "x", 1);
    return 0;
}

static void test_timeout(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), thread;
    WSAOVERLAPPED ov = {0};
    OVERLAPPED *got = NULL;
    DWORD flags = 0, bytes, start, took;
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};
    ULONG_PTR key;
    SOCKET a, b;

    net_pair(&a, &b);
    CreateIoCompletionPort((HANDLE)b, port, 9, 0);
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    start = GetTickCount();
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 0) && GetLastError() == WAIT_TIMEOUT,
       "error %lu\n", GetLastError());
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 150) && GetLastError() == WAIT_TIMEOUT,
       "error %lu\n", GetLastError());
    took = GetTickCount() - start;
    ok(took >= 100 && took < 2000, "took %lu ms\n", took);
    start = GetTickCount();
    thread = CreateThread(NULL, 0, send_later, &a, 0, NULL);
    ok(GetQueuedCompletionStatus(port, &bytes, &key, &got, INFINITE) && bytes == 1, "error %lu\n",
       GetLastError());
    took = GetTickCount() - start;
    ok(took < 2000, "took %lu ms\n", took);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* A file on the same port: its packets come among the socket's, none is lost. */
static void test_file(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), file;
    char directory[MAX_PATH], path[MAX_PATH], data[64] = "contents of a file", in[64];
    int files = 0, sockets = 0, i;
    OVERLAPPED file_ov[10], *got;
    WSAOVERLAPPED ov[10];
    DWORD flags = 0, bytes;
    char buffer[10];
    WSABUF buf;
    ULONG_PTR key;
    SOCKET a, b;

    GetTempPathA(sizeof(directory), directory);
    GetTempFileNameA(directory, "rs", 0, path);
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                       FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    ok(file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    ok(CreateIoCompletionPort(file, port, 20, 0) == port, "error %lu\n", GetLastError());
    net_pair(&a, &b);
    ok(CreateIoCompletionPort((HANDLE)b, port, 21, 0) == port, "error %lu\n", GetLastError());
    memset(ov, 0, sizeof(ov));
    memset(file_ov, 0, sizeof(file_ov));
    for (i = 0; i < 10; i++) {
        buf.buf = &buffer[i];
        buf.len = 1;
        ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov[i], NULL), WSA_IO_PENDING);
    }
    for (i = 0; i < 10; i++) {
        BOOL done = i & 1 ? ReadFile(file, in, 18, NULL, &file_ov[i])
                          : WriteFile(file, data, 18, NULL, &file_ov[i]);

        ok(done || GetLastError() == ERROR_IO_PENDING, "%d: error %lu\n", i, GetLastError());
        net_send_all(a, "z", 1);
    }
    while (files + sockets < 20 &&
           GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE)) {
        ok((key == 20 && bytes == 18) || (key == 21 && bytes == 1), "key %lu, %lu bytes\n",
           (DWORD)key, bytes);
        files += key == 20;
        sockets += key == 21;
    }
    ok(files == 10 && sockets == 10, "got %d of the file, %d of the socket\n", files, sockets);
    ok(!memcmp(in, data, 18), "wrong contents\n");
    closesocket(a);
    closesocket(b);
    CloseHandle(file);
    CloseHandle(port);
}

/* Several threads on a port: each packet goes to exactly one; echo for several connections. */
struct echo {
    WSAOVERLAPPED ov;
    SOCKET s;
    char buffer[256];
    BOOL sending;
};

static LONG echoed, ended, threads_used;

static BOOL echo_recv(struct echo *e)
{
    WSABUF buf = {sizeof(e->buffer), e->buffer};
    DWORD flags = 0;

    memset(&e->ov, 0, sizeof(e->ov));
    e->sending = FALSE;
    return !WSARecv(e->s, &buf, 1, NULL, &flags, &e->ov, NULL) ||
           WSAGetLastError() == WSA_IO_PENDING;
}

static DWORD WINAPI echo_thread(void *port)
{
    BOOL used = FALSE;
    struct echo *e;
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    while (GetQueuedCompletionStatus(port, &bytes, &key, &ov, 30000) && key) {
        if (!used) {
            used = TRUE;
            InterlockedIncrement(&threads_used);
        }
        e = CONTAINING_RECORD(ov, struct echo, ov);
        if (e->sending) {
            InterlockedExchangeAdd(&echoed, bytes);
            ok(echo_recv(e), "error %d\n", WSAGetLastError());
        } else if (bytes) {
            WSABUF buf = {bytes, e->buffer};

            memset(&e->ov, 0, sizeof(e->ov));
            e->sending = TRUE;
            ok(!WSASend(e->s, &buf, 1, NULL, 0, &e->ov, NULL) ||
                   WSAGetLastError() == WSA_IO_PENDING,
               "error %d\n", WSAGetLastError());
        } else {
            InterlockedIncrement(&ended);
        }
    }
    return 0;
}

static void test_threads(void)
{
    enum { THREADS = 4, CONNECTIONS = 6, ROUNDS = 50 };
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), thread[THREADS];
    struct echo *e = calloc(CONNECTIONS, sizeof(*e));
    SOCKET a[CONNECTIONS];
    int i, round, wrong = 0;

    for (i = 0; i < THREADS; i++)
        thread[i] = CreateThread(NULL, 0, echo_thread, port, 0, NULL);
    for (i = 0; i < CONNECTIONS; i++) {
        net_pair(&a[i], &e[i].s);
        CreateIoCompletionPort((HANDLE)e[i].s, port, 1, 0);
        ok(echo_recv(&e[i]), "error %d\n", WSAGetLastError());
    }
    for (round = 0; round < ROUNDS; round++) {
        char text[32], back[32];

        for (i = 0; i < CONNECTIONS; i++) {
            snprintf(text, sizeof(text), "round %04d of connection %d", round, i);
            net_send_all(a[i], text, 27);
        }
        for (i = 0; i < CONNECTIONS; i++) {
            snprintf(text, sizeof(text), "round %04d of connection %d", round, i);
            wrong += net_recv_all(a[i], back, 27) != 27 || memcmp(text, back, 27);
        }
    }
    ok(!wrong, "%d wrong answers\n", wrong);
    for (i = 0; i < CONNECTIONS; i++)
        closesocket(a[i]);
    for (i = 0; i < 500 && ended < CONNECTIONS; i++)
        Sleep(10);
    for (i = 0; i < THREADS; i++)
        PostQueuedCompletionStatus(port, 0, 0, NULL);
    ok(WaitForMultipleObjects(THREADS, thread, TRUE, NET_PATIENCE) == WAIT_OBJECT_0,
       "threads did not end\n");
    ok(ended == CONNECTIONS, "%ld ends of stream\n", ended);
    ok(echoed == CONNECTIONS * ROUNDS * 27, "echoed %ld bytes\n", echoed);
    trace("%ld threads were used\n", threads_used);
    for (i = 0; i < CONNECTIONS; i++)
        closesocket(e[i].s);
    for (i = 0; i < THREADS; i++)
        CloseHandle(thread[i]);
    CloseHandle(port);
    free(e);
}

START_TEST(iocp_mixed)
{
    net_start();
    RUN(test_posted);
    RUN(test_ex);
    RUN(test_timeout);
    RUN(test_file);
    RUN(test_threads);
    WSACleanup();
}
