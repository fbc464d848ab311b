/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parking (see waiter.h; waiter_life.c: which thread has which waiter).  Owns the slot words of the
 * segment.  Takes no lock; may call the session and request layers.
 *
 * Exactly one party turns a slot from PARKED to RUNNING; that one writes exactly one byte to the
 * FIFO. So a thread that decides not to read after all knows whether a byte is under way.
 */
#include "waiter.h"
#include "intercept.h"
#include "log.h"
#include "ntcalls.h"
#include "request.h"
#include "routine.h"
#include "spin.h"

uint32_t waiter_wake_word(const struct waiter *waiter)
{
    return waiter->slot ? RS_WAKE_SLOT(waiter->slot) : RS_WAKE_PUMP;
}

uint64_t waiter_deadline(DWORD milliseconds)
{
    return milliseconds == INFINITE ? WAITER_FOREVER
                                    : rs_clock() + (uint64_t)milliseconds * RS_CLOCK_PER_MS;
}

uint64_t waiter_nt_deadline(const LARGE_INTEGER *timeout)
{
    LARGE_INTEGER now;
    LONGLONG relative;

    if (!timeout || timeout->QuadPart == INT64_MIN)
        return WAITER_FOREVER;
    relative = -timeout->QuadPart;
    if (timeout->QuadPart > 0) { /* a date */
        GetSystemTimeAsFileTime((FILETIME *)&now);
        relative = timeout->QuadPart > now.QuadPart ? timeout->QuadPart - now.QuadPart : 0;
    }
    return rs_clock() + (uint64_t)relative;
}

/* waiter_signal has claimed a thread that was WAITING and sets its event: leave none behind. */
static void take_event(struct waiter *waiter)
{
    real_NtWaitForSingleObject(waiter->event, FALSE, NULL);
}

#define SLOT_RETRY_MS 1000u

/* Asks the server for the slot's FIFO and opens it.  The first use of a handle asks wineserver for
 * its descriptor: writing nothing is that use, so that no wait in the midst of data is. */
static HANDLE open_slot(struct session *session, uint32_t slot)
{
    struct request request = {.type = RS_SUB_SLOT, .session = session, .arg = {slot}};
    DWORD error = request_call(&request);
    HANDLE fifo = NULL;
    DWORD count;

    if (!error &&
        !(fifo = session_open_wake(session, slot, GENERIC_READ | GENERIC_WRITE)))
        error = GetLastError();
    if (fifo)
        WriteFile(fifo, "", 0, &count, NULL);
    if (error)
        log_rarely(LOG_WARN, "no FIFO for the waiting thread of slot %u, error %lu: it waits in NT",
                   slot, error);
    return fifo;
}

/* Gives the thread a slot and a FIFO of this session.  Failing is no error: then the thread waits
 * in NT from the start and the pump wakes it; the next wait but a second tries again. */
static void waiter_attach(struct waiter *waiter, struct session *session)
{
    uint32_t slot = waiter->session == session ? waiter->slot_wanted : 0;

    if (waiter->fifo)
        real_NtClose(waiter->fifo);
    waiter->fifo = NULL;
    waiter->slot = waiter->slot_wanted = 0;
    waiter->shared = &waiter->local;
    waiter->session = session; /* from here the nested request waits in NT */

    if (!slot)
        slot = InterlockedIncrement((LONG volatile *)&session->next_slot);
    if (slot >= session->slot_count) {
        log_once(LOG_WARN, "more than %u threads wait; the others wait in NT",
                 session->slot_count - 1);
        return;
    }
    if (!(waiter->fifo = open_slot(session, slot))) {
        waiter->slot_wanted = slot;
        waiter->slot_retry = waiter_deadline(SLOT_RETRY_MS);
        return;
    }
    waiter->slot = slot;
    waiter->shared = &session->slots[slot];
}

static bool needs_slot(const struct waiter *waiter, const struct session *session)
{
    return waiter->session != session || (waiter->slot_wanted && rs_clock() >= waiter->slot_retry);
}

/* An APC that runs inside a wait in NT calls Winsock: it needs the slot.  The wait below looks at
 * its condition again when the APC has returned. */
static void leave_outer_wait(struct waiter *waiter)
{
    waiter->in_nt = false;
    if (__atomic_exchange_n(&waiter->shared->state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST) ==
        RS_SLOT_RUNNING)
        take_event(waiter);
}

void waiter_arm(struct waiter *waiter, struct session *session)
{
    if (waiter->in_nt)
        leave_outer_wait(waiter);
    if (needs_slot(waiter, session))
        waiter_attach(waiter, session);
    InterlockedExchange(&waiter->signaled, 0);
    waiter->park_until = 0; /* the FIFO phase begins with the first wait */
}

void waiter_disarm(struct waiter *waiter)
{
    waiter->park_until = 0;
}

bool waiter_has_something(const struct waiter *waiter)
{
    return waiter->signaled || waiter->session->dead || rs_ring_pending(&waiter->session->comp);
}

/* The same at the start of a wait; the caller looks at its condition again, so the signal is spent.
 */
static bool take_signal(struct waiter *waiter)
{
    return InterlockedExchange(&waiter->signaled, 0) || waiter_has_something(waiter);
}

static bool fifo_read_byte(struct waiter *waiter)
{
    DWORD count = 0;
    char byte;

    return ReadFile(waiter->fifo, &byte, 1, &count, NULL) && count == 1;
}

static void fifo_write_byte(struct waiter *waiter)
{
    DWORD count;

    if (!WriteFile(waiter->fifo, "", 1, &count, NULL))
        log_error("cannot wake slot %u, error %lu", waiter->slot, GetLastError());
}

/* Lets the server know of a deadline: lowers earliest_deadline, rings if it would sleep past it. */
static void publish_deadline(struct session *session, uint64_t deadline)
{
    uint64_t *shared = &session->segment->earliest_deadline;
    uint64_t seen = __atomic_load_n(shared, __ATOMIC_SEQ_CST);

    while (deadline < seen)
        if (__atomic_compare_exchange_n(shared, &seen, deadline, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            break;
    if (__atomic_load_n(&session->segment->sleeping_until, __ATOMIC_SEQ_CST) > deadline)
        session_ring_bell(session);
}

static enum waiter_result wait_on_fifo(struct waiter *waiter, uint64_t deadline)
{
    struct rs_slot *slot = waiter->shared;
    uint64_t begin;

    if (spin(waiter, deadline))
        return WAITER_SIGNALED;
    begin = rs_clock();
    slot->deadline = deadline;
    /* pairs with the server's and waiter_signal's exchange; seq_cst: park, then look */
    __atomic_store_n(&slot->state, RS_SLOT_PARKED, __ATOMIC_SEQ_CST);
    if (waiter_has_something(waiter)) {
        if (__atomic_exchange_n(&slot->state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST) == RS_SLOT_RUNNING)
            fifo_read_byte(waiter);
        return WAITER_SIGNALED;
    }
    publish_deadline(waiter->session, deadline);
    if (!fifo_read_byte(waiter)) {
        log_error("slot %u: its FIFO cannot be read, error %lu", waiter->slot, GetLastError());
        __atomic_store_n(&slot->state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST);
        waiter->slot = 0; /* never park there again */
        waiter->shared = &waiter->local;
    }
    rs_spin_slept(&waiter->spin, rs_clock() - begin);
    return waiter_has_something(waiter) || rs_clock() < deadline ? WAITER_SIGNALED : WAITER_TIMEOUT;
}

static enum waiter_result wait_in_nt(struct waiter *waiter, uint64_t deadline, bool alertable)
{
    uint64_t now = deadline == WAITER_FOREVER ? 0 : rs_clock();
    LARGE_INTEGER timeout = {.QuadPart = now < deadline ? -(LONGLONG)(deadline - now) : 0};
    NTSTATUS status;
    uint32_t old;

    waiter->in_nt = true;
    __atomic_store_n(&waiter->shared->state, RS_SLOT_WAITING, __ATOMIC_SEQ_CST);
    if (waiter_has_something(waiter))
        status = STATUS_TIMEOUT;
    else {
        if (alertable) {
            waiter->alerted = GetTickCount();
            alertable_begin(waiter);
        }
        status = real_NtWaitForSingleObject(waiter->event, alertable,
                                            deadline == WAITER_FOREVER ? NULL : &timeout);
        if (alertable)
            alertable_end(waiter);
    }
    if (!waiter->in_nt) /* an APC has waited meanwhile */
        return WAITER_APC;
    waiter->in_nt = false;
    old = __atomic_exchange_n(&waiter->shared->state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST);
    if (old == RS_SLOT_RUNNING && status != STATUS_WAIT_0) {
        take_event(waiter);
        return WAITER_SIGNALED;
    }
    if (status == STATUS_USER_APC)
        return WAITER_APC;
    return waiter_has_something(waiter) || status == STATUS_WAIT_0 ? WAITER_SIGNALED : WAITER_TIMEOUT;
}

/* The pump cannot start while somebody holds the loader's lock, as a DllMain that uses Winsock
 * does. Until it runs nobody else may reap, so the wait looks at the ring again soon. */
#define WITHOUT_PUMP_MS 2u

static enum waiter_result wait_without_pump(struct waiter *waiter, uint64_t deadline,
                                            bool alertable)
{
    uint64_t soon = rs_clock() + WITHOUT_PUMP_MS * RS_CLOCK_PER_MS;
    enum waiter_result result = wait_in_nt(waiter, soon < deadline ? soon : deadline, alertable);

    return result == WAITER_TIMEOUT && soon < deadline ? WAITER_SIGNALED : result;
}

/* The FIFO phase's end; starts the phase if it has not begun. */
static uint64_t park_end(struct waiter *waiter)
{
    if (!waiter->park_until)
        waiter->park_until = rs_clock() + RINGSOCK_PARK_MS * RS_CLOCK_PER_MS;
    return waiter->park_until;
}

enum waiter_result waiter_wait_brief(struct waiter *waiter, uint64_t deadline)
{
    uint64_t end;

    if (take_signal(waiter))
        return WAITER_SIGNALED;
    if (!waiter->slot)
        return WAITER_TIMEOUT;
    end = park_end(waiter);
    return wait_on_fifo(waiter, deadline < end ? deadline : end);
}

/* A thread whose blocking calls all end in the FIFO phase would never run an APC. */
#define APC_PATIENCE_MS 250u

static bool apcs_may_wait(const struct waiter *waiter)
{
    return GetTickCount() - waiter->alerted >= APC_PATIENCE_MS;
}

enum waiter_result waiter_wait(struct waiter *waiter, uint64_t deadline, bool alertable)
{
    if (alertable && routines_due(waiter)) { /* before the FIFO phase, which runs none */
        SleepEx(0, TRUE);
        return WAITER_APC;
    }
    if (take_signal(waiter))
        return WAITER_SIGNALED;
    if (waiter->slot) {
        uint64_t end = park_end(waiter), now = rs_clock();

        if (now < end && now < deadline) {
            enum waiter_result result;

            if (alertable && apcs_may_wait(waiter) && alert_now(waiter))
                return WAITER_APC;
            result = wait_on_fifo(waiter, deadline < end ? deadline : end);
            /* what times out has been alertable: APCs that are there run, however short it was */
            if (result == WAITER_SIGNALED || (deadline <= end && !alertable))
                return result;
        }
    }
    return waiter->session->pump_runs ? wait_in_nt(waiter, deadline, alertable)
                                      : wait_without_pump(waiter, deadline, alertable);
}

void waiter_signal(struct waiter *waiter)
{
    InterlockedExchange(&waiter->signaled, 1);
    switch (__atomic_exchange_n(&waiter->shared->state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST)) {
    case RS_SLOT_PARKED:
        fifo_write_byte(waiter);
        break;
    case RS_SLOT_WAITING:
        real_NtSetEvent(waiter->event, NULL);
        break;
    }
}

void waiter_unpark(struct waiter *waiter)
{
    uint32_t parked = RS_SLOT_PARKED;

    InterlockedExchange(&waiter->signaled, 1);
    if (__atomic_compare_exchange_n(&waiter->shared->state, &parked, RS_SLOT_RUNNING, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        fifo_write_byte(waiter);
}
