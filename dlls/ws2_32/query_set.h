/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAQUERYSETs: copying them, and handing them to the program.
 */
#ifndef RINGSOCK_QUERY_SET_H
#define RINGSOCK_QUERY_SET_H

#include "winsock.h"

/* The LUP_RETURN_* of the members that a result may have. */
#define QUERY_MEMBERS                                                              \
    (LUP_RETURN_NAME | LUP_RETURN_TYPE | LUP_RETURN_VERSION | LUP_RETURN_COMMENT | \
     LUP_RETURN_ADDR | LUP_RETURN_BLOB | LUP_RETURN_QUERY_STRING)

/* All that a set (of either form) points to, if it has its whole size. */
bool query_is_there(const void *set, bool ansi);

/* One malloc()ed block with everything that the set points to, or NULL. */
WSAQUERYSETW *query_copy(const WSAQUERYSETW *set);
WSAQUERYSETW *query_from_ansi(const WSAQUERYSETA *set);

/* Writes it as WSALookupServiceNext does, without the members that the flags do not name; *size is
 * the buffer's, and with WSAEFAULT what is needed.  Returns 0 or an error. */
DWORD query_store(const WSAQUERYSETW *set, DWORD flags, bool ansi, void *buffer, DWORD *size);

#endif
