/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Multicast by WSAIoctl: by final state (SIO_SET_MULTICAST_FILTER, SIOCSMSFILTER and what asks for
 * it), SIO_MULTICAST_SCOPE, SIO_MULTIPOINT_LOOPBACK.
 * Sources: the page "Final-State-Based Multicast Programming", those of ip_msfilter and
 * GROUP_FILTER, "Winsock IOCTLs"; ws2tcpip.h's setipv4sourcefilter and its kin make the same calls.
 * No Wine has them.
 */
#include "multicast.h"

#define SET_FILTER _IOW('t', 126, ULONG)
#define GET_FILTER _IOW('t', 127, ULONG)
enum { INCLUDE, EXCLUDE }; /* MULTICAST_MODE_TYPE */

struct ipv4_filter {
    IN_ADDR group, interface_address;
    DWORD mode;
    ULONG count;
    IN_ADDR sources[4];
};
struct any_filter {
    ULONG interface_index;
    SOCKADDR_STORAGE group;
    DWORD mode;
    ULONG count;
    SOCKADDR_STORAGE sources[2];
};

static int set_ipv4(SOCKET s, DWORD mode, ULONG count, ULONG first, ULONG second)
{
    struct ipv4_filter filter = {.mode = mode, .count = count};
    DWORD bytes;

    filter.group.s_addr = htonl(GROUP);
    filter.interface_address.s_addr = htonl(LOOPBACK);
    filter.sources[0].s_addr = htonl(first);
    filter.sources[1].s_addr = htonl(second);
    return WSAIoctl(s, SIO_SET_MULTICAST_FILTER, &filter, 16 + 4 * count, NULL, 0, &bytes, NULL,
                    NULL);
}

static DWORD get_ipv4(SOCKET s, struct ipv4_filter *filter, DWORD size)
{
    DWORD bytes = 0;

    memset(filter, 0, sizeof(*filter));
    filter->group.s_addr = htonl(GROUP);
    filter->interface_address.s_addr = htonl(LOOPBACK);
    ok_success(
        WSAIoctl(s, SIO_GET_MULTICAST_FILTER, filter, size, filter, size, &bytes, NULL, NULL));
    return bytes;
}

/* "imsf_fmode: The multicast filter mode to be used with the multicast group address"; the state is
 * the final one, whatever it was before. */
static void test_ipv4(void)
{
    struct ipv4_filter filter;
    u_short port;
    SOCKET s = receiver(&port);
    int result = set_ipv4(s, INCLUDE, 1, ELSEWHERE, 0);
    DWORD bytes;

    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    if (result) {
        closesocket(s);
        return;
    }
    ok(!comes(s, port), "from a source that is not included\n");
    ok_success(set_ipv4(s, INCLUDE, 2, ELSEWHERE, LOOPBACK));
    ok(comes(s, port), "nothing came\n");
    bytes = get_ipv4(s, &filter, sizeof(filter));
    ok(bytes == 16 + 8 && filter.mode == INCLUDE && filter.count == 2, "%lu bytes, mode %lu, %lu\n",
       bytes, filter.mode, filter.count);
    ok(filter.sources[0].s_addr == htonl(ELSEWHERE) && filter.sources[1].s_addr == htonl(LOOPBACK),
       "other sources\n");
    /* "imsf_numsrc": also what there is no room for is counted */
    bytes = get_ipv4(s, &filter, 16 + 4);
    ok(bytes == 16 + 4 && filter.count == 2, "%lu bytes, %lu sources\n", bytes, filter.count);
    ok_success(set_ipv4(s, EXCLUDE, 1, LOOPBACK, 0));
    ok(!comes(s, port), "from an excluded source\n");
    ok_success(set_ipv4(s, EXCLUDE, 1, ELSEWHERE, 0));
    ok(comes(s, port), "nothing came\n");
    get_ipv4(s, &filter, sizeof(filter));
    ok(filter.mode == EXCLUDE && filter.count == 1, "mode %lu, %lu\n", filter.mode, filter.count);
    ok_success(set_ipv4(s, INCLUDE, 0, 0, 0));
    ok(!comes(s, port), "from a group that was left\n");
    ok_error(set_ipv4(s, 7, 0, 0, 0), WSAEINVAL);
    closesocket(s);
}

static void put(SOCKADDR_STORAGE *to, const char *text, int family)
{
    int length = sizeof(*to);

    memset(to, 0, sizeof(*to));
    ok_success(WSAStringToAddressA((char *)text, family, NULL, (struct sockaddr *)to, &length));
}

/* The same by interface index, of both families. */
static void test_any(int family)
{
    const char *group = family == AF_INET ? "239.192.10.13" : "ff15::10:13";
    const char *source = family == AF_INET ? "192.0.2.1" : "2001:db8::1";
    struct any_filter filter = {.interface_index = 1, .mode = EXCLUDE, .count = 1}, got;
    SOCKET s = socket(family, SOCK_DGRAM, 0);
    DWORD bytes = 0;
    int result;

    put(&filter.group, group, family);
    put(&filter.sources[0], source, family);
    result = WSAIoctl(s, SET_FILTER, &filter, sizeof(filter), NULL, 0, &bytes, NULL, NULL);
    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    if (result) {
        closesocket(s);
        return;
    }
    got = filter;
    got.mode = got.count = 77;
    memset(got.sources, 0, sizeof(got.sources));
    ok_success(WSAIoctl(s, GET_FILTER, &got, sizeof(got), &got, sizeof(got), &bytes, NULL, NULL));
    ok(got.mode == EXCLUDE && got.count == 1, "mode %lu, %lu sources\n", got.mode, got.count);
    ok(bytes == sizeof(got) - sizeof(got.sources[0]), "%lu bytes\n", bytes);
    ok(!memcmp(&got.sources[0], &filter.sources[0], sizeof(got.sources[0])), "another source\n");
    /* more than the buffer holds */
    filter.count = 3;
    ok_error(WSAIoctl(s, SET_FILTER, &filter, sizeof(filter), NULL, 0, &bytes, NULL, NULL),
             WSAEFAULT);
    ok_error(WSAIoctl(s, SET_FILTER, &filter, 20, NULL, 0, &bytes, NULL, NULL), WSAEFAULT);
    closesocket(s);
}

static int set_number(SOCKET s, DWORD code, int value, DWORD size)
{
    DWORD bytes;

    return WSAIoctl(s, code, &value, size, NULL, 0, &bytes, NULL, NULL);
}

static int get_option(SOCKET s, int family, int option, int option6)
{
    int value = -1, size = sizeof(value);

    ok_success(getsockopt(s, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
                          family == AF_INET6 ? option6 : option, (char *)&value, &size));
    return value;
}

/* SIO_MULTICAST_SCOPE: "Note that this corresponds to the time-to-live (TTL) parameter in IP
 * multicasting."  SIO_MULTIPOINT_LOOPBACK: "A value of FALSE prevents multicast data sent by an
 * application on the local computer from being delivered to a listening socket".  WSAIoctl,
 * WSAEINVAL: "the command is not applicable to the type of socket specified". */
static void test_scope(int family)
{
    SOCKET s = socket(family, SOCK_DGRAM, 0), stream = socket(family, SOCK_STREAM, 0);
    int value;

    todo_wine ok_success(set_number(s, SIO_MULTICAST_SCOPE, 7, sizeof(int)));
    value = get_option(s, family, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS);
    todo_wine ok(value == 7, "TTL %d\n", value);
    todo_wine ok_success(set_number(s, SIO_MULTIPOINT_LOOPBACK, FALSE, sizeof(int)));
    value = get_option(s, family, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP);
    todo_wine ok(!value, "loop %d\n", value);
    todo_wine ok_success(set_number(s, SIO_MULTIPOINT_LOOPBACK, TRUE, sizeof(int)));
    value = get_option(s, family, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP);
    ok(value == 1, "loop %d\n", value);
    todo_wine
    {
        ok_error(set_number(s, SIO_MULTICAST_SCOPE, 256, sizeof(int)), WSAEINVAL);
        ok_error(set_number(s, SIO_MULTICAST_SCOPE, 1, 2), WSAEFAULT);
        ok_error(set_number(stream, SIO_MULTICAST_SCOPE, 1, sizeof(int)), WSAEINVAL);
    }
    closesocket(s);
    closesocket(stream);
}

START_TEST(multicast_filter)
{
    net_start();
    RUN(test_ipv4);
    RUN(test_any, AF_INET);
    RUN(test_any, AF_INET6);
    RUN(test_scope, AF_INET);
    RUN(test_scope, AF_INET6);
    WSACleanup();
}
