/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rs clock: 100 ns units of CLOCK_MONOTONIC_RAW, the clock that the DLL reads as
 * QueryPerformanceCounter (abi.h).
 */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER      UINT64_MAX
#define CLOCK_PER_SECOND 10000000ull

static inline uint64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * CLOCK_PER_SECOND + (uint64_t)now.tv_nsec / 100;
}

#endif
