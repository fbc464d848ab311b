/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IOCTL_AFD_POLL as afd_poll.c and afd_copies.c send it; see the former for where it is described.
 */
#ifndef RINGSOCK_TESTS_AFD_POLL_H
#define RINGSOCK_TESTS_AFD_POLL_H

#include <stddef.h>

#include "net.h"

#include <winternl.h>

#undef STATUS_INVALID_HANDLE
#undef STATUS_INVALID_PARAMETER
#define STATUS_INVALID_HANDLE    ((NTSTATUS)0xc0000008)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xc000000d)
#define STATUS_CANCELLED         ((NTSTATUS)0xc0000120)
#define IOCTL_AFD_POLL           0x12024

#define POLL_RECEIVE      0x001
#define POLL_SEND         0x004
#define POLL_DISCONNECT   0x008
#define POLL_ABORT        0x010
#define POLL_LOCAL_CLOSE  0x020
#define POLL_CONNECT      0x040
#define POLL_ACCEPT       0x080
#define POLL_CONNECT_FAIL 0x100

struct poll_info {
    LONGLONG timeout;
    ULONG count, exclusive;
    struct {
        SOCKET handle;
        ULONG flags;
        NTSTATUS status;
    } handles[2];
};

struct poll {
    IO_STATUS_BLOCK iosb; /* its address is the packet's value */
    struct poll_info info;
};

static RT_UNUSED ULONG size_of(ULONG count)
{
    return (ULONG)(offsetof(struct poll_info, handles) +
                   count * sizeof(((struct poll_info *)0)->handles[0]));
}

static RT_UNUSED NTSTATUS send_poll(HANDLE through, HANDLE done, struct poll *poll)
{
    ULONG size = size_of(poll->info.count);

    return NtDeviceIoControlFile(through, done, NULL, done ? NULL : poll, &poll->iosb,
                                 IOCTL_AFD_POLL, &poll->info, size, &poll->info, size);
}

static RT_UNUSED NTSTATUS poll_one(HANDLE through, HANDLE done, struct poll *poll, SOCKET s,
                                   ULONG flags, LONGLONG timeout)
{
    memset(poll, 0, sizeof(*poll));
    poll->info.timeout = timeout;
    poll->info.count = 1;
    poll->info.handles[0].handle = s;
    poll->info.handles[0].flags = flags;
    return send_poll(through, done, poll);
}

#endif
