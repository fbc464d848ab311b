/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shortest Winsock program: prints "WSAStartup N", and if that is 0 makes and closes one socket
 * and prints "socket OK" or "socket ERROR".  Exit code 0 in each case: what it says is the result.
 */
#include <winsock2.h>

#include <stdio.h>

int main(void)
{
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    SOCKET s;

    printf("WSAStartup %d\n", error);
    if (error)
        return 0;
    s = socket(AF_INET, SOCK_STREAM, 0);
    if (s == INVALID_SOCKET)
        printf("socket %d\n", WSAGetLastError());
    else
        printf("socket OK\n");
    closesocket(s);
    WSACleanup();
    return 0;
}
