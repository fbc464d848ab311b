/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that exist on Windows and are not built here.
 *
 * Each fails with an error of its own page on learn.microsoft.com, or with WSAEOPNOTSUPP where the
 * page has none that fits; none claims success.  Takes no lock.
 */
#include "unsupported.h"
#include "socket.h"

/* ---- sockets ---- */

/* "WSAEINVAL: The specified QoS template name is invalid"; none is installed, as on Windows. */
WINBOOL WINAPI WSAGetQOSByName(SOCKET s, LPWSABUF name, LPQOS qos)
{
    (void)name, (void)qos;
    if (!socket_is_valid(s))
        return FALSE;
    refuse(WSAEINVAL, FALSE);
}

/* ---- Windows 3.1 ---- */

/* The exit procedure of a 16-bit DLL; nobody calls it, and it has nothing to do. */
int WINAPI WEP(void);
int WINAPI WEP(void)
{
    return 0;
}
