/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Controls and options of TCP: SIO_TCP_INFO, SIO_TCP_INITIAL_RTO, SIO_TCP_SET_ACK_FREQUENCY,
 * TCP_FASTOPEN, TCP_FAIL_CONNECT_ON_ICMP_ERROR, TCP_ICMP_ERROR_INFO, and of routing:
 * SIO_GET_BROADCAST_ADDRESS, SIO_ROUTING_INTERFACE_CHANGE. Sources: their pages and those of
 * TCP_INFO_v0, TCP_INFO_v1.
 */
#include "net.h"

#define TCP_INFO_CONTROL _WSAIORW(IOC_VENDOR, 39)
#define FAST_OPEN        15
#define FAIL_ON_ICMP     18
#define ICMP_ERROR_INFO_ 19

enum { ESTABLISHED = 4, CLOSE_WAIT = 7 }; /* TCPSTATE */

/* Of both versions; mingw-w64 has them for newer Windows only. */
struct info {
    DWORD state, mss;
    ULONG64 connection_time;
    BOOLEAN timestamps;
    ULONG rtt, rtt_min, in_flight, congestion_window, send_window, receive_window, receive_buffer;
    ULONG64 bytes_out, bytes_in;
    ULONG reordered, retransmitted, fast_retransmissions, duplicate_acks, timeouts;
    UCHAR syn_retransmissions;
    ULONG limits[12];
};
#define V0_SIZE 88
#define V1_SIZE 136

static int get_info(SOCKET s, DWORD version, struct info *info, DWORD size, DWORD *bytes)
{
    *bytes = 77;
    memset(info, 0, sizeof(*info));
    return WSAIoctl(s, TCP_INFO_CONTROL, &version, sizeof(version), info, size, bytes, NULL, NULL);
}

/* "retrieves the Transmission Control Protocol (TCP) statistics for a specified socket"; version 1
 * is of Windows 10 1809. */
static void test_info(void)
{
    struct info info;
    char data[1000];
    DWORD bytes;
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, data, 1000);
    ok(net_recv_all(b, data, 1000) == 1000, "not received\n");
    net_send_all(b, data, 300);
    ok(net_recv_all(a, data, 300) == 300, "not received\n");
    for (DWORD version = 0; version < 2; version++) {
        int result = get_info(a, version, &info, sizeof(info), &bytes);

        todo_wine ok(!result, "version %lu: error %d\n", version, WSAGetLastError());
        if (result)
            continue;
        ok(bytes == (version ? V1_SIZE : V0_SIZE), "%lu bytes\n", bytes);
        ok(info.state == ESTABLISHED, "state %lu\n", info.state);
        ok(info.mss >= 500 && info.mss <= 65535, "segment size %lu\n", info.mss);
        ok(info.connection_time < 60000, "%u ms\n", (unsigned int)info.connection_time);
        ok(info.bytes_out == 1000 && info.bytes_in == 300, "%u bytes out, %u in\n",
           (unsigned int)info.bytes_out, (unsigned int)info.bytes_in);
        ok(info.rtt && info.rtt < 5000000 && info.rtt_min <= info.rtt, "RTT %lu, least %lu\n",
           info.rtt, info.rtt_min);
        ok(info.congestion_window >= info.mss && info.receive_window, "windows %lu, %lu\n",
           info.congestion_window, info.receive_window);
        ok(!info.retransmitted, "%lu bytes retransmitted\n", info.retransmitted);
    }
    ok_success(shutdown(b, SD_SEND));
    ok(!recv(a, data, 1, 0), "error %d\n", WSAGetLastError());
    if (!get_info(a, 0, &info, sizeof(info), &bytes))
        ok(info.state == CLOSE_WAIT, "state %lu\n", info.state);
    closesocket(a);
    closesocket(b);
}

/* "WSAEMSGSIZE: The pointer to the input buffer was NULL, or the specified size of the input buffer
 * was not correct." "If the output buffer is too small, the call fails, WSAGetLastError returns
 * WSAEINVAL, and the lpcbBytesReturned parameter points to a DWORD value of zero." "WSAEINVAL: ...
 * the command is not applicable to the type of socket specified" */
static void test_info_errors(void)
{
    SOCKET a, b, udp = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD version = 0, bytes = 77;
    struct info info;

    net_pair(&a, &b);
    todo_wine ok_error(get_info(a, 0, &info, V0_SIZE - 1, &bytes), WSAEINVAL);
    ok(!bytes, "%lu bytes\n", bytes);
    todo_wine
    {
        ok_error(get_info(a, 1, &info, V0_SIZE, &bytes), WSAEINVAL);
        ok_error(get_info(a, 7, &info, sizeof(info), &bytes), WSAEINVAL);
        ok_error(get_info(udp, 0, &info, sizeof(info), &bytes), WSAEINVAL);
        ok_error(WSAIoctl(a, TCP_INFO_CONTROL, NULL, 0, &info, sizeof(info), &bytes, NULL, NULL),
                 WSAEMSGSIZE);
        ok_error(
            WSAIoctl(a, TCP_INFO_CONTROL, &version, 2, &info, sizeof(info), &bytes, NULL, NULL),
            WSAEMSGSIZE);
    }
    closesocket(a);
    closesocket(b);
    closesocket(udp);
}

/* "must supply suitable values before starting a TCP connection attempt on the socket"; what they
 * do takes a network (test_netcodes.py).  libuv asks for this before it connects to the loopback.
 */
static void test_initial_rto(void)
{
    TCP_INITIAL_RTO_PARAMETERS given = {TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS,
                                        TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), l;
    struct sockaddr_storage address;
    DWORD bytes = 77;
    int length;

    l = net_listener(AF_INET, &address, &length);
    todo_wine
    {
        ok_success(
            WSAIoctl(s, SIO_TCP_INITIAL_RTO, &given, sizeof(given), NULL, 0, &bytes, NULL, NULL));
        ok_error(WSAIoctl(s, SIO_TCP_INITIAL_RTO, &given, 1, NULL, 0, &bytes, NULL, NULL),
                 WSAEFAULT);
        ok_error(
            WSAIoctl(udp, SIO_TCP_INITIAL_RTO, &given, sizeof(given), NULL, 0, &bytes, NULL, NULL),
            WSAEINVAL);
    }
    ok_success(connect(s, (struct sockaddr *)&address, length));
    closesocket(s);
    closesocket(udp);
    closesocket(l);
}

/* Microsoft has no page of it; CPython's TCP_QUICKACK is this control, with 1 or 2, and others give
 * up on a connection that refuses 1. */
static void test_ack_frequency(void)
{
    const DWORD control = _WSAIOW(IOC_VENDOR, 23); /* SIO_TCP_SET_ACK_FREQUENCY */
    SOCKET a, b, udp = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD frequency, bytes;
    char data[3000] = {0};

    net_pair(&a, &b);
    for (frequency = 0; frequency <= 256; frequency++) {
        int result =
            WSAIoctl(a, control, &frequency, sizeof(frequency), NULL, 0, &bytes, NULL, NULL);

        todo_wine_if(frequency && frequency < 256)
            ok(!result == (frequency && frequency < 256), "%lu: %d, error %d\n", frequency, result,
               WSAGetLastError());
    }
    frequency = 1;
    WSAIoctl(a, control, &frequency, sizeof(frequency), NULL, 0, &bytes, NULL, NULL);
    for (int i = 0; i < 10; i++) {
        net_send_all(b, data, sizeof(data));
        ok(net_recv_all(a, data, sizeof(data)) == sizeof(data), "not received\n");
    }
    ok(WSAIoctl(udp, control, &frequency, sizeof(frequency), NULL, 0, &bytes, NULL, NULL) == -1,
       "a datagram socket acknowledges\n");
    closesocket(a);
    closesocket(b);
    closesocket(udp);
}

/* "Enables or disables RFC 7413 TCP Fast Open"; whoever knows nothing of it connects as ever. */
static void test_fast_open(void)
{
    struct sockaddr_storage address;
    int length, on = 1, size = sizeof(on);
    SOCKET l = net_bound(AF_INET, SOCK_STREAM, &address, &length), a, b;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    char buffer[8];

    todo_wine
    {
        ok_success(setsockopt(l, IPPROTO_TCP, FAST_OPEN, (char *)&on, sizeof(on)));
        ok_success(setsockopt(s, IPPROTO_TCP, FAST_OPEN, (char *)&on, sizeof(on)));
        on = 0;
        ok_success(getsockopt(s, IPPROTO_TCP, FAST_OPEN, (char *)&on, &size));
        ok(on == 1, "got %d\n", on);
    }
    ok_error(setsockopt(udp, IPPROTO_TCP, FAST_OPEN, (char *)&on, sizeof(on)), WSAENOPROTOOPT);
    ok_success(listen(l, 5));
    ok_success(connect(s, (struct sockaddr *)&address, length));
    a = s;
    b = accept(l, NULL, NULL);
    net_send_all(a, "early", 5);
    ok(net_recv_all(b, buffer, 5) == 5, "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(b);
    closesocket(l);
    closesocket(udp);
}

static LPFN_CONNECTEX find_connect_ex(SOCKET s)
{
    GUID guid = WSAID_CONNECTEX;
    LPFN_CONNECTEX found = NULL;
    DWORD bytes;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &found,
                        sizeof(found), &bytes, NULL, NULL));
    return found;
}

/* "to make use of fast opens, you should use ConnectEx to make the initial connection, and specify
 * data in that function's lpSendBuffer parameter to be transferred during the handshake process.
 * Some of the data in lpSendBuffer will be transferred under the Fast Open protocol": the rest, or
 * all of it, goes as ever, and ConnectEx's completion counts each byte once.  What a host's SYN
 * carries takes a network (test_netcodes.py). */
static void test_fast_open_data(DWORD size)
{
    struct sockaddr_storage address, any = {.ss_family = AF_INET};
    int length, on = 1;
    SOCKET l = net_bound(AF_INET, SOCK_STREAM, &address, &length), b;
    char *sent = malloc(size), *got = malloc(size);
    OVERLAPPED ov = {0};
    DWORD bytes = 0, flags;

    for (DWORD i = 0; i < size; i++)
        sent[i] = (char)(i * 7 + (i >> 9));
    ov.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    todo_wine ok_success(setsockopt(l, IPPROTO_TCP, FAST_OPEN, (char *)&on, sizeof(on)));
    ok_success(listen(l, 5));
    for (int round = 0; round < 3; round++) { /* the first asks for a cookie, if there are any */
        SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

        todo_wine ok_success(setsockopt(s, IPPROTO_TCP, FAST_OPEN, (char *)&on, sizeof(on)));
        ok_success(bind(s, (struct sockaddr *)&any, sizeof(struct sockaddr_in)));
        ok(find_connect_ex(s)(s, (struct sockaddr *)&address, length, sent, size, NULL, &ov) ||
               WSAGetLastError() == ERROR_IO_PENDING,
           "error %d\n", WSAGetLastError());
        b = accept(l, NULL, NULL);
        memset(got, 0, size);
        ok(net_recv_all(b, got, (int)size) == (int)size && !memcmp(got, sent, size),
           "round %d: other bytes\n", round);
        ok(WSAGetOverlappedResult(s, &ov, &bytes, TRUE, &flags) && bytes == size,
           "round %d: %lu bytes, error %d\n", round, bytes, WSAGetLastError());
        net_send_all(s, "more", 4);
        ok(net_recv_all(b, got, 4) == 4 && !memcmp(got, "more", 4), "not in order\n");
        closesocket(s);
        closesocket(b);
    }
    closesocket(l);
    CloseHandle(ov.hEvent);
    free(sent);
    free(got);
}

/* Nobody there: ConnectEx fails as without the option, and may be tried again elsewhere with the
 * same data. */
static void test_fast_open_refused(void)
{
    struct sockaddr_storage address, nobody, any = {.ss_family = AF_INET};
    int length, on = 1, absent = net_nobody(AF_INET, &nobody);
    SOCKET l = net_listener(AF_INET, &address, &length), s = socket(AF_INET, SOCK_STREAM, 0), b;
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    LPFN_CONNECTEX connect_ex = find_connect_ex(s);
    DWORD bytes, flags;
    char buffer[8];

    if (on_builtin()) { /* its second attempt does not end */
        closesocket(s);
        closesocket(l);
        CloseHandle(ov.hEvent);
        return;
    }
    ok_success(setsockopt(s, IPPROTO_TCP, FAST_OPEN, (char *)&on, sizeof(on)));
    ok_success(bind(s, (struct sockaddr *)&any, sizeof(struct sockaddr_in)));
    connect_ex(s, (struct sockaddr *)&nobody, absent, "early", 5, NULL, &ov);
    ok(!WSAGetOverlappedResult(s, &ov, &bytes, TRUE, &flags) &&
           WSAGetLastError() == WSAECONNREFUSED,
       "error %d\n", WSAGetLastError());
    connect_ex(s, (struct sockaddr *)&address, length, "early", 5, NULL, &ov);
    b = accept(l, NULL, NULL);
    ok(net_recv_all(b, buffer, 5) == 5 && !memcmp(buffer, "early", 5), "other bytes\n");
    ok(WSAGetOverlappedResult(s, &ov, &bytes, TRUE, &flags) && bytes == 5, "%lu bytes, error %d\n",
       bytes, WSAGetLastError());
    ok_success(shutdown(b, SD_SEND));
    closesocket(s);
    ok(!recv(b, buffer, 1, 0), "error %d, or more than was sent\n", WSAGetLastError());
    closesocket(b);
    closesocket(l);
    CloseHandle(ov.hEvent);
}

/* "If TRUE, a connect API call will return upon reception of an ICMP error"; "The default is
 * disabled (set to FALSE)"; TCP_ICMP_ERROR_INFO: "If no ICMP error has been received since the last
 * connect call, then WSANO_DATA is returned" (WSAGetIcmpErrorInfo).  What they do takes a network
 * (test_netcodes.py). */
static void test_icmp_error(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    int value = 1, size = sizeof(value), on = 1, length = 36;
    char info[36];

    todo_wine
    {
        ok_success(getsockopt(s, IPPROTO_TCP, FAIL_ON_ICMP, (char *)&value, &size));
        ok(!value, "got %d\n", value);
        ok_success(setsockopt(s, IPPROTO_TCP, FAIL_ON_ICMP, (char *)&on, sizeof(on)));
        ok_error(getsockopt(s, IPPROTO_TCP, ICMP_ERROR_INFO_, info, &length), WSANO_DATA);
    }
    length = 35;
    ok(getsockopt(s, IPPROTO_TCP, ICMP_ERROR_INFO_, info, &length), "no room is enough\n");
    ok(setsockopt(s, IPPROTO_TCP, ICMP_ERROR_INFO_, info, sizeof(info)), "it can be set\n");
    ok_error(setsockopt(udp, IPPROTO_TCP, FAIL_ON_ICMP, (char *)&on, sizeof(on)), WSAENOPROTOOPT);
    closesocket(s);
    closesocket(udp);
}

/* SIO_GET_BROADCAST_ADDRESS: "a sockaddr structure containing the broadcast address ... that can be
 * used with sendto"; "not supported for IPv6 sockets and returns the WSAENOPROTOOPT error code". */
static void test_broadcast_address(void)
{
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    SOCKET udp6 = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in address = {0};
    DWORD bytes = 77;
    char room[64];

    todo_wine
    {
        ok_success(WSAIoctl(udp, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &address, sizeof(address),
                            &bytes, NULL, NULL));
        ok(address.sin_family == AF_INET && address.sin_addr.s_addr == INADDR_BROADCAST &&
               bytes == sizeof(address),
           "family %d, address %#lx, %lu bytes\n", address.sin_family,
           ntohl(address.sin_addr.s_addr), bytes);
    }
    ok(WSAIoctl(tcp, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &address, sizeof(address), &bytes, NULL,
                NULL) == SOCKET_ERROR,
       "a stream has one\n");
    todo_wine ok_error(
        WSAIoctl(udp6, SIO_GET_BROADCAST_ADDRESS, NULL, 0, room, sizeof(room), &bytes, NULL, NULL),
        WSAENOPROTOOPT);
    closesocket(udp6);
    closesocket(udp);
    closesocket(tcp);
}

/* SIO_ROUTING_INTERFACE_CHANGE: "notification of the interface change that should be used to reach
 * the specified remote address"; overlapped it pends, and nonblocking it is WSAEWOULDBLOCK and an
 * event to come. */
static void test_routing_change(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    OVERLAPPED ov = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD bytes = 0, flags;

    if (on_builtin()) { /* it pends there for ever */
        closesocket(s);
        return;
    }
    ok_error(WSAIoctl(s, SIO_ROUTING_INTERFACE_CHANGE, &to, sizeof(to), NULL, 0, &bytes, &ov, NULL),
             WSA_IO_PENDING);
    ok(WaitForSingleObject(ov.hEvent, 100) == WAIT_TIMEOUT, "nothing has changed\n");
    ok(CancelIo((HANDLE)s), "error %lu\n", GetLastError());
    ok(!WaitForSingleObject(ov.hEvent, NET_PATIENCE), "not cancelled\n");
    ok(!WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSA_OPERATION_ABORTED,
       "error %d\n", WSAGetLastError());
    net_nonblocking(s, 1);
    ok_error(
        WSAIoctl(s, SIO_ROUTING_INTERFACE_CHANGE, &to, sizeof(to), NULL, 0, &bytes, NULL, NULL),
        WSAEWOULDBLOCK);
    ok_error(WSAIoctl(s, SIO_ROUTING_INTERFACE_CHANGE, NULL, 0, NULL, 0, &bytes, NULL, NULL),
             WSAEINVAL);
    closesocket(s);
    CloseHandle(ov.hEvent);
}

START_TEST(ioctl_tcp)
{
    net_start();
    RUN(test_info);
    RUN(test_info_errors);
    RUN(test_initial_rto);
    RUN(test_ack_frequency);
    RUN(test_fast_open);
    RUN(test_fast_open_data, 5);
    RUN(test_fast_open_data, 300000);
    RUN(test_fast_open_refused);
    RUN(test_icmp_error);
    RUN(test_broadcast_address);
    RUN(test_routing_change);
    WSACleanup();
}
