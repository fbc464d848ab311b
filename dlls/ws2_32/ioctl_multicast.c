/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Multicast by final state (SIO_SET_MULTICAST_FILTER and SIOCSMSFILTER, and what asks for it), and
 * the controls that are options as well.  Asks the server, no lock held.
 */
#include "ioctl.h"
#include "option.h"
#include "request.h"
#include "sockaddr.h"

/* MULTICAST_MODE_TYPE has the wire's numbers: MCAST_INCLUDE is 0, MCAST_EXCLUDE 1. */
_Static_assert(RS_FILTER_INCLUDE == 0 && RS_FILTER_EXCLUDE == 1, "modes");

/* struct ip_msfilter and struct group_filter of ws2ipdef.h, without their sources. */
struct ipv4_filter {
    IN_ADDR group, interface_address;
    DWORD mode, count;
};
struct any_filter {
    ULONG interface_index;
    struct sockaddr_storage group;
    DWORD mode;
    ULONG count;
};
_Static_assert(offsetof(struct any_filter, group) == 8 && sizeof(struct any_filter) == 144,
               "as Microsoft's compiler has it");

struct filter {
    struct rs_source_filter head;
    struct rs_addr sources[RS_FILTER_MAX];
};

static bool is_datagram(const struct ioctl_call *call)
{
    return call->socket->type != SOCK_STREAM;
}

/* With `sources` the list that follows the head as well: it must lie in the buffer. */
static DWORD take_ipv4(const struct ioctl_call *call, struct filter *filter, bool sources)
{
    const IN_ADDR *list = (const IN_ADDR *)((const char *)call->in + sizeof(struct ipv4_filter));
    struct ipv4_filter given;
    DWORD error;

    memset(filter, 0, sizeof(*filter));
    if (!is_datagram(call) || call->socket->family != AF_INET)
        return WSAEINVAL;
    if ((error = ioctl_take(call, &given, sizeof(given))))
        return error;
    group_set_interface(&filter->head.group, given.interface_address.s_addr);
    wire_ipv4(&filter->head.group.group, given.group.s_addr);
    filter->head.mode = given.mode;
    if (!sources)
        return 0;
    if ((call->in_size - sizeof(given)) / sizeof(*list) < given.count)
        return WSAEFAULT;
    if (given.count > RS_FILTER_MAX)
        return WSAENOBUFS;
    filter->head.count = given.count;
    for (DWORD i = 0; i < given.count; i++)
        wire_ipv4(&filter->sources[i], list[i].s_addr);
    return 0;
}

static DWORD take_address(const struct ioctl_call *call, const struct sockaddr_storage *address,
                          struct rs_addr *wire)
{
    return sockaddr_to_wire(wire, (const struct sockaddr *)address, sizeof(*address),
                            call->socket->family);
}

static DWORD take_any(const struct ioctl_call *call, struct filter *filter, bool sources)
{
    const struct sockaddr_storage *list =
        (const struct sockaddr_storage *)((const char *)call->in + sizeof(struct any_filter));
    struct any_filter given;
    DWORD error;

    memset(filter, 0, sizeof(*filter));
    if (!is_datagram(call))
        return WSAEINVAL;
    if ((error = ioctl_take(call, &given, sizeof(given))) ||
        (error = take_address(call, &given.group, &filter->head.group.group)))
        return error;
    filter->head.group.interface_index = given.interface_index;
    wire_ipv4(&filter->head.group.interface_address, 0);
    filter->head.mode = given.mode;
    if (!sources)
        return 0;
    if ((call->in_size - sizeof(given)) / sizeof(*list) < given.count)
        return WSAEFAULT;
    if (given.count > RS_FILTER_MAX)
        return WSAENOBUFS;
    filter->head.count = given.count;
    for (DWORD i = 0; i < given.count && !error; i++)
        error = take_address(call, &list[i], &filter->sources[i]);
    return error;
}

static DWORD tell(const struct ioctl_call *call, const struct filter *filter)
{
    if (filter->head.mode > RS_FILTER_EXCLUDE)
        return WSAEINVAL;
    return option_server_set(call->socket, RS_OPT_SOURCE_FILTER, filter,
                             sizeof(filter->head) +
                                 filter->head.count * (uint32_t)sizeof(*filter->sources));
}

static DWORD ask(const struct ioctl_call *call, struct filter *filter)
{
    struct rs_source_filter named = filter->head;
    struct request request = {.session = call->socket->session,
                              .type = RS_SUB_GETOPT,
                              .socket = call->socket->index,
                              .arg = {RS_OPT_SOURCE_FILTER},
                              .payload = &named,
                              .payload_size = sizeof(named),
                              .reply = filter,
                              .reply_size = sizeof(*filter)};
    DWORD error;

    named.mode = named.count = 0;
    error = request_call(&request);
    if (!error && filter->head.count > RS_FILTER_MAX)
        error = WSAENOBUFS;
    return error;
}

DWORD ioctl_set_ipv4_filter(struct ioctl_call *call)
{
    struct filter filter;
    DWORD error = take_ipv4(call, &filter, true);

    return error ? error : tell(call, &filter);
}

DWORD ioctl_set_filter(struct ioctl_call *call)
{
    struct filter filter;
    DWORD error = take_any(call, &filter, true);

    return error ? error : tell(call, &filter);
}

/* What is set, and the head that was given, for the answer. */
static DWORD ask_with_head(const struct ioctl_call *call, struct filter *filter, void *head,
                           size_t size)
{
    DWORD error;

    if (!call->out || call->out_size < size)
        return WSAEFAULT;
    if (!(error = ask(call, filter)))
        memcpy(head, call->in, size);
    return error;
}

/* How many sources there are is told in any case, and as many as there is room for. */
static void give(struct ioctl_call *call, const void *head, size_t head_size, const void *list,
                 size_t each, DWORD count)
{
    DWORD room = (DWORD)((call->out_size - head_size) / each);

    if (room < count)
        count = room;
    memcpy(call->out, head, head_size);
    memcpy((char *)call->out + head_size, list, count * each);
    call->bytes = (DWORD)(head_size + count * each);
}

DWORD ioctl_get_ipv4_filter(struct ioctl_call *call)
{
    struct ipv4_filter head;
    struct filter filter;
    IN_ADDR list[RS_FILTER_MAX];
    DWORD error = take_ipv4(call, &filter, false);

    if (error || (error = ask_with_head(call, &filter, &head, sizeof(head))))
        return error;
    head.mode = filter.head.mode;
    head.count = filter.head.count;
    for (DWORD i = 0; i < head.count; i++)
        memcpy(&list[i], filter.sources[i].bytes, sizeof(*list));
    give(call, &head, sizeof(head), list, sizeof(*list), head.count);
    return 0;
}

DWORD ioctl_get_filter(struct ioctl_call *call)
{
    struct any_filter head;
    struct filter filter;
    struct sockaddr_storage list[RS_FILTER_MAX];
    DWORD error = take_any(call, &filter, false);

    if (error || (error = ask_with_head(call, &filter, &head, sizeof(head))))
        return error;
    head.mode = filter.head.mode;
    head.count = filter.head.count;
    memset(list, 0, sizeof(list));
    for (DWORD i = 0; i < head.count; i++) {
        struct sockaddr_in6 address;
        int size = sockaddr_from_wire(&address, &filter.sources[i]);

        memcpy(&list[i], &address, size);
    }
    give(call, &head, sizeof(head), list, sizeof(*list), head.count);
    return 0;
}

static DWORD take_number(const struct ioctl_call *call, uint32_t *value)
{
    return call->socket->type == SOCK_STREAM ? WSAEINVAL : ioctl_take(call, value, sizeof(*value));
}

static DWORD set_number(struct socket *socket, uint16_t option, uint16_t option6, uint32_t value)
{
    return option_server_set(socket, socket->family == AF_INET6 ? option6 : option, &value,
                             sizeof(value));
}

/* "this corresponds to the time-to-live (TTL) parameter in IP multicasting" */
DWORD ioctl_multicast_scope(struct ioctl_call *call)
{
    uint32_t value;
    DWORD error = take_number(call, &value);

    if (!error && value > 255)
        error = WSAEINVAL;
    return error ? error
                 : set_number(call->socket, RS_OPT_IP_MULTICAST_TTL, RS_OPT_IPV6_MULTICAST_HOPS,
                              value);
}

/* A BOOL, but anything that is not FALSE turns it on. */
DWORD ioctl_multipoint_loopback(struct ioctl_call *call)
{
    uint32_t value;
    DWORD error = take_number(call, &value);

    return error ? error
                 : set_number(call->socket, RS_OPT_IP_MULTICAST_LOOP, RS_OPT_IPV6_MULTICAST_LOOP,
                              value != 0);
}
