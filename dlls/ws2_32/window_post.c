/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Posting window messages; WSApSetPostRoutine.
 *
 * Owns the two functions of user32.dll that are needed, which is loaded by the first call that
 * names a window: most programs with sockets have none, and Windows' ws2_32.dll does not import it
 * either.  Takes no lock.
 */
#include "window_post.h"

typedef BOOL(WINAPI *post_routine)(HWND window, UINT message, WPARAM wparam, LPARAM lparam);

static BOOL(WINAPI *is_window)(HWND window);
static post_routine post_message;
static post_routine volatile replacement; /* WSApSetPostRoutine */

static bool load_user32(void)
{
    HMODULE user32;

    if (is_window)
        return true;
    if (!(user32 = LoadLibraryW(L"user32.dll")))
        return false;
    /* in this order: whoever sees is_window sees both */
    post_message = (post_routine)(void *)GetProcAddress(user32, "PostMessageW");
    MemoryBarrier();
    is_window = (void *)GetProcAddress(user32, "IsWindow");
    return is_window && post_message;
}

bool window_exists(HWND window)
{
    return load_user32() && is_window(window);
}

bool window_post(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
    post_routine post = replacement;

    if (post)
        return post(window, message, wparam, lparam);
    return load_user32() && post_message(window, message, wparam, lparam);
}

/* Undocumented: the 16-bit subsystem gives a function of PostMessage's type, which posts in its
 * stead; NULL undoes that.  It must not call Winsock. */
int WINAPI WSApSetPostRoutine(void *routine);
int WINAPI WSApSetPostRoutine(void *routine)
{
    replacement = (post_routine)routine;
    return 0;
}
