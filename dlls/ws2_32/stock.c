/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams made in advance (see stock.h).  Owns session.stock: anchor and index in one word, which is
 * exchanged, so that two threads never get the same. */
#include "stock.h"

static LONG64 volatile *place_of(struct session *session, uint32_t family)
{
    return &session->stock[family == RS_AF_INET6];
}

static void give_back(struct session *session, LONG64 stock)
{
    if (stock)
        submit_simple(session, RS_SUB_CLOSE, RS_CLOSE_ABORT, (uint32_t)stock);
}

void stock_arrived(struct session *session, uint32_t index, const struct rs_stock *stock)
{
    LONG64 word = (LONG64)((uint64_t)stock->anchor << 32 | index);

    give_back(session, InterlockedExchange64(place_of(session, stock->family), word));
}

bool stock_take(struct session *session, uint32_t family, uint32_t *index, uint32_t *anchor)
{
    LONG64 volatile *place = place_of(session, family);
    LONG64 word;

    if (!*place)
        session_reap(session);
    if (!*place || !(word = InterlockedExchange64(place, 0)))
        return false;
    *index = (uint32_t)word;
    *anchor = (uint32_t)((uint64_t)word >> 32);
    return true;
}

void stock_clear(struct session *session)
{
    give_back(session, InterlockedExchange64(&session->stock[0], 0));
    give_back(session, InterlockedExchange64(&session->stock[1], 0));
}
