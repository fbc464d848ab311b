/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls with hostile arguments: the states of the socket that they are made on.
 *
 * Owns the socket under test (hostile.s), its peer, and the peer's address.
 */
#ifndef RINGSOCK_TESTS_HOSTILE_SOCKETS_H
#define RINGSOCK_TESTS_HOSTILE_SOCKETS_H

#include "hostile.h"

static SOCKET hostile_peer;
static struct sockaddr_in hostile_to; /* where datagrams may go */

/* ---- before each call ---- */

static void hostile_drain(SOCKET s)
{
    static char bytes[1 << 16];

    while (recv(s, bytes, sizeof(bytes), 0) > 0)
        ;
}

/* What was sent to the peer does not fill up. */
static void hostile_keep_room(void)
{
    hostile_drain(hostile_peer);
}

/* Something to receive is there at each call. */
static void hostile_keep_data(void)
{
    u_long count = 0;

    hostile_drain(hostile_peer);
    ioctlsocket(hostile.s, FIONREAD, &count);
    if (count < 100) {
        send(hostile_peer, "0123456789012345678901234567890123456789012345678901234567890123", 64,
             0);
        net_arrived(hostile.s, 1);
    }
}

/* ---- opening ---- */

static void hostile_open(SOCKET s)
{
    hostile.s = s;
    hostile_peer = INVALID_SOCKET;
    net_nonblocking(s, 1);
}

static void hostile_open_fresh(void)
{
    hostile_open(socket(AF_INET, SOCK_STREAM, 0));
}

static void hostile_open_bound(void)
{
    struct sockaddr_storage address;
    int length;

    hostile_open(net_bound(AF_INET, SOCK_STREAM, &address, &length));
}

static void hostile_open_listening(void)
{
    struct sockaddr_storage address;
    int length;

    hostile_open(net_listener(AF_INET, &address, &length));
}

static void hostile_open_closed(void)
{
    hostile_open_fresh();
    closesocket(hostile.s);
}

static void hostile_open_pair(void)
{
    net_pair(&hostile.s, &hostile_peer);
    net_nonblocking(hostile.s, 1);
    net_nonblocking(hostile_peer, 1);
}

static void hostile_open_shut(void)
{
    hostile_open_pair();
    ok_success(shutdown(hostile.s, SD_BOTH));
}

static void hostile_open_shut_by_peer(void)
{
    hostile_open_pair();
    ok_success(shutdown(hostile_peer, SD_SEND));
    ok(net_readable(hostile.s, NET_PATIENCE), "the end did not come\n");
}

static void hostile_open_reset(void)
{
    hostile_open_pair();
    net_reset(hostile_peer);
    hostile_peer = INVALID_SOCKET;
    ok(net_readable(hostile.s, NET_PATIENCE), "the reset did not come\n");
}

static void hostile_open_datagram(void)
{
    hostile_open(socket(AF_INET, SOCK_DGRAM, 0));
}

static void hostile_open_datagrams(void)
{
    struct sockaddr_storage address[2];
    SOCKET s[2];
    int length;

    net_udp_pair(AF_INET, s, address, &length);
    hostile_open(s[0]);
    hostile_peer = s[1];
    net_nonblocking(hostile_peer, 1);
    ok_success(connect(hostile_peer, (struct sockaddr *)&address[0], length));
    memcpy(&hostile_to, &address[1], sizeof(hostile_to));
}

static void hostile_open_datagrams_connected(void)
{
    hostile_open_datagrams();
    ok_success(connect(hostile.s, (struct sockaddr *)&hostile_to, sizeof(hostile_to)));
}

static void hostile_open_datagrams_shut(void)
{
    hostile_open_datagrams();
    ok_success(shutdown(hostile.s, SD_BOTH));
}

static RT_UNUSED void hostile_close(void)
{
    if (hostile.s != INVALID_SOCKET)
        closesocket(hostile.s);
    if (hostile_peer != INVALID_SOCKET)
        closesocket(hostile_peer);
    hostile.s = hostile_peer = INVALID_SOCKET;
}

/* ---- the socket works as before ---- */

/* Until what arrives ends with the text: what was sent before may still be under way. */
static void hostile_expect_text(SOCKET s, const char *text)
{
    static char bytes[1 << 16];
    ULONGLONG start = GetTickCount64();
    int got = 0;

    while (GetTickCount64() - start < NET_PATIENCE && net_readable(s, NET_PATIENCE)) {
        got = recv(s, bytes, sizeof(bytes), 0);
        if (got >= 4 && !memcmp(bytes + got - 4, text, 4))
            return;
    }
    ok(0, "got %d bytes, error %d\n", got, WSAGetLastError());
}

/* Both directions of a connection, or of two datagram sockets, carry what they should. */
static void hostile_check_alive(void)
{
    ok(send(hostile_peer, "ping", 4, 0) == 4, "error %d\n", WSAGetLastError());
    hostile_expect_text(hostile.s, "ping");
    ok(send(hostile.s, "pong", 4, 0) == 4, "error %d\n", WSAGetLastError());
    hostile_expect_text(hostile_peer, "pong");
}

/* A datagram socket first says to whom. */
static void hostile_check_datagrams(void)
{
    ok_success(connect(hostile.s, (struct sockaddr *)&hostile_to, sizeof(hostile_to)));
    hostile_check_alive();
}

/* ---- all of them ---- */

struct hostile_state {
    const char *name;
    void (*open)(void), (*before)(void), (*check)(void);
};

static RT_UNUSED const struct hostile_state hostile_states[] = {
    {"fresh", hostile_open_fresh, hostile_nothing, hostile_nothing},
    {"bound", hostile_open_bound, hostile_nothing, hostile_nothing},
    {"listening", hostile_open_listening, hostile_nothing, hostile_nothing},
    {"closed", hostile_open_closed, hostile_nothing, hostile_nothing},
    {"connected", hostile_open_pair, hostile_keep_room, hostile_check_alive},
    {"connected, with data", hostile_open_pair, hostile_keep_data, hostile_check_alive},
    {"shut", hostile_open_shut, hostile_nothing, hostile_nothing},
    {"shut by the peer", hostile_open_shut_by_peer, hostile_keep_room, hostile_nothing},
    {"reset", hostile_open_reset, hostile_nothing, hostile_nothing},
    {"datagram", hostile_open_datagram, hostile_nothing, hostile_nothing},
    {"datagram, with data", hostile_open_datagrams, hostile_keep_data, hostile_check_datagrams},
    {"datagram, connected", hostile_open_datagrams_connected, hostile_keep_room,
     hostile_check_alive},
    {"datagram, shut", hostile_open_datagrams_shut, hostile_nothing, hostile_nothing},
};

static RT_UNUSED void hostile_in_state(const struct hostile_state *state, void (*walk)(void))
{
    winetest_push_context("%s", state->name);
    hostile.any_state = TRUE;
    hostile.before = state->before;
    state->open();
    walk();
    state->check();
    hostile_close();
    hostile.any_state = FALSE;
    winetest_pop_context();
}

#endif
