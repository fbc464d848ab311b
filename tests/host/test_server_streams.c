/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams between two sockets of the server, at random: sizes, slow readers, urgent bytes, shut
 * ends, closes with data held back or unread, adoption and reuse, every byte compared.  With the
 * short cut what is on trial is that it and the kernel follow each other without a gap.
 *
 * The first argument is the seed of the first round (each line "# seed" names one), the second how
 * many rounds.
 */
#include "fake_pair.h"

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

/* AcceptEx: the connection gets the target's index. */
static void accept_into(struct fake *fake, uint32_t listener, uint32_t target)
{
    struct fake_socket *from = fake_socket(fake, listener), *to = fake_socket(fake, target),
                       *source;
    struct rs_adopt adopt = {0};
    struct piece piece = {&adopt, sizeof(adopt)};

    fake_wait(fake, from->incoming_count);
    adopt.source = from->incoming[--from->incoming_count].socket;
    __atomic_store_n(&fake->shared[adopt.source].interest, RS_WAKE_PUMP, __ATOMIC_SEQ_CST);
    fake_submit(fake, RS_SUB_ADOPT, 0, target, &piece, 1, sizeof(adopt));
    source = fake_socket(fake, adopt.source);
    fake_wait(fake, source->closed);
    /* what came before the adoption came under the old index */
    if (source->size) {
        fake_arrived(to, source->data, (uint32_t)source->size);
        memmove(to->data + source->size, to->data, to->size - source->size);
        memcpy(to->data, source->data, source->size);
    }
    fake_forget(fake, adopt.source);
}

static void random_open(struct link_pair *pair, struct fake *client, struct fake *peer)
{
    uint32_t index, target;

    if (draw(2)) {
        open_pair(pair, client, peer);
        return;
    }
    index = fake_open(client, RS_AF_INET, RS_STREAM);
    target = fake_open(peer, RS_AF_INET, RS_STREAM);
    pair->listener = fake_open(peer, RS_AF_INET, RS_STREAM);
    pair->address = listen_at(peer, pair->listener, fake_v4("127.0.0.1", 0));
    check_equal(fake_connect(client, index, pair->address), 0);
    bind_end(&pair->client, client, index, &pair->peer);
    bind_end(&pair->peer, peer, target, &pair->client);
    for (uint32_t i = draw(8); i; i--)
        send_more(&pair->client, 1 + draw(CHUNK / 2));
    accept_into(peer, pair->listener, target);
}

static void random_send(struct end *end)
{
    uint32_t size = 1 + draw(draw(2) ? 200 : CHUNK);

    if (end->sent + size - end->other->taken < 1 << 20)
        send_more(end, size);
}

static void random_step(struct end *end)
{
    switch (draw(8)) {
    case 0:
        end->rests = now_ms() + draw(12);
        break;
    case 1:
        usleep(draw(500));
        break;
    case 2:
    case 3:
    case 4:
        fake_reap(end->fake);
        if (now_ms() >= end->rests)
            take(end, 1 + draw(2 * CHUNK));
        break;
    default:
        random_send(end);
    }
}

static void send_urgent(struct end *end)
{
    struct piece piece = {"!", 1};

    fake_submit(end->fake, RS_SUB_SEND, RS_SEND_OOB, end->index, &piece, 1, 1);
}

static void steps(struct link_pair *pair, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        random_step(draw(2) ? &pair->client : &pair->peer);
}

/* The sending side ends with data behind it that nobody has read yet; the other goes on. */
static void end_by_shutdown(struct end *end)
{
    hold(end);
    check_equal(fake_call(end->fake, RS_SUB_SHUTDOWN, end->index, RS_SHUT_SEND, 0, 0, NULL, 0), 0);
    for (uint32_t i = draw(10); i; i--)
        random_send(end->other);
    take_all(end->other);
    fake_wait(end->other->fake, end->other->socket->eof);
    random_send(end->other);
    take_all(end);
}

static void close_both(struct end *first, struct end *second)
{
    fake_close_flags(first->fake, first->index, 0);
    take_all(second);
    fake_wait(second->fake, second->socket->eof);
    check_equal(second->socket->errors, 0);
    fake_close(second->fake, second->index);
    fake_forget(first->fake, first->index);
}

/* Unread data resets the connection. */
static void close_unread(struct end *end)
{
    struct end *other = end->other;

    hold(other);
    fake_wait(end->fake, end->socket->size);
    fake_close(end->fake, end->index);
    while (!other->socket->errors) { /* told behind what had come before */
        fake_wait(other->fake, other->socket->size || other->socket->errors);
        take(other, SIZE_MAX);
    }
    check_equal(other->socket->error, WSAECONNRESET);
    fake_close(other->fake, other->index);
}

static void disconnected(struct end *end)
{
    fake_wait(end->fake, end->socket->reused);
    check_equal(end->socket->reuse.error, 0);
    end->socket->reused = end->socket->eof = false;
}

/* Both sockets are used for another connection. */
static void reuse(struct link_pair *pair)
{
    struct end *client = &pair->client, *peer = &pair->peer;

    hold(client);
    fake_simple(client->fake, RS_SUB_DISCONNECT, 0, client->index);
    take_all(peer);
    fake_wait(peer->fake, peer->socket->eof);
    fake_simple(peer->fake, RS_SUB_DISCONNECT, 0, peer->index);
    disconnected(client);
    disconnected(peer);
    check_equal(fake_connect(client->fake, client->index, pair->address), 0);
    bind_end(client, client->fake, client->index, peer);
    bind_end(peer, peer->fake, peer->index, client);
    random_send(client);
    accept_into(peer->fake, pair->listener, peer->index);
}

static void random_round(struct fake *a, struct fake *b)
{
    struct fake *client = draw(2) ? a : b, *peer = draw(4) ? (client == a ? b : a) : client;
    struct link_pair pair;
    struct end *end = draw(2) ? &pair.client : &pair.peer, *other;
    bool urgent = !draw(4), shut = !draw(4);

    random_open(&pair, client, peer);
    steps(&pair, 10 + draw(60));
    if (draw(4) == 0) {
        take_all(&pair.client);
        reuse(&pair);
        steps(&pair, 10 + draw(60));
    }
    other = end->other;
    if (urgent) {
        send_urgent(end);
        steps(&pair, 10 + draw(60));
        take_all(other);
        fake_wait(other->fake, other->socket->urgent_count);
        check_equal(other->socket->urgent_count, 1);
        check_equal(other->socket->urgent[0], '!');
    }
    if (shut)
        end_by_shutdown(end);
    if (!shut && draw(3) == 0) {
        close_unread(end);
    } else {
        take_all(end);
        if (!shut)
            hold(end);
        close_both(end, other);
    }
    fake_close(peer, pair.listener);
}

static void run_rounds(struct fake *a, struct fake *b, uint32_t seed, unsigned count)
{
    for (unsigned i = 0; i < count; i++, seed++) {
        printf("# seed %u\n", seed);
        fflush(stdout);
        random_state = seed * 2654435761u | 1;
        random_round(a, b);
    }
    fake_wait(a, !a->segment->backlog);
    fake_wait(b, !b->segment->backlog);
}

int main(int argc, char **argv)
{
    uint32_t seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : (uint32_t)time(NULL);
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 60;
    const char *dir = fake_make_dir();
    pid_t server = fake_start_server(dir, 60);
    struct fake *a = fake_join(dir), *b = fake_join(dir);

    run_rounds(a, b, 1, argc > 1 ? 0 : rounds);
    run_rounds(a, b, seed, rounds);
    fake_leave(a);
    fake_leave(b);
    fake_stop_server(server, dir);
    return 0;
}
