/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the four addrinfo calls share.
 */
#ifndef RINGSOCK_ADDRINFO_H
#define RINGSOCK_ADDRINFO_H

#include "resolve.h"

struct addrinfo_hints {
    int flags, family, type, protocol;
    bool dirty;   /* a member that must be 0 is not */
    bool company; /* a Wine builtin asks (company.h) */
};

/* From any of the hint structures, which may be NULL. */
#define ADDRINFO_HINTS(from)                                                                    \
    ((from) ? (struct addrinfo_hints){(from)->ai_flags, (from)->ai_family, (from)->ai_socktype, \
                                      (from)->ai_protocol,                                      \
                                      (from)->ai_addrlen || (from)->ai_canonname ||             \
                                          (from)->ai_addr || (from)->ai_next,                   \
                                      false}                                                    \
            : (struct addrinfo_hints){0, AF_UNSPEC, 0, 0, false, false})

/* Without asking anybody: 0 or the error of the call. */
DWORD addrinfo_check(const WCHAR *node, const WCHAR *service, const struct addrinfo_hints *hints);

/* The checks, then the look-up; blocks. */
DWORD addrinfo_lookup(const WCHAR *node, const WCHAR *service, const struct addrinfo_hints *hints,
                      struct resolved *result, u_short *port);

/* A socket address of the result in memory of its own, or NULL; *length becomes its length. */
struct sockaddr *addrinfo_sockaddr(const struct rs_addr *address, u_short port, size_t *length);

/* The last error is the result, 0 on success too (recorded by Wine's tests). */
int addrinfo_return(DWORD error);

#endif
