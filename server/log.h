/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the server says, and to whom.  See log.c.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_TRACE
};

/* Takes the level from RINGSOCK_LOG (default: warn). */
void log_init(void);
/* Where the lines go from now on; -1 = nowhere.  The descriptor stays the caller's. */
void log_to(int fd);
/* Whether anything was said that somebody should read. */
bool log_has_trouble(void);
bool log_wanted(enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* True at most once in some seconds for each `again`, which starts as 0. */
bool log_due(uint64_t *again);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
/* For what happens again and again while a limit is met. */
#define log_rarely(...)                            \
    do {                                           \
        static uint64_t log_again;                 \
        if (log_due(&log_again))                   \
            log_line(LOG_LEVEL_WARN, __VA_ARGS__); \
    } while (0)
/* These two are on hot paths: no argument is evaluated unless somebody listens. */
#define log_debug(...)                              \
    do {                                            \
        if (log_wanted(LOG_LEVEL_DEBUG))            \
            log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
    } while (0)
#define log_trace(...)                              \
    do {                                            \
        if (log_wanted(LOG_LEVEL_TRACE))            \
            log_line(LOG_LEVEL_TRACE, __VA_ARGS__); \
    } while (0)

#endif
