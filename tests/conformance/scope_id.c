/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scope ids of IPv6 addresses.  Source: Wine's test_bind, which was run on Windows.
 */
#include "net.h"
#include <iphlpapi.h>

static SOCKET bind_to(struct sockaddr_in6 address, ULONG scope, int *error)
{
    SOCKET s = socket(AF_INET6, SOCK_STREAM, 0);

    address.sin6_scope_id = scope;
    *error = bind(s, (struct sockaddr *)&address, sizeof(address)) ? WSAGetLastError() : 0;
    return s;
}

/* Without a scope the address's own interface is found; with a wrong one there is no such address. */
static void check_address(const struct sockaddr_in6 *address)
{
    struct sockaddr_in6 name;
    int error, size = sizeof(name);
    SOCKET s = bind_to(*address, 0xabacab, &error);

    todo_wine_if(!error && !address->sin6_scope_id)
        ok(error == WSAEADDRNOTAVAIL, "a wrong scope: error %d\n", error);
    closesocket(s);
    s = bind_to(*address, 0, &error);
    ok(!error, "no scope: error %d\n", error);
    ok_success(getsockname(s, (struct sockaddr *)&name, &size));
    ok(name.sin6_scope_id == address->sin6_scope_id, "scope %lu, expected %lu\n",
       name.sin6_scope_id, address->sin6_scope_id);
    closesocket(s);
    s = bind_to(*address, address->sin6_scope_id, &error);
    ok(!error, "its scope: error %d\n", error);
    closesocket(s);
}

static void test_own_addresses(void)
{
    static char room[65536];
    IP_ADAPTER_ADDRESSES *adapter = (IP_ADAPTER_ADDRESSES *)room;
    ULONG size = sizeof(room), error = GetAdaptersAddresses(AF_INET6, 0, NULL, adapter, &size);
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
                                          .sin6_addr = {{{[15] = 1}}}};

    check_address(&loopback);
    if (error)
        skip("no addresses of interfaces, error %lu\n", error);
    for (; !error && adapter; adapter = adapter->Next) {
        IP_ADAPTER_UNICAST_ADDRESS *unicast = adapter->FirstUnicastAddress;

        for (; unicast; unicast = unicast->Next)
            check_address((const struct sockaddr_in6 *)unicast->Address.lpSockaddr);
    }
}

START_TEST(scope_id)
{
    net_start();
    RUN(test_own_addresses);
    WSACleanup();
}
