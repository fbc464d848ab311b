/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TransmitFile: head, file and tail are three pieces of a transmission.  Takes no lock.
 */
#include "arguments.h"
#include "extension.h"
#include "guarded_copy.h"
#include "startup.h"
#include "transmission.h"

/* Where the file begins: at the OVERLAPPED's offset, or at its position. */
static DWORD find_file(struct piece *piece, const OVERLAPPED *overlapped)
{
    if (!overlapped)
        return piece_at_position(piece);
    piece->offset = overlapped->Offset | (uint64_t)overlapped->OffsetHigh << 32;
    return 0;
}

BOOL WINAPI ws_TransmitFile(SOCKET s, HANDLE file, DWORD size, DWORD chunk, OVERLAPPED *overlapped,
                            TRANSMIT_FILE_BUFFERS *ends, DWORD flags)
{
    struct piece pieces[3] = {[1] = {.file = file, .length = size}};
    struct transmission transmission = {
        .pieces = pieces, .count = ARRAYSIZE(pieces), .size = chunk, .flags = flags};
    TRANSMIT_FILE_BUFFERS copy = {0};
    DWORD error;

    if (!(transmission.socket = socket_get(s)))
        return FALSE;
    session_reap(transmission.socket->session);
    if (!file)
        pieces[1].length = 0;
    if (transmission.socket->type != SOCK_STREAM)
        error = WSAENOTCONN;
    else if (!argument_out(overlapped, sizeof(*overlapped)))
        error = WSAEFAULT;
    else if (!(error = transmission_check(&transmission)) && ends &&
             guarded_copy(&copy, ends, sizeof(copy)))
        error = WSAEFAULT;
    if (!error && file)
        error = find_file(&pieces[1], overlapped);
    pieces[0].memory = copy.Head;
    pieces[0].length = copy.HeadLength;
    pieces[2].memory = copy.Tail;
    pieces[2].length = copy.TailLength;
    if (!error)
        error = transmission_run(&transmission, overlapped);
    socket_put(transmission.socket);
    SetLastError(error);
    return !error;
}
