/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams made in advance: when there is one, that it is as good as any other, and how it ends.  Two
 * that nobody has taken are left at the end.
 */
#include "fake_dll.h"

static uint32_t ask(struct fake *fake, uint32_t family, uint32_t type)
{
    struct rs_call call = {
        .cookie = ++fake->next_cookie, .wake = RS_WAKE_PUMP, .arg0 = family, .arg1 = type};
    struct piece piece = {&call, sizeof(call)};

    fake->replied = false;
    fake_submit(fake, RS_SUB_SOCKET, RS_SOCKET_STOCK, 0, &piece, 1, 0);
    fake_wait(fake, fake->replied);
    check_equal(fake->reply.error, 0);
    fake_adopt(fake, fake->reply.value, fake->reply.value2);
    return fake->reply.value;
}

/* Everything up to here was looked at, and the turn after it. */
static void settle(struct fake *fake)
{
    for (int i = 0; i < 3; i++)
        check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
}

static uint32_t take(struct fake *fake, unsigned place)
{
    uint32_t index;

    fake_wait(fake, fake->stock[place].index);
    index = fake->stock[place].index;
    fake->stock[place].index = 0;
    fake_adopt(fake, index, fake->stock[place].anchor);
    return index;
}

/* Who makes a few sockets, or datagram sockets, or does not ask for it, gets none. */
static void test_not_wanted(struct fake *fake)
{
    uint32_t sockets[12];

    for (int i = 0; i < 4; i++)
        sockets[i] = ask(fake, RS_AF_INET, RS_STREAM);
    for (int i = 4; i < 8; i++)
        sockets[i] = fake_open(fake, RS_AF_INET, RS_STREAM);
    for (int i = 8; i < 12; i++)
        sockets[i] = ask(fake, RS_AF_INET, RS_DGRAM);
    settle(fake);
    check_equal(fake->stocked, 0);
    for (int i = 0; i < 12; i++)
        fake_close(fake, sockets[i]);
}

static void test_taken(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), first = ask(fake, RS_AF_INET, RS_STREAM), client,
             peer;
    unsigned stocked;

    fake_wait(fake, fake->stock[0].index);
    check(fake->stock[0].index != first);
    settle(fake);
    check_equal(fake->stocked, 1); /* one at a time */
    client = take(fake, 0);
    fake_wait(fake, fake->stock[0].index); /* the next one */
    check_equal(fake_connect(fake, client, fake_socket(fake, listener)->local), 0);
    peer = fake_accept(fake, listener);
    fake_send(fake, client, "as any", 6);
    fake_wait(fake, fake_socket(fake, peer)->size == 6);
    fake_close(fake, client);
    fake_wait(fake, fake_socket(fake, peer)->eof);
    fake_close(fake, peer);
    fake_close(fake, first);
    fake_close(fake, listener);
    settle(fake);
    stocked = fake->stocked;
    settle(fake);
    check_equal(fake->stocked, stocked);
}

/* Each family has its own. */
static void test_families(struct fake *fake)
{
    uint32_t six = ask(fake, RS_AF_INET6, RS_STREAM), client;

    fake_wait(fake, fake->stock[1].index);
    client = take(fake, 1);
    check_equal(fake_connect(fake, client, fake_v4("127.0.0.1", 9)), WSAEAFNOSUPPORT);
    fake_close(fake, client);
    fake_close(fake, six);
}

/* One that is given back is gone, and its index comes again. */
static void test_given_back(struct fake *fake)
{
    uint32_t index, again;

    fake_wait(fake, fake->stock[0].index);
    index = fake->stock[0].index;
    fake->stock[0].index = 0;
    fake_simple(fake, RS_SUB_CLOSE, RS_CLOSE_ABORT, index);
    fake_wait(fake, fake_socket(fake, index)->closed);
    fake_forget(fake, index);
    again = ask(fake, RS_AF_INET, RS_STREAM);
    check_equal(again, index);
    fake_wait(fake, fake->stock[0].index);
    fake_close(fake, again);
}

int main(void)
{
    static const struct fake_test tests[] = {
        {"not wanted", test_not_wanted},
        {"taken", test_taken},
        {"families", test_families},
        {"given back", test_given_back},
    };

    return fake_run(tests, sizeof(tests) / sizeof(*tests));
}
