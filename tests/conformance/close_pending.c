/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the end of a socket, of a direction, or of the process does to operations that are pending.
 * Sources: the pages of closesocket, shutdown and WSARecv, each named where it is quoted.  Which
 * status Windows has for which socket, and that it resets a connection with operations pending, are
 * facts of Wine's tests (iocp_async_read_closesocket, test_recv, test_shutdown; run on Windows), of
 * libuv's tcp.c ("If any overlapped req failed to cancel, calling closesocket now would cause Win32
 * to send an RST packet") and of .NET's socket tests.
 */
#include "overlapped.h"

static void close_pair(SOCKET pair[2])
{
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* ---- closesocket ---- */

enum close_by { BY_CLOSESOCKET, BY_CLOSEHANDLE, CLOSE_BY };

static void close_by(enum close_by how, SOCKET s)
{
    if (how == BY_CLOSESOCKET)
        ok_success(closesocket(s));
    else
        ok(CloseHandle((HANDLE)s), "error %lu\n", GetLastError());
}

/* closesocket: "Any pending overlapped send and receive operations ... issued by any thread in this
 * process are also canceled.  Any event, completion routine, or completion port action specified
 * for these overlapped operations is performed": of a stream with what became of its connection. */
static void test_stream(void)
{
    enum close_by how;
    enum told_by by;

    for (how = 0; how < CLOSE_BY; how++)
        for (by = 0; by < TOLD_BY; by++) {
            struct told told;
            char buffer[8];
            SOCKET pair[2];

            winetest_push_context("%s, %s", how ? "CloseHandle" : "closesocket", told_by_names[by]);
            net_pair(&pair[0], &pair[1]);
            told_init(&told, by, pair[1], NULL);
            told_receive(&told, pair[1], buffer, sizeof(buffer));
            close_by(how, pair[1]);
            ok(told_wait(&told), "not told\n");
            todo_wine ok((LONG)told.ov.Internal == STATUS_CONNECTION_ABORTED_, "status %lx\n",
                         (DWORD)told.ov.Internal);
            ok(told.bytes == 0, "got %lu bytes\n", told.bytes);
            if (by == BY_ROUTINE)
                todo_wine ok(told.error == WSAECONNABORTED, "error %lu\n", told.error);
            if (by == BY_PORT)
                todo_wine ok(told.error == ERROR_CONNECTION_ABORTED, "error %lu\n", told.error);
            ok(told_nothing(&told), "told again\n");
            told_free(&told);
            closesocket(pair[0]);
            winetest_pop_context();
        }
}

/* closesocket: "The pending overlapped operations fail with the error status
 * WSA_OPERATION_ABORTED"; WSARecv: "The overlapped operation has been canceled due to the closure
 * of the socket": so it is where there is no connection. */
static void test_datagram(void)
{
    enum close_by how;
    enum told_by by;

    for (how = 0; how < CLOSE_BY; how++)
        for (by = 0; by < TOLD_BY; by++) {
            struct sockaddr_storage address[2];
            struct told told;
            char buffer[8];
            SOCKET s[2];
            int length;

            winetest_push_context("%s, %s", how ? "CloseHandle" : "closesocket", told_by_names[by]);
            net_udp_pair(AF_INET, s, address, &length);
            told_init(&told, by, s[1], NULL);
            told_receive(&told, s[1], buffer, sizeof(buffer));
            close_by(how, s[1]);
            ok(told_wait(&told), "not told\n");
            todo_wine ok((LONG)told.ov.Internal == STATUS_CANCELLED_, "status %lx\n",
                         (DWORD)told.ov.Internal);
            ok(told.bytes == 0, "got %lu bytes\n", told.bytes);
            if (by != BY_EVENT)
                todo_wine ok(told.error == WSA_OPERATION_ABORTED, "error %lu\n", told.error);
            ok(told_nothing(&told), "told again\n");
            told_free(&told);
            closesocket(s[0]);
            winetest_pop_context();
        }
}

struct poster {
    struct told told;
    SOCKET s;
    char buffer[8];
    HANDLE posted, closed;
};

static DWORD WINAPI post_and_wait(void *arg)
{
    struct poster *poster = arg;

    told_receive(&poster->told, poster->s, poster->buffer, sizeof(poster->buffer));
    SetEvent(poster->posted);
    WaitForSingleObject(poster->closed, INFINITE);
    ok(told_wait(&poster->told), "%s: not told\n", told_by_names[poster->told.by]);
    ok(told_nothing(&poster->told), "%s: told again\n", told_by_names[poster->told.by]);
    return 0;
}

/* closesocket: "issued by any thread in this process": each thread is told of its own. */
static void test_several_threads(void)
{
    enum { THREADS = 8 };
    struct poster posters[THREADS];
    HANDLE threads[THREADS];
    SOCKET pair[2];
    int i;

    net_pair(&pair[0], &pair[1]);
    for (i = 0; i < THREADS; i++) {
        memset(&posters[i], 0, sizeof(posters[i]));
        posters[i].s = pair[1];
        told_init(&posters[i].told, i % 2 ? BY_ROUTINE : BY_EVENT, pair[1], NULL);
        posters[i].posted = CreateEventA(NULL, TRUE, FALSE, NULL);
        posters[i].closed = CreateEventA(NULL, TRUE, FALSE, NULL);
        threads[i] = CreateThread(NULL, 0, post_and_wait, &posters[i], 0, NULL);
        WaitForSingleObject(posters[i].posted, NET_PATIENCE);
    }
    ok_success(closesocket(pair[1]));
    for (i = 0; i < THREADS; i++)
        SetEvent(posters[i].closed);
    ok(WaitForMultipleObjects(THREADS, threads, TRUE, 2 * NET_PATIENCE) == WAIT_OBJECT_0,
       "threads hang\n");
    for (i = 0; i < THREADS; i++) {
        ok((LONG)posters[i].told.ov.Internal < 0, "%d: status %lx\n", i,
           (DWORD)posters[i].told.ov.Internal);
        CloseHandle(threads[i]);
        CloseHandle(posters[i].posted);
        CloseHandle(posters[i].closed);
        told_free(&posters[i].told);
    }
    closesocket(pair[0]);
}

struct blocked {
    SOCKET s;
    int kind, result, error;
    HANDLE begins;
};

static DWORD WINAPI block(void *arg)
{
    struct blocked *blocked = arg;
    char byte;

    SetEvent(blocked->begins);
    blocked->result =
        blocked->kind == 1 ? (int)accept(blocked->s, NULL, NULL) : recv(blocked->s, &byte, 1, 0);
    blocked->error = WSAGetLastError();
    return 0;
}

/* closesocket: "Any pending blocking, asynchronous calls issued by any thread in this process are
 * canceled without posting any notification messages."  For a blocked stream receive both errors
 * have been seen on Windows. */
static void test_blocking_calls(void)
{
    static const char *const kinds[] = {"recv", "accept", "recv of a datagram"};
    int kind;

    for (kind = 0; kind < 3; kind++) {
        struct blocked blocked = {.kind = kind};
        struct sockaddr_storage address;
        SOCKET peer = INVALID_SOCKET;
        HANDLE thread;
        int length;

        winetest_push_context("%s", kinds[kind]);
        if (kind == 0)
            net_pair(&peer, &blocked.s);
        else if (kind == 1)
            blocked.s = net_listener(AF_INET, &address, &length);
        else
            blocked.s = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
        blocked.begins = CreateEventA(NULL, TRUE, FALSE, NULL);
        thread = CreateThread(NULL, 0, block, &blocked, 0, NULL);
        WaitForSingleObject(blocked.begins, INFINITE);
        Sleep(100);
        ok_success(closesocket(blocked.s));
        ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "the thread hangs\n");
        ok(blocked.result == -1, "got %d\n", blocked.result);
        todo_wine ok(blocked.error == WSAEINTR || blocked.error == WSAENOTSOCK ||
                         (!kind && blocked.error == WSAECONNABORTED),
                     "error %d\n", blocked.error);
        CloseHandle(thread);
        CloseHandle(blocked.begins);
        closesocket(peer);
        winetest_pop_context();
    }
}

/* closesocket: "the pending overlapped operations fail": so their buffers are the program's again,
 * whatever arrives. */
static void test_buffer_is_free(void)
{
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        char *page = page_make();
        struct told told;
        SOCKET pair[2];

        winetest_push_context("%s", told_by_names[by]);
        net_pair(&pair[0], &pair[1]);
        told_init(&told, by, pair[1], NULL);
        told_receive(&told, pair[1], page, 8);
        ok_success(closesocket(pair[1]));
        ok(told_wait(&told), "not told\n");
        page_take_away(page);
        send(pair[0], "arrives", 7, 0); /* or finds that nobody is there */
        Sleep(20);
        page_free(page);
        told_free(&told);
        closesocket(pair[0]);
        winetest_pop_context();
    }
}

/* ---- how the connection ends ---- */

/* What the peer's receive ends with: 0 or an error. */
static int peer_sees(SOCKET peer)
{
    char byte;
    int result;

    WSASetLastError(0);
    while ((result = recv(peer, &byte, 1, 0)) > 0)
        ;
    return result ? WSAGetLastError() : 0;
}

/* Not on any page: a connection with an operation pending is reset. */
static void test_reset(void)
{
    struct told told;
    char buffer[8];
    SOCKET pair[2];
    int error;

    net_pair(&pair[0], &pair[1]);
    told_init(&told, BY_EVENT, pair[1], NULL);
    told_receive(&told, pair[1], buffer, sizeof(buffer));
    ok_success(closesocket(pair[1]));
    error = peer_sees(pair[0]);
    todo_wine ok(error == WSAECONNRESET, "the peer sees %d\n", error);
    told_wait(&told);
    told_free(&told);
    closesocket(pair[0]);
}

/* closesocket, SO_DONTLINGER: "Graceful", with nothing pending; so too once that is cancelled. */
static void test_graceful(void)
{
    struct told told;
    char buffer[8];
    SOCKET pair[2];
    int error;

    net_pair(&pair[0], &pair[1]);
    told_init(&told, BY_EVENT, pair[1], NULL);
    told_receive(&told, pair[1], buffer, sizeof(buffer));
    ok(CancelIo((HANDLE)pair[1]), "error %lu\n", GetLastError());
    ok(told_wait(&told), "not told\n");
    net_send_all(pair[1], "all", 3);
    ok_success(closesocket(pair[1]));
    ok(net_recv_all(pair[0], buffer, 3) == 3, "not all has arrived\n");
    error = peer_sees(pair[0]);
    ok(error == 0, "the peer sees %d\n", error);
    told_free(&told);
    closesocket(pair[0]);
}

/* ---- shutdown ---- */

/* shutdown, SD_RECEIVE: "subsequent calls to the recv function on the socket will be disallowed":
 * not one that was posted before. */
static void test_shutdown_receive(void)
{
    struct told told;
    char buffer[8] = "";
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD flags = 0;
    WSAOVERLAPPED ov = {0};
    SOCKET pair[2];

    net_pair(&pair[0], &pair[1]);
    told_init(&told, BY_EVENT, pair[1], NULL);
    told_receive(&told, pair[1], buffer, sizeof(buffer));
    ok_success(shutdown(pair[1], SD_RECEIVE));
    ok(told_nothing(&told), "told too early\n");
    ok_error(WSARecv(pair[1], &buf, 1, NULL, &flags, &ov, NULL), WSAESHUTDOWN);
    net_send_all(pair[0], "data", 4);
    ok(told_wait(&told) && !told.ov.Internal && told.bytes == 4, "status %lx, %lu bytes\n",
       (DWORD)told.ov.Internal, told.bytes);
    ok(!memcmp(buffer, "data", 4), "got %.4s\n", buffer);
    told_free(&told);
    close_pair(pair);
}

/* shutdown, SD_SEND: "subsequent calls to the send function must not be made.  For TCP sockets, a
 * FIN will be sent after all data is sent": what pends is sent before. */
static void test_shutdown_send(void)
{
    enum { COUNT = 8, SIZE = 1 << 20 };
    static char data[SIZE], got[SIZE];
    WSABUF buf = {SIZE, data};
    struct told told[COUNT];
    SOCKET pair[2];
    int i, pending = 0, count = 0, result;

    net_pair(&pair[0], &pair[1]);
    for (i = 0; i < COUNT; i++) {
        told_init(&told[i], BY_EVENT, pair[0], NULL);
        result = WSASend(pair[0], &buf, 1, NULL, 0, &told[i].ov, NULL);
        ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
        pending += result != 0;
    }
    ok(pending > 0, "everything was taken\n");
    ok_success(shutdown(pair[0], SD_SEND));
    ok_error(send(pair[0], "x", 1, 0), WSAESHUTDOWN);
    while ((result = recv(pair[1], got, SIZE, 0)) > 0)
        count += result;
    ok(result == 0, "error %d\n", WSAGetLastError());
    ok(count == COUNT * SIZE, "got %d of %d bytes\n", count, COUNT * SIZE);
    for (i = 0; i < COUNT; i++) {
        ok(told_wait(&told[i]) && !told[i].ov.Internal && told[i].bytes == SIZE,
           "%d: status %lx, %lu bytes\n", i, (DWORD)told[i].ov.Internal, told[i].bytes);
        told_free(&told[i]);
    }
    close_pair(pair);
}

/* shutdown, SD_BOTH: "Both sending and receiving are disabled as described above": what pends is
 * treated as above. */
static void test_shutdown_both(void)
{
    struct told told;
    char buffer[8] = "";
    SOCKET pair[2];

    net_pair(&pair[0], &pair[1]);
    told_init(&told, BY_EVENT, pair[1], NULL);
    told_receive(&told, pair[1], buffer, sizeof(buffer));
    ok_success(shutdown(pair[1], SD_BOTH));
    ok(told_nothing(&told), "told too early\n");
    ok(peer_sees(pair[0]) == 0, "the peer sees an error\n");
    net_send_all(pair[0], "data", 4);
    ok(told_wait(&told) && !told.ov.Internal && told.bytes == 4, "status %lx, %lu bytes\n",
       (DWORD)told.ov.Internal, told.bytes);
    told_free(&told);
    close_pair(pair);
}

/* WSARecv: "zero bytes having been read indicates graceful closure": the peer's shutdown ends what
 * pends here. */
static void test_peer_shutdown(void)
{
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        struct told told;
        char buffer[8];
        SOCKET pair[2];

        winetest_push_context("%s", told_by_names[by]);
        net_pair(&pair[0], &pair[1]);
        told_init(&told, by, pair[1], NULL);
        told_receive(&told, pair[1], buffer, sizeof(buffer));
        ok_success(shutdown(pair[0], SD_SEND));
        ok(told_wait(&told) && !told.ov.Internal && !told.error && !told.bytes,
           "status %lx, error %lu, %lu bytes\n", (DWORD)told.ov.Internal, told.error, told.bytes);
        ok(told_nothing(&told), "told again\n");
        told_free(&told);
        close_pair(pair);
        winetest_pop_context();
    }
}

/* ---- the end of the process ---- */

#define CHILD_PORT "RINGSOCK_TEST_CHILD_PORT"
#define CHILD_END  "RINGSOCK_TEST_CHILD_END"

/* Posts all kinds of operations, blocks in all kinds of calls, and ends. */
static void child(USHORT port, int how)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port};
    static struct blocked blocked[3];
    static struct told told[3];
    static char buffer[3][8];
    int i;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (i = 0; i < 3; i++) {
        SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

        ok_success(connect(s, (struct sockaddr *)&address, sizeof(address)));
        told_init(&told[i], i, s, NULL);
        told_receive(&told[i], s, buffer[i], 8);
        blocked[i].begins = CreateEventA(NULL, TRUE, FALSE, NULL);
        blocked[i].s = s;
        CreateThread(NULL, 0, block, &blocked[i], 0, NULL);
        WaitForSingleObject(blocked[i].begins, INFINITE);
    }
    Sleep(50);
    if (how == 0)
        ExitProcess(rt.counts.failures);
    else if (how == 1)
        TerminateProcess(GetCurrentProcess(), rt.counts.failures);
    /* else the program returns from main */
}

/* ExitProcess: "all of the ... handles are closed" and "All of the threads in the process ...
 * terminate": nothing that pends delays that, and the peers see the end. */
static void test_process_exit(void)
{
    static const char *const ends[] = {"ExitProcess", "TerminateProcess", "return"};
    char path[MAX_PATH], text[8];
    int how, i, length;

    GetModuleFileNameA(NULL, path, sizeof(path));
    for (how = 0; how < 3; how++) {
        STARTUPINFOA startup = {.cb = sizeof(startup)};
        PROCESS_INFORMATION process;
        struct sockaddr_storage address;
        SOCKET listener = net_listener(AF_INET, &address, &length), peers[3];
        DWORD code = 0xdead;

        winetest_push_context("%s", ends[how]);
        snprintf(text, sizeof(text), "%u", ((struct sockaddr_in *)&address)->sin_port);
        SetEnvironmentVariableA(CHILD_PORT, text);
        snprintf(text, sizeof(text), "%d", how);
        SetEnvironmentVariableA(CHILD_END, text);
        ok(CreateProcessA(path, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process),
           "error %lu\n", GetLastError());
        for (i = 0; i < 3; i++) {
            peers[i] = accept(listener, NULL, NULL);
            ok(peers[i] != INVALID_SOCKET, "error %d\n", WSAGetLastError());
        }
        for (i = 0; i < 3; i++) {
            int error = peer_sees(peers[i]);

            ok(error == 0 || error == WSAECONNRESET, "peer %d sees %d\n", i, error);
            closesocket(peers[i]);
        }
        ok(WaitForSingleObject(process.hProcess, 2 * NET_PATIENCE) == WAIT_OBJECT_0,
           "the process does not end\n");
        ok(GetExitCodeProcess(process.hProcess, &code) && !code, "exit code %lu\n", code);
        CloseHandle(process.hProcess);
        CloseHandle(process.hThread);
        closesocket(listener);
        winetest_pop_context();
    }
}

START_TEST(close_pending)
{
    char port[8], how[8];

    net_start();
    if (GetEnvironmentVariableA(CHILD_PORT, port, sizeof(port)) &&
        GetEnvironmentVariableA(CHILD_END, how, sizeof(how))) {
        child((USHORT)atoi(port), atoi(how));
        return;
    }
    RUN(test_stream);
    RUN(test_datagram);
    RUN(test_several_threads);
    RUN(test_blocking_calls);
    RUN(test_buffer_is_free);
    RUN(test_reset);
    RUN(test_graceful);
    RUN(test_shutdown_receive);
    RUN(test_shutdown_send);
    RUN(test_shutdown_both);
    RUN(test_peer_shutdown);
    RUN(test_process_exit);
    WSACleanup();
}
