/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a kernel object can be reached by one handle only, so that its state may be kept in user
 * mode.
 */
#ifndef RINGSOCK_PRIVATE_HANDLE_H
#define RINGSOCK_PRIVATE_HANDLE_H

#include "winsock.h"

/* No other handle, no name, not inherited by children.  Costs a few requests to wineserver; takes
 * no lock.  Another process can still fetch it by its value. */
bool handle_is_private(HANDLE handle);

#endif
