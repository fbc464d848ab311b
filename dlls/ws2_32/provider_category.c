/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Categories of layered providers, and which of them an application permits: WSCSetProviderInfo,
 * WSCSetApplicationCategory and their kin.
 *
 * Kept in the registry, beside the catalogs: Provider_Info[32]\{GUID} and
 * AppId_Catalog\000000000001. Since no socket goes through a layered provider they have no other
 * effect.  Owns `categories_lock`, under which the registry is changed.
 */
#include "arguments.h"
#include "catalog_registry.h"
#include "guarded_copy.h"
#include "protocol_catalog.h"

#include <ws2spi.h>

#define CATEGORIES L"PermittedLspCategories"

static SRWLOCK categories_lock = SRWLOCK_INIT;

/* ---- of a provider ---- */

static HKEY provider_key(bool wow, const GUID *id, bool write)
{
    const unsigned char *d = id->Data4;
    WCHAR path[96];

    swprintf(path, ARRAYSIZE(path),
             L"Provider_Info%ls\\{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
             wow ? L"32" : L"", id->Data1, id->Data2, id->Data3, d[0], d[1], d[2], d[3], d[4], d[5],
             d[6], d[7]);
    return catalog_parameters(path, write);
}

/* Wine's tests saw on Windows: WSAEFAULT without a provider, and WSANO_RECOVERY for an unknown one
 * whatever the other arguments are. */
static DWORD check_provider(bool wow, const GUID *provider, WSC_PROVIDER_INFO_TYPE type)
{
    struct protocol_list list;
    DWORD error;

    if (!provider || !argument_in(provider, sizeof(*provider)))
        return WSAEFAULT;
    if (!(error = protocol_list_load(wow, &list)) && !protocol_list_find(&list, provider))
        error = WSANO_RECOVERY;
    protocol_list_free(&list);
    if (error)
        return error;
    if (type == ProviderInfoAudit) /* "ERROR_CALL_NOT_IMPLEMENTED: ... if ProviderInfoAudit" */
        return ERROR_CALL_NOT_IMPLEMENTED;
    return type == ProviderInfoLspCategories ? 0 : WSAEINVAL;
}

static DWORD read_categories(bool wow, const GUID *provider, DWORD *categories)
{
    HKEY key = provider_key(wow, provider, false);
    DWORD size = sizeof(*categories);
    LSTATUS status;

    if (!key)
        return WSANO_RECOVERY; /* none was set */
    status = RegQueryValueExW(key, L"LspCategories", NULL, NULL, (BYTE *)categories, &size);
    RegCloseKey(key);
    return status ? WSANO_RECOVERY : 0;
}

static DWORD get_info(bool wow, const GUID *provider, WSC_PROVIDER_INFO_TYPE type, BYTE *info,
                      size_t *size)
{
    DWORD error = check_provider(wow, provider, type), categories;

    if (!error && (!size || !argument_out(size, sizeof(*size))))
        error = WSAEFAULT;
    if (error)
        return error;
    /* "If this parameter is NULL, then WSCGetProviderInfo returns failure and the size required for
     * this buffer is returned" */
    if (!info || *size < sizeof(categories)) {
        *size = sizeof(categories);
        return WSAEFAULT;
    }
    if ((error = read_categories(wow, provider, &categories)))
        return error;
    *size = sizeof(categories);
    return guarded_copy(info, &categories, sizeof(categories)) ? WSAEFAULT : 0;
}

static DWORD set_info(bool wow, const GUID *provider, WSC_PROVIDER_INFO_TYPE type, const BYTE *info,
                      size_t size)
{
    DWORD error = check_provider(wow, provider, type), categories;
    HKEY key;

    if (error)
        return error;
    if (!info || guarded_copy(&categories, info, min(size, sizeof(categories))))
        return WSAEFAULT;
    if (size != sizeof(categories))
        return WSAEINVAL;
    if (!(key = provider_key(wow, provider, true)))
        return WSANO_RECOVERY;
    error = catalog_set_number(key, L"LspCategories", categories) ? 0 : WSANO_RECOVERY;
    RegCloseKey(key);
    return error;
}

/* ---- of an application ---- */

/* Who it is: the program, and where it matters its command line. */
struct application {
    WCHAR path[MAX_PATH], extra[MAX_PATH];
};

static bool take(WCHAR to[MAX_PATH], const WCHAR *from, DWORD length)
{
    if (length >= MAX_PATH || guarded_copy(to, from, length * sizeof(*to)))
        return false;
    to[length] = 0;
    return true;
}

/* Wine's tests saw WSAEINVAL on Windows for an empty path and without a place for the result. */
static DWORD identify(const WCHAR *path, DWORD path_length, const WCHAR *extra, DWORD extra_length,
                      struct application *application)
{
    WCHAR unexpanded[MAX_PATH];
    DWORD length;

    memset(application, 0, sizeof(*application));
    if (!path || !path_length || (extra && !extra_length) || !take(unexpanded, path, path_length) ||
        (extra && !take(application->extra, extra, extra_length)))
        return WSAEINVAL;
    length = ExpandEnvironmentStringsW(unexpanded, application->path, MAX_PATH);
    return length && length <= MAX_PATH ? 0 : WSAEINVAL;
}

static bool is_entry_of(HKEY entry, const struct application *application)
{
    WCHAR path[MAX_PATH], extra[MAX_PATH];

    catalog_get_text(entry, L"AppFullPath", path, MAX_PATH);
    catalog_get_text(entry, L"AppArgs", extra, MAX_PATH);
    return !_wcsicmp(path, application->path) && !wcscmp(extra, application->extra);
}

/* The application's entry, or NULL. */
static HKEY find_application(HKEY catalog, const struct application *application)
{
    DWORD count = catalog_count(catalog);

    for (DWORD i = 1; i <= count; i++) {
        HKEY entry = catalog_entry(catalog, i, false);

        if (!entry)
            continue;
        if (is_entry_of(entry, application) && !RegCloseKey(entry))
            return catalog_entry(catalog, i, true);
        RegCloseKey(entry);
    }
    return NULL;
}

static HKEY add_application(HKEY catalog, const struct application *application)
{
    HKEY entry = catalog_entry(catalog, catalog_count(catalog) + 1, true);

    if (entry) {
        catalog_set_text(entry, L"AppFullPath", application->path);
        catalog_set_text(entry, L"AppArgs", application->extra);
    }
    return entry;
}

/* "WSASERVICE_NOT_FOUND: The service could not be found based on the Path and Extra parameters." */
static DWORD get_categories(const struct application *application, DWORD *categories)
{
    HKEY catalog = catalog_parameters(L"AppId_Catalog", false), entry;
    DWORD error = WSASERVICE_NOT_FOUND;

    if (catalog && (entry = find_application(catalog, application))) {
        *categories = catalog_get_number(entry, CATEGORIES);
        RegCloseKey(entry);
        error = 0;
    }
    if (catalog)
        RegCloseKey(catalog);
    return error;
}

/* "If the WSCSetApplicationCategory function is called on the same application ... multiple times,
 * then the categories are ORed together." */
static DWORD set_categories(const struct application *application, DWORD permitted, DWORD *previous)
{
    HKEY catalog = catalog_parameters(L"AppId_Catalog", true), entry = NULL;
    DWORD before = 0, error = WSANO_RECOVERY;

    if (catalog && ((entry = find_application(catalog, application)) ||
                    (entry = add_application(catalog, application)))) {
        before = catalog_get_number(entry, CATEGORIES);
        if (catalog_set_number(entry, CATEGORIES, before | permitted))
            error = 0;
        RegCloseKey(entry);
    }
    if (catalog)
        RegCloseKey(catalog);
    if (!error && previous)
        *previous = before;
    return error;
}

static DWORD application_get(const WCHAR *path, DWORD path_length, const WCHAR *extra,
                             DWORD extra_length, DWORD *categories)
{
    struct application application;
    DWORD error = identify(path, path_length, extra, extra_length, &application);

    if (!error && !categories)
        error = WSAEINVAL;
    if (!error && !argument_out(categories, sizeof(*categories)))
        error = WSAEFAULT;
    if (error)
        return error;
    AcquireSRWLockShared(&categories_lock);
    error = get_categories(&application, categories);
    ReleaseSRWLockShared(&categories_lock);
    return error;
}

static DWORD application_set(const WCHAR *path, DWORD path_length, const WCHAR *extra,
                             DWORD extra_length, DWORD permitted, DWORD *previous)
{
    struct application application;
    DWORD error = identify(path, path_length, extra, extra_length, &application);

    if (!error && !argument_out(previous, sizeof(*previous)))
        error = WSAEFAULT;
    if (error)
        return error;
    AcquireSRWLockExclusive(&categories_lock);
    error = set_categories(&application, permitted, previous);
    ReleaseSRWLockExclusive(&categories_lock);
    return error;
}

/* ---- the exports; what `flags` of the Ex forms mean is not documented ---- */

int WINAPI WSCGetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD flags, DWORD *categories,
                                       LPINT error);
int WINAPI WSCSetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD permitted, DWORD flags,
                                       DWORD *previous, LPINT error);

int WINAPI WSCGetApplicationCategory(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                     DWORD extra_length, DWORD *categories, LPINT error)
{
    return protocol_answer(application_get(path, path_length, extra, extra_length, categories),
                           error);
}

int WINAPI WSCGetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD flags, DWORD *categories,
                                       LPINT error)
{
    (void)flags;
    return protocol_answer(application_get(path, path_length, extra, extra_length, categories),
                           error);
}

int WINAPI WSCSetApplicationCategory(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                     DWORD extra_length, DWORD permitted, DWORD *previous,
                                     LPINT error)
{
    return protocol_answer(
        application_set(path, path_length, extra, extra_length, permitted, previous), error);
}

int WINAPI WSCSetApplicationCategoryEx(LPCWSTR path, DWORD path_length, LPCWSTR extra,
                                       DWORD extra_length, DWORD permitted, DWORD flags,
                                       DWORD *previous, LPINT error)
{
    (void)flags;
    return protocol_answer(
        application_set(path, path_length, extra, extra_length, permitted, previous), error);
}

int WINAPI WSCGetProviderInfo(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                              size_t *size, DWORD flags, LPINT error)
{
    (void)flags;
    return protocol_answer(get_info(false, provider, type, info, size), error);
}

int WINAPI WSCSetProviderInfo(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info, size_t size,
                              DWORD flags, LPINT error)
{
    (void)flags;
    return protocol_answer(set_info(false, provider, type, info, size), error);
}

#ifdef _WIN64
int WINAPI WSCGetProviderInfo32(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                                size_t *size, DWORD flags, LPINT error)
{
    (void)flags;
    return protocol_answer(get_info(true, provider, type, info, size), error);
}

int WINAPI WSCSetProviderInfo32(LPGUID provider, WSC_PROVIDER_INFO_TYPE type, PBYTE info,
                                size_t size, DWORD flags, LPINT error)
{
    (void)flags;
    return protocol_answer(set_info(true, provider, type, info, size), error);
}
#endif
