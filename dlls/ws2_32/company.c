/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Knowing Wine's own DLLs (see company.h).  Owns nothing, takes no lock of ours.
 */
#include "company.h"
#include "relay.h"
#include "session.h"
#include "startup.h"
#include "thread_slot.h"

/* winebuild writes this behind the DOS header of every builtin. */
#define BUILTIN_MARK        "Wine builtin DLL"
#define BUILTIN_MARK_OFFSET 0x40

static struct thread_slot caller_of_relay;

const void *relay_enter(const void *caller)
{
    const void *outer = thread_slot_get(&caller_of_relay);

    thread_slot_set(&caller_of_relay, (void *)caller);
    return outer;
}

bool company_calls(const void *return_address)
{
    PVOID module = NULL, self = NULL;

    RtlPcToFileHeader((PVOID)company_calls, &self);
    if (!RtlPcToFileHeader((PVOID)return_address, &module))
        return false;
    if (module == self && !RtlPcToFileHeader(thread_slot_get(&caller_of_relay), &module))
        return false;
    return !memcmp((const char *)module + BUILTIN_MARK_OFFSET, BUILTIN_MARK, sizeof(BUILTIN_MARK));
}

bool company_startup_check(const void *return_address)
{
    struct session *session;

    if (startup_check())
        return true;
    return company_calls(return_address) && !session_open(&session);
}
