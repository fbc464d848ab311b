/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The send and receive calls behind one signature, so that a test can go through all of them.
 *
 * A table row says what a call takes; its function makes it with the arguments that apply.  Each
 * returns what the call returned, with the last error.
 */
#ifndef RINGSOCK_TESTS_IO_CALLS_H
#define RINGSOCK_TESTS_IO_CALLS_H

#include "net.h"

struct io_arguments {
    WSABUF *buffers; /* WSA...; recv, send and their like take buffer and length */
    DWORD count;
    char *buffer;
    int length;
    DWORD *bytes;
    DWORD *flags_pointer;     /* WSARecv, WSARecvFrom */
    DWORD flags;              /* the others */
    struct sockaddr *address; /* lpFrom, lpTo */
    int *address_length;      /* of lpFrom */
    int to_length;
    WSAOVERLAPPED *overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
};

enum {
    IO_RECEIVES = 1,
    IO_ADDRESS = 2,    /* has lpFrom or lpTo */
    IO_WSA = 4,        /* has WSABUFs, and a pointer to the number of bytes */
    IO_OVERLAPPED = 8, /* is called with the OVERLAPPED */
};

struct io_call {
    const char *name;
    int traits;
    int (*call)(SOCKET s, const struct io_arguments *with);
};

static int io_recv(SOCKET s, const struct io_arguments *with)
{
    return recv(s, with->buffer, with->length, with->flags);
}

static int io_recvfrom(SOCKET s, const struct io_arguments *with)
{
    return recvfrom(s, with->buffer, with->length, with->flags, with->address,
                    with->address_length);
}

static int io_wsarecv(SOCKET s, const struct io_arguments *with)
{
    return WSARecv(s, with->buffers, with->count, with->bytes, with->flags_pointer, NULL, NULL);
}

static int io_wsarecvfrom(SOCKET s, const struct io_arguments *with)
{
    return WSARecvFrom(s, with->buffers, with->count, with->bytes, with->flags_pointer,
                       with->address, with->address_length, NULL, NULL);
}

static int io_wsarecv_overlapped(SOCKET s, const struct io_arguments *with)
{
    return WSARecv(s, with->buffers, with->count, with->bytes, with->flags_pointer,
                   with->overlapped, with->routine);
}

static int io_wsarecvfrom_overlapped(SOCKET s, const struct io_arguments *with)
{
    return WSARecvFrom(s, with->buffers, with->count, with->bytes, with->flags_pointer,
                       with->address, with->address_length, with->overlapped, with->routine);
}

static int io_send(SOCKET s, const struct io_arguments *with)
{
    return send(s, with->buffer, with->length, with->flags);
}

static int io_sendto(SOCKET s, const struct io_arguments *with)
{
    return sendto(s, with->buffer, with->length, with->flags, with->address, with->to_length);
}

static int io_wsasend(SOCKET s, const struct io_arguments *with)
{
    return WSASend(s, with->buffers, with->count, with->bytes, with->flags, NULL, NULL);
}

static int io_wsasendto(SOCKET s, const struct io_arguments *with)
{
    return WSASendTo(s, with->buffers, with->count, with->bytes, with->flags, with->address,
                     with->to_length, NULL, NULL);
}

static int io_wsasend_overlapped(SOCKET s, const struct io_arguments *with)
{
    return WSASend(s, with->buffers, with->count, with->bytes, with->flags, with->overlapped,
                   with->routine);
}

static int io_wsasendto_overlapped(SOCKET s, const struct io_arguments *with)
{
    return WSASendTo(s, with->buffers, with->count, with->bytes, with->flags, with->address,
                     with->to_length, with->overlapped, with->routine);
}

static const struct io_call io_calls[] = {
    {"recv", IO_RECEIVES, io_recv},
    {"recvfrom", IO_RECEIVES | IO_ADDRESS, io_recvfrom},
    {"WSARecv", IO_RECEIVES | IO_WSA, io_wsarecv},
    {"WSARecvFrom", IO_RECEIVES | IO_WSA | IO_ADDRESS, io_wsarecvfrom},
    {"WSARecv overlapped", IO_RECEIVES | IO_WSA | IO_OVERLAPPED, io_wsarecv_overlapped},
    {"WSARecvFrom overlapped", IO_RECEIVES | IO_WSA | IO_OVERLAPPED | IO_ADDRESS,
     io_wsarecvfrom_overlapped},
    {"send", 0, io_send},
    {"sendto", IO_ADDRESS, io_sendto},
    {"WSASend", IO_WSA, io_wsasend},
    {"WSASendTo", IO_WSA | IO_ADDRESS, io_wsasendto},
    {"WSASend overlapped", IO_WSA | IO_OVERLAPPED, io_wsasend_overlapped},
    {"WSASendTo overlapped", IO_WSA | IO_OVERLAPPED | IO_ADDRESS, io_wsasendto_overlapped},
};

/* Arguments that are in order, and what they point to */
struct io_good {
    struct io_arguments with;
    WSABUF buf;
    char buffer[64];
    DWORD bytes, flags;
    struct sockaddr_storage address;
    int address_length;
    WSAOVERLAPPED overlapped;
};

static RT_UNUSED const struct io_arguments *io_good(struct io_good *good)
{
    HANDLE event = good->overlapped.hEvent;

    memset(good, 0, sizeof(*good));
    good->buf.buf = good->buffer;
    good->buf.len = sizeof(good->buffer);
    good->address_length = sizeof(good->address);
    good->overlapped.hEvent = event;
    good->with = (struct io_arguments){.buffers = &good->buf,
                                       .count = 1,
                                       .buffer = good->buffer,
                                       .length = sizeof(good->buffer),
                                       .bytes = &good->bytes,
                                       .flags_pointer = &good->flags,
                                       .address = (struct sockaddr *)&good->address,
                                       .address_length = &good->address_length,
                                       .overlapped = &good->overlapped};
    return &good->with;
}

/* All calls that have the traits `wanted` among `mask` */
#define FOR_EACH_IO_CALL(row, mask, wanted)                                                 \
    for (const struct io_call *row = io_calls; row < io_calls + ARRAYSIZE(io_calls); row++) \
        for (int rt_once = (row->traits & (mask)) == (wanted) &&                            \
                           (winetest_push_context("%s", row->name), 1);                     \
             rt_once; rt_once = 0, winetest_pop_context())

#endif
