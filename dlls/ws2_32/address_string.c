/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAStringToAddress and WSAAddressToString.
 *
 * Owns the checks of the pages; the text is ntdll's business.  The protocol information that a
 * caller may give selects a provider on Windows; there is one here, so it is ignored.  No lock.
 */
#include "address.h"
#include "arguments.h"
#include "guarded_copy.h"
#include "startup.h"

static int family_size(int family)
{
    switch (family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    default:
        return 0;
    }
}

/* One of the two texts.  A refused text leaves family 0 and whatever was understood of the rest, as
 * recorded by Wine's tests on Windows. */
static DWORD string_to_address(const char *ansi, const WCHAR *wide, int family,
                               struct sockaddr *address, int *length)
{
    int size = family_size(family);
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } result = {0};
    LONG status;

    if (!startup_check())
        return WSANOTINITIALISED;
    if (!address || !length || (!ansi && !wide) || !argument_out(length, sizeof(*length)) ||
        !argument_text(ansi) || !argument_wide(wide))
        return WSAEFAULT;
    if (!size)
        return WSAEINVAL;
    if (*length < size) {
        *length = size;
        return WSAEFAULT;
    }
    if (family == AF_INET)
        status =
            ansi ? RtlIpv4StringToAddressExA(ansi, FALSE, &result.in.sin_addr, &result.in.sin_port)
                 : RtlIpv4StringToAddressExW(wide, FALSE, &result.in.sin_addr, &result.in.sin_port);
    else
        status = ansi ? RtlIpv6StringToAddressExA(ansi, &result.in6.sin6_addr,
                                                  &result.in6.sin6_scope_id, &result.in6.sin6_port)
                      : RtlIpv6StringToAddressExW(wide, &result.in6.sin6_addr,
                                                  &result.in6.sin6_scope_id, &result.in6.sin6_port);
    if (!status) {
        result.in.sin_family = (short)family;
        *length = size;
    }
    if (guarded_copy(address, &result, (size_t)size))
        return WSAEFAULT;
    return status ? WSAEINVAL : 0;
}

INT WINAPI WSAStringToAddressA(LPSTR text, INT family, LPWSAPROTOCOL_INFOA protocol,
                               LPSOCKADDR address, LPINT length)
{
    (void)protocol;
    return return_error(string_to_address(text, NULL, family, address, length));
}

INT WINAPI WSAStringToAddressW(LPWSTR text, INT family, LPWSAPROTOCOL_INFOW protocol,
                               LPSOCKADDR address, LPINT length)
{
    (void)protocol;
    return return_error(string_to_address(NULL, text, family, address, length));
}

/* The longest, "[...%scope]:port" with a terminating NUL. */
#define TEXT_MAX 72

/* Into text, a buffer of TEXT_MAX; *size becomes its length with the NUL. */
static DWORD address_to_string(const struct sockaddr *address, DWORD length, WCHAR *text,
                               ULONG *size)
{
    const struct sockaddr_in6 *in6 = (const void *)address;
    const struct sockaddr_in *in = (const void *)address;
    LONG status;

    if (!startup_check())
        return WSANOTINITIALISED;
    if (!address || !argument_in(address, sizeof(address->sa_family)))
        return WSAEFAULT;
    if (length < sizeof(address->sa_family) || !family_size(address->sa_family) ||
        length < (DWORD)family_size(address->sa_family))
        return WSAEINVAL;
    if (!argument_in(address, (size_t)family_size(address->sa_family)))
        return WSAEFAULT;
    *size = TEXT_MAX;
    if (address->sa_family == AF_INET)
        status = RtlIpv4AddressToStringExW(&in->sin_addr, in->sin_port, text, size);
    else
        status = RtlIpv6AddressToStringExW(&in6->sin6_addr, in6->sin6_scope_id, in6->sin6_port,
                                           text, size);
    return status ? WSAEINVAL : 0;
}

/* "If the buffer is not large enough ... the required size is returned in it." */
static DWORD store_text(const void *from, ULONG size, size_t unit, void *text, DWORD *text_length)
{
    DWORD room;

    if (!text_length || !guarded_probe(text_length, &room))
        return WSAEFAULT;
    *text_length = size;
    return room < size || !text || guarded_copy(text, from, size * unit) ? WSAEFAULT : 0;
}

INT WINAPI WSAAddressToStringW(LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOW protocol,
                               LPWSTR text, LPDWORD text_length)
{
    WCHAR buffer[TEXT_MAX];
    ULONG size = 0;
    DWORD error = address_to_string(address, length, buffer, &size);

    (void)protocol;
    if (!error)
        error = store_text(buffer, size, sizeof(*buffer), text, text_length);
    return return_error(error);
}

INT WINAPI WSAAddressToStringA(LPSOCKADDR address, DWORD length, LPWSAPROTOCOL_INFOA protocol,
                               LPSTR text, LPDWORD text_length)
{
    WCHAR buffer[TEXT_MAX];
    char narrow[TEXT_MAX];
    ULONG size = 0;
    DWORD error = address_to_string(address, length, buffer, &size);

    (void)protocol;
    for (ULONG i = 0; i < size; i++)
        narrow[i] = (char)buffer[i]; /* digits and punctuation only */
    if (!error)
        error = store_text(narrow, size, sizeof(*narrow), text, text_length);
    return return_error(error);
}
