/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors of registered I/O, and the table of its functions (see rio.h).
 *
 * Owns the pages and free lists of each table; takes only the table's lock.  A descriptor is 12 bits
 * of use and 20 bits of number, on both widths, so none is RIO_INVALID_CQ, RIO_INVALID_RQ (both 0)
 * or RIO_INVALID_BUFFERID (0xffffffff).
 */
#include "rio.h"

#define PAGE_OBJECTS 1024u
#define NUMBERS      (1u << 20)
#define USES         (1u << 12)

/* ---- descriptors ---- */

static struct rio_object **page_of(struct rio_table *table, uint32_t number)
{
    struct rio_object **page = table->pages[number / PAGE_OBJECTS];

    if (!page && (page = calloc(PAGE_OBJECTS, sizeof(*page))))
        table->pages[number / PAGE_OBJECTS] = page;
    return page;
}

static struct rio_object *make_object(struct rio_table *table)
{
    uint32_t number = table->count + 1;
    struct rio_object **page = number < NUMBERS - 1 ? page_of(table, number) : NULL;
    struct rio_object *object = page ? calloc(1, table->object_size) : NULL;

    if (!object)
        return NULL;
    object->number = number;
    table->count = number;
    page[number % PAGE_OBJECTS] = object;
    return object;
}

void *rio_allocate(struct rio_table *table)
{
    struct rio_object *object;

    AcquireSRWLockExclusive(&table->lock);
    if ((object = table->free_list)) {
        table->free_list = object->next_free;
        memset(object + 1, 0, table->object_size - sizeof(*object));
    } else
        object = make_object(table);
    ReleaseSRWLockExclusive(&table->lock);
    return object;
}

ULONG_PTR rio_open(struct rio_object *object)
{
    object->uses = (object->uses + 1) % USES;
    /* the object's fields are there before (x86 keeps stores in order) */
    __atomic_store_n(&object->descriptor, object->uses * NUMBERS + object->number, __ATOMIC_RELEASE);
    return object->descriptor;
}

void *rio_find(const struct rio_table *table, ULONG_PTR descriptor)
{
    uint32_t number = (uint32_t)descriptor % NUMBERS;
    struct rio_object **page = table->pages[number / PAGE_OBJECTS];
    struct rio_object *object = page ? page[number % PAGE_OBJECTS] : NULL;

    return descriptor && object && object->descriptor == descriptor ? object : NULL;
}

void rio_recycle(struct rio_table *table, struct rio_object *object)
{
    AcquireSRWLockExclusive(&table->lock);
    object->next_free = table->free_list;
    table->free_list = object;
    ReleaseSRWLockExclusive(&table->lock);
}

/* ---- the functions ---- */

static const GUID multiple_rio = {
    0x8509e081, 0x96dd, 0x4005, {0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f}};

static const struct { /* RIO_EXTENSION_FUNCTION_TABLE */
    DWORD size;
    void *functions[13];
} functions = {
    sizeof(functions),
    {rio_receive, rio_receive_ex, rio_send, rio_send_ex, rio_close_completions,
     rio_create_completions, rio_create_queue, rio_dequeue, rio_deregister_buffer, rio_notify,
     rio_register_buffer, rio_resize_completions, rio_resize_queue},
};

const void *rio_functions(const GUID *guid, DWORD *size)
{
    *size = sizeof(functions);
    return memcmp(guid, &multiple_rio, sizeof(*guid)) ? NULL : &functions;
}
