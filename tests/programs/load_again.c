/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that loads and frees ws2_32.dll again and again, as plug-in hosts do, with sockets in
 * each round:  load_again MODE ROUNDS
 *
 *   balanced   as many calls of WSACleanup as of WSAStartup; what is open then, it closes
 *   untidy     frees it with operations pending and WSACleanup still owed
 *   inside     loads it once, and counts up and down by WSAStartup and WSACleanup
 *
 * It prints "READY" when it has warmed up and "AFTER" when the rounds are over, each time waits for
 * a line, and in the end prints "DONE".  The numbers of handles in between are checked here.
 */
#include "late_winsock.h"

#include "handle_count.h"

#define WARM_UP 20

/* WSACleanup's page: "Sockets that were open when WSACleanup was called are reset and automatically
 * deallocated", "There must be a call to WSACleanup for each successful call to WSAStartup", and
 * "the last" one does that. */
static void balance(int starts)
{
    SOCKET a, b, still_open;

    for (int i = 0; i < starts; i++)
        late_start();
    late_pair(&a, &b);
    late_transfer(a, b);
    still_open = ws.socket(AF_INET, SOCK_DGRAM, 0);
    ok(still_open != INVALID_SOCKET, "error %d\n", ws.WSAGetLastError());
    for (int i = 1; i < starts; i++) {
        ok(!ws.WSACleanup(), "error %d\n", ws.WSAGetLastError());
        ok(ws.send(b, "open", 4, 0) == 4, "error %d\n", ws.WSAGetLastError());
    }
    ok(!ws.closesocket(a), "error %d\n", ws.WSAGetLastError());
    ok(!ws.WSACleanup(), "error %d\n", ws.WSAGetLastError());
    ok(ws.socket(AF_INET, SOCK_STREAM, 0) == INVALID_SOCKET &&
           ws.WSAGetLastError() == WSANOTINITIALISED,
       "error %d\n", ws.WSAGetLastError());
    ok(ws.WSACleanup() == SOCKET_ERROR && ws.WSAGetLastError() == WSANOTINITIALISED, "error %d\n",
       ws.WSAGetLastError());
}

static void balanced(int round)
{
    late_load();
    balance(round % 3 + 1);
    ok(FreeLibrary(ws.module), "error %lu\n", GetLastError());
}

static void inside(int round)
{
    balance(round % 5 + 1);
}

/* The handles stay the program's. */
static void untidy(int round)
{
    WSAOVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    char buffer[8];
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD flags = 0;
    SOCKET a, b;

    (void)round;
    late_load();
    late_start();
    late_pair(&a, &b);
    late_transfer(b, a);
    ok(ws.WSARecv(a, &buf, 1, NULL, &flags, &ov, NULL) && ws.WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", ws.WSAGetLastError());
    ok(FreeLibrary(ws.module), "error %lu\n", GetLastError());
    ok(CloseHandle((HANDLE)a), "error %lu\n", GetLastError());
    ok(WaitForSingleObject(ov.hEvent, PATIENCE) == WAIT_OBJECT_0, "the receive does not end\n");
    ok(CloseHandle((HANDLE)b), "error %lu\n", GetLastError());
    CloseHandle(ov.hEvent);
}

static void rounds(void (*round)(int), int count)
{
    for (int i = 0; i < count; i++)
        round(i);
}

static DWORD handles(void)
{
    DWORD count = handle_count();

    ok(count > 0, "no handles\n");
    return count;
}

static void say(const char *word)
{
    char line[8];

    puts(word);
    fflush(stdout);
    ok(fgets(line, sizeof(line), stdin) != NULL, "no input\n");
}

START_TEST(load_again)
{
    const char *mode = __argv[1];
    void (*round)(int) = !strcmp(mode, "untidy")   ? untidy
                         : !strcmp(mode, "inside") ? inside
                                                   : balanced;
    DWORD before, after;

    if (round == inside)
        late_load();
    rounds(round, WARM_UP);
    before = handles();
    say("READY");
    rounds(round, atoi(__argv[2]));
    after = handles();
    /* sockets may be made in advance, a few */
    ok(after <= before + 32, "%lu handles, then %lu\n", before, after);
    say("AFTER");
    puts("DONE");
}
