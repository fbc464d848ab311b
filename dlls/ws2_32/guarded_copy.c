/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy whose faults are survived (see guarded_copy.h).  Owns one vectored exception handler.
 *
 * One instruction does all of the copying and counts down the bytes that are left; a fault in it
 * goes on at the instruction behind it, which returns that count.  So the good case costs nothing.
 */
#include "guarded_copy.h"

extern const char guarded_copy_instruction[], guarded_copy_after[];

#ifdef __x86_64__
__asm__(".text\n"
        ".globl guarded_copy\n"
        "guarded_copy:\n"
        "    pushq %rdi\n"
        "    pushq %rsi\n"
        "    movq %rcx, %rdi\n"
        "    movq %rdx, %rsi\n"
        "    movq %r8, %rcx\n"
        ".globl guarded_copy_instruction\n"
        "guarded_copy_instruction:\n"
        "    rep movsb\n"
        ".globl guarded_copy_after\n"
        "guarded_copy_after:\n"
        "    movq %rcx, %rax\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    ret\n");
#define PROGRAM_COUNTER Rip
#else
__asm__(".text\n"
        ".globl _guarded_copy\n"
        "_guarded_copy:\n"
        "    pushl %edi\n"
        "    pushl %esi\n"
        "    movl 12(%esp), %edi\n"
        "    movl 16(%esp), %esi\n"
        "    movl 20(%esp), %ecx\n"
        ".globl _guarded_copy_instruction\n"
        "_guarded_copy_instruction:\n"
        "    rep movsb\n"
        ".globl _guarded_copy_after\n"
        "_guarded_copy_after:\n"
        "    movl %ecx, %eax\n"
        "    popl %esi\n"
        "    popl %edi\n"
        "    ret\n");
#define PROGRAM_COUNTER Eip
#endif

static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception)
{
    if (exception->ExceptionRecord->ExceptionCode != (DWORD)STATUS_ACCESS_VIOLATION ||
        exception->ContextRecord->PROGRAM_COUNTER != (uintptr_t)guarded_copy_instruction)
        return EXCEPTION_CONTINUE_SEARCH;
    exception->ContextRecord->PROGRAM_COUNTER = (uintptr_t)guarded_copy_after;
    return EXCEPTION_CONTINUE_EXECUTION;
}

bool guarded_copy_init(void)
{
    return AddVectoredExceptionHandler(TRUE, on_exception) != NULL;
}
