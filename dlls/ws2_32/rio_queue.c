/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Request queues of registered I/O: RIOCreateRequestQueue, RIOResizeRequestQueue, closesocket's
 * part, and the stock of requests.
 *
 * Owns the request queues.  A queue's lock is outer to session.reap_lock; the requests that wait or
 * are deferred belong to the socket, under its lock.  A queue lives until its socket is closed and
 * the last completion was dequeued: "Only after a request's completion has been dequeued does the
 * system release the association to its buffer and buffer registration, along with its quota
 * charge."
 */
#include "rio.h"
#include "log.h"
#include "socket.h"

#define CHUNK_REQUESTS 16u

struct rio_chunk {
    struct rio_chunk *next;
    struct rio_request requests[];
};

static struct rio_table queues = {.object_size = sizeof(struct rio_queue)};

struct rio_queue *rio_queue_lock(ULONG_PTR descriptor)
{
    struct rio_queue *queue = rio_find(&queues, descriptor);

    if (!queue)
        return NULL;
    AcquireSRWLockExclusive(&queue->object.lock);
    if (queue->object.descriptor == descriptor)
        return queue;
    ReleaseSRWLockExclusive(&queue->object.lock);
    return NULL;
}

/* ---- requests ---- */

/* Any number of threads push, one at a time pops: so the top that a pop compares with cannot have
 * gone and come back. */
static void push_request(struct rio_queue *queue, struct rio_request *request)
{
    struct rio_request *top;

    do {
        top = queue->free_requests;
        request->next_free = top;
    } while (InterlockedCompareExchangePointer((void *volatile *)&queue->free_requests, request,
                                               top) != top);
}

static struct rio_request *pop_request(struct rio_queue *queue)
{
    struct rio_request *top;

    do {
        if (!(top = queue->free_requests))
            return NULL;
    } while (InterlockedCompareExchangePointer((void *volatile *)&queue->free_requests,
                                               top->next_free, top) != top);
    return top;
}

static bool add_chunk(struct rio_queue *queue)
{
    struct rio_chunk *chunk =
        calloc(1, sizeof(*chunk) + CHUNK_REQUESTS * sizeof(chunk->requests[0]));
    unsigned int i;

    if (!chunk)
        return false;
    chunk->next = queue->chunks;
    queue->chunks = chunk;
    for (i = 0; i < CHUNK_REQUESTS; i++) {
        chunk->requests[i].queue = queue;
        push_request(queue, &chunk->requests[i]);
    }
    return true;
}

/* Only what the last use has left behind is cleared: this is the fast path. */
static void begin_request(struct rio_request *request, enum rio_direction direction)
{
    struct rio_queue *queue = request->queue;
    struct operation *operation = &request->operation;

    request->completions = queue->completions[direction];
    operation->socket = queue->socket;
    operation->kind = direction == RIO_SENDS ? OPERATION_SEND : OPERATION_RECV;
    operation->buffers = operation->inline_buffers;
    operation->buffer_count = 0;
    operation->total = operation->done = 0;
    operation->flags = operation->error = operation->result_flags = 0;
    operation->address = NULL;
    operation->address_copy_length = 0;
    memset(&operation->control, 0, sizeof(operation->control));
    operation->probed = true; /* the memory was looked at when it was registered */
    operation->deliver = rio_deliver;
    request->local.buf = request->control.buf = request->flags.buf = NULL;
}

struct rio_request *rio_request_make(struct rio_queue *queue, enum rio_direction direction,
                                     DWORD *error)
{
    struct rio_request *request;

    *error = WSAENOBUFS;
    if ((ULONG)queue->outstanding[direction] >= queue->most[direction])
        return NULL;
    if (!queue->free_requests && !add_chunk(queue)) {
        log_rarely(LOG_WARN, "no memory for a request of registered I/O: WSAENOBUFS");
        return NULL;
    }
    request = pop_request(queue);
    begin_request(request, direction);
    InterlockedIncrement(&queue->outstanding[direction]);
    InterlockedIncrement(&queue->references);
    *error = 0;
    return request;
}

void rio_request_free(struct rio_request *request)
{
    struct rio_queue *queue = request->queue;
    bool sends = request->operation.kind == OPERATION_SEND;

    push_request(queue, request);
    InterlockedDecrement(&queue->outstanding[sends ? RIO_SENDS : RIO_RECEIVES]);
    rio_queue_put(queue);
}

/* ---- the queues' lives ---- */

void rio_queue_put(struct rio_queue *queue)
{
    struct rio_chunk *chunk, *next;

    if (InterlockedDecrement(&queue->references))
        return;
    for (chunk = queue->chunks; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    queue->chunks = NULL;
    rio_completions_put(queue->completions[RIO_RECEIVES]);
    rio_completions_put(queue->completions[RIO_SENDS]);
    rio_recycle(&queues, &queue->object);
}

static DWORD reserve_both(struct rio_queue *queue, ULONG_PTR receive_cq, ULONG_PTR send_cq)
{
    struct rio_completions **completions = queue->completions;
    DWORD error = rio_reserve(receive_cq, queue->most[RIO_RECEIVES], &completions[RIO_RECEIVES]);

    if (error)
        return error;
    if ((error = rio_reserve(send_cq, queue->most[RIO_SENDS], &completions[RIO_SENDS]))) {
        rio_unreserve(completions[RIO_RECEIVES], queue->most[RIO_RECEIVES]);
        rio_completions_put(completions[RIO_RECEIVES]);
    }
    return error;
}

static void unreserve_both(struct rio_queue *queue)
{
    rio_unreserve(queue->completions[RIO_RECEIVES], queue->most[RIO_RECEIVES]);
    rio_unreserve(queue->completions[RIO_SENDS], queue->most[RIO_SENDS]);
}

/* "in the process of initializing or closing"; a second queue for a socket is refused the same way
 * (no source says with what). */
static DWORD attach(struct rio_queue *queue, struct socket *socket)
{
    DWORD error = 0;

    AcquireSRWLockExclusive(&socket->lock);
    if (socket->closing || socket->rio)
        error = WSAEINVAL;
    else {
        queue->socket = socket_hold(socket);
        socket->rio = queue;
    }
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

static DWORD create(struct socket *socket, struct rio_queue *queue, ULONG_PTR receive_cq,
                    ULONG_PTR send_cq)
{
    DWORD error = reserve_both(queue, receive_cq, send_cq);

    if (error) {
        rio_recycle(&queues, &queue->object);
        return error;
    }
    queue->references = 1;
    if ((error = attach(queue, socket))) {
        unreserve_both(queue);
        rio_queue_put(queue);
    }
    return error;
}

/* The pages name the type (WSAEOPNOTSUPP) and say of a socket made without WSA_FLAG_REGISTERED_IO
 * only that it must not be: it gets the same code. */
static DWORD check_socket(const struct socket *socket)
{
    bool fits = socket->type == SOCK_STREAM || socket->type == SOCK_DGRAM;

    return fits && (socket->creation_flags & WSA_FLAG_REGISTERED_IO) ? 0 : WSAEOPNOTSUPP;
}

/* "For Windows 8 and Windows Server 2012, this parameter must be 1"; where no request can be made
 * it says nothing. */
static bool buffers_fit(ULONG outstanding, ULONG buffers)
{
    return !outstanding || buffers == 1;
}

ULONG_PTR WINAPI rio_create_queue(SOCKET s, ULONG receives, ULONG receive_buffers, ULONG sends,
                                  ULONG send_buffers, ULONG_PTR receive_cq, ULONG_PTR send_cq,
                                  void *context)
{
    struct socket *socket = socket_get(s);
    struct rio_queue *queue = NULL;
    ULONG_PTR descriptor = 0;
    DWORD error;

    if (!socket)
        return 0;
    if (!(error = check_socket(socket))) {
        if ((!receives && !sends) || !buffers_fit(receives, receive_buffers) ||
            !buffers_fit(sends, send_buffers))
            error = WSAEINVAL;
        else if (!(queue = rio_allocate(&queues)))
            error = WSAENOBUFS;
    }
    if (!error) {
        queue->context = context;
        queue->most[RIO_RECEIVES] = receives;
        queue->most[RIO_SENDS] = sends;
        if (!(error = create(socket, queue, receive_cq, send_cq)))
            descriptor = rio_open(&queue->object);
    }
    socket_put(socket);
    if (error)
        SetLastError(error);
    return descriptor;
}

static DWORD resize(struct rio_queue *queue, const ULONG most[2])
{
    DWORD error;

    if (!most[RIO_RECEIVES] && !most[RIO_SENDS])
        return WSAEINVAL;
    if ((ULONG)queue->outstanding[RIO_RECEIVES] > most[RIO_RECEIVES] ||
        (ULONG)queue->outstanding[RIO_SENDS] > most[RIO_SENDS])
        return WSAETOOMANYREFS;
    if ((error = rio_reserve_more(queue->completions[RIO_RECEIVES], queue->most[RIO_RECEIVES],
                                  most[RIO_RECEIVES])))
        return error;
    if ((error = rio_reserve_more(queue->completions[RIO_SENDS], queue->most[RIO_SENDS],
                                  most[RIO_SENDS]))) {
        rio_reserve_more(queue->completions[RIO_RECEIVES], most[RIO_RECEIVES],
                         queue->most[RIO_RECEIVES]);
        return error;
    }
    memcpy(queue->most, most, sizeof(queue->most));
    return 0;
}

BOOL WINAPI rio_resize_queue(ULONG_PTR rq, DWORD receives, DWORD sends)
{
    struct rio_queue *queue = rio_queue_lock(rq);
    DWORD error = WSAEINVAL;

    if (queue) {
        error = resize(queue, (const ULONG[]){receives, sends});
        ReleaseSRWLockExclusive(&queue->object.lock);
    }
    if (error)
        SetLastError(error);
    return !error;
}

/* "As request queues are closed by closing the sockets ... those slots will be freed up for use by
 * other sockets": at once, although the last completions are still to be dequeued. */
void rio_socket_closed(struct socket *socket)
{
    struct rio_queue *queue = socket->rio; /* set once, and no other thread closes this socket */

    if (!queue)
        return;
    AcquireSRWLockExclusive(&queue->object.lock);
    queue->object.descriptor = 0;
    queue->socket = NULL;
    ReleaseSRWLockExclusive(&queue->object.lock);
    unreserve_both(queue);
    rio_queue_put(queue);
    socket_put(socket);
}
