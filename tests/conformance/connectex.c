/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ConnectEx and DisconnectEx.
 * Sources: their pages, that of setsockopt (SO_UPDATE_CONNECT_CONTEXT).
 */
#include "net.h"

static LPFN_CONNECTEX connect_ex;
static LPFN_DISCONNECTEX disconnect_ex;

static void load(void)
{
    GUID connect_guid = WSAID_CONNECTEX, disconnect_guid = WSAID_DISCONNECTEX;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD bytes;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &connect_guid, sizeof(GUID),
                        &connect_ex, sizeof(connect_ex), &bytes, NULL, NULL));
    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &disconnect_guid, sizeof(GUID),
                        &disconnect_ex, sizeof(disconnect_ex), &bytes, NULL, NULL));
    closesocket(s);
}

/* ConnectEx: s must be "an unconnected, previously bound socket" */
static SOCKET bound(int family)
{
    struct sockaddr_storage any = {0};
    SOCKET s = socket(family, SOCK_STREAM, 0);

    any.ss_family = family;
    ok_success(bind(s, (struct sockaddr *)&any,
                    family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)));
    return s;
}

static void test_event(int family)
{
    struct sockaddr_storage address, peer;
    int length, size;
    SOCKET l = net_listener(family, &address, &length), s = bound(family), accepted;
    OVERLAPPED ov = {0};
    DWORD bytes = 77, flags;
    char buffer[16];
    BOOL result;

    winetest_push_context("family %d", family);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    WSASetLastError(0);
    result = connect_ex(s, (struct sockaddr *)&address, length, NULL, 0, NULL, &ov);
    ok(result || WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    ok(WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags), "error %d\n", WSAGetLastError());
    ok(bytes == 0, "got %lu\n", bytes);
    accepted = accept(l, NULL, NULL);
    ok(accepted != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    /* "the socket s is in the default state for a connected socket"; only send and receive, until
     * SO_UPDATE_CONNECT_CONTEXT: then getpeername and shutdown as well */
    net_send_all(s, "abc", 3);
    ok(net_recv_all(accepted, buffer, 3) == 3, "not received\n");
    ok_success(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0));
    size = sizeof(peer);
    ok_success(getpeername(s, (struct sockaddr *)&peer, &size));
    ok(size == length && !memcmp(&peer, &address, length), "wrong peer\n");
    ok_success(shutdown(s, SD_SEND));
    ok(recv(accepted, buffer, 1, 0) == 0, "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(accepted);
    closesocket(l);
    CloseHandle(ov.hEvent);
    winetest_pop_context();
}

/* lpSendBuffer: "transferred after a connection is established"; the count comes with completion */
static void test_send(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s = bound(AF_INET), accepted;
    char greeting[] = "sent with the connection", buffer[64];
    OVERLAPPED ov = {0}, *got = NULL;
    DWORD bytes = 0;
    ULONG_PTR key;
    BOOL result;

    ok(CreateIoCompletionPort((HANDLE)s, port, 5, 0) == port, "error %lu\n", GetLastError());
    result = connect_ex(s, (struct sockaddr *)&address, length, greeting, 24, &bytes, &ov);
    ok(result || WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
    ok(GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE), "error %lu\n",
       GetLastError());
    ok(got == &ov && key == 5 && bytes == 24, "got %p, %lu bytes\n", (void *)got, bytes);
    accepted = accept(l, NULL, NULL);
    ok(net_recv_all(accepted, buffer, 24) == 24 && !memcmp(buffer, greeting, 24), "wrong bytes\n");
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 50) && !got, "a second packet\n");
    closesocket(s);
    closesocket(accepted);
    closesocket(l);
    CloseHandle(port);
}

/* Nobody there: WSAECONNREFUSED by the completion; packet with ERROR_CONNECTION_REFUSED */
static void test_refused(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct sockaddr_storage nobody;
    int length = net_nobody(AF_INET, &nobody);
    OVERLAPPED ov = {0}, *got = NULL;
    DWORD bytes = 0, flags;
    SOCKET s = bound(AF_INET);
    ULONG_PTR key;
    BOOL result;

    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    result = connect_ex(s, (struct sockaddr *)&nobody, length, NULL, 0, NULL, &ov);
    if (!result && WSAGetLastError() == ERROR_IO_PENDING) {
        ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
        WSASetLastError(0);
        result = WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags);
    }
    ok(!result && WSAGetLastError() == WSAECONNREFUSED, "got %d, error %d\n", result,
       WSAGetLastError());
    closesocket(s);

    s = bound(AF_INET);
    memset(&ov, 0, sizeof(ov));
    ok(CreateIoCompletionPort((HANDLE)s, port, 6, 0) == port, "error %lu\n", GetLastError());
    result = connect_ex(s, (struct sockaddr *)&nobody, length, NULL, 0, NULL, &ov);
    ok(!result && WSAGetLastError() == ERROR_IO_PENDING, "got %d, error %d\n", result,
       WSAGetLastError());
    SetLastError(0);
    ok(!GetQueuedCompletionStatus(port, &bytes, &key, &got, NET_PATIENCE) && got == &ov &&
           GetLastError() == ERROR_CONNECTION_REFUSED,
       "got %p, error %lu\n", (void *)got, GetLastError());
    closesocket(s);
    CloseHandle(port);
}

/* Errors: WSAEINVAL for a socket not bound, ERROR_INVALID_PARAMETER without an OVERLAPPED,
 * WSAEISCONN */
static void test_errors(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET l = net_listener(AF_INET, &address, &length), s = socket(AF_INET, SOCK_STREAM, 0), b;
    OVERLAPPED ov = {0};

    WSASetLastError(0);
    ok(!connect_ex(s, (struct sockaddr *)&address, length, NULL, 0, NULL, &ov) &&
           WSAGetLastError() == WSAEINVAL,
       "error %d\n", WSAGetLastError());
    closesocket(s);
    s = bound(AF_INET);
    WSASetLastError(0);
    ok(!connect_ex(s, (struct sockaddr *)&address, length, NULL, 0, NULL, NULL) &&
           WSAGetLastError() == ERROR_INVALID_PARAMETER,
       "error %d\n", WSAGetLastError());
    ok_success(connect(s, (struct sockaddr *)&address, length));
    WSASetLastError(0);
    ok(!connect_ex(s, (struct sockaddr *)&address, length, NULL, 0, NULL, &ov) &&
           WSAGetLastError() == WSAEISCONN,
       "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(l);
    WSASetLastError(0);
    b = INVALID_SOCKET;
    ok(!connect_ex(b, (struct sockaddr *)&address, length, NULL, 0, NULL, &ov) &&
           WSAGetLastError() == WSAENOTSOCK,
       "error %d\n", WSAGetLastError());
}

/* DisconnectEx: "closes a connection on a socket"; the peer reads the end.  Without TF_REUSE_SOCKET
 * the handle can only be closed. */
static void test_disconnect(void)
{
    OVERLAPPED ov = {0};
    DWORD bytes, flags;
    char buffer[8];
    SOCKET a, b;
    BOOL result;
    int got;

    /* a NULL lpOverlapped makes it blocking */
    net_pair(&a, &b);
    net_send_all(a, "tail", 4);
    ok(disconnect_ex(a, NULL, 0, 0), "error %d\n", WSAGetLastError());
    ok(net_recv_all(b, buffer, 4) == 4, "the tail is lost\n");
    got = recv(b, buffer, 1, 0);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    ok(send(a, "x", 1, 0) == SOCKET_ERROR, "can still send\n");
    closesocket(a);
    closesocket(b);

    net_pair(&a, &b);
    ov.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    result = disconnect_ex(a, &ov, 0, 0);
    ok(result || WSAGetLastError() == ERROR_IO_PENDING, "error %d\n", WSAGetLastError());
    got = recv(b, buffer, 1, 0);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    closesocket(b);
    ok(WSAGetOverlappedResult(a, &ov, &bytes, TRUE, &flags), "error %d\n", WSAGetLastError());
    closesocket(a);
    CloseHandle(ov.hEvent);

    /* WSAENOTCONN */
    a = socket(AF_INET, SOCK_STREAM, 0);
    WSASetLastError(0);
    ok(!disconnect_ex(a, NULL, 0, 0) && WSAGetLastError() == WSAENOTCONN, "error %d\n",
       WSAGetLastError());
    closesocket(a);
}

START_TEST(connectex)
{
    net_start();
    load();
    RUN(test_event, AF_INET);
    RUN(test_event, AF_INET6);
    RUN(test_send);
    RUN(test_refused);
    RUN(test_errors);
    RUN(test_disconnect);
    WSACleanup();
}
