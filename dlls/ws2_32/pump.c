/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pump: one thread a session, parked in slot 0, that reaps when nobody else does (a program may
 * wait for its event in kernel32), and that sees the server's end as the end of its FIFO.
 *
 * Only the server has that FIFO open for writing: so the end cannot be missed.
 */
#include "inbound.h"
#include "log.h"
#include "pending_call.h"
#include "port.h"
#include "session.h"

static void session_died(struct session *session)
{
    log_error("the server (pid %u) is gone: its sockets answer WSAENETDOWN",
              session->segment->server_pid);
    InterlockedExchange(&session->dead, 1);
    pending_calls_fail(session);
    inbound_session_dead(session);
    port_wake_all();
}

static bool park(struct session *session)
{
    struct rs_slot *slot = &session->slots[0];
    DWORD count = 0;
    char byte;

    slot->deadline = 0;
    /* pairs with the server's compare-exchange; seq_cst: park, then look */
    __atomic_store_n(&slot->state, RS_SLOT_PARKED, __ATOMIC_SEQ_CST);
    if (rs_ring_pending(&session->comp) &&
        __atomic_exchange_n(&slot->state, RS_SLOT_RUNNING, __ATOMIC_SEQ_CST) == RS_SLOT_PARKED)
        return true;
    return ReadFile(session->pump_fifo, &byte, 1, &count, NULL) && count == 1;
}

static DWORD CALLBACK pump_main(void *argument)
{
    struct session *session = argument;

    InterlockedExchange(&session->pump_runs, 1);
    do
        session_reap(session);
    while (park(session));
    session_died(session);
    return 0;
}

bool pump_start(struct session *session)
{
    HMODULE self;
    HANDLE thread;

    /* the thread runs our code for as long as the process lives */
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                            (const WCHAR *)pump_main, &self))
        return false;
    if (!(thread = CreateThread(NULL, 0, pump_main, session, 0, NULL))) {
        log_error("cannot start the pump, error %lu", GetLastError());
        return false;
    }
    CloseHandle(thread);
    return true;
}
