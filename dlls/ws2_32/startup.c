/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAStartup, WSACleanup, the last error, and the blocking hooks of Winsock 1.1 (which Winsock 2
 * refuses).  Owns the start-up count.
 */
#include "startup.h"
#include "log.h"
#include "session.h"
#include "socket_life.h"

static LONG volatile startup_count;

bool startup_check(void)
{
    if (startup_count > 0)
        return true;
    SetLastError(WSANOTINITIALISED);
    return false;
}

/* WSAStartup's page: 1.0, 1.1, 2.0, 2.1 and 2.2 are as asked for; what lies above gets 2.2, what
 * lies between gets the next lower. */
static WORD negotiate(WORD wanted)
{
    BYTE major = LOBYTE(wanted), minor = HIBYTE(wanted);

    if (major == 1)
        return MAKEWORD(1, minor < 1 ? minor : 1);
    if (major == 2 && minor < 2)
        return wanted;
    return MAKEWORD(2, 2);
}

static void describe(WSADATA *data, WORD version)
{
    memset(data, 0, sizeof(*data));
    data->wVersion = version;
    data->wHighVersion = MAKEWORD(2, 2);
    strcpy(data->szDescription, "WinSock 2.0");
    strcpy(data->szSystemStatus, "Running");
    if (LOBYTE(version) == 1) { /* "ignored for Windows Sockets version 2 and later" */
        data->iMaxSockets = 32767;
        data->iMaxUdpDg = 65467;
    }
}

int WSAAPI WSAStartup(WORD version, LPWSADATA data)
{
    struct session *session;
    DWORD error;

    if (!LOBYTE(version))
        return WSAVERNOTSUPPORTED;
    if (!data)
        return WSAEFAULT;
    if ((error = session_open(&session)))
        return error;
    describe(data, negotiate(version));
    InterlockedIncrement(&startup_count);
    return 0;
}

static void close_one(struct socket *socket, void *context)
{
    (void)context;
    socket_close(socket);
}

int WSAAPI WSACleanup(void)
{
    LONG count = startup_count, seen;

    for (; count > 0; count = seen)
        if ((seen = InterlockedCompareExchange(&startup_count, count - 1, count)) == count)
            break;
    if (count <= 0)
        return return_error(WSANOTINITIALISED);
    if (count == 1) /* WSACleanup's page: sockets still open are closed */
        socket_for_each(close_one, NULL);
    SetLastError(0);
    return 0;
}

int WSAAPI WSAGetLastError(void)
{
    return (int)GetLastError();
}

void WSAAPI WSASetLastError(int error)
{
    SetLastError((DWORD)error);
}

/* ---- Winsock 1.1 blocking hooks: "WSAEOPNOTSUPP: the caller is using Winsock 2" ---- */

BOOL WSAAPI WSAIsBlocking(void)
{
    return FALSE;
}

FARPROC WSAAPI WSASetBlockingHook(FARPROC hook)
{
    (void)hook;
    if (startup_check())
        SetLastError(WSAEOPNOTSUPP);
    return NULL;
}

int WSAAPI WSAUnhookBlockingHook(void)
{
    return startup_check() ? return_error(WSAEOPNOTSUPP) : SOCKET_ERROR;
}

int WSAAPI WSACancelBlockingCall(void)
{
    return startup_check() ? return_error(WSAEOPNOTSUPP) : SOCKET_ERROR;
}
