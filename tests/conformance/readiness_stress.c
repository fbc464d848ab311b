/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * No wake-up is lost: pairs play ping-pong, each side told of the other's byte only by select, by
 * WSAPoll or by the event of WSAEventSelect, with no time-out to help, while one more thread asks
 * about all of the same sockets.
 * Source: the pages of these calls; a hang ends in the watchdog.
 */
#include "net.h"

#define PAIRS  6
#define ROUNDS 400

enum way { BY_SELECT, BY_POLL, BY_EVENT, WAYS };

struct end {
    SOCKET s;
    enum way way;
    BOOL starts;
    LONG rounds;
};

static volatile LONG finished;

static BOOL wait_readable(struct end *end, HANDLE event)
{
    WSAPOLLFD poll = {end->s, POLLRDNORM, 0};
    WSANETWORKEVENTS events;
    fd_set set;

    switch (end->way) {
    case BY_SELECT:
        FD_ZERO(&set);
        FD_SET(end->s, &set);
        return select(0, &set, NULL, NULL, NULL) == 1;
    case BY_POLL:
        return WSAPoll(&poll, 1, -1) == 1 && (poll.revents & POLLRDNORM);
    default:
        do {
            if (WSAWaitForMultipleEvents(1, &event, FALSE, INFINITE, FALSE) ||
                WSAEnumNetworkEvents(end->s, event, &events))
                return FALSE;
        } while (!(events.lNetworkEvents & FD_READ));
        return TRUE;
    }
}

static DWORD WINAPI play(void *arg)
{
    HANDLE event = WSACreateEvent();
    struct end *end = arg;
    char byte = 0;

    if (end->way == BY_EVENT)
        ok_success(WSAEventSelect(end->s, event, FD_READ));
    if (end->starts)
        net_send_all(end->s, &byte, 1);
    for (end->rounds = 0; end->rounds < ROUNDS; end->rounds++) {
        if (!wait_readable(end, event)) {
            ok(0, "way %d: error %d\n", end->way, WSAGetLastError());
            break;
        }
        if (recv(end->s, &byte, 1, 0) != 1) {
            /* the event's record may outlive the byte: taken by the look before */
            if (WSAGetLastError() == WSAEWOULDBLOCK && end->way == BY_EVENT) {
                end->rounds--;
                continue;
            }
            ok(0, "way %d: recv error %d\n", end->way, WSAGetLastError());
            break;
        }
        if (!end->starts || end->rounds < ROUNDS - 1)
            net_send_all(end->s, &byte, 1);
    }
    WSACloseEvent(event);
    return 0;
}

/* Asks about everything, over and over, with a little patience. */
static DWORD WINAPI watch(void *arg)
{
    const struct end *ends = arg;
    WSAPOLLFD polls[2 * PAIRS];
    int i;

    while (!finished) {
        for (i = 0; i < 2 * PAIRS; i++)
            polls[i] = (WSAPOLLFD){ends[i].s, POLLRDNORM, 0};
        if (WSAPoll(polls, 2 * PAIRS, 5) < 0) {
            ok(0, "WSAPoll error %d\n", WSAGetLastError());
            break;
        }
    }
    return 0;
}

START_TEST(readiness_stress)
{
    HANDLE threads[2 * PAIRS], watcher;
    struct end ends[2 * PAIRS] = {{0}};
    int i;

    net_start();
    for (i = 0; i < PAIRS; i++) {
        net_pair(&ends[2 * i].s, &ends[2 * i + 1].s);
        ends[2 * i].starts = TRUE;
        ends[2 * i].way = i % WAYS;
        ends[2 * i + 1].way = (i + i / WAYS) % WAYS;
    }
    for (i = 0; i < 2 * PAIRS; i++)
        threads[i] = CreateThread(NULL, 0, play, &ends[i], 0, NULL);
    watcher = CreateThread(NULL, 0, watch, ends, 0, NULL);
    WaitForMultipleObjects(2 * PAIRS, threads, TRUE, INFINITE);
    finished = TRUE;
    WaitForSingleObject(watcher, INFINITE);
    for (i = 0; i < 2 * PAIRS; i++) {
        ok(ends[i].rounds == ROUNDS, "end %d, way %d: %ld rounds\n", i, ends[i].way,
           ends[i].rounds);
        closesocket(ends[i].s);
        CloseHandle(threads[i]);
    }
    CloseHandle(watcher);
    WSACleanup();
}
