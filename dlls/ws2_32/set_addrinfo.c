/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SetAddrInfoExA and W: registering names, which no provider here takes.
 *
 * The page: "The default NS_DNS, NS_PNRPNAME, and NS_PNRPNAME namespace providers do not currently
 * support name registration"; only that of NS_EMAIL does, and it is not installed here.  So what
 * is well formed ends in WSANO_RECOVERY, a "nonrecoverable failure".  Takes no lock.
 */
#include "arguments.h"
#include "winsock.h"
#include "name_spaces.h"
#include "startup.h"

/* What both forms are given beyond the name itself. */
struct registration {
    DWORD name_space;
    const GUID *provider;
    const SOCKET_ADDRESS *addresses;
    DWORD count;
    bool reserved; /* one of the last four parameters is not NULL */
};

static int refuse_registration(bool named, const struct registration *registration)
{
    DWORD error = WSANO_RECOVERY;

    if (!startup_check())
        return WSANOTINITIALISED;
    /* "WSAEINVAL: ... if any of the reserved parameters are not NULL" */
    if (!argument_in(registration->provider, sizeof(GUID)))
        error = WSAEFAULT;
    else if (registration->reserved || !named || (registration->count && !registration->addresses))
        error = WSAEINVAL;
    else if ((registration->name_space != NS_ALL && registration->name_space != NS_DNS) ||
             (registration->provider &&
              memcmp(registration->provider, &dns_provider, sizeof(GUID))))
        error = WSASERVICE_NOT_FOUND;
    SetLastError(error);
    return (int)error;
}

int WINAPI SetAddrInfoExA(PCSTR name, PCSTR service, SOCKET_ADDRESS *addresses, DWORD count,
                          LPBLOB blob, DWORD flags, DWORD name_space, LPGUID provider,
                          PTIMEVAL timeout, LPOVERLAPPED overlapped,
                          LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, LPHANDLE handle)
{
    struct registration registration = {name_space, provider, addresses, count,
                                        timeout || overlapped || routine || handle};

    (void)service, (void)blob, (void)flags;
    return refuse_registration(name != NULL, &registration);
}

int WINAPI SetAddrInfoExW(PCWSTR name, PCWSTR service, SOCKET_ADDRESS *addresses, DWORD count,
                          LPBLOB blob, DWORD flags, DWORD name_space, LPGUID provider,
                          PTIMEVAL timeout, LPOVERLAPPED overlapped,
                          LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, LPHANDLE handle)
{
    struct registration registration = {name_space, provider, addresses, count,
                                        timeout || overlapped || routine || handle};

    (void)service, (void)blob, (void)flags;
    return refuse_registration(name != NULL, &registration);
}
