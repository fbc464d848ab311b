/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ProcessSocketNotifications (see notifications.h).
 *
 * Owns socket.notification, which the socket's lock guards; packets are posted with it held.
 *
 * Sources: the pages of ProcessSocketNotifications and SOCK_NOTIFY_REGISTRATION.  A notification is
 * a packet without an OVERLAPPED, whose count of bytes is the events.  A one-shot registration is
 * disabled by its notification.  One that persists notifies whenever something happens while an
 * event holds; where it asks for levels, ProcessSocketNotifications looks again, at its next call,
 * at what it has handed out: a program that takes packets by GetQueuedCompletionStatus alone gets
 * no second one for what it left.
 */
#include "notifications.h"
#include "arguments.h"
#include "log.h"
#include "port_internal.h"
#include "readiness.h"
#include "startup.h"

enum {
    EVENT_IN = 1,
    EVENT_OUT = 2,
    EVENT_HANGUP = 4,
    EVENTS_ALL = 7,
    EVENT_ERROR = 0x40,
    EVENT_REMOVE = 0x80
};
enum { OP_NONE = 0, OP_ENABLE = 1, OP_DISABLE = 2, OP_REMOVE = 4 };
enum { TRIGGER_ONESHOT = 1, TRIGGER_PERSISTENT = 2, TRIGGER_LEVEL = 4, TRIGGER_EDGE = 8 };

/* SOCK_NOTIFY_REGISTRATION, which mingw-w64 lacks */
struct registration {
    SOCKET socket;
    void *key;
    UINT16 filter;
    UINT8 operation, triggers;
    DWORD result;
};

struct notification {
    struct poller poller; /* linked while enabled */
    struct socket *socket; /* which owns this */
    struct port *port;     /* with a reference */
    ULONG_PTR key;
    UINT16 filter;
    UINT8 triggers;
    bool enabled;
    bool taken; /* levels: told, and the program has the packet */
};

/* Whether anybody has ever asked for levels that persist: others need no second look. */
static bool volatile levels_asked;

static const struct {
    UINT16 event;
    long levels;
} event_levels[] = {
    {EVENT_IN, LEVEL_READ | LEVEL_ACCEPT | LEVEL_HANGUP},
    {EVENT_OUT, LEVEL_WRITE},
    {EVENT_HANGUP, LEVEL_HANGUP | LEVEL_ABORT},
    {EVENT_ERROR, LEVEL_ABORT | LEVEL_CONNECT_FAILED},
};

static long levels_of(UINT16 events)
{
    long levels = 0;

    for (size_t i = 0; i < ARRAYSIZE(event_levels); i++)
        if (event_levels[i].event & events)
            levels |= event_levels[i].levels;
    return levels;
}

static UINT16 events_of(long levels, UINT16 among)
{
    UINT16 events = 0;

    for (size_t i = 0; i < ARRAYSIZE(event_levels); i++)
        if ((event_levels[i].event & among) && (event_levels[i].levels & levels))
            events |= event_levels[i].event;
    return events;
}

static bool tells_levels(const struct notification *notification)
{
    UINT8 both = TRIGGER_PERSISTENT | TRIGGER_LEVEL;

    return notification && (notification->triggers & both) == both;
}

/* ---- telling; caller holds the socket's lock ---- */

static void disable(struct notification *notification)
{
    if (!notification->enabled)
        return;
    notification->enabled = false;
    poller_remove(&notification->poller);
    socket_update_interest(notification->socket);
}

static void tell(struct notification *notification, long levels)
{
    UINT16 events = events_of(levels, notification->filter | EVENT_ERROR);

    if (!events)
        return;
    if (notification->triggers & TRIGGER_ONESHOT)
        disable(notification);
    port_post(notification->port, notification->key, 0, STATUS_SUCCESS, events);
}

static void fires(struct poller *poller, long levels)
{
    tell(CONTAINING_RECORD(poller, struct notification, poller), levels);
}

static void tell_what_holds(struct notification *notification)
{
    if (notification->enabled)
        tell(notification, socket_levels(notification->socket, notification->poller.events));
}

void notification_end(struct socket *socket)
{
    struct notification *notification = socket->notification;

    if (!notification)
        return;
    socket->notification = NULL;
    disable(notification);
    port_put(notification->port);
    free(notification);
}

/* ---- registrations ---- */

/* "eventFilter ... must be one or more of"; of one-shot and persistent, and of level and edge, one
 * each. */
static bool is_valid(const struct registration *registration)
{
    UINT8 often = registration->triggers & (TRIGGER_ONESHOT | TRIGGER_PERSISTENT);
    UINT8 when = registration->triggers & (TRIGGER_LEVEL | TRIGGER_EDGE);

    if (registration->operation != OP_ENABLE)
        return true;
    return registration->filter && !(registration->filter & ~EVENTS_ALL) &&
           (often == TRIGGER_ONESHOT || often == TRIGGER_PERSISTENT) &&
           (when == TRIGGER_LEVEL || when == TRIGGER_EDGE) &&
           registration->triggers == (often | when);
}

/* "Re-registering a previously registered socket handle overwrites the existing registration"; the
 * key stays what it was ("to change the completion key, remove the registration"). */
static DWORD enable(struct socket *socket, const struct registration *registration,
                    struct port *port)
{
    struct notification *notification = socket->notification;

    if (notification && notification->port != port) {
        notification_end(socket);
        notification = NULL;
    }
    if (!notification) {
        if (!(notification = calloc(1, sizeof(*notification))))
            return ERROR_NOT_ENOUGH_MEMORY;
        notification->socket = socket;
        notification->port = port_hold(port);
        notification->key = (ULONG_PTR)registration->key;
        notification->poller.port = port;
        notification->poller.fires = fires;
        socket->notification = notification;
    }
    disable(notification);
    notification->filter = registration->filter;
    notification->triggers = registration->triggers;
    notification->poller.events = levels_of(registration->filter | EVENT_ERROR);
    notification->enabled = true;
    levels_asked |= tells_levels(notification);
    poller_add(socket, &notification->poller);
    socket_update_interest(socket);
    tell_what_holds(notification);
    return 0;
}

/* "A SOCK_NOTIFY_EVENT_REMOVE notification is issued, and it is guaranteed that no more
 * notifications ... after". */
static DWORD take_back(struct socket *socket, UINT8 operation)
{
    struct notification *notification = socket->notification;

    if (!notification)
        return ERROR_NOT_FOUND; /* nobody has written down what Windows says */
    disable(notification);
    if (operation == OP_REMOVE) {
        port_post(notification->port, notification->key, 0, STATUS_SUCCESS, EVENT_REMOVE);
        notification_end(socket);
    }
    return 0;
}

static DWORD apply(struct socket *socket, const struct registration *registration,
                   struct port *port)
{
    DWORD error = ERROR_INVALID_PARAMETER;

    session_reap(socket->session);
    AcquireSRWLockExclusive(&socket->lock);
    if (socket->closing)
        error = ERROR_INVALID_HANDLE;
    else if (registration->operation == OP_ENABLE)
        error = enable(socket, registration, port);
    else if (registration->operation == OP_DISABLE || registration->operation == OP_REMOVE)
        error = take_back(socket, registration->operation);
    else if (registration->operation == OP_NONE)
        error = 0;
    ReleaseSRWLockExclusive(&socket->lock);
    session_reap(socket->session); /* what came before the server saw the new interest */
    return error;
}

static DWORD apply_one(const struct registration *registration, HANDLE handle)
{
    struct socket *socket;
    struct port *port = NULL;
    DWORD error = ERROR_INVALID_PARAMETER;

    if (!is_valid(registration))
        return ERROR_INVALID_PARAMETER;
    if (!(socket = socket_find((HANDLE)registration->socket)))
        return ERROR_INVALID_HANDLE;
    if (registration->operation != OP_ENABLE)
        error = apply(socket, registration, NULL);
    else if (!port_open_fast((HANDLE)registration->socket, handle, (ULONG_PTR)registration->key,
                             &port)) {
        error = apply(socket, registration, port);
        port_put(port);
    }
    socket_put(socket);
    return error;
}

/* ---- levels, again ---- */

struct taken {
    const OVERLAPPED_ENTRY *entries;
    ULONG count;
};

static void mark_taken(struct socket *socket, void *context)
{
    const struct taken *taken = context;

    AcquireSRWLockExclusive(&socket->lock);
    for (ULONG i = 0; tells_levels(socket->notification) && i < taken->count; i++)
        socket->notification->taken |=
            !taken->entries[i].lpOverlapped &&
            taken->entries[i].lpCompletionKey == socket->notification->key;
    ReleaseSRWLockExclusive(&socket->lock);
}

static void look_again(struct socket *socket, void *context)
{
    (void)context;
    AcquireSRWLockExclusive(&socket->lock);
    if (tells_levels(socket->notification) && socket->notification->taken) {
        socket->notification->taken = false;
        tell_what_holds(socket->notification);
    }
    ReleaseSRWLockExclusive(&socket->lock);
}

/* ---- the call ---- */

DWORD WINAPI ProcessSocketNotifications(HANDLE port, UINT32 registration_count, void *registrations,
                                        UINT32 timeout, ULONG completion_count,
                                        OVERLAPPED_ENTRY *entries, UINT32 *received);
DWORD WINAPI ProcessSocketNotifications(HANDLE port, UINT32 registration_count, void *registrations,
                                        UINT32 timeout, ULONG completion_count,
                                        OVERLAPPED_ENTRY *entries, UINT32 *received)
{
    struct registration *registration = registrations;
    ULONG count = 0;
    DWORD error = 0;

    if (!startup_check())
        return GetLastError();
    if (!argument_out(received, sizeof(*received)) ||
        !argument_out(registrations, argument_size(registration_count, sizeof(*registration))) ||
        !argument_out(entries, argument_size(completion_count, sizeof(*entries))))
        return ERROR_INVALID_PARAMETER;
    if (received)
        *received = 0;
    if ((registration_count != 0) != (registrations != NULL) ||
        (completion_count && (!entries || !received)))
        return ERROR_INVALID_PARAMETER;
    if (completion_count && levels_asked)
        socket_for_each(look_again, NULL);
    for (UINT32 i = 0; i < registration_count; i++)
        registration[i].result = apply_one(&registration[i], port);
    if (!completion_count)
        return 0;
    if (!GetQueuedCompletionStatusEx(port, entries, completion_count, &count, timeout, FALSE))
        error = GetLastError() == WAIT_TIMEOUT ? ERROR_TIMEOUT : GetLastError();
    *received = count;
    if (count && levels_asked) {
        struct taken taken = {entries, count};

        socket_for_each(mark_taken, &taken);
    }
    return error;
}
