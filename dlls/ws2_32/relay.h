/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who called the export that this thread is in, where RINGSOCK_LOG=trace has the relay stand between
 * the two (tools/make-relay; company.c owns it).
 */
#ifndef RINGSOCK_RELAY_H
#define RINGSOCK_RELAY_H

/* Returns what to give back to it when the export has returned; keeps the last error. */
const void *relay_enter(const void *caller);

#endif
