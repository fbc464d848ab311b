/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The base protocols: those that sockets are of.
 */
#ifndef RINGSOCK_PROTOCOLS_H
#define RINGSOCK_PROTOCOLS_H

#include "winsock.h"

/* The entry for what socket() was given (0 = any, for each of the three; type 0 never matches two
 * ways because the first entry of the catalog wins), or NULL and in *error why not, if error is not
 * NULL: WSAEINVAL, WSAESOCKTNOSUPPORT, WSAEAFNOSUPPORT, WSAEPROTONOSUPPORT.  Constant memory.
 */
const WSAPROTOCOL_INFOW *protocol_find_error(int family, int type, int protocol, int *error);
const WSAPROTOCOL_INFOW *protocol_find(int family, int type, int protocol);

/* All of them that are listed, in their order; constant memory. */
const WSAPROTOCOL_INFOW *protocol_base(size_t *count);

/* The ANSI form of an entry, as WSAEnumProtocolsA and SO_PROTOCOL_INFOA give it. */
void protocol_to_ansi(const WSAPROTOCOL_INFOW *info, WSAPROTOCOL_INFOA *ansi);

#endif
