/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses: struct rs_addr (neutral families, fixed layout) to and from the kernel's.
 *
 * Owns: the conversion.  Pure but for the two look-ups of a socket's names; callable from any
 * thread.
 */
#include <string.h>

#include "address.h"

int address_family(uint32_t wire_family)
{
    switch (wire_family) {
    case RS_AF_UNSPEC:
        return AF_UNSPEC;
    case RS_AF_UNIX:
        return AF_UNIX;
    case RS_AF_INET:
        return AF_INET;
    case RS_AF_INET6:
        return AF_INET6;
    }
    return -1;
}

socklen_t address_to_host(const struct rs_addr *wire, union address *host)
{
    memset(host, 0, sizeof(*host));
    switch (wire->family) {
    case RS_AF_UNSPEC:
        host->any.sa_family = AF_UNSPEC;
        return sizeof(host->any);
    case RS_AF_INET:
        host->v4.sin_family = AF_INET;
        host->v4.sin_port = wire->port;
        memcpy(&host->v4.sin_addr, wire->bytes, sizeof(host->v4.sin_addr));
        return sizeof(host->v4);
    case RS_AF_INET6:
        host->v6.sin6_family = AF_INET6;
        host->v6.sin6_port = wire->port;
        host->v6.sin6_flowinfo = wire->flowinfo;
        host->v6.sin6_scope_id = wire->scope_id;
        memcpy(&host->v6.sin6_addr, wire->bytes, sizeof(host->v6.sin6_addr));
        return sizeof(host->v6);
    }
    return 0;
}

void address_to_wire(const union address *host, struct rs_addr *wire)
{
    memset(wire, 0, sizeof(*wire));
    switch (host->any.sa_family) {
    case AF_UNIX: /* its name is the DLL's affair */
        wire->family = RS_AF_UNIX;
        break;
    case AF_INET:
        wire->family = RS_AF_INET;
        wire->port = host->v4.sin_port;
        memcpy(wire->bytes, &host->v4.sin_addr, sizeof(host->v4.sin_addr));
        break;
    case AF_INET6:
        wire->family = RS_AF_INET6;
        wire->port = host->v6.sin6_port;
        wire->flowinfo = host->v6.sin6_flowinfo;
        wire->scope_id = host->v6.sin6_scope_id;
        memcpy(wire->bytes, &host->v6.sin6_addr, sizeof(host->v6.sin6_addr));
        break;
    }
}

bool address_is_any(const union address *host)
{
    if (host->any.sa_family == AF_INET)
        return host->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return host->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&host->v6.sin6_addr);
}

bool address_is_loopback(const union address *host)
{
    if (host->any.sa_family == AF_INET)
        return ntohl(host->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return host->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&host->v6.sin6_addr);
}

bool address_same_host(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

uint16_t address_port(const union address *host)
{
    if (host->any.sa_family == AF_INET)
        return host->v4.sin_port;
    return host->any.sa_family == AF_INET6 ? host->v6.sin6_port : 0;
}

void address_unmap(union address *address)
{
    struct sockaddr_in plain = {.sin_family = AF_INET, .sin_port = address->v6.sin6_port};

    if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
        return;
    memcpy(&plain.sin_addr, &address->v6.sin6_addr.s6_addr[12], sizeof(plain.sin_addr));
    address->v4 = plain;
}

bool address_equal(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family || address_port(a) != address_port(b))
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr) &&
           a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

bool address_of_socket(int fd, struct rs_addr *wire)
{
    union address host = {0};
    socklen_t length = sizeof(host);

    if (getsockname(fd, &host.any, &length))
        memset(&host, 0, sizeof(host));
    address_to_wire(&host, wire);
    return wire->family != RS_AF_UNSPEC;
}

bool address_of_peer(int fd, struct rs_addr *wire)
{
    union address host = {0};
    socklen_t length = sizeof(host);

    if (getpeername(fd, &host.any, &length))
        memset(&host, 0, sizeof(host));
    address_to_wire(&host, wire);
    return wire->family != RS_AF_UNSPEC;
}
