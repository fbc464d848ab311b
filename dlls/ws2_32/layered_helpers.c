/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Wah functions beside the handle contexts: helpers that layered providers and ws2_32.dll
 * shared in ws2help.dll before Windows Vista.
 *
 * Undocumented; their names, arguments and the structures are known from ReactOS' ws2help.  They
 * report with a Win32 error code.  A helper's handle is a number that only these functions know.
 * The handles of sockets without a driver need the driver ws2ifsl.sys, which Windows 10 does not
 * start by default and Wine does not have: opening that helper fails as it does there.  No lock.
 */
#include "arguments.h"
#include "provider_change.h"
#include "unsupported.h"

#define APC_HELPER          ((HANDLE)(ULONG_PTR)0x52734150u)
#define NOTIFICATION_HELPER ((HANDLE)(ULONG_PTR)0x52734e48u)

/* ---- asynchronous calls ---- */

DWORD WINAPI WahOpenApcHelper(HANDLE *helper);
DWORD WINAPI WahOpenApcHelper(HANDLE *helper)
{
    if (!helper || !argument_out(helper, sizeof(*helper)))
        return ERROR_INVALID_PARAMETER;
    *helper = APC_HELPER;
    return NO_ERROR;
}

DWORD WINAPI WahCloseApcHelper(HANDLE helper);
DWORD WINAPI WahCloseApcHelper(HANDLE helper)
{
    return helper == APC_HELPER ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

DWORD WINAPI WahOpenCurrentThread(HANDLE helper, LPWSATHREADID thread);
DWORD WINAPI WahOpenCurrentThread(HANDLE helper, LPWSATHREADID thread)
{
    if (helper != APC_HELPER || !thread || !argument_out(thread, sizeof(*thread)))
        return ERROR_INVALID_PARAMETER;
    if (!DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                         &thread->ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return GetLastError();
    thread->Reserved = GetCurrentThreadId();
    return NO_ERROR;
}

DWORD WINAPI WahCloseThread(HANDLE helper, LPWSATHREADID thread);
DWORD WINAPI WahCloseThread(HANDLE helper, LPWSATHREADID thread)
{
    if (helper != APC_HELPER || !thread || !argument_out(thread, sizeof(*thread)) ||
        !thread->ThreadHandle)
        return ERROR_INVALID_PARAMETER;
    if (!CloseHandle(thread->ThreadHandle))
        return GetLastError();
    thread->ThreadHandle = NULL;
    thread->Reserved = 0;
    return NO_ERROR;
}

DWORD WINAPI WahQueueUserApc(HANDLE helper, LPWSATHREADID thread, void *routine, void *context);
DWORD WINAPI WahQueueUserApc(HANDLE helper, LPWSATHREADID thread, void *routine, void *context)
{
    if (helper != APC_HELPER || !thread || !argument_in(thread, sizeof(*thread)) ||
        !thread->ThreadHandle || !routine)
        return ERROR_INVALID_PARAMETER;
    return QueueUserAPC((PAPCFUNC)routine, thread->ThreadHandle, (ULONG_PTR)context)
               ? NO_ERROR
               : GetLastError();
}

/* ---- changes of the catalogs ---- */

DWORD WINAPI WahOpenNotificationHandleHelper(HANDLE *helper);
DWORD WINAPI WahOpenNotificationHandleHelper(HANDLE *helper)
{
    if (!helper || !argument_out(helper, sizeof(*helper)))
        return ERROR_INVALID_PARAMETER;
    *helper = NOTIFICATION_HELPER;
    return NO_ERROR;
}

DWORD WINAPI WahCloseNotificationHandleHelper(HANDLE helper);
DWORD WINAPI WahCloseNotificationHandleHelper(HANDLE helper)
{
    return helper == NOTIFICATION_HELPER ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

DWORD WINAPI WahCreateNotificationHandle(HANDLE helper, HANDLE *notification);
DWORD WINAPI WahCreateNotificationHandle(HANDLE helper, HANDLE *notification)
{
    if (helper != NOTIFICATION_HELPER || !notification ||
        !argument_out(notification, sizeof(*notification)))
        return ERROR_INVALID_PARAMETER;
    return provider_change_open(notification);
}

DWORD WINAPI WahWaitForNotification(HANDLE helper, HANDLE notification, LPWSAOVERLAPPED overlapped,
                                    void *routine);
DWORD WINAPI WahWaitForNotification(HANDLE helper, HANDLE notification, LPWSAOVERLAPPED overlapped,
                                    void *routine)
{
    if (helper != NOTIFICATION_HELPER || !argument_out(overlapped, sizeof(*overlapped)))
        return ERROR_INVALID_PARAMETER;
    return provider_change_wait(notification, overlapped,
                                (LPWSAOVERLAPPED_COMPLETION_ROUTINE)routine);
}

DWORD WINAPI WahNotifyAllProcesses(HANDLE helper);
DWORD WINAPI WahNotifyAllProcesses(HANDLE helper)
{
    return helper == NOTIFICATION_HELPER ? provider_change_notify() : ERROR_INVALID_PARAMETER;
}

/* ---- handles of sockets that no driver has ---- */

/* \Device\WS2IFSL is not there. */
DWORD WINAPI WahOpenHandleHelper(HANDLE *helper);
DWORD WINAPI WahOpenHandleHelper(HANDLE *helper)
{
    return helper ? ERROR_FILE_NOT_FOUND : ERROR_INVALID_PARAMETER;
}

/* None was ever opened. */
DWORD WINAPI WahCloseHandleHelper(HANDLE helper);
DWORD WINAPI WahCloseHandleHelper(HANDLE helper)
{
    (void)helper;
    return ERROR_INVALID_PARAMETER;
}

DWORD WINAPI WahCreateSocketHandle(HANDLE helper, SOCKET *s);
DWORD WINAPI WahCreateSocketHandle(HANDLE helper, SOCKET *s)
{
    (void)helper, (void)s;
    return ERROR_INVALID_PARAMETER;
}

DWORD WINAPI WahCloseSocketHandle(HANDLE helper, SOCKET s);
DWORD WINAPI WahCloseSocketHandle(HANDLE helper, SOCKET s)
{
    (void)helper, (void)s;
    return ERROR_INVALID_PARAMETER;
}

DWORD WINAPI WahCompleteRequest(HANDLE helper, SOCKET s, LPWSAOVERLAPPED overlapped, DWORD error,
                                DWORD transferred);
DWORD WINAPI WahCompleteRequest(HANDLE helper, SOCKET s, LPWSAOVERLAPPED overlapped, DWORD error,
                                DWORD transferred)
{
    (void)helper, (void)s, (void)overlapped, (void)error, (void)transferred;
    return ERROR_INVALID_PARAMETER;
}

/* Starting the driver, and ending it. */
DWORD WINAPI WahEnableNonIFSHandleSupport(void);
DWORD WINAPI WahEnableNonIFSHandleSupport(void)
{
    refuse(ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_DOES_NOT_EXIST);
}

DWORD WINAPI WahDisableNonIFSHandleSupport(void);
DWORD WINAPI WahDisableNonIFSHandleSupport(void)
{
    refuse(ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_DOES_NOT_EXIST);
}

/* Of the system's event log; what the arguments mean is not known. */
DWORD WINAPI WahWriteLSPEvent(DWORD first, DWORD second);
DWORD WINAPI WahWriteLSPEvent(DWORD first, DWORD second)
{
    (void)first, (void)second;
    refuse(ERROR_NOT_SUPPORTED, ERROR_NOT_SUPPORTED);
}
