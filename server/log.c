/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's log: one line per event, to one descriptor, written with one write().
 *
 * Owns: the level and the descriptor.  Callable from the loop thread and from resolver threads; no
 * locks (a line is one write, which a regular file opened with O_APPEND takes whole).
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define LOG_PAUSE (10 * CLOCK_PER_SECOND) /* between two lines of one log_rarely */

static enum log_level level_wanted = LOG_LEVEL_WARN;
static int log_fd = STDERR_FILENO;
static bool trouble; /* set only, by any thread */

static const char *const level_names[] = {"error", "warn", "info", "debug", "trace"};

void log_init(void)
{
    const char *name = getenv("RINGSOCK_LOG");

    for (unsigned i = 0; name && i < sizeof(level_names) / sizeof(*level_names); i++) {
        if (!strcmp(name, level_names[i]))
            level_wanted = (enum log_level)i;
    }
}

void log_to(int fd)
{
    log_fd = fd;
}

bool log_has_trouble(void)
{
    return __atomic_load_n(&trouble, __ATOMIC_RELAXED);
}

bool log_wanted(enum log_level level)
{
    return level <= level_wanted && log_fd >= 0;
}

bool log_due(uint64_t *again)
{
    uint64_t now = clock_now();
    uint64_t due = __atomic_load_n(again, __ATOMIC_RELAXED);

    return now >= due && __atomic_compare_exchange_n(again, &due, now + LOG_PAUSE, false,
                                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[1024];
    struct timespec now;
    struct tm parts;
    va_list arguments;
    int used, more;

    if (!log_wanted(level))
        return;
    if (level <= LOG_LEVEL_WARN)
        __atomic_store_n(&trouble, true, __ATOMIC_RELAXED);
    clock_gettime(CLOCK_REALTIME, &now);
    if (!localtime_r(&now.tv_sec, &parts))
        memset(&parts, 0, sizeof(parts));
    used = snprintf(line, sizeof(line),
                    "%02d:%02d:%02d.%03ld ringsock-server[%d] %s: ", parts.tm_hour, parts.tm_min,
                    parts.tm_sec, now.tv_nsec / 1000000, (int)getpid(), level_names[level]);
    va_start(arguments, format);
    more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, arguments);
    va_end(arguments);
    if (more < 0)
        return;
    used += more;
    if ((size_t)used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    line[used++] = '\n';
    /* A log that cannot be written is no reason to stop serving. */
    if (write(log_fd, line, (size_t)used) < 0)
        return;
}
