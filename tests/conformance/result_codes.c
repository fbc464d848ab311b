/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The result codes that follow from a socket's state or from an argument, for all of recv,
 * recvfrom, WSARecv, WSARecvFrom, send, sendto, WSASend, WSASendTo, the WSA ones with and without
 * an OVERLAPPED; and which code wins where several apply.
 *
 * Sources: the tables "Error code / Meaning" of their pages, quoted at each test; "Windows Sockets
 * Error Codes"; what Wine's sock.c and afd.c found on Windows.  WSAEFAULT is in bad_pointers.c,
 * WSAEINPROGRESS and WSAEINTR in blocking_hook.c.
 */
#include "io_calls.h"

static HANDLE event;

/* Around checks of which Wine's own DLL gets some wrong, but not for each call */
static BOOL some_todo;
#define todo_some for (some_todo = TRUE; some_todo; some_todo = FALSE)

static void check(const struct io_call *row, SOCKET s, struct io_good *good, int error)
{
    BOOL correct, quiet = TRUE;
    int result, got;

    ResetEvent(event);
    WSASetLastError(0xdead);
    result = row->call(s, &good->with);
    got = WSAGetLastError();
    if (row->traits & IO_OVERLAPPED) /* "no completion indication will occur" */
        quiet = WaitForSingleObject(event, 0) == WAIT_TIMEOUT;
    correct = result == SOCKET_ERROR && got == error && quiet;
    todo_wine_if(some_todo && !correct) ok(correct, "got %d, error %d, expected error %d%s\n",
                                           result, got, error, quiet ? "" : "; a completion came");
}

/* One call of the table with arguments that are in order */
static void expect(const struct io_call *row, SOCKET s, int error)
{
    static struct io_good good; /* what pends where it should not outlives the call */

    good.overlapped.hEvent = event;
    io_good(&good);
    if (!(row->traits & IO_RECEIVES))
        good.with.address = NULL;
    check(row, s, &good, error);
}

#define expect_all(mask, wanted, s, error) FOR_EACH_IO_CALL(row, mask, wanted) expect(row, s, error)
#define expect_receives(s, error)          expect_all(IO_RECEIVES, IO_RECEIVES, s, error)
#define expect_sends(s, error)             expect_all(IO_RECEIVES, 0, s, error)

/* ---- before and after Winsock ---- */

/* "WSANOTINITIALISED: A successful WSAStartup call must occur before using this function.":
 * whatever the handle. */
static void test_not_initialised(SOCKET s)
{
    todo_some expect_all(0, 0, s, WSANOTINITIALISED);
}

/* WSACleanup: "When all of the pending ... only the final WSACleanup function call performs the
 * actual cleanup": until then they go on, and after it not. */
static void test_cleanup(void)
{
    SOCKET s;

    net_start();
    net_start();
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(WSACleanup());
    expect_receives(s, WSAENOTCONN);
    ok_success(WSACleanup());
    test_not_initialised(s);
}

/* ---- WSAENOTSOCK "The descriptor is not a socket." ---- */

static void check_not_socket(const char *what, SOCKET s)
{
    winetest_push_context("%s", what);
    todo_some expect_all(0, 0, s, WSAENOTSOCK);
    winetest_pop_context();
}

static void test_never_a_socket(void)
{
    char path[MAX_PATH], name[MAX_PATH];
    HANDLE handle, other;

    check_not_socket("INVALID_SOCKET", INVALID_SOCKET);
    check_not_socket("0", 0);
    check_not_socket("3", 3);
    check_not_socket("a number", 0x7ffffffc);
    handle = CreateEventA(NULL, TRUE, FALSE, NULL);
    check_not_socket("event", (SOCKET)handle);
    ok(CloseHandle(handle), "error %lu\n", GetLastError());
    GetTempPathA(sizeof(path), path);
    GetTempFileNameA(path, "rsk", 0, name);
    handle = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                         FILE_FLAG_DELETE_ON_CLOSE, NULL);
    check_not_socket("file", (SOCKET)handle);
    ok(CloseHandle(handle), "error %lu\n", GetLastError());
    ok(CreatePipe(&handle, &other, NULL, 0), "error %lu\n", GetLastError());
    check_not_socket("pipe", (SOCKET)other);
    ok(CloseHandle(handle), "error %lu\n", GetLastError());
    ok(CloseHandle(other), "error %lu\n", GetLastError());
}

static void test_closed(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    closesocket(a);
    closesocket(b);
    check_not_socket("closed", b);
}

/* A SOCKET is a handle: CloseHandle ends it as well. */
static void test_closed_handle(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    ok(CloseHandle((HANDLE)b), "error %lu\n", GetLastError());
    check_not_socket("closed by CloseHandle", b);
    closesocket(a);
}

/* ---- WSAENOTCONN "The socket is not connected." ---- */

static void test_fresh_stream(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    expect_receives(s, WSAENOTCONN);
    todo_some expect_sends(s, WSAENOTCONN);
    closesocket(s);
}

static void test_bound_stream(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = net_bound(AF_INET, SOCK_STREAM, &address, &length);

    expect_receives(s, WSAENOTCONN);
    todo_some expect_sends(s, WSAENOTCONN);
    closesocket(s);
}

/* AFD says so of a listening socket before it looks at anything else (Wine's afd.c, test_recv). */
static void test_listening(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = net_listener(AF_INET, &address, &length);

    if (!on_builtin()) { /* of which one, 32-bit 10.0, hangs here */
        expect_receives(s, WSAENOTCONN);
        expect_sends(s, WSAENOTCONN);
    }
    closesocket(s);
}

static void test_failed_connect(void)
{
    struct sockaddr_storage address;
    int length = net_nobody(AF_INET, &address);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok(connect(s, (struct sockaddr *)&address, length), "somebody is there\n");
    net_nonblocking(s, 1); /* so that a DLL without this rule does not wait for ever */
    todo_some expect_receives(s, WSAENOTCONN);
    todo_some expect_sends(s, WSAENOTCONN);
    closesocket(s);
}

/* "Windows Sockets Error Codes", WSAENOTCONN: "the socket is not connected and (when sending on a
 * datagram socket using sendto) no address was supplied." */
static void test_unconnected_datagram(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), t;

    t = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    todo_some expect_sends(s, WSAENOTCONN);
    todo_some expect_sends(t, WSAENOTCONN);
    closesocket(s);
    closesocket(t);
}

/* ---- WSAEINVAL ---- */

/* "WSAEINVAL: The socket has not been bound (for example, with bind)." */
static void test_unbound_datagram(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    net_nonblocking(s, 1);
    if (!on_builtin()) /* whose overlapped calls pend */
        expect_receives(s, WSAEINVAL);
    closesocket(s);
}

/* WSARecv without any WSABUF: WSAEINVAL (Wine's test_empty_recv, run on Windows). */
static void test_no_buffers(void)
{
    static struct io_good good;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "data", 4);
    net_arrived(b, 4);
    good.overlapped.hEvent = event;
    FOR_EACH_IO_CALL(row, IO_RECEIVES | IO_WSA, IO_RECEIVES | IO_WSA)
    {
        if (on_builtin())
            continue; /* which would wait for ever */
        io_good(&good);
        good.with.count = 0;
        ok_error(row->call(b, &good.with), WSAEINVAL);
        good.with.buffers = NULL;
        ok_error(row->call(b, &good.with), WSAEINVAL);
    }
    closesocket(a);
    closesocket(b);
}

static void CALLBACK unwanted_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                      DWORD flags)
{
    ok(0, "the routine ran: error %lu, %lu bytes, %p, flags %lx\n", error, bytes, overlapped,
       flags);
}

/* "Using completion function on socket associated with completion port is not allowed" (Wine's
 * test_WSARecv, run on Windows): WSAEINVAL. */
static void test_routine_with_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    static struct io_good good;
    SOCKET a, b;

    net_pair(&a, &b);
    ok(CreateIoCompletionPort((HANDLE)b, port, 1, 0) == port, "error %lu\n", GetLastError());
    good.overlapped.hEvent = NULL;
    FOR_EACH_IO_CALL(row, IO_OVERLAPPED, IO_OVERLAPPED)
    {
        io_good(&good);
        good.with.routine = unwanted_routine;
        todo_some check(row, b, &good, WSAEINVAL);
    }
    SleepEx(0, TRUE);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* ---- WSAESHUTDOWN ---- */

/* "WSAESHUTDOWN: The socket has been shut down; it is not possible to call WSARecv on a socket
 * after shutdown has been invoked with how set to SD_RECEIVE or SD_BOTH."; sends go on. */
static void test_shutdown_receive(void)
{
    char byte;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "unread", 6);
    net_arrived(b, 6);
    ok_success(shutdown(b, SD_RECEIVE));
    expect_receives(b, WSAESHUTDOWN);
    ok(send(b, "x", 1, 0) == 1 && recv(a, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(b);
}

/* "it is not possible to call WSASend on a socket after shutdown has been invoked with how set to
 * SD_SEND or SD_BOTH"; receives go on. */
static void test_shutdown_send(void)
{
    char byte;
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(shutdown(b, SD_SEND));
    expect_sends(b, WSAESHUTDOWN);
    ok(send(a, "x", 1, 0) == 1 && recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(b);
}

static void test_shutdown_both(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(shutdown(b, SD_BOTH));
    expect_all(0, 0, b, WSAESHUTDOWN);
    closesocket(a);
    closesocket(b);
}

/* The same for datagrams (Wine's test_shutdown, run on Windows) */
static void test_shutdown_datagrams(void)
{
    struct sockaddr_storage address[2];
    int length;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    ok_success(shutdown(s[0], SD_RECEIVE));
    expect_receives(s[0], WSAESHUTDOWN);
    ok(send(s[0], "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
    ok_success(shutdown(s[0], SD_SEND));
    expect_sends(s[0], WSAESHUTDOWN);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* What was pending before shutdown(SD_RECEIVE) still gets the data that come (Wine's test_shutdown,
 * "Test shutting down with async I/O pending", run on Windows). */
static void test_shutdown_with_pending(void)
{
    static struct io_good good;
    DWORD bytes, flags;
    SOCKET a, b;

    net_pair(&a, &b);
    good.overlapped.hEvent = event;
    io_good(&good);
    ok_error(io_wsarecv_overlapped(b, &good.with), WSA_IO_PENDING);
    ok_success(shutdown(b, SD_RECEIVE));
    expect_receives(b, WSAESHUTDOWN);
    net_send_all(a, "late", 4);
    ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    ok(WSAGetOverlappedResult(b, &good.overlapped, &bytes, FALSE, &flags) && bytes == 4 &&
           !memcmp(good.buffer, "late", 4),
       "error %d, %lu bytes\n", WSAGetLastError(), bytes);
    closesocket(a);
    closesocket(b);
}

/* ---- WSAEWOULDBLOCK ---- */

/* "Nonoverlapped sockets: The socket is marked as nonblocking and the receive operation cannot be
 * completed immediately." */
static void test_nothing_there(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET a, b, s = net_bound(AF_INET, SOCK_DGRAM, &address, &length);

    net_pair(&a, &b);
    net_nonblocking(b, 1);
    net_nonblocking(s, 1);
    expect_all(IO_RECEIVES | IO_OVERLAPPED, IO_RECEIVES, b, WSAEWOULDBLOCK);
    expect_all(IO_RECEIVES | IO_OVERLAPPED, IO_RECEIVES, s, WSAEWOULDBLOCK);
    closesocket(a);
    closesocket(b);
    closesocket(s);
}

/* Until the kernel takes nothing more for a while */
static void fill(SOCKET s)
{
    static char block[1 << 16];
    int sent, full = 0, i;

    for (i = 0; i < 10000 && full < 4; i++) {
        WSASetLastError(0);
        sent = send(s, block, sizeof(block), 0);
        if (sent >= 0)
            full = 0;
        else if (WSAGetLastError() != WSAEWOULDBLOCK)
            break;
        else {
            full++;
            Sleep(50);
        }
    }
    ok(full == 4, "error %d after %d sends\n", WSAGetLastError(), i);
}

/* WSASend: "The socket is marked as nonblocking and the send operation cannot be completed
 * immediately." */
static void test_no_room(void)
{
    SOCKET a, b;

    net_pair(&a, &b);
    net_nonblocking(a, 1);
    fill(a);
    todo_some expect_all(IO_RECEIVES | IO_OVERLAPPED, 0, a, WSAEWOULDBLOCK);
    closesocket(a);
    closesocket(b);
}

/* ---- WSAEOPNOTSUPP ---- */

/* "WSAEOPNOTSUPP: MSG_OOB was specified, but the socket is not stream-style such as type
 * SOCK_STREAM" */
static void test_oob_datagrams(void)
{
    struct sockaddr_storage address[2];
    static struct io_good good;
    int length;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    net_nonblocking(s[0], 1);
    good.overlapped.hEvent = event;
    FOR_EACH_IO_CALL(row, 0, 0)
    {
        if (on_builtin() && (row->traits & IO_OVERLAPPED) && (row->traits & IO_RECEIVES))
            continue; /* which would pend */
        io_good(&good);
        good.flags = good.with.flags = MSG_OOB;
        if (!(row->traits & IO_RECEIVES))
            good.with.address = NULL;
        todo_some check(row, s[0], &good, WSAEOPNOTSUPP);
    }
    closesocket(s[0]);
    closesocket(s[1]);
}

/* ---- destinations ---- */

#define FOR_EACH_SENDTO(row) FOR_EACH_IO_CALL(row, IO_RECEIVES | IO_ADDRESS, IO_ADDRESS)

static void expect_to(SOCKET s, const void *address, int length, int error)
{
    static struct io_good good;

    good.overlapped.hEvent = event;
    FOR_EACH_SENDTO(row)
    {
        io_good(&good);
        good.with.address = (struct sockaddr *)address;
        good.with.to_length = length;
        check(row, s, &good, error);
    }
}

/* "WSAEACCES: The requested address is a broadcast address, but the appropriate flag was not set."
 */
static void test_broadcast(void)
{
    struct sockaddr_in all = {AF_INET, htons(9), {{{255, 255, 255, 255}}}, {0}};
    struct sockaddr_in loopback = {AF_INET, htons(9), {{{127, 255, 255, 255}}}, {0}};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    int on = 1;

    expect_to(s, &all, sizeof(all), WSAEACCES);
    expect_to(s, &loopback, sizeof(loopback), WSAEACCES);
    ok_success(setsockopt(s, SOL_SOCKET, SO_BROADCAST, (char *)&on, sizeof(on)));
    ok(sendto(s, "x", 1, 0, (struct sockaddr *)&loopback, sizeof(loopback)) == 1, "error %d\n",
       WSAGetLastError());
    closesocket(s);
}

/* "WSAEADDRNOTAVAIL: The remote address is not a valid address, for example, ADDR_ANY." */
static void test_to_any(void)
{
    struct sockaddr_in any = {AF_INET, htons(9), {{{0, 0, 0, 0}}}, {0}};
    struct sockaddr_in6 any6 = {AF_INET6, htons(9), 0, IN6ADDR_ANY_INIT, {0}};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), s6 = socket(AF_INET6, SOCK_DGRAM, 0);

    todo_some expect_to(s, &any, sizeof(any), WSAEADDRNOTAVAIL);
    todo_some expect_to(s6, &any6, sizeof(any6), WSAEADDRNOTAVAIL);
    closesocket(s);
    closesocket(s6);
}

/* Port 0 is taken, and reaches nobody; the socket is bound then (Wine's test_UDP, "Test sending to
 * port 0", run on Windows). */
static void test_to_port_0(int family)
{
    struct sockaddr_storage address, name;
    int length = net_loopback(family, &address), size = sizeof(name), i, got;
    SOCKET s = socket(family, SOCK_DGRAM, 0);

    for (i = 0; i < 3; i++) {
        got = sendto(s, "x", 1, 0, (struct sockaddr *)&address, length);
        todo_wine_if(got != 1) ok(got == 1, "got %d, error %d\n", got, WSAGetLastError());
    }
    ok_success(getsockname(s, (struct sockaddr *)&name, &size));
    ok(((struct sockaddr_in *)&name)->sin_port != 0, "not bound\n");
    closesocket(s);
}

/* "WSAEAFNOSUPPORT: Addresses in the specified family cannot be used with this socket." */
static void test_to_family(void)
{
    struct sockaddr_storage address, address6;
    int length = net_loopback(AF_INET, &address), length6 = net_loopback(AF_INET6, &address6);
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), s6 = socket(AF_INET6, SOCK_DGRAM, 0);

    ((struct sockaddr_in *)&address)->sin_port = htons(9);
    ((struct sockaddr_in6 *)&address6)->sin6_port = htons(9);
    todo_some expect_to(s, &address6, length6, WSAEAFNOSUPPORT);
    address.ss_family = 77;
    todo_some expect_to(s, &address, length, WSAEAFNOSUPPORT);
    closesocket(s);
    closesocket(s6);
}

/* "WSAEMSGSIZE: The socket is message oriented, and the message is larger than the maximum
 * supported by the underlying transport." */
static void test_message_size(void)
{
    static char big[65508];
    struct sockaddr_storage address[2];
    static struct io_good good;
    int length;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    good.overlapped.hEvent = event;
    FOR_EACH_IO_CALL(row, IO_RECEIVES, 0)
    {
        io_good(&good);
        good.with.address = NULL;
        good.with.buffer = good.buf.buf = big;
        good.with.length = good.buf.len = sizeof(big);
        todo_some check(row, s[0], &good, WSAEMSGSIZE);
    }
    ok(!net_readable(s[1], 50), "something was sent\n");
    closesocket(s[0]);
    closesocket(s[1]);
}

/* ---- connected ones ---- */

/* recvfrom: "WSAEISCONN: The socket is connected. This function is not permitted with a connected
 * socket, whether the socket is connection oriented or connectionless." Windows permits it all the
 * same (Wine's test_tcp_sendto_recvfrom, run on Windows), and so does the page's own "If a
 * connection-oriented socket is used, from and fromlen are ignored". */
static void test_is_connected(void)
{
    struct sockaddr_storage address[2], from;
    int length, size;
    char buffer[4];
    SOCKET a, b, s[2];

    net_pair(&a, &b);
    ok(sendto(a, "data", 4, 0, (struct sockaddr *)&from, sizeof(from)) == 4, "error %d\n",
       WSAGetLastError());
    size = 77;
    memset(&from, 'f', sizeof(from));
    ok(recvfrom(b, buffer, 4, 0, (struct sockaddr *)&from, &size) == 4, "error %d\n",
       WSAGetLastError());
    ok(size == 77 && *(char *)&from == 'f', "the address was written\n");
    closesocket(a);
    closesocket(b);

    net_udp_pair(AF_INET, s, address, &length);
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    ok_success(connect(s[1], (struct sockaddr *)&address[0], length));
    ok(send(s[0], "data", 4, 0) == 4, "error %d\n", WSAGetLastError());
    size = sizeof(from);
    ok(recvfrom(s[1], buffer, 4, 0, (struct sockaddr *)&from, &size) == 4, "error %d\n",
       WSAGetLastError());
    ok(size == length && !memcmp(&from, &address[0], length), "another sender\n");
    closesocket(s[0]);
    closesocket(s[1]);
}

/* ---- WSASendMsg ---- */

/* WSASendMsg: "WSAEINVAL: The socket has not been bound with bind, or the socket was not created
 * with the overlapped flag"; "The WSASendMsg function ... on datagram and raw sockets": a stream is
 * WSAEINVAL (Wine's test_WSASendMsg, run on Windows). */
static void test_send_message(void)
{
    struct sockaddr_storage address;
    char byte = 'm';
    WSABUF buf = {1, &byte};
    WSAMSG message = {.lpBuffers = &buf, .dwBufferCount = 1};
    DWORD bytes = 0;
    int length;
    SOCKET a, b, s = socket(AF_INET, SOCK_DGRAM, 0), t;

    t = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    net_pair(&a, &b);
    ok_error(WSASendMsg(INVALID_SOCKET, &message, 0, &bytes, NULL, NULL), WSAENOTSOCK);
    todo_wine ok_error(WSASendMsg(a, &message, 0, &bytes, NULL, NULL), WSAEINVAL);
    todo_wine ok_error(WSASendMsg(s, &message, 0, &bytes, NULL, NULL), WSAENOTCONN);
    message.name = (struct sockaddr *)&address;
    message.namelen = length;
    ok_error(WSASendMsg(s, &message, 0, NULL, NULL, NULL), WSAEFAULT);
    ok_success(WSASendMsg(s, &message, 0, &bytes, NULL, NULL));
    ok(bytes == 1 && recv(t, &byte, 1, 0) == 1, "%lu bytes\n", bytes);
    ok_success(shutdown(s, SD_SEND));
    ok_error(WSASendMsg(s, &message, 0, &bytes, NULL, NULL), WSAESHUTDOWN);
    closesocket(a);
    closesocket(b);
    closesocket(s);
    closesocket(t);
}

/* A WSASendMsg that fails has bound the socket all the same (Wine's test_WSASendMsg, run on
 * Windows). */
static void test_send_message_binds(void)
{
    struct sockaddr_storage address, name;
    char byte = 'm';
    WSABUF buf = {1, &byte};
    WSAMSG message = {.lpBuffers = &buf, .dwBufferCount = 1};
    int length, size = sizeof(name);
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), t;

    t = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    message.name = (struct sockaddr *)&address;
    message.namelen = length;
    ok_error(WSASendMsg(s, &message, 0, NULL, NULL, NULL), WSAEFAULT);
    memset(&name, 0, sizeof(name));
    todo_wine ok_success(getsockname(s, (struct sockaddr *)&name, &size));
    todo_wine ok(((struct sockaddr_in *)&name)->sin_port != 0, "no port\n");
    closesocket(s);
    closesocket(t);
}

/* ---- which one wins ---- */

enum state { CLOSED, FRESH, LISTENING, SHUT, CONNECTED, UNBOUND, UNBOUND_SHUT, DATAGRAM_SHUT };
enum fault {
    BAD_FLAGS = 1,
    BAD_BYTES = 2,
    BAD_ARRAY = 4,
    NO_BUFFERS = 8,
    BAD_OVERLAPPED = 16,
    BAD_EVENT = 32,
    ROUTINE_AND_PORT = 64,
    BAD_ADDRESS = 128,
    OOB = 256,
};

static SOCKET make_socket(enum state state, SOCKET *peer)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s;

    *peer = INVALID_SOCKET;
    switch (state) {
    case FRESH:
        return socket(AF_INET, SOCK_STREAM, 0);
    case LISTENING:
        return net_listener(AF_INET, &address, &length);
    case UNBOUND:
    case UNBOUND_SHUT:
        s = socket(AF_INET, SOCK_DGRAM, 0);
        break;
    case DATAGRAM_SHUT:
        s = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
        break;
    default:
        net_pair(&s, peer);
        net_send_all(*peer, "data", 4);
        net_arrived(s, 4);
    }
    if (state == SHUT || state == UNBOUND_SHUT || state == DATAGRAM_SHUT)
        ok_success(shutdown(s, SD_BOTH));
    if (state == CLOSED)
        closesocket(s);
    return s;
}

static void break_arguments(struct io_good *good, int faults, SOCKET s, HANDLE port)
{
    struct io_arguments *with = &good->with;

    if (faults & BAD_FLAGS)
        with->flags_pointer = NULL;
    if (faults & BAD_BYTES)
        with->bytes = (DWORD *)1;
    if (faults & BAD_ARRAY) {
        with->buffers = (WSABUF *)1;
        with->buffer = NULL;
    }
    if (faults & NO_BUFFERS)
        with->count = 0;
    if (faults & BAD_OVERLAPPED)
        with->overlapped = (WSAOVERLAPPED *)1;
    if (faults & BAD_EVENT)
        good->overlapped.hEvent = (HANDLE)(ULONG_PTR)0xdead4;
    if (faults & BAD_ADDRESS)
        good->address_length = with->to_length = 3;
    if (faults & OOB)
        good->flags = with->flags = MSG_OOB;
    if (faults & ROUTINE_AND_PORT) {
        with->routine = unwanted_routine;
        CreateIoCompletionPort((HANDLE)s, port, 1, 0);
    }
}

/* From the handle over what the I/O manager and msafd look at, and the socket's state, to what AFD
 * looks at last.  Facts: Wine's test_recv of afd.c (a listening socket before the parameters),
 * test_WSASendTo, test_WSASendMsg, test_send (WSAENOTSOCK with everything else wrong), run on
 * Windows.  The rest follows from who looks: lpFlags and lpOverlapped are read and written in the
 * program's own context before the driver is called, the event is referred to before that too, and
 * the driver asks for the state first. */
static const struct {
    const char *name;
    enum state state;
    int faults;
    int traits;
    int error;
} precedence[] = {
    {"closed, all wrong", CLOSED, BAD_FLAGS | BAD_BYTES | BAD_ARRAY | BAD_OVERLAPPED, 0,
     WSAENOTSOCK},
    {"closed, no buffers", CLOSED, NO_BUFFERS, IO_WSA, WSAENOTSOCK},
    {"fresh, bad flags pointer", FRESH, BAD_FLAGS, IO_RECEIVES | IO_WSA, WSAEFAULT},
    {"fresh, bad overlapped", FRESH, BAD_OVERLAPPED, IO_OVERLAPPED, WSAEFAULT},
    {"fresh, bad event", FRESH, BAD_EVENT, IO_OVERLAPPED, WSAENOTSOCK},
    {"fresh, routine and port", FRESH, ROUTINE_AND_PORT, IO_OVERLAPPED, WSAEINVAL},
    {"shut, bad flags pointer", SHUT, BAD_FLAGS, IO_RECEIVES | IO_WSA, WSAEFAULT},
    {"shut, routine and port", SHUT, ROUTINE_AND_PORT, IO_OVERLAPPED, WSAEINVAL},
    {"connected, bad overlapped and event", CONNECTED, BAD_OVERLAPPED | NO_BUFFERS, IO_OVERLAPPED,
     WSAEFAULT},
    {"fresh, bad array", FRESH, BAD_ARRAY, 0, WSAENOTCONN},
    {"fresh, no buffers", FRESH, NO_BUFFERS, IO_WSA, WSAENOTCONN},
    {"fresh, bad bytes pointer", FRESH, BAD_BYTES, IO_WSA, WSAENOTCONN},
    {"fresh, out of band", FRESH, OOB, 0, WSAENOTCONN},
    {"listening, all that AFD looks at", LISTENING, BAD_ARRAY | BAD_BYTES | NO_BUFFERS, 0,
     WSAENOTCONN},
    {"shut, bad array", SHUT, BAD_ARRAY, 0, WSAESHUTDOWN},
    {"shut, no buffers", SHUT, NO_BUFFERS, IO_WSA, WSAESHUTDOWN},
    {"shut, bad bytes pointer", SHUT, BAD_BYTES, IO_WSA, WSAESHUTDOWN},
    {"unbound, bad array", UNBOUND, BAD_ARRAY, IO_RECEIVES, WSAEINVAL},
    {"unbound, out of band", UNBOUND, OOB, IO_RECEIVES, WSAEINVAL},
    {"unbound, bad address", UNBOUND, BAD_ADDRESS, IO_RECEIVES | IO_ADDRESS, WSAEINVAL},
    {"unbound and shut", UNBOUND_SHUT, 0, IO_RECEIVES, WSAEINVAL},
    {"datagram shut, out of band", DATAGRAM_SHUT, OOB, 0, WSAESHUTDOWN},
    {"datagram shut, bad address", DATAGRAM_SHUT, BAD_ADDRESS, IO_ADDRESS, WSAESHUTDOWN},
    {"connected, no buffers in a bad array", CONNECTED, BAD_ARRAY | NO_BUFFERS,
     IO_RECEIVES | IO_WSA, WSAEINVAL},
    {"connected, no buffers and bad bytes", CONNECTED, BAD_BYTES | NO_BUFFERS, IO_RECEIVES | IO_WSA,
     WSAEINVAL},
};

static void test_precedence(void)
{
    static struct io_good good;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    SOCKET s, peer;
    unsigned i;

    if (on_builtin())
        return; /* which would crash */
    for (i = 0; i < ARRAYSIZE(precedence); i++) {
        winetest_push_context("%s", precedence[i].name);
        FOR_EACH_IO_CALL(row, precedence[i].traits, precedence[i].traits)
        {
            s = make_socket(precedence[i].state, &peer);
            good.overlapped.hEvent = precedence[i].faults & ROUTINE_AND_PORT ? NULL : event;
            io_good(&good);
            break_arguments(&good, precedence[i].faults, s, port);
            ok_error(row->call(s, &good.with), precedence[i].error);
            closesocket(s);
            closesocket(peer);
        }
        winetest_pop_context();
    }
    CloseHandle(port);
}

START_TEST(result_codes)
{
    event = CreateEventA(NULL, TRUE, FALSE, NULL);
    RUN(test_not_initialised, 0x1234);
    RUN(test_cleanup);
    net_start();
    RUN(test_never_a_socket);
    RUN(test_closed);
    RUN(test_closed_handle);
    RUN(test_fresh_stream);
    RUN(test_bound_stream);
    RUN(test_listening);
    RUN(test_failed_connect);
    RUN(test_unconnected_datagram);
    RUN(test_unbound_datagram);
    RUN(test_no_buffers);
    RUN(test_routine_with_port);
    RUN(test_shutdown_receive);
    RUN(test_shutdown_send);
    RUN(test_shutdown_both);
    RUN(test_shutdown_datagrams);
    RUN(test_shutdown_with_pending);
    RUN(test_nothing_there);
    RUN(test_no_room);
    RUN(test_oob_datagrams);
    RUN(test_broadcast);
    RUN(test_to_any);
    RUN(test_to_port_0, AF_INET);
    RUN(test_to_port_0, AF_INET6);
    RUN(test_to_family);
    RUN(test_message_size);
    RUN(test_is_connected);
    RUN(test_send_message);
    RUN(test_send_message_binds);
    RUN(test_precedence);
    WSACleanup();
}
