/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control data of datagrams through the server: what comes with them, what they are sent with, and
 * what a process must not get through with.
 */
#include <net/if.h>

#include "fake_dll.h"

#define ALL (RS_CONTROL_PACKET | RS_CONTROL_TTL | RS_CONTROL_TOS)

static uint32_t send_with(struct fake *fake, uint32_t socket, struct rs_addr to,
                          const struct rs_control *control, bool reply)
{
    struct rs_call call = {.cookie = ++fake->next_cookie, .wake = RS_WAKE_PUMP};
    struct piece pieces[4] = {
        {&call, sizeof(call)}, {&to, sizeof(to)}, {control, sizeof(*control)}, {"data", 4}};

    if (!reply) {
        fake_submit(fake, RS_SUB_SENDTO, RS_SEND_CONTROL, socket, pieces + 1, 3, 4);
        return 0;
    }
    fake->replied = false;
    fake_submit(fake, RS_SUB_SENDTO, RS_SEND_CONTROL | RS_SEND_REPLY, socket, pieces, 4, 4);
    fake_wait(fake, fake->replied);
    check_equal(fake->reply_cookie, call.cookie);
    return fake->reply.error;
}

static uint32_t open_bound(struct fake *fake, struct rs_addr address)
{
    uint32_t socket = fake_open(fake, address.family, RS_DGRAM);

    check_equal(fake_bind(fake, socket, address), 0);
    return socket;
}

static uint32_t ask(struct fake *fake, uint32_t socket, uint32_t wanted)
{
    return fake_call(fake, RS_SUB_SETOPT, socket, RS_OPT_CONTROL, 0, 0, &wanted, sizeof(wanted));
}

static void take(struct fake *fake, uint32_t socket)
{
    struct fake_socket *state = fake_socket(fake, socket);

    state->datagrams = 0;
    state->consumed += RS_DATAGRAM_OVERHEAD;
    fake_consume(fake, socket, state->size);
}

static struct rs_control *pass(struct fake *fake, uint32_t from, uint32_t to,
                               const struct rs_control *control)
{
    struct fake_socket *state = fake_socket(fake, to);

    check_equal(send_with(fake, from, state->local, control, true), 0);
    fake_wait(fake, state->datagrams == 1);
    check_equal(state->size, 4);
    check(!memcmp(state->data, "data", 4));
    take(fake, to);
    return &state->control;
}

static void check_family(struct fake *fake, struct rs_addr address, uint32_t index)
{
    uint32_t a = open_bound(fake, address), b = open_bound(fake, address);
    struct rs_control plain = {0}, *got;

    pass(fake, b, a, &plain); /* not asked for: none (fake_dll.h fills it with ones) */
    check_equal(fake_socket(fake, a)->control.present, 0xffff);
    check_equal(ask(fake, a, RS_CONTROL_TTL), 0);
    got = pass(fake, b, a, &plain);
    check_equal(got->present, RS_CONTROL_TTL);
    check_equal(ask(fake, a, ALL), 0);
    got = pass(fake, b, a, &plain);
    check_equal(got->present, ALL);
    check_equal(got->family, address.family);
    check_equal(got->delivery, RS_DELIVERY_HOST);
    check_equal(got->interface_index, index);
    check(!memcmp(got->address, address.bytes, 16));
    check(got->ttl >= 32);
    check_equal(got->tos, 0);
    check_equal(ask(fake, a, 0), 0); /* adds nothing, takes nothing away */
    check_equal(pass(fake, b, a, &plain)->present, ALL);
    fake_close(fake, a);
    fake_close(fake, b);
}

static void test_received(struct fake *fake)
{
    uint32_t index = if_nametoindex("lo");

    check_family(fake, fake_v4("127.0.0.1", 0), index);
    check_family(fake, fake_v6("::1", 0), index);
}

static void test_sent(struct fake *fake)
{
    uint32_t index = if_nametoindex("lo"), tos = 0x40, family;

    for (family = RS_AF_INET; family <= RS_AF_INET6; family += RS_AF_INET6 - RS_AF_INET) {
        bool v4 = family == RS_AF_INET;
        struct rs_addr address = v4 ? fake_v4("127.0.0.1", 0) : fake_v6("::1", 0);
        uint32_t a = open_bound(fake, address), b = open_bound(fake, address);
        struct rs_control control = {.family = (uint8_t)family, .ttl = 9, .tos = 0xb9};

        check_equal(ask(fake, a, ALL), 0);
        control.present = RS_CONTROL_TTL;
        check_equal(pass(fake, b, a, &control)->ttl, 9);
        control.present = RS_CONTROL_TOS;
        check_equal(pass(fake, b, a, &control)->tos, 0xb9);
        check_equal(fake_call(fake, RS_SUB_SETOPT, b, v4 ? RS_OPT_IP_TOS : RS_OPT_IPV6_TCLASS, 0, 0,
                              &tos, sizeof(tos)),
                    0);
        control.present = RS_CONTROL_ECN;
        check_equal(pass(fake, b, a, &control)->tos, 0x41);
        control.present = 0;
        check_equal(pass(fake, b, a, &control)->tos, 0x40);
        control.present = RS_CONTROL_PACKET | RS_CONTROL_TTL;
        control.interface_index = index;
        memcpy(control.address, v4 ? fake_v4("127.0.0.9", 0).bytes : address.bytes, 16);
        check_equal(pass(fake, b, a, &control)->ttl, 9);
        check(!memcmp(fake_socket(fake, a)->source.bytes, control.address, 16));
        fake_close(fake, a);
        fake_close(fake, b);
    }
}

/* IPv4 through an IPv6 socket is told as IPv4. */
static void test_mapped(struct fake *fake)
{
    uint32_t a = fake_open(fake, RS_AF_INET6, RS_DGRAM), off = 0;
    uint32_t b = open_bound(fake, fake_v4("127.0.0.1", 0));
    struct rs_control plain = {0}, from_there = {.present = RS_CONTROL_PACKET | RS_CONTROL_TTL,
                                                 .family = RS_AF_INET,
                                                 .ttl = 12,
                                                 .address = {127, 0, 0, 5}};
    struct fake_socket *state = fake_socket(fake, a);
    struct rs_addr to, mapped;

    check_equal(fake_call(fake, RS_SUB_SETOPT, a, RS_OPT_IPV6_V6ONLY, 0, 0, &off, sizeof(off)), 0);
    check_equal(fake_bind(fake, a, fake_v6("::", 0)), 0);
    check_equal(ask(fake, a, ALL), 0);
    to = fake_v4("127.0.0.3", ntohs(state->local.port));
    check_equal(send_with(fake, b, to, &plain, true), 0);
    fake_wait(fake, state->datagrams == 1);
    check_equal(state->control.present, ALL);
    check_equal(state->control.family, RS_AF_INET);
    check(!memcmp(state->control.address, to.bytes, 16));
    take(fake, a);
    mapped = fake_v6("::ffff:127.0.0.1", ntohs(fake_socket(fake, b)->local.port));
    check_equal(ask(fake, b, ALL), 0);
    check_equal(send_with(fake, a, mapped, &from_there, true), 0);
    fake_wait(fake, fake_socket(fake, b)->datagrams == 1);
    check_equal(fake_socket(fake, b)->control.ttl, 12);
    check(!memcmp(fake_socket(fake, b)->source.bytes, from_there.address, 16));
    take(fake, b);
    fake_close(fake, a);
    fake_close(fake, b);
}

static void test_delivery(struct fake *fake)
{
    uint32_t a = open_bound(fake, fake_v4("0.0.0.0", 0)), on = 1;
    uint32_t b = open_bound(fake, fake_v4("127.0.0.1", 0));
    struct fake_socket *state = fake_socket(fake, a);
    struct rs_control plain = {0};

    check_equal(ask(fake, a, RS_CONTROL_PACKET), 0);
    check_equal(fake_call(fake, RS_SUB_SETOPT, b, RS_OPT_BROADCAST, 0, 0, &on, sizeof(on)), 0);
    check_equal(send_with(fake, b, fake_v4("127.255.255.255", ntohs(state->local.port)), &plain, true),
                0);
    fake_wait(fake, state->datagrams == 1);
    check_equal(state->control.delivery, RS_DELIVERY_BROADCAST);
    take(fake, a);
    fake_close(fake, a);
    fake_close(fake, b);
}

/* What makes no sense is refused and counts as sent, and the socket goes on. */
static void test_refused(struct fake *fake)
{
    uint32_t a = open_bound(fake, fake_v4("127.0.0.1", 0));
    uint32_t b = open_bound(fake, fake_v4("127.0.0.1", 0)), stream;
    struct rs_addr to = fake_socket(fake, a)->local;
    const struct {
        struct rs_control control;
        uint32_t error;
    } bad[] = {
        {{.present = RS_CONTROL_ALL + 1}, WSAEINVAL},
        {{.present = 0xffff, .family = RS_AF_INET, .ttl = 1}, WSAEINVAL},
        {{.present = RS_CONTROL_TTL}, WSAEINVAL},
        {{.present = RS_CONTROL_PACKET}, WSAEINVAL},
        {{.present = RS_CONTROL_PACKET, .family = RS_AF_INET6}, WSAEINVAL},
        {{.present = RS_CONTROL_PACKET, .family = 0xff}, WSAEINVAL},
        {{.present = RS_CONTROL_PACKET, .family = RS_AF_INET, .interface_index = 0x80000000u},
         WSAEINVAL},
        {{.present = RS_CONTROL_PACKET, .family = RS_AF_INET, .address = {192, 0, 2, 77}}, WSAEINVAL},
        {{.present = RS_CONTROL_PACKET, .family = RS_AF_INET, .interface_index = 0x7fffffff},
         WSAEADDRNOTAVAIL},
    };
    struct rs_control plain = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint32_t before = fake_socket(fake, b)->sends_lost;

        check_equal(send_with(fake, b, to, &bad[i].control, true), bad[i].error);
        send_with(fake, b, to, &bad[i].control, false);
        fake_wait(fake, fake_socket(fake, b)->sends_lost == before + 1);
    }
    pass(fake, b, a, &plain);
    check_equal(ask(fake, a, RS_CONTROL_SEGMENT), WSAEINVAL); /* RS_OPT_UDP_COALESCE asks for it */
    check_equal(ask(fake, a, RS_CONTROL_ECN), WSAEINVAL);
    check_equal(ask(fake, a, 0xffffffffu), WSAEINVAL);
    stream = fake_open(fake, RS_AF_INET, RS_STREAM);
    check_equal(ask(fake, stream, RS_CONTROL_TTL), WSAENOPROTOOPT);
    check_equal(send_with(fake, stream, to, &plain, true), WSAEOPNOTSUPP);
    fake_close(fake, stream);
    fake_close(fake, a);
    fake_close(fake, b);
}

/* Bytes of chance: the server lives, and so does the session. */
static void test_chance(struct fake *fake)
{
    uint32_t sockets[] = {open_bound(fake, fake_v4("127.0.0.1", 0)),
                          open_bound(fake, fake_v6("::1", 0))};
    struct rs_control plain = {0};

    srand(4711);
    for (int i = 0; i < 4000; i++) {
        struct rs_control control;
        uint8_t *bytes = (uint8_t *)&control;
        uint32_t from = sockets[rand() % 2];

        for (size_t k = 0; k < sizeof(control); k++)
            bytes[k] = (uint8_t)(rand() >> 8);
        if (rand() % 4)
            control.present &= RS_CONTROL_ALL;
        if (rand() % 4)
            control.family = rand() % 2 ? RS_AF_INET : RS_AF_INET6;
        send_with(fake, from, fake_v4("192.0.2.1", 9), &control, rand() % 8 == 0);
        send_with(fake, from, fake_v6("2001:db8::1", 9), &control, false);
    }
    pass(fake, open_bound(fake, fake_v4("127.0.0.1", 0)), sockets[0], &plain);
}

/* A socket that asks when it is made. */
static void test_birth(struct fake *fake)
{
    struct rs_call call = {.cookie = ++fake->next_cookie,
                           .wake = RS_WAKE_PUMP,
                           .arg0 = RS_AF_INET,
                           .arg1 = RS_DGRAM,
                           .arg3 = RS_CONTROL_PACKET};
    struct piece piece = {&call, sizeof(call)};
    struct rs_control plain = {0};
    uint32_t b = open_bound(fake, fake_v4("127.0.0.1", 0)), a;

    fake->replied = false;
    fake_submit(fake, RS_SUB_SOCKET, 0, 0, &piece, 1, 0);
    fake_wait(fake, fake->replied);
    check_equal(fake->reply.error, 0);
    a = fake->reply.value;
    fake_adopt(fake, a, fake->reply.value2);
    check_equal(fake_bind(fake, a, fake_v4("127.0.0.1", 0)), 0);
    check_equal(pass(fake, b, a, &plain)->present, RS_CONTROL_PACKET);
    fake_close(fake, a);
    fake_close(fake, b);
}

int main(void)
{
    static const struct fake_test tests[] = {
        {"received", test_received}, {"sent", test_sent},       {"mapped", test_mapped},
        {"delivery", test_delivery}, {"refused", test_refused}, {"chance", test_chance},
        {"birth", test_birth},
    };

    return fake_run(tests, sizeof(tests) / sizeof(*tests));
}
