/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for ntdll's calls that reach the AFD device (see handles.h): opening a helper
 * handle on it, and control codes sent through a helper or a SOCKET.
 *
 * Owns nothing, takes no lock itself.
 */
#include "afd.h"
#include "afd_socket.h"
#include "anchor_pool.h"
#include "fast_event.h"
#include "handles.h"
#include "intercept.h"
#include "log.h"
#include "port_internal.h"
#include "raw_io.h"
#include "share.h"

NTSTATUS NTAPI our_NtCreateFile(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                                IO_STATUS_BLOCK *iosb, LARGE_INTEGER *size, ULONG file_attributes,
                                ULONG sharing, ULONG disposition, ULONG options, void *ea,
                                ULONG ea_size)
{
    NTSTATUS status = real_NtCreateFile(handle, access, attributes, iosb, size, file_attributes,
                                        sharing, disposition, options, ea, ea_size);

    if (!status)
        afd_helper_opened(*handle, attributes);
    return status;
}

NTSTATUS NTAPI our_NtOpenFile(HANDLE *handle, ACCESS_MASK access, OBJECT_ATTRIBUTES *attributes,
                              IO_STATUS_BLOCK *iosb, ULONG sharing, ULONG options)
{
    NTSTATUS status = real_NtOpenFile(handle, access, attributes, iosb, sharing, options);

    if (!status)
        afd_helper_opened(*handle, attributes);
    return status;
}

static bool find_issuer(HANDLE handle, struct afd_issuer *issuer)
{
    struct socket *socket = socket_find(handle);

    if (!socket)
        return afd_helper_find(handle, issuer);
    AcquireSRWLockShared(&socket->lock);
    *issuer = (struct afd_issuer){handle, NULL, socket->port_key, socket->completion_modes};
    if (socket->port)
        issuer->port = port_hold(socket->port);
    ReleaseSRWLockShared(&socket->lock);
    socket_put(socket);
    return true;
}

/* Codes that move data, sent through the socket itself.  True: *status is the answer. */
static bool transfer(HANDLE handle, const struct io_request *request, ULONG code, const void *input,
                     ULONG input_size, NTSTATUS *status)
{
    struct socket *socket;

    if (!raw_is_transfer(code) || RtlDllShutdownInProgress() || !(socket = share_find(handle)))
        return false;
    *status = raw_transfer(socket, request, code, input, input_size);
    socket_put(socket);
    return true;
}

/* AFD's codes are not CTL_CODE's: the device, then ten bits for the request, two for the method. */
#define AFD_DEVICE 0x12u

static void log_unknown(HANDLE handle, ULONG code)
{
    struct socket *socket = code >> 12 == AFD_DEVICE ? socket_find(handle) : NULL;

    if (!socket)
        return;
    log_once_each(LOG_WARN, code,
                  "NtDeviceIoControlFile: AFD's code %lx on a socket is not supported", code);
    socket_put(socket);
}

NTSTATUS NTAPI our_NtDeviceIoControlFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE routine,
                                         void *context, IO_STATUS_BLOCK *iosb, ULONG code,
                                         void *input, ULONG input_size, void *output,
                                         ULONG output_size)
{
    struct io_request io = {event, routine, context, iosb};
    struct afd_issuer issuer;
    NTSTATUS answer;

    if (transfer(handle, &io, code, input, input_size, &answer) ||
        afd_socket_call(handle, &io, code, input, input_size, output, output_size, &answer))
        return answer;
    if (!RtlDllShutdownInProgress() && code == IOCTL_AFD_POLL && find_issuer(handle, &issuer)) {
        struct afd_request request = {.event = event,
                                      .routine = routine,
                                      .context = context,
                                      .iosb = iosb,
                                      .input = input,
                                      .input_size = input_size,
                                      .output = output,
                                      .output_size = output_size};
        DWORD error = GetLastError();
        NTSTATUS status = afd_poll(&issuer, &request);

        SetLastError(error);
        return status;
    }
    log_unknown(handle, code);
    event_hand_over(event);
    return real_NtDeviceIoControlFile(anchor_pool_hide(handle), event, routine, context, iosb, code,
                                      input, input_size, output, output_size);
}
