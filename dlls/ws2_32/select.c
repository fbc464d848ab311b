/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * select and __WSAFDIsSet.
 *
 * Takes no lock itself; poll_wait does the looking and waiting.
 */
#include "arguments.h"
#include "guarded_copy.h"
#include "readiness.h"
#include "startup.h"

#define STACK_ENTRIES 128 /* two full sets of the default FD_SETSIZE */

enum set_kind { SET_READ, SET_WRITE, SET_EXCEPT, SET_KINDS };

/* A peer's close and a lost connection are "readable": recv would not wait.  A failed connect is
 * told in exceptfds alone (MSDN, select). */
static const long set_levels[SET_KINDS] = {
    [SET_READ] = LEVEL_READ | LEVEL_ACCEPT | LEVEL_HANGUP | LEVEL_ABORT,
    [SET_WRITE] = LEVEL_WRITE,
    [SET_EXCEPT] = LEVEL_OOB | LEVEL_CONNECT_FAILED,
};

int WSAAPI __WSAFDIsSet(SOCKET handle, fd_set *set)
{
    DWORD count;

    if (!guarded_load((const DWORD *)&set->fd_count, &count) ||
        !argument_in(set->fd_array, argument_size(count, sizeof(*set->fd_array))))
        return 0;
    for (DWORD i = 0; i < count; i++)
        if (set->fd_array[i] == handle)
            return 1;
    return 0;
}

static DWORD timeout_milliseconds(const struct timeval *timeout, DWORD *milliseconds)
{
    uint64_t total;

    *milliseconds = INFINITE;
    if (!timeout)
        return 0;
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
        return WSAEINVAL;
    total = (uint64_t)timeout->tv_sec * 1000 + ((uint64_t)timeout->tv_usec + 999) / 1000;
    *milliseconds = total < INFINITE ? (DWORD)total : INFINITE - 1;
    return 0;
}

/* Entries in the order of the sets and of the sockets in them; a reference on each socket. */
static DWORD take_sockets(fd_set *const sets[SET_KINDS], struct poll_entry *entries)
{
    for (int kind = 0; kind < SET_KINDS; kind++)
        for (unsigned int i = 0; sets[kind] && i < sets[kind]->fd_count; i++, entries++) {
            if (!(entries->socket = socket_get(sets[kind]->fd_array[i])))
                return GetLastError();
            entries->wanted = set_levels[kind];
        }
    return 0;
}

static void put_sockets(struct poll_entry *entries, unsigned int count)
{
    for (unsigned int i = 0; i < count && entries[i].socket; i++)
        socket_put(entries[i].socket);
}

/* A socket that was closed meanwhile is told in readfds alone (Wine's test_select, run on Windows).
 */
static bool is_ready(enum set_kind kind, const struct poll_entry *entry)
{
    return kind == SET_READ ? entry->ready : entry->ready & ~LEVEL_CLOSED;
}

/* Programs may name a socket twice in a set that they fill without FD_SET: it is told once. */
static bool is_told(const fd_set *set, unsigned int kept, SOCKET handle)
{
    unsigned int i = kept < FD_SETSIZE ? 0 : kept - 1;

    for (; i < kept; i++)
        if (set->fd_array[i] == handle)
            return true;
    return false;
}

/* Leaves the ready ones in the set.  Sets may be the same memory: a socket stays if it is ready in
 * any of these ways.  Returns how many stay. */
static unsigned int give_back(fd_set *const sets[SET_KINDS],
                              const struct poll_entry *const entries[SET_KINDS], fd_set *set)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < set->fd_count; i++) {
        bool ready = false;

        for (int kind = 0; kind < SET_KINDS; kind++)
            ready |= sets[kind] == set && is_ready(kind, &entries[kind][i]);
        if (ready && !is_told(set, kept, set->fd_array[i]))
            set->fd_array[kept++] = set->fd_array[i];
    }
    return set->fd_count = kept;
}

static bool was_before(fd_set *const sets[SET_KINDS], int kind)
{
    for (int before = 0; before < kind; before++)
        if (sets[before] == sets[kind])
            return true;
    return false;
}

static unsigned int give_back_all(fd_set *const sets[SET_KINDS], const struct poll_entry *entries,
                                  DWORD *error)
{
    const struct poll_entry *first[SET_KINDS] = {0};
    unsigned int ready = 0;
    bool closed = false;

    for (int kind = 0; kind < SET_KINDS; kind++) {
        first[kind] = entries;
        for (unsigned int i = 0; sets[kind] && i < sets[kind]->fd_count; i++, entries++)
            closed |= (entries->ready & LEVEL_CLOSED) != 0;
    }
    for (int kind = 0; kind < SET_KINDS; kind++)
        if (sets[kind] && !was_before(sets, kind))
            ready += give_back(sets, first, sets[kind]);
    if (!ready && closed)
        *error = WSAENOTSOCK;
    return ready;
}

/* A set may have any number of sockets: programs define FD_SETSIZE, or allocate their own. */
static bool is_there(fd_set *set)
{
    DWORD count;

    return !set || (guarded_probe((DWORD *)&set->fd_count, &count) &&
                    argument_out(set->fd_array, argument_size(count, sizeof(*set->fd_array))));
}

static unsigned int sets_count(fd_set *const sets[SET_KINDS])
{
    unsigned int count = 0;

    for (int kind = 0; kind < SET_KINDS; kind++)
        count += sets[kind] ? sets[kind]->fd_count : 0;
    return count;
}

int WSAAPI select(int ignored, fd_set *read, fd_set *write, fd_set *except, const PTIMEVAL timeout)
{
    fd_set *const sets[SET_KINDS] = {read, write, except};
    struct poll_entry on_stack[STACK_ENTRIES], *entries = on_stack;
    unsigned int count, ready = 0;
    DWORD milliseconds, error;

    (void)ignored;
    if (!startup_check())
        return SOCKET_ERROR;
    if (!is_there(read) || !is_there(write) || !is_there(except) ||
        !argument_in(timeout, sizeof(*timeout)))
        return return_error(WSAEFAULT);
    if (!(count = sets_count(sets)))
        return return_error(WSAEINVAL);
    if ((error = timeout_milliseconds(timeout, &milliseconds)))
        return return_error(error);
    if (count > STACK_ENTRIES && !(entries = malloc(argument_size(count, sizeof(*entries)))))
        return return_error(WSAENOBUFS);

    if (!(error = take_sockets(sets, entries)))
        poll_wait(entries, count, milliseconds, &error);
    if (!error)
        ready = give_back_all(sets, entries, &error);
    put_sockets(entries, count);
    if (entries != on_stack)
        free(entries);
    return error ? return_error(error) : (int)ready;
}
