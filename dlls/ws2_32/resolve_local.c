/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses of this machine, from the server's list of interfaces.
 *
 * Asks the server anew for each list (interfaces come and go); only whether the host has IPv6 at
 * all is remembered.  Takes no lock.
 */
#include "resolve_local.h"
#include "request.h"

#define MAX_INTERFACES 512

DWORD resolve_add(struct resolved *result, const struct rs_addr *address)
{
    struct rs_addr *larger;

    for (uint32_t i = 0; i < result->count; i++)
        if (result->addresses[i].family == address->family &&
            result->addresses[i].scope_id == address->scope_id &&
            !memcmp(result->addresses[i].bytes, address->bytes, sizeof(address->bytes)))
            return 0;
    larger = realloc(result->addresses, (result->count + 1) * sizeof(*larger));
    if (!larger)
        return WSA_NOT_ENOUGH_MEMORY;
    result->addresses = larger;
    larger[result->count++] = *address;
    return 0;
}

/* The interfaces' addresses, malloc()ed; NULL and count 0 if the server cannot tell. */
static struct rs_interface *interfaces(uint32_t *count)
{
    struct request request = {.type = RS_SUB_INTERFACES};
    struct rs_interface *list = malloc(MAX_INTERFACES * sizeof(*list));

    *count = 0;
    if (!list)
        return NULL;
    request.reply = list;
    request.reply_size = MAX_INTERFACES * sizeof(*list);
    if (request_call(&request)) {
        free(list);
        return NULL;
    }
    *count = min(request.reply_length, request.reply_size) / sizeof(*list);
    return list;
}

static bool is_link_local(const struct rs_addr *address)
{
    return address->family == RS_AF_INET6 && address->bytes[0] == 0xfe &&
           (address->bytes[1] & 0xc0) == 0x80;
}

bool resolve_has_global_ipv6(void)
{
    uint32_t count;
    struct rs_interface *list = interfaces(&count);
    bool found = !list; /* cannot tell: hide nothing */

    for (uint32_t i = 0; i < count; i++)
        found |= list[i].address.family == RS_AF_INET6 && list[i].flags & RS_IF_UP &&
                 !(list[i].flags & RS_IF_LOOPBACK) && !is_link_local(&list[i].address);
    free(list);
    return found;
}

/* Programs bind and connect to what they get: no ::1 where the host has no IPv6. */
static bool has_ipv6(void)
{
    static LONG volatile known; /* 1: no, 2: yes */
    uint32_t count;
    struct rs_interface *list;
    LONG answer = known;

    if (answer)
        return answer == 2;
    list = interfaces(&count);
    if (!list)
        return true;
    answer = 1;
    for (uint32_t i = 0; i < count; i++)
        if (list[i].address.family == RS_AF_INET6)
            answer = 2;
    free(list);
    InterlockedExchange(&known, answer);
    return answer == 2;
}

/* IPv6 first, as Windows orders both "localhost" and the NULL node. */
DWORD resolve_add_loopback(struct resolved *result, int family, bool passive)
{
    struct rs_addr any6 = {.family = RS_AF_INET6}, any4 = {.family = RS_AF_INET};
    DWORD error = 0;

    if (!passive) {
        any6.bytes[15] = 1;
        any4.bytes[0] = 127;
        any4.bytes[3] = 1;
    }
    if (family != AF_INET && has_ipv6())
        error = resolve_add(result, &any6);
    if (!error && family != AF_INET6)
        error = resolve_add(result, &any4);
    return error;
}

DWORD resolve_add_interfaces(struct resolved *result, int family)
{
    static const struct {
        uint16_t family;
        bool link_local;
    } passes[] = {{RS_AF_INET6, false}, {RS_AF_INET6, true}, {RS_AF_INET, false}};
    uint32_t count, before = result->count;
    struct rs_interface *list = interfaces(&count);
    DWORD error = 0;

    for (size_t pass = 0; pass < ARRAYSIZE(passes) && !error; pass++) {
        if (family && (family == AF_INET) != (passes[pass].family == RS_AF_INET))
            continue;
        for (uint32_t i = 0; i < count && !error; i++) {
            struct rs_addr address = list[i].address;

            if (address.family != passes[pass].family || !(list[i].flags & RS_IF_UP) ||
                list[i].flags & RS_IF_LOOPBACK ||
                is_link_local(&address) != passes[pass].link_local)
                continue;
            address.port = 0;
            error = resolve_add(result, &address);
        }
    }
    free(list);
    if (!error && result->count == before)
        error = resolve_add_loopback(result, family, false);
    return error;
}
