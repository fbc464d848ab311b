/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listening and ending in detail: the accept window, a listener's end, closing with a wait
 * (RS_CLOSE_REPLY), DisconnectEx, adoption, bind rules.
 */
#include "fake_dll.h"

/* No more than min(backlog, RS_ACCEPT_WINDOW) connections are ahead of the program. */
static void test_window(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 3), peers[6];
    struct fake_socket *l = fake_socket(fake, listener);
    int fds[6];

    for (int i = 0; i < 6; i++) {
        fds[i] = native_connect(l->local);
        check(fds[i] >= 0);
    }
    fake_wait(fake, l->incoming_count == 3);
    usleep(20000);
    fake_reap(fake);
    check_equal(l->incoming_count, 3);
    for (int i = 0; i < 6; i++)
        peers[i] = fake_accept(fake, listener);
    for (int i = 0; i < 6; i++) {
        check_equal(send(fds[i], &i, sizeof(i), 0), sizeof(i));
        fake_wait(fake, fake_socket(fake, peers[i])->size == sizeof(i));
        check(!memcmp(fake_socket(fake, peers[i])->data, &i, sizeof(i)));
        close(fds[i]);
        fake_close(fake, peers[i]);
    }
    fake_close(fake, listener);
}

/* Connections that the program never accepted are reset when it stops listening. */
static void test_listener_end(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), kept, child;
    struct rs_addr local = fake_socket(fake, listener)->local;
    int fd = native_connect(local), other;

    kept = fake_accept(fake, listener);
    other = native_connect(local);
    fake_wait(fake, fake_socket(fake, listener)->incoming_count == 1);
    child = fake_socket(fake, listener)->incoming[0].socket;
    fake_close(fake, listener);
    fake_forget(fake, child);
    check_equal(native_end(other), ECONNRESET);
    close(other);
    check_equal(native_connect(local), -1);
    check_equal(send(fd, "x", 1, 0), 1);
    fake_wait(fake, fake_socket(fake, kept)->size == 1);
    close(fd);
    fake_consume(fake, kept, 1);
    fake_close(fake, kept);
}

static uint32_t close_reply(struct fake *fake, uint32_t socket, uint32_t milliseconds)
{
    struct fake_socket *state = fake_socket(fake, socket);
    struct rs_call call = {
        .cookie = ++fake->next_cookie, .wake = RS_WAKE_PUMP, .arg0 = milliseconds};
    struct piece piece = {&call, sizeof(call)};

    fake->replied = false;
    close(state->anchor);
    state->anchor = -1;
    fake_submit(fake, RS_SUB_CLOSE, RS_CLOSE_REPLY, socket, &piece, 1, 0);
    fake_wait(fake, fake->replied);
    check_equal(fake->reply_cookie, call.cookie);
    return fake->reply.error;
}

static void test_close_reply(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), peer;
    struct rs_addr local = fake_socket(fake, listener)->local;
    static uint8_t bytes[65536];
    uint64_t begin;
    int fd;

    /* acknowledged at once */
    fd = native_connect(local);
    peer = fake_accept(fake, listener);
    fake_send(fake, peer, "bye", 3);
    begin = now_ms();
    check_equal(close_reply(fake, peer, 3000), 0);
    check(now_ms() - begin < 1000);
    fake_forget(fake, peer);
    check_equal(native_end(fd), 1);
    check_equal(native_end(fd), 0);
    close(fd);
    /* the peer does not read: time goes by, then a reset */
    fd = native_connect(local);
    peer = fake_accept(fake, listener);
    for (int i = 0; i < 128; i++)
        fake_send(fake, peer, bytes, sizeof(bytes));
    begin = now_ms();
    check_equal(close_reply(fake, peer, 150), WSAEWOULDBLOCK);
    check(now_ms() - begin >= 149);
    fake_forget(fake, peer);
    while (native_end(fd) == 1)
        ;
    close(fd);
    /* the peer gives up first */
    fd = native_connect(local);
    peer = fake_accept(fake, listener);
    for (int i = 0; i < 128; i++)
        fake_send(fake, peer, bytes, sizeof(bytes));
    usleep(10000);
    close(fd); /* with unread data: a reset */
    begin = now_ms();
    check_equal(close_reply(fake, peer, 3000), 0);
    check(now_ms() - begin < 1000);
    fake_forget(fake, peer);
    fake_close(fake, listener);
}

/* The record that says that the handle was closed may come late, or never: the thread does not run.
 * What was announced holds. */
static void test_close_late(struct fake *fake, bool announced)
{
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local);

    peer = fake_accept(fake, listener);
    if (announced)
        fake_simple(fake, RS_SUB_CLOSE, RS_CLOSE_ABORT | RS_CLOSE_SOON, peer);
    close(fake_socket(fake, peer)->anchor);
    fake_socket(fake, peer)->anchor = -1;
    check_equal(native_end(fd), announced ? ECONNRESET : 0);
    fake_simple(fake, RS_SUB_CLOSE, announced ? RS_CLOSE_ABORT : 0, peer);
    fake_forget(fake, peer);
    close(fd);
    fake_close(fake, listener);
}

static void test_close_unsaid(struct fake *fake)
{
    test_close_late(fake, false);
    test_close_late(fake, true);
}

/* Announced, but another handle is there: nothing ends, nor does it later with a reset. */
static void test_close_of_one(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local), other;

    peer = fake_accept(fake, listener);
    check((other = dup(fake_socket(fake, peer)->anchor)) >= 0);
    fake_simple(fake, RS_SUB_CLOSE, RS_CLOSE_ABORT | RS_CLOSE_SOON, peer);
    check_equal(send(fd, "on", 2, 0), 2);
    fake_wait(fake, fake_socket(fake, peer)->size == 2);
    fake_consume(fake, peer, 2);
    fake_close_flags(fake, peer, 0);
    usleep(20000);
    close(other);
    check_equal(native_end(fd), 0);
    fake_forget(fake, peer);
    close(fd);
    fake_close(fake, listener);
}

static uint32_t disconnect_result(struct fake *fake, uint32_t index)
{
    fake_wait(fake, fake_socket(fake, index)->reused);
    fake_socket(fake, index)->reused = false;
    return fake_socket(fake, index)->reuse.error;
}

static uint32_t disconnect(struct fake *fake, uint32_t index)
{
    fake_submit(fake, RS_SUB_DISCONNECT, 0, index, NULL, 0, 0);
    return disconnect_result(fake, index);
}

static void test_disconnect(struct fake *fake)
{
    static uint8_t bytes[RS_MAX_PAYLOAD];
    uint32_t listener = fake_listen(fake, 5), peer;
    struct rs_addr local = fake_socket(fake, listener)->local;
    int fd = native_connect(local);

    check_equal(disconnect(fake, listener), WSAENOTCONN);
    /* answered when the peer has closed too, however much it sends until then */
    peer = fake_accept(fake, listener);
    fake_submit(fake, RS_SUB_DISCONNECT, 0, peer, NULL, 0, 0);
    check_equal(native_end(fd), 0);
    for (int i = 0; i < 32; i++)
        check_equal(send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
    usleep(10000);
    fake_reap(fake);
    check(!fake_socket(fake, peer)->reused);
    check_equal(fake_socket(fake, peer)->size, 0);
    close(fd);
    check_equal(disconnect_result(fake, peer), 0);
    check_equal(fake_socket(fake, peer)->reuse.local.family, RS_AF_UNSPEC);
    check_equal(disconnect(fake, peer), WSAENOTCONN); /* not any more */
    fake_close(fake, peer);
    /* at once if it has; then the socket takes another connection */
    fd = native_connect(local);
    peer = fake_accept(fake, listener);
    close(fd);
    fake_wait(fake, fake_socket(fake, peer)->eof);
    check_equal(disconnect(fake, peer), 0);
    check_equal(fake_bind(fake, peer, fake_v4("127.0.0.1", 0)), 0);
    fake_close(fake, peer);
    /* and when the socket is closed while it waits */
    fd = native_connect(local);
    peer = fake_accept(fake, listener);
    fake_submit(fake, RS_SUB_DISCONNECT, 0, peer, NULL, 0, 0);
    fake_close_flags(fake, peer, 0);
    check_equal(disconnect_result(fake, peer), WSA_OPERATION_ABORTED);
    fake_forget(fake, peer);
    close(fd);
    fake_close(fake, listener);
}

static void test_adopt(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), target = fake_open(fake, RS_AF_INET, RS_STREAM);
    struct fake_socket *l = fake_socket(fake, listener), *t = fake_socket(fake, target);
    int fd = native_connect(l->local);
    struct rs_adopt adopt = {0};
    struct piece piece = {&adopt, sizeof(adopt)};

    check_equal(send(fd, "early", 5, 0), 5);
    fake_wait(fake, l->incoming_count == 1);
    adopt.source = l->incoming[0].socket;
    l->incoming_count = 0;
    fake_wait(fake, fake_socket(fake, adopt.source)->size == 5);
    fake_submit(fake, RS_SUB_ADOPT, 0, target, &piece, 1, sizeof(adopt));
    fake_forget(fake, adopt.source);
    check_equal(send(fd, "late", 4, 0), 4);
    fake_wait(fake, t->size == 4);
    fake_send(fake, target, "hello", 5);
    check_equal(native_end(fd), 1);
    /* five bytes of the old index and four of this one */
    fake_consume(fake, target, 4);
    __atomic_store_n(&fake->shared[target].consumed, 9, __ATOMIC_SEQ_CST);
    fake_close(fake, target);
    check_equal(native_end(fd), 0);
    close(fd);
    fake_close(fake, listener);
}

static void test_bind(struct fake *fake)
{
    uint32_t a = fake_open(fake, RS_AF_INET, RS_STREAM), b = fake_open(fake, RS_AF_INET, RS_STREAM);
    uint32_t listener, peer, on = 1;
    struct rs_addr local;
    int fd;

    check_equal(fake_call(fake, RS_SUB_LISTEN, a, 5, 0, 0, NULL, 0), WSAEINVAL); /* not bound */
    check_equal(fake_bind(fake, a, fake_v4("127.0.0.1", 0)), 0);
    local = fake_socket(fake, a)->local;
    check(local.port);
    check_equal(fake_bind(fake, a, fake_v4("127.0.0.1", 0)), WSAEINVAL); /* twice */
    check_equal(fake_bind(fake, b, local), WSAEADDRINUSE);
    check_equal(fake_bind(fake, b, fake_v4("192.0.2.1", 0)), WSAEADDRNOTAVAIL);
    check_equal(fake_bind(fake, b, fake_v6("::1", 0)), WSAEAFNOSUPPORT);
    check_equal(fake_call(fake, RS_SUB_SETOPT, a, RS_OPT_REUSEADDR, 0, 0, &on, sizeof(on)), 0);
    check_equal(fake_call(fake, RS_SUB_SETOPT, b, RS_OPT_REUSEADDR, 0, 0, &on, sizeof(on)), 0);
    check_equal(fake_bind(fake, b, local), 0);
    fake_close(fake, a);
    fake_close(fake, b);
    /* a port with connections in TIME_WAIT is free */
    listener = fake_listen(fake, 5);
    local = fake_socket(fake, listener)->local;
    fd = native_connect(local);
    peer = fake_accept(fake, listener);
    fake_close(fake, peer); /* closes first: TIME_WAIT is on our side */
    check_equal(native_end(fd), 0);
    close(fd);
    fake_close(fake, listener);
    a = fake_open(fake, RS_AF_INET, RS_STREAM);
    check_equal(fake_bind(fake, a, local), 0);
    check_equal(fake_call(fake, RS_SUB_LISTEN, a, 5, 0, 0, NULL, 0), 0);
    check_equal(fake_call(fake, RS_SUB_LISTEN, a, 9, 0, 0, NULL, 0), 0);
    fake_close(fake, a);
}

/* A connect that nobody answers can be given up. */
static void test_connecting(struct fake *fake)
{
    uint32_t client = fake_open(fake, RS_AF_INET, RS_STREAM), listener = fake_listen(fake, 1);
    struct rs_addr to = fake_socket(fake, listener)->local;
    struct piece piece = {&to, sizeof(to)};
    int fds[16];

    /* fill the accept window and the kernel's queue, so that one more gets no answer */
    for (int i = 0; i < 16; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = to.port};

        memcpy(&address.sin_addr, to.bytes, 4);
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        check(fds[i] >= 0);
        if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)))
            check_equal(errno, EINPROGRESS);
        if (i == 7 || i == 11) /* while the server takes the first */
            usleep(20000);
    }
    usleep(20000);
    fake_submit(fake, RS_SUB_CONNECT, 0, client, &piece, 1, sizeof(to));
    usleep(20000);
    fake_reap(fake);
    check(!fake_socket(fake, client)->connected);
    check_equal(fake_connect(fake, client, to), WSAEALREADY);
    fake_close(fake, client);
    for (int i = 0; i < 16; i++)
        close(fds[i]);
    fake_close(fake, listener);
}

int main(void)
{
    static const struct fake_test tests[] = {
        {"window", test_window},
        {"listener's end", test_listener_end},
        {"close reply", test_close_reply},
        {"close unsaid", test_close_unsaid},
        {"close of one", test_close_of_one},
        {"disconnect", test_disconnect},
        {"adopt", test_adopt},
        {"bind", test_bind},
        {"connecting", test_connecting},
    };

    return fake_run(tests, sizeof(tests) / sizeof(*tests));
}
