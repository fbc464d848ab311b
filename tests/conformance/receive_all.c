/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_RCVALL, SIO_RCVALL_MCAST, SIO_RCVALL_IGMPMCAST.
 * Sources: SIO_RCVALL's page, "Winsock IOCTLs" for the others.
 */
#include "net.h"

struct header { /* of an IPv4 packet */
    BYTE version, tos;
    USHORT length, id, fragment;
    BYTE ttl, protocol;
    USHORT checksum;
    struct in_addr source, target;
};

static USHORT sink; /* network order: somebody is there at every address, who never reads */

/* Bound to that address; INVALID_SOCKET where the right to raw sockets is missing. */
static SOCKET open_raw(int protocol, ULONG address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    SOCKET s = socket(AF_INET, SOCK_RAW, protocol);
    DWORD patience = 2000;

    if (s == INVALID_SOCKET)
        return s;
    ok_success(bind(s, (struct sockaddr *)&name, sizeof(name)));
    ok_success(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&patience, sizeof(patience)));
    return s;
}

static int set(SOCKET s, DWORD code, DWORD value, DWORD size)
{
    DWORD bytes;

    return WSAIoctl(s, code, &value, size, NULL, 0, &bytes, NULL, NULL);
}

static void send_to(const char *text, ULONG address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = sink,
                             .sin_addr.s_addr = htonl(address)};
    struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    ok_success(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, (char *)&loopback, sizeof(loopback)));
    ok(sendto(s, text, (int)strlen(text), 0, (struct sockaddr *)&to, sizeof(to)) ==
           (int)strlen(text),
       "error %d\n", WSAGetLastError());
    closesocket(s);
}

/* The next packet that ends with the text; what comes before is other programs'.  Its target, host
 * order, or 0. */
static ULONG wait_for(SOCKET s, const char *text)
{
    int length = (int)strlen(text), got;
    char buffer[2000];
    struct header *header = (struct header *)buffer;
    struct sockaddr_in from;

    for (;;) {
        int size = sizeof(from);

        got = recvfrom(s, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size);
        if (got < 0 && WSAGetLastError() != WSAEMSGSIZE)
            return 0;
        if (got < (int)sizeof(*header) + length || memcmp(buffer + got - length, text, length))
            continue;
        ok(header->version == 0x45 && ntohs(header->length) == got && header->protocol == 17,
           "version %#x, length %d of %d, protocol %d\n", header->version, ntohs(header->length),
           got, header->protocol);
        ok(header->source.s_addr == from.sin_addr.s_addr, "from another address\n");
        return ntohl(header->target.s_addr);
    }
}

/* "enables a socket to receive all IPv4 or IPv6 packets passing through a network interface";
 * "RCVALL_OFF: Disable this option". */
static void test_all(DWORD value)
{
    SOCKET s = open_raw(IPPROTO_IP, INADDR_LOOPBACK);

    if (s == INVALID_SOCKET) {
        ok(WSAGetLastError() == WSAEACCES, "error %d\n", WSAGetLastError());
        skip("no right to raw sockets\n");
        return;
    }
    ok_success(set(s, SIO_RCVALL, value, sizeof(value)));
    send_to("to this address", INADDR_LOOPBACK);
    ok(wait_for(s, "to this address") == INADDR_LOOPBACK, "not received\n");
    send_to("to another", INADDR_LOOPBACK + 1);
    ok(wait_for(s, "to another") == INADDR_LOOPBACK + 1, "not received\n");
    ok_success(set(s, SIO_RCVALL, RCVALL_OFF, sizeof(value)));
    net_nonblocking(s, 1);
    while (wait_for(s, "what was on its way"))
        ;
    send_to("when it is off", INADDR_LOOPBACK);
    Sleep(50);
    ok(!wait_for(s, "when it is off"), "received\n");
    closesocket(s);
}

/* "all IP packets destined for IP addresses in the range of 224.0.0.0 to 239.255.255.255", whether
 * anybody has joined or not. */
static void test_groups(void)
{
    SOCKET s = open_raw(IPPROTO_UDP, INADDR_LOOPBACK);

    if (s == INVALID_SOCKET)
        return;
    ok_success(set(s, SIO_RCVALL_MCAST, RCVALL_ON, sizeof(DWORD)));
    send_to("to another", INADDR_LOOPBACK + 1);
    send_to("to a group", 0xefff1234);
    ok(wait_for(s, "to a group") == 0xefff1234, "not received\n");
    send_to("to another", INADDR_LOOPBACK + 1);
    net_nonblocking(s, 1);
    Sleep(50);
    ok(!wait_for(s, "to another"), "received what is for another address\n");
    closesocket(s);
}

/* "bound to an explicit local IPv4 or IPv6 interface"; "the protocol set to IPPROTO_IP", IPPROTO_UDP,
 * IPPROTO_IGMP; WSAEINVAL where "the command is not applicable to the type of socket specified",
 * "the cbInBuffer parameter is less than the sizeof(UCHAR) or ... points to value that is not a
 * RCVALL_VALUE". */
static void test_errors(void)
{
    SOCKET s = open_raw(IPPROTO_IP, INADDR_LOOPBACK), any = open_raw(IPPROTO_IP, INADDR_ANY);
    SOCKET icmp = open_raw(IPPROTO_ICMP, INADDR_LOOPBACK), igmp = open_raw(2, INADDR_LOOPBACK);
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, 0), unbound = socket(AF_INET, SOCK_RAW, IPPROTO_IP);
    DWORD bytes;

    ok_error(set(udp, SIO_RCVALL, RCVALL_ON, 4), WSAEINVAL);
    closesocket(udp);
    if (s == INVALID_SOCKET)
        return;
    ok_error(set(any, SIO_RCVALL, RCVALL_ON, 4), WSAEINVAL);
    ok_error(set(unbound, SIO_RCVALL, RCVALL_ON, 4), WSAEINVAL);
    ok_error(set(icmp, SIO_RCVALL, RCVALL_ON, 4), WSAEINVAL);
    ok_error(set(s, SIO_RCVALL_MCAST, RCVALL_ON, 4), WSAEINVAL);
    ok_error(set(s, SIO_RCVALL_IGMPMCAST, RCVALL_ON, 4), WSAEINVAL);
    ok_error(set(s, SIO_RCVALL, 4, 4), WSAEINVAL);
    ok_error(set(s, SIO_RCVALL, 0xffffffff, 4), WSAEINVAL);
    ok_error(set(s, SIO_RCVALL, RCVALL_ON, 0), WSAEINVAL);
    ok_error(WSAIoctl(s, SIO_RCVALL, NULL, 4, NULL, 0, &bytes, NULL, NULL), WSAEFAULT);
    ok_success(set(s, SIO_RCVALL, RCVALL_SOCKETLEVELONLY, 4));
    ok_success(set(s, SIO_RCVALL, RCVALL_IPLEVEL, 1));
    ok_success(set(s, SIO_RCVALL, RCVALL_ON, 4));
    ok_success(set(igmp, SIO_RCVALL_IGMPMCAST, RCVALL_ON, 4));
    closesocket(any);
    closesocket(unbound);
    closesocket(icmp);
    closesocket(igmp);
    closesocket(s); /* while it is on */
}

START_TEST(receive_all)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int size = sizeof(any);
    SOCKET s;

    net_start();
    s = socket(AF_INET, SOCK_DGRAM, 0);
    ok_success(bind(s, (struct sockaddr *)&any, sizeof(any)));
    ok_success(getsockname(s, (struct sockaddr *)&any, &size));
    sink = any.sin_port;
    if (!on_builtin()) { /* which has none of them */
        RUN(test_all, RCVALL_ON);
        RUN(test_all, RCVALL_IPLEVEL);
        RUN(test_groups);
        RUN(test_errors);
    }
    closesocket(s);
    WSACleanup();
}
