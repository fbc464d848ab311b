/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Urgent data (server/urgent.c): out of line and in line, several bytes, a stalled stream, sending.
 */
#include <netinet/tcp.h>

#include "fake_dll.h"

struct connection {
    struct fake *fake;
    uint32_t listener, peer;
    struct fake_socket *socket;
    int fd; /* the other end */
};

static struct connection connection_open(struct fake *fake)
{
    struct connection c = {.fake = fake, .listener = fake_listen(fake, 5)};
    int one = 1;

    c.fd = native_connect(fake_socket(fake, c.listener)->local);
    check(!setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
    c.peer = fake_accept(fake, c.listener);
    c.socket = fake_socket(fake, c.peer);
    return c;
}

static void connection_close(struct connection *c)
{
    fake_close(c->fake, c->peer);
    close(c->fd);
    fake_close(c->fake, c->listener);
}

static void set_inline(struct connection *c, uint32_t on)
{
    check_equal(fake_call(c->fake, RS_SUB_SETOPT, c->peer, RS_OPT_OOBINLINE, 0, 0, &on, sizeof(on)),
                0);
}

/* The stream goes on behind an urgent byte that is in none of its records. */
static void test_out_of_line(struct fake *fake)
{
    struct connection c = connection_open(fake);

    check_equal(send(c.fd, "before", 6, 0), 6);
    check_equal(send(c.fd, "!", 1, MSG_OOB), 1);
    check_equal(send(c.fd, "after", 5, 0), 5);
    fake_wait(fake, c.socket->urgent_count == 1 && c.socket->size == 11);
    check_equal(c.socket->urgent[0], '!');
    check(!memcmp(c.socket->data, "beforeafter", 11));
    check_equal(c.socket->mark_count, 1);
    check_equal(c.socket->marks[0], 6);
    fake_consume(fake, c.peer, 11);
    /* urgent bytes are not unread data: the end is orderly */
    fake_close(fake, c.peer);
    check_equal(native_end(c.fd), 0);
    close(c.fd);
    fake_close(fake, c.listener);
}

/* One after the other, each seen before the next is sent: all are told apart, none comes twice. */
static void test_several(struct fake *fake)
{
    struct connection c = connection_open(fake);

    for (unsigned i = 0; i < 20; i++) {
        char byte = (char)('a' + i);

        check_equal(send(c.fd, &byte, 1, MSG_OOB), 1);
        fake_wait(fake, c.socket->urgent_count == i + 1);
        check_equal(c.socket->urgent[i], byte);
        if (i % 3 == 0)
            check_equal(send(c.fd, "-", 1, 0), 1);
    }
    fake_wait(fake, c.socket->size == 7);
    check(!memcmp(c.socket->data, "-------", 7));
    fake_consume(fake, c.peer, 7);
    connection_close(&c);
}

/* An urgent byte in line is a record of its own. */
static void test_in_line(struct fake *fake)
{
    struct connection c = connection_open(fake);

    set_inline(&c, 1);
    check_equal(send(c.fd, "abc", 3, MSG_OOB), 3);
    check_equal(send(c.fd, "de", 2, 0), 2);
    fake_wait(fake, c.socket->size == 5);
    check(!memcmp(c.socket->data, "abcde", 5));
    check_equal(c.socket->mark_count, 2);
    check_equal(c.socket->marks[0], 2);
    check_equal(c.socket->marks[1], 3);
    check_equal(c.socket->urgent_count, 0);
    fake_consume(fake, c.peer, 5);
    connection_close(&c);
}

/* A byte that came out of line does not come again when the option is set behind it. */
static void test_switch(struct fake *fake)
{
    struct connection c = connection_open(fake);

    check_equal(send(c.fd, "!", 1, MSG_OOB), 1);
    fake_wait(fake, c.socket->urgent_count == 1);
    set_inline(&c, 1);
    check_equal(send(c.fd, "x", 1, 0), 1);
    fake_wait(fake, c.socket->size == 1);
    check_equal(c.socket->data[0], 'x');
    fake_consume(fake, c.peer, 1);
    set_inline(&c, 0);
    check_equal(send(c.fd, "?", 1, MSG_OOB), 1);
    fake_wait(fake, c.socket->urgent_count == 2);
    check_equal(c.socket->urgent[1], '?');
    connection_close(&c);
}

/* It overtakes a stream that is not read. */
static void test_stalled(struct fake *fake)
{
    struct connection c = connection_open(fake);
    static char bytes[100000];
    size_t sent = 0;

    for (ssize_t count; (count = send(c.fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0;)
        sent += (size_t)count;
    fake_wait(fake, c.socket->size == RS_RECV_WINDOW);
    check_equal(c.socket->urgent_count, 0);
    /* the sender's own buffer is full: drop what we read until the byte can be sent */
    while (send(c.fd, "!", 1, MSG_OOB | MSG_DONTWAIT) != 1) {
        fake_consume(fake, c.peer, (uint32_t)c.socket->size);
        sent -= RS_RECV_WINDOW;
        fake_wait(fake, c.socket->size == RS_RECV_WINDOW);
    }
    while (!c.socket->urgent_count && sent > RS_RECV_WINDOW) { /* it announces itself soon */
        usleep(1000);
        fake_reap(fake);
        if (c.socket->urgent_count)
            break;
        fake_consume(fake, c.peer, (uint32_t)c.socket->size);
        sent -= RS_RECV_WINDOW;
        fake_wait(fake, c.socket->size == (sent < RS_RECV_WINDOW ? sent : RS_RECV_WINDOW));
    }
    fake_wait(fake, c.socket->urgent_count == 1);
    check_equal(c.socket->urgent[0], '!');
    connection_close(&c);
}

static char receive_urgent(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLPRI};
    char byte = 0;

    check_equal(poll(&poll_fd, 1, PATIENCE), 1);
    check_equal(recv(fd, &byte, 1, MSG_OOB), 1);
    return byte;
}

/* Of a send's bytes the last one is urgent, also when the kernel does not take them all at once. */
static void test_sending(struct fake *fake)
{
    struct connection c = connection_open(fake);
    struct piece piece = {"xyz", 3};
    static char bytes[60000];
    size_t size = 0;
    ssize_t count;

    fake_submit(fake, RS_SUB_SEND, RS_SEND_OOB, c.peer, &piece, 1, 3);
    check_equal(recv(c.fd, bytes, sizeof(bytes), 0), 2);
    check_equal(receive_urgent(c.fd), 'z');

    memset(bytes, '.', sizeof(bytes));
    bytes[sizeof(bytes) - 1] = 'u';
    piece = (struct piece){bytes, sizeof(bytes)};
    for (int i = 0; i < 200; i++)
        fake_submit(fake, RS_SUB_SEND, i == 199 ? RS_SEND_OOB : 0, c.peer, &piece, 1,
                    sizeof(bytes));
    while (size < 200 * sizeof(bytes) - 1) {
        count = recv(c.fd, bytes, sizeof(bytes), 0);
        check(count > 0);
        size += (size_t)count;
    }
    check_equal(receive_urgent(c.fd), 'u');
    /* one of no bytes at all is nothing */
    piece.size = 0;
    fake_submit(fake, RS_SUB_SEND, RS_SEND_OOB, c.peer, &piece, 1, 0);
    connection_close(&c);
}

/* Between sockets of one server even those that are sent without a pause. */
static void test_both_ends(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), client = fake_open(fake, RS_AF_INET, RS_STREAM), peer;
    struct fake_socket *p;
    struct piece piece;
    char byte;

    check_equal(fake_connect(fake, client, fake_socket(fake, listener)->local), 0);
    peer = fake_accept(fake, listener);
    p = fake_socket(fake, peer);
    for (byte = 'a'; byte < 'a' + 26; byte++) {
        piece = (struct piece){&byte, 1};
        fake_submit(fake, RS_SUB_SEND, byte % 4 ? RS_SEND_OOB : 0, client, &piece, 1, 1);
    }
    fake_wait(fake, p->urgent_count + p->size == 26);
    check_equal(p->urgent_count, 20);
    check(!memcmp(p->urgent, "abcefgijkmnoqrsuvwyz", 20));
    check(!memcmp(p->data, "dhlptx", 6));
    fake_consume(fake, peer, 6);
    fake_close(fake, client);
    fake_close(fake, peer);
    fake_close(fake, listener);
}

int main(void)
{
    static const struct fake_test tests[] = {
        {"out of line", test_out_of_line}, {"several", test_several}, {"in line", test_in_line},
        {"switch", test_switch},           {"stalled", test_stalled}, {"sending", test_sending},
        {"both ends", test_both_ends},
    };

    return fake_run(tests, sizeof(tests) / sizeof(*tests));
}
