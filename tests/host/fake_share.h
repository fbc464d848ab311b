/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a DLL does with a socket that several sessions hold.  Owns: the proofs.  See fake_dll.h.
 */
#ifndef FAKE_SHARE_H
#define FAKE_SHARE_H

#include "fake_dll.h"

static UNUSED uint32_t attach_as(struct fake *fake, uint64_t inode, const void *proof)
{
    return fake_call(fake, RS_SUB_ATTACH, 0, (uint32_t)inode, (uint32_t)(inode >> 32),
                     proof != NULL, proof, proof ? RS_PROOF : 0);
}

static UNUSED uint64_t inode_of(struct fake *owner, uint32_t index)
{
    struct stat status;

    check(!fstat(fake_socket(owner, index)->anchor, &status));
    return status.st_ino;
}

static int proofs;

/* Gets a view of the owner's socket, with a handle of its own. */
static UNUSED uint32_t attach(struct fake *fake, struct fake *owner, uint32_t index)
{
    int anchor = fcntl(fake_socket(owner, index)->anchor, F_DUPFD_CLOEXEC, 0);
    uint8_t proof[RS_PROOF] = {(uint8_t)++proofs, 1, 2, 3};
    uint32_t view;

    check(anchor >= 0);
    check_equal(write(anchor, "rubbish", 7), 7);
    check_equal(write(anchor, proof, sizeof(proof)), sizeof(proof));
    check_equal(attach_as(fake, inode_of(owner, index), proof), 0);
    view = fake->reply.value;
    check_equal(fake->reply.value2, 0);
    fake_socket(fake, view)->anchor = anchor;
    return view;
}

/* ---- turns ---- */

static UNUSED void ask(struct fake *fake, uint16_t type, uint32_t socket)
{
    struct rs_call call = {.cookie = ++fake->next_cookie, .wake = RS_WAKE_PUMP};
    struct piece piece = {&call, sizeof(call)};

    fake->replied = false;
    fake_submit(fake, type, 0, socket, &piece, 1, 0);
}

static UNUSED void unread(struct fake *fake, uint32_t socket, uint16_t flags, const void *bytes,
                          uint32_t size)
{
    struct rs_addr nowhere = {0};
    struct piece pieces[2] = {{&nowhere, sizeof(nowhere)}, {bytes, size}};

    fake_submit(fake, RS_SUB_UNREAD, flags, socket, pieces, 2, size);
}

static UNUSED void yield(struct fake *fake, uint32_t socket, const char *state)
{
    struct piece piece = {state, (uint32_t)strlen(state)};

    fake_submit(fake, RS_SUB_YIELD, 0, socket, &piece, 1, piece.size);
}

/* Hands back what has arrived and was not consumed. */
static UNUSED void hand_back(struct fake *fake, uint32_t socket, const char *state)
{
    struct fake_socket *from = fake_socket(fake, socket);

    for (size_t done = 0, part; done < from->size; done += part) {
        part = from->size - done < RS_MAX_PAYLOAD ? from->size - done : RS_MAX_PAYLOAD;
        unread(fake, socket, 0, from->data + done, (uint32_t)part);
    }
    from->size = 0;
    yield(fake, socket, state);
}

/* The one who wants it gets it from the one who has it. */
static UNUSED void pass(struct fake *to, uint32_t view, struct fake *from, uint32_t socket,
                        const char *state)
{
    unsigned yields = fake_socket(from, socket)->yields;

    ask(to, RS_SUB_USE, view);
    fake_wait(from, fake_socket(from, socket)->yields == yields + 1);
    hand_back(from, socket, state);
    fake_wait(to, to->replied);
    check_equal(to->reply.error, 0);
}

#endif
