/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inet_addr, inet_ntoa, inet_pton, inet_ntop and their wide forms.
 *
 * Owns what the pages say of their errors; the parsing is ntdll's.  None of these needs WSAStartup
 * (their pages do not list WSANOTINITIALISED).  Takes no lock.
 */
#include "address.h"
#include "arguments.h"
#include "guarded_copy.h"
#include "thread_buffer.h"

#include <ctype.h>

/* "Returns INADDR_NONE for what is not a legitimate Internet address"; white space ends the
 * address, and a lone space is 0 ("passing a space returns zero", Remarks of the page). */
unsigned __LONG32 WINAPI inet_addr(const char *text)
{
    IN_ADDR address;
    CHAR *end;

    if (!text || !argument_text(text)) {
        SetLastError(WSAEFAULT);
        return INADDR_NONE;
    }
    if (text[0] == ' ' && !text[1])
        return 0;
    if (RtlIpv4StringToAddressA(text, FALSE, &end, &address) < 0)
        return INADDR_NONE;
    if (*end && (!isascii((unsigned char)*end) || !isspace((unsigned char)*end)))
        return INADDR_NONE;
    return address.s_addr;
}

/* "The string ... is only guaranteed to be valid until the next Windows Sockets function call
 * within the same thread." */
char *WINAPI inet_ntoa(struct in_addr address)
{
    ULONG size = INET_ADDRSTRLEN;
    char *text = thread_buffer(THREAD_BUFFER_NTOA, size);

    if (!text) {
        SetLastError(WSAENOBUFS);
        return NULL;
    }
    RtlIpv4AddressToStringExA(&address, 0, text, &size);
    return text;
}

static size_t address_size(int family)
{
    return family == AF_INET ? sizeof(IN_ADDR) : family == AF_INET6 ? sizeof(IN6_ADDR) : 0;
}

INT WINAPI inet_pton(INT family, PCSTR text, PVOID address)
{
    CHAR *end = NULL;
    LONG status;

    if (!text || !address || !argument_text(text) || !argument_out(address, address_size(family))) {
        SetLastError(WSAEFAULT);
        return -1;
    }
    switch (family) {
    case AF_INET:
        status = RtlIpv4StringToAddressA(text, TRUE, &end, address);
        break;
    case AF_INET6:
        status = RtlIpv6StringToAddressA(text, &end, address);
        break;
    default:
        SetLastError(WSAEAFNOSUPPORT);
        return -1;
    }
    return status >= 0 && !*end;
}

/* As inet_pton, but a malformed address also sets the last error (recorded by Wine's tests). */
INT WINAPI InetPtonW(INT family, PCWSTR text, PVOID address)
{
    WCHAR *end = NULL;
    LONG status;

    if (!text || !address || !argument_wide(text) || !argument_out(address, address_size(family))) {
        SetLastError(WSAEFAULT);
        return -1;
    }
    switch (family) {
    case AF_INET:
        status = RtlIpv4StringToAddressW(text, TRUE, &end, address);
        break;
    case AF_INET6:
        status = RtlIpv6StringToAddressW(text, &end, address);
        break;
    default:
        SetLastError(WSAEAFNOSUPPORT);
        return -1;
    }
    if (status >= 0 && !*end)
        return 1;
    SetLastError(WSAEINVAL);
    return 0;
}

/* ntdll's status is the last error when the buffer does not do: Windows 8 and later leave it there
 * untranslated (Windows 7: WSAEINVAL), as recorded by Wine's tests. */
PCSTR WINAPI inet_ntop(INT family, const VOID *address, PSTR text, size_t size)
{
    char local[INET6_ADDRSTRLEN];
    ULONG length = size > sizeof(local) ? sizeof(local) : (ULONG)size;
    LONG status = WSAEFAULT;

    if (argument_in(address, address_size(family)))
        switch (family) {
        case AF_INET:
            status = RtlIpv4AddressToStringExA(address, 0, text ? local : NULL, &length);
            break;
        case AF_INET6:
            status = RtlIpv6AddressToStringExA(address, 0, 0, text ? local : NULL, &length);
            break;
        default:
            status = WSAEAFNOSUPPORT;
            break;
        }
    if (!status && guarded_copy(text, local, length))
        status = WSAEFAULT;
    if (!status)
        return text;
    SetLastError((DWORD)status);
    return NULL;
}

PCWSTR WINAPI InetNtopW(INT family, const VOID *address, PWSTR text, size_t size)
{
    WCHAR local[INET6_ADDRSTRLEN];
    ULONG length = size > ARRAYSIZE(local) ? ARRAYSIZE(local) : (ULONG)size;
    LONG status = WSAEFAULT;

    if (argument_in(address, address_size(family)))
        switch (family) {
        case AF_INET:
            status = RtlIpv4AddressToStringExW(address, 0, text ? local : NULL, &length);
            break;
        case AF_INET6:
            status = RtlIpv6AddressToStringExW(address, 0, 0, text ? local : NULL, &length);
            break;
        default:
            status = WSAEAFNOSUPPORT;
            break;
        }
    if (!status && guarded_copy(text, local, length * sizeof(*local)))
        status = WSAEFAULT;
    if (!status)
        return text;
    SetLastError((DWORD)status);
    return NULL;
}
