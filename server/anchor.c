/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anchors: the FIFOs that the program's SOCKET handles stand on.
 *
 * Owns: the directory of the FIFOs, the table of them, a session's spare ones.  How the end of one
 * is noticed: anchor_watch.c.  Loop thread only, no locks.
 *
 * One that nobody has open any more can serve the next socket: that saves making and removing a
 * FIFO for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anchor.h"
#include "server.h"
#include "socket.h"

#define SPARE_MAX   64u  /* a session keeps */
#define PROOFS_SIZE 256u /* of several processes that attach at the same time */
#define NAME_SIZE   12

void anchor_hang_up(struct anchor *anchor)
{
    struct socket *socket = anchor->socket;

    if (socket->anchor_gone)
        return;
    socket->anchor_gone = true;
    list_append(&socket->session->hung, &socket->hung);
}

/* ---- the files ---- */

static void name_of(const struct anchor *anchor, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%u", anchor->number);
}

/* Of who has made it, which may be another server. */
static int directory_of(const struct anchor *anchor)
{
    return workers_at(anchor->number % RS_ANCHOR_DIRS)->anchors.dir_fd;
}

static int open_end(const struct anchor *anchor)
{
    char name[NAME_SIZE];

    name_of(anchor, name);
    return openat(directory_of(anchor), name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
}

int anchor_end(struct server *server, const struct anchor *anchor)
{
    int fd = anchor->watch.fd >= 0 ? anchor->watch.fd : open_end(anchor);

    if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || server->spare_fd < 0)
        return fd;
    close(server->spare_fd);
    server->spare_fd = -1;
    return open_end(anchor);
}

void anchor_end_done(struct server *server, const struct anchor *anchor, int fd)
{
    if (fd >= 0 && fd != anchor->watch.fd)
        close(fd);
    server_has_spare(server);
}

int anchors_open(struct server *server)
{
    struct anchors *anchors = &server->anchors;
    char name[sizeof(ANCHOR_DIR) + 10];

    snprintf(name, sizeof(name), ANCHOR_DIR "%u", server->number);
    if (mkdirat(server->dir.fd, name, 0700) && errno != EEXIST)
        return -errno;
    anchors->dir_fd = openat(server->dir.fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (anchors->dir_fd < 0)
        return -errno;
    anchor_watch_start(server);
    return 0;
}

void anchors_close(struct server *server)
{
    if (server->anchors.dir_fd < 0)
        return;
    anchor_watch_stop(server);
    close(server->anchors.dir_fd);
}

/* ---- one of them ---- */

static void table_insert(struct anchors *anchors, struct anchor *anchor)
{
    struct anchor **bucket = anchor_bucket(anchors, anchor->number);

    anchor->next = *bucket;
    *bucket = anchor;
}

static void table_remove(struct anchors *anchors, const struct anchor *anchor)
{
    struct anchor **at = anchor_bucket(anchors, anchor->number);

    while (*at != anchor)
        at = &(*at)->next;
    *at = anchor->next;
}

static void anchor_destroy(struct server *server, struct anchor *anchor)
{
    char name[NAME_SIZE];

    name_of(anchor, name);
    unlinkat(directory_of(anchor), name, 0);
    table_remove(&server->anchors, anchor);
    loop_close(&anchor->watch);
    free(anchor->proofs);
    loop_free_later(&server->loop, &anchor->grave, anchor);
}

static int make_fifo(struct server *server, struct anchor *anchor)
{
    struct stat status;
    char name[NAME_SIZE];

    do {
        anchor->number = server->anchors.next_number;
        server->anchors.next_number += RS_ANCHOR_DIRS;
        name_of(anchor, name);
        if (!mkfifoat(server->anchors.dir_fd, name, 0600)) {
            if (fstatat(server->anchors.dir_fd, name, &status, AT_SYMLINK_NOFOLLOW))
                return -errno;
            anchor->inode = status.st_ino;
            return 0;
        }
    } while (errno == EEXIST); /* the numbers have begun again */
    return -errno;
}

static int own_descriptor(struct server *server, struct anchor *anchor)
{
    int fd = open_end(anchor);
    int error = fd < 0 ? -errno : anchor_watch_own(server, anchor, fd);

    if (error && fd >= 0)
        close(fd);
    return error;
}

static struct anchor *anchor_create(struct server *server, int *error)
{
    struct anchor *anchor = calloc(1, sizeof(*anchor));

    *error = -ENOMEM;
    if (!anchor)
        return NULL;
    anchor->watch.fd = -1;
    list_init(&anchor->spare);
    *error = make_fifo(server, anchor);
    if (*error) {
        free(anchor);
        return NULL;
    }
    table_insert(&server->anchors, anchor);
    if (!anchor_watch_works(server))
        *error = own_descriptor(server, anchor);
    if (!*error)
        return anchor;
    anchor_destroy(server, anchor);
    return NULL;
}

/* ---- spare ones ---- */

/* Not one whose last close inotify has yet to tell: that would be taken for the next socket's. */
static struct anchor *take_spare(struct session *session)
{
    for (struct link *link = session->spare_anchors.next; link != &session->spare_anchors;
         link = link->next) {
        struct anchor *anchor = container_of(link, struct anchor, spare);

        if (anchor->close_untold)
            continue;
        list_remove(&anchor->spare);
        session->spare_anchor_count--;
        return anchor;
    }
    return NULL;
}

int anchor_open(struct socket *socket)
{
    struct anchor *anchor = take_spare(socket->session);
    int error = 0;

    if (!anchor)
        anchor = anchor_create(socket->session->server, &error);
    if (!anchor)
        return error;
    anchor->gone = anchor->closed_early = false;
    anchor->socket = socket;
    socket->anchor = anchor;
    return 0;
}

uint32_t anchor_number(const struct socket *socket)
{
    return socket->anchor->number;
}

void anchor_adopt(struct socket *socket)
{
    struct server *server = socket->session->server;
    struct anchor *anchor = socket->anchor;

    if (socket->anchored || socket->state == SOCKET_CLOSED)
        return;
    socket->anchored = true;
    listener_release(socket);
    /* Closed again already?  What told of that was passed over. */
    if (anchor->closed_early)
        anchor_closed_once(server, anchor);
    else if (anchor->watch.fd >= 0 && anchor_look(server, anchor) == ANCHOR_GONE)
        anchor_hang_up(anchor);
}

bool anchor_is_gone(struct socket *socket)
{
    return !socket->anchored || socket->anchor_gone || socket->anchor_kept || !socket->anchor ||
           anchor_look(socket->session->server, socket->anchor) == ANCHOR_GONE;
}

/* Nobody has it open, or only its DLL for the next socket; then what a program may have written
 * into its SOCKET by other ways than ours lies there still, which makes room for a proof (below).
 * Looking would cost three system calls for each connection that ends. */
static bool reusable(const struct session *session, struct anchor *anchor, bool kept)
{
    if (session->state != SESSION_LIVE || session->corrupt || anchor->proof_bytes ||
        session->spare_anchor_count >= SPARE_MAX)
        return false;
    /* What it has yet to tell cannot be known. */
    if (anchor->watch.fd >= 0 && anchor_watch_works(session->server))
        return false;
    return kept || (anchor_look(session->server, anchor) == ANCHOR_GONE && !anchor->proof_bytes);
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
        anchor_destroy(session->server, anchor);
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
        anchor_destroy(session->server, anchor);
    }
    session->spare_anchor_count = 0;
}

/* ---- from server to server ---- */

static void take_one(struct server *into, struct server *from, struct anchor *anchor)
{
    int fd = anchor->watch.fd;

    table_remove(&from->anchors, anchor);
    table_insert(&into->anchors, anchor);
    if (fd < 0)
        return;
    loop_unwatch(&from->loop, &anchor->watch);
    if (!anchor_watch_own(into, anchor, fd))
        return;
    close(fd);
    anchor_watch_sweep(into);
}

bool anchors_take(struct server *into, struct server *from)
{
    bool sweeps = timer_armed(&from->anchors.sweep);

    if (!anchor_watch_also(into, from))
        return false;
    anchor_watch_drain(from);
    timer_disarm(&from->anchors.sweep);
    for (uint32_t i = 0; i < ANCHOR_BUCKETS; i++) {
        while (from->anchors.buckets[i])
            take_one(into, from, from->anchors.buckets[i]);
    }
    if (sweeps)
        anchor_watch_sweep(into);
    return true;
}

/* ---- for who has got a handle by other ways (share.c) ---- */

struct socket *anchor_find(struct server *server, uint64_t inode)
{
    for (uint32_t i = 0; i < ANCHOR_BUCKETS; i++) {
        for (const struct anchor *at = server->anchors.buckets[i]; at; at = at->next) {
            if (at->socket && at->inode == inode)
                return at->socket;
        }
    }
    return NULL;
}

/* What a program writes into its SOCKET by other ways than ours makes room for a proof. */
void anchor_remember(struct anchor *anchor, const uint8_t *bytes, size_t size)
{
    size_t kept = PROOFS_SIZE - size;

    if (!anchor->proofs && !(anchor->proofs = malloc(PROOFS_SIZE)))
        return;
    kept = anchor->proof_bytes < kept ? anchor->proof_bytes : kept;
    memmove(anchor->proofs, anchor->proofs + anchor->proof_bytes - kept, kept);
    memcpy(anchor->proofs + kept, bytes, size);
    anchor->proof_bytes = kept + size;
}

bool anchor_proves(struct socket *socket, const uint8_t proof[RS_PROOF])
{
    struct anchor *anchor = socket->anchor;
    uint8_t *found;

    anchor_look(socket->session->server, anchor);
    found = anchor->proofs ? memmem(anchor->proofs, anchor->proof_bytes, proof, RS_PROOF) : NULL;
    if (!found)
        return false;
    anchor->proof_bytes -= RS_PROOF;
    memmove(found, found + RS_PROOF, (size_t)(anchor->proofs + anchor->proof_bytes - found));
    return true;
}
