/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_SET_PRIORITY_HINT, how much the traffic of a socket matters, and SIO_TCP_SET_ICW, how fast a
 * connection begins.  No Wine has them.
 * Sources: "Winsock IOCTLs"; mstcpip.h.
 */
#include "net.h"

#define SET_ICW           _WSAIOW(IOC_VENDOR, 22)
#define SET_PRIORITY_HINT _WSAIOW(IOC_VENDOR, 24)

enum { VERY_LOW, LOW, NORMAL }; /* PRIORITY_HINT */

static int set_sized(SOCKET s, DWORD code, DWORD value, DWORD size)
{
    DWORD bytes = 77;
    int result = WSAIoctl(s, code, &value, size, NULL, 0, &bytes, NULL, NULL);

    ok(result || !bytes, "%lu bytes\n", bytes);
    return result;
}

static int set(SOCKET s, DWORD code, DWORD value)
{
    return set_sized(s, code, value, sizeof(value));
}

static void check_passes(SOCKET from, SOCKET to)
{
    char data[5000], got[sizeof(data)];

    memset(data, 'x', sizeof(data));
    net_send_all(from, data, sizeof(data));
    ok(net_recv_all(to, got, sizeof(got)) == sizeof(got), "error %d\n", WSAGetLastError());
}

/* "Provides a hint to the underlying transport protocol to treat the traffic on this socket with a
 * specific priority." */
static void test_priority(void)
{
    SOCKET a, b, s = socket(AF_INET6, SOCK_STREAM, 0);

    net_pair(&a, &b);
    for (DWORD hint = VERY_LOW; hint <= NORMAL; hint++) {
        ok_success(set(a, SET_PRIORITY_HINT, hint));
        check_passes(a, b);
        check_passes(b, a);
        ok_success(set(s, SET_PRIORITY_HINT, hint));
    }
    closesocket(a);
    closesocket(b);
    closesocket(s);
}

/* "The lpvInBuffer must point to a variable of type PRIORITY_HINT with cbInBuffer set to
 * sizeof(PRIORITY_HINT). The lpvOutBuffer and cbOutBuffer parameters must be NULL and 0". */
static void test_priority_arguments(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD hint = VERY_LOW, out = 0, bytes;

    ok_error(set(s, SET_PRIORITY_HINT, NORMAL + 1), WSAEINVAL);
    ok_error(set(s, SET_PRIORITY_HINT, ~0u), WSAEINVAL);
    ok_error(set_sized(s, SET_PRIORITY_HINT, hint, sizeof(hint) - 1), WSAEFAULT);
    ok_error(WSAIoctl(s, SET_PRIORITY_HINT, NULL, sizeof(hint), NULL, 0, &bytes, NULL, NULL),
             WSAEFAULT);
    ok(WSAIoctl(s, SET_PRIORITY_HINT, &hint, sizeof(hint), &out, sizeof(out), &bytes, NULL, NULL) ==
           SOCKET_ERROR,
       "with an output buffer\n");
    closesocket(s);
}

/* TCP_ICW_LEVEL: the default is what there is; others are done, or refused so that a program can
 * tell. */
static void test_initial_window(void)
{
    enum { DEFAULT = 0, HIGH = 1, COMPAT = 254 };
    SOCKET a, b, s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);

    net_pair(&a, &b);
    ok_success(set(s, SET_ICW, DEFAULT));
    ok_success(set(a, SET_ICW, DEFAULT));
    check_passes(a, b);
    for (DWORD level = HIGH; level <= COMPAT; level += COMPAT - HIGH) {
        int error = set(s, SET_ICW, level) ? WSAGetLastError() : 0;

        ok(!error || error == WSAEOPNOTSUPP, "level %lu: error %d\n", level, error);
    }
    ok_error(set(s, SET_ICW, 256), WSAEINVAL);
    ok_error(set_sized(s, SET_ICW, DEFAULT, 3), WSAEFAULT);
    ok_error(set(udp, SET_ICW, DEFAULT), WSAEOPNOTSUPP);
    closesocket(a);
    closesocket(b);
    closesocket(s);
    closesocket(udp);
}

static BOOL is_there(DWORD code, DWORD value)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    int result = set(s, code, value);

    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    closesocket(s);
    return !result;
}

START_TEST(tcp_hints)
{
    net_start();
    if (is_there(SET_PRIORITY_HINT, NORMAL)) {
        RUN(test_priority);
        RUN(test_priority_arguments);
    }
    if (is_there(SET_ICW, 0))
        RUN(test_initial_window);
    WSACleanup();
}
