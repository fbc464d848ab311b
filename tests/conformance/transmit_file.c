/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TransmitFile.
 * Source: its page.
 */
#include "net.h"

#define FILE_SIZE 300000u

static LPFN_TRANSMITFILE transmit_file;
static char content[FILE_SIZE], got[FILE_SIZE + 100];

static HANDLE make_file(DWORD flags)
{
    char directory[MAX_PATH], path[MAX_PATH];
    HANDLE file;
    DWORD done;

    for (unsigned int i = 0; i < FILE_SIZE; i++)
        content[i] = (char)(i * 7 >> 2);
    GetTempPathA(sizeof(directory), directory);
    GetTempFileNameA(directory, "tf", 0, path);
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    ok(file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    ok(WriteFile(file, content, FILE_SIZE, &done, NULL), "error %lu\n", GetLastError());
    CloseHandle(file);
    file = CreateFileA(path, GENERIC_READ | DELETE, 0, NULL, OPEN_EXISTING,
                       flags | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    ok(file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    return file;
}

static void find_function(SOCKET s)
{
    GUID guid = WSAID_TRANSMITFILE;
    DWORD size;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &transmit_file,
                        sizeof(transmit_file), &size, NULL, NULL));
}

static DWORD WINAPI take_all(void *socket)
{
    return (DWORD)net_recv_all(*(SOCKET *)socket, got, sizeof(got));
}

/* What arrives until the sending side is closed. */
struct reader {
    SOCKET s;
    HANDLE thread;
};

static void begin_reading(struct reader *reader, SOCKET s)
{
    reader->s = s;
    memset(got, 0, sizeof(got));
    reader->thread = CreateThread(NULL, 0, take_all, &reader->s, 0, NULL);
}

static DWORD end_reading(struct reader *reader, SOCKET sender)
{
    DWORD count = 0;

    shutdown(sender, SD_SEND);
    ok(!WaitForSingleObject(reader->thread, 2 * NET_PATIENCE), "still reading\n");
    GetExitCodeThread(reader->thread, &count);
    CloseHandle(reader->thread);
    return count;
}

/* "If lpOverlapped is NULL, the transmission of the file starts at the current byte offset in the
 * file." "if this parameter [nNumberOfBytesToWrite] is zero, ... the entire file is transmitted".
 */
static void test_whole_file(void)
{
    struct reader reader;
    HANDLE file = make_file(0);
    SOCKET a, b;
    DWORD count;

    net_pair(&a, &b);
    begin_reading(&reader, b);
    ok(transmit_file(a, file, 0, 0, NULL, NULL, 0), "error %d\n", WSAGetLastError());
    count = end_reading(&reader, a);
    ok(count == FILE_SIZE && !memcmp(got, content, FILE_SIZE), "got %lu\n", count);
    closesocket(a);
    closesocket(b);

    net_pair(&a, &b);
    begin_reading(&reader, b);
    SetFilePointer(file, 1000, NULL, FILE_BEGIN);
    ok(transmit_file(a, file, 0, 0, NULL, NULL, 0), "error %d\n", WSAGetLastError());
    count = end_reading(&reader, a);
    ok(count == FILE_SIZE - 1000 && !memcmp(got, content + 1000, count), "got %lu\n", count);
    closesocket(a);
    closesocket(b);
    CloseHandle(file);
}

/* "lpTransmitBuffers: ... data to send before and after the file data is sent";
 * nNumberOfBytesToWrite is "the number of bytes in the file to transmit". */
static void test_head_and_tail(void)
{
    char head[] = "<head>", tail[] = "<tail>";
    TRANSMIT_FILE_BUFFERS ends = {head, 6, tail, 6};
    struct reader reader;
    HANDLE file = make_file(0);
    SOCKET a, b;
    DWORD count;

    net_pair(&a, &b);
    begin_reading(&reader, b);
    ok(transmit_file(a, file, 5000, 0, NULL, &ends, 0), "error %d\n", WSAGetLastError());
    count = end_reading(&reader, a);
    ok(count == 5012 && !memcmp(got, head, 6) && !memcmp(got + 6, content, 5000) &&
           !memcmp(got + 5006, tail, 6),
       "got %lu\n", count);
    closesocket(a);
    closesocket(b);
    CloseHandle(file);
}

/* "hFile: ... If this parameter is NULL, only data in the head and/or the tail buffer is
 * transmitted." */
static void test_no_file(void)
{
    char head[] = "head", tail[] = "tail";
    TRANSMIT_FILE_BUFFERS ends = {head, 4, tail, 4};
    SOCKET a, b;

    net_pair(&a, &b);
    ok(transmit_file(a, NULL, 0, 0, NULL, &ends, 0), "error %d\n", WSAGetLastError());
    ok(net_recv_all(b, got, 8) == 8 && !memcmp(got, "headtail", 8), "got '%.8s'\n", got);
    ok(transmit_file(a, NULL, 0, 0, NULL, NULL, 0), "error %d\n", WSAGetLastError());
    net_nonblocking(b, 1);
    ok_error(recv(b, got, 8, 0), WSAEWOULDBLOCK);
    closesocket(a);
    closesocket(b);
}

/* lpOverlapped: "set the offset within the file by setting Offset and OffsetHigh"; "the function
 * can return before the data is sent", WSA_IO_PENDING. */
static void test_overlapped(DWORD file_flags)
{
    OVERLAPPED overlapped = {.Offset = 777};
    struct reader reader;
    HANDLE file = make_file(file_flags);
    SOCKET a, b;
    DWORD count, flags;
    BOOL done;

    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    net_pair(&a, &b);
    begin_reading(&reader, b);
    done = transmit_file(a, file, 0, 0, &overlapped, NULL, 0);
    ok(done || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    ok(!WaitForSingleObject(overlapped.hEvent, 2 * NET_PATIENCE), "not finished\n");
    ok(WSAGetOverlappedResult(a, &overlapped, &count, FALSE, &flags), "error %d\n",
       WSAGetLastError());
    ok(count == FILE_SIZE - 777, "count %lu\n", count);
    ok(overlapped.Offset == 777, "offset %lu\n", overlapped.Offset);
    count = end_reading(&reader, a);
    ok(count == FILE_SIZE - 777 && !memcmp(got, content + 777, count), "got %lu\n", count);
    closesocket(a);
    closesocket(b);
    CloseHandle(file);
    CloseHandle(overlapped.hEvent);
}

static void test_overlapped_files(void)
{
    test_overlapped(0);
    test_overlapped(FILE_FLAG_OVERLAPPED);
}

/* TF_DISCONNECT: "Start a transport-level disconnect after all the file data has been queued for
 * transmission." */
static void test_disconnect(void)
{
    char head[] = "last";
    TRANSMIT_FILE_BUFFERS ends = {head, 4, NULL, 0};
    SOCKET a, b;

    net_pair(&a, &b);
    ok(transmit_file(a, NULL, 0, 0, NULL, &ends, TF_DISCONNECT), "error %d\n", WSAGetLastError());
    ok(net_recv_all(b, got, 4) == 4 && !memcmp(got, "last", 4), "got '%.4s'\n", got);
    net_nonblocking(b, 1); /* the built-in does not disconnect */
    net_readable(b, on_builtin() ? 0 : NET_PATIENCE);
    todo_wine ok(recv(b, got, 1, 0) == 0, "not followed by the end\n");
    closesocket(a);
    closesocket(b);
}

/* The socket's end is the operation's, though the peer takes nothing. */
static void test_close(void)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE file = make_file(0);
    static char big[8 << 20];
    TRANSMIT_FILE_BUFFERS ends = {big, sizeof(big), big, sizeof(big)};
    SOCKET a, b;
    BOOL done;

    net_pair(&a, &b);
    done = transmit_file(a, file, 0, 0, &overlapped, &ends, 0);
    ok(!done && WSAGetLastError() == WSA_IO_PENDING, "got %d, error %d\n", done, WSAGetLastError());
    ok(WaitForSingleObject(overlapped.hEvent, 200) == WAIT_TIMEOUT, "finished already\n");
    net_reset(a);
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "not finished\n");
    ok((LONG)overlapped.Internal < 0, "status %#lx\n", (ULONG)overlapped.Internal);
    closesocket(b);
    CloseHandle(file);
    CloseHandle(overlapped.hEvent);
}

/* CancelIoEx: the operation "is completed with the error ERROR_OPERATION_ABORTED", and nothing more
 * of it is sent. */
static void expect_cancelled(SOCKET a, OVERLAPPED *overlapped)
{
    DWORD done, flags;

    ok(WaitForSingleObject(overlapped->hEvent, 100) == WAIT_TIMEOUT, "finished already\n");
    ok(CancelIoEx((HANDLE)a, overlapped), "error %lu\n", GetLastError());
    ok(!WaitForSingleObject(overlapped->hEvent, NET_PATIENCE), "not finished\n");
    ok(!WSAGetOverlappedResult(a, overlapped, &done, FALSE, &flags) &&
           WSAGetLastError() == WSA_OPERATION_ABORTED,
       "error %d\n", WSAGetLastError());
}

/* The peer takes nothing. */
static void test_cancel(void)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    static char big[8 << 20];
    TRANSMIT_FILE_BUFFERS ends = {big, sizeof(big), big, sizeof(big)};
    char buffer[4096];
    ULONG64 got_bytes = 0;
    SOCKET a, b;
    int count;

    net_pair(&a, &b);
    ok(!transmit_file(a, NULL, 0, 0, &overlapped, &ends, 0) && WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
    expect_cancelled(a, &overlapped);
    shutdown(a, SD_SEND);
    while ((count = recv(b, buffer, sizeof(buffer), 0)) > 0)
        got_bytes += (unsigned int)count;
    ok(got_bytes < 2 * sizeof(big), "all has been sent\n");
    closesocket(a);
    closesocket(b);
    CloseHandle(overlapped.hEvent);
}

/* The file is a pipe in which nothing is. */
static void test_cancel_reading(void)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE pipe, other;
    SOCKET a, b;

    if (on_builtin()) /* takes files that have a size only */
        return;
    pipe = CreateNamedPipeA("\\\\.\\pipe\\ringsock transmit_file",
                            PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, 1, 4096,
                            4096, 0, NULL);
    other = CreateFileA("\\\\.\\pipe\\ringsock transmit_file", GENERIC_WRITE, 0, NULL,
                        OPEN_EXISTING, 0, NULL);
    ok(other != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    net_pair(&a, &b);
    ok(!transmit_file(a, pipe, 0, 0, &overlapped, NULL, 0) && WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
    expect_cancelled(a, &overlapped);
    closesocket(a);
    closesocket(b);
    CloseHandle(other);
    CloseHandle(pipe);
    CloseHandle(overlapped.hEvent);
}

/* The peer does not end the connection. */
static void test_cancel_reuse(void)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    SOCKET a, b;

    if (on_builtin()) /* has no such flag */
        return;
    net_pair(&a, &b);
    ok(!transmit_file(a, NULL, 0, 0, &overlapped, NULL, TF_DISCONNECT | TF_REUSE_SOCKET) &&
           WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", WSAGetLastError());
    expect_cancelled(a, &overlapped);
    closesocket(a);
    closesocket(b);
    CloseHandle(overlapped.hEvent);
}

/* "WSAENOTCONN: The socket is not connected." "WSAENOTSOCK" */
static void test_errors(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);

    WSASetLastError(0);
    ok(!transmit_file(INVALID_SOCKET, NULL, 0, 0, NULL, NULL, 0) &&
           WSAGetLastError() == WSAENOTSOCK,
       "error %d\n", WSAGetLastError());
    ok(!transmit_file(s, NULL, 0, 0, NULL, NULL, 0) && WSAGetLastError() == WSAENOTCONN,
       "error %d\n", WSAGetLastError());
    ok(!transmit_file(udp, NULL, 0, 0, NULL, NULL, 0) && WSAGetLastError() == WSAENOTCONN,
       "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(udp);
}

/* Over the loopback it has arrived when the call returns: a nonblocking receive finds it (Wine's
 * test_TransmitFile, run on Windows). */
static void test_has_arrived(void)
{
    TRANSMIT_FILE_BUFFERS ends = {(char *)"head", 4, (char *)"tail", 4};
    SOCKET client, server;
    char buffer[16];
    int i, count;

    net_pair(&client, &server);
    net_nonblocking(server, 1);
    for (i = 0; i < 5; i++) {
        ok(transmit_file(client, NULL, 0, 0, NULL, &ends, 0), "error %d\n", WSAGetLastError());
        count = recv(server, buffer, sizeof(buffer), 0);
        ok(count == 8 && !memcmp(buffer, "headtail", 8), "got %d, error %d\n", count,
           WSAGetLastError());
    }
    closesocket(client);
    closesocket(server);
}

START_TEST(transmit_file)
{
    SOCKET s;

    net_start();
    s = socket(AF_INET, SOCK_STREAM, 0);
    find_function(s);
    closesocket(s);
    RUN(test_whole_file);
    RUN(test_head_and_tail);
    RUN(test_no_file);
    RUN(test_overlapped_files);
    RUN(test_disconnect);
    if (!on_builtin()) /* it would write into an OVERLAPPED of long ago */
        RUN(test_close);
    RUN(test_cancel);
    RUN(test_cancel_reading);
    RUN(test_cancel_reuse);
    RUN(test_errors);
    RUN(test_has_arrived);
    WSACleanup();
}
