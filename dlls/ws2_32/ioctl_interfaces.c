/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What WSAIoctl tells of the host's interfaces: asked of the server each time, no lock held.
 */
#include "arguments.h"
#include "guarded_copy.h"
#include "ioctl.h"
#include "request.h"
#include "sockaddr.h"

#define MAX_INTERFACES 512u

struct interfaces {
    struct rs_interface *list;
    uint32_t count;
};

static DWORD ask(struct socket *socket, struct interfaces *interfaces)
{
    struct request request = {.session = socket->session,
                              .type = RS_SUB_INTERFACES,
                              .reply_size = MAX_INTERFACES * sizeof(*interfaces->list)};
    DWORD error;

    if (!(request.reply = interfaces->list = malloc(request.reply_size)))
        return WSAENOBUFS;
    error = request_call(&request);
    if (error) {
        free(interfaces->list);
        return error;
    }
    if (request.reply_length > request.reply_size)
        request.reply_length = request.reply_size;
    interfaces->count = request.reply_length / sizeof(*interfaces->list);
    return 0;
}

static uint16_t wire_family(const struct socket *socket)
{
    return socket->family == AF_INET6 ? RS_AF_INET6 : RS_AF_INET;
}

static void store_generic(sockaddr_gen *to, const struct rs_addr *wire)
{
    struct sockaddr_in6 address;

    memset(to, 0, sizeof(*to));
    if (wire->family != RS_AF_INET)
        return;
    sockaddr_from_wire(&address, wire);
    memcpy(&to->AddressIn, &address, sizeof(to->AddressIn));
}

/* SIO_GET_INTERFACE_LIST is about IPv4; the flags are the wire's. */
DWORD ioctl_interface_list(struct ioctl_call *call)
{
    struct interfaces interfaces;
    INTERFACE_INFO info;
    DWORD error, used = 0;

    _Static_assert(RS_IF_UP == IFF_UP && RS_IF_BROADCAST == IFF_BROADCAST &&
                       RS_IF_LOOPBACK == IFF_LOOPBACK && RS_IF_POINTTOPOINT == IFF_POINTTOPOINT &&
                       RS_IF_MULTICAST == IFF_MULTICAST,
                   "interface flags");
    if (!call->out)
        return WSAEFAULT;
    if ((error = ask(call->socket, &interfaces)))
        return error;
    call->pends_always = true;
    for (uint32_t i = 0; i < interfaces.count && !error; i++) {
        const struct rs_interface *interface_ = &interfaces.list[i];

        if (interface_->address.family != RS_AF_INET)
            continue;
        if (call->out_size - used < sizeof(info)) {
            error = call->overlapped ? ERROR_INSUFFICIENT_BUFFER : WSAEFAULT;
            break;
        }
        info.iiFlags = interface_->flags;
        store_generic(&info.iiAddress, &interface_->address);
        store_generic(&info.iiNetmask, &interface_->netmask);
        store_generic(&info.iiBroadcastAddress, &interface_->broadcast);
        if (guarded_copy((char *)call->out + used, &info, sizeof(info))) {
            error = WSAEFAULT;
            break;
        }
        used += sizeof(info);
    }
    free(interfaces.list);
    call->bytes = error ? 0 : used;
    call->bytes_on_error = true;
    return error;
}

/* Addresses of the socket's family that a program may want to bind to: not the loopback's. */
static bool is_listed(const struct socket *socket, const struct rs_interface *interface_)
{
    return interface_->address.family == wire_family(socket) && (interface_->flags & RS_IF_UP) &&
           !(interface_->flags & RS_IF_LOOPBACK);
}

static void store_list(const struct socket *socket, const struct interfaces *interfaces,
                       SOCKET_ADDRESS_LIST *list, uint32_t count)
{
    int size = sockaddr_size(socket->family);
    char *room = (char *)&list->Address[count];
    struct sockaddr_in6 address;
    uint32_t used = 0;

    list->iAddressCount = (INT)count;
    for (uint32_t i = 0; i < interfaces->count; i++) {
        if (!is_listed(socket, &interfaces->list[i]))
            continue;
        sockaddr_from_wire(&address, &interfaces->list[i].address);
        memcpy(room, &address, size);
        list->Address[used].lpSockaddr = (struct sockaddr *)room;
        list->Address[used++].iSockaddrLength = size;
        room += size;
    }
}

DWORD ioctl_addresses_state(struct socket *socket, uint64_t *state)
{
    struct interfaces interfaces;
    DWORD error = ask(socket, &interfaces);
    uint64_t sum = 0xcbf29ce484222325u; /* FNV-1a */

    if (error)
        return error;
    for (uint32_t i = 0; i < interfaces.count; i++) {
        const uint8_t *bytes = interfaces.list[i].address.bytes;

        if (!is_listed(socket, &interfaces.list[i]))
            continue;
        for (size_t j = 0; j < sizeof(interfaces.list[i].address.bytes); j++)
            sum = (sum ^ bytes[j]) * 0x100000001b3u;
    }
    *state = sum;
    free(interfaces.list);
    return 0;
}

DWORD ioctl_address_list(struct ioctl_call *call)
{
    const struct socket *socket = call->socket;
    struct interfaces interfaces;
    uint32_t count = 0;
    DWORD error;

    if ((error = ask(call->socket, &interfaces)))
        return error;
    for (uint32_t i = 0; i < interfaces.count; i++)
        count += is_listed(socket, &interfaces.list[i]);
    /* "if the buffer is too small... the required size" is told with WSAEFAULT (MSDN) */
    call->bytes = offsetof(SOCKET_ADDRESS_LIST, Address) +
                  count * (sizeof(SOCKET_ADDRESS) + sockaddr_size(socket->family));
    call->bytes_on_error = true;
    if (call->out && call->out_size && call->out_size < sizeof(INT)) {
        call->bytes = 0; /* no room for the count of addresses either */
        error = WSAEINVAL;
    } else if (!call->out || call->out_size < call->bytes || !argument_out(call->out, call->bytes))
        error = WSAEFAULT;
    else
        store_list(socket, &interfaces, call->out, count);
    free(interfaces.list);
    return error;
}

DWORD ioctl_source_address(int family, const struct sockaddr_in6 *destination,
                           struct sockaddr_in6 *source)
{
    struct sockaddr_in6 to = *destination;
    int size = sockaddr_size(family), length = size;
    SOCKET probe = WSASocketW(family, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0);
    DWORD error = 0;

    if (probe == INVALID_SOCKET)
        return GetLastError();
    to.sin6_port =
        htons(9); /* discard: any; connect refuses port 0 (sockaddr_in has it there too) */
    if (connect(probe, (const struct sockaddr *)&to, size) ||
        getsockname(probe, (struct sockaddr *)source, &length))
        error = GetLastError();
    closesocket(probe);
    return error;
}

DWORD ioctl_destination(const struct ioctl_call *call)
{
    DWORD size = sockaddr_size(call->socket->family), error;
    struct rs_addr checked;

    if (!call->in || call->in_size < size)
        return WSAEINVAL;
    error = sockaddr_to_wire(&checked, call->in, (int)size, call->socket->family);
    return error ? error : wire_address_is_any(&checked) ? WSAEINVAL : 0;
}

/* "the broadcast address (commonly IPADDR_BROADCAST)"; "not supported for IPv6 sockets and returns
 * the WSAENOPROTOOPT error code" (SIO_GET_BROADCAST_ADDRESS). */
DWORD ioctl_broadcast_address(struct ioctl_call *call)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = INADDR_BROADCAST};

    if (call->socket->family == AF_INET6)
        return WSAENOPROTOOPT;
    if (call->socket->type != SOCK_DGRAM || call->socket->family != AF_INET)
        return WSAEINVAL;
    return ioctl_return(call, &address, sizeof(address));
}

DWORD ioctl_routing_interface(struct ioctl_call *call)
{
    struct socket *socket = call->socket;
    DWORD size = sockaddr_size(socket->family), error;
    struct sockaddr_in6 destination, source;

    if ((error = ioctl_destination(call)))
        return error;
    if (!call->out)
        return WSAEFAULT;
    if (call->out_size < size) {
        call->bytes = size;
        call->bytes_on_error = true;
        return WSAEFAULT;
    }
    memset(&destination, 0, sizeof(destination));
    if (guarded_copy(&destination, call->in, size))
        return WSAEFAULT;
    if ((error = ioctl_source_address(socket->family, &destination, &source)))
        return error;
    source.sin6_port = 0; /* the port lies at the same place in sockaddr_in */
    return ioctl_return(call, &source, size);
}
