/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process's thread pool, for calls that wait on behalf of a program that does not.
 */
#ifndef RINGSOCK_THREAD_POOL_H
#define RINGSOCK_THREAD_POOL_H

#include "winsock.h"

/* The pool keeps this DLL loaded while a callback of ours runs. */
void thread_pool_environment(TP_CALLBACK_ENVIRON *environment);

bool thread_pool_submit(void(CALLBACK *callback)(TP_CALLBACK_INSTANCE *, void *), void *context);

#endif
