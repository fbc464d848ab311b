/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gethostname, GetHostNameW, gethostbyname, gethostbyaddr; without a network.
 * Sources: the pages of those functions; "recorded" = what Wine's tests found Windows to do.
 */
#include "net.h"

/* The order in memory that old programs rely on (recorded): structure, aliases, address list,
 * addresses. */
static void check_hostent(const struct hostent *host, int type, int length)
{
    char **alias, **address;

    ok(host != NULL, "error %d\n", WSAGetLastError());
    if (!host)
        return;
    ok(host->h_name && *host->h_name, "no name\n");
    ok(host->h_addrtype == type, "type %d\n", host->h_addrtype);
    ok(host->h_length == length, "length %d\n", host->h_length);
    ok(host->h_aliases == (char **)(host + 1), "aliases at %p, structure at %p\n", host->h_aliases,
       host);
    for (alias = host->h_aliases; *alias; alias++)
        ok(**alias != 0, "empty alias\n");
    ok(host->h_addr_list == alias + 1, "addresses at %p, aliases end at %p\n", host->h_addr_list,
       alias + 1);
    for (address = host->h_addr_list; *address; address++)
        ;
    ok(address != host->h_addr_list, "no address\n");
    ok(host->h_addr_list[0] == (char *)(address + 1), "first address at %p, list ends at %p\n",
       host->h_addr_list[0], address + 1);
}

/* gethostname: "WSAEFAULT: The name parameter is a NULL pointer or is not a valid part of the user
 * address space. This error is also returned if the buffer size specified by namelen is too small".
 */
static void test_gethostname(void)
{
    char name[256], copy[256];
    WCHAR wide[256], wide_copy[256], expected[256];
    int length;

    ok_error(gethostname(NULL, 256), WSAEFAULT);
    ok_success(gethostname(name, sizeof(name)));
    length = (int)strlen(name);
    ok(length > 0, "empty name\n");
    strcpy(copy, "unchanged");
    ok_error(gethostname(copy, length), WSAEFAULT);
    ok(!strcmp(copy, "unchanged"), "the short buffer was written: %s\n", copy);
    ok_success(gethostname(copy, length + 1));
    ok(!strcmp(copy, name), "got %s\n", copy);

    ok_error(GetHostNameW(NULL, 256), WSAEFAULT);
    ok_success(GetHostNameW(wide, ARRAYSIZE(wide)));
    MultiByteToWideChar(CP_ACP, 0, name, -1, expected, ARRAYSIZE(expected));
    ok(!wcscmp(wide, expected), "got %ls, %s\n", wide, name);
    wcscpy(wide_copy, L"unchanged");
    ok_error(GetHostNameW(wide_copy, (int)wcslen(wide)), WSAEFAULT);
    ok(!wcscmp(wide_copy, L"unchanged"), "the short buffer was written\n");
    ok_success(GetHostNameW(wide_copy, (int)wcslen(wide) + 1));
}

static DWORD WINAPI other_thread(void *argument)
{
    struct hostent **host = argument;

    *host = gethostbyname("10.20.30.41");
    return 0;
}

static void test_gethostbyname(void)
{
    struct hostent *host, *other = NULL;
    char name[256], own[256];
    HANDLE thread;

    host = gethostbyname("localhost");
    check_hostent(host, AF_INET, 4);
    if (host)
        ok(*(u_long *)host->h_addr_list[0] == htonl(INADDR_LOOPBACK), "not loopback\n");

    /* an address is its own name */
    host = gethostbyname("10.20.30.40");
    check_hostent(host, AF_INET, 4);
    if (host) {
        ok(!strcmp(host->h_name, "10.20.30.40"), "name %s\n", host->h_name);
        ok(*(u_long *)host->h_addr_list[0] == htonl(0x0a141e28), "wrong address\n");
        ok(!host->h_addr_list[1], "second address\n");
    }
    /* "only one copy of this structure is allocated per thread" */
    thread = CreateThread(NULL, 0, other_thread, &other, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    ok(other != NULL && other != host, "two threads share %p\n", host);
    ok(host && *(u_long *)host->h_addr_list[0] == htonl(0x0a141e28), "another thread changed it\n");

    /* "If the name parameter points to an empty string or name is NULL, the returned string is the
     * same as the string returned by a successful gethostname function call" */
    ok_success(gethostname(own, sizeof(own)));
    host = gethostbyname("");
    check_hostent(host, AF_INET, 4);
    host = gethostbyname(NULL);
    check_hostent(host, AF_INET, 4);
    if (host) {
        lstrcpynA(name, host->h_name, sizeof(name));
        ok(!_strnicmp(name, own, strlen(own)), "got %s, not %s\n", name, own);
    }
    host = gethostbyname(own);
    check_hostent(host, AF_INET, 4);

    WSASetLastError(0);
    host = gethostbyname("no-such-host.invalid");
    ok(!host, "RFC 6761 forbids %s\n", host ? host->h_name : "");
    ok(WSAGetLastError() == WSAHOST_NOT_FOUND || WSAGetLastError() == WSATRY_AGAIN, "error %d\n",
       WSAGetLastError());
}

static void test_gethostbyaddr(void)
{
    u_long loopback = htonl(INADDR_LOOPBACK);
    struct hostent *host;

    host = gethostbyaddr((char *)&loopback, sizeof(loopback), AF_INET);
    check_hostent(host, AF_INET, 4);
    if (host)
        ok(*(u_long *)host->h_addr_list[0] == loopback, "another address\n");

    /* "WSAEAFNOSUPPORT: the type specified is not supported"; "WSAEFAULT: The addr parameter is not
     * a valid part of the user address space, or the len parameter is too small" */
    WSASetLastError(0);
    ok(!gethostbyaddr((char *)&loopback, sizeof(loopback), AF_IPX), "accepted\n");
    ok(WSAGetLastError() == WSAEAFNOSUPPORT, "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!gethostbyaddr((char *)&loopback, 2, AF_INET), "accepted\n");
    todo_wine ok(WSAGetLastError() == WSAEFAULT, "error %d\n", WSAGetLastError());
}

/* All these pages: WSANOTINITIALISED. */
static void test_not_started(void)
{
    char name[256];

    WSASetLastError(0);
    ok(!gethostbyname("localhost"), "works before WSAStartup\n");
    ok(WSAGetLastError() == WSANOTINITIALISED, "error %d\n", WSAGetLastError());
    todo_wine ok_error(gethostname(name, sizeof(name)), WSANOTINITIALISED);
}

START_TEST(hostent)
{
    RUN(test_not_started);
    net_start();
    RUN(test_gethostname);
    RUN(test_gethostbyname);
    RUN(test_gethostbyaddr);
    WSACleanup();
}
