/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binding, the bound address, and the event record, without Winsock's calls: AFD's control codes
 * on a socket's handle.
 */
#ifndef RINGSOCK_AFD_SOCKET_H
#define RINGSOCK_AFD_SOCKET_H

#include "operation.h"

/* False: no such code, or the handle is no socket.  Caller holds no lock. */
bool afd_socket_call(HANDLE handle, const struct io_request *request, ULONG code, const void *input,
                     ULONG input_size, void *output, ULONG output_size, NTSTATUS *status);

#endif
