/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WahCreateHandleContextTable and its kin: a table from handles to structures, which layered
 * providers share with ws2_32.dll since ws2help.dll.
 *
 * Undocumented; known from ReactOS' ws2help.h: a context begins with its count of references and
 * its handle, is in the table with a reference of the table's, and is never freed here.  Owns a
 * lock per table, held for a few instructions, and while an enumeration runs.
 */
#include "winsock.h"

#define BUCKETS 256u

struct handle_context {
    LONG references;
    HANDLE handle;
};

struct context_node {
    struct context_node *next;
    struct handle_context *context;
};

struct context_table {
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
    if (!table)
        return ERROR_INVALID_PARAMETER;
    *table = calloc(1, sizeof(struct context_table));
    return *table ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

DWORD WINAPI WahDestroyHandleContextTable(void *pointer)
{
    struct context_table *table = pointer;
    struct context_node *node;

    if (!table)
        return ERROR_INVALID_PARAMETER;
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
    struct context_node *node = calloc(1, sizeof(*node)), **link;
    struct handle_context *result = context;

    if (!node)
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

    AcquireSRWLockExclusive(&table->lock);
    link = find(table, ((struct handle_context *)context)->handle);
    node = *link && (*link)->context == context ? *link : NULL;
    if (node)
        *link = node->next;
    ReleaseSRWLockExclusive(&table->lock);
    free(node);
    return node ? NO_ERROR : ERROR_INVALID_PARAMETER;
}
