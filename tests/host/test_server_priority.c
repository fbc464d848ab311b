/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RS_OPT_PRIORITY (server/priority.c): what the kernel is told, and that it is told to forget it.
 */
#include <netinet/tcp.h>

#include "fake_kernel.h"

enum { BEST_EFFORT = 0, FILLER = 1, BULK = 2 }; /* TC_PRIO_* */

struct algorithm {
    char name[16];
};

static pid_t server;

static struct algorithm algorithm_of(int fd)
{
    struct algorithm algorithm = {0};
    socklen_t size = sizeof(algorithm.name) - 1;

    check(!getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm.name, &size));
    return algorithm;
}

static uint32_t set(struct fake *fake, uint32_t socket, uint32_t priority)
{
    return fake_call(fake, RS_SUB_SETOPT, socket, RS_OPT_PRIORITY, 0, 0, &priority,
                     sizeof(priority));
}

static int open_bound(struct fake *fake, uint32_t type, uint32_t *socket)
{
    *socket = fake_open(fake, RS_AF_INET, type);
    check_equal(fake_bind(fake, *socket, fake_v4("127.0.0.1", 0)), 0);
    return kernel_socket(server, type == RS_STREAM ? SOCK_STREAM : SOCK_DGRAM,
                         fake_socket(fake, *socket)->local.port);
}

static void check_levels(struct fake *fake, uint32_t socket, int fd)
{
    check_equal(set(fake, socket, RS_PRIORITY_VERY_LOW), 0);
    check_equal(kernel_option(fd, SOL_SOCKET, SO_PRIORITY), FILLER);
    check_equal(set(fake, socket, RS_PRIORITY_LOW), 0);
    check_equal(kernel_option(fd, SOL_SOCKET, SO_PRIORITY), BULK);
    check_equal(set(fake, socket, RS_PRIORITY_NORMAL), 0);
    check_equal(kernel_option(fd, SOL_SOCKET, SO_PRIORITY), BEST_EFFORT);
    check_equal(set(fake, socket, RS_PRIORITY_VERY_LOW + 1), WSAEINVAL);
    check_equal(kernel_option(fd, SOL_SOCKET, SO_PRIORITY), BEST_EFFORT);
}

static void test_datagrams(struct fake *fake)
{
    uint32_t socket;
    int fd = open_bound(fake, RS_DGRAM, &socket);

    check_levels(fake, socket, fd);
    close(fd);
    fake_close(fake, socket);
}

/* TCP-LP while it is very low, where the host has it, and then what was before. */
static void test_streams(struct fake *fake)
{
    uint32_t socket;
    int fd = open_bound(fake, RS_STREAM, &socket);
    struct algorithm before = algorithm_of(fd), now;

    check_levels(fake, socket, fd);
    for (int i = 0; i < 2; i++) {
        check_equal(set(fake, socket, RS_PRIORITY_VERY_LOW), 0);
        now = algorithm_of(fd);
        check(!strcmp(now.name, "lp") || !strcmp(now.name, before.name));
    }
    check_equal(set(fake, socket, RS_PRIORITY_LOW), 0);
    now = algorithm_of(fd);
    check(!strcmp(now.name, before.name));
    close(fd);
    fake_close(fake, socket);
}

int main(void)
{
    static const struct fake_test tests[] = {{"datagrams", test_datagrams},
                                             {"streams", test_streams}};
    const char *dir = fake_make_dir();
    struct fake *fake;

    server = fake_start_server(dir, 60);
    fake = fake_join(dir);
    fake_run_each(fake, tests, sizeof(tests) / sizeof(*tests));
    fake_leave(fake);
    fake_stop_server(server, dir);
    return 0;
}
