/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers that are not there, of receives that have to wait: known at the call.
 * Source: WSARecv's page, WSAEFAULT: "The lpBuffers parameter is not completely contained in a
 * valid part of the user address space"; "Any other error code indicates that the overlapped
 * operation was not successfully initiated and no completion indication will occur."
 */
#include "net.h"

#define PAGE 4096

/* Two pages, of which the second is as said. */
static char *pages(DWORD protection)
{
    char *memory = VirtualAlloc(NULL, 2 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    DWORD old;

    ok(VirtualAlloc(memory, PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL, "error %lu\n",
       GetLastError());
    if (protection) {
        VirtualAlloc(memory + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE);
        VirtualProtect(memory + PAGE, PAGE, protection, &old);
    }
    return memory;
}

static void check_next(SOCKET a, SOCKET b)
{
    char buffer[16];

    net_send_all(a, "next", 4);
    ok(net_recv_all(b, buffer, 4) == 4 && !memcmp(buffer, "next", 4), "bytes were lost\n");
}

static void check_pending(const char *what, WSABUF *buffers, DWORD count)
{
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD flags = 0;
    SOCKET a, b;

    winetest_push_context("%s", what);
    net_pair(&a, &b);
    ok_error(WSARecv(b, buffers, count, NULL, &flags, &ov, NULL), WSAEFAULT);
    check_next(a, b);
    ok(WaitForSingleObject(ov.hEvent, 0) == WAIT_TIMEOUT, "a completion was indicated\n");
    closesocket(a);
    closesocket(b);
    WSACloseEvent(ov.hEvent);
    winetest_pop_context();
}

/* "not completely contained": its end is not there, cannot be written, was freed. */
static void test_pending_receive(void)
{
    char *missing = pages(0), *read_only = pages(PAGE_READONLY), *freed = pages(0);
    WSABUF buffer = {PAGE + 16, missing};

    check_pending("missing", &buffer, 1);
    buffer.buf = read_only;
    check_pending("read only", &buffer, 1);
    VirtualFree(freed, 0, MEM_RELEASE);
    buffer.buf = freed;
    buffer.len = 16;
    check_pending("freed", &buffer, 1);
    VirtualFree(missing, 0, MEM_RELEASE);
    VirtualFree(read_only, 0, MEM_RELEASE);
}

/* Any of the array's buffers. */
static void test_second_buffer(void)
{
    char *missing = pages(0), good[16];
    WSABUF buffers[2] = {{sizeof(good), good}, {16, missing + PAGE}};

    check_pending("the second", buffers, 2);
    VirtualFree(missing, 0, MEM_RELEASE);
}

/* A receive that waits behind another one is looked at as well. */
static void test_behind_another(void)
{
    char *missing = pages(0), good[16];
    WSABUF fine = {4, good}, bad = {16, missing + PAGE};
    WSAOVERLAPPED ov[2] = {{.hEvent = WSACreateEvent()}, {0}};
    DWORD flags = 0, bytes = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    ok_error(WSARecv(b, &fine, 1, NULL, &flags, &ov[0], NULL), WSA_IO_PENDING);
    ok_error(WSARecv(b, &bad, 1, NULL, &flags, &ov[1], NULL), WSAEFAULT);
    net_send_all(a, "data", 4);
    ok(!WaitForSingleObject(ov[0].hEvent, NET_PATIENCE), "the first has not ended\n");
    ok(WSAGetOverlappedResult(b, &ov[0], &bytes, FALSE, &flags) && bytes == 4, "error %d\n",
       WSAGetLastError());
    check_next(a, b);
    closesocket(a);
    closesocket(b);
    WSACloseEvent(ov[0].hEvent);
    VirtualFree(missing, 0, MEM_RELEASE);
}

/* Data that has arrived and of which a part would fit is not lost. */
static void test_part_would_fit(void)
{
    char *missing = pages(0), buffer[32];
    WSABUF bad = {PAGE, missing + PAGE - 4};
    DWORD flags = 0, bytes = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "0123456789", 10);
    ok(net_arrived(b, 10) == 10, "no data\n");
    ok_error(WSARecv(b, &bad, 1, &bytes, &flags, NULL, NULL), WSAEFAULT);
    ok(net_recv_all(b, buffer, 10) == 10 && !memcmp(buffer, "0123456789", 10), "bytes were lost\n");
    closesocket(a);
    closesocket(b);
    VirtualFree(missing, 0, MEM_RELEASE);
}

/* The same with MSG_WAITALL, which would take what is there and wait for the rest. */
static void test_waitall(void)
{
    char *missing = pages(0), buffer[32];
    WSABUF bad = {PAGE, missing + PAGE - 16};
    DWORD flags = MSG_WAITALL;
    WSAOVERLAPPED ov = {0};
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "0123456789", 10);
    ok(net_arrived(b, 10) == 10, "no data\n");
    if (!on_builtin()) { /* which gives what is there */
        ok_error(WSARecv(b, &bad, 1, NULL, &flags, &ov, NULL), WSAEFAULT);
        ok(net_recv_all(b, buffer, 10) == 10 && !memcmp(buffer, "0123456789", 10),
           "bytes were lost\n");
    }
    closesocket(a);
    closesocket(b);
    VirtualFree(missing, 0, MEM_RELEASE);
}

/* A blocking receive does not even begin to wait. */
static void test_blocking_receive(void)
{
    char *missing = pages(0);
    WSABUF bad = {PAGE, missing + PAGE - 4};
    DWORD flags = 0, bytes, start = GetTickCount(), timeout = NET_PATIENCE;
    SOCKET a, b;

    if (on_builtin())
        return;
    net_pair(&a, &b);
    ok_success(setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout)));
    ok_error(WSARecv(b, &bad, 1, &bytes, &flags, NULL, NULL), WSAEFAULT);
    ok(GetTickCount() - start < NET_PATIENCE, "it has waited\n");
    check_next(a, b);
    closesocket(a);
    closesocket(b);
    VirtualFree(missing, 0, MEM_RELEASE);
}

/* Looking at a buffer does not change it. */
static void test_unchanged(void)
{
    char *good = pages(PAGE_READWRITE);
    WSABUF buffer = {2 * PAGE, good};
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD flags = 0, bytes = 0, i;
    SOCKET a, b;

    memset(good, 0x5a, 2 * PAGE);
    net_pair(&a, &b);
    ok_error(WSARecv(b, &buffer, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    for (i = 0; i < 2 * PAGE && good[i] == 0x5a; i++)
        ;
    ok(i == 2 * PAGE, "byte %lu has changed\n", i);
    net_send_all(a, "data", 4);
    ok(!WaitForSingleObject(ov.hEvent, NET_PATIENCE), "it has not ended\n");
    ok(WSAGetOverlappedResult(b, &ov, &bytes, FALSE, &flags) && bytes == 4, "error %d\n",
       WSAGetLastError());
    ok(!memcmp(good, "data\x5a", 5), "wrong bytes\n");
    closesocket(a);
    closesocket(b);
    WSACloseEvent(ov.hEvent);
    VirtualFree(good, 0, MEM_RELEASE);
}

START_TEST(bad_buffers)
{
    net_start();
    RUN(test_pending_receive);
    RUN(test_second_buffer);
    RUN(test_behind_another);
    RUN(test_part_would_fit);
    RUN(test_waitall);
    RUN(test_blocking_receive);
    RUN(test_unchanged);
    WSACleanup();
}
