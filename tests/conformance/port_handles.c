/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program does to a SOCKET, or to a port with sockets, through calls that take any handle.
 * Sources: the pages of CreateIoCompletionPort, SetFileCompletionNotificationModes, CancelIo,
 * CancelIoEx, CloseHandle, DuplicateHandle, CreateThread/ExitThread ("Canceling Pending I/O").
 */
#include "net.h"

#define KEY 0x55

struct receive {
    OVERLAPPED ov;
    WSABUF buf;
    char buffer[16];
};

static void post_receive(SOCKET s, struct receive *receive)
{
    DWORD flags = 0;

    memset(receive, 0, sizeof(*receive));
    receive->buf.len = sizeof(receive->buffer);
    receive->buf.buf = receive->buffer;
    ok_error(WSARecv(s, &receive->buf, 1, NULL, &flags, &receive->ov, NULL), WSA_IO_PENDING);
}

static HANDLE new_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);

    ok(port != NULL, "error %lu\n", GetLastError());
    return port;
}

static void associate(HANDLE file, HANDLE port, ULONG_PTR key)
{
    ok(CreateIoCompletionPort(file, port, key, 0) == port, "error %lu\n", GetLastError());
}

/* The packet of this OVERLAPPED; 0 is success. */
static void ok_packet_(int line, HANDLE port, const OVERLAPPED *ov, DWORD error)
{
    OVERLAPPED *got = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    BOOL result = GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE);
    DWORD got_error = result ? 0 : GetLastError();

    ok_(__FILE__, line)(got == ov && key == KEY && got_error == error,
                        "got %p, key %lx, error %lu\n", (void *)got, (DWORD)key, got_error);
}
#define ok_packet(port, ov, error) ok_packet_(__LINE__, port, ov, error)

static void ok_nothing_(int line, HANDLE port, DWORD timeout)
{
    OVERLAPPED *got = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;

    ok_(__FILE__, line)(!GetQueuedCompletionStatus(port, &bytes, &key, &got, timeout) && !got &&
                            GetLastError() == WAIT_TIMEOUT,
                        "got %p, key %lx, error %lu\n", (void *)got, (DWORD)key, GetLastError());
}
#define ok_nothing(port) ok_nothing_(__LINE__, port, 30)

/* "The function fails" for each; "a file handle ... cannot be associated with more than one port"
 */
static void test_wrong(void)
{
    HANDLE port = new_port(), other = new_port(), event = CreateEventA(NULL, TRUE, FALSE, NULL);
    SOCKET a, b;

    net_pair(&a, &b);
    SetLastError(0xdead);
    ok(!CreateIoCompletionPort((HANDLE)b, event, KEY, 0) && GetLastError() == ERROR_INVALID_HANDLE,
       "an event as port: error %lu\n", GetLastError());
    SetLastError(0xdead);
    ok(!CreateIoCompletionPort((HANDLE)b, (HANDLE)(ULONG_PTR)0xdead0, KEY, 0) &&
           GetLastError() == ERROR_INVALID_HANDLE,
       "no handle as port: error %lu\n", GetLastError());
    associate((HANDLE)b, port, KEY);
    SetLastError(0xdead);
    ok(!CreateIoCompletionPort((HANDLE)b, port, KEY, 0) &&
           GetLastError() == ERROR_INVALID_PARAMETER,
       "a second time: error %lu\n", GetLastError());
    SetLastError(0xdead);
    ok(!CreateIoCompletionPort((HANDLE)b, other, KEY, 0) &&
           GetLastError() == ERROR_INVALID_PARAMETER,
       "a second port: error %lu\n", GetLastError());
    closesocket(a);
    closesocket(b);
    SetLastError(0xdead);
    ok(!CreateIoCompletionPort((HANDLE)b, port, KEY, 0), "a closed socket was associated\n");
    CloseHandle(port);
    CloseHandle(other);
    CloseHandle(event);
}

/* A new port may have the number of one that was closed. */
static void test_again(void)
{
    struct receive receive;
    SOCKET a, b;
    int i;

    for (i = 0; i < 50; i++) {
        HANDLE port = new_port();

        net_pair(&a, &b);
        associate((HANDLE)b, port, KEY);
        post_receive(b, &receive);
        net_send_all(a, "x", 1);
        ok_packet(port, &receive.ov, 0);
        if (i % 2)
            CloseHandle(port);
        closesocket(a);
        closesocket(b);
        if (!(i % 2))
            CloseHandle(port);
    }
}

/* in either order */
static void ok_aborted_both(HANDLE port, const OVERLAPPED *first, const OVERLAPPED *second)
{
    OVERLAPPED *got[2] = {NULL, NULL};
    ULONG_PTR key;
    DWORD bytes;
    int i;

    for (i = 0; i < 2; i++)
        ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got[i], NET_PATIENCE) && got[i] &&
               GetLastError() == ERROR_OPERATION_ABORTED,
           "got %p, error %lu\n", (void *)got[i], GetLastError());
    ok((got[0] == first && got[1] == second) || (got[0] == second && got[1] == first),
       "got %p and %p\n", (void *)got[0], (void *)got[1]);
}

static void test_cancel(void)
{
    HANDLE port = new_port();
    struct receive first, second;
    DWORD error;
    BOOL found;
    SOCKET a, b;

    net_pair(&a, &b);
    associate((HANDLE)b, port, KEY);
    SetLastError(0xdead);
    found = CancelIoEx((HANDLE)b, NULL);
    error = GetLastError();
    todo_wine_if(found) ok(!found && error == ERROR_NOT_FOUND, "got %d, error %lu\n", found, error);
    post_receive(b, &first);
    post_receive(b, &second);
    ok(CancelIoEx((HANDLE)b, &second.ov), "error %lu\n", GetLastError());
    ok_packet(port, &second.ov, ERROR_OPERATION_ABORTED);
    SetLastError(0xdead);
    ok(!CancelIoEx((HANDLE)b, &second.ov) && GetLastError() == ERROR_NOT_FOUND, "error %lu\n",
       GetLastError());
    ok_nothing(port);
    post_receive(b, &second);
    ok(CancelIo((HANDLE)b), "error %lu\n", GetLastError());
    ok_aborted_both(port, &first.ov, &second.ov);
    ok_nothing(port);
    post_receive(b, &first);
    net_send_all(a, "alive", 5);
    ok_packet(port, &first.ov, 0);
    ok(!memcmp(first.buffer, "alive", 5), "got %.5s\n", first.buffer);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* CloseHandle ends a socket too: the peer sees the end, a pending operation completes. */
static void test_close_handle(void)
{
    HANDLE port = new_port();
    OVERLAPPED *got = NULL;
    struct receive receive;
    ULONG_PTR key = 0;
    char buffer[4];
    DWORD bytes;
    SOCKET a, b;

    net_pair(&a, &b);
    associate((HANDLE)b, port, KEY);
    post_receive(b, &receive);
    ok(CloseHandle((HANDLE)b), "error %lu\n", GetLastError());
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE) && got == &receive.ov &&
           key == KEY,
       "got %p\n", (void *)got);
    ok(recv(a, buffer, sizeof(buffer), 0) <= 0, "data came\n");
    ok_error(send(b, "x", 1, 0), WSAENOTSOCK);
    closesocket(a);
    CloseHandle(port);
}

/* "Once a mode is set ... it cannot be removed"; only calls that succeed at once skip the packet.
 */
static void test_modes(void)
{
    HANDLE port = new_port();
    struct receive receive;
    DWORD flags = 0, bytes = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    associate((HANDLE)b, port, KEY);
    ok(SetFileCompletionNotificationModes((HANDLE)b, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS),
       "error %lu\n", GetLastError());
    ok(SetFileCompletionNotificationModes((HANDLE)b, FILE_SKIP_SET_EVENT_ON_HANDLE), "error %lu\n",
       GetLastError());
    ok(SetFileCompletionNotificationModes((HANDLE)b, 0), "error %lu\n", GetLastError());
    post_receive(b, &receive);
    net_send_all(a, "later", 5);
    ok_packet(port, &receive.ov, 0);
    net_send_all(a, "now", 3);
    net_arrived(b, 3);
    ok_success(WSARecv(b, &receive.buf, 1, &bytes, &flags, &receive.ov, NULL));
    ok(bytes == 3, "got %lu\n", bytes);
    ok_nothing(port);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* A duplicate is the same port, however it was made, also after the first handle is gone. */
static void test_duplicate(void)
{
    HANDLE self =
        OpenProcess(PROCESS_DUP_HANDLE | PROCESS_QUERY_INFORMATION, FALSE, GetCurrentProcessId());
    HANDLE port = new_port(), second, third;
    struct receive receive;
    SOCKET a, b;

    ok(self != NULL, "error %lu\n", GetLastError());
    net_pair(&a, &b);
    ok(DuplicateHandle(self, port, self, &second, 0, FALSE, DUPLICATE_SAME_ACCESS), "error %lu\n",
       GetLastError());
    associate((HANDLE)b, second, KEY);
    post_receive(b, &receive);
    net_send_all(a, "one", 3);
    ok_packet(port, &receive.ov, 0);
    ok(DuplicateHandle(GetCurrentProcess(), port, GetCurrentProcess(), &third, 0, FALSE,
                       DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE),
       "error %lu\n", GetLastError());
    post_receive(b, &receive);
    net_send_all(a, "two", 3);
    ok_packet(third, &receive.ov, 0);
    CloseHandle(second);
    post_receive(b, &receive);
    net_send_all(a, "three", 5);
    ok_packet(third, &receive.ov, 0);
    ok_nothing(third);
    closesocket(a);
    closesocket(b);
    CloseHandle(third);
    CloseHandle(self);
}

struct issuer {
    SOCKET s;
    struct receive receive;
};

static DWORD WINAPI issuer_main(void *argument)
{
    struct issuer *issuer = argument;

    post_receive(issuer->s, &issuer->receive);
    return 0;
}

/* ExitThread: I/O of a thread that exits is cancelled, except what is associated with a port. */
static void test_thread_exit(void)
{
    HANDLE port = new_port(), thread;
    struct issuer issuer;
    SOCKET a, b;

    net_pair(&a, &b);
    associate((HANDLE)b, port, KEY);
    issuer.s = b;
    thread = CreateThread(NULL, 0, issuer_main, &issuer, 0, NULL);
    ok(!WaitForSingleObject(thread, NET_PATIENCE), "still runs\n");
    CloseHandle(thread);
    ok_nothing(port);
    net_send_all(a, "x", 1);
    ok_packet(port, &issuer.receive.ov, 0);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* A pipe on the port of a socket: each gets its packets. */
static void test_pipe(void)
{
    HANDLE port = new_port(), file;
    HANDLE pipe =
        CreateNamedPipeA("\\\\.\\pipe\\ringsock-port-handles",
                         PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1, 64, 64, 0, NULL);
    struct receive receive;
    OVERLAPPED ov = {0};
    char buffer[16];
    DWORD bytes;
    SOCKET a, b;

    ok(pipe != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    file = CreateFileA("\\\\.\\pipe\\ringsock-port-handles", GENERIC_READ | GENERIC_WRITE, 0, NULL,
                       OPEN_EXISTING, 0, NULL);
    ok(file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    net_pair(&a, &b);
    associate((HANDLE)b, port, KEY);
    ok_nothing(port);
    /* from here on something completes here that is no socket */
    associate(pipe, port, KEY);
    ReadFile(pipe, buffer, sizeof(buffer), NULL, &ov);
    post_receive(b, &receive);
    ok_nothing(port);
    ok(WriteFile(file, "pipe", 4, &bytes, NULL), "error %lu\n", GetLastError());
    ok_packet(port, &ov, 0);
    net_send_all(a, "x", 1);
    ok_packet(port, &receive.ov, 0);
    CloseHandle(file);
    CloseHandle(pipe);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

START_TEST(port_handles)
{
    net_start();
    RUN(test_wrong);
    RUN(test_again);
    RUN(test_cancel);
    RUN(test_close_handle);
    RUN(test_modes);
    RUN(test_duplicate);
    RUN(test_thread_exit);
    RUN(test_pipe);
    WSACleanup();
}
