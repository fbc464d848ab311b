/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_ADDRESS_LIST_CHANGE and SIO_ROUTING_INTERFACE_CHANGE (see address_change.h).
 *
 * Owns: one timer of the process, which asks the server for the host's addresses once a second
 * while some socket waits for a change, and not at all otherwise.  `timer_lock` is innermost: only
 * the timer is set with it held.
 *
 * SIO_ADDRESS_LIST_CHANGE's page: it tells of "changes in the list of local transport addresses of
 * the socket's protocol family to which the application can bind", that is of what
 * SIO_ADDRESS_LIST_QUERY lists.
 */
#include "address_change.h"
#include "ioctl.h"
#include "ntcalls.h"
#include "socket_life.h"
#include "thread_pool.h"

#define INTERVAL 1000 /* ms */

static SRWLOCK timer_lock = SRWLOCK_INIT;
static TP_TIMER *timer;
static ULONG begun; /* waits so far */

struct turn {
    uint64_t state[2]; /* of IPv4 and IPv6 */
    bool known[2], failed[2];
    bool waited; /* somebody goes on waiting */
};

static bool turn_state(struct turn *turn, struct socket *socket, uint64_t *state)
{
    int which = socket->family == AF_INET6;

    if (!turn->known[which] && !turn->failed[which])
        *(ioctl_addresses_state(socket, &turn->state[which]) ? &turn->failed[which]
                                                             : &turn->known[which]) = true;
    *state = turn->state[which];
    return turn->known[which];
}

static void look_at(struct socket *socket, void *context)
{
    struct turn *turn = context;
    struct operation_queue finished = {0};
    uint64_t state;

    if (!socket->watching.head && !socket->watched_changes)
        return;
    turn->waited = true;
    if (!turn_state(turn, socket, &state))
        return;
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->addresses_state != state && !socket->closing) {
        socket->addresses_state = state;
        finished = socket->watching;
        socket->watching = (struct operation_queue){0};
        if (socket->watched_changes)
            socket_notify(socket, socket->watched_changes);
        socket->watched_changes = 0; /* each request tells of one change */
    }
    ReleaseSRWLockExclusive(&socket->lock);
    operation_deliver_list(&finished);
}

static void CALLBACK look(TP_CALLBACK_INSTANCE *instance, void *context, TP_TIMER *self)
{
    struct turn turn = {0};
    ULONG before;

    (void)instance, (void)context;
    AcquireSRWLockShared(&timer_lock);
    before = begun;
    ReleaseSRWLockShared(&timer_lock);
    socket_for_each(look_at, &turn);
    if (turn.waited)
        return;
    AcquireSRWLockExclusive(&timer_lock);
    if (begun == before)
        SetThreadpoolTimer(self, NULL, 0, 0);
    ReleaseSRWLockExclusive(&timer_lock);
}

static DWORD start_timer(void)
{
    LARGE_INTEGER due = {.QuadPart = -(LONGLONG)INTERVAL * 10000};
    FILETIME relative = {.dwLowDateTime = due.LowPart, .dwHighDateTime = (DWORD)due.HighPart};
    TP_CALLBACK_ENVIRON environment;

    thread_pool_environment(&environment);
    AcquireSRWLockExclusive(&timer_lock);
    begun++;
    if (timer || (timer = CreateThreadpoolTimer(look, NULL, &environment)))
        SetThreadpoolTimer(timer, &relative, INTERVAL, 0);
    ReleaseSRWLockExclusive(&timer_lock);
    return timer ? 0 : WSAENOBUFS;
}

/* The callback must not outlive the code. */
static void __attribute__((destructor)) end_timer(void)
{
    if (timer && !RtlDllShutdownInProgress())
        CloseThreadpoolTimer(timer);
}

/* What there is now counts for whoever begins to wait, unless another's wait has begun before. */
static DWORD begin(struct socket *socket)
{
    uint64_t state;
    DWORD error;

    if (socket->state == SOCKET_DEAD)
        return WSAENETDOWN;
    if ((error = ioctl_addresses_state(socket, &state)))
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    if (!socket->watching.head && !socket->watched_changes)
        socket->addresses_state = state;
    ReleaseSRWLockExclusive(&socket->lock);
    return start_timer();
}

static DWORD post(struct socket *socket, struct operation *operation)
{
    DWORD error = WSAENOTSOCK;

    AcquireSRWLockExclusive(&socket->lock);
    if (!socket->closing) {
        operation_append(&socket->watching, operation);
        error = 0;
    }
    ReleaseSRWLockExclusive(&socket->lock);
    return error;
}

DWORD address_change_wait(struct socket *socket, long event, WSAOVERLAPPED *overlapped,
                          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    DWORD error = begin(socket);

    if (error)
        return error;
    if (!overlapped && socket->nonblocking) {
        AcquireSRWLockExclusive(&socket->lock);
        socket->watched_changes |= event;
        socket_event_enable(socket, event);
        ReleaseSRWLockExclusive(&socket->lock);
        return WSAEWOULDBLOCK;
    }
    return socket_watch_change(socket, &socket->watching, post, overlapped, routine);
}
