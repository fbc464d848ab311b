/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The buffers behind inet_ntoa, gethostbyname, getservbyname, getprotobyname.
 *
 * Owns: one FLS index; its callback frees a thread's buffers, so that DllMain needs no part in it.
 * Takes no lock; the index is made by whichever thread comes first.
 */
#include "thread_buffer.h"

/* Rounded up, so that answers of usual length never move (programs keep the pointer of the first).
 */
#define MINIMUM 1024

struct buffers {
    struct {
        void *data;
        size_t size;
    } of[THREAD_BUFFER_KINDS];
};

static LONG volatile fls_plus_one; /* 0: no index yet */

static void WINAPI free_buffers(void *pointer)
{
    struct buffers *buffers = pointer;

    if (!buffers)
        return;
    for (int i = 0; i < THREAD_BUFFER_KINDS; i++)
        free(buffers->of[i].data);
    free(buffers);
}

static DWORD fls_index(void)
{
    LONG value = fls_plus_one;
    DWORD made;

    if (value)
        return (DWORD)value - 1;
    made = FlsAlloc(free_buffers);
    if (made == FLS_OUT_OF_INDEXES)
        return made;
    value = InterlockedCompareExchange(&fls_plus_one, (LONG)made + 1, 0);
    if (!value)
        return made;
    FlsFree(made);
    return (DWORD)value - 1;
}

/* The callback must not outlive the code. */
static void __attribute__((destructor)) release_index(void)
{
    if (fls_plus_one)
        FlsFree((DWORD)fls_plus_one - 1);
}

void *thread_buffer(enum thread_buffer_kind kind, size_t size)
{
    DWORD index = fls_index();
    struct buffers *buffers;
    void *data;

    if (index == FLS_OUT_OF_INDEXES)
        return NULL;
    buffers = FlsGetValue(index);
    if (!buffers) {
        buffers = calloc(1, sizeof(*buffers));
        if (!buffers)
            return NULL;
        if (!FlsSetValue(index, buffers)) {
            free(buffers);
            return NULL;
        }
    }
    if (size < MINIMUM)
        size = MINIMUM;
    if (size > buffers->of[kind].size) {
        data = malloc(size);
        if (!data)
            return NULL;
        free(buffers->of[kind].data);
        buffers->of[kind].data = data;
        buffers->of[kind].size = size;
    }
    return buffers->of[kind].data;
}
