/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numeric addresses: ntdll's parsers, and the neutral form in which addresses travel.
 */
#ifndef RINGSOCK_ADDRESS_H
#define RINGSOCK_ADDRESS_H

#include "winsock.h"
#include <ringsock/abi.h>

/* ntdll parses and prints (RtlIpv4StringToAddress and its kin, declared by mstcpip.h): what it
 * accepts and what it leaves in the address when it refuses is what the Winsock calls are known to do
 * on Windows.  These two are missing there. */
LONG NTAPI RtlIpv6StringToAddressA(PCSTR text, LPSTR *end, IN6_ADDR *address);
LONG NTAPI RtlIpv6StringToAddressW(PCWSTR text, LPWSTR *end, IN6_ADDR *address);

/* Both directions; a sockaddr of another family or too short gives false.  address_to_sockaddr
 * returns the length it wrote (at most RS_ADDR_MAX), 0 for an unknown family. */
bool address_from_sockaddr(const struct sockaddr *from, int length, struct rs_addr *to);
int address_to_sockaddr(const struct rs_addr *from, void *to);

#endif
