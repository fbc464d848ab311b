/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auto-reset events by which threads wake one another, in a program that has sockets: run-time
 * systems park their threads so, and ours keeps such events in user mode.  Each use that is more
 * than that must find what Windows has.
 *
 * Sources: the pages of SetEvent, ResetEvent, PulseEvent, CreateEvent, WaitForSingleObject,
 * WaitForMultipleObjects, SignalObjectAndWait, DuplicateHandle, CloseHandle and "Event Objects".
 */
#include "net.h"
#include "waiting.h"

#include <winternl.h>

#define ROUNDS 2000

NTSTATUS NTAPI NtSetEvent(HANDLE event, LONG *previous);
NTSTATUS NTAPI NtResetEvent(HANDLE event, LONG *previous);

static HANDLE new_event(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);

    ok(event != NULL, "error %lu\n", GetLastError());
    return event;
}

static DWORD WINAPI set_often(void *events)
{
    HANDLE *pair = events;

    for (int i = 0; i < 8; i++) {
        SetEvent(pair[0]);
        WaitForSingleObject(pair[1], ALWAYS);
    }
    return 0;
}

/* An event that one thread has waited for several times, and others set. */
static HANDLE used_event(void)
{
    HANDLE pair[2] = {new_event(), new_event()}, thread;

    thread = CreateThread(NULL, 0, set_often, pair, 0, NULL);
    for (int i = 0; i < 8; i++) {
        wait_is(pair[0], ALWAYS, WAIT_OBJECT_0);
        SetEvent(pair[1]);
    }
    wait_is(thread, ALWAYS, WAIT_OBJECT_0);
    CloseHandle(thread);
    CloseHandle(pair[1]);
    return pair[0];
}

/* As a rule the thread waits when this returns: in ours for a short time, or already long. */
static void begin_and(struct waiting *waiting, HANDLE event, DWORD time)
{
    begin(waiting, event);
    Sleep(time);
}

static LONG set(HANDLE event)
{
    LONG previous = -1;

    ok(!NtSetEvent(event, &previous), "not set\n");
    return previous;
}

/* ---- handing over ---- */

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

static void test_state(void)
{
    HANDLE event = used_event();

    wait_is(event, 0, WAIT_TIMEOUT);
    ok(set(event) == 0, "was set\n");
    ok(set(event) == 1, "was not set\n"); /* "Setting an event that is already set has no effect" */
    wait_is(event, 0, WAIT_OBJECT_0);
    wait_is(event, 30, WAIT_TIMEOUT);
    SetEvent(event);
    ok(ResetEvent(event), "error %lu\n", GetLastError());
    wait_is(event, 0, WAIT_TIMEOUT);
    SetEvent(event);
    wait_is(event, INFINITE, WAIT_OBJECT_0);
    wait_is(event, 0, WAIT_TIMEOUT);
    CloseHandle(event);
}

static void test_time_outs(void)
{
    static const DWORD times[] = {1, 5, 15, 30, 80};
    HANDLE event = used_event();

    for (unsigned i = 0; i < ARRAYSIZE(times); i++) {
        double start = now(), took;

        wait_is(event, times[i], WAIT_TIMEOUT);
        took = now() - start;
        /* rounding of either clock; Windows' own is the tick */
        ok(took >= times[i] - 0.6 || broken(took >= (double)times[i] - 16), "%.3f ms of %lu\n",
           took, times[i]);
    }
    for (unsigned i = 0; i < ARRAYSIZE(times); i++) {
        struct waiting waiting;

        begin_and(&waiting, event, times[i]);
        ok(set(event) == 0, "was set\n");
        finish(&waiting);
        wait_is(event, 0, WAIT_TIMEOUT);
    }
    CloseHandle(event);
}

static int later(const void *one, const void *other)
{
    return *(const double *)one < *(const double *)other ? -1 : 1;
}

/* Who sets an event wakes who waits, at once. */
static void test_soon(void)
{
    HANDLE event = used_event();
    struct waiting waiting;
    double late[11];

    for (unsigned i = 0; i < ARRAYSIZE(late); i++) {
        begin_and(&waiting, event, 2);
        late[i] = now();
        SetEvent(event);
        finish(&waiting);
        late[i] = waiting.end - late[i];
    }
    qsort(late, ARRAYSIZE(late), sizeof(late[0]), later);
    ok(late[ARRAYSIZE(late) / 2] < 12, "%.1f ms late\n", late[ARRAYSIZE(late) / 2]);
    CloseHandle(event);
}

/* "If a thread is waiting, it is released": what comes afterwards does not change that. */
static void test_released(DWORD time)
{
    HANDLE event = used_event();
    struct waiting waiting;

    begin_and(&waiting, event, time);
    SetEvent(event);
    ResetEvent(event);
    if (!ends(&waiting, 500)) {
        trace("reset before the thread waited\n");
        SetEvent(event);
    }
    finish(&waiting);
    wait_is(event, 0, WAIT_TIMEOUT);

    begin_and(&waiting, event, time);
    SetEvent(event);
    if (set(event) == 0) { /* else the thread had not come to wait */
        finish(&waiting);
        wait_is(event, 0, WAIT_OBJECT_0);
    } else
        finish(&waiting);
    wait_is(event, 0, WAIT_TIMEOUT);

    begin_and(&waiting, event, time);
    ResetEvent(event);
    ok(!ends(&waiting, 50), "ended by a reset\n");
    SetEvent(event);
    finish(&waiting);

    begin_and(&waiting, event, time);
    PulseEvent(event); /* "unreliable", so only what it must not do is asked for */
    wait_is(event, 0, WAIT_TIMEOUT);
    SetEvent(event);
    finish(&waiting);
    CloseHandle(event);
}

/* One signal, one thread. */
static void test_two_wait(DWORD time)
{
    HANDLE event = used_event();
    struct waiting first, second;

    begin_and(&first, event, time);
    begin_and(&second, event, time);
    SetEvent(event);
    ok(ends(&first, 300) != ends(&second, 300), "both or none\n");
    SetEvent(event);
    finish(&first);
    finish(&second);
    wait_is(event, 0, WAIT_TIMEOUT);
    CloseHandle(event);
}

/* A thread that waited before anybody knew what the event is for has the first signal. */
static void test_waited_before(void)
{
    HANDLE event = new_event();
    struct waiting early, waiting;
    BOOL both = FALSE;

    begin_and(&early, event, 50);
    for (int i = 0; i < 20; i++) {
        begin_and(&waiting, event, i % 3 * 15);
        for (int k = 0; k < 100 && !(both = ends(&waiting, k)); k++)
            SetEvent(event);
        finish(&waiting);
    }
    finish(&early);
    CloseHandle(event);
}

/* ---- used in other ways ---- */

static void test_with_others(BOOL set_before)
{
    HANDLE both[2] = {new_event(), used_event()}, other;
    struct waiting waiting;
    DWORD got;

    if (set_before)
        SetEvent(both[1]);
    got = WaitForMultipleObjects(2, both, FALSE, 30);
    ok(got == (set_before ? WAIT_OBJECT_0 + 1 : WAIT_TIMEOUT), "got %#lx\n", got);
    wait_is(both[1], 0, WAIT_TIMEOUT);

    /* "The function does not modify the states ... until the states of all objects have been set"
     */
    SetEvent(both[1]);
    got = WaitForMultipleObjects(2, both, TRUE, 30);
    ok(got == WAIT_TIMEOUT, "got %#lx\n", got);
    SetEvent(both[0]);
    got = WaitForMultipleObjects(2, both, TRUE, 30);
    ok(got == WAIT_OBJECT_0, "got %#lx\n", got);
    wait_is(both[1], 0, WAIT_TIMEOUT);

    if (set_before)
        SetEvent(both[1]);
    got = MsgWaitForMultipleObjects(1, &both[1], FALSE, 30, 0);
    ok(got == (set_before ? WAIT_OBJECT_0 : WAIT_TIMEOUT), "got %#lx\n", got);
    CloseHandle(both[1]);

    both[1] = used_event();
    other = used_event();
    begin_and(&waiting, both[1], set_before ? 5 : 40);
    SetEvent(other);
    got = SignalObjectAndWait(both[1], other, ALWAYS, FALSE);
    ok(got == WAIT_OBJECT_0, "got %#lx\n", got);
    finish(&waiting);
    CloseHandle(other);
    CloseHandle(both[0]);
    CloseHandle(both[1]);
}

static void CALLBACK count_call(void *counter, BOOLEAN timed_out)
{
    (void)timed_out;
    InterlockedIncrement(counter);
}

static void test_pool(void)
{
    HANDLE event = used_event(), wait;
    LONG volatile calls = 0;

    SetEvent(event);
    ok(RegisterWaitForSingleObject(&wait, event, count_call, (void *)&calls, INFINITE, 0),
       "error %lu\n", GetLastError());
    for (LONG i = 1; i <= 3; i++) {
        for (int k = 0; k < 1000 && calls < i; k++)
            Sleep(5);
        ok(calls == i, "%ld calls of %ld\n", calls, i);
        if (i < 3)
            SetEvent(event);
    }
    ok(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "error %lu\n", GetLastError());
    CloseHandle(event);
}

/* "The duplicate handle refers to the same object": by either, and by one after the other is
 * closed, also for a thread that waits. */
static void test_duplicated(DWORD time)
{
    HANDLE self = GetCurrentProcess(), event = used_event(), copy;
    struct waiting waiting;

    begin_and(&waiting, event, time);
    ok(DuplicateHandle(self, event, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS), "error %lu\n",
       GetLastError());
    ok(CloseHandle(event), "error %lu\n", GetLastError());
    SetEvent(copy);
    finish(&waiting);
    wait_is(copy, 0, WAIT_TIMEOUT);

    event = used_event();
    SetEvent(event);
    CloseHandle(copy);
    ok(DuplicateHandle(self, event, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS), "error %lu\n",
       GetLastError());
    wait_is(copy, 0, WAIT_OBJECT_0);
    SetEvent(copy);
    wait_is(event, ALWAYS, WAIT_OBJECT_0);
    CloseHandle(copy);
    CloseHandle(event);
}

/* What waits when the handle is closed has the object still, which nobody can set. */
static void test_closed(DWORD time)
{
    HANDLE event = used_event(), next;
    struct waiting waiting;

    begin_as(&waiting, event, 200, FALSE);
    Sleep(time);
    ok(CloseHandle(event), "error %lu\n", GetLastError());
    next = new_event(); /* often has the same value */
    SetEvent(next);
    finish_as(&waiting, WAIT_TIMEOUT);
    wait_is(next, 0, WAIT_OBJECT_0);
    SetLastError(0);
    ok(next == event || (!SetEvent(event) && GetLastError() == ERROR_INVALID_HANDLE), "error %lu\n",
       GetLastError());
    CloseHandle(next);
}

/* "HANDLE_FLAG_PROTECT_FROM_CLOSE ... CloseHandle will not close" */
static void test_not_closed(void)
{
    HANDLE event = used_event();
    struct waiting waiting;

    ok(SetHandleInformation(event, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE),
       "error %lu\n", GetLastError());
    SetEvent(event);
    ok(!CloseHandle(event), "closed\n");
    wait_is(event, 0, WAIT_OBJECT_0);
    begin_and(&waiting, event, 5);
    ok(!CloseHandle(event), "closed\n");
    SetEvent(event);
    finish(&waiting);
    SetHandleInformation(event, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    CloseHandle(event);
}

static LONG volatile apcs;

static void CALLBACK count_apc(ULONG_PTR unused)
{
    (void)unused;
    InterlockedIncrement(&apcs);
}

static void test_alertable(void)
{
    HANDLE event = used_event();
    struct waiting waiting;

    apcs = 0;
    begin_as(&waiting, event, INFINITE, TRUE);
    Sleep(20);
    QueueUserAPC(count_apc, waiting.thread, 0);
    finish_as(&waiting, WAIT_IO_COMPLETION);
    ok(apcs == 1, "%ld calls\n", apcs);
    begin_as(&waiting, event, INFINITE, TRUE);
    Sleep(5);
    SetEvent(event);
    finish(&waiting);
    CloseHandle(event);

    event = used_event();
    begin_and(&waiting, event, 5);
    QueueUserAPC(count_apc, waiting.thread, 0); /* not alertable: it stays queued */
    ok(!ends(&waiting, 60), "ended by an APC\n");
    ok(apcs == 1, "%ld calls\n", apcs);
    SetEvent(event);
    finish(&waiting);
    CloseHandle(event);
}

static void test_operations(void)
{
    HANDLE event = used_event(), pipe, file;
    OVERLAPPED overlapped = {.hEvent = event};
    DWORD bytes, flags = 0;
    SOCKET pair[2];
    char byte;
    WSABUF buf = {1, &byte};

    net_pair(&pair[0], &pair[1]);
    SetEvent(event);
    ok_error(WSARecv(pair[0], &buf, 1, NULL, &flags, &overlapped, NULL), WSA_IO_PENDING);
    wait_is(event, 0, WAIT_TIMEOUT);
    ok(send(pair[1], "a", 1, 0) == 1, "error %d\n", WSAGetLastError());
    wait_is(event, ALWAYS, WAIT_OBJECT_0);
    ok(WSAGetOverlappedResult(pair[0], &overlapped, &bytes, FALSE, &flags) && bytes == 1,
       "error %d\n", WSAGetLastError());
    closesocket(pair[0]);
    closesocket(pair[1]);
    CloseHandle(event);

    overlapped.hEvent = event = used_event();
    pipe = CreateNamedPipeA("\\\\.\\pipe\\ringsock-handoff",
                            PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1, 512, 512, 0, NULL);
    file = CreateFileA("\\\\.\\pipe\\ringsock-handoff", GENERIC_READ | GENERIC_WRITE, 0, NULL,
                       OPEN_EXISTING, 0, NULL);
    ok(!ReadFile(pipe, &byte, 1, NULL, &overlapped) && GetLastError() == ERROR_IO_PENDING,
       "error %lu\n", GetLastError());
    ok(WriteFile(file, "b", 1, &bytes, NULL), "error %lu\n", GetLastError());
    wait_is(event, ALWAYS, WAIT_OBJECT_0);
    ok(GetOverlappedResult(pipe, &overlapped, &bytes, FALSE) && byte == 'b', "error %lu\n",
       GetLastError());
    CloseHandle(file);
    CloseHandle(pipe);
    CloseHandle(event);
}

/* ---- threads that are stopped ---- */

/* A thread that is terminated while it waits takes no signal. */
static void test_terminated(DWORD time)
{
    HANDLE event = used_event();
    struct waiting waiting;

    begin_and(&waiting, event, time);
    ok(TerminateThread(waiting.thread, 1), "error %lu\n", GetLastError());
    wait_is(waiting.thread, ALWAYS, WAIT_OBJECT_0);
    CloseHandle(waiting.thread);
    SetEvent(event);
    wait_is(event, 0, WAIT_OBJECT_0);
    begin_and(&waiting, event, time);
    SetEvent(event);
    finish(&waiting);
    CloseHandle(event);
}

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

START_TEST(handoff_event)
{
    SOCKET s;

    net_start();
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    RUN(test_by_turns);
    RUN(test_state);
    RUN(test_time_outs);
    RUN(test_soon);
    for (DWORD time = 5; time <= 40; time += 35) { /* ms that the thread has waited */
        RUN(test_released, time);
        RUN(test_two_wait, time);
        RUN(test_duplicated, time);
        RUN(test_closed, time);
        RUN(test_terminated, time);
    }
    RUN(test_waited_before);
    RUN(test_with_others, FALSE);
    RUN(test_with_others, TRUE);
    RUN(test_pool);
    RUN(test_not_closed);
    RUN(test_alertable);
    RUN(test_operations);
    RUN(test_suspended);
    for (DWORD threads = 1; threads <= CROWD; threads++)
        RUN(test_model, threads);
    closesocket(s);
    WSACleanup();
}
