/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending and receiving through ntdll (see raw_io.h).  Owns nothing; takes no lock itself.
 *
 * A socket is a file object of the AFD driver, and what its calls do beside moving bytes is the I/O
 * manager's: the status block stays as it is until the operation is complete; an error at once is
 * told by the return value alone; an event, a routine or a packet tell of anything else, also of
 * what completed at once.  A SOCKET without WSA_FLAG_OVERLAPPED is a file opened for synchronous
 * I/O, whose calls return when they are done.
 *
 * The structures and flags of the codes are those that libuv's source has (winapi.h and winsock.h),
 * for sending those of phnt's ntafd.h; the address to send to is a plain SOCKADDR.  What they do
 * was shown by Wine's test_recv and test_read_write for AFD, run on Windows.
 */
#include "raw_io.h"
#include "anchor_pool.h"
#include "fast_event.h"
#include "guarded_copy.h"
#include "handle_pages.h"
#include "handles.h"
#include "intercept.h"
#include "share.h"

/* From whichever process has it. */
static NTSTATUS fetch(struct socket *socket)
{
    DWORD last_error = GetLastError(), error;

    if (!socket->away)
        return STATUS_SUCCESS;
    error = share_use(socket);
    SetLastError(last_error);
    return error ? status_from_error(error) : STATUS_SUCCESS;
}

/* ---- one operation ---- */

/* Synchronous I/O is not alertable, and knows nothing of SO_RCVTIMEO or of blocking hooks. */
static NTSTATUS wait_for(const struct socket *socket, struct waiter *waiter,
                         const IO_STATUS_BLOCK *iosb)
{
    NTSTATUS status;

    while ((status = __atomic_load_n(&iosb->Status, __ATOMIC_ACQUIRE)) == STATUS_PENDING) {
        session_reap(socket->session);
        if (__atomic_load_n(&iosb->Status, __ATOMIC_ACQUIRE) == STATUS_PENDING)
            waiter_wait(waiter, WAITER_FOREVER, false);
    }
    return status;
}

static NTSTATUS start(struct socket *socket, struct operation *operation,
                      const struct raw_data *data)
{
    DWORD error = operation->kind == OPERATION_RECV ? receive_raw(socket, operation, data)
                                                    : send_raw(socket, operation, data);

    return operation_end_raw(operation, error);
}

static NTSTATUS start_and_wait(struct socket *socket, struct operation *operation,
                               IO_STATUS_BLOCK *iosb, const struct raw_data *data)
{
    struct waiter *waiter = operation->issuer;
    IO_STATUS_BLOCK before = *iosb;
    NTSTATUS status;

    operation->blocks = true;
    operation->waiter = waiter;
    waiter_arm(waiter, socket->session);
    iosb->Status = STATUS_PENDING; /* nobody but this thread looks at it */
    status = start(socket, operation, data);
    if (status == STATUS_PENDING)
        status = wait_for(socket, waiter, iosb);
    else if (NT_ERROR(status))
        *iosb = before;
    waiter_disarm(waiter);
    return status;
}

static NTSTATUS move(struct socket *socket, enum operation_kind kind,
                     const struct io_request *request, const struct raw_data *data)
{
    DWORD error = GetLastError();
    struct operation *operation;
    NTSTATUS status;

    if ((operation = operation_create_raw(socket, kind, request, &status)))
        status = socket->creation_flags & WSA_FLAG_OVERLAPPED
                     ? start(socket, operation, data)
                     : start_and_wait(socket, operation, request->iosb, data);
    SetLastError(error);
    return status;
}

/* ---- NtReadFile, NtWriteFile ---- */

#define AT_THE_END (-1) /* FILE_WRITE_TO_END_OF_FILE */

/* Of a file for overlapped I/O the call must say where, though a socket has no such place. */
static NTSTATUS check_offset(const struct socket *socket, const LARGE_INTEGER *offset, bool write)
{
    LARGE_INTEGER where;

    if (!(socket->creation_flags & WSA_FLAG_OVERLAPPED))
        return STATUS_SUCCESS;
    if (!offset)
        return STATUS_INVALID_PARAMETER;
    if (guarded_copy(&where, offset, sizeof(where)))
        return STATUS_ACCESS_VIOLATION;
    return where.QuadPart >= 0 || (write && where.QuadPart == AT_THE_END)
               ? STATUS_SUCCESS
               : STATUS_INVALID_PARAMETER;
}

static NTSTATUS read_or_write(struct socket *socket, enum operation_kind kind,
                              const struct io_request *request, void *buffer, ULONG length,
                              const LARGE_INTEGER *offset)
{
    WSABUF whole = {length, buffer};
    struct raw_data data = {.buffers = &whole, .count = 1, .may_wait = true};
    NTSTATUS status = fetch(socket);

    if (!status)
        status = check_offset(socket, offset, kind == OPERATION_SEND);
    return status ? status : move(socket, kind, request, &data);
}

/* A socket that calls may be made on: not while the process ends. */
static struct socket *find(HANDLE file)
{
    struct socket *socket = share_find(file);

    if (socket && RtlDllShutdownInProgress()) {
        socket_put(socket);
        return NULL;
    }
    return socket;
}

/* True: the file is a socket, and *status what the call returns. */
static bool read_or_write_socket(HANDLE file, enum operation_kind kind,
                                 const struct io_request *request, void *buffer, ULONG length,
                                 const LARGE_INTEGER *offset, NTSTATUS *status)
{
    struct socket *socket = find(file);

    if (!socket) {
        event_hand_over(request->event);
        return false;
    }
    *status = read_or_write(socket, kind, request, buffer, length, offset);
    socket_put(socket);
    return true;
}

NTSTATUS NTAPI our_NtReadFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                              IO_STATUS_BLOCK *iosb, void *buffer, ULONG length,
                              LARGE_INTEGER *offset, ULONG *key)
{
    if (event || handle_is_kept(file)) {
        struct io_request request = {event, routine, context, iosb};
        NTSTATUS status;

        if (read_or_write_socket(file, OPERATION_RECV, &request, buffer, length, offset, &status))
            return status;
        file = anchor_pool_hide(file);
    }
    return real_NtReadFile(file, event, routine, context, iosb, buffer, length, offset, key);
}

NTSTATUS NTAPI our_NtWriteFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine, void *context,
                               IO_STATUS_BLOCK *iosb, const void *buffer, ULONG length,
                               LARGE_INTEGER *offset, ULONG *key)
{
    if (event || handle_is_kept(file)) {
        struct io_request request = {event, routine, context, iosb};
        NTSTATUS status;

        if (read_or_write_socket(file, OPERATION_SEND, &request, (void *)buffer, length, offset,
                                 &status))
            return status;
        file = anchor_pool_hide(file);
    }
    return real_NtWriteFile(file, event, routine, context, iosb, buffer, length, offset, key);
}

/* ---- control codes ---- */

#define IOCTL_AFD_RECEIVE          0x12017u
#define IOCTL_AFD_RECEIVE_DATAGRAM 0x1201bu
#define IOCTL_AFD_SEND             0x1201fu
#define IOCTL_AFD_SEND_DATAGRAM    0x12023u

#define AFD_OVERLAPPED 0x2u /* of the flags the one that matters here */

/* of the kit's tdi.h, which needs headers that are not beside it */
enum {
    TDI_RECEIVE_PARTIAL = 0x10,
    TDI_RECEIVE_NORMAL = 0x20,
    TDI_RECEIVE_EXPEDITED = 0x40,
    TDI_RECEIVE_PEEK = 0x80,
    TDI_RECEIVE_NO_PUSH = 0x4000, /* MSG_WAITALL */
    TDI_SEND_EXPEDITED = 0x20,
    TDI_SEND_PARTIAL = 0x40,
};

struct afd_transfer { /* AFD_RECV_INFO, AFD_SEND_INFO */
    WSABUF *buffers;
    ULONG count;
    ULONG afd_flags, tdi_flags;
};

struct afd_receive_datagram { /* AFD_RECV_DATAGRAM_INFO */
    struct afd_transfer transfer;
    struct sockaddr *address;
    int *address_length;
};

struct afd_send_datagram { /* AFD_SEND_DATAGRAM_INFO */
    WSABUF *buffers;
    ULONG count;
    ULONG afd_flags;
    void *unused_request[5]; /* TDI_REQUEST_SEND_DATAGRAM: its fourth is a TDI_STATUS */
    struct {
        LONG user_size;
        void *user;
        LONG options_size;
        void *options;
        LONG address_length;
        struct sockaddr *address;
    } connection; /* TDI_CONNECTION_INFORMATION */
};

static const struct flag {
    ULONG tdi;
    DWORD winsock;
} receive_flags[] = {{TDI_RECEIVE_EXPEDITED, MSG_OOB},
                     {TDI_RECEIVE_PEEK, MSG_PEEK},
                     {TDI_RECEIVE_PARTIAL, MSG_PARTIAL},
                     {TDI_RECEIVE_NO_PUSH, MSG_WAITALL},
                     {0, 0}},
  send_flags[] = {{TDI_SEND_EXPEDITED, MSG_OOB}, {TDI_SEND_PARTIAL, MSG_PARTIAL}, {0, 0}};

/* The bits that are not in the table say nothing to a socket. */
static DWORD winsock_flags(const struct flag *table, ULONG tdi)
{
    DWORD flags = 0;

    for (; table->tdi; table++)
        if (tdi & table->tdi)
            flags |= table->winsock;
    return flags;
}

static bool copy_input(void *to, ULONG size, const void *input, ULONG input_size, DWORD *refused)
{
    *refused = WSAEINVAL;
    if (!input || input_size < size)
        return false;
    *refused = guarded_copy(to, input, size) ? WSAEFAULT : 0;
    return !*refused;
}

static void take_transfer(struct raw_data *data, const struct afd_transfer *transfer)
{
    data->buffers = transfer->buffers;
    data->count = transfer->count;
    data->may_wait = transfer->afd_flags & AFD_OVERLAPPED;
}

/* Either kind of data, not both and not none (Wine's test_recv, run on Windows). */
static void take_receive_flags(struct raw_data *data, ULONG tdi)
{
    data->flags = winsock_flags(receive_flags, tdi);
    if (!(tdi & TDI_RECEIVE_NORMAL) == !(tdi & TDI_RECEIVE_EXPEDITED))
        data->refused = WSAEINVAL;
}

static NTSTATUS receive(struct socket *socket, const struct io_request *request, const void *input,
                        ULONG input_size)
{
    struct raw_data data = {.count = 0};
    struct afd_transfer transfer;

    if (copy_input(&transfer, sizeof(transfer), input, input_size, &data.refused)) {
        take_transfer(&data, &transfer);
        take_receive_flags(&data, transfer.tdi_flags);
    }
    return move(socket, OPERATION_RECV, request, &data);
}

static NTSTATUS receive_datagram(struct socket *socket, const struct io_request *request,
                                 const void *input, ULONG input_size)
{
    struct raw_data data = {.count = 0};
    struct afd_receive_datagram info;

    if (copy_input(&info, sizeof(info), input, input_size, &data.refused)) {
        take_transfer(&data, &info.transfer);
        data.address = info.address;
        data.address_length = info.address_length;
        take_receive_flags(&data, info.transfer.tdi_flags);
    }
    if (socket->type == SOCK_STREAM)
        data.refused = WSAEINVAL;
    return move(socket, OPERATION_RECV, request, &data);
}

static NTSTATUS send_stream(struct socket *socket, const struct io_request *request,
                            const void *input, ULONG input_size)
{
    struct raw_data data = {.count = 0};
    struct afd_transfer transfer;

    if (copy_input(&transfer, sizeof(transfer), input, input_size, &data.refused)) {
        take_transfer(&data, &transfer);
        data.flags = winsock_flags(send_flags, transfer.tdi_flags);
    }
    return move(socket, OPERATION_SEND, request, &data);
}

static NTSTATUS send_datagram(struct socket *socket, const struct io_request *request,
                              const void *input, ULONG input_size)
{
    struct raw_data data = {.count = 0};
    struct afd_send_datagram info;
    int length;

    if (copy_input(&info, sizeof(info), input, input_size, &data.refused)) {
        data.buffers = info.buffers;
        data.count = info.count;
        data.may_wait = info.afd_flags & AFD_OVERLAPPED;
        data.address = info.connection.address;
        data.address_length = &length;
        length = info.connection.address_length;
    }
    if (socket->type == SOCK_STREAM)
        data.refused = WSAEINVAL;
    return move(socket, OPERATION_SEND, request, &data);
}

static const struct transfer {
    ULONG code;
    NTSTATUS(*start)
    (struct socket *socket, const struct io_request *request, const void *input, ULONG input_size);
} transfers[] = {{IOCTL_AFD_RECEIVE, receive},
                 {IOCTL_AFD_RECEIVE_DATAGRAM, receive_datagram},
                 {IOCTL_AFD_SEND, send_stream},
                 {IOCTL_AFD_SEND_DATAGRAM, send_datagram}};

static const struct transfer *find_transfer(ULONG code)
{
    for (size_t i = 0; i < ARRAYSIZE(transfers); i++)
        if (transfers[i].code == code)
            return &transfers[i];
    return NULL;
}

bool raw_is_transfer(ULONG code)
{
    return find_transfer(code) != NULL;
}

NTSTATUS raw_transfer(struct socket *socket, const struct io_request *request, ULONG code,
                      const void *input, ULONG input_size)
{
    NTSTATUS status = fetch(socket);

    return status ? status : find_transfer(code)->start(socket, request, input, input_size);
}
