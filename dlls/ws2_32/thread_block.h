/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GetLastError, SetLastError and TlsGetValue without the call, where calls of others come by that
 * cost little more: kernel32.dll's go through three modules, and none of that is in the cache after
 * a request to wineserver.  The places in the TEB are Windows' and Wine's.
 */
#ifndef RINGSOCK_THREAD_BLOCK_H
#define RINGSOCK_THREAD_BLOCK_H

#include "winsock.h"

/* NtCurrentTeb, which gcc 12 takes for a look at address 0. */
static inline char *thread_block(void)
{
    char *block;

#if defined(__x86_64__)
    __asm__("movq %%gs:0x30, %0" : "=r"(block));
#else
    __asm__("movl %%fs:0x18, %0" : "=r"(block));
#endif
    return block;
}

#define LAST_ERROR (sizeof(void *) == 8 ? 0x68 : 0x34)

static inline DWORD last_error(void)
{
    return *(DWORD *)(thread_block() + LAST_ERROR);
}

static inline void last_error_set(DWORD error)
{
    *(DWORD *)(thread_block() + LAST_ERROR) = error;
}

/* Leaves the last error alone, which TlsGetValue clears. */
static inline void *thread_value(DWORD index)
{
    DWORD error;
    void *value;

    if (index < TLS_MINIMUM_AVAILABLE)
        return ((TEB *)thread_block())->TlsSlots[index];
    error = last_error();
    value = TlsGetValue(index);
    last_error_set(error);
    return value;
}

#endif
