/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The forms of an address that getaddrinfo reads as a number, each of its flags by itself, and the
 * NI_ flags of getnameinfo for services; without a network.
 * Sources: the pages of getaddrinfo, getnameinfo and, for the forms of IPv4, inet_addr.
 */
#include "net.h"

#define AI_FILESERVER_           0x00040000
#define AI_DISABLE_IDN_ENCODING_ 0x00080000

static int get(const char *node, int flags, int family, struct addrinfo **list)
{
    struct addrinfo hints = {.ai_flags = flags, .ai_family = family, .ai_socktype = SOCK_STREAM};

    *list = NULL;
    return getaddrinfo(node, "7", &hints, list);
}

static void ok_no_numbers(const char *const names[], unsigned count)
{
    struct addrinfo *list;

    for (unsigned i = 0; i < count; i++) {
        int error = get(names[i], AI_NUMERICHOST, AF_UNSPEC, &list);

        ok(error == WSAHOST_NOT_FOUND, "%s: got %d\n", names[i], error);
        if (!error)
            freeaddrinfo(list);
    }
}

/* inet_addr: "a.b.c.d", "a.b.c" ("the last part is interpreted as a 16-bit quantity"), "a.b"
 * ("a 24-bit quantity"), "a" ("stored directly in the network address"); "numbers supplied as parts
 * ... can be decimal, octal, or hexadecimal as specified in the C language". */
static void test_ipv4(void)
{
    static const struct {
        const char *text;
        u_long address;
    } rows[] = {
        {"4.3.2.16", 0x04030210},
        {"4.3.528", 0x04030210},
        {"4.197136", 0x04030210},
        {"67306000", 0x04030210},
        {"0x4.0x3.0x2.0x10", 0x04030210},
        {"0X04030210", 0x04030210},
        {"04.03.02.020", 0x04030210},
        {"0x7f.1", 0x7f000001},
        {"0", 0},
        {"255.255.255.255", 0xffffffff},
    };
    static const char *const names[] = {"256.1.1.1", "1.2.3.4.5",  "1.2.3.65536x",
                                        "1..2",      "0x1g.2.3.4", "08.1.1.1"};
    struct addrinfo *list;
    unsigned i;
    int error;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        winetest_push_context("%s", rows[i].text);
        error = get(rows[i].text, AI_NUMERICHOST, AF_UNSPEC, &list);
        ok(!error, "got %d\n", error);
        if (!error) {
            const struct sockaddr_in *in = (struct sockaddr_in *)list->ai_addr;

            ok(list->ai_family == AF_INET && in->sin_addr.s_addr == htonl(rows[i].address),
               "got %lx\n", ntohl(in->sin_addr.s_addr));
            ok(!list->ai_next, "several\n");
            freeaddrinfo(list);
        }
        error = get(rows[i].text, AI_NUMERICHOST, AF_INET6, &list);
        todo_wine ok(error == WSAHOST_NOT_FOUND, "as IPv6: got %d\n", error);
        winetest_pop_context();
    }
    ok_no_numbers(names, ARRAYSIZE(names));
}

/* "an IPv6 hex address", with the scope that sin6_scope_id holds. */
static void test_ipv6(void)
{
    static const struct {
        const char *text;
        unsigned char bytes[16];
        u_long scope;
    } rows[] = {
        {"::", {0}, 0},
        {"1:2:3:4:5:6:7:8", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}, 0},
        {"2001:DB8::F", {0x20, 0x01, 0x0d, 0xb8, [15] = 15}, 0},
        {"::ffff:1.2.3.4", {[10] = 0xff, 0xff, 1, 2, 3, 4}, 0},
        {"fe80::1%7", {0xfe, 0x80, [15] = 1}, 7},
        {"fe80::1", {0xfe, 0x80, [15] = 1}, 0},
    };
    static const char *const names[] = {":::",     "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                                        "12345::", "::1::2",        "::g"};
    struct addrinfo *list;
    unsigned i;
    int error;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        winetest_push_context("%s", rows[i].text);
        error = get(rows[i].text, AI_NUMERICHOST, AF_UNSPEC, &list);
        ok(!error, "got %d\n", error);
        if (!error) {
            const struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)list->ai_addr;

            ok(list->ai_family == AF_INET6 && !memcmp(&in6->sin6_addr, rows[i].bytes, 16),
               "another address\n");
            ok(in6->sin6_scope_id == rows[i].scope, "scope %lu\n", (u_long)in6->sin6_scope_id);
            freeaddrinfo(list);
        }
        winetest_pop_context();
    }
    ok_no_numbers(names, ARRAYSIZE(names));
}

/* Each flag that says nothing about a numeric address, and one that is none: "EAI_BADFLAGS,
 * WSAEINVAL: An invalid value was provided for the ai_flags member". */
static void test_flags(void)
{
    static const int flags[] = {
        AI_PASSIVE,    AI_CANONNAME,   AI_NUMERICSERV,           AI_ALL,
        AI_ADDRCONFIG, AI_V4MAPPED,    AI_ALL | AI_V4MAPPED,     AI_NON_AUTHORITATIVE,
        AI_SECURE,     AI_FILESERVER_, AI_DISABLE_IDN_ENCODING_,
    };
    struct addrinfo *list;
    unsigned i;
    int error;

    for (i = 0; i < ARRAYSIZE(flags); i++) {
        winetest_push_context("flags %x", flags[i]);
        error = get("4.3.2.16", flags[i], AF_INET, &list);
        ok(!error, "got %d\n", error);
        if (!error) {
            ok(!list->ai_next &&
                   ((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr == htonl(0x04030210),
               "another address\n");
            ok(!list->ai_canonname == !(flags[i] & AI_CANONNAME), "canonical name %s\n",
               list->ai_canonname ? list->ai_canonname : "(none)");
            freeaddrinfo(list);
        }
        winetest_pop_context();
    }
    error = get("4.3.2.16", 0x00000200, AF_INET, &list);
    todo_wine ok(error == WSAEINVAL, "got %d\n", error);
    if (!error)
        freeaddrinfo(list);
}

/* AI_PASSIVE: "when ... pNodeName is a NULL pointer ... INADDR_ANY for IPv4 addresses and
 * IN6ADDR_ANY_INIT for IPv6 addresses"; without it "the loopback address". */
static void test_no_node(void)
{
    struct addrinfo *list;
    int error;

    error = get(NULL, AI_PASSIVE, AF_INET6, &list);
    ok(!error && IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr),
       "got %d\n", error);
    if (!error)
        freeaddrinfo(list);
    error = get(NULL, 0, AF_INET6, &list);
    ok(!error && IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr),
       "got %d\n", error);
    if (!error)
        freeaddrinfo(list);
}

/* "the hostname is returned as the IP address": with its scope. */
static void test_numeric_host(void)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = 7};
    char host[NI_MAXHOST];
    int error;

    in6.sin6_addr.s6_addr[0] = 0xfe;
    in6.sin6_addr.s6_addr[1] = 0x80;
    in6.sin6_addr.s6_addr[15] = 1;
    error = getnameinfo((struct sockaddr *)&in6, sizeof(in6), host, sizeof(host), NULL, 0,
                        NI_NUMERICHOST);
    ok(!error && !strcmp(host, "fe80::1%7"), "got %d, %s\n", error, host);
}

/* "Setting the NI_DGRAM flag indicates that the service is a datagram service. This flag is
 * necessary for the few services that provide different port numbers for UDP and TCP service";
 * NI_NUMERICSERV "returns the port number of the service instead of its name". */
static void test_services(void)
{
    static const struct {
        u_short port;
        int flags;
        const char *name;
    } rows[] = {
        {512, 0, "exec"},
        {512, NI_DGRAM, "biff"},
        {513, 0, "login"},
        {513, NI_DGRAM, "who"},
        {512, NI_NUMERICSERV, "512"},
        {512, NI_NUMERICSERV | NI_DGRAM, "512"},
        {80, 0, "http"},
        {69, NI_DGRAM, "tftp"},
    };
    struct sockaddr_in in = {.sin_family = AF_INET};
    char service[NI_MAXSERV];
    unsigned i;
    int error;

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (i = 0; i < ARRAYSIZE(rows); i++) {
        in.sin_port = htons(rows[i].port);
        *service = 0;
        error = getnameinfo((struct sockaddr *)&in, sizeof(in), NULL, 0, service, sizeof(service),
                            rows[i].flags);
        ok(!error && !strcmp(service, rows[i].name), "port %u, flags %x: got %d, %s\n",
           rows[i].port, rows[i].flags, error, service);
    }
}

START_TEST(name_forms)
{
    net_start();
    RUN(test_ipv4);
    RUN(test_ipv6);
    RUN(test_flags);
    RUN(test_no_node);
    RUN(test_numeric_host);
    RUN(test_services);
    WSACleanup();
}
