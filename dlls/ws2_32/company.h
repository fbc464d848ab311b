/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wine's own DLLs that import ws2_32 (winhttp, wininet, rpcrt4...) were written against Wine's, and
 * rely on where that differs from Windows.
 */
#ifndef RINGSOCK_COMPANY_H
#define RINGSOCK_COMPANY_H

#include "winsock.h"

/* Is this code of a Wine builtin?  Of the relay (relay.h) its own caller is asked about.  Use with
 * __builtin_return_address(0) in the export itself. */
bool company_calls(const void *return_address);

/* startup_check() for such a caller: Wine 8.0's winhttp and wininet look names up before they call
 * WSAStartup, so the session is opened here.  Sets WSANOTINITIALISED for others. */
bool company_startup_check(const void *return_address);

#endif
