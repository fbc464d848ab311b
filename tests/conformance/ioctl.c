/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ioctlsocket and WSAIoctl.
 * Sources: their pages, "Winsock IOCTLs" (WinSock), "SIO_KEEPALIVE_VALS control code".
 */
#include "net.h"

/* FIONREAD: for a stream "the amount of data that can be read in a single call to the recv
 * function", for a datagram socket "the size of the first datagram" */
static void test_fionread(void)
{
    struct sockaddr_storage address[2];
    u_long count = 77;
    DWORD value = 77, bytes = 77;
    char buffer[16];
    int length;
    SOCKET a, b, s[2];

    net_pair(&a, &b);
    ok_success(ioctlsocket(b, FIONREAD, &count));
    ok(count == 0, "got %lu\n", count);
    net_send_all(a, "12345", 5);
    ok(net_arrived(b, 5) == 5, "not arrived\n");
    net_send_all(a, "678", 3);
    ok(net_arrived(b, 8) == 8, "not arrived\n");
    ok_success(WSAIoctl(b, FIONREAD, NULL, 0, &value, sizeof(value), &bytes, NULL, NULL));
    ok(value == 8 && bytes == sizeof(value), "got %lu, %lu bytes\n", value, bytes);
    ok(recv(b, buffer, 2, 0) == 2, "error %d\n", WSAGetLastError());
    ok_success(ioctlsocket(b, FIONREAD, &count));
    ok(count == 6, "got %lu\n", count);
    closesocket(a);
    closesocket(b);

    net_udp_pair(AF_INET, s, address, &length);
    sendto(s[0], "1234567", 7, 0, (struct sockaddr *)&address[1], length);
    ok(net_arrived(s[1], 1) == 7, "got another size\n");
    closesocket(s[0]);
    closesocket(s[1]);
}

/* FIONBIO: also through WSAIoctl; cbInBuffer too small: WSAEFAULT */
static void test_fionbio(void)
{
    u_long on = 1;
    DWORD bytes;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    ok_success(WSAIoctl(b, FIONBIO, &on, sizeof(on), NULL, 0, &bytes, NULL, NULL));
    ok_error(recv(b, &byte, 1, 0), WSAEWOULDBLOCK);
    ok_error(WSAIoctl(b, FIONBIO, &on, 1, NULL, 0, &bytes, NULL, NULL), WSAEFAULT);
    /* lpcbBytesReturned may be NULL only with an OVERLAPPED */
    ok_error(WSAIoctl(b, FIONBIO, &on, sizeof(on), NULL, 0, NULL, NULL, NULL), WSAEFAULT);
    closesocket(a);
    closesocket(b);
}

/* SIOCATMARK: "TRUE if no OOB data is waiting to be read" with SO_OOBINLINE unset */
static void test_atmark(void)
{
    u_long mark = 77;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    ok_success(ioctlsocket(b, SIOCATMARK, &mark));
    ok(mark == 1, "got %lu\n", mark);
    net_send_all(a, "ab", 2);
    ok(send(a, "!", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
    ok(net_arrived(b, 2) >= 2, "not arrived\n");
    Sleep(50);
    ok(recv(b, &byte, 1, MSG_OOB) == 1 && byte == '!', "got %d, error %d\n", byte,
       WSAGetLastError());
    closesocket(a);
    closesocket(b);
}

/* SIO_KEEPALIVE_VALS: struct tcp_keepalive in, nothing out */
static void test_keepalive(void)
{
    struct tcp_keepalive keepalive = {1, 10000, 1000};
    DWORD bytes = 77;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok_success(WSAIoctl(s, SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive), NULL, 0, &bytes, NULL,
                        NULL));
    ok(bytes == 0, "got %lu\n", bytes);
    keepalive.onoff = 0;
    ok_success(WSAIoctl(s, SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive), NULL, 0, &bytes, NULL,
                        NULL));
    ok_error(WSAIoctl(s, SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive) - 1, NULL, 0, &bytes,
                      NULL, NULL),
             WSAEFAULT);
    ok_error(WSAIoctl(s, SIO_KEEPALIVE_VALS, NULL, 0, NULL, 0, &bytes, NULL, NULL), WSAEFAULT);
    closesocket(s);
}

/* SIO_BASE_HANDLE: "the base service provider handle for a given socket": without layers itself */
static void test_base_handle(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), base = 0;
    DWORD bytes = 0;

    ok_success(WSAIoctl(s, SIO_BASE_HANDLE, NULL, 0, &base, sizeof(base), &bytes, NULL, NULL));
    ok(base == s && bytes == sizeof(base), "got %zx, %lu bytes\n", (size_t)base, bytes);
    todo_wine ok_error(
        WSAIoctl(s, SIO_BASE_HANDLE, NULL, 0, &base, sizeof(base) - 1, &bytes, NULL, NULL),
        WSAEFAULT);
    closesocket(s);
}

/* SIO_GET_EXTENSION_FUNCTION_POINTER: known GUIDs give a pointer, another WSAEINVAL */
static void test_extensions(void)
{
    static const struct {
        const char *name;
        GUID guid;
        int wine_lacks;
    } known[] = {
        {"AcceptEx", WSAID_ACCEPTEX, 0},
        {"ConnectEx", WSAID_CONNECTEX, 0},
        {"DisconnectEx", WSAID_DISCONNECTEX, 0},
        {"GetAcceptExSockaddrs", WSAID_GETACCEPTEXSOCKADDRS, 0},
    };
    GUID unknown = {0x12345678, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    void *function, *again;
    DWORD bytes;
    unsigned i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        GUID guid = known[i].guid;

        winetest_push_context("%s", known[i].name);
        function = again = NULL;
        bytes = 77;
        ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &function,
                            sizeof(function), &bytes, NULL, NULL));
        ok(function != NULL && bytes == sizeof(function), "got %p, %lu bytes\n", function, bytes);
        ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &again,
                            sizeof(again), &bytes, NULL, NULL));
        ok(function == again, "the pointer changed\n");
        winetest_pop_context();
    }
    ok_error(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &unknown, sizeof(unknown), &function,
                      sizeof(function), &bytes, NULL, NULL),
             WSAEINVAL);
    closesocket(s);
}

/* Errors: WSAENOTSOCK; WSAEOPNOTSUPP "the specified IOCTL code cannot be realized" */
static void test_errors(void)
{
    u_long value = 0;
    DWORD bytes;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok_error(WSAIoctl(s, _WSAIO(IOC_WS2, 0x7ff), NULL, 0, NULL, 0, &bytes, NULL, NULL),
             WSAEOPNOTSUPP);
    ok_error(ioctlsocket(s, FIONREAD, NULL), WSAEFAULT);
    closesocket(s);
    ok_error(ioctlsocket(s, FIONREAD, &value), WSAENOTSOCK);
    ok_error(WSAIoctl(s, FIONREAD, NULL, 0, &value, sizeof(value), &bytes, NULL, NULL),
             WSAENOTSOCK);
}

START_TEST(ioctl)
{
    net_start();
    RUN(test_fionread);
    RUN(test_fionbio);
    RUN(test_atmark);
    RUN(test_keepalive);
    RUN(test_base_handle);
    RUN(test_extensions);
    RUN(test_errors);
    WSACleanup();
}
