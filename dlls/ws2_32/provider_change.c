/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAProviderConfigChange (see provider_change.h).
 *
 * The catalogs are in the registry, and so are their changes: each wait is one for a change of that
 * key, on the thread pool where the program does not wait itself.  Owns nothing else; no lock.
 */
#include "provider_change.h"
#include "arguments.h"
#include "catalog_registry.h"
#include "startup.h"
#include "thread_pool.h"

#define WHAT (REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET)

struct change_wait {
    HKEY key;
    HANDLE changed;
    WSAOVERLAPPED *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    HANDLE thread; /* whose APC it is */
    TP_WAIT *wait;
};

static void end(struct change_wait *wait)
{
    if (wait->key)
        RegCloseKey(wait->key);
    if (wait->changed)
        CloseHandle(wait->changed);
    if (wait->thread)
        CloseHandle(wait->thread);
    if (wait->wait)
        CloseThreadpoolWait(wait->wait);
    free(wait);
}

/* One that is told of the next change of the catalogs. */
static struct change_wait *begin(void)
{
    struct change_wait *wait = calloc(1, sizeof(*wait));

    if (!wait)
        return NULL;
    wait->key = catalog_parameters(L"", true);
    wait->changed = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (wait->key && wait->changed &&
        !RegNotifyChangeKeyValue(wait->key, TRUE, WHAT, wait->changed, TRUE))
        return wait;
    end(wait);
    return NULL;
}

DWORD provider_change_open(HANDLE *notification)
{
    *notification = CreateEventW(NULL, TRUE, FALSE, NULL);
    return *notification ? 0 : WSA_NOT_ENOUGH_MEMORY;
}

DWORD provider_change_notify(void)
{
    struct catalog_view view = {PROTOCOL_CATALOG, false};
    HKEY entries = catalog_open(&view, true);

    if (!entries)
        return WSAEACCES;
    catalog_written(&view, catalog_count(entries));
    RegCloseKey(entries);
    return 0;
}

/* ---- with an OVERLAPPED ---- */

/* In the thread that asked, in an alertable wait. */
static void CALLBACK run_routine(ULONG_PTR context)
{
    struct change_wait *wait = (struct change_wait *)context;

    wait->routine(0, 0, wait->overlapped, 0);
    end(wait);
}

static void CALLBACK changed(TP_CALLBACK_INSTANCE *instance, void *context, TP_WAIT *object,
                             TP_WAIT_RESULT result)
{
    struct change_wait *wait = context;

    (void)instance, (void)object, (void)result;
    wait->overlapped->InternalHigh = 0;
    wait->overlapped->Internal = 0;
    if (wait->routine && QueueUserAPC(run_routine, wait->thread, (ULONG_PTR)wait))
        return;
    if (!wait->routine && wait->overlapped->hEvent)
        SetEvent(wait->overlapped->hEvent);
    end(wait);
}

static bool start(struct change_wait *wait)
{
    TP_CALLBACK_ENVIRON environment;

    if (wait->routine &&
        !DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                         &wait->thread, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return false;
    thread_pool_environment(&environment);
    if (!(wait->wait = CreateThreadpoolWait(changed, wait, &environment)))
        return false;
    wait->overlapped->Internal = STATUS_PENDING;
    if (!wait->routine && wait->overlapped->hEvent)
        ResetEvent(wait->overlapped->hEvent);
    SetThreadpoolWait(wait->wait, wait->changed, NULL);
    return true;
}

DWORD provider_change_wait(HANDLE notification, WSAOVERLAPPED *overlapped,
                           LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct change_wait *wait;
    DWORD flags;

    if (!GetHandleInformation(notification, &flags))
        return WSA_INVALID_HANDLE;
    if (!(wait = begin()))
        return WSA_NOT_ENOUGH_MEMORY;
    wait->overlapped = overlapped;
    wait->routine = overlapped ? routine : NULL;
    if (overlapped) {
        if (start(wait))
            return WSA_IO_PENDING;
        end(wait);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    while (WaitForSingleObjectEx(wait->changed, INFINITE, TRUE) == WAIT_IO_COMPLETION)
        ;
    end(wait);
    return 0;
}

/* "When called for the first time (lpNotificationHandle parameter points to NULL handle), this
 * function completes immediately and returns notification handle in the location pointed by
 * lpNotificationHandle". */
int WINAPI WSAProviderConfigChange(LPHANDLE notification, LPWSAOVERLAPPED overlapped,
                                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    if (!startup_check())
        return SOCKET_ERROR;
    if (!notification || !argument_out(notification, sizeof(*notification)) ||
        !argument_out(overlapped, sizeof(*overlapped)))
        return return_error(WSAEFAULT);
    if (!*notification)
        return return_error(provider_change_open(notification));
    return return_error(provider_change_wait(*notification, overlapped, routine));
}
