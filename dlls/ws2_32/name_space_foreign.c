/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Name space providers that a program has installed with WSCInstallNameSpace: a DLL with
 * NSPStartup, which gives the functions that ws2spi.h describes.
 *
 * Owns the list of those that are loaded; they stay so, as on Windows until WSACleanup.  One lock,
 * `providers_lock`, is held while a provider starts and never when it is asked.
 */
#include "log.h"
#include "name_provider.h"
#include "name_spaces.h"

#include <ws2spi.h>

#define FIRST_SIZE 1024

struct foreign {
    struct foreign *next;
    GUID id;
    bool started; /* one that did not start is not tried again */
    NSP_ROUTINE routines;
};

struct foreign_stream {
    const struct foreign *provider;
    HANDLE lookup;
    DWORD flags;
    WSAQUERYSETW *result; /* the one that was peeked at */
    DWORD size;           /* of that memory */
    bool fresh;           /* *result is a result */
};

static SRWLOCK providers_lock = SRWLOCK_INIT;
static struct foreign *providers;

static bool start_provider(const struct name_space *space, struct foreign *provider)
{
    WCHAR path[MAX_PATH];
    DWORD length = ExpandEnvironmentStringsW(space->path, path, ARRAYSIZE(path));
    HMODULE module = length && length <= ARRAYSIZE(path) ? LoadLibraryW(path) : NULL;
    LPNSPSTARTUP startup =
        module ? (LPNSPSTARTUP)(void *)GetProcAddress(module, "NSPStartup") : NULL;

    provider->id = space->provider;
    provider->routines.cbSize = sizeof(provider->routines);
    if (startup && !startup(&provider->id, &provider->routines))
        return true;
    log_warn("the name space provider %ls does not start", space->path);
    if (module)
        FreeLibrary(module);
    return false;
}

/* The provider of that entry, or NULL. */
static struct foreign *find_or_start(const struct name_space *space)
{
    struct foreign *provider;

    AcquireSRWLockExclusive(&providers_lock);
    for (provider = providers; provider; provider = provider->next)
        if (!memcmp(&provider->id, &space->provider, sizeof(GUID)))
            break;
    if (!provider && (provider = calloc(1, sizeof(*provider)))) {
        provider->started = start_provider(space, provider);
        provider->next = providers;
        providers = provider;
    }
    ReleaseSRWLockExclusive(&providers_lock);
    return provider && provider->started ? provider : NULL;
}

static DWORD foreign_begin(const struct name_space *self, const WSAQUERYSETW *query, DWORD flags,
                           void **state)
{
    struct foreign *provider = find_or_start(self);
    struct foreign_stream *stream;

    if (!provider || !provider->routines.NSPLookupServiceBegin)
        return WSASERVICE_NOT_FOUND;
    if (!(stream = calloc(1, sizeof(*stream))))
        return WSA_NOT_ENOUGH_MEMORY;
    stream->provider = provider;
    stream->flags = flags;
    if (provider->routines.NSPLookupServiceBegin(&provider->id, (WSAQUERYSETW *)query, NULL, flags,
                                                 &stream->lookup)) {
        DWORD error = GetLastError();

        free(stream);
        return error ? error : WSASERVICE_NOT_FOUND;
    }
    *state = stream;
    return 0;
}

static bool grow(struct foreign_stream *stream, DWORD size)
{
    WSAQUERYSETW *larger = realloc(stream->result, size);

    if (!larger)
        return false;
    stream->result = larger;
    stream->size = size;
    return true;
}

static DWORD foreign_peek(void *state, const WSAQUERYSETW **result)
{
    struct foreign_stream *stream = state;
    DWORD size, error;

    while (!stream->fresh) {
        if (!stream->result && !grow(stream, FIRST_SIZE))
            return WSA_NOT_ENOUGH_MEMORY;
        size = stream->size;
        memset(stream->result, 0, sizeof(*stream->result));
        stream->result->dwSize = sizeof(*stream->result);
        if (!stream->provider->routines.NSPLookupServiceNext(stream->lookup, stream->flags, &size,
                                                             stream->result)) {
            stream->fresh = true;
            break;
        }
        error = GetLastError();
        if (error == WSAENOMORE) /* "conflicting error codes are defined" */
            return WSA_E_NO_MORE;
        if (error != WSAEFAULT || size <= stream->size)
            return error;
        if (!grow(stream, size))
            return WSA_NOT_ENOUGH_MEMORY;
    }
    *result = stream->result;
    return 0;
}

static void foreign_advance(void *state)
{
    struct foreign_stream *stream = state;

    stream->fresh = false;
}

static void foreign_end(void *state)
{
    struct foreign_stream *stream = state;

    if (stream->provider->routines.NSPLookupServiceEnd)
        stream->provider->routines.NSPLookupServiceEnd(stream->lookup);
    free(stream->result);
    free(stream);
}

static DWORD foreign_control(void *state, DWORD code, WSACOMPLETION *completion)
{
    struct foreign_stream *stream = state;
    DWORD returned = 0;

    /* "WSAEOPNOTSUPP: ... the namespace provider does not implement this function" */
    if (stream->provider->routines.cbSize < sizeof(NSP_ROUTINE) ||
        !stream->provider->routines.NSPIoctl)
        return WSAEOPNOTSUPP;
    if (!stream->provider->routines.NSPIoctl(stream->lookup, code, NULL, 0, NULL, 0, &returned,
                                             completion, NULL))
        return 0;
    return GetLastError();
}

const struct name_provider foreign_name_provider = {foreign_begin, foreign_peek, foreign_advance,
                                                    foreign_end, foreign_control};

DWORD foreign_set_service(const struct name_space *self, WSAQUERYSETW *info,
                          WSAESETSERVICEOP operation, DWORD flags)
{
    struct foreign *provider = find_or_start(self);

    if (!provider || !provider->routines.NSPSetService)
        return WSAEOPNOTSUPP;
    if (!provider->routines.NSPSetService(&provider->id, NULL, info, operation, flags))
        return 0;
    return GetLastError();
}
