/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bulk benchmark for Windows; everything is in the header, so that both systems measure the
 * same. */
#include "../common/bulk.h"

int main(int argc, char **argv)
{
    return bulk_main(argc, argv);
}
