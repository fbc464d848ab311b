/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog of transport providers: installing, enumerating, ordering, changing, removing;
 * categories.  Sources: the pages of the WSC functions; "recorded" = what Wine's tests found on
 * Windows.  It leaves the catalog as it was.  The built-in has stubs, or nothing.
 */
#define UNICODE
#include "net.h"
#include <ws2spi.h>

#define MOST 64

typedef int(WINAPI *install_fn)(const GUID *, const WCHAR *, const WSAPROTOCOL_INFOW *, DWORD,
                                int *);
typedef int(WINAPI *install_ex_fn)(const GUID *, const WCHAR *, const WSAPROTOCOL_INFOW *, DWORD,
                                   DWORD, void *, int *);
typedef int(WINAPI *update_ex_fn)(const GUID *, const WCHAR *, const WSAPROTOCOL_INFOW *, DWORD,
                                  DWORD, int *);
typedef int(WINAPI *chains_fn)(const GUID *, const WCHAR *, const WCHAR *, DWORD,
                               const WSAPROTOCOL_INFOW *, DWORD, DWORD *, int *);
typedef int(WINAPI *chains64_32_fn)(const GUID *, const WCHAR *, const WCHAR *, const WCHAR *,
                                    DWORD, const WSAPROTOCOL_INFOW *, DWORD, DWORD *, int *);
typedef int(WINAPI *deinstall_fn)(const GUID *, int *);
typedef int(WINAPI *deinstall_ex_fn)(const GUID *, DWORD, int *);
typedef int(WINAPI *enum_fn)(int *, WSAPROTOCOL_INFOW *, DWORD *, int *);
typedef int(WINAPI *enum_ex_fn)(DWORD, int *, WSAPROTOCOL_INFOW *, DWORD *, int *);
typedef int(WINAPI *path_fn)(const GUID *, WCHAR *, int *, int *);
typedef int(WINAPI *path_ex_fn)(const GUID *, DWORD, WCHAR *, int *, int *);
typedef int(WINAPI *order_fn)(DWORD *, DWORD);
typedef int(WINAPI *order_ex_fn)(DWORD *, DWORD, DWORD);
typedef int(WINAPI *get_info_fn)(const GUID *, int, BYTE *, size_t *, DWORD, int *);
typedef int(WINAPI *set_info_fn)(const GUID *, int, BYTE *, size_t, DWORD, int *);
typedef int(WINAPI *get_category_fn)(const WCHAR *, DWORD, const WCHAR *, DWORD, DWORD *, int *);
typedef int(WINAPI *set_category_fn)(const WCHAR *, DWORD, const WCHAR *, DWORD, DWORD, DWORD *,
                                     int *);
typedef int(WINAPI *get_category_ex_fn)(const WCHAR *, DWORD, const WCHAR *, DWORD, DWORD, DWORD *,
                                        int *);
typedef int(WINAPI *set_category_ex_fn)(const WCHAR *, DWORD, const WCHAR *, DWORD, DWORD, DWORD,
                                        DWORD *, int *);

static GUID own = {0x9c2b0a54, 0x3f0e, 0x4d3b, {0x8a, 0x11, 0x52, 0x69, 0x6e, 0x67, 0x73, 0x6b}};
static GUID tcpip = {0xe70f1aa0, 0xab8b, 0x11cf, {0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}};
static GUID unknown = {0};
static WSAPROTOCOL_INFOW all[MOST];

static void *ws2(const char *name)
{
    return (void *)GetProcAddress(GetModuleHandleA("ws2_32"), name);
}

/* The catalog into `all`; how many there are. */
static int enumerate(const char *by)
{
    enum_fn function = (enum_fn)ws2(by);
    DWORD size = sizeof(all);
    int error = 0, count = function(NULL, all, &size, &error);

    ok(count > 0, "%s: error %d\n", by, error);
    return count;
}

static int find(int count, const GUID *provider)
{
    for (int i = 0; i < count; i++)
        if (!memcmp(&all[i].ProviderId, provider, sizeof(*provider)))
            return i;
    return -1;
}

/* An entry of our own, modelled on TCP over IPv4. */
static WSAPROTOCOL_INFOW own_entry(void)
{
    int count = enumerate("WSCEnumProtocols"), at = find(count, &tcpip);
    WSAPROTOCOL_INFOW info = all[at < 0 ? 0 : at];

    info.iProtocol = 200;
    info.dwProviderFlags = 0;
    wcscpy(info.szProtocol, L"Ringsock's test");
    return info;
}

static BOOL install_own(void)
{
    install_fn install = (install_fn)ws2("WSCInstallProvider");
    WSAPROTOCOL_INFOW info;
    int error = 0;

    if (on_builtin()) {
        skip("the built-in's stubs\n");
        return FALSE;
    }
    info = own_entry();
    ok(!install(&own, L"%SystemRoot%\\own.dll", &info, 1, &error), "error %d\n", error);
    return TRUE;
}

static void deinstall_own(void)
{
    deinstall_fn deinstall = (deinstall_fn)ws2("WSCDeinstallProvider");
    int error = 0;

    ok(!deinstall(&own, &error), "error %d\n", error);
}

/* "any subsequent calls to WSAEnumProtocols or WSCEnumProtocols will return the newly-created
 * protocol entries" */
static void test_install(void)
{
    int before = enumerate("WSCEnumProtocols"), count, at, two[] = {200, 0};
    WSAPROTOCOL_INFOW some[4];
    DWORD size = sizeof(some);

    if (!install_own())
        return;
    count = enumerate("WSCEnumProtocols");
    at = find(count, &own);
    ok(count == before + 1 && at >= 0, "at %d of %d, before %d\n", at, count, before);
    ok(at >= 0 && all[at].iProtocol == 200 && !wcscmp(all[at].szProtocol, L"Ringsock's test"),
       "another entry\n");
    ok(at >= 0 && all[at].dwCatalogEntryId > 1000, "id %lu\n", all[at].dwCatalogEntryId);
    count = WSAEnumProtocolsW(two, some, &size);
    ok(count == 1 && some[0].iProtocol == 200, "got %d, error %d\n", count, WSAGetLastError());
    deinstall_own();
    count = enumerate("WSCEnumProtocols");
    ok(count == before && find(count, &own) < 0, "%d, before %d\n", count, before);
}

/* "WSANO_RECOVERY: ... the provider is already installed", "WSAEFAULT: One or more of the arguments
 * is not in a valid part of the user address space", "WSAEINVAL". */
static void test_install_errors(void)
{
    install_fn install = (install_fn)ws2("WSCInstallProvider");
    deinstall_fn deinstall = (deinstall_fn)ws2("WSCDeinstallProvider");
    WSAPROTOCOL_INFOW info = own_entry();
    int error = 0;

    if (on_builtin()) {
        skip("the built-in's stubs\n");
        return;
    }
    ok(install(&tcpip, L"x.dll", &info, 1, &error) == SOCKET_ERROR && error == WSANO_RECOVERY,
       "error %d\n", error);
    ok(install(NULL, L"x.dll", &info, 1, &error) == SOCKET_ERROR && error == WSAEFAULT,
       "error %d\n", error);
    ok(install(&own, NULL, &info, 1, &error) == SOCKET_ERROR && error == WSAEFAULT, "error %d\n",
       error);
    ok(install(&own, L"x.dll", NULL, 1, &error) == SOCKET_ERROR && error == WSAEFAULT, "error %d\n",
       error);
    ok(install(&own, L"x.dll", &info, 0, &error) == SOCKET_ERROR && error == WSAEINVAL,
       "error %d\n", error);
    ok(deinstall(&own, &error) == SOCKET_ERROR && error == WSAEINVAL, "error %d\n", error);
    ok(deinstall(NULL, &error) == SOCKET_ERROR && error == WSAEFAULT, "error %d\n", error);
}

/* WSCGetProviderPath: the path "can contain embedded environment strings", and is returned
 * unexpanded. */
static void test_path(void)
{
    path_fn get_path = (path_fn)ws2("WSCGetProviderPath");
    path_ex_fn get_path_ex = (path_ex_fn)ws2("WPUGetProviderPathEx");
    WCHAR path[MAX_PATH];
    int length = MAX_PATH, error = 0;

    if (!install_own())
        return;
    ok(!get_path(&own, path, &length, &error), "error %d\n", error);
    ok(!wcscmp(path, L"%SystemRoot%\\own.dll") && length == (int)wcslen(path) + 1, "%ls, %d\n",
       path, length);
    length = 3;
    ok(get_path(&own, path, &length, &error) == SOCKET_ERROR && error == WSAEFAULT &&
           length == (int)wcslen(L"%SystemRoot%\\own.dll") + 1,
       "error %d, length %d\n", error, length);
    ok(!get_path_ex(&own, 0, path, &length, &error) && !wcscmp(path, L"%SystemRoot%\\own.dll"),
       "error %d\n", error);
    deinstall_own();
}

/* WSCUpdateProvider "modifies the specified transport provider in the system configuration
 * database". */
static void test_update(void)
{
    install_fn update = (install_fn)ws2("WSCUpdateProvider");
    update_ex_fn update_ex = (update_ex_fn)ws2("WSCUpdateProviderEx");
    path_fn get_path = (path_fn)ws2("WSCGetProviderPath");
    WSAPROTOCOL_INFOW info;
    WCHAR path[MAX_PATH];
    int length = MAX_PATH, error = 0, count, at;
    DWORD id;

    if (!install_own())
        return;
    at = find(enumerate("WSCEnumProtocols"), &own);
    info = all[at];
    id = info.dwCatalogEntryId;
    info.iProtocol = 201;
    ok(!update(&own, L"other.dll", &info, 1, &error), "error %d\n", error);
    count = enumerate("WSCEnumProtocols");
    ok(find(count, &own) == at && all[at].iProtocol == 201 && all[at].dwCatalogEntryId == id,
       "protocol %d, id %lu\n", all[at].iProtocol, all[at].dwCatalogEntryId);
    ok(!get_path(&own, path, &length, &error) && !wcscmp(path, L"other.dll"), "%ls\n", path);
    ok(!update_ex(&own, L"third.dll", &info, 1, 0, &error), "error %d\n", error);
    ok(update(&unknown, L"x.dll", &info, 1, &error) == SOCKET_ERROR && error == WSAEINVAL,
       "error %d\n", error);
    deinstall_own();
}

/* WSCWriteProviderOrder "is used to reorder the available transport providers". */
static void test_order(void)
{
    order_fn order = (order_fn)ws2("WSCWriteProviderOrder");
    order_ex_fn order_ex = (order_ex_fn)ws2("WSCWriteProviderOrderEx");
    DWORD ids[MOST], twice[2];
    int count, i;

    if (!install_own())
        return;
    count = enumerate("WSCEnumProtocols");
    ok(find(count, &own) == count - 1, "not the last\n");
    for (i = 0; i < count; i++)
        ids[count - 1 - i] = all[i].dwCatalogEntryId;
    ok(!order(ids, (DWORD)count), "refused\n");
    ok(find(enumerate("WSCEnumProtocols"), &own) == 0, "not the first\n");
    for (i = 0; i < count; i++)
        ids[count - 1 - i] = all[i].dwCatalogEntryId;
    ok(!order_ex(ids, (DWORD)count, 0), "refused\n");
    /* "WSAEINVAL: One or more of the arguments are invalid, no action was taken." */
    twice[0] = twice[1] = ids[0];
    ok(order(twice, 2) == WSAEINVAL, "took a part of them\n");
    ok(order(NULL, 1) == WSAEINVAL, "took NULL\n");
    ok(find(enumerate("WSCEnumProtocols"), &own) == count - 1, "moved\n");
    deinstall_own();
}

/* "WSAEnumProtocols function does not enumerate a layered protocol entry while WSCEnumProtocols
 * does." */
static void test_layered(void)
{
    install_fn install = (install_fn)ws2("WSCInstallProvider");
    WSAPROTOCOL_INFOW info = own_entry(), some[4];
    DWORD size = sizeof(some);
    int error = 0, wanted[] = {200, 0};

    if (on_builtin()) {
        skip("the built-in's stubs\n");
        return;
    }
    info.ProtocolChain.ChainLen = LAYERED_PROTOCOL;
    ok(!install(&own, L"x.dll", &info, 1, &error), "error %d\n", error);
    ok(find(enumerate("WSCEnumProtocols"), &own) >= 0, "not there\n");
    ok(!WSAEnumProtocolsW(wanted, some, &size), "enumerated\n");
    deinstall_own();
}

/* The undocumented forms with a catalog. */
static void test_ex(void)
{
    install_ex_fn install = (install_ex_fn)ws2("WSCInstallProviderEx");
    deinstall_ex_fn deinstall = (deinstall_ex_fn)ws2("WSCDeinstallProviderEx");
    enum_ex_fn enumerate_ex = (enum_ex_fn)ws2("WSCEnumProtocolsEx");
    WSAPROTOCOL_INFOW info = own_entry();
    DWORD size = sizeof(all);
    int error = 0, count;

    if (!install || !deinstall || !enumerate_ex) {
        skip("there are no such names\n");
        return;
    }
    ok(!install(&own, L"x.dll", &info, 1, 0, NULL, &error), "error %d\n", error);
    count = enumerate_ex(0, NULL, all, &size, &error);
    ok(find(count, &own) >= 0, "not there\n");
    ok(!deinstall(&own, 0, &error), "error %d\n", error);
}

/* What WSCInstallProviderAndChains leaves: chains in front, the layer hidden. */
static void check_chains(const char *by, DWORD id, int bases)
{
    int count = enumerate(by), at = find(count, &own), i;

    ok(at == count - 1 && all[at].ProtocolChain.ChainLen == LAYERED_PROTOCOL &&
           all[at].dwCatalogEntryId == id && !wcscmp(all[at].szProtocol, L"layer"),
       "layer at %d of %d\n", at, count);
    ok(count == 2 * bases + 1, "%d entries over %d\n", count, bases);
    for (i = 0; i < bases && i < count; i++) {
        ok(all[i].ProtocolChain.ChainLen == 2 && all[i].ProtocolChain.ChainEntries[0] == id,
           "%d: chain of %d, first %lu\n", i, all[i].ProtocolChain.ChainLen,
           all[i].ProtocolChain.ChainEntries[0]);
        ok(all[i].ProtocolChain.ChainEntries[1] == all[i + bases].dwCatalogEntryId,
           "%d: over %lu\n", i, all[i].ProtocolChain.ChainEntries[1]);
    }
}

/* "If lpProtocolInfoList is set to NULL, this function creates protocol chains where the provider
 * is layered over the base protocol for each unique protocol type". */
static void test_chains(void)
{
    chains_fn install = (chains_fn)ws2("WSCInstallProviderAndChains");
    int bases = enumerate("WSCEnumProtocols"), error = 0, kinds = bases;
    WSAPROTOCOL_INFOW one = all[0];
    DWORD id = 0;

    if (!install) {
        skip("WSCInstallProviderAndChains is not there\n");
        return;
    }
    ok(!install(&own, L"x.dll", L"layer", XP1_IFS_HANDLES, NULL, 0, &id, &error), "error %d\n",
       error);
    check_chains("WSCEnumProtocols", id, kinds);
    /* "a duplicate provider ID or the layered service provider name already exist in the catalog"
     */
    ok(install(&own, L"x.dll", L"other", 0, NULL, 0, NULL, &error) == SOCKET_ERROR &&
           error == WSAEINVAL,
       "error %d\n", error);
    deinstall_own();
    ok(enumerate("WSCEnumProtocols") == bases, "something is left\n");

    ok(!install(&own, L"x.dll", L"layer", 0, &one, 1, &id, &error), "error %d\n", error);
    ok(enumerate("WSCEnumProtocols") == bases + 2, "not one chain\n");
    ok(!(all[0].dwServiceFlags1 & XP1_IFS_HANDLES) && all[0].iProtocol == one.iProtocol,
       "flags %#lx, protocol %d\n", all[0].dwServiceFlags1, all[0].iProtocol);
    deinstall_own();
    /* "the lpProtocolInfoList is set to a non-NULL and the dwNumberOfEntries parameter is zero" */
    ok(install(&own, L"x.dll", L"layer", 0, &one, 0, NULL, &error) == SOCKET_ERROR &&
           error == WSAEINVAL,
       "error %d\n", error);
    /* "or a match cannot be found for the specified protocol" */
    one.iProtocol = 222;
    ok(install(&own, L"x.dll", L"layer", 0, &one, 1, NULL, &error) == SOCKET_ERROR &&
           error == WSAEINVAL,
       "error %d\n", error);
}

/* "On a 64-bit computer ... two Winsock catalogs are maintained". */
static void test_64_32(void)
{
    install_fn install = (install_fn)ws2("WSCInstallProvider64_32");
    install_fn update = (install_fn)ws2("WSCUpdateProvider32");
    deinstall_fn deinstall = (deinstall_fn)ws2("WSCDeinstallProvider32");
    path_fn get_path = (path_fn)ws2("WSCGetProviderPath32");
    order_fn order = (order_fn)ws2("WSCWriteProviderOrder32");
    WSAPROTOCOL_INFOW info = own_entry();
    WCHAR path[MAX_PATH];
    DWORD ids[MOST];
    int error = 0, count, i, length = MAX_PATH;

    if (!install || !update || !deinstall || !get_path || !order) {
        skip("there are no such names\n");
        return;
    }
    ok(!install(&own, L"x.dll", &info, 1, &error), "error %d\n", error);
    ok(find(enumerate("WSCEnumProtocols"), &own) >= 0, "not in the 64-bit catalog\n");
    count = enumerate("WSCEnumProtocols32");
    ok(find(count, &own) >= 0, "not in the 32-bit catalog\n");
    for (i = 0; i < count; i++)
        ids[i] = all[i].dwCatalogEntryId;
    ok(!order(ids, (DWORD)count), "refused\n");
    ok(!update(&own, L"y.dll", &info, 1, &error), "error %d\n", error);
    ok(!get_path(&own, path, &length, &error) && !wcscmp(path, L"y.dll"), "%ls\n", path);
    ok(!deinstall(&own, &error), "error %d\n", error);
    ok(find(enumerate("WSCEnumProtocols32"), &own) < 0, "still there\n");
    deinstall_own();
}

/* The same with a layered provider. */
static void test_chains_64_32(void)
{
    chains64_32_fn install = (chains64_32_fn)ws2("WSCInstallProviderAndChains64_32");
    deinstall_fn deinstall = (deinstall_fn)ws2("WSCDeinstallProvider32");
    int bases, error = 0;
    DWORD id = 0;

    if (!install || !deinstall) {
        skip("there are no such names\n");
        return;
    }
    bases = enumerate("WSCEnumProtocols32");
    ok(!install(&own, L"x.dll", L"y.dll", L"layer", XP1_IFS_HANDLES, NULL, 0, &id, &error),
       "error %d\n", error);
    check_chains("WSCEnumProtocols", id, bases);
    check_chains("WSCEnumProtocols32", id, bases);
    ok(!deinstall(&own, &error), "error %d\n", error);
    deinstall_own();
}

static void check_info(const char *getter, const char *setter)
{
    get_info_fn get = (get_info_fn)ws2(getter);
    set_info_fn set = (set_info_fn)ws2(setter);
    DWORD categories = LSP_INSPECTOR | LSP_FIREWALL, got = 0;
    size_t size = 0;
    int error = 0;

    ok(!set(&tcpip, ProviderInfoLspCategories, (BYTE *)&categories, sizeof(categories), 0, &error),
       "%s: error %d\n", setter, error);
    /* "If the Info parameter is NULL, then WSCGetProviderInfo returns failure and the InfoSize
     * parameter will receive the size of the required buffer." */
    ok(get(&tcpip, ProviderInfoLspCategories, NULL, &size, 0, &error) == SOCKET_ERROR &&
           error == WSAEFAULT && size == sizeof(DWORD),
       "%s: error %d, size %lu\n", getter, error, (long)size);
    ok(!get(&tcpip, ProviderInfoLspCategories, (BYTE *)&got, &size, 0, &error), "%s: error %d\n",
       getter, error);
    ok(got == categories, "got %#lx\n", got);
    /* "ERROR_CALL_NOT_IMPLEMENTED: ... if ProviderInfoAudit is specified" */
    ok(get(&tcpip, ProviderInfoAudit, (BYTE *)&got, &size, 0, &error) == SOCKET_ERROR &&
           error == ERROR_CALL_NOT_IMPLEMENTED,
       "%s: error %d\n", getter, error);
    ok(set(&tcpip, ProviderInfoLspCategories, (BYTE *)&categories, 1, 0, &error) == SOCKET_ERROR &&
           error == WSAEINVAL,
       "%s: error %d\n", setter, error);
}

/* "When the InfoType parameter is set to ProviderInfoLspCategories, on success WSCGetProviderInfo
 * returns with the Info parameter set with appropriate LSP category flags". */
static void test_provider_info(void)
{
    if (on_builtin()) {
        skip("the built-in's stubs\n");
        return;
    }
    check_info("WSCGetProviderInfo", "WSCSetProviderInfo");
    if (ws2("WSCGetProviderInfo32"))
        check_info("WSCGetProviderInfo32", "WSCSetProviderInfo32");
}

/* Recorded: WSAEFAULT without a provider, WSANO_RECOVERY for an unknown one. */
static void test_unknown_provider_info(void)
{
    get_info_fn get = (get_info_fn)ws2("WSCGetProviderInfo");
    BYTE info[4];
    size_t size = sizeof(info);
    int error = 0;

    ok(get(NULL, ProviderInfoLspCategories, info, &size, 0, &error) == SOCKET_ERROR &&
           error == WSAEFAULT,
       "error %d\n", error);
    ok(get(&unknown, -1, info, &size, 0, &error) == SOCKET_ERROR && error == WSANO_RECOVERY,
       "error %d\n", error);
    ok(get(&unknown, ProviderInfoLspCategories, NULL, NULL, 0, &error) == SOCKET_ERROR &&
           error == WSANO_RECOVERY,
       "error %d\n", error);
}

/* "If the WSCSetApplicationCategory function is called on the same application ... multiple times,
 * then the categories are ORed together." */
static void test_application(void)
{
    static const WCHAR path[] = L"C:\\ringsock-test.exe", extra[] = L"-k one";
    get_category_fn get = (get_category_fn)ws2("WSCGetApplicationCategory");
    set_category_fn set = (set_category_fn)ws2("WSCSetApplicationCategory");
    DWORD length = ARRAYSIZE(path) - 1, more = ARRAYSIZE(extra) - 1, got = 0, before = 77;
    int error = 0;

    if (on_builtin() || !set || !get) {
        skip("the built-in's stubs\n");
        return;
    }
    ok(!set(path, length, extra, more, LSP_SYSTEM, NULL, &error), "error %d\n", error);
    ok(!set(path, length, extra, more, LSP_REDIRECTOR, &before, &error), "error %d\n", error);
    ok(before & LSP_SYSTEM, "before %#lx\n", before);
    ok(!get(path, length, extra, more, &got, &error), "error %d\n", error);
    ok(got == (LSP_SYSTEM | LSP_REDIRECTOR), "got %#lx\n", got);
    /* "WSASERVICE_NOT_FOUND: The service could not be found based on the Path and Extra
     * parameters." */
    ok(get(path, length, NULL, 0, &got, &error) == SOCKET_ERROR && error == WSASERVICE_NOT_FOUND,
       "error %d\n", error);
}

/* The undocumented forms with flags. */
static void test_application_ex(void)
{
    static const WCHAR path[] = L"C:\\ringsock-test-ex.exe";
    get_category_ex_fn get = (get_category_ex_fn)ws2("WSCGetApplicationCategoryEx");
    set_category_ex_fn set = (set_category_ex_fn)ws2("WSCSetApplicationCategoryEx");
    DWORD length = ARRAYSIZE(path) - 1, got = 0;
    int error = 0;

    if (!set || !get) {
        skip("there are no such names\n");
        return;
    }
    ok(!set(path, length, NULL, 0, LSP_PROXY, 0, NULL, &error), "error %d\n", error);
    ok(!get(path, length, NULL, 0, 0, &got, &error) && got == LSP_PROXY, "error %d, got %#lx\n",
       error, got);
}

/* Recorded: an empty path or no place for the result is WSAEINVAL. */
static void test_application_errors(void)
{
    get_category_fn get = (get_category_fn)ws2("WSCGetApplicationCategory");
    DWORD got;
    int error = 0;

    if (!get) {
        skip("WSCGetApplicationCategory is not there\n");
        return;
    }
    ok(get(NULL, 0, NULL, 0, NULL, &error) == SOCKET_ERROR && error == WSAEINVAL, "error %d\n",
       error);
    error = 0;
    todo_wine ok(get(L"", 0, NULL, 0, &got, &error) == SOCKET_ERROR && error == WSAEINVAL,
                 "error %d\n", error);
    error = 0;
    todo_wine ok(get(L"x", 1, NULL, 0, NULL, &error) == SOCKET_ERROR && error == WSAEINVAL,
                 "error %d\n", error);
}

START_TEST(provider_catalog)
{
    net_start();
    RUN(test_install);
    RUN(test_install_errors);
    RUN(test_path);
    RUN(test_update);
    RUN(test_order);
    RUN(test_layered);
    RUN(test_ex);
    RUN(test_chains);
    RUN(test_64_32);
    RUN(test_chains_64_32);
    RUN(test_provider_info);
    RUN(test_unknown_provider_info);
    RUN(test_application);
    RUN(test_application_ex);
    RUN(test_application_errors);
    WSACleanup();
}
