/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls benchmark for Linux; everything is in the header, so that both systems measure the
 * same. */
#include "../common/calls.h"

int main(int argc, char **argv)
{
    return calls_main(argc, argv);
}
