/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chance that can be repeated, and what the bytes of a stream or message must be.
 *
 * Owns nothing.  A generator belongs to one thread; who branches one off gets a sequence that does
 * not depend on what other threads do.
 */
#ifndef RINGSOCK_TESTS_MODEL_RANDOM_H
#define RINGSOCK_TESTS_MODEL_RANDOM_H

#include "net.h"

struct random {
    ULONG64 state;
};

/* splitmix64: any state is as good as any other. */
static ULONG64 random_mix(ULONG64 value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

static struct random random_branch(ULONG64 seed, unsigned int role)
{
    struct random random = {random_mix(seed + role * 0x9e3779b97f4a7c15u)};

    return random;
}

static unsigned int random_next(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return (unsigned int)(random_mix(random->state) >> 32);
}

/* 0 to limit - 1 */
static unsigned int random_below(struct random *random, unsigned int limit)
{
    return (unsigned int)((ULONG64)random_next(random) * limit >> 32);
}

static BOOL random_chance(struct random *random, unsigned int percent)
{
    return random_below(random, 100) < percent;
}

/* 0 to limit, each order of magnitude as often as the next. */
static unsigned int random_size(struct random *random, unsigned int limit)
{
    unsigned int bits = 0;

    while (limit >> bits)
        bits++;
    return random_below(random, (limit >> random_below(random, bits + 1)) + 1);
}

/* Bytes `offset` to `offset + count - 1` of the sequence that `key` names. */
static void sequence_bytes(ULONG64 key, ULONG64 offset, BYTE *to, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++, offset++) {
        unsigned int word = ((unsigned int)(offset >> 2) + (unsigned int)key) * 0x9e3779b1u;

        to[i] = (BYTE)((word ^ (word >> 15)) >> 8 * (offset & 3));
    }
}

#endif
