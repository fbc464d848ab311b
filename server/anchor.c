/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anchors: the FIFOs that the program's SOCKET handles stand on.
 *
 * Owns: the FIFOs a<N>, the server's ends of them, and a session's spare ones.  Loop thread only,
 * no locks.
 *
 * A FIFO hangs up only after it has had a writer (pipe_poll in Linux's fs/pipe.c), so an anchor
 * that the DLL has not opened yet stays quiet.  One whose writers have all gone can serve the next
 * socket: that saves making, opening, watching and removing a FIFO for each.  Then it still reports
 * the old hang-up, so its events mean nothing until RS_SUB_ANCHORED has come.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"
#include "socket.h"

#define SPARE_MAX   64u  /* a session keeps; each is a descriptor */
#define PROOFS_SIZE 256u /* of several processes that attach at the same time */

struct anchor {
    struct watch watch;
    struct grave grave;
    struct link spare;     /* session.spare_anchors */
    struct socket *socket; /* NULL: spare */
    uint32_t number;
    struct session *home; /* whose directory has it; NULL: the name was removed */
    uint64_t inode;
    uint8_t proofs[PROOFS_SIZE]; /* written into it and not claimed yet */
    size_t proof_bytes;
};

static void hang_up(struct socket *socket)
{
    if (socket->anchor_gone)
        return;
    socket->anchor_gone = true;
    list_append(&socket->session->hung, &socket->hung);
}

static void anchor_ready(struct watch *watch, uint32_t events)
{
    struct anchor *anchor = container_of(watch, struct anchor, watch);

    if ((events & EPOLLHUP) && anchor->socket && anchor->socket->anchored)
        hang_up(anchor->socket);
}

static void anchor_name(const struct anchor *anchor, char *name, size_t size)
{
    snprintf(name, size, "a%u", anchor->number);
}

static void anchor_destroy(struct session *session, struct anchor *anchor)
{
    char name[16];

    anchor_name(anchor, name, sizeof(name));
    if (anchor->home)
        unlinkat(anchor->home->dir_fd, name, 0);
    loop_close(&anchor->watch);
    loop_free_later(&session->server->loop, &anchor->grave, anchor);
}

static struct anchor *anchor_create(struct session *session, int *error)
{
    struct anchor *anchor = calloc(1, sizeof(*anchor));
    struct stat status;
    char name[16];

    *error = -ENOMEM;
    if (!anchor)
        return NULL;
    watch_init(&anchor->watch, anchor_ready);
    list_init(&anchor->spare);
    anchor->number = session->next_anchor++;
    anchor->home = session;
    anchor_name(anchor, name, sizeof(name));
    if (mkfifoat(session->dir_fd, name, 0600)) {
        *error = -errno;
        free(anchor);
        return NULL;
    }
    anchor->watch.fd =
        openat(session->dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    *error = anchor->watch.fd < 0 || fstat(anchor->watch.fd, &status)
                 ? -errno
                 : loop_watch(&session->server->loop, &anchor->watch, 0);
    if (!*error) {
        anchor->inode = status.st_ino;
        return anchor;
    }
    anchor_destroy(session, anchor);
    return NULL;
}

int anchor_open(struct socket *socket)
{
    struct session *session = socket->session;
    struct anchor *anchor;
    int error = 0;

    if (!list_empty(&session->spare_anchors)) {
        anchor = container_of(session->spare_anchors.next, struct anchor, spare);
        list_remove(&anchor->spare);
        session->spare_anchor_count--;
    } else
        anchor = anchor_create(session, &error);
    if (!anchor)
        return error;
    anchor->socket = socket;
    socket->anchor = anchor;
    return 0;
}

uint32_t anchor_number(const struct socket *socket)
{
    return socket->anchor->number;
}

static bool hung_up(const struct anchor *anchor)
{
    struct pollfd poll_fd = {.fd = anchor->watch.fd};

    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLHUP);
}

void anchor_adopt(struct socket *socket)
{
    if (socket->anchored || socket->state == SOCKET_CLOSED)
        return;
    socket->anchored = true;
    listener_release(socket);
    if (hung_up(socket->anchor)) /* closed again already; that event was passed over */
        hang_up(socket);
}

bool anchor_is_gone(struct socket *socket)
{
    return !socket->anchored || socket->anchor_gone || socket->anchor_kept || !socket->anchor ||
           hung_up(socket->anchor);
}

/* A process that said RS_SUB_ANCHORED and never opened the FIFO would leave one that never hangs
 * up. Once it has had a writer it does, unless there is another one. */
bool anchor_is_abandoned(struct socket *socket)
{
    char path[32];
    int fd;

    if (anchor_is_gone(socket))
        return true;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", socket->anchor->watch.fd);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return hung_up(socket->anchor);
}

/* Nothing that a program wrote into its SOCKET lies in it, and nobody has it open, or only its DLL
 * for the next socket: the end of the file, or that there is nothing to read. */
static bool reusable(const struct session *session, const struct anchor *anchor, bool kept)
{
    ssize_t count;
    char byte;

    if (session->state != SESSION_LIVE || session->corrupt || anchor->home != session ||
        session->spare_anchor_count >= SPARE_MAX)
        return false;
    count = read(anchor->watch.fd, &byte, 1);
    return !count || (kept && count < 0 && errno == EAGAIN);
}

void anchor_close(struct socket *socket)
{
    struct session *session = socket->session;
    struct anchor *anchor = socket->anchor;

    list_remove(&socket->hung);
    if (!anchor)
        return;
    socket->anchor = NULL;
    anchor->socket = NULL;
    /* One that was never opened may still be, by a DLL that is about to: never give that away. */
    if (!socket->anchored || !reusable(session, anchor, socket->anchor_kept)) {
        anchor_destroy(session, anchor);
        return;
    }
    if (socket->anchor_kept) /* the next one that is needed: it costs the DLL nothing */
        list_insert_after(&session->spare_anchors, &anchor->spare);
    else
        list_append(&session->spare_anchors, &anchor->spare);
    session->spare_anchor_count++;
}

void anchor_close_spare(struct session *session)
{
    while (!list_empty(&session->spare_anchors)) {
        struct anchor *anchor = container_of(session->spare_anchors.next, struct anchor, spare);

        list_remove(&anchor->spare);
        anchor_destroy(session, anchor);
    }
    session->spare_anchor_count = 0;
}

/* ---- for who has got a handle by other ways (share.c) ---- */

struct socket *anchor_find(struct server *server, uint64_t inode)
{
    for (struct link *link = server->sessions.next; link != &server->sessions; link = link->next) {
        const struct session *session = container_of(link, struct session, link);

        for (uint32_t i = 1; session->sockets && i < session->socket_end; i++) {
            struct socket *socket = session->sockets[i];

            if (socket && socket->anchor && socket->anchor->inode == inode)
                return socket;
        }
    }
    return NULL;
}

/* What a program writes into its SOCKET by other ways than ours makes room for a proof. */
static void read_proofs(struct anchor *anchor)
{
    uint8_t bytes[PROOFS_SIZE];
    ssize_t count;

    for (int i = 0; i < 64 && (count = read(anchor->watch.fd, bytes, sizeof(bytes))) > 0; i++) {
        size_t size = (size_t)count, kept = PROOFS_SIZE - size;

        kept = anchor->proof_bytes < kept ? anchor->proof_bytes : kept;
        memmove(anchor->proofs, anchor->proofs + anchor->proof_bytes - kept, kept);
        memcpy(anchor->proofs + kept, bytes, size);
        anchor->proof_bytes = kept + size;
    }
}

bool anchor_proves(struct socket *socket, const uint8_t proof[RS_PROOF])
{
    struct anchor *anchor = socket->anchor;
    uint8_t *found;

    read_proofs(anchor);
    found = memmem(anchor->proofs, anchor->proof_bytes, proof, RS_PROOF);
    if (!found)
        return false;
    anchor->proof_bytes -= RS_PROOF;
    memmove(found, found + RS_PROOF, (size_t)(anchor->proofs + anchor->proof_bytes - found));
    return true;
}

void anchor_unname(struct socket *socket)
{
    struct anchor *anchor = socket->anchor;
    char name[16];

    if (!anchor->home)
        return;
    anchor_name(anchor, name, sizeof(name));
    unlinkat(anchor->home->dir_fd, name, 0);
    anchor->home = NULL;
}
