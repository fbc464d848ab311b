/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog of transport providers: keeping it, enumerating it, paths.
 *
 * Without an entry in the registry it has the base protocols; the first change writes them there
 * with the rest, as PackedCatalogItem (the path in ANSI, then the WSAPROTOCOL_INFOW), and from then
 * on the registry is the catalog.  Takes no lock.
 */
#include "protocol_catalog.h"
#include "arguments.h"
#include "catalog_registry.h"
#include "guarded_copy.h"
#include "protocols.h"
#include "startup.h"

#include <ws2spi.h>

/* All base protocols are in mswsock.dll, as on Windows; unexpanded, as in its registry. */
static const WCHAR base_path[] = L"%SystemRoot%\\system32\\mswsock.dll";

struct packed_item {
    char path[MAX_PATH];
    WSAPROTOCOL_INFOW info;
};

int protocol_answer(DWORD error, int *where)
{
    if (error && where)
        guarded_store((DWORD *)where, error);
    return error ? SOCKET_ERROR : 0;
}

/* ---- the list ---- */

void protocol_list_free(struct protocol_list *list)
{
    free(list->entries);
    list->entries = NULL;
    list->count = 0;
}

bool protocol_list_insert(struct protocol_list *list, size_t at, size_t count)
{
    struct protocol_entry *larger =
        realloc(list->entries, (list->count + count + 1) * sizeof(*larger));

    if (!larger)
        return false;
    list->entries = larger;
    memmove(larger + at + count, larger + at, (list->count - at) * sizeof(*larger));
    memset(larger + at, 0, count * sizeof(*larger));
    list->count += count;
    return true;
}

struct protocol_entry *protocol_list_find(const struct protocol_list *list, const GUID *provider)
{
    for (size_t i = 0; i < list->count; i++)
        if (!memcmp(&list->entries[i].info.ProviderId, provider, sizeof(*provider)))
            return &list->entries[i];
    return NULL;
}

static DWORD load_base(struct protocol_list *list)
{
    size_t count;
    const WSAPROTOCOL_INFOW *base = protocol_base(&count);

    if (!protocol_list_insert(list, 0, count))
        return WSA_NOT_ENOUGH_MEMORY;
    for (size_t i = 0; i < count; i++) {
        memcpy(list->entries[i].path, base_path, sizeof(base_path));
        list->entries[i].info = base[i];
    }
    return 0;
}

static void load_entry(HKEY key, struct protocol_list *list)
{
    DWORD size;
    struct packed_item *item = catalog_get_bytes(key, L"PackedCatalogItem", &size);
    struct protocol_entry *entry;

    if (item && size == sizeof(*item) && protocol_list_insert(list, list->count, 1)) {
        entry = &list->entries[list->count - 1];
        item->path[MAX_PATH - 1] = 0;
        item->info.szProtocol[WSAPROTOCOL_LEN] = 0;
        MultiByteToWideChar(CP_ACP, 0, item->path, -1, entry->path, MAX_PATH);
        entry->info = item->info;
    }
    free(item);
}

DWORD protocol_list_load(bool wow, struct protocol_list *list)
{
    struct catalog_view view = {PROTOCOL_CATALOG, wow};
    HKEY entries = catalog_open(&view, false), key;
    DWORD count = entries ? catalog_count(entries) : 0, error = 0;

    memset(list, 0, sizeof(*list));
    for (DWORD i = 1; i <= count; i++)
        if ((key = catalog_entry(entries, i, false))) {
            load_entry(key, list);
            RegCloseKey(key);
        }
    if (!count)
        error = load_base(list);
    if (entries)
        RegCloseKey(entries);
    return error;
}

static bool save_entry(HKEY key, const struct protocol_entry *entry)
{
    struct packed_item item = {.info = entry->info};

    return WideCharToMultiByte(CP_ACP, 0, entry->path, -1, item.path, MAX_PATH, NULL, NULL) &&
           catalog_set_bytes(key, L"PackedCatalogItem", &item, sizeof(item)) &&
           catalog_set_text(key, L"ProtocolName", entry->info.szProtocol);
}

/* Nothing but the base protocols, as they are: the registry need not say so. */
static bool is_base(const struct protocol_list *list)
{
    struct protocol_list base = {NULL, 0};
    bool same = !load_base(&base) && base.count == list->count;

    for (size_t i = 0; same && i < base.count; i++)
        same = !wcscmp(base.entries[i].path, list->entries[i].path) &&
               !memcmp(&base.entries[i].info, &list->entries[i].info, sizeof(base.entries[i].info));
    protocol_list_free(&base);
    return same;
}

/* "WSANO_RECOVERY: ... a failure occurred when creating or installing a catalog entry" */
DWORD protocol_list_save(bool wow, const struct protocol_list *list)
{
    struct catalog_view view = {PROTOCOL_CATALOG, wow};
    HKEY entries = catalog_open(&view, true), key;
    size_t count = is_base(list) ? 0 : list->count;
    DWORD error = 0;

    if (!entries)
        return WSANO_RECOVERY;
    catalog_clear(entries);
    for (size_t i = 0; i < count && !error; i++) {
        key = catalog_entry(entries, (DWORD)i + 1, true);
        if (!key || !save_entry(key, &list->entries[i]))
            error = WSANO_RECOVERY;
        if (key)
            RegCloseKey(key);
    }
    RegCloseKey(entries);
    catalog_written(&view, (DWORD)count);
    return error;
}

/* ---- enumeration ---- */

/* What an enumeration is to give. */
struct enumeration {
    const int *protocols; /* NULL: all */
    bool layered;         /* those too that no socket can be of, for installers */
    bool wow;
    size_t entry_size;
    void (*convert)(const WSAPROTOCOL_INFOW *, void *, size_t);
};

static bool is_wanted(const struct enumeration *enumeration, const WSAPROTOCOL_INFOW *info)
{
    const int *protocol = enumeration->protocols;

    if (!enumeration->layered &&
        (info->ProtocolChain.ChainLen == LAYERED_PROTOCOL || info->dwProviderFlags & PFL_HIDDEN))
        return false;
    if (!protocol)
        return true;
    for (; *protocol; protocol++)
        if (*protocol == info->iProtocol)
            return true;
    return false;
}

static bool list_is_there(const int *protocol)
{
    while (protocol) {
        if (!argument_in(protocol, sizeof(*protocol)))
            return false;
        if (!*protocol++)
            break;
    }
    return true;
}

static DWORD store(const struct enumeration *enumeration, const struct protocol_list *list,
                   void *buffer, DWORD *length, int *count)
{
    DWORD needed = 0;

    for (size_t i = 0; i < list->count; i++)
        if (is_wanted(enumeration, &list->entries[i].info))
            needed += (DWORD)enumeration->entry_size;
    if (*length < needed || !buffer) {
        *length = needed;
        return WSAENOBUFS;
    }
    if (!argument_out(buffer, needed))
        return WSAEFAULT;
    *count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (is_wanted(enumeration, &list->entries[i].info))
            enumeration->convert(&list->entries[i].info, buffer, (size_t)(*count)++);
    return 0;
}

/* The number of entries, or SOCKET_ERROR and *error. */
static int enumerate(const struct enumeration *enumeration, void *buffer, DWORD *length,
                     DWORD *error)
{
    struct protocol_list list;
    int count = 0;

    *error = WSAEFAULT;
    if (!length || !argument_out(length, sizeof(*length)) || !list_is_there(enumeration->protocols))
        return SOCKET_ERROR;
    if (!(*error = protocol_list_load(enumeration->wow, &list)))
        *error = store(enumeration, &list, buffer, length, &count);
    protocol_list_free(&list);
    return *error ? SOCKET_ERROR : count;
}

static void put_wide(const WSAPROTOCOL_INFOW *info, void *buffer, size_t n)
{
    ((WSAPROTOCOL_INFOW *)buffer)[n] = *info;
}

static void put_ansi(const WSAPROTOCOL_INFOW *info, void *buffer, size_t n)
{
    protocol_to_ansi(info, (WSAPROTOCOL_INFOA *)buffer + n);
}

static int enumerate_for_program(const struct enumeration *enumeration, void *buffer, DWORD *length)
{
    DWORD error;
    int count;

    if (!startup_check())
        return SOCKET_ERROR;
    count = enumerate(enumeration, buffer, length, &error);
    return_error(error);
    return count;
}

int WINAPI WSAEnumProtocolsA(LPINT protocols, LPWSAPROTOCOL_INFOA buffer, LPDWORD length)
{
    struct enumeration enumeration = {protocols, false, false, sizeof(*buffer), put_ansi};

    return enumerate_for_program(&enumeration, buffer, length);
}

int WINAPI WSAEnumProtocolsW(LPINT protocols, LPWSAPROTOCOL_INFOW buffer, LPDWORD length)
{
    struct enumeration enumeration = {protocols, false, false, sizeof(*buffer), put_wide};

    return enumerate_for_program(&enumeration, buffer, length);
}

/* For installers of providers: the whole catalog, without WSAStartup. */
static int enumerate_all(bool wow, const int *protocols, WSAPROTOCOL_INFOW *buffer, DWORD *length,
                         int *error)
{
    struct enumeration enumeration = {protocols, true, wow, sizeof(*buffer), put_wide};
    DWORD why;
    int count = enumerate(&enumeration, buffer, length, &why);

    return why ? protocol_answer(why, error) : count;
}

int WINAPI WSCEnumProtocols(LPINT protocols, LPWSAPROTOCOL_INFOW buffer, LPDWORD length,
                            LPINT error)
{
    return enumerate_all(false, protocols, buffer, length, error);
}

/* Undocumented: `catalog` chooses among catalogs of application containers; here is one. */
int WINAPI WSCEnumProtocolsEx(DWORD catalog, LPINT protocols, LPWSAPROTOCOL_INFOW buffer,
                              LPDWORD length, LPINT error);
int WINAPI WSCEnumProtocolsEx(DWORD catalog, LPINT protocols, LPWSAPROTOCOL_INFOW buffer,
                              LPDWORD length, LPINT error)
{
    (void)catalog;
    return enumerate_all(false, protocols, buffer, length, error);
}

/* ---- paths ---- */

static DWORD store_path(const struct protocol_list *list, const GUID *provider, WCHAR *path,
                        int *length)
{
    const struct protocol_entry *entry = protocol_list_find(list, provider);
    int chars;

    if (!entry)
        return WSAEINVAL;
    chars = (int)wcslen(entry->path) + 1;
    if (!path || *length < chars) {
        *length = chars;
        return WSAEFAULT;
    }
    *length = chars;
    return guarded_copy(path, entry->path, (size_t)chars * sizeof(*path)) ? WSAEFAULT : 0;
}

/* In the order that Wine's tests saw on Windows. */
static int get_path(bool wow, const GUID *provider, WCHAR *path, int *length, int *error)
{
    struct protocol_list list;
    DWORD why = WSAEINVAL;

    if (!provider || !length || !argument_in(provider, sizeof(*provider)) ||
        !argument_out(length, sizeof(*length))) {
        why = WSAEFAULT;
    } else if (*length > 0) {
        if (!(why = protocol_list_load(wow, &list)))
            why = store_path(&list, provider, path, length);
        protocol_list_free(&list);
    }
    return protocol_answer(why, error);
}

int WINAPI WSCGetProviderPath(LPGUID provider, WCHAR *path, LPINT length, LPINT error)
{
    return get_path(false, provider, path, length, error);
}

int WINAPI WPUGetProviderPathEx(LPGUID provider, DWORD catalog, WCHAR *path, LPINT length,
                                LPINT error);
int WINAPI WPUGetProviderPathEx(LPGUID provider, DWORD catalog, WCHAR *path, LPINT length,
                                LPINT error)
{
    (void)catalog;
    return get_path(false, provider, path, length, error);
}

#ifdef _WIN64
int WINAPI WSCEnumProtocols32(LPINT protocols, LPWSAPROTOCOL_INFOW buffer, LPDWORD length,
                              LPINT error)
{
    return enumerate_all(true, protocols, buffer, length, error);
}

int WINAPI WSCGetProviderPath32(LPGUID provider, WCHAR *path, LPINT length, LPINT error)
{
    return get_path(true, provider, path, length, error);
}
#endif
