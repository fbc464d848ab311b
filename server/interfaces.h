/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's network interfaces.  See interfaces.c.
 */
#ifndef SERVER_INTERFACES_H
#define SERVER_INTERFACES_H

#include <stdint.h>

#include "ringsock/abi.h"

#define INTERFACES_MAX (RS_MAX_PAYLOAD / sizeof(struct rs_interface))

/* Returns an array of *count entries to be freed, or NULL with errno set. */
struct rs_interface *interfaces_list(uint32_t *count);

#endif
