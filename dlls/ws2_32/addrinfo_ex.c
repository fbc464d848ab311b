/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GetAddrInfoExW and A, GetAddrInfoExCancel, GetAddrInfoExOverlappedResult, FreeAddrInfoEx.
 *
 * Owns the look-ups that run on the thread pool (overlapped ones, and those with a timeout): who of
 * worker, canceller and timer ends one is settled by an exchange; the worker frees nothing that
 * another still holds (references).  One lock, `pending_lock`, guards the list that gives a handle
 * its look-up; nothing else is called with it held.
 */
#include "addrinfo.h"
#include "arguments.h"
#include "company.h"
#include "name_spaces.h"
#include "startup.h"
#include "text.h"
#include "thread_pool.h"

/* The documented type; it is PVOID in some mingw headers. */
typedef void(CALLBACK *completion_routine)(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped);

struct lookup {
    struct lookup *next; /* in pending, under pending_lock */
    ULONG_PTR id;        /* what the program knows as its handle */
    LONG volatile references, ended;
    WCHAR *node, *service;
    struct addrinfo_hints hints;
    TP_TIMER *timer;
    /* where the end is told: an OVERLAPPED of the program's, or the thread that waits for `done` */
    PADDRINFOEXW *result;
    OVERLAPPED *overlapped;
    completion_routine routine;
    HANDLE done;
    DWORD error;
    ADDRINFOEXW *list;
};

static SRWLOCK pending_lock = SRWLOCK_INIT;
static struct lookup *pending;
static ULONG_PTR last_id;

_Static_assert(sizeof(ADDRINFOEXA) == sizeof(ADDRINFOEXW), "one free for both");

void WINAPI FreeAddrInfoExW(PADDRINFOEXW info)
{
    while (info) {
        PADDRINFOEXW next = (PADDRINFOEXW)info->ai_next; /* mingw's tag is misspelled */

        free((void *)info->ai_canonname);
        free(info->ai_addr);
        free(info);
        info = next;
    }
}

void WINAPI FreeAddrInfoEx(PADDRINFOEXA info)
{
    FreeAddrInfoExW((PADDRINFOEXW)info);
}

static DWORD make_list(const struct resolved *result, u_short port,
                       const struct addrinfo_hints *hints, bool ansi, ADDRINFOEXW **list)
{
    ADDRINFOEXW **next = list, *info;

    *list = NULL;
    for (uint32_t i = 0; i < result->count; i++) {
        info = calloc(1, sizeof(*info));
        if (!info)
            goto fail;
        *next = info;
        next = (ADDRINFOEXW **)&info->ai_next;
        info->ai_addr = addrinfo_sockaddr(&result->addresses[i], port, &info->ai_addrlen);
        if (!info->ai_addr)
            goto fail;
        info->ai_family = info->ai_addr->sa_family;
        info->ai_socktype = hints->type;
        info->ai_protocol = hints->protocol;
        if (i || !result->canonical)
            continue;
        info->ai_canonname =
            ansi ? (WCHAR *)text_narrow(CP_ACP, result->canonical) : _wcsdup(result->canonical);
        if (!info->ai_canonname)
            goto fail;
    }
    return 0;

fail:
    FreeAddrInfoExW(*list);
    *list = NULL;
    return WSA_NOT_ENOUGH_MEMORY;
}

static DWORD get(const WCHAR *node, const WCHAR *service, const struct addrinfo_hints *hints,
                 bool ansi, ADDRINFOEXW **list)
{
    struct resolved result = {0};
    u_short port = 0;
    DWORD error = addrinfo_lookup(node, service, hints, &result, &port);

    if (!error)
        error = make_list(&result, port, hints, ansi, list);
    resolve_free(&result);
    return error;
}

/* ---- on the thread pool ---- */

static void release(struct lookup *lookup)
{
    if (InterlockedDecrement(&lookup->references))
        return;
    if (lookup->timer)
        CloseThreadpoolTimer(lookup->timer);
    if (lookup->done)
        CloseHandle(lookup->done);
    FreeAddrInfoExW(lookup->list);
    free(lookup->node);
    free(lookup->service);
    free(lookup);
}

static void forget(struct lookup *lookup)
{
    struct lookup **link;

    AcquireSRWLockExclusive(&pending_lock);
    for (link = &pending; *link; link = &(*link)->next)
        if (*link == lookup) {
            *link = lookup->next;
            break;
        }
    ReleaseSRWLockExclusive(&pending_lock);
}

/* The first of worker, canceller and timer to come here ends it; true for that one.  The list
 * becomes the program's.  The OVERLAPPED is not touched after the event or the routine. */
static bool end(struct lookup *lookup, DWORD error, ADDRINFOEXW *list)
{
    OVERLAPPED *overlapped = lookup->overlapped;
    HANDLE event;

    if (InterlockedExchange(&lookup->ended, 1))
        return false;
    forget(lookup);
    if (!overlapped) {
        lookup->error = error;
        lookup->list = list;
        SetEvent(lookup->done);
        return true;
    }
    *lookup->result = list;
    event = overlapped->hEvent;
    overlapped->Internal = error;
    if (lookup->routine)
        lookup->routine(error, 0, overlapped);
    else if (event)
        SetEvent(event);
    return true;
}

static void stop_timer(struct lookup *lookup)
{
    if (!lookup->timer)
        return;
    SetThreadpoolTimer(lookup->timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(lookup->timer, TRUE);
}

static void CALLBACK run(TP_CALLBACK_INSTANCE *instance, void *context)
{
    struct lookup *lookup = context;
    ADDRINFOEXW *list = NULL;
    DWORD error = get(lookup->node, lookup->service, &lookup->hints, false, &list);

    (void)instance;
    if (!end(lookup, error, list))
        FreeAddrInfoExW(list);
    stop_timer(lookup);
    release(lookup);
}

static void CALLBACK expire(TP_CALLBACK_INSTANCE *instance, void *context, TP_TIMER *timer)
{
    (void)instance, (void)timer;
    end(context, WSAETIMEDOUT, NULL);
}

static LONGLONG timeout_100ns(const struct timeval *timeout)
{
    return (LONGLONG)timeout->tv_sec * 10000000 + (LONGLONG)timeout->tv_usec * 10;
}

static bool start_timer(struct lookup *lookup, const struct timeval *timeout)
{
    TP_CALLBACK_ENVIRON environment;
    LARGE_INTEGER due = {.QuadPart = -timeout_100ns(timeout)};
    FILETIME relative = {.dwLowDateTime = due.LowPart, .dwHighDateTime = (DWORD)due.HighPart};

    thread_pool_environment(&environment);
    lookup->timer = CreateThreadpoolTimer(expire, lookup, &environment);
    if (!lookup->timer)
        return false;
    SetThreadpoolTimer(lookup->timer, &relative, 0, 0);
    return true;
}

static struct lookup *new_lookup(const WCHAR *node, const WCHAR *service,
                                 const struct addrinfo_hints *hints)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (!lookup)
        return NULL;
    lookup->references = 1;
    lookup->hints = *hints;
    lookup->node = node ? _wcsdup(node) : NULL;
    lookup->service = service ? _wcsdup(service) : NULL;
    if ((node && !lookup->node) || (service && !lookup->service)) {
        release(lookup);
        return NULL;
    }
    return lookup;
}

/* Makes it findable; before its timer can end it, which takes it out again. */
static void publish(struct lookup *lookup, HANDLE *handle)
{
    AcquireSRWLockExclusive(&pending_lock);
    lookup->id = ++last_id;
    lookup->next = pending;
    pending = lookup;
    ReleaseSRWLockExclusive(&pending_lock);
    if (handle)
        *handle = (HANDLE)lookup->id;
}

/* Runs it; the reference goes to the worker.  An error only if nobody has ended it yet. */
static DWORD submit(struct lookup *lookup)
{
    bool ended;

    if (thread_pool_submit(run, lookup))
        return 0;
    ended = InterlockedExchange(&lookup->ended, 1);
    forget(lookup);
    stop_timer(lookup);
    release(lookup);
    return ended ? 0 : WSA_NOT_ENOUGH_MEMORY;
}

static DWORD start_overlapped(struct lookup *lookup, const struct timeval *timeout, HANDLE *handle)
{
    DWORD error;

    lookup->overlapped->Internal = WSAEINPROGRESS;
    lookup->overlapped->Pointer = lookup->result;
    publish(lookup, handle);
    if (timeout && !start_timer(lookup, timeout)) {
        forget(lookup);
        release(lookup);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    error = submit(lookup);
    return error ? error : WSA_IO_PENDING;
}

/* The program waits, but not for longer than that. */
static DWORD wait_for(struct lookup *lookup, const struct timeval *timeout, PADDRINFOEXW *result)
{
    LONGLONG milliseconds = (timeout_100ns(timeout) + 9999) / 10000;
    DWORD error;

    lookup->done = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!lookup->done) {
        release(lookup);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    InterlockedIncrement(&lookup->references);
    publish(lookup, NULL);
    error = submit(lookup);
    if (!error) {
        WaitForSingleObject(lookup->done,
                            milliseconds >= INFINITE ? INFINITE : (DWORD)milliseconds);
        /* if the worker is just ending it, its SetEvent is near */
        if (!end(lookup, WSAETIMEDOUT, NULL))
            WaitForSingleObject(lookup->done, INFINITE);
        error = lookup->error;
        *result = lookup->list;
        lookup->list = NULL;
    }
    release(lookup);
    return error;
}

/* ---- the exports ---- */

/* Of the name spaces only DNS has a provider that knows hosts. */
static DWORD check_name_space(DWORD name_space, const GUID *provider)
{
    if (name_space != NS_ALL && name_space != NS_DNS)
        return WSASERVICE_NOT_FOUND;
    return provider && memcmp(provider, &dns_provider, sizeof(*provider)) ? WSASERVICE_NOT_FOUND
                                                                          : 0;
}

/* Those that both forms have. */
static bool arguments_there(const GUID *provider, const void *hints, void *result,
                            const struct timeval *timeout)
{
    return argument_in(provider, sizeof(*provider)) && argument_in(hints, sizeof(ADDRINFOEXW)) &&
           argument_out(result, sizeof(void *)) && argument_in(timeout, sizeof(*timeout));
}

int WINAPI GetAddrInfoExW(PCWSTR name, PCWSTR service, DWORD name_space, LPGUID provider,
                          const ADDRINFOEXW *hints, PADDRINFOEXW *result, struct timeval *timeout,
                          LPOVERLAPPED overlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE routine,
                          LPHANDLE handle)
{
    struct addrinfo_hints wanted;
    struct lookup *lookup;
    DWORD error;

    if (!company_startup_check(__builtin_return_address(0)))
        return WSANOTINITIALISED;
    if (!result || !argument_wide(name) || !argument_wide(service) ||
        !arguments_there(provider, hints, result, timeout) ||
        !argument_out(overlapped, sizeof(*overlapped)) || !argument_out(handle, sizeof(*handle)))
        return addrinfo_return(WSAEFAULT);
    wanted = ADDRINFO_HINTS(hints);
    /* "If a completion routine has been specified, the hEvent member must be NULL." */
    if (overlapped ? routine && overlapped->hEvent : routine || handle)
        return addrinfo_return(WSAEINVAL);
    *result = NULL;
    error = check_name_space(name_space, provider);
    if (!error)
        error = addrinfo_check(name, service, &wanted);
    if (!error && timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0))
        error = WSAEINVAL;
    if (error)
        return addrinfo_return(error);
    if (!overlapped && !timeout)
        return addrinfo_return(get(name, service, &wanted, false, result));

    lookup = new_lookup(name, service, &wanted);
    if (!lookup)
        return addrinfo_return(WSA_NOT_ENOUGH_MEMORY);
    if (!overlapped)
        return addrinfo_return(wait_for(lookup, timeout, result));
    lookup->overlapped = overlapped;
    lookup->result = result;
    lookup->routine = (completion_routine)routine;
    return addrinfo_return(start_overlapped(lookup, timeout, handle));
}

/* The page: in the ANSI form the last four "must be set to NULL". */
int WINAPI GetAddrInfoExA(PCSTR name, PCSTR service, DWORD name_space, LPGUID provider,
                          const ADDRINFOEXA *hints, PADDRINFOEXA *result, struct timeval *timeout,
                          LPOVERLAPPED overlapped, LPLOOKUPSERVICE_COMPLETION_ROUTINE routine,
                          LPHANDLE handle)
{
    struct addrinfo_hints wanted;
    WCHAR *wide_name, *wide_service;
    DWORD error;

    if (!company_startup_check(__builtin_return_address(0)))
        return WSANOTINITIALISED;
    if (!result || !argument_text(name) || !argument_text(service) ||
        !arguments_there(provider, hints, result, NULL))
        return addrinfo_return(WSAEFAULT);
    wanted = ADDRINFO_HINTS(hints);
    if (timeout || overlapped || routine || handle)
        return addrinfo_return(WSAEINVAL);
    *result = NULL;
    error = check_name_space(name_space, provider);
    if (error)
        return addrinfo_return(error);
    wide_name = name ? text_wide(CP_ACP, name, -1) : NULL;
    wide_service = service ? text_wide(CP_ACP, service, -1) : NULL;
    if ((name && !wide_name) || (service && !wide_service))
        error = WSA_NOT_ENOUGH_MEMORY;
    else
        error = get(wide_name, wide_service, &wanted, true, (ADDRINFOEXW **)result);
    free(wide_name);
    free(wide_service);
    return addrinfo_return(error);
}

int WINAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED overlapped);
int WINAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED overlapped)
{
    return overlapped && argument_in(overlapped, sizeof(*overlapped)) ? (int)overlapped->Internal
                                                                      : WSAEINVAL;
}

/* The look-up goes on at the host and its result is thrown away; the program has its completion,
 * with WSA_E_CANCELLED, before this returns. */
int WINAPI GetAddrInfoExCancel(LPHANDLE handle);
int WINAPI GetAddrInfoExCancel(LPHANDLE handle)
{
    struct lookup *lookup;
    bool ended;

    if (!handle || !argument_in(handle, sizeof(*handle)))
        return WSA_INVALID_HANDLE;
    AcquireSRWLockShared(&pending_lock);
    for (lookup = pending; lookup; lookup = lookup->next)
        if (lookup->id == (ULONG_PTR)*handle) {
            InterlockedIncrement(&lookup->references);
            break;
        }
    ReleaseSRWLockShared(&pending_lock);
    if (!lookup)
        return WSA_INVALID_HANDLE;
    ended = end(lookup, WSA_E_CANCELLED, NULL);
    release(lookup);
    return ended ? 0 : WSA_INVALID_HANDLE;
}
