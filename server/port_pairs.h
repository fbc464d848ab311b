/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is looked for by two ports: the near end's and the far end's, both in network order.
 *
 * Owns: the hashing.  Loop thread only, no locks.
 */
#ifndef SERVER_PORT_PAIRS_H
#define SERVER_PORT_PAIRS_H

#include <stdint.h>

#include "list.h"

#define PORT_PAIR_BUCKETS 1024

struct port_pairs {
    struct link buckets[PORT_PAIR_BUCKETS];
};

static inline void port_pairs_init(struct port_pairs *pairs)
{
    for (uint32_t i = 0; i < PORT_PAIR_BUCKETS; i++)
        list_init(&pairs->buckets[i]);
}

/* The list that has it, if anything has; others' are in it too. */
static inline struct link *port_pairs_bucket(struct port_pairs *pairs, uint16_t near_port,
                                             uint16_t far_port)
{
    uint32_t hash = (near_port * 31u + far_port) * 2654435761u;

    return &pairs->buckets[(hash >> 16) % PORT_PAIR_BUCKETS];
}

#endif
