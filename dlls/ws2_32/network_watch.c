/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Watching the networks (see network_watch.h).
 *
 * Looks once a second, on the thread pool: Wine has no notification that a program's DLL could
 * wait for.  Whoever sets `done` first, the look or the end, completes.  Takes no lock.
 */
#include "network_watch.h"
#include "networks.h"
#include "thread_pool.h"
#include "window_post.h"

#define INTERVAL 1000 /* ms */

struct network_watch {
    uint64_t state;
    WSACOMPLETION completion;
    HANDLE thread; /* whose APC it is */
    TP_TIMER *timer;
    LONG volatile done;
};

/* In the thread that asked, in an alertable wait. */
static void CALLBACK run_routine(ULONG_PTR context)
{
    WSACOMPLETION *completion = (WSACOMPLETION *)context;
    WSAOVERLAPPED *overlapped = completion->Parameters.Apc.lpOverlapped;

    completion->Parameters.Apc.lpfnCompletionProc((DWORD)overlapped->Internal, 0, overlapped, 0);
    free(completion);
}

static void queue_routine(const struct network_watch *watch)
{
    WSACOMPLETION *copy = malloc(sizeof(*copy));

    if (!copy)
        return;
    *copy = watch->completion;
    if (!QueueUserAPC(run_routine, watch->thread, (ULONG_PTR)copy))
        free(copy);
}

static void set_result(WSAOVERLAPPED *overlapped, DWORD error)
{
    if (!overlapped)
        return;
    overlapped->InternalHigh = 0;
    overlapped->Internal = error;
}

static void complete(const struct network_watch *watch, DWORD error)
{
    const WSACOMPLETION *completion = &watch->completion;

    switch (completion->Type) {
    case NSP_NOTIFY_HWND:
        if (!error)
            window_post(completion->Parameters.WindowMessage.hWnd,
                        completion->Parameters.WindowMessage.uMsg,
                        completion->Parameters.WindowMessage.context, 0);
        break;
    case NSP_NOTIFY_EVENT:
        set_result(completion->Parameters.Event.lpOverlapped, error);
        SetEvent(completion->Parameters.Event.lpOverlapped->hEvent);
        break;
    case NSP_NOTIFY_PORT:
        set_result(completion->Parameters.Port.lpOverlapped, error);
        PostQueuedCompletionStatus(completion->Parameters.Port.hPort, 0,
                                   completion->Parameters.Port.Key,
                                   completion->Parameters.Port.lpOverlapped);
        break;
    default:
        set_result(completion->Parameters.Apc.lpOverlapped, error);
        queue_routine(watch);
        break;
    }
}

static void CALLBACK look(TP_CALLBACK_INSTANCE *instance, void *context, TP_TIMER *timer)
{
    struct network_watch *watch = context;
    struct network_list now;

    (void)instance, (void)timer;
    if (watch->done || networks_load(&now))
        return;
    if (networks_state(&now) != watch->state && !InterlockedExchange(&watch->done, 1))
        complete(watch, 0);
    networks_free(&now);
}

static void start_timer(struct network_watch *watch)
{
    FILETIME at_once = {0};

    SetThreadpoolTimer(watch->timer, &at_once, INTERVAL, 0);
}

struct network_watch *network_watch_start(uint64_t state, const WSACOMPLETION *completion)
{
    struct network_watch *watch = calloc(1, sizeof(*watch));
    TP_CALLBACK_ENVIRON environment;

    if (!watch)
        return NULL;
    watch->state = state;
    watch->completion = *completion;
    if (completion->Type == NSP_NOTIFY_APC)
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                        &watch->thread, 0, FALSE, DUPLICATE_SAME_ACCESS);
    thread_pool_environment(&environment);
    if ((completion->Type == NSP_NOTIFY_APC && !watch->thread) ||
        !(watch->timer = CreateThreadpoolTimer(look, watch, &environment))) {
        if (watch->thread)
            CloseHandle(watch->thread);
        free(watch);
        return NULL;
    }
    start_timer(watch);
    return watch;
}

bool network_watch_done(const struct network_watch *watch)
{
    return watch->done != 0;
}

void network_watch_end(struct network_watch *watch)
{
    bool was_done = InterlockedExchange(&watch->done, 1);

    SetThreadpoolTimer(watch->timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(watch->timer, TRUE);
    CloseThreadpoolTimer(watch->timer);
    if (!was_done)
        complete(watch, WSA_OPERATION_ABORTED);
    if (watch->thread)
        CloseHandle(watch->thread);
    free(watch);
}
