/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, AFD poll" for Windows: readiness as wepoll, mio and libuv have it. One completion
 * port per side, helper handles on \Device\Afd with it, an IOCTL_AFD_POLL per connection through
 * one of them that is sent anew after each answer. Layout and flags as in tests/conformance/afd_poll.c.
 */
#include "../common/ready.h"

#include <stddef.h>
#include <winternl.h>

#define IOCTL_AFD_POLL      0x12024
#define AFD_RECEIVE         0x001
#define AFD_ASKED           (AFD_RECEIVE | 0x008 | 0x010 | 0x020 | 0x080 | 0x100) /* wepoll's EPOLLIN */
#define AFD_POLLS_TO_HELPER 32 /* wepoll's and mio's */

struct afd_poll {
    IO_STATUS_BLOCK iosb; /* its address is the packet's value */
    struct {
        LONGLONG timeout;
        ULONG count, exclusive;
        struct {
            HANDLE handle;
            ULONG flags;
            NTSTATUS status;
        } socket;
    } info;
    HANDLE helper;
    struct ping_conn *conn;
};

static HANDLE afd_helper(HANDLE port)
{
    static WCHAR path[] = L"\\Device\\Afd\\Bench";
    UNICODE_STRING name = {sizeof(path) - sizeof(WCHAR), sizeof(path), path};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK iosb;
    HANDLE helper;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    status = NtCreateFile(&helper, SYNCHRONIZE, &attributes, &iosb, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0);
    if (status)
        bench_die("NtCreateFile of \\Device\\Afd returned %lx", status);
    if (CreateIoCompletionPort(helper, port, 0, 0) != port)
        bench_die("CreateIoCompletionPort refused a helper, error %lu", GetLastError());
    return helper;
}

static void afd_ask(struct afd_poll *poll)
{
    NTSTATUS status;

    poll->info.timeout = INT64_MAX;
    poll->info.count = 1;
    poll->info.exclusive = 0;
    poll->info.socket.handle = (HANDLE)poll->conn->s;
    poll->info.socket.flags = AFD_ASKED;
    poll->info.socket.status = 0;
    poll->iosb.Status = STATUS_PENDING;
    status = NtDeviceIoControlFile(poll->helper, NULL, NULL, poll, &poll->iosb, IOCTL_AFD_POLL,
                                   &poll->info, sizeof(poll->info), &poll->info,
                                   sizeof(poll->info));
    if (status && status != STATUS_PENDING)
        bench_die("IOCTL_AFD_POLL returned %lx", status);
}

static void afd_answered(struct ready_side *side, struct afd_poll *poll)
{
    struct ping_conn *conn = poll->conn;

    if (poll->iosb.Status || poll->info.count != 1 || poll->info.socket.handle != (HANDLE)conn->s)
        bench_die("a poll ended with %lx, count %lu", poll->iosb.Status, poll->info.count);
    ready_readable(side, conn);
    if (conn->s != NET_NONE)
        afd_ask(poll);
}

static void afd_loop(void *arg)
{
    struct ready_side *side = arg;
    struct afd_poll *polls = bench_alloc(ping_all_conns(), sizeof(*polls));
    HANDLE helper = NULL, port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);

    if (!port)
        bench_die("CreateIoCompletionPort failed, error %lu", GetLastError());
    for (unsigned i = 0; i < ping_all_conns(); i++) {
        if (i % AFD_POLLS_TO_HELPER == 0)
            helper = afd_helper(port);
        polls[i].helper = helper;
        polls[i].conn = &side->conns[i];
        afd_ask(&polls[i]);
    }
    ready_start(side);
    while (side->side.open) {
        OVERLAPPED_ENTRY entries[READY_EVENTS];
        ULONG n;

        if (!GetQueuedCompletionStatusEx(port, entries, READY_EVENTS, &n, READY_PATIENCE_MS, FALSE))
            bench_die("GetQueuedCompletionStatusEx failed, error %lu", GetLastError());
        for (ULONG i = 0; i < n; i++)
            afd_answered(side, (struct afd_poll *)entries[i].lpOverlapped);
    }
}

int main(int argc, char **argv)
{
    return ready_main(argc, argv, afd_loop);
}
