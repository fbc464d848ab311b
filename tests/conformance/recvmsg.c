/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSARecvMsg.
 * Sources: its page (LPFN_WSARECVMSG), which is quoted; Wine's test_ip_pktinfo, run on Windows.
 */
#include "net.h"

static LPFN_WSARECVMSG receive_message;

static LPFN_WSARECVMSG find_function(SOCKET s)
{
    GUID guid = WSAID_WSARECVMSG;
    LPFN_WSARECVMSG function = NULL;
    DWORD bytes = 0;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &function,
                        sizeof(function), &bytes, NULL, NULL));
    ok(function && bytes == sizeof(function), "got %p, %lu bytes\n", function, bytes);
    return function;
}

struct message {
    SOCKET a, b; /* a sends to b */
    struct sockaddr_storage address[2], name;
    int length;
    char data[8];
    WSABUF buffer;
    WSAMSG msg;
};

static struct message *message_new(void)
{
    struct message *m = calloc(1, sizeof(*m));
    SOCKET s[2];

    net_udp_pair(AF_INET, s, m->address, &m->length);
    m->a = s[0];
    m->b = s[1];
    m->buffer.buf = m->data;
    m->buffer.len = sizeof(m->data);
    m->msg.name = (struct sockaddr *)&m->name;
    m->msg.namelen = sizeof(m->name);
    m->msg.lpBuffers = &m->buffer;
    m->msg.dwBufferCount = 1;
    return m;
}

static void message_free(struct message *m)
{
    closesocket(m->a);
    closesocket(m->b);
    free(m);
}

static void message_send(struct message *m, const char *text)
{
    int size = (int)strlen(text);

    ok(sendto(m->a, text, size, 0, (struct sockaddr *)&m->address[1], m->length) == size,
       "error %d\n", WSAGetLastError());
    ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
}

static void check_name(const struct message *m)
{
    ok(m->msg.namelen == m->length && !memcmp(&m->name, &m->address[0], m->length),
       "wrong sender, length %d\n", m->msg.namelen);
}

/* "The function pointer for the WSARecvMsg function must be obtained at run time". */
static void test_function(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    receive_message = find_function(s);
    closesocket(s);
}

/* "can be used in place of the WSARecv and WSARecvFrom functions to receive data and optional
 * control information" */
static void test_receive(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;

    message_send(m, "data");
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    ok(bytes == 4 && !memcmp(m->data, "data", 4), "got %lu bytes\n", bytes);
    ok(!m->msg.dwFlags && !m->msg.Control.len, "flags %lx\n", m->msg.dwFlags);
    check_name(m);
    message_free(m);
}

/* "If the message is larger than the buffers, the buffers are filled with the first part of the
 * message and the excess data is lost, and WSARecvMsg generates the error WSAEMSGSIZE." */
static void test_too_long(void)
{
    struct message *m = message_new();
    DWORD bytes = 77;

    message_send(m, "much too long");
    message_send(m, "next");
    ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEMSGSIZE);
    ok(!memcmp(m->data, "much too", 8), "wrong bytes\n");
    todo_wine ok(bytes == 8, "got %lu bytes\n", bytes);
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    ok(bytes == 4 && !memcmp(m->data, "next", 4), "got %lu bytes\n", bytes);
    message_free(m);
}

/* "MSG_TRUNC: The datagram was truncated. More data was present than the process allocated room
 * for." */
static void test_trunc_flag(void)
{
    struct message *m = message_new();
    DWORD bytes = 77;

    message_send(m, "much too long");
    ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEMSGSIZE);
    todo_wine ok(m->msg.dwFlags == MSG_TRUNC, "got flags %lx\n", m->msg.dwFlags);
    message_free(m);
}

/* "MSG_PEEK: Peek at the incoming data. The data is copied into the buffer, but is not removed from
 * the input queue." */
static void test_peek(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;

    message_send(m, "data");
    m->msg.dwFlags = MSG_PEEK;
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    ok(bytes == 4, "got %lu bytes\n", bytes);
    m->msg.dwFlags = 0;
    memset(m->data, 0, sizeof(m->data));
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    ok(bytes == 4 && !memcmp(m->data, "data", 4), "got %lu bytes\n", bytes);
    message_free(m);
}

/* "The only possible input value for the dwFlags member ... is MSG_PEEK." */
static void test_other_flags(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;

    message_send(m, "data");
    m->msg.dwFlags = 0x40000000;
    if (!on_builtin())
        ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEOPNOTSUPP);
    message_free(m);
}

/* "WSAEOPNOTSUPP: ... if the dwFlags member ... includes the MSG_PEEK control flag on a
 * non-datagram socket." */
static void test_peek_stream(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "data", 4);
    ok(net_arrived(b, 4) == 4, "no data\n");
    m->msg.dwFlags = MSG_PEEK;
    todo_wine ok_error(receive_message(b, &m->msg, &bytes, NULL, NULL), WSAEOPNOTSUPP);
    closesocket(a);
    closesocket(b);
    message_free(m);
}

/* "The WSARecvMsg function can only be used with datagrams and raw sockets." */
static void test_stream(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "data", 4);
    ok(net_arrived(b, 4) == 4, "no data\n");
    todo_wine ok(receive_message(b, &m->msg, &bytes, NULL, NULL) == SOCKET_ERROR, "succeeded\n");
    closesocket(a);
    closesocket(b);
    message_free(m);
}

/* "WSAEINVAL: The socket has not been bound (with bind, for example)." */
static void test_unbound(void)
{
    struct message *m = message_new();
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD bytes = 0;

    net_nonblocking(s, 1);
    todo_wine ok_error(receive_message(s, &m->msg, &bytes, NULL, NULL), WSAEINVAL);
    closesocket(s);
    message_free(m);
}

/* "WSAEFAULT: ... if a name member ... was a NULL pointer and the namelen member ... was not set to
 * zero." */
static void test_no_name(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;

    message_send(m, "data");
    m->msg.name = NULL;
    if (!on_builtin())
        ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEFAULT);
    m->msg.namelen = 0;
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    ok(bytes == 4, "got %lu bytes\n", bytes);
    message_free(m);
}

/* "... if a Control.buf member ... was a NULL pointer and the Control.len member ... was not set to
 * zero." */
static void test_no_control(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;

    message_send(m, "data");
    m->msg.Control.len = 8;
    if (!on_builtin())
        ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEFAULT);
    m->msg.Control.len = 0;
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
    message_free(m);
}

/* "lpMsg ... is not totally contained in a valid part of the user address space" */
static void test_no_message(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;

    ok_error(receive_message(m->b, NULL, NULL, NULL, NULL), WSAEFAULT);
    ok_error(receive_message(m->b, NULL, &bytes, NULL, NULL), WSAEFAULT);
    ok_error(receive_message(INVALID_SOCKET, &m->msg, &bytes, NULL, NULL), WSAENOTSOCK);
    message_free(m);
}

/* "WSAEWOULDBLOCK: ... The socket is marked as nonblocking and the receive operation cannot be
 * completed immediately." */
static void test_nonblocking(void)
{
    struct message *m = message_new();
    DWORD bytes = 0;

    net_nonblocking(m->b, 1);
    ok_error(receive_message(m->b, &m->msg, &bytes, NULL, NULL), WSAEWOULDBLOCK);
    message_free(m);
}

/* "For overlapped sockets, WSARecvMsg is used to post one or more buffers into which incoming data
 * will be placed as it becomes available"; "capture this WSABUF structure before returning". */
static void test_overlapped(void)
{
    struct message *m = message_new();
    WSAOVERLAPPED ov = {.hEvent = WSACreateEvent()};
    DWORD bytes = 0, flags = 0;

    ok_error(receive_message(m->b, &m->msg, NULL, &ov, NULL), WSA_IO_PENDING);
    memset(&m->buffer, 0xcc, sizeof(m->buffer));
    ok(sendto(m->a, "later", 5, 0, (struct sockaddr *)&m->address[1], m->length) == 5, "error %d\n",
       WSAGetLastError());
    ok(WSAWaitForMultipleEvents(1, &ov.hEvent, TRUE, NET_PATIENCE, FALSE) == WSA_WAIT_EVENT_0,
       "no completion\n");
    ok(WSAGetOverlappedResult(m->b, &ov, &bytes, FALSE, &flags), "error %d\n", WSAGetLastError());
    ok(bytes == 5 && !memcmp(m->data, "later", 5), "got %lu bytes\n", bytes);
    check_name(m);
    message_free(m);
    WSACloseEvent(ov.hEvent);
}

static DWORD routine_calls, routine_error, routine_bytes, routine_flags;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)ov;
    routine_calls++;
    routine_error = error;
    routine_bytes = bytes;
    routine_flags = flags;
}

/* A message that is cut off when it is there already: WSA_IO_PENDING, and the routine is told
 * (test_ip_pktinfo). */
static void test_routine(void)
{
    struct message *m = message_new();
    WSAOVERLAPPED ov = {0};

    routine_calls = 0;
    message_send(m, "much too long");
    todo_wine ok_error(receive_message(m->b, &m->msg, NULL, &ov, routine), WSA_IO_PENDING);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no routine ran\n");
    ok(routine_calls == 1 && routine_error == WSAEMSGSIZE && routine_bytes == 8 && !routine_flags,
       "%lu calls, error %lu, %lu bytes, flags %lx\n", routine_calls, routine_error, routine_bytes,
       routine_flags);
    todo_wine ok(m->msg.dwFlags == MSG_TRUNC, "got flags %lx\n", m->msg.dwFlags);
    message_free(m);
}

/* "If you are using I/O completion ports, be aware that the order of calls made to WSARecvMsg is
 * also the order in which the buffers are populated." */
static void test_port(void)
{
    struct message *m = message_new();
    HANDLE port = CreateIoCompletionPort((HANDLE)m->b, NULL, 1, 0);
    char data[3][8] = {{0}};
    WSABUF buffers[3];
    WSAMSG msgs[3] = {{0}};
    WSAOVERLAPPED ov[3] = {{0}};
    OVERLAPPED *got;
    ULONG_PTR key;
    DWORD bytes;
    int i;

    for (i = 0; i < 3; i++) {
        buffers[i].buf = data[i];
        buffers[i].len = sizeof(data[i]);
        msgs[i].lpBuffers = &buffers[i];
        msgs[i].dwBufferCount = 1;
        ok_error(receive_message(m->b, &msgs[i], NULL, &ov[i], NULL), WSA_IO_PENDING);
    }
    for (i = 0; i < 3; i++) {
        char byte = (char)('a' + i);

        ok(sendto(m->a, &byte, 1, 0, (struct sockaddr *)&m->address[1], m->length) == 1,
           "error %d\n", WSAGetLastError());
        got = NULL;
        ok(GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE), "error %lu\n",
           GetLastError());
        ok(got == (OVERLAPPED *)&ov[i] && bytes == 1 && data[i][0] == byte, "got %p\n", got);
    }
    message_free(m);
    CloseHandle(port);
}

START_TEST(recvmsg)
{
    net_start();
    RUN(test_function);
    if (receive_message) {
        RUN(test_receive);
        RUN(test_too_long);
        RUN(test_trunc_flag);
        RUN(test_peek);
        RUN(test_other_flags);
        RUN(test_peek_stream);
        RUN(test_stream);
        RUN(test_unbound);
        RUN(test_no_name);
        RUN(test_no_control);
        RUN(test_no_message);
        RUN(test_nonblocking);
        RUN(test_overlapped);
        RUN(test_routine);
        RUN(test_port);
    }
    WSACleanup();
}
