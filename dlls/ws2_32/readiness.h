/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds for a socket now, finer than FD_* bits tell it, and waiting until something does.
 *
 * AFD's poll tells these apart, and select, WSAPoll and WSAEventSelect each read them differently:
 * a peer's shutdown, for one, is "readable" for select, POLLHUP for WSAPoll and FD_CLOSE for
 * events.
 */
#ifndef RINGSOCK_READINESS_H
#define RINGSOCK_READINESS_H

#include "socket.h"

enum level {
    LEVEL_READ = 0x01,   /* bytes, a datagram, or a datagram's error */
    LEVEL_OOB = 0x02,    /* an urgent byte out of line */
    LEVEL_WRITE = 0x04,  /* a send would not wait */
    LEVEL_ACCEPT = 0x08, /* a connection waits on the listener */
    LEVEL_CONNECTED = 0x10,
    LEVEL_CONNECT_FAILED = 0x20,
    LEVEL_HANGUP = 0x40,  /* the peer closed its sending side; unread data may remain */
    LEVEL_ABORT = 0x80,   /* reset, timed out; always reported when the server is gone */
    LEVEL_CLOSED = 0x100, /* closesocket on this side; always reported */
};

/* Those of `wanted` that hold; looks at nothing else (LEVEL_WRITE may ask the server for progress).
 */
long socket_levels(struct socket *socket, long wanted);

/* One socket that select or WSAPoll asks about. */
struct poll_entry {
    struct socket *socket; /* with a reference; NULL: skipped */
    long wanted;           /* LEVEL_* */
    long ready;            /* out */
    struct poller poller;
};

/* Fills in `ready`; waits, alertably, until one is.  Returns how many entries are ready.  Makes no
 * system call if that can be told from what has arrived, or if timeout is 0.  Milliseconds or
 * INFINITE. Sets *error on failure. */
unsigned int poll_wait(struct poll_entry *entries, unsigned int count, DWORD timeout, DWORD *error);

/* WSAEventSelect's object belongs to the program, which may close it before the socket: the socket
 * keeps a handle of its own.  Each takes the lock of its sockets (event.c). */
void socket_event_inherit(struct socket *accepted, struct socket *listener);
void socket_event_release(struct socket *socket);

#endif
