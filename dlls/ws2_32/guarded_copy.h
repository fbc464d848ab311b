/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reaching memory that the program names and that may not be there: WSARecv.txt's WSAEFAULT ("not
 * completely contained in a valid part of the user address space").
 *
 * All of it may be called under any lock: a fault costs an exception but unwinds nothing.
 */
#ifndef RINGSOCK_GUARDED_COPY_H
#define RINGSOCK_GUARDED_COPY_H

#include "winsock.h"

/* Copies; returns 0, or how many bytes at the end were not (all, if it was just a few). */
size_t __cdecl guarded_copy(void *to, const void *from, size_t size);

/* The words of a call's arguments.  False where the memory is not there. */
bool __cdecl guarded_load(const DWORD *address, DWORD *value);
bool __cdecl guarded_load_pointer(const ULONG_PTR *address, ULONG_PTR *value);
bool __cdecl guarded_store(DWORD *address, DWORD value);
bool __cdecl guarded_store_pointer(ULONG_PTR *address, ULONG_PTR value);
/* A word that will be written when the call has its result: loads it and stores it again, so that a
 * word that cannot be written is known before anything is done. */
bool __cdecl guarded_probe(DWORD *address, DWORD *value);

/* One that is only written, later: can it be, from the first to the last byte?  Looks at each page.
 */
bool guarded_writable(void *address, size_t size);
/* The same of one that will be read. */
bool guarded_readable(const void *address, size_t size);

/* Once, from DllMain. */
bool guarded_copy_init(void);

#endif
