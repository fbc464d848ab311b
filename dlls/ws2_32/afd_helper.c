/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Helper handles on \Device\Afd (see afd.h).  Owns what is kept of them; most processes have none,
 * and then each look costs a load.  Its lock is inner to all others.
 */
#include "afd.h"
#include "handle_pages.h"
#include "port_internal.h"

struct helper {
    struct port *port;
    ULONG_PTR key;
    UCHAR modes;
};

static SRWLOCK lock = SRWLOCK_INIT;

static bool names_the_device(const UNICODE_STRING *name)
{
    static const WCHAR device[] = L"\\Device\\Afd";
    static const size_t length = ARRAYSIZE(device) - 1;

    return name && name->Buffer && name->Length >= length * sizeof(WCHAR) &&
           !_wcsnicmp(name->Buffer, device, length) &&
           (name->Length == length * sizeof(WCHAR) || name->Buffer[length] == '\\');
}

/* From now on the handle is this helper's, or, with NULL, none's. */
static void keep(void *volatile *entry, struct helper *helper)
{
    struct helper *old;

    AcquireSRWLockExclusive(&lock);
    old = *entry;
    *entry = helper;
    ReleaseSRWLockExclusive(&lock);
    if (old && old->port)
        port_put(old->port);
    free(old);
}

void afd_helper_opened(HANDLE handle, const OBJECT_ATTRIBUTES *attributes)
{
    void *volatile *entry;
    struct helper *helper;

    if (attributes->RootDirectory || !names_the_device(attributes->ObjectName))
        return;
    helper = calloc(1, sizeof(*helper));
    if (helper && (entry = handle_make(HANDLE_AFD, handle)))
        keep(entry, helper);
    else
        free(helper);
}

void afd_helper_closed(HANDLE handle)
{
    if (afd_helper_is(handle))
        keep(handle_find(HANDLE_AFD, handle), NULL);
}

static struct helper *find(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_AFD, handle);

    return entry ? *entry : NULL;
}

bool afd_helper_is(HANDLE handle)
{
    return find(handle) != NULL;
}

bool afd_helper_find(HANDLE handle, struct afd_issuer *issuer)
{
    struct helper *helper;

    if (!find(handle))
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

    if (!find(handle))
        return false;
    AcquireSRWLockExclusive(&lock);
    if ((helper = find(handle)))
        helper->modes |= modes;
    ReleaseSRWLockExclusive(&lock);
    return helper != NULL;
}
