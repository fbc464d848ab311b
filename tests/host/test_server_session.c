/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of sessions: processes that die, anchors that are let go, what is left behind (nothing),
 * the server's own end.
 */
#include "fake_dll.h"

static struct {
    pid_t pid;
    const char *dir;
} server;

/* The server's resources once it is idle and no session is there. */
static unsigned idle_descriptors, idle_entries;

static void wait_idle(unsigned sessions)
{
    uint64_t begin = now_ms();

    while (server_descriptors(server.pid, server.dir) != idle_descriptors ||
           server_entries(server.dir) != idle_entries + sessions) {
        if (now_ms() - begin > PATIENCE)
            fail("%u descriptors instead of %u, %u entries instead of %u",
                 server_descriptors(server.pid, server.dir), idle_descriptors,
                 server_entries(server.dir), idle_entries + sessions);
        usleep(1000);
    }
}

/* A process that does something with sockets and then is killed. */
static pid_t run_and_die(void (*act)(struct fake *fake, void *argument), void *argument)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    check(pid >= 0);
    if (!pid) {
        struct fake *fake = fake_join(server.dir);

        act(fake, argument);
        kill(getpid(), SIGKILL);
    }
    return pid;
}

static void reap_killed(pid_t pid)
{
    int status;

    check(waitpid(pid, &status, 0) == pid);
    if (!WIFSIGNALED(status))
        fail("the process ended with status %#x", status);
}

static void some_sockets(struct fake *fake, void *argument)
{
    uint32_t listener = fake_listen(fake, 5), client = fake_open(fake, RS_AF_INET, RS_STREAM);
    uint32_t datagram = fake_open(fake, RS_AF_INET, RS_DGRAM);

    (void)argument;
    check_equal(fake_bind(fake, datagram, fake_v4("127.0.0.1", 0)), 0);
    check_equal(fake_connect(fake, client, fake_socket(fake, listener)->local), 0);
    fake_wait(fake, fake_socket(fake, listener)->incoming_count); /* one is never anchored */
    check_equal(fake_call(fake, RS_SUB_SLOT, 0, 1, 0, 0, NULL, 0), 0);
}

static void nothing(struct fake *fake, void *argument)
{
    (void)fake;
    (void)argument;
}

/* Many short lives, one after the other, and some at the same time. */
static void test_leaks(void)
{
    for (int i = 0; i < 100; i++)
        reap_killed(run_and_die(i % 2 ? some_sockets : nothing, NULL));
    for (int i = 0; i < 10; i++) {
        pid_t pids[8];

        for (int j = 0; j < 8; j++)
            pids[j] = run_and_die(some_sockets, NULL);
        for (int j = 0; j < 8; j++)
            reap_killed(pids[j]);
    }
    wait_idle(0);
}

static void many_sockets(struct fake *fake, void *argument)
{
    (void)argument;
    for (int i = 0; i < 1000; i++)
        fake_open(fake, RS_AF_INET, i % 2 ? RS_STREAM : RS_DGRAM);
}

/* Indices come back after RS_SUB_FORGET, anchors and descriptors at once: an anchor serves the next
 * socket, so there are never more than were in use together. */
static void test_sockets(void)
{
    struct fake *fake = fake_join(server.dir);
    unsigned descriptors = server_descriptors(server.pid, server.dir), anchors;
    uint32_t highest = 0;

    anchors = count_anchors(server.dir);
    for (int i = 0; i < 300; i++) {
        uint32_t socket = fake_open(fake, RS_AF_INET, i % 2 ? RS_STREAM : RS_DGRAM);

        highest = socket > highest ? socket : highest;
        fake_close(fake, socket);
    }
    check(highest <= 2);
    check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    check(server_descriptors(server.pid, server.dir) <= descriptors + 2);
    check(count_anchors(server.dir) <= anchors + 2);
    fake_leave(fake);
    reap_killed(run_and_die(many_sockets, NULL));
    wait_idle(0);
}

/* A SOCKET closed behind the DLL's back: the anchor alone ends it. */
static void test_anchor(void)
{
    struct fake *fake = fake_join(server.dir);
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local), copy;

    peer = fake_accept(fake, listener);
    fake_send(fake, peer, "farewell", 8);
    copy = dup(fake_socket(fake, peer)->anchor);
    check(copy >= 0);
    /* RS_SUB_CLOSE while another handle is open changes nothing */
    fake_close_flags(fake, peer, 0);
    check_equal(native_end(fd), 1);
    usleep(50000);
    fake_reap(fake);
    check(!fake_socket(fake, peer)->closed);
    fake_send(fake, peer, "more", 4);
    check_equal(native_end(fd), 1);
    close(copy);
    check_equal(native_end(fd), 0);
    fake_forget(fake, peer);
    close(fd);
    /* and without any RS_SUB_CLOSE */
    fd = native_connect(fake_socket(fake, listener)->local);
    peer = fake_accept(fake, listener);
    fake_send(fake, peer, "last", 4);
    close(fake_socket(fake, peer)->anchor);
    fake_socket(fake, peer)->anchor = -1;
    check_equal(native_end(fd), 1);
    check_equal(native_end(fd), 0);
    fake_forget(fake, peer);
    close(fd);
    fake_leave(fake);
    wait_idle(0);
}

static void hand_over(struct fake *fake, void *argument)
{
    struct rs_addr *to = argument;
    uint32_t client = fake_open(fake, RS_AF_INET, RS_STREAM);
    static uint8_t bytes[65536];

    check_equal(fake_connect(fake, client, *to), 0);
    for (int i = 0; i < 64; i++) { /* 4 MiB, much more than the kernel takes */
        memset(bytes, i, sizeof(bytes));
        fake_send(fake, client, bytes, sizeof(bytes));
    }
}

/* What a process had handed over when it was killed arrives, and then the end of data. */
static void test_killed(void)
{
    struct rs_addr to = fake_v4("127.0.0.1", 0);
    uint16_t port;
    int listener = native_listen(&port), fd;
    static uint8_t bytes[65536];
    size_t position = 0;
    ssize_t count;

    to.port = htons(port);
    pid_t pid = run_and_die(hand_over, &to);
    fd = accept(listener, NULL, NULL);
    check(fd >= 0);
    reap_killed(pid);
    usleep(20000);
    while ((count = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        for (ssize_t i = 0; i < count; i++)
            check_equal(bytes[i], (position + (size_t)i) / 65536);
        position += (size_t)count;
    }
    check_equal(count, 0);
    check_equal(position, 64 * 65536);
    close(fd);
    close(listener);
    wait_idle(0);
}

/* A socket that another process holds outlives the process that made it. */
static void test_inherited(void)
{
    struct fake *fake = fake_join(server.dir);
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local), copy;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    peer = fake_accept(fake, listener);
    copy = dup(fake_socket(fake, peer)->anchor);
    fake_leave(fake);
    check_equal(poll(&poll_fd, 1, 100), 0);
    check_equal(send(fd, "x", 1, 0), 1); /* nobody reads it */
    close(copy);
    check(native_end(fd) == ECONNRESET || native_end(fd) == 0);
    close(fd);
    wait_idle(0);
}

/* A ticket that is taken and thrown away costs nothing but time. */
static void test_bell_without_hello(void)
{
    struct fake *fake = fake_take(server.dir);

    close(fake->bell);
    munmap(fake->segment, fake->map_size);
    free(fake);
    wait_idle(0);
}

static void test_second_server(void)
{
    struct server_options options = {.runtime = server.dir, .linger = 1};
    int status;
    pid_t pid = fork();

    check(pid >= 0);
    if (!pid)
        exit(server_run(&options));
    check(waitpid(pid, &status, 0) == pid);
    check_equal(status, 0);
    fake_leave(fake_join(server.dir)); /* the first one goes on */
    wait_idle(0);
}

/* kill -9 of the server: the process's FIFOs end, and a new server clears up. */
static void test_server_killed(void)
{
    struct fake *fake = fake_join(server.dir);
    struct pollfd poll_fd = {.fd = fake->pump, .events = POLLIN};
    char byte, join[300];
    int status;

    fake_listen(fake, 5);
    check(!kill(server.pid, SIGKILL));
    check(waitpid(server.pid, &status, 0) == server.pid);
    check_equal(poll(&poll_fd, 1, PATIENCE), 1);
    check_equal(read(fake->pump, &byte, 1), 0);
    check_equal(write(fake->bell, "", 1), -1);
    check_equal(errno, EPIPE);
    fake_leave(fake);
    snprintf(join, sizeof(join), "%s/join", server.dir);
    check(!unlink(join)); /* so that we see the new one */
    server.pid = fake_start_server(server.dir, 60);
    fake_leave(fake_join(server.dir));
    wait_idle(0);
}

/* It leaves by itself, a while after the last session; each time somebody may be joining. */
static void test_linger(void)
{
    const char *dir = fake_make_dir();
    pid_t pid = fake_start_server(dir, 1);
    uint64_t begin;
    int status;

    usleep(700000);
    fake_leave(fake_join(dir));
    begin = now_ms();
    check(waitpid(pid, &status, 0) == pid);
    check_equal(status, 0);
    check(now_ms() - begin >= 900 && now_ms() - begin < PATIENCE);
    check(access(dir, F_OK) < 0);
    fake_remove_dir(dir);
    /* a linger time of zero: whoever gets a ticket is served, whoever gets none sees the end */
    for (int i = 0; i < 20; i++) {
        struct rs_ticket ticket;
        char path[300];
        int fd;

        dir = fake_make_dir();
        pid = fake_start_server(dir, 0);
        snprintf(path, sizeof(path), "%s/join", dir);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            ssize_t count = read(fd, &ticket, sizeof(ticket));

            check(!count || count == sizeof(ticket));
            close(fd);
            if (count) {
                char bell[400];
                int bell_fd;

                snprintf(bell, sizeof(bell), "%s/s%016llx/bell", dir,
                         (unsigned long long)ticket.session);
                bell_fd = open(bell, O_WRONLY | O_CLOEXEC);
                check(bell_fd >= 0);
                close(bell_fd);
            }
        }
        check(waitpid(pid, &status, 0) == pid);
        check_equal(status, 0);
        check(access(dir, F_OK) < 0);
        fake_remove_dir(dir);
    }
}

/* Out of descriptors: told so, nothing breaks, and what was waiting goes on later. */
static void test_descriptors(void)
{
    const char *dir = fake_make_dir();
    uint32_t listener, sockets[64], count = 0, error = 0, peer;
    struct fake *fake, *other;
    pid_t pid;
    int fds[3];

    log_to(-1); /* the server complains, as it should */
    fake_descriptor_limit = 60;
    pid = fake_start_server(dir, 60);
    fake_descriptor_limit = 0;
    fake = fake_join(dir);
    listener = fake_listen(fake, 5);
    while (count < 64 &&
           !(error = fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_DGRAM, 0, NULL, 0))) {
        sockets[count++] = fake->reply.value;
        fake_adopt(fake, fake->reply.value, fake->reply.value2);
    }
    check_equal(error, WSAEMFILE);
    /* connections have to wait in the kernel, but for one if a last descriptor was left */
    for (int i = 0; i < 3; i++) {
        fds[i] = native_connect(fake_socket(fake, listener)->local);
        check(fds[i] >= 0);
    }
    usleep(150000);
    fake_reap(fake);
    check(fake_socket(fake, listener)->incoming_count <= 1);
    for (uint32_t i = 0; i < 6; i++)
        fake_close(fake, sockets[--count]);
    for (int i = 0; i < 3; i++) {
        peer = fake_accept(fake, listener);
        check_equal(send(fds[i], "x", 1, 0), 1);
        fake_wait(fake, fake_socket(fake, peer)->size == 1);
        close(fds[i]);
    }
    /* so has a process, once the session in stock is taken */
    other = fake_join(dir);
    check_equal(fake_call(other, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    while (!(error = fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_DGRAM, 0, NULL, 0)))
        fake_adopt(fake, fake->reply.value, fake->reply.value2);
    check_equal(error, WSAEMFILE);
    fake_leave(other);
    fake_leave(fake);
    fake_leave(fake_join(dir));
    fake_leave(fake_join(dir));
    fake_stop_server(pid, dir);
    log_to(STDERR_FILENO);
}

/* Directories that somebody else could write to are refused. */
static void test_directory(void)
{
    struct server_options options = {.linger = 0};
    char path[300], target[320];
    int status;
    pid_t pid;

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s", fake_make_dir());
        if (i == 0) {
            check(!mkdir(path, 0750));
        } else if (i == 1) {
            snprintf(target, sizeof(target), "%s-target", path);
            check(!mkdir(target, 0700) && !symlink(target, path));
        } else {
            snprintf(target, sizeof(target), "%s", path);
            *strrchr(target, '/') = 0;
            check(!chmod(target, 0777));
        }
        pid = fork();
        check(pid >= 0);
        if (!pid) {
            log_to(-1);
            options.runtime = path;
            exit(server_run(&options));
        }
        check(waitpid(pid, &status, 0) == pid);
        check(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        if (i == 1) {
            unlink(path);
            rmdir(target);
        }
        fake_remove_dir(path);
    }
}

int main(void)
{
    static const struct lone_test tests[] = {
        {"leaks", test_leaks},
        {"sockets", test_sockets},
        {"anchor", test_anchor},
        {"killed", test_killed},
        {"inherited", test_inherited},
        {"bell without hello", test_bell_without_hello},
        {"second server", test_second_server},
        {"server killed", test_server_killed},
        {"linger", test_linger},
        {"directory", test_directory},
        {"descriptors", test_descriptors},
    };
    static char dir[256];

    server.dir = strcpy(dir, fake_make_dir());
    server.pid = fake_start_server(dir, 60);
    reap_killed(run_and_die(nothing, NULL));
    usleep(50000);
    idle_descriptors = server_descriptors(server.pid, server.dir);
    idle_entries = server_entries(dir);
    check_equal(idle_entries, 4); /* join, lock, anchors, the session in stock */
    run_alone(tests, sizeof(tests) / sizeof(*tests));
    fake_stop_server(server.pid, dir);
    return 0;
}
