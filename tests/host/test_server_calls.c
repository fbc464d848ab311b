/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls: names of hosts both ways, the host's own, interfaces, socket options.
 */
#include "fake_dll.h"

static uint32_t resolve(struct fake *fake, const char *node, uint32_t family, uint32_t flags)
{
    uint8_t payload[sizeof(struct rs_resolve) + 2000];
    struct rs_resolve what = {.flags = flags, .family = family, .node_len = (uint32_t)strlen(node)};

    memcpy(payload, &what, sizeof(what));
    memcpy(payload + sizeof(what), node, what.node_len);
    return fake_call(fake, RS_SUB_RESOLVE, 0, 0, 0, 0, payload,
                     (uint32_t)sizeof(what) + what.node_len);
}

static struct rs_addr answer(struct fake *fake, uint32_t index)
{
    struct rs_addr address;

    check(index < fake->reply.value);
    check(fake->reply_length >= fake->reply.value * sizeof(address));
    memcpy(&address, fake->reply_data + index * sizeof(address), sizeof(address));
    return address;
}

static void test_resolve(struct fake *fake)
{
    struct rs_addr address, expected = fake_v4("127.0.0.1", 0);
    uint8_t raw[sizeof(struct rs_resolve)];
    struct rs_resolve what = {.node_len = 1};
    char longest[1100];

    check_equal(resolve(fake, "127.0.0.1", RS_AF_UNSPEC, RS_AI_NUMERICHOST), 0);
    check_equal(fake->reply.value, 1);
    address = answer(fake, 0);
    check(!memcmp(&address, &expected, sizeof(address)));
    check_equal(resolve(fake, "::1", RS_AF_INET6, 0), 0);
    address = answer(fake, 0);
    check_equal(address.family, RS_AF_INET6);
    check_equal(resolve(fake, "localhost", RS_AF_INET, RS_AI_CANONNAME), 0);
    check(fake->reply.value >= 1);
    address = answer(fake, 0);
    check_equal(address.bytes[0], 127);
    check(fake->reply_length > fake->reply.value * sizeof(address)); /* the name */
    check_equal(resolve(fake, "", RS_AF_INET, RS_AI_PASSIVE), 0);
    address = answer(fake, 0);
    check_equal(address.bytes[0], 0);
    check_equal(resolve(fake, "", RS_AF_INET, 0), 0);
    address = answer(fake, 0);
    check_equal(address.bytes[0], 127);
    check_equal(resolve(fake, "no host", RS_AF_INET, RS_AI_NUMERICHOST), WSAHOST_NOT_FOUND);
    check_equal(resolve(fake, "127.0.0.1", 5, 0), WSAEINVAL);
    memset(longest, 'a', sizeof(longest));
    longest[1099] = 0;
    check_equal(resolve(fake, longest, RS_AF_INET, 0), WSAHOST_NOT_FOUND);
    memcpy(raw, &what, sizeof(what));
    check_equal(fake_call(fake, RS_SUB_RESOLVE, 0, 0, 0, 0, raw, sizeof(raw)), WSAEINVAL);
}

/* Many at once, more than there are threads; the loop goes on in between. */
static void test_many(struct fake *fake)
{
    struct rs_resolve what = {.family = RS_AF_INET, .node_len = 9};

    fake->replies = 0;
    for (int i = 0; i < 200; i++) {
        struct rs_call call = {.cookie = 1000 + (uint64_t)i, .wake = RS_WAKE_PUMP};
        struct piece pieces[3] = {{&call, sizeof(call)}, {&what, sizeof(what)}, {"localhost", 9}};

        fake_submit(fake, RS_SUB_RESOLVE, 0, 0, pieces, 3, sizeof(what) + 9);
    }
    fake_wait(fake, fake->replies == 200);
    check_equal(fake->reply.error, 0);
}

static void test_reverse(struct fake *fake)
{
    struct rs_addr address = fake_v4("127.0.0.1", 80), nobody = {0};

    check_equal(fake_call(fake, RS_SUB_REVERSE, 0, 0, 0, 0, &address, sizeof(address)), 0);
    check(fake->reply_length > 0);
    check_equal(fake_call(fake, RS_SUB_REVERSE, 0, 0, 0, 0, &nobody, sizeof(nobody)),
                WSAEAFNOSUPPORT);
}

static void test_host(struct fake *fake)
{
    struct rs_interface one;
    char name[300] = {0};
    bool loopback = false;

    check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    check(!gethostname(name, sizeof(name)));
    check_equal(fake->reply_length, strlen(name));
    check(!memcmp(fake->reply_data, name, strlen(name)));
    check_equal(fake_call(fake, RS_SUB_INTERFACES, 0, 0, 0, 0, NULL, 0), 0);
    check_equal(fake->reply_length, fake->reply.value * sizeof(one));
    for (uint32_t i = 0; i < fake->reply.value; i++) {
        memcpy(&one, fake->reply_data + i * sizeof(one), sizeof(one));
        check(one.index);
        if (one.address.family == RS_AF_INET && one.address.bytes[0] == 127) {
            loopback = true;
            check(one.flags & RS_IF_LOOPBACK && one.flags & RS_IF_UP);
            check_equal(one.netmask.bytes[0], 255);
        }
    }
    check(loopback);
}

static uint32_t set(struct fake *fake, uint32_t socket, uint32_t option, uint32_t value)
{
    return fake_call(fake, RS_SUB_SETOPT, socket, option, 0, 0, &value, sizeof(value));
}

static uint32_t get(struct fake *fake, uint32_t socket, uint32_t option)
{
    uint32_t value;

    check_equal(fake_call(fake, RS_SUB_GETOPT, socket, option, 0, 0, NULL, 0), 0);
    check_equal(fake->reply_length, sizeof(value));
    memcpy(&value, fake->reply_data, sizeof(value));
    return value;
}

static void test_options(struct fake *fake)
{
    static const struct {
        uint32_t type, option, value, expected;
    } cases[] = {
        {RS_STREAM, RS_OPT_KEEPALIVE, 1, 1},       {RS_STREAM, RS_OPT_REUSEADDR, 1, 1},
        {RS_STREAM, RS_OPT_OOBINLINE, 1, 1},       {RS_STREAM, RS_OPT_RCVBUF, 12345, 12345},
        {RS_STREAM, RS_OPT_SNDBUF, 0, 0},          {RS_STREAM, RS_OPT_TCP_NODELAY, 1, 1},
        {RS_STREAM, RS_OPT_TCP_KEEPIDLE, 77, 77},  {RS_STREAM, RS_OPT_TCP_KEEPINTVL, 7, 7},
        {RS_STREAM, RS_OPT_TCP_KEEPCNT, 5, 5},     {RS_STREAM, RS_OPT_IP_TTL, 33, 33},
        {RS_STREAM, RS_OPT_IP_TOS, 16, 16},        {RS_DGRAM, RS_OPT_BROADCAST, 1, 1},
        {RS_DGRAM, RS_OPT_REUSEADDR, 1, 1},        {RS_DGRAM, RS_OPT_RCVBUF, 100000, 100000},
        {RS_DGRAM, RS_OPT_SNDBUF, 50000, 50000},   {RS_DGRAM, RS_OPT_IP_DONTFRAGMENT, 1, 1},
        {RS_DGRAM, RS_OPT_IP_MULTICAST_TTL, 5, 5}, {RS_DGRAM, RS_OPT_IP_MULTICAST_LOOP, 0, 0},
    };
    uint32_t sockets[3] = {0, fake_open(fake, RS_AF_INET, RS_STREAM),
                           fake_open(fake, RS_AF_INET, RS_DGRAM)};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint32_t socket = sockets[cases[i].type];

        if (set(fake, socket, cases[i].option, cases[i].value))
            fail("option %u: error %u", cases[i].option, fake->reply.error);
        if (cases[i].value && get(fake, socket, cases[i].option) != cases[i].expected)
            fail("option %u is %u, not %u", cases[i].option, get(fake, socket, cases[i].option),
                 cases[i].expected);
    }
    check_equal(get(fake, sockets[1], RS_OPT_ERROR), 0);
    check(get(fake, sockets[1], RS_OPT_TCP_MAXSEG) > 0);
    check_equal(set(fake, sockets[2], RS_OPT_TCP_NODELAY, 1), WSAENOPROTOOPT);
    check_equal(set(fake, sockets[1], RS_OPT_MAX, 1), WSAENOPROTOOPT);
    check_equal(set(fake, sockets[1], 0xffffffffu, 1), WSAENOPROTOOPT);
    check_equal(fake_call(fake, RS_SUB_GETOPT, sockets[1], 0, 0, 0, NULL, 0), WSAENOPROTOOPT);
    fake_close(fake, sockets[1]);
    fake_close(fake, sockets[2]);
}

static void test_multicast(struct fake *fake)
{
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_DGRAM);
    struct rs_group group = {.group = fake_v4("239.1.2.3", 0),
                             .interface_address = fake_v4("127.0.0.1", 0)};
    struct rs_addr to = fake_v4("239.1.2.3", 0);
    struct piece pieces[2] = {{&to, sizeof(to)}, {"all", 3}};
    uint32_t add = RS_OPT_IP_ADD_MEMBERSHIP, drop = RS_OPT_IP_DROP_MEMBERSHIP;

    check_equal(fake_bind(fake, socket, fake_v4("0.0.0.0", 0)), 0);
    to.port = fake_socket(fake, socket)->local.port;
    check_equal(fake_call(fake, RS_SUB_SETOPT, socket, add, 0, 0, &group, sizeof(group)), 0);
    check_equal(
        fake_call(fake, RS_SUB_SETOPT, socket, RS_OPT_IP_MULTICAST_IF, 0, 0, &group, sizeof(group)),
        0);
    check_equal(fake_call(fake, RS_SUB_GETOPT, socket, RS_OPT_IP_MULTICAST_IF, 0, 0, NULL, 0), 0);
    check_equal(fake->reply_length, sizeof(group));
    fake_submit(fake, RS_SUB_SENDTO, 0, socket, pieces, 2, 3);
    fake_wait(fake, fake_socket(fake, socket)->datagrams == 1);
    check_equal(fake_call(fake, RS_SUB_SETOPT, socket, drop, 0, 0, &group, sizeof(group)), 0);
    check_equal(fake_call(fake, RS_SUB_SETOPT, socket, drop, 0, 0, &group, sizeof(group)),
                WSAEADDRNOTAVAIL);
    check_equal(fake_call(fake, RS_SUB_SETOPT, socket, add, 0, 0, &group, 8), WSAEFAULT);
    fake_close(fake, socket);
}

int main(void)
{
    static const struct fake_test tests[] = {
        {"resolve", test_resolve}, {"many", test_many},       {"reverse", test_reverse},
        {"host", test_host},       {"options", test_options}, {"multicast", test_multicast},
    };

    return fake_run(tests, sizeof(tests) / sizeof(*tests));
}
