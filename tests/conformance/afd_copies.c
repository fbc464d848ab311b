/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A poll of AFD's on a socket that this process closes while another one has a copy.
 * Source: Wine's test_async_cancel_on_handle_close, run on Windows.
 */
#include "afd_poll.h"

/* Another process, which never runs. */
static HANDLE sleeping_process(void)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process = {0};
    char path[MAX_PATH];

    GetModuleFileNameA(NULL, path, sizeof(path));
    ok(CreateProcessA(path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup,
                      &process),
       "error %lu\n", GetLastError());
    CloseHandle(process.hThread);
    return process.hProcess;
}

/* While another process has a copy the socket is not closed: a poll with an event goes on, one that
 * is told by a packet alone is cancelled, and its status block is written by who takes the packet
 */
static void test_closes_with_copy_elsewhere(void)
{
    HANDLE process = sleeping_process(), copy, port, event = CreateEventW(NULL, TRUE, FALSE, NULL);
    OVERLAPPED_ENTRY entry = {0};
    struct sockaddr_storage address;
    struct poll poll;
    ULONG count;
    int length, with_event;
    SOCKET l;

    for (with_event = 0; with_event < 2; with_event++) {
        winetest_push_context("event %d", with_event);
        l = net_listener(AF_INET, &address, &length);
        port = CreateIoCompletionPort((HANDLE)l, NULL, 0x77, 0);
        ok(poll_one((HANDLE)l, with_event ? event : NULL, &poll, l, ~0u, -1000 * 10000) ==
               STATUS_PENDING,
           "no wait\n");
        poll.iosb.Status = 0x55555555;
        ok(DuplicateHandle(GetCurrentProcess(), (HANDLE)l, process, &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS),
           "error %lu\n", GetLastError());
        closesocket(l);
        ok((ULONG)poll.iosb.Status == 0x55555555 || on_builtin(), "status %lx\n", poll.iosb.Status);
        count = 0;
        GetQueuedCompletionStatusEx(port, &entry, 1, &count, 0, FALSE);
        if (with_event)
            ok((!count && WaitForSingleObject(event, 0) == WAIT_TIMEOUT) || on_builtin(),
               "the poll has ended\n"); /* which Wine 8.0's does */
        else
            ok((count == 1 && entry.lpCompletionKey == 0x77 &&
                (NTSTATUS)entry.Internal == STATUS_CANCELLED) ||
                   on_builtin(),
               "%lu packets, status %lx\n", count, (LONG)entry.Internal);
        ok(DuplicateHandle(process, copy, GetCurrentProcess(), &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE),
           "error %lu\n", GetLastError());
        CloseHandle(copy);
        if (with_event) /* at the latest when its time is over */
            ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "no end\n");
        CloseHandle(port);
        winetest_pop_context();
    }
    TerminateProcess(process, 0);
    CloseHandle(process);
    CloseHandle(event);
}

START_TEST(afd_copies)
{
    net_start();
    RUN(test_closes_with_copy_elsewhere);
    WSACleanup();
}
