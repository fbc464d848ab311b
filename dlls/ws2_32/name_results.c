/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of results of the built-in name space providers.  Takes no lock.
 */
#include "name_provider.h"
#include "query_set.h"

DWORD name_results_add(struct name_results *results, const WSAQUERYSETW *set)
{
    WSAQUERYSETW **larger = realloc(results->sets, (results->count + 1) * sizeof(*larger));

    if (!larger)
        return WSA_NOT_ENOUGH_MEMORY;
    results->sets = larger;
    if (!(larger[results->count] = query_copy(set)))
        return WSA_NOT_ENOUGH_MEMORY;
    results->count++;
    return 0;
}

DWORD name_results_peek(const struct name_results *results, const WSAQUERYSETW **result)
{
    if (results->next == results->count)
        return WSA_E_NO_MORE;
    *result = results->sets[results->next];
    return 0;
}

void name_results_free(struct name_results *results)
{
    for (size_t i = 0; i < results->count; i++)
        free(results->sets[i]);
    free(results->sets);
    memset(results, 0, sizeof(*results));
}
