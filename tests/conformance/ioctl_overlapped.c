/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAIoctl's own conventions: which pointers it wants, what it writes on failure, and how a control
 * completes that was given an OVERLAPPED.
 * Source: Wine's tests of FIONBIO, FIONREAD, SIO_BASE_HANDLE, extension functions and unknown
 * codes, run on Windows; its todo_wine marks are repeated here.
 */
#include "net.h"

#define UNTOUCHED 0xdeadbeef

#ifndef SIO_BASE_HANDLE
#define SIO_BASE_HANDLE _WSAIOR(IOC_WS2, 34)
#endif

static SOCKET s;
static HANDLE port;
static OVERLAPPED overlapped;

static void fresh(void)
{
    s = socket(AF_INET, SOCK_STREAM, 0);
    port = CreateIoCompletionPort((HANDLE)s, NULL, 123, 0);
    ok(port != NULL, "error %lu\n", GetLastError());
}

static void done(void)
{
    closesocket(s);
    CloseHandle(port);
}

static void untouched(void)
{
    memset(&overlapped, 0, sizeof(overlapped));
    overlapped.Internal = overlapped.InternalHigh = UNTOUCHED;
}

/* One packet with this outcome, and no other. */
static void ok_packet(DWORD error)
{
    OVERLAPPED *which = NULL;
    DWORD size = UNTOUCHED;
    ULONG_PTR key = 0;
    BOOL success = GetQueuedCompletionStatus(port, &size, &key, &which, 1000);

    ok(success == !error && which == &overlapped, "got %d, error %lu, %p\n", success,
       GetLastError(), which);
    ok(success || GetLastError() == error, "got error %lu\n", GetLastError());
    ok(!size && key == 123, "got size %lu, key %lu\n", size, (DWORD)key);
    ok(!overlapped.InternalHigh, "got %lu\n", (DWORD)overlapped.InternalHigh);
    which = NULL;
    success = GetQueuedCompletionStatus(port, &size, &key, &which, 0);
    ok(!success && !which && GetLastError() == WAIT_TIMEOUT, "another packet\n");
}

static void ok_no_packet(void)
{
    OVERLAPPED *which = NULL;
    DWORD size;
    ULONG_PTR key;

    ok(!GetQueuedCompletionStatus(port, &size, &key, &which, 0) && !which, "a packet\n");
}

static void test_nonblocking(void)
{
    u_long one = 1, zero = 0;
    DWORD size = UNTOUCHED;
    HANDLE event = WSACreateEvent();

    fresh();
    ok_error(ioctlsocket(s, FIONBIO, (u_long *)1), WSAEFAULT);
    ok_error(WSAIoctl(s, FIONBIO, &one, 4, NULL, 0, NULL, NULL, NULL), WSAEFAULT);
    ok_error(WSAIoctl(s, FIONBIO, &one, 3, NULL, 0, &size, &overlapped, NULL), WSAEFAULT);
    ok_error(WSAIoctl(s, FIONBIO, &one, 4, NULL, 0, NULL, &overlapped, NULL), WSAEFAULT);
    ok_no_packet();
    ok_success(WSAIoctl(s, FIONBIO, &one, 4, NULL, 0, &size, NULL, NULL));
    ok(!size, "got %lu\n", size);
    untouched();
    size = UNTOUCHED;
    ok_success(WSAIoctl(s, FIONBIO, &one, 4, NULL, 0, &size, &overlapped, NULL));
    ok(!size && !overlapped.Internal, "got %lu\n", size);
    ok_packet(0);
    ok_success(WSAEventSelect(s, event, FD_READ));
    size = UNTOUCHED;
    ok_error(WSAIoctl(s, FIONBIO, &zero, 4, NULL, 0, &size, NULL, NULL), WSAEINVAL);
    todo_wine ok(!size, "got %lu\n", size);
    done();
    CloseHandle(event);
}

static void test_readable(DWORD code, DWORD expected)
{
    DWORD size = UNTOUCHED, value = UNTOUCHED;

    winetest_push_context("code %lx", code);
    fresh();
    ok_error(ioctlsocket(s, code, (u_long *)1), WSAEFAULT);
    ok_error(WSAIoctl(s, code, NULL, 0, &value, 4, NULL, NULL, NULL), WSAEFAULT);
    ok_error(WSAIoctl(s, code, NULL, 0, &value, 4, NULL, &overlapped, NULL), WSAEFAULT);
    ok_error(WSAIoctl(s, code, NULL, 0, &value, 3, &size, NULL, NULL), WSAEFAULT);
    ok(size == UNTOUCHED, "got %lx\n", size);
    ok_no_packet();
    WSASetLastError(UNTOUCHED);
    ok_success(WSAIoctl(s, code, NULL, 0, &value, 4, &size, NULL, NULL));
    ok(!WSAGetLastError(), "error %d\n", WSAGetLastError());
    ok(size == 4 && value == expected, "got %lu, %lx\n", size, value);
    untouched();
    size = value = UNTOUCHED;
    ok_success(WSAIoctl(s, code, NULL, 0, &value, 4, &size, &overlapped, NULL));
    ok(size == 4 && value == expected && !overlapped.Internal, "got %lu, %lx\n", size, value);
    ok_packet(0);
    done();
    winetest_pop_context();
}

static void test_unknown(DWORD code)
{
    DWORD size = UNTOUCHED;

    winetest_push_context("code %lx", code);
    fresh();
    ok_error(WSAIoctl(s, code, NULL, 0, NULL, 0, NULL, &overlapped, NULL), WSAEFAULT);
    ok_error(WSAIoctl(s, code, NULL, 0, NULL, 0, &size, NULL, NULL), WSAEOPNOTSUPP);
    ok(!size, "got %lx\n", size);
    ok_no_packet();
    untouched();
    size = UNTOUCHED;
    ok_error(WSAIoctl(s, code, NULL, 0, NULL, 0, &size, &overlapped, NULL), WSA_IO_PENDING);
    ok(size == UNTOUCHED, "got %lx\n", size);
    ok_packet(ERROR_NOT_SUPPORTED);
    done();
    winetest_pop_context();
}

static void test_base_handle(void)
{
    SOCKET base = 0;
    DWORD size = 0;

    fresh();
    ok_success(WSAIoctl(s, SIO_BASE_HANDLE, NULL, 0, &base, sizeof(base), &size, NULL, NULL));
    ok(base == s && size == sizeof(base), "got %p, %lu\n", (void *)base, size);
    untouched();
    size = UNTOUCHED;
    ok_error(WSAIoctl(s, SIO_BASE_HANDLE, NULL, 0, &base, sizeof(base), &size, &overlapped, NULL),
             WSA_IO_PENDING);
    ok(size == UNTOUCHED, "got %lx\n", size);
    ok_packet(ERROR_NOT_SUPPORTED);
    done();
}

static void test_extension(void)
{
    GUID known = WSAID_ACCEPTEX, unknown = {0xdeadbeef, 0, 0, {0}};
    DWORD size = UNTOUCHED;
    void *function = NULL;

    fresh();
#define EXTENSION(guid, size_to)                                                    \
    WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &function, \
             sizeof(function), size_to, &overlapped, NULL)
    ok_error(EXTENSION(known, NULL), WSAEFAULT);
    untouched();
    ok_error(EXTENSION(unknown, &size), WSAEINVAL);
    ok(size == UNTOUCHED && overlapped.Internal == UNTOUCHED &&
           overlapped.InternalHigh == UNTOUCHED,
       "something was written\n");
    ok_no_packet();
    untouched();
    ok_success(EXTENSION(known, &size));
    ok(function && size == sizeof(function), "got %p, %lu\n", function, size);
    ok_packet(0);
    done();
}

static int routine_calls;
static DWORD routine_error;

static void CALLBACK routine(DWORD error, DWORD size, OVERLAPPED *which, DWORD flags)
{
    routine_calls++;
    routine_error = error;
    ok(!size && which == &overlapped && !flags, "got %lu, %p, %lx\n", size, which, flags);
}

static void test_routine(void)
{
    DWORD size = UNTOUCHED, value;

    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(WSAIoctl(s, FIONREAD, NULL, 0, &value, 4, &size, &overlapped, routine));
    ok(!routine_calls, "called without an alertable wait\n");
    ok(SleepEx(0, TRUE) == WAIT_IO_COMPLETION && routine_calls == 1 && !routine_error,
       "got %d calls, error %lu\n", routine_calls, routine_error);
    ok_error(WSAIoctl(s, UNTOUCHED, NULL, 0, NULL, 0, &size, &overlapped, routine), WSA_IO_PENDING);
    ok(SleepEx(0, TRUE) == WAIT_IO_COMPLETION && routine_calls == 2 &&
           routine_error == WSAEOPNOTSUPP,
       "got %d calls, error %lu\n", routine_calls, routine_error);
    closesocket(s);
}

/* SIO_GET_INTERFACE_LIST with an OVERLAPPED always pends; too little room is the system's
 * ERROR_INSUFFICIENT_BUFFER for a port and Winsock's WSAEFAULT for a routine. */
static void test_interface_list(void)
{
    DWORD size, expected = 0;
    OVERLAPPED *which;
    char list[4096];
    ULONG_PTR key;

    fresh();
    ok_success(
        WSAIoctl(s, SIO_GET_INTERFACE_LIST, NULL, 0, list, sizeof(list), &expected, NULL, NULL));
    untouched();
    size = UNTOUCHED;
    ok_error(
        WSAIoctl(s, SIO_GET_INTERFACE_LIST, NULL, 0, list, sizeof(list), &size, &overlapped, NULL),
        WSA_IO_PENDING);
    ok(size == UNTOUCHED, "size %lu\n", size);
    ok(GetQueuedCompletionStatus(port, &size, &key, &which, NET_PATIENCE), "error %lu\n",
       GetLastError());
    ok(size == expected && which == &overlapped, "size %lu instead of %lu\n", size, expected);
    untouched();
    ok_error(WSAIoctl(s, SIO_GET_INTERFACE_LIST, NULL, 0, list, 1, &size, &overlapped, NULL),
             WSA_IO_PENDING);
    ok(!GetQueuedCompletionStatus(port, &size, &key, &which, NET_PATIENCE) &&
           GetLastError() == ERROR_INSUFFICIENT_BUFFER && !size,
       "size %lu, error %lu\n", size, GetLastError());
    done();

    s = socket(AF_INET, SOCK_STREAM, 0);
    routine_calls = 0;
    ok_error(WSAIoctl(s, SIO_GET_INTERFACE_LIST, NULL, 0, list, 1, &size, &overlapped, routine),
             WSA_IO_PENDING);
    SleepEx(NET_PATIENCE, TRUE);
    ok(routine_calls == 1 && routine_error == WSAEFAULT, "%d calls, error %lu\n", routine_calls,
       routine_error);
    closesocket(s);
}

/* SIO_KEEPALIVE_VALS: refused, it leaves the status pending; done, it does not touch the count. */
static void test_keepalive(void)
{
    struct tcp_keepalive values = {1, 10000, 1000};
    DWORD size = UNTOUCHED;
    OVERLAPPED *which;
    ULONG_PTR key;

    fresh();
    untouched();
    ok_error(WSAIoctl(s, SIO_KEEPALIVE_VALS, &values, sizeof(values) - 1, NULL, 0, &size,
                      &overlapped, NULL),
             WSAEFAULT);
    ok(size == UNTOUCHED, "size %lu\n", size);
    todo_wine ok(overlapped.Internal == STATUS_PENDING, "status %#lx\n",
                 (ULONG)overlapped.Internal);
    untouched();
    ok_success(WSAIoctl(s, SIO_KEEPALIVE_VALS, &values, sizeof(values), NULL, 0, &size, &overlapped,
                        NULL));
    todo_wine ok(size == UNTOUCHED, "size %lu\n", size);
    ok(GetQueuedCompletionStatus(port, &size, &key, &which, NET_PATIENCE) && !size, "error %lu\n",
       GetLastError());
    done();
}

/* SIO_ROUTING_INTERFACE_QUERY: no input, or one that is too short or the address of all zeroes, is
 * WSAEINVAL; a short output is WSAEFAULT and tells the size. */
static void test_routing_arguments(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET}, out;
    DWORD size = UNTOUCHED;

    s = socket(AF_INET, SOCK_DGRAM, 0);
    todo_wine ok_error(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, &in, sizeof(in) - 1, &out,
                                sizeof(out), &size, NULL, NULL),
                       WSAEINVAL);
    todo_wine ok_error(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, NULL, sizeof(in), &out, sizeof(out),
                                &size, NULL, NULL),
                       WSAEINVAL);
    todo_wine ok_error(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, &in, sizeof(in), &out, sizeof(out),
                                &size, NULL, NULL),
                       WSAEINVAL);
    todo_wine ok(size == UNTOUCHED, "size %lu\n", size);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = UNTOUCHED;
    ok_error(WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, &in, sizeof(in), &out, sizeof(out) - 1, &size,
                      NULL, NULL),
             WSAEFAULT);
    todo_wine ok(size == sizeof(out), "size %lu\n", size);
    closesocket(s);
}

START_TEST(ioctl_overlapped)
{
    net_start();
    RUN(test_nonblocking);
    RUN(test_readable, FIONREAD, 0);
    RUN(test_readable, SIOCATMARK, TRUE);
    RUN(test_unknown, 0xdeadbeef);
    RUN(test_unknown, FIOASYNC);
    RUN(test_unknown, SIO_FLUSH);
    RUN(test_base_handle);
    RUN(test_extension);
    RUN(test_routine);
    RUN(test_interface_list);
    RUN(test_keepalive);
    RUN(test_routing_arguments);
    WSACleanup();
}
