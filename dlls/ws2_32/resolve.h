/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From names to addresses and back, in neutral form: what getaddrinfo, gethostbyname, getnameinfo
 * and their kin share.
 */
#ifndef RINGSOCK_RESOLVE_H
#define RINGSOCK_RESOLVE_H

#include "winsock.h"
#include <ringsock/abi.h>

#define HOST_NAME_MAX_CHARS 256 /* gethostname's page: "256 bytes in length" is always enough */

struct resolved {
    uint32_t count;
    struct rs_addr *addresses; /* ports 0; malloc()ed */
    WCHAR *canonical;          /* malloc()ed, or NULL: not asked for or not known */
};

/* node NULL: loopback, or any address with AI_PASSIVE.  family: AF_UNSPEC, AF_INET, AF_INET6;
 * flags: AI_*, already checked.  Returns 0 (and at least one address) or a WSA error code. */
DWORD resolve_node(const WCHAR *node, int family, DWORD flags, struct resolved *result);
void resolve_free(struct resolved *result);

/* "" and NULL give 0; the port in network order.  WSATYPE_NOT_FOUND, WSAHOST_NOT_FOUND. */
DWORD resolve_service(const WCHAR *service, int type, DWORD flags, u_short *port);

/* The name of the host at that address; *name is malloc()ed. */
DWORD resolve_reverse(const struct rs_addr *address, bool required, WCHAR **name);

/* This machine's name, without a domain. */
DWORD resolve_host_name(WCHAR name[HOST_NAME_MAX_CHARS]);

#endif
