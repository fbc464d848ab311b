/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ProcessSocketNotifications: readiness told to a completion port.
 */
#ifndef RINGSOCK_NOTIFICATIONS_H
#define RINGSOCK_NOTIFICATIONS_H

#include "socket.h"

/* The socket is being closed: its registration goes, and nothing more is told.  Caller holds the
 * lock. */
void notification_end(struct socket *socket);

#endif
