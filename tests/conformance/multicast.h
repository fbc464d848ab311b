/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A multicast group over the loopback interface.  May call: Winsock.  Owns nothing that lives.
 */
#ifndef RINGSOCK_TESTS_MULTICAST_H
#define RINGSOCK_TESTS_MULTICAST_H

#include "net.h"

#define GROUP     0xefc00a0c /* 239.192.10.12 */
#define LOOPBACK  INADDR_LOOPBACK
#define ELSEWHERE 0xc0000201 /* 192.0.2.1, of nobody */

/* A socket that may get what is sent to the group, and one that sends there from 127.0.0.1. */
static SOCKET receiver(u_short *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof(address);
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    ok_success(bind(s, (struct sockaddr *)&address, sizeof(address)));
    ok_success(getsockname(s, (struct sockaddr *)&address, &length));
    *port = address.sin_port;
    return s;
}

static BOOL comes(SOCKET s, u_short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    DWORD loopback = htonl(LOOPBACK);
    SOCKET sender = socket(AF_INET, SOCK_DGRAM, 0);
    BOOL came;
    char byte;

    address.sin_addr.s_addr = htonl(LOOPBACK);
    ok_success(bind(sender, (struct sockaddr *)&address, sizeof(address)));
    ok_success(
        setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, (char *)&loopback, sizeof(loopback)));
    address.sin_addr.s_addr = htonl(GROUP);
    address.sin_port = port;
    ok(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)) == 1, "error %d\n",
       WSAGetLastError());
    closesocket(sender);
    came = net_readable(s, 300);
    if (came)
        recv(s, &byte, 1, 0);
    return came;
}

#endif
