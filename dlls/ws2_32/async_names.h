/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WSAAsyncGetXByY, as far as WSACleanup is concerned.
 */
#ifndef RINGSOCK_ASYNC_NAMES_H
#define RINGSOCK_ASYNC_NAMES_H

/* "pending ... asynchronous Windows Sockets calls ... are canceled without posting any notification
 * messages". */
void async_names_cancel_all(void);

#endif
