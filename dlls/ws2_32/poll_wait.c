/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wait that select and WSAPoll share.
 *
 * Takes one socket's lock at a time.  Nothing here asks wineserver for anything unless the thread
 * really waits longer than the parking time.
 */
#include "blocking_hook.h"
#include "readiness.h"

static unsigned int collect(struct poll_entry *entries, unsigned int count)
{
    unsigned int ready = 0;

    for (unsigned int i = 0; i < count; i++) {
        struct poll_entry *entry = &entries[i];

        if (!entry->socket)
            continue;
        AcquireSRWLockExclusive(&entry->socket->lock);
        entry->ready = socket_levels(entry->socket, entry->wanted);
        ReleaseSRWLockExclusive(&entry->socket->lock);
        if (entry->ready)
            ready++;
    }
    return ready;
}

static void link_pollers(struct poll_entry *entries, unsigned int count, struct waiter *waiter)
{
    for (unsigned int i = 0; i < count; i++) {
        struct poll_entry *entry = &entries[i];

        if (!entry->socket)
            continue;
        entry->poller.waiter = waiter;
        entry->poller.events = entry->wanted;
        AcquireSRWLockExclusive(&entry->socket->lock);
        poller_add(entry->socket, &entry->poller);
        socket_update_interest(entry->socket);
        ReleaseSRWLockExclusive(&entry->socket->lock);
    }
}

static void unlink_pollers(struct poll_entry *entries, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        struct poll_entry *entry = &entries[i];

        if (!entry->socket)
            continue;
        AcquireSRWLockExclusive(&entry->socket->lock);
        poller_remove(&entry->poller);
        socket_update_interest(entry->socket);
        ReleaseSRWLockExclusive(&entry->socket->lock);
    }
}

/* The session to listen to.  Sockets of a dead one are ready, so nobody waits for those. */
static struct session *session_of(const struct poll_entry *entries, unsigned int count)
{
    struct session *session = NULL;

    for (unsigned int i = 0; i < count; i++)
        if (entries[i].socket) {
            session = entries[i].socket->session;
            if (!session->dead)
                break;
        }
    return session;
}

static unsigned int wait_until_ready(struct poll_entry *entries, unsigned int count,
                                     struct session *session, struct waiter *waiter,
                                     uint64_t deadline, DWORD *error)
{
    enum waiter_result result = WAITER_SIGNALED;
    unsigned int ready;

    for (;;) {
        session_reap(session);
        ready = collect(entries, count);
        if (ready || result == WAITER_TIMEOUT)
            return ready;
        if ((result = blocking_wait(waiter, deadline, true)) == WAITER_CANCELLED) {
            *error = WSAEINTR;
            return 0;
        }
    }
}

unsigned int poll_wait(struct poll_entry *entries, unsigned int count, DWORD timeout, DWORD *error)
{
    struct session *session = session_of(entries, count);
    struct waiter *waiter;
    unsigned int ready;

    *error = 0;
    if (!session)
        return 0;
    session_reap(session);
    ready = collect(entries, count);
    if (ready || !timeout)
        return ready;
    if (!(waiter = waiter_current())) {
        *error = WSAENOBUFS;
        return 0;
    }
    waiter_arm(waiter, session);
    link_pollers(entries, count, waiter);
    ready = wait_until_ready(entries, count, session, waiter, waiter_deadline(timeout), error);
    unlink_pollers(entries, count);
    waiter_disarm(waiter);
    return ready;
}
