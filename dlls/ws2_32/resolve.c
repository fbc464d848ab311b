/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Name resolution, in neutral form.
 *
 * Owns: which names are answered here (numeric forms, "localhost", this machine) and which go to
 * the server, whose threads ask the host's resolver.  May call request_call and netdb; takes no
 * lock.
 */
#include "resolve.h"
#include "address.h"
#include "netdb.h"
#include "request.h"
#include "resolve_local.h"
#include "text.h"

#define NODE_MAX      1025 /* NI_MAXHOST, and what the server takes */
#define MAX_ADDRESSES 256

void resolve_free(struct resolved *result)
{
    free(result->addresses);
    free(result->canonical);
    memset(result, 0, sizeof(*result));
}

/* ---- numeric ---- */

static bool parse_numeric(const WCHAR *node, struct rs_addr *address)
{
    IN_ADDR in;
    IN6_ADDR in6;
    ULONG scope;
    USHORT port; /* "[::1]:80" is accepted and the port ignored, as recorded on Windows */
    WCHAR *end;

    memset(address, 0, sizeof(*address));
    if (RtlIpv4StringToAddressW(node, FALSE, &end, &in) >= 0 && !*end) {
        address->family = RS_AF_INET;
        memcpy(address->bytes, &in, sizeof(in));
        return true;
    }
    if (RtlIpv6StringToAddressExW(node, &in6, &scope, &port) >= 0) {
        address->family = RS_AF_INET6;
        address->scope_id = scope;
        memcpy(address->bytes, &in6, sizeof(in6));
        return true;
    }
    return false;
}

static void map_to_ipv6(struct rs_addr *address)
{
    uint8_t in[4];

    memcpy(in, address->bytes, sizeof(in));
    memset(address, 0, sizeof(*address));
    address->family = RS_AF_INET6;
    address->bytes[10] = address->bytes[11] = 0xff;
    memcpy(address->bytes + 12, in, sizeof(in));
}

/* A literal of the family that was not asked for is a name that does not exist. */
static DWORD add_numeric(struct resolved *result, struct rs_addr *address, int family, DWORD flags)
{
    if (family == AF_INET && address->family == RS_AF_INET6)
        return WSAHOST_NOT_FOUND;
    if (family == AF_INET6 && address->family == RS_AF_INET) {
        if (!(flags & AI_V4MAPPED))
            return WSAHOST_NOT_FOUND;
        map_to_ipv6(address);
    }
    return resolve_add(result, address);
}

/* ---- by the server ---- */

static bool is_loopback6(const struct rs_addr *address)
{
    static const uint8_t one[16] = {[15] = 1};

    return !memcmp(address->bytes, one, sizeof(one));
}

/* The addresses of a reply.  Without a global IPv6 address Windows does not even ask for AAAA
 * records (recorded by Wine's tests), so there is nothing but A records then. */
static DWORD take_addresses(const struct rs_addr *addresses, uint32_t count, bool map,
                            struct resolved *result)
{
    bool checked = false, global = true;
    DWORD error = 0;

    for (uint32_t i = 0; i < count && !error; i++) {
        struct rs_addr address = addresses[i];

        if (address.family == RS_AF_INET6 && !is_loopback6(&address)) {
            if (!checked)
                global = resolve_has_global_ipv6();
            checked = true;
            if (!global)
                continue;
        }
        if (map && address.family == RS_AF_INET)
            map_to_ipv6(&address);
        address.port = 0;
        error = resolve_add(result, &address);
    }
    return error;
}

static DWORD ask_server(const char *node, uint32_t family, DWORD flags, bool map,
                        struct resolved *result)
{
    struct rs_resolve question = {.family = family, .node_len = (uint32_t)strlen(node)};
    const uint32_t size = MAX_ADDRESSES * sizeof(struct rs_addr) + NODE_MAX;
    struct request request = {.type = RS_SUB_RESOLVE, .can_block = true};
    uint32_t length, count;
    uint8_t *reply = malloc(size);
    DWORD error;

    if (!reply)
        return WSA_NOT_ENOUGH_MEMORY;
    if (flags & AI_CANONNAME)
        question.flags |= RS_AI_CANONNAME;
    if (flags & AI_FQDN)
        question.flags |= RS_AI_FQDN;
    if (flags & AI_ADDRCONFIG)
        question.flags |= RS_AI_ADDRCONFIG;
    request.payload = &question;
    request.payload_size = sizeof(question);
    request.payload2 = node;
    request.payload2_size = question.node_len;
    request.reply = reply;
    request.reply_size = size;
    error = request_call(&request);
    if (!error) {
        length = min(request.reply_length, size);
        count = min(request.value, length / (uint32_t)sizeof(struct rs_addr));
        error = take_addresses((const struct rs_addr *)reply, count, map, result);
        length -= count * (uint32_t)sizeof(struct rs_addr);
        if (length && request.value == count && !result->canonical)
            result->canonical =
                text_wide(CP_UTF8, (char *)reply + count * sizeof(struct rs_addr), (int)length);
    }
    free(reply);
    return error;
}

static DWORD ask_server_for_family(const char *node, int family, DWORD flags,
                                   struct resolved *result)
{
    bool map = family == AF_INET6 && flags & AI_V4MAPPED;
    uint32_t wanted = family == AF_INET6 ? RS_AF_INET6 : family == AF_INET ? RS_AF_INET : 0;
    DWORD error = ask_server(node, wanted, flags, false, result), error4;

    /* AI_V4MAPPED: "if a request for IPv6 addresses fails"; AI_ALL: both */
    if (map && (error || !result->count || flags & AI_ALL)) {
        error4 = ask_server(node, RS_AF_INET, flags, true, result);
        if (result->count)
            error = 0;
        else if (!error)
            error = error4;
    }
    if (!error && !result->count)
        error = WSANO_DATA;
    return error;
}

/* ---- names ---- */

/* The page: "If the pNodeName parameter contains an empty string, all registered addresses on the
 * local computer are returned"; the same for "..localmachine" and for the computer's name. */
static bool is_this_machine(const WCHAR *node, WCHAR name[HOST_NAME_MAX_CHARS])
{
    size_t length;

    if (resolve_host_name(name))
        name[0] = 0;
    if (!node[0] || !_wcsicmp(node, L"..localmachine"))
        return true;
    length = wcslen(name);
    return length && !_wcsnicmp(node, name, length) &&
           (!node[length] || (node[length] == '.' && !node[length + 1]));
}

/* GetAddrInfoW's page: since Windows 8 it has "support for IDN parsing applied to the name"; not with
 * AI_DISABLE_IDN_ENCODING.  What has no such form is asked for as it is: no server knows it. */
static char *name_to_ask(const WCHAR *node, DWORD flags)
{
    WCHAR ascii[HOST_NAME_MAX_CHARS];
    const WCHAR *c = node;
    int length;

    while (*c && *c < 0x80)
        c++;
    if (!*c || flags & AI_DISABLE_IDN_ENCODING)
        return text_narrow(CP_UTF8, node);
    length = IdnToAscii(0, node, -1, ascii, ARRAYSIZE(ascii));
    return text_narrow(CP_UTF8, length > 0 ? ascii : node);
}

static DWORD resolve_name(const WCHAR *node, int family, DWORD flags, struct resolved *result)
{
    WCHAR host[HOST_NAME_MAX_CHARS];
    DWORD error;
    char *utf8;

    if (!_wcsicmp(node, L"localhost")) {
        error = resolve_add_loopback(result, family, false);
        if (!error && flags & (AI_CANONNAME | AI_FQDN))
            result->canonical = _wcsdup(L"localhost");
        return error;
    }
    if (is_this_machine(node, host)) {
        error = resolve_add_interfaces(result, family);
        if (!error && flags & (AI_CANONNAME | AI_FQDN))
            result->canonical = _wcsdup(host);
        return error;
    }
    utf8 = name_to_ask(node, flags);
    if (!utf8)
        return WSA_NOT_ENOUGH_MEMORY;
    error = strlen(utf8) > NODE_MAX ? (DWORD)WSAHOST_NOT_FOUND
                                    : ask_server_for_family(utf8, family, flags, result);
    free(utf8);
    if (!error && flags & (AI_CANONNAME | AI_FQDN) && !result->canonical)
        result->canonical = _wcsdup(node);
    return error;
}

DWORD resolve_node(const WCHAR *node, int family, DWORD flags, struct resolved *result)
{
    struct rs_addr address;
    DWORD error;

    memset(result, 0, sizeof(*result));
    if (!node) {
        error = resolve_add_loopback(result, family, flags & AI_PASSIVE);
    } else if (parse_numeric(node, &address)) {
        error = add_numeric(result, &address, family, flags);
        if (!error && flags & AI_CANONNAME)
            result->canonical = _wcsdup(node);
    } else if (flags & AI_NUMERICHOST) {
        error = WSAHOST_NOT_FOUND;
    } else {
        error = resolve_name(node, family, flags, result);
    }
    if (!error && !result->count)
        error = WSANO_DATA;
    if (error)
        resolve_free(result);
    return error;
}

/* ---- services ---- */

DWORD resolve_service(const WCHAR *service, int type, DWORD flags, u_short *port)
{
    const char *protocol = type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : NULL;
    unsigned long number;
    char *name;
    WCHAR *end;
    bool found;

    *port = 0;
    if (!service || !*service)
        return 0;
    number = wcstoul(service, &end, 10);
    if (!*end && *service >= '0' && *service <= '9') {
        if (number > 65535)
            return WSATYPE_NOT_FOUND;
        *port = htons((u_short)number);
        return 0;
    }
    /* AI_NUMERICSERV: "must contain a ... numeric port number, otherwise the EAI_NONAME error" */
    if (flags & AI_NUMERICSERV)
        return WSAHOST_NOT_FOUND;
    name = text_narrow(CP_ACP, service);
    if (!name)
        return WSA_NOT_ENOUGH_MEMORY;
    found = netdb_port_of_service(name, protocol, port);
    free(name);
    return found ? 0 : WSATYPE_NOT_FOUND;
}

/* ---- the other direction ---- */

DWORD resolve_reverse(const struct rs_addr *address, bool required, WCHAR **name)
{
    struct request request = {.type = RS_SUB_REVERSE, .can_block = true};
    char reply[NODE_MAX];
    DWORD error;

    *name = NULL;
    request.arg[0] = required ? RS_REVERSE_NAME_REQUIRED : 0;
    request.payload = address;
    request.payload_size = sizeof(*address);
    request.reply = reply;
    request.reply_size = sizeof(reply);
    error = request_call(&request);
    if (error)
        return error;
    if (!request.reply_length || request.reply_length > sizeof(reply))
        return WSANO_RECOVERY;
    *name = text_wide(CP_UTF8, reply, (int)request.reply_length);
    return *name ? 0 : WSA_NOT_ENOUGH_MEMORY;
}

/* The host's own name; without a server the one that the prefix was made with. */
DWORD resolve_host_name(WCHAR name[HOST_NAME_MAX_CHARS])
{
    struct request request = {.type = RS_SUB_HOSTNAME};
    char reply[HOST_NAME_MAX_CHARS];
    DWORD size = HOST_NAME_MAX_CHARS;
    uint32_t length = 0;
    WCHAR *wide;

    request.reply = reply;
    request.reply_size = sizeof(reply) - 1;
    if (!request_call(&request))
        length = min(request.reply_length, request.reply_size);
    if (length) {
        wide = text_wide(CP_UTF8, reply, (int)length);
        if (!wide)
            return WSA_NOT_ENOUGH_MEMORY;
        wide[wcscspn(wide, L".")] = 0;
        wcscpy(name, wide);
        free(wide);
        if (name[0])
            return 0;
    }
    if (GetComputerNameExW(ComputerNamePhysicalDnsHostname, name, &size) && name[0])
        return 0;
    return WSAENETDOWN;
}
