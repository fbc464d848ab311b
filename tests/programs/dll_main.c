/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Winsock in DllMain, by winsock_in_dll_main.dll, and in a TLS callback of this program, which the
 * loader calls when a thread ends after it has told ws2_32.dll of that.  WSAStartup's page says
 * that it "must not be called from the DllMain function"; programs do it all the same.  Threads are
 * allowed: "During process startup and DLL initialization routines, new threads can be created, but
 * they do not begin execution until DLL initialization is done for the process" (CreateThread).
 *
 *   dll_main threads     many threads, each with a socket that is closed in DLL_THREAD_DETACH
 *   dll_main late        the same in the TLS callback
 *   dll_main reload      the DLL is loaded and freed, each time with its thread
 *   dll_main end PORT    a connection to the host, which is used in DLL_PROCESS_DETACH
 */
#include "../conformance/net.h"
#include "handle_count.h"

static HMODULE dll;
static DWORD late_tls;
static LONG volatile late_left;

#define IN_DLL(result, name, ...) \
    ((result(WINAPI *)(__VA_ARGS__))(void *)GetProcAddress(dll, #name))

static void NTAPI on_thread(void *module, DWORD reason, void *reserved)
{
    SOCKET s = reason == DLL_THREAD_DETACH ? (SOCKET)TlsGetValue(late_tls) : 0;

    (void)module, (void)reserved;
    if (s && send(s, "end", 3, 0) == 3 && !closesocket(s))
        InterlockedIncrement(&late_left);
}

/* the loader calls what lies between .CRT$XLA and .CRT$XLZ */
const PIMAGE_TLS_CALLBACK on_thread_callback __attribute__((section(".CRT$XLF"), used)) = on_thread;

static void load(void)
{
    dll = LoadLibraryA("winsock_in_dll_main.dll");
    ok(dll != NULL, "error %lu\n", GetLastError());
    if (!dll)
        exit(1);
}

static void wait_for_worker(void)
{
    LONG volatile *transferred;
    HANDLE worker = IN_DLL(HANDLE, worker_thread, LONG volatile **)(&transferred);

    ok(WaitForSingleObject(worker, NET_PATIENCE) == WAIT_OBJECT_0, "the DLL's thread goes on\n");
    ok(*transferred == 100, "%ld of 100 datagrams\n", *transferred);
}

/* Its socket's other end, by which the thread's last words come. */
static SOCKET peer;
static BOOL late;

static DWORD WINAPI leaving(void *unused)
{
    char byte;
    SOCKET s;

    (void)unused;
    net_pair(&s, &peer);
    net_send_all(peer, "x", 1);
    ok(recv(s, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    if (late)
        TlsSetValue(late_tls, (void *)s);
    else
        IN_DLL(void, leave_at_thread_end, SOCKET)(s);
    return 0;
}

static DWORD handles(void)
{
    DWORD count = handle_count();

    ok(count > 0, "no handles\n");
    return count;
}

#define THREADS 300

static void test_threads(void)
{
    DWORD before = 0, after;
    char words[4];

    for (int i = 0; i < THREADS; i++) {
        HANDLE thread = CreateThread(NULL, 0, leaving, NULL, 0, NULL);

        ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "it does not end\n");
        CloseHandle(thread);
        ok(net_recv_all(peer, words, 3) == 3 && !memcmp(words, "end", 3), "error %d\n",
           WSAGetLastError());
        ok(!recv(peer, words, 1, 0), "error %d\n", WSAGetLastError()); /* its end */
        closesocket(peer);
        if (i == THREADS / 10)
            before = handles();
    }
    after = handles();
    todo_wine_if(late) /* one for each thread stays */
        ok(after < before + 50, "%lu handles, then %lu\n", before, after);
    ok((late ? late_left : IN_DLL(LONG, sockets_left, void)()) == THREADS, "not all left well\n");
}

static void test_reload(void)
{
    for (int i = 0; i < 20; i++) {
        load();
        wait_for_worker();
        ok(FreeLibrary(dll), "error %lu\n", GetLastError());
    }
}

static void test_end(u_short port)
{
    struct sockaddr_in address = {AF_INET, htons(port), {{{127, 0, 0, 1}}}, {0}};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok(!connect(s, (struct sockaddr *)&address, sizeof(address)), "error %d\n", WSAGetLastError());
    IN_DLL(void, leave_at_end, SOCKET)(s);
}

START_TEST(dll_main)
{
    late_tls = TlsAlloc();
    net_start();
    if (!strcmp(__argv[1], "reload"))
        RUN(test_reload);
    else {
        late = !strcmp(__argv[1], "late");
        load();
        wait_for_worker();
        if (!strcmp(__argv[1], "end"))
            RUN(test_end, (u_short)atoi(__argv[2]));
        else
            RUN(test_threads);
    }
}
