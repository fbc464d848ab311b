/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GetAddrInfoExW's asynchronous side (event, routine, timeout, cancel handle), its name spaces, and
 * SetAddrInfoEx.  Source: the pages of those functions, GetAddrInfoExOverlappedResult and
 * GetAddrInfoExCancel.
 */
#include "net.h"

typedef int(WINAPI *overlapped_result_fn)(LPOVERLAPPED);
typedef int(WINAPI *cancel_fn)(LPHANDLE);
typedef int(WINAPI *set_w_fn)(PCWSTR, PCWSTR, SOCKET_ADDRESS *, DWORD, LPBLOB, DWORD, DWORD, LPGUID,
                              PTIMEVAL, LPOVERLAPPED, LPLOOKUPSERVICE_COMPLETION_ROUTINE, LPHANDLE);
typedef int(WINAPI *set_a_fn)(PCSTR, PCSTR, SOCKET_ADDRESS *, DWORD, LPBLOB, DWORD, DWORD, LPGUID,
                              PTIMEVAL, LPOVERLAPPED, LPLOOKUPSERVICE_COMPLETION_ROUTINE, LPHANDLE);

static overlapped_result_fn overlapped_result;
static cancel_fn cancel;
static const GUID tcpip_dns = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b}};

/* An overlapped look-up and what its routine was told. */
struct call {
    OVERLAPPED overlapped;
    ADDRINFOEXW *list;
    HANDLE event;
    LONG calls;
    DWORD error;
    PVOID pointer;
    DWORD thread;
};

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped)
{
    struct call *call = (struct call *)overlapped;

    (void)bytes;
    call->error = error;
    call->pointer = overlapped->Pointer;
    call->thread = GetCurrentThreadId();
    InterlockedIncrement(&call->calls);
    SetEvent(call->event);
}

static int begin(struct call *call, const WCHAR *name, struct timeval *timeout, BOOL by_routine,
                 HANDLE *handle)
{
    ADDRINFOEXW hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

    memset(call, 0, sizeof(*call));
    call->list = (void *)0xdeadbeef;
    call->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!by_routine)
        call->overlapped.hEvent = call->event;
    return GetAddrInfoExW(name, L"80", NS_DNS, NULL, &hints, &call->list, timeout,
                          &call->overlapped, by_routine ? (void *)routine : NULL, handle);
}

static void end(struct call *call)
{
    if (call->list != (void *)0xdeadbeef)
        FreeAddrInfoExW(call->list);
    CloseHandle(call->event);
}

/* "When the event specified by hEvent has been set, the result of the operation can be retrieved by
 * calling GetAddrInfoExOverlappedResult function." */
static void test_event(void)
{
    struct call call;

    ok(begin(&call, L"localhost", NULL, FALSE, NULL) == WSA_IO_PENDING, "did not pend\n");
    ok(!WaitForSingleObject(call.event, NET_PATIENCE), "not set\n");
    ok(!overlapped_result(&call.overlapped), "got %d\n", overlapped_result(&call.overlapped));
    ok(call.list && call.list->ai_family == AF_INET, "no list\n");
    end(&call);
}

/* "When the asynchronous operation has completed, the completion routine will be invoked with
 * lpOverlapped parameter set to the value of lpOverlapped parameter passed to GetAddrInfoEx." */
static void test_routine(void)
{
    struct call call;

    ok(begin(&call, L"localhost", NULL, TRUE, NULL) == WSA_IO_PENDING, "did not pend\n");
    /* no alertable wait: it is invoked on another thread */
    ok(!WaitForSingleObject(call.event, NET_PATIENCE), "not invoked\n");
    ok(call.calls == 1 && !call.error, "%ld calls, error %lu\n", call.calls, call.error);
    ok(call.thread != GetCurrentThreadId(), "on this thread\n");
    end(&call);
}

/* "The Pointer member of the OVERLAPPED structure will be set to the value of the ppResult
 * parameter of the original call." */
static void test_pointer(void)
{
    struct call call;

    ok(begin(&call, L"localhost", NULL, TRUE, NULL) == WSA_IO_PENDING, "did not pend\n");
    ok(!WaitForSingleObject(call.event, NET_PATIENCE), "not invoked\n");
    ok(call.pointer == &call.list, "got %p, expected %p\n", call.pointer, (void *)&call.list);
    ok(call.list && call.list != (void *)0xdeadbeef, "the list is not there yet\n");
    end(&call);
}

/* "The dwError parameter passed to the completion routine will be set to a Winsock error code." */
static void test_routine_error(void)
{
    struct call call;

    ok(begin(&call, L"no-such-host.invalid", NULL, TRUE, NULL) == WSA_IO_PENDING, "not pending\n");
    ok(!WaitForSingleObject(call.event, 30000), "not invoked\n");
    ok(call.error == WSAHOST_NOT_FOUND || call.error == WSATRY_AGAIN, "got %lu\n", call.error);
    ok(!call.list, "got a list\n");
    end(&call);
}

/* "If a completion routine has been specified, the hEvent member must be NULL." */
static void test_event_and_routine(void)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    ADDRINFOEXW *list = NULL;
    int error = GetAddrInfoExW(L"localhost", NULL, NS_DNS, NULL, NULL, &list, NULL, &overlapped,
                               (void *)routine, NULL);

    ok(error == WSAEINVAL, "got %d\n", error);
    CloseHandle(overlapped.hEvent);
}

/* GetAddrInfoExOverlappedResult: "WSAEINPROGRESS" until it is done, "WSAEINVAL" without one. */
static void test_overlapped_result(void)
{
    OVERLAPPED overlapped = {.Internal = WSAEINPROGRESS};

    ok(overlapped_result(&overlapped) == WSAEINPROGRESS, "got %d\n",
       overlapped_result(&overlapped));
    ok(overlapped_result(NULL) == WSAEINVAL, "got %d\n", overlapped_result(NULL));
}

/* "An optional parameter indicating the time, in milliseconds, to wait for a response from the
 * namespace provider before aborting the call." */
static void test_timeout(void)
{
    struct timeval long_enough = {20, 0}, short_time = {0, 1}, negative = {-1, 0};
    ADDRINFOEXW *list = NULL;
    struct call call;
    int error, i;

    error = GetAddrInfoExW(L"127.0.0.1", NULL, NS_DNS, NULL, NULL, &list, &long_enough, NULL, NULL,
                           NULL);
    ok(!error && list, "got %d\n", error);
    FreeAddrInfoExW(list);
    /* whichever is first, answer or time, it is told once and there is a list or none */
    for (i = 0; i < 8; i++) {
        ok(begin(&call, L"localhost", &short_time, TRUE, NULL) == WSA_IO_PENDING, "not pending\n");
        ok(!WaitForSingleObject(call.event, NET_PATIENCE), "not invoked\n");
        ok(!call.error || call.error == WSAETIMEDOUT, "got %lu\n", call.error);
        todo_wine_if(call.error)
            ok(!call.list == (call.error != 0), "list %p\n", (void *)call.list);
        Sleep(5);
        ok(call.calls == 1, "%ld calls\n", call.calls);
        end(&call);
    }
    error =
        GetAddrInfoExW(L"127.0.0.1", NULL, NS_DNS, NULL, NULL, &list, &negative, NULL, NULL, NULL);
    todo_wine ok(error == WSAEINVAL, "got %d\n", error);
    if (!error)
        FreeAddrInfoExW(list);
}

/* GetAddrInfoExCancel: "the original operation's completion routine ... or event will be invoked
 * with WSA_E_CANCELLED". */
static void test_cancel(void)
{
    HANDLE handle;
    struct call call;
    int error, i;

    if (on_builtin()) {
        skip("the built-in cannot cancel\n");
        return;
    }
    for (i = 0; i < 8; i++) {
        handle = NULL;
        ok(begin(&call, i & 1 ? L"localhost" : L"no-such-host.invalid", NULL, TRUE, &handle) ==
               WSA_IO_PENDING,
           "not pending\n");
        ok(handle != NULL, "no handle\n");
        error = cancel(&handle);
        ok(!WaitForSingleObject(call.event, NET_PATIENCE), "not invoked\n");
        if (!error)
            ok(call.error == WSA_E_CANCELLED && !call.list, "error %lu\n", call.error);
        else
            ok(error == WSA_INVALID_HANDLE && call.error != WSA_E_CANCELLED, "got %d, %lu\n", error,
               call.error);
        ok(call.calls == 1, "%ld calls\n", call.calls);
        end(&call);
    }
}

/* "The handle returned is valid when GetAddrInfoEx returns until the completion routine is called,
 * the event is triggered, or GetAddrInfoExCancel function is called with this handle." */
static void test_handle_ends(void)
{
    HANDLE handle = NULL;
    struct call call;

    ok(begin(&call, L"localhost", NULL, FALSE, &handle) == WSA_IO_PENDING, "not pending\n");
    ok(!WaitForSingleObject(call.event, NET_PATIENCE), "not set\n");
    ok(cancel(&handle) == WSA_INVALID_HANDLE, "still valid\n");
    ok(!overlapped_result(&call.overlapped), "got %d\n", overlapped_result(&call.overlapped));
    end(&call);
}

/* "The lpNspId parameter should be set to the GUID of the specific namespace provider if only a
 * single namespace provider is to be queried." */
static void test_provider(void)
{
    GUID dns = tcpip_dns, unknown = {0};
    ADDRINFOEXW *list = NULL;
    int error =
        GetAddrInfoExW(L"127.0.0.1", NULL, NS_DNS, &dns, NULL, &list, NULL, NULL, NULL, NULL);

    ok(!error && list, "got %d\n", error);
    if (!error)
        FreeAddrInfoExW(list);
    list = NULL;
    error =
        GetAddrInfoExW(L"127.0.0.1", NULL, NS_DNS, &unknown, NULL, &list, NULL, NULL, NULL, NULL);
    todo_wine ok(error == WSASERVICE_NOT_FOUND, "got %d\n", error);
    FreeAddrInfoExW(list);
}

/* "WSASERVICE_NOT_FOUND: ... the namespace specified in the dwNameSpace parameter is not
 * installed." */
static void test_name_space(void)
{
    ADDRINFOEXW *list = NULL;
    int error =
        GetAddrInfoExW(L"127.0.0.1", NULL, 0xdead, NULL, NULL, &list, NULL, NULL, NULL, NULL);

    todo_wine ok(error == WSASERVICE_NOT_FOUND, "got %d\n", error);
    if (!error)
        FreeAddrInfoExW(list);
}

static void *ws2(const char *name)
{
    return (void *)GetProcAddress(GetModuleHandleA("ws2_32"), name);
}

typedef int(WINAPI *get_a_fn)(PCSTR, PCSTR, DWORD, LPGUID, const ADDRINFOEXA *, PADDRINFOEXA *,
                              PTIMEVAL, LPOVERLAPPED, LPLOOKUPSERVICE_COMPLETION_ROUTINE, LPHANDLE);

/* GetAddrInfoExA: "The timeout, lpOverlapped, lpCompletionRoutine, and lpNameHandle parameters must
 * be set to NULL"; FreeAddrInfoEx frees its list. */
static void test_ansi(void)
{
    get_a_fn get = (get_a_fn)ws2("GetAddrInfoExA");
    struct timeval second = {1, 0};
    ADDRINFOEXA *list = NULL;

    if (!get) {
        skip("GetAddrInfoExA is not there\n");
        return;
    }
    ok(!get("127.0.0.1", "80", NS_DNS, NULL, NULL, &list, NULL, NULL, NULL, NULL) && list,
       "error %d\n", WSAGetLastError());
    FreeAddrInfoEx(list);
    ok(get("127.0.0.1", "80", NS_DNS, NULL, NULL, &list, &second, NULL, NULL, NULL) == WSAEINVAL,
       "error %d\n", WSAGetLastError());
}

/* SetAddrInfoEx: "WSAEINVAL: ... if any of the reserved parameters are not NULL." */
static void test_set_reserved(void)
{
    set_w_fn set = (set_w_fn)ws2("SetAddrInfoExW");
    set_a_fn set_a = (set_a_fn)ws2("SetAddrInfoExA");
    OVERLAPPED overlapped = {0};
    struct timeval second = {1, 0};

    if (!set || !set_a) {
        skip("SetAddrInfoEx is not there\n");
        return;
    }
    ok(set(L"x", NULL, NULL, 0, NULL, 0, NS_DNS, NULL, &second, NULL, NULL, NULL) == WSAEINVAL &&
           WSAGetLastError() == WSAEINVAL,
       "error %d\n", WSAGetLastError());
    ok(set_a("x", NULL, NULL, 0, NULL, 0, NS_DNS, NULL, NULL, &overlapped, NULL, NULL) == WSAEINVAL,
       "error %d\n", WSAGetLastError());
}

/* "The default NS_DNS, NS_PNRPNAME, and NS_PNRPNAME namespace providers do not currently support
 * name registration." */
static void test_set_is_refused(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    SOCKET_ADDRESS address = {(SOCKADDR *)&in, sizeof(in)};
    set_w_fn set = (set_w_fn)ws2("SetAddrInfoExW");
    set_a_fn set_a = (set_a_fn)ws2("SetAddrInfoExA");
    int error;

    if (!set || !set_a) {
        skip("SetAddrInfoEx is not there\n");
        return;
    }
    error = set(L"x", NULL, &address, 1, NULL, 0, NS_DNS, NULL, NULL, NULL, NULL, NULL);
    ok(error && error == WSAGetLastError(), "got %d, error %d\n", error, WSAGetLastError());
    error = set_a("x", NULL, &address, 1, NULL, 0, NS_ALL, NULL, NULL, NULL, NULL, NULL);
    ok(error && error == WSAGetLastError(), "got %d, error %d\n", error, WSAGetLastError());
}

START_TEST(addrinfo_ex)
{
    net_start();
    overlapped_result = (overlapped_result_fn)ws2("GetAddrInfoExOverlappedResult");
    cancel = (cancel_fn)ws2("GetAddrInfoExCancel");
    RUN(test_event);
    RUN(test_routine);
    RUN(test_pointer);
    RUN(test_routine_error);
    RUN(test_event_and_routine);
    RUN(test_overlapped_result);
    RUN(test_timeout);
    RUN(test_cancel);
    RUN(test_handle_ends);
    RUN(test_provider);
    RUN(test_name_space);
    RUN(test_ansi);
    RUN(test_set_reserved);
    RUN(test_set_is_refused);
    WSACleanup();
}
