/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of the submission ring.  See submission.c.
 */
#ifndef SERVER_SUBMISSION_H
#define SERVER_SUBMISSION_H

#include <stdbool.h>

#include "ringsock/abi.h"

struct session;
struct socket;

/* A record, checked; everything but the payload's bytes is a copy. */
struct request {
    struct session *session;
    struct socket *socket; /* NULL where the type is of no socket */
    struct rs_record header;
    struct rs_call call; /* of a call */
    struct rs_addr address;
    struct rs_control control; /* with RS_SEND_CONTROL */
    const uint8_t *payload;    /* in shared memory: may change while it is looked at */
    uint32_t length;
    bool gathered; /* RS_SUB_ATTACH: every server was asked (gather.c) */
};

/* Takes what was published when it was called: everything, or a turn's share. */
void submission_drain(struct session *session, bool everything);

/* request.c: what the types do that is not a socket's own business */
void request_slot(struct request *request);
void request_socket(struct request *request);
void request_getopt(struct request *request);
void request_setopt(struct request *request);
void unix_path_request(struct request *request); /* unix.c */
void request_getname(struct request *request);
void request_resolve(struct request *request);
void request_reverse(struct request *request);
void request_hostname(struct request *request);
void disconnect_request(struct request *request); /* disconnect.c */
void ports_request(struct request *request);      /* ports.c */
/* RS_OPT_SOURCE_FILTER (source_filter.c) */
void source_filter_set(struct request *request);
void source_filter_get(struct request *request);
void request_interfaces(struct request *request);
void request_look(struct request *request);  /* look.c */
void request_adopt(struct request *request); /* adopt.c */
/* share.c */
void request_attach(struct request *request);
void request_share(struct request *request);
void request_use(struct request *request);
void request_want(struct request *request);
void request_idle(struct request *request);
void request_unread(struct request *request); /* share_data.c */
void request_return(struct request *request);
void request_yield(struct request *request);

#endif
