/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making and ending sockets: families, types, WSASocket flags, what kind of handle a SOCKET is.
 * Sources: the pages of socket, WSASocketW, closesocket, "Socket Handles" (WinSock), GetFileType.
 */
#include "net.h"

/* socket: type and protocol may be left to the provider with 0; AF_UNSPEC is "unspecified". */
static void test_kinds(void)
{
    static const struct {
        int family, type, protocol, result_type;
    } good[] = {
        {AF_INET, SOCK_STREAM, 0, SOCK_STREAM},
        {AF_INET, SOCK_STREAM, IPPROTO_TCP, SOCK_STREAM},
        {AF_INET, SOCK_DGRAM, 0, SOCK_DGRAM},
        {AF_INET, SOCK_DGRAM, IPPROTO_UDP, SOCK_DGRAM},
        {AF_INET6, SOCK_STREAM, IPPROTO_TCP, SOCK_STREAM},
        {AF_INET6, SOCK_DGRAM, IPPROTO_UDP, SOCK_DGRAM},
        {AF_INET, 0, IPPROTO_TCP, SOCK_STREAM},
        {AF_INET, 0, IPPROTO_UDP, SOCK_DGRAM},
        {AF_INET, 0, 0, SOCK_STREAM},
        {AF_INET6, 0, 0, SOCK_STREAM},
    };
    unsigned i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int type = 0, length = sizeof(type);
        SOCKET s;

        winetest_push_context("socket(%d, %d, %d)", good[i].family, good[i].type, good[i].protocol);
        WSASetLastError(0xdead);
        s = socket(good[i].family, good[i].type, good[i].protocol);
        /* the error too is told, as none (Wine's test_WSASocket, run on Windows) */
        ok(s != INVALID_SOCKET && !WSAGetLastError(), "error %d\n", WSAGetLastError());
        ok_success(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&type, &length));
        ok(type == good[i].result_type, "got type %d\n", type);
        ok_success(closesocket(s));
        winetest_pop_context();
    }
}

/* socket, errors: WSAEAFNOSUPPORT, WSAEPROTONOSUPPORT, WSAESOCKTNOSUPPORT, WSAEPROTOTYPE "the
 * specified protocol is the wrong type for this socket" */
static void test_refused_kinds(void)
{
    static const struct {
        int family, type, protocol, error;
    } bad[] = {
        {0xdead, SOCK_STREAM, 0, WSAEAFNOSUPPORT},
        {AF_INET, 0xdead, 0, WSAESOCKTNOSUPPORT},
        {AF_INET, SOCK_STREAM, 0xdead, WSAEPROTONOSUPPORT},
        /* Wine's test_WSASocket, run on Windows */
        {0xdead, 0xdead, IPPROTO_TCP, WSAESOCKTNOSUPPORT},
        {AF_INET, 0xdead, 0xdead, WSAESOCKTNOSUPPORT},
        {AF_INET, SOCK_STREAM, IPPROTO_UDP, WSAEPROTONOSUPPORT},
        {AF_INET, SOCK_DGRAM, IPPROTO_TCP, WSAEPROTONOSUPPORT},
        {AF_UNSPEC, SOCK_STREAM, 0xdead, WSAEPROTONOSUPPORT},
        {AF_UNSPEC, SOCK_STREAM, 0, WSAEINVAL},
        {AF_UNSPEC, 0xdead, 0, WSAEINVAL},
        {AF_UNSPEC, 0, 0, WSAEINVAL},
    };
    unsigned i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        SOCKET s;

        WSASetLastError(0xdead);
        s = socket(bad[i].family, bad[i].type, bad[i].protocol);
        ok(s == INVALID_SOCKET && WSAGetLastError() == bad[i].error,
           "socket(%d, %d, %d): error %d, expected %d\n", bad[i].family, bad[i].type,
           bad[i].protocol, WSAGetLastError(), bad[i].error);
        if (s != INVALID_SOCKET)
            closesocket(s);
    }
}

/* A WSAPROTOCOL_INFO whose family says nothing is no protocol (Wine's test_WSASocket, run on
 * Windows since Vista), whatever the other arguments. */
static void test_empty_info(void)
{
    static const int values[] = {0, FROM_PROTOCOL_INFO};
    WSAPROTOCOL_INFOA info = {0};
    unsigned i;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        info.iAddressFamily = info.iSocketType = info.iProtocol = values[i];
        WSASetLastError(0);
        ok(WSASocketA(0, 0, IPPROTO_UDP, &info, 0, 0) == INVALID_SOCKET &&
               WSAGetLastError() == WSAEAFNOSUPPORT,
           "%d: error %d\n", values[i], WSAGetLastError());
    }
}

/* "Socket Handles": a socket is a file handle of the system; Windows answers FILE_TYPE_PIPE. */
static void test_handle(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD flags = 0;

    ok(GetFileType((HANDLE)s) == FILE_TYPE_PIPE, "got %lu\n", GetFileType((HANDLE)s));
    ok(!(s & 3), "handle %zx is no multiple of four\n", (size_t)s);
    ok(GetHandleInformation((HANDLE)s, &flags), "error %lu\n", GetLastError());
    /* WSASocketW, WSA_FLAG_NO_HANDLE_INHERIT: without it "the socket handle is inheritable" */
    ok(flags & HANDLE_FLAG_INHERIT, "flags %lx\n", flags);
    ok_success(closesocket(s));
    ok_error(closesocket(s), WSAENOTSOCK);

    s = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0,
                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok(GetHandleInformation((HANDLE)s, &flags), "error %lu\n", GetLastError());
    ok(!(flags & HANDLE_FLAG_INHERIT), "flags %lx\n", flags);
    ok_success(closesocket(s));
}

/* CloseHandle on a SOCKET ends it; the peer reads the end of the stream. */
static void test_close_handle(void)
{
    SOCKET a, b;
    char byte;
    int got;

    net_pair(&a, &b);
    ok(CloseHandle((HANDLE)a), "error %lu\n", GetLastError());
    got = recv(b, &byte, 1, 0);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    closesocket(b);
    ok_error(send(a, &byte, 1, 0), WSAENOTSOCK);
}

/* What was sent before the handle went away arrives all the same. */
static void test_close_handle_data(void)
{
    SOCKET a, b;
    char buffer[16];
    int got;

    net_pair(&a, &b);
    net_send_all(a, "last words", 10);
    ok(CloseHandle((HANDLE)a), "error %lu\n", GetLastError());
    got = net_recv_all(b, buffer, sizeof(buffer));
    ok(got == 10 && !memcmp(buffer, "last words", 10), "got %d\n", got);
    closesocket(b);
}

/* A second handle keeps the socket open (DuplicateHandle page: "refers to the same object"). */
static void test_duplicate(void)
{
    HANDLE copy = NULL;
    SOCKET a, b;
    char byte;
    int got;

    net_pair(&a, &b);
    ok(DuplicateHandle(GetCurrentProcess(), (HANDLE)a, GetCurrentProcess(), &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS),
       "error %lu\n", GetLastError());
    ok(CloseHandle((HANDLE)a), "error %lu\n", GetLastError());
    net_nonblocking(b, 1);
    Sleep(50);
    ok_error(recv(b, &byte, 1, 0), WSAEWOULDBLOCK);
    ok(CloseHandle(copy), "error %lu\n", GetLastError());
    ok(net_readable(b, NET_PATIENCE), "no end of stream\n");
    got = recv(b, &byte, 1, 0);
    ok(got == 0, "got %d, error %d\n", got, WSAGetLastError());
    closesocket(b);
}

/* WSASocketW: "The socket that is created will be of the overlapped kind" only with the flag, but
 * "socket" always makes one; WSASocketA makes the same. */
static void test_wsasocket(void)
{
    WSAPROTOCOL_INFOA info_a = {0};
    WSAPROTOCOL_INFOW info = {0};
    int length = sizeof(info), type = 0, size = sizeof(type);
    SOCKET s, t;

    s = WSASocketA(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    length = sizeof(info_a);
    ok_success(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&info_a, &length));
    ok(info_a.iSocketType == SOCK_DGRAM && info_a.iProtocol == IPPROTO_UDP &&
           info_a.iAddressFamily == AF_INET,
       "got %d %d %d\n", info_a.iAddressFamily, info_a.iSocketType, info_a.iProtocol);
    length = sizeof(info);
    ok_success(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &length));
    /* WSASocketW, lpProtocolInfo with FROM_PROTOCOL_INFO: the values "shall be taken from" it */
    t = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, 0);
    ok(t != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_success(getsockopt(t, SOL_SOCKET, SO_TYPE, (char *)&type, &size));
    ok(type == SOCK_DGRAM, "got %d\n", type);
    closesocket(s);
    closesocket(t);
}

/* Many at once, and their numbers come back to nothing: closing must be complete. */
static void test_many(void)
{
    enum { COUNT = 300 };
    static SOCKET s[COUNT];
    int i, round;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < COUNT; i++) {
            s[i] = socket(AF_INET, i & 1 ? SOCK_DGRAM : SOCK_STREAM, 0);
            if (s[i] == INVALID_SOCKET)
                break;
        }
        ok(i == COUNT, "only %d sockets, error %d\n", i, WSAGetLastError());
        while (i--)
            ok_success(closesocket(s[i]));
    }
}

START_TEST(socket)
{
    net_start();
    RUN(test_kinds);
    RUN(test_refused_kinds);
    RUN(test_empty_info);
    RUN(test_handle);
    RUN(test_close_handle);
    RUN(test_close_handle_data);
    RUN(test_duplicate);
    RUN(test_wsasocket);
    RUN(test_many);
    WSACleanup();
}
