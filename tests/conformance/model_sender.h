/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A thread that sends all that one source has, in every way that there is: send, WSASend at once
 * and overlapped, gathered from pieces, with pauses of every length.
 *
 * Owns the sends that are outstanding.  What it sends follows from the source's generator alone.
 */
#ifndef RINGSOCK_TESTS_MODEL_SENDER_H
#define RINGSOCK_TESTS_MODEL_SENDER_H

#include "model_flow.h"

#define OUTGOING_MAX 8

struct outgoing {
    WSAOVERLAPPED ov;
    struct scatter scatter;
    HANDLE event;
    BOOL pending;
};

struct sender {
    struct source *source;
    struct outgoing outgoing[OUTGOING_MAX];
    unsigned int next;
};

static void sender_pause(struct source *source)
{
    static const DWORD pauses[] = {0, 0, 0, 1, 1, 1, 1, 2, 15};

    if (random_chance(&source->random, source->pause_percent))
        Sleep(pauses[random_below(&source->random, ARRAYSIZE(pauses))]);
}

static void outgoing_wait(const struct source *source, struct outgoing *outgoing)
{
    DWORD bytes = 0, flags;

    if (!outgoing->pending)
        return;
    outgoing->pending = FALSE;
    WaitForSingleObject(outgoing->event, INFINITE); /* the built-in does not for one with the bit */
    if (!WSAGetOverlappedResult(source->socket, &outgoing->ov, &bytes, FALSE, &flags) ||
        bytes != outgoing->scatter.total)
        flow_failed(source->flow, "an overlapped send of %lu bytes: error %d, %lu bytes",
                    (DWORD)outgoing->scatter.total, WSAGetLastError(), bytes);
    InterlockedIncrement(&model_progress);
}

static void outgoing_wait_all(struct sender *sender)
{
    unsigned int i;

    for (i = 0; i < OUTGOING_MAX; i++) /* from the oldest on */
        outgoing_wait(sender->source, &sender->outgoing[(sender->next + i) % OUTGOING_MAX]);
}

/* The bytes of the sequence, in pieces. */
static void outgoing_fill(struct source *source, struct outgoing *outgoing, ULONG64 key,
                          ULONG64 offset, unsigned int length)
{
    struct scatter *scatter = &outgoing->scatter;
    unsigned int pieces = random_chance(&source->random, 70) ? 1 : 20;
    DWORD i;

    scatter_plan(scatter, &source->random, length, pieces);
    for (i = 0; i < scatter->count; i++) {
        sequence_bytes(key, offset, (BYTE *)scatter->pieces[i].buf, scatter->pieces[i].len);
        offset += scatter->pieces[i].len;
    }
}

static BOOL would_block(void)
{
    return WSAGetLastError() == WSAEWOULDBLOCK;
}

static int call_send(const struct source *source, struct outgoing *outgoing, WSAOVERLAPPED *ov,
                     DWORD *bytes)
{
    struct scatter *scatter = &outgoing->scatter;

    if (source->flow->messages)
        return WSASendTo(source->socket, scatter->pieces, scatter->count, bytes, 0,
                         (struct sockaddr *)&source->to, sizeof(source->to), ov, NULL);
    return WSASend(source->socket, scatter->pieces, scatter->count, bytes, 0, ov, NULL);
}

/* Bytes `from` on, piece by piece: what a nonblocking socket did not take at once. */
static void send_rest(const struct source *source, const struct scatter *scatter, size_t from)
{
    DWORD i;

    for (i = 0; i < scatter->count; i++) {
        WSABUF piece = scatter->pieces[i];

        if (from >= piece.len) {
            from -= piece.len;
            continue;
        }
        while (from < piece.len) {
            int sent = send(source->socket, piece.buf + from, (int)(piece.len - from), 0);

            if (sent < 0 && !would_block())
                flow_failed(source->flow, "send error %d", WSAGetLastError());
            if (sent < 0)
                net_writable(source->socket, 1000);
            else
                from += sent;
        }
        from = 0;
    }
}

static void send_now(const struct source *source, struct outgoing *outgoing)
{
    DWORD bytes = 0;
    int result = call_send(source, outgoing, NULL, &bytes);

    if (result && !would_block())
        flow_failed(source->flow, "WSASend error %d", WSAGetLastError());
    if (result)
        bytes = 0;
    if (source->flow->messages) {
        if (result || bytes != outgoing->scatter.total)
            flow_failed(source->flow, "error %d, %lu bytes sent", WSAGetLastError(), bytes);
    } else
        send_rest(source, &outgoing->scatter, bytes);
}

/* By event; the low bit keeps the packet from a port that the receives have. */
static void send_overlapped(const struct source *source, struct outgoing *outgoing)
{
    int result;

    if (!outgoing->event)
        outgoing->event = WSACreateEvent();
    memset(&outgoing->ov, 0, sizeof(outgoing->ov));
    outgoing->ov.hEvent = (HANDLE)((ULONG_PTR)outgoing->event | 1);
    result = call_send(source, outgoing, &outgoing->ov, NULL);
    if (result && WSAGetLastError() != WSA_IO_PENDING)
        flow_failed(source->flow, "overlapped WSASend error %d", WSAGetLastError());
    outgoing->pending = TRUE;
}

static void sender_send(struct sender *sender, ULONG64 key, ULONG64 offset, unsigned int length)
{
    struct source *source = sender->source;
    struct outgoing *outgoing = &sender->outgoing[sender->next++ % OUTGOING_MAX];

    outgoing_wait(source, outgoing);
    outgoing_fill(source, outgoing, key, offset, length);
    if (random_below(&source->random, OUTGOING_MAX) < source->overlapped_max)
        send_overlapped(source, outgoing);
    else
        send_now(source, outgoing);
    InterlockedIncrement(&model_sends);
    InterlockedIncrement(&model_progress);
    sender_pause(source);
}

static void send_stream(struct sender *sender)
{
    struct source *source = sender->source;
    ULONG64 offset = 0;

    while (offset < source->length) {
        ULONG64 left = source->length - offset;
        unsigned int length = 1 + random_size(&source->random, source->chunk_max - 1);

        if (length > left)
            length = (unsigned int)left;
        sender_send(sender, source->key, offset, length);
        offset += length;
    }
    outgoing_wait_all(sender);
    if (shutdown(source->socket, SD_SEND))
        flow_failed(source->flow, "shutdown error %d", WSAGetLastError());
}

/* Until few enough are under way that none can be lost. */
static void wait_for_window(const struct source *source, LONG number)
{
    unsigned int round = 0;

    while (number - source->verified >= (LONG)source->flow->window) {
        if (++round % 16)
            SwitchToThread();
        else
            Sleep(1);
    }
}

static void send_messages(struct sender *sender)
{
    struct source *source = sender->source;
    LONG number;

    for (number = 0; number < (LONG)source->length; number++) {
        wait_for_window(source, number);
        sender_send(sender, message_key(source, number), 0, message_length(source, number));
    }
    outgoing_wait_all(sender);
}

static DWORD WINAPI sender_main(void *argument)
{
    struct sender sender = {.source = argument};
    unsigned int i;

    if (sender.source->flow->messages)
        send_messages(&sender);
    else
        send_stream(&sender);
    for (i = 0; i < OUTGOING_MAX; i++) {
        free(sender.outgoing[i].scatter.memory);
        if (sender.outgoing[i].event)
            WSACloseEvent(sender.outgoing[i].event);
    }
    return 0;
}

#endif
