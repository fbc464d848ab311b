/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls with hostile arguments: the kinds of parameters, and the values of each.
 *
 * Each parameter of the call under test has memory of its own, which ends at an inaccessible page
 * and has a canary before it.  Value 0 of a kind is the good one.  The others are pointers to what
 * is not there, not all there, read-only or the kernel's; lengths and numbers that cannot be; and
 * for what a pointer points to, contents that are all zeros or all ones, texts without an end, and
 * each word of a structure in turn as NULL, a number or a bad pointer.
 *
 * To add a kind: a case in hostile_value and in hostile_count.
 */
#ifndef RINGSOCK_TESTS_HOSTILE_VALUES_H
#define RINGSOCK_TESTS_HOSTILE_VALUES_H

#include "net.h"

enum hostile_kind {
    HOSTILE_END,
    HOSTILE_SOCKET,
    HOSTILE_HANDLE,     /* of what `good` points to */
    HOSTILE_CONSTANT,   /* this number only: a timeout that must not wait, say */
    HOSTILE_NUMBER,     /* flags, families, codes */
    HOSTILE_LENGTH,     /* of memory */
    HOSTILE_LENGTH_AT,  /* int *, in and out, in which the length stands */
    HOSTILE_NUMBER_AT,  /* DWORD *, in and out */
    HOSTILE_IN,         /* memory that is only read, with the contents `good` */
    HOSTILE_INOUT,      /* the same, and the call may write to it */
    HOSTILE_OUT,        /* memory that is only written */
    HOSTILE_PRESENT,    /* INOUT, but never NULL and never with other contents */
    HOSTILE_TEXT,       /* char *, in */
    HOSTILE_WIDE,       /* WCHAR *, in */
    HOSTILE_ERROR,      /* int *lpErrno: where a FAILS_ERRNO row's error goes */
    HOSTILE_OVERLAPPED, /* may be NULL */
    HOSTILE_FUNCTION,   /* what `good` points to, or NULL */
    HOSTILE_ROUTINE,    /* NULL, or a completion routine */
};

struct hostile_parameter {
    enum hostile_kind kind;
    const void *good; /* what the memory holds at first (NULL: zeros), or where the value is */
    size_t size;      /* of the memory; or the value itself */
};

/* The words of the tables */
/* clang-format off */
#define A_SOCKET          {HOSTILE_SOCKET, NULL, 0}
#define A_HANDLE(variable) {HOSTILE_HANDLE, &(variable), 0}
#define A_FILE(variable)   {HOSTILE_HANDLE, &(variable), 1} /* and no socket, which waits */
#define A_CONSTANT(value) {HOSTILE_CONSTANT, NULL, (size_t)(value)}
#define A_NUMBER(value)   {HOSTILE_NUMBER, NULL, (size_t)(value)}
#define A_NUMBER_OF(variable) {HOSTILE_NUMBER, &(variable), 0}
#define A_LENGTH(value)   {HOSTILE_LENGTH, NULL, (size_t)(value)}
#define A_LENGTH_AT(value) {HOSTILE_LENGTH_AT, NULL, (size_t)(value)}
#define A_NUMBER_AT(value) {HOSTILE_NUMBER_AT, NULL, (size_t)(value)}
#define READS(variable)      {HOSTILE_IN, &(variable), sizeof(variable)}
#define UPDATES(variable)   {HOSTILE_INOUT, &(variable), sizeof(variable)}
#define WRITES(size)      {HOSTILE_OUT, NULL, (size)}
#define HOLDS(variable) {HOSTILE_PRESENT, &(variable), sizeof(variable)}
#define A_TEXT(text)     {HOSTILE_TEXT, text, sizeof(text)}
#define A_WIDE(text)     {HOSTILE_WIDE, text, sizeof(text)}
#define ERROR_AT          {HOSTILE_ERROR, NULL, sizeof(int)}
#define AN_OVERLAPPED     {HOSTILE_OVERLAPPED, NULL, sizeof(WSAOVERLAPPED)}
#define A_FUNCTION(function) {HOSTILE_FUNCTION, (void *)(function), 0}
#define A_ROUTINE         {HOSTILE_ROUTINE, NULL, 0}
/* clang-format on */

#define HOSTILE_PARAMETERS 12

/* ---- memory ---- */

#define HOSTILE_CANARY    0x5c
#define HOSTILE_GUARD     64 /* bytes of it before the memory */
#define HOSTILE_PAGE      4096
#define HOSTILE_ARENA     (16 * HOSTILE_PAGE)
#define HOSTILE_DATA_SIZE 64

static struct {
    SOCKET s;
    HANDLE event;
    char *half, *inaccessible, *read_only,
        *reserved;                    /* half: the page before an inaccessible one */
    char *arenas[HOSTILE_PARAMETERS]; /* each before an inaccessible page */
    char *data; /* HOSTILE_DATA_SIZE bytes before such a page, for structures to point to */
    void (*before)(void); /* each call, in this state of the socket */
    BOOL started;         /* Winsock is */
    BOOL singles;         /* no pairs of hostile values now */
    BOOL any_state;       /* of the socket: good arguments may fail too */
    LONG calls;
} hostile;

static RT_UNUSED void CALLBACK hostile_routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                               DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
}

/* Memory with an inaccessible page behind it */
static char *hostile_pages(size_t size)
{
    char *pages = VirtualAlloc(NULL, size + HOSTILE_PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD old;

    ok(pages != NULL, "error %lu\n", GetLastError());
    ok(VirtualProtect(pages + size, HOSTILE_PAGE, PAGE_NOACCESS, &old), "error %lu\n",
       GetLastError());
    return pages;
}

static char *hostile_memory(unsigned at, size_t size)
{
    return hostile.arenas[at] + HOSTILE_ARENA - size;
}

static void hostile_fill(unsigned at, const struct hostile_parameter *parameter)
{
    char *memory = hostile_memory(at, parameter->size);

    memset(memory - HOSTILE_GUARD, HOSTILE_CANARY, HOSTILE_GUARD);
    if (parameter->good)
        memcpy(memory, parameter->good, parameter->size);
    else
        memset(memory, 0, parameter->size);
}

static BOOL hostile_has_memory(enum hostile_kind kind)
{
    switch (kind) {
    case HOSTILE_IN:
    case HOSTILE_INOUT:
    case HOSTILE_OUT:
    case HOSTILE_PRESENT:
    case HOSTILE_TEXT:
    case HOSTILE_WIDE:
    case HOSTILE_ERROR:
    case HOSTILE_OVERLAPPED:
        return TRUE;
    default:
        return FALSE;
    }
}

/* ---- values ---- */

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
    case 4: /* the first half is there */
        return (ULONG_PTR)hostile.inaccessible - size / 2;
    case 5:
        return (ULONG_PTR)hostile.read_only; /* and all zero */
    case 6:
        return (ULONG_PTR)hostile.reserved;
    default:
        return (ULONG_PTR)-HOSTILE_PAGE; /* the kernel's */
    }
}

#define HOSTILE_LENGTHS 9

static ULONG_PTR hostile_length(unsigned number, size_t good)
{
    const int length = (int)good;
    const int values[HOSTILE_LENGTHS] = {length,  0,       1,          -1,        INT_MAX,
                                         INT_MIN, 0x10000, length - 1, length + 1};

    return (ULONG_PTR)(LONG_PTR)values[number];
}

#define HOSTILE_NUMBERS 13

static ULONG_PTR hostile_number(unsigned number, size_t good)
{
    const DWORD values[HOSTILE_NUMBERS] = {
        (DWORD)good, 0, 1, 2, 3, 4, 8, 23, 0xff, 0x8000, 0x7fffffff, 1u << 31, 0xffffffff};

    return values[number];
}

#define HOSTILE_HANDLES 6

static ULONG_PTR hostile_handle(unsigned number, HANDLE good)
{
    const ULONG_PTR values[HOSTILE_HANDLES] = {(ULONG_PTR)good, 0,       1,
                                               (ULONG_PTR)-1,   0xdead4, (ULONG_PTR)hostile.s};

    return values[number];
}

#define HOSTILE_CONTENTS    3 /* of the whole */
#define HOSTILE_MOST_WORDS  16
#define HOSTILE_WORD_VALUES 4

static unsigned hostile_words(size_t size)
{
    size_t words = size / sizeof(ULONG_PTR);

    return words < HOSTILE_MOST_WORDS ? (unsigned)words : HOSTILE_MOST_WORDS;
}

/* Other contents of the good memory */
static void hostile_contents(unsigned number, char *memory, size_t size)
{
    static const char fill[HOSTILE_CONTENTS] = {0, -1, 'A'};
    ULONG_PTR words[HOSTILE_WORD_VALUES] = {0, 1, (ULONG_PTR)hostile.inaccessible, (ULONG_PTR)-1};

    if (number < HOSTILE_CONTENTS) {
        memset(memory, fill[number], size);
        return;
    }
    number -= HOSTILE_CONTENTS;
    memcpy(memory + number / HOSTILE_WORD_VALUES * sizeof(ULONG_PTR),
           &words[number % HOSTILE_WORD_VALUES], sizeof(ULONG_PTR));
}

#define HOSTILE_TEXTS 7

/* Texts in memory `at`: without an end, long, empty, not of ASCII, ... */
static ULONG_PTR hostile_text(unsigned number, unsigned at, BOOL wide)
{
    static const char *const texts[] = {"", " ", "%s%n", "999.999.999.999"};
    size_t unit = wide ? sizeof(WCHAR) : 1, length, i;
    char *memory;

    length = number == 0 ? 20 : number == 1 ? 30000 : number == 2 ? 3 : strlen(texts[number - 3]);
    memory = hostile_memory(at, (length + (number > 0)) * unit);
    for (i = 0; i < length; i++) {
        int c = number < 2 ? 'A' : number == 2 ? (wide ? 0xd8ff : 0xff) : texts[number - 3][i];

        if (wide)
            ((WCHAR *)memory)[i] = (WCHAR)c;
        else
            memory[i] = (char)c;
    }
    if (number)
        memset(memory + length * unit, 0, unit);
    return (ULONG_PTR)memory;
}

static unsigned hostile_count(const struct hostile_parameter *parameter)
{
    switch (parameter->kind) {
    case HOSTILE_SOCKET:
    case HOSTILE_HANDLE:
        return HOSTILE_HANDLES - (unsigned)parameter->size;
    case HOSTILE_NUMBER:
        return HOSTILE_NUMBERS;
    case HOSTILE_LENGTH:
        return HOSTILE_LENGTHS;
    case HOSTILE_LENGTH_AT:
        return HOSTILE_POINTERS + HOSTILE_LENGTHS;
    case HOSTILE_NUMBER_AT:
        return HOSTILE_POINTERS + HOSTILE_NUMBERS;
    case HOSTILE_IN:
    case HOSTILE_INOUT:
        return HOSTILE_POINTERS + HOSTILE_CONTENTS +
               hostile_words(parameter->size) * HOSTILE_WORD_VALUES;
    case HOSTILE_OUT:
    case HOSTILE_ERROR:
        return HOSTILE_POINTERS;
    case HOSTILE_PRESENT:
        return HOSTILE_POINTERS - 1;
    case HOSTILE_TEXT:
    case HOSTILE_WIDE:
        return HOSTILE_POINTERS + HOSTILE_TEXTS;
    case HOSTILE_OVERLAPPED:
        return HOSTILE_POINTERS + 2;
    case HOSTILE_FUNCTION:
    case HOSTILE_ROUTINE:
        return 2;
    default:
        return 1;
    }
}

/* A pointer, or the good one to a number of hostile value */
static ULONG_PTR hostile_number_at(unsigned number, unsigned at,
                                   ULONG_PTR (*value)(unsigned, size_t), size_t good)
{
    int *memory = (int *)hostile_memory(at, sizeof(int));

    memset((char *)memory - HOSTILE_GUARD, HOSTILE_CANARY, HOSTILE_GUARD);
    *memory = (int)value(number < HOSTILE_POINTERS ? 0 : number - HOSTILE_POINTERS + 1, good);
    return hostile_pointer(number < HOSTILE_POINTERS ? number : 0, memory, sizeof(int));
}

static ULONG_PTR hostile_overlapped(unsigned number, WSAOVERLAPPED *good)
{
    good->hEvent = hostile.event;
    if (number < HOSTILE_POINTERS)
        return hostile_pointer(number, good, sizeof(*good));
    good->hEvent = (HANDLE)(ULONG_PTR)(number == HOSTILE_POINTERS ? 0xdead4 : 1);
    return (ULONG_PTR)good;
}

/* Value `number` of the parameter, which is number `at` of the call */
static ULONG_PTR hostile_value(unsigned at, const struct hostile_parameter *parameter,
                               unsigned number)
{
    char *memory = hostile_memory(at, parameter->size % HOSTILE_ARENA);

    if (hostile_has_memory(parameter->kind))
        hostile_fill(at, parameter);
    switch (parameter->kind) {
    case HOSTILE_SOCKET:
        return number == HOSTILE_HANDLES - 1 ? (ULONG_PTR)hostile.event
                                             : hostile_handle(number, (HANDLE)hostile.s);
    case HOSTILE_HANDLE:
        return hostile_handle(number, *(const HANDLE *)parameter->good);
    case HOSTILE_NUMBER:
        return hostile_number(number,
                              parameter->good ? *(const DWORD *)parameter->good : parameter->size);
    case HOSTILE_LENGTH:
        return hostile_length(number, parameter->size);
    case HOSTILE_LENGTH_AT:
        return hostile_number_at(number, at, hostile_length, parameter->size);
    case HOSTILE_NUMBER_AT:
        return hostile_number_at(number, at, hostile_number, parameter->size);
    case HOSTILE_PRESENT:
        return hostile_pointer(number ? number + 1 : 0, memory, parameter->size);
    case HOSTILE_TEXT:
    case HOSTILE_WIDE:
        if (number >= HOSTILE_POINTERS)
            return hostile_text(number - HOSTILE_POINTERS, at, parameter->kind == HOSTILE_WIDE);
        return hostile_pointer(number, memory, 2);
    case HOSTILE_OVERLAPPED:
        return hostile_overlapped(number, (WSAOVERLAPPED *)memory);
    case HOSTILE_FUNCTION:
        return number ? 0 : (ULONG_PTR)parameter->good;
    case HOSTILE_ROUTINE:
        return number ? (ULONG_PTR)hostile_routine : 0;
    case HOSTILE_CONSTANT:
        return parameter->size;
    default:
        if (number < HOSTILE_POINTERS)
            return hostile_pointer(number, memory, parameter->size);
        hostile_contents(number - HOSTILE_POINTERS, memory, parameter->size);
        return (ULONG_PTR)memory;
    }
}

#endif
