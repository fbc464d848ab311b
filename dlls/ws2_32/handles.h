/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for ntdll's calls: only intercept.c names these.  A handle that is none of ours
 * goes on to the real call after one or two loads from a table.
 */
#ifndef RINGSOCK_HANDLES_H
#define RINGSOCK_HANDLES_H

#include "ntcalls.h"

/* handles.c */
NTSTATUS NTAPI our_NtClose(HANDLE handle);
NTSTATUS NTAPI our_NtDuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process,
                                     HANDLE *target, ACCESS_MASK access, ULONG attributes,
                                     ULONG options);
NTSTATUS NTAPI our_NtCancelIoFile(HANDLE file, IO_STATUS_BLOCK *iosb);
NTSTATUS NTAPI our_NtCancelIoFileEx(HANDLE file, IO_STATUS_BLOCK *which, IO_STATUS_BLOCK *iosb);

/* anchor_pool.c */
NTSTATUS NTAPI our_NtCreateUserProcess(HANDLE *process, HANDLE *thread, ACCESS_MASK process_access,
                                       ACCESS_MASK thread_access,
                                       OBJECT_ATTRIBUTES *process_attributes,
                                       OBJECT_ATTRIBUTES *thread_attributes, ULONG process_flags,
                                       ULONG thread_flags, void *parameters, void *creation,
                                       void *attributes);

/* file_information.c */
NTSTATUS NTAPI our_NtSetInformationFile(HANDLE file, IO_STATUS_BLOCK *iosb, void *information,
                                        ULONG size, ULONG class);
NTSTATUS NTAPI our_NtQueryInformationFile(HANDLE file, IO_STATUS_BLOCK *iosb, void *information,
                                          ULONG size, ULONG class);

/* afd_calls.c */
NTSTATUS NTAPI our_NtCreateFile(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                IO_STATUS_BLOCK *iosb, LARGE_INTEGER *size, ULONG file_attributes,
                                ULONG sharing, ULONG disposition, ULONG options, void *ea,
                                ULONG ea_size);
NTSTATUS NTAPI our_NtOpenFile(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                              IO_STATUS_BLOCK *iosb, ULONG sharing, ULONG options);
NTSTATUS NTAPI our_NtDeviceIoControlFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE routine,
                                         void *context, IO_STATUS_BLOCK *iosb, ULONG code,
                                         void *input, ULONG input_size, void *output,
                                         ULONG output_size);

NTSTATUS NTAPI our_NtCancelSynchronousIoFile(HANDLE thread, IO_STATUS_BLOCK *which,
                                             IO_STATUS_BLOCK *iosb);

/* raw_io.c */
NTSTATUS NTAPI our_NtReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                              IO_STATUS_BLOCK *iosb, void *buffer, ULONG length,
                              LARGE_INTEGER *offset, ULONG *key);
NTSTATUS NTAPI our_NtWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                               IO_STATUS_BLOCK *iosb, const void *buffer, ULONG length,
                               LARGE_INTEGER *offset, ULONG *key);

/* thread_end.c */
NTSTATUS NTAPI our_NtTerminateThread(HANDLE thread, NTSTATUS exit_code);

/* write_watch.c */
NTSTATUS NTAPI our_NtAllocateVirtualMemory(HANDLE process, void **address, ULONG_PTR zero_bits,
                                           SIZE_T *size, ULONG type, ULONG protection);

/* wait_object.c */
NTSTATUS NTAPI our_NtWaitForSingleObject(HANDLE handle, BOOLEAN alertable, LARGE_INTEGER *timeout);
NTSTATUS NTAPI our_NtWaitForMultipleObjects(ULONG count, const HANDLE *handles, BOOLEAN any,
                                            BOOLEAN alertable, const LARGE_INTEGER *timeout);

/* port_calls.c */
NTSTATUS NTAPI our_NtCreateIoCompletion(HANDLE *port, ACCESS_MASK access,
                                        OBJECT_ATTRIBUTES *attributes, ULONG threads);
NTSTATUS NTAPI our_NtSetIoCompletion(HANDLE port, ULONG_PTR key, ULONG_PTR context, NTSTATUS status,
                                     SIZE_T information);
NTSTATUS NTAPI our_NtRemoveIoCompletion(HANDLE port, ULONG_PTR *key, ULONG_PTR *context,
                                        IO_STATUS_BLOCK *iosb, LARGE_INTEGER *timeout);
NTSTATUS NTAPI our_NtRemoveIoCompletionEx(HANDLE port, void *packets, ULONG count, ULONG *removed,
                                          LARGE_INTEGER *timeout, BOOLEAN alertable);
NTSTATUS NTAPI our_NtSetInformationJobObject(HANDLE job, ULONG class, void *information,
                                             ULONG size);
NTSTATUS NTAPI our_NtAssociateWaitCompletionPacket(HANDLE packet, HANDLE port, HANDLE target,
                                                   void *key, void *context, NTSTATUS status,
                                                   ULONG_PTR information, BOOLEAN *signaled);

/* alertable_sleep.c */
NTSTATUS NTAPI our_NtDelayExecution(BOOLEAN alertable, const LARGE_INTEGER *timeout);
NTSTATUS NTAPI our_NtTestAlert(void);

/* event_calls.c, event_handover.c */
/* What is kept of this handle in user mode for one kind of use alone, timers that are slept on and
 * events that are handed over, is the kernel's from here on: it is about to be used in another way.
 */
void handle_give_back(HANDLE handle);

NTSTATUS NTAPI our_NtCreateEvent(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, BOOLEAN);
NTSTATUS NTAPI our_NtSetEvent(HANDLE, LONG *);
NTSTATUS NTAPI our_NtResetEvent(HANDLE, LONG *);
NTSTATUS NTAPI our_NtClearEvent(HANDLE);
NTSTATUS NTAPI our_NtPulseEvent(HANDLE, LONG *);
NTSTATUS NTAPI our_NtQueryEvent(HANDLE, ULONG, void *, ULONG, ULONG *);
NTSTATUS NTAPI our_NtSignalAndWaitForSingleObject(HANDLE, HANDLE, BOOLEAN, const LARGE_INTEGER *);
NTSTATUS NTAPI our_NtReadFileScatter(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                     FILE_SEGMENT_ELEMENT *, ULONG, LARGE_INTEGER *, ULONG *);
NTSTATUS NTAPI our_NtWriteFileGather(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                     FILE_SEGMENT_ELEMENT *, ULONG, LARGE_INTEGER *, ULONG *);
NTSTATUS NTAPI our_NtFsControlFile(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                   ULONG, void *, ULONG, void *, ULONG);
NTSTATUS NTAPI our_NtNotifyChangeDirectoryFile(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                               IO_STATUS_BLOCK *, void *, ULONG, ULONG, BOOLEAN);
NTSTATUS NTAPI our_NtLockFile(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                              LARGE_INTEGER *, LARGE_INTEGER *, ULONG *, BOOLEAN, BOOLEAN);
NTSTATUS NTAPI our_NtQueryDirectoryFile(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                        void *, ULONG, ULONG, BOOLEAN, UNICODE_STRING *, BOOLEAN);
NTSTATUS NTAPI our_NtNotifyChangeKey(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                     ULONG, BOOLEAN, void *, ULONG, BOOLEAN);
NTSTATUS NTAPI our_NtNotifyChangeMultipleKeys(HANDLE, ULONG, OBJECT_ATTRIBUTES *, HANDLE,
                                              PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, ULONG,
                                              BOOLEAN, void *, ULONG, BOOLEAN);
NTSTATUS NTAPI our_NtSetInformationObject(HANDLE, ULONG, void *, ULONG);

#endif
