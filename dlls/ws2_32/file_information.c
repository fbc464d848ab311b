/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for NtSetInformationFile (see handles.h): a socket's completion port and notification
 * modes are ours, everything else is told to its pipe.
 *
 * Owns nothing; takes the socket's lock.
 */
#include "afd.h"
#include "anchor_pool.h"
#include "handle_table.h"
#include "handles.h"
#include "intercept.h"
#include "log.h"
#include "port_internal.h"
#include "port_table.h"
#include "socket.h"

static NTSTATUS set_modes(struct socket *socket, const ULONG *modes)
{
    if (*modes & ~(ULONG)(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE))
        return STATUS_INVALID_PARAMETER;
    AcquireSRWLockExclusive(&socket->lock);
    socket->completion_modes |= (UCHAR)*modes; /* "once a mode is set, it cannot be removed" */
    ReleaseSRWLockExclusive(&socket->lock);
    return STATUS_SUCCESS;
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
    const struct file_completion *completion = information;
    NTSTATUS status = STATUS_INFO_LENGTH_MISMATCH;

    switch (class) {
    case FILE_COMPLETION_CLASS:
        if (size >= sizeof(*completion))
            status = port_associate(socket, completion->port, completion->key);
        break;
    case FILE_REPLACE_COMPLETION_CLASS:
        if (size >= sizeof(*completion))
            status = port_replace(socket, completion->port, completion->key);
        break;
    case FILE_COMPLETION_MODES_CLASS:
        if (size >= sizeof(ULONG))
            status = set_modes(socket, information);
        break;
    default:
        log_once_each(LOG_WARN, class,
                      "NtSetInformationFile class %lu on a socket goes to its pipe", class);
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
        status = set_foreign_completion(anchor_pool_hide(file), iosb, information, size);
    else
        return real_NtSetInformationFile(anchor_pool_hide(file), iosb, information, size, class);
    SetLastError(error);
    return status;
}
