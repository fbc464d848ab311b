/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * datapath [COUNT]: COUNT steady-state operations of each kind, each kind between two markers that
 * a trace shows: CreateEventA("ringsock-begin-KIND") and CreateEventA("ringsock-end-KIND").
 *
 * Owns: one connected pair on loopback.  Prints "KIND COUNT" per kind done; exit code 1 as soon as
 * an operation does not give what it must, so that no trace of failing calls can pass for a fast
 * one. What prepares a kind (sending what will be received) stands before its first marker.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

static SOCKET near_end, far_end; /* operations are made on near_end */
static int operations = 200;
static const char *kind_name;

static void fail(const char *what, int result)
{
    printf("FAILED %s: %s gave %d, error %d\n", kind_name, what, result, WSAGetLastError());
    fflush(stdout);
    ExitProcess(1);
}

/* CreateEventA reaches wineserver with its name: that is the mark.  The handle may stay open. */
static void mark(const char *which)
{
    char name[64];

    snprintf(name, sizeof(name), "ringsock-%s-%s", which, kind_name);
    if (!CreateEventA(NULL, TRUE, FALSE, name))
        fail("CreateEventA", 0);
}

static void set_blocking(BOOL blocking)
{
    u_long on = !blocking;

    if (ioctlsocket(near_end, FIONBIO, &on))
        fail("FIONBIO", -1);
}

static u_long arrived(SOCKET s)
{
    u_long count = 0;

    if (ioctlsocket(s, FIONREAD, &count))
        fail("FIONREAD", -1);
    return count;
}

static void wait_arrived(SOCKET s, u_long bytes)
{
    DWORD start = GetTickCount();

    while (arrived(s) < bytes) {
        if (GetTickCount() - start > 20000)
            fail("arrival", (int)arrived(s));
        Sleep(1);
    }
}

static void drain(SOCKET s)
{
    char buffer[4096];
    u_long left;

    while ((left = arrived(s)))
        if (recv(s, buffer, left < sizeof(buffer) ? (int)left : (int)sizeof(buffer), 0) <= 0)
            fail("drain", -1);
}

static void fill(void)
{
    char *data = calloc(1, operations);

    if (!data || send(far_end, data, operations, 0) != operations)
        fail("fill", -1);
    free(data);
    wait_arrived(near_end, operations);
}

/* ---- the kinds: each does one operation ---- */

static void do_nothing(void)
{
}

static void do_send(void)
{
    int result = send(near_end, "x", 1, 0);

    if (result != 1)
        fail("send", result);
}

static void do_recv(void)
{
    char byte;
    int result = recv(near_end, &byte, 1, 0);

    if (result != 1)
        fail("recv", result);
}

static void do_recv_empty(void)
{
    char byte;
    int result = recv(near_end, &byte, 1, 0);

    if (result != SOCKET_ERROR || WSAGetLastError() != WSAEWOULDBLOCK)
        fail("recv", result);
}

static void do_wsasend(void)
{
    WSABUF buf = {1, "x"};
    DWORD bytes = 0;
    int result = WSASend(near_end, &buf, 1, &bytes, 0, NULL, NULL);

    if (result || bytes != 1)
        fail("WSASend", result);
}

static void do_wsarecv(void)
{
    char byte;
    WSABUF buf = {1, &byte};
    DWORD bytes = 0, flags = 0;
    int result = WSARecv(near_end, &buf, 1, &bytes, &flags, NULL, NULL);

    if (result || bytes != 1)
        fail("WSARecv", result);
}

static void do_wsasend_overlapped(void)
{
    WSABUF buf = {1, "x"};
    WSAOVERLAPPED ov = {0};
    DWORD bytes = 0;
    int result = WSASend(near_end, &buf, 1, &bytes, 0, &ov, NULL);

    if (result || bytes != 1)
        fail("WSASend", result);
}

static void do_wsarecv_overlapped(void)
{
    char byte;
    WSABUF buf = {1, &byte};
    WSAOVERLAPPED ov = {0};
    DWORD bytes = 0, flags = 0;
    int result = WSARecv(near_end, &buf, 1, &bytes, &flags, &ov, NULL);

    if (result || bytes != 1)
        fail("WSARecv", result);
}

static int do_select(void)
{
    struct timeval time = {0, 0};
    fd_set read;

    FD_ZERO(&read);
    FD_SET(near_end, &read);
    return select(0, &read, NULL, NULL, &time);
}

static void do_select_empty(void)
{
    int result = do_select();

    if (result)
        fail("select", result);
}

static void do_select_ready(void)
{
    int result = do_select();

    if (result != 1)
        fail("select", result);
}

static void do_poll_empty(void)
{
    WSAPOLLFD fd = {near_end, POLLIN, 0};
    int result = WSAPoll(&fd, 1, 0);

    if (result)
        fail("WSAPoll", result);
}

static void do_poll_ready(void)
{
    WSAPOLLFD fd = {near_end, POLLIN | POLLOUT, 0};
    int result = WSAPoll(&fd, 1, 0);

    if (result != 1 || fd.revents != (POLLRDNORM | POLLWRNORM))
        fail("WSAPoll", fd.revents);
}

static void do_fionread(void)
{
    if (arrived(near_end) != (u_long)operations)
        fail("FIONREAD", -1);
}

/* There and back through the server: waits, but briefly, so still nothing for wineserver to do. */
static void do_pingpong(void)
{
    char byte;
    int result = send(far_end, "p", 1, 0);

    if (result != 1)
        fail("send", result);
    result = recv(near_end, &byte, 1, 0);
    if (result != 1)
        fail("recv", result);
}

static const struct kind {
    const char *name;
    void (*operation)(void);
    BOOL needs_data, blocking;
} kinds[] = {
    {"nothing", do_nothing, FALSE, TRUE},
    {"send", do_send, FALSE, TRUE},
    {"recv", do_recv, TRUE, TRUE},
    {"recv_empty", do_recv_empty, FALSE, FALSE},
    {"wsasend", do_wsasend, FALSE, TRUE},
    {"wsarecv", do_wsarecv, TRUE, TRUE},
    {"wsasend_overlapped", do_wsasend_overlapped, FALSE, TRUE},
    {"wsarecv_overlapped", do_wsarecv_overlapped, TRUE, TRUE},
    {"select_empty", do_select_empty, FALSE, TRUE},
    {"select_ready", do_select_ready, TRUE, TRUE},
    {"poll_empty", do_poll_empty, FALSE, TRUE},
    {"poll_ready", do_poll_ready, TRUE, TRUE},
    {"fionread", do_fionread, TRUE, TRUE},
    {"pingpong", do_pingpong, FALSE, TRUE},
};

static void run(const struct kind *kind, BOOL marked)
{
    int i;

    kind_name = kind->name;
    set_blocking(kind->blocking);
    if (kind->needs_data)
        fill();
    if (marked)
        mark("begin");
    for (i = 0; i < operations; i++)
        kind->operation();
    if (marked)
        mark("end");
    set_blocking(TRUE);
    drain(near_end);
    Sleep(20); /* what was sent reaches the far end */
    drain(far_end);
}

static void connect_pair(void)
{
    struct sockaddr_in address = {0};
    int length = sizeof(address);
    SOCKET l = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    near_end = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(l, (struct sockaddr *)&address, sizeof(address)) || listen(l, 1) ||
        getsockname(l, (struct sockaddr *)&address, &length) ||
        connect(near_end, (struct sockaddr *)&address, length))
        fail("connecting", -1);
    far_end = accept(l, NULL, NULL);
    if (far_end == INVALID_SOCKET)
        fail("accept", -1);
    closesocket(l);
}

int main(int argc, char **argv)
{
    WSADATA data;
    unsigned i;

    kind_name = "start";
    if (argc > 1 && (operations = atoi(argv[1])) < 1)
        return 2;
    if (WSAStartup(MAKEWORD(2, 2), &data))
        fail("WSAStartup", -1);
    connect_pair();
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        run(&kinds[i], FALSE); /* steady state: nothing is done for the first time between marks */
        run(&kinds[i], TRUE);
        printf("%s %d\n", kinds[i].name, operations);
        fflush(stdout);
    }
    closesocket(near_end);
    closesocket(far_end);
    WSACleanup();
    return 0;
}
