/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recv, recvfrom, WSARecv, WSARecvFrom: from their arguments to one operation.  Takes the socket's
 * lock; the queue is receive.c's.
 */
#include "async_select.h"
#include "control_data.h"
#include "error_queue.h"
#include "extension.h"
#include "look_again.h"
#include "raw_io.h"
#include "receive.h"
#include "guarded_copy.h"
#include "ntcalls.h"
#include "option.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"
#include "thread_block.h"

#ifndef MSG_PUSH_IMMEDIATE /* not in every mingw-w64's headers */
#define MSG_PUSH_IMMEDIATE 0x20
#endif

struct receive_call {
    WSABUF *buffers;
    DWORD count;
    DWORD bytes, flags;                   /* results; flags also as given */
    DWORD *bytes_pointer, *flags_pointer; /* where the program wants them */
    bool by_value;                        /* recv, recvfrom: they have no such pointers */
    WSAMSG *message;                      /* WSARecvMsg: it has the flags, and most of the rest */
    WSABUF control;
    struct sockaddr *from;
    int *from_length;
    WSAOVERLAPPED *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
};

/* Bits that the page does not name are refused with what Windows really says (zig-network's pull
 * request 46: flags of chance gave WSAEOPNOTSUPP); recv's page would have WSAEINVAL. */
#define KNOWN_FLAGS (MSG_OOB | MSG_PEEK | MSG_PARTIAL | MSG_PUSH_IMMEDIATE | MSG_WAITALL)

static DWORD check_flags(const struct socket *socket, DWORD flags)
{
    bool stream = socket->type == SOCK_STREAM;

    if ((flags & ~KNOWN_FLAGS) || (!stream && (flags & MSG_OOB)))
        return WSAEOPNOTSUPP;
    /* WSARecv.txt: MSG_WAITALL "along with MSG_OOB, MSG_PEEK, or MSG_PARTIAL", on a nonblocking
     * socket or for messages "will fail with WSAEOPNOTSUPP" */
    if ((flags & MSG_WAITALL) &&
        (!stream || socket->nonblocking || (flags & (MSG_OOB | MSG_PEEK | MSG_PARTIAL))))
        return WSAEOPNOTSUPP;
    /* recv's page: "MSG_OOB was specified for a socket with SO_OOBINLINE enabled" */
    return (flags & MSG_OOB) && socket->oob_inline ? WSAEINVAL : 0;
}

DWORD receive_state(const struct socket *socket)
{
    bool stream = socket->type == SOCK_STREAM;

    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if (socket->closing)
        return WSAENOTSOCK;
    if (stream && socket->state != SOCKET_CONNECTED && !socket->error)
        return WSAENOTCONN;
    if (!stream && !socket->bound)
        return WSAEINVAL; /* WSARecv.txt: "The socket has not been bound" */
    return socket->shut_recv ? WSAESHUTDOWN : 0;
}

static DWORD receive_check(const struct socket *socket, const struct operation *operation)
{
    DWORD error = receive_state(socket), own = operation->message ? MSG_ERRQUEUE : 0;

    return error ? error : check_flags(socket, operation->flags & ~own);
}

/* An operation that will wait must find its memory then: the buffers, and where the sender's
 * address goes, which after that may go away (Windows has locked the pages). */
static DWORD check_memory(const struct socket *socket, struct operation *operation)
{
    if (operation->address && !guarded_writable(operation->address, sockaddr_size(socket->family)))
        return WSAEFAULT;
    if (operation->message && !guarded_writable(operation->message, sizeof(WSAMSG)))
        return WSAEFAULT;
    if (operation->message_control.len &&
        !guarded_writable(operation->message_control.buf, operation->message_control.len))
        return WSAEFAULT;
    return operation_probe(operation);
}

/* lpNumberOfBytesRecvd matters only to a call that completes at once. */
static DWORD check_result(const struct socket *socket, const struct operation *operation)
{
    bool urgent = operation->flags & MSG_OOB;
    const struct operation *before =
        urgent ? socket->receiving_urgent.head : socket->receiving.head;
    const struct segment *something = urgent ? socket->urgent : socket->arrived;

    if (!operation->result_refused)
        return 0;
    if (operation->overlapped && (before || !(something || socket->end_of_stream || socket->error)))
        return 0; /* it will wait */
    return WSAEFAULT;
}

static struct operation_queue *queue_of(struct socket *socket, const struct operation *operation)
{
    return operation->flags & MSG_OOB ? &socket->receiving_urgent : &socket->receiving;
}

/* True when there is an answer: *error, or the operation is complete. */
static bool answer(struct socket *socket, struct operation *operation, DWORD *error)
{
    return (*error = receive_check(socket, operation)) || (*error = operation->refused) ||
           (*error = check_result(socket, operation)) || receive_try(socket, operation) ||
           (*error = check_memory(socket, operation));
}

/* The same after what is in the ring has been applied; the lock stays held. */
static bool answer_with_lock(struct socket *socket, struct operation *operation, DWORD *error)
{
    session_reap(socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    return answer(socket, operation, error);
}

static bool pointer_is_bad(const struct receive_call *call, bool overlapped)
{
    DWORD unused;

    if (call->by_value)
        return false;
    /* lpNumberOfBytesRecvd "can be NULL only if the lpOverlapped parameter is not NULL" */
    return call->bytes_pointer ? !guarded_probe(call->bytes_pointer, &unused) : !overlapped;
}

/* A stream has no use for lpFrom: Windows does not even look (Wine's test_tcp_sendto_recvfrom). */
static bool address_is_bad(const struct socket *socket, const struct receive_call *call)
{
    DWORD room;

    return socket->type != SOCK_STREAM && call->from &&
           (!guarded_load((DWORD *)call->from_length, &room) ||
            (int)room < sockaddr_size(socket->family));
}

static void take_arguments(const struct socket *socket, const struct receive_call *call,
                           struct operation *operation, bool overlapped)
{
    operation->flags = call->flags;
    operation->message = call->message;
    operation->message_control = call->control;
    operation->address = socket->type == SOCK_STREAM ? NULL : call->from;
    operation->address_length = call->from_length;
    operation->result_refused = pointer_is_bad(call, overlapped);
    if (!call->count)
        operation->refused = WSAEINVAL;
    else if (address_is_bad(socket, call))
        operation->refused = WSAEFAULT;
    else
        operation->refused = operation_set_buffers(operation, call->buffers, call->count);
}

/* Any receive enables WSAAsyncSelect's message again, but the event record only one that got as far
 * as the data (Wine's test_events, run on Windows, with an impossible buffer). */
static void enable_events(struct socket *socket, const struct operation *operation)
{
    long events = operation->flags & MSG_OOB ? FD_OOB : FD_READ;

    if (operation->refused || operation->error == WSAEFAULT)
        async_select_enable(socket, events);
    else
        socket_event_enable(socket, events);
}

static uint64_t deadline_of(const struct socket *socket)
{
    return socket->receive_timeout ? waiter_deadline(socket->receive_timeout) : WAITER_FOREVER;
}

static DWORD wait_for_data(struct socket *socket, struct operation *operation)
{
    DWORD error;
    bool answered;

    if (!(operation->waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(operation->waiter, socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    if (!(answered = answer(socket, operation, &error))) {
        operation_append(queue_of(socket, operation), operation);
        socket_update_interest(socket);
    }
    ReleaseSRWLockExclusive(&socket->lock);
    if (answered) {
        waiter_disarm(operation->waiter);
        return receive_cut_short(operation, error ? error : operation->error);
    }
    error = socket_wait(socket, queue_of(socket, operation), operation, deadline_of(socket));
    return receive_cut_short(operation, error);
}

static void give_results(struct receive_call *call, const struct operation *operation)
{
    call->bytes = (DWORD)operation->done;
    call->flags = operation->result_flags;
    if (call->by_value)
        return;
    if (call->bytes_pointer)
        guarded_store(call->bytes_pointer, call->bytes);
    if (!call->message)
        guarded_store(call->flags_pointer, call->flags);
}

/* The peer has ended its side, and something was sent since: if there is nobody any more it has
 * provoked a reset, which over Windows' loopback has come by now (Wine's test_shutdown, run on
 * Windows).  Caller holds the lock; true once for what was sent. */
static bool end_is_old(struct socket *socket, const struct operation *operation)
{
    if (socket->type != SOCK_STREAM || !socket->end_of_stream || socket->error ||
        operation->error || operation->done || socket->sent_at_end == socket->submitted)
        return false;
    socket->sent_at_end = socket->submitted;
    return true;
}

static void look_for_reset(struct socket *socket)
{
    uint32_t unused;

    option_server_get(socket, RS_OPT_ERROR, &unused); /* posts the error before its answer */
}

static DWORD receive_now(struct socket *socket, struct receive_call *call,
                         struct operation *operation)
{
    bool answered, nonblocking, old = false;
    struct looks looks = {0};
    DWORD error;

    do {
        if (old)
            look_for_reset(socket);
        answered = answer_with_lock(socket, operation, &error);
        old = answered && !error && end_is_old(socket, operation);
        nonblocking = socket->nonblocking && !call->overlapped;
        enable_events(socket, operation);
        ReleaseSRWLockExclusive(&socket->lock);
    } while (old || (!answered && nonblocking && look_again(socket, &looks)));
    if (answered)
        error = error ? error : operation->error;
    else
        error = nonblocking ? WSAEWOULDBLOCK : wait_for_data(socket, operation);
    if (!error || error == WSAEMSGSIZE)
        give_results(call, operation);
    return error;
}

/* A socket that is not overlapped waits, even if it is nonblocking, and then the OVERLAPPED looks
 * like that of a finished operation (Wine's test_nonblocking_async_recv, run on Windows). */
static void fill_overlapped(const struct receive_call *call)
{
    WSAOVERLAPPED *overlapped = call->overlapped;
    ULONG_PTR event = 0;

    guarded_store_pointer(&overlapped->InternalHigh, call->bytes);
    guarded_store_pointer(&overlapped->Internal, STATUS_SUCCESS);
    if (!call->routine && guarded_load_pointer((ULONG_PTR *)&overlapped->hEvent, &event) && event)
        SetEvent((HANDLE)(event & ~(ULONG_PTR)1));
}

static DWORD receive_synchronous(struct socket *socket, struct receive_call *call)
{
    struct operation operation = {.kind = OPERATION_RECV};
    DWORD error;

    take_arguments(socket, call, &operation, call->overlapped != NULL);
    error = receive_now(socket, call, &operation);
    operation_release_buffers(&operation);
    if (!error && call->overlapped)
        fill_overlapped(call);
    return error;
}

/* The operation is complete or queued; returns what the call returns. */
static DWORD post(struct socket *socket, struct operation *operation, bool may_wait)
{
    DWORD error;
    bool answered = answer_with_lock(socket, operation, &error);

    if (!answered && !may_wait && socket->nonblocking) {
        error = WSAEWOULDBLOCK;
        answered = true;
    }
    if (!answered) {
        operation_append(queue_of(socket, operation), operation);
        socket_update_interest(socket);
    }
    enable_events(socket, operation);
    ReleaseSRWLockExclusive(&socket->lock);
    if (answered)
        return error ? error : operation->error;
    session_reap(socket->session); /* what was published before the server saw our interest */
    return WSA_IO_PENDING;
}

static DWORD receive_overlapped(struct socket *socket, struct receive_call *call)
{
    struct operation *operation;
    DWORD error;

    operation = operation_create(socket, OPERATION_RECV, call->overlapped, call->routine, &error);
    if (!operation)
        return error;
    take_arguments(socket, call, operation, true);
    error = post(socket, operation, true);
    if (error == WSA_IO_PENDING)
        return error;
    /* Bytes have been moved, so it is a completion, and what tells of one is WSA_IO_PENDING (Wine's
     * test_ip_pktinfo, run on Windows). */
    if (error == WSAEMSGSIZE && operation->error == error) {
        operation_deliver(operation);
        return WSA_IO_PENDING;
    }
    if (!error)
        give_results(call, operation);
    return operation_end_call(operation, error);
}

DWORD receive_raw(struct socket *socket, struct operation *operation, const struct raw_data *data)
{
    struct receive_call call = {.buffers = data->buffers,
                                .count = data->count,
                                .flags = data->flags,
                                .by_value = true,
                                .from = data->address,
                                .from_length = data->address_length};

    take_arguments(socket, &call, operation, true);
    if (data->refused)
        operation->refused = data->refused;
    return post(socket, operation, data->may_wait);
}

#define OUTPUT_FLAGS (MSG_TRUNC | MSG_CTRUNC | MSG_BCAST | MSG_MCAST)

/* WSARecvMsg's page: for datagram sockets only; "The only possible input value for the dwFlags
 * member
 * ... is MSG_PEEK", and MSG_ERRQUEUE, which is newer; what an earlier call has left there of the
 * others does no harm. */
static DWORD take_message(struct socket *socket, struct receive_call *call)
{
    WSAMSG message;

    if (guarded_copy(&message, call->message, sizeof(message)))
        return WSAEFAULT;
    call->flags = message.dwFlags & ~OUTPUT_FLAGS;
    if ((call->flags & ~(MSG_PEEK | MSG_ERRQUEUE)) || (call->flags && socket->type == SOCK_STREAM))
        return WSAEOPNOTSUPP;
    if (socket->type == SOCK_STREAM)
        return WSAEINVAL;
    if ((!message.name && message.namelen) || (!message.Control.buf && message.Control.len))
        return WSAEFAULT;
    call->buffers = message.lpBuffers;
    call->count = message.dwBufferCount;
    call->from = message.name;
    call->from_length = &call->message->namelen;
    call->control = message.Control;
    control_ask_packet(socket);
    return 0;
}

/* A receive without flags finds nothing, does not wait, changes nothing and need not look again:
 * told without the lock, and only where that is plain.  Pairs with session_reap, which applies a
 * record before the ring is empty.  What other threads do to the socket meanwhile comes before this
 * call or after it. */
static bool finds_nothing(const struct socket *socket)
{
    if (!socket->nonblocking || submit_marked(socket->session) ||
        rs_ring_pending(&socket->session->comp))
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (socket->arrived || socket->urgent || socket->receiving.head || socket->end_of_stream ||
        socket->error || receive_state(socket))
        return false;
    if ((socket->event_disabled | socket->event_pending) & FD_READ || socket->window_mask)
        return false;
    return !socket->stalled && !socket->away;
}

/* Which error wins: first lpFlags and lpOverlapped, which msafd itself reads and writes, then the
 * socket's state, then the other arguments, which are the driver's (Wine's afd.c and sock.c, run on
 * Windows: the state before the buffers). */
static DWORD receive_on(struct socket *socket, struct receive_call *call)
{
    bool overlapped;
    DWORD error = 0;

    /* WSARecv.txt: lpOverlapped is "ignored for nonoverlapped sockets" */
    overlapped = call->overlapped && (socket->creation_flags & WSA_FLAG_OVERLAPPED);
    if (call->message)
        error = take_message(socket, call);
    else if (!call->by_value && !guarded_probe(call->flags_pointer, &call->flags))
        error = WSAEFAULT;
    if (!error)
        error = overlapped ? receive_overlapped(socket, call) : receive_synchronous(socket, call);
    return error;
}

static int end_call(struct socket *socket, DWORD error)
{
    socket_put(socket);
    last_error_set(error); /* 0 on success, as Windows does */
    return error ? SOCKET_ERROR : 0;
}

static int receive(SOCKET s, struct receive_call *call)
{
    struct socket *socket = socket_get(s);

    return socket ? end_call(socket, receive_on(socket, call)) : SOCKET_ERROR;
}

int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, LPDWORD flags,
                       struct sockaddr *from, LPINT from_length, LPWSAOVERLAPPED overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct receive_call call = {.buffers = buffers,
                                .count = count,
                                .bytes_pointer = bytes,
                                .flags_pointer = flags,
                                .from = from,
                                .from_length = from_length,
                                .overlapped = overlapped,
                                .routine = routine};

    return receive(s, &call);
}

int WSAAPI ws_WSARecvMsg(SOCKET s, WSAMSG *message, DWORD *bytes, WSAOVERLAPPED *overlapped,
                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct receive_call call = {
        .message = message, .bytes_pointer = bytes, .overlapped = overlapped, .routine = routine};

    return message              ? receive(s, &call)
           : socket_is_valid(s) ? return_error(WSAEFAULT)
                                : SOCKET_ERROR;
}

int WSAAPI WSARecv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, LPDWORD flags,
                   LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    return WSARecvFrom(s, buffers, count, bytes, flags, NULL, NULL, overlapped, routine);
}

static int receive_by_value(struct socket *socket, char *buffer, int length, int flags,
                            struct sockaddr *from, int *from_length)
{
    WSABUF data = {(ULONG)length, length < 0 ? NULL : buffer}; /* no buffer is that long */
    struct receive_call call = {.buffers = &data,
                                .count = 1,
                                .flags = (DWORD)flags,
                                .by_value = true,
                                .from = from,
                                .from_length = from_length};

    return end_call(socket, receive_on(socket, &call)) ? SOCKET_ERROR : (int)call.bytes;
}

int WSAAPI recvfrom(SOCKET s, char *buffer, int length, int flags, struct sockaddr *from,
                    int *from_length)
{
    struct socket *socket = socket_get(s);

    return socket ? receive_by_value(socket, buffer, length, flags, from, from_length)
                  : SOCKET_ERROR;
}

/* A nonblocking program calls it once more than there is something, so nothing costs least. */
int WSAAPI recv(SOCKET s, char *buffer, int length, int flags)
{
    struct socket *socket = socket_get(s);

    if (!socket)
        return SOCKET_ERROR;
    if (!flags && length > 0 && finds_nothing(socket) && guarded_writable(buffer, (size_t)length))
        return end_call(socket, WSAEWOULDBLOCK);
    return receive_by_value(socket, buffer, length, flags, NULL, NULL);
}
