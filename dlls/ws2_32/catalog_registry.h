/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where Windows keeps its catalogs of providers:
 * HKLM\SYSTEM\CurrentControlSet\Services\WinSock2\Parameters\CATALOG\Catalog_Entries[64]\000000000001
 */
#ifndef RINGSOCK_CATALOG_REGISTRY_H
#define RINGSOCK_CATALOG_REGISTRY_H

#include "winsock.h"

#define PROTOCOL_CATALOG   L"Protocol_Catalog9"
#define NAME_SPACE_CATALOG L"NameSpace_Catalog5"

/* One of the two catalogs, as 64-bit or as 32-bit programs see it. */
struct catalog_view {
    const WCHAR *name;
    bool wow; /* the 32-bit one, asked for by the 64-bit DLL */
};

/* The key of its entries, or NULL. */
HKEY catalog_open(const struct catalog_view *view, bool write);
/* How many entries; 0: nobody has changed the catalog, and the built-in ones count. */
DWORD catalog_count(HKEY entries);
/* Entry `number`, from 1 on; NULL. */
HKEY catalog_entry(HKEY entries, DWORD number, bool create);
/* Removes all entries. */
void catalog_clear(HKEY entries);
/* To be called after the entries were written: their number, and the serial number that tells
 * others. */
void catalog_written(const struct catalog_view *view, DWORD count);

/* A key of that place, beside the catalogs; NULL. */
HKEY catalog_parameters(const WCHAR *name, bool write);

/* Values; false or 0 where there is none. */
bool catalog_get_text(HKEY key, const WCHAR *value, WCHAR *text, DWORD chars);
DWORD catalog_get_number(HKEY key, const WCHAR *value);
/* malloc()ed, or NULL */
void *catalog_get_bytes(HKEY key, const WCHAR *value, DWORD *size);
bool catalog_set_text(HKEY key, const WCHAR *value, const WCHAR *text);
bool catalog_set_number(HKEY key, const WCHAR *value, DWORD number);
bool catalog_set_bytes(HKEY key, const WCHAR *value, const void *bytes, DWORD size);

#endif
