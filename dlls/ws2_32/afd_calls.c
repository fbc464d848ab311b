/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for ntdll's calls that reach the AFD device (see handles.h): opening a helper
 * handle on it, and control codes sent through a helper or a SOCKET.
 *
 * Owns nothing, takes no lock itself.
 */
#include "afd.h"
#include "handles.h"
#include "intercept.h"
#include "log.h"
#include "port_internal.h"
#include "socket.h"

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

NTSTATUS NTAPI our_NtDeviceIoControlFile(HANDLE handle, HANDLE event, PIO_APC_ROUTINE routine,
                                         void *context, IO_STATUS_BLOCK *iosb, ULONG code,
                                         void *input, ULONG input_size, void *output,
                                         ULONG output_size)
{
    struct afd_issuer issuer;

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
    return real_NtDeviceIoControlFile(handle, event, routine, context, iosb, code, input,
                                      input_size, output, output_size);
}
