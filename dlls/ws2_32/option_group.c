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

static void wire_ipv4(struct rs_addr *wire, uint32_t address)
{
    memset(wire, 0, sizeof(*wire));
    wire->family = RS_AF_INET;
    memcpy(wire->bytes, &address, sizeof(address));
}

/* "If the first byte is 0, the other three are an interface index" (MSDN, IP_ADD_MEMBERSHIP). */
static void set_interface(struct rs_group *group, uint32_t interface_address)
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

    set_interface(&group, value);
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
    set_interface(&group, request.imr_interface.s_addr);
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
