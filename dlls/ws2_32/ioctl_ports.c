/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_ACQUIRE_PORT_RESERVATION and its kin, SIO_CPU_AFFINITY: the server keeps the ports, and knows
 * who may share one.  Asks it, no lock held.
 */
#include "ioctl.h"
#include "option.h"
#include "request.h"

/* As in mstcpip.h, which mingw-w64 has in unnamed parts. */
struct port_range {
    USHORT first; /* network order */
    USHORT count;
};
struct reserved_ports {
    struct port_range range;
    ULONG64 token;
};
_Static_assert(sizeof(struct reserved_ports) == 16, "as Microsoft's compiler has it");

/* "when an attempt to use the ... IOCTL is made on a socket other than UDP or TCP" */
static DWORD check(const struct socket *socket)
{
    bool kind = socket->type == SOCK_STREAM || socket->type == SOCK_DGRAM;

    return kind && socket->family != AF_UNIX ? 0 : WSAEOPNOTSUPP;
}

DWORD ioctl_acquire_ports(struct ioctl_call *call)
{
    struct rs_port_token token = {0};
    struct port_range range;
    struct reserved_ports reserved = {0};
    DWORD error;

    call->bytes_on_error = true;
    if ((error = check(call->socket)) || (error = ioctl_take(call, &range, sizeof(range))))
        return error;
    if (call->out_size < sizeof(reserved)) /* "... WSAEINVAL, and ... a DWORD value of zero" */
        return WSAEINVAL;
    struct request request = {.session = call->socket->session,
                              .type = RS_SUB_PORTS,
                              .socket = call->socket->index,
                              .arg = {RS_PORTS_ACQUIRE, ntohs(range.first), range.count},
                              .reply = &token,
                              .reply_size = sizeof(token)};
    if ((error = request_call(&request)))
        return error;
    reserved.range.first = htons((USHORT)request.value);
    reserved.range.count = range.count;
    reserved.token = token.token;
    return ioctl_return(call, &reserved, sizeof(reserved));
}

static DWORD tell_token(struct ioctl_call *call, uint32_t what)
{
    ULONG64 token;
    DWORD error;

    if ((error = check(call->socket)) || (error = ioctl_take(call, &token, sizeof(token))))
        return error;
    return request_call(&(struct request){.session = call->socket->session,
                                          .type = RS_SUB_PORTS,
                                          .socket = call->socket->index,
                                          .arg = {what, (uint32_t)token, (uint32_t)(token >> 32)}});
}

DWORD ioctl_release_ports(struct ioctl_call *call)
{
    return tell_token(call, RS_PORTS_RELEASE);
}

/* "This IOCTL must be issued before the socket is bound." */
DWORD ioctl_associate_ports(struct ioctl_call *call)
{
    return tell_token(call, RS_PORTS_ASSOCIATE);
}

/* "must be called prior to bind, otherwise WSAEINVAL will be returned.  The input buffer is a
 * processor index (0-based) of type USHORT. ... Only supported for UDP sockets." */
DWORD ioctl_cpu_affinity(struct ioctl_call *call)
{
    USHORT processor;
    uint32_t told;
    DWORD error;

    if (call->socket->type != SOCK_DGRAM)
        return WSAEOPNOTSUPP;
    if ((error = ioctl_take(call, &processor, sizeof(processor))))
        return error;
    if (call->socket->bound)
        return WSAEINVAL;
    told = processor;
    return option_server_set(call->socket, RS_OPT_CPU_AFFINITY, &told, sizeof(told));
}
