/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Wine's Winsock tests take from Wine's own headers and mingw-w64's do not have.  Forced in
 * front of each of their sources.  Values: winsock2.h, ws2tcpip.h and ws2ipdef.h of the Windows
 * SDK.
 */
#ifndef RINGSOCK_WINE_TESTS_COMPAT_H
#define RINGSOCK_WINE_TESTS_COMPAT_H

#include <stddef.h> /* the tests use offsetof without it */
#define WIN32_NO_STATUS
#include <winsock2.h>
#include <windows.h>
#include <winternl.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>

/* Declared, so that the 32-bit linker finds their decorated names. */
NTSTATUS NTAPI NtReadFile(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, void *, ULONG,
                          LARGE_INTEGER *, ULONG *);
NTSTATUS NTAPI NtWriteFile(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, const void *,
                           ULONG, LARGE_INTEGER *, ULONG *);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE, ULONG_PTR *, ULONG_PTR *, IO_STATUS_BLOCK *,
                                    LARGE_INTEGER *);
ULONG NTAPI RtlNtStatusToDosErrorNoTeb(NTSTATUS);

#define DECLSPEC_EXPORT

#ifndef SO_BSP_STATE
#define SO_BSP_STATE 0x1009
#endif
#ifndef SIO_IDEAL_SEND_BACKLOG_QUERY
#define SIO_IDEAL_SEND_BACKLOG_QUERY 0x4004747b /* _IOR('t', 123, ULONG) */
#endif
#ifndef AI_DNS_ONLY
#define AI_DNS_ONLY 0x00000010
#endif
#ifndef WSA_CMSG_ALIGN
#define WSA_CMSG_ALIGN(length) (((length) + sizeof(SIZE_T) - 1) & ~(sizeof(SIZE_T) - 1))
#endif
#ifndef TCP_KEEPALIVE
#define TCP_KEEPALIVE 3
#define TCP_KEEPCNT   16
#define TCP_KEEPINTVL 17
#endif

#endif
