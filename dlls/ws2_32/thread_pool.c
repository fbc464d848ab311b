/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work on the process's thread pool (see thread_pool.h).  Owns nothing, takes no lock.
 */
#include "thread_pool.h"

void thread_pool_environment(TP_CALLBACK_ENVIRON *environment)
{
    HMODULE self;

    InitializeThreadpoolEnvironment(environment);
    if (GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                               GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           (const WCHAR *)thread_pool_environment, &self))
        SetThreadpoolCallbackLibrary(environment, self);
}

bool thread_pool_submit(void(CALLBACK *callback)(TP_CALLBACK_INSTANCE *, void *), void *context)
{
    TP_CALLBACK_ENVIRON environment;

    thread_pool_environment(&environment);
    return TrySubmitThreadpoolCallback(callback, context, &environment);
}
