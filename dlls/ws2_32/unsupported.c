/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that exist on Windows and are not built here: name space services, socket duplication.
 *
 * Each fails with an error of its own page on learn.microsoft.com, or with WSAEOPNOTSUPP where the
 * page has none that fits; none claims success.  Takes no lock.
 */
#include "unsupported.h"

/* ---- sockets ---- */

int WINAPI WSADuplicateSocketA(SOCKET s, DWORD process, LPWSAPROTOCOL_INFOA info)
{
    (void)s, (void)process, (void)info;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

int WINAPI WSADuplicateSocketW(SOCKET s, DWORD process, LPWSAPROTOCOL_INFOW info)
{
    (void)s, (void)process, (void)info;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

SOCKET WINAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int length, LPWSABUF caller,
                          LPWSABUF callee, LPQOS sqos, LPQOS gqos, DWORD flags)
{
    (void)s, (void)name, (void)length, (void)caller, (void)callee, (void)sqos, (void)gqos;
    (void)flags;
    refuse(WSAEOPNOTSUPP, INVALID_SOCKET);
}

/* Its page: "the specified QoS template name is not valid"; there are none. */
WINBOOL WINAPI WSAGetQOSByName(SOCKET s, LPWSABUF name, LPQOS qos)
{
    (void)s, (void)name, (void)qos;
    refuse(WSAEINVAL, FALSE);
}

DWORD WINAPI ProcessSocketNotifications(HANDLE port, UINT32 registration_count, void *registrations,
                                        UINT32 timeout, ULONG completion_count,
                                        OVERLAPPED_ENTRY *entries, UINT32 *received);
DWORD WINAPI ProcessSocketNotifications(HANDLE port, UINT32 registration_count, void *registrations,
                                        UINT32 timeout, ULONG completion_count,
                                        OVERLAPPED_ENTRY *entries, UINT32 *received)
{
    (void)port, (void)registration_count, (void)registrations, (void)timeout;
    (void)completion_count, (void)entries;
    if (received)
        *received = 0;
    refuse(ERROR_NOT_SUPPORTED, ERROR_NOT_SUPPORTED);
}

/* ---- name space services ---- */

/* Recorded by Wine's tests on Windows: WSAEFAULT and ERROR_INVALID_PARAMETER come before anything
 * else.  Then "no such service is known": nothing is found, so there is no handle to go on with. */
static int begin_lookup(const void *query, bool sized, const void *lookup)
{
    DWORD error = WSASERVICE_NOT_FOUND;

    if (!query || !lookup)
        error = WSAEFAULT;
    else if (!sized)
        error = WSA_INVALID_PARAMETER;
    else
        log_once(LOG_WARN, "WSALookupServiceBegin is not supported: it finds nothing");
    SetLastError(error);
    return SOCKET_ERROR;
}

int WINAPI WSALookupServiceBeginA(LPWSAQUERYSETA query, DWORD flags, LPHANDLE lookup)
{
    (void)flags;
    return begin_lookup(query, query && query->dwSize >= sizeof(*query), lookup);
}

int WINAPI WSALookupServiceBeginW(LPWSAQUERYSETW query, DWORD flags, LPHANDLE lookup)
{
    (void)flags;
    return begin_lookup(query, query && query->dwSize >= sizeof(*query), lookup);
}

int WINAPI WSALookupServiceNextA(HANDLE lookup, DWORD flags, LPDWORD size, LPWSAQUERYSETA results)
{
    (void)lookup, (void)flags, (void)size, (void)results;
    refuse(WSA_INVALID_HANDLE, SOCKET_ERROR);
}

int WINAPI WSALookupServiceNextW(HANDLE lookup, DWORD flags, LPDWORD size, LPWSAQUERYSETW results)
{
    (void)lookup, (void)flags, (void)size, (void)results;
    refuse(WSA_INVALID_HANDLE, SOCKET_ERROR);
}

int WINAPI WSALookupServiceEnd(HANDLE lookup)
{
    (void)lookup;
    refuse(WSA_INVALID_HANDLE, SOCKET_ERROR);
}

int WINAPI WSANSPIoctl(HANDLE lookup, DWORD code, LPVOID in, DWORD in_size, LPVOID out,
                       DWORD out_size, LPDWORD returned, LPWSACOMPLETION completion)
{
    (void)lookup, (void)code, (void)in, (void)in_size, (void)out, (void)out_size, (void)returned;
    (void)completion;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

int WINAPI WSASetServiceA(LPWSAQUERYSETA info, WSAESETSERVICEOP operation, DWORD flags)
{
    (void)info, (void)operation, (void)flags;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

int WINAPI WSASetServiceW(LPWSAQUERYSETW info, WSAESETSERVICEOP operation, DWORD flags)
{
    (void)info, (void)operation, (void)flags;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

/* ---- service classes: there are none ---- */

int WINAPI WSAInstallServiceClassA(LPWSASERVICECLASSINFOA info)
{
    (void)info;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

int WINAPI WSAInstallServiceClassW(LPWSASERVICECLASSINFOW info)
{
    (void)info;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

int WINAPI WSARemoveServiceClass(LPGUID class)
{
    (void)class;
    refuse(WSATYPE_NOT_FOUND, SOCKET_ERROR);
}

int WINAPI WSAGetServiceClassInfoA(LPGUID provider, LPGUID class, LPDWORD size,
                                   LPWSASERVICECLASSINFOA info)
{
    (void)provider, (void)class, (void)size, (void)info;
    refuse(WSATYPE_NOT_FOUND, SOCKET_ERROR);
}

int WINAPI WSAGetServiceClassInfoW(LPGUID provider, LPGUID class, LPDWORD size,
                                   LPWSASERVICECLASSINFOW info)
{
    (void)provider, (void)class, (void)size, (void)info;
    refuse(WSATYPE_NOT_FOUND, SOCKET_ERROR);
}

int WINAPI WSAGetServiceClassNameByClassIdA(LPGUID class, LPSTR name, LPDWORD size)
{
    (void)class, (void)name, (void)size;
    refuse(WSATYPE_NOT_FOUND, SOCKET_ERROR);
}

int WINAPI WSAGetServiceClassNameByClassIdW(LPGUID class, LPWSTR name, LPDWORD size)
{
    (void)class, (void)name, (void)size;
    refuse(WSATYPE_NOT_FOUND, SOCKET_ERROR);
}

/* ---- Windows 3.1 ---- */

/* The exit procedure of a 16-bit DLL; nobody calls it, and it has nothing to do. */
int WINAPI WEP(void);
int WINAPI WEP(void)
{
    return 0;
}
