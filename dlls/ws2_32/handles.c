/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for ntdll's calls on any handle (see handles.h): a SOCKET is a pipe handle that
 * other DLLs may close, duplicate, cancel or associate like any other.
 *
 * Owns nothing, takes no lock itself.  Our own code closes handles and writes files too: those take
 * the short way through here, since they are no sockets and no ports.  While the process ends
 * nothing here takes a lock: the threads that held them are gone.
 */
#include "handles.h"
#include "afd.h"
#include "async_select.h"
#include "cancel.h"
#include "fast_event.h"
#include "handle_table.h"
#include "intercept.h"
#include "log.h"
#include "port_internal.h"
#include "port_table.h"
#include "share.h"
#include "socket_life.h"

/* ---- closing ---- */

/* What has to be known of a handle that is about to go. */
struct closing {
    HANDLE handle;
    struct socket *socket;
    struct port *port;
    struct event *event;
};

static struct closing closing_begin(HANDLE handle)
{
    struct closing closing = {handle, socket_find(handle), NULL, NULL};

    if (closing.socket && closing.socket->handles < 2)
        async_select_handle_closed(closing.socket);
    if (closing.socket && !socket_closed_by_handle(closing.socket, (SOCKET)handle)) {
        socket_put(closing.socket);
        closing.socket = NULL;
    }
    if (!closing.socket) {
        closing.port = port_closing(handle);
        closing.event = event_closing(handle);
        afd_helper_closed(handle);
    }
    return closing;
}

static void closing_end(struct closing *closing, NTSTATUS status)
{
    if (closing->socket) {
        socket_after_close(closing->socket);
        socket_put(closing->socket);
    }
    if (closing->port)
        port_closed(closing->port, closing->handle, status);
    if (closing->event)
        event_closed(closing->event, closing->handle, status);
}

NTSTATUS NTAPI our_NtClose(HANDLE handle)
{
    DWORD error = GetLastError();
    struct closing closing;
    NTSTATUS status;

    if (RtlDllShutdownInProgress())
        return real_NtClose(handle);
    closing = closing_begin(handle);
    status = real_NtClose(handle);
    closing_end(&closing, status);
    SetLastError(error);
    return status;
}

/* ---- duplicating ---- */

static bool is_own(HANDLE process)
{
    return process == GetCurrentProcess() || GetProcessId(process) == GetCurrentProcessId();
}

/* A handle of ours, of this process. */
static bool is_known(HANDLE process, HANDLE handle)
{
    bool standard = share_is_standard(handle) && is_own(process);
    struct socket *socket = standard ? share_find(handle) : socket_find(handle);
    struct port *port = socket ? NULL : port_find(handle);

    if (socket)
        socket_put(socket);
    if (port)
        port_put(port);
    return (socket || port || event_is_known(handle)) && is_own(process);
}

/* Within this process: one more handle of the same socket. */
static NTSTATUS duplicate_socket(struct socket *socket, HANDLE source, HANDLE *target,
                                 ACCESS_MASK access, ULONG attributes, ULONG options)
{
    HANDLE self = GetCurrentProcess();
    NTSTATUS status = real_NtDuplicateObject(self, source, self, target, access, attributes,
                                             options & ~(ULONG)DUPLICATE_CLOSE_SOURCE);

    if (!status && !handle_table_insert(socket, (SOCKET)*target)) {
        real_NtClose(*target);
        status = STATUS_NO_MEMORY;
    } else if (!status)
        socket->fresh = (SOCKET)*target;
    if (options & DUPLICATE_CLOSE_SOURCE)
        our_NtClose(source);
    return status;
}

NTSTATUS NTAPI our_NtDuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process,
                                     HANDLE *target, ACCESS_MASK access, ULONG attributes,
                                     ULONG options)
{
    struct closing closing = {.handle = source};
    struct socket *socket;
    DWORD error = GetLastError();
    struct event *event;
    struct port *port;
    unsigned lacks;
    NTSTATUS status;

    if (RtlDllShutdownInProgress() || !is_known(source_process, source))
        return real_NtDuplicateObject(source_process, source, target_process, target, access,
                                      attributes, options);
    if (is_own(target_process) && target && (socket = socket_find(source))) {
        status = duplicate_socket(socket, source, target, access, attributes, options);
        socket_put(socket);
        SetLastError(error);
        return status;
    }
    port = port_find(source);
    event = event_find(source, &lacks);
    if (event && (!is_own(target_process) || (attributes & OBJ_INHERIT)))
        event_make_native(source);
    /* "closes the source handle ... regardless of any error status returned" */
    if (options & DUPLICATE_CLOSE_SOURCE)
        closing = closing_begin(source);
    status = real_NtDuplicateObject(source_process, source, target_process, target, access,
                                    attributes, options);
    if (!status && port && target && is_own(target_process))
        port_add_handle(port, *target);
    if (!status && event && target && is_own(target_process)) {
        if (options & DUPLICATE_SAME_ACCESS)
            event_add_handle_like(event, *target, lacks);
        else
            event_add_handle(event, *target, access);
    }
    closing_end(&closing, STATUS_SUCCESS);
    if (port)
        port_put(port);
    if (event)
        event_put(event);
    SetLastError(error);
    return status;
}

/* ---- NtSetInformationFile ---- */

static NTSTATUS set_modes(struct socket *socket, const ULONG *modes)
{
    if (*modes & ~(ULONG)(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE))
        return STATUS_INVALID_PARAMETER;
    AcquireSRWLockExclusive(&socket->lock);
    socket->completion_modes |= (UCHAR)*modes; /* "once a mode is set, it cannot be removed" */
    ReleaseSRWLockExclusive(&socket->lock);
    return STATUS_SUCCESS;
}

static NTSTATUS set_completion(struct socket *socket, const struct file_completion *completion)
{
    return port_associate(socket, completion->port, completion->key);
}

/* Something else than a socket completes into one of our ports. */
static NTSTATUS set_foreign_completion(HANDLE file, IO_STATUS_BLOCK *iosb, void *information,
                                       ULONG size)
{
    const struct file_completion *completion = information;
    struct port *port = size >= sizeof(*completion) ? port_adopt(completion->port) : NULL;
    NTSTATUS status;

    if (port)
        port_foreign(port, 1); /* before its first packet can come */
    status = real_NtSetInformationFile(file, iosb, information, size, FILE_COMPLETION_CLASS);
    if (port) {
        if (status)
            port_foreign(port, -1);
        port_put(port);
    }
    return status;
}

static NTSTATUS set_socket_information(struct socket *socket, HANDLE file, IO_STATUS_BLOCK *iosb,
                                       void *information, ULONG size, ULONG class)
{
    NTSTATUS status = STATUS_INFO_LENGTH_MISMATCH;

    switch (class) {
    case FILE_COMPLETION_CLASS:
        if (size >= sizeof(struct file_completion))
            status = set_completion(socket, information);
        break;
    case FILE_COMPLETION_MODES_CLASS:
        if (size >= sizeof(ULONG))
            status = set_modes(socket, information);
        break;
    default:
        log_once(LOG_WARN, "NtSetInformationFile class %lu on a socket goes to its pipe", class);
        return real_NtSetInformationFile(file, iosb, information, size, class);
    }
    if (!status) {
        iosb->Status = STATUS_SUCCESS;
        iosb->Information = 0;
    }
    return status;
}

/* A helper on the AFD device: its polls are ours, and so are their packets. */
static bool set_helper_information(HANDLE file, IO_STATUS_BLOCK *iosb, const void *information,
                                   ULONG size, ULONG class, NTSTATUS *status)
{
    const struct file_completion *completion = information;
    struct port *port;

    if (!afd_helper_is(file))
        return false;
    if (class == FILE_COMPLETION_CLASS && size >= sizeof(*completion)) {
        *status = port_open_fast(file, completion->port, completion->key, &port);
        if (!*status && !afd_helper_set_port(file, port, completion->key)) {
            port_put(port);
            *status = STATUS_INVALID_PARAMETER; /* it has a port already */
        }
    } else if (class == FILE_COMPLETION_MODES_CLASS && size >= sizeof(ULONG))
        *status = afd_helper_set_modes(file, (UCHAR) * (const ULONG *)information)
                      ? STATUS_SUCCESS
                      : STATUS_INVALID_HANDLE;
    else
        return false;
    iosb->Status = *status;
    iosb->Information = 0;
    return true;
}

NTSTATUS NTAPI our_NtSetInformationFile(HANDLE file, IO_STATUS_BLOCK *iosb, void *information,
                                        ULONG size, ULONG class)
{
    DWORD error = GetLastError();
    struct socket *socket;
    NTSTATUS status;

    if (RtlDllShutdownInProgress())
        return real_NtSetInformationFile(file, iosb, information, size, class);
    if ((socket = socket_find(file))) {
        status = set_socket_information(socket, file, iosb, information, size, class);
        socket_put(socket);
    } else if (set_helper_information(file, iosb, information, size, class, &status)) {
        /* done */
    } else if (class == FILE_COMPLETION_CLASS)
        status = set_foreign_completion(file, iosb, information, size);
    else
        return real_NtSetInformationFile(file, iosb, information, size, class);
    SetLastError(error);
    return status;
}

/* ---- cancelling ---- */

/* Polls and operations that went through this handle.  False: it is none of ours. */
static bool cancel(HANDLE file, const struct operation_filter *filter, IO_STATUS_BLOCK *iosb,
                   NTSTATUS none, NTSTATUS *status)
{
    struct socket *socket;
    ULONG count = 0;

    if (RtlDllShutdownInProgress())
        return false;
    if ((socket = socket_find(file))) {
        count = socket_cancel(socket, filter);
        socket_put(socket);
    } else if (!afd_helper_is(file))
        return false;
    count += afd_poll_cancel(file, filter);
    *status = count ? STATUS_SUCCESS : none;
    iosb->Status = *status;
    iosb->Information = 0;
    return true;
}

NTSTATUS NTAPI our_NtCancelIoFile(HANDLE file, IO_STATUS_BLOCK *iosb)
{
    struct waiter *waiter = waiter_existing();
    struct operation_filter filter = {.issuer = waiter ? waiter->serial : ISSUER_NOBODY};
    NTSTATUS status;

    /* CancelIo succeeds where there is nothing to cancel; CancelIoEx says ERROR_NOT_FOUND */
    if (!cancel(file, &filter, iosb, STATUS_SUCCESS, &status))
        return real_NtCancelIoFile(file, iosb);
    return status;
}

NTSTATUS NTAPI our_NtCancelIoFileEx(HANDLE file, IO_STATUS_BLOCK *which, IO_STATUS_BLOCK *iosb)
{
    struct operation_filter filter = {.overlapped = which};
    NTSTATUS status;

    if (!cancel(file, &filter, iosb, STATUS_NOT_FOUND, &status))
        return real_NtCancelIoFileEx(file, which, iosb);
    return status;
}

struct blocked_thread {
    struct operation_filter filter;
    ULONG count;
};

/* A Winsock call that blocks is synchronous I/O where its socket is not overlapped: those of
 * socket() are, and their calls wait for an event in user mode, which nothing here ends.  (GHC
 * interrupts foreign calls with CancelSynchronousIo and, as its users know, none of Winsock's.) */
static void cancel_blocked(struct socket *socket, void *context)
{
    struct blocked_thread *blocked = context;

    if (!(socket->creation_flags & WSA_FLAG_OVERLAPPED))
        blocked->count += socket_cancel(socket, &blocked->filter);
}

NTSTATUS NTAPI our_NtCancelSynchronousIoFile(HANDLE thread, IO_STATUS_BLOCK *which,
                                             IO_STATUS_BLOCK *iosb)
{
    NTSTATUS status = real_NtCancelSynchronousIoFile(thread, which, iosb);
    struct blocked_thread blocked = {.count = 0};

    /* not found: the handle was good, and the calls of ours have no status block */
    if (status != STATUS_NOT_FOUND || which || RtlDllShutdownInProgress() ||
        !(blocked.filter.blocked = waiter_of_thread(thread)))
        return status;
    socket_for_each(cancel_blocked, &blocked);
    if (!blocked.count)
        return STATUS_NOT_FOUND;
    iosb->Status = STATUS_SUCCESS;
    return STATUS_SUCCESS;
}
