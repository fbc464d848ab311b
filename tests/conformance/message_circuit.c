/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAEDISCON, which WSARecv gives for a socket that "is message oriented and the virtual circuit
 * was gracefully closed by the remote side": there is no such socket to be had.
 *
 * Windows' own providers of that kind were SPX (AF_IPX), NetBIOS and ATM, which are gone from it;
 * Linux had IPX until 5.15, and its SCTP, TIPC and Bluetooth are not Winsock's.  So this shows that
 * no provider that is listed makes one, and that TCP's graceful end is zero bytes instead.
 */
#include "net.h"

static WSAPROTOCOL_INFOW *list_protocols(int *count)
{
    DWORD size = 0;
    WSAPROTOCOL_INFOW *list;

    WSAEnumProtocolsW(NULL, NULL, &size);
    list = calloc(1, size);
    *count = WSAEnumProtocolsW(NULL, list, &size);
    ok(*count > 0, "got %d, error %d\n", *count, WSAGetLastError());
    return list;
}

/* "Whether or not a protocol is acting as byte stream is determined by the setting of
 * XP1_MESSAGE_ORIENTED and XP1_PSEUDO_STREAM in its WSAPROTOCOL_INFO structure" */
static BOOL is_message_circuit(const WSAPROTOCOL_INFOW *info)
{
    return (info->dwServiceFlags1 & XP1_MESSAGE_ORIENTED) &&
           !(info->dwServiceFlags1 & (XP1_PSEUDO_STREAM | XP1_CONNECTIONLESS));
}

/* "Socket s is message oriented and the virtual circuit was gracefully closed" */
static void test_no_provider(void)
{
    int count, i;
    WSAPROTOCOL_INFOW *list = list_protocols(&count);

    for (i = 0; i < count; i++) {
        SOCKET s;

        if (!is_message_circuit(&list[i]))
            continue;
        s = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &list[i], 0, 0);
        ok(s == INVALID_SOCKET, "family %d has message-oriented circuits\n",
           list[i].iAddressFamily);
    }
    free(list);
}

/* The same by the socket's type: the sequenced packets of TCP/IP do not exist. */
static void test_no_type(void)
{
    static const int families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < ARRAYSIZE(families); i++) {
        ok(socket(families[i], SOCK_SEQPACKET, 0) == INVALID_SOCKET, "there is one\n");
        ok(WSAGetLastError() == WSAESOCKTNOSUPPORT, "error %d\n", WSAGetLastError());
    }
}

/* "For byte streams, zero bytes having been read ... indicates graceful closure" */
static void test_graceful_end(void)
{
    SOCKET client, server;
    DWORD bytes = 1, flags = 0;
    char byte;
    WSABUF buffer = {1, &byte};

    net_pair(&client, &server);
    closesocket(server);
    ok(!WSARecv(client, &buffer, 1, &bytes, &flags, NULL, NULL), "error %d\n", WSAGetLastError());
    ok(bytes == 0, "got %lu bytes\n", bytes);
    closesocket(client);
}

START_TEST(message_circuit)
{
    net_start();
    RUN(test_no_provider);
    RUN(test_no_type);
    RUN(test_graceful_end);
    WSACleanup();
}
