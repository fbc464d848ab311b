/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Linux counts a process's reads (syscr of /proc/PID/io, proc(5)) before the read returns, so
 * before a request can have any effect.  /proc/self is wineserver's own, since wineserver opens the
 * file; what is read from it later still is, though this process reads by itself.
 *
 * Owns: the handle.  Takes no lock.
 */
#include "wineserver_reads.h"
#include "handles.h"
#include "intercept.h"
#include "log.h"
#include "ntcalls.h"

#define UNKNOWN ((HANDLE)-1)

static HANDLE volatile counts; /* UNKNOWN: there is no such file, or it cannot be read */

/* Protected, so that a program that closes what it does not know closes nothing that is read here.
 */
static HANDLE open_counts(void)
{
    DWORD error = GetLastError();
    HANDLE file = CreateFileW(L"\\\\?\\unix\\proc\\self\\io", GENERIC_READ,
                              FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE other;

    if (file == UNKNOWN)
        log_info("wineserver's reads are not counted, error %lu: each closed socket asks it",
                 GetLastError());
    else
        SetHandleInformation(file, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE);
    SetLastError(error);
    other = InterlockedCompareExchangePointer((void *volatile *)&counts, file, NULL);
    if (!other)
        return file;
    if (file != UNKNOWN) {
        SetHandleInformation(file, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
        real_NtClose(file);
    }
    return other;
}

uint64_t wineserver_reads(void)
{
    HANDLE file = counts ? counts : open_counts();
    LARGE_INTEGER begin = {.QuadPart = 0};
    IO_STATUS_BLOCK iosb = {0};
    char text[256];
    const char *line;

    if (file == UNKNOWN)
        return 0;
    if (real_NtReadFile(file, NULL, NULL, NULL, &iosb, text, sizeof(text) - 1, &begin, NULL))
        return 0;
    text[iosb.Information] = 0;
    line = strstr(text, "syscr: ");
    return line ? strtoull(line + sizeof("syscr: ") - 1, NULL, 10) : 0;
}
