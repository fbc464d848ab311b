/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SO_PAUSE_ACCEPT.
 * Source: "SOL_SOCKET Socket Options": "Use this option for listening sockets. When the option is
 * set, the socket responds to all incoming connections with an RST rather than accepting them."  No
 * Wine has it.
 */
#include "child_program.h"

#define PAUSE_ACCEPT 0x3003
#define CHILD_PIPES  "RINGSOCK_TEST_PAUSE_PIPES" /* the handles that the child reads and writes */

static int pause(SOCKET s, DWORD on)
{
    return setsockopt(s, SOL_SOCKET, PAUSE_ACCEPT, (char *)&on, sizeof(on));
}

/* "yes | yes | DWORD (boolean)" */
static BOOL test_value(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD value = 77;
    int size = sizeof(value), error;

    error = getsockopt(s, SOL_SOCKET, PAUSE_ACCEPT, (char *)&value, &size);
    todo_wine ok(!error && !value, "got %d: %lu\n", error, value);
    if (!error) {
        ok_success(pause(s, 1));
        size = sizeof(value);
        ok_success(getsockopt(s, SOL_SOCKET, PAUSE_ACCEPT, (char *)&value, &size));
        ok(value == 1, "got %lu\n", value);
        ok(pause(udp, 1) == SOCKET_ERROR, "set on a datagram socket\n");
    }
    closesocket(s);
    closesocket(udp);
    return !error;
}

/* How connecting there ends; *s is the socket. */
static DWORD try_connect(const struct sockaddr_storage *address, int length, SOCKET *s)
{
    *s = socket(address->ss_family, SOCK_STREAM, 0);
    return connect(*s, (struct sockaddr *)address, length) ? WSAGetLastError() : 0;
}

static void check_refused(const struct sockaddr_storage *address, int length)
{
    SOCKET s;
    DWORD error = try_connect(address, length, &s);

    ok(error == WSAECONNREFUSED, "got %lu\n", error);
    closesocket(s);
}

/* Connects and passes a byte. */
static void check_accepted(SOCKET listener, const struct sockaddr_storage *address, int length)
{
    SOCKET client, accepted;
    DWORD error = try_connect(address, length, &client);
    char byte = 0;

    ok(!error, "got %lu\n", error);
    if (!error) {
        ok(net_readable(listener, NET_PATIENCE), "no connection\n");
        accepted = accept(listener, NULL, NULL);
        ok(accepted != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        ok(send(client, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
        ok(net_readable(accepted, NET_PATIENCE), "nothing has arrived\n");
        ok(recv(accepted, &byte, 1, 0) == 1 && byte == 'x', "got %d\n", byte);
        closesocket(accepted);
    }
    closesocket(client);
}

static void test_pause(int family)
{
    struct sockaddr_storage address, later;
    int length, size = sizeof(later);
    DWORD value = 0;
    SOCKET l = net_listener(family, &address, &length);

    winetest_push_context("family %d", family);
    check_accepted(l, &address, length);
    for (int again = 0; again < 2; again++) {
        ok_success(pause(l, 1));
        ok_success(pause(l, 1));
        check_refused(&address, length);
        check_refused(&address, length);
        ok(!net_readable(l, 50), "a connection that was refused\n");
        ok_success(pause(l, 0));
        check_accepted(l, &address, length);
    }
    ok_success(getsockname(l, (struct sockaddr *)&later, &size));
    ok(!memcmp(&later, &address, length), "another address\n");
    size = sizeof(value);
    ok_success(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, (char *)&value, &size));
    ok(value, "it does not listen any more\n");
    ok_success(pause(l, 1));
    closesocket(l);
    check_refused(&address, length);
    winetest_pop_context();
}

/* What had come before is there all the same, and what was accepted goes on. */
static void test_earlier(void)
{
    struct sockaddr_storage address;
    SOCKET l, before[100], client, accepted;
    int length, count = 0, taken = 0;
    DWORD error;

    l = net_listener(AF_INET, &address, &length);
    error = try_connect(&address, length, &client);
    ok(!error, "got %lu\n", error);
    accepted = accept(l, NULL, NULL);
    while (count < (int)ARRAYSIZE(before)) {
        error = try_connect(&address, length, &before[count++]);
        ok(!error, "%d: got %lu\n", count, error);
    }
    ok_success(pause(l, 1));
    check_refused(&address, length);
    ok(send(client, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
    ok(net_readable(accepted, NET_PATIENCE), "nothing has arrived\n");
    while (taken < count && net_readable(l, NET_PATIENCE)) {
        SOCKET s = accept(l, NULL, NULL);

        ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        closesocket(s);
        taken++;
    }
    ok(taken == count, "%d of %d\n", taken, count);
    ok_success(pause(l, 0));
    check_accepted(l, &address, length);
    while (count)
        closesocket(before[--count]);
    closesocket(client);
    closesocket(accepted);
    closesocket(l);
}

/* Set before it listens, and listening once more. */
static void test_before_listen(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = net_bound(AF_INET, SOCK_STREAM, &address, &length);

    ok_success(pause(s, 1));
    ok_success(listen(s, 5));
    check_refused(&address, length);
    ok_success(listen(s, 7));
    check_refused(&address, length);
    ok_success(pause(s, 0));
    check_accepted(s, &address, length);
    closesocket(s);
}

/* Nobody else gets its address meanwhile. */
static void test_address_is_kept(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), other = socket(AF_INET, SOCK_STREAM, 0);

    ok_success(pause(l, 1));
    ok_error(bind(other, (struct sockaddr *)&address, length), WSAEADDRINUSE);
    ok_success(pause(l, 0));
    check_accepted(l, &address, length);
    closesocket(other);
    closesocket(l);
}

/* ---- a listener of two processes ---- */

struct child {
    PROCESS_INFORMATION process;
    HANDLE orders, answers;
};

static void start_child(struct child *child, SOCKET listener)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    char path[MAX_PATH], pipes[64];
    HANDLE orders, answers;
    WSAPROTOCOL_INFOW info;
    DWORD count;

    child_program(path);
    ok(CreatePipe(&orders, &child->orders, &inherit, 0), "error %lu\n", GetLastError());
    ok(CreatePipe(&child->answers, &answers, &inherit, 0), "error %lu\n", GetLastError());
    SetHandleInformation(child->orders, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(child->answers, HANDLE_FLAG_INHERIT, 0);
    /* the child is to have the listener only by its description */
    SetHandleInformation((HANDLE)listener, HANDLE_FLAG_INHERIT, 0);
    snprintf(pipes, sizeof(pipes), "%lu %lu", (unsigned long)(ULONG_PTR)orders,
             (unsigned long)(ULONG_PTR)answers);
    SetEnvironmentVariableA(CHILD_PIPES, pipes);
    ok(CreateProcessA(path, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child->process),
       "error %lu\n", GetLastError());
    SetEnvironmentVariableA(CHILD_PIPES, NULL);
    CloseHandle(orders);
    CloseHandle(answers);
    ok(!WSADuplicateSocketW(listener, child->process.dwProcessId, &info), "error %d\n",
       WSAGetLastError());
    ok(WriteFile(child->orders, &info, sizeof(info), &count, NULL), "error %lu\n", GetLastError());
}

/* 'p' and 'r': pauses and resumes; '?': tells which; 'a': accepts and tells the byte that comes. */
static char obey(SOCKET listener, char order)
{
    DWORD value = 0;
    int size = sizeof(value);
    char byte = 0;
    SOCKET s;

    switch (order) {
    case 'p':
    case 'r':
        return pause(listener, order == 'p') ? '!' : order;
    case '?':
        if (getsockopt(listener, SOL_SOCKET, PAUSE_ACCEPT, (char *)&value, &size))
            return '!';
        return value ? 'p' : 'r';
    case 'a':
        s = accept(listener, NULL, NULL);
        if (s == INVALID_SOCKET || recv(s, &byte, 1, 0) != 1)
            return '!';
        closesocket(s);
        return byte;
    default:
        return '!';
    }
}

static void run_child(const char *pipes)
{
    unsigned long orders, answers;
    WSAPROTOCOL_INFOW info;
    DWORD count, done = 0;
    SOCKET listener;
    char order;

    sscanf(pipes, "%lu %lu", &orders, &answers);
    while (done < sizeof(info) && ReadFile((HANDLE)(ULONG_PTR)orders, (char *)&info + done,
                                           sizeof(info) - done, &count, NULL))
        done += count;
    listener = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                          WSA_FLAG_OVERLAPPED);
    while (ReadFile((HANDLE)(ULONG_PTR)orders, &order, 1, &count, NULL) && count == 1) {
        order = obey(listener, order);
        WriteFile((HANDLE)(ULONG_PTR)answers, &order, 1, &count, NULL);
    }
    ExitProcess(0); /* with the listener as it is */
}

static void tell(struct child *child, char order)
{
    DWORD count;

    ok(WriteFile(child->orders, &order, 1, &count, NULL), "error %lu\n", GetLastError());
}

static void check_answer(struct child *child, char expected)
{
    char answer = 0;
    DWORD count;

    ok(ReadFile(child->answers, &answer, 1, &count, NULL) && count == 1, "error %lu\n",
       GetLastError());
    ok(answer == expected, "the child says %c, not %c\n", answer, expected);
}

static void child_does(struct child *child, char order, char expected)
{
    tell(child, order);
    check_answer(child, expected);
}

static void end_child(struct child *child)
{
    CloseHandle(child->orders);
    ok(WaitForSingleObject(child->process.hProcess, NET_PATIENCE) == WAIT_OBJECT_0,
       "the child does not end\n");
    CloseHandle(child->answers);
    CloseHandle(child->process.hProcess);
    CloseHandle(child->process.hThread);
}

static void child_accepts(struct child *child, const struct sockaddr_storage *address, int length)
{
    SOCKET client;
    DWORD error = try_connect(address, length, &client);

    ok(!error, "got %lu\n", error);
    ok(send(client, "y", 1, 0) == 1, "error %d\n", WSAGetLastError());
    check_answer(child, 'y');
    closesocket(client);
}

/* "a setsockopt operation performed using one descriptor is subsequently visible using a getsockopt
 * from any or all descriptors" (WSADuplicateSocket's page): either pauses it and ends that. */
static void test_shared(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length);
    struct child child;

    start_child(&child, l);
    for (int again = 0; again < 2; again++) {
        child_does(&child, '?', 'r');
        child_does(&child, 'p', 'p');
        check_refused(&address, length);
        ok(obey(l, '?') == 'p', "not paused here\n");
        check_refused(&address, length);
        ok(obey(l, 'r') == 'r', "error %d\n", WSAGetLastError());
        check_accepted(l, &address, length);
        child_does(&child, '?', 'r');
        tell(&child, 'a');
        child_accepts(&child, &address, length);
        ok(obey(l, 'p') == 'p', "error %d\n", WSAGetLastError());
        check_refused(&address, length);
        child_does(&child, '?', 'p');
        child_does(&child, 'r', 'r');
        check_accepted(l, &address, length);
        tell(&child, 'a');
        child_accepts(&child, &address, length);
    }
    end_child(&child);
    closesocket(l);
}

/* One waits in accept meanwhile. */
static void test_shared_waits(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length);
    struct child child;

    start_child(&child, l);
    tell(&child, 'a');
    Sleep(50);
    ok(obey(l, 'p') == 'p', "error %d\n", WSAGetLastError());
    check_refused(&address, length);
    Sleep(50);
    check_refused(&address, length);
    ok(obey(l, 'r') == 'r', "error %d\n", WSAGetLastError());
    child_accepts(&child, &address, length);
    end_child(&child);
    closesocket(l);
}

/* What had come before is there all the same, for either, whoever pauses it. */
static void test_shared_earlier(BOOL here)
{
    struct sockaddr_storage address;
    SOCKET l, clients[40], s;
    struct child child;
    DWORD error;
    char byte;
    int length;

    l = net_listener(AF_INET, &address, &length);
    start_child(&child, l);
    child_does(&child, '?', 'r');
    for (int i = 0; i < (int)ARRAYSIZE(clients); i++) {
        error = try_connect(&address, length, &clients[i]);
        ok(!error, "%d: got %lu\n", i, error);
        ok(send(clients[i], "z", 1, 0) == 1, "%d: error %d\n", i, WSAGetLastError());
    }
    if (here)
        ok(obey(l, 'p') == 'p', "error %d\n", WSAGetLastError());
    else
        child_does(&child, 'p', 'p');
    check_refused(&address, length);
    for (int i = 0; i < (int)ARRAYSIZE(clients); i++) {
        if (i % 3 == 1) {
            child_does(&child, 'a', 'z');
        } else if (net_readable(l, NET_PATIENCE)) {
            s = accept(l, NULL, NULL);
            ok(recv(s, &byte, 1, 0) == 1 && byte == 'z', "%d: error %d\n", i, WSAGetLastError());
            closesocket(s);
        } else
            ok(0, "%d is not there\n", i);
        closesocket(clients[i]);
    }
    ok(!net_readable(l, 20), "one more\n");
    end_child(&child);
    closesocket(l);
}

/* The one that has paused it ends. */
static void test_shared_ends(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length);
    struct child child;

    start_child(&child, l);
    child_does(&child, 'p', 'p');
    check_refused(&address, length);
    end_child(&child);
    check_refused(&address, length);
    ok(obey(l, '?') == 'p', "not paused here\n");
    ok(obey(l, 'r') == 'r', "error %d\n", WSAGetLastError());
    check_accepted(l, &address, length);
    closesocket(l);
}

START_TEST(pause_accept)
{
    char pipes[64];

    net_start();
    if (GetEnvironmentVariableA(CHILD_PIPES, pipes, sizeof(pipes)))
        run_child(pipes);
    if (test_value()) {
        RUN(test_pause, AF_INET);
        RUN(test_pause, AF_INET6);
        RUN(test_earlier);
        RUN(test_before_listen);
        RUN(test_address_is_kept);
        RUN(test_shared);
        RUN(test_shared_waits);
        RUN(test_shared_earlier, TRUE);
        RUN(test_shared_earlier, FALSE);
        RUN(test_shared_ends);
    }
    WSACleanup();
}
