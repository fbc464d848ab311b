/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packing (see packing.h).  Pure functions; no lock.
 */
#include "packing.h"
#include "text.h"

void *packing_place(struct packing *packing, size_t size, void **here)
{
    char *there = packing->address + packing->used;

    *here = packing->memory ? packing->memory + packing->used : NULL;
    packing->used += size;
    return there;
}

void *packing_bytes(struct packing *packing, const void *bytes, size_t size)
{
    void *here, *there = packing_place(packing, size, &here);

    if (here)
        memcpy(here, bytes, size);
    return there;
}

char *packing_string(struct packing *packing, const char *text)
{
    return packing_bytes(packing, text, strlen(text) + 1);
}

void *packing_text(struct packing *packing, const WCHAR *text, bool ansi)
{
    char *narrow;
    void *there;

    if (!text)
        return NULL;
    if (!ansi) {
        packing->used = (packing->used + 1) & ~(size_t)1;
        return packing_bytes(packing, text, (wcslen(text) + 1) * sizeof(*text));
    }
    narrow = text_narrow(CP_ACP, text);
    there = packing_string(packing, narrow ? narrow : "");
    free(narrow);
    return there;
}

void packing_align(struct packing *packing)
{
    packing->used = (packing->used + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
}

/* A list of strings (size 0) or of things of one size, which NULL ends. */
static char **pack_list(struct packing *packing, char *const *from, size_t size)
{
    void *here;
    char **there, **list;
    size_t count = 0;

    while (from && from[count])
        count++;
    packing_align(packing);
    there = packing_place(packing, (count + 1) * sizeof(char *), &here);
    list = here;
    for (size_t i = 0; i < count; i++) {
        char *item =
            size ? packing_bytes(packing, from[i], size) : packing_string(packing, from[i]);

        if (list)
            list[i] = item;
    }
    if (list)
        list[count] = NULL;
    return there;
}

void packing_host(struct packing *packing, const struct hostent *host)
{
    struct hostent copy = *host;
    void *here;

    packing_place(packing, sizeof(copy), &here);
    copy.h_addr_list = pack_list(packing, host->h_addr_list, (size_t)host->h_length);
    copy.h_aliases = pack_list(packing, host->h_aliases, 0);
    copy.h_name = packing_string(packing, host->h_name);
    if (here)
        memcpy(here, &copy, sizeof(copy));
}

void packing_service(struct packing *packing, const struct servent *service)
{
    struct servent copy = *service;
    void *here;

    packing_place(packing, sizeof(copy), &here);
    copy.s_aliases = pack_list(packing, service->s_aliases, 0);
    copy.s_name = packing_string(packing, service->s_name);
    copy.s_proto = packing_string(packing, service->s_proto);
    if (here)
        memcpy(here, &copy, sizeof(copy));
}

void packing_protocol(struct packing *packing, const struct protoent *protocol)
{
    struct protoent copy = *protocol;
    void *here;

    packing_place(packing, sizeof(copy), &here);
    copy.p_aliases = pack_list(packing, protocol->p_aliases, 0);
    copy.p_name = packing_string(packing, protocol->p_name);
    if (here)
        memcpy(here, &copy, sizeof(copy));
}
