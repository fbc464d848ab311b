/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking over one system-call stub of ntdll or win32u.
 */
#ifndef RINGSOCK_STUB_H
#define RINGSOCK_STUB_H

#include "winsock.h"

/* Has the stub `name` of the module call the replacement, and stores a callable copy of the stub in
 * *original.  When its shape is unknown nothing changes, *original is the stub itself, and false is
 * returned (logged).  Not there at all: false, *original is as it was.  From DllMain only. */
bool stub_take(HMODULE module, const char *name, void *replacement, void **original);

#endif
