/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control data that WSASendMsg is given (see control_data.h), for struct rs_control.  Owns nothing,
 * takes no lock.  Sources as in control_data.c.
 */
#include "control_data.h"
#include "guarded_copy.h"
#include "log.h"

#define LONGEST 65536u /* no sum of lengths wraps */

#define ECN_CE 3u

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
    size_t scope = part->header.cmsg_type == TYPE_PKTINFO_EX ? sizeof(ULONG) : 0;

    if (part->size < size + scope || (v4 != (control->family == RS_AF_INET)))
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
