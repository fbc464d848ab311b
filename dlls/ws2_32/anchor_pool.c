/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kept anchors (see anchor_pool.h).  Owns the pool; `making` counts NtCreateUserProcess under way.
 */
#include "anchor_pool.h"
#include "handles.h"
#include "intercept.h"
#include "port.h"
#include "session.h"
#include "socket.h"
#include "wineserver_reads.h"

/* as many closed connections as a busy program has at a time; each is a handle */
#define KEPT_MAX 32u

struct kept {
    const struct session *session;
    HANDLE handle;
    uint32_t anchor;
    bool inherit;
    uint64_t alone_at; /* as in struct socket */
};

static SRWLOCK pool_lock = SRWLOCK_INIT;
static struct kept pool[KEPT_MAX];
static unsigned kept_count, making;
static bool enabled;

void anchor_pool_init(bool sees_new_processes)
{
    enabled = sees_new_processes;
}

/* ---- the pool; caller holds pool_lock ---- */

/* A socket had the handle, so that its entry is there. */
static void hide(HANDLE handle, bool hidden)
{
    *handle_find(HANDLE_HIDDEN, handle) = hidden ? handle : NULL;
}

static void insert(const struct kept *kept)
{
    pool[kept_count++] = *kept;
    hide(kept->handle, true);
}

static struct kept remove_at(unsigned i)
{
    struct kept kept = pool[i];

    memmove(&pool[i], &pool[i + 1], (--kept_count - i) * sizeof(*pool));
    hide(kept.handle, false);
    return kept;
}

/* The newest one of an anchor. */
static bool take(const struct session *session, uint32_t anchor, struct kept *taken)
{
    unsigned i = kept_count;

    while (i--) {
        if (pool[i].session != session || pool[i].anchor != anchor)
            continue;
        *taken = remove_at(i);
        return true;
    }
    return false;
}

/* ---- keeping ---- */

static bool is_plain(const struct socket *socket)
{
    return enabled && !socket->duplicated && !socket->flags_changed && !socket->former_ports &&
           (!socket->port || port_is_fast(socket->port)) && !socket->session->dead;
}

static bool is_only_handle(HANDLE handle)
{
    OBJECT_BASIC_INFORMATION information;

    return !NtQueryObject(handle, ObjectBasicInformation, &information, sizeof(information),
                          NULL) &&
           information.HandleCount == 1;
}

/* A full pool keeps nothing, so that closing many connections costs what it must.  But its oldest
 * handles may be of no use: the server may have given their anchors to connections that nobody
 * accepted, or have ended.  So one goes now and then. */
static bool has_room(void)
{
    static LONG volatile refused;
    struct kept oldest = {0};

    if (kept_count < KEPT_MAX || making || InterlockedIncrement(&refused) % 16)
        return kept_count < KEPT_MAX && !making;
    AcquireSRWLockExclusive(&pool_lock);
    if (kept_count)
        oldest = remove_at(0);
    ReleaseSRWLockExclusive(&pool_lock);
    if (oldest.handle)
        real_NtClose(oldest.handle);
    return true;
}

/* Whether this is the anchor's only handle, and when that was known.  The request that asks is
 * itself a read of wineserver's (one, in Wine 8.0 and 10.0), which must not make what is known of
 * the other sockets old; so those are taken off, under a lock that makes the two numbers fit each
 * other.  A thread that does not get it asks, and its request counts as a stranger's. */
static bool is_alone(HANDLE handle, uint64_t *alone_at)
{
    static SRWLOCK ask_lock = SRWLOCK_INIT;
    static uint64_t asked;
    uint64_t reads;
    bool alone;

    if (!TryAcquireSRWLockExclusive(&ask_lock)) {
        *alone_at = 0;
        return is_only_handle(handle);
    }
    reads = wineserver_reads();
    reads -= reads ? asked : 0;
    alone = reads && reads == *alone_at;
    if (!alone) {
        alone = is_only_handle(handle);
        asked++;
        *alone_at = reads;
    }
    ReleaseSRWLockExclusive(&ask_lock);
    return alone;
}

bool anchor_pool_keep(const struct socket *socket, HANDLE handle)
{
    struct kept kept = {.session = socket->session,
                        .handle = handle,
                        .anchor = socket->anchor,
                        .inherit = !(socket->creation_flags & WSA_FLAG_NO_HANDLE_INHERIT),
                        .alone_at = socket->alone_at};
    bool keep;

    if (!is_plain(socket) || !has_room() || !is_alone(handle, &kept.alone_at))
        return false;
    AcquireSRWLockExclusive(&pool_lock);
    keep = kept_count < KEPT_MAX && !making;
    if (keep)
        insert(&kept);
    ReleaseSRWLockExclusive(&pool_lock);
    return keep;
}

HANDLE anchor_pool_take(struct socket *socket, bool inherit)
{
    struct kept kept;
    bool found;

    AcquireSRWLockExclusive(&pool_lock);
    found = take(socket->session, socket->anchor, &kept);
    ReleaseSRWLockExclusive(&pool_lock);
    if (!found)
        return NULL;
    socket->alone_at = kept.alone_at;
    if (kept.inherit != inherit)
        SetHandleInformation(kept.handle, HANDLE_FLAG_INHERIT, inherit ? HANDLE_FLAG_INHERIT : 0);
    return kept.handle;
}

/* ---- making processes ---- */

static void close_all(void)
{
    HANDLE all[KEPT_MAX];
    unsigned count = 0;

    AcquireSRWLockExclusive(&pool_lock);
    making++;
    while (kept_count)
        all[count++] = remove_at(kept_count - 1).handle;
    ReleaseSRWLockExclusive(&pool_lock);
    while (count--)
        real_NtClose(all[count]);
}

NTSTATUS NTAPI our_NtCreateUserProcess(HANDLE *process, HANDLE *thread, ACCESS_MASK process_access,
                                       ACCESS_MASK thread_access,
                                       OBJECT_ATTRIBUTES *process_attributes,
                                       OBJECT_ATTRIBUTES *thread_attributes, ULONG process_flags,
                                       ULONG thread_flags, void *parameters, void *creation,
                                       void *attributes)
{
    NTSTATUS status;

    close_all();
    status = real_NtCreateUserProcess(process, thread, process_access, thread_access,
                                      process_attributes, thread_attributes, process_flags,
                                      thread_flags, parameters, creation, attributes);
    AcquireSRWLockExclusive(&pool_lock);
    making--;
    ReleaseSRWLockExclusive(&pool_lock);
    return status;
}
