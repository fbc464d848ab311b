/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * overfull MODE ...: fills what lies between a program and the server, while the test stops one of
 * the two or looks on.
 *
 *   threads N        N threads wait in recv at once, each on a datagram socket of its own; prints
 *                    "READY" and waits for a line; then each gets one datagram: "WOKEN N". Again
 *                    with new threads, half as many: "WOKEN N/2". "NO-ROOM" and the end if there is no
 *                    address space for so many
 *   halted PORT...   connects to each and prints "READY"; after a line has come (the server is
 *                    stopped by then) sends 8 MiB to each, from threads that block, from one that
 *                    does not, and overlapped; prints "ACCEPTED BYTES" when it gets no further;
 *                    ends when all is sent: "SENT BYTES"
 *   behind N         prints "PORT NUMBER", accepts N connections, prints "READY", and waits for a
 *                    line (the test stops it meanwhile); then reads each to its end and accepts one
 *                    more: "READ BYTES"
 *
 * What goes over a connection at place i is (i * 7 + (i >> 11)) & 0xff.  Every mode ends with "DONE".
 */
#define __USE_MINGW_ANSI_STDIO 1
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE     120000
#define MAX_THREADS  4000
#define MAX_SOCKETS  64
#define PIECE        65536
#define PERIOD       (1u << 19) /* of the pattern */
#define EACH         (8u << 20) /* bytes that go to each of the ports */
#define SMALL_STACK  65536

static void fail(const char *what)
{
    printf("FAILED %s: error %d\n", what, WSAGetLastError());
    fflush(stdout);
    ExitProcess(1);
}

static void say(const char *what, ULONGLONG value)
{
    printf("%s %llu\n", what, value);
    fflush(stdout);
}

static void wait_for_line(void)
{
    char line[16];

    if (!fgets(line, sizeof(line), stdin))
        fail("no line came in");
}

static void ready(void)
{
    printf("READY\n");
    fflush(stdout);
    wait_for_line();
}

static char byte_at(ULONGLONG place)
{
    return (char)(place * 7 + (place >> 11));
}

static void loopback(struct sockaddr_in *address, int port)
{
    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->sin_port = htons((u_short)port);
}

static SOCKET bound(int type, struct sockaddr_in *address)
{
    int length = sizeof(*address);
    SOCKET s = socket(AF_INET, type, 0);

    loopback(address, 0);
    if (s == INVALID_SOCKET || bind(s, (struct sockaddr *)address, length) ||
        getsockname(s, (struct sockaddr *)address, &length))
        fail("bind");
    return s;
}

static HANDLE thread(LPTHREAD_START_ROUTINE function, void *context)
{
    HANDLE made =
        CreateThread(NULL, SMALL_STACK, function, context, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);

    if (!made && GetLastError() == ERROR_NOT_ENOUGH_MEMORY) {
        printf("NO-ROOM\n");
        fflush(stdout);
        ExitProcess(0);
    }
    if (!made)
        fail("CreateThread");
    return made;
}

static void join(HANDLE handle)
{
    if (WaitForSingleObject(handle, PATIENCE))
        fail("a thread never ended");
    CloseHandle(handle);
}

/* ---- threads ---- */

static struct waits {
    SOCKET s;
    struct sockaddr_in address;
    HANDLE handle;
} waits[MAX_THREADS];

static LONG volatile started, woken;

static DWORD CALLBACK wait_for_one(void *context)
{
    struct waits *wait = context;
    char text[8];

    InterlockedIncrement(&started);
    if (recv(wait->s, text, sizeof(text), 0) != 4 || memcmp(text, "ping", 4))
        fail("recv");
    InterlockedIncrement(&woken);
    return 0;
}

static void all_wait_and_wake(SOCKET from, int count)
{
    started = woken = 0;
    for (int i = 0; i < count; i++)
        waits[i].handle = thread(wait_for_one, &waits[i]);
    while (started < count)
        Sleep(10);
    Sleep(500); /* until they really wait */
    if (woken)
        fail("woken by nothing");
    for (int i = 0; i < count; i++)
        if (sendto(from, "ping", 4, 0, (struct sockaddr *)&waits[i].address,
                   sizeof(waits[i].address)) != 4)
            fail("sendto");
    for (int i = 0; i < count; i++)
        join(waits[i].handle);
    say("WOKEN", woken);
}

static void mode_threads(int count)
{
    struct sockaddr_in address;
    SOCKET from = bound(SOCK_DGRAM, &address);

    for (int i = 0; i < count; i++)
        waits[i].s = bound(SOCK_DGRAM, &waits[i].address);
    ready();
    all_wait_and_wake(from, count);
    all_wait_and_wake(from, count / 2);
}

/* ---- halted ---- */

static SOCKET sockets[MAX_SOCKETS];
static char pattern[PERIOD + PIECE];
static LONG volatile sent[MAX_SOCKETS];

static DWORD CALLBACK send_blocking(void *context)
{
    int i = (int)(INT_PTR)context, count;

    while (sent[i] < (LONG)EACH) {
        if ((count = send(sockets[i], pattern + sent[i] % PERIOD, PIECE, 0)) <= 0)
            fail("send");
        sent[i] += count;
    }
    return 0;
}

static DWORD CALLBACK send_nonblocking(void *context)
{
    int i = (int)(INT_PTR)context, count;
    u_long on = 1;

    ioctlsocket(sockets[i], FIONBIO, &on);
    while (sent[i] < (LONG)EACH) {
        fd_set writable = {1, {sockets[i]}};

        count = send(sockets[i], pattern + sent[i] % PERIOD, PIECE, 0);
        if (count > 0)
            sent[i] += count;
        else if (WSAGetLastError() != WSAEWOULDBLOCK)
            fail("a nonblocking send");
        else if (select(0, NULL, &writable, NULL, NULL) != 1)
            fail("select");
    }
    return 0;
}

static DWORD CALLBACK send_overlapped(void *context)
{
    static WSAOVERLAPPED operations[EACH / PIECE];
    int i = (int)(INT_PTR)context;
    DWORD count, flags;

    for (DWORD k = 0; k < EACH / PIECE; k++) {
        WSABUF buf = {PIECE, pattern + k * PIECE % PERIOD};

        operations[k].hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (WSASend(sockets[i], &buf, 1, NULL, 0, &operations[k], NULL) &&
            WSAGetLastError() != WSA_IO_PENDING)
            fail("WSASend");
    }
    for (DWORD k = 0; k < EACH / PIECE; k++) {
        if (!WSAGetOverlappedResult(sockets[i], &operations[k], &count, TRUE, &flags))
            fail("WSAGetOverlappedResult");
        sent[i] += count;
        CloseHandle(operations[k].hEvent);
    }
    return 0;
}

static ULONGLONG sum_of_sent(int count)
{
    ULONGLONG sum = 0;

    for (int i = 0; i < count; i++)
        sum += sent[i];
    return sum;
}

static void wait_until_stuck(int count)
{
    ULONGLONG last = 0, now;

    for (int same = 0; same < 10; last = now) {
        Sleep(100);
        now = sum_of_sent(count);
        same = now == last ? same + 1 : 0;
    }
    say("ACCEPTED", last);
}

static void mode_halted(int count, char **ports)
{
    HANDLE threads[MAX_SOCKETS];

    for (ULONGLONG i = 0; i < sizeof(pattern); i++)
        pattern[i] = byte_at(i);
    for (int i = 0; i < count; i++) {
        struct sockaddr_in address;

        loopback(&address, atoi(ports[i]));
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sockets[i], (struct sockaddr *)&address, sizeof(address)))
            fail("connect");
    }
    ready();
    for (int i = 0; i < count; i++)
        threads[i] = thread(i == 0   ? send_overlapped
                            : i == 1 ? send_nonblocking
                                     : send_blocking,
                            (void *)(INT_PTR)i);
    wait_until_stuck(count);
    for (int i = 0; i < count; i++)
        join(threads[i]);
    for (int i = 0; i < count; i++)
        closesocket(sockets[i]);
    say("SENT", sum_of_sent(count));
}

/* ---- behind ---- */

static ULONGLONG read_all(SOCKET s)
{
    static char data[PIECE];
    ULONGLONG total = 0;
    int got;

    while ((got = recv(s, data, sizeof(data), 0)) > 0) {
        for (int i = 0; i < got; i++)
            if (data[i] != byte_at(total + i))
                fail("a wrong byte");
        total += got;
    }
    if (got < 0)
        fail("recv");
    return total;
}

static void mode_behind(int count)
{
    struct sockaddr_in address;
    SOCKET l = bound(SOCK_STREAM, &address);
    ULONGLONG total = 0;

    if (listen(l, SOMAXCONN))
        fail("listen");
    say("PORT", ntohs(address.sin_port));
    for (int i = 0; i < count; i++)
        if ((sockets[i] = accept(l, NULL, NULL)) == INVALID_SOCKET)
            fail("accept");
    ready();
    for (int i = 0; i < count; i++)
        total += read_all(sockets[i]);
    say("READ", total);
    sockets[0] = accept(l, NULL, NULL);
    say("READ", read_all(sockets[0]));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    int number = argc == 3 ? atoi(argv[2]) : 0;
    WSADATA wsadata;

    if (WSAStartup(MAKEWORD(2, 2), &wsadata))
        fail("WSAStartup");
    if (!strcmp(mode, "threads") && number > 0 && number <= MAX_THREADS)
        mode_threads(number);
    else if (!strcmp(mode, "halted") && argc > 2 && argc - 2 <= MAX_SOCKETS)
        mode_halted(argc - 2, argv + 2);
    else if (!strcmp(mode, "behind") && number > 0 && number <= MAX_SOCKETS)
        mode_behind(number);
    else
        return 2;
    WSACleanup();
    printf("DONE\n");
    return 0;
}
