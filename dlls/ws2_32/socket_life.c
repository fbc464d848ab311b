/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The beginning and the end of sockets (see socket_life.h).  Owns session.by_index; takes
 * index_lock and the socket's lock, never both.
 */
#include "socket_life.h"
#include "accept.h"
#include "afd.h"
#include "anchor_pool.h"
#include "async_select.h"
#include "blocking_hook.h"
#include "cancel.h"
#include "handle_table.h"
#include "intercept.h"
#include "log.h"
#include "notifications.h"
#include "readiness.h"
#include "request.h"
#include "rio.h"
#include "send.h"
#include "share.h"

/* ---- indices ---- */

struct socket *socket_by_index(struct session *session, uint32_t index)
{
    struct socket *socket = NULL;

    if (index >= session->socket_count)
        return NULL;
    AcquireSRWLockShared(&session->index_lock);
    if ((socket = session->by_index[index]))
        socket_hold(socket);
    ReleaseSRWLockShared(&session->index_lock);
    return socket;
}

bool socket_set_index(struct session *session, uint32_t index, struct socket *socket)
{
    struct socket *previous;

    if (!index || index >= session->socket_count)
        return false;
    AcquireSRWLockExclusive(&session->index_lock);
    previous = session->by_index[index];
    session->by_index[index] = socket_hold(socket);
    ReleaseSRWLockExclusive(&session->index_lock);
    if (previous)
        socket_put(previous);
    return true;
}

void socket_unindex(struct session *session, uint32_t index)
{
    struct socket *socket;

    AcquireSRWLockExclusive(&session->index_lock);
    socket = session->by_index[index];
    session->by_index[index] = NULL;
    ReleaseSRWLockExclusive(&session->index_lock);
    if (socket)
        socket_put(socket);
}

void socket_forget_index(struct session *session, uint32_t index)
{
    struct rs_socket_shared *shared = &session->sockets[index];

    /* as the next owner finds them */
    shared->consumed = shared->want_sent = shared->interest = shared->send_full = 0;
    socket_unindex(session, index);
    submit_quietly(session, RS_SUB_FORGET, index);
}

/* ---- beginning ---- */

struct socket *socket_make(struct session *session, uint32_t index, int family, int type,
                           int protocol)
{
    struct socket *socket = socket_allocate();

    if (!socket)
        return NULL;
    socket->session = session;
    socket->index = index;
    socket->shared = &session->sockets[index];
    socket->family = family;
    socket->type = type;
    socket->protocol = protocol;
    socket->send_window = SEND_WINDOW_DEFAULT;
    socket->v6only = family == AF_INET6;
    if (!socket_set_index(session, index, socket)) {
        socket_put(socket);
        return NULL;
    }
    if (session->dead) /* pump.c may have swept the table before we were in it */
        socket->state = SOCKET_DEAD;
    return socket;
}

DWORD socket_open_handle(struct socket *socket, uint32_t anchor)
{
    bool inherit = !(socket->creation_flags & WSA_FLAG_NO_HANDLE_INHERIT);

    socket->anchor = anchor;
    socket->handle = (SOCKET)anchor_pool_take(socket, inherit);
    if (!socket->handle)
        socket->handle = (SOCKET)session_open_anchor(socket->session, anchor, inherit);
    if (!socket->handle) {
        log_rarely(LOG_WARN, "cannot open anchor %u, error %lu", anchor, GetLastError());
        return socket->session->dead ? WSAENETDOWN : WSAEMFILE;
    }
    if (!handle_table_insert(socket, socket->handle)) {
        real_NtClose((HANDLE)socket->handle);
        return WSAENOBUFS;
    }
    if (socket->state == SOCKET_CONNECTED) /* the listener may accept one more now */
        submit_simple(socket->session, RS_SUB_ANCHORED, 0, socket->index);
    else
        submit_quietly(socket->session, RS_SUB_ANCHORED, socket->index);
    return 0;
}

void socket_discard(struct socket *socket)
{
    AcquireSRWLockExclusive(&socket->lock);
    socket->closing = true;
    ReleaseSRWLockExclusive(&socket->lock);
    submit_simple(socket->session, RS_SUB_CLOSE, RS_CLOSE_ABORT, socket->index);
}

/* ---- waiting ---- */

DWORD socket_wait(struct socket *socket, struct operation_queue *queue, struct operation *operation,
                  uint64_t deadline)
{
    enum waiter_result result = WAITER_SIGNALED;
    bool removed = false;

    while (!operation->finished && !removed) {
        session_reap(socket->session);
        if (operation->finished)
            break;
        result = blocking_wait(operation->waiter, deadline, true);
        if (result != WAITER_TIMEOUT && result != WAITER_CANCELLED)
            continue;
        AcquireSRWLockExclusive(&socket->lock);
        removed = operation_remove(queue, operation);
        socket_update_interest(socket);
        ReleaseSRWLockExclusive(&socket->lock);
        deadline = WAITER_FOREVER; /* not there any more: somebody is about to finish it */
    }
    waiter_disarm(operation->waiter);
    if (removed)
        return result == WAITER_TIMEOUT ? WSAETIMEDOUT : WSAEINTR;
    return operation->error == WSA_OPERATION_ABORTED ? WSAEINTR : operation->error;
}

static DWORD watch_here(struct socket *socket, struct operation_queue *queue, socket_post *post)
{
    struct operation operation = {.kind = OPERATION_WATCH};
    DWORD error;

    if (!(operation.waiter = waiter_current()))
        return WSAENOBUFS;
    waiter_arm(operation.waiter, socket->session);
    if ((error = post(socket, &operation))) {
        waiter_disarm(operation.waiter);
        return error;
    }
    return socket_wait(socket, queue, &operation, WAITER_FOREVER);
}

DWORD socket_watch_change(struct socket *socket, struct operation_queue *queue, socket_post *post,
                          WSAOVERLAPPED *overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct operation *operation;
    DWORD error;

    if (!overlapped)
        return watch_here(socket, queue, post);
    if (!(operation = operation_create(socket, OPERATION_WATCH, overlapped, routine, &error)))
        return error;
    if ((error = post(socket, operation))) {
        operation_discard(operation);
        return error;
    }
    return WSA_IO_PENDING;
}

/* ---- end ---- */

static bool has_overlapped(const struct operation_queue *queue)
{
    const struct operation *operation = queue->head;

    while (operation && !operation->overlapped)
        operation = operation->next;
    return operation != NULL;
}

/* Windows resets a connection whose overlapped operations closing aborts: libuv's tcp.c, "If any
 * overlapped req failed to cancel, calling closesocket now would cause Win32 to send an RST
 * packet"; the same in .NET's SafeSocketHandle.  Behind a shutdown what was sent still counts. */
static bool close_resets(const struct socket *socket)
{
    if (socket->linger.l_onoff && !socket->linger.l_linger)
        return true;
    return socket->type == SOCK_STREAM &&
           (has_overlapped(&socket->receiving) || has_overlapped(&socket->receiving_urgent) ||
            (has_overlapped(&socket->sending) && !socket->shut_send));
}

/* Connections that nobody has accepted stay with the listener, which another process may have. */
void socket_ended(struct socket *socket)
{
    struct operation_queue finished = {0};

    socket_event_release(socket);
    AcquireSRWLockExclusive(&socket->lock);
    socket->closing = true;
    notification_end(socket);
    async_select_cancel(socket);
    socket_notify(socket, FD_CLOSE); /* pollers return */
    socket->close_resets = close_resets(socket);
    socket_abort_for_close(socket, &finished);
    ReleaseSRWLockExclusive(&socket->lock);
    operation_deliver_list(&finished);
    rio_socket_closed(socket);
    accept_ex_abandon(socket);
    afd_poll_clean();
}

bool socket_closed_by_handle(struct socket *socket, SOCKET handle)
{
    /* What has arrived before the call has completed before it (Wine's test_completion_port, run on
     * Windows), also where nobody has looked since. */
    session_reap(socket->session);
    if (!handle_table_remove(socket, handle) || InterlockedDecrement(&socket->handles))
        return false;
    /* what was read ahead is for those who hold the socket still, whatever becomes of this process
     */
    if (socket->duplicated && !socket->away)
        share_park(socket);
    socket_ended(socket);
    /* the server may see the handle go long before this thread gets to say what for */
    if (socket->close_resets && socket->type == SOCK_STREAM)
        submit_simple(socket->session, RS_SUB_CLOSE, RS_CLOSE_ABORT | RS_CLOSE_SOON, socket->index);
    return true;
}

static void say_closed(struct socket *socket, uint16_t flags)
{
    if (socket->close_resets)
        flags |= RS_CLOSE_ABORT;
    submit_simple(socket->session, RS_SUB_CLOSE, flags, socket->index);
}

void socket_after_close(struct socket *socket)
{
    say_closed(socket, 0);
}

void socket_flags_changed(HANDLE handle)
{
    struct socket *socket = socket_find(handle);

    if (!socket)
        return;
    socket->flags_changed = true;
    socket_put(socket);
}

static bool close_waits(const struct socket *socket)
{
    return socket->linger.l_onoff && socket->linger.l_linger && socket->type == SOCK_STREAM &&
           socket->state == SOCKET_CONNECTED && !socket->error;
}

/* closesocket's page: with a linger time the call waits for the acknowledgement of what was sent.
 */
static DWORD close_and_wait(struct socket *socket)
{
    struct request request = {.session = socket->session,
                              .type = RS_SUB_CLOSE,
                              .flags = RS_CLOSE_REPLY,
                              .socket = socket->index,
                              .arg = {socket->linger.l_linger * 1000u},
                              .can_block = true};
    DWORD error = request_call(&request);

    return error == WSAENETDOWN || error == WSAEINTR ? error : 0;
}

/* Not the last handle of this process. */
static bool close_duplicate(struct socket *socket, SOCKET handle)
{
    if (InterlockedCompareExchange(&socket->handles, 0, 0) < 2)
        return false;
    if (!socket_closed_by_handle(socket, handle)) {
        real_NtClose((HANDLE)handle);
        return true;
    }
    real_NtClose((HANDLE)handle); /* it was the last by now */
    socket_after_close(socket);
    return true;
}

DWORD socket_close(struct socket *socket, SOCKET handle)
{
    bool waits = close_waits(socket);

    if (close_duplicate(socket, handle))
        return 0;
    /* closesocket's page: "fails with WSAEWOULDBLOCK... the socket handle is still valid" */
    if (waits && socket->nonblocking && socket->submitted != socket->shared->sent)
        return WSAEWOULDBLOCK;
    if (!socket_closed_by_handle(socket, handle))
        return WSAENOTSOCK;
    waits = waits && !socket->nonblocking && !socket->close_resets;
    if (!waits && anchor_pool_keep(socket, (HANDLE)handle)) {
        say_closed(socket, RS_CLOSE_KEPT);
        return 0;
    }
    real_NtClose((HANDLE)handle);
    if (waits)
        return close_and_wait(socket);
    socket_after_close(socket);
    return 0;
}
