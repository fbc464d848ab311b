/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAsyncGetHostByName, ...ByAddr, WSAAsyncGetServBy..., WSAAsyncGetProtoBy...,
 * WSACancelAsyncRequest.  Sources: their pages; "recorded" = what Wine's tests found on Windows.
 */
#include "window.h"

static HWND window;
static union {
    char bytes[MAXGETHOSTSTRUCT];
    struct hostent host;
    struct servent service;
    struct protoent protocol;
} buffer;

/* The message of that request; its error, and the low word in *size. */
static int answer_of(HANDLE task, int *size)
{
    MSG message;

    ok(task != NULL, "error %d\n", WSAGetLastError());
    *size = -1;
    if (!window_message(window, WINDOW_MESSAGE, 30000, &message)) {
        ok(0, "no message\n");
        return -1;
    }
    /* "wParam contains the asynchronous task handle as returned by the original function call" */
    ok(message.wParam == (WPARAM)task, "of another task\n");
    *size = WSAGETASYNCBUFLEN(message.lParam);
    return WSAGETASYNCERROR(message.lParam);
}

static void ok_answer(HANDLE task)
{
    int size, error = answer_of(task, &size);

    ok(!error, "got error %d\n", error);
}

static void ok_answer_error(HANDLE task, int expected)
{
    int size, error = answer_of(task, &size);

    ok(error == expected, "got error %d, expected %d\n", error, expected);
}

static BOOL is_inside(const void *pointer)
{
    return (const char *)pointer > buffer.bytes &&
           (const char *)pointer < buffer.bytes + sizeof(buffer);
}

/* "the buffer supplied to the original function call contains a hostent structure" */
static void test_host_by_name(void)
{
    memset(&buffer, 0xcc, sizeof(buffer));
    ok_answer(
        WSAAsyncGetHostByName(window, WINDOW_MESSAGE, "127.0.0.1", buffer.bytes, sizeof(buffer)));
    ok(buffer.host.h_addrtype == AF_INET && buffer.host.h_length == 4, "type %d, length %d\n",
       buffer.host.h_addrtype, buffer.host.h_length);
    ok(is_inside(buffer.host.h_name) && is_inside(buffer.host.h_addr_list) &&
           is_inside(buffer.host.h_aliases),
       "not in the buffer\n");
    ok(buffer.host.h_addr_list[0] && is_inside(buffer.host.h_addr_list[0]), "no address\n");
    ok(*(u_long *)buffer.host.h_addr_list[0] == htonl(INADDR_LOOPBACK), "another address\n");
    ok(!strcmp(buffer.host.h_name, "127.0.0.1"), "name %s\n", buffer.host.h_name);
}

/* "the hostent structure ... is returned ... for the network address" */
static void test_host_by_address(void)
{
    u_long loopback = htonl(INADDR_LOOPBACK);

    memset(&buffer, 0xcc, sizeof(buffer));
    ok_answer(WSAAsyncGetHostByAddr(window, WINDOW_MESSAGE, (char *)&loopback, 4, AF_INET,
                                    buffer.bytes, sizeof(buffer)));
    ok(is_inside(buffer.host.h_name) && buffer.host.h_name[0], "no name\n");
    ok(*(u_long *)buffer.host.h_addr_list[0] == loopback && !buffer.host.h_addr_list[1],
       "other addresses\n");
}

/* "The high 16 bits of lParam contain any error code": that of gethostbyname. */
static void test_error(void)
{
    int size,
        error = answer_of(WSAAsyncGetHostByName(window, WINDOW_MESSAGE, "no-such-host.invalid",
                                                buffer.bytes, sizeof(buffer)),
                          &size);

    ok(error == WSAHOST_NOT_FOUND || error == WSATRY_AGAIN, "got error %d\n", error);
}

/* "An optional pointer to a protocol name.  If this pointer is NULL, WSAAsyncGetServByName will
 * search for the first service entry for which s_name or one of the s_aliases matches" */
static void test_service_by_name(void)
{
    memset(&buffer, 0xcc, sizeof(buffer));
    ok_answer(
        WSAAsyncGetServByName(window, WINDOW_MESSAGE, "http", NULL, buffer.bytes, sizeof(buffer)));
    ok(!strcmp(buffer.service.s_name, "http") && buffer.service.s_port == htons(80),
       "%s, port %d\n", buffer.service.s_name, ntohs(buffer.service.s_port));
    ok(is_inside(buffer.service.s_name) && is_inside(buffer.service.s_proto) &&
           is_inside(buffer.service.s_aliases),
       "not in the buffer\n");
    ok_answer_error(WSAAsyncGetServByName(window, WINDOW_MESSAGE, "no-such-service", "tcp",
                                          buffer.bytes, sizeof(buffer)),
                    WSANO_DATA);
}

/* "Port for the service, in network byte order." */
static void test_service_by_port(void)
{
    memset(&buffer, 0xcc, sizeof(buffer));
    ok_answer(WSAAsyncGetServByPort(window, WINDOW_MESSAGE, htons(80), "tcp", buffer.bytes,
                                    sizeof(buffer)));
    ok(!strcmp(buffer.service.s_name, "http") && !strcmp(buffer.service.s_proto, "tcp"), "%s/%s\n",
       buffer.service.s_name, buffer.service.s_proto);
}

/* "Pointer to the null-terminated protocol name to be resolved." */
static void test_protocol_by_name(void)
{
    memset(&buffer, 0xcc, sizeof(buffer));
    ok_answer(WSAAsyncGetProtoByName(window, WINDOW_MESSAGE, "udp", buffer.bytes, sizeof(buffer)));
    ok(buffer.protocol.p_proto == IPPROTO_UDP && !strcmp(buffer.protocol.p_name, "udp"), "%s, %d\n",
       buffer.protocol.p_name, buffer.protocol.p_proto);
    ok(is_inside(buffer.protocol.p_name) && is_inside(buffer.protocol.p_aliases) &&
           buffer.protocol.p_aliases[0] && is_inside(buffer.protocol.p_aliases[0]),
       "not in the buffer\n");
}

/* "Protocol number to be resolved, in host byte order." */
static void test_protocol_by_number(void)
{
    memset(&buffer, 0xcc, sizeof(buffer));
    ok_answer(WSAAsyncGetProtoByNumber(window, WINDOW_MESSAGE, IPPROTO_TCP, buffer.bytes,
                                       sizeof(buffer)));
    ok(!strcmp(buffer.protocol.p_name, "tcp"), "%s\n", buffer.protocol.p_name);
    ok_answer_error(
        WSAAsyncGetProtoByNumber(window, WINDOW_MESSAGE, 251, buffer.bytes, sizeof(buffer)),
        WSANO_DATA);
}

/* "If the error code is WSAENOBUFS, ... the low 16 bits of lParam contain the size of buffer
 * required to supply all the requisite information." */
static void test_small_buffer(void)
{
    int needed, size, error;

    error = answer_of(
        WSAAsyncGetServByPort(window, WINDOW_MESSAGE, htons(80), "tcp", buffer.bytes, 1), &needed);
    ok(error == WSAENOBUFS, "got error %d\n", error);
    ok(needed > (int)sizeof(struct servent) && needed <= MAXGETHOSTSTRUCT, "needs %d\n", needed);
    error = answer_of(
        WSAAsyncGetServByPort(window, WINDOW_MESSAGE, htons(80), "tcp", buffer.bytes, needed - 1),
        &size);
    ok(error == WSAENOBUFS && size == needed, "got error %d, %d\n", error, size);
    error = answer_of(
        WSAAsyncGetServByPort(window, WINDOW_MESSAGE, htons(80), "tcp", buffer.bytes, needed),
        &size);
    ok(!error, "got error %d\n", error);
}

/* "Parameters are not checked when initiating the asynchronous operation" (recorded). */
static void test_unchecked(void)
{
    ok(WSAAsyncGetServByPort(NULL, 0, 0, NULL, NULL, 0) != NULL, "refused\n");
    ok_answer_error(WSAAsyncGetServByPort(window, WINDOW_MESSAGE, htons(80), NULL, NULL, 0),
                    WSAENOBUFS);
    ok_answer_error(WSAAsyncGetServByName(window, WINDOW_MESSAGE, "http", "tcp", NULL, 0),
                    WSAENOBUFS);
}

/* "An asynchronous request ... canceled by WSACancelAsyncRequest": no message of it comes. */
static void test_cancel(void)
{
    HANDLE task;
    MSG message;
    int i, result;

    if (on_builtin()) {
        skip("the built-in cannot cancel\n");
        return;
    }
    for (i = 0; i < 8; i++) {
        task = WSAAsyncGetHostByName(window, WINDOW_MESSAGE, "no-such-host.invalid", buffer.bytes,
                                     sizeof(buffer));
        ok(task != NULL, "error %d\n", WSAGetLastError());
        WSASetLastError(0);
        result = WSACancelAsyncRequest(task);
        if (result)
            ok(WSAGetLastError() == WSAEALREADY, "error %d\n", WSAGetLastError());
        ok(window_message(window, WINDOW_MESSAGE, result ? NET_PATIENCE : WINDOW_QUIET, &message) ==
               (result != 0),
           "cancel gave %d\n", result);
    }
}

/* "WSAEALREADY: The asynchronous routine being canceled has already completed." */
static void test_cancel_late(void)
{
    HANDLE task = WSAAsyncGetServByPort(window, WINDOW_MESSAGE, htons(80), NULL, buffer.bytes,
                                        sizeof(buffer));

    ok_answer(task);
    todo_wine ok_error(WSACancelAsyncRequest(task), WSAEALREADY);
}

/* "WSAEINVAL: Indicates that the specified asynchronous task handle was invalid." */
static void test_cancel_invalid(void)
{
    todo_wine
    {
        ok_error(WSACancelAsyncRequest((HANDLE)(ULONG_PTR)0xdeadbee0), WSAEINVAL);
        ok_error(WSACancelAsyncRequest(NULL), WSAEINVAL);
    }
}

/* WSACleanup: "Any pending blocking or asynchronous Windows Sockets calls ... are canceled without
 * posting any notification messages". */
static void test_cleanup(void)
{
    MSG message;
    BOOL came;

    ok(WSAAsyncGetHostByName(window, WINDOW_MESSAGE, "no-such-host.invalid", buffer.bytes,
                             sizeof(buffer)) != NULL,
       "error %d\n", WSAGetLastError());
    WSACleanup();
    todo_wine ok_error(WSACancelAsyncRequest(NULL), WSANOTINITIALISED);
    came = window_message(window, WINDOW_MESSAGE, 10 * WINDOW_QUIET, &message);
    todo_wine_if(came) ok(!came, "a message came\n");
}

START_TEST(async_names)
{
    net_start();
    window = window_make();
    RUN(test_host_by_name);
    RUN(test_host_by_address);
    RUN(test_error);
    RUN(test_service_by_name);
    RUN(test_service_by_port);
    RUN(test_protocol_by_name);
    RUN(test_protocol_by_number);
    RUN(test_small_buffer);
    RUN(test_unchecked);
    RUN(test_cancel);
    RUN(test_cancel_late);
    RUN(test_cancel_invalid);
    RUN(test_cleanup);
    DestroyWindow(window);
}
