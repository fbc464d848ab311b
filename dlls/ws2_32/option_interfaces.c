/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IP_IFLIST: "Datagram reception is restricted to interfaces that are in the IFLIST. Datagrams
 * received on any other interfaces are ignored."  The list, which receive.c looks at; takes the
 * socket's lock, asks the server with no lock held.
 */
#include "option.h"
#include "control_data.h"
#include "receive.h"

/* Which interface a datagram came from the server tells of those that it reads from its answer on;
 * those before it have been received. */
DWORD set_interface_list(struct socket *socket, uint32_t value)
{
    uint32_t packet = RS_CONTROL_PACKET;
    DWORD error = 0;

    if (value && socket->type != SOCK_STREAM)
        error = option_server_set(socket, RS_OPT_CONTROL, &packet, sizeof(packet));
    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->restrict_interfaces = value;
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

static bool find(const struct socket *socket, uint32_t index, uint8_t *place)
{
    for (*place = 0; *place < socket->interface_count; (*place)++)
        if (socket->interfaces[*place] == index)
            return true;
    return false;
}

bool receive_is_restricted(const struct socket *socket, const struct rs_control *control)
{
    uint8_t place;

    return socket->restrict_interfaces && (!control || !(control->present & RS_CONTROL_PACKET) ||
                                           !find(socket, control->interface_index, &place));
}

DWORD add_listed_interface(struct socket *socket, uint32_t index)
{
    DWORD error = index ? 0 : WSAEINVAL;
    uint8_t place;

    AcquireSRWLockExclusive(&socket->lock);
    if (!error && !find(socket, index, &place)) {
        if (place == INTERFACES_LISTED)
            error = WSAENOBUFS;
        else
            socket->interfaces[socket->interface_count++] = index;
    }
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

DWORD remove_listed_interface(struct socket *socket, uint32_t index)
{
    DWORD error = 0;
    uint8_t place;

    AcquireSRWLockExclusive(&socket->lock);
    if (find(socket, index, &place))
        socket->interfaces[place] = socket->interfaces[--socket->interface_count];
    else
        error = WSAEINVAL;
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

/* IP_GET_IFLIST: "Returns error if IP_IFLIST is not enabled." */
DWORD read_interface_list(struct socket *socket, char *buffer, int *length)
{
    DWORD error = 0;
    int size;

    AcquireSRWLockShared(&socket->lock);
    size = socket->interface_count * (int)sizeof(*socket->interfaces);
    if (!socket->restrict_interfaces)
        error = WSAEINVAL;
    else if (*length < size)
        error = WSAEFAULT;
    else
        memcpy(buffer, socket->interfaces, size);
    ReleaseSRWLockShared(&socket->lock);
    if (!error)
        *length = size;
    return error;
}
