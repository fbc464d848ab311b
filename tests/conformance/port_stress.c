/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One completion port, many sources, many threads: every packet exactly once, each source's in
 * order. Sources: "I/O Completion Ports" (FileIO), the pages of CreateIoCompletionPort,
 * GetQueuedCompletionStatus(Ex), PostQueuedCompletionStatus.
 *
 * Sources of packets: overlapped receives on sockets, PostQueuedCompletionStatus from other
 * threads, and where asked overlapped reads of a file.  The threads take packets in different ways:
 * waiting for ever, for milliseconds, not at all, several at once, alertably, through a second
 * handle.
 */
#include "net.h"

#define SOCKETS  4
#define POSTERS  2
#define POSTS    1500 /* by each poster */
#define RECORDS  1500 /* 4-byte numbers through each socket */
#define READS    300  /* of the file */
#define THREADS  6
#define KEY_STOP 1
#define KEY_POST 0x100 /* + poster */
#define KEY_SOCK 0x200 /* + socket */
#define KEY_FILE 0x300

struct stream {
    OVERLAPPED ov;
    SOCKET sender, receiver;
    char buffer[4 * 16];
    DWORD have; /* bytes in buffer that are no whole number yet */
    DWORD next; /* the number that must come now */
    LONG completions, issued;
    LONG inside; /* threads that handle a packet of this stream at this moment */
};

struct stress {
    HANDLE port, second;
    struct stream streams[SOCKETS];
    HANDLE file;
    OVERLAPPED file_ov;
    char file_buffer[64];
    LONG reads;
    LONG posts[POSTERS][POSTS]; /* how often each was seen */
    LONG post_next[POSTERS];    /* with one thread only: order */
    LONG left;                  /* packets and streams that are not finished */
    HANDLE done;
    LONG unknown;
    int threads;
};

static void finished_one(struct stress *stress)
{
    if (!InterlockedDecrement(&stress->left))
        SetEvent(stress->done);
}

/* ---- packets ---- */

static void receive(struct stream *stream)
{
    WSABUF buf = {sizeof(stream->buffer) - stream->have, stream->buffer + stream->have};
    DWORD flags = 0;
    int result;

    memset(&stream->ov, 0, sizeof(stream->ov));
    InterlockedIncrement(&stream->issued);
    result = WSARecv(stream->receiver, &buf, 1, NULL, &flags, &stream->ov, NULL);
    ok(!result || WSAGetLastError() == WSA_IO_PENDING, "WSARecv error %d\n", WSAGetLastError());
}

static void on_receive(struct stress *stress, struct stream *stream, DWORD bytes)
{
    DWORD offset = 0, number;

    ok(InterlockedIncrement(&stream->inside) == 1, "two packets of one receive\n");
    InterlockedIncrement(&stream->completions);
    stream->have += bytes;
    while (stream->have - offset >= sizeof(number)) {
        memcpy(&number, stream->buffer + offset, sizeof(number));
        ok(number == stream->next, "got %lu, expected %lu\n", number, stream->next);
        stream->next = number + 1;
        offset += sizeof(number);
    }
    stream->have -= offset;
    memmove(stream->buffer, stream->buffer + offset, stream->have);
    ok(bytes || stream->next == RECORDS, "ended at %lu\n", stream->next);
    InterlockedDecrement(&stream->inside);
    if (bytes)
        receive(stream);
    else
        finished_one(stress);
}

static void read_file(struct stress *stress)
{
    DWORD at = (DWORD)stress->reads * 16;

    memset(&stress->file_ov, 0, sizeof(stress->file_ov));
    stress->file_ov.Offset = at;
    if (!ReadFile(stress->file, stress->file_buffer, 16, NULL, &stress->file_ov))
        ok(GetLastError() == ERROR_IO_PENDING, "ReadFile error %lu\n", GetLastError());
}

static void on_read(struct stress *stress, DWORD bytes)
{
    char expected[17];

    snprintf(expected, sizeof(expected), "%016ld", stress->reads);
    ok(bytes == 16 && !memcmp(stress->file_buffer, expected, 16), "read %ld: %lu bytes %.16s\n",
       stress->reads, bytes, stress->file_buffer);
    if (++stress->reads < READS)
        read_file(stress);
    else
        finished_one(stress);
}

static void on_post(struct stress *stress, ULONG_PTR poster, OVERLAPPED *ov, DWORD bytes)
{
    ULONG_PTR number = (ULONG_PTR)ov - 1;

    if (poster >= POSTERS || number >= POSTS) {
        ok(0, "packet %p of poster %u\n", (void *)ov, (unsigned int)poster);
        return;
    }
    ok(bytes == (DWORD)number * 3, "post %lu carries %lu\n", (DWORD)number, bytes);
    ok(InterlockedIncrement(&stress->posts[poster][number]) == 1, "post %lu came twice\n",
       (DWORD)number);
    if (stress->threads == 1) {
        ok(stress->post_next[poster] == (LONG)number, "post %lu, expected %ld\n", (DWORD)number,
           stress->post_next[poster]);
        stress->post_next[poster] = (LONG)number + 1;
    }
    finished_one(stress);
}

/* FALSE: the thread is to end. */
static BOOL on_packet(struct stress *stress, ULONG_PTR key, OVERLAPPED *ov, DWORD bytes)
{
    if (key == KEY_STOP)
        return FALSE;
    if (key >= KEY_POST && key < KEY_POST + POSTERS)
        on_post(stress, key - KEY_POST, ov, bytes);
    else if (key >= KEY_SOCK && key < KEY_SOCK + SOCKETS &&
             ov == &stress->streams[key - KEY_SOCK].ov)
        on_receive(stress, &stress->streams[key - KEY_SOCK], bytes);
    else if (key == KEY_FILE && ov == &stress->file_ov)
        on_read(stress, bytes);
    else {
        InterlockedIncrement(&stress->unknown);
        ok(0, "packet with key %lx, overlapped %p\n", (DWORD)key, (void *)ov);
    }
    return TRUE;
}

/* ---- threads that take packets ---- */

static BOOL take_one(struct stress *stress, HANDLE port, DWORD timeout)
{
    OVERLAPPED *ov = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;

    if (GetQueuedCompletionStatus(port, &bytes, &key, &ov, timeout) || ov)
        return on_packet(stress, key, ov, bytes);
    ok(GetLastError() == WAIT_TIMEOUT, "error %lu\n", GetLastError());
    return TRUE;
}

static BOOL take_several(struct stress *stress, DWORD timeout, BOOL alertable)
{
    OVERLAPPED_ENTRY entries[5];
    ULONG count = 0xdead, i;
    BOOL go_on = TRUE;

    if (!GetQueuedCompletionStatusEx(stress->port, entries, 5, &count, timeout, alertable)) {
        ok(GetLastError() == WAIT_TIMEOUT || GetLastError() == WAIT_IO_COMPLETION, "error %lu\n",
           GetLastError());
        return TRUE;
    }
    ok(count >= 1 && count <= 5, "got %lu entries\n", count);
    for (i = 0; i < count && i < 5; i++) {
        if (on_packet(stress, entries[i].lpCompletionKey, entries[i].lpOverlapped,
                      entries[i].dwNumberOfBytesTransferred))
            continue;
        if (go_on)
            go_on = FALSE;
        else /* somebody else's end */
            PostQueuedCompletionStatus(stress->port, 0, KEY_STOP, NULL);
    }
    return go_on;
}

struct taker {
    struct stress *stress;
    int way;
};

static DWORD WINAPI taker_main(void *argument)
{
    struct taker *taker = argument;
    struct stress *stress = taker->stress;
    BOOL go_on = TRUE;

    while (go_on) {
        switch (taker->way) {
        case 0:
            go_on = take_one(stress, stress->port, INFINITE);
            break;
        case 1:
            go_on = take_several(stress, INFINITE, FALSE);
            break;
        case 2:
            go_on = take_one(stress, stress->second, 3);
            break;
        case 3:
            go_on = take_several(stress, 20, TRUE);
            break;
        case 4:
            go_on = take_one(stress, stress->port, 0);
            Sleep(1);
            break;
        default:
            go_on = take_one(stress, stress->second, INFINITE);
            break;
        }
    }
    return 0;
}

/* ---- threads that make packets ---- */

struct maker {
    struct stress *stress;
    int number;
};

static DWORD WINAPI poster_main(void *argument)
{
    struct maker *maker = argument;
    DWORD i;

    for (i = 0; i < POSTS; i++) {
        /* through either handle, with pauses that let the takers fall asleep */
        HANDLE port = i % 2 ? maker->stress->port : maker->stress->second;

        ok(PostQueuedCompletionStatus(port, i * 3, KEY_POST + maker->number,
                                      (OVERLAPPED *)(ULONG_PTR)(i + 1)),
           "error %lu\n", GetLastError());
        if (i % 500 == 499)
            Sleep(25);
        else if (i % 50 == 49)
            Sleep(1);
    }
    return 0;
}

static DWORD WINAPI sender_main(void *argument)
{
    struct maker *maker = argument;
    struct stream *stream = &maker->stress->streams[maker->number];
    DWORD i, batch[7], used = 0;

    for (i = 0; i < RECORDS; i++) {
        batch[used++] = i;
        if (used > i % 7 || i == RECORDS - 1) {
            net_send_all(stream->sender, batch, (int)(used * sizeof(*batch)));
            used = 0;
        }
        if (i % 700 == 699)
            Sleep(15);
    }
    shutdown(stream->sender, SD_SEND);
    return 0;
}

/* ---- a run ---- */

static void open_file(struct stress *stress)
{
    char directory[MAX_PATH], path[MAX_PATH], text[17];
    HANDLE file;
    DWORD count;
    int i;

    GetTempPathA(sizeof(directory), directory);
    GetTempFileNameA(directory, "rsp", 0, path);
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    ok(file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    for (i = 0; i < READS; i++) {
        snprintf(text, sizeof(text), "%016d", i);
        ok(WriteFile(file, text, 16, &count, NULL), "error %lu\n", GetLastError());
    }
    CloseHandle(file);
    stress->file = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING,
                               FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    ok(stress->file != INVALID_HANDLE_VALUE, "error %lu\n", GetLastError());
    ok(CreateIoCompletionPort(stress->file, stress->port, KEY_FILE, 0) == stress->port,
       "error %lu\n", GetLastError());
    stress->left++;
}

static void start(HANDLE *thread, LPTHREAD_START_ROUTINE main, void *argument)
{
    *thread = CreateThread(NULL, 0, main, argument, 0, NULL);
    ok(*thread != NULL, "error %lu\n", GetLastError());
}

static void wait_and_close(HANDLE *threads, int count, const char *who)
{
    DWORD result = WaitForMultipleObjects(count, threads, TRUE, 40000);
    int i;

    ok(result == WAIT_OBJECT_0, "%s do not end: %lu\n", who, result);
    for (i = 0; i < count; i++)
        CloseHandle(threads[i]);
}

static void check_posts(const struct stress *stress)
{
    int poster, i, lost = 0;

    for (poster = 0; poster < POSTERS; poster++)
        for (i = 0; i < POSTS; i++)
            lost += stress->posts[poster][i] == 0;
    ok(!lost, "%d posts were lost\n", lost);
}

static void check_streams(const struct stress *stress)
{
    int i;

    for (i = 0; i < SOCKETS; i++) {
        const struct stream *stream = &stress->streams[i];

        ok(stream->next == RECORDS, "socket %d: %lu of %d numbers\n", i, stream->next, RECORDS);
        ok(stream->completions == stream->issued, "socket %d: %ld receives, %ld packets\n", i,
           stream->issued, stream->completions);
    }
}

static void check_empty(HANDLE port)
{
    OVERLAPPED *ov = NULL;
    ULONG_PTR key = 0;
    DWORD bytes, timeout;

    for (timeout = 0; timeout <= 30; timeout += 30)
        ok(!GetQueuedCompletionStatus(port, &bytes, &key, &ov, timeout) && !ov &&
               GetLastError() == WAIT_TIMEOUT,
           "a packet too many: key %lx, overlapped %p, error %lu\n", (DWORD)key, (void *)ov,
           GetLastError());
}

static void open_streams(struct stress *stress)
{
    int i;

    for (i = 0; i < SOCKETS; i++) {
        struct stream *stream = &stress->streams[i];

        net_pair(&stream->sender, &stream->receiver);
        ok(CreateIoCompletionPort((HANDLE)stream->receiver, stress->port, KEY_SOCK + i, 0) ==
               stress->port,
           "error %lu\n", GetLastError());
    }
}

/* `ways`: how each thread takes packets, as in taker_main. */
static void run(const char *name, int threads, const int *ways, BOOL with_file, BOOL with_sockets)
{
    struct stress *stress = calloc(1, sizeof(*stress));
    HANDLE takers[THREADS], makers[SOCKETS + POSTERS];
    struct taker taker[THREADS];
    struct maker maker[SOCKETS + POSTERS];
    int i, senders = with_sockets ? SOCKETS : 0;

    winetest_push_context("%s", name);
    stress->threads = threads;
    stress->left = senders + POSTERS * POSTS;
    stress->done = CreateEventA(NULL, TRUE, FALSE, NULL);
    stress->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    ok(stress->port != NULL, "error %lu\n", GetLastError());
    ok(DuplicateHandle(GetCurrentProcess(), stress->port, GetCurrentProcess(), &stress->second, 0,
                       FALSE, DUPLICATE_SAME_ACCESS),
       "error %lu\n", GetLastError());
    for (i = 0; i < threads; i++) { /* before the first association: they wait already */
        taker[i] = (struct taker){stress, ways[i]};
        start(&takers[i], taker_main, &taker[i]);
    }
    Sleep(20);
    if (with_sockets)
        open_streams(stress);
    if (with_file)
        open_file(stress);
    for (i = 0; i < senders + POSTERS; i++)
        maker[i] = (struct maker){stress, i < senders ? i : i - senders};
    for (i = 0; i < senders; i++)
        receive(&stress->streams[i]);
    if (with_file)
        read_file(stress);
    for (i = 0; i < senders + POSTERS; i++)
        start(&makers[i], i < senders ? sender_main : poster_main, &maker[i]);
    wait_and_close(makers, senders + POSTERS, "the makers");
    ok(!WaitForSingleObject(stress->done, 30000), "%ld packets are missing\n", stress->left);
    for (i = 0; i < threads; i++)
        PostQueuedCompletionStatus(stress->port, 0, KEY_STOP, NULL);
    wait_and_close(takers, threads, "the takers");
    check_posts(stress);
    if (with_sockets)
        check_streams(stress);
    ok(!with_file || stress->reads == READS, "%ld reads\n", stress->reads);
    check_empty(stress->port);
    check_empty(stress->second);
    for (i = 0; i < senders; i++) {
        closesocket(stress->streams[i].sender);
        closesocket(stress->streams[i].receiver);
    }
    if (with_file)
        CloseHandle(stress->file);
    CloseHandle(stress->port);
    CloseHandle(stress->second);
    CloseHandle(stress->done);
    free(stress);
    winetest_pop_context();
}

static void test_runs(void)
{
    static const int patient[] = {0, 0, 0, 0, 0, 0}, all[] = {0, 1, 2, 3, 4, 5};
    static const int polling[] = {4}, brief[] = {2}, several[] = {1}, alertable[] = {3};

    run("one patient thread", 1, patient, FALSE, TRUE);
    run("one brief thread", 1, brief, FALSE, TRUE);
    run("one thread, several packets", 1, several, FALSE, TRUE);
    run("one alertable thread", 1, alertable, FALSE, TRUE);
    run("one polling thread", 1, polling, TRUE, TRUE);
    run("one thread and a file", 1, patient, TRUE, TRUE);
    run("patient threads", 6, patient, FALSE, TRUE);
    run("all ways", 6, all, FALSE, TRUE);
    run("all ways and a file", 6, all, TRUE, TRUE);
    run("without sockets", 6, all, TRUE, FALSE);
}

/* ---- single things ---- */

struct waiting {
    HANDLE port;
    BOOL result;
    DWORD error, time, timeout;
    ULONG_PTR key;
    BOOL alertable;
    LONG volatile started;
    HANDLE thread;
};

static DWORD WINAPI waiting_main(void *argument)
{
    struct waiting *waiting = argument;
    DWORD start_time = GetTickCount(), bytes;
    OVERLAPPED_ENTRY entry = {0};
    OVERLAPPED *ov;
    ULONG count;

    InterlockedExchange(&waiting->started, 1);
    SetLastError(0xdead);
    if (waiting->alertable) {
        waiting->result =
            GetQueuedCompletionStatusEx(waiting->port, &entry, 1, &count, waiting->timeout, TRUE);
        waiting->key = entry.lpCompletionKey;
    } else
        waiting->result =
            GetQueuedCompletionStatus(waiting->port, &bytes, &waiting->key, &ov, waiting->timeout);
    waiting->error = GetLastError();
    waiting->time = GetTickCount() - start_time;
    return 0;
}

static void wait_for(struct waiting *waiting)
{
    ok(!WaitForSingleObject(waiting->thread, NET_PATIENCE), "still waits\n");
    CloseHandle(waiting->thread);
}

/* A port with a socket on it, and the socket's peer. */
static HANDLE port_with_socket(SOCKET *a, SOCKET *b)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);

    net_pair(a, b);
    ok(CreateIoCompletionPort((HANDLE)*b, port, KEY_SOCK, 0) == port, "error %lu\n",
       GetLastError());
    return port;
}

/* Each delay puts the waiting thread into another phase of its wait. */
static void test_wakes(void)
{
    static const DWORD delays[] = {0, 2, 8, 10, 12, 60};
    SOCKET a, b;
    HANDLE port = port_with_socket(&a, &b);
    char buffer[4];
    WSABUF buf = {sizeof(buffer), buffer};
    size_t i;

    for (i = 0; i < ARRAYSIZE(delays); i++) {
        struct waiting waiting = {.port = port, .timeout = INFINITE};
        OVERLAPPED ov = {0};
        DWORD flags = 0;

        winetest_push_context("after %lu ms", delays[i]);
        start(&waiting.thread, waiting_main, &waiting);
        Sleep(delays[i]);
        PostQueuedCompletionStatus(port, 0, KEY_POST, NULL);
        wait_for(&waiting);
        ok(waiting.result && waiting.key == KEY_POST, "got %d, key %lx\n", waiting.result,
           (DWORD)waiting.key);

        ok_error(WSARecv(b, &buf, 1, NULL, &flags, &ov, NULL), WSA_IO_PENDING);
        start(&waiting.thread, waiting_main, &waiting);
        Sleep(delays[i]);
        net_send_all(a, "data", 4);
        wait_for(&waiting);
        ok(waiting.result && waiting.key == KEY_SOCK && ov.InternalHigh == 4, "got %d, key %lx\n",
           waiting.result, (DWORD)waiting.key);
        winetest_pop_context();
    }
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

static void test_times(void)
{
    static const DWORD timeouts[] = {0, 1, 5, 30, 150};
    SOCKET a, b;
    HANDLE port = port_with_socket(&a, &b);
    size_t i;

    for (i = 0; i < ARRAYSIZE(timeouts); i++) {
        struct waiting waiting = {.port = port, .timeout = timeouts[i]};

        start(&waiting.thread, waiting_main, &waiting);
        wait_for(&waiting);
        /* the tick count's steps are 16 ms */
        ok(!waiting.result && waiting.error == WAIT_TIMEOUT && waiting.time + 17 >= timeouts[i] &&
               waiting.time < timeouts[i] + 500,
           "%lu ms: got %d, error %lu after %lu ms\n", timeouts[i], waiting.result, waiting.error,
           waiting.time);
    }
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* What was posted before the first socket came comes first. */
static void test_before(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes, i;
    SOCKET a, b;

    net_pair(&a, &b);
    for (i = 0; i < 5; i++)
        PostQueuedCompletionStatus(port, i, KEY_POST, NULL);
    ok(CreateIoCompletionPort((HANDLE)b, port, KEY_SOCK, 0) == port, "error %lu\n", GetLastError());
    for (i = 5; i < 10; i++)
        PostQueuedCompletionStatus(port, i, KEY_POST, NULL);
    for (i = 0; i < 10; i++) {
        bytes = 0xdead;
        ok(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 1000) && bytes == i,
           "got %lu, expected %lu\n", bytes, i);
    }
    check_empty(port);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

static LONG apcs;

static void CALLBACK count_apc(ULONG_PTR parameter)
{
    InterlockedExchangeAdd(&apcs, (LONG)parameter);
}

/* GetQueuedCompletionStatusEx: "If this parameter is TRUE, the function returns when the ... APC"
 */
static void test_alertable(void)
{
    static const DWORD delays[] = {2, 60};
    SOCKET a, b;
    HANDLE port = port_with_socket(&a, &b);
    size_t i;

    for (i = 0; i < ARRAYSIZE(delays); i++) {
        struct waiting waiting = {.port = port, .timeout = 3000, .alertable = TRUE};

        start(&waiting.thread, waiting_main, &waiting);
        while (!waiting.started) /* an APC queued earlier runs before the thread's function */
            Sleep(1);
        Sleep(delays[i]);
        apcs = 0;
        QueueUserAPC(count_apc, waiting.thread, 1);
        wait_for(&waiting);
        ok(!waiting.result && waiting.error == WAIT_IO_COMPLETION && apcs == 1,
           "got %d, error %lu, %ld APCs after %lu ms\n", waiting.result, waiting.error, apcs,
           waiting.time);
    }
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
}

/* GetQueuedCompletionStatus: "If a call ... fails because the completion port handle associated
 * with it is closed while the call is outstanding, the function returns FALSE, *lpOverlapped will
 * be NULL, and GetLastError will return ERROR_ABANDONED_WAIT_0." */
static void test_closed(void)
{
    static const DWORD delays[] = {2, 60};
    size_t i, j;

    for (i = 0; i < ARRAYSIZE(delays); i++) {
        struct waiting waiting[2];
        SOCKET a, b;
        HANDLE port = port_with_socket(&a, &b), second;

        DuplicateHandle(GetCurrentProcess(), port, GetCurrentProcess(), &second, 0, FALSE,
                        DUPLICATE_SAME_ACCESS);
        for (j = 0; j < 2; j++) {
            waiting[j] = (struct waiting){.port = second, .timeout = 2000};
            start(&waiting[j].thread, waiting_main, &waiting[j]);
        }
        Sleep(delays[i]);
        CloseHandle(port); /* not the last one: they wait on */
        ok(WaitForSingleObject(waiting[0].thread, 30) == WAIT_TIMEOUT, "has ended\n");
        CloseHandle(second);
        for (j = 0; j < 2; j++) {
            wait_for(&waiting[j]);
            /* Wine learned it at some time after 8.0 */
            todo_wine_if(waiting[j].error != ERROR_ABANDONED_WAIT_0)
                ok(!waiting[j].result && waiting[j].error == ERROR_ABANDONED_WAIT_0,
                   "after %lu ms: got %d, error %lu\n", delays[i], waiting[j].result,
                   waiting[j].error);
        }
        closesocket(a);
        closesocket(b);
    }
}

START_TEST(port_stress)
{
    net_start();
    RUN(test_wakes);
    RUN(test_times);
    RUN(test_before);
    RUN(test_alertable);
    RUN(test_closed);
    RUN(test_runs);
    WSACleanup();
}
