/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See private_handle.h.  Owns nothing. */
#include "private_handle.h"

#include <winternl.h>

#define OBJECT_BASIC_CLASS ((OBJECT_INFORMATION_CLASS)0)
#define OBJECT_NAME_CLASS  ((OBJECT_INFORMATION_CLASS)1)

bool handle_is_private(HANDLE handle)
{
    union {
        UNICODE_STRING name;
        char bytes[256];
    } named;
    PUBLIC_OBJECT_BASIC_INFORMATION object;
    DWORD flags;

    return !NtQueryObject(handle, OBJECT_BASIC_CLASS, &object, sizeof(object), NULL) &&
           object.HandleCount == 1 && GetHandleInformation(handle, &flags) &&
           !(flags & HANDLE_FLAG_INHERIT) &&
           !NtQueryObject(handle, OBJECT_NAME_CLASS, &named, sizeof(named), NULL) &&
           !named.name.Length;
}
