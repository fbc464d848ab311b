/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The base protocols: WSAEnumProtocolsA/W, WSCEnumProtocols, WSCGetProviderPath.
 * Sources: the pages of those functions and of WSAPROTOCOL_INFOW;
 * "recorded" = what Wine's tests found Windows to do, or netsh winsock show catalog prints.
 */
#include "net.h"
#include <ws2spi.h>

static const struct {
    int family, type, protocol, address_size;
    DWORD flags, catalog_id;
    const char *name;
} entries[] = {
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, 16, 0x20066, 1001, "MSAFD Tcpip [TCP/IP]"},
    {AF_INET, SOCK_DGRAM, IPPROTO_UDP, 16, 0x20609, 1002, "MSAFD Tcpip [UDP/IP]"},
    {AF_INET6, SOCK_STREAM, IPPROTO_TCP, 28, 0x20066, 1004, "MSAFD Tcpip [TCP/IPv6]"},
    {AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 28, 0x20609, 1005, "MSAFD Tcpip [UDP/IPv6]"},
};

static void test_entries(void)
{
    static const GUID tcpip = {
        0xe70f1aa0, 0xab8b, 0x11cf, {0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}};
    WSAPROTOCOL_INFOA *list;
    DWORD size = 0;
    int count, i;
    unsigned e;

    /* "WSAENOBUFS: The buffer length was too small to receive all the relevant WSAPROTOCOL_INFO
     * structures ... Pass in a buffer at least as large as the value returned in lpdwBufferLength"
     */
    ok_error(WSAEnumProtocolsA(NULL, NULL, &size), WSAENOBUFS);
    ok(size >= 4 * sizeof(*list) && size % sizeof(*list) == 0, "got size %lu\n", size);
    list = calloc(1, size);
    size--;
    ok_error(WSAEnumProtocolsA(NULL, list, &size), WSAENOBUFS);
    count = WSAEnumProtocolsA(NULL, list, &size);
    ok(count >= 4 && count * sizeof(*list) == size, "got %d, size %lu\n", count, size);

    for (e = 0; e < ARRAYSIZE(entries); e++) {
        winetest_push_context("%s", entries[e].name);
        for (i = 0; i < count; i++)
            if (list[i].iAddressFamily == entries[e].family &&
                list[i].iProtocol == entries[e].protocol)
                break;
        ok(i < count, "not there\n");
        if (i < count) {
            ok(list[i].iSocketType == entries[e].type, "type %d\n", list[i].iSocketType);
            ok(list[i].iMinSockAddr == entries[e].address_size &&
                   list[i].iMaxSockAddr == entries[e].address_size,
               "address sizes %d, %d\n", list[i].iMinSockAddr, list[i].iMaxSockAddr);
            ok(list[i].iVersion == 2, "version %d\n", list[i].iVersion);
            ok(list[i].dwServiceFlags1 == entries[e].flags, "flags %#lx\n",
               list[i].dwServiceFlags1);
            ok(list[i].dwServiceFlags1 & XP1_IFS_HANDLES, "no file handles\n");
            ok(list[i].dwProviderFlags & PFL_MATCHES_PROTOCOL_ZERO, "provider flags %#lx\n",
               list[i].dwProviderFlags);
            ok(list[i].ProtocolChain.ChainLen == BASE_PROTOCOL, "chain %d\n",
               list[i].ProtocolChain.ChainLen);
            ok(list[i].dwCatalogEntryId == entries[e].catalog_id, "id %lu\n",
               list[i].dwCatalogEntryId);
            ok(list[i].iNetworkByteOrder == BIGENDIAN, "byte order %d\n",
               list[i].iNetworkByteOrder);
            ok((list[i].dwMessageSize == 0) == (entries[e].type == SOCK_STREAM),
               "message size %lu\n", list[i].dwMessageSize);
            todo_wine ok(!strcmp(list[i].szProtocol, entries[e].name), "name %s\n",
                         list[i].szProtocol);
            if (entries[e].family == AF_INET)
                ok(!memcmp(&list[i].ProviderId, &tcpip, sizeof(tcpip)), "another provider\n");
        }
        winetest_pop_context();
    }
    free(list);
}

/* Windows 10 has had AF_UNIX since 1803: netsh winsock show catalog prints family 1, lengths 2 to
 * 110, type 1, protocol 0, flags 0x20026. */
static void test_unix_entry(void)
{
    static const GUID unix_provider = {
        0xa00943d9, 0x9c2e, 0x4633, {0x9b, 0x59, 0x00, 0x57, 0xa3, 0x16, 0x09, 0x94}};
    WSAPROTOCOL_INFOW list[32];
    DWORD size = sizeof(list);
    int count = WSAEnumProtocolsW(NULL, list, &size), i;
    SOCKET s;

    for (i = 0; i < count; i++)
        if (list[i].iAddressFamily == AF_UNIX)
            break;
    todo_wine ok(i < count, "AF_UNIX is not there\n");
    if (i >= count)
        return;
    ok(list[i].iSocketType == SOCK_STREAM && !list[i].iProtocol && !list[i].dwMessageSize,
       "type %d, protocol %d, message size %lu\n", list[i].iSocketType, list[i].iProtocol,
       list[i].dwMessageSize);
    ok(list[i].iMinSockAddr == 2 && list[i].iMaxSockAddr == 110, "address sizes %d, %d\n",
       list[i].iMinSockAddr, list[i].iMaxSockAddr);
    ok(list[i].dwServiceFlags1 == 0x20026, "flags %#lx\n", list[i].dwServiceFlags1);
    ok(!memcmp(&list[i].ProviderId, &unix_provider, sizeof(GUID)), "another provider\n");
    s = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &list[i], 0, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(s);
}

static void test_filter(void)
{
    int both[] = {0xdead, IPPROTO_UDP, 0xbeef, 0}, none[] = {0xdead, 0};
    WSAPROTOCOL_INFOW list[16];
    DWORD size = sizeof(list);
    int count, i, error = 0;

    count = WSAEnumProtocolsW(both, list, &size);
    ok(count >= 2, "got %d, error %d\n", count, WSAGetLastError());
    for (i = 0; i < count; i++)
        ok(list[i].iProtocol == IPPROTO_UDP && list[i].szProtocol[0], "protocol %d\n",
           list[i].iProtocol);
    size = sizeof(list);
    count = WSAEnumProtocolsW(none, list, &size);
    ok(count == 0, "got %d\n", count);
    /* "WSAEFAULT: One or more of the lpiProtocols, lpProtocolBuffer, or lpdwBufferLength parameters
     * are not a valid part of the user address space" */
    if (rt.wine && !rt.ours)
        skip("the built-in crashes without a length\n");
    else
        ok_error(WSAEnumProtocolsW(NULL, list, NULL), WSAEFAULT);

    size = sizeof(list);
    count = WSCEnumProtocols(NULL, list, &size, &error);
    ok(count >= 4, "got %d, error %d\n", count, error);
    size = 0;
    count = WSCEnumProtocols(NULL, list, &size, &error);
    ok(count == SOCKET_ERROR && error == WSAENOBUFS && size, "got %d, error %d, size %lu\n", count,
       error, size);
}

/* What SO_PROTOCOL_INFOW tells of a socket is its entry. */
static void test_of_socket(void)
{
    WSAPROTOCOL_INFOW info;
    int size;
    unsigned e;
    SOCKET s;

    for (e = 0; e < ARRAYSIZE(entries); e++) {
        s = socket(entries[e].family, entries[e].type, 0);
        ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        size = sizeof(info);
        ok_success(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size));
        ok(info.iAddressFamily == entries[e].family && info.iProtocol == entries[e].protocol &&
               info.dwCatalogEntryId == entries[e].catalog_id,
           "%s: got %d, %d, id %lu\n", entries[e].name, info.iAddressFamily, info.iProtocol,
           info.dwCatalogEntryId);
        closesocket(s);
    }
}

/* WSCGetProviderPath's page: WSAEINVAL "does not specify a valid provider", WSAEFAULT; recorded. */
static void test_provider_path(void)
{
    GUID tcpip = {0xe70f1aa0, 0xab8b, 0x11cf, {0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}};
    GUID unknown = {0};
    WCHAR path[MAX_PATH] = L"";
    int length = MAX_PATH, error = 0, result;

    result = WSCGetProviderPath(&tcpip, path, &length, &error);
    ok(!result, "got %d, error %d\n", result, error);
    todo_wine ok(!result && wcsstr(path, L"mswsock.dll"), "got %ls\n", path);
    length = MAX_PATH;
    result = WSCGetProviderPath(&unknown, path, &length, &error);
    todo_wine ok(result == SOCKET_ERROR && error == WSAEINVAL, "got %d, error %d\n", result, error);
    error = 0;
    result = WSCGetProviderPath(NULL, path, &length, &error);
    ok(result == SOCKET_ERROR && error == WSAEFAULT, "got %d, error %d\n", result, error);
}

/* "WSANOTINITIALISED" */
static void test_not_started(void)
{
    DWORD size = 0;

    todo_wine ok_error(WSAEnumProtocolsA(NULL, NULL, &size), WSANOTINITIALISED);
}

START_TEST(protocols)
{
    RUN(test_not_started);
    net_start();
    RUN(test_entries);
    RUN(test_unix_entry);
    RUN(test_filter);
    RUN(test_of_socket);
    RUN(test_provider_path);
    WSACleanup();
}
