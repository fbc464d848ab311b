/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending pieces of memory and of files (see transmission.h).  Takes the socket's lock to look at
 * its state; holds none while it reads or sends.
 *
 * The pieces are sent one after the other by one thread: the caller's, or for an overlapped call
 * one of the pool's. While that waits for the connection, the socket's queue of sends has its
 * operation, which closing the socket ends; the overlapped one ends with it.  Who cancels that
 * (cancel.c) does the same, and sets an event for a thread that reads the file.
 */
#include "transmission.h"
#include "disconnect.h"
#include "guarded_copy.h"
#include "ntcalls.h"
#include "send.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "thread_pool.h"

#define CHUNK_SIZE   (64u << 10)
#define MESSAGE_SIZE 65507u /* a UDP datagram over IPv4 */
#define SETTLE_TURNS 20     /* of a millisecond */
#define KNOWN_FLAGS                                                              \
    (TF_DISCONNECT | TF_REUSE_SOCKET | TF_WRITE_BEHIND | TF_USE_DEFAULT_WORKER | \
     TF_USE_SYSTEM_THREAD | TF_USE_KERNEL_APC)

/* One that is under way. */
struct run {
    struct transmission what;
    bool stream;
    char *message; /* of datagrams: what is put together */
    DWORD message_length;
    uint64_t sent;
    struct carried carried; /* operation NULL: synchronous */
    struct piece pieces[];  /* overlapped: with duplicates of the files */
};

static DWORD send_bytes(struct run *run, char *data, DWORD size)
{
    WSABUF buffer = {size, data};
    DWORD error = send_blocking(run->what.socket, &buffer, &run->carried);

    if (!error)
        run->sent += size;
    return error;
}

static DWORD end_message(struct run *run)
{
    DWORD length = run->message_length;

    run->message_length = 0;
    return send_bytes(run, run->message, length);
}

/* Datagrams: bytes go together into one message until it has the size of a send. */
static DWORD add_to_message(struct run *run, const char *data, DWORD size)
{
    DWORD limit = run->what.size ? run->what.size : MESSAGE_SIZE, error = 0;

    while (size && !error) {
        DWORD room = limit - run->message_length, part = size < room ? size : room;

        if (part > MESSAGE_SIZE - run->message_length)
            return WSAEMSGSIZE;
        if (guarded_copy(run->message + run->message_length, data, part))
            return WSAEFAULT;
        run->message_length += part;
        data += part;
        size -= part;
        if (run->message_length == limit)
            error = end_message(run);
    }
    return error;
}

static DWORD send_part(struct run *run, char *data, DWORD size)
{
    if (!run->stream)
        return add_to_message(run, data, size);
    return size ? send_bytes(run, data, size) : 0;
}

/* Until the read has ended: what is read may be a pipe that says nothing. */
static void wait_for_read(const struct run *run, HANDLE file, OVERLAPPED *overlapped, HANDLE event)
{
    HANDLE handles[] = {event, run->carried.stop};

    if (handles[1] && WaitForMultipleObjects(2, handles, FALSE, INFINITE) == WAIT_OBJECT_0 + 1)
        CancelIoEx(file, overlapped);
}

/* One part of the file, at its place; *size is 0 at the end.  The event's low bit keeps a packet
 * from the port that the program's file may have. */
static DWORD read_part(const struct run *run, const struct piece *piece, uint64_t done, char *data,
                       DWORD *size, HANDLE event)
{
    OVERLAPPED overlapped = {.hEvent = (HANDLE)((ULONG_PTR)event | 1)};
    uint64_t left = piece->length ? piece->length - done : UINT64_MAX, from = piece->offset + done;

    overlapped.Offset = (DWORD)from;
    overlapped.OffsetHigh = (DWORD)(from >> 32);
    if (left < *size)
        *size = (DWORD)left;
    if (!*size)
        return 0;
    if (!ReadFile(piece->file, data, *size, NULL, &overlapped) &&
        GetLastError() != ERROR_IO_PENDING)
        *size = 0;
    else {
        wait_for_read(run, piece->file, &overlapped, event);
        if (GetOverlappedResult(piece->file, &overlapped, size, TRUE))
            return 0;
        *size = 0;
    }
    return GetLastError() == ERROR_HANDLE_EOF ? 0 : GetLastError();
}

static DWORD send_file(struct run *run, const struct piece *piece)
{
    DWORD chunk = run->what.size && run->what.size < CHUNK_SIZE ? run->what.size : CHUNK_SIZE;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    char *data = malloc(chunk);
    DWORD error = event && data ? 0 : WSAENOBUFS;
    uint64_t done = 0;

    while (!error) {
        DWORD size = chunk;

        if ((error = read_part(run, piece, done, data, &size, event)) || !size)
            break;
        done += size;
        error = send_part(run, data, size);
    }
    free(data);
    if (event)
        CloseHandle(event);
    return error;
}

static DWORD send_piece(struct run *run, const struct piece *piece, bool last)
{
    DWORD before = run->message_length, error;
    uint64_t sent = run->sent;

    error = piece->file ? send_file(run, piece) : send_part(run, piece->memory, piece->length);
    if (error || run->stream || !(piece->ends_message || last))
        return error;
    /* what a send of full size has ended already is no message once more; an empty one is */
    return run->message_length || (!before && run->sent == sent) ? end_message(run) : 0;
}

/* ---- to this process itself ---- */

struct twin {
    const struct socket *sender;
    struct socket *receiver; /* with a reference, or NULL */
};

static void look_for_twin(struct socket *socket, void *context)
{
    struct twin *twin = context;
    const struct socket *sender = twin->sender;

    if (!twin->receiver && socket->type == SOCK_STREAM && socket->state == SOCKET_CONNECTED &&
        wire_address_equal(&socket->local, &sender->peer) &&
        wire_address_equal(&socket->peer, &sender->local))
        twin->receiver = socket_hold(socket);
}

static bool has_arrived(const struct socket *sender, const struct socket *receiver)
{
    uint32_t taken = __atomic_load_n(&receiver->shared->consumed, __ATOMIC_RELAXED);

    return taken + receiver->arrived_bytes == sender->submitted;
}

/* What goes over the loopback has arrived on Windows when the call returns or completes, so that a
 * nonblocking receive finds it (Wine's test_TransmitFile, run on Windows).  Ours is on its way
 * through the server; if the other end is this process's too, it is waited for, a moment at most:
 * somebody may be reading there, urgent bytes count differently, the window may be full. */
static void settle(struct socket *sender)
{
    struct twin twin = {.sender = sender};

    if (sender->family != AF_UNIX) /* whose ends have no addresses to tell them by */
        socket_for_each(look_for_twin, &twin);
    if (!twin.receiver)
        return;
    for (int i = 0; i < SETTLE_TURNS; i++) {
        session_reap(sender->session);
        if (has_arrived(sender, twin.receiver))
            break;
        Sleep(1);
    }
    socket_put(twin.receiver);
}

static DWORD transmit(struct run *run)
{
    struct socket *socket = run->what.socket;
    DWORD flags = run->what.flags, error = 0;

    run->stream = socket->type == SOCK_STREAM;
    if (!run->stream && !(run->message = malloc(MESSAGE_SIZE)))
        return WSAENOBUFS;
    for (DWORD i = 0; i < run->what.count && !error; i++)
        error = send_piece(run, &run->what.pieces[i], i + 1 == run->what.count);
    free(run->message);
    if (!error && flags & TF_REUSE_SOCKET)
        return disconnect_and_wait(socket, &run->carried);
    /* "Start a transport-level disconnect after all the file data has been queued for
     * transmission." */
    if (!error && flags & TF_DISCONNECT)
        disconnect_send(socket);
    if (!error && run->stream)
        settle(socket);
    return error;
}

/* ---- overlapped ---- */

static void run_free(struct run *run)
{
    if (run->carried.stop)
        CloseHandle(run->carried.stop);
    for (DWORD i = 0; i < run->what.count; i++)
        if (run->pieces[i].file)
            CloseHandle(run->pieces[i].file);
    free(run);
}

/* A copy of it that may live longer than the call. */
static DWORD run_copy(const struct transmission *what, struct run **copy)
{
    struct run *run = calloc(1, sizeof(*run) + what->count * sizeof(*run->pieces));
    HANDLE self = GetCurrentProcess();
    DWORD error = 0;

    if (!(*copy = run))
        return WSAENOBUFS;
    run->what = *what;
    run->what.pieces = run->pieces;
    if (!(run->carried.stop = CreateEventW(NULL, TRUE, FALSE, NULL)))
        error = WSAENOBUFS;
    if (what->count)
        memcpy(run->pieces, what->pieces, what->count * sizeof(*run->pieces));
    for (DWORD i = 0; i < what->count; i++) {
        struct piece *piece = &run->pieces[i];
        HANDLE file = piece->file;

        piece->file = NULL;
        if (file && !error &&
            !DuplicateHandle(self, file, self, &piece->file, 0, FALSE, DUPLICATE_SAME_ACCESS))
            error = WSAENOTSOCK; /* STATUS_INVALID_HANDLE */
    }
    if (error)
        run_free(run);
    return error;
}

static void begin_carrying(struct socket *socket, struct carried *carried)
{
    AcquireSRWLockExclusive(&socket->lock);
    carried->next = socket->carried;
    socket->carried = carried;
    ReleaseSRWLockExclusive(&socket->lock);
}

static void end_carrying(struct socket *socket, struct carried *carried)
{
    struct carried **link = &socket->carried;

    AcquireSRWLockExclusive(&socket->lock);
    while (*link != carried)
        link = &(*link)->next;
    *link = carried->next;
    ReleaseSRWLockExclusive(&socket->lock);
}

static void CALLBACK transmit_for_program(TP_CALLBACK_INSTANCE *instance, void *context)
{
    struct run *run = context;
    struct socket *socket = run->what.socket;
    struct operation *operation = run->carried.operation;

    (void)instance;
    AcquireSRWLockExclusive(&socket->lock);
    run->carried.waiter = waiter_current();
    ReleaseSRWLockExclusive(&socket->lock);
    operation->error = transmit(run);
    operation->done = (size_t)run->sent;
    end_carrying(socket, &run->carried);
    run_free(run);
    operation_deliver(operation);
}

static DWORD transmit_later(const struct transmission *what, OVERLAPPED *overlapped)
{
    struct operation *operation;
    struct run *run;
    DWORD error;

    operation = operation_create(what->socket, OPERATION_SEND, overlapped, NULL, &error);
    if (!operation)
        return error;
    operation->result_flags = overlapped->Offset; /* is the file's, and stays what it was */
    if ((error = run_copy(what, &run)))
        return operation_end_call(operation, error);
    run->carried.operation = operation;
    begin_carrying(what->socket, &run->carried);
    if (thread_pool_submit(transmit_for_program, run))
        return WSA_IO_PENDING;
    end_carrying(what->socket, &run->carried);
    run_free(run);
    return operation_end_call(operation, WSAENOBUFS);
}

/* ---- for both calls ---- */

DWORD piece_at_position(struct piece *piece)
{
    LARGE_INTEGER position = {0};

    if (!SetFilePointerEx(piece->file, position, &position, FILE_CURRENT))
        return GetLastError();
    piece->offset = (uint64_t)position.QuadPart;
    return 0;
}

DWORD transmission_check(const struct transmission *transmission)
{
    const struct socket *socket = transmission->socket;

    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->state != SOCKET_CONNECTED)
        return WSAENOTCONN;
    if (transmission->flags & ~KNOWN_FLAGS ||
        (transmission->flags & (TF_REUSE_SOCKET | TF_DISCONNECT)) == TF_REUSE_SOCKET)
        return WSAEINVAL;
    return send_check(socket);
}

DWORD transmission_run(const struct transmission *transmission, OVERLAPPED *overlapped)
{
    struct run run = {.what = *transmission};

    return overlapped ? transmit_later(transmission, overlapped) : transmit(&run);
}
