/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name space providers: DNS, under the name and GUID that every Windows gives its own.
 *
 * It is the one that getaddrinfo and gethostbyname stand for; the look-up functions of the name
 * space interface itself are not built (unsupported.c).  Constant data, no lock.
 */
#include "name_spaces.h"
#include "startup.h"

#include <ws2spi.h>

const GUID dns_provider = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};
static const char dns_name[] = "Tcpip";
static const WCHAR dns_name_wide[] = L"Tcpip";

/* The number of providers, written behind each other with their strings after them. */
static int enumerate(DWORD *size, void *buffer, size_t entry_size, const void *name,
                     size_t name_size)
{
    WSANAMESPACE_INFOEXW *entry = buffer; /* all four structures begin alike */
    DWORD needed = (DWORD)(entry_size + name_size);

    if (!startup_check())
        return SOCKET_ERROR;
    if (!size)
        return return_error(WSAEFAULT);
    if (!buffer || *size < needed) {
        *size = needed;
        return return_error(WSAEFAULT);
    }
    memset(buffer, 0, entry_size);
    entry->NSProviderId = dns_provider;
    entry->dwNameSpace = NS_DNS;
    entry->fActive = TRUE;
    entry->lpszIdentifier = memcpy((char *)buffer + entry_size, name, name_size);
    return 1;
}
_Static_assert(offsetof(WSANAMESPACE_INFOA, lpszIdentifier) ==
                       offsetof(WSANAMESPACE_INFOEXW, lpszIdentifier) &&
                   offsetof(WSANAMESPACE_INFOW, lpszIdentifier) ==
                       offsetof(WSANAMESPACE_INFOEXW, lpszIdentifier) &&
                   offsetof(WSANAMESPACE_INFOEXA, lpszIdentifier) ==
                       offsetof(WSANAMESPACE_INFOEXW, lpszIdentifier),
               "the four structures begin alike");

INT WINAPI WSAEnumNameSpaceProvidersA(LPDWORD size, LPWSANAMESPACE_INFOA buffer)
{
    return enumerate(size, buffer, sizeof(*buffer), dns_name, sizeof(dns_name));
}

INT WINAPI WSAEnumNameSpaceProvidersW(LPDWORD size, LPWSANAMESPACE_INFOW buffer)
{
    return enumerate(size, buffer, sizeof(*buffer), dns_name_wide, sizeof(dns_name_wide));
}

INT WINAPI WSAEnumNameSpaceProvidersExA(LPDWORD size, LPWSANAMESPACE_INFOEXA buffer)
{
    return enumerate(size, buffer, sizeof(*buffer), dns_name, sizeof(dns_name));
}

INT WINAPI WSAEnumNameSpaceProvidersExW(LPDWORD size, LPWSANAMESPACE_INFOEXW buffer)
{
    return enumerate(size, buffer, sizeof(*buffer), dns_name_wide, sizeof(dns_name_wide));
}

#ifdef _WIN64
/* The 32-bit DLL of the same package has the same provider. */
INT WINAPI WSCEnumNameSpaceProvidersEx32(LPDWORD size, LPWSANAMESPACE_INFOEXW buffer);

INT WINAPI WSCEnumNameSpaceProviders32(LPDWORD size, LPWSANAMESPACE_INFOW buffer)
{
    return enumerate(size, buffer, sizeof(*buffer), dns_name_wide, sizeof(dns_name_wide));
}

INT WINAPI WSCEnumNameSpaceProvidersEx32(LPDWORD size, LPWSANAMESPACE_INFOEXW buffer)
{
    return enumerate(size, buffer, sizeof(*buffer), dns_name_wide, sizeof(dns_name_wide));
}
#endif
