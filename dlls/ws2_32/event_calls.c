/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for ntdll's calls on event objects (see handles.h, fast_event.h).
 *
 * Owns nothing, takes no lock itself.  What is no event of ours goes straight on.  None of these
 * changes the last error, as the real ones do not: they call nothing that does.
 */
#include "fast_event.h"
#include "handles.h"
#include "handoff_event.h"
#include "intercept.h"
#include "routine.h"

NTSTATUS NTAPI our_NtCreateEvent(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                 ULONG type, BOOLEAN set)
{
    NTSTATUS status = real_NtCreateEvent(handle, access, attributes, type, set);
    bool shared = attributes && ((attributes->ObjectName && attributes->ObjectName->Length) ||
                                 (attributes->Attributes & OBJ_INHERIT));

    if (status < 0 || RtlDllShutdownInProgress())
        return status;
    if (shared || (access & EVENT_ALL_ACCESS) != EVENT_ALL_ACCESS)
        event_unknown(*handle);
    else
        event_born(*handle, type != SYNCHRONIZATION_EVENT);
    return status;
}

NTSTATUS NTAPI our_NtSetEvent(HANDLE handle, LONG *previous)
{
    return handoff_event_change(handle, EVENT_SET, previous);
}

NTSTATUS NTAPI our_NtResetEvent(HANDLE handle, LONG *previous)
{
    return handoff_event_change(handle, EVENT_RESET, previous);
}

NTSTATUS NTAPI our_NtClearEvent(HANDLE handle)
{
    return handoff_event_change(handle, EVENT_CLEAR, NULL);
}

NTSTATUS NTAPI our_NtPulseEvent(HANDLE handle, LONG *previous)
{
    return handoff_event_change(handle, EVENT_PULSE, previous);
}

NTSTATUS NTAPI our_NtQueryEvent(HANDLE handle, ULONG class, void *information, ULONG size,
                                ULONG *needed)
{
    struct event_information *basic = information;
    bool manual, set;

    handle_give_back(handle);
    if (class != EVENT_BASIC_CLASS || size != sizeof(*basic) || !event_query(handle, &manual, &set))
        return real_NtQueryEvent(handle, class, information, size, needed);
    basic->type = manual ? 0 : SYNCHRONIZATION_EVENT;
    basic->set = set;
    if (needed)
        *needed = sizeof(*basic);
    return STATUS_SUCCESS;
}

/* "Note that the 'signal' and 'wait' are not guaranteed to be performed as an atomic operation"
 * (SignalObjectAndWait). */
NTSTATUS NTAPI our_NtSignalAndWaitForSingleObject(HANDLE signal, HANDLE wait, BOOLEAN alertable,
                                                  const LARGE_INTEGER *timeout)
{
    LARGE_INTEGER copy = timeout ? *timeout : (LARGE_INTEGER){.QuadPart = 0};
    struct kernel_wait counted;
    struct waiter *waiter;
    NTSTATUS status;

    if (RtlDllShutdownInProgress())
        return real_NtSignalAndWaitForSingleObject(signal, wait, alertable, timeout);
    if (event_is_known(signal)) {
        if ((status = our_NtSetEvent(signal, NULL)))
            return status;
        return our_NtWaitForSingleObject(wait, alertable, timeout ? &copy : NULL);
    }
    handle_give_back(wait);
    waiter = alertable ? waiter_existing() : NULL;
    kernel_wait_begin(&counted, 1, &wait);
    alertable_begin(waiter);
    status = real_NtSignalAndWaitForSingleObject(signal, wait, alertable, timeout);
    alertable_end(waiter);
    kernel_wait_end(&counted, true, status);
    return status;
}
