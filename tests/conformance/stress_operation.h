/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receives whose memory is watched when they have ended, for the stress of cancelling and closing.
 *
 * Owns: two pages for each operation, one of its buffer and one of its OVERLAPPED; the list of
 * those that are spare, oldest first, so that an operation rests for a while before it is used
 * again.  While it rests its pages are inaccessible, or hold FILL and nothing else; a handler that
 * stands before all others notices whoever touches them, even the guarded accesses of a DLL that
 * would survive the fault.  Lock: spare_lock, inside of everything.
 */
#ifndef RINGSOCK_TESTS_STRESS_OPERATION_H
#define RINGSOCK_TESTS_STRESS_OPERATION_H

#include "model_failure.h"
#include "model_random.h"

#define FILL       0xa5
#define PAGE       4096u
#define OPERATIONS 384u
#define RESTING    64u /* so many at least are not used again yet */
#define SIZE_MAX_  4000u

/* How its end is told. */
enum style {
    BY_EVENT,  /* and with a port by nothing else: the low bit is set */
    BY_ROUTINE,
    BY_ASKING, /* without a port: nothing but its status */
    BY_PACKET,
    BY_BOTH, /* event and packet */
    STYLES,
};
static const char *const style_names[STYLES] = {"event", "routine", "status", "packet",
                                                "event and packet"};

enum state { SPARE, PENDING, ENDED };

struct flow;
struct actor;

struct operation {
    WSAOVERLAPPED *ov;
    BYTE *buffer;
    DWORD size;
    enum style style;
    LONG volatile state;
    HANDLE event;
    struct flow *flow;
    struct actor *issuer;
    struct operation *next; /* of its flow or of those that are spare */
    BOOL hidden;
};

static BYTE *stress_pages;
static struct operation operations[OPERATIONS];
static struct operation *spare_first, **spare_link = &spare_first;
static unsigned int spare_count;
static CRITICAL_SECTION spare_lock;

static LONG volatile stress_operations, stress_cancelled, stress_aborted, stress_sends;

static BYTE *pages_of(const struct operation *operation)
{
    return stress_pages + (size_t)(operation - operations) * 2 * PAGE;
}

static struct operation *operation_of(const void *address)
{
    size_t offset = (size_t)((const BYTE *)address - stress_pages);

    return offset < OPERATIONS * 2 * PAGE ? &operations[offset / (2 * PAGE)] : NULL;
}

static void __attribute__((noreturn))
operation_failed(const struct operation *operation, const char *what)
{
    model_failed("operation %d (%s, %lu bytes): %s", (int)(operation - operations),
                 style_names[operation->style], operation->size, what);
}

/* ---- memory ---- */

static void set_protection(void *memory, size_t size, DWORD protection)
{
    DWORD old;

    if (!VirtualProtect(memory, size, protection, &old))
        model_failed("VirtualProtect error %lu", GetLastError());
}

static BOOL holds_fill(const BYTE *memory, size_t size)
{
    return memory[0] == FILL && !memcmp(memory, memory + 1, size - 1);
}

/* What is hidden elsewhere, such as what a send was made from. */
#define HIDDEN_MAX 16
static struct {
    BYTE *memory;
    size_t size;
} hideable[HIDDEN_MAX];
static LONG volatile hideable_count;

static BYTE *hideable_memory(size_t size)
{
    LONG number = InterlockedIncrement(&hideable_count) - 1;

    hideable[number].size = size;
    return hideable[number].memory =
               VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
}

static LONG CALLBACK on_fault(EXCEPTION_POINTERS *exception)
{
    const EXCEPTION_RECORD *record = exception->ExceptionRecord;
    const BYTE *address;
    LONG i;

    if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION || record->NumberParameters < 2)
        return EXCEPTION_CONTINUE_SEARCH;
    address = (const BYTE *)record->ExceptionInformation[1];
    if (operation_of(address))
        operation_failed(operation_of(address), record->ExceptionInformation[0]
                                                    ? "is written to after its end"
                                                    : "is read after its end");
    for (i = 0; i < hideable_count; i++)
        if ((size_t)(address - hideable[i].memory) < hideable[i].size)
            model_failed("a send's memory is used after its end");
    return EXCEPTION_CONTINUE_SEARCH;
}

static void operations_open(void)
{
    unsigned int i;

    InitializeCriticalSection(&spare_lock);
    stress_pages = VirtualAlloc(NULL, OPERATIONS * 2 * PAGE, MEM_RESERVE | MEM_COMMIT,
                                PAGE_READWRITE);
    memset(stress_pages, FILL, OPERATIONS * 2 * PAGE);
    for (i = 0; i < OPERATIONS; i++) {
        operations[i].event = CreateEventA(NULL, TRUE, FALSE, NULL);
        *spare_link = &operations[i];
        spare_link = &operations[i].next;
    }
    spare_count = OPERATIONS;
    AddVectoredExceptionHandler(1, on_fault);
}

/* ---- one after the other ---- */

static void check_rest(struct operation *operation)
{
    if (operation->hidden)
        set_protection(pages_of(operation), 2 * PAGE, PAGE_READWRITE);
    operation->hidden = FALSE;
    if (operation->state != SPARE || !holds_fill(pages_of(operation), 2 * PAGE))
        operation_failed(operation, "something was written after its end");
    if (WaitForSingleObject(operation->event, 0) != WAIT_TIMEOUT)
        operation_failed(operation, "its event was set after its end");
}

/* NULL if all that have rested long enough are in use. */
static struct operation *operation_take(struct random *random, enum style style,
                                        DWORD size_max)
{
    struct operation *operation = NULL;
    BYTE *pages;

    EnterCriticalSection(&spare_lock);
    if (spare_count > RESTING) {
        operation = spare_first;
        spare_first = operation->next;
        spare_count--;
    }
    LeaveCriticalSection(&spare_lock);
    if (!operation)
        return NULL;
    check_rest(operation);
    pages = pages_of(operation);
    operation->next = NULL;
    operation->style = style;
    operation->size = 1 + random_size(random, size_max - 1);
    operation->buffer = random_chance(random, 50) ? pages : pages + PAGE - operation->size;
    operation->ov = (WSAOVERLAPPED *)(pages + PAGE);
    memset(operation->ov, 0, sizeof(*operation->ov));
    operation->state = PENDING;
    InterlockedIncrement(&stress_operations);
    return operation;
}

static void operation_retire(struct operation *operation, BOOL hide)
{
    memset(pages_of(operation), FILL, 2 * PAGE);
    ResetEvent(operation->event);
    operation->flow = NULL;
    operation->state = SPARE;
    operation->next = NULL;
    if ((operation->hidden = hide))
        set_protection(pages_of(operation), 2 * PAGE, PAGE_NOACCESS);
    EnterCriticalSection(&spare_lock);
    *spare_link = operation;
    spare_link = &operation->next;
    spare_count++;
    LeaveCriticalSection(&spare_lock);
}

/* Told by a routine or a packet: each once. */
static void operation_told(struct operation *operation)
{
    if (InterlockedCompareExchange(&operation->state, ENDED, PENDING) != PENDING)
        operation_failed(operation, "has ended twice");
    InterlockedIncrement(&model_progress);
}

/* At the end of the program: all are spare again, and quiet. */
static void operations_check(void)
{
    unsigned int i;

    if (spare_count != OPERATIONS)
        model_failed("%u operations have not ended", OPERATIONS - spare_count);
    for (i = 0; i < OPERATIONS; i++)
        check_rest(&operations[i]);
}

#endif
