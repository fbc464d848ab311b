/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which options of the IP levels may be asked and set on which socket.
 * Sources: "IPPROTO_IP Socket Options", "IPPROTO_IPV6 Socket Options"; for the results of options
 * that are not on those pages facts/windows-not-wine.md (12981-13220), what Windows gives.
 */
#include "net.h"

/* ws2ipdef.h; mingw-w64 has some of them */
enum {
    RECEIVE_BROADCAST = 22,
    RECVDSTADDR = 25,
    IFLIST = 28,
    RTHDR = 32,
    GET_IFLIST = 33,
    RECVRTHDR = 38,
    ORIGINAL_ARRIVAL_IF = 47,
    ECN = 50,
    PKTINFO_EX = 51,
    WFP_REDIRECT_RECORDS = 60,
    WFP_REDIRECT_CONTEXT = 70,
    MTU_DISCOVER = 71,
    IPV6_MTU_ = 72,
    IP_MTU_ = 73,
    RECVERR = 75,
    USER_MTU = 76,
};

static int get(SOCKET s, int level, int name, char *value, int *length)
{
    return getsockopt(s, level, name, value, length) ? WSAGetLastError() : 0;
}

/* What is read can be set again. */
static void check_option(SOCKET s, int level, int name, int get_error, int set_error)
{
    char value[256] = {0};
    int length = sizeof(value), error = get(s, level, name, value, &length);

    todo_wine ok(error == get_error, "level %d, option %d: get gave %d, expected %d\n", level, name,
                 error, get_error);
    if (error)
        return;
    error = setsockopt(s, level, name, value, length) ? WSAGetLastError() : 0;
    todo_wine ok(error == set_error, "level %d, option %d: set gave %d, expected %d\n", level, name,
                 error, set_error);
}

/* Options about what arrives: datagram sockets have them, streams give WSAEINVAL. */
static void test_datagram_options(int family, int level)
{
    static const int names[] = {
        RECVDSTADDR,          RECVRTHDR, ORIGINAL_ARRIVAL_IF, ECN, PKTINFO_EX, WFP_REDIRECT_RECORDS,
        WFP_REDIRECT_CONTEXT, RECVERR};
    SOCKET tcp = socket(family, SOCK_STREAM, 0), udp = socket(family, SOCK_DGRAM, 0);

    for (unsigned int i = 0; i < ARRAYSIZE(names); i++) {
        check_option(udp, level, names[i], 0, 0);
        check_option(tcp, level, names[i], WSAEINVAL, 0);
    }
    if (family == AF_INET) {
        check_option(udp, level, RECEIVE_BROADCAST, 0, 0);
        check_option(tcp, level, RECEIVE_BROADCAST, WSAEINVAL, 0);
    }
    closesocket(tcp);
    closesocket(udp);
}

/* Options of the way out: of every socket. */
static void test_common_options(int family, int level)
{
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        SOCKET s = socket(family, type, 0);

        check_option(s, level, IFLIST, 0, 0);
        check_option(s, level, RTHDR, 0, 0);
        check_option(s, level, GET_IFLIST, WSAEINVAL, 0);
        check_option(s, level, USER_MTU, 0, 0);
        check_option(s, level, MTU_DISCOVER, 0, WSAEINVAL);
        closesocket(s);
    }
}

/* IP_MTU: "the system's estimate of the path MTU. Socket must be connected." */
static void test_mtu(void)
{
    DWORD value = 0;
    int length = sizeof(value);
    SOCKET a, b, s = socket(AF_INET, SOCK_DGRAM, 0);

    check_option(s, IPPROTO_IP, IP_MTU_, WSAENOTCONN, 0);
    closesocket(s);
    net_pair(&a, &b);
    todo_wine ok_success(getsockopt(a, IPPROTO_IP, IP_MTU_, (char *)&value, &length));
    todo_wine ok(value >= 576, "MTU %lu\n", value);
    closesocket(a);
    closesocket(b);
}

/* IP_MTU_DISCOVER: "Gets or sets the path MTU discovery state for the socket": IP_PMTUDISC_DO,
 * IP_PMTUDISC_DONT and IP_PMTUDISC_PROBE can be set. */
static void test_mtu_discover(int family, int level)
{
    SOCKET s = socket(family, SOCK_DGRAM, 0);

    for (DWORD value = 1, got = 0; value <= 3; value++) {
        int length = sizeof(got);

        todo_wine ok_success(setsockopt(s, level, MTU_DISCOVER, (char *)&value, sizeof(value)));
        todo_wine ok_success(getsockopt(s, level, MTU_DISCOVER, (char *)&got, &length));
        todo_wine ok(got == value, "got %lu instead of %lu\n", got, value);
    }
    closesocket(s);
}

START_TEST(option_validity)
{
    net_start();
    RUN(test_datagram_options, AF_INET, IPPROTO_IP);
    RUN(test_datagram_options, AF_INET6, IPPROTO_IPV6);
    RUN(test_common_options, AF_INET, IPPROTO_IP);
    RUN(test_common_options, AF_INET6, IPPROTO_IPV6);
    RUN(test_mtu);
    RUN(test_mtu_discover, AF_INET, IPPROTO_IP);
    RUN(test_mtu_discover, AF_INET6, IPPROTO_IPV6);
    WSACleanup();
}
