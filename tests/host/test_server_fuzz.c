/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions that do whatever the protocol has words for, in no sensible order, while native peers do
 * the same: the server survives each, keeps nothing of it, and a session beside it does not notice.
 *
 * Most rounds write records of a right shape with wild contents, so that they reach the code behind
 * the checks; some also write wrong shapes, a wild ring, or cut the file short.  A failing round
 * says its seed: RINGSOCK_TEST_SEED=N RINGSOCK_TEST_OPERATIONS=1 runs that round alone.
 *
 * Everything goes on in a network namespace of the test's own where there can be one; elsewhere
 * addresses are taken from this test's own sockets only.
 */
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "fake_dll.h"

#define ROUNDS  40
#define RECORDS 300
#define KNOWN   48 /* sockets of a session at a time */
#define NATIVE  16
#define PORTS   16

static const char *dir;
static pid_t server_pid;
static struct fake *witness;
static uint32_t witness_a, witness_b;
static uint64_t seed;
static bool isolated;

static struct known {
    uint32_t index;
    int anchor; /* -1: not open */
} known[KNOWN];
static unsigned known_count;
static int native[NATIVE], native_listener, native_datagram;
static uint16_t ports[PORTS]; /* network order: that somebody of this round has or had */
static unsigned port_count;

/* ---- chance ---- */

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)(next_random() >> 11) % limit;
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

static uint32_t number(void)
{
    static const uint32_t special[] = {0,          1,          2,          4,          6,
                                       0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 65536};

    switch (below(3)) {
    case 0:
        return special[below(sizeof(special) / sizeof(*special))];
    case 1:
        return below(64);
    default:
        return (uint32_t)next_random();
    }
}

/* ---- the witness ---- */

static void make_witness(void)
{
    uint32_t listener;

    witness = fake_join(dir);
    listener = fake_listen(witness, 5);
    witness_a = fake_open(witness, RS_AF_INET, RS_STREAM);
    check_equal(fake_connect(witness, witness_a, fake_socket(witness, listener)->local), 0);
    witness_b = fake_accept(witness, listener);
}

static void check_witness(void)
{
    struct fake_socket *b = fake_socket(witness, witness_b);

    check_equal(waitpid(server_pid, NULL, WNOHANG), 0);
    fake_send(witness, witness_a, "ping", 4);
    fake_wait(witness, b->size == 4);
    fake_consume(witness, witness_b, 4);
    check_equal(b->errors, 0);
}

/* ---- sockets that are known ---- */

static void learn(uint32_t index, uint32_t anchor, struct fake *fake)
{
    char path[500];
    struct known *entry;

    if (known_count == KNOWN)
        return;
    entry = &known[known_count++];
    *entry = (struct known){.index = index, .anchor = -1};
    if (one_in(5)) /* it stays without a handle */
        return;
    fake_anchor_path(path, sizeof(path), fake->dir, anchor);
    entry->anchor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

static void learn_port(uint16_t port)
{
    if (port)
        ports[port_count++ % PORTS] = port;
}

static void unlearn(unsigned which)
{
    if (known[which].anchor >= 0)
        close(known[which].anchor);
    known[which] = known[--known_count];
}

static uint32_t some_socket(void)
{
    if (!known_count || one_in(30))
        return 1 + below(one_in(2) ? RS_MAX_SOCKETS - 1 : 100);
    return known[below(known_count)].index;
}

/* What the server has to say: only what names something new is of interest. */
static void reap(struct fake *fake)
{
    struct rs_record header;
    const uint8_t *body;

    while (rs_ring_peek(&fake->comp, &header, &body) == RS_PEEK_RECORD) {
        struct rs_accepted accepted;
        struct rs_reply reply;
        struct rs_addr address;

        if (header.type == RS_COMP_ACCEPTED) {
            memcpy(&accepted, body, sizeof(accepted));
            learn(accepted.socket, accepted.anchor, fake);
        } else if (header.type == RS_COMP_REPLY) {
            memcpy(&reply, body, sizeof(reply));
            if (reply.cookie == RS_SUB_SOCKET && !reply.error)
                learn(reply.value, reply.value2, fake);
            memcpy(&address, body + sizeof(reply), sizeof(address)); /* or what stands there */
            if (header.length == sizeof(address) && reply.cookie == RS_SUB_BIND)
                learn_port(address.port);
        } else if (header.type == RS_COMP_CLOSED && !one_in(5)) {
            fake_simple(fake, RS_SUB_FORGET, 0, header.socket);
        }
        rs_ring_skip(&fake->comp, &header);
        rs_ring_consume_end(&fake->comp);
    }
}

/* ---- records ---- */

enum { CALL = 1, CALL_FLAGGED = 2, ADDRESS = 4 };

static const struct shape {
    uint16_t type;
    uint16_t weight;
    uint32_t parts;
} shapes[] = {
    {RS_SUB_SLOT, 2, CALL},
    {RS_SUB_SOCKET, 12, CALL},
    {RS_SUB_ANCHORED, 6, 0},
    {RS_SUB_BIND, 10, CALL | ADDRESS},
    {RS_SUB_LISTEN, 8, CALL},
    {RS_SUB_CONNECT, 10, ADDRESS},
    {RS_SUB_SEND, 14, 0},
    {RS_SUB_SENDTO, 10, CALL_FLAGGED | ADDRESS},
    {RS_SUB_SHUTDOWN, 3, CALL},
    {RS_SUB_CLOSE, 6, CALL_FLAGGED},
    {RS_SUB_FORGET, 2, 0},
    {RS_SUB_RESUME, 4, 0},
    {RS_SUB_GETOPT, 4, CALL},
    {RS_SUB_SETOPT, 8, CALL},
    {RS_SUB_GETNAME, 3, CALL},
    {RS_SUB_RESOLVE, 1, CALL},
    {RS_SUB_REVERSE, 1, CALL | ADDRESS},
    {RS_SUB_HOSTNAME, 1, CALL},
    {RS_SUB_DISCONNECT, 3, 0},
    {RS_SUB_INTERFACES, 1, CALL},
    {RS_SUB_ADOPT, 6, 0},
    {RS_SUB_PORTS, 2, CALL},
    {RS_SUB_LOOK, 4, CALL},
};

static const struct shape *some_shape(void)
{
    uint32_t total = 0, at;
    const struct shape *shape = shapes;

    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
        total += shapes[i].weight;
    for (at = below(total); at >= shape->weight; shape++)
        at -= shape->weight;
    return shape;
}

static struct rs_addr some_address(void)
{
    struct rs_addr address = {.family = one_in(5) ? RS_AF_INET6 : RS_AF_INET};

    if (one_in(40))
        address.family = (uint16_t)number();
    address.port =
        one_in(4) || !port_count ? 0 : ports[below(port_count < PORTS ? port_count : PORTS)];
    if (isolated && one_in(8))
        address.port = (uint16_t)number();
    if (one_in(6))
        return address; /* any */
    if (address.family == RS_AF_INET6)
        address.bytes[15] = 1;
    else
        memcpy(address.bytes, (uint8_t[]){127, 0, 0, 1}, 4);
    if (isolated && one_in(10))
        for (size_t i = 0; i < sizeof(address.bytes); i++)
            address.bytes[i] = (uint8_t)next_random();
    address.scope_id = one_in(10) ? number() : 0;
    return address;
}

static struct rs_call some_call(uint16_t type)
{
    struct rs_call call = {.cookie = type,
                           .wake = number(),
                           .arg0 = number(),
                           .arg1 = number(),
                           .arg2 = number(),
                           .arg3 = number()};

    switch (type) {
    case RS_SUB_SOCKET:
        if (one_in(10))
            break;
        call.arg0 = one_in(5) ? RS_AF_INET6 : RS_AF_INET;
        call.arg1 = one_in(4) ? RS_DGRAM : RS_STREAM;
        call.arg2 = 0;
        break;
    case RS_SUB_SLOT:
        call.arg0 = one_in(4) ? number() : below(8);
        break;
    case RS_SUB_GETOPT:
    case RS_SUB_SETOPT:
        call.arg0 = one_in(20) ? number() : below(RS_OPT_MAX + 1);
        break;
    case RS_SUB_CLOSE:
        call.arg0 = one_in(20) ? number() : below(50);
        break;
    case RS_SUB_SHUTDOWN:
        call.arg0 = one_in(5) ? number() : below(3);
        break;
    }
    return call;
}

/* Payload of a kind that the type wants, into `bytes`; returns its length. */
static uint32_t some_payload(uint16_t type, uint8_t *bytes)
{
    struct rs_adopt adopt = {.source = some_socket()};
    struct rs_resolve resolve = {.flags = number() | RS_AI_NUMERICHOST, .family = below(8)};
    struct rs_group group = {.interface_index = one_in(2) ? 0 : number(),
                             .group = some_address(),
                             .interface_address = some_address()};
    uint32_t value = number(), length;

    switch (type) {
    case RS_SUB_ADOPT:
        memcpy(bytes, &adopt, sizeof(adopt));
        return sizeof(adopt);
    case RS_SUB_RESOLVE:
        resolve.node_len = one_in(4) ? number() : below(20);
        memcpy(bytes, &resolve, sizeof(resolve));
        memcpy(bytes + sizeof(resolve), "127.0.0.1.2.3.4.5.6.7.8", 20);
        return sizeof(resolve) + 20;
    case RS_SUB_SETOPT:
        if (one_in(2)) {
            memcpy(bytes, &value, sizeof(value));
            return sizeof(value);
        }
        group.group.bytes[0] = group.group.family == RS_AF_INET6 ? 0xff : 224;
        memcpy(bytes, &group, sizeof(group));
        return 4 + below(sizeof(group) - 3);
    case RS_SUB_SEND:
    case RS_SUB_SENDTO:
        length = one_in(20) ? below(RS_MAX_PAYLOAD + 1) : below(2000);
        for (uint32_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)i;
        return length;
    default:
        return 0;
    }
}

static bool lives(const struct fake *fake)
{
    return __atomic_load_n(&fake->segment->magic, __ATOMIC_SEQ_CST) == RS_MAGIC;
}

/* False: the server takes nothing any more. */
static bool submit(struct fake *fake, const struct shape *shape, bool wrong)
{
    static uint8_t bytes[RS_MAX_RECORD];
    uint16_t flags = (uint16_t)below(one_in(10) ? 65536 : 4);
    uint32_t size = sizeof(struct rs_record), payload;
    uint64_t begin = now_ms();
    struct rs_record *record;

    if (shape->parts & CALL || (shape->parts & CALL_FLAGGED && flags & RS_SEND_REPLY)) {
        struct rs_call call = some_call(shape->type);

        memcpy(bytes + size, &call, sizeof(call));
        size += sizeof(call);
    }
    if (shape->parts & ADDRESS) {
        struct rs_addr address = some_address();

        memcpy(bytes + size, &address, sizeof(address));
        size += sizeof(address);
    }
    payload = some_payload(shape->type, bytes + size);
    size += payload;
    while (!(record = rs_ring_reserve(&fake->sub, size))) {
        if (!lives(fake) || now_ms() - begin > PATIENCE)
            return false;
        fake_ring(fake);
        usleep(100);
    }
    memcpy(record + 1, bytes + sizeof(*record), size - sizeof(*record));
    *record = (struct rs_record){
        .type = shape->type, .flags = flags, .socket = some_socket(), .length = payload};
    if (shape->parts & ADDRESS && shape->type != RS_SUB_SENDTO)
        record->length = sizeof(struct rs_addr);
    if (wrong)
        ((uint8_t *)record)[below(sizeof(*record))] = (uint8_t)next_random();
    if (wrong && one_in(2)) {
        fake->sub.position += rs_align(size); /* with whatever size it says */
        __atomic_store_n(&fake->sub.shared->tail, fake->sub.position, __ATOMIC_SEQ_CST);
    } else {
        rs_ring_publish(&fake->sub, record, size);
    }
    return true;
}

/* ---- beside the records ---- */

static void touch_words(struct fake *fake)
{
    struct rs_socket_shared *shared = &fake->shared[some_socket()];
    struct rs_slot *slot = &fake->slots[below(8)];

    switch (below(9)) {
    case 0:
        __atomic_store_n(&shared->consumed, number(), __ATOMIC_SEQ_CST);
        break;
    case 1:
        __atomic_add_fetch(&shared->consumed, below(5000), __ATOMIC_SEQ_CST);
        break;
    case 2:
        __atomic_store_n(&shared->want_sent, number(), __ATOMIC_SEQ_CST);
        break;
    case 3:
        __atomic_store_n(&shared->interest, one_in(2) ? RS_WAKE_GROUP(below(4)) : number(),
                         __ATOMIC_SEQ_CST);
        break;
    case 4:
        __atomic_store_n(&slot->deadline, one_in(2) ? next_random() : rs_now(), __ATOMIC_SEQ_CST);
        __atomic_store_n(&slot->state, one_in(3) ? number() : RS_SLOT_PARKED, __ATOMIC_SEQ_CST);
        __atomic_store_n(&fake->segment->earliest_deadline, one_in(2) ? 0 : rs_now(),
                         __ATOMIC_SEQ_CST);
        break;
    case 5:
        __atomic_store_n((uint32_t *)((uint8_t *)fake->segment + fake->segment->groups) + below(4),
                         number(), __ATOMIC_SEQ_CST);
        break;
    case 6:
        __atomic_store_n(&fake->segment->sleeping_until, number(), __ATOMIC_SEQ_CST);
        break;
    case 7:
        __atomic_store_n(&shared->send_full, one_in(2) ? 1 : number(), __ATOMIC_SEQ_CST);
        break;
    default:
        shared->sent = shared->recv_stalled = number();
        break;
    }
}

static void touch_anchors(void)
{
    unsigned which = known_count ? below(known_count) : 0;

    if (!known_count)
        return;
    if (one_in(4))
        unlearn(which);
    else if (known[which].anchor >= 0 && write(known[which].anchor, "x", 1) < 0)
        check(errno == EAGAIN || errno == EPIPE);
}

static int native_socket(int kind)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = sizeof(address);

    check(fd >= 0 && !bind(fd, (struct sockaddr *)&address, size));
    check(!getsockname(fd, (struct sockaddr *)&address, &size));
    learn_port(address.sin_port);
    return fd;
}

static void connect_native(int fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    address.sin_port = ports[below(port_count < PORTS ? port_count : PORTS)];
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
        check(errno != EBADF);
}

static void touch_natives(void)
{
    static uint8_t bytes[100000];
    int *fd = &native[below(NATIVE)];
    struct linger reset = {.l_onoff = 1};

    if (*fd < 0) {
        *fd = one_in(2) ? accept4(native_listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)
                        : native_socket(SOCK_STREAM);
        if (*fd >= 0)
            connect_native(*fd);
        return;
    }
    switch (below(6)) {
    case 0:
        if (one_in(2))
            setsockopt(*fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(*fd);
        *fd = -1;
        break;
    case 1:
        if (send(*fd, "!", 1, MSG_OOB | MSG_NOSIGNAL) < 0)
            check(errno != EBADF);
        break;
    case 2:
        shutdown(*fd, SHUT_WR);
        break;
    case 3:
        if (recv(*fd, bytes, sizeof(bytes), 0) < 0)
            check(errno != EBADF);
        break;
    default:
        if (send(*fd, bytes, one_in(5) ? sizeof(bytes) : below(3000), MSG_NOSIGNAL) < 0)
            check(errno != EBADF);
    }
    connect_native(native_datagram);
    if (one_in(4) && send(native_datagram, bytes, below(1500), MSG_NOSIGNAL) < 0)
        check(errno != EBADF);
}

static void break_it(struct fake *fake)
{
    int file;

    switch (below(3)) {
    case 0:
        __atomic_store_n(&fake->comp.shared->head, number(), __ATOMIC_SEQ_CST);
        break;
    case 1:
        __atomic_store_n(&fake->sub.shared->tail, number(), __ATOMIC_SEQ_CST);
        break;
    default:
        file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        (void)write(fake->bell, "", 1);
        close(file);
    }
}

/* ---- a round ---- */

static void begin_round(void)
{
    known_count = port_count = 0;
    memset(native, 0xff, sizeof(native));
    native_listener = native_socket(SOCK_STREAM);
    check(!listen(native_listener, 16));
    native_datagram = native_socket(SOCK_DGRAM);
}

static void end_round(struct fake *fake)
{
    bool first = one_in(2);

    if (first)
        fake_leave(fake);
    while (known_count)
        unlearn(below(known_count));
    if (!first)
        fake_leave(fake);
    for (int i = 0; i < NATIVE; i++)
        if (native[i] >= 0)
            close(native[i]);
    close(native_listener);
    close(native_datagram);
}

static void play(void)
{
    struct fake *fake = fake_join(dir);
    bool wrong = one_in(4);

    begin_round();
    for (int i = 0; i < RECORDS && lives(fake); i++) {
        if (!submit(fake, some_shape(), wrong && one_in(100)))
            break;
        if (one_in(3))
            touch_natives();
        if (one_in(6))
            touch_words(fake);
        if (one_in(10))
            touch_anchors();
        if (wrong && one_in(200))
            break_it(fake);
        if (one_in(4)) {
            fake_ring(fake);
            if (one_in(2))
                usleep(200);
            if (lives(fake) && !wrong)
                reap(fake);
        }
    }
    fake_ring(fake);
    end_round(fake);
}

/* ---- the whole ---- */

static void isolate(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd;

    isolated = !unshare(CLONE_NEWNET) || !unshare(CLONE_NEWUSER | CLONE_NEWNET);
    if (!isolated)
        return;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &loopback));
    close(fd);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Backlogs and connections that are being made outlive their session for a while. */
static void check_nothing_kept(unsigned before)
{
    uint64_t begin = now_ms();

    while (server_descriptors(server_pid, dir) > before + 2 || server_entries(dir) > 5) {
        if (now_ms() - begin > 30000)
            fail("%u descriptors, %u files; %u descriptors before",
                 server_descriptors(server_pid, dir), server_entries(dir), before);
        usleep(20000);
    }
}

int main(void)
{
    uint64_t first = setting("RINGSOCK_TEST_SEED", 1), begin = now_ms();
    uint64_t rounds = setting("RINGSOCK_TEST_OPERATIONS", ROUNDS);
    unsigned before;

    if (!getenv("RINGSOCK_LOG"))
        log_to(-1); /* what the server has to say about all this is expected */
    else
        log_init();
    isolate();
    dir = fake_make_dir();
    server_pid = fake_start_server(dir, 60);
    make_witness();
    before = server_descriptors(server_pid, dir);
    for (uint64_t round = 0; round < rounds; round++) {
        seed = (first + round) * 0x9e3779b97f4a7c15ull | 1;
        play();
        if (waitpid(server_pid, NULL, WNOHANG))
            fail("round of seed %llu ended the server", (unsigned long long)(first + round));
        check_witness();
    }
    check_nothing_kept(before);
    fake_leave(witness);
    fake_stop_server(server_pid, dir);
    printf("ok 1 - %llu rounds from seed %llu (%u ms%s)\n", (unsigned long long)rounds,
           (unsigned long long)first, (unsigned)(now_ms() - begin),
           isolated ? "" : ", not isolated");
    return 0;
}
