/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog of name space providers: the two that are built, and what programs have installed.
 */
#ifndef RINGSOCK_NAME_SPACES_H
#define RINGSOCK_NAME_SPACES_H

#include "winsock.h"

#define NAME_SPACE_TEXT 260 /* characters of an identifier or a path */

extern const GUID dns_provider; /* "Tcpip", NS_DNS */
extern const GUID nla_provider; /* "Network Location Awareness", NS_NLA */

struct name_space {
    GUID provider;
    DWORD name_space, version;
    BOOL active;
    WCHAR identifier[NAME_SPACE_TEXT], path[NAME_SPACE_TEXT];
    void *blob; /* the provider's own data */
    DWORD blob_size;
};

struct name_space_list {
    struct name_space *entries;
    size_t count;
};

/* In their order; wow: the 32-bit catalog, for the 64-bit DLL.  Returns 0 or an error. */
DWORD name_spaces_load(bool wow, struct name_space_list *list);
DWORD name_spaces_save(bool wow, const struct name_space_list *list);
void name_spaces_free(struct name_space_list *list);
struct name_space *name_spaces_find(const struct name_space_list *list, const GUID *provider);

#endif
