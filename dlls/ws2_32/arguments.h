/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is what a call was given there?  For calls that are not made often: each looks at every page.
 *
 * NULL and memory of no bytes count as there: what they mean is for the call to say.  The answer is
 * about this moment; memory that another thread takes away meanwhile is the program's own doing.
 * May be called under any lock.
 */
#ifndef RINGSOCK_ARGUMENTS_H
#define RINGSOCK_ARGUMENTS_H

#include "winsock.h"

bool argument_in(const void *memory, size_t size);
bool argument_out(void *memory, size_t size);
/* The size of a list; too much for a size_t is too much for any memory. */
static inline size_t argument_size(size_t count, size_t each)
{
    return count > SIZE_MAX / each ? SIZE_MAX : count * each;
}
/* Up to its terminating 0. */
bool argument_text(const char *text);
bool argument_wide(const WCHAR *text);

#endif
