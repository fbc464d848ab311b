/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network event record of WSAEventSelect as tests ask for it: what is told within a while, and
 * that nothing is.  One event for all sockets of a program.  And the ways to accept.
 */
#ifndef RINGSOCK_TESTS_NETWORK_EVENTS_H
#define RINGSOCK_TESTS_NETWORK_EVENTS_H

#include "net.h"

#define EVENTS_QUIET 60 /* ms without an event */

static HANDLE event;

static RT_UNUSED void choose(SOCKET s, long events)
{
    ok_success(WSAEventSelect(s, event, events));
}

/* What is told until all of `wanted` came or, if nothing is wanted, within a short while. */
static RT_UNUSED long told(SOCKET s, long wanted, int *close_error)
{
    DWORD start = GetTickCount(), patience = wanted ? 2000 : EVENTS_QUIET;
    WSANETWORKEVENTS some;
    long all = 0;

    do {
        WaitForSingleObject(event, wanted ? 20 : EVENTS_QUIET);
        memset(&some, 0, sizeof(some));
        if (WSAEnumNetworkEvents(s, event, &some))
            return -1;
        all |= some.lNetworkEvents;
        if (close_error && (some.lNetworkEvents & FD_CLOSE))
            *close_error = some.iErrorCode[FD_CLOSE_BIT];
    } while ((!wanted || (all & wanted) != wanted) && GetTickCount() - start < patience);
    return all;
}

#define ok_told(s, wanted)                                                           \
    do {                                                                             \
        long rt_told = told(s, wanted, NULL);                                        \
        ok(rt_told == (wanted), "got %lx, expected %lx\n", rt_told, (long)(wanted)); \
    } while (0)
#define ok_quiet(s) ok_told(s, 0)

/* ---- accept, WSAAccept, AcceptEx ---- */

static RT_UNUSED SOCKET accept_by_accept(SOCKET listener)
{
    return accept(listener, NULL, NULL);
}

static RT_UNUSED SOCKET accept_by_WSAAccept(SOCKET listener)
{
    return WSAAccept(listener, NULL, NULL, NULL, 0);
}

static RT_UNUSED SOCKET accept_by_AcceptEx(SOCKET listener)
{
    char buffer[2 * (sizeof(struct sockaddr_in) + 16)];
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD bytes, flags;

    ok(AcceptEx(listener, s, buffer, 0, sizeof(buffer) / 2, sizeof(buffer) / 2, &bytes,
                &overlapped) ||
           WSAGetLastError() == ERROR_IO_PENDING,
       "error %d\n", WSAGetLastError());
    ok(WSAGetOverlappedResult(listener, &overlapped, &bytes, TRUE, &flags), "error %d\n",
       WSAGetLastError());
    ok_success(
        setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener, sizeof(listener)));
    CloseHandle(overlapped.hEvent);
    return s;
}

#endif
