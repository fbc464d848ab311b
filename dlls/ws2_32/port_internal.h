/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a completion port, shared by port.c (packets and wake-ups), port_remove.c (waiting)
 * and port_table.c (handles and lives).  The rules are in port.c's header comment.
 */
#ifndef RINGSOCK_PORT_INTERNAL_H
#define RINGSOCK_PORT_INTERNAL_H

#include "ntcalls.h"
#include "port.h"
#include "waiter.h"

struct packet {
    ULONG_PTR key, context, information;
    NTSTATUS status;
};

/* A thread in the FIFO phase; on its stack. */
struct parked {
    struct parked *next, **previous;
    struct waiter *waiter;
    bool called; /* taken off the stack by port_call_waiter */
};

struct port_handle {
    struct port_handle *next;
    HANDLE handle;
};

struct port {
    LONG volatile references; /* interlocked; the memory is recycled, never freed */
    bool native;              /* constant: every packet goes through the kernel */

    /* interlocked; written in this order by whoever waits or posts: count, then look at `fast` */
    LONG volatile fast;           /* a socket has been associated: packets queue here */
    LONG volatile kernel_waiters; /* threads in, or on the way into, real_NtRemoveIoCompletion* */
    LONG volatile kernel_posts;   /* the program's posts on their way into the kernel's queue */
    LONG volatile lookers;        /* threads that reap and will look at the queue under the lock */

    SRWLOCK lock;  /* guards what follows */
    HANDLE handle; /* to post tokens to */
    bool closed;
    bool kernel_first; /* the kernel may hold packets that are older than ours */
    LONG foreign;      /* how many other files, jobs, ... that complete into the kernel's queue */
    uint32_t tokens;   /* posted to the kernel and not seen again yet */
    uint32_t called;   /* parked threads that were signaled and have not looked yet */
    struct parked *parked;  /* last in, first out */
    struct packet *packets; /* a ring; capacity is a power of two */
    uint32_t first, count, capacity;
    uint32_t removals;
    ULONGLONG kernel_look; /* GetTickCount64 when the kernel's queue was last asked */

    /* guarded by the table's lock */
    uint32_t group; /* of the session's wake words; 0: none; set once */
    struct port_handle *handles;
    struct port *next, **previous; /* of all ports; next also of the free ones */
};

static inline struct port *port_hold(struct port *port)
{
    InterlockedIncrement(&port->references);
    return port;
}

/* ---- port.c; caller holds the lock ---- */

/* Removes up to `count` packets in order. */
ULONG port_pop(struct port *port, struct io_packet *packets, ULONG count);
/* To be called whenever somebody stopped looking, or waits: if there are packets, threads that wait
 * and nobody on the way, wakes one. */
void port_call_waiter(struct port *port);
/* Tells the server whom to wake for this port's sockets. */
void port_publish(struct port *port);
/* Drops tokens from what came out of the kernel; returns how many packets are left. */
ULONG port_drop_tokens(struct port *port, struct io_packet *packets, ULONG count);
/* Every thread that waits is to look again. */
void port_call_all(struct port *port);

/* ---- port.c; caller holds no lock ---- */

bool port_is_token(const struct io_packet *packet);
/* NtSetIoCompletion by the program, on a port that is not native. */
NTSTATUS port_send(struct port *port, HANDLE handle, const struct io_packet *packet);
/* One more (1) thing that completes into the kernel's queue; -1: it was not one after all. */
void port_foreign(struct port *port, LONG change);

/* ---- port_remove.c ---- */

NTSTATUS port_remove(struct port *port, HANDLE handle, struct io_packet *packets, ULONG count,
                     ULONG *removed, const LARGE_INTEGER *timeout, bool alertable);

/* ---- port_table.c ---- */

/* A wake word for the port, if there is one left; it keeps it. */
void port_give_group(struct port *port);

#endif
