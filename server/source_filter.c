/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Multicast by final state: which sources of a group a socket wants, all at once.
 *
 * Owns nothing.  Loop thread only, no locks.
 *
 * Linux changes the filter of a group that was joined, and leaves it for an empty list of sources
 * (ip_mc_msfilter); Windows joins it for that.  An interface named by its address takes Linux's
 * older structure, which IPv4 alone has.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "comp.h"
#include "error.h"
#include "socket.h"
#include "submission.h"

struct filter {
    struct rs_source_filter head;
    struct rs_addr sources[RS_FILTER_MAX];
};

/* Which of the two structures, and room for it. */
struct kernel_filter {
    bool by_address;
    int level, name;
    socklen_t size;
    union {
        struct ip_msfilter v4;
        struct group_filter any;
        uint8_t room[GROUP_FILTER_SIZE(RS_FILTER_MAX)];
    };
};

static uint32_t kernel_mode(uint32_t mode)
{
    return mode == RS_FILTER_INCLUDE ? MCAST_INCLUDE : MCAST_EXCLUDE;
}

static void store(struct sockaddr_storage *to, const struct rs_addr *wire)
{
    union address address = {0};

    address_to_host(wire, &address);
    memcpy(to, &address, sizeof(address));
}

static void translate(const struct socket *socket, const struct filter *from,
                      struct kernel_filter *to)
{
    const struct rs_group *group = &from->head.group;

    memset(to, 0, sizeof(*to));
    to->level = socket->family == RS_AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    to->by_address = socket->family == RS_AF_INET && !group->interface_index;
    if (to->by_address) {
        to->name = IP_MSFILTER;
        to->size = IP_MSFILTER_SIZE(from->head.count);
        memcpy(&to->v4.imsf_multiaddr, group->group.bytes, 4);
        memcpy(&to->v4.imsf_interface, group->interface_address.bytes, 4);
        to->v4.imsf_fmode = kernel_mode(from->head.mode);
        to->v4.imsf_numsrc = from->head.count;
        for (uint32_t i = 0; i < from->head.count; i++)
            memcpy(&to->v4.imsf_slist[i], from->sources[i].bytes, 4);
        return;
    }
    to->name = MCAST_MSFILTER;
    to->size = GROUP_FILTER_SIZE(from->head.count);
    to->any.gf_interface = group->interface_index;
    store(&to->any.gf_group, &group->group);
    to->any.gf_fmode = kernel_mode(from->head.mode);
    to->any.gf_numsrc = from->head.count;
    for (uint32_t i = 0; i < from->head.count; i++)
        store(&to->any.gf_slist[i], &from->sources[i]);
}

/* The whole group, or with a source that one alone; or leaves it. */
static uint32_t change(struct socket *socket, const struct filter *filter, bool join,
                       const struct rs_addr *source)
{
    struct rs_source_group one = {.group = filter->head.group};
    bool v6 = socket->family == RS_AF_INET6;

    if (source) {
        one.source = *source;
        return option_set(socket, RS_OPT_JOIN_SOURCE, &one, sizeof(one));
    }
    return option_set(socket,
                      join ? (v6 ? RS_OPT_IPV6_ADD_MEMBERSHIP : RS_OPT_IP_ADD_MEMBERSHIP)
                           : (v6 ? RS_OPT_IPV6_DROP_MEMBERSHIP : RS_OPT_IP_DROP_MEMBERSHIP),
                      &one.group, sizeof(one.group));
}

static int apply(const struct socket *socket, const struct kernel_filter *kernel)
{
    return setsockopt(socket->watch.fd, kernel->level, kernel->name, kernel->room, kernel->size)
               ? errno
               : 0;
}

static uint32_t set(struct socket *socket, const struct filter *filter)
{
    bool include = filter->head.mode == RS_FILTER_INCLUDE;
    struct kernel_filter kernel;
    uint32_t error;
    int refused;

    if (include && !filter->head.count) {
        change(socket, filter, false, NULL); /* also if it was not joined */
        return 0;
    }
    translate(socket, filter, &kernel);
    refused = apply(socket, &kernel);
    if (refused != EINVAL && refused != EADDRNOTAVAIL)
        return error_from_errno(refused);
    /* not joined, so far */
    if ((error = change(socket, filter, true, include ? &filter->sources[0] : NULL)))
        return error;
    if ((refused = apply(socket, &kernel)))
        change(socket, filter, false, NULL);
    return error_from_errno(refused);
}

static uint32_t check(const struct socket *socket, const struct filter *filter)
{
    if (socket->type == RS_STREAM)
        return WSAENOPROTOOPT;
    if (filter->head.mode > RS_FILTER_EXCLUDE || filter->head.group.interface_index > INT32_MAX)
        return WSAEINVAL;
    if (filter->head.group.group.family != socket->family)
        return WSAEADDRNOTAVAIL;
    for (uint32_t i = 0; i < filter->head.count; i++)
        if (filter->sources[i].family != socket->family)
            return WSAEADDRNOTAVAIL;
    return 0;
}

/* A copy of what the process has sent: WSA error. */
static uint32_t take(const struct request *request, struct filter *filter)
{
    uint32_t rest;

    if (request->length < sizeof(filter->head))
        return WSAEFAULT;
    memcpy(&filter->head, request->payload, sizeof(filter->head));
    if (filter->head.count > RS_FILTER_MAX)
        return WSAENOBUFS;
    rest = filter->head.count * (uint32_t)sizeof(*filter->sources);
    if (request->length - sizeof(filter->head) < rest)
        return WSAEFAULT;
    memcpy(filter->sources, request->payload + sizeof(filter->head), rest);
    return check(request->socket, filter);
}

void source_filter_set(struct request *request)
{
    struct filter filter;
    uint32_t error = take(request, &filter);

    comp_reply(request->session, &request->call, error ? error : set(request->socket, &filter));
}

static void read_back(const struct kernel_filter *kernel, struct filter *filter)
{
    uint32_t mode = kernel->by_address ? kernel->v4.imsf_fmode : kernel->any.gf_fmode;
    uint32_t count = kernel->by_address ? kernel->v4.imsf_numsrc : kernel->any.gf_numsrc;

    filter->head.mode = mode == MCAST_INCLUDE ? RS_FILTER_INCLUDE : RS_FILTER_EXCLUDE;
    filter->head.count = count < RS_FILTER_MAX ? count : RS_FILTER_MAX;
    memset(filter->sources, 0, sizeof(filter->sources));
    for (uint32_t i = 0; i < filter->head.count; i++) {
        union address address;

        if (kernel->by_address) {
            filter->sources[i].family = RS_AF_INET;
            memcpy(filter->sources[i].bytes, &kernel->v4.imsf_slist[i], 4);
            continue;
        }
        memcpy(&address, &kernel->any.gf_slist[i], sizeof(address));
        address_to_wire(&address, &filter->sources[i]);
    }
}

void source_filter_get(struct request *request)
{
    struct kernel_filter kernel;
    struct filter filter;
    uint32_t error = take(request, &filter);

    if (error) {
        comp_reply(request->session, &request->call, error);
        return;
    }
    filter.head.count = RS_FILTER_MAX; /* the room */
    memset(filter.sources, 0, sizeof(filter.sources));
    translate(request->socket, &filter, &kernel);
    if (getsockopt(request->socket->watch.fd, kernel.level, kernel.name, kernel.room,
                   &kernel.size)) {
        comp_reply(request->session, &request->call, error_from_errno(errno));
        return;
    }
    read_back(&kernel, &filter);
    comp_reply_data(request->session, &request->call, 0, &filter,
                    (uint32_t)(sizeof(filter.head) + filter.head.count * sizeof(*filter.sources)));
}
