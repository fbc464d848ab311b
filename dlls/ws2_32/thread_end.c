/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of threads (see thread_end.h).  Owns nothing; takes what it calls takes.
 */
#include "thread_end.h"
#include "afd.h"
#include "cancel.h"
#include "routine.h"

static void cancel_in(struct socket *socket, void *filter)
{
    socket_cancel(socket, filter);
}

void thread_ends(void)
{
    struct waiter *waiter = waiter_existing();
    struct operation_filter filter = {.thread_exit = true};

    if (!waiter)
        return;
    filter.issuer = waiter->serial;
    if (waiter->pending_operations > 0)
        socket_for_each(cancel_in, &filter);
    afd_poll_cancel(NULL, &filter);
    routines_end(waiter);
    waiter_give_back(waiter);
}
