/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * server_dies MODE: waits in one way while the test kills the host-side server.
 *
 * Prints "READY" when it waits (the mode traffic: when data flows both ways), then per wait
 * "ENDED ERROR MILLISECONDS" with the Winsock error it ended with, and at last "AGAIN OK" if a new
 * pair of sockets works.  Modes: recv, send, accept, recvfrom, select, poll, event, apc, port,
 * eventselect, traffic.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE 20000

static SOCKET near_end, far_end;
static char buffer[65536];
static DWORD ready_at;

static void fail(const char *what)
{
    printf("FAILED %s: error %d\n", what, WSAGetLastError());
    fflush(stdout);
    ExitProcess(1);
}

static void ready(void)
{
    printf("READY\n");
    fflush(stdout);
    ready_at = GetTickCount();
}

static void ended(int error)
{
    printf("ENDED %d %lu\n", error, GetTickCount() - ready_at);
    fflush(stdout);
}

static SOCKET listener(struct sockaddr_in *address)
{
    int length = sizeof(*address);
    SOCKET l = socket(AF_INET, SOCK_STREAM, 0);

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (l == INVALID_SOCKET || bind(l, (struct sockaddr *)address, length) || listen(l, 5) ||
        getsockname(l, (struct sockaddr *)address, &length))
        fail("listener");
    return l;
}

static void connect_pair(void)
{
    struct sockaddr_in address;
    SOCKET l = listener(&address);

    near_end = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(near_end, (struct sockaddr *)&address, sizeof(address)))
        fail("connect");
    far_end = accept(l, NULL, NULL);
    if (far_end == INVALID_SOCKET)
        fail("accept");
    closesocket(l);
}

/* ---- the ways to wait; each returns the error it ended with ---- */

static int wait_recv(void)
{
    ready();
    return recv(near_end, buffer, 1, 0) == SOCKET_ERROR ? WSAGetLastError() : 0;
}

static int wait_send(void)
{
    BOOL said = FALSE;
    u_long on = 1;

    ioctlsocket(near_end, FIONBIO, &on); /* fill it up first */
    while (send(near_end, buffer, sizeof(buffer), 0) > 0)
        ;
    on = 0;
    ioctlsocket(near_end, FIONBIO, &on);
    for (;;) {
        if (!said)
            ready();
        said = TRUE;
        if (send(near_end, buffer, sizeof(buffer), 0) <= 0)
            return WSAGetLastError();
    }
}

static int wait_accept(void)
{
    struct sockaddr_in address;
    SOCKET l = listener(&address);

    ready();
    return accept(l, NULL, NULL) == INVALID_SOCKET ? WSAGetLastError() : 0;
}

static int wait_recvfrom(void)
{
    struct sockaddr_in address = {0};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(s, (struct sockaddr *)&address, sizeof(address)))
        fail("bind");
    ready();
    return recvfrom(s, buffer, 1, 0, NULL, NULL) == SOCKET_ERROR ? WSAGetLastError() : 0;
}

/* select and WSAPoll may end with the error or show the socket as ready: then recv has it */
static int wait_select(void)
{
    fd_set read;

    FD_ZERO(&read);
    FD_SET(near_end, &read);
    ready();
    if (select(0, &read, NULL, NULL, NULL) == SOCKET_ERROR)
        return WSAGetLastError();
    return recv(near_end, buffer, 1, 0) == SOCKET_ERROR ? WSAGetLastError() : 0;
}

static int wait_poll(void)
{
    WSAPOLLFD fd = {near_end, POLLIN, 0};

    ready();
    if (WSAPoll(&fd, 1, PATIENCE) == SOCKET_ERROR)
        return WSAGetLastError();
    return recv(near_end, buffer, 1, 0) == SOCKET_ERROR ? WSAGetLastError() : 0;
}

static void start_recv(WSAOVERLAPPED *ov, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD flags = 0;

    if (!WSARecv(near_end, &buf, 1, NULL, &flags, ov, routine) ||
        WSAGetLastError() != WSA_IO_PENDING)
        fail("WSARecv");
}

static int result_of(WSAOVERLAPPED *ov)
{
    DWORD bytes, flags;

    return WSAGetOverlappedResult(near_end, ov, &bytes, FALSE, &flags) ? 0 : WSAGetLastError();
}

static int wait_event(void)
{
    WSAOVERLAPPED ov = {0};

    ov.hEvent = WSACreateEvent();
    start_recv(&ov, NULL);
    ready();
    if (WSAWaitForMultipleEvents(1, &ov.hEvent, TRUE, PATIENCE, FALSE) != WSA_WAIT_EVENT_0)
        fail("waiting for the event");
    return result_of(&ov);
}

static int routine_error = -1;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)bytes, (void)ov, (void)flags;
    routine_error = error;
}

static int wait_apc(void)
{
    static WSAOVERLAPPED ov;

    start_recv(&ov, routine);
    ready();
    if (SleepEx(PATIENCE, TRUE) != WAIT_IO_COMPLETION)
        fail("waiting for the routine");
    return routine_error;
}

static int wait_port(void)
{
    HANDLE port = CreateIoCompletionPort((HANDLE)near_end, NULL, 7, 0);
    WSAOVERLAPPED ov = {0};
    OVERLAPPED *got = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;

    start_recv(&ov, NULL);
    ready();
    if (GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE) || (void *)got != &ov ||
        key != 7)
        fail("waiting for the packet");
    return result_of(&ov);
}

static int wait_eventselect(void)
{
    HANDLE event = WSACreateEvent();

    if (WSAEventSelect(near_end, event, FD_READ | FD_CLOSE))
        fail("WSAEventSelect");
    ready();
    if (WSAWaitForMultipleEvents(1, &event, TRUE, PATIENCE, FALSE) != WSA_WAIT_EVENT_0)
        fail("waiting for the event");
    return recv(near_end, buffer, 1, 0) == SOCKET_ERROR ? WSAGetLastError() : 0;
}

/* Data flows both ways; both threads must end. */
static DWORD WINAPI flow_out(void *unused)
{
    static char out[30000];

    (void)unused;
    while (send(far_end, out, sizeof(out), 0) > 0)
        ;
    return WSAGetLastError();
}

static int wait_traffic(void)
{
    HANDLE thread = CreateThread(NULL, 0, flow_out, NULL, 0, NULL);
    DWORD error = 0;
    int got, i;

    for (i = 0; (got = recv(near_end, buffer, sizeof(buffer), 0)) > 0; i++)
        if (i == 100)
            ready();
    error = got ? WSAGetLastError() : 0;
    ended(error);
    if (WaitForSingleObject(thread, PATIENCE) != WAIT_OBJECT_0)
        fail("the sender never ended");
    GetExitCodeThread(thread, &error);
    return error;
}

static const struct mode {
    const char *name;
    int (*wait)(void);
} modes[] = {
    {"recv", wait_recv},       {"send", wait_send},
    {"accept", wait_accept},   {"recvfrom", wait_recvfrom},
    {"select", wait_select},   {"poll", wait_poll},
    {"event", wait_event},     {"apc", wait_apc},
    {"port", wait_port},       {"eventselect", wait_eventselect},
    {"traffic", wait_traffic},
};

static void again(void)
{
    SOCKET dead = near_end;

    /* "sockets of that time stay dead" */
    if (send(dead, "x", 1, 0) != SOCKET_ERROR)
        fail("a dead socket sends");
    if (closesocket(dead))
        fail("closing a dead socket");
    connect_pair();
    if (send(near_end, "again", 5, 0) != 5 || recv(far_end, buffer, 5, MSG_WAITALL) != 5 ||
        memcmp(buffer, "again", 5))
        fail("the new pair");
    printf("AGAIN OK\n");
}

int main(int argc, char **argv)
{
    WSADATA data;
    unsigned i;

    if (WSAStartup(MAKEWORD(2, 2), &data))
        fail("WSAStartup");
    connect_pair();
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (argc > 1 && !strcmp(argv[1], modes[i].name)) {
            ended(modes[i].wait());
            again();
            return 0;
        }
    puts("usage: server_dies MODE");
    return 2;
}
