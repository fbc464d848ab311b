/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The channel to the server (see session.h).  Owns the current session and its submission ring.
 * session_open takes open_lock (outermost); submit_begin..submit_end hold submit_lock (innermost).
 */
#include "session.h"
#include "inbound.h"
#include "intercept.h"
#include "log.h"
#include "ntcalls.h"
#include "request.h"
#include "runtime.h"
#include "spin.h"

#ifndef RINGSOCK_VERSION
#define RINGSOCK_VERSION "0"
#endif

#define JOIN_TRIES 20

static SRWLOCK open_lock = SRWLOCK_INIT;
static struct session *volatile current;

uint64_t rs_clock(void)
{
    static LONGLONG frequency;
    LARGE_INTEGER counter, per_second;

    NtQueryPerformanceCounter(&counter, frequency ? NULL : &per_second);
    if (!frequency)
        frequency = per_second.QuadPart;
    if (frequency == 10000000)
        return counter.QuadPart;
    return (uint64_t)((double)counter.QuadPart * 1e7 / (double)frequency);
}

struct session *session_current(void)
{
    struct session *session = current;

    return session && !session->dead ? session : NULL;
}

static HANDLE open_fifo(const WCHAR *path, DWORD access, DWORD flags, bool inherit)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, inherit};
    HANDLE handle = CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, &attributes,
                                OPEN_EXISTING, flags, NULL);

    return handle == INVALID_HANDLE_VALUE ? NULL : handle;
}

HANDLE session_open_wake(const struct session *session, uint32_t slot, DWORD access)
{
    WCHAR path[RUNTIME_PATH_MAX];

    swprintf(path, ARRAYSIZE(path), L"%ls\\w%u", session->directory, slot);
    return open_fifo(path, access, 0, false);
}

HANDLE session_open_anchor(const struct session *session, uint32_t number, bool inherit)
{
    int runtime = (int)(wcsrchr(session->directory, '\\') - session->directory);
    WCHAR path[RUNTIME_PATH_MAX];

    swprintf(path, ARRAYSIZE(path), L"%.*ls\\anchors%u\\%u", runtime, session->directory,
             number % RS_ANCHOR_DIRS, number);
    /* these are the rights of a SOCKET (Wine's test_open_device, run on Windows) */
    return open_fifo(path, GENERIC_READ | GENERIC_WRITE | WRITE_DAC, FILE_FLAG_OVERLAPPED, inherit);
}

/* ---- opening ---- */

static bool part_fits(const struct rs_segment *segment, uint32_t offset, uint64_t size)
{
    return offset % 64 == 0 && offset <= segment->segment_size &&
           size <= segment->segment_size - offset;
}

static bool segment_valid(const struct rs_segment *segment, uint64_t session, uint64_t file_size)
{
    uint32_t ring = segment->ring_size;

    return segment->magic == RS_MAGIC && segment->protocol == RS_PROTOCOL &&
           segment->session == session && segment->segment_size <= file_size &&
           ring >= 4 * RS_MAX_RECORD && !(ring & (ring - 1)) &&
           part_fits(segment, segment->sub_data, ring) &&
           part_fits(segment, segment->comp_data, ring) && segment->slot_count &&
           part_fits(segment, segment->slots,
                     (uint64_t)segment->slot_count * sizeof(struct rs_slot)) &&
           part_fits(segment, segment->sockets,
                     (uint64_t)segment->socket_count * sizeof(struct rs_socket_shared)) &&
           part_fits(segment, segment->groups, (uint64_t)segment->group_count * sizeof(uint32_t));
}

static struct rs_segment *map_segment(const WCHAR *directory, uint64_t session)
{
    WCHAR path[RUNTIME_PATH_MAX];
    struct rs_segment *segment = NULL;
    LARGE_INTEGER size;
    HANDLE file, mapping;

    swprintf(path, ARRAYSIZE(path), L"%ls\\shm", directory);
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return NULL;
    if (GetFileSizeEx(file, &size) && size.QuadPart >= (LONGLONG)sizeof(*segment) &&
        (mapping = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 0, NULL))) {
        segment = MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
        CloseHandle(mapping);
    }
    CloseHandle(file);
    if (segment && !segment_valid(segment, session, size.QuadPart)) {
        UnmapViewOfFile(segment);
        segment = NULL;
    }
    return segment;
}

static HANDLE open_bell(const WCHAR *directory)
{
    WCHAR path[RUNTIME_PATH_MAX];

    swprintf(path, ARRAYSIZE(path), L"%ls\\bell", directory);
    return open_fifo(path, GENERIC_WRITE, 0, false);
}

static void use_segment(struct session *session, struct rs_segment *segment)
{
    uint8_t *base = (uint8_t *)segment;
    uint32_t size = segment->ring_size;

    session->segment = segment;
    session->slots = (struct rs_slot *)(base + segment->slots);
    session->slot_count = segment->slot_count;
    session->sockets = (struct rs_socket_shared *)(base + segment->sockets);
    session->socket_count = segment->socket_count;
    session->groups = (uint32_t *)(base + segment->groups);
    session->group_count = segment->group_count;
    session->sub = (struct rs_ring_end){&segment->sub, base + segment->sub_data, size, 0};
    session->comp = (struct rs_ring_end){&segment->comp, base + segment->comp_data, size, 0};
}

static struct session *session_create(const struct runtime *runtime, const struct rs_ticket *ticket)
{
    struct session *session = calloc(1, sizeof(*session));
    struct rs_segment *segment = NULL;

    if (!session)
        return NULL;
    swprintf(session->directory, ARRAYSIZE(session->directory), L"%ls\\s%016llx",
             runtime->directory, (unsigned long long)ticket->session);
    if (!(segment = map_segment(session->directory, ticket->session)))
        goto failed;
    use_segment(session, segment);
    if (!(session->by_index = calloc(session->socket_count, sizeof(*session->by_index))) ||
        !(session->bell = open_bell(session->directory)) ||
        !(session->pump_fifo = session_open_wake(session, 0, GENERIC_READ)))
        goto failed;
    return session;

failed:
    log_error("cannot set up a session in %ls, error %lu", session->directory, GetLastError());
    if (session->bell)
        CloseHandle(session->bell);
    free(session->by_index);
    if (segment)
        UnmapViewOfFile(segment);
    free(session);
    return NULL;
}

static uint32_t parent_process(void)
{
    PROCESS_BASIC_INFORMATION information = {0};

    NtQueryInformationProcess(GetCurrentProcess(), ProcessBasicInformation, &information,
                              sizeof(information), NULL);
    return (uint32_t)information.InheritedFromUniqueProcessId;
}

static void send_hello(struct session *session, const char *program)
{
    struct rs_record *record =
        submit_begin(session, RS_SUB_HELLO, 0, 0, sizeof(*record) + sizeof(struct rs_hello));
    struct rs_hello *hello;

    if (!record)
        return;
    hello = (struct rs_hello *)(record + 1);
    memset(hello, 0, sizeof(*hello));
    hello->windows_pid = GetCurrentProcessId();
    hello->windows_parent = parent_process();
    hello->pointer_bits = 8 * sizeof(void *);
    snprintf(hello->dll_version, sizeof(hello->dll_version), "%s", RINGSOCK_VERSION);
    snprintf(hello->program, sizeof(hello->program), "%s", program);
    submit_end(session, record, sizeof(*record) + sizeof(*hello), 0);
}

static const char *program_name(char *path, DWORD size)
{
    DWORD length = GetModuleFileNameA(NULL, path, size);
    const char *name;

    if (!length || length >= size)
        return "?";
    name = strrchr(path, '\\');
    return name ? name + 1 : path;
}

/* A ticket may be of a server that has just died: the FIFO keeps it while anybody has it open. */
static bool server_lives(struct session *session)
{
    struct request request = {.session = session, .type = RS_SUB_HOSTNAME};

    return request_call(&request) != WSAENETDOWN;
}

/* A session of a living server; the ticket is used up in any case. */
static struct session *session_of_ticket(const struct runtime *runtime,
                                         const struct rs_ticket *ticket, const char *program)
{
    struct session *session = session_create(runtime, ticket);

    if (!session || !pump_start(session))
        return NULL;
    send_hello(session, program);
    return server_lives(session) ? session : NULL;
}

static DWORD session_join(const struct runtime *runtime, struct session **session)
{
    char path[MAX_PATH];
    const char *program = program_name(path, sizeof(path));
    struct rs_ticket ticket;
    DWORD error;

    for (int tries = 0; tries < JOIN_TRIES; tries++) {
        if ((error = runtime_join(runtime, &ticket)))
            return error;
        if ((*session = session_of_ticket(runtime, &ticket, program))) {
            log_info("ringsock: %s in %s, Wine %s, server pid %u (%ls)", RINGSOCK_VERSION, program,
                     log_wine_version(), (*session)->segment->server_pid, runtime->server);
            return 0;
        }
        Sleep(10);
    }
    return WSASYSNOTREADY;
}

static DWORD session_start(struct session **session)
{
    struct runtime *runtime = calloc(1, sizeof(*runtime));
    DWORD error;

    if (!runtime)
        return WSAENOBUFS;
    spin_prepare();
    if (!(error = runtime_locate(runtime)))
        error = session_join(runtime, session);
    free(runtime);
    return error;
}

DWORD session_open(struct session **session)
{
    DWORD error = 0;

    if ((*session = session_current()))
        return 0;
    AcquireSRWLockExclusive(&open_lock);
    if (!(*session = session_current()) && !(error = session_start(session)))
        current = *session;
    ReleaseSRWLockExclusive(&open_lock);
    return error;
}

/* ---- the submission ring ---- */

void session_ring_bell(struct session *session)
{
    uint64_t *sleeping = &session->segment->sleeping_until;
    DWORD count;

    /* pairs with the server's store before it looks at the ring a last time */
    if (__atomic_load_n(sleeping, __ATOMIC_SEQ_CST) &&
        __atomic_exchange_n(sleeping, 0, __ATOMIC_SEQ_CST))
        WriteFile(session->bell, "", 1, &count, NULL); /* no reader: the pump sees that as well */
}

/* The server always drains the ring, so this is short: yield first, sleep a little after that. */
static void wait_for_room(struct session *session, unsigned int round)
{
    session_ring_bell(session);
    if (round < 64)
        SwitchToThread();
    else
        Sleep(1);
}

struct rs_record *submit_begin(struct session *session, uint16_t type, uint16_t flags,
                               uint32_t socket, uint32_t size)
{
    struct rs_record *record = NULL;
    unsigned int round = 0;

    AcquireSRWLockExclusive(&session->submit_lock);
    while (!session->dead && !(record = rs_ring_reserve(&session->sub, size)))
        wait_for_room(session, round++);
    if (!record) {
        ReleaseSRWLockExclusive(&session->submit_lock);
        return NULL;
    }
    memset(record, 0, sizeof(*record));
    record->type = type;
    record->flags = flags;
    record->socket = socket;
    return record;
}

void submit_publish(struct session *session, struct rs_record *record, uint32_t size,
                    uint32_t length)
{
    record->length = length;
    rs_ring_publish(&session->sub, record, size);
    ReleaseSRWLockExclusive(&session->submit_lock);
}

void submit_end(struct session *session, struct rs_record *record, uint32_t size, uint32_t length)
{
    submit_publish(session, record, size, length);
    session_ring_bell(session);
}

void submit_abandon(struct session *session)
{
    ReleaseSRWLockExclusive(&session->submit_lock);
}

void submit_simple(struct session *session, uint16_t type, uint16_t flags, uint32_t socket)
{
    struct rs_record *record = submit_begin(session, type, flags, socket, sizeof(*record));

    if (record)
        submit_end(session, record, sizeof(*record), 0);
}

void submit_quietly(struct session *session, uint16_t type, uint32_t socket)
{
    struct rs_record *record = submit_begin(session, type, 0, socket, sizeof(*record));

    if (record)
        submit_publish(session, record, sizeof(*record), 0);
}

/* The threads of the program order what they do among themselves; the word needs no order. */
void submit_mark(struct session *session)
{
    uint32_t tail = __atomic_load_n(&session->sub.shared->tail, __ATOMIC_RELAXED);

    __atomic_store_n(&session->mark, tail | 1, __ATOMIC_RELAXED);
}

uint32_t submit_marked(const struct session *session)
{
    return __atomic_load_n(&session->mark, __ATOMIC_RELAXED);
}

bool submit_is_past(const struct session *session, uint32_t mark)
{
    /* pairs with the release in rs_ring_consume_end: what came of those records is in comp by now
     */
    uint32_t head = __atomic_load_n(&session->sub.shared->head, __ATOMIC_ACQUIRE);

    return (int32_t)(head - (mark & ~1u)) >= 0;
}

bool submit_is_all_past(const struct session *session)
{
    return submit_is_past(session, __atomic_load_n(&session->sub.shared->tail, __ATOMIC_RELAXED));
}

void submit_unmark(struct session *session, uint32_t mark)
{
    __atomic_compare_exchange_n(&session->mark, &mark, 0, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

/* ---- the completion ring ---- */

void session_reap(struct session *session)
{
    struct rs_record header;
    const uint8_t *body;
    enum rs_peek peek;

    if (!rs_ring_pending(&session->comp))
        return;
    AcquireSRWLockExclusive(&session->reap_lock);
    while ((peek = rs_ring_peek(&session->comp, &header, &body)) == RS_PEEK_RECORD) {
        inbound_record(session, &header, body); /* before the skip: pairs with finds_nothing */
        rs_ring_skip(&session->comp, &header);
        rs_ring_consume_end(&session->comp);
    }
    if (peek == RS_PEEK_CORRUPT)
        log_once(LOG_ERROR, "the completion ring is corrupt");
    ReleaseSRWLockExclusive(&session->reap_lock);
}
