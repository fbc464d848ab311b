/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Out-of-band data of streams.
 * Sources: Microsoft's page "Protocol-Independent Out-of-Band Data", unless another is named; what
 * Wine's test_fionread_siocatmark, test_oob_events and afd.c's test_recv found on Windows where
 * they go beyond it.
 */
#include "net.h"

struct pair {
    SOCKET a, b; /* a sends, b receives */
};

static struct pair make_pair(void)
{
    struct pair pair;

    net_pair(&pair.a, &pair.b);
    return pair;
}

static void close_pair(struct pair *pair)
{
    closesocket(pair->a);
    closesocket(pair->b);
}

static void send_urgent(SOCKET s, const char *bytes)
{
    int size = (int)strlen(bytes);

    ok(send(s, bytes, size, MSG_OOB) == size, "error %d\n", WSAGetLastError());
}

static int excepted(SOCKET s, DWORD milliseconds)
{
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(s, &set);
    return select(0, NULL, NULL, &set, &time) == 1;
}

static void wait_urgent(SOCKET s)
{
    ok(excepted(s, NET_PATIENCE), "no urgent byte\n");
}

static char receive_urgent(SOCKET s)
{
    char byte = 0;

    recv(s, &byte, 1, MSG_OOB);
    return byte;
}

static u_long at_mark(SOCKET s)
{
    u_long mark = 77;

    ioctlsocket(s, SIOCATMARK, &mark);
    return mark;
}

static u_long readable_bytes(SOCKET s)
{
    u_long bytes = 77;

    ioctlsocket(s, FIONREAD, &bytes);
    return bytes;
}

static DWORD post(SOCKET s, WSABUF *buffer, DWORD flags, WSAOVERLAPPED *ov)
{
    memset(ov, 0, sizeof(*ov));
    ov->hEvent = WSACreateEvent();
    WSASetLastError(0);
    return WSARecv(s, buffer, 1, NULL, &flags, ov, NULL) ? (DWORD)WSAGetLastError() : 0;
}

static BOOL ended(WSAOVERLAPPED *ov, DWORD milliseconds)
{
    return WSAWaitForMultipleEvents(1, &ov->hEvent, TRUE, milliseconds, FALSE) == WSA_WAIT_EVENT_0;
}

/* ---- SO_OOBINLINE disabled ---- */

/* "The OOB data block does not appear in the data stream with normal data." */
static void test_not_in_the_stream(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    net_send_all(pair.a, "before", 6);
    send_urgent(pair.a, "!");
    net_send_all(pair.a, "after", 5);
    ok(net_recv_all(pair.b, buffer, 11) == 11 && !memcmp(buffer, "beforeafter", 11),
       "wrong bytes\n");
    close_pair(&pair);
}

/* "The application can call recv with MSG_OOB to read the urgent data block at any time. The block
 * of OOB data jumps the queue." */
static void test_jumps_the_queue(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    net_send_all(pair.a, "normal", 6);
    send_urgent(pair.a, "!");
    wait_urgent(pair.b);
    ok(receive_urgent(pair.b) == '!', "wrong byte\n");
    ok(net_recv_all(pair.b, buffer, 6) == 6 && !memcmp(buffer, "normal", 6), "wrong bytes\n");
    close_pair(&pair);
}

/* The same when the stream has been read past its place (afd.c, test_recv). */
static void test_stays_after_the_stream(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    send_urgent(pair.a, "a");
    net_send_all(pair.a, "data", 4);
    ok(net_recv_all(pair.b, buffer, 4) == 4 && !memcmp(buffer, "data", 4), "wrong bytes\n");
    net_nonblocking(pair.b, 1);
    todo_wine
    {
        ok(recv(pair.b, buffer, 16, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
        ok(buffer[0] == 'a', "got %c\n", buffer[0]);
    }
    close_pair(&pair);
}

/* "It is possible to peek at out-of-band (OOB) data." */
static void test_peek(void)
{
    struct pair pair = make_pair();
    char byte = 0;

    send_urgent(pair.a, "p");
    wait_urgent(pair.b);
    ok(recv(pair.b, &byte, 1, MSG_OOB | MSG_PEEK) == 1 && byte == 'p', "error %d\n",
       WSAGetLastError());
    ok(at_mark(pair.b) == 0, "no OOB data is waiting any more\n");
    ok(receive_urgent(pair.b) == 'p', "wrong byte\n");
    todo_wine ok(at_mark(pair.b) == 1, "OOB data is still waiting\n");
    close_pair(&pair);
}

/* "A user can determine if any OOB data is waiting to be read using ... SIOCATMARK ... If no OOB
 * data is waiting to be read, the operation returns TRUE" (and its own page). */
static void test_atmark(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    ok(at_mark(pair.b) == 1, "nothing was sent\n");
    net_send_all(pair.a, "data", 4);
    ok(net_arrived(pair.b, 4) == 4, "no data\n");
    ok(at_mark(pair.b) == 1, "only normal data was sent\n");
    send_urgent(pair.a, "!");
    wait_urgent(pair.b);
    todo_wine ok(at_mark(pair.b) == 0, "an urgent byte waits behind normal data\n");
    ok(readable_bytes(pair.b) == 4, "it is counted as normal data\n");
    ok(net_recv_all(pair.b, buffer, 4) == 4, "error %d\n", WSAGetLastError());
    ok(at_mark(pair.b) == 0, "it was not read\n");
    ok(receive_urgent(pair.b) == '!', "wrong byte\n");
    todo_wine ok(at_mark(pair.b) == 1, "it was read\n");
    close_pair(&pair);
}

/* Each is kept until it is read (Wine's test_fionread_siocatmark, in the same steps). */
static void test_several(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    net_nonblocking(pair.b, 1);
    net_send_all(pair.a, "data", 5);
    ok(net_arrived(pair.b, 5) == 5, "no data\n");
    send_urgent(pair.a, "x");
    wait_urgent(pair.b);
    send_urgent(pair.a, "y");
    ok(recv(pair.b, buffer, 3, 0) == 3, "error %d\n", WSAGetLastError());
    todo_wine ok(readable_bytes(pair.b) == 2, "got %lu\n", readable_bytes(pair.b));
    todo_wine ok(at_mark(pair.b) == 0, "two urgent bytes wait\n");
    todo_wine ok(receive_urgent(pair.b) == 'x', "wrong byte\n");
    todo_wine ok(excepted(pair.b, on_builtin() ? 0 : NET_PATIENCE), "no second byte\n");
    todo_wine ok(readable_bytes(pair.b) == 2, "got %lu\n", readable_bytes(pair.b));
    todo_wine ok(recv(pair.b, buffer, 16, 0) == 2, "error %d\n", WSAGetLastError());
    ok(at_mark(pair.b) == 0, "one urgent byte waits\n");
    todo_wine ok(receive_urgent(pair.b) == 'y', "wrong byte\n");
    todo_wine ok(at_mark(pair.b) == 1, "all were read\n");
    close_pair(&pair);
}

/* The same with no pause between the sends. */
static void test_several_at_once(void)
{
    struct pair pair = make_pair();
    char byte = 0;
    int i, count = 0;

    net_nonblocking(pair.b, 1);
    for (i = 0; i < 20; i++)
        send_urgent(pair.a, "u");
    for (i = 0; i < 20 && excepted(pair.b, on_builtin() ? 100 : NET_PATIENCE); i++)
        count += receive_urgent(pair.b) == 'u';
    todo_wine ok(count == 20, "got %d of 20\n", count);
    ok(recv(pair.b, &byte, 1, 0) == SOCKET_ERROR || on_builtin(), "one is in the stream\n");
    close_pair(&pair);
}

/* "the OOB data block (one byte) is removed from the data stream": of a longer send its last. */
static void test_last_byte_of_a_send(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    send_urgent(pair.a, "normal!");
    wait_urgent(pair.b);
    ok(receive_urgent(pair.b) == '!', "wrong byte\n");
    ok(net_recv_all(pair.b, buffer, 6) == 6 && !memcmp(buffer, "normal", 6), "wrong bytes\n");
    close_pair(&pair);
}

static DWORD CALLBACK send_much(void *context)
{
    static char bytes[1 << 20];
    SOCKET s = *(SOCKET *)context;
    int size = sizeof(bytes);

    bytes[size - 1] = '!';
    ok(send(s, bytes, size, MSG_OOB) == size, "error %d\n", WSAGetLastError());
    return 0;
}

/* The same of one that is larger than any buffer on the way. */
static void test_last_byte_of_a_large_send(void)
{
    struct pair pair = make_pair();
    static char bytes[1 << 20];
    HANDLE thread = CreateThread(NULL, 0, send_much, &pair.a, 0, NULL);
    int size = sizeof(bytes) - 1;

    memset(bytes, 'x', sizeof(bytes));
    ok(net_recv_all(pair.b, bytes, size) == size, "error %d\n", WSAGetLastError());
    while (size && !bytes[size - 1])
        size--;
    ok(!size, "got an urgent byte in the stream, at %d\n", size - 1);
    wait_urgent(pair.b);
    ok(receive_urgent(pair.b) == '!', "wrong byte\n");
    ok(!WaitForSingleObject(thread, NET_PATIENCE), "the send has not ended\n");
    CloseHandle(thread);
    close_pair(&pair);
}

/* "a single recv operation does not span that position. One recv returns the normal data before the
 * mark, and a second recv is required to begin reading data after the mark." */
static void test_does_not_span_the_position(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    net_send_all(pair.a, "ab", 2);
    send_urgent(pair.a, "!");
    net_send_all(pair.a, "cd", 2);
    wait_urgent(pair.b);
    ok(net_arrived(pair.b, 4) >= 2, "no data\n");
    ok(recv(pair.b, buffer, 16, 0) == 2 && !memcmp(buffer, "ab", 2), "error %d\n",
       WSAGetLastError());
    ok(recv(pair.b, buffer, 16, 0) == 2 && !memcmp(buffer, "cd", 2), "error %d\n",
       WSAGetLastError());
    close_pair(&pair);
}

/* "Windows Sockets returns from select with the appropriate exceptfds socket set if OOB data is
 * queued on the socket." */
static void test_select(void)
{
    struct pair pair = make_pair();

    ok(!excepted(pair.b, 0), "nothing was sent\n");
    send_urgent(pair.a, "!");
    ok(excepted(pair.b, NET_PATIENCE), "not in the set\n");
    ok(!net_readable(pair.b, 0), "readable\n");
    ok(excepted(pair.b, 0), "not in the set the second time\n");
    receive_urgent(pair.b);
    ok(!excepted(pair.b, 0), "it was read\n");
    close_pair(&pair);
}

/* "If OOB data remains after any call to recv, Windows Sockets notifies the application ... with
 * exceptfds when using select." */
static void test_select_after_recv(void)
{
    struct pair pair = make_pair();
    char buffer[16];

    send_urgent(pair.a, "!");
    net_send_all(pair.a, "data", 4);
    ok(net_recv_all(pair.b, buffer, 4) == 4, "error %d\n", WSAGetLastError());
    todo_wine ok(excepted(pair.b, 0), "not in the set\n");
    close_pair(&pair);
}

static SHORT poll_one(SOCKET s, SHORT events)
{
    WSAPOLLFD fd = {.fd = s, .events = events};

    WSAPoll(&fd, 1, 0);
    return fd.revents;
}

/* WSAPoll, POLLRDBAND: "Priority band (out-of-band) data may be read without blocking." */
static void test_poll(void)
{
    struct pair pair = make_pair();
    SHORT got;

    send_urgent(pair.a, "!");
    wait_urgent(pair.b);
    got = poll_one(pair.b, POLLRDNORM | POLLRDBAND | POLLWRNORM);
    ok(got == (POLLRDBAND | POLLWRNORM), "got %x\n", got);
    receive_urgent(pair.b);
    got = poll_one(pair.b, POLLRDNORM | POLLRDBAND | POLLWRNORM);
    ok(got == POLLWRNORM, "got %x\n", got);
    close_pair(&pair);
}

static long events_of(SOCKET s, HANDLE event, DWORD milliseconds)
{
    WSANETWORKEVENTS events = {0};

    WaitForSingleObject(event, milliseconds);
    WSAEnumNetworkEvents(s, event, &events);
    return events.lNetworkEvents;
}

/* "FD_OOB is posted when OOB data arrives with no OOB data previously queued. ... FD_READ messages
 * are not posted for OOB data." */
static void test_event(void)
{
    struct pair pair = make_pair();
    HANDLE event = WSACreateEvent();
    long got;

    ok_success(WSAEventSelect(pair.b, event, FD_OOB | FD_READ | FD_CLOSE));
    send_urgent(pair.a, "a");
    got = events_of(pair.b, event, NET_PATIENCE);
    ok(got == FD_OOB, "got %lx\n", got);
    got = events_of(pair.b, event, 0);
    ok(!got, "got %lx\n", got);
    close_pair(&pair);
    WSACloseEvent(event);
}

/* "The FD_OOB is also posted when data is read using the MSG_OOB flag while some OOB data remains
 * queued after the read operation has returned." */
static void test_event_while_some_remains(void)
{
    struct pair pair = make_pair();
    HANDLE event = WSACreateEvent();
    long got;

    ok_success(WSAEventSelect(pair.b, event, FD_OOB | FD_READ | FD_CLOSE));
    send_urgent(pair.a, "a");
    got = events_of(pair.b, event, NET_PATIENCE);
    ok(got == FD_OOB, "got %lx\n", got);
    send_urgent(pair.a, "b");
    got = events_of(pair.b, event, on_builtin() ? 100 : NET_PATIENCE);
    todo_wine ok(got == FD_OOB, "got %lx\n", got); /* so it is on Windows (test_oob_events) */
    todo_wine ok(receive_urgent(pair.b) == 'a', "wrong byte\n");
    got = events_of(pair.b, event, on_builtin() ? 100 : NET_PATIENCE);
    todo_wine ok(got == FD_OOB, "got %lx\n", got);
    todo_wine ok(receive_urgent(pair.b) == 'b', "wrong byte\n");
    got = events_of(pair.b, event, 0);
    ok(!got, "got %lx\n", got);
    close_pair(&pair);
    WSACloseEvent(event);
}

/* ---- waiting ---- */

/* recv's page: "If no incoming data is available at the socket ... [nonblocking] ... returned with
 * the error code set to WSAEWOULDBLOCK"; MSG_OOB is no exception. */
static void test_nonblocking(void)
{
    struct pair pair = make_pair();
    char byte;

    net_nonblocking(pair.b, 1);
    net_send_all(pair.a, "data", 4);
    ok(net_arrived(pair.b, 4) == 4, "no data\n");
    ok_error(recv(pair.b, &byte, 1, MSG_OOB), WSAEWOULDBLOCK);
    close_pair(&pair);
}

static DWORD CALLBACK send_later(void *context)
{
    Sleep(100);
    send_urgent(*(SOCKET *)context, "l");
    return 0;
}

/* recv's page: "the recv call blocks and waits for data to arrive", though other data is there. */
static void test_blocking(void)
{
    struct pair pair = make_pair();
    char byte = 0;
    HANDLE thread;

    net_send_all(pair.a, "data", 4);
    ok(net_arrived(pair.b, 4) == 4, "no data\n");
    thread = CreateThread(NULL, 0, send_later, &pair.a, 0, NULL);
    ok(recv(pair.b, &byte, 1, MSG_OOB) == 1 && byte == 'l', "error %d\n", WSAGetLastError());
    ok(!WaitForSingleObject(thread, NET_PATIENCE), "thread\n");
    CloseHandle(thread);
    close_pair(&pair);
}

/* SO_RCVTIMEO: "The timeout, in milliseconds, for blocking receive calls". */
static void test_timeout(void)
{
    struct pair pair = make_pair();
    DWORD timeout = 100;
    char byte;

    ok_success(setsockopt(pair.b, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, sizeof(timeout)));
    ok_error(recv(pair.b, &byte, 1, MSG_OOB), WSAETIMEDOUT);
    close_pair(&pair);
}

/* "OOB data is a logically independent transmission channel": receives of either kind wait for
 * their own. */
static void test_independent_receives(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED normal, urgent;
    char byte = 0, buffer[16];
    WSABUF of_normal = {sizeof(buffer), buffer}, of_urgent = {1, &byte};
    DWORD bytes, flags, error;

    error = post(pair.b, &of_normal, 0, &normal);
    ok(error == WSA_IO_PENDING, "error %lu\n", error);
    error = post(pair.b, &of_urgent, MSG_OOB, &urgent);
    ok(error == WSA_IO_PENDING, "error %lu\n", error);
    send_urgent(pair.a, "!");
    if (!on_builtin()) { /* where it waits for ever */
        ok(ended(&urgent, NET_PATIENCE) && byte == '!', "the urgent byte was not received\n");
        ok(!ended(&normal, 0), "the other one has ended\n");
        error = post(pair.b, &of_urgent, MSG_OOB, &urgent);
        ok(error == WSA_IO_PENDING, "error %lu\n", error);
    }
    net_send_all(pair.a, "data", 4);
    ok(ended(&normal, NET_PATIENCE), "the data was not received\n");
    ok(WSAGetOverlappedResult(pair.b, &normal, &bytes, FALSE, &flags) && bytes == 4 && !flags,
       "%lu bytes, flags %lx\n", bytes, flags);
    ok(!ended(&urgent, 0), "the other one has ended\n");
    close_pair(&pair);
    ok(ended(&urgent, NET_PATIENCE), "closesocket has not ended it\n");
}

/* Several receives get the bytes in the order of the calls. */
static void test_order_of_receives(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED ov[3];
    char bytes[4] = "---";
    WSABUF buffer = {1, bytes};
    DWORD error;
    int i;

    for (i = 0; i < 3; i++) {
        buffer.buf = bytes + i;
        error = post(pair.b, &buffer, MSG_OOB, &ov[i]);
        ok(error == WSA_IO_PENDING, "error %lu\n", error);
    }
    for (i = 0; i < 3; i++) {
        char text[2] = {(char)('a' + i)};

        send_urgent(pair.a, text);
        ok(ended(&ov[i], NET_PATIENCE), "receive %d has not ended\n", i);
    }
    ok(!memcmp(bytes, "abc", 3), "got %s\n", bytes);
    close_pair(&pair);
}

/* CancelIoEx's page: "marks any outstanding I/O operations for the specified file handle"; what
 * comes later reaches the next receive. */
static void test_cancel(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED ov;
    char byte = 0;
    WSABUF buffer = {1, &byte};
    DWORD error = post(pair.b, &buffer, MSG_OOB, &ov);

    ok(error == WSA_IO_PENDING, "error %lu\n", error);
    ok(CancelIoEx((HANDLE)pair.b, (OVERLAPPED *)&ov), "error %lu\n", GetLastError());
    ok(ended(&ov, NET_PATIENCE), "it has not ended\n");
    ok((DWORD)ov.Internal == 0xc0000120, "status %lx\n", (DWORD)ov.Internal);
    send_urgent(pair.a, "n");
    wait_urgent(pair.b);
    ok(receive_urgent(pair.b) == 'n', "wrong byte\n");
    close_pair(&pair);
}

/* WSARecv's page: "zero bytes having been read ... indicates graceful closure and that no more
 * bytes will ever be read". */
static void test_graceful_close(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED ov;
    char byte = 0;
    WSABUF buffer = {1, &byte};
    DWORD bytes = 77, flags, error = post(pair.b, &buffer, MSG_OOB, &ov);

    ok(error == WSA_IO_PENDING, "error %lu\n", error);
    ok_success(shutdown(pair.a, SD_SEND));
    ok(ended(&ov, NET_PATIENCE), "it has not ended\n");
    ok(WSAGetOverlappedResult(pair.b, &ov, &bytes, FALSE, &flags) && !bytes,
       "error %d, %lu bytes\n", WSAGetLastError(), bytes);
    close_pair(&pair);
}

/* WSARecv's page: "In any case a return error code of WSAECONNRESET indicates an abortive close".
 */
static void test_abortive_close(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED ov;
    char byte = 0;
    WSABUF buffer = {1, &byte};
    DWORD bytes = 77, flags, error = post(pair.b, &buffer, MSG_OOB, &ov);

    ok(error == WSA_IO_PENDING, "error %lu\n", error);
    net_reset(pair.a);
    ok(ended(&ov, NET_PATIENCE), "it has not ended\n");
    WSASetLastError(0);
    ok(!WSAGetOverlappedResult(pair.b, &ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSAECONNRESET,
       "error %d\n", WSAGetLastError());
    closesocket(pair.b);
}

/* ---- SO_OOBINLINE enabled ---- */

static struct pair make_inline_pair(void)
{
    struct pair pair = make_pair();
    int on = 1;

    ok_success(setsockopt(pair.b, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on)));
    return pair;
}

/* "OOB data is treated as normal for the purpose of the select and WSAAsyncSelect functions, and
 * indicated by setting the socket in readfds or by sending an FD_READ message respectively." */
static void test_inline_readiness(void)
{
    struct pair pair = make_inline_pair();
    HANDLE event = WSACreateEvent();
    long got;

    ok_success(WSAEventSelect(pair.b, event, FD_OOB | FD_READ | FD_CLOSE));
    send_urgent(pair.a, "!");
    ok(net_readable(pair.b, NET_PATIENCE), "not readable\n");
    ok(!excepted(pair.b, 0), "in the exception set\n");
    got = events_of(pair.b, event, NET_PATIENCE);
    todo_wine ok(got == FD_READ, "got %lx\n", got);
    close_pair(&pair);
    WSACloseEvent(event);
}

/* "The application cannot call recv with the MSG_OOB flag set to read the OOB data block. The error
 * code WSAEINVAL is returned." */
static void test_inline_refuses_oob(void)
{
    struct pair pair = make_inline_pair();
    char byte = 0;

    send_urgent(pair.a, "!");
    ok(net_readable(pair.b, NET_PATIENCE), "not readable\n");
    ok_error(recv(pair.b, &byte, 1, MSG_OOB), WSAEINVAL);
    ok(recv(pair.b, &byte, 1, 0) == 1 && byte == '!', "error %d\n", WSAGetLastError());
    close_pair(&pair);
}

/* "Any OOB data is delivered in its correct order within the normal data stream. ... There must be
 * three read requests to get past the OOB data." */
static void test_inline_order(void)
{
    struct pair pair = make_inline_pair();
    char buffer[16];

    net_send_all(pair.a, "ab", 2);
    send_urgent(pair.a, "!");
    net_send_all(pair.a, "cd", 2);
    ok(net_arrived(pair.b, 5) >= 2, "no data\n");
    ok(recv(pair.b, buffer, 16, 0) == 2 && !memcmp(buffer, "ab", 2), "error %d\n",
       WSAGetLastError());
    if (on_builtin()) {
        ok(net_recv_all(pair.b, buffer, 3) == 3 && !memcmp(buffer, "!cd", 3), "wrong bytes\n");
    } else {
        ok(net_arrived(pair.b, 3) == 3, "no data\n");
        ok(recv(pair.b, buffer, 16, 0) == 1 && buffer[0] == '!', "error %d\n", WSAGetLastError());
        ok(recv(pair.b, buffer, 16, 0) == 2 && !memcmp(buffer, "cd", 2), "error %d\n",
           WSAGetLastError());
    }
    close_pair(&pair);
}

/* "With SO_OOBINLINE enabled ... the OOB data block is never lost when a new TCP segment arrives
 * containing urgent data." */
static void test_inline_never_lost(void)
{
    struct pair pair = make_inline_pair();
    char buffer[16];
    int i;

    for (i = 0; i < 5; i++) {
        send_urgent(pair.a, "u");
        net_send_all(pair.a, "n", 1);
    }
    ok(net_recv_all(pair.b, buffer, 10) == 10 && !memcmp(buffer, "unununun", 8), "wrong bytes\n");
    close_pair(&pair);
}

/* "When the SO_OOBINLINE socket option is set, the SIOCATMARK IOCTL always returns TRUE". */
static void test_inline_atmark(void)
{
    struct pair pair = make_inline_pair();
    char byte;

    send_urgent(pair.a, "!");
    ok(net_readable(pair.b, NET_PATIENCE), "not readable\n");
    ok(readable_bytes(pair.b) == 1, "got %lu\n", readable_bytes(pair.b));
    ok(at_mark(pair.b) == 1, "got FALSE\n");
    ok(recv(pair.b, &byte, 1, 0) == 1 && byte == '!', "error %d\n", WSAGetLastError());
    ok(at_mark(pair.b) == 1, "got FALSE\n");
    close_pair(&pair);
}

/* Bytes that have arrived out of line become part of the stream when the option is set, and
 * SIOCATMARK tells of them until they are read (Wine's test_fionread_siocatmark). */
static void test_inline_later(void)
{
    struct pair pair = make_pair();
    int on = 1;
    char byte = 0;

    send_urgent(pair.a, "!");
    wait_urgent(pair.b);
    ok_success(setsockopt(pair.b, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on)));
    ok(readable_bytes(pair.b) == 1, "got %lu\n", readable_bytes(pair.b));
    todo_wine ok(at_mark(pair.b) == 0, "got TRUE\n");
    ok(net_readable(pair.b, 0), "not readable\n");
    ok(recv(pair.b, &byte, 1, 0) == 1 && byte == '!', "error %d\n", WSAGetLastError());
    ok(at_mark(pair.b) == 1, "got FALSE\n");
    ok(readable_bytes(pair.b) == 0, "got %lu\n", readable_bytes(pair.b));
    close_pair(&pair);
}

/* The same when a receive waits: it gets them at once. */
static void test_inline_completes(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED ov;
    int on = 1;
    char buffer[16];
    WSABUF of_normal = {sizeof(buffer), buffer};
    DWORD error = post(pair.b, &of_normal, 0, &ov);

    ok(error == WSA_IO_PENDING, "error %lu\n", error);
    if (!on_builtin()) {
        send_urgent(pair.a, "!");
        wait_urgent(pair.b);
        ok_success(setsockopt(pair.b, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on)));
        ok(ended(&ov, NET_PATIENCE), "the receive still waits\n");
        ok(buffer[0] == '!', "got %c\n", buffer[0]);
    }
    close_pair(&pair);
}

/* A byte that was read out of line does not come once more in line. */
static void test_inline_not_twice(void)
{
    struct pair pair = make_pair();
    int on = 1;
    char byte = 0;

    net_nonblocking(pair.b, 1);
    send_urgent(pair.a, "!");
    wait_urgent(pair.b);
    ok(receive_urgent(pair.b) == '!', "wrong byte\n");
    ok_success(setsockopt(pair.b, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on)));
    todo_wine ok_error(recv(pair.b, &byte, 1, 0), WSAEWOULDBLOCK);
    close_pair(&pair);
}

/* ---- results ---- */

/* WSARecv's page: "the flag bits indicated by the lpFlags parameter are also updated": MSG_OOB
 * where what was received is urgent. */
static void test_flags_at_once(void)
{
    struct pair pair = make_pair();
    DWORD bytes = 0, flags = MSG_OOB;
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};

    send_urgent(pair.a, "!");
    wait_urgent(pair.b);
    ok_success(WSARecv(pair.b, &buf, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 1 && flags == MSG_OOB, "got %lu bytes, flags %lx\n", bytes, flags);
    net_send_all(pair.a, "data", 4);
    flags = 0;
    ok_success(WSARecv(pair.b, &buf, 1, &bytes, &flags, NULL, NULL));
    ok(bytes == 4 && !flags, "got %lu bytes, flags %lx\n", bytes, flags);
    close_pair(&pair);
}

/* "Flag values are obtained by examining the lpdwFlags parameter of WSAGetOverlappedResult." */
static void test_flags_later(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED ov;
    DWORD bytes = 0, flags = 77, error;
    char byte = 0;
    WSABUF buf = {1, &byte};

    error = post(pair.b, &buf, MSG_OOB, &ov);
    ok(error == WSA_IO_PENDING, "error %lu\n", error);
    send_urgent(pair.a, "!");
    ok(ended(&ov, NET_PATIENCE), "it has not ended\n");
    ok(WSAGetOverlappedResult(pair.b, &ov, &bytes, FALSE, &flags), "error %d\n", WSAGetLastError());
    ok(bytes == 1, "got %lu bytes\n", bytes);
    todo_wine ok(flags == MSG_OOB, "got flags %lx\n", flags);
    close_pair(&pair);
}

static DWORD routine_error, routine_bytes, routine_flags, routine_calls;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)ov;
    routine_error = error;
    routine_bytes = bytes;
    routine_flags = flags;
    routine_calls++;
}

/* "The dwFlags parameter contains information that would have appeared in lpFlags if the receive
 * operation had completed immediately." */
static void test_flags_of_the_routine(void)
{
    struct pair pair = make_pair();
    WSAOVERLAPPED ov = {0};
    DWORD flags = MSG_OOB;
    char byte = 0;
    WSABUF buf = {1, &byte};

    routine_calls = 0;
    ok_error(WSARecv(pair.b, &buf, 1, NULL, &flags, &ov, routine), WSA_IO_PENDING);
    ok(flags == MSG_OOB, "lpFlags was updated: %lx\n", flags);
    send_urgent(pair.a, "!");
    while (!routine_calls && SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION)
        ;
    ok(routine_calls == 1 && !routine_error && routine_bytes == 1, "%lu calls, error %lu\n",
       routine_calls, routine_error);
    todo_wine ok(routine_flags == MSG_OOB, "got %lx\n", routine_flags);
    close_pair(&pair);
}

/* "lpdwFlags ... will contain the results value for lpFlags" (WSAGetOverlappedResult's page), of a
 * receive that a port has told of as well. */
static void test_port(void)
{
    struct pair pair = make_pair();
    HANDLE port = CreateIoCompletionPort((HANDLE)pair.b, NULL, 5, 0);
    WSAOVERLAPPED ov = {0};
    OVERLAPPED *got = NULL;
    DWORD flags = MSG_OOB, bytes = 0;
    ULONG_PTR key = 0;
    char byte = 0;
    WSABUF buf = {1, &byte};

    send_urgent(pair.a, "!");
    wait_urgent(pair.b);
    ok_success(WSARecv(pair.b, &buf, 1, &bytes, &flags, &ov, NULL));
    ok(bytes == 1 && flags == MSG_OOB, "got %lu bytes, flags %lx\n", bytes, flags);
    ok(GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE), "error %lu\n",
       GetLastError());
    ok(bytes == 1 && key == 5 && got == (OVERLAPPED *)&ov, "got %lu bytes\n", bytes);
    todo_wine ok((DWORD)ov.Internal == 0x40000010, "status %lx\n", (DWORD)ov.Internal);
    flags = 77;
    ok(WSAGetOverlappedResult(pair.b, &ov, &bytes, FALSE, &flags) && bytes == 1, "error %d\n",
       WSAGetLastError());
    todo_wine ok(flags == MSG_OOB, "got flags %lx\n", flags);
    close_pair(&pair);
    CloseHandle(port);
}

/* WSARecv's page, WSAEOPNOTSUPP: "MSG_OOB was specified, but the socket is not stream-style". */
static void test_datagrams(void)
{
    struct sockaddr_storage address[2];
    int length;
    SOCKET s[2];
    char byte;

    net_udp_pair(AF_INET, s, address, &length);
    net_nonblocking(s[0], 1);
    todo_wine ok_error(recv(s[0], &byte, 1, MSG_OOB), WSAEOPNOTSUPP);
    ok_error(sendto(s[0], "x", 1, MSG_OOB, (struct sockaddr *)&address[1], length), WSAEOPNOTSUPP);
    closesocket(s[0]);
    closesocket(s[1]);
}

START_TEST(oob)
{
    net_start();
    RUN(test_not_in_the_stream);
    RUN(test_jumps_the_queue);
    RUN(test_stays_after_the_stream);
    RUN(test_peek);
    RUN(test_atmark);
    RUN(test_several);
    RUN(test_several_at_once);
    RUN(test_last_byte_of_a_send);
    RUN(test_last_byte_of_a_large_send);
    RUN(test_does_not_span_the_position);
    RUN(test_select);
    RUN(test_select_after_recv);
    RUN(test_poll);
    RUN(test_event);
    RUN(test_event_while_some_remains);
    RUN(test_nonblocking);
    RUN(test_blocking);
    RUN(test_timeout);
    RUN(test_independent_receives);
    RUN(test_order_of_receives);
    RUN(test_cancel);
    RUN(test_graceful_close);
    RUN(test_abortive_close);
    RUN(test_inline_readiness);
    RUN(test_inline_refuses_oob);
    RUN(test_inline_order);
    RUN(test_inline_never_lost);
    RUN(test_inline_atmark);
    RUN(test_inline_later);
    RUN(test_inline_completes);
    RUN(test_inline_not_twice);
    RUN(test_flags_at_once);
    RUN(test_flags_later);
    RUN(test_flags_of_the_routine);
    RUN(test_port);
    RUN(test_datagrams);
    WSACleanup();
}
