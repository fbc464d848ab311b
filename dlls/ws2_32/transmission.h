/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pieces of memory and of files that are sent one after the other: what TransmitFile and
 * TransmitPackets have in common.  See transmission.c.
 */
#ifndef RINGSOCK_TRANSMISSION_H
#define RINGSOCK_TRANSMISSION_H

#include "socket.h"

struct piece {
    char *memory; /* or: */
    HANDLE file;
    uint64_t offset;
    DWORD length;      /* of a file 0: to its end */
    bool ends_message; /* the next piece begins another */
};

/* Where a piece of a file begins that begins where the file stands. */
DWORD piece_at_position(struct piece *piece);

/* What there is to send, and to do then. */
struct transmission {
    struct socket *socket;
    const struct piece *pieces;
    DWORD count;
    DWORD size;  /* of one send; 0: the default */
    DWORD flags; /* TF_* */
};

/* What the flags and the socket's state say: 0 or a WSA code. */
DWORD transmission_check(const struct transmission *transmission);
/* All of it, at once or with WSA_IO_PENDING; no lock. */
DWORD transmission_run(const struct transmission *transmission, OVERLAPPED *overlapped);

#endif
