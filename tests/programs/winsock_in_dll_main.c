/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A DLL that uses Winsock at every turn of its life, for dll_main.c: its DllMain starts a thread
 * with socket work when it is loaded, sends and closes on the sockets that threads leave behind
 * when they end, and when it goes itself, with the process or before.
 *
 * It imports ws2_32.dll, so that one is told of threads and of the end after this DLL.
 */
#include <winsock2.h>

#define EXPORT __declspec(dllexport)

EXPORT HANDLE WINAPI worker_thread(LONG volatile **transferred);
EXPORT void WINAPI leave_at_thread_end(SOCKET s);
EXPORT LONG WINAPI sockets_left(void);
EXPORT void WINAPI leave_at_end(SOCKET s);
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved);

static struct {
    HANDLE worker;
    LONG volatile transferred, left;
    DWORD tls;
    SOCKET at_end;
} state;

HANDLE WINAPI worker_thread(LONG volatile **transferred)
{
    *transferred = &state.transferred;
    return state.worker;
}

/* The calling thread's socket: closed when it ends. */
void WINAPI leave_at_thread_end(SOCKET s)
{
    TlsSetValue(state.tls, (void *)s);
}

LONG WINAPI sockets_left(void)
{
    return state.left;
}

/* A connection that says "bye" at the process's end, and waits for one byte. */
void WINAPI leave_at_end(SOCKET s)
{
    state.at_end = s;
}

static DWORD WINAPI worker(void *unused)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof(address);
    char buffer[8];
    WSADATA data;
    SOCKET s;

    (void)unused;
    WSAStartup(MAKEWORD(2, 2), &data);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(s, (struct sockaddr *)&address, sizeof(address));
    getsockname(s, (struct sockaddr *)&address, &length);
    for (int i = 0; i < 100; i++) {
        if (sendto(s, "work", 4, 0, (struct sockaddr *)&address, sizeof(address)) == 4 &&
            recv(s, buffer, sizeof(buffer), 0) == 4)
            InterlockedIncrement(&state.transferred);
    }
    closesocket(s);
    WSACleanup();
    return 0;
}

static void thread_detach(void)
{
    SOCKET s = (SOCKET)TlsGetValue(state.tls);

    if (s && send(s, "end", 3, 0) == 3 && !closesocket(s))
        InterlockedIncrement(&state.left);
}

static void process_detach(void)
{
    char byte;

    if (!state.at_end)
        return;
    send(state.at_end, "bye", 3, 0);
    recv(state.at_end, &byte, 1, 0);
    closesocket(state.at_end);
    WSACleanup();
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)instance, (void)reserved;
    switch (reason) {
    case DLL_PROCESS_ATTACH:
        state.tls = TlsAlloc();
        state.worker = CreateThread(NULL, 0, worker, NULL, 0, NULL);
        break;
    case DLL_THREAD_DETACH:
        thread_detach();
        break;
    case DLL_PROCESS_DETACH:
        process_detach();
        CloseHandle(state.worker);
        TlsFree(state.tls);
        break;
    }
    return TRUE;
}
