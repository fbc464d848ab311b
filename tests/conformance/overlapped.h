/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Overlapped operations that remember what they were told, for the tests of completion, cancelling
 * and closing.  Every function is static and reports its own failures as checks.
 */
#ifndef RINGSOCK_TESTS_OVERLAPPED_H
#define RINGSOCK_TESTS_OVERLAPPED_H

#include "net.h"

#define STATUS_PENDING_            0x103
#define STATUS_CANCELLED_          ((LONG)0xc0000120)
#define STATUS_CONNECTION_ABORTED_ ((LONG)0xc0000241)

enum told_by { BY_EVENT, BY_ROUTINE, BY_PORT, TOLD_BY };
static RT_UNUSED const char *const told_by_names[] = {"event", "routine", "port"};

/* How the end of an operation is told, and to how many ends that came by now. */
struct told {
    WSAOVERLAPPED ov; /* first: a routine finds the rest behind it */
    enum told_by by;
    HANDLE event, port;
    int count; /* of packets and routines; an event only says that it is set */
    DWORD error, bytes, flags;
};

static RT_UNUSED void CALLBACK told_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov,
                                            DWORD flags)
{
    struct told *told = (struct told *)ov;

    told->count++;
    told->error = error;
    told->bytes = bytes;
    told->flags = flags;
}

/* With a port the socket is associated with it, unless `port` is one that it has already. */
static RT_UNUSED void told_init(struct told *told, enum told_by by, SOCKET s, HANDLE port)
{
    memset(told, 0, sizeof(*told));
    told->by = by;
    told->port = port;
    if (by == BY_EVENT)
        told->ov.hEvent = told->event = WSACreateEvent();
    else if (by == BY_PORT && !port) {
        told->port = CreateIoCompletionPort((HANDLE)s, NULL, 0x77, 0);
        ok(told->port != NULL, "error %lu\n", GetLastError());
    }
}

static RT_UNUSED void told_free(struct told *told)
{
    if (told->event)
        WSACloseEvent(told->event);
    if (told->port)
        CloseHandle(told->port);
}

static RT_UNUSED LPWSAOVERLAPPED_COMPLETION_ROUTINE told_by_routine(const struct told *told)
{
    return told->by == BY_ROUTINE ? told_routine : NULL;
}

/* A receive that pends. */
static RT_UNUSED void told_receive(struct told *told, SOCKET s, void *buffer, ULONG size)
{
    WSABUF buf = {size, buffer};
    DWORD flags = 0;

    ok_error(WSARecv(s, &buf, 1, NULL, &flags, &told->ov, told_by_routine(told)), WSA_IO_PENDING);
}

static void told_packet(struct told *told, DWORD milliseconds)
{
    OVERLAPPED *ov = NULL;
    ULONG_PTR key;
    DWORD bytes = 0;
    BOOL result;

    SetLastError(0);
    result = GetQueuedCompletionStatus(told->port, &bytes, &key, &ov, milliseconds);
    if (!ov)
        return;
    ok(ov == &told->ov, "a packet of something else: %p\n", (void *)ov);
    told->count++;
    told->error = result ? 0 : GetLastError();
    told->bytes = bytes;
}

/* Waits for the end; false if it did not come.  Of an event error and count come from the
 * OVERLAPPED, of a port the error is kernel32's. */
static RT_UNUSED BOOL told_wait(struct told *told)
{
    DWORD start = GetTickCount();

    switch (told->by) {
    case BY_EVENT:
        if (WaitForSingleObject(told->event, NET_PATIENCE) != WAIT_OBJECT_0)
            return FALSE;
        told->count++;
        told->bytes = (DWORD)told->ov.InternalHigh;
        break;
    case BY_ROUTINE:
        while (!told->count && GetTickCount() - start < NET_PATIENCE)
            SleepEx(100, TRUE);
        break;
    default:
        told_packet(told, NET_PATIENCE);
        break;
    }
    return told->count > 0;
}

/* Nobody is told (again) for a moment. */
static RT_UNUSED BOOL told_nothing(struct told *told)
{
    int count = told->count;

    switch (told->by) {
    case BY_EVENT:
        if (count) /* else what came since the call would be forgotten */
            ResetEvent(told->event);
        return WaitForSingleObject(told->event, 50) == WAIT_TIMEOUT;
    case BY_ROUTINE:
        SleepEx(50, TRUE);
        break;
    default:
        told_packet(told, 50);
        break;
    }
    return told->count == count;
}

/* A buffer alone in its page, which can be taken away. */
static RT_UNUSED char *page_make(void)
{
    char *page = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);

    ok(page != NULL, "error %lu\n", GetLastError());
    return page;
}

static RT_UNUSED void page_take_away(char *page)
{
    DWORD old;

    ok(VirtualProtect(page, 4096, PAGE_NOACCESS, &old), "error %lu\n", GetLastError());
}

static RT_UNUSED void page_free(char *page)
{
    VirtualFree(page, 0, MEM_RELEASE);
}

#endif
