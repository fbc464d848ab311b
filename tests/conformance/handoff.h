/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auto-reset events by which threads wake one another: ours keeps those in user mode that were used
 * so for a while.  Include it after waiting.h.
 */
#ifndef RINGSOCK_HANDOFF_H
#define RINGSOCK_HANDOFF_H

#include <winternl.h>

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

/* What it was before. */
static LONG set(HANDLE event)
{
    LONG previous = -1;

    ok(!NtSetEvent(event, &previous), "not set\n");
    return previous;
}

#endif
