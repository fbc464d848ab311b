/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receiving into memory with write watch.
 * Source: the pages of VirtualAlloc (MEM_WRITE_WATCH: "the system tracks pages that are written
 * to") and GetWriteWatch; what Windows counts for a receive that waits, as Wine's test_write_watch,
 * run on Windows, has recorded it: all pages of its buffers when it begins to wait, none when data
 * come.
 */
#include "net.h"

#define PAGE  0x1000u
#define PAGES 16u

static SOCKET client, server;
static char *memory;

/* How many pages were written since the last time. */
static unsigned int written(void)
{
    void *pages[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;

    ok(!GetWriteWatch(WRITE_WATCH_FLAG_RESET, memory, PAGES * PAGE, pages, &count, &granularity),
       "GetWriteWatch failed\n");
    return (unsigned int)count;
}

static void begin(void)
{
    net_pair(&client, &server);
    memory = VirtualAlloc(NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                          PAGE_READWRITE);
    ok(memory != NULL, "VirtualAlloc error %lu\n", GetLastError());
    memset(memory, 0, PAGES * PAGE);
    ok(written() == PAGES, "not all pages\n");
}

static void end(void)
{
    closesocket(client);
    closesocket(server);
    VirtualFree(memory, 0, MEM_RELEASE);
}

static void test_overlapped(void)
{
    WSABUF buffers[] = {{5, NULL}, {PAGE * 2, NULL}};
    WSAOVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD flags = 0, bytes = 0;
    unsigned int count;

    begin();
    buffers[0].buf = memory;
    buffers[1].buf = memory + PAGE * 4 + 1;
    ok_error(WSARecv(server, buffers, 2, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    ok((count = written()) == 4, "%u pages when it waits\n", count);
    net_send_all(client, "eight and more", 14);
    ok(WSAGetOverlappedResult(server, &ov, &bytes, TRUE, &flags) && bytes == 14, "%lu bytes\n",
       bytes);
    ok(!memcmp(memory, "eight", 5) && !memcmp(memory + PAGE * 4 + 1, " and more", 9), "wrong\n");
    count = written();
    todo_wine ok(count == 0, "%u pages when it was served\n", count);
    memory[PAGE] = 1;
    ok((count = written()) == 1, "%u pages by the program\n", count);
    end();
    CloseHandle(ov.hEvent);
}

/* Data that are there already are written as by the program itself. */
static void test_at_once(void)
{
    WSABUF buffer = {PAGE * 4, NULL};
    DWORD flags = 0, bytes = 0;
    unsigned int count;

    begin();
    buffer.buf = memory;
    net_send_all(client, "there", 5);
    net_arrived(server, 5);
    ok_success(WSARecv(server, &buffer, 1, &bytes, &flags, NULL, NULL));
    ok((count = written()) >= 1, "%u pages\n", count);
    ok(bytes == 5 && !memcmp(memory, "there", 5), "wrong\n");
    end();
}

static DWORD WINAPI blocked(void *unused)
{
    (void)unused;
    return (DWORD)recv(server, memory, PAGE * 8, 0);
}

static void test_blocking(void)
{
    HANDLE thread;
    DWORD bytes = 0;
    unsigned int count, waits;

    begin();
    thread = CreateThread(NULL, 0, blocked, NULL, 0, NULL);
    for (waits = 0, count = 0; !count && waits < NET_PATIENCE / 10; waits++) {
        Sleep(10);
        count = written();
    }
    ok(count == 8, "%u pages when it waits\n", count);
    net_send_all(client, "data", 4);
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "still blocked\n");
    ok(GetExitCodeThread(thread, &bytes) && bytes == 4 && !memcmp(memory, "data", 4), "%lu\n",
       bytes);
    ok((count = written()) == 0, "%u pages when it was served\n", count);
    CloseHandle(thread);
    end();
}

START_TEST(write_watch)
{
    net_start();
    RUN(test_overlapped);
    RUN(test_at_once);
    RUN(test_blocking);
}
