/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every benchmark program shares, on Windows and on Linux: arguments, clock, the meter that
 * decides when a measurement is over, the watchdog, threads, and the one result line that run.py
 * reads. Calls the C library and the system's thread and clock calls; takes no locks. The meter
 * belongs to one thread. Included once per program, before any other header.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#ifdef _WIN32
#define __USE_MINGW_ANSI_STDIO 1
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#else
#define _GNU_SOURCE 1
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#endif
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_MAX_THREADS 8

#ifdef _WIN32
#define BENCH_PRINTF __MINGW_PRINTF_FORMAT
#else
#define BENCH_PRINTF printf
#endif

struct bench_args {
    const char *row;  /* name for the result line */
    const char *call; /* which call the per-call program measures */
    unsigned conns;
    unsigned idle; /* sockets beside them on which nothing happens */
    unsigned size;
    unsigned sockets;
    unsigned window;
    unsigned latency; /* not 0: print how long operations took (latency.h) */
    double seconds; /* measured time */
    double warmup;  /* time before it, not counted */
    uint64_t ops;   /* not 0: exactly that many operations, no warm-up (for counting requests) */
    unsigned marks; /* with ops: a trace shows where the second and the last quarter begin */
    double limit;   /* the watchdog ends the program this many seconds after its set-up */
    double setup;   /* and after so many if it is not set up by then */
};

static struct bench_args bench_args = {
    .row = "unnamed", .call = "", .conns = 1,    .size = 64,   .sockets = 1,
    .window = 1,      .seconds = 1.5, .warmup = 0.3, .limit = 12.0, .setup = 12.0,
};
static unsigned long bench_tids[BENCH_MAX_THREADS];
static unsigned bench_tid_count;

/* -- clock ------------------------------------------------------------------------------------ */

static inline uint64_t bench_now(void)
{
#ifdef _WIN32
    static LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    if (!frequency.QuadPart)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    return (uint64_t)((double)now.QuadPart * (1e9 / (double)frequency.QuadPart));
#else
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/* -- failure ---------------------------------------------------------------------------------- */

/* Ends the process whatever its other threads do: a thread may hang inside the DLL under test, and
 * an orderly exit would wait for its locks. */
__attribute__((noreturn)) static inline void bench_exit_now(int status)
{
    fflush(stdout);
    fflush(stderr);
#ifdef _WIN32
    TerminateProcess(GetCurrentProcess(), (UINT)status);
    for (;;)
        Sleep(INFINITE);
#else
    _exit(status);
#endif
}

__attribute__((noreturn, format(BENCH_PRINTF, 1, 2))) static inline void
bench_die(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", bench_args.row);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    bench_exit_now(2);
}

static inline void *bench_alloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        bench_die("out of memory for %zu x %zu bytes", count, size);
    return memory;
}

/* -- threads ---------------------------------------------------------------------------------- */

struct bench_thread {
    void (*main)(void *arg);
    void *arg;
#ifdef _WIN32
    HANDLE handle;
#else
    pthread_t handle;
#endif
};

/* The thread ids let run.py pick this program's requests out of a trace of the whole prefix. Called
 * by the main thread only. */
static inline void bench_note_tid(unsigned long tid)
{
    if (bench_tid_count < BENCH_MAX_THREADS)
        bench_tids[bench_tid_count++] = tid;
}

#ifdef _WIN32
static DWORD WINAPI bench_thread_entry(void *arg)
{
    struct bench_thread *thread = arg;

    thread->main(thread->arg);
    return 0;
}
#else
static void *bench_thread_entry(void *arg)
{
    struct bench_thread *thread = arg;

    thread->main(thread->arg);
    return NULL;
}
#endif

static inline void bench_thread_start(struct bench_thread *thread, void (*main)(void *), void *arg)
{
    thread->main = main;
    thread->arg = arg;
#ifdef _WIN32
    DWORD tid;

    thread->handle = CreateThread(NULL, 0, bench_thread_entry, thread, 0, &tid);
    if (!thread->handle)
        bench_die("CreateThread failed, error %lu", GetLastError());
    bench_note_tid(tid);
#else
    int error = pthread_create(&thread->handle, NULL, bench_thread_entry, thread);

    if (error)
        bench_die("pthread_create: %s", strerror(error));
#endif
}

static inline void bench_thread_join(struct bench_thread *thread)
{
#ifdef _WIN32
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
#else
    pthread_join(thread->handle, NULL);
#endif
}

static atomic_bool bench_is_set_up;

/* Setting up thousands of connections takes seconds where the measurement takes one: each has a time
 * of its own. */
static void bench_watchdog(void *arg)
{
    double limit = bench_args.setup;
    bool set_up = false;

    (void)arg;
    for (uint64_t since = bench_now(); (double)(bench_now() - since) < limit * 1e9;) {
#ifdef _WIN32
        Sleep(250);
#else
        usleep(250000);
#endif
        if (!set_up && atomic_load(&bench_is_set_up)) {
            set_up = true;
            since = bench_now();
            limit = bench_args.limit;
        }
    }
    fprintf(stderr, "%s: not %s after %.0f s, given up\n", bench_args.row,
            set_up ? "finished" : "set up", limit);
    bench_exit_now(3);
}

/* -- arguments -------------------------------------------------------------------------------- */

static inline double bench_number(const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !(value >= 0) || value > 1e9)
        bench_die("%s: not a number I can use: %s", name, text);
    return value;
}

static inline void bench_option(const char *name, const char *value)
{
    static const struct {
        const char *name;
        unsigned *target;
    } counts[] = {{"--conns", &bench_args.conns},
                  {"--size", &bench_args.size},
                  {"--idle", &bench_args.idle},
                  {"--sockets", &bench_args.sockets},
                  {"--marks", &bench_args.marks},
                  {"--latency", &bench_args.latency},
                  {"--window", &bench_args.window}};
    static const struct {
        const char *name;
        double *target;
    } times[] = {{"--seconds", &bench_args.seconds},
                 {"--warmup", &bench_args.warmup},
                 {"--limit", &bench_args.limit},
                 {"--setup", &bench_args.setup}};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (!strcmp(name, counts[i].name)) {
            *counts[i].target = (unsigned)bench_number(name, value);
            if (!*counts[i].target && counts[i].target != &bench_args.idle)
                bench_die("%s must not be 0", name);
            return;
        }
    }
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (!strcmp(name, times[i].name)) {
            *times[i].target = bench_number(name, value);
            return;
        }
    }
    if (!strcmp(name, "--row"))
        bench_args.row = value;
    else if (!strcmp(name, "--call"))
        bench_args.call = value;
    else if (!strcmp(name, "--ops"))
        bench_args.ops = (uint64_t)bench_number(name, value);
    else
        bench_die("unknown option %s", name);
}

static inline void bench_start(int argc, char **argv)
{
    static struct bench_thread watchdog;

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            bench_die("%s needs a value", argv[i]);
        bench_option(argv[i], argv[i + 1]);
    }
#ifdef _WIN32
    bench_note_tid(GetCurrentThreadId());
#endif
    bench_thread_start(&watchdog, bench_watchdog, NULL);
}

/* -- meter ------------------------------------------------------------------------------------ */

struct bench_meter {
    uint64_t begin; /* start of the warm-up */
    uint64_t start; /* start of the measurement, 0 while warming up */
    uint64_t last;  /* end of the last operation */
    uint64_t busy;  /* nanoseconds that the counted operations took */
    uint64_t ops;
    bool done;
};

static inline void meter_start(struct bench_meter *meter)
{
    memset(meter, 0, sizeof(*meter));
    atomic_store(&bench_is_set_up, true);
    meter->begin = meter->last = bench_now();
    if (bench_args.ops || bench_args.warmup <= 0)
        meter->start = meter->begin;
}

/* An event's name goes to wineserver, so whoever traces the program finds it there, and between two
 * of them what the operations in the middle cost (tests/test_counts.py).  Nothing on Linux. */
static inline void meter_mark(const struct bench_meter *meter, uint64_t ops, uint64_t at)
{
    if (meter->ops < at || meter->ops - ops >= at)
        return;
#ifdef _WIN32
    char name[64];

    snprintf(name, sizeof(name), "ringsock-ops-%" PRIu64, meter->ops);
    if (!CreateEventA(NULL, TRUE, FALSE, name))
        bench_die("CreateEvent failed, error %lu", GetLastError());
#endif
}

/* `ops` operations took from `from` to `to`; time between laps is not counted. */
static inline void meter_lap(struct bench_meter *meter, uint64_t ops, uint64_t from, uint64_t to)
{
    meter->last = to;
    if (!meter->start) {
        if ((double)(to - meter->begin) >= bench_args.warmup * 1e9)
            meter->start = to;
        return;
    }
    if (meter->done)
        return;
    meter->ops += ops;
    meter->busy += to - from;
    if (bench_args.marks) {
        meter_mark(meter, ops, bench_args.ops / 4);
        meter_mark(meter, ops, bench_args.ops - bench_args.ops / 4);
    }
    if (bench_args.ops)
        meter->done = meter->ops >= bench_args.ops;
    else
        meter->done = (double)(to - meter->start) >= bench_args.seconds * 1e9;
}

/* `ops` operations have ended since the last call. */
static inline void meter_add(struct bench_meter *meter, uint64_t ops)
{
    meter_lap(meter, ops, meter->last, bench_now());
}

/* How many operations to do before asking the clock again. */
static inline unsigned meter_batch(const struct bench_meter *meter, unsigned most)
{
    if (bench_args.ops && bench_args.ops - meter->ops < most)
        return (unsigned)(bench_args.ops - meter->ops);
    return most;
}

/* -- result ----------------------------------------------------------------------------------- */

/* One line: how many operations in how many seconds, how many bytes one operation moved, how many
 * values were compared with what they must be, and the ids of the threads. */
static inline int bench_result(const struct bench_meter *meter, uint64_t bytes, uint64_t checked)
{
    if (!meter->ops || !meter->busy)
        bench_die("no operation was measured");
    if (!checked)
        bench_die("nothing was verified");
    printf("RESULT row=%s ops=%" PRIu64 " seconds=%.9f bytes_per_op=%" PRIu64 " checked=%" PRIu64
           " tids=",
           bench_args.row, meter->ops, (double)meter->busy / 1e9, bytes, checked);
    for (unsigned i = 0; i < bench_tid_count; i++)
        printf("%s%04lx", i ? "," : "", bench_tids[i]);
    printf("%s\n", bench_tid_count ? "" : "-");
    fflush(stdout);
    return 0;
}

#endif
