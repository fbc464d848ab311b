/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Socket options.
 *
 * Owns: the table from enum rs_option to the kernel's options, and those that the server keeps for
 * itself because Linux means something else by the same name.  Loop thread only, no locks.
 */
#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "error.h"
#include "server.h"
#include "socket.h"

/* Options whose value is one number that the kernel takes as it is. */
static const struct plain {
    uint8_t option;
    uint8_t type; /* enum rs_type, 0 = both */
    int level, name;
} plain_options[] = {
    {RS_OPT_KEEPALIVE, 0, SOL_SOCKET, SO_KEEPALIVE},
    {RS_OPT_BROADCAST, 0, SOL_SOCKET, SO_BROADCAST},
    {RS_OPT_TCP_NODELAY, RS_STREAM, IPPROTO_TCP, TCP_NODELAY},
    {RS_OPT_TCP_KEEPIDLE, RS_STREAM, IPPROTO_TCP, TCP_KEEPIDLE},
    {RS_OPT_TCP_KEEPINTVL, RS_STREAM, IPPROTO_TCP, TCP_KEEPINTVL},
    {RS_OPT_TCP_KEEPCNT, RS_STREAM, IPPROTO_TCP, TCP_KEEPCNT},
    {RS_OPT_TCP_MAXSEG, RS_STREAM, IPPROTO_TCP, TCP_MAXSEG},
    {RS_OPT_IP_TTL, 0, IPPROTO_IP, IP_TTL},
    {RS_OPT_IP_TOS, 0, IPPROTO_IP, IP_TOS},
    {RS_OPT_IP_MULTICAST_TTL, 0, IPPROTO_IP, IP_MULTICAST_TTL},
    {RS_OPT_IP_MULTICAST_LOOP, 0, IPPROTO_IP, IP_MULTICAST_LOOP},
    {RS_OPT_IPV6_V6ONLY, 0, IPPROTO_IPV6, IPV6_V6ONLY},
    {RS_OPT_IPV6_UNICAST_HOPS, 0, IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {RS_OPT_IPV6_TCLASS, 0, IPPROTO_IPV6, IPV6_TCLASS},
    {RS_OPT_IPV6_MULTICAST_HOPS, 0, IPPROTO_IPV6, IPV6_MULTICAST_HOPS},
    {RS_OPT_IPV6_MULTICAST_LOOP, 0, IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
    {RS_OPT_IPV6_MULTICAST_IF, 0, IPPROTO_IPV6, IPV6_MULTICAST_IF},
    {RS_OPT_IPV6_DONTFRAG, 0, IPPROTO_IPV6, IPV6_DONTFRAG},
    {RS_OPT_IP_UNICAST_IF, 0, IPPROTO_IP, IP_UNICAST_IF},
    {RS_OPT_IPV6_UNICAST_IF, 0, IPPROTO_IPV6, IPV6_UNICAST_IF},
    {RS_OPT_UDP_SEGMENT, RS_DGRAM, IPPROTO_UDP, UDP_SEGMENT},
    {RS_OPT_UDP_NOCHECKSUM, RS_DGRAM, SOL_SOCKET, SO_NO_CHECK},
};

void option_copy(const struct socket *socket, int fd)
{
    int level = socket->family == RS_AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int discover = level == IPPROTO_IPV6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
    struct plain others[] = {{0, 0, level, discover}, {0, 0, IPPROTO_TCP, TCP_USER_TIMEOUT}};
    size_t count = sizeof(plain_options) / sizeof(*plain_options);

    for (size_t i = 0; i < count + sizeof(others) / sizeof(*others); i++) {
        const struct plain *plain = i < count ? &plain_options[i] : &others[i - count];
        int value;
        socklen_t size = sizeof(value);

        /* what a family or a stream has not got fails, and the segment size is the connection's */
        if (plain->option != RS_OPT_TCP_MAXSEG &&
            !getsockopt(socket->watch.fd, plain->level, plain->name, &value, &size))
            setsockopt(fd, plain->level, plain->name, &value, size);
    }
    priority_copy(socket, fd); /* behind IP_TOS, which changes it */
}

static const struct plain *plain_find(const struct socket *socket, uint32_t option)
{
    for (size_t i = 0; i < sizeof(plain_options) / sizeof(*plain_options); i++) {
        const struct plain *plain = &plain_options[i];

        if (plain->option == option && (!plain->type || plain->type == socket->type))
            return plain;
    }
    return NULL;
}

static uint32_t set_number(struct socket *socket, int level, int name, uint32_t number)
{
    /* all ones is the -1 by which IPv6's hop limits mean the system's default */
    int value = number == UINT32_MAX ? -1 : number > INT32_MAX ? INT32_MAX : (int)number;

    return setsockopt(socket->watch.fd, level, name, &value, sizeof(value))
               ? error_from_errno(errno)
               : 0;
}

static uint32_t get_number(struct socket *socket, int level, int name, uint32_t *number)
{
    int value = 0;
    socklen_t size = sizeof(value);

    if (getsockopt(socket->watch.fd, level, name, &value, &size))
        return error_from_errno(errno);
    *number = (uint32_t)value;
    return 0;
}

/* Linux counts its own book-keeping, and a size once set ends a stream's automatic tuning: a
 * stream's buffers are the DLL's send window and the read-ahead, so there the number is only kept.
 */
static uint32_t set_buffer(struct socket *socket, uint32_t *kept, int name, uint32_t number)
{
    *kept = number;
    return socket->type != RS_STREAM ? set_number(socket, SOL_SOCKET, name, number) : 0;
}

static uint32_t set_dont_fragment(struct socket *socket, uint32_t number)
{
    socket->dont_fragment = number != 0;
    return set_number(socket, IPPROTO_IP, IP_MTU_DISCOVER,
                      number ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
}

/* What Linux calls TCP_USER_TIMEOUT (tcp(7)); it has no "never", but 24 days.  It counts for probes
 * of the keep-alive as well, instead of their number.  While connecting: connect.c. */
static uint32_t set_max_retransmit(struct socket *socket, uint32_t milliseconds)
{
    uint32_t most = INT32_MAX;

    socket->max_retransmit = milliseconds;
    return set_number(socket, IPPROTO_TCP, TCP_USER_TIMEOUT,
                      milliseconds < most ? milliseconds : most);
}

/* Of a listener: how many such connections may wait.  Without net.ipv4.tcp_fastopen none does. */
static uint32_t set_fast_open(struct socket *socket, uint32_t number)
{
    return socket->type == RS_STREAM
               ? set_number(socket, IPPROTO_TCP, TCP_FASTOPEN, number ? RS_ACCEPT_WINDOW : 0)
               : WSAENOPROTOOPT;
}

static uint32_t set_mtu_discover(struct socket *socket, uint32_t number)
{
    static const uint8_t kernel[] = {[1] = IP_PMTUDISC_DO, IP_PMTUDISC_DONT, IP_PMTUDISC_PROBE};
    uint32_t error;

    if (!number || number >= sizeof(kernel))
        return WSAEINVAL;
    error = set_number(socket, IPPROTO_IP, IP_MTU_DISCOVER, kernel[number]);
    if (socket->family == RS_AF_INET6)
        error = set_number(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, kernel[number]);
    return error;
}

static uint32_t get_mtu(struct socket *socket, uint32_t *number)
{
    return socket->family == RS_AF_INET6 ? get_number(socket, IPPROTO_IPV6, IPV6_MTU, number)
                                         : get_number(socket, IPPROTO_IP, IP_MTU, number);
}

/* On streams the kernel's option is always set (bind.c); only the program's wish is kept. */
static uint32_t set_reuse(struct socket *socket, uint32_t number)
{
    socket->reuse = number != 0;
    return socket->type != RS_STREAM ? set_number(socket, SOL_SOCKET, SO_REUSEADDR, number) : 0;
}

/* What who binds beside it looks at. */
static uint32_t set_claim(struct socket *socket, uint32_t option, uint32_t number)
{
    uint32_t error = 0;

    names_lock();
    if (option == RS_OPT_CPU_AFFINITY)
        error = bind_set_affinity(socket, number);
    else if (option == RS_OPT_EXCLUSIVE)
        socket->exclusive = number != 0;
    else if (number && socket->affinity)
        error = WSAEINVAL;
    else if (option == RS_OPT_REUSEADDR)
        error = set_reuse(socket, number);
    else
        error = multicast_port_set(socket, number != 0);
    names_unlock();
    return error;
}

static int header_level(const struct socket *socket)
{
    return socket->family == RS_AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
}

static int header_option(const struct socket *socket)
{
    return socket->family == RS_AF_INET6 ? IPV6_HDRINCL : IP_HDRINCL;
}

static uint32_t set_kept(struct socket *socket, uint32_t option, uint32_t number)
{
    switch (option) {
    case RS_OPT_REUSEADDR:
    case RS_OPT_EXCLUSIVE:
    case RS_OPT_MULTICAST_PORT:
    case RS_OPT_CPU_AFFINITY:
        return set_claim(socket, option, number);
    case RS_OPT_OOBINLINE:
        return urgent_set_inline(socket, number != 0) ? error_from_errno(errno) : 0;
    case RS_OPT_RCVBUF:
        return set_buffer(socket, &socket->receive_buffer, SO_RCVBUF, number);
    case RS_OPT_SNDBUF:
        return set_buffer(socket, &socket->send_buffer, SO_SNDBUF, number);
    case RS_OPT_IP_DONTFRAGMENT:
        return set_dont_fragment(socket, number);
    case RS_OPT_TCP_MAXRT:
        return socket->type == RS_STREAM ? set_max_retransmit(socket, number) : WSAENOPROTOOPT;
    case RS_OPT_MTU_DISCOVER:
        return set_mtu_discover(socket, number);
    case RS_OPT_CONTROL:
        return socket->type != RS_STREAM ? control_enable(socket, number) : WSAENOPROTOOPT;
    case RS_OPT_TCP_FASTOPEN:
        return set_fast_open(socket, number);
    case RS_OPT_FAIL_ON_ICMP:
        if (socket->type != RS_STREAM || socket->family == RS_AF_UNIX)
            return WSAENOPROTOOPT;
        socket->fail_on_icmp = number != 0;
        return 0;
    case RS_OPT_CONNECT_TIME:
        socket->connect_time = number;
        return 0;
    case RS_OPT_UDP_COALESCE:
        return socket->type == RS_DGRAM ? control_coalesce(socket, number != 0) : WSAENOPROTOOPT;
    case RS_OPT_PAUSE_ACCEPT:
        return listener_pause(socket, number != 0);
    case RS_OPT_ACK_AT_ONCE:
        if (socket->type != RS_STREAM || socket->family == RS_AF_UNIX)
            return WSAENOPROTOOPT;
        socket->ack_at_once = number != 0;
        return set_number(socket, IPPROTO_TCP, TCP_QUICKACK, number != 0);
    case RS_OPT_ICMP_MESSAGES:
        socket->icmp_told = socket->type == RS_DGRAM && number;
        return socket->type == RS_DGRAM ? 0 : WSAENOPROTOOPT;
    case RS_OPT_PRIORITY:
        return priority_set(socket, number);
    case RS_OPT_SENT_TIMES:
        return sent_times_keep(socket, number);
    case RS_OPT_CAPTURE:
        return capture_set(socket, number);
    case RS_OPT_HDRINCL:
        return set_number(socket, header_level(socket), header_option(socket), number);
    }
    return WSAENOPROTOOPT;
}

static uint32_t get_kept(struct socket *socket, uint32_t option, uint32_t *number)
{
    switch (option) {
    case RS_OPT_REUSEADDR:
        *number = socket->reuse;
        return 0;
    case RS_OPT_OOBINLINE:
        *number = socket->oob_inline;
        return 0;
    case RS_OPT_RCVBUF:
        *number = socket->receive_buffer;
        return *number ? 0 : get_number(socket, SOL_SOCKET, SO_RCVBUF, number);
    case RS_OPT_SNDBUF:
        *number = socket->send_buffer;
        return *number ? 0 : get_number(socket, SOL_SOCKET, SO_SNDBUF, number);
    case RS_OPT_IP_DONTFRAGMENT:
        *number = socket->dont_fragment;
        return 0;
    case RS_OPT_TCP_MAXRT:
        *number = socket->max_retransmit;
        return 0;
    case RS_OPT_MTU:
        return get_mtu(socket, number);
    case RS_OPT_PAUSE_ACCEPT:
        *number = socket->accept_paused;
        return 0;
    case RS_OPT_PEER_PROCESS:
        *number = socket->peer_process;
        return *number ? 0 : WSAEOPNOTSUPP;
    case RS_OPT_HDRINCL:
        return get_number(socket, header_level(socket), header_option(socket), number);
    }
    return WSAENOPROTOOPT;
}

static uint32_t get_error(struct socket *socket, uint32_t *number)
{
    uint32_t error = get_number(socket, SOL_SOCKET, SO_ERROR, number);

    if (error)
        return error;
    *number = socket->type == RS_STREAM && socket->state == SOCKET_CONNECTED
                  ? stream_error_code(socket, (int)*number)
                  : error_from_errno((int)*number);
    /* The kernel forgets it by being asked, but a broken connection stays broken for who reads. */
    if (!*number)
        *number = socket->pending_error;
    else if (socket->type == RS_STREAM && socket->state == SOCKET_CONNECTED) {
        if (socket->receive_done)
            stream_fail(socket, *number);
        else
            socket->pending_error = *number;
    }
    return 0;
}

static uint32_t set_membership4(struct socket *socket, int name, const struct rs_group *group)
{
    struct ip_mreqn request = {.imr_ifindex = (int)group->interface_index};

    memcpy(&request.imr_multiaddr, group->group.bytes, sizeof(request.imr_multiaddr));
    if (!group->interface_index)
        memcpy(&request.imr_address, group->interface_address.bytes, sizeof(request.imr_address));
    return setsockopt(socket->watch.fd, IPPROTO_IP, name, &request, sizeof(request))
               ? error_from_errno(errno)
               : 0;
}

static uint32_t set_membership6(struct socket *socket, int name, const struct rs_group *group)
{
    struct ipv6_mreq request = {.ipv6mr_interface = group->interface_index};

    memcpy(&request.ipv6mr_multiaddr, group->group.bytes, sizeof(request.ipv6mr_multiaddr));
    return setsockopt(socket->watch.fd, IPPROTO_IPV6, name, &request, sizeof(request))
               ? error_from_errno(errno)
               : 0;
}

static uint32_t set_group(struct socket *socket, uint32_t option, const void *value,
                          uint32_t length)
{
    struct rs_group group;

    if (length < sizeof(group))
        return WSAEFAULT;
    memcpy(&group, value, sizeof(group));
    switch (option) {
    case RS_OPT_IP_ADD_MEMBERSHIP:
        return set_membership4(socket, IP_ADD_MEMBERSHIP, &group);
    case RS_OPT_IP_DROP_MEMBERSHIP:
        return set_membership4(socket, IP_DROP_MEMBERSHIP, &group);
    case RS_OPT_IP_MULTICAST_IF:
        return set_membership4(socket, IP_MULTICAST_IF, &group);
    case RS_OPT_IPV6_ADD_MEMBERSHIP:
        return set_membership6(socket, IPV6_JOIN_GROUP, &group);
    default:
        return set_membership6(socket, IPV6_LEAVE_GROUP, &group);
    }
}

/* Which of the kernel's, for either level: both generations mean the same. */
static int source_option(uint32_t option)
{
    switch (option) {
    case RS_OPT_JOIN_SOURCE:
        return MCAST_JOIN_SOURCE_GROUP;
    case RS_OPT_LEAVE_SOURCE:
        return MCAST_LEAVE_SOURCE_GROUP;
    case RS_OPT_BLOCK_SOURCE:
        return MCAST_BLOCK_SOURCE;
    case RS_OPT_UNBLOCK_SOURCE:
        return MCAST_UNBLOCK_SOURCE;
    }
    return 0;
}

/* An interface that is named by its address: only the older structure can do that. */
static int set_source4(struct socket *socket, int name, const struct rs_source_group *request)
{
    static const struct {
        int name, older;
    } names[] = {{MCAST_JOIN_SOURCE_GROUP, IP_ADD_SOURCE_MEMBERSHIP},
                 {MCAST_LEAVE_SOURCE_GROUP, IP_DROP_SOURCE_MEMBERSHIP},
                 {MCAST_BLOCK_SOURCE, IP_BLOCK_SOURCE},
                 {MCAST_UNBLOCK_SOURCE, IP_UNBLOCK_SOURCE}};
    struct ip_mreq_source kernel;

    memcpy(&kernel.imr_multiaddr, request->group.group.bytes, sizeof(kernel.imr_multiaddr));
    memcpy(&kernel.imr_sourceaddr, request->source.bytes, sizeof(kernel.imr_sourceaddr));
    memcpy(&kernel.imr_interface, request->group.interface_address.bytes,
           sizeof(kernel.imr_interface));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].name == name)
            name = names[i].older;
    return setsockopt(socket->watch.fd, IPPROTO_IP, name, &kernel, sizeof(kernel));
}

static int set_source_any(struct socket *socket, int name, const struct rs_source_group *request)
{
    struct group_source_req kernel = {.gsr_interface = request->group.interface_index};
    int level = socket->family == RS_AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    union address group, source;

    memcpy(&kernel.gsr_group, &group, address_to_host(&request->group.group, &group));
    memcpy(&kernel.gsr_source, &source, address_to_host(&request->source, &source));
    return setsockopt(socket->watch.fd, level, name, &kernel, sizeof(kernel));
}

static uint32_t set_source(struct socket *socket, uint32_t option, const void *value,
                           uint32_t length)
{
    struct rs_source_group request;
    int name = source_option(option), result;

    if (length < sizeof(request))
        return WSAEFAULT;
    memcpy(&request, value, sizeof(request));
    if (request.group.group.family != socket->family || request.source.family != socket->family)
        return WSAEADDRNOTAVAIL;
    if (socket->family == RS_AF_INET && !request.group.interface_index)
        result = set_source4(socket, name, &request);
    else
        result = set_source_any(socket, name, &request);
    return result ? error_from_errno(errno) : 0;
}

static bool is_group(uint32_t option)
{
    return option == RS_OPT_IP_ADD_MEMBERSHIP || option == RS_OPT_IP_DROP_MEMBERSHIP ||
           option == RS_OPT_IP_MULTICAST_IF || option == RS_OPT_IPV6_ADD_MEMBERSHIP ||
           option == RS_OPT_IPV6_DROP_MEMBERSHIP;
}

/* What a datagram's control data may replace a part of is remembered (control.c). */
static uint32_t set_plain(struct socket *socket, const struct plain *plain, uint32_t number)
{
    uint32_t error = set_number(socket, plain->level, plain->name, number);

    if (!error && plain->option == RS_OPT_IP_TOS)
        socket->tos = (uint8_t)number;
    if (!error && plain->option == RS_OPT_IPV6_TCLASS)
        socket->tclass = (uint8_t)number;
    if (!error && plain->option == RS_OPT_UDP_SEGMENT)
        socket->flows_barred = true;
    return error;
}

uint32_t option_set(struct socket *socket, uint32_t option, const void *value, uint32_t length)
{
    const struct plain *plain = plain_find(socket, option);
    uint32_t number;

    if (source_option(option))
        return set_source(socket, option, value, length);
    if (is_group(option))
        return set_group(socket, option, value, length);
    if (length < sizeof(number))
        return WSAEFAULT;
    memcpy(&number, value, sizeof(number));
    return plain ? set_plain(socket, plain, number) : set_kept(socket, option, number);
}

static uint32_t get_multicast_if(struct socket *socket, struct rs_group *group)
{
    struct in_addr address;
    socklen_t size = sizeof(address);

    if (getsockopt(socket->watch.fd, IPPROTO_IP, IP_MULTICAST_IF, &address, &size))
        return error_from_errno(errno);
    group->interface_address.family = RS_AF_INET;
    memcpy(group->interface_address.bytes, &address, sizeof(address));
    return 0;
}

uint32_t option_get(struct socket *socket, uint32_t option, void *value, uint32_t *length)
{
    const struct plain *plain = plain_find(socket, option);
    uint32_t error, number = 0;

    if (option == RS_OPT_IP_MULTICAST_IF) {
        struct rs_group group = {0};

        error = get_multicast_if(socket, &group);
        memcpy(value, &group, sizeof(group));
        *length = sizeof(group);
        return error;
    }
    if (option == RS_OPT_TCP_INFO) {
        struct rs_tcp_info info = {0};

        error = tcp_info_get(socket, &info);
        memcpy(value, &info, sizeof(info));
        *length = sizeof(info);
        return error;
    }
    if (option == RS_OPT_ICMP_ERROR) {
        memcpy(value, &socket->icmp_error, sizeof(socket->icmp_error));
        *length = sizeof(socket->icmp_error);
        return 0;
    }
    if (option == RS_OPT_ERROR)
        error = get_error(socket, &number);
    else if (plain)
        error = get_number(socket, plain->level, plain->name, &number);
    else
        error = get_kept(socket, option, &number);
    memcpy(value, &number, sizeof(number));
    *length = sizeof(number);
    return error;
}
