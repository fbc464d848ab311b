/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receives at random, with a model beside them: no byte is lost, doubled or out of place.
 *
 * Sources: WSARecv's page ("the posted buffers are guaranteed to be filled in the same order in
 * which they are specified"; "the order of calls made to WSARecv is also the order in which the
 * buffers are populated"; buffers "packed so that no holes are created"; MSG_PEEK, MSG_WAITALL),
 * CancelIoEx's (a cancelled operation ends once, aborted or, if that came first, with success).
 *
 * A round has a few flows (model_flow.h), each with senders (model_sender.h), and is of one kind:
 *
 *   one thread    receives by event, by completion routine, by asking, and calls without OVERLAPPED
 *   threads       the same, routines excepted, by several threads that serialise their calls
 *   port          worker threads of one completion port, which serialise the calls on each socket
 *
 * All that a round does by choice follows from its seed, which a failure prints.
 *
 *   RINGSOCK_TEST_SEED        of the first round; the next one's follows from it.  Without it the
 *                             program runs through some fixed ones, then from the time
 *   RINGSOCK_TEST_OPERATIONS  receives that it begins at least, from the seed given or of the time
 */
#include "model_receiver.h"
#include "model_sender.h"

#include <time.h>

#define FLOWS_MAX   4
#define ACTORS_MAX  4
#define DEPTH_MAX   48
#define PATIENCE    45 /* seconds without any progress */
#define FIXED_SEEDS 6
#define KEY_STOP    1

struct round {
    enum kind kind;
    struct flow flows[FLOWS_MAX];
    unsigned int flow_count;
    LONG volatile unfinished; /* flows */
    HANDLE port;
    SOCKET sockets[2 * FLOWS_MAX + SOURCES_MAX * FLOWS_MAX];
    unsigned int socket_count;
};

/* ---- threads ---- */

struct actor {
    struct receiver receiver;
    struct round *round;
};

/* Once for each flow. */
static void note_done(struct round *round, struct flow *flow)
{
    if (!flow_is_done(flow) || flow->noted)
        return;
    flow->noted = TRUE;
    if (!InterlockedDecrement(&round->unfinished) && round->port)
        PostQueuedCompletionStatus(round->port, 0, KEY_STOP, NULL);
}

static DWORD WINAPI actor_main(void *argument)
{
    struct actor *actor = argument;
    struct round *round = actor->round;
    unsigned int i;

    while (round->unfinished) {
        for (i = 0; i < round->flow_count; i++) {
            struct flow *flow = &round->flows[i];
            unsigned int turns = 1 + random_below(&actor->receiver.random, 12);

            EnterCriticalSection(&flow->lock);
            while (turns-- && !flow_is_done(flow))
                turn(flow, &actor->receiver);
            note_done(round, flow);
            LeaveCriticalSection(&flow->lock);
        }
    }
    return 0;
}

/* ---- over a port ---- */

/* Some packet must be to come, or nobody would look after the flow again. */
static BOOL is_looked_after(const struct flow *flow)
{
    const struct receive *receive = flow->first;

    while (receive && (receive->style != BY_PORT || receive->ended))
        receive = receive->next;
    return receive != NULL;
}

static void look_after(struct round *round, struct flow *flow, struct actor *actor)
{
    unsigned int turns = random_below(&actor->receiver.random, 4);

    while (turns-- && !flow_is_done(flow))
        turn(flow, &actor->receiver);
    while (!flow_is_done(flow) && !is_looked_after(flow)) {
        if (flow->complete)
            turn(flow, &actor->receiver);
        else
            post(flow, &actor->receiver.random, PORT, BY_PORT);
        flow_settle(flow);
    }
    cancel_needless(flow);
    note_done(round, flow);
}

/* The first receives, after which packets keep it going. */
static void begin_flow(struct round *round, struct flow *flow, struct actor *actor)
{
    EnterCriticalSection(&flow->lock);
    look_after(round, flow, actor);
    LeaveCriticalSection(&flow->lock);
}

static void on_packet(struct actor *actor, ULONG_PTR key, OVERLAPPED *overlapped, DWORD count)
{
    struct receive *receive = CONTAINING_RECORD((WSAOVERLAPPED *)overlapped, struct receive, ov);
    struct flow *flow = (struct flow *)key;
    DWORD bytes = 0, flags;
    BOOL result;

    EnterCriticalSection(&flow->lock);
    if (receive->flow != flow || receive->style != BY_PORT)
        receive_failed(receive, "a packet that is not its own");
    result = WSAGetOverlappedResult(flow->socket, &receive->ov, &bytes, FALSE, &flags);
    if (!receive_answered(receive, result, bytes))
        receive_failed(receive, "a packet, and it has not ended");
    if (receive->bytes != count)
        receive_failed(receive, "its packet has another count");
    flow_settle(flow);
    look_after(actor->round, flow, actor);
    LeaveCriticalSection(&flow->lock);
}

static BOOL take_packets(struct actor *actor)
{
    OVERLAPPED_ENTRY entries[6] = {{0}};
    ULONG count = 1, i;
    DWORD timeout = random_chance(&actor->receiver.random, 80)
                        ? INFINITE
                        : random_below(&actor->receiver.random, 30);
    HANDLE port = actor->round->port;

    if (random_chance(&actor->receiver.random, 30)) {
        if (!GetQueuedCompletionStatusEx(port, entries, ARRAYSIZE(entries), &count, timeout, FALSE))
            count = 0;
    } else if (!GetQueuedCompletionStatus(port, &entries->dwNumberOfBytesTransferred,
                                          &entries->lpCompletionKey, &entries->lpOverlapped,
                                          timeout) &&
               !entries->lpOverlapped)
        count = 0;
    if (!count && GetLastError() != WAIT_TIMEOUT)
        model_failed("no packet, error %lu", GetLastError());
    for (i = 0; i < count; i++)
        if (entries[i].lpCompletionKey != KEY_STOP)
            on_packet(actor, entries[i].lpCompletionKey, entries[i].lpOverlapped,
                      entries[i].dwNumberOfBytesTransferred);
    return actor->round->unfinished != 0;
}

static DWORD WINAPI worker_main(void *argument)
{
    struct actor *actor = argument;

    while (take_packets(actor))
        ;
    PostQueuedCompletionStatus(actor->round->port, 0, KEY_STOP, NULL); /* for the next one */
    return 0;
}

static void check_port_is_empty(HANDLE port)
{
    OVERLAPPED *overlapped = NULL;
    ULONG_PTR key = 0;
    DWORD bytes;

    while (GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 0) || overlapped)
        if (key != KEY_STOP)
            model_failed("a packet too many");
}

/* ---- a round ---- */

static void keep_socket(struct round *round, SOCKET s)
{
    round->sockets[round->socket_count++] = s;
}

static void plan_source(struct flow *flow, struct source *source, struct random *random,
                        ULONG64 seed)
{
    static const unsigned int pauses[] = {0, 1, 10, 50};

    source->flow = flow;
    source->key = random_mix(seed + 1000 * flow->number + flow->source_count);
    source->pause_percent = pauses[random_below(random, ARRAYSIZE(pauses))];
    source->overlapped_max = random_below(random, OUTGOING_MAX + 1);
    source->random = random_branch(source->key, 1);
    flow->source_count++;
}

static void set_size(SOCKET s, int option, int size)
{
    if (setsockopt(s, SOL_SOCKET, option, (char *)&size, sizeof(size)))
        model_failed("setsockopt(%x) error %d", option, WSAGetLastError());
}

static void plan_receives(struct flow *flow, struct random *random)
{
    static const unsigned int cancels[] = {0, 0, 2, 10};

    flow->depth_max = 1 + random_size(random, DEPTH_MAX - 1);
    flow->pieces_max = 1 + random_size(random, PIECES_MAX - 1);
    flow->cancel_percent = cancels[random_below(random, ARRAYSIZE(cancels))];
    flow->routine_random = random_branch(random_next(random), 2);
}

/* Bytes enough for some thousand receives or sends, and not too many for either. */
static void plan_stream(struct flow *flow, struct random *random)
{
    static const unsigned int receive_sizes[] = {1, 10, 200, 1500, 9000, 80000};
    static const unsigned int send_sizes[] = {1, 16, 300, 1460, 20000, 200000};
    static const int buffers[] = {1, 3000, 20000};
    struct source *source = &flow->sources[0];
    unsigned int least;

    flow->size_max = receive_sizes[random_below(random, ARRAYSIZE(receive_sizes))];
    source->chunk_max = send_sizes[random_below(random, ARRAYSIZE(send_sizes))];
    least = flow->size_max < source->chunk_max ? flow->size_max : source->chunk_max;
    source->length = flow->length = least * (ULONG64)(100 + random_below(random, 300));
    flow->waitall = random_chance(random, 50);
    if (random_chance(random, 25))
        set_size(source->socket, SO_SNDBUF, buffers[random_below(random, ARRAYSIZE(buffers))]);
}

static void choose_mode(struct flow *flow, struct random *random)
{
    u_long on = 1;

    if (random_chance(random, 15)) {
        flow->nonblocking = TRUE;
        flow->waitall = FALSE; /* "if the socket is in a non-blocking mode ... WSAEOPNOTSUPP" */
        ioctlsocket(flow->socket, FIONBIO, &on);
    } else if (rt.wine && random_chance(random, 15)) {
        /* Windows: "a potential for data loss" after a time-out; here there is none */
        flow->timeout = TRUE;
        set_size(flow->socket, SO_RCVTIMEO, 1 + random_below(random, 3));
    }
}

static void plan_one_stream(struct round *round, struct random *random, ULONG64 seed, SOCKET sender,
                            SOCKET receiver, BOOL duplex)
{
    struct flow *flow = &round->flows[round->flow_count];

    flow->number = round->flow_count++;
    flow->socket = receiver;
    flow->duplex = duplex;
    flow->sources[0].socket = sender;
    plan_source(flow, &flow->sources[0], random, seed);
    plan_receives(flow, random);
    plan_stream(flow, random);
    choose_mode(flow, random);
}

static void plan_streams(struct round *round, struct random *random, ULONG64 seed)
{
    BOOL duplex = round->flow_count < FLOWS_MAX - 1 && random_chance(random, 30);
    SOCKET a, b;

    net_pair(&a, &b);
    keep_socket(round, a);
    keep_socket(round, b);
    plan_one_stream(round, random, seed, a, b, duplex);
    if (duplex)
        plan_one_stream(round, random, seed, b, a, TRUE);
}

static void plan_messages(struct round *round, struct random *random, ULONG64 seed)
{
    static const unsigned int sizes[] = {1, 30, 500, 1400, 9000};
    struct flow *flow = &round->flows[round->flow_count];
    unsigned int count = 1 + random_below(random, SOURCES_MAX), size, i;
    struct sockaddr_storage address;
    int length;

    flow->number = round->flow_count++;
    flow->messages = TRUE;
    flow->socket = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
    keep_socket(round, flow->socket);
    set_size(flow->socket, SO_RCVBUF, 200000);
    plan_receives(flow, random);
    size = sizes[random_below(random, ARRAYSIZE(sizes))];
    flow->size_max = size + size / 4;
    flow->window = size > 2500 ? 60000 / size : 24; /* of three sources less than SO_RCVBUF */
    for (i = 0; i < count; i++) {
        struct source *source = &flow->sources[i];

        memcpy(&source->to, &address, sizeof(source->to));
        source->socket = net_bound(AF_INET, SOCK_DGRAM, &address, &length);
        keep_socket(round, source->socket);
        memcpy(&source->from, &address, sizeof(source->from));
        memcpy(&address, &source->to, sizeof(source->to));
        source->chunk_max = size;
        source->length = 100 + random_below(random, 300);
        flow->length += source->length;
        plan_source(flow, source, random, seed);
    }
    choose_mode(flow, random);
}

static void open_port(struct round *round, struct random *random)
{
    unsigned int i;

    round->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    for (i = 0; i < round->flow_count; i++) {
        struct flow *flow = &round->flows[i];

        flow->port = CreateIoCompletionPort((HANDLE)flow->socket, round->port, (ULONG_PTR)flow, 0);
        if (flow->port != round->port)
            flow_failed(flow, "no port, error %lu", GetLastError());
        flow->skip_on_success = random_chance(random, 30) &&
                                SetFileCompletionNotificationModes(
                                    (HANDLE)flow->socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    }
}

static struct round *plan_round(ULONG64 seed)
{
    struct round *round = calloc(1, sizeof(*round));
    struct random random = random_branch(seed, 0);
    unsigned int flows = 1 + random_below(&random, FLOWS_MAX);

    round->kind = (enum kind)(seed % KINDS);
    while (round->flow_count < flows) {
        if (random_chance(&random, 25))
            plan_messages(round, &random, seed);
        else
            plan_streams(round, &random, seed);
    }
    if (round->kind == PORT)
        open_port(round, &random);
    round->unfinished = round->flow_count;
    for (flows = 0; flows < round->flow_count; flows++)
        flow_open(&round->flows[flows]);
    return round;
}

static void describe(const struct round *round)
{
    char flow[300], receive[300];
    unsigned int i;

    for (i = 0; i < round->flow_count; i++) {
        describe_flow(flow, sizeof(flow), &round->flows[i]);
        receive[0] = 0;
        if (round->flows[i].first)
            describe_receive(receive, sizeof(receive), round->flows[i].first);
        printf("%s; first: %s\n", flow, receive);
    }
}

static void wait_for(const struct round *round, HANDLE *threads, unsigned int count)
{
    LONG seen = model_progress;
    unsigned int idle = 0;

    while (WaitForMultipleObjects(count, threads, TRUE, 1000) == WAIT_TIMEOUT) {
        idle = model_progress == seen ? idle + 1 : 0;
        seen = model_progress;
        if (idle < PATIENCE)
            continue;
        describe(round);
        model_failed("nothing has happened for %d seconds", PATIENCE);
    }
    while (count--)
        CloseHandle(threads[count]);
}

static void close_round(struct round *round)
{
    unsigned int i;

    for (i = 0; i < round->flow_count; i++)
        flow_close(&round->flows[i]);
    for (i = 0; i < round->socket_count; i++)
        if (closesocket(round->sockets[i]))
            model_failed("closesocket error %d", WSAGetLastError());
    if (round->port) {
        check_port_is_empty(round->port);
        CloseHandle(round->port);
    }
    free(round);
}

static void run_round(ULONG64 seed)
{
    HANDLE threads[ACTORS_MAX + FLOWS_MAX * SOURCES_MAX];
    struct actor actors[ACTORS_MAX];
    unsigned int count, thread_count = 0, i, k;
    struct round *round;

    model_seed = seed;
    round = plan_round(seed);
    count = round->kind == ONE_THREAD ? 1 : 1 + (unsigned int)(seed / KINDS % ACTORS_MAX);
    for (i = 0; i < count; i++)
        actors[i] =
            (struct actor){{round->kind, random_branch(seed, 100 + i), WSACreateEvent()}, round};
    for (i = 0; i < round->flow_count; i++)
        for (k = 0; k < round->flows[i].source_count; k++)
            threads[thread_count++] =
                CreateThread(NULL, 0, sender_main, &round->flows[i].sources[k], 0, NULL);
    for (i = 0; round->port && i < round->flow_count; i++)
        begin_flow(round, &round->flows[i], &actors[0]);
    for (i = 0; i < count; i++)
        threads[thread_count++] =
            CreateThread(NULL, 0, round->port ? worker_main : actor_main, &actors[i], 0, NULL);
    wait_for(round, threads, thread_count);
    for (i = 0; i < count; i++)
        WSACloseEvent(actors[i].receiver.never);
    close_round(round);
}

/* ---- the program ---- */

static void run_rounds(ULONG64 seed, LONG operations)
{
    LONG end = model_receives + operations;

    while (model_receives < end) {
        run_round(seed);
        seed = random_mix(seed + 0x9e3779b97f4a7c15u);
    }
}

static void run_fixed(void)
{
    ULONG64 seed;

    for (seed = 1; seed <= FIXED_SEEDS; seed++)
        run_round(seed);
}

static void test_model(void)
{
    const char *seed_text = getenv("RINGSOCK_TEST_SEED");
    const char *operations_text = getenv("RINGSOCK_TEST_OPERATIONS");
    ULONG64 seed = seed_text ? strtoull(seed_text, NULL, 0) : 0;
    DWORD start = GetTickCount();

    if (!seed_text) {
        run_fixed();
        seed = random_mix((ULONG64)time(NULL) << 20 ^ GetCurrentProcessId());
    }
    printf("%s: from seed 0x%llx\n", rt.name, seed);
    fflush(stdout);
    run_rounds(seed, operations_text ? atoi(operations_text) : 3000);
    printf("%s: %ld receives, %ld sends, %ld cancellations in %lu ms\n", rt.name, model_receives,
           model_sends, model_cancels, GetTickCount() - start);
}

START_TEST(order_model)
{
    net_start();
    RUN(test_model);
    WSACleanup();
}
