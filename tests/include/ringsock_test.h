/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small test header for Windows programs, with the words of Wine's test framework.
 *
 * Owns: the counters, the todo and context state of each thread, the watchdog, main().  Include it
 * from exactly one source file of a program, which writes START_TEST(name) { ... }.
 * May call: kernel32, the C library; it never calls Winsock, so that a test may start with
 * anything. Locks: none; counters are interlocked, the rest is per thread (a TLS slot, because
 * compiler TLS would pull in another run-time library).
 *
 *   ok(condition, format, ...)       one check; ok_(file, line)(...) reports another place
 *   todo_wine STATEMENT              the checks in it fail on Wine's built-in DLL, and only there
 *   todo_wine_if(flag) STATEMENT     the same if flag is true
 *   broken(condition)                true only on real Windows: an old Windows's deviation
 *   skip(format, ...), win_skip()    count and say that something could not be checked
 *   trace(format, ...)               say something when RINGSOCK_TEST_DEBUG is set
 *   winetest_push_context(format, ...), winetest_pop_context()
 *   RUN(test_function, arguments)    runs it and prints what it counted
 *
 * RINGSOCK_TEST_TARGET=ours says that ws2_32.dll is Ringsock's: then todo_wine means nothing, since
 * we claim what Windows does, and finding Wine's built-in DLL in the process is a failure.
 * The exit code is the number of failures, at most 255.  RINGSOCK_TEST_TIMEOUT: seconds until the
 * watchdog ends a program that hangs (60).
 */
#ifndef RINGSOCK_TEST_H
#define RINGSOCK_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define RT_UNUSED   __attribute__((unused))
#define RT_CONTEXTS 8
#define RT_TODO_WINE 8 /* the todo marks were made on this Wine; a newer one may have mended some */

/* msvcrt.dll's own does not know %zu and friends */
#ifdef __MINGW32__
#define rt_vsnprintf __mingw_vsnprintf
#else
#define rt_vsnprintf vsnprintf
#endif

struct rt_thread {
    const char *file;
    int line;
    int todo;  /* depth of todo blocks that count */
    int depth; /* of contexts, may exceed RT_CONTEXTS */
    char context[RT_CONTEXTS][128];
};

struct rt_counts {
    LONG executed, failures, todos, skipped;
    LONG left_out; /* on_builtin() was true */
};

static struct {
    DWORD tls;
    struct rt_counts counts;
    BOOL wine, ours, debug;
    BOOL newer; /* a Wine newer than the one that the todo marks are about */
    const char *name;
} rt;

static struct rt_thread *rt_self(void)
{
    DWORD error = GetLastError(); /* TlsGetValue sets it */
    struct rt_thread *self = TlsGetValue(rt.tls);

    if (!self) {
        self = calloc(1, sizeof(*self));
        if (!self) {
            fputs("ringsock_test: out of memory\n", stderr);
            ExitProcess(255);
        }
        TlsSetValue(rt.tls, self);
    }
    SetLastError(error);
    return self;
}

/* One line in one write, so that threads and processes do not mix theirs. */
static void rt_say(struct rt_thread *self, const char *kind, const char *format, va_list args)
{
    char line[1024];
    int used, i;

    used = snprintf(line, sizeof(line), "%s:%d: %s: ", self->file ? self->file : rt.name,
                    self->line, kind);
    for (i = 0; i < self->depth && i < RT_CONTEXTS && used < 700; i++)
        used += snprintf(line + used, sizeof(line) - used, "%s: ", self->context[i]);
    if (format)
        used += rt_vsnprintf(line + used, sizeof(line) - used, format, args);
    if (used > (int)sizeof(line) - 2)
        used = sizeof(line) - 2;
    if (!used || line[used - 1] != '\n')
        line[used++] = '\n';
    fwrite(line, 1, used, stdout);
    fflush(stdout);
}

/* The checks keep the last error: a test often looks at it after several of them. */
static RT_UNUSED void __attribute__((format(gnu_printf, 2, 3)))
rt_check(int passed, const char *format, ...)
{
    DWORD error = GetLastError();
    struct rt_thread *self = rt_self();
    va_list args;

    va_start(args, format);
    InterlockedIncrement(&rt.counts.executed);
    if (self->todo && !passed) {
        InterlockedIncrement(&rt.counts.todos);
        if (rt.debug)
            rt_say(self, "Test marked todo", format, args);
    } else if (self->todo && !rt.newer) {
        InterlockedIncrement(&rt.counts.failures);
        rt_say(self, "Test succeeded inside todo block", format, args);
    } else if (!passed) {
        InterlockedIncrement(&rt.counts.failures);
        rt_say(self, "Test failed", format, args);
    }
    va_end(args);
    SetLastError(error);
}

static RT_UNUSED void __attribute__((format(gnu_printf, 1, 2))) rt_skip(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    InterlockedIncrement(&rt.counts.skipped);
    rt_say(rt_self(), "Tests skipped", format, args);
    va_end(args);
}

static RT_UNUSED void __attribute__((format(gnu_printf, 1, 2))) rt_trace(const char *format, ...)
{
    va_list args;

    if (!rt.debug)
        return;
    va_start(args, format);
    rt_say(rt_self(), "Trace", format, args);
    va_end(args);
}

static RT_UNUSED BOOL rt_on_builtin(void)
{
    if (!rt.wine || rt.ours)
        return FALSE;
    InterlockedIncrement(&rt.counts.left_out);
    return TRUE;
}

typedef void (*rt_check_fn)(int, const char *, ...) __attribute__((format(gnu_printf, 2, 3)));
typedef void (*rt_say_fn)(const char *, ...) __attribute__((format(gnu_printf, 1, 2)));

/* Remembering the place and handing out the function makes ok_(file, line)(...) one expression. */
static struct rt_thread *rt_place(const char *file, int line)
{
    DWORD error = GetLastError();
    struct rt_thread *self = rt_self();
    const char *slash = strrchr(file, '/');

    self->file = slash ? slash + 1 : file;
    self->line = line;
    SetLastError(error);
    return self;
}
static RT_UNUSED rt_check_fn rt_check_at(const char *file, int line)
{
    rt_place(file, line);
    return rt_check;
}
static RT_UNUSED rt_say_fn rt_skip_at(const char *file, int line)
{
    rt_place(file, line);
    return rt_skip;
}
static RT_UNUSED rt_say_fn rt_trace_at(const char *file, int line)
{
    rt_place(file, line);
    return rt_trace;
}

/* 2 inside a todo block that counts, 1 inside one that does not; the block may change what its
 * condition looked at, so the end gets that number back. */
static RT_UNUSED int rt_todo_begin(int flag)
{
    int counts = flag && rt.wine && !rt.ours;

    rt_self()->todo += counts;
    return 1 + counts;
}

static RT_UNUSED int rt_todo_end(int begun)
{
    rt_self()->todo -= begun - 1;
    return 0;
}

static RT_UNUSED void __attribute__((format(gnu_printf, 1, 2)))
winetest_push_context(const char *format, ...)
{
    struct rt_thread *self = rt_self();
    va_list args;

    va_start(args, format);
    if (self->depth < RT_CONTEXTS)
        rt_vsnprintf(self->context[self->depth], sizeof(self->context[0]), format, args);
    self->depth++;
    va_end(args);
}

static RT_UNUSED void winetest_pop_context(void)
{
    struct rt_thread *self = rt_self();

    if (self->depth)
        self->depth--;
}

#define ok_(file, line) (*rt_check_at(file, line))
/* the condition first: it sets the last error that the rest prints */
#define ok(condition, ...)                               \
    do {                                                 \
        int rt_passed = !!(condition);                   \
        ok_(__FILE__, __LINE__)(rt_passed, __VA_ARGS__); \
    } while (0)
#define skip_(file, line) (*rt_skip_at(file, line))
#define skip(...)         skip_(__FILE__, __LINE__)(__VA_ARGS__)
#define win_skip(...)     skip_(__FILE__, __LINE__)(__VA_ARGS__)
#define trace(...)        (*rt_trace_at(__FILE__, __LINE__))(__VA_ARGS__)
/* where the built-in would crash or hang: leave out what documentation allows */
#define on_builtin()      rt_on_builtin()
#define broken(condition) (!rt.wine && (condition))
#define RT_PASTE2(a, b)   a##b
#define RT_PASTE(a, b)    RT_PASTE2(a, b)
#define RT_TODO(once, is_todo) \
    for (int once = rt_todo_begin(is_todo); once; once = rt_todo_end(once))
#define todo_wine_if(is_todo) RT_TODO(RT_PASTE(rt_once_, __COUNTER__), !!(is_todo))
#define todo_wine             todo_wine_if(1)

/* ---- the program ---- */

/* What one test function added, on a line of its own: docs/wsarecv.md is checked against it. */
static RT_UNUSED void rt_report(const char *test, const struct rt_counts *before)
{
    const struct rt_counts *now = &rt.counts;

    printf("%s: %s: %ld checks, %ld todo, %ld failed, %ld skipped, %ld left out\n", rt.name, test,
           now->executed - before->executed, now->todos - before->todos,
           now->failures - before->failures, now->skipped - before->skipped,
           now->left_out - before->left_out);
    fflush(stdout);
}
#define RUN(test, ...)                            \
    do {                                          \
        struct rt_counts rt_before = rt.counts;   \
        test(__VA_ARGS__);                        \
        rt_report(#test, &rt_before);             \
    } while (0)

static void rt_summary(void)
{
    printf("%s: %ld tests executed (%ld marked as todo, %ld as failures), %ld skipped.\n", rt.name,
           rt.counts.executed, rt.counts.todos, rt.counts.failures, rt.counts.skipped);
    fflush(stdout);
}

/* A hang is a failure with a name, not a stuck test run.  TerminateProcess, because what hangs may
 * hold the loader lock that ExitProcess wants. */
static DWORD WINAPI rt_watchdog(void *done)
{
    const char *text = getenv("RINGSOCK_TEST_TIMEOUT");
    DWORD seconds = text && atoi(text) > 0 ? (DWORD)atoi(text) : 60;

    if (WaitForSingleObject(done, seconds * 1000) == WAIT_TIMEOUT) {
        printf("%s: Test failed: not finished after %lu s\n", rt.name, seconds);
        InterlockedIncrement(&rt.counts.failures);
        rt_summary();
        TerminateProcess(GetCurrentProcess(), rt.counts.failures > 255 ? 255 : rt.counts.failures);
    }
    return 0;
}

/* Wine marks its own modules behind the DOS header, in memory too. */
static void rt_check_target(void)
{
    const char *module = (const char *)GetModuleHandleA("ws2_32.dll");

    if (module && !strncmp(module + 0x40, "Wine ", 5)) {
        printf("%s: Test failed: RINGSOCK_TEST_TARGET=ours, but ws2_32.dll is Wine's\n", rt.name);
        InterlockedIncrement(&rt.counts.failures);
    }
}

static int rt_main(const char *name, void (*test)(void))
{
    const char *target = getenv("RINGSOCK_TEST_TARGET");
    const char *(CDECL * wine_version)(void);
    HANDLE done, thread;

    rt.name = name;
    rt.tls = TlsAlloc();
    wine_version = (void *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version");
    rt.wine = wine_version != NULL;
    rt.newer = wine_version && atoi(wine_version()) > RT_TODO_WINE;
    rt.ours = target && !strcmp(target, "ours");
    rt.debug = getenv("RINGSOCK_TEST_DEBUG") != NULL;
    /* a crash must end the program, not start a debugger that waits */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    done = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, rt_watchdog, done, 0, NULL);
    if (rt.tls == TLS_OUT_OF_INDEXES || !done || !thread) {
        printf("%s: Test failed: cannot start\n", name);
        return 1;
    }
    if (rt.ours)
        rt_check_target();
    test();
    SetEvent(done);
    WaitForSingleObject(thread, INFINITE);
    rt_summary();
    return rt.counts.failures > 255 ? 255 : rt.counts.failures;
}

#define START_TEST(name)                       \
    static void rt_test_##name(void);          \
    int main(void)                             \
    {                                          \
        return rt_main(#name, rt_test_##name); \
    }                                          \
    static void rt_test_##name(void)

#endif
