/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs on threads of their own (workers.c): who gets which, what holds across them, and how two
 * come together in the midst of what they do (gather.c).
 *
 * With RINGSOCK_WORKERS=0, or on one processor, there is one thread, and the same must hold.
 */
#include "fake_pair.h"
#include "fake_share.h"

static pid_t server;
static const char *dir;

/* Whether there are threads to be seen. */
static bool threads(void)
{
    const char *workers = getenv("RINGSOCK_WORKERS");

    return workers && !strcmp(workers, "1") && sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

/* The thread that serves it is told by the directory of its anchors. */
static uint32_t thread_of(struct fake *fake)
{
    uint32_t index, thread;

    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_DGRAM, 0, NULL, 0), 0);
    index = fake->reply.value;
    thread = fake->reply.value2 % RS_ANCHOR_DIRS;
    fake_adopt(fake, index, fake->reply.value2);
    fake_close(fake, index);
    return thread;
}

static struct fake *join_as(uint32_t pid, uint32_t parent)
{
    struct fake *fake = fake_take(dir);

    fake->pid = pid;
    fake->parent = parent;
    fake_hello(fake);
    return fake;
}

/* Strangers get threads of their own, a child its parent's; one that is free serves again. */
static void test_who_gets_which(void)
{
    struct fake *a = join_as(1001, 0), *b = join_as(1002, 0), *child = join_as(1003, 1001), *again;
    uint32_t thread = thread_of(b);

    check_equal(thread_of(child), thread_of(a));
    check(!threads() || thread_of(a) != thread);
    fake_leave(b);
    usleep(50000);
    again = join_as(1004, 0);
    check_equal(thread_of(again), thread);
    fake_leave(again);
    fake_leave(a);
    fake_leave(child);
}

static void test_more_than_threads(void)
{
    struct fake *many[3 * RS_ANCHOR_DIRS];
    const unsigned count = sizeof(many) / sizeof(*many);

    for (unsigned i = 0; i < count; i++)
        many[i] = join_as(2000 + i, 0);
    for (unsigned i = 0; i < count; i++)
        check_equal(fake_call(many[i], RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    for (unsigned i = 0; i < count; i++)
        fake_leave(many[i]);
}

/* The table of bind's page holds between programs too. */
static void test_names(void)
{
    struct fake *a = join_as(3001, 0), *b = join_as(3002, 0);
    uint32_t first = fake_open(a, RS_AF_INET, RS_STREAM), on = 1;
    uint32_t second = fake_open(b, RS_AF_INET, RS_STREAM);

    check_equal(fake_bind(a, first, fake_v4("127.0.0.1", 0)), 0);
    check_equal(fake_bind(b, second, fake_socket(a, first)->local), WSAEADDRINUSE);
    check_equal(fake_call(b, RS_SUB_SETOPT, second, RS_OPT_REUSEADDR, 0, 0, &on, sizeof(on)), 0);
    check_equal(fake_bind(b, second, fake_socket(a, first)->local), WSAEACCES);
    check_equal(fake_call(a, RS_SUB_SETOPT, first, RS_OPT_REUSEADDR, 0, 0, &on, sizeof(on)), 0);
    check_equal(fake_bind(b, second, fake_socket(a, first)->local), 0);
    fake_leave(a);
    fake_leave(b);
}

static uint32_t open_dealt(struct fake *fake, uint32_t processor, struct rs_addr where)
{
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_DGRAM);

    check_equal(fake_call(fake, RS_SUB_SETOPT, socket, RS_OPT_CPU_AFFINITY, 0, 0, &processor,
                          sizeof(processor)),
                0);
    check_equal(fake_bind(fake, socket, where), 0);
    return socket;
}

/* RS_OPT_CPU_AFFINITY: two programs share an address, and each flow is one's. */
static void test_dealt_out(void)
{
    enum { FLOWS = 64, EACH = 3 };
    struct fake *a = join_as(3101, 0), *b = join_as(3102, 0);
    uint32_t first = open_dealt(a, 0, fake_v4("127.0.0.1", 0));
    struct fake_socket *one = fake_socket(a, first), *two;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = one->local.port,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    two = fake_socket(b, open_dealt(b, 1, one->local));
    for (unsigned i = 0; i < FLOWS; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        unsigned before = one->datagrams;

        for (unsigned j = 0; j < EACH; j++)
            check(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1);
        close(fd);
        while (one->datagrams + two->datagrams < (i + 1) * EACH) {
            fake_reap(a);
            fake_reap(b);
        }
        check(one->datagrams == before || one->datagrams == before + EACH);
    }
    check(one->datagrams && two->datagrams);
    fake_leave(a);
    fake_leave(b);
}

/* Each of two programs binds what the other one has, and lets it go, all the time. */
static void bind_and_close(struct fake *fake, struct rs_addr where, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t socket = fake_open(fake, RS_AF_INET, i % 2 ? RS_DGRAM : RS_STREAM), error, on = 1;

        if (i % 3)
            fake_call(fake, RS_SUB_SETOPT, socket, RS_OPT_REUSEADDR, 0, 0, &on, sizeof(on));
        else if (i % 2)
            fake_call(fake, RS_SUB_SETOPT, socket, RS_OPT_CPU_AFFINITY, 0, 0, &i, sizeof(i));
        error = fake_bind(fake, socket, where);
        check(!error || error == WSAEADDRINUSE || error == WSAEACCES);
        fake_close(fake, socket);
    }
}

static void reap(pid_t pid)
{
    int status;

    check(waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail("a process ended with status %#x", status);
}

static pid_t in_child(void (*act)(struct fake *fake, struct rs_addr at, unsigned number),
                      struct rs_addr at, unsigned number)
{
    struct fake *fake;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    check(pid >= 0);
    if (pid)
        return pid;
    fake = join_as(4000 + number, 0);
    act(fake, at, number);
    fake_leave(fake);
    exit(0);
}

static void bind_much(struct fake *fake, struct rs_addr at, unsigned number)
{
    (void)number;
    bind_and_close(fake, at, 300);
}

static void test_names_at_once(void)
{
    struct fake *fake = join_as(3003, 0);
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_STREAM);
    struct rs_addr at;
    pid_t pids[3];

    check_equal(fake_bind(fake, socket, fake_v4("127.0.0.1", 0)), 0);
    at = fake_socket(fake, socket)->local;
    fake_close(fake, socket);
    for (unsigned i = 0; i < 3; i++)
        pids[i] = in_child(bind_much, at, i);
    bind_and_close(fake, at, 300);
    for (unsigned i = 0; i < 3; i++)
        reap(pids[i]);
    fake_leave(fake);
}

/* Streams of its own go on while it meets one after the other of those that listen. */
static void echo_and_meet(struct fake *fake, struct rs_addr at, unsigned number)
{
    struct link_pair own, other;

    open_pair(&own, fake, fake);
    other.client.index = fake_open(fake, RS_AF_INET, RS_STREAM);
    for (unsigned i = 0; i < 30; i++) {
        if (i == 1 + number)
            check_equal(fake_connect(fake, other.client.index, at), 0);
        hold(&own.client);
        send_more(&own.peer, 1 + i);
        take_all(&own.client);
        take_all(&own.peer);
    }
    close_pair(&own);
    fake_close(fake, other.client.index);
}

/* All end on one thread, and nobody has lost a byte. */
static void test_meeting(void)
{
    struct fake *fake = join_as(3004, 0);
    uint32_t listener = fake_listen(fake, 5);
    pid_t pids[4];

    for (unsigned i = 0; i < 4; i++)
        pids[i] = in_child(echo_and_meet, fake_socket(fake, listener)->local, i);
    for (unsigned i = 0; i < 4; i++)
        fake_close(fake, fake_accept(fake, listener));
    for (unsigned i = 0; i < 4; i++)
        reap(pids[i]);
    fake_leave(fake);
}

/* Who attaches brings its server along, with all that it is about. */
static void test_attaching(void)
{
    struct fake *a = join_as(3005, 0), *b = join_as(3006, 0);
    struct link_pair pair, own;
    uint32_t view, datagram = fake_open(b, RS_AF_INET, RS_DGRAM);

    open_pair(&pair, a, a);
    open_pair(&own, b, b);
    hold(&own.client);
    check_equal(fake_bind(b, datagram, fake_v4("127.0.0.1", 0)), 0);
    view = attach(b, a, pair.client.index);
    check(view);
    take_all(&own.peer);
    close_pair(&own);
    own.listener = fake_open(b, RS_AF_INET, RS_STREAM); /* anchors of before and after */
    fake_close(b, own.listener);
    fake_close(b, datagram);
    fake_leave(a);
    fake_leave(b);
}

/* One that has taken over others is taken over: the ends of all their handles are noticed still. */
static void test_chain(void)
{
    struct fake *a = join_as(3010, 0), *b = join_as(3011, 0), *c = join_as(3012, 0);
    uint32_t socket = fake_open(a, RS_AF_INET, RS_STREAM);
    struct fake_socket *state = fake_socket(a, socket);

    check(attach(a, b, fake_open(b, RS_AF_INET, RS_STREAM)));
    check(attach(b, c, fake_open(c, RS_AF_INET, RS_STREAM)));
    check(!close(state->anchor));
    state->anchor = -1;
    fake_wait(a, state->closed);
    fake_leave(a);
    fake_leave(b);
    fake_leave(c);
}

/* What no server has an anchor of is nobody's socket. */
static void test_nobodys(void)
{
    static const uint8_t proof[RS_PROOF];
    struct fake *a = join_as(3007, 0), *b = join_as(3008, 0);

    check_equal(attach_as(a, 1, proof), WSAENOTSOCK);
    check_equal(attach_as(b, 1, NULL), WSAENOTSOCK);
    fake_leave(a);
    fake_leave(b);
}

/* Processes that end while they are handed over, or meet. */
static void join_and_die(struct fake *fake, struct rs_addr at, unsigned number)
{
    uint32_t index = fake_open(fake, RS_AF_INET, RS_STREAM);

    if (number % 2)
        fake_simple(fake, RS_SUB_RESUME, 0, index);
    else
        fake_connect(fake, index, at);
    kill(getpid(), SIGKILL);
}

static void test_dying(void)
{
    struct fake *fake = join_as(3009, 0);
    uint32_t listener = fake_listen(fake, 200);

    for (unsigned i = 0; i < 30; i++) {
        pid_t pids[3];

        for (unsigned j = 0; j < 3; j++)
            pids[j] = in_child(join_and_die, fake_socket(fake, listener)->local, 3 * i + j);
        for (unsigned j = 0; j < 3; j++)
            check(waitpid(pids[j], NULL, 0) == pids[j]);
        fake_reap(fake);
    }
    check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    fake_leave(fake);
}

int main(void)
{
    static const struct lone_test tests[] = {
        {"who gets which", test_who_gets_which},
        {"chain", test_chain}, /* before any of them has taken over another */
        {"more than threads", test_more_than_threads},
        {"names", test_names},
        {"names at once", test_names_at_once},
        {"dealt out", test_dealt_out},
        {"meeting", test_meeting},
        {"attaching", test_attaching},
        {"nobody's", test_nobodys},
        {"dying", test_dying},
    };

    dir = fake_make_dir();
    server = fake_start_server(dir, 60);
    run_alone(tests, sizeof(tests) / sizeof(*tests));
    fake_stop_server(server, dir);
    return 0;
}
