/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often wineserver has read anything, which tells without asking it whether it can have served
 * anybody: it takes every request with a read of its own (Wine 8.0 and 10.0, by strace).  Two equal
 * answers mean that in between no process has made, duplicated, inherited or closed a handle.
 */
#ifndef RINGSOCK_WINESERVER_READS_H
#define RINGSOCK_WINESERVER_READS_H

#include <stdint.h>

/* The number of reads so far, by a system call or two and no request (3 us); 0: not known, ever.
 * From any thread; the first call opens a file and so asks wineserver.  Takes no lock. */
uint64_t wineserver_reads(void);

#endif
