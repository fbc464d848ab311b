/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AcceptEx and GetAcceptExSockaddrs.  Takes the listener's lock, then the accepting socket's.
 *
 * The accepting socket exists before the connection does, with an index and an anchor of its own;
 * the server lets it adopt the connection (RS_SUB_ADOPT), and until the connection's index has
 * ended both lead to the accepting socket.
 */
#include "accept.h"
#include "extension.h"
#include "guarded_copy.h"
#include "log.h"
#include "receive.h"
#include "sockaddr.h"
#include "socket_life.h"
#include "startup.h"
#include "unix_socket.h"

/* AcceptEx's page: each address takes "at least 16 bytes more than the maximum address length": the
 * length in front, then the address. */
struct stored_address {
    INT length;
    struct sockaddr_in6 address;
};
#define ADDRESS_ROOM 16u

static void store_address(char *to, DWORD room, const struct rs_addr *wire)
{
    struct stored_address stored;
    DWORD size;

    if (!room)
        return;
    stored.length = sockaddr_from_wire(&stored.address, wire);
    size = sizeof(stored.length) + stored.length;
    memcpy(to, &stored, size < room ? size : room);
}

static void submit_adopt(struct session *session, uint32_t target, uint32_t source)
{
    struct rs_record *record =
        submit_begin(session, RS_SUB_ADOPT, 0, target, sizeof(*record) + sizeof(struct rs_adopt));
    struct rs_adopt *adopt;

    if (!record)
        return;
    adopt = (struct rs_adopt *)(record + 1);
    memset(adopt, 0, sizeof(*adopt));
    adopt->source = source;
    submit_end(session, record, sizeof(*record) + sizeof(*adopt), sizeof(*adopt));
}

/* What the connection has and is goes over to the accepting socket; both locks are held. */
static void adopt(struct socket *target, struct socket *connection)
{
    target->state = SOCKET_CONNECTED;
    target->bound = target->acceptex = true;
    target->local = connection->local;
    target->peer = connection->peer;
    unix_name_inherit(target, connection);
    target->connect_time = connection->connect_time;
    target->arrived = connection->arrived;
    target->arrived_last = connection->arrived_last;
    target->arrived_bytes = connection->arrived_bytes;
    target->end_of_stream = connection->end_of_stream;
    target->error = connection->error;
    target->urgent = connection->urgent;
    connection->arrived = connection->arrived_last = connection->urgent = NULL;
    connection->closing = true;
    submit_adopt(target->session, target->index, connection->index);
    socket_set_index(target->session, connection->index, target);
}

/* AcceptEx's page: too little room for an address is found out when there is one to store; the
 * connection then stays for the next who asks. */
static bool has_room(const struct operation *operation)
{
    DWORD room = sockaddr_size(operation->socket->family) + ADDRESS_ROOM;

    return (!operation->accept_local || operation->accept_local >= room) &&
           operation->accept_remote >= room;
}

bool accept_ex_refuse(struct operation *operation, struct operation_queue *finished)
{
    if (has_room(operation))
        return false;
    operation->error = ERROR_INSUFFICIENT_BUFFER;
    operation_append(finished, operation);
    return true;
}

void accept_ex_connect(struct operation *operation, struct socket *connection,
                       struct operation_queue *finished)
{
    struct socket *target = operation->accept_socket;
    char *addresses = operation->accept_buffer + operation->accept_receive;

    AcquireSRWLockExclusive(&target->lock);
    AcquireSRWLockExclusive(&connection->lock); /* nobody else can hold it: it has no handle */
    if (target->closing || target->state != SOCKET_OPEN) {
        ReleaseSRWLockExclusive(&connection->lock);
        ReleaseSRWLockExclusive(&target->lock);
        operation->error = WSA_OPERATION_ABORTED;
        operation_append(finished, operation);
        socket_discard(connection);
        socket_put(connection);
        return;
    }
    adopt(target, connection);
    ReleaseSRWLockExclusive(&connection->lock);
    store_address(addresses, operation->accept_local, &target->local);
    store_address(addresses + operation->accept_local, operation->accept_remote, &target->peer);
    if (!operation->accept_receive || receive_try(target, operation))
        operation_append(finished, operation);
    else
        operation_append(&target->receiving, operation);
    socket_update_interest(target);
    ReleaseSRWLockExclusive(&target->lock);
    socket_put(connection);
}

static void abandon(struct socket *listener, void *target)
{
    struct operation_queue finished = {0};
    struct operation *operation;

    if (listener == target)
        return;
    AcquireSRWLockExclusive(&listener->lock);
    for (operation = listener->accepting.head; operation; operation = operation->next)
        if (operation->accept_socket == target)
            break;
    if (operation && operation_remove(&listener->accepting, operation)) {
        operation->error = WSA_OPERATION_ABORTED;
        operation_append(&finished, operation);
    }
    ReleaseSRWLockExclusive(&listener->lock);
    operation_deliver_list(&finished);
}

void accept_ex_abandon(struct socket *target)
{
    if (target->accept_pending)
        socket_for_each(abandon, target);
}

static DWORD check_target(struct socket *target)
{
    DWORD error = 0;

    AcquireSRWLockShared(&target->lock);
    if (target->state == SOCKET_DEAD)
        error = WSAENETDOWN;
    else if (target->type != SOCK_STREAM || target->bound || target->state != SOCKET_OPEN)
        error = WSAEINVAL;
    ReleaseSRWLockShared(&target->lock);
    return error;
}

static DWORD accept_ex(struct socket *listener, struct socket *target, char *buffer, DWORD receive,
                       DWORD local, DWORD remote, OVERLAPPED *overlapped)
{
    struct operation_queue finished = {0};
    struct operation *operation;
    struct socket *connection;
    WSABUF data = {receive, buffer};
    bool deferred;
    DWORD error;

    if (!(operation = operation_create(listener, OPERATION_ACCEPT, overlapped, NULL, &error)))
        return error;
    operation_set_buffers(operation, &data, 1);
    if (InterlockedExchange(&target->accept_pending, 1))
        return operation_end_call(operation, WSAEINVAL);
    operation->accept_socket = socket_hold(target);
    operation->accept_buffer = buffer;
    operation->accept_receive = receive;
    operation->accept_local = local;
    operation->accept_remote = remote;

    session_reap(listener->session);
    AcquireSRWLockExclusive(&listener->lock);
    if (listener->closing) {
        ReleaseSRWLockExclusive(&listener->lock);
        return operation_end_call(operation, WSAENOTSOCK);
    }
    /* one that was deferred comes, but by completion (Wine's test_accept, run on Windows) */
    deferred = listener->incoming && listener->incoming->deferred;
    if (listener->incoming && accept_ex_refuse(operation, &finished))
        ;
    else if ((connection = accept_take(listener)))
        accept_ex_connect(operation, connection, &finished);
    else {
        operation_append(&listener->accepting, operation);
        socket_update_interest(listener);
    }
    socket_event_enable(listener, FD_ACCEPT);
    ReleaseSRWLockExclusive(&listener->lock);
    if (finished.head) {
        /* a failure is told by completion */
        error = finished.head->error || deferred ? WSA_IO_PENDING : 0;
        finished.head->immediate = !deferred;
        operation_deliver_list(&finished);
        return error;
    }
    session_reap(listener->session);
    return WSA_IO_PENDING;
}

BOOL WINAPI ws_AcceptEx(SOCKET listening, SOCKET accepting, void *buffer, DWORD receive,
                        DWORD local, DWORD remote, DWORD *received, OVERLAPPED *overlapped)
{
    struct socket *listener, *target = NULL;
    DWORD error = 0;

    if (overlapped && !guarded_store_pointer(&overlapped->Internal, STATUS_PENDING))
        return return_error(WSAEFAULT) == 0;
    if (!(listener = socket_get(listening)))
        return FALSE;
    if (!overlapped)
        error = ERROR_INVALID_PARAMETER;
    else if (!buffer || !remote)
        error = WSAEFAULT;
    else if (listener->state == SOCKET_DEAD)
        error = WSAENETDOWN;
    else if (listener->state != SOCKET_LISTENING)
        error = WSAEINVAL;
    else if (!(target = socket_get(accepting)))
        error = GetLastError();
    else if (!(error = check_target(target))) {
        error = accept_ex(listener, target, buffer, receive, local, remote, overlapped);
        if (error == WSAEINVAL) /* the socket is being accepted into: that goes on */
            overlapped->Internal = STATUS_PENDING;
    }
    if (received && !error)
        *received = (DWORD)overlapped->InternalHigh;
    if (target)
        socket_put(target);
    socket_put(listener);
    return return_error(error) == 0;
}

/* It has no way to tell an error: what is not there is left alone. */
static void load_address(char *from, DWORD room, struct sockaddr **address, INT *length)
{
    struct stored_address *stored = (struct stored_address *)from;

    if (!room)
        return;
    if (address)
        guarded_store_pointer((ULONG_PTR *)address, (ULONG_PTR)&stored->address);
    if (length)
        guarded_copy(length, &stored->length, sizeof(*length));
}

void WINAPI ws_GetAcceptExSockaddrs(void *buffer, DWORD receive, DWORD local, DWORD remote,
                                    struct sockaddr **local_address, INT *local_length,
                                    struct sockaddr **remote_address, INT *remote_length)
{
    char *addresses = (char *)buffer + receive;

    load_address(addresses, local, local_address, local_length);
    load_address(addresses + local, remote, remote_address, remote_length);
}
