/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The DLLs that stand beside ws2_32: each loads, finds what it imports, and does a basic job.
 *
 * mswsock (AcceptEx by its export), wsock32 (forwards to ws2_32), iphlpapi (adapters,
 * tables), rpcrt4 (a server and a call over ncacn_ip_tcp).  Sources: the pages of the functions.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <iphlpapi.h>
#include <rpc.h>

#include "ringsock_test.h"

static HMODULE load(const char *name)
{
    HMODULE module = LoadLibraryA(name);

    ok(module != NULL, "%s: error %lu\n", name, GetLastError());
    return module;
}

static SOCKET listener(struct sockaddr_in *address)
{
    int length = sizeof(*address);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ok(!bind(s, (struct sockaddr *)address, sizeof(*address)), "error %d\n", WSAGetLastError());
    ok(!listen(s, 5), "error %d\n", WSAGetLastError());
    ok(!getsockname(s, (struct sockaddr *)address, &length), "error %d\n", WSAGetLastError());
    return s;
}

/* mswsock!AcceptEx and GetAcceptExSockaddrs, as older programs import them */
static void test_mswsock(void)
{
    HMODULE module = load("mswsock.dll");
    LPFN_ACCEPTEX accept_ex = (LPFN_ACCEPTEX)(void *)GetProcAddress(module, "AcceptEx");
    char buffer[2 * (sizeof(struct sockaddr_in) + 16)], data[8];
    struct sockaddr_in address;
    SOCKET l = listener(&address), s, client;
    OVERLAPPED ov = {0};
    DWORD bytes, flags;
    int got;

    ok(accept_ex && GetProcAddress(module, "GetAcceptExSockaddrs"), "exports are missing\n");
    if (!accept_ex)
        return;
    s = socket(AF_INET, SOCK_STREAM, 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    ok(!accept_ex(l, s, buffer, 0, sizeof(address) + 16, sizeof(address) + 16, &bytes, &ov) &&
           WSAGetLastError() == ERROR_IO_PENDING,
       "error %d\n", WSAGetLastError());
    ok(!connect(client, (struct sockaddr *)&address, sizeof(address)), "error %d\n",
       WSAGetLastError());
    ok(WSAGetOverlappedResult(l, &ov, &bytes, TRUE, &flags), "error %d\n", WSAGetLastError());
    ok(send(client, "mswsock", 7, 0) == 7, "error %d\n", WSAGetLastError());
    got = recv(s, data, sizeof(data), 0);
    ok(got == 7 && !memcmp(data, "mswsock", 7), "got %d, error %d\n", got, WSAGetLastError());
    closesocket(l);
    closesocket(s);
    closesocket(client);
    CloseHandle(ov.hEvent);
}

/* wsock32: Winsock 1.1's names, other numbers for the same functions */
static void test_wsock32(void)
{
    static const char *const names[] = {"accept",     "bind",        "closesocket", "connect",
                                        "recv",       "send",        "select",      "socket",
                                        "WSAStartup", "getsockopt",  "setsockopt",  "gethostbyname",
                                        "WSACleanup", "ioctlsocket", "inet_addr",   "htons"};
    HMODULE module = load("wsock32.dll");
    SOCKET(PASCAL * make)(int, int, int);
    int(PASCAL * end)(SOCKET);
    SOCKET s;
    unsigned i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ok(GetProcAddress(module, names[i]) != NULL, "%s is missing\n", names[i]);
    make = (SOCKET(PASCAL *)(int, int, int))(void *)GetProcAddress(module, "socket");
    end = (int(PASCAL *)(SOCKET))(void *)GetProcAddress(module, "closesocket");
    if (!make || !end)
        return;
    s = make(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(!end(s), "error %d\n", WSAGetLastError());
}

/* iphlpapi: the loopback adapter, and our listening port in the TCP table */
static void test_iphlpapi(void)
{
    ULONG size = 200000, error, i;
    IP_ADAPTER_ADDRESSES *adapters = malloc(size), *each;
    MIB_TCPTABLE *table;
    struct sockaddr_in address;
    SOCKET l = listener(&address);
    BOOL loopback = FALSE;

    error = GetAdaptersAddresses(AF_UNSPEC, 0, NULL, adapters, &size);
    ok(!error, "got %lu\n", error);
    for (each = error ? NULL : adapters; each; each = each->Next)
        loopback |= each->IfType == IF_TYPE_SOFTWARE_LOOPBACK;
    ok(loopback, "no loopback adapter\n");
    free(adapters);
    size = 0;
    error = GetTcpTable(NULL, &size, FALSE);
    ok(error == ERROR_INSUFFICIENT_BUFFER, "got %lu\n", error);
    size += 100000;
    table = malloc(size);
    error = GetTcpTable(table, &size, FALSE);
    ok(!error, "got %lu\n", error);
    for (i = 0; !error && i < table->dwNumEntries; i++)
        if ((WORD)table->table[i].dwLocalPort == address.sin_port)
            break;
    /* Wine 8.0 reads the table from the host; 10.0 lists wineserver's sockets (README, Limits) */
    if (!error && i == table->dwNumEntries && rt.ours && rt.newer)
        skip("this Wine's TCP table has wineserver's sockets only\n");
    else
        ok(!error && i < table->dwNumEntries, "our port is not in the table\n");
    free(table);
    closesocket(l);
}

/* rpcrt4: an endpoint over TCP; the management interface every RPC server has answers a question */
#define RPC(name) ((__typeof__(&name))(void *)GetProcAddress(module, #name))

static void test_rpcrt4(void)
{
    HMODULE module = load("rpcrt4.dll");
    unsigned char protocol[] = "ncacn_ip_tcp", host[] = "127.0.0.1", port[16], *binding_text;
    RPC_BINDING_VECTOR *bindings = NULL;
    RPC_BINDING_HANDLE binding = NULL;
    RPC_STATUS status;

    status = RPC(RpcServerUseProtseqA)(protocol, RPC_C_PROTSEQ_MAX_REQS_DEFAULT, NULL);
    ok(status == RPC_S_OK, "got %ld\n", status);
    status = RPC(RpcServerInqBindings)(&bindings);
    ok(status == RPC_S_OK && bindings && bindings->Count >= 1, "got %ld\n", status);
    if (status == RPC_S_OK) {
        unsigned char *text = NULL, *endpoint = NULL;

        status = RPC(RpcBindingToStringBindingA)(bindings->BindingH[0], &text);
        ok(status == RPC_S_OK, "got %ld\n", status);
        status = RPC(RpcStringBindingParseA)(text, NULL, NULL, NULL, &endpoint, NULL);
        ok(status == RPC_S_OK && endpoint && atoi((char *)endpoint) > 0, "got %ld, endpoint %s\n",
           status, endpoint);
        snprintf((char *)port, sizeof(port), "%s", endpoint ? (char *)endpoint : "0");
        RPC(RpcStringFreeA)(&text);
        RPC(RpcStringFreeA)(&endpoint);
        RPC(RpcBindingVectorFree)(&bindings);
        status = RPC(RpcStringBindingComposeA)(NULL, protocol, host, port, NULL, &binding_text);
        ok(status == RPC_S_OK, "got %ld\n", status);
        status = RPC(RpcBindingFromStringBindingA)(binding_text, &binding);
        ok(status == RPC_S_OK, "got %ld\n", status);
        RPC(RpcStringFreeA)(&binding_text);
        RPC(RpcBindingFree)(&binding);
        /* something listens where it says */
        {
            struct sockaddr_in to = {
                AF_INET, htons((u_short)atoi((char *)port)), {{{127, 0, 0, 1}}}, {0}};
            SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

            status = RPC(RpcServerListen)(1, 10, TRUE);
            ok(status == RPC_S_OK, "got %ld\n", status);
            ok(!connect(s, (struct sockaddr *)&to, sizeof(to)), "error %d\n", WSAGetLastError());
            closesocket(s);
            status = RPC(RpcMgmtStopServerListening)(NULL);
            ok(status == RPC_S_OK, "got %ld\n", status);
            /* its threads are at work until then, also while the process ends */
            status = RPC(RpcMgmtWaitServerListen)();
            ok(status == RPC_S_OK || status == RPC_S_NOT_LISTENING, "got %ld\n", status);
        }
    }
}

START_TEST(company)
{
    WSADATA data;

    ok(!WSAStartup(MAKEWORD(2, 2), &data), "WSAStartup failed\n");
    test_mswsock();
    test_wsock32();
    test_iphlpapi();
    test_rpcrt4();
    WSACleanup();
}
