/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for ntdll's calls on completion ports (see handles.h).
 *
 * Owns nothing, takes no lock itself.  Native ports and what is no port at all go straight on.
 * While the process ends nothing here takes a lock: the threads that held them are gone.  None of
 * these changes the last error, as the real ones do not.
 */
#include "fast_event.h"
#include "handles.h"
#include "intercept.h"
#include "port_internal.h"
#include "port_table.h"
#include "thread_block.h"

/* The port, with a reference, if its packets are ours to queue. */
static struct port *queued_port(HANDLE handle)
{
    struct port *port = RtlDllShutdownInProgress() ? NULL : port_adopt(handle);

    if (port && port->native) {
        port_put(port);
        return NULL;
    }
    return port;
}

NTSTATUS NTAPI our_NtCreateIoCompletion(HANDLE *handle, ACCESS_MASK access,
                                        OBJECT_ATTRIBUTES *attributes, ULONG threads)
{
    NTSTATUS status = real_NtCreateIoCompletion(handle, access, attributes, threads);
    bool named = attributes && attributes->ObjectName && attributes->ObjectName->Length;

    /* a named one is adopted as native when it is used: others may have opened it */
    if (status == STATUS_SUCCESS && !named)
        port_born(*handle);
    return status;
}

NTSTATUS NTAPI our_NtSetIoCompletion(HANDLE handle, ULONG_PTR key, ULONG_PTR context,
                                     NTSTATUS status, SIZE_T information)
{
    struct io_packet packet = {key, context, {{status}, information}};
    DWORD error = last_error();
    struct port *port = queued_port(handle);

    if (!port)
        return real_NtSetIoCompletion(handle, key, context, status, information);
    status = port_send(port, handle, &packet);
    port_put(port);
    last_error_set(error);
    return status;
}

NTSTATUS NTAPI our_NtRemoveIoCompletion(HANDLE handle, ULONG_PTR *key, ULONG_PTR *context,
                                        IO_STATUS_BLOCK *iosb, LARGE_INTEGER *timeout)
{
    DWORD error = last_error();
    struct port *port = queued_port(handle);
    struct io_packet packet;
    NTSTATUS status;
    ULONG removed;

    if (!port)
        return real_NtRemoveIoCompletion(handle, key, context, iosb, timeout);
    status = port_remove(port, handle, &packet, 1, &removed, timeout, false);
    port_put(port);
    if (status == STATUS_SUCCESS) {
        *key = packet.key;
        *context = packet.context;
        *iosb = packet.iosb;
    }
    last_error_set(error);
    return status;
}

NTSTATUS NTAPI our_NtRemoveIoCompletionEx(HANDLE handle, void *packets, ULONG count, ULONG *removed,
                                          LARGE_INTEGER *timeout, BOOLEAN alertable)
{
    DWORD error = last_error();
    struct port *port = count ? queued_port(handle) : NULL;
    NTSTATUS status;

    if (!port)
        return real_NtRemoveIoCompletionEx(handle, packets, count, removed, timeout, alertable);
    status = port_remove(port, handle, packets, count, removed, timeout, alertable);
    port_put(port);
    last_error_set(error);
    return status;
}

/* ---- what else completes into a port ---- */

NTSTATUS NTAPI our_NtSetInformationJobObject(HANDLE job, ULONG class, void *information, ULONG size)
{
    const JOBOBJECT_ASSOCIATE_COMPLETION_PORT *association = information;
    struct port *port = NULL;
    NTSTATUS status;

    if (class == JOB_PORT_CLASS && size == sizeof(*association) && association->CompletionPort &&
        (port = queued_port(association->CompletionPort)))
        port_foreign(port, 1);
    status = real_NtSetInformationJobObject(job, class, information, size);
    if (port) {
        if (status)
            port_foreign(port, -1);
        port_put(port);
    }
    return status;
}

NTSTATUS NTAPI our_NtAssociateWaitCompletionPacket(HANDLE packet, HANDLE handle, HANDLE target,
                                                   void *key, void *context, NTSTATUS status,
                                                   ULONG_PTR information, BOOLEAN *signaled)
{
    struct port *port = queued_port(handle);
    NTSTATUS result;

    if (port)
        port_foreign(port, 1);
    handle_give_back(target);
    if (event_is_known(target) && !RtlDllShutdownInProgress())
        event_make_native(target); /* the kernel waits for it */
    result = real_NtAssociateWaitCompletionPacket(packet, handle, target, key, context, status,
                                                  information, signaled);
    if (port) {
        if (result)
            port_foreign(port, -1);
        port_put(port);
    }
    return result;
}
