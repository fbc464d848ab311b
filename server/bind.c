/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binding, with Windows' idea of when a stream's address is in use.
 *
 * Owns: server.bound.  Loop thread only, no locks.
 *
 * Windows lets a program bind to a port whose old connections linger in TIME_WAIT; Linux does with
 * SO_REUSEADDR only, which the server therefore sets on every stream socket.  But then Linux also
 * lets two sockets bind to the same port as long as neither listens, which Windows refuses
 * ("Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE"): so the server compares with what it has bound
 * itself.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "log.h"
#include "server.h"
#include "socket.h"

static bool bind_conflicts(const struct socket *socket, const union address *wanted)
{
    const struct link *bound = &socket->session->server->bound;

    for (const struct link *link = bound->next; link != bound; link = link->next) {
        const struct socket *other = container_of(link, struct socket, bound_link);

        if (address_equal(&other->bound_to, wanted) && !(other->reuse && socket->reuse))
            return true;
    }
    return false;
}

uint32_t socket_bind(struct socket *socket, const struct rs_addr *wire)
{
    union address address;
    socklen_t size = address_to_host(wire, &address);
    bool stream = socket->type == RS_STREAM;
    int error;

    if (socket->bound || socket->state != SOCKET_OPEN)
        return WSAEINVAL;
    if (!size || wire->family != socket->family)
        return wire->family == RS_AF_UNSPEC ? WSAEFAULT : WSAEAFNOSUPPORT;
    if (stream && address_port(&address) && bind_conflicts(socket, &address))
        return WSAEADDRINUSE;
    if (bind(socket->watch.fd, &address.any, size))
        return error_from_errno(errno);
    socket->bound = true;
    size = sizeof(socket->bound_to);
    if (getsockname(socket->watch.fd, &socket->bound_to.any, &size))
        return error_from_errno(errno);
    if (stream)
        list_append(&socket->session->server->bound, &socket->bound_link);
    error = stream ? 0 : socket_watch(socket);
    return error_from_errno(-error);
}

void bind_again(struct socket *socket)
{
    socklen_t size =
        socket->family == RS_AF_INET ? sizeof(socket->bound_to.v4) : sizeof(socket->bound_to.v6);

    /* EINVAL: it is bound still. */
    if (bind(socket->watch.fd, &socket->bound_to.any, size) && errno != EINVAL)
        log_warn("a socket has lost its port: %s", strerror(errno));
}

void bind_release(struct socket *socket)
{
    list_remove(&socket->bound_link);
}
