/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls with hostile arguments: a walker for tables of exports.
 *
 * A row says what each parameter of a function is (enum hostile_kind).  For each kind there is a
 * list of values, the first of them in order, the others NULL, 1, memory that is not there, not all
 * there, read-only or the kernel's, lengths and counts that cannot be, and so on.  hostile_walk
 * calls the function with every pair of values of every two parameters, the others being in order,
 * and checks after each call that the result is one that the row allows and that no byte around the
 * good memory has changed.  That the program still runs then is the rest of the test.
 *
 * To add an export: a row.  To add a kind of parameter: a case in hostile_value and its count.
 */
#ifndef RINGSOCK_TESTS_HOSTILE_H
#define RINGSOCK_TESTS_HOSTILE_H

#include "net.h"

enum hostile_kind {
    HOSTILE_END,
    HOSTILE_SOCKET,
    HOSTILE_DATA,        /* char * */
    HOSTILE_LENGTH,      /* int, of the data */
    HOSTILE_FLAGS,       /* MSG_* */
    HOSTILE_FLAGS_WORD,  /* DWORD *, in and out */
    HOSTILE_WORD,        /* DWORD *, out */
    HOSTILE_BUFFERS,     /* WSABUF * */
    HOSTILE_COUNT,       /* of those */
    HOSTILE_FROM,        /* sockaddr *, out */
    HOSTILE_FROM_LENGTH, /* int *, in and out */
    HOSTILE_TO,          /* sockaddr *, in */
    HOSTILE_TO_LENGTH,
    HOSTILE_OVERLAPPED, /* may be NULL */
    HOSTILE_ROUTINE,
    HOSTILE_MESSAGE, /* WSAMSG *, in */
};

#define HOSTILE_PARAMETERS 9

struct hostile_row {
    const char *name;
    FARPROC function;  /* returns an int, SOCKET_ERROR for failure */
    const int *errors; /* what it may fail with, up to 0 */
    enum hostile_kind kinds[HOSTILE_PARAMETERS + 1];
};

/* ---- memory: each block of the good memory has a canary on both sides ---- */

#define HOSTILE_CANARY 0x5c

struct hostile_memory {
    char before[64];
    DWORD flags, word;
    int from_length;
    char behind_words[52];
    WSABUF buffers[4];
    WSAMSG message;
    char behind_buffers[64];
    struct sockaddr_storage from, to;
    char behind_addresses[64];
    WSAOVERLAPPED overlapped;
    char behind[64];
};

static struct {
    SOCKET s;
    struct sockaddr_storage to; /* where datagrams may go */
    int to_length;
    HANDLE event;
    char *half, *inaccessible, *read_only,
        *reserved; /* half: the page before an inaccessible one */
    char *data;    /* HOSTILE_DATA_SIZE bytes at the end of such a page, their canary before them */
    struct hostile_memory *good; /* likewise */
    LONG calls;
} hostile;

#define HOSTILE_DATA_SIZE 64

/* A page with an inaccessible one behind it */
static char *hostile_pages(void)
{
    char *pages = VirtualAlloc(NULL, 2 * 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD old;

    ok(pages != NULL, "error %lu\n", GetLastError());
    ok(VirtualProtect(pages + 4096, 4096, PAGE_NOACCESS, &old), "error %lu\n", GetLastError());
    return pages;
}

static RT_UNUSED void hostile_start(void)
{
    hostile.half = hostile_pages();
    hostile.inaccessible = hostile.half + 4096;
    hostile.read_only = VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READONLY);
    hostile.reserved = VirtualAlloc(NULL, 4096, MEM_RESERVE, PAGE_NOACCESS);
    ok(hostile.read_only && hostile.reserved, "error %lu\n", GetLastError());
    hostile.data = hostile_pages() + 4096 - HOSTILE_DATA_SIZE;
    hostile.good = (struct hostile_memory *)(hostile_pages() + 4096 - sizeof(*hostile.good));
    hostile.event = CreateEventA(NULL, TRUE, FALSE, NULL);
}

static void hostile_fill(void)
{
    struct hostile_memory *good = hostile.good;
    unsigned i;

    memset(good, HOSTILE_CANARY, sizeof(*good));
    memset(hostile.data - 64, HOSTILE_CANARY, 64);
    memset(hostile.data, 'd', HOSTILE_DATA_SIZE);
    good->flags = good->word = 0;
    good->from_length = sizeof(good->from);
    for (i = 0; i < ARRAYSIZE(good->buffers); i++)
        good->buffers[i] = (WSABUF){HOSTILE_DATA_SIZE, hostile.data};
    good->to = hostile.to;
    memset(&good->from, 0, sizeof(good->from));
    memset(&good->overlapped, 0, sizeof(good->overlapped));
    good->overlapped.hEvent = hostile.event;
    memset(&good->message, 0, sizeof(good->message));
    good->message.name = (struct sockaddr *)&good->to;
    good->message.namelen = hostile.to_length;
    good->message.lpBuffers = good->buffers;
    good->message.dwBufferCount = 1;
}

static BOOL hostile_untouched(const void *canary, size_t size)
{
    const char *bytes = canary;

    while (size-- && bytes[size] == HOSTILE_CANARY)
        ;
    return size == (size_t)-1;
}

static BOOL hostile_intact(void)
{
    const struct hostile_memory *good = hostile.good;

    return hostile_untouched(good->before, sizeof(good->before)) &&
           hostile_untouched(hostile.data - 64, 64) &&
           hostile_untouched(good->behind_words, sizeof(good->behind_words)) &&
           hostile_untouched(good->behind_buffers, sizeof(good->behind_buffers)) &&
           hostile_untouched(good->behind_addresses, sizeof(good->behind_addresses)) &&
           hostile_untouched(good->behind, sizeof(good->behind));
}

/* ---- values ---- */

static void CALLBACK hostile_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                     DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
}

#define HOSTILE_POINTERS 8

/* Number 0 is the good one. */
static ULONG_PTR hostile_pointer(unsigned number, void *good, size_t size)
{
    switch (number) {
    case 0:
        return (ULONG_PTR)good;
    case 1:
        return 0;
    case 2:
        return 1;
    case 3:
        return (ULONG_PTR)hostile.inaccessible;
    case 4:
        return (ULONG_PTR)hostile.half + 4096 - size / 2; /* the first half is there */
    case 5:
        return (ULONG_PTR)hostile.read_only; /* and all zero */
    case 6:
        return (ULONG_PTR)hostile.reserved;
    default:
        return (ULONG_PTR)-4096; /* the kernel's */
    }
}

static ULONG_PTR hostile_length(unsigned number, int good)
{
    const int values[] = {good, 0, 1, -1, INT_MAX, INT_MIN, 0x10000};

    return (ULONG_PTR)(LONG_PTR)values[number];
}

static ULONG_PTR hostile_flags(unsigned number)
{
    static const DWORD values[] = {0, MSG_PEEK, MSG_OOB, 8 /* MSG_WAITALL */, MSG_PARTIAL, ~0u};

    return values[number];
}

/* Pointers to arrays, and a good pointer to one whose entries are hostile */
static ULONG_PTR hostile_buffers(unsigned number)
{
    struct hostile_memory *good = hostile.good;

    if (number < HOSTILE_POINTERS)
        return hostile_pointer(number, good->buffers, sizeof(good->buffers));
    number -= HOSTILE_POINTERS;
    if (number < HOSTILE_POINTERS)
        good->buffers[0].buf = (char *)hostile_pointer(number, NULL, HOSTILE_DATA_SIZE);
    else
        good->buffers[0].len = (ULONG)hostile_length(number - HOSTILE_POINTERS, 0);
    return (ULONG_PTR)good->buffers;
}

static ULONG_PTR hostile_word(DWORD *word, unsigned number, DWORD (*value)(unsigned))
{
    if (number < HOSTILE_POINTERS)
        return hostile_pointer(number, word, sizeof(*word));
    *word = value(number - HOSTILE_POINTERS);
    return (ULONG_PTR)word;
}

static DWORD hostile_flag_word(unsigned number)
{
    return (DWORD)hostile_flags(number);
}

static DWORD hostile_length_word(unsigned number)
{
    return (DWORD)hostile_length(number, 15);
}

static ULONG_PTR hostile_overlapped(unsigned number)
{
    WSAOVERLAPPED *good = &hostile.good->overlapped;

    if (number < HOSTILE_POINTERS)
        return hostile_pointer(number, good, sizeof(*good));
    good->hEvent = (HANDLE)(ULONG_PTR)(number == HOSTILE_POINTERS ? 0xdead4 : 1);
    return (ULONG_PTR)good;
}

static ULONG_PTR hostile_to(unsigned number)
{
    struct hostile_memory *good = hostile.good;

    if (number < HOSTILE_POINTERS)
        return hostile_pointer(number, &good->to, sizeof(struct sockaddr_in));
    good->to.ss_family = 77;
    return (ULONG_PTR)&good->to;
}

static ULONG_PTR hostile_message(unsigned number)
{
    struct hostile_memory *good = hostile.good;

    if (number < HOSTILE_POINTERS)
        return hostile_pointer(number, &good->message, sizeof(good->message));
    number -= HOSTILE_POINTERS;
    if (number < HOSTILE_POINTERS)
        good->message.lpBuffers = (WSABUF *)hostile_pointer(number, NULL, sizeof(WSABUF));
    else
        good->message.name =
            (struct sockaddr *)hostile_pointer(number - HOSTILE_POINTERS, NULL, 30);
    return (ULONG_PTR)&good->message;
}

static const unsigned hostile_counts[] = {
    [HOSTILE_SOCKET] = 5,
    [HOSTILE_DATA] = HOSTILE_POINTERS,
    [HOSTILE_LENGTH] = 7,
    [HOSTILE_FLAGS] = 6,
    [HOSTILE_FLAGS_WORD] = HOSTILE_POINTERS + 6,
    [HOSTILE_WORD] = HOSTILE_POINTERS,
    [HOSTILE_BUFFERS] = 2 * HOSTILE_POINTERS + 7,
    [HOSTILE_COUNT] = 5,
    [HOSTILE_FROM] = HOSTILE_POINTERS,
    [HOSTILE_FROM_LENGTH] = HOSTILE_POINTERS + 7,
    [HOSTILE_TO] = HOSTILE_POINTERS + 1,
    [HOSTILE_TO_LENGTH] = 7,
    [HOSTILE_OVERLAPPED] = HOSTILE_POINTERS + 2,
    [HOSTILE_ROUTINE] = 2,
    [HOSTILE_MESSAGE] = 3 * HOSTILE_POINTERS,
};

static ULONG_PTR hostile_value(enum hostile_kind kind, unsigned number)
{
    const SOCKET sockets[] = {hostile.s, 0, 1, INVALID_SOCKET, (SOCKET)hostile.event};
    const DWORD counts[] = {1, 0, 4, 0x7fffffff, 0xffffffff};
    struct hostile_memory *good = hostile.good;

    switch (kind) {
    case HOSTILE_SOCKET:
        return sockets[number];
    case HOSTILE_DATA:
        return hostile_pointer(number, hostile.data, HOSTILE_DATA_SIZE);
    case HOSTILE_LENGTH:
        return hostile_length(number, HOSTILE_DATA_SIZE);
    case HOSTILE_FLAGS:
        return hostile_flags(number);
    case HOSTILE_FLAGS_WORD:
        return hostile_word(&good->flags, number, hostile_flag_word);
    case HOSTILE_WORD:
        return hostile_pointer(number, &good->word, sizeof(good->word));
    case HOSTILE_BUFFERS:
        return hostile_buffers(number);
    case HOSTILE_COUNT:
        return counts[number];
    case HOSTILE_FROM:
        return hostile_pointer(number, &good->from, sizeof(struct sockaddr_in));
    case HOSTILE_FROM_LENGTH:
        return hostile_word((DWORD *)&good->from_length, number, hostile_length_word);
    case HOSTILE_TO:
        return hostile_to(number);
    case HOSTILE_TO_LENGTH:
        return hostile_length(number, hostile.to_length);
    case HOSTILE_OVERLAPPED:
        return hostile_overlapped(number);
    case HOSTILE_ROUTINE:
        return number ? (ULONG_PTR)hostile_routine : 0;
    case HOSTILE_MESSAGE:
        return hostile_message(number);
    default:
        return 0;
    }
}

/* ---- calling ---- */

#define HOSTILE_WORDS_1 ULONG_PTR
#define HOSTILE_WORDS_2 HOSTILE_WORDS_1, ULONG_PTR
#define HOSTILE_WORDS_3 HOSTILE_WORDS_2, ULONG_PTR
#define HOSTILE_WORDS_4 HOSTILE_WORDS_3, ULONG_PTR
#define HOSTILE_WORDS_5 HOSTILE_WORDS_4, ULONG_PTR
#define HOSTILE_WORDS_6 HOSTILE_WORDS_5, ULONG_PTR
#define HOSTILE_WORDS_7 HOSTILE_WORDS_6, ULONG_PTR
#define HOSTILE_WORDS_8 HOSTILE_WORDS_7, ULONG_PTR
#define HOSTILE_WORDS_9 HOSTILE_WORDS_8, ULONG_PTR
#define HOSTILE_CALL(count, ...) \
    case count:                  \
        return (int)((INT_PTR(WSAAPI *)(HOSTILE_WORDS_##count))(void *)function)(__VA_ARGS__)

/* With as many words as it takes: on i386 the function takes them off the stack. */
static int hostile_call(FARPROC function, unsigned count, const ULONG_PTR *a)
{
    switch (count) {
        HOSTILE_CALL(1, a[0]);
        HOSTILE_CALL(2, a[0], a[1]);
        HOSTILE_CALL(3, a[0], a[1], a[2]);
        HOSTILE_CALL(4, a[0], a[1], a[2], a[3]);
        HOSTILE_CALL(5, a[0], a[1], a[2], a[3], a[4]);
        HOSTILE_CALL(6, a[0], a[1], a[2], a[3], a[4], a[5]);
        HOSTILE_CALL(7, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
        HOSTILE_CALL(8, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
        HOSTILE_CALL(9, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
    }
    ok(0, "%u parameters\n", count);
    return 0;
}

/* What was begun must be over before its memory is used again. */
static void hostile_settle(int result, int error, BOOL with_routine)
{
    WSAOVERLAPPED *overlapped = &hostile.good->overlapped;
    ULONGLONG start = GetTickCount64();
    DWORD bytes, flags;

    if (result == SOCKET_ERROR && error == WSA_IO_PENDING) {
        CancelIoEx((HANDLE)hostile.s, (OVERLAPPED *)overlapped);
        while (!WSAGetOverlappedResult(hostile.s, overlapped, &bytes, FALSE, &flags) &&
               WSAGetLastError() == WSA_IO_INCOMPLETE && GetTickCount64() - start < NET_PATIENCE)
            Sleep(1);
        ok(overlapped->Internal != (ULONG_PTR)0x103, "an operation does not end\n");
    }
    if (with_routine)
        SleepEx(0, TRUE);
}

static BOOL hostile_allowed(const struct hostile_row *row, int error)
{
    const int *allowed = row->errors;

    while (*allowed && *allowed != error)
        allowed++;
    return *allowed != 0;
}

/* The parameters `first` and `second` with these values, the others in order */
static void hostile_try(const struct hostile_row *row, unsigned first, unsigned first_value,
                        unsigned second, unsigned second_value)
{
    ULONG_PTR words[HOSTILE_PARAMETERS];
    BOOL with_routine = FALSE;
    unsigned i;
    int result, error;

    hostile_fill();
    for (i = 0; row->kinds[i]; i++) {
        words[i] = hostile_value(row->kinds[i], i == first    ? first_value
                                                : i == second ? second_value
                                                              : 0);
        with_routine |= row->kinds[i] == HOSTILE_ROUTINE && words[i];
    }
    WSASetLastError(0xdead);
    result = hostile_call(row->function, i, words);
    error = WSAGetLastError();
    hostile.calls++;
    if (result == SOCKET_ERROR && !hostile_allowed(row, error))
        ok(0, "parameter %u value %u, parameter %u value %u: error %d\n", first, first_value,
           second, second_value, error);
    hostile_settle(result, error, with_routine);
    if (!hostile_intact())
        ok(0, "parameter %u value %u, parameter %u value %u: wrote where it must not\n", first,
           first_value, second, second_value);
}

/* All pairs; `before` is called before each call, to restore what the one before may have used up.
 */
static RT_UNUSED void hostile_walk(const struct hostile_row *row, void (*before)(void))
{
    unsigned first, second, i, j;
    LONG calls = hostile.calls;

    winetest_push_context("%s", row->name);
    for (first = 0; row->kinds[first]; first++)
        for (second = first + 1; row->kinds[second]; second++)
            for (i = 0; i < hostile_counts[row->kinds[first]]; i++)
                for (j = 0; j < hostile_counts[row->kinds[second]]; j++) {
                    before();
                    hostile_try(row, first, i, second, j);
                }
    ok(hostile.calls > calls, "nothing was called\n");
    winetest_pop_context();
}

#endif
