/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registered I/O at random, beside what every buffer must hold: several connections and datagram
 * pairs on one completion queue, each way at the same time, deferred and committed by chance, of
 * random sizes, told by polling, by event or by port.  No byte may be lost, doubled or out of order,
 * and each request must complete once.
 *
 * RINGSOCK_TEST_SEED repeats a run, RINGSOCK_TEST_OPERATIONS (requests, 20,000) makes it longer.  A
 * failure ends the program, because nothing after it means anything.
 */
#include "rio_api.h"
#include "model_random.h"

#define CONNECTIONS 4
#define PAIRS       2
#define ENDS        (2 * (CONNECTIONS + PAIRS))
#define DEPTH       12 /* outstanding requests of an end, in each direction */
#define LARGEST     20000u
#define DATAGRAM    1400u

struct request {
    struct end *end;
    BOOL sends, used;
    ULONG size;
    unsigned int number; /* of its direction */
};

struct end {
    rq_t rq;
    SOCKET s;
    BOOL datagrams;
    ULONG64 key, peer_key; /* of what it sends and receives */
    ULONG64 sent, received; /* posted; taken out of completions */
    unsigned int sends, receives, next_send, next_receive, deferred[2];
    unsigned int pending[2];
    BYTE *memory;
    buffer_t id;
    struct request requests[2][DEPTH];
};

static struct end ends[ENDS];
static struct random chance;
static cq_t cq;
static ULONG64 posted, completed, bytes_moved;
static ULONG64 limit = 20000, seed;
static BOOL stopping; /* no sends any more */

static void __attribute__((format(gnu_printf, 2, 3))) check(BOOL holds, const char *format, ...)
{
    char text[256];
    va_list args;

    if (holds)
        return;
    va_start(args, format);
    rt_vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ok(FALSE, "seed %#llx: %s\n", seed, text);
    ExitProcess(1);
}

/* Where request i of a direction has its memory. */
static ULONG place(BOOL sends, unsigned int i)
{
    return ((sends ? DEPTH : 0) + i) * LARGEST;
}

static struct request *unused(struct end *end, BOOL sends, unsigned int *index)
{
    unsigned int i;

    for (i = 0; i < DEPTH; i++)
        if (!end->requests[sends][i].used) {
            *index = i;
            return &end->requests[sends][i];
        }
    return NULL;
}

static void post(struct end *end, BOOL sends)
{
    unsigned int index, most = end->datagrams ? DATAGRAM : LARGEST;
    struct request *request = unused(end, sends, &index);
    DWORD flags = random_chance(&chance, 60) ? MSG_DEFER : 0;
    struct slice slice;
    BOOL posted_it;

    if (!request)
        return;
    request->end = end;
    request->sends = sends;
    request->used = TRUE;
    request->size = end->datagrams && !sends ? most : 1 + random_size(&chance, most - 1);
    request->number = sends ? end->sends++ : end->receives++;
    slice = (struct slice){end->id, place(sends, index), request->size};
    if (sends && end->datagrams)
        sequence_bytes(end->key + request->number, 0, end->memory + slice.offset, slice.length);
    else if (sends)
        sequence_bytes(end->key, end->sent, end->memory + slice.offset, slice.length);
    if (sends)
        end->sent += request->size;
    if (random_chance(&chance, 20))
        flags |= MSG_DONT_NOTIFY;
    posted_it = sends ? rio.send(end->rq, &slice, 1, flags, request)
                      : rio.receive(end->rq, &slice, 1, flags, request);
    check(posted_it, "request refused, error %d", WSAGetLastError());
    end->deferred[sends] = flags & MSG_DEFER ? end->deferred[sends] + 1 : 0;
    end->pending[sends]++;
    posted++;
}

static void commit(struct end *end, BOOL sends)
{
    BOOL done = sends ? rio.send(end->rq, NULL, 0, MSG_COMMIT, NULL)
                      : rio.receive(end->rq, NULL, 0, MSG_COMMIT, NULL);

    check(done, "commit refused, error %d", WSAGetLastError());
    end->deferred[sends] = 0;
}

static void commit_all(void)
{
    int i;

    for (i = 0; i < ENDS; i++) {
        commit(&ends[i], FALSE);
        commit(&ends[i], TRUE);
    }
}

/* ---- completions ---- */

static void check_bytes(struct end *end, const BYTE *got, ULONG count)
{
    static BYTE expected[LARGEST];
    unsigned int i;

    sequence_bytes(end->peer_key + (end->datagrams ? end->next_receive : 0),
                   end->datagrams ? 0 : end->received, expected, count);
    for (i = 0; i < count && got[i] == expected[i]; i++)
        ;
    check(i == count, "wrong byte %u of %lu behind %llu", i, count, end->received);
}

static void complete(const struct result *result)
{
    struct request *request = (struct request *)(ULONG_PTR)result->request_context;
    struct end *end = (struct end *)(ULONG_PTR)result->socket_context;
    BOOL sends = request->sends;
    unsigned int *next = sends ? &end->next_send : &end->next_receive;

    check(request->end == end && request->used, "a completion of nothing");
    check(!result->status, "status %ld", result->status);
    if (!end->datagrams || !sends) /* the first datagram to somebody is told later than the others */
        check(request->number == *next, "request %u completed, %u is next", request->number, *next);
    if (sends) {
        check(result->bytes == request->size, "%lu of %lu bytes sent", result->bytes,
              request->size);
    } else {
        check(result->bytes && result->bytes <= request->size, "%lu of %lu bytes received",
              result->bytes, request->size);
        check_bytes(end, end->memory + place(FALSE, (unsigned)(request - end->requests[FALSE])),
                    result->bytes);
        end->received += result->bytes;
        bytes_moved += result->bytes;
    }
    ++*next;
    request->used = FALSE;
    end->pending[sends]--;
    completed++;
}

static ULONG take(void)
{
    struct result results[7];
    ULONG count = rio.dequeue(cq, results, 1 + random_below(&chance, 7)), i;

    check(count != CORRUPT_CQ, "the completion queue is corrupt");
    for (i = 0; i < count; i++)
        complete(&results[i]);
    return count;
}

/* ---- telling ---- */

static struct notification how;
static OVERLAPPED dedicated;
static BOOL armed;

static void wait_for_something(void)
{
    OVERLAPPED *got = NULL;
    ULONG_PTR key;
    DWORD bytes;
    int error;

    /* what does not notify is seen by polling only; so nobody waits for long */
    if (!how.type)
        return;
    if (!armed) {
        error = rio.notify(cq);
        check(!error, "RIONotify gave %d", error);
        armed = TRUE;
    }
    if (how.type == 1)
        armed = WaitForSingleObject(how.u.event.handle, 20) != WAIT_OBJECT_0;
    else if (GetQueuedCompletionStatus(how.u.port.port, &bytes, &key, &got, 20)) {
        check(got == &dedicated && key == 99, "a strange packet");
        armed = FALSE;
    }
}

/* ---- the run ---- */

static void open_end(struct end *end, SOCKET s, BOOL datagrams, unsigned int role)
{
    memset(end, 0, sizeof(*end));
    end->s = s;
    end->datagrams = datagrams;
    end->key = random_mix(seed + 2 * role);
    end->peer_key = random_mix(seed + 2 * (role ^ 1));
    end->rq = rio.create_rq(s, DEPTH, 1, DEPTH, 1, cq, cq, end);
    check(end->rq != NULL, "RIOCreateRequestQueue error %d", WSAGetLastError());
    end->memory = malloc(2 * DEPTH * LARGEST);
    end->id = rio.register_buffer(end->memory, 2 * DEPTH * LARGEST);
    check(end->id != BAD_BUFFER, "RIORegisterBuffer error %d", WSAGetLastError());
}

static void open_ends(void)
{
    struct sockaddr_storage address[2];
    unsigned int i;
    SOCKET s[2];

    for (i = 0; i < ENDS; i += 2) {
        BOOL datagrams = i >= 2 * CONNECTIONS;

        if (datagrams) {
            s[0] = rio_udp(AF_INET, &address[0]);
            s[1] = rio_udp(AF_INET, &address[1]);
            connect(s[0], (struct sockaddr *)&address[1], sizeof(struct sockaddr_in));
            connect(s[1], (struct sockaddr *)&address[0], sizeof(struct sockaddr_in));
        } else {
            rio_pair(&s[0], &s[1]);
        }
        open_end(&ends[i], s[0], datagrams, i);
        open_end(&ends[i + 1], s[1], datagrams, i + 1);
    }
}

/* Datagrams must find a receive or room in the window: no more on the way than are posted. */
static BOOL may_send(const struct end *end)
{
    const struct end *peer = &ends[(end - ends) ^ 1];

    return !stopping && !(end->datagrams && end->sends - peer->next_receive >= DEPTH);
}

static void step(void)
{
    struct end *end = &ends[random_below(&chance, ENDS)];
    BOOL sends = random_chance(&chance, 50);

    if (random_chance(&chance, 10))
        commit(end, sends);
    else if (!sends || may_send(end))
        post(end, sends);
}

/* Everything that was sent arrives: receives are posted until it has. */
static BOOL all_arrived(void)
{
    int i;

    for (i = 0; i < ENDS; i++) {
        const struct end *end = &ends[i], *peer = &ends[i ^ 1];

        if (end->datagrams ? end->next_receive != peer->sends : end->received != peer->sent)
            return FALSE;
        if (end->pending[TRUE])
            return FALSE;
    }
    return TRUE;
}

static void finish(void)
{
    DWORD start = GetTickCount();
    int i;

    stopping = TRUE;
    while (!all_arrived()) {
        commit_all();
        for (i = 0; i < ENDS; i++)
            if (!ends[i].pending[FALSE])
                post(&ends[i], FALSE);
        commit_all();
        if (!take())
            wait_for_something();
        check(GetTickCount() - start < 30000, "%llu of %llu requests completed, then nothing",
              completed, posted);
    }
}

/* What waits then completes because its socket is closed, each once. */
static void close_ends(void)
{
    struct result results[16];
    ULONG count, i;
    int k;

    for (k = 0; k < ENDS; k++)
        closesocket(ends[k].s);
    while ((count = rio_take(cq, results, 1))) {
        for (i = 0; i < count; i++) {
            struct request *request = (struct request *)(ULONG_PTR)results[i].request_context;

            check(request->used && !request->sends, "a completion of nothing");
            check(results[i].status == WSA_OPERATION_ABORTED || results[i].status == WSAECONNRESET ||
                      (!results[i].status && !results[i].bytes),
                  "status %ld, %lu bytes", results[i].status, results[i].bytes);
            request->used = FALSE;
            completed++;
        }
        if (completed == posted)
            break;
    }
    check(completed == posted, "%llu requests, %llu completions", posted, completed);
    check(!rio.dequeue(cq, results, 16), "one completion too many");
    for (k = 0; k < ENDS; k++) {
        rio.deregister(ends[k].id);
        free(ends[k].memory);
    }
}

static void test_model(int type)
{
    ULONG64 last = posted + limit / 3;
    DWORD start = GetTickCount();

    memset(&how, 0, sizeof(how));
    how.type = type;
    if (type == 1) {
        how.u.event.handle = CreateEventA(NULL, TRUE, FALSE, NULL);
        how.u.event.reset = TRUE;
    } else if (type == 2) {
        how.u.port.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        how.u.port.key = (void *)99;
        how.u.port.overlapped = &dedicated;
    }
    armed = stopping = FALSE;
    cq = rio.create_cq(2 * DEPTH * ENDS, type ? &how : NULL);
    check(cq != NULL, "RIOCreateCompletionQueue error %d", WSAGetLastError());
    open_ends();
    while (posted < last) {
        ULONG64 before = posted;
        int i;

        for (i = 0; i < 20; i++)
            step();
        if (random_chance(&chance, 50) || posted == before)
            commit_all();
        if (!take() && posted == before)
            wait_for_something();
    }
    finish();
    close_ends();
    rio.close_cq(cq);
    if (type == 1)
        CloseHandle(how.u.event.handle);
    else if (type == 2)
        CloseHandle(how.u.port.port);
    ok(completed == posted, "some are missing\n");
    printf("rio_model: %llu requests, %llu bytes, told by %d, in %lu ms\n", completed, bytes_moved,
           type, GetTickCount() - start);
}

START_TEST(rio_model)
{
    char value[32];

    net_start();
    if (!rio_load()) {
        skip("no registered I/O here\n");
        WSACleanup();
        return;
    }
    seed = GetTickCount64() ^ (ULONG64)GetCurrentProcessId() << 32;
    if (GetEnvironmentVariableA("RINGSOCK_TEST_SEED", value, sizeof(value)))
        seed = strtoull(value, NULL, 0);
    if (GetEnvironmentVariableA("RINGSOCK_TEST_OPERATIONS", value, sizeof(value)))
        limit = strtoull(value, NULL, 0);
    printf("rio_model: seed %#llx\n", seed);
    chance = random_branch(seed, 0);
    RUN(test_model, 0);
    RUN(test_model, 1);
    RUN(test_model, 2);
    WSACleanup();
}
