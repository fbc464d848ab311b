/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SOCKET as a standard handle or as a descriptor of the C runtime that this process was started
 * with (see share.h).
 *
 * A program that was started so reads and writes it with ReadFile and WriteFile, and may never call
 * Winsock (git-daemon starts its children so, as inetd does).  Owns the entries of such handles
 * that may be sockets, made once; takes no lock itself.
 *
 * What is written here stays: a handle that was closed and is another file's now is asked about by
 * its inode, and is then no socket to the server.
 */
#include "share.h"
#include "handle_pages.h"
#include "ntcalls.h"
#include "session.h"

/* How _spawn of the C runtimes gives descriptors to a child, in STARTUPINFO's lpReserved2: their
 * count, a byte of flags for each, a handle for each, without padding. */
#define CRT_OPEN 0x01
#define CRT_PIPE 0x08 /* GetFileType said FILE_TYPE_PIPE, as it does of a socket */

bool share_is_standard(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_STANDARD, handle);

    return entry && *entry;
}

static void consider(HANDLE handle)
{
    void *volatile *entry;

    if (!share_is_standard(handle) && share_may_be_socket(handle) &&
        (entry = handle_make(HANDLE_STANDARD, handle)))
        *entry = handle;
}

/* The block is the parent's: no count in it is believed that its size does not bear out. */
static void consider_descriptors(const BYTE *block, size_t size)
{
    const BYTE *flags = block + sizeof(uint32_t);
    uint32_t count;

    if (!block || size < sizeof(count))
        return;
    memcpy(&count, block, sizeof(count));
    if (count > (size - sizeof(count)) / (1 + sizeof(HANDLE)))
        return;
    for (uint32_t i = 0; i < count; i++) {
        HANDLE handle;

        memcpy(&handle, flags + count + i * sizeof(handle), sizeof(handle));
        if ((flags[i] & (CRT_OPEN | CRT_PIPE)) == (CRT_OPEN | CRT_PIPE))
            consider(handle);
    }
}

void share_standard_init(void)
{
    static const DWORD which[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    STARTUPINFOW startup = {.cb = sizeof(startup)};

    for (size_t i = 0; i < ARRAYSIZE(which); i++)
        consider(GetStdHandle(which[i]));
    GetStartupInfoW(&startup);
    consider_descriptors(startup.lpReserved2, startup.cbReserved2);
}

struct socket *share_find(HANDLE handle)
{
    struct socket *socket = socket_find(handle);
    struct session *session;

    if (socket || !share_is_standard(handle) || RtlDllShutdownInProgress() ||
        session_open(&session))
        return socket;
    if (!(socket = share_adopt((SOCKET)handle)))
        *handle_find(HANDLE_STANDARD, handle) = NULL; /* it was none */
    return socket;
}
