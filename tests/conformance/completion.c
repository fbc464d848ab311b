/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How an overlapped operation's end is told: at once or later, by event, routine or packet; count
 * and flags through every way of asking; what must not be told at all.
 * Sources: the page of WSARecv, which each quotation is from unless it says otherwise; the same
 * sentences are on those of WSARecvFrom, WSASend and WSASendTo.  WSAGetOverlappedResult's page
 * where it is named.
 */
#include <stddef.h>

#include "overlapped.h"

/* ---- the four calls, on sockets of their own ---- */

enum call { CALL_RECV, CALL_RECVFROM, CALL_SEND, CALL_SENDTO, CALLS };
static const char *const call_names[] = {"WSARecv", "WSARecvFrom", "WSASend", "WSASendTo"};

struct scene {
    enum call call;
    SOCKET s, peer; /* the call's socket, and where its data comes from or goes to */
    struct sockaddr_storage address, peer_address;
    int length;
    char buffer[4];
};

static void scene_make(struct scene *scene, enum call call)
{
    struct sockaddr_storage address[2];
    SOCKET s[2];

    memset(scene, 0, sizeof(*scene));
    scene->call = call;
    if (call == CALL_RECV || call == CALL_SEND)
        net_pair(&scene->peer, &scene->s);
    else {
        net_udp_pair(AF_INET, s, address, &scene->length);
        scene->s = s[0];
        scene->peer = s[1];
        scene->address = address[0];
        scene->peer_address = address[1];
    }
}

static void scene_end(struct scene *scene)
{
    closesocket(scene->s);
    closesocket(scene->peer);
}

/* Lets a receive have its four bytes. */
static void scene_arrive(struct scene *scene)
{
    if (scene->call == CALL_RECV)
        net_send_all(scene->peer, "data", 4);
    else if (scene->call == CALL_RECVFROM)
        ok(sendto(scene->peer, "data", 4, 0, (struct sockaddr *)&scene->address, scene->length) ==
               4,
           "error %d\n", WSAGetLastError());
}

static BOOL is_receive(enum call call)
{
    return call == CALL_RECV || call == CALL_RECVFROM;
}

static int scene_call(struct scene *scene, DWORD *bytes, DWORD *flags, WSAOVERLAPPED *ov,
                      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    WSABUF buf = {4, is_receive(scene->call) ? scene->buffer : (char *)"data"};

    switch (scene->call) {
    case CALL_RECV:
        return WSARecv(scene->s, &buf, 1, bytes, flags, ov, routine);
    case CALL_RECVFROM:
        return WSARecvFrom(scene->s, &buf, 1, bytes, flags, NULL, NULL, ov, routine);
    case CALL_SEND:
        return WSASend(scene->s, &buf, 1, bytes, 0, ov, routine);
    default:
        return WSASendTo(scene->s, &buf, 1, bytes, 0, (struct sockaddr *)&scene->peer_address,
                         scene->length, ov, routine);
    }
}

/* A call that ends at once, with success. */
static void scene_call_now(struct scene *scene, DWORD *bytes, struct told *told)
{
    DWORD flags = 0;
    int result;

    scene_arrive(scene);
    if (is_receive(scene->call))
        net_arrived(scene->s, 4);
    result = scene_call(scene, bytes, &flags, &told->ov, told_by_routine(told));
    ok(!result, "got %d, error %d\n", result, WSAGetLastError());
    ok(!flags, "flags %lx\n", flags);
}

#define FOR_EACH_CALL(scene)                          \
    for (int rt_call = 0; rt_call < CALLS; rt_call++) \
        for (int rt_once = (begin_call(scene, rt_call), 1); rt_once; rt_once = (end_call(scene), 0))

static void begin_call(struct scene *scene, enum call call)
{
    winetest_push_context("%s", call_names[call]);
    scene_make(scene, call);
}

static void end_call(struct scene *scene)
{
    scene_end(scene);
    winetest_pop_context();
}

/* ---- immediate ends ---- */

/* "If no error occurs and the receive operation has completed immediately, WSARecv returns zero. In
 * this case, the completion routine will have already been scheduled": and an event is set, and a
 * packet is queued, as for an operation that pends. */
static void test_immediate(void)
{
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        struct scene scene;

        FOR_EACH_CALL(&scene)
        {
            struct told told;

            told_init(&told, by, scene.s, NULL);
            scene_call_now(&scene, NULL, &told);
            ok(by == BY_EVENT || !told.count, "told within the call\n");
            ok(told_wait(&told), "%s: not told\n", told_by_names[by]);
            ok(!told.error && told.bytes == 4, "%s: error %lu, %lu bytes\n", told_by_names[by],
               told.error, told.bytes);
            ok(told_nothing(&told), "%s: told again\n", told_by_names[by]);
            told_free(&told);
        }
    }
}

/* "If an overlapped operation completes immediately, WSARecv returns a value of zero and the
 * lpNumberOfBytesRecvd parameter is updated with the number of bytes received". */
static void test_immediate_count(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        struct told told;
        DWORD bytes = 0xdead;

        told_init(&told, BY_EVENT, scene.s, NULL);
        scene_call_now(&scene, &bytes, &told);
        ok(bytes == 4, "got %lu bytes\n", bytes);
        ok(told_wait(&told), "not told\n");
        told_free(&told);
    }
}

/* ---- later ends ---- */

/* "If the overlapped operation is successfully initiated and will complete later, WSARecv returns
 * SOCKET_ERROR and indicates error code WSA_IO_PENDING.  In this case, lpNumberOfBytesRecvd and
 * lpFlags are not updated": neither then nor at the end. */
static void test_later(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        DWORD bytes = 0xdead, flags = 0;
        struct told told;

        if (!is_receive(scene.call))
            continue; /* a send pends only when there is no room */
        told_init(&told, BY_EVENT, scene.s, NULL);
        ok_error(scene_call(&scene, &bytes, &flags, &told.ov, NULL), WSA_IO_PENDING);
        ok(bytes == 0xdead, "got %lu bytes\n", bytes);
        scene_arrive(&scene);
        ok(told_wait(&told) && told.bytes == 4, "got %lu bytes\n", told.bytes);
        ok(bytes == 0xdead && !flags, "got %lu bytes, flags %lx\n", bytes, flags);
        told_free(&told);
    }
}

/* Fills what is between the two ends of a connection; returns a send that pends. */
static int fill(SOCKET s, WSABUF *buf, struct told told[16], enum told_by by)
{
    int count, result = 0;

    for (count = 0; count < 16 && !result; count++) {
        told_init(&told[count], by, s, count ? told[0].port : NULL);
        result = WSASend(s, buf, 1, NULL, 0, &told[count].ov, told_by_routine(&told[count]));
        ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    }
    ok(result, "everything was taken\n");
    return count;
}

static DWORD WINAPI drain(void *arg)
{
    static char data[65536];
    ULONGLONG total = 0;
    int count;

    while ((count = recv(*(SOCKET *)arg, data, sizeof(data), 0)) > 0)
        total += count;
    ok(!count, "error %d\n", WSAGetLastError());
    return (DWORD)(total >> 10);
}

/* WSASend: the same for a send that waits for room; each way of telling says how much it was. */
static void test_later_send(void)
{
    static char data[1 << 20];
    WSABUF buf = {sizeof(data), data};
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        struct told told[16];
        HANDLE thread;
        SOCKET pair[2];
        int count, i;

        winetest_push_context("%s", told_by_names[by]);
        net_pair(&pair[0], &pair[1]);
        count = fill(pair[0], &buf, told, by);
        thread = CreateThread(NULL, 0, drain, &pair[1], 0, NULL);
        for (i = 0; i < count; i++) {
            /* a packet may be another one's: all of them have the same size */
            if (by == BY_PORT) {
                OVERLAPPED *ov;
                ULONG_PTR key;
                DWORD bytes;

                ok(GetQueuedCompletionStatus(told[0].port, &bytes, &key, &ov, NET_PATIENCE) &&
                       bytes == sizeof(data),
                   "%d: error %lu\n", i, GetLastError());
            } else
                ok(told_wait(&told[i]) && !told[i].error && told[i].bytes == sizeof(data),
                   "%d: error %lu, %lu bytes\n", i, told[i].error, told[i].bytes);
            ok(told[i].ov.InternalHigh == sizeof(data), "%d: InternalHigh %lu\n", i,
               (DWORD)told[i].ov.InternalHigh);
        }
        shutdown(pair[0], SD_SEND);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
        for (i = 0; i < count; i++) {
            if (i)
                told[i].port = NULL;
            told_free(&told[i]);
        }
        closesocket(pair[0]);
        closesocket(pair[1]);
        winetest_pop_context();
    }
}

/* ---- errors ---- */

/* "Any other error code indicates that the overlapped operation was not successfully initiated and
 * no completion indication will occur": here, of sockets that have been shut down. */
static void test_no_indication(void)
{
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        struct scene scene;

        FOR_EACH_CALL(&scene)
        {
            struct told told;
            DWORD flags = 0;

            ok_success(shutdown(scene.s, SD_BOTH));
            told_init(&told, by, scene.s, NULL);
            ok_error(scene_call(&scene, NULL, &flags, &told.ov, told_by_routine(&told)),
                     WSAESHUTDOWN);
            ok(told_nothing(&told), "%s: told\n", told_by_names[by]);
            told_free(&told);
        }
    }
}

/* ---- asking ---- */

/* Every way of asking for a finished operation says the same. */
static void check_asking(struct scene *scene, struct told *told)
{
    DWORD bytes = 0xdead, flags = 0xdead;

    ok(WSAGetOverlappedResult(scene->s, &told->ov, &bytes, FALSE, &flags), "error %d\n",
       WSAGetLastError());
    ok(bytes == 4 && !flags, "WSAGetOverlappedResult: %lu bytes, flags %lx\n", bytes, flags);
    bytes = flags = 0xdead;
    if (told->by == BY_EVENT) /* "may not set the fWait parameter" with a routine */
        ok(WSAGetOverlappedResult(scene->s, &told->ov, &bytes, TRUE, &flags) && bytes == 4 &&
               !flags,
           "waiting: error %d, %lu bytes, flags %lx\n", WSAGetLastError(), bytes, flags);
    bytes = 0xdead;
    ok(GetOverlappedResult((HANDLE)scene->s, &told->ov, &bytes, FALSE), "error %lu\n",
       GetLastError());
    ok(bytes == 4, "GetOverlappedResult: %lu bytes\n", bytes);
    ok(HasOverlappedIoCompleted(&told->ov), "HasOverlappedIoCompleted says no\n");
    ok(!told->ov.Internal && told->ov.InternalHigh == 4, "Internal %lx, InternalHigh %lu\n",
       (DWORD)told->ov.Internal, (DWORD)told->ov.InternalHigh);
    ok(told->bytes == 4, "told of %lu bytes\n", told->bytes);
}

/* "When the overlapped operation completes, the amount of data transferred is indicated either
 * through the cbTransferred parameter in the completion routine (if specified), or through the
 * lpcbTransfer parameter in WSAGetOverlappedResult.  Flag values are obtained by examining the
 * lpdwFlags parameter". */
static void test_asking(void)
{
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        struct scene scene;

        FOR_EACH_CALL(&scene)
        {
            struct told told;
            DWORD flags = 0;
            int result;

            told_init(&told, by, scene.s, NULL);
            result = scene_call(&scene, NULL, &flags, &told.ov, told_by_routine(&told));
            ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
            scene_arrive(&scene);
            ok(told_wait(&told), "not told\n");
            check_asking(&scene, &told);
            told_free(&told);
        }
    }
}

/* GetQueuedCompletionStatusEx's page, OVERLAPPED_ENTRY: "dwNumberOfBytesTransferred: The number of
 * bytes transferred during the I/O operation that has completed." */
static void test_packets_ex(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        OVERLAPPED_ENTRY entries[4];
        struct told told[2];
        DWORD flags = 0;
        ULONG count = 0, got = 0, i;
        int result;

        for (i = 0; i < 2; i++) {
            told_init(&told[i], BY_PORT, scene.s, i ? told[0].port : NULL);
            result = scene_call(&scene, NULL, &flags, &told[i].ov, NULL);
            ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
            scene_arrive(&scene);
            flags = 0;
        }
        while (got < 2) {
            if (!GetQueuedCompletionStatusEx(told[0].port, entries, 4, &count, NET_PATIENCE, FALSE))
                break;
            for (i = 0; i < count; i++, got++) {
                ok(entries[i].lpOverlapped == &told[0].ov || entries[i].lpOverlapped == &told[1].ov,
                   "a packet of something else\n");
                ok(entries[i].lpCompletionKey == 0x77 && !(DWORD)entries[i].Internal,
                   "key %lx, status %lx\n", (DWORD)entries[i].lpCompletionKey,
                   (DWORD)entries[i].Internal);
                ok(entries[i].dwNumberOfBytesTransferred == 4, "got %lu bytes\n",
                   entries[i].dwNumberOfBytesTransferred);
            }
        }
        ok(got == 2, "got %lu packets\n", got);
        told[1].port = NULL;
        told_free(&told[0]);
    }
}

/* ---- the event ---- */

/* "the hEvent parameter of lpOverlapped is signaled when the overlapped operation completes":
 * OVERLAPPED's page: "Functions such as ... WSARecv set this handle to the nonsignaled state before
 * they begin an I/O operation." */
static void test_event_is_reset(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        struct told told;
        DWORD flags = 0;

        if (!is_receive(scene.call))
            continue;
        told_init(&told, BY_EVENT, scene.s, NULL);
        SetEvent(told.event);
        ok_error(scene_call(&scene, NULL, &flags, &told.ov, NULL), WSA_IO_PENDING);
        ok(WaitForSingleObject(told.event, 0) == WAIT_TIMEOUT, "the event is set\n");
        scene_arrive(&scene);
        ok(told_wait(&told), "not told\n");
        told_free(&told);
    }
}

/* GetQueuedCompletionStatus, lpOverlapped: "to prevent the completion port from being notified ...
 * set the low-order bit of hEvent": the event is set all the same. */
static void test_low_bit(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        HANDLE event = WSACreateEvent();
        DWORD flags = 0;
        struct told told;
        int result;

        told_init(&told, BY_PORT, scene.s, NULL);
        told.ov.hEvent = (HANDLE)((ULONG_PTR)event | 1);
        result = scene_call(&scene, NULL, &flags, &told.ov, NULL);
        ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
        scene_arrive(&scene);
        ok(WaitForSingleObject(event, NET_PATIENCE) == WAIT_OBJECT_0, "the event was not set\n");
        ok(told.ov.InternalHigh == 4, "got %lu bytes\n", (DWORD)told.ov.InternalHigh);
        ok(told_nothing(&told), "a packet came\n");
        told_free(&told);
        WSACloseEvent(event);
    }
}

/* "if it contains a valid event object handle": with any other the operation does not begin,
 * nothing is told, and what has arrived stays. */
static void test_invalid_event(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        struct told told;
        DWORD flags = 0, bytes;
        int result;

        scene_arrive(&scene);
        if (is_receive(scene.call))
            net_arrived(scene.s, 4);
        told_init(&told, BY_PORT, scene.s, NULL);
        told.ov.hEvent = (HANDLE)(ULONG_PTR)0xdead0000;
        WSASetLastError(0);
        result = scene_call(&scene, NULL, &flags, &told.ov, NULL);
        ok(result == SOCKET_ERROR && WSAGetLastError() != WSA_IO_PENDING, "got %d, error %d\n",
           result, WSAGetLastError());
        ok(told_nothing(&told), "told\n");
        if (is_receive(scene.call)) {
            told.ov.hEvent = NULL;
            ok(!scene_call(&scene, &bytes, &flags, &told.ov, NULL) && bytes == 4,
               "the data is gone: error %d\n", WSAGetLastError());
            ok(told_wait(&told), "not told\n");
        } else
            ok(!net_readable(scene.peer, 50), "it was sent all the same\n");
        told_free(&told);
    }
}

/* ---- without an event ---- */

/* OVERLAPPED's page, hEvent, and GetOverlappedResult's: "If the hEvent member of the OVERLAPPED
 * structure is NULL, the system uses the state of the hFile handle to signal when the operation has
 * been completed." */
static void test_handle_as_event(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        DWORD flags = 0, bytes = 0xdead;
        WSAOVERLAPPED ov = {0};

        if (!is_receive(scene.call))
            continue;
        ok_error(scene_call(&scene, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
        ok(WaitForSingleObject((HANDLE)scene.s, 50) == WAIT_TIMEOUT, "the handle is signaled\n");
        scene_arrive(&scene);
        ok(WaitForSingleObject((HANDLE)scene.s, NET_PATIENCE) == WAIT_OBJECT_0,
           "the handle is not signaled\n");
        ok(GetOverlappedResult((HANDLE)scene.s, &ov, &bytes, TRUE) && bytes == 4,
           "error %lu, %lu bytes\n", GetLastError(), bytes);
    }
}

static DWORD WINAPI arrive_late(void *arg)
{
    Sleep(100);
    scene_arrive(arg);
    return 0;
}

/* GetOverlappedResult, bWait: "If this parameter is TRUE, and the Internal member of the
 * lpOverlapped structure is STATUS_PENDING, the function does not return until the operation has
 * been completed"; WSAGetOverlappedResult, fWait: the same. */
static void test_waiting_without_event(void)
{
    int kernel;

    for (kernel = 0; kernel < 2; kernel++) {
        struct scene scene;

        FOR_EACH_CALL(&scene)
        {
            DWORD flags = 0, bytes = 0xdead;
            WSAOVERLAPPED ov = {0};
            HANDLE thread;
            BOOL result;

            if (!is_receive(scene.call))
                continue;
            ok_error(scene_call(&scene, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
            thread = CreateThread(NULL, 0, arrive_late, &scene, 0, NULL);
            result = kernel ? GetOverlappedResult((HANDLE)scene.s, &ov, &bytes, TRUE)
                            : WSAGetOverlappedResult(scene.s, &ov, &bytes, TRUE, &flags);
            ok(result && bytes == 4, "error %lu, %lu bytes\n", GetLastError(), bytes);
            WaitForSingleObject(thread, INFINITE);
            CloseHandle(thread);
        }
    }
}

/* SetFileCompletionNotificationModes, FILE_SKIP_SET_EVENT_ON_HANDLE: "The I/O Manager does not set
 * the event for the file object if a request returns". */
static void test_handle_is_not_set(void)
{
    struct scene scene;
    WSAOVERLAPPED ov = {0};
    DWORD flags = 0, start = GetTickCount();

    scene_make(&scene, CALL_RECV);
    ok(SetFileCompletionNotificationModes((HANDLE)scene.s, FILE_SKIP_SET_EVENT_ON_HANDLE),
       "error %lu\n", GetLastError());
    ok_error(scene_call(&scene, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
    scene_arrive(&scene);
    while (!HasOverlappedIoCompleted(&ov) && GetTickCount() - start < NET_PATIENCE)
        Sleep(1);
    ok(WaitForSingleObject((HANDLE)scene.s, 50) == WAIT_TIMEOUT, "it is set\n");
    scene_end(&scene);
}

/* ---- WSAGetOverlappedResult ---- */

/* WSAGetOverlappedResult, WSA_IO_INCOMPLETE: "The fWait parameter is set to FALSE and the I/O
 * operation has not yet completed"; lpcbTransfer and lpdwFlags are left alone. */
static void test_incomplete(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        DWORD bytes = 0xdead, flags = 0, result_flags = 0xbeef;
        WSAOVERLAPPED ov = {0};

        if (!is_receive(scene.call))
            continue;
        ok_error(scene_call(&scene, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
        WSASetLastError(0);
        ok(!WSAGetOverlappedResult(scene.s, &ov, &bytes, FALSE, &result_flags) &&
               WSAGetLastError() == WSA_IO_INCOMPLETE,
           "error %d\n", WSAGetLastError());
        ok(bytes == 0xdead && result_flags == 0xbeef, "%lu bytes, flags %lx\n", bytes,
           result_flags);
        ok(ov.InternalHigh == 0, "InternalHigh %lu\n", (DWORD)ov.InternalHigh);
    }
}

/* Wine's test_nonblocking_async_recv, run on Windows: a pending operation has written nothing but
 * Internal. */
static void test_pending_structure(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        WSAOVERLAPPED ov;
        DWORD flags = 0;

        if (!is_receive(scene.call))
            continue;
        memset(&ov, 0xcc, sizeof(ov));
        ov.hEvent = NULL;
        ok_error(scene_call(&scene, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
        ok((DWORD)ov.Internal == STATUS_PENDING_, "Internal %lx\n", (DWORD)ov.Internal);
        ok((DWORD)ov.InternalHigh == 0xcccccccc, "InternalHigh %lx\n", (DWORD)ov.InternalHigh);
        CancelIo((HANDLE)scene.s);
    }
}

/* WSAGetOverlappedResult: "If WSAGetOverlappedResult fails, ... the value pointed to by
 * lpcbTransfer is not updated": of a cancelled operation. */
static void test_failed_result(void)
{
    struct scene scene;

    FOR_EACH_CALL(&scene)
    {
        DWORD bytes = 0xdead, flags = 0, result_flags = 0xbeef;
        struct told told;

        if (!is_receive(scene.call))
            continue;
        told_init(&told, BY_EVENT, scene.s, NULL);
        ok_error(scene_call(&scene, NULL, &flags, &told.ov, NULL), WSA_IO_PENDING);
        ok(CancelIo((HANDLE)scene.s), "error %lu\n", GetLastError());
        ok(told_wait(&told), "not told\n");
        WSASetLastError(0);
        ok(!WSAGetOverlappedResult(scene.s, &told.ov, &bytes, FALSE, &result_flags) &&
               WSAGetLastError() == WSA_OPERATION_ABORTED,
           "error %d\n", WSAGetLastError());
        todo_wine ok(bytes == 0xdead && result_flags == 0xbeef, "%lu bytes, flags %lx\n", bytes,
                     result_flags);
        told_free(&told);
    }
}

/* WSAGetOverlappedResult, WSAENOTSOCK: "The descriptor is not a socket": not any more, either. */
static void test_socket_must_be_valid(void)
{
    DWORD bytes, flags;
    struct scene scene;
    struct told told;

    scene_make(&scene, CALL_RECV);
    told_init(&told, BY_EVENT, scene.s, NULL);
    scene_call_now(&scene, NULL, &told);
    ok(told_wait(&told), "not told\n");
    closesocket(scene.s);
    WSASetLastError(0);
    ok(!WSAGetOverlappedResult(scene.s, &told.ov, &bytes, FALSE, &flags) &&
           WSAGetLastError() == WSAENOTSOCK,
       "error %d\n", WSAGetLastError());
    told_free(&told);
    closesocket(scene.peer);
}

static void CALLBACK count_apc(ULONG_PTR count)
{
    ++*(int *)count;
}

/* Wine's test_WSAGetOverlappedResult, run on Windows: the wait is not alertable, and ends with the
 * event, whoever has set it; what still pends counts as a success. */
static void test_wait_ends_with_event(void)
{
    WSAOVERLAPPED ov = {.Internal = STATUS_PENDING_};
    DWORD bytes, flags;
    struct scene scene;
    int count = 0;

    scene_make(&scene, CALL_RECV);
    ov.hEvent = CreateEventA(NULL, TRUE, TRUE, NULL);
    ok(QueueUserAPC(count_apc, GetCurrentThread(), (ULONG_PTR)&count), "error %lu\n",
       GetLastError());
    ok(WSAGetOverlappedResult(scene.s, &ov, &bytes, TRUE, &flags), "error %d\n", WSAGetLastError());
    ok(!count, "the APC ran\n");
    SleepEx(0, TRUE);
    ok(count == 1, "the APC ran %d times\n", count);
    CloseHandle(ov.hEvent);
    scene_end(&scene);
}

/* ---- the structures ---- */

static void __attribute__((noinline)) send_from_stack(SOCKET s, char *data, struct told *told)
{
    WSABUF buffers[4];
    int i, result;

    for (i = 0; i < 4; i++) {
        buffers[i].buf = data + i * (1 << 18);
        buffers[i].len = 1 << 18;
    }
    result = WSASend(s, buffers, 4, NULL, 0, &told->ov, NULL);
    ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    memset(buffers, 0xff, sizeof(buffers));
}

/* lpBuffers: "it is the Winsock service provider's responsibility to capture the WSABUF structures
 * before returning from this call.  This enables applications to build stack-based WSABUF arrays":
 * of a send that pends. */
static void test_stack_array(void)
{
    enum { SIZE = 1 << 20, COUNT = 8 };
    char *data = malloc(SIZE), *got = malloc(SIZE);
    struct told told[COUNT];
    SOCKET pair[2];
    int i;

    for (i = 0; i < SIZE; i++)
        data[i] = (char)(i * 7 + (i >> 9));
    net_pair(&pair[0], &pair[1]);
    for (i = 0; i < COUNT; i++) {
        told_init(&told[i], BY_EVENT, pair[0], NULL);
        send_from_stack(pair[0], data, &told[i]);
    }
    for (i = 0; i < COUNT; i++) {
        ok(net_recv_all(pair[1], got, SIZE) == SIZE, "%d: error %d\n", i, WSAGetLastError());
        ok(!memcmp(got, data, SIZE), "%d: wrong bytes\n", i);
    }
    for (i = 0; i < COUNT; i++) {
        ok(told_wait(&told[i]) && told[i].bytes == SIZE, "%d: %lu bytes\n", i, told[i].bytes);
        told_free(&told[i]);
    }
    closesocket(pair[0]);
    closesocket(pair[1]);
    free(data);
    free(got);
}

/* Buffers of one to four bytes each, with gaps; `total` is what they hold. */
static WSABUF *many_buffers(char *store, DWORD count, DWORD *total)
{
    WSABUF *buffers = malloc(count * sizeof(*buffers));
    DWORD i;

    for (i = *total = 0; i < count; i++) {
        buffers[i].buf = store + i * 5;
        buffers[i].len = 1 + i % 4;
        *total += buffers[i].len;
    }
    return buffers;
}

static BOOL same_bytes(const WSABUF *buffers, DWORD count, const char *data)
{
    DWORD i;

    for (i = 0; i < count; data += buffers[i++].len)
        if (memcmp(buffers[i].buf, data, buffers[i].len))
            return FALSE;
    return TRUE;
}

static void check_gather(SOCKET from, SOCKET to, const WSABUF *buffers, DWORD count, DWORD total)
{
    char *line = malloc(total);
    struct told told;
    int result;

    told_init(&told, BY_EVENT, from, NULL);
    result = WSASend(from, (WSABUF *)buffers, count, NULL, 0, &told.ov, NULL);
    todo_wine_if(count > 1024)
        ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    if (!result || WSAGetLastError() == WSA_IO_PENDING) {
        ok(told_wait(&told) && told.bytes == total, "sent %lu bytes of %lu\n", told.bytes, total);
        ok(net_recv_all(to, line, total) == (int)total, "error %d\n", WSAGetLastError());
        ok(same_bytes(buffers, count, line), "wrong bytes\n");
    }
    told_free(&told);
    free(line);
}

/* Nothing is written between the buffers either. */
static void check_scatter(SOCKET from, SOCKET to, WSABUF *buffers, DWORD count, DWORD total)
{
    char *line = malloc(total), *end;
    DWORD flags = 0, bytes = 0, i;
    struct told told;
    int result;

    for (i = 0; i < total; i++)
        line[i] = (char)('A' + i * 13 % 26);
    told_init(&told, BY_EVENT, to, NULL);
    net_send_all(from, line, total);
    ok(net_arrived(to, total) == total, "not all arrived\n");
    result = WSARecv(to, buffers, count, &bytes, &flags, &told.ov, NULL);
    todo_wine_if(count > 1024) ok(!result && bytes == total, "error %d, %lu bytes of %lu\n",
                                  WSAGetLastError(), bytes, total);
    if (!result && bytes == total)
        ok(same_bytes(buffers, count, line), "wrong bytes\n");
    for (i = 0; i < count; i++)
        for (end = buffers[i].buf + buffers[i].len; end < buffers[0].buf + (i + 1) * 5; end++)
            if (*end != '.')
                ok(0, "written behind buffer %lu\n", i);
    told_free(&told);
    free(line);
}

static void check_many(DWORD count)
{
    char *out = malloc(count * 5), *in = malloc(count * 5);
    WSABUF *buffers;
    DWORD total, i;
    SOCKET pair[2];

    for (i = 0; i < count * 5; i++)
        out[i] = (char)(i * 11 + (i >> 7));
    memset(in, '.', count * 5);
    net_pair(&pair[0], &pair[1]);
    buffers = many_buffers(out, count, &total);
    check_gather(pair[0], pair[1], buffers, count, total);
    free(buffers);
    buffers = many_buffers(in, count, &total);
    check_scatter(pair[0], pair[1], buffers, count, total);
    free(buffers);
    closesocket(pair[0]);
    closesocket(pair[1]);
    free(out);
    free(in);
}

/* dwBufferCount: "The number of WSABUF structures in the lpBuffers array": also more than the 1,024
 * that a Unix system takes. */
static void test_many_buffers(void)
{
    static const DWORD counts[] = {1023, 1024, 1025, 2000, 5000};
    size_t i;

    for (i = 0; i < ARRAYSIZE(counts); i++) {
        winetest_push_context("%lu buffers", counts[i]);
        check_many(counts[i]);
        winetest_pop_context();
    }
}

/* The same for a datagram, which must not be split. */
static void test_many_buffers_of_datagram(void)
{
    enum { COUNT = 2000 };
    static char sent[COUNT * 5], received[COUNT * 5];
    struct sockaddr_storage address[2];
    DWORD total, flags = 0, i;
    WSABUF *out, *in;
    struct told told[2];
    SOCKET s[2];
    int length, result;

    for (i = 0; i < sizeof(sent); i++)
        sent[i] = (char)(i * 11 + (i >> 7));
    out = many_buffers(sent, COUNT, &total);
    in = many_buffers(received, COUNT, &total);
    net_udp_pair(AF_INET, s, address, &length);
    told_init(&told[0], BY_EVENT, s[0], NULL);
    told_init(&told[1], BY_EVENT, s[1], NULL);
    ok_error(WSARecvFrom(s[1], in, COUNT, NULL, &flags, NULL, NULL, &told[1].ov, NULL),
             WSA_IO_PENDING);
    result = WSASendTo(s[0], out, COUNT, NULL, 0, (struct sockaddr *)&address[1], length,
                       &told[0].ov, NULL);
    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    if (!result) {
        ok(told_wait(&told[0]) && told[0].bytes == total, "sent %lu bytes\n", told[0].bytes);
        ok(told_wait(&told[1]) && told[1].bytes == total, "received %lu bytes\n", told[1].bytes);
        for (i = 0; i < COUNT && !memcmp(in[i].buf, out[i].buf, in[i].len); i++)
            ;
        ok(i == COUNT, "wrong bytes in buffer %lu\n", i);
    }
    closesocket(s[0]);
    closesocket(s[1]);
    told_wait(&told[1]);
    told_free(&told[0]);
    told_free(&told[1]);
    free(out);
    free(in);
}

/* "The lpOverlapped parameter must be valid for the duration of the overlapped operation": and is
 * free after it, for the next one at once. */
static void test_reuse(void)
{
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        struct scene scene;
        struct told told;
        DWORD flags;
        int i;

        winetest_push_context("%s", told_by_names[by]);
        scene_make(&scene, CALL_RECV);
        told_init(&told, by, scene.s, NULL);
        for (i = 0; i < 100; i++) {
            told.count = 0;
            flags = 0;
            if (i % 2)
                scene_call_now(&scene, NULL, &told);
            else {
                ok_error(scene_call(&scene, NULL, &flags, &told.ov, told_by_routine(&told)),
                         WSA_IO_PENDING);
                scene_arrive(&scene);
            }
            ok(told_wait(&told) && told.count == 1 && !(DWORD)told.ov.Internal && told.bytes == 4,
               "%d: told %d times, %lu bytes\n", i, told.count, told.bytes);
            memset(&told.ov, 0xcc, offsetof(WSAOVERLAPPED, hEvent));
        }
        ok(told_nothing(&told), "told once more\n");
        told_free(&told);
        scene_end(&scene);
        winetest_pop_context();
    }
}

START_TEST(completion)
{
    net_start();
    RUN(test_immediate);
    RUN(test_immediate_count);
    RUN(test_later);
    RUN(test_later_send);
    RUN(test_no_indication);
    RUN(test_asking);
    RUN(test_packets_ex);
    RUN(test_event_is_reset);
    RUN(test_low_bit);
    RUN(test_invalid_event);
    RUN(test_handle_as_event);
    RUN(test_waiting_without_event);
    RUN(test_handle_is_not_set);
    RUN(test_incomplete);
    RUN(test_pending_structure);
    RUN(test_failed_result);
    RUN(test_socket_must_be_valid);
    RUN(test_wait_ends_with_event);
    RUN(test_stack_array);
    RUN(test_many_buffers);
    RUN(test_many_buffers_of_datagram);
    RUN(test_reuse);
    WSACleanup();
}
