/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DllMain: what must stand before the program's first call, and what a thread leaves behind.
 * Makes no session: that happens on first use (WSAStartup).
 */
#include "guarded_copy.h"
#include "intercept.h"
#include "log.h"
#include "socket_life.h"
#include "waiter.h"

static void cancel_of_thread(struct socket *socket, void *context)
{
    socket_cancel(socket, context);
}

/* WSARecv.txt: "All I/O initiated by a given thread is canceled when that thread exits." */
static void thread_ends(void)
{
    struct operation_filter filter = {.thread_id = GetCurrentThreadId(), .thread_exit = true};
    struct waiter *waiter = waiter_current();

    if (waiter && waiter->pending_operations > 0)
        socket_for_each(cancel_of_thread, &filter);
    waiter_thread_detach();
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved);

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance;
    (void)reserved;
    switch (reason) {
    case DLL_PROCESS_ATTACH:
        log_init();
        if (!waiter_init() || !guarded_copy_init())
            return FALSE;
        intercept_all();
        break;
    case DLL_THREAD_DETACH:
        thread_ends();
        break;
    }
    return TRUE;
}
