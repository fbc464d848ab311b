/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments (hostile.h) for the calls about the catalogs: of protocols, of name spaces and
 * of service classes; categories of providers and applications.
 *
 * Each list of errors is that of the call's page, and WSAEFAULT.  What succeeds in changing a
 * catalog is undone before the next call, and in the end the catalogs are as they were.  Calls that
 * change one are walked without pairs: each writes the whole catalog.
 */
#define UNICODE
#include "hostile.h"
#include <ws2spi.h>

static const int enum_errors[] = {WSAENOBUFS, WSAEFAULT, WSAEINVAL, 0};
static const int provider_errors[] = {
    WSAEFAULT,         WSAEINVAL, WSANO_RECOVERY, WSATRY_AGAIN, WSA_NOT_ENOUGH_MEMORY, WSAEACCES,
    WSASYSCALLFAILURE, 0};
static const int info_errors[] = {WSAEFAULT, WSAEINVAL, WSANO_RECOVERY, ERROR_CALL_NOT_IMPLEMENTED,
                                  0};
static const int category_errors[] = {WSAEFAULT, WSAEINVAL, WSASERVICE_NOT_FOUND, WSANO_RECOVERY,
                                      0};
static const int class_errors[] = {WSAEFAULT,
                                   WSAEINVAL,
                                   WSAEACCES,
                                   WSAEALREADY,
                                   WSATYPE_NOT_FOUND,
                                   WSA_INVALID_PARAMETER,
                                   WSA_NOT_ENOUGH_MEMORY,
                                   WSANOTINITIALISED,
                                   0};
static const int change_errors[] = {WSA_IO_PENDING, WSAEFAULT, WSAEINVAL, WSA_INVALID_HANDLE, 0};

/* Of nobody; no service class, no provider */
static GUID unknown = {0x9c2b0a54, 0x3f0e, 0x4d3b, {0x8a, 0x11, 1, 2, 3, 4, 5, 6}};
static GUID dns = {0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};
static GUID tcpip = {0xe70f1aa0, 0xab8b, 0x11cf, {0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}};
static GUID http = {0x00090050, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}}; /* SVCID_TCP(80) */
static const int all_protocols[4] = {IPPROTO_TCP, IPPROTO_UDP, 0, 0};
static WSAPROTOCOL_INFOW entry = {.dwServiceFlags1 = XP1_IFS_HANDLES,
                                  .iAddressFamily = AF_INET,
                                  .iSocketType = SOCK_STREAM,
                                  .iProtocol = 200,
                                  .iVersion = 2,
                                  .ProtocolChain = {.ChainLen = 1},
                                  .szProtocol = L"Hostile"};
static DWORD ids[3] = {1001, 1001, 1001};
static BYTE blob_bytes[8];
static BLOB blob = {sizeof(blob_bytes), blob_bytes};
static DWORD number = 5;
static char class_name[] = "Hostile class";
static WCHAR class_name_wide[] = L"Hostile class";
static WSANSCLASSINFOA infos[1] = {{class_name, NS_DNS, REG_DWORD, 4, &number}};
static WSANSCLASSINFOW infos_wide[1] = {{class_name_wide, NS_DNS, REG_DWORD, 4, &number}};
static WSASERVICECLASSINFOA class = {&unknown, class_name, 1, infos};
static WSASERVICECLASSINFOW class_wide = {&unknown, class_name_wide, 1, infos_wide};
static HANDLE notification;
static WSAPROTOCOL_INFOW tcp_entry = {
    .iAddressFamily = AF_INET, .iSocketType = SOCK_STREAM, .iProtocol = IPPROTO_TCP};

/* ---- what success leaves behind ---- */

typedef int(WINAPI *remove_fn)(const void *, int *);

/* The provider is the one that the call saw, which may have a hostile GUID. */
static void remove_by(const char *name, ULONG_PTR provider)
{
    remove_fn function = hostile_export(name);
    int error = 0;

    if (function)
        ok(!function((const void *)provider, &error), "%s: error %d\n", name, error);
}

static void remove_provider(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    remove_by("WSCDeinstallProvider", words[0]);
}

static void remove_provider_twice(const ULONG_PTR *words, INT_PTR result)
{
    remove_provider(words, result);
    remove_by("WSCDeinstallProvider32", words[0]);
}

static void remove_name_space(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    ok_success(WSCUnInstallNameSpace((GUID *)words[4]));
}

typedef int(WINAPI *remove_name_space_fn)(const void *);

static void remove_name_space_32(const ULONG_PTR *words, INT_PTR result)
{
    remove_name_space_fn function = hostile_export("WSCUnInstallNameSpace32");

    (void)result;
    ok(!function((const void *)words[4]), "error %d\n", WSAGetLastError());
}

static void remove_class(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    ok_success(WSARemoveServiceClass(*(GUID **)words[0]));
}

static void close_notification(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    CloseHandle(*(HANDLE *)words[0]);
}

/* ---- the table ---- */

#define ROOM(size)  WRITES(size), A_LENGTH_AT(size)
#define SIZED(size) A_LENGTH_AT(size), WRITES(size)
#define GUID_IN     READS(unknown)
#define PATH        A_WIDE(L"hostile.dll")
#define ENTRIES     READS(entry), A_NUMBER(1)
#define LAYERS      READS(tcp_entry), A_NUMBER(1)
#define NAMED       A_WIDE(L"Hostile"), PATH, A_NUMBER(NS_DNS), A_NUMBER(1), GUID_IN
#define PROGRAM     A_WIDE(L"C:\\hostile.exe"), A_LENGTH(14), A_WIDE(L"/x"), A_LENGTH(2)
#define OTHER       A_WIDE(L"C:\\unknown.exe"), A_LENGTH(14), A_WIDE(L"/x"), A_LENGTH(2)
#define NUMBER_OUT  WRITES(sizeof(DWORD))
#define CHANGES     .anytime = TRUE, .singles = TRUE

/* clang-format off */
static const struct hostile_row rows[] = {
    {CALL(WSAEnumProtocolsA, FAILS_MINUS_ONE, enum_errors, READS(all_protocols), ROOM(4096))},
    {CALL(WSAEnumProtocolsW, FAILS_MINUS_ONE, enum_errors, READS(all_protocols), ROOM(4096))},
    {CALL(WSCEnumProtocols, FAILS_ERRNO, enum_errors, READS(all_protocols), ROOM(4096), ERROR_AT),
     .anytime = TRUE},
    {CALL(WSCEnumProtocols32, FAILS_ERRNO, enum_errors, READS(all_protocols), ROOM(4096),
          ERROR_AT), .anytime = TRUE},
    {CALL(WSCEnumProtocolsEx, FAILS_ERRNO, enum_errors, A_NUMBER(0), READS(all_protocols),
          ROOM(4096), ERROR_AT), .anytime = TRUE},
    {CALL(WSCGetProviderPath, FAILS_ERRNO, provider_errors, READS(tcpip), ROOM(2 * MAX_PATH),
          ERROR_AT), .anytime = TRUE},
    {CALL(WSCGetProviderPath32, FAILS_ERRNO, provider_errors, READS(tcpip), ROOM(2 * MAX_PATH),
          ERROR_AT), .anytime = TRUE},
    {CALL(WPUGetProviderPathEx, FAILS_ERRNO, provider_errors, READS(tcpip), A_NUMBER(0),
          ROOM(2 * MAX_PATH), ERROR_AT), .anytime = TRUE},
    {CALL(WSCInstallProvider, FAILS_ERRNO, provider_errors, GUID_IN, PATH, ENTRIES, ERROR_AT),
     CHANGES, .undo = remove_provider},
    {CALL(WSCInstallProvider64_32, FAILS_ERRNO, provider_errors, GUID_IN, PATH, ENTRIES,
          ERROR_AT), CHANGES, .undo = remove_provider_twice},
    {CALL(WSCInstallProviderEx, FAILS_ERRNO, provider_errors, GUID_IN, PATH, ENTRIES, A_NUMBER(0),
          A_CONSTANT(0), ERROR_AT), CHANGES, .undo = remove_provider},
    {CALL(WSCInstallProviderAndChains, FAILS_ERRNO, provider_errors, GUID_IN, PATH,
          A_WIDE(L"Hostile"), A_NUMBER(0), LAYERS, NUMBER_OUT, ERROR_AT), CHANGES,
     .undo = remove_provider},
    {CALL(WSCInstallProviderAndChains64_32, FAILS_ERRNO, provider_errors, GUID_IN, PATH, PATH,
          A_WIDE(L"Hostile"), A_NUMBER(0), LAYERS, NUMBER_OUT, ERROR_AT), CHANGES,
     .undo = remove_provider_twice},
    {CALL(WSCUpdateProvider, FAILS_ERRNO, provider_errors, GUID_IN, PATH, ENTRIES, ERROR_AT),
     CHANGES, .refuses = WSAEINVAL},
    {CALL(WSCUpdateProvider32, FAILS_ERRNO, provider_errors, GUID_IN, PATH, ENTRIES, ERROR_AT),
     CHANGES, .refuses = WSAEINVAL},
    {CALL(WSCUpdateProviderEx, FAILS_ERRNO, provider_errors, GUID_IN, PATH, ENTRIES, A_NUMBER(0),
          ERROR_AT), CHANGES, .refuses = WSAEINVAL},
    {CALL(WSCDeinstallProvider, FAILS_ERRNO, provider_errors, GUID_IN, ERROR_AT), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSCDeinstallProvider32, FAILS_ERRNO, provider_errors, GUID_IN, ERROR_AT), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSCDeinstallProviderEx, FAILS_ERRNO, provider_errors, GUID_IN, A_NUMBER(0), ERROR_AT),
     CHANGES, .refuses = WSAEINVAL},
    {CALL(WSCWriteProviderOrder, FAILS_CODE, provider_errors, READS(ids), A_NUMBER(3)),
     .anytime = TRUE, .refuses = WSAEINVAL},
    {CALL(WSCWriteProviderOrder32, FAILS_CODE, provider_errors, READS(ids), A_NUMBER(3)),
     .anytime = TRUE, .refuses = WSAEINVAL},
    {CALL(WSCWriteProviderOrderEx, FAILS_CODE, provider_errors, READS(ids), A_NUMBER(3),
          A_NUMBER(0)), .anytime = TRUE, .refuses = WSAEINVAL},
    {CALL(WSCGetProviderInfo, FAILS_ERRNO, info_errors, GUID_IN, A_NUMBER(0), ROOM(4),
          A_NUMBER(0), ERROR_AT), .anytime = TRUE, .refuses = WSANO_RECOVERY},
    {CALL(WSCGetProviderInfo32, FAILS_ERRNO, info_errors, GUID_IN, A_NUMBER(0), ROOM(4),
          A_NUMBER(0), ERROR_AT), .anytime = TRUE, .refuses = WSANO_RECOVERY},
    {CALL(WSCSetProviderInfo, FAILS_ERRNO, info_errors, GUID_IN, A_NUMBER(0), READS(number),
          A_LENGTH(4), A_NUMBER(0), ERROR_AT), .anytime = TRUE, .refuses = WSANO_RECOVERY},
    {CALL(WSCSetProviderInfo32, FAILS_ERRNO, info_errors, GUID_IN, A_NUMBER(0), READS(number),
          A_LENGTH(4), A_NUMBER(0), ERROR_AT), .anytime = TRUE, .refuses = WSANO_RECOVERY},
    {CALL(WSCGetApplicationCategory, FAILS_ERRNO, category_errors, OTHER, NUMBER_OUT, ERROR_AT),
     .anytime = TRUE, .refuses = WSASERVICE_NOT_FOUND},
    {CALL(WSCGetApplicationCategoryEx, FAILS_ERRNO, category_errors, OTHER, A_NUMBER(0),
          NUMBER_OUT, ERROR_AT), .anytime = TRUE, .refuses = WSASERVICE_NOT_FOUND},
    {CALL(WSCSetApplicationCategory, FAILS_ERRNO, category_errors, PROGRAM, A_NUMBER(0),
          NUMBER_OUT, ERROR_AT), CHANGES},
    {CALL(WSCSetApplicationCategoryEx, FAILS_ERRNO, category_errors, PROGRAM, A_NUMBER(0),
          A_NUMBER(0), NUMBER_OUT, ERROR_AT), CHANGES},
    {CALL(WSAEnumNameSpaceProvidersA, FAILS_MINUS_ONE, enum_errors, SIZED(1024))},
    {CALL(WSAEnumNameSpaceProvidersW, FAILS_MINUS_ONE, enum_errors, SIZED(1024))},
    {CALL(WSAEnumNameSpaceProvidersExA, FAILS_MINUS_ONE, enum_errors, SIZED(1024))},
    {CALL(WSAEnumNameSpaceProvidersExW, FAILS_MINUS_ONE, enum_errors, SIZED(1024))},
    {CALL(WSCEnumNameSpaceProviders32, FAILS_MINUS_ONE, enum_errors, SIZED(1024))},
    {CALL(WSCEnumNameSpaceProvidersEx32, FAILS_MINUS_ONE, enum_errors, SIZED(1024))},
    {CALL(WSCInstallNameSpace, FAILS_MINUS_ONE, provider_errors, NAMED), CHANGES,
     .undo = remove_name_space},
    {CALL(WSCInstallNameSpace32, FAILS_MINUS_ONE, provider_errors, NAMED), CHANGES,
     .undo = remove_name_space_32},
    {CALL(WSCInstallNameSpaceEx, FAILS_MINUS_ONE, provider_errors, NAMED, READS(blob)), CHANGES,
     .undo = remove_name_space},
    {CALL(WSCInstallNameSpaceEx32, FAILS_MINUS_ONE, provider_errors, NAMED, READS(blob)), CHANGES,
     .undo = remove_name_space_32},
    {CALL(WSCInstallNameSpaceEx2, FAILS_MINUS_ONE, provider_errors, NAMED, READS(blob),
          A_NUMBER(0)), CHANGES, .undo = remove_name_space},
    {CALL(WSCUnInstallNameSpace, FAILS_MINUS_ONE, provider_errors, GUID_IN), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSCUnInstallNameSpace32, FAILS_MINUS_ONE, provider_errors, GUID_IN), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSCUnInstallNameSpaceEx2, FAILS_MINUS_ONE, provider_errors, GUID_IN, A_NUMBER(0)),
     CHANGES, .refuses = WSAEINVAL},
    {CALL(WSCEnableNSProvider, FAILS_MINUS_ONE, provider_errors, GUID_IN, A_NUMBER(1)), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSCEnableNSProvider32, FAILS_MINUS_ONE, provider_errors, GUID_IN, A_NUMBER(1)), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSCWriteNameSpaceOrder, FAILS_CODE, provider_errors, GUID_IN, A_NUMBER(1)), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSCWriteNameSpaceOrder32, FAILS_CODE, provider_errors, GUID_IN, A_NUMBER(1)), CHANGES,
     .refuses = WSAEINVAL},
    {CALL(WSAInstallServiceClassA, FAILS_MINUS_ONE, class_errors, READS(class)), .singles = TRUE,
     .undo = remove_class},
    {CALL(WSAInstallServiceClassW, FAILS_MINUS_ONE, class_errors, READS(class_wide)),
     .singles = TRUE, .undo = remove_class},
    {CALL(WSARemoveServiceClass, FAILS_MINUS_ONE, class_errors, GUID_IN),
     .refuses = WSATYPE_NOT_FOUND},
    {CALL(WSAGetServiceClassInfoA, FAILS_MINUS_ONE, class_errors, READS(dns), READS(http),
          SIZED(512))},
    {CALL(WSAGetServiceClassInfoW, FAILS_MINUS_ONE, class_errors, READS(dns), READS(http),
          SIZED(512))},
    {CALL(WSAGetServiceClassNameByClassIdA, FAILS_MINUS_ONE, class_errors, READS(http), ROOM(64))},
    {CALL(WSAGetServiceClassNameByClassIdW, FAILS_MINUS_ONE, class_errors, READS(http),
          ROOM(128))},
    {CALL(WSAProviderConfigChange, FAILS_MINUS_ONE, change_errors, HOLDS(notification),
          AN_OVERLAPPED, A_ROUTINE), .undo = close_notification},
};
/* clang-format on */

static void test_catalogs(void)
{
    hostile_walk_table(rows, ARRAYSIZE(rows), hostile_nothing);
}

/* The applications' categories have no call that removes them. */
static void remove_applications(void)
{
    static const WCHAR path[] =
        L"SYSTEM\\CurrentControlSet\\Services\\WinSock2\\Parameters\\AppId_Catalog";

    ok(!RegDeleteTreeW(HKEY_LOCAL_MACHINE, path), "the applications stay\n");
    RegDeleteKeyW(HKEY_LOCAL_MACHINE, path);
}

/* What the catalogs hold, as WSCEnumProtocols and WSAEnumNameSpaceProviders tell it */
static unsigned catalogs_hash(void)
{
    static BYTE bytes[1 << 16];
    DWORD size = sizeof(bytes), i;
    unsigned hash = 0;
    int error, count = WSCEnumProtocols(NULL, (WSAPROTOCOL_INFOW *)bytes, &size, &error);

    ok(count > 0, "error %d\n", error);
    for (i = 0; (int)i < count * (int)sizeof(WSAPROTOCOL_INFOW); i++)
        hash = hash * 33 + bytes[i];
    size = sizeof(bytes);
    count = WSAEnumNameSpaceProvidersW(&size, (WSANAMESPACE_INFOW *)bytes);
    ok(count > 0, "error %d\n", WSAGetLastError());
    return hash * 33 + (unsigned)count;
}

START_TEST(hostile_catalog)
{
    unsigned before;

    if (!hostile_begin(rows, ARRAYSIZE(rows), hostile_nothing))
        return;
    before = catalogs_hash();
    RUN(test_catalogs);
    ok(catalogs_hash() == before, "the catalogs have changed\n");
    hostile_end(rows, ARRAYSIZE(rows), hostile_nothing);
    remove_applications();
}
