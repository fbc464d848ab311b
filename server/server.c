/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server: its start, its turns, its sleep, its end.
 *
 * Owns: the order of things within a turn, and the words sleeping_until.  Each server has a thread,
 * which holds it while it does not sleep (workers.c); look-ups have their own (resolver.c).
 *
 * Going to sleep is "publish, then look" (docs/protocol.md, "Waking"): sleeping_until is stored in
 * every session, and only then is every submission ring looked at once more.  A DLL stores its
 * record first and then looks at sleeping_until: so one of the two always sees the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "comp.h"
#include "log.h"
#include "server.h"
#include "session.h"
#include "socket.h"

/* How soon a full completion ring is looked at again: at first at once, then less and less often,
 * for a process that is stopped. */
#define BLOCKED_RETRY     ((uint64_t)RS_CLOCK_PER_MS)
#define BLOCKED_RETRY_MAX (32 * BLOCKED_RETRY)

#define LOOKS 16 /* at the rings, for each at the kernel, while spinning */

static void stop_ready(struct watch *watch, uint32_t events)
{
    struct server *server = container_of(watch, struct server, signals);
    struct signalfd_siginfo info;

    (void)events;
    if (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
        log_info("signal %u: leaving", info.ssi_signo);
        server->loop.stop = true;
    }
}

static int catch_signals(struct server *server)
{
    sigset_t set;

    /* The default disposition of these must be restored: a parent may have ignored them. */
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_SETMASK, &set, NULL))
        return -errno;
    watch_init(&server->signals, stop_ready);
    server->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->signals.fd < 0)
        return -errno;
    return loop_watch(&server->loop, &server->signals, EPOLLIN);
}

static void set_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    /* wineserver has one for each socket too, and others: it must not run out of them first, as
     * then connections that were accepted are lost, and no program gets any further. */
    limit.rlim_cur = limit.rlim_max - limit.rlim_max / 32;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        log_warn("cannot set the number of descriptors: %s", strerror(errno));
}

bool server_has_spare(struct server *server)
{
    if (server->spare_fd < 0)
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return server->spare_fd >= 0;
}

static bool is_unused(const struct server *first)
{
    return !__atomic_load_n(&first->session_count, __ATOMIC_SEQ_CST);
}

static void linger_over(struct timer *timer)
{
    struct server *server = container_of(timer, struct server, linger_timer);

    /* Somebody may be reading `join` right now; whoever gets the ticket is first. */
    if (is_unused(server) && join_withdraw(server))
        server->loop.stop = true;
}

static void linger_begin(struct server *server)
{
    timer_arm(&server->loop.timers, &server->linger_timer, clock_now() + server->linger);
}

void server_session_gone(struct server *server)
{
    if (!__atomic_sub_fetch(&server->first->session_count, 1, __ATOMIC_SEQ_CST))
        server_kick(server->first);
}

void server_session_taken(struct server *first)
{
    __atomic_add_fetch(&first->session_count, 1, __ATOMIC_SEQ_CST);
    timer_disarm(&first->linger_timer);
}

#define FOR_EACH_SESSION(server, session)                                                         \
    for (struct link *at = (server)->sessions.next, *after; after = at->next,                     \
                     session = container_of(at, struct session, link), at != &(server)->sessions; \
         at = after)

/* Says until when we sleep, and finds out whether we may; see the head of this file. */
static uint64_t fall_asleep(struct server *server, bool *pending)
{
    uint64_t until = timers_next(&server->loop.timers);
    struct session *session;

    if (server->blocked && server->loop.now + server->blocked_retry < until)
        until = server->loop.now + server->blocked_retry;
    FOR_EACH_SESSION(server, session)
    {
        uint64_t deadline = __atomic_load_n(&session->segment->earliest_deadline, __ATOMIC_SEQ_CST);

        until = deadline < until ? deadline : until;
    }
    if (until <= server->loop.now)
        return 0;
    FOR_EACH_SESSION(server, session)
    __atomic_store_n(&session->segment->sleeping_until, until, __ATOMIC_SEQ_CST);
    FOR_EACH_SESSION(server, session)
    {
        if (rs_ring_pending(&session->sub))
            *pending = true;
        else if (__atomic_load_n(&session->segment->earliest_deadline, __ATOMIC_SEQ_CST) < until)
            until = 0;
    }
    return *pending ? 0 : until;
}

static bool anything_submitted(struct server *server)
{
    struct session *session;

    FOR_EACH_SESSION(server, session)
    {
        if (rs_ring_pending(&session->sub))
            return true;
    }
    return false;
}

static bool several_processors(void)
{
    cpu_set_t set;

    return !sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) > 1;
}

/* Looks for work for a moment (ringsock/spin.h).  Nobody rings the bell meanwhile.  The processor
 * is given away between two looks, to who may have been woken on it.
 *
 * Only submissions are worth it.  What comes by the kernel wakes us as it wakes anybody, and until
 * then a peer that is no program of ours wants the processor: on two of them an HTTP server's
 * client, its one thread and we looking for both made 7,000 or 15,000 answers a second, as they
 * happened to be placed (docs/performance.md).  So what is submitted after the network (a program
 * answers) is looked for if that pays, and the network after what was submitted is not. */
static bool spin(struct server *server)
{
    struct rs_spin *spin = &server->spin[server->submitted];
    uint64_t begin, last, longest_gap = 0;
    bool found = false, submitted = false;

    if (!server->may_spin || !rs_spin_is_worth_it(spin, server->loop.now))
        return false;
    begin = last = clock_now();
    while (!found && last - begin < RS_SPIN_TIME) {
        uint64_t now;

        for (int i = 0; i < LOOKS && !(submitted = anything_submitted(server)); i++)
            sched_yield();
        found = submitted || loop_look(&server->loop);
        now = clock_now();
        longest_gap = now - last > longest_gap ? now - last : longest_gap;
        last = now;
    }
    rs_spin_over(spin, submitted, longest_gap, last);
    return found;
}

static void wake_up(struct server *server)
{
    struct session *session;

    /* No order needed: a ring that is rung in vain costs nothing but itself. */
    FOR_EACH_SESSION(server, session)
    __atomic_store_n(&session->segment->sleeping_until, 0, __ATOMIC_RELAXED);
}

/* One step for every socket that knows of something to do.  Returns whether one has more. */
static bool run_sockets(struct server *server)
{
    bool more = false;
    struct link work;

    list_take(&work, &server->work);
    while (!list_empty(&work)) {
        struct socket *socket = container_of(work.next, struct socket, work);

        list_remove(&socket->work);
        switch (socket_work(socket)) {
        case WORK_DONE:
            break;
        case WORK_MORE:
            more = true;
            socket_queue_work(socket);
            break;
        case WORK_BLOCKED:
            server->blocked = true;
            socket_queue_work(socket);
            break;
        }
    }
    return more;
}

static void run_sessions(struct server *server)
{
    struct session *session;

    FOR_EACH_SESSION(server, session)
    session_run(session);
}

static void end_turn(struct server *server)
{
    struct session *session;

    FOR_EACH_SESSION(server, session)
    {
        if (session->corrupt || segment_lost(session)) {
            session_corrupt(session, "its segment was cut short");
            session_destroy(session);
            continue;
        }
        session_publish_backlog(session);
        wake_all(session);
        stock_fill(session);
        wake_turn_over(session);
        wake_deadlines(session, server->loop.now);
    }
    loop_bury(&server->loop);
}

/* Events of what another server watches by now are that one's, which has been told of them too. But
 * some may be of what has come since: that is watched anew. */
static void hand_out(struct server *server, const struct loop_events *events, unsigned moved)
{
    struct session *session;

    if (moved == server->hold.moved) {
        loop_hand_out(&server->loop, events);
        return;
    }
    FOR_EACH_SESSION(server, session)
    {
        session_change_server(session, server);
        session_watch_sockets(session, &server->loop);
    }
    anchor_watch_again(server);
    loop_look(&server->loop);
}

static void sleep_until(struct server *server, uint64_t until)
{
    unsigned moved = server->hold.moved;
    struct loop_events events;
    uint64_t begin;

    if (!until && !hold_is_wanted(server)) {
        loop_look(&server->loop);
        return;
    }
    begin = clock_now();
    hold_end(server);
    loop_fetch(&server->loop, until, &events);
    hold_begin(server);
    hand_out(server, &events, moved);
    if (until)
        rs_spin_slept(&server->spin[server->submitted],
                      anything_submitted(server) ? server->loop.now - begin : UINT64_MAX);
}

/* What only the first does. */
static void first_turn(struct server *first)
{
    if (first->workers)
        workers_turn(first);
    if (is_unused(first) && !timer_armed(&first->linger_timer))
        linger_begin(first);
}

void server_serve(struct server *server)
{
    bool more = false, waited = true;

    hold_begin(server);
    while (!server->loop.stop) {
        bool pending = !more && spin(server);
        uint64_t until = more || pending ? 0 : fall_asleep(server, &pending);

        /* What came while we fell asleep need not wait for the kernel, every other time. */
        if (!pending || !waited)
            sleep_until(server, until);
        waited = !pending || !waited;
        wake_up(server);
        timers_run(&server->loop.timers, server->loop.now);
        server->blocked = false;
        server->submitted = anything_submitted(server);
        run_sessions(server);
        more = run_sockets(server);
        if (!server->blocked)
            server->blocked_retry = BLOCKED_RETRY;
        else if (server->blocked_retry < BLOCKED_RETRY_MAX)
            server->blocked_retry += server->blocked_retry / 4;
        end_turn(server);
        if (!server->number)
            first_turn(server);
    }
    hold_end(server);
}

/* ---- one of them ---- */

void server_init(struct server *server, struct server *first, unsigned number)
{
    server->first = first;
    server->number = number;
    server->dir = first->dir;
    server->spare_fd = server->anchors.dir_fd = server->hold.kick.fd = -1;
    server->anchors.next_number = number;
    server->shortcut = first->shortcut;
    server->may_spin = first->may_spin;
    server->bell_keeps_ringing = first->bell_keeps_ringing;
    list_init(&server->strays);
    list_init(&server->sessions);
    list_init(&server->work);
    list_init(&server->listeners);
    list_init(&server->bound);
    list_init(&server->reservations);
    port_pairs_init(&server->offers);
    port_pairs_init(&server->flows);
}

int server_open(struct server *server)
{
    int error = loop_init(&server->loop);

    if (!error)
        error = hold_open(server);
    if (error)
        return error;
    server_has_spare(server);
    return anchors_open(server);
}

void server_shut(struct server *server)
{
    gather_forget(server);
    anchors_close(server);
    hold_close(server);
    loop_fini(&server->loop);
    if (server->spare_fd >= 0)
        close(server->spare_fd);
    server->spare_fd = -1;
}

/* ---- all of them ---- */

static int start(struct server *first)
{
    int error = segment_guard();

    if (error)
        return error;
    set_limits();
    first->bell_keeps_ringing = bell_is_edge_triggered();
    runtime_dir_clean(&first->dir);
    error = server_open(first);
    if (!error)
        error = catch_signals(first);
    if (!error)
        error = resolver_open(first);
    if (error)
        return error;
    workers_open(first);
    timer_init(&first->linger_timer, linger_over);
    linger_begin(first);
    return join_open(first);
}

/* Files first, then the lock, then `join`: who finds no `join`, or reads its end, starts a server,
 * which must find the lock free. */
static void leave(struct server *first)
{
    struct session *session;
    struct server *server;

    workers_stop();
    for (unsigned i = 0; (server = workers_at(i)); i++) {
        FOR_EACH_SESSION(server, session)
        {
            if (session != first->join.stock)
                session_destroy(session);
        }
    }
    first->join.stock = NULL;
    runtime_dir_leave(&first->dir);
    FOR_EACH_SESSION(first, session)
    session_destroy(session);
    join_close(first);
    resolver_close(first);
    for (unsigned i = 0; (server = workers_at(i)); i++)
        server_shut(server);
}

int server_run(const struct server_options *options)
{
    static struct server server; /* static: resolver threads may outlive the loop */
    int error;

    server.linger = (uint64_t)options->linger * CLOCK_PER_SECOND;
    server.shortcut = options->shortcut;
    server.may_spin = options->spin && several_processors();
    server.workers = options->workers && several_processors();
    server_init(&server, &server, 0);
    switch (runtime_dir_open(&server.dir, options->runtime)) {
    case RUNTIME_DIR_SERVED:
        log_info("%s: served already", options->runtime);
        return 0;
    case RUNTIME_DIR_FAILED:
        return 1;
    case RUNTIME_DIR_OURS:
        break;
    }
    error = start(&server);
    if (error) {
        log_error("cannot start: %s", strerror(-error));
        runtime_dir_leave(&server.dir);
        return 1;
    }
    log_info("ringsock-server " RINGSOCK_VERSION " serves %s", options->runtime);
    if (options->ready)
        options->ready(options->context, &server.dir);
    server_serve(&server);
    leave(&server);
    log_info("left");
    return 0;
}
