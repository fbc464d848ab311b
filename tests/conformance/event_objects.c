/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An event that an overlapped operation has used is an event object like any other: for every call
 * that takes one, through every handle, and in every kind of wait.
 * Sources: the pages of CreateEvent, SetEvent, ResetEvent, PulseEvent, WaitForMultipleObjects,
 * SignalObjectAndWait, RegisterWaitForSingleObject, MsgWaitForMultipleObjects, DuplicateHandle,
 * CloseHandle, WSARecv and WSAGetOverlappedResult.
 */
#include "net.h"

static SOCKET near_end, far_end;

/* As an operation's event: used, and not signaled. */
static HANDLE used_event(BOOL manual)
{
    HANDLE event = CreateEventW(NULL, manual, FALSE, NULL);
    WSAOVERLAPPED ov = {.hEvent = event};
    DWORD flags = 0, bytes;
    char byte;
    WSABUF buf = {1, &byte};

    ok_error(WSARecv(near_end, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    ok(WaitForSingleObject(event, 0) == WAIT_TIMEOUT, "signaled too early\n");
    net_send_all(far_end, "x", 1);
    ok(WSAGetOverlappedResult(near_end, &ov, &bytes, TRUE, &flags) && bytes == 1, "error %d\n",
       WSAGetLastError());
    if (manual)
        ok(WaitForSingleObject(event, 0) == WAIT_OBJECT_0, "not signaled\n");
    ok(ResetEvent(event), "ResetEvent error %lu\n", GetLastError());
    return event;
}

static BOOL is_set(HANDLE event)
{
    return WaitForSingleObject(event, 0) == WAIT_OBJECT_0;
}

static void test_states(void)
{
    HANDLE manual = used_event(TRUE), automatic = used_event(FALSE);

    ok(SetEvent(manual) && is_set(manual) && is_set(manual),
       "a manual-reset event resets itself\n");
    ok(ResetEvent(manual) && !is_set(manual), "ResetEvent did nothing\n");
    ok(SetEvent(automatic) && SetEvent(automatic) && is_set(automatic) && !is_set(automatic),
       "one wait resets an auto-reset event, however often it was set\n");
    ok(SetEvent(automatic) && ResetEvent(automatic) && !is_set(automatic), "not reset\n");
    ok(PulseEvent(manual) && !is_set(manual), "PulseEvent leaves it signaled\n");
    ok(SetEvent(manual) && PulseEvent(manual) && !is_set(manual),
       "PulseEvent leaves it signaled\n");
    ok(PulseEvent(automatic) && !is_set(automatic), "PulseEvent leaves it signaled\n");
    SetLastError(0xbeef);
    ok(!is_set(manual) && GetLastError() == 0xbeef, "the last error is %lu\n", GetLastError());
    CloseHandle(manual);
    CloseHandle(automatic);
}

/* "When bWaitAll is FALSE, this function checks the handles in the array in order starting with
 * index 0, until one of the objects is signaled"; with TRUE "the function does not modify the
 * states ... until the states of all objects have been set to signaled". */
static void test_several(void)
{
    HANDLE events[3] = {used_event(FALSE), used_event(TRUE), used_event(FALSE)};
    DWORD start, result;

    SetEvent(events[1]);
    SetEvent(events[2]);
    ok(WaitForMultipleObjects(3, events, FALSE, 0) == WAIT_OBJECT_0 + 1, "not the first\n");
    ok(WaitForMultipleObjects(3, events, TRUE, 0) == WAIT_TIMEOUT, "one is not signaled\n");
    ok(WaitForMultipleObjects(3, events, TRUE, 30) == WAIT_TIMEOUT, "one is not signaled\n");
    SetEvent(events[0]);
    ok(WaitForMultipleObjects(3, events, TRUE, 0) == WAIT_OBJECT_0, "all are signaled\n");
    ok(!is_set(events[0]) && is_set(events[1]) && !is_set(events[2]), "wrong states afterwards\n");
    ResetEvent(events[1]);
    start = GetTickCount();
    result = WaitForMultipleObjects(3, events, FALSE, 60);
    ok(result == WAIT_TIMEOUT && GetTickCount() - start >= 45, "got %lx after %lu ms\n", result,
       GetTickCount() - start);
    for (int i = 0; i < 3; i++)
        CloseHandle(events[i]);
}

static void test_with_others(void)
{
    HANDLE semaphore = CreateSemaphoreW(NULL, 0, 4, NULL), event = used_event(FALSE);
    HANDLE handles[2] = {event, semaphore}, reversed[2] = {semaphore, event};

    ok(WaitForMultipleObjects(2, handles, FALSE, 20) == WAIT_TIMEOUT, "nothing is signaled\n");
    SetEvent(event);
    ok(WaitForMultipleObjects(2, handles, FALSE, 20) == WAIT_OBJECT_0, "the event is\n");
    SetEvent(event);
    ok(WaitForMultipleObjects(2, reversed, FALSE, 20) == WAIT_OBJECT_0 + 1, "the event is\n");
    ok(!is_set(event), "the signal was not taken\n");
    SetEvent(event);
    ok(WaitForMultipleObjects(2, handles, TRUE, 20) == WAIT_TIMEOUT && is_set(event),
       "the event alone does not end a wait for both\n");
    SetEvent(event);
    ReleaseSemaphore(semaphore, 2, NULL);
    ok(WaitForMultipleObjects(2, reversed, FALSE, 0) == WAIT_OBJECT_0, "the semaphore is first\n");
    ok(WaitForMultipleObjects(2, reversed, TRUE, 0) == WAIT_OBJECT_0 && !is_set(event) &&
           !is_set(semaphore),
       "both are signaled\n");
    CloseHandle(semaphore);
    CloseHandle(event);
}

/* ---- through other handles ---- */

static HANDLE copy_of(HANDLE event, DWORD access, DWORD options)
{
    HANDLE copy = NULL;

    ok(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, access, FALSE,
                       options),
       "DuplicateHandle error %lu\n", GetLastError());
    return copy;
}

static void test_handles(BOOL manual)
{
    HANDLE event = used_event(manual), same = copy_of(event, 0, DUPLICATE_SAME_ACCESS),
           waits = copy_of(event, SYNCHRONIZE, 0), sets = copy_of(event, EVENT_MODIFY_STATE, 0),
           moved;

    ok(SetEvent(sets) && is_set(waits), "not the same object\n");
    SetEvent(event);
    ok(is_set(same), "not the same object\n");
    ok(ResetEvent(same) && !is_set(event), "not the same object\n");
    SetLastError(0);
    ok(!SetEvent(waits) && GetLastError() == ERROR_ACCESS_DENIED, "error %lu\n", GetLastError());
    SetLastError(0);
    ok(WaitForSingleObject(sets, 0) == WAIT_FAILED && GetLastError() == ERROR_ACCESS_DENIED,
       "error %lu\n", GetLastError());
    SetEvent(event);
    moved = copy_of(event, 0, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE);
    ok(is_set(moved) && ResetEvent(moved), "the state is lost with the first handle\n");
    CloseHandle(same);
    CloseHandle(moved);
    ok(SetEvent(sets) && is_set(waits), "not the same object any more\n");
    CloseHandle(waits);
    CloseHandle(sets);
    ok(!SetEvent(event) && GetLastError() == ERROR_INVALID_HANDLE, "error %lu\n", GetLastError());
}

static void test_duplicates(void)
{
    test_handles(TRUE);
    test_handles(FALSE);
}

/* An operation keeps the event object, not the handle. */
static void test_closed_early(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), copy, next;
    WSAOVERLAPPED ov = {.hEvent = event};
    DWORD flags = 0;
    char byte;
    WSABUF buf = {1, &byte};

    ok_error(WSARecv(near_end, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    copy = copy_of(event, 0, DUPLICATE_SAME_ACCESS);
    CloseHandle(event);
    next = CreateEventW(NULL, TRUE, FALSE, NULL); /* may get the number of the old one */
    net_send_all(far_end, "x", 1);
    ok(WaitForSingleObject(copy, NET_PATIENCE) == WAIT_OBJECT_0,
       "the operation set another event\n");
    ok(!is_set(next), "the operation set somebody else's event\n");
    CloseHandle(copy);
    CloseHandle(next);
}

/* ---- waits that the system makes ---- */

static void CALLBACK tell(void *event, BOOLEAN timed_out)
{
    ok(!timed_out, "timed out\n");
    SetEvent(event);
}

static void test_registered(void)
{
    HANDLE event = used_event(FALSE), told = used_event(FALSE), registered;

    ok(RegisterWaitForSingleObject(&registered, event, tell, told, INFINITE, WT_EXECUTEDEFAULT),
       "error %lu\n", GetLastError());
    for (int i = 0; i < 20; i++) {
        Sleep(i % 5 ? 0 : 15);
        SetEvent(event);
        ok(WaitForSingleObject(told, NET_PATIENCE) == WAIT_OBJECT_0, "%d: nothing was called\n", i);
    }
    ok(!is_set(event), "the signal is still there\n");
    UnregisterWaitEx(registered, INVALID_HANDLE_VALUE);
    CloseHandle(event);
    CloseHandle(told);
}

static DWORD WINAPI set_soon(void *event)
{
    Sleep(30);
    SetEvent(event);
    return 0;
}

static HANDLE start_setter(HANDLE event)
{
    return CreateThread(NULL, 0, set_soon, event, 0, NULL);
}

static void test_with_messages(void)
{
    HANDLE event = used_event(FALSE), setter = start_setter(event);
    DWORD result = MsgWaitForMultipleObjects(1, &event, FALSE, NET_PATIENCE, QS_ALLINPUT);

    ok(result == WAIT_OBJECT_0, "got %lx\n", result);
    net_finish(setter);
    SetEvent(event);
    result = MsgWaitForMultipleObjects(1, &event, FALSE, NET_PATIENCE, QS_ALLINPUT);
    ok(result == WAIT_OBJECT_0, "got %lx\n", result);
    ok(!is_set(event), "the signal is still there\n");
    CloseHandle(event);
}

static void test_signal_and_wait(void)
{
    HANDLE first = used_event(FALSE), second = used_event(FALSE);
    HANDLE mutex = CreateMutexW(NULL, TRUE, NULL), setter;

    SetEvent(second);
    ok(SignalObjectAndWait(first, second, 0, FALSE) == WAIT_OBJECT_0, "not signaled\n");
    ok(is_set(first) && !is_set(second), "wrong states\n");
    setter = start_setter(second);
    ok(SignalObjectAndWait(mutex, second, NET_PATIENCE, FALSE) == WAIT_OBJECT_0, "not signaled\n");
    net_finish(setter);
    ok(is_set(mutex), "the mutex was not released\n");
    CloseHandle(first);
    CloseHandle(second);
    CloseHandle(mutex);
}

/* ---- a thread that waits since before the event's first operation ---- */

static DWORD WINAPI wait_long(void *event)
{
    return WaitForSingleObject(event, NET_PATIENCE);
}

static void test_first_use_while_waited_for(BOOL manual)
{
    HANDLE event = CreateEventW(NULL, manual, FALSE, NULL);
    HANDLE thread = CreateThread(NULL, 0, wait_long, event, 0, NULL);
    WSAOVERLAPPED ov = {.hEvent = event};
    DWORD flags = 0, code = 0;
    char byte;
    WSABUF buf = {1, &byte};

    Sleep(50);
    ok_error(WSARecv(near_end, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    net_send_all(far_end, "x", 1);
    WaitForSingleObject(thread, NET_PATIENCE);
    ok(GetExitCodeThread(thread, &code) && code == WAIT_OBJECT_0, "the wait ended with %lx\n",
       code);
    ok(is_set(event) == manual, "wrong state afterwards\n");
    ResetEvent(event);
    ok(!is_set(event), "not reset\n");
    CloseHandle(thread);
    CloseHandle(event);
}

static void test_first_use(void)
{
    test_first_use_while_waited_for(TRUE);
    test_first_use_while_waited_for(FALSE);
}

/* ---- set by somebody else ---- */

struct poll_once {
    HANDLE event, start, done;
    DWORD result;
};

static DWORD WINAPI poll_each(void *arg)
{
    struct poll_once *poll = arg;

    while (WaitForSingleObject(poll->start, INFINITE) == WAIT_OBJECT_0 && poll->event) {
        poll->result = WaitForSingleObject(poll->event, 0);
        SetEvent(poll->done);
    }
    return 0;
}

/* A look at a signaled event sees it, also while another thread waits for it together with an
 * operation's event, in vain: "the function does not modify the states" then. */
static void test_first_use_while_polled(void)
{
    struct poll_once poll = {NULL, CreateEventW(NULL, FALSE, FALSE, NULL),
                             CreateEventW(NULL, FALSE, FALSE, NULL), 0};
    HANDLE thread = CreateThread(NULL, 0, poll_each, &poll, 0, NULL);
    HANDLE both[2] = {used_event(TRUE), NULL};
    unsigned missed = 0;

    for (unsigned i = 0; i < 500; i++) {
        poll.event = both[1] = CreateEventW(NULL, FALSE, TRUE, NULL);
        SetEvent(poll.start);
        for (volatile unsigned pause = 0; pause < i * 10; pause++)
            ;
        if (WaitForMultipleObjects(2, both, TRUE, 0) != WAIT_TIMEOUT)
            missed++;
        WaitForSingleObject(poll.done, INFINITE);
        if (poll.result != WAIT_OBJECT_0)
            missed++;
        CloseHandle(both[1]);
    }
    ok(!missed, "%u of 500 looks were wrong\n", missed);
    poll.event = NULL;
    SetEvent(poll.start);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(poll.start);
    CloseHandle(poll.done);
    CloseHandle(both[0]);
}

static void test_file(void)
{
    HANDLE event = used_event(TRUE), file;
    char path[MAX_PATH], name[MAX_PATH];
    OVERLAPPED ov = {.hEvent = event};
    DWORD count = 0;

    GetTempPathA(sizeof(path), path);
    GetTempFileNameA(path, "evt", 0, name);
    file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                       FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    ok(file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    ok(WriteFile(file, "abc", 3, NULL, &ov) || GetLastError() == ERROR_IO_PENDING, "error %lu\n",
       GetLastError());
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "a file does not set it\n");
    ok(GetOverlappedResult(file, &ov, &count, TRUE) && count == 3, "wrote %lu\n", count);
    ok(ResetEvent(event) && !is_set(event), "not reset\n");
    CloseHandle(file);
    CloseHandle(event);
}

static void test_named(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, L"ringsock event_objects"), other;
    WSAOVERLAPPED ov = {.hEvent = event};
    DWORD flags = 0;
    char byte;
    WSABUF buf = {1, &byte};

    other = OpenEventW(EVENT_ALL_ACCESS, FALSE, L"ringsock event_objects");
    ok(other != NULL, "error %lu\n", GetLastError());
    ok_error(WSARecv(near_end, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    net_send_all(far_end, "x", 1);
    ok(WaitForSingleObject(other, NET_PATIENCE) == WAIT_OBJECT_0, "not the same object\n");
    ok(!is_set(event), "two signals\n");
    CloseHandle(event);
    CloseHandle(other);
}

START_TEST(event_objects)
{
    net_start();
    net_pair(&near_end, &far_end);
    RUN(test_states);
    RUN(test_several);
    RUN(test_with_others);
    RUN(test_duplicates);
    RUN(test_closed_early);
    RUN(test_registered);
    RUN(test_with_messages);
    RUN(test_signal_and_wait);
    RUN(test_first_use);
    RUN(test_first_use_while_polled);
    RUN(test_file);
    RUN(test_named);
    closesocket(near_end);
    closesocket(far_end);
    WSACleanup();
}
