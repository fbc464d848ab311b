/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile arguments in every pair of combinations (hostile.h) for the send and receive calls, on
 * sockets in each state: nothing crashes, nothing is written where it must not be, each failure has
 * a code that the page names, and the socket works afterwards as before.
 */
#include "hostile_sockets.h"

/* The tables of recv, recvfrom, WSARecv, WSARecvFrom */
static const int receive_errors[] = {
    WSA_IO_PENDING, WSAEFAULT,    WSAEINVAL,       WSAENOTCONN, WSAENOTSOCK,
    WSAEOPNOTSUPP,  WSAESHUTDOWN, WSAEWOULDBLOCK,  WSAEMSGSIZE, WSAECONNRESET,
    WSAETIMEDOUT,   WSAENETRESET, WSAECONNABORTED, 0,
};

/* The tables of send, sendto, WSASend, WSASendTo, WSASendMsg */
static const int send_errors[] = {
    WSA_IO_PENDING,   WSAEFAULT,       WSAEINVAL,       WSAENOTCONN,     WSAENOTSOCK, WSAEOPNOTSUPP,
    WSAESHUTDOWN,     WSAEWOULDBLOCK,  WSAEMSGSIZE,     WSAECONNRESET,   WSAENOBUFS,  WSAEACCES,
    WSAEADDRNOTAVAIL, WSAEAFNOSUPPORT, WSAECONNABORTED, WSAEDESTADDRREQ, 0,
};

static const char data[HOSTILE_DATA_SIZE] = "data";
static WSABUF buffers[4];
static WSAMSG message = {
    (struct sockaddr *)&hostile_to, sizeof(hostile_to), buffers, 1, {0, NULL}, 0};

/* What the parameters are */
#define DATA     READS(data), A_LENGTH(HOSTILE_DATA_SIZE)
#define ROOM     WRITES(HOSTILE_DATA_SIZE), A_LENGTH(HOSTILE_DATA_SIZE)
#define BUFFERS  READS(buffers), A_NUMBER(1)
#define FLAGS    A_NUMBER(0)
#define FLAGS_AT A_NUMBER_AT(0)
#define BYTES_AT WRITES(sizeof(DWORD))
#define FROM     WRITES(sizeof(hostile_to)), A_LENGTH_AT(sizeof(hostile_to))
#define TO       READS(hostile_to), A_LENGTH(sizeof(hostile_to))
#define LATER    AN_OVERLAPPED, A_ROUTINE

/* clang-format off */
static const struct hostile_row rows[] = {
    {CALL(recv, FAILS_MINUS_ONE, receive_errors, A_SOCKET, ROOM, FLAGS)},
    {CALL(recvfrom, FAILS_MINUS_ONE, receive_errors, A_SOCKET, ROOM, FLAGS, FROM)},
    {CALL(WSARecv, FAILS_MINUS_ONE, receive_errors, A_SOCKET, BUFFERS, BYTES_AT, FLAGS_AT, LATER)},
    {CALL(WSARecvFrom, FAILS_MINUS_ONE, receive_errors, A_SOCKET, BUFFERS, BYTES_AT, FLAGS_AT, FROM, LATER)},
    {CALL(send, FAILS_MINUS_ONE, send_errors, A_SOCKET, DATA, FLAGS)},
    {CALL(sendto, FAILS_MINUS_ONE, send_errors, A_SOCKET, DATA, FLAGS, TO)},
    {CALL(WSASend, FAILS_MINUS_ONE, send_errors, A_SOCKET, BUFFERS, BYTES_AT, FLAGS, LATER)},
    {CALL(WSASendTo, FAILS_MINUS_ONE, send_errors, A_SOCKET, BUFFERS, BYTES_AT, FLAGS, TO, LATER)},
    {CALL(WSASendMsg, FAILS_MINUS_ONE, send_errors, A_SOCKET, READS(message), FLAGS, BYTES_AT, LATER)},
};
/* clang-format on */

static void walk(void)
{
    hostile_walk_table(rows, ARRAYSIZE(rows), hostile.before);
}

static void test_states(void)
{
    unsigned i;

    for (i = 0; i < ARRAYSIZE(buffers); i++)
        buffers[i] = (WSABUF){HOSTILE_DATA_SIZE, hostile.data};
    for (i = 0; i < ARRAYSIZE(hostile_states); i++)
        hostile_in_state(&hostile_states[i], walk);
}

/* A blocking socket, whose receives end after a millisecond */
static void test_blocking(void)
{
    DWORD time = 1;

    hostile_open_pair();
    net_nonblocking(hostile.s, 0);
    ok_success(setsockopt(hostile.s, SOL_SOCKET, SO_RCVTIMEO, (char *)&time, sizeof(time)));
    hostile.any_state = TRUE;
    hostile_walk(&rows[0], hostile_keep_room);
    hostile.any_state = FALSE;
    net_nonblocking(hostile.s, 1);
    hostile_check_alive();
    hostile_close();
}

START_TEST(hostile_io)
{
    if (!hostile_begin(rows, ARRAYSIZE(rows), hostile_nothing))
        return;
    RUN(test_states);
    RUN(test_blocking);
    hostile_end(rows, ARRAYSIZE(rows), hostile_nothing);
}
