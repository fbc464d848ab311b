/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a randomised test ends that has found something, and how it is run again.
 *
 * A failure ends the program: what comes after the first one says nothing new, and threads may wait
 * for bytes that are lost.  Owns the seed of the round that runs.
 */
#ifndef RINGSOCK_TESTS_MODEL_FAILURE_H
#define RINGSOCK_TESTS_MODEL_FAILURE_H

#include "net.h"

/* The seed of the round that runs, for the line that tells how to repeat it. */
static ULONG64 model_seed;

static LONG volatile model_progress; /* anything at all */

static void __attribute__((noreturn)) model_stop(const char *text)
{
    ok(0, "%s\nto repeat: RINGSOCK_TEST_SEED=0x%llx RINGSOCK_TEST_OPERATIONS=1 %s\n", text,
       model_seed, rt.name);
    rt_summary();
    TerminateProcess(GetCurrentProcess(), 1);
    for (;;)
        Sleep(INFINITE);
}

static void __attribute__((noreturn, format(gnu_printf, 1, 2)))
model_failed(const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    rt_vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    model_stop(text);
}

#endif
