/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TCP through the server: set-up, echo, bulk both ways with backlog and credit, how connections
 * end.
 */
#include "fake_dll.h"

static uint8_t pattern(size_t position)
{
    return (uint8_t)(position * 31 + (position >> 11) * 7 + (position >> 19));
}

static void test_echo(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), client = fake_open(fake, RS_AF_INET, RS_STREAM), peer;
    struct fake_socket *c = fake_socket(fake, client), *p;
    struct rs_addr address = fake_socket(fake, listener)->local;

    check_equal(fake_connect(fake, client, address), 0);
    check(!memcmp(&c->peer, &address, sizeof(address)));
    check_equal(c->local.family, RS_AF_INET);
    check(c->local.port);
    fake_wait(fake, fake_socket(fake, listener)->incoming_count);
    check_equal(fake_socket(fake, listener)->incoming[0].peer.port, c->local.port);
    check_equal(fake_socket(fake, listener)->incoming[0].local.port, address.port);
    peer = fake_accept(fake, listener);
    p = fake_socket(fake, peer);
    for (int i = 0; i < 1000; i++) {
        char text[32];
        uint32_t length = (uint32_t)snprintf(text, sizeof(text), "message %d", i);

        fake_send(fake, client, text, length);
        fake_wait(fake, p->size >= length);
        check_equal(p->size, length);
        check(!memcmp(p->data, text, length));
        fake_consume(fake, peer, length);
        fake_send(fake, peer, text, length);
        fake_wait(fake, c->size >= length);
        check(!memcmp(c->data, text, length));
        fake_consume(fake, client, length);
    }
    fake_close(fake, client);
    fake_wait(fake, p->eof);
    check_equal(p->errors, 0);
    fake_close(fake, peer);
    fake_close(fake, listener);
}

/* A native peer that echoes everything, slowly enough to make a backlog. */
static pid_t start_echo(uint16_t *port)
{
    int listener = native_listen(port), fd;
    pid_t pid = fork();
    char bytes[65536];
    ssize_t count;

    check(pid >= 0);
    if (pid) {
        close(listener);
        return pid;
    }
    check(dup2(listener, 3) == 3); /* and no anchor of ours */
    close_range(4, ~0u, 0);
    fd = accept(3, NULL, NULL);
    while ((count = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        for (ssize_t done = 0; done < count;) {
            ssize_t part = send(fd, bytes + done, (size_t)(count - done), MSG_NOSIGNAL);

            if (part < 0)
                _exit(1);
            done += part;
        }
    }
    _exit(count ? 1 : 0);
}

#define BULK (10u << 20)

/* Everything is handed over before anything is consumed, within the credit of both directions. */
static void test_bulk(struct fake *fake)
{
    uint32_t client = fake_open(fake, RS_AF_INET, RS_STREAM), handed = 0;
    struct fake_socket *c = fake_socket(fake, client);
    size_t taken = 0;
    uint16_t port;
    pid_t echo = start_echo(&port);
    int status;

    check_equal(fake_connect(fake, client, fake_v4("127.0.0.1", port)), 0);
    while (taken < BULK) {
        uint32_t sent = __atomic_load_n(&fake->shared[client].sent, __ATOMIC_SEQ_CST);

        if (handed < BULK && handed - sent < 1u << 20) {
            static uint8_t bytes[65536];
            uint32_t size = 1 + (handed * 7919u) % sizeof(bytes);

            size = size > BULK - handed ? BULK - handed : size;
            for (uint32_t i = 0; i < size; i++)
                bytes[i] = pattern(handed + i);
            fake_send(fake, client, bytes, size);
            handed += size;
            fake_reap(fake);
        } else if (!c->size) {
            __atomic_store_n(&fake->shared[client].want_sent, 1, __ATOMIC_SEQ_CST);
            fake_wait(fake, c->size || handed < BULK);
        }
        for (size_t i = 0; i < c->size; i++) {
            if (c->data[i] != pattern(taken + i))
                fail("byte %zu is wrong", taken + i);
        }
        taken += c->size;
        fake_consume(fake, client, c->size);
    }
    fake_wait(fake, __atomic_load_n(&fake->shared[client].sent, __ATOMIC_SEQ_CST) == BULK);
    fake_close(fake, client);
    check(waitpid(echo, &status, 0) == echo);
    check_equal(status, 0);
}

/* The server reads RS_RECV_WINDOW ahead and then waits for us. */
static void test_credit(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local);
    static uint8_t bytes[1 << 20];
    struct fake_socket *p;
    size_t sent = 0, taken = 0;

    check(fd >= 0 && !fcntl(fd, F_SETFL, O_NONBLOCK));
    peer = fake_accept(fake, listener);
    p = fake_socket(fake, peer);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = pattern(i);
    while (taken < sizeof(bytes)) {
        ssize_t count = send(fd, bytes + sent, sizeof(bytes) - sent, 0);

        sent += count > 0 ? (size_t)count : 0;
        if (!taken) {
            fake_wait(fake, p->size >= RS_RECV_WINDOW);
            usleep(20000);
            fake_reap(fake);
            check_equal(p->size, RS_RECV_WINDOW);
            check_equal(__atomic_load_n(&fake->shared[peer].recv_stalled, __ATOMIC_SEQ_CST), 1);
        }
        fake_reap(fake);
        if (!p->size)
            fake_park(fake, 1);
        check(!memcmp(p->data, bytes + taken, p->size));
        taken += p->size;
        fake_consume(fake, peer, p->size);
    }
    close(fd);
    fake_wait(fake, p->eof);
    fake_close(fake, peer);
    fake_close(fake, listener);
}

static uint64_t backlog_of(struct fake *fake)
{
    return __atomic_load_n(&fake->segment->backlog, __ATOMIC_SEQ_CST);
}

/* More is sent than the kernel takes: `sent` stands still, then RS_COMP_SENT comes, nothing is
 * lost. */
static void test_backlog(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local);
    static uint8_t bytes[65536], received[65536];
    size_t total = 0, position = 0;
    struct fake_socket *p;

    peer = fake_accept(fake, listener);
    p = fake_socket(fake, peer);
    for (int i = 0; i < 256; i++) { /* 16 MiB */
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = pattern(total + j);
        fake_send(fake, peer, bytes, sizeof(bytes));
        total += sizeof(bytes);
    }
    check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0); /* all was looked at */
    check(__atomic_load_n(&fake->shared[peer].sent, __ATOMIC_SEQ_CST) < total);
    fake_wait(fake, backlog_of(fake) == total - fake->shared[peer].sent);
    __atomic_store_n(&fake->shared[peer].want_sent, 1, __ATOMIC_SEQ_CST);
    check_equal(p->sent_notices, 0);
    fake_close_flags(fake, peer, 0);
    while (position < total) {
        ssize_t count = recv(fd, received, sizeof(received), 0);

        if (count <= 0)
            fail("recv: %zd after %zu bytes, error %d", count, position, errno);
        for (ssize_t i = 0; i < count; i++)
            check_equal(received[i], pattern(position + (size_t)i));
        position += (size_t)count;
    }
    check_equal(native_end(fd), 0);
    fake_wait(fake, p->sent_notices);
    fake_wait(fake, !backlog_of(fake));
    fake_forget(fake, peer);
    close(fd);
    fake_close(fake, listener);
}

static void test_refused(struct fake *fake)
{
    uint32_t client = fake_open(fake, RS_AF_INET, RS_STREAM);
    uint16_t port;
    int listener = native_listen(&port), fd;

    close(listener);
    check_equal(fake_connect(fake, client, fake_v4("127.0.0.1", port)), WSAECONNREFUSED);
    check_equal(fake_connect(fake, client, fake_v4("0.0.0.0", port)), WSAEADDRNOTAVAIL);
    check_equal(fake_connect(fake, client, fake_v4("127.0.0.1", 0)), WSAEADDRNOTAVAIL);
    check_equal(fake_connect(fake, client, fake_v6("::1", port)), WSAEAFNOSUPPORT);
    /* and it is still good for another try */
    listener = native_listen(&port);
    check_equal(fake_connect(fake, client, fake_v4("127.0.0.1", port)), 0);
    fd = accept(listener, NULL, NULL);
    check(fd >= 0);
    fake_send(fake, client, "x", 1);
    check_equal(native_end(fd), 1);
    check_equal(fake_connect(fake, client, fake_v4("127.0.0.1", port)), WSAEISCONN);
    fake_close(fake, client);
    check_equal(native_end(fd), 0);
    close(fd);
    close(listener);
}

/* A bound socket keeps its port through a failed connect and can then listen. */
static void test_refused_then_listen(struct fake *fake)
{
    uint32_t server = fake_open(fake, RS_AF_INET, RS_STREAM), peer;
    struct rs_addr local;
    uint16_t port;
    int listener = native_listen(&port), fd;

    close(listener);
    check_equal(fake_bind(fake, server, fake_v4("127.0.0.1", 0)), 0);
    local = fake_socket(fake, server)->local;
    check_equal(fake_connect(fake, server, fake_v4("127.0.0.1", port)), WSAECONNREFUSED);
    check_equal(fake_call(fake, RS_SUB_LISTEN, server, 1, 0, 0, NULL, 0), 0);
    fd = native_connect(local);
    check(fd >= 0);
    peer = fake_accept(fake, server);
    fake_close(fake, peer);
    check_equal(native_end(fd), 0);
    close(fd);
    fake_close(fake, server);
}

static void test_endings(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), peer;
    struct linger abort = {1, 0};
    int fd;

    /* orderly */
    fd = native_connect(fake_socket(fake, listener)->local);
    peer = fake_accept(fake, listener);
    fake_send(fake, peer, "bye", 3);
    fake_close(fake, peer);
    check_equal(native_end(fd), 1);
    check_equal(native_end(fd), 0);
    close(fd);
    /* aborted */
    fd = native_connect(fake_socket(fake, listener)->local);
    peer = fake_accept(fake, listener);
    fake_close_flags(fake, peer, RS_CLOSE_ABORT);
    fake_forget(fake, peer);
    check_equal(native_end(fd), ECONNRESET);
    close(fd);
    /* with data read ahead and not consumed */
    fd = native_connect(fake_socket(fake, listener)->local);
    peer = fake_accept(fake, listener);
    check_equal(send(fd, "xyz", 3, 0), 3);
    fake_wait(fake, fake_socket(fake, peer)->size == 3);
    fake_close(fake, peer);
    check_equal(native_end(fd), ECONNRESET);
    close(fd);
    /* the peer resets: its data first, then one error */
    fd = native_connect(fake_socket(fake, listener)->local);
    peer = fake_accept(fake, listener);
    check_equal(send(fd, "xyz", 3, 0), 3);
    fake_wait(fake, fake_socket(fake, peer)->size == 3);
    check(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)));
    close(fd);
    fake_wait(fake, fake_socket(fake, peer)->errors);
    check_equal(fake_socket(fake, peer)->error, WSAECONNRESET);
    check(!fake_socket(fake, peer)->eof);
    fake_send(fake, peer, "into the void", 13);
    fake_wait(fake, __atomic_load_n(&fake->shared[peer].sent, __ATOMIC_SEQ_CST) == 13);
    check_equal(fake_socket(fake, peer)->errors, 1);
    fake_close(fake, peer);
    fake_close(fake, listener);
}

static void test_shutdown(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local);

    check_equal(fake_call(fake, RS_SUB_SHUTDOWN, listener, RS_SHUT_SEND, 0, 0, NULL, 0),
                WSAENOTCONN);
    peer = fake_accept(fake, listener);
    fake_send(fake, peer, "last", 4);
    check_equal(fake_call(fake, RS_SUB_SHUTDOWN, peer, 3, 0, 0, NULL, 0), WSAEINVAL);
    check_equal(fake_call(fake, RS_SUB_SHUTDOWN, peer, RS_SHUT_SEND, 0, 0, NULL, 0), 0);
    check_equal(native_end(fd), 1);
    check_equal(native_end(fd), 0);
    check_equal(send(fd, "answer", 6, 0), 6);
    fake_wait(fake, fake_socket(fake, peer)->size == 6);
    fake_consume(fake, peer, 6);
    check(!fake_socket(fake, peer)->eof);
    close(fd);
    fake_wait(fake, fake_socket(fake, peer)->eof);
    usleep(10000);
    fake_reap(fake);
    check_equal(fake_socket(fake, peer)->errors, 0);
    fake_close(fake, peer);
    fake_close(fake, listener);
}

static void test_ipv6(struct fake *fake)
{
    uint32_t server = fake_open(fake, RS_AF_INET6, RS_STREAM), client, peer;
    uint32_t only;

    if (fake_bind(fake, server, fake_v6("::1", 0))) {
        printf("# no IPv6 here: skipped\n");
        fake_close(fake, server);
        return;
    }
    check_equal(fake_call(fake, RS_SUB_GETOPT, server, RS_OPT_IPV6_V6ONLY, 0, 0, NULL, 0), 0);
    memcpy(&only, fake->reply_data, sizeof(only));
    check_equal(only, 1);
    check_equal(fake_call(fake, RS_SUB_LISTEN, server, 5, 0, 0, NULL, 0), 0);
    client = fake_open(fake, RS_AF_INET6, RS_STREAM);
    check_equal(fake_connect(fake, client, fake_socket(fake, server)->local), 0);
    peer = fake_accept(fake, server);
    fake_send(fake, client, "six", 3);
    fake_wait(fake, fake_socket(fake, peer)->size == 3);
    fake_consume(fake, peer, 3);
    fake_close(fake, peer);
    fake_wait(fake, fake_socket(fake, client)->eof);
    fake_close(fake, client);
    fake_close(fake, server);
}

int main(void)
{
    static const struct fake_test tests[] = {
        {"echo", test_echo},       {"bulk", test_bulk},
        {"credit", test_credit},   {"backlog", test_backlog},
        {"refused", test_refused}, {"refused, then listen", test_refused_then_listen},
        {"endings", test_endings}, {"shutdown", test_shutdown},
        {"ipv6", test_ipv6},
    };

    return fake_run(tests, sizeof(tests) / sizeof(*tests));
}
