/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A receive that does not wait has found nothing: may there be something on its way that over
 * Windows' loopback would be here?
 *
 * Owns: socket.stalled, but for where it is set.  Takes the socket's lock; asks the server with no
 * lock held.
 *
 * Where a program is faster than the server a receive finds nothing of what was just sent, and
 * mostly that is a race that the program cannot have counted on.  But who sends until there is no
 * room and then reads until there is nothing has read all on Windows (Wine's test_write_events, run
 * there), and may wait for room from then on.  So it is asked for behind a stall, as more was sent
 * than the receiver had credit for, and where a send that does not wait has filled its window and
 * the server has not come so far yet.
 *
 * Whoever asks for network events may likewise be faster than the server: look_now.
 */
#include "look_again.h"
#include "request.h"
#include "share.h"

#define LOOKS 10u /* how often one call waits for the kernel, a millisecond each time */

/* Whether the server may have more behind what it has sent until now.  It waits only for what the
 * kernel is about to pass on. */
static bool look_for_rest(struct socket *socket, struct looks *looks)
{
    struct request request = {
        .session = socket->session, .type = RS_SUB_LOOK, .socket = socket->index};

    while (!request_call(&request) && request.value != RS_LOOK_NOTHING) {
        if (request.value == RS_LOOK_DATA)
            return true;
        if (looks->waits++ == LOOKS)
            break;
        Sleep(looks->waits > 1);
    }
    return false;
}

static void look_behind_stall(struct socket *socket, struct looks *looks)
{
    bool more = look_for_rest(socket, looks);

    AcquireSRWLockExclusive(&socket->lock);
    socket->stalled = more;
    ReleaseSRWLockExclusive(&socket->lock);
}

/* Once in a call: what is sent from then on is later than the call. */
static bool look_behind_full_sends(struct socket *socket, struct looks *looks)
{
    uint32_t mark = socket->type == SOCK_STREAM ? submit_marked(socket->session) : 0;

    if (looks->full_sends || !mark)
        return false;
    looks->full_sends = true;
    if (!submit_is_past(socket->session, mark))
        look_behind_stall(socket, looks);
    submit_unmark(socket->session, mark);
    return true;
}

void look_now(struct socket *socket)
{
    struct looks looks = {0};

    look_for_rest(socket, &looks);
    session_reap(socket->session);
}

bool look_again(struct socket *socket, struct looks *looks)
{
    /* another process may have got hold of it in between: then nothing here says anything */
    if (socket->away)
        return !share_use(socket);
    if (look_behind_full_sends(socket, looks))
        return true;
    if (!socket->stalled)
        return false;
    look_behind_stall(socket, looks);
    return true; /* something may have come before the server was asked */
}
