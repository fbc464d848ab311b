/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments (hostile.h) for what is asked of a socket and set on it, in each of its states:
 * names, options, controls, events, readiness, duplication.
 *
 * Each list of errors is that of the call's page.
 */
#include "hostile_sockets.h"

static const int name_errors[] = {WSAEFAULT, WSAENOTSOCK, WSAENOTCONN, WSAEINVAL, 0};
static const int option_errors[] = {WSAEFAULT,
                                    WSAEINVAL,
                                    WSAENOTSOCK,
                                    WSAENOPROTOOPT,
                                    WSAENETRESET,
                                    WSAENOTCONN,
                                    WSAEADDRNOTAVAIL,
                                    WSAEOPNOTSUPP,
                                    WSAEADDRINUSE,
                                    WSAEACCES,
                                    WSAENOBUFS,
                                    WSAEAFNOSUPPORT,
                                    0};
static const int control_errors[] = {
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAENOPROTOOPT,
    WSA_IO_PENDING,
    WSAENOTCONN,
    WSAEWOULDBLOCK,
    WSAENETUNREACH,
    WSAEHOSTUNREACH,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    ERROR_INSUFFICIENT_BUFFER,
    0,
};
static const int event_errors[] = {WSAEINVAL, WSAENOTSOCK, WSAEFAULT, 0};
static const int result_errors[] = {
    WSAEFAULT, WSAENOTSOCK, WSA_INVALID_HANDLE, WSA_INVALID_PARAMETER, WSA_IO_INCOMPLETE, WSAEINVAL,
    0};
static const int duplicate_errors[] = {WSAEFAULT, WSAEINVAL, WSAENOTSOCK, WSAEMFILE, WSAENOBUFS, 0};
static const int order_errors[] = {WSAEFAULT, WSAENOTSOCK, 0};
static const int ready_errors[] = {WSAEFAULT, WSAEINVAL, WSAENOTSOCK, WSAENOBUFS, 0};
static const int notification_errors[] = {ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE,
                                          ERROR_TIMEOUT, 0};

struct registration { /* SOCK_NOTIFY_REGISTRATION */
    SOCKET socket;
    void *key;
    UINT16 filter;
    UINT8 operation, triggers;
    DWORD result;
};

static fd_set set;
static struct timeval no_time;
static WSAPOLLFD fds[2];
static struct registration registration;
static HANDLE port, nowhere;
static WSABUF nothing;
static DWORD process;
static u_long on = 1;

/* A duplicate is the process' only when somebody has made a socket of it, and a hostile number may
 * be another process'.  The two forms of the description begin alike. */
static void close_duplicate(const ULONG_PTR *words, INT_PTR result)
{
    SOCKET s;

    (void)result;
    if (words[1] != process)
        return;
    s = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
                   (WSAPROTOCOL_INFOA *)words[2], 0, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(s);
}

static void select_nothing(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    (void)result;
    WSAEventSelect(hostile.s, NULL, 0);
}

#define NAME_OUT  WRITES(sizeof(struct sockaddr_in)), A_LENGTH_AT(sizeof(struct sockaddr_in))
#define WORD_OUT  WRITES(sizeof(DWORD))
#define SHORT_OUT WRITES(sizeof(USHORT))

/* clang-format off */
static const struct hostile_row rows[] = {
    {CALL(getsockname, FAILS_MINUS_ONE, name_errors, A_SOCKET, NAME_OUT)},
    {CALL(getpeername, FAILS_MINUS_ONE, name_errors, A_SOCKET, NAME_OUT)},
    {CALL(getsockopt, FAILS_MINUS_ONE, option_errors, A_SOCKET, A_NUMBER(SOL_SOCKET),
          A_NUMBER(SO_TYPE), WRITES(4), A_LENGTH_AT(4))},
    {CALL(setsockopt, FAILS_MINUS_ONE, option_errors, A_SOCKET, A_NUMBER(SOL_SOCKET),
          A_NUMBER(SO_KEEPALIVE), READS(on), A_LENGTH(4))},
    {CALL(ioctlsocket, FAILS_MINUS_ONE, control_errors, A_SOCKET, A_NUMBER(FIONREAD),
          UPDATES(on))},
    {CALL(WSAIoctl, FAILS_MINUS_ONE, control_errors, A_SOCKET, A_NUMBER(FIONREAD), READS(on),
          A_LENGTH(4), WRITES(4), A_LENGTH(4), WORD_OUT, AN_OVERLAPPED, A_ROUTINE)},
    {CALL(WSAEventSelect, FAILS_MINUS_ONE, event_errors, A_SOCKET, A_HANDLE(hostile.event),
          A_NUMBER(FD_READ)), .undo = select_nothing},
    {CALL(WSAEnumNetworkEvents, FAILS_MINUS_ONE, event_errors, A_SOCKET, A_HANDLE(hostile.event),
          WRITES(sizeof(WSANETWORKEVENTS)))},
    {CALL(WSAAsyncSelect, FAILS_MINUS_ONE, event_errors, A_SOCKET, A_HANDLE(nowhere),
          A_NUMBER(WM_USER), A_NUMBER(FD_READ)), .undo = select_nothing},
    {CALL(WSAGetOverlappedResult, FAILS_NULL, result_errors, A_SOCKET, AN_OVERLAPPED, WORD_OUT,
          A_CONSTANT(FALSE), WORD_OUT)},
    {CALL(WSAGetQOSByName, FAILS_NULL, event_errors, A_SOCKET, READS(nothing),
          WRITES(sizeof(QOS)))},
    {CALL(WSADuplicateSocketA, FAILS_MINUS_ONE, duplicate_errors, A_SOCKET, A_NUMBER_OF(process),
          WRITES(sizeof(WSAPROTOCOL_INFOA))), .undo = close_duplicate},
    {CALL(WSADuplicateSocketW, FAILS_MINUS_ONE, duplicate_errors, A_SOCKET, A_NUMBER_OF(process),
          WRITES(sizeof(WSAPROTOCOL_INFOW))), .undo = close_duplicate},
    {CALL(WSAHtonl, FAILS_MINUS_ONE, order_errors, A_SOCKET, A_NUMBER(5), WORD_OUT)},
    {CALL(WSAHtons, FAILS_MINUS_ONE, order_errors, A_SOCKET, A_NUMBER(5), SHORT_OUT)},
    {CALL(WSANtohl, FAILS_MINUS_ONE, order_errors, A_SOCKET, A_NUMBER(5), WORD_OUT)},
    {CALL(WSANtohs, FAILS_MINUS_ONE, order_errors, A_SOCKET, A_NUMBER(5), SHORT_OUT)},
    {CALL(select, FAILS_MINUS_ONE, ready_errors, A_NUMBER(0), UPDATES(set), UPDATES(set),
          UPDATES(set), HOLDS(no_time))},
    {CALL(WSAPoll, FAILS_MINUS_ONE, ready_errors, UPDATES(fds), A_NUMBER(2), A_CONSTANT(0))},
    {CALL(__WSAFDIsSet, FAILS_NEVER, NULL, A_SOCKET, READS(set)), .anytime = TRUE},
    {CALL(ProcessSocketNotifications, FAILS_CODE, notification_errors, A_HANDLE(port), A_NUMBER(1),
          UPDATES(registration), A_CONSTANT(0), A_NUMBER(1), WRITES(sizeof(OVERLAPPED_ENTRY)),
          WORD_OUT)},
};
/* clang-format on */

static void walk_states(void (*walk)(void))
{
    unsigned i;

    for (i = 0; i < ARRAYSIZE(hostile_states); i++)
        hostile_in_state(&hostile_states[i], walk);
}

static void walk_calls(void)
{
    FD_ZERO(&set);
    FD_SET(hostile.s, &set);
    fds[0] = fds[1] = (WSAPOLLFD){hostile.s, POLLRDNORM, 0};
    registration.socket = hostile.s;
    hostile_walk_table(rows, ARRAYSIZE(rows), hostile.before);
}

static void test_calls(void)
{
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    process = GetCurrentProcessId();
    walk_states(walk_calls);
    CloseHandle(port);
}

/* ---- each option ---- */

#define READ_ONLY 1

static const struct option {
    int level, name, size, flags;
} options[] = {
    {SOL_SOCKET, SO_DEBUG, 4, 0},
    {SOL_SOCKET, SO_ACCEPTCONN, 4, 0},
    {SOL_SOCKET, SO_REUSEADDR, 4, 0},
    {SOL_SOCKET, SO_KEEPALIVE, 4, 0},
    {SOL_SOCKET, SO_DONTROUTE, 4, 0},
    {SOL_SOCKET, SO_BROADCAST, 4, 0},
    {SOL_SOCKET, SO_LINGER, sizeof(struct linger), 0},
    {SOL_SOCKET, SO_DONTLINGER, 4, 0},
    {SOL_SOCKET, SO_OOBINLINE, 4, 0},
    {SOL_SOCKET, SO_SNDBUF, 4, 0},
    {SOL_SOCKET, SO_RCVBUF, 4, 0},
    {SOL_SOCKET, SO_SNDTIMEO, 4, 0},
    {SOL_SOCKET, SO_RCVTIMEO, 4, 0},
    {SOL_SOCKET, SO_ERROR, 4, 0},
    {SOL_SOCKET, SO_TYPE, 4, 0},
    {SOL_SOCKET, 0x1009 /* SO_BSP_STATE */, 256, 0},
    {SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 4, 0},
    {SOL_SOCKET, SO_MAX_MSG_SIZE, 4, 0},
    {SOL_SOCKET, SO_PROTOCOL_INFOA, sizeof(WSAPROTOCOL_INFOA), 0},
    {SOL_SOCKET, SO_PROTOCOL_INFOW, sizeof(WSAPROTOCOL_INFOW), 0},
    {SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 4, 0},
    {SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, sizeof(SOCKET), 0},
    {SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, 4, 0},
    {SOL_SOCKET, SO_CONNECT_TIME, 4, 0},
    {SOL_SOCKET, 0x3003 /* SO_PAUSE_ACCEPT */, 4, 0},
    {SOL_SOCKET, 0x3008 /* SO_REUSE_MULTICASTPORT */, 4, 0},
    {SOL_SOCKET, 0x300a /* SO_TIMESTAMP */, 8, 0},
    {SOL_SOCKET, 0x300b /* SO_TIMESTAMP_ID */, 4, 0},
    {SOL_SOCKET, SO_OPENTYPE, 4, READ_ONLY}, /* the thread's, for sockets to come */
    {IPPROTO_TCP, TCP_NODELAY, 4, 0},
    {IPPROTO_TCP, 3 /* TCP_KEEPALIVE */, 4, 0},
    {IPPROTO_TCP, 5 /* TCP_MAXRT */, 4, 0},
    {IPPROTO_TCP, 14 /* TCP_MAXRTMS */, 4, 0},
    {IPPROTO_TCP, 15 /* TCP_FASTOPEN */, 4, 0},
    {IPPROTO_TCP, 16 /* TCP_KEEPCNT */, 4, 0},
    {IPPROTO_UDP, 1 /* UDP_NOCHECKSUM */, 4, 0},
    {IPPROTO_UDP, 2 /* UDP_SEND_MSG_SIZE */, 4, READ_ONLY}, /* cuts what is sent later */
    {IPPROTO_IP, IP_OPTIONS, 40, 0},
    {IPPROTO_IP, IP_HDRINCL, 4, 0},
    {IPPROTO_IP, IP_TOS, 4, 0},
    {IPPROTO_IP, IP_TTL, 4, 0},
    {IPPROTO_IP, IP_MULTICAST_IF, 4, 0},
    {IPPROTO_IP, IP_MULTICAST_TTL, 4, 0},
    {IPPROTO_IP, IP_MULTICAST_LOOP, 4, 0},
    {IPPROTO_IP, IP_ADD_MEMBERSHIP, sizeof(struct ip_mreq), 0},
    {IPPROTO_IP, IP_DROP_MEMBERSHIP, sizeof(struct ip_mreq), 0},
    {IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, sizeof(struct ip_mreq_source), 0},
    {IPPROTO_IP, IP_BLOCK_SOURCE, sizeof(struct ip_mreq_source), 0},
    {IPPROTO_IP, MCAST_JOIN_GROUP, sizeof(struct group_req), 0},
    {IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, sizeof(struct group_source_req), 0},
    {IPPROTO_IP, IP_DONTFRAGMENT, 4, 0},
    {IPPROTO_IP, IP_PKTINFO, 4, 0},
    {IPPROTO_IP, IP_UNICAST_IF, 4, 0},
    {IPPROTO_IPV6, IPV6_V6ONLY, 4, 0},
};

static const char zeros[sizeof(WSAPROTOCOL_INFOW)];

static void walk_option(const struct option *option)
{
    struct hostile_row get = {CALL(getsockopt, FAILS_MINUS_ONE, option_errors, A_SOCKET,
                                   A_CONSTANT(option->level), A_CONSTANT(option->name),
                                   WRITES(option->size), A_LENGTH_AT(option->size))};
    struct hostile_row put = {CALL(setsockopt, FAILS_MINUS_ONE, option_errors, A_SOCKET,
                                   A_CONSTANT(option->level), A_CONSTANT(option->name),
                                   {HOSTILE_IN, zeros, option->size}, A_LENGTH(option->size))};

    winetest_push_context("option %#x of level %#x", option->name, option->level);
    hostile_walk(&get, hostile.before);
    if (!(option->flags & READ_ONLY))
        hostile_walk(&put, hostile.before);
    winetest_pop_context();
}

static void walk_options(void)
{
    unsigned i;

    for (i = 0; i < ARRAYSIZE(options); i++)
        walk_option(&options[i]);
}

static void test_options(void)
{
    hostile.singles = TRUE;
    walk_states(walk_options);
    hostile.singles = FALSE;
}

/* ---- each control ---- */

static const struct control {
    DWORD code, in, out;
} controls[] = {
    {FIONBIO, 4, 4},
    {FIONREAD, 4, 4},
    {SIOCATMARK, 4, 4},
    {SIO_KEEPALIVE_VALS, sizeof(struct tcp_keepalive), 4},
    {SIO_GET_EXTENSION_FUNCTION_POINTER, sizeof(GUID), sizeof(void *)},
    {_WSAIORW(IOC_WS2, 36), sizeof(GUID), 128}, /* SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER */
    {_WSAIOR(IOC_WS2, 34), 4, sizeof(SOCKET)},  /* SIO_BASE_HANDLE */
    {_WSAIOW(IOC_VENDOR, 12), 4, 4},            /* SIO_UDP_CONNRESET */
    {SIO_ENABLE_CIRCULAR_QUEUEING, 4, 4},
    {SIO_GET_INTERFACE_LIST, 4, 1024},
    {SIO_ADDRESS_LIST_QUERY, 4, 1024},
    {SIO_ADDRESS_LIST_CHANGE, 4, 4},
    {SIO_ROUTING_INTERFACE_QUERY, sizeof(struct sockaddr_in), sizeof(struct sockaddr_in)},
    {_WSAIOR(IOC_VENDOR, 256), 4, 4}, /* SIO_AF_UNIX_GETPEERPID */
    {_WSAIOW(IOC_VENDOR, 234), 4, 8}, /* SIO_GET_TX_TIMESTAMP */
    {_WSAIOW(IOC_VENDOR, 235), 8, 4}, /* SIO_TIMESTAMPING */
    {_WSAIOW(IOC_VENDOR, 300), 8, 4}, /* SIO_SET_COMPATIBILITY_MODE */
    {SIO_RCVALL, 4, 4},
    {SIO_RCVALL_MCAST, 4, 4},
    {0xdead0001, 4, 4},
};

/* FIONBIO may have made it a blocking one, on which some controls wait. */
static void keep_nonblocking(void)
{
    u_long mode = 1;

    hostile.before();
    ioctlsocket(hostile.s, FIONBIO, &mode);
}

static void walk_controls(void)
{
    struct hostile_row row = rows[5];
    unsigned i;

    for (i = 0; i < ARRAYSIZE(controls); i++) {
        winetest_push_context("control %#lx", controls[i].code);
        row.parameters[1] = (struct hostile_parameter)A_CONSTANT(controls[i].code);
        row.parameters[2] = (struct hostile_parameter){HOSTILE_IN, zeros, controls[i].in};
        row.parameters[3] = (struct hostile_parameter)A_LENGTH(controls[i].in);
        row.parameters[4] = (struct hostile_parameter)WRITES(controls[i].out);
        row.parameters[5] = (struct hostile_parameter)A_LENGTH(controls[i].out);
        hostile_walk(&row, keep_nonblocking);
        winetest_pop_context();
    }
}

static void test_controls(void)
{
    hostile_in_state(&hostile_states[0], walk_controls);
    hostile.singles = TRUE;
    walk_states(walk_controls);
    hostile.singles = FALSE;
}

START_TEST(hostile_options)
{
    if (!hostile_begin(rows, ARRAYSIZE(rows), hostile_nothing))
        return;
    RUN(test_calls);
    RUN(test_options);
    RUN(test_controls);
    hostile_end(rows, ARRAYSIZE(rows), hostile_nothing);
}
