/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking over system-call stubs of ntdll (DESIGN: the stubs have one fixed, position-independent
 * shape per architecture), so that what a program does to a SOCKET through other DLLs reaches us.
 */
#ifndef RINGSOCK_INTERCEPT_H
#define RINGSOCK_INTERCEPT_H

#include "winsock.h"

/* The calls that we take over (handles.c, port.c); once, from DllMain. */
void intercept_all(void);
/* intercept_user.c: win32u.dll's, now or when it is loaded. */
bool intercept_user(void);

/* Always the real thing, also from inside our replacements. */
extern NTSTATUS(NTAPI *real_NtClose)(HANDLE);
extern NTSTATUS(NTAPI *real_NtSetInformationFile)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG);
extern NTSTATUS(NTAPI *real_NtQueryInformationFile)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG,
                                                    ULONG);
extern NTSTATUS(NTAPI *real_NtCreateUserProcess)(HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK,
                                                 OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG,
                                                 ULONG, void *, void *, void *);
extern NTSTATUS(NTAPI *real_NtSetIoCompletion)(HANDLE, ULONG_PTR, ULONG_PTR, NTSTATUS, SIZE_T);
extern NTSTATUS(NTAPI *real_NtRemoveIoCompletion)(HANDLE, ULONG_PTR *, ULONG_PTR *,
                                                  IO_STATUS_BLOCK *, LARGE_INTEGER *);
extern NTSTATUS(NTAPI *real_NtRemoveIoCompletionEx)(HANDLE, void *, ULONG, ULONG *, LARGE_INTEGER *,
                                                    BOOLEAN);
extern NTSTATUS(NTAPI *real_NtCancelIoFile)(HANDLE, IO_STATUS_BLOCK *);
extern NTSTATUS(NTAPI *real_NtCancelIoFileEx)(HANDLE, IO_STATUS_BLOCK *, IO_STATUS_BLOCK *);
extern NTSTATUS(NTAPI *real_NtCancelSynchronousIoFile)(HANDLE, IO_STATUS_BLOCK *,
                                                       IO_STATUS_BLOCK *);
extern NTSTATUS(NTAPI *real_NtTerminateThread)(HANDLE, NTSTATUS);
extern NTSTATUS(NTAPI *real_NtWaitForSingleObject)(HANDLE, BOOLEAN, LARGE_INTEGER *);
extern NTSTATUS(NTAPI *real_NtWaitForMultipleObjects)(ULONG, const HANDLE *, BOOLEAN, BOOLEAN,
                                                      const LARGE_INTEGER *);
extern NTSTATUS(NTAPI *real_NtCreateFile)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *,
                                          IO_STATUS_BLOCK *, LARGE_INTEGER *, ULONG, ULONG, ULONG,
                                          ULONG, void *, ULONG);
extern NTSTATUS(NTAPI *real_NtOpenFile)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *,
                                        IO_STATUS_BLOCK *, ULONG, ULONG);
extern NTSTATUS(NTAPI *real_NtDeviceIoControlFile)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                                   IO_STATUS_BLOCK *, ULONG, void *, ULONG, void *,
                                                   ULONG);
extern NTSTATUS(NTAPI *real_NtReadFile)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                        void *, ULONG, LARGE_INTEGER *, ULONG *);
extern NTSTATUS(NTAPI *real_NtWriteFile)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                         const void *, ULONG, LARGE_INTEGER *, ULONG *);
extern NTSTATUS(NTAPI *real_NtCreateIoCompletion)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *,
                                                  ULONG);
extern NTSTATUS(NTAPI *real_NtDuplicateObject)(HANDLE, HANDLE, HANDLE, HANDLE *, ACCESS_MASK, ULONG,
                                               ULONG);
extern NTSTATUS(NTAPI *real_NtSetInformationJobObject)(HANDLE, ULONG, void *, ULONG);
extern NTSTATUS(NTAPI *real_NtAssociateWaitCompletionPacket)(HANDLE, HANDLE, HANDLE, void *, void *,
                                                             NTSTATUS, ULONG_PTR, BOOLEAN *);

/* write_watch.c */
extern NTSTATUS(NTAPI *real_NtAllocateVirtualMemory)(HANDLE, void **, ULONG_PTR, SIZE_T *, ULONG,
                                                     ULONG);

/* alertable waits (routine.h) */
extern NTSTATUS(NTAPI *real_NtDelayExecution)(BOOLEAN, const LARGE_INTEGER *);
extern NTSTATUS(NTAPI *real_NtTestAlert)(void);

/* events (fast_event.h) */
extern NTSTATUS(NTAPI *real_NtCreateEvent)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG,
                                           BOOLEAN);
extern NTSTATUS(NTAPI *real_NtSetEvent)(HANDLE, LONG *);
extern NTSTATUS(NTAPI *real_NtResetEvent)(HANDLE, LONG *);
extern NTSTATUS(NTAPI *real_NtClearEvent)(HANDLE);
extern NTSTATUS(NTAPI *real_NtPulseEvent)(HANDLE, LONG *);
extern NTSTATUS(NTAPI *real_NtQueryEvent)(HANDLE, ULONG, void *, ULONG, ULONG *);
extern NTSTATUS(NTAPI *real_NtSignalAndWaitForSingleObject)(HANDLE, HANDLE, BOOLEAN,
                                                            const LARGE_INTEGER *);
extern NTSTATUS(NTAPI *real_NtReadFileScatter)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                               IO_STATUS_BLOCK *, FILE_SEGMENT_ELEMENT *, ULONG,
                                               LARGE_INTEGER *, ULONG *);
extern NTSTATUS(NTAPI *real_NtWriteFileGather)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                               IO_STATUS_BLOCK *, FILE_SEGMENT_ELEMENT *, ULONG,
                                               LARGE_INTEGER *, ULONG *);
extern NTSTATUS(NTAPI *real_NtFsControlFile)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                             IO_STATUS_BLOCK *, ULONG, void *, ULONG, void *,
                                             ULONG);
extern NTSTATUS(NTAPI *real_NtNotifyChangeDirectoryFile)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                                         IO_STATUS_BLOCK *, void *, ULONG, ULONG,
                                                         BOOLEAN);
extern NTSTATUS(NTAPI *real_NtLockFile)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                        LARGE_INTEGER *, LARGE_INTEGER *, ULONG *, BOOLEAN,
                                        BOOLEAN);
extern NTSTATUS(NTAPI *real_NtQueryDirectoryFile)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                                  IO_STATUS_BLOCK *, void *, ULONG, ULONG, BOOLEAN,
                                                  UNICODE_STRING *, BOOLEAN);
extern NTSTATUS(NTAPI *real_NtNotifyChangeKey)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *,
                                               IO_STATUS_BLOCK *, ULONG, BOOLEAN, void *, ULONG,
                                               BOOLEAN);
extern NTSTATUS(NTAPI *real_NtNotifyChangeMultipleKeys)(HANDLE, ULONG, OBJECT_ATTRIBUTES *, HANDLE,
                                                        PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *,
                                                        ULONG, BOOLEAN, void *, ULONG, BOOLEAN);
extern NTSTATUS(NTAPI *real_NtSetInformationObject)(HANDLE, ULONG, void *, ULONG);

#endif
