/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which thread has which waiter (see waiter.h).  Owns the waiters of all threads, for ever: they go
 * from one thread to another.  Takes its own free-list lock, and a waiter's lock, alone.
 */
#include "waiter.h"
#include "blocking_hook.h"
#include "intercept.h"
#include "log.h"
#include "ntcalls.h"
#include "routine.h"
#include "thread_block.h"

static DWORD tls_index = TLS_OUT_OF_INDEXES;
static SRWLOCK free_lock = SRWLOCK_INIT;
/* Waiters of threads that have ended, with a slot and without: those who have one go first.  Never
 * freed. */
static struct waiter *free_list, *free_slotless;
static struct waiter *volatile all_waiters;
/* Waiters of threads that called Winsock after DLL_THREAD_DETACH, as destructors of a program's
 * threads may: nobody tells when those end. */
static struct waiter *late_list;
static const char thread_detached; /* its address in the slot of such a thread, before it does */
static LONG64 volatile last_serial;

bool waiter_init(void)
{
    tls_index = TlsAlloc();
    return tls_index != TLS_OUT_OF_INDEXES;
}

/* One whose thread has ended meanwhile.  Called with free_lock held. */
static struct waiter *take_late(void)
{
    LARGE_INTEGER now = {.QuadPart = 0};
    struct waiter *waiter, **link = &late_list;

    while ((waiter = *link) && (waiter->pending_operations > 0 ||
                                real_NtWaitForSingleObject(waiter->thread, FALSE, &now)))
        link = &waiter->next_free;
    if (waiter)
        *link = waiter->next_free;
    return waiter;
}

static void waiter_free(struct waiter *waiter)
{
    struct waiter **list = waiter->slot ? &free_list : &free_slotless;

    blocking_hook_forget(waiter);
    if (waiter->thread)
        real_NtClose(waiter->thread);
    waiter->thread = NULL;
    AcquireSRWLockExclusive(&free_lock);
    waiter->next_free = *list;
    *list = waiter;
    ReleaseSRWLockExclusive(&free_lock);
}

static void free_late(void)
{
    struct waiter *waiter;

    do {
        AcquireSRWLockExclusive(&free_lock);
        waiter = take_late();
        ReleaseSRWLockExclusive(&free_lock);
        if (waiter) {
            routines_end(waiter);
            waiter_free(waiter);
        }
    } while (waiter);
}

static struct waiter *waiter_take_free(void)
{
    struct waiter *waiter, **list;

    if (late_list)
        free_late();
    AcquireSRWLockExclusive(&free_lock);
    list = free_list ? &free_list : &free_slotless;
    if ((waiter = *list))
        *list = waiter->next_free;
    ReleaseSRWLockExclusive(&free_lock);
    return waiter;
}

static struct waiter *waiter_make(void)
{
    struct waiter *waiter = calloc(1, sizeof(*waiter));

    if (!waiter)
        return NULL;
    waiter->shared = &waiter->local;
    if (!(waiter->event = CreateEventW(NULL, FALSE, FALSE, NULL))) {
        free(waiter);
        return NULL;
    }
    do
        waiter->next_made = all_waiters;
    while (InterlockedCompareExchangePointer((void *volatile *)&all_waiters, waiter,
                                             waiter->next_made) != waiter->next_made);
    return waiter;
}

/* False: it could not be told when the thread ends. */
static bool register_late(struct waiter *waiter)
{
    if (!DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                         &waiter->thread, THREAD_SET_CONTEXT | SYNCHRONIZE, FALSE, 0))
        return false;
    AcquireSRWLockExclusive(&free_lock);
    waiter->next_free = late_list;
    late_list = waiter;
    ReleaseSRWLockExclusive(&free_lock);
    return true;
}

static struct waiter *waiter_assign(void)
{
    struct waiter *waiter = waiter_take_free();

    if (!waiter && !(waiter = waiter_make()))
        return NULL;
    waiter->thread_id = GetCurrentThreadId();
    waiter->alerted = GetTickCount();
    AcquireSRWLockExclusive(&waiter->lock);
    waiter->serial = (uint64_t)InterlockedIncrement64(&last_serial);
    ReleaseSRWLockExclusive(&waiter->lock);
    if (thread_value(tls_index) == &thread_detached && !register_late(waiter))
        log_once(LOG_WARN, "a thread that has ended keeps its waiter: error %lu", GetLastError());
    TlsSetValue(tls_index, waiter);
    return waiter;
}

struct waiter *waiter_existing(void)
{
    struct waiter *waiter = thread_value(tls_index);

    return waiter == (const void *)&thread_detached ? NULL : waiter;
}

struct waiter *waiter_current(void)
{
    struct waiter *waiter = waiter_existing();

    return waiter ? waiter : waiter_assign();
}

void waiter_detach(struct waiter *waiter)
{
    TlsSetValue(tls_index, (void *)&thread_detached);
    if (waiter)
        waiter_free(waiter);
}

/* 0: not of this process.  The handle may have other rights than this needs. */
static DWORD own_thread_id(HANDLE thread)
{
    struct thread_information information;
    NTSTATUS status = NtQueryInformationThread(thread, ThreadBasicInformation, &information,
                                               sizeof(information), NULL);
    HANDLE copy;

    if (status == STATUS_ACCESS_DENIED &&
        !real_NtDuplicateObject(GetCurrentProcess(), thread, GetCurrentProcess(), &copy,
                                THREAD_QUERY_INFORMATION, 0, 0)) {
        status = NtQueryInformationThread(copy, ThreadBasicInformation, &information,
                                          sizeof(information), NULL);
        real_NtClose(copy);
    }
    if (status || (DWORD)(ULONG_PTR)information.client.UniqueProcess != GetCurrentProcessId())
        return 0;
    return (DWORD)(ULONG_PTR)information.client.UniqueThread;
}

struct waiter *waiter_of_thread(HANDLE thread)
{
    DWORD id = own_thread_id(thread);
    struct waiter *waiter = id ? all_waiters : NULL;

    while (waiter && !(waiter->thread_id == id && waiter->serial))
        waiter = waiter->next_made;
    return waiter;
}

HANDLE waiter_thread(struct waiter *waiter)
{
    if (!waiter->thread)
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                        &waiter->thread, THREAD_SET_CONTEXT, FALSE, 0);
    return waiter->thread;
}
