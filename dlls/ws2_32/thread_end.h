/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a thread leaves behind: WSARecv.txt, "All I/O initiated by a given thread is canceled when
 * that thread exits."
 */
#ifndef RINGSOCK_THREAD_END_H
#define RINGSOCK_THREAD_END_H

/* The calling thread ends (DLL_THREAD_DETACH). */
void thread_ends(void);

#endif
