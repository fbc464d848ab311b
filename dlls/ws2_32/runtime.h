/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the server of this user and prefix is found, and how it is started.
 */
#ifndef RINGSOCK_RUNTIME_H
#define RINGSOCK_RUNTIME_H

#include "winsock.h"
#include <ringsock/abi.h>

#define RUNTIME_PATH_MAX 260

struct runtime {
    char unix_directory[RUNTIME_PATH_MAX]; /* the runtime directory, as the server wants it */
    WCHAR directory[RUNTIME_PATH_MAX];     /* the same as \\?\unix\... */
    WCHAR server[RUNTIME_PATH_MAX];        /* the server's program, \\?\unix\... */
};

/* `\\?\unix` and the path with backslashes.  False where it does not fit. */
bool runtime_nt_path(const char *unix_path, WCHAR *path, size_t size);

/* Finds out directory and server.  Returns 0 or WSASYSNOTREADY with the advice in the log. */
DWORD runtime_locate(struct runtime *runtime);

/* Takes a ticket from the running server, or starts one and takes it then.  Returns 0 or a WSA
 * code. */
DWORD runtime_join(const struct runtime *runtime, struct rs_ticket *ticket);

#endif
