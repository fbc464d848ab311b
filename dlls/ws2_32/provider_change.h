/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Telling programs that the catalogs of providers have changed, in any process.
 */
#ifndef RINGSOCK_PROVIDER_CHANGE_H
#define RINGSOCK_PROVIDER_CHANGE_H

#include "winsock.h"

/* A handle for the program, which it closes with CloseHandle. */
DWORD provider_change_open(HANDLE *notification);
/* Waits for the next change, or starts to: WSA_IO_PENDING with an OVERLAPPED. */
DWORD provider_change_wait(HANDLE notification, WSAOVERLAPPED *overlapped,
                           LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);
/* As if there were one. */
DWORD provider_change_notify(void);

#endif
