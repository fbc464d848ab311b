/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The udp benchmark for Linux; everything is in the header, so that both systems measure the same.
 */
#include "../common/udp.h"

int main(int argc, char **argv)
{
    return udp_main(argc, argv);
}
