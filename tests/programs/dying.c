/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that die.
 *
 *   dying send PORT           connects to 127.0.0.1:PORT, sends a pattern until no more is taken,
 *                             prints "HANDED BYTES" and waits to be killed
 *   dying children N          for each number it reads from its input runs that many short-lived
 *                             copies of itself, N at a time, each ending in another way, and prints
 *                             "CHILDREN SUM"; holds a socket of its own meanwhile
 *   dying child WAY           one of those: 0 cleans up, 1 just exits, 2 ends itself by
 *                             TerminateProcess, 3 blocks in recv until its parent terminates it
 *
 * The pattern at place i is (i * 7 + (i >> 11)) & 0xff.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what)
{
    printf("FAILED %s: error %d\n", what, WSAGetLastError());
    fflush(stdout);
    ExitProcess(1);
}

static void start(void)
{
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data))
        fail("WSAStartup");
}

static int send_and_wait(int port)
{
    struct sockaddr_in address = {0};
    static char data[50000];
    unsigned long total = 0, i;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    u_long on = 1;
    int sent;

    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((u_short)port);
    if (connect(s, (struct sockaddr *)&address, sizeof(address)) || ioctlsocket(s, FIONBIO, &on))
        fail("connect");
    do {
        for (i = 0; i < sizeof(data); i++)
            data[i] = (char)((total + i) * 7 + ((total + i) >> 11));
        sent = send(s, data, sizeof(data), 0);
        if (sent > 0)
            total += sent;
    } while (sent > 0);
    printf("HANDED %lu\n", total);
    fflush(stdout);
    Sleep(INFINITE);
    return 0;
}

/* A pair on loopback, a datagram socket, a little data left unread, a receive pending. */
static int child(int way)
{
    struct sockaddr_in address = {0};
    int length = sizeof(address);
    static WSAOVERLAPPED ov;
    static char buffer[64];
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET l, a, b, u;
    DWORD flags = 0;

    start();
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l = socket(AF_INET, SOCK_STREAM, 0);
    u = socket(AF_INET, SOCK_DGRAM, 0);
    a = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(l, (struct sockaddr *)&address, length) || listen(l, 5) ||
        getsockname(l, (struct sockaddr *)&address, &length) ||
        connect(a, (struct sockaddr *)&address, length))
        fail("child's pair");
    b = accept(l, NULL, NULL);
    if (b == INVALID_SOCKET || send(a, "left unread", 11, 0) != 11)
        fail("child's data");
    WSARecv(a, &buf, 1, NULL, &flags, &ov, NULL);
    switch (way) {
    case 0:
        closesocket(a);
        closesocket(b);
        closesocket(l);
        closesocket(u);
        WSACleanup();
        return 0;
    case 1:
        ExitProcess(0);
    case 2:
        TerminateProcess(GetCurrentProcess(), 0);
    }
    recv(l, buffer, 1, 0); /* not connected: ends at once */
    recv(a, buffer, 1, 0);
    return 0;
}

/* Of some 5,000 processes one ends before it has begun, whatever ws2_32 it would have had ("failed
 * to map the shared user data", Wine 8.0 on Debian 12). */
#define NEVER_BEGAN ERROR_INTERNAL_ERROR

static HANDLE spawn(const char *self, int way)
{
    PROCESS_INFORMATION process;
    STARTUPINFOA info = {0};
    char line[1200];
    int tries = 0;

    info.cb = sizeof(info);
    snprintf(line, sizeof(line), "\"%s\" child %d", self, way);
    while (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &info, &process))
        if (GetLastError() != NEVER_BEGAN || ++tries == 3)
            fail("CreateProcess");
    CloseHandle(process.hThread);
    return process.hProcess;
}

/* One that blocks is given the time to get there, then it is killed. */
static void reap(HANDLE process, int way)
{
    DWORD code;

    if (way == 3) {
        WaitForSingleObject(process, 100);
        TerminateProcess(process, 0);
    }
    if (WaitForSingleObject(process, 60000) != WAIT_OBJECT_0 ||
        !GetExitCodeProcess(process, &code) || code)
        fail("a child");
    CloseHandle(process);
}

static void run_children(const char *self, int count, int at_once)
{
    HANDLE running[16];
    int i, batch;

    for (; count > 0; count -= batch) {
        batch = count < at_once ? count : at_once;
        for (i = 0; i < batch; i++)
            running[i] = spawn(self, i % 4);
        for (i = 0; i < batch; i++)
            reap(running[i], i % 4);
    }
}

int main(int argc, char **argv)
{
    char self[MAX_PATH], line[64];
    int done = 0, at_once;
    SOCKET s;

    if (argc == 3 && !strcmp(argv[1], "send")) {
        start();
        return send_and_wait(atoi(argv[2]));
    }
    if (argc == 3 && !strcmp(argv[1], "child"))
        return child(atoi(argv[2]));
    if (argc == 3 && !strcmp(argv[1], "children")) {
        at_once = atoi(argv[2]);
        if (at_once < 1 || at_once > 16)
            return 2;
        GetModuleFileNameA(NULL, self, sizeof(self));
        start();
        s = socket(AF_INET, SOCK_STREAM, 0); /* keeps the session and so the server */
        if (s == INVALID_SOCKET)
            fail("socket");
        puts("READY");
        fflush(stdout);
        while (fgets(line, sizeof(line), stdin)) {
            run_children(self, atoi(line), at_once);
            printf("CHILDREN %d\n", done += atoi(line));
            fflush(stdout);
        }
        closesocket(s);
        return 0;
    }
    puts("usage: dying send PORT | children AT_ONCE | child WAY");
    return 2;
}
