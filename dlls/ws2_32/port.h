/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion ports that our sockets are associated with: a packet queue in user mode in front of
 * the kernel's, so that a completion reaches GetQueuedCompletionStatus without wineserver.
 *
 * Locks: port.lock is inner to socket.lock and outer to none.
 */
#ifndef RINGSOCK_PORT_H
#define RINGSOCK_PORT_H

#include "winsock.h"

struct socket;
struct port;

/* NtSetInformationFile(FileCompletionInformation) on a socket.  STATUS_INVALID_PARAMETER if it has
 * a port already.  Takes the socket's lock. */
NTSTATUS port_associate(struct socket *socket, HANDLE port, ULONG_PTR key);

/* The same for FileReplaceCompletionInformation: another port, or with a NULL handle none.  What
 * ends meanwhile on another thread may be told to either. */
NTSTATUS port_replace(struct socket *socket, HANDLE port, ULONG_PTR key);

/* At the end of a socket: nobody posts for it any more. */
void port_release(struct socket *socket);

/* The port behind a handle that `file` is being associated with, with a reference, ready for
 * packets of ours; or the status that says why not.  Caller holds no lock. */
NTSTATUS port_open_fast(HANDLE file, HANDLE handle, ULONG_PTR key, struct port **port);

/* The port behind a handle, with a reference, ready for packets of ours that no file completes (a
 * notification of registered I/O); NULL if it is no port. */
struct port *port_open_notified(HANDLE handle);

/* Queues one packet, once, in order; wakes a thread that waits for it.  From any thread; caller may
 * hold a socket lock. */
void port_post(struct port *port, ULONG_PTR key, ULONG_PTR context, NTSTATUS status,
               ULONG_PTR information);

/* A wake word in the session's `groups` for something else than a port; 0: there is none left. */
uint32_t port_take_group(void);
void port_give_group_back(uint32_t group);

/* What a socket's interest word should be while only its port waits for it (RS_WAKE_GROUP...). */
uint32_t port_wake_word(const struct port *port);

/* Its packets never reach the kernel: sockets that have it are not known there. */
bool port_is_fast(const struct port *port);

/* Gives a reference up. */
void port_put(struct port *port);

/* Every thread that waits on a port must look at the ring again (the session died). */
void port_wake_all(void);

#endif
