/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_ADDRESS_LIST_CHANGE, as long as no address changes.
 * Sources: its paragraph of WSAIoctl's page, and Wine's test_address_list_change, run on Windows.
 */
#include "net.h"

static int request(SOCKET s, OVERLAPPED *overlapped)
{
    DWORD bytes;

    return WSAIoctl(s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &bytes, overlapped, NULL);
}

/* With an OVERLAPPED it pends, on blocking sockets and on others, and closing ends it. */
static void test_pends(u_long nonblocking)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};

    net_nonblocking(s, nonblocking);
    ok_error(request(s, &overlapped), WSA_IO_PENDING);
    ok(WaitForSingleObject(overlapped.hEvent, 50) == WAIT_TIMEOUT, "complete already\n");
    closesocket(s);
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "closing did not end it\n");
    ok((LONG)overlapped.Internal == (LONG)0xc0000120, "status %#lx\n", (DWORD)overlapped.Internal);
    CloseHandle(overlapped.hEvent);
}

/* "WSAEWOULDBLOCK" without one, where the socket does not block. */
static void test_would_block(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    net_nonblocking(s, 1);
    ok_error(request(s, NULL), WSAEWOULDBLOCK);
    closesocket(s);
}

/* CancelIo takes it back, like any operation. */
static void test_cancel(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};

    ok_error(request(s, &overlapped), WSA_IO_PENDING);
    ok(CancelIo((HANDLE)s), "error %lu\n", GetLastError());
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "still there\n");
    ok((LONG)overlapped.Internal == (LONG)0xc0000120, "status %#lx\n", (DWORD)overlapped.Internal);
    closesocket(s);
    CloseHandle(overlapped.hEvent);
}

/* On a completion port nothing comes before the end. */
static void test_port(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    HANDLE port = CreateIoCompletionPort((HANDLE)s, NULL, 7, 0);
    OVERLAPPED overlapped = {0}, *which = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 1;

    ok_error(request(s, &overlapped), WSA_IO_PENDING);
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &which, 50) && !which, "a packet\n");
    closesocket(s);
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &which, NET_PATIENCE) &&
           which == &overlapped && key == 7 && GetLastError() == ERROR_OPERATION_ABORTED,
       "error %lu, overlapped %p\n", GetLastError(), (void *)which);
    CloseHandle(port);
}

START_TEST(address_change)
{
    net_start();
    RUN(test_pends, 0);
    RUN(test_pends, 1);
    RUN(test_would_block);
    RUN(test_cancel);
    RUN(test_port);
    WSACleanup();
}
