/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_CPU_AFFINITY.  No Wine has it.
 * Source: "Winsock IOCTLs": "Enables port sharing and receive indication parallelization. When your
 * application uses this socket option to associate sockets to different processors, and then binds
 * the sockets to the same address, receive indications will be distributed across the sockets ...
 * all packets belonging to a given flow will be indicated to the same socket. This IOCTL must be
 * called prior to bind, otherwise WSAEINVAL will be returned. The input buffer is a processor index
 * (0-based) of type USHORT. The IOCTL is incompatible with SO_REUSEADDR and SO_REUSE_MULTICASTPORT.
 * Only supported for UDP sockets."
 */
#include "net.h"

#define CPU_AFFINITY        _WSAIOW(IOC_VENDOR, 21)
#define REUSE_MULTICASTPORT 0x3008

#define FLOWS  64
#define ROUNDS 10

static int set_sized(SOCKET s, const void *value, DWORD size)
{
    DWORD bytes = 77;
    int result = WSAIoctl(s, CPU_AFFINITY, (void *)value, size, NULL, 0, &bytes, NULL, NULL);

    ok(result || !bytes, "%lu bytes\n", bytes);
    return result;
}

static int set(SOCKET s, USHORT processor)
{
    return set_sized(s, &processor, sizeof(processor));
}

static BOOL is_there(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    int result = set(s, 0);

    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    closesocket(s);
    return !result;
}

static void test_arguments(void)
{
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_storage address;
    USHORT processor = 0;
    int length;

    ok_error(set_sized(udp, &processor, sizeof(processor) - 1), WSAEFAULT);
    ok_error(set_sized(udp, NULL, sizeof(processor)), WSAEFAULT);
    ok_error(set(tcp, 0), WSAEOPNOTSUPP);
    ok_success(set(udp, 0));
    ok_success(set(udp, 0));
    closesocket(udp);
    udp = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    ok_error(set(udp, 0), WSAEINVAL);
    closesocket(udp);
    closesocket(tcp);
}

/* In either order. */
static void test_incompatible(int option)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD on = 1, off = 0;

    ok_success(setsockopt(s, SOL_SOCKET, option, (char *)&on, sizeof(on)));
    ok_error(set(s, 0), WSAEINVAL);
    ok_success(setsockopt(s, SOL_SOCKET, option, (char *)&off, sizeof(off)));
    ok_success(set(s, 0));
    ok_error(setsockopt(s, SOL_SOCKET, option, (char *)&on, sizeof(on)), WSAEINVAL);
    ok_success(setsockopt(s, SOL_SOCKET, option, (char *)&off, sizeof(off)));
    closesocket(s);
}

/* Two sockets of one address, with processors 0 and 1. */
static void pair(int family, SOCKET s[2], struct sockaddr_storage *address, int *length)
{
    *length = net_loopback(family, address);
    for (USHORT i = 0; i < 2; i++) {
        s[i] = socket(family, SOCK_DGRAM, 0);
        ok_success(set(s[i], i));
        ok_success(bind(s[i], (struct sockaddr *)address, *length));
        ok_success(getsockname(s[i], (struct sockaddr *)address, length));
    }
}

/* One that has it and one that has not, or two of one processor, share nothing. */
static void test_others(int family)
{
    struct sockaddr_storage address;
    SOCKET s[2], other;
    int length, on = 1;

    pair(family, s, &address, &length);
    other = socket(family, SOCK_DGRAM, 0);
    ok_error(bind(other, (struct sockaddr *)&address, length), WSAEADDRINUSE);
    ok_success(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof(on)));
    ok_error(bind(other, (struct sockaddr *)&address, length), WSAEACCES);
    closesocket(other);
    other = socket(family, SOCK_DGRAM, 0);
    ok_success(set(other, 1));
    ok_error(bind(other, (struct sockaddr *)&address, length), WSAEADDRINUSE);
    closesocket(other);
    closesocket(s[0]);
    other = socket(family, SOCK_DGRAM, 0);
    ok_success(set(other, 0));
    ok_success(bind(other, (struct sockaddr *)&address, length));
    closesocket(other);
    closesocket(s[1]);
    other = socket(family, SOCK_DGRAM, 0);
    ok_success(bind(other, (struct sockaddr *)&address, length));
    closesocket(other);
}

struct datagram {
    int flow, round;
};

/* What was sent through a pair, and to which of the two each flow comes; -1: not known. */
struct dealt {
    SOCKET s[2];
    int owner[FLOWS], next[FLOWS], got[2];
};

/* Each comes once, in order, and all of a flow to the same. */
static void take_one(struct dealt *dealt, int which)
{
    struct datagram datagram = {0};

    ok(recv(dealt->s[which], (char *)&datagram, sizeof(datagram), 0) == sizeof(datagram),
       "error %d\n", WSAGetLastError());
    if (dealt->owner[datagram.flow] < 0)
        dealt->owner[datagram.flow] = which;
    ok(dealt->owner[datagram.flow] == which, "flow %d at both\n", datagram.flow);
    ok(datagram.round == dealt->next[datagram.flow], "flow %d: %d, expected %d\n", datagram.flow,
       datagram.round, dealt->next[datagram.flow]);
    dealt->next[datagram.flow] = datagram.round + 1;
    dealt->got[which]++;
}

static void take(struct dealt *dealt, int count)
{
    while (dealt->got[0] + dealt->got[1] < count) {
        struct timeval time = {NET_PATIENCE / 1000, 0};
        fd_set set = {2, {dealt->s[0], dealt->s[1]}};

        if (select(0, &set, NULL, NULL, &time) <= 0) {
            ok(0, "%d and %d have come, not %d\n", dealt->got[0], dealt->got[1], count);
            break;
        }
        for (int i = 0; i < 2; i++)
            if (FD_ISSET(dealt->s[i], &set))
                take_one(dealt, i);
    }
}

static void test_flows(int family)
{
    struct dealt dealt = {0};
    SOCKET senders[FLOWS];
    struct sockaddr_storage address;
    int length;

    pair(family, dealt.s, &address, &length);
    memset(dealt.owner, -1, sizeof(dealt.owner));
    for (int i = 0; i < FLOWS; i++)
        senders[i] = socket(family, SOCK_DGRAM, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < FLOWS; i++) {
            struct datagram datagram = {i, round};

            ok(sendto(senders[i], (char *)&datagram, sizeof(datagram), 0,
                      (struct sockaddr *)&address, length) == sizeof(datagram),
               "error %d\n", WSAGetLastError());
        }
        take(&dealt, (round + 1) * FLOWS);
    }
    ok(dealt.got[0] && dealt.got[1], "%d and %d: not dealt out\n", dealt.got[0], dealt.got[1]);
    ok(!net_readable(dealt.s[0], 50) && !net_readable(dealt.s[1], 0), "something came twice\n");
    for (int i = 0; i < FLOWS; i++)
        closesocket(senders[i]);
    closesocket(dealt.s[0]);
    closesocket(dealt.s[1]);
}

/* Both send from the common address. */
static void test_answers(void)
{
    struct sockaddr_storage address, to, from;
    SOCKET s[2], client;
    int length;
    char byte;

    pair(AF_INET, s, &address, &length);
    client = net_bound(AF_INET, SOCK_DGRAM, &to, &length);
    for (int i = 0; i < 2; i++) {
        int size = sizeof(from);

        ok(sendto(s[i], "a", 1, 0, (struct sockaddr *)&to, length) == 1, "error %d\n",
           WSAGetLastError());
        ok(net_readable(client, NET_PATIENCE), "nothing came\n");
        ok(recvfrom(client, &byte, 1, 0, (struct sockaddr *)&from, &size) == 1, "error %d\n",
           WSAGetLastError());
        ok(size == length && !memcmp(&from, &address, length), "from another address\n");
        closesocket(s[i]);
    }
    closesocket(client);
}

START_TEST(cpu_affinity)
{
    net_start();
    if (is_there()) {
        RUN(test_arguments);
        RUN(test_incompatible, SO_REUSEADDR);
        RUN(test_incompatible, REUSE_MULTICASTPORT);
        RUN(test_others, AF_INET);
        RUN(test_others, AF_INET6);
        RUN(test_flows, AF_INET);
        RUN(test_flows, AF_INET6);
        RUN(test_answers);
    }
    WSACleanup();
}
