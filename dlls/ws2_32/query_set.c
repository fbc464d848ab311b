/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAQUERYSETs (see query_set.h).  Both forms have one layout and differ in the strings' type.
 * Pure functions; no lock.
 */
#include "query_set.h"
#include "arguments.h"
#include "guarded_copy.h"
#include "packing.h"
#include "text.h"

static bool address_is_there(const SOCKET_ADDRESS *address)
{
    return address->iSockaddrLength >= 0 &&
           argument_in(address->lpSockaddr, (size_t)address->iSockaddrLength);
}

static bool addresses_are_there(const CSADDR_INFO *addresses, DWORD count)
{
    if (!addresses)
        return true;
    for (DWORD i = 0; i < count; i++)
        if (!argument_in(&addresses[i], sizeof(*addresses)) ||
            !address_is_there(&addresses[i].LocalAddr) ||
            !address_is_there(&addresses[i].RemoteAddr))
            return false;
    return true;
}

static bool text_is_there(const void *text, bool ansi)
{
    return ansi ? argument_text(text) : argument_wide(text);
}

bool query_is_there(const void *query, bool ansi)
{
    const WSAQUERYSETW *set = query;

    return argument_in(&set->dwSize, sizeof(set->dwSize)) &&
           (set->dwSize < sizeof(*set) ||
            (argument_in(set, sizeof(*set)) && argument_in(set->lpServiceClassId, sizeof(GUID)) &&
             argument_in(set->lpVersion, sizeof(*set->lpVersion)) &&
             argument_in(set->lpNSProviderId, sizeof(GUID)) &&
             argument_in(set->lpafpProtocols,
                         argument_size(set->dwNumberOfProtocols, sizeof(*set->lpafpProtocols))) &&
             addresses_are_there(set->lpcsaBuffer, set->dwNumberOfCsAddrs) &&
             argument_in(set->lpBlob, sizeof(*set->lpBlob)) &&
             (!set->lpBlob || argument_in(set->lpBlob->pBlobData, set->lpBlob->cbSize)) &&
             text_is_there(set->lpszServiceInstanceName, ansi) &&
             text_is_there(set->lpszComment, ansi) && text_is_there(set->lpszContext, ansi) &&
             text_is_there(set->lpszQueryString, ansi)));
}

_Static_assert(sizeof(WSAQUERYSETA) == sizeof(WSAQUERYSETW), "one layout for both forms");

static void *pack_optional(struct packing *packing, const void *bytes, size_t size)
{
    if (!bytes)
        return NULL;
    packing_align(packing);
    return packing_bytes(packing, bytes, size);
}

static SOCKET_ADDRESS pack_address(struct packing *packing, const SOCKET_ADDRESS *address)
{
    SOCKET_ADDRESS copy = *address;

    copy.lpSockaddr = pack_optional(packing, address->lpSockaddr, (size_t)address->iSockaddrLength);
    return copy;
}

static CSADDR_INFO *pack_addresses(struct packing *packing, const CSADDR_INFO *addresses,
                                   DWORD count)
{
    CSADDR_INFO *there, *list;
    void *here;

    if (!addresses || !count)
        return NULL;
    packing_align(packing);
    there = packing_place(packing, count * sizeof(*addresses), &here);
    list = here;
    for (DWORD i = 0; i < count; i++) {
        CSADDR_INFO copy = addresses[i];

        copy.LocalAddr = pack_address(packing, &addresses[i].LocalAddr);
        copy.RemoteAddr = pack_address(packing, &addresses[i].RemoteAddr);
        if (list)
            list[i] = copy;
    }
    return there;
}

static BLOB *pack_blob(struct packing *packing, const BLOB *blob)
{
    BLOB copy;
    BLOB *there;
    void *here;

    if (!blob)
        return NULL;
    copy = *blob;
    packing_align(packing);
    there = packing_place(packing, sizeof(copy), &here);
    copy.pBlobData = pack_optional(packing, blob->pBlobData, blob->cbSize);
    if (here)
        memcpy(here, &copy, sizeof(copy));
    return there;
}

static void pack_set(struct packing *packing, const WSAQUERYSETW *set, bool ansi)
{
    WSAQUERYSETW copy = *set;
    void *here;

    packing_place(packing, sizeof(copy), &here);
    copy.dwSize = sizeof(copy);
    copy.lpServiceClassId = pack_optional(packing, set->lpServiceClassId, sizeof(GUID));
    copy.lpVersion = pack_optional(packing, set->lpVersion, sizeof(*set->lpVersion));
    copy.lpNSProviderId = pack_optional(packing, set->lpNSProviderId, sizeof(GUID));
    copy.lpafpProtocols = pack_optional(packing, set->lpafpProtocols,
                                        set->dwNumberOfProtocols * sizeof(*set->lpafpProtocols));
    copy.lpcsaBuffer = pack_addresses(packing, set->lpcsaBuffer, set->dwNumberOfCsAddrs);
    copy.lpBlob = pack_blob(packing, set->lpBlob);
    copy.lpszServiceInstanceName = packing_text(packing, set->lpszServiceInstanceName, ansi);
    copy.lpszComment = packing_text(packing, set->lpszComment, ansi);
    copy.lpszContext = packing_text(packing, set->lpszContext, ansi);
    copy.lpszQueryString = packing_text(packing, set->lpszQueryString, ansi);
    if (here)
        memcpy(here, &copy, sizeof(copy));
}

WSAQUERYSETW *query_copy(const WSAQUERYSETW *set)
{
    struct packing packing = {NULL, NULL, 0};

    pack_set(&packing, set, false);
    if (!(packing.memory = packing.address = malloc(packing.used)))
        return NULL;
    packing.used = 0;
    pack_set(&packing, set, false);
    return (WSAQUERYSETW *)packing.memory;
}

static bool widen(const char *text, WCHAR **wide)
{
    *wide = text ? text_wide(CP_ACP, text, -1) : NULL;
    return *wide || !text;
}

WSAQUERYSETW *query_from_ansi(const WSAQUERYSETA *set)
{
    WSAQUERYSETW wide, *copy = NULL;
    WCHAR *text[4] = {NULL};

    memcpy(&wide, set, sizeof(wide));
    if (widen(set->lpszServiceInstanceName, &text[0]) && widen(set->lpszComment, &text[1]) &&
        widen(set->lpszContext, &text[2]) && widen(set->lpszQueryString, &text[3])) {
        wide.lpszServiceInstanceName = text[0];
        wide.lpszComment = text[1];
        wide.lpszContext = text[2];
        wide.lpszQueryString = text[3];
        copy = query_copy(&wide);
    }
    for (size_t i = 0; i < ARRAYSIZE(text); i++)
        free(text[i]);
    return copy;
}

/* Without what was not asked for. */
static WSAQUERYSETW restricted(const WSAQUERYSETW *set, DWORD flags)
{
    WSAQUERYSETW some = *set;

    if (!(flags & LUP_RETURN_NAME))
        some.lpszServiceInstanceName = NULL;
    if (!(flags & LUP_RETURN_TYPE))
        some.lpServiceClassId = NULL;
    if (!(flags & LUP_RETURN_VERSION))
        some.lpVersion = NULL;
    if (!(flags & LUP_RETURN_COMMENT))
        some.lpszComment = NULL;
    if (!(flags & LUP_RETURN_ADDR)) {
        some.lpcsaBuffer = NULL;
        some.dwNumberOfCsAddrs = 0;
    }
    if (!(flags & LUP_RETURN_BLOB))
        some.lpBlob = NULL;
    if (!(flags & LUP_RETURN_QUERY_STRING))
        some.lpszQueryString = NULL;
    some.lpafpProtocols = NULL; /* "Undefined for results" */
    some.dwNumberOfProtocols = 0;
    return some;
}

DWORD query_store(const WSAQUERYSETW *set, DWORD flags, bool ansi, void *buffer, DWORD *size)
{
    WSAQUERYSETW some = restricted(set, flags);
    struct packing packing = {NULL, buffer, 0};
    DWORD error = 0, room;

    if (!guarded_probe(size, &room))
        return WSAEFAULT;
    pack_set(&packing, &some, ansi);
    if (!buffer || packing.used > room) {
        *size = (DWORD)packing.used;
        return WSAEFAULT;
    }
    if (!(packing.memory = malloc(packing.used)))
        return WSA_NOT_ENOUGH_MEMORY;
    packing.used = 0;
    pack_set(&packing, &some, ansi);
    if (guarded_copy(buffer, packing.memory, packing.used))
        error = WSAEFAULT;
    free(packing.memory);
    return error;
}
