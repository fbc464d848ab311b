/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Wah functions, which are undocumented: what ReactOS' ws2help says of them; and what has
 * nothing to answer for it.  No Wine has them.
 */
#include "net.h"
#include <ws2spi.h>

struct context {
    LONG references;
    HANDLE handle;
    int number;
};

typedef DWORD(WINAPI *create_table_fn)(void **);
typedef DWORD(WINAPI *destroy_table_fn)(void *);
typedef BOOL(WINAPI *visitor_fn)(void *, struct context *);
typedef BOOL(WINAPI *enumerate_fn)(void *, visitor_fn, void *);
typedef struct context *(WINAPI *insert_fn)(void *, struct context *);
typedef struct context *(WINAPI *reference_fn)(void *, HANDLE);
typedef DWORD(WINAPI *remove_fn)(void *, struct context *);
typedef DWORD(WINAPI *open_fn)(HANDLE *);
typedef DWORD(WINAPI *close_fn)(HANDLE);
typedef DWORD(WINAPI *thread_fn)(HANDLE, WSATHREADID *);
typedef DWORD(WINAPI *queue_fn)(HANDLE, WSATHREADID *, LPWSAUSERAPC, void *);
typedef DWORD(WINAPI *create_fn)(HANDLE, HANDLE *);
typedef DWORD(WINAPI *wait_fn)(HANDLE, HANDLE, WSAOVERLAPPED *, LPWSAOVERLAPPED_COMPLETION_ROUTINE);
typedef DWORD(WINAPI *socket_fn)(HANDLE, SOCKET *);
typedef DWORD(WINAPI *close_socket_fn)(HANDLE, SOCKET);
typedef DWORD(WINAPI *complete_fn)(HANDLE, SOCKET, WSAOVERLAPPED *, DWORD, DWORD);
typedef DWORD(WINAPI *void_fn)(void);
typedef DWORD(WINAPI *event_fn)(DWORD, DWORD);
typedef int(WINAPI *complete_overlapped_fn)(SOCKET, WSAOVERLAPPED *, DWORD, DWORD, int *);

typedef int(WINAPI *advertise_fn)(const GUID *, void *);
typedef int(WINAPI *unadvertise_fn)(const GUID *);
typedef int(WINAPI *complete_call_fn)(HANDLE, int);

static void *ws2(const char *name)
{
    return (void *)GetProcAddress(GetModuleHandleA("ws2_32"), name);
}

/* A handle's context is found with one more reference, until it is removed. */
static void test_contexts(void)
{
    create_table_fn create = (create_table_fn)ws2("WahCreateHandleContextTable");
    destroy_table_fn destroy = (destroy_table_fn)ws2("WahDestroyHandleContextTable");
    insert_fn insert = (insert_fn)ws2("WahInsertHandleContext");
    reference_fn reference = (reference_fn)ws2("WahReferenceContextByHandle");
    remove_fn take = (remove_fn)ws2("WahRemoveHandleContext");
    struct context one = {1, (HANDLE)4, 1}, other = {1, (HANDLE)4, 2};
    void *table = NULL;

    ok(!create(&table) && table, "no table\n");
    ok(!reference(table, (HANDLE)4), "found in an empty table\n");
    ok(insert(table, &one) == &one, "not inserted\n");
    ok(reference(table, (HANDLE)4) == &one && one.references == 2, "%ld references\n",
       one.references);
    ok(insert(table, &other) == &one, "did not replace\n");
    ok(take(table, &one) != NO_ERROR, "removed what is not there\n");
    ok(take(table, &other) == NO_ERROR, "not removed\n");
    ok(!reference(table, (HANDLE)4), "still there\n");
    ok(!destroy(table), "not destroyed\n");
}

static BOOL WINAPI visit(void *argument, struct context *context)
{
    *(int *)argument += context->number;
    return context->number != 1000;
}

/* An enumeration sees all of them, unless the function says FALSE. */
static void test_enumerate(void)
{
    create_table_fn create = (create_table_fn)ws2("WahCreateHandleContextTable");
    destroy_table_fn destroy = (destroy_table_fn)ws2("WahDestroyHandleContextTable");
    insert_fn insert = (insert_fn)ws2("WahInsertHandleContext");
    enumerate_fn enumerate = (enumerate_fn)ws2("WahEnumerateHandleContexts");
    struct context some[600];
    void *table = NULL;
    int i, sum = 0;

    ok(!create(&table), "no table\n");
    for (i = 0; i < 600; i++) {
        some[i] = (struct context){1, (HANDLE)(ULONG_PTR)(4 * i + 4), 1};
        ok(insert(table, &some[i]) == &some[i], "not inserted\n");
    }
    ok(enumerate(table, visit, &sum) && sum == 600, "%d of 600\n", sum);
    some[300].number = 1000;
    ok(!enumerate(table, visit, &sum), "went on\n");
    destroy(table);
}

static LONG apcs;

static void CALLBACK apc(DWORD_PTR context)
{
    apcs += (LONG)context;
}

/* The APC helper: a thread's handle, and a call in it. */
static void test_apc(void)
{
    open_fn open = (open_fn)ws2("WahOpenApcHelper");
    close_fn close = (close_fn)ws2("WahCloseApcHelper");
    thread_fn open_thread = (thread_fn)ws2("WahOpenCurrentThread");
    thread_fn close_thread = (thread_fn)ws2("WahCloseThread");
    queue_fn queue = (queue_fn)ws2("WahQueueUserApc");
    WSATHREADID thread = {0};
    HANDLE helper = NULL;

    ok(!open(&helper) && helper, "no helper\n");
    ok(!open_thread(helper, &thread) && thread.ThreadHandle, "no thread\n");
    ok(!queue(helper, &thread, apc, (void *)7), "not queued\n");
    ok(SleepEx(1000, TRUE) == WAIT_IO_COMPLETION && apcs == 7, "%ld\n", apcs);
    ok(!close_thread(helper, &thread) && !thread.ThreadHandle, "not closed\n");
    ok(queue(helper, &thread, apc, NULL) == ERROR_INVALID_PARAMETER, "queued\n");
    ok(open_thread(NULL, &thread) == ERROR_INVALID_PARAMETER, "took another helper\n");
    ok(!close(helper), "not closed\n");
    ok(close(NULL) == ERROR_INVALID_PARAMETER, "closed another\n");
    ok(open(NULL) == ERROR_INVALID_PARAMETER, "took NULL\n");
}

/* The notification helper: what WSAProviderConfigChange uses. */
static void test_notification(void)
{
    open_fn open = (open_fn)ws2("WahOpenNotificationHandleHelper");
    close_fn close = (close_fn)ws2("WahCloseNotificationHandleHelper");
    create_fn create = (create_fn)ws2("WahCreateNotificationHandle");
    wait_fn wait = (wait_fn)ws2("WahWaitForNotification");
    close_fn notify = (close_fn)ws2("WahNotifyAllProcesses");
    WSAOVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE helper = NULL, notification = NULL;

    ok(!open(&helper) && helper, "no helper\n");
    ok(!create(helper, &notification) && notification, "no handle\n");
    ok(wait(helper, notification, &overlapped, NULL) == WSA_IO_PENDING, "not pending\n");
    ok(WaitForSingleObject(overlapped.hEvent, 100) == WAIT_TIMEOUT, "set at once\n");
    ok(!notify(helper), "not told\n");
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "not set\n");
    ok(wait(NULL, notification, &overlapped, NULL) == ERROR_INVALID_PARAMETER, "took NULL\n");
    ok(notify(NULL) == ERROR_INVALID_PARAMETER, "took NULL\n");
    ok(create(NULL, &notification) == ERROR_INVALID_PARAMETER, "took NULL\n");
    ok(!close(helper) && close(NULL) == ERROR_INVALID_PARAMETER, "closing\n");
    CloseHandle(notification);
    CloseHandle(overlapped.hEvent);
}

/* Handles that no driver has need a driver that is not started: nothing claims success. */
static void test_socket_handles(void)
{
    open_fn open = (open_fn)ws2("WahOpenHandleHelper");
    close_fn close = (close_fn)ws2("WahCloseHandleHelper");
    socket_fn create = (socket_fn)ws2("WahCreateSocketHandle");
    close_socket_fn close_socket = (close_socket_fn)ws2("WahCloseSocketHandle");
    complete_fn complete = (complete_fn)ws2("WahCompleteRequest");
    void_fn enable = (void_fn)ws2("WahEnableNonIFSHandleSupport");
    void_fn disable = (void_fn)ws2("WahDisableNonIFSHandleSupport");
    WSAOVERLAPPED overlapped = {0};
    HANDLE helper = NULL;
    SOCKET s = INVALID_SOCKET;

    ok(open(&helper) == ERROR_FILE_NOT_FOUND && !helper, "got %p\n", helper);
    ok(close(helper) == ERROR_INVALID_PARAMETER, "closed\n");
    ok(create(helper, &s) == ERROR_INVALID_PARAMETER, "created\n");
    ok(close_socket(helper, s) == ERROR_INVALID_PARAMETER, "closed\n");
    ok(complete(helper, s, &overlapped, 0, 0) == ERROR_INVALID_PARAMETER, "completed\n");
    ok(enable() == ERROR_SERVICE_DOES_NOT_EXIST, "enabled\n");
    ok(disable() == ERROR_SERVICE_DOES_NOT_EXIST, "disabled\n");
}

/* WahWriteLSPEvent: refused. */
static void test_event_log(void)
{
    event_fn write = (event_fn)ws2("WahWriteLSPEvent");

    ok(write(0, 0) == ERROR_NOT_SUPPORTED, "written\n");
}

/* WPUCompleteOverlappedRequest: "WSAEINVAL: The socket passed in the s parameter is not a valid
 * socket created by WPUCreateSocketHandle." */
static void test_complete_overlapped(void)
{
    complete_overlapped_fn complete = (complete_overlapped_fn)ws2("WPUCompleteOverlappedRequest");
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    WSAOVERLAPPED overlapped = {0};
    int error = 0;

    ok(complete(s, &overlapped, 0, 0, &error) == SOCKET_ERROR && error == WSAEINVAL, "error %d\n",
       error);
    closesocket(s);
}

/* WSAGetQOSByName: "WSAEINVAL: The specified QoS template name is invalid", since none is
 * installed. */
static void test_quality(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    char name[] = "G711";
    WSABUF buffer = {sizeof(name), name};
    QOS quality;

    WSASetLastError(0);
    ok(!WSAGetQOSByName(s, &buffer, &quality), "found\n");
    ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    WSASetLastError(0);
    ok(!WSAGetQOSByName(INVALID_SOCKET, &buffer, &quality), "found\n");
    ok(WSAGetLastError() == WSAENOTSOCK, "error %d\n", WSAGetLastError());
    closesocket(s);
}

/* Version 2 name space providers are not built: nothing claims success. */
static void test_advertise(void)
{
    advertise_fn advertise = (advertise_fn)ws2("WSAAdvertiseProvider");
    unadvertise_fn unadvertise = (unadvertise_fn)ws2("WSAUnadvertiseProvider");
    complete_call_fn complete = (complete_call_fn)ws2("WSAProviderCompleteAsyncCall");
    GUID guid = {0};
    void *routines[16] = {NULL};

    ok_error(advertise(&guid, routines), WSAEOPNOTSUPP);
    ok_error(unadvertise(&guid), WSAEINVAL);
    ok_error(complete(NULL, 0), WSA_INVALID_HANDLE);
}

/* WEP, the exit procedure of a 16-bit DLL: does nothing. */
static void test_wep(void)
{
    int(WINAPI * wep)(void) = (void *)GetProcAddress(GetModuleHandleA("ws2_32"), (char *)500);

    ok(wep && !wep(), "no WEP\n");
    ok(wep == ws2("WEP"), "not by name\n");
}

START_TEST(layered_helpers)
{
    net_start();
    if (!ws2("WahOpenApcHelper")) {
        skip("there are no such names\n");
    } else {
        RUN(test_contexts);
        RUN(test_enumerate);
        RUN(test_apc);
        RUN(test_notification);
        RUN(test_socket_handles);
        RUN(test_event_log);
        RUN(test_complete_overlapped);
        RUN(test_quality);
        RUN(test_advertise);
        RUN(test_wep);
    }
    WSACleanup();
}
