/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog: the four MSAFD entries that every Windows has, for the protocols that are built.
 *
 * The numbers are those of an unmodified Windows (netsh winsock show catalog, WSAEnumProtocols):
 * provider GUIDs, catalog entry ids, service flags 0x20066 and 0x20609.  XP1_IFS_HANDLES is among
 * them because a SOCKET is an NT file handle here too.  Constant data, no lock.
 */
#include "protocols.h"

#define STREAM_FLAGS                                                                            \
    (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA | \
     XP1_IFS_HANDLES)
#define DATAGRAM_FLAGS                                                                            \
    (XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST | XP1_SUPPORT_MULTIPOINT | \
     XP1_IFS_HANDLES)

/* {E70F1AA0-AB8B-11CF-8CA3-00805F48A192} and {F9EAB0C0-26D4-11D0-BBBF-00AA006C34E4} */
#define TCPIP_V4                                           \
    {                                                      \
        0xe70f1aa0, 0xab8b, 0x11cf,                        \
        {                                                  \
            0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 \
        }                                                  \
    }
#define TCPIP_V6                                           \
    {                                                      \
        0xf9eab0c0, 0x26d4, 0x11d0,                        \
        {                                                  \
            0xbb, 0xbf, 0x00, 0xaa, 0x00, 0x6c, 0x34, 0xe4 \
        }                                                  \
    }

#define ENTRY(flags, guid, id, family, size, type, protocol, message, name)                        \
    {                                                                                              \
        .dwServiceFlags1 = (flags), .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,                  \
        .ProviderId = guid, .dwCatalogEntryId = (id),                                              \
        .ProtocolChain = {.ChainLen = BASE_PROTOCOL}, .iVersion = 2, .iAddressFamily = (family),   \
        .iMaxSockAddr = (size), .iMinSockAddr = (size), .iSocketType = (type),                     \
        .iProtocol = (protocol), .iNetworkByteOrder = BIGENDIAN,                                   \
        .iSecurityScheme = SECURITY_PROTOCOL_NONE, .dwMessageSize = (message), .szProtocol = name, \
    }

/* 65527: what is left of 65535 after a UDP header. */
static const WSAPROTOCOL_INFOW catalog[] = {
    ENTRY(STREAM_FLAGS, TCPIP_V4, 1001, AF_INET, sizeof(struct sockaddr_in), SOCK_STREAM,
          IPPROTO_TCP, 0, L"MSAFD Tcpip [TCP/IP]"),
    ENTRY(DATAGRAM_FLAGS, TCPIP_V4, 1002, AF_INET, sizeof(struct sockaddr_in), SOCK_DGRAM,
          IPPROTO_UDP, 65527, L"MSAFD Tcpip [UDP/IP]"),
    ENTRY(STREAM_FLAGS, TCPIP_V6, 1004, AF_INET6, sizeof(struct sockaddr_in6), SOCK_STREAM,
          IPPROTO_TCP, 0, L"MSAFD Tcpip [TCP/IPv6]"),
    ENTRY(DATAGRAM_FLAGS, TCPIP_V6, 1005, AF_INET6, sizeof(struct sockaddr_in6), SOCK_DGRAM,
          IPPROTO_UDP, 65527, L"MSAFD Tcpip [UDP/IPv6]"),
};

/* Why nothing matched: the first of family, type and protocol that no entry has (in the words of
 * socket()'s page), else the pair of the last two. */
static int reason(int family, int type, int protocol)
{
    bool has_family = !family, has_type = !type, has_protocol = !protocol;

    for (size_t i = 0; i < ARRAYSIZE(catalog); i++) {
        if (family && catalog[i].iAddressFamily != family)
            continue;
        has_family = true;
        has_type |= catalog[i].iSocketType == type;
        has_protocol |= catalog[i].iProtocol == protocol;
    }
    if (!has_family)
        return WSAEAFNOSUPPORT;
    if (!has_type)
        return WSAESOCKTNOSUPPORT;
    return has_protocol ? WSAEPROTOTYPE : WSAEPROTONOSUPPORT;
}

const WSAPROTOCOL_INFOW *protocol_find_error(int family, int type, int protocol, int *error)
{
    /* socket()'s page on WSAEINVAL: "the af parameter is AF_UNSPEC and the type and protocol
     * parameter are unspecified". */
    bool unspecified = !family && !type && !protocol;

    for (size_t i = 0; i < ARRAYSIZE(catalog) && !unspecified; i++)
        if ((!family || catalog[i].iAddressFamily == family) &&
            (!type || catalog[i].iSocketType == type) &&
            (!protocol || catalog[i].iProtocol == protocol))
            return &catalog[i];
    if (error)
        *error = unspecified ? WSAEINVAL : reason(family, type, protocol);
    return NULL;
}

const WSAPROTOCOL_INFOW *protocol_base(size_t *count)
{
    *count = ARRAYSIZE(catalog);
    return catalog;
}

const WSAPROTOCOL_INFOW *protocol_find(int family, int type, int protocol)
{
    return protocol_find_error(family, type, protocol, NULL);
}

void protocol_to_ansi(const WSAPROTOCOL_INFOW *info, WSAPROTOCOL_INFOA *ansi)
{
    /* the two differ in the name alone, which comes last */
    memcpy(ansi, info, offsetof(WSAPROTOCOL_INFOA, szProtocol));
    memset(ansi->szProtocol, 0, sizeof(ansi->szProtocol));
    WideCharToMultiByte(CP_ACP, 0, info->szProtocol, -1, ansi->szProtocol,
                        sizeof(ansi->szProtocol) - 1, NULL, NULL);
}
