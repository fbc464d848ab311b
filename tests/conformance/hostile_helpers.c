/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments (hostile.h) for the calls that need no socket: starting and ending, events,
 * byte order, blocking hooks, what only providers call, and the Wah functions.
 *
 * Each list of errors is that of the call's page; for the Wah functions, which have none, what
 * Windows uses for bad parameters.  What frees a list (freeaddrinfo and its like) takes what the
 * call that made it gave, or NULL: with anything else it is the heap's own failure, on Windows too.
 */
#include "hostile.h"

static const int event_errors[] = {WSA_INVALID_HANDLE, WSA_INVALID_PARAMETER, WSA_NOT_ENOUGH_MEMORY,
                                   0};
static const int startup_errors[] = {WSAVERNOTSUPPORTED, WSAEFAULT, 0};
static const int provider_errors[] = {WSAEFAULT, WSAEINVAL, WSA_INVALID_HANDLE, WSAEOPNOTSUPP, 0};
static const int hook_errors[] = {WSAEFAULT, WSAEOPNOTSUPP, WSAEINVAL, 0};
static const int helper_errors[] = {
    ERROR_INVALID_PARAMETER, WSAEFAULT,         ERROR_INVALID_HANDLE,
    ERROR_NOT_SUPPORTED,     WSA_IO_PENDING,    ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_FILE_NOT_FOUND,    ERROR_GEN_FAILURE, 0,
};

struct context { /* of a handle */
    LONG references;
    HANDLE handle;
};

static GUID unknown = {0x9c2b0a54, 0x3f0e, 0x4d3b, {0x8a, 0x11, 1, 2, 3, 4, 5, 6}};
static HANDLE event, waitable[2];
static HANDLE nowhere, apc_helper, notification_helper, notification, table;
static WSAOVERLAPPED overlapped;
static struct context context = {1, (HANDLE)4};
static struct { /* WSATHREADID */
    HANDLE handle;
    DWORD_PTR reserved;
} thread;

typedef DWORD(WINAPI *one_fn)(void *);
typedef DWORD(WINAPI *two_fn)(HANDLE, void *);

static BOOL WINAPI visit(void *argument, struct context *visited)
{
    (void)argument;
    (void)visited;
    return TRUE;
}

static void CALLBACK apc(DWORD_PTR argument)
{
    (void)argument;
}

static int CALLBACK hook(void)
{
    return FALSE;
}

/* ---- what success leaves behind ---- */

static void close_result(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    CloseHandle((HANDLE)result);
}

static void clean_up(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    (void)result;
    WSACleanup();
}

static void start_again(const ULONG_PTR *words, INT_PTR result)
{
    WSADATA data;

    (void)words;
    (void)result;
    WSAStartup(MAKEWORD(2, 2), &data);
}

static void take_hook_off(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    (void)result;
    ((one_fn)hostile_export("WSApSetPostRoutine"))(NULL);
}

static void close_thread(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    CloseHandle(*(HANDLE *)words[1]);
}

static void close_second(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    CloseHandle(*(HANDLE *)words[1]);
}

static void destroy_table(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    ((one_fn)hostile_export("WahDestroyHandleContextTable"))(*(void **)words[0]);
}

static void remove_context(const ULONG_PTR *words, INT_PTR result)
{
    ((two_fn)hostile_export("WahRemoveHandleContext"))((HANDLE)words[0], (void *)result);
}

/* What waits is told, so that it does not write to the memory of another call. */
static void notify(const ULONG_PTR *words, INT_PTR result)
{
    const WSAOVERLAPPED *pending = (const WSAOVERLAPPED *)words[2];
    ULONGLONG start = GetTickCount64();

    ((one_fn)hostile_export("WahNotifyAllProcesses"))(notification_helper);
    while (result == WSA_IO_PENDING && *(volatile ULONG_PTR *)&pending->Internal == 0x103 &&
           GetTickCount64() - start < NET_PATIENCE)
        SleepEx(1, TRUE);
}

/* ---- the table ---- */

#define ANYTIME        .anytime = TRUE
#define HANDLE_OUT     WRITES(sizeof(HANDLE))
#define REFUSES(error) .anytime = TRUE, .refuses = (error)

/* clang-format off */
static const struct hostile_row rows[] = {
    {CALL(WSAGetLastError, FAILS_NEVER, NULL), ANYTIME},
    {CALL(WSASetLastError, FAILS_NEVER, NULL, A_NUMBER(5)), ANYTIME},
    {CALL(htonl, FAILS_NEVER, NULL, A_NUMBER(5)), ANYTIME},
    {CALL(htons, FAILS_NEVER, NULL, A_NUMBER(5)), ANYTIME},
    {CALL(ntohl, FAILS_NEVER, NULL, A_NUMBER(5)), ANYTIME},
    {CALL(ntohs, FAILS_NEVER, NULL, A_NUMBER(5)), ANYTIME},
    {CALL(freeaddrinfo, FAILS_NEVER, NULL, A_CONSTANT(0)), ANYTIME},
    {CALL(FreeAddrInfoW, FAILS_NEVER, NULL, A_CONSTANT(0)), ANYTIME},
    {CALL(FreeAddrInfoEx, FAILS_NEVER, NULL, A_CONSTANT(0)), ANYTIME},
    {CALL(FreeAddrInfoExW, FAILS_NEVER, NULL, A_CONSTANT(0)), ANYTIME},
    {CALL(WEP, FAILS_NEVER, NULL), ANYTIME},

    {CALL(WSACreateEvent, FAILS_NULL, event_errors), ANYTIME, .undo = close_result},
    {CALL(WSACloseEvent, FAILS_NULL, event_errors, A_HANDLE(event)), ANYTIME},
    {CALL(WSASetEvent, FAILS_NULL, event_errors, A_HANDLE(event)), ANYTIME},
    {CALL(WSAResetEvent, FAILS_NULL, event_errors, A_HANDLE(event)), ANYTIME},
    {CALL(WSAWaitForMultipleEvents, FAILS_MINUS_ONE, event_errors, A_NUMBER(2), READS(waitable),
          A_NUMBER(0), A_CONSTANT(0), A_NUMBER(0)), ANYTIME},

    {CALL(WSASetBlockingHook, FAILS_NULL, hook_errors, A_FUNCTION(hook)),
     .refuses = WSAEOPNOTSUPP},
    {CALL(WSAUnhookBlockingHook, FAILS_MINUS_ONE, hook_errors), .refuses = WSAEOPNOTSUPP},
    {CALL(WSACancelBlockingCall, FAILS_MINUS_ONE, hook_errors), .refuses = WSAEOPNOTSUPP},
    {CALL(WSAIsBlocking, FAILS_NEVER, NULL), ANYTIME},
    {CALL(WSApSetPostRoutine, FAILS_CODE, NULL, A_FUNCTION(PostMessageA)), ANYTIME,
     .undo = take_hook_off},
    {CALL(WPUCompleteOverlappedRequest, FAILS_ERRNO, provider_errors, A_SOCKET, AN_OVERLAPPED,
          A_NUMBER(0), A_NUMBER(0), ERROR_AT), REFUSES(WSAEINVAL)},
    {CALL(WSAAdvertiseProvider, FAILS_MINUS_ONE, provider_errors, READS(unknown), WRITES(64)),
     REFUSES(WSAEOPNOTSUPP)},
    {CALL(WSAUnadvertiseProvider, FAILS_MINUS_ONE, provider_errors, READS(unknown)),
     REFUSES(WSAEINVAL)},
    {CALL(WSAProviderCompleteAsyncCall, FAILS_MINUS_ONE, provider_errors, A_HANDLE(nowhere),
          A_NUMBER(0)), REFUSES(WSA_INVALID_HANDLE)},

    {CALL(WahOpenApcHelper, FAILS_CODE, helper_errors, HANDLE_OUT), ANYTIME},
    {CALL(WahCloseApcHelper, FAILS_CODE, helper_errors, A_HANDLE(apc_helper)), ANYTIME},
    {CALL(WahOpenCurrentThread, FAILS_CODE, helper_errors, A_HANDLE(apc_helper),
          WRITES(sizeof(thread))), ANYTIME, .undo = close_thread},
    {CALL(WahCloseThread, FAILS_CODE, helper_errors, A_HANDLE(apc_helper), UPDATES(thread)),
     ANYTIME},
    {CALL(WahQueueUserApc, FAILS_CODE, helper_errors, A_HANDLE(apc_helper), READS(thread),
          A_FUNCTION(apc), A_NUMBER(0)), ANYTIME},
    {CALL(WahOpenNotificationHandleHelper, FAILS_CODE, helper_errors, HANDLE_OUT), ANYTIME},
    {CALL(WahCloseNotificationHandleHelper, FAILS_CODE, helper_errors,
          A_HANDLE(notification_helper)), ANYTIME},
    {CALL(WahCreateNotificationHandle, FAILS_CODE, helper_errors, A_HANDLE(notification_helper),
          HANDLE_OUT), ANYTIME, .undo = close_second},
    {CALL(WahWaitForNotification, FAILS_CODE, helper_errors, A_HANDLE(notification_helper),
          A_HANDLE(notification), HOLDS(overlapped), A_ROUTINE), REFUSES(WSA_IO_PENDING),
     .singles = TRUE, .undo = notify},
    {CALL(WahNotifyAllProcesses, FAILS_CODE, helper_errors, A_HANDLE(notification_helper)),
     ANYTIME},
    {CALL(WahOpenHandleHelper, FAILS_CODE, helper_errors, HANDLE_OUT),
     REFUSES(ERROR_FILE_NOT_FOUND)},
    {CALL(WahCloseHandleHelper, FAILS_CODE, helper_errors, A_HANDLE(nowhere)),
     REFUSES(ERROR_INVALID_PARAMETER)},
    {CALL(WahCreateSocketHandle, FAILS_CODE, helper_errors, A_HANDLE(nowhere), HANDLE_OUT),
     REFUSES(ERROR_INVALID_PARAMETER)},
    {CALL(WahCloseSocketHandle, FAILS_CODE, helper_errors, A_HANDLE(nowhere), A_SOCKET),
     REFUSES(ERROR_INVALID_PARAMETER)},
    {CALL(WahCompleteRequest, FAILS_CODE, helper_errors, A_HANDLE(nowhere), A_SOCKET,
          AN_OVERLAPPED, A_NUMBER(0), A_NUMBER(0)), REFUSES(ERROR_INVALID_PARAMETER)},
    {CALL(WahEnableNonIFSHandleSupport, FAILS_CODE, helper_errors),
     REFUSES(ERROR_SERVICE_DOES_NOT_EXIST)},
    {CALL(WahDisableNonIFSHandleSupport, FAILS_CODE, helper_errors),
     REFUSES(ERROR_SERVICE_DOES_NOT_EXIST)},
    {CALL(WahWriteLSPEvent, FAILS_CODE, helper_errors, A_NUMBER(0), A_NUMBER(0)),
     REFUSES(ERROR_NOT_SUPPORTED)},
    {CALL(WahCreateHandleContextTable, FAILS_CODE, helper_errors, HANDLE_OUT), ANYTIME,
     .undo = destroy_table},
    {CALL(WahDestroyHandleContextTable, FAILS_CODE, helper_errors, A_HANDLE(nowhere)),
     REFUSES(ERROR_INVALID_PARAMETER)},
    {CALL(WahEnumerateHandleContexts, FAILS_NEVER, NULL, A_HANDLE(table),
          A_FUNCTION(visit), A_NUMBER(0)), ANYTIME},
    {CALL(WahInsertHandleContext, FAILS_NEVER, NULL, A_HANDLE(table), UPDATES(context)),
     ANYTIME, .undo = remove_context},
    {CALL(WahReferenceContextByHandle, FAILS_NEVER, NULL, A_HANDLE(table),
          A_HANDLE(context.handle)), ANYTIME},
    {CALL(WahRemoveHandleContext, FAILS_CODE, helper_errors, A_HANDLE(table), READS(context)),
     REFUSES(ERROR_INVALID_PARAMETER)},

    /* last, as a program that asked for version 1.1 may have a blocking hook */
    {CALL(WSAStartup, FAILS_CODE, startup_errors, A_NUMBER(0x202), WRITES(sizeof(WSADATA))),
     ANYTIME, .undo = clean_up},
    {CALL(WSACleanup, FAILS_MINUS_ONE, NULL), .undo = start_again},
};
/* clang-format on */

static void open_helpers(void)
{
    one_fn make = (one_fn)hostile_export("WahCreateHandleContextTable");

    ok(!((one_fn)hostile_export("WahOpenApcHelper"))(&apc_helper), "no helper\n");
    ok(!((one_fn)hostile_export("WahOpenNotificationHandleHelper"))(&notification_helper),
       "no helper\n");
    ok(!((two_fn)hostile_export("WahCreateNotificationHandle"))(notification_helper, &notification),
       "no handle\n");
    ok(!make(&table), "no table\n");
}

/* What a call may have closed is there again. */
static void make_good(void)
{
    DWORD flags;

    if (!table)
        open_helpers();
    if (!event || !SetEvent(event)) {
        event = CreateEventA(NULL, TRUE, TRUE, NULL);
        waitable[0] = waitable[1] = event;
    }
    if (!thread.handle || !GetHandleInformation(thread.handle, &flags))
        ((two_fn)hostile_export("WahOpenCurrentThread"))(apc_helper, &thread);
}

static void test_helpers(void)
{
    hostile_walk_table(rows, ARRAYSIZE(rows), make_good);
}

START_TEST(hostile_helpers)
{
    if (!hostile_begin(rows, ARRAYSIZE(rows), make_good))
        return;
    RUN(test_helpers);
    hostile_end(rows, ARRAYSIZE(rows), make_good);
}
