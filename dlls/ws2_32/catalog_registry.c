/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry under the catalogs (see catalog_registry.h).  Owns nothing; takes no lock: who
 * reads, changes and writes holds one of his own, and two processes that install at the same time
 * are as unsafe as on Windows ("WSATRY_AGAIN").
 */
#include "catalog_registry.h"

static const WCHAR parameters[] = L"SYSTEM\\CurrentControlSet\\Services\\WinSock2\\Parameters\\";

#define PATH_CHARS 160

static bool native_view(const struct catalog_view *view)
{
    return sizeof(void *) == 8 && !view->wow;
}

static HKEY open_or_create(HKEY parent, const WCHAR *path, bool write)
{
    REGSAM access = write ? KEY_READ | KEY_WRITE : KEY_READ;
    HKEY key = NULL;
    LSTATUS status = write ? RegCreateKeyExW(parent, path, 0, NULL, 0, access, NULL, &key, NULL)
                           : RegOpenKeyExW(parent, path, 0, access, &key);

    return status ? NULL : key;
}

HKEY catalog_parameters(const WCHAR *name, bool write)
{
    WCHAR path[PATH_CHARS];

    swprintf(path, ARRAYSIZE(path), L"%ls%ls", parameters, name);
    return open_or_create(HKEY_LOCAL_MACHINE, path, write);
}

HKEY catalog_open(const struct catalog_view *view, bool write)
{
    WCHAR name[PATH_CHARS];

    swprintf(name, ARRAYSIZE(name), L"%ls\\Catalog_Entries%ls", view->name,
             native_view(view) ? L"64" : L"");
    return catalog_parameters(name, write);
}

DWORD catalog_count(HKEY entries)
{
    DWORD count = 0;

    if (RegQueryInfoKeyW(entries, NULL, NULL, NULL, &count, NULL, NULL, NULL, NULL, NULL, NULL,
                         NULL))
        return 0;
    return count;
}

HKEY catalog_entry(HKEY entries, DWORD number, bool create)
{
    WCHAR name[16];

    swprintf(name, ARRAYSIZE(name), L"%012lu", number);
    return open_or_create(entries, name, create);
}

void catalog_clear(HKEY entries)
{
    WCHAR name[64];
    DWORD chars = ARRAYSIZE(name);

    while (!RegEnumKeyExW(entries, 0, name, &chars, NULL, NULL, NULL, NULL) &&
           !RegDeleteKeyW(entries, name))
        chars = ARRAYSIZE(name);
}

void catalog_written(const struct catalog_view *view, DWORD count)
{
    HKEY key = catalog_parameters(view->name, true);

    if (!key)
        return;
    catalog_set_number(key, native_view(view) ? L"Num_Catalog_Entries64" : L"Num_Catalog_Entries",
                       count);
    catalog_set_number(key, L"Serial_Access_Num",
                       catalog_get_number(key, L"Serial_Access_Num") + 1);
    RegCloseKey(key);
}

/* ---- values ---- */

bool catalog_get_text(HKEY key, const WCHAR *value, WCHAR *text, DWORD chars)
{
    DWORD size = (chars - 1) * sizeof(*text), type;

    memset(text, 0, chars * sizeof(*text));
    return !RegQueryValueExW(key, value, NULL, &type, (BYTE *)text, &size) &&
           (type == REG_SZ || type == REG_EXPAND_SZ);
}

DWORD catalog_get_number(HKEY key, const WCHAR *value)
{
    DWORD number = 0, size = sizeof(number), type;

    if (RegQueryValueExW(key, value, NULL, &type, (BYTE *)&number, &size) || type != REG_DWORD)
        return 0;
    return number;
}

void *catalog_get_bytes(HKEY key, const WCHAR *value, DWORD *size)
{
    void *bytes;

    *size = 0;
    if (RegQueryValueExW(key, value, NULL, NULL, NULL, size) || !*size || !(bytes = malloc(*size)))
        return NULL;
    if (!RegQueryValueExW(key, value, NULL, NULL, bytes, size))
        return bytes;
    free(bytes);
    return NULL;
}

bool catalog_set_text(HKEY key, const WCHAR *value, const WCHAR *text)
{
    return !RegSetValueExW(key, value, 0, REG_SZ, (const BYTE *)text,
                           (DWORD)((wcslen(text) + 1) * sizeof(*text)));
}

bool catalog_set_number(HKEY key, const WCHAR *value, DWORD number)
{
    return !RegSetValueExW(key, value, 0, REG_DWORD, (const BYTE *)&number, sizeof(number));
}

bool catalog_set_bytes(HKEY key, const WCHAR *value, const void *bytes, DWORD size)
{
    return !RegSetValueExW(key, value, 0, REG_BINARY, bytes, size);
}
