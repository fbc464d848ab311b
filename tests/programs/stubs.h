/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing the system-call stubs of ntdll as programs do that bring their own hooks.
 *
 * A stub's first whole instructions of five bytes or more are its entry; what hook libraries put
 * there is a jump of five bytes.  "The trampoline consists of the instructions removed from the
 * target function and an unconditional branch to the remainder of the target function"
 * (Interception of Binary Functions, Detours' wiki).  Every function is static and reports its own
 * failures as checks.
 */
#ifndef RINGSOCK_TESTS_STUBS_H
#define RINGSOCK_TESTS_STUBS_H

#include "ringsock_test.h"

#if defined(__x86_64__)
#define ENTRY_BYTES 8u
#else
#define ENTRY_BYTES 5u
#endif
#define JUMP_BYTES 5u
#define CODE_BYTES 64u

/* Code for one hook, within reach of a jump from ntdll. */
static RT_UNUSED unsigned char *stub_code(void)
{
    static unsigned char *page;
    static size_t used;
    ULONG_PTR at = (ULONG_PTR)GetModuleHandleA("ntdll.dll");

    while (!page && (at -= 0x10000) > 0x10000)
        page = VirtualAlloc((void *)at, 0x1000, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    ok(page && used + CODE_BYTES <= 0x1000, "no room for code\n");
    if (!page)
        exit(1);
    used += CODE_BYTES;
    return page + used - CODE_BYTES;
}

/* Up to eight bytes at once: other threads call it meanwhile. */
static RT_UNUSED void stub_write(unsigned char *stub, const void *bytes, size_t count)
{
    LONG64 old, fresh;
    DWORD protection;

    ok(VirtualProtect(stub, sizeof(old), PAGE_EXECUTE_READWRITE, &protection), "error %lu\n",
       GetLastError());
    memcpy(&old, stub, sizeof(old));
    fresh = old;
    memcpy(&fresh, bytes, count);
    InterlockedExchange64((LONG64 volatile *)stub, fresh);
    VirtualProtect(stub, sizeof(old), protection, &protection);
    FlushInstructionCache(GetCurrentProcess(), stub, sizeof(old));
}

static RT_UNUSED unsigned char *stub_jump(unsigned char *code, const unsigned char *from,
                                          const unsigned char *to)
{
    LONG distance = (LONG)(to - (from + JUMP_BYTES));

    code[0] = 0xe9;
    memcpy(code + 1, &distance, sizeof(distance));
    return code + JUMP_BYTES;
}

#endif
