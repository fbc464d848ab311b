/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copying to and from memory that the program names and that may not be there: WSARecv.txt's
 * WSAEFAULT ("not completely contained in a valid part of the user address space").
 */
#ifndef RINGSOCK_GUARDED_COPY_H
#define RINGSOCK_GUARDED_COPY_H

#include "winsock.h"

/* Copies; returns how many bytes could not be copied, from the first that faulted on.  May be called
 * under any lock: a fault costs an exception but unwinds nothing. */
size_t __cdecl guarded_copy(void *to, const void *from, size_t size);

/* Once, from DllMain. */
bool guarded_copy_init(void);

#endif
