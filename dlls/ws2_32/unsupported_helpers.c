/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Wah functions: helpers that layered service providers shared with ws2_32 before Windows
 * Vista.
 *
 * Undocumented; known from the Windows 2000 DDK's names only.  They report with a Win32 error code
 * (those that return a pointer or BOOL with NULL or FALSE), so ERROR_NOT_SUPPORTED is theirs.  A
 * provider that needs them does not load under Wine at all.  Takes no lock.
 */
#include "unsupported.h"

#define REFUSING(type, failure, name, ...)    \
    type WINAPI name(__VA_ARGS__);            \
    type WINAPI name(__VA_ARGS__)             \
    {                                         \
        refuse(ERROR_NOT_SUPPORTED, failure); \
    }

#pragma GCC diagnostic ignored "-Wunused-parameter"

REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCloseApcHelper, HANDLE helper)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCloseHandleHelper, HANDLE helper)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCloseNotificationHandleHelper, HANDLE helper)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCloseSocketHandle, HANDLE helper, SOCKET s)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCloseThread, HANDLE helper, LPWSATHREADID thread)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCompleteRequest, HANDLE helper, SOCKET s,
         LPWSAOVERLAPPED overlapped, DWORD error, DWORD transferred)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCreateHandleContextTable, void **table)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCreateNotificationHandle, HANDLE helper, HANDLE *handle)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahCreateSocketHandle, HANDLE helper, SOCKET *s)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahDestroyHandleContextTable, void *table)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahDisableNonIFSHandleSupport, void)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahEnableNonIFSHandleSupport, void)
REFUSING(WINBOOL, FALSE, WahEnumerateHandleContexts, void *table, void *routine, void *context)
REFUSING(void *, NULL, WahInsertHandleContext, void *table, void *context)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahNotifyAllProcesses, HANDLE helper)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahOpenApcHelper, HANDLE *helper)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahOpenCurrentThread, HANDLE helper, LPWSATHREADID thread)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahOpenHandleHelper, HANDLE *helper)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahOpenNotificationHandleHelper, HANDLE *helper)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahQueueUserApc, HANDLE helper, LPWSATHREADID thread,
         void *routine, void *context)
REFUSING(void *, NULL, WahReferenceContextByHandle, void *table, HANDLE handle)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahRemoveHandleContext, void *table, void *context)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahWaitForNotification, HANDLE helper, HANDLE notification,
         LPWSAOVERLAPPED overlapped, void *routine)
REFUSING(DWORD, ERROR_NOT_SUPPORTED, WahWriteLSPEvent, DWORD first, DWORD second)
