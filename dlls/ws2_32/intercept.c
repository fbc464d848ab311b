/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking over system-call stubs of ntdll (see intercept.h).
 *
 * Owns: the page with the copies of the stubs and the list of calls that we take over.  Takes no
 * lock; all of it runs once, in DllMain, under the loader's lock.
 *
 * The stubs are position independent: they reach the dispatcher through an absolute address.  So a
 * copy works anywhere, and a jump in place of the original needs no disassembler.  Anything that
 * does not look exactly so (an unknown Wine, or somebody was here before us) is left alone.
 */
#include "intercept.h"
#include "anchor_pool.h"
#include "fast_event.h"
#include "handles.h"
#include "log.h"
#include "port_table.h"
#include "routine.h"

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

/* ---- the shape of a stub ---- */

#define ANY 0x100 /* a byte that differs from call to call */

#if defined(__x86_64__)
static const unsigned short shape[] = {
    0x4c, 0x8b, 0xd1,                               /* mov r10, rcx */
    0xb8, ANY,  ANY,  ANY,  ANY,                    /* mov eax, number */
    0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, /* test byte [0x7ffe0308], 1 */
    0x75, 0x03, 0x0f, 0x05, 0xc3,                   /* jnz +3; syscall; ret */
    0xeb, 0x01, 0xc3,                               /* jmp +1; ret */
    0xff, 0x14, 0x25, 0x00, 0x10, 0xfe, 0x7f, 0xc3, /* call [0x7ffe1000]; ret */
};
#define JUMP_BYTES 14u
#elif defined(__i386__)
static const unsigned short shape[] = {
    0xb8, ANY,  ANY,  ANY, ANY, /* mov eax, number */
    0xba, ANY,  ANY,  ANY, ANY, /* mov edx, dispatcher */
    0xff, 0xd2,                 /* call edx */
    0xc2, ANY,  0x00,           /* ret bytes of arguments */
};
#define JUMP_BYTES 5u
#else
#error "no shape of a system-call stub is known for this architecture"
#endif

#define STUB_BYTES  ARRAYSIZE(shape)
#define STUB_STRIDE 32u /* of the copies: their entries stay aligned */
#define PAGE_BYTES  4096u
_Static_assert(STUB_BYTES <= STUB_STRIDE, "a copy fits");

static bool has_shape(const unsigned char *stub)
{
    size_t i;

    for (i = 0; i < STUB_BYTES; i++)
        if (shape[i] != ANY && shape[i] != stub[i])
            return false;
    return true;
}

/* ---- the copies ---- */

static unsigned char *copies;
static size_t copies_used;

/* A callable copy, or NULL.  Earlier copies stay executable meanwhile: they are in use. */
static void *copy_stub(const unsigned char *stub)
{
    unsigned char *copy;
    DWORD old;

    if (!copies && !(copies = VirtualAlloc(NULL, PAGE_BYTES, MEM_COMMIT | MEM_RESERVE,
                                           PAGE_EXECUTE_READWRITE)))
        return NULL;
    if (copies_used + STUB_STRIDE > PAGE_BYTES ||
        !VirtualProtect(copies, PAGE_BYTES, PAGE_EXECUTE_READWRITE, &old))
        return NULL;
    copy = copies + copies_used;
    memset(copy, 0xcc, STUB_STRIDE);
    memcpy(copy, stub, STUB_BYTES);
    copies_used += STUB_STRIDE;
    VirtualProtect(copies, PAGE_BYTES, PAGE_EXECUTE_READ, &old);
    FlushInstructionCache(GetCurrentProcess(), copy, STUB_STRIDE);
    return copy;
}

/* ---- the jump ---- */

static void make_jump(unsigned char jump[JUMP_BYTES], const unsigned char *stub, void *target)
{
#if defined(__x86_64__)
    static const unsigned char indirect[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp [rip + 0] */

    (void)stub;
    memcpy(jump, indirect, sizeof(indirect));
    memcpy(jump + sizeof(indirect), &target, sizeof(target));
#else
    ULONG_PTR distance = (ULONG_PTR)target - ((ULONG_PTR)stub + JUMP_BYTES);

    jump[0] = 0xe9; /* jmp rel32 */
    memcpy(jump + 1, &distance, sizeof(distance));
#endif
}

/* One store, so that a thread which enters the stub meanwhile sees the old code or the new.  (One
 * that stands between its first two instructions on x86_64 is lost; at this time other threads are
 * rare and the stub is two instructions away from the system call.) */
static void store_code(unsigned char *stub, const unsigned char *code)
{
#if defined(__x86_64__)
    if (!((ULONG_PTR)stub % 16)) {
        ULONG64 old[2], fresh[2];

        memcpy(old, stub, sizeof(old));
        memcpy(fresh, stub, sizeof(fresh));
        memcpy(fresh, code, JUMP_BYTES);
        __asm__ volatile("lock cmpxchg16b %0"
                         : "+m"(*(volatile ULONG64(*)[2])stub), "+a"(old[0]), "+d"(old[1])
                         : "b"(fresh[0]), "c"(fresh[1])
                         : "cc", "memory");
        return;
    }
    memcpy(stub + 8, code + 8, JUMP_BYTES - 8);
#endif
    {
        LONG64 old, fresh;

        memcpy(&old, stub, sizeof(old));
        fresh = old;
        memcpy(&fresh, code, JUMP_BYTES < sizeof(fresh) ? JUMP_BYTES : sizeof(fresh));
        InterlockedCompareExchange64((LONG64 volatile *)stub, fresh, old);
    }
}

bool intercept(const char *name, void *replacement, void **original)
{
    return intercept_in(GetModuleHandleW(L"ntdll.dll"), name, replacement, original);
}

bool intercept_in(HMODULE module, const char *name, void *replacement, void **original)
{
    unsigned char *stub = (void *)GetProcAddress(module, name);
    unsigned char jump[JUMP_BYTES];
    void *copy;
    DWORD old;

    if (!stub)
        return false;
    if (!has_shape(stub)) {
        log_warn("%s is not a plain system-call stub: left alone", name);
        *original = stub;
        return false;
    }
    if (!(copy = copy_stub(stub)) ||
        !VirtualProtect(stub, STUB_BYTES, PAGE_EXECUTE_READWRITE, &old)) {
        log_warn("%s cannot be taken over: error %lu", name, GetLastError());
        *original = stub;
        return false;
    }
    *original = copy; /* first: from the store on, calls arrive at the replacement */
    make_jump(jump, stub, replacement);
    store_code(stub, jump);
    VirtualProtect(stub, STUB_BYTES, old, &old);
    FlushInstructionCache(GetCurrentProcess(), stub, STUB_BYTES);
    return true;
}

/* ---- what we take over ---- */

#define TAKE(name, needed)                               \
    {                                                    \
#name, our_##name, (void **)&real_##name, needed \
    }

#define PORTS    1u
#define EVENTS   2u
#define ROUTINES 4u
#define ANCHORS  8u

static const struct {
    const char *name;
    void *replacement;
    void **original;
    unsigned needed; /* for what is kept in user mode: all or none of them */
} taken[] = {
    TAKE(NtClose, PORTS | EVENTS),
    TAKE(NtDuplicateObject, PORTS | EVENTS),
    TAKE(NtSetInformationFile, PORTS),
    TAKE(NtQueryInformationFile, 0),
    TAKE(NtCancelIoFile, 0),
    TAKE(NtCancelIoFileEx, 0),
    TAKE(NtCancelSynchronousIoFile, 0),
    TAKE(NtTerminateThread, 0),
    TAKE(NtWaitForSingleObject, EVENTS | ROUTINES),
    TAKE(NtWaitForMultipleObjects, EVENTS | ROUTINES),
    TAKE(NtCreateFile, 0),
    TAKE(NtOpenFile, 0),
    TAKE(NtDeviceIoControlFile, EVENTS),
    TAKE(NtCreateIoCompletion, PORTS),
    TAKE(NtSetIoCompletion, PORTS),
    TAKE(NtRemoveIoCompletion, PORTS),
    TAKE(NtRemoveIoCompletionEx, PORTS | ROUTINES),
    TAKE(NtSetInformationJobObject, PORTS),
    TAKE(NtAssociateWaitCompletionPacket, 0),
    TAKE(NtDelayExecution, ROUTINES),
    TAKE(NtTestAlert, ROUTINES),
    TAKE(NtCreateEvent, EVENTS),
    TAKE(NtSetEvent, EVENTS),
    TAKE(NtResetEvent, EVENTS),
    TAKE(NtClearEvent, EVENTS),
    TAKE(NtPulseEvent, EVENTS),
    TAKE(NtQueryEvent, EVENTS),
    TAKE(NtSignalAndWaitForSingleObject, EVENTS | ROUTINES),
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
    TAKE(NtSetInformationObject, EVENTS | ANCHORS),
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

static bool switched_off(const WCHAR *variable)
{
    WCHAR value[4];

    return GetEnvironmentVariableW(variable, value, ARRAYSIZE(value)) == 1 && value[0] == '0';
}

void intercept_all(void)
{
    unsigned missing = 0;
    size_t i;

    if (!stay_loaded()) {
        log_warn("cannot pin the module, error %lu: system calls are left alone", GetLastError());
        port_table_init(false);
        event_table_init(false);
        routines_init(false);
        anchor_pool_init(false);
        return;
    }
    for (i = 0; i < ARRAYSIZE(taken); i++)
        if (!intercept(taken[i].name, taken[i].replacement, taken[i].original))
            missing |= taken[i].needed;
    if (!intercept_user() || switched_off(L"RINGSOCK_FASTEVENT"))
        missing |= EVENTS | ROUTINES;
    port_table_init(!(missing & PORTS) && !switched_off(L"RINGSOCK_FASTPORT"));
    event_table_init(!(missing & EVENTS));
    routines_init(!(missing & ROUTINES));
    anchor_pool_init(!(missing & ANCHORS));
}
