/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAStartup's count, and the edge where an error code becomes the last error.
 */
#ifndef RINGSOCK_STARTUP_H
#define RINGSOCK_STARTUP_H

#include "winsock.h"

/* True between WSAStartup and the matching WSACleanup; else sets WSANOTINITIALISED. */
bool startup_check(void);

/* Sets the last error unless it is 0; returns 0 or SOCKET_ERROR. */
static inline int return_error(DWORD error)
{
    if (!error)
        return 0;
    SetLastError(error);
    return SOCKET_ERROR;
}

#endif
