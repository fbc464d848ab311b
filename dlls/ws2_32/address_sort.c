/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_ADDRESS_LIST_SORT: destinations, the best first, by RFC 6724 ("Default Address Selection for
 * Internet Protocol Version 6", the successor of RFC 3484, which Microsoft's page names).
 *
 * Calls exports (a socket per destination tells the source that the host would choose), so no lock
 * may be held.  Rules 3, 4 and 7 are about what the host does not tell: deprecated addresses, home
 * addresses, encapsulation.
 */
#include "arguments.h"
#include "guarded_copy.h"
#include "ioctl.h"

struct candidate {
    SOCKET_ADDRESS entry; /* the program's */
    struct sockaddr_in6 address, source;
    bool usable; /* the host knows a way there, so there is a source */
};

/* The default policy table (section 2.1), longest prefix first. */
static const struct policy {
    uint8_t prefix[16], bits, precedence, label;
} policies[] = {
    {{[15] = 1}, 128, 50, 0},         /* ::1 */
    {{[10] = 0xff, 0xff}, 96, 35, 4}, /* ::ffff:0:0/96 */
    {{0}, 96, 1, 3},                  /* ::/96 */
    {{0x20, 0x01}, 32, 5, 5},         /* Teredo */
    {{0x20, 0x02}, 16, 30, 2},        /* 6to4 */
    {{0x3f, 0xfe}, 16, 1, 12},        /* the 6bone */
    {{0xfe, 0xc0}, 10, 1, 11},        /* site-local */
    {{0xfc}, 7, 3, 13},               /* unique local */
    {{0}, 0, 40, 1},                  /* ::/0 */
};

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

static unsigned int common_bits(const uint8_t *first, const uint8_t *second, unsigned int most)
{
    unsigned int bits = 0;

    while (bits < most && !((first[bits / 8] ^ second[bits / 8]) & (0x80u >> bits % 8)))
        bits++;
    return bits;
}

static const struct policy *policy_of(const struct sockaddr_in6 *address)
{
    const struct policy *policy = policies;

    while (common_bits(policy->prefix, address->sin6_addr.s6_addr, policy->bits) < policy->bits)
        policy++;
    return policy;
}

static bool is_mapped(const struct sockaddr_in6 *address)
{
    return IN6_IS_ADDR_V4MAPPED(&address->sin6_addr);
}

/* Section 3.1; of IPv4 section 3.2. */
static int scope_of(const struct sockaddr_in6 *address)
{
    const uint8_t *bytes = address->sin6_addr.s6_addr;

    if (is_mapped(address))
        return bytes[12] == 127 || (bytes[12] == 169 && bytes[13] == 254) ? SCOPE_LINK
                                                                          : SCOPE_GLOBAL;
    if (bytes[0] == 0xff)
        return bytes[1] & 15;
    if (IN6_IS_ADDR_LOOPBACK(&address->sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
        return SCOPE_LINK;
    return IN6_IS_ADDR_SITELOCAL(&address->sin6_addr) ? SCOPE_SITE : SCOPE_GLOBAL;
}

/* Rule 9 counts "up to the length of S's prefix" and is left out for IPv4, where it would undo what
 * a name server deals out in turn. */
static int matching_prefix(const struct candidate *candidate)
{
    return is_mapped(&candidate->address)
               ? 0
               : (int)common_bits(candidate->address.sin6_addr.s6_addr,
                                  candidate->source.sin6_addr.s6_addr, 64);
}

/* Section 6: above 0 if the first is better.  Rule 10 is the sort's own. */
static int compare(const struct candidate *first, const struct candidate *second)
{
    const struct policy *policy1 = policy_of(&first->address);
    const struct policy *policy2 = policy_of(&second->address);
    int scope1 = scope_of(&first->address), scope2 = scope_of(&second->address), order;

    if (first->usable != second->usable) /* 1: avoid unusable destinations */
        return first->usable ? 1 : -1;
    order = (scope1 == scope_of(&first->source)) - (scope2 == scope_of(&second->source));
    if (first->usable && order) /* 2: prefer matching scope */
        return order;
    order = (policy1->label == policy_of(&first->source)->label) -
            (policy2->label == policy_of(&second->source)->label);
    if (first->usable && order) /* 5: prefer matching label */
        return order;
    if (policy1->precedence != policy2->precedence) /* 6: prefer higher precedence */
        return policy1->precedence - policy2->precedence;
    if (scope1 != scope2) /* 8: prefer smaller scope */
        return scope2 - scope1;
    if (!first->usable || is_mapped(&first->address) != is_mapped(&second->address))
        return 0;
    return matching_prefix(first) - matching_prefix(second); /* 9: use longest matching prefix */
}

static void map(struct sockaddr_in6 *address, const struct sockaddr_in *from)
{
    memset(&address->sin6_addr, 0, sizeof(address->sin6_addr));
    memset(&address->sin6_addr.s6_addr[10], 0xff, 2);
    memcpy(&address->sin6_addr.s6_addr[12], &from->sin_addr, sizeof(from->sin_addr));
}

static void find_source(struct candidate *candidate)
{
    struct sockaddr_in6 destination = candidate->address, source;
    struct sockaddr_in *destination4 = (struct sockaddr_in *)&destination;
    bool mapped = is_mapped(&candidate->address);

    if (mapped) {
        memset(&destination, 0, sizeof(destination));
        destination4->sin_family = AF_INET;
        memcpy(&destination4->sin_addr, &candidate->address.sin6_addr.s6_addr[12],
               sizeof(destination4->sin_addr));
    }
    candidate->usable = !ioctl_source_address(mapped ? AF_INET : AF_INET6, &destination, &source);
    if (!candidate->usable)
        return;
    candidate->source = source;
    if (mapped)
        map(&candidate->source, (struct sockaddr_in *)&source);
}

/* "fills in sin6_scope_id members, if needed" */
static DWORD fill_in_scope(const struct candidate *candidate)
{
    struct sockaddr_in6 address = candidate->address;

    if (!candidate->usable || !IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr) || address.sin6_scope_id)
        return 0;
    address.sin6_scope_id = candidate->source.sin6_scope_id;
    return guarded_copy(candidate->entry.lpSockaddr, &address, sizeof(address)) ? WSAEFAULT : 0;
}

/* "iAddressCount may be smaller than on input if ... some destination addresses are invalid" */
static bool is_valid(const struct candidate *candidate)
{
    return candidate->entry.iSockaddrLength >= (INT)sizeof(candidate->address) &&
           candidate->address.sin6_family == AF_INET6 &&
           !IN6_IS_ADDR_UNSPECIFIED(&candidate->address.sin6_addr);
}

static DWORD take_candidates(const struct ioctl_call *call, struct candidate *list, int *count)
{
    const SOCKET_ADDRESS_LIST *in = call->in;
    int valid = 0;

    for (int i = 0; i < *count; i++) {
        struct candidate candidate = {.usable = false};
        INT length;

        if (guarded_copy(&candidate.entry, &in->Address[i], sizeof(candidate.entry)))
            return WSAEFAULT;
        length = candidate.entry.iSockaddrLength;
        if (length > (INT)sizeof(candidate.address))
            length = sizeof(candidate.address);
        if (length > 0 && guarded_copy(&candidate.address, candidate.entry.lpSockaddr, length))
            return WSAEFAULT;
        if (is_valid(&candidate))
            list[valid++] = candidate;
    }
    *count = valid;
    return 0;
}

static void sort(struct candidate *list, int count)
{
    for (int i = 1; i < count; i++) {
        struct candidate candidate = list[i];
        int to = i;

        for (; to > 0 && compare(&candidate, &list[to - 1]) > 0; to--)
            list[to] = list[to - 1];
        list[to] = candidate;
    }
}

/* The entries change places; what they point to stays where the program has it. */
static DWORD store(struct ioctl_call *call, const struct candidate *list, int count)
{
    SOCKET_ADDRESS_LIST *out = call->out;
    DWORD error = 0;

    if (guarded_copy(&out->iAddressCount, &count, sizeof(count)))
        return WSAEFAULT;
    for (int i = 0; i < count && !error; i++) {
        error = fill_in_scope(&list[i]);
        if (guarded_copy(&out->Address[i], &list[i].entry, sizeof(list[i].entry)))
            error = WSAEFAULT;
    }
    return error;
}

DWORD ioctl_sort_addresses(struct ioctl_call *call)
{
    DWORD header = offsetof(SOCKET_ADDRESS_LIST, Address), error;
    struct candidate *list;
    int count;

    if (call->socket->family != AF_INET6)
        return WSAEOPNOTSUPP;
    if ((error = ioctl_take(call, &count, sizeof(count))))
        return error;
    if (count < 0 || call->in_size < header ||
        (DWORD)count > (call->in_size - header) / sizeof(SOCKET_ADDRESS))
        return WSAEINVAL;
    if (!call->out || call->out_size < header + count * sizeof(SOCKET_ADDRESS))
        return WSAEFAULT;
    if (!(list = malloc(argument_size(count + 1, sizeof(*list)))))
        return WSAENOBUFS;
    if (!(error = take_candidates(call, list, &count))) {
        for (int i = 0; i < count; i++)
            find_source(&list[i]);
        sort(list, count);
        error = store(call, list, count);
    }
    if (!error)
        call->bytes = header + count * sizeof(SOCKET_ADDRESS);
    free(list);
    return error;
}
