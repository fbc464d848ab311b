/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UDP through the server: echo, addresses, connected sockets, refusals, zero length, a flood,
 * credit.
 */
#include "fake_dll.h"

static void send_to(struct fake *fake, uint32_t socket, struct rs_addr to, const void *bytes,
                    uint32_t size)
{
    struct piece pieces[2] = {{&to, sizeof(to)}, {bytes, size}};

    fake_submit(fake, RS_SUB_SENDTO, 0, socket, pieces, 2, size);
}

static uint32_t send_to_reply(struct fake *fake, uint32_t socket, struct rs_addr to,
                              const void *bytes, uint32_t size)
{
    struct rs_call call = {.cookie = ++fake->next_cookie, .wake = RS_WAKE_PUMP};
    struct piece pieces[3] = {{&call, sizeof(call)}, {&to, sizeof(to)}, {bytes, size}};

    fake->replied = false;
    fake_submit(fake, RS_SUB_SENDTO, RS_SEND_REPLY, socket, pieces, 3, size);
    fake_wait(fake, fake->replied);
    check_equal(fake->reply_cookie, call.cookie);
    return fake->reply.error;
}

static uint32_t open_bound(struct fake *fake)
{
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_DGRAM);

    check_equal(fake_bind(fake, socket, fake_v4("127.0.0.1", 0)), 0);
    return socket;
}

/* Takes so many datagrams, which are all the bytes that have arrived. */
static void take(struct fake *fake, uint32_t socket, unsigned count)
{
    struct fake_socket *state = fake_socket(fake, socket);

    state->consumed += count * RS_DATAGRAM_OVERHEAD;
    fake_consume(fake, socket, state->size);
}

static uint32_t sent_of(struct fake *fake, uint32_t socket)
{
    return __atomic_load_n(&fake->shared[socket].sent, __ATOMIC_SEQ_CST);
}

static void test_echo(struct fake *fake)
{
    uint32_t a = open_bound(fake), b = fake_open(fake, RS_AF_INET, RS_DGRAM);
    struct fake_socket *sa = fake_socket(fake, a), *sb = fake_socket(fake, b);
    struct rs_addr local;

    check_equal(send_to_reply(fake, b, sa->local, "first", 5), 0);
    check_equal(fake->reply_length, sizeof(local));
    memcpy(&local, fake->reply_data, sizeof(local));
    check(local.port);
    fake_wait(fake, sa->datagrams == 1);
    check_equal(sa->size, 5);
    check_equal(sa->source.port, local.port);
    take(fake, a, 1);
    for (int i = 0; i < 500; i++) {
        send_to(fake, a, sa->source, &i, sizeof(i));
        fake_wait(fake, sb->datagrams == (unsigned)i + 1);
        check(!memcmp(sb->data, &i, sizeof(i)));
        take(fake, b, 1);
        send_to(fake, b, sa->local, &i, sizeof(i));
        fake_wait(fake, sa->datagrams == (unsigned)i + 2);
        take(fake, a, 1);
    }
    send_to(fake, b, sa->local, NULL, 0);
    fake_wait(fake, sa->datagrams == 502);
    check_equal(sa->size, 0);
    fake_close(fake, a);
    fake_close(fake, b);
}

static void test_sizes(struct fake *fake)
{
    uint32_t a = open_bound(fake), b = open_bound(fake);
    struct fake_socket *sa = fake_socket(fake, a);
    static uint8_t bytes[65508];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 13 + (i >> 8));
    check_equal(send_to_reply(fake, b, sa->local, bytes, 65507), 0);
    fake_wait(fake, sa->datagrams == 1);
    check_equal(sa->size, 65507);
    check(!memcmp(sa->data, bytes, 65507));
    take(fake, a, 1);
    check_equal(sent_of(fake, b), RS_DATAGRAM_COST(65507u));
    check_equal(send_to_reply(fake, b, sa->local, bytes, 65508), WSAEMSGSIZE);
    check_equal(send_to_reply(fake, b, fake_v4("255.255.255.255", 9), "x", 1), WSAEACCES);
    check_equal(send_to_reply(fake, b, fake_v6("::1", 9), "x", 1), WSAEAFNOSUPPORT);
    /* whoever was told of the refusal has not counted it as handed over */
    check_equal(sent_of(fake, b), RS_DATAGRAM_COST(65507u));
    send_to(fake, b, fake_v4("255.255.255.255", 9), "x", 1);
    check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    check_equal(sent_of(fake, b), RS_DATAGRAM_COST(65507u) + RS_DATAGRAM_COST(1u));
    fake_close(fake, a);
    fake_close(fake, b);
}

static void test_connected(struct fake *fake)
{
    uint32_t a = open_bound(fake), b = fake_open(fake, RS_AF_INET, RS_DGRAM), c = open_bound(fake);
    struct fake_socket *sa = fake_socket(fake, a), *sb = fake_socket(fake, b);
    struct rs_addr nobody = {0}, b_name;

    check_equal(fake_connect(fake, b, sa->local), 0);
    check(sb->local.port);
    b_name = sb->local;
    check_equal(fake_call(fake, RS_SUB_GETNAME, b, 1, 0, 0, NULL, 0), 0);
    check(!memcmp(fake->reply_data, &sa->local, sizeof(struct rs_addr)));
    fake_send(fake, b, "connected", 9);
    fake_wait(fake, sa->datagrams == 1);
    send_to(fake, c, b_name, "stranger", 8); /* not from the peer: filtered */
    send_to(fake, a, b_name, "peer", 4);
    fake_wait(fake, sb->datagrams == 1);
    check_equal(sb->size, 4);
    /* nobody there: the refusal arrives as WSAECONNRESET, and the socket goes on */
    fake_close(fake, a);
    fake_send(fake, b, "anybody?", 8);
    fake_wait(fake, sb->errors);
    check_equal(sb->error, WSAECONNRESET);
    check_equal(fake_connect(fake, b, fake_socket(fake, c)->local), 0);
    fake_send(fake, b, "again", 5);
    fake_wait(fake, fake_socket(fake, c)->datagrams == 1);
    check_equal(fake_connect(fake, b, nobody), 0);
    check_equal(fake_call(fake, RS_SUB_GETNAME, b, 1, 0, 0, NULL, 0), WSAENOTCONN);
    fake_close(fake, b);
    fake_close(fake, c);
}

/* Windows tells an unconnected socket too that nobody was there; it goes on all the same. */
static void test_unreachable(struct fake *fake)
{
    uint32_t a = open_bound(fake), b = open_bound(fake), gone = open_bound(fake);
    struct fake_socket *sa = fake_socket(fake, a), *sb = fake_socket(fake, b);
    struct rs_addr nobody = fake_socket(fake, gone)->local;

    fake_close(fake, gone);
    for (unsigned i = 1; i <= 50; i++) {
        send_to(fake, a, nobody, "x", 1);
        fake_wait(fake, sa->errors == i);
        check_equal(sa->error, WSAECONNRESET);
        send_to(fake, a, sb->local, "y", 1);
        fake_wait(fake, sb->datagrams == i);
        send_to(fake, b, sa->local, "z", 1);
        fake_wait(fake, sa->datagrams == i);
    }
    /* many at once: at least one is reported, and each datagram to somebody arrives */
    for (unsigned i = 1; i <= 100; i++) {
        send_to(fake, a, nobody, "x", 1);
        send_to(fake, a, sb->local, "y", 1);
    }
    fake_wait(fake, sb->datagrams == 150);
    fake_wait(fake, sa->errors > 50);
    fake_close(fake, a);
    fake_close(fake, b);
}

/* Each in front of its error, and only while it is asked for. */
static void test_icmp(struct fake *fake)
{
    uint32_t a = open_bound(fake), gone = open_bound(fake), on;
    struct fake_socket *sa = fake_socket(fake, a);
    struct rs_addr nobody = fake_socket(fake, gone)->local;

    fake_close(fake, gone);
    for (unsigned i = 1; i <= 20; i++) {
        on = i % 2;
        check_equal(fake_call(fake, RS_SUB_SETOPT, a, RS_OPT_ICMP_MESSAGES, 0, 0, &on, sizeof(on)),
                    0);
        send_to(fake, a, nobody, &i, sizeof(i));
        fake_wait(fake, sa->errors == i);
        check_equal(sa->icmp_messages, (i + 1) / 2);
        if (!on)
            continue;
        check_equal(sa->icmp.protocol, IPPROTO_ICMP);
        check_equal(sa->icmp.type, 3);
        check_equal(sa->icmp.code, 3);
        check_equal(sa->icmp.mtu, 0);
        check(!memcmp(&sa->icmp.destination, &nobody, sizeof(nobody)));
        check_equal(sa->quoted_size, sizeof(i));
        check(!memcmp(sa->quoted, &i, sizeof(i)));
    }
    fake_close(fake, a);
}

/* Nobody waits for a datagram's outcome: so the first refusal is told, and another only after
 * somebody has asked. */
static void test_refused(struct fake *fake)
{
    uint32_t a = open_bound(fake), b = open_bound(fake);
    struct fake_socket *sa = fake_socket(fake, a), *sb = fake_socket(fake, b);
    struct rs_addr forbidden = fake_v4("255.255.255.255", 9); /* not without SO_BROADCAST */

    for (unsigned i = 1; i <= 3; i++) {
        send_to(fake, a, forbidden, "x", 1);
        send_to(fake, a, forbidden, "x", 1);
        fake_wait(fake, sa->sends_lost == i);
        check_equal(sa->error, WSAEACCES);
        check_equal(send_to_reply(fake, a, forbidden, "x", 1), WSAEACCES);
        check_equal(sa->sends_lost, i);
    }
    check_equal(sa->errors, 0);
    send_to(fake, a, sb->local, "y", 1);
    fake_wait(fake, sb->datagrams == 1);
    fake_close(fake, a);
    fake_close(fake, b);
}

/* More than the window: the kernel keeps or drops it, the server stops at the credit. */
static void test_credit(struct fake *fake)
{
    uint32_t a = open_bound(fake);
    struct fake_socket *sa = fake_socket(fake, a);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = sa->local.port,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static uint8_t bytes[60000];
    uint32_t cost;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint64_t begin = now_ms();

    check(fd >= 0);
    while (!__atomic_load_n(&fake->shared[a].recv_stalled, __ATOMIC_SEQ_CST)) {
        check(now_ms() - begin < PATIENCE);
        sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to));
        fake_reap(fake);
    }
    sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)); /* this one waits */
    usleep(10000);
    fake_reap(fake);
    cost = (uint32_t)sa->size + sa->datagrams * RS_DATAGRAM_OVERHEAD;
    check(cost >= RS_RECV_WINDOW && cost < RS_RECV_WINDOW + RS_DATAGRAM_COST(sizeof(bytes)));
    take(fake, a, sa->datagrams);
    fake_wait(fake, sa->size);
    fake_close(fake, a);
    close(fd);
}

/* Datagrams without a byte are kept too: the server stops reading ahead of them as well. */
static void test_empty(struct fake *fake)
{
    uint32_t a = open_bound(fake);
    struct fake_socket *sa = fake_socket(fake, a);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = sa->local.port,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint64_t begin = now_ms();
    unsigned most = RS_RECV_WINDOW / RS_DATAGRAM_OVERHEAD + 1;

    check(fd >= 0);
    while (!__atomic_load_n(&fake->shared[a].recv_stalled, __ATOMIC_SEQ_CST)) {
        check(now_ms() - begin < PATIENCE);
        sendto(fd, "", 0, 0, (struct sockaddr *)&to, sizeof(to));
        fake_reap(fake);
    }
    for (unsigned i = 0; i < most; i++)
        sendto(fd, "", 0, 0, (struct sockaddr *)&to, sizeof(to));
    usleep(10000);
    fake_reap(fake);
    check_equal(sa->size, 0);
    check_equal(sa->datagrams, most);
    take(fake, a, most);
    fake_wait(fake, sa->datagrams > most);
    fake_close(fake, a);
    close(fd);
}

static void test_flood(struct fake *fake)
{
    uint32_t a = open_bound(fake);
    struct fake_socket *sa = fake_socket(fake, a);
    uint32_t b = open_bound(fake);
    unsigned taken = 0;

    for (unsigned i = 0; i < 2000; i++) {
        static uint8_t bytes[1000];
        unsigned outstanding = i - sa->datagrams;

        memcpy(bytes, &i, sizeof(i));
        send_to(fake, b, sa->local, bytes, sizeof(bytes));
        if (outstanding > 50)
            fake_wait(fake, sa->datagrams > i - 50);
        take(fake, a, sa->datagrams - taken);
        taken = sa->datagrams;
    }
    fake_wait(fake, sa->datagrams == 2000);
    check_equal(sent_of(fake, b), 2000 * RS_DATAGRAM_COST(1000u));
    fake_close(fake, a);
    fake_close(fake, b);
}

int main(void)
{
    static const struct fake_test tests[] = {
        {"echo", test_echo},           {"sizes", test_sizes},
        {"connected", test_connected}, {"unreachable", test_unreachable},
        {"icmp", test_icmp},           {"credit", test_credit},
        {"empty", test_empty},         {"flood", test_flood},
        {"refused", test_refused},
    };

    return fake_run(tests, sizeof(tests) / sizeof(*tests));
}
