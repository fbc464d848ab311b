/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog of name space providers, and its enumeration.
 *
 * Without an entry in the registry it has the two providers that are built, with the names and
 * GUIDs that every Windows gives them; the first change writes them there with the rest, and from
 * then on the registry is the catalog.  Takes no lock.
 */
#include "name_spaces.h"
#include "arguments.h"
#include "catalog_registry.h"
#include "guarded_copy.h"
#include "packing.h"
#include "startup.h"

#include <ws2spi.h>

const GUID dns_provider = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};
const GUID nla_provider = NLA_NAMESPACE_GUID;

static const struct {
    const GUID *provider;
    DWORD name_space;
    const WCHAR *identifier, *path;
} built_in[] = {
    {&nla_provider, NS_NLA, L"Network Location Awareness Legacy (NLAv1) Namespace",
     L"%SystemRoot%\\system32\\nlaapi.dll"},
    {&dns_provider, NS_DNS, L"Tcpip", L"%SystemRoot%\\System32\\mswsock.dll"},
};

/* ---- the list ---- */

void name_spaces_free(struct name_space_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].blob);
    free(list->entries);
    list->entries = NULL;
    list->count = 0;
}

struct name_space *name_spaces_find(const struct name_space_list *list, const GUID *provider)
{
    for (size_t i = 0; i < list->count; i++)
        if (!memcmp(&list->entries[i].provider, provider, sizeof(*provider)))
            return &list->entries[i];
    return NULL;
}

static DWORD load_built_in(struct name_space_list *list)
{
    if (!(list->entries = calloc(ARRAYSIZE(built_in), sizeof(*list->entries))))
        return WSA_NOT_ENOUGH_MEMORY;
    list->count = ARRAYSIZE(built_in);
    for (size_t i = 0; i < list->count; i++) {
        struct name_space *entry = &list->entries[i];

        entry->provider = *built_in[i].provider;
        entry->name_space = built_in[i].name_space;
        entry->active = TRUE;
        wcscpy(entry->identifier, built_in[i].identifier);
        wcscpy(entry->path, built_in[i].path);
    }
    return 0;
}

static bool load_entry(HKEY key, struct name_space *entry)
{
    DWORD size;
    GUID *provider = catalog_get_bytes(key, L"ProviderId", &size);

    if (!provider || size != sizeof(*provider)) {
        free(provider);
        return false;
    }
    entry->provider = *provider;
    free(provider);
    catalog_get_text(key, L"DisplayString", entry->identifier, NAME_SPACE_TEXT);
    catalog_get_text(key, L"LibraryPath", entry->path, NAME_SPACE_TEXT);
    entry->name_space = catalog_get_number(key, L"SupportedNameSpace");
    entry->version = catalog_get_number(key, L"Version");
    entry->active = catalog_get_number(key, L"Enabled") != 0;
    entry->blob = catalog_get_bytes(key, L"ProviderInfo", &entry->blob_size);
    return true;
}

DWORD name_spaces_load(bool wow, struct name_space_list *list)
{
    struct catalog_view view = {NAME_SPACE_CATALOG, wow};
    HKEY entries = catalog_open(&view, false), key;
    DWORD count = entries ? catalog_count(entries) : 0, error = 0;

    memset(list, 0, sizeof(*list));
    if (!count)
        error = load_built_in(list);
    else if (!(list->entries = calloc(count, sizeof(*list->entries))))
        error = WSA_NOT_ENOUGH_MEMORY;
    for (DWORD i = 1; !error && i <= count; i++)
        if ((key = catalog_entry(entries, i, false))) {
            list->count += load_entry(key, &list->entries[list->count]);
            RegCloseKey(key);
        }
    if (entries)
        RegCloseKey(entries);
    return error;
}

static bool save_entry(HKEY key, const struct name_space *entry)
{
    return catalog_set_text(key, L"DisplayString", entry->identifier) &&
           catalog_set_text(key, L"LibraryPath", entry->path) &&
           catalog_set_number(key, L"SupportedNameSpace", entry->name_space) &&
           catalog_set_number(key, L"Version", entry->version) &&
           catalog_set_number(key, L"Enabled", entry->active != 0) &&
           catalog_set_number(key, L"StoresServiceClassInfo", 0) &&
           catalog_set_bytes(key, L"ProviderId", &entry->provider, sizeof(GUID)) &&
           (!entry->blob || catalog_set_bytes(key, L"ProviderInfo", entry->blob, entry->blob_size));
}

static bool is_same(const struct name_space *a, const struct name_space *b)
{
    return !memcmp(&a->provider, &b->provider, sizeof(GUID)) && a->name_space == b->name_space &&
           a->version == b->version && a->active == b->active && !a->blob && !b->blob &&
           !wcscmp(a->identifier, b->identifier) && !wcscmp(a->path, b->path);
}

/* Nothing but the built-in ones, as they are: the registry need not say so. */
static bool is_built_in(const struct name_space_list *list)
{
    struct name_space_list known = {NULL, 0};
    bool same = !load_built_in(&known) && known.count == list->count;

    for (size_t i = 0; same && i < known.count; i++)
        same = is_same(&known.entries[i], &list->entries[i]);
    name_spaces_free(&known);
    return same;
}

DWORD name_spaces_save(bool wow, const struct name_space_list *list)
{
    struct catalog_view view = {NAME_SPACE_CATALOG, wow};
    HKEY entries = catalog_open(&view, true), key;
    size_t count = is_built_in(list) ? 0 : list->count;
    DWORD error = 0;

    if (!entries)
        return WSAEACCES;
    catalog_clear(entries);
    for (size_t i = 0; i < count && !error; i++) {
        key = catalog_entry(entries, (DWORD)i + 1, true);
        if (!key || !save_entry(key, &list->entries[i]))
            error = WSASYSCALLFAILURE;
        if (key)
            RegCloseKey(key);
    }
    RegCloseKey(entries);
    catalog_written(&view, (DWORD)count);
    return error;
}

/* ---- enumeration ---- */

/* How the four structures differ; they begin alike. */
struct form {
    size_t size; /* of an entry */
    bool ansi, extended;
};
_Static_assert(offsetof(WSANAMESPACE_INFOA, lpszIdentifier) ==
                       offsetof(WSANAMESPACE_INFOEXW, lpszIdentifier) &&
                   offsetof(WSANAMESPACE_INFOW, lpszIdentifier) ==
                       offsetof(WSANAMESPACE_INFOEXW, lpszIdentifier) &&
                   offsetof(WSANAMESPACE_INFOEXA, ProviderSpecific) ==
                       offsetof(WSANAMESPACE_INFOEXW, ProviderSpecific),
               "the four structures begin alike");

/* The entries behind each other, then what they point to. */
static void pack(struct packing *packing, const struct name_space_list *list,
                 const struct form *form)
{
    WSANAMESPACE_INFOEXW info;
    void *here;

    packing_place(packing, list->count * form->size, &here);
    for (size_t i = 0; i < list->count; i++) {
        const struct name_space *entry = &list->entries[i];

        memset(&info, 0, sizeof(info));
        info.NSProviderId = entry->provider;
        info.dwNameSpace = entry->name_space;
        info.fActive = entry->active;
        info.dwVersion = entry->version;
        info.lpszIdentifier = packing_text(packing, entry->identifier, form->ansi);
        if (form->extended && entry->blob) {
            packing_align(packing);
            info.ProviderSpecific.cbSize = entry->blob_size;
            info.ProviderSpecific.pBlobData = packing_bytes(packing, entry->blob, entry->blob_size);
        }
        if (here)
            memcpy((char *)here + i * form->size, &info, form->size);
    }
}

static DWORD store(const struct name_space_list *list, const struct form *form, DWORD *size,
                   void *buffer)
{
    struct packing packing = {NULL, buffer, 0};
    DWORD error = 0;

    pack(&packing, list, form);
    if (!buffer || *size < packing.used) {
        *size = (DWORD)packing.used;
        return WSAEFAULT;
    }
    if (!(packing.memory = malloc(packing.used)))
        return WSA_NOT_ENOUGH_MEMORY;
    packing.used = 0;
    pack(&packing, list, form);
    if (guarded_copy(buffer, packing.memory, packing.used))
        error = WSAEFAULT;
    free(packing.memory);
    return error;
}

/* "the number of WSANAMESPACE_INFO structures copied into lpnspBuffer" */
static int enumerate(bool wow, const struct form *form, DWORD *size, void *buffer)
{
    struct name_space_list list;
    DWORD error;
    int count;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!size || !argument_out(size, sizeof(*size)))
        return return_error(WSAEFAULT);
    if ((error = name_spaces_load(wow, &list)))
        return return_error(error);
    error = store(&list, form, size, buffer);
    count = (int)list.count;
    name_spaces_free(&list);
    return error ? return_error(error) : count;
}

INT WINAPI WSAEnumNameSpaceProvidersA(LPDWORD size, LPWSANAMESPACE_INFOA buffer)
{
    static const struct form form = {sizeof(WSANAMESPACE_INFOA), true, false};

    return enumerate(false, &form, size, buffer);
}

INT WINAPI WSAEnumNameSpaceProvidersW(LPDWORD size, LPWSANAMESPACE_INFOW buffer)
{
    static const struct form form = {sizeof(WSANAMESPACE_INFOW), false, false};

    return enumerate(false, &form, size, buffer);
}

INT WINAPI WSAEnumNameSpaceProvidersExA(LPDWORD size, LPWSANAMESPACE_INFOEXA buffer)
{
    static const struct form form = {sizeof(WSANAMESPACE_INFOEXA), true, true};

    return enumerate(false, &form, size, buffer);
}

INT WINAPI WSAEnumNameSpaceProvidersExW(LPDWORD size, LPWSANAMESPACE_INFOEXW buffer)
{
    static const struct form form = {sizeof(WSANAMESPACE_INFOEXW), false, true};

    return enumerate(false, &form, size, buffer);
}

#ifdef _WIN64
INT WINAPI WSCEnumNameSpaceProvidersEx32(LPDWORD size, LPWSANAMESPACE_INFOEXW buffer);

INT WINAPI WSCEnumNameSpaceProviders32(LPDWORD size, LPWSANAMESPACE_INFOW buffer)
{
    static const struct form form = {sizeof(WSANAMESPACE_INFOW), false, false};

    return enumerate(true, &form, size, buffer);
}

INT WINAPI WSCEnumNameSpaceProvidersEx32(LPDWORD size, LPWSANAMESPACE_INFOEXW buffer)
{
    static const struct form form = {sizeof(WSANAMESPACE_INFOEXW), false, true};

    return enumerate(true, &form, size, buffer);
}
#endif
