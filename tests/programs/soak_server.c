/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * soak_server: the program that lives as long as the soak does.  Prints "port N" and echoes what
 * its connections send, through a completion port, reading with ReadFile and with WSARecv by turns.
 *
 * A connection whose first byte is '?' gets one line, "handles H connections C", and is closed.
 * Two threads: one accepts, one serves; a connection belongs to the second.  Ends when killed.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

#include "handle_count.h"

struct connection {
    OVERLAPPED ov; /* first: a packet's OVERLAPPED is its connection */
    SOCKET s;
    BOOL sending, begun;
    DWORD length, sent;
    unsigned turns;
    char data[65536];
};

static HANDLE port;
static LONG volatile connections;

static void finish(struct connection *connection)
{
    closesocket(connection->s);
    free(connection);
    InterlockedDecrement(&connections);
}

static BOOL started(BOOL result)
{
    return result || GetLastError() == ERROR_IO_PENDING;
}

static void receive(struct connection *connection)
{
    WSABUF buf = {sizeof(connection->data), connection->data};
    DWORD flags = 0;
    BOOL result;

    connection->sending = FALSE;
    memset(&connection->ov, 0, sizeof(connection->ov));
    if (connection->turns++ % 2)
        result = ReadFile((HANDLE)connection->s, buf.buf, buf.len, NULL, &connection->ov);
    else
        result = !WSARecv(connection->s, &buf, 1, NULL, &flags, &connection->ov, NULL);
    if (!started(result))
        finish(connection);
}

static void send_rest(struct connection *connection)
{
    WSABUF buf = {connection->length - connection->sent, connection->data + connection->sent};

    connection->sending = TRUE;
    memset(&connection->ov, 0, sizeof(connection->ov));
    if (!started(!WSASend(connection->s, &buf, 1, NULL, 0, &connection->ov, NULL)))
        finish(connection);
}

static void tell(struct connection *connection)
{
    char line[64];

    snprintf(line, sizeof(line), "handles %lu connections %ld\n", handle_count(), connections);
    send(connection->s, line, (int)strlen(line), 0);
    finish(connection);
}

static void go_on(struct connection *connection, BOOL well, DWORD bytes)
{
    if (!well || !bytes) {
        finish(connection);
        return;
    }
    if (!connection->sending) {
        connection->length = bytes;
        connection->sent = 0;
        if (!connection->begun && connection->data[0] == '?') {
            tell(connection);
            return;
        }
        connection->begun = TRUE;
        send_rest(connection);
    } else if ((connection->sent += bytes) < connection->length)
        send_rest(connection);
    else
        receive(connection);
}

static DWORD WINAPI serve(void *unused)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    (void)unused;
    for (;;) {
        BOOL well = GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE);

        if (ov)
            go_on((struct connection *)ov, well, bytes);
    }
    return 0;
}

static int fail(const char *what)
{
    fprintf(stderr, "soak_server: %s: error %d\n", what, WSAGetLastError());
    return 1;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof(address);
    SOCKET listener;
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data))
        return 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, SOMAXCONN) ||
        getsockname(listener, (struct sockaddr *)&address, &length))
        return fail("listening");
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CloseHandle(CreateThread(NULL, 0, serve, NULL, 0, NULL));
    printf("port %u\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct connection *connection = calloc(1, sizeof(*connection));

        if (!connection)
            return fail("memory");
        connection->s = accept(listener, NULL, NULL);
        if (connection->s == INVALID_SOCKET)
            return fail("accept");
        InterlockedIncrement(&connections);
        CreateIoCompletionPort((HANDLE)connection->s, port, 0, 0);
        receive(connection);
    }
}
