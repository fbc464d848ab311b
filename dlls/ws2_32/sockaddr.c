/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Address conversion (see sockaddr.h).  Owns nothing, takes no locks.
 */
#include "sockaddr.h"
#include "guarded_copy.h"

DWORD sockaddr_to_wire(struct rs_addr *wire, const struct sockaddr *address, int length, int family)
{
    struct sockaddr_in6 in6;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&in6;

    if (length < sockaddr_size(family) || guarded_copy(&in6, address, sockaddr_size(family)))
        return WSAEFAULT;
    if (in6.sin6_family != family)
        return WSAEAFNOSUPPORT;
    memset(wire, 0, sizeof(*wire));
    wire->port = in6.sin6_port;
    if (family == AF_INET) {
        wire->family = RS_AF_INET;
        memcpy(wire->bytes, &in->sin_addr, 4);
    } else {
        wire->family = RS_AF_INET6;
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
    if (wire->family == RS_AF_UNIX) {
        address->sin6_family = AF_UNIX;
        return sizeof(address->sin6_family);
    }
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
    DWORD room;

    if (!guarded_load((DWORD *)length, &room) || (int)room < size ||
        guarded_copy(address, &full, size) || !guarded_store((DWORD *)length, size))
        return WSAEFAULT;
    return 0;
}
