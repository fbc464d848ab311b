/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service classes: WSAInstallServiceClass, WSARemoveServiceClass, WSAGetServiceClassInfo,
 * WSAGetServiceClassNameByClassId.
 *
 * Those that programs install are kept in the registry, beside the catalogs of providers:
 * Service_Classes\{GUID}, with a key for each mapping to a name space.  The classes of svcguid.h
 * that stand for a port are known without that, by the services file.  Owns `classes_lock`, under
 * which the registry is changed.
 */
#include "arguments.h"
#include "catalog_registry.h"
#include "guarded_copy.h"
#include "name_spaces.h"
#include "netdb.h"
#include "packing.h"
#include "startup.h"
#include "text.h"

#include <nspapi.h>
#include <svcguid.h>

#define CLASSES      L"Service_Classes"
#define NAME_CHARS   256
#define MOST_ENTRIES 1024u

static SRWLOCK classes_lock = SRWLOCK_INIT;

/* A class with memory of its own. */
struct service_class {
    WCHAR name[NAME_CHARS];
    WSANSCLASSINFOW *infos;
    DWORD count;
};

static void class_free(struct service_class *class)
{
    for (DWORD i = 0; i < class->count; i++) {
        free(class->infos[i].lpszName);
        free(class->infos[i].lpValue);
    }
    free(class->infos);
    class->infos = NULL;
    class->count = 0;
}

/* ---- the registry ---- */

static void key_name(const GUID *id, WCHAR *name, size_t size)
{
    const unsigned char *d = id->Data4;

    swprintf(name, size, L"{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", id->Data1,
             id->Data2, id->Data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

static HKEY open_class(const GUID *id)
{
    WCHAR name[40], path[80];

    key_name(id, name, ARRAYSIZE(name));
    swprintf(path, ARRAYSIZE(path), L"%ls\\%ls", CLASSES, name);
    return catalog_parameters(path, false);
}

static HKEY create_class(const GUID *id)
{
    WCHAR name[40], path[80];

    key_name(id, name, ARRAYSIZE(name));
    swprintf(path, ARRAYSIZE(path), L"%ls\\%ls", CLASSES, name);
    return catalog_parameters(path, true);
}

static bool read_info(HKEY key, WSANSCLASSINFOW *info)
{
    WCHAR name[NAME_CHARS];

    catalog_get_text(key, L"Name", name, NAME_CHARS);
    info->dwNameSpace = catalog_get_number(key, L"NameSpace");
    info->dwValueType = catalog_get_number(key, L"ValueType");
    info->lpValue = catalog_get_bytes(key, L"Value", &info->dwValueSize);
    return (info->lpszName = _wcsdup(name)) != NULL;
}

static DWORD read_class(HKEY key, struct service_class *class)
{
    DWORD count = min(catalog_count(key), MOST_ENTRIES);

    catalog_get_text(key, L"Name", class->name, NAME_CHARS);
    if (!(class->infos = calloc(count + 1, sizeof(*class->infos))))
        return WSA_NOT_ENOUGH_MEMORY;
    for (DWORD i = 1; i <= count; i++) {
        HKEY entry = catalog_entry(key, i, false);

        if (!entry)
            continue;
        class->count += read_info(entry, &class->infos[class->count]);
        RegCloseKey(entry);
    }
    return 0;
}

static bool write_info(HKEY class, DWORD number, const WSANSCLASSINFOW *info)
{
    HKEY key = catalog_entry(class, number, true);
    bool written;

    if (!key)
        return false;
    written =
        catalog_set_text(key, L"Name", info->lpszName ? info->lpszName : L"") &&
        catalog_set_number(key, L"NameSpace", info->dwNameSpace) &&
        catalog_set_number(key, L"ValueType", info->dwValueType) &&
        (!info->lpValue || catalog_set_bytes(key, L"Value", info->lpValue, info->dwValueSize));
    RegCloseKey(key);
    return written;
}

/* ---- the classes of ports ---- */

/* svcguid.h: SVCID_TCP(port) and SVCID_UDP(port); not those of DNS records. */
static bool port_class(const GUID *id, struct service_class *class)
{
    bool tcp = IS_SVCID_TCP(id) && !id->Data3, udp = IS_SVCID_UDP(id) && !id->Data3;
    DWORD port = id->Data1 & 0xffff;
    char name[NETDB_NAME_MAX];
    WSANSCLASSINFOW *info;

    if ((!tcp && !udp) || !netdb_service_of_port(htons((u_short)port), tcp ? "tcp" : "udp", name) ||
        !(class->infos = info = calloc(1, sizeof(*info))))
        return false;
    class->count = 1;
    MultiByteToWideChar(CP_ACP, 0, name, -1, class->name, NAME_CHARS);
    info->dwNameSpace = NS_DNS;
    info->dwValueType = REG_DWORD;
    info->dwValueSize = sizeof(port);
    info->lpszName = _wcsdup(tcp ? SERVICE_TYPE_VALUE_TCPPORTW : SERVICE_TYPE_VALUE_UDPPORTW);
    if ((info->lpValue = malloc(sizeof(port))))
        memcpy(info->lpValue, &port, sizeof(port));
    return info->lpszName && info->lpValue;
}

/* Fills in the class; to be freed in any case. */
static DWORD find_class(const GUID *id, struct service_class *class)
{
    HKEY key;
    DWORD error;

    memset(class, 0, sizeof(*class));
    AcquireSRWLockShared(&classes_lock);
    if ((key = open_class(id))) {
        error = read_class(key, class);
        RegCloseKey(key);
    } else
        error = port_class(id, class) ? 0 : WSATYPE_NOT_FOUND;
    ReleaseSRWLockShared(&classes_lock);
    return error;
}

/* ---- installing ---- */

/* "WSAEALREADY: Service class information has already been registered for this service class
 * identifier." */
static DWORD install(const WSASERVICECLASSINFOW *info)
{
    HKEY key = open_class(info->lpServiceClassId);
    bool written;

    if (key) {
        RegCloseKey(key);
        return WSAEALREADY;
    }
    if (!(key = create_class(info->lpServiceClassId)))
        return WSAEACCES;
    written = catalog_set_text(key, L"Name", info->lpszServiceClassName);
    for (DWORD i = 0; written && i < info->dwCount; i++)
        written = write_info(key, i + 1, &info->lpClassInfos[i]);
    RegCloseKey(key);
    return written ? 0 : WSAEACCES;
}

static bool text_is_there(const void *text, bool ansi)
{
    return ansi ? argument_text(text) : argument_wide(text);
}

/* The two forms of a mapping differ in its name's type. */
_Static_assert(sizeof(WSANSCLASSINFOA) == sizeof(WSANSCLASSINFOW), "one layout for both forms");

/* Of either form.  "WSAEINVAL: The service class information was not valid or improperly
 * structured.  This error is returned if the lpServiceClassInfo parameter is NULL." */
static DWORD check(const WSASERVICECLASSINFOW *info, bool ansi)
{
    if (!info)
        return WSAEINVAL;
    if (!argument_in(info, sizeof(*info)) || !argument_in(info->lpServiceClassId, sizeof(GUID)) ||
        !text_is_there(info->lpszServiceClassName, ansi))
        return WSAEFAULT;
    if (!info->lpServiceClassId || !info->lpszServiceClassName || info->dwCount > MOST_ENTRIES ||
        (info->dwCount && !info->lpClassInfos))
        return WSAEINVAL;
    if (!argument_in(info->lpClassInfos, info->dwCount * sizeof(*info->lpClassInfos)))
        return WSAEFAULT;
    for (DWORD i = 0; i < info->dwCount; i++)
        if (!text_is_there(info->lpClassInfos[i].lpszName, ansi) ||
            !argument_in(info->lpClassInfos[i].lpValue, info->lpClassInfos[i].dwValueSize))
            return WSAEFAULT;
    return 0;
}

int WINAPI WSAInstallServiceClassW(LPWSASERVICECLASSINFOW info)
{
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    error = check(info, false);
    if (!error && wcslen(info->lpszServiceClassName) >= NAME_CHARS)
        error = WSAEINVAL;
    if (error)
        return return_error(error);
    AcquireSRWLockExclusive(&classes_lock);
    error = install(info);
    ReleaseSRWLockExclusive(&classes_lock);
    return return_error(error);
}

int WINAPI WSAInstallServiceClassA(LPWSASERVICECLASSINFOA info)
{
    WSASERVICECLASSINFOW wide = {0};
    WSANSCLASSINFOW *infos;
    int result = SOCKET_ERROR;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if ((error = check((const WSASERVICECLASSINFOW *)info, true)))
        return return_error(error);
    infos = calloc(info->dwCount + 1, sizeof(*infos));
    wide.lpServiceClassId = info->lpServiceClassId;
    wide.lpszServiceClassName = text_wide(CP_ACP, info->lpszServiceClassName, -1);
    wide.dwCount = info->dwCount;
    wide.lpClassInfos = infos;
    for (DWORD i = 0; infos && i < info->dwCount; i++) {
        memcpy(&infos[i], &info->lpClassInfos[i], sizeof(*infos));
        infos[i].lpszName = info->lpClassInfos[i].lpszName
                                ? text_wide(CP_ACP, info->lpClassInfos[i].lpszName, -1)
                                : NULL;
    }
    if (infos && wide.lpszServiceClassName)
        result = WSAInstallServiceClassW(&wide);
    else
        SetLastError(WSA_NOT_ENOUGH_MEMORY);
    for (DWORD i = 0; infos && i < info->dwCount; i++)
        free(infos[i].lpszName);
    free(infos);
    free(wide.lpszServiceClassName);
    return result;
}

static DWORD remove_class(const GUID *id)
{
    HKEY key = open_class(id), classes;
    WCHAR name[40];
    DWORD error = WSATYPE_NOT_FOUND;

    if (!key)
        return error;
    RegCloseKey(key);
    if ((key = create_class(id))) {
        catalog_clear(key);
        RegCloseKey(key);
    }
    if ((classes = catalog_parameters(CLASSES, true))) {
        key_name(id, name, ARRAYSIZE(name));
        error = RegDeleteKeyW(classes, name) ? WSAEACCES : 0;
        RegCloseKey(classes);
    }
    return error;
}

int WINAPI WSARemoveServiceClass(LPGUID id)
{
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!id)
        return return_error(WSAEINVAL);
    if (!argument_in(id, sizeof(*id)))
        return return_error(WSAEFAULT);
    AcquireSRWLockExclusive(&classes_lock);
    error = remove_class(id);
    ReleaseSRWLockExclusive(&classes_lock);
    return return_error(error);
}

/* ---- asking ---- */

static void pack(struct packing *packing, const GUID *id, const struct service_class *class,
                 bool ansi)
{
    WSASERVICECLASSINFOW info = {.dwCount = class->count};
    WSANSCLASSINFOW *list;
    void *here, *infos;

    packing_place(packing, sizeof(info), &here);
    info.lpClassInfos = packing_place(packing, class->count * sizeof(*list), &infos);
    list = infos;
    info.lpServiceClassId = packing_bytes(packing, id, sizeof(*id));
    info.lpszServiceClassName = packing_text(packing, class->name, ansi);
    for (DWORD i = 0; i < class->count; i++) {
        WSANSCLASSINFOW copy = class->infos[i];

        packing_align(packing);
        if (copy.lpValue)
            copy.lpValue = packing_bytes(packing, copy.lpValue, copy.dwValueSize);
        copy.lpszName = packing_text(packing, copy.lpszName, ansi);
        if (list)
            list[i] = copy;
    }
    if (here)
        memcpy(here, &info, sizeof(info));
}

static DWORD store(const GUID *id, const struct service_class *class, bool ansi, DWORD *size,
                   void *buffer)
{
    struct packing packing = {NULL, buffer, 0};
    DWORD error = 0;

    pack(&packing, id, class, ansi);
    if (packing.used > *size) {
        *size = (DWORD)packing.used;
        return WSAEFAULT;
    }
    if (!(packing.memory = malloc(packing.used)))
        return WSA_NOT_ENOUGH_MEMORY;
    packing.used = 0;
    pack(&packing, id, class, ansi);
    if (guarded_copy(buffer, packing.memory, packing.used))
        error = WSAEFAULT;
    free(packing.memory);
    return error;
}

static bool is_installed(const GUID *provider)
{
    struct name_space_list spaces;
    bool found = !name_spaces_load(false, &spaces) && name_spaces_find(&spaces, provider);

    name_spaces_free(&spaces);
    return found;
}

static int get_info(const GUID *provider, const GUID *id, bool ansi, DWORD *size, void *info)
{
    struct service_class class;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    /* "WSAEINVAL: ... if the lpProviderId, lpServiceClassId, lpdwBufSize, or lpServiceClassInfo
     * parameters are NULL" */
    if (!provider || !id || !size || !info)
        return return_error(WSAEINVAL);
    if (!argument_in(provider, sizeof(*provider)) || !argument_in(id, sizeof(*id)) ||
        !argument_out(size, sizeof(*size)))
        return return_error(WSAEFAULT);
    if (!is_installed(provider))
        return return_error(WSAEINVAL);
    if (!(error = find_class(id, &class)))
        error = store(id, &class, ansi, size, info);
    class_free(&class);
    return return_error(error);
}

int WINAPI WSAGetServiceClassInfoA(LPGUID provider, LPGUID id, LPDWORD size,
                                   LPWSASERVICECLASSINFOA info)
{
    return get_info(provider, id, true, size, info);
}

int WINAPI WSAGetServiceClassInfoW(LPGUID provider, LPGUID id, LPDWORD size,
                                   LPWSASERVICECLASSINFOW info)
{
    return get_info(provider, id, false, size, info);
}

/* The length is in characters, with the terminating one. */
static DWORD store_name(const WCHAR *name, bool ansi, DWORD *size, void *buffer)
{
    char *narrow = ansi ? text_narrow(CP_ACP, name) : NULL;
    size_t chars = (ansi ? narrow ? strlen(narrow) : 0 : wcslen(name)) + 1;
    DWORD error = 0;

    if (ansi && !narrow)
        error = WSA_NOT_ENOUGH_MEMORY;
    else if (!buffer || *size < chars ||
             (ansi ? guarded_copy(buffer, narrow, chars)
                   : guarded_copy(buffer, name, chars * sizeof(*name))))
        error = WSAEFAULT;
    if (error != WSA_NOT_ENOUGH_MEMORY)
        *size = (DWORD)chars;
    free(narrow);
    return error;
}

static int get_name(const GUID *id, bool ansi, DWORD *size, void *buffer)
{
    struct service_class class;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!id || !size)
        return return_error(WSA_INVALID_PARAMETER);
    if (!argument_in(id, sizeof(*id)) || !argument_out(size, sizeof(*size)))
        return return_error(WSAEFAULT);
    if (!(error = find_class(id, &class)))
        error = store_name(class.name, ansi, size, buffer);
    class_free(&class);
    return return_error(error);
}

int WINAPI WSAGetServiceClassNameByClassIdA(LPGUID id, LPSTR name, LPDWORD size)
{
    return get_name(id, true, size, name);
}

int WINAPI WSAGetServiceClassNameByClassIdW(LPGUID id, LPWSTR name, LPDWORD size)
{
    return get_name(id, false, size, name);
}
