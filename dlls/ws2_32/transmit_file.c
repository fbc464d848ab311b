/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TransmitFile.  Takes the socket's lock to look at its state; holds none while it reads or sends.
 *
 * Head, file and tail are sent one after the other by one thread: the caller's, or for an
 * overlapped call one of the pool's. While that waits for the connection, the socket's queue of
 * sends has its operation, which closing the socket ends; the overlapped one ends with it.
 */
#include "extension.h"
#include "guarded_copy.h"
#include "log.h"
#include "ntcalls.h"
#include "send.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"
#include "thread_pool.h"

#define CHUNK_SIZE   (64u << 10)
#define SETTLE_TURNS 20 /* of a millisecond */
#define KNOWN_FLAGS                                                              \
    (TF_DISCONNECT | TF_REUSE_SOCKET | TF_WRITE_BEHIND | TF_USE_DEFAULT_WORKER | \
     TF_USE_SYSTEM_THREAD | TF_USE_KERNEL_APC)

struct transmission {
    struct socket *socket;
    HANDLE file; /* NULL: only head and tail; overlapped: a duplicate */
    uint64_t offset, limit;
    DWORD chunk;
    TRANSMIT_FILE_BUFFERS ends;
    DWORD flags;
    uint64_t sent;
    struct operation *operation; /* NULL: synchronous */
};

static DWORD send_part(struct transmission *transmission, void *data, DWORD size)
{
    WSABUF buffer = {size, data};
    DWORD error = size ? send_blocking(transmission->socket, &buffer) : 0;

    if (!error)
        transmission->sent += size;
    return error;
}

/* One piece of the file, at its place; *size is 0 at the end.  The event's low bit keeps a packet
 * from the port that the program's file may have. */
static DWORD read_part(struct transmission *transmission, char *data, DWORD *size, HANDLE event)
{
    OVERLAPPED overlapped = {.hEvent = (HANDLE)((ULONG_PTR)event | 1)};
    uint64_t left = transmission->limit - transmission->offset;

    overlapped.Offset = (DWORD)transmission->offset;
    overlapped.OffsetHigh = (DWORD)(transmission->offset >> 32);
    *size = left < transmission->chunk ? (DWORD)left : transmission->chunk;
    if (!*size)
        return 0;
    if (!ReadFile(transmission->file, data, *size, NULL, &overlapped) &&
        GetLastError() != ERROR_IO_PENDING)
        *size = 0;
    else if (!GetOverlappedResult(transmission->file, &overlapped, size, TRUE))
        *size = 0;
    else
        return 0;
    return GetLastError() == ERROR_HANDLE_EOF ? 0 : GetLastError();
}

static DWORD send_file(struct transmission *transmission)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    char *data = malloc(transmission->chunk);
    DWORD error = event && data ? 0 : WSAENOBUFS, size;

    while (!error) {
        if ((error = read_part(transmission, data, &size, event)) || !size)
            break;
        transmission->offset += size;
        error = send_part(transmission, data, size);
    }
    free(data);
    if (event)
        CloseHandle(event);
    return error;
}

/* "Start a transport-level disconnect after all the file data has been queued for transmission." */
static void disconnect(struct socket *socket)
{
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->state == SOCKET_CONNECTED && !socket->shut_send) {
        socket->shut_send = true;
        send_shutdown(socket);
    }
    ReleaseSRWLockExclusive(&socket->lock);
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

static DWORD transmit(struct transmission *transmission)
{
    const TRANSMIT_FILE_BUFFERS *ends = &transmission->ends;
    DWORD error = send_part(transmission, ends->Head, ends->HeadLength);

    if (!error && transmission->file)
        error = send_file(transmission);
    if (!error)
        error = send_part(transmission, ends->Tail, ends->TailLength);
    if (!error && (transmission->flags & TF_DISCONNECT))
        disconnect(transmission->socket);
    if (!error)
        settle(transmission->socket);
    return error;
}

/* ---- overlapped ---- */

static void CALLBACK transmit_for_program(TP_CALLBACK_INSTANCE *instance, void *context)
{
    struct transmission *transmission = context;
    struct operation *operation = transmission->operation;

    (void)instance;
    operation->error = transmit(transmission);
    operation->done = (size_t)transmission->sent;
    if (transmission->file)
        CloseHandle(transmission->file);
    free(transmission);
    operation_deliver(operation);
}

static DWORD transmit_later(struct transmission *transmission, OVERLAPPED *overlapped)
{
    struct transmission *copy = malloc(sizeof(*copy));
    HANDLE self = GetCurrentProcess();
    struct operation *operation;
    DWORD error;

    if (!copy)
        return WSAENOBUFS;
    *copy = *transmission;
    if (!(operation = operation_create(copy->socket, OPERATION_SEND, overlapped, NULL, &error))) {
        free(copy);
        return error;
    }
    operation->result_flags = overlapped->Offset; /* is the file's, and stays what it was */
    copy->operation = operation;
    if (copy->file &&
        !DuplicateHandle(self, copy->file, self, &copy->file, 0, FALSE, DUPLICATE_SAME_ACCESS))
        error = WSAENOTSOCK; /* STATUS_INVALID_HANDLE */
    else if (!thread_pool_submit(transmit_for_program, copy)) {
        error = WSAENOBUFS;
        if (copy->file)
            CloseHandle(copy->file);
    } else
        return WSA_IO_PENDING;
    free(copy);
    return operation_end_call(operation, error);
}

/* ---- the call ---- */

static DWORD check(const struct socket *socket, DWORD flags)
{
    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->type != SOCK_STREAM || socket->state != SOCKET_CONNECTED)
        return WSAENOTCONN;
    if (flags & ~KNOWN_FLAGS)
        return WSAEINVAL;
    if (flags & TF_REUSE_SOCKET) {
        log_once(LOG_WARN, "TransmitFile cannot make its socket reusable yet");
        return WSAEOPNOTSUPP;
    }
    return send_check(socket);
}

/* Where to begin: the OVERLAPPED's offset, or the file's position. */
static DWORD find_range(struct transmission *transmission, DWORD size, const OVERLAPPED *overlapped)
{
    LARGE_INTEGER position = {0};

    if (!transmission->file)
        return 0;
    if (overlapped) {
        position.LowPart = overlapped->Offset;
        position.HighPart = (LONG)overlapped->OffsetHigh;
    } else if (!SetFilePointerEx(transmission->file, position, &position, FILE_CURRENT))
        return GetLastError();
    transmission->offset = (uint64_t)position.QuadPart;
    transmission->limit = size ? transmission->offset + size : UINT64_MAX;
    return 0;
}

BOOL WINAPI ws_TransmitFile(SOCKET s, HANDLE file, DWORD size, DWORD chunk, OVERLAPPED *overlapped,
                            TRANSMIT_FILE_BUFFERS *ends, DWORD flags)
{
    struct transmission transmission = {.file = file, .chunk = chunk, .flags = flags};
    DWORD error;

    if (!(transmission.socket = socket_get(s)))
        return FALSE;
    if (!chunk || chunk > CHUNK_SIZE)
        transmission.chunk = CHUNK_SIZE;
    session_reap(transmission.socket->session);
    if (!(error = check(transmission.socket, flags)) && ends &&
        guarded_copy(&transmission.ends, ends, sizeof(*ends)))
        error = WSAEFAULT;
    if (!error)
        error = find_range(&transmission, size, overlapped);
    if (!error)
        error = overlapped ? transmit_later(&transmission, overlapped) : transmit(&transmission);
    socket_put(transmission.socket);
    SetLastError(error);
    return !error;
}
