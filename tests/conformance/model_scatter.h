/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A WSABUF array whose every byte is known: before the receive, after it, and until it is used
 * again.
 *
 * Owns the memory of one array.  All of it holds FILL, the gaps between the pieces as well; a
 * receive may change nothing but the first bytes of the pieces, packed.
 */
#ifndef RINGSOCK_TESTS_MODEL_SCATTER_H
#define RINGSOCK_TESTS_MODEL_SCATTER_H

#include "model_random.h"

#define PIECES_MAX 48
#define GUARD      8
#define FILL       0xa5

struct scatter {
    BYTE *memory;
    size_t size, capacity;
    WSABUF pieces[PIECES_MAX];
    DWORD count;
    size_t total;
};

/* The first byte from `at` on that does not hold FILL, or `end`. */
static const BYTE *scatter_skip_fill(const BYTE *at, const BYTE *end)
{
    while (at < end && *at == FILL)
        at++;
    return at;
}

/* Nobody has written there since it was filled. */
static BOOL scatter_is_quiet(const struct scatter *scatter)
{
    const BYTE *end = scatter->memory + scatter->size;

    return scatter_skip_fill(scatter->memory, end) == end;
}

static void scatter_fill(struct scatter *scatter)
{
    memset(scatter->memory, FILL, scatter->size);
}

static void scatter_reserve(struct scatter *scatter, size_t size)
{
    if (size > scatter->capacity) {
        free(scatter->memory);
        scatter->capacity = size + size / 2;
        scatter->memory = malloc(scatter->capacity);
    }
    scatter->size = size;
}

/* Divides `total` bytes into 1 to `most` pieces, some of them empty. */
static void scatter_plan(struct scatter *scatter, struct random *random, size_t total, DWORD most)
{
    size_t left = total;
    BYTE *at;
    DWORD i;

    scatter->total = total;
    scatter->count = 1 + random_size(random, most - 1);
    scatter_reserve(scatter, total + (scatter->count + 1) * GUARD);
    at = scatter->memory + GUARD;
    for (i = 0; i < scatter->count; i++) {
        WSABUF *piece = &scatter->pieces[i];

        piece->len = (ULONG)left;
        if (i < scatter->count - 1)
            piece->len = random_chance(random, 15) ? 0 : random_size(random, (unsigned int)left);
        piece->buf = (char *)at;
        left -= piece->len;
        at += piece->len + GUARD;
    }
    scatter_fill(scatter);
}

/* NULL if the pieces hold those bytes of the sequence and nothing else was written; else what is
 * wrong. */
static const char *scatter_check(const struct scatter *scatter, ULONG64 key, ULONG64 offset,
                                 size_t bytes)
{
    const BYTE *at = scatter->memory, *end;
    static char text[256]; /* who gets one ends the program */
    BYTE expected[512];
    size_t done = 0;
    DWORD i;

    for (i = 0; i <= scatter->count; i++) {
        size_t length = i < scatter->count ? scatter->pieces[i].len : 0;

        end = i < scatter->count ? (BYTE *)scatter->pieces[i].buf : scatter->memory + scatter->size;
        if (scatter_skip_fill(at, end) != end) {
            snprintf(text, sizeof(text), "a byte outside of the data was written, before piece %lu",
                     i);
            return text;
        }
        for (at = end; length && done < bytes;) {
            size_t part = length < sizeof(expected) ? length : sizeof(expected), k;

            if (part > bytes - done)
                part = bytes - done;
            sequence_bytes(key, offset + done, expected, part);
            for (k = 0; k < part && at[k] == expected[k];)
                k++;
            if (k < part) {
                snprintf(text, sizeof(text),
                         "byte %lu of %lu, in piece %lu, is %02x and should be %02x",
                         (DWORD)(done + k), (DWORD)bytes, i, at[k], expected[k]);
                return text;
            }
            at += part;
            length -= part;
            done += part;
        }
    }
    return NULL;
}

#endif
