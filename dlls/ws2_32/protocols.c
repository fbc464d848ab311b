/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog: the MSAFD entries that every Windows has, for the protocols that are built.
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

/* An entry of raw sockets is for every protocol: "PFL_HIDDEN ... should be hidden", so
 * WSAEnumProtocols does not list it; what SO_PROTOCOL_INFO tells of it is Wine's test_WSASocket's,
 * run on Windows. */
#define RAW_PROTOCOLS 255

#define ENTRY(flags, guid, id, family, size, type, protocol, message, name)                        \
    {                                                                                              \
        .dwServiceFlags1 = (flags), .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,                  \
        .ProviderId = guid, .dwCatalogEntryId = (id),                                              \
        .ProtocolChain = {.ChainLen = BASE_PROTOCOL}, .iVersion = 2, .iAddressFamily = (family),   \
        .iMaxSockAddr = (size), .iMinSockAddr = (size), .iSocketType = (type),                     \
        .iProtocol = (protocol), .iNetworkByteOrder = BIGENDIAN,                                   \
        .iSecurityScheme = SECURITY_PROTOCOL_NONE, .dwMessageSize = (message), .szProtocol = name, \
    }

#define RAW_ENTRY(guid, id, family, size, name)                                                 \
    {                                                                                           \
        .dwServiceFlags1 = DATAGRAM_FLAGS,                                                      \
        .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO | PFL_HIDDEN, .ProviderId = guid,          \
        .dwCatalogEntryId = (id), .ProtocolChain = {.ChainLen = BASE_PROTOCOL}, .iVersion = 2,  \
        .iAddressFamily = (family), .iMaxSockAddr = (size), .iMinSockAddr = (size),             \
        .iSocketType = SOCK_RAW, .iProtocolMaxOffset = RAW_PROTOCOLS,                           \
        .iNetworkByteOrder = BIGENDIAN, .iSecurityScheme = SECURITY_PROTOCOL_NONE,              \
        .dwMessageSize = 32767, .szProtocol = name,                                             \
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
    {
        .dwServiceFlags1 = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE |
                           XP1_IFS_HANDLES,
        .dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO,
        .ProviderId = {0xa00943d9, 0x9c2e, 0x4633, {0x9b, 0x59, 0, 0x57, 0xa3, 0x16, 9, 0x94}},
        .dwCatalogEntryId = 1007,
        .ProtocolChain = {.ChainLen = BASE_PROTOCOL},
        .iVersion = 2,
        .iAddressFamily = AF_UNIX,
        .iMaxSockAddr = 110,
        .iMinSockAddr = 2,
        .iSocketType = SOCK_STREAM,
        .iNetworkByteOrder = BIGENDIAN,
        .szProtocol = L"AF_UNIX",
    },
    RAW_ENTRY(TCPIP_V4, 1003, AF_INET, sizeof(struct sockaddr_in), L"MSAFD Tcpip [RAW/IP]"),
    RAW_ENTRY(TCPIP_V6, 1006, AF_INET6, sizeof(struct sockaddr_in6), L"MSAFD Tcpip [RAW/IPv6]"),
};
#define HIDDEN 2 /* the last ones: raw sockets */

static bool has_protocol(const WSAPROTOCOL_INFOW *entry, int protocol)
{
    return !protocol || entry->iProtocol == protocol ||
           (protocol > 0 && protocol <= entry->iProtocolMaxOffset);
}

/* Why nothing matched.  A type that no family has is told before the family, and a protocol of
 * another type is one that is not supported (Wine's test_WSASocket, run on Windows; socket()'s page
 * has WSAEPROTOTYPE for the latter, which nobody has seen). */
static int reason(int family, int type)
{
    bool has_family = !family, has_type = !type;

    for (size_t i = 0; i < ARRAYSIZE(catalog); i++) {
        has_family |= catalog[i].iAddressFamily == family;
        has_type |= catalog[i].iSocketType == type;
    }
    if (!has_type)
        return WSAESOCKTNOSUPPORT;
    return has_family ? WSAEPROTONOSUPPORT : WSAEAFNOSUPPORT;
}

const WSAPROTOCOL_INFOW *protocol_find_error(int family, int type, int protocol, int *error)
{
    /* socket()'s page on WSAEINVAL: "the af parameter is AF_UNSPEC and the type and protocol
     * parameter are unspecified"; whatever the type, in Wine's test_WSASocket, run on Windows. */
    bool unspecified = !family && !protocol;

    for (size_t i = 0; i < ARRAYSIZE(catalog) && !unspecified; i++)
        if ((!family || catalog[i].iAddressFamily == family) &&
            (!type || catalog[i].iSocketType == type) &&
            has_protocol(&catalog[i], protocol))
            return &catalog[i];
    if (error)
        *error = unspecified ? WSAEINVAL : reason(family, type);
    return NULL;
}

const WSAPROTOCOL_INFOW *protocol_base(size_t *count)
{
    *count = ARRAYSIZE(catalog) - HIDDEN;
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
