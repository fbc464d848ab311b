/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getnameinfo and GetNameInfoW.
 *
 * Owns the checks of the page and the choice between names and numbers; takes no lock.
 */
#include "address.h"
#include "arguments.h"
#include "guarded_copy.h"
#include "netdb.h"
#include "resolve.h"
#include "sockaddr.h"
#include "startup.h"
#include "text.h"

#include <wchar.h>

/* The numeric form, as getaddrinfo would read it: with scope, without port. */
static DWORD numeric_host(const struct rs_addr *address, WCHAR **host)
{
    ULONG size = INET6_ADDRSTRLEN + 12;
    WCHAR *text = malloc(size * sizeof(*text));
    LONG status;

    if (!text)
        return WSA_NOT_ENOUGH_MEMORY;
    if (address->family == RS_AF_INET)
        status = RtlIpv4AddressToStringExW((const IN_ADDR *)address->bytes, 0, text, &size);
    else
        status = RtlIpv6AddressToStringExW((const IN6_ADDR *)address->bytes, address->scope_id, 0,
                                           text, &size);
    if (status) {
        free(text);
        return WSANO_RECOVERY;
    }
    *host = text;
    return 0;
}

/* "The numeric form of the host name is also returned if the host name cannot be resolved." */
static DWORD host_of(const struct rs_addr *address, int flags, WCHAR **host)
{
    DWORD error;

    if (flags & NI_NUMERICHOST)
        return flags & NI_NAMEREQD ? WSAHOST_NOT_FOUND : numeric_host(address, host);
    error = resolve_reverse(address, true, host);
    if (error && !(flags & NI_NAMEREQD))
        return numeric_host(address, host);
    if (!error && flags & NI_NOFQDN)
        (*host)[wcscspn(*host, L".")] = 0;
    return error;
}

/* "... the numeric form of the service address ... as a numeric string" where there is no name. */
static DWORD service_of(const struct rs_addr *address, int flags, WCHAR **service)
{
    char name[NETDB_NAME_MAX];

    if (flags & NI_NUMERICSERV ||
        !netdb_service_of_port(address->port, flags & NI_DGRAM ? "udp" : "tcp", name))
        _ultoa(ntohs(address->port), name, 10);
    *service = text_wide(CP_ACP, name, -1);
    return *service ? 0 : WSA_NOT_ENOUGH_MEMORY;
}

/* host and service stay NULL if they are not wanted. */
static DWORD lookup(const struct sockaddr *from, int length, bool want_host, bool want_service,
                    int flags, WCHAR **host, WCHAR **service)
{
    struct rs_addr address;
    DWORD error;

    if (!from || length < (int)sizeof(from->sa_family) ||
        !argument_in(from, sizeof(from->sa_family)))
        return WSAEFAULT;
    if (from->sa_family != AF_INET && from->sa_family != AF_INET6)
        return WSAEAFNOSUPPORT;
    if (length < sockaddr_size(from->sa_family) ||
        !argument_in(from, (size_t)sockaddr_size(from->sa_family)))
        return WSAEFAULT;
    if (!want_host && !want_service)
        return WSAHOST_NOT_FOUND;
    error = sockaddr_to_wire(&address, from, length, from->sa_family);
    if (!error && want_host)
        error = host_of(&address, flags, host);
    if (!error && want_service)
        error = service_of(&address, flags, service);
    return error;
}

/* Into the caller's buffer; nothing if text is NULL. */
static DWORD store_wide(const WCHAR *text, WCHAR *buffer, DWORD size)
{
    size_t length = text ? wcslen(text) + 1 : 0;

    return length <= size && !guarded_copy(buffer, text, length * sizeof(*text)) ? 0 : WSAEFAULT;
}

int WINAPI GetNameInfoW(const SOCKADDR *from, socklen_t length, PWCHAR host, DWORD host_size,
                        PWCHAR service, DWORD service_size, INT flags)
{
    WCHAR *host_name = NULL, *service_name = NULL;
    DWORD error;

    if (!startup_check())
        return WSANOTINITIALISED;
    error = lookup(from, length, host != NULL, service != NULL, flags, &host_name, &service_name);
    if (!error && ((host && !host_size) || (service && !service_size)))
        error = WSAEINVAL;
    if (!error)
        error = store_wide(host_name, host, host_size);
    if (!error)
        error = store_wide(service_name, service, service_size);
    free(host_name);
    free(service_name);
    if (error)
        SetLastError(error);
    return (int)error;
}

/* The same in ANSI. */
static DWORD store(const WCHAR *text, char *buffer, DWORD size)
{
    char *narrow;
    DWORD error = 0;

    if (!text)
        return 0;
    narrow = text_narrow(CP_ACP, text);
    if (!narrow)
        return WSA_NOT_ENOUGH_MEMORY;
    if (strlen(narrow) >= size || guarded_copy(buffer, narrow, strlen(narrow) + 1))
        error = WSAEFAULT;
    free(narrow);
    return error;
}

int WINAPI getnameinfo(const struct sockaddr *from, socklen_t length, char *host, DWORD host_size,
                       char *service, DWORD service_size, int flags)
{
    WCHAR *host_name = NULL, *service_name = NULL;
    DWORD error;

    if (!startup_check())
        return WSANOTINITIALISED;
    error = lookup(from, length, host != NULL, service != NULL, flags, &host_name, &service_name);
    if (!error && ((host && !host_size) || (service && !service_size)))
        error = WSAEINVAL;
    if (!error)
        error = store(host_name, host, host_size);
    if (!error)
        error = store(service_name, service, service_size);
    free(host_name);
    free(service_name);
    if (error)
        SetLastError(error);
    return (int)error;
}
