/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test starts as its child: itself, or what the driver says, the same of the other width. */
#ifndef RINGSOCK_TESTS_CHILD_PROGRAM_H
#define RINGSOCK_TESTS_CHILD_PROGRAM_H

#include "net.h"

static void child_program(char path[MAX_PATH])
{
    if (!GetEnvironmentVariableA("RINGSOCK_TEST_CHILD", path, MAX_PATH))
        GetModuleFileNameA(NULL, path, MAX_PATH);
}

#endif
