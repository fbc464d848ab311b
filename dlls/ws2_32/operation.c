/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations from making to delivery (see operation.h).  Owns no state; takes no lock but the
 * port's through port_post.
 *
 * Delivery writes InternalHigh, the flags (in Offset, which Winsock reserves for the provider) and
 * only then Internal; whoever sees Internal change may free the OVERLAPPED, so nothing of it is
 * read after that.
 */
#include "operation.h"
#include "guarded_copy.h"
#include "log.h"
#include "ntcalls.h"
#include "port.h"
#include "socket.h"

/* ---- queues ---- */

void operation_append(struct operation_queue *queue, struct operation *operation)
{
    operation->next = NULL;
    if (queue->tail)
        queue->tail->next = operation;
    else
        queue->head = operation;
    queue->tail = operation;
}

struct operation *operation_pop(struct operation_queue *queue)
{
    struct operation *operation = queue->head;

    if (operation && !(queue->head = operation->next))
        queue->tail = NULL;
    return operation;
}

bool operation_remove(struct operation_queue *queue, struct operation *operation)
{
    struct operation **link = &queue->head, *previous = NULL;

    while (*link && *link != operation) {
        previous = *link;
        link = &previous->next;
    }
    if (!*link)
        return false;
    *link = operation->next;
    if (queue->tail == operation)
        queue->tail = previous;
    return true;
}

/* ---- buffers ---- */

DWORD operation_set_buffers(struct operation *operation, const WSABUF *buffers, DWORD count)
{
    DWORD i;

    operation->buffers = operation->inline_buffers;
    if (count > OPERATION_INLINE_BUFFERS) {
        if (!(operation->buffers = calloc(count, sizeof(WSABUF)))) {
            operation->buffers = operation->inline_buffers;
            return WSAENOBUFS;
        }
    }
    operation->total = 0;
    if (guarded_copy(operation->buffers, buffers, count * sizeof(WSABUF)))
        return WSAEFAULT;
    operation->buffer_count = count;
    for (i = 0; i < count; i++)
        operation->total += operation->buffers[i].len;
    return 0;
}

void operation_release_buffers(struct operation *operation)
{
    if (operation->buffers != operation->inline_buffers)
        free(operation->buffers);
    operation->buffers = NULL;
}

/* ---- overlapped operations ---- */

struct operation *operation_create(struct socket *socket, enum operation_kind kind,
                                   WSAOVERLAPPED *overlapped,
                                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, DWORD *error)
{
    struct waiter *issuer = waiter_current();
    struct operation *operation;

    *error = WSAEINVAL; /* a port and a routine exclude each other (facts: semantics 8) */
    if (routine && socket->port)
        return NULL;
    *error = WSAENOBUFS;
    if (!issuer || (routine && !waiter_thread(issuer)) ||
        !(operation = calloc(1, sizeof(*operation))))
        return NULL;
    operation->buffers = operation->inline_buffers;
    operation->socket = socket_hold(socket);
    operation->kind = kind;
    operation->overlapped = overlapped;
    operation->routine = routine;
    operation->issuer = issuer;
    operation->issuer_thread = issuer->thread_id;
    /* with a routine hEvent is the program's own; the low bit only says "no packet" */
    if (!routine)
        operation->event = (HANDLE)((ULONG_PTR)overlapped->hEvent & ~(ULONG_PTR)1);
    if (operation->event)
        ResetEvent(operation->event);
    overlapped->InternalHigh = 0;
    overlapped->Internal = STATUS_PENDING;
    InterlockedIncrement(&issuer->pending_operations);
    *error = 0;
    return operation;
}

static void operation_free(struct operation *operation)
{
    InterlockedDecrement(&operation->issuer->pending_operations);
    operation_release_buffers(operation);
    if (operation->accept_socket)
        socket_put(operation->accept_socket);
    socket_put(operation->socket);
    free(operation);
}

void operation_discard(struct operation *operation)
{
    operation->overlapped->Internal = status_from_error(operation->error);
    operation_free(operation);
}

/* Runs in the issuing thread, in an alertable wait. */
static void CALLBACK run_routine(ULONG_PTR routine, ULONG_PTR context, ULONG_PTR flags)
{
    WSAOVERLAPPED *overlapped = (WSAOVERLAPPED *)context;

    ((LPWSAOVERLAPPED_COMPLETION_ROUTINE)routine)(error_from_status((NTSTATUS)overlapped->Internal),
                                                  (DWORD)overlapped->InternalHigh, overlapped,
                                                  (DWORD)flags);
}

static void queue_routine(struct operation *operation)
{
    NTSTATUS status =
        NtQueueApcThread(operation->issuer->thread, run_routine, (ULONG_PTR)operation->routine,
                         (ULONG_PTR)operation->overlapped, operation->result_flags);

    if (status)
        log_warn("a completion routine cannot be queued: status %08lx", (unsigned long)status);
}

static bool wants_packet(const struct operation *operation, bool no_packet)
{
    const struct socket *socket = operation->socket;

    return socket->port && !operation->routine && !no_packet &&
           !(operation->immediate && !operation->error &&
             (socket->completion_modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
}

static void deliver_overlapped(struct operation *operation)
{
    WSAOVERLAPPED *overlapped = operation->overlapped;
    struct socket *socket = operation->socket;
    struct waiter *waiter = operation->waiter;
    NTSTATUS status = status_from_error(operation->error);
    bool no_packet = (ULONG_PTR)overlapped->hEvent & 1;

    overlapped->InternalHigh = operation->done;
    overlapped->Offset = operation->result_flags;
    __atomic_store_n(&overlapped->Internal, (ULONG_PTR)(ULONG)status, __ATOMIC_RELEASE);
    if (operation->routine)
        queue_routine(operation);
    else if (operation->event)
        SetEvent(operation->event);
    if (wants_packet(operation, no_packet))
        port_post(socket->port, socket->port_key, (ULONG_PTR)overlapped, status, operation->done);
    if (waiter)
        waiter_signal(waiter);
    operation_free(operation);
}

void operation_deliver(struct operation *operation)
{
    struct waiter *waiter;

    if (operation->overlapped) {
        deliver_overlapped(operation);
        return;
    }
    waiter = operation->waiter;
    InterlockedExchange(&operation->finished, 1); /* its stack frame may be gone from here on */
    waiter_signal(waiter);
}

DWORD operation_end_call(struct operation *operation, DWORD error)
{
    if (error) {
        operation->error = error;
        operation_discard(operation);
        return error;
    }
    operation->immediate = true;
    operation_deliver(operation);
    return 0;
}

void operation_deliver_list(struct operation_queue *queue)
{
    struct operation *operation;

    while ((operation = operation_pop(queue)))
        operation_deliver(operation);
}

/* ---- error codes ---- */

static const struct {
    DWORD error;
    NTSTATUS status;
} error_table[] = {
    /* the first row with a code is the one used in that direction */
    {0, STATUS_SUCCESS},
    {WSA_OPERATION_ABORTED, STATUS_CANCELLED},
    {WSAECONNRESET, STATUS_CONNECTION_RESET},
    {WSAECONNABORTED, STATUS_CONNECTION_ABORTED},
    {WSAECONNREFUSED, STATUS_CONNECTION_REFUSED},
    {WSAETIMEDOUT, STATUS_IO_TIMEOUT},
    {WSAEMSGSIZE, STATUS_BUFFER_OVERFLOW},
    {WSAESHUTDOWN, STATUS_PIPE_DISCONNECTED},
    {WSAENOTCONN, STATUS_INVALID_CONNECTION},
    {WSAEISCONN, STATUS_CONNECTION_ACTIVE},
    {WSAENETUNREACH, STATUS_NETWORK_UNREACHABLE},
    {WSAEHOSTUNREACH, STATUS_HOST_UNREACHABLE},
    {WSAENETRESET, STATUS_NETWORK_NAME_DELETED},
    {WSAENETDOWN, STATUS_INVALID_NETWORK_RESPONSE},
    {WSAEADDRINUSE, STATUS_ADDRESS_ALREADY_EXISTS},
    {WSAEADDRNOTAVAIL, STATUS_INVALID_ADDRESS_COMPONENT},
    {WSAEDISCON, STATUS_GRACEFUL_DISCONNECT},
    {WSAENOBUFS, STATUS_INSUFFICIENT_RESOURCES},
    {WSAEFAULT, STATUS_ACCESS_VIOLATION},
    {WSAEINVAL, STATUS_INVALID_PARAMETER},
    {WSAEOPNOTSUPP, STATUS_NOT_SUPPORTED},
    {WSAEACCES, STATUS_ACCESS_DENIED},
    {WSAENOTSOCK, STATUS_INVALID_HANDLE},
    {WSAEWOULDBLOCK, STATUS_DEVICE_NOT_READY},
    {WSAEAFNOSUPPORT, STATUS_PROTOCOL_NOT_SUPPORTED},
    {WSA_IO_INCOMPLETE, STATUS_PENDING},
    {WSAENOBUFS, STATUS_NO_MEMORY},
    {WSAECONNRESET, STATUS_REMOTE_DISCONNECT},
    {WSAETIMEDOUT, STATUS_TIMEOUT},
};

NTSTATUS status_from_error(DWORD error)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(error_table); i++)
        if (error_table[i].error == error)
            return error_table[i].status;
    return STATUS_UNSUCCESSFUL;
}

DWORD error_from_status(NTSTATUS status)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(error_table); i++)
        if (error_table[i].status == status)
            return error_table[i].error;
    return RtlNtStatusToDosError(status);
}
