/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name space NS_NLA: the networks of this machine, and their changes.
 * Sources: the pages "Querying NLA" and "Notification from NLA".  Takes no lock.
 */
#include "name_provider.h"
#include "name_spaces.h"
#include "network_watch.h"
#include "networks.h"
#include "window_post.h"

static const GUID nla_class = NLA_SERVICE_CLASS_GUID;

struct nla_stream {
    const WSAQUERYSETW *query;
    struct network_list known; /* what has been told, or is being told */
    struct name_results results;
    bool watching; /* WSANSPIoctl was called: changes are told after the end */
    struct network_watch *watch;
};

/* ---- results ---- */

/* Two structures behind each other: the interface, and what it connects to. */
static BYTE *make_blob(const struct network *network, ULONG *size)
{
    size_t name = strlen(network->adapter) + 1;
    size_t first = (offsetof(NLA_BLOB, data.interfaceData.adapterName) + name + 3) & ~(size_t)3;
    size_t second = offsetof(NLA_BLOB, data) + sizeof(((NLA_BLOB *)0)->data.connectivity);
    BYTE *blob = calloc(1, first + sizeof(NLA_BLOB));
    NLA_BLOB *part = (NLA_BLOB *)blob;

    if (!blob)
        return NULL;
    part->header.type = NLA_INTERFACE;
    part->header.dwSize = (DWORD)first;
    part->header.nextOffset = (DWORD)first;
    part->data.interfaceData.dwType = network->type;
    part->data.interfaceData.dwSpeed = network->speed;
    memcpy(part->data.interfaceData.adapterName, network->adapter, name);
    part = (NLA_BLOB *)(blob + first);
    part->header.type = NLA_CONNECTIVITY;
    part->header.dwSize = (DWORD)second;
    part->data.connectivity.type = NLA_NETWORK_UNMANAGED;
    part->data.connectivity.internet = network->gateway ? NLA_INTERNET_UNKNOWN : NLA_INTERNET_NO;
    *size = (ULONG)(first + second);
    return blob;
}

static bool is_meant(const struct nla_stream *stream, const struct network *network)
{
    const WCHAR *name = stream->query->lpszServiceInstanceName;

    return !name || !*name || !_wcsicmp(name, network->name);
}

static DWORD add(struct nla_stream *stream, const struct network *network, DWORD output_flags)
{
    WSAQUERYSETW result = {.dwSize = sizeof(result),
                           .lpszServiceInstanceName = (WCHAR *)network->name,
                           .lpServiceClassId = (GUID *)&nla_class,
                           .lpszComment = (WCHAR *)network->comment,
                           .dwNameSpace = NS_NLA,
                           .lpNSProviderId = (GUID *)&nla_provider,
                           .dwOutputFlags = output_flags};
    BLOB blob;
    DWORD error;

    if (!is_meant(stream, network))
        return 0;
    if (!(blob.pBlobData = make_blob(network, &blob.cbSize)))
        return WSA_NOT_ENOUGH_MEMORY;
    result.lpBlob = &blob;
    error = name_results_add(&stream->results, &result);
    free(blob.pBlobData);
    return error;
}

/* What has changed since `known`, which becomes what is now. */
static DWORD add_changes(struct nla_stream *stream)
{
    struct network_list now;
    DWORD error = networks_load(&now);

    for (size_t i = 0; i < now.count && !error; i++) {
        const struct network *network = &now.entries[i];
        const struct network *before = networks_find(&stream->known, network->adapter);

        if (!before)
            error = add(stream, network, RESULT_IS_ADDED);
        else if (before->state != network->state)
            error = add(stream, network, RESULT_IS_CHANGED);
    }
    for (size_t i = 0; i < stream->known.count && !error; i++)
        if (!networks_find(&now, stream->known.entries[i].adapter))
            error = add(stream, &stream->known.entries[i], RESULT_IS_DELETED);
    networks_free(&stream->known);
    stream->known = now;
    return error;
}

/* ---- the provider ---- */

static DWORD check(const WSAQUERYSETW *query, DWORD flags)
{
    /* "The lpServiceClassId parameter ... contains an invalid GUID" */
    if (query->lpServiceClassId && memcmp(query->lpServiceClassId, &nla_class, sizeof(GUID)))
        return WSASERVICE_NOT_FOUND;
    if (flags & LUP_CONTAINERS)
        return WSANO_DATA;
    /* "WSAEINVAL: ... parameters specified in the function call apply to protocols other than IP"
     */
    for (DWORD i = 0; query->lpafpProtocols && i < query->dwNumberOfProtocols; i++)
        if (query->lpafpProtocols[i].iAddressFamily != AF_INET &&
            query->lpafpProtocols[i].iAddressFamily != AF_INET6)
            return WSAEINVAL;
    return 0;
}

static void nla_end(void *state)
{
    struct nla_stream *stream = state;

    if (stream->watch)
        network_watch_end(stream->watch);
    name_results_free(&stream->results);
    networks_free(&stream->known);
    free(stream);
}

static DWORD nla_begin(const struct name_space *self, const WSAQUERYSETW *query, DWORD flags,
                       void **state)
{
    struct nla_stream *stream;
    DWORD error = check(query, flags);

    (void)self;
    if (error)
        return error;
    if (!(stream = calloc(1, sizeof(*stream))))
        return WSA_NOT_ENOUGH_MEMORY;
    stream->query = query;
    error = networks_load(&stream->known);
    for (size_t i = 0; i < stream->known.count && !error; i++)
        error = add(stream, &stream->known.entries[i], 0);
    if (error)
        nla_end(stream);
    else
        *state = stream;
    return error;
}

/* "calling WSALookupServiceNext again reveals whether a change has occurred" */
static DWORD nla_peek(void *state, const WSAQUERYSETW **result)
{
    struct nla_stream *stream = state;
    DWORD error = name_results_peek(&stream->results, result);

    if (error != WSA_E_NO_MORE || !stream->watching)
        return error;
    error = add_changes(stream);
    return error ? error : name_results_peek(&stream->results, result);
}

static void nla_advance(void *state)
{
    struct nla_stream *stream = state;

    stream->results.next++;
}

/* "If the query set remains valid, WSAEWOULDBLOCK is returned ... If the query set has changed and
 * is invalid, NO_ERROR is returned". */
static DWORD poll_change(const struct nla_stream *stream)
{
    struct network_list now;
    DWORD error = networks_load(&now);

    if (!error && networks_state(&now) == networks_state(&stream->known))
        error = WSAEWOULDBLOCK;
    networks_free(&now);
    return error;
}

static DWORD check_completion(const WSACOMPLETION *completion)
{
    switch (completion->Type) {
    case NSP_NOTIFY_HWND:
        return window_exists(completion->Parameters.WindowMessage.hWnd) ? 0 : WSAEINVAL;
    case NSP_NOTIFY_EVENT:
        return completion->Parameters.Event.lpOverlapped ? 0 : WSAEFAULT;
    case NSP_NOTIFY_PORT:
        return completion->Parameters.Port.hPort ? 0 : WSAEINVAL;
    case NSP_NOTIFY_APC:
        return completion->Parameters.Apc.lpOverlapped &&
                       completion->Parameters.Apc.lpfnCompletionProc
                   ? 0
                   : WSAEFAULT;
    default:
        return WSAEINVAL;
    }
}

static DWORD nla_control(void *state, DWORD code, WSACOMPLETION *completion)
{
    struct nla_stream *stream = state;
    DWORD error;

    if (code != SIO_NSP_NOTIFY_CHANGE)
        return WSAEOPNOTSUPP;
    stream->watching = true;
    if (!completion || completion->Type == NSP_NOTIFY_IMMEDIATELY)
        return poll_change(stream);
    if ((error = check_completion(completion)))
        return error;
    if (stream->watch) { /* "at any time, one at a time" */
        if (!network_watch_done(stream->watch))
            return WSAEINVAL;
        network_watch_end(stream->watch);
    }
    stream->watch = network_watch_start(networks_state(&stream->known), completion);
    return stream->watch ? WSA_IO_PENDING : (DWORD)WSA_NOT_ENOUGH_MEMORY;
}

const struct name_provider nla_name_provider = {nla_begin, nla_peek, nla_advance, nla_end,
                                                nla_control};
