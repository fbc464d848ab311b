/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who wants a shared socket (share.h).
 *
 * Owns: share.asks, and the calls that wait in it.  Loop thread only, no locks.
 */
#include <stdlib.h>

#include "comp.h"
#include "error.h"
#include "share.h"

#define ASKS_MAX 4096u

void ask_end(struct share *share, struct ask *ask, uint32_t error)
{
    if (ask->kind != ASK_WANT)
        comp_reply(ask->session, &ask->call, error);
    list_remove(&ask->link);
    share->ask_count--;
    free(ask);
}

static bool ask_is_of(const struct ask *ask, const struct socket *view)
{
    return ask->session == view->session && ask->index == view->index;
}

void asks_end(struct share *share, const struct socket *view, uint32_t error)
{
    for (struct link *link = share->asks.next, *next; link != &share->asks; link = next) {
        struct ask *ask = container_of(link, struct ask, link);

        next = link->next;
        if (!view || (ask_is_of(ask, view) && (error || ask->kind != ASK_PARK)))
            ask_end(share, ask, error);
    }
}

struct ask *ask_first(struct share *share, enum ask_kind kind)
{
    for (struct link *link = share->asks.next; link != &share->asks; link = link->next) {
        struct ask *ask = container_of(link, struct ask, link);

        if (ask->kind == kind)
            return ask;
    }
    return NULL;
}

static bool wants_already(struct share *share, const struct socket *view)
{
    for (struct link *link = share->asks.next; link != &share->asks; link = link->next) {
        const struct ask *ask = container_of(link, struct ask, link);

        if (ask->kind == ASK_WANT && ask_is_of(ask, view))
            return true;
    }
    return false;
}

uint32_t ask_add(struct share *share, enum ask_kind kind, const struct socket *view,
                        const struct rs_call *call)
{
    struct ask *ask;

    if (kind == ASK_WANT && wants_already(share, view))
        return 0;
    ask = share->ask_count < ASKS_MAX ? calloc(1, sizeof(*ask)) : NULL;
    if (!ask)
        return WSAENOBUFS;
    ask->kind = kind;
    ask->session = view->session;
    ask->index = view->index;
    if (call)
        ask->call = *call;
    list_append(&share->asks, &ask->link);
    share->ask_count++;
    return 0;
}
