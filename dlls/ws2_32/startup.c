/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAStartup, WSACleanup and the last error.  Owns the start-up count and the version.
 *
 * Every call begins with startup_check, which reads one word: `open`, kept up to date under
 * state_lock (innermost: nothing is called with it held).
 */
#include "startup.h"
#include "async_names.h"
#include "blocking_hook.h"
#include "guarded_copy.h"
#include "log.h"
#include "session.h"
#include "share.h"
#include "socket_life.h"

static SRWLOCK state_lock = SRWLOCK_INIT;
static struct {
    LONG count;         /* of WSAStartup without WSACleanup */
    LONG hooks;         /* blocking hooks that run now, in any thread */
    bool version_1;     /* negotiated at least once since the count was 0 */
    bool volatile open; /* count > 0 and no hooks: nothing else need be asked */
} state;

/* Returns the count before; one below zero is not counted. */
static LONG change_state(LONG starts, LONG hooks, bool version_1)
{
    LONG count;

    AcquireSRWLockExclusive(&state_lock);
    count = state.count;
    if (count + starts >= 0)
        state.count += starts;
    state.hooks += hooks;
    state.version_1 = (state.version_1 || version_1) && state.count;
    state.open = state.count && !state.hooks;
    ReleaseSRWLockExclusive(&state_lock);
    return count;
}

bool startup_is_initialised(void)
{
    return *(LONG volatile *)&state.count > 0;
}

bool startup_is_version_1(void)
{
    return *(bool volatile *)&state.version_1;
}

void startup_hook_begins(void)
{
    change_state(0, 1, false);
}

void startup_hook_ended(void)
{
    change_state(0, -1, false);
}

bool startup_check(void)
{
    if (state.open)
        return true;
    if (!startup_is_initialised())
        SetLastError(WSANOTINITIALISED);
    else if (blocking_hook_runs()) /* "Any other nesting of Windows Sockets functions" */
        SetLastError(WSAEINPROGRESS);
    else
        return true;
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

/* lpVendorInfo: "This pointer should be ignored for Windows Sockets version 2 and later", and no
 * version has it written (Wine's test_startup, run on Windows). */
static DWORD describe(WSADATA *data, WORD version)
{
    WSADATA description;
    char *vendor;

    if (guarded_copy(&description, data, sizeof(description)))
        return WSAEFAULT;
    vendor = description.lpVendorInfo;
    memset(&description, 0, sizeof(description));
    description.lpVendorInfo = vendor;
    description.wVersion = version;
    description.wHighVersion = MAKEWORD(2, 2);
    strcpy(description.szDescription, "WinSock 2.0");
    strcpy(description.szSystemStatus, "Running");
    if (LOBYTE(version) == 1) { /* "ignored for Windows Sockets version 2 and later" */
        description.iMaxSockets = 32767;
        description.iMaxUdpDg = 65467;
    }
    return guarded_copy(data, &description, sizeof(description)) ? WSAEFAULT : 0;
}

int WSAAPI WSAStartup(WORD version, LPWSADATA data)
{
    struct session *session;
    WORD negotiated = negotiate(version);
    DWORD error;

    if (!LOBYTE(version)) {
        /* the description comes all the same (Wine's test_startup, run on Windows) */
        if (data)
            describe(data, negotiated);
        return WSAVERNOTSUPPORTED;
    }
    if (!data)
        return WSAEFAULT;
    if (blocking_hooks && blocking_hook_runs())
        return WSAEINPROGRESS; /* "A blocking Windows Sockets 1.1 operation is in progress" */
    if ((error = session_open(&session)))
        return error;
    if ((error = describe(data, negotiated)))
        return error;
    change_state(1, 0, LOBYTE(negotiated) == 1);
    return 0;
}

static void close_one(struct socket *socket, SOCKET handle, void *context)
{
    (void)context;
    /* what this process was started with it may still write to after the last WSACleanup */
    if (!share_is_standard((HANDLE)handle))
        socket_close(socket, handle);
}

int WSAAPI WSACleanup(void)
{
    LONG count;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!(count = change_state(-1, 0, false)))
        return return_error(WSANOTINITIALISED);
    if (count ==
        1) { /* WSACleanup's page: sockets still open are closed, what is pending is canceled */
        async_names_cancel_all();
        socket_for_each_handle(close_one, NULL);
    }
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
