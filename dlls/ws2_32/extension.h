/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that programs reach only through SIO_GET_EXTENSION_FUNCTION_POINTER.
 */
#ifndef RINGSOCK_EXTENSION_H
#define RINGSOCK_EXTENSION_H

#include "winsock.h"

/* accept_ex.c */
BOOL WINAPI ws_AcceptEx(SOCKET listening, SOCKET accepting, void *buffer, DWORD receive,
                        DWORD local, DWORD remote, DWORD *received, OVERLAPPED *overlapped);
void WINAPI ws_GetAcceptExSockaddrs(void *buffer, DWORD receive, DWORD local, DWORD remote,
                                    struct sockaddr **local_address, INT *local_length,
                                    struct sockaddr **remote_address, INT *remote_length);
/* connect_ex.c */
BOOL WINAPI ws_ConnectEx(SOCKET s, const struct sockaddr *name, int length, void *buffer,
                         DWORD size, DWORD *sent, OVERLAPPED *overlapped);
/* disconnect_ex.c */
BOOL WINAPI ws_DisconnectEx(SOCKET s, OVERLAPPED *overlapped, DWORD flags, DWORD reserved);
/* transmit_file.c */
BOOL WINAPI ws_TransmitFile(SOCKET s, HANDLE file, DWORD size, DWORD chunk, OVERLAPPED *overlapped,
                            TRANSMIT_FILE_BUFFERS *ends, DWORD flags);
/* transmit_packets.c */
BOOL WINAPI ws_TransmitPackets(SOCKET s, TRANSMIT_PACKETS_ELEMENT *elements, DWORD count,
                               DWORD size, OVERLAPPED *overlapped, DWORD flags);

/* recv.c */
int WSAAPI ws_WSARecvMsg(SOCKET s, WSAMSG *message, DWORD *bytes, WSAOVERLAPPED *overlapped,
                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/* The function that this GUID names, or NULL (extension.c). */
void *extension_find(const GUID *guid);

#endif
