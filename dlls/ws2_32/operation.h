/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One posted operation: what it moves, whom it tells when it is done, and how it is delivered.
 *
 * Life: filled on the caller's stack (synchronous) or by operation_create (overlapped); queued on
 * its socket under the socket's lock; taken from the queue by exactly one thread, which sets its
 * result and, holding no socket lock, calls operation_deliver once.
 */
#ifndef RINGSOCK_OPERATION_H
#define RINGSOCK_OPERATION_H

#include "winsock.h"
#include "waiter.h"
#include <ringsock/abi.h>

struct socket;
struct port;

enum operation_kind {
    OPERATION_RECV,
    OPERATION_SEND,
    OPERATION_ACCEPT,
    OPERATION_CONNECT,
    OPERATION_WATCH /* a change of this machine's addresses (address_change.c) */
};

#define OPERATION_INLINE_BUFFERS 4

/* What a call of the NT layer (NtReadFile...) names: no OVERLAPPED, and none of its conventions. */
struct io_request {
    HANDLE event;
    PIO_APC_ROUTINE routine;
    void *context; /* the routine's first argument; else the packet's value, NULL: no packet */
    IO_STATUS_BLOCK *iosb;
};

struct operation {
    struct operation *next;
    struct socket *socket; /* overlapped: holds a reference */
    enum operation_kind kind;

    /* what to move; buffers is a copy (WSARecv: "capture the WSABUF structures") */
    WSABUF *buffers;
    DWORD buffer_count;
    WSABUF inline_buffers[OPERATION_INLINE_BUFFERS];
    size_t total;  /* bytes in all buffers */
    size_t done;   /* bytes moved so far */
    DWORD flags;   /* MSG_* as given */
    DWORD refused; /* what its arguments alone answer; the socket's state is asked before that */
    bool result_refused; /* lpNumberOfBytesRecvd is not there: WSAEFAULT if it completes at once */
    struct sockaddr *address; /* recvfrom: filled in; sendto: copy in address_copy */
    int *address_length;
    WSAMSG *message; /* WSARecvMsg: gets the flags and the length of the control data */
    WSABUF message_control;    /* where that goes */
    struct rs_control control; /* WSASendMsg, RIOSendEx: nothing present = as the socket's options
                                  say; RIOReceiveEx: what the datagram had */
    bool probed; /* its memory was there when the operation began to wait */
    struct sockaddr_in6 address_copy;
    int address_copy_length;
    struct socket *accept_socket; /* AcceptEx: holds a reference */
    char *accept_buffer;
    DWORD accept_receive, accept_local, accept_remote; /* lengths as given to AcceptEx */
    struct socket
        *accepted; /* synchronous accept: the connection; AcceptEx that waits for data: too */

    /* result */
    DWORD error;    /* WSA error code */
    NTSTATUS exact; /* in place of what `error` is usually, or 0 */
    DWORD result_flags;
    LONG volatile finished;

    /* whom to tell */
    struct waiter *waiter;     /* synchronous, or a WSAGetOverlappedResult that waits */
    WSAOVERLAPPED *overlapped; /* NULL: synchronous */
    HANDLE event;
    struct event *fast_event; /* the same, where it is known: holds a reference */
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    bool no_packet; /* the low bit of hEvent */
    bool raw;       /* made by operation_create_raw: overlapped is the status block, and: */
    bool blocks;    /* the issuer waits for it within the call */
    PIO_APC_ROUTINE apc;
    void *context;
    bool immediate; /* completed within the call itself: FILE_SKIP_* apply */
    struct waiter *issuer;
    uint64_t issuer_serial; /* not the issuer's any more: that thread has ended */
    const void *frame;      /* where its routine was called from (routine.c) */

    /* A request of registered I/O (rio.h): who is told, in place of all the above. */
    void (*deliver)(struct operation *operation);
};

struct operation_queue {
    struct operation *head, *tail;
    uint32_t with_event; /* how many have one */
    uint32_t requests;   /* how many are of registered I/O */
    uint32_t calls;      /* how many are of calls that block */
};

void operation_append(struct operation_queue *queue, struct operation *operation);
/* false if it was not there any more */
bool operation_remove(struct operation_queue *queue, struct operation *operation);
struct operation *operation_pop(struct operation_queue *queue);

/* Copies the WSABUF array into `operation` (heap beyond the inline ones).  Returns 0, or WSAEFAULT
 * for an array, or buffers, that cannot be all in the address space. */
DWORD operation_set_buffers(struct operation *operation, const WSABUF *buffers, DWORD count);
/* An operation that is about to wait: WSAEFAULT where a buffer is not there, as Windows, which
 * probes and locks them, has it.  Looks at each page, once. */
DWORD operation_probe(struct operation *operation);
/* Frees what operation_set_buffers took; for operations on the stack. */
void operation_release_buffers(struct operation *operation);

/* A heap operation for an overlapped call: checks routine against port (WSAEINVAL), resets the
 * event (WSAENOTSOCK if it is none), marks *overlapped as pending (WSAEFAULT) and refers to the
 * socket.  NULL: *error says why. */
struct operation *operation_create(struct socket *socket, enum operation_kind kind,
                                   WSAOVERLAPPED *overlapped,
                                   LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, DWORD *error);
/* The same for a call of the NT layer, which gets NTSTATUS codes and whose status block stays as it
 * is until the operation is complete. */
struct operation *operation_create_raw(struct socket *socket, enum operation_kind kind,
                                       const struct io_request *request, NTSTATUS *status);
/* How such a call ends: `error` is WSA_IO_PENDING, or what the operation ended with at once.
 * Delivers or discards it; returns what the call returns. */
NTSTATUS operation_end_raw(struct operation *operation, DWORD error);

/* An operation that failed at once: no completion (WSARecv: "no completion indication will occur").
 */
void operation_discard(struct operation *operation);

/* How an overlapped call ends that did not pend: with success it is delivered as an immediate one,
 * with an error discarded.  Returns the error. */
DWORD operation_end_call(struct operation *operation, DWORD error);

/* The end of an overlapped operation that has told whom it had to tell. */
void operation_free(struct operation *operation);

/* Tells whoever is to be told; frees an overlapped one, in the end.  Holds no socket lock. */
void operation_deliver(struct operation *operation);
/* For a list linked by next, in order. */
void operation_deliver_list(struct operation_queue *queue);
/* Only those of registered I/O; the socket's lock is held, so that a completion queue has them in
 * the order of the data, whoever reaps and whoever posts at the same time. */
void operation_deliver_requests(struct operation_queue *queue);

/* Winsock error code <-> the NTSTATUS that an OVERLAPPED carries. */
NTSTATUS status_from_error(DWORD error);
DWORD error_from_status(NTSTATUS status);
/* The MSG_* that the status of a successful receive tells. */
DWORD flags_from_status(NTSTATUS status);

#endif
