/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SOCKET as a standard handle of this process (see share.h).
 *
 * A program that was started so reads and writes it with ReadFile and WriteFile, and may never call
 * Winsock (git-daemon starts its children so, as inetd does).  Owns the list of standard handles
 * that may be sockets, made once; takes no lock itself.
 *
 * What is written here stays: a handle that was closed and is another file's now is asked about by
 * its inode, and is then no socket to the server.
 */
#include "share.h"
#include "ntcalls.h"
#include "session.h"

static HANDLE volatile candidates[3]; /* NULL: none, or it was no socket */

void share_standard_init(void)
{
    static const DWORD which[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

    for (size_t i = 0; i < ARRAYSIZE(candidates); i++) {
        HANDLE handle = GetStdHandle(which[i]);

        if (share_may_be_socket(handle))
            candidates[i] = handle;
    }
}

bool share_is_standard(HANDLE handle)
{
    for (size_t i = 0; i < ARRAYSIZE(candidates); i++)
        if (candidates[i] && candidates[i] == handle)
            return true;
    return false;
}

static void forget(HANDLE handle)
{
    for (size_t i = 0; i < ARRAYSIZE(candidates); i++)
        if (candidates[i] == handle)
            candidates[i] = NULL;
}

struct socket *share_find(HANDLE handle)
{
    struct socket *socket = socket_find(handle);
    struct session *session;

    if (socket || !share_is_standard(handle) || RtlDllShutdownInProgress() ||
        session_open(&session))
        return socket;
    if (!(socket = share_adopt((SOCKET)handle)))
        forget(handle);
    return socket;
}
