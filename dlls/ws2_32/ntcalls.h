/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls and structures of the NT layer that the compiler's headers lack.  All of these are exports
 * of ntdll.dll in Wine 8.0 and later, with the layouts of Windows.
 */
#ifndef RINGSOCK_NTCALLS_H
#define RINGSOCK_NTCALLS_H

#include "winsock.h"

NTSTATUS NTAPI NtCreateIoCompletion(HANDLE *port, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                    ULONG threads);
NTSTATUS NTAPI NtSetIoCompletion(HANDLE port, ULONG_PTR key, ULONG_PTR context, NTSTATUS status,
                                 SIZE_T information);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE port, ULONG_PTR *key, ULONG_PTR *context,
                                    IO_STATUS_BLOCK *iosb, LARGE_INTEGER *timeout);
NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE port, void *packets, ULONG count, ULONG *removed,
                                      LARGE_INTEGER *timeout, BOOLEAN alertable);
NTSTATUS NTAPI NtQueryIoCompletion(HANDLE port, ULONG class, void *information, ULONG size,
                                   ULONG *needed);
NTSTATUS NTAPI NtCompareObjects(HANDLE first, HANDLE second);
NTSTATUS NTAPI NtDuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process,
                                 HANDLE *target, ACCESS_MASK access, ULONG attributes,
                                 ULONG options);
NTSTATUS NTAPI NtSetInformationJobObject(HANDLE job, ULONG class, void *information, ULONG size);
NTSTATUS NTAPI NtCancelIoFile(HANDLE file, IO_STATUS_BLOCK *iosb);
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE file, IO_STATUS_BLOCK *which, IO_STATUS_BLOCK *iosb);
NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG count, const HANDLE *handles, BOOLEAN any,
                                        BOOLEAN alertable, const LARGE_INTEGER *timeout);
NTSTATUS NTAPI NtTerminateThread(HANDLE thread, NTSTATUS exit_code);
NTSTATUS NTAPI NtQueueApcThread(HANDLE thread, void *function, ULONG_PTR first, ULONG_PTR second,
                                ULONG_PTR third);
NTSTATUS NTAPI NtQueryPerformanceCounter(LARGE_INTEGER *counter, LARGE_INTEGER *frequency);
NTSTATUS NTAPI NtReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                          IO_STATUS_BLOCK *iosb, void *buffer, ULONG length, LARGE_INTEGER *offset,
                          ULONG *key);
NTSTATUS NTAPI NtWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                           IO_STATUS_BLOCK *iosb, const void *buffer, ULONG length,
                           LARGE_INTEGER *offset, ULONG *key);
NTSTATUS NTAPI NtResetEvent(HANDLE event, LONG *previous);
BOOLEAN NTAPI RtlDllShutdownInProgress(void);
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, void **address, ULONG_PTR zero_bits,
                                       SIZE_T *size, ULONG type, ULONG protection);
NTSTATUS NTAPI NtWriteVirtualMemory(HANDLE process, void *address, const void *from, SIZE_T size,
                                    SIZE_T *written);
NTSTATUS NTAPI NtGetWriteWatch(HANDLE process, ULONG flags, void *base, SIZE_T size, void **pages,
                               ULONG_PTR *count, ULONG *granularity);

NTSTATUS NTAPI NtCreateEvent(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, BOOLEAN);
NTSTATUS NTAPI NtSetEvent(HANDLE, LONG *);
NTSTATUS NTAPI NtResetEvent(HANDLE, LONG *);
NTSTATUS NTAPI NtQueryEvent(HANDLE, ULONG, void *, ULONG, ULONG *);
NTSTATUS NTAPI NtWaitForAlertByThreadId(const void *address, const LARGE_INTEGER *timeout);
NTSTATUS NTAPI NtAlertThreadByThreadId(HANDLE thread);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN alertable, const LARGE_INTEGER *timeout);

/* FILE_INFORMATION_CLASS, as numbers because intercepted calls carry any */
#define FILE_COMPLETION_CLASS         30u
#define FILE_COMPLETION_MODES_CLASS   41u
#define FILE_REPLACE_COMPLETION_CLASS 61u

#define FILE_INTERNAL_CLASS ((FILE_INFORMATION_CLASS)6) /* FileInternalInformation */
#define FILE_ACCESS_CLASS   ((FILE_INFORMATION_CLASS)8) /* FileAccessInformation */

struct file_completion { /* FILE_COMPLETION_INFORMATION */
    HANDLE port;
    ULONG_PTR key;
};

struct thread_information { /* THREAD_BASIC_INFORMATION */
    NTSTATUS exit_status;
    void *teb;
    CLIENT_ID client;
    ULONG_PTR affinity;
    LONG priority, base_priority;
};

struct event_information { /* EVENT_BASIC_INFORMATION, of class 0 */
    ULONG type;            /* 0: manual-reset */
    LONG set;
};
#ifndef EVENT_QUERY_STATE
#define EVENT_QUERY_STATE 1u
#endif
#define EVENT_BASIC_CLASS     0u
#define SYNCHRONIZATION_EVENT 1u /* EVENT_TYPE: auto-reset */

#define JOB_PORT_CLASS 7u /* JobObjectAssociateCompletionPortInformation */

struct io_packet { /* FILE_IO_COMPLETION_INFORMATION */
    ULONG_PTR key;
    ULONG_PTR context;
    IO_STATUS_BLOCK iosb;
};
_Static_assert(sizeof(struct io_packet) == sizeof(OVERLAPPED_ENTRY), "the same memory");

/* Without the last NT status in the TEB. */
ULONG NTAPI RtlNtStatusToDosErrorNoTeb(NTSTATUS status);

#endif
