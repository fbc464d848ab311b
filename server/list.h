/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A circular doubly linked list whose links live inside the objects.
 *
 * Owns: nothing but pointer arithmetic.  A link that is in no list points to itself, so removing it
 * twice is harmless.  Single-threaded users only, or under the caller's lock.
 */
#ifndef SERVER_LIST_H
#define SERVER_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next, *prev;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct link *link)
{
    link->next = link->prev = link;
}

static inline bool list_empty(const struct link *link)
{
    return link->next == link;
}

static inline void list_insert_after(struct link *place, struct link *link)
{
    link->prev = place;
    link->next = place->next;
    place->next->prev = link;
    place->next = link;
}

static inline void list_append(struct link *head, struct link *link)
{
    list_insert_after(head->prev, link);
}

static inline void list_remove(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Moves everything from `from` to the empty list `to`. */
static inline void list_take(struct link *to, struct link *from)
{
    list_init(to);
    if (list_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

/* Appends everything from `from` to `to`. */
static inline void list_move(struct link *to, struct link *from)
{
    while (!list_empty(from)) {
        struct link *link = from->next;

        list_remove(link);
        list_append(to, link);
    }
}

#endif
