/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TransmitPackets: an array of elements as the pieces of a transmission.  Takes no lock.
 */
#include "extension.h"
#include "guarded_copy.h"
#include "startup.h"
#include "transmission.h"

#define BYTES_MAX   2147483646u /* "a 32-bit integer minus 1" */
#define AT_POSITION (-1)        /* nFileOffset */

static DWORD take_element(struct piece *piece, const TRANSMIT_PACKETS_ELEMENT *element)
{
    bool memory = element->dwElFlags & TP_ELEMENT_MEMORY;

    if (element->dwElFlags & ~(TP_ELEMENT_MEMORY | TP_ELEMENT_FILE | TP_ELEMENT_EOP) ||
        (memory && element->dwElFlags & TP_ELEMENT_FILE)) /* "Mutually exclusive" */
        return WSAEINVAL;
    *piece = (struct piece){.length = element->cLength,
                            .ends_message = element->dwElFlags & TP_ELEMENT_EOP};
    if (memory) {
        piece->memory = element->pBuffer;
        return 0;
    }
    if (!(piece->file = element->hFile))
        return WSAENOTSOCK; /* STATUS_INVALID_HANDLE */
    piece->offset = (uint64_t)element->nFileOffset.QuadPart;
    return element->nFileOffset.QuadPart == AT_POSITION ? piece_at_position(piece) : 0;
}

static DWORD take_elements(struct piece *pieces, const TRANSMIT_PACKETS_ELEMENT *elements,
                           DWORD count)
{
    TRANSMIT_PACKETS_ELEMENT element;
    uint64_t total = 0;
    DWORD error;

    for (DWORD i = 0; i < count; i++) {
        if (guarded_copy(&element, &elements[i], sizeof(element)))
            return WSAEFAULT;
        if ((error = take_element(&pieces[i], &element)))
            return error;
        total += element.cLength;
    }
    return total > BYTES_MAX ? WSAEINVAL : 0;
}

static DWORD transmit_packets(struct transmission *transmission,
                              const TRANSMIT_PACKETS_ELEMENT *elements, OVERLAPPED *overlapped)
{
    DWORD count = transmission->count, error = transmission_check(transmission);
    struct piece *pieces;

    if (error)
        return error;
    /* "Specifying this flag for sockets that do not support disconnect semantics (such as datagram
     * sockets) results in an error." */
    if (transmission->flags & TF_DISCONNECT && transmission->socket->type != SOCK_STREAM)
        return WSAEINVAL;
    if (count && ((uint64_t)count * sizeof(*pieces) > PTRDIFF_MAX ||
                  !guarded_readable(elements, count * sizeof(*elements))))
        return WSAEFAULT;
    if (!(pieces = malloc((count ? count : 1) * sizeof(*pieces))))
        return WSAENOBUFS;
    transmission->pieces = pieces;
    if (!(error = take_elements(pieces, elements, count)))
        error = transmission_run(transmission, overlapped);
    free(pieces);
    return error;
}

BOOL WINAPI ws_TransmitPackets(SOCKET s, TRANSMIT_PACKETS_ELEMENT *elements, DWORD count,
                               DWORD size, OVERLAPPED *overlapped, DWORD flags)
{
    struct transmission transmission = {.count = count, .size = size, .flags = flags};
    DWORD error;

    if (!(transmission.socket = socket_get(s)))
        return FALSE;
    session_reap(transmission.socket->session);
    error = transmit_packets(&transmission, elements, overlapped);
    socket_put(transmission.socket);
    SetLastError(error);
    return !error;
}
