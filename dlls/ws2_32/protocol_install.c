/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Installing, changing, ordering and removing transport providers: WSCInstallProvider and its kin.
 *
 * Owns `install_lock`, so that two threads that change the catalog do so one after the other.
 */
#define UNICODE /* the providers' interface, where ws2spi.h leaves it open */
#include "arguments.h"
#include "guarded_copy.h"
#include "log.h"
#include "protocol_catalog.h"
#include "startup.h"

#include <ws2spi.h>

BOOLEAN WINAPI SystemFunction036(PVOID buffer, ULONG size); /* RtlGenRandom */

static SRWLOCK install_lock = SRWLOCK_INIT;

/* A change of the list; returns an error, or 0 when the list is to be written. */
typedef DWORD (*change_fn)(struct protocol_list *list, void *context);

static DWORD change(bool wow, change_fn apply, void *context)
{
    struct protocol_list list;
    DWORD error;

    AcquireSRWLockExclusive(&install_lock);
    if (!(error = protocol_list_load(wow, &list)) && !(error = apply(&list, context)))
        error = protocol_list_save(wow, &list);
    protocol_list_free(&list);
    ReleaseSRWLockExclusive(&install_lock);
    return error;
}

/* ---- installing ---- */

struct installation {
    const GUID *provider;
    const WCHAR *path;
    const WSAPROTOCOL_INFOW *infos;
    DWORD count;
};

static DWORD free_id(const struct protocol_list *list)
{
    DWORD id = 1000;

    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].info.dwCatalogEntryId > id)
            id = list->entries[i].info.dwCatalogEntryId;
    return id + 1;
}

static DWORD fill(struct protocol_entry *entry, const GUID *provider, const WCHAR *path,
                  const WSAPROTOCOL_INFOW *info, DWORD id)
{
    if (wcslen(path) >= MAX_PATH)
        return WSAEINVAL;
    wcscpy(entry->path, path);
    if (guarded_copy(&entry->info, info, sizeof(*info)))
        return WSAEFAULT;
    entry->info.szProtocol[WSAPROTOCOL_LEN] = 0;
    entry->info.ProviderId = *provider;
    entry->info.dwCatalogEntryId = id;
    return 0;
}

static DWORD fill_all(struct protocol_list *list, size_t at, const struct installation *new,
                      DWORD id)
{
    DWORD error = 0;

    for (DWORD i = 0; i < new->count && !error; i++)
        error = fill(&list->entries[at + i], new->provider, new->path, &new->infos[i], id + i);
    return error;
}

static DWORD add(struct protocol_list *list, void *context)
{
    const struct installation *new = context;
    size_t at = list->count;
    DWORD id = free_id(list);

    /* "WSANO_RECOVERY: ... the provider is already installed" */
    if (protocol_list_find(list, new->provider))
        return WSANO_RECOVERY;
    if (!protocol_list_insert(list, at, new->count))
        return WSA_NOT_ENOUGH_MEMORY;
    return fill_all(list, at, new, id);
}

static DWORD check(const struct installation *new)
{
    if (!new->provider || !new->path || !new->infos ||
        !argument_in(new->provider, sizeof(*new->provider)) || !argument_wide(new->path))
        return WSAEFAULT;
    return new->count &&new->count <= 1024 ? 0 : WSAEINVAL;
}

static int install(bool wow, const GUID *provider, const WCHAR *path,
                   const WSAPROTOCOL_INFOW *infos, DWORD count, int *error)
{
    struct installation new = {provider, path, infos, count};
    DWORD why = check(&new);

    return protocol_answer(why ? why : change(wow, add, &new), error);
}

/* ---- removing ---- */

static bool is_in_chain(const WSAPROTOCOL_INFOW *info, DWORD id)
{
    for (int i = 0; i < info->ProtocolChain.ChainLen && i < MAX_PROTOCOL_CHAIN; i++)
        if (info->ProtocolChain.ChainLen > 1 && info->ProtocolChain.ChainEntries[i] == id)
            return true;
    return false;
}

static void drop_entry(struct protocol_list *list, size_t at)
{
    list->count--;
    memmove(&list->entries[at], &list->entries[at + 1],
            (list->count - at) * sizeof(*list->entries));
}

static void drop_chains(struct protocol_list *list, DWORD id)
{
    for (size_t i = list->count; i--;)
        if (is_in_chain(&list->entries[i].info, id))
            drop_entry(list, i);
}

/* The provider's entries, and the chains that lead through them. */
static DWORD drop(struct protocol_list *list, void *context)
{
    struct protocol_entry *entry;
    bool any = false;

    while ((entry = protocol_list_find(list, context))) {
        DWORD id = entry->info.dwCatalogEntryId;

        any = true;
        drop_entry(list, (size_t)(entry - list->entries));
        drop_chains(list, id);
    }
    return any ? 0 : WSAEINVAL;
}

static int deinstall(bool wow, const GUID *provider, int *error)
{
    bool there = provider && argument_in(provider, sizeof(*provider));

    return protocol_answer(there ? change(wow, drop, (void *)provider) : (DWORD)WSAEFAULT, error);
}

/* ---- changing ---- */

/* The new entries in the place of the old ones; the first ids are theirs. */
static DWORD update(struct protocol_list *list, void *context)
{
    const struct installation *new = context;
    struct protocol_entry *entry = protocol_list_find(list, new->provider);
    DWORD id;
    size_t at;

    if (!entry)
        return WSAEINVAL;
    at = (size_t)(entry - list->entries);
    id = entry->info.dwCatalogEntryId;
    if (new->count > 1)
        id = free_id(list);
    while ((entry = protocol_list_find(list, new->provider)))
        drop_entry(list, (size_t)(entry - list->entries));
    if (!protocol_list_insert(list, at, new->count))
        return WSA_NOT_ENOUGH_MEMORY;
    return fill_all(list, at, new, id);
}

static int update_provider(bool wow, const GUID *provider, const WCHAR *path,
                           const WSAPROTOCOL_INFOW *infos, DWORD count, int *error)
{
    struct installation new = {provider, path, infos, count};
    DWORD why = check(&new);

    return protocol_answer(why ? why : change(wow, update, &new), error);
}

struct ordering {
    const DWORD *ids;
    DWORD count;
};

static struct protocol_entry *by_id(const struct protocol_list *list, DWORD id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].info.dwCatalogEntryId == id)
            return &list->entries[i];
    return NULL;
}

/* All of them, each once, in the new order. */
static DWORD reorder(struct protocol_list *list, void *context)
{
    const struct ordering *ordering = context;
    struct protocol_list sorted = {NULL, 0};
    const struct protocol_entry *entry;

    if (ordering->count != list->count)
        return WSAEINVAL;
    for (DWORD i = 0; i < ordering->count; i++) {
        entry = by_id(list, ordering->ids[i]);
        if (!entry || by_id(&sorted, ordering->ids[i]) ||
            !protocol_list_insert(&sorted, sorted.count, 1)) {
            protocol_list_free(&sorted);
            return WSAEINVAL;
        }
        sorted.entries[sorted.count - 1] = *entry;
    }
    protocol_list_free(list);
    *list = sorted;
    return 0;
}

/* WSCWriteProviderOrder's page: the error is what it returns. */
static int set_order(bool wow, const DWORD *ids, DWORD count)
{
    struct ordering ordering = {ids, count};

    if (!argument_in(ids, argument_size(count, sizeof(*ids))))
        return WSAEFAULT;
    return (int)(ids ? change(wow, reorder, &ordering) : (DWORD)WSAEINVAL);
}

/* ---- a layered provider with its chains ---- */

struct layering {
    const GUID *provider;
    const WCHAR *path, *name;
    DWORD flags;
    const WSAPROTOCOL_INFOW *infos; /* NULL: over everything */
    DWORD count;
    DWORD id; /* out: of the layered entry */
};

static bool same_kind(const WSAPROTOCOL_INFOW *a, const WSAPROTOCOL_INFOW *b)
{
    return a->iAddressFamily == b->iAddressFamily && a->iSocketType == b->iSocketType &&
           a->iProtocol == b->iProtocol;
}

/* "the top-most entry in the configuration information that matches the {address family, socket
 * type, protocol} tuple" */
static const WSAPROTOCOL_INFOW *top_most(const struct protocol_list *list,
                                         const WSAPROTOCOL_INFOW *kind)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->entries[i].info.ProtocolChain.ChainLen != LAYERED_PROTOCOL &&
            same_kind(&list->entries[i].info, kind))
            return &list->entries[i].info;
    return NULL;
}

static GUID fresh_guid(void)
{
    GUID guid;

    SystemFunction036(&guid, sizeof(guid));
    guid.Data3 = (guid.Data3 & 0x0fff) | 0x4000; /* version 4, a random one */
    guid.Data4[0] = (guid.Data4[0] & 0x3f) | 0x80;
    return guid;
}

/* The layered protocol on top of what `below` is. */
static DWORD make_chain(struct protocol_entry *entry, const struct layering *new,
                        const WSAPROTOCOL_INFOW *below, DWORD id)
{
    WSAPROTOCOLCHAIN *chain = &entry->info.ProtocolChain;
    int length = below->ProtocolChain.ChainLen;

    /* "the maximum protocol chain length (MAX_PROTOCOL_CHAIN) was reached" */
    if (length >= MAX_PROTOCOL_CHAIN)
        return WSANO_RECOVERY;
    entry->info = *below;
    wcscpy(entry->path, new->path);
    chain->ChainLen = length + 1;
    chain->ChainEntries[0] = new->id;
    for (int i = 0; i < length; i++)
        chain->ChainEntries[i + 1] =
            length > 1 ? below->ProtocolChain.ChainEntries[i] : below->dwCatalogEntryId;
    if (!(new->flags &XP1_IFS_HANDLES))
        entry->info.dwServiceFlags1 &= ~(DWORD)XP1_IFS_HANDLES;
    entry->info.ProviderId = fresh_guid();
    entry->info.dwCatalogEntryId = id;
    swprintf(entry->info.szProtocol, WSAPROTOCOL_LEN, L"%ls over [%ls]", new->name,
             below->szProtocol);
    entry->info.szProtocol[WSAPROTOCOL_LEN] = 0;
    return 0;
}

static bool is_told(const WSAPROTOCOL_INFOW *kind, const struct protocol_entry *before,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (same_kind(&before[i].info, kind))
            return true;
    return false;
}

/* One chain for each kind; "duplicates are ignored". */
static DWORD make_chains(struct protocol_list *list, struct layering *new,
                         struct protocol_list *chains)
{
    size_t count = new->infos ? new->count : list->count;
    DWORD id = new->id, error = 0;

    for (size_t i = 0; i < count && !error; i++) {
        const WSAPROTOCOL_INFOW *kind = new->infos ? &new->infos[i] : &list->entries[i].info;
        const WSAPROTOCOL_INFOW *below = top_most(list, kind);

        if (!new->infos && kind->ProtocolChain.ChainLen == LAYERED_PROTOCOL)
            continue;
        if (!below) /* "a match cannot be found" */
            return WSAEINVAL;
        if (is_told(kind, chains->entries, chains->count))
            continue;
        if (!protocol_list_insert(chains, chains->count, 1))
            return WSA_NOT_ENOUGH_MEMORY;
        error = make_chain(&chains->entries[chains->count - 1], new, below, ++id);
    }
    return chains->count || error ? error : WSANO_RECOVERY;
}

static void fill_layer(struct protocol_entry *entry, const struct layering *new,
                       const WSAPROTOCOL_INFOW *model)
{
    entry->info = *model;
    wcscpy(entry->path, new->path);
    wcscpy(entry->info.szProtocol, new->name);
    entry->info.ProtocolChain.ChainLen = LAYERED_PROTOCOL;
    entry->info.dwProviderFlags = PFL_HIDDEN;
    entry->info.dwServiceFlags1 = new->flags;
    entry->info.ProviderId = *new->provider;
    entry->info.dwCatalogEntryId = new->id;
}

/* "This function ensures that the protocol chains are ordered at the beginning of the transport
 * provider configuration information"; the layer itself comes last. */
static DWORD layer(struct protocol_list *list, void *context)
{
    struct layering *new = context;
    struct protocol_list chains = {NULL, 0};
    DWORD error;

    if (protocol_list_find(list, new->provider)) /* "a duplicate provider ID" */
        return WSAEINVAL;
    for (size_t i = 0; i < list->count; i++)
        if (!wcscmp(list->entries[i].info.szProtocol, new->name))
            return WSAEINVAL; /* "or the layered service provider name already exist" */
    new->id = free_id(list);
    error = make_chains(list, new, &chains);
    if (!error && (!protocol_list_insert(list, 0, chains.count) ||
                   !protocol_list_insert(list, list->count, 1)))
        error = WSA_NOT_ENOUGH_MEMORY;
    if (!error) {
        memcpy(list->entries, chains.entries, chains.count * sizeof(*chains.entries));
        fill_layer(&list->entries[list->count - 1], new, &chains.entries[0].info);
    }
    protocol_list_free(&chains);
    return error;
}

static DWORD check_layering(const struct layering *new)
{
    if (!argument_in(new->provider, sizeof(*new->provider)) || !argument_wide(new->path) ||
        !argument_wide(new->name) ||
        !argument_in(new->infos, argument_size(new->count, sizeof(*new->infos))))
        return WSAEFAULT;
    if (!new->provider || !new->path || !new->path[0] || wcslen(new->path) >= MAX_PATH ||
        !new->name || !new->name[0] || wcslen(new->name) > WSAPROTOCOL_LEN)
        return WSAEINVAL;
    return new->infos && !new->count ? WSAEINVAL : 0;
}

static DWORD install_layered(bool wow, const GUID *provider, const WCHAR *path, const WCHAR *name,
                             DWORD flags, const WSAPROTOCOL_INFOW *infos, DWORD count, DWORD *id)
{
    struct layering new = {provider, path, name, flags, infos, count, 0};
    DWORD error = check_layering(&new);

    if (!error && !argument_out(id, sizeof(*id)))
        error = WSAEFAULT;
    if (!error)
        error = change(wow, layer, &new);
    if (!error && id)
        *id = new.id;
    if (!error)
        log_once(LOG_WARN, "a layered provider is in the catalog, but no socket goes through it");
    return error;
}

/* ---- the exports ---- */

/* In those that end in Ex `catalog` chooses among catalogs of application containers; here is one.
 */
int WINAPI WSCDeinstallProviderEx(LPGUID provider, DWORD catalog, LPINT error);
int WINAPI WSCInstallProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                                DWORD count, DWORD catalog, void *reserved, LPINT error);
int WINAPI WSCUpdateProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                               DWORD count, DWORD catalog, LPINT error);
int WINAPI WSCWriteProviderOrder(LPDWORD entries, DWORD count);
int WINAPI WSCWriteProviderOrderEx(LPDWORD entries, DWORD count, DWORD catalog);
int WINAPI WSCInstallProviderAndChains(const LPGUID provider, const LPWSTR path, const LPWSTR name,
                                       DWORD flags, const LPWSAPROTOCOL_INFOW list, DWORD count,
                                       LPDWORD id, LPINT error);

int WINAPI WSCDeinstallProvider(LPGUID provider, LPINT error)
{
    return deinstall(false, provider, error);
}

int WINAPI WSCDeinstallProviderEx(LPGUID provider, DWORD catalog, LPINT error)
{
    (void)catalog;
    return deinstall(false, provider, error);
}

int WINAPI WSCInstallProvider(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                              DWORD count, LPINT error)
{
    return install(false, provider, path, list, count, error);
}

int WINAPI WSCInstallProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                                DWORD count, DWORD catalog, void *reserved, LPINT error)
{
    (void)catalog, (void)reserved;
    return install(false, provider, path, list, count, error);
}

int WINAPI WSCInstallProviderAndChains(const LPGUID provider, const LPWSTR path, const LPWSTR name,
                                       DWORD flags, const LPWSAPROTOCOL_INFOW list, DWORD count,
                                       LPDWORD id, LPINT error)
{
    return protocol_answer(install_layered(false, provider, path, name, flags, list, count, id),
                           error);
}

int WINAPI WSCUpdateProvider(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                             DWORD count, LPINT error)
{
    return update_provider(false, provider, path, list, count, error);
}

int WINAPI WSCUpdateProviderEx(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                               DWORD count, DWORD catalog, LPINT error)
{
    (void)catalog;
    return update_provider(false, provider, path, list, count, error);
}

int WINAPI WSCWriteProviderOrder(LPDWORD entries, DWORD count)
{
    return set_order(false, entries, count);
}

int WINAPI WSCWriteProviderOrderEx(LPDWORD entries, DWORD count, DWORD catalog)
{
    (void)catalog;
    return set_order(false, entries, count);
}

#ifdef _WIN64
int WINAPI WSCInstallProviderAndChains64_32(const LPGUID provider, const LPWSTR path,
                                            const LPWSTR path32, const LPWSTR name, DWORD flags,
                                            const LPWSAPROTOCOL_INFOW list, DWORD count, LPDWORD id,
                                            LPINT error);
int WINAPI WSCWriteProviderOrder32(LPDWORD entries, DWORD count);

int WINAPI WSCDeinstallProvider32(LPGUID provider, LPINT error)
{
    return deinstall(true, provider, error);
}

/* "into both the 32-bit and 64-bit Winsock 2 system configuration databases" */
int WINAPI WSCInstallProvider64_32(LPGUID provider, const WCHAR *path,
                                   const LPWSAPROTOCOL_INFOW list, DWORD count, LPINT error)
{
    int unused;

    if (install(false, provider, path, list, count, error))
        return SOCKET_ERROR;
    if (!install(true, provider, path, list, count, error))
        return 0;
    deinstall(false, provider, &unused);
    return SOCKET_ERROR;
}

int WINAPI WSCInstallProviderAndChains64_32(const LPGUID provider, const LPWSTR path,
                                            const LPWSTR path32, const LPWSTR name, DWORD flags,
                                            const LPWSAPROTOCOL_INFOW list, DWORD count, LPDWORD id,
                                            LPINT error)
{
    DWORD why = install_layered(false, provider, path, name, flags, list, count, id);
    int unused;

    if (why)
        return protocol_answer(why, error);
    why = install_layered(true, provider, path32 ? path32 : path, name, flags, list, count, NULL);
    if (why)
        deinstall(false, provider, &unused);
    return protocol_answer(why, error);
}

int WINAPI WSCUpdateProvider32(LPGUID provider, const WCHAR *path, const LPWSAPROTOCOL_INFOW list,
                               DWORD count, LPINT error)
{
    return update_provider(true, provider, path, list, count, error);
}

int WINAPI WSCWriteProviderOrder32(LPDWORD entries, DWORD count)
{
    return set_order(true, entries, count);
}
#endif
