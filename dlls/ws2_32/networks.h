/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The networks that this machine is attached to now, for NLA.
 */
#ifndef RINGSOCK_NETWORKS_H
#define RINGSOCK_NETWORKS_H

#include "winsock.h"

struct network {
    char adapter[64]; /* "Used with IP Helper": the adapter's GUID as text */
    WCHAR name[128], comment[128];
    DWORD type, speed; /* IF_TYPE_*, bits per second */
    bool gateway;
    uint64_t state; /* changes when an address does */
};

struct network_list {
    struct network *entries;
    size_t count;
};

/* Those that are up and lead somewhere.  Asks iphlpapi.dll.  Returns 0 or an error. */
DWORD networks_load(struct network_list *list);
void networks_free(struct network_list *list);
const struct network *networks_find(const struct network_list *list, const char *adapter);

/* Two equal ones: nothing has changed. */
uint64_t networks_state(const struct network_list *list);

#endif
