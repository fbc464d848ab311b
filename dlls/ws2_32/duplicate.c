/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSADuplicateSocketA, WSADuplicateSocketW.  Owns nothing, takes no lock.
 *
 * As on Windows the target process is given a handle at once, so that the socket lives on if this
 * process ends; the protocol information carries its value (dwProviderReserved), and WSASocket
 * there makes a socket of it (share_adopt.c).
 */
#include "guarded_copy.h"
#include "intercept.h"
#include "protocols.h"
#include "share.h"
#include "startup.h"

static DWORD give_handle(SOCKET handle, HANDLE process, WSAPROTOCOL_INFOW *info)
{
    HANDLE target;

    /* not through our own stand-in: in this process the handle becomes a socket in WSASocket */
    if (real_NtDuplicateObject(GetCurrentProcess(), (HANDLE)handle, process, &target, 0, 0,
                               DUPLICATE_SAME_ACCESS))
        return WSAEMFILE;
    info->dwProviderReserved = (DWORD)(ULONG_PTR)target;
    return 0;
}

static DWORD duplicate(struct socket *socket, SOCKET handle, HANDLE process,
                       WSAPROTOCOL_INFOW *info)
{
    const WSAPROTOCOL_INFOW *protocol;
    DWORD error;
    int unknown = 0;

    if (!(protocol = protocol_find_error(socket->family, socket->type, socket->protocol, &unknown)))
        return (DWORD)unknown;
    *info = *protocol;
    if ((error = share_park(socket)))
        return error;
    return give_handle(handle, process, info);
}

/* A bad process is told before a bad pointer (Wine's test_WSADuplicateSocket, run on Windows). */
static DWORD checked(SOCKET s, DWORD process_id, void *result, size_t size,
                     WSAPROTOCOL_INFOW *info)
{
    struct socket *socket = socket_get(s);
    HANDLE process;
    DWORD error;

    if (!socket)
        return GetLastError();
    if (!(process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, process_id)))
        error = WSAEINVAL;
    else {
        error = guarded_writable(result, size) ? duplicate(socket, s, process, info) : WSAEFAULT;
        CloseHandle(process);
    }
    socket_put(socket);
    return error;
}

int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD process_id, LPWSAPROTOCOL_INFOW result)
{
    WSAPROTOCOL_INFOW info;
    DWORD error = checked(s, process_id, result, sizeof(*result), &info);

    if (!error && guarded_copy(result, &info, sizeof(info)))
        error = WSAEFAULT;
    return return_error(error);
}

int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD process_id, LPWSAPROTOCOL_INFOA result)
{
    WSAPROTOCOL_INFOW wide;
    WSAPROTOCOL_INFOA info;
    DWORD error = checked(s, process_id, result, sizeof(*result), &wide);

    if (error)
        return return_error(error);
    memcpy(&info, &wide, offsetof(WSAPROTOCOL_INFOA, szProtocol)); /* the same up to the name */
    WideCharToMultiByte(CP_ACP, 0, wide.szProtocol, -1, info.szProtocol, sizeof(info.szProtocol),
                        NULL, NULL);
    return return_error(guarded_copy(result, &info, sizeof(info)) ? WSAEFAULT : 0);
}
