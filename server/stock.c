/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stream sockets that are made before the program asks for them.
 *
 * Owns: session.stock, socket.in_stock.  Loop thread only, no locks.
 *
 * A program that makes one connection after the other would wait for the server twice for each: for
 * the socket and for the connection.  So once it has made a few, another one of the family lies
 * ready, told of by RS_COMP_STOCK; the DLL takes it without asking, and RS_SUB_ANCHORED says so.
 */
#include <unistd.h>

#include "comp.h"
#include "session.h"
#include "socket.h"

#define WORTHWHILE 4u /* sockets that the program had to wait for */

static unsigned place_of(uint8_t family)
{
    return family == RS_AF_INET6;
}

void stock_asked(struct session *session, uint8_t family, uint8_t type)
{
    struct stock *stock = &session->stock;

    if (type != RS_STREAM || family == RS_AF_UNIX)
        return;
    if (stock->asked < WORTHWHILE)
        stock->asked++;
    else
        stock->wanted[place_of(family)] = true;
}

static void fill(struct session *session, uint8_t family)
{
    struct rs_stock body = {.family = family};
    int fd = socket_open(family, RS_STREAM, 0), error;
    struct socket *socket;

    if (fd < 0)
        return; /* the program will ask and be told why */
    socket = socket_create(session, family, RS_STREAM, fd, &error);
    if (!socket) {
        close(fd);
        return;
    }
    socket->in_stock = true;
    session->stock.full[place_of(family)] = true;
    body.anchor = anchor_number(socket);
    comp_post(session, RS_COMP_STOCK, socket->index, &body, sizeof(body));
}

void stock_fill(struct session *session)
{
    static const uint8_t families[] = {RS_AF_INET, RS_AF_INET6};

    for (unsigned i = 0; i < 2; i++) {
        if (session->stock.wanted[i] && !session->stock.full[i] && session->state == SESSION_LIVE)
            fill(session, families[i]);
        session->stock.wanted[i] = false;
    }
}

void stock_taken(struct socket *socket)
{
    if (!socket->in_stock)
        return;
    stock_ended(socket);
    socket->session->stock.wanted[place_of(socket->family)] = true;
}

void stock_ended(struct socket *socket)
{
    if (!socket->in_stock)
        return;
    socket->in_stock = false;
    socket->session->stock.full[place_of(socket->family)] = false;
}
