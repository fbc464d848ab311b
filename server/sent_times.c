/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When datagrams were sent whose sender wants to know (Windows' transmit timestamps).
 *
 * Owns: struct sent_times.  Loop thread only, no locks.
 *
 * "As transmit timestamps are generated, they are added to the buffer. If the buffer is full, new
 * transmit timestamps are discarded." (Microsoft, "Winsock timestamping")
 */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "socket.h"

#define FIRST_ROOM 16u

struct sent_time {
    uint64_t time;
    uint32_t stamp;
};

struct sent_times {
    uint32_t limit, count, room; /* count <= room */
    struct sent_time *list;      /* the oldest first */
};

void sent_times_end(struct socket *socket)
{
    if (!socket->sent_times)
        return;
    free(socket->sent_times->list);
    free(socket->sent_times);
    socket->sent_times = NULL;
}

uint32_t sent_times_keep(struct socket *socket, uint32_t limit)
{
    if (socket->type != RS_DGRAM)
        return WSAENOPROTOOPT;
    if (limit > UINT16_MAX)
        return WSAEINVAL;
    if (!limit) {
        sent_times_end(socket);
        return 0;
    }
    if (!socket->sent_times && !(socket->sent_times = calloc(1, sizeof(*socket->sent_times))))
        return WSAENOBUFS;
    socket->sent_times->limit = limit;
    return 0;
}

static bool grow(struct sent_times *times)
{
    uint32_t room = times->room ? times->room * 2 : FIRST_ROOM;
    struct sent_time *list = realloc(times->list, room * sizeof(*list));

    if (!list)
        return false;
    times->list = list;
    times->room = room;
    return true;
}

void sent_times_add(struct socket *socket, uint32_t stamp, uint64_t time)
{
    struct sent_times *times = socket->sent_times;

    if (!times || times->count >= times->limit || (times->count == times->room && !grow(times)))
        return;
    times->list[times->count++] = (struct sent_time){time, stamp};
}

bool sent_times_take(struct socket *socket, uint32_t stamp, uint64_t *time)
{
    struct sent_times *times = socket->sent_times;

    for (uint32_t i = 0; times && i < times->count; i++)
        if (times->list[i].stamp == stamp) {
            *time = times->list[i].time;
            memmove(&times->list[i], &times->list[i + 1],
                    (--times->count - i) * sizeof(*times->list));
            return true;
        }
    return false;
}
