/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's end of the completion ring.
 *
 * Owns: the ring's producer side and the queue of records that found it full.  Notes whom to wake
 * (wake.c).  Loop thread only, no locks.
 *
 * Data is not written while the ring is full, it stays in the kernel.  Everything else is answered
 * once and must not be lost, so it is kept here; how much a process can make us keep is bounded.
 */
#include <stdlib.h>
#include <string.h>

#include "comp.h"
#include "session.h"

#define OVERFLOW_LIMIT (16u << 20)

struct overflow {
    struct link link;
    struct rs_record header;
    uint32_t body;
    uint8_t bytes[];
};

static bool comp_closed(const struct session *session)
{
    return session->corrupt || session->state == SESSION_DEAD;
}

struct rs_record *comp_reserve(struct session *session, uint32_t body)
{
    if (comp_closed(session) || !list_empty(&session->overflow))
        return NULL;
    return rs_ring_reserve(&session->comp, (uint32_t)sizeof(struct rs_record) + body);
}

void comp_publish(struct session *session, struct rs_record *record, const struct rs_record *header,
                  uint32_t body)
{
    *record = *header;
    rs_ring_publish(&session->comp, record, (uint32_t)sizeof(*record) + body);
    if (header->type != RS_COMP_REPLY)
        wake_socket(session, header->socket);
}

/* Keeps a record until there is room. */
static void comp_keep(struct session *session, const struct rs_record *header, const void *body,
                      uint32_t size, const void *payload)
{
    struct overflow *kept;

    if (session->overflow_bytes >= OVERFLOW_LIMIT) {
        session_corrupt(session, "takes no completions");
        return;
    }
    kept = malloc(sizeof(*kept) + size + header->length);
    if (!kept) {
        session_corrupt(session, "no memory for its completions");
        return;
    }
    kept->header = *header;
    kept->body = size + header->length;
    if (size)
        memcpy(kept->bytes, body, size);
    if (header->length)
        memcpy(kept->bytes + size, payload, header->length);
    list_append(&session->overflow, &kept->link);
    session->overflow_bytes += sizeof(*kept) + kept->body;
}

static void comp_write(struct session *session, const struct rs_record *header, const void *body,
                       uint32_t size, const void *payload)
{
    struct rs_record *record;

    if (comp_closed(session))
        return;
    record = comp_reserve(session, size + header->length);
    if (!record) {
        comp_keep(session, header, body, size, payload);
        return;
    }
    if (size)
        memcpy(record + 1, body, size);
    if (header->length)
        memcpy((uint8_t *)(record + 1) + size, payload, header->length);
    comp_publish(session, record, header, size + header->length);
}

void comp_post(struct session *session, enum rs_comp type, uint32_t socket, const void *body,
               uint32_t size)
{
    struct rs_record header = {.type = (uint16_t)type, .socket = socket};

    comp_write(session, &header, body, size, NULL);
}

void comp_post_data(struct session *session, const struct rs_record *header, const void *body,
                    uint32_t size, const void *payload)
{
    comp_write(session, header, body, size, payload);
}

static void comp_answer(struct session *session, const struct rs_call *call,
                        const struct rs_reply *reply, const void *payload, uint32_t length)
{
    struct rs_record header = {.type = RS_COMP_REPLY, .length = length};

    comp_write(session, &header, reply, sizeof(*reply), payload);
    wake_word(session, call->wake);
}

void comp_reply(struct session *session, const struct rs_call *call, uint32_t error)
{
    struct rs_reply reply = {.cookie = call->cookie, .error = error};

    comp_answer(session, call, &reply, NULL, 0);
}

void comp_reply_values(struct session *session, const struct rs_call *call, uint32_t value,
                       uint32_t value2)
{
    struct rs_reply reply = {.cookie = call->cookie, .value = value, .value2 = value2};

    comp_answer(session, call, &reply, NULL, 0);
}

void comp_reply_data(struct session *session, const struct rs_call *call, uint32_t value,
                     const void *payload, uint32_t length)
{
    struct rs_reply reply = {.cookie = call->cookie, .value = value};

    comp_answer(session, call, &reply, payload, length);
}

void comp_reply_full(struct session *session, const struct rs_call *call,
                     const struct rs_reply *values, const void *payload, uint32_t length)
{
    struct rs_reply reply = *values;

    reply.cookie = call->cookie;
    comp_answer(session, call, &reply, payload, length);
}

bool comp_flush(struct session *session)
{
    while (!list_empty(&session->overflow)) {
        struct overflow *kept = container_of(session->overflow.next, struct overflow, link);
        uint32_t size = (uint32_t)sizeof(struct rs_record) + kept->body;
        struct rs_record *record = rs_ring_reserve(&session->comp, size);

        if (!record)
            return true;
        memcpy(record + 1, kept->bytes, kept->body);
        comp_publish(session, record, &kept->header, kept->body);
        /* Whose call it was is forgotten by now; the pump finds the reply. */
        if (kept->header.type == RS_COMP_REPLY)
            wake_word(session, RS_WAKE_PUMP);
        list_remove(&kept->link);
        session->overflow_bytes -= sizeof(*kept) + kept->body;
        free(kept);
    }
    return false;
}

void comp_discard(struct session *session)
{
    while (!list_empty(&session->overflow)) {
        struct overflow *kept = container_of(session->overflow.next, struct overflow, link);

        list_remove(&kept->link);
        free(kept);
    }
    session->overflow_bytes = 0;
}
