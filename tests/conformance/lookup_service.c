/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSALookupServiceBegin, Next and End, WSANSPIoctl, WSASetService.
 * Sources: their pages, "Querying NLA" and "Notification from NLA"; "recorded" = what Wine's tests
 * found on Windows.  The built-in has stubs, so that each test ends where its query does not begin.
 */
#include "net.h"

#include <svcguid.h>

static GUID class_hostname = SVCID_HOSTNAME;
static GUID class_host = SVCID_INET_HOSTADDRBYNAME;
static GUID class_address = SVCID_INET_HOSTADDRBYINETSTRING;
static GUID class_service = SVCID_INET_SERVICEBYNAME;
static GUID class_http = SVCID_TCP(80);
static GUID class_domain_udp = SVCID_UDP(53);
static GUID class_nla = NLA_SERVICE_CLASS_GUID;
static GUID class_unknown = {0x12345678, 0x1234, 0x1234, {1, 2, 3, 4, 5, 6, 7, 8}};
static GUID tcpip_dns = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};

static union {
    WSAQUERYSETW set;
    WSAQUERYSETA ansi;
    char bytes[8192];
} buffer;

/* A query that begins, or NULL. */
static HANDLE begin(const WCHAR *name, GUID *class, DWORD name_space, DWORD flags)
{
    WSAQUERYSETW query = {.dwSize = sizeof(query),
                          .lpszServiceInstanceName = (WCHAR *)name,
                          .lpServiceClassId = class,
                          .dwNameSpace = name_space};
    HANDLE lookup = NULL;

    todo_wine ok(!WSALookupServiceBeginW(&query, flags, &lookup) && lookup, "error %d\n",
                 WSAGetLastError());
    return lookup;
}

/* The next result into the buffer: 0 or an error. */
static int next(HANDLE lookup, DWORD flags)
{
    DWORD size = sizeof(buffer);

    memset(&buffer, 0xcc, sizeof(buffer));
    return WSALookupServiceNextW(lookup, flags, &size, &buffer.set) ? WSAGetLastError() : 0;
}

static void end(HANDLE lookup)
{
    ok_success(WSALookupServiceEnd(lookup));
}

#define ok_next(lookup, flags, expected)                                       \
    do {                                                                       \
        int rt_next = next(lookup, flags);                                     \
        ok(rt_next == (expected), "got %d, expected %d\n", rt_next, expected); \
    } while (0)

static BOOL is_inside(const void *pointer)
{
    return (const char *)pointer > buffer.bytes &&
           (const char *)pointer < buffer.bytes + sizeof(buffer);
}

/* "WSAEFAULT" without a query or a handle (recorded); "dwSize: Must be set to
 * sizeof(WSAQUERYSET)". */
static void test_begin_errors(void)
{
    WSAQUERYSETW query = {0};
    HANDLE lookup;

    todo_wine
    {
        ok_error(WSALookupServiceBeginW(NULL, 0, &lookup), WSAEFAULT);
        ok_error(WSALookupServiceBeginW(&query, 0, NULL), WSAEFAULT);
        ok_error(WSALookupServiceBeginW(&query, 0, &lookup), WSAEINVAL);
    }
}

/* "WSA_INVALID_HANDLE: The specified Lookup handle is invalid." */
static void test_invalid_handle(void)
{
    DWORD size = sizeof(buffer);

    todo_wine
    {
        ok_error(WSALookupServiceEnd(NULL), WSA_INVALID_HANDLE);
        ok_error(WSALookupServiceNextW((HANDLE)0x7ffff0, 0, &size, &buffer.set),
                 WSA_INVALID_HANDLE);
        ok_error(
            WSANSPIoctl((HANDLE)0x7ffff0, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &size, NULL),
            WSA_INVALID_HANDLE);
    }
}

/* "WSASERVICE_NOT_FOUND: No such service is known." */
static void test_unknown_class(void)
{
    WSAQUERYSETW query = {.dwSize = sizeof(query), .lpServiceClassId = &class_unknown};
    HANDLE lookup;

    todo_wine ok_error(WSALookupServiceBeginW(&query, LUP_RETURN_ALL, &lookup),
                       WSASERVICE_NOT_FOUND);
}

/* "lpServiceClassId: (Required) The GUID corresponding to the service class." */
static void test_class_required(void)
{
    WSAQUERYSETW query = {.dwSize = sizeof(query), .dwNameSpace = NS_DNS};
    HANDLE lookup;

    todo_wine ok_error(WSALookupServiceBeginW(&query, LUP_RETURN_ALL, &lookup), WSAEINVAL);
}

/* "If a namespace does not support containers, and LUP_CONTAINERS is specified, it should simply
 * return WSANO_DATA." */
static void test_containers(void)
{
    WSAQUERYSETW query = {.dwSize = sizeof(query),
                          .lpszServiceInstanceName = (WCHAR *)L"localhost",
                          .lpServiceClassId = &class_host};
    HANDLE lookup;

    todo_wine ok_error(WSALookupServiceBeginW(&query, LUP_CONTAINERS, &lookup), WSANO_DATA);
}

/* "Referenced string contains service name", "an array of CSADDR_INFO structures, with one complete
 * transport address contained within each element". */
static void test_host(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_host, NS_ALL, LUP_RETURN_ALL);
    struct sockaddr_in *in;

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_ALL, 0);
    ok(buffer.set.dwSize == sizeof(buffer.set), "size %lu\n", buffer.set.dwSize);
    ok(!wcscmp(buffer.set.lpszServiceInstanceName, L"127.0.0.1"), "name %ls\n",
       buffer.set.lpszServiceInstanceName);
    ok(buffer.set.dwNumberOfCsAddrs == 1 && is_inside(buffer.set.lpcsaBuffer), "%lu addresses\n",
       buffer.set.dwNumberOfCsAddrs);
    in = (struct sockaddr_in *)buffer.set.lpcsaBuffer[0].RemoteAddr.lpSockaddr;
    ok(is_inside(in) && in->sin_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK),
       "another address\n");
    ok(buffer.set.lpcsaBuffer[0].RemoteAddr.iSockaddrLength == sizeof(*in), "length %d\n",
       buffer.set.lpcsaBuffer[0].RemoteAddr.iSockaddrLength);
    ok_next(lookup, LUP_RETURN_ALL, WSA_E_NO_MORE);
    ok_next(lookup, LUP_RETURN_ALL, WSA_E_NO_MORE);
    end(lookup);
}

/* "Namespace in which the service instance was found", "Identifies the specific namespace provider
 * that supplied this query result", "The GUID corresponding to the service class". */
static void test_origin(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_host, NS_DNS, LUP_RETURN_ALL);

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_ALL, 0);
    ok(buffer.set.dwNameSpace == NS_DNS, "name space %lu\n", buffer.set.dwNameSpace);
    ok(is_inside(buffer.set.lpNSProviderId) &&
           !memcmp(buffer.set.lpNSProviderId, &tcpip_dns, sizeof(GUID)),
       "another provider\n");
    ok(is_inside(buffer.set.lpServiceClassId) &&
           !memcmp(buffer.set.lpServiceClassId, &class_host, sizeof(GUID)),
       "another class\n");
    end(lookup);
}

/* LUP_RETURN_BLOB: for the host classes a hostent, with offsets instead of pointers. */
static void test_host_blob(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_host, NS_ALL, LUP_RETURN_BLOB);
    struct hostent *host;
    const char *base;
    SIZE_T list;

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_BLOB, 0);
    ok(is_inside(buffer.set.lpBlob) && is_inside(buffer.set.lpBlob->pBlobData), "no blob\n");
    host = (struct hostent *)buffer.set.lpBlob->pBlobData;
    base = (const char *)host;
    ok(host->h_addrtype == AF_INET && host->h_length == 4, "type %d, length %d\n", host->h_addrtype,
       host->h_length);
    ok((SIZE_T)host->h_name < buffer.set.lpBlob->cbSize &&
           !strcmp(base + (SIZE_T)host->h_name, "127.0.0.1"),
       "no name\n");
    list = (SIZE_T)host->h_addr_list;
    ok(list < buffer.set.lpBlob->cbSize, "no list\n");
    ok(*(const u_long *)(base + *(const SIZE_T *)(base + list)) == htonl(INADDR_LOOPBACK),
       "another address\n");
    end(lookup);
}

/* SVCID_HOSTNAME: what gethostname returns. */
static void test_own_name(void)
{
    HANDLE lookup = begin(NULL, &class_hostname, NS_DNS, LUP_RETURN_NAME);
    WCHAR name[256];

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_NAME, 0);
    ok_success(GetHostNameW(name, ARRAYSIZE(name)));
    ok(!wcscmp(buffer.set.lpszServiceInstanceName, name), "got %ls, expected %ls\n",
       buffer.set.lpszServiceInstanceName, name);
    end(lookup);
}

/* SVCID_INET_HOSTADDRBYINETSTRING: the host at an address. */
static void test_by_address(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_address, NS_ALL, LUP_RETURN_NAME | LUP_RETURN_BLOB);

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_NAME | LUP_RETURN_BLOB, 0);
    ok(buffer.set.lpszServiceInstanceName && buffer.set.lpszServiceInstanceName[0], "no name\n");
    end(lookup);
}

/* SVCID_INET_SERVICEBYNAME: a servent, for a name or a port with the protocol after a slash. */
static void test_service(void)
{
    static const WCHAR *const names[] = {L"http/tcp", L"80/tcp", L"http"};
    struct servent *service;
    HANDLE lookup;

    for (unsigned i = 0; i < ARRAYSIZE(names); i++) {
        lookup = begin(names[i], &class_service, NS_ALL, LUP_RETURN_NAME | LUP_RETURN_BLOB);
        if (!lookup)
            return;
        ok_next(lookup, LUP_RETURN_NAME | LUP_RETURN_BLOB, 0);
        ok(!wcscmp(buffer.set.lpszServiceInstanceName, L"http"), "%ls: name %ls\n", names[i],
           buffer.set.lpszServiceInstanceName);
        service = (struct servent *)buffer.set.lpBlob->pBlobData;
        ok(service->s_port == htons(80), "port %u\n", ntohs(service->s_port));
        ok(!strcmp((char *)service + (SIZE_T)service->s_proto, "tcp"), "another protocol\n");
        end(lookup);
    }
    lookup = begin(L"no-such-service/tcp", &class_service, NS_ALL, LUP_RETURN_BLOB);
    ok_next(lookup, LUP_RETURN_BLOB, WSANO_DATA);
    end(lookup);
}

/* The well-known services of svcguid.h: a host's addresses with that port and its protocol. */
static void test_port(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_http, NS_ALL, LUP_RETURN_ADDR);
    CSADDR_INFO *info;

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_ADDR, 0);
    info = buffer.set.lpcsaBuffer;
    ok(buffer.set.dwNumberOfCsAddrs == 1 && info->iSocketType == SOCK_STREAM &&
           info->iProtocol == IPPROTO_TCP,
       "%lu addresses, type %d, protocol %d\n", buffer.set.dwNumberOfCsAddrs, info->iSocketType,
       info->iProtocol);
    ok(((struct sockaddr_in *)info->RemoteAddr.lpSockaddr)->sin_port == htons(80),
       "another port\n");
    end(lookup);

    lookup = begin(L"127.0.0.1", &class_domain_udp, NS_ALL, LUP_RETURN_ADDR);
    ok_next(lookup, LUP_RETURN_ADDR, 0);
    info = buffer.set.lpcsaBuffer;
    ok(info->iSocketType == SOCK_DGRAM && info->iProtocol == IPPROTO_UDP, "type %d, protocol %d\n",
       info->iSocketType, info->iProtocol);
    ok(((struct sockaddr_in *)info->RemoteAddr.lpSockaddr)->sin_port == htons(53),
       "another port\n");
    end(lookup);
}

/* "Only services that utilize these protocols will be returned." */
static void test_protocols(void)
{
    AFPROTOCOLS protocols = {AF_INET, IPPROTO_UDP};
    WSAQUERYSETW query = {.dwSize = sizeof(query),
                          .lpszServiceInstanceName = (WCHAR *)L"127.0.0.1",
                          .lpServiceClassId = &class_host,
                          .dwNumberOfProtocols = 1,
                          .lpafpProtocols = &protocols};
    HANDLE lookup = NULL;

    todo_wine ok(!WSALookupServiceBeginW(&query, LUP_RETURN_ADDR, &lookup), "error %d\n",
                 WSAGetLastError());
    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_ADDR, 0);
    ok(buffer.set.lpcsaBuffer->iSocketType == SOCK_DGRAM &&
           buffer.set.lpcsaBuffer->iProtocol == IPPROTO_UDP,
       "type %d, protocol %d\n", buffer.set.lpcsaBuffer->iSocketType,
       buffer.set.lpcsaBuffer->iProtocol);
    end(lookup);
    protocols.iAddressFamily = AF_IPX;
    ok_error(WSALookupServiceBeginW(&query, LUP_RETURN_ADDR, &lookup), WSANO_DATA);
}

/* "if the function fails and the error is WSAEFAULT, then it contains the minimum number of bytes
 * to pass for the lpqsResults to retrieve the record" */
static void test_small_buffer(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_host, NS_ALL, LUP_RETURN_ALL);
    DWORD size = sizeof(WSAQUERYSETW), needed;

    if (!lookup)
        return;
    ok_error(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &buffer.set), WSAEFAULT);
    ok(size > sizeof(WSAQUERYSETW) && size < sizeof(buffer), "needs %lu\n", size);
    needed = size--;
    ok_error(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &buffer.set), WSAEFAULT);
    ok(size == needed, "needs %lu, before %lu\n", size, needed);
    ok_success(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &buffer.set));
    end(lookup);
}

/* "LUP_FLUSHPREVIOUS instructs the provider to discard the last result set ... and move on to the
 * next set for this call." */
static void test_flush(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_host, NS_ALL, LUP_RETURN_ALL);
    DWORD size = 1;

    if (!lookup)
        return;
    ok_error(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &size, &buffer.set), WSAEFAULT);
    ok_next(lookup, LUP_RETURN_ALL | LUP_FLUSHPREVIOUS, WSA_E_NO_MORE);
    end(lookup);
}

/* "the flags at WSALookupServiceNext can never increase the amount of data returned beyond what was
 * requested at WSALookupServiceBegin" */
static void test_flags(void)
{
    HANDLE lookup = begin(L"127.0.0.1", &class_host, NS_ALL, LUP_RETURN_NAME);

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_ALL, 0);
    ok(buffer.set.lpszServiceInstanceName && !buffer.set.lpcsaBuffer && !buffer.set.lpBlob &&
           !buffer.set.lpServiceClassId && !buffer.set.dwNumberOfCsAddrs,
       "more than was asked for\n");
    end(lookup);
    lookup = begin(L"127.0.0.1", &class_host, NS_ALL, LUP_RETURN_ALL);
    ok_next(lookup, LUP_RETURN_ADDR, 0);
    ok(!buffer.set.lpszServiceInstanceName && buffer.set.lpcsaBuffer && !buffer.set.lpBlob,
       "more than was asked for\n");
    end(lookup);
}

/* LUP_RETURN_ALIASES: "each alias returned will have the RESULT_IS_ALIAS flag set" */
static void test_aliases(void)
{
    HANDLE lookup = begin(L"http", &class_service, NS_ALL, LUP_RETURN_NAME | LUP_RETURN_ALIASES);
    int aliases = 0;

    if (!lookup)
        return;
    ok_next(lookup, LUP_RETURN_NAME, 0);
    ok(!(buffer.set.dwOutputFlags & RESULT_IS_ALIAS), "the first is an alias\n");
    while (!next(lookup, LUP_RETURN_NAME)) {
        ok(buffer.set.dwOutputFlags & RESULT_IS_ALIAS, "%ls is none\n",
           buffer.set.lpszServiceInstanceName);
        aliases++;
    }
    ok(aliases >= 1, "no alias of http\n");
    end(lookup);
}

/* An error of the provider is that of the first WSALookupServiceNext. */
static void test_no_such_host(void)
{
    HANDLE lookup = begin(L"no-such-host.invalid", &class_host, NS_DNS, LUP_RETURN_ALL);
    int error;

    if (!lookup)
        return;
    error = next(lookup, LUP_RETURN_ALL);
    ok(error == WSAHOST_NOT_FOUND || error == WSATRY_AGAIN, "got %d\n", error);
    end(lookup);
}

/* The ANSI form: strings of that kind both ways. */
static void test_ansi(void)
{
    WSAQUERYSETA query = {.dwSize = sizeof(query),
                          .lpszServiceInstanceName = (char *)"http/tcp",
                          .lpServiceClassId = &class_service};
    DWORD size = sizeof(buffer);
    HANDLE lookup = NULL;

    todo_wine ok(!WSALookupServiceBeginA(&query, LUP_RETURN_NAME, &lookup), "error %d\n",
                 WSAGetLastError());
    if (!lookup)
        return;
    ok_success(WSALookupServiceNextA(lookup, LUP_RETURN_NAME, &size, &buffer.ansi));
    ok(!strcmp(buffer.ansi.lpszServiceInstanceName, "http"), "name %s\n",
       buffer.ansi.lpszServiceInstanceName);
    end(lookup);
}

/* The standard network list query, without a class, begins and ends (recorded); "continue calling
 * WSALookupServiceNext until WSA_E_NO_MORE is returned". */
static void test_networks(void)
{
    HANDLE lookup = begin(NULL, NULL, NS_ALL, LUP_RETURN_ALL | LUP_DEEP);
    NLA_BLOB *blob;
    int error, count = 0;

    if (!lookup)
        return;
    while (!(error = next(lookup, 0)) && count++ < 100) {
        ok(buffer.set.dwNameSpace == NS_NLA, "name space %lu\n", buffer.set.dwNameSpace);
        ok(buffer.set.lpServiceClassId &&
               !memcmp(buffer.set.lpServiceClassId, &class_nla, sizeof(GUID)),
           "another class\n");
        ok(buffer.set.lpszServiceInstanceName && buffer.set.lpszServiceInstanceName[0],
           "no name\n");
        /* "These NLA_BLOB structures may be chained, and can be enumerated by traversing the list
         * while NLA_BLOB.header.nextOffset is nonzero." */
        blob = (NLA_BLOB *)buffer.set.lpBlob->pBlobData;
        ok(blob->header.type == NLA_INTERFACE && blob->data.interfaceData.adapterName[0],
           "type %d\n", blob->header.type);
        ok(blob->header.nextOffset && blob->header.nextOffset < buffer.set.lpBlob->cbSize,
           "next at %lu\n", blob->header.nextOffset);
        blob = (NLA_BLOB *)(buffer.set.lpBlob->pBlobData + blob->header.nextOffset);
        ok(blob->header.type == NLA_CONNECTIVITY && !blob->header.nextOffset, "type %d\n",
           blob->header.type);
    }
    ok(error == WSA_E_NO_MORE, "got %d\n", error);
    end(lookup);
}

/* "If the query set remains valid, WSAEWOULDBLOCK is returned as notification that the query set
 * remains valid." */
static void test_poll_change(void)
{
    WSACOMPLETION now = {.Type = NSP_NOTIFY_IMMEDIATELY};
    HANDLE lookup = begin(NULL, &class_nla, NS_NLA, LUP_RETURN_ALL);
    DWORD returned;

    if (!lookup)
        return;
    ok_error(WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &returned, NULL),
             WSAEWOULDBLOCK);
    ok_error(WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &returned, &now),
             WSAEWOULDBLOCK);
    while (!next(lookup, LUP_RETURN_ALL))
        ;
    /* "If no changes have occurred since the previous WSA_E_NO_MORE, WSA_E_NO_MORE is returned." */
    ok_next(lookup, LUP_RETURN_ALL, WSA_E_NO_MORE);
    end(lookup);
}

/* "To cancel an asynchronous notification request, end the original query ...  notification will be
 * delivered with the error WSA_OPERATION_ABORTED." */
static void test_notify_event(void)
{
    WSAOVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    WSACOMPLETION completion = {.Type = NSP_NOTIFY_EVENT,
                                .Parameters.Event.lpOverlapped = &overlapped};
    HANDLE lookup = begin(NULL, &class_nla, NS_NLA, LUP_RETURN_ALL);
    DWORD returned;

    if (!lookup)
        return;
    ok_error(WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &returned, &completion),
             WSA_IO_PENDING);
    ok(WaitForSingleObject(overlapped.hEvent, 100) == WAIT_TIMEOUT, "set at once\n");
    end(lookup);
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "not set\n");
    ok(overlapped.Internal == WSA_OPERATION_ABORTED, "status %lu\n", (DWORD)overlapped.Internal);
    CloseHandle(overlapped.hEvent);
}

/* The same by completion port. */
static void test_notify_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    WSAOVERLAPPED overlapped = {0}, *got = NULL;
    WSACOMPLETION completion = {.Type = NSP_NOTIFY_PORT,
                                .Parameters.Port = {&overlapped, port, 0x1234}};
    HANDLE lookup = begin(NULL, &class_nla, NS_NLA, LUP_RETURN_ALL);
    DWORD returned, bytes;
    ULONG_PTR key = 0;

    if (!lookup)
        return;
    ok_error(WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &returned, &completion),
             WSA_IO_PENDING);
    end(lookup);
    GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE);
    ok(got == &overlapped && key == 0x1234, "got %p, key %#lx\n", (void *)got, (long)key);
    CloseHandle(port);
}

static LONG routine_calls;
static DWORD routine_error;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    (void)bytes, (void)overlapped, (void)flags;
    routine_error = error;
    routine_calls++;
}

/* The same by completion routine, in an alertable wait of the thread that asked. */
static void test_notify_routine(void)
{
    WSAOVERLAPPED overlapped = {0};
    WSACOMPLETION completion = {.Type = NSP_NOTIFY_APC, .Parameters.Apc = {&overlapped, routine}};
    HANDLE lookup = begin(NULL, &class_nla, NS_NLA, LUP_RETURN_ALL);
    DWORD returned;

    if (!lookup)
        return;
    ok_error(WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &returned, &completion),
             WSA_IO_PENDING);
    end(lookup);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no routine\n");
    ok(routine_calls == 1 && routine_error == WSA_OPERATION_ABORTED, "%ld calls, error %lu\n",
       routine_calls, routine_error);
}

/* "WSAEOPNOTSUPP: ... the namespace provider does not implement this function.  This error can also
 * be returned if the specified dwControlCode is an unrecognized command." */
static void test_control_refused(void)
{
    HANDLE lookup = begin(L"localhost", &class_host, NS_DNS, LUP_RETURN_ALL);
    DWORD returned;

    if (!lookup)
        return;
    ok_error(WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &returned, NULL),
             WSAEOPNOTSUPP);
    end(lookup);
    lookup = begin(NULL, &class_nla, NS_NLA, LUP_RETURN_ALL);
    ok_error(WSANSPIoctl(lookup, 0xdead, NULL, 0, NULL, 0, &returned, NULL), WSAEOPNOTSUPP);
    end(lookup);
}

/* WSASetService: neither provider takes registrations, and none claims to. */
static void test_set_service(void)
{
    WSAQUERYSETW query = {.dwSize = sizeof(query),
                          .lpszServiceInstanceName = (WCHAR *)L"x",
                          .lpServiceClassId = &class_http,
                          .dwNameSpace = NS_DNS};
    WSAQUERYSETA ansi = {.dwSize = sizeof(ansi),
                         .lpszServiceInstanceName = (char *)"x",
                         .lpServiceClassId = &class_http,
                         .dwNameSpace = 0xdead};

    todo_wine
    {
        ok_error(WSASetServiceW(NULL, RNRSERVICE_REGISTER, 0), WSAEFAULT);
        ok(WSASetServiceW(&query, RNRSERVICE_REGISTER, 0) == SOCKET_ERROR, "succeeded\n");
        ok_error(WSASetServiceA(&ansi, RNRSERVICE_REGISTER, 0), WSASERVICE_NOT_FOUND);
    }
}

/* "WSANOTINITIALISED" */
static void test_not_started(void)
{
    WSAQUERYSETW query = {.dwSize = sizeof(query)};
    HANDLE lookup;

    todo_wine ok_error(WSALookupServiceBeginW(&query, 0, &lookup), WSANOTINITIALISED);
}

START_TEST(lookup_service)
{
    RUN(test_not_started);
    net_start();
    RUN(test_begin_errors);
    RUN(test_invalid_handle);
    RUN(test_unknown_class);
    RUN(test_class_required);
    RUN(test_containers);
    RUN(test_host);
    RUN(test_origin);
    RUN(test_host_blob);
    RUN(test_own_name);
    RUN(test_by_address);
    RUN(test_service);
    RUN(test_port);
    RUN(test_protocols);
    RUN(test_small_buffer);
    RUN(test_flush);
    RUN(test_flags);
    RUN(test_aliases);
    RUN(test_no_such_host);
    RUN(test_ansi);
    RUN(test_networks);
    RUN(test_poll_change);
    RUN(test_notify_event);
    RUN(test_notify_port);
    RUN(test_notify_routine);
    RUN(test_control_refused);
    RUN(test_set_service);
    WSACleanup();
}
