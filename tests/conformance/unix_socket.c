/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AF_UNIX.  Sources: Microsoft's "AF_UNIX comes to Windows" (devblogs, commandline) for what there
 * is, the pages of bind, getsockname, connect for the rest; WSAENETDOWN is golang/go#44797 and
 * libevent/libevent#1625.  The built-in of Wine 8.0 and 10.0 has no such family.
 */
#include "net.h"
#include <stddef.h>

struct address {
    ADDRESS_FAMILY family;
    char path[108];
};

static int counter;

static struct address new_address(void)
{
    struct address address = {.family = AF_UNIX};
    char directory[64] = "";

    GetTempPathA(sizeof(directory), directory);
    sprintf(address.path, "%sr%lx%d.s", directory, GetCurrentProcessId(), counter++);
    return address;
}

static SOCKET new_socket(void)
{
    SOCKET s = socket(AF_UNIX, SOCK_STREAM, 0);

    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    return s;
}

static SOCKET listener(const struct address *address, int length)
{
    SOCKET s = new_socket();

    ok_success(bind(s, (const struct sockaddr *)address, length));
    ok_success(listen(s, 5));
    return s;
}

static void connect_to(SOCKET s, const struct address *address)
{
    ok_success(connect(s, (const struct sockaddr *)address, sizeof(*address)));
}

/* "The Winsock API calls: socket, bind, listen, connect, accept, send, recv work as expected". */
static void test_stream(void)
{
    struct address address = new_address();
    SOCKET l = listener(&address, sizeof(address)), client = new_socket(), server;
    char buffer[8] = "";

    connect_to(client, &address);
    server = accept(l, NULL, NULL);
    ok(server != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    net_send_all(client, "ping", 4);
    ok(net_recv_all(server, buffer, 4) == 4 && !memcmp(buffer, "ping", 4), "got %s\n", buffer);
    net_send_all(server, "pong", 4);
    ok(net_recv_all(client, buffer, 4) == 4 && !memcmp(buffer, "pong", 4), "got %s\n", buffer);
    ok_success(shutdown(client, SD_SEND));
    ok(!recv(server, buffer, 1, 0), "no end, error %d\n", WSAGetLastError());
    closesocket(client);
    closesocket(server);
    closesocket(l);
    DeleteFileA(address.path);
}

/* getsockname and getpeername tell the path that was bound. */
static void test_names(void)
{
    struct address address = new_address(), name;
    SOCKET l = listener(&address, sizeof(address)), client = new_socket(), server;
    int length = sizeof(name);

    connect_to(client, &address);
    server = accept(l, NULL, NULL);
    ok_success(getsockname(l, (struct sockaddr *)&name, &length));
    ok(name.family == AF_UNIX && !strcmp(name.path, address.path), "path %s\n", name.path);
    length = sizeof(name);
    ok_success(getpeername(client, (struct sockaddr *)&name, &length));
    ok(name.family == AF_UNIX && !strcmp(name.path, address.path), "path %s\n", name.path);
    length = sizeof(name);
    ok_success(getpeername(server, (struct sockaddr *)&name, &length));
    ok(name.family == AF_UNIX && !name.path[0], "path %s\n", name.path);
    length = 1;
    ok_error(getsockname(l, (struct sockaddr *)&name, &length), WSAEFAULT);
    closesocket(client);
    closesocket(server);
    closesocket(l);
    DeleteFileA(address.path);
}

/* The address may end where its path does. */
static void test_short_length(void)
{
    struct address address = new_address();
    int length = (int)offsetof(struct address, path) + (int)strlen(address.path) + 1;
    SOCKET l = listener(&address, length), client = new_socket();

    ok_success(connect(client, (struct sockaddr *)&address, length));
    closesocket(client);
    closesocket(l);
    DeleteFileA(address.path);
}

/* "unix sockets ... represented as a file in the file system": it is there, and taken. */
static void test_file(void)
{
    struct address address = new_address();
    SOCKET s = new_socket(), other = new_socket();

    ok(GetFileAttributesA(address.path) == INVALID_FILE_ATTRIBUTES &&
           GetLastError() == ERROR_FILE_NOT_FOUND,
       "there before\n");
    ok_success(bind(s, (struct sockaddr *)&address, sizeof(address)));
    /* Wine cannot tell a socket's attributes, but that there is something */
    ok(GetFileAttributesA(address.path) != INVALID_FILE_ATTRIBUTES ||
           GetLastError() != ERROR_FILE_NOT_FOUND,
       "no file\n");
    ok_error(bind(other, (struct sockaddr *)&address, sizeof(address)), WSAEADDRINUSE);
    ok_error(bind(s, (struct sockaddr *)&address, sizeof(address)), WSAEINVAL);
    closesocket(other);
    /* nobody listens */
    other = new_socket();
    ok_error(connect(other, (struct sockaddr *)&address, sizeof(address)), WSAECONNREFUSED);
    closesocket(other);
    closesocket(s);
    /* what every program does before it binds */
    DeleteFileA(address.path);
    other = new_socket();
    ok_success(bind(other, (struct sockaddr *)&address, sizeof(address)));
    closesocket(other);
    DeleteFileA(address.path);
}

/* "There are three different addressing formats for unix sockets. 'pathname', 'abstract' and
 * 'unnamed'", with the "semantics ... the same as that in Linux": no file stands for an abstract
 * name, and it is free again when its socket is closed. */
static void test_abstract(void)
{
    struct address address = {.family = AF_UNIX};
    SOCKET l, client = new_socket(), other = new_socket();

    sprintf(address.path + 1, "ringsock-%lx-%d", GetCurrentProcessId(), counter++);
    ok_error(connect(client, (struct sockaddr *)&address, sizeof(address)), WSAECONNREFUSED);
    l = listener(&address, sizeof(address));
    ok_error(bind(other, (struct sockaddr *)&address, sizeof(address)), WSAEADDRINUSE);
    connect_to(client, &address);
    closesocket(client);
    closesocket(l);
    ok_success(bind(other, (struct sockaddr *)&address, sizeof(address)));
    closesocket(other);
}

static void test_errors(void)
{
    struct address address = {.family = AF_UNIX, .path = "C:\\no\\such\\directory\\socket"};
    SOCKET s = new_socket();

    ok_error(bind(s, (struct sockaddr *)&address, sizeof(address)), WSAENETDOWN);
    ok_error(bind(s, (struct sockaddr *)&address, 1), WSAEFAULT);
    address.family = AF_INET;
    ok_error(bind(s, (struct sockaddr *)&address, sizeof(address)), WSAEAFNOSUPPORT);
    ok_error(listen(s, 1), WSAEINVAL);
    closesocket(s);
    /* "SOCK_DGRAM ... not supported" */
    ok(socket(AF_UNIX, SOCK_DGRAM, 0) == INVALID_SOCKET, "a datagram socket\n");
}

/* Overlapped, nonblocking and select: a socket like any other. */
static void test_overlapped(void)
{
    struct address address = new_address();
    SOCKET l = listener(&address, sizeof(address)), client = new_socket(), server;
    WSAOVERLAPPED overlapped = {.hEvent = WSACreateEvent()};
    char byte = 0;
    WSABUF buffer = {1, &byte};
    DWORD flags = 0, bytes = 0;

    net_nonblocking(client, 1);
    if (connect(client, (struct sockaddr *)&address, sizeof(address)))
        ok(WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
    ok(net_writable(client, NET_PATIENCE), "not connected\n");
    ok(net_readable(l, NET_PATIENCE), "nothing to accept\n");
    server = accept(l, NULL, NULL);
    ok_error(WSARecv(server, &buffer, 1, NULL, &flags, &overlapped, NULL), WSA_IO_PENDING);
    net_send_all(client, "x", 1);
    ok(WSAGetOverlappedResult(server, &overlapped, &bytes, TRUE, &flags) && bytes == 1,
       "error %d\n", WSAGetLastError());
    ok(byte == 'x', "got %d\n", byte);
    closesocket(client);
    closesocket(server);
    closesocket(l);
    WSACloseEvent(overlapped.hEvent);
    DeleteFileA(address.path);
}

static int CALLBACK condition(LPWSABUF caller, LPWSABUF caller_data, LPQOS quality, LPQOS group_quality,
                              LPWSABUF callee, LPWSABUF callee_data, GROUP *group,
                              DWORD_PTR context)
{
    const struct address *own = (const struct address *)callee->buf;
    const struct address *peer = (const struct address *)caller->buf;

    (void)caller_data, (void)quality, (void)group_quality, (void)callee_data, (void)group;
    ok(callee->len == sizeof(*own) && own->family == AF_UNIX &&
           !strcmp(own->path, ((const struct address *)context)->path),
       "asked for another one, %lu bytes\n", callee->len);
    ok(caller->len == sizeof(*peer) && peer->family == AF_UNIX && !peer->path[0],
       "asked by another one, %lu bytes\n", caller->len);
    return CF_ACCEPT;
}

/* WSAAccept's page: addr "receives the address of the connecting entity", "in the address family in
 * which the communication is occurring", and lpCallerId, lpCalleeId hold them for the condition
 * function: as long as accept has them. */
static void test_accept_conditionally(void)
{
    struct address address = new_address(), peer;
    SOCKET l = listener(&address, sizeof(address)), client, server;
    int length;

    for (int asks = 0; asks < 2; asks++) {
        client = new_socket();
        connect_to(client, &address);
        memset(&peer, 0x55, sizeof(peer));
        length = sizeof(peer);
        server = WSAAccept(l, (struct sockaddr *)&peer, &length, asks ? condition : NULL,
                           (DWORD_PTR)&address);
        ok(server != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        ok(length == sizeof(peer) && peer.family == AF_UNIX && !peer.path[0],
           "%d bytes of family %d\n", length, peer.family);
        closesocket(server);
        closesocket(client);
    }
    closesocket(l);
    DeleteFileA(address.path);
}

#define CHILD_PATH   "RINGSOCK_TEST_UNIX_PATH"
#define CHILD_PARENT "RINGSOCK_TEST_UNIX_PARENT"
#define GET_PEER_PID _WSAIOR(IOC_VENDOR, 256) /* SIO_AF_UNIX_GETPEERPID of afunix.h: out, a ULONG */

static DWORD peer_process(SOCKET s)
{
    ULONG process = 0;
    DWORD bytes = 0;

    ok_success(WSAIoctl(s, GET_PEER_PID, NULL, 0, &process, sizeof(process), &bytes, NULL, NULL));
    ok(bytes == sizeof(process), "%lu bytes\n", bytes);
    return process;
}

/* Two of them wait at the same time; the second is another process (child()). */
static void test_peer_process(void)
{
    struct address address = new_address();
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    SOCKET l = listener(&address, sizeof(address)), client = new_socket(), server, other;
    PROCESS_INFORMATION process;
    char program[MAX_PATH], number[16], byte;
    ULONG value;
    DWORD bytes = 77;

    ok_error(WSAIoctl(client, GET_PEER_PID, NULL, 0, &value, sizeof(value), &bytes, NULL, NULL),
             WSAENOTCONN);
    connect_to(client, &address);
    sprintf(number, "%lu", GetCurrentProcessId());
    SetEnvironmentVariableA(CHILD_PARENT, number);
    SetEnvironmentVariableA(CHILD_PATH, address.path);
    GetModuleFileNameA(NULL, program, sizeof(program));
    ok(CreateProcessA(program, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process),
       "error %lu\n", GetLastError());
    server = accept(l, NULL, NULL);
    other = accept(l, NULL, NULL);
    ok(peer_process(server) == GetCurrentProcessId(), "another process\n");
    ok(peer_process(client) == GetCurrentProcessId(), "another process\n");
    ok(peer_process(other) == process.dwProcessId, "got %lx, the child is %lx\n",
       peer_process(other), process.dwProcessId);
    ok(recv(other, &byte, 1, 0) == 1 && byte == 'y', "the child has another number for us\n");
    ok_error(WSAIoctl(other, GET_PEER_PID, NULL, 0, &value, 3, &bytes, NULL, NULL), WSAEFAULT);
    ok_error(WSAIoctl(other, GET_PEER_PID, NULL, 0, NULL, 4, &bytes, NULL, NULL), WSAEFAULT);
    closesocket(other);
    WaitForSingleObject(process.hProcess, NET_PATIENCE);
    CloseHandle(process.hProcess);
    CloseHandle(process.hThread);
    closesocket(client);
    closesocket(server);
    closesocket(l);
    DeleteFileA(address.path);
}

/* Connects, says whether it is told its parent's number, and stays until that closes. */
static void child(const char *path, DWORD parent)
{
    struct address address = {.family = AF_UNIX};
    SOCKET s = new_socket();
    char byte;

    strcpy(address.path, path);
    connect_to(s, &address);
    byte = peer_process(s) == parent ? 'y' : 'n';
    net_send_all(s, &byte, 1);
    recv(s, &byte, 1, 0);
    closesocket(s);
}

START_TEST(unix_socket)
{
    SOCKET s;

    net_start();
    if (getenv(CHILD_PATH)) {
        child(getenv(CHILD_PATH), (DWORD)atoi(getenv(CHILD_PARENT)));
        return;
    }
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    todo_wine_if(s == INVALID_SOCKET) ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    if (s != INVALID_SOCKET) {
        closesocket(s);
        RUN(test_stream);
        RUN(test_names);
        RUN(test_short_length);
        RUN(test_file);
        RUN(test_abstract);
        RUN(test_errors);
        RUN(test_overlapped);
        RUN(test_accept_conditionally);
        RUN(test_peer_process);
    }
    WSACleanup();
}
