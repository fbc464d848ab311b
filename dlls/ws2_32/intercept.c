/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which calls of ntdll we take over (see intercept.h; stub.c says how), and what stays with
 * wineserver where one cannot be.
 *
 * Owns: the real calls.  Takes no lock; all of it runs once, in DllMain, under the loader's lock.
 */
#include "intercept.h"
#include "anchor_pool.h"
#include "fast_event.h"
#include "handle_queries.h"
#include "handles.h"
#include "handoff_event.h"
#include "log.h"
#include "port_table.h"
#include "routine.h"
#include "sleep_timer.h"
#include "switches.h"
#include "stub.h"

NTSTATUS(NTAPI *real_NtClose)(HANDLE) = NtClose;
NTSTATUS(NTAPI *real_NtSetInformationFile)
(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG) = (void *)NtSetInformationFile;
NTSTATUS(NTAPI *real_NtQueryInformationFile)
(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG) = (void *)NtQueryInformationFile;
NTSTATUS(NTAPI *real_NtSetIoCompletion)
(HANDLE, ULONG_PTR, ULONG_PTR, NTSTATUS, SIZE_T) = NtSetIoCompletion;
NTSTATUS(NTAPI *real_NtRemoveIoCompletion)
(HANDLE, ULONG_PTR *, ULONG_PTR *, IO_STATUS_BLOCK *, LARGE_INTEGER *) = NtRemoveIoCompletion;
NTSTATUS(NTAPI *real_NtRemoveIoCompletionEx)
(HANDLE, void *, ULONG, ULONG *, LARGE_INTEGER *, BOOLEAN) = NtRemoveIoCompletionEx;
NTSTATUS(NTAPI *real_NtCancelIoFile)(HANDLE, IO_STATUS_BLOCK *) = NtCancelIoFile;
NTSTATUS(NTAPI *real_NtCancelIoFileEx)
(HANDLE, IO_STATUS_BLOCK *, IO_STATUS_BLOCK *) = NtCancelIoFileEx;
NTSTATUS(NTAPI *real_NtTerminateThread)(HANDLE, NTSTATUS) = NtTerminateThread;
NTSTATUS(NTAPI *real_NtWaitForSingleObject)
(HANDLE, BOOLEAN, LARGE_INTEGER *) = NtWaitForSingleObject;
NTSTATUS(NTAPI *real_NtWaitForMultipleObjects)
(ULONG, const HANDLE *, BOOLEAN, BOOLEAN, const LARGE_INTEGER *) = NtWaitForMultipleObjects;
NTSTATUS(NTAPI *real_NtCreateFile)
(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, LARGE_INTEGER *, ULONG, ULONG,
 ULONG, ULONG, void *, ULONG) = NtCreateFile;
NTSTATUS(NTAPI *real_NtOpenFile)
(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG, ULONG) = NtOpenFile;
NTSTATUS(NTAPI *real_NtDeviceIoControlFile)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, ULONG, void *, ULONG, void *,
 ULONG) = NtDeviceIoControlFile;
NTSTATUS(NTAPI *real_NtReadFile)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, void *, ULONG, LARGE_INTEGER *,
 ULONG *) = NtReadFile;
NTSTATUS(NTAPI *real_NtWriteFile)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, const void *, ULONG, LARGE_INTEGER *,
 ULONG *) = NtWriteFile;
NTSTATUS(NTAPI *real_NtCreateIoCompletion)
(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG) = NtCreateIoCompletion;
NTSTATUS(NTAPI *real_NtDuplicateObject)
(HANDLE, HANDLE, HANDLE, HANDLE *, ACCESS_MASK, ULONG, ULONG) = NtDuplicateObject;
NTSTATUS(NTAPI *real_NtSetInformationJobObject)
(HANDLE, ULONG, void *, ULONG) = NtSetInformationJobObject;
NTSTATUS(NTAPI *real_NtAllocateVirtualMemory)
(HANDLE, void **, ULONG_PTR, SIZE_T *, ULONG, ULONG) = NtAllocateVirtualMemory;
/* called before, or where, they are not taken over */
NTSTATUS(NTAPI *real_NtDelayExecution)(BOOLEAN, const LARGE_INTEGER *) = NtDelayExecution;
NTSTATUS(NTAPI *real_NtTestAlert)(void);
NTSTATUS(NTAPI *real_NtCreateEvent)
(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, ULONG, BOOLEAN) = (void *)NtCreateEvent;
NTSTATUS(NTAPI *real_NtSetEvent)(HANDLE, LONG *) = (void *)NtSetEvent;
NTSTATUS(NTAPI *real_NtResetEvent)(HANDLE, LONG *) = (void *)NtResetEvent;
NTSTATUS(NTAPI *real_NtQueryEvent)(HANDLE, ULONG, void *, ULONG, ULONG *) = (void *)NtQueryEvent;
/* not in every Wine: called only through the stub that was taken over */
NTSTATUS(NTAPI *real_NtCancelSynchronousIoFile)
(HANDLE, IO_STATUS_BLOCK *, IO_STATUS_BLOCK *);
NTSTATUS(NTAPI *real_NtCreateUserProcess)
(HANDLE *, HANDLE *, ACCESS_MASK, ACCESS_MASK, OBJECT_ATTRIBUTES *, OBJECT_ATTRIBUTES *, ULONG,
 ULONG, void *, void *, void *);
NTSTATUS(NTAPI *real_NtAssociateWaitCompletionPacket)
(HANDLE, HANDLE, HANDLE, void *, void *, NTSTATUS, ULONG_PTR, BOOLEAN *);
NTSTATUS(NTAPI *real_NtClearEvent)(HANDLE);
NTSTATUS(NTAPI *real_NtPulseEvent)(HANDLE, LONG *);
NTSTATUS(NTAPI *real_NtSignalAndWaitForSingleObject)
(HANDLE, HANDLE, BOOLEAN, const LARGE_INTEGER *);
NTSTATUS(NTAPI *real_NtReadFileScatter)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, FILE_SEGMENT_ELEMENT *, ULONG,
 LARGE_INTEGER *, ULONG *);
NTSTATUS(NTAPI *real_NtWriteFileGather)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, FILE_SEGMENT_ELEMENT *, ULONG,
 LARGE_INTEGER *, ULONG *);
NTSTATUS(NTAPI *real_NtFsControlFile)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, ULONG, void *, ULONG, void *, ULONG);
NTSTATUS(NTAPI *real_NtNotifyChangeDirectoryFile)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, void *, ULONG, ULONG, BOOLEAN);
NTSTATUS(NTAPI *real_NtLockFile)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, LARGE_INTEGER *, LARGE_INTEGER *,
 ULONG *, BOOLEAN, BOOLEAN);
NTSTATUS(NTAPI *real_NtQueryDirectoryFile)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, void *, ULONG, ULONG, BOOLEAN,
 UNICODE_STRING *, BOOLEAN);
NTSTATUS(NTAPI *real_NtNotifyChangeKey)
(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, ULONG, BOOLEAN, void *, ULONG,
 BOOLEAN);
NTSTATUS(NTAPI *real_NtNotifyChangeMultipleKeys)
(HANDLE, ULONG, OBJECT_ATTRIBUTES *, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, ULONG,
 BOOLEAN, void *, ULONG, BOOLEAN);
NTSTATUS(NTAPI *real_NtSetInformationObject)(HANDLE, ULONG, void *, ULONG);

/* ---- what we take over ---- */

#define TAKE(name, needed)                               \
    {                                                    \
#name, our_##name, (void **)&real_##name, needed \
    }

#define PORTS    1u
#define EVENTS   2u
#define ROUTINES 4u
#define ANCHORS  8u
#define TIMERS   16u

static const struct {
    const char *name;
    void *replacement;
    void **original;
    unsigned needed; /* for what is kept in user mode: all or none of them */
} taken[] = {
    TAKE(NtClose, PORTS | EVENTS | TIMERS),
    TAKE(NtDuplicateObject, PORTS | EVENTS | TIMERS),
    TAKE(NtSetInformationFile, PORTS),
    TAKE(NtQueryInformationFile, 0),
    TAKE(NtQueryVolumeInformationFile, 0),
    TAKE(NtQueryObject, 0),
    TAKE(NtCancelIoFile, 0),
    TAKE(NtCancelIoFileEx, 0),
    TAKE(NtCancelSynchronousIoFile, 0),
    TAKE(NtTerminateThread, 0),
    TAKE(NtWaitForSingleObject, EVENTS | ROUTINES | TIMERS),
    TAKE(NtWaitForMultipleObjects, EVENTS | ROUTINES | TIMERS),
    TAKE(NtCreateFile, 0),
    TAKE(NtOpenFile, 0),
    TAKE(NtDeviceIoControlFile, EVENTS),
    TAKE(NtCreateIoCompletion, PORTS),
    TAKE(NtSetIoCompletion, PORTS),
    TAKE(NtRemoveIoCompletion, PORTS),
    TAKE(NtRemoveIoCompletionEx, PORTS | ROUTINES),
    TAKE(NtSetInformationJobObject, PORTS),
    TAKE(NtAssociateWaitCompletionPacket, 0),
    TAKE(NtDelayExecution, ROUTINES | TIMERS),
    TAKE(NtTestAlert, ROUTINES),
    TAKE(NtCreateEvent, EVENTS),
    TAKE(NtSetEvent, EVENTS),
    TAKE(NtResetEvent, EVENTS),
    TAKE(NtClearEvent, EVENTS),
    TAKE(NtPulseEvent, EVENTS),
    TAKE(NtQueryEvent, EVENTS),
    TAKE(NtSignalAndWaitForSingleObject, EVENTS | ROUTINES | TIMERS),
    TAKE(NtSetTimer, TIMERS),
    TAKE(NtCancelTimer, TIMERS),
    TAKE(NtQueryTimer, TIMERS),
    TAKE(NtReadFile, EVENTS),
    TAKE(NtWriteFile, EVENTS),
    TAKE(NtReadFileScatter, 0),
    TAKE(NtWriteFileGather, 0),
    TAKE(NtFsControlFile, EVENTS),
    TAKE(NtNotifyChangeDirectoryFile, EVENTS),
    TAKE(NtLockFile, EVENTS),
    TAKE(NtQueryDirectoryFile, EVENTS),
    TAKE(NtNotifyChangeKey, EVENTS),
    TAKE(NtNotifyChangeMultipleKeys, 0),
    TAKE(NtSetInformationObject, EVENTS | ANCHORS | TIMERS),
    TAKE(NtCreateUserProcess, ANCHORS),
    TAKE(NtAllocateVirtualMemory, 0),
};

/* The stubs jump into this module for as long as the process lives. */
static bool stay_loaded(void)
{
    HMODULE module;

    return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                  GET_MODULE_HANDLE_EX_FLAG_PIN,
                              (const WCHAR *)(const void *)taken, &module);
}

/* What is in user mode only if all of its calls were taken over, and is not. */
static unsigned take_all(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    unsigned missing = 0, unknown = 0;
    const char *first = NULL;

    for (size_t i = 0; i < ARRAYSIZE(taken); i++) {
        enum stub_result result =
            stub_take(ntdll, taken[i].name, taken[i].replacement, taken[i].original);

        if (result == STUB_UNKNOWN && !unknown++)
            first = taken[i].name;
        if (result != STUB_TAKEN)
            missing |= taken[i].needed;
    }
    if (unknown)
        log_warn(
            "%u of %u system calls of ntdll, %s first, are no plain stubs and left alone: what "
            "comes by them, not by Winsock, does not know sockets",
            unknown, (unsigned)ARRAYSIZE(taken), first);
    return missing;
}

void intercept_all(void)
{
    unsigned missing = ~0u;

    if (stay_loaded()) {
        missing = take_all();
        if (!intercept_user())
            missing |= EVENTS | ROUTINES | TIMERS;
        if (switched_off(L"RINGSOCK_FASTEVENT"))
            missing |= EVENTS | ROUTINES;
        if (switched_off(L"RINGSOCK_FASTTIMER"))
            missing |= TIMERS;
        if (switched_off(L"RINGSOCK_FASTPORT"))
            missing |= PORTS;
    } else
        log_warn("cannot pin the module, error %lu: system calls are left alone", GetLastError());
    port_table_init(!(missing & PORTS));
    event_table_init(!(missing & EVENTS));
    handoff_events_init(!(missing & EVENTS));
    routines_init(!(missing & ROUTINES));
    sleep_timers_init(!(missing & TIMERS));
    anchor_pool_init(!(missing & ANCHORS));
}
