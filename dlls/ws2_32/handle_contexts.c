/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WahCreateHandleContextTable and its kin: a table from handles to structures, which layered
 * providers share with ws2_32.dll since ws2help.dll.
 *
 * Undocumented; known from ReactOS' ws2help.h: a context begins with its count of references and
 * its handle, is in the table with a reference of the table's, and is never freed here.  Owns a
 * lock per table, held for a few instructions, and while an enumeration runs.
 */
#include "arguments.h"

#define BUCKETS 256u

struct handle_context {
    LONG references;
    HANDLE handle;
};

struct context_node {
    struct context_node *next;
    struct handle_context *context;
};

#define TABLE_MAGIC 0x52734854u

struct context_table {
    DWORD magic; /* tells a table from what is none */
    SRWLOCK lock;
    struct context_node *buckets[BUCKETS];
};

typedef BOOL(WINAPI *context_visitor)(void *argument, struct handle_context *context);

DWORD WINAPI WahCreateHandleContextTable(void **table);
DWORD WINAPI WahDestroyHandleContextTable(void *table);
WINBOOL WINAPI WahEnumerateHandleContexts(void *table, void *visitor, void *argument);
void *WINAPI WahInsertHandleContext(void *table, void *context);
void *WINAPI WahReferenceContextByHandle(void *table, HANDLE handle);
DWORD WINAPI WahRemoveHandleContext(void *table, void *context);

static bool is_table(const struct context_table *table)
{
    return table && argument_in(table, sizeof(*table)) && table->magic == TABLE_MAGIC;
}

static bool is_context(struct handle_context *context)
{
    return context && argument_out(context, sizeof(*context));
}

/* The link to the handle's node, or to the end of its bucket. */
static struct context_node **find(struct context_table *table, HANDLE handle)
{
    struct context_node **link = &table->buckets[((ULONG_PTR)handle >> 2) % BUCKETS];

    while (*link && (*link)->context->handle != handle)
        link = &(*link)->next;
    return link;
}

DWORD WINAPI WahCreateHandleContextTable(void **table)
{
    struct context_table *made;

    if (!table || !argument_out(table, sizeof(*table)))
        return ERROR_INVALID_PARAMETER;
    if ((made = calloc(1, sizeof(*made))))
        made->magic = TABLE_MAGIC;
    *table = made;
    return made ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

DWORD WINAPI WahDestroyHandleContextTable(void *pointer)
{
    struct context_table *table = pointer;
    struct context_node *node;

    if (!is_table(table))
        return ERROR_INVALID_PARAMETER;
    table->magic = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        while ((node = table->buckets[i])) {
            table->buckets[i] = node->next;
            free(node);
        }
    free(table);
    return NO_ERROR;
}

/* Until the visitor says FALSE, which is then the result. */
WINBOOL WINAPI WahEnumerateHandleContexts(void *pointer, void *visitor, void *argument)
{
    struct context_table *table = pointer;
    const struct context_node *node;
    BOOL more = TRUE;

    if (!is_table(table) || !visitor)
        return FALSE;
    AcquireSRWLockShared(&table->lock);
    for (size_t i = 0; i < BUCKETS && more; i++)
        for (node = table->buckets[i]; node && more; node = node->next)
            more = ((context_visitor)visitor)(argument, node->context);
    ReleaseSRWLockShared(&table->lock);
    return more;
}

/* The context itself, or the one that it replaces, whose reference goes to the caller; NULL: no
 * memory. */
void *WINAPI WahInsertHandleContext(void *pointer, void *context)
{
    struct context_table *table = pointer;
    struct context_node *node, **link;
    struct handle_context *result = context;

    if (!is_table(table) || !is_context(context) || !(node = calloc(1, sizeof(*node))))
        return NULL;
    node->context = context;
    AcquireSRWLockExclusive(&table->lock);
    link = find(table, node->context->handle);
    if (*link) {
        result = (*link)->context;
        (*link)->context = context;
    } else {
        *link = node;
        node = NULL;
    }
    ReleaseSRWLockExclusive(&table->lock);
    free(node);
    return result;
}

void *WINAPI WahReferenceContextByHandle(void *pointer, HANDLE handle)
{
    struct context_table *table = pointer;
    struct handle_context *context = NULL;
    struct context_node *node;

    if (!is_table(table))
        return NULL;
    AcquireSRWLockShared(&table->lock);
    if ((node = *find(table, handle))) {
        context = node->context;
        InterlockedIncrement(&context->references);
    }
    ReleaseSRWLockShared(&table->lock);
    return context;
}

/* The table's reference goes to the caller. */
DWORD WINAPI WahRemoveHandleContext(void *pointer, void *context)
{
    struct context_table *table = pointer;
    struct context_node **link, *node;

    if (!is_table(table) || !is_context(context))
        return ERROR_INVALID_PARAMETER;
    AcquireSRWLockExclusive(&table->lock);
    link = find(table, ((struct handle_context *)context)->handle);
    node = *link && (*link)->context == context ? *link : NULL;
    if (node)
        *link = node->next;
    ReleaseSRWLockExclusive(&table->lock);
    free(node);
    return node ? NO_ERROR : ERROR_INVALID_PARAMETER;
}
