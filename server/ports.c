/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Port reservations: blocks of ports that nobody gets but the sockets that are associated with
 * them.
 *
 * Owns: server.reservations and a socket for each port, bound and never used, that keeps it from
 * others.  Loop thread only, no locks.
 *
 * A port goes back to its block when the socket that had it is closed.  While a connection of it is
 * in TIME_WAIT Linux does not let it be kept so; then only other sockets of this server are
 * refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/filter.h>

#include "comp.h"
#include "error.h"
#include "server.h"
#include "socket.h"
#include "submission.h"

#define BLOCKS_TRIED 64 /* for one anywhere */

struct reservation {
    struct link link; /* server.reservations */
    uint64_t token;
    const struct session *session;
    const struct socket *owner;
    uint8_t type;
    uint16_t first;
    uint32_t count;
    int keepers[RS_PORTS_MAX]; /* -1: none */
    bool used[RS_PORTS_MAX];
};

/* A socket on all addresses of both families, if the host has both; -1 with errno. */
static int keeper_open(uint8_t type, uint16_t port)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    union address any = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    socklen_t size = sizeof(any.v6);
    int kind = (type == RS_STREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, off = 0;
    int fd = socket(AF_INET6, kind, 0);

    if (fd >= 0) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    } else {
        any.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        size = sizeof(any.v4);
        fd = socket(AF_INET, kind, 0);
    }
    if (fd < 0)
        return -1;
    if (type != RS_STREAM) /* what is sent there is nobody's */
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
    if (!bind(fd, &any.any, size))
        return fd;
    close(fd);
    return -1;
}

static void drop_keepers(struct reservation *reservation)
{
    for (uint32_t i = 0; i < reservation->count; i++) {
        if (reservation->keepers[i] >= 0)
            close(reservation->keepers[i]);
        reservation->keepers[i] = -1;
    }
}

static bool keep_all(struct reservation *reservation)
{
    int error;

    for (uint32_t i = 0; i < reservation->count; i++)
        reservation->keepers[i] = -1;
    for (uint32_t i = 0; i < reservation->count; i++) {
        reservation->keepers[i] =
            keeper_open(reservation->type, (uint16_t)(reservation->first + i));
        if (reservation->keepers[i] >= 0)
            continue;
        error = errno;
        drop_keepers(reservation);
        errno = error;
        return false;
    }
    return true;
}

/* Beginning where the host would give out a port. */
static bool keep_anywhere(struct reservation *reservation)
{
    for (int i = 0; i < BLOCKS_TRIED; i++) {
        union address address;
        socklen_t size = sizeof(address);
        int fd = keeper_open(reservation->type, 0);

        if (fd < 0)
            return false;
        reservation->first =
            getsockname(fd, &address.any, &size) ? 0 : ntohs(address_port(&address));
        close(fd);
        if (reservation->first && reservation->first + reservation->count <= 65536 &&
            keep_all(reservation))
            return true;
    }
    return false;
}

static struct reservation *find(const struct session *session, uint64_t token)
{
    const struct link *all = &session->server->reservations;

    for (struct link *link = all->next; link != all; link = link->next) {
        struct reservation *reservation = container_of(link, struct reservation, link);

        if (reservation->token == token && reservation->session == session)
            return reservation;
    }
    return NULL;
}

static void end(struct reservation *reservation)
{
    drop_keepers(reservation);
    names_lock();
    list_remove(&reservation->link);
    names_unlock();
    free(reservation);
}

static void acquire(struct request *request)
{
    struct server *server = request->session->server;
    uint32_t first = request->call.arg1, count = request->call.arg2;
    struct reservation *reservation;
    struct rs_port_token token;

    if (!count || count > RS_PORTS_MAX || first + count > 65536 || first > 65535) {
        comp_reply(request->session, &request->call,
                   count > RS_PORTS_MAX && first + count <= 65536 ? WSAENOBUFS : WSAEINVAL);
        return;
    }
    reservation = calloc(1, sizeof(*reservation));
    if (!reservation) {
        comp_reply(request->session, &request->call, WSAENOBUFS);
        return;
    }
    reservation->session = request->session;
    reservation->owner = request->socket;
    reservation->type = request->socket->type;
    reservation->first = (uint16_t)first;
    reservation->count = count;
    if (first ? !keep_all(reservation) : !keep_anywhere(reservation)) {
        comp_reply(request->session, &request->call, error_from_errno(errno));
        free(reservation);
        return;
    }
    reservation->token = token.token = ++server->last_reservation;
    names_lock();
    list_append(&server->reservations, &reservation->link);
    names_unlock();
    comp_reply_data(request->session, &request->call, reservation->first, &token, sizeof(token));
}

void ports_request(struct request *request)
{
    struct socket *socket = request->socket;
    uint64_t token = request->call.arg1 | (uint64_t)request->call.arg2 << 32;
    struct reservation *reservation = find(request->session, token);
    uint32_t error = 0;

    if (socket->type == RS_RAW || socket->family == RS_AF_UNIX) {
        error = WSAEOPNOTSUPP;
    } else if (request->call.arg0 == RS_PORTS_ACQUIRE) {
        acquire(request);
        return;
    } else if (!reservation || reservation->type != socket->type) {
        error = WSAEINVAL;
    } else if (request->call.arg0 == RS_PORTS_RELEASE) {
        end(reservation);
    } else if (request->call.arg0 == RS_PORTS_ASSOCIATE && !socket->bound) {
        socket->reservation = token;
    } else {
        error = WSAEINVAL;
    }
    comp_reply(request->session, &request->call, error);
}

static bool contains(const struct reservation *reservation, uint16_t port)
{
    return port >= reservation->first && port < (uint32_t)reservation->first + reservation->count;
}

static void set_port(union address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

/* "the port assigned to it will be selected from the port reservation" */
static uint32_t take(struct reservation *reservation, union address *address)
{
    uint16_t wanted = ntohs(address_port(address));

    for (uint32_t i = 0; i < reservation->count; i++) {
        uint16_t port = (uint16_t)(reservation->first + i);

        if (reservation->used[i] || (wanted && wanted != port))
            continue;
        if (reservation->keepers[i] >= 0)
            close(reservation->keepers[i]);
        reservation->keepers[i] = -1;
        reservation->used[i] = true;
        set_port(address, port);
        return 0;
    }
    return WSAEADDRINUSE;
}

static bool is_reserved(const struct server *server, uint8_t type, uint16_t port)
{
    const struct link *all = &server->reservations;

    for (const struct link *link = all->next; link != all; link = link->next) {
        const struct reservation *reservation = container_of(link, struct reservation, link);

        if (reservation->type == type && contains(reservation, port))
            return true;
    }
    return false;
}

uint32_t ports_take(const struct socket *socket, union address *address)
{
    uint16_t wanted = ntohs(address_port(address));
    struct reservation *reservation;
    struct server *server = NULL;

    if (socket->reservation) {
        reservation = find(socket->session, socket->reservation);
        return reservation ? take(reservation, address) : WSAEADDRINUSE;
    }
    while (wanted && (server = names_next(server))) {
        if (is_reserved(server, socket->type, wanted))
            return WSAEADDRINUSE;
    }
    return 0;
}

void ports_give(const struct socket *socket, const union address *address)
{
    uint16_t port = ntohs(address_port(address));
    struct reservation *reservation =
        socket->reservation ? find(socket->session, socket->reservation) : NULL;
    uint32_t i;

    if (!reservation || !contains(reservation, port))
        return;
    i = (uint32_t)(port - reservation->first);
    if (reservation->used[i])
        reservation->keepers[i] = keeper_open(reservation->type, port);
    reservation->used[i] = false;
}

void ports_owner_closed(const struct socket *socket)
{
    struct link *all = &socket->session->server->reservations, *next;

    for (struct link *link = all->next; link != all; link = next) {
        struct reservation *reservation = container_of(link, struct reservation, link);

        next = link->next;
        if (reservation->owner == socket)
            end(reservation);
    }
}
