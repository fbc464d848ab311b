/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data that a process handed over and the kernel did not take yet.  See backlog.c.
 */
#ifndef SERVER_BACKLOG_H
#define SERVER_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct chunk {
    struct chunk *next;
    uint32_t length, offset, capacity;
    uint32_t overhead;      /* counted beside the bytes (datagrams) */
    bool urgent;            /* the last byte is (streams) */
    uint32_t view;          /* of a shared socket: whose `sent` counts it */
    socklen_t address_size; /* datagrams: 0 = the peer */
    union address address;
    struct rs_control control; /* datagrams: nothing present = the socket's options hold */
    uint8_t bytes[];
};

struct backlog {
    struct chunk *first, *last;
    size_t bytes; /* of a stream, RS_DATAGRAM_COST of datagrams */
    uint32_t view; /* of what is appended next */
};

/* Appends stream bytes; false without memory. */
bool backlog_append(struct backlog *backlog, const uint8_t *bytes, uint32_t length, bool urgent);
/* Appends one datagram; address and control may be NULL. */
bool backlog_append_datagram(struct backlog *backlog, const union address *address,
                             socklen_t address_size, const struct rs_control *control,
                             const uint8_t *bytes, uint32_t length);
static inline bool backlog_empty(const struct backlog *backlog)
{
    return !backlog->first;
}
/* Takes `count` bytes off the front, chunks that are used up included. */
void backlog_take(struct backlog *backlog, size_t count);
void backlog_drop_first(struct backlog *backlog);
void backlog_clear(struct backlog *backlog);

#endif
