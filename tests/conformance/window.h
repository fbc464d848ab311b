/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A message-only window and patience for its messages.
 */
#ifndef RINGSOCK_TESTS_WINDOW_H
#define RINGSOCK_TESTS_WINDOW_H

#include "net.h"

#define WINDOW_MESSAGE (WM_USER + 7)
#define WINDOW_QUIET   60 /* ms without a message */

static RT_UNUSED HWND window_make(void)
{
    HWND window = CreateWindowExA(0, "static", NULL, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);

    ok(window != NULL, "CreateWindow error %lu\n", GetLastError());
    return window;
}

/* The next message, which is removed; false if none comes within that time. */
static RT_UNUSED BOOL window_message(HWND window, UINT message, DWORD milliseconds, MSG *result)
{
    DWORD start = GetTickCount(), passed;

    for (;;) {
        if (PeekMessageA(result, window, message, message, PM_REMOVE))
            return TRUE;
        passed = GetTickCount() - start;
        if (passed >= milliseconds)
            return FALSE;
        MsgWaitForMultipleObjects(0, NULL, FALSE, milliseconds - passed, QS_ALLINPUT);
    }
}

#endif
