/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog of name space providers: enumerating, installing, enabling, ordering, removing; and
 * that an installed provider is asked.  Sources: the pages of those functions and of NSPStartup.
 *
 * This program is the provider's DLL itself.  It leaves the catalog as it was.
 */
#include "net.h"
#include <ws2spi.h>
#include <stddef.h>

typedef int(WINAPI *enum_ex_w_fn)(LPDWORD, LPWSANAMESPACE_INFOEXW);
typedef int(WINAPI *enum_ex_a_fn)(LPDWORD, LPWSANAMESPACE_INFOEXA);
typedef int(WINAPI *install_fn)(const WCHAR *, const WCHAR *, DWORD, DWORD, GUID *);
typedef int(WINAPI *install_ex_fn)(const WCHAR *, const WCHAR *, DWORD, DWORD, GUID *, BLOB *);
typedef int(WINAPI *install_ex2_fn)(const WCHAR *, const WCHAR *, DWORD, DWORD, GUID *, BLOB *,
                                    DWORD);
typedef int(WINAPI *uninstall_fn)(GUID *);
typedef int(WINAPI *uninstall_ex2_fn)(GUID *, DWORD);
typedef int(WINAPI *enable_fn)(GUID *, BOOL);
typedef int(WINAPI *order_fn)(GUID *, DWORD);
typedef int(WINAPI *enum_w_fn)(LPDWORD, LPWSANAMESPACE_INFOW);

static GUID tcpip_dns = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};
static GUID nla = NLA_NAMESPACE_GUID;
static GUID own = {0x9c2b0a51, 0x3f0e, 0x4d3b, {0x8a, 0x11, 0x52, 0x69, 0x6e, 0x67, 0x73, 0x6b}};
static GUID own_class = {
    0x9c2b0a52, 0x3f0e, 0x4d3b, {0x8a, 0x11, 0x52, 0x69, 0x6e, 0x67, 0x73, 0x6b}};

#define OWN_NAME_SPACE 0x4d2u
#define MOST           32

static WCHAR own_path[MAX_PATH];
static union {
    WSANAMESPACE_INFOW wide[MOST];
    WSANAMESPACE_INFOA ansi[MOST];
    WSANAMESPACE_INFOEXW wide_ex[MOST];
    WSANAMESPACE_INFOEXA ansi_ex[MOST];
    char bytes[16384];
} buffer;

static void *ws2(const char *name)
{
    return (void *)GetProcAddress(GetModuleHandleA("ws2_32"), name);
}

/* ---- the provider ---- */

static LONG begins, ends, sets;
static int results_left;

static int WSAAPI own_cleanup(LPGUID provider)
{
    (void)provider;
    return 0;
}

static int WSAAPI own_begin(LPGUID provider, LPWSAQUERYSETW query, LPWSASERVICECLASSINFOW class,
                            DWORD flags, LPHANDLE lookup)
{
    (void)class, (void)flags;
    ok(!memcmp(provider, &own, sizeof(own)), "another provider\n");
    if (!query->lpServiceClassId || memcmp(query->lpServiceClassId, &own_class, sizeof(GUID))) {
        SetLastError(WSASERVICE_NOT_FOUND);
        return SOCKET_ERROR;
    }
    begins++;
    results_left = 2;
    *lookup = (HANDLE)0x77;
    return 0;
}

static int WSAAPI own_next(HANDLE lookup, DWORD flags, LPDWORD size, LPWSAQUERYSETW result)
{
    static const WCHAR name[] = L"a name that is longer than the first buffer may be";
    DWORD needed = sizeof(*result) + sizeof(name);

    (void)flags;
    ok(lookup == (HANDLE)0x77, "lookup %p\n", lookup);
    if (!results_left) {
        SetLastError(WSA_E_NO_MORE);
        return SOCKET_ERROR;
    }
    if (*size < needed) {
        *size = needed;
        SetLastError(WSAEFAULT);
        return SOCKET_ERROR;
    }
    results_left--;
    memset(result, 0, sizeof(*result));
    result->dwSize = sizeof(*result);
    result->dwNameSpace = OWN_NAME_SPACE;
    result->lpszServiceInstanceName = (WCHAR *)(result + 1);
    memcpy(result->lpszServiceInstanceName, name, sizeof(name));
    return 0;
}

static int WSAAPI own_end(HANDLE lookup)
{
    (void)lookup;
    ends++;
    return 0;
}

static int WSAAPI own_set(LPGUID provider, LPWSASERVICECLASSINFOW class, LPWSAQUERYSETW info,
                          WSAESETSERVICEOP operation, DWORD flags)
{
    (void)provider, (void)class, (void)info, (void)operation, (void)flags;
    sets++;
    return 0;
}

/* Exported by its plain name in both widths, which dllexport cannot do. */
#ifdef _WIN64
#define PLAIN(name) __asm__(#name)
#else
#define PLAIN(name) __asm__("_" #name)
#endif
__asm__(".section .drectve,\"yn\"\n"
        ".ascii \" -export:NSPStartup\"\n"
        ".text\n");
INT WSAAPI own_startup(LPGUID provider, LPNSP_ROUTINE routines) PLAIN(NSPStartup);
INT WSAAPI own_startup(LPGUID provider, LPNSP_ROUTINE routines)
{
    ok(!memcmp(provider, &own, sizeof(own)), "another provider\n");
    ok(routines->cbSize >= offsetof(NSP_ROUTINE, NSPIoctl), "size %lu\n", routines->cbSize);
    routines->cbSize = offsetof(NSP_ROUTINE, NSPIoctl);
    routines->dwMajorVersion = 1;
    routines->dwMinorVersion = 0;
    routines->NSPCleanup = own_cleanup;
    routines->NSPLookupServiceBegin = own_begin;
    routines->NSPLookupServiceNext = own_next;
    routines->NSPLookupServiceEnd = own_end;
    routines->NSPSetService = own_set;
    return 0;
}

/* ---- tests ---- */

/* The provider's index in the enumeration, or -1; *count becomes how many there are. */
static int find(const GUID *provider, int *count)
{
    DWORD size = sizeof(buffer);

    *count = WSAEnumNameSpaceProvidersW(&size, buffer.wide);
    for (int i = 0; i < *count; i++)
        if (!memcmp(&buffer.wide[i].NSProviderId, provider, sizeof(*provider)))
            return i;
    return -1;
}

/* "WSAEFAULT: ... the buffer length was too small ... Pass in a buffer at least as large as the
 * value returned in lpdwBufferLength." */
static void test_sizes(void)
{
    DWORD size = 0, needed;

    todo_wine
    {
        ok_error(WSAEnumNameSpaceProvidersA(NULL, buffer.ansi), WSAEFAULT);
        ok_error(WSAEnumNameSpaceProvidersA(&size, NULL), WSAEFAULT);
        needed = size--;
        ok_error(WSAEnumNameSpaceProvidersA(&size, buffer.ansi), WSAEFAULT);
        ok(size == needed && needed > sizeof(buffer.ansi[0]), "needs %lu, %lu\n", needed, size);
        ok(WSAEnumNameSpaceProvidersA(&size, buffer.ansi) > 0, "error %d\n", WSAGetLastError());
    }
}

/* What every Windows has: the DNS provider "Tcpip", and that of NLA. */
static void test_built_in(void)
{
    int count, at = find(&tcpip_dns, &count);

    todo_wine ok(at >= 0, "no DNS among %d\n", count);
    if (at < 0)
        return;
    ok(buffer.wide[at].dwNameSpace == NS_DNS && buffer.wide[at].fActive, "name space %lu\n",
       buffer.wide[at].dwNameSpace);
    ok(!wcscmp(buffer.wide[at].lpszIdentifier, L"Tcpip"), "%ls\n", buffer.wide[at].lpszIdentifier);
    at = find(&nla, &count);
    ok(at >= 0 && buffer.wide[at].dwNameSpace == NS_NLA, "no NLA\n");
}

/* The four forms say the same. */
static void test_forms(void)
{
    enum_ex_w_fn enum_ex_w = (enum_ex_w_fn)ws2("WSAEnumNameSpaceProvidersExW");
    enum_ex_a_fn enum_ex_a = (enum_ex_a_fn)ws2("WSAEnumNameSpaceProvidersExA");
    DWORD size = sizeof(buffer);
    int count, at = find(&tcpip_dns, &count);

    todo_wine ok(at >= 0, "no DNS\n");
    if (at < 0 || !enum_ex_w || !enum_ex_a)
        return;
    ok(WSAEnumNameSpaceProvidersA(&size, buffer.ansi) == count, "another count\n");
    ok(!strcmp(buffer.ansi[at].lpszIdentifier, "Tcpip"), "%s\n", buffer.ansi[at].lpszIdentifier);
    size = sizeof(buffer);
    ok(enum_ex_w(&size, buffer.wide_ex) == count, "another count\n");
    ok(!wcscmp(buffer.wide_ex[at].lpszIdentifier, L"Tcpip") &&
           !buffer.wide_ex[at].ProviderSpecific.cbSize,
       "%ls\n", buffer.wide_ex[at].lpszIdentifier);
    size = sizeof(buffer);
    ok(enum_ex_a(&size, buffer.ansi_ex) == count, "another count\n");
    ok(!strcmp(buffer.ansi_ex[at].lpszIdentifier, "Tcpip"), "%s\n",
       buffer.ansi_ex[at].lpszIdentifier);
}

static BOOL install_own(void)
{
    install_fn install = (install_fn)ws2("WSCInstallNameSpace");

    return !install(L"Ringsock's test", own_path, OWN_NAME_SPACE, 3, &own);
}

static void uninstall_own(void)
{
    uninstall_fn uninstall = (uninstall_fn)ws2("WSCUnInstallNameSpace");

    ok_success(uninstall(&own));
}

/* WSCInstallNameSpace "installs a namespace provider", WSCUnInstallNameSpace "uninstalls" it. */
static void test_install(void)
{
    int count, before, at;

    if (on_builtin()) {
        skip("the built-in's stub claims success\n");
        return;
    }
    find(&own, &before);
    ok(install_own(), "error %d\n", WSAGetLastError());
    at = find(&own, &count);
    ok(at >= 0 && count == before + 1, "at %d, %d of %d\n", at, count, before);
    ok(buffer.wide[at].dwNameSpace == OWN_NAME_SPACE && buffer.wide[at].dwVersion == 3 &&
           buffer.wide[at].fActive && !wcscmp(buffer.wide[at].lpszIdentifier, L"Ringsock's test"),
       "name space %lu, version %lu, %ls\n", buffer.wide[at].dwNameSpace, buffer.wide[at].dwVersion,
       buffer.wide[at].lpszIdentifier);
    ok(find(&tcpip_dns, &count) >= 0, "DNS is gone\n");
    uninstall_own();
    ok(find(&own, &count) < 0 && count == before, "still there\n");
}

/* "WSAEINVAL: The provider identifier ... is already installed", "WSAEFAULT: One or more of the
 * parameters are not in a valid part of process memory". */
static void test_install_errors(void)
{
    install_fn install = (install_fn)ws2("WSCInstallNameSpace");
    uninstall_fn uninstall = (uninstall_fn)ws2("WSCUnInstallNameSpace");
    enable_fn enable = (enable_fn)ws2("WSCEnableNSProvider");

    if (on_builtin()) {
        skip("the built-in's stub claims success\n");
        return;
    }
    ok_error(install(L"x", own_path, NS_DNS, 1, &tcpip_dns), WSAEINVAL);
    ok_error(install(NULL, own_path, NS_DNS, 1, &own), WSAEFAULT);
    ok_error(install(L"x", NULL, NS_DNS, 1, &own), WSAEFAULT);
    ok_error(install(L"x", own_path, NS_DNS, 1, NULL), WSAEFAULT);
    ok_error(uninstall(&own), WSAEINVAL);
    ok_error(uninstall(NULL), WSAEFAULT);
    ok_error(enable(&own, TRUE), WSAEINVAL);
    ok_error(enable(NULL, TRUE), WSAEFAULT);
}

/* "lpProviderSpecificInfo: A provider-specific data BLOB", which WSAEnumNameSpaceProvidersEx
 * returns. */
static void test_blob(void)
{
    install_ex_fn install = (install_ex_fn)ws2("WSCInstallNameSpaceEx");
    enum_ex_w_fn enumerate = (enum_ex_w_fn)ws2("WSAEnumNameSpaceProvidersExW");
    BYTE data[] = {1, 2, 3, 4, 5};
    BLOB blob = {sizeof(data), data};
    DWORD size = sizeof(buffer);
    int count;

    if (!install || !enumerate) {
        skip("WSCInstallNameSpaceEx is not there\n");
        return;
    }
    ok_success(install(L"with a blob", own_path, OWN_NAME_SPACE, 1, &own, &blob));
    count = enumerate(&size, buffer.wide_ex);
    ok(count > 0 && buffer.wide_ex[count - 1].ProviderSpecific.cbSize == sizeof(data) &&
           !memcmp(buffer.wide_ex[count - 1].ProviderSpecific.pBlobData, data, sizeof(data)),
       "no blob\n");
    uninstall_own();
}

/* The undocumented forms with a catalog. */
static void test_ex2(void)
{
    install_ex2_fn install = (install_ex2_fn)ws2("WSCInstallNameSpaceEx2");
    uninstall_ex2_fn uninstall = (uninstall_ex2_fn)ws2("WSCUnInstallNameSpaceEx2");
    int count;

    if (!install || !uninstall) {
        skip("WSCInstallNameSpaceEx2 is not there\n");
        return;
    }
    ok_success(install(L"x", own_path, OWN_NAME_SPACE, 1, &own, NULL, 0));
    ok(find(&own, &count) >= 0, "not there\n");
    ok_success(uninstall(&own, 0));
    ok(find(&own, &count) < 0, "still there\n");
}

/* "If the fEnable parameter is set to FALSE, the namespace provider is disabled and will not be
 * used for query operations or service registration." */
static void test_enable(void)
{
    enable_fn enable = (enable_fn)ws2("WSCEnableNSProvider");
    WSAQUERYSETW query = {
        .dwSize = sizeof(query), .lpServiceClassId = &own_class, .dwNameSpace = OWN_NAME_SPACE};
    HANDLE lookup;
    int at, count;

    if (on_builtin()) {
        skip("the built-in's stub claims success\n");
        return;
    }
    ok(install_own(), "error %d\n", WSAGetLastError());
    ok_success(enable(&own, FALSE));
    at = find(&own, &count);
    ok(at >= 0 && !buffer.wide[at].fActive, "still active\n");
    ok_error(WSALookupServiceBeginW(&query, LUP_RETURN_ALL, &lookup), WSASERVICE_NOT_FOUND);
    ok_success(enable(&own, TRUE));
    at = find(&own, &count);
    ok(at >= 0 && buffer.wide[at].fActive, "not active\n");
    uninstall_own();
}

/* "WSCWriteNameSpaceOrder ... changes the order of available Winsock 2 namespace providers" */
static void test_order(void)
{
    order_fn order = (order_fn)ws2("WSCWriteNameSpaceOrder");
    GUID all[MOST], twice[2] = {own, own};
    int count, i;

    if (on_builtin()) {
        skip("the built-in's stub claims success\n");
        return;
    }
    ok(install_own(), "error %d\n", WSAGetLastError());
    ok(find(&own, &count) == count - 1, "not the last\n");
    for (i = 0; i < count; i++)
        all[count - 1 - i] = buffer.wide[i].NSProviderId;
    ok(!order(all, (DWORD)count), "error %d\n", WSAGetLastError());
    ok(find(&own, &count) == 0, "not the first\n");
    for (i = 0; i < count; i++)
        all[count - 1 - i] = buffer.wide[i].NSProviderId;
    ok(!order(all, (DWORD)count), "error %d\n", WSAGetLastError());
    /* "WSAEINVAL: Input data is bad." */
    ok(order(twice, 2) == WSAEINVAL, "took a part of them\n");
    ok(order(NULL, 1) == WSAEFAULT, "took NULL\n");
    uninstall_own();
}

/* An installed provider is loaded and asked: NSPLookupServiceBegin, Next and End. */
static void test_is_asked(void)
{
    WSAQUERYSETW query = {
        .dwSize = sizeof(query), .lpServiceClassId = &own_class, .dwNameSpace = OWN_NAME_SPACE};
    union {
        WSAQUERYSETW set;
        char bytes[1024];
    } result;
    DWORD size = sizeof(result);
    HANDLE lookup;

    if (on_builtin()) {
        skip("the built-in's stub claims success\n");
        return;
    }
    ok(install_own(), "error %d\n", WSAGetLastError());
    ok_success(WSALookupServiceBeginW(&query, LUP_RETURN_ALL, &lookup));
    ok(begins == 1, "%ld begins\n", begins);
    ok_success(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &result.set));
    ok(result.set.dwNameSpace == OWN_NAME_SPACE && result.set.lpszServiceInstanceName &&
           !wcsncmp(result.set.lpszServiceInstanceName, L"a name", 6),
       "another result\n");
    size = 16;
    ok_error(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &result.set), WSAEFAULT);
    ok_success(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &result.set));
    ok_error(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &result.set), WSA_E_NO_MORE);
    ok_success(WSALookupServiceEnd(lookup));
    ok(ends == 1, "%ld ends\n", ends);
    ok_success(WSASetServiceW(&query, RNRSERVICE_REGISTER, 0));
    ok(sets == 1, "%ld registrations\n", sets);
    uninstall_own();
}

/* The 64-bit DLL's names for the 32-bit catalog: a catalog of its own. */
static void test_32(void)
{
    install_fn install = (install_fn)ws2("WSCInstallNameSpace32");
    install_ex_fn install_ex = (install_ex_fn)ws2("WSCInstallNameSpaceEx32");
    uninstall_fn uninstall = (uninstall_fn)ws2("WSCUnInstallNameSpace32");
    enable_fn enable = (enable_fn)ws2("WSCEnableNSProvider32");
    order_fn order = (order_fn)ws2("WSCWriteNameSpaceOrder32");
    enum_w_fn enumerate = (enum_w_fn)ws2("WSCEnumNameSpaceProviders32");
    enum_ex_w_fn enumerate_ex = (enum_ex_w_fn)ws2("WSCEnumNameSpaceProvidersEx32");
    GUID all[MOST];
    DWORD size = sizeof(buffer);
    int count, before, i;

    if (!install || !install_ex || !uninstall || !enable || !order || !enumerate || !enumerate_ex) {
        skip("there are no such names\n");
        return;
    }
    before = enumerate(&size, buffer.wide);
    ok(before >= 2, "%d providers\n", before);
    ok_success(install(L"x", own_path, OWN_NAME_SPACE, 1, &own));
    ok(find(&own, &count) < 0, "in the 64-bit catalog too\n");
    ok_success(enable(&own, FALSE));
    size = sizeof(buffer);
    count = enumerate_ex(&size, buffer.wide_ex);
    ok(count == before + 1, "%d providers\n", count);
    for (i = 0; i < count; i++)
        all[i] = buffer.wide_ex[i].NSProviderId;
    ok(!order(all, (DWORD)count), "error %d\n", WSAGetLastError());
    ok_success(uninstall(&own));
    ok_success(install_ex(L"x", own_path, OWN_NAME_SPACE, 1, &own, NULL));
    ok_success(uninstall(&own));
}

START_TEST(name_spaces)
{
    net_start();
    GetModuleFileNameW(NULL, own_path, ARRAYSIZE(own_path));
    RUN(test_sizes);
    RUN(test_built_in);
    RUN(test_forms);
    RUN(test_install);
    RUN(test_install_errors);
    RUN(test_blob);
    RUN(test_ex2);
    RUN(test_enable);
    RUN(test_order);
    RUN(test_is_asked);
    RUN(test_32);
    WSACleanup();
}
