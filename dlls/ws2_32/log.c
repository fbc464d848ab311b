/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log lines.
 *
 * Owns: the level, where lines go, their prefix.  Calls only kernel32 and ntdll and keeps no CRT
 * stream, so that it works in DllMain and in a thread that is being torn down.  A line is one
 * WriteFile.  The file is opened by whichever thread comes first; a range lock on it, held for one
 * write and waited for only so long, keeps lines of threads and processes apart.
 */
#define __USE_MINGW_ANSI_STDIO 1 /* log.h promises gnu_printf */
#include "winsock.h"
#include "log.h"

#include <stdarg.h>

#define LINE_MAX_BYTES 2048
#define LOCK_TRIES     100   /* milliseconds */
#define LOG_PAUSE_MS   10000 /* between two lines of one log_rarely */

enum log_level log_level = LOG_WARN;

static WCHAR log_path[MAX_PATH]; /* empty: standard error */
static HANDLE log_file;          /* NULL until the first line */

/* How Wine's own messages reach the Unix stderr: the way out for a program without a standard error
 * handle (all that explorer or services starts).  Absent on Windows. */
static int(__cdecl *wine_write)(const char *text, unsigned int length);

static const char *const level_names[] = {"none", "error", "warn", "info", "debug", "trace"};

static enum log_level parse_level(const WCHAR *name)
{
    for (size_t i = 0; i < ARRAYSIZE(level_names); i++) {
        const char *expected = level_names[i];
        size_t j = 0;

        while (expected[j] && name[j] == (WCHAR)expected[j])
            j++;
        if (!expected[j] && !name[j])
            return (enum log_level)i;
    }
    return LOG_WARN; /* a misspelled level must not hide errors */
}

static void append(WCHAR *out, size_t size, const WCHAR *text)
{
    size_t used = wcslen(out);

    while (*text && used + 1 < size)
        out[used++] = *text++;
    out[used] = 0;
}

/* PROGRAM_ws2_32.log in the directory, as DXVK names its files.  A directory that begins with a
 * slash is the host's; Wine opens those by the \\?\unix prefix whatever drives the prefix has. */
static void set_path(const WCHAR *directory)
{
    WCHAR program[MAX_PATH], *name, *dot;

    log_path[0] = 0;
    if (directory[0] == '/')
        append(log_path, ARRAYSIZE(log_path), L"\\\\?\\unix");
    append(log_path, ARRAYSIZE(log_path), directory);
    append(log_path, ARRAYSIZE(log_path), L"\\");

    if (!GetModuleFileNameW(NULL, program, ARRAYSIZE(program)))
        program[0] = 0;
    program[ARRAYSIZE(program) - 1] = 0;
    name = wcsrchr(program, '\\');
    name = name ? name + 1 : program;
    dot = wcsrchr(name, '.');
    if (dot)
        *dot = 0;
    append(log_path, ARRAYSIZE(log_path), name);
    append(log_path, ARRAYSIZE(log_path), L"_ws2_32.log");
    if (directory[0] == '/')
        for (WCHAR *c = log_path; *c; c++)
            if (*c == '/')
                *c = '\\';
}

void log_init(void)
{
    WCHAR value[MAX_PATH];
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    DWORD length;

    length = GetEnvironmentVariableW(L"RINGSOCK_LOG", value, ARRAYSIZE(value));
    if (length && length < ARRAYSIZE(value))
        log_level = parse_level(value);
    length = GetEnvironmentVariableW(L"RINGSOCK_LOG_PATH", value, ARRAYSIZE(value));
    if (length && length < ARRAYSIZE(value)) {
        if (!wcscmp(value, L"none"))
            log_level = LOG_NONE;
        else
            set_path(value);
    }
    if (ntdll)
        wine_write = (void *)GetProcAddress(ntdll, "__wine_dbg_write");
}

/* On i386 the function is cdecl in Wine 8.0 and stdcall in 10.0: the stack pointer is put back
 * whatever it did with the arguments. */
static void write_to_wine(const char *line, DWORD length)
{
#if defined(__i386__)
    void *function = (void *)wine_write;

    __asm__ volatile("movl %%esp, %%edi\n\t"
                     "andl $-16, %%esp\n\t"
                     "subl $8, %%esp\n\t"
                     "pushl %%edx\n\t"
                     "pushl %%ecx\n\t"
                     "call *%%eax\n\t"
                     "movl %%edi, %%esp"
                     : "+a"(function), "+c"(line), "+d"(length)
                     :
                     : "edi", "memory", "cc");
#else
    wine_write(line, length);
#endif
}

/* Each line to the end of the file: programs that start themselves twice share one. */
static HANDLE open_file(void)
{
    HANDLE file = log_file;

    if (file)
        return file;
    file = CreateFileW(log_path, FILE_APPEND_DATA | SYNCHRONIZE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS,
                       FILE_ATTRIBUTE_NORMAL, NULL);
    if (InterlockedCompareExchangePointer(&log_file, file, NULL)) {
        if (file != INVALID_HANDLE_VALUE)
            CloseHandle(file);
    }
    return log_file;
}

/* Wine finds the end of the file and writes there in two steps: without a lock lines overwrite each
 * other (seen).  A thread may die while it holds the lock, so waiting for it ends. */
static bool write_to_file(HANDLE file, const char *line, DWORD length)
{
    OVERLAPPED range = {.Offset = 0, .OffsetHigh = 0x7fffffff}; /* a byte that is never written */
    bool locked = false, written;
    DWORD count;

    for (int i = 0; i < LOCK_TRIES && !locked; i++) {
        locked =
            LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &range);
        if (!locked)
            Sleep(1);
    }
    written = WriteFile(file, line, length, &count, NULL);
    if (locked)
        UnlockFileEx(file, 0, 1, 0, &range);
    return written;
}

static void write_line(const char *line, DWORD length)
{
    HANDLE handle = log_path[0] ? open_file() : GetStdHandle(STD_ERROR_HANDLE);
    bool written = false;
    DWORD count;

    if (handle && handle != INVALID_HANDLE_VALUE)
        written = log_path[0] ? write_to_file(handle, line, length)
                              : WriteFile(handle, line, length, &count, NULL);
    if (!written && wine_write)
        write_to_wine(line, length);
}

void log_write(enum log_level level, const char *format, ...)
{
    DWORD error = GetLastError();
    char line[LINE_MAX_BYTES];
    va_list args;
    int prefix, length;

    if (level > log_level || level <= LOG_NONE || (size_t)level >= ARRAYSIZE(level_names))
        return;
    prefix = snprintf(line, sizeof(line), "ringsock:%s:%04lx: ", level_names[level],
                      GetCurrentThreadId());
    va_start(args, format);
    length = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1, format, args);
    va_end(args);
    if (length < 0)
        length = 0;
    length += prefix;
    if ((size_t)length > sizeof(line) - 2)
        length = sizeof(line) - 2; /* cut, with room for the line end */
    line[length++] = '\n';
    write_line(line, (DWORD)length);
    SetLastError(error);
}

bool log_due(unsigned int *said)
{
    unsigned int now = GetTickCount() | 1; /* 0: never */
    unsigned int seen = __atomic_load_n(said, __ATOMIC_RELAXED);

    return (!seen || now - seen >= LOG_PAUSE_MS) &&
           __atomic_compare_exchange_n(said, &seen, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool log_new(unsigned int said[LOG_KEYS], unsigned int key)
{
    unsigned int wanted = key ? key : ~0u; /* 0: a free place */

    for (unsigned int i = 0; i < LOG_KEYS; i++) {
        unsigned int seen = 0;

        if (__atomic_compare_exchange_n(&said[i], &seen, wanted, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return true;
        if (seen == wanted)
            return false;
    }
    return false;
}

/* What kind of Wine this is; "none" on Windows. */
const char *log_wine_version(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    const char *(__cdecl * version)(void) =
        ntdll ? (void *)GetProcAddress(ntdll, "wine_get_version") : NULL;

    return version ? version() : "none";
}
