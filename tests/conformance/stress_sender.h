/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who sends into a flow of the stress of cancelling (stress_flow.h).
 *
 * Owns: the peer of a flow's socket, one thread, the memory that its sends are made from and their
 * OVERLAPPED, inaccessible whenever none is outstanding.  A send that is cancelled has sent what its OVERLAPPED
 * says, and the next one goes on behind that.
 */
#ifndef RINGSOCK_TESTS_STRESS_SENDER_H
#define RINGSOCK_TESTS_STRESS_SENDER_H

#include "stress_flow.h"

#define SEND_MAX 200704u /* pages of data, and one more of the OVERLAPPED */
#define SEND_MEMORY (SEND_MAX + PAGE)

struct sender {
    struct flow *flow;
    struct random random;
    BYTE *memory;
    HANDLE event;
};

/* Connected sockets of the kind that the flow wants. */
static void flow_connect(struct flow *flow)
{
    struct sockaddr_storage address[2];
    int length, size = 16384;
    SOCKET s[2];

    if (flow->messages) {
        net_udp_pair(AF_INET, s, address, &length);
        flow->peer = s[0];
        flow->socket = s[1];
        if (connect(flow->peer, (struct sockaddr *)&address[1], length))
            model_failed("connect error %d", WSAGetLastError());
        return;
    }
    if (flow->blocking)
        net_pair_flags(AF_INET, 0, &flow->socket, &flow->peer);
    else
        net_pair(&flow->peer, &flow->socket);
    flow->cancels_sends = rt.ours && flow->key % 2; /* the built-in does not say what went out */
    if (flow->key % 3 == 0)
        setsockopt(flow->peer, SOL_SOCKET, SO_SNDBUF, (char *)&size, sizeof(size));
}

/* Overlapped, and how much of it went out. */
static DWORD send_overlapped(struct sender *sender, DWORD size)
{
    WSAOVERLAPPED *ov = (WSAOVERLAPPED *)(sender->memory + SEND_MAX);
    struct flow *flow = sender->flow;
    WSABUF buf = {size, (char *)sender->memory};
    LONG status;
    int result;

    memset(ov, 0, sizeof(*ov));
    ov->hEvent = sender->event;
    result = WSASend(flow->peer, &buf, 1, NULL, 0, ov, NULL);
    if (result && WSAGetLastError() != WSA_IO_PENDING) {
        if (!flow->dying)
            flow_failed(flow, "WSASend failed", WSAGetLastError());
        return 0;
    }
    if (random_chance(&sender->random, 20))
        CancelIo((HANDLE)flow->peer);
    if (WaitForSingleObject(sender->event, INFINITE) != WAIT_OBJECT_0)
        flow_failed(flow, "no event", 0);
    status = (LONG)ov->Internal;
    if (status && status != STATUS_CANCELLED_ && !flow->dying)
        flow_failed(flow, "a send failed", status);
    if (!status && ov->InternalHigh != size)
        flow_failed(flow, "a send has not sent all", (LONG)ov->InternalHigh);
    if (status == STATUS_CANCELLED_)
        InterlockedIncrement(&stress_cancelled);
    return (DWORD)ov->InternalHigh;
}

static DWORD send_blocking(struct sender *sender, DWORD size)
{
    struct flow *flow = sender->flow;
    int sent = send(flow->peer, (char *)sender->memory, (int)size, 0);

    if (sent != (int)size && !flow->dying)
        flow_failed(flow, "send failed", WSAGetLastError());
    return sent < 0 ? 0 : (DWORD)sent;
}

static BOOL should_reset(const struct flow *flow)
{
    return flow->fate == RESET && flow->ended >= flow->limit;
}

/* So that receives are pending, most of the time. */
static void wait_for_receiver(struct sender *sender, LONG sent)
{
    struct flow *flow = sender->flow;

    while (sent - flow->seen > flow->lag && !flow->dying && !should_reset(flow))
        Sleep(random_below(&sender->random, 2));
}

static void send_stream(struct sender *sender)
{
    struct flow *flow = sender->flow;
    ULONG64 sent = 0;

    while (sent < flow->length && !flow->dying) {
        DWORD size = 1 + random_size(&sender->random, flow->send_max - 1), done;

        wait_for_receiver(sender, (LONG)sent);
        if (should_reset(flow)) {
            InterlockedExchange(&flow->dying, 1);
            net_reset(flow->peer);
            return;
        }
        if (size > flow->length - sent)
            size = (DWORD)(flow->length - sent);
        set_protection(sender->memory, SEND_MEMORY, PAGE_READWRITE);
        sequence_bytes(flow->key, sent, sender->memory, size);
        done = flow->cancels_sends ? send_overlapped(sender, size) : send_blocking(sender, size);
        set_protection(sender->memory, SEND_MEMORY, PAGE_NOACCESS);
        sent += done;
        InterlockedIncrement(&stress_sends);
        if (done)
            InterlockedIncrement(&model_progress);
        if (random_chance(&sender->random, flow->pause_percent))
            Sleep(random_below(&sender->random, 3));
    }
    if (!flow->dying)
        shutdown(flow->peer, SD_SEND);
}

static void send_messages(struct sender *sender)
{
    struct flow *flow = sender->flow;
    BYTE message[2048];
    DWORD number;

    for (number = 0; number < flow->length && !flow->dying; number++) {
        DWORD length = message_fill(flow, number, message);

        wait_for_receiver(sender, number);
        if (random_chance(&sender->random, flow->pause_percent))
            Sleep(random_below(&sender->random, 3));
        send(flow->peer, (char *)message, (int)length, 0);
        InterlockedIncrement(&stress_sends);
    }
}

static DWORD WINAPI sender_main(void *argument)
{
    struct sender *sender = argument;

    if (sender->flow->messages)
        send_messages(sender);
    else
        send_stream(sender);
    return 0;
}

/* Its memory stays for the senders of the rounds to come. */
static HANDLE sender_start(struct sender *sender, struct flow *flow)
{
    static BYTE *memory[HIDDEN_MAX];
    static HANDLE events[HIDDEN_MAX];

    if (!memory[flow->number]) {
        memory[flow->number] = hideable_memory(SEND_MEMORY);
        events[flow->number] = CreateEventA(NULL, TRUE, FALSE, NULL);
    }
    sender->flow = flow;
    sender->random = random_branch(flow->key, 3);
    sender->memory = memory[flow->number];
    sender->event = events[flow->number];
    return CreateThread(NULL, 0, sender_main, sender, 0, NULL);
}

#endif
