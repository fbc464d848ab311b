/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What kernel32, the thread pool and ntdll do with a socket beside reading and writing
 * (read_file.c) and a program's own completion port (iocp.c, port_handles.c). Sources: the pages of
 * CreateThreadpoolIo, StartThreadpoolIo, CancelThreadpoolIo, WaitForThreadpoolIoCallbacks,
 * BindIoCompletionCallback, GetOverlappedResultEx and CreateIoCompletionPort;
 * FileReplaceCompletionInformation: FILE_INFORMATION_CLASS of the kernel's pages, and asio, whose
 * sockets leave their port by it ("release()", Windows 8.1).
 */
#include "nt_io.h"

#define FILE_COMPLETION_MODES   ((FILE_INFORMATION_CLASS)41)
#define FILE_REPLACE_COMPLETION ((FILE_INFORMATION_CLASS)61)

NTSTATUS NTAPI NtQueryObject(HANDLE handle, OBJECT_INFORMATION_CLASS class, void *information,
                             ULONG length, ULONG *returned);

static SOCKET a, b;

static int receive(WSAOVERLAPPED *ov, char *buffer, ULONG size)
{
    WSABUF buf = {size, buffer};
    DWORD flags = 0;

    return WSARecv(a, &buf, 1, NULL, &flags, ov, NULL) ? WSAGetLastError() : 0;
}

static void begin(void)
{
    net_pair(&a, &b);
}

static void end(void)
{
    closesocket(a);
    closesocket(b);
}

/* ---- the thread pool ---- */

struct told {
    HANDLE event;
    ULONG result;
    DWORD bytes;
    void *overlapped;
    LONG volatile calls;
};

static void CALLBACK on_io(TP_CALLBACK_INSTANCE *instance, void *context, void *overlapped,
                           ULONG result, ULONG_PTR bytes, TP_IO *io)
{
    struct told *told = context;

    (void)instance;
    (void)io;
    told->result = result;
    told->bytes = (DWORD)bytes;
    told->overlapped = overlapped;
    InterlockedIncrement(&told->calls);
    SetEvent(told->event);
}

static void expect_told(struct told *told, void *overlapped, ULONG result, DWORD bytes)
{
    ok(WaitForSingleObject(told->event, NET_PATIENCE) == WAIT_OBJECT_0, "no callback\n");
    ok(told->overlapped == overlapped && told->result == result && told->bytes == bytes,
       "%p, result %lu, %lu bytes\n", told->overlapped, told->result, told->bytes);
}

/* "You must call this function before initiating each asynchronous I/O operation on the file handle
 * bound to the I/O completion object." */
static void test_threadpool_io(void)
{
    struct told told = {.event = CreateEventA(NULL, FALSE, FALSE, NULL)};
    WSAOVERLAPPED ov = {0};
    char buffer[8];
    int i, error;
    TP_IO *io;

    begin();
    io = CreateThreadpoolIo((HANDLE)a, on_io, &told, NULL);
    ok(io != NULL, "error %lu\n", GetLastError());
    for (i = 0; i < 50; i++) {
        StartThreadpoolIo(io);
        if (i % 2)
            net_send_all(b, "data", 4);
        error = receive(&ov, buffer, sizeof(buffer));
        ok(!error || error == WSA_IO_PENDING, "error %d\n", error);
        if (!(i % 2))
            net_send_all(b, "data", 4);
        expect_told(&told, &ov, 0, 4);
        ok(!memcmp(buffer, "data", 4), "got %.4s\n", buffer);
    }
    /* one that fails at once "must call CancelThreadpoolIo" */
    StartThreadpoolIo(io);
    ok(receive(&ov, NULL, 1) == WSAEFAULT, "error %d\n", WSAGetLastError());
    CancelThreadpoolIo(io);
    StartThreadpoolIo(io);
    ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    ok(CancelIoEx((HANDLE)a, (OVERLAPPED *)&ov), "error %lu\n", GetLastError());
    expect_told(&told, &ov, ERROR_OPERATION_ABORTED, 0);
    WaitForThreadpoolIoCallbacks(io, FALSE);
    ok(told.calls == 51, "%ld callbacks\n", told.calls);
    end();
    CloseThreadpoolIo(io);
    CloseHandle(told.event);
}

/* closesocket with an operation under way: its callback comes; CloseThreadpoolIo: "you should close
 * the associated file handle and wait for all outstanding overlapped I/O operations" before it. */
static void test_threadpool_close(void)
{
    struct told told = {.event = CreateEventA(NULL, FALSE, FALSE, NULL)};
    WSAOVERLAPPED ov = {0};
    char buffer[8];
    TP_IO *io;

    begin();
    io = CreateThreadpoolIo((HANDLE)a, on_io, &told, NULL);
    StartThreadpoolIo(io);
    ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    closesocket(a);
    todo_wine ok(WaitForSingleObject(told.event, NET_PATIENCE) == WAIT_OBJECT_0 &&
                     told.result == ERROR_CONNECTION_ABORTED && !told.bytes,
                 "result %lu, %lu bytes\n", told.result, told.bytes);
    WaitForThreadpoolIoCallbacks(io, FALSE);
    ok(told.calls == 1, "%ld callbacks\n", told.calls);
    CloseThreadpoolIo(io);
    closesocket(b);
    CloseHandle(told.event);
}

static struct told bound;

static void CALLBACK on_bound(DWORD error, DWORD bytes, OVERLAPPED *overlapped)
{
    bound.result = error;
    bound.bytes = bytes;
    bound.overlapped = overlapped;
    SetEvent(bound.event);
}

/* BindIoCompletionCallback: "Associates the I/O completion port owned by the thread pool with the
 * specified file handle." */
static void test_bound_callback(void)
{
    WSAOVERLAPPED ov = {0};
    char buffer[8];
    WSABUF buf = {4, "data"};
    int i;

    bound.event = CreateEventA(NULL, FALSE, FALSE, NULL);
    begin();
    ok(BindIoCompletionCallback((HANDLE)a, on_bound, 0), "error %lu\n", GetLastError());
    for (i = 0; i < 20; i++) {
        ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
        net_send_all(b, "data", 4);
        expect_told(&bound, &ov, 0, 4);
    }
    ok(!WSASend(a, &buf, 1, NULL, 0, &ov, NULL), "error %d\n", WSAGetLastError());
    expect_told(&bound, &ov, 0, 4);
    ok(!CreateIoCompletionPort((HANDLE)a, CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0),
                               0, 0) &&
           GetLastError() == ERROR_INVALID_PARAMETER,
       "a second port, error %lu\n", GetLastError());
    end();
    CloseHandle(bound.event);
}

/* ---- GetOverlappedResultEx ---- */

static void CALLBACK set_flag(ULONG_PTR flag)
{
    *(BOOL *)flag = TRUE;
}

static void test_result_ex(void)
{
    WSAOVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    BOOL called = FALSE;
    char buffer[8];
    DWORD bytes = 0;

    begin();
    ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    /* "If dwMilliseconds is zero and the operation is still in progress ... ERROR_IO_INCOMPLETE" */
    ok(!GetOverlappedResultEx((HANDLE)a, (OVERLAPPED *)&ov, &bytes, 0, FALSE) &&
           GetLastError() == ERROR_IO_INCOMPLETE,
       "error %lu\n", GetLastError());
    /* "If dwMilliseconds is nonzero ... the time-out interval elapses ... WAIT_TIMEOUT" */
    ok(!GetOverlappedResultEx((HANDLE)a, (OVERLAPPED *)&ov, &bytes, 30, FALSE) &&
           GetLastError() == WAIT_TIMEOUT,
       "error %lu\n", GetLastError());
    /* "If bAlertable is TRUE ... the system queues an I/O completion routine or an APC ...
     * WAIT_IO_COMPLETION" */
    QueueUserAPC(set_flag, GetCurrentThread(), (ULONG_PTR)&called);
    ok(!GetOverlappedResultEx((HANDLE)a, (OVERLAPPED *)&ov, &bytes, INFINITE, TRUE) &&
           GetLastError() == WAIT_IO_COMPLETION && called,
       "error %lu, called %d\n", GetLastError(), called);
    net_send_all(b, "data", 4);
    ok(GetOverlappedResultEx((HANDLE)a, (OVERLAPPED *)&ov, &bytes, NET_PATIENCE, FALSE) &&
           bytes == 4,
       "%lu bytes, error %lu\n", bytes, GetLastError());
    end();
    CloseHandle(ov.hEvent);
}

/* ---- another port, or none ---- */

struct completion_information {
    HANDLE port;
    ULONG_PTR key;
};

static NTSTATUS replace(HANDLE port, ULONG_PTR key)
{
    struct completion_information information = {port, key};
    IO_STATUS_BLOCK iosb;

    return NtSetInformationFile((HANDLE)a, &iosb, &information, sizeof(information),
                                FILE_REPLACE_COMPLETION);
}

static void expect_packet(HANDLE port, ULONG_PTR key, WSAOVERLAPPED *ov)
{
    OVERLAPPED *got = NULL;
    ULONG_PTR got_key = 0;
    DWORD bytes = 0;

    ok(GetQueuedCompletionStatus(port, &bytes, &got_key, &got, NET_PATIENCE), "error %lu\n",
       GetLastError());
    ok(got == (OVERLAPPED *)ov && got_key == key && bytes == 4, "%p, key %lu, %lu bytes\n",
       (void *)got, (ULONG)got_key, bytes);
}

static void expect_nothing(HANDLE port)
{
    OVERLAPPED *got = NULL;
    ULONG_PTR key;
    DWORD bytes;

    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 50) && !got, "a packet for %p\n",
       (void *)got);
}

/* What begins after the change is told to the new port, or by its event only. */
static void test_replace_port(void)
{
    HANDLE first = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    HANDLE second = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    WSAOVERLAPPED ov = {0};
    char buffer[8];

    if (on_builtin()) /* does not know it: STATUS_NOT_IMPLEMENTED on 8.0 */
        return;
    begin();
    ok(CreateIoCompletionPort((HANDLE)a, first, 1, 0) == first, "error %lu\n", GetLastError());
    ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    net_send_all(b, "data", 4);
    expect_packet(first, 1, &ov);

    ok_status(replace(second, 2), 0);
    ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    net_send_all(b, "data", 4);
    expect_packet(second, 2, &ov);
    expect_nothing(first);

    ok_status(replace(NULL, 0), 0);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    net_send_all(b, "data", 4);
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "its event is not set\n");
    expect_nothing(second);

    /* "a file can be associated with a port again" now */
    ok(CreateIoCompletionPort((HANDLE)a, first, 3, 0) == first, "error %lu\n", GetLastError());
    ov.hEvent = NULL;
    ok(receive(&ov, buffer, sizeof(buffer)) == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    net_send_all(b, "data", 4);
    expect_packet(first, 3, &ov);
    ok(replace((HANDLE)b, 4) < 0, "a socket is no port\n");
    end();
    CloseHandle(first);
    CloseHandle(second);
}

/* ---- what is asked of a handle ---- */

static void test_queries(void)
{
    struct {
        UNICODE_STRING name;
        WCHAR text[64];
    } type = {0};
    IO_STATUS_BLOCK iosb;
    ULONG modes = 0xdead;
    DWORD flags = 0;

    begin();
    ok(GetFileType((HANDLE)a) == FILE_TYPE_PIPE, "type %lu\n", GetFileType((HANDLE)a));
    ok(GetHandleInformation((HANDLE)a, &flags) && flags == HANDLE_FLAG_INHERIT, "flags %lx\n",
       flags);
    ok(!NtQueryObject((HANDLE)a, 2 /* ObjectTypeInformation */, &type, sizeof(type), NULL) &&
           !_wcsicmp(type.name.Buffer, L"File"),
       "type %ls\n", type.name.Buffer);
    ok(SetFileCompletionNotificationModes((HANDLE)a, FILE_SKIP_SET_EVENT_ON_HANDLE), "error %lu\n",
       GetLastError());
    ok(!NtQueryInformationFile((HANDLE)a, &iosb, &modes, sizeof(modes), FILE_COMPLETION_MODES) &&
           modes == FILE_SKIP_SET_EVENT_ON_HANDLE && iosb.Information == sizeof(modes),
       "modes %lx\n", modes);
    /* FILE_TYPE_PIPE is "a socket, a named pipe, or an anonymous pipe" (GetFileType); programs tell a
     * socket from the others by what only those answer */
    ok(!GetNamedPipeInfo((HANDLE)a, &flags, NULL, NULL, NULL), "a pipe, flags %lx\n", flags);
    ok(!GetNamedPipeHandleStateW((HANDLE)a, &flags, NULL, NULL, NULL, NULL, 0), "a pipe's state\n");
    ok(!PeekNamedPipe((HANDLE)a, NULL, 0, NULL, &flags, NULL), "peeked as a pipe: %lu\n", flags);
    end();
}

START_TEST(socket_handle)
{
    net_start();
    RUN(test_threadpool_io);
    RUN(test_threadpool_close);
    RUN(test_bound_callback);
    RUN(test_result_ex);
    RUN(test_replace_port);
    RUN(test_queries);
    WSACleanup();
}
