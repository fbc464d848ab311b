/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations from making to delivery (see operation.h).  Owns no state; takes no lock but the
 * port's through port_post.
 *
 * Delivery writes InternalHigh and only then Internal (x86 keeps stores in order); whoever sees
 * Internal change may free the OVERLAPPED, so nothing of it is read after that.
 */
#include "operation.h"
#include "fast_event.h"
#include "guarded_copy.h"
#include "handoff_event.h"
#include "log.h"
#include "ntcalls.h"
#include "port.h"
#include "routine.h"
#include "socket.h"
#include "wait_object.h"

/* ---- queues ---- */

static bool is_call(const struct operation *operation)
{
    return !operation->overlapped && !operation->deliver;
}

void operation_append(struct operation_queue *queue, struct operation *operation)
{
    queue->with_event += operation->event != NULL;
    queue->requests += operation->deliver != NULL;
    queue->calls += is_call(operation);
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

    if (!operation)
        return NULL;
    if (!(queue->head = operation->next))
        queue->tail = NULL;
    queue->with_event -= operation->event != NULL;
    queue->requests -= operation->deliver != NULL;
    queue->calls -= is_call(operation);
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
    queue->with_event -= operation->event != NULL;
    queue->requests -= operation->deliver != NULL;
    queue->calls -= is_call(operation);
    return true;
}

/* ---- buffers ---- */

static DWORD no_memory(void)
{
    log_rarely(LOG_WARN, "no memory for an operation: WSAENOBUFS");
    return WSAENOBUFS;
}

/* Room for a copy of the array; nothing is taken for one whose end is not there. */
static DWORD allocate_buffers(struct operation *operation, const WSABUF *buffers, DWORD count)
{
    size_t size;
    char byte;

    operation->buffers = operation->inline_buffers;
    if (count <= OPERATION_INLINE_BUFFERS)
        return 0;
    if (__builtin_mul_overflow(count, sizeof(WSABUF), &size) ||
        guarded_copy(&byte, (const char *)buffers + size - 1, 1))
        return WSAEFAULT;
    if ((operation->buffers = malloc(size)))
        return 0;
    operation->buffers = operation->inline_buffers;
    return no_memory();
}

DWORD operation_set_buffers(struct operation *operation, const WSABUF *buffers, DWORD count)
{
    DWORD i, error = allocate_buffers(operation, buffers, count);

    operation->total = 0;
    if (error)
        return error;
    if (guarded_copy(operation->buffers, buffers, count * sizeof(WSABUF)))
        return WSAEFAULT;
    operation->buffer_count = count;
    for (i = 0; i < count; i++) {
        const WSABUF *buffer = &operation->buffers[i];

        if ((!buffer->buf && buffer->len) || buffer->len > SIZE_MAX - operation->total)
            return WSAEFAULT;
        operation->total += buffer->len;
    }
    return 0;
}

DWORD operation_probe(struct operation *operation)
{
    DWORD i;

    for (i = 0; i < operation->buffer_count && !operation->probed; i++) {
        const WSABUF *buffer = &operation->buffers[i];

        if (buffer->len &&
            !(operation->kind == OPERATION_SEND ? guarded_readable(buffer->buf, buffer->len)
                                                : guarded_writable(buffer->buf, buffer->len)))
            return WSAEFAULT;
    }
    operation->probed = true;
    return 0;
}

void operation_release_buffers(struct operation *operation)
{
    if (operation->buffers != operation->inline_buffers)
        free(operation->buffers);
    operation->buffers = NULL;
}

/* ---- overlapped operations ---- */

/* In the order of the NT I/O manager: the status block, a routine and a port together (facts:
 * semantics 8), the event; the driver, which looks at everything else, comes after that. */
static struct event *begin_event(HANDLE handle)
{
    handoff_event_give_back(handle);
    return event_begin(handle);
}

static DWORD begin_overlapped(const struct socket *socket, WSAOVERLAPPED *overlapped, bool routine,
                              ULONG_PTR *event, struct event **fast)
{
    HANDLE handle;

    *fast = NULL;
    if (!guarded_load_pointer((ULONG_PTR *)&overlapped->hEvent, event) ||
        !guarded_store_pointer(&overlapped->Internal, STATUS_PENDING))
        return WSAEFAULT;
    if (routine && socket->port)
        return WSAEINVAL;
    handle =
        routine ? NULL : (HANDLE)(*event & ~(ULONG_PTR)1); /* with one it is the program's own */
    /* STATUS_INVALID_HANDLE and STATUS_OBJECT_TYPE_MISMATCH are WSAENOTSOCK for Winsock */
    if (handle && !(*fast = begin_event(handle)) && !ResetEvent(handle))
        return WSAENOTSOCK;
    return 0;
}

#define OUTSTANDING_MAX 1000000 /* some 300 MB of this process's memory */

static LONG volatile outstanding; /* overlapped operations that are not finished */

static LONG outstanding_max(void)
{
    static LONG volatile maximum;
    char text[12];
    DWORD length;
    LONG value = 0;

    if (maximum)
        return maximum;
    length = GetEnvironmentVariableA("RINGSOCK_MAX_OVERLAPPED", text, sizeof(text));
    if (length && length < sizeof(text))
        value = strtol(text, NULL, 10);
    return maximum = value > 0 ? value : OUTSTANDING_MAX;
}

/* WSARecv.txt, WSAEWOULDBLOCK: "Overlapped sockets: there are too many outstanding overlapped I/O
 * requests." */
static bool count_operation(void)
{
    if (InterlockedIncrement(&outstanding) <= outstanding_max())
        return true;
    InterlockedDecrement(&outstanding);
    log_rarely(LOG_WARN,
               "%ld overlapped operations are outstanding: no further ones until some are finished "
               "(RINGSOCK_MAX_OVERLAPPED)",
               outstanding_max());
    return false;
}

/* One that was counted, and refers to the socket; not counted any more if there is no memory. */
static struct operation *allocate(struct socket *socket, enum operation_kind kind, bool has_routine)
{
    struct waiter *issuer = waiter_current();
    struct operation *operation;

    if (!issuer || (has_routine && !waiter_thread(issuer)) ||
        !(operation = calloc(1, sizeof(*operation)))) {
        InterlockedDecrement(&outstanding);
        return NULL;
    }
    operation->buffers = operation->inline_buffers;
    operation->socket = socket_hold(socket);
    operation->kind = kind;
    operation->issuer = issuer;
    operation->issuer_serial = issuer->serial;
    InterlockedIncrement(&issuer->pending_operations);
    wait_object_reset(socket);
    return operation;
}

struct operation *operation_create(struct socket *socket, enum operation_kind kind,
                                   WSAOVERLAPPED *overlapped,
                                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, DWORD *error)
{
    struct operation *operation;
    struct event *fast;
    ULONG_PTR event;

    *error = WSAEWOULDBLOCK;
    if (!count_operation())
        return NULL;
    if ((*error = begin_overlapped(socket, overlapped, routine != NULL, &event, &fast))) {
        InterlockedDecrement(&outstanding);
        return NULL;
    }
    if (!(operation = allocate(socket, kind, routine != NULL))) {
        if (fast)
            event_put(fast);
        *error = no_memory();
        return NULL;
    }
    operation->overlapped = overlapped;
    operation->routine = routine;
    operation->no_packet = event & 1;
    operation->fast_event = fast;
    if (!routine)
        operation->event = (HANDLE)(event & ~(ULONG_PTR)1);
    return operation;
}

/* The same order in the words of the NT layer.  The block is looked at here and written only when
 * the operation completes (Wine's test_recv for AFD, run on Windows). */
static NTSTATUS begin_raw(const struct socket *socket, const struct io_request *request,
                          HANDLE event, struct event **fast)
{
    *fast = NULL;
    if (!guarded_writable(request->iosb, sizeof(*request->iosb)))
        return STATUS_ACCESS_VIOLATION;
    if (request->routine && socket->port)
        return STATUS_INVALID_PARAMETER;
    return event && !(*fast = begin_event(event)) ? NtResetEvent(event, NULL) : STATUS_SUCCESS;
}

struct operation *operation_create_raw(struct socket *socket, enum operation_kind kind,
                                       const struct io_request *request, NTSTATUS *status)
{
    HANDLE event = (HANDLE)((ULONG_PTR)request->event & ~(ULONG_PTR)1); /* kernel32 passes hEvent */
    struct operation *operation;
    struct event *fast;

    *status = STATUS_INSUFFICIENT_RESOURCES;
    if (!count_operation())
        return NULL;
    if ((*status = begin_raw(socket, request, event, &fast))) {
        InterlockedDecrement(&outstanding);
        return NULL;
    }
    if (!(operation = allocate(socket, kind, request->routine != NULL))) {
        if (fast)
            event_put(fast);
        *status = status_from_error(no_memory());
        return NULL;
    }
    operation->raw = true;
    operation->overlapped = (WSAOVERLAPPED *)request->iosb;
    operation->event = event;
    operation->fast_event = fast;
    operation->apc = request->routine;
    operation->context = request->context;
    operation->no_packet = !request->context;
    return operation;
}

void operation_free(struct operation *operation)
{
    InterlockedDecrement(&operation->issuer->pending_operations);
    InterlockedDecrement(&outstanding);
    operation_release_buffers(operation);
    if (operation->fast_event)
        event_put(operation->fast_event);
    if (operation->accept_socket) {
        InterlockedExchange(&operation->accept_socket->accept_pending, 0);
        socket_put(operation->accept_socket);
    }
    socket_put(operation->socket);
    free(operation);
}

/* What ICMP said of a datagram has statuses of its own, which a completion port shows (asio and Len
 * Holgate's "Bug in overlapped UDP port unreachable errors?": ERROR_PORT_UNREACHABLE). */
static NTSTATUS error_status(const struct operation *operation)
{
    if (operation->socket->type != SOCK_STREAM && operation->error == WSAECONNRESET)
        return STATUS_PORT_UNREACHABLE;
    if (operation->socket->type != SOCK_STREAM && operation->error == WSAENETRESET)
        return STATUS_HOPLIMIT_EXCEEDED;
    return operation->exact ? operation->exact : status_from_error(operation->error);
}

void operation_discard(struct operation *operation)
{
    if (!operation->raw)
        guarded_store_pointer(&operation->overlapped->Internal, (ULONG)error_status(operation));
    operation_free(operation);
}

/* To the NT layer a message that was too long is a success with a warning; so libuv relies on it,
 * and to who asks through Winsock, which says that it pends, Windows owes the packet (KB 2568167,
 * "the completion is not queued"): ours comes. */
static bool succeeded(const struct operation *operation)
{
    return !operation->error || (operation->raw && operation->error == WSAEMSGSIZE);
}

static bool wants_packet(const struct operation *operation)
{
    const struct socket *socket = operation->socket;

    return socket->port && !operation->no_packet &&
           !(operation->immediate && succeeded(operation) &&
             (socket->completion_modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
}

/* A receive's flags travel in its status. */
static const struct {
    DWORD flags;
    NTSTATUS status;
} flag_table[] = {
    {0, STATUS_SUCCESS},
    {MSG_OOB, STATUS_RECEIVE_EXPEDITED},
    {MSG_PARTIAL, STATUS_RECEIVE_PARTIAL},
    {MSG_OOB | MSG_PARTIAL, STATUS_RECEIVE_PARTIAL_EXPEDITED},
};

DWORD flags_from_status(NTSTATUS status)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(flag_table); i++)
        if (flag_table[i].status == status)
            return flag_table[i].flags;
    return 0;
}

static NTSTATUS result_status(const struct operation *operation)
{
    size_t i;

    /* what was asked for needs no telling (Wine's test_recv for AFD, run on Windows) */
    if (operation->raw && !operation->error && operation->result_flags == MSG_OOB &&
        (operation->flags & MSG_OOB))
        return STATUS_SUCCESS;
    for (i = 0; i < ARRAYSIZE(flag_table) && !operation->error; i++)
        if (flag_table[i].flags == operation->result_flags)
            return flag_table[i].status;
    return error_status(operation);
}

static void deliver_overlapped(struct operation *operation)
{
    WSAOVERLAPPED *overlapped = operation->overlapped;
    struct socket *socket = operation->socket;
    struct waiter *waiter = operation->waiter;
    NTSTATUS status = result_status(operation);

    /* the program may have freed it meanwhile: then nobody is told by it, but all the others are,
     * as on Windows, whose I/O manager writes the status block guarded */
    guarded_store_pointer(&overlapped->InternalHigh, operation->done);
    guarded_store_pointer(&overlapped->Internal, (ULONG)status);
    if (waiter)
        waiter_signal(waiter);
    if (operation->fast_event)
        event_set(operation->fast_event);
    else if (operation->event)
        SetEvent(operation->event);
    else if (!(socket->completion_modes & FILE_SKIP_SET_EVENT_ON_HANDLE))
        wait_object_set(socket);
    if (operation->routine || operation->apc) {
        routine_queue(operation);
        return;
    }
    if (wants_packet(operation))
        port_post(socket->port, socket->port_key,
                  (ULONG_PTR)(operation->raw ? operation->context : overlapped), status,
                  operation->done);
    operation_free(operation);
}

void operation_deliver(struct operation *operation)
{
    struct waiter *waiter;

    if (operation->overlapped) {
        deliver_overlapped(operation);
        return;
    }
    if (operation->deliver) {
        operation->deliver(operation);
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

NTSTATUS operation_end_raw(struct operation *operation, DWORD error)
{
    NTSTATUS status;

    if (error == WSA_IO_PENDING)
        return STATUS_PENDING;
    operation->error = error;
    status = result_status(operation);
    if (!succeeded(operation)) {
        operation_discard(operation);
        return status;
    }
    operation->immediate = true;
    operation_deliver(operation);
    return status;
}

void operation_deliver_list(struct operation_queue *queue)
{
    struct operation *operation;

    while ((operation = operation_pop(queue)))
        operation_deliver(operation);
}

void operation_deliver_requests(struct operation_queue *queue)
{
    struct operation_queue all = *queue;
    struct operation *operation;

    if (!queue->requests)
        return;
    *queue = (struct operation_queue){0};
    while ((operation = operation_pop(&all))) {
        if (operation->deliver)
            operation->deliver(operation);
        else
            operation_append(queue, operation);
    }
}
