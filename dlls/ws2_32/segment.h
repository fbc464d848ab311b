/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What has arrived and nobody has taken yet: bytes of a stream, one datagram, or the word that an
 * earlier datagram did not arrive.
 */
#ifndef RINGSOCK_SEGMENT_H
#define RINGSOCK_SEGMENT_H

#include "winsock.h"
#include <ringsock/abi.h>

struct segment {
    struct segment *next;
    uint32_t length, offset; /* offset: bytes already taken (streams) */
    uint32_t capacity;
    bool mark;             /* no receive spans the place before the first byte (urgent data) */
    bool large;            /* of the size that is kept for the next one */
    DWORD error;           /* datagrams: this is no datagram, but what happened to one */
    struct rs_addr source; /* datagrams */
    struct rs_control control;
    uint8_t data[];
};

/* An empty one with room for so many bytes, NULL when out of memory.  Any thread; takes only the
 * spare list's lock. */
struct segment *segment_allocate(uint32_t capacity);
void segment_free(struct segment *segment);

#endif
