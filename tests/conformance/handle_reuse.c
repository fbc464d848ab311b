/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles of closed sockets: to every call they are none, whatever the DLL keeps of them, and the
 * next sockets have nothing of the ones before. Sources: closesocket ("closes the socket and
 * releases the descriptor, so that further references to the socket fail with WSAENOTSOCK"),
 * CloseHandle, DuplicateHandle, "Handle Inheritance" (a child has copies of what can be inherited
 * when it is made), WSADuplicateSocket ("the socket remains open until the last descriptor is
 * closed").
 */
#include "nt_io.h"

#define CHILD "RINGSOCK_TEST_CHILD"

/* A connection of its own each time, looked at from both ends. */
static void exchange(void)
{
    char buffer[8] = "";
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "there", 5);
    ok(net_recv_all(b, buffer, 5) == 5 && !memcmp(buffer, "there", 5), "got %.5s\n", buffer);
    net_send_all(b, "back", 4);
    ok(net_recv_all(a, buffer, 4) == 4 && !memcmp(buffer, "back", 4), "got %.4s\n", buffer);
    closesocket(a);
    ok(recv(b, buffer, 1, 0) == 0, "no end, error %d\n", WSAGetLastError());
    closesocket(b);
}

static void test_many(void)
{
    int i;

    for (i = 0; i < 300; i++)
        exchange();
}

/* More at a time than anybody keeps, and connections that were never accepted among them. */
static void test_crowd(void)
{
    SOCKET sockets[100], listener, accepted;
    struct sockaddr_storage address;
    int i, round, length;

    for (round = 0; round < 5; round++) {
        listener = net_listener(AF_INET, &address, &length);
        for (i = 0; i < 100; i++) {
            sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
            ok(!connect(sockets[i], (struct sockaddr *)&address, length), "error %d\n",
               WSAGetLastError());
            if (i % 3)
                continue;
            accepted = accept(listener, NULL, NULL);
            ok(accepted != INVALID_SOCKET && !closesocket(accepted), "error %d\n",
               WSAGetLastError());
        }
        closesocket(listener);
        for (i = 0; i < 100; i++)
            ok(!closesocket(sockets[i]), "error %d\n", WSAGetLastError());
        exchange();
    }
}

static SOCKET closed_socket(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok(!closesocket(s), "error %d\n", WSAGetLastError());
    return s;
}

#define REFUSES(call)                                                                \
    do {                                                                             \
        SetLastError(0xdead);                                                        \
        ok(!(call) && GetLastError() == ERROR_INVALID_HANDLE, #call ": error %lu\n", \
           GetLastError());                                                          \
    } while (0)

/* ERROR_INVALID_HANDLE everywhere. */
static void test_invalid(void)
{
    HANDLE closed = (HANDLE)closed_socket(), copy, port;
    OVERLAPPED ov = {0};
    char byte = 0;
    DWORD count;

    REFUSES(CloseHandle(closed));
    REFUSES(DuplicateHandle(GetCurrentProcess(), closed, GetCurrentProcess(), &copy, 0, FALSE,
                            DUPLICATE_SAME_ACCESS));
    REFUSES(ReadFile(closed, &byte, 1, &count, &ov));
    REFUSES(WriteFile(closed, &byte, 1, &count, &ov));
    REFUSES(CancelIo(closed));
    REFUSES(CancelIoEx(closed, NULL));
    REFUSES(SetHandleInformation(closed, HANDLE_FLAG_INHERIT, 0));
    REFUSES(SetFileCompletionNotificationModes(closed, FILE_SKIP_SET_EVENT_ON_HANDLE));
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    REFUSES(CreateIoCompletionPort(closed, port, 0, 0));
    CloseHandle(port);
    ok(WaitForSingleObject(closed, 0) == WAIT_FAILED && GetLastError() == ERROR_INVALID_HANDLE,
       "error %lu\n", GetLastError());
    ok(closesocket((SOCKET)closed) && WSAGetLastError() == WSAENOTSOCK, "error %d\n",
       WSAGetLastError());
    ok(send((SOCKET)closed, "x", 1, 0) < 0 && WSAGetLastError() == WSAENOTSOCK, "error %d\n",
       WSAGetLastError());
    exchange();
}

/* What was set of a handle is not the next one's. */
static void test_flags(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD flags;
    int i;

    SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0);
    closesocket(s);
    s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0,
                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    closesocket(s);
    for (i = 0; i < 4; i++) {
        s = socket(AF_INET, SOCK_STREAM, 0);
        ok(GetHandleInformation((HANDLE)s, &flags) && flags == HANDLE_FLAG_INHERIT, "%lx\n", flags);
        closesocket(s);
        s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0,
                       WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
        ok(GetHandleInformation((HANDLE)s, &flags) && !flags, "%lx\n", flags);
        closesocket(s);
    }
}

/* A port is the socket's, not the handle's. */
static void test_ports(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    int i;

    for (i = 0; i < 4; i++) {
        SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

        ok(CreateIoCompletionPort((HANDLE)s, port, 1, 0) == port, "error %lu\n", GetLastError());
        closesocket(s);
    }
    CloseHandle(port);
}

static HANDLE start_child(const char *what, BOOL inherit)
{
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process = {0};
    char path[MAX_PATH];

    GetModuleFileNameA(NULL, path, sizeof(path));
    SetEnvironmentVariableA(CHILD, what);
    ok(CreateProcessA(path, NULL, NULL, NULL, inherit, 0, NULL, NULL, &startup, &process),
       "error %lu\n", GetLastError());
    SetEnvironmentVariableA(CHILD, NULL);
    CloseHandle(process.hThread);
    return process.hProcess;
}

/* A child has copies of the sockets that were open when it was made: what is closed later lives on
 * in it.  Of those that were closed before it has none. */
static void test_child(void)
{
    HANDLE child;
    SOCKET a, b, early, early_peer;
    char byte;
    int i;

    for (i = 0; i < 8; i++)
        closed_socket();
    net_pair(&early, &early_peer);
    child = start_child("sleep", TRUE);
    for (i = 0; i < 4; i++) {
        net_pair(&a, &b);
        closesocket(a);
        ok(net_readable(b, NET_PATIENCE) && recv(b, &byte, 1, 0) == 0, "no end, error %d\n",
           WSAGetLastError());
        closesocket(b);
    }
    closesocket(early);
    ok(!net_readable(early_peer, 200), "the child has a copy, and its connection has ended\n");
    for (i = 0; i < 4; i++)
        exchange();
    TerminateProcess(child, 0);
    ok(net_readable(early_peer, NET_PATIENCE), "no end when the child has ended\n");
    closesocket(early_peer);
    CloseHandle(child);
}

#define FETCH   "ringsock handle_reuse fetch"
#define FETCHED "ringsock handle_reuse fetched"
#define WHICH   "ringsock handle_reuse which"

/* Another process that fetches a handle by itself has a copy, too: also one that was there all the
 * time, and of a socket that came after others (`later`). */
static void test_fetched_by(BOOL later)
{
    HANDLE fetch = CreateEventA(NULL, TRUE, FALSE, FETCH);
    HANDLE fetched = CreateEventA(NULL, TRUE, FALSE, FETCHED);
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, WHICH);
    volatile ULONG *which = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    char text[64], byte;
    HANDLE child;
    SOCKET a, b;
    int i;

    snprintf(text, sizeof(text), "%lu", GetCurrentProcessId());
    child = start_child(text, FALSE);
    ok(WaitForSingleObject(fetched, 6 * NET_PATIENCE) == WAIT_OBJECT_0,
       "the child does not start\n");
    ResetEvent(fetched);
    for (i = 0; later && i < 4; i++)
        exchange();
    net_pair(&a, &b);
    *which = (ULONG)a;
    SetEvent(fetch);
    ok(WaitForSingleObject(fetched, NET_PATIENCE) == WAIT_OBJECT_0, "the child has no copy\n");
    closesocket(a);
    ok(!net_readable(b, 200), "the child has a copy, and its connection has ended\n");
    for (i = 0; i < 4; i++)
        exchange();
    TerminateProcess(child, 0);
    ok(net_readable(b, NET_PATIENCE) && recv(b, &byte, 1, 0) <= 0, "error %d\n", WSAGetLastError());
    closesocket(b);
    UnmapViewOfFile((void *)which);
    CloseHandle(section);
    CloseHandle(fetched);
    CloseHandle(fetch);
    CloseHandle(child);
}

static void test_fetched(void)
{
    test_fetched_by(FALSE);
    test_fetched_by(TRUE);
}

/* Says that it is there, and fetches what it is told. */
static void fetch(DWORD parent)
{
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, parent), copy;
    HANDLE fetched = OpenEventA(EVENT_MODIFY_STATE, FALSE, FETCHED);
    HANDLE section = OpenFileMappingA(FILE_MAP_READ, FALSE, WHICH);
    const volatile ULONG *which = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);

    SetEvent(fetched);
    WaitForSingleObject(OpenEventA(SYNCHRONIZE, FALSE, FETCH), INFINITE);
    ok(DuplicateHandle(process, (HANDLE)(ULONG_PTR)*which, GetCurrentProcess(), &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS),
       "error %lu\n", GetLastError());
    SetEvent(fetched);
}

static void be_a_child(const char *what)
{
    if (atoi(what))
        fetch((DWORD)atoi(what));
    Sleep(60000);
}

START_TEST(handle_reuse)
{
    char child[64];

    if (GetEnvironmentVariableA(CHILD, child, sizeof(child))) {
        be_a_child(child);
        return;
    }
    net_start();
    RUN(test_many);
    RUN(test_crowd);
    RUN(test_invalid);
    RUN(test_flags);
    RUN(test_ports);
    RUN(test_child);
    RUN(test_fetched);
    WSACleanup();
}
