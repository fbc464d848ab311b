/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_IDEAL_SEND_BACKLOG_QUERY and SIO_IDEAL_SEND_BACKLOG_CHANGE.
 * Sources: their pages.  The inline functions idealsendbacklogquery and idealsendbacklognotify of
 * ws2tcpip.h call WSAIoctl with these codes and nothing else.
 */
#include "net.h"

#define QUERY  _IOR('t', 123, ULONG)
#define CANCELLED 0xc0000120 /* STATUS_CANCELLED */
#define CHANGE _IO('t', 122)

static int notify(SOCKET s, OVERLAPPED *overlapped)
{
    DWORD bytes;

    return WSAIoctl(s, CHANGE, NULL, 0, NULL, 0, &bytes, overlapped, NULL);
}

/* "supported on stream-oriented sockets that are in a connected state"; "The range for the ISB value
 * ... can theoretically vary from 0 to a maximum of 16 megabytes". */
static void test_query(void)
{
    SOCKET a, b, udp = socket(AF_INET, SOCK_DGRAM, 0), fresh = socket(AF_INET, SOCK_STREAM, 0);
    ULONG value = 0;
    DWORD bytes = 0;

    net_pair(&a, &b);
    ok_success(WSAIoctl(a, QUERY, NULL, 0, &value, sizeof(value), &bytes, NULL, NULL));
    ok(value && value <= 16u << 20 && bytes == sizeof(value), "%lu, %lu bytes\n", value, bytes);
    ok_error(WSAIoctl(fresh, QUERY, NULL, 0, &value, sizeof(value), &bytes, NULL, NULL),
             WSAENOTCONN);
    ok_error(WSAIoctl(udp, QUERY, NULL, 0, &value, sizeof(value), &bytes, NULL, NULL),
             WSAEOPNOTSUPP);
    ok_error(WSAIoctl(a, QUERY, NULL, 0, &value, 3, &bytes, NULL, NULL), WSAEFAULT);
    closesocket(a);
    closesocket(b);
    closesocket(udp);
    closesocket(fresh);
}

/* "WSAENOTCONN: The socket s is not connected."; "WSAEOPNOTSUPP ... an attempt ... on a datagram
 * socket"; "WSAEINVAL ... if the cbOutBuffer parameter is not zero". */
static void test_errors(void)
{
    SOCKET a, b, udp = socket(AF_INET, SOCK_DGRAM, 0), fresh = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length);
    ULONG value = 0;
    DWORD bytes = 0;

    net_pair(&a, &b);
    todo_wine
    {
        ok_error(notify(fresh, NULL), WSAENOTCONN);
        ok_error(notify(l, NULL), WSAENOTCONN);
        ok_error(WSAIoctl(a, CHANGE, NULL, 0, &value, sizeof(value), &bytes, NULL, NULL),
                 WSAEINVAL);
    }
    ok_error(notify(udp, NULL), WSAEOPNOTSUPP);
    closesocket(a);
    closesocket(b);
    closesocket(l);
    closesocket(udp);
    closesocket(fresh);
}

enum ending { BY_SHUTDOWN, BY_CANCEL, BY_CLOSE, BY_RESET, BY_DISCONNECT, ENDINGS };

static void end_by(enum ending ending, SOCKET s, SOCKET peer)
{
    GUID guid = WSAID_DISCONNECTEX;
    LPFN_DISCONNECTEX disconnect_ex = NULL;
    DWORD bytes;

    switch (ending) {
    case BY_SHUTDOWN:
        ok_success(shutdown(s, SD_SEND));
        break;
    case BY_CANCEL:
        ok(CancelIo((HANDLE)s), "error %lu\n", GetLastError());
        break;
    case BY_CLOSE:
        closesocket(s);
        break;
    case BY_RESET:
        net_reset(peer);
        break;
    default:
        ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid),
                            &disconnect_ex, sizeof(disconnect_ex), &bytes, NULL, NULL));
        ok(disconnect_ex(s, NULL, 0, 0), "error %d\n", WSAGetLastError());
    }
}

/* "pends or blocks until an ISB change occurs"; it fails with WSA_OPERATION_ABORTED where the
 * connection "is gracefully disconnected in the send direction", "has been reset or aborted", "The
 * request is canceled by the I/O Manager", "The socket is closed".  Data makes no end. */
static void test_pends(enum ending ending)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    SOCKET a, b;
    char data[100] = "";

    winetest_push_context("ending %d", ending);
    net_pair(&a, &b);
    ok_error(notify(a, &overlapped), WSA_IO_PENDING);
    net_send_all(a, data, sizeof(data));
    net_send_all(b, data, sizeof(data));
    ok(net_recv_all(a, data, sizeof(data)) == sizeof(data), "not received\n");
    ok(WaitForSingleObject(overlapped.hEvent, 50) == WAIT_TIMEOUT, "nothing has changed\n");
    ok_success(shutdown(a, SD_RECEIVE));
    ok(WaitForSingleObject(overlapped.hEvent, 20) == WAIT_TIMEOUT, "ended by SD_RECEIVE\n");
    end_by(ending, a, b);
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "no end\n");
    ok((ULONG)overlapped.Internal == CANCELLED && !overlapped.InternalHigh,
       "status %#lx\n", (ULONG)overlapped.Internal);
    if (ending != BY_CLOSE)
        closesocket(a);
    if (ending != BY_RESET)
        closesocket(b);
    CloseHandle(overlapped.hEvent);
    winetest_pop_context();
}

/* "Only one one pended SIO_IDEAL_SEND_BACKLOG_CHANGE request is allowed at a time"; the others, and
 * one whose sending side has ended, fail with "WSAEINTR or WSA_OPERATION_ABORTED". */
static void test_second(void)
{
    OVERLAPPED first = {0}, second = {0};
    SOCKET a, b;

    net_pair(&a, &b);
    ok_error(notify(a, &first), WSA_IO_PENDING);
    ok_error(notify(a, &second), WSA_OPERATION_ABORTED);
    ok_error(notify(a, NULL), WSAEINTR);
    ok((ULONG)first.Internal == STATUS_PENDING, "status %#lx\n", (ULONG)first.Internal);
    ok_error(notify(b, &second), WSA_IO_PENDING);
    ok_success(shutdown(a, SD_SEND));
    ok_error(notify(a, NULL), WSAEINTR);
    closesocket(b);
    closesocket(a);
}

static DWORD CALLBACK shut_later(void *s)
{
    Sleep(50);
    ok_success(shutdown(*(SOCKET *)s, SD_SEND));
    return 0;
}

/* "If socket s is in non-blocking mode, this function will still block since this particular IOCTL
 * does not support non-blocking mode." */
static void test_blocks(int nonblocking)
{
    HANDLE thread;
    SOCKET a, b;

    net_pair(&a, &b);
    net_nonblocking(a, nonblocking);
    thread = CreateThread(NULL, 0, shut_later, &a, 0, NULL);
    ok_error(notify(a, NULL), WSAEINTR);
    net_finish(thread);
    closesocket(a);
    closesocket(b);
}

START_TEST(send_backlog)
{
    net_start();
    RUN(test_query);
    RUN(test_errors);
    if (!on_builtin()) { /* which has not got the second */
        for (int ending = 0; ending < ENDINGS; ending++)
            RUN(test_pends, ending);
        RUN(test_second);
        RUN(test_blocks, 0);
        RUN(test_blocks, 1);
    }
    WSACleanup();
}
