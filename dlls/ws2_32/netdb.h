/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services by name and port, for those who translate names.
 */
#ifndef RINGSOCK_NETDB_H
#define RINGSOCK_NETDB_H

#include "winsock.h"

#define NETDB_NAME_MAX 64

/* protocol: "tcp", "udp" or NULL for whichever comes first.  The port is in network order. */
bool netdb_port_of_service(const char *name, const char *protocol, u_short *port);
bool netdb_service_of_port(u_short port, const char *protocol, char name[NETDB_NAME_MAX]);

#endif
