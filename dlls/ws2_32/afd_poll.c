/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IOCTL_AFD_POLL (see afd.h): one poll asks about several sockets and ends at the first event.
 *
 * Owns the list of polls under way, the list of those that have ended and are still linked to their
 * sockets, and the thread that ends polls in time.  polls_lock guards both lists and each poll's
 * end; it is inner to the sockets' locks and outer to the ports'.
 *
 * A poll ends once: under polls_lock, wherever it is seen first (an event on one of its sockets,
 * its time, a cancel, an exclusive poll that takes its place).  At that moment the socket's lock
 * may be held, so the pollers on its other sockets stay linked until afd_poll_clean comes by;
 * `ended` makes them do nothing.
 *
 * What is not obvious of AFD's rules comes from Wine's test_poll and test_poll_exclusive, which
 * were run on Windows: AFD_POLL_LOCAL_CLOSE is told whether asked for or not; the first poll of a
 * socket is its main one, and ends, with no event, when an exclusive poll comes and it is exclusive
 * itself; closing the handle that a poll was sent through does not end it; nobody gets a packet
 * without a context.  While another process has a copy, closing the last handle of this one is no
 * local close; it cancels what is told by a packet alone (test_async_cancel_on_handle_close).
 */
#include "afd.h"
#include "cancel.h"
#include "guarded_copy.h"
#include "log.h"
#include "port.h"
#include "readiness.h"

struct poll_entry_of_afd {
    struct poller poller;
    struct afd_poll *poll;
    struct socket *socket; /* holds a reference */
    struct afd_poll_handle asked;
};

struct afd_poll {
    struct afd_poll *next, **previous; /* of one of the two lists */
    struct afd_issuer issuer;
    struct afd_request request;
    uint64_t issued_by; /* the serial of a thread's waiter */
    HANDLE thread;      /* for the routine */
    LONGLONG deadline;  /* rs clock; INT64_MAX: none */
    bool exclusive, ended;
    bool linking; /* its thread is still at it: not to be freed */
    ULONG count;
    struct poll_entry_of_afd entries[];
};

static SRWLOCK polls_lock = SRWLOCK_INIT;
static struct afd_poll *under_way;
static struct afd_poll *volatile ended_polls;
static CONDITION_VARIABLE deadlines_changed = CONDITION_VARIABLE_INIT;
static bool timekeeper_runs;

static const struct {
    ULONG flag;
    long level;
} flag_levels[] = {
    {AFD_POLL_RECEIVE, LEVEL_READ},
    {AFD_POLL_RECEIVE_EXPEDITED, LEVEL_OOB},
    {AFD_POLL_SEND, LEVEL_WRITE},
    {AFD_POLL_DISCONNECT, LEVEL_HANGUP},
    {AFD_POLL_ABORT, LEVEL_ABORT},
    {AFD_POLL_LOCAL_CLOSE, LEVEL_CLOSED},
    {AFD_POLL_CONNECT, LEVEL_CONNECTED},
    {AFD_POLL_ACCEPT, LEVEL_ACCEPT},
    {AFD_POLL_CONNECT_FAIL, LEVEL_CONNECT_FAILED},
};

static long levels_of(ULONG flags)
{
    long levels = 0;

    for (size_t i = 0; i < ARRAYSIZE(flag_levels); i++)
        if (flag_levels[i].flag & flags)
            levels |= flag_levels[i].level;
    return levels;
}

static ULONG flags_of(long levels)
{
    ULONG flags = 0;

    for (size_t i = 0; i < ARRAYSIZE(flag_levels); i++)
        if (flag_levels[i].level & levels)
            flags |= flag_levels[i].flag;
    return flags;
}

/* ---- the lists; caller holds polls_lock ---- */

static void list_insert(struct afd_poll **list, struct afd_poll *poll)
{
    if ((poll->next = *list))
        poll->next->previous = &poll->next;
    poll->previous = list;
    *list = poll;
}

static void list_remove(struct afd_poll *poll)
{
    if ((*poll->previous = poll->next))
        poll->next->previous = poll->previous;
}

/* ---- how a poll ends ---- */

struct outcome {
    NTSTATUS status;
    ULONG count;
    struct afd_poll_handle *handles;
};

static void write_output(const struct afd_request *request, const struct outcome *outcome)
{
    struct afd_poll_info head = request->head;

    head.count = outcome->count;
    guarded_copy(request->output, &head, AFD_POLL_HEAD);
    guarded_copy((char *)request->output + AFD_POLL_HEAD, outcome->handles,
                 outcome->count * sizeof(*outcome->handles));
}

static void deliver(const struct afd_issuer *issuer, const struct afd_request *request,
                    HANDLE thread, const struct outcome *outcome, bool immediate)
{
    ULONG_PTR information = offsetof(struct afd_poll_info, handles[outcome->count]);

    write_output(request, outcome);
    request->iosb->Information = information;
    __atomic_store_n(&request->iosb->Status, outcome->status, __ATOMIC_RELEASE);
    if (request->event)
        SetEvent(request->event);
    if (request->routine)
        NtQueueApcThread(thread, (void *)request->routine, (ULONG_PTR)request->context,
                         (ULONG_PTR)request->iosb, 0);
    else if (issuer->port && request->context &&
             !(immediate && (issuer->modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)))
        port_post(issuer->port, issuer->key, (ULONG_PTR)request->context, outcome->status,
                  information);
}

/* Caller holds polls_lock. */
static void end_poll(struct afd_poll *poll, const struct outcome *outcome)
{
    poll->ended = true;
    list_remove(poll);
    list_insert((struct afd_poll **)&ended_polls, poll);
    deliver(&poll->issuer, &poll->request, poll->thread, outcome, false);
}

static struct afd_poll_handle event_of(const struct socket *socket,
                                       const struct afd_poll_handle *asked, long levels)
{
    struct afd_poll_handle event = {asked->handle, flags_of(levels), STATUS_SUCCESS};

    if (levels & LEVEL_CONNECT_FAILED)
        event.status = status_from_error(socket->connect_error);
    return event;
}

/* This process has no handle of the socket any more, another one has.  The status block is left
 * alone: who takes the packet gets its status from there. */
static void cancel_for_close(struct afd_poll *poll)
{
    if (poll->request.event || !poll->issuer.port || !poll->request.context)
        return;
    poll->ended = true;
    list_remove(poll);
    list_insert((struct afd_poll **)&ended_polls, poll);
    port_post(poll->issuer.port, poll->issuer.key, (ULONG_PTR)poll->request.context,
              STATUS_CANCELLED, 0);
}

/* socket_notify found levels that this poller waits for; the socket's lock is held. */
static void entry_fires(struct poller *poller, long levels)
{
    struct poll_entry_of_afd *entry = CONTAINING_RECORD(poller, struct poll_entry_of_afd, poller);
    struct afd_poll_handle event = event_of(entry->socket, &entry->asked, levels);
    struct outcome outcome = {STATUS_SUCCESS, 1, &event};

    AcquireSRWLockExclusive(&polls_lock);
    if (!entry->poll->ended && levels & LEVEL_CLOSED && entry->socket->copied)
        cancel_for_close(entry->poll);
    else if (!entry->poll->ended)
        end_poll(entry->poll, &outcome);
    ReleaseSRWLockExclusive(&polls_lock);
}

static void free_poll(struct afd_poll *poll)
{
    for (ULONG i = 0; i < poll->count; i++)
        if (poll->entries[i].socket)
            socket_put(poll->entries[i].socket);
    if (poll->issuer.port)
        port_put(poll->issuer.port);
    if (poll->thread)
        CloseHandle(poll->thread);
    free(poll);
}

static void unlink_entry(struct poll_entry_of_afd *entry)
{
    struct socket *socket = entry->socket;

    AcquireSRWLockExclusive(&socket->lock);
    poller_remove(&entry->poller);
    if (socket->main_poll == entry->poll)
        socket->main_poll = NULL;
    socket_update_interest(socket);
    ReleaseSRWLockExclusive(&socket->lock);
}

void afd_poll_clean(void)
{
    struct afd_poll *poll, *next, *mine = NULL;

    if (!ended_polls)
        return;
    AcquireSRWLockExclusive(&polls_lock);
    for (poll = ended_polls; poll; poll = next) {
        next = poll->next;
        if (poll->linking)
            continue;
        list_remove(poll);
        list_insert(&mine, poll);
    }
    ReleaseSRWLockExclusive(&polls_lock);
    for (poll = mine; poll; poll = next) {
        next = poll->next;
        for (ULONG i = 0; i < poll->count; i++)
            if (poll->entries[i].poller.previous)
                unlink_entry(&poll->entries[i]);
        free_poll(poll);
    }
}

/* ---- time ---- */

static LONGLONG deadline_of(LONGLONG timeout)
{
    FILETIME now;
    LONGLONG left = -timeout;

    if (timeout == INT64_MAX)
        return INT64_MAX;
    if (timeout > 0) { /* an absolute time of the system's clock */
        GetSystemTimeAsFileTime(&now);
        left = timeout - ((LONGLONG)now.dwHighDateTime << 32 | now.dwLowDateTime);
    }
    return (LONGLONG)rs_clock() + (left > 0 ? left : 0);
}

/* Ends what is due.  Returns the milliseconds until the next deadline. */
static DWORD end_due(void)
{
    static const struct outcome outcome = {.status = STATUS_TIMEOUT};
    LONGLONG now = (LONGLONG)rs_clock(), left = INT64_MAX;
    struct afd_poll *poll, *next;

    for (poll = under_way; poll; poll = next) {
        next = poll->next;
        if (poll->deadline <= now)
            end_poll(poll, &outcome);
        else if (poll->deadline != INT64_MAX && poll->deadline - now < left)
            left = poll->deadline - now;
    }
    left /= RS_CLOCK_PER_MS;
    return left < INFINITE - 1 ? (DWORD)left + 1 : INFINITE;
}

static DWORD CALLBACK keep_time(void *unused)
{
    (void)unused;
    for (;;) {
        AcquireSRWLockExclusive(&polls_lock);
        SleepConditionVariableSRW(&deadlines_changed, &polls_lock, end_due(), 0);
        ReleaseSRWLockExclusive(&polls_lock);
        afd_poll_clean();
    }
    return 0;
}

/* Caller holds polls_lock. */
static bool start_timekeeper(void)
{
    HANDLE thread;

    if (!timekeeper_runs && (thread = CreateThread(NULL, 0, keep_time, NULL, 0, NULL))) {
        CloseHandle(thread);
        timekeeper_runs = true;
    }
    WakeConditionVariable(&deadlines_changed);
    return timekeeper_runs;
}

/* ---- asking ---- */

static NTSTATUS check_request(struct afd_request *request)
{
    if (!request->input || !request->output || request->input_size < AFD_POLL_HEAD ||
        request->output_size < request->input_size)
        return STATUS_INVALID_PARAMETER;
    if (guarded_copy(&request->head, request->input, AFD_POLL_HEAD))
        return STATUS_ACCESS_VIOLATION;
    if (!request->head.count || request->head.count > (request->input_size - AFD_POLL_HEAD) /
                                                          sizeof(struct afd_poll_handle))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static NTSTATUS take_sockets(struct afd_poll *poll)
{
    const char *handles = (const char *)poll->request.input + AFD_POLL_HEAD;

    for (ULONG i = 0; i < poll->count; i++) {
        struct poll_entry_of_afd *entry = &poll->entries[i];

        if (guarded_copy(&entry->asked, handles + i * sizeof(entry->asked), sizeof(entry->asked)))
            return STATUS_ACCESS_VIOLATION;
        if (!(entry->socket = socket_find((HANDLE)entry->asked.handle)))
            return STATUS_INVALID_HANDLE;
        entry->poll = poll;
        entry->poller.fires = entry_fires;
        entry->poller.port = poll->issuer.port;
        entry->poller.events = levels_of(entry->asked.flags);
    }
    return STATUS_SUCCESS;
}

/* All that is ready now.  False: nothing, and the poll may wait. */
static bool answer_now(const struct afd_poll *poll, bool wait, NTSTATUS *status)
{
    struct afd_poll_handle *events = malloc(poll->count * sizeof(*events));
    struct outcome outcome = {.handles = events};

    *status = STATUS_NO_MEMORY;
    if (!events)
        return true;
    for (ULONG i = 0; i < poll->count; i++) {
        const struct poll_entry_of_afd *entry = &poll->entries[i];
        long levels;

        AcquireSRWLockExclusive(&entry->socket->lock);
        if ((levels = socket_levels(entry->socket, entry->poller.events)))
            events[outcome.count++] = event_of(entry->socket, &entry->asked, levels);
        ReleaseSRWLockExclusive(&entry->socket->lock);
    }
    if (outcome.count || !wait) {
        deliver(&poll->issuer, &poll->request, poll->thread, &outcome, true);
        *status = STATUS_SUCCESS;
    } else
        *status = STATUS_PENDING;
    free(events);
    return *status != STATUS_PENDING;
}

/* Caller holds the socket's lock and polls_lock. */
static void become_main(struct socket *socket, struct afd_poll *poll)
{
    static const struct outcome outcome = {.status = STATUS_SUCCESS};
    struct afd_poll *main = socket->main_poll;

    if (main && !main->ended && main != poll && main->exclusive && poll->exclusive)
        end_poll(main, &outcome);
    if (!main || main->ended)
        socket->main_poll = poll;
}

static void link_entry(struct poll_entry_of_afd *entry)
{
    struct socket *socket = entry->socket;
    long levels;

    AcquireSRWLockExclusive(&socket->lock);
    AcquireSRWLockExclusive(&polls_lock);
    become_main(socket, entry->poll);
    ReleaseSRWLockExclusive(&polls_lock);
    poller_add(socket, &entry->poller);
    socket_update_interest(socket);
    if ((levels = socket_levels(socket, entry->poller.events)))
        entry_fires(&entry->poller, levels);
    ReleaseSRWLockExclusive(&socket->lock);
}

/* Until `linking` is false again nobody frees the poll, however early it ends. */
static NTSTATUS wait_for_events(struct afd_poll *poll)
{
    struct session *session = poll->entries[0].socket->session;
    bool in_time = true;

    poll->linking = true;
    AcquireSRWLockExclusive(&polls_lock);
    if (poll->deadline != INT64_MAX)
        in_time = start_timekeeper();
    if (in_time)
        list_insert(&under_way, poll);
    ReleaseSRWLockExclusive(&polls_lock);
    if (!in_time)
        return STATUS_NO_MEMORY;
    for (ULONG i = 0; i < poll->count; i++)
        link_entry(&poll->entries[i]);
    AcquireSRWLockExclusive(&polls_lock);
    poll->linking = false;
    ReleaseSRWLockExclusive(&polls_lock);
    session_reap(session); /* what was published before the server saw our interest */
    afd_poll_clean();
    return STATUS_PENDING;
}

static NTSTATUS ask(struct afd_poll *poll)
{
    NTSTATUS status = take_sockets(poll);

    if (status)
        return status;
    session_reap(poll->entries[0].socket->session);
    if (poll->request.routine &&
        !DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                         &poll->thread, THREAD_SET_CONTEXT, FALSE, 0))
        return STATUS_NO_MEMORY;
    if (poll->request.event)
        ResetEvent(poll->request.event);
    if (answer_now(poll, poll->request.head.timeout != 0, &status))
        return status;
    return wait_for_events(poll);
}

static struct afd_poll *allocate(ULONG count)
{
    struct afd_poll *poll;
    size_t size;

    if (__builtin_mul_overflow(count, sizeof(poll->entries[0]), &size) ||
        __builtin_add_overflow(size, sizeof(*poll), &size))
        return NULL;
    return calloc(1, size);
}

NTSTATUS afd_poll(const struct afd_issuer *issuer, const struct afd_request *request)
{
    struct afd_request checked = *request;
    struct waiter *waiter = waiter_current();
    NTSTATUS status = check_request(&checked);
    struct afd_poll *poll = NULL;

    if (!status && request->routine && issuer->port)
        status = STATUS_INVALID_PARAMETER; /* as of any other request */
    if (!status && !(poll = allocate(checked.head.count)))
        status = STATUS_NO_MEMORY;
    if (status) {
        if (issuer->port)
            port_put(issuer->port);
        return status;
    }
    poll->issuer = *issuer;
    poll->request = checked;
    poll->issued_by = waiter ? waiter->serial : ISSUER_NOBODY;
    poll->deadline = deadline_of(checked.head.timeout);
    poll->exclusive = checked.head.exclusive != 0;
    poll->count = checked.head.count;
    if ((status = ask(poll)) != STATUS_PENDING)
        free_poll(poll);
    return status;
}

/* ---- cancelling ---- */

/* As for any other request (cancel.c, Wine's test_async_thread_termination). */
static bool ends_with_thread(const struct afd_poll *poll)
{
    return !poll->issuer.port || poll->request.event || poll->request.routine ||
           !poll->request.context;
}

static bool matches(const struct operation_filter *filter, const struct afd_poll *poll)
{
    return (!filter->overlapped || poll->request.iosb == filter->overlapped) &&
           (!filter->issuer || poll->issued_by == filter->issuer) &&
           (!filter->thread_exit || ends_with_thread(poll));
}

ULONG afd_poll_cancel(HANDLE handle, const struct operation_filter *filter)
{
    static const struct outcome outcome = {.status = STATUS_CANCELLED};
    struct afd_poll *poll, *next;
    ULONG count = 0;

    AcquireSRWLockExclusive(&polls_lock);
    for (poll = under_way; poll; poll = next) {
        next = poll->next;
        if ((handle && poll->issuer.handle != handle) || !matches(filter, poll))
            continue;
        end_poll(poll, &outcome);
        count++;
    }
    ReleaseSRWLockExclusive(&polls_lock);
    afd_poll_clean();
    return count;
}
