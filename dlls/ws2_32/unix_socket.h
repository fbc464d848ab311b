/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AF_UNIX: addresses that are paths.
 */
#ifndef RINGSOCK_UNIX_SOCKET_H
#define RINGSOCK_UNIX_SOCKET_H

#include "socket.h"

#define UNIX_PATH_MAX_BYTES 108

/* struct sockaddr_un of afunix.h */
struct unix_address {
    USHORT family;
    char path[UNIX_PATH_MAX_BYTES];
};

/* The names of both ends; an empty path: none. */
struct unix_names {
    struct unix_address local, peer;
};

/* Reads the address, tells the server which path the next bind or connect of the socket means, and
 * gives what stands for it on the wire.  WSAEFAULT, WSAEAFNOSUPPORT, WSAEINVAL...  No lock. */
DWORD unix_address_begin(struct socket *socket, const struct sockaddr *name, int length,
                         struct unix_address *address, struct rs_addr *wire);

/* Remembers the name of an end; caller holds no lock. */
void unix_name_set(struct socket *socket, const struct unix_address *address, bool peer);
/* Gives it out; caller holds the lock. */
DWORD unix_name_store(const struct socket *socket, bool peer, struct sockaddr *name, int *length);
/* An accepted connection has its listener's name. */
void unix_name_inherit(struct socket *accepted, const struct socket *listener);

#endif
