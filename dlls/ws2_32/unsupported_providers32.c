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
int WINAPI WSCInstallProviderAndChains64_32(const LPGUID provider, const LPWSTR path,
                                            const LPWSTR path32, const LPWSTR name, DWORD flags,
                                            const LPWSAPROTOCOL_INFOA list, DWORD count,
                                            LPDWORD catalog_id, LPINT error);
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

#else
typedef int unsupported_providers32_is_empty; /* ISO C wants a declaration */
#endif
