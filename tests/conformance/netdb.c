/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getservbyname, getservbyport, getprotobyname, getprotobynumber.
 * Sources: the pages of those functions; RFC 1700 and IANA's registry for the numbers; "recorded" =
 * what Wine's tests found Windows to do.
 */
#include "net.h"

static void test_services(void)
{
    static const struct {
        const char *name, *protocol;
        u_short port;
    } rows[] = {
        {"echo", "tcp", 7},  {"echo", "udp", 7},    {"ftp", "tcp", 21},    {"telnet", "tcp", 23},
        {"smtp", "tcp", 25}, {"domain", "tcp", 53}, {"domain", "udp", 53}, {"tftp", "udp", 69},
        {"http", "tcp", 80}, {"pop3", "tcp", 110},  {"ntp", "udp", 123},   {"https", "tcp", 443},
    };
    struct servent *service;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        winetest_push_context("%s/%s", rows[i].name, rows[i].protocol);
        service = getservbyname(rows[i].name, rows[i].protocol);
        ok(service != NULL, "error %d\n", WSAGetLastError());
        if (service) {
            ok(service->s_port == (short)htons(rows[i].port), "port %d\n",
               ntohs((u_short)service->s_port));
            ok(!strcmp(service->s_name, rows[i].name), "name %s\n", service->s_name);
            ok(!strcmp(service->s_proto, rows[i].protocol), "protocol %s\n", service->s_proto);
            ok(service->s_aliases != NULL, "no alias list\n");
        }
        service = getservbyport(htons(rows[i].port), rows[i].protocol);
        /* the built-in compares the sign-extended s_port */
        todo_wine_if(htons(rows[i].port) & 0x8000)
            ok(service && !strcmp(service->s_name, rows[i].name), "by port: %s\n",
               service ? service->s_name : "(none)");
        winetest_pop_context();
    }
    /* "If this pointer is NULL ... returns the first service entry where name matches" */
    service = getservbyname("domain", NULL);
    ok(service && service->s_port == (short)htons(53), "error %d\n", WSAGetLastError());
    service = getservbyport(htons(80), NULL);
    ok(service && !strcmp(service->s_name, "http"), "error %d\n", WSAGetLastError());
    /* "matches the s_name member ... or the s_aliases member" */
    service = getservbyname("mail", "tcp");
    todo_wine
    {
        ok(service && !strcmp(service->s_name, "smtp"), "error %d\n", WSAGetLastError());
        ok(service && !strcmp(service->s_aliases[0], "mail"), "no alias\n");
    }

    /* "WSANO_DATA: Valid name, no data record of requested type" */
    WSASetLastError(0);
    ok(!getservbyname("no-such-service", "tcp"), "found\n");
    ok(WSAGetLastError() == WSANO_DATA, "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!getservbyname("tftp", "tcp"), "found\n");
    ok(WSAGetLastError() == WSANO_DATA, "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!getservbyport(htons(64999), "tcp"), "found\n");
    ok(WSAGetLastError() == WSANO_DATA, "error %d\n", WSAGetLastError());
}

/* "only one copy of this structure is allocated per thread" */
static DWORD WINAPI in_thread(void *argument)
{
    const struct servent *others = argument;
    struct servent *first, *second;
    int i;

    first = getservbyname("telnet", "tcp");
    ok(first && first != others, "two threads share %p\n", first);
    for (i = 0; i < 50 && first; i++) {
        second = getservbyname(i & 1 ? "domain" : "telnet", i & 1 ? "udp" : "tcp");
        ok(second == first, "the thread's structure moved\n"); /* recorded */
        ok(second && second->s_port == (short)htons(i & 1 ? 53 : 23), "wrong port\n");
    }
    return 0;
}

static void test_threads(void)
{
    struct servent *mine = getservbyname("http", "tcp");
    HANDLE threads[4];
    unsigned i;

    for (i = 0; i < ARRAYSIZE(threads); i++)
        threads[i] = CreateThread(NULL, 0, in_thread, mine, 0, NULL);
    WaitForMultipleObjects(ARRAYSIZE(threads), threads, TRUE, INFINITE);
    for (i = 0; i < ARRAYSIZE(threads); i++)
        CloseHandle(threads[i]);
    ok(mine && !strcmp(mine->s_name, "http"), "another thread changed it\n");
}

static void test_protocols(void)
{
    static const struct {
        int number;
        const char *name, *alias;
    } rows[] = {
        {0, "ip", "IP"},    {1, "icmp", "ICMP"},  {6, "tcp", "TCP"},
        {17, "udp", "UDP"}, {41, "ipv6", "IPv6"}, {58, "ipv6-icmp", "IPv6-ICMP"},
    };
    struct protoent *protocol;
    unsigned i;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        winetest_push_context("%s", rows[i].name);
        protocol = getprotobyname(rows[i].name);
        ok(protocol && protocol->p_proto == rows[i].number, "error %d\n", WSAGetLastError());
        protocol = getprotobyname(rows[i].alias);
        ok(protocol && protocol->p_proto == rows[i].number, "error %d\n", WSAGetLastError());
        protocol = getprotobynumber(rows[i].number);
        ok(protocol != NULL, "error %d\n", WSAGetLastError());
        if (protocol) {
            ok(!strcmp(protocol->p_name, rows[i].name), "name %s\n", protocol->p_name);
            ok(protocol->p_aliases[0] && !strcmp(protocol->p_aliases[0], rows[i].alias),
               "alias differs\n");
        }
        winetest_pop_context();
    }
    WSASetLastError(0);
    ok(!getprotobyname("no-such-protocol"), "found\n");
    ok(WSAGetLastError() == WSANO_DATA, "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!getprotobynumber(255), "found\n");
    ok(WSAGetLastError() == WSANO_DATA, "error %d\n", WSAGetLastError());
    ok(!getprotobynumber(-1), "found\n");
}

/* All four pages: WSANOTINITIALISED. */
static void test_not_started(void)
{
    todo_wine
    {
        WSASetLastError(0);
        ok(!getservbyname("http", "tcp"), "works before WSAStartup\n");
        ok(WSAGetLastError() == WSANOTINITIALISED, "error %d\n", WSAGetLastError());
        WSASetLastError(0);
        ok(!getprotobyname("tcp"), "works before WSAStartup\n");
        ok(WSAGetLastError() == WSANOTINITIALISED, "error %d\n", WSAGetLastError());
    }
}

START_TEST(netdb)
{
    RUN(test_not_started);
    net_start();
    RUN(test_services);
    RUN(test_threads);
    RUN(test_protocols);
    WSACleanup();
}
