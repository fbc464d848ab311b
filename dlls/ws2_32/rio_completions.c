/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion queues of registered I/O: RIOCreateCompletionQueue, RIOCloseCompletionQueue,
 * RIOResizeCompletionQueue, RIODequeueCompletion, RIONotify.
 *
 * Owns the completion queues.  A queue's lock is inner to a socket's and outer to a port's;
 * SetEvent is called under it.  The page asks programs to lock ("not protected by synchronization
 * primitives"); here the lock is needed anyway, because whoever reaps completes requests.
 *
 * The entries are the requests themselves, linked: nothing is allocated or copied for one, and no
 * number of them can overflow the queue.  The size that the program gave only limits what request
 * queues may reserve, as documented.
 *
 * Who is woken: a queue without notification asks for nobody, since RIODequeueCompletion looks at
 * the ring itself; one with an event has a wake word of its own, which says "the pump" from
 * RIONotify until the event is set; one with a port has that port's, because its threads look at
 * the ring before they wait.
 */
#include "rio.h"
#include "control_data.h"
#include "fast_event.h"
#include "guarded_copy.h"
#include "port.h"
#include "port_table.h"
#include "sockaddr.h"
#include "socket.h"

struct rio_completions {
    struct rio_object object; /* its lock guards what follows */
    LONG volatile references; /* the program's, and each request queue's two */
    bool closed;
    ULONG size, reserved;
    struct operation *first, *last; /* linked by next */
    ULONG notifiable;               /* of them, without RIO_MSG_DONT_NOTIFY */
    bool armed;                     /* RIONotify was called, and nothing has come since */
    ULONG in_vain;                  /* how often nothing was there, since something was */

    int type; /* enum rio_notification_type, 0: none */
    HANDLE event;
    bool reset;
    uint32_t group; /* the event's wake word; 0: none was left, the pump is always woken */
    struct port *port;
    ULONG_PTR key, overlapped;
};

static struct rio_table queues = {.object_size = sizeof(struct rio_completions)};

static struct rio_completions *lock_queue(ULONG_PTR cq)
{
    struct rio_completions *queue = rio_find(&queues, cq);

    if (!queue)
        return NULL;
    AcquireSRWLockExclusive(&queue->object.lock);
    if (queue->object.descriptor == cq)
        return queue;
    ReleaseSRWLockExclusive(&queue->object.lock);
    return NULL;
}

static void unlock_queue(struct rio_completions *queue)
{
    ReleaseSRWLockExclusive(&queue->object.lock);
}

/* ---- making and closing ---- */

static DWORD use_event(struct rio_completions *queue, const struct rio_notification *notification)
{
    HANDLE self = GetCurrentProcess();

    /* a handle of our own, as the kernel has a reference of its own */
    if (!DuplicateHandle(self, notification->event.handle, self, &queue->event, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return WSAEINVAL;
    event_make_fast(queue->event);
    queue->reset = notification->event.reset != 0;
    queue->group = port_take_group();
    return 0;
}

static DWORD use_port(struct rio_completions *queue, const struct rio_notification *notification)
{
    if (!notification->port.overlapped) /* "must not be NULL" */
        return WSAEINVAL;
    if (!(queue->port = port_open_notified(notification->port.port)))
        return WSAEINVAL;
    queue->key = (ULONG_PTR)notification->port.key;
    queue->overlapped = (ULONG_PTR)notification->port.overlapped;
    return 0;
}

static DWORD use_notification(struct rio_completions *queue,
                              const struct rio_notification *notification)
{
    queue->type = notification->type;
    if (notification->type == RIO_BY_EVENT)
        return use_event(queue, notification);
    if (notification->type == RIO_BY_PORT)
        return use_port(queue, notification);
    return WSAEINVAL;
}

static DWORD create(DWORD size, const struct rio_notification *notification, ULONG_PTR *cq)
{
    struct rio_notification copy = {0};
    struct rio_completions *queue;
    DWORD error = 0;

    if (!size || size > RIO_CQ_MAX)
        return WSAEINVAL;
    if (notification && guarded_copy(&copy, notification, sizeof(copy)))
        return WSAEFAULT;
    if (!(queue = rio_allocate(&queues)))
        return WSAENOBUFS;
    queue->references = 1;
    queue->size = size;
    if (notification && (error = use_notification(queue, &copy))) {
        rio_recycle(&queues, &queue->object);
        return error;
    }
    *cq = rio_open(&queue->object);
    return 0;
}

ULONG_PTR WINAPI rio_create_completions(DWORD size, const struct rio_notification *notification)
{
    ULONG_PTR cq = 0;
    DWORD error = create(size, notification, &cq);

    if (error)
        SetLastError(error);
    return cq;
}

static void publish(const struct rio_completions *queue, struct session *session)
{
    uint32_t word = queue->armed ? RS_WAKE_PUMP : RS_WAKE_NONE;

    if (!session || !queue->group || queue->group >= session->group_count)
        return;
    /* pairs with the server's load after it has published a record (docs/concurrency.md); whoever
     * has armed the queue looks at the ring after this */
    if (__atomic_load_n(&session->groups[queue->group], __ATOMIC_RELAXED) != word)
        __atomic_store_n(&session->groups[queue->group], word, __ATOMIC_SEQ_CST);
}

void rio_publish(struct rio_completions *queue, struct session *session)
{
    if (!queue->group)
        return;
    AcquireSRWLockExclusive(&queue->object.lock);
    publish(queue, session);
    unlock_queue(queue);
}

static void free_entries(struct operation *entry)
{
    while (entry) {
        struct operation *next = entry->next;

        rio_request_free(rio_request_of(entry));
        entry = next;
    }
}

/* "The completion queue is marked as invalid ... Any new completions to be added are silently
 * dropped", which gives their request queues the places back. */
void WINAPI rio_close_completions(ULONG_PTR cq)
{
    struct rio_completions *queue = lock_queue(cq);
    struct operation *entries;

    if (!queue)
        return; /* "this is ignored" */
    queue->object.descriptor = 0;
    queue->closed = true;
    queue->armed = false;
    publish(queue, session_current());
    entries = queue->first;
    queue->first = queue->last = NULL;
    unlock_queue(queue);
    free_entries(entries);
    rio_completions_put(queue);
}

void rio_completions_put(struct rio_completions *queue)
{
    if (InterlockedDecrement(&queue->references))
        return;
    if (queue->event)
        CloseHandle(queue->event);
    if (queue->group)
        port_give_group_back(queue->group);
    if (queue->port)
        port_put(queue->port);
    rio_recycle(&queues, &queue->object);
}

bool rio_completions_closed(const struct rio_completions *queue)
{
    return queue->closed;
}

/* ---- places ---- */

DWORD rio_reserve(ULONG_PTR cq, ULONG count, struct rio_completions **completions)
{
    struct rio_completions *queue = lock_queue(cq);
    DWORD error = 0;

    if (!queue)
        return WSAEINVAL;
    if (count > queue->size - queue->reserved) {
        error = WSAENOBUFS;
    } else {
        queue->reserved += count;
        InterlockedIncrement(&queue->references);
        *completions = queue;
    }
    unlock_queue(queue);
    return error;
}

DWORD rio_reserve_more(struct rio_completions *queue, ULONG before, ULONG now)
{
    DWORD error = 0;

    AcquireSRWLockExclusive(&queue->object.lock);
    if (now > before && now - before > queue->size - queue->reserved)
        error = WSAENOBUFS;
    else
        queue->reserved = queue->reserved - before + now;
    unlock_queue(queue);
    return error;
}

void rio_unreserve(struct rio_completions *queue, ULONG count)
{
    AcquireSRWLockExclusive(&queue->object.lock);
    queue->reserved -= count;
    unlock_queue(queue);
}

BOOL WINAPI rio_resize_completions(ULONG_PTR cq, DWORD size)
{
    struct rio_completions *queue = lock_queue(cq);
    DWORD error = 0;

    if (!queue) {
        error = WSAEINVAL;
    } else {
        if (!size || size > RIO_CQ_MAX)
            error = WSAEINVAL;
        else if (size < queue->reserved)
            error = WSAETOOMANYREFS;
        else
            queue->size = size;
        unlock_queue(queue);
    }
    if (error)
        SetLastError(error);
    return !error;
}

/* ---- notification ---- */

/* Caller holds the lock.  The packet has no bytes and no error: it says "look", not what of. */
static void tell(struct rio_completions *queue)
{
    queue->armed = false;
    if (queue->type == RIO_BY_PORT) {
        port_post(queue->port, queue->key, queue->overlapped, STATUS_SUCCESS, 0);
        return;
    }
    publish(queue, session_current());
    SetEvent(queue->event);
}

int WINAPI rio_notify(ULONG_PTR cq)
{
    struct rio_completions *queue = lock_queue(cq);
    struct session *session = session_current();
    int error = 0;

    if (!queue)
        return WSAEINVAL;
    if (!queue->type) {
        error = WSAEINVAL; /* made for polling; the page has no better code */
    } else if (queue->armed) {
        error = WSAEALREADY; /* "if a previous RIONotify request has not yet completed" */
    } else {
        if (queue->reset)
            ResetEvent(queue->event);
        if (queue->notifiable) {
            tell(queue);
        } else {
            queue->armed = true;
            publish(queue, session);
        }
    }
    unlock_queue(queue);
    if (!error && session)
        session_reap(session); /* what was published before the server saw our word */
    return error;
}

uint32_t rio_wake_word(const struct operation *operation)
{
    if (operation->kind == OPERATION_SEND)
        return RS_WAKE_PUMP; /* the rest goes on whether the program asks or not */
    return rio_completion_word(((const struct rio_request *)operation)->completions);
}

uint32_t rio_completion_word(const struct rio_completions *queue)
{
    if (queue->closed || !queue->type)
        return RS_WAKE_NONE;
    if (queue->type == RIO_BY_PORT)
        return port_wake_word(queue->port);
    return queue->group ? RS_WAKE_GROUP(queue->group) : RS_WAKE_PUMP;
}

/* ---- entries ---- */

static void add_entry(struct rio_completions *queue, struct rio_request *request)
{
    struct operation *entry = &request->operation;

    AcquireSRWLockExclusive(&queue->object.lock);
    if (queue->closed) {
        unlock_queue(queue);
        rio_request_free(request);
        return;
    }
    entry->next = NULL;
    if (queue->last)
        queue->last->next = entry;
    else
        queue->first = entry;
    queue->last = entry;
    queue->notifiable += !request->quiet;
    if (queue->armed && !request->quiet)
        tell(queue);
    unlock_queue(queue);
}

/* RIO_CMSG_BUFFER: its TotalLength counts itself too, and the messages follow. */
static DWORD give_control(const struct rio_request *request)
{
    const struct operation *operation = &request->operation;
    WSABUF room = {request->control.len - RIO_CMSG_BASE, request->control.buf + RIO_CMSG_BASE};
    ULONG used = 0;
    DWORD flags = 0;

    if (control_write(operation->socket, &operation->control, &room, &used, &flags))
        guarded_store((DWORD *)request->control.buf, RIO_CMSG_BASE + used);
    return flags;
}

/* "the local address on which the network packet was received", where the datagram tells it. */
static void give_local(const struct rio_request *request)
{
    const struct rs_control *control = &request->operation.control;
    struct rs_addr local = request->operation.socket->local;
    int room = (int)request->local.len;

    if (control->present & RS_CONTROL_PACKET && control->family == local.family)
        memcpy(local.bytes, control->address, sizeof(local.bytes));
    else if (control->present & RS_CONTROL_PACKET && local.family == RS_AF_INET6) {
        memset(local.bytes, 0, 10); /* ::ffff:a.b.c.d */
        memset(local.bytes + 10, 0xff, 2);
        memcpy(local.bytes + 12, control->address, 4);
    }
    sockaddr_store(&local, (struct sockaddr *)request->local.buf, &room);
}

/* A stream's peer is not told: Windows has the address in what TDI indicates, which for a
 * connection is empty (nobody knows what RIOReceiveEx does there; the page speaks of UDP). */
static void give_details(struct rio_request *request)
{
    const struct operation *operation = &request->operation;
    DWORD flags = operation->error == WSAEMSGSIZE ? MSG_TRUNC : 0;

    if (request->local.buf)
        give_local(request);
    if (request->control.buf)
        flags |= give_control(request);
    if (request->flags.buf)
        guarded_store((DWORD *)request->flags.buf, flags);
}

void rio_deliver(struct operation *operation)
{
    struct rio_request *request = rio_request_of(operation);

    if (operation->kind == OPERATION_RECV) {
        /* "may be NULL ... if the application does not need to receive the data payload" */
        if (operation->error == WSAEMSGSIZE && !operation->buffer_count)
            operation->error = 0;
        if (!operation->error || operation->error == WSAEMSGSIZE)
            give_details(request);
    }
    add_entry(request->completions, request);
}

/* Takes up to `size` entries; the rest of the queue stays. */
static struct operation *take_entries(struct rio_completions *queue, ULONG size, ULONG *count)
{
    struct operation *first = queue->first, *last = NULL, *entry;

    *count = 0;
    for (entry = first; entry && *count < size; entry = entry->next) {
        last = entry;
        queue->notifiable -= !rio_request_of(entry)->quiet;
        ++*count;
    }
    if (!last)
        return NULL;
    if (!(queue->first = entry))
        queue->last = NULL;
    last->next = NULL;
    return first;
}

static void fill(struct rio_result *result, struct rio_request *request)
{
    result->status = (LONG)request->operation.error; /* a Winsock code: 10054 where a peer resets */
    result->bytes = (ULONG)request->operation.done;
    result->socket_context = (ULONG_PTR)request->queue->context;
    result->request_context = (ULONG_PTR)request->context;
}

/* A program that polls in a loop needs the server to run: where there are more threads than
 * processors it might keep it from that for a time slice each turn.  No wineserver call, and some
 * 100 polls are nothing beside one turn of the scheduler. */
#define POLLS_IN_VAIN 128u

static bool is_in_vain(struct rio_completions *queue, ULONG count)
{
    queue->in_vain = count ? 0 : queue->in_vain + 1;
    if (queue->in_vain < POLLS_IN_VAIN)
        return false;
    queue->in_vain = 0;
    return true;
}

ULONG WINAPI rio_dequeue(ULONG_PTR cq, struct rio_result *results, ULONG size)
{
    struct session *session = session_current();
    struct rio_completions *queue;
    struct operation *entry, *next;
    bool yields;
    ULONG count;

    if (session)
        session_reap(session);
    if (!(queue = lock_queue(cq)))
        return RIO_CQ_CORRUPT;
    entry = take_entries(queue, size, &count);
    yields = is_in_vain(queue, count);
    unlock_queue(queue);
    if (yields)
        SwitchToThread();
    for (; entry; entry = next) {
        next = entry->next;
        fill(results++, rio_request_of(entry));
        rio_request_free(rio_request_of(entry));
    }
    return count;
}
