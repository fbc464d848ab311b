/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registered I/O: the 13 functions that WSAID_MULTIPLE_RIO names, and what they work on.  The types
 * stand here because mingw-w64's headers have none of them; layouts and numbers are those of
 * mswsock.h and mswsockdef.h.
 *
 *   rio_table.c       descriptors, and the table of functions
 *   rio_buffer.c      registered buffers
 *   rio_completions.c completion queues (RIO_CQ) and their notifications
 *   rio_queue.c       request queues (RIO_RQ), the life of a request
 *   rio_request.c     RIOReceive(Ex), RIOSend(Ex), commits
 *
 * Locks, from left to right: a request queue's, session.reap_lock, socket.lock, a completion
 * queue's, port.lock.  rio_table's own is taken with none of them but a completion queue's.
 */
#ifndef RINGSOCK_RIO_H
#define RINGSOCK_RIO_H

#include "operation.h"
#include "pending_call.h"

/* ---- mswsock.h, mswsockdef.h ---- */

#define RIO_DONT_NOTIFY 1u /* RIO_MSG_DONT_NOTIFY and so on */
#define RIO_DEFER       2u
#define RIO_WAITALL     4u
#define RIO_COMMIT_ONLY 8u

#define RIO_NO_BUFFER  ((ULONG_PTR)0xffffffff) /* RIO_INVALID_BUFFERID */
#define RIO_CQ_MAX     0x8000000u              /* RIO_MAX_CQ_SIZE */
#define RIO_CQ_CORRUPT 0xffffffffu             /* RIO_CORRUPT_CQ */

struct rio_slice { /* RIO_BUF */
    ULONG_PTR buffer;
    ULONG offset, length;
};

struct rio_result { /* RIORESULT */
    LONG status;
    ULONG bytes;
    ULONGLONG socket_context, request_context;
};

enum rio_notification_type { RIO_BY_EVENT = 1, RIO_BY_PORT = 2 };

struct rio_notification { /* RIO_NOTIFICATION_COMPLETION */
    int type;
    union {
        struct {
            HANDLE handle;
            BOOL reset;
        } event;
        struct {
            HANDLE port;
            void *key, *overlapped;
        } port;
    };
};

BOOL WINAPI rio_receive(ULONG_PTR rq, const struct rio_slice *data, ULONG count, DWORD flags,
                        void *context);
int WINAPI rio_receive_ex(ULONG_PTR rq, const struct rio_slice *data, ULONG count,
                          const struct rio_slice *local, const struct rio_slice *remote,
                          const struct rio_slice *control, const struct rio_slice *result_flags,
                          DWORD flags, void *context);
BOOL WINAPI rio_send(ULONG_PTR rq, const struct rio_slice *data, ULONG count, DWORD flags,
                     void *context);
BOOL WINAPI rio_send_ex(ULONG_PTR rq, const struct rio_slice *data, ULONG count,
                        const struct rio_slice *local, const struct rio_slice *remote,
                        const struct rio_slice *control, const struct rio_slice *result_flags,
                        DWORD flags, void *context);
void WINAPI rio_close_completions(ULONG_PTR cq);
ULONG_PTR WINAPI rio_create_completions(DWORD size, const struct rio_notification *notification);
ULONG_PTR WINAPI rio_create_queue(SOCKET s, ULONG receives, ULONG receive_buffers, ULONG sends,
                                  ULONG send_buffers, ULONG_PTR receive_cq, ULONG_PTR send_cq,
                                  void *context);
ULONG WINAPI rio_dequeue(ULONG_PTR cq, struct rio_result *results, ULONG size);
void WINAPI rio_deregister_buffer(ULONG_PTR id);
int WINAPI rio_notify(ULONG_PTR cq);
ULONG_PTR WINAPI rio_register_buffer(char *data, DWORD length);
BOOL WINAPI rio_resize_completions(ULONG_PTR cq, DWORD size);
BOOL WINAPI rio_resize_queue(ULONG_PTR rq, DWORD receives, DWORD sends);

/* What SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER gives for this GUID: its size, or NULL. */
const void *rio_functions(const GUID *guid, DWORD *size);

/* ---- descriptors: number of an object and how often it was used, so that a stale one is known.
 * Objects are recycled and never freed: who has found one takes its lock, then asks again. ---- */

struct rio_object {
    SRWLOCK lock;
    uint32_t volatile descriptor; /* 0: none */
    uint32_t number, uses;
    struct rio_object *next_free;
};

struct rio_table {
    SRWLOCK lock;
    size_t object_size;
    struct rio_object **volatile pages[1024];
    uint32_t count;
    struct rio_object *free_list;
};

/* A new object, zero but for its head, or NULL; its descriptor is valid once rio_open gives it. */
void *rio_allocate(struct rio_table *table);
ULONG_PTR rio_open(struct rio_object *object);
void *rio_find(const struct rio_table *table, ULONG_PTR descriptor);
/* The descriptor was taken away before (set to 0 under the object's lock), nobody refers to it. */
void rio_recycle(struct rio_table *table, struct rio_object *object);

/* ---- buffers (rio_buffer.c) ---- */

/* Where a slice lies.  0, WSAEFAULT (no such slice or buffer) or WSAEINVAL (beyond its end). */
DWORD rio_find_slice(const struct rio_slice *slice, WSABUF *memory);

/* ---- requests ---- */

struct rio_queue;
struct rio_completions;

struct rio_request {
    struct operation operation; /* first */
    struct rio_request *volatile next_free;
    struct rio_queue *queue;
    struct rio_completions *completions; /* where it ends */
    void *context;
    bool quiet;             /* RIO_MSG_DONT_NOTIFY */
    WSABUF local, remote;   /* RIOReceiveEx's, buf NULL: not asked for */
    WSABUF control, flags;
    int remote_room;
    /* a datagram whose outcome the server tells */
    struct pending_call call;
    struct request question;
    struct {
        struct rs_addr to;
        struct rs_control control;
    } front; /* of the datagram */
    struct rs_addr from;
    uint32_t lost; /* socket.sends_lost when it left */
};

static inline struct rio_request *rio_request_of(struct operation *operation)
{
    return (struct rio_request *)operation;
}

enum rio_direction { RIO_RECEIVES, RIO_SENDS };

/* RIO_CMSG_BASE_SIZE: a RIO_CMSG_BUFFER, aligned as the WSACMSGHDR that follows it. */
#define RIO_CMSG_BASE ((ULONG)sizeof(SIZE_T))

struct rio_queue {
    struct rio_object object; /* its lock guards what follows, but for what is interlocked */
    struct socket *socket;    /* holds a reference; NULL: closed */
    void *context;
    LONG volatile references; /* the socket's, and each request's that was not dequeued yet */
    struct rio_completions *completions[2];
    ULONG most[2];
    LONG volatile outstanding[2];
    struct rio_request *volatile free_requests; /* pushed by anybody, popped under the lock */
    struct rio_chunk *chunks;
};

/* A request out of the queue's stock, counted against its limit; NULL: *error.  Queue's lock. */
struct rio_request *rio_request_make(struct rio_queue *queue, enum rio_direction direction,
                                     DWORD *error);
/* It was dequeued, or never begun. */
void rio_request_free(struct rio_request *request);
void rio_queue_put(struct rio_queue *queue);
/* The queue behind a descriptor, locked, or NULL. */
struct rio_queue *rio_queue_lock(ULONG_PTR descriptor);
/* closesocket: takes the socket's request queue away.  Holds no lock. */
void rio_socket_closed(struct socket *socket);

/* ---- completion queues (rio_completions.c) ---- */

/* struct operation's `deliver`: gives the caller what he asked for beside the data, and the
 * completion queue its entry.  Takes the completion queue's lock and a port's; under the socket's
 * lock or, where the order does not matter, without. */
void rio_deliver(struct operation *operation);
/* Takes a place for each of `count` outstanding requests, and a reference.  0, WSAEINVAL (no such
 * queue) or WSAENOBUFS (it has no such room). */
DWORD rio_reserve(ULONG_PTR cq, ULONG count, struct rio_completions **completions);
DWORD rio_reserve_more(struct rio_completions *completions, ULONG before, ULONG now);
void rio_unreserve(struct rio_completions *completions, ULONG count);
void rio_completions_put(struct rio_completions *completions);
bool rio_completions_closed(const struct rio_completions *completions);
/* Whom the server should wake while requests wait that end here (RS_WAKE_*). */
uint32_t rio_completion_word(const struct rio_completions *completions);
/* The same of the request at the head of a socket's queue. */
uint32_t rio_wake_word(const struct operation *operation);
/* Says so in this session, if it is a newer one than the queue knows. */
void rio_publish(struct rio_completions *completions, struct session *session);

#endif
