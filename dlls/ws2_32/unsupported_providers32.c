/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The 64-bit DLL's names for the 32-bit provider catalog: as little built as those for its own
 * (unsupported_providers.c), with the same errors.  Takes no lock.
 */
#include "unsupported.h"

#ifdef _WIN64

int WINAPI WSCGetProviderInfo32(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                                size_t *size, DWORD flags, LPINT error);
int WINAPI WSCSetProviderInfo32(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                                size_t size, DWORD flags, LPINT error);
int WINAPI WSCInstallNameSpaceEx32(LPWSTR name, LPWSTR path, DWORD name_space, DWORD version,
                                   LPGUID provider, LPBLOB blob);
int WINAPI WSCInstallProviderAndChains64_32(const LPGUID provider, const LPWSTR path,
                                            const LPWSTR path32, const LPWSTR name, DWORD flags,
                                            const LPWSAPROTOCOL_INFOA list, DWORD count,
                                            LPDWORD catalog_id, LPINT error);
int WINAPI WSCWriteNameSpaceOrder32(LPGUID providers, DWORD count);
int WINAPI WSCWriteProviderOrder32(LPDWORD entries, DWORD count);

int WINAPI WSCDeinstallProvider32(LPGUID provider, LPINT error)
{
    (void)provider;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WSCGetProviderInfo32(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                                size_t *size, DWORD flags, LPINT error)
{
    (void)type, (void)info, (void)size, (void)flags;
    refuse_to(error, provider ? WSANO_RECOVERY : WSAEFAULT);
}

int WINAPI WSCSetProviderInfo32(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                                size_t size, DWORD flags, LPINT error)
{
    (void)type, (void)info, (void)size, (void)flags;
    refuse_to(error, provider ? WSANO_RECOVERY : WSAEFAULT);
}

int WINAPI WSCInstallProvider64_32(LPGUID provider, const WCHAR *path,
                                   const LPWSAPROTOCOL_INFOW list, DWORD count, LPINT error)
{
    (void)provider, (void)path, (void)list, (void)count;
    refuse_to(error, WSANO_RECOVERY);
}

int WINAPI WSCInstallProviderAndChains64_32(const LPGUID provider, const LPWSTR path,
                                            const LPWSTR path32, const LPWSTR name, DWORD flags,
                                            const LPWSAPROTOCOL_INFOA list, DWORD count,
                                            LPDWORD catalog_id, LPINT error)
{
    (void)provider, (void)path, (void)path32, (void)name, (void)flags, (void)list, (void)count;
    (void)catalog_id;
    refuse_to(error, WSANO_RECOVERY);
}

int WINAPI WSCUpdateProvider32(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                               DWORD count, LPINT error)
{
    (void)provider, (void)path, (void)list, (void)count;
    refuse_to(error, WSAEINVAL);
}

int WINAPI WSCWriteProviderOrder32(LPDWORD entries, DWORD count)
{
    (void)entries, (void)count;
    refuse(WSANO_RECOVERY, WSANO_RECOVERY);
}

int WINAPI WSCEnableNSProvider32(LPGUID provider, WINBOOL enable)
{
    (void)provider, (void)enable;
    refuse(WSAEINVAL, SOCKET_ERROR);
}

int WINAPI WSCInstallNameSpace32(LPWSTR name, LPWSTR path, DWORD name_space, DWORD version,
                                 LPGUID provider)
{
    (void)name, (void)path, (void)name_space, (void)version, (void)provider;
    refuse(WSASYSCALLFAILURE, SOCKET_ERROR);
}

int WINAPI WSCInstallNameSpaceEx32(LPWSTR name, LPWSTR path, DWORD name_space, DWORD version,
                                   LPGUID provider, LPBLOB blob)
{
    (void)name, (void)path, (void)name_space, (void)version, (void)provider, (void)blob;
    refuse(WSASYSCALLFAILURE, SOCKET_ERROR);
}

int WINAPI WSCUnInstallNameSpace32(LPGUID provider)
{
    (void)provider;
    refuse(WSAEINVAL, SOCKET_ERROR);
}

int WINAPI WSCWriteNameSpaceOrder32(LPGUID providers, DWORD count)
{
    (void)providers, (void)count;
    refuse(WSASYSCALLFAILURE, SOCKET_ERROR);
}

#else
typedef int unsupported_providers32_is_empty; /* ISO C wants a declaration */
#endif
