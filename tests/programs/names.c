/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * names: looks names up, all at once, for tests/test_names.py.
 *
 *   names [-silent COUNT NAME] CALL NAME FAMILY FLAGS [CALL NAME FAMILY FLAGS]...
 *
 * CALL is addrinfo, addrinfo_a, ex (GetAddrInfoExW), hostbyname, hostbyaddr, nameinfo or
 * nameinfo_w; each runs on a thread of its own and has a line of its own, in the order of the
 * arguments: error=, ms=, name=, aliases=, addresses=.  -silent: so many threads ask for a name
 * first, of which no end is waited for.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS_MAX 32
#define TEXT_MAX    16384

struct lookup {
    const char *call, *name;
    int family, flags;
    int error;
    DWORD milliseconds;
    char canonical[1024], aliases[1024], addresses[TEXT_MAX];
};

static void append(char *text, size_t size, const char *word)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, "%s%s", used ? "," : "", word);
}

static void append_address(struct lookup *lookup, int family, const void *address)
{
    char text[64] = "?";

    InetNtopA(family, address, text, sizeof(text));
    append(lookup->addresses, sizeof(lookup->addresses), text);
}

static void append_sockaddr(struct lookup *lookup, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        append_address(lookup, AF_INET, &((const struct sockaddr_in *)address)->sin_addr);
    else
        append_address(lookup, AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void narrow(char *to, int size, const WCHAR *from)
{
    if (from)
        WideCharToMultiByte(CP_UTF8, 0, from, -1, to, size, NULL, NULL);
}

static void by_addrinfo(struct lookup *lookup)
{
    ADDRINFOW hints = {
        .ai_family = lookup->family, .ai_flags = lookup->flags, .ai_socktype = SOCK_STREAM};
    ADDRINFOW *list = NULL, *entry;
    WCHAR name[512];

    MultiByteToWideChar(CP_ACP, 0, lookup->name, -1, name, ARRAYSIZE(name));
    lookup->error = GetAddrInfoW(name, NULL, &hints, &list);
    if (lookup->error)
        return;
    narrow(lookup->canonical, sizeof(lookup->canonical), list->ai_canonname);
    for (entry = list; entry; entry = entry->ai_next)
        append_sockaddr(lookup, entry->ai_addr);
    FreeAddrInfoW(list);
}

static void by_addrinfo_a(struct lookup *lookup)
{
    struct addrinfo hints = {
        .ai_family = lookup->family, .ai_flags = lookup->flags, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL, *entry;

    lookup->error = getaddrinfo(lookup->name, NULL, &hints, &list);
    if (lookup->error)
        return;
    if (list->ai_canonname)
        append(lookup->canonical, sizeof(lookup->canonical), list->ai_canonname);
    for (entry = list; entry; entry = entry->ai_next)
        append_sockaddr(lookup, entry->ai_addr);
    freeaddrinfo(list);
}

static void by_ex(struct lookup *lookup)
{
    ADDRINFOEXW hints = {
        .ai_family = lookup->family, .ai_flags = lookup->flags, .ai_socktype = SOCK_STREAM};
    ADDRINFOEXW *list = NULL, *entry;
    WCHAR name[512];

    MultiByteToWideChar(CP_ACP, 0, lookup->name, -1, name, ARRAYSIZE(name));
    lookup->error = GetAddrInfoExW(name, NULL, NS_DNS, NULL, &hints, &list, NULL, NULL, NULL, NULL);
    if (lookup->error)
        return;
    narrow(lookup->canonical, sizeof(lookup->canonical), list->ai_canonname);
    for (entry = list; entry; entry = (ADDRINFOEXW *)entry->ai_next)
        append_sockaddr(lookup, entry->ai_addr);
    FreeAddrInfoExW(list);
}

static void take_hostent(struct lookup *lookup, const struct hostent *host)
{
    char **each;

    lookup->error = host ? 0 : WSAGetLastError();
    if (!host)
        return;
    append(lookup->canonical, sizeof(lookup->canonical), host->h_name);
    for (each = host->h_aliases; *each; each++)
        append(lookup->aliases, sizeof(lookup->aliases), *each);
    for (each = host->h_addr_list; *each; each++)
        append_address(lookup, host->h_addrtype, *each);
}

static void by_hostbyname(struct lookup *lookup)
{
    take_hostent(lookup, gethostbyname(lookup->name));
}

/* The address in the name, as a sockaddr. */
static BOOL parse(const struct lookup *lookup, struct sockaddr_storage *address, int *length)
{
    *length = sizeof(*address);
    return !WSAStringToAddressA((char *)lookup->name, lookup->family, NULL,
                                (struct sockaddr *)address, length);
}

static void by_hostbyaddr(struct lookup *lookup)
{
    struct sockaddr_storage address;
    int length;

    if (!parse(lookup, &address, &length))
        lookup->error = WSAGetLastError();
    else if (lookup->family == AF_INET)
        take_hostent(
            lookup, gethostbyaddr((char *)&((struct sockaddr_in *)&address)->sin_addr, 4, AF_INET));
    else
        take_hostent(lookup, gethostbyaddr((char *)&((struct sockaddr_in6 *)&address)->sin6_addr,
                                           16, AF_INET6));
}

static void by_nameinfo(struct lookup *lookup)
{
    struct sockaddr_storage address;
    int length;

    if (!parse(lookup, &address, &length))
        lookup->error = WSAGetLastError();
    else
        lookup->error = getnameinfo((struct sockaddr *)&address, length, lookup->canonical,
                                    sizeof(lookup->canonical), NULL, 0, lookup->flags);
}

static void by_nameinfo_w(struct lookup *lookup)
{
    struct sockaddr_storage address;
    WCHAR name[NI_MAXHOST];
    int length;

    if (!parse(lookup, &address, &length))
        lookup->error = WSAGetLastError();
    else
        lookup->error = GetNameInfoW((struct sockaddr *)&address, length, name, ARRAYSIZE(name),
                                     NULL, 0, lookup->flags);
    if (!lookup->error)
        narrow(lookup->canonical, sizeof(lookup->canonical), name);
}

static const struct {
    const char *name;
    void (*function)(struct lookup *);
} calls[] = {
    {"addrinfo", by_addrinfo},     {"addrinfo_a", by_addrinfo_a}, {"ex", by_ex},
    {"hostbyname", by_hostbyname}, {"hostbyaddr", by_hostbyaddr}, {"nameinfo", by_nameinfo},
    {"nameinfo_w", by_nameinfo_w},
};

static DWORD WINAPI look_up(void *argument)
{
    struct lookup *lookup = argument;
    DWORD start = GetTickCount();
    size_t i;

    lookup->error = -1;
    for (i = 0; i < ARRAYSIZE(calls); i++)
        if (!strcmp(calls[i].name, lookup->call))
            calls[i].function(lookup);
    lookup->milliseconds = GetTickCount() - start;
    return 0;
}

static LONG volatile asking;

static DWORD WINAPI ask_for_ever(void *name)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (lookup) {
        lookup->name = name;
        InterlockedIncrement(&asking);
        by_addrinfo(lookup);
    }
    return 0;
}

static void start_silent(int count, char *name)
{
    int i;

    for (i = 0; i < count; i++)
        CloseHandle(CreateThread(NULL, 65536, ask_for_ever, name, 0, NULL));
    while (asking < count)
        Sleep(1);
    Sleep(100); /* the last ones ask */
}

int main(int argc, char **argv)
{
    static struct lookup lookups[LOOKUPS_MAX];
    HANDLE threads[LOOKUPS_MAX];
    DWORD count = 0, i;
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data))
        return 1;
    argv++;
    if (argc > 3 && !strcmp(argv[0], "-silent")) {
        start_silent(atoi(argv[1]), argv[2]);
        argv += 3;
    }
    for (; count < LOOKUPS_MAX && argv[0] && argv[1] && argv[2] && argv[3]; argv += 4, count++) {
        lookups[count].call = argv[0];
        lookups[count].name = argv[1];
        lookups[count].family = atoi(argv[2]);
        lookups[count].flags = (int)strtol(argv[3], NULL, 0);
        threads[count] = CreateThread(NULL, 0, look_up, &lookups[count], 0, NULL);
    }
    for (i = 0; i < count; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        printf("error=%d ms=%lu name=%s aliases=%s addresses=%s\n", lookups[i].error,
               lookups[i].milliseconds, lookups[i].canonical, lookups[i].aliases,
               lookups[i].addresses);
        fflush(stdout);
    }
    ExitProcess(0); /* does not wait for those who ask still */
}
