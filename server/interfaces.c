/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's network interfaces, one entry per address, from getifaddrs().
 *
 * Owns: nothing.  Pure; callable from any thread.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "interfaces.h"

static uint32_t flags_of(unsigned host)
{
    return (host & IFF_UP ? RS_IF_UP : 0) | (host & IFF_BROADCAST ? RS_IF_BROADCAST : 0) |
           (host & IFF_LOOPBACK ? RS_IF_LOOPBACK : 0) |
           (host & IFF_POINTOPOINT ? RS_IF_POINTTOPOINT : 0) |
           (host & IFF_MULTICAST ? RS_IF_MULTICAST : 0);
}

static void copy_address(const struct sockaddr *from, struct rs_addr *to)
{
    union address host = {0};

    if (from && from->sa_family == AF_INET)
        memcpy(&host, from, sizeof(host.v4));
    else if (from && from->sa_family == AF_INET6)
        memcpy(&host, from, sizeof(host.v6));
    address_to_wire(&host, to);
}

static bool has_address(const struct ifaddrs *entry)
{
    return entry->ifa_addr &&
           (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6);
}

struct rs_interface *interfaces_list(uint32_t *count)
{
    struct rs_interface *array;
    struct ifaddrs *list, *entry;
    uint32_t total = 0;

    *count = 0;
    if (getifaddrs(&list))
        return NULL;
    for (entry = list; entry; entry = entry->ifa_next)
        total += has_address(entry);
    if (total > INTERFACES_MAX)
        total = INTERFACES_MAX;
    array = calloc(total ? total : 1, sizeof(*array));
    for (entry = list; array && entry && *count < total; entry = entry->ifa_next) {
        struct rs_interface *one = &array[*count];

        if (!has_address(entry))
            continue;
        one->index = if_nametoindex(entry->ifa_name);
        one->flags = flags_of(entry->ifa_flags);
        copy_address(entry->ifa_addr, &one->address);
        copy_address(entry->ifa_netmask, &one->netmask);
        if (entry->ifa_flags & IFF_BROADCAST)
            copy_address(entry->ifa_broadaddr, &one->broadcast);
        ++*count;
    }
    freeifaddrs(list);
    if (!array)
        errno = ENOMEM;
    return array;
}
