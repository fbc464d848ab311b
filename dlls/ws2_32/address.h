/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numeric addresses in text: ntdll's parsers.
 */
#ifndef RINGSOCK_ADDRESS_H
#define RINGSOCK_ADDRESS_H

#include "winsock.h"

/* ntdll parses and prints (RtlIpv4StringToAddress and its kin, declared by mstcpip.h): what it
 * accepts and what it leaves in the address when it refuses is what the Winsock calls are known to
 * do on Windows.  These two are missing there. */
LONG NTAPI RtlIpv6StringToAddressA(PCSTR text, LPSTR *end, IN6_ADDR *address);
LONG NTAPI RtlIpv6StringToAddressW(PCWSTR text, LPWSTR *end, IN6_ADDR *address);

#endif
