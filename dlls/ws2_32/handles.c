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
#include "anchor_pool.h"
#include "async_select.h"
#include "cancel.h"
#include "fast_event.h"
#include "handle_pages.h"
#include "handle_pages.h"
#include "handle_table.h"
#include "handoff_event.h"
#include "intercept.h"
#include "port.h"
#include "port_table.h"
#include "share.h"
#include "sleep_timer.h"
#include "socket_life.h"
#include "thread_block.h"

void handle_give_back(HANDLE handle)
{
    sleep_timer_give_back(handle);
    handoff_event_give_back(handle);
}

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

static NTSTATUS close_kept(HANDLE handle)
{
    DWORD error = last_error();
    struct closing closing;
    NTSTATUS status;

    sleep_timer_closing(handle);
    handoff_event_closing(handle);
    closing = closing_begin(handle);
    status = real_NtClose(anchor_pool_hide(handle));
    closing_end(&closing, status);
    last_error_set(error);
    return status;
}

/* Most of what is kept are events that nobody but the kernel has to do with. */
static NTSTATUS close_event(HANDLE handle)
{
    struct event *event = event_closing(handle);
    NTSTATUS status = real_NtClose(handle);

    if (event)
        event_closed(event, handle, status);
    return status;
}

NTSTATUS NTAPI our_NtClose(HANDLE handle)
{
    const struct handle_entry *entry = handle_entry(handle);

    if (!handle_keeps(entry, HANDLE_KINDS) || RtlDllShutdownInProgress())
        return real_NtClose(handle);
    return handle_keeps(entry, HANDLE_EVENT) ? close_kept(handle) : close_event(handle);
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
    DWORD error = last_error();
    struct event *event;
    struct port *port;
    unsigned lacks;
    NTSTATUS status;

    if (anchor_pool_hide(source) != source && is_own(source_process))
        return STATUS_INVALID_HANDLE;
    handle_give_back(source);
    if (RtlDllShutdownInProgress() || !is_known(source_process, source))
        return real_NtDuplicateObject(source_process, source, target_process, target, access,
                                      attributes, options);
    socket = socket_find(source);
    if (socket && target && is_own(target_process)) {
        status = duplicate_socket(socket, source, target, access, attributes, options);
        socket_put(socket);
        last_error_set(error);
        return status;
    }
    if (socket) {
        socket->copied |= target && !is_own(target_process);
        socket_put(socket);
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
    last_error_set(error);
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
        return real_NtCancelIoFile(anchor_pool_hide(file), iosb);
    return status;
}

NTSTATUS NTAPI our_NtCancelIoFileEx(HANDLE file, IO_STATUS_BLOCK *which, IO_STATUS_BLOCK *iosb)
{
    struct operation_filter filter = {.overlapped = which};
    NTSTATUS status;

    if (!cancel(file, &filter, iosb, STATUS_NOT_FOUND, &status))
        return real_NtCancelIoFileEx(anchor_pool_hide(file), which, iosb);
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
