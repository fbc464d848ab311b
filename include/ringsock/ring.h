/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Producing into and consuming from one ring of the segment.
 *
 * Owns: the arithmetic of head and tail, the wrap with RS_PAD, and the memory order between the two
 * sides.  Each end keeps a private copy of what it writes, so that a hostile peer can lie only about
 * its own end; each value of the peer is loaded once and checked.  One producer and one consumer at
 * a time: callers bring their own lock where several threads share an end.
 */
#ifndef RINGSOCK_RING_H
#define RINGSOCK_RING_H

#include <stdbool.h>
#include <string.h>

#include "abi.h"

/* Which end of a ring this process holds, and its private truth. */
struct rs_ring_end {
    struct rs_ring *shared;
    uint8_t *data;
    uint32_t size;     /* power of two */
    uint32_t position; /* producer: tail to be; consumer: head to be */
};

static inline uint32_t rs_align(uint32_t bytes)
{
    return (bytes + RS_RECORD_ALIGN - 1) & ~(RS_RECORD_ALIGN - 1);
}

/* Producer: bytes free, 0 if the consumer's head makes no sense. */
static inline uint32_t rs_ring_free(const struct rs_ring_end *ring)
{
    /* pairs with the release in rs_ring_consume_end */
    uint32_t head = __atomic_load_n(&ring->shared->head, __ATOMIC_ACQUIRE);
    uint32_t used = ring->position - head;

    return used > ring->size || used % RS_RECORD_ALIGN ? 0 : ring->size - used;
}

/* Producer: room for a record of at most `size` contiguous bytes, or NULL.  Nothing is visible to the
 * consumer, and the call may be repeated or abandoned, until rs_ring_publish. */
static inline struct rs_record *rs_ring_reserve(struct rs_ring_end *ring, uint32_t size)
{
    uint32_t offset = ring->position & (ring->size - 1), to_end = ring->size - offset;
    uint32_t available = rs_ring_free(ring);
    struct rs_record *pad;

    size = rs_align(size);
    if (size <= to_end)
        return size <= available ? (struct rs_record *)(ring->data + offset) : NULL;
    if (to_end + size > available)
        return NULL;
    pad = (struct rs_record *)(ring->data + offset);
    memset(pad, 0, sizeof(*pad));
    pad->size = to_end;
    pad->type = RS_PAD;
    ring->position += to_end; /* becomes visible with the record that follows */
    return (struct rs_record *)ring->data;
}

/* Producer: make `record` (as reserved; its size now final) visible. */
static inline void rs_ring_publish(struct rs_ring_end *ring, struct rs_record *record, uint32_t size)
{
    size = rs_align(size);
    record->size = size;
    ring->position += size; /* never read back: the peer can write there too */
    /* pairs with the acquire in rs_ring_peek; seq_cst because the producer next looks whether the
     * consumer sleeps (docs/concurrency.md, "publish, then look") */
    __atomic_store_n(&ring->shared->tail, ring->position, __ATOMIC_SEQ_CST);
}

/* Consumer: is there anything?  Only a hint, but never a false "no" for what was published before. */
static inline bool rs_ring_pending(const struct rs_ring_end *ring)
{
    return __atomic_load_n(&ring->shared->tail, __ATOMIC_SEQ_CST) != ring->position;
}

enum rs_peek { RS_PEEK_EMPTY, RS_PEEK_RECORD, RS_PEEK_CORRUPT };

/* Consumer: the next record.  *header is a checked copy: its size fits the ring and what was
 * published; *body points behind the header in shared memory, header->size - sizeof(*header) bytes,
 * whose content may still change under a hostile peer: copy before checking. */
static inline enum rs_peek rs_ring_peek(struct rs_ring_end *ring, struct rs_record *header,
                                        const uint8_t **body)
{
    for (;;) {
        uint32_t tail = __atomic_load_n(&ring->shared->tail, __ATOMIC_ACQUIRE);
        uint32_t used = tail - ring->position, offset = ring->position & (ring->size - 1);

        if (!used)
            return RS_PEEK_EMPTY;
        if (used > ring->size || used % RS_RECORD_ALIGN)
            return RS_PEEK_CORRUPT;
        memcpy(header, ring->data + offset, sizeof(*header));
        if (header->size < sizeof(*header) || header->size % RS_RECORD_ALIGN ||
            header->size > used || header->size > ring->size - offset)
            return RS_PEEK_CORRUPT;
        if (header->type != RS_PAD) {
            *body = ring->data + offset + sizeof(*header);
            return RS_PEEK_RECORD;
        }
        ring->position += header->size;
    }
}

/* Consumer: step over the record that rs_ring_peek returned.  Its room is given back by
 * rs_ring_consume_end, once for many. */
static inline void rs_ring_skip(struct rs_ring_end *ring, const struct rs_record *header)
{
    ring->position += header->size;
}

/* Consumer: give the room back to the producer. */
static inline void rs_ring_consume_end(struct rs_ring_end *ring)
{
    /* pairs with the acquire in rs_ring_free */
    __atomic_store_n(&ring->shared->head, ring->position, __ATOMIC_RELEASE);
}

#endif
