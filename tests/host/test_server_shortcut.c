/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The short cut between two sockets of the server (server/shortcut.c): that it is taken, when the
 * kernel is used instead, and that no byte is lost where one follows the other.
 */
#include <linux/tcp.h>

#include "fake_kernel.h"
#include "fake_pair.h"
#include "fake_share.h"

static pid_t server;

/* ---- what the kernel has ---- */

/* Bytes that the server's kernel socket of that client has sent. */
static uint64_t kernel_sent(const struct end *end)
{
    int fd = kernel_socket(server, SOCK_STREAM, end->socket->local.port);
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    check(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
    close(fd);
    return info.tcpi_bytes_sent;
}

/* What the kernel was given by so many echoes of the client's. */
static uint64_t echo(struct link_pair *pair, unsigned count)
{
    uint64_t before = kernel_sent(&pair->client);

    for (unsigned i = 0; i < count; i++) {
        send_more(&pair->client, 1 + i % 100);
        take_all(&pair->peer);
        send_more(&pair->peer, 1 + i % 70);
        take_all(&pair->client);
    }
    return kernel_sent(&pair->client) - before;
}

/* Two servers' sockets are of one soon after they have met (gather.c). */
static void find_each_other(struct link_pair *pair)
{
    for (int i = 0; echo(pair, 1); i++) {
        check(i < PATIENCE);
        usleep(1000);
    }
}

static void test_passes_kernel(struct fake *a, struct fake *b)
{
    struct link_pair pair;

    open_pair(&pair, a, b);
    find_each_other(&pair);
    check_equal(echo(&pair, 1000), 0);
    close_pair(&pair);
    open_pair(&pair, a, a);
    echo(&pair, 1);
    check_equal(echo(&pair, 1000), 0);
    close_pair(&pair);
}

static void test_switched_off(struct fake *a, struct fake *b)
{
    struct link_pair pair;

    open_pair(&pair, a, b);
    check(echo(&pair, 100) >= 5050);
    close_pair(&pair);
}

/* ---- where it begins and ends ---- */

/* The listener has accepted as far ahead as it may: what the second client sends is the kernel's,
 * and what it sends behind that follows. */
static void accept_late(struct fake *a, struct fake *b, uint32_t family, struct rs_addr at,
                        struct rs_addr to)
{
    uint32_t listener = fake_open(b, at.family, RS_STREAM), off = 0, first, index, filler;
    struct link_pair pair;

    if (at.family != family)
        check_equal(
            fake_call(b, RS_SUB_SETOPT, listener, RS_OPT_IPV6_V6ONLY, 0, 0, &off, sizeof(off)), 0);
    to.port = listen_at(b, listener, at).port;
    filler = fake_open(a, family, RS_STREAM);
    check_equal(fake_connect(a, filler, to), 0);
    fake_wait(b, fake_socket(b, listener)->incoming_count == 1);
    index = fake_open(a, family, RS_STREAM);
    check_equal(fake_connect(a, index, to), 0);
    bind_end(&pair.client, a, index, &pair.peer);
    for (int i = 0; i < 10; i++)
        send_more(&pair.client, 1000);
    check_equal(fake_call(a, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    fake_reap(b);
    check_equal(fake_socket(b, listener)->incoming_count, 1);
    first = fake_accept(b, listener);
    for (int i = 0; i < 10; i++)
        send_more(&pair.client, 1000);
    bind_end(&pair.peer, b, fake_accept(b, listener), &pair.client);
    for (int i = 0; i < 10; i++)
        send_more(&pair.client, 1000);
    take_all(&pair.peer);
    send_more(&pair.peer, CHUNK);
    take_all(&pair.client);
    fake_close(a, filler);
    fake_close(b, first);
    fake_close(a, index);
    fake_wait(b, pair.peer.socket->eof);
    fake_close(b, pair.peer.index);
    fake_close(b, listener);
}

static void test_accepted_late(struct fake *a, struct fake *b)
{
    uint32_t probe = fake_open(a, RS_AF_INET6, RS_STREAM);
    bool have_v6 = !fake_bind(a, probe, fake_v6("::1", 0));

    fake_close(a, probe);
    accept_late(a, b, RS_AF_INET, fake_v4("127.0.0.1", 0), fake_v4("127.0.0.1", 0));
    accept_late(a, a, RS_AF_INET, fake_v4("127.0.0.1", 0), fake_v4("127.0.0.1", 0));
    if (!have_v6) {
        printf("# no IPv6 here: skipped\n");
        return;
    }
    accept_late(a, b, RS_AF_INET6, fake_v6("::1", 0), fake_v6("::1", 0));
    accept_late(a, b, RS_AF_INET, fake_v6("::", 0), fake_v4("127.0.0.1", 0));
}

static uint32_t sent_word(const struct end *end)
{
    return __atomic_load_n(&end->fake->shared[end->index].sent, __ATOMIC_SEQ_CST);
}

/* Who takes nothing for a while has the kernel's buffers too, and afterwards the short way again.
 */
static void test_slow_receiver(struct fake *a, struct fake *b)
{
    struct link_pair pair;
    uint64_t begin;

    open_pair(&pair, a, b);
    echo(&pair, 1);
    begin = kernel_sent(&pair.client);
    for (int i = 0; i < 12; i++)
        send_more(&pair.client, CHUNK); /* three times what is read ahead */
    fake_wait(a, sent_word(&pair.client) > 6 * CHUNK);
    check(kernel_sent(&pair.client) > begin);
    for (int i = 0; i < 4; i++)
        send_more(&pair.client, 1000);
    take_all(&pair.peer);
    fake_wait(a, sent_word(&pair.client) == pair.client.sent);
    check_equal(a->segment->backlog, 0);
    check_equal(echo(&pair, 100), 0);
    close_pair(&pair);
}

/* As the DLL says it when a send that does not wait leaves no room. */
static void set_full(const struct end *end, uint32_t full)
{
    __atomic_store_n(&end->fake->shared[end->index].send_full, full, __ATOMIC_SEQ_CST);
}

/* Longer than the server waits for others' receivers. */
static void check_waits(const struct link_pair *pair, size_t sent, uint64_t in_kernel)
{
    usleep(50000);
    fake_reap(pair->client.fake);
    check_equal(sent_word(&pair->client), sent);
    check_equal(kernel_sent(&pair->client), in_kernel);
}

/* Who has filled its window waits for the receiver, and no room of the kernel's is a reason to go
 * on; also when the receiver sends an urgent byte, which goes through the kernel. */
static void full(struct fake *a, struct fake *b, bool urgent)
{
    const struct piece byte = {"u", 1};
    struct link_pair pair;
    uint64_t in_kernel;
    size_t sent;

    open_pair(&pair, a, b);
    find_each_other(&pair);
    sent = pair.client.sent + RS_RECV_WINDOW;
    in_kernel = kernel_sent(&pair.client);
    set_full(&pair.client, 1);
    hold(&pair.client);
    fake_wait(a, sent_word(&pair.client) == sent);
    check_waits(&pair, sent, in_kernel);
    if (urgent) {
        fake_submit(b, RS_SUB_SEND, RS_SEND_OOB, pair.peer.index, &byte, 1, 1);
        check_waits(&pair, sent, in_kernel);
    }
    fake_wait(b, pair.peer.socket->size > 1000);
    take(&pair.peer, 1000);
    fake_wait(a, sent_word(&pair.client) > sent);
    check_waits(&pair, sent + 1000, in_kernel);
    take_all(&pair.peer);
    fake_wait(a, sent_word(&pair.client) == pair.client.sent);
    check_equal(kernel_sent(&pair.client), in_kernel);
    set_full(&pair.client, 0);
    send_more(&pair.client, 1000);
    take_all(&pair.peer);
    check_equal(a->segment->backlog, 0);
    close_pair(&pair);
}

/* But not for ever, and a little only for who has found room since. */
static void test_full(struct fake *a, struct fake *b)
{
    struct link_pair pair;

    full(a, b, false);
    full(a, b, true);
    for (uint32_t still = 0; still < 2; still++) {
        uint64_t begin;

        open_pair(&pair, a, b);
        find_each_other(&pair);
        set_full(&pair.client, 1);
        hold(&pair.client);
        usleep(50000);
        check(sent_word(&pair.client) < pair.client.sent);
        fake_wait(b, pair.peer.socket->size > 1000);
        take(&pair.peer, 1000);
        set_full(&pair.client, still);
        begin = now_ms();
        fake_wait(a, sent_word(&pair.client) == pair.client.sent);
        check(still ? now_ms() - begin > 1000 : now_ms() - begin < 1000);
        take_all(&pair.peer);
        close_pair(&pair);
    }
}

/* What a process has sent is not lost with it; and what was for it is not kept. */
static void test_killed(struct fake *a, struct fake *b)
{
    struct fake *c = fake_join(a->dir);
    struct link_pair pair;

    open_pair(&pair, c, b);
    hold(&pair.client);
    check_equal(fake_call(c, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    fake_leave(c);
    while (pair.peer.taken < pair.client.sent) {
        fake_wait(b, pair.peer.socket->size);
        take(&pair.peer, SIZE_MAX);
    }
    fake_wait(b, pair.peer.socket->eof);
    fake_close(b, pair.peer.index);
    fake_close(b, pair.listener);

    c = fake_join(a->dir);
    open_pair(&pair, a, c);
    hold(&pair.client);
    check_equal(fake_call(a, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    fake_leave(c);
    fake_wait(a, pair.client.socket->errors);
    check_equal(pair.client.socket->error, WSAECONNRESET);
    fake_wait(a, !a->segment->backlog);
    fake_close(a, pair.client.index);
}

/* The handle is gone, what was sent before is not all taken, and nobody says that it was closed:
 * the connection ends all the same. */
static void test_closed_unsaid(struct fake *a, struct fake *b)
{
    struct fake *c = fake_join(a->dir);
    struct link_pair pair;
    struct fake_socket *peer;

    open_pair(&pair, c, b);
    peer = pair.peer.socket;
    close(pair.client.socket->anchor);
    pair.client.socket->anchor = -1;
    usleep(2000); /* for the server to see it, and less than it waits to be told */
    hold(&pair.client);
    while (!peer->eof) {
        fake_wait(b, peer->size || peer->eof);
        take(&pair.peer, SIZE_MAX);
    }
    fake_leave(c);
    fake_close(b, pair.peer.index);
    fake_close(b, pair.listener);
}

/* Another process gets the receiving end, in the middle of it. */
static void test_shared(struct fake *a, struct fake *b)
{
    struct fake *c = fake_join(a->dir);
    struct link_pair pair;
    struct end third;

    open_pair(&pair, a, b);
    hold(&pair.client);
    fake_wait(b, pair.peer.socket->size);
    take(&pair.peer, 1000);
    bind_end(&third, c, attach(c, b, pair.peer.index), &pair.client);
    pass(c, third.index, b, pair.peer.index, "");
    third.taken = pair.peer.taken;
    hold(&pair.client);
    take_all(&third);
    pair.peer.taken = third.taken;
    send_more(&pair.client, CHUNK);
    fake_wait(c, third.socket->size);
    pass(b, pair.peer.index, c, third.index, "");
    take_all(&pair.peer);
    pair.client.other = &pair.peer;
    send_more(&pair.peer, CHUNK);
    take_all(&pair.client);
    fake_leave(c);
    close_pair(&pair);
}

static const struct {
    const char *name;
    void (*run)(struct fake *a, struct fake *b);
} tests[] = {
    {"past the kernel", test_passes_kernel},
    {"accepted late", test_accepted_late},
    {"slow receiver", test_slow_receiver},
    {"full", test_full},
    {"killed", test_killed},
    {"closed and not said", test_closed_unsaid},
    {"shared", test_shared},
};

static pid_t start(const char *dir, const char *shortcut)
{
    check(!setenv("RINGSOCK_SHORTCUT", shortcut, 1));
    return fake_start_server(dir, 60);
}

int main(void)
{
    const char *dir = fake_make_dir();
    struct fake *a, *b;

    server = start(dir, "0");
    a = fake_join(dir);
    b = fake_join(dir);
    test_switched_off(a, b);
    fake_leave(a);
    fake_leave(b);
    check(!kill(server, SIGTERM) && waitpid(server, NULL, 0) == server);
    server = start(dir, "1");
    a = fake_join(dir);
    b = fake_join(dir);
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        tests[i].run(a, b);
        printf("ok %zu - %s\n", i + 1, tests[i].name);
        fflush(stdout);
    }
    fake_leave(a);
    fake_leave(b);
    fake_stop_server(server, dir);
    return 0;
}
