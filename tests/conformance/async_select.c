/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAsyncSelect; what enables each message again is in event_enabling.c and event_write.c.
 * Sources: its page; "recorded" = the messages that Wine's test_events saw on Windows.
 */
#include "window.h"

#define ALL      (FD_ACCEPT | FD_CLOSE | FD_CONNECT | FD_OOB | FD_READ | FD_WRITE)
#define NO_WRITE (ALL & ~FD_WRITE)

static HWND window;

static void choose(SOCKET s, long events)
{
    ok_success(WSAAsyncSelect(s, window, WINDOW_MESSAGE, events));
}

/* The next message is for that socket, with that event and error. */
static void check_told(int line, SOCKET s, long event, int error)
{
    MSG message;

    if (!window_message(window, WINDOW_MESSAGE, NET_PATIENCE, &message)) {
        ok_(__FILE__, line)(0, "no message, expected %lx\n", event);
        return;
    }
    ok_(__FILE__, line)(message.wParam == s, "of socket %lx, expected %lx\n", (long)message.wParam,
                        (long)s);
    ok_(__FILE__, line)(WSAGETSELECTEVENT(message.lParam) == event, "event %x, expected %lx\n",
                        WSAGETSELECTEVENT(message.lParam), event);
    todo_wine_if(error == WSAECONNABORTED)
        ok_(__FILE__, line)(WSAGETSELECTERROR(message.lParam) == error, "error %d, expected %d\n",
                            WSAGETSELECTERROR(message.lParam), error);
}

static void check_quiet(int line)
{
    MSG message;
    BOOL got = window_message(window, WINDOW_MESSAGE, WINDOW_QUIET, &message);

    ok_(__FILE__, line)(!got, "unexpected event %x\n", got ? WSAGETSELECTEVENT(message.lParam) : 0);
}

#define ok_told(s, event) check_told(__LINE__, s, event, 0)
#define ok_quiet()        check_quiet(__LINE__)

/* Nothing of these sockets is left in the queue for the next ones with the same handles. */
static void finish(SOCKET a, SOCKET b)
{
    MSG message;

    closesocket(b);
    closesocket(a);
    while (PeekMessageA(&message, window, 0, 0, PM_REMOVE))
        ;
}

/* "the application window hWnd receives message wMsg.  The wParam parameter identifies the socket
 * ...  The low word of lParam specifies the network event that has occurred." */
static void test_message(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, FD_READ);
    ok_quiet();
    net_send_all(a, "x", 1);
    ok_told(b, FD_READ);
    ok_quiet();
    finish(a, b);
}

/* "Although WSAAsyncSelect can be called with interest in multiple events, the application window
 * will receive a single message for each network event." */
static void test_single_messages(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "x", 1);
    ok(net_arrived(b, 1) == 1, "not there\n");
    choose(b, FD_READ | FD_WRITE);
    ok_told(b, FD_READ);
    ok_told(b, FD_WRITE);
    ok_quiet();
    finish(a, b);
}

/* "The WSAAsyncSelect function automatically sets socket s to nonblocking mode, regardless of the
 * value of lEvent." */
static void test_nonblocking(void)
{
    char byte;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, 0);
    ok_error(recv(b, &byte, 1, 0), WSAEWOULDBLOCK);
    finish(a, b);
}

/* "To set socket s back to blocking mode, it is first necessary to clear the event record
 * associated with socket s via a call to WSAAsyncSelect with lEvent set to zero." */
static void test_back_to_blocking(void)
{
    u_long off = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, FD_READ);
    ok_error(ioctlsocket(b, FIONBIO, &off), WSAEINVAL);
    choose(b, 0);
    ok_success(ioctlsocket(b, FIONBIO, &off));
    finish(a, b);
}

/* "the second call will cancel the effects of the first, and only FD_WRITE events will be reported
 * with message wMsg2" */
static void test_second_call(void)
{
    MSG message;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, FD_READ);
    ok_success(WSAAsyncSelect(b, window, WINDOW_MESSAGE + 1, FD_WRITE));
    net_send_all(a, "x", 1);
    ok(window_message(window, WINDOW_MESSAGE + 1, NET_PATIENCE, &message), "no message\n");
    ok(WSAGETSELECTEVENT(message.lParam) == FD_WRITE, "event %x\n",
       WSAGETSELECTEVENT(message.lParam));
    ok(net_arrived(b, 1) == 1, "not there\n");
    ok(!window_message(window, WINDOW_MESSAGE + 1, WINDOW_QUIET, &message), "another message\n");
    ok_quiet();
    finish(a, b);
}

/* "To cancel all notification indicating that Windows Sockets should send no further messages
 * related to network events on the socket, lEvent is set to zero." */
static void test_cancel(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, ALL);
    ok_told(b, FD_WRITE);
    ok_success(WSAAsyncSelect(b, window, 0, 0));
    net_send_all(a, "x", 1);
    ok(net_arrived(b, 1) == 1, "not there\n");
    ok_quiet();
    finish(a, b);
}

/* "Issuing a WSAAsyncSelect for a socket cancels any previous WSAAsyncSelect or WSAEventSelect for
 * the same socket." */
static void test_replaces_events(void)
{
    HANDLE event = WSACreateEvent();
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(WSAEventSelect(b, event, FD_READ));
    choose(b, FD_READ);
    net_send_all(a, "x", 1);
    ok_told(b, FD_READ);
    ok(WaitForSingleObject(event, 0) == WAIT_TIMEOUT, "the event is set\n");
    WSACloseEvent(event);
    finish(a, b);
}

/* WSAEventSelect's page: it "cancels any previous WSAAsyncSelect or WSAEventSelect". */
static void test_replaced_by_events(void)
{
    HANDLE event = WSACreateEvent();
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, FD_READ);
    ok_success(WSAEventSelect(b, event, FD_READ));
    net_send_all(a, "x", 1);
    ok(!WaitForSingleObject(event, NET_PATIENCE), "not set\n");
    ok_quiet();
    ok_success(WSAEventSelect(b, NULL, 0));
    WSACloseEvent(event);
    finish(a, b);
}

/* "Closing a socket with closesocket also cancels WSAAsyncSelect message sending" */
static void test_closesocket(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, ALL);
    ok_told(b, FD_WRITE);
    closesocket(b);
    ok_quiet();
    closesocket(a);
    ok_quiet();
}

/* CloseHandle tells FD_CLOSE, unlike closesocket (recorded, iocp_async_read_closesocket). */
static void test_closehandle(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, ALL);
    ok_told(b, FD_WRITE);
    ok(CloseHandle((HANDLE)b), "error %lu\n", GetLastError());
    todo_wine ok_told(b, FD_CLOSE);
    closesocket(a);
}

/* "any socket accepted on that listening socket will also have FD_ACCEPT, FD_READ, and FD_WRITE
 * events with the same wMsg value used for messages" */
static void test_inherit(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s, a;

    choose(l, FD_ACCEPT | FD_READ | FD_WRITE);
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s, (struct sockaddr *)&address, length));
    ok_told(l, FD_ACCEPT);
    a = accept(l, NULL, NULL);
    ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_told(a, FD_WRITE);
    net_send_all(s, "x", 1);
    ok_told(a, FD_READ);
    ok_quiet();
    closesocket(a);
    closesocket(s);
    closesocket(l);
}

/* "WSAEINVAL: One of the specified parameters was invalid, such as the window handle not referring
 * to an existing window" */
static void test_invalid(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    todo_wine ok_error(WSAAsyncSelect(s, (HWND)(ULONG_PTR)0xdeadbee, WINDOW_MESSAGE, FD_READ),
                       WSAEINVAL);
    closesocket(s);
    ok_error(WSAAsyncSelect(s, window, WINDOW_MESSAGE, FD_READ), WSAENOTSOCK);
}

/* "For FD_READ ... events, network event posting is level-triggered": "after data has been received
 * ... if data is still available, FD_READ is posted again". */
static void test_read_again(void)
{
    char buffer[8];
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    net_send_all(a, "1234", 4);
    ok_told(b, FD_READ);
    net_send_all(a, "5678", 4);
    ok(net_arrived(b, 8) == 8, "not there\n");
    ok_quiet(); /* not before it has been received */
    ok(recv(b, buffer, 2, 0) == 2, "error %d\n", WSAGetLastError());
    ok_told(b, FD_READ);
    ok(recv(b, buffer, 8, 0) == 6, "error %d\n", WSAGetLastError());
    ok_quiet();
    finish(a, b);
}

/* What an overlapped receive takes is not told, what it leaves is. */
static void test_overlapped(void)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char buffer[1];
    WSABUF buf = {1, buffer};
    DWORD flags = 0, size;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    ok_error(WSARecv(b, &buf, 1, NULL, &flags, &overlapped, NULL), WSA_IO_PENDING);
    net_send_all(a, "1", 1);
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "not complete\n");
    ok(WSAGetOverlappedResult(b, &overlapped, &size, FALSE, &flags) && size == 1, "error %d\n",
       WSAGetLastError());
    ok_quiet();
    net_send_all(a, "23", 2);
    ok_told(b, FD_READ);
    ok_success(WSARecv(b, &buf, 1, &size, &flags, &overlapped, NULL));
    ok_told(b, FD_READ);
    finish(a, b);
    CloseHandle(overlapped.hEvent);
}

/* Selecting anew tells what holds anew (recorded), and what came before the selection. */
static void test_select_again(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "x", 1);
    ok(net_arrived(b, 1) == 1, "not there\n");
    choose(b, NO_WRITE);
    ok_told(b, FD_READ);
    choose(b, NO_WRITE);
    ok_told(b, FD_READ);
    choose(b, 0);
    choose(b, ALL);
    ok_told(b, FD_READ);
    ok_told(b, FD_WRITE);
    ok_quiet();
    finish(a, b);
}

/* "FD_CONNECT ... when the socket has been connected" comes first, FD_WRITE after it. */
static void test_connect(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s;

    s = socket(AF_INET, SOCK_STREAM, 0);
    choose(s, ALL);
    ok_quiet();
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAEWOULDBLOCK);
    ok_told(s, FD_CONNECT);
    ok_told(s, FD_WRITE);
    ok_quiet();
    choose(s, ALL);
    ok_told(s, FD_WRITE); /* the connection is nothing new (recorded) */
    ok_quiet();
    closesocket(s);

    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s, (struct sockaddr *)&address, length));
    choose(s, ALL);
    ok_told(s, FD_WRITE);
    ok_quiet();
    closesocket(s);
    closesocket(l);
}

/* "The high word of lParam contains any error code": WSAECONNREFUSED with FD_CONNECT. */
static void test_connect_error(void)
{
    struct sockaddr_storage address;
    int length = net_nobody(AF_INET, &address);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    choose(s, ALL);
    ok_error(connect(s, (struct sockaddr *)&address, length), WSAEWOULDBLOCK);
    check_told(__LINE__, s, FD_CONNECT, WSAECONNREFUSED);
    ok_quiet();
    closesocket(s);
}

/* A datagram socket can send at once, and again after connect (recorded). */
static void test_datagrams(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET r = net_bound(AF_INET, SOCK_DGRAM, &address, &length), s;

    s = socket(AF_INET, SOCK_DGRAM, 0);
    choose(s, ALL);
    ok_told(s, FD_WRITE);
    ok_quiet();
    ok_success(connect(s, (struct sockaddr *)&address, length));
    todo_wine ok_told(s, FD_WRITE);
    ok_quiet();
    choose(r, NO_WRITE);
    net_send_all(s, "x", 1);
    ok_told(r, FD_READ);
    closesocket(r);
    closesocket(s);
}

/* "FD_ACCEPT ... accept or WSAAccept" enables it again; while one waits, the next is not told. */
static void test_accept(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s[2], a;

    choose(l, NO_WRITE & ~FD_CLOSE);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s[0], (struct sockaddr *)&address, length));
    ok_told(l, FD_ACCEPT);
    s[1] = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(s[1], (struct sockaddr *)&address, length));
    ok_quiet();
    a = accept(l, NULL, NULL);
    ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(a);
    ok_told(l, FD_ACCEPT);
    a = accept(l, NULL, NULL);
    ok(a != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(a);
    ok_quiet();
    closesocket(s[0]);
    closesocket(s[1]);
    closesocket(l);
}

/* "FD_WRITE ... after a send or sendto fails with error code WSAEWOULDBLOCK and ... room": only
 * then, and a send that succeeds enables nothing. */
static void test_write(void)
{
    static char block[256 * 1024];
    int sent, got, all = 0, received = 0;
    MSG message;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, ALL);
    ok_told(b, FD_WRITE);
    net_send_all(b, "x", 1);
    ok_quiet();
    do { /* until the peer's buffers are full as well */
        while ((sent = send(b, block, sizeof(block), 0)) > 0)
            all += sent;
        ok(WSAGetLastError() == WSAEWOULDBLOCK, "error %d\n", WSAGetLastError());
    } while (window_message(window, WINDOW_MESSAGE, 4 * WINDOW_QUIET, &message));
    while (received < all + 1 && (got = recv(a, block, sizeof(block), 0)) > 0)
        received += got;
    ok_told(b, FD_WRITE);
    ok_quiet();
    finish(a, b);
}

/* "FD_CLOSE ... a zero error code for a graceful close" */
static void test_close(void)
{
    char byte;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    closesocket(a);
    ok_told(b, FD_CLOSE);
    ok_quiet();
    ok(!recv(b, &byte, 1, 0), "error %d\n", WSAGetLastError());
    ok_quiet();
    choose(b, NO_WRITE);
    ok_told(b, FD_CLOSE);
    closesocket(b);
}

/* It is told at once although data wait (recorded; the page says that data come first). */
static void test_close_with_data(void)
{
    char buffer[8];
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    net_send_all(a, "12345", 5);
    ok_told(b, FD_READ);
    closesocket(a);
    todo_wine ok_told(b, FD_CLOSE);
    ok(recv(b, buffer, 3, 0) == 3, "error %d\n", WSAGetLastError());
    ok_told(b, FD_READ);
    ok(recv(b, buffer, 8, 0) == 2, "error %d\n", WSAGetLastError());
    todo_wine ok_quiet();
    closesocket(b);
}

/* "... or WSAECONNABORTED" for a reset (recorded), each time it is selected. */
static void test_reset(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    net_reset(a);
    check_told(__LINE__, b, FD_CLOSE, WSAECONNABORTED);
    ok_quiet();
    choose(b, NO_WRITE);
    todo_wine check_told(__LINE__, b, FD_CLOSE, WSAECONNABORTED);
    ok_quiet();
    closesocket(b);
}

/* "FD_OOB: OOB data ready for reading on socket s" */
static void test_urgent(void)
{
    char byte = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    choose(b, NO_WRITE);
    ok(send(a, "!", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
    ok_told(b, FD_OOB);
    ok_quiet();
    choose(b, NO_WRITE);
    ok_told(b, FD_OOB);
    ok(recv(b, &byte, 1, MSG_OOB) == 1 && byte == '!', "error %d\n", WSAGetLastError());
    ok_quiet();
    finish(a, b);
}

typedef int(WINAPI *set_post_fn)(void *);
static LONG replaced_posts;

static BOOL WINAPI replaced_post(HWND to, UINT message, WPARAM wparam, LPARAM lparam)
{
    InterlockedIncrement(&replaced_posts);
    return PostMessageA(to, message, wparam, lparam);
}

/* WSApSetPostRoutine: undocumented; what is posted goes through the routine. */
static void test_post_routine(void)
{
    set_post_fn set =
        (set_post_fn)(void *)GetProcAddress(GetModuleHandleA("ws2_32"), "WSApSetPostRoutine");
    SOCKET a, b;

    if (on_builtin()) {
        skip("the built-in has no post routine\n");
        return;
    }
    net_pair(&a, &b);
    ok(!set(replaced_post), "refused\n");
    choose(b, FD_WRITE);
    ok_told(b, FD_WRITE);
    ok(replaced_posts == 1, "%ld posts\n", replaced_posts);
    ok(!set(NULL), "refused\n");
    choose(b, FD_WRITE);
    ok_told(b, FD_WRITE);
    ok(replaced_posts == 1, "%ld posts\n", replaced_posts);
    finish(a, b);
}

START_TEST(async_select)
{
    net_start();
    window = window_make();
    RUN(test_message);
    RUN(test_single_messages);
    RUN(test_nonblocking);
    RUN(test_back_to_blocking);
    RUN(test_second_call);
    RUN(test_cancel);
    RUN(test_replaces_events);
    RUN(test_replaced_by_events);
    RUN(test_closesocket);
    RUN(test_closehandle);
    RUN(test_inherit);
    RUN(test_invalid);
    RUN(test_read_again);
    RUN(test_overlapped);
    RUN(test_select_again);
    RUN(test_connect);
    RUN(test_connect_error);
    RUN(test_datagrams);
    RUN(test_accept);
    RUN(test_write);
    RUN(test_close);
    RUN(test_close_with_data);
    RUN(test_reset);
    RUN(test_urgent);
    RUN(test_post_routine);
    DestroyWindow(window);
    WSACleanup();
}
