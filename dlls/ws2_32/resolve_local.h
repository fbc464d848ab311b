/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses of this machine.
 */
#ifndef RINGSOCK_RESOLVE_LOCAL_H
#define RINGSOCK_RESOLVE_LOCAL_H

#include "resolve.h"

/* Appends to result->addresses; WSA_NOT_ENOUGH_MEMORY or 0. */
DWORD resolve_add(struct resolved *result, const struct rs_addr *address);

/* Appends the loopback (or, if passive, the unspecified) address of each family that is wanted and
 * that the host has. */
DWORD resolve_add_loopback(struct resolved *result, int family, bool passive);

/* Appends the addresses of all interfaces that are up; the loopback where there are none. */
DWORD resolve_add_interfaces(struct resolved *result, int family);

/* Whether any interface has an IPv6 address that reaches beyond its link. */
bool resolve_has_global_ipv6(void);

#endif
