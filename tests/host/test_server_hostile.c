/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes that break the rules: each loses its own session, with a line in the log, and a session
 * beside it does not notice.
 */
#include "fake_dll.h"

static const char *dir;
static pid_t server_pid;
static struct fake *witness;
static uint32_t witness_a, witness_b;

/* The server lives and serves the other session. */
static void check_witness(void)
{
    struct fake_socket *b = fake_socket(witness, witness_b);

    check_equal(waitpid(server_pid, NULL, WNOHANG), 0);
    fake_send(witness, witness_a, "ping", 4);
    fake_wait(witness, b->size == 4);
    fake_consume(witness, witness_b, 4);
    check_equal(b->errors, 0);
}

static void make_witness(void)
{
    uint32_t listener;

    witness = fake_join(dir);
    listener = fake_listen(witness, 5);
    witness_a = fake_open(witness, RS_AF_INET, RS_STREAM);
    check_equal(fake_connect(witness, witness_a, fake_socket(witness, listener)->local), 0);
    witness_b = fake_accept(witness, listener);
}

/* The session is torn down: its pump's FIFO has ended, its directory is gone. */
static void check_gone(struct fake *fake)
{
    struct pollfd poll_fd = {.fd = fake->pump, .events = POLLIN};
    uint64_t begin = now_ms();

    fake_ring(fake);
    if (write(fake->bell, "", 1) < 0)
        check_equal(errno, EPIPE);
    while (poll(&poll_fd, 1, 10) != 1 || !(poll_fd.revents & POLLHUP)) {
        char bytes[64];

        if (poll_fd.revents & POLLIN && read(fake->pump, bytes, sizeof(bytes)) < 0)
            check_equal(errno, EAGAIN);
        if (now_ms() - begin > PATIENCE)
            fail("the session is still there");
    }
    while (!access(fake->path, F_OK)) {
        check(now_ms() - begin < PATIENCE);
        usleep(1000);
    }
    fake_leave(fake);
    check_witness();
}

/* A record written by hand: `size`, `length` and type as they are, into a ring with room. */
static void submit_raw(struct fake *fake, struct rs_record header, uint32_t published)
{
    uint32_t offset = fake->sub.position & (fake->sub.size - 1);

    memcpy(fake->sub.data + offset, &header, sizeof(header));
    memset(fake->sub.data + offset + sizeof(header), 0x5a, 256);
    fake->sub.position += published;
    __atomic_store_n(&fake->sub.shared->tail, fake->sub.position, __ATOMIC_SEQ_CST);
    fake_ring(fake);
}

static void test_records(void)
{
    static const struct {
        struct rs_record header;
        uint32_t published;
    } bad[] = {
        {{.size = 0, .type = RS_SUB_SEND, .socket = 1}, 32},
        {{.size = 8, .type = RS_SUB_SEND, .socket = 1}, 32},
        {{.size = 33, .type = RS_SUB_SEND, .socket = 1}, 48},
        {{.size = 0xfffffff0u, .type = RS_SUB_SEND, .socket = 1}, 32},
        {{.size = 2u << 20, .type = RS_SUB_SEND, .socket = 1}, 32},
        {{.size = 32, .type = RS_SUB_SEND, .socket = 1}, 2u << 20},
        {{.size = 32, .type = RS_SUB_SEND, .socket = 1}, 0x80000000u},
        {{.size = 32, .type = RS_SUB_SEND, .socket = 1}, 40},
        {{.size = 32, .type = RS_SUB_SEND, .socket = 1, .length = 17}, 32},
        {{.size = 32, .type = RS_SUB_SEND, .socket = 1, .length = 0xffffffffu}, 32},
        {{.size = 32, .type = RS_SUB_SEND, .socket = 0, .length = 1}, 32},
        {{.size = 32, .type = RS_SUB_SEND, .socket = RS_MAX_SOCKETS, .length = 1}, 32},
        {{.size = 32, .type = RS_SUB_SEND, .socket = 0xffffffffu, .length = 1}, 32},
        {{.size = 32, .type = RS_SUB_SENDTO, .socket = 1, .length = 1}, 32},
        {{.size = 64, .type = RS_SUB_SENDTO, .flags = RS_SEND_REPLY, .socket = 1}, 64},
        {{.size = 64, .type = RS_SUB_SENDTO, .flags = RS_SEND_CONTROL, .socket = 1}, 64},
        {{.size = 96, .type = RS_SUB_SENDTO, .flags = RS_SEND_CONTROL, .socket = 1, .length = 17}, 96},
        {{.size = 96, .type = RS_SUB_SENDTO, .flags = RS_SEND_CONTROL | RS_SEND_REPLY, .socket = 1},
         96},
        {{.size = 32, .type = RS_SUB_SOCKET}, 32},
        {{.size = 48, .type = RS_SUB_BIND, .socket = 1, .length = 32}, 48},
        {{.size = 16, .type = RS_SUB_CONNECT, .socket = 1}, 16},
        {{.size = 48, .type = RS_SUB_CONNECT, .flags = RS_CONNECT_DATA, .socket = 1, .length = 1}, 48},
        {{.size = 64, .type = RS_SUB_CONNECT, .flags = RS_CONNECT_DATA, .socket = 1, .length = 17}, 64},
        {{.size = 48, .type = RS_SUB_SETOPT, .socket = 1}, 48},
        {{.size = 48, .type = RS_SUB_RESOLVE, .length = 0}, 48},
        {{.size = 64, .type = RS_SUB_RESOLVE, .length = 17}, 64},
        {{.size = 16, .type = RS_SUB_CLOSE, .flags = RS_CLOSE_REPLY, .socket = 1}, 16},
        {{.size = 16, .type = RS_SUB_HELLO}, 16},
        {{.size = 160, .type = RS_SUB_HELLO, .length = 104}, 160}, /* a second one */
        {{.size = 16, .type = 0}, 16},
        {{.size = 16, .type = RS_SUB_MAX}, 16},
        {{.size = 16, .type = 0xfffe}, 16},
        {{.size = 0, .type = RS_PAD}, 16},
        {{.size = 64, .type = RS_PAD}, 16},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct fake *fake = fake_join(dir);

        check_equal(fake_open(fake, RS_AF_INET, RS_STREAM), 1);
        submit_raw(fake, bad[i].header, bad[i].published);
        check_gone(fake);
    }
}

static void test_before_hello(void)
{
    struct fake *fake = fake_take(dir);
    uint64_t begin = now_ms();

    fake_simple(fake, RS_SUB_INTERFACES, 0, 0);
    while (!access(fake->path, F_OK)) {
        check(now_ms() - begin < PATIENCE);
        usleep(1000);
    }
    fake->pump = -1;
    fake_leave(fake);
    check_witness();
}

/* Indices that are possible but of nobody: calls are told, the rest is nothing. */
static void test_indices(void)
{
    struct fake *fake = fake_join(dir);
    struct rs_addr address = fake_v4("127.0.0.1", 1);
    struct piece piece = {&address, sizeof(address)};

    for (uint32_t index = 1; index < RS_MAX_SOCKETS; index += 4095) {
        check_equal(fake_call(fake, RS_SUB_BIND, index, 0, 0, 0, &address, sizeof(address)),
                    WSAENOTSOCK);
        check_equal(fake_call(fake, RS_SUB_GETNAME, index, 0, 0, 0, NULL, 0), WSAENOTSOCK);
        fake_send(fake, index, "x", 1);
        fake_submit(fake, RS_SUB_CONNECT, 0, index, &piece, 1, sizeof(address));
        fake_simple(fake, RS_SUB_CLOSE, 0, index);
        fake_simple(fake, RS_SUB_FORGET, 0, index);
        fake_simple(fake, RS_SUB_ANCHORED, 0, index);
        fake_simple(fake, RS_SUB_RESUME, 0, index);
    }
    check_equal(fake_call(fake, RS_SUB_SLOT, 0, RS_MAX_SLOTS, 0, 0, NULL, 0), WSAEINVAL);
    check_equal(fake_call(fake, RS_SUB_SLOT, 0, 0xffffffffu, 0, 0, NULL, 0), WSAEINVAL);
    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, 2, RS_STREAM, 0, NULL, 0), WSAEAFNOSUPPORT);
    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_RAW + 1, 0, NULL, 0),
                WSAESOCKTNOSUPPORT);
    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_RAW, 256, NULL, 0),
                WSAEPROTONOSUPPORT);
    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_UNIX, RS_DGRAM, 0, NULL, 0),
                WSAESOCKTNOSUPPORT);
    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, RS_AF_INET, RS_STREAM, 17, NULL, 0),
                WSAEPROTOTYPE);
    fake_leave(fake);
    check_witness();
}

/* A live socket is forgotten, resumed, anchored twice; `consumed` lies. */
static void test_socket_words(void)
{
    struct fake *fake = fake_join(dir);
    uint32_t listener = fake_listen(fake, 5), peer;
    int fd = native_connect(fake_socket(fake, listener)->local);
    static const uint32_t lies[] = {0xffffffffu, 0x80000000u, 0x7fffffffu, RS_RECV_WINDOW + 1, 5};

    peer = fake_accept(fake, listener);
    fake_simple(fake, RS_SUB_FORGET, 0, peer);
    fake_simple(fake, RS_SUB_ANCHORED, 0, peer);
    fake_simple(fake, RS_SUB_RESUME, 0, peer);
    fake_simple(fake, RS_SUB_FORGET, 0, listener);
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        __atomic_store_n(&fake->shared[peer].consumed, lies[i], __ATOMIC_SEQ_CST);
        __atomic_store_n(&fake->shared[peer].interest, lies[i], __ATOMIC_SEQ_CST);
        fake_simple(fake, RS_SUB_RESUME, 0, peer);
        check_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
        check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
    }
    close(fd);
    fake_leave(fake);
    check_witness();
}

/* A reader that never reads, and one whose head is nonsense: the server goes on without it. */
static void test_completion_ring(void)
{
    struct fake *fake = fake_join(dir);
    struct rs_call call = {.wake = RS_WAKE_PUMP};
    struct piece piece = {&call, sizeof(call)};

    __atomic_store_n(&fake->comp.shared->head, 0x12345679u, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 100; i++)
        fake_submit(fake, RS_SUB_HOSTNAME, 0, 0, &piece, 1, 0);
    check_witness();
    __atomic_store_n(&fake->comp.shared->head, fake->comp.position, __ATOMIC_SEQ_CST);
    fake->replies = 0;
    fake_wait(fake, fake->replies == 100);
    fake_leave(fake);
    check_witness();
    /* never: until what is kept for it is too much */
    fake = fake_join(dir);
    for (int i = 0; fake->segment->magic == RS_MAGIC; i++) {
        struct rs_record *record =
            rs_ring_reserve(&fake->sub, sizeof(*record) + (uint32_t)sizeof(call));

        check(i < 10000000);
        if (!record) {
            usleep(100);
            fake_ring(fake);
            continue;
        }
        *record = (struct rs_record){.type = RS_SUB_HOSTNAME};
        memcpy(record + 1, &call, sizeof(call));
        rs_ring_publish(&fake->sub, record, sizeof(*record) + (uint32_t)sizeof(call));
        fake_ring(fake);
    }
    check_gone(fake);
}

/* The file is cut short under the server's mapping. */
static void test_truncated(void)
{
    for (int i = 0; i < 3; i++) {
        struct fake *fake = fake_join(dir);
        uint32_t listener = fake_listen(fake, 5), peer;
        int fd = native_connect(fake_socket(fake, listener)->local);
        int file = fake_open_at(fake, "shm", O_RDWR);
        char path[500];

        snprintf(path, sizeof(path), "%s", fake->path);
        peer = fake_accept(fake, listener);
        check_equal(fake_call(fake, RS_SUB_HOSTNAME, 0, 0, 0, 0, NULL, 0), 0);
        check(peer);
        check(!ftruncate(file, i == 0 ? 0 : i == 1 ? 4096 : 8192));
        close(file);
        if (i == 1) /* it reads into the lost ring */
            check_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
        else /* it is woken without a word */
            check(write(fake->bell, "", 1) == 1 || errno == EPIPE);
        if (i < 2) {
            uint64_t begin = now_ms();

            while (!access(path, F_OK)) {
                check(now_ms() - begin < PATIENCE);
                check_witness();
                usleep(1000);
            }
        }
        close(fd);
        fake_leave(fake);
        check_witness();
    }
}

/* Nonsense, much of it: the server may do with that session what it likes. */
static void test_noise(void)
{
    unsigned seed = 1;

    for (int round = 0; round < 60; round++) {
        struct fake *fake = fake_join(dir);
        uint32_t listener = fake_listen(fake, 5), peer;
        int fd = native_connect(fake_socket(fake, listener)->local);

        peer = fake_accept(fake, listener);
        for (int i = 0; i < 200; i++) {
            uint32_t size = 16u * (1 + (uint32_t)rand_r(&seed) % 20);
            struct rs_record *record = rs_ring_reserve(&fake->sub, size);
            uint8_t *byte = (uint8_t *)(record + 1);

            if (!record)
                break;
            record->type = (uint16_t)(1 + rand_r(&seed) % (RS_SUB_MAX - 1));
            if (record->type == RS_SUB_HELLO || record->type == RS_SUB_RESOLVE ||
                record->type == RS_SUB_REVERSE)
                record->type = RS_SUB_SEND;
            record->flags = (uint16_t)(rand_r(&seed) % 8);
            record->socket = 1 + (uint32_t)rand_r(&seed) % (peer + 2);
            record->length = (uint32_t)rand_r(&seed) % (size - 15);
            for (uint32_t j = sizeof(*record); j < size; j++)
                *byte++ = (uint8_t)(rand_r(&seed) % 5 ? rand_r(&seed) % 8 : rand_r(&seed));
            rs_ring_publish(&fake->sub, record, size);
        }
        fake_ring(fake);
        usleep(2000);
        close(fd);
        fake_leave(fake);
        check_witness();
    }
}

int main(void)
{
    static const struct lone_test tests[] = {
        {"records", test_records},
        {"before hello", test_before_hello},
        {"indices", test_indices},
        {"words of a socket", test_socket_words},
        {"completion ring", test_completion_ring},
        {"truncated", test_truncated},
        {"noise", test_noise},
    };

    if (!getenv("RINGSOCK_LOG"))
        log_to(-1); /* what the server has to say about all this is expected */
    else
        log_init();
    dir = fake_make_dir();
    server_pid = fake_start_server(dir, 60);
    make_witness();
    run_alone(tests, sizeof(tests) / sizeof(*tests));
    fake_leave(witness);
    fake_stop_server(server_pid, dir);
    return 0;
}
