/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call to the server and the wait for its reply (RS_COMP_REPLY).
 */
#ifndef RINGSOCK_REQUEST_H
#define RINGSOCK_REQUEST_H

#include "winsock.h"
#include <ringsock/abi.h>

struct session;

struct request {
    /* in */
    struct session *session; /* of the socket; NULL: the living one, started if need be */
    uint16_t type;           /* a "call" of enum rs_sub */
    uint16_t flags;
    uint32_t socket;
    uint32_t arg[4];
    const void *payload; /* may be NULL */
    uint32_t payload_size;
    const void *payload2; /* appended to payload, may be NULL */
    uint32_t payload2_size;
    void *reply; /* receives the reply's payload, may be NULL */
    uint32_t reply_size;
    bool can_block; /* as Winsock 1.1 has it: a blocking hook runs, and may cancel: WSAEINTR */
    /* out */
    uint32_t reply_length; /* of the reply's payload; more than reply_size where it was cut */
    uint32_t value, value2;
};

/* Sends the call and waits for the reply, not alertably.  Returns 0 or a WSA error code
 * (WSAENETDOWN when there is no server any more).  Takes no lock while it waits; the caller must
 * hold none. */
DWORD request_call(struct request *request);

#endif
