/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AF_UNIX: which Windows process is at the other end (SIO_AF_UNIX_GETPEERPID).
 *
 * Owns: socket.peer_process; socket.callers, the processes whose connections wait to be accepted.
 * Loop thread only, no locks.
 *
 * To the kernel every socket of this server is the server's (SO_PEERCRED, which tells those of
 * other programs apart).  It queues connections in the order in which they are made, and those of
 * this server are all made here: so the next of them that a listener accepts is the first that was
 * noted.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"
#include "socket.h"

static bool listens_there(const struct socket *listener, const struct socket *client,
                          const struct stat *file)
{
    if (listener->family != RS_AF_UNIX)
        return false;
    if (client->unix_path[0])
        return listener->unix_bound && listener->unix_device == file->st_dev &&
               listener->unix_file == file->st_ino;
    return listener->unix_path && listener->unix_path_length == client->unix_path_length &&
           !memcmp(listener->unix_path, client->unix_path, client->unix_path_length);
}

static struct socket *find_of(const struct server *server, const struct socket *client,
                              const struct stat *file)
{
    const struct link *listeners = &server->listeners;

    for (const struct link *link = listeners->next; link != listeners; link = link->next) {
        struct socket *listener = container_of(link, struct socket, listening);

        if (listens_there(listener, client, file))
            return listener;
    }
    return NULL;
}

struct socket *unix_peer_find(const struct socket *client)
{
    struct server *server = NULL;
    struct socket *listener = NULL;
    struct stat file;

    if (!client->unix_path || (client->unix_path[0] && stat(client->unix_path, &file)))
        return NULL;
    while (!listener && (server = names_next(server)))
        listener = find_of(server, client, &file);
    return listener;
}

/* Without memory nobody is told of this one; the order is kept. */
static void note(struct callers *callers, uint32_t process)
{
    if (callers->count == callers->size) {
        uint32_t size = callers->size ? 2 * callers->size : 16;
        uint32_t *more = realloc(callers->processes, size * sizeof(*more));

        if (!more) {
            callers->lost = true;
            return;
        }
        callers->processes = more;
        callers->size = size;
    }
    callers->processes[callers->count++] = process;
}

void unix_peer_connected(struct socket *client, struct socket *listener)
{
    client->peer_process = listener->callers.listener;
    note(&listener->callers, client->session->windows_pid);
}

void unix_peer_accepted(struct socket *child, struct socket *listener)
{
    struct callers *callers = &listener->callers;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(child->watch.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.pid != getpid())
        return;
    names_lock();
    if (callers->count && !callers->lost) {
        child->peer_process = callers->processes[0];
        callers->count--;
        memmove(callers->processes, callers->processes + 1,
                callers->count * sizeof(*callers->processes));
    }
    names_unlock();
}
