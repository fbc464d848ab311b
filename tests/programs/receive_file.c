/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The demonstration: receives a file with overlapped WSARecv calls and an event, in the order of
 * calls that Microsoft's page on WSARecv shows.
 *
 *     receive_file HOST PORT OUTFILE
 *
 * Prints which ws2_32.dll was in use, the bytes, and the calls that had to wait.  Single-threaded,
 * takes no lock.
 */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>

#define BUFFER_SIZE 65536

/* The C library's functions know no error of Winsock. */
static int complain(const char *call, int error)
{
    fprintf(stderr, "receive_file: %s failed with error %d\n", call, error);
    return 1;
}

static SOCKET connect_to(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct addrinfo *list, *each;
    SOCKET s = INVALID_SOCKET;
    int error = getaddrinfo(host, port, &hints, &list);

    if (error) {
        complain("getaddrinfo", error);
        return INVALID_SOCKET;
    }
    for (each = list; each; each = each->ai_next) {
        s = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
        if (s == INVALID_SOCKET) {
            error = WSAGetLastError();
            continue;
        }
        if (!connect(s, each->ai_addr, (int)each->ai_addrlen))
            break;
        error = WSAGetLastError();
        closesocket(s);
        s = INVALID_SOCKET;
    }
    freeaddrinfo(list);
    if (s == INVALID_SOCKET)
        complain("connect", error);
    return s;
}

/* One receive from its start to its end.  Returns 0 or the error; *waited counts the pending. */
static int receive_some(SOCKET s, WSAOVERLAPPED *overlapped, WSABUF *buffer, DWORD *got,
                        int *waited)
{
    DWORD flags = 0;

    if (WSARecv(s, buffer, 1, NULL, &flags, overlapped, NULL)) {
        int error = WSAGetLastError();

        if (error != WSA_IO_PENDING)
            return complain("WSARecv", error);
        (*waited)++;
    }
    while (1) {
        DWORD woken = WSAWaitForMultipleEvents(1, &overlapped->hEvent, TRUE, WSA_INFINITE, TRUE);

        if (woken == WSA_WAIT_FAILED)
            return complain("WSAWaitForMultipleEvents", WSAGetLastError());
        if (woken == WSA_WAIT_EVENT_0)
            break;
    }
    if (!WSAGetOverlappedResult(s, overlapped, got, FALSE, &flags))
        return complain("WSAGetOverlappedResult", WSAGetLastError());
    if (!WSAResetEvent(overlapped->hEvent))
        return complain("WSAResetEvent", WSAGetLastError());
    return 0;
}

static int receive_all(SOCKET s, FILE *out)
{
    static char data[BUFFER_SIZE];
    WSABUF buffer = {.len = sizeof(data), .buf = data};
    WSAOVERLAPPED overlapped = {.hEvent = WSACreateEvent()};
    unsigned long long total = 0;
    int calls = 0, waited = 0, failed;
    DWORD got = 0;

    if (overlapped.hEvent == WSA_INVALID_EVENT)
        return complain("WSACreateEvent", WSAGetLastError());
    do {
        failed = receive_some(s, &overlapped, &buffer, &got, &waited);
        calls++;
        if (!failed && got && fwrite(data, 1, got, out) != got) {
            perror("receive_file: fwrite");
            failed = 1;
        }
        total += got;
    } while (!failed && got);
    WSACloseEvent(overlapped.hEvent);
    if (!failed)
        printf("received %llu bytes in %d calls of WSARecv, %d of them pending\n", total, calls,
               waited);
    return failed;
}

int main(int argc, char **argv)
{
    char module[MAX_PATH] = "?";
    WSADATA wsadata;
    SOCKET s;
    FILE *out;
    int failed = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: receive_file HOST PORT OUTFILE\n");
        return 2;
    }
    failed = WSAStartup(MAKEWORD(2, 2), &wsadata);
    if (failed)
        return complain("WSAStartup", failed);
    GetModuleFileNameA(GetModuleHandleA("ws2_32.dll"), module, sizeof(module));
    printf("ws2_32.dll in use: %s (%s)\n", module, wsadata.szDescription);
    out = fopen(argv[3], "wb");
    if (!out) {
        perror("receive_file: fopen");
        WSACleanup();
        return 1;
    }
    s = connect_to(argv[1], argv[2]);
    failed = s == INVALID_SOCKET || receive_all(s, out);
    if (s != INVALID_SOCKET)
        closesocket(s);
    if (fclose(out)) {
        perror("receive_file: fclose");
        failed = 1;
    }
    WSACleanup();
    return failed;
}
