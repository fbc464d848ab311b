/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocking benchmark for Linux; everything is in the header, so that both systems measure the
 * same. */
#include "../common/blocking.h"

int main(int argc, char **argv)
{
    return blocking_main(argc, argv);
}
