/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SO_REUSE_MULTICASTPORT.
 * Source: "SOL_SOCKET Socket Options": "the socket will never be used to receive unicast packets,
 * and consequently ... its port can be shared with other multicast-only applications. Setting the
 * value to 1 enables always sharing multicast traffic on the port. Setting the value to 0 (default)
 * disables this behavior."  No Wine has it.
 */
#include "multicast.h"

#define REUSE_MULTICASTPORT 0x3008

static int set(SOCKET s, DWORD on)
{
    return setsockopt(s, SOL_SOCKET, REUSE_MULTICASTPORT, (char *)&on, sizeof(on));
}

static BOOL test_value(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD value = 77;
    int size = sizeof(value), error;

    error = getsockopt(s, SOL_SOCKET, REUSE_MULTICASTPORT, (char *)&value, &size);
    todo_wine ok(!error && !value, "got %d: %lu\n", error, value);
    if (!error) {
        ok_success(set(s, 1));
        ok_success(getsockopt(s, SOL_SOCKET, REUSE_MULTICASTPORT, (char *)&value, &size));
        ok(value == 1, "got %lu\n", value);
    }
    closesocket(s);
    return !error;
}

static void join(SOCKET s)
{
    struct ip_mreq request = {0};

    request.imr_multiaddr.s_addr = htonl(GROUP);
    request.imr_interface.s_addr = htonl(LOOPBACK);
    ok_success(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&request, sizeof(request)));
}

static BOOL comes_alone(SOCKET s, u_short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port};
    SOCKET sender = socket(AF_INET, SOCK_DGRAM, 0);
    BOOL came;
    char byte;

    address.sin_addr.s_addr = htonl(LOOPBACK);
    for (int i = 0; i < 3; i++)
        ok(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)) == 1,
           "error %d\n", WSAGetLastError());
    closesocket(sender);
    came = net_readable(s, 200);
    if (came)
        recv(s, &byte, 1, 0);
    return came;
}

static void test_shared(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    SOCKET first = socket(AF_INET, SOCK_DGRAM, 0), second = socket(AF_INET, SOCK_DGRAM, 0);
    SOCKET plain = socket(AF_INET, SOCK_DGRAM, 0);
    int length = sizeof(address);
    char byte;

    ok_success(set(first, 1));
    ok_success(set(second, 1));
    ok_success(bind(first, (struct sockaddr *)&address, sizeof(address)));
    ok_success(getsockname(first, (struct sockaddr *)&address, &length));
    ok_success(bind(second, (struct sockaddr *)&address, sizeof(address)));
    ok(bind(plain, (struct sockaddr *)&address, sizeof(address)) == SOCKET_ERROR,
       "shared with one that gets unicast\n");
    join(first);
    join(second);
    ok(comes(first, address.sin_port), "nothing came\n");
    ok(net_readable(second, NET_PATIENCE), "nothing came to the other\n");
    ok(recv(second, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    ok(!comes_alone(first, address.sin_port), "unicast came\n");
    ok(!net_readable(second, 0), "unicast came to the other\n");
    ok(comes(second, address.sin_port), "nothing came after that\n");
    closesocket(first);
    closesocket(second);
    closesocket(plain);
}

/* Switched on and off while datagrams come. */
static void test_switched(void)
{
    u_short port;
    SOCKET s = receiver(&port);

    join(s);
    ok(comes_alone(s, port), "nothing came\n");
    ok_success(set(s, 0));
    while (net_readable(s, 50)) {
        char byte;

        recv(s, &byte, 1, 0);
    }
    ok_success(set(s, 1));
    ok(!comes_alone(s, port), "unicast came\n");
    ok(comes(s, port), "nothing came\n");
    ok_success(set(s, 0));
    ok(comes_alone(s, port), "nothing came\n");
    closesocket(s);
}

/* The header of IPv6 is another one. */
static void test_ipv6(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = net_bound(AF_INET6, SOCK_DGRAM, &address, &length);
    SOCKET sender = socket(AF_INET6, SOCK_DGRAM, 0);
    char byte = 0;

    ok_success(set(s, 1));
    ok(sendto(sender, "1", 1, 0, (struct sockaddr *)&address, length) == 1, "error %d\n",
       WSAGetLastError());
    ok(!net_readable(s, 200), "unicast came\n");
    ok_success(set(s, 0));
    ok(sendto(sender, "2", 1, 0, (struct sockaddr *)&address, length) == 1, "error %d\n",
       WSAGetLastError());
    ok(net_readable(s, NET_PATIENCE), "nothing came\n");
    ok(recv(s, &byte, 1, 0) == 1 && byte == '2', "got %d\n", byte);
    closesocket(sender);
    closesocket(s);
}

START_TEST(multicast_port)
{
    net_start();
    if (test_value()) {
        RUN(test_shared);
        RUN(test_switched);
        RUN(test_ipv6);
    }
    WSACleanup();
}
