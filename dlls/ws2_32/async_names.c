/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAsyncGetHostByName and its five kin, WSACancelAsyncRequest.
 *
 * Owns the list of requests under way.  Each runs the synchronous call on the thread pool and packs
 * what that says into the program's buffer.  A request is ended by whoever takes it off the list:
 * the worker, which then writes the buffer and posts, or a canceller, after which neither happens.
 * One lock, `list_lock`, guards the list; the buffer is written under it, so that a canceller that
 * returns knows that it is not being written any more.
 */
#include "arguments.h"
#include "async_names.h"
#include "guarded_copy.h"
#include "packing.h"
#include "startup.h"
#include "thread_pool.h"
#include "winsock.h"
#include "window_post.h"

enum kind {
    HOST_BY_NAME,
    HOST_BY_ADDRESS,
    SERVICE_BY_NAME,
    SERVICE_BY_PORT,
    PROTOCOL_BY_NAME,
    PROTOCOL_BY_NUMBER
};

struct request_task {
    struct request_task *next;
    ULONG_PTR id; /* what the program knows as its handle */
    enum kind kind;
    HWND window;
    UINT message;
    char *buffer;
    int size;
    /* the question */
    char *name, *protocol;
    char address[16];
    int number, length; /* port, protocol or address family; of the address */
    bool missing;       /* a text or the address is not there */
};

static SRWLOCK list_lock = SRWLOCK_INIT;
static struct request_task *list;
static ULONG_PTR last_id;

static void pack(struct packing *packing, enum kind kind, const void *answer)
{
    if (kind <= HOST_BY_ADDRESS)
        packing_host(packing, answer);
    else if (kind <= SERVICE_BY_PORT)
        packing_service(packing, answer);
    else
        packing_protocol(packing, answer);
}

/* ---- the list ---- */

/* Off the list; false if somebody else did that.  Caller holds the lock. */
static bool take_off(const struct request_task *task)
{
    for (struct request_task **link = &list; *link; link = &(*link)->next)
        if (*link == task) {
            *link = task->next;
            return true;
        }
    return false;
}

static void free_task(struct request_task *task)
{
    free(task->name);
    free(task->protocol);
    free(task);
}

/* ---- on the thread pool ---- */

static const void *ask(const struct request_task *task)
{
    switch (task->kind) {
    case HOST_BY_NAME:
        return gethostbyname(task->name);
    case HOST_BY_ADDRESS:
        return gethostbyaddr(task->address, task->length, task->number);
    case SERVICE_BY_NAME:
        return getservbyname(task->name, task->protocol);
    case SERVICE_BY_PORT:
        return getservbyport(task->number, task->protocol);
    case PROTOCOL_BY_NAME:
        return getprotobyname(task->name);
    default:
        return getprotobynumber(task->number);
    }
}

/* An answer as it will lie in the program's buffer, or NULL and why not; *used is what it takes. */
static char *packed_answer(const struct request_task *task, size_t *used, DWORD *error)
{
    const void *answer = task->missing ? NULL : ask(task);
    struct packing packing = {NULL, task->buffer, 0};

    *used = 0;
    if (task->missing) {
        *error = WSAEFAULT;
        return NULL;
    }
    if (!answer) {
        *error = GetLastError();
        return NULL;
    }
    pack(&packing, task->kind, answer);
    *used = packing.used;
    /* "WSAENOBUFS ... the buffer length ... required" in the low word */
    *error = WSAENOBUFS;
    if (!task->buffer || task->size < 0 || packing.used > (size_t)task->size ||
        !(packing.memory = malloc(packing.used)))
        return NULL;
    packing.used = 0;
    pack(&packing, task->kind, answer);
    *error = 0;
    return packing.memory;
}

static void CALLBACK run(TP_CALLBACK_INSTANCE *instance, void *context)
{
    struct request_task *task = context;
    size_t used;
    DWORD error;
    char *answer = packed_answer(task, &used, &error);
    bool ours;

    (void)instance;
    AcquireSRWLockExclusive(&list_lock);
    ours = take_off(task);
    if (ours && answer && guarded_copy(task->buffer, answer, used))
        error = WSAEFAULT;
    ReleaseSRWLockExclusive(&list_lock);
    if (ours)
        window_post(task->window, task->message, task->id, WSAMAKEASYNCREPLY(used, error));
    free(answer);
    free_task(task);
}

/* ---- starting and cancelling ---- */

static bool copy_text(const char *text, char **copy)
{
    *copy = text ? _strdup(text) : NULL;
    return *copy || !text;
}

static HANDLE start(const struct request_task *question, const char *name, const char *protocol)
{
    struct request_task *task;
    ULONG_PTR id;

    if (!startup_check())
        return NULL;
    window_exists(question->window); /* loads user32 in this thread, not in the pool's */
    if (!(task = malloc(sizeof(*task)))) {
        SetLastError(WSAENOBUFS);
        return NULL;
    }
    *task = *question;
    task->name = task->protocol = NULL;
    if (!argument_text(name) || !argument_text(protocol)) {
        task->missing = true; /* which is told when it is done */
        name = protocol = NULL;
    }
    if (!copy_text(name, &task->name) || !copy_text(protocol, &task->protocol)) {
        free_task(task);
        SetLastError(WSAENOBUFS);
        return NULL;
    }
    AcquireSRWLockExclusive(&list_lock);
    id = task->id = ++last_id;
    task->next = list;
    list = task;
    ReleaseSRWLockExclusive(&list_lock);
    if (thread_pool_submit(run, task)) /* it may be freed from here on */
        return (HANDLE)id;
    AcquireSRWLockExclusive(&list_lock);
    take_off(task);
    ReleaseSRWLockExclusive(&list_lock);
    free_task(task);
    SetLastError(WSAENOBUFS);
    return NULL;
}

void async_names_cancel_all(void)
{
    AcquireSRWLockExclusive(&list_lock);
    list = NULL; /* the workers free them */
    ReleaseSRWLockExclusive(&list_lock);
}

int WINAPI WSACancelAsyncRequest(HANDLE handle)
{
    ULONG_PTR id = (ULONG_PTR)handle;
    struct request_task *task;
    DWORD error;

    if (!startup_check())
        return SOCKET_ERROR;
    AcquireSRWLockExclusive(&list_lock);
    for (task = list; task && task->id != id; task = task->next)
        ;
    if (task)
        take_off(task);
    /* "WSAEALREADY: The asynchronous routine being canceled has already completed" */
    error = task ? 0 : id && id <= last_id ? WSAEALREADY : WSAEINVAL;
    ReleaseSRWLockExclusive(&list_lock);
    return return_error(error);
}

/* ---- the exports: "Parameters are not checked when initiating" (Wine's tests, on Windows) ---- */

HANDLE WINAPI WSAAsyncGetHostByName(HWND window, u_int message, const char *name, char *buffer,
                                    int size)
{
    struct request_task question = {
        .kind = HOST_BY_NAME, .window = window, .message = message, .buffer = buffer, .size = size};

    return start(&question, name, NULL);
}

HANDLE WINAPI WSAAsyncGetHostByAddr(HWND window, u_int message, const char *address, int length,
                                    int type, char *buffer, int size)
{
    struct request_task question = {.kind = HOST_BY_ADDRESS,
                                    .window = window,
                                    .message = message,
                                    .buffer = buffer,
                                    .size = size,
                                    .number = type,
                                    .length = length};

    if (address && length > 0)
        question.missing = guarded_copy(question.address, address,
                                        min((size_t)length, sizeof(question.address))) != 0;
    else
        question.length = 0;
    return start(&question, NULL, NULL);
}

HANDLE WINAPI WSAAsyncGetServByName(HWND window, u_int message, const char *name,
                                    const char *protocol, char *buffer, int size)
{
    struct request_task question = {.kind = SERVICE_BY_NAME,
                                    .window = window,
                                    .message = message,
                                    .buffer = buffer,
                                    .size = size};

    return start(&question, name, protocol);
}

HANDLE WINAPI WSAAsyncGetServByPort(HWND window, u_int message, int port, const char *protocol,
                                    char *buffer, int size)
{
    struct request_task question = {.kind = SERVICE_BY_PORT,
                                    .window = window,
                                    .message = message,
                                    .buffer = buffer,
                                    .size = size,
                                    .number = port};

    return start(&question, NULL, protocol);
}

HANDLE WINAPI WSAAsyncGetProtoByName(HWND window, u_int message, const char *name, char *buffer,
                                     int size)
{
    struct request_task question = {.kind = PROTOCOL_BY_NAME,
                                    .window = window,
                                    .message = message,
                                    .buffer = buffer,
                                    .size = size};

    return start(&question, name, NULL);
}

HANDLE WINAPI WSAAsyncGetProtoByNumber(HWND window, u_int message, int number, char *buffer,
                                       int size)
{
    struct request_task question = {.kind = PROTOCOL_BY_NUMBER,
                                    .window = window,
                                    .message = message,
                                    .buffer = buffer,
                                    .size = size,
                                    .number = number};

    return start(&question, NULL, NULL);
}
