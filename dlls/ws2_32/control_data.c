/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control data (see control_data.h): Windows' control messages to and from struct rs_control.
 *
 * Owns: socket.control_*, under the socket's lock.  May call: the server, through option.c and the
 * submission ring, with no lock held.
 *
 * Types and sizes: WSAMSG's page, "IPPROTO_IP socket options" and "IPPROTO_IPV6 socket options",
 * "Winsock explicit congestion notification"; Wine's test_ipv4_cmsg and test_ipv6_cmsg, run on
 * Windows, for the types of TTL and TOS (Windows 10 before 1703 had others).  In which order
 * Windows puts several messages nobody says; programs look for what they want by its type.
 */
#include "control_data.h"
#include "error_queue.h"
#include "guarded_copy.h"
#include "log.h"
#include "option.h"
#include "sockaddr.h"

/* ---- what is asked for ---- */

static LONG volatile messages_expected;

uint32_t control_at_birth(void)
{
    return messages_expected ? RS_CONTROL_PACKET : 0;
}

static uint32_t *wanted_of(struct socket *socket, int level)
{
    return level == IPPROTO_IPV6 ? &socket->control_ip6 : &socket->control_ip;
}

uint32_t control_wanted(struct socket *socket, int level)
{
    uint32_t wanted;

    AcquireSRWLockShared(&socket->lock);
    wanted = *wanted_of(socket, level);
    ReleaseSRWLockShared(&socket->lock);
    return wanted;
}

static uint32_t needed_for(uint32_t wanted)
{
    return RS_CONTROL_PACKET | (wanted & WANTED_TTL ? RS_CONTROL_TTL : 0) |
           (wanted & (WANTED_TOS | WANTED_ECN) ? RS_CONTROL_TOS : 0);
}

/* The server is never told that something is not needed any more: who turned it off may turn it on
 * again, and what comes unasked is left out below. */
DWORD control_want(struct socket *socket, int level, uint32_t which, bool on)
{
    uint32_t needed = needed_for(which);
    DWORD error = 0;

    if (on && needed & ~socket->control_told)
        error = option_server_set(socket, RS_OPT_CONTROL, &needed, sizeof(needed));
    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    if (on) {
        *wanted_of(socket, level) |= which;
        socket->control_told |= needed;
    } else {
        *wanted_of(socket, level) &= ~which;
    }
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

DWORD control_want_times(struct socket *socket, bool on)
{
    uint32_t needed = RS_CONTROL_TIME;
    DWORD error = 0;

    if (on && !(socket->control_told & needed))
        error = option_server_set(socket, RS_OPT_CONTROL, &needed, sizeof(needed));
    if (error)
        return error;
    AcquireSRWLockExclusive(&socket->lock);
    socket->receive_times = on;
    if (on)
        socket->control_told |= needed;
    ReleaseSRWLockExclusive(&socket->lock);
    return 0;
}

/* Nobody waits for the answer: what comes before the server has seen this lacks the flags. */
static void submit_packet(struct socket *socket)
{
    uint32_t size = sizeof(struct rs_record) + sizeof(struct rs_call) + sizeof(uint32_t);
    uint32_t needed = RS_CONTROL_PACKET;
    struct rs_record *record = submit_begin(socket->session, RS_SUB_SETOPT, 0, socket->index, size);
    struct rs_call *call;

    if (!record)
        return;
    call = (struct rs_call *)(record + 1);
    memset(call, 0, sizeof(*call)); /* cookie 0 */
    call->arg0 = RS_OPT_CONTROL;
    memcpy(call + 1, &needed, sizeof(needed));
    submit_end(socket->session, record, size, sizeof(needed));
}

void control_ask_packet(struct socket *socket)
{
    bool told;

    if (socket->control_told & RS_CONTROL_PACKET || socket->type == SOCK_STREAM)
        return;
    AcquireSRWLockExclusive(&socket->lock);
    told = socket->control_told & RS_CONTROL_PACKET || socket->closing;
    socket->control_told |= RS_CONTROL_PACKET;
    if (!told)
        submit_packet(socket);
    ReleaseSRWLockExclusive(&socket->lock);
}

void control_expect_messages(struct socket *socket)
{
    InterlockedExchange(&messages_expected, 1);
    control_ask_packet(socket);
}

/* ---- out: what a receive returns ---- */

#define MESSAGES_ROOM 512u /* more than all that can be asked for */

struct writer {
    _Alignas(8) char bytes[MESSAGES_ROOM];
    int level;
    ULONG used, room; /* room: the program's */
    bool cut;
};

/* Only whole messages, so that a program that does not look at MSG_CTRUNC reads no half ones;
 * what Windows leaves in a buffer that is too small is not known. */
static void put_at(struct writer *writer, int level, int type, const void *data, size_t size)
{
    WSACMSGHDR header = {WSA_CMSG_LEN(size), level, type};
    char *place = writer->bytes + writer->used;

    if (writer->cut || writer->room - writer->used < header.cmsg_len) {
        writer->cut = true;
        return;
    }
    memcpy(place, &header, sizeof(header));
    memcpy(WSA_CMSG_DATA((WSACMSGHDR *)place), data, size);
    writer->used += WSA_CMSG_SPACE(size);
    if (writer->used > writer->room)
        writer->used = writer->room; /* without the padding behind the last one */
}

static void put(struct writer *writer, int type, const void *data, size_t size)
{
    put_at(writer, writer->level, type, data, size);
}

static void put_int(struct writer *writer, int type, INT value)
{
    put(writer, type, &value, sizeof(value));
}

/* IN_PKTINFO_EX and IN6_PKTINFO_EX; without their ends, IN_PKTINFO and IN6_PKTINFO. */
struct packet4 {
    IN_PKTINFO info;
    ULONG scope_id;
};
struct packet6 {
    IN6_PKTINFO info;
    ULONG scope_id;
};
_Static_assert(sizeof(struct packet4) == 12 && sizeof(struct packet6) == 24,
               "as Microsoft's compiler has it");

/* As sin6_scope_id would be of the address that the datagram went to. */
static ULONG scope_of(const struct rs_control *control)
{
    struct in6_addr address;

    memcpy(&address, control->address, sizeof(address));
    return IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_MC_LINKLOCAL(&address)
               ? control->interface_index
               : 0;
}

static void put_pktinfo(struct writer *writer, const struct rs_control *control, bool extended)
{
    struct packet6 six = {.info.ipi6_ifindex = control->interface_index,
                          .scope_id = scope_of(control)};
    struct packet4 four = {.info.ipi_ifindex = control->interface_index};

    memcpy(&four.info.ipi_addr, control->address, sizeof(four.info.ipi_addr));
    memcpy(&six.info.ipi6_addr, control->address, sizeof(six.info.ipi6_addr));
    if (writer->level == IPPROTO_IP)
        put(writer, extended ? TYPE_PKTINFO_EX : IP_PKTINFO, &four,
            extended ? sizeof(four) : sizeof(four.info));
    else
        put(writer, extended ? TYPE_PKTINFO_EX : IPV6_PKTINFO, &six,
            extended ? sizeof(six) : sizeof(six.info));
}

static void put_packet(struct writer *writer, uint32_t wanted, const struct rs_control *control)
{
    if (wanted & WANTED_PKTINFO)
        put_pktinfo(writer, control, false);
    if (wanted & WANTED_PKTINFO_EX)
        put_pktinfo(writer, control, true);
    if (wanted & WANTED_DESTINATION) /* undocumented; as BSD, where the option comes from */
        put(writer, TYPE_RECVDSTADDR, control->address, writer->level == IPPROTO_IP ? 4 : 16);
    if (wanted & WANTED_INTERFACE)
        put_int(writer, IP_RECVIF, (INT)control->interface_index);
    if (wanted & WANTED_ARRIVAL) /* Linux's tunnels are interfaces of their own */
        put_int(writer, TYPE_ORIGINAL_ARRIVAL_IF, (INT)control->interface_index);
}

static void put_all(struct writer *writer, uint32_t wanted, const struct rs_control *control)
{
    bool v4 = writer->level == IPPROTO_IP;

    if (control->present & RS_CONTROL_PACKET)
        put_packet(writer, wanted, control);
    if (control->present & RS_CONTROL_TTL && wanted & WANTED_TTL)
        put_int(writer, v4 ? IP_TTL : IPV6_HOPLIMIT, control->ttl);
    if (control->present & RS_CONTROL_TOS && wanted & WANTED_TOS)
        put_int(writer, v4 ? IP_TOS : TYPE_TCLASS, control->tos);
    if (control->present & RS_CONTROL_TOS && wanted & WANTED_ECN)
        put_int(writer, TYPE_ECN, control->tos & ECN_MASK);
}

/* "If your application wants to retrieve the datagram sizes (except the last datagram, which may
 * differ) that were coalesced" (UDP_RECV_MAX_COALESCED_SIZE); of a single one nothing is said
 * (msquic's and quinn's receivers take the message's length then). */
static void put_segment(struct writer *writer, const struct rs_control *control)
{
    DWORD size = control->segment;

    put_at(writer, IPPROTO_UDP, TYPE_UDP_COALESCED_INFO, &size, sizeof(size));
}

static DWORD delivery_flags(const struct rs_control *control)
{
    return control->delivery == RS_DELIVERY_BROADCAST   ? MSG_BCAST
           : control->delivery == RS_DELIVERY_MULTICAST ? MSG_MCAST
                                                        : 0;
}

bool control_write(const struct socket *socket, const struct rs_control *control,
                   const WSABUF *room, ULONG *used, DWORD *flags)
{
    bool v4 = control->family == RS_AF_INET;
    struct writer writer = {.room = room->len, .level = v4 ? IPPROTO_IP : IPPROTO_IPV6};

    put_all(&writer, v4 ? socket->control_ip : socket->control_ip6, control);
    if (control->present & RS_CONTROL_SEGMENT && socket->udp_coalesced_size)
        put_segment(&writer, control);
    /* "For software timestamps, the counter is a QueryPerformanceCounter ... value": the rs clock
     */
    if (control->present & RS_CONTROL_TIME && socket->receive_times)
        put_at(&writer, SOL_SOCKET, TYPE_TIMESTAMP, &control->time, sizeof(control->time));
    *used = writer.used;
    *flags = delivery_flags(control) | (writer.cut ? MSG_CTRUNC : 0);
    return !guarded_copy(room->buf, writer.bytes, writer.used);
}

/* WSAMSG's page: "If the datagram or control data is truncated ..., the function ... returns
 * SOCKET_ERROR and ... WSAEMSGSIZE"; also where there is no buffer at all (cyclonedds issue 2359,
 * seen on Windows 11). */
static void store(struct operation *operation, bool there, ULONG used, DWORD flags)
{
    DWORD truncated = operation->error == WSAEMSGSIZE ? MSG_TRUNC : 0;
    WSAMSG *message = operation->message;

    if (flags & MSG_CTRUNC)
        operation->error = WSAEMSGSIZE;
    operation->result_flags = 0; /* those are in the message */
    if ((!there || !guarded_store(&message->Control.len, used) ||
         !guarded_store(&message->dwFlags, flags | truncated)) &&
        !operation->probed)
        operation->error = WSAEFAULT;
}

void control_store(const struct socket *socket, struct operation *operation,
                   const struct rs_control *control)
{
    static const struct rs_control nothing;
    DWORD flags;
    ULONG used;
    bool there = control_write(socket, control ? control : &nothing, &operation->message_control,
                               &used, &flags);

    store(operation, there, used, flags);
}

void control_store_error(struct operation *operation, const struct rs_icmp_message *icmp)
{
    struct {
        INT protocol;
        ULONG info; /* "MTU if frag needed or pkt too big message" (ws2ipdef.h) */
        UINT8 type, code;
    } message = {(INT)icmp->protocol, icmp->mtu, icmp->type, icmp->code}; /* IN_RECVERR */
    const WSABUF *room = &operation->message_control;
    struct writer writer = {.room = room->len};

    put_at(&writer, icmp->protocol == IPPROTO_ICMPV6 ? IPPROTO_IPV6 : IPPROTO_IP, TYPE_RECVERR,
           &message, sizeof(message));
    store(operation, !guarded_copy(room->buf, writer.bytes, writer.used), writer.used,
          MSG_ERRQUEUE | (writer.cut ? MSG_CTRUNC : 0));
}
