/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAJoinLeaf.  Source: its page.  The built-in has a stub.
 */
#include "net.h"

#define LEAF (WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF)

static struct sockaddr_in group_address(void)
{
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons(4711)};

    group.sin_addr.s_addr = htonl(0xefc00a0b); /* 239.192.10.11: of the organisation */
    return group;
}

static SOCKET leaf(void)
{
    SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED | LEAF);

    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    return s;
}

static SOCKET join(SOCKET s, DWORD flags)
{
    struct sockaddr_in group = group_address();

    return WSAJoinLeaf(s, (struct sockaddr *)&group, sizeof(group), NULL, NULL, NULL, NULL, flags);
}

/* "the returned socket descriptor is the same as the input socket descriptor" */
static void test_same_socket(void)
{
    SOCKET s = leaf(), joined = join(s, JL_BOTH);

    todo_wine ok(joined == s, "got %ld, error %d\n", (long)joined, WSAGetLastError());
    closesocket(s);
}

/* What is sent to the group on this machine reaches the member. */
static void test_receives(void)
{
    struct sockaddr_in group = group_address(), own;
    SOCKET s = leaf(), sender = socket(AF_INET, SOCK_DGRAM, 0);
    int length = sizeof(own);
    char byte = 0;

    todo_wine ok(join(s, JL_RECEIVER_ONLY) == s, "error %d\n", WSAGetLastError());
    if (!getsockname(s, (struct sockaddr *)&own, &length)) {
        group.sin_port = own.sin_port;
        if (sendto(sender, "x", 1, 0, (struct sockaddr *)&group, sizeof(group)) == 1) {
            ok(net_readable(s, NET_PATIENCE), "nothing came\n");
            net_nonblocking(s, 1);
            ok(recv(s, &byte, 1, 0) == 1 && byte == 'x', "error %d\n", WSAGetLastError());
        } else
            skip("no route to a group, error %d\n", WSAGetLastError());
    }
    closesocket(s);
    closesocket(sender);
}

/* "If the socket s is unbound, unique values are assigned to the local association by the system,
 * and the socket is marked as bound." */
static void test_binds(void)
{
    struct sockaddr_in own = {0};
    SOCKET s = leaf();
    int length = sizeof(own);

    todo_wine
    {
        ok(join(s, JL_SENDER_ONLY) == s, "error %d\n", WSAGetLastError());
        ok_success(getsockname(s, (struct sockaddr *)&own, &length));
        ok(own.sin_port, "no port\n");
    }
    closesocket(s);
}

/* "WSAEISCONN: The socket is already a member of the multipoint session." */
static void test_twice(void)
{
    SOCKET s = leaf();

    todo_wine
    {
        ok(join(s, JL_BOTH) == s, "error %d\n", WSAGetLastError());
        ok_error(join(s, JL_BOTH), WSAEISCONN);
    }
    closesocket(s);
}

/* "WSAEINVAL: A WSAJoinLeaf function call was performed on a UDP socket that was opened without
 * setting its WSA_FLAG_MULTIPOINT_C_LEAF or WSA_FLAG_MULTIPOINT_D_LEAF multipoint flag." */
static void test_no_leaf(void)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0), stream = socket(AF_INET, SOCK_STREAM, 0);

    todo_wine
    {
        ok_error(join(s, JL_BOTH), WSAEINVAL);
        ok_error(join(stream, JL_BOTH), WSAEINVAL);
    }
    closesocket(s);
    closesocket(stream);
}

/* "WSAEADDRNOTAVAIL: The remote address is not a valid address (such as ADDR_ANY)." */
static void test_address(void)
{
    struct sockaddr_in group = group_address();
    SOCKET s = leaf();

    group.sin_addr.s_addr = INADDR_ANY;
    todo_wine
    {
        ok_error(WSAJoinLeaf(s, (struct sockaddr *)&group, sizeof(group), NULL, NULL, NULL, NULL,
                             JL_BOTH),
                 WSAEADDRNOTAVAIL);
        /* "WSAEFAULT: ... the namelen parameter is too small" */
        ok_error(WSAJoinLeaf(s, (struct sockaddr *)&group, 4, NULL, NULL, NULL, NULL, JL_BOTH),
                 WSAEFAULT);
        /* "WSAEAFNOSUPPORT: Addresses in the specified family cannot be used with this socket." */
        group.sin_family = AF_IPX;
        ok_error(WSAJoinLeaf(s, (struct sockaddr *)&group, sizeof(group), NULL, NULL, NULL, NULL,
                             JL_BOTH),
                 WSAEAFNOSUPPORT);
    }
    closesocket(s);
}

/* "WSAEPROTONOSUPPORT: The lpCallerData augment is not supported by the service provider." */
static void test_caller_data(void)
{
    struct sockaddr_in group = group_address();
    char byte;
    WSABUF data = {1, &byte};
    SOCKET s = leaf();

    todo_wine ok_error(
        WSAJoinLeaf(s, (struct sockaddr *)&group, sizeof(group), &data, NULL, NULL, NULL, JL_BOTH),
        WSAEPROTONOSUPPORT);
    closesocket(s);
}

/* "The len member ... will be set to zero if no user data has been passed back." */
static void test_callee_data(void)
{
    struct sockaddr_in group = group_address();
    char byte;
    WSABUF data = {1, &byte};
    SOCKET s = leaf();

    todo_wine
    {
        ok(WSAJoinLeaf(s, (struct sockaddr *)&group, sizeof(group), NULL, &data, NULL, NULL,
                       JL_BOTH) == s,
           "error %d\n", WSAGetLastError());
        ok(!data.len, "length %lu\n", data.len);
    }
    closesocket(s);
}

/* "With a nonblocking socket ... an FD_CONNECT indication will be given on the original socket s
 * when the join operation completes". */
static void test_event(void)
{
    HANDLE event = WSACreateEvent();
    WSANETWORKEVENTS events = {0};
    SOCKET s = leaf();

    ok_success(WSAEventSelect(s, event, FD_CONNECT));
    todo_wine
    {
        ok(join(s, JL_BOTH) == s, "error %d\n", WSAGetLastError());
        ok(!WaitForSingleObject(event, 1000), "not set\n");
    }
    ok_success(WSAEnumNetworkEvents(s, event, &events));
    todo_wine
    {
        ok(events.lNetworkEvents == FD_CONNECT && !events.iErrorCode[FD_CONNECT_BIT],
           "events %lx, error %d\n", events.lNetworkEvents, events.iErrorCode[FD_CONNECT_BIT]);
    }
    WSACloseEvent(event);
    closesocket(s);
}

/* WSASocket's page: the leaf flags are for protocols with XP1_SUPPORT_MULTIPOINT. */
static void test_flags(void)
{
    todo_wine
    {
        ok_error(WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, LEAF), WSAEINVAL);
        ok_error(WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_MULTIPOINT_C_ROOT),
                 WSAEINVAL);
    }
}

START_TEST(join_leaf)
{
    net_start();
    RUN(test_same_socket);
    RUN(test_receives);
    RUN(test_binds);
    RUN(test_twice);
    RUN(test_no_leaf);
    RUN(test_address);
    RUN(test_caller_data);
    RUN(test_callee_data);
    RUN(test_event);
    RUN(test_flags);
    WSACleanup();
}
