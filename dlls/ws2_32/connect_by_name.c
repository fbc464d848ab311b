/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAConnectByNameA and W, WSAConnectByList.
 *
 * Owns the walk through the addresses and the time that it may take in all; each attempt is a
 * connect() of this DLL.  The pages: "will block even if the socket is in non-blocking mode", so
 * each attempt is a nonblocking one that is waited for.  Takes no lock over a call.
 */
#include "arguments.h"
#include "resolve.h"
#include "sockaddr.h"
#include "socket.h"
#include "startup.h"
#include "text.h"

struct attempt {
    SOCKET s;
    int family; /* of the socket */
    bool dual;  /* an IPv6 socket that reaches IPv4 too */
    bool timed, was_nonblocking, was_bound;
    ULONGLONG deadline; /* GetTickCount64 */
};

static bool is_room(DWORD *size, SOCKADDR *address)
{
    return argument_out(size, sizeof(*size)) &&
           (!size || argument_out(address, min(*size, sizeof(struct sockaddr_in6))));
}

/* Before anything is connected: the four places for the two ends. */
static bool ends_are_there(DWORD *local_size, SOCKADDR *local, DWORD *remote_size, SOCKADDR *remote)
{
    return is_room(local_size, local) && is_room(remote_size, remote);
}

static DWORD begin(struct attempt *attempt, SOCKET s, const struct timeval *timeout)
{
    struct socket *socket = socket_get(s);
    DWORD error = 0;

    if (!socket)
        return GetLastError();
    if (socket->type != SOCK_STREAM)
        error = WSAEINVAL;
    else if (!argument_in(timeout, sizeof(*timeout)))
        error = WSAEFAULT;
    memset(attempt, 0, sizeof(*attempt));
    attempt->s = s;
    attempt->family = socket->family;
    AcquireSRWLockShared(&socket->lock);
    attempt->dual = socket->family == AF_INET6 && !socket->v6only;
    attempt->was_nonblocking = socket->nonblocking;
    attempt->was_bound = socket->bound && socket->state == SOCKET_OPEN;
    ReleaseSRWLockShared(&socket->lock);
    socket_put(socket);
    if (timeout && !error) {
        attempt->timed = true;
        attempt->deadline = GetTickCount64() + (ULONGLONG)timeout->tv_sec * 1000 +
                            ((ULONGLONG)timeout->tv_usec + 999) / 1000;
    }
    return error;
}

/* Waits for a nonblocking connect until the deadline, if there is one. */
static DWORD wait_connected(const struct attempt *attempt)
{
    ULONGLONG now = GetTickCount64();
    ULONGLONG left = attempt->deadline > now ? attempt->deadline - now : 0;
    struct timeval time = {(long)(left / 1000), (long)(left % 1000 * 1000)};
    fd_set writable, failed;
    int error = 0, size = sizeof(error), ready;

    FD_ZERO(&writable);
    FD_ZERO(&failed);
    FD_SET(attempt->s, &writable);
    FD_SET(attempt->s, &failed);
    ready = select(0, NULL, &writable, &failed, attempt->timed ? &time : NULL);
    if (ready < 0)
        return GetLastError();
    if (!ready)
        return WSAETIMEDOUT;
    if (!FD_ISSET(attempt->s, &failed))
        return 0;
    if (getsockopt(attempt->s, SOL_SOCKET, SO_ERROR, (char *)&error, &size))
        return GetLastError();
    return error ? (DWORD)error : WSAECONNREFUSED;
}

static DWORD try_address(const struct attempt *attempt, const struct sockaddr_in6 *address,
                         int length)
{
    u_long mode = 1;
    DWORD error = 0;

    if (!attempt->was_nonblocking && ioctlsocket(attempt->s, FIONBIO, &mode))
        return GetLastError();
    if (connect(attempt->s, (const struct sockaddr *)address, length)) {
        error = GetLastError();
        if (error == WSAEWOULDBLOCK)
            error = wait_connected(attempt);
    }
    mode = 0;
    if (!attempt->was_nonblocking)
        ioctlsocket(attempt->s, FIONBIO, &mode);
    return error;
}

/* One candidate, in the socket's family or mapped into it; WSAEAFNOSUPPORT if that cannot be. */
static DWORD try_wire(const struct attempt *attempt, struct rs_addr address)
{
    struct sockaddr_in6 target;
    int length;

    if (address.family == RS_AF_INET && attempt->dual) {
        struct rs_addr mapped = {.family = RS_AF_INET6, .port = address.port};

        mapped.bytes[10] = mapped.bytes[11] = 0xff;
        memcpy(mapped.bytes + 12, address.bytes, 4);
        address = mapped;
    }
    if ((address.family == RS_AF_INET) != (attempt->family == AF_INET))
        return WSAEAFNOSUPPORT;
    length = sockaddr_from_wire(&target, &address);
    return try_address(attempt, &target, length);
}

/* "The socket s does not enable previously set properties or options until
 * SO_UPDATE_CONNECT_CONTEXT is set on the socket": as after ConnectEx. */
static void mark_connected(SOCKET s)
{
    struct socket *socket = socket_get(s);

    if (!socket)
        return;
    AcquireSRWLockExclusive(&socket->lock);
    socket->connectex = socket->state == SOCKET_CONNECTED;
    ReleaseSRWLockExclusive(&socket->lock);
    socket_put(socket);
}

/* WSAConnectByName tells the local address without its port (Wine's test_WSAConnectByName, run on
 * Windows).  Nobody has looked at WSAConnectByList. */
static void clear_port(SOCKADDR *address)
{
    SOCKADDR_IN *in = (SOCKADDR_IN *)address; /* at the same place in both families */

    in->sin_port = 0;
}

/* Both ends' addresses, where the program wants them. */
static DWORD report(SOCKET s, bool by_name, DWORD *local_size, SOCKADDR *local, DWORD *remote_size,
                    SOCKADDR *remote)
{
    int length;

    if (local && local_size) {
        length = (int)*local_size;
        if (getsockname(s, local, &length))
            return GetLastError();
        *local_size = (DWORD)length;
        if (by_name)
            clear_port(local);
    }
    if (remote && remote_size) {
        length = (int)*remote_size;
        if (getpeername(s, remote, &length))
            return GetLastError();
        *remote_size = (DWORD)length;
    }
    mark_connected(s);
    return 0;
}

static bool more_time(const struct attempt *attempt)
{
    return !attempt->timed || GetTickCount64() < attempt->deadline;
}

static WINBOOL finish(DWORD error)
{
    if (error)
        SetLastError(error);
    return !error;
}

WINBOOL WINAPI WSAConnectByNameW(SOCKET s, LPWSTR node, LPWSTR service, LPDWORD local_size,
                                 LPSOCKADDR local, LPDWORD remote_size, LPSOCKADDR remote,
                                 const PTIMEVAL timeout, LPWSAOVERLAPPED reserved)
{
    struct resolved result = {0};
    struct attempt attempt;
    u_short port = 0;
    DWORD error;

    /* the arguments come before the socket (Wine's test_WSAConnectByName, run on Windows) */
    if (!node || !service || reserved)
        error = WSAEINVAL;
    else if (!argument_wide(node) || !argument_wide(service) ||
             !ends_are_there(local_size, local, remote_size, remote))
        error = WSAEFAULT;
    else
        error = begin(&attempt, s, timeout);
    if (!error)
        error = resolve_service(service, SOCK_STREAM, 0, &port);
    if (!error)
        error = resolve_node(node, attempt.family == AF_INET ? AF_INET : AF_UNSPEC, 0, &result);
    if (!error) {
        error = WSAEHOSTUNREACH;
        for (uint32_t i = 0; i < result.count && error && more_time(&attempt); i++) {
            result.addresses[i].port = port;
            error = try_wire(&attempt, result.addresses[i]);
        }
        if (error && !more_time(&attempt))
            error = WSAETIMEDOUT;
    }
    resolve_free(&result);
    if (!error)
        error = report(s, true, local_size, local, remote_size, remote);
    return finish(error);
}

WINBOOL WINAPI WSAConnectByNameA(SOCKET s, LPSTR node, LPSTR service, LPDWORD local_size,
                                 LPSOCKADDR local, LPDWORD remote_size, LPSOCKADDR remote,
                                 const PTIMEVAL timeout, LPWSAOVERLAPPED reserved)
{
    WCHAR *wide_node, *wide_service;
    WINBOOL connected;
    DWORD error;

    if (!argument_text(node) || !argument_text(service))
        return finish(WSAEFAULT);
    wide_node = node ? text_wide(CP_ACP, node, -1) : NULL;
    wide_service = service ? text_wide(CP_ACP, service, -1) : NULL;
    if ((node && !wide_node) || (service && !wide_service)) {
        SetLastError(WSAENOBUFS);
        connected = FALSE;
    } else {
        connected = WSAConnectByNameW(s, wide_node, wide_service, local_size, local, remote_size,
                                      remote, timeout, reserved);
    }
    error = GetLastError();
    free(wide_node);
    free(wide_service);
    SetLastError(error);
    return connected;
}

static bool list_is_there(const SOCKET_ADDRESS_LIST *list)
{
    if (!argument_in(&list->iAddressCount, sizeof(list->iAddressCount)))
        return false;
    for (int i = 0; i < list->iAddressCount; i++)
        if (!argument_in(&list->Address[i], sizeof(list->Address[i])) ||
            !argument_in(list->Address[i].lpSockaddr,
                         sizeof(list->Address[i].lpSockaddr->sa_family)))
            return false;
    return true;
}

/* The list's addresses are those of one host, as getaddrinfo gives them. */
WINBOOL WINAPI WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST list, LPDWORD local_size,
                                LPSOCKADDR local, LPDWORD remote_size, LPSOCKADDR remote,
                                const PTIMEVAL timeout, LPWSAOVERLAPPED reserved)
{
    struct attempt attempt;
    struct rs_addr address;
    DWORD error;

    error = begin(&attempt, s, timeout);
    /* "the WSAConnectByList function requires an unbound socket" */
    if (!error && (attempt.was_bound || !list || reserved))
        error = WSAEINVAL;
    if (!error && (!list_is_there(list) || !ends_are_there(local_size, local, remote_size, remote)))
        error = WSAEFAULT;
    if (!error && list->iAddressCount < 1)
        error = WSAEINVAL;
    if (error)
        return finish(error);
    error = WSAEHOSTUNREACH; /* of an empty walk */
    for (int i = 0; i < list->iAddressCount && error && more_time(&attempt); i++) {
        const SOCKET_ADDRESS *entry = &list->Address[i];
        int family = entry->lpSockaddr ? entry->lpSockaddr->sa_family : 0;

        if (family != AF_INET && family != AF_INET6) {
            error = WSAEAFNOSUPPORT;
            continue;
        }
        error = sockaddr_to_wire(&address, entry->lpSockaddr, entry->iSockaddrLength, family);
        if (!error)
            error = try_wire(&attempt, address);
    }
    if (error && !more_time(&attempt))
        error = WSAETIMEDOUT;
    if (!error)
        error = report(s, false, local_size, local, remote_size, remote);
    return finish(error);
}
