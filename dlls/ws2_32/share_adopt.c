/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles that this process was given: inherited, duplicated by another process, or made by
 * WSADuplicateSocket.
 *
 * Such a handle is of an anchor, which the server knows by its inode (the name of the file is not
 * to be had under Wine 10.0).  Whoever has the handle writes some bytes into it, and the server,
 * which finds them there, gives this session a view
 * of the socket.  Owns adopt_lock, outermost of all: a handle becomes one socket, once.  The server
 * is called with it held; nobody who completes anything takes it.
 */
#include "share.h"
#include "anchor_pool.h"
#include "handle_table.h"
#include "intercept.h"
#include "log.h"
#include "ntcalls.h"
#include "request.h"
#include "socket_life.h"

static SRWLOCK adopt_lock = SRWLOCK_INIT;

/* ---- what the handle is ---- */

/* Only a FIFO that can be read and written may be an anchor: a pipe's end, which a program's
 * standard handle often is, can do one of the two. */
static bool may_be_anchor(HANDLE handle, uint64_t *inode)
{
    IO_STATUS_BLOCK iosb;
    ACCESS_MASK access = 0;

    if ((LONG_PTR)handle <= 0 || ((ULONG_PTR)handle & 3))
        return false;
    handle = anchor_pool_hide(handle);
    return !real_NtQueryInformationFile(handle, &iosb, &access, sizeof(access),
                                        FILE_ACCESS_CLASS) &&
           (access & FILE_READ_DATA) && (access & FILE_WRITE_DATA) &&
           !real_NtQueryInformationFile(handle, &iosb, inode, sizeof(*inode),
                                        FILE_INTERNAL_CLASS) &&
           GetFileType(handle) == FILE_TYPE_PIPE;
}

bool share_may_be_socket(HANDLE handle)
{
    uint64_t inode;

    return may_be_anchor(handle, &inode);
}

/* Whether the server has an anchor of that inode: before that nothing is written anywhere. */
static bool is_anchor(struct session *session, uint64_t inode)
{
    struct request request = {.session = session,
                              .type = RS_SUB_ATTACH,
                              .arg = {(uint32_t)inode, (uint32_t)(inode >> 32)}};

    return !request_call(&request);
}

/* ---- showing that it is ours ---- */

/* Nobody else's bytes, ever. */
static void make_proof(uint8_t proof[RS_PROOF])
{
    static LONG volatile count;
    struct {
        uint64_t clock;
        uint32_t process, count;
    } unique = {rs_clock(), GetCurrentProcessId(), (uint32_t)InterlockedIncrement(&count)};

    _Static_assert(sizeof(unique) == RS_PROOF, "the proof");
    memcpy(proof, &unique, RS_PROOF);
}

/* Not through our own stand-in, which would adopt a standard handle first. */
static bool write_proof(HANDLE handle, const uint8_t proof[RS_PROOF])
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    LARGE_INTEGER nowhere = {.QuadPart = 0};
    IO_STATUS_BLOCK iosb = {.Information = 0};
    NTSTATUS status;

    if (!event)
        return false;
    status = real_NtWriteFile(handle, event, NULL, NULL, &iosb, proof, RS_PROOF, &nowhere, NULL);
    if (status == STATUS_PENDING) {
        if (WaitForSingleObject(event, 1000) == WAIT_TIMEOUT) {
            CancelIo(handle);
            WaitForSingleObject(event, INFINITE);
        }
        status = iosb.Status;
    }
    CloseHandle(event);
    return !status && iosb.Information == RS_PROOF;
}

static DWORD attach(struct session *session, HANDLE handle, uint64_t inode, struct request *request,
                    struct rs_attached *attached)
{
    uint8_t proof[RS_PROOF];

    make_proof(proof);
    if (!write_proof(handle, proof))
        return WSAENOTSOCK;
    *request = (struct request){.session = session,
                                .type = RS_SUB_ATTACH,
                                .arg = {(uint32_t)inode, (uint32_t)(inode >> 32), 1},
                                .payload = proof,
                                .payload_size = sizeof(proof),
                                .reply = attached,
                                .reply_size = sizeof(*attached)};
    return request_call(request);
}

/* ---- the socket ---- */

static struct socket *make_view(struct session *session, uint32_t index,
                                const struct rs_attached *attached)
{
    bool stream = attached->type == RS_STREAM;
    struct socket *socket =
        socket_make(session, index, attached->family == RS_AF_INET6 ? AF_INET6 : AF_INET,
                    stream ? SOCK_STREAM : SOCK_DGRAM, stream ? IPPROTO_TCP : IPPROTO_UDP);

    if (!socket) {
        submit_simple(session, RS_SUB_CLOSE, 0, index);
        return NULL;
    }
    socket->creation_flags = WSA_FLAG_OVERLAPPED;
    socket->duplicated = socket->away = true;
    return socket;
}

static struct socket *adopt(struct session *session, SOCKET handle)
{
    struct rs_attached attached = {0};
    struct request request;
    struct socket *socket;
    uint64_t inode;

    if (!may_be_anchor((HANDLE)handle, &inode) || !is_anchor(session, inode) ||
        attach(session, (HANDLE)handle, inode, &request, &attached))
        return NULL;
    socket = request.value2 ? socket_by_index(session, request.value)
                            : make_view(session, request.value, &attached);
    if (socket && !handle_table_insert(socket, handle)) {
        if (!request.value2)
            socket_discard(socket);
        socket_put(socket);
        return NULL;
    }
    if (socket && !request.value2)
        socket->handle = handle;
    return socket;
}

struct socket *share_adopt(SOCKET handle)
{
    struct session *session = session_current();
    struct socket *socket = NULL;

    if (!session)
        return NULL;
    AcquireSRWLockExclusive(&adopt_lock);
    if (!(socket = socket_find((HANDLE)handle)))
        socket = adopt(session, handle);
    ReleaseSRWLockExclusive(&adopt_lock);
    return socket;
}

DWORD share_take_over(SOCKET handle)
{
    struct session *session;
    struct socket *socket = NULL;
    DWORD error = session_open(&session);

    if (error)
        return error;
    AcquireSRWLockExclusive(&adopt_lock);
    if ((socket = socket_find((HANDLE)handle))) {
        socket_put(socket); /* "can only be used once" */
        socket = NULL;
    } else
        socket = adopt(session, handle);
    ReleaseSRWLockExclusive(&adopt_lock);
    if (!socket)
        return WSAEINVAL;
    socket_put(socket);
    return 0;
}
