/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling a program that its networks have changed (SIO_NSP_NOTIFY_CHANGE).
 */
#ifndef RINGSOCK_NETWORK_WATCH_H
#define RINGSOCK_NETWORK_WATCH_H

#include "winsock.h"

struct network_watch;

/* Watches from `state` (networks_state) on, and completes as the structure says, once; NULL: no
 * memory. */
struct network_watch *network_watch_start(uint64_t state, const WSACOMPLETION *completion);
bool network_watch_done(const struct network_watch *watch);
/* Ends and frees it; one that is not done completes with WSA_OPERATION_ABORTED, but posts no
 * message. */
void network_watch_end(struct network_watch *watch);

#endif
