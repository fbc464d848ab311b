/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the host's error numbers to Windows Sockets codes.
 *
 * Owns: the one table.  Pure; callable from any thread.  The meaning of each code is Microsoft's
 * page "Windows Sockets Error Codes".
 */
#include <errno.h>
#include <netdb.h>

#include "error.h"

uint32_t error_from_errno(int error)
{
    static const struct {
        int host;
        uint32_t windows;
    } table[] = {
        {0, 0},
        {EINTR, WSAEINTR},
        {EBADF, WSAENOTSOCK},
        {EACCES, WSAEACCES},
        {EPERM, WSAEACCES},
        {EFAULT, WSAEFAULT},
        {EINVAL, WSAEINVAL},
        {EMFILE, WSAEMFILE},
        {ENFILE, WSAEMFILE},
        {EAGAIN, WSAEWOULDBLOCK},
        {EINPROGRESS, WSAEWOULDBLOCK},
        {EALREADY, WSAEALREADY},
        {ENOTSOCK, WSAENOTSOCK},
        {EDESTADDRREQ, WSAENOTCONN}, /* what send() without a peer gets on Windows */
        {EMSGSIZE, WSAEMSGSIZE},
        {EPROTOTYPE, WSAEPROTOTYPE},
        {ENOPROTOOPT, WSAENOPROTOOPT},
        {EPROTONOSUPPORT, WSAEPROTONOSUPPORT},
        {ESOCKTNOSUPPORT, WSAESOCKTNOSUPPORT},
        {EOPNOTSUPP, WSAEOPNOTSUPP},
        {EPFNOSUPPORT, WSAEPFNOSUPPORT},
        {EAFNOSUPPORT, WSAEAFNOSUPPORT},
        {EADDRINUSE, WSAEADDRINUSE},
        {EADDRNOTAVAIL, WSAEADDRNOTAVAIL},
        {ENODEV, WSAEADDRNOTAVAIL}, /* no such interface: multicast options, scope ids */
        {ENETDOWN, WSAENETDOWN},
        {ENETUNREACH, WSAENETUNREACH},
        {ENETRESET, WSAENETRESET},
        {ECONNABORTED, WSAECONNABORTED},
        {ECONNRESET, WSAECONNRESET},
        {EPIPE, WSAECONNABORTED}, /* Linux: a reset that arrived after the peer's end of data */
        {ENOBUFS, WSAENOBUFS},
        {ENOMEM, WSAENOBUFS},
        {EISCONN, WSAEISCONN},
        {ENOTCONN, WSAENOTCONN},
        {ESHUTDOWN, WSAESHUTDOWN},
        {ETIMEDOUT, WSAETIMEDOUT},
        {ECONNREFUSED, WSAECONNREFUSED},
        {ENAMETOOLONG, WSAENAMETOOLONG},
        {EHOSTDOWN, WSAEHOSTDOWN},
        {EHOSTUNREACH, WSAEHOSTUNREACH},
        {EPROTO, WSAECONNRESET},
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (table[i].host == error)
            return table[i].windows;
    }
    return WSAEINVAL;
}

uint32_t error_from_gai(int error)
{
    switch (error) {
    case 0:
        return 0;
    case EAI_AGAIN:
        return WSATRY_AGAIN;
    case EAI_FAIL:
        return WSANO_RECOVERY;
    case EAI_MEMORY:
        return WSA_NOT_ENOUGH_MEMORY;
    case EAI_FAMILY:
        return WSAEAFNOSUPPORT;
    case EAI_SOCKTYPE:
        return WSAESOCKTNOSUPPORT;
    case EAI_SERVICE:
        return WSATYPE_NOT_FOUND;
    case EAI_BADFLAGS:
        return WSAEINVAL;
#ifdef EAI_NODATA
    case EAI_NODATA:
        return WSANO_DATA;
#endif
    case EAI_SYSTEM:
        return errno ? error_from_errno(errno) : WSANO_RECOVERY;
    default:
        return WSAHOST_NOT_FOUND;
    }
}
