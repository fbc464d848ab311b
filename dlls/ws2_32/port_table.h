/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a handle's value to the completion port behind it, without a lock, and the ports' lives.
 *
 * A port is known from its birth (NtCreateIoCompletion is taken over), because a thread may wait on
 * it before the first socket is associated, and from then on under every handle that this process
 * makes of it.  A port that somebody else made, or that has a name, is "native": other processes
 * may wait on it, so every packet goes through the kernel.
 */
#ifndef RINGSOCK_PORT_TABLE_H
#define RINGSOCK_PORT_TABLE_H

#include "ntcalls.h"

struct port;

/* Until this says so, and with RINGSOCK_FASTPORT=0 in the environment, new ports are native. */
void port_table_init(bool in_user_mode);

/* A handle of a port that nobody else can have. */
void port_born(HANDLE handle);
/* A further handle of a known port. */
void port_add_handle(struct port *port, HANDLE handle);

/* Each with a reference, or NULL.  port_find costs a load for handles of other things; port_adopt
 * is for handles that are used as a port: makes unknown ones known, NULL if it is none. */
struct port *port_find(HANDLE handle);
struct port *port_adopt(HANDLE handle);
/* The same without asking what the handle is (it was accepted as a port). */
struct port *port_adopt_unchecked(HANDLE handle);

/* NtClose is about to close / could not close this handle.  closing returns NULL when the handle is
 * no port's; else closed must follow. */
struct port *port_closing(HANDLE handle);
void port_closed(struct port *port, HANDLE handle, NTSTATUS status);

void port_for_each(void (*visit)(struct port *port));

#endif
