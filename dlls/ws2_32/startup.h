/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAStartup's count, and the edge where an error code becomes the last error.
 */
#ifndef RINGSOCK_STARTUP_H
#define RINGSOCK_STARTUP_H

#include "winsock.h"

/* True between WSAStartup and the matching WSACleanup, outside of a blocking hook; else sets
 * WSANOTINITIALISED or WSAEINPROGRESS. */
bool startup_check(void);

/* The same without the hook. */
bool startup_is_initialised(void);

/* Some WSAStartup since the last final WSACleanup has negotiated version 1.0 or 1.1. */
bool startup_is_version_1(void);

/* Around a blocking hook of this thread, so that startup_check looks closer. */
void startup_hook_begins(void);
void startup_hook_ended(void);

/* Sets the last error unless it is 0; returns 0 or SOCKET_ERROR. */
static inline int return_error(DWORD error)
{
    if (!error)
        return 0;
    SetLastError(error);
    return SOCKET_ERROR;
}

#endif
