/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * datapath [COUNT]: COUNT steady-state operations of each kind, each kind between two markers that
 * a trace shows: CreateEventA("ringsock-begin-KIND") and CreateEventA("ringsock-end-KIND").
 *
 * Owns: two connected pairs on loopback.  Prints "KIND COUNT: MILLISECONDS ms" per kind done; exit
 * code 1 as soon as an operation does not give what it must, so that no trace of failing calls can
 * pass for a fast one. What prepares a kind (sending what will be received) stands before its first
 * marker.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

#include "rio_types.h"

static SOCKET near_end, far_end; /* operations are made on near_end */
static SOCKET on_port, to_port;  /* one with a completion port, and its peer */
static HANDLE port;
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

/* The same through kernel32: a SOCKET is a file handle. */
static void do_writefile(void)
{
    OVERLAPPED ov = {0};
    DWORD bytes = 0;
    BOOL result = WriteFile((HANDLE)near_end, "x", 1, &bytes, &ov);

    if (!result || bytes != 1)
        fail("WriteFile", result);
}

static void do_readfile(void)
{
    OVERLAPPED ov = {0};
    char byte;
    DWORD bytes = 0;
    BOOL result = ReadFile((HANDLE)near_end, &byte, 1, &bytes, &ov);

    if (!result || bytes != 1 || !GetOverlappedResult((HANDLE)near_end, &ov, &bytes, TRUE))
        fail("ReadFile", result);
}

/* One that pends, and whose packet is waited for. */
static void do_readfile_port(void)
{
    OVERLAPPED read = {0}, *ov = NULL;
    ULONG_PTR key;
    char byte;
    DWORD bytes = 0;

    if (ReadFile((HANDLE)on_port, &byte, 1, NULL, &read) || GetLastError() != ERROR_IO_PENDING)
        fail("ReadFile", 0);
    if (send(to_port, "x", 1, 0) != 1)
        fail("send", -1);
    if (!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20000) || ov != &read || bytes != 1)
        fail("GetQueuedCompletionStatus", (int)bytes);
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

/* ---- registered I/O, on near_end; one place and one slot of memory suffice ---- */

static struct {
    cq_t cq, port_cq;
    rq_t rq;
    HANDLE port;
    OVERLAPPED notification;
    buffer_t id;
    char data[64];
    SOCKET s; /* what is told by port is a connection of its own */
    SOCKET peer;
    rq_t port_rq;
} registered;

static void rio_one(cq_t cq)
{
    struct result result = {-1, 0, 0, 0};
    ULONG count = rio.dequeue(cq, &result, 1);

    if (count != 1 || result.status || result.bytes != 1)
        fail("RIODequeueCompletion", (int)count);
}

static void do_rio_receive(void)
{
    struct slice slice = {registered.id, 0, 1};

    if (!rio.receive(registered.rq, &slice, 1, 0, NULL))
        fail("RIOReceive", 0);
    rio_one(registered.cq);
}

static void do_rio_send(void)
{
    struct slice slice = {registered.id, 1, 1};

    if (!rio.send(registered.rq, &slice, 1, 0, NULL))
        fail("RIOSend", 0);
    rio_one(registered.cq);
}

static void do_rio_send_deferred(void)
{
    struct slice slice = {registered.id, 1, 1};

    if (!rio.send(registered.rq, &slice, 1, MSG_DEFER, NULL) ||
        !rio.send(registered.rq, NULL, 0, MSG_COMMIT, NULL))
        fail("RIOSend", 0);
    rio_one(registered.cq);
}

static void do_rio_dequeue_empty(void)
{
    struct result result;

    if (rio.dequeue(registered.cq, &result, 1))
        fail("RIODequeueCompletion", 1);
}

/* There and back: RIONotify, a packet, one completion. */
static void do_rio_pingpong_port(void)
{
    struct slice slice = {registered.id, 2, 1};
    OVERLAPPED *overlapped;
    ULONG_PTR key;
    DWORD bytes;

    if (!rio.receive(registered.port_rq, &slice, 1, 0, NULL) || rio.notify(registered.port_cq))
        fail("RIONotify", 0);
    if (send(registered.peer, "x", 1, 0) != 1)
        fail("send", 0);
    if (!GetQueuedCompletionStatus(registered.port, &bytes, &key, &overlapped, 20000))
        fail("GetQueuedCompletionStatus", 0);
    rio_one(registered.port_cq);
}

/* The same, told by events: the one that comes with the data, and one that a program sets itself.
 */
static void ping_event(BOOL manual, BOOL with_more)
{
    static HANDLE events[2][3];
    HANDLE *event = events[manual];
    char byte;
    WSABUF buf = {1, &byte};
    WSAOVERLAPPED ov = {0};
    DWORD bytes = 0, flags = 0, count = with_more ? 3 : 1, result;

    for (DWORD i = 0; i < 3; i++)
        if (!event[i] && !(event[i] = CreateEventW(NULL, manual, FALSE, NULL)))
            fail("CreateEvent", 0);
    ov.hEvent = event[0];
    if (WSARecv(near_end, &buf, 1, NULL, &flags, &ov, NULL) != SOCKET_ERROR ||
        WSAGetLastError() != WSA_IO_PENDING)
        fail("WSARecv", 0);
    if ((result = WaitForMultipleObjects(count, event, FALSE, 0)) != WAIT_TIMEOUT)
        fail("WaitForMultipleObjects", (int)result);
    if (send(far_end, "p", 1, 0) != 1)
        fail("send", -1);
    result = WSAWaitForMultipleEvents(count, event, FALSE, 10000, FALSE);
    if (result || !WSAGetOverlappedResult(near_end, &ov, &bytes, FALSE, &flags) || bytes != 1)
        fail("WSAWaitForMultipleEvents", (int)result);
    if (!SetEvent(event[0]) || WaitForSingleObject(event[0], INFINITE) || !ResetEvent(event[0]) ||
        WaitForSingleObject(event[0], 0) != WAIT_TIMEOUT)
        fail("SetEvent", 0);
}

static void do_event_manual(void)
{
    ping_event(TRUE, FALSE);
}

static void do_event_auto(void)
{
    ping_event(FALSE, FALSE);
}

static void do_events(void)
{
    ping_event(TRUE, TRUE);
}

static int routines_run;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    (void)overlapped;
    if (error || bytes != 1 || flags)
        fail("the routine", (int)error);
    routines_run++;
}

/* The same, told by completion routines: of the receive, of the send that is done at once. */
static void do_routine(void)
{
    static char byte;
    static WSAOVERLAPPED received, sent;
    WSABUF in = {1, &byte}, out = {1, "p"};
    DWORD flags = 0;

    if (WSARecv(near_end, &in, 1, NULL, &flags, &received, routine) != SOCKET_ERROR ||
        WSAGetLastError() != WSA_IO_PENDING)
        fail("WSARecv", 0);
    if (WSASend(far_end, &out, 1, NULL, 0, &sent, routine) && WSAGetLastError() != WSA_IO_PENDING)
        fail("WSASend", -1);
    for (routines_run = 0; routines_run < 2;)
        if (SleepEx(10000, TRUE) != WAIT_IO_COMPLETION)
            fail("SleepEx", routines_run);
}

/* As Go's monitor sleeps. */
static void do_sleep(void)
{
    static HANDLE timer;
    LARGE_INTEGER due = {.QuadPart = -200};

    if (!timer && !(timer = CreateWaitableTimerW(NULL, FALSE, NULL)))
        fail("CreateWaitableTimer", 0);
    if (!SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE) ||
        WaitForSingleObject(timer, INFINITE))
        fail("SetWaitableTimer", 0);
}

static HANDLE handed[2];

static DWORD WINAPI hand_back(void *unused)
{
    (void)unused;
    while (!WaitForSingleObject(handed[0], INFINITE))
        SetEvent(handed[1]);
    return 0;
}

/* As a run-time system wakes its threads. */
static void do_handoff(void)
{
    if (!handed[0]) {
        handed[0] = CreateEventW(NULL, FALSE, FALSE, NULL);
        handed[1] = CreateEventW(NULL, FALSE, FALSE, NULL);
        CloseHandle(CreateThread(NULL, 0, hand_back, NULL, 0, NULL));
    }
    if (!SetEvent(handed[0]) || WaitForSingleObject(handed[1], 10000))
        fail("SetEvent", 0);
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
    {"writefile", do_writefile, FALSE, TRUE},
    {"readfile", do_readfile, TRUE, TRUE},
    {"readfile_port", do_readfile_port, FALSE, TRUE},
    {"select_empty", do_select_empty, FALSE, TRUE},
    {"select_ready", do_select_ready, TRUE, TRUE},
    {"poll_empty", do_poll_empty, FALSE, TRUE},
    {"poll_ready", do_poll_ready, TRUE, TRUE},
    {"fionread", do_fionread, TRUE, TRUE},
    {"pingpong", do_pingpong, FALSE, TRUE},
    {"event_manual", do_event_manual, FALSE, TRUE},
    {"event_auto", do_event_auto, FALSE, TRUE},
    {"events", do_events, FALSE, TRUE},
    {"routine", do_routine, FALSE, TRUE},
    {"sleep", do_sleep, FALSE, TRUE},
    {"handoff", do_handoff, FALSE, TRUE},
    {"rio_receive", do_rio_receive, TRUE, TRUE},
    {"rio_send", do_rio_send, FALSE, TRUE},
    {"rio_send_deferred", do_rio_send_deferred, FALSE, TRUE},
    {"rio_dequeue_empty", do_rio_dequeue_empty, FALSE, TRUE},
    {"rio_pingpong_port", do_rio_pingpong_port, FALSE, TRUE},
};
#define PLAIN_KINDS 23 /* what a Winsock without registered I/O can do */

/* Returns how long the operations took, in milliseconds. */
static DWORD run(const struct kind *kind, BOOL marked)
{
    DWORD start;
    int i;

    kind_name = kind->name;
    set_blocking(kind->blocking);
    if (kind->needs_data)
        fill();
    if (marked)
        mark("begin");
    start = GetTickCount();
    for (i = 0; i < operations; i++)
        kind->operation();
    start = GetTickCount() - start;
    if (marked)
        mark("end");
    set_blocking(TRUE);
    drain(near_end);
    Sleep(20); /* what was sent reaches the far end */
    drain(far_end);
    return start;
}

static void connect_pair(DWORD flags, SOCKET *near_s, SOCKET *far_s)
{
    struct sockaddr_in address = {0};
    int length = sizeof(address);
    SOCKET l = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *near_s = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, flags | WSA_FLAG_OVERLAPPED);
    if (bind(l, (struct sockaddr *)&address, sizeof(address)) || listen(l, 1) ||
        getsockname(l, (struct sockaddr *)&address, &length) ||
        connect(*near_s, (struct sockaddr *)&address, length))
        fail("connecting", -1);
    *far_s = accept(l, NULL, NULL);
    if (*far_s == INVALID_SOCKET)
        fail("accept", -1);
    closesocket(l);
}

static void prepare_registered(void)
{
    struct notification how = {.type = 2};

    registered.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    how.u.port.port = registered.port;
    how.u.port.overlapped = &registered.notification;
    registered.cq = rio.create_cq(2, NULL);
    registered.port_cq = rio.create_cq(2, &how);
    registered.id = rio.register_buffer(registered.data, sizeof(registered.data));
    registered.rq = rio.create_rq(near_end, 1, 1, 1, 1, registered.cq, registered.cq, NULL);
    connect_pair(WSA_FLAG_REGISTERED_IO, &registered.s, &registered.peer);
    registered.port_rq = rio.create_rq(registered.s, 1, 1, 1, 1, registered.port_cq,
                                       registered.port_cq, NULL);
    if (!registered.rq || !registered.port_rq || registered.id == BAD_BUFFER)
        fail("registered I/O", 0);
}

int main(int argc, char **argv)
{
    unsigned i, count = sizeof(kinds) / sizeof(kinds[0]);
    BOOL has_rio;
    WSADATA data;

    kind_name = "start";
    if (argc > 1 && (operations = atoi(argv[1])) < 1)
        return 2;
    if (WSAStartup(MAKEWORD(2, 2), &data))
        fail("WSAStartup", -1);
    has_rio = rio_get();
    connect_pair(has_rio ? WSA_FLAG_REGISTERED_IO : 0, &near_end, &far_end);
    connect_pair(0, &on_port, &to_port);
    port = CreateIoCompletionPort((HANDLE)on_port, NULL, 0, 0);
    if (has_rio)
        prepare_registered();
    else
        count = PLAIN_KINDS;
    for (i = 0; i < count; i++) {
        run(&kinds[i], FALSE); /* steady state: nothing is done for the first time between marks */
        printf("%s %d: %lu ms\n", kinds[i].name, operations, run(&kinds[i], TRUE));
        fflush(stdout);
    }
    closesocket(near_end);
    closesocket(far_end);
    WSACleanup();
    return 0;
}
