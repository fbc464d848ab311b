/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parking: how a thread waits for something that the reaping of the completion ring brings.
 *
 * Each thread has one waiter.  For the first RINGSOCK_PARK_MS it reads a FIFO of its own, which
 * needs no wineserver and which the server writes to; after that it waits for an NT event,
 * alertably where asked, and whoever reaps sets it.
 *
 *     waiter_arm(w, session);                 // from here on no waiter_signal is lost
 *     while (!condition) {
 *         session_reap(session);
 *         if (condition) break;
 *         result = waiter_wait(w, deadline, alertable);
 *         if (result == WAITER_TIMEOUT) break;
 *     }
 *     waiter_disarm(w);
 *
 * The condition must be made true before waiter_signal is called.
 */
#ifndef RINGSOCK_WAITER_H
#define RINGSOCK_WAITER_H

#include "ringsock/spin.h"

#include "session.h"

#define RINGSOCK_PARK_MS 10u
#define WAITER_FOREVER   UINT64_MAX

struct operation;

struct waiter {
    struct session *session; /* whose slot this is, or NULL */
    uint32_t slot;           /* 0: none, the pump wakes this thread */
    uint32_t slot_wanted;    /* without a slot: the one whose FIFO could not be had, or 0 */
    uint64_t slot_retry;     /* when to try that again (rs_clock) */
    struct rs_slot *shared;  /* the slot's words, or &local */
    struct rs_slot local;
    struct rs_spin spin;
    HANDLE fifo;   /* read and write */
    HANDLE event;  /* auto-reset, for the NT phase */
    HANDLE thread; /* this thread, for APCs; made on first use */
    DWORD thread_id;
    LONG volatile signaled;
    LONG volatile pending_operations; /* overlapped ones this thread issued that are not finished */
    uint64_t park_until;
    bool in_nt;   /* in the NT phase of a wait, or in an APC that this wait runs */
    FARPROC hook; /* blocking_hook.c's, like the two below */
    bool in_hook, cancelled;
    struct operation *running;       /* routine.c's: on the thread's stack, innermost first */
    struct parked_wait *parked_wait; /* fast_event_wait.c's, once made */
    DWORD alerted; /* GetTickCount when an alertable wait last let the kernel's APCs run */

    SRWLOCK lock; /* guards what follows */
    /* Of the thread that has this waiter: ids come again, this does not.  0: of none any more. */
    uint64_t serial;
    struct operation *routines, *routines_last; /* routine.c's: due, in order */
    bool volatile apc_queued;                            /* in the kernel, which will run them */
    LONG alertable; /* alertable waits in the kernel that this thread is in, but for those that run
                       a routine */
    struct waiter *next_free;
    struct waiter *next_made; /* of all there are */
};

enum waiter_result { WAITER_SIGNALED, WAITER_TIMEOUT, WAITER_APC, WAITER_CANCELLED };

/* The calling thread's waiter, NULL when out of memory. */
struct waiter *waiter_current(void);
/* The same, NULL too if it has none yet. */
struct waiter *waiter_existing(void);

/* The waiter of a thread of this process, which may have ended since; NULL if it has none. */
struct waiter *waiter_of_thread(HANDLE thread);

/* Duplicated handle of the waiter's thread with rights to queue an APC; NULL on failure. */
HANDLE waiter_thread(struct waiter *waiter);

/* What a socket's or port's interest word should say while this thread waits. */
uint32_t waiter_wake_word(const struct waiter *waiter);

/* Signaled, something in the completion ring, or the session dead.  Calling thread's waiter. */
bool waiter_has_something(const struct waiter *waiter);

void waiter_arm(struct waiter *waiter, struct session *session);
/* Blocks until signaled, until something is in the completion ring (both WAITER_SIGNALED), until
 * `deadline` (rs_clock) or, if alertable, after APCs have run (WAITER_APC): completion routines at
 * once, other APCs in the NT phase, before the wait ends with WAITER_TIMEOUT, and a few times a
 * second where all waits are short. */
enum waiter_result waiter_wait(struct waiter *waiter, uint64_t deadline, bool alertable);
/* The same, but returns WAITER_TIMEOUT at the end of the FIFO phase too. */
enum waiter_result waiter_wait_brief(struct waiter *waiter, uint64_t deadline);
void waiter_disarm(struct waiter *waiter);

/* From any thread, under any lock. */
void waiter_signal(struct waiter *waiter);
/* Only out of the FIFO phase: an APC is due, which wakes an alertable wait in NT by itself. */
void waiter_unpark(struct waiter *waiter);

bool waiter_init(void); /* once, from DllMain */
/* DLL_THREAD_DETACH: the waiter, for which routines_end was called, is for another thread; NULL if
 * this one had none. */
void waiter_detach(struct waiter *waiter);

/* deadline for a Winsock timeout in ms (INFINITE: WAITER_FOREVER) */
uint64_t waiter_deadline(DWORD milliseconds);
/* and for one of NT: NULL for ever, negative from now, positive a date */
uint64_t waiter_nt_deadline(const LARGE_INTEGER *timeout);

#endif
