/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waitable timers that are only slept on, without wineserver.  See sleep_timer.c.
 */
#ifndef RINGSOCK_SLEEP_TIMER_H
#define RINGSOCK_SLEEP_TIMER_H

#include "ntcalls.h"

/* Until this says so, and with RINGSOCK_FASTTIMER=0 in the environment, no timer is ever known. */
void sleep_timers_init(bool in_user_mode);

/* NtWaitForSingleObject of a handle that may be a timer's.  False: to be done by the real call. */
bool sleep_timer_wait(HANDLE handle, bool alertable, const LARGE_INTEGER *timeout,
                      NTSTATUS *status);
/* Somebody is about to use the handle in another way: the kernel has the timer from here on.  Costs
 * two loads for handles of other things. */
void sleep_timer_give_back(HANDLE handle);
/* NtClose is about to close it. */
void sleep_timer_closing(HANDLE handle);

NTSTATUS NTAPI our_NtSetTimer(HANDLE handle, const LARGE_INTEGER *when, void *routine,
                              void *context, BOOLEAN resume, ULONG period, BOOLEAN *previous);
NTSTATUS NTAPI our_NtCancelTimer(HANDLE handle, BOOLEAN *previous);
NTSTATUS NTAPI our_NtQueryTimer(HANDLE handle, ULONG class, void *information, ULONG size,
                                ULONG *needed);

extern NTSTATUS(NTAPI *real_NtSetTimer)(HANDLE, const LARGE_INTEGER *, void *, void *, BOOLEAN,
                                        ULONG, BOOLEAN *);
extern NTSTATUS(NTAPI *real_NtCancelTimer)(HANDLE, BOOLEAN *);
extern NTSTATUS(NTAPI *real_NtQueryTimer)(HANDLE, ULONG, void *, ULONG, ULONG *);

#endif
