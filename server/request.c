/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that ask for something and are answered.
 *
 * Owns: nothing; each function reads a checked request and replies once (RESOLVE and REVERSE:
 * later).  Loop thread only, no locks.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "comp.h"
#include "error.h"
#include "interfaces.h"
#include "log.h"
#include "server.h"
#include "socket.h"
#include "submission.h"

static void answer(struct request *request, uint32_t error)
{
    comp_reply(request->session, &request->call, error);
}

void request_slot(struct request *request)
{
    uint32_t slot = request->call.arg0;
    int error = slot < RS_MAX_SLOTS ? wake_make_slot(request->session, slot) : -EINVAL;

    answer(request, error_from_errno(-error));
}

static uint32_t check_kind(const struct rs_call *call)
{
    if (call->arg0 == RS_AF_UNIX)
        return call->arg1 == RS_STREAM ? 0 : WSAESOCKTNOSUPPORT;
    if (call->arg0 != RS_AF_INET && call->arg0 != RS_AF_INET6)
        return WSAEAFNOSUPPORT;
    if (call->arg1 == RS_RAW)
        return call->arg2 <= IPPROTO_RAW ? 0 : WSAEPROTONOSUPPORT;
    if (call->arg1 != RS_STREAM && call->arg1 != RS_DGRAM)
        return WSAESOCKTNOSUPPORT;
    if (call->arg2 == 0 || call->arg2 == (call->arg1 == RS_STREAM ? IPPROTO_TCP : IPPROTO_UDP))
        return 0;
    return call->arg2 == IPPROTO_TCP || call->arg2 == IPPROTO_UDP ? WSAEPROTOTYPE
                                                                  : WSAEPROTONOSUPPORT;
}

int socket_open(uint32_t family, uint32_t type, uint32_t protocol)
{
    int kind = type == RS_STREAM ? SOCK_STREAM : SOCK_DGRAM, on = 1;
    int fd = type == RS_RAW
                 ? raw_open(address_family(family), (int)protocol)
                 : socket(address_family(family), kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    /* Windows' defaults: no mapped addresses, ports of connections in TIME_WAIT are free (bind.c).
     */
    if (family == RS_AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (type == RS_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    else
        datagram_prepare(fd, family == RS_AF_INET6);
    return fd;
}

void request_socket(struct request *request)
{
    const struct rs_call *call = &request->call;
    uint32_t error = check_kind(call);
    struct socket *socket;
    int fd, host_error;

    if (error) {
        answer(request, error);
        return;
    }
    fd = socket_open(call->arg0, call->arg1, call->arg2);
    if (fd < 0) {
        if (fd != -EPERM)
            socket_limit_met(request->session, -fd);
        answer(request, error_from_errno(-fd));
        return;
    }
    socket =
        socket_create(request->session, (uint8_t)call->arg0, (uint8_t)call->arg1, fd, &host_error);
    if (socket) {
        if (call->arg3 && call->arg1 == RS_DGRAM)
            control_enable(socket, call->arg3);
        if (call->arg1 == RS_RAW)
            ping_adopt(socket);
        if (request->header.flags & RS_SOCKET_STOCK)
            stock_asked(request->session, socket->family, socket->type);
        comp_reply_values(request->session, call, socket->index, anchor_number(socket));
    } else {
        close(fd);
        socket_limit_met(request->session, -host_error);
        answer(request, error_from_errno(-host_error));
    }
}

static void get_sent_time(struct request *request)
{
    uint64_t time;

    if (sent_times_take(request->socket, request->call.arg1, &time))
        comp_reply_data(request->session, &request->call, 0, &time, sizeof(time));
    else
        answer(request, WSAEWOULDBLOCK);
}

void request_getopt(struct request *request)
{
    uint8_t value[sizeof(struct rs_tcp_info)]; /* the largest */
    uint32_t length = 0;
    uint32_t error;

    if (request->call.arg0 == RS_OPT_SOURCE_FILTER) {
        source_filter_get(request);
        return;
    }
    if (request->call.arg0 == RS_OPT_SENT_TIME) {
        get_sent_time(request);
        return;
    }
    error = option_get(request->socket, request->call.arg0, value, &length);
    if (error)
        answer(request, error);
    else
        comp_reply_data(request->session, &request->call, 0, value, length);
}

void request_setopt(struct request *request)
{
    uint8_t value[sizeof(struct rs_source_group)]; /* the largest */
    uint32_t length = request->length < sizeof(value) ? request->length : (uint32_t)sizeof(value);

    if (request->call.arg0 == RS_OPT_SOURCE_FILTER) {
        source_filter_set(request);
        return;
    }
    memcpy(value, request->payload, length);
    answer(request, option_set(request->socket, request->call.arg0, value, length));
}

void request_getname(struct request *request)
{
    struct socket *socket = request->socket;
    struct rs_addr wire;
    bool found = request->call.arg0 ? address_of_peer(socket->watch.fd, &wire)
                                    : address_of_socket(socket->watch.fd, &wire);

    /* The kernel forgets the peer of a connection that was reset; Windows does not. */
    if (!found && request->call.arg0 && socket->type == RS_STREAM &&
        (socket->state == SOCKET_CONNECTED || socket->state == SOCKET_FAILED)) {
        address_to_wire(&socket->peer, &wire);
        found = true;
    }
    if (found)
        comp_reply_data(request->session, &request->call, 0, &wire, sizeof(wire));
    else
        answer(request, request->call.arg0 ? WSAENOTCONN : WSAEINVAL);
}

void request_resolve(struct request *request)
{
    struct rs_resolve what;
    char node[1026] = {0};

    memcpy(&what, request->payload, sizeof(what));
    if (what.node_len > request->length - sizeof(what) || what.node_len >= sizeof(node) ||
        address_family(what.family) < 0) {
        answer(request, what.node_len >= sizeof(node) ? WSAHOST_NOT_FOUND : WSAEINVAL);
        return;
    }
    memcpy(node, request->payload + sizeof(what), what.node_len);
    resolver_resolve(request->session, &request->call, &what, node);
}

void request_reverse(struct request *request)
{
    resolver_reverse(request->session, &request->call, &request->address);
}

void request_hostname(struct request *request)
{
    char name[256] = {0};

    if (gethostname(name, sizeof(name) - 1))
        answer(request, error_from_errno(errno));
    else
        comp_reply_data(request->session, &request->call, 0, name, (uint32_t)strlen(name));
}

void request_interfaces(struct request *request)
{
    uint32_t count;
    struct rs_interface *list = interfaces_list(&count);

    if (!list) {
        answer(request, error_from_errno(errno));
        return;
    }
    comp_reply_data(request->session, &request->call, count, list, count * (uint32_t)sizeof(*list));
    free(list);
}
