/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSASetBlockingHook, WSAUnhookBlockingHook, WSAIsBlocking, WSACancelBlockingCall: the
 * pseudo-blocking of Winsock 1.1, for processes that negotiated version 1.x.  Owns the hook words
 * of each waiter, which only the waiter's own thread looks at; takes no locks; startup.c keeps
 * other calls out while a hook runs.
 *
 * Sources: Microsoft's "Windows Sockets 1.1 Blocking Routines and EINPROGRESS", "Blocking Hook" and
 * WSPCancelBlockingCall; the Windows Sockets 2 API specification 2.2, WSASetBlockingHook and its
 * neighbours.  From them:
 *  - the four calls are "only available for WinSock 1.1 apps (that is, if at least one thread
 * within the process negotiates version 1.0 or 1.1 at WSAStartup())";
 *  - "There is no default blocking hook installed in preemptive multithreaded versions of Windows":
 *    a thread without a hook simply waits.  There is a default hook all the same, as what the
 *    first WSASetBlockingHook returns, and its body is given: one message, TRUE if there was one;
 *  - the hook is per thread; it is called if the routine can block, the socket is a blocking one
 * and "the request cannot be completed immediately"; while it returns TRUE it is called again.
 */
#include "blocking_hook.h"
#include "guarded_copy.h"
#include "startup.h"

/* How long a hook may wait for its next turn when nothing comes: it is what keeps a window alive.
 */
#define HOOK_PERIOD_MS 20

LONG volatile blocking_hooks;

/* ---- the default hook ---- */

/* Of user32.dll if the process has it: without it no thread has a message queue. */
static INT_PTR WINAPI default_hook(void)
{
    HMODULE user32 = GetModuleHandleW(L"user32.dll");
    BOOL(WINAPI * peek)(MSG *, HWND, UINT, UINT, UINT);
    BOOL(WINAPI * translate)(const MSG *);
    LRESULT(WINAPI * dispatch)(const MSG *);
    MSG message;

    if (!user32)
        return FALSE;
    peek = (void *)GetProcAddress(user32, "PeekMessageA");
    translate = (void *)GetProcAddress(user32, "TranslateMessage");
    dispatch = (void *)GetProcAddress(user32, "DispatchMessageA");
    if (!peek || !translate || !dispatch || !peek(&message, NULL, 0, 0, PM_REMOVE))
        return FALSE;
    translate(&message);
    dispatch(&message);
    return TRUE;
}

/* ---- waiting ---- */

/* "for(;;) { while(BlockingHook()) ; if(operation_cancelled()) break; ...": false for that break.
 */
static bool run_hook(struct waiter *waiter)
{
    bool more;

    waiter->cancelled = false;
    waiter->in_hook = true;
    startup_hook_begins();
    do
        more = (BOOL)waiter->hook();
    while (more && !waiter->cancelled);
    startup_hook_ended();
    waiter->in_hook = false;
    return !waiter->cancelled;
}

enum waiter_result blocking_hook_wait(struct waiter *waiter, uint64_t deadline, bool alertable)
{
    uint64_t turn;
    enum waiter_result result;

    if (!waiter->hook || waiter->in_hook)
        return waiter_wait(waiter, deadline, alertable);
    if (!run_hook(waiter))
        return WAITER_CANCELLED;
    turn = waiter_deadline(HOOK_PERIOD_MS);
    result = waiter_wait(waiter, turn < deadline ? turn : deadline, alertable);
    return result == WAITER_TIMEOUT && turn < deadline ? WAITER_SIGNALED : result;
}

bool blocking_hook_runs(void)
{
    struct waiter *waiter = waiter_current();

    return waiter && waiter->in_hook;
}

/* ---- installing ---- */

static void set_hook(struct waiter *waiter, FARPROC hook)
{
    if (hook && !waiter->hook)
        InterlockedIncrement(&blocking_hooks);
    else if (!hook && waiter->hook)
        InterlockedDecrement(&blocking_hooks);
    waiter->hook = hook;
}

void blocking_hook_forget(struct waiter *waiter)
{
    set_hook(waiter, NULL);
    if (waiter->in_hook) /* ExitThread from within it */
        startup_hook_ended();
    waiter->in_hook = false;
}

/* The calling thread's waiter, or NULL and the error. */
static struct waiter *version_1_thread(DWORD *error)
{
    struct waiter *waiter = NULL;

    *error = 0;
    if (!startup_is_version_1())
        *error = WSAEOPNOTSUPP; /* "the caller is using Winsock 2" */
    else if (!(waiter = waiter_current()))
        *error = WSAENOBUFS;
    return waiter;
}

FARPROC WSAAPI WSASetBlockingHook(FARPROC hook)
{
    struct waiter *waiter;
    FARPROC previous = NULL;
    char byte;
    DWORD error;

    if (!startup_check())
        return NULL;
    if ((waiter = version_1_thread(&error)) && guarded_copy(&byte, (void *)hook, 1))
        error = WSAEFAULT;
    if (!error) {
        previous = waiter->hook ? waiter->hook : default_hook;
        set_hook(waiter, hook == default_hook ? NULL : hook);
    } else
        SetLastError(error);
    return previous;
}

int WSAAPI WSAUnhookBlockingHook(void)
{
    struct waiter *waiter;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if ((waiter = version_1_thread(&error)))
        set_hook(waiter, NULL);
    return return_error(error);
}

/* ---- inside of a hook: the two calls that are allowed "at any time" ---- */

BOOL WSAAPI WSAIsBlocking(void)
{
    return blocking_hooks && blocking_hook_runs();
}

int WSAAPI WSACancelBlockingCall(void)
{
    struct waiter *waiter;
    DWORD error;

    if (!startup_is_initialised())
        return return_error(WSANOTINITIALISED);
    if ((waiter = version_1_thread(&error))) {
        if (waiter->in_hook)
            waiter->cancelled = true;
        else
            error = WSAEINVAL; /* "there is no outstanding blocking call" */
    }
    return return_error(error);
}
