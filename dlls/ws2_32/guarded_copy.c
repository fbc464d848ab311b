/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accesses whose faults are survived (see guarded_copy.h).  Owns one vectored exception handler.
 *
 * The accesses are done by instructions between two labels, NAME_at and NAME_after, which touch no
 * register that the caller keeps and no stack; a fault in them goes on at another label.  So the
 * good case costs nothing.  The long copy counts down the bytes that are left, and returns that.
 */
#include "guarded_copy.h"

bool __cdecl guarded_touch(void *address);

#define LABEL(name) extern const char name[]
LABEL(guarded_copy_at);
LABEL(guarded_copy_after);
LABEL(guarded_load_at);
LABEL(guarded_load_after);
LABEL(guarded_load_pointer_at);
LABEL(guarded_load_pointer_after);
LABEL(guarded_store_at);
LABEL(guarded_store_after);
LABEL(guarded_store_pointer_at);
LABEL(guarded_store_pointer_after);
LABEL(guarded_probe_at);
LABEL(guarded_probe_after);
LABEL(guarded_touch_at);
LABEL(guarded_touch_after);
LABEL(guarded_failed);
#ifdef __x86_64__
LABEL(guarded_short_copy_at);
LABEL(guarded_short_copy_after);
LABEL(guarded_short_copy_failed);
#endif

/* On i386 a pointer is a DWORD: there the two functions for pointers jump to those for DWORDs, and
 * nothing lies between their labels. */
struct guarded {
    const char *at, *after, *landing;
};

static const struct guarded guarded[] = {
    {guarded_copy_at, guarded_copy_after, guarded_copy_after},
    {guarded_load_at, guarded_load_after, guarded_failed},
    {guarded_load_pointer_at, guarded_load_pointer_after, guarded_failed},
    {guarded_store_at, guarded_store_after, guarded_failed},
    {guarded_store_pointer_at, guarded_store_pointer_after, guarded_failed},
    {guarded_probe_at, guarded_probe_after, guarded_failed},
    {guarded_touch_at, guarded_touch_after, guarded_failed},
#ifdef __x86_64__
    {guarded_short_copy_at, guarded_short_copy_after, guarded_short_copy_failed},
#endif
};

#ifdef __x86_64__
#define PROGRAM_COUNTER Rip
__asm__(".text\n"
        ".globl guarded_copy\n"
        "guarded_copy:\n"
        "    cmpq $16, %r8\n"
        "    jbe guarded_short_copy\n"
        "    pushq %rdi\n"
        "    pushq %rsi\n"
        "    movq %rcx, %rdi\n"
        "    movq %rdx, %rsi\n"
        "    movq %r8, %rcx\n"
        ".globl guarded_copy_at\n"
        "guarded_copy_at:\n"
        "    rep movsb\n"
        ".globl guarded_copy_after\n"
        "guarded_copy_after:\n"
        "    movq %rcx, %rax\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    ret\n"
        ".globl guarded_load\n"
        "guarded_load:\n"
        ".globl guarded_load_at\n"
        "guarded_load_at:\n"
        "    movl (%rcx), %eax\n"
        ".globl guarded_load_after\n"
        "guarded_load_after:\n"
        "    movl %eax, (%rdx)\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl guarded_load_pointer\n"
        "guarded_load_pointer:\n"
        ".globl guarded_load_pointer_at\n"
        "guarded_load_pointer_at:\n"
        "    movq (%rcx), %rax\n"
        ".globl guarded_load_pointer_after\n"
        "guarded_load_pointer_after:\n"
        "    movq %rax, (%rdx)\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl guarded_store\n"
        "guarded_store:\n"
        ".globl guarded_store_at\n"
        "guarded_store_at:\n"
        "    movl %edx, (%rcx)\n"
        ".globl guarded_store_after\n"
        "guarded_store_after:\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl guarded_store_pointer\n"
        "guarded_store_pointer:\n"
        ".globl guarded_store_pointer_at\n"
        "guarded_store_pointer_at:\n"
        "    movq %rdx, (%rcx)\n"
        ".globl guarded_store_pointer_after\n"
        "guarded_store_pointer_after:\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl guarded_probe\n"
        "guarded_probe:\n"
        ".globl guarded_probe_at\n"
        "guarded_probe_at:\n"
        "    movl (%rcx), %eax\n"
        "    movl %eax, (%rcx)\n"
        ".globl guarded_probe_after\n"
        "guarded_probe_after:\n"
        "    movl %eax, (%rdx)\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl guarded_touch\n"
        "guarded_touch:\n"
        ".globl guarded_touch_at\n"
        "guarded_touch_at:\n"
        "    lock orb $0, (%rcx)\n"
        ".globl guarded_touch_after\n"
        "guarded_touch_after:\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl guarded_failed\n"
        "guarded_failed:\n"
        "    xorl %eax, %eax\n"
        "    ret\n");

/* 8 to 16 bytes as two words that may overlap, 4 to 7 likewise, 1 to 3 as the first, the middle and
 * the last; all are loaded before any is stored. */
__asm__("guarded_short_copy:\n"
        ".globl guarded_short_copy_at\n"
        "guarded_short_copy_at:\n"
        "    cmpl $8, %r8d\n"
        "    jb 1f\n"
        "    movq (%rdx), %rax\n"
        "    movq -8(%rdx,%r8), %r9\n"
        "    movq %rax, (%rcx)\n"
        "    movq %r9, -8(%rcx,%r8)\n"
        "    xorl %eax, %eax\n"
        "    ret\n"
        "1:  cmpl $4, %r8d\n"
        "    jb 2f\n"
        "    movl (%rdx), %eax\n"
        "    movl -4(%rdx,%r8), %r9d\n"
        "    movl %eax, (%rcx)\n"
        "    movl %r9d, -4(%rcx,%r8)\n"
        "    xorl %eax, %eax\n"
        "    ret\n"
        "2:  testl %r8d, %r8d\n"
        "    jz 3f\n"
        "    movl %r8d, %r11d\n"
        "    shrl $1, %r11d\n"
        "    movzbl (%rdx), %eax\n"
        "    movzbl (%rdx,%r11), %r10d\n"
        "    movzbl -1(%rdx,%r8), %r9d\n"
        "    movb %al, (%rcx)\n"
        "    movb %r10b, (%rcx,%r11)\n"
        "    movb %r9b, -1(%rcx,%r8)\n"
        "3:  xorl %eax, %eax\n"
        "    ret\n"
        ".globl guarded_short_copy_after\n"
        "guarded_short_copy_after:\n"
        ".globl guarded_short_copy_failed\n"
        "guarded_short_copy_failed:\n"
        "    movq %r8, %rax\n"
        "    ret\n");
#else
#define PROGRAM_COUNTER Eip
__asm__(".text\n"
        ".globl _guarded_copy\n"
        "_guarded_copy:\n"
        "    pushl %edi\n"
        "    pushl %esi\n"
        "    movl 12(%esp), %edi\n"
        "    movl 16(%esp), %esi\n"
        "    movl 20(%esp), %ecx\n"
        ".globl _guarded_copy_at\n"
        "_guarded_copy_at:\n"
        "    rep movsb\n"
        ".globl _guarded_copy_after\n"
        "_guarded_copy_after:\n"
        "    movl %ecx, %eax\n"
        "    popl %esi\n"
        "    popl %edi\n"
        "    ret\n"
        ".globl _guarded_load\n"
        "_guarded_load:\n"
        "    movl 4(%esp), %ecx\n"
        "    movl 8(%esp), %edx\n"
        ".globl _guarded_load_at\n"
        "_guarded_load_at:\n"
        "    movl (%ecx), %eax\n"
        ".globl _guarded_load_after\n"
        "_guarded_load_after:\n"
        "    movl %eax, (%edx)\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl _guarded_load_pointer\n"
        "_guarded_load_pointer:\n"
        "    jmp _guarded_load\n"
        ".globl _guarded_load_pointer_at\n"
        "_guarded_load_pointer_at:\n"
        ".globl _guarded_load_pointer_after\n"
        "_guarded_load_pointer_after:\n"
        ".globl _guarded_store\n"
        "_guarded_store:\n"
        "    movl 4(%esp), %ecx\n"
        "    movl 8(%esp), %edx\n"
        ".globl _guarded_store_at\n"
        "_guarded_store_at:\n"
        "    movl %edx, (%ecx)\n"
        ".globl _guarded_store_after\n"
        "_guarded_store_after:\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl _guarded_store_pointer\n"
        "_guarded_store_pointer:\n"
        "    jmp _guarded_store\n"
        ".globl _guarded_store_pointer_at\n"
        "_guarded_store_pointer_at:\n"
        ".globl _guarded_store_pointer_after\n"
        "_guarded_store_pointer_after:\n"
        ".globl _guarded_probe\n"
        "_guarded_probe:\n"
        "    movl 4(%esp), %ecx\n"
        "    movl 8(%esp), %edx\n"
        ".globl _guarded_probe_at\n"
        "_guarded_probe_at:\n"
        "    movl (%ecx), %eax\n"
        "    movl %eax, (%ecx)\n"
        ".globl _guarded_probe_after\n"
        "_guarded_probe_after:\n"
        "    movl %eax, (%edx)\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl _guarded_touch\n"
        "_guarded_touch:\n"
        "    movl 4(%esp), %ecx\n"
        ".globl _guarded_touch_at\n"
        "_guarded_touch_at:\n"
        "    lock orb $0, (%ecx)\n"
        ".globl _guarded_touch_after\n"
        "_guarded_touch_after:\n"
        "    movl $1, %eax\n"
        "    ret\n"
        ".globl _guarded_failed\n"
        "_guarded_failed:\n"
        "    xorl %eax, %eax\n"
        "    ret\n");
#endif

bool guarded_writable(void *address, size_t size)
{
    char *at = address, *last = at + size - 1;

    for (; at < last; at += 4096)
        if (!guarded_touch(at))
            return false;
    return guarded_touch(last);
}

bool guarded_readable(const void *address, size_t size)
{
    const char *at = address, *last = at + size - 1;
    char byte;

    for (; at < last; at += 4096)
        if (guarded_copy(&byte, at, 1))
            return false;
    return !guarded_copy(&byte, last, 1);
}

static bool is_fault(DWORD code)
{
    return code == (DWORD)STATUS_ACCESS_VIOLATION || code == (DWORD)STATUS_IN_PAGE_ERROR ||
           code == (DWORD)STATUS_GUARD_PAGE_VIOLATION ||
           code == (DWORD)STATUS_DATATYPE_MISALIGNMENT ||
           code == (DWORD)STATUS_ILLEGAL_INSTRUCTION; /* by its name under qemu (docs/testing.md) */
}

static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception)
{
    const char *at = (const char *)(uintptr_t)exception->ContextRecord->PROGRAM_COUNTER;
    size_t i;

    if (!is_fault(exception->ExceptionRecord->ExceptionCode))
        return EXCEPTION_CONTINUE_SEARCH;
    for (i = 0; i < ARRAYSIZE(guarded); i++)
        if (at >= guarded[i].at && at < guarded[i].after) {
            exception->ContextRecord->PROGRAM_COUNTER = (uintptr_t)guarded[i].landing;
            return EXCEPTION_CONTINUE_EXECUTION;
        }
    return EXCEPTION_CONTINUE_SEARCH;
}

bool guarded_copy_init(void)
{
    return AddVectoredExceptionHandler(TRUE, on_exception) != NULL;
}
