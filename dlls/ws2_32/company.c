/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Knowing Wine's own DLLs (see company.h).  Owns nothing, takes no lock of ours.
 */
#include "company.h"
#include "session.h"
#include "startup.h"

/* winebuild writes this behind the DOS header of every builtin. */
#define BUILTIN_MARK        "Wine builtin DLL"
#define BUILTIN_MARK_OFFSET 0x40

bool company_calls(const void *return_address)
{
    PVOID module = NULL, self = NULL;

    if (!RtlPcToFileHeader((PVOID)return_address, &module))
        return false;
    RtlPcToFileHeader((PVOID)company_calls, &self);
    return module == self ||
           !memcmp((const char *)module + BUILTIN_MARK_OFFSET, BUILTIN_MARK, sizeof(BUILTIN_MARK));
}

bool company_startup_check(const void *return_address)
{
    struct session *session;

    if (startup_check())
        return true;
    return company_calls(return_address) && !session_open(&session);
}
