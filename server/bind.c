/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binding, with Windows' idea of when an address is in use.
 *
 * Owns: server.bound.  Loop thread only, no locks.
 *
 * The rules are the table for Windows Server 2003 and later, one user, of Microsoft's "Using
 * SO_REUSEADDR and SO_EXCLUSIVEADDRUSE".  They ask what the earlier socket had set, and Windows
 * lets a program bind to a port whose old connections linger in TIME_WAIT; Linux knows neither.  So
 * each stream has Linux's SO_REUSEADDR, and what may share an address is decided here, among the
 * sockets that this server has bound.  Only those that may then get what makes Linux agree
 * (let_share): to the rest of the host the port is as taken as any other's.
 */
#include <errno.h>
#include <string.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "error.h"
#include "log.h"
#include "server.h"
#include "socket.h"

/* ---- who may bind beside whom ---- */

/* How much an address takes. Of two that overlap the wider one is the table's wildcard: 0.0.0.0
 * beside 127.0.0.1, and :: of a dual-mode socket beside 0.0.0.0. */
enum width { ONE_ADDRESS, ONE_FAMILY, BOTH_FAMILIES };

struct claim {
    union address address; /* an IPv4 one never mapped */
    enum width width;
    enum { DEFAULT, REUSE, EXCLUSIVE } option;
};

#define OK     0
#define INUSE  WSAEADDRINUSE
#define ACCESS WSAEACCES

/* [option of the first][it is the wildcard][option of the second][it is the wildcard] */
static const uint16_t verdicts[3][2][3][2] = {
    [DEFAULT] = {{{INUSE, OK}, {ACCESS, OK}, {INUSE, INUSE}},
                 {{OK, INUSE}, {OK, ACCESS}, {OK, INUSE}}},
    [REUSE] = {{{INUSE, OK}, {OK, OK}, {INUSE, INUSE}}, {{OK, INUSE}, {OK, OK}, {OK, INUSE}}},
    [EXCLUSIVE] = {{{INUSE, OK}, {ACCESS, OK}, {INUSE, INUSE}},
                   {{ACCESS, INUSE}, {ACCESS, ACCESS}, {ACCESS, INUSE}}},
};

static bool is_dual(const struct socket *socket)
{
    int only = 1;
    socklen_t size = sizeof(only);

    return socket->family == RS_AF_INET6 &&
           !getsockopt(socket->watch.fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) && !only;
}

static struct claim claim_of(const struct socket *socket, const union address *address)
{
    struct claim claim = {.address = *address};

    address_unmap(&claim.address);
    if (address_is_any(&claim.address))
        claim.width =
            claim.address.any.sa_family == AF_INET6 && is_dual(socket) ? BOTH_FAMILIES : ONE_FAMILY;
    claim.option = socket->exclusive ? EXCLUSIVE : socket->reuse ? REUSE : DEFAULT;
    return claim;
}

static bool overlap(const struct claim *a, const struct claim *b)
{
    if (address_port(&a->address) != address_port(&b->address))
        return false;
    if (a->width == BOTH_FAMILIES || b->width == BOTH_FAMILIES)
        return true;
    if (a->address.any.sa_family != b->address.any.sa_family)
        return false;
    return a->width || b->width || address_equal(&a->address, &b->address);
}

static uint32_t verdict(const struct claim *first, const struct claim *second)
{
    bool both = first->width == second->width && first->width;
    bool first_wild = both || first->width > second->width;
    bool second_wild = both || second->width > first->width;

    return verdicts[first->option][first_wild][second->option][second_wild];
}

/* For Linux two sockets of a port may listen, or receive datagrams, if both have this; it then
 * prefers the more specific address, as Windows does. */
static void let_share(struct socket *socket, bool deal_out)
{
    int option = socket->type == RS_STREAM || deal_out ? SO_REUSEPORT : SO_REUSEADDR, yes = 1;

    if (setsockopt(socket->watch.fd, SOL_SOCKET, option, &yes, sizeof(yes)))
        log_warn("a port cannot be shared: %s", strerror(errno));
    __atomic_store_n(&socket->shares_port, true, __ATOMIC_RELAXED);
}

/* SIO_CPU_AFFINITY: "receive indications will be distributed across the sockets ... all packets
 * belonging to a given flow will be indicated to the same socket."  With SO_REUSEPORT Linux chooses
 * by a hash of both addresses.  SO_INCOMING_CPU would choose by the processor that the kernel
 * happens to handle a datagram on, over the loopback the sender's: one flow would come now here,
 * now there. */
static bool are_dealt_out(const struct socket *a, const struct socket *b)
{
    return a->affinity && b->affinity && a->affinity != b->affinity && !a->exclusive &&
           !b->exclusive;
}

/* "The IOCTL is incompatible with SO_REUSEADDR and SO_REUSE_MULTICASTPORT."; option.c has the other
 * order. */
uint32_t bind_set_affinity(struct socket *socket, uint32_t processor)
{
    if (socket->type != RS_DGRAM || socket->reuse || socket->multicast_port ||
        processor == UINT32_MAX)
        return WSAEINVAL;
    socket->affinity = processor + 1;
    return 0;
}

static uint32_t ask_those_of(const struct server *server, struct socket *socket,
                             const union address *wanted, bool share)
{
    struct claim second = claim_of(socket, wanted);

    for (const struct link *link = server->bound.next; link != &server->bound; link = link->next) {
        struct socket *other = container_of(link, struct socket, bound_link);
        struct claim first;
        uint32_t error;
        bool deal_out;

        if (other->type != socket->type || address_port(&other->bound_to) != address_port(wanted))
            continue;
        first = claim_of(other, &other->bound_to);
        if (!overlap(&first, &second))
            continue;
        deal_out = are_dealt_out(other, socket);
        if (!deal_out && !(other->multicast_port && socket->multicast_port) &&
            (error = verdict(&first, &second)))
            return error;
        if (share) {
            let_share(other, deal_out);
            let_share(socket, deal_out);
        }
    }
    return 0;
}

/* Whether the others allow it; with `share` they, and this one, are told that they share. */
static uint32_t ask_others(struct socket *socket, const union address *wanted, bool share)
{
    struct server *server = NULL;
    uint32_t error = 0;

    while (!error && (server = names_next(server)))
        error = ask_those_of(server, socket, wanted, share);
    return error;
}

/* ---- binding ---- */

static uint32_t bind_to(struct socket *socket, const union address *address, socklen_t size)
{
    uint32_t refused;

    if (address_port(address) && socket->type != RS_RAW) {
        if ((refused = ask_others(socket, address, false)))
            return refused;
        ask_others(socket, address, true);
    }
    if (bind(socket->watch.fd, &address->any, size))
        return error_from_errno(errno);
    socket->bound = true;
    size = sizeof(socket->bound_to);
    if (getsockname(socket->watch.fd, &socket->bound_to.any, &size))
        return error_from_errno(errno);
    list_append(&socket->session->server->bound, &socket->bound_link);
    return socket->type == RS_STREAM ? 0 : error_from_errno(-socket_watch(socket));
}

static uint32_t bind_wire(struct socket *socket, const struct rs_addr *wire)
{
    union address address;
    socklen_t size = address_to_host(wire, &address);
    uint32_t refused;

    if (socket->family == RS_AF_UNIX)
        return unix_bind(socket);
    if (!size || wire->family != socket->family)
        return wire->family == RS_AF_UNSPEC ? WSAEFAULT : WSAEAFNOSUPPORT;
    if ((refused = scope_of_own(&address)))
        return refused;
    if ((refused = ports_take(socket, &address)))
        return refused;
    if ((refused = bind_to(socket, &address, size)))
        ports_give(socket, &address);
    return refused;
}

uint32_t socket_bind(struct socket *socket, const struct rs_addr *wire)
{
    uint32_t refused;

    if (socket->bound || socket->state != SOCKET_OPEN)
        return WSAEINVAL;
    names_lock();
    refused = bind_wire(socket, wire);
    names_unlock();
    return refused;
}

/* connect's page: "If the socket, s, is unbound, unique values are assigned to the local
 * association by the system, and the socket is marked as bound", whether somebody answers or not;
 * Linux has taken its port back by now. */
static void bind_anywhere(struct socket *socket)
{
    union address any;
    struct rs_addr wire = {.family = socket->family};
    uint32_t error = bind_to(socket, &any, address_to_host(&wire, &any));

    if (error)
        log_debug("a socket that could not connect stays unbound: error %u", error);
}

static void bind_as_before(struct socket *socket)
{
    socklen_t size =
        socket->family == RS_AF_INET ? sizeof(socket->bound_to.v4) : sizeof(socket->bound_to.v6);

    if (socket->shares_port)
        let_share(socket, false);
    /* EINVAL: it is bound still. */
    if (bind(socket->watch.fd, &socket->bound_to.any, size) && errno != EINVAL)
        log_warn("a socket has lost its port: %s", strerror(errno));
}

void bind_again(struct socket *socket)
{
    names_lock();
    if (socket->bound)
        bind_as_before(socket);
    else
        bind_anywhere(socket);
    names_unlock();
}

void bind_release(struct socket *socket)
{
    if (!list_empty(&socket->bound_link))
        ports_give(socket, &socket->bound_to);
    list_remove(&socket->bound_link);
}

/* Of several listeners with the same address Windows' first one gets the connections; Linux would
 * deal them out.  "Return 0" chooses the first of them. */
void bind_first_listens(struct socket *socket)
{
    struct sock_filter first = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &first};

    if (socket_shares_port(socket) &&
        setsockopt(socket->watch.fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                   sizeof(program)))
        log_debug("listeners of one address take turns: %s", strerror(errno));
}
