/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments (hostile.h) for the calls that make a socket or change its state.  Each call
 * has a socket of its own in the state that is walked, and what it makes is closed behind it.
 *
 * Each list of errors is that of the call's page.
 */
#include "hostile_sockets.h"

static const int create_errors[] = {
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMFILE,
    WSAENOBUFS,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAEACCES,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESOCKTNOSUPPORT,
    WSAEPROVIDERFAILEDINIT,
    0,
};
static const int bind_errors[] = {WSAEACCES,  WSAEADDRINUSE, WSAEADDRNOTAVAIL, WSAEFAULT, WSAEINVAL,
                                  WSAENOBUFS, WSAENOTSOCK,   WSAEAFNOSUPPORT,  0};
static const int connect_errors[] = {
    WSAEADDRINUSE,
    WSAEALREADY,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAECONNREFUSED,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETUNREACH,
    WSAEHOSTUNREACH,
    WSAENOBUFS,
    WSAENOTSOCK,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
    WSAEACCES,
    WSAEOPNOTSUPP,
    WSAEPROTONOSUPPORT,
    WSAEHOSTDOWN,
    0,
};
static const int by_name_errors[] = {
    WSAEINVAL,
    WSAEFAULT,
    WSAENOTSOCK,
    WSAETIMEDOUT,
    WSAEHOSTUNREACH,
    WSAECONNREFUSED,
    WSAEISCONN,
    WSAHOST_NOT_FOUND,
    WSATYPE_NOT_FOUND,
    WSANO_RECOVERY,
    WSATRY_AGAIN,
    WSANO_DATA,
    WSAEAFNOSUPPORT,
    WSAEADDRNOTAVAIL,
    WSAENETUNREACH,
    WSAEALREADY,
    WSAESOCKTNOSUPPORT,
    WSAEACCES,
    0,
};
static const int listen_errors[] = {WSAEADDRINUSE, WSAEINVAL,   WSAEISCONN,    WSAEMFILE,
                                    WSAENOBUFS,    WSAENOTSOCK, WSAEOPNOTSUPP, 0};
static const int accept_errors[] = {
    WSAECONNRESET, WSAEFAULT,      WSAEINVAL,    WSAEMFILE,       WSAENOBUFS, WSAENOTSOCK,
    WSAEOPNOTSUPP, WSAEWOULDBLOCK, WSATRY_AGAIN, WSAECONNREFUSED, 0};
static const int shutdown_errors[] = {WSAECONNABORTED, WSAECONNRESET, WSAEINVAL,      WSAENOTCONN,
                                      WSAENOTSOCK,     WSAEFAULT,     WSAENOPROTOOPT, 0};
static const int close_errors[] = {WSAENOTSOCK, 0};

static struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f};
static struct sockaddr_in group = {.sin_family = AF_INET, .sin_addr.s_addr = 0x010101ef};
static WSAPROTOCOL_INFOA info = {
    .iAddressFamily = AF_INET, .iSocketType = SOCK_STREAM, .iProtocol = IPPROTO_TCP};
static WSAPROTOCOL_INFOW info_wide = {
    .iAddressFamily = AF_INET, .iSocketType = SOCK_STREAM, .iProtocol = IPPROTO_TCP};
static SOCKET_ADDRESS_LIST list = {1, {{(struct sockaddr *)&hostile_to, sizeof(hostile_to)}}};
static WSABUF nothing;
static struct timeval moment = {0, 1000};

static int CALLBACK condition(WSABUF *caller, WSABUF *caller_data, QOS *quality, QOS *group_quality,
                              WSABUF *callee, WSABUF *callee_data, GROUP *socket_group,
                              DWORD_PTR context)
{
    (void)caller, (void)caller_data, (void)quality, (void)group_quality;
    (void)callee, (void)callee_data, (void)socket_group, (void)context;
    return CF_ACCEPT;
}

static void close_result(const ULONG_PTR *words, INT_PTR result)
{
    (void)words;
    closesocket((SOCKET)result);
}

/* closesocket took it: its number may be another socket's by now */
static void forget_socket(const ULONG_PTR *words, INT_PTR result)
{
    (void)result;
    if (words[0] == hostile.s)
        hostile.s = INVALID_SOCKET;
}

#define SIZE       sizeof(struct sockaddr_in)
#define NAME       READS(hostile_to), A_LENGTH(SIZE)
#define NAME_OUT   WRITES(SIZE), A_LENGTH_AT(SIZE)
#define ENDS       A_LENGTH_AT(SIZE), WRITES(SIZE), A_LENGTH_AT(SIZE), WRITES(SIZE)
#define NO_QUALITY A_CONSTANT(0), A_CONSTANT(0)

/* clang-format off */
static const struct hostile_row rows[] = {
    {CALL(socket, FAILS_MINUS_ONE, create_errors, A_NUMBER(AF_INET), A_NUMBER(SOCK_STREAM),
          A_NUMBER(IPPROTO_TCP)), .undo = close_result},
    {CALL(WSASocketA, FAILS_MINUS_ONE, create_errors, A_NUMBER(AF_INET), A_NUMBER(SOCK_STREAM),
          A_NUMBER(IPPROTO_TCP), READS(info), A_NUMBER(0), A_NUMBER(1)), .undo = close_result,
     .singles = TRUE},
    {CALL(WSASocketW, FAILS_MINUS_ONE, create_errors, A_NUMBER(AF_INET), A_NUMBER(SOCK_STREAM),
          A_NUMBER(IPPROTO_TCP), READS(info_wide), A_NUMBER(0), A_NUMBER(1)),
     .undo = close_result, .singles = TRUE},
    {CALL(bind, FAILS_MINUS_ONE, bind_errors, A_SOCKET, READS(any), A_LENGTH(SIZE))},
    {CALL(listen, FAILS_MINUS_ONE, listen_errors, A_SOCKET, A_NUMBER(5))},
    {CALL(connect, FAILS_MINUS_ONE, connect_errors, A_SOCKET, NAME)},
    {CALL(WSAConnect, FAILS_MINUS_ONE, connect_errors, A_SOCKET, NAME, READS(nothing),
          UPDATES(nothing), NO_QUALITY), .singles = TRUE},
    {CALL(WSAConnectByList, FAILS_NULL, by_name_errors, A_SOCKET, READS(list), ENDS, HOLDS(moment),
          A_CONSTANT(0)), .singles = TRUE},
    {CALL(WSAConnectByNameA, FAILS_NULL, by_name_errors, A_SOCKET, A_TEXT("127.0.0.1"),
          A_TEXT("9"), ENDS, HOLDS(moment), A_CONSTANT(0)), .singles = TRUE},
    {CALL(WSAConnectByNameW, FAILS_NULL, by_name_errors, A_SOCKET, A_WIDE(L"127.0.0.1"),
          A_WIDE(L"9"), ENDS, HOLDS(moment), A_CONSTANT(0)), .singles = TRUE},
    {CALL(accept, FAILS_MINUS_ONE, accept_errors, A_SOCKET, NAME_OUT), .undo = close_result},
    {CALL(WSAAccept, FAILS_MINUS_ONE, accept_errors, A_SOCKET, NAME_OUT, A_FUNCTION(condition),
          A_NUMBER(0)), .undo = close_result, .singles = TRUE},
    {CALL(WSAJoinLeaf, FAILS_MINUS_ONE, connect_errors, A_SOCKET, READS(group), A_LENGTH(SIZE),
          READS(nothing), UPDATES(nothing), NO_QUALITY, A_NUMBER(JL_BOTH)), .singles = TRUE},
    {CALL(shutdown, FAILS_MINUS_ONE, shutdown_errors, A_SOCKET, A_NUMBER(SD_SEND))},
    {CALL(WSASendDisconnect, FAILS_MINUS_ONE, shutdown_errors, A_SOCKET, READS(nothing))},
    {CALL(WSARecvDisconnect, FAILS_MINUS_ONE, shutdown_errors, A_SOCKET, READS(nothing))},
    {CALL(closesocket, FAILS_MINUS_ONE, close_errors, A_SOCKET), .undo = forget_socket},
};
/* clang-format on */

static const struct hostile_state *state;
static SOCKET target, caller;

/* The state anew, and who connects to it if it listens. */
static void open_again(void)
{
    struct sockaddr_in address;
    int length = sizeof(address);

    hostile_close();
    if (caller != INVALID_SOCKET)
        closesocket(caller);
    caller = INVALID_SOCKET;
    state->open();
    if (state->open == hostile_open_closed)
        hostile.s = INVALID_SOCKET - 3; /* nobody's, now and later */
    if (state->open != hostile_open_listening)
        return;
    ok_success(getsockname(hostile.s, (struct sockaddr *)&address, &length));
    caller = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(caller, (struct sockaddr *)&address, length));
    ok(net_readable(hostile.s, NET_PATIENCE), "nobody calls\n");
}

static void walk_state(void)
{
    struct sockaddr_storage address;
    int length;

    target = net_listener(AF_INET, &address, &length);
    memcpy(&hostile_to, &address, sizeof(hostile_to));
    hostile.any_state = TRUE;
    hostile_walk_table(rows, ARRAYSIZE(rows), open_again);
    hostile.any_state = FALSE;
    hostile_close();
    closesocket(target);
}

static void test_states(void)
{
    unsigned i;

    caller = hostile.s = hostile_peer = INVALID_SOCKET;
    for (i = 0; i < ARRAYSIZE(hostile_states); i++) {
        state = &hostile_states[i];
        winetest_push_context("%s", state->name);
        hostile.singles = i > 0; /* pairs on a fresh one */
        walk_state();
        winetest_pop_context();
    }
}

START_TEST(hostile_states)
{
    if (!hostile_begin(rows, ARRAYSIZE(rows), hostile_nothing))
        return;
    RUN(test_states);
    hostile_end(rows, ARRAYSIZE(rows), hostile_nothing);
}
