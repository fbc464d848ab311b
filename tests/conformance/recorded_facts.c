/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single facts of Windows that no other test shows; docs/windows-not-wine.md has the whole list.
 * Sources: what Wine's tests, run on Windows, have recorded (the function is named at each), and
 * the pages that are quoted.
 */
#include "net.h"

static DWORD get_number(SOCKET s, int level, int name)
{
    DWORD value = 0xdead;
    int length = sizeof(value);

    ok(!getsockopt(s, level, name, (char *)&value, &length), "option %d: error %d\n", name,
       WSAGetLastError());
    return value;
}

static void set_number(SOCKET s, int level, int name, DWORD value)
{
    ok(!setsockopt(s, level, name, (char *)&value, sizeof(value)), "option %d: error %d\n", name,
       WSAGetLastError());
}

/* test_set_getsockopt: what was set is told, once or more often. */
static void test_so_error(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD value;

    set_number(s, SOL_SOCKET, SO_ERROR, 1234);
    value = get_number(s, SOL_SOCKET, SO_ERROR);
    todo_wine ok(value == 1234, "got %lu\n", value);
    closesocket(s);
}

/* test_so_debug: a number is made a boolean, and success leaves the last error 0. */
static void test_so_debug(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD value;

    WSASetLastError(0xdead);
    set_number(s, SOL_SOCKET, SO_DEBUG, 2);
    todo_wine ok(!WSAGetLastError(), "error %d\n", WSAGetLastError());
    value = get_number(s, SOL_SOCKET, SO_DEBUG);
    todo_wine ok(value == 1, "got %lu\n", value);
    closesocket(s);
}

/* test_ipv6only: an IPv4 socket has it too, and is as unwilling to change it once it is bound. */
static void test_v6only_of_ipv4(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD value = 0;
    int length = sizeof(value);

    todo_wine ok(!getsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, &length) && value == 1,
                 "got %lu, error %d\n", value, WSAGetLastError());
    set_number(s, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    todo_wine ok(!getsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, &length) && !value,
                 "got %lu, error %d\n", value, WSAGetLastError());
    set_number(s, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    ok_success(bind(s, (struct sockaddr *)&any, sizeof(any)));
    value = 0;
    ok_error(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&value, sizeof(value)), WSAEINVAL);
    closesocket(s);
}

/* test_errors: SO_ERROR is of nonblocking attempts alone. */
static void test_refused_is_no_so_error(void)
{
    struct sockaddr_storage nobody;
    int length = net_nobody(AF_INET, &nobody);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD error;

    ok_error(connect(s, (struct sockaddr *)&nobody, length), WSAECONNREFUSED);
    error = get_number(s, SOL_SOCKET, SO_ERROR);
    todo_wine ok(!error, "got %lu\n", error);
    closesocket(s);
}

/* test_errors: a socket whose attempt failed listens at the address that it had. */
static void test_listens_after_refusal(void)
{
    struct sockaddr_storage nobody, address;
    int length = net_nobody(AF_INET, &nobody);
    SOCKET s = net_bound(AF_INET, SOCK_STREAM, &address, &length);
    SOCKET client = socket(AF_INET, SOCK_STREAM, 0), got;

    ok_error(connect(s, (struct sockaddr *)&nobody, length), WSAECONNREFUSED);
    net_nonblocking(s, 1); /* so that a DLL without this rule does not wait for ever */
    todo_wine ok_success(listen(s, 1));
    todo_wine ok_success(connect(client, (struct sockaddr *)&address, length));
    net_readable(s, NET_PATIENCE);
    got = accept(s, NULL, NULL);
    todo_wine ok(got != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(got);
    closesocket(client);
    closesocket(s);
}

/* connect's page: "If the socket, s, is unbound, unique values are assigned to the local association
 * by the system, and the socket is marked as bound": also where nobody accepts, so that bind says
 * WSAEINVAL ("already bound to an address") and the next attempt, or listen, has that address. */
static void test_bound_after_refusal(int family, int blocks)
{
    struct sockaddr_storage nobody, address = {0}, again = {0}, peer;
    int length = net_nobody(family, &nobody), size = length, listener_length;
    SOCKET s = socket(family, SOCK_STREAM, 0), l, got;

    net_nonblocking(s, !blocks);
    ok_error(connect(s, (struct sockaddr *)&nobody, length),
             blocks ? WSAECONNREFUSED : WSAEWOULDBLOCK);
    if (!blocks) {
        fd_set failed;
        struct timeval patience = {NET_PATIENCE / 1000, 0};

        FD_ZERO(&failed);
        FD_SET(s, &failed);
        ok(select(0, NULL, NULL, &failed, &patience) == 1, "not refused\n");
        net_nonblocking(s, 0);
    }
    ok_success(getsockname(s, (struct sockaddr *)&address, &size));
    ok(size == length && address.ss_family == family && SS_PORT(&address), "no port\n");
    ok_error(bind(s, (struct sockaddr *)&nobody, length), WSAEINVAL);
    if (on_builtin()) { /* a second attempt is nonblocking.c's */
        closesocket(s);
        return;
    }
    l = net_listener(family, &peer, &listener_length);
    ok_success(connect(s, (struct sockaddr *)&peer, listener_length));
    size = sizeof(again);
    got = accept(l, (struct sockaddr *)&again, &size);
    ok(SS_PORT(&again) == SS_PORT(&address), "port %d, then %d\n", ntohs(SS_PORT(&address)),
       ntohs(SS_PORT(&again)));
    closesocket(got);
    closesocket(l);
    closesocket(s);
}

/* test_reuseaddr: both listen, and the first of them gets the connections. */
static void test_first_listener(int family)
{
    struct sockaddr_storage address;
    SOCKET s[2], client;
    int length = net_loopback(family, &address);

    for (int i = 0; i < 2; i++) {
        s[i] = socket(family, SOCK_STREAM, 0);
        set_number(s[i], SOL_SOCKET, SO_REUSEADDR, 1);
        ok(!bind(s[i], (struct sockaddr *)&address, length), "error %d\n", WSAGetLastError());
        ok_success(getsockname(s[i], (struct sockaddr *)&address, &length));
    }
    ok_success(listen(s[0], 5));
    todo_wine ok_success(listen(s[1], 5));
    for (int i = 0; i < 8; i++) {
        client = socket(family, SOCK_STREAM, 0);
        ok_success(connect(client, (struct sockaddr *)&address, length));
        ok(net_readable(s[0], NET_PATIENCE), "connection %d: not the first one's\n", i);
        closesocket(accept(s[0], NULL, NULL));
        closesocket(client);
    }
    closesocket(s[0]);
    closesocket(s[1]);
}

/* test_shutdown: the other's name stays known. */
static void test_name_after_shutdown(void)
{
    struct sockaddr_storage own, peer;
    int size = sizeof(own), peer_size = sizeof(peer);
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(shutdown(a, SD_BOTH));
    ok_success(shutdown(b, SD_BOTH));
    ok_success(getsockname(b, (struct sockaddr *)&own, &size));
    todo_wine ok_success(getpeername(a, (struct sockaddr *)&peer, &peer_size));
    todo_wine ok(peer_size == size && !memcmp(&own, &peer, sizeof(struct sockaddr_in)),
                 "another name\n");
    closesocket(a);
    closesocket(b);
}

/* test_completion_port: a receive that finds the connection reset fails at once, and no packet
 * comes of it. */
static void test_no_packet_after_reset(void)
{
    struct linger hard = {1, 0};
    WSAOVERLAPPED ov = {0}, *seen = &ov;
    DWORD bytes = 77, flags = 0;
    ULONG_PTR key;
    char data[4];
    WSABUF buf = {sizeof(data), data};
    SOCKET a, b;
    HANDLE port;

    net_pair(&a, &b);
    port = CreateIoCompletionPort((HANDLE)b, NULL, 1, 0);
    ok_success(setsockopt(a, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof(hard)));
    closesocket(a);
    ok(net_readable(b, NET_PATIENCE), "no reset\n");
    todo_wine ok_error(WSARecv(b, &buf, 1, &bytes, &flags, &ov, NULL), WSAECONNRESET);
    todo_wine ok(bytes == 77, "got %lu\n", bytes);
    todo_wine ok(!GetQueuedCompletionStatus(port, &bytes, &key, &seen, 100) && !seen, "a packet\n");
    closesocket(b);
    CloseHandle(port);
}

/* test_DisconnectEx: it has pended, so a packet comes also with
 * FILE_SKIP_COMPLETION_PORT_ON_SUCCESS.
 */
static void test_disconnect_tells_port(void)
{
    GUID guid = WSAID_DISCONNECTEX;
    LPFN_DISCONNECTEX disconnect_ex;
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)}, *seen = NULL;
    DWORD bytes;
    ULONG_PTR key = 0;
    SOCKET a, b;
    HANDLE port;

    net_pair(&a, &b);
    ok_success(WSAIoctl(a, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &disconnect_ex,
                        sizeof(disconnect_ex), &bytes, NULL, NULL));
    port = CreateIoCompletionPort((HANDLE)a, NULL, 5, 0);
    ok(SetFileCompletionNotificationModes((HANDLE)a, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS),
       "error %lu\n", GetLastError());
    WSASetLastError(0);
    ok(!disconnect_ex(a, &ov, 0, 0) && WSAGetLastError() == ERROR_IO_PENDING, "error %d\n",
       WSAGetLastError());
    closesocket(b);
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no end\n");
    todo_wine ok(GetQueuedCompletionStatus(port, &bytes, &key, &seen, 1000) && seen == &ov &&
                     key == 5,
                 "no packet, error %lu\n", GetLastError());
    closesocket(a);
    CloseHandle(port);
    CloseHandle(ov.hEvent);
}

/* test_AcceptEx: without room for the local address GetAcceptExSockaddrs says nothing of one. */
static void test_no_local_address(void)
{
    GUID guid = WSAID_GETACCEPTEXSOCKADDRS, accept_guid = WSAID_ACCEPTEX;
    LPFN_GETACCEPTEXSOCKADDRS get_addresses;
    LPFN_ACCEPTEX accept_ex;
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct sockaddr *own = (void *)0xdead, *other = NULL;
    struct sockaddr_storage address, name;
    SOCKET listener, client = socket(AF_INET, SOCK_STREAM, 0),
                     target = socket(AF_INET, SOCK_STREAM, 0);
    int length, own_length = 0xdead, other_length = 0, size = sizeof(name);
    char room[64];
    DWORD got;

    listener = net_listener(AF_INET, &address, &length);
    ok_success(WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid),
                        &get_addresses, sizeof(get_addresses), &got, NULL, NULL));
    ok_success(WSAIoctl(listener, SIO_GET_EXTENSION_FUNCTION_POINTER, &accept_guid,
                        sizeof(accept_guid), &accept_ex, sizeof(accept_ex), &got, NULL, NULL));
    ok(!accept_ex(listener, target, room, 0, 0, sizeof(struct sockaddr_in) + 16, &got, &ov) &&
           WSAGetLastError() == ERROR_IO_PENDING,
       "error %d\n", WSAGetLastError());
    ok_success(connect(client, (struct sockaddr *)&address, length));
    ok_success(getsockname(client, (struct sockaddr *)&name, &size));
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "not accepted\n");
    get_addresses(room, 0, 0, sizeof(struct sockaddr_in) + 16, &own, &own_length, &other,
                  &other_length);
    todo_wine ok(own == (void *)0xdead && own_length == 0xdead, "got %p, %d\n", own, own_length);
    ok(other_length == sizeof(struct sockaddr_in) && !memcmp(other, &name, other_length),
       "another name\n");
    closesocket(target);
    closesocket(client);
    closesocket(listener);
    CloseHandle(ov.hEvent);
}

/* test_WSARecvMsg and test_WSAGetOverlappedResult: of what failed there are no flags. */
static void test_flags_of_failure(void)
{
    struct sockaddr_storage address[2];
    DWORD bytes = 0, flags = 0, told = 0xdead;
    WSAOVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    char small[2];
    WSABUF buf = {sizeof(small), small};
    SOCKET s[2];
    int length;

    net_udp_pair(AF_INET, s, address, &length);
    ok_error(WSARecv(s[1], &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    ok(sendto(s[0], "long", 4, 0, (struct sockaddr *)&address[1], length) == 4, "error %d\n",
       WSAGetLastError());
    ok(WaitForSingleObject(ov.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "not received\n");
    WSASetLastError(0);
    ok(!WSAGetOverlappedResult(s[1], &ov, &bytes, FALSE, &told) && WSAGetLastError() == WSAEMSGSIZE,
       "error %d\n", WSAGetLastError());
    todo_wine ok(told == 0xdead, "flags %lx\n", told);
    closesocket(s[0]);
    closesocket(s[1]);
    CloseHandle(ov.hEvent);
}

/* test_WSASocket: a family that there is not, before a protocol that there is not. */
static void test_unknown_family(void)
{
    todo_wine ok(WSASocketA(0xdead, SOCK_STREAM, 0xdead, NULL, 0, 0) == INVALID_SOCKET &&
                     WSAGetLastError() == WSAEAFNOSUPPORT,
                 "error %d\n", WSAGetLastError());
}

/* test_WSACleanup in protocol.c: success says 0. */
static void test_cleanup(void)
{
    WSADATA data;

    ok(!WSAStartup(MAKEWORD(2, 2), &data), "error\n");
    WSASetLastError(0xdead);
    ok_success(WSACleanup());
    todo_wine ok(!WSAGetLastError(), "error %d\n", WSAGetLastError());
}

START_TEST(recorded_facts)
{
    net_start();
    RUN(test_so_error);
    RUN(test_so_debug);
    RUN(test_v6only_of_ipv4);
    RUN(test_refused_is_no_so_error);
    RUN(test_listens_after_refusal);
    RUN(test_bound_after_refusal, AF_INET, 1);
    RUN(test_bound_after_refusal, AF_INET, 0);
    RUN(test_bound_after_refusal, AF_INET6, 1);
    RUN(test_first_listener, AF_INET);
    RUN(test_first_listener, AF_INET6);
    RUN(test_name_after_shutdown);
    RUN(test_no_packet_after_reset);
    RUN(test_disconnect_tells_port);
    RUN(test_no_local_address);
    RUN(test_flags_of_failure);
    RUN(test_unknown_family);
    RUN(test_cleanup);
    WSACleanup();
}
