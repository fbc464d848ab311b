/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one function of Wine's ntdll that the inline debug helpers of Wine's tests call and that no
 * import library of mingw-w64 has: it keeps a copy of a short text for a while.
 */
#include <stdlib.h>
#include <string.h>

const char *__cdecl __wine_dbg_strdup(const char *text);

const char *__cdecl __wine_dbg_strdup(const char *text)
{
    char *copy = malloc(strlen(text) + 1); /* never freed: a test prints a few of them */

    return copy ? strcpy(copy, text) : "(out of memory)";
}
