/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_RCVALL, SIO_RCVALL_MCAST, SIO_RCVALL_IGMPMCAST.  Asks the server, no lock held.
 *
 * Sources: SIO_RCVALL's page, "Winsock IOCTLs" for the others.
 */
#include "ioctl.h"
#include "option.h"
#include "sockaddr.h"

/* RCVALL_VALUE of mstcpip.h */
enum { ALL_OFF, ALL_ON, ALL_SOCKET_LEVEL_ONLY, ALL_IP_LEVEL };

/* "WSAEINVAL ... if the cbInBuffer parameter is less than the sizeof(UCHAR) or the lpvInBuffer
 * parameter points to value that is not a RCVALL_VALUE enumeration value". */
static DWORD take_value(const struct ioctl_call *call, DWORD *value)
{
    DWORD error;

    *value = 0;
    if (!call->in_size)
        return WSAEINVAL;
    if ((error = ioctl_take(call, value, min(call->in_size, sizeof(*value)))))
        return error;
    return *value > ALL_IP_LEVEL ? WSAEINVAL : 0;
}

/* "must be bound to an explicit local IPv4 or IPv6 interface" */
static bool is_bound_there(struct socket *socket)
{
    bool there;

    AcquireSRWLockShared(&socket->lock);
    there = socket->bound && socket->local.family && !wire_address_is_any(&socket->local);
    ReleaseSRWLockShared(&socket->lock);
    return there;
}

static bool is_raw(const struct socket *socket, int family, int protocol)
{
    return socket->type == SOCK_RAW && socket->family == family && socket->protocol == protocol;
}

static DWORD capture(struct ioctl_call *call, bool right_kind, uint32_t all, uint32_t ip_level)
{
    DWORD value, error = take_value(call, &value);
    uint32_t what;

    if (error)
        return error;
    if (!right_kind || !is_bound_there(call->socket))
        return WSAEINVAL;
    if (value == ALL_SOCKET_LEVEL_ONLY)
        return 0; /* "setting this option does not have any affect" */
    what = value == ALL_OFF ? RS_CAPTURE_OFF : value == ALL_ON ? all : ip_level;
    return option_server_set(call->socket, RS_OPT_CAPTURE, &what, sizeof(what));
}

DWORD ioctl_receive_all(struct ioctl_call *call)
{
    bool right = is_raw(call->socket, AF_INET, IPPROTO_IP) ||
                 is_raw(call->socket, AF_INET6, IPPROTO_IPV6);

    return capture(call, right, RS_CAPTURE_ALL, RS_CAPTURE_HOST);
}

DWORD ioctl_receive_groups(struct ioctl_call *call)
{
    return capture(call, is_raw(call->socket, AF_INET, IPPROTO_UDP), RS_CAPTURE_GROUPS,
                   RS_CAPTURE_GROUPS);
}

DWORD ioctl_receive_igmp(struct ioctl_call *call)
{
    return capture(call, is_raw(call->socket, AF_INET, IPPROTO_IGMP), RS_CAPTURE_IGMP,
                   RS_CAPTURE_IGMP);
}
