/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AF_UNIX: paths of sockets.
 *
 * Owns: socket.unix_path, the host's path that the DLL has sent ahead of a bind or a connect;
 * socket.unix_bound, the file that a bind has made.
 * Everything else about these sockets is a stream's.  Loop thread only, no locks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "comp.h"
#include "error.h"
#include "server.h"
#include "socket.h"
#include "submission.h"

static void drop_path(struct socket *socket)
{
    free(socket->unix_path);
    socket->unix_path = NULL;
    socket->unix_path_length = 0;
}

/* On Windows the file stays until the program deletes it, which it does before it binds again; but
 * Wine's DeleteFile does not remove a socket (8.0 fails to open it), so the file goes here.  Not if
 * somebody has put another one in its place. */
void unix_release(struct socket *socket)
{
    struct stat now;

    drop_path(socket);
    free(socket->callers.processes);
    memset(&socket->callers, 0, sizeof(socket->callers));
    if (socket->unix_bound && !lstat(socket->unix_bound, &now) &&
        now.st_dev == socket->unix_device && now.st_ino == socket->unix_file)
        unlink(socket->unix_bound);
    free(socket->unix_bound);
    socket->unix_bound = NULL;
}

static void keep_file(struct socket *socket)
{
    struct stat made;

    if (!socket->unix_path[0] || lstat(socket->unix_path, &made))
        return;
    socket->unix_device = made.st_dev;
    socket->unix_file = made.st_ino;
    socket->unix_bound = socket->unix_path;
    socket->unix_path = NULL;
    socket->unix_path_length = 0;
}

static uint32_t set_path(struct socket *socket, const void *path, uint32_t length)
{
    char *copy;

    if (socket->family != RS_AF_UNIX || length > RS_UNIX_PATH_MAX)
        return WSAEINVAL;
    if (!(copy = malloc(length + 1)))
        return WSAENOBUFS;
    memcpy(copy, path, length);
    copy[length] = 0;
    if (copy[0] && strlen(copy) != length) { /* a path with a NUL is none */
        free(copy);
        return WSAEINVAL;
    }
    names_lock();
    drop_path(socket);
    socket->unix_path = copy;
    socket->unix_path_length = length;
    names_unlock();
    return 0;
}

void unix_path_request(struct request *request)
{
    comp_reply(request->session, &request->call,
               set_path(request->socket, request->payload, request->length));
}

/* A host path may be longer than sun_path; the kernel finds it then through a descriptor of its
 * directory (proc(5), /proc/self/fd).  *directory is to be closed, -1: none. */
static int make_address(const struct socket *socket, struct sockaddr_un *address, socklen_t *size,
                        int *directory)
{
    uint32_t length = socket->unix_path_length;
    const char *name;
    char *parent;

    *directory = -1;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (!length)
        return EINVAL;
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (length < sizeof(address->sun_path)) {
        memcpy(address->sun_path, socket->unix_path, length);
        return 0;
    }
    if (!socket->unix_path[0] || !(name = strrchr(socket->unix_path, '/')))
        return ENAMETOOLONG;
    if (!(parent = strndup(socket->unix_path, (size_t)(name - socket->unix_path) + 1)))
        return ENOMEM;
    *directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    if (*directory < 0)
        return errno;
    if (snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d%s", *directory,
                 name) >= (int)sizeof(address->sun_path))
        return ENAMETOOLONG;
    *size = sizeof(*address);
    return 0;
}

static int call(struct socket *socket, int (*function)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address;
    socklen_t size;
    int directory, error = make_address(socket, &address, &size, &directory);

    if (!error && function(socket->watch.fd, (const struct sockaddr *)&address, size))
        error = errno;
    if (directory >= 0)
        close(directory);
    return error;
}

static int call_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return bind(fd, address, size);
}

static int call_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return connect(fd, address, size);
}

int unix_connect(struct socket *socket)
{
    struct socket *listener;
    int error;

    names_lock(); /* until the listener knows who it is: it may be accepting already */
    listener = unix_peer_find(socket);
    error = call(socket, call_connect);
    if (!error && listener)
        unix_peer_connected(socket, listener);
    names_unlock();
    return error;
}

/* Where there is no such directory Windows says WSAENETDOWN (golang/go#44797,
 * libevent/libevent#1625). */
uint32_t unix_bind(struct socket *socket)
{
    int error = call(socket, call_bind);

    if (error == ENOENT || error == ENOTDIR)
        return WSAENETDOWN;
    if (error)
        return error_from_errno(error);
    keep_file(socket);
    socket->bound = true;
    socket->bound_to.any.sa_family = AF_UNIX;
    return 0;
}
