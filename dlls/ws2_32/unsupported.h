/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a name that is exported but not built says so, and the prototypes that no header has.
 */
#ifndef RINGSOCK_UNSUPPORTED_H
#define RINGSOCK_UNSUPPORTED_H

#include "winsock.h"
#include "log.h"
#include <ws2spi.h>

/* Says once which call it was, sets the last error, returns the function's value of failure. */
#define refuse(error, failure)                                                                     \
    do {                                                                                           \
        log_once(LOG_WARN, "%s is not supported; it fails with error %d", __func__, (int)(error)); \
        SetLastError(error);                                                                       \
        return (failure);                                                                          \
    } while (0)

/* The same where the error goes to a variable of the caller's (lpErrno of the WSC functions). */
#define refuse_to(pointer, error)                     \
    do {                                              \
        if (pointer)                                  \
            guarded_store((DWORD *)(pointer), error); \
        refuse(error, SOCKET_ERROR);                  \
    } while (0)

#endif
