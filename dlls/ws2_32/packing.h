/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structures with pointers, laid out in one piece of the program's memory.
 *
 * Everything is packed twice in the same order: first with no memory, to learn the size, then for
 * good.  What is returned is where a part will be for the program; with address 0 the pointers
 * become offsets.
 */
#ifndef RINGSOCK_PACKING_H
#define RINGSOCK_PACKING_H

#include "winsock.h"

struct packing {
    char *memory;  /* where it is built; NULL while its size is found out */
    char *address; /* where it will be */
    size_t used;
};

/* Room for a part; *here is where to write it now, NULL in the first pass. */
void *packing_place(struct packing *packing, size_t size, void **here);
void *packing_bytes(struct packing *packing, const void *bytes, size_t size);
char *packing_string(struct packing *packing, const char *text);
/* NULL for NULL; as ANSI text where asked. */
void *packing_text(struct packing *packing, const WCHAR *text, bool ansi);
/* The next part begins at a multiple of a pointer's size. */
void packing_align(struct packing *packing);

void packing_host(struct packing *packing, const struct hostent *host);
void packing_service(struct packing *packing, const struct servent *service);
void packing_protocol(struct packing *packing, const struct protoent *protocol);

#endif
