/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles of completion ports (see port_table.h).
 *
 * Owns: the table from handle values to ports, the list of all ports, the free list, the numbers of
 * the wake groups.  table_lock guards all of that but reading the table; order: table_lock, then a
 * port's lock.  Calls wineserver for handles that it has not seen before only.
 *
 * Each handle in the table holds a reference, each associated socket one, each call in progress
 * one.
 */
#include "port_table.h"
#include "handle_pages.h"
#include "intercept.h"
#include "log.h"
#include "port_internal.h"

static SRWLOCK table_lock = SRWLOCK_INIT;
static struct port *all_ports, *free_ports;
static uint32_t groups_used[RS_MAX_GROUPS / 32] = {1}; /* 0 means none */
static bool enabled;

void port_table_init(bool in_user_mode)
{
    enabled = in_user_mode;
    if (!enabled)
        log_info("completion ports work through the kernel");
}

/* ---- the table ---- */

struct port *port_find(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_PORT, handle);
    struct port *port;

    while (entry && (port = *entry)) {
        LONG references = port->references;

        /* 0: it is being recycled, the entry has changed or will in a moment */
        while (references) {
            LONG seen = InterlockedCompareExchange(&port->references, references + 1, references);

            if (seen == references) {
                if (*entry == port)
                    return port;
                port_put(port);
                break;
            }
            references = seen;
        }
    }
    return NULL;
}

/* ---- lives; caller holds table_lock ---- */

static struct port *port_allocate(bool native)
{
    struct port *port = free_ports;

    if (port) {
        free_ports = port->next;
        memset((char *)port + sizeof(port->references), 0,
               sizeof(*port) - sizeof(port->references));
    } else if (!(port = calloc(1, sizeof(*port)))) {
        log_once(LOG_WARN, "out of memory for completion ports");
        return NULL;
    }
    port->native = native;
    port->next = all_ports;
    port->previous = &all_ports;
    if (all_ports)
        all_ports->previous = &port->next;
    all_ports = port;
    InterlockedExchange(&port->references, 1);
    return port;
}

static bool add_handle(struct port *port, HANDLE handle)
{
    void *volatile *entry = handle_make(HANDLE_PORT, handle);
    struct port_handle *known = entry ? malloc(sizeof(*known)) : NULL;

    if (!known) {
        log_once(LOG_WARN, "handle %p of a completion port cannot be kept", handle);
        return false;
    }
    known->handle = handle_plain(handle);
    known->next = port->handles;
    port->handles = known;
    AcquireSRWLockExclusive(&port->lock);
    if (!port->handle)
        port->handle = known->handle;
    ReleaseSRWLockExclusive(&port->lock);
    *entry = port_hold(port);
    return true;
}

/* Takes the handle from the table and returns its port, whose reference the caller then owns. */
static struct port *take_handle(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_PORT, handle);
    struct port *port = entry ? *entry : NULL;
    struct port_handle **link, *known;

    if (!port)
        return NULL;
    *entry = NULL;
    for (link = &port->handles; (known = *link); link = &known->next) {
        if (known->handle == handle_plain(handle)) {
            *link = known->next;
            free(known);
            break;
        }
    }
    return port;
}

/* Caller holds table_lock only.  `stale`: the handle is another object's by now. */
static void leave_handle(struct port *port, bool stale)
{
    AcquireSRWLockExclusive(&port->lock);
    if (stale)
        port->handle = NULL;
    if (!port->handles) {
        port->closed = true;
        port_call_all(port); /* while the handle still works: the kernel's waiters get tokens */
    }
    port->handle = port->handles ? port->handles->handle : NULL;
    ReleaseSRWLockExclusive(&port->lock);
}

void port_put(struct port *port)
{
    if (InterlockedDecrement(&port->references))
        return;
    AcquireSRWLockExclusive(&table_lock);
    if (port->group)
        groups_used[port->group / 32] &= ~(1u << port->group % 32);
    *port->previous = port->next;
    if (port->next)
        port->next->previous = port->previous;
    free(port->packets);
    port->next = free_ports;
    free_ports = port;
    ReleaseSRWLockExclusive(&table_lock);
}

/* ---- handles come ---- */

/* A handle whose value the kernel has just given out: what the table says of it is history. Returns
 * a reference that the caller must drop without the lock. */
static struct port *forget_stale(HANDLE handle)
{
    struct port *stale = take_handle(handle);

    if (stale)
        leave_handle(stale, true);
    return stale;
}

void port_born(HANDLE handle)
{
    struct port *port, *stale;

    AcquireSRWLockExclusive(&table_lock);
    stale = forget_stale(handle);
    if ((port = port_allocate(!enabled)))
        add_handle(port, handle);
    ReleaseSRWLockExclusive(&table_lock);
    if (stale)
        port_put(stale);
    if (port)
        port_put(port);
}

void port_add_handle(struct port *port, HANDLE handle)
{
    struct port *stale;

    AcquireSRWLockExclusive(&table_lock);
    stale = forget_stale(handle);
    add_handle(port, handle);
    ReleaseSRWLockExclusive(&table_lock);
    if (stale)
        port_put(stale);
}

/* The known port that this unknown handle leads to (another process duplicated it into ours). */
static struct port *find_same(HANDLE handle)
{
    struct port *port;

    for (port = all_ports; port; port = port->next)
        if (port->handles && NtCompareObjects(port->handles->handle, handle) == STATUS_SUCCESS)
            return port_hold(port);
    return NULL;
}

struct port *port_adopt_unchecked(HANDLE handle)
{
    struct port *port;
    bool kept = true;

    AcquireSRWLockExclusive(&table_lock);
    if (!(port = port_find(handle))) {
        port = find_same(handle);
        if (!port && (port = port_allocate(true)))
            log_debug("port %p was made elsewhere: it works through the kernel", handle);
        kept = !port || add_handle(port, handle);
    }
    ReleaseSRWLockExclusive(&table_lock);
    if (kept)
        return port;
    port_put(port);
    return NULL;
}

struct port *port_adopt(HANDLE handle)
{
    struct port *port = port_find(handle);
    ULONG depth, needed;

    if (port)
        return port;
    /* class 0: IoCompletionBasicInformation, the number of packets */
    if (NtQueryIoCompletion(handle, 0, &depth, sizeof(depth), &needed))
        return NULL;
    return port_adopt_unchecked(handle);
}

/* ---- handles go ---- */

struct port *port_closing(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_PORT, handle);
    struct port *port;

    if (!entry || !*entry)
        return NULL;
    AcquireSRWLockExclusive(&table_lock);
    /* before the real close: afterwards the value may be another port's already */
    if ((port = take_handle(handle)))
        leave_handle(port, false);
    ReleaseSRWLockExclusive(&table_lock);
    return port;
}

void port_closed(struct port *port, HANDLE handle, NTSTATUS status)
{
    if (status == STATUS_HANDLE_NOT_CLOSABLE) {
        AcquireSRWLockExclusive(&table_lock);
        AcquireSRWLockExclusive(&port->lock);
        port->closed = false;
        ReleaseSRWLockExclusive(&port->lock);
        add_handle(port, handle);
        ReleaseSRWLockExclusive(&table_lock);
    }
    port_put(port); /* the entry's */
}

/* ---- all of them ---- */

void port_for_each(void (*visit)(struct port *port))
{
    struct port *port;

    AcquireSRWLockExclusive(&table_lock);
    for (port = all_ports; port; port = port->next)
        visit(port);
    ReleaseSRWLockExclusive(&table_lock);
}

/* Caller holds table_lock. */
static uint32_t free_group(void)
{
    uint32_t group;

    for (group = 1; group < RS_MAX_GROUPS; group++) {
        if (!(groups_used[group / 32] & 1u << group % 32)) {
            groups_used[group / 32] |= 1u << group % 32;
            return group;
        }
    }
    return 0;
}

void port_give_group(struct port *port)
{
    AcquireSRWLockExclusive(&table_lock);
    if (!port->group)
        port->group = free_group();
    ReleaseSRWLockExclusive(&table_lock);
}

uint32_t port_take_group(void)
{
    uint32_t group;

    AcquireSRWLockExclusive(&table_lock);
    group = free_group();
    ReleaseSRWLockExclusive(&table_lock);
    return group;
}

void port_give_group_back(uint32_t group)
{
    AcquireSRWLockExclusive(&table_lock);
    groups_used[group / 32] &= ~(1u << group % 32);
    ReleaseSRWLockExclusive(&table_lock);
}
