/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread for each program, up to WORKERS_MAX: programs are served at the same time, and a busy
 * one takes only its own thread's time.
 *
 * A struct server is what one thread serves: a loop, the sessions of some processes and everything
 * of theirs.  Nothing in it is shared, so nothing else in the server needs a lock, but for what
 * names_lock guards.  The first server has the main thread, which makes sessions (join.c) and hands
 * each over as soon as its process has said hello: to the server of the process that started it, as
 * the two may come to share sockets, else to one that has nothing to do, else to a new one.  What
 * two servers' processes share all the same brings the two together (gather.c).
 *
 * Owns: the table of servers, their threads, struct hold.  Order of locks: gate, turn, names.  Only
 * the first's thread ever holds two servers, and nobody waits for it while holding one.
 *
 * Where there is only one processor, or with RINGSOCK_WORKERS=0, the first serves all by itself.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "server.h"
#include "session.h"

#define WORKERS_MAX RS_ANCHOR_DIRS

static struct server *servers[WORKERS_MAX]; /* written by the first's thread, with names_lock */
static pthread_t threads[WORKERS_MAX];
static unsigned server_count; /* atomic */
static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER;

void names_lock(void)
{
    pthread_mutex_lock(&names);
}

void names_unlock(void)
{
    pthread_mutex_unlock(&names);
}

struct server *names_next(const struct server *server)
{
    return workers_at(server ? server->number + 1 : 0);
}

struct server *workers_at(unsigned number)
{
    return number < __atomic_load_n(&server_count, __ATOMIC_ACQUIRE) ? servers[number] : NULL;
}

static void enter(struct server *server)
{
    names_lock();
    servers[server->number] = server;
    __atomic_store_n(&server_count, server->number + 1, __ATOMIC_RELEASE);
    names_unlock();
}

void workers_open(struct server *first)
{
    enter(first);
}

/* ---- holding ---- */

static void kick_ready(struct watch *watch, uint32_t events)
{
    uint64_t count;

    (void)events;
    if (read(watch->fd, &count, sizeof(count)) != sizeof(count))
        return; /* has been read */
}

int hold_open(struct server *server)
{
    struct hold *hold = &server->hold;

    pthread_mutex_init(&hold->turn, NULL);
    pthread_mutex_init(&hold->gate, NULL);
    watch_init(&hold->kick, kick_ready);
    hold->kick.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (hold->kick.fd < 0)
        return -errno;
    return loop_watch(&server->loop, &hold->kick, EPOLLIN);
}

void hold_close(struct server *server)
{
    loop_close(&server->hold.kick);
    pthread_mutex_destroy(&server->hold.turn);
    pthread_mutex_destroy(&server->hold.gate);
}

/* The first is nobody's but its own thread's. */
void hold_begin(struct server *server)
{
    if (!server->number)
        return;
    pthread_mutex_lock(&server->hold.gate);
    pthread_mutex_lock(&server->hold.turn);
    pthread_mutex_unlock(&server->hold.gate);
}

void hold_end(struct server *server)
{
    if (server->number)
        pthread_mutex_unlock(&server->hold.turn);
}

bool hold_is_wanted(const struct server *server)
{
    return __atomic_load_n(&server->hold.wanted, __ATOMIC_RELAXED);
}

void server_hold(struct server *server)
{
    if (!server->number)
        return;
    pthread_mutex_lock(&server->hold.gate);
    __atomic_store_n(&server->hold.wanted, true, __ATOMIC_RELAXED);
    pthread_mutex_lock(&server->hold.turn);
    __atomic_store_n(&server->hold.wanted, false, __ATOMIC_RELAXED);
}

void server_release(struct server *server)
{
    if (!server->number)
        return;
    pthread_mutex_unlock(&server->hold.turn);
    pthread_mutex_unlock(&server->hold.gate);
}

void server_kick(struct server *server)
{
    uint64_t one = 1;

    /* Fails only when it is about to overflow, that is never. */
    if (write(server->hold.kick.fd, &one, sizeof(one)) != sizeof(one))
        log_error("eventfd: %s", strerror(errno));
}

struct server *workers_hold_session(uint64_t id, struct session **session)
{
    struct server *server;

    for (unsigned i = 0; (server = workers_at(i)); i++) {
        server_hold(server);
        if ((*session = session_find(server, id)))
            return server;
        server_release(server);
    }
    return NULL;
}

/* ---- threads ---- */

static void *serve(void *argument)
{
    struct server *server = argument;

    server_serve(server);
    if (server->loop.failed)
        kill(getpid(), SIGTERM); /* for the first: it cannot go on */
    return NULL;
}

static struct server *add_worker(struct server *first)
{
    struct server *server = calloc(1, sizeof(*server));
    int error = ENOMEM;

    if (server) {
        server_init(server, first, server_count);
        error = -server_open(server);
        if (!error && anchor_watch_works(first) && !anchor_watch_works(server))
            error = EMFILE; /* of inotify; each of its sockets would need two descriptors */
        if (!error)
            error = pthread_create(&threads[server->number], NULL, serve, server);
        if (error)
            server_shut(server);
    }
    if (!error) {
        enter(server);
        return server;
    }
    log_rarely("cannot start a thread: %s", strerror(error));
    free(server);
    return NULL;
}

void workers_stop(void)
{
    struct server *server;

    for (unsigned i = 1; (server = workers_at(i)); i++) {
        server_hold(server);
        server->loop.stop = true;
        server_release(server);
        server_kick(server);
        pthread_join(threads[i], NULL);
    }
}

/* ---- who serves whom ---- */

static unsigned count_sessions(const struct server *server, uint32_t parent, bool *has_parent)
{
    unsigned count = 0;

    for (struct link *link = server->sessions.next; link != &server->sessions; link = link->next) {
        const struct session *session = container_of(link, struct session, link);

        *has_parent |= parent && session->windows_pid == parent && session->state == SESSION_LIVE;
        count++;
    }
    return count;
}

static struct server *choose(struct server *first, uint32_t parent)
{
    struct server *server, *best = NULL;
    unsigned fewest = ~0u;

    for (unsigned i = 1; (server = workers_at(i)); i++) {
        bool has_parent = false;
        unsigned count;

        server_hold(server);
        count = count_sessions(server, parent, &has_parent);
        server_release(server);
        if (has_parent)
            return server;
        if (count < fewest) {
            fewest = count;
            best = server;
        }
    }
    if (fewest && server_count < WORKERS_MAX && (server = add_worker(first)))
        return server;
    return best;
}

static void hand_over(struct session *session, struct server *to)
{
    server_hold(to);
    list_remove(&session->link);
    list_append(&to->sessions, &session->link);
    session_change_server(session, to);
    /* Whoever saw us awake has put its record where the kick makes the other look. */
    __atomic_store_n(&session->segment->sleeping_until, UINT64_MAX, __ATOMIC_SEQ_CST);
    log_debug("session %s: thread %u", session->name, to->number);
    server_kick(to);
    server_release(to);
}

void workers_turn(struct server *first)
{
    for (struct link *link = first->sessions.next, *next; link != &first->sessions; link = next) {
        struct session *session = container_of(link, struct session, link);
        struct server *server;

        next = link->next;
        if (!session->placing)
            continue;
        session->placing = false;
        if ((server = choose(first, session->windows_parent)))
            hand_over(session, server);
    }
    gather_turn();
}
