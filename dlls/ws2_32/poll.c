/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAPoll.
 *
 * Takes no lock itself; poll_wait does the looking and waiting.  What is refused and what is
 * reported follows Wine's test_WSAPoll, which was run on Windows.
 */
#include "arguments.h"
#include "readiness.h"
#include "startup.h"

#define STACK_ENTRIES 64

#define EVENTS_ALLOWED (POLLRDNORM | POLLRDBAND | POLLWRNORM)

static const struct {
    long level;
    SHORT events;
} reported[] = {
    {LEVEL_READ, POLLRDNORM},         {LEVEL_ACCEPT, POLLRDNORM},
    {LEVEL_OOB, POLLRDBAND},          {LEVEL_WRITE, POLLWRNORM},
    {LEVEL_HANGUP, POLLHUP}, /* and not POLLRDNORM, unless data are left */
    {LEVEL_ABORT, POLLHUP | POLLERR}, {LEVEL_CONNECT_FAILED, POLLWRNORM | POLLHUP | POLLERR},
};

static long levels_wanted(SHORT events)
{
    long wanted = LEVEL_HANGUP | LEVEL_ABORT | LEVEL_CONNECT_FAILED;

    for (size_t i = 0; i < ARRAYSIZE(reported); i++)
        if (reported[i].events & events)
            wanted |= reported[i].level;
    return wanted;
}

static SHORT events_of(long levels, SHORT asked)
{
    SHORT events = 0;

    if (levels & LEVEL_CLOSED)
        return POLLNVAL;
    for (size_t i = 0; i < ARRAYSIZE(reported); i++)
        if (reported[i].level & levels)
            events |= reported[i].events;
    return events & (asked | POLLHUP | POLLERR);
}

static bool is_negative(SOCKET handle)
{
    return (INT_PTR)handle < 0;
}

/* Marks what is no socket with POLLNVAL.  Returns how many sockets there are. */
static unsigned int take_sockets(WSAPOLLFD *fds, unsigned int count, struct poll_entry *entries)
{
    unsigned int found = 0;

    for (unsigned int i = 0; i < count; i++) {
        memset(&entries[i], 0, sizeof(entries[i]));
        if (!is_negative(fds[i].fd))
            entries[i].socket = socket_get(fds[i].fd);
        fds[i].revents = entries[i].socket ? 0 : POLLNVAL;
        entries[i].wanted = levels_wanted(fds[i].events);
        found += entries[i].socket != NULL;
    }
    return found;
}

static void put_sockets(struct poll_entry *entries, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        if (entries[i].socket)
            socket_put(entries[i].socket);
}

static DWORD check_events(WSAPOLLFD *fds, unsigned int count)
{
    bool refused = false;

    for (unsigned int i = 0; i < count; i++)
        if (!is_negative(fds[i].fd) && (fds[i].events & ~EVENTS_ALLOWED))
            refused = true;
    for (unsigned int i = 0; refused && i < count; i++)
        fds[i].revents = 0;
    return refused ? WSAEINVAL : 0;
}

static int poll_entries(WSAPOLLFD *fds, unsigned int count, struct poll_entry *entries,
                        DWORD timeout, DWORD *error)
{
    unsigned int ready;

    if (!take_sockets(fds, count, entries)) {
        *error = WSAENOTSOCK;
        return 0;
    }
    if ((*error = check_events(fds, count)))
        return 0;
    ready = poll_wait(entries, count, timeout, error);
    for (unsigned int i = 0; i < count; i++)
        if (entries[i].socket)
            fds[i].revents = events_of(entries[i].ready, fds[i].events);
    return (int)ready;
}

int WSAAPI WSAPoll(WSAPOLLFD *fds, ULONG count, int timeout)
{
    struct poll_entry on_stack[STACK_ENTRIES], *entries = on_stack;
    DWORD error;
    int ready;

    if (!startup_check())
        return SOCKET_ERROR;
    if (!count)
        return return_error(WSAEINVAL);
    if (!fds || !argument_out(fds, argument_size(count, sizeof(*fds))))
        return return_error(WSAEFAULT);
    if (count > STACK_ENTRIES && !(entries = calloc(count, sizeof(*entries))))
        return return_error(WSAENOBUFS);

    ready = poll_entries(fds, count, entries, timeout < 0 ? INFINITE : (DWORD)timeout, &error);
    put_sockets(entries, count);
    if (entries != on_stack)
        free(entries);
    SetLastError(error); /* 0 on success, as Windows does */
    return error ? SOCKET_ERROR : ready;
}
