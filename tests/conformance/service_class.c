/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAInstallServiceClass, WSARemoveServiceClass, WSAGetServiceClassInfo,
 * WSAGetServiceClassNameByClassId.  Source: their pages.  It leaves nothing behind.
 */
#include "net.h"

#include <nspapi.h>
#include <svcguid.h>

static GUID own_class = {
    0x9c2b0a53, 0x3f0e, 0x4d3b, {0x8a, 0x11, 0x52, 0x69, 0x6e, 0x67, 0x73, 0x6b}};
static GUID class_http = SVCID_TCP(80);
static GUID tcpip_dns = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};

static DWORD port = 4711;
static WSANSCLASSINFOW mapping = {(WCHAR *)SERVICE_TYPE_VALUE_TCPPORTW, NS_DNS, REG_DWORD,
                                  sizeof(port), &port};
static WSASERVICECLASSINFOW class_info = {&own_class, (WCHAR *)L"Ringsock's test", 1, &mapping};
static union {
    WSASERVICECLASSINFOW wide;
    WSASERVICECLASSINFOA ansi;
    char bytes[4096];
} buffer;

/* The built-in claims success and remembers nothing. */
static BOOL install(void)
{
    if (on_builtin()) {
        skip("the built-in's stubs\n");
        return FALSE;
    }
    ok_success(WSAInstallServiceClassW(&class_info));
    return TRUE;
}

static void uninstall(void)
{
    ok_success(WSARemoveServiceClass(&own_class));
}

/* "retrieves the class information (schema) pertaining to a specified service class from a
 * specified namespace provider" */
static void test_info(void)
{
    DWORD size = sizeof(buffer);

    if (!install())
        return;
    ok_success(WSAGetServiceClassInfoW(&tcpip_dns, &own_class, &size, &buffer.wide));
    ok(!memcmp(buffer.wide.lpServiceClassId, &own_class, sizeof(GUID)), "another class\n");
    ok(!wcscmp(buffer.wide.lpszServiceClassName, L"Ringsock's test"), "name %ls\n",
       buffer.wide.lpszServiceClassName);
    ok(buffer.wide.dwCount == 1, "%lu mappings\n", buffer.wide.dwCount);
    ok(!wcscmp(buffer.wide.lpClassInfos->lpszName, SERVICE_TYPE_VALUE_TCPPORTW) &&
           buffer.wide.lpClassInfos->dwNameSpace == NS_DNS &&
           buffer.wide.lpClassInfos->dwValueType == REG_DWORD &&
           buffer.wide.lpClassInfos->dwValueSize == sizeof(port) &&
           *(DWORD *)buffer.wide.lpClassInfos->lpValue == port,
       "another mapping\n");
    uninstall();
}

/* The ANSI forms. */
static void test_ansi(void)
{
    WSANSCLASSINFOA info = {(char *)"x", NS_DNS, REG_DWORD, sizeof(port), &port};
    WSASERVICECLASSINFOA class = {&own_class, (char *)"test", 1, &info};
    DWORD size = sizeof(buffer);
    char name[16];

    if (on_builtin()) {
        skip("the built-in's stubs\n");
        return;
    }
    ok_success(WSAInstallServiceClassA(&class));
    ok_success(WSAGetServiceClassInfoA(&tcpip_dns, &own_class, &size, &buffer.ansi));
    ok(!strcmp(buffer.ansi.lpszServiceClassName, "test") &&
           !strcmp(buffer.ansi.lpClassInfos->lpszName, "x"),
       "name %s\n", buffer.ansi.lpszServiceClassName);
    size = sizeof(name);
    ok_success(WSAGetServiceClassNameByClassIdA(&own_class, name, &size));
    ok(!strcmp(name, "test") && size == 5, "name %s, %lu\n", name, size);
    uninstall();
}

/* "WSAEALREADY: Service class information has already been registered for this service class
 * identifier." */
static void test_twice(void)
{
    if (!install())
        return;
    ok_error(WSAInstallServiceClassW(&class_info), WSAEALREADY);
    uninstall();
}

/* "WSAEINVAL: The service class information was not valid or improperly structured.  This error is
 * returned if the lpServiceClassInfo parameter is NULL." */
static void test_invalid(void)
{
    WSASERVICECLASSINFOW class = {&own_class, NULL, 0, NULL};

    if (on_builtin()) {
        skip("the built-in's stubs\n");
        return;
    }
    ok_error(WSAInstallServiceClassW(NULL), WSAEINVAL);
    ok_error(WSAInstallServiceClassA(NULL), WSAEINVAL);
    ok_error(WSAInstallServiceClassW(&class), WSAEINVAL);
}

/* "WSATYPE_NOT_FOUND: The specified class was not found." */
static void test_not_found(void)
{
    DWORD size = sizeof(buffer);

    ok_error(WSARemoveServiceClass(&own_class), WSATYPE_NOT_FOUND);
    todo_wine
    {
        ok_error(WSAGetServiceClassInfoW(&tcpip_dns, &own_class, &size, &buffer.wide),
                 WSATYPE_NOT_FOUND);
        ok_error(WSARemoveServiceClass(NULL), WSAEINVAL);
    }
}

/* "WSAEINVAL: ... This error is returned if the lpProviderId, lpServiceClassId, lpdwBufSize, or
 * lpServiceClassInfo parameters are NULL." */
static void test_null(void)
{
    GUID unknown = own_class;
    DWORD size = sizeof(buffer);

    todo_wine
    {
        ok_error(WSAGetServiceClassInfoW(NULL, &class_http, &size, &buffer.wide), WSAEINVAL);
        ok_error(WSAGetServiceClassInfoW(&tcpip_dns, NULL, &size, &buffer.wide), WSAEINVAL);
        ok_error(WSAGetServiceClassInfoW(&tcpip_dns, &class_http, NULL, &buffer.wide), WSAEINVAL);
        ok_error(WSAGetServiceClassInfoW(&tcpip_dns, &class_http, &size, NULL), WSAEINVAL);
        ok_error(WSAGetServiceClassInfoW(&unknown, &class_http, &size, &buffer.wide), WSAEINVAL);
    }
}

/* "WSAEFAULT: The buffer ... is too small"; "this parameter specifies the minimum size, in bytes,
 * ... needed to retrieve the record". */
static void test_small_buffer(void)
{
    DWORD size = 1, needed;

    if (!install())
        return;
    ok_error(WSAGetServiceClassInfoW(&tcpip_dns, &own_class, &size, &buffer.wide), WSAEFAULT);
    needed = size--;
    ok_error(WSAGetServiceClassInfoW(&tcpip_dns, &own_class, &size, &buffer.wide), WSAEFAULT);
    ok(size == needed, "needs %lu, before %lu\n", size, needed);
    ok_success(WSAGetServiceClassInfoW(&tcpip_dns, &own_class, &size, &buffer.wide));
    uninstall();
}

/* "On output, the length of the service name copied into lpszServiceClassName, in characters." */
static void test_name(void)
{
    WCHAR name[32];
    DWORD size = ARRAYSIZE(name);

    if (!install())
        return;
    ok_success(WSAGetServiceClassNameByClassIdW(&own_class, name, &size));
    ok(!wcscmp(name, L"Ringsock's test") && size == wcslen(name) + 1, "%ls, %lu\n", name, size);
    size = 3;
    ok_error(WSAGetServiceClassNameByClassIdW(&own_class, name, &size), WSAEFAULT);
    ok(size == wcslen(L"Ringsock's test") + 1, "needs %lu\n", size);
    ok_error(WSAGetServiceClassNameByClassIdW(NULL, name, &size), WSA_INVALID_PARAMETER);
    uninstall();
}

/* "This name is the generic service name, like FTP": the classes of svcguid.h need no installing.
 */
static void test_port_classes(void)
{
    WCHAR name[32] = L"";
    DWORD size = ARRAYSIZE(name);

    todo_wine
    {
        ok_success(WSAGetServiceClassNameByClassIdW(&class_http, name, &size));
        ok(!wcscmp(name, L"http"), "%ls\n", name);
    }
}

START_TEST(service_class)
{
    net_start();
    RUN(test_info);
    RUN(test_ansi);
    RUN(test_twice);
    RUN(test_invalid);
    RUN(test_not_found);
    RUN(test_null);
    RUN(test_small_buffer);
    RUN(test_name);
    RUN(test_port_classes);
    WSACleanup();
}
