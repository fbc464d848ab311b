/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auto-reset events by which many threads wake one another: no signal is lost, none is doubled,
 * whoever is suspended meanwhile.
 *
 * Sources: the pages of SetEvent, WaitForSingleObject and SuspendThread.
 */
#include "net.h"
#include "waiting.h"
#include "handoff.h"

#define ROUNDS 2000

/* ---- by turns ---- */

struct game {
    HANDLE mine, other;
    LONG volatile *turn;
    LONG me;
};

static DWORD WINAPI play(void *argument)
{
    struct game *game = argument;

    for (int i = 0; i < ROUNDS; i++) {
        wait_is(game->mine, INFINITE, WAIT_OBJECT_0);
        if (*game->turn != game->me) {
            ok(0, "not this one's turn\n");
            break;
        }
        *game->turn = !game->me;
        SetEvent(game->other);
    }
    return 0;
}

/* "The state of an auto-reset event object remains signaled until a single waiting thread is
 * released" (SetEvent): no signal is lost, none is doubled. */
static void test_by_turns(void)
{
    HANDLE events[2] = {new_event(), new_event()}, threads[2];
    LONG volatile turn = 0;
    struct game games[2];

    for (LONG i = 0; i < 2; i++) {
        games[i] = (struct game){events[i], events[!i], &turn, i};
        threads[i] = CreateThread(NULL, 0, play, &games[i], 0, NULL);
    }
    SetEvent(events[0]);
    for (int i = 0; i < 2; i++) {
        wait_is(threads[i], 6 * ALWAYS, WAIT_OBJECT_0);
        CloseHandle(threads[i]);
    }
    wait_is(events[0], 0, WAIT_OBJECT_0); /* the last one's */
    wait_is(events[1], 0, WAIT_TIMEOUT);
    CloseHandle(events[0]);
    CloseHandle(events[1]);
}

/* ---- threads that are stopped ---- */

/* "ensure that the thread ... does not own a synchronization object": here is none, so what a
 * garbage collector does with its own events goes on while others are suspended anywhere. */
static void test_suspended(void)
{
    HANDLE events[2] = {new_event(), new_event()}, threads[2], own = used_event();
    LONG volatile turn = 0;
    struct game games[2];
    struct waiting waiting;

    for (LONG i = 0; i < 2; i++) {
        games[i] = (struct game){events[i], events[!i], &turn, i};
        threads[i] = CreateThread(NULL, 0, play, &games[i], 0, NULL);
    }
    begin(&waiting, threads[0]);
    SetEvent(events[0]);
    for (int i = 0; i < 300 && !ends(&waiting, 0); i++) {
        SuspendThread(threads[0]);
        SuspendThread(threads[1]);
        set(own);
        wait_is(own, ALWAYS, WAIT_OBJECT_0);
        ResumeThread(threads[i % 2]);
        ResumeThread(threads[!(i % 2)]);
    }
    ok(WaitForSingleObject(threads[1], 6 * ALWAYS) == WAIT_OBJECT_0, "a thread waits still\n");
    finish(&waiting);
    for (int i = 0; i < 2; i++) {
        CloseHandle(threads[i]);
        CloseHandle(events[i]);
    }
    CloseHandle(own);
}

/* ---- a model ---- */

#define CROWD      4
#define OPERATIONS 3000

struct crowd {
    HANDLE events[2];
    LONG volatile rises, falls, waiters; /* unsignaled to signaled, and back */
};

static void one_operation(struct crowd *crowd, unsigned random)
{
    HANDLE event = crowd->events[random & 1];
    LONG previous = -1;
    DWORD got;

    switch (random / 2 % 16) {
    case 0:
        if (!NtResetEvent(event, &previous) && previous)
            InterlockedIncrement(&crowd->falls);
        break;
    case 1:
        got = WaitForMultipleObjects(2, crowd->events, FALSE, random / 32 % 3);
        if (got < WAIT_OBJECT_0 + 2)
            InterlockedIncrement(&crowd->falls);
        break;
    case 2:
    case 3:
        if (WaitForSingleObject(event, random / 32 % 3) == WAIT_OBJECT_0)
            InterlockedIncrement(&crowd->falls);
        break;
    case 4:
    case 5:
        if (WaitForSingleObject(event, 0) == WAIT_OBJECT_0)
            InterlockedIncrement(&crowd->falls);
        break;
    default:
        if (!NtSetEvent(event, &previous) && !previous)
            InterlockedIncrement(&crowd->rises);
    }
}

static DWORD WINAPI crowd_main(void *argument)
{
    unsigned random = GetCurrentThreadId() * 2654435761u;

    for (int i = 0; i < OPERATIONS; i++) {
        random = random * 1664525 + 1013904223;
        one_operation(argument, random >> 12);
    }
    return 0;
}

/* Each time that a set found the event unsignaled, one wait or one reset found it signaled, or it
 * is signaled now. */
static void test_model(DWORD threads)
{
    struct crowd crowd = {.events = {used_event(), used_event()}};
    HANDLE handles[CROWD];
    LONG left = 0;

    for (DWORD i = 0; i < threads; i++)
        handles[i] = CreateThread(NULL, 0, crowd_main, &crowd, 0, NULL);
    for (DWORD i = 0; i < threads; i++) {
        wait_is(handles[i], 6 * ALWAYS, WAIT_OBJECT_0);
        CloseHandle(handles[i]);
    }
    for (int i = 0; i < 2; i++) {
        left += WaitForSingleObject(crowd.events[i], 0) == WAIT_OBJECT_0;
        CloseHandle(crowd.events[i]);
    }
    ok(crowd.rises == crowd.falls + left, "%ld rises, %ld falls, %ld left\n", crowd.rises,
       crowd.falls, left);
}

START_TEST(handoff_stress)
{
    SOCKET s;

    net_start();
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    RUN(test_by_turns);
    RUN(test_suspended);
    for (DWORD threads = 1; threads <= CROWD; threads++)
        RUN(test_model, threads);
    closesocket(s);
    WSACleanup();
}
