/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAStringToAddressA/W and WSAAddressToStringA/W.
 * Sources: the pages of those functions; "recorded" = what Wine's tests found Windows to do.
 */
#include "net.h"

static const struct {
    const char *text;
    unsigned long host_order;
    u_short port;
    int error;
} ipv4_rows[] = {
    {"10.20.30.40", 0x0a141e28, 0, 0},
    {"10.20.30.40:5000", 0x0a141e28, 5000, 0},
    {"10.20.30.40:0x1388", 0x0a141e28, 5000, 0},
    {"10.20.30.40:65536", 0, 0, WSAEINVAL},
    {"10.20.30.40:", 0, 0, WSAEINVAL},
    {"10.20.30.40:port", 0, 0, WSAEINVAL},
    {"10.20.30.400", 0, 0, WSAEINVAL},
    {"10.20.7700", 0x0a141e14, 0, 0},
    {"", 0, 0, WSAEINVAL},
    {"localhost", 0, 0, WSAEINVAL}, /* no names */
    {"::1", 0, 0, WSAEINVAL},
};

static const struct {
    const char *text;
    unsigned char bytes[16];
    u_short port;
    unsigned long scope;
    int error;
} ipv6_rows[] = {
    {"::1", {[15] = 1}, 0, 0, 0},
    {"[::1]:443", {[15] = 1}, 443, 0, 0},
    {"[::1]", {[15] = 1}, 0, 0, 0},
    {"fe80::5%7", {0xfe, 0x80, [15] = 5}, 0, 7, 0},
    {"[fe80::5%7]:80", {0xfe, 0x80, [15] = 5}, 80, 7, 0},
    {"::1]:443", {0}, 0, 0, WSAEINVAL},
    {"[::1]:0x10000", {0}, 0, 0, WSAEINVAL},
    {"10.20.30.40", {0}, 0, 0, WSAEINVAL},
    {"", {0}, 0, 0, WSAEINVAL},
};

static int to_address(BOOL wide, const char *text, int family, void *address, int *length)
{
    WCHAR buffer[64];
    char copy[64];

    if (!wide) {
        strcpy(copy, text);
        return WSAStringToAddressA(copy, family, NULL, address, length);
    }
    MultiByteToWideChar(CP_ACP, 0, text, -1, buffer, ARRAYSIZE(buffer));
    return WSAStringToAddressW(buffer, family, NULL, address, length);
}

/* The page: "WSAEFAULT: The specified Address buffer is too small. Pass in a larger buffer.";
 * "WSAEINVAL: ... not a string that describes an address, or the family is not supported". */
static void test_string_to_address(BOOL wide)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    int result, length;
    unsigned i;

    winetest_push_context(wide ? "wide" : "ansi");
    for (i = 0; i < ARRAYSIZE(ipv4_rows); i++) {
        winetest_push_context("\"%s\"", ipv4_rows[i].text);
        memset(&in, 0xcc, sizeof(in));
        length = 100;
        WSASetLastError(0);
        result = to_address(wide, ipv4_rows[i].text, AF_INET, &in, &length);
        ok(result == (ipv4_rows[i].error ? SOCKET_ERROR : 0), "got %d\n", result);
        ok(WSAGetLastError() == ipv4_rows[i].error, "got error %d\n", WSAGetLastError());
        if (!ipv4_rows[i].error) {
            ok(length == sizeof(in), "got length %d\n", length);
            ok(in.sin_family == AF_INET, "got family %d\n", in.sin_family);
            ok(in.sin_addr.s_addr == htonl(ipv4_rows[i].host_order), "got %#lx\n",
               in.sin_addr.s_addr);
            ok(in.sin_port == htons(ipv4_rows[i].port), "got port %d\n", ntohs(in.sin_port));
        }
        winetest_pop_context();
    }
    for (i = 0; i < ARRAYSIZE(ipv6_rows); i++) {
        winetest_push_context("\"%s\"", ipv6_rows[i].text);
        memset(&in6, 0xcc, sizeof(in6));
        length = 100;
        WSASetLastError(0);
        result = to_address(wide, ipv6_rows[i].text, AF_INET6, &in6, &length);
        ok(result == (ipv6_rows[i].error ? SOCKET_ERROR : 0), "got %d\n", result);
        ok(WSAGetLastError() == ipv6_rows[i].error, "got error %d\n", WSAGetLastError());
        if (!ipv6_rows[i].error) {
            ok(length == sizeof(in6), "got length %d\n", length);
            ok(in6.sin6_family == AF_INET6, "got family %d\n", in6.sin6_family);
            ok(!memcmp(&in6.sin6_addr, ipv6_rows[i].bytes, 16), "wrong address\n");
            ok(in6.sin6_port == htons(ipv6_rows[i].port), "got port %d\n", ntohs(in6.sin6_port));
            ok(in6.sin6_scope_id == ipv6_rows[i].scope, "got scope %lu\n", in6.sin6_scope_id);
        }
        winetest_pop_context();
    }
    length = sizeof(in) - 1;
    ok_error(to_address(wide, "10.20.30.40", AF_INET, &in, &length), WSAEFAULT);
    ok(length == sizeof(in), "the needed length is not told: %d\n", length);
    length = sizeof(in6);
    ok_error(to_address(wide, "10.20.30.40", AF_IPX, &in6, &length), WSAEINVAL);
    winetest_pop_context();
}

static void check_text(const void *address, int size, const char *expected)
{
    SOCKADDR *from = (SOCKADDR *)address;
    DWORD needed = (DWORD)strlen(expected) + 1, length = needed;
    WCHAR wide[80], expected_wide[80];
    char text[80];

    winetest_push_context("%s", expected);
    memset(text, 'x', sizeof(text));
    ok_success(WSAAddressToStringA(from, (DWORD)size, NULL, text, &length));
    ok(!strcmp(text, expected), "got %s\n", text);
    ok(length == needed, "got length %lu\n", length);

    MultiByteToWideChar(CP_ACP, 0, expected, -1, expected_wide, ARRAYSIZE(expected_wide));
    length = ARRAYSIZE(wide);
    ok_success(WSAAddressToStringW(from, (DWORD)size, NULL, wide, &length));
    ok(!wcscmp(wide, expected_wide), "wide text differs\n");
    ok(length == needed, "got length %lu\n", length);

    /* "If the buffer is not large enough, the function fails with WSAEFAULT and the required size
     * is returned" */
    length = needed - 1;
    ok_error(WSAAddressToStringA(from, (DWORD)size, NULL, text, &length), WSAEFAULT);
    ok(length == needed, "got length %lu\n", length);
    length = 0;
    ok_error(WSAAddressToStringW(from, (DWORD)size, NULL, wide, &length), WSAEFAULT);
    ok(length == needed, "got length %lu\n", length);
    winetest_pop_context();
}

static void test_address_to_string(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char text[80];
    DWORD length = sizeof(text);

    in.sin_addr.s_addr = htonl(0x0a141e28);
    check_text(&in, sizeof(in), "10.20.30.40");
    in.sin_port = htons(5000);
    check_text(&in, sizeof(in), "10.20.30.40:5000");
    check_text(&in6, sizeof(in6), "::");
    in6.sin6_addr.s6_addr[0] = 0xfe;
    in6.sin6_addr.s6_addr[1] = 0x80;
    in6.sin6_addr.s6_addr[15] = 5;
    in6.sin6_scope_id = 7;
    check_text(&in6, sizeof(in6), "fe80::5%7");
    in6.sin6_port = htons(80);
    check_text(&in6, sizeof(in6), "[fe80::5%7]:80");
    in6.sin6_scope_id = 0;
    check_text(&in6, sizeof(in6), "[fe80::5]:80");

    /* "WSAEINVAL: an invalid parameter was passed ... if the address family is not supported" */
    in.sin_family = AF_IPX;
    ok_error(WSAAddressToStringA((SOCKADDR *)&in, sizeof(in), NULL, text, &length), WSAEINVAL);
}

/* Both pages: WSANOTINITIALISED. */
static void test_not_started(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    char text[] = "1.2.3.4";
    DWORD size = sizeof(text);
    int length = sizeof(in);

    todo_wine
    {
        ok_error(WSAStringToAddressA(text, AF_INET, NULL, (SOCKADDR *)&in, &length),
                 WSANOTINITIALISED);
        in.sin_family = AF_INET;
        ok_error(WSAAddressToStringA((SOCKADDR *)&in, sizeof(in), NULL, text, &size),
                 WSANOTINITIALISED);
    }
}

START_TEST(address_string)
{
    RUN(test_not_started);
    net_start();
    RUN(test_string_to_address, FALSE);
    RUN(test_string_to_address, TRUE);
    RUN(test_address_to_string);
    WSACleanup();
}
