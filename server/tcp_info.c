/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel knows of a connection: Linux's TCP_INFO.
 *
 * Owns nothing.  Loop thread only, no locks.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/tcp.h>

#include "error.h"
#include "socket.h"

/* An older kernel tells less, and what it does not tell stays 0. */
uint32_t tcp_info_get(const struct socket *socket, struct rs_tcp_info *info)
{
    struct tcp_info kernel = {0};
    socklen_t size = sizeof(kernel);

    if (socket->type != RS_STREAM || socket->family == RS_AF_UNIX)
        return WSAEINVAL;
    if (getsockopt(socket->watch.fd, IPPROTO_TCP, TCP_INFO, &kernel, &size))
        return error_from_errno(errno);
    info->state = kernel.tcpi_state;
    info->timestamps = (kernel.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0;
    info->segment_size = kernel.tcpi_snd_mss;
    info->segments_out = kernel.tcpi_unacked;
    info->rtt = kernel.tcpi_rtt;
    info->rtt_min = kernel.tcpi_min_rtt;
    info->congestion_window = kernel.tcpi_snd_cwnd;
    info->send_window = kernel.tcpi_snd_wnd;
    info->receive_window = kernel.tcpi_rcv_space;
    info->retransmitted = (uint32_t)kernel.tcpi_bytes_retrans;
    info->bytes_out = kernel.tcpi_bytes_sent + socket->shortcut.out;
    info->bytes_in = kernel.tcpi_bytes_received + socket->shortcut.in;
    info->busy = kernel.tcpi_busy_time;
    info->receiver_limited = kernel.tcpi_rwnd_limited;
    info->sender_limited = kernel.tcpi_sndbuf_limited;
    return 0;
}
