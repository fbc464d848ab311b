/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion routines in many threads at once, and APCs of the program's own among them: each runs
 * once, in its thread, in a wait that is alertable, whichever call waits; and a wait says
 * WAIT_IO_COMPLETION only where one has run.
 * Sources: the page of WSARecv ("will not be invoked until the thread is in an alertable wait
 * state"; "For a given socket, I/O completion routines will not be nested"), those of SleepEx,
 * WaitForSingleObjectEx, MsgWaitForMultipleObjectsEx, GetQueuedCompletionStatusEx,
 * SignalObjectAndWait
 * ("The function returns when ... an I/O completion routine or asynchronous procedure call (APC) is
 * queued to the thread") and QueueUserAPC.
 */
#include "net.h"

#define THREADS 4
#define SOCKETS 3
#define NUMBERS 300 /* through each socket */

struct stream {
    WSAOVERLAPPED ov; /* first: the routine finds the stream by it */
    struct player *player;
    SOCKET in, out;
    unsigned char buffer[4];
    DWORD next, total;
    BOOL inside;
};

struct player {
    struct stream streams[SOCKETS];
    DWORD thread, left;
    LONG ran; /* routines and APCs */
    LONG volatile apcs_queued, apcs_ran;
    HANDLE handle, event, other, semaphore, port;
    BOOL alertable;
};

static volatile LONG all_left;

static void receive(struct stream *stream);

static void CALLBACK own_apc(ULONG_PTR argument)
{
    struct player *player = (struct player *)argument;

    /* "If an application queues an APC before the thread begins running, the thread begins by
     * calling the APC function" */
    ok(!player->thread || (GetCurrentThreadId() == player->thread && player->alertable),
       "an APC in the wrong place\n");
    player->ran++;
    InterlockedIncrement(&player->apcs_ran);
}

static void CALLBACK received(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    struct stream *stream = (struct stream *)overlapped;
    struct player *player = stream->player;

    ok(GetCurrentThreadId() == player->thread && player->alertable, "in the wrong place\n");
    todo_wine_if(stream->inside) /* the built-in nests them */
        ok(!stream->inside, "nested in a routine of the same socket\n");
    ok(!error && !flags && bytes && bytes <= sizeof(stream->buffer), "error %lu, %lu bytes\n",
       error, bytes);
    stream->inside = TRUE;
    player->ran++;
    for (DWORD i = 0; i < bytes; i++, stream->total++, player->left--)
        ok(stream->buffer[i] == (stream->total & 255), "got %d as number %lu\n", stream->buffer[i],
           stream->total);
    if (stream->total < NUMBERS)
        receive(stream);
    if (stream->total % 41 == 0)
        SleepEx(stream->total % 2 ? 0 : 3, TRUE); /* lets those of the other sockets run */
    stream->inside = FALSE;
}

static void receive(struct stream *stream)
{
    WSABUF buf = {sizeof(stream->buffer), (char *)stream->buffer};
    DWORD flags = 0;

    memset(&stream->ov, 0, sizeof(stream->ov));
    if (WSARecv(stream->in, &buf, 1, NULL, &flags, &stream->ov, received))
        ok(WSAGetLastError() == WSA_IO_PENDING, "WSARecv error %d\n", WSAGetLastError());
}

/* ---- the ways to wait alertably ---- */

#define WAYS 8

static BOOL by_port(struct player *player)
{
    OVERLAPPED_ENTRY entry;
    ULONG count;

    return !GetQueuedCompletionStatusEx(player->port, &entry, 1, &count, 50, TRUE) &&
           GetLastError() == WAIT_IO_COMPLETION;
}

/* Whether something ran, as the call says. */
static BOOL wait_somehow(struct player *player, int way)
{
    HANDLE both[2] = {player->event, player->semaphore};

    switch (way % WAYS) {
    case 0:
        return SleepEx(50, TRUE) == WAIT_IO_COMPLETION;
    case 1:
        return SleepEx(0, TRUE) == WAIT_IO_COMPLETION;
    case 2:
        return WSAWaitForMultipleEvents(1, &player->event, FALSE, 50, TRUE) ==
               WSA_WAIT_IO_COMPLETION;
    case 3:
        return WaitForSingleObjectEx(player->semaphore, 50, TRUE) == WAIT_IO_COMPLETION;
    case 4:
        return WaitForMultipleObjectsEx(2, both, FALSE, 50, TRUE) == WAIT_IO_COMPLETION;
    case 5:
        return MsgWaitForMultipleObjectsEx(1, both, 50, QS_ALLINPUT, MWMO_ALERTABLE) ==
               WAIT_IO_COMPLETION;
    case 6:
        return by_port(player);
    default:
        return SignalObjectAndWait(player->other, player->event, 50, TRUE) == WAIT_IO_COMPLETION;
    }
}

static DWORD WINAPI play(void *argument)
{
    struct player *player = argument;
    int way = (int)(player->thread = GetCurrentThreadId());
    LONG before;
    BOOL said;

    for (int i = 0; i < SOCKETS; i++)
        receive(&player->streams[i]);
    for (; player->left || player->apcs_ran < player->apcs_queued || all_left; way++) {
        before = player->ran;
        player->alertable = TRUE;
        said = wait_somehow(player, way);
        player->alertable = FALSE;
        ok(said == (player->ran != before), "way %d says %d, and %ld ran\n", way % WAYS, said,
           player->ran - before);
        if (way % 13 == 0)
            Sleep(way % 2 ? 0 : 12);
    }
    return 0;
}

/* ---- from outside ---- */

static struct player players[THREADS];

static DWORD WINAPI send_numbers(void *argument)
{
    struct player *player = argument;

    for (unsigned number = 0; number < NUMBERS; number++) {
        for (int i = 0; i < SOCKETS; i++) {
            unsigned char byte = (unsigned char)number;

            net_send_all(player->streams[i].out, &byte, 1);
        }
        if (number % 10 == 0 && QueueUserAPC(own_apc, player->handle, (ULONG_PTR)player))
            InterlockedIncrement(&player->apcs_queued);
        if (number % 23 == 0)
            Sleep(number % 2 ? 1 : 14);
    }
    InterlockedDecrement(&all_left);
    return 0;
}

static void test_routines(void)
{
    HANDLE senders[THREADS];

    all_left = THREADS;
    for (int t = 0; t < THREADS; t++) {
        struct player *player = &players[t];

        player->left = SOCKETS * NUMBERS;
        player->event = WSACreateEvent();
        player->other = CreateEventW(NULL, TRUE, FALSE, NULL);
        player->semaphore = CreateSemaphoreW(NULL, 0, 1, NULL);
        player->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
        for (int i = 0; i < SOCKETS; i++) {
            player->streams[i].player = player;
            net_pair(&player->streams[i].out, &player->streams[i].in);
        }
        player->handle = CreateThread(NULL, 0, play, player, CREATE_SUSPENDED, NULL);
    }
    for (int t = 0; t < THREADS; t++) {
        senders[t] = CreateThread(NULL, 0, send_numbers, &players[t], 0, NULL);
        ResumeThread(players[t].handle);
    }
    WaitForMultipleObjects(THREADS, senders, TRUE, INFINITE); /* the watchdog ends what hangs */
    for (int t = 0; t < THREADS; t++) {
        struct player *player = &players[t];

        WaitForSingleObject(player->handle, INFINITE);
        ok(!player->left && player->apcs_ran == player->apcs_queued,
           "%lu numbers, %ld APCs are lost\n", player->left,
           player->apcs_queued - player->apcs_ran);
        for (int i = 0; i < SOCKETS; i++) {
            closesocket(player->streams[i].in);
            closesocket(player->streams[i].out);
        }
        CloseHandle(senders[t]);
        CloseHandle(player->handle);
        CloseHandle(player->event);
        CloseHandle(player->other);
        CloseHandle(player->semaphore);
        CloseHandle(player->port);
    }
}

START_TEST(apc_stress)
{
    net_start();
    RUN(test_routines);
    WSACleanup();
}
