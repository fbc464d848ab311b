/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keepalive, and how long TCP tries: Windows' defaults, Linux's limits.
 *
 * Asks the server with no lock held.  What is told back is what was set, or Windows' default.
 */
#include "option.h"

#define IDLE_DEFAULT     7200u /* seconds; MSDN, TCP_KEEPIDLE and its neighbours */
#define INTERVAL_DEFAULT 1u
#define COUNT_DEFAULT    10u
#define SECONDS_MAX      32767u /* Linux takes no more */
#define COUNT_MAX        127u   /* the same */

static DWORD tell(struct socket *socket, uint16_t option, uint32_t value, uint32_t limit,
                  uint32_t *kept)
{
    uint32_t told = value < limit ? value : limit;
    DWORD error = option_server_set(socket, option, &told, sizeof(told));

    if (!error)
        *kept = value;
    return error;
}

DWORD set_keep_idle(struct socket *socket, uint32_t value)
{
    return tell(socket, RS_OPT_TCP_KEEPIDLE, value, SECONDS_MAX, &socket->keep_idle);
}

DWORD set_keep_interval(struct socket *socket, uint32_t value)
{
    return tell(socket, RS_OPT_TCP_KEEPINTVL, value, SECONDS_MAX, &socket->keep_interval);
}

DWORD set_keep_count(struct socket *socket, uint32_t value)
{
    return tell(socket, RS_OPT_TCP_KEEPCNT, value, COUNT_MAX, &socket->keep_count);
}

DWORD get_keep_idle(struct socket *socket, uint32_t *value)
{
    *value = socket->keep_idle ? socket->keep_idle : IDLE_DEFAULT;
    return 0;
}

DWORD get_keep_interval(struct socket *socket, uint32_t *value)
{
    *value = socket->keep_interval ? socket->keep_interval : INTERVAL_DEFAULT;
    return 0;
}

DWORD get_keep_count(struct socket *socket, uint32_t *value)
{
    *value = socket->keep_count ? socket->keep_count : COUNT_DEFAULT;
    return 0;
}

/* TCP_MAXRT: "If it is -1, it represents a request to disable connection timeout". */
DWORD set_max_retransmit(struct socket *socket, uint32_t value)
{
    uint32_t limit = UINT32_MAX / 1000;
    uint32_t told = value == UINT32_MAX ? value : (value < limit ? value : limit) * 1000;

    return tell(socket, RS_OPT_TCP_MAXRT, told, UINT32_MAX, &socket->max_retransmit);
}

DWORD get_max_retransmit(struct socket *socket, uint32_t *value)
{
    uint32_t kept = socket->max_retransmit;

    *value = kept == UINT32_MAX ? kept : kept / 1000 + (kept % 1000 != 0);
    return 0;
}

/* The first time it is switched on, Linux's probes become as frequent and as many as Windows'. */
DWORD set_keepalive(struct socket *socket, uint32_t value)
{
    DWORD error = 0;

    if (value && !socket->keep_interval)
        error = set_keep_interval(socket, INTERVAL_DEFAULT);
    if (!error && value && !socket->keep_count)
        error = set_keep_count(socket, COUNT_DEFAULT);
    return error ? error : option_server_set(socket, RS_OPT_KEEPALIVE, &value, sizeof(value));
}
