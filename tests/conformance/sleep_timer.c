/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waitable timers of a program that has sockets: Go's monitor sleeps by one, and ours keeps short
 * ones in user mode.  Each use that is more than a sleep must find what Windows has.
 *
 * Sources: the pages of SetWaitableTimer, CancelWaitableTimer, CreateWaitableTimerEx and "Waitable
 * Timer Objects".
 */
#include <winsock2.h>

#include "ringsock_test.h"
#include "waiting.h"

#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 2
#endif
#define MS 10000 /* in the units of SetWaitableTimer */

static HANDLE make(DWORD flags)
{
    HANDLE timer = CreateWaitableTimerExW(NULL, NULL, flags,
                                          SYNCHRONIZE | TIMER_QUERY_STATE | TIMER_MODIFY_STATE);
    LARGE_INTEGER due = {.QuadPart = -1};

    ok(timer != NULL, "error %lu\n", GetLastError());
    for (int i = 0; i < 2; i++) { /* ours looks first at what is done with it */
        SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE);
        ok(!WaitForSingleObject(timer, INFINITE), "error %lu\n", GetLastError());
    }
    return timer;
}

static void set(HANDLE timer, LONGLONG time)
{
    LARGE_INTEGER due = {.QuadPart = -time};

    ok(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE), "error %lu\n", GetLastError());
}

/* As a rule the thread waits when this returns, and has not had the signal. */
static void begin_midway(struct waiting *waiting, HANDLE timer)
{
    set(timer, 9 * MS);
    begin(waiting, timer);
    Sleep(2);
}

/* "The time after which the state of the timer is to be set to signaled" */
static void test_sleep(void)
{
    HANDLE timer = make(CREATE_WAITABLE_TIMER_HIGH_RESOLUTION);
    static const LONGLONG times[] = {1, 200, 2 * MS, 10 * MS, 10 * MS + 1, 30 * MS};

    for (unsigned i = 0; i < 10 * ARRAYSIZE(times); i++) {
        LONGLONG time = times[i % ARRAYSIZE(times)];
        double start = now(), took;

        set(timer, time);
        wait_is(timer, INFINITE, WAIT_OBJECT_0);
        took = now() - start;
        /* rounding of either clock, of which the counter has other ticks */
        ok(took >= (double)time / MS - 0.6 || broken(took >= (double)time / MS - 16),
           "%.3f ms of %.3f\n", took, (double)time / MS);
    }
    wait_is(timer, 20, WAIT_TIMEOUT); /* each signal was taken by its wait */
    CloseHandle(timer);
}

/* "A timer whose state remains signaled until a thread completes a wait operation on it" */
static void test_looked_at(void)
{
    HANDLE timer = make(0);

    set(timer, 5 * MS);
    wait_is(timer, 0, WAIT_TIMEOUT);
    wait_is(timer, ALWAYS, WAIT_OBJECT_0);
    wait_is(timer, 0, WAIT_TIMEOUT);
    CloseHandle(timer);
    timer = make(0);
    set(timer, 5 * MS);
    Sleep(60);
    wait_is(timer, 0, WAIT_OBJECT_0); /* it was over long before */
    wait_is(timer, 0, WAIT_TIMEOUT);
    CloseHandle(timer);
    timer = make(CREATE_WAITABLE_TIMER_MANUAL_RESET);
    set(timer, 5 * MS);
    wait_is(timer, INFINITE, WAIT_OBJECT_0);
    wait_is(timer, INFINITE, WAIT_OBJECT_0);
    set(timer, ALWAYS * (LONGLONG)MS);
    wait_is(timer, 0, WAIT_TIMEOUT);
    CloseHandle(timer);
}

/* "If the timer is already active ..., the timer is stopped, then it is reactivated" */
static void test_set_again(void)
{
    HANDLE timer = make(0);
    struct waiting waiting;
    double start;

    set(timer, 2 * MS);
    set(timer, 8 * MS);
    start = now();
    wait_is(timer, INFINITE, WAIT_OBJECT_0);
    ok(now() - start > 4, "%.1f ms\n", now() - start);

    begin_midway(&waiting, timer);
    set(timer, 200 * MS); /* while the other thread waits for the first */
    start = now();
    finish(&waiting);
    ok(waiting.end - start > 150, "after %.1f ms\n", waiting.end - start);
    CloseHandle(timer);

    timer = make(0);
    begin(&waiting, timer); /* and waits for one that is not set */
    Sleep(20);
    set(timer, 3 * MS);
    finish(&waiting);
    CloseHandle(timer);
}

/* "threads performing a wait operation on the timer remain waiting until they time out or the timer
 * is reactivated and its state is set to signaled" (CancelWaitableTimer) */
static void test_cancelled(void)
{
    HANDLE timer = make(0);
    struct waiting waiting;

    begin_midway(&waiting, timer);
    ok(CancelWaitableTimer(timer), "error %lu\n", GetLastError());
    if (ends(&waiting, 100)) /* the 9 ms were over before, on a busy machine */
        trace("too late to cancel\n");
    else
        set(timer, 1 * MS);
    finish(&waiting);
    CloseHandle(timer);

    timer = make(0);
    set(timer, 5 * MS);
    ok(CancelWaitableTimer(timer), "error %lu\n", GetLastError());
    wait_is(timer, 50, WAIT_TIMEOUT);
    /* "If the timer is already in the signaled state, it remains in that state" */
    set(timer, 1 * MS);
    Sleep(50);
    ok(CancelWaitableTimer(timer), "error %lu\n", GetLastError());
    wait_is(timer, 0, WAIT_OBJECT_0);
    CloseHandle(timer);
}

/* One signal, one thread. */
static void test_two_wait(void)
{
    HANDLE timer = make(0);
    struct waiting first, second;

    set(timer, 8 * MS);
    begin(&first, timer);
    begin(&second, timer);
    ok(ends(&first, 300) != ends(&second, 300), "both or none\n");
    set(timer, 1 * MS);
    finish(&first);
    finish(&second);
    CloseHandle(timer);
}

static DWORD WINAPI sleep_main(void *timer)
{
    for (int i = 0; i < 3; i++) {
        set(timer, 1 * MS);
        wait_is(timer, INFINITE, WAIT_OBJECT_0);
    }
    return 0;
}

/* A thread that waited before anybody knew what the timer is for gets a signal too. */
static void test_waited_before(void)
{
    HANDLE timer = CreateWaitableTimerW(NULL, FALSE, NULL), sleeper;
    struct waiting waiting;
    BOOL both = FALSE;

    begin(&waiting, timer);
    Sleep(50);
    sleeper = CreateThread(NULL, 0, sleep_main, timer, 0, NULL);
    for (int i = 0; i < 100 && !both; i++) {
        Sleep(50);
        both = ends(&waiting, 0) && WaitForSingleObject(sleeper, 0) == WAIT_OBJECT_0;
        if (!both)
            set(timer, 1 * MS);
    }
    ok(both, "a thread waits still\n");
    CloseHandle(waiting.thread);
    CloseHandle(sleeper);
    CloseHandle(timer);
}

static void test_with_others(void)
{
    HANDLE timer = make(0), event = CreateEventW(NULL, FALSE, FALSE, NULL), both[2], copy;
    DWORD got;

    both[0] = event;
    both[1] = timer;
    set(timer, 5 * MS);
    got = WaitForMultipleObjects(2, both, FALSE, ALWAYS);
    ok(got == WAIT_OBJECT_0 + 1, "got %#lx\n", got);
    CloseHandle(timer);

    both[1] = timer = make(0);
    set(timer, 5 * MS);
    SetEvent(event);
    got = WaitForMultipleObjects(2, both, TRUE, ALWAYS);
    ok(got == WAIT_OBJECT_0, "got %#lx\n", got);
    CloseHandle(timer);

    timer = make(0);
    set(timer, 5 * MS);
    got = SignalObjectAndWait(event, timer, ALWAYS, FALSE);
    ok(got == WAIT_OBJECT_0, "got %#lx\n", got);
    CloseHandle(timer);

    timer = make(0);
    set(timer, 5 * MS);
    got = MsgWaitForMultipleObjects(1, &timer, FALSE, ALWAYS, 0);
    ok(got == WAIT_OBJECT_0, "got %#lx\n", got);
    CloseHandle(timer);

    /* "can use ... DuplicateHandle" : the copy is the same timer's, which lives as long as one is
     */
    timer = make(0);
    set(timer, 5 * MS);
    ok(DuplicateHandle(GetCurrentProcess(), timer, GetCurrentProcess(), &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS),
       "error %lu\n", GetLastError());
    CloseHandle(timer);
    wait_is(copy, ALWAYS, WAIT_OBJECT_0);
    set(copy, 3 * MS);
    wait_is(copy, INFINITE, WAIT_OBJECT_0);
    CloseHandle(copy);
    CloseHandle(event);
}

/* What waits when the handle is closed has the object still. */
static void test_closed(void)
{
    HANDLE timer = make(0);
    struct waiting waiting;

    begin_midway(&waiting, timer);
    ok(CloseHandle(timer), "error %lu\n", GetLastError());
    if (ends(&waiting, ALWAYS) && waiting.result == WAIT_FAILED) {
        trace("closed before the thread waited\n");
        CloseHandle(waiting.thread);
    } else
        finish(&waiting);
    timer = make(0);
    wait_is(timer, 0, WAIT_TIMEOUT);
    set(timer, 1 * MS);
    wait_is(timer, INFINITE, WAIT_OBJECT_0);
    CloseHandle(timer);
}

static LONG routines;

static void CALLBACK routine(void *argument, DWORD low, DWORD high)
{
    (void)argument, (void)low, (void)high;
    routines++;
}

/* "If lPeriod is greater than zero, the timer is periodic"; "pfnCompletionRoutine" */
static void test_periods_and_routines(void)
{
    HANDLE timer = make(0);
    LARGE_INTEGER due = {.QuadPart = -2 * MS};
    DWORD got;

    set(timer, 2 * MS);
    ok(SetWaitableTimer(timer, &due, 3, NULL, NULL, FALSE), "error %lu\n", GetLastError());
    for (int i = 0; i < 4; i++)
        wait_is(timer, INFINITE, WAIT_OBJECT_0);
    set(timer, 2 * MS); /* once again */
    wait_is(timer, INFINITE, WAIT_OBJECT_0);
    wait_is(timer, 50, WAIT_TIMEOUT);
    CloseHandle(timer);

    timer = make(0);
    ok(SetWaitableTimer(timer, &due, 0, routine, NULL, FALSE), "error %lu\n", GetLastError());
    got = SleepEx(ALWAYS, TRUE);
    ok(got == WAIT_IO_COMPLETION && routines == 1, "got %#lx, %ld calls\n", got, routines);
    CloseHandle(timer);

    /* an alertable wait runs what is queued */
    timer = make(0);
    set(timer, 5 * MS);
    got = WaitForSingleObjectEx(timer, INFINITE, TRUE);
    ok(got == WAIT_OBJECT_0, "got %#lx\n", got);
    CloseHandle(timer);
}

static void test_refused(void)
{
    HANDLE timer = CreateWaitableTimerExW(NULL, NULL, 0, SYNCHRONIZE);
    LARGE_INTEGER due = {.QuadPart = -MS};

    /* "The handle must have the TIMER_MODIFY_STATE access right" */
    SetLastError(0);
    ok(!SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE) &&
           GetLastError() == ERROR_ACCESS_DENIED,
       "error %lu\n", GetLastError());
    CloseHandle(timer);
    SetLastError(0);
    ok(!SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE) &&
           GetLastError() == ERROR_INVALID_HANDLE,
       "error %lu\n", GetLastError());
}

START_TEST(sleep_timer)
{
    WSADATA data;
    SOCKET s;

    ok(!WSAStartup(MAKEWORD(2, 2), &data), "WSAStartup failed\n");
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    RUN(test_sleep);
    RUN(test_looked_at);
    RUN(test_set_again);
    RUN(test_cancelled);
    RUN(test_two_wait);
    RUN(test_waited_before);
    RUN(test_with_others);
    RUN(test_closed);
    RUN(test_periods_and_routines);
    RUN(test_refused);
    closesocket(s);
    WSACleanup();
}
