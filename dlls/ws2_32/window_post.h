/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to windows, for the WSAAsync calls.
 */
#ifndef RINGSOCK_WINDOW_POST_H
#define RINGSOCK_WINDOW_POST_H

#include "winsock.h"

/* Whether there is such a window; loads user32.dll.  Not under a lock. */
bool window_exists(HWND window);

/* Posts, from any thread and under any lock; false if it cannot. */
bool window_post(HWND window, UINT message, WPARAM wparam, LPARAM lparam);

#endif
