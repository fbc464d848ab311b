/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for NtQueryInformationFile, NtQueryVolumeInformationFile and NtQueryObject: a
 * socket is a file of the device \Device\Afd, which is no file system, and not the FIFO that its
 * handle is of.
 *
 * Owns nothing; takes no lock itself.
 */
#include "handle_queries.h"
#include "anchor_pool.h"
#include "guarded_copy.h"
#include "handles.h"
#include "intercept.h"
#include "ntcalls.h"
#include "share.h"
#include "socket.h"

#include <winioctl.h>

NTSTATUS(NTAPI *real_NtQueryVolumeInformationFile)
(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG) = (void *)NtQueryVolumeInformationFile;
NTSTATUS(NTAPI *real_NtQueryObject)
(HANDLE, ULONG, void *, ULONG, ULONG *) = (void *)NtQueryObject;

/* FILE_, FS_ and OBJECT_INFORMATION_CLASS, as numbers because any may come */
#define ACCESS_CLASS      8u
#define MODE_CLASS        16u
#define ALIGNMENT_CLASS   17u
#define IO_PRIORITY_CLASS 43u /* FileIoPriorityHintInformation */
#define DEVICE_CLASS      4u  /* FileFsDeviceInformation */
#define NAME_CLASS        1u  /* ObjectNameInformation */

static NTSTATUS answer(IO_STATUS_BLOCK *iosb, void *information, ULONG size, const void *value,
                       ULONG length)
{
    if (size < length)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (guarded_copy(information, value, length))
        return STATUS_ACCESS_VIOLATION;
    iosb->Status = STATUS_SUCCESS;
    iosb->Information = length;
    return STATUS_SUCCESS;
}

/* ---- NtQueryInformationFile ---- */

/* The I/O manager's classes; all others go to the driver. */
static NTSTATUS query_socket(const struct socket *socket, HANDLE file, IO_STATUS_BLOCK *iosb,
                             void *information, ULONG size, ULONG class)
{
    bool overlapped = socket->creation_flags & WSA_FLAG_OVERLAPPED;
    ULONG modes = socket->completion_modes, mode = overlapped ? 0 : FILE_SYNCHRONOUS_IO_NONALERT;

    switch (class) {
    case FILE_COMPLETION_MODES_CLASS:
        return answer(iosb, information, size, &modes, sizeof(modes));
    case MODE_CLASS:
        return answer(iosb, information, size, &mode, sizeof(mode));
    case ACCESS_CLASS:
    case ALIGNMENT_CLASS:
    case IO_PRIORITY_CLASS:
        return real_NtQueryInformationFile(file, iosb, information, size, class);
    }
    return STATUS_INVALID_DEVICE_REQUEST;
}

NTSTATUS NTAPI our_NtQueryInformationFile(HANDLE file, IO_STATUS_BLOCK *iosb, void *information,
                                          ULONG size, ULONG class)
{
    struct socket *socket = RtlDllShutdownInProgress() ? NULL : socket_find(file);
    NTSTATUS status;

    if (!socket)
        return real_NtQueryInformationFile(anchor_pool_hide(file), iosb, information, size, class);
    status = query_socket(socket, file, iosb, information, size, class);
    socket_put(socket);
    return status;
}

/* ---- NtQueryVolumeInformationFile ---- */

/* GetFileType asks for the device.  There is no volume of which anything else could be told. */
NTSTATUS NTAPI our_NtQueryVolumeInformationFile(HANDLE file, IO_STATUS_BLOCK *iosb,
                                                void *information, ULONG size, ULONG class)
{
    static const FILE_FS_DEVICE_INFORMATION device = {.DeviceType = FILE_DEVICE_NAMED_PIPE};
    struct socket *socket = RtlDllShutdownInProgress() ? NULL : socket_find(file);

    if (!socket)
        return real_NtQueryVolumeInformationFile(anchor_pool_hide(file), iosb, information, size,
                                                 class);
    socket_put(socket);
    return class == DEVICE_CLASS ? answer(iosb, information, size, &device, sizeof(device))
                                 : STATUS_INVALID_DEVICE_REQUEST;
}

/* ---- NtQueryObject ---- */

/* OBJECT_NAME_INFORMATION: a UNICODE_STRING and, behind it, its text. */
static NTSTATUS query_name(void *information, ULONG size, ULONG *needed)
{
    static const WCHAR afd[] = L"\\Device\\Afd";
    struct {
        UNICODE_STRING name;
        WCHAR text[ARRAYSIZE(afd)];
    } name = {.name = {sizeof(afd) - sizeof(WCHAR), sizeof(afd),
                       (WCHAR *)((UNICODE_STRING *)information + 1)}};
    DWORD length = sizeof(UNICODE_STRING) + sizeof(afd);

    memcpy(name.text, afd, sizeof(afd));
    if (needed && !guarded_store(needed, length))
        return STATUS_ACCESS_VIOLATION;
    if (size < length)
        return size < sizeof(UNICODE_STRING) ? STATUS_INFO_LENGTH_MISMATCH : STATUS_BUFFER_OVERFLOW;
    return guarded_copy(information, &name, length) ? STATUS_ACCESS_VIOLATION : STATUS_SUCCESS;
}

NTSTATUS NTAPI our_NtQueryObject(HANDLE handle, ULONG class, void *information, ULONG size,
                                 ULONG *needed)
{
    struct socket *socket =
        class == NAME_CLASS && !RtlDllShutdownInProgress() ? share_find(handle) : NULL;

    if (!socket)
        return real_NtQueryObject(anchor_pool_hide(handle), class, information, size, needed);
    socket_put(socket);
    return query_name(information, size, needed);
}
