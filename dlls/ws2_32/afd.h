/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Polling as the AFD device offers it: programs that bring their own event loop (mio, wepoll,
 * libuv's uv_poll) open a helper handle on \Device\Afd, associate it with a completion port and
 * send IOCTL_AFD_POLL through it, naming sockets.  The layout and the flags are those that wepoll's
 * and mio's sources use.
 */
#ifndef RINGSOCK_AFD_H
#define RINGSOCK_AFD_H

#include "ntcalls.h"

struct operation_filter;
struct port;

#define IOCTL_AFD_POLL 0x12024u

enum afd_poll_flag {
    AFD_POLL_RECEIVE = 0x001,
    AFD_POLL_RECEIVE_EXPEDITED = 0x002,
    AFD_POLL_SEND = 0x004,
    AFD_POLL_DISCONNECT = 0x008,
    AFD_POLL_ABORT = 0x010,
    AFD_POLL_LOCAL_CLOSE = 0x020, /* always reported */
    AFD_POLL_CONNECT = 0x040,
    AFD_POLL_ACCEPT = 0x080,
    AFD_POLL_CONNECT_FAIL = 0x100,
};

struct afd_poll_handle {
    SOCKET handle;
    ULONG flags;
    NTSTATUS status;
};

struct afd_poll_info { /* in and out */
    LONGLONG timeout;  /* 100 ns; negative: from now; 0: do not wait; INT64_MAX: for ever */
    ULONG count;
    ULONG exclusive; /* BOOLEAN */
    struct afd_poll_handle handles[1];
};

#define AFD_POLL_HEAD offsetof(struct afd_poll_info, handles)

/* Through which handle a request came, and how its packet would go out. */
struct afd_issuer {
    HANDLE handle;
    struct port *port; /* with a reference, or NULL */
    ULONG_PTR key;
    UCHAR modes; /* FILE_SKIP_* */
};

/* What every NtDeviceIoControlFile carries. */
struct afd_request {
    HANDLE event;
    PIO_APC_ROUTINE routine;
    void *context; /* for the routine, or the packet's value; NULL: no packet */
    IO_STATUS_BLOCK *iosb;
    const void *input;
    ULONG input_size;
    void *output;
    ULONG output_size;
    struct afd_poll_info head; /* afd_poll.c's copy of the input's */
};

/* ---- afd_helper.c: handles on the device; its own lock, inner to all ---- */

/* NtCreateFile or NtOpenFile has opened `handle` by this name: remembered if it is the device. */
void afd_helper_opened(HANDLE handle, const OBJECT_ATTRIBUTES *attributes);
/* NtClose; forgets it if it was one. */
void afd_helper_closed(HANDLE handle);
bool afd_helper_is(HANDLE handle);
/* False: not a helper.  *issuer then holds a reference on its port, for port_put. */
bool afd_helper_find(HANDLE handle, struct afd_issuer *issuer);
bool afd_helper_set_port(HANDLE handle, struct port *port, ULONG_PTR key); /* takes the reference */
bool afd_helper_set_modes(HANDLE handle, UCHAR modes);

/* ---- afd_poll.c ---- */

/* Takes the reference on the issuer's port.  Caller holds no lock. */
NTSTATUS afd_poll(const struct afd_issuer *issuer, const struct afd_request *request);
/* Those that match (cancel.h; `overlapped` is the status block) and were sent through the handle
 * (NULL: any) end with STATUS_CANCELLED.  Returns how many.  No lock held. */
ULONG afd_poll_cancel(HANDLE handle, const struct operation_filter *filter);
/* Unlinks polls that have ended since; costs a load when there are none.  No socket lock held. */
void afd_poll_clean(void);

#endif
