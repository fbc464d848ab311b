/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls of ntdll on sockets, for the tests of what goes around Winsock.  The compiler's headers
 * have neither the calls nor the codes.  Every function is static.
 */
#ifndef RINGSOCK_TESTS_NT_IO_H
#define RINGSOCK_TESTS_NT_IO_H

#include "net.h"

#include <winternl.h>

#define NT_PENDING             ((NTSTATUS)0x103)
#define NT_BUFFER_OVERFLOW     ((NTSTATUS)0x80000005)
#define NT_ACCESS_VIOLATION    ((NTSTATUS)0xc0000005)
#define NT_INVALID_HANDLE      ((NTSTATUS)0xc0000008)
#define NT_INVALID_PARAMETER   ((NTSTATUS)0xc000000d)
#define NT_DEVICE_NOT_READY    ((NTSTATUS)0xc00000a3)
#define NT_PIPE_DISCONNECTED   ((NTSTATUS)0xc00000b0)
#define NT_INVALID_USER_BUFFER ((NTSTATUS)0xc00000e8)
#define NT_CANCELLED           ((NTSTATUS)0xc0000120)
#define NT_INVALID_CONNECTION  ((NTSTATUS)0xc0000140)
#define NT_CONNECTION_RESET    ((NTSTATUS)0xc000020d)
#define NT_CONNECTION_ABORTED  ((NTSTATUS)0xc0000241)

NTSTATUS NTAPI NtReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                          IO_STATUS_BLOCK *iosb, void *buffer, ULONG length, LARGE_INTEGER *offset,
                          ULONG *key);
NTSTATUS NTAPI NtWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                           IO_STATUS_BLOCK *iosb, const void *buffer, ULONG length,
                           LARGE_INTEGER *offset, ULONG *key);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE port, ULONG_PTR *key, ULONG_PTR *context,
                                    IO_STATUS_BLOCK *iosb, LARGE_INTEGER *timeout);

/* A status block that shows whether it was written. */
static RT_UNUSED void nt_mark(IO_STATUS_BLOCK *iosb)
{
    memset(iosb, 0xcc, sizeof(*iosb));
}

static RT_UNUSED BOOL nt_marked(const IO_STATUS_BLOCK *iosb)
{
    return iosb->Status == (NTSTATUS)0xcccccccc && (ULONG)iosb->Information == 0xcccccccc;
}

#define ok_status(expression, expected)                                                           \
    do {                                                                                          \
        NTSTATUS rt_status = (expression);                                                        \
        ok(rt_status == (expected), #expression ": status %lx, expected %lx\n", (ULONG)rt_status, \
           (ULONG)(expected));                                                                    \
    } while (0)

#define ok_iosb(iosb, status, information)                                 \
    ok((iosb).Status == (status) && (iosb).Information == (information),   \
       "status block %lx, %lu, expected %lx, %lu\n", (ULONG)(iosb).Status, \
       (ULONG)(iosb).Information, (ULONG)(status), (ULONG)(information))

static RT_UNUSED NTSTATUS nt_read(SOCKET s, HANDLE event, IO_STATUS_BLOCK *iosb, void *buffer,
                                  ULONG size)
{
    LARGE_INTEGER where = {.QuadPart = 0};

    return NtReadFile((HANDLE)s, event, NULL, NULL, iosb, buffer, size, &where, NULL);
}

/* The next packet; its value, or NULL. */
static RT_UNUSED void *nt_packet(HANDLE port, DWORD milliseconds, IO_STATUS_BLOCK *iosb)
{
    LARGE_INTEGER time = {.QuadPart = -(LONGLONG)milliseconds * 10000};
    ULONG_PTR key, context = 0;

    return NtRemoveIoCompletion(port, &key, &context, iosb, &time) ? NULL : (void *)context;
}

static RT_UNUSED BOOL nt_event_set(HANDLE event)
{
    return WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0;
}

#endif
