/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_ADDRESS_LIST_CHANGE and SIO_ROUTING_INTERFACE_CHANGE: telling when this machine's addresses
 * change.
 */
#ifndef RINGSOCK_ADDRESS_CHANGE_H
#define RINGSOCK_ADDRESS_CHANGE_H

#include "socket.h"

/* Waits for a change: posts an operation if there is an OVERLAPPED (WSA_IO_PENDING), waits if the
 * socket blocks, else asks for `event`, FD_ADDRESS_LIST_CHANGE or FD_ROUTING_INTERFACE_CHANGE
 * (WSAEWOULDBLOCK).  Takes the socket's lock. */
DWORD address_change_wait(struct socket *socket, long event, WSAOVERLAPPED *overlapped,
                          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

#endif
