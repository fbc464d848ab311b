/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog of transport providers as installers see it: the base protocols that are built
 * (protocols.h), and what programs have installed.  Sockets are always of the base protocols.
 */
#ifndef RINGSOCK_PROTOCOL_CATALOG_H
#define RINGSOCK_PROTOCOL_CATALOG_H

#include "winsock.h"

struct protocol_entry {
    WCHAR path[MAX_PATH]; /* of the provider's DLL, unexpanded */
    WSAPROTOCOL_INFOW info;
};

struct protocol_list {
    struct protocol_entry *entries;
    size_t count;
};

/* In their order; wow: the 32-bit catalog, for the 64-bit DLL.  Returns 0 or an error. */
DWORD protocol_list_load(bool wow, struct protocol_list *list);
DWORD protocol_list_save(bool wow, const struct protocol_list *list);
void protocol_list_free(struct protocol_list *list);
/* Makes room for `count` entries at `at`, all zero; false: no memory. */
bool protocol_list_insert(struct protocol_list *list, size_t at, size_t count);
/* The provider's first entry, or NULL. */
struct protocol_entry *protocol_list_find(const struct protocol_list *list, const GUID *provider);

/* The WSC functions' way of telling an error: in *where, if that is there; 0 or SOCKET_ERROR. */
int protocol_answer(DWORD error, int *where);

#endif
