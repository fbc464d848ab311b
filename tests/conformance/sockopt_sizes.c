/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What getsockopt and setsockopt do with a length that is not the option's.
 * Source: the table of option lengths in Wine's test suite, which was run on Windows; its todo_wine
 * marks are repeated here.
 */
#include "net.h"

enum pattern {
    BOOLEANS, /* 1 or 2 bytes: as many are stored, 1 is told; 4: 4 */
    BYTES,    /* always 1 */
    CLEARED,  /* fewer than 4: WSAEFAULT, and what room there is becomes 0 */
    WHOLE,    /* fewer than 4: WSAEFAULT, nothing is touched */
    TO_ZERO,  /* fewer than 4: WSAEFAULT, and the length becomes 0 */
    NARROW,   /* 1 or 2 bytes: 1 */
};

static const struct option {
    const char *label;
    int level, name, family, type;
    enum pattern pattern;
    DWORD large; /* what 0x100 reads back as, or 0: WSAEINVAL */
    BOOL large_todo;
} options[] = {
#define OPTION(level, name) #name, level, name
#define TCP4                AF_INET, SOCK_STREAM
#define UDP4                AF_INET, SOCK_DGRAM
#define UDP6                AF_INET6, SOCK_DGRAM
#define ZEROED              0xdeadbe00 /* one byte of 0 in what was 0xdeadbeef */
    {OPTION(SOL_SOCKET, SO_BROADCAST), UDP4, BOOLEANS, 1, FALSE},
    {OPTION(SOL_SOCKET, SO_DONTLINGER), TCP4, BOOLEANS, 1, FALSE},
    {OPTION(SOL_SOCKET, SO_OOBINLINE), TCP4, BOOLEANS, 1, FALSE},
    {OPTION(SOL_SOCKET, SO_REUSEADDR), TCP4, BOOLEANS, 1, FALSE},
    {OPTION(SOL_SOCKET, SO_EXCLUSIVEADDRUSE), TCP4, BOOLEANS, 1, FALSE},
    {OPTION(SOL_SOCKET, SO_KEEPALIVE), TCP4, BYTES, ZEROED, FALSE},
    {OPTION(SOL_SOCKET, SO_DONTROUTE), TCP4, BYTES, ZEROED, TRUE},
    {OPTION(SOL_SOCKET, SO_LINGER), TCP4, CLEARED, 0x100, TRUE},
    {OPTION(SOL_SOCKET, SO_RCVBUF), TCP4, CLEARED, 0x100, FALSE},
    {OPTION(SOL_SOCKET, SO_SNDBUF), TCP4, CLEARED, 0x100, FALSE},
    {OPTION(SOL_SOCKET, SO_RCVTIMEO), TCP4, WHOLE, 0x100, FALSE},
    {OPTION(SOL_SOCKET, SO_SNDTIMEO), TCP4, WHOLE, 0x100, FALSE},
    {OPTION(IPPROTO_TCP, TCP_NODELAY), TCP4, BYTES, ZEROED, FALSE},
    {"TCP_KEEPALIVE", IPPROTO_TCP, 3, TCP4, TO_ZERO, 0x100, FALSE},
    {OPTION(IPPROTO_IP, IP_MULTICAST_LOOP), UDP4, NARROW, 1, FALSE},
    {OPTION(IPPROTO_IP, IP_MULTICAST_TTL), UDP4, NARROW, 0, FALSE},
    {OPTION(IPPROTO_IP, IP_TTL), UDP4, NARROW, 0, FALSE},
    {OPTION(IPPROTO_IPV6, IPV6_MULTICAST_LOOP), UDP6, NARROW, 1, FALSE},
    {OPTION(IPPROTO_IPV6, IPV6_MULTICAST_HOPS), UDP6, NARROW, 0, FALSE},
    {OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS), UDP6, NARROW, 0, FALSE},
    {OPTION(IPPROTO_IPV6, IPV6_V6ONLY), UDP6, BYTES, ZEROED, FALSE},
};

static int get(SOCKET s, const struct option *o, DWORD *value, int *length)
{
    *value = 0xdeadbeef;
    return getsockopt(s, o->level, o->name, (char *)value, length);
}

static int set(SOCKET s, const struct option *o, DWORD value, int length)
{
    return setsockopt(s, o->level, o->name, (char *)&value, length);
}

static BOOL takes_short(const struct option *o)
{
    return o->pattern == BOOLEANS || o->pattern == BYTES || o->pattern == NARROW;
}

/* The value 1, set and got with 1 and 2 bytes. */
static void test_short(SOCKET s, const struct option *o)
{
    static const DWORD expected[][2] = {
        [BOOLEANS] = {0xdeadbe01, 0xdead0001}, [BYTES] = {0xdeadbe01, 0xdeadbe01},
        [CLEARED] = {0xdeadbe00, 0xdead0000},  [WHOLE] = {0xdeadbeef, 0xdeadbeef},
        [TO_ZERO] = {0xdeadbeef, 0xdeadbeef},  [NARROW] = {0xdeadbe01, 0xdeadbe01},
    };
    int i, length, told;
    DWORD value;

    for (i = 0; i < 2; i++) {
        length = i + 1;
        told = takes_short(o) ? 1 : o->pattern == TO_ZERO ? 0 : length;
        if (takes_short(o)) {
            ok_success(set(s, o, 1, length));
            ok_success(get(s, o, &value, &length));
        } else {
            ok_error(set(s, o, 1, length), WSAEFAULT);
            ok_error(get(s, o, &value, &length), WSAEFAULT);
        }
        ok(value == expected[o->pattern][i], "length %d: got %lx\n", i + 1, value);
        ok(length == told, "length %d: became %d\n", i + 1, length);
    }
}

static void test_whole(SOCKET s, const struct option *o)
{
    int told = o->pattern == BYTES ? 1 : 4, length = 4;
    DWORD value;

    ok_success(set(s, o, 1, 4));
    ok_success(get(s, o, &value, &length));
    ok(value == (o->pattern == BYTES ? 0xdeadbe01 : 1), "got %lx\n", value);
    ok(length == told, "length became %d\n", length);
    if (!o->large) {
        ok_error(set(s, o, 0x100, 4), WSAEINVAL);
        return;
    }
    ok_success(set(s, o, 0x100, 4));
    length = 4;
    ok_success(get(s, o, &value, &length));
    todo_wine_if(o->large_todo) ok(value == o->large, "0x100: got %lx\n", value);
}

static void test_odd(SOCKET s, const struct option *o)
{
    DWORD value, wide[2] = {1, 0xffffffff};
    int length = 8;

    ok_success(setsockopt(s, o->level, o->name, (char *)wide, sizeof(wide)));
    ok_success(getsockopt(s, o->level, o->name, (char *)wide, &length));
    ok(length == (o->pattern == BYTES ? 1 : 4), "length 8 became %d\n", length);
    length = -1;
    ok_error(get(s, o, &value, &length), WSAEFAULT);
    length = 0;
    ok_error(get(s, o, &value, &length), WSAEFAULT);
    if (o->pattern == BOOLEANS)
        ok_success(set(s, o, 1, 0));
    else
        ok_error(set(s, o, 1, 0), WSAEFAULT);
    if (o->level == SOL_SOCKET && o->pattern != BYTES)
        ok_success(set(s, o, 1, -1));
    else
        ok_error(set(s, o, 1, -1), WSAENOBUFS);
}

/* TCP_KEEPALIVE came to Wine after 8.0. */
static BOOL is_missing(SOCKET s, const struct option *o)
{
    int length = 4;
    DWORD value;

    return !rt.ours && get(s, o, &value, &length) && WSAGetLastError() == WSAENOPROTOOPT;
}

START_TEST(sockopt_sizes)
{
    size_t i;

    net_start();
    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const struct option *o = &options[i];
        SOCKET s = socket(o->family, o->type, 0);

        winetest_push_context("%s", o->label);
        if (is_missing(s, o))
            skip("Wine 8.0 does not have it\n");
        else {
            RUN(test_short, s, o);
            RUN(test_whole, s, o);
            RUN(test_odd, s, o);
        }
        closesocket(s);
        winetest_pop_context();
    }
    WSACleanup();
}
