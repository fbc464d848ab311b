/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Installing, ordering and removing name space providers: WSCInstallNameSpace and its kin.
 *
 * Owns `install_lock`, so that two threads that change the catalog do so one after the other.
 */
#include "arguments.h"
#include "guarded_copy.h"
#include "name_spaces.h"
#include "startup.h"

#include <ws2spi.h>

static SRWLOCK install_lock = SRWLOCK_INIT;

/* What WSCInstallNameSpace was given. */
struct installation {
    const WCHAR *identifier, *path;
    DWORD name_space, version;
    const GUID *provider;
    const BLOB *blob;
};

/* A change of the list; returns an error, or 0 when the list is to be written. */
typedef DWORD (*change_fn)(struct name_space_list *list, const void *context);

static DWORD change(bool wow, change_fn apply, const void *context)
{
    struct name_space_list list;
    DWORD error;

    AcquireSRWLockExclusive(&install_lock);
    if (!(error = name_spaces_load(wow, &list)) && !(error = apply(&list, context)))
        error = name_spaces_save(wow, &list);
    name_spaces_free(&list);
    ReleaseSRWLockExclusive(&install_lock);
    return error;
}

static bool copy_text(WCHAR to[NAME_SPACE_TEXT], const WCHAR *from)
{
    size_t length = wcslen(from);

    if (length >= NAME_SPACE_TEXT)
        return false;
    memcpy(to, from, (length + 1) * sizeof(*to));
    return true;
}

static bool copy_blob(struct name_space *entry, const BLOB *blob)
{
    if (!blob || !blob->cbSize)
        return true;
    entry->blob_size = blob->cbSize;
    return (entry->blob = malloc(blob->cbSize)) &&
           !guarded_copy(entry->blob, blob->pBlobData, blob->cbSize);
}

static DWORD add(struct name_space_list *list, const void *context)
{
    const struct installation *installation = context;
    struct name_space *larger, *entry;

    /* "WSAEINVAL: the namespace provider ... already installed" */
    if (name_spaces_find(list, installation->provider))
        return WSAEINVAL;
    if (!(larger = realloc(list->entries, (list->count + 1) * sizeof(*larger))))
        return WSA_NOT_ENOUGH_MEMORY;
    list->entries = larger;
    entry = &larger[list->count++];
    memset(entry, 0, sizeof(*entry));
    entry->provider = *installation->provider;
    entry->name_space = installation->name_space;
    entry->version = installation->version;
    entry->active = TRUE;
    if (!copy_text(entry->identifier, installation->identifier) ||
        !copy_text(entry->path, installation->path))
        return WSAEINVAL;
    return copy_blob(entry, installation->blob) ? 0 : WSAEFAULT;
}

static bool is_there(const GUID *provider)
{
    return provider && argument_in(provider, sizeof(*provider));
}

static int install(bool wow, const struct installation *installation)
{
    if (!installation->identifier || !installation->path || !installation->provider ||
        !argument_wide(installation->identifier) || !argument_wide(installation->path) ||
        !is_there(installation->provider) ||
        !argument_in(installation->blob, sizeof(*installation->blob)))
        return return_error(WSAEFAULT);
    return return_error(change(wow, add, installation));
}

static DWORD drop(struct name_space_list *list, const void *context)
{
    struct name_space *entry = name_spaces_find(list, context);

    if (!entry)
        return WSAEINVAL;
    free(entry->blob);
    list->count--;
    memmove(entry, entry + 1, (size_t)(list->entries + list->count - entry) * sizeof(*entry));
    return 0;
}

static int uninstall(bool wow, const GUID *provider)
{
    return return_error(is_there(provider) ? change(wow, drop, provider) : (DWORD)WSAEFAULT);
}

struct enabling {
    const GUID *provider;
    BOOL active;
};

static DWORD enable(struct name_space_list *list, const void *context)
{
    const struct enabling *enabling = context;
    struct name_space *entry = name_spaces_find(list, enabling->provider);

    if (!entry)
        return WSAEINVAL;
    entry->active = enabling->active != 0;
    return 0;
}

static int set_active(bool wow, const GUID *provider, BOOL active)
{
    struct enabling enabling = {provider, active};

    return return_error(is_there(provider) ? change(wow, enable, &enabling) : (DWORD)WSAEFAULT);
}

struct ordering {
    const GUID *providers;
    DWORD count;
};

/* All of them, each once, in the new order. */
static DWORD reorder(struct name_space_list *list, const void *context)
{
    const struct ordering *ordering = context;
    struct name_space *sorted, *entry;

    if (ordering->count != list->count)
        return WSAEINVAL;
    if (!(sorted = calloc(list->count, sizeof(*sorted))))
        return WSA_NOT_ENOUGH_MEMORY;
    for (DWORD i = 0; i < ordering->count; i++) {
        struct name_space_list before = {sorted, i};

        entry = name_spaces_find(list, &ordering->providers[i]);
        if (!entry || name_spaces_find(&before, &ordering->providers[i])) {
            free(sorted);
            return WSAEINVAL;
        }
        sorted[i] = *entry;
    }
    free(list->entries);
    list->entries = sorted;
    return 0;
}

/* WSCWriteNameSpaceOrder's page: the error is what it returns. */
static int set_order(bool wow, const GUID *providers, DWORD count)
{
    struct ordering ordering = {providers, count};
    bool there = providers && argument_in(providers, argument_size(count, sizeof(*providers)));
    DWORD error = there ? change(wow, reorder, &ordering) : (DWORD)WSAEFAULT;

    SetLastError(error);
    return (int)error;
}

/* ---- the exports ---- */

INT WINAPI WSCInstallNameSpaceEx(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                                 LPGUID provider, LPBLOB blob);
INT WINAPI WSCInstallNameSpaceEx(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                                 LPGUID provider, LPBLOB blob)
{
    struct installation installation = {identifier, path, name_space, version, provider, blob};

    return install(false, &installation);
}

INT WINAPI WSCInstallNameSpace(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                               LPGUID provider)
{
    return WSCInstallNameSpaceEx(identifier, path, name_space, version, provider, NULL);
}

/* Undocumented: `catalog` chooses among catalogs of application containers; here is one. */
INT WINAPI WSCInstallNameSpaceEx2(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                                  LPGUID provider, LPBLOB blob, DWORD catalog);
INT WINAPI WSCInstallNameSpaceEx2(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                                  LPGUID provider, LPBLOB blob, DWORD catalog)
{
    (void)catalog;
    return WSCInstallNameSpaceEx(identifier, path, name_space, version, provider, blob);
}

INT WINAPI WSCUnInstallNameSpace(LPGUID provider)
{
    return uninstall(false, provider);
}

INT WINAPI WSCUnInstallNameSpaceEx2(LPGUID provider, DWORD catalog);
INT WINAPI WSCUnInstallNameSpaceEx2(LPGUID provider, DWORD catalog)
{
    (void)catalog;
    return uninstall(false, provider);
}

INT WINAPI WSCEnableNSProvider(LPGUID provider, WINBOOL active)
{
    return set_active(false, provider, active);
}

INT WINAPI WSCWriteNameSpaceOrder(LPGUID providers, DWORD count);
INT WINAPI WSCWriteNameSpaceOrder(LPGUID providers, DWORD count)
{
    return set_order(false, providers, count);
}

#ifdef _WIN64
INT WINAPI WSCInstallNameSpaceEx32(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                                   LPGUID provider, LPBLOB blob);
INT WINAPI WSCInstallNameSpaceEx32(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                                   LPGUID provider, LPBLOB blob)
{
    struct installation installation = {identifier, path, name_space, version, provider, blob};

    return install(true, &installation);
}

INT WINAPI WSCInstallNameSpace32(LPWSTR identifier, LPWSTR path, DWORD name_space, DWORD version,
                                 LPGUID provider)
{
    return WSCInstallNameSpaceEx32(identifier, path, name_space, version, provider, NULL);
}

INT WINAPI WSCUnInstallNameSpace32(LPGUID provider)
{
    return uninstall(true, provider);
}

INT WINAPI WSCEnableNSProvider32(LPGUID provider, WINBOOL active)
{
    return set_active(true, provider, active);
}

INT WINAPI WSCWriteNameSpaceOrder32(LPGUID providers, DWORD count);
INT WINAPI WSCWriteNameSpaceOrder32(LPGUID providers, DWORD count)
{
    return set_order(true, providers, count);
}
#endif
