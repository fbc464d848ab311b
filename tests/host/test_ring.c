/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring of include/ringsock/ring.h: order and content across the wrap, padding, a full ring,
 * what each end makes of a lying peer, and a producer and a consumer on two threads.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "ringsock/ring.h"

#define check(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "not ok: %s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

#define SIZE 4096u

struct pair {
    struct rs_ring shared;
    struct rs_ring_end producer, consumer;
    _Alignas(64) uint8_t data[SIZE];
};

static void pair_init(struct pair *pair, uint32_t start)
{
    memset(pair, 0, sizeof(*pair));
    pair->shared.head = pair->shared.tail = start;
    pair->producer = (struct rs_ring_end){&pair->shared, pair->data, SIZE, start};
    pair->consumer = pair->producer;
}

static bool put(struct pair *pair, uint32_t number, uint32_t length)
{
    uint32_t size = (uint32_t)sizeof(struct rs_record) + length;
    struct rs_record *record = rs_ring_reserve(&pair->producer, size);

    if (!record)
        return false;
    check((uint8_t *)record >= pair->data &&
          (uint8_t *)record + rs_align(size) <= pair->data + SIZE);
    *record = (struct rs_record){.type = 7, .socket = number, .length = length};
    memset(record + 1, (int)(number & 0xff), length);
    rs_ring_publish(&pair->producer, record, size);
    return true;
}

static bool get(struct pair *pair, uint32_t number, uint32_t length)
{
    struct rs_record header;
    const uint8_t *body;
    enum rs_peek peek = rs_ring_peek(&pair->consumer, &header, &body);

    check(peek != RS_PEEK_CORRUPT);
    if (peek == RS_PEEK_EMPTY)
        return false;
    check(header.type == 7 && header.socket == number && header.length == length);
    for (uint32_t i = 0; i < length; i++)
        check(body[i] == (number & 0xff));
    rs_ring_skip(&pair->consumer, &header);
    rs_ring_consume_end(&pair->consumer);
    return true;
}

static uint32_t length_of(uint32_t number)
{
    return number * 2654435761u % 1500;
}

/* Every alignment of the wrap, and the counters' own wrap at 2^32. */
static void test_order(uint32_t start)
{
    struct pair pair;
    uint32_t written = 0, read = 0;

    pair_init(&pair, start);
    while (read < 600) {
        while (written < 600 && put(&pair, written, length_of(written)))
            written++;
        check(rs_ring_pending(&pair.consumer));
        for (uint32_t i = 0; i <= read % 3 && get(&pair, read, length_of(read)); i++)
            read++;
    }
    check(!get(&pair, read, 0));
    check(!rs_ring_pending(&pair.consumer));
    check(rs_ring_free(&pair.producer) == SIZE);
}

static void test_full(void)
{
    struct pair pair;
    uint32_t count = 0;

    pair_init(&pair, 0);
    while (put(&pair, count, 48))
        count++;
    check(count == SIZE / 64);
    check(rs_ring_free(&pair.producer) == 0);
    check(!rs_ring_reserve(&pair.producer, 16));
    check(get(&pair, 0, 48));
    check(!rs_ring_reserve(&pair.producer, 80)); /* 64 are free */
    check(put(&pair, count, 48));
    check(!put(&pair, count, 48));
}

/* A record that does not fit before the end goes to the begin, behind a pad. */
static void test_pad(void)
{
    struct pair pair;
    struct rs_record *pad;

    pair_init(&pair, 0);
    check(put(&pair, 0, 3000));
    check(get(&pair, 0, 3000));
    check(put(&pair, 1, 2000));
    pad = (struct rs_record *)(pair.data + 3024);
    check(pad->type == RS_PAD && pad->size == SIZE - 3024);
    check(get(&pair, 1, 2000));
    /* reserving and letting go publishes nothing, not even the pad */
    pair_init(&pair, SIZE - 64);
    check(rs_ring_reserve(&pair.producer, 1000));
    check(!rs_ring_pending(&pair.consumer));
    check(!get(&pair, 0, 0));
    check(put(&pair, 5, 16)); /* behind the pad all the same */
    check(get(&pair, 5, 16));
    check(rs_ring_free(&pair.producer) == SIZE);
    /* exactly up to the end: no pad */
    pair_init(&pair, SIZE - 64);
    check(put(&pair, 6, 48));
    check(pair.shared.tail == SIZE);
    check(get(&pair, 6, 48));
}

static enum rs_peek peek_with(struct rs_record record, uint32_t published, uint32_t start)
{
    struct pair pair;
    struct rs_record header;
    const uint8_t *body;

    pair_init(&pair, start);
    memcpy(pair.data + start % SIZE, &record, sizeof(record));
    pair.shared.tail = start + published;
    return rs_ring_peek(&pair.consumer, &header, &body);
}

static void test_corrupt(void)
{
    struct rs_record record = {.size = 32, .type = 1};
    struct pair pair;

    check(peek_with(record, 32, 0) == RS_PEEK_RECORD);
    check(peek_with(record, 0, 0) == RS_PEEK_EMPTY);
    /* more published than there is room for, or not in whole records */
    check(peek_with(record, SIZE + 16, 0) == RS_PEEK_CORRUPT);
    check(peek_with(record, 0xfffffff0u, 0) == RS_PEEK_CORRUPT);
    check(peek_with(record, 24, 0) == RS_PEEK_CORRUPT);
    /* sizes that are none, too large, beyond the end */
    record.size = 0;
    check(peek_with(record, 32, 0) == RS_PEEK_CORRUPT);
    record.size = 8;
    check(peek_with(record, 32, 0) == RS_PEEK_CORRUPT);
    record.size = 24;
    check(peek_with(record, 32, 0) == RS_PEEK_CORRUPT);
    record.size = 48;
    check(peek_with(record, 32, 0) == RS_PEEK_CORRUPT);
    record.size = 0xfffffff0u;
    check(peek_with(record, 32, 0) == RS_PEEK_CORRUPT);
    record.size = 64;
    check(peek_with(record, 64, SIZE - 32) == RS_PEEK_CORRUPT);
    /* pads are records too */
    record.type = RS_PAD;
    record.size = 0;
    check(peek_with(record, 32, 0) == RS_PEEK_CORRUPT);
    record.size = 32;
    check(peek_with(record, 32, 0) == RS_PEEK_EMPTY);
    /* a consumer that lies about its head gets nothing */
    pair_init(&pair, 0);
    pair.shared.head = 16;
    check(rs_ring_free(&pair.producer) == 0);
    pair.shared.head = 0u - SIZE - 16;
    check(rs_ring_free(&pair.producer) == 0);
    pair.shared.head = 0u - 8;
    check(rs_ring_free(&pair.producer) == 0);
    check(!rs_ring_reserve(&pair.producer, 16));
}

#define STRESS 30000u

static void *produce(void *argument)
{
    struct pair *pair = argument;

    for (uint32_t i = 0; i < STRESS;) {
        if (put(pair, i, length_of(i)))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void test_threads(void)
{
    static struct pair pair;
    pthread_t thread;

    pair_init(&pair, 0xffff0000u);
    check(!pthread_create(&thread, NULL, produce, &pair));
    for (uint32_t i = 0; i < STRESS;) {
        if (get(&pair, i, length_of(i)))
            i++;
        else
            sched_yield();
    }
    check(!pthread_join(thread, NULL));
    check(!rs_ring_pending(&pair.consumer));
}

int main(void)
{
    for (uint32_t start = 0; start < SIZE; start += 48)
        test_order(start * 0x10001u & ~15u);
    printf("ok 1 - order\n");
    test_full();
    printf("ok 2 - full\n");
    test_pad();
    printf("ok 3 - pad\n");
    test_corrupt();
    printf("ok 4 - corrupt\n");
    test_threads();
    printf("ok 5 - threads\n");
    return 0;
}
