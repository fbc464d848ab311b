/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A socket that several sessions have, by turns.  See share.c.
 */
#ifndef SERVER_SHARE_H
#define SERVER_SHARE_H

#include "socket.h"

enum share_state {
    SHARE_HELD,   /* a session has it, and reads ahead */
    SHARE_ASKED,  /* that session was asked to hand it back */
    SHARE_PARKED, /* nobody has it: nothing is read */
};

struct share {
    struct grave grave;
    struct socket *core; /* the kernel's socket, with the index of who holds it or was last */
    struct link stubs;   /* the views of the others */
    uint32_t next_view;
    enum share_state state;
    bool wanted_told;   /* the holder was told that somebody waits */
    bool turn_over;     /* a listener's holder has got its connection */
    struct link asks;   /* who wants it, in order */
    uint32_t ask_count;
    struct timer tenure; /* not asked back before */
    uint64_t tenure_end;
    uint32_t state_size;
    uint8_t state_bytes[RS_STATE_MAX]; /* what the last holder has told the next */
};

/* share_ask.c */
enum ask_kind {
    ASK_WANT, /* somebody waits there */
    ASK_USE,  /* a call */
    ASK_PARK, /* a call: nobody is to have it */
};

struct ask {
    struct link link; /* share.asks */
    enum ask_kind kind;
    struct session *session; /* the view's */
    uint32_t index;
    struct rs_call call; /* not of ASK_WANT */
};

uint32_t ask_add(struct share *share, enum ask_kind kind, const struct socket *view,
                 const struct rs_call *call); /* 0 or a WSA error */
struct ask *ask_first(struct share *share, enum ask_kind kind);
void ask_end(struct share *share, struct ask *ask, uint32_t error);
/* Those of one view, or all; with success only what it has got by having the socket. */
void asks_end(struct share *share, const struct socket *view, uint32_t error);

/* share_turn.c */
void share_settle(struct share *share); /* something has changed: whose turn is it? */
void share_ask_back(struct share *share); /* the holder is to hand it back */
void share_tenure_over(struct timer *timer);

#endif
