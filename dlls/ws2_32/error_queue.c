/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IP_RECVERR and IPV6_RECVERR: what ICMP says of datagrams that were sent, for WSARecvMsg with
 * MSG_ERRQUEUE.
 *
 * Owns: socket.messages and its neighbours, under the socket's lock.  May call: the server, with no
 * lock held.
 *
 * Microsoft's headers have the options, the flag and IN_RECVERR; no page tells how they go
 * together. Linux has all three by the same names (ip(7)), so what the headers leave open is as
 * there: the queue is one beside the datagrams; reading it never waits; the name is where the
 * datagram had gone, the data what the message quotes of it; and turning the option off empties it.
 */
#include "error_queue.h"
#include "control_data.h"
#include "option.h"
#include "receive.h"

#define KEPT 64u /* of a socket; later ones are lost */

struct error_message {
    struct error_message *next;
    struct rs_icmp_message icmp;
    uint32_t length;
    uint8_t data[];
};

static bool is_wanted(const struct socket *socket, const struct rs_icmp_message *icmp)
{
    return icmp->protocol == IPPROTO_ICMPV6 ? socket->receive_errors6 : socket->receive_errors;
}

void error_queue_arrived(struct socket *socket, const struct rs_icmp_message *icmp,
                         const uint8_t *data, uint32_t length)
{
    struct error_message *message, **end = &socket->messages;

    if (!is_wanted(socket, icmp) || socket->message_count >= KEPT ||
        !(message = malloc(sizeof(*message) + length)))
        return;
    message->next = NULL;
    message->icmp = *icmp;
    message->length = length;
    memcpy(message->data, data, length);
    while (*end)
        end = &(*end)->next;
    *end = message;
    socket->message_count++;
}

static void drop_first(struct socket *socket)
{
    struct error_message *message = socket->messages;

    socket->messages = message->next;
    socket->message_count--;
    free(message);
}

void error_queue_take(struct socket *socket, struct operation *operation)
{
    const struct error_message *message = socket->messages;

    if (!message) {
        operation->error = WSAEWOULDBLOCK;
        return;
    }
    if (!receive_fill(operation, &message->icmp.destination, message->data, message->length))
        return;
    control_store_error(operation, &message->icmp);
    if (receive_takes_away(operation))
        drop_first(socket);
}

void error_queue_clear(struct socket *socket)
{
    while (socket->messages)
        drop_first(socket);
}

/* ---- the options ---- */

/* Of a raw socket they cannot be asked for (Wine's test_sockopt_validity, run on Windows). */
static DWORD tell(const struct socket *socket, bool wanted, uint32_t *value)
{
    *value = wanted;
    return socket->type == SOCK_RAW ? WSAEINVAL : 0;
}

static DWORD want(struct socket *socket, bool *which, bool other, bool on)
{
    uint32_t any = on || other;
    DWORD error;

    if (socket->type == SOCK_RAW)
        return on ? WSAEINVAL : 0;
    if ((error = option_server_set(socket, RS_OPT_ICMP_MESSAGES, &any, sizeof(any))))
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    *which = on;
    if (!on)
        error_queue_clear(socket);
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

DWORD get_receive_errors(struct socket *socket, uint32_t *value)
{
    return tell(socket, socket->receive_errors, value);
}

DWORD set_receive_errors(struct socket *socket, uint32_t value)
{
    return want(socket, &socket->receive_errors, socket->receive_errors6, value);
}

DWORD get_receive_errors6(struct socket *socket, uint32_t *value)
{
    return tell(socket, socket->receive_errors6, value);
}

DWORD set_receive_errors6(struct socket *socket, uint32_t value)
{
    return want(socket, &socket->receive_errors6, socket->receive_errors, value);
}
