/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RIORegisterBuffer, RIODeregisterBuffer.  Owns the table of registered buffers; takes its lock and,
 * to take a buffer away, that buffer's.
 *
 * Windows locks the pages in memory; here nothing has to be, since whoever moves data runs in this
 * process.  A buffer that is deregistered while a request uses it ("the results are undefined", "the
 * status will be unchanged from the normal status") is used by that request to its end; one that is
 * freed as well ends it with WSAEFAULT, and no data is lost.
 */
#include "rio.h"
#include "guarded_copy.h"

struct rio_buffer {
    struct rio_object object;
    char *data;
    DWORD length;
};

static struct rio_table buffers = {.object_size = sizeof(struct rio_buffer)};

ULONG_PTR WINAPI rio_register_buffer(char *data, DWORD length)
{
    struct rio_buffer *buffer = NULL;
    DWORD error = 0;

    if (!length)
        error = WSAEINVAL; /* "if the DataLength parameter is zero" */
    else if (!data || !guarded_readable(data, length))
        error = WSAEFAULT;
    else if (!(buffer = rio_allocate(&buffers)))
        error = WSAENOBUFS;
    if (error) {
        SetLastError(error);
        return RIO_NO_BUFFER;
    }
    buffer->data = data;
    buffer->length = length;
    return rio_open(&buffer->object);
}

void WINAPI rio_deregister_buffer(ULONG_PTR id)
{
    struct rio_buffer *buffer = rio_find(&buffers, id);
    bool mine;

    if (!buffer)
        return; /* "an invalid buffer identifier ... is ignored" */
    AcquireSRWLockExclusive(&buffer->object.lock);
    if ((mine = buffer->object.descriptor == id))
        buffer->object.descriptor = 0;
    ReleaseSRWLockExclusive(&buffer->object.lock);
    if (mine)
        rio_recycle(&buffers, &buffer->object);
}

DWORD rio_find_slice(const struct rio_slice *slice, WSABUF *memory)
{
    const struct rio_buffer *buffer;
    struct rio_slice copy;
    char *data;
    DWORD length;

    if (guarded_copy(&copy, slice, sizeof(copy)) || !(buffer = rio_find(&buffers, copy.buffer)))
        return WSAEFAULT; /* "if a buffer identifier is deregistered" */
    data = buffer->data;
    length = buffer->length;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (buffer->object.descriptor != copy.buffer) /* deregistered while we looked */
        return WSAEFAULT;
    if (copy.offset > length || copy.length > length - copy.offset)
        return WSAEINVAL;
    memory->buf = data + copy.offset;
    memory->len = copy.length;
    return 0;
}
