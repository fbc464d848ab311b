/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections both ends of which are sockets of the server, and streams that say by themselves
 * whether a byte is lost or in the wrong place.  See fake_dll.h.
 */
#ifndef FAKE_PAIR_H
#define FAKE_PAIR_H

#include "fake_dll.h"

#define CHUNK RS_MAX_PAYLOAD

/* One end of a connection.  What it sends is a function of `stream` and the position. */
struct end {
    struct fake *fake;
    uint32_t index;
    struct fake_socket *socket;
    uint32_t stream;
    size_t sent, taken;
    uint64_t rests; /* ms: does not read until then */
    struct end *other;
};

struct link_pair {
    struct end client, peer;
    uint32_t listener;
    struct rs_addr address;
};

static uint32_t streams;

static UNUSED uint8_t pattern(uint32_t stream, size_t position)
{
    return (uint8_t)(stream * 101 + position * 31 + (position >> 11) * 7 + (position >> 19));
}

static UNUSED void send_more(struct end *end, uint32_t size)
{
    static uint8_t bytes[CHUNK];

    for (uint32_t i = 0; i < size; i++)
        bytes[i] = pattern(end->stream, end->sent + i);
    fake_send(end->fake, end->index, bytes, size);
    end->sent += size;
}

/* Compares and takes what has come, at most so much. */
static UNUSED void take(struct end *end, size_t most)
{
    struct fake_socket *socket = end->socket;
    size_t size = socket->size < most ? socket->size : most;

    for (size_t i = 0; i < size; i++) {
        if (socket->data[i] != pattern(end->other->stream, end->taken + i))
            fail("stream %u: byte %zu is wrong", end->other->stream, end->taken + i);
    }
    end->taken += size;
    check(end->taken <= end->other->sent);
    fake_consume(end->fake, end->index, size);
}

static UNUSED void take_all(struct end *end)
{
    while (end->taken < end->other->sent) {
        fake_reap(end->other->fake);
        fake_wait(end->fake, end->socket->size);
        take(end, SIZE_MAX);
    }
}

static UNUSED void bind_end(struct end *end, struct fake *fake, uint32_t index, struct end *other)
{
    *end = (struct end){.fake = fake,
                        .index = index,
                        .socket = fake_socket(fake, index),
                        .stream = ++streams,
                        .other = other};
}

static UNUSED struct rs_addr listen_at(struct fake *fake, uint32_t socket, struct rs_addr address)
{
    check_equal(fake_bind(fake, socket, address), 0);
    check_equal(fake_call(fake, RS_SUB_LISTEN, socket, 1, 0, 0, NULL, 0), 0);
    return fake_socket(fake, socket)->local;
}

static UNUSED void open_pair(struct link_pair *pair, struct fake *client, struct fake *peer)
{
    uint32_t index = fake_open(client, RS_AF_INET, RS_STREAM);

    pair->listener = fake_open(peer, RS_AF_INET, RS_STREAM);
    pair->address = listen_at(peer, pair->listener, fake_v4("127.0.0.1", 0));
    check_equal(fake_connect(client, index, pair->address), 0);
    bind_end(&pair->client, client, index, &pair->peer);
    bind_end(&pair->peer, peer, fake_accept(peer, pair->listener), &pair->client);
}

static UNUSED void close_pair(struct link_pair *pair)
{
    fake_close(pair->client.fake, pair->client.index);
    fake_close(pair->peer.fake, pair->peer.index);
    fake_close(pair->peer.fake, pair->listener);
}

/* More than is read ahead, so that a part waits in the sender's backlog. */
static UNUSED void hold(struct end *end)
{
    for (int i = 0; i < 8; i++)
        send_more(end, CHUNK);
}

#endif
