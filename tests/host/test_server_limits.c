/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limit of a session's sockets, reached: what is said then, and what comes back.
 *
 * A socket that is closed gives its descriptors back but keeps its index until RS_SUB_FORGET, so all
 * 65,535 can be in use on a machine that allows a process fewer descriptors than that.
 */
#include "fake_dll.h"

#define ALL (RS_MAX_SOCKETS - 1)

static char log_path[300];

/* Takes everything out of `comp`: nothing of it is looked at but how many replies there were, the
 * last one, and who was accepted. */
static unsigned replies;
static struct rs_reply reply;
static struct rs_accepted accepted;

static void take_all(struct fake *fake)
{
    struct rs_record header;
    const uint8_t *body;

    while (rs_ring_peek(&fake->comp, &header, &body) == RS_PEEK_RECORD) {
        if (header.type == RS_COMP_REPLY) {
            memcpy(&reply, body, sizeof(reply));
            replies++;
        } else if (header.type == RS_COMP_ACCEPTED) {
            memcpy(&accepted, body, sizeof(accepted));
        }
        rs_ring_skip(&fake->comp, &header);
        rs_ring_consume_end(&fake->comp);
    }
}

#define wait_for(fake, condition)              \
    do {                                       \
        uint64_t begin_ = now_ms();            \
        while (take_all(fake), !(condition)) { \
            check(now_ms() - begin_ < 60000);  \
            usleep(500);                       \
        }                                      \
    } while (0)

static void submit(struct fake *fake, uint16_t type, uint32_t socket, const void *body,
                   uint32_t size)
{
    struct rs_record *record;

    while (!(record = rs_ring_reserve(&fake->sub, (uint32_t)sizeof(*record) + size))) {
        fake_ring(fake);
        take_all(fake);
        usleep(100);
    }
    *record = (struct rs_record){.type = type, .socket = socket};
    if (size)
        memcpy(record + 1, body, size);
    rs_ring_publish(&fake->sub, record, (uint32_t)sizeof(*record) + size);
    fake_ring(fake);
}

static void ask_for_socket(struct fake *fake)
{
    struct rs_call call = {.cookie = 1, .arg0 = RS_AF_INET, .arg1 = RS_STREAM};

    submit(fake, RS_SUB_SOCKET, 0, &call, sizeof(call));
}

/* Whether there is one to be had: its index, or 0 with the error in `reply`. */
static uint32_t new_socket(struct fake *fake)
{
    unsigned before = replies;

    ask_for_socket(fake);
    wait_for(fake, replies > before);
    return reply.error ? 0 : reply.value;
}

static unsigned lines_with(const char *text)
{
    FILE *file = fopen(log_path, "r");
    char line[500];
    unsigned count = 0;

    check(file);
    while (fgets(line, sizeof(line), file))
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

static void test_all_indices(const char *dir, pid_t server)
{
    struct fake *fake = fake_join(dir);
    uint32_t listener = fake_listen(fake, 5), index;
    struct rs_addr address = fake_socket(fake, listener)->local;
    unsigned descriptors = count_descriptors(server);
    int fd;

    check_equal(listener, 1);
    for (index = 2; index <= ALL; index++) {
        ask_for_socket(fake);
        submit(fake, RS_SUB_CLOSE, index, NULL, 0);
    }
    wait_for(fake, replies == ALL - 1);
    check_equal(reply.error, 0);
    check_equal(reply.value, ALL);
    check(count_descriptors(server) <= descriptors + 1);
    for (int i = 0; i < 3; i++) {
        check_equal(new_socket(fake), 0);
        check_equal(reply.error, WSAEMFILE);
    }
    check_equal(lines_with("all of its 65535 sockets are in use"), 1);

    /* a connection waits for an index */
    fd = native_connect(address);
    check(fd >= 0);
    usleep(200000);
    take_all(fake);
    check_equal(accepted.socket, 0);
    submit(fake, RS_SUB_FORGET, 4711, NULL, 0);
    wait_for(fake, accepted.socket);
    check_equal(accepted.socket, 4711);
    check_equal(new_socket(fake), 0);
    submit(fake, RS_SUB_FORGET, 815, NULL, 0);
    check_equal(new_socket(fake), 815);
    check_equal(new_socket(fake), 0);
    /* another session has its own */
    {
        struct fake *other = fake_join(dir);

        check_equal(fake_open(other, RS_AF_INET, RS_STREAM), 1);
        fake_leave(other);
    }
    close(fd);
    fake_leave(fake);
}

int main(void)
{
    uint64_t begin = now_ms();
    const char *dir = fake_make_dir();
    pid_t server;
    int log;

    snprintf(log_path, sizeof(log_path), "%s.log", dir);
    log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    check(log >= 0);
    log_to(log);
    server = fake_start_server(dir, 60);
    test_all_indices(dir, server);
    printf("ok 1 - all indices (%u ms)\n", (unsigned)(now_ms() - begin));
    unlink(log_path);
    fake_stop_server(server, dir);
    return 0;
}
