/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Winsock for programs that load and free ws2_32.dll themselves: they import nothing of it, so it
 * is in the process only from late_load() to the last late_free().
 *
 * Owns: ws.  Every function is static and reports its own failures as checks.
 */
#ifndef RINGSOCK_TESTS_LATE_WINSOCK_H
#define RINGSOCK_TESTS_LATE_WINSOCK_H

#include <winsock2.h>
#include <ws2tcpip.h>

#include "ringsock_test.h"

#define PATIENCE 5000

#define LATE_CALLS(F)                                                                        \
    F(WSAStartup)                                                                            \
    F(WSACleanup) F(WSAGetLastError) F(socket) F(bind) F(listen) F(connect) F(accept)        \
        F(getsockname) F(send) F(recv) F(select) F(closesocket) F(WSARecv) F(WSAEventSelect) \
            F(WSAEnumNetworkEvents) F(WSAGetOverlappedResult)

#define LATE_POINTER(name) __typeof__(&name) name;
static struct {
    HMODULE module;
    LATE_CALLS(LATE_POINTER)
} ws;

static RT_UNUSED BOOL late_is_loaded(void)
{
    return GetModuleHandleA("ws2_32.dll") != NULL;
}

static RT_UNUSED void late_load(void)
{
    ws.module = LoadLibraryA("ws2_32.dll");
    ok(ws.module != NULL, "LoadLibrary: error %lu\n", GetLastError());
    if (!ws.module)
        exit(1);
#define LATE_FIND(name) ws.name = (__typeof__(&name))(void *)GetProcAddress(ws.module, #name);
    LATE_CALLS(LATE_FIND)
    if (rt.ours)
        rt_check_target();
}

static RT_UNUSED void late_start(void)
{
    WSADATA data;
    int error = ws.WSAStartup(MAKEWORD(2, 2), &data);

    ok(!error, "WSAStartup gave %d\n", error);
}

/* Two connected stream sockets. */
static RT_UNUSED void late_pair(SOCKET *client, SOCKET *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof(address);
    SOCKET l = ws.socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = 0x0100007f;
    ok(!ws.bind(l, (struct sockaddr *)&address, length), "error %d\n", ws.WSAGetLastError());
    ok(!ws.listen(l, 1), "error %d\n", ws.WSAGetLastError());
    ok(!ws.getsockname(l, (struct sockaddr *)&address, &length), "error %d\n",
       ws.WSAGetLastError());
    *client = ws.socket(AF_INET, SOCK_STREAM, 0);
    ok(!ws.connect(*client, (struct sockaddr *)&address, length), "error %d\n",
       ws.WSAGetLastError());
    *server = ws.accept(l, NULL, NULL);
    ok(*server != INVALID_SOCKET, "error %d\n", ws.WSAGetLastError());
    ok(!ws.closesocket(l), "error %d\n", ws.WSAGetLastError());
}

/* A receive that waits for its bytes. */
static RT_UNUSED void late_transfer(SOCKET from, SOCKET to)
{
    WSAOVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    char buffer[8] = "";
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD bytes = 0, flags = 0;

    ok(ws.WSARecv(to, &buf, 1, NULL, &flags, &ov, NULL) && ws.WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", ws.WSAGetLastError());
    ok(ws.send(from, "waited", 6, 0) == 6, "error %d\n", ws.WSAGetLastError());
    ok(WaitForSingleObject(ov.hEvent, PATIENCE) == WAIT_OBJECT_0, "its event is not set\n");
    ok(ws.WSAGetOverlappedResult(to, &ov, &bytes, FALSE, &flags) && bytes == 6 &&
           !memcmp(buffer, "waited", 6),
       "%lu bytes, error %d\n", bytes, ws.WSAGetLastError());
    CloseHandle(ov.hEvent);
}

#endif
