/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the row "ping-pong, AFD poll" is measured against on Linux. */
#include "../common/epoll.h"

int main(int argc, char **argv)
{
    return epoll_main(argc, argv);
}
