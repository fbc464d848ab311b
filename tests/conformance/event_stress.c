/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events that overlapped operations have used, in many threads at once: no signal is lost, none is
 * doubled, whichever way each thread waits.
 * Sources: the pages of SetEvent ("If no threads are waiting, the event object's state remains
 * signaled"; "a single waiting thread is released"), WaitForMultipleObjects and WSACreateEvent.
 *
 * An auto-reset event serves as a lock: a doubled signal lets two threads in, a lost one hangs
 * until the watchdog comes.
 */
#include "net.h"

#define THREADS 6
#define ROUNDS  150 /* each thread's */

static SOCKET idle[2]; /* a connection on which nothing comes */
static HANDLE never;   /* no event that a socket has used: a semaphore nobody releases */
static volatile LONG apcs;

static void CALLBACK count_apc(ULONG_PTR unused)
{
    (void)unused;
    InterlockedIncrement(&apcs);
}

static void finish(HANDLE thread)
{
    WaitForSingleObject(thread, INFINITE); /* the watchdog ends what hangs */
    CloseHandle(thread);
}

/* As an operation's event: used, and as it was before. */
static HANDLE used_event(BOOL manual, BOOL set)
{
    HANDLE event = CreateEventW(NULL, manual, FALSE, NULL);
    WSAOVERLAPPED ov = {.hEvent = event};
    DWORD flags = 0, bytes;
    char byte;
    WSABUF buf = {1, &byte};

    ok_error(WSARecv(idle[0], &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    ok(CancelIoEx((HANDLE)idle[0], (OVERLAPPED *)&ov), "CancelIoEx error %lu\n", GetLastError());
    ok(!WSAGetOverlappedResult(idle[0], &ov, &bytes, TRUE, &flags) &&
           WSAGetLastError() == WSA_OPERATION_ABORTED,
       "error %d\n", WSAGetLastError());
    ResetEvent(event);
    if (set)
        SetEvent(event);
    return event;
}

/* ---- the ways to wait until one event is signaled ---- */

static BOOL with_others(HANDLE event, DWORD first)
{
    HANDLE handles[2];

    handles[first] = event;
    handles[!first] = never;
    return WaitForMultipleObjects(2, handles, FALSE, INFINITE) == WAIT_OBJECT_0 + first;
}

static BOOL by_polling(HANDLE event)
{
    DWORD result;

    while ((result = WaitForSingleObject(event, 0)) == WAIT_TIMEOUT)
        Sleep(1);
    return result == WAIT_OBJECT_0;
}

static BOOL by_briefly(HANDLE event, DWORD milliseconds)
{
    DWORD result;

    while ((result = WaitForSingleObject(event, milliseconds)) == WAIT_TIMEOUT)
        ;
    return result == WAIT_OBJECT_0;
}

static BOOL alertably(HANDLE event)
{
    DWORD result;

    QueueUserAPC(count_apc, GetCurrentThread(), 0);
    while ((result = WSAWaitForMultipleEvents(1, &event, FALSE, WSA_INFINITE, TRUE)) ==
           WSA_WAIT_IO_COMPLETION)
        ;
    return result == WSA_WAIT_EVENT_0;
}

static BOOL by_signalling(HANDLE event)
{
    HANDLE other = CreateEventW(NULL, FALSE, FALSE, NULL);
    BOOL done = SignalObjectAndWait(other, event, INFINITE, FALSE) == WAIT_OBJECT_0 &&
                WaitForSingleObject(other, 0) == WAIT_OBJECT_0;

    CloseHandle(other);
    return done;
}

static BOOL by_duplicate(HANDLE event)
{
    HANDLE copy;
    BOOL done;

    if (!DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, SYNCHRONIZE, FALSE,
                         0))
        return FALSE;
    done = WaitForSingleObject(copy, INFINITE) == WAIT_OBJECT_0;
    return CloseHandle(copy) && done;
}

#define WAYS 10

static BOOL wait_somehow(HANDLE event, int way)
{
    switch (way % WAYS) {
    case 0:
        return with_others(event, 0);
    case 1:
        return with_others(event, 1);
    case 2:
        return by_polling(event);
    case 3:
        return by_briefly(event, 1);
    case 4:
        return by_briefly(event, 15);
    case 5:
        return alertably(event);
    case 6:
        return by_signalling(event);
    case 7:
        return by_duplicate(event);
    default:
        return WaitForSingleObject(event, INFINITE) == WAIT_OBJECT_0;
    }
}

/* ---- one lock ---- */

struct locks {
    HANDLE event[2];
    LONG volatile inside[2];
    LONG volatile entered;
    int ways; /* a bit for each that is used */
    LONG volatile next_thread;
};

static void hold(struct locks *locks, int index)
{
    ok(InterlockedIncrement(&locks->inside[index]) == 1, "two threads are inside\n");
    if (locks->entered % 7 == 0)
        Sleep(0);
    if (locks->entered % 101 == 0)
        Sleep(13); /* longer than a thread parks */
    ok(InterlockedDecrement(&locks->inside[index]) == 0, "two threads were inside\n");
    InterlockedIncrement(&locks->entered);
}

static DWORD WINAPI lock_one(void *argument)
{
    struct locks *locks = argument;
    int way = InterlockedIncrement(&locks->next_thread) * 3;

    for (int i = 0; i < ROUNDS; i++) {
        do
            way++;
        while (!(locks->ways >> way % WAYS & 1));
        if (!wait_somehow(locks->event[0], way)) {
            ok(0, "way %d: error %lu\n", way % WAYS, GetLastError());
            return 1;
        }
        hold(locks, 0);
        ok(SetEvent(locks->event[0]), "SetEvent error %lu\n", GetLastError());
    }
    return 0;
}

static void run_threads(DWORD(WINAPI *function)(void *), struct locks *locks)
{
    HANDLE threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, function, locks, 0, NULL);
    for (int i = 0; i < THREADS; i++)
        finish(threads[i]);
    ok(locks->entered == THREADS * ROUNDS, "entered %ld times\n", locks->entered);
}

static void test_lock(int ways)
{
    struct locks locks = {.event = {used_event(FALSE, TRUE)}, .ways = ways};

    run_threads(lock_one, &locks);
    ok(WaitForSingleObject(locks.event[0], 0) == WAIT_OBJECT_0, "the last signal is lost\n");
    ok(WaitForSingleObject(locks.event[0], 0) == WAIT_TIMEOUT, "and there is one more\n");
    CloseHandle(locks.event[0]);
}

static void test_plain_waits(void)
{
    test_lock(1 << 8);
    test_lock(1 << 8 | 1 << 3 | 1 << 2);
}

static void test_all_ways(void)
{
    test_lock((1 << WAYS) - 1);
    ok(apcs > 0, "no APC ran\n");
}

/* ---- two locks, taken singly, either, or both at once ---- */

static DWORD WINAPI lock_two(void *argument)
{
    struct locks *locks = argument;
    int way = InterlockedIncrement(&locks->next_thread);
    DWORD index;

    for (int i = 0; i < ROUNDS; i++, way++) {
        switch (way % 4) {
        case 0:
        case 1:
            index = WaitForSingleObject(locks->event[way % 4], INFINITE) + way % 4;
            break;
        case 2:
            index = WaitForMultipleObjects(2, locks->event, FALSE, INFINITE);
            break;
        default:
            index =
                WaitForMultipleObjects(2, locks->event, TRUE, INFINITE) == WAIT_OBJECT_0 ? 2 : 9;
        }
        if (index > 2) {
            ok(0, "way %d: error %lu\n", way % 4, GetLastError());
            return 1;
        }
        if (index == 2)
            ok(InterlockedIncrement(&locks->inside[1]) == 1, "two threads are inside of both\n");
        hold(locks, index == 1);
        if (index == 2) {
            InterlockedDecrement(&locks->inside[1]);
            SetEvent(locks->event[0]);
            SetEvent(locks->event[1]);
        } else
            SetEvent(locks->event[index]);
    }
    return 0;
}

static void test_two_locks(void)
{
    struct locks locks = {.event = {used_event(FALSE, TRUE), used_event(FALSE, TRUE)}};

    run_threads(lock_two, &locks);
    ok(WaitForMultipleObjects(2, locks.event, TRUE, 0) == WAIT_OBJECT_0, "a signal is lost\n");
    CloseHandle(locks.event[0]);
    CloseHandle(locks.event[1]);
}

/* ---- a gate: a manual-reset event lets everybody through until it is reset ---- */

#define GATES 30

struct gates {
    HANDLE in, out;
    LONG volatile waiting, passed;
    LONG volatile next_thread;
};

static DWORD WINAPI pass_gates(void *argument)
{
    struct gates *gates = argument;
    int way = InterlockedIncrement(&gates->next_thread);

    for (int i = 0; i < GATES; i++, way++) {
        if (!wait_somehow(gates->in, way))
            ok(0, "way %d: error %lu\n", way % WAYS, GetLastError());
        InterlockedIncrement(&gates->passed);
        if (!wait_somehow(gates->out, way))
            ok(0, "way %d: error %lu\n", way % WAYS, GetLastError());
        InterlockedDecrement(&gates->passed);
    }
    return 0;
}

static void await(LONG volatile *value, LONG expected)
{
    DWORD start = GetTickCount();

    while (*value != expected && GetTickCount() - start < 20000)
        Sleep(0);
    ok(*value == expected, "%ld threads are through, not %ld\n", *value, expected);
}

static void test_gate(void)
{
    struct gates gates = {.in = used_event(TRUE, FALSE), .out = used_event(TRUE, FALSE)};
    HANDLE threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, pass_gates, &gates, 0, NULL);
    for (int i = 0; i < GATES; i++) {
        Sleep(i % 8 ? 0 : 14);
        SetEvent(gates.in);
        await(&gates.passed, THREADS);
        ResetEvent(gates.in);
        Sleep(i % 9 ? 0 : 14);
        SetEvent(gates.out);
        await(&gates.passed, 0);
        ResetEvent(gates.out);
    }
    for (int i = 0; i < THREADS; i++)
        finish(threads[i]);
    CloseHandle(gates.in);
    CloseHandle(gates.out);
}

/* ---- through sockets ---- */

#define PAIRS     3
#define EXCHANGES 200

struct player {
    SOCKET s[PAIRS];
    BOOL starts, manual;
    WSAOVERLAPPED ov[PAIRS];
    char in[PAIRS];
};

static void receive(struct player *player, int i)
{
    WSABUF buf = {1, &player->in[i]};
    DWORD flags = 0;

    if (WSARecv(player->s[i], &buf, 1, NULL, &flags, &player->ov[i], NULL))
        ok(WSAGetLastError() == WSA_IO_PENDING, "WSARecv error %d\n", WSAGetLastError());
}

static DWORD WINAPI play(void *argument)
{
    struct player *player = argument;
    DWORD index, bytes, flags, left = PAIRS * EXCHANGES;
    int played[PAIRS] = {0};
    char reply, next[PAIRS] = {0};
    HANDLE events[PAIRS];

    for (int i = 0; i < PAIRS; i++) {
        player->ov[i].hEvent = events[i] = CreateEventW(NULL, player->manual, FALSE, NULL);
        receive(player, i);
        if (player->starts)
            net_send_all(player->s[i], &next[i], 1);
    }
    for (; left; left--) {
        index = WaitForMultipleObjects(PAIRS, events, FALSE, INFINITE);
        if (index >= PAIRS ||
            !WSAGetOverlappedResult(player->s[index], &player->ov[index], &bytes, FALSE, &flags)) {
            ok(0, "wait gave %lx, error %d\n", index, WSAGetLastError());
            break;
        }
        ok(bytes == 1 && player->in[index] == next[index], "got %lu bytes, %d for %d\n", bytes,
           player->in[index], next[index]);
        next[index]++;
        if (left % 97 == 0)
            Sleep(12);
        if (++played[index] < EXCHANGES)
            receive(player, index);
        else
            ResetEvent(events[index]); /* nothing comes any more */
        reply = next[index] - !player->starts;
        if (played[index] < EXCHANGES || !player->starts)
            net_send_all(player->s[index], &reply, 1);
    }
    for (int i = 0; i < PAIRS; i++)
        CloseHandle(events[i]);
    return 0;
}

static void test_sockets(BOOL manual)
{
    struct player players[2] = {{.starts = TRUE, .manual = manual}, {.manual = manual}};
    HANDLE threads[2];

    for (int i = 0; i < PAIRS; i++)
        net_pair(&players[0].s[i], &players[1].s[i]);
    for (int i = 0; i < 2; i++)
        threads[i] = CreateThread(NULL, 0, play, &players[i], 0, NULL);
    for (int i = 0; i < 2; i++)
        finish(threads[i]);
    for (int i = 0; i < PAIRS; i++) {
        closesocket(players[0].s[i]);
        closesocket(players[1].s[i]);
    }
}

static void test_socket_events(void)
{
    test_sockets(TRUE);
    test_sockets(FALSE);
}

START_TEST(event_stress)
{
    net_start();
    net_pair(&idle[0], &idle[1]);
    never = CreateSemaphoreW(NULL, 0, 1, NULL);
    RUN(test_plain_waits);
    RUN(test_all_ways);
    RUN(test_two_locks);
    RUN(test_gate);
    RUN(test_socket_events);
    closesocket(idle[0]);
    closesocket(idle[1]);
    WSACleanup();
}
