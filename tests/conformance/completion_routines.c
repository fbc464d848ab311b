/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion routines: in which waits they run, that they are not nested, what may be called from
 * within one, what becomes of those that never run.
 * Source: the page of WSARecv, which each quotation is from unless it says otherwise; WSASend,
 * WSASendTo and WSARecvFrom have the same sentences.
 */
#include "net.h"

/* One posted receive of a byte, and what its routine saw. */
struct post {
    WSAOVERLAPPED ov; /* first: the routine finds the rest behind it */
    SOCKET s;
    char byte;
    void (*act)(struct post *post); /* what the routine does, or NULL */
    int calls, order;
    DWORD error, bytes, flags, thread;
};

static LONG routines_called, routines_running;

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    struct post *post = (struct post *)overlapped;

    post->calls++;
    post->order = InterlockedIncrement(&routines_called);
    post->error = error;
    post->bytes = bytes;
    post->flags = flags;
    post->thread = GetCurrentThreadId();
    InterlockedIncrement(&routines_running);
    if (post->act)
        post->act(post);
    InterlockedDecrement(&routines_running);
}

static void post_receive(struct post *post, SOCKET s, void (*act)(struct post *post))
{
    WSABUF buf = {1, &post->byte};
    DWORD flags = 0;

    memset(post, 0, sizeof(*post));
    post->s = s;
    post->act = act;
    ok_error(WSARecv(s, &buf, 1, NULL, &flags, &post->ov, routine), WSA_IO_PENDING);
}

static BOOL is_complete(const struct post *post)
{
    DWORD start = GetTickCount();

    while (!HasOverlappedIoCompleted(&post->ov) && GetTickCount() - start < NET_PATIENCE)
        Sleep(1);
    return HasOverlappedIoCompleted(&post->ov);
}

/* Receives that are complete and none of whose routines has run.  All connections must be there by
 * then: making one waits alertably. */
static void post_complete(SOCKET pair[2], struct post *posts, int count,
                          void (*act)(struct post *post))
{
    int i;

    for (i = 0; i < count; i++)
        post_receive(&posts[i], pair[1], act);
    net_send_all(pair[0], "0123456789abcdefghij", count);
    for (i = 0; i < count; i++)
        ok(is_complete(&posts[i]), "receive %d is not complete\n", i);
}

static void close_pair(SOCKET pair[2])
{
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* ---- nesting ---- */

static LONG most_running;

static void wait_alertably(struct post *post)
{
    (void)post;
    if (routines_running > most_running)
        most_running = routines_running;
    SleepEx(50, TRUE);
    if (routines_running > most_running)
        most_running = routines_running;
}

/* "For a given socket, I/O completion routines will not be nested." */
static void test_not_nested(void)
{
    struct post posts[5];
    SOCKET pair[2];

    most_running = 0;
    net_pair(&pair[0], &pair[1]);
    post_complete(pair, posts, 5, wait_alertably);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no completion\n");
    todo_wine ok(most_running == 1, "%ld at a time\n", most_running);
    close_pair(pair);
}

static SOCKET send_while_running;
static int ran_inside;

/* One completion more while the routine runs. */
static void send_and_wait(struct post *post)
{
    struct post *next = post + 1;

    net_send_all(send_while_running, "x", 1);
    ok(is_complete(next), "the next receive is not complete\n");
    SleepEx(0, TRUE);
    ran_inside = next->calls;
}

/* The same for one that is complete only while the other one's routine runs. */
static void test_not_nested_late(void)
{
    struct post posts[2];
    SOCKET pair[2];

    net_pair(&pair[0], &pair[1]);
    send_while_running = pair[0];
    post_receive(&posts[0], pair[1], send_and_wait);
    post_receive(&posts[1], pair[1], NULL);
    net_send_all(pair[0], "a", 1);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no completion\n");
    todo_wine ok(!ran_inside, "nested\n");
    close_pair(pair);
}

/* "Returning from this function allows invocation of another pending completion routine for this
 * socket": and so the others had their turn when the wait returns. */
static void test_after_returning(void)
{
    struct post posts[5];
    SOCKET pair[2];
    int i;

    net_pair(&pair[0], &pair[1]);
    post_complete(pair, posts, 5, wait_alertably);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no completion\n");
    for (i = 0; i < 5; i++)
        ok(posts[i].calls == 1, "routine %d was called %d times\n", i, posts[i].calls);
    close_pair(pair);
}

static struct post other;

static void wait_for_other(struct post *post)
{
    (void)post;
    SleepEx(NET_PATIENCE, TRUE);
    ran_inside = other.calls;
}

/* "For a given socket": another one's may run inside. */
static void test_other_socket_inside(void)
{
    SOCKET first[2], second[2];
    struct post post;

    net_pair(&first[0], &first[1]);
    net_pair(&second[0], &second[1]);
    post_complete(first, &post, 1, wait_for_other);
    post_complete(second, &other, 1, NULL);
    ran_inside = -1;
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no completion\n");
    ok(post.calls == 1 && other.calls == 1, "called %d and %d times\n", post.calls, other.calls);
    /* "The completion routines can be called in any order" */
    ok(ran_inside == 1, "the other one was called %s\n", ran_inside ? "not inside" : "afterwards");
    close_pair(first);
    close_pair(second);
}

/* ---- waits ---- */

/* "When using WSAWaitForMultipleEvents, all waiting completion routines are called before the
 * alertable thread's wait is satisfied with a return code of WSA_IO_COMPLETION." */
static void test_all_are_called(void)
{
    HANDLE event = WSACreateEvent();
    struct post posts[3][5];
    SOCKET pairs[3][2];
    DWORD result;
    int i;

    for (i = 0; i < 3; i++)
        net_pair(&pairs[i][0], &pairs[i][1]);
    for (i = 0; i < 3; i++)
        post_complete(pairs[i], posts[i], 5, NULL);
    result = WSAWaitForMultipleEvents(1, &event, TRUE, NET_PATIENCE, TRUE);
    ok(result == WSA_WAIT_IO_COMPLETION, "got %lx\n", result);
    for (i = 0; i < 15; i++)
        ok(posts[i / 5][i % 5].calls == 1, "routine %d was called %d times\n", i,
           posts[i / 5][i % 5].calls);
    for (i = 0; i < 3; i++)
        close_pair(pairs[i]);
    WSACloseEvent(event);
}

static DWORD sleep_ex(HANDLE event)
{
    (void)event;
    return SleepEx(NET_PATIENCE, TRUE);
}
static DWORD wait_single(HANDLE event)
{
    return WaitForSingleObjectEx(event, NET_PATIENCE, TRUE);
}
static DWORD wait_multiple(HANDLE event)
{
    return WaitForMultipleObjectsEx(1, &event, FALSE, NET_PATIENCE, TRUE);
}
static DWORD wait_events(HANDLE event)
{
    return WSAWaitForMultipleEvents(1, &event, FALSE, NET_PATIENCE, TRUE);
}
static DWORD signal_and_wait(HANDLE event)
{
    HANDLE signal = CreateEventA(NULL, TRUE, FALSE, NULL);
    DWORD result = SignalObjectAndWait(signal, event, NET_PATIENCE, TRUE);

    CloseHandle(signal);
    return result;
}

/* "The completion routine will not be invoked until the thread is in an alertable wait state such
 * as can occur when the function WSAWaitForMultipleEvents with the fAlertable parameter set to TRUE
 * is invoked." */
static void test_alertable_waits(void)
{
    static DWORD (*const waits[])(HANDLE event) = {sleep_ex, wait_single, wait_multiple,
                                                   wait_events, signal_and_wait};
    HANDLE event = WSACreateEvent();
    struct post post;
    SOCKET pair[2];
    size_t i;

    for (i = 0; i < ARRAYSIZE(waits); i++) {
        DWORD result;

        winetest_push_context("wait %d", (int)i);
        net_pair(&pair[0], &pair[1]);
        post_complete(pair, &post, 1, NULL);
        ok(!post.calls, "called too early\n");
        result = waits[i](event);
        ok(result == WAIT_IO_COMPLETION, "got %lx\n", result);
        ok(post.calls == 1, "called %d times\n", post.calls);
        close_pair(pair);
        winetest_pop_context();
    }
    WSACloseEvent(event);
}

/* The same sentence: other waits, and calls that need not wait, do not invoke it. */
static void test_other_waits(void)
{
    HANDLE event = WSACreateEvent();
    struct post post;
    SOCKET pair[2], quiet[2];
    u_long count;
    char byte;

    net_pair(&pair[0], &pair[1]);
    net_pair(&quiet[0], &quiet[1]);
    net_send_all(quiet[0], "xy", 2);
    net_arrived(quiet[1], 2);
    post_complete(pair, &post, 1, NULL);
    Sleep(20);
    WaitForSingleObject(event, 20);
    WSAWaitForMultipleEvents(1, &event, FALSE, 20, FALSE);
    WaitForMultipleObjects(1, &event, FALSE, 20);
    ok(recv(quiet[1], &byte, 1, 0) == 1, "error %d\n", WSAGetLastError());
    ok(!ioctlsocket(quiet[1], FIONREAD, &count), "error %d\n", WSAGetLastError());
    ok(send(quiet[1], "z", 1, 0) == 1, "error %d\n", WSAGetLastError());
    ok(!post.calls, "called without an alertable wait\n");
    SleepEx(0, TRUE);
    ok(post.calls == 1, "called %d times\n", post.calls);
    close_pair(pair);
    close_pair(quiet);
    WSACloseEvent(event);
}

struct blocking {
    SOCKET s;     /* a byte sent here, or a connection to here, ends the call */
    HANDLE go;    /* set when it may */
    BOOL connect; /* which of the two */
    BOOL drain;   /* neither: the peer reads what was sent */
    SOCKET late;  /* if any, a byte is sent here when the call has waited for a while */
};

static DWORD WINAPI end_blocking(void *arg)
{
    struct blocking *blocking = arg;
    struct sockaddr_storage address;
    int length = sizeof(address);
    static char data[65536];
    SOCKET s;

    if (blocking->late) {
        Sleep(60);
        net_send_all(blocking->late, "y", 1);
    }
    WaitForSingleObject(blocking->go, NET_PATIENCE);
    if (blocking->drain) {
        while (recv(blocking->s, data, sizeof(data), 0) > 0)
            ;
    } else if (blocking->connect) {
        getsockname(blocking->s, (struct sockaddr *)&address, &length);
        s = socket(AF_INET, SOCK_STREAM, 0);
        ok(!connect(s, (struct sockaddr *)&address, length), "error %d\n", WSAGetLastError());
        closesocket(s);
    } else
        net_send_all(blocking->s, "x", 1);
    return 0;
}

static HANDLE blocking_go;

static void let_it_end(struct post *post)
{
    (void)post;
    SetEvent(blocking_go);
}

enum blocking_call { CALL_RECV, CALL_WSARECV, CALL_RECVFROM, CALL_ACCEPT, CALL_SEND, CALLS };

/* As much as must fill every buffer on the way. */
static int send_until_called(SOCKET s, const struct post *post)
{
    static char big[1 << 22];
    int count;

    for (count = 0; count < 32 && !post->calls; count++)
        if (send(s, big, sizeof(big), 0) != (int)sizeof(big))
            return -1;
    return 1;
}

static int call_blocking(enum blocking_call call, SOCKET s, const struct post *post)
{
    DWORD bytes = 0, flags = 0;
    char byte;
    WSABUF buf = {1, &byte};
    SOCKET accepted;

    switch (call) {
    case CALL_RECV:
        return recv(s, &byte, 1, 0);
    case CALL_WSARECV:
        return WSARecv(s, &buf, 1, &bytes, &flags, NULL, NULL) ? -1 : (int)bytes;
    case CALL_RECVFROM:
        return recvfrom(s, &byte, 1, 0, NULL, NULL);
    case CALL_ACCEPT:
        accepted = accept(s, NULL, NULL);
        closesocket(accepted);
        return accepted == INVALID_SOCKET ? -1 : 1;
    case CALL_SEND:
        return send_until_called(s, post);
    default:
        return -1;
    }
}

/* "Winsock performs an alertable wait in this situation, which can be interrupted by an
 * asynchronous procedure call (APC) scheduled on the same thread."  Each call could not end if the
 * routine did not run within it. */
static void test_blocking_calls(void)
{
    enum blocking_call call;

    for (call = 0; call < CALLS; call++) {
        struct blocking blocking = {.go = CreateEventA(NULL, TRUE, FALSE, NULL)};
        SOCKET pair[2], quiet[2], waiting;
        struct sockaddr_storage address;
        struct post post;
        HANDLE thread;
        int length, result;

        winetest_push_context("call %d", call);
        net_pair(&pair[0], &pair[1]);
        net_pair(&quiet[0], &quiet[1]);
        waiting = quiet[1];
        blocking.s = quiet[0];
        if (call == CALL_ACCEPT) {
            blocking.s = waiting = net_listener(AF_INET, &address, &length);
            blocking.connect = TRUE;
        }
        blocking.drain = call == CALL_SEND;
        blocking_go = blocking.go;
        thread = CreateThread(NULL, 0, end_blocking, &blocking, 0, NULL);
        post_complete(pair, &post, 1, let_it_end);
        result = call_blocking(call, waiting, &post);
        ok(result == 1, "got %d, error %d\n", result, WSAGetLastError());
        todo_wine_if(call == CALL_ACCEPT || call == CALL_SEND)
            ok(post.calls == 1, "called %d times\n", post.calls);
        SleepEx(0, TRUE); /* at the latest */
        SetEvent(blocking.go);
        closesocket(waiting);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
        close_pair(pair);
        close_pair(quiet);
        CloseHandle(blocking.go);
        winetest_pop_context();
    }
}

/* ---- what is called from within one ---- */

static struct {
    SOCKET stream[2], datagram[2];
    struct sockaddr_storage address[2];
    int length;
} world;

static struct post inner[4];

static void post_four(struct post *post)
{
    struct sockaddr *to = (struct sockaddr *)&world.address[1];
    WSABUF buf = {1, NULL};
    DWORD flags = 0, bytes;
    int i, result[4];

    (void)post;
    memset(inner, 0, sizeof(inner));
    for (i = 0; i < 4; i++)
        inner[i].byte = 'p';
    buf.buf = &inner[0].byte;
    result[0] = WSARecv(world.stream[1], &buf, 1, &bytes, &flags, &inner[0].ov, routine);
    ok(!result[0] || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    buf.buf = &inner[1].byte;
    result[1] =
        WSARecvFrom(world.datagram[1], &buf, 1, &bytes, &flags, NULL, NULL, &inner[1].ov, routine);
    ok(!result[1] || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    buf.buf = &inner[2].byte;
    result[2] = WSASend(world.stream[1], &buf, 1, &bytes, 0, &inner[2].ov, routine);
    ok(!result[2] || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    buf.buf = &inner[3].byte;
    result[3] =
        WSASendTo(world.datagram[0], &buf, 1, &bytes, 0, to, world.length, &inner[3].ov, routine);
    ok(!result[3] || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
}

static void post_outer(int which, struct post *outer)
{
    struct sockaddr *to = (struct sockaddr *)&world.address[1];
    WSABUF buf = {1, &outer->byte};
    DWORD flags = 0;
    int result;

    memset(outer, 0, sizeof(*outer));
    outer->act = post_four;
    if (which == 0)
        result = WSARecv(world.stream[1], &buf, 1, NULL, &flags, &outer->ov, routine);
    else if (which == 1)
        result =
            WSARecvFrom(world.datagram[1], &buf, 1, NULL, &flags, NULL, NULL, &outer->ov, routine);
    else if (which == 2)
        result = WSASend(world.stream[1], &buf, 1, NULL, 0, &outer->ov, routine);
    else
        result =
            WSASendTo(world.datagram[0], &buf, 1, NULL, 0, to, world.length, &outer->ov, routine);
    ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    net_send_all(world.stream[0], "12", which ? 1 : 2);
    if (which == 1)
        ok(sendto(world.datagram[0], "1", 1, 0, to, world.length) == 1, "error %d\n",
           WSAGetLastError());
}

/* "The WSARecv function using overlapped I/O can be called from within the completion routine of a
 * previous WSARecv, WSARecvFrom, WSASend or WSASendTo function": each of the four within each. */
static void test_calls_within(void)
{
    static const char *const names[] = {"WSARecv", "WSARecvFrom", "WSASend", "WSASendTo"};
    static struct post outer;
    DWORD start;
    int i, which;

    for (which = 0; which < 4; which++) {
        winetest_push_context("within %s", names[which]);
        net_pair(&world.stream[0], &world.stream[1]);
        net_udp_pair(AF_INET, world.datagram, world.address, &world.length);
        memset(inner, 0, sizeof(inner));
        post_outer(which, &outer);
        start = GetTickCount();
        while (!outer.calls && GetTickCount() - start < NET_PATIENCE)
            SleepEx(100, TRUE);
        ok(outer.calls == 1, "called %d times\n", outer.calls);
        while ((!inner[0].calls || !inner[1].calls || !inner[2].calls || !inner[3].calls) &&
               GetTickCount() - start < NET_PATIENCE)
            SleepEx(100, TRUE);
        for (i = 0; i < 4; i++)
            ok(inner[i].calls == 1 && !inner[i].error && inner[i].bytes == 1,
               "%s: called %d times, error %lu, %lu bytes\n", names[i], inner[i].calls,
               inner[i].error, inner[i].bytes);
        close_pair(world.stream);
        close_pair(world.datagram);
        winetest_pop_context();
    }
}

static BOOL calls_made;

/* Calls that do not block, but may have to ask wherever sockets live. */
static void make_calls(struct post *post)
{
    struct sockaddr_storage address;
    int length = sizeof(address), value = 1, size = sizeof(value);
    SOCKET fresh = socket(AF_INET, SOCK_STREAM, 0);

    ok(fresh != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    ok_success(setsockopt(post->s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof(value)));
    ok_success(getsockopt(post->s, SOL_SOCKET, SO_RCVBUF, (char *)&value, &size));
    ok_success(getpeername(post->s, (struct sockaddr *)&address, &length));
    length = net_loopback(AF_INET, &address);
    ok_success(bind(fresh, (struct sockaddr *)&address, length));
    ok_success(listen(fresh, 1));
    closesocket(fresh);
    calls_made = TRUE;
    SetEvent(blocking_go);
}

/* The same from within the wait of a blocking call, which goes on afterwards. */
static void test_calls_within_blocking_call(void)
{
    struct blocking blocking = {.go = CreateEventA(NULL, TRUE, FALSE, NULL)};
    SOCKET pair[2], quiet[2];
    struct post post;
    HANDLE thread;
    char byte;
    int i, result;

    net_pair(&pair[0], &pair[1]);
    net_pair(&quiet[0], &quiet[1]);
    blocking.s = quiet[0];
    blocking_go = blocking.go;
    for (i = 0; i < 6; i++) {
        calls_made = FALSE;
        ResetEvent(blocking.go);
        if (i % 2)
            post_complete(pair, &post, 1, make_calls);
        else
            post_receive(&post, pair[1], make_calls);
        blocking.late = i % 2 ? 0 : pair[0];
        thread = CreateThread(NULL, 0, end_blocking, &blocking, 0, NULL);
        result = recv(quiet[1], &byte, 1, 0);
        /* Wine 8.0's gives up with WSA_IO_PENDING, mostly */
        ok(result == 1 || on_builtin(), "got %d, error %d\n", result, WSAGetLastError());
        ok(calls_made, "the routine did not get through\n");
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    close_pair(pair);
    close_pair(quiet);
    CloseHandle(blocking.go);
}

static void CALLBACK calls_by_apc(ULONG_PTR post)
{
    make_calls((struct post *)post);
}

struct apc_sender {
    HANDLE thread;
    struct post *post;
};

static DWORD WINAPI queue_late(void *arg)
{
    struct apc_sender *sender = arg;

    Sleep(60);
    ok(QueueUserAPC(calls_by_apc, sender->thread, (ULONG_PTR)sender->post), "error %lu\n",
       GetLastError());
    return 0;
}

/* "Winsock performs an alertable wait in this situation, which can be interrupted by an
 * asynchronous procedure call (APC) scheduled on the same thread": any, not only a routine. */
static void test_apc_within_blocking_call(void)
{
    struct blocking blocking = {.go = CreateEventA(NULL, TRUE, FALSE, NULL)};
    struct post post = {.calls = 0};
    struct apc_sender sender = {.post = &post};
    HANDLE threads[2];
    SOCKET quiet[2];
    char byte;
    int result;

    DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &sender.thread, 0,
                    FALSE, DUPLICATE_SAME_ACCESS);
    net_pair(&quiet[0], &quiet[1]);
    post.s = quiet[1];
    blocking.s = quiet[0];
    blocking_go = blocking.go;
    calls_made = FALSE;
    threads[0] = CreateThread(NULL, 0, end_blocking, &blocking, 0, NULL);
    threads[1] = CreateThread(NULL, 0, queue_late, &sender, 0, NULL);
    result = recv(quiet[1], &byte, 1, 0);
    ok(result == 1 || on_builtin(), "got %d, error %d\n", result, WSAGetLastError());
    ok(calls_made, "the APC did not get through\n");
    WaitForMultipleObjects(2, threads, TRUE, INFINITE);
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    CloseHandle(sender.thread);
    CloseHandle(blocking.go);
    close_pair(quiet);
}

/* ---- arguments and event ---- */

/* "If lpCompletionRoutine is not NULL, the hEvent parameter is ignored": an event there is neither
 * reset nor set. */
static void test_event_is_ignored(void)
{
    HANDLE set = CreateEventA(NULL, TRUE, TRUE, NULL),
           unset = CreateEventA(NULL, TRUE, FALSE, NULL);
    HANDLE events[2] = {set, unset};
    struct post posts[2];
    WSABUF buf = {1, NULL};
    DWORD flags = 0;
    SOCKET pair[2];
    int i;

    net_pair(&pair[0], &pair[1]);
    memset(posts, 0, sizeof(posts));
    for (i = 0; i < 2; i++) {
        posts[i].ov.hEvent = events[i];
        buf.buf = &posts[i].byte;
        ok_error(WSARecv(pair[1], &buf, 1, NULL, &flags, &posts[i].ov, routine), WSA_IO_PENDING);
    }
    ok(WaitForSingleObject(set, 0) == WAIT_OBJECT_0, "the event was reset\n");
    net_send_all(pair[0], "ab", 2);
    ok(is_complete(&posts[1]), "not complete\n");
    SleepEx(0, TRUE);
    ok(posts[0].calls == 1 && posts[1].calls == 1, "called %d and %d times\n", posts[0].calls,
       posts[1].calls);
    ok(WaitForSingleObject(unset, 0) == WAIT_TIMEOUT, "the event was set\n");
    ok(posts[0].ov.hEvent == set && posts[1].ov.hEvent == unset, "hEvent was changed\n");
    close_pair(pair);
    CloseHandle(set);
    CloseHandle(unset);
}

/* "A caller that passes a non-NULL lpCompletionRoutine and later calls WSAGetOverlappedResult for
 * the same overlapped I/O request may not set the fWait parameter": without it, it works, and says
 * what the routine was told. */
static void test_result_without_wait(void)
{
    DWORD bytes = 0xdead, flags = 0xdead;
    struct post post;
    SOCKET pair[2];

    net_pair(&pair[0], &pair[1]);
    post_receive(&post, pair[1], NULL);
    ok(!WSAGetOverlappedResult(pair[1], &post.ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSA_IO_INCOMPLETE,
       "error %d\n", WSAGetLastError());
    net_send_all(pair[0], "a", 1);
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no completion\n");
    ok(WSAGetOverlappedResult(pair[1], &post.ov, &bytes, FALSE, &flags), "error %d\n",
       WSAGetLastError());
    ok(bytes == 1 && bytes == post.bytes && flags == post.flags, "got %lu bytes, flags %lx\n",
       bytes, flags);
    close_pair(pair);
}

/* "The dwError specifies the completion status for the overlapped operation ...  The cbTransferred
 * parameter specifies the number of bytes received.  The dwFlags parameter contains information
 * that would have appeared in lpFlags": here of a message that was cut off. */
static void test_arguments(void)
{
    struct sockaddr_storage address[2];
    struct post post = {.calls = 0};
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD flags = 0;
    SOCKET s[2];
    int length;

    net_udp_pair(AF_INET, s, address, &length);
    ok_error(WSARecvFrom(s[1], &buf, 1, NULL, &flags, NULL, NULL, &post.ov, routine),
             WSA_IO_PENDING);
    ok(sendto(s[0], "123456", 6, 0, (struct sockaddr *)&address[1], length) == 6, "error %d\n",
       WSAGetLastError());
    ok(SleepEx(NET_PATIENCE, TRUE) == WAIT_IO_COMPLETION, "no completion\n");
    ok(post.calls == 1 && post.thread == GetCurrentThreadId(), "called %d times\n", post.calls);
    ok(post.error == WSAEMSGSIZE, "got error %lu\n", post.error);
    ok(post.bytes == 4, "got %lu bytes\n", post.bytes);
    todo_wine ok(post.flags == MSG_PARTIAL, "got flags %lx\n", post.flags);
    closesocket(s[0]);
    closesocket(s[1]);
}

/* ---- routines that never run, or never return ---- */

struct leaver {
    SOCKET s;
    HANDLE posted;
    struct post post;
    void (*act)(struct post *post); /* NULL: no alertable wait, so that the routine never runs */
};

static DWORD WINAPI post_and_leave(void *arg)
{
    struct leaver *leaver = arg;

    post_receive(&leaver->post, leaver->s, leaver->act);
    SetEvent(leaver->posted);
    if (leaver->act)
        SleepEx(NET_PATIENCE, TRUE);
    else
        ok(is_complete(&leaver->post), "not complete\n");
    return 0;
}

/* Threads that end with a routine due, or in it; false when something is wrong. */
static BOOL run_leaver(SOCKET pair[2], void (*act)(struct post *post))
{
    struct leaver leaver = {.s = pair[1], .act = act};
    HANDLE thread;
    BOOL ended;

    leaver.posted = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, post_and_leave, &leaver, 0, NULL);
    WaitForSingleObject(leaver.posted, NET_PATIENCE);
    net_send_all(pair[0], "x", 1);
    ended = WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0;
    ok(ended, "the thread did not end\n");
    ok(leaver.post.calls == (act != NULL), "called %d times\n", leaver.post.calls);
    CloseHandle(thread);
    CloseHandle(leaver.posted);
    return ended && HasOverlappedIoCompleted(&leaver.post.ov);
}

static void run_leavers(void (*act)(struct post *post))
{
    SOCKET pair[2];
    char byte;
    int i;

    net_pair(&pair[0], &pair[1]);
    for (i = 0; i < 150 && run_leaver(pair, act); i++)
        ;
    ok(i == 150, "stopped at thread %d\n", i);
    net_send_all(pair[0], "y", 1);
    ok(recv(pair[1], &byte, 1, 0) == 1 && byte == 'y', "the connection is broken\n");
    close_pair(pair);
}

/* "The completion routine will not be invoked until the thread is in an alertable wait state": nor
 * anywhere else if that never comes.  What is left behind is not counted as outstanding. */
static void test_never_alertable(void)
{
    run_leavers(NULL);
}

static void leave_thread(struct post *post)
{
    (void)post;
    ExitThread(0);
}

/* A thread may end within its routine: nothing in ExitThread's page is against it. */
static void test_thread_ends_in_routine(void)
{
    run_leavers(leave_thread);
}

START_TEST(completion_routines)
{
    /* ours refuses overlapped operations beyond this: none may be left behind by ended threads */
    SetEnvironmentVariableA("RINGSOCK_MAX_OVERLAPPED", "100");
    net_start();
    RUN(test_not_nested);
    RUN(test_not_nested_late);
    RUN(test_after_returning);
    RUN(test_other_socket_inside);
    RUN(test_all_are_called);
    RUN(test_alertable_waits);
    RUN(test_other_waits);
    RUN(test_blocking_calls);
    RUN(test_calls_within);
    RUN(test_calls_within_blocking_call);
    RUN(test_apc_within_blocking_call);
    RUN(test_event_is_ignored);
    RUN(test_result_without_wait);
    RUN(test_arguments);
    RUN(test_never_alertable);
    RUN(test_thread_ends_in_routine);
    WSACleanup();
}
