/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which extension functions there are.  Constant data.
 */
#include "extension.h"

static const struct {
    GUID guid;
    void *function;
} extensions[] = {
    {WSAID_ACCEPTEX, ws_AcceptEx},
    {WSAID_GETACCEPTEXSOCKADDRS, ws_GetAcceptExSockaddrs},
    {WSAID_CONNECTEX, ws_ConnectEx},
    {WSAID_DISCONNECTEX, ws_DisconnectEx},
    {WSAID_TRANSMITFILE, ws_TransmitFile},
    {WSAID_TRANSMITPACKETS, ws_TransmitPackets},
    {WSAID_WSASENDMSG, WSASendMsg},
    {WSAID_WSAPOLL, WSAPoll},
    {WSAID_WSARECVMSG, ws_WSARecvMsg},
};

void *extension_find(const GUID *guid)
{
    for (size_t i = 0; i < ARRAYSIZE(extensions); i++)
        if (!memcmp(&extensions[i].guid, guid, sizeof(*guid)))
            return extensions[i].function;
    return NULL;
}
