/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle table (see handle_table.h).  Owns the pages and the free list of sockets; takes only
 * the free list's lock, and in socket_get what share_adopt and share_use take.  The table itself
 * holds one reference on each socket in it.
 */
#include "handle_table.h"
#include "error_queue.h"
#include "handle_pages.h"
#include "port.h"
#include "share.h"
#include "startup.h"
#include "wait_object.h"

static SRWLOCK free_lock = SRWLOCK_INIT;
static struct socket *free_list;

struct socket *socket_allocate(void)
{
    struct socket *socket;

    AcquireSRWLockExclusive(&free_lock);
    if ((socket = free_list))
        free_list = socket->next_free;
    ReleaseSRWLockExclusive(&free_lock);
    if (!socket) {
        if (!(socket = calloc(1, sizeof(*socket))))
            return NULL;
    } else
        memset(&socket->lock, 0, sizeof(*socket) - offsetof(struct socket, lock));
    InterlockedIncrement(&socket->references); /* a late look-up may hold one for a moment */
    return socket;
}

static void free_segments(struct socket *socket)
{
    struct segment *segment;

    while ((segment = socket->arrived)) {
        socket->arrived = segment->next;
        segment_free(segment);
    }
    socket->arrived_last = NULL;
    if (socket->urgent)
        segment_free(socket->urgent);
    socket->urgent = NULL;
    error_queue_clear(socket);
}

/* The server has ended those connections, with the listener. */
static void free_incoming(struct socket *socket)
{
    struct incoming *incoming;

    while ((incoming = socket->incoming)) {
        socket->incoming = incoming->next;
        socket_put(incoming->socket);
        free(incoming);
    }
}

void socket_put(struct socket *socket)
{
    if (InterlockedDecrement(&socket->references))
        return;
    /* only the last true owner gets here with a session; a late look-up finds it cleared */
    if (!InterlockedExchangePointer((void *volatile *)&socket->session, NULL))
        return;
    free_segments(socket);
    free(socket->unix_names);
    free_incoming(socket);
    wait_object_free(socket);
    port_release(socket);
    AcquireSRWLockExclusive(&free_lock);
    socket->next_free = free_list;
    free_list = socket;
    ReleaseSRWLockExclusive(&free_lock);
}

struct socket *socket_find(HANDLE handle)
{
    void *volatile *entry = handle_find(HANDLE_SOCKET, handle);
    struct socket *socket;

    /* the kernel ignores the low two bits of a handle, Winsock does not of a SOCKET */
    while (entry && handle == handle_plain(handle) && (socket = *entry)) {
        InterlockedIncrement(&socket->references);
        if (*entry == socket)
            return socket;
        socket_put(socket);
    }
    return NULL;
}

/* WSAGetOverlappedResult does not know what DuplicateHandle has made (Wine's
 * test_WSAGetOverlappedResult, run on Windows); who inherits or duplicates a handle and uses it in
 * any other call has a socket. */
struct socket *socket_get_known(SOCKET handle)
{
    struct socket *socket;

    if (!startup_check())
        return NULL;
    socket = socket_find((HANDLE)handle);
    if (socket && socket->fresh == handle) {
        socket_put(socket);
        socket = NULL;
    }
    if (!socket)
        SetLastError(WSAENOTSOCK);
    return socket;
}

struct socket *socket_get_any(SOCKET handle)
{
    struct socket *socket;

    if (!startup_check())
        return NULL;
    if (!(socket = socket_find((HANDLE)handle)) && !(socket = share_adopt(handle)))
        SetLastError(WSAENOTSOCK);
    else if (socket->fresh == handle)
        socket->fresh = 0;
    return socket;
}

struct socket *socket_get(SOCKET handle)
{
    struct socket *socket = socket_get_any(handle);
    DWORD error;

    if (socket && socket->away && (error = share_use(socket))) {
        socket_put(socket);
        SetLastError(error);
        return NULL;
    }
    return socket;
}

bool socket_is_valid(SOCKET handle)
{
    struct socket *socket = socket_get(handle);

    if (socket)
        socket_put(socket);
    return socket != NULL;
}

bool handle_table_insert(struct socket *socket, SOCKET handle)
{
    void *volatile *entry = handle_make(HANDLE_SOCKET, (HANDLE)handle);

    if (!entry)
        return false;
    socket_hold(socket);
    InterlockedIncrement(&socket->handles);
    *entry = socket;
    return true;
}

bool handle_table_remove(struct socket *socket, SOCKET handle)
{
    void *volatile *entry = handle_find(HANDLE_SOCKET, (HANDLE)handle);

    if (!entry || InterlockedCompareExchangePointer(entry, NULL, socket) != socket)
        return false;
    socket_put(socket);
    return true;
}

void socket_for_each_handle(void (*visit)(struct socket *socket, SOCKET handle, void *context),
                            void *context)
{
    size_t page, i;

    for (page = 0; page < HANDLE_PAGES; page++)
        for (i = 0; handle_pages[page] && i < HANDLE_PAGE_ENTRIES; i++) {
            SOCKET handle = (SOCKET)((page * HANDLE_PAGE_ENTRIES + i) << 2);
            bool kept = handle_pages[page][i].of[HANDLE_SOCKET];
            struct socket *socket = kept ? socket_find((HANDLE)handle) : NULL;

            if (socket) {
                visit(socket, handle, context);
                socket_put(socket);
            }
        }
}

struct visitor {
    void (*visit)(struct socket *socket, void *context);
    void *context;
};

static void visit_once(struct socket *socket, SOCKET handle, void *context)
{
    const struct visitor *visitor = context;

    (void)handle; /* of a socket with several, each: visiting it again does no harm */
    visitor->visit(socket, visitor->context);
}

void socket_for_each(void (*visit)(struct socket *socket, void *context), void *context)
{
    struct visitor visitor = {visit, context};

    socket_for_each_handle(visit_once, &visitor);
}
