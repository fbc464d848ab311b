/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory of segments (see segment.h).  Owns a short list of large ones.
 *
 * A bulk transfer needs a 64 KiB segment every few microseconds; from the heap each of them came as
 * fresh pages, which cost more (faults, clearing) than the copy (perf, Wine 8.0).
 */
#include "segment.h"

#define LARGE     4096u /* from here on a segment has the full size, to fit the next need too */
#define SPARE_MAX 16u   /* 1 MiB at most is kept */

static SRWLOCK spare_lock = SRWLOCK_INIT;
static struct segment *spare;
static unsigned int spare_count;

static struct segment *take_spare(void)
{
    struct segment *segment;

    AcquireSRWLockExclusive(&spare_lock);
    if ((segment = spare)) {
        spare = segment->next;
        spare_count--;
    }
    ReleaseSRWLockExclusive(&spare_lock);
    return segment;
}

struct segment *segment_allocate(uint32_t capacity)
{
    bool large = capacity >= LARGE;
    struct segment *segment = large ? take_spare() : NULL;

    if (large)
        capacity = RS_MAX_PAYLOAD;
    if (!segment && !(segment = malloc(sizeof(*segment) + capacity)))
        return NULL;
    memset(segment, 0, sizeof(*segment));
    segment->capacity = capacity;
    segment->large = large;
    return segment;
}

void segment_free(struct segment *segment)
{
    bool kept = false;

    if (segment->large) {
        AcquireSRWLockExclusive(&spare_lock);
        if ((kept = spare_count < SPARE_MAX)) {
            segment->next = spare;
            spare = segment;
            spare_count++;
        }
        ReleaseSRWLockExclusive(&spare_lock);
    }
    if (!kept)
        free(segment);
}
