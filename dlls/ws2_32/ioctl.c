/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ioctlsocket and WSAIoctl.
 *
 * Takes the socket's lock; asks the server with no lock held.  Every control but those that wait
 * for a change (address_change.c, ioctl_send_backlog.c) is done when its handler returns; with an
 * OVERLAPPED its completion is then delivered like any other's.  What goes where on failure follows
 * Wine's test_fionbio and its neighbours, which were run on Windows.
 */
#include "ioctl.h"
#include "address_change.h"
#include "arguments.h"
#include "control_data.h"
#include "extension.h"
#include "guarded_copy.h"
#include "log.h"
#include "ntcalls.h"
#include "option.h"
#include "rio.h"
#include "startup.h"
#include "urgent.h"

/* Not in every mingw-w64's headers. */
#define IOCTL_BASE_HANDLE                             _WSAIOR(IOC_WS2, 34)
#define IOCTL_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER _WSAIORW(IOC_WS2, 36)
#define IOCTL_IDEAL_SEND_BACKLOG_CHANGE               _IO('t', 122)
#define IOCTL_IDEAL_SEND_BACKLOG_QUERY                _IOR('t', 123, ULONG)
#define IOCTL_BSP_HANDLE                              _WSAIOR(IOC_WS2, 27)
#define IOCTL_BSP_HANDLE_SELECT                       _WSAIOR(IOC_WS2, 28)
#define IOCTL_BSP_HANDLE_POLL                         _WSAIOR(IOC_WS2, 29)
#define IOCTL_UDP_CONNRESET                           _WSAIOW(IOC_VENDOR, 12)
#define IOCTL_UDP_NETRESET                            _WSAIOW(IOC_VENDOR, 15)
#define IOCTL_LOOPBACK_FAST_PATH                      _WSAIOW(IOC_VENDOR, 16)
#define IOCTL_TCP_INITIAL_RTO                         _WSAIOW(IOC_VENDOR, 17)
#define IOCTL_TCP_INFO                                _WSAIORW(IOC_VENDOR, 39)
#define IOCTL_TCP_SET_ACK_FREQUENCY                   _WSAIOW(IOC_VENDOR, 23)
#define IOCTL_CPU_AFFINITY                            _WSAIOW(IOC_VENDOR, 21)
#define IOCTL_TCP_SET_ICW                             _WSAIOW(IOC_VENDOR, 22)
#define IOCTL_SET_PRIORITY_HINT                       _WSAIOW(IOC_VENDOR, 24)
#define IOCTL_ACQUIRE_PORT_RESERVATION                _WSAIOW(IOC_VENDOR, 100)
#define IOCTL_RELEASE_PORT_RESERVATION                _WSAIOW(IOC_VENDOR, 101)
#define IOCTL_ASSOCIATE_PORT_RESERVATION              _WSAIOW(IOC_VENDOR, 102)
#define IOCTL_GET_TX_TIMESTAMP                        _WSAIOW(IOC_VENDOR, 234)
#define IOCTL_TIMESTAMPING                            _WSAIOW(IOC_VENDOR, 235)
#define IOCTL_SIOCSMSFILTER                           _IOW('t', 126, ULONG)
#define IOCTL_SIOCGMSFILTER                           _IOW('t', 127, ULONG)
#define IOCTL_AF_UNIX_GETPEERPID                      _WSAIOR(IOC_VENDOR, 256)
#define IOCTL_SET_COMPATIBILITY_MODE                  _WSAIOW(IOC_VENDOR, 300)

static bool is_bad_pointer(const void *pointer)
{
    return (UINT_PTR)pointer < 0x10000;
}

DWORD ioctl_take(const struct ioctl_call *call, void *value, DWORD size)
{
    if (is_bad_pointer(call->in) || call->in_size < size || guarded_copy(value, call->in, size))
        return WSAEFAULT;
    return 0;
}

DWORD ioctl_return(struct ioctl_call *call, const void *value, DWORD size)
{
    if (is_bad_pointer(call->out) || call->out_size < size || guarded_copy(call->out, value, size))
        return WSAEFAULT;
    call->bytes = size;
    return 0;
}

/* ---- controls ---- */

static DWORD set_nonblocking(struct ioctl_call *call)
{
    struct socket *socket = call->socket;
    u_long value;
    DWORD error;

    if ((error = ioctl_take(call, &value, sizeof(value))))
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    if (!value && socket_is_selected(socket)) {
        call->bytes_on_error = true;
        error = WSAEINVAL;
    } else
        socket->nonblocking = value;
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

static DWORD bytes_readable(struct ioctl_call *call)
{
    struct socket *socket = call->socket;
    u_long value;

    AcquireSRWLockShared(&socket->lock);
    value = socket->arrived_bytes + urgent_inline_bytes(socket);
    ReleaseSRWLockShared(&socket->lock);
    return ioctl_return(call, &value, sizeof(value));
}

static DWORD at_mark(struct ioctl_call *call)
{
    struct socket *socket = call->socket;
    u_long value;

    AcquireSRWLockShared(&socket->lock);
    value = !socket->urgent; /* also while they come in line: then those from before */
    ReleaseSRWLockShared(&socket->lock);
    return ioctl_return(call, &value, sizeof(value));
}

/* Linux counts in seconds; 0 is no time that TCP could keep, so it leaves what was. */
static uint32_t seconds(u_long milliseconds)
{
    return milliseconds / 1000 + (milliseconds % 1000 != 0);
}

static DWORD keepalive_values(struct ioctl_call *call)
{
    struct socket *socket = call->socket;
    struct tcp_keepalive keep;
    DWORD error;

    call->bytes_on_error = !call->overlapped;
    call->leaves_pending = call->keeps_bytes = true;
    if ((error = ioctl_take(call, &keep, sizeof(keep))))
        return error;
    if (socket->type != SOCK_STREAM)
        return WSAEOPNOTSUPP;
    if (keep.onoff && keep.keepalivetime)
        error = set_keep_idle(socket, seconds(keep.keepalivetime));
    if (!error && keep.onoff && keep.keepaliveinterval)
        error = set_keep_interval(socket, seconds(keep.keepaliveinterval));
    return error ? error : set_keepalive(socket, keep.onoff != 0);
}

static DWORD find_extension(struct ioctl_call *call)
{
    void *function;
    GUID guid;
    DWORD error;

    if ((error = ioctl_take(call, &guid, sizeof(guid))))
        return error;
    if (!(function = extension_find(&guid))) {
        log_once_each(LOG_WARN, guid.Data1, "no extension function {%08lx-%04x-%04x-...}",
                      guid.Data1, guid.Data2, guid.Data3);
        return WSAEINVAL;
    }
    if (function == (void *)ws_WSARecvMsg)
        control_expect_messages(call->socket);
    return ioctl_return(call, &function, sizeof(function));
}

/* A table of functions at once; there is one only, that of registered I/O. */
static DWORD find_extensions(struct ioctl_call *call)
{
    const void *functions;
    DWORD size, error;
    GUID guid;

    if ((error = ioctl_take(call, &guid, sizeof(guid))))
        return error;
    if (!(functions = rio_functions(&guid, &size))) {
        log_once_each(LOG_WARN, guid.Data1, "no extension functions {%08lx-%04x-%04x-...}",
                      guid.Data1, guid.Data2, guid.Data3);
        return WSAEINVAL;
    }
    return ioctl_return(call, functions, size);
}

static DWORD base_handle(struct ioctl_call *call)
{
    if (call->overlapped)
        return WSAEOPNOTSUPP;
    return ioctl_return(call, &call->socket->handle, sizeof(call->socket->handle));
}

/* Where the other end is no Windows program, or not one of this prefix, there is no such number. */
static DWORD peer_process(struct ioctl_call *call)
{
    uint32_t told;
    ULONG process;
    DWORD error;

    if (call->socket->family != AF_UNIX)
        return WSAEOPNOTSUPP;
    if (call->socket->state != SOCKET_CONNECTED)
        return WSAENOTCONN;
    if ((error = option_server_get(call->socket, RS_OPT_PEER_PROCESS, &told)))
        return error;
    process = told;
    return ioctl_return(call, &process, sizeof(process));
}

/* Programs pass a BOOL or, without harm on Windows, one byte. */
static DWORD take_flag(struct ioctl_call *call, bool *off)
{
    BOOL value = FALSE;
    DWORD size = call->in_size < sizeof(value) ? 1 : sizeof(value), error;

    if (call->socket->type != SOCK_DGRAM)
        return WSAEINVAL;
    if ((error = ioctl_take(call, &value, size)))
        return error;
    AcquireSRWLockExclusive(&call->socket->lock);
    *off = !value;
    ReleaseSRWLockExclusive(&call->socket->lock);
    return 0;
}

static DWORD set_connreset(struct ioctl_call *call)
{
    return take_flag(call, &call->socket->udp_connreset_off);
}

static DWORD set_netreset(struct ioctl_call *call)
{
    return take_flag(call, &call->socket->udp_netreset_off);
}

/* "a newly arrived message should never be dropped because of a buffer queue overflow": which
 * datagrams are lost, of those that nobody has room for, is the host's kernel's choice. */
static DWORD circular_queueing(struct ioctl_call *call)
{
    if (call->socket->type != SOCK_DGRAM)
        return WSAENOPROTOOPT;
    log_once(LOG_INFO, "SIO_ENABLE_CIRCULAR_QUEUEING has no effect");
    return 0;
}

/* A hint that Microsoft has withdrawn; every path here is as fast as it gets. */
static DWORD loopback_fast_path(struct ioctl_call *call)
{
    u_long value;

    return ioctl_take(call, &value, sizeof(value));
}

static const struct ioctl {
    DWORD code;
    DWORD (*handler)(struct ioctl_call *call);
} ioctls[] = {
    {FIONBIO, set_nonblocking},
    {FIONREAD, bytes_readable},
    {SIOCATMARK, at_mark},
    {SIO_KEEPALIVE_VALS, keepalive_values},
    {SIO_GET_EXTENSION_FUNCTION_POINTER, find_extension},
    {IOCTL_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, find_extensions},
    {IOCTL_BASE_HANDLE, base_handle},
    {IOCTL_BSP_HANDLE, base_handle},
    {IOCTL_BSP_HANDLE_SELECT, base_handle},
    {IOCTL_BSP_HANDLE_POLL, base_handle},
    {IOCTL_IDEAL_SEND_BACKLOG_QUERY, ioctl_send_backlog},
    {IOCTL_UDP_CONNRESET, set_connreset},
    {IOCTL_UDP_NETRESET, set_netreset},
    {IOCTL_LOOPBACK_FAST_PATH, loopback_fast_path},
    {SIO_ENABLE_CIRCULAR_QUEUEING, circular_queueing},
    {SIO_GET_INTERFACE_LIST, ioctl_interface_list},
    {SIO_ADDRESS_LIST_QUERY, ioctl_address_list},
    {SIO_ADDRESS_LIST_SORT, ioctl_sort_addresses},
    {SIO_ROUTING_INTERFACE_QUERY, ioctl_routing_interface},
    {SIO_GET_BROADCAST_ADDRESS, ioctl_broadcast_address},
    {IOCTL_ACQUIRE_PORT_RESERVATION, ioctl_acquire_ports},
    {IOCTL_RELEASE_PORT_RESERVATION, ioctl_release_ports},
    {IOCTL_ASSOCIATE_PORT_RESERVATION, ioctl_associate_ports},
    {IOCTL_CPU_AFFINITY, ioctl_cpu_affinity},
    {SIO_MULTICAST_SCOPE, ioctl_multicast_scope},
    {SIO_MULTIPOINT_LOOPBACK, ioctl_multipoint_loopback},
    {SIO_SET_MULTICAST_FILTER, ioctl_set_ipv4_filter},
    {SIO_GET_MULTICAST_FILTER, ioctl_get_ipv4_filter},
    {IOCTL_SIOCSMSFILTER, ioctl_set_filter},
    {IOCTL_SIOCGMSFILTER, ioctl_get_filter},
    {IOCTL_TCP_INFO, ioctl_tcp_info},
    {IOCTL_TCP_INITIAL_RTO, ioctl_initial_rto},
    {IOCTL_SET_COMPATIBILITY_MODE, ioctl_compatibility_mode},
    {IOCTL_TCP_SET_ACK_FREQUENCY, ioctl_ack_frequency},
    {IOCTL_TCP_SET_ICW, ioctl_initial_window},
    {IOCTL_SET_PRIORITY_HINT, ioctl_priority_hint},
    {IOCTL_TIMESTAMPING, ioctl_timestamping},
    {IOCTL_GET_TX_TIMESTAMP, ioctl_sent_time},
    {IOCTL_AF_UNIX_GETPEERPID, peer_process},
    {SIO_RCVALL, ioctl_receive_all},
    {SIO_RCVALL_MCAST, ioctl_receive_groups},
    {SIO_RCVALL_IGMPMCAST, ioctl_receive_igmp},
};

static DWORD run(DWORD code, struct ioctl_call *call)
{
    for (size_t i = 0; i < ARRAYSIZE(ioctls); i++)
        if (ioctls[i].code == code)
            return ioctls[i].handler(call);
    call->bytes_on_error = true;
    log_once_each(LOG_WARN, code, "WSAIoctl %#lx is not supported", code);
    return WSAEOPNOTSUPP;
}

/* ---- the calls ---- */

/* A control that Windows' kernel refuses ends as a completion, any other failure at once. */
static DWORD complete(struct ioctl_call *call, DWORD result, WSAOVERLAPPED *overlapped,
                      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    bool pends = result == WSAEOPNOTSUPP || call->pends_always;
    struct operation *operation;
    DWORD error;

    if (result && !pends) {
        if (call->leaves_pending)
            guarded_store_pointer(&overlapped->Internal, STATUS_PENDING);
        return result;
    }
    operation = operation_create(call->socket, OPERATION_RECV, overlapped, routine, &error);
    if (!operation)
        return error;
    operation->error = result;
    operation->done = pends && !result ? call->bytes : 0; /* else *lpcbBytesReturned has it */
    operation->immediate = !pends;
    operation_deliver(operation);
    return pends ? WSA_IO_PENDING : 0;
}

/* Another interface can only become that to the destination when addresses come or go. */
static DWORD routing_change(struct ioctl_call *call, WSAOVERLAPPED *overlapped,
                            LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    DWORD error = ioctl_destination(call);

    return error ? error
                 : address_change_wait(call->socket, FD_ROUTING_INTERFACE_CHANGE, overlapped,
                                       routine);
}

/* Those that wait for a change, and are completed by it; false: it is another one. */
static bool wait_for_change(DWORD code, struct ioctl_call *call, WSAOVERLAPPED *overlapped,
                            LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, DWORD *error)
{
    if (code == SIO_ADDRESS_LIST_CHANGE)
        *error = address_change_wait(call->socket, FD_ADDRESS_LIST_CHANGE, overlapped, routine);
    else if (code == SIO_ROUTING_INTERFACE_CHANGE)
        *error = routing_change(call, overlapped, routine);
    else if (code == IOCTL_IDEAL_SEND_BACKLOG_CHANGE)
        *error = ioctl_send_backlog_change(call, overlapped, routine);
    else
        return false;
    return true;
}

int WSAAPI WSAIoctl(SOCKET handle, DWORD code, void *in, DWORD in_size, void *out, DWORD out_size,
                    DWORD *returned, WSAOVERLAPPED *overlapped,
                    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct ioctl_call call = {.in = in,
                              .in_size = in_size,
                              .out = out,
                              .out_size = out_size,
                              .overlapped = overlapped != NULL};
    DWORD error;

    if (!(call.socket = socket_get(handle)))
        return SOCKET_ERROR;
    if (is_bad_pointer(returned) || !argument_out(returned, sizeof(*returned)) ||
        !argument_out(overlapped, sizeof(*overlapped))) {
        socket_put(call.socket);
        return return_error(WSAEFAULT);
    }
    session_reap(call.socket->session);
    if (!wait_for_change(code, &call, overlapped, routine, &error)) {
        error = run(code, &call);
        if (overlapped)
            error = complete(&call, error, overlapped, routine);
    }
    if (error ? call.bytes_on_error && error != WSA_IO_PENDING
              : !overlapped || routine || !call.keeps_bytes)
        *returned = call.bytes;
    socket_put(call.socket);
    SetLastError(error); /* 0 on success, as Windows does */
    return error ? SOCKET_ERROR : 0;
}

int WSAAPI ioctlsocket(SOCKET handle, long code, u_long *value)
{
    struct ioctl_call call = {
        .in = value, .in_size = sizeof(*value), .out = value, .out_size = sizeof(*value)};
    DWORD error = WSAEFAULT;

    if (!(call.socket = socket_get(handle)))
        return SOCKET_ERROR;
    session_reap(call.socket->session);
    if (!is_bad_pointer(value))
        error = run((DWORD)code, &call);
    socket_put(call.socket);
    SetLastError(error);
    return error ? SOCKET_ERROR : 0;
}
