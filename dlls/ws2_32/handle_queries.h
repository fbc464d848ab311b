/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program asks of a handle to learn what it is (handle_queries.c); NtQueryInformationFile is
 * handles.h's.
 */
#ifndef RINGSOCK_HANDLE_QUERIES_H
#define RINGSOCK_HANDLE_QUERIES_H

#include "winsock.h"

NTSTATUS NTAPI our_NtQueryVolumeInformationFile(HANDLE file, IO_STATUS_BLOCK *iosb,
                                                void *information, ULONG size, ULONG class);
NTSTATUS NTAPI our_NtQueryObject(HANDLE handle, ULONG class, void *information, ULONG size,
                                 ULONG *needed);
/* the stubs, until they are taken over */
extern NTSTATUS(NTAPI *real_NtQueryVolumeInformationFile)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG,
                                                          ULONG);
extern NTSTATUS(NTAPI *real_NtQueryObject)(HANDLE, ULONG, void *, ULONG, ULONG *);

#endif
