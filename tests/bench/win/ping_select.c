/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row "ping-pong, select" for Windows. */
#define FD_SETSIZE 1024 /* as programs raise it that wait for more than 64 sockets */
#include "../common/select.h"

int main(int argc, char **argv)
{
    return select_main(argc, argv);
}
