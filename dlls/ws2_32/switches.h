/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the environment switches off, for the search of faults (README).  No locks.
 */
#ifndef RINGSOCK_SWITCHES_H
#define RINGSOCK_SWITCHES_H

#include "winsock.h"

/* Whether the variable says 0. */
static inline bool switched_off(const WCHAR *variable)
{
    WCHAR value[4];

    return GetEnvironmentVariableW(variable, value, ARRAYSIZE(value)) == 1 && value[0] == '0';
}

#endif
