/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAStartup and WSACleanup: versions, counting, and what a program may call before.
 * Sources: the pages of WSAStartup, WSACleanup, WSAGetLastError, socket (error WSANOTINITIALISED).
 */
#include "net.h"

/* WSAStartup, table of versions: "the wVersion member ... is the version the caller should use";
 * wHighVersion is "the highest version of the Windows Sockets specification that this DLL can
 * support". */
static void test_versions(void)
{
    static const struct {
        WORD asked, given;
    } rows[] = {
        {MAKEWORD(1, 0), MAKEWORD(1, 0)}, {MAKEWORD(1, 1), MAKEWORD(1, 1)},
        {MAKEWORD(2, 0), MAKEWORD(2, 0)}, {MAKEWORD(2, 1), MAKEWORD(2, 1)},
        {MAKEWORD(2, 2), MAKEWORD(2, 2)}, {MAKEWORD(2, 3), MAKEWORD(2, 2)},
        {MAKEWORD(3, 0), MAKEWORD(2, 2)},
    };
    WSADATA data;
    unsigned i;
    int error;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        winetest_push_context("version %04x", rows[i].asked);
        memset(&data, 0xcc, sizeof(data));
        error = WSAStartup(rows[i].asked, &data);
        ok(!error, "got %d\n", error);
        ok(data.wVersion == rows[i].given, "got version %04x\n", data.wVersion);
        ok(data.wHighVersion == MAKEWORD(2, 2), "got high version %04x\n", data.wHighVersion);
        /* the strings are NUL-terminated */
        ok(memchr(data.szDescription, 0, sizeof(data.szDescription)) != NULL, "no end\n");
        ok(memchr(data.szSystemStatus, 0, sizeof(data.szSystemStatus)) != NULL, "no end\n");
        if (!error)
            ok_success(WSACleanup());
        winetest_pop_context();
    }

    /* WSAVERNOTSUPPORTED: "The version of Windows Sockets support requested is not provided" */
    error = WSAStartup(MAKEWORD(0, 0), &data);
    ok(error == WSAVERNOTSUPPORTED, "got %d\n", error);
    ok_error(WSACleanup(), WSANOTINITIALISED);
    /* the description comes all the same, and no version writes lpVendorInfo (Wine's test_startup,
     * run on Windows) */
    memset(&data, 0xcc, sizeof(data));
    data.lpVendorInfo = (char *)&data;
    error = WSAStartup(MAKEWORD(0, 1), &data);
    ok(error == WSAVERNOTSUPPORTED, "got %d\n", error);
    ok(data.wVersion == MAKEWORD(2, 2) && data.wHighVersion == MAKEWORD(2, 2), "version %04x\n",
       data.wVersion);
    ok(data.lpVendorInfo == (char *)&data, "vendor %p\n", data.lpVendorInfo);
    ok(WSAStartup(0, NULL) == WSAVERNOTSUPPORTED, "the version comes first\n");

    /* WSAEFAULT: "The lpWSAData parameter is not a valid pointer" */
    error = WSAStartup(MAKEWORD(2, 2), NULL);
    ok(error == WSAEFAULT, "got %d\n", error);
}

/* WSACleanup: "An application must call the WSACleanup function for every successful time the
 * WSAStartup function is called. ... only the final WSACleanup function call performs the actual
 * cleanup." */
static void test_counts(void)
{
    WSADATA data;
    SOCKET s;
    int i;

    for (i = 0; i < 3; i++)
        ok(!WSAStartup(MAKEWORD(2, 2), &data), "call %d failed\n", i);
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_success(WSACleanup());
    ok_success(WSACleanup());
    ok(!closesocket(s), "the socket should live until the last cleanup, error %d\n",
       WSAGetLastError());
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(s);
    ok_success(WSACleanup());
    ok_error(WSACleanup(), WSANOTINITIALISED);
}

/* Every page: WSANOTINITIALISED "A successful WSAStartup call must occur before using this
 * function". */
static void test_not_initialised(void)
{
    struct sockaddr_in address = {AF_INET, 0, {{{127, 0, 0, 1}}}, {0}};
    int length = sizeof(address), on = 1;
    u_long count;
    fd_set set;
    SOCKET s;
    char byte;

    WSASetLastError(0);
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s == INVALID_SOCKET && WSAGetLastError() == WSANOTINITIALISED, "socket: error %d\n",
       WSAGetLastError());
    WSASetLastError(0);
    s = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
    ok(s == INVALID_SOCKET && WSAGetLastError() == WSANOTINITIALISED, "WSASocketW: error %d\n",
       WSAGetLastError());
    ok_error(closesocket(0x1234), WSANOTINITIALISED);
    todo_wine ok_error(bind(0x1234, (struct sockaddr *)&address, length), WSANOTINITIALISED);
    todo_wine ok_error(gethostname(&byte, 1), WSANOTINITIALISED);
    WSASetLastError(0);
    ok(!gethostbyname("127.0.0.1") && WSAGetLastError() == WSANOTINITIALISED,
       "gethostbyname: error %d\n", WSAGetLastError());

    /* Which of the two errors Windows gives first for a handle that is no socket is the pages'
     * secret for these; each must fail. */
    FD_ZERO(&set);
    FD_SET((SOCKET)0x1234, &set);
    ok(recv(0x1234, &byte, 1, 0) == SOCKET_ERROR, "recv succeeded\n");
    ok(send(0x1234, &byte, 1, 0) == SOCKET_ERROR, "send succeeded\n");
    ok(connect(0x1234, (struct sockaddr *)&address, length) == SOCKET_ERROR, "connect\n");
    ok(listen(0x1234, 1) == SOCKET_ERROR, "listen succeeded\n");
    ok(ioctlsocket(0x1234, FIONREAD, &count) == SOCKET_ERROR, "ioctlsocket succeeded\n");
    ok(setsockopt(0x1234, SOL_SOCKET, SO_KEEPALIVE, (char *)&on, sizeof(on)) == SOCKET_ERROR,
       "setsockopt succeeded\n");
    ok(select(0, &set, NULL, NULL, NULL) == SOCKET_ERROR, "select succeeded\n");
}

/* htons, inet_addr, WSAGetLastError, WSASetLastError, WSACreateEvent: no WSANOTINITIALISED among
 * their errors (WSAGetLastError: "one of the only functions in the Winsock 2.2 DLL that can be
 * called in the case of a WSAStartup failure"). */
static void test_free_calls(void)
{
    WSASetLastError(4711);
    ok(WSAGetLastError() == 4711, "got %d\n", WSAGetLastError());
    /* it is the thread's last error of Windows */
    ok(GetLastError() == 4711, "got %lu\n", GetLastError());
    SetLastError(4712);
    ok(WSAGetLastError() == 4712, "got %d\n", WSAGetLastError());
    ok(htons(0x1234) == 0x3412, "got %04x\n", htons(0x1234));
    ok(inet_addr("127.0.0.1") == 0x0100007f, "got %08lx\n", inet_addr("127.0.0.1"));
}

static DWORD WINAPI last_error_thread(void *unused)
{
    (void)unused;
    ok(WSAGetLastError() == 0, "a new thread starts with %d\n", WSAGetLastError());
    WSASetLastError(99);
    return 0;
}

/* WSAGetLastError: "the error status for the calling thread" */
static void test_per_thread(void)
{
    HANDLE thread;

    WSASetLastError(42);
    thread = CreateThread(NULL, 0, last_error_thread, NULL, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    WSASetLastError(42);
    ok(WSAGetLastError() == 42, "got %d\n", WSAGetLastError());
}

/* WSACleanup: "any sockets open ... are reset and automatically deallocated"; afterwards a new
 * WSAStartup begins afresh. */
static void test_again(void)
{
    WSADATA data;
    SOCKET s;
    int i;

    for (i = 0; i < 5; i++) {
        ok(!WSAStartup(MAKEWORD(2, 2), &data), "round %d failed\n", i);
        s = socket(AF_INET, SOCK_DGRAM, 0);
        ok(s != INVALID_SOCKET, "round %d: error %d\n", i, WSAGetLastError());
        ok_success(closesocket(s));
        ok_success(WSACleanup());
    }
}

START_TEST(startup)
{
    RUN(test_not_initialised);
    RUN(test_free_calls);
    RUN(test_per_thread);
    RUN(test_versions);
    RUN(test_counts);
    RUN(test_again);
    RUN(test_not_initialised);
}
