/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Address conversion (see sockaddr.h).  Owns nothing, takes no locks.
 */
#include "sockaddr.h"

DWORD sockaddr_to_wire(struct rs_addr *wire, const struct sockaddr *address, int length, int family)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (!address || length < (int)sizeof(in) || length < sockaddr_size(family))
        return WSAEFAULT;
    if (address->sa_family != family)
        return WSAEAFNOSUPPORT;
    memset(wire, 0, sizeof(*wire));
    if (family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        wire->family = RS_AF_INET;
        wire->port = in.sin_port;
        memcpy(wire->bytes, &in.sin_addr, 4);
    } else {
        memcpy(&in6, address, sizeof(in6));
        wire->family = RS_AF_INET6;
        wire->port = in6.sin6_port;
        wire->flowinfo = in6.sin6_flowinfo;
        wire->scope_id = in6.sin6_scope_id;
        memcpy(wire->bytes, &in6.sin6_addr, 16);
    }
    return 0;
}

int sockaddr_from_wire(struct sockaddr_in6 *address, const struct rs_addr *wire)
{
    struct sockaddr_in *in = (struct sockaddr_in *)address;

    memset(address, 0, sizeof(*address));
    if (wire->family == RS_AF_INET6) {
        address->sin6_family = AF_INET6;
        address->sin6_port = wire->port;
        address->sin6_flowinfo = wire->flowinfo;
        address->sin6_scope_id = wire->scope_id;
        memcpy(&address->sin6_addr, wire->bytes, 16);
        return sizeof(*address);
    }
    in->sin_family = AF_INET;
    in->sin_port = wire->port;
    memcpy(&in->sin_addr, wire->bytes, 4);
    return sizeof(*in);
}

DWORD sockaddr_store(const struct rs_addr *wire, struct sockaddr *address, int *length)
{
    struct sockaddr_in6 full;
    int size = sockaddr_from_wire(&full, wire);

    if (!address || !length || *length < size)
        return WSAEFAULT;
    memcpy(address, &full, size);
    *length = size;
    return 0;
}
