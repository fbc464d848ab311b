/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Installing, changing and asking about service providers: not built.  The catalog is fixed
 * (protocols.c), so whatever names another provider "could not be found", and nothing can be added.
 *
 * The errors are those of the WSC pages: WSAEINVAL = no such provider, WSANO_RECOVERY and
 * WSASYSCALLFAILURE = it could not be written.  Takes no lock.
 */
#include "unsupported.h"

/* ---- prototypes that the headers do not have ---- */

int WINAPI WPUGetProviderPathEx(LPGUID provider, DWORD catalog, WCHAR *path, LPINT length,
                                LPINT error);
int WINAPI WSAUnadvertiseProvider(const GUID *provider);
int WINAPI WSAProviderCompleteAsyncCall(HANDLE call, int result);
int WINAPI WSCDeinstallProviderEx(LPGUID provider, DWORD catalog, LPINT error);
int WINAPI WSCEnumProtocolsEx(DWORD catalog, LPINT protocols, LPWSAPROTOCOL_INFOW buffer,
                              LPDWORD length, LPINT error);
int WINAPI WSCGetApplicationCategory(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                     DWORD extra_length, DWORD *categories, LPINT error);
int WINAPI WSCGetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD flags, DWORD *categories,
                                       LPINT error);
int WINAPI WSCSetApplicationCategory(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                     DWORD extra_length, DWORD permitted, DWORD *previous,
                                     LPINT error);
int WINAPI WSCSetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD permitted, DWORD flags,
                                       DWORD *previous, LPINT error);
int WINAPI WSCGetProviderInfo(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                              size_t *size, DWORD flags, LPINT error);
int WINAPI WSCSetProviderInfo(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info, size_t size,
                              DWORD flags, LPINT error);
int WINAPI WSCInstallProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                                DWORD count, DWORD catalog, void *reserved, LPINT error);
int WINAPI WSCInstallProviderAndChains(const LPGUID provider, const LPWSTR path, const LPWSTR name,
                                       DWORD flags, const LPWSAPROTOCOL_INFOA list, DWORD count,
                                       LPDWORD catalog_id, LPINT error);
int WINAPI WSCUpdateProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                               DWORD count, DWORD catalog, LPINT error);
int WINAPI WSCWriteProviderOrder(LPDWORD entries, DWORD count);
int WINAPI WSCWriteProviderOrderEx(LPDWORD entries, DWORD count, DWORD catalog);

/* ---- for providers ---- */

/* Its page: s is no socket "created by WPUCreateSocketHandle". */
int WINAPI WPUCompleteOverlappedRequest(SOCKET s, LPWSAOVERLAPPED overlapped, DWORD result,
                                        DWORD transferred, LPINT error)
{
    (void)s, (void)overlapped, (void)result, (void)transferred;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WPUGetProviderPathEx(LPGUID provider, DWORD catalog, WCHAR *path, LPINT length,
                                LPINT error)
{
    (void)provider, (void)catalog, (void)path, (void)length;
    refuse_to(error, WSAEINVAL);
}

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

int WINAPI WSAProviderConfigChange(LPHANDLE notification, LPWSAOVERLAPPED overlapped,
                                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    (void)notification, (void)overlapped, (void)routine;
    refuse(WSAEOPNOTSUPP, SOCKET_ERROR);
}

/* ---- transport providers ---- */

int WINAPI WSCDeinstallProvider(LPGUID provider, LPINT error)
{
    (void)provider;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WSCDeinstallProviderEx(LPGUID provider, DWORD catalog, LPINT error)
{
    (void)provider, (void)catalog;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WSCEnumProtocolsEx(DWORD catalog, LPINT protocols, LPWSAPROTOCOL_INFOW buffer,
                              LPDWORD length, LPINT error)
{
    (void)catalog, (void)protocols, (void)buffer, (void)length;
    refuse_to(error, WSAEOPNOTSUPP);
}

int WINAPI WSCGetProviderInfo(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                              size_t *size, DWORD flags, LPINT error)
{
    (void)type, (void)info, (void)size, (void)flags;
    refuse_to(error, provider ? WSANO_RECOVERY : WSAEFAULT);
}

int WINAPI WSCSetProviderInfo(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info, size_t size,
                              DWORD flags, LPINT error)
{
    (void)type, (void)info, (void)size, (void)flags;
    refuse_to(error, provider ? WSANO_RECOVERY : WSAEFAULT);
}

int WINAPI WSCInstallProvider(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                              DWORD count, LPINT error)
{
    (void)provider, (void)path, (void)list, (void)count;
    refuse_to(error, WSANO_RECOVERY);
}

int WINAPI WSCInstallProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                                DWORD count, DWORD catalog, void *reserved, LPINT error)
{
    (void)provider, (void)path, (void)list, (void)count, (void)catalog, (void)reserved;
    refuse_to(error, WSANO_RECOVERY);
}

int WINAPI WSCInstallProviderAndChains(const LPGUID provider, const LPWSTR path, const LPWSTR name,
                                       DWORD flags, const LPWSAPROTOCOL_INFOA list, DWORD count,
                                       LPDWORD catalog_id, LPINT error)
{
    (void)provider, (void)path, (void)name, (void)flags, (void)list, (void)count, (void)catalog_id;
    refuse_to(error, WSANO_RECOVERY);
}

int WINAPI WSCUpdateProvider(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                             DWORD count, LPINT error)
{
    (void)provider, (void)path, (void)list, (void)count;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WSCUpdateProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                               DWORD count, DWORD catalog, LPINT error)
{
    (void)provider, (void)path, (void)list, (void)count, (void)catalog;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WSCWriteProviderOrder(LPDWORD entries, DWORD count)
{
    (void)entries, (void)count;
    refuse(WSANO_RECOVERY, WSANO_RECOVERY);
}

int WINAPI WSCWriteProviderOrderEx(LPDWORD entries, DWORD count, DWORD catalog)
{
    (void)entries, (void)count, (void)catalog;
    refuse(WSANO_RECOVERY, WSANO_RECOVERY);
}

/* ---- application categories ---- */

/* Its page: "The service could not be found based on the Path and Extra parameters". */
int WINAPI WSCGetApplicationCategory(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                     DWORD extra_length, DWORD *categories, LPINT error)
{
    (void)path, (void)path_length, (void)extra, (void)extra_length, (void)categories;
    refuse_to(error, WSASERVICE_NOT_FOUND);
}

int WINAPI WSCGetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD flags, DWORD *categories,
                                       LPINT error)
{
    (void)path, (void)path_length, (void)extra, (void)extra_length, (void)flags, (void)categories;
    refuse_to(error, WSASERVICE_NOT_FOUND);
}

int WINAPI WSCSetApplicationCategory(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                     DWORD extra_length, DWORD permitted, DWORD *previous,
                                     LPINT error)
{
    (void)path, (void)path_length, (void)extra, (void)extra_length, (void)permitted;
    (void)previous;
    refuse_to(error, WSANO_RECOVERY);
}

int WINAPI WSCSetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD permitted, DWORD flags,
                                       DWORD *previous, LPINT error)
{
    (void)path, (void)path_length, (void)extra, (void)extra_length, (void)permitted, (void)flags;
    (void)previous;
    refuse_to(error, WSANO_RECOVERY);
}

/* ---- name space providers ---- */
