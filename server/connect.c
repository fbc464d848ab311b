/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connecting.
 *
 * Owns: the state CONNECTING and its timer, RS_COMP_CONNECTED.  Loop thread only, no locks.
 *
 * After a failed connect Linux leaves the socket unconnected with its options, so it can be used
 * again as on Windows, but it gives back a port that the kernel had chosen (SOCK_BINDPORT_LOCK is
 * set for asked-for ports only): such a port is bound again.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "comp.h"
#include "error.h"
#include "flow.h"
#include "server.h"
#include "socket.h"

/* Windows gives up after three SYNs, 3 + 6 + 12 seconds; Linux would go on for two minutes. */
#define CONNECT_TIMEOUT 21u

static void connect_timeout(struct timer *timer);

static void connect_done(struct socket *socket, uint32_t error)
{
    struct rs_connected body = {.error = error};

    if (socket->timer.fire == connect_timeout)
        timer_disarm(&socket->timer);
    if (!error || socket->bound)
        address_of_socket(socket->watch.fd, &body.local);
    if (!error) {
        body.taken = socket->syn_bytes;
        socket->shortcut.kernel_out += socket->syn_bytes;
        address_to_wire(&socket->peer, &body.peer);
        shortcut_offer(socket, &body.local);
    }
    comp_post(socket->session, RS_COMP_CONNECTED, socket->index, &body, sizeof(body));
}

static void stream_connected(struct socket *socket, uint32_t error)
{
    icmp_error_end(socket);
    socket->state = error ? SOCKET_OPEN : SOCKET_CONNECTED;
    if (error && socket->family != RS_AF_UNIX)
        bind_again(socket);
    connect_done(socket, error);
}

static void stop_attempt(const struct socket *socket)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    connect(socket->watch.fd, &nobody, sizeof(nobody));
}

static void connect_timeout(struct timer *timer)
{
    struct socket *socket = container_of(timer, struct socket, timer);

    stop_attempt(socket);
    stream_connected(socket, WSAETIMEDOUT);
}

static socklen_t peer_size(const struct socket *socket)
{
    return socket->peer.any.sa_family == AF_INET ? sizeof(socket->peer.v4)
                                                 : sizeof(socket->peer.v6);
}

/* A SYN with data, where the host has met that peer before and has its cookie (RFC 7413); else one
 * that asks for a cookie, and nothing is sent yet.  Either way a peer that knows nothing of it is
 * the kernel's care.  An errno; EOPNOTSUPP: net.ipv4.tcp_fastopen says no. */
static int connect_with(struct socket *socket, const uint8_t *data, uint32_t length)
{
    ssize_t count = sendto(socket->watch.fd, data, length, MSG_FASTOPEN | MSG_NOSIGNAL,
                           &socket->peer.any, peer_size(socket));

    if (count < 0)
        return errno;
    socket->syn_bytes = (uint32_t)count;
    return EINPROGRESS;
}

/* Asking again tells the state of the attempt, and completes it; EALREADY: still under way.  "a
 * connect API call will return upon reception of an ICMP error with value WSAEHOSTUNREACH"
 * (TCP_FAIL_CONNECT_ON_ICMP_ERROR), whichever it was. */
static int connect_step(struct socket *socket)
{
    int error = connect(socket->watch.fd, &socket->peer.any, peer_size(socket)) ? errno : 0;

    if (!error || error == EISCONN || !icmp_error_take(socket))
        return error;
    stop_attempt(socket);
    return EHOSTUNREACH;
}

/* What a router's word means: "an ICMP error" is WSAEHOSTUNREACH where Windows tells of it
 * (TCP_FAIL_CONNECT_ON_ICMP_ERROR), and never WSAEACCES, as a forbidden way is over IPv6. */
static uint32_t connect_error(int error)
{
    return error == EACCES ? WSAEHOSTUNREACH : error_from_errno(error);
}

void connect_ready(struct socket *socket)
{
    int error = connect_step(socket);

    if (error == EISCONN)
        error = 0;
    if (error != EALREADY && error != EINPROGRESS)
        stream_connected(socket, connect_error(error));
}

/* TCP_MAXRT "represents the desired connection timeout in seconds" (Microsoft's page on the options
 * of IPPROTO_TCP), all ones for none. */
static uint64_t connect_patience(const struct socket *socket)
{
    if (socket->max_retransmit == UINT32_MAX)
        return UINT32_MAX * CLOCK_PER_SECOND;
    if (socket->max_retransmit)
        return socket->max_retransmit * (uint64_t)RS_CLOCK_PER_MS;
    return socket->connect_time ? socket->connect_time * (uint64_t)RS_CLOCK_PER_MS
                                : CONNECT_TIMEOUT * CLOCK_PER_SECOND;
}

static int connect_first(struct socket *socket, const uint8_t *data, uint32_t length)
{
    int error = length ? connect_with(socket, data, length) : EOPNOTSUPP;

    if (error == EFAULT)
        session_corrupt(socket->session, "its segment is gone");
    if (error == EOPNOTSUPP)
        error = connect_step(socket);
    /* Over the loopback the connection is there by now, only connect() did not know yet. */
    if (error == EINPROGRESS)
        error = connect_step(socket);
    return error == EISCONN ? 0 : error;
}

static void connect_stream(struct socket *socket, const uint8_t *data, uint32_t length)
{
    struct loop *loop = &socket->session->server->loop;
    int error;

    if (address_is_any(&socket->peer) || !address_port(&socket->peer)) {
        connect_done(socket, WSAEADDRNOTAVAIL);
        return;
    }
    icmp_error_begin(socket);
    error = connect_first(socket, data, length);
    if (!error || error == EALREADY || error == EINPROGRESS) {
        int watch_error;

        if (!error)
            listener_expect(socket->session->server, &socket->peer);
        socket->wants_out = socket->wants_out || error;
        watch_error = socket->watch.watching ? socket_rewatch(socket) : socket_watch(socket);

        if (watch_error)
            error = -watch_error;
    }
    if (error != EALREADY && error != EINPROGRESS) {
        stream_connected(socket, error_from_errno(error));
        return;
    }
    socket->state = SOCKET_CONNECTING;
    socket->timer.fire = connect_timeout;
    timer_arm(&loop->timers, &socket->timer, loop->now + connect_patience(socket));
}

/* Done at once: the kernel has it in the listener's queue, or says no.  A full queue is a refusal,
 * as it would be of TCP's; so is a path without a socket, where nobody knows what Windows says. */
static void connect_unix(struct socket *socket)
{
    int error = unix_connect(socket);

    if (error == EAGAIN || error == ENOENT || error == ENOTDIR || error == EPROTOTYPE)
        error = ECONNREFUSED;
    if (!error) {
        socket->peer.any.sa_family = AF_UNIX;
        error = socket->watch.watching ? -socket_rewatch(socket) : -socket_watch(socket);
    }
    stream_connected(socket, error_from_errno(error));
}

/* Windows connects to a broadcast address, and then sends there, without SO_BROADCAST (Wine's
 * test_broadcast, run on Windows); Linux asks for the option where it looks for the way. */
static int connect_to_all(struct socket *socket, socklen_t size)
{
    int yes = 1, no = 0, error;

    if (!connect(socket->watch.fd, &socket->peer.any, size))
        return 0;
    if ((error = errno) != EACCES ||
        setsockopt(socket->watch.fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)))
        return error;
    error = connect(socket->watch.fd, &socket->peer.any, size) ? errno : 0;
    setsockopt(socket->watch.fd, SOL_SOCKET, SO_BROADCAST, &no, sizeof(no));
    return error;
}

static void connect_datagram(struct socket *socket, socklen_t size)
{
    int error;

    flow_forget(socket);
    if (socket->peer.any.sa_family != AF_UNSPEC && address_is_any(&socket->peer)) {
        connect_done(socket, WSAEADDRNOTAVAIL);
        return;
    }
    if (!(error = connect_to_all(socket, size)))
        error = -socket_watch(socket);
    if (!error)
        socket->state = socket->peer.any.sa_family == AF_UNSPEC ? SOCKET_OPEN : SOCKET_CONNECTED;
    connect_done(socket, error_from_errno(error));
}

void socket_connect(struct socket *socket, const struct rs_addr *wire, const uint8_t *data,
                    uint32_t length)
{
    socklen_t size;

    if (socket->type == RS_STREAM && socket->state != SOCKET_OPEN) {
        struct rs_connected body = {.error = WSAEISCONN};

        if (socket->state == SOCKET_CONNECTING)
            body.error = WSAEALREADY;
        else if (socket->state == SOCKET_LISTENING)
            body.error = WSAEINVAL;
        comp_post(socket->session, RS_COMP_CONNECTED, socket->index, &body, sizeof(body));
        return;
    }
    socket->syn_bytes = 0;
    if (socket->family == RS_AF_UNIX) {
        connect_unix(socket);
        return;
    }
    size = address_to_host(wire, &socket->peer);
    scope_of_peer(&socket->peer, &socket->bound_to);
    if (!size || (wire->family == RS_AF_UNSPEC && socket->type == RS_STREAM) ||
        (wire->family != RS_AF_UNSPEC && wire->family != socket->family))
        connect_done(socket, WSAEAFNOSUPPORT);
    else if (socket->type == RS_STREAM)
        connect_stream(socket, data, length);
    else
        connect_datagram(socket, size);
}
