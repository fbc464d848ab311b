/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Windows headers as every file of this DLL needs them: the exports declared without dllimport,
 * Windows 10 level, and the NT layer's types.
 */
#ifndef RINGSOCK_WINSOCK_H
#define RINGSOCK_WINSOCK_H

#define WIN32_LEAN_AND_MEAN
#define WINSOCK_API_LINKAGE
#define INCL_WINSOCK_API_PROTOTYPES 1
#define _WINSOCK_DEPRECATED_NO_WARNINGS
#define WIN32_NO_STATUS

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <winternl.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#endif
