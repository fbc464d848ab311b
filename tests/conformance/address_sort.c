/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIO_ADDRESS_LIST_SORT.
 * Sources: "Using SIO_ADDRESS_LIST_SORT" (Microsoft), RFC 6724.  Only addresses of the loopback and
 * one that nothing leads to: their order is the same on every machine.
 */
#include <stddef.h>

#include "net.h"

#define MOST 4

struct list {
    INT count;
    SOCKET_ADDRESS entries[MOST];
    struct sockaddr_in6 addresses[MOST];
};

static void add(struct list *list, const char *text, ULONG scope)
{
    struct sockaddr_in6 *address = &list->addresses[list->count];
    INT size = sizeof(*address);

    ok_success(
        WSAStringToAddressA((char *)text, AF_INET6, NULL, (struct sockaddr *)address, &size));
    address->sin6_scope_id = scope;
    list->entries[list->count].lpSockaddr = (struct sockaddr *)address;
    list->entries[list->count++].iSockaddrLength = sizeof(*address);
}

static int sort(SOCKET s, struct list *list, DWORD *bytes)
{
    return WSAIoctl(s, SIO_ADDRESS_LIST_SORT, list, sizeof(*list), list, sizeof(*list), bytes, NULL,
                    NULL);
}

static const char *entry(const struct list *list, int index)
{
    static char text[MOST][64];
    DWORD size = sizeof(text[index]);

    if (WSAAddressToStringA(list->entries[index].lpSockaddr, list->entries[index].iSockaddrLength,
                            NULL, text[index], &size))
        return "?";
    return text[index];
}

/* "sorts addresses from best to worst": what there is no way to comes last (rule 1), then
 * precedence counts (rule 6: 50 of ::1, 35 of IPv4), then the order as it was (rule 10).  "Any IPv4
 * addresses in the list to be sorted must be in the IPv4-mapped IPv6 address format." */
static void test_order(void)
{
    static const char *const order[MOST] = {"::1", "::ffff:127.0.0.2", "::ffff:127.0.0.1"};
    SOCKET s = socket(AF_INET6, SOCK_DGRAM, 0);
    struct list list = {0};
    DWORD bytes = 0;
    int result;

    _Static_assert(offsetof(struct list, entries) == offsetof(SOCKET_ADDRESS_LIST, Address),
                   "list");
    add(&list, "fe80::1", 0x7ffffff0);
    add(&list, "::ffff:127.0.0.2", 0);
    add(&list, "::ffff:127.0.0.1", 0);
    add(&list, "::1", 0);
    result = sort(s, &list, &bytes);
    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    if (!result) {
        ok(list.count == 4, "%d addresses\n", list.count);
        ok(bytes >= offsetof(SOCKET_ADDRESS_LIST, Address) + 4 * sizeof(SOCKET_ADDRESS),
           "%lu bytes\n", bytes);
        for (int i = 0; i < 3; i++)
            ok(!strcmp(entry(&list, i), order[i]), "%d is %s\n", i, entry(&list, i));
        ok(IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)list.entries[3].lpSockaddr)->sin6_addr),
           "last is %s\n", entry(&list, 3));
    }
    closesocket(s);
}

/* "the iAddressCount member ... may be smaller than on input if the IOCTL code determines that some
 * destination addresses are invalid": each "must be in SOCKADDR_IN6 format". */
static void test_invalid(void)
{
    SOCKET s = socket(AF_INET6, SOCK_DGRAM, 0);
    struct list list = {0};
    DWORD bytes = 0;
    int result;

    add(&list, "::1", 0);
    add(&list, "::1", 0);
    list.addresses[0].sin6_family = AF_INET;
    list.entries[0].iSockaddrLength = sizeof(struct sockaddr_in);
    result = sort(s, &list, &bytes);
    todo_wine ok(!result, "error %d\n", WSAGetLastError());
    if (!result) {
        ok(list.count == 1, "%d addresses\n", list.count);
        ok(!strcmp(entry(&list, 0), "::1"), "%s is left\n", entry(&list, 0));
    }
    closesocket(s);
}

/* A list that is not there, says more than it holds, or has no room: refused. */
static void test_refused(void)
{
    SOCKET s = socket(AF_INET6, SOCK_DGRAM, 0);
    struct list list = {0};
    DWORD bytes, size = offsetof(SOCKET_ADDRESS_LIST, Address) + sizeof(SOCKET_ADDRESS);

    add(&list, "::1", 0);
    ok(WSAIoctl(s, SIO_ADDRESS_LIST_SORT, NULL, 0, &list, size, &bytes, NULL, NULL), "no list\n");
    ok(WSAIoctl(s, SIO_ADDRESS_LIST_SORT, &list, size, NULL, 0, &bytes, NULL, NULL), "no room\n");
    list.count = 2;
    ok(WSAIoctl(s, SIO_ADDRESS_LIST_SORT, &list, size, &list, sizeof(list), &bytes, NULL, NULL),
       "two addresses in room for one\n");
    list.count = -1;
    ok(WSAIoctl(s, SIO_ADDRESS_LIST_SORT, &list, size, &list, sizeof(list), &bytes, NULL, NULL),
       "-1 addresses\n");
    closesocket(s);
}

/* So many that what is kept of each needs more than a 32-bit program's memory can be: refused, or
 * read up to where the list ends too early. */
static void test_endless(void)
{
    const INT count = 63161283; /* of 68 bytes each, with one more: 16 more than 2^32 */
    const DWORD size = offsetof(SOCKET_ADDRESS_LIST, Address) + count * sizeof(SOCKET_ADDRESS);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    SOCKET_ADDRESS_LIST *list = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_READWRITE);
    SOCKET s = socket(AF_INET6, SOCK_DGRAM, 0);
    DWORD bytes;

    ok(list && VirtualAlloc(list, 0x100000, MEM_COMMIT, PAGE_READWRITE), "no memory\n");
    list->iAddressCount = count;
    for (size_t i = 0; &list->Address[i + 1] <= (SOCKET_ADDRESS *)((char *)list + 0x100000); i++) {
        list->Address[i].lpSockaddr = (struct sockaddr *)&address;
        list->Address[i].iSockaddrLength = sizeof(address);
    }
    ok(WSAIoctl(s, SIO_ADDRESS_LIST_SORT, list, size, list, size, &bytes, NULL, NULL), "sorted\n");
    VirtualFree(list, 0, MEM_RELEASE);
    closesocket(s);
}

START_TEST(address_sort)
{
    net_start();
    RUN(test_order);
    RUN(test_invalid);
    RUN(test_refused);
    RUN(test_endless);
    WSACleanup();
}
