/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Winsock used while the loader's lock is held.  WSAStartup's page says that it "must not be called
 * from the DllMain function", which does not keep DLLs from doing it, and on Windows it works: curl
 * of MSYS2 is such a program.  A TLS callback of a program runs under the same lock.
 */
#include "net.h"

static struct {
    BOOL ran;
    int startup, sent, received;
    DWORD milliseconds;
} attach;

static void use_winsock(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof(address);
    WSADATA data;
    SOCKET s;
    char buffer[8];

    attach.startup = WSAStartup(MAKEWORD(2, 2), &data);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(s, (struct sockaddr *)&address, sizeof(address));
    getsockname(s, (struct sockaddr *)&address, &length);
    attach.sent = sendto(s, "early", 5, 0, (struct sockaddr *)&address, sizeof(address));
    attach.received = recv(s, buffer, sizeof(buffer), 0);
    closesocket(s);
}

static void NTAPI on_attach(void *module, DWORD reason, void *reserved)
{
    DWORD start = GetTickCount();

    (void)module, (void)reserved;
    if (reason != DLL_PROCESS_ATTACH || attach.ran)
        return;
    attach.ran = TRUE;
    use_winsock();
    attach.milliseconds = GetTickCount() - start;
}

/* the loader calls what lies between .CRT$XLA and .CRT$XLZ */
const PIMAGE_TLS_CALLBACK loader_lock_callback __attribute__((section(".CRT$XLF"), used)) =
    on_attach;

static void test_in_dll_main(void)
{
    ok(attach.ran, "the callback was not called\n");
    ok(!attach.startup, "WSAStartup gave %d\n", attach.startup);
    ok(attach.sent == 5 && attach.received == 5, "sent %d, received %d\n", attach.sent,
       attach.received);
    ok(attach.milliseconds < 10000, "it took %lu ms\n", attach.milliseconds);
}

/* and what was begun there goes on */
static void test_afterwards(void)
{
    char buffer[8];
    SOCKET a, b;

    net_pair(&a, &b);
    net_send_all(a, "later", 5);
    ok(net_recv_all(b, buffer, 5) == 5, "error %d\n", WSAGetLastError());
    closesocket(a);
    closesocket(b);
}

START_TEST(loader_lock)
{
    RUN(test_in_dll_main);
    RUN(test_afterwards);
    WSACleanup();
}
