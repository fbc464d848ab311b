/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A name space provider as lookup_service.c asks it: one stream of results per query.
 */
#ifndef RINGSOCK_NAME_PROVIDER_H
#define RINGSOCK_NAME_PROVIDER_H

#include "winsock.h"

struct name_space;

struct name_provider {
    /* A stream for the query, which lives as long as that.  WSASERVICE_NOT_FOUND: not a query for
     * this provider. */
    DWORD (*begin)
    (const struct name_space *self, const WSAQUERYSETW *query, DWORD flags, void **stream);
    /* The result that is next, which stays so until `advance`; WSA_E_NO_MORE and other errors. */
    DWORD (*peek)(void *stream, const WSAQUERYSETW **result);
    void (*advance)(void *stream);
    void (*end)(void *stream);
    /* WSANSPIoctl; may be NULL: WSAEOPNOTSUPP. */
    DWORD (*control)(void *stream, DWORD code, WSACOMPLETION *completion);
};

extern const struct name_provider dns_name_provider;     /* name_space_dns.c */
extern const struct name_provider nla_name_provider;     /* name_space_nla.c */
extern const struct name_provider foreign_name_provider; /* name_space_foreign.c */

/* A list of results, for the built-in ones. */
struct name_results {
    WSAQUERYSETW **sets; /* each malloc()ed in one block */
    size_t count, next;
};

DWORD name_results_add(struct name_results *results, const WSAQUERYSETW *set);
DWORD name_results_peek(const struct name_results *results, const WSAQUERYSETW **result);
void name_results_free(struct name_results *results);

/* NSPSetService of an installed provider; WSAEOPNOTSUPP for one that is built in. */
DWORD foreign_set_service(const struct name_space *self, WSAQUERYSETW *info,
                          WSAESETSERVICEOP operation, DWORD flags);

#endif
