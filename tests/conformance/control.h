/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two datagram sockets that exchange messages with control data (control_data.c, control_send.c).
 *
 * Every function is static and reports its own failures as checks.  May call: Winsock, net.h.
 */
#ifndef RINGSOCK_TESTS_CONTROL_H
#define RINGSOCK_TESTS_CONTROL_H

#include "net.h"

/* ws2ipdef.h; mingw-w64 has some of them */
enum {
    TYPE_RECVDSTADDR = 25,
    TYPE_UNICAST_IF = 31,
    TYPE_TCLASS = 39,
    TYPE_ORIGINAL_ARRIVAL_IF = 47,
    TYPE_ECN = 50,
    TYPE_PKTINFO_EX = 51,
};

static LPFN_WSARECVMSG receive_message;
static LPFN_WSASENDMSG send_message;

struct message {
    int family, level;
    SOCKET a, b; /* a sends to b */
    struct sockaddr_storage address[2], name;
    int length;
    char data[16];
    ULONGLONG control[64];
    WSABUF buffer;
    WSAMSG msg;
};

static void *find_extension(GUID guid)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    void *function = NULL;
    DWORD bytes = 0;

    ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &function,
                        sizeof(function), &bytes, NULL, NULL));
    closesocket(s);
    return function;
}

static RT_UNUSED void find_functions(void)
{
    receive_message = (LPFN_WSARECVMSG)find_extension((GUID)WSAID_WSARECVMSG);
    send_message = (LPFN_WSASENDMSG)find_extension((GUID)WSAID_WSASENDMSG);
    if (!receive_message || !send_message)
        exit(1);
}

/* Ready for a receive with all the room there is. */
static void message_reset(struct message *m)
{
    memset(m->data, 0, sizeof(m->data));
    memset(m->control, 0xcc, sizeof(m->control));
    m->buffer.buf = m->data;
    m->buffer.len = sizeof(m->data);
    m->msg.name = (struct sockaddr *)&m->name;
    m->msg.namelen = sizeof(m->name);
    m->msg.lpBuffers = &m->buffer;
    m->msg.dwBufferCount = 1;
    m->msg.Control.buf = (char *)m->control;
    m->msg.Control.len = sizeof(m->control);
    m->msg.dwFlags = 0;
}

static struct message *message_new(int family)
{
    struct message *m = calloc(1, sizeof(*m));
    SOCKET s[2];

    winetest_push_context("family %d", family);
    net_udp_pair(family, s, m->address, &m->length);
    m->family = family;
    m->level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    m->a = s[0];
    m->b = s[1];
    message_reset(m);
    return m;
}

static void message_free(struct message *m)
{
    closesocket(m->a);
    closesocket(m->b);
    free(m);
    winetest_pop_context();
}

static void enable(SOCKET s, int level, int name, DWORD on)
{
    ok(!setsockopt(s, level, name, (char *)&on, sizeof(on)), "level %d, option %d: error %d\n",
       level, name, WSAGetLastError());
}

static RT_UNUSED void message_send(const struct message *m, const char *text)
{
    int size = (int)strlen(text);

    ok(sendto(m->a, text, size, 0, (struct sockaddr *)&m->address[1], m->length) == size,
       "error %d\n", WSAGetLastError());
}

/* Sends and receives one, with all the room there is. */
static RT_UNUSED void message_receive(struct message *m)
{
    DWORD bytes = 0;

    message_reset(m);
    ok(net_readable(m->b, NET_PATIENCE), "nothing has arrived\n");
    ok_success(receive_message(m->b, &m->msg, &bytes, NULL, NULL));
}

static RT_UNUSED void message_pass(struct message *m)
{
    message_send(m, "hello");
    message_receive(m);
    ok(!memcmp(m->data, "hello", 6), "got %s\n", m->data);
}

/* The one message of that type, or NULL.  "The number of bytes of data starting from the beginning
 * of the WSACMSGHDR to the end of data (excluding padding bytes that may follow data)." */
static RT_UNUSED void *message_find(struct message *m, int level, int type, size_t size)
{
    WSACMSGHDR *header;
    void *data = NULL;

    for (header = WSA_CMSG_FIRSTHDR(&m->msg); header; header = WSA_CMSG_NXTHDR(&m->msg, header)) {
        if (header->cmsg_len < sizeof(*header))
            break;
        if (header->cmsg_level != level || header->cmsg_type != type)
            continue;
        ok(!data, "type %d comes twice\n", type);
        ok(header->cmsg_len == WSA_CMSG_LEN(size), "type %d: length %d\n", type,
           (int)header->cmsg_len);
        data = WSA_CMSG_DATA(header);
    }
    return data;
}

static RT_UNUSED int message_int(struct message *m, int type)
{
    INT *value = message_find(m, m->level, type, sizeof(INT));

    return value ? *value : -1;
}

/* Two statements, so that what message_find checks is in no todo block of the caller's. */
#define check_int(m, type, condition)                                              \
    do {                                                                           \
        int got = message_int(m, type);                                            \
        ok(condition, "got %d\n", got);                                            \
    } while (0)
#define check_int_todo(is_todo, m, type, condition)                                \
    do {                                                                           \
        int got = message_int(m, type);                                            \
        todo_wine_if(is_todo) ok(condition, "got %d\n", got);                      \
    } while (0)

#endif
