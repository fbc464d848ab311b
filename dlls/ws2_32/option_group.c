/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Multicast groups and interfaces: Winsock's structures to the wire's rs_group.
 *
 * Asks the server with no lock held.
 */
#include "option.h"
#include "sockaddr.h"

/* As in ws2ipdef.h, which mingw-w64 has only in part. */
struct group_request {
    ULONG interface_index;
    struct sockaddr_storage group;
};

void wire_ipv4(struct rs_addr *wire, uint32_t address)
{
    memset(wire, 0, sizeof(*wire));
    wire->family = RS_AF_INET;
    memcpy(wire->bytes, &address, sizeof(address));
}

/* "If the first byte is 0, the other three are an interface index" (MSDN, IP_ADD_MEMBERSHIP). */
void group_set_interface(struct rs_group *group, uint32_t interface_address)
{
    uint32_t host_order = ntohl(interface_address);

    wire_ipv4(&group->interface_address, 0);
    if (host_order >> 24)
        wire_ipv4(&group->interface_address, interface_address);
    else
        group->interface_index = host_order;
}

DWORD set_multicast_interface(struct socket *socket, uint32_t value)
{
    struct rs_group group = {0};
    DWORD error;

    group_set_interface(&group, value);
    wire_ipv4(&group.group, 0);
    if (!(error = option_server_set(socket, RS_OPT_IP_MULTICAST_IF, &group, sizeof(group))))
        socket->multicast_interface = value;
    return error;
}

static DWORD change_membership(struct socket *socket, uint16_t option, const char *buffer,
                               int length)
{
    struct rs_group group = {0};
    struct ip_mreq request;

    if (!buffer || length < (int)sizeof(request))
        return WSAEFAULT;
    memcpy(&request, buffer, sizeof(request));
    group_set_interface(&group, request.imr_interface.s_addr);
    wire_ipv4(&group.group, request.imr_multiaddr.s_addr);
    return option_server_set(socket, option, &group, sizeof(group));
}

DWORD write_join(struct socket *socket, const char *buffer, int length)
{
    return change_membership(socket, RS_OPT_IP_ADD_MEMBERSHIP, buffer, length);
}

DWORD write_leave(struct socket *socket, const char *buffer, int length)
{
    return change_membership(socket, RS_OPT_IP_DROP_MEMBERSHIP, buffer, length);
}

static DWORD change_membership6(struct socket *socket, uint16_t option, const char *buffer,
                                int length)
{
    struct rs_group group = {0};
    struct ipv6_mreq request;

    if (!buffer || length < (int)sizeof(request))
        return WSAEFAULT;
    memcpy(&request, buffer, sizeof(request));
    group.interface_index = request.ipv6mr_interface;
    group.group.family = RS_AF_INET6;
    memcpy(group.group.bytes, &request.ipv6mr_multiaddr, sizeof(group.group.bytes));
    return option_server_set(socket, option, &group, sizeof(group));
}

DWORD write_join6(struct socket *socket, const char *buffer, int length)
{
    return change_membership6(socket, RS_OPT_IPV6_ADD_MEMBERSHIP, buffer, length);
}

DWORD write_leave6(struct socket *socket, const char *buffer, int length)
{
    return change_membership6(socket, RS_OPT_IPV6_DROP_MEMBERSHIP, buffer, length);
}

static DWORD change_group(struct socket *socket, bool join, const char *buffer, int length)
{
    struct rs_group group = {0};
    struct group_request request;
    uint16_t option;
    DWORD error;

    if (!buffer || length < (int)sizeof(request))
        return WSAEFAULT;
    memcpy(&request, buffer, sizeof(request));
    if ((error = sockaddr_to_wire(&group.group, (const struct sockaddr *)&request.group,
                                  sizeof(request.group), socket->family)))
        return error;
    group.interface_index = request.interface_index;
    wire_ipv4(&group.interface_address, 0);
    if (socket->family == AF_INET6)
        option = join ? RS_OPT_IPV6_ADD_MEMBERSHIP : RS_OPT_IPV6_DROP_MEMBERSHIP;
    else
        option = join ? RS_OPT_IP_ADD_MEMBERSHIP : RS_OPT_IP_DROP_MEMBERSHIP;
    return option_server_set(socket, option, &group, sizeof(group));
}

DWORD write_join_group(struct socket *socket, const char *buffer, int length)
{
    return change_group(socket, true, buffer, length);
}

DWORD write_leave_group(struct socket *socket, const char *buffer, int length)
{
    return change_group(socket, false, buffer, length);
}

/* IP_UNICAST_IF: set with "an interface index in network byte order"; "When getting this option,
 * the optval returns the current default interface index ... in host byte order." */
static DWORD tell_unicast_interface(struct socket *socket, uint16_t option, uint32_t index)
{
    uint32_t value = htonl(index);

    if (socket->type == SOCK_STREAM) /* Linux has no such thing for them */
        return index ? WSAENOPROTOOPT : 0;
    return option_server_set(socket, option, &value, sizeof(value));
}

DWORD get_unicast_interface(struct socket *socket, uint32_t *value)
{
    *value = socket->unicast_interface;
    return 0;
}

DWORD set_unicast_interface(struct socket *socket, uint32_t value)
{
    DWORD error = tell_unicast_interface(socket, RS_OPT_IP_UNICAST_IF, ntohl(value));

    if (!error)
        socket->unicast_interface = ntohl(value);
    return error;
}

/* IPV6_UNICAST_IF: "a 4-byte interface index ... in host byte order", both ways. */
DWORD get_unicast_interface6(struct socket *socket, uint32_t *value)
{
    *value = socket->unicast_interface6;
    return 0;
}

DWORD set_unicast_interface6(struct socket *socket, uint32_t value)
{
    DWORD error = tell_unicast_interface(socket, RS_OPT_IPV6_UNICAST_IF, value);

    if (!error)
        socket->unicast_interface6 = value;
    return error;
}

/* ---- sources: IP_ADD_SOURCE_MEMBERSHIP and its kin, MCAST_JOIN_SOURCE_GROUP and its ---- */

static DWORD change_source(struct socket *socket, uint16_t option, const char *buffer, int length)
{
    struct rs_source_group group = {0};
    struct { /* struct ip_mreq_source of ws2ipdef.h */
        IN_ADDR group, source, interface_address;
    } request;

    if (!buffer || length < (int)sizeof(request))
        return WSAEFAULT;
    memcpy(&request, buffer, sizeof(request));
    group_set_interface(&group.group, request.interface_address.s_addr);
    wire_ipv4(&group.group.group, request.group.s_addr);
    wire_ipv4(&group.source, request.source.s_addr);
    return option_server_set(socket, option, &group, sizeof(group));
}

DWORD write_join_source(struct socket *socket, const char *buffer, int length)
{
    return change_source(socket, RS_OPT_JOIN_SOURCE, buffer, length);
}

DWORD write_leave_source(struct socket *socket, const char *buffer, int length)
{
    return change_source(socket, RS_OPT_LEAVE_SOURCE, buffer, length);
}

DWORD write_block_source(struct socket *socket, const char *buffer, int length)
{
    return change_source(socket, RS_OPT_BLOCK_SOURCE, buffer, length);
}

DWORD write_unblock_source(struct socket *socket, const char *buffer, int length)
{
    return change_source(socket, RS_OPT_UNBLOCK_SOURCE, buffer, length);
}

static DWORD change_source_group(struct socket *socket, uint16_t option, const char *buffer,
                                 int length)
{
    struct rs_source_group group = {0};
    struct { /* struct group_source_req of ws2ipdef.h */
        ULONG interface_index;
        struct sockaddr_storage group, source;
    } request;
    DWORD error;

    if (!buffer || length < (int)sizeof(request))
        return WSAEFAULT;
    memcpy(&request, buffer, sizeof(request));
    if ((error = sockaddr_to_wire(&group.group.group, (const struct sockaddr *)&request.group,
                                  sizeof(request.group), socket->family)) ||
        (error = sockaddr_to_wire(&group.source, (const struct sockaddr *)&request.source,
                                  sizeof(request.source), socket->family)))
        return error;
    group.group.interface_index = request.interface_index;
    return option_server_set(socket, option, &group, sizeof(group));
}

DWORD write_join_source_group(struct socket *socket, const char *buffer, int length)
{
    return change_source_group(socket, RS_OPT_JOIN_SOURCE, buffer, length);
}

DWORD write_leave_source_group(struct socket *socket, const char *buffer, int length)
{
    return change_source_group(socket, RS_OPT_LEAVE_SOURCE, buffer, length);
}

DWORD write_block_source_group(struct socket *socket, const char *buffer, int length)
{
    return change_source_group(socket, RS_OPT_BLOCK_SOURCE, buffer, length);
}

DWORD write_unblock_source_group(struct socket *socket, const char *buffer, int length)
{
    return change_source_group(socket, RS_OPT_UNBLOCK_SOURCE, buffer, length);
}

/* ---- listeners ---- */

/* SO_CONDITIONAL_ACCEPT: "must be set before the listen function is called", else WSAEINVAL.  Linux
 * has the connection before anybody can be asked, so what is rejected is reset rather than refused,
 * with the option as without. */
DWORD set_conditional_accept(struct socket *socket, uint32_t value)
{
    DWORD error = 0;

    AcquireSRWLockExclusive(&socket->lock);
    if (socket->state == SOCKET_LISTENING)
        error = WSAEINVAL;
    else
        socket->conditional_accept = value != 0;
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

/* ---- raw sockets ---- */

/* IP_HDRINCL and IPV6_HDRINCL are for raw sockets alone (Wine's test_sockopt_validity, run on
 * Windows). */
DWORD get_header_included(struct socket *socket, uint32_t *value)
{
    return socket->type == SOCK_RAW ? option_server_get(socket, RS_OPT_HDRINCL, value) : WSAEINVAL;
}

DWORD set_header_included(struct socket *socket, uint32_t value)
{
    return socket->type == SOCK_RAW
               ? option_server_set(socket, RS_OPT_HDRINCL, &value, sizeof(value))
               : WSAEINVAL;
}
