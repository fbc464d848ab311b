/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between Winsock's sockaddr and the wire's rs_addr.  Pure functions.
 */
#ifndef RINGSOCK_SOCKADDR_H
#define RINGSOCK_SOCKADDR_H

#include "winsock.h"
#include <ringsock/abi.h>

/* Returns 0, WSAEFAULT (not there, or too short) or WSAEAFNOSUPPORT (not the socket's family). */
DWORD sockaddr_to_wire(struct rs_addr *wire, const struct sockaddr *address, int length,
                       int family);

/* Fills *address (room for the largest) and returns its length. */
int sockaddr_from_wire(struct sockaddr_in6 *address, const struct rs_addr *wire);

/* As getsockname and its like give an address out: WSAEFAULT where it does not fit or either of the
 * two is not there. */
DWORD sockaddr_store(const struct rs_addr *wire, struct sockaddr *address, int *length);

static inline int sockaddr_size(int family)
{
    if (family == AF_UNIX)
        return sizeof(USHORT); /* without a name; unix_socket.c has those */
    return family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static inline bool wire_address_is_any(const struct rs_addr *address) /* 0.0.0.0, :: */
{
    static const uint8_t zero[16];

    return !memcmp(address->bytes, zero, sizeof(zero));
}

static inline bool wire_address_is_broadcast(const struct rs_addr *address) /* to all on the link */
{
    return address->family == RS_AF_INET && !memcmp(address->bytes, "\xff\xff\xff\xff", 4);
}

static inline bool wire_address_equal(const struct rs_addr *first, const struct rs_addr *second)
{
    return first->family == second->family && first->port == second->port &&
           !memcmp(first->bytes, second->bytes, sizeof(first->bytes));
}

#endif
