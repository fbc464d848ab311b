/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which interface an IPv6 address belongs to.
 *
 * Owns nothing.  Asks the kernel for its interfaces, and only for addresses that have a scope or
 * need one.  Loop thread only, no locks.
 *
 * Windows finds the interface of a link-local address without a scope; Linux says EINVAL.  And
 * Linux ignores the scope of other addresses, where Windows knows no such address with a wrong one
 * (both: Wine's test_bind, run on Windows).
 */
#include <ifaddrs.h>
#include <net/if.h>

#include "address.h"
#include "error.h"

/* Groups are not meant: IPV6_MULTICAST_IF and the routes say where those are. */
static bool has_scope(const struct in6_addr *address)
{
    return IN6_IS_ADDR_LINKLOCAL(address);
}

static const struct sockaddr_in6 *v6_of(const struct ifaddrs *entry)
{
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET6)
        return NULL;
    return (const struct sockaddr_in6 *)(const void *)entry->ifa_addr;
}

static bool is_wanted(const struct ifaddrs *entry, const struct sockaddr_in6 *wanted)
{
    const struct sockaddr_in6 *own = v6_of(entry);

    if (!own || !IN6_ARE_ADDR_EQUAL(&own->sin6_addr, &wanted->sin6_addr))
        return false;
    return !wanted->sin6_scope_id || wanted->sin6_scope_id == if_nametoindex(entry->ifa_name);
}

uint32_t scope_of_own(union address *address)
{
    bool scoped = address->any.sa_family == AF_INET6 && has_scope(&address->v6.sin6_addr);
    struct ifaddrs *all;
    uint32_t error = WSAEADDRNOTAVAIL;

    if (address->any.sa_family != AF_INET6 || IN6_IS_ADDR_MULTICAST(&address->v6.sin6_addr) ||
        scoped == (address->v6.sin6_scope_id != 0) || address_is_any(address) || getifaddrs(&all))
        return 0;
    for (const struct ifaddrs *entry = all; entry && error; entry = entry->ifa_next)
        if (is_wanted(entry, &address->v6)) {
            if (scoped)
                address->v6.sin6_scope_id = if_nametoindex(entry->ifa_name);
            error = 0;
        }
    freeifaddrs(all);
    return error;
}

/* The interface of `own`, else the first one that is up, reaches others and has a link-local
 * address; none is left to the kernel to refuse. */
void scope_of_peer(union address *address, const union address *own)
{
    struct ifaddrs *all;

    if (address->any.sa_family != AF_INET6 || !has_scope(&address->v6.sin6_addr) ||
        address->v6.sin6_scope_id)
        return;
    if (own && own->any.sa_family == AF_INET6)
        address->v6.sin6_scope_id = own->v6.sin6_scope_id;
    if (address->v6.sin6_scope_id || getifaddrs(&all))
        return;
    for (const struct ifaddrs *entry = all; entry && !address->v6.sin6_scope_id;
         entry = entry->ifa_next) {
        const struct sockaddr_in6 *one = v6_of(entry);

        if (one && entry->ifa_flags & IFF_UP && !(entry->ifa_flags & IFF_LOOPBACK) &&
            has_scope(&one->sin6_addr))
            address->v6.sin6_scope_id = one->sin6_scope_id;
    }
    freeifaddrs(all);
}
