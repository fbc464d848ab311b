/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking over one system-call stub of ntdll or win32u.
 */
#ifndef RINGSOCK_STUB_H
#define RINGSOCK_STUB_H

#include "winsock.h"

enum stub_result { STUB_TAKEN, STUB_ABSENT, STUB_UNKNOWN };

/* Has the stub `name` of the module call the replacement, and stores a callable copy of the stub in
 * *original.  STUB_UNKNOWN: its shape is, nothing changes, *original is the stub itself.  STUB_ABSENT:
 * the module has none, *original is as it was.  From DllMain only. */
enum stub_result stub_take(HMODULE module, const char *name, void *replacement, void **original);

#endif
