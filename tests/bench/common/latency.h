/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long each operation took, for --latency: printed as one line of its own before the result.
 * Belongs to one thread.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include "bench.h"

#define LATENCY_MOST (1u << 22)

struct latency {
    uint32_t *times; /* nanoseconds; NULL if nobody asked */
    size_t count;
};

static inline void latency_start(struct latency *latency)
{
    latency->count = 0;
    latency->times = bench_args.latency ? bench_alloc(LATENCY_MOST, sizeof(uint32_t)) : NULL;
}

/* `meter` has just counted one operation, which began at `from`; none of the warm-up. */
static inline void latency_add(struct latency *latency, const struct bench_meter *meter,
                               uint64_t from)
{
    uint64_t time = meter->last - from;

    if (latency->times && meter->ops && latency->count < LATENCY_MOST)
        latency->times[latency->count++] = time < UINT32_MAX ? (uint32_t)time : UINT32_MAX;
}

static int latency_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static inline void latency_print(struct latency *latency)
{
    size_t count = latency->count;

    if (!count)
        return;
    qsort(latency->times, count, sizeof(*latency->times), latency_compare);
    printf("LATENCY median=%.1f p99=%.1f max=%.1f\n", latency->times[count / 2] / 1e3,
           latency->times[count - 1 - count / 100] / 1e3, latency->times[count - 1] / 1e3);
}

#endif
