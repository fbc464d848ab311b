/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waking threads of a process that are parked on their FIFOs.
 *
 * Owns: the FIFOs w<N> (the server's ends), the list of those to be woken soon, and
 * the word earliest_deadline when it is raised.  Loop thread only, no locks; the slots' states
 * change by compare-exchange, whose partner is the parking thread (docs/protocol.md, "Waking").
 *
 * Everything read here is the process's own: a lie wakes one of its threads too often or too
 * rarely.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "session.h"

#define WAKE_SOCKET 0x80000000u
_Static_assert(WAKE_SOCKET > RS_WAKE_GROUP(RS_MAX_GROUPS), "marks no word of the ABI");

static void wake_note(struct session *session, uint32_t word)
{
    struct wakes *wakes = &session->wakes;

    /* Several records for one socket come in a row. */
    if (wakes->count && wakes->words[wakes->count - 1] == word)
        return;
    if (wakes->count == wakes->size) {
        uint32_t size = wakes->size ? 2 * wakes->size : 64;
        uint32_t *words = realloc(wakes->words, size * sizeof(*words));

        if (!words) {
            wakes->pump = true;
            return;
        }
        wakes->words = words;
        wakes->size = size;
    }
    wakes->words[wakes->count++] = word;
}

void wake_word(struct session *session, uint32_t word)
{
    if (word != RS_WAKE_NONE)
        wake_note(session, word & ~WAKE_SOCKET);
}

void wake_socket(struct session *session, uint32_t index)
{
    wake_note(session, WAKE_SOCKET | index);
}

/* The slot that a word means, -1 = nobody.  What makes no sense means the pump. */
static int32_t wake_resolve(struct session *session, uint32_t word)
{
    if (word & WAKE_SOCKET) {
        /* pairs with the DLL's store of interest before its last look at `comp` */
        uint32_t *interest = &session->shared[word & ~WAKE_SOCKET].interest;
        word = __atomic_load_n(interest, __ATOMIC_SEQ_CST);
    }
    if (word >= RS_WAKE_GROUP(0) && word < RS_WAKE_GROUP(RS_MAX_GROUPS))
        word = __atomic_load_n(&session->groups[word - RS_WAKE_GROUP(0)], __ATOMIC_SEQ_CST);
    if (word == RS_WAKE_NONE)
        return -1;
    return word <= RS_WAKE_SLOT(RS_MAX_SLOTS - 1) ? (int32_t)(word - 1) : 0;
}

static bool wake_slot(struct session *session, uint32_t slot)
{
    uint32_t parked = RS_SLOT_PARKED;
    uint32_t *state = &session->slots[slot].state;

    if (session->slot_fds[slot] < 0 || __atomic_load_n(state, __ATOMIC_SEQ_CST) != RS_SLOT_PARKED ||
        !__atomic_compare_exchange_n(state, &parked, RS_SLOT_RUNNING, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return false;
    /* Full only if the process does not read: then it has a byte to read anyway. */
    if (write(session->slot_fds[slot], "", 1) != 1)
        log_debug("session %llx: slot %u is not read", (unsigned long long)session->id, slot);
    return true;
}

static bool comp_is_crowded(struct session *session)
{
    return rs_ring_free(&session->comp) < RS_RING_SIZE / 2;
}

/* A thread that this turn has woken reaps for everybody once it runs: waking the pump in its place,
 * because it is not parked any more, would be for nothing. */
static bool woken_already(const struct wakes *wakes, uint32_t slot)
{
    for (uint32_t i = 0; i < wakes->woken_count; i++) {
        if (wakes->woken[i] == slot)
            return true;
    }
    return false;
}

/* It finds by itself what was published before this. */
static bool is_looking(struct session *session, uint32_t slot)
{
    return __atomic_load_n(&session->slots[slot].state, __ATOMIC_SEQ_CST) == RS_SLOT_LOOKING;
}

static void wake_or_pump(struct session *session, uint32_t slot)
{
    struct wakes *wakes = &session->wakes;

    if (woken_already(wakes, slot) || is_looking(session, slot))
        return;
    if (!wake_slot(session, slot))
        wakes->pump = true;
    else if (wakes->woken_count < WAKES_REMEMBERED)
        wakes->woken[wakes->woken_count++] = slot;
}

void wake_all(struct session *session)
{
    struct wakes *wakes = &session->wakes;

    if (!wakes->count && !wakes->pump)
        return;
    for (uint32_t i = 0; i < wakes->count; i++) {
        int32_t slot = wake_resolve(session, wakes->words[i]);

        if (slot >= 0)
            wake_or_pump(session, (uint32_t)slot);
    }
    wakes->count = 0;
    if (wakes->pump || comp_is_crowded(session))
        wake_or_pump(session, 0);
    wakes->pump = false;
}

void wake_turn_over(struct session *session)
{
    session->wakes.woken_count = 0;
}

uint64_t wake_deadlines(struct session *session, uint64_t now)
{
    uint64_t *earliest = &session->segment->earliest_deadline;
    uint64_t next = __atomic_load_n(earliest, __ATOMIC_SEQ_CST), lowest = CLOCK_NEVER;

    if (next > now)
        return next;
    /* Raised first and then lowered to what the scan finds: who parks in between either is found by
     * the scan (its deadline is written before its state) or lowers the word after us. */
    __atomic_store_n(earliest, CLOCK_NEVER, __ATOMIC_SEQ_CST);
    for (uint32_t slot = 0; slot < session->slot_end; slot++) {
        uint32_t state = __atomic_load_n(&session->slots[slot].state, __ATOMIC_SEQ_CST);
        uint64_t deadline = __atomic_load_n(&session->slots[slot].deadline, __ATOMIC_SEQ_CST);

        if (!deadline)
            continue;
        if (deadline > now)
            lowest = deadline < lowest ? deadline : lowest;
        else if (state == RS_SLOT_PARKED)
            wake_slot(session, slot);
    }
    next = __atomic_load_n(earliest, __ATOMIC_SEQ_CST);
    while (lowest < next && !__atomic_compare_exchange_n(earliest, &next, lowest, false,
                                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return lowest < next ? lowest : next;
}

int wake_make_slot(struct session *session, uint32_t slot)
{
    char name[16];
    int fd;

    if (session->slot_fds[slot] >= 0)
        return 0;
    snprintf(name, sizeof(name), "w%u", slot);
    if (mkfifoat(session->dir_fd, name, 0600) && errno != EEXIST)
        return -errno;
    /* Both directions: the process's open then never blocks, and our writes never fail with EPIPE.
     */
    fd = openat(session->dir_fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    session->slot_fds[slot] = fd;
    if (slot >= session->slot_end)
        session->slot_end = slot + 1;
    return 0;
}

void wake_close(struct session *session)
{
    for (uint32_t slot = 0; session->slot_fds && slot < session->slot_end; slot++) {
        if (session->slot_fds[slot] >= 0)
            close(session->slot_fds[slot]);
    }
    free(session->slot_fds);
    free(session->wakes.words);
    session->slot_fds = NULL;
    session->wakes.words = NULL;
    session->wakes.count = session->wakes.size = 0;
}
