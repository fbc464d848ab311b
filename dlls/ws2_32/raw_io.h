/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending and receiving without Winsock's calls: NtReadFile, NtWriteFile (so ReadFile, WriteFileEx,
 * the C library's read...) and AFD's control codes, which libuv uses for datagrams.
 */
#ifndef RINGSOCK_RAW_IO_H
#define RINGSOCK_RAW_IO_H

#include "operation.h"

/* What one such call moves, in Winsock's words. */
struct raw_data {
    WSABUF *buffers;
    DWORD count;
    DWORD flags;   /* MSG_* */
    DWORD refused; /* what its arguments alone answer; the socket's state is asked before that */
    struct sockaddr *address;
    int *address_length;
    bool may_wait; /* even where the socket is nonblocking */
};

/* Fill the operation and start it.  Both return 0, a WSA code or WSA_IO_PENDING, for
 * operation_end_raw.  Caller holds no lock. */
DWORD receive_raw(struct socket *socket, struct operation *operation,
                  const struct raw_data *data); /* recv.c */
DWORD send_raw(struct socket *socket, struct operation *operation,
               const struct raw_data *data); /* send_calls.c */

/* A control code that moves data: 0x12017, 0x1201b, 0x1201f, 0x12023. */
bool raw_is_transfer(ULONG code);
NTSTATUS raw_transfer(struct socket *socket, const struct io_request *request, ULONG code,
                      const void *input, ULONG input_size);

#endif
