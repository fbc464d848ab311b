/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shared segment of a session: the file, its layout, and what happens when it is cut short.
 *
 * Owns: the mapping, and the table by which the SIGBUS handler finds whose mapping broke.  The
 * first server's thread adds to it, each server's takes its own off; the handler runs on any of
 * them.
 *
 * The process can truncate the file at any time, and the next touch of a page beyond its end is a
 * bus error.  The handler puts anonymous memory in the mapping's place, so that the loop goes on,
 * and marks the session, which is then torn down like every one that breaks the rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "server.h"
#include "session.h"

#define PAGE 4096u

enum {
    SUB_DATA = PAGE,
    COMP_DATA = SUB_DATA + RS_RING_SIZE,
    SLOTS = COMP_DATA + RS_RING_SIZE,
    SOCKETS = SLOTS + RS_MAX_SLOTS * sizeof(struct rs_slot),
    GROUPS = SOCKETS + RS_MAX_SOCKETS * sizeof(struct rs_socket_shared),
    SEGMENT_SIZE = GROUPS + RS_MAX_GROUPS * sizeof(uint32_t),
};
_Static_assert(sizeof(struct rs_segment) <= SUB_DATA, "the header fits before the rings");
_Static_assert(SOCKETS % PAGE == 0 && SEGMENT_SIZE % PAGE == 0, "whole pages");

/* What the handler may look at: plain words, written before the mapping is used. */
static struct guarded {
    struct guarded *next;
    uint8_t *map; /* atomic; NULL: not in use */
    volatile sig_atomic_t lost;
} * guards;

static uint8_t *map_of(const struct guarded *guard)
{
    return __atomic_load_n(&guard->map, __ATOMIC_ACQUIRE);
}

static struct guarded *first_guard(void)
{
    return __atomic_load_n(&guards, __ATOMIC_ACQUIRE);
}

static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    uint8_t *address = info->si_addr;

    (void)context;
    for (struct guarded *guard = first_guard(); guard; guard = guard->next) {
        uint8_t *map = map_of(guard);

        if (!map || address < map || address >= map + SEGMENT_SIZE)
            continue;
        if (mmap(map, SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                 -1, 0) == MAP_FAILED)
            break;
        guard->lost = 1;
        return;
    }
    signal(signal_number, SIG_DFL); /* not ours: happens again, and ends us */
}

int segment_guard(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) ? -errno : 0;
}

/* Entries are never freed, only used again: the handler may be walking the list. */
static struct guarded *guard_add(uint8_t *map)
{
    struct guarded *guard = guards;

    while (guard && map_of(guard))
        guard = guard->next;
    if (!guard) {
        guard = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (guard == MAP_FAILED)
            return NULL;
        for (size_t i = 0; i < PAGE / sizeof(*guard); i++) {
            guard[i].next = guards;
            __atomic_store_n(&guards, &guard[i], __ATOMIC_RELEASE);
        }
        guard = guards;
    }
    guard->lost = 0;
    __atomic_store_n(&guard->map, map, __ATOMIC_RELEASE);
    return guard;
}

bool segment_lost(const struct session *session)
{
    return session->guard && session->guard->lost;
}

void segment_unmap(struct session *session)
{
    if (!session->map)
        return;
    if (session->guard)
        __atomic_store_n(&session->guard->map, NULL, __ATOMIC_RELEASE);
    session->guard = NULL;
    munmap(session->map, SEGMENT_SIZE);
    session->map = NULL;
    session->segment = NULL;
}

static void segment_lay_out(struct session *session)
{
    struct rs_segment *segment = session->segment = (struct rs_segment *)session->map;

    segment->protocol = RS_PROTOCOL;
    segment->segment_size = SEGMENT_SIZE;
    segment->session = session->id;
    segment->server_pid = (uint32_t)getpid();
    segment->ring_size = RS_RING_SIZE;
    segment->sub_data = SUB_DATA;
    segment->comp_data = COMP_DATA;
    segment->slots = SLOTS;
    segment->slot_count = RS_MAX_SLOTS;
    segment->sockets = SOCKETS;
    segment->socket_count = RS_MAX_SOCKETS;
    segment->groups = GROUPS;
    segment->group_count = RS_MAX_GROUPS;
    snprintf(segment->server_version, sizeof(segment->server_version), "%s", RINGSOCK_VERSION);
    segment->sleeping_until =
        UINT64_MAX; /* asleep until we say otherwise: the first record rings */
    segment->earliest_deadline = UINT64_MAX;
    segment->magic = RS_MAGIC;

    session->slots = (struct rs_slot *)(session->map + SLOTS);
    session->shared = (struct rs_socket_shared *)(session->map + SOCKETS);
    session->groups = (uint32_t *)(session->map + GROUPS);
    session->sub = (struct rs_ring_end){
        .shared = &segment->sub, .data = session->map + SUB_DATA, .size = RS_RING_SIZE};
    session->comp = (struct rs_ring_end){
        .shared = &segment->comp, .data = session->map + COMP_DATA, .size = RS_RING_SIZE};
}

/* A page that has no room when it is first written to is a fault of whoever writes, the program
 * too. So room is taken at once on a disk, where it costs nothing, and asked for in memory, where
 * taking it would cost every small program the whole of it.  The latter can still run short later.
 */
static int take_room(int fd)
{
    struct statfs where;

    if (ftruncate(fd, SEGMENT_SIZE) || fstatfs(fd, &where))
        return -errno;
    if (where.f_type != TMPFS_MAGIC)
        return -posix_fallocate(fd, 0, SEGMENT_SIZE);
    /* f_blocks is 0 where there is no limit */
    if (where.f_blocks && where.f_bavail < SEGMENT_SIZE / (uint64_t)where.f_bsize)
        return -ENOSPC;
    return 0;
}

int segment_create(struct session *session)
{
    int fd = openat(session->dir_fd, "shm", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int error;
    void *map;

    if (fd < 0)
        return -errno;
    error = take_room(fd);
    if (error) {
        close(fd);
        return error;
    }
    map = mmap(NULL, SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        error = -errno;
    close(fd);
    if (error)
        return error;
    if (!(session->guard = guard_add(map))) {
        munmap(map, SEGMENT_SIZE);
        return -ENOMEM;
    }
    session->map = map;
    segment_lay_out(session);
    return 0;
}
