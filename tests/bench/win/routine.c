/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row "ping-pong, completion routine" for Windows: each operation with a routine, which starts the
 * next one; in between each side's thread sleeps alertably.
 */
#include "../common/overlapped.h"

static void CALLBACK routine_completed(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped,
                                       DWORD flags)
{
    if (error || flags)
        bench_die("a routine got error %lu, flags %lx", error, flags);
    overlapped_completed(CONTAINING_RECORD(overlapped, struct ping_conn, overlapped), bytes);
}

static void routine_prepare(struct ping_conn *conn)
{
    (void)conn;
}

static void routine_loop(void *arg)
{
    struct overlapped_side *side = arg;

    overlapped_start(side);
    while (side->side.open)
        if (SleepEx(OVERLAPPED_PATIENCE_MS, TRUE) != WAIT_IO_COMPLETION)
            bench_die("no routine was called");
}

int main(int argc, char **argv)
{
    return overlapped_main(argc, argv, routine_completed, routine_prepare, routine_loop);
}
