/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What only providers call, and what has no provider to answer for it.
 *
 * The errors are those of the pages.  Takes no lock.
 */
#include "guarded_copy.h"
#include "unsupported.h"

/* "WSAEINVAL: The socket passed in the s parameter is not a valid socket created by
 * WPUCreateSocketHandle", which only a layered provider could have called. */
int WINAPI WPUCompleteOverlappedRequest(SOCKET s, LPWSAOVERLAPPED overlapped, DWORD result,
                                        DWORD transferred, LPINT error)
{
    (void)s, (void)overlapped, (void)result, (void)transferred;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WSAUnadvertiseProvider(const GUID *provider);
int WINAPI WSAProviderCompleteAsyncCall(HANDLE call, int result);

int WINAPI WSAAdvertiseProvider(const GUID *provider, const LPCNSPV2_ROUTINE *routines)
{
    (void)provider, (void)routines;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

int WINAPI WSAUnadvertiseProvider(const GUID *provider)
{
    (void)provider;
    refuse(WSAEINVAL, SOCKET_ERROR);
}

int WINAPI WSAProviderCompleteAsyncCall(HANDLE call, int result)
{
    (void)call, (void)result;
    refuse(WSA_INVALID_HANDLE, SOCKET_ERROR);
}
