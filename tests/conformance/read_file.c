/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets as file handles: ReadFile, WriteFile, their Ex forms, and what kernel32 and the C library
 * make of them.
 * Sources: "Socket Handles" (Winsock's pages): "A socket handle can optionally be a file handle...
 * used with ReadFile, WriteFile"; the pages of ReadFile, ReadFileEx, GetOverlappedResult,
 * SetFileCompletionNotificationModes, CancelIoEx, CancelSynchronousIo and ReadFileScatter; the
 * statuses, and that a file for overlapped I/O must be told an offset: Wine's test_read_write for
 * AFD, run on Windows.
 */
#include "nt_io.h"

#include <fcntl.h>
#include <io.h>

static SOCKET client, server; /* server: what accept made, so overlapped */

static void begin(DWORD flags)
{
    net_pair_flags(AF_INET, flags, &client, &server);
}

static void end(void)
{
    closesocket(client);
    closesocket(server);
}

/* ---- synchronous: sockets without WSA_FLAG_OVERLAPPED ---- */

static void test_synchronous(void)
{
    char buffer[8] = "";
    DWORD count = 0;

    begin(0);
    ok(WriteFile((HANDLE)client, "data", 4, &count, NULL) && count == 4, "%lu, error %lu\n", count,
       GetLastError());
    ok(net_recv_all(server, buffer, 4) == 4 && !memcmp(buffer, "data", 4), "error\n");
    net_send_all(server, "reply", 5);
    ok(ReadFile((HANDLE)client, buffer, sizeof(buffer), &count, NULL), "error %lu\n",
       GetLastError());
    ok(count == 5 && !memcmp(buffer, "reply", 5), "%lu bytes\n", count);
    shutdown(server, SD_SEND);
    ok(ReadFile((HANDLE)client, buffer, sizeof(buffer), &count, NULL) && !count,
       "the end: %lu, error %lu\n", count, GetLastError());
    end();
}

struct reader {
    HANDLE file;
    char buffer[8];
    DWORD count, error;
    BOOL result;
};

static DWORD WINAPI read_thread(void *arg)
{
    struct reader *reader = arg;

    reader->result =
        ReadFile(reader->file, reader->buffer, sizeof(reader->buffer), &reader->count, NULL);
    reader->error = GetLastError();
    return 0;
}

static HANDLE start_reader(struct reader *reader)
{
    HANDLE thread;

    memset(reader, 0, sizeof(*reader));
    reader->file = (HANDLE)client;
    thread = CreateThread(NULL, 0, read_thread, reader, 0, NULL);
    ok(WaitForSingleObject(thread, 100) == WAIT_TIMEOUT, "does not wait\n");
    return thread;
}

/* Even of a nonblocking socket, and however short its time-out is. */
static void test_always_blocks(void)
{
    struct reader reader;
    DWORD timeout = 20;
    HANDLE thread;

    begin(0);
    net_nonblocking(client, 1);
    thread = start_reader(&reader);
    net_send_all(server, "x", 1);
    net_finish(thread);
    ok(reader.result && reader.count == 1 && reader.buffer[0] == 'x', "%lu bytes, error %lu\n",
       reader.count, reader.error);
    net_nonblocking(client, 0);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout));
    thread = start_reader(&reader);
    net_send_all(server, "y", 1);
    net_finish(thread);
    ok(reader.result && reader.buffer[0] == 'y', "error %lu\n", reader.error);
    end();
}

/* "Marks pending synchronous I/O operations that are issued by the specified thread as canceled" */
static void test_cancel_synchronous(void)
{
    struct reader reader;
    HANDLE thread;

    begin(0);
    thread = start_reader(&reader);
    ok(CancelSynchronousIo(thread), "error %lu\n", GetLastError());
    net_finish(thread);
    ok(!reader.result && reader.error == ERROR_OPERATION_ABORTED, "error %lu\n", reader.error);
    end();
}

/* The C library's file descriptors and streams. */
static void test_c_library(void)
{
    char line[16] = "";
    FILE *stream;
    int fd;

    begin(0);
    fd = _open_osfhandle((intptr_t)client, _O_RDWR | _O_BINARY);
    ok(fd >= 0, "no descriptor\n");
    ok(_write(fd, "hello\n", 6) == 6, "errno %d\n", errno);
    ok(net_recv_all(server, line, 6) == 6 && !memcmp(line, "hello\n", 6), "got %s\n", line);
    net_send_all(server, "one\ntwo\n", 8);
    ok(_read(fd, line, 4) == 4 && !memcmp(line, "one\n", 4), "got %s\n", line);
    stream = _fdopen(fd, "r+b");
    ok(stream && fgets(line, sizeof(line), stream) && !strcmp(line, "two\n"), "got %s\n", line);
    fclose(stream); /* closes the socket */
    ok(recv(server, line, sizeof(line), 0) == 0, "error %d\n", WSAGetLastError());
    closesocket(server);
}

/* ---- overlapped ---- */

static void finish_read(OVERLAPPED *ov, const char *buffer, const char *expected)
{
    DWORD count = 0;

    ok(GetOverlappedResult((HANDLE)server, ov, &count, TRUE), "error %lu\n", GetLastError());
    ok(count == strlen(expected) && !memcmp(buffer, expected, count), "got %lu bytes: %.*s\n",
       count, (int)count, buffer);
}

static void expect_pending(OVERLAPPED *ov, char *buffer, DWORD size)
{
    ok(!ReadFile((HANDLE)server, buffer, size, NULL, ov) && GetLastError() == ERROR_IO_PENDING,
       "error %lu\n", GetLastError());
}

static void test_event(void)
{
    OVERLAPPED ov = {0}, sent = {0};
    char buffer[8];
    DWORD count = 0;

    begin(WSA_FLAG_OVERLAPPED);
    ov.hEvent = CreateEventA(NULL, TRUE, TRUE, NULL); /* set: the call resets it */
    expect_pending(&ov, buffer, sizeof(buffer));
    ok(WaitForSingleObject(ov.hEvent, 0) == WAIT_TIMEOUT, "the event is set\n");
    ok(!GetOverlappedResult((HANDLE)server, &ov, &count, FALSE) &&
           GetLastError() == ERROR_IO_INCOMPLETE,
       "error %lu\n", GetLastError());
    ok(WriteFile((HANDLE)client, "later", 5, &count, &sent) && count == 5, "error %lu\n",
       GetLastError());
    ok(nt_event_set(ov.hEvent), "not set\n");
    finish_read(&ov, buffer, "later");
    /* at once: the event is set just the same */
    net_send_all(client, "now", 3);
    net_arrived(server, 3);
    ResetEvent(ov.hEvent);
    ok(ReadFile((HANDLE)server, buffer, sizeof(buffer), &count, &ov) && count == 3, "error %lu\n",
       GetLastError());
    ok(nt_event_set(ov.hEvent), "not set\n");
    CloseHandle(ov.hEvent);
    end();
}

/* "If the hEvent member ... is NULL, the system uses the state of the hFile handle" */
static void test_without_event(void)
{
    OVERLAPPED ov = {0};
    char buffer[8];

    begin(WSA_FLAG_OVERLAPPED);
    expect_pending(&ov, buffer, sizeof(buffer));
    ok(WaitForSingleObject((HANDLE)server, 30) == WAIT_TIMEOUT, "the socket is signaled\n");
    net_send_all(client, "x", 1);
    finish_read(&ov, buffer, "x");
    end();
}

static void test_offset(void)
{
    IO_STATUS_BLOCK iosb;
    LARGE_INTEGER where = {.QuadPart = -1};
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    char buffer[8];
    DWORD count;

    begin(WSA_FLAG_OVERLAPPED);
    net_send_all(client, "x", 1);
    net_arrived(server, 1);
    nt_mark(&iosb);
    if (!on_builtin()) { /* which takes what is there, or waits */
        ok(!ReadFile((HANDLE)server, buffer, 1, &count, NULL) &&
               GetLastError() == ERROR_INVALID_PARAMETER,
           "error %lu\n", GetLastError());
        ok_status(NtReadFile((HANDLE)server, event, NULL, NULL, &iosb, buffer, 1, NULL, NULL),
                  NT_INVALID_PARAMETER);
        ok_status(NtReadFile((HANDLE)server, event, NULL, NULL, &iosb, buffer, 1, &where, NULL),
                  NT_INVALID_PARAMETER);
        where.QuadPart = -3;
        ok_status(NtWriteFile((HANDLE)client, NULL, NULL, NULL, &iosb, "y", 1, &where, NULL),
                  NT_INVALID_PARAMETER);
        ok_status(NtWriteFile((HANDLE)client, NULL, NULL, NULL, &iosb, "y", 1, NULL, NULL),
                  NT_INVALID_PARAMETER);
        ok(nt_marked(&iosb), "the status block was written\n");
    }
    where.QuadPart = 1234; /* any other is as good */
    ok_status(NtReadFile((HANDLE)server, event, NULL, NULL, &iosb, buffer, 1, &where, NULL), 0);
    ok(buffer[0] == 'x', "got %c\n", buffer[0]);
    CloseHandle(event);
    end();
}

/* The status block is written when the operation ends, and not before. */
static void test_status_block(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    IO_STATUS_BLOCK iosb;
    char buffer[8];

    begin(WSA_FLAG_OVERLAPPED);
    nt_mark(&iosb);
    ok_status(nt_read(server, event, &iosb, buffer, sizeof(buffer)), NT_PENDING);
    ok(nt_marked(&iosb), "written: %lx\n", (ULONG)iosb.Status);
    net_send_all(client, "abc", 3);
    ok(nt_event_set(event), "not set\n");
    ok_iosb(iosb, 0, 3);
    CloseHandle(event);
    end();
}

/* The socket's receives fill in the order of the calls, whichever they are. */
static void test_order(void)
{
    WSAOVERLAPPED first = {0}, third = {0};
    OVERLAPPED second = {0};
    char a[2], b[2], c[2];
    WSABUF bufs[2] = {{2, a}, {2, c}};
    DWORD flags = 0, count;

    begin(WSA_FLAG_OVERLAPPED);
    first.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    second.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    third.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    ok_error(WSARecv(server, &bufs[0], 1, NULL, &flags, &first, NULL), WSA_IO_PENDING);
    expect_pending(&second, b, 2);
    ok_error(WSARecv(server, &bufs[1], 1, NULL, &flags, &third, NULL), WSA_IO_PENDING);
    net_send_all(client, "112233", 6);
    ok(nt_event_set(third.hEvent), "not set\n");
    ok(WSAGetOverlappedResult(server, &second, &count, FALSE, &flags) && count == 2,
       "Winsock's call tells of ReadFile: error %d\n", WSAGetLastError());
    ok(!memcmp(a, "11", 2) && !memcmp(b, "22", 2) && !memcmp(c, "33", 2), "%.2s %.2s %.2s\n", a, b,
       c);
    CloseHandle(first.hEvent);
    CloseHandle(second.hEvent);
    CloseHandle(third.hEvent);
    end();
}

/* More than fits on the way waits until the peer reads. */
static void test_write_waits(void)
{
    enum { SIZE = 4 << 20 };
    char *data, *got;
    OVERLAPPED ov = {0};
    DWORD count;
    int i;

    if (on_builtin()) /* whose WriteFile returns when all of it is on its way: never, here */
        return;
    data = malloc(SIZE);
    got = malloc(SIZE);
    begin(WSA_FLAG_OVERLAPPED);
    for (i = 0; i < SIZE; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (!WriteFile((HANDLE)client, data, SIZE, &count, &ov))
        ok(GetLastError() == ERROR_IO_PENDING, "error %lu\n", GetLastError());
    ok(net_recv_all(server, got, SIZE) == SIZE && !memcmp(got, data, SIZE), "other bytes\n");
    ok(GetOverlappedResult((HANDLE)client, &ov, &count, TRUE) && count == SIZE, "%lu, error %lu\n",
       count, GetLastError());
    CloseHandle(ov.hEvent);
    free(data);
    free(got);
    end();
}

/* ---- ports ---- */

static void *next_packet(HANDLE port, DWORD milliseconds, DWORD *count)
{
    OVERLAPPED *ov = NULL;
    ULONG_PTR key;

    GetQueuedCompletionStatus(port, count, &key, &ov, milliseconds);
    return ov;
}

static void test_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED ov = {0}, sent = {0};
    char buffer[8];
    DWORD count;
    void *first;

    begin(WSA_FLAG_OVERLAPPED);
    CreateIoCompletionPort((HANDLE)server, port, 1, 0);
    CreateIoCompletionPort((HANDLE)client, port, 2, 0);
    expect_pending(&ov, buffer, sizeof(buffer));
    ok(!next_packet(port, 30, &count), "a packet\n");
    ok(WriteFile((HANDLE)client, "data", 4, &count, &sent), "error %lu\n", GetLastError());
    first = next_packet(port, NET_PATIENCE, &count); /* of the two ends either may be first */
    ok((first == &sent || first == &ov) && count == 4, "%p with %lu bytes\n", first, count);
    ok(next_packet(port, NET_PATIENCE, &count) == (first == &ov ? &sent : &ov) && count == 4,
       "not the other's\n");
    /* the low bit of hEvent: no packet */
    sent.hEvent = (HANDLE)((ULONG_PTR)CreateEventA(NULL, TRUE, FALSE, NULL) | 1);
    ok(WriteFile((HANDLE)client, "x", 1, &count, &sent), "error %lu\n", GetLastError());
    ok(nt_event_set((HANDLE)((ULONG_PTR)sent.hEvent - 1)), "not set\n");
    ok(!next_packet(port, 30, &count), "a packet\n");
    CloseHandle((HANDLE)((ULONG_PTR)sent.hEvent - 1));
    /* "does not queue a completion entry ... if the request returns success immediately" */
    net_arrived(server, 1);
    ok(SetFileCompletionNotificationModes((HANDLE)server, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS),
       "error %lu\n", GetLastError());
    ok(ReadFile((HANDLE)server, buffer, sizeof(buffer), &count, &ov) && count == 1, "error %lu\n",
       GetLastError());
    ok(!next_packet(port, 30, &count), "a packet\n");
    expect_pending(&ov, buffer, sizeof(buffer));
    net_send_all(client, "y", 1);
    ok(next_packet(port, NET_PATIENCE, &count) == &ov && count == 1, "no packet\n");
    end();
    CloseHandle(port);
}

/* The packet's value is what the call names, which need not be the status block. */
static void test_packet_value(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    LARGE_INTEGER where = {.QuadPart = 0};
    IO_STATUS_BLOCK iosb, packet;
    char buffer[8];

    begin(WSA_FLAG_OVERLAPPED);
    CreateIoCompletionPort((HANDLE)server, port, 1, 0);
    ok_status(
        NtReadFile((HANDLE)server, NULL, NULL, (void *)0x1234, &iosb, buffer, 8, &where, NULL),
        NT_PENDING);
    net_send_all(client, "ab", 2);
    ok(nt_packet(port, NET_PATIENCE, &packet) == (void *)0x1234, "another value\n");
    ok_iosb(packet, 0, 2);
    ok_iosb(iosb, 0, 2);
    /* none: no packet */
    net_send_all(client, "ab", 2);
    net_arrived(server, 2);
    ok_status(NtReadFile((HANDLE)server, NULL, NULL, NULL, &iosb, buffer, 8, &where, NULL), 0);
    ok(!nt_packet(port, 30, &packet), "a packet\n");
    end();
    CloseHandle(port);
}

/* ---- completion routines ---- */

struct routine {
    OVERLAPPED ov; /* first: the routine finds the rest behind it */
    char buffer[8];
    DWORD error, bytes;
    int calls, depth;
};

static int depth;

static void CALLBACK completed(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    struct routine *routine = (struct routine *)ov;

    depth++;
    routine->calls++;
    routine->error = error;
    routine->bytes = bytes;
    routine->depth = depth;
    if (routine->buffer[0] == 'n')
        SleepEx(20, TRUE);
    depth--;
}

static void await(const struct routine *routine)
{
    DWORD start = GetTickCount();

    while (!routine->calls && GetTickCount() - start < NET_PATIENCE)
        SleepEx(50, TRUE);
    ok(routine->calls == 1, "%d calls\n", routine->calls);
}

static void test_routines(void)
{
    struct routine read = {.calls = 0}, write = {.calls = 0};

    begin(WSA_FLAG_OVERLAPPED);
    read.ov.hEvent = (HANDLE)0xdead; /* "ignores the OVERLAPPED structure's hEvent member" */
    ok(ReadFileEx((HANDLE)server, read.buffer, 8, &read.ov, completed), "error %lu\n",
       GetLastError());
    ok(WriteFileEx((HANDLE)client, "data", 4, &write.ov, completed), "error %lu\n", GetLastError());
    Sleep(50);
    ok(!read.calls && !write.calls, "called outside of an alertable wait\n");
    await(&write);
    await(&read);
    ok(!write.error && write.bytes == 4, "%lu bytes, error %lu\n", write.bytes, write.error);
    ok(!read.error && read.bytes == 4 && !memcmp(read.buffer, "data", 4), "%lu bytes, error %lu\n",
       read.bytes, read.error);
    /* cancelled ones are called too */
    read.calls = 0;
    ok(ReadFileEx((HANDLE)server, read.buffer, 8, &read.ov, completed), "error %lu\n",
       GetLastError());
    ok(CancelIo((HANDLE)server), "error %lu\n", GetLastError());
    await(&read);
    ok(read.error == ERROR_OPERATION_ABORTED, "error %lu\n", read.error);
    end();
}

/* They are APCs like any other: one that waits alertably lets the next run, of the same file too.
 */
static void test_nested_routines(void)
{
    struct routine outer = {.calls = 0}, inner = {.calls = 0};

    begin(WSA_FLAG_OVERLAPPED);
    ok(ReadFileEx((HANDLE)server, outer.buffer, 1, &outer.ov, completed), "error %lu\n",
       GetLastError());
    ok(ReadFileEx((HANDLE)server, inner.buffer, 1, &inner.ov, completed), "error %lu\n",
       GetLastError());
    net_send_all(client, "nx", 2);
    await(&outer);
    await(&inner);
    ok(outer.depth == 1 && inner.depth == 2, "depths %d and %d\n", outer.depth, inner.depth);
    end();
}

/* A routine and a port together are refused (Wine's test_async_thread_termination, on Windows). */
static void test_routine_and_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct routine read = {.calls = 0};

    begin(WSA_FLAG_OVERLAPPED);
    CreateIoCompletionPort((HANDLE)server, port, 1, 0);
    ok(!ReadFileEx((HANDLE)server, read.buffer, 8, &read.ov, completed) &&
           GetLastError() == ERROR_INVALID_PARAMETER,
       "error %lu\n", GetLastError());
    end();
    CloseHandle(port);
}

/* ---- ends ---- */

static void test_cancel(void)
{
    OVERLAPPED first = {0}, second = {0};
    char buffer[8];
    DWORD count;

    begin(WSA_FLAG_OVERLAPPED);
    first.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    second.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    expect_pending(&first, buffer, sizeof(buffer));
    expect_pending(&second, buffer, sizeof(buffer));
    ok(CancelIoEx((HANDLE)server, &second), "error %lu\n", GetLastError());
    ok(!GetOverlappedResult((HANDLE)server, &second, &count, TRUE) &&
           GetLastError() == ERROR_OPERATION_ABORTED,
       "error %lu\n", GetLastError());
    ok(!CancelIoEx((HANDLE)server, &second) && GetLastError() == ERROR_NOT_FOUND, "error %lu\n",
       GetLastError());
    net_send_all(client, "x", 1);
    finish_read(&first, buffer, "x");
    CloseHandle(first.hEvent);
    CloseHandle(second.hEvent);
    end();
}

static DWORD WINAPI issue_and_end(void *arg)
{
    static char buffer[8];

    ReadFile((HANDLE)server, buffer, sizeof(buffer), NULL, arg);
    return 0;
}

/* "All I/O initiated by a given thread is canceled when that thread exits" */
static void test_thread_end(void)
{
    OVERLAPPED ov = {0};

    begin(WSA_FLAG_OVERLAPPED);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    net_finish(CreateThread(NULL, 0, issue_and_end, &ov, 0, NULL));
    ok(nt_event_set(ov.hEvent), "not set\n");
    ok((NTSTATUS)ov.Internal == NT_CANCELLED, "status %lx\n", (ULONG)ov.Internal);
    CloseHandle(ov.hEvent);
    end();
}

/* Closing the file, with closesocket or CloseHandle. */
static void test_close(BOOL by_handle)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    IO_STATUS_BLOCK iosb;
    char buffer[8];

    begin(WSA_FLAG_OVERLAPPED);
    nt_mark(&iosb);
    ok_status(nt_read(server, event, &iosb, buffer, sizeof(buffer)), NT_PENDING);
    if (by_handle)
        ok(CloseHandle((HANDLE)server), "error %lu\n", GetLastError());
    else
        ok_success(closesocket(server));
    ok(nt_event_set(event), "not set\n");
    todo_wine ok_iosb(iosb, NT_CONNECTION_ABORTED, 0);
    closesocket(client);
    CloseHandle(event);
}

static void test_statuses(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    LARGE_INTEGER where = {.QuadPart = 0};
    IO_STATUS_BLOCK iosb;
    char buffer[8];
    DWORD count;
    OVERLAPPED ov = {0};

    nt_mark(&iosb);
    ok_status(nt_read(s, event, &iosb, buffer, 8), NT_INVALID_CONNECTION);
    todo_wine ok_status(NtWriteFile((HANDLE)s, NULL, NULL, NULL, &iosb, "x", 1, &where, NULL),
                        NT_INVALID_CONNECTION);
    ok(nt_marked(&iosb), "the status block was written\n");
    closesocket(s);

    begin(WSA_FLAG_OVERLAPPED);
    shutdown(server, SD_RECEIVE);
    ok_status(nt_read(server, event, &iosb, buffer, 8), NT_PIPE_DISCONNECTED);
    shutdown(server, SD_SEND);
    ok_status(NtWriteFile((HANDLE)server, NULL, NULL, NULL, &iosb, "x", 1, &where, NULL),
              NT_PIPE_DISCONNECTED);
    end();

    begin(WSA_FLAG_OVERLAPPED);
    ok_status(nt_read(server, event, &iosb, buffer, 8), NT_PENDING);
    shutdown(client, SD_SEND);
    ok(nt_event_set(event), "not set\n");
    ok_iosb(iosb, 0, 0); /* the end of the stream */
    end();

    begin(WSA_FLAG_OVERLAPPED);
    ov.hEvent = event;
    expect_pending(&ov, buffer, 8);
    net_reset(client);
    ok(!GetOverlappedResult((HANDLE)server, &ov, &count, TRUE) &&
           GetLastError() == ERROR_NETNAME_DELETED,
       "error %lu\n", GetLastError());
    ok((NTSTATUS)ov.Internal == NT_CONNECTION_RESET, "status %lx\n", (ULONG)ov.Internal);
    closesocket(server);
    CloseHandle(event);
}

/* Of no bytes: waits until there are some, and leaves them. */
static void test_zero_bytes(void)
{
    OVERLAPPED ov = {0};
    char buffer[8];
    DWORD count;

    begin(WSA_FLAG_OVERLAPPED);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    expect_pending(&ov, NULL, 0);
    net_send_all(client, "x", 1);
    finish_read(&ov, NULL, "");
    ok(ReadFile((HANDLE)server, buffer, 8, &count, &ov) && count == 1 && buffer[0] == 'x',
       "error %lu\n", GetLastError());
    CloseHandle(ov.hEvent);
    end();
}

static void test_datagrams(void)
{
    struct sockaddr_storage address[2];
    OVERLAPPED ov = {0};
    char buffer[8];
    SOCKET s[2];
    DWORD count;
    int length;

    net_udp_pair(AF_INET, s, address, &length);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    connect(s[0], (struct sockaddr *)&address[1], length);
    ok(WriteFile((HANDLE)s[0], "data", 4, &count, &ov) && count == 4, "error %lu\n",
       GetLastError());
    net_arrived(s[1], 4);
    ok(ReadFile((HANDLE)s[1], buffer, 8, &count, &ov) && count == 4 && !memcmp(buffer, "data", 4),
       "error %lu\n", GetLastError());
    send(s[0], "longer than that", 16, 0);
    net_arrived(s[1], 16);
    ok(!ReadFile((HANDLE)s[1], buffer, 8, &count, &ov) && GetLastError() == ERROR_MORE_DATA,
       "error %lu\n", GetLastError());
    ok(ov.InternalHigh == 8 && !memcmp(buffer, "longer t", 8), "%lu bytes\n",
       (ULONG)ov.InternalHigh);
    CloseHandle(ov.hEvent);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* "The file handle must be created with ... the FILE_FLAG_OVERLAPPED and FILE_FLAG_NO_BUFFERING
 * flags", the latter of which no socket has. */
static void test_scatter(void)
{
    FILE_SEGMENT_ELEMENT segments[2] = {{.Buffer = NULL}};
    void *page = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    OVERLAPPED ov = {0};

    begin(WSA_FLAG_OVERLAPPED);
    segments[0].Buffer = page;
    ok(!ReadFileScatter((HANDLE)server, segments, 4096, NULL, &ov) &&
           GetLastError() == ERROR_INVALID_PARAMETER,
       "error %lu\n", GetLastError());
    ok(!WriteFileGather((HANDLE)server, segments, 4096, NULL, &ov) &&
           GetLastError() == ERROR_INVALID_PARAMETER,
       "error %lu\n", GetLastError());
    VirtualFree(page, 0, MEM_RELEASE);
    end();
}

static void test_bad_memory(void)
{
    char *page = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_NOACCESS);
    LARGE_INTEGER where = {.QuadPart = 0};
    IO_STATUS_BLOCK iosb;
    char buffer[8];
    NTSTATUS status;

    begin(WSA_FLAG_OVERLAPPED);
    net_send_all(client, "kept", 4);
    net_arrived(server, 4);
    ok_status(nt_read(server, NULL, &iosb, page, 8), NT_ACCESS_VIOLATION);
    /* the latter is what file systems say, and the built-in; of sockets nobody knows */
    status = NtWriteFile((HANDLE)client, NULL, NULL, NULL, &iosb, page, 8, &where, NULL);
    ok(status == NT_ACCESS_VIOLATION || status == NT_INVALID_USER_BUFFER, "status %lx\n",
       (ULONG)status);
    ok_status(nt_read(server, (HANDLE)0xdead0, &iosb, buffer, 8), NT_INVALID_HANDLE);
    ok_status(nt_read(server, NULL, &iosb, buffer, 8), 0);
    ok(!memcmp(buffer, "kept", 4), "something was lost\n");
    VirtualFree(page, 0, MEM_RELEASE);
    end();
}

/* "FILE_TYPE_PIPE: The specified file is a socket, a named pipe, or an anonymous pipe." */
static void test_handle(void)
{
    DWORD flags = 0;

    begin(WSA_FLAG_OVERLAPPED);
    ok(GetFileType((HANDLE)server) == FILE_TYPE_PIPE, "type %lu\n", GetFileType((HANDLE)server));
    ok(SetHandleInformation((HANDLE)server, HANDLE_FLAG_INHERIT, 0), "error %lu\n", GetLastError());
    ok(GetHandleInformation((HANDLE)server, &flags) && !(flags & HANDLE_FLAG_INHERIT),
       "flags %lx\n", flags);
    SetHandleInformation((HANDLE)server, HANDLE_FLAG_PROTECT_FROM_CLOSE,
                         HANDLE_FLAG_PROTECT_FROM_CLOSE);
    GetHandleInformation((HANDLE)server, &flags);
    ok(flags & HANDLE_FLAG_PROTECT_FROM_CLOSE, "flags %lx\n", flags);
    SetHandleInformation((HANDLE)server, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    end();
}

START_TEST(read_file)
{
    net_start();
    RUN(test_synchronous);
    RUN(test_always_blocks);
    RUN(test_cancel_synchronous);
    RUN(test_c_library);
    RUN(test_event);
    RUN(test_without_event);
    RUN(test_offset);
    RUN(test_status_block);
    RUN(test_order);
    RUN(test_write_waits);
    RUN(test_port);
    RUN(test_packet_value);
    RUN(test_routines);
    RUN(test_nested_routines);
    RUN(test_routine_and_port);
    RUN(test_cancel);
    RUN(test_thread_end);
    RUN(test_close, FALSE);
    RUN(test_close, TRUE);
    RUN(test_statuses);
    RUN(test_zero_bytes);
    RUN(test_datagrams);
    RUN(test_scatter);
    RUN(test_bad_memory);
    RUN(test_handle);
    WSACleanup();
}
