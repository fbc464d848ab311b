/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exits with 42: does the installed Wine run programs of this width?  Calls nothing but the C
 * library and no Winsock.
 */
int main(void)
{
    return 42;
}
