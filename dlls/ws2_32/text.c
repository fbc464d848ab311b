/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Conversions of text.  Pure functions; no lock.
 */
#include "text.h"

WCHAR *text_wide(UINT code_page, const char *text, int length)
{
    size_t size = length < 0 ? strlen(text) : (size_t)length;
    WCHAR *wide = malloc((size + 1) * sizeof(*wide)); /* no byte gives more than one unit */
    int count = 0;

    if (!wide || size > INT_MAX / 2)
        goto fail;
    if (size) {
        count = MultiByteToWideChar(code_page, 0, text, (int)size, wide, (int)size);
        if (!count)
            goto fail;
    }
    wide[count] = 0;
    return wide;

fail:
    free(wide);
    return NULL;
}

char *text_narrow(UINT code_page, const WCHAR *text)
{
    int size = WideCharToMultiByte(code_page, 0, text, -1, NULL, 0, NULL, NULL);
    char *narrow = size > 0 ? malloc((size_t)size) : NULL;

    if (narrow && !WideCharToMultiByte(code_page, 0, text, -1, narrow, size, NULL, NULL)) {
        free(narrow);
        return NULL;
    }
    return narrow;
}
