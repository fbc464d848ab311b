/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_TIMESTAMPING and SIO_GET_TX_TIMESTAMP: when datagrams came and went.
 *
 * Takes the socket's lock; asks the server with no lock held.  Source: Microsoft's "Winsock
 * timestamping" and the pages of the two controls, which are "Valid only for datagram sockets".  On
 * Windows an adapter's driver takes the times, here Linux when a datagram arrives (for what goes
 * over the loopback when it is sent), and the server when it hands one to Linux.
 */
#include "control_data.h"
#include "ioctl.h"
#include "option.h"

#define FLAG_RX 1u
#define FLAG_TX 2u

/* TIMESTAMPING_CONFIG of mstcpip.h, which mingw-w64 has for newer Windows only. */
struct timestamping_config {
    ULONG flags;
    USHORT buffered;
};
_Static_assert(sizeof(struct timestamping_config) == 8, "as Microsoft's compiler has it");

static DWORD keep_sent_times(struct socket *socket, bool on, uint32_t limit)
{
    DWORD error = 0;

    if (on || socket->send_times)
        error = option_server_set(socket, RS_OPT_SENT_TIMES, &limit, sizeof(limit));
    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->send_times = on;
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

DWORD ioctl_timestamping(struct ioctl_call *call)
{
    struct timestamping_config config;
    DWORD error;
    bool sent;

    if (call->socket->type != SOCK_DGRAM)
        return WSAEOPNOTSUPP;
    if ((error = ioctl_take(call, &config, sizeof(config))))
        return error;
    if (config.flags & ~(FLAG_RX | FLAG_TX))
        return WSAEINVAL;
    if ((error = control_want_times(call->socket, config.flags & FLAG_RX)))
        return error;
    sent = config.flags & FLAG_TX;
    return keep_sent_times(call->socket, sent, sent ? config.buffered : 0);
}

/* Before SIO_TIMESTAMPING: as seen on Windows 11 (the tests of "snare", winsock timestamping). */
DWORD ioctl_sent_time(struct ioctl_call *call)
{
    uint64_t time;
    uint32_t stamp;
    DWORD error;

    if (call->socket->type != SOCK_DGRAM || !call->socket->send_times)
        return WSAEOPNOTSUPP;
    if ((error = ioctl_take(call, &stamp, sizeof(stamp))))
        return error;
    if (call->out_size < sizeof(time))
        return WSAEFAULT; /* before it is taken out */
    if ((error = option_server_find(call->socket, RS_OPT_SENT_TIME, stamp, &time, sizeof(time))))
        return error;
    return ioctl_return(call, &time, sizeof(time));
}
