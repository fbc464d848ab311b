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
#include "guarded_copy.h"
#include "log.h"
#include "option.h"
#include "sockaddr.h"

/* ws2ipdef.h; not in every mingw-w64's headers */
#define TYPE_RECVDSTADDR         25
#define TYPE_TCLASS              39
#define TYPE_ORIGINAL_ARRIVAL_IF 47
#define TYPE_ECN                 50
#define TYPE_PKTINFO_EX          51
#define TYPE_UDP_SEND_MSG_SIZE   2
#define TYPE_UDP_COALESCED_INFO  3
/* mstcpip.h, for newer Windows only */
#define TYPE_TIMESTAMP           0x300a
#define TYPE_TIMESTAMP_ID        0x300b

#define LONGEST  65536u /* of what a send is given: no sum of lengths wraps */
#define ECN_MASK 3u
#define ECN_CE   3u

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
void control_store(const struct socket *socket, struct operation *operation,
                   const struct rs_control *control)
{
    static const struct rs_control nothing;
    DWORD flags, truncated = operation->error == WSAEMSGSIZE ? MSG_TRUNC : 0;
    WSAMSG *message = operation->message;
    ULONG used;
    bool there = control_write(socket, control ? control : &nothing, &operation->message_control,
                               &used, &flags);

    if (flags & MSG_CTRUNC)
        operation->error = WSAEMSGSIZE;
    operation->result_flags = 0; /* those are in the message */
    if ((!there || !guarded_store(&message->Control.len, used) ||
         !guarded_store(&message->dwFlags, flags | truncated)) &&
        !operation->probed)
        operation->error = WSAEFAULT;
}

/* ---- in: what a send is given ---- */

struct part {
    WSACMSGHDR header;
    const char *data;
    size_t size;
};

static DWORD load_int(const struct part *part, INT least, INT most, INT *value)
{
    if (part->size < sizeof(*value))
        return WSAEINVAL;
    if (guarded_copy(value, part->data, sizeof(*value)))
        return WSAEFAULT;
    return *value < least || *value > most ? WSAEINVAL : 0;
}

static bool is_mapped(const uint8_t *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, 0xff};

    return !memcmp(address, prefix, sizeof(prefix));
}

/* "When sending to an IPv4 destination address or an IPv4-mapped IPv6 destination address ...
 * should contain an in_pktinfo structure", to others an in6_pktinfo (WSASendMsg's page).  The
 * extended ones begin with it; the interface says what their scope would. */
static DWORD take_pktinfo(const struct part *part, struct rs_control *control)
{
    union {
        IN_PKTINFO v4;
        IN6_PKTINFO v6;
    } info;
    bool v4 = part->header.cmsg_level == IPPROTO_IP;
    size_t size = v4 ? sizeof(info.v4) : sizeof(info.v6);

    if (part->size < size || (v4 != (control->family == RS_AF_INET)))
        return WSAEINVAL;
    if (guarded_copy(&info, part->data, size))
        return WSAEFAULT;
    memset(control->address, 0, sizeof(control->address));
    memcpy(control->address, &info, v4 ? sizeof(info.v4.ipi_addr) : sizeof(info.v6.ipi6_addr));
    control->interface_index = v4 ? info.v4.ipi_ifindex : info.v6.ipi6_ifindex;
    control->present |= RS_CONTROL_PACKET;
    return 0;
}

static DWORD take_ttl(const struct part *part, struct rs_control *control)
{
    INT value;
    DWORD error = load_int(part, 1, 255, &value);

    if (error)
        return error;
    control->ttl = (uint8_t)value;
    control->present |= RS_CONTROL_TTL;
    return 0;
}

static DWORD take_tos(const struct part *part, struct rs_control *control)
{
    INT value;
    DWORD error = load_int(part, 0, 255, &value);

    if (error)
        return error;
    /* of TOS and ECN together each has its own bits */
    control->tos = control->present & RS_CONTROL_ECN
                       ? (uint8_t)((value & ~ECN_MASK) | (control->tos & ECN_MASK))
                       : (uint8_t)value;
    control->present |= RS_CONTROL_TOS;
    return 0;
}

/* "Your application isn't allowed to specify the Congestion Encountered (CE) code point when
 * sending datagrams. The send will return with error WSAEINVAL." */
static DWORD take_ecn(const struct part *part, struct rs_control *control)
{
    INT value;
    DWORD error = load_int(part, 0, ECN_CE - 1, &value);

    if (error)
        return error;
    control->tos = (uint8_t)((control->tos & ~ECN_MASK) | value);
    control->present |= RS_CONTROL_ECN;
    return 0;
}

/* UDP_SEND_MSG_SIZE for this one alone; 0: not cut. */
static DWORD take_segment(const struct part *part, struct rs_control *control)
{
    INT value;
    DWORD error = load_int(part, 0, UINT16_MAX, &value);

    if (error)
        return error;
    control->segment = (uint16_t)value;
    control->present |= RS_CONTROL_SEGMENT;
    return 0;
}

static DWORD take_stamp(const struct part *part, struct rs_control *control)
{
    if (part->size < sizeof(control->stamp))
        return WSAEINVAL;
    if (guarded_copy(&control->stamp, part->data, sizeof(control->stamp)))
        return WSAEFAULT;
    control->present |= RS_CONTROL_STAMP;
    return 0;
}

static DWORD take_part(const struct part *part, struct rs_control *control)
{
    static const struct {
        int level, type;
        DWORD (*take)(const struct part *part, struct rs_control *control);
    } known[] = {
        {IPPROTO_IP, IP_PKTINFO, take_pktinfo},
        {IPPROTO_IP, TYPE_PKTINFO_EX, take_pktinfo},
        {IPPROTO_IP, IP_TTL, take_ttl},
        {IPPROTO_IP, IP_HOPLIMIT, take_ttl},
        {IPPROTO_IP, IP_TOS, take_tos},
        {IPPROTO_IP, TYPE_ECN, take_ecn},
        {IPPROTO_IPV6, IPV6_PKTINFO, take_pktinfo},
        {IPPROTO_IPV6, TYPE_PKTINFO_EX, take_pktinfo},
        {IPPROTO_IPV6, IPV6_HOPLIMIT, take_ttl},
        {IPPROTO_IPV6, TYPE_TCLASS, take_tos},
        {IPPROTO_IPV6, TYPE_ECN, take_ecn},
        {IPPROTO_UDP, TYPE_UDP_SEND_MSG_SIZE, take_segment},
        {SOL_SOCKET, TYPE_TIMESTAMP_ID, take_stamp},
    };

    for (size_t i = 0; i < ARRAYSIZE(known); i++)
        if (known[i].level == part->header.cmsg_level && known[i].type == part->header.cmsg_type)
            return known[i].take(part, control);
    log_once_each(LOG_WARN, (part->header.cmsg_level << 16) ^ part->header.cmsg_type,
                  "WSASendMsg: control data of level %d, type %d is not supported",
                  part->header.cmsg_level, part->header.cmsg_type);
    return WSAEINVAL;
}

static DWORD next_part(const WSABUF *buffer, ULONG position, int family, struct part *part)
{
    ULONG left = buffer->len - position, overhead = WSA_CMSG_LEN(0);

    if (left < sizeof(part->header))
        return WSAEINVAL;
    if (guarded_copy(&part->header, buffer->buf + position, sizeof(part->header)))
        return WSAEFAULT;
    if (part->header.cmsg_len < overhead || part->header.cmsg_len > left)
        return WSAEINVAL;
    if (part->header.cmsg_level == IPPROTO_IPV6 && family != AF_INET6)
        return WSAEINVAL;
    part->data = buffer->buf + position + overhead;
    part->size = part->header.cmsg_len - overhead;
    return 0;
}

DWORD control_parse(const WSABUF *buffer, int family, const struct rs_addr *to,
                    struct rs_control *control)
{
    bool v4 = to->family == RS_AF_INET || is_mapped(to->bytes);
    ULONG position = 0;
    struct part part;
    DWORD error;

    if (buffer->len > LONGEST)
        return WSAEINVAL;
    memset(control, 0, sizeof(*control));
    control->family = v4 ? RS_AF_INET : RS_AF_INET6;
    do {
        if ((error = next_part(buffer, position, family, &part)) ||
            (error = take_part(&part, control)))
            return error;
        position += (ULONG)WSA_CMSGHDR_ALIGN(part.header.cmsg_len);
        /* what is too short for another header is padding (WSA_CMSG_NXTHDR) */
    } while (position < buffer->len && buffer->len - position >= sizeof(part.header));
    return 0;
}

bool control_same_source(const struct rs_control *first, const struct rs_control *second)
{
    return (first->present & RS_CONTROL_PACKET) == (second->present & RS_CONTROL_PACKET) &&
           first->interface_index == second->interface_index && first->segment == second->segment &&
           !memcmp(first->address, second->address, sizeof(first->address));
}
