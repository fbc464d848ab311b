/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_TCP_INFO, TCP_ICMP_ERROR_INFO, SIO_TCP_INITIAL_RTO, SIO_TCP_SET_ACK_FREQUENCY,
 * SIO_SET_PRIORITY_HINT, SIO_TCP_SET_ICW and SIO_SET_COMPATIBILITY_MODE: what is known of a
 * connection, why there is none, how long it is tried for, how soon it acknowledges, for whom it
 * makes way, how fast it begins, and which Windows' it is to be like.  Asks the server, no lock
 * held.
 */
#include "ioctl.h"
#include "guarded_copy.h"
#include "log.h"
#include "option.h"
#include "sockaddr.h"

/* TCP_INFO_v1 of mstcpip.h, which mingw-w64 has for newer Windows only; v0 ends before the limits.
 */
struct info_v1 {
    DWORD state, mss;
    ULONG64 connection_time;
    BOOLEAN timestamps;
    ULONG rtt, rtt_min, in_flight, congestion_window, send_window, receive_window, receive_buffer;
    ULONG64 bytes_out, bytes_in;
    ULONG reordered, retransmitted, fast_retransmissions, duplicate_acks, timeouts;
    UCHAR syn_retransmissions;
    struct {
        ULONG times, milliseconds;
        ULONG64 bytes;
    } limits[3]; /* the peer's window, congestion, the program itself */
};
#define SIZE_V0 offsetof(struct info_v1, limits)
_Static_assert(SIZE_V0 == 88 && sizeof(struct info_v1) == 136, "as Microsoft's compiler has it");

/* Linux's state numbers begin with 1, and none is an RFC's; Windows' are those of its MIB, less
 * one. */
static DWORD state_of(uint32_t kernel)
{
    enum {
        CLOSED,
        LISTENING,
        SYN_SENT,
        SYN_RECEIVED,
        ESTABLISHED,
        FIN_WAIT_1,
        FIN_WAIT_2,
        CLOSE_WAIT,
        CLOSING,
        LAST_ACK,
        TIME_WAIT
    };
    static const uint8_t states[] = {CLOSED,     ESTABLISHED, SYN_SENT,  SYN_RECEIVED,
                                     FIN_WAIT_1, FIN_WAIT_2,  TIME_WAIT, CLOSED,
                                     CLOSE_WAIT, LAST_ACK,    LISTENING, CLOSING};

    return kernel < sizeof(states) ? states[kernel] : CLOSED;
}

static ULONG capped(uint64_t value)
{
    return value < UINT32_MAX ? (ULONG)value : UINT32_MAX;
}

/* What Linux does not tell is 0: bytes that came out of order, single kinds of retransmissions, and
 * of the limits how often and for how many bytes they held. */
static void translate(const struct socket *socket, const struct rs_tcp_info *from,
                      struct info_v1 *to)
{
    uint64_t limited = from->receiver_limited + from->sender_limited;

    memset(to, 0, sizeof(*to));
    to->state = state_of(from->state);
    to->mss = from->segment_size;
    to->connection_time = GetTickCount() - socket->connect_time;
    to->timestamps = from->timestamps != 0;
    to->rtt = from->rtt;
    to->rtt_min = from->rtt_min;
    to->in_flight = capped((uint64_t)from->segments_out * from->segment_size);
    to->congestion_window = capped((uint64_t)from->congestion_window * from->segment_size);
    to->send_window = from->send_window;
    to->receive_window = to->receive_buffer = from->receive_window;
    to->bytes_out = from->bytes_out;
    to->bytes_in = from->bytes_in;
    to->retransmitted = from->retransmitted;
    to->limits[0].milliseconds = capped(from->receiver_limited / 1000);
    to->limits[1].milliseconds = capped(from->busy > limited ? (from->busy - limited) / 1000 : 0);
    to->limits[2].milliseconds = capped(from->sender_limited / 1000);
}

/* Errors as SIO_TCP_INFO's page has them: the input "was NULL, or the specified size of the input
 * buffer was not correct" is WSAEMSGSIZE, everything else WSAEINVAL, with 0 bytes. */
DWORD ioctl_tcp_info(struct ioctl_call *call)
{
    struct rs_tcp_info from;
    struct info_v1 to;
    DWORD version, error, size;

    call->bytes_on_error = true;
    if (!call->in || call->in_size != sizeof(version))
        return WSAEMSGSIZE;
    if ((error = ioctl_take(call, &version, sizeof(version))))
        return error;
    size = version ? sizeof(to) : SIZE_V0;
    if (version > 1 || call->socket->type != SOCK_STREAM || call->out_size < size ||
        call->socket->state != SOCKET_CONNECTED)
        return WSAEINVAL;
    if ((error = option_server_read(call->socket, RS_OPT_TCP_INFO, &from, sizeof(from))))
        return error;
    translate(call->socket, &from, &to);
    return ioctl_return(call, &to, size);
}

#define RTT_DEFAULT   3000u /* ms */
#define COUNT_DEFAULT 2u
#define RTT_UNSET     0xffffu /* TCP_INITIAL_RTO_UNSPECIFIED_RTT and its like */
#define COUNT_UNSET   0xffu
#define COUNT_NONE    0xfeu /* TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS */
#define COUNT_MOST    20u   /* more would take weeks */

/* "the initial round trip time (RTT) used to compute the retransmission timeout" and "the number of
 * retransmissions that will be attempted before the connection attempt fails": each takes twice as
 * long as the one before, and when the last has had its time that is the end.  Linux repeats its
 * SYNs at times of its own. */
DWORD ioctl_initial_rto(struct ioctl_call *call)
{
    struct {
        USHORT rtt;
        UCHAR count;
    } given; /* TCP_INITIAL_RTO_PARAMETERS */
    uint64_t time;
    uint32_t rtt, count, told;
    DWORD error;

    if ((error = ioctl_take(call, &given, sizeof(given))))
        return error;
    if (call->socket->type != SOCK_STREAM || call->socket->state == SOCKET_CONNECTED)
        return WSAEINVAL;
    rtt = given.rtt && given.rtt != RTT_UNSET ? given.rtt : RTT_DEFAULT;
    count = given.count == COUNT_NONE                   ? 0
            : given.count && given.count != COUNT_UNSET ? given.count
                                                        : COUNT_DEFAULT;
    time = (uint64_t)rtt * ((2u << (count < COUNT_MOST ? count : COUNT_MOST)) - 1);
    told = time < INT32_MAX ? (uint32_t)time : INT32_MAX;
    return option_server_set(call->socket, RS_OPT_CONNECT_TIME, &told, sizeof(told));
}

/* ICMP_ERROR_INFO of newer headers than mingw-w64's. */
struct icmp_error_info {
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } source;
    INT protocol;
    UINT8 type, code;
};
_Static_assert(sizeof(struct icmp_error_info) == 36, "as Microsoft's compiler has it");

/* "If no ICMP error has been received since the last connect call, then WSANO_DATA is returned"
 * (WSAGetIcmpErrorInfo). */
DWORD read_icmp_error(struct socket *socket, char *buffer, int *length)
{
    struct icmp_error_info info = {0};
    struct rs_icmp_error from;
    DWORD error;

    if (*length < (int)sizeof(info))
        return WSAEFAULT;
    if ((error = option_server_read(socket, RS_OPT_ICMP_ERROR, &from, sizeof(from))))
        return error;
    if (!from.protocol)
        return WSANO_DATA;
    sockaddr_from_wire(&info.source.v6, &from.source);
    info.protocol = (INT)from.protocol;
    info.type = from.type;
    info.code = from.code;
    memcpy(buffer, &info, sizeof(info));
    *length = sizeof(info);
    return 0;
}

/* "requests how the networking stack should handle certain behaviors for which the default way of
 * handling the behavior may differ across Windows versions": whether the receive window is tuned,
 * and whether SO_RCVBUF may shrink it later.  Vista's way is what there is; the older one, without
 * tuning, would only be slower. */
DWORD ioctl_compatibility_mode(struct ioctl_call *call)
{
    struct {
        ULONG behaviour, version; /* WSA_COMPATIBILITY_MODE */
    } mode;
    ULONG last = 2; /* WsaBehaviorAutoTuning */
    DWORD error;

    if (call->socket->type != SOCK_STREAM)
        return WSAEOPNOTSUPP;
    if (call->in_size < sizeof(mode))
        return WSAEINVAL;
    if ((error = ioctl_take(call, &mode, sizeof(mode))))
        return error;
    return mode.behaviour > last ? WSAEINVAL : 0;
}

/* Microsoft has no page of it.  Programs give a DWORD: 1, that each segment is acknowledged at once
 * (CPython's TCP_QUICKACK on Windows), 2, which is Windows' default, or more, up to 255. */
DWORD ioctl_ack_frequency(struct ioctl_call *call)
{
    uint32_t frequency, at_once;
    DWORD error;

    if (call->socket->type != SOCK_STREAM || call->socket->family == AF_UNIX)
        return WSAEOPNOTSUPP;
    if (call->in_size < sizeof(frequency))
        return WSAEINVAL;
    if ((error = ioctl_take(call, &frequency, sizeof(frequency))))
        return error;
    if (!frequency || frequency > 255)
        return WSAEINVAL;
    at_once = frequency == 1;
    return option_server_set(call->socket, RS_OPT_ACK_AT_ONCE, &at_once, sizeof(at_once));
}

/* "The lpvInBuffer must point to a variable of type PRIORITY_HINT ... The lpvOutBuffer and
 * cbOutBuffer parameters must be NULL and 0" ("Winsock IOCTLs"): IoPriorityHintVeryLow, Low or
 * Normal. */
DWORD ioctl_priority_hint(struct ioctl_call *call)
{
    static const uint32_t wire[] = {RS_PRIORITY_VERY_LOW, RS_PRIORITY_LOW, RS_PRIORITY_NORMAL};
    uint32_t hint;
    DWORD error;

    if (call->socket->family == AF_UNIX)
        return WSAEOPNOTSUPP;
    if (call->out || call->out_size)
        return WSAEINVAL;
    if ((error = ioctl_take(call, &hint, sizeof(hint))))
        return error;
    if (hint >= ARRAYSIZE(wire))
        return WSAEINVAL;
    return option_server_set(call->socket, RS_OPT_PRIORITY, &wire[hint], sizeof(wire[hint]));
}

/* Microsoft has no page of it; mstcpip.h has TCP_ICW_PARAMETERS, a level: how many segments go out
 * before the first is acknowledged.  Linux has that number for each route, not for each socket, so
 * there is only the level with which nothing is asked for. */
DWORD ioctl_initial_window(struct ioctl_call *call)
{
    enum { DEFAULT = 0, LAST = 255 }; /* TCP_ICW_LEVEL */
    uint32_t level;
    DWORD error;

    if (call->socket->type != SOCK_STREAM || call->socket->family == AF_UNIX)
        return WSAEOPNOTSUPP;
    if ((error = ioctl_take(call, &level, sizeof(level))))
        return error;
    if (level == DEFAULT)
        return 0;
    if (level > LAST)
        return WSAEINVAL;
    log_once(LOG_WARN, "SIO_TCP_SET_ICW: level %u cannot be had, the route decides", level);
    return WSAEOPNOTSUPP;
}
