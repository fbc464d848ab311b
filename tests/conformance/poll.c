/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAPoll.
 * Source: its page, with the tables of events and returned events.
 */
#include "net.h"

static short poll_one(SOCKET s, short events, int milliseconds, int *result)
{
    WSAPOLLFD fd = {s, events, 0x7fff};

    *result = WSAPoll(&fd, 1, milliseconds);
    return fd.revents;
}

/* "POLLRDNORM: Normal data may be read without blocking", "POLLWRNORM: Normal data may be written";
 * the result is the number of elements with revents not zero. */
static void test_data(void)
{
    struct sockaddr_storage address;
    int length, result;
    SOCKET l = net_listener(AF_INET, &address, &length), a, b;
    short revents;
    char byte;

    revents = poll_one(l, POLLIN, 0, &result);
    ok(result == 0 && !revents, "got %d, %x\n", result, revents);
    a = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(a, (struct sockaddr *)&address, length));
    revents = poll_one(l, POLLIN, NET_PATIENCE, &result);
    ok(result == 1 && revents == POLLRDNORM, "got %d, %x\n", result, revents);
    b = accept(l, NULL, NULL);
    revents = poll_one(b, POLLIN | POLLOUT, 0, &result);
    ok(result == 1 && revents == POLLWRNORM, "got %d, %x\n", result, revents);
    revents = poll_one(b, POLLIN, 0, &result);
    ok(result == 0 && !revents, "got %d, %x\n", result, revents);
    net_send_all(a, "x", 1);
    revents = poll_one(b, POLLRDNORM, NET_PATIENCE, &result);
    ok(result == 1 && revents == POLLRDNORM, "got %d, %x\n", result, revents);
    revents = poll_one(b, POLLRDNORM | POLLWRNORM, 0, &result);
    ok(result == 1 && revents == (POLLRDNORM | POLLWRNORM), "got %d, %x\n", result, revents);
    ok(recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    revents = poll_one(b, POLLRDNORM, 0, &result);
    ok(result == 0 && !revents, "got %d, %x\n", result, revents);

    /* "POLLHUP: A stream-oriented connection was either disconnected or aborted", not asked for */
    closesocket(a);
    revents = poll_one(b, POLLRDNORM, NET_PATIENCE, &result);
    ok(result == 1 && revents & POLLHUP, "got %d, %x\n", result, revents);
    closesocket(b);

    net_pair(&a, &b);
    net_reset(a);
    revents = poll_one(b, POLLRDNORM, NET_PATIENCE, &result);
    ok(result == 1 && revents & POLLHUP, "got %d, %x\n", result, revents);
    closesocket(b);
    closesocket(l);
}

/* "POLLHUP" already when the peer has shut its sending down. */
static void test_half_closed(void)
{
    SOCKET a, b;
    short revents;
    int result;

    net_pair(&a, &b);
    ok_success(shutdown(a, SD_SEND));
    revents = poll_one(b, POLLRDNORM, NET_PATIENCE, &result);
    ok(result == 1 && revents & POLLHUP, "got %d, %x\n", result, revents);
    closesocket(a);
    closesocket(b);
}

#define EVERYTHING (POLLRDNORM | POLLRDBAND | POLLWRNORM)

static short poll_for(SOCKET s, short events)
{
    int result;

    return poll_one(s, events, 2000, &result);
}

/* All that shows for each way that a connection ends: "POLLHUP: A stream-oriented connection was
 * either disconnected or aborted", "POLLERR: An error has occurred", asked for or not; a send would
 * not wait either (Wine's test_WSAPoll and test_tcp_reset, run on Windows). */
static void test_ends(void)
{
    char buffer[4];
    SOCKET a, b;
    short revents;

    net_pair(&a, &b);
    closesocket(a);
    revents = poll_for(b, 0);
    ok(revents == POLLHUP, "closed: got %x\n", revents);
    revents = poll_for(b, EVERYTHING);
    ok(revents == (POLLWRNORM | POLLHUP), "closed: got %x\n", revents);
    ok(!recv(b, buffer, 4, 0), "error %d\n", WSAGetLastError());
    closesocket(b);

    net_pair(&a, &b);
    net_send_all(a, "data", 4);
    ok(net_arrived(b, 4) == 4, "not there\n");
    ok_success(shutdown(a, SD_SEND));
    revents = poll_for(b, 0);
    todo_wine ok(revents == POLLHUP, "shut down: got %x\n", revents);
    revents = poll_for(b, EVERYTHING);
    todo_wine ok(revents == (POLLWRNORM | POLLRDNORM | POLLHUP), "with data: got %x\n", revents);
    revents = poll_for(a, EVERYTHING);
    ok(revents == POLLWRNORM, "of the one who shut down: got %x\n", revents);
    ok(recv(b, buffer, 4, 0) == 4, "error %d\n", WSAGetLastError());
    revents = poll_for(b, EVERYTHING);
    ok(revents == (POLLWRNORM | POLLHUP), "read: got %x\n", revents);
    closesocket(a);
    closesocket(b);

    net_pair(&a, &b);
    net_reset(a);
    revents = poll_for(b, 0);
    ok(revents == (POLLHUP | POLLERR), "reset: got %x\n", revents);
    revents = poll_for(b, EVERYTHING);
    ok(revents == (POLLWRNORM | POLLHUP | POLLERR), "reset: got %x\n", revents);
    closesocket(b);
}

/* "POLLNVAL: An invalid socket was used".  For a negative fd the page has revents "cleared";
 * Windows sets the same (Wine's test_WSAPoll, run there). */
static void test_invalid(void)
{
    WSAPOLLFD fds[3];
    SOCKET a, b, closed;
    int result;

    net_pair(&a, &b);
    closed = socket(AF_INET, SOCK_STREAM, 0); /* last, so that nobody else gets its handle */
    closesocket(closed);
    memset(fds, 0, sizeof(fds));
    fds[0].fd = closed;
    fds[0].events = POLLIN;
    fds[1].fd = b;
    fds[1].events = POLLOUT;
    fds[2].fd = INVALID_SOCKET;
    fds[2].events = POLLIN;
    result = WSAPoll(fds, 3, 0);
    ok(fds[0].revents == POLLNVAL, "got %x\n", fds[0].revents);
    ok(fds[1].revents == POLLWRNORM, "got %x\n", fds[1].revents);
    ok(fds[2].revents == POLLNVAL, "got %x\n", fds[2].revents);
    ok(result >= 1 && result <= 3, "got %d\n", result);
    closesocket(a);
    closesocket(b);
}

/* Errors: WSAEINVAL "An invalid parameter was passed. This error is returned if ... revents flags"
 * in events; WSAEFAULT / WSAEINVAL for no array. */
static void test_errors(void)
{
    static const short refused[] = {POLLERR, POLLHUP, POLLNVAL, POLLPRI};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    unsigned i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        WSAPOLLFD fd = {s, refused[i], 0x55};

        winetest_push_context("events %x", refused[i]);
        todo_wine ok_error(WSAPoll(&fd, 1, 0), WSAEINVAL);
        winetest_pop_context();
    }
    ok_error(WSAPoll(NULL, 0, 0), WSAEINVAL);
    ok_error(WSAPoll(NULL, 1, 0), WSAEFAULT);
    closesocket(s);
}

/* timeout: milliseconds; 0 at once; negative for ever */
static DWORD WINAPI send_later(void *arg)
{
    Sleep(100);
    net_send_all(*(SOCKET *)arg, "x", 1);
    return 0;
}

static void test_time(void)
{
    DWORD start = GetTickCount(), took;
    HANDLE thread;
    SOCKET a, b;
    short revents;
    int result;

    net_pair(&a, &b);
    revents = poll_one(b, POLLIN, 150, &result);
    took = GetTickCount() - start;
    ok(result == 0 && !revents && took >= 130 && took < 2000, "got %d, %x after %lu ms\n", result,
       revents, took);
    thread = CreateThread(NULL, 0, send_later, &a, 0, NULL);
    revents = poll_one(b, POLLIN, -1, &result);
    ok(result == 1 && revents == POLLRDNORM, "got %d, %x\n", result, revents);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    closesocket(a);
    closesocket(b);
}

static DWORD WINAPI close_later(void *arg)
{
    Sleep(100);
    closesocket(*(SOCKET *)arg);
    return 0;
}

/* POLLNVAL "when the local socket is closed", also while the call waits. */
static void test_closed_meanwhile(void)
{
    HANDLE thread;
    SOCKET a, b;
    short revents;

    net_pair(&a, &b);
    thread = CreateThread(NULL, 0, close_later, &b, 0, NULL);
    revents = poll_for(b, POLLIN);
    ok(revents == POLLNVAL, "got %x\n", revents);
    net_finish(thread);
    closesocket(a);
}

static void CALLBACK count_apc(ULONG_PTR counter)
{
    ++*(int *)counter;
}

/* "Winsock performs an alertable wait in this situation, which can be interrupted by an
 * asynchronous procedure call (APC) scheduled on the same thread": it goes on afterwards. */
static void test_apc(void)
{
    int calls = 0, result;
    HANDLE thread;
    SOCKET a, b;
    short revents;

    net_pair(&a, &b);
    ok(QueueUserAPC(count_apc, GetCurrentThread(), (ULONG_PTR)&calls), "error\n");
    thread = CreateThread(NULL, 0, send_later, &a, 0, NULL);
    revents = poll_one(b, POLLIN, -1, &result);
    ok(calls == 1 || on_builtin(), "%d calls\n", calls); /* Wine 8.0's wait is not alertable */
    ok(result == 1 && revents == POLLRDNORM, "got %d, %x\n", result, revents);
    net_finish(thread);
    closesocket(a);
    closesocket(b);
}

/* A connect: POLLWRNORM when it is made; failed ones show since Windows 10 2004 ("POLLERR |
 * POLLHUP | POLLWRNORM", note at the page's top). */
static void test_connect(void)
{
    struct sockaddr_storage address, nobody;
    int length, result;
    SOCKET l = net_listener(AF_INET, &address, &length), s;
    short revents;

    s = socket(AF_INET, SOCK_STREAM, 0);
    net_nonblocking(s, 1);
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAEWOULDBLOCK);
    revents = poll_one(s, POLLOUT, NET_PATIENCE, &result);
    ok(result == 1 && revents == POLLWRNORM, "got %d, %x\n", result, revents);
    closesocket(s);
    closesocket(l);

    length = net_nobody(AF_INET, &nobody);
    s = socket(AF_INET, SOCK_STREAM, 0);
    net_nonblocking(s, 1);
    ok_error(connect(s, (struct sockaddr *)&nobody, length), WSAEWOULDBLOCK);
    revents = poll_one(s, POLLOUT, NET_PATIENCE, &result);
    ok(result == 1 && revents & POLLERR, "got %d, %x\n", result, revents);
    todo_wine ok(revents == (POLLWRNORM | POLLHUP | POLLERR), "got %x\n", revents);
    closesocket(s);
}

/* Many, one of them ready */
static void test_many(void)
{
    enum { COUNT = 150 };
    static struct sockaddr_storage address[COUNT];
    static WSAPOLLFD fds[COUNT];
    int length = 0, i, result;
    SOCKET sender = socket(AF_INET, SOCK_DGRAM, 0);

    for (i = 0; i < COUNT; i++) {
        fds[i].fd = net_bound(AF_INET, SOCK_DGRAM, &address[i], &length);
        fds[i].events = POLLRDNORM;
    }
    sendto(sender, "x", 1, 0, (struct sockaddr *)&address[100], length);
    result = WSAPoll(fds, COUNT, NET_PATIENCE);
    ok(result == 1 && fds[100].revents == POLLRDNORM, "got %d, %x\n", result, fds[100].revents);
    for (i = 0; i < COUNT; i++) {
        ok(i == 100 || !fds[i].revents, "%d: got %x\n", i, fds[i].revents);
        closesocket(fds[i].fd);
    }
    closesocket(sender);
}

START_TEST(poll)
{
    net_start();
    RUN(test_data);
    RUN(test_half_closed);
    RUN(test_ends);
    RUN(test_invalid);
    RUN(test_errors);
    RUN(test_time);
    RUN(test_closed_meanwhile);
    RUN(test_apc);
    RUN(test_connect);
    RUN(test_many);
    WSACleanup();
}
