/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ProcessSocketNotifications.  Sources: its page and that of SOCK_NOTIFY_REGISTRATION.  Windows
 * before Server 2022 and the built-in lack it.
 */
#include "net.h"

enum { IN_EVENT = 1, OUT_EVENT = 2, HANGUP_EVENT = 4, REMOVE_EVENT = 0x80 };
enum { ENABLE = 1, DISABLE = 2, REMOVE = 4 };
enum { ONESHOT = 1, PERSISTENT = 2, LEVEL = 4, EDGE = 8 };

struct registration {
    SOCKET socket;
    void *key;
    UINT16 filter;
    UINT8 operation, triggers;
    DWORD result;
};

static DWORD(WINAPI *process)(HANDLE port, UINT32 count, struct registration *registrations,
                              UINT32 timeout, ULONG room, OVERLAPPED_ENTRY *entries,
                              UINT32 *received);
static HANDLE port;
static SOCKET client, server;

static void begin(void)
{
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    net_pair(&client, &server);
}

static void finish(void)
{
    closesocket(client);
    closesocket(server);
    CloseHandle(port);
}

static DWORD change(UINT8 operation, UINT16 filter, UINT8 triggers)
{
    struct registration registration = {server, (void *)77, filter, operation, triggers, 0xdead};
    DWORD error = process(port, 1, &registration, 0, 0, NULL, NULL);

    ok(!error, "got %lu\n", error);
    return registration.result;
}

/* The events of the next notification; 0: none. */
static DWORD next(DWORD timeout)
{
    OVERLAPPED_ENTRY entry = {0};
    UINT32 received = 77;
    DWORD error = process(port, 0, NULL, timeout, 1, &entry, &received);

    if (error) {
        ok(error == ERROR_TIMEOUT && !received, "got %lu, %u entries\n", error, received);
        return 0;
    }
    ok(received == 1 && entry.lpCompletionKey == 77 && !entry.lpOverlapped, "%u, key %lu\n",
       received, (DWORD)entry.lpCompletionKey);
    return entry.dwNumberOfBytesTransferred;
}

static void take(int size)
{
    char buffer[16];

    ok(recv(server, buffer, size, 0) == size, "error %d\n", WSAGetLastError());
}

/* "SOCK_NOTIFY_REGISTER_EVENT_IN: a notification should be issued when data can be read without
 * blocking"; one-shot: one, until it is enabled again. */
static void test_oneshot(void)
{
    begin();
    ok(!change(ENABLE, IN_EVENT, ONESHOT | LEVEL), "refused\n");
    ok(!next(0), "told before there was anything\n");
    net_send_all(client, "xy", 2);
    ok(next(NET_PATIENCE) == IN_EVENT, "not told\n");
    ok(!next(50), "told twice\n");
    take(1);
    ok(!change(ENABLE, IN_EVENT, ONESHOT | LEVEL), "refused\n");
    ok(next(NET_PATIENCE) == IN_EVENT, "not told of what was left\n");
    finish();
}

/* "..._OUT: when data can be written without blocking"; both packets come in one call. */
static void test_out(void)
{
    begin();
    ok(!change(ENABLE, IN_EVENT | OUT_EVENT, ONESHOT | LEVEL), "refused\n");
    ok(next(NET_PATIENCE) == OUT_EVENT, "not writable\n");
    finish();
}

/* Persistent and level: again as long as it holds. */
static void test_level(void)
{
    begin();
    ok(!change(ENABLE, IN_EVENT, PERSISTENT | LEVEL), "refused\n");
    net_send_all(client, "xy", 2);
    ok(next(NET_PATIENCE) == IN_EVENT, "not told\n");
    ok(next(NET_PATIENCE) == IN_EVENT, "not told again\n");
    take(2);
    next(50); /* may be under way */
    ok(!next(50), "told without anything there\n");
    finish();
}

/* Persistent and edge: of each arrival. */
static void test_edge(void)
{
    begin();
    ok(!change(ENABLE, IN_EVENT, PERSISTENT | EDGE), "refused\n");
    net_send_all(client, "x", 1);
    ok(next(NET_PATIENCE) == IN_EVENT, "not told\n");
    ok(!next(50), "told twice\n");
    take(1);
    net_send_all(client, "y", 1);
    ok(next(NET_PATIENCE) == IN_EVENT, "not told of the second\n");
    finish();
}

/* "..._HANGUP: when a stream-oriented connection was either disconnected or aborted". */
static void test_hangup(void)
{
    begin();
    ok(!change(ENABLE, HANGUP_EVENT, ONESHOT | LEVEL), "refused\n");
    shutdown(client, SD_SEND);
    ok(next(NET_PATIENCE) == HANGUP_EVENT, "not told\n");
    finish();
}

/* "A SOCK_NOTIFY_EVENT_REMOVE notification is issued"; nothing comes after it. */
static void test_remove(void)
{
    begin();
    ok(!change(ENABLE, IN_EVENT, PERSISTENT | EDGE), "refused\n");
    ok(!change(REMOVE, 0, 0), "not removed\n");
    ok(next(NET_PATIENCE) == REMOVE_EVENT, "not told\n");
    net_send_all(client, "x", 1);
    ok(!next(100), "told after that\n");
    ok(change(REMOVE, 0, 0), "removed twice\n");
    finish();
}

/* "Disables the registration, but doesn't destroy the underlying data structures". */
static void test_disable(void)
{
    begin();
    ok(!change(ENABLE, IN_EVENT, PERSISTENT | EDGE), "refused\n");
    ok(!change(DISABLE, 0, 0), "not disabled\n");
    net_send_all(client, "x", 1);
    ok(!next(100), "told\n");
    ok(!change(ENABLE, IN_EVENT, PERSISTENT | EDGE), "refused\n");
    ok(next(NET_PATIENCE) == IN_EVENT, "not told\n");
    finish();
}

/* "The notifications ... are the same as the ones that are retrieved with
 * GetQueuedCompletionStatusEx". */
static void test_other_ways(void)
{
    OVERLAPPED *overlapped = (void *)1;
    ULONG_PTR key = 0;
    DWORD bytes = 0;

    begin();
    ok(!change(ENABLE, IN_EVENT, ONESHOT | EDGE), "refused\n");
    net_send_all(client, "x", 1);
    ok(GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, NET_PATIENCE) && key == 77 &&
           bytes == IN_EVENT && !overlapped,
       "error %lu, key %lu, %lu bytes\n", GetLastError(), (DWORD)key, bytes);
    finish();
}

static void test_errors(void)
{
    struct registration registration = {0x1234, NULL, IN_EVENT, ENABLE, ONESHOT | LEVEL, 0};

    begin();
    ok(!process(port, 1, &registration, 0, 0, NULL, NULL), "the call fails\n");
    ok(registration.result, "no socket\n");
    ok(change(ENABLE, 0, ONESHOT | LEVEL) == ERROR_INVALID_PARAMETER, "no event\n");
    ok(change(ENABLE, IN_EVENT, ONESHOT) == ERROR_INVALID_PARAMETER, "no trigger\n");
    ok(change(ENABLE, IN_EVENT, ONESHOT | PERSISTENT | EDGE) == ERROR_INVALID_PARAMETER, "both\n");
    ok(process(port, 1, NULL, 0, 0, NULL, NULL) == ERROR_INVALID_PARAMETER, "no registrations\n");
    finish();
}

START_TEST(notifications)
{
    *(FARPROC *)&process =
        GetProcAddress(GetModuleHandleA("ws2_32"), "ProcessSocketNotifications");
    todo_wine ok(process != NULL, "no ProcessSocketNotifications\n");
    if (!process)
        return;
    net_start();
    RUN(test_oneshot);
    RUN(test_out);
    RUN(test_level);
    RUN(test_edge);
    RUN(test_hangup);
    RUN(test_remove);
    RUN(test_disable);
    RUN(test_other_ways);
    RUN(test_errors);
    WSACleanup();
}
