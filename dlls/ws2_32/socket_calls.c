/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * socket, WSASocket, closesocket, bind, shutdown, getsockname, getpeername.  Takes the socket's
 * lock, never while it waits for the server.
 */
#include "arguments.h"
#include "control_data.h"
#include "guarded_copy.h"
#include "log.h"
#include "protocols.h"
#include "receive.h"
#include "request.h"
#include "send.h"
#include "share.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"
#include "stock.h"
#include "unix_socket.h"

/* ---- making ---- */

#define KNOWN_FLAGS                                                                       \
    (WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT | WSA_FLAG_ACCESS_SYSTEM_SECURITY | \
     WSA_FLAG_REGISTERED_IO)

/* IP multicast has no roots: "non-rooted" in control and data, so everybody is a leaf. */
static DWORD known_flags(const WSAPROTOCOL_INFOW *protocol)
{
    if (protocol->iSocketType != SOCK_DGRAM)
        return KNOWN_FLAGS;
    return KNOWN_FLAGS | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF;
}

static uint32_t wire_family(int family)
{
    return family == AF_INET6 ? RS_AF_INET6 : family == AF_UNIX ? RS_AF_UNIX : RS_AF_INET;
}

static DWORD ask_for_socket(struct session *session, const WSAPROTOCOL_INFOW *protocol, int number,
                            struct request *request)
{
    int type = protocol->iSocketType;

    request->type = RS_SUB_SOCKET;
    request->flags = RS_SOCKET_STOCK;
    request->session = session;
    request->arg[0] = wire_family(protocol->iAddressFamily);
    request->arg[1] = type == SOCK_STREAM ? RS_STREAM : type == SOCK_RAW ? RS_RAW : RS_DGRAM;
    request->arg[2] = type == SOCK_RAW ? (uint32_t)number : 0;
    request->arg[3] = type == SOCK_DGRAM ? control_at_birth() : 0;
    return request_call(request);
}

/* What a limit has to say is told after the answers to earlier closes were seen and passed on,
 * which the first try may have done, and after the server has given back what those sockets had, at
 * the end of the turn in which it heard of that: the second one's. */
static DWORD ask_again_for_socket(struct session *session, const WSAPROTOCOL_INFOW *protocol,
                                  int number, struct request *request)
{
    DWORD error = WSAEMFILE;
    int tries;

    for (tries = 0; tries < 3 && (error == WSAEMFILE || error == WSAENOBUFS); tries++) {
        error = ask_for_socket(session, protocol, number, request);
        if (error)
            stock_clear(session);
    }
    return error;
}

/* A new socket's index and anchor, in request->value and value2. */
static DWORD get_socket(struct session *session, const WSAPROTOCOL_INFOW *protocol, int number,
                        struct request *request)
{
    if (protocol->iSocketType == SOCK_STREAM && protocol->iAddressFamily != AF_UNIX &&
        stock_take(session, wire_family(protocol->iAddressFamily), &request->value,
                   &request->value2))
        return 0;
    return ask_again_for_socket(session, protocol, number, request);
}

/* number: the protocol that was asked for, which matters where an entry is for several. */
static DWORD make_socket(const WSAPROTOCOL_INFOW *protocol, int number, DWORD flags, SOCKET *handle)
{
    struct request request = {0};
    struct session *session;
    struct socket *socket;
    DWORD error;

    if ((error = session_open(&session)))
        return error;
    if ((error = get_socket(session, protocol, number, &request))) {
        if (error == WSAEMFILE || error == WSAENOBUFS)
            log_rarely(LOG_WARN,
                       "the server has no room for another socket (error %lu); its log, "
                       "ringsock-server.log or \"log\" in its directory, says why",
                       error);
        return error;
    }
    socket = socket_make(session, request.value, protocol->iAddressFamily, protocol->iSocketType,
                         protocol->iProtocol ? protocol->iProtocol : number);
    if (!socket) {
        submit_simple(session, RS_SUB_CLOSE, RS_CLOSE_ABORT, request.value);
        return WSAENOBUFS;
    }
    socket->creation_flags = flags;
    if ((error = socket_open_handle(socket, request.value2)))
        socket_discard(socket);
    else
        *handle = socket->handle;
    socket_put(socket);
    return error;
}

SOCKET WSAAPI WSASocketW(int family, int type, int protocol, LPWSAPROTOCOL_INFOW info, GROUP group,
                         DWORD flags)
{
    const WSAPROTOCOL_INFOW *found;
    SOCKET handle = INVALID_SOCKET;
    int error = 0;

    (void)group; /* "reserved" */
    if (!startup_check())
        return INVALID_SOCKET;
    if (!argument_in(info, sizeof(*info))) {
        SetLastError(WSAEFAULT);
        return INVALID_SOCKET;
    }
    if (info && info->dwProviderReserved) { /* made by WSADuplicateSocket */
        handle = info->dwProviderReserved;
        error = (int)share_take_over(handle);
        SetLastError((DWORD)error);
        return error ? INVALID_SOCKET : handle;
    }
    if (info) {
        if (family == FROM_PROTOCOL_INFO || !family)
            family = info->iAddressFamily;
        if (type == FROM_PROTOCOL_INFO || !type)
            type = info->iSocketType;
        if (protocol == FROM_PROTOCOL_INFO || !protocol)
            protocol = info->iProtocol;
    }
    if (info && (!family || family == FROM_PROTOCOL_INFO)) /* an entry of no protocol */
        error = WSAEAFNOSUPPORT;
    else if (!(found = protocol_find_error(family, type, protocol, &error)))
        ;
    else if (flags & ~known_flags(found)) {
        log_once_each(LOG_WARN, flags, "WSASocket: flags %#lx are not supported",
                      flags & ~known_flags(found));
        error = WSAEINVAL;
    } else
        error = (int)make_socket(found, protocol, flags, &handle);
    SetLastError(error); /* 0 on success, as Windows does */
    return handle;
}

SOCKET WSAAPI WSASocketA(int family, int type, int protocol, LPWSAPROTOCOL_INFOA info, GROUP group,
                         DWORD flags)
{
    WSAPROTOCOL_INFOW wide;

    if (!info)
        return WSASocketW(family, type, protocol, NULL, group, flags);
    if (!startup_check())
        return INVALID_SOCKET;
    /* the same up to the name */
    if (!argument_in(info, sizeof(*info)) ||
        guarded_copy(&wide, info, offsetof(WSAPROTOCOL_INFOW, szProtocol))) {
        SetLastError(WSAEFAULT);
        return INVALID_SOCKET;
    }
    wide.szProtocol[0] = 0;
    return WSASocketW(family, type, protocol, &wide, group, flags);
}

SOCKET WSAAPI socket(int family, int type, int protocol)
{
    return WSASocketW(family, type, protocol, NULL, 0, WSA_FLAG_OVERLAPPED);
}

int WSAAPI closesocket(SOCKET s)
{
    struct socket *socket = socket_get_any(s);
    DWORD error;

    if (!socket)
        return SOCKET_ERROR;
    error = socket_close(socket, s);
    socket_put(socket);
    return return_error(error);
}

/* ---- names ---- */

DWORD socket_bind(struct socket *socket, const struct rs_addr *address)
{
    struct rs_addr local = {0};
    struct request request = {.session = socket->session,
                              .type = RS_SUB_BIND,
                              .socket = socket->index,
                              .payload = address,
                              .payload_size = sizeof(*address),
                              .reply = &local,
                              .reply_size = sizeof(local)};
    DWORD error = request_call(&request);

    if (!error) {
        AcquireSRWLockExclusive(&socket->lock);
        socket->bound = true;
        socket->local = local;
        if (socket->type != SOCK_STREAM)
            socket_notify(socket, FD_WRITE); /* datagrams can be sent from now on */
        ReleaseSRWLockExclusive(&socket->lock);
    }
    return error;
}

static DWORD bind_unix(struct socket *socket, const struct sockaddr *name, int length)
{
    struct unix_address address;
    struct rs_addr wire;
    DWORD error;

    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->bound)
        return WSAEINVAL;
    if (!(error = unix_address_begin(socket, name, length, &address, &wire)) &&
        !(error = socket_bind(socket, &wire)))
        unix_name_set(socket, &address, false);
    return error;
}

int WSAAPI bind(SOCKET s, const struct sockaddr *name, int length)
{
    struct socket *socket = socket_get(s);
    struct rs_addr address;
    DWORD error;

    if (!socket)
        return SOCKET_ERROR;
    if (socket->family == AF_UNIX)
        error = bind_unix(socket, name, length);
    else if (!(error = sockaddr_to_wire(&address, name, length, socket->family)))
        error = socket->state == SOCKET_DEAD ? WSAENETDOWN
                : socket->bound              ? WSAEINVAL
                                             : socket_bind(socket, &address);
    socket_put(socket);
    return return_error(error);
}

/* Gives out one of the socket's two addresses, or `unknown` where it has none yet. */
static int give_name(struct socket *socket, const struct rs_addr *wire, DWORD unknown,
                     struct sockaddr *name, int *length)
{
    struct rs_addr shown;
    DWORD error;

    session_reap(socket->session);
    AcquireSRWLockShared(&socket->lock);
    shown = *wire;
    if (socket->type == SOCK_RAW)
        shown.port = 0; /* Linux has the protocol there */
    if (!shown.family)
        error = unknown;
    else if (socket->family == AF_UNIX)
        error = unix_name_store(socket, wire == &socket->peer, name, length);
    else
        error = sockaddr_store(&shown, name, length);
    ReleaseSRWLockShared(&socket->lock);
    socket_put(socket);
    return return_error(error);
}

int WSAAPI getsockname(SOCKET s, struct sockaddr *name, int *length)
{
    struct socket *socket = socket_get(s);

    /* "The socket has not been bound" */
    return socket ? give_name(socket, &socket->local, WSAEINVAL, name, length) : SOCKET_ERROR;
}

int WSAAPI getpeername(SOCKET s, struct sockaddr *name, int *length)
{
    struct socket *socket = socket_get(s);

    return socket ? give_name(socket, &socket->peer, WSAENOTCONN, name, length) : SOCKET_ERROR;
}

/* ---- shutdown ---- */

static DWORD shut_down(struct socket *socket, int how, struct operation_queue *finished)
{
    if (how != SD_RECEIVE && how != SD_SEND && how != SD_BOTH)
        return WSAEINVAL;
    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->type == SOCK_STREAM && socket->state != SOCKET_CONNECTED)
        return WSAENOTCONN;
    if (how != SD_SEND)
        socket->shut_recv = true;
    if (how != SD_RECEIVE && !socket->shut_send) {
        socket->shut_send = true;
        if (socket->type == SOCK_STREAM)
            send_shutdown(socket, finished);
    }
    return 0;
}

int WSAAPI shutdown(SOCKET s, int how)
{
    struct socket *socket = socket_get(s);
    struct operation_queue finished = {0};
    DWORD error;

    if (!socket)
        return SOCKET_ERROR;
    session_reap(socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    error = shut_down(socket, how, &finished);
    ReleaseSRWLockExclusive(&socket->lock);
    operation_deliver_list(&finished);
    socket_put(socket);
    return return_error(error);
}

/* TCP/IP has no disconnect data. */
static int disconnect(SOCKET s, const WSABUF *data, int how)
{
    DWORD error = 0;

    if (!argument_in(data, sizeof(*data)))
        error = WSAEFAULT;
    else if (data && data->len)
        error = WSAENOPROTOOPT;
    if (error)
        return socket_is_valid(s) ? return_error(error) : SOCKET_ERROR;
    return shutdown(s, how);
}

int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF data)
{
    return disconnect(s, data, SD_SEND);
}

int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF data)
{
    return disconnect(s, data, SD_RECEIVE);
}
