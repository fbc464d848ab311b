/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AFD's control codes for a socket's own address and its event record (see afd_socket.h).  Owns
 * nothing, takes no lock itself: Winsock's calls do the work, on the handle.
 *
 * The codes and structures are those of phnt's ntafd.h; what they answer was shown by Wine's
 * test_bind, test_getsockname, test_event_select and test_get_events for AFD, run on Windows.
 */
#include "afd_socket.h"
#include "afd.h"
#include "guarded_copy.h"
#include "look_again.h"
#include "sockaddr.h"
#include "socket.h"

#define IOCTL_AFD_BIND                0x12003u
#define IOCTL_AFD_GET_ADDRESS         0x1202fu
#define IOCTL_AFD_EVENT_SELECT        0x12087u
#define IOCTL_AFD_ENUM_NETWORK_EVENTS 0x1208bu

#define AFD_POLL_EVENTS 13 /* bits that a poll may have */

struct afd_event_select { /* AFD_EVENT_SELECT_INFO */
    HANDLE event;
    ULONG polled;
};

struct afd_network_events { /* AFD_ENUM_NETWORK_EVENTS_INFO */
    ULONG polled;
    NTSTATUS status[AFD_POLL_EVENTS];
};

static const struct {
    ULONG polled; /* one bit is told; all of them ask for it */
    long event;
    int bit;
} event_names[] = {{AFD_POLL_RECEIVE, FD_READ, FD_READ_BIT},
                   {AFD_POLL_RECEIVE_EXPEDITED, FD_OOB, FD_OOB_BIT},
                   {AFD_POLL_SEND, FD_WRITE, FD_WRITE_BIT},
                   {AFD_POLL_DISCONNECT | AFD_POLL_ABORT, FD_CLOSE, FD_CLOSE_BIT},
                   {AFD_POLL_CONNECT | AFD_POLL_CONNECT_FAIL, FD_CONNECT, FD_CONNECT_BIT},
                   {AFD_POLL_ACCEPT, FD_ACCEPT, FD_ACCEPT_BIT}};

struct afd_call {
    SOCKET handle;
    struct socket *socket;
    const struct io_request *request;
    const void *input;
    ULONG input_size;
    void *output;
    ULONG output_size;
};

/* Tells whom the request names, which it does for all that it does not refuse.  `pended`: the call
 * says so, although the end has come by then. */
static NTSTATUS finish(const struct afd_call *call, NTSTATUS answer, ULONG size, bool pended)
{
    NTSTATUS status;
    struct operation *operation =
        operation_create_raw(call->socket, OPERATION_WATCH, call->request, &status);

    if (!operation)
        return status;
    operation->done = size;
    operation->error = error_from_status(answer);
    if (pended) {
        operation->exact = answer;
        operation_deliver(operation);
        return STATUS_PENDING;
    }
    return operation_end_raw(operation, operation->error);
}

/* ---- the address ---- */

struct afd_bind_head { /* AFD_BIND_INFO: how the port may be shared, and the address' beginning */
    ULONG sharing;
    USHORT family;
};
#define AFD_BIND_HEAD (offsetof(struct afd_bind_head, family) + sizeof(USHORT))

static NTSTATUS bind_refused(const struct afd_call *call, struct sockaddr_storage *address)
{
    struct afd_bind_head head;
    ULONG size = (ULONG)sockaddr_size(call->socket->family);
    const char *from = (const char *)call->input + offsetof(struct afd_bind_head, family);

    if (call->input_size < AFD_BIND_HEAD)
        return STATUS_INVALID_PARAMETER;
    if (guarded_copy(&head, call->input, AFD_BIND_HEAD))
        return STATUS_ACCESS_VIOLATION;
    if (head.family != call->socket->family ||
        call->input_size < offsetof(struct afd_bind_head, family) + size)
        return STATUS_INVALID_ADDRESS;
    if (call->output_size < size)
        return STATUS_INVALID_PARAMETER;
    if (guarded_copy(address, from, size))
        return STATUS_ACCESS_VIOLATION;
    return call->socket->bound ? STATUS_ADDRESS_ALREADY_ASSOCIATED : STATUS_SUCCESS;
}

static NTSTATUS bind_status(DWORD error)
{
    return error == WSAEADDRINUSE || error == WSAEACCES ? STATUS_SHARING_VIOLATION
                                                        : status_from_error(error);
}

static NTSTATUS bind_address(const struct afd_call *call)
{
    struct sockaddr_storage address;
    int size = sockaddr_size(call->socket->family);
    NTSTATUS status = bind_refused(call, &address);

    if (status)
        return status;
    if (bind(call->handle, (struct sockaddr *)&address, size))
        return finish(call, bind_status(WSAGetLastError()), 0, true);
    if (getsockname(call->handle, (struct sockaddr *)&address, &size) ||
        guarded_copy(call->output, &address, (size_t)size))
        return finish(call, STATUS_ACCESS_VIOLATION, 0, true);
    return finish(call, STATUS_SUCCESS, (ULONG)size, true);
}

static NTSTATUS get_address(const struct afd_call *call)
{
    struct sockaddr_storage address;
    int size = sizeof(address);

    if (getsockname(call->handle, (struct sockaddr *)&address, &size))
        return STATUS_INVALID_PARAMETER;
    if (call->output_size < (ULONG)size)
        return STATUS_BUFFER_TOO_SMALL;
    if (guarded_copy(call->output, &address, (size_t)size))
        return STATUS_ACCESS_VIOLATION;
    return finish(call, STATUS_SUCCESS, (ULONG)size, false);
}

/* ---- the event record ---- */

static NTSTATUS refuse(const struct afd_call *call, NTSTATUS status)
{
    call->request->iosb->Status = status;
    call->request->iosb->Information = 0;
    return status;
}

static NTSTATUS event_select(const struct afd_call *call)
{
    struct afd_event_select info;
    long events = 0;

    if (!call->input || call->input_size < sizeof(info))
        return refuse(call, STATUS_INVALID_PARAMETER);
    if (guarded_copy(&info, call->input, sizeof(info)))
        return STATUS_ACCESS_VIOLATION;
    for (size_t i = 0; i < ARRAYSIZE(event_names); i++)
        if (info.polled & event_names[i].polled)
            events |= event_names[i].event;
    if (!info.event && events)
        return refuse(call, STATUS_INVALID_PARAMETER);
    if (WSAEventSelect(call->handle, info.event, events))
        return refuse(call, status_from_error(WSAGetLastError()));
    return finish(call, STATUS_SUCCESS, 0, false);
}

static ULONG poll_bit(long event, int error)
{
    if (event == FD_CLOSE)
        return error ? AFD_POLL_ABORT : AFD_POLL_DISCONNECT;
    return error ? AFD_POLL_CONNECT_FAIL : AFD_POLL_CONNECT;
}

static NTSTATUS enum_network_events(const struct afd_call *call)
{
    struct afd_network_events info = {0};
    WSANETWORKEVENTS events;

    if (!call->output || call->output_size < sizeof(info))
        return STATUS_INVALID_PARAMETER;
    /* Wine's test_get_events, run on Windows, resets a connection and asks at once; no program
     * that is in a hurry does */
    look_now(call->socket);
    /* the input is a handle, of the event to be reset, or NULL */
    if (WSAEnumNetworkEvents(call->handle, (HANDLE)call->input, &events))
        return status_from_error(WSAGetLastError());
    for (size_t i = 0; i < ARRAYSIZE(event_names); i++) {
        int error = events.iErrorCode[event_names[i].bit];
        ULONG bit = event_names[i].polled;

        if (!(events.lNetworkEvents & event_names[i].event))
            continue;
        if (bit & (bit - 1))
            bit = poll_bit(event_names[i].event, error);
        info.polled |= bit;
        if (bit == AFD_POLL_CONNECT_FAIL) /* a reset has none here */
            info.status[__builtin_ctz(bit)] = status_from_error((DWORD)error);
    }
    if (guarded_copy(call->output, &info, sizeof(info)))
        return STATUS_ACCESS_VIOLATION;
    return finish(call, STATUS_SUCCESS, 0, false);
}

static const struct {
    ULONG code;
    NTSTATUS (*act)(const struct afd_call *call);
} codes[] = {{IOCTL_AFD_BIND, bind_address},
             {IOCTL_AFD_GET_ADDRESS, get_address},
             {IOCTL_AFD_EVENT_SELECT, event_select},
             {IOCTL_AFD_ENUM_NETWORK_EVENTS, enum_network_events}};

bool afd_socket_call(HANDLE handle, const struct io_request *request, ULONG code, const void *input,
                     ULONG input_size, void *output, ULONG output_size, NTSTATUS *status)
{
    DWORD last_error = GetLastError();
    struct afd_call call = {(SOCKET)handle, NULL, request, input, input_size, output, output_size};
    size_t i;

    for (i = 0; i < ARRAYSIZE(codes) && codes[i].code != code; i++)
        ;
    if (i == ARRAYSIZE(codes) || RtlDllShutdownInProgress() || !(call.socket = socket_find(handle)))
        return false;
    *status = codes[i].act(&call);
    socket_put(call.socket);
    SetLastError(last_error);
    return true;
}
