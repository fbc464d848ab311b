/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the user sees: RINGSOCK_LOG=error|warn|info|debug|trace, RINGSOCK_LOG_PATH.
 *
 * May be called from anywhere, under any lock, and before WSAStartup; never changes the last error.
 */
#ifndef RINGSOCK_LOG_H
#define RINGSOCK_LOG_H

#include <stdbool.h>

enum log_level { LOG_NONE, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

extern enum log_level log_level; /* set once by log_init */

void log_init(void);                /* from DllMain */
const char *log_wine_version(void); /* "8.0", or "none" outside Wine */
void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(gnu_printf, 2, 3)));

/* Cheap when off: the arguments are not evaluated. */
#define log_at(level, ...) ((level) <= log_level ? log_write((level), __VA_ARGS__) : (void)0)
#define log_error(...)     log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)      log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)      log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...)     log_at(LOG_DEBUG, __VA_ARGS__)

/* For what happens again and again while a limit is met: at most one line in ten seconds. */
#define log_rarely(level, ...)          \
    do {                                \
        static unsigned int log_said;   \
        if (log_due(&log_said))         \
            log_at(level, __VA_ARGS__); \
    } while (0)
bool log_due(unsigned int *said);

/* The first time this line is reached in the process. */
#define log_once(level, ...)                         \
    do {                                             \
        static LONG log_once_done;                   \
        if (!InterlockedExchange(&log_once_done, 1)) \
            log_at(level, __VA_ARGS__);              \
    } while (0)

/* The first time this line is reached with that key (a code, an option), for the first keys. */
#define LOG_KEYS 32u
#define log_once_each(level, key, ...)                                      \
    do {                                                                    \
        static unsigned int log_said[LOG_KEYS];                             \
        if ((level) <= log_level && log_new(log_said, (unsigned int)(key))) \
            log_write((level), __VA_ARGS__);                                \
    } while (0)
bool log_new(unsigned int said[LOG_KEYS], unsigned int key);

#endif
