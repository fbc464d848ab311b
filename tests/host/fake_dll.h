/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A DLL for tests: speaks the ABI of include/ringsock from a host program.
 *
 * Owns: a session (rings, bell, slot 0), the sockets of it, a server in a child process, and the
 * checks.  Header only, so that each test is one object.  One thread.
 */
#ifndef FAKE_DLL_H
#define FAKE_DLL_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ringsock/ring.h"
#include "error.h"
#include "log.h"
#include "server.h"

#define UNUSED __attribute__((unused))
#define fail(...)                                               \
    do {                                                        \
        fprintf(stderr, "not ok: %s:%d: ", __FILE__, __LINE__); \
        fprintf(stderr, __VA_ARGS__);                           \
        fputc('\n', stderr);                                    \
        exit(1);                                                \
    } while (0)
#define check(condition)            \
    do {                            \
        if (!(condition))           \
            fail("%s", #condition); \
    } while (0)
#define check_equal(actual, expected)                                      \
    do {                                                                   \
        long long a_ = (long long)(actual), e_ = (long long)(expected);    \
        if (a_ != e_)                                                      \
            fail("%s is %lld, not %lld (%s)", #actual, a_, e_, #expected); \
    } while (0)
#define PATIENCE 5000 /* ms that anything may take */

struct fake_incoming {
    uint32_t socket, anchor;
    struct rs_addr local, peer;
};

struct fake_socket {
    int anchor;
    bool closed, connected, eof, reused;
    struct rs_reused reuse;
    uint32_t connect_error, error, errors, sends_lost;
    struct rs_addr local, peer, source;
    struct rs_control control; /* of the last datagram; all ones: none came with it */
    uint8_t *data;             /* bytes arrived and not taken */
    size_t size, room;
    uint32_t consumed;
    unsigned datagrams, sent_notices;
    char urgent[64]; /* bytes that came out of line */
    unsigned urgent_count;
    size_t marks[8]; /* positions in data */
    unsigned mark_count;
    struct fake_incoming incoming[128];
    unsigned incoming_count;
    unsigned yields, wanted, given; /* records that told so */
    struct rs_given state;
    uint8_t state_bytes[RS_STATE_MAX];
    uint32_t state_size;
    unsigned icmp_messages;
    struct rs_icmp_message icmp; /* the last one, and what it quotes */
    uint8_t quoted[RS_ICMP_QUOTED_MAX];
    uint32_t quoted_size;
};

struct fake {
    const char *dir;
    char path[400];
    uint64_t id;
    struct rs_segment *segment;
    struct rs_slot *slots;
    struct rs_socket_shared *shared;
    struct rs_ring_end sub, comp;
    int bell, pump;
    uint32_t pid, parent; /* what hello says; 0: its own, and none */
    size_t map_size;
    struct fake_socket *sockets[RS_MAX_SOCKETS];
    uint64_t next_cookie;
    bool replied;
    unsigned replies;
    uint64_t reply_cookie;
    struct rs_reply reply;
    uint8_t reply_data[RS_MAX_PAYLOAD];
    uint32_t reply_length;
    unsigned parks, rings;
    struct {
        uint32_t index, anchor;
    } stock[2]; /* of IPv4 and IPv6 */
    unsigned stocked;
};

/* ---- the server ---- */

static char fake_dir[256];

static UNUSED const char *fake_make_dir(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(fake_dir, sizeof(fake_dir), "%s/rs-host-XXXXXX", base && *base ? base : "/tmp");
    check(mkdtemp(fake_dir));
    strcat(fake_dir, "/run");
    return fake_dir;
}

static rlim_t fake_descriptor_limit;     /* of the next server; 0 = as it is */
static void (*fake_server_begins)(void); /* called in it first, unless NULL */

static UNUSED pid_t fake_start_server(const char *dir, unsigned linger)
{
    const char *shortcut = getenv("RINGSOCK_SHORTCUT");
    const char *workers = getenv("RINGSOCK_WORKERS");
    struct server_options options = {.runtime = dir,
                                     .linger = linger,
                                     .shortcut = shortcut && !strcmp(shortcut, "1"),
                                     .spin = true,
                                     .workers = workers && !strcmp(workers, "1")};
    char join[300];
    pid_t pid;

    fflush(stdout);
    pid = fork();
    check(pid >= 0);
    if (!pid) {
        struct rlimit limit = {fake_descriptor_limit, fake_descriptor_limit};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fake_descriptor_limit)
            check(!setrlimit(RLIMIT_NOFILE, &limit));
        if (fake_server_begins)
            fake_server_begins();
        exit(server_run(&options));
    }
    snprintf(join, sizeof(join), "%s/join", dir);
    for (int i = 0; access(join, F_OK); i++) {
        siginfo_t ended = {.si_pid = 0};

        check(i < PATIENCE);
        check(!waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT));
        if (ended.si_pid && !linger)
            break; /* it has not waited for anybody */
        check(!ended.si_pid);
        usleep(1000);
    }
    return pid;
}

static UNUSED void fake_remove_dir(const char *dir)
{
    char parent[300], *slash;

    rmdir(dir);
    snprintf(parent, sizeof(parent), "%s", dir);
    slash = strrchr(parent, '/');
    *slash = 0;
    rmdir(parent);
}

static UNUSED void fake_stop_server(pid_t pid, const char *dir)
{
    int status;

    check(!kill(pid, SIGTERM));
    check(waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail("the server ended with status %#x", status);
    fake_remove_dir(dir);
}

static UNUSED unsigned count_entries(const char *path)
{
    DIR *stream = opendir(path);
    unsigned count = 0;

    if (!stream)
        return 0;
    while (readdir(stream))
        count++;
    closedir(stream);
    return count - 2;
}

static UNUSED unsigned count_descriptors(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    return count_entries(path);
}

/* Of the server's threads but the first (workers.c), which stay: how many there are, and what each
 * needs for itself: epoll, an eventfd, a directory of anchors, inotify, a spare descriptor. */
#define WORKER_DESCRIPTORS 5u
static UNUSED unsigned count_workers(const char *dir)
{
    char path[300];
    unsigned count = 0;

    for (unsigned i = 1; i < RS_ANCHOR_DIRS; i++) {
        snprintf(path, sizeof(path), "%s/anchors%u", dir, i);
        count += !access(path, F_OK);
    }
    return count;
}

static UNUSED unsigned count_anchors(const char *dir)
{
    char path[300];
    unsigned count = 0;

    for (unsigned i = 0; i < RS_ANCHOR_DIRS; i++) {
        snprintf(path, sizeof(path), "%s/anchors%u", dir, i);
        count += count_entries(path);
    }
    return count;
}

/* Without those. */
static UNUSED unsigned server_descriptors(pid_t pid, const char *dir)
{
    return count_descriptors(pid) - WORKER_DESCRIPTORS * count_workers(dir);
}

static UNUSED unsigned server_entries(const char *dir)
{
    return count_entries(dir) - count_workers(dir);
}

static UNUSED uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static UNUSED uint64_t rs_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 10000000 + (uint64_t)now.tv_nsec / 100;
}

/* ---- submitting ---- */

static UNUSED void fake_ring(struct fake *fake)
{
    if (__atomic_load_n(&fake->segment->sleeping_until, __ATOMIC_SEQ_CST) &&
        __atomic_exchange_n(&fake->segment->sleeping_until, 0, __ATOMIC_SEQ_CST)) {
        fake->rings++;
        if (write(fake->bell, "", 1) != 1 && errno != EPIPE)
            fail("bell: %s", strerror(errno));
    }
}

struct piece {
    const void *bytes;
    uint32_t size;
};

static bool fake_reap(struct fake *fake);
static void fake_park(struct fake *fake, unsigned timeout);

static UNUSED void fake_submit(struct fake *fake, uint16_t type, uint16_t flags, uint32_t socket,
                               const struct piece *pieces, unsigned count, uint32_t length)
{
    uint32_t size = sizeof(struct rs_record), offset = sizeof(struct rs_record);
    uint64_t begin = now_ms();
    struct rs_record *record;

    for (unsigned i = 0; i < count; i++)
        size += pieces[i].size;
    while (!(record = rs_ring_reserve(&fake->sub, size))) {
        check(now_ms() - begin < PATIENCE);
        fake_ring(fake);
        if (!fake_reap(fake))
            usleep(100);
    }
    memset(record, 0, sizeof(*record));
    record->type = type;
    record->flags = flags;
    record->socket = socket;
    record->length = length;
    for (unsigned i = 0; i < count; i++) {
        if (pieces[i].size)
            memcpy((uint8_t *)record + offset, pieces[i].bytes, pieces[i].size);
        offset += pieces[i].size;
    }
    rs_ring_publish(&fake->sub, record, size);
    fake_ring(fake);
}

static UNUSED void fake_simple(struct fake *fake, uint16_t type, uint16_t flags, uint32_t socket)
{
    fake_submit(fake, type, flags, socket, NULL, 0, 0);
}

static UNUSED void fake_send(struct fake *fake, uint32_t socket, const void *bytes, uint32_t size)
{
    struct piece piece = {bytes, size};

    fake_submit(fake, RS_SUB_SEND, 0, socket, &piece, 1, size);
}

/* ---- reaping ---- */

static struct fake_socket *fake_socket(struct fake *fake, uint32_t index)
{
    check(index && index < RS_MAX_SOCKETS);
    if (!fake->sockets[index]) {
        fake->sockets[index] = calloc(1, sizeof(struct fake_socket));
        check(fake->sockets[index]);
        fake->sockets[index]->anchor = -1;
    }
    return fake->sockets[index];
}

static void fake_arrived(struct fake_socket *socket, const uint8_t *bytes, uint32_t length)
{
    while (socket->room < socket->size + length) {
        socket->room = socket->room ? 2 * socket->room : 65536;
        socket->data = realloc(socket->data, socket->room);
        check(socket->data);
    }
    if (length)
        memcpy(socket->data + socket->size, bytes, length);
    socket->size += length;
}

static void fake_apply_data(struct fake_socket *socket, const struct rs_record *header,
                            const uint8_t *body)
{
    if (header->flags & RS_DATA_OOB) {
        check_equal(header->length, 1);
        check(socket->urgent_count < sizeof(socket->urgent));
        socket->urgent[socket->urgent_count++] = (char)*body;
        return;
    }
    if (header->flags & RS_DATA_MARK) {
        check(socket->mark_count < 8);
        socket->marks[socket->mark_count++] = socket->size;
    }
    fake_arrived(socket, body, header->length);
}

static void fake_apply(struct fake *fake, const struct rs_record *header, const uint8_t *body)
{
    struct fake_socket *socket =
        header->type == RS_COMP_REPLY ? NULL : fake_socket(fake, header->socket);
    struct rs_connected connected;
    struct rs_accepted accepted;
    struct rs_stock stock;
    struct rs_error error;

    switch (header->type) {
    case RS_COMP_REPLY:
        memcpy(&fake->reply, body, sizeof(fake->reply));
        fake->reply_length = header->length;
        memcpy(fake->reply_data, body + sizeof(fake->reply), header->length);
        fake->replied = true;
        fake->replies++;
        fake->reply_cookie = fake->reply.cookie;
        break;
    case RS_COMP_DATA:
        check(!socket->eof && !socket->closed);
        fake_apply_data(socket, header, body);
        break;
    case RS_COMP_DATAGRAM:
        memcpy(&socket->source, body, sizeof(socket->source));
        body += sizeof(socket->source);
        memset(&socket->control, 0xff, sizeof(socket->control));
        if (header->flags & RS_DATAGRAM_CONTROL) {
            memcpy(&socket->control, body, sizeof(socket->control));
            body += sizeof(socket->control);
        }
        fake_arrived(socket, body, header->length);
        socket->datagrams++;
        break;
    case RS_COMP_ICMP:
        memcpy(&socket->icmp, body, sizeof(socket->icmp));
        check(header->length <= sizeof(socket->quoted));
        memcpy(socket->quoted, body + sizeof(socket->icmp), header->length);
        socket->quoted_size = header->length;
        socket->icmp_messages++;
        break;
    case RS_COMP_EOF:
        check(!socket->eof);
        socket->eof = true;
        break;
    case RS_COMP_ERROR:
        memcpy(&error, body, sizeof(error));
        socket->error = error.error;
        if (error.flags & RS_ERROR_SEND)
            socket->sends_lost++;
        else
            socket->errors++;
        break;
    case RS_COMP_CONNECTED:
        memcpy(&connected, body, sizeof(connected));
        socket->connected = true;
        socket->connect_error = connected.error;
        socket->local = connected.local;
        socket->peer = connected.peer;
        break;
    case RS_COMP_REUSED:
        memcpy(&socket->reuse, body, sizeof(socket->reuse));
        socket->reused = true;
        break;
    case RS_COMP_STOCK:
        memcpy(&stock, body, sizeof(stock));
        check(!fake->stock[stock.family == RS_AF_INET6].index);
        fake->stock[stock.family == RS_AF_INET6].index = header->socket;
        fake->stock[stock.family == RS_AF_INET6].anchor = stock.anchor;
        fake->stocked++;
        break;
    case RS_COMP_ACCEPTED:
        memcpy(&accepted, body, sizeof(accepted));
        check(socket->incoming_count < 128);
        socket->incoming[socket->incoming_count++] =
            (struct fake_incoming){accepted.socket, accepted.anchor, accepted.local, accepted.peer};
        fake_socket(fake, accepted.socket);
        break;
    case RS_COMP_SENT:
        socket->sent_notices++;
        break;
    case RS_COMP_YIELD:
        socket->yields++;
        break;
    case RS_COMP_WANTED:
        socket->wanted++;
        break;
    case RS_COMP_GIVEN:
        socket->given++;
        socket->eof = false; /* told again */
        memcpy(&socket->state, body, sizeof(socket->state));
        check(header->length <= RS_STATE_MAX);
        socket->state_size = header->length;
        memcpy(socket->state_bytes, body + sizeof(socket->state), header->length);
        break;
    case RS_COMP_CLOSED:
        check(!socket->closed);
        socket->closed = true;
        break;
    default:
        fail("record of type %u", header->type);
    }
}

/* Applies what has arrived; true if anything had. */
static UNUSED bool fake_reap(struct fake *fake)
{
    struct rs_record header;
    const uint8_t *body;
    enum rs_peek peek;
    bool any = false;

    while ((peek = rs_ring_peek(&fake->comp, &header, &body)) == RS_PEEK_RECORD) {
        fake_apply(fake, &header, body);
        rs_ring_skip(&fake->comp, &header);
        rs_ring_consume_end(&fake->comp);
        any = true;
    }
    check_equal(peek, RS_PEEK_EMPTY);
    return any;
}

/* Parks as slot 0 until something has arrived. */
static UNUSED void fake_park(struct fake *fake, unsigned timeout)
{
    struct pollfd poll_fd = {.fd = fake->pump, .events = POLLIN};
    uint32_t parked = RS_SLOT_PARKED;
    char byte;

    __atomic_store_n(&fake->slots[0].state, RS_SLOT_PARKED, __ATOMIC_SEQ_CST);
    if (!rs_ring_pending(&fake->comp)) {
        fake->parks++;
        poll(&poll_fd, 1, (int)timeout);
    }
    if (__atomic_compare_exchange_n(&fake->slots[0].state, &parked, RS_SLOT_RUNNING, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
    /* Who un-parked us writes exactly one byte, a moment later. */
    poll(&poll_fd, 1, PATIENCE);
    check_equal(read(fake->pump, &byte, 1), 1);
}

/* Until the condition holds. */
#define fake_wait(fake, condition)                         \
    do {                                                   \
        uint64_t begin_ = now_ms();                        \
        for (;;) {                                         \
            fake_reap(fake);                               \
            if (condition)                                 \
                break;                                     \
            if (now_ms() - begin_ > PATIENCE)              \
                fail("waited in vain for %s", #condition); \
            fake_park(fake, 200);                          \
        }                                                  \
    } while (0)

static UNUSED uint32_t fake_call(struct fake *fake, uint16_t type, uint32_t socket, uint32_t arg0,
                                 uint32_t arg1, uint32_t arg2, const void *payload, uint32_t length)
{
    struct rs_call call = {.cookie = ++fake->next_cookie,
                           .wake = RS_WAKE_PUMP,
                           .arg0 = arg0,
                           .arg1 = arg1,
                           .arg2 = arg2};
    struct piece pieces[2] = {{&call, sizeof(call)}, {payload, length}};

    fake->replied = false;
    fake_submit(fake, type, 0, socket, pieces, 2, length);
    fake_wait(fake, fake->replied);
    check_equal(fake->reply.cookie, call.cookie);
    return fake->reply.error;
}

/* ---- joining and leaving ---- */

static UNUSED int fake_open_at(struct fake *fake, const char *name, int flags)
{
    char path[500];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", fake->path, name);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        fail("%s: %s", path, strerror(errno));
    return fd;
}

static UNUSED void fake_map(struct fake *fake)
{
    int fd = fake_open_at(fake, "shm", O_RDWR);
    struct stat status;
    uint8_t *map;

    check(!fstat(fd, &status));
    fake->map_size = (size_t)status.st_size;
    map = mmap(NULL, fake->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(map != MAP_FAILED);
    close(fd);
    fake->segment = (struct rs_segment *)map;
    check_equal(fake->segment->magic, RS_MAGIC);
    check_equal(fake->segment->segment_size, status.st_size);
    check_equal(fake->segment->session, fake->id);
    fake->slots = (struct rs_slot *)(map + fake->segment->slots);
    fake->shared = (struct rs_socket_shared *)(map + fake->segment->sockets);
    fake->sub = (struct rs_ring_end){&fake->segment->sub, map + fake->segment->sub_data,
                                     fake->segment->ring_size, 0};
    fake->comp = (struct rs_ring_end){&fake->segment->comp, map + fake->segment->comp_data,
                                      fake->segment->ring_size, 0};
}

/* Takes a ticket and opens what it names, without a word to the server. */
static UNUSED struct fake *fake_take(const char *dir)
{
    struct fake *fake = calloc(1, sizeof(*fake));
    struct rs_ticket ticket;
    char path[400];
    int fd;

    check(fake);
    signal(SIGPIPE, SIG_IGN);
    fake->dir = dir;
    snprintf(path, sizeof(path), "%s/join", dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd >= 0);
    check_equal(read(fd, &ticket, sizeof(ticket)), sizeof(ticket));
    close(fd);
    check_equal(ticket.magic, RS_MAGIC);
    check_equal(ticket.protocol, RS_PROTOCOL);
    fake->id = ticket.session;
    snprintf(fake->path, sizeof(fake->path), "%s/s%016llx", dir,
             (unsigned long long)ticket.session);
    fake->bell = fake_open_at(fake, "bell", O_WRONLY);
    fake_map(fake);
    return fake;
}

static UNUSED void fake_hello(struct fake *fake)
{
    struct rs_hello hello = {.windows_pid = fake->pid ? fake->pid : (uint32_t)getpid(),
                             .windows_parent = fake->parent,
                             .pointer_bits = 64,
                             .dll_version = "test",
                             .program = "test"};
    struct piece piece = {&hello, sizeof(hello)};
    struct rs_call call = {.cookie = 1, .wake = RS_WAKE_NONE, .arg0 = 0};
    struct piece slot = {&call, sizeof(call)};
    uint64_t begin = now_ms();

    fake_submit(fake, RS_SUB_HELLO, 0, 0, &piece, 1, sizeof(hello));
    fake_submit(fake, RS_SUB_SLOT, 0, 0, &slot, 1, 0);
    while (!fake->replied) {
        check(now_ms() - begin < PATIENCE);
        fake_reap(fake);
        usleep(100);
    }
    check_equal(fake->reply.error, 0);
    fake->pump = fake_open_at(fake, "w0", O_RDONLY | O_NONBLOCK);
}

static UNUSED struct fake *fake_join(const char *dir)
{
    struct fake *fake = fake_take(dir);

    fake_hello(fake);
    return fake;
}

/* As if the process had ended, but for the anchors. */
static UNUSED void fake_leave(struct fake *fake)
{
    close(fake->bell);
    if (fake->pump >= 0)
        close(fake->pump);
    munmap(fake->segment, fake->map_size);
    for (uint32_t i = 0; i < RS_MAX_SOCKETS; i++) {
        if (!fake->sockets[i])
            continue;
        if (fake->sockets[i]->anchor >= 0)
            close(fake->sockets[i]->anchor);
        free(fake->sockets[i]->data);
        free(fake->sockets[i]);
    }
    free(fake);
}

/* ---- sockets ---- */

static UNUSED struct rs_addr fake_v4(const char *text, unsigned port)
{
    struct rs_addr address = {.family = RS_AF_INET, .port = htons((uint16_t)port)};

    check(inet_pton(AF_INET, text, address.bytes) == 1);
    return address;
}

static UNUSED struct rs_addr fake_v6(const char *text, unsigned port)
{
    struct rs_addr address = {.family = RS_AF_INET6, .port = htons((uint16_t)port)};

    check(inet_pton(AF_INET6, text, address.bytes) == 1);
    return address;
}

static UNUSED void fake_anchor_path(char *path, size_t size, const char *dir, uint32_t anchor)
{
    snprintf(path, size, "%s/anchors%u/%u", dir, anchor % RS_ANCHOR_DIRS, anchor);
}

static UNUSED void fake_adopt(struct fake *fake, uint32_t index, uint32_t anchor)
{
    struct fake_socket *socket = fake_socket(fake, index);
    char name[48];

    fake_anchor_path(name, sizeof(name), "..", anchor);
    socket->anchor = fake_open_at(fake, name, O_RDWR);
    __atomic_store_n(&fake->shared[index].interest, RS_WAKE_PUMP, __ATOMIC_SEQ_CST);
    fake_simple(fake, RS_SUB_ANCHORED, 0, index);
}

static UNUSED uint32_t fake_open(struct fake *fake, uint32_t family, uint32_t type)
{
    uint32_t index;

    check_equal(fake_call(fake, RS_SUB_SOCKET, 0, family, type, 0, NULL, 0), 0);
    index = fake->reply.value;
    fake_adopt(fake, index, fake->reply.value2);
    return index;
}

static UNUSED uint32_t fake_bind(struct fake *fake, uint32_t socket, struct rs_addr address)
{
    uint32_t error = fake_call(fake, RS_SUB_BIND, socket, 0, 0, 0, &address, sizeof(address));

    if (!error) {
        check_equal(fake->reply_length, sizeof(address));
        memcpy(&fake_socket(fake, socket)->local, fake->reply_data, sizeof(address));
    }
    return error;
}

static UNUSED uint32_t fake_connect(struct fake *fake, uint32_t socket, struct rs_addr address)
{
    struct fake_socket *state = fake_socket(fake, socket);
    struct piece piece = {&address, sizeof(address)};

    state->connected = false;
    fake_submit(fake, RS_SUB_CONNECT, 0, socket, &piece, 1, sizeof(address));
    fake_wait(fake, state->connected);
    return state->connect_error;
}

/* A listening socket on the loopback; its address is in local. */
static UNUSED uint32_t fake_listen(struct fake *fake, uint32_t backlog)
{
    uint32_t socket = fake_open(fake, RS_AF_INET, RS_STREAM);

    check_equal(fake_bind(fake, socket, fake_v4("127.0.0.1", 0)), 0);
    check_equal(fake_call(fake, RS_SUB_LISTEN, socket, backlog, 0, 0, NULL, 0), 0);
    return socket;
}

static UNUSED uint32_t fake_accept(struct fake *fake, uint32_t listener)
{
    struct fake_socket *state = fake_socket(fake, listener);
    struct fake_incoming incoming;

    fake_wait(fake, state->incoming_count);
    incoming = state->incoming[0];
    memmove(state->incoming, state->incoming + 1, --state->incoming_count * sizeof(incoming));
    fake_adopt(fake, incoming.socket, incoming.anchor);
    return incoming.socket;
}

/* Takes `count` bytes off what has arrived and tells the server so. */
static UNUSED void fake_consume(struct fake *fake, uint32_t index, size_t count)
{
    struct fake_socket *socket = fake_socket(fake, index);

    check(count <= socket->size);
    if (count)
        memmove(socket->data, socket->data + count, socket->size - count);
    socket->size -= count;
    socket->consumed += (uint32_t)count;
    __atomic_store_n(&fake->shared[index].consumed, socket->consumed, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&fake->shared[index].recv_stalled, __ATOMIC_SEQ_CST))
        fake_simple(fake, RS_SUB_RESUME, 0, index);
}

static UNUSED void fake_close_flags(struct fake *fake, uint32_t index, uint16_t flags)
{
    struct fake_socket *socket = fake_socket(fake, index);

    close(socket->anchor);
    socket->anchor = -1;
    fake_simple(fake, RS_SUB_CLOSE, flags, index);
}

static UNUSED void fake_forget(struct fake *fake, uint32_t index)
{
    struct fake_socket *socket = fake_socket(fake, index);

    fake_wait(fake, socket->closed);
    fake_simple(fake, RS_SUB_FORGET, 0, index);
    free(socket->data);
    free(socket);
    fake->sockets[index] = NULL;
}

static UNUSED void fake_close(struct fake *fake, uint32_t index)
{
    fake_close_flags(fake, index, 0);
    fake_forget(fake, index);
}

/* ---- the native side ---- */

static UNUSED int native_listen(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    check(fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) && !listen(fd, 128));
    check(!getsockname(fd, (struct sockaddr *)&address, &size));
    *port = ntohs(address.sin_port);
    return fd;
}

static UNUSED int native_connect(struct rs_addr to)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = to.port};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(&address.sin_addr, to.bytes, 4);
    check(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* 0 = end of data, 1 = data, or errno */
static UNUSED int native_end(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char bytes[65536];
    ssize_t count;

    check(poll(&poll_fd, 1, PATIENCE) == 1);
    count = recv(fd, bytes, sizeof(bytes), 0);
    return count > 0 ? 1 : count < 0 ? errno : 0;
}

/* ---- a program of tests ---- */

struct fake_test {
    const char *name;
    void (*run)(struct fake *fake);
};

static UNUSED void fake_run_each(struct fake *fake, const struct fake_test *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tests[i].run(fake);
        printf("ok %zu - %s\n", i + 1, tests[i].name);
        fflush(stdout);
    }
}

/* Of tests that make their own sessions. */
struct lone_test {
    const char *name;
    void (*run)(void);
};

static UNUSED void run_alone(const struct lone_test *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t begin = now_ms();

        tests[i].run();
        printf("ok %zu - %s (%u ms)\n", i + 1, tests[i].name, (unsigned)(now_ms() - begin));
        fflush(stdout);
    }
}

/* All of main(): one session of a server of its own. */
static UNUSED int fake_run(const struct fake_test *tests, size_t count)
{
    const char *dir = fake_make_dir();
    pid_t server = fake_start_server(dir, 60);
    struct fake *fake = fake_join(dir);

    fake_run_each(fake, tests, count);
    fake_leave(fake);
    fake_stop_server(server, dir);
    return 0;
}

#endif
