/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A thread that waits for one object, and how its wait ended.  Include it after ringsock_test.h.
 */
#ifndef RINGSOCK_WAITING_H
#define RINGSOCK_WAITING_H

#define ALWAYS 10000 /* ms: longer than anything here takes */

struct waiting {
    HANDLE object, thread;
    DWORD time; /* its time-out */
    BOOL alertable;
    LONG volatile begun;
    double end;
    DWORD result, error;
};

static double now(void) /* ms */
{
    LARGE_INTEGER count, frequency;

    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return (double)count.QuadPart * 1000 / (double)frequency.QuadPart;
}

static DWORD WINAPI wait_main(void *argument)
{
    struct waiting *waiting = argument;

    waiting->begun = TRUE;
    waiting->result = WaitForSingleObjectEx(waiting->object, waiting->time, waiting->alertable);
    waiting->error = GetLastError();
    waiting->end = now();
    return 0;
}

/* The thread is about to wait when this returns, or waits. */
static void begin_as(struct waiting *waiting, HANDLE object, DWORD time, BOOL alertable)
{
    waiting->object = object;
    waiting->time = time;
    waiting->alertable = alertable;
    waiting->begun = FALSE;
    waiting->thread = CreateThread(NULL, 0, wait_main, waiting, 0, NULL);
    ok(waiting->thread != NULL, "error %lu\n", GetLastError());
    while (!waiting->begun)
        Sleep(0);
}

static void begin(struct waiting *waiting, HANDLE object)
{
    begin_as(waiting, object, INFINITE, FALSE);
}

static BOOL ends(struct waiting *waiting, DWORD time)
{
    return WaitForSingleObject(waiting->thread, time) == WAIT_OBJECT_0;
}

static void finish_as(struct waiting *waiting, DWORD expected)
{
    ok(ends(waiting, ALWAYS), "the thread waits still\n");
    ok(waiting->result == expected, "got %#lx for %#lx, error %lu\n", waiting->result, expected,
       waiting->error);
    CloseHandle(waiting->thread);
}

static void finish(struct waiting *waiting)
{
    finish_as(waiting, WAIT_OBJECT_0);
}

static void wait_is(HANDLE object, DWORD time, DWORD expected)
{
    DWORD got = WaitForSingleObject(object, time);

    ok(got == expected, "got %#lx for %#lx\n", got, expected);
}

#endif
