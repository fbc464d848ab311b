/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a randomised test ends that has found something, and how it is run again.
 *
 * A failure ends the program: what comes after the first one says nothing new, and threads may wait
 * for bytes that are lost.  Wine's built-in DLL loses some of these races now and then (8.0: a
 * packet whose count is not yet in the OVERLAPPED, an event that is set before the status; 10.0
 * under load), which no seed brings back, so that on it a failure counts as todo.  Owns the seed of
 * the round that runs.
 */
#ifndef RINGSOCK_TESTS_MODEL_FAILURE_H
#define RINGSOCK_TESTS_MODEL_FAILURE_H

#include "net.h"

/* The seed of the round that runs, for the line that tells how to repeat it. */
static ULONG64 model_seed;

static LONG volatile model_progress; /* anything at all */

static void __attribute__((noreturn)) model_stop(const char *text)
{
    todo_wine ok(0, "%s\nto repeat: RINGSOCK_TEST_SEED=0x%llx RINGSOCK_TEST_OPERATIONS=1 %s\n",
                 text, model_seed, rt.name);
    rt_summary();
    TerminateProcess(GetCurrentProcess(), (UINT)rt.counts.failures);
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
