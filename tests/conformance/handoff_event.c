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
#include "handoff.h"

/* As a rule the thread waits when this returns: in ours for a short time, or already long. */
static void begin_and(struct waiting *waiting, HANDLE event, DWORD time)
{
    begin(waiting, event);
    Sleep(time);
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

/* A thread that was not on its way to wait yet, on a busy machine, finds its handle closed or
 * another one's: then once more. */
#define TRIES 5

static BOOL waits_with_copy(DWORD time)
{
    HANDLE self = GetCurrentProcess(), event = used_event(), copy;
    struct waiting waiting;
    BOOL released;

    begin_and(&waiting, event, time);
    ok(DuplicateHandle(self, event, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS), "error %lu\n",
       GetLastError());
    ok(CloseHandle(event), "error %lu\n", GetLastError());
    SetEvent(copy);
    ok(ends(&waiting, ALWAYS), "the thread waits still\n");
    released = waiting.result == WAIT_OBJECT_0;
    wait_is(copy, 0, released ? WAIT_TIMEOUT : WAIT_OBJECT_0);
    CloseHandle(waiting.thread);
    CloseHandle(copy);
    return released;
}

/* "The duplicate handle refers to the same object": by either, and by one after the other is
 * closed, also for a thread that waits. */
static void test_duplicated(DWORD time)
{
    HANDLE self = GetCurrentProcess(), event = used_event(), copy;
    int tries = 0;

    while (tries < TRIES && !waits_with_copy(time))
        tries++;
    ok(tries < TRIES, "the thread that waited had no signal\n");
    SetEvent(event);
    ok(DuplicateHandle(self, event, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS), "error %lu\n",
       GetLastError());
    wait_is(copy, 0, WAIT_OBJECT_0);
    SetEvent(copy);
    wait_is(event, ALWAYS, WAIT_OBJECT_0);
    CloseHandle(copy);
    CloseHandle(event);
}

static BOOL waits_for_closed(DWORD time)
{
    HANDLE event = used_event(), next;
    struct waiting waiting;
    BOOL waited;

    begin_as(&waiting, event, 200, FALSE);
    Sleep(time);
    ok(CloseHandle(event), "error %lu\n", GetLastError());
    next = new_event(); /* often has the same value */
    SetEvent(next);
    ok(ends(&waiting, ALWAYS), "the thread waits still\n");
    waited = waiting.result == WAIT_TIMEOUT;
    CloseHandle(waiting.thread);
    wait_is(next, 0, waiting.result == WAIT_OBJECT_0 ? WAIT_TIMEOUT : WAIT_OBJECT_0);
    SetLastError(0);
    ok(next == event || (!SetEvent(event) && GetLastError() == ERROR_INVALID_HANDLE), "error %lu\n",
       GetLastError());
    CloseHandle(next);
    return waited;
}

/* What waits when the handle is closed has the object still, which nobody can set. */
static void test_closed(DWORD time)
{
    int tries = 0;

    while (tries < TRIES && !waits_for_closed(time))
        tries++;
    ok(tries < TRIES, "the thread that waited did not go on\n");
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

START_TEST(handoff_event)
{
    SOCKET s;

    net_start();
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
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
    closesocket(s);
    WSACleanup();
}
