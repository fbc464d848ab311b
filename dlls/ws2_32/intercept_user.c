/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MsgWaitForMultipleObjects waits by a system call of win32u.dll's, which does not come by ntdll's.
 * It is taken over as those are (stub.h), when win32u.dll comes.
 *
 * Owns nothing, takes what kernel_wait_begin takes.
 */
#include "fast_event.h"
#include "handles.h"
#include "handoff_event.h"
#include "intercept.h"
#include "log.h"
#include "routine.h"
#include "sleep_timer.h"
#include "stub.h"

#define LOADED 1u /* LDR_DLL_NOTIFICATION_REASON_LOADED */

struct loaded_dll { /* LDR_DLL_LOADED_NOTIFICATION_DATA */
    ULONG flags;
    const UNICODE_STRING *full_name, *name;
    void *base;
    ULONG size;
};

typedef void(CALLBACK *dll_notification)(ULONG reason, const struct loaded_dll *dll, void *context);

static DWORD(NTAPI *real_NtUserMsgWaitForMultipleObjectsEx)(DWORD, const HANDLE *, DWORD, DWORD,
                                                            DWORD);

static DWORD NTAPI our_NtUserMsgWaitForMultipleObjectsEx(DWORD count, const HANDLE *handles,
                                                         DWORD timeout, DWORD mask, DWORD flags)
{
    struct waiter *waiter = flags & MWMO_ALERTABLE ? waiter_existing() : NULL;
    struct kernel_wait wait;
    DWORD result;

    if (count >= MAXIMUM_WAIT_OBJECTS || RtlDllShutdownInProgress())
        return real_NtUserMsgWaitForMultipleObjectsEx(count, handles, timeout, mask, flags);
    for (DWORD i = 0; i < count; i++)
        handle_give_back(handles[i]);
    kernel_wait_begin(&wait, count, handles);
    alertable_begin(waiter);
    result = real_NtUserMsgWaitForMultipleObjectsEx(count, handles, timeout, mask, flags);
    alertable_end(waiter);
    kernel_wait_end(&wait, !(flags & MWMO_WAITALL), (NTSTATUS)result);
    return result;
}

static void take_over(HMODULE win32u)
{
    if (!real_NtUserMsgWaitForMultipleObjectsEx &&
        stub_take(win32u, "NtUserMsgWaitForMultipleObjectsEx",
                  our_NtUserMsgWaitForMultipleObjectsEx,
                  (void **)&real_NtUserMsgWaitForMultipleObjectsEx) != STUB_TAKEN) {
        log_warn("NtUserMsgWaitForMultipleObjectsEx is no plain system call: left alone");
        event_table_init(false);
        routines_init(false);
        sleep_timers_init(false);
        handoff_events_init(false);
    }
}

static void CALLBACK dll_comes(ULONG reason, const struct loaded_dll *dll, void *unused)
{
    (void)unused;
    if (reason == LOADED && dll->name->Length == sizeof(L"win32u.dll") - sizeof(WCHAR) &&
        !_wcsnicmp(dll->name->Buffer, L"win32u.dll", dll->name->Length / sizeof(WCHAR)))
        take_over(dll->base);
}

bool intercept_user(void)
{
    HMODULE win32u = GetModuleHandleW(L"win32u.dll");
    NTSTATUS(NTAPI * ask)(ULONG, dll_notification, void *, void **);
    void *cookie;

    if (win32u) {
        take_over(win32u);
        return true;
    }
    ask = (void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "LdrRegisterDllNotification");
    return ask && !ask(0, dll_comes, NULL, &cookie);
}
