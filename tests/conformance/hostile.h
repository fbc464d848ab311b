/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls with hostile arguments: a walker for tables of exports.
 *
 * A row says what each parameter of an export is (hostile_values.h), how its failure shows and what
 * it may fail with.  hostile_walk calls it with all arguments in order, then with each hostile
 * value of each parameter, then with every pair of hostile values of every two parameters, and
 * checks after each call that the result is one that the row allows and that nothing was written
 * before the memory of a parameter or to memory that is only read.  A call that crashes is a failed
 * check, and the walk goes on behind it.
 *
 * To add an export: a row.  tests/test_exports.py says which export is in no table.
 */
#ifndef RINGSOCK_TESTS_HOSTILE_H
#define RINGSOCK_TESTS_HOSTILE_H

#include "hostile_values.h"

enum hostile_failure {
    FAILS_MINUS_ONE, /* SOCKET_ERROR or INVALID_SOCKET, and WSAGetLastError */
    FAILS_NULL,      /* NULL, FALSE or 0, and WSAGetLastError */
    FAILS_CODE,      /* returns the error, 0 for success */
    FAILS_ERRNO,     /* SOCKET_ERROR, and the error where HOSTILE_ERROR points to */
    FAILS_NEVER,     /* each result is a value */
};

struct hostile_row {
    const char *name;
    enum hostile_failure failure;
    const int *errors; /* what it may fail with, up to 0 */
    struct hostile_parameter parameters[HOSTILE_PARAMETERS + 1];
    void *const *function; /* where that of an extension stands; NULL: an export */
    int refuses;  /* the error with which it answers arguments that are in order; 0: none */
    BOOL anytime; /* works before WSAStartup too */
    BOOL singles; /* slow: no pairs */
    void (*undo)(const ULONG_PTR *words, INT_PTR result); /* after success, or if it pends */
};

/* {CALL(recv, FAILS_MINUS_ONE, its_errors, A_SOCKET, ...)}, or with more fields behind it */
#define CALL(export, fails, may_fail_with, ...) \
    .name = #export, .failure = fails, .errors = may_fail_with, .parameters = {__VA_ARGS__}
/* The same of an extension function, which the variable points to */
#define EXTENSION(called, variable, fails, may_fail_with, ...)                 \
    .name = #called, .function = (void *const *)&(variable), .failure = fails, \
    .errors = may_fail_with, .parameters = {__VA_ARGS__}

static void *hostile_export(const char *name)
{
    return (void *)GetProcAddress(GetModuleHandleA("ws2_32"), name);
}

/* ---- crashes ---- */

static struct {
    void *jump[5];
    DWORD thread; /* whose calls are watched; 0: none is under way */
    void *address;
} hostile_crash;

static void __attribute__((noreturn)) hostile_land(void)
{
    __builtin_longjmp(hostile_crash.jump, 1);
}

/* Of what nobody else handles: an exception in the call under test ends the call. */
static LONG CALLBACK hostile_filter(EXCEPTION_POINTERS *exception)
{
    CONTEXT *context = exception->ContextRecord;

    if (hostile_crash.thread != GetCurrentThreadId())
        return EXCEPTION_CONTINUE_SEARCH;
    hostile_crash.thread = 0;
    hostile_crash.address = exception->ExceptionRecord->ExceptionAddress;
#ifdef _WIN64
    context->Rip = (ULONG_PTR)hostile_land;
    context->Rsp = (context->Rsp & ~(ULONG_PTR)15) - 1024 - 8;
#else
    context->Eip = (ULONG_PTR)hostile_land;
    context->Esp = (context->Esp & ~(ULONG_PTR)15) - 1024 - 4;
#endif
    return EXCEPTION_CONTINUE_EXECUTION;
}

static RT_UNUSED void hostile_start(void)
{
    unsigned i;

    hostile.half = hostile_pages(HOSTILE_PAGE);
    hostile.inaccessible = hostile.half + HOSTILE_PAGE;
    for (i = 0; i < HOSTILE_PARAMETERS; i++)
        hostile.arenas[i] = hostile_pages(HOSTILE_ARENA);
    hostile.data = hostile_pages(HOSTILE_PAGE) + HOSTILE_PAGE - HOSTILE_DATA_SIZE;
    hostile.read_only = VirtualAlloc(NULL, 65536, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
    hostile.reserved = VirtualAlloc(NULL, 65536, MEM_RESERVE, PAGE_NOACCESS);
    ok(hostile.read_only && hostile.reserved, "error %lu\n", GetLastError());
    hostile.event = CreateEventA(NULL, TRUE, FALSE, NULL);
    hostile.s = INVALID_SOCKET;
    SetUnhandledExceptionFilter(hostile_filter);
}

/* ---- calling ---- */

#define HOSTILE_CALL(count, ...) \
    case count:                  \
        return ((INT_PTR(WSAAPI *)(HOSTILE_WORDS_##count))function)(__VA_ARGS__)
#define HOSTILE_WORDS_0  void
#define HOSTILE_WORDS_1  ULONG_PTR
#define HOSTILE_WORDS_2  HOSTILE_WORDS_1, ULONG_PTR
#define HOSTILE_WORDS_3  HOSTILE_WORDS_2, ULONG_PTR
#define HOSTILE_WORDS_4  HOSTILE_WORDS_3, ULONG_PTR
#define HOSTILE_WORDS_5  HOSTILE_WORDS_4, ULONG_PTR
#define HOSTILE_WORDS_6  HOSTILE_WORDS_5, ULONG_PTR
#define HOSTILE_WORDS_7  HOSTILE_WORDS_6, ULONG_PTR
#define HOSTILE_WORDS_8  HOSTILE_WORDS_7, ULONG_PTR
#define HOSTILE_WORDS_9  HOSTILE_WORDS_8, ULONG_PTR
#define HOSTILE_WORDS_10 HOSTILE_WORDS_9, ULONG_PTR
#define HOSTILE_WORDS_12 HOSTILE_WORDS_10, ULONG_PTR, ULONG_PTR

/* With as many words as it takes: on i386 the function takes them off the stack. */
static INT_PTR __attribute__((noinline))
hostile_call(void *function, unsigned count, const ULONG_PTR *a)
{
    switch (count) {
        HOSTILE_CALL(0);
        HOSTILE_CALL(1, a[0]);
        HOSTILE_CALL(2, a[0], a[1]);
        HOSTILE_CALL(3, a[0], a[1], a[2]);
        HOSTILE_CALL(4, a[0], a[1], a[2], a[3]);
        HOSTILE_CALL(5, a[0], a[1], a[2], a[3], a[4]);
        HOSTILE_CALL(6, a[0], a[1], a[2], a[3], a[4], a[5]);
        HOSTILE_CALL(7, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
        HOSTILE_CALL(8, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
        HOSTILE_CALL(9, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
        HOSTILE_CALL(10, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
        HOSTILE_CALL(12, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
    }
    ok(0, "%u parameters\n", count);
    return 0;
}

/* FALSE: it crashed */
static BOOL __attribute__((noinline))
hostile_survives(void *function, unsigned count, const ULONG_PTR *words, INT_PTR *result)
{
    if (__builtin_setjmp(hostile_crash.jump))
        return FALSE;
    hostile_crash.thread = GetCurrentThreadId();
    WSASetLastError(0xdead);
    *result = hostile_call(function, count, words);
    hostile_crash.thread = 0;
    return TRUE;
}

/* ---- what came of a call ---- */

struct hostile_attempt {
    const struct hostile_row *row;
    void *function;
    unsigned count, first, first_value, second, second_value;
    ULONG_PTR words[HOSTILE_PARAMETERS];
    WSAOVERLAPPED *overlapped; /* the good one, where there is one */
    BOOL with_routine;
    int error; /* 0: success */
};

#define HOSTILE_OK(attempt, condition, format, ...)                                              \
    do {                                                                                         \
        if (!(condition))                                                                        \
            ok(0, "parameter %u value %u, parameter %u value %u: " format, (attempt)->first,     \
               (attempt)->first_value, (attempt)->second, (attempt)->second_value, __VA_ARGS__); \
    } while (0)

/* The row's way to tell of a failure; 0: it did not fail; -1: it did, but where the error is was
 * hostile too */
static int hostile_error(const struct hostile_attempt *attempt, INT_PTR result)
{
    unsigned i;

    switch (attempt->row->failure) {
    case FAILS_MINUS_ONE:
        return (int)result == -1 ? WSAGetLastError() : 0;
    case FAILS_NULL: /* a BOOL has 32 bits */
        return !result ? WSAGetLastError() : 0;
    case FAILS_CODE:
        return (int)result;
    case FAILS_ERRNO:
        if ((int)result != -1)
            return 0;
        for (i = 0; i < attempt->count; i++)
            if (attempt->row->parameters[i].kind == HOSTILE_ERROR &&
                attempt->words[i] == (ULONG_PTR)hostile_memory(i, sizeof(int)))
                return *(int *)attempt->words[i];
        return -1;
    default:
        return 0;
    }
}

static BOOL hostile_allowed(const struct hostile_row *row, int error)
{
    const int *allowed = row->errors;

    if (!error || error == -1 || (!hostile.started && error == WSANOTINITIALISED))
        return TRUE;
    while (allowed && *allowed && *allowed != error)
        allowed++;
    return allowed && *allowed;
}

/* Nothing before the memory, and nothing at all in what is only read */
static BOOL hostile_intact(const struct hostile_attempt *attempt)
{
    unsigned i, j;

    for (i = 0; i < attempt->count; i++) {
        const struct hostile_parameter *parameter = &attempt->row->parameters[i];
        const char *memory = hostile_memory(i, parameter->size % HOSTILE_ARENA) - HOSTILE_GUARD;

        if (!hostile_has_memory(parameter->kind) ||
            (parameter->kind == HOSTILE_TEXT || parameter->kind == HOSTILE_WIDE))
            continue;
        for (j = 0; j < HOSTILE_GUARD; j++)
            if (memory[j] != HOSTILE_CANARY)
                return FALSE;
        if (parameter->kind == HOSTILE_IN && parameter->good && i != attempt->first &&
            i != attempt->second &&
            memcmp(memory + HOSTILE_GUARD, parameter->good, parameter->size))
            return FALSE;
    }
    return TRUE;
}

/* What was begun must be over before its memory is used again. */
static void hostile_settle(const struct hostile_attempt *attempt)
{
    ULONGLONG start = GetTickCount64();
    DWORD bytes, flags;

    if (attempt->error == WSA_IO_PENDING && attempt->overlapped) {
        CancelIoEx((HANDLE)hostile.s, (OVERLAPPED *)attempt->overlapped);
        while (!WSAGetOverlappedResult(hostile.s, attempt->overlapped, &bytes, FALSE, &flags) &&
               WSAGetLastError() == WSA_IO_INCOMPLETE && GetTickCount64() - start < NET_PATIENCE)
            Sleep(1);
        HOSTILE_OK(attempt, attempt->overlapped->Internal != (ULONG_PTR)0x103, "%s\n",
                   "does not end");
    }
    if (attempt->with_routine)
        SleepEx(0, TRUE);
}

/* ---- the walk ---- */

static void hostile_arguments(struct hostile_attempt *attempt)
{
    const struct hostile_parameter *parameter = attempt->row->parameters;
    unsigned i;

    attempt->overlapped = NULL;
    attempt->with_routine = FALSE;
    for (i = 0; i < attempt->count; i++, parameter++) {
        unsigned number = i == attempt->first    ? attempt->first_value
                          : i == attempt->second ? attempt->second_value
                                                 : 0;

        attempt->words[i] = hostile_value(i, parameter, number);
        if (parameter->kind == HOSTILE_OVERLAPPED)
            attempt->overlapped = (WSAOVERLAPPED *)hostile_memory(i, sizeof(WSAOVERLAPPED));
        attempt->with_routine |= parameter->kind == HOSTILE_ROUTINE && attempt->words[i];
    }
}

/* The parameters `first` and `second` with these values, the others in order */
static void hostile_make(struct hostile_attempt *attempt, unsigned first, unsigned first_value,
                         unsigned second, unsigned second_value)
{
    INT_PTR result = 0;

    attempt->first = first;
    attempt->first_value = first_value;
    attempt->second = second;
    attempt->second_value = second_value;
    hostile_arguments(attempt);
    hostile.calls++;
    if (!hostile_survives(attempt->function, attempt->count, attempt->words, &result)) {
        HOSTILE_OK(attempt, 0, "crashed at %p\n", hostile_crash.address);
        attempt->error = -1;
        return;
    }
    attempt->error = hostile_error(attempt, result);
    HOSTILE_OK(attempt, hostile_allowed(attempt->row, attempt->error), "result %p, error %d\n",
               (void *)result, attempt->error);
    hostile_settle(attempt);
    HOSTILE_OK(attempt, hostile_intact(attempt), "%s\n", "wrote where it must not");
    if ((!attempt->error || attempt->error == WSA_IO_PENDING) && attempt->row->undo)
        attempt->row->undo(attempt->words, result);
}

/* With arguments that are in order: how it should end is known but for sockets in any state. */
static void hostile_good(struct hostile_attempt *attempt, void (*before)(void))
{
    before();
    hostile_make(attempt, HOSTILE_PARAMETERS, 0, HOSTILE_PARAMETERS, 0);
    if (!hostile.started && !attempt->row->anytime)
        ok(attempt->error == WSANOTINITIALISED, "not started: error %d\n", attempt->error);
    else if (!hostile.any_state)
        ok(attempt->error == attempt->row->refuses, "good arguments: error %d\n", attempt->error);
}

/* The exports of 64-bit Windows for its 32-bit catalog */
static BOOL hostile_only_64(const char *name)
{
    return sizeof(void *) == 4 && !strcmp(name + strlen(name) - 2, "32");
}

static RT_UNUSED void hostile_nothing(void)
{
}

/* `before` is called before each call, to restore what the one before may have used up. */
static RT_UNUSED void hostile_walk(const struct hostile_row *row, void (*before)(void))
{
    struct hostile_attempt attempt = {.row = row};
    const struct hostile_parameter *parameters = row->parameters;
    unsigned first, second, i, j;

    if (hostile_only_64(row->name))
        return;
    winetest_push_context("%s", row->name);
    attempt.function = row->function ? *row->function : hostile_export(row->name);
    ok(attempt.function != NULL, "there is no such export\n");
    while (parameters[attempt.count].kind)
        attempt.count++;
    hostile_good(&attempt, before);
    for (first = 0; first < attempt.count; first++)
        for (i = 1; i < hostile_count(&parameters[first]); i++) {
            before();
            hostile_make(&attempt, first, i, HOSTILE_PARAMETERS, 0);
            for (second = first + 1;
                 hostile.started && !hostile.singles && !row->singles && second < attempt.count;
                 second++)
                for (j = 1; j < hostile_count(&parameters[second]); j++) {
                    before();
                    hostile_make(&attempt, first, i, second, j);
                }
        }
    winetest_pop_context();
}

static RT_UNUSED void hostile_walk_table(const struct hostile_row *rows, size_t count,
                                         void (*before)(void))
{
    LONG calls = hostile.calls;
    size_t i;

    for (i = 0; i < count; i++)
        hostile_walk(&rows[i], before);
    ok(hostile.calls > calls, "nothing was called\n");
    trace("%ld calls\n", hostile.calls - calls);
}

/* Between this and hostile_end the table's rows are walked with Winsock started; before and after
 * it is not.  FALSE: not at all, as Wine's own DLL crashes at the first bad pointer. */
static RT_UNUSED BOOL hostile_begin(const struct hostile_row *rows, size_t count,
                                    void (*before)(void))
{
    hostile_start();
    if (on_builtin())
        return FALSE;
    hostile_walk_table(rows, count, before);
    net_start();
    return hostile.started = TRUE;
}

static RT_UNUSED void hostile_end(const struct hostile_row *rows, size_t count,
                                  void (*before)(void))
{
    ok_success(WSACleanup());
    hostile.started = FALSE;
    hostile_walk_table(rows, count, before);
    trace("%ld calls\n", hostile.calls);
}

#endif
