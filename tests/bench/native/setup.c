/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The setup benchmark for Linux; everything is in the header, so that both systems measure the
 * same. */
#include "../common/setup.h"

int main(int argc, char **argv)
{
    return setup_main(argc, argv);
}
