/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocking hooks of Winsock 1.1: WSASetBlockingHook, WSAUnhookBlockingHook, WSAIsBlocking,
 * WSACancelBlockingCall, and with them WSAEINPROGRESS and WSAEINTR of every call.
 *
 * Sources: [EP] "Windows Sockets 1.1 Blocking Routines and EINPROGRESS", [BH] "Blocking Hook", [CB]
 * WSPCancelBlockingCall, all Microsoft's; [SP] the Windows Sockets 2 API specification 2.2,
 * WSASetBlockingHook; WSARecv's table.
 *
 * Wine's own DLL never calls a hook.  Where a call would then block for ever, a thread sends a
 * byte after a while.
 */
#include "net.h"

#define RESCUE 400 /* ms until a call is helped whose hook does nothing */

static const WORD version_1 = MAKEWORD(1, 1), version_2 = MAKEWORD(2, 2);

static void start(WORD version)
{
    WSADATA data;
    int error = WSAStartup(version, &data);

    ok(!error && data.wVersion == version, "error %d, version %04x\n", error, data.wVersion);
}

/* ---- what the hooks see ---- */

static struct {
    LONG calls;
    LONG wanted; /* what the hook is to do at this call */
    HANDLE event;
    DWORD thread;
    BOOL blocking;
} seen;

static SOCKET rescued;

static DWORD WINAPI rescue(void *event)
{
    if (WaitForSingleObject(event, seen.wanted ? NET_PATIENCE : RESCUE) == WAIT_TIMEOUT ||
        seen.wanted)
        send(rescued, "r", 1, 0);
    return 0;
}

/* Sends a byte to `s` when the event is set: at hook call number `calls`.  Else, or on a DLL that
 * calls no hooks, after a while. */
static HANDLE expect_hooks(SOCKET s, LONG calls)
{
    memset(&seen, 0, sizeof(seen));
    rescued = s;
    seen.wanted = on_builtin() ? 0 : calls;
    seen.event = CreateEventA(NULL, TRUE, FALSE, NULL);
    return CreateThread(NULL, 0, rescue, seen.event, 0, NULL);
}

static void rescue_over(HANDLE thread)
{
    SetEvent(seen.event);
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "the rescuer hangs\n");
    CloseHandle(thread);
    CloseHandle(seen.event);
}

static void note_call(void)
{
    seen.thread = GetCurrentThreadId();
    seen.blocking = WSAIsBlocking();
    if (++seen.calls == seen.wanted)
        SetEvent(seen.event);
}

static INT_PTR WINAPI counting_hook(void)
{
    note_call();
    return FALSE;
}

/* Nine times "call me again" for each time that it has had enough */
static INT_PTR WINAPI insisting_hook(void)
{
    note_call();
    return seen.calls % 10 != 0;
}

static INT_PTR WINAPI cancelling_hook(void)
{
    note_call();
    if (!WSACancelBlockingCall())
        seen.wanted = 0;
    return FALSE;
}

static FARPROC set_hook(FARPROC hook)
{
    return WSASetBlockingHook(hook);
}

/* ---- the tests ---- */

/* [SP] "WSASetBlockingHook() is only available for WinSock 1.1 apps"; error "WSAEOPNOTSUPP: The
 * caller is not a WinSock 1.1 client." */
static void test_version_2(void)
{
    start(version_2);
    WSASetLastError(0);
    todo_wine ok(!set_hook(counting_hook) && WSAGetLastError() == WSAEOPNOTSUPP, "error %d\n",
                 WSAGetLastError());
    todo_wine ok_error(WSAUnhookBlockingHook(), WSAEOPNOTSUPP);
    todo_wine ok_error(WSACancelBlockingCall(), WSAEOPNOTSUPP);
    ok(!WSAIsBlocking(), "blocking\n");
    ok_success(WSACleanup());
}

/* [SP] "that is, if at least one thread within the process negotiates version 1.0 or 1.1 at
 * WSAStartup()": whatever else was negotiated, and until the last WSACleanup. */
static void test_both_versions(void)
{
    start(version_2);
    start(version_1);
    ok(set_hook(counting_hook) != NULL, "error %d\n", WSAGetLastError());
    ok_success(WSAUnhookBlockingHook());
    ok_success(WSACleanup());
    ok(set_hook(counting_hook) != NULL, "error %d\n", WSAGetLastError());
    ok_success(WSAUnhookBlockingHook());
    ok_success(WSACleanup());
    test_version_2();
}

/* [SP] WSANOTINITIALISED: "A successful WSAStartup() must occur before using this API." */
static void test_not_initialised(void)
{
    WSASetLastError(0);
    todo_wine ok(!set_hook(counting_hook) && WSAGetLastError() == WSANOTINITIALISED, "error %d\n",
                 WSAGetLastError());
    todo_wine ok_error(WSAUnhookBlockingHook(), WSANOTINITIALISED);
    todo_wine ok_error(WSACancelBlockingCall(), WSANOTINITIALISED);
    ok(!WSAIsBlocking(), "blocking\n");
}

/* [EP] "the Windows Sockets API includes the function WSASetBlockingHook, which allows the
 * application to specify a special routine which can be called instead of the default message
 * dispatch routine": in the blocked thread, as often as it takes. */
static void test_runs_while_blocked(void)
{
    HANDLE thread;
    SOCKET a, b;
    char byte = 0;

    net_pair(&a, &b);
    thread = expect_hooks(a, 3);
    set_hook(counting_hook);
    ok(recv(b, &byte, 1, 0) == 1 && byte == 'r', "error %d\n", WSAGetLastError());
    todo_wine ok(seen.calls >= 3, "got %ld calls\n", seen.calls);
    todo_wine ok(seen.thread == GetCurrentThreadId(), "another thread ran it\n");
    ok_success(WSAUnhookBlockingHook());
    rescue_over(thread);
    closesocket(a);
    closesocket(b);
}

/* [SP] "for(;;) { while(BlockingHook()) ; ...": what returns TRUE is called again at once. */
static void test_called_again(void)
{
    DWORD begin;
    HANDLE thread;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    thread = expect_hooks(a, 100);
    set_hook(insisting_hook);
    begin = GetTickCount();
    ok(recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    todo_wine ok(seen.calls >= 100 && seen.calls % 10 == 0, "got %ld calls\n", seen.calls);
    trace("%ld calls in %lu ms\n", seen.calls, GetTickCount() - begin);
    ok_success(WSAUnhookBlockingHook());
    rescue_over(thread);
    closesocket(a);
    closesocket(b);
}

/* [EP] "The Windows Sockets provider calls the blocking hook only if all of the following are true:
 * ... The specified socket is a blocking socket. The request cannot be completed immediately." */
static void test_not_called(void)
{
    WSAOVERLAPPED overlapped = {0};
    DWORD bytes, flags = 0;
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};
    SOCKET a, b;

    net_pair(&a, &b);
    memset(&seen, 0, sizeof(seen));
    set_hook(counting_hook);
    net_send_all(a, "x", 1);
    net_arrived(b, 1);
    ok(recv(b, buffer, 1, 0) == 1, "error %d\n", WSAGetLastError());
    overlapped.hEvent = WSACreateEvent();
    ok_error(WSARecv(b, &buf, 1, &bytes, &flags, &overlapped, NULL), WSA_IO_PENDING);
    net_send_all(a, "y", 1);
    ok(WaitForSingleObject(overlapped.hEvent, NET_PATIENCE) == WAIT_OBJECT_0, "no completion\n");
    net_nonblocking(b, 1);
    ok_error(recv(b, buffer, 1, 0), WSAEWOULDBLOCK);
    ok(!seen.calls, "got %ld calls\n", seen.calls);
    ok_success(WSAUnhookBlockingHook());
    WSACloseEvent(overlapped.hEvent);
    closesocket(a);
    closesocket(b);
}

/* [EP] "The WSAIsBlocking function can be called at any time to determine whether or not a blocking
 * Windows Sockets 1.1 call is in progress." */
static void test_is_blocking(void)
{
    HANDLE thread;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    thread = expect_hooks(a, 1);
    set_hook(counting_hook);
    ok(!WSAIsBlocking(), "blocking before\n");
    ok(recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    todo_wine ok(seen.blocking, "not blocking inside\n");
    ok(!WSAIsBlocking(), "blocking after\n");
    ok_success(WSAUnhookBlockingHook());
    rescue_over(thread);
    closesocket(a);
    closesocket(b);
}

/* ---- WSAEINPROGRESS ---- */

static SOCKET nested;

static INT_PTR WINAPI nesting_hook(void)
{
    struct sockaddr_in address = {AF_INET, 0, {{{127, 0, 0, 1}}}, {0}};
    int length = sizeof(address), value = 1;
    DWORD bytes = 0, flags = 0;
    char byte = 'n';
    WSABUF buf = {1, &byte};
    WSAOVERLAPPED overlapped = {0};
    struct timeval now = {0, 0};
    u_long count;
    fd_set set;
    WSADATA data;

    if (seen.calls) {
        note_call();
        return FALSE;
    }
    FD_ZERO(&set);
    FD_SET(nested, &set);
    ok_error(recv(nested, &byte, 1, 0), WSAEINPROGRESS);
    ok_error(recvfrom(nested, &byte, 1, 0, NULL, NULL), WSAEINPROGRESS);
    ok_error(WSARecv(nested, &buf, 1, &bytes, &flags, NULL, NULL), WSAEINPROGRESS);
    ok_error(WSARecv(nested, &buf, 1, NULL, &flags, &overlapped, NULL), WSAEINPROGRESS);
    ok_error(WSARecvFrom(nested, &buf, 1, &bytes, &flags, NULL, NULL, NULL, NULL), WSAEINPROGRESS);
    ok_error(send(nested, &byte, 1, 0), WSAEINPROGRESS);
    ok_error(sendto(nested, &byte, 1, 0, NULL, 0), WSAEINPROGRESS);
    ok_error(WSASend(nested, &buf, 1, &bytes, 0, NULL, NULL), WSAEINPROGRESS);
    ok_error(WSASendTo(nested, &buf, 1, &bytes, 0, NULL, 0, NULL, NULL), WSAEINPROGRESS);
    ok_error(select(0, &set, NULL, NULL, &now), WSAEINPROGRESS);
    ok_error(ioctlsocket(nested, FIONREAD, &count), WSAEINPROGRESS);
    ok_error(getsockname(nested, (struct sockaddr *)&address, &length), WSAEINPROGRESS);
    ok_error(setsockopt(nested, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, 4), WSAEINPROGRESS);
    ok_error(shutdown(nested, SD_BOTH), WSAEINPROGRESS);
    ok_error(closesocket(nested), WSAEINPROGRESS);
    ok_error(socket(AF_INET, SOCK_STREAM, 0), WSAEINPROGRESS);
    ok_error(bind(nested, (struct sockaddr *)&address, length), WSAEINPROGRESS);
    ok_error(WSAUnhookBlockingHook(), WSAEINPROGRESS);
    ok_error(WSACleanup(), WSAEINPROGRESS);
    WSASetLastError(0);
    ok(!gethostbyname("localhost") && WSAGetLastError() == WSAEINPROGRESS, "error %d\n",
       WSAGetLastError());
    WSASetLastError(0);
    ok(!set_hook(counting_hook) && WSAGetLastError() == WSAEINPROGRESS, "error %d\n",
       WSAGetLastError());
    ok(WSAStartup(version_1, &data) == WSAEINPROGRESS, "WSAStartup succeeded\n");
    note_call();
    return FALSE;
}

/* "WSAEINPROGRESS: A blocking Windows Sockets 1.1 call is in progress"; [EP] "Any other nesting of
 * Windows Sockets functions fails with the error WSAEINPROGRESS. It should be emphasized that this
 * restriction applies to both blocking and nonblocking operations." */
static void test_in_progress(void)
{
    HANDLE thread;
    SOCKET a, b;
    char bytes[4];

    net_pair(&a, &b);
    nested = b;
    thread = expect_hooks(a, 2);
    set_hook(nesting_hook);
    ok(recv(b, bytes, sizeof(bytes), 0) == 1 && bytes[0] == 'r', "error %d\n", WSAGetLastError());
    todo_wine ok(seen.calls >= 2, "got %ld calls\n", seen.calls);
    ok_success(WSAUnhookBlockingHook());
    rescue_over(thread);
    /* and nothing of it had any effect */
    net_send_all(b, "still", 5);
    net_send_all(a, "whole", 5);
    ok(net_recv_all(b, bytes, 4) == 4 && !memcmp(bytes, "whol", 4), "error %d\n",
       WSAGetLastError());
    closesocket(a);
    closesocket(b);
}

struct bystander {
    SOCKET a, b;
    HANDLE go;
    int cancel_error;
    BOOL worked, blocking;
};

static DWORD WINAPI bystander_thread(void *argument)
{
    struct bystander *bystander = argument;
    char byte;

    WaitForSingleObject(bystander->go, NET_PATIENCE);
    bystander->worked =
        send(bystander->a, "b", 1, 0) == 1 && recv(bystander->b, &byte, 1, 0) == 1 && byte == 'b';
    bystander->blocking = WSAIsBlocking();
    WSASetLastError(0);
    WSACancelBlockingCall();
    bystander->cancel_error = WSAGetLastError();
    return 0;
}

static struct bystander bystander;
static HANDLE bystander_handle;

static INT_PTR WINAPI waiting_hook(void)
{
    if (!seen.calls) {
        SetEvent(bystander.go);
        ok(WaitForSingleObject(bystander_handle, NET_PATIENCE) == WAIT_OBJECT_0, "it hangs\n");
    }
    note_call();
    return FALSE;
}

/* [BH] "a thread-specific blocking hook may be installed by the application": while it runs in one
 * thread, the others call what they like, are not blocking and have nothing to cancel. */
static void test_per_thread(void)
{
    HANDLE thread;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    net_pair(&bystander.a, &bystander.b);
    bystander.go = CreateEventA(NULL, TRUE, FALSE, NULL);
    bystander_handle = CreateThread(NULL, 0, bystander_thread, &bystander, 0, NULL);
    thread = expect_hooks(a, 1);
    set_hook(waiting_hook);
    ok(recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    SetEvent(bystander.go);
    ok(WaitForSingleObject(bystander_handle, NET_PATIENCE) == WAIT_OBJECT_0, "it hangs\n");
    ok(bystander.worked, "the other thread could not send and receive\n");
    ok(!bystander.blocking, "the other thread is blocking\n");
    todo_wine ok(bystander.cancel_error == WSAEINVAL, "got %d\n", bystander.cancel_error);
    ok_success(WSAUnhookBlockingHook());
    rescue_over(thread);
    CloseHandle(bystander_handle);
    CloseHandle(bystander.go);
    closesocket(a);
    closesocket(b);
    closesocket(bystander.a);
    closesocket(bystander.b);
}

/* ---- WSAEINTR ---- */

/* "WSAEINTR: The (blocking) call was canceled by the WSACancelBlockingCall function." */
static void test_cancel_recv(void)
{
    DWORD bytes = 0, flags = 0;
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};
    HANDLE thread;
    SOCKET a, b;

    net_pair(&a, &b);
    set_hook(cancelling_hook);
    thread = expect_hooks(a, LONG_MAX);
    todo_wine ok_error(recv(b, buffer, 1, 0), WSAEINTR);
    rescue_over(thread);
    thread = expect_hooks(a, LONG_MAX);
    todo_wine ok_error(recvfrom(b, buffer, 1, 0, NULL, NULL), WSAEINTR);
    rescue_over(thread);
    thread = expect_hooks(a, LONG_MAX);
    todo_wine ok_error(WSARecv(b, &buf, 1, &bytes, &flags, NULL, NULL), WSAEINTR);
    rescue_over(thread);
    thread = expect_hooks(a, LONG_MAX);
    todo_wine ok_error(WSARecvFrom(b, &buf, 1, &bytes, &flags, NULL, NULL, NULL, NULL), WSAEINTR);
    rescue_over(thread);
    ok_success(WSAUnhookBlockingHook());
    /* Windows promises nothing for the socket ([CB] "the only operation ... will be able to perform
     * on the socket is a call to" closesocket); ours goes on */
    if (!on_builtin()) {
        net_send_all(a, "more", 4);
        ok(net_recv_all(b, buffer, 4) == 4 && !memcmp(buffer, "more", 4), "got %.4s\n", buffer);
    }
    closesocket(a);
    closesocket(b);
}

/* [CB] "Canceling a WSPAccept or a WSPSelect call does not adversely impact the sockets passed to
 * these calls. Only the particular call fails; any operation that was legal before the cancel is
 * legal after the cancel". */
static void test_cancel_accept_and_select(void)
{
    struct timeval time = {0, RESCUE * 1000};
    struct sockaddr_storage address;
    int length;
    SOCKET listener, client, server;
    fd_set set;

    if (on_builtin())
        return; /* which would wait for ever */
    listener = net_listener(AF_INET, &address, &length);
    memset(&seen, 0, sizeof(seen));
    set_hook(cancelling_hook);
    ok_error(accept(listener, NULL, NULL), WSAEINTR);
    FD_ZERO(&set);
    FD_SET(listener, &set);
    ok_error(select(0, &set, NULL, NULL, &time), WSAEINTR);
    ok_success(WSAUnhookBlockingHook());
    client = socket(AF_INET, SOCK_STREAM, 0);
    ok_success(connect(client, (struct sockaddr *)&address, length));
    ok(net_readable(listener, NET_PATIENCE), "not readable\n");
    server = accept(listener, NULL, NULL);
    ok(server != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(server);
    closesocket(client);
    closesocket(listener);
}

static INT_PTR WINAPI cancelling_tenth_hook(void)
{
    note_call();
    if (seen.calls == 10)
        WSACancelBlockingCall();
    return seen.calls < 20;
}

static char block[1 << 20];

/* Until nothing more is taken for a while. */
static void fill(SOCKET s)
{
    u_long nonblocking = 1;

    ok_success(ioctlsocket(s, FIONBIO, &nonblocking));
    for (int quiet = 0; quiet < 5;) {
        if (send(s, block, sizeof(block), 0) > 0)
            quiet = 0;
        else {
            Sleep(50);
            quiet++;
        }
    }
    nonblocking = 0;
    ok_success(ioctlsocket(s, FIONBIO, &nonblocking));
}

/* [CB] "the blocking call will be terminated as soon as the blocking hook function completes", even
 * if that asks to be called again; here it is a send that nobody reads.  There is no room before it
 * begins: else it may be over when it is cancelled, and the next is never. */
static void test_cancel_send(void)
{
    int result;
    SOCKET a, b;

    if (on_builtin())
        return; /* which would wait for ever */
    net_pair(&a, &b);
    fill(a);
    memset(&seen, 0, sizeof(seen));
    set_hook(cancelling_tenth_hook);
    WSASetLastError(0);
    result = send(a, block, sizeof(block), 0);
    ok(result == SOCKET_ERROR && WSAGetLastError() == WSAEINTR, "got %d, error %d\n", result,
       WSAGetLastError());
    ok(seen.calls == 10, "got %ld calls\n", seen.calls);
    ok_success(WSAUnhookBlockingHook());
    closesocket(a);
    closesocket(b);
}

/* "the getXbyY routines" ([EP]) block as well; one that was given up disturbs none that follow. */
static void test_cancel_gethostbyname(void)
{
    char name[64];

    if (on_builtin())
        return; /* which would ask a name server */
    memset(&seen, 0, sizeof(seen));
    set_hook(cancelling_hook);
    WSASetLastError(0);
    ok(!gethostbyname("no-such-host.ringsock.invalid"), "it exists\n");
    ok(!seen.calls || WSAGetLastError() == WSAEINTR, "error %d\n", WSAGetLastError());
    ok_success(WSAUnhookBlockingHook());
    ok_success(gethostname(name, sizeof(name)));
}

/* [CB] "WSAEINVAL: Indicates there is no outstanding blocking call." */
static void test_nothing_to_cancel(void)
{
    todo_wine ok_error(WSACancelBlockingCall(), WSAEINVAL);
}

/* ---- installing ---- */

/* [SP] "Return Value: The return value is a pointer to the procedure-instance of the previously
 * installed blocking function"; "WSAUnhookBlockingHook() ... will always install the default
 * mechanism, not the previous mechanism"; hooks do not run after that. */
static void test_install(void)
{
    FARPROC initial, previous;
    HANDLE thread;
    SOCKET a, b;
    char byte;

    net_pair(&a, &b);
    initial = set_hook(counting_hook);
    todo_wine_if(!initial) ok(initial != NULL, "no default hook, error %d\n", WSAGetLastError());
    previous = set_hook(insisting_hook);
    ok(previous == counting_hook, "got %p\n", previous);
    ok_success(WSAUnhookBlockingHook());
    thread = expect_hooks(a, 0);
    ok(recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    rescue_over(thread);
    ok(!seen.calls, "it was called\n");

    /* giving the default back is the same */
    previous = set_hook(counting_hook);
    todo_wine_if(previous != initial) ok(previous == initial, "got %p\n", previous);
    previous = WSASetBlockingHook(initial);
    ok(previous == counting_hook, "got %p\n", previous);
    thread = expect_hooks(a, 0);
    ok(recv(b, &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    rescue_over(thread);
    ok(!seen.calls, "it was called\n");
    closesocket(a);
    closesocket(b);
}

/* [SP] "The default BlockingHook() function is equivalent to: ... PeekMessage(&msg,NULL,0,0,
 * PM_REMOVE) ... TRUE if we got a message": what a hook of the program's may call in the end. */
static void test_default_hook(void)
{
    FARPROC initial;
    BOOL(WINAPI * post)(DWORD, UINT, WPARAM, LPARAM);
    BOOL(WINAPI * peek)(MSG *, HWND, UINT, UINT, UINT);
    HMODULE user32;
    MSG message;

    if (on_builtin())
        return; /* whose default hook crashes */
    initial = set_hook(counting_hook);
    ok_success(WSAUnhookBlockingHook());
    if (!GetModuleHandleA("user32.dll"))
        ok(!initial(), "a message without a queue\n");
    user32 = LoadLibraryA("user32.dll");
    post = (void *)GetProcAddress(user32, "PostThreadMessageA");
    peek = (void *)GetProcAddress(user32, "PeekMessageA");
    peek(&message, NULL, 0, 0, PM_NOREMOVE); /* makes the queue */
    ok(post(GetCurrentThreadId(), WM_USER, 0, 0), "error %lu\n", GetLastError());
    ok(initial(), "no message\n");
    ok(!initial(), "the message is still there\n");
}

/* [SP] WSAEFAULT-like: what is no code cannot be a hook */
static void test_bad_hook(void)
{
    WSASetLastError(0);
    todo_wine ok(!WSASetBlockingHook(NULL) && WSAGetLastError() == WSAEFAULT, "error %d\n",
                 WSAGetLastError());
    ok_success(WSAUnhookBlockingHook());
}

static INT_PTR WINAPI exiting_hook(void)
{
    ExitThread(17);
    return FALSE;
}

static DWORD WINAPI exiting_thread(void *socket)
{
    char byte;

    set_hook(exiting_hook);
    recv((SOCKET)socket, &byte, 1, 0);
    return 0;
}

/* A thread that ends inside of its hook blocks nobody else. */
static void test_exit_in_hook(void)
{
    DWORD code = 0;
    HANDLE thread;
    SOCKET a, b, s;

    if (on_builtin())
        return; /* which would wait for ever */
    net_pair(&a, &b);
    thread = CreateThread(NULL, 0, exiting_thread, (void *)b, 0, NULL);
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "it hangs\n");
    ok(GetExitCodeThread(thread, &code) && code == 17, "got %lu\n", code);
    CloseHandle(thread);
    s = socket(AF_INET, SOCK_STREAM, 0);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    closesocket(s);
    closesocket(a);
}

START_TEST(blocking_hook)
{
    RUN(test_not_initialised);
    RUN(test_version_2);
    RUN(test_both_versions);
    start(version_1);
    RUN(test_runs_while_blocked);
    RUN(test_called_again);
    RUN(test_not_called);
    RUN(test_is_blocking);
    RUN(test_in_progress);
    RUN(test_per_thread);
    RUN(test_cancel_recv);
    RUN(test_cancel_accept_and_select);
    RUN(test_cancel_send);
    RUN(test_cancel_gethostbyname);
    RUN(test_nothing_to_cancel);
    RUN(test_install);
    RUN(test_default_hook);
    RUN(test_bad_hook);
    RUN(test_exit_in_hook);
    ok_success(WSACleanup());
}
