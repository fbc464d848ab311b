/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options and controls that only tell something, or have no effect on Windows either.
 * Sources: "SOL_SOCKET Socket Options", "SO_BSP_STATE", "Winsock IOCTLs".
 */
#include "net.h"

#define BSP_STATE          0x1009
#define COMPATIBILITY_MODE _WSAIOW(IOC_VENDOR, 300)
#define LOOPBACK_FAST_PATH _WSAIOW(IOC_VENDOR, 16)
#define BSP_HANDLE         _WSAIOR(IOC_WS2, 27)
#define BSP_HANDLE_SELECT  _WSAIOR(IOC_WS2, 28)
#define BSP_HANDLE_POLL    _WSAIOR(IOC_WS2, 29)

/* SO_BSP_STATE: "Returns the local address, local port, remote address, remote port, socket type,
 * and protocol used by a socket." */
static void test_state(void)
{
    union {
        CSADDR_INFO info;
        char room[256];
    } state;
    struct sockaddr_in local = {0}, peer = {0};
    int size = sizeof(state), length = sizeof(local);
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(getsockname(a, (struct sockaddr *)&local, &length));
    ok_success(getpeername(a, (struct sockaddr *)&peer, &length));
    memset(&state, 0, sizeof(state));
    ok_success(getsockopt(a, SOL_SOCKET, BSP_STATE, state.room, &size));
    ok(state.info.iSocketType == SOCK_STREAM && state.info.iProtocol == IPPROTO_TCP,
       "type %d, protocol %d\n", state.info.iSocketType, state.info.iProtocol);
    ok(state.info.LocalAddr.iSockaddrLength == sizeof(local) &&
           !memcmp(state.info.LocalAddr.lpSockaddr, &local, sizeof(local)),
       "another local address\n");
    ok(state.info.RemoteAddr.iSockaddrLength == sizeof(peer) &&
           !memcmp(state.info.RemoteAddr.lpSockaddr, &peer, sizeof(peer)),
       "another remote address\n");
    size = sizeof(CSADDR_INFO) - 1;
    ok_error(getsockopt(a, SOL_SOCKET, BSP_STATE, state.room, &size), WSAEFAULT);
    closesocket(a);
    closesocket(b);
}

/* SO_MAX_MSG_SIZE: "the maximum outbound message size for message-oriented sockets ... Has no
 * meaning for stream oriented sockets." */
static void test_message_size(void)
{
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD value = 0;
    int size = sizeof(value);

    ok_success(getsockopt(udp, SOL_SOCKET, SO_MAX_MSG_SIZE, (char *)&value, &size));
    ok(value >= 65467 && value <= 65535, "got %lu\n", value);
    ok(setsockopt(udp, SOL_SOCKET, SO_MAX_MSG_SIZE, (char *)&value, size) == SOCKET_ERROR, "set\n");
    closesocket(udp);
}

/* SO_PROTOCOL_INFO in ANSI. */
static void test_protocol_info(void)
{
    SOCKET s = socket(AF_INET6, SOCK_DGRAM, 0);
    WSAPROTOCOL_INFOA info = {0};
    int size = sizeof(info);

    ok_success(getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&info, &size));
    ok(size == sizeof(info) && info.iAddressFamily == AF_INET6 && info.iProtocol == IPPROTO_UDP &&
           info.szProtocol[0],
       "family %d, protocol %d, name '%s'\n", info.iAddressFamily, info.iProtocol, info.szProtocol);
    closesocket(s);
}

/* SIO_BSP_HANDLE and its like: "the base service provider handle for a socket" used by a call;
 * without layered providers that is the socket. */
static void test_base_handles(void)
{
    static const DWORD codes[] = {BSP_HANDLE, BSP_HANDLE_SELECT, BSP_HANDLE_POLL};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    for (unsigned int i = 0; i < ARRAYSIZE(codes); i++) {
        SOCKET base = 0;
        DWORD bytes;
        int result = WSAIoctl(s, codes[i], NULL, 0, &base, sizeof(base), &bytes, NULL, NULL);

        todo_wine ok(!result && base == s, "code %#lx: error %d, handle %zx\n", codes[i],
                     WSAGetLastError(), (size_t)base);
    }
    closesocket(s);
}

/* SIO_ADDRESS_LIST_QUERY: "a list of local transport addresses of the socket's protocol family to
 * which the application can bind"; a host of nothing but a loopback may have none. */
static void test_address_list(void)
{
    static char room[16384];
    SOCKET_ADDRESS_LIST *list = (SOCKET_ADDRESS_LIST *)room;
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD bytes = 0;

    ok_success(
        WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, room, sizeof(room), &bytes, NULL, NULL));
    ok(list->iAddressCount >= 0 && list->iAddressCount < 500, "%d addresses\n",
       list->iAddressCount);
    for (int i = 0; i < list->iAddressCount; i++) {
        const struct sockaddr *address = list->Address[i].lpSockaddr;
        SOCKET bound = socket(AF_INET, SOCK_DGRAM, 0);

        ok(address->sa_family == AF_INET, "family %d\n", address->sa_family);
        ok_success(bind(bound, address, list->Address[i].iSockaddrLength));
        closesocket(bound);
    }
    closesocket(s);
}

/* SO_DEBUG, SO_DONTROUTE: stored and without effect; SIO_LOOPBACK_FAST_PATH: "deprecated and is not
 * recommended". */
static void test_without_effect(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1, value = 0, size = sizeof(value);
    DWORD bytes;

    ok_success(setsockopt(s, SOL_SOCKET, SO_DEBUG, (char *)&on, sizeof(on)));
    ok_success(getsockopt(s, SOL_SOCKET, SO_DEBUG, (char *)&value, &size));
    todo_wine_if(!value) ok(value == 1, "got %d\n", value);
    todo_wine ok_success(
        WSAIoctl(s, LOOPBACK_FAST_PATH, &on, sizeof(on), NULL, 0, &bytes, NULL, NULL));
    closesocket(s);
}

/* `*bytes`: what a call that succeeded has told. */
static int set_mode(SOCKET s, DWORD behaviour, DWORD version, DWORD size, DWORD *bytes)
{
    DWORD mode[2] = {behaviour, version}, told = 77;
    int result = WSAIoctl(s, COMPATIBILITY_MODE, mode, size, NULL, 0, &told, NULL, NULL);

    *bytes = result ? 0 : told;
    return result;
}

/* "WSAEINVAL: ... a specified input parameter is not acceptable ... This error is returned if the
 * cbInBuffer parameter is less than the sizeof the WSA_COMPATIBILITY_MODE structure."
 * "WSAEOPNOTSUPP: ... when an attempt to use the SIO_SET_COMPATIBILITY_MODE IOCTL is made on a
 * datagram socket." */
static void test_compatibility_mode(void)
{
    static const DWORD versions[] = {0x05000000, 0x05010000, 0x05020000, 0x06000000};
    SOCKET tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    DWORD bytes;

    for (DWORD behaviour = 0; behaviour <= 2; behaviour++)
        for (unsigned int i = 0; i < ARRAYSIZE(versions); i++) {
            todo_wine ok_success(set_mode(tcp, behaviour, versions[i], 8, &bytes));
            ok(!bytes, "%lu bytes\n", bytes);
        }
    todo_wine
    {
        ok_error(set_mode(tcp, 0, versions[0], 7, &bytes), WSAEINVAL);
        ok_error(set_mode(tcp, 3, versions[0], 8, &bytes), WSAEINVAL);
    }
    ok_error(set_mode(udp, 0, versions[0], 8, &bytes), WSAEOPNOTSUPP);
    closesocket(tcp);
    closesocket(udp);
}

/* Of a stream too SO_RCVBUF and SO_SNDBUF are told as they were set, before and after connecting,
 * and data pass with any of them: a send buffer of 0 is one too. */
static void test_stream_buffers(void)
{
    static const DWORD sizes[] = {0, 1, 4096, 65536, 1 << 20};
    char data[5000], got[5000];
    SOCKET a, b;

    memset(data, 'x', sizeof(data));
    net_pair(&a, &b);
    for (unsigned int i = 0; i < ARRAYSIZE(sizes); i++) {
        for (int option = SO_SNDBUF; option <= SO_RCVBUF; option++) {
            SOCKET s = option == SO_SNDBUF ? a : b;
            DWORD value = 77;
            int size = sizeof(value);

            ok_success(setsockopt(s, SOL_SOCKET, option, (char *)&sizes[i], sizeof(sizes[i])));
            ok_success(getsockopt(s, SOL_SOCKET, option, (char *)&value, &size));
            ok(value == sizes[i], "%#x: %lu, not %lu\n", option, value, sizes[i]);
        }
        ok(send(a, data, sizeof(data), 0) == sizeof(data), "error %d\n", WSAGetLastError());
        for (int done = 0, count; done < (int)sizeof(data); done += count)
            if ((count = recv(b, got, sizeof(got) - done, 0)) <= 0) {
                ok(0, "at %d: error %d\n", done, WSAGetLastError());
                break;
            }
    }
    closesocket(a);
    closesocket(b);
}

/* SO_COMPARTMENT_ID, "get/set the compartment for a socket" (ws2def.h): the primary one, of
 * ifdef.h's NET_COMPARTMENT_ID.  setsockopt's page: "WSAEINVAL: ... the information in the buffer
 * pointed to by the optval parameter is not valid". */
static void test_compartment(void)
{
    static const DWORD compartment = 0x3004;

    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        SOCKET s = socket(AF_INET, type, 0);
        DWORD value = 77, primary = 1, none = 0x7ffffff0;
        int size = sizeof(value), error;

        error = getsockopt(s, SOL_SOCKET, compartment, (char *)&value, &size);
        todo_wine ok(!error && value == primary, "got %d: %lu\n", error, value);
        todo_wine ok_success(
            setsockopt(s, SOL_SOCKET, compartment, (char *)&primary, sizeof(primary)));
        todo_wine ok_error(setsockopt(s, SOL_SOCKET, compartment, (char *)&none, sizeof(none)),
                           WSAEINVAL);
        error = getsockopt(s, SOL_SOCKET, compartment, (char *)&value, &size);
        todo_wine ok(!error && value == primary, "got %d: %lu\n", error, value);
        closesocket(s);
    }
}

/* What docs/options.md has as refused is: no program is to take it for done. */
static void test_refused(void)
{
    enum {
        ABSORB_RTRALERT = 5,
        UCAST_IF,
        LIMIT_BROADCASTS,
        INDEX_BIND,
        INDEX_MCASTIF,
        INDEX_ADD_MCAST,
        INDEX_DEL_MCAST,
        TCP_SET_ICW = 22
    };
    static const DWORD codes[] = {ABSORB_RTRALERT, UCAST_IF,        LIMIT_BROADCASTS, INDEX_BIND,
                                  INDEX_MCASTIF,   INDEX_ADD_MCAST, INDEX_DEL_MCAST,  TCP_SET_ICW};
    DWORD value = 1, bytes;

    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        SOCKET s = socket(AF_INET, type, 0);

        for (unsigned int i = 0; i < ARRAYSIZE(codes); i++) {
            winetest_push_context("control %lu, type %d", codes[i], type);
            ok_error(WSAIoctl(s, _WSAIOW(IOC_VENDOR, codes[i]), &value, sizeof(value), NULL, 0,
                              &bytes, NULL, NULL),
                     WSAEOPNOTSUPP);
            winetest_pop_context();
        }
        closesocket(s);
    }
}

START_TEST(option_rest)
{
    net_start();
    RUN(test_state);
    RUN(test_message_size);
    RUN(test_protocol_info);
    RUN(test_base_handles);
    RUN(test_address_list);
    RUN(test_without_effect);
    RUN(test_compatibility_mode);
    RUN(test_stream_buffers);
    RUN(test_compartment);
    RUN(test_refused);
    WSACleanup();
}
