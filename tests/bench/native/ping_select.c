/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row "ping-pong, select" for Linux. */
#include "../common/select.h"

int main(int argc, char **argv)
{
    return select_main(argc, argv);
}
