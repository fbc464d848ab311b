/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Helper handles on \Device\Afd (see afd.h).  Owns the list of them; a process has one or two, most
 * have none, and then each look costs one load.  Its lock is inner to all others.
 */
#include "afd.h"
#include "port_internal.h"

struct helper {
    struct helper *next;
    HANDLE handle;
    struct port *port;
    ULONG_PTR key;
    UCHAR modes;
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct helper *volatile helpers;

static bool names_the_device(const UNICODE_STRING *name)
{
    static const WCHAR device[] = L"\\Device\\Afd";
    static const size_t length = ARRAYSIZE(device) - 1;

    return name && name->Buffer && name->Length >= length * sizeof(WCHAR) &&
           !_wcsnicmp(name->Buffer, device, length) &&
           (name->Length == length * sizeof(WCHAR) || name->Buffer[length] == '\\');
}

void afd_helper_opened(HANDLE handle, const OBJECT_ATTRIBUTES *attributes)
{
    struct helper *helper;

    if (attributes->RootDirectory || !names_the_device(attributes->ObjectName) ||
        !(helper = calloc(1, sizeof(*helper))))
        return;
    helper->handle = handle;
    AcquireSRWLockExclusive(&lock);
    helper->next = helpers;
    helpers = helper;
    ReleaseSRWLockExclusive(&lock);
}

void afd_helper_closed(HANDLE handle)
{
    struct helper *helper = NULL, *volatile * link;

    if (!helpers)
        return;
    AcquireSRWLockExclusive(&lock);
    for (link = &helpers; *link; link = &(*link)->next)
        if ((*link)->handle == handle) {
            helper = *link;
            *link = helper->next;
            break;
        }
    ReleaseSRWLockExclusive(&lock);
    if (helper && helper->port)
        port_put(helper->port);
    free(helper);
}

/* Caller holds the lock. */
static struct helper *find(HANDLE handle)
{
    struct helper *helper = helpers;

    while (helper && helper->handle != handle)
        helper = helper->next;
    return helper;
}

bool afd_helper_is(HANDLE handle)
{
    bool is;

    if (!helpers)
        return false;
    AcquireSRWLockShared(&lock);
    is = find(handle) != NULL;
    ReleaseSRWLockShared(&lock);
    return is;
}

bool afd_helper_find(HANDLE handle, struct afd_issuer *issuer)
{
    struct helper *helper;

    if (!helpers)
        return false;
    AcquireSRWLockShared(&lock);
    if ((helper = find(handle))) {
        *issuer = (struct afd_issuer){handle, NULL, helper->key, helper->modes};
        if (helper->port)
            issuer->port = port_hold(helper->port);
    }
    ReleaseSRWLockShared(&lock);
    return helper != NULL;
}

bool afd_helper_set_port(HANDLE handle, struct port *port, ULONG_PTR key)
{
    struct helper *helper;
    bool set;

    AcquireSRWLockExclusive(&lock);
    helper = find(handle);
    if ((set = helper && !helper->port)) {
        helper->port = port;
        helper->key = key;
    }
    ReleaseSRWLockExclusive(&lock);
    return set;
}

bool afd_helper_set_modes(HANDLE handle, UCHAR modes)
{
    struct helper *helper;

    if (!helpers)
        return false;
    AcquireSRWLockExclusive(&lock);
    if ((helper = find(handle)))
        helper->modes |= modes;
    ReleaseSRWLockExclusive(&lock);
    return helper != NULL;
}
