/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text between the program (ANSI or UTF-16) and the host (UTF-8).  Each result is malloc()ed and
 * NUL-terminated; NULL when out of memory or not convertible.
 */
#ifndef RINGSOCK_TEXT_H
#define RINGSOCK_TEXT_H

#include "winsock.h"

WCHAR *text_wide(UINT code_page, const char *text, int length); /* length -1: NUL-terminated */
char *text_narrow(UINT code_page, const WCHAR *text);

#endif
