/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cancelling: CancelIo, CancelIoEx, CancelSynchronousIo.
 * Sources: the pages of these three, each named where it is quoted, and "Canceling Pending I/O
 * Operations" (FileIO).
 */
#include "overlapped.h"

static void close_pair(SOCKET pair[2])
{
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* ---- CancelIoEx ---- */

/* CancelIoEx, lpOverlapped: "All the canceled I/O operations complete with the error
 * ERROR_OPERATION_ABORTED, and all completion notifications for the I/O operations occur normally":
 * by an event, by a routine, by a packet, once each. */
static void test_told(void)
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
        ok(told_nothing(&told), "told too early\n");
        ok(CancelIoEx((HANDLE)pair[1], &told.ov), "error %lu\n", GetLastError());
        ok(told_wait(&told), "not told\n");
        ok((LONG)told.ov.Internal == STATUS_CANCELLED_, "status %lx\n", (DWORD)told.ov.Internal);
        ok(told.bytes == 0, "got %lu bytes\n", told.bytes);
        if (by != BY_EVENT)
            ok(told.error == ERROR_OPERATION_ABORTED, "error %lu\n", told.error);
        ok(told_nothing(&told), "told again\n");
        told_free(&told);
        close_pair(pair);
        winetest_pop_context();
    }
}

/* CancelIoEx: "A pointer to an OVERLAPPED structure that was used for the I/O operation": only that
 * one is cancelled, and what arrives then goes to the others in their order. */
static void test_one(void)
{
    struct told told[3];
    char buffer[3][2];
    SOCKET pair[2];
    int i;

    net_pair(&pair[0], &pair[1]);
    for (i = 0; i < 3; i++) {
        told_init(&told[i], BY_EVENT, pair[1], NULL);
        told_receive(&told[i], pair[1], buffer[i], 2);
    }
    ok(CancelIoEx((HANDLE)pair[1], &told[1].ov), "error %lu\n", GetLastError());
    ok(told_wait(&told[1]), "not told\n");
    ok(told_nothing(&told[0]) && told_nothing(&told[2]), "others were told\n");
    net_send_all(pair[0], "abcd", 4);
    for (i = 0; i < 3; i += 2) {
        ok(told_wait(&told[i]), "%d: not complete\n", i);
        ok(!told[i].ov.Internal && told[i].bytes == 2, "%d: status %lx, %lu bytes\n", i,
           (DWORD)told[i].ov.Internal, told[i].bytes);
    }
    ok(!memcmp(buffer[0], "ab", 2) && !memcmp(buffer[2], "cd", 2), "wrong bytes\n");
    for (i = 0; i < 3; i++)
        told_free(&told[i]);
    close_pair(pair);
}

struct poster {
    struct told told;
    SOCKET s;
    char buffer[8];
    HANDLE posted, go;
    BOOL cancels; /* with CancelIo, when it goes */
};

static DWORD WINAPI post_and_stay(void *arg)
{
    struct poster *poster = arg;

    told_receive(&poster->told, poster->s, poster->buffer, sizeof(poster->buffer));
    SetEvent(poster->posted);
    WaitForSingleObject(poster->go, INFINITE);
    if (poster->cancels)
        ok(CancelIo((HANDLE)poster->s), "error %lu\n", GetLastError());
    if (poster->told.by == BY_ROUTINE)
        ok(told_wait(&poster->told), "not told\n");
    return 0;
}

static HANDLE start_poster(struct poster *poster, enum told_by by, SOCKET s)
{
    HANDLE thread;

    memset(poster, 0, sizeof(*poster));
    poster->s = s;
    told_init(&poster->told, by, s, NULL);
    poster->posted = CreateEventA(NULL, TRUE, FALSE, NULL);
    poster->go = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, post_and_stay, poster, 0, NULL);
    ok(WaitForSingleObject(poster->posted, NET_PATIENCE) == WAIT_OBJECT_0, "not posted\n");
    return thread;
}

static void end_poster(struct poster *poster, HANDLE thread)
{
    SetEvent(poster->go);
    ok(WaitForSingleObject(thread, 2 * NET_PATIENCE) == WAIT_OBJECT_0, "the thread hangs\n");
    CloseHandle(thread);
    told_free(&poster->told);
    CloseHandle(poster->posted);
    CloseHandle(poster->go);
}

/* CancelIoEx: "If this parameter is NULL, all I/O requests for the hFile parameter are canceled";
 * "Marks any outstanding I/O operations for the specified file handle ... regardless of which
 * thread created the I/O operation". */
static void test_all(void)
{
    struct poster posters[3];
    struct told mine;
    HANDLE threads[3];
    char buffer[8];
    SOCKET pair[2];
    int i;

    net_pair(&pair[0], &pair[1]);
    for (i = 0; i < 3; i++)
        threads[i] = start_poster(&posters[i], i == 1 ? BY_ROUTINE : BY_EVENT, pair[1]);
    told_init(&mine, BY_EVENT, pair[1], NULL);
    told_receive(&mine, pair[1], buffer, sizeof(buffer));
    ok(CancelIoEx((HANDLE)pair[1], NULL), "error %lu\n", GetLastError());
    ok(told_wait(&mine), "not told\n");
    for (i = 0; i < 3; i++) {
        if (i != 1)
            ok(told_wait(&posters[i].told), "thread %d: not told\n", i);
        end_poster(&posters[i], threads[i]);
        ok((LONG)posters[i].told.ov.Internal == STATUS_CANCELLED_, "thread %d: status %lx\n", i,
           (DWORD)posters[i].told.ov.Internal);
    }
    told_free(&mine);
    close_pair(pair);
}

/* CancelIoEx: "If this function cannot find a request to cancel, the return value is 0 (zero), and
 * GetLastError returns ERROR_NOT_FOUND." */
static void test_none(void)
{
    struct told told;
    char buffer[8];
    OVERLAPPED unknown = {0};
    SOCKET pair[2];

    net_pair(&pair[0], &pair[1]);
    SetLastError(0);
    todo_wine ok(!CancelIoEx((HANDLE)pair[1], NULL) && GetLastError() == ERROR_NOT_FOUND,
                 "nothing posted: error %lu\n", GetLastError());
    told_init(&told, BY_EVENT, pair[1], NULL);
    told_receive(&told, pair[1], buffer, sizeof(buffer));
    SetLastError(0);
    ok(!CancelIoEx((HANDLE)pair[1], &unknown) && GetLastError() == ERROR_NOT_FOUND,
       "another OVERLAPPED: error %lu\n", GetLastError());
    SetLastError(0);
    ok(!CancelIoEx((HANDLE)pair[0], &told.ov) && GetLastError() == ERROR_NOT_FOUND,
       "another socket: error %lu\n", GetLastError());
    net_send_all(pair[0], "x", 1);
    ok(told_wait(&told), "not complete\n");
    SetLastError(0);
    ok(!CancelIoEx((HANDLE)pair[1], &told.ov) && GetLastError() == ERROR_NOT_FOUND,
       "complete already: error %lu\n", GetLastError());
    ok(!told.ov.Internal && told.ov.InternalHigh == 1, "the result has changed\n");
    told_free(&told);
    close_pair(pair);
}

/* ---- CancelIo ---- */

/* CancelIo: "Cancels all pending input and output (I/O) operations that are issued by the calling
 * thread for the specified file.  The function does not cancel I/O operations that other threads
 * issue for a file handle." */
static void test_own_thread_only(void)
{
    struct poster poster;
    struct told mine;
    char buffer[8];
    SOCKET pair[2];
    HANDLE thread;

    net_pair(&pair[0], &pair[1]);
    thread = start_poster(&poster, BY_EVENT, pair[1]);
    told_init(&mine, BY_EVENT, pair[1], NULL);
    told_receive(&mine, pair[1], buffer, sizeof(buffer));
    ok(CancelIo((HANDLE)pair[1]), "error %lu\n", GetLastError());
    ok(told_wait(&mine) && (LONG)mine.ov.Internal == STATUS_CANCELLED_, "mine: status %lx\n",
       (DWORD)mine.ov.Internal);
    ok(told_nothing(&poster.told), "the other thread's was cancelled\n");
    net_send_all(pair[0], "data", 4);
    ok(told_wait(&poster.told) && poster.told.bytes == 4, "the other thread's got %lu bytes\n",
       poster.told.bytes);
    end_poster(&poster, thread);
    told_free(&mine);
    close_pair(pair);
}

/* CancelIo: "for the specified file": not for another. */
static void test_own_file_only(void)
{
    SOCKET first[2], second[2];
    struct told told[2];
    char buffer[2][8];

    net_pair(&first[0], &first[1]);
    net_pair(&second[0], &second[1]);
    told_init(&told[0], BY_EVENT, first[1], NULL);
    told_init(&told[1], BY_EVENT, second[1], NULL);
    told_receive(&told[0], first[1], buffer[0], 8);
    told_receive(&told[1], second[1], buffer[1], 8);
    ok(CancelIo((HANDLE)first[1]), "error %lu\n", GetLastError());
    ok(told_wait(&told[0]), "not told\n");
    ok(told_nothing(&told[1]), "the other socket's was cancelled\n");
    told_free(&told[0]);
    close_pair(first);
    close_pair(second);
    told_wait(&told[1]);
    told_free(&told[1]);
}

/* CancelIo: "If the function succeeds, the return value is nonzero": it does where nothing pends.
 */
static void test_cancel_io_of_nothing(void)
{
    SOCKET pair[2];

    net_pair(&pair[0], &pair[1]);
    ok(CancelIo((HANDLE)pair[1]), "error %lu\n", GetLastError());
    close_pair(pair);
}

/* One of a thread that has ended is not a later thread's, even where the id is the same again: a
 * receive that is told by a packet outlives its thread (ExitThread: "except for I/O that is
 * associated with a completion port"). */
static DWORD WINAPI cancel_as_stranger(void *arg)
{
    CancelIo(*(HANDLE *)arg);
    return 0;
}

static void test_thread_id_again(void)
{
    struct poster poster;
    DWORD first, id = 0;
    SOCKET pair[2];
    HANDLE thread;
    int i;

    net_pair(&pair[0], &pair[1]);
    thread = start_poster(&poster, BY_PORT, pair[1]);
    first = GetThreadId(thread);
    SetEvent(poster.go);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    for (i = 0; i < 1000 && id != first; i++) {
        thread = CreateThread(NULL, 0, cancel_as_stranger, &pair[1], 0, &id);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    }
    trace("the id came again after %d threads\n", i);
    net_send_all(pair[0], "later", 5);
    ok(told_wait(&poster.told) && !poster.told.error && poster.told.bytes == 5,
       "error %lu, %lu bytes\n", poster.told.error, poster.told.bytes);
    told_free(&poster.told);
    CloseHandle(poster.posted);
    CloseHandle(poster.go);
    close_pair(pair);
}

/* ---- what becomes of buffers and data ---- */

/* "Canceling Pending I/O Operations": "the operation has completed and the OVERLAPPED structure and
 * buffers can be reused": nothing is written there afterwards, and what arrives is the next
 * receive's. */
static void test_buffer_is_free(void)
{
    enum told_by by;

    for (by = 0; by < TOLD_BY; by++) {
        char *page = page_make(), buffer[8] = "";
        struct told told;
        SOCKET pair[2];

        winetest_push_context("%s", told_by_names[by]);
        net_pair(&pair[0], &pair[1]);
        told_init(&told, by, pair[1], NULL);
        told_receive(&told, pair[1], page, 8);
        ok(CancelIoEx((HANDLE)pair[1], &told.ov), "error %lu\n", GetLastError());
        ok(told_wait(&told), "not told\n");
        page_take_away(page);
        net_send_all(pair[0], "arrives", 7);
        ok(net_recv_all(pair[1], buffer, 7) == 7 && !memcmp(buffer, "arrives", 7), "got %.7s\n",
           buffer);
        page_free(page);
        told_free(&told);
        close_pair(pair);
        winetest_pop_context();
    }
}

/* The same for a datagram and its address. */
static void test_datagram(void)
{
    struct sockaddr_storage address[2], *from = (struct sockaddr_storage *)page_make();
    char *page = page_make(), buffer[8] = "";
    INT length, *from_length = (INT *)(from + 1);
    WSABUF buf = {8, page};
    DWORD flags = 0;
    struct told told;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    told_init(&told, BY_EVENT, s[1], NULL);
    *from_length = sizeof(*from);
    ok_error(WSARecvFrom(s[1], &buf, 1, NULL, &flags, (struct sockaddr *)from, from_length,
                         &told.ov, NULL),
             WSA_IO_PENDING);
    ok(CancelIo((HANDLE)s[1]), "error %lu\n", GetLastError());
    ok(told_wait(&told), "not told\n");
    page_take_away(page);
    page_take_away((char *)from);
    ok(sendto(s[0], "message", 7, 0, (struct sockaddr *)&address[1], length) == 7, "error %d\n",
       WSAGetLastError());
    ok(recv(s[1], buffer, 8, 0) == 7 && !memcmp(buffer, "message", 7), "got %.7s\n", buffer);
    page_free(page);
    page_free((char *)from);
    told_free(&told);
    close_pair(s);
}

/* "Canceling Pending I/O Operations" knows no direction: a send that waits for room is cancelled
 * too, and what went out of it before arrives. */
static void test_send(void)
{
    static char data[1 << 22], got[1 << 16];
    WSABUF buf = {sizeof(data), data};
    int count, result, i;
    struct told told[16];
    SOCKET pair[2];
    BOOL pends = FALSE;

    for (i = 0; i < (int)sizeof(data); i++)
        data[i] = (char)(i * 7 + (i >> 9));
    net_pair(&pair[0], &pair[1]);
    for (count = 0; count < 16 && !pends; count++) {
        told_init(&told[count], BY_EVENT, pair[0], NULL);
        result = WSASend(pair[0], &buf, 1, NULL, 0, &told[count].ov, NULL);
        ok(!result || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
        pends = result && told_nothing(&told[count]);
    }
    ok(pends, "everything was taken\n");
    ok(CancelIoEx((HANDLE)pair[0], &told[count - 1].ov), "error %lu\n", GetLastError());
    ok(told_wait(&told[count - 1]), "not told\n");
    ok((LONG)told[count - 1].ov.Internal == STATUS_CANCELLED_, "status %lx\n",
       (DWORD)told[count - 1].ov.Internal);
    shutdown(pair[0], SD_SEND);
    for (i = 0; (result = recv(pair[1], got, sizeof(got), 0)) > 0; i += result) {
        int at = i % sizeof(data), part = sizeof(data) - at;

        if (part > result)
            part = result;
        if (memcmp(got, data + at, part) || memcmp(got + part, data, result - part))
            break;
    }
    ok(!result, "wrong bytes, or error %d, after %d\n", WSAGetLastError(), i);
    ok(i >= (count - 1) * (int)sizeof(data), "only %d bytes of %d sends\n", i, count - 1);
    for (i = 0; i < count; i++)
        told_free(&told[i]);
    close_pair(pair);
}

/* ---- CancelSynchronousIo ---- */

struct blocked {
    SOCKET s;
    HANDLE begins;
    int result, error;
    char byte;
};

static DWORD WINAPI block_in_recv(void *arg)
{
    struct blocked *blocked = arg;

    SetEvent(blocked->begins);
    blocked->result = recv(blocked->s, &blocked->byte, 1, 0);
    blocked->error = WSAGetLastError();
    return 0;
}

static HANDLE start_blocked(struct blocked *blocked, SOCKET s)
{
    HANDLE thread;

    memset(blocked, 0, sizeof(*blocked));
    blocked->s = s;
    blocked->begins = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, block_in_recv, blocked, 0, NULL);
    WaitForSingleObject(blocked->begins, INFINITE);
    Sleep(100);
    return thread;
}

static void end_blocked(struct blocked *blocked, HANDLE thread)
{
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "the thread hangs\n");
    CloseHandle(thread);
    CloseHandle(blocked->begins);
}

/* CancelSynchronousIo: "Marks pending synchronous I/O operations that are issued by the specified
 * thread as canceled": as recv's is on a socket that is not overlapped.  Until the call really
 * waits there is nothing to be found. */
static void test_synchronous(void)
{
    struct blocked blocked;
    DWORD start = GetTickCount();
    SOCKET pair[2];
    HANDLE thread;
    BOOL result;

    net_pair_flags(AF_INET, 0, &pair[1], &pair[0]);
    thread = start_blocked(&blocked, pair[1]);
    while (!(result = CancelSynchronousIo(thread)) && GetLastError() == ERROR_NOT_FOUND &&
           GetTickCount() - start < NET_PATIENCE)
        Sleep(10);
    ok(result, "error %lu\n", GetLastError());
    if (!result)
        net_send_all(pair[0], "x", 1);
    end_blocked(&blocked, thread);
    ok(blocked.result == -1 &&
           (blocked.error == WSAEINTR || blocked.error == WSA_OPERATION_ABORTED),
       "got %d, error %d\n", blocked.result, blocked.error);
    net_send_all(pair[0], "y", 1);
    ok(recv(pair[1], &blocked.byte, 1, 0) == 1 && blocked.byte == 'y', "the data is gone\n");
    close_pair(pair);
}

/* CancelSynchronousIo: "If this function cannot find a request to cancel, the return value is 0
 * (zero), and GetLastError returns ERROR_NOT_FOUND": so for a thread that waits for nothing, and
 * for one that blocks in a call on an overlapped socket, which waits for an event in user mode. */
static void test_synchronous_none(void)
{
    struct blocked blocked;
    SOCKET pair[2];
    HANDLE thread;

    SetLastError(0);
    ok(!CancelSynchronousIo(GetCurrentThread()) && GetLastError() == ERROR_NOT_FOUND, "error %lu\n",
       GetLastError());
    net_pair(&pair[0], &pair[1]);
    thread = start_blocked(&blocked, pair[1]);
    SetLastError(0);
    ok(!CancelSynchronousIo(thread) && GetLastError() == ERROR_NOT_FOUND, "error %lu\n",
       GetLastError());
    ok(WaitForSingleObject(thread, 50) == WAIT_TIMEOUT, "recv has ended\n");
    net_send_all(pair[0], "x", 1);
    end_blocked(&blocked, thread);
    ok(blocked.result == 1 && blocked.byte == 'x', "got %d, error %d\n", blocked.result,
       blocked.error);
    close_pair(pair);
}

START_TEST(cancel)
{
    net_start();
    RUN(test_told);
    RUN(test_one);
    RUN(test_all);
    RUN(test_none);
    RUN(test_own_thread_only);
    RUN(test_own_file_only);
    RUN(test_cancel_io_of_nothing);
    RUN(test_thread_id_again);
    RUN(test_buffer_is_free);
    RUN(test_datagram);
    RUN(test_send);
    RUN(test_synchronous);
    RUN(test_synchronous_none);
    WSACleanup();
}
