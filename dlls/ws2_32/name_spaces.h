/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name space providers that are built.
 */
#ifndef RINGSOCK_NAME_SPACES_H
#define RINGSOCK_NAME_SPACES_H

#include "winsock.h"

extern const GUID dns_provider; /* "Tcpip", NS_DNS */

#endif
