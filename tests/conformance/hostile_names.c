/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments (hostile.h) for the calls about names and addresses of hosts, services and
 * protocols: getaddrinfo and its like, gethostby..., getserv..., WSAAsync..., look-ups.
 *
 * Each list of errors is that of the call's page, and WSAEFAULT: Windows itself faults at some of
 * these pointers, for which the pages say nothing.
 */
#include "hostile.h"

static const int addrinfo_errors[] = {
    WSAEFAULT,
    WSATRY_AGAIN,
    WSAEINVAL,
    WSANO_RECOVERY,
    WSAEAFNOSUPPORT,
    WSAHOST_NOT_FOUND,
    WSATYPE_NOT_FOUND,
    WSAESOCKTNOSUPPORT,
    WSA_NOT_ENOUGH_MEMORY,
    WSANO_DATA,
    0,
};
static const int addrinfo_ex_errors[] = {
    WSAEFAULT,         WSATRY_AGAIN,         WSAEINVAL,
    WSANO_RECOVERY,    WSAEAFNOSUPPORT,      WSAHOST_NOT_FOUND,
    WSATYPE_NOT_FOUND, WSAESOCKTNOSUPPORT,   WSA_NOT_ENOUGH_MEMORY,
    WSANO_DATA,        WSASERVICE_NOT_FOUND, WSAETIMEDOUT,
    WSA_IO_PENDING,    WSA_E_CANCELLED,      0,
};
static const int nameinfo_errors[] = {
    WSAEFAULT,      WSAEINVAL,    WSAEAFNOSUPPORT, WSAHOST_NOT_FOUND,
    WSANO_RECOVERY, WSATRY_AGAIN, WSANO_DATA,      0};
static const int handle_errors[] = {WSA_INVALID_HANDLE, WSAEFAULT, WSAEINVAL, 0};
static const int host_errors[] = {WSAEFAULT,  WSAHOST_NOT_FOUND, WSATRY_AGAIN, WSANO_RECOVERY,
                                  WSANO_DATA, WSAEAFNOSUPPORT,   WSAEINVAL,    0};
static const int entry_errors[] = {WSAEFAULT,      WSAEINVAL,  WSAHOST_NOT_FOUND,
                                   WSANO_RECOVERY, WSANO_DATA, 0};
static const int fault[] = {WSAEFAULT, 0};
static const int convert_errors[] = {WSAEFAULT, WSAEINVAL, 0};
static const int presentation_errors[] = {
    WSAEFAULT, WSAEAFNOSUPPORT, WSAEINVAL, ERROR_INVALID_PARAMETER, (int)0xc000000d, 0};
static const int async_errors[] = {WSAENOBUFS, WSAEFAULT, WSAEWOULDBLOCK, WSAEINVAL, 0};
static const int cancel_errors[] = {WSAEINVAL, WSAEALREADY, 0};
static const int lookup_errors[] = {
    WSAEFAULT,       WSAEINVAL,          WSASERVICE_NOT_FOUND, WSA_E_NO_MORE,
    WSA_E_CANCELLED, WSAHOST_NOT_FOUND,  WSANO_DATA,           WSANO_RECOVERY,
    WSATRY_AGAIN,    WSA_INVALID_HANDLE, WSAEOPNOTSUPP,        WSA_NOT_ENOUGH_MEMORY,
    WSAEACCES,       WSATYPE_NOT_FOUND,  WSA_IO_PENDING,       0,
};

static const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f};
static const ADDRINFOA hints = {.ai_flags = AI_NUMERICHOST, .ai_family = AF_INET};
static const ADDRINFOEXW hints_ex = {.ai_flags = AI_NUMERICHOST, .ai_family = AF_INET};
static const struct timeval second = {1, 0};
static const char four[4] = {127, 0, 0, 1};
static GUID dns = {0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};
static GUID host_class = {0x0002a800, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
static HANDLE nowhere; /* no window and no request */
static HANDLE lookup;
static AFPROTOCOLS protocols[2] = {{AF_INET, IPPROTO_TCP}, {AF_INET, IPPROTO_UDP}};
static char instance[] = "localhost";
static WCHAR instance_wide[] = L"localhost";
static WSAQUERYSETA query = {.dwSize = sizeof(query),
                             .lpszServiceInstanceName = instance,
                             .lpServiceClassId = &host_class,
                             .dwNameSpace = NS_DNS,
                             .lpNSProviderId = &dns,
                             .dwNumberOfProtocols = 2,
                             .lpafpProtocols = protocols};
static WSAQUERYSETW query_wide = {.dwSize = sizeof(query_wide),
                                  .lpszServiceInstanceName = instance_wide,
                                  .lpServiceClassId = &host_class,
                                  .dwNameSpace = NS_DNS,
                                  .lpNSProviderId = &dns,
                                  .dwNumberOfProtocols = 2,
                                  .lpafpProtocols = protocols};

/* ---- what success leaves behind ---- */

/* The word that a good out parameter was given */
static void *given(const ULONG_PTR *words, unsigned at)
{
    void **memory = (void **)hostile_memory(at, sizeof(void *));

    return words[at] == (ULONG_PTR)memory ? *memory : NULL;
}

static void free_list(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    freeaddrinfo(given(words, 3));
}

static void free_list_ex(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    FreeAddrInfoExW(given(words, 5));
}

static void cancel_request(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    WSACancelAsyncRequest((HANDLE)result);
}

static void end_lookup(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    WSALookupServiceEnd(given(words, 2));
}

/* ---- the table ---- */

#define POINTER_OUT WRITES(sizeof(void *))
#define ADDRESS_IN  READS(loopback), A_LENGTH(sizeof(loopback))
#define ADDRESS_OUT WRITES(sizeof(loopback)), A_LENGTH_AT(sizeof(loopback))
#define WIDE_OUT(n) WRITES(2 * (n)), A_LENGTH(n)
#define TEXT_OUT(n) WRITES(n), A_LENGTH(n)
#define A_NULL               \
    {                        \
        HOSTILE_OUT, NULL, 0 \
    }
#define WINDOW     A_HANDLE(nowhere), A_NUMBER(WM_USER)
#define TABLE_ROOM TEXT_OUT(MAXGETHOSTSTRUCT)

/* clang-format off */
static const struct hostile_row rows[] = {
    {CALL(getaddrinfo, FAILS_CODE, addrinfo_errors, A_TEXT("127.0.0.1"), A_TEXT("80"),
          READS(hints), POINTER_OUT), .undo = free_list},
    {CALL(GetAddrInfoW, FAILS_CODE, addrinfo_errors, A_WIDE(L"127.0.0.1"), A_WIDE(L"80"),
          READS(hints), POINTER_OUT), .undo = free_list},
    {CALL(GetAddrInfoExA, FAILS_CODE, addrinfo_ex_errors, A_TEXT("127.0.0.1"), A_TEXT("80"),
          A_NUMBER(NS_DNS), READS(dns), READS(hints_ex), POINTER_OUT, A_CONSTANT(0), A_CONSTANT(0),
          A_CONSTANT(0), A_CONSTANT(0)), .undo = free_list_ex},
    {CALL(GetAddrInfoExW, FAILS_CODE, addrinfo_ex_errors, A_WIDE(L"127.0.0.1"), A_WIDE(L"80"),
          A_NUMBER(NS_DNS), READS(dns), READS(hints_ex), POINTER_OUT, HOLDS(second), A_CONSTANT(0),
          A_CONSTANT(0), A_CONSTANT(0)), .undo = free_list_ex},
    {CALL(GetAddrInfoExCancel, FAILS_CODE, handle_errors, READS(nowhere)),
     .refuses = WSA_INVALID_HANDLE, .anytime = TRUE},
    {CALL(GetAddrInfoExOverlappedResult, FAILS_NEVER, NULL, AN_OVERLAPPED), .anytime = TRUE},
    {CALL(SetAddrInfoExA, FAILS_CODE, addrinfo_ex_errors, A_TEXT("name"), A_TEXT("80"),
          A_CONSTANT(0), A_CONSTANT(0), A_CONSTANT(0), A_NUMBER(0), A_NUMBER(NS_DNS), READS(dns),
          A_CONSTANT(0), A_CONSTANT(0), A_CONSTANT(0), A_CONSTANT(0)), .refuses = WSANO_RECOVERY},
    {CALL(SetAddrInfoExW, FAILS_CODE, addrinfo_ex_errors, A_WIDE(L"name"), A_WIDE(L"80"),
          A_CONSTANT(0), A_CONSTANT(0), A_CONSTANT(0), A_NUMBER(0), A_NUMBER(NS_DNS), READS(dns),
          A_CONSTANT(0), A_CONSTANT(0), A_CONSTANT(0), A_CONSTANT(0)), .refuses = WSANO_RECOVERY},
    {CALL(getnameinfo, FAILS_CODE, nameinfo_errors, ADDRESS_IN, TEXT_OUT(64), TEXT_OUT(32),
          A_NUMBER(NI_NUMERICHOST))},
    {CALL(GetNameInfoW, FAILS_CODE, nameinfo_errors, ADDRESS_IN, WIDE_OUT(64), WIDE_OUT(32),
          A_NUMBER(NI_NUMERICHOST))},
    {CALL(gethostbyname, FAILS_NULL, host_errors, A_TEXT("127.0.0.1"))},
    {CALL(gethostbyaddr, FAILS_NULL, host_errors, READS(four), A_LENGTH(4), A_NUMBER(AF_INET))},
    {CALL(gethostname, FAILS_MINUS_ONE, fault, TEXT_OUT(256))},
    {CALL(GetHostNameW, FAILS_MINUS_ONE, fault, WIDE_OUT(256))},
    {CALL(getservbyname, FAILS_NULL, entry_errors, A_TEXT("http"), A_TEXT("tcp"))},
    {CALL(getservbyport, FAILS_NULL, entry_errors, A_NUMBER(0x5000), A_TEXT("tcp"))},
    {CALL(getprotobyname, FAILS_NULL, entry_errors, A_TEXT("tcp"))},
    {CALL(getprotobynumber, FAILS_NULL, entry_errors, A_NUMBER(6))},
    {CALL(inet_addr, FAILS_NEVER, NULL, A_TEXT("127.0.0.1")), .anytime = TRUE},
    {CALL(inet_ntoa, FAILS_NULL, NULL, A_NUMBER(0x0100007f)), .anytime = TRUE},
    {CALL(inet_pton, FAILS_MINUS_ONE, presentation_errors, A_NUMBER(AF_INET), A_TEXT("127.0.0.1"),
          WRITES(4)), .anytime = TRUE},
    {CALL(InetPtonW, FAILS_MINUS_ONE, presentation_errors, A_NUMBER(AF_INET),
          A_WIDE(L"127.0.0.1"), WRITES(4)), .anytime = TRUE},
    {CALL(inet_ntop, FAILS_NULL, presentation_errors, A_NUMBER(AF_INET), READS(four),
          TEXT_OUT(INET_ADDRSTRLEN)), .anytime = TRUE},
    {CALL(InetNtopW, FAILS_NULL, presentation_errors, A_NUMBER(AF_INET), READS(four),
          WIDE_OUT(INET_ADDRSTRLEN)), .anytime = TRUE},
    {CALL(WSAAddressToStringA, FAILS_MINUS_ONE, convert_errors, ADDRESS_IN, A_CONSTANT(0),
          WRITES(32), A_LENGTH_AT(32))},
    {CALL(WSAAddressToStringW, FAILS_MINUS_ONE, convert_errors, ADDRESS_IN, A_CONSTANT(0),
          WRITES(64), A_LENGTH_AT(32))},
    {CALL(WSAStringToAddressA, FAILS_MINUS_ONE, convert_errors, A_TEXT("127.0.0.1:80"),
          A_NUMBER(AF_INET), A_CONSTANT(0), ADDRESS_OUT)},
    {CALL(WSAStringToAddressW, FAILS_MINUS_ONE, convert_errors, A_WIDE(L"127.0.0.1:80"),
          A_NUMBER(AF_INET), A_CONSTANT(0), ADDRESS_OUT)},
    {CALL(WSAAsyncGetHostByName, FAILS_NULL, async_errors, WINDOW, A_TEXT("127.0.0.1"),
          TABLE_ROOM), .undo = cancel_request},
    {CALL(WSAAsyncGetHostByAddr, FAILS_NULL, async_errors, WINDOW, READS(four), A_LENGTH(4),
          A_NUMBER(AF_INET), TABLE_ROOM), .undo = cancel_request, .singles = TRUE},
    {CALL(WSAAsyncGetServByName, FAILS_NULL, async_errors, WINDOW, A_TEXT("http"), A_TEXT("tcp"),
          TABLE_ROOM), .undo = cancel_request, .singles = TRUE},
    {CALL(WSAAsyncGetServByPort, FAILS_NULL, async_errors, WINDOW, A_NUMBER(0x5000),
          A_TEXT("tcp"), TABLE_ROOM), .undo = cancel_request, .singles = TRUE},
    {CALL(WSAAsyncGetProtoByName, FAILS_NULL, async_errors, WINDOW, A_TEXT("tcp"), TABLE_ROOM),
     .undo = cancel_request, .singles = TRUE},
    {CALL(WSAAsyncGetProtoByNumber, FAILS_NULL, async_errors, WINDOW, A_NUMBER(6), TABLE_ROOM),
     .undo = cancel_request, .singles = TRUE},
    {CALL(WSACancelAsyncRequest, FAILS_MINUS_ONE, cancel_errors, A_HANDLE(nowhere)),
     .refuses = WSAEINVAL},
    {CALL(WSALookupServiceBeginA, FAILS_MINUS_ONE, lookup_errors, READS(query),
          A_NUMBER(LUP_RETURN_ALL), POINTER_OUT), .undo = end_lookup},
    {CALL(WSALookupServiceBeginW, FAILS_MINUS_ONE, lookup_errors, READS(query_wide),
          A_NUMBER(LUP_RETURN_ALL), POINTER_OUT), .undo = end_lookup},
    {CALL(WSALookupServiceNextA, FAILS_MINUS_ONE, lookup_errors, A_HANDLE(lookup), A_NUMBER(0),
          A_LENGTH_AT(4096), WRITES(4096))},
    {CALL(WSALookupServiceNextW, FAILS_MINUS_ONE, lookup_errors, A_HANDLE(lookup), A_NUMBER(0),
          A_LENGTH_AT(4096), WRITES(4096))},
    {CALL(WSALookupServiceEnd, FAILS_MINUS_ONE, lookup_errors, A_HANDLE(lookup))},
    {CALL(WSANSPIoctl, FAILS_MINUS_ONE, lookup_errors, A_HANDLE(lookup),
          A_NUMBER(SIO_NSP_NOTIFY_CHANGE), WRITES(8), A_LENGTH(8), WRITES(8), A_LENGTH(8),
          WRITES(sizeof(DWORD)), A_CONSTANT(0)), .refuses = WSAEOPNOTSUPP, .singles = TRUE},
    {CALL(WSASetServiceA, FAILS_MINUS_ONE, lookup_errors, READS(query),
          A_NUMBER(RNRSERVICE_REGISTER), A_NUMBER(0)), .refuses = WSAEOPNOTSUPP},
    {CALL(WSASetServiceW, FAILS_MINUS_ONE, lookup_errors, READS(query_wide),
          A_NUMBER(RNRSERVICE_REGISTER), A_NUMBER(0)), .refuses = WSAEOPNOTSUPP},
};
/* clang-format on */

/* A look-up with a result that nobody has taken yet */
static void begin_lookup(void)
{
    if (lookup)
        WSALookupServiceEnd(lookup);
    lookup = NULL;
    ok_success(WSALookupServiceBeginW(&query_wide, LUP_RETURN_ALL, &lookup));
}

static void test_names(void)
{
    hostile_walk_table(rows, ARRAYSIZE(rows), begin_lookup);
}

START_TEST(hostile_names)
{
    if (!hostile_begin(rows, ARRAYSIZE(rows), hostile_nothing))
        return;
    RUN(test_names);
    hostile_end(rows, ARRAYSIZE(rows), hostile_nothing);
}
