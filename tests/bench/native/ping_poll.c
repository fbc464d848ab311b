/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row "ping-pong, WSAPoll" for Linux. */
#include "../common/poll.h"

int main(int argc, char **argv)
{
    return poll_main(argc, argv);
}
