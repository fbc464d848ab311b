/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Network events as tests ask for them: what is told within a while, and that nothing is.  By
 * WSAEventSelect, with one event for all sockets of a program, or by WSAAsyncSelect, with one
 * window, for the rules that both pages have.  And the ways to accept.
 */
#ifndef RINGSOCK_TESTS_NETWORK_EVENTS_H
#define RINGSOCK_TESTS_NETWORK_EVENTS_H

#include "window.h"

#define EVENTS_QUIET 60 /* ms without an event */

static HANDLE event;
static HWND event_window; /* set: WSAAsyncSelect tells it */

/* Messages of a closed socket with the same handle are none of the new one's. */
static RT_UNUSED void choose(SOCKET s, long events)
{
    MSG message;

    if (!event_window) {
        ok_success(WSAEventSelect(s, event, events));
        return;
    }
    while (PeekMessageA(&message, event_window, 0, 0, PM_REMOVE))
        ;
    ok_success(WSAAsyncSelect(s, event_window, WINDOW_MESSAGE, events));
}

/* What comes within that time, of perhaps several events; -1 for a failure. */
static long next_told(SOCKET s, DWORD milliseconds, int *close_error)
{
    WSANETWORKEVENTS some = {0};
    MSG message;

    if (!event_window) {
        WaitForSingleObject(event, milliseconds);
        if (WSAEnumNetworkEvents(s, event, &some))
            return -1;
    } else if (window_message(event_window, WINDOW_MESSAGE, milliseconds, &message)) {
        ok(message.wParam == s, "of socket %lx, expected %lx\n", (long)message.wParam, (long)s);
        some.lNetworkEvents = WSAGETSELECTEVENT(message.lParam);
        some.iErrorCode[FD_CLOSE_BIT] = WSAGETSELECTERROR(message.lParam);
    }
    if (close_error && (some.lNetworkEvents & FD_CLOSE))
        *close_error = some.iErrorCode[FD_CLOSE_BIT];
    return some.lNetworkEvents;
}

/* What is told until all of `wanted` came or, if nothing is wanted, within a short while. */
static RT_UNUSED long told(SOCKET s, long wanted, int *close_error)
{
    DWORD start = GetTickCount(), patience = wanted ? 2000 : EVENTS_QUIET;
    long all = 0, some;

    do {
        if ((some = next_told(s, wanted ? 20 : EVENTS_QUIET, close_error)) < 0)
            return -1;
        all |= some;
    } while ((!wanted || (all & wanted) != wanted) && GetTickCount() - start < patience);
    return all;
}

#define ok_told(s, wanted)                                                           \
    do {                                                                             \
        long rt_told = told(s, wanted, NULL);                                        \
        ok(rt_told == (wanted), "got %lx, expected %lx\n", rt_told, (long)(wanted)); \
    } while (0)
#define ok_quiet(s) ok_told(s, 0)

/* By WSAEventSelect, then by WSAAsyncSelect. */
static RT_UNUSED void each_way_to_tell(void (*run_all)(void))
{
    event = WSACreateEvent();
    winetest_push_context("events");
    run_all();
    winetest_pop_context();
    WSACloseEvent(event);
    event_window = window_make();
    winetest_push_context("messages");
    run_all();
    winetest_pop_context();
    DestroyWindow(event_window);
}

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
