/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking posted operations back (see cancel.h).  Owns nothing; takes the socket's lock.
 *
 * An operation is on its queue or it is not: whoever takes it off, under the lock, is the one that
 * ends it.  So each ends once, as cancelled or as complete, and nobody writes into its buffers
 * afterwards.
 */
#include "cancel.h"
#include "receive.h"

/* Which operations the end of a thread takes along.  ExitThread's page excepts "I/O that is
 * associated with a completion port"; Windows still cancels those that an event or a routine is
 * told of, or that would post no packet (facts of Wine's test_async_thread_termination, run on
 * Windows). */
static bool ends_with_thread(const struct operation *operation)
{
    return !operation->socket->port || operation->event || operation->routine ||
           operation->apc || operation->no_packet;
}

static bool matches(const struct operation_filter *filter, const struct operation *operation)
{
    if (filter->blocked && ((operation->overlapped && !operation->blocks) ||
                            operation->waiter != filter->blocked))
        return false;
    if (filter->overlapped && operation->overlapped != filter->overlapped)
        return false;
    if (filter->issuer && (!operation->overlapped || operation->issuer_serial != filter->issuer))
        return false;
    return !filter->thread_exit || ends_with_thread(operation);
}

/* Moves what matches to `finished`; the rest keeps its order. */
static ULONG take_matching(struct operation_queue *queue, const struct operation_filter *filter,
                           struct operation_queue *finished)
{
    struct operation_queue all = *queue;
    struct operation *operation;
    ULONG count = 0;

    *queue = (struct operation_queue){0};
    while ((operation = operation_pop(&all))) {
        bool taken = matches(filter, operation);

        operation_append(taken ? finished : queue, operation);
        count += taken;
    }
    return count;
}

static ULONG take_from_queues(struct socket *socket, const struct operation_filter *filter,
                              struct operation_queue *finished)
{
    ULONG count = take_matching(&socket->receiving, filter, finished);

    count += take_matching(&socket->receiving_urgent, filter, finished);
    count += take_matching(&socket->sending, filter, finished);
    count += take_matching(&socket->connecting, filter, finished);
    count += take_matching(&socket->accepting, filter, finished);
    count += take_matching(&socket->deferred_receives, filter, finished);
    count += take_matching(&socket->deferred_sends, filter, finished);
    count += take_matching(&socket->watching, filter, finished);
    count += take_matching(&socket->backlog_watch, filter, finished);
    return count;
}

/* Their threads end them, when what they block for has ended or they look the next time. */
static ULONG stop_carried(struct socket *socket, const struct operation_filter *filter,
                          struct operation_queue *finished)
{
    struct carried *carried;
    ULONG count = 0;

    for (carried = socket->carried; carried; carried = carried->next) {
        struct operation_filter blocked = {.blocked = carried->waiter};

        if (carried->cancelled || !matches(filter, carried->operation))
            continue;
        count++;
        carried->cancelled = true;
        SetEvent(carried->stop);
        if (carried->waiter)
            take_from_queues(socket, &blocked, finished);
    }
    return count;
}

static ULONG take_all_matching(struct socket *socket, const struct operation_filter *filter,
                               struct operation_queue *finished)
{
    ULONG count = take_from_queues(socket, filter, finished);

    count += stop_carried(socket, filter, finished);
    socket_update_interest(socket);
    return count;
}

/* closesocket's page says WSA_OPERATION_ABORTED, and so it is but for the receives of a stream:
 * closing aborts their connection first, and that is what they end with (Wine's
 * iocp_async_read_closesocket for streams, test_recv for datagrams, both run on Windows). */
static DWORD closing_error(const struct socket *socket, const struct operation *operation)
{
    bool aborted = socket->type == SOCK_STREAM && operation->kind == OPERATION_RECV;

    return aborted && operation->overlapped ? WSAECONNABORTED : WSA_OPERATION_ABORTED;
}

void socket_abort_all(struct socket *socket, DWORD error, struct operation_queue *finished)
{
    struct operation *operation;

    take_all_matching(socket, &(struct operation_filter){0}, finished);
    for (operation = finished->head; operation; operation = operation->next)
        operation->error = receive_cut_short(operation, error);
}

void socket_abort_for_close(struct socket *socket, struct operation_queue *finished)
{
    struct operation *operation;

    take_all_matching(socket, &(struct operation_filter){0}, finished);
    for (operation = finished->head; operation; operation = operation->next)
        operation->error = closing_error(socket, operation);
}

ULONG socket_cancel(struct socket *socket, const struct operation_filter *filter)
{
    struct operation_queue finished = {0};
    struct operation *operation;
    ULONG count;

    AcquireSRWLockExclusive(&socket->lock);
    count = take_all_matching(socket, filter, &finished);
    ReleaseSRWLockExclusive(&socket->lock);
    for (operation = finished.head; operation; operation = operation->next)
        operation->error = receive_cut_short(operation, WSA_OPERATION_ABORTED);
    operation_deliver_list(&finished);
    return count;
}
