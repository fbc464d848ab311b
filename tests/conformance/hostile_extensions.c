/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments (hostile.h) for the functions that SIO_GET_EXTENSION_FUNCTION_POINTER gives:
 * AcceptEx and GetAcceptExSockaddrs, ConnectEx, DisconnectEx, TransmitFile,
 * TransmitPackets, WSARecvMsg.
 *
 * Each call has sockets of its own.  Each list of errors is that of the call's page.
 */
#include "hostile_sockets.h"

static const int accept_errors[] = {WSA_IO_PENDING,
                                    WSAECONNRESET,
                                    WSAEFAULT,
                                    WSAEINVAL,
                                    WSAENOTSOCK,
                                    WSAEOPNOTSUPP,
                                    WSAEWOULDBLOCK,
                                    WSAEISCONN,
                                    WSA_INVALID_PARAMETER,
                                    WSAENOBUFS,
                                    0};
static const int connect_errors[] = {WSA_IO_PENDING,
                                     WSAEFAULT,
                                     WSAEINVAL,
                                     WSAENOTSOCK,
                                     WSAEISCONN,
                                     WSAEALREADY,
                                     WSAEOPNOTSUPP,
                                     WSAENOBUFS,
                                     WSAEAFNOSUPPORT,
                                     WSAEADDRNOTAVAIL,
                                     WSAENOTCONN,
                                     WSAECONNREFUSED,
                                     WSAEADDRINUSE,
                                     WSAETIMEDOUT,
                                     WSAEMSGSIZE,
                                     WSAENETUNREACH,
                                     WSA_INVALID_PARAMETER,
                                     0};
static const int disconnect_errors[] = {WSA_IO_PENDING, WSAEFAULT,     WSAEINVAL,     WSAENOTSOCK,
                                        WSAENOTCONN,    WSAEOPNOTSUPP, WSAECONNRESET, 0};
static const int transmit_errors[] = {WSA_IO_PENDING,
                                      WSAECONNABORTED,
                                      WSAECONNRESET,
                                      WSAEFAULT,
                                      WSAEINVAL,
                                      WSAENETRESET,
                                      WSAENOBUFS,
                                      WSAENOTCONN,
                                      WSAENOTSOCK,
                                      WSAESHUTDOWN,
                                      WSAEOPNOTSUPP,
                                      WSAEWOULDBLOCK,
                                      ERROR_INVALID_HANDLE,
                                      0};
static const int message_errors[] = {WSA_IO_PENDING, WSAEFAULT,      WSAEINVAL,    WSAENOTSOCK,
                                     WSAEOPNOTSUPP,  WSAEWOULDBLOCK, WSAEMSGSIZE,  WSAENOTCONN,
                                     WSAECONNRESET,  WSAESHUTDOWN,   WSAETIMEDOUT, 0};

static void *accept_ex, *sockaddrs, *connect_ex, *disconnect_ex, *transmit_file, *transmit_packets,
    *recv_msg;
static HANDLE accepting, file; /* a socket's, and of a file */
static const char data[HOSTILE_DATA_SIZE] = "data";
static WSABUF buffers[1];
static WSAMSG message = {NULL, 0, buffers, 1, {0, NULL}, 0};
static TRANSMIT_FILE_BUFFERS ends;
static TRANSMIT_PACKETS_ELEMENT packets[2];

#define ROOM  128 /* for data and two addresses of 32 bytes */
#define BYTES WRITES(sizeof(DWORD))
#define SIZE  sizeof(struct sockaddr_in)

/* clang-format off */
static const struct hostile_row rows[] = {
    {EXTENSION(AcceptEx, accept_ex, FAILS_NULL, accept_errors, A_SOCKET, A_HANDLE(accepting),
               WRITES(ROOM), A_LENGTH(ROOM - 64), A_LENGTH(32), A_LENGTH(32), BYTES,
               AN_OVERLAPPED)},
    {EXTENSION(GetAcceptExSockaddrs, sockaddrs, FAILS_NEVER, NULL, WRITES(ROOM),
               A_LENGTH(ROOM - 64), A_LENGTH(32), A_LENGTH(32), WRITES(sizeof(void *)),
               WRITES(sizeof(int)), WRITES(sizeof(void *)), WRITES(sizeof(int)))},
    {EXTENSION(ConnectEx, connect_ex, FAILS_NULL, connect_errors, A_SOCKET, READS(hostile_to),
               A_LENGTH(SIZE), READS(data), A_LENGTH(HOSTILE_DATA_SIZE), BYTES, AN_OVERLAPPED)},
    {EXTENSION(DisconnectEx, disconnect_ex, FAILS_NULL, disconnect_errors, A_SOCKET,
               AN_OVERLAPPED, A_NUMBER(0), A_NUMBER(0))},
    {EXTENSION(TransmitFile, transmit_file, FAILS_NULL, transmit_errors, A_SOCKET, A_FILE(file),
               A_NUMBER(0), A_NUMBER(0), AN_OVERLAPPED, READS(ends), A_CONSTANT(0))},
    {EXTENSION(TransmitPackets, transmit_packets, FAILS_NULL, transmit_errors, A_SOCKET,
               READS(packets), A_LENGTH(2), A_NUMBER(0), AN_OVERLAPPED, A_CONSTANT(0))},
    {EXTENSION(WSARecvMsg, recv_msg, FAILS_MINUS_ONE, message_errors, A_SOCKET, UPDATES(message),
               BYTES, AN_OVERLAPPED, A_ROUTINE)},
};
/* clang-format on */

static void find(const GUID *guid, void **function)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD bytes;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, (void *)guid, sizeof(*guid),
                        function, sizeof(*function), &bytes, NULL, NULL));
    closesocket(s);
}

static void find_all(void)
{
    static const GUID guids[] = {
        WSAID_ACCEPTEX,     WSAID_GETACCEPTEXSOCKADDRS, WSAID_CONNECTEX, WSAID_DISCONNECTEX,
        WSAID_TRANSMITFILE, WSAID_TRANSMITPACKETS,      WSAID_WSARECVMSG};
    void **const functions[] = {&accept_ex,     &sockaddrs,        &connect_ex, &disconnect_ex,
                                &transmit_file, &transmit_packets, &recv_msg};
    unsigned i;

    for (i = 0; i < ARRAYSIZE(guids); i++)
        find(&guids[i], functions[i]);
}

static const struct hostile_state *state;

static void open_again(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};

    hostile_close();
    if (accepting)
        closesocket((SOCKET)accepting);
    state->open();
    if (state->open == hostile_open_closed)
        hostile.s = INVALID_SOCKET - 3;    /* nobody's, now and later */
    if (state->open == hostile_open_fresh) /* as ConnectEx wants it */
        ok_success(bind(hostile.s, (struct sockaddr *)&any, sizeof(any)));
    accepting = (HANDLE)socket(AF_INET, SOCK_STREAM, 0);
}

static void test_states(void)
{
    unsigned i;

    hostile.s = hostile_peer = INVALID_SOCKET;
    hostile.singles = hostile.any_state = TRUE;
    for (i = 0; i < ARRAYSIZE(hostile_states); i++) {
        state = &hostile_states[i];
        winetest_push_context("%s", state->name);
        hostile_walk_table(rows, ARRAYSIZE(rows), open_again);
        hostile_close();
        winetest_pop_context();
    }
}

/* Pairs of hostile values, on a connection that stays */
static void test_pairs(void)
{
    hostile.singles = FALSE;
    hostile_open_pair();
    hostile_walk(&rows[0], hostile_keep_room);
    hostile_walk(&rows[1], hostile_keep_room);
    hostile_walk(&rows[6], hostile_keep_room);
    hostile_check_alive();
    hostile_close();
}

START_TEST(hostile_extensions)
{
    char path[MAX_PATH], name[MAX_PATH];
    struct sockaddr_storage address;
    SOCKET target;
    int length;

    hostile_start();
    if (on_builtin())
        return;
    net_start();
    hostile.started = TRUE;
    buffers[0] = (WSABUF){HOSTILE_DATA_SIZE, hostile.data};
    ends = (TRANSMIT_FILE_BUFFERS){hostile.data, 4, hostile.data, 4};
    packets[0] = (TRANSMIT_PACKETS_ELEMENT){.dwElFlags = TP_ELEMENT_MEMORY, .cLength = 4};
    packets[0].pBuffer = hostile.data;
    packets[1] = packets[0];
    target = net_listener(AF_INET, &address, &length);
    memcpy(&hostile_to, &address, sizeof(hostile_to));
    GetTempPathA(sizeof(path), path);
    GetTempFileNameA(path, "rs", 0, name);
    file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                       FILE_FLAG_DELETE_ON_CLOSE, NULL);
    ok(file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    find_all();
    RUN(test_states);
    RUN(test_pairs);
    CloseHandle(file);
    closesocket(target);
    WSACleanup();
}
