/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data that a process handed over and the kernel did not take yet.
 *
 * Owns: the chunks.  Pure data structure; loop thread only, no locks.
 */
#include <stdlib.h>
#include <string.h>

#include "ringsock/abi.h"

#include "backlog.h"

#define CHUNK_SIZE 65536u

static struct chunk *chunk_append(struct backlog *backlog, uint32_t capacity)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + capacity);

    if (!chunk)
        return NULL;
    memset(chunk, 0, sizeof(*chunk));
    chunk->capacity = capacity;
    chunk->view = backlog->view;
    if (backlog->last)
        backlog->last->next = chunk;
    else
        backlog->first = chunk;
    backlog->last = chunk;
    return chunk;
}

bool backlog_append(struct backlog *backlog, const uint8_t *bytes, uint32_t length, bool urgent)
{
    struct chunk *chunk = backlog->last;

    /* Nothing may follow an urgent byte within its chunk: it is urgent by being the last. */
    if (!chunk || chunk->urgent || chunk->view != backlog->view ||
        chunk->capacity - chunk->length < length)
        chunk = chunk_append(backlog, length > CHUNK_SIZE ? length : CHUNK_SIZE);
    if (!chunk)
        return false;
    memcpy(chunk->bytes + chunk->length, bytes, length);
    chunk->length += length;
    chunk->urgent = urgent;
    backlog->bytes += length;
    return true;
}

bool backlog_append_datagram(struct backlog *backlog, const union address *address,
                             socklen_t address_size, const struct rs_control *control,
                             const uint8_t *bytes, uint32_t length)
{
    struct chunk *chunk = chunk_append(backlog, length);

    if (!chunk)
        return false;
    chunk->length = length;
    memcpy(chunk->bytes, bytes, length);
    if (address) {
        chunk->address = *address;
        chunk->address_size = address_size;
    }
    if (control)
        chunk->control = *control;
    chunk->overhead = RS_DATAGRAM_OVERHEAD;
    backlog->bytes += RS_DATAGRAM_COST(length);
    return true;
}

void backlog_drop_first(struct backlog *backlog)
{
    struct chunk *chunk = backlog->first;

    backlog->bytes -= chunk->length - chunk->offset + chunk->overhead;
    backlog->first = chunk->next;
    if (!backlog->first)
        backlog->last = NULL;
    free(chunk);
}

void backlog_take(struct backlog *backlog, size_t count)
{
    while (count && backlog->first) {
        struct chunk *chunk = backlog->first;
        uint32_t left = chunk->length - chunk->offset;

        if (count < left) {
            chunk->offset += (uint32_t)count;
            backlog->bytes -= count;
            return;
        }
        count -= left;
        backlog_drop_first(backlog);
    }
}

void backlog_clear(struct backlog *backlog)
{
    while (backlog->first)
        backlog_drop_first(backlog);
}
