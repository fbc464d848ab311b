/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses and their text: inet_addr, inet_ntoa, inet_pton, inet_ntop, InetPtonW, InetNtopW.
 * Sources: the pages of those functions; "recorded" = what Wine's tests found Windows to do.
 */
#include "net.h"

/* inet_addr's page, Remarks: parts "a.b.c.d", "a.b.c", "a.b", "a"; "If ... begins with 0x or 0X
 * implies hexadecimal, with 0 implies octal"; "When ... a single space, returns zero". */
static void test_inet_addr(void)
{
    static const struct {
        const char *text;
        unsigned long host_order;
        BOOL refused;
    } rows[] = {
        {"10.20.30.40", 0x0a141e28, FALSE},
        {"10.20.7700", 0x0a141e14, FALSE},
        {"10.70000", 0x0a011170, FALSE},
        {"169090600", 0x0a141e28, FALSE},
        {"0x0a.0X14.036.40", 0x0a141e28, FALSE},
        {"255.255.255.254", 0xfffffffe, FALSE},
        {"0", 0, FALSE},
        {" ", 0, FALSE},
        {"10.20.30.40 trailing", 0x0a141e28, FALSE}, /* recorded: white space ends it */
        {"", 0, TRUE},
        {"10.20.30.256", 0, TRUE},
        {"10.20.30.40.50", 0, TRUE},
        {"10.20.65536", 0, TRUE},
        {"256.1", 0, TRUE},
        {"10.20.30.4O", 0, TRUE},
        {"10..30.40", 0, TRUE},
        {"08.1.1.1", 0, TRUE},
        {"example.com", 0, TRUE},
        {"::1", 0, TRUE},
        {" 10.20.30.40", 0, TRUE},
        {"10.20.30.40:80", 0, TRUE},
    };
    unsigned i;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        u_long got = inet_addr(rows[i].text);
        u_long expected = rows[i].refused ? INADDR_NONE : htonl(rows[i].host_order);

        ok(got == expected, "inet_addr(\"%s\") gave %#lx, not %#lx\n", rows[i].text, got, expected);
    }
    WSASetLastError(0);
    ok(inet_addr(NULL) == INADDR_NONE, "NULL was accepted\n");
    ok(WSAGetLastError() == WSAEFAULT, "got error %d\n", WSAGetLastError());
}

static DWORD WINAPI other_thread(void *argument)
{
    struct in_addr address;

    (void)argument;
    address.s_addr = htonl(0x01020304);
    ok(!strcmp(inet_ntoa(address), "1.2.3.4"), "wrong text\n");
    return 0;
}

/* inet_ntoa's page: the string "is only guaranteed to be valid until the next Windows Sockets
 * function call within the same thread": so another thread's call leaves it alone. */
static void test_inet_ntoa(void)
{
    struct in_addr address;
    char *first, *second;
    HANDLE thread;

    address.s_addr = htonl(0xc0a80001);
    first = inet_ntoa(address);
    ok(first && !strcmp(first, "192.168.0.1"), "got %s\n", first);
    thread = CreateThread(NULL, 0, other_thread, NULL, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    ok(!strcmp(first, "192.168.0.1"), "another thread changed it to %s\n", first);
    address.s_addr = INADDR_NONE;
    second = inet_ntoa(address);
    ok(!strcmp(second, "255.255.255.255"), "got %s\n", second);
    ok(second == first, "the thread's buffer moved\n"); /* recorded */
}

/* inet_pton's page: returns 1, 0 "if the pAddrBuf parameter points to a string that is not a valid
 * IPv4 dotted-decimal string or a valid IPv6 address string", -1 and WSAEAFNOSUPPORT or WSAEFAULT.
 */
static void test_pton(void)
{
    static const struct {
        int family;
        const char *text;
        int result;
        unsigned char bytes[16];
    } rows[] = {
        {AF_INET, "1.2.3.4", 1, {1, 2, 3, 4}},
        {AF_INET, "255.0.255.0", 1, {255, 0, 255, 0}},
        {AF_INET, "1.2.3", 0, {0}},
        {AF_INET, "1.2.3.256", 0, {0}},
        {AF_INET, "1.2.3.04", 0, {0}},
        {AF_INET, "0x1.2.3.4", 0, {0}},
        {AF_INET, "1.2.3.4:80", 0, {0}},
        {AF_INET, " 1.2.3.4", 0, {0}},
        {AF_INET, "", 0, {0}},
        {AF_INET, "::1", 0, {0}},
        {AF_INET6, "::", 1, {0}},
        {AF_INET6, "::1", 1, {[15] = 1}},
        {AF_INET6, "fe80::a:b", 1, {0xfe, 0x80, [13] = 0xa, [15] = 0xb}},
        {AF_INET6,
         "2001:DB8::8:800:200C:417A",
         1,
         {0x20, 0x01, 0x0d, 0xb8, [9] = 8, [10] = 8, 0, 0x20, 0x0c, 0x41, 0x7a}},
        {AF_INET6, "::ffff:1.2.3.4", 1, {[10] = 0xff, 0xff, 1, 2, 3, 4}},
        {AF_INET6, "fe80::1%3", 0, {0}},
        {AF_INET6, "[::1]", 0, {0}},
        {AF_INET6, "1::2::3", 0, {0}},
        {AF_INET6, "12345::", 0, {0}},
        {AF_INET6, "1.2.3.4", 0, {0}},
    };
    unsigned char bytes[16];
    WCHAR wide[64];
    unsigned i;
    int result;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        size_t size = rows[i].family == AF_INET ? 4 : 16;

        winetest_push_context("\"%s\"", rows[i].text);
        memset(bytes, 0xcc, sizeof(bytes));
        result = inet_pton(rows[i].family, rows[i].text, bytes);
        ok(result == rows[i].result, "inet_pton gave %d\n", result);
        if (rows[i].result == 1) {
            ok(!memcmp(bytes, rows[i].bytes, size), "wrong address\n");
            ok(size == 16 || bytes[4] == 0xcc, "wrote too much\n");
        }
        MultiByteToWideChar(CP_ACP, 0, rows[i].text, -1, wide, ARRAYSIZE(wide));
        memset(bytes, 0xcc, sizeof(bytes));
        WSASetLastError(0);
        result = InetPtonW(rows[i].family, wide, bytes);
        ok(result == rows[i].result, "InetPtonW gave %d\n", result);
        if (rows[i].result == 1)
            ok(!memcmp(bytes, rows[i].bytes, size), "wrong address\n");
        else /* recorded: only the wide form sets it */
            ok(WSAGetLastError() == WSAEINVAL, "got error %d\n", WSAGetLastError());
        winetest_pop_context();
    }

    ok_error(inet_pton(AF_UNSPEC, "1.2.3.4", bytes), WSAEAFNOSUPPORT);
    ok_error(inet_pton(AF_IPX, "1.2.3.4", bytes), WSAEAFNOSUPPORT);
    ok_error(InetPtonW(AF_IPX, L"1.2.3.4", bytes), WSAEAFNOSUPPORT);
    ok_error(inet_pton(AF_INET, NULL, bytes), WSAEFAULT);
    ok_error(InetPtonW(AF_INET6, NULL, bytes), WSAEFAULT);
}

/* inet_ntop's page: the text is RFC 5952's, "NULL ... if an error occurs"; the last error of a
 * short buffer is the status of ntdll (recorded), WSAEINVAL on Windows 7. */
static void test_ntop(void)
{
    static const struct {
        int family;
        unsigned char bytes[16];
        const char *text;
    } rows[] = {
        {AF_INET, {0}, "0.0.0.0"},
        {AF_INET, {192, 168, 100, 200}, "192.168.100.200"},
        {AF_INET6, {0}, "::"},
        {AF_INET6, {[15] = 1}, "::1"},
        {AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 0x10}, "2001:db8::10"},
        {AF_INET6, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0xab, 0xcd}, "1:2:3:4:5:6:7:abcd"},
        {AF_INET6, {[10] = 0xff, 0xff, 1, 2, 3, 4}, "::ffff:1.2.3.4"},
    };
    char text[64];
    WCHAR wide[64], expected[64];
    DWORD error;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        size_t length = strlen(rows[i].text) + 1;

        memset(text, 'x', sizeof(text));
        ok(inet_ntop(rows[i].family, rows[i].bytes, text, length) == text, "%s: error %d\n",
           rows[i].text, WSAGetLastError());
        ok(!strcmp(text, rows[i].text), "got %s, not %s\n", text, rows[i].text);
        ok(text[length] == 'x', "wrote beyond the length\n");
        MultiByteToWideChar(CP_ACP, 0, rows[i].text, -1, expected, ARRAYSIZE(expected));
        ok(InetNtopW(rows[i].family, rows[i].bytes, wide, length) == wide, "error %d\n",
           WSAGetLastError());
        ok(!wcscmp(wide, expected), "%s: wide text differs\n", rows[i].text);

        WSASetLastError(0);
        ok(!inet_ntop(rows[i].family, rows[i].bytes, text, length - 1), "fitted a short buffer\n");
        error = GetLastError();
        ok(error == 0xc000000d || broken(error == WSAEINVAL), "got error %#lx\n", error);
    }
    WSASetLastError(0);
    ok(!inet_ntop(AF_IPX, rows[0].bytes, text, sizeof(text)), "accepted\n");
    ok(WSAGetLastError() == WSAEAFNOSUPPORT, "got error %d\n", WSAGetLastError());
    ok(!inet_ntop(AF_INET, rows[0].bytes, NULL, 16), "accepted\n");
}

static void test_all(void)
{
    test_inet_addr();
    test_inet_ntoa();
    test_pton();
    test_ntop();
}

START_TEST(inet)
{
    /* none of these pages lists WSANOTINITIALISED: the same before and after WSAStartup */
    RUN(test_all);
    net_start();
    RUN(test_all);
    WSACleanup();
}
