/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The page of WSARecv: parameters, how a socket becomes bound, what unblocks a call, what ends it.
 * One function a sentence, which stands before it; docs/wsarecv.md lists all of them, those of
 * other files too.
 */
#include "net.h"

struct delayed {
    SOCKET s;
    const char *data;
    int size;
    DWORD delay;
};

static DWORD WINAPI send_delayed(void *arg)
{
    const struct delayed *delayed = arg;

    Sleep(delayed->delay);
    net_send_all(delayed->s, delayed->data, delayed->size);
    return 0;
}

/* One synchronous WSARecv into one buffer; returns the error, 0 is success. */
static int receive(SOCKET s, char *buffer, ULONG size, DWORD *bytes)
{
    WSABUF buf = {size, buffer};
    DWORD flags = 0;

    *bytes = 0xdead;
    return WSARecv(s, &buf, 1, bytes, &flags, NULL, NULL) ? WSAGetLastError() : 0;
}

/* ---- parameters ---- */

/* dwBufferCount: "The number of WSABUF structures in the lpBuffers array." */
static void test_buffer_count(void)
{
    char store[8] = "........";
    WSABUF buffers[3] = {{2, store}, {2, store + 2}, {2, store + 4}};
    DWORD bytes, flags = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "012345", 6);
    net_arrived(b, 6);
    ok_success(WSARecv(b, buffers, 2, &bytes, &flags, NULL, NULL));
    ok(bytes == 4 && !memcmp(store, "0123....", 8), "got %lu: %.8s\n", bytes, store);
    closesocket(a);
    closesocket(b);
}

/* lpNumberOfBytesRecvd: "A pointer to the number, in bytes, of data received by this call if the
 * receive operation completes immediately." */
static void test_count_of_this_call(void)
{
    char buffer[16];
    DWORD bytes;
    SOCKET a, b;
    int error;

    net_pair(&a, &b);
    net_send_all(a, "0123456", 7);
    net_arrived(b, 7);
    error = receive(b, buffer, 3, &bytes);
    ok(!error && bytes == 3, "error %d, %lu bytes\n", error, bytes);
    error = receive(b, buffer, 16, &bytes);
    ok(!error && bytes == 4, "error %d, %lu bytes\n", error, bytes);
    closesocket(a);
    closesocket(b);
}

static int routine_calls;

static void CALLBACK count_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)error, (void)bytes, (void)ov, (void)flags;
    routine_calls++;
}

/* lpCompletionRoutine: "ignored for nonoverlapped sockets" */
static void test_ignored_routine(void)
{
    struct delayed delayed = {.data = "sync", .size = 4, .delay = 100};
    WSAOVERLAPPED ov = {0};
    DWORD bytes = 0, flags = 0;
    char buffer[16];
    WSABUF buf = {sizeof(buffer), buffer};
    HANDLE thread;
    SOCKET s;

    net_pair_flags(AF_INET, 0, &s, &delayed.s);
    thread = CreateThread(NULL, 0, send_delayed, &delayed, 0, NULL);
    routine_calls = 0;
    ok_success(WSARecv(s, &buf, 1, &bytes, &flags, &ov, count_routine));
    ok(bytes == 4, "got %lu\n", bytes);
    SleepEx(50, TRUE);
    todo_wine ok(!routine_calls, "the routine ran\n");
    net_finish(thread);
    closesocket(s);
    closesocket(delayed.s);
}

/* ---- "The socket's local address must be known." ---- */

/* A datagram reaches the socket: so it is bound and can receive. */
static void check_receives(SOCKET s)
{
    struct sockaddr_in address;
    int length = sizeof(address);
    SOCKET sender = socket(AF_INET, SOCK_DGRAM, 0);
    char buffer[16];
    DWORD bytes;
    int error;

    ok_success(getsockname(s, (struct sockaddr *)&address, &length));
    ok(address.sin_port != 0, "no port\n");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ok(sendto(sender, "here", 4, 0, (struct sockaddr *)&address, sizeof(address)) == 4,
       "sendto error %d\n", WSAGetLastError());
    error = receive(s, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 4 && !memcmp(buffer, "here", 4), "error %d, %lu bytes\n", error, bytes);
    closesocket(sender);
}

/* "this is usually done explicitly through bind" */
static void test_bound_by_bind(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET s = net_bound(AF_INET, SOCK_DGRAM, &address, &length);

    check_receives(s);
    closesocket(s);
}

/* "or implicitly through accept or WSAAccept" */
static void test_bound_by_accept(void)
{
    struct sockaddr_storage address, local;
    int length, local_length, i;

    for (i = 0; i < 2; i++) {
        SOCKET l = net_listener(AF_INET, &address, &length), client, s;
        char buffer[4];
        DWORD bytes;
        int error;

        client = socket(AF_INET, SOCK_STREAM, 0);
        ok_success(connect(client, (struct sockaddr *)&address, length));
        s = i ? WSAAccept(l, NULL, NULL, NULL, 0) : accept(l, NULL, NULL);
        local_length = sizeof(local);
        ok_success(getsockname(s, (struct sockaddr *)&local, &local_length));
        ok(((struct sockaddr_in *)&local)->sin_port == ((struct sockaddr_in *)&address)->sin_port,
           "another port\n");
        net_send_all(client, "data", 4);
        error = receive(s, buffer, sizeof(buffer), &bytes);
        ok(!error && bytes == 4, "error %d, %lu bytes\n", error, bytes);
        closesocket(s);
        closesocket(client);
        closesocket(l);
    }
}

/* "the socket can become bound implicitly to a local address through connect, WSAConnect" */
static void test_bound_by_connect(void)
{
    struct sockaddr_storage address, local;
    int length, local_length, i;

    for (i = 0; i < 2; i++) {
        SOCKET peer = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
        SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
        char buffer[8];
        DWORD bytes;
        int error;

        if (i)
            ok_success(WSAConnect(s, (struct sockaddr *)&address, length, NULL, NULL, NULL, NULL));
        else
            ok_success(connect(s, (struct sockaddr *)&address, length));
        local_length = sizeof(local);
        ok_success(getsockname(s, (struct sockaddr *)&local, &local_length));
        ok(sendto(peer, "data", 4, 0, (struct sockaddr *)&local, local_length) == 4, "error %d\n",
           WSAGetLastError());
        error = receive(s, buffer, sizeof(buffer), &bytes);
        ok(!error && bytes == 4, "error %d, %lu bytes\n", error, bytes);
        closesocket(s);
        closesocket(peer);
    }
}

/* "... sendto, WSASendTo, or WSAJoinLeaf" (that one: joinleaf.c) */
static void test_bound_by_sendto(void)
{
    struct sockaddr_storage address;
    int length, i;

    for (i = 0; i < 2; i++) {
        SOCKET peer = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
        SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
        WSABUF buf = {4, "data"};
        DWORD bytes;

        if (i)
            ok_success(
                WSASendTo(s, &buf, 1, &bytes, 0, (struct sockaddr *)&address, length, NULL, NULL));
        else
            ok(sendto(s, "data", 4, 0, (struct sockaddr *)&address, length) == 4, "error %d\n",
               WSAGetLastError());
        check_receives(s);
        closesocket(s);
        closesocket(peer);
    }
}

/* ---- what unblocks a call, and with how much ---- */

/* "Any data that has already been received and buffered by the transport will be copied into the
 * specified user buffers." */
static void test_buffered_data(void)
{
    char buffer[16];
    DWORD bytes;
    SOCKET a, b;
    int error;

    net_pair(&a, &b);
    net_send_all(a, "one", 3);
    net_send_all(a, "two", 3);
    net_arrived(b, 6);
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 6 && !memcmp(buffer, "onetwo", 6), "error %d, %lu bytes\n", error, bytes);
    closesocket(a);
    closesocket(b);
}

/* "In the case of a blocking socket with no data currently having been received and buffered by the
 * transport, the call will block until data is received." */
static void test_blocks_until_data(void)
{
    struct delayed delayed = {.data = "x", .size = 1, .delay = 300};
    char buffer[16];
    HANDLE thread;
    DWORD bytes, start;
    SOCKET b;
    int error;

    net_pair(&delayed.s, &b);
    start = GetTickCount();
    thread = CreateThread(NULL, 0, send_delayed, &delayed, 0, NULL);
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 1, "error %d, %lu bytes\n", error, bytes);
    ok(GetTickCount() - start >= 280, "came back after %lu ms\n", GetTickCount() - start);
    net_finish(thread);
    closesocket(delayed.s);
    closesocket(b);
}

/* "Windows Sockets 2 does not define any standard blocking time-out mechanism for this function."
 * So SO_RCVTIMEO is 0 to begin with, and 0 waits as long as it takes. */
static void test_no_standard_timeout(void)
{
    struct delayed delayed = {.data = "x", .size = 1, .delay = 1200};
    DWORD timeout = 77, bytes;
    int length = sizeof(timeout), error;
    char buffer[4];
    HANDLE thread;
    SOCKET b;

    net_pair(&delayed.s, &b);
    ok_success(getsockopt(b, SOL_SOCKET, SO_RCVTIMEO, (char *)&timeout, &length));
    ok(!timeout, "got %lu\n", timeout);
    thread = CreateThread(NULL, 0, send_delayed, &delayed, 0, NULL);
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 1, "error %d, %lu bytes\n", error, bytes);
    net_finish(thread);
    closesocket(delayed.s);
    closesocket(b);
}

/* "the stack tries to return as much data as possible subject to the available buffer space and
 * amount of received data available" */
static void test_as_much_as_possible(void)
{
    static char data[20000], buffer[30000];
    DWORD bytes;
    SOCKET a, b;
    int error, i;

    for (i = 0; i < (int)sizeof(data); i++)
        data[i] = (char)(i * 7 + i / 256);
    net_pair(&a, &b);
    net_send_all(a, data, sizeof(data));
    net_arrived(b, sizeof(data));
    error = receive(b, buffer, 15000, &bytes); /* the buffer's space is the limit */
    ok(!error && bytes == 15000 && !memcmp(buffer, data, 15000), "error %d, %lu bytes\n", error,
       bytes);
    error = receive(b, buffer, sizeof(buffer), &bytes); /* what has arrived is */
    ok(!error && bytes == 5000 && !memcmp(buffer, data + 15000, 5000), "error %d, %lu bytes\n",
       error, bytes);
    closesocket(a);
    closesocket(b);
}

/* "However, receipt of a single byte is sufficient to unblock the caller. There is no guarantee
 * that more than a single byte will be returned." */
static void test_single_byte_unblocks(void)
{
    struct delayed delayed = {.data = "1", .size = 1, .delay = 100};
    static char buffer[65536];
    HANDLE thread;
    DWORD bytes;
    SOCKET b;
    int error;

    net_pair(&delayed.s, &b);
    thread = CreateThread(NULL, 0, send_delayed, &delayed, 0, NULL);
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 1 && buffer[0] == '1', "error %d, %lu bytes\n", error, bytes);
    net_finish(thread);
    closesocket(delayed.s);
    closesocket(b);
}

/* "For protocols acting as message-oriented, a full message is required to unblock the caller."
 * This one travels in many fragments. */
static void test_full_message_unblocks(void)
{
    static char data[60000], buffer[65536];
    struct sockaddr_storage address[2];
    struct delayed delayed = {.data = data, .size = sizeof(data), .delay = 100};
    int length, error, i;
    HANDLE thread;
    DWORD bytes;
    SOCKET s[2];

    for (i = 0; i < (int)sizeof(data); i++)
        data[i] = (char)(i * 3 + i / 256);
    net_udp_pair(AF_INET, s, address, &length);
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    delayed.s = s[0];
    thread = CreateThread(NULL, 0, send_delayed, &delayed, 0, NULL);
    error = receive(s[1], buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == sizeof(data) && !memcmp(buffer, data, sizeof(data)),
       "error %d, %lu bytes\n", error, bytes);
    net_finish(thread);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* The table of XP1_MESSAGE_ORIENTED, XP1_PSEUDO_STREAM and MSG_PARTIAL: "not set, *, *: byte
 * stream" (TCP) and "set, not set, not set: message oriented" (UDP) */
static void test_acts_as(void)
{
    struct sockaddr_storage address[2];
    WSAPROTOCOL_INFOW info;
    char buffer[8];
    int size = sizeof(info), length, error;
    DWORD bytes;
    SOCKET a, b, s[2];

    net_pair(&a, &b);
    ok_success(getsockopt(b, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size));
    ok(!(info.dwServiceFlags1 & XP1_MESSAGE_ORIENTED), "flags %lx\n", info.dwServiceFlags1);
    net_send_all(a, "ab", 2);
    net_send_all(a, "cd", 2);
    net_arrived(b, 4);
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 4, "no byte stream: error %d, %lu bytes\n", error, bytes);
    closesocket(a);
    closesocket(b);

    net_udp_pair(AF_INET, s, address, &length);
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    size = sizeof(info);
    ok_success(getsockopt(s[1], SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size));
    ok((info.dwServiceFlags1 & XP1_MESSAGE_ORIENTED) && !(info.dwServiceFlags1 & XP1_PSEUDO_STREAM),
       "flags %lx\n", info.dwServiceFlags1);
    net_send_all(s[0], "ab", 2);
    net_send_all(s[0], "cd", 2);
    error = receive(s[1], buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 2 && !memcmp(buffer, "ab", 2), "error %d, %lu bytes\n", error, bytes);
    error = receive(s[1], buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 2 && !memcmp(buffer, "cd", 2), "error %d, %lu bytes\n", error, bytes);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* ---- what ends a stream's receive ---- */

struct posted {
    WSAOVERLAPPED ov;
    WSABUF buf;
    DWORD flags, bytes;
    char store[16];
};

static void post(SOCKET s, struct posted *posted, ULONG size)
{
    memset(posted, 0, sizeof(*posted));
    posted->ov.hEvent = WSACreateEvent();
    posted->buf.len = size;
    posted->buf.buf = posted->store;
    ok_error(WSARecv(s, &posted->buf, 1, NULL, &posted->flags, &posted->ov, NULL), WSA_IO_PENDING);
}

static void expect(SOCKET s, struct posted *posted, DWORD bytes)
{
    ok(WaitForSingleObject(posted->ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    ok(WSAGetOverlappedResult(s, &posted->ov, &posted->bytes, FALSE, &posted->flags) &&
           posted->bytes == bytes,
       "got %lu bytes, error %d\n", posted->bytes, WSAGetLastError());
    WSACloseEvent(posted->ov.hEvent);
}

/* "incoming data is placed into the buffers until the buffers are filled ..." */
static void test_until_filled(void)
{
    struct posted first, second;
    SOCKET a, b;

    net_pair(&a, &b);
    post(b, &first, 4);
    post(b, &second, 16);
    net_send_all(a, "012345", 6);
    expect(b, &first, 4);
    ok(!memcmp(first.store, "0123\0", 5), "got %.5s\n", first.store);
    expect(b, &second, 2);
    closesocket(a);
    closesocket(b);
}

/* "... the connection is closed ..." */
static void test_until_closed(void)
{
    struct posted posted;
    SOCKET a, b;

    net_pair(&a, &b);
    post(b, &posted, 16);
    closesocket(a);
    expect(b, &posted, 0);
    closesocket(b);
}

/* "... or the internally buffered data is exhausted. Regardless of whether or not the incoming data
 * fills all the buffers, the completion indication occurs for overlapped sockets." */
static void test_until_exhausted(void)
{
    struct posted posted;
    SOCKET a, b;

    net_pair(&a, &b);
    post(b, &posted, 16);
    net_send_all(a, "012", 3);
    expect(b, &posted, 3);
    closesocket(a);
    closesocket(b);
}

/* "For byte streams, zero bytes having been read (as indicated by a zero return value to indicate
 * success, and lpNumberOfBytesRecvd value of zero) indicates graceful closure" */
static void test_graceful_close(void)
{
    char buffer[16];
    DWORD bytes;
    SOCKET a, b;
    int error;

    net_pair(&a, &b);
    net_send_all(a, "last", 4);
    closesocket(a);
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 4, "error %d, %lu bytes\n", error, bytes);
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && !bytes, "error %d, %lu bytes\n", error, bytes);
    closesocket(b);
}

/* "... and that no more bytes will ever be read" */
static void test_nothing_after_close(void)
{
    char buffer[16];
    DWORD bytes;
    SOCKET a, b;
    int error, i;

    net_pair(&a, &b);
    ok_success(shutdown(a, SD_SEND));
    for (i = 0; i < 3; i++) {
        error = receive(b, buffer, sizeof(buffer), &bytes);
        ok(!error && !bytes, "%d: error %d, %lu bytes\n", i, error, bytes);
    }
    /* the other direction goes on, and does not bring the first back */
    net_send_all(b, "reply", 5);
    ok(net_recv_all(a, buffer, 5) == 5, "the other direction ended too\n");
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && !bytes, "error %d, %lu bytes\n", error, bytes);
    closesocket(a);
    closesocket(b);
}

/* "For message-oriented sockets, where a zero byte message is often allowable" */
static void test_zero_byte_message(void)
{
    struct sockaddr_storage address[2];
    char buffer[16];
    int length, error;
    DWORD bytes;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    ok(!sendto(s[0], "", 0, 0, (struct sockaddr *)&address[1], length), "error %d\n",
       WSAGetLastError());
    ok(sendto(s[0], "next", 4, 0, (struct sockaddr *)&address[1], length) == 4, "error %d\n",
       WSAGetLastError());
    error = receive(s[1], buffer, sizeof(buffer), &bytes);
    ok(!error && !bytes, "error %d, %lu bytes\n", error, bytes);
    error = receive(s[1], buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 4, "error %d, %lu bytes\n", error, bytes);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* "In any case a return error code of WSAECONNRESET indicates an abortive close has occurred." */
static void test_abortive_close(void)
{
    char buffer[16];
    DWORD bytes;
    SOCKET a, b;
    int error;

    net_pair(&a, &b);
    net_reset(a);
    ok(net_readable(b, NET_PATIENCE), "not readable\n");
    error = receive(b, buffer, sizeof(buffer), &bytes);
    todo_wine ok(error == WSAECONNRESET, "error %d, %lu bytes\n", error, bytes);
    closesocket(b);
}

/* "the semantics of this function are determined by the socket options and the lpFlags parameter":
 * SO_OOBINLINE decides whether urgent data is in line. */
static void test_options_decide_too(void)
{
    int on = 1;
    char buffer[16];
    DWORD bytes;
    SOCKET a, b;
    int error;

    net_pair(&a, &b);
    ok_success(setsockopt(b, SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof(on)));
    ok(send(a, "u", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
    error = receive(b, buffer, sizeof(buffer), &bytes);
    ok(!error && bytes == 1 && buffer[0] == 'u', "error %d, %lu bytes\n", error, bytes);
    closesocket(a);
    closesocket(b);
}

START_TEST(wsarecv_page)
{
    net_start();
    RUN(test_buffer_count);
    RUN(test_count_of_this_call);
    RUN(test_ignored_routine);
    RUN(test_bound_by_bind);
    RUN(test_bound_by_accept);
    RUN(test_bound_by_connect);
    RUN(test_bound_by_sendto);
    RUN(test_buffered_data);
    RUN(test_blocks_until_data);
    RUN(test_no_standard_timeout);
    RUN(test_as_much_as_possible);
    RUN(test_single_byte_unblocks);
    RUN(test_full_message_unblocks);
    RUN(test_acts_as);
    RUN(test_until_filled);
    RUN(test_until_closed);
    RUN(test_until_exhausted);
    RUN(test_graceful_close);
    RUN(test_nothing_after_close);
    RUN(test_zero_byte_message);
    RUN(test_abortive_close);
    RUN(test_options_decide_too);
    WSACleanup();
}
