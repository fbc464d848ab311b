/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process's channel to the server: the mapped segment, its two rings, the bell and the pump.
 *
 * A session is made by session_open and never freed: when its server dies it is marked dead, every
 * socket of it stays dead, and the next session_open makes a new one.
 */
#ifndef RINGSOCK_SESSION_H
#define RINGSOCK_SESSION_H

#include "winsock.h"
#include <ringsock/ring.h>

struct socket;
struct pending_call;

struct session {
    struct rs_segment *segment;
    struct rs_slot *slots;
    struct rs_socket_shared *sockets;
    uint32_t *groups;
    uint32_t slot_count, socket_count, group_count;

    SRWLOCK submit_lock; /* guards sub; innermost */
    struct rs_ring_end sub;
    HANDLE bell;
    uint32_t mark; /* atomic: where sub's tail was (submit_mark), with bit 0 set; or 0 */

    SRWLOCK reap_lock; /* guards comp and the order of deliveries; outermost */
    struct rs_ring_end comp;

    SRWLOCK call_lock; /* guards calls */
    struct pending_call *calls;
    uint64_t last_cookie;

    SRWLOCK index_lock; /* guards the entries of by_index */
    struct socket **by_index;

    LONG64 volatile stock[2]; /* stock.c: 0 = nothing there */

    LONG volatile dead;
    HANDLE pump_fifo;
    LONG volatile pump_runs;
    uint32_t next_slot;   /* interlocked: the last slot handed out; 0 is the pump's */
    WCHAR directory[260]; /* \\?\unix\... without a trailing separator */
};

/* The living session, or NULL. */
struct session *session_current(void);

/* The living session; finds or starts the server if there is none.  Returns 0 or a WSA error code
 * (WSASYSNOTREADY where no server can be found, with the advice in the log). */
DWORD session_open(struct session **session);

/* The FIFO of a slot; NULL: the last error says why. */
HANDLE session_open_wake(const struct session *session, uint32_t slot, DWORD access);
/* An anchor, as a SOCKET; NULL as above. */
HANDLE session_open_anchor(const struct session *session, uint32_t number, bool inherit);

/* ---- the submission ring ---- */

/* Room for a record of at most `size` bytes in all, with the header's type, socket and flags filled
 * in; holds the submit lock until submit_end.  Waits while the ring is full (the server always
 * drains it).  NULL when the session is dead: then no lock is held. */
struct rs_record *submit_begin(struct session *session, uint16_t type, uint16_t flags,
                               uint32_t socket, uint32_t size);
/* `size`: bytes of the record really used, header included; `length`: its payload's. */
void submit_end(struct session *session, struct rs_record *record, uint32_t size, uint32_t length);
/* The same, and the caller rings the bell when it has released its own locks. */
void submit_publish(struct session *session, struct rs_record *record, uint32_t size,
                    uint32_t length);
/* Instead of submit_end: nothing is submitted. */
void submit_abandon(struct session *session);
/* A record that is only its header. */
void submit_simple(struct session *session, uint16_t type, uint16_t flags, uint32_t socket);
/* The same, for what may lie until something else wakes the server. */
void submit_quietly(struct session *session, uint16_t type, uint32_t socket);

/* The server is to come past what is submitted by now before a receive that does not wait finds
 * nothing: it looks whether submit_marked gives something (0: nothing), waits until that
 * submit_is_past, looks at its socket again, and says submit_unmark. */
void submit_mark(struct session *session);
uint32_t submit_marked(const struct session *session);
bool submit_is_past(const struct session *session, uint32_t mark);
void submit_unmark(struct session *session, uint32_t mark);
/* The server has come past everything. */
bool submit_is_all_past(const struct session *session);

/* Wakes the server if it sleeps. */
void session_ring_bell(struct session *session);

/* ---- the completion ring ---- */

/* Applies everything that has arrived (inbound.h) and delivers what that completes.  Costs one load
 * when there is nothing.  Caller holds no lock. */
void session_reap(struct session *session);

/* Reads the same clock as the server: 100 ns units. */
uint64_t rs_clock(void);

/* The thread that reaps when nobody else does, and that sees the server's end (pump.c).  Started
 * once a session; completes everything with WSAENETDOWN when its FIFO ends. */
bool pump_start(struct session *session);

#endif
