/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DllMain: what must stand before the program's first call, and what a thread leaves behind.
 * Makes no session: that happens on first use (WSAStartup).
 */
#include "guarded_copy.h"
#include "intercept.h"
#include "log.h"
#include "share.h"
#include "thread_end.h"
#include "waiter.h"

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
        share_standard_init();
        intercept_all();
        break;
    case DLL_THREAD_DETACH:
        thread_ends();
        break;
    }
    return TRUE;
}
