/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets that several sessions hold: attaching, taking turns, handing back, ends of either side,
 * and what a session that breaks the rules can do.
 */
#include "fake_share.h"

static struct fake *second(struct fake *fake)
{
    return fake_join(fake->dir);
}

/* ---- attaching ---- */

static void test_attach(struct fake *fake)
{
    struct fake *other = second(fake);
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_STREAM), view;
    uint64_t inode = inode_of(fake, socket);
    uint8_t proof[RS_PROOF] = "not written yet";

    check_equal(attach_as(other, inode, NULL), 0); /* there is one */
    check_equal(attach_as(other, inode + 1000, NULL), WSAENOTSOCK);
    check_equal(attach_as(other, inode, proof), WSAENOTSOCK);
    check_equal(attach_as(other, inode + 1000, proof), WSAENOTSOCK);
    check_equal(
        fake_call(other, RS_SUB_ATTACH, 0, (uint32_t)inode, (uint32_t)(inode >> 32), 1, proof, 3),
        WSAENOTSOCK);
    check_equal(write(fake_socket(fake, socket)->anchor, proof, 7), 7);
    check_equal(attach_as(other, inode, proof), WSAENOTSOCK);
    check_equal(write(fake_socket(fake, socket)->anchor, proof + 7, 9), 9);
    check_equal(attach_as(other, inode, proof), 0);
    view = other->reply.value;
    check_equal(other->reply.value2, 0);
    check_equal(attach_as(other, inode, proof), WSAENOTSOCK); /* used up */
    check_equal(write(fake_socket(fake, socket)->anchor, proof, 16), 16);
    check_equal(attach_as(other, inode, proof), 0);
    check_equal(other->reply.value, view);
    check_equal(other->reply.value2, 1);
    fake_leave(other);
    fake_close(fake, socket);
}

/* ---- turns ---- */

struct pair {
    struct fake *other;
    uint32_t socket, view;
    struct fake_socket *mine, *theirs;
    int native;
};

/* A connection of the first session, of which a second one has a view. */
static struct pair make_pair(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 1);
    struct pair pair = {.other = second(fake)};

    pair.native = native_connect(fake_socket(fake, listener)->local);
    check(pair.native >= 0);
    pair.socket = fake_accept(fake, listener);
    fake_close(fake, listener);
    pair.view = attach(pair.other, fake, pair.socket);
    pair.mine = fake_socket(fake, pair.socket);
    pair.theirs = fake_socket(pair.other, pair.view);
    return pair;
}

static void native_gets(int native, const char *text)
{
    char buffer[64] = {0};
    size_t length = strlen(text);

    check_equal(recv(native, buffer, length, MSG_WAITALL), length);
    check(!strcmp(buffer, text));
}

static void test_turns(struct fake *fake)
{
    struct pair pair = make_pair(fake);

    check_equal(send(pair.native, "hello", 5, 0), 5);
    fake_wait(fake, pair.mine->size == 5);
    fake_consume(fake, pair.socket, 2);
    pass(pair.other, pair.view, fake, pair.socket, "state");
    check_equal(pair.theirs->given, 1);
    check_equal(pair.theirs->state.state, RS_STATE_CONNECTED);
    check(pair.theirs->state_size == 5 && !memcmp(pair.theirs->state_bytes, "state", 5));
    check(pair.theirs->size == 3 && !memcmp(pair.theirs->data, "llo", 3));
    fake_send(pair.other, pair.view, "there", 5);
    native_gets(pair.native, "there");
    /* what is sent by who does not have it goes out all the same, and counts there */
    fake_send(fake, pair.socket, "here", 4);
    native_gets(pair.native, "here");
    fake_wait(fake, fake->shared[pair.socket].sent == 4);
    check_equal(pair.other->shared[pair.view].sent, 5);
    fake_consume(pair.other, pair.view, 3);
    check_equal(send(pair.native, "more", 4, 0), 4);
    fake_wait(pair.other, pair.theirs->size == 4);
    pass(fake, pair.socket, pair.other, pair.view, "back");
    check(pair.mine->size == 4 && !memcmp(pair.mine->data, "more", 4));
    fake_consume(fake, pair.socket, 4);
    shutdown(pair.native, SHUT_WR);
    fake_wait(fake, pair.mine->eof);
    pass(pair.other, pair.view, fake, pair.socket, "end");
    fake_wait(pair.other, pair.theirs->eof); /* told again */
    fake_close(fake, pair.socket);
    fake_send(pair.other, pair.view, "last", 4);
    native_gets(pair.native, "last");
    fake_close(pair.other, pair.view);
    check_equal(native_end(pair.native), 0);
    close(pair.native);
    fake_leave(pair.other);
}

/* Who only waits gets it when nobody waits where it is. */
static void test_wanted(struct fake *fake)
{
    struct pair pair = make_pair(fake);

    fake_simple(pair.other, RS_SUB_WANT, 0, pair.view);
    fake_wait(fake, pair.mine->wanted == 1);
    check_equal(send(pair.native, "mine", 4, 0), 4);
    fake_wait(fake, pair.mine->size == 4);
    check_equal(pair.mine->yields, 0);
    fake_simple(fake, RS_SUB_IDLE, 0, pair.socket);
    fake_wait(fake, pair.mine->yields == 1);
    hand_back(fake, pair.socket, "");
    fake_wait(pair.other, pair.theirs->size == 4);
    /* handed back to nobody: SHARE; then the first who wants it */
    ask(pair.other, RS_SUB_SHARE, pair.view);
    fake_wait(pair.other, pair.theirs->yields == 1);
    hand_back(pair.other, pair.view, "");
    fake_wait(pair.other, pair.other->replied);
    fake_simple(fake, RS_SUB_WANT, 0, pair.socket);
    fake_wait(fake, pair.mine->size == 4);
    fake_leave(pair.other);
    close(pair.native);
    fake_consume(fake, pair.socket, 4);
    fake_close(fake, pair.socket);
}

/* ---- ends ---- */

static void test_holder_ends(struct fake *fake)
{
    struct pair pair = make_pair(fake);

    pass(pair.other, pair.view, fake, pair.socket, "");
    ask(fake, RS_SUB_USE, pair.socket);
    fake_wait(pair.other, pair.theirs->yields == 1);
    fake_leave(pair.other); /* with nothing that is not consumed */
    fake_wait(fake, fake->replied);
    check_equal(fake->reply.error, 0);
    check_equal(send(pair.native, "on", 2, 0), 2);
    fake_wait(fake, pair.mine->size == 2);
    fake_consume(fake, pair.socket, 2);
    fake_close(fake, pair.socket);
    check_equal(native_end(pair.native), 0);
    close(pair.native);

    pair = make_pair(fake);
    pass(pair.other, pair.view, fake, pair.socket, "");
    check_equal(send(pair.native, "lost", 4, 0), 4);
    fake_wait(pair.other, pair.theirs->size == 4);
    fake_leave(pair.other);
    check_equal(native_end(pair.native), ECONNRESET);
    ask(fake, RS_SUB_USE, pair.socket);
    fake_wait(fake, fake->replied && pair.mine->error);
    check_equal(pair.mine->error, WSAECONNRESET);
    fake_close(fake, pair.socket);
    close(pair.native);
}

/* The one who does not have it says what its end will be, gets it as the other one closes, and its
 * handle goes before the record that says so. */
static void end_unsaid(struct fake *fake, bool announced)
{
    struct pair pair = make_pair(fake);

    if (announced)
        fake_simple(pair.other, RS_SUB_CLOSE, RS_CLOSE_ABORT | RS_CLOSE_SOON, pair.view);
    ask(fake, RS_SUB_SHARE, pair.socket);
    fake_wait(fake, pair.mine->yields == 1);
    hand_back(fake, pair.socket, "");
    fake_wait(fake, fake->replied);
    fake_close(fake, pair.socket);
    close(pair.theirs->anchor);
    pair.theirs->anchor = -1;
    check_equal(native_end(pair.native), announced ? ECONNRESET : 0);
    fake_simple(pair.other, RS_SUB_CLOSE, announced ? RS_CLOSE_ABORT : 0, pair.view);
    fake_forget(pair.other, pair.view);
    close(pair.native);
    fake_leave(pair.other);
}

static void test_end_unsaid(struct fake *fake)
{
    end_unsaid(fake, false);
    end_unsaid(fake, true);
}

/* ---- listeners ---- */

static void test_listener(struct fake *fake)
{
    struct fake *other = second(fake);
    uint32_t listener = fake_listen(fake, 5), view, child;
    struct fake_socket *mine = fake_socket(fake, listener), *theirs;
    int early = native_connect(mine->local), late;

    check_equal(send(early, "early", 5, 0), 5);
    fake_wait(fake, mine->incoming_count == 1);
    child = mine->incoming[0].socket;
    fake_wait(fake, fake_socket(fake, child)->size == 5);
    view = attach(other, fake, listener);
    theirs = fake_socket(other, view);
    ask(other, RS_SUB_USE, view);
    fake_wait(fake, mine->yields == 1);
    unread(fake, child, 0, "early", 5);
    fake_simple(fake, RS_SUB_RETURN, 0, child);
    yield(fake, listener, "");
    fake_wait(other, other->replied && theirs->incoming_count == 1);
    check_equal(theirs->state.state, RS_STATE_LISTENING);
    fake_forget(fake, child);
    mine->incoming_count = 0;
    child = fake_accept(other, view);
    fake_wait(other, fake_socket(other, child)->size == 5);
    check_equal(send(early, "!", 1, 0), 1);
    fake_wait(other, fake_socket(other, child)->size == 6);
    /* one connection, then it is the other's turn, if the other waits */
    fake_simple(fake, RS_SUB_WANT, 0, listener);
    fake_wait(other, theirs->wanted == 1);
    late = native_connect(mine->local);
    fake_wait(other, theirs->yields == 1);
    check_equal(theirs->incoming_count, 1);
    fake_simple(other, RS_SUB_RETURN, 0, theirs->incoming[0].socket);
    yield(other, view, "");
    fake_wait(fake, mine->incoming_count == 1);
    fake_leave(other);
    child = fake_accept(fake, listener);
    check_equal(send(late, "?", 1, 0), 1);
    fake_wait(fake, fake_socket(fake, child)->size == 1);
    close(early);
    close(late);
    fake_consume(fake, child, 1);
    fake_close(fake, child);
    fake_close(fake, listener);
}

/* ---- who breaks the rules ---- */

static void test_hostile(struct fake *fake)
{
    struct pair pair = make_pair(fake);
    uint32_t plain = fake_open(fake, RS_AF_INET, RS_STREAM);
    static uint8_t much[RS_MAX_PAYLOAD];

    /* without a meaning: no harm */
    fake_simple(fake, RS_SUB_WANT, 0, plain);
    fake_simple(fake, RS_SUB_IDLE, 0, plain);
    fake_simple(fake, RS_SUB_RETURN, 0, plain);
    yield(fake, plain, "x");
    yield(fake, pair.socket, "x");
    yield(pair.other, pair.view, "x");
    fake_simple(pair.other, RS_SUB_IDLE, 0, pair.view);
    fake_simple(fake, RS_SUB_RETURN, 0, pair.socket);
    unread(fake, plain, 0, "x", 1);
    unread(fake, plain, RS_UNREAD_DATAGRAM, "x", 1);
    unread(fake, plain, 0xffff & ~RS_SEND_CONTROL, "x", 1);
    check_equal(fake_call(fake, RS_SUB_USE, plain, 0, 0, 0, NULL, 0), 0);
    check_equal(fake_call(fake, RS_SUB_USE, plain + 100, 0, 0, 0, NULL, 0), WSAENOTSOCK);
    /* as many questions as it likes */
    for (int i = 0; i < 6000; i++)
        ask(pair.other, RS_SUB_USE, pair.view);
    fake_wait(fake, pair.mine->yields == 1);
    hand_back(fake, pair.socket, "");
    fake_wait(pair.other, pair.theirs->given == 1);
    /* hands back more than anybody ever had: only that session ends, the socket is the other's */
    for (int i = 0; i < 20; i++)
        unread(pair.other, pair.view, 0, much, sizeof(much));
    ask(fake, RS_SUB_USE, pair.socket);
    fake_wait(fake, fake->replied);
    check_equal(fake->reply.error, 0);
    fake_send(fake, pair.socket, "alive", 5);
    native_gets(pair.native, "alive");
    fake_leave(pair.other);
    fake_close(fake, plain);
    fake_close(fake, pair.socket);
    close(pair.native);
}

int main(void)
{
    const char *dir = fake_make_dir();
    pid_t server = fake_start_server(dir, 5);
    struct fake *fake = fake_join(dir);
    static const struct {
        const char *name;
        void (*run)(struct fake *);
    } tests[] = {
        {"attach", test_attach},         {"turns", test_turns},
        {"wanted", test_wanted},         {"holder ends", test_holder_ends},
        {"end unsaid", test_end_unsaid}, {"listener", test_listener},
        {"hostile", test_hostile},
    };

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        tests[i].run(fake);
        printf("ok %zu - %s\n", i + 1, tests[i].name);
        fflush(stdout);
    }
    fake_leave(fake);
    fake_stop_server(server, dir);
    return 0;
}
