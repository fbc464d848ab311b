/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sockets that the server has of the kernel's, looked at from outside.
 *
 * May call: fake_dll.h.  A descriptor that is returned is the caller's to close.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <sys/syscall.h>

#include "fake_dll.h"

static UNUSED int kernel_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof(value);

    return getsockopt(fd, level, name, &value, &size) ? -1 : value;
}

static bool kernel_is(int fd, int type, uint16_t port)
{
    struct sockaddr_in name = {0};
    socklen_t size = sizeof(name);

    return !getsockname(fd, (struct sockaddr *)&name, &size) && name.sin_family == AF_INET &&
           name.sin_port == port && kernel_option(fd, SOL_SOCKET, SO_TYPE) == type &&
           !kernel_option(fd, SOL_SOCKET, SO_ACCEPTCONN);
}

/* A copy of the one of that type and port (network order) that does not listen. */
static UNUSED int kernel_socket(pid_t server, int type, uint16_t port)
{
    int pidfd = (int)syscall(SYS_pidfd_open, server, 0), found = -1;

    check(pidfd >= 0);
    for (int fd = 0; fd < 256 && found < 0; fd++) {
        int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

        if (copy >= 0 && kernel_is(copy, type, port))
            found = copy;
        else if (copy >= 0)
            close(copy);
    }
    close(pidfd);
    if (found < 0)
        fail("the server's socket was not found");
    return found;
}

#endif
