/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SOCKET as a standard handle of a child.  "A socket handle can optionally be a file handle ...
 * ReadFile and WriteFile" can be used on it (Socket Handles, learn.microsoft.com), and a child
 * inherits it like any handle; for that it must not be overlapped, as standard handles are read and
 * written synchronously (Knowledge Base Q190351).  The child need never call Winsock.
 *
 * The C runtime's descriptors are one more way: what is open at a call of _spawn stays open in the
 * new process (_spawn, _wspawn Functions).
 *
 * A child is this program again; its role stands in its environment, and its exit code is 0, or the
 * line where something went wrong: it has nowhere to print to.
 */
#include "child_program.h"

#include <fcntl.h>
#include <io.h>
#include <process.h>

#define CHILD_ROLE "RINGSOCK_TEST_STANDARD_ROLE"
#define CHILD_DESCRIPTOR "RINGSOCK_TEST_STANDARD_DESCRIPTOR"

#define need(condition)            \
    do {                           \
        if (!(condition))          \
            ExitProcess(__LINE__); \
    } while (0)

/* Two connected sockets for synchronous I/O: the accepted one is as its listener is. */
static void make_pair(SOCKET *client, SOCKET *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof(address);
    SOCKET listener = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ok(!bind(listener, (struct sockaddr *)&address, length), "error %d\n", WSAGetLastError());
    ok(!listen(listener, 1), "error %d\n", WSAGetLastError());
    ok(!getsockname(listener, (struct sockaddr *)&address, &length), "getsockname\n");
    *client = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
    ok(!connect(*client, (struct sockaddr *)&address, length), "error %d\n", WSAGetLastError());
    *server = accept(listener, NULL, NULL);
    ok(*server != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(listener);
}

static void start(const char *role, HANDLE in, HANDLE out, PROCESS_INFORMATION *process)
{
    STARTUPINFOA startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    char path[MAX_PATH];

    startup.hStdInput = in;
    startup.hStdOutput = out;
    SetHandleInformation(in, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetHandleInformation(out, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    child_program(path);
    SetEnvironmentVariableA(CHILD_ROLE, role);
    ok(CreateProcessA(path, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &startup, process),
       "error %lu\n", GetLastError());
    SetEnvironmentVariableA(CHILD_ROLE, NULL);
}

static void end(const PROCESS_INFORMATION *process)
{
    DWORD code = 0xdead;

    ok(WaitForSingleObject(process->hProcess, 4 * NET_PATIENCE) == WAIT_OBJECT_0,
       "the child does not end\n");
    ok(GetExitCodeProcess(process->hProcess, &code) && !code, "the child failed: line %lu\n", code);
    CloseHandle(process->hProcess);
    if (process->hThread) /* _spawn gives none */
        CloseHandle(process->hThread);
}

static void receive_text(SOCKET s, const char *text)
{
    int length = (int)strlen(text), done = 0, count;
    char buffer[64];

    while (done < length && (count = recv(s, buffer + done, length - done, 0)) > 0)
        done += count;
    ok(done == length && !memcmp(buffer, text, (size_t)length), "%.*s, not %s\n", done, buffer,
       text);
}

static void write_text(HANDLE file, const char *text)
{
    DWORD length = (DWORD)strlen(text), count;

    need(WriteFile(file, text, length, &count, NULL) && count == length);
}

/* What a program without Winsock does: reads to the end, writes, ends. */
static void child_echo(void)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    char buffer[64];
    DWORD count;

    need(GetFileType(in) == FILE_TYPE_PIPE);
    while (ReadFile(in, buffer, sizeof(buffer), &count, NULL) && count)
        need(WriteFile(out, buffer, count, &count, NULL));
    write_text(out, "end");
}

static void test_echo(void)
{
    PROCESS_INFORMATION process;
    SOCKET client, server;
    char byte;

    make_pair(&client, &server);
    ok(send(client, "early ", 6, 0) == 6, "error %d\n", WSAGetLastError());
    ok(net_readable(server, NET_PATIENCE), "nothing has come\n");
    start("echo", (HANDLE)server, (HANDLE)server, &process);
    ok(!closesocket(server), "error %d\n", WSAGetLastError());
    ok(send(client, "and late ", 9, 0) == 9, "error %d\n", WSAGetLastError());
    receive_text(client, "early and late ");
    ok(!shutdown(client, SD_SEND), "error %d\n", WSAGetLastError());
    receive_text(client, "end");
    ok(recv(client, &byte, 1, 0) == 0, "no end, error %d\n", WSAGetLastError());
    end(&process);
    closesocket(client);
}

/* The C runtime's dup2: the standard handle is closed, its copy is used. */
static void child_copies(void)
{
    HANDLE self = GetCurrentProcess(), in = GetStdHandle(STD_INPUT_HANDLE), copy;
    char buffer[8];
    DWORD count;

    need(DuplicateHandle(self, in, self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS));
    need(CloseHandle(in));
    need(ReadFile(copy, buffer, sizeof(buffer), &count, NULL) && count == 4);
    need(!memcmp(buffer, "ping", 4));
    write_text(copy, "pong");
}

static void test_copy(void)
{
    PROCESS_INFORMATION process;
    SOCKET client, server;

    make_pair(&client, &server);
    start("copy", (HANDLE)server, (HANDLE)server, &process);
    closesocket(server);
    ok(send(client, "ping", 4, 0) == 4, "error %d\n", WSAGetLastError());
    receive_text(client, "pong");
    end(&process);
    closesocket(client);
}

/* Reads a line and leaves the rest to a child of its own, as git-daemon does. */
static void child_relays(void)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    PROCESS_INFORMATION process;
    char byte = 0;
    DWORD count, code;

    while (byte != '\n')
        need(ReadFile(in, &byte, 1, &count, NULL) && count == 1);
    start("echo", in, GetStdHandle(STD_OUTPUT_HANDLE), &process);
    need(WaitForSingleObject(process.hProcess, 4 * NET_PATIENCE) == WAIT_OBJECT_0);
    need(GetExitCodeProcess(process.hProcess, &code));
    ExitProcess(code);
}

static void test_grandchild(void)
{
    PROCESS_INFORMATION process;
    SOCKET client, server;

    make_pair(&client, &server);
    start("relay", (HANDLE)server, (HANDLE)server, &process);
    closesocket(server);
    ok(send(client, "which\nand what", 14, 0) == 14, "error %d\n", WSAGetLastError());
    ok(!shutdown(client, SD_SEND), "error %d\n", WSAGetLastError());
    receive_text(client, "and whatend");
    end(&process);
    closesocket(client);
}

/* Winsock comes and goes; the standard handle was not Winsock's to close. */
static void child_cleans_up(void)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    WSADATA data;
    DWORD count;
    char byte;

    need(ReadFile(in, &byte, 1, &count, NULL) && count == 1);
    need(!WSAStartup(MAKEWORD(2, 2), &data));
    need(!WSACleanup());
    write_text(in, "still here");
}

static void test_cleanup(void)
{
    PROCESS_INFORMATION process;
    SOCKET client, server;

    make_pair(&client, &server);
    start("clean up", (HANDLE)server, (HANDLE)server, &process);
    closesocket(server);
    ok(send(client, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
    receive_text(client, "still here");
    end(&process);
    closesocket(client);
}

/* A descriptor above 2, read and written by the C runtime alone. */
static void child_uses_descriptor(void)
{
    char text[8], buffer[8];
    int descriptor;

    need(GetEnvironmentVariableA(CHILD_DESCRIPTOR, text, sizeof(text)));
    descriptor = atoi(text);
    need(descriptor > 2);
    need(_read(descriptor, buffer, sizeof(buffer)) == 4 && !memcmp(buffer, "ping", 4));
    need(_write(descriptor, "pong", 4) == 4);
    need(!_close(descriptor));
}

static void test_descriptor(void)
{
    PROCESS_INFORMATION process = {0};
    char path[MAX_PATH], quoted[MAX_PATH + 2], text[8], byte;
    SOCKET client, server;
    int descriptor;

    make_pair(&client, &server);
    descriptor = _open_osfhandle((intptr_t)server, _O_BINARY);
    ok(descriptor > 2, "descriptor %d\n", descriptor);
    GetModuleFileNameA(NULL, path, sizeof(path));
    snprintf(quoted, sizeof(quoted), "\"%s\"", path);
    snprintf(text, sizeof(text), "%d", descriptor);
    _putenv_s(CHILD_DESCRIPTOR, text);
    _putenv_s(CHILD_ROLE, "descriptor");
    process.hProcess = (HANDLE)_spawnl(_P_NOWAIT, path, quoted, NULL);
    ok(process.hProcess != (HANDLE)-1, "_spawnl: errno %d\n", errno);
    _putenv_s(CHILD_ROLE, "");
    ok(!_close(descriptor), "_close: errno %d\n", errno);
    ok(send(client, "ping", 4, 0) == 4, "error %d\n", WSAGetLastError());
    receive_text(client, "pong");
    ok(recv(client, &byte, 1, 0) == 0, "no end, error %d\n", WSAGetLastError());
    end(&process);
    closesocket(client);
}

static const struct {
    const char *role;
    void (*act)(void);
} roles[] = {
    {"echo", child_echo},
    {"copy", child_copies},
    {"relay", child_relays},
    {"clean up", child_cleans_up},
    {"descriptor", child_uses_descriptor},
};

static void run_child(const char *role)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (!strcmp(role, roles[i].role))
            roles[i].act();
    ExitProcess(0);
}

START_TEST(standard_handle)
{
    char role[32];

    if (GetEnvironmentVariableA(CHILD_ROLE, role, sizeof(role)))
        run_child(role); /* before anything starts Winsock */
    net_start();
    RUN(test_echo);
    RUN(test_copy);
    RUN(test_grandchild);
    RUN(test_cleanup);
    RUN(test_descriptor);
    WSACleanup();
}
