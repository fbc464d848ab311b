/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a call was given (see arguments.h).  Pure functions; no lock.
 */
#include "arguments.h"
#include "guarded_copy.h"

#define PAGE 4096u

static bool wraps(const void *memory, size_t size)
{
    return (uintptr_t)memory + size < size;
}

bool argument_in(const void *memory, size_t size)
{
    return !memory || !size || (!wraps(memory, size) && guarded_readable(memory, size));
}

bool argument_out(void *memory, size_t size)
{
    return !memory || !size || (!wraps(memory, size) && guarded_writable(memory, size));
}

/* The bytes from here to the end of the page */
static size_t rest_of_page(const void *at)
{
    return PAGE - (size_t)((uintptr_t)at % PAGE);
}

bool argument_text(const char *text)
{
    while (text) {
        size_t rest = rest_of_page(text);

        if (!guarded_readable(text, 1))
            return false;
        if (memchr(text, 0, rest))
            return true;
        text += rest;
    }
    return true;
}

/* A unit may lie across two pages. */
bool argument_wide(const WCHAR *text)
{
    WCHAR unit = 1;

    while (text && unit) {
        size_t units = rest_of_page(text) / sizeof(*text);

        if (guarded_copy(&unit, text, sizeof(unit)))
            return false;
        for (size_t i = 0; i < units && unit; i++)
            memcpy(&unit, text + i, sizeof(unit));
        text += units ? units : 1;
    }
    return true;
}
