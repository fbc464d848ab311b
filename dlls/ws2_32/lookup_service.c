/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSALookupServiceBegin, Next and End, WSANSPIoctl, WSASetService: from the program's query to the
 * name space providers and back.
 *
 * Owns the queries under way.  `queries_lock` guards their list and nothing is called with it; a
 * query's own lock is held while its providers are asked, so that its calls come one after the
 * other.  A handle is a number, so that one that has ended is told from one that lives.
 */
#include "arguments.h"
#include "name_provider.h"
#include "name_spaces.h"
#include "query_set.h"
#include "startup.h"

struct stream {
    const struct name_provider *provider;
    void *state;
};

struct query {
    struct query *next; /* under queries_lock */
    ULONG_PTR id;
    LONG volatile references;
    bool volatile ended;
    SRWLOCK lock; /* guards what follows */
    DWORD flags;
    WSAQUERYSETW *restrictions;
    struct stream *streams;
    size_t count, current;
    bool told;   /* some result has been handed out */
    DWORD error; /* the first one of a provider */
};

static SRWLOCK queries_lock = SRWLOCK_INIT;
static struct query *queries;
static ULONG_PTR last_id;

/* ---- lives ---- */

static void end_streams(struct query *query)
{
    while (query->count) {
        struct stream *stream = &query->streams[--query->count];

        stream->provider->end(stream->state);
    }
}

static void release(struct query *query)
{
    if (InterlockedDecrement(&query->references))
        return;
    end_streams(query);
    free(query->streams);
    free(query->restrictions);
    free(query);
}

/* The living query behind a handle, with a reference. */
static struct query *find(HANDLE handle)
{
    struct query *query;

    AcquireSRWLockShared(&queries_lock);
    for (query = queries; query && query->id != (ULONG_PTR)handle; query = query->next)
        ;
    if (query)
        InterlockedIncrement(&query->references);
    ReleaseSRWLockShared(&queries_lock);
    if (!query)
        SetLastError(WSA_INVALID_HANDLE);
    return query;
}

static HANDLE publish(struct query *query)
{
    ULONG_PTR id;

    AcquireSRWLockExclusive(&queries_lock);
    id = query->id = last_id += 4;
    query->next = queries;
    queries = query;
    ReleaseSRWLockExclusive(&queries_lock);
    return (HANDLE)id;
}

static struct query *take(HANDLE handle)
{
    struct query **link, *query;

    AcquireSRWLockExclusive(&queries_lock);
    for (link = &queries; *link && (*link)->id != (ULONG_PTR)handle; link = &(*link)->next)
        ;
    if ((query = *link))
        *link = query->next;
    ReleaseSRWLockExclusive(&queries_lock);
    return query;
}

/* ---- beginning ---- */

static const struct name_provider *provider_of(const struct name_space *space)
{
    if (!memcmp(&space->provider, &dns_provider, sizeof(GUID)))
        return &dns_name_provider;
    if (!memcmp(&space->provider, &nla_provider, sizeof(GUID)))
        return &nla_name_provider;
    return &foreign_name_provider;
}

/* "Identifier of a single namespace in which to constrain the search, or NS_ALL"; "References the
 * GUID of a specific namespace provider, and limits the query to this provider only". */
static bool is_meant(const struct name_space *space, const WSAQUERYSETW *restrictions)
{
    if (!space->active)
        return false;
    if (restrictions->lpNSProviderId)
        return !memcmp(restrictions->lpNSProviderId, &space->provider, sizeof(GUID));
    return restrictions->dwNameSpace == NS_ALL || restrictions->dwNameSpace == space->name_space;
}

static DWORD open_streams(struct query *query, const struct name_space_list *spaces)
{
    DWORD error = WSASERVICE_NOT_FOUND, one;

    if (!(query->streams = calloc(spaces->count + 1, sizeof(*query->streams))))
        return WSA_NOT_ENOUGH_MEMORY;
    for (size_t i = 0; i < spaces->count; i++) {
        const struct name_space *space = &spaces->entries[i];
        struct stream *stream = &query->streams[query->count];

        if (!is_meant(space, query->restrictions))
            continue;
        stream->provider = provider_of(space);
        one = stream->provider->begin(space, query->restrictions, query->flags, &stream->state);
        if (!one)
            query->count++;
        else if (error == WSASERVICE_NOT_FOUND)
            error = one;
    }
    return query->count ? 0 : error;
}

/* Consumes the restrictions. */
static DWORD begin(WSAQUERYSETW *restrictions, DWORD flags, HANDLE *handle)
{
    struct query *query = calloc(1, sizeof(*query));
    struct name_space_list spaces;
    DWORD error;

    if (!restrictions || !query) {
        free(restrictions);
        free(query);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    query->references = 1;
    query->restrictions = restrictions;
    query->flags = flags;
    if (!(error = name_spaces_load(false, &spaces)))
        error = open_streams(query, &spaces);
    name_spaces_free(&spaces);
    if (error)
        release(query);
    else
        *handle = publish(query);
    return error;
}

/* In the order that Wine's tests saw on Windows. */
static DWORD check_begin(const void *restrictions, bool ansi, DWORD flags, HANDLE *handle)
{
    if (!restrictions || !handle || !query_is_there(restrictions, ansi) ||
        !argument_out(handle, sizeof(*handle)))
        return WSAEFAULT;
    if (*(const DWORD *)restrictions < sizeof(WSAQUERYSETW)) /* dwSize */
        return WSAEINVAL;
    return (flags & LUP_CONTAINERS) && (flags & LUP_NOCONTAINERS) ? WSAEINVAL : 0;
}

int WINAPI WSALookupServiceBeginW(LPWSAQUERYSETW restrictions, DWORD flags, LPHANDLE handle)
{
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    error = check_begin(restrictions, false, flags, handle);
    return return_error(error ? error : begin(query_copy(restrictions), flags, handle));
}

int WINAPI WSALookupServiceBeginA(LPWSAQUERYSETA restrictions, DWORD flags, LPHANDLE handle)
{
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    error = check_begin(restrictions, true, flags, handle);
    return return_error(error ? error : begin(query_from_ansi(restrictions), flags, handle));
}

/* ---- results ---- */

/* "The flags at WSALookupServiceNext can never increase the amount of data returned".  Without any
 * flag of that kind the call is taken to mean what WSALookupServiceBegin said. */
static DWORD combine(DWORD begin_flags, DWORD next_flags)
{
    return next_flags & LUP_RETURN_ALL ? begin_flags & next_flags : begin_flags;
}

/* The next result of whichever provider has one; caller holds the lock. */
static DWORD next_result(struct query *query, const WSAQUERYSETW **result)
{
    for (; query->current < query->count; query->current++) {
        struct stream *stream = &query->streams[query->current];
        DWORD error = stream->provider->peek(stream->state, result);

        if (!error)
            return 0;
        if (query->current + 1 == query->count) {
            /* the last one stays: NLA has more after a change */
            if (error != WSA_E_NO_MORE)
                return error;
            break;
        }
        if (error != WSA_E_NO_MORE && !query->error)
            query->error = error;
    }
    if (!query->told && query->error) {
        query->told = true; /* once */
        return query->error;
    }
    return WSA_E_NO_MORE;
}

static void advance(struct query *query)
{
    struct stream *stream = &query->streams[query->current];

    stream->provider->advance(stream->state);
    query->told = true;
}

static DWORD next(struct query *query, DWORD flags, bool ansi, DWORD *size, void *buffer)
{
    const WSAQUERYSETW *result;
    DWORD error;

    if (flags & LUP_FLUSHPREVIOUS && !next_result(query, &result))
        advance(query);
    error = next_result(query, &result);
    /* "A call to WSALookupServiceEnd was made while this call was still processing" */
    if (query->ended)
        return WSA_E_CANCELLED;
    if (error)
        return error;
    if (!(error = query_store(result, combine(query->flags, flags), ansi, buffer, size)))
        advance(query);
    return error;
}

static int lookup_next(HANDLE handle, DWORD flags, bool ansi, DWORD *size, void *buffer)
{
    struct query *query;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!(query = find(handle)))
        return SOCKET_ERROR;
    if (!size)
        error = WSAEFAULT;
    else {
        AcquireSRWLockExclusive(&query->lock);
        error = next(query, flags, ansi, size, buffer);
        ReleaseSRWLockExclusive(&query->lock);
    }
    release(query);
    return return_error(error);
}

int WINAPI WSALookupServiceNextW(HANDLE handle, DWORD flags, LPDWORD size, LPWSAQUERYSETW results)
{
    return lookup_next(handle, flags, false, size, results);
}

int WINAPI WSALookupServiceNextA(HANDLE handle, DWORD flags, LPDWORD size, LPWSAQUERYSETA results)
{
    return lookup_next(handle, flags, true, size, results);
}

int WINAPI WSALookupServiceEnd(HANDLE handle)
{
    struct query *query;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!(query = take(handle)))
        return return_error(WSA_INVALID_HANDLE);
    query->ended = true; /* a call that is still asking says so when it comes back */
    release(query);
    return 0;
}

/* ---- control ---- */

static DWORD control(struct query *query, DWORD code, WSACOMPLETION *completion)
{
    struct stream *stream = query->streams;

    /* "A query containing data from multiple providers cannot call this IOCTL" */
    if (query->count > 1)
        return WSAEINVAL;
    return stream->provider->control ? stream->provider->control(stream->state, code, completion)
                                     : (DWORD)WSAEOPNOTSUPP;
}

/* "The lpvInBuffer, cbInBuffer, lpvOutBuffer, and cbOutBuffer parameters are currently ignored by
 * Microsoft namespace providers." */
int WINAPI WSANSPIoctl(HANDLE handle, DWORD code, LPVOID in, DWORD in_size, LPVOID out,
                       DWORD out_size, LPDWORD returned, LPWSACOMPLETION completion)
{
    struct query *query;
    DWORD error;

    (void)in, (void)in_size, (void)out, (void)out_size;
    if (!startup_check())
        return SOCKET_ERROR;
    if (!argument_out(returned, sizeof(*returned)) || !argument_in(completion, sizeof(*completion)))
        return return_error(WSAEFAULT);
    if (!(query = find(handle)))
        return SOCKET_ERROR;
    if (returned)
        *returned = 0;
    AcquireSRWLockExclusive(&query->lock);
    error = control(query, code, completion);
    ReleaseSRWLockExclusive(&query->lock);
    release(query);
    return return_error(error);
}

/* ---- registration ---- */

/* Succeeds if one provider takes it; of the two that are built none does. */
static DWORD set_service(WSAQUERYSETW *info, WSAESETSERVICEOP operation, DWORD flags)
{
    struct name_space_list spaces;
    DWORD error, one;
    bool taken = false;

    if (!info)
        return WSA_NOT_ENOUGH_MEMORY;
    if ((error = name_spaces_load(false, &spaces)))
        return error;
    error = WSASERVICE_NOT_FOUND;
    for (size_t i = 0; i < spaces.count; i++) {
        if (!is_meant(&spaces.entries[i], info))
            continue;
        one = provider_of(&spaces.entries[i]) == &foreign_name_provider
                  ? foreign_set_service(&spaces.entries[i], info, operation, flags)
                  : (DWORD)WSAEOPNOTSUPP;
        taken |= !one;
        if (one)
            error = one;
    }
    name_spaces_free(&spaces);
    return taken ? 0 : error;
}

static DWORD check_set(const void *info, bool ansi, WSAESETSERVICEOP operation)
{
    if (!info || !query_is_there(info, ansi))
        return WSAEFAULT;
    if (*(const DWORD *)info < sizeof(WSAQUERYSETW)) /* dwSize */
        return WSAEINVAL;
    return operation > RNRSERVICE_DELETE ? WSAEINVAL : 0;
}

int WINAPI WSASetServiceW(LPWSAQUERYSETW info, WSAESETSERVICEOP operation, DWORD flags)
{
    WSAQUERYSETW *copy;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if ((error = check_set(info, false, operation)))
        return return_error(error);
    copy = query_copy(info);
    error = set_service(copy, operation, flags);
    free(copy);
    return return_error(error);
}

int WINAPI WSASetServiceA(LPWSAQUERYSETA info, WSAESETSERVICEOP operation, DWORD flags)
{
    WSAQUERYSETW *copy;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    if ((error = check_set(info, true, operation)))
        return return_error(error);
    copy = query_from_ansi(info);
    error = set_service(copy, operation, flags);
    free(copy);
    return return_error(error);
}
