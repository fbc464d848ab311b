/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAProviderConfigChange.  Source: its page.  It leaves the catalog as it was.
 */
#include "net.h"
#include <ws2spi.h>

static GUID own = {0x9c2b0a55, 0x3f0e, 0x4d3b, {0x8a, 0x11, 0x52, 0x69, 0x6e, 0x67, 0x73, 0x6b}};

/* A change of the catalogs, undone at once. */
static void change(void)
{
    ok_success(WSCInstallNameSpace((WCHAR *)L"x", (WCHAR *)L"x.dll", 0x4d3, 1, &own));
    ok_success(WSCUnInstallNameSpace(&own));
}

static HANDLE first_call(void)
{
    HANDLE notification = NULL;

    ok_success(WSAProviderConfigChange(&notification, NULL, NULL));
    ok(notification != NULL, "no handle\n");
    return notification;
}

/* "When called for the first time (lpNotificationHandle parameter points to NULL handle), this
 * function completes immediately and returns notification handle"; which "should be closed (when no
 * longer needed) using Windows CloseHandle call". */
static void test_first_call(void)
{
    HANDLE notification = first_call();

    ok(CloseHandle(notification), "error %lu\n", GetLastError());
}

/* "The second and any subsequent calls only complete when provider information changes since the
 * time the call was made". */
static void test_event(void)
{
    WSAOVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE notification = first_call();

    ok_error(WSAProviderConfigChange(&notification, &overlapped, NULL), WSA_IO_PENDING);
    ok(WaitForSingleObject(overlapped.hEvent, 200) == WAIT_TIMEOUT, "nothing has changed yet\n");
    change();
    ok(!WaitForSingleObject(overlapped.hEvent, NET_PATIENCE), "not set\n");
    ok(!overlapped.Internal, "status %#lx\n", (long)overlapped.Internal);
    CloseHandle(notification);
    CloseHandle(overlapped.hEvent);
}

static LONG calls;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    (void)bytes, (void)overlapped, (void)flags;
    ok(!error, "error %lu\n", error);
    calls++;
}

/* "the application will be notified of provider configuration changes using the completion
 * mechanism chosen through specified overlapped completion parameters" */
static void test_routine(void)
{
    WSAOVERLAPPED overlapped = {0};
    HANDLE notification = first_call();
    DWORD start = GetTickCount();

    ok_error(WSAProviderConfigChange(&notification, &overlapped, routine), WSA_IO_PENDING);
    change();
    while (!calls && GetTickCount() - start < NET_PATIENCE)
        SleepEx(100, TRUE);
    ok(calls == 1, "%ld calls\n", calls);
    CloseHandle(notification);
}

static DWORD WINAPI change_later(void *unused)
{
    (void)unused;
    Sleep(200);
    change();
    return 0;
}

/* Without an OVERLAPPED the call blocks until then. */
static void test_blocking(void)
{
    HANDLE notification = first_call();
    HANDLE thread = CreateThread(NULL, 0, change_later, NULL, 0, NULL);
    DWORD start = GetTickCount();

    ok_success(WSAProviderConfigChange(&notification, NULL, NULL));
    ok(GetTickCount() - start >= 150, "after %lu ms\n", GetTickCount() - start);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    CloseHandle(notification);
}

/* "WSAEFAULT: The lpNotificationHandle parameter is not a valid part of the user address space",
 * "WSA_INVALID_HANDLE: Value pointed by lpNotificationHandle parameter is not a valid notification
 * handle". */
static void test_invalid(void)
{
    HANDLE invalid = (HANDLE)(ULONG_PTR)0x7ffff0;

    ok_error(WSAProviderConfigChange(NULL, NULL, NULL), WSAEFAULT);
    ok_error(WSAProviderConfigChange(&invalid, NULL, NULL), WSA_INVALID_HANDLE);
}

START_TEST(provider_change)
{
    net_start();
    if (on_builtin()) {
        skip("the built-in's stub claims success\n");
    } else {
        RUN(test_first_call);
        RUN(test_event);
        RUN(test_routine);
        RUN(test_blocking);
        RUN(test_invalid);
    }
    WSACleanup();
}
