/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gethostname, GetHostNameW, gethostbyname, gethostbyaddr.
 *
 * Owns the hostent of each thread, laid out as Windows does (recorded by Wine's tests): the
 * structure, the alias pointers, the address pointers, the addresses, the names.  Takes no lock.
 */
#include "arguments.h"
#include "guarded_copy.h"
#include "resolve.h"
#include "startup.h"
#include "text.h"
#include "thread_buffer.h"

int WINAPI GetHostNameW(PWSTR name, int size)
{
    WCHAR host[HOST_NAME_MAX_CHARS];
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!name)
        return return_error(WSAEFAULT);
    error = resolve_host_name(host);
    if (!error && (size < 0 || wcslen(host) >= (size_t)size ||
                   guarded_copy(name, host, (wcslen(host) + 1) * sizeof(*host))))
        error = WSAEFAULT;
    return return_error(error);
}

int WINAPI gethostname(char *name, int size)
{
    WCHAR host[HOST_NAME_MAX_CHARS];
    char *narrow;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!name)
        return return_error(WSAEFAULT);
    error = resolve_host_name(host);
    if (error)
        return return_error(error);
    narrow = text_narrow(CP_ACP, host);
    if (!narrow)
        error = WSAENOBUFS;
    else if (size < 0 || strlen(narrow) >= (size_t)size ||
             guarded_copy(name, narrow, strlen(narrow) + 1))
        error = WSAEFAULT;
    free(narrow);
    return return_error(error);
}

/* The hostent in the thread's buffer: `addresses` of `length` bytes each, at most one alias. */
static struct hostent *make_hostent(const char *name, const char *alias, int type, int length,
                                    const struct rs_addr *addresses, uint32_t count)
{
    size_t size = sizeof(struct hostent) + (count + 3) * sizeof(char *) + count * (size_t)length +
                  strlen(name) + 1 + (alias ? strlen(alias) + 1 : 0);
    struct hostent *host = thread_buffer(THREAD_BUFFER_HOST, size);
    char *next;

    if (!host) {
        SetLastError(WSAENOBUFS);
        return NULL;
    }
    host->h_addrtype = (short)type;
    host->h_length = (short)length;
    host->h_aliases = (char **)(host + 1);
    host->h_addr_list = host->h_aliases + (alias ? 2 : 1);
    next = (char *)(host->h_addr_list + count + 1);
    for (uint32_t i = 0; i < count; i++) {
        host->h_addr_list[i] = memcpy(next, addresses[i].bytes, (size_t)length);
        next += length;
    }
    host->h_addr_list[count] = NULL;
    host->h_name = strcpy(next, name);
    next += strlen(name) + 1;
    if (alias)
        host->h_aliases[0] = strcpy(next, alias);
    host->h_aliases[alias ? 1 : 0] = NULL;
    return host;
}

/* The name that was asked for is an alias if the host's own is another. */
static struct hostent *hostent_of(const char *asked, const struct resolved *result)
{
    char *canonical = result->canonical ? text_narrow(CP_ACP, result->canonical) : NULL;
    const char *name = canonical ? canonical : asked;
    struct hostent *host = make_hostent(name, *asked && _stricmp(asked, name) ? asked : NULL,
                                        AF_INET, 4, result->addresses, result->count);

    free(canonical);
    return host;
}

/* "If the name parameter points to an empty string or name is NULL" it is about this machine. */
struct hostent *WINAPI gethostbyname(const char *name)
{
    struct resolved result;
    struct hostent *host;
    WCHAR *wide;
    DWORD error;

    if (!startup_check())
        return NULL;
    if (!argument_text(name)) {
        SetLastError(WSAEFAULT);
        return NULL;
    }
    if (!name)
        name = "";
    wide = text_wide(CP_ACP, name, -1);
    if (!wide) {
        SetLastError(WSAENOBUFS);
        return NULL;
    }
    error = resolve_node(wide, AF_INET, AI_CANONNAME, &result);
    free(wide);
    if (error) {
        SetLastError(error == WSA_NOT_ENOUGH_MEMORY ? (DWORD)WSAENOBUFS : error);
        return NULL;
    }
    host = hostent_of(name, &result);
    resolve_free(&result);
    return host;
}

struct hostent *WINAPI gethostbyaddr(const char *address, int length, int type)
{
    struct rs_addr question = {.family = type == AF_INET6 ? RS_AF_INET6 : RS_AF_INET};
    struct hostent *host = NULL;
    WCHAR *wide = NULL;
    char *name = NULL;
    DWORD error = 0;

    if (!startup_check())
        return NULL;
    if (type != AF_INET && type != AF_INET6)
        error = WSAEAFNOSUPPORT;
    else if (!address || length < (type == AF_INET6 ? 16 : 4) ||
             guarded_copy(question.bytes, address, type == AF_INET6 ? 16 : 4))
        error = WSAEFAULT;
    if (!error) {
        length = type == AF_INET6 ? 16 : 4;
        error = resolve_reverse(&question, true, &wide);
        if (error == WSAHOST_NOT_FOUND) /* the address is there, it has no name */
            error = WSANO_DATA;
    }
    if (!error) {
        name = text_narrow(CP_ACP, wide);
        if (name)
            host = make_hostent(name, NULL, type, length, &question, 1);
        else
            error = WSAENOBUFS;
    }
    if (error)
        SetLastError(error);
    free(wide);
    free(name);
    return host;
}
