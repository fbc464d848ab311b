/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anchors: that the server notices the end of the last handle, and of no other, with inotify and
 * without, and what that costs in descriptors.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "fake_dll.h"

static struct {
    pid_t pid;
    const char *dir;
    bool inotify;
} server;

/* ---- without inotify ---- */

static void refuse(long call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

    log_to(-1); /* it says so, as it should */
    check(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    check(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void no_instance(void)
{
    refuse(SYS_inotify_init1, EMFILE);
}

static void no_watch(void)
{
    refuse(SYS_inotify_add_watch, ENOSPC);
}

/* ---- sockets ---- */

struct held {
    uint32_t index;
    char path[320];
};

static struct held make(struct fake *fake)
{
    struct held held = {.index = fake_open(fake, RS_AF_INET, RS_DGRAM)};

    fake_anchor_path(held.path, sizeof(held.path), fake->dir, fake->reply.value2);
    return held;
}

/* As CloseHandle where the DLL does not see it. */
static void let_go(struct fake *fake, const struct held *held)
{
    struct fake_socket *socket = fake_socket(fake, held->index);

    check(!close(socket->anchor));
    socket->anchor = -1;
}

static void still_lives(struct fake *fake, const struct held *held)
{
    usleep(60000);
    fake_reap(fake);
    check(!fake_socket(fake, held->index)->closed);
}

static void open_and_close(const struct held *held)
{
    int fd = open(held->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    check(fd >= 0 && !close(fd));
}

/* ---- tests ---- */

static void test_descriptors(struct fake *fake)
{
    enum { MANY = 200, SPARE = 64 };
    unsigned before = count_descriptors(server.pid), each = server.inotify ? 1 : 2;
    struct held held[MANY];

    for (int i = 0; i < MANY; i++)
        held[i] = make(fake);
    check_equal(count_descriptors(server.pid), before + MANY * each);
    for (int i = 0; i < MANY; i++)
        let_go(fake, &held[i]);
    for (int i = 0; i < MANY; i++)
        fake_forget(fake, held[i].index);
    check(count_descriptors(server.pid) <= before + (server.inotify ? 0 : SPARE));
}

static void test_last_handle(struct fake *fake)
{
    struct held held = make(fake);
    int copy = dup(fake_socket(fake, held.index)->anchor);

    let_go(fake, &held);
    still_lives(fake, &held);
    check(!close(copy));
    fake_forget(fake, held.index);
}

static void test_killed_holder(struct fake *fake)
{
    struct held held = make(fake);
    pid_t pid = fork();

    check(pid >= 0);
    if (!pid) {
        pause();
        _exit(0);
    }
    let_go(fake, &held);
    still_lives(fake, &held);
    check(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
    fake_forget(fake, held.index);
}

/* Who opens the FIFO by its name is a holder of it as well, and tells of its end. */
static void test_second_opening(struct fake *fake)
{
    struct held held = make(fake);
    int fd;

    open_and_close(&held);
    still_lives(fake, &held);
    open_and_close(&held);
    fd = open(held.path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    check(fd >= 0);
    let_go(fake, &held);
    still_lives(fake, &held);
    check(!close(fd));
    fake_forget(fake, held.index);
}

/* The handle is closed, and the server has seen that, before it hears that it was opened. */
static void test_closed_early(struct fake *fake)
{
    struct held held;

    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_DGRAM, 0, NULL, 0), 0);
    held.index = fake->reply.value;
    fake_anchor_path(held.path, sizeof(held.path), fake->dir, fake->reply.value2);
    open_and_close(&held);
    still_lives(fake, &held);
    fake_simple(fake, RS_SUB_ANCHORED, 0, held.index);
    fake_forget(fake, held.index);
}

/* One after the other on few anchors: the end of one is never taken for the next one's. */
static void test_used_again(struct fake *fake)
{
    for (int i = 0; i < 300; i++) {
        struct held held = make(fake), other = make(fake);

        if (i % 3)
            fake_close(fake, held.index);
        else {
            let_go(fake, &held);
            fake_forget(fake, held.index);
        }
        held = make(fake);
        check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
        check(!fake_socket(fake, held.index)->closed && !fake_socket(fake, other.index)->closed);
        fake_close(fake, other.index);
        fake_close(fake, held.index);
    }
}

/* A name that has gone, and one that is something else's, cannot keep a socket. */
static void test_other_file(struct fake *fake)
{
    struct held held[3] = {make(fake), make(fake), make(fake)};
    int fd;

    for (int i = 0; i < 3; i++)
        check(!unlink(held[i].path));
    fd = open(held[1].path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    check(fd >= 0 && write(fd, "text", 4) == 4 && !close(fd));
    check(!symlink("/dev/zero", held[2].path));
    for (int i = 0; i < 3; i++) {
        let_go(fake, &held[i]);
        fake_forget(fake, held[i].index);
    }
}

static void stop_server(void)
{
    int status;

    check(!kill(server.pid, SIGSTOP) && waitpid(server.pid, &status, WUNTRACED) == server.pid);
    check(WIFSTOPPED(status));
}

/* More closes than inotify's queue holds, while the server does not run. */
static void test_overflow(struct fake *fake)
{
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    struct held noise[2] = {make(fake), make(fake)}, held = make(fake);
    int room = 0;

    check(file && fscanf(file, "%d", &room) == 1 && !fclose(file));
    stop_server();
    for (int i = 0; i < room + 10; i++)
        open_and_close(&noise[i % 2]); /* events that are alike in a row would become one */
    let_go(fake, &held);
    check(!kill(server.pid, SIGCONT));
    fake_forget(fake, held.index);
    for (int i = 0; i < 2; i++) {
        still_lives(fake, &noise[i]);
        let_go(fake, &noise[i]);
        fake_forget(fake, noise[i].index);
    }
}

/* Without a descriptor to be had the server still finds out what has ended. */
static void test_full(void)
{
    struct held held[100];
    struct fake *fake = fake_join(server.dir);
    uint32_t count = 0, error;

    while (!(error = fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_DGRAM, 0, NULL, 0))) {
        check(count < 100);
        held[count].index = fake->reply.value;
        fake_anchor_path(held[count].path, sizeof(held[count].path), fake->dir, fake->reply.value2);
        fake_adopt(fake, fake->reply.value, fake->reply.value2);
        count++;
    }
    check_equal(error, WSAEMFILE);
    check(count + WORKER_DESCRIPTORS * count_workers(server.dir) >= (server.inotify ? 40 : 20));
    if (server.inotify)
        open_and_close(&held[1]);
    still_lives(fake, &held[1]);
    for (int i = 0; i < 2; i++) {
        let_go(fake, &held[i]);
        fake_forget(fake, held[i].index);
        held[i] = make(fake);
    }
    fake_leave(fake);
}

/* ---- running them ---- */

static void run_full(void (*before)(void))
{
    server.dir = fake_make_dir();
    fake_descriptor_limit = 62;
    fake_server_begins = before;
    log_to(-1); /* the server complains, as it should */
    server.pid = fake_start_server(server.dir, 60);
    log_to(STDERR_FILENO);
    fake_descriptor_limit = 0;
    test_full();
    fake_stop_server(server.pid, server.dir);
}

static void run(void (*before)(void))
{
    static const struct fake_test tests[] = {
        {"descriptors", test_descriptors},     {"last handle", test_last_handle},
        {"killed holder", test_killed_holder}, {"second opening", test_second_opening},
        {"used again", test_used_again},       {"other file", test_other_file},
        {"closed early", test_closed_early},   {"overflow", test_overflow},
    };
    struct fake *fake;

    server.inotify = !before;
    server.dir = fake_make_dir();
    fake_server_begins = before;
    server.pid = fake_start_server(server.dir, 60);
    fake = fake_join(server.dir);
    fake_run_each(fake, tests, sizeof(tests) / sizeof(*tests) - !server.inotify);
    fake_leave(fake);
    fake_stop_server(server.pid, server.dir);
    run_full(before);
}

int main(void)
{
    run(NULL);
    run(no_instance);
    run(no_watch);
    return 0;
}
