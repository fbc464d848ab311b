/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * htonl and its kin, and their WSA forms.
 * Sources: the pages of htonl, htons, ntohl, ntohs, WSAHtonl, WSAHtons, WSANtohl, WSANtohs.
 */
#include "net.h"

/* htonl: "converts a u_long from host to TCP/IP network byte order (which is big-endian)"; works
 * without WSAStartup: "The htonl function does not require that the Winsock DLL has previously been
 * loaded with a successful call to the WSAStartup function." */
static void test_plain(void)
{
    static const u_long longs[] = {0, 1, 0x01020304, 0x80000000, 0xfffefdfc, 0xffffffff};
    static const u_short shorts[] = {0, 1, 0x0102, 0x8000, 0xfffe, 0xffff};
    unsigned i;

    for (i = 0; i < ARRAYSIZE(longs); i++) {
        u_long value = htonl(longs[i]);
        const unsigned char *byte = (const unsigned char *)&value;

        ok(byte[0] == (longs[i] >> 24 & 0xff) && byte[1] == (longs[i] >> 16 & 0xff) &&
               byte[2] == (longs[i] >> 8 & 0xff) && byte[3] == (longs[i] & 0xff),
           "htonl(%#lx) gave %#lx\n", longs[i], value);
        ok(ntohl(value) == longs[i], "ntohl(%#lx) gave %#lx\n", value, ntohl(value));
    }
    for (i = 0; i < ARRAYSIZE(shorts); i++) {
        u_short value = htons(shorts[i]);
        const unsigned char *byte = (const unsigned char *)&value;

        ok(byte[0] == shorts[i] >> 8 && byte[1] == (shorts[i] & 0xff), "htons(%#x) gave %#x\n",
           shorts[i], value);
        ok(ntohs(value) == shorts[i], "ntohs(%#x) gave %#x\n", value, ntohs(value));
    }
}

/* The WSA forms' pages: WSANOTINITIALISED, WSAENOTSOCK "The descriptor is not a socket", WSAEFAULT
 * "The lpnetlong parameter is NULL". */
static void test_with_socket(void)
{
    u_long l = 0;
    u_short h = 0;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok(s != INVALID_SOCKET, "socket error %d\n", WSAGetLastError());
    ok_success(WSAHtonl(s, 0x01020304, &l));
    ok(l == htonl(0x01020304), "got %#lx\n", l);
    ok_success(WSANtohl(s, l, &l));
    ok(l == 0x01020304, "got %#lx\n", l);
    ok_success(WSAHtons(s, 0x0102, &h));
    ok(h == htons(0x0102), "got %#x\n", h);
    ok_success(WSANtohs(s, h, &h));
    ok(h == 0x0102, "got %#x\n", h);

    ok_error(WSAHtonl(s, 1, NULL), WSAEFAULT);
    todo_wine ok_error(WSANtohl(s, 1, NULL), WSAEFAULT);
    ok_error(WSAHtons(s, 1, NULL), WSAEFAULT);
    todo_wine ok_error(WSANtohs(s, 1, NULL), WSAEFAULT);

    l = 0x55555555;
    todo_wine
    { /* Wine looks at neither */
        ok_error(WSAHtonl(INVALID_SOCKET, 1, &l), WSAENOTSOCK);
        ok_error(WSANtohs((SOCKET)(ULONG_PTR)GetStdHandle(STD_ERROR_HANDLE), 1, &h), WSAENOTSOCK);
        ok(l == 0x55555555, "result was written: %#lx\n", l);
    }
    closesocket(s);
}

static void test_not_started(void)
{
    u_long l;

    todo_wine ok_error(WSAHtonl(INVALID_SOCKET, 1, &l), WSANOTINITIALISED);
}

START_TEST(byteorder)
{
    RUN(test_plain);
    RUN(test_not_started);
    net_start();
    RUN(test_with_socket);
    WSACleanup();
}
