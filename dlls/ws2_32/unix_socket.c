/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AF_UNIX: addresses that are paths (see unix_socket.h).
 *
 * Owns socket.unix_names.  Takes the socket's lock; asks the server with no lock held.
 *
 * Microsoft's "AF_UNIX comes to Windows": only SOCK_STREAM; the path is UTF-8, of the file system;
 * "unlike in Linux" there is no auto-bind.  The path is a Windows one: Wine says which host file it
 * means (wine_get_unix_file_name), and the server's socket lies there, so that a host program
 * finds it too.
 */
#include "unix_socket.h"
#include "guarded_copy.h"
#include "log.h"
#include "request.h"
#include "text.h"

typedef char *(CDECL *unix_file_name_fn)(LPCWSTR path);

static char *host_path_of(const WCHAR *path)
{
    unix_file_name_fn unix_file_name = (unix_file_name_fn)(void *)GetProcAddress(
        GetModuleHandleW(L"kernel32.dll"), "wine_get_unix_file_name");
    WCHAR full[MAX_PATH + UNIX_PATH_MAX_BYTES];
    DWORD length = GetFullPathNameW(path, ARRAYSIZE(full), full, NULL);

    if (!unix_file_name || !length || length >= ARRAYSIZE(full))
        return NULL;
    return unix_file_name(full);
}

static DWORD tell_server(struct socket *socket, const char *path, size_t length)
{
    struct request request = {.session = socket->session,
                              .type = RS_SUB_UNIX_PATH,
                              .socket = socket->index,
                              .payload = path,
                              .payload_size = (uint32_t)length};

    return length && length <= RS_UNIX_PATH_MAX ? request_call(&request) : WSAEINVAL;
}

static DWORD tell_path(struct socket *socket, const struct unix_address *address)
{
    WCHAR *wide;
    char *host;
    DWORD error;

    if (!(wide = text_wide(CP_UTF8, address->path, -1)))
        return WSAEINVAL;
    host = host_path_of(wide);
    free(wide);
    if (!host)
        return WSAENETDOWN; /* no such directory (golang/go#44797, libevent/libevent#1625) */
    error = tell_server(socket, host, strlen(host));
    HeapFree(GetProcessHeap(), 0, host); /* wine_get_unix_file_name's own way */
    return error;
}

/* An abstract name is what stands behind the NUL, up to the end of the address; programs pass the
 * whole structure, so zeroes at its end do not count. */
static DWORD tell_abstract(struct socket *socket, const struct unix_address *address)
{
    size_t length = sizeof(address->path);

    while (length > 1 && !address->path[length - 1])
        length--;
    return length > 1 ? tell_server(socket, address->path, length) : WSAEINVAL;
}

static DWORD read_address(const struct sockaddr *name, int length, struct unix_address *address)
{
    memset(address, 0, sizeof(*address));
    if (length <= (int)sizeof(address->family))
        return WSAEFAULT;
    if (length > (int)sizeof(*address))
        length = sizeof(*address);
    if (guarded_copy(address, name, length))
        return WSAEFAULT;
    if (address->family != AF_UNIX)
        return WSAEAFNOSUPPORT;
    /* without an end it is no string */
    return address->path[sizeof(address->path) - 1] ? WSAEINVAL : 0;
}

DWORD unix_address_begin(struct socket *socket, const struct sockaddr *name, int length,
                         struct unix_address *address, struct rs_addr *wire)
{
    DWORD error = read_address(name, length, address);

    if (error)
        return error;
    memset(wire, 0, sizeof(*wire));
    wire->family = RS_AF_UNIX;
    wire->bytes[0] = 1;
    return address->path[0] ? tell_path(socket, address) : tell_abstract(socket, address);
}

/* ---- names ---- */

/* NULL without memory: then nobody is told a name. */
static struct unix_names *names_of(struct socket *socket)
{
    if (!socket->unix_names)
        socket->unix_names = calloc(1, sizeof(*socket->unix_names));
    return socket->unix_names;
}

void unix_name_set(struct socket *socket, const struct unix_address *address, bool peer)
{
    struct unix_names *names;

    AcquireSRWLockExclusive(&socket->lock);
    if ((names = names_of(socket)))
        *(peer ? &names->peer : &names->local) = *address;
    ReleaseSRWLockExclusive(&socket->lock);
}

void unix_name_inherit(struct socket *accepted, const struct socket *listener)
{
    struct unix_names *names;

    if (listener->unix_names && (names = names_of(accepted)))
        names->local = listener->unix_names->local;
}

/* The whole structure, with an empty path for an end without a name: how long Windows says that is
 * nobody has written down. */
DWORD unix_name_store(const struct socket *socket, bool peer, struct sockaddr *name, int *length)
{
    struct unix_address address = {.family = AF_UNIX};
    DWORD room;

    if (socket->unix_names)
        address = peer ? socket->unix_names->peer : socket->unix_names->local;
    address.family = AF_UNIX;
    if (!guarded_load((DWORD *)length, &room) || room < sizeof(address) ||
        guarded_copy(name, &address, sizeof(address)) ||
        !guarded_store((DWORD *)length, sizeof(address)))
        return WSAEFAULT;
    return 0;
}
