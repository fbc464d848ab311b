/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Host name look-ups: glibc's getaddrinfo() and getnameinfo() on threads, one for each that waits.
 *
 * A dead DNS server holds a thread for as long as resolv.conf says, 10 s by default.  So there are
 * as many threads as look-ups under way, and no session has more than half of them: who asks for
 * dead names delays nobody else.  All but a few end when they have nothing to do.
 *
 * Owns: the threads, the queue to them and the queue back, which an eventfd announces to the first
 * server's loop; it holds the session's server to deliver (workers.c).
 * Locks: resolver.lock, by all sides, a leaf, never across a look-up.  A job names its session by
 * number: when the answer comes and the session is gone, it is dropped.
 */
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "address.h"
#include "comp.h"
#include "error.h"
#include "log.h"
#include "server.h"
#include "session.h"

#define THREADS_MAX        256u
#define THREADS_KEPT       2u
#define STACK_SIZE         (512u * 1024u) /* there may be modules of others in nsswitch.conf */
#define JOBS_MAX           4096u
/* of these for one session */
#define RUNNING_OF_SESSION (THREADS_MAX / 2)
#define WAITING_OF_SESSION (JOBS_MAX / 4)

#define ADDRESSES_MAX 512u

struct job {
    struct link link;
    uint64_t session;
    struct rs_call call;
    bool reverse;
    struct rs_resolve what;
    struct rs_addr address;
    char node[1026];
    /* the answer */
    uint32_t error, count, length;
    uint8_t *payload;
};

/* glibc calls it "no such name" also where a server has failed, if it went on to a domain that is
 * searched, or if the failure was severe; its queries have left in h_errno what they found. */
static int failure_of(int error)
{
    if (error != EAI_NONAME)
        return error;
    return h_errno == TRY_AGAIN ? EAI_AGAIN : h_errno == NO_RECOVERY ? EAI_FAIL : error;
}

static struct addrinfo *look_up(struct job *job)
{
    struct addrinfo hints = {.ai_family = address_family(job->what.family),
                             .ai_socktype = SOCK_STREAM}; /* one of each address */
    struct addrinfo *list = NULL;
    uint32_t flags = job->what.flags;

    hints.ai_flags = (flags & RS_AI_PASSIVE ? AI_PASSIVE : 0) |
                     (flags & RS_AI_CANONNAME && job->node[0] ? AI_CANONNAME : 0) |
                     (flags & RS_AI_NUMERICHOST ? AI_NUMERICHOST : 0) |
                     (flags & RS_AI_ADDRCONFIG ? AI_ADDRCONFIG : 0);
    h_errno = 0;
    /* Without a node a service is required; the port is none of ours. */
    job->error = error_from_gai(failure_of(
        getaddrinfo(job->node[0] ? job->node : NULL, job->node[0] ? NULL : "0", &hints, &list)));
    return job->error ? NULL : list;
}

/* Whether the name has the first of those addresses. */
static bool has_address(const char *name, const struct addrinfo *list)
{
    struct addrinfo hints = {.ai_family = list->ai_family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL, *entry;
    bool has = false;

    if (getaddrinfo(name, NULL, &hints, &found))
        return false;
    for (entry = found; entry; entry = entry->ai_next)
        has |= entry->ai_addrlen == list->ai_addrlen &&
               !memcmp(entry->ai_addr, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(found);
    return has;
}

/* AI_FQDN of getaddrinfo's page: with a name of one label "the fully qualified domain name that the
 * name eventually resolved to", which the host's resolver does not tell: the first of the domains
 * it searches in which the name has the same address.  Empty if it is none of theirs. */
static void qualify(const char *node, const struct addrinfo *list, char name[NI_MAXHOST])
{
    struct __res_state state = {0};

    name[0] = 0;
    if (strchr(node, '.') || res_ninit(&state))
        return;
    for (unsigned i = 0; i < MAXDNSRCH && state.dnsrch[i]; i++) {
        int length = snprintf(name, NI_MAXHOST, "%s.%s.", node, state.dnsrch[i]);

        if (length < NI_MAXHOST && has_address(name, list)) {
            name[length - 1] = 0;
            break;
        }
        name[0] = 0;
    }
    res_nclose(&state);
}

static void job_resolve(struct job *job)
{
    struct addrinfo *list = look_up(job), *entry;
    const char *name = list && list->ai_canonname ? list->ai_canonname : "";
    char qualified[NI_MAXHOST];
    size_t name_length;

    if (list && job->what.flags & RS_AI_FQDN) {
        qualify(job->node, list, qualified);
        name = qualified;
    }
    name_length = strlen(name);

    for (entry = list; entry && job->count < ADDRESSES_MAX; entry = entry->ai_next)
        job->count += entry->ai_family == AF_INET || entry->ai_family == AF_INET6;
    job->payload = malloc(job->count * sizeof(struct rs_addr) + name_length + 1);
    if (!job->payload) {
        job->error = WSA_NOT_ENOUGH_MEMORY;
        job->count = 0;
    }
    for (entry = list; entry && job->length < job->count * sizeof(struct rs_addr);
         entry = entry->ai_next) {
        union address host = {0};
        struct rs_addr wire;

        if (entry->ai_addrlen > sizeof(host))
            continue;
        memcpy(&host, entry->ai_addr, entry->ai_addrlen);
        address_to_wire(&host, &wire);
        if (wire.family == RS_AF_UNSPEC)
            continue;
        memcpy(job->payload + job->length, &wire, sizeof(wire));
        job->length += (uint32_t)sizeof(wire);
    }
    if (job->payload) {
        memcpy(job->payload + job->length, name, name_length);
        job->length += (uint32_t)name_length;
    }
    if (list)
        freeaddrinfo(list);
}

static void job_reverse(struct job *job)
{
    union address host;
    socklen_t size = address_to_host(&job->address, &host);
    char name[NI_MAXHOST];
    int error = EAI_FAMILY;

    if (size && job->address.family != RS_AF_UNSPEC)
        error = getnameinfo(&host.any, size, name, sizeof(name), NULL, 0,
                            job->call.arg0 & RS_REVERSE_NAME_REQUIRED ? NI_NAMEREQD : 0);
    job->error = error_from_gai(error);
    if (error)
        return;
    job->payload = (uint8_t *)strdup(name);
    if (job->payload)
        job->length = (uint32_t)strlen(name);
    else
        job->error = WSA_NOT_ENOUGH_MEMORY;
}

static unsigned jobs_of(const struct link *list, uint64_t session)
{
    const struct link *link;
    unsigned count = 0;

    for (link = list->next; link != list; link = link->next)
        count += container_of(link, const struct job, link)->session == session;
    return count;
}

/* The first one whose session has not enough under way already, moved to those that run, or NULL.
 * Called with the lock. */
static struct job *take_job(struct resolver *resolver)
{
    uint64_t full = 0; /* no session's number */
    struct link *link;

    for (link = resolver->waiting.next; link != &resolver->waiting; link = link->next) {
        struct job *job = container_of(link, struct job, link);

        if (job->session == full)
            continue;
        if (jobs_of(&resolver->running, job->session) < RUNNING_OF_SESSION) {
            list_remove(&job->link);
            list_append(&resolver->running, &job->link);
            resolver->queued--;
            return job;
        }
        full = job->session;
    }
    return NULL;
}

/* Waits for a job; NULL if enough others do.  Called with the lock. */
static struct job *wait_for_job(struct resolver *resolver)
{
    struct job *job;

    while (!(job = take_job(resolver))) {
        if (resolver->idle >= THREADS_KEPT)
            return NULL;
        resolver->idle++;
        pthread_cond_wait(&resolver->work, &resolver->lock);
        resolver->idle--;
    }
    return job;
}

static void *resolver_thread(void *argument)
{
    struct server *server = argument;
    struct resolver *resolver = &server->resolver;
    uint64_t one = 1;
    struct job *job;

    pthread_mutex_lock(&resolver->lock);
    while ((job = wait_for_job(resolver))) {
        pthread_mutex_unlock(&resolver->lock);
        if (job->reverse)
            job_reverse(job);
        else
            job_resolve(job);
        pthread_mutex_lock(&resolver->lock);
        list_remove(&job->link);
        list_append(&resolver->done, &job->link);
        /* Fails only when it is about to overflow, that is never. */
        if (write(resolver->event.fd, &one, sizeof(one)) != sizeof(one))
            log_error("eventfd: %s", strerror(errno));
    }
    resolver->threads--;
    pthread_mutex_unlock(&resolver->lock);
    return NULL;
}

/* One more thread unless one is free for the job.  Called with the lock. */
static bool add_thread(struct server *first)
{
    struct resolver *resolver = &first->resolver;
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int error;

    if (resolver->idle > resolver->queued || resolver->threads == THREADS_MAX)
        return true;
    /* Signals are the loop's; a detached thread ends with the process. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    error = pthread_create(&thread, &attributes, resolver_thread, first);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error)
        resolver->threads++;
    return resolver->threads > 0;
}

static void submit(struct session *session, struct job *job)
{
    struct server *first = session->server->first;
    struct resolver *resolver = &first->resolver;
    bool accepted;

    job->session = session->id;
    pthread_mutex_lock(&resolver->lock);
    accepted = resolver->jobs < JOBS_MAX &&
               jobs_of(&resolver->waiting, session->id) < WAITING_OF_SESSION && add_thread(first);
    if (accepted) {
        resolver->jobs++;
        resolver->queued++;
        list_append(&resolver->waiting, &job->link);
        pthread_cond_signal(&resolver->work);
    }
    pthread_mutex_unlock(&resolver->lock);
    if (!accepted) {
        comp_reply(session, &job->call, WSATRY_AGAIN);
        free(job);
    }
}

void resolver_resolve(struct session *session, const struct rs_call *call,
                      const struct rs_resolve *what, const char *node)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job || strlen(node) >= sizeof(job->node)) {
        comp_reply(session, call, job ? WSAHOST_NOT_FOUND : WSA_NOT_ENOUGH_MEMORY);
        free(job);
        return;
    }
    job->call = *call;
    job->what = *what;
    strcpy(job->node, node);
    submit(session, job);
}

void resolver_reverse(struct session *session, const struct rs_call *call,
                      const struct rs_addr *address)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job) {
        comp_reply(session, call, WSA_NOT_ENOUGH_MEMORY);
        return;
    }
    job->call = *call;
    job->reverse = true;
    job->address = *address;
    submit(session, job);
}

static void deliver(struct job *job)
{
    struct session *session;
    struct server *server = workers_hold_session(job->session, &session);

    if (server && job->error)
        comp_reply(session, &job->call, job->error);
    else if (server)
        comp_reply_data(session, &job->call, job->count, job->payload, job->length);
    if (server) {
        server_kick(server); /* wakes who waits */
        server_release(server);
    }
    free(job->payload);
    free(job);
}

static void resolver_ready(struct watch *watch, uint32_t events)
{
    struct server *server = container_of(watch, struct server, resolver.event);
    struct resolver *resolver = &server->resolver;
    struct link done;
    uint64_t count;

    (void)events;
    if (read(watch->fd, &count, sizeof(count)) != sizeof(count))
        return;
    pthread_mutex_lock(&resolver->lock);
    list_take(&done, &resolver->done);
    pthread_mutex_unlock(&resolver->lock);
    while (!list_empty(&done)) {
        struct job *job = container_of(done.next, struct job, link);

        list_remove(&job->link);
        pthread_mutex_lock(&resolver->lock);
        resolver->jobs--;
        pthread_mutex_unlock(&resolver->lock);
        deliver(job);
    }
}

int resolver_open(struct server *server)
{
    struct resolver *resolver = &server->resolver;

    pthread_mutex_init(&resolver->lock, NULL);
    pthread_cond_init(&resolver->work, NULL);
    list_init(&resolver->waiting);
    list_init(&resolver->running);
    list_init(&resolver->done);
    resolver->threads = resolver->idle = resolver->queued = resolver->jobs = 0;
    watch_init(&resolver->event, resolver_ready);
    resolver->event.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolver->event.fd < 0)
        return -errno;
    return loop_watch(&server->loop, &resolver->event, EPOLLIN);
}

/* The threads may be in a look-up that nobody can interrupt: what they use is not taken away, the
 * process ends around them.  Only the queue is emptied. */
void resolver_close(struct server *server)
{
    struct resolver *resolver = &server->resolver;

    pthread_mutex_lock(&resolver->lock);
    while (!list_empty(&resolver->waiting)) {
        struct job *job = container_of(resolver->waiting.next, struct job, link);

        list_remove(&job->link);
        free(job);
    }
    pthread_mutex_unlock(&resolver->lock);
}
