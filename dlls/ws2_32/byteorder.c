/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Byte order: host (little endian on every Wine we build for) to network and back.
 *
 * The WSA forms exist for protocols of another order; all of ours use big endian, so the socket is
 * only checked.  Takes no lock.
 */
#include "arguments.h"
#include "socket.h"
#include "startup.h"

u_long WINAPI htonl(u_long host)
{
    return __builtin_bswap32(host);
}

u_short WINAPI htons(u_short host)
{
    return __builtin_bswap16(host);
}

u_long WINAPI ntohl(u_long network)
{
    return __builtin_bswap32(network);
}

u_short WINAPI ntohs(u_short network)
{
    return __builtin_bswap16(network);
}

/* The order of checks of the four pages' error lists. */
static DWORD check(SOCKET s, void *result, size_t size)
{
    if (!startup_check())
        return WSANOTINITIALISED;
    if (!socket_is_valid(s))
        return WSAENOTSOCK;
    return result && argument_out(result, size) ? 0 : WSAEFAULT;
}

int WINAPI WSAHtonl(SOCKET s, u_long host, u_long *network)
{
    DWORD error = check(s, network, sizeof(*network));

    if (!error)
        *network = __builtin_bswap32(host);
    return return_error(error);
}

int WINAPI WSAHtons(SOCKET s, u_short host, u_short *network)
{
    DWORD error = check(s, network, sizeof(*network));

    if (!error)
        *network = __builtin_bswap16(host);
    return return_error(error);
}

int WINAPI WSANtohl(SOCKET s, u_long network, u_long *host)
{
    DWORD error = check(s, host, sizeof(*host));

    if (!error)
        *host = __builtin_bswap32(network);
    return return_error(error);
}

int WINAPI WSANtohs(SOCKET s, u_short network, u_short *host)
{
    DWORD error = check(s, host, sizeof(*host));

    if (!error)
        *host = __builtin_bswap16(network);
    return return_error(error);
}
