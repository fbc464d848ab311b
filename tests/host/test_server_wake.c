/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whom the server wakes: the interested slot, the pump instead of one that is not parked, nobody,
 * the slot of a group; deadlines; room in the submission ring; what came before an adoption.
 */
#include "fake_dll.h"

static int slot_fd[4]; /* slots 1 to 3; 0 is the pump */

static void make_slots(struct fake *fake)
{
    slot_fd[0] = fake->pump;
    for (uint32_t slot = 1; slot < 4; slot++) {
        char name[16];

        check_equal(fake_call(fake, RS_SUB_SLOT, 0, slot, 0, 0, NULL, 0), 0);
        check_equal(fake_call(fake, RS_SUB_SLOT, 0, slot, 0, 0, NULL, 0), 0); /* again: the same */
        snprintf(name, sizeof(name), "w%u", slot);
        slot_fd[slot] = fake_open_at(fake, name, O_RDWR | O_NONBLOCK);
    }
}

static void park(struct fake *fake, uint32_t slot, uint64_t deadline)
{
    fake->slots[slot].deadline = deadline;
    __atomic_store_n(&fake->slots[slot].state, RS_SLOT_PARKED, __ATOMIC_SEQ_CST);
}

static void unpark(struct fake *fake, uint32_t slot)
{
    char byte;

    __atomic_store_n(&fake->slots[slot].state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST);
    while (read(slot_fd[slot], &byte, 1) == 1)
        ;
}

static bool woken(struct fake *fake, uint32_t slot, int timeout)
{
    struct pollfd poll_fd = {.fd = slot_fd[slot], .events = POLLIN};
    char bytes[8];

    if (poll(&poll_fd, 1, timeout) != 1)
        return false;
    check_equal(__atomic_load_n(&fake->slots[slot].state, __ATOMIC_SEQ_CST), RS_SLOT_RUNNING);
    check_equal(read(slot_fd[slot], bytes, sizeof(bytes)), 1);
    return true;
}

struct stage {
    struct fake *fake;
    uint32_t socket;
    struct sockaddr_in to;
    int fd;
};

static struct stage set_stage(struct fake *fake)
{
    struct stage stage = {.fake = fake, .to = {.sin_family = AF_INET}};

    stage.socket = fake_open(fake, RS_AF_INET, RS_DGRAM);
    check_equal(fake_bind(fake, stage.socket, fake_v4("127.0.0.1", 0)), 0);
    stage.to.sin_port = fake_socket(fake, stage.socket)->local.port;
    stage.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stage.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(stage.fd >= 0);
    return stage;
}

static void interest(struct stage *stage, uint32_t word)
{
    __atomic_store_n(&stage->fake->shared[stage->socket].interest, word, __ATOMIC_SEQ_CST);
}

/* One datagram arrives; returns when it is in the ring. */
static void arrive(struct stage *stage)
{
    struct fake_socket *socket = fake_socket(stage->fake, stage->socket);
    unsigned before = socket->datagrams;
    uint64_t begin = now_ms();

    check_equal(sendto(stage->fd, "x", 1, 0, (struct sockaddr *)&stage->to, sizeof(stage->to)), 1);
    while (socket->datagrams == before) {
        check(now_ms() - begin < PATIENCE);
        usleep(200);
        fake_reap(stage->fake);
    }
    fake_consume(stage->fake, stage->socket, 1);
}

static void test_interest(struct fake *fake)
{
    struct stage stage = set_stage(fake);

    /* a slot that is parked, and nobody else */
    interest(&stage, RS_WAKE_SLOT(1));
    for (uint32_t slot = 0; slot < 4; slot++)
        park(fake, slot, 0);
    arrive(&stage);
    check(woken(fake, 1, PATIENCE));
    for (uint32_t slot = 0; slot < 4; slot++)
        check(slot == 1 || !woken(fake, slot, 5));
    /* now it runs: the pump */
    arrive(&stage);
    check(woken(fake, 0, PATIENCE));
    check(!woken(fake, 1, 5));
    /* it waits in NT: the pump */
    park(fake, 0, 0);
    __atomic_store_n(&fake->slots[1].state, RS_SLOT_WAITING, __ATOMIC_SEQ_CST);
    arrive(&stage);
    check(woken(fake, 0, PATIENCE));
    check_equal(__atomic_load_n(&fake->slots[1].state, __ATOMIC_SEQ_CST), RS_SLOT_WAITING);
    /* it looks before it parks: nobody need be woken */
    park(fake, 0, 0);
    __atomic_store_n(&fake->slots[1].state, RS_SLOT_LOOKING, __ATOMIC_SEQ_CST);
    arrive(&stage);
    check(!woken(fake, 0, 10) && !woken(fake, 1, 5));
    check_equal(__atomic_load_n(&fake->slots[1].state, __ATOMIC_SEQ_CST), RS_SLOT_LOOKING);
    /* nobody */
    park(fake, 0, 0);
    park(fake, 1, 0);
    interest(&stage, RS_WAKE_NONE);
    arrive(&stage);
    for (uint32_t slot = 0; slot < 4; slot++)
        check(!woken(fake, slot, 10));
    /* nonsense: the pump; a slot without a FIFO: the pump */
    interest(&stage, 0xffffffffu);
    arrive(&stage);
    check(woken(fake, 0, PATIENCE));
    park(fake, 0, 0);
    __atomic_store_n(&fake->slots[9].state, RS_SLOT_PARKED, __ATOMIC_SEQ_CST);
    interest(&stage, RS_WAKE_SLOT(9));
    arrive(&stage);
    check(woken(fake, 0, PATIENCE));
    /* a group's slot, a group without one */
    park(fake, 0, 0);
    interest(&stage, RS_WAKE_GROUP(7));
    ((uint32_t *)((uint8_t *)fake->segment + fake->segment->groups))[7] = RS_WAKE_SLOT(3);
    arrive(&stage);
    check(woken(fake, 3, PATIENCE));
    check(!woken(fake, 0, 5));
    interest(&stage, RS_WAKE_GROUP(8));
    arrive(&stage);
    check(!woken(fake, 0, 10));
    for (uint32_t slot = 0; slot < 4; slot++)
        unpark(fake, slot);
    fake_close(fake, stage.socket);
    close(stage.fd);
}

/* Nobody is interested, but the ring fills: then the pump. */
static void test_crowded(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5), peers[4];
    static uint8_t bytes[RS_RECV_WINDOW];
    int fds[4];

    for (int i = 0; i < 4; i++) {
        fds[i] = native_connect(fake_socket(fake, listener)->local);
        peers[i] = fake_accept(fake, listener);
        __atomic_store_n(&fake->shared[peers[i]].interest, RS_WAKE_NONE, __ATOMIC_SEQ_CST);
    }
    check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    fake_reap(fake);
    park(fake, 0, 0);
    check_equal(send(fds[0], bytes, 65536, 0), 65536);
    check(!woken(fake, 0, 20));
    for (int i = 1; i < 4; i++)
        check_equal(send(fds[i], bytes, sizeof(bytes), 0), sizeof(bytes));
    check(woken(fake, 0, PATIENCE));
    for (int i = 0; i < 4; i++) {
        size_t expected = i ? sizeof(bytes) : 65536;

        fake_wait(fake, fake_socket(fake, peers[i])->size == expected);
        fake_consume(fake, peers[i], expected);
        close(fds[i]);
        fake_close(fake, peers[i]);
    }
    fake_close(fake, listener);
}

/* Who connects to itself and waits for both ends is woken once: the listener looks in the turn in
 * which the connection came to be. */
static void test_both_ends(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 5);
    struct rs_addr address = fake_socket(fake, listener)->local;
    struct piece piece = {&address, sizeof(address)};

    for (int i = 0; i < 50; i++) {
        uint32_t client = fake_open(fake, RS_AF_INET, RS_STREAM);

        fake_simple(fake, RS_SUB_RESUME, 0, client); /* the server has seen what came before */
        __atomic_store_n(&fake->shared[client].interest, RS_WAKE_SLOT(1), __ATOMIC_SEQ_CST);
        park(fake, 1, 0);
        fake_submit(fake, RS_SUB_CONNECT, 0, client, &piece, 1, sizeof(address));
        check(woken(fake, 1, PATIENCE));
        fake_reap(fake);
        check(fake_socket(fake, client)->connected);
        check_equal(fake_socket(fake, client)->connect_error, 0);
        check_equal(fake_socket(fake, listener)->incoming_count, 1);
        fake_close(fake, fake_accept(fake, listener));
        fake_close(fake, client);
    }
    fake_close(fake, listener);
}

static uint64_t lower_deadline(struct fake *fake, uint64_t deadline)
{
    uint64_t *word = &fake->segment->earliest_deadline;
    uint64_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);

    while (deadline < seen && !__atomic_compare_exchange_n(word, &seen, deadline, false,
                                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    if (__atomic_load_n(&fake->segment->sleeping_until, __ATOMIC_SEQ_CST) > deadline)
        fake_ring(fake);
    return deadline;
}

/* The server un-parks who has waited long enough, not earlier, and not those whose time is later.
 */
static void test_deadlines(struct fake *fake)
{
    uint64_t first = rs_now() + 20 * RS_CLOCK_PER_MS, second = first + 30 * RS_CLOCK_PER_MS;
    unsigned rings;

    usleep(10000);
    check_equal(__atomic_load_n(&fake->segment->sleeping_until, __ATOMIC_SEQ_CST), UINT64_MAX);
    park(fake, 1, second);
    lower_deadline(fake, second);
    park(fake, 2, first);
    lower_deadline(fake, first);
    park(fake, 3, 0);
    check(woken(fake, 2, PATIENCE));
    check(rs_now() >= first && rs_now() < second);
    check(woken(fake, 1, PATIENCE));
    check(rs_now() >= second);
    check(!woken(fake, 3, 20));
    unpark(fake, 3);
    check_equal(__atomic_load_n(&fake->segment->earliest_deadline, __ATOMIC_SEQ_CST), UINT64_MAX);
    /* a later deadline than the one known costs no ring */
    park(fake, 1, rs_now() + 20 * RS_CLOCK_PER_MS);
    lower_deadline(fake, fake->slots[1].deadline);
    usleep(3000);
    rings = fake->rings;
    park(fake, 2, rs_now() + 40 * RS_CLOCK_PER_MS);
    lower_deadline(fake, fake->slots[2].deadline);
    check_equal(fake->rings, rings);
    check(woken(fake, 1, PATIENCE));
    check(woken(fake, 2, PATIENCE));
    unpark(fake, 1);
    unpark(fake, 2);
}

/* An awake or told server is not rung; each sleep takes at most one ring. */
static void test_bell(struct fake *fake)
{
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_DGRAM);
    unsigned rings;

    usleep(10000);
    rings = fake->rings;
    for (int i = 0; i < 100; i++)
        fake_simple(fake, RS_SUB_RESUME, 0, socket);
    check(fake->rings > rings);
    /* many sleeps, many rings: more than a FIFO of one page could keep */
    rings = fake->rings;
    for (int i = 0; i < 6000; i++) {
        while (!__atomic_load_n(&fake->segment->sleeping_until, __ATOMIC_SEQ_CST))
            usleep(10);
        check_equal(fake_call(fake, RS_SUB_GETOPT, socket, RS_OPT_REUSEADDR, 0, 0, NULL, 0), 0);
    }
    check(fake->rings > rings + 5000);
    fake_close(fake, socket);
}

/* What came for a connection before a socket adopted it told nobody: its index has no interest. */
static void test_adoption(struct fake *fake)
{
    uint32_t listener = fake_listen(fake, 8), target = fake_open(fake, RS_AF_INET, RS_STREAM);
    struct fake_socket *accepting = fake_socket(fake, listener), *source;
    int fd = native_connect(accepting->local);
    struct rs_adopt adopt = {0};
    struct piece piece = {&adopt, sizeof(adopt)};
    uint64_t begin = now_ms();

    check(fd >= 0);
    fake_wait(fake, accepting->incoming_count);
    adopt.source = accepting->incoming[--accepting->incoming_count].socket;
    source = fake_socket(fake, adopt.source);
    check_equal(send(fd, "x", 1, 0), 1);
    while (!source->size) {
        check(now_ms() - begin < PATIENCE);
        usleep(200);
        fake_reap(fake);
    }
    __atomic_store_n(&fake->shared[target].interest, RS_WAKE_SLOT(1), __ATOMIC_SEQ_CST);
    park(fake, 1, 0);
    fake_submit(fake, RS_SUB_ADOPT, 0, target, &piece, 1, sizeof(adopt));
    check(woken(fake, 1, PATIENCE));
    unpark(fake, 1);
    fake_wait(fake, source->closed);
    fake_forget(fake, adopt.source);
    fake_close(fake, target);
    fake_close(fake, listener);
    close(fd);
}

int main(void)
{
    const char *dir = fake_make_dir();
    pid_t server = fake_start_server(dir, 60);
    struct fake *fake = fake_join(dir);
    static const struct fake_test tests[] = {
        {"interest", test_interest},   {"crowded", test_crowded}, {"both ends", test_both_ends},
        {"deadlines", test_deadlines}, {"bell", test_bell},       {"adoption", test_adoption},
    };

    make_slots(fake);
    fake_run_each(fake, tests, sizeof(tests) / sizeof(*tests));
    for (int slot = 1; slot < 4; slot++)
        close(slot_fd[slot]);
    fake_leave(fake);
    fake_stop_server(server, dir);
    return 0;
}
