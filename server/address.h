/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses on the wire and in the kernel.  See address.c.
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stdbool.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ringsock/abi.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The copy of a wire address as the kernel wants it; 0 if the family is none we know.
 * RS_AF_UNSPEC gives AF_UNSPEC. */
socklen_t address_to_host(const struct rs_addr *wire, union address *host);
void address_to_wire(const union address *host, struct rs_addr *wire);
bool address_is_any(const union address *host);
bool address_is_loopback(const union address *host);
bool address_same_host(const union address *a, const union address *b); /* but for the port */
uint16_t address_port(const union address *host);
/* IPv6 scopes, where Linux wants them and Windows finds them, or does not look and Windows does
 * (scope.c).  An address of this host: 0 or WSAEADDRNOTAVAIL.  Another's: as good as can be. */
uint32_t scope_of_own(union address *address);
void scope_of_peer(union address *address, const union address *own);

void address_unmap(union address *address); /* an IPv4 one in IPv6's form becomes plain */
/* Same family, address, scope and port. */
bool address_equal(const union address *a, const union address *b);
/* Local name of a socket; false (and RS_AF_UNSPEC) if it has none. */
bool address_of_socket(int fd, struct rs_addr *wire);
bool address_of_peer(int fd, struct rs_addr *wire);
int address_family(uint32_t wire_family); /* AF_*, or -1 */

#endif
