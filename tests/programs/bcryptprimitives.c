/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bcryptprimitives.dll for a Wine that has none (before 9.0): the one export that newer Go and Rust
 * run-time libraries load.  Calls advapi32's random generator; takes no lock.
 */
#include <windows.h>
#include <ntsecapi.h>

BOOL WINAPI ProcessPrng(BYTE *data, SIZE_T length);

BOOL WINAPI ProcessPrng(BYTE *data, SIZE_T length)
{
    while (length) {
        ULONG part = length > 0x10000000 ? 0x10000000 : (ULONG)length;

        if (!RtlGenRandom(data, part))
            return FALSE;
        data += part;
        length -= part;
    }
    return TRUE;
}
