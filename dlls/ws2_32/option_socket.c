/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options that are more than a value kept somewhere.
 *
 * Takes the socket's lock; asks the server with no lock held.
 */
#include "option.h"
#include "log.h"
#include "protocols.h"
#include "receive.h"
#include "send.h"
#include "sockaddr.h"

#define BUFFER_DEFAULT 65536u /* what Windows tells of a socket whose buffers were not set */
#define MESSAGE_MAX    65507u /* UDP over IPv4; MSDN's SO_MAX_MSG_SIZE */

static DWORD server_set_value(struct socket *socket, uint16_t option, uint32_t value)
{
    return option_server_set(socket, option, &value, sizeof(value));
}

/* ---- addresses ---- */

/* "Setting both is not possible in either order, the later call fails" (Wine's test_ipv6only). */
DWORD set_reuse(struct socket *socket, uint32_t value)
{
    DWORD error;

    if (value && socket->exclusive_address)
        return WSAEINVAL;
    if (!(error = server_set_value(socket, RS_OPT_REUSEADDR, value)))
        socket->reuse_address = value;
    return error;
}

DWORD set_exclusive(struct socket *socket, uint32_t value)
{
    DWORD error;

    if (socket->bound || (value && socket->reuse_address))
        return WSAEINVAL;
    if (!(error = server_set_value(socket, RS_OPT_EXCLUSIVE, value)))
        socket->exclusive_address = value;
    return error;
}

DWORD get_v6only(struct socket *socket, uint32_t *value)
{
    *value = socket->family == AF_INET6 ? socket->v6only : !socket->v6only_cleared;
    return 0;
}

DWORD set_v6only(struct socket *socket, uint32_t value)
{
    DWORD error;

    if (socket->bound)
        return WSAEINVAL;
    if (socket->type == SOCK_RAW && value == socket->v6only)
        return 0; /* Linux's raw sockets are so, and refuse to be told */
    if (socket->family != AF_INET6) {
        socket->v6only_cleared = !value;
        return 0;
    }
    if (!(error = server_set_value(socket, RS_OPT_IPV6_V6ONLY, value)))
        socket->v6only = value;
    return error;
}

/* ---- datagrams ---- */

DWORD set_broadcast(struct socket *socket, uint32_t value)
{
    DWORD error = server_set_value(socket, RS_OPT_BROADCAST, value);

    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->broadcast = value;
    memset(&socket->last_destination, 0, sizeof(socket->last_destination)); /* ask again */
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

/* ---- closing ---- */

DWORD get_linger(struct socket *socket, uint32_t *value)
{
    _Static_assert(sizeof(struct linger) == sizeof(*value), "linger");
    memcpy(value, &socket->linger, sizeof(*value));
    return 0;
}

DWORD set_linger(struct socket *socket, uint32_t value)
{
    AcquireSRWLockExclusive(&socket->lock);
    memcpy(&socket->linger, &value, sizeof(value));
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

DWORD get_dont_linger(struct socket *socket, uint32_t *value)
{
    *value = !socket->linger.l_onoff;
    return 0;
}

DWORD set_dont_linger(struct socket *socket, uint32_t value)
{
    AcquireSRWLockExclusive(&socket->lock);
    socket->linger.l_onoff = !value;
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

/* ---- buffers ---- */

DWORD get_receive_buffer(struct socket *socket, uint32_t *value)
{
    *value = socket->receive_buffer_set ? socket->receive_buffer : BUFFER_DEFAULT;
    return 0;
}

DWORD get_send_buffer(struct socket *socket, uint32_t *value)
{
    *value = socket->send_buffer_set ? socket->send_buffer : BUFFER_DEFAULT;
    return 0;
}

/* The server reads ahead of the program and keeps a backlog, so a small buffer cannot be had; and a
 * size given to a Linux stream ends its own, better, tuning.  Only a datagram socket that wants
 * more than the default has something to gain from the kernel's buffer. */
static DWORD set_kernel_buffer(struct socket *socket, uint16_t option, uint32_t value)
{
    if (socket->type == SOCK_STREAM || value <= BUFFER_DEFAULT)
        return 0;
    return server_set_value(socket, option, value > INT32_MAX ? INT32_MAX : value);
}

DWORD set_receive_buffer(struct socket *socket, uint32_t value)
{
    DWORD error = set_kernel_buffer(socket, RS_OPT_RCVBUF, value);

    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->receive_buffer = value;
    socket->receive_buffer_set = true;
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

DWORD set_send_buffer(struct socket *socket, uint32_t value)
{
    DWORD error = set_kernel_buffer(socket, RS_OPT_SNDBUF, value);

    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->send_buffer = value;
    socket->send_buffer_set = true;
    socket->send_window = value > SEND_WINDOW_DEFAULT ? value : SEND_WINDOW_DEFAULT;
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

/* ---- state ---- */

DWORD get_type(struct socket *socket, uint32_t *value)
{
    *value = socket->type;
    return 0;
}

DWORD set_type(struct socket *socket, uint32_t value)
{
    (void)value;
    return socket->type == SOCK_STREAM ? WSAENOPROTOOPT : WSAEINVAL; /* Windows' two answers */
}

DWORD get_accept_connections(struct socket *socket, uint32_t *value)
{
    *value = socket->state == SOCKET_LISTENING;
    return 0;
}

DWORD get_connect_time(struct socket *socket, uint32_t *value)
{
    bool connected = socket->type == SOCK_STREAM && socket->state == SOCKET_CONNECTED;

    *value = connected ? (GetTickCount() - socket->connect_time) / 1000 : UINT32_MAX;
    return 0;
}

/* "get/set the compartment for a socket" (ws2def.h).  There is one, NET_COMPARTMENT_ID_PRIMARY; 0
 * is NET_COMPARTMENT_ID_UNSPECIFIED (ifdef.h).  Linux's network name spaces are none: no process
 * chooses one for a socket without the right to enter it. */
DWORD set_compartment(struct socket *socket, uint32_t value)
{
    enum { UNSPECIFIED, PRIMARY };

    (void)socket;
    if (value <= PRIMARY)
        return 0;
    log_once_each(LOG_WARN, value, "SO_COMPARTMENT_ID: there is no compartment %u", value);
    return WSAEINVAL;
}

DWORD get_max_message(struct socket *socket, uint32_t *value)
{
    (void)socket;
    *value = MESSAGE_MAX;
    return 0;
}

DWORD set_oob_inline(struct socket *socket, uint32_t value)
{
    DWORD error = server_set_value(socket, RS_OPT_OOBINLINE, value);
    struct operation_queue finished = {0};

    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->oob_inline = value;
    receive_end(socket, &finished); /* urgent bytes may be part of the stream from here on */
    ReleaseSRWLockExclusive(&socket->lock);
    operation_deliver_list(&finished);
    return 0;
}

DWORD read_protocol_info_w(struct socket *socket, char *buffer, int *length)
{
    const WSAPROTOCOL_INFOW *info = protocol_find(socket->family, socket->type, socket->protocol);

    if (!info)
        return WSAENOPROTOOPT;
    if (*length < (int)sizeof(*info)) {
        *length = sizeof(*info);
        return WSAEFAULT;
    }
    memcpy(buffer, info, sizeof(*info));
    return 0;
}

DWORD read_protocol_info_a(struct socket *socket, char *buffer, int *length)
{
    const WSAPROTOCOL_INFOW *info = protocol_find(socket->family, socket->type, socket->protocol);
    WSAPROTOCOL_INFOA ansi;

    if (!info)
        return WSAENOPROTOOPT;
    if (*length < (int)sizeof(ansi)) {
        *length = sizeof(ansi);
        return WSAEFAULT;
    }
    protocol_to_ansi(info, &ansi);
    memcpy(buffer, &ansi, sizeof(ansi));
    return 0;
}

static void place_address(SOCKET_ADDRESS *where, const struct rs_addr *wire, char *room)
{
    struct sockaddr_in6 address;

    if (!wire->family)
        return;
    where->iSockaddrLength = sockaddr_from_wire(&address, wire);
    where->lpSockaddr = (struct sockaddr *)room;
    memcpy(room, &address, where->iSockaddrLength);
}

/* SO_BSP_STATE: a CSADDR_INFO whose addresses lie behind it in the same buffer. */
DWORD read_state(struct socket *socket, char *buffer, int *length)
{
    int size = sockaddr_size(socket->family);
    CSADDR_INFO info = {.iSocketType = socket->type, .iProtocol = socket->protocol};

    if (*length < (int)sizeof(info) + 2 * size)
        return WSAEFAULT;
    AcquireSRWLockShared(&socket->lock);
    place_address(&info.LocalAddr, &socket->local, buffer + sizeof(info));
    place_address(&info.RemoteAddr, &socket->peer, buffer + sizeof(info) + size);
    ReleaseSRWLockShared(&socket->lock);
    memcpy(buffer, &info, sizeof(info));
    return 0;
}

/* ---- AcceptEx and ConnectEx ---- */

void option_inherit(struct socket *accepted, const struct socket *listener)
{
    accepted->linger = listener->linger;
    accepted->receive_timeout = listener->receive_timeout;
    accepted->send_timeout = listener->send_timeout;
    accepted->oob_inline = listener->oob_inline;
    accepted->reuse_address = listener->reuse_address;
    accepted->exclusive_address = listener->exclusive_address;
    accepted->v6only = listener->v6only;
    accepted->receive_buffer = listener->receive_buffer;
    accepted->receive_buffer_set = listener->receive_buffer_set;
    accepted->send_buffer = listener->send_buffer;
    accepted->send_buffer_set = listener->send_buffer_set;
    accepted->send_window = listener->send_window;
    accepted->debug = listener->debug;
    accepted->dont_route = listener->dont_route;
    accepted->dont_fragment = listener->dont_fragment;
    accepted->keep_idle = listener->keep_idle;
    accepted->keep_interval = listener->keep_interval;
    accepted->keep_count = listener->keep_count;
    accepted->max_retransmit = listener->max_retransmit;
}

DWORD write_accept_context(struct socket *socket, const char *buffer, int length)
{
    struct socket *listener;
    SOCKET handle;
    DWORD error = 0;

    if (!buffer || length < (int)sizeof(handle))
        return WSAEFAULT;
    memcpy(&handle, buffer, sizeof(handle));
    if (!(listener = socket_get(handle)))
        return WSAENOTSOCK;
    AcquireSRWLockExclusive(&listener->lock);
    if (listener == socket || listener->state != SOCKET_LISTENING)
        error = WSAEINVAL;
    if (!error) {
        AcquireSRWLockExclusive(&socket->lock); /* the listener's first, as the order says */
        if (socket->state != SOCKET_CONNECTED)
            error = WSAENOTCONN;
        else if (socket->acceptex) {
            option_inherit(socket, listener);
            socket->acceptex = false;
        }
        ReleaseSRWLockExclusive(&socket->lock);
    }
    ReleaseSRWLockExclusive(&listener->lock);
    socket_put(listener);
    return error;
}

DWORD write_connect_context(struct socket *socket, const char *buffer, int length)
{
    DWORD error = 0;

    (void)buffer;
    (void)length; /* MSDN: no value; programs pass NULL and 0 */
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->state == SOCKET_CONNECTED)
        socket->connectex = false;
    else
        error = WSAENOTCONN;
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

/* ---- IP and TCP ---- */

enum { FRAGMENT_DEFAULT, FRAGMENT_ALLOWED, FRAGMENT_NEVER };

DWORD get_dont_fragment(struct socket *socket, uint32_t *value)
{
    if (socket->dont_fragment == FRAGMENT_DEFAULT)
        *value = socket->type == SOCK_STREAM; /* Windows' defaults */
    else
        *value = socket->dont_fragment == FRAGMENT_NEVER;
    return 0;
}

DWORD set_dont_fragment(struct socket *socket, uint32_t value)
{
    DWORD error = server_set_value(
        socket, socket->family == AF_INET6 ? RS_OPT_IPV6_DONTFRAG : RS_OPT_IP_DONTFRAGMENT, value);

    if (!error)
        socket->dont_fragment = value ? FRAGMENT_NEVER : FRAGMENT_ALLOWED;
    return error;
}

/* No IP option can be set: what can be said is that there is none. */
DWORD read_ip_options(struct socket *socket, char *buffer, int *length)
{
    (void)socket;
    (void)buffer;
    *length = 0;
    return 0;
}

DWORD write_ip_options(struct socket *socket, const char *buffer, int length)
{
    (void)socket;
    for (int i = 0; buffer && i < length; i++)
        if (buffer[i])
            return WSAENOPROTOOPT;
    return 0;
}

/* IP_MTU_DISCOVER: PMTUD_STATE of ws2ipdef.h; "not set" is told and cannot be set. */
DWORD set_mtu_discover(struct socket *socket, uint32_t value)
{
    DWORD error;

    if (!value || value > 3)
        return WSAEINVAL;
    if (!(error = server_set_value(socket, RS_OPT_MTU_DISCOVER, value)))
        socket->mtu_discover = value;
    return error;
}

/* "the system's estimate of the path MTU. Socket must be connected." */
DWORD get_mtu(struct socket *socket, uint32_t *value)
{
    return socket->state == SOCKET_CONNECTED ? option_server_get(socket, RS_OPT_MTU, value)
                                             : WSAENOTCONN;
}

/* IP_USER_MTU: "If the value is higher than the system's estimate of the path MTU ..., then the
 * option has no effect": no path has more than this. */
#define MTU_MAX 65535u

DWORD get_user_mtu(struct socket *socket, uint32_t *value)
{
    *value = socket->user_mtu ? socket->user_mtu : UINT32_MAX; /* IP_UNSPECIFIED_USER_MTU */
    return 0;
}

DWORD set_user_mtu(struct socket *socket, uint32_t value)
{
    if (value < MTU_MAX)
        return WSAENOPROTOOPT;
    socket->user_mtu = value;
    return 0;
}

/* What always is so, as IP_RECEIVE_BROADCAST. */
DWORD get_one(struct socket *socket, uint32_t *value)
{
    (void)socket;
    *value = 1;
    return 0;
}

DWORD set_nothing(struct socket *socket, uint32_t value)
{
    (void)socket;
    (void)value;
    return 0;
}

DWORD get_protection_level(struct socket *socket, uint32_t *value)
{
    *value = socket->protection_level ? socket->protection_level : PROTECTION_LEVEL_UNRESTRICTED;
    return 0;
}

/* UDP_NOCHECKSUM: "not supported for IPv6". */
DWORD set_no_checksum(struct socket *socket, uint32_t value)
{
    DWORD error = socket->family == AF_INET ? server_set_value(socket, RS_OPT_UDP_NOCHECKSUM, value)
                  : value                   ? WSAENOPROTOOPT
                                            : 0;

    if (!error)
        socket->udp_no_checksum = value;
    return error;
}

/* UDP_SEND_MSG_SIZE: "set a value that is lower than the MTU of the path...; otherwise the send
 * will fail (but the socket option set will still succeed)": so the next send is one that is waited
 * for. */
DWORD set_send_size(struct socket *socket, uint32_t value)
{
    DWORD error = server_set_value(socket, RS_OPT_UDP_SEGMENT, value);

    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->udp_send_size = value;
    memset(&socket->last_destination, 0, sizeof(socket->last_destination));
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

/* UDP_RECV_MAX_COALESCED_SIZE: "multiple received datagrams may be coalesced into a single message
 * buffer"; Linux knows no limit but that of a datagram, so below it they stay single. */
DWORD set_coalesced_size(struct socket *socket, uint32_t value)
{
    DWORD error = server_set_value(socket, RS_OPT_UDP_COALESCE, value >= MESSAGE_MAX);

    if (!error)
        socket->udp_coalesced_size = value;
    return error;
}
