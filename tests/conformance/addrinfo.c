/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getaddrinfo, GetAddrInfoW, GetAddrInfoExW, getnameinfo, GetNameInfoW; without a network.
 * Sources: the pages of those functions; "recorded" = what Wine's tests found Windows to do.
 */
#include "net.h"

typedef int(WINAPI *overlapped_result_fn)(LPOVERLAPPED);
typedef int(WINAPI *cancel_fn)(LPHANDLE);

static int get(const char *node, const char *service, int flags, int family, int type, int protocol,
               struct addrinfo **list)
{
    struct addrinfo hints = {
        .ai_flags = flags, .ai_family = family, .ai_socktype = type, .ai_protocol = protocol};

    *list = (void *)0xdeadbeef;
    WSASetLastError(0xdead);
    return getaddrinfo(node, service, &hints, list);
}

/* "Failure returns a nonzero Windows Sockets error code"; it is the last error too, and no list
 * remains (recorded). */
#define check_fails(call, expected)                                                           \
    do {                                                                                      \
        int rt_result = (call), rt_last = WSAGetLastError();                                  \
        ok(rt_result == (expected) && rt_last == rt_result && !list,                          \
           #call ": got %d, last error %d, list %p, expected %d\n", rt_result, rt_last, list, \
           (expected));                                                                       \
    } while (0)

static const struct sockaddr_in *in4(const struct addrinfo *info)
{
    return (const struct sockaddr_in *)info->ai_addr;
}

static const struct sockaddr_in6 *in6(const struct addrinfo *info)
{
    return (const struct sockaddr_in6 *)info->ai_addr;
}

/* What every entry promises: "the ai_family, ai_socktype, and ai_protocol members correspond to
 * respective arguments in a socket or WSASocket function call". */
static void check_list(const struct addrinfo *list, int family, int type, int protocol,
                       u_short port)
{
    ok(list != NULL, "no list\n");
    for (; list; list = list->ai_next) {
        ok(list->ai_family == AF_INET || list->ai_family == AF_INET6, "family %d\n",
           list->ai_family);
        ok(!family || list->ai_family == family, "family %d\n", list->ai_family);
        ok(list->ai_socktype == type, "type %d\n", list->ai_socktype);
        ok(list->ai_protocol == protocol, "protocol %d\n", list->ai_protocol);
        ok(list->ai_addr && list->ai_addr->sa_family == list->ai_family, "address's family\n");
        if (!list->ai_addr)
            continue;
        if (list->ai_family == AF_INET)
            ok(list->ai_addrlen == sizeof(struct sockaddr_in), "length %d\n",
               (int)list->ai_addrlen);
        else
            ok(list->ai_addrlen == sizeof(struct sockaddr_in6), "length %d\n",
               (int)list->ai_addrlen);
        ok(in4(list)->sin_port == htons(port), "port %d\n", ntohs(in4(list)->sin_port));
    }
}

/* The hints: their members come back in the entries, 0 as 0 (recorded); unknown ones have errors of
 * their own in the page's table. */
static void test_hints(void)
{
    static const int types[] = {0, SOCK_STREAM, SOCK_DGRAM};
    static const int protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, 999}; /* not compared: recorded */
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
    struct addrinfo *list, hints;
    unsigned f, t, p;
    int error;

    for (f = 0; f < ARRAYSIZE(families); f++)
        for (t = 0; t < ARRAYSIZE(types); t++)
            for (p = 0; p < ARRAYSIZE(protocols); p++) {
                const char *node = families[f] == AF_INET6 ? "::1" : "127.0.0.1";

                winetest_push_context("%d, %d, %d", families[f], types[t], protocols[p]);
                error = get(node, "4711", 0, families[f], types[t], protocols[p], &list);
                ok(!error, "got %d\n", error);
                ok(WSAGetLastError() == 0, "last error %d\n", WSAGetLastError()); /* recorded */
                if (!error) {
                    check_list(list, families[f], types[t], protocols[p], 4711);
                    ok(!list->ai_next, "a numeric address gave more than one entry\n");
                    ok(!list->ai_canonname, "canonical name unasked\n");
                    freeaddrinfo(list);
                }
                winetest_pop_context();
            }
    check_fails(get("127.0.0.1", "80", 0, AF_IPX, 0, 0, &list), WSAEAFNOSUPPORT);
    check_fails(get("127.0.0.1", "80", 0, 999, 0, 0, &list), WSAEAFNOSUPPORT);
    check_fails(get("127.0.0.1", "80", 0, AF_INET, 999, 0, &list), WSAESOCKTNOSUPPORT);
    check_fails(get(NULL, NULL, 0, AF_INET, 0, 0, &list), WSAHOST_NOT_FOUND);
    todo_wine
    {
        /* "will fail with WSANO_RECOVERY", "fails if both flags are present with EAI_BADFLAGS" */
        check_fails(get(NULL, "80", AI_CANONNAME, AF_INET, 0, 0, &list), WSANO_RECOVERY);
        check_fails(
            get("127.0.0.1", "80", AI_CANONNAME | 0x20000 /* AI_FQDN */, AF_INET, 0, 0, &list),
            WSAEINVAL);
        /* "The ai_addrlen, ai_canonname, ai_addr, and ai_next members ... must be zero or NULL.
         * Otherwise ... WSANO_RECOVERY." */
        memset(&hints, 0, sizeof(hints));
        hints.ai_addrlen = 16;
        list = (void *)0xdeadbeef;
        check_fails(getaddrinfo("127.0.0.1", "80", &hints, &list), WSANO_RECOVERY);
    }
    /* "treats it as if ... AF_UNSPEC and all other members set to zero" */
    error = getaddrinfo("127.0.0.1", "80", NULL, &list);
    ok(!error, "got %d\n", error);
    ok(list->ai_family == AF_INET && in4(list)->sin_port == htons(80), "wrong address\n");
    todo_wine ok(!list->ai_socktype && !list->ai_protocol && !list->ai_next,
                 "more than one entry\n");
    freeaddrinfo(list);
}

/* "contains a host (node) name or a numeric host address string". */
static void test_numeric(void)
{
    static const struct {
        const char *text;
        int family;
        unsigned char bytes[16];
        unsigned long scope;
    } rows[] = {
        {"10.20.30.40", AF_INET, {10, 20, 30, 40}, 0},
        {"127.1", AF_INET, {127, 0, 0, 1}, 0},
        {"::1", AF_INET6, {[15] = 1}, 0},
        {"2001:db8::7", AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 7}, 0},
        {"[2001:db8::7]", AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 7}, 0},      /* recorded */
        {"[2001:db8::7]:8080", AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 7}, 0}, /* recorded */
    };
    struct addrinfo *list;
    unsigned i;
    int error;

    for (i = 0; i < ARRAYSIZE(rows); i++) {
        winetest_push_context("%s", rows[i].text);
        error = get(rows[i].text, NULL, AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM, 0, &list);
        ok(!error, "got %d\n", error);
        if (!error) {
            check_list(list, rows[i].family, SOCK_STREAM, 0, 0);
            ok(!memcmp(rows[i].family == AF_INET ? (void *)&in4(list)->sin_addr
                                                 : (void *)&in6(list)->sin6_addr,
                       rows[i].bytes, rows[i].family == AF_INET ? 4 : 16),
               "wrong address\n");
            freeaddrinfo(list);
        }
        winetest_pop_context();
    }
    /* "prevents a name resolution service from being called": no names, "EAI_NONAME" */
    check_fails(get("localhost", "80", AI_NUMERICHOST, AF_UNSPEC, 0, 0, &list), WSAHOST_NOT_FOUND);
    check_fails(get("10.20.30.40:80", NULL, AI_NUMERICHOST, AF_UNSPEC, 0, 0, &list),
                WSAHOST_NOT_FOUND);
    check_fails(get("[::1", NULL, AI_NUMERICHOST, AF_UNSPEC, 0, 0, &list), WSAHOST_NOT_FOUND);
    check_fails(get("[::1]", NULL, AI_NUMERICHOST, AF_INET, 0, 0, &list), WSAHOST_NOT_FOUND);
    todo_wine check_fails(get(NULL, "80", AI_NUMERICHOST, AF_UNSPEC, 0, 0, &list),
                          WSAHOST_NOT_FOUND);

    error = get("10.20.30.40", NULL, AI_CANONNAME, AF_INET, 0, 0, &list);
    ok(!error, "got %d\n", error);
    if (!error) {
        ok(list->ai_canonname && !strcmp(list->ai_canonname, "10.20.30.40"), "canonical name %s\n",
           list->ai_canonname ? list->ai_canonname : "(none)");
        freeaddrinfo(list);
    }
    /* "converted to IPv4-mapped IPv6 address format" */
    error = get("10.20.30.40", NULL, AI_V4MAPPED, AF_INET6, 0, 0, &list);
    ok(!error, "got %d\n", error);
    if (!error) {
        static const unsigned char mapped[16] = {[10] = 0xff, 0xff, 10, 20, 30, 40};

        check_list(list, AF_INET6, 0, 0, 0);
        ok(!memcmp(&in6(list)->sin6_addr, mapped, 16), "wrong address\n");
        freeaddrinfo(list);
    }
}

/* "either a service name or port number represented as a string". */
static void test_services(void)
{
    struct addrinfo *list;
    int error;

    error = get("127.0.0.1", "http", 0, AF_INET, SOCK_STREAM, 0, &list);
    ok(!error, "got %d\n", error);
    if (!error) {
        check_list(list, AF_INET, SOCK_STREAM, 0, 80);
        freeaddrinfo(list);
    }
    error = get("127.0.0.1", "tftp", 0, AF_INET, SOCK_DGRAM, 0, &list);
    ok(!error, "got %d\n", error);
    if (!error) {
        check_list(list, AF_INET, SOCK_DGRAM, 0, 69);
        freeaddrinfo(list);
    }
    error = get("127.0.0.1", "", 0, AF_INET, SOCK_STREAM, 0, &list); /* recorded: as "0" */
    ok(!error, "got %d\n", error);
    if (!error) {
        check_list(list, AF_INET, SOCK_STREAM, 0, 0);
        freeaddrinfo(list);
    }
    /* "WSATYPE_NOT_FOUND: ... not supported for the specified ai_socktype" */
    check_fails(get("127.0.0.1", "no-such-service", 0, AF_INET, SOCK_STREAM, 0, &list),
                WSATYPE_NOT_FOUND);
    check_fails(get("127.0.0.1", "tftp", 0, AF_INET, SOCK_STREAM, 0, &list), WSATYPE_NOT_FOUND);
    check_fails(get("127.0.0.1", "http", AI_NUMERICSERV, AF_INET, SOCK_STREAM, 0, &list),
                WSAHOST_NOT_FOUND);
}

/* AI_PASSIVE and NULL: "INADDR_ANY for IPv4 addresses and IN6ADDR_ANY_INIT"; without it "set to the
 * loopback address".  "If ... equal to "localhost", all loopback addresses ... are returned." */
static void test_local(void)
{
    struct addrinfo *list, *info;
    int error;

    error = get(NULL, "80", AI_PASSIVE, AF_INET, SOCK_STREAM, 0, &list);
    ok(!error && in4(list)->sin_addr.s_addr == INADDR_ANY, "got %d\n", error);
    if (!error)
        freeaddrinfo(list);
    error = get(NULL, "80", 0, AF_INET, SOCK_STREAM, 0, &list);
    ok(!error && in4(list)->sin_addr.s_addr == htonl(INADDR_LOOPBACK), "got %d\n", error);
    if (!error)
        freeaddrinfo(list);
    error = get("localhost", "80", 0, AF_UNSPEC, SOCK_STREAM, IPPROTO_TCP, &list);
    ok(!error, "got %d\n", error);
    if (!error) {
        int ipv4 = 0;

        check_list(list, AF_UNSPEC, SOCK_STREAM, IPPROTO_TCP, 80);
        for (info = list; info; info = info->ai_next) {
            if (info->ai_family == AF_INET) {
                ipv4++;
                ok(in4(info)->sin_addr.s_addr == htonl(INADDR_LOOPBACK), "not loopback\n");
            } else {
                ok(IN6_IS_ADDR_LOOPBACK(&in6(info)->sin6_addr), "not loopback\n");
            }
        }
        ok(ipv4 == 1, "%d IPv4 addresses\n", ipv4);
        freeaddrinfo(list);
    }
    error = get("LocalHost", NULL, AI_CANONNAME, AF_INET, 0, 0, &list);
    ok(!error && list->ai_canonname, "got %d\n", error);
    if (!error)
        freeaddrinfo(list);
}

/* "If the pNodeName parameter contains an empty string, all registered addresses on the local
 * computer are returned"; the computer's name gives the same (recorded). */
static void test_this_machine(void)
{
    struct addrinfo *empty, *named, *a, *b;
    char name[256];
    int error;

    ok_success(gethostname(name, sizeof(name)));
    error = get("", "7", 0, AF_UNSPEC, 0, 0, &empty);
    ok(!error, "got %d\n", error);
    if (error)
        return;
    check_list(empty, AF_UNSPEC, 0, 0, 7);
    error = get(name, "7", 0, AF_UNSPEC, 0, 0, &named);
    ok(!error, "%s: got %d\n", name, error);
    if (!error) {
        for (a = empty, b = named; a && b; a = a->ai_next, b = b->ai_next)
            ok(a->ai_addrlen == b->ai_addrlen && !memcmp(a->ai_addr, b->ai_addr, a->ai_addrlen),
               "the addresses differ\n");
        ok(!a && !b, "one list is longer\n");
        freeaddrinfo(named);
    }
    freeaddrinfo(empty);
    /* RFC 6761: never resolves; also where no name server answers at all */
    error = get("no-such-host.invalid", NULL, 0, AF_UNSPEC, 0, 0, &named);
    ok(error == WSAHOST_NOT_FOUND || error == WSATRY_AGAIN, "got %d\n", error);
    ok(!named, "got list %p\n", named);
}

static void test_wide(void)
{
    ADDRINFOW hints = {.ai_flags = AI_CANONNAME, .ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    ADDRINFOW *list = NULL;
    int error;

    error = GetAddrInfoW(L"10.20.30.40", L"https", &hints, &list);
    ok(!error, "got %d\n", error);
    if (!error) {
        ok(!wcscmp(list->ai_canonname, L"10.20.30.40"), "canonical name %ls\n", list->ai_canonname);
        ok(((struct sockaddr_in *)list->ai_addr)->sin_port == htons(443), "wrong port\n");
        FreeAddrInfoW(list);
    }
    list = (void *)0xdeadbeef;
    check_fails(GetAddrInfoW(NULL, NULL, NULL, &list), WSAHOST_NOT_FOUND);
    FreeAddrInfoW(NULL);
    freeaddrinfo(NULL);
}

/* Since Windows 8 GetAddrInfoW has "support for IDN parsing applied to the name": what it asks for
 * is the ASCII form, here "localhost" (wide letters are the same ones for IDN). */
static void test_idn(void)
{
    static const WCHAR wide_letters[] = {0xff4c, 0xff4f, 0xff43, 0xff41, 0xff4c,
                                         0xff48, 0xff4f, 0xff53, 0xff54, 0};
    ADDRINFOW hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int error = GetAddrInfoW(wide_letters, NULL, &hints, &list);

    ok(!error && list, "got %d\n", error);
    if (!error) {
        ok(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK),
           "another address\n");
        FreeAddrInfoW(list);
    }
}

static LONG routine_calls;
static DWORD routine_error;

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped)
{
    (void)bytes;
    routine_error = error;
    InterlockedIncrement(&routine_calls);
    SetEvent(*(HANDLE *)(overlapped + 1));
}

static void test_ex(void)
{
    overlapped_result_fn overlapped_result = (overlapped_result_fn)(void *)GetProcAddress(
        GetModuleHandleA("ws2_32"), "GetAddrInfoExOverlappedResult");
    cancel_fn cancel =
        (cancel_fn)(void *)GetProcAddress(GetModuleHandleA("ws2_32"), "GetAddrInfoExCancel");
    struct {
        OVERLAPPED overlapped;
        HANDLE event;
    } call = {.event = CreateEventW(NULL, TRUE, FALSE, NULL)};
    ADDRINFOEXW hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    HANDLE nothing = (HANDLE)0x7fffff;
    struct timeval second = {10, 0};
    ADDRINFOEXW *list;
    int error;

    list = (void *)0xdeadbeef;
    check_fails(GetAddrInfoExW(NULL, NULL, NS_DNS, NULL, NULL, &list, NULL, NULL, NULL, NULL),
                WSAHOST_NOT_FOUND);
    error =
        GetAddrInfoExW(L"127.0.0.1", L"80", NS_ALL, NULL, &hints, &list, NULL, NULL, NULL, NULL);
    ok(!error, "got %d\n", error);
    if (!error) {
        ok(list->ai_family == AF_INET && list->ai_socktype == SOCK_STREAM && !list->ai_next,
           "wrong entry\n");
        ok(!list->ai_blob && !list->ai_bloblen && !list->ai_provider, "unasked members\n");
        FreeAddrInfoExW(list);
    }
    error =
        GetAddrInfoExW(L"localhost", L"80", NS_DNS, NULL, &hints, &list, &second, NULL, NULL, NULL);
    ok(!error, "with a timeout: got %d\n", error);
    if (!error)
        FreeAddrInfoExW(list);

    ok(overlapped_result(NULL) == WSAEINVAL, "accepted\n");
    /* by event */
    list = (void *)0xdeadbeef;
    call.overlapped.hEvent = call.event;
    error = GetAddrInfoExW(L"localhost", NULL, NS_DNS, NULL, &hints, &list, NULL, &call.overlapped,
                           NULL, NULL);
    ok(error == WSA_IO_PENDING && WSAGetLastError() == WSA_IO_PENDING, "got %d, %d\n", error,
       WSAGetLastError());
    ok(!WaitForSingleObject(call.event, NET_PATIENCE), "no event\n");
    ok(!overlapped_result(&call.overlapped), "got %d\n", overlapped_result(&call.overlapped));
    ok(call.overlapped.Pointer == &list, "Pointer is not the result's\n");
    ok(list && list != (void *)0xdeadbeef, "no list\n");
    FreeAddrInfoExW(list);
    /* "If a completion routine has been specified, the hEvent member must be NULL" */
    error = GetAddrInfoExW(L"localhost", NULL, NS_DNS, NULL, &hints, &list, NULL, &call.overlapped,
                           (void *)routine, NULL);
    ok(error == WSAEINVAL, "got %d\n", error);
    /* by routine */
    ResetEvent(call.event);
    call.overlapped.hEvent = NULL;
    error = GetAddrInfoExW(L"localhost", NULL, NS_DNS, NULL, &hints, &list, NULL, &call.overlapped,
                           (void *)routine, NULL);
    ok(error == WSA_IO_PENDING, "got %d\n", error);
    ok(!WaitForSingleObject(call.event, NET_PATIENCE), "not called\n");
    ok(routine_calls == 1 && !routine_error, "%ld calls, error %lu\n", routine_calls,
       routine_error);
    FreeAddrInfoExW(list);
    /* parameters are checked at once (recorded) */
    call.overlapped.hEvent = call.event;
    ResetEvent(call.event);
    list = (void *)0xdeadbeef;
    todo_wine
    {
        check_fails(GetAddrInfoExW(NULL, NULL, NS_DNS, NULL, NULL, &list, NULL, &call.overlapped,
                                   NULL, NULL),
                    WSAHOST_NOT_FOUND);
    }
    WaitForSingleObject(call.event, 500); /* Wine's look-up ends some time */
    /* "WSA_INVALID_HANDLE" */
    ok(cancel(&nothing) == WSA_INVALID_HANDLE, "a handle from nowhere was accepted\n");
    CloseHandle(call.event);
}

/* getnameinfo's page; no name server is needed for numbers and for loopback. */
static void test_getnameinfo(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 address6 = {.sin6_family = AF_INET6, .sin6_port = htons(12345)};
    const struct sockaddr *address = (struct sockaddr *)&in;
    char host[NI_MAXHOST], service[NI_MAXSERV];
    WCHAR wide_host[NI_MAXHOST], wide_service[NI_MAXSERV];
    int error;

    in.sin_addr.s_addr = htonl(0x0a141e28);
    error = getnameinfo(address, sizeof(in), host, sizeof(host), service, sizeof(service),
                        NI_NUMERICHOST | NI_NUMERICSERV);
    ok(!error && !strcmp(host, "10.20.30.40") && !strcmp(service, "80"), "got %d, %s, %s\n", error,
       host, service);
    error = getnameinfo(address, sizeof(in), NULL, 0, service, sizeof(service), 0);
    ok(!error && !strcmp(service, "http"), "got %d, %s\n", error, service);
    error = GetNameInfoW(address, sizeof(in), wide_host, ARRAYSIZE(wide_host), wide_service,
                         ARRAYSIZE(wide_service), NI_NUMERICHOST);
    ok(!error && !wcscmp(wide_host, L"10.20.30.40") && !wcscmp(wide_service, L"http"),
       "got %d, %ls, %ls\n", error, wide_host, wide_service);
    address6.sin6_addr.s6_addr[15] = 1;
    error = getnameinfo((struct sockaddr *)&address6, sizeof(address6), host, sizeof(host), service,
                        sizeof(service), NI_NUMERICHOST);
    /* "does not resolve to a well known service ... as a numeric string" */
    ok(!error && !strcmp(host, "::1") && !strcmp(service, "12345"), "got %d, %s, %s\n", error, host,
       service);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    error = getnameinfo(address, sizeof(in), host, sizeof(host), NULL, 0, 0);
    ok(!error && *host, "got %d\n", error);

    error = getnameinfo(NULL, sizeof(in), host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    todo_wine ok(error == WSAEFAULT && WSAGetLastError() == WSAEFAULT, "got %d, %d\n", error,
                 WSAGetLastError());
    error = getnameinfo(address, sizeof(in) - 1, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    todo_wine ok(error == WSAEFAULT, "got %d\n", error);
    error = getnameinfo(address, sizeof(in), NULL, 0, NULL, 0, NI_NUMERICHOST);
    todo_wine ok(error == WSAHOST_NOT_FOUND, "got %d\n", error);
    in.sin_family = AF_IPX;
    error = getnameinfo(address, sizeof(in), host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    ok(error == WSAEAFNOSUPPORT, "got %d\n", error);
}

/* All these pages: WSANOTINITIALISED. */
static void test_not_started(void)
{
    struct addrinfo *list;
    int error = getaddrinfo("127.0.0.1", "80", NULL, &list);

    todo_wine ok(error == WSANOTINITIALISED, "got %d\n", error);
}

START_TEST(addrinfo)
{
    RUN(test_not_started);
    net_start();
    RUN(test_hints);
    RUN(test_numeric);
    RUN(test_services);
    RUN(test_local);
    RUN(test_this_machine);
    RUN(test_wide);
    RUN(test_idn);
    RUN(test_ex);
    RUN(test_getnameinfo);
    WSACleanup();
}
