/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls of ntdll that hand an event to the kernel, which will set it, or to others whom we do not
 * see (see handles.h): the event is native from then on.  Without an event they cost a compare.
 *
 * Owns nothing, takes what event_make_native takes.
 */
#include "anchor_pool.h"
#include "fast_event.h"
#include "handles.h"
#include "intercept.h"
#include "socket_life.h"

void event_hand_over(HANDLE event)
{
    if (!event)
        return;
    handle_give_back(event);
    if (event_is_known(event) && !RtlDllShutdownInProgress())
        event_make_native(event);
}

NTSTATUS NTAPI our_NtReadFileScatter(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                     void *context, IO_STATUS_BLOCK *iosb,
                                     FILE_SEGMENT_ELEMENT *segments, ULONG length,
                                     LARGE_INTEGER *offset, ULONG *key)
{
    event_hand_over(event);
    return real_NtReadFileScatter(file, event, routine, context, iosb, segments, length, offset,
                                  key);
}

NTSTATUS NTAPI our_NtWriteFileGather(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                     void *context, IO_STATUS_BLOCK *iosb,
                                     FILE_SEGMENT_ELEMENT *segments, ULONG length,
                                     LARGE_INTEGER *offset, ULONG *key)
{
    event_hand_over(event);
    return real_NtWriteFileGather(file, event, routine, context, iosb, segments, length, offset,
                                  key);
}

NTSTATUS NTAPI our_NtFsControlFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                   void *context, IO_STATUS_BLOCK *iosb, ULONG code, void *input,
                                   ULONG input_size, void *output, ULONG output_size)
{
    event_hand_over(event);
    return real_NtFsControlFile(file, event, routine, context, iosb, code, input, input_size,
                                output, output_size);
}

NTSTATUS NTAPI our_NtNotifyChangeDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                               void *context, IO_STATUS_BLOCK *iosb, void *buffer,
                                               ULONG size, ULONG filter, BOOLEAN subtree)
{
    event_hand_over(event);
    return real_NtNotifyChangeDirectoryFile(file, event, routine, context, iosb, buffer, size,
                                            filter, subtree);
}

NTSTATUS NTAPI our_NtLockFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                              IO_STATUS_BLOCK *iosb, LARGE_INTEGER *offset, LARGE_INTEGER *length,
                              ULONG *key, BOOLEAN at_once, BOOLEAN exclusive)
{
    event_hand_over(event);
    return real_NtLockFile(file, event, routine, context, iosb, offset, length, key, at_once,
                           exclusive);
}

NTSTATUS NTAPI our_NtQueryDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                        void *context, IO_STATUS_BLOCK *iosb, void *buffer,
                                        ULONG size, ULONG class, BOOLEAN single,
                                        UNICODE_STRING *mask, BOOLEAN restart)
{
    event_hand_over(event);
    return real_NtQueryDirectoryFile(file, event, routine, context, iosb, buffer, size, class,
                                     single, mask, restart);
}

NTSTATUS NTAPI our_NtNotifyChangeKey(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                     void *context, IO_STATUS_BLOCK *iosb, ULONG filter,
                                     BOOLEAN subtree, void *buffer, ULONG size,
                                     BOOLEAN asynchronous)
{
    event_hand_over(event);
    return real_NtNotifyChangeKey(file, event, routine, context, iosb, filter, subtree, buffer,
                                  size, asynchronous);
}

NTSTATUS NTAPI our_NtNotifyChangeMultipleKeys(HANDLE key, ULONG count, OBJECT_ATTRIBUTES *others,
                                              HANDLE event, PIO_APC_ROUTINE routine, void *context,
                                              IO_STATUS_BLOCK *iosb, ULONG filter, BOOLEAN subtree,
                                              void *buffer, ULONG size, BOOLEAN asynchronous)
{
    event_hand_over(event);
    return real_NtNotifyChangeMultipleKeys(key, count, others, event, routine, context, iosb,
                                           filter, subtree, buffer, size, asynchronous);
}

#define HANDLE_FLAGS_CLASS 4u /* ObjectHandleFlagInformation */

struct handle_flags { /* OBJECT_HANDLE_FLAG_INFORMATION */
    BOOLEAN inherit, protect;
};

NTSTATUS NTAPI our_NtSetInformationObject(HANDLE handle, ULONG class, void *information, ULONG size)
{
    const struct handle_flags *flags = information;

    if (class == HANDLE_FLAGS_CLASS && size >= sizeof(*flags)) {
        if (flags->inherit) /* a child process will have it */
            event_hand_over(handle);
        socket_flags_changed(handle);
    }
    return real_NtSetInformationObject(anchor_pool_hide(handle), class, information, size);
}
