/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAGetOverlappedResult and the status in the OVERLAPPED.
 * Sources: its page; for the single codes Wine's test_WSAGetOverlappedResult, run on Windows.
 */
#include "net.h"

static SOCKET s;

static int result_of(ULONG status, BOOL *done)
{
    OVERLAPPED overlapped = {.Internal = status};
    DWORD count, flags;

    WSASetLastError(0xdead);
    *done = WSAGetOverlappedResult(s, &overlapped, &count, FALSE, &flags);
    return WSAGetLastError();
}

/* "If WSAGetOverlappedResult succeeds, the return value is TRUE. This means that the overlapped
 * operation has completed successfully": a status that is no error is success. */
static void test_success(void)
{
    static const ULONG statuses[] = {0, 1, 0x102 /* STATUS_TIMEOUT */, 0x40000000};
    BOOL done;

    for (unsigned int i = 0; i < ARRAYSIZE(statuses); i++) {
        result_of(statuses[i], &done);
        ok(done, "status %#lx: got %d\n", statuses[i], done);
    }
}

/* WSA_IO_INCOMPLETE: "fWait is set to FALSE and the I/O operation has not yet completed." */
static void test_incomplete(void)
{
    BOOL done;
    int error = result_of(STATUS_PENDING, &done);

    ok(!done && error == WSA_IO_INCOMPLETE, "got %d, error %d\n", done, error);
}

/* "FALSE ... the overlapped operation has not completed, the overlapped operation completed but
 * with errors": each status becomes one of Winsock's codes, and WSAEINVAL if it is none of those.
 */
static void test_errors(void)
{
    static const struct {
        ULONG status;
        int error;
    } codes[] = {
        {0x80000005, WSAEMSGSIZE},     {0xc0000005, WSAEFAULT},
        {0xc0000008, WSAENOTSOCK},     {0xc0000017, WSAENOBUFS},
        {0xc0000022, WSAEACCES},       {0xc0000023, WSAEFAULT},
        {0xc0000043, WSAEADDRINUSE},   {0xc00000b5, WSAETIMEDOUT},
        {0xc00000bb, WSAEOPNOTSUPP},   {0xc000020c, WSAECONNRESET},
        {0xc000020d, WSAECONNRESET},   {0xc0000236, WSAECONNREFUSED},
        {0xc0000237, WSAEDISCON},      {0xc000023c, WSAENETUNREACH},
        {0xc000023d, WSAEHOSTUNREACH}, {0xc000023f, WSAECONNRESET},
        {0xc0000241, WSAECONNABORTED}, {0xc0000120, ERROR_OPERATION_ABORTED},
        {0xc0000350, WSAEHOSTDOWN},    {0xc00000c9, WSAEINVAL},
        {0xc0000001, WSAEINVAL},       {0x80000006, WSAEINVAL},
    };
    BOOL done;

    for (unsigned int i = 0; i < ARRAYSIZE(codes); i++) {
        int error = result_of(codes[i].status, &done);

        ok(!done && error == codes[i].error, "status %#lx: got %d, error %d, expected %d\n",
           codes[i].status, done, error, codes[i].error);
    }
}

START_TEST(result_status)
{
    net_start();
    s = socket(AF_INET, SOCK_STREAM, 0);
    RUN(test_success);
    RUN(test_incomplete);
    RUN(test_errors);
    closesocket(s);
    WSACleanup();
}
