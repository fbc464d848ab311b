/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAJoinLeaf: for IP multicast, another way to join a group.
 *
 * IP multicast is "nonrooted" in both planes, so s is always a leaf, "the returned socket
 * descriptor is the same as the input socket descriptor", and the join is complete when the call
 * returns. Takes the socket's lock, never over a call.
 */
#include "arguments.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"

#define LEAF_FLAGS (WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF)

static bool is_multicast(const struct rs_addr *address)
{
    return address->family == RS_AF_INET6 ? address->bytes[0] == 0xff
                                          : (address->bytes[0] & 0xf0) == 0xe0;
}

static DWORD check(const struct socket *socket, const struct sockaddr *name, int length,
                   DWORD flags, struct rs_addr *group)
{
    DWORD error;

    /* "WSAEINVAL: A WSAJoinLeaf function call was performed on a UDP socket that was opened without
     * setting its WSA_FLAG_MULTIPOINT_C_LEAF or WSA_FLAG_MULTIPOINT_D_LEAF multipoint flag." */
    if (!(socket->creation_flags & LEAF_FLAGS) ||
        (flags != JL_SENDER_ONLY && flags != JL_RECEIVER_ONLY && flags != JL_BOTH))
        return WSAEINVAL;
    if ((error = sockaddr_to_wire(group, name, length, socket->family)))
        return error;
    /* "WSAEADDRNOTAVAIL: The remote address is not a valid address (such as ADDR_ANY)." */
    return is_multicast(group) ? 0 : WSAEADDRNOTAVAIL;
}

/* "If the socket s is unbound, unique values are assigned to the local association by the system"
 */
static DWORD bind_if_unbound(struct socket *socket)
{
    struct sockaddr_in6 any = {.sin6_family = (short)socket->family};
    bool bound;

    AcquireSRWLockShared(&socket->lock);
    bound = socket->bound;
    ReleaseSRWLockShared(&socket->lock);
    if (bound || !bind(socket->handle, (struct sockaddr *)&any, sockaddr_size(socket->family)))
        return 0;
    return GetLastError();
}

static DWORD join(const struct socket *socket, const struct rs_addr *group)
{
    struct ipv6_mreq request6 = {.ipv6mr_interface = group->scope_id};
    struct ip_mreq request = {.imr_interface.s_addr = INADDR_ANY};
    int result;

    if (socket->family == AF_INET6) {
        memcpy(&request6.ipv6mr_multiaddr, group->bytes, sizeof(request6.ipv6mr_multiaddr));
        result = setsockopt(socket->handle, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, (char *)&request6,
                            sizeof(request6));
    } else {
        memcpy(&request.imr_multiaddr, group->bytes, sizeof(request.imr_multiaddr));
        result = setsockopt(socket->handle, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&request,
                            sizeof(request));
    }
    if (!result)
        return 0;
    /* "WSAEISCONN: The socket is already a member of the multipoint session." */
    return GetLastError() == WSAEADDRINUSE ? (DWORD)WSAEISCONN : GetLastError();
}

/* "an FD_CONNECT indication will be given on the original socket s when the join operation
 * completes" */
static void tell(struct socket *socket)
{
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->nonblocking)
        socket_notify(socket, FD_CONNECT);
    ReleaseSRWLockExclusive(&socket->lock);
}

SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int length, LPWSABUF caller,
                          LPWSABUF callee, LPQOS quality, LPQOS group_quality, DWORD flags)
{
    struct socket *socket = socket_get(s);
    struct rs_addr group;
    DWORD error;

    if (!socket)
        return INVALID_SOCKET;
    if (!argument_in(caller, sizeof(*caller)) || !argument_out(callee, sizeof(*callee)))
        error = WSAEFAULT;
    else if (quality || group_quality)
        error = WSAEOPNOTSUPP; /* "The FLOWSPEC structures ... cannot be satisfied" */
    else if (caller && caller->len)
        error = WSAEPROTONOSUPPORT; /* "The lpCallerData augment is not supported" */
    else if (!(error = check(socket, name, length, flags, &group)) &&
             !(error = bind_if_unbound(socket)) && flags != JL_SENDER_ONLY)
        error = join(socket, &group);
    if (!error) {
        if (callee) /* "will be set to zero if no user data has been passed back" */
            callee->len = 0;
        tell(socket);
    }
    socket_put(socket);
    if (error)
        SetLastError(error);
    return error ? INVALID_SOCKET : s;
}
