/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name space NS_DNS: hosts, this machine, services, by the classes of svcguid.h.
 *
 * Asks what gethostbyname and its kin ask, when the first result is wanted.  Their answers go into
 * the result's blob with offsets in place of pointers, as Windows' provider writes them and its
 * gethostbyname reads them.  Takes no lock.
 */
#include "name_provider.h"
#include "name_spaces.h"
#include "packing.h"
#include "resolve.h"
#include "sockaddr.h"
#include "text.h"

#include <svcguid.h>

static const GUID class_hostname = SVCID_HOSTNAME;
static const GUID class_address_by_name = SVCID_INET_HOSTADDRBYNAME;
static const GUID class_name_by_address = SVCID_INET_HOSTADDRBYINETSTRING;
static const GUID class_service = SVCID_INET_SERVICEBYNAME;

#define DNS_TYPE_A    1
#define DNS_TYPE_AAAA 28

enum question {
    ASK_NOTHING,
    ASK_OWN_NAME, /* gethostname */
    ASK_HOST,     /* gethostbyname */
    ASK_ADDRESS,  /* gethostbyaddr */
    ASK_SERVICE,  /* getservbyname, getservbyport */
    ASK_PORT,     /* a host and a well-known port: all families */
};

struct dns_stream {
    const WSAQUERYSETW *query;
    DWORD flags;
    enum question question;
    int family, type, protocol; /* of the addresses; 0: any */
    u_short port;
    DWORD error;
    bool asked;
    struct name_results results;
};

static bool is_class(const GUID *class, const GUID *one)
{
    return !memcmp(class, one, sizeof(*one));
}

static enum question classify_port(const GUID *class, struct dns_stream *stream)
{
    /* svcguid.h: SVCID_DNS(record type) is a TCP class with the type in Data3 */
    if (IS_SVCID_DNS(class) && class->Data3) {
        stream->family = class->Data3 == DNS_TYPE_AAAA ? AF_INET6 : AF_INET;
        return class->Data3 == DNS_TYPE_A || class->Data3 == DNS_TYPE_AAAA ? ASK_PORT : ASK_NOTHING;
    }
    stream->type = IS_SVCID_TCP(class) ? SOCK_STREAM : SOCK_DGRAM;
    stream->protocol = IS_SVCID_TCP(class) ? IPPROTO_TCP : IPPROTO_UDP;
    stream->port = htons((u_short)(class->Data1 & 0xffff));
    return ASK_PORT;
}

static enum question classify(const GUID *class, struct dns_stream *stream)
{
    if (is_class(class, &class_hostname))
        return ASK_OWN_NAME;
    if (is_class(class, &class_address_by_name))
        return ASK_HOST;
    if (is_class(class, &class_name_by_address))
        return ASK_ADDRESS;
    if (is_class(class, &class_service))
        return ASK_SERVICE;
    return IS_SVCID_TCP(class) || IS_SVCID_UDP(class) ? classify_port(class, stream) : ASK_NOTHING;
}

/* "Only services that utilize these protocols will be returned."  Any pair that is no Internet
 * protocol is left out; false if none is left. */
static bool apply_protocols(const WSAQUERYSETW *query, struct dns_stream *stream)
{
    bool any = !query->dwNumberOfProtocols || !query->lpafpProtocols;

    for (DWORD i = 0; !any && i < query->dwNumberOfProtocols; i++) {
        const AFPROTOCOLS *wanted = &query->lpafpProtocols[i];
        bool ip = wanted->iAddressFamily == AF_INET || wanted->iAddressFamily == AF_INET6 ||
                  wanted->iAddressFamily == AF_UNSPEC;
        bool fits =
            wanted->iProtocol == 0 || !stream->protocol || wanted->iProtocol == stream->protocol;

        if (!ip || !fits)
            continue;
        any = true;
        if (query->dwNumberOfProtocols > 1)
            continue;
        stream->family = wanted->iAddressFamily;
        if (wanted->iProtocol && !stream->protocol) {
            stream->protocol = wanted->iProtocol;
            stream->type = wanted->iProtocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
        }
    }
    return any;
}

static DWORD dns_begin(const struct name_space *self, const WSAQUERYSETW *query, DWORD flags,
                       void **state)
{
    struct dns_stream *stream, parsed = {.query = query, .flags = flags};
    bool only = query->dwNameSpace == NS_DNS || query->lpNSProviderId;

    (void)self;
    if (!query->lpServiceClassId) /* "(Required) The GUID corresponding to the service class" */
        return only ? WSAEINVAL : WSASERVICE_NOT_FOUND;
    parsed.question = classify(query->lpServiceClassId, &parsed);
    if (parsed.question == ASK_NOTHING)
        return WSASERVICE_NOT_FOUND;
    /* "If a namespace does not support containers ... it should simply return WSANO_DATA" */
    if (flags & LUP_CONTAINERS)
        return WSANO_DATA;
    if (!apply_protocols(query, &parsed))
        return WSANO_DATA;
    if (!(stream = malloc(sizeof(*stream))))
        return WSA_NOT_ENOUGH_MEMORY;
    *stream = parsed;
    *state = stream;
    return 0;
}

/* ---- results ---- */

/* What every result of this provider says. */
static WSAQUERYSETW blank_result(const struct dns_stream *stream, WCHAR *name)
{
    WSAQUERYSETW result = {.dwSize = sizeof(result), .dwNameSpace = NS_DNS};

    result.lpszServiceInstanceName = name;
    result.lpServiceClassId = stream->query->lpServiceClassId;
    result.lpNSProviderId = (GUID *)&dns_provider;
    return result;
}

static DWORD add(struct dns_stream *stream, const WSAQUERYSETW *result)
{
    return name_results_add(&stream->results, result);
}

/* RESULT_IS_ALIAS, "in successive calls" */
static DWORD add_aliases(struct dns_stream *stream, char *const *aliases)
{
    DWORD error = 0;

    if (!(stream->flags & LUP_RETURN_ALIASES))
        return 0;
    for (; aliases && *aliases && !error; aliases++) {
        WCHAR *alias = text_wide(CP_ACP, *aliases, -1);
        WSAQUERYSETW result = blank_result(stream, alias);

        result.dwOutputFlags = RESULT_IS_ALIAS;
        error = alias ? add(stream, &result) : (DWORD)WSA_NOT_ENOUGH_MEMORY;
        free(alias);
    }
    return error;
}

static BLOB make_blob(struct packing *packing)
{
    return (BLOB){(ULONG)packing->used, (BYTE *)packing->memory};
}

static BLOB host_blob(const struct hostent *host)
{
    struct packing packing = {NULL, NULL, 0};

    packing_host(&packing, host);
    packing.memory = calloc(1, packing.used);
    packing.used = 0;
    packing_host(&packing, host);
    return make_blob(&packing);
}

static BLOB service_blob(const struct servent *service)
{
    struct packing packing = {NULL, NULL, 0};

    packing_service(&packing, service);
    packing.memory = calloc(1, packing.used);
    packing.used = 0;
    packing_service(&packing, service);
    return make_blob(&packing);
}

/* One address of a result: where it is, and "the other part needs to be usable in either case". */
struct full_address {
    struct sockaddr_in6 local, remote;
};

static void fill_address(const struct dns_stream *stream, const struct rs_addr *address,
                         struct full_address *full, CSADDR_INFO *info)
{
    struct rs_addr with_port = *address;
    int length;

    with_port.port = stream->port;
    memset(full, 0, sizeof(*full));
    length = sockaddr_from_wire(&full->remote, &with_port);
    full->local.sin6_family = full->remote.sin6_family;
    info->LocalAddr = (SOCKET_ADDRESS){(SOCKADDR *)&full->local, length};
    info->RemoteAddr = (SOCKET_ADDRESS){(SOCKADDR *)&full->remote, length};
    info->iSocketType = stream->type ? stream->type : SOCK_STREAM;
    info->iProtocol = stream->protocol ? stream->protocol : IPPROTO_TCP;
}

static DWORD add_addresses(struct dns_stream *stream, WSAQUERYSETW *result,
                           const struct rs_addr *addresses, uint32_t count)
{
    struct full_address *full = calloc(count + 1, sizeof(*full));
    CSADDR_INFO *infos = calloc(count + 1, sizeof(*infos));
    DWORD error = WSA_NOT_ENOUGH_MEMORY;

    if (full && infos) {
        for (uint32_t i = 0; i < count; i++)
            fill_address(stream, &addresses[i], &full[i], &infos[i]);
        result->dwNumberOfCsAddrs = count;
        result->lpcsaBuffer = infos;
        error = add(stream, result);
    }
    free(full);
    free(infos);
    return error;
}

/* ---- questions ---- */

static DWORD ask_own_name(struct dns_stream *stream)
{
    WCHAR name[HOST_NAME_MAX_CHARS];
    WSAQUERYSETW result = blank_result(stream, name);
    struct resolved own;
    DWORD error = resolve_host_name(name);

    if (error)
        return error;
    if (resolve_node(L"", stream->family, 0, &own))
        return add(stream, &result);
    error = add_addresses(stream, &result, own.addresses, own.count);
    resolve_free(&own);
    return error;
}

static DWORD add_host(struct dns_stream *stream, const struct hostent *host)
{
    WCHAR *name = text_wide(CP_ACP, host->h_name, -1);
    WSAQUERYSETW result = blank_result(stream, name);
    struct rs_addr addresses[64] = {{0}};
    BLOB blob = host_blob(host);
    uint32_t count = 0;
    DWORD error = WSA_NOT_ENOUGH_MEMORY;

    for (; host->h_addr_list[count] && count < ARRAYSIZE(addresses); count++) {
        addresses[count].family = host->h_addrtype == AF_INET6 ? RS_AF_INET6 : RS_AF_INET;
        memcpy(addresses[count].bytes, host->h_addr_list[count], (size_t)host->h_length);
    }
    if (name && blob.pBlobData) {
        result.lpBlob = &blob;
        error = add_addresses(stream, &result, addresses, count);
        if (!error)
            error = add_aliases(stream, host->h_aliases);
    }
    free(blob.pBlobData);
    free(name);
    return error;
}

static DWORD ask_host(struct dns_stream *stream, const char *name)
{
    const struct hostent *host = gethostbyname(name);

    return host ? add_host(stream, host) : GetLastError();
}

static DWORD ask_address(struct dns_stream *stream, const char *name)
{
    const struct hostent *host = NULL;
    IN6_ADDR in6;
    IN_ADDR in;

    if (inet_pton(AF_INET, name, &in) == 1)
        host = gethostbyaddr((char *)&in, sizeof(in), AF_INET);
    else if (inet_pton(AF_INET6, name, &in6) == 1)
        host = gethostbyaddr((char *)&in6, sizeof(in6), AF_INET6);
    else
        return WSAEINVAL;
    return host ? add_host(stream, host) : GetLastError();
}

/* "http/tcp", "80/tcp", or without a protocol. */
static DWORD ask_service(struct dns_stream *stream, char *text)
{
    const struct servent *service;
    WSAQUERYSETW result;
    char *slash = strchr(text, '/'), *end;
    long port;
    WCHAR *name;
    BLOB blob;
    DWORD error;

    if (slash)
        *slash++ = 0;
    port = strtol(text, &end, 10);
    service =
        *text && !*end ? getservbyport(htons((u_short)port), slash) : getservbyname(text, slash);
    if (!service)
        return GetLastError();
    name = text_wide(CP_ACP, service->s_name, -1);
    blob = service_blob(service);
    result = blank_result(stream, name);
    result.lpBlob = &blob;
    error = name && blob.pBlobData ? add(stream, &result) : (DWORD)WSA_NOT_ENOUGH_MEMORY;
    if (!error)
        error = add_aliases(stream, service->s_aliases);
    free(blob.pBlobData);
    free(name);
    return error;
}

static DWORD ask_port(struct dns_stream *stream, const WCHAR *node)
{
    struct resolved found;
    DWORD error = resolve_node(node, stream->family, AI_CANONNAME, &found);
    WSAQUERYSETW result;

    if (error)
        return error;
    result = blank_result(stream, found.canonical ? found.canonical : (WCHAR *)node);
    error = add_addresses(stream, &result, found.addresses, found.count);
    resolve_free(&found);
    return error;
}

static DWORD ask(struct dns_stream *stream)
{
    const WCHAR *wide = stream->query->lpszServiceInstanceName;
    DWORD error = WSA_NOT_ENOUGH_MEMORY;
    char *name;

    if (!wide)
        wide = L"";
    if (stream->question == ASK_OWN_NAME)
        return ask_own_name(stream);
    if (stream->question == ASK_PORT)
        return ask_port(stream, wide);
    if (!(name = text_narrow(CP_ACP, wide)))
        return error;
    if (stream->question == ASK_HOST)
        error = ask_host(stream, name);
    else if (stream->question == ASK_ADDRESS)
        error = ask_address(stream, name);
    else
        error = ask_service(stream, name);
    free(name);
    return error;
}

/* ---- the provider ---- */

static DWORD dns_peek(void *state, const WSAQUERYSETW **result)
{
    struct dns_stream *stream = state;

    if (!stream->asked) {
        stream->asked = true;
        stream->error = ask(stream);
    }
    if (stream->error)
        return stream->error;
    return name_results_peek(&stream->results, result);
}

static void dns_advance(void *state)
{
    struct dns_stream *stream = state;

    stream->results.next++;
}

static void dns_end(void *state)
{
    struct dns_stream *stream = state;

    name_results_free(&stream->results);
    free(stream);
}

const struct name_provider dns_name_provider = {dns_begin, dns_peek, dns_advance, dns_end, NULL};
