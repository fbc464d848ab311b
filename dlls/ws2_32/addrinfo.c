/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getaddrinfo, GetAddrInfoW, freeaddrinfo, FreeAddrInfoW.
 *
 * Owns the checks of the hints and the result list.  As on Windows an entry carries the hints'
 * socket type and protocol, 0 where none was given: one entry an address.  Each part of an entry is
 * an allocation of its own, since programs take lists apart.  Takes no lock.
 */
#include "addrinfo.h"
#include "arguments.h"
#include "company.h"
#include "sockaddr.h"
#include "startup.h"
#include "text.h"

/* The bits that ws2tcpip.h of the Windows 10 SDK names. */
#define KNOWN_FLAGS 0xf03fcdffu

int addrinfo_return(DWORD error)
{
    SetLastError(error);
    return (int)error;
}

/* In the order and with the errors of getaddrinfo's page. */
DWORD addrinfo_check(const WCHAR *node, const WCHAR *service, const struct addrinfo_hints *hints)
{
    DWORD flags = (DWORD)hints->flags;

    if (!node && !service)
        return WSAHOST_NOT_FOUND;
    if (hints->dirty)
        return WSANO_RECOVERY;
    if (flags & ~KNOWN_FLAGS || (flags & AI_CANONNAME && flags & AI_FQDN))
        return WSAEINVAL;
    if (hints->family != AF_UNSPEC && hints->family != AF_INET && hints->family != AF_INET6)
        return WSAEAFNOSUPPORT;
    if (hints->type < 0 || hints->type > SOCK_SEQPACKET)
        return WSAESOCKTNOSUPPORT;
    if (!node && flags & (AI_CANONNAME | AI_FQDN))
        return WSANO_RECOVERY;
    if (!node && flags & AI_NUMERICHOST)
        return WSAHOST_NOT_FOUND;
    return 0;
}

DWORD addrinfo_lookup(const WCHAR *node, const WCHAR *service, const struct addrinfo_hints *hints,
                      struct resolved *result, u_short *port)
{
    DWORD error = addrinfo_check(node, service, hints);

    if (!error)
        error = resolve_service(service, hints->type, (DWORD)hints->flags, port);
    if (!error)
        error = resolve_node(node, hints->family, (DWORD)hints->flags, result);
    return error;
}

struct sockaddr *addrinfo_sockaddr(const struct rs_addr *address, u_short port, size_t *length)
{
    struct sockaddr_in6 *copy = calloc(1, sizeof(*copy)); /* the larger of the two */
    struct rs_addr with_port = *address;

    if (!copy)
        return NULL;
    with_port.port = port;
    *length = (size_t)sockaddr_from_wire(copy, &with_port);
    return (struct sockaddr *)copy;
}

/* ADDRINFOA and ADDRINFOW differ only in what ai_canonname points to. */
_Static_assert(sizeof(ADDRINFOA) == sizeof(ADDRINFOW), "one free for both");

void WINAPI FreeAddrInfoW(PADDRINFOW info)
{
    while (info) {
        PADDRINFOW next = info->ai_next;

        free(info->ai_canonname);
        free(info->ai_addr);
        free(info);
        info = next;
    }
}

void WINAPI freeaddrinfo(LPADDRINFO info)
{
    FreeAddrInfoW((PADDRINFOW)info);
}

/* The list; its first entry has the canonical name, in ANSI if wanted. */
static DWORD make_list(const struct resolved *result, u_short port,
                       const struct addrinfo_hints *hints, bool ansi, ADDRINFOW **list)
{
    ADDRINFOW **next = list, *info;

    *list = NULL;
    for (uint32_t i = 0; i < result->count; i++) {
        info = calloc(1, sizeof(*info));
        if (!info)
            goto fail;
        *next = info;
        next = &info->ai_next;
        info->ai_addr = addrinfo_sockaddr(&result->addresses[i], port, &info->ai_addrlen);
        if (!info->ai_addr)
            goto fail;
        info->ai_family = info->ai_addr->sa_family;
        info->ai_socktype = hints->type;
        info->ai_protocol = hints->protocol;
        if (i || !result->canonical)
            continue;
        info->ai_canonname =
            ansi ? (WCHAR *)text_narrow(CP_ACP, result->canonical) : _wcsdup(result->canonical);
        if (!info->ai_canonname)
            goto fail;
    }
    return 0;

fail:
    FreeAddrInfoW(*list);
    *list = NULL;
    return WSA_NOT_ENOUGH_MEMORY;
}

/* Wine's rpcrt4 listens on the first address alone, and its clients come to 127.0.0.1. */
static void put_ipv4_first(struct resolved *result)
{
    uint32_t front = 0;

    for (uint32_t i = 0; i < result->count; i++) {
        struct rs_addr address = result->addresses[i];

        if (address.family != RS_AF_INET)
            continue;
        memmove(&result->addresses[front + 1], &result->addresses[front],
                (i - front) * sizeof(address));
        result->addresses[front++] = address;
    }
}

static DWORD get(const WCHAR *node, const WCHAR *service, const struct addrinfo_hints *hints,
                 bool ansi, ADDRINFOW **list)
{
    struct resolved result = {0};
    u_short port = 0;
    DWORD error = addrinfo_lookup(node, service, hints, &result, &port);

    if (!error && !node && hints->company)
        put_ipv4_first(&result);
    if (!error)
        error = make_list(&result, port, hints, ansi, list);
    resolve_free(&result);
    return error;
}

int WINAPI GetAddrInfoW(PCWSTR node, PCWSTR service, const ADDRINFOW *hints, PADDRINFOW *list)
{
    struct addrinfo_hints wanted;

    if (!list || !argument_out(list, sizeof(*list)) || !argument_in(hints, sizeof(*hints)) ||
        !argument_wide(node) || !argument_wide(service))
        return addrinfo_return(WSAEFAULT);
    wanted = ADDRINFO_HINTS(hints);
    *list = NULL;
    if (!company_startup_check(__builtin_return_address(0)))
        return WSANOTINITIALISED;
    wanted.company = company_calls(__builtin_return_address(0));
    return addrinfo_return(get(node, service, &wanted, false, list));
}

int WINAPI getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    struct addrinfo_hints wanted;
    WCHAR *wide_node, *wide_service;
    DWORD error;

    if (!list || !argument_out(list, sizeof(*list)) || !argument_in(hints, sizeof(*hints)) ||
        !argument_text(node) || !argument_text(service))
        return addrinfo_return(WSAEFAULT);
    wanted = ADDRINFO_HINTS(hints);
    *list = NULL;
    if (!company_startup_check(__builtin_return_address(0)))
        return WSANOTINITIALISED;
    wanted.company = company_calls(__builtin_return_address(0));
    wide_node = node ? text_wide(CP_ACP, node, -1) : NULL;
    wide_service = service ? text_wide(CP_ACP, service, -1) : NULL;
    if ((node && !wide_node) || (service && !wide_service))
        error = WSA_NOT_ENOUGH_MEMORY;
    else
        error = get(wide_node, wide_service, &wanted, true, (ADDRINFOW **)list);
    free(wide_node);
    free(wide_service);
    return addrinfo_return(error);
}
