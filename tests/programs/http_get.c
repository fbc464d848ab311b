/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * http_get winhttp|wininet HOST PORT PATH [COUNT]: downloads http://HOST:PORT/PATH COUNT times with
 * one of Windows's own HTTP libraries and prints "BYTES CHECKSUM" each time.
 *
 * Calls winhttp.dll or wininet.dll only; how those reach the network is the system's matter, which
 * is just what the test is about.  The checksum is FNV-1a of 64 bits: short, and told apart from a
 * download with bytes lost, doubled or exchanged.
 */
#include <windows.h>
#include <winhttp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 20000

/* wininet.h cannot be had beside winhttp.h: only what is used. */
typedef HANDLE inet;
inet WINAPI InternetOpenA(LPCSTR, DWORD, LPCSTR, LPCSTR, DWORD);
inet WINAPI InternetOpenUrlA(inet, LPCSTR, LPCSTR, DWORD, DWORD, DWORD_PTR);
BOOL WINAPI InternetReadFile(inet, void *, DWORD, DWORD *);
BOOL WINAPI InternetCloseHandle(inet);
#define NO_CACHE_WRITE 0x04000000
#define RELOAD         0x80000000

struct sum {
    unsigned long long bytes, hash;
};

static void add(struct sum *sum, const unsigned char *data, DWORD size)
{
    DWORD i;

    for (i = 0; i < size; i++)
        sum->hash = (sum->hash ^ data[i]) * 0x100000001b3ull;
    sum->bytes += size;
}

static int failed(const char *what)
{
    printf("FAILED %s: error %lu\n", what, GetLastError());
    return 1;
}

static int with_winhttp(const char *host, int port, const char *path, struct sum *sum)
{
    static unsigned char chunk[CHUNK];
    HINTERNET session, connection, request;
    WCHAR wide_host[256], wide_path[1024];
    DWORD status = 0, size = sizeof(status);

    MultiByteToWideChar(CP_UTF8, 0, host, -1, wide_host, 256);
    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide_path, 1024);
    session = WinHttpOpen(L"ringsock", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    if (!session || !(connection = WinHttpConnect(session, wide_host, (INTERNET_PORT)port, 0)))
        return failed("WinHttpConnect");
    request = WinHttpOpenRequest(connection, L"GET", wide_path, NULL, NULL, NULL, 0);
    if (!request || !WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0) ||
        !WinHttpReceiveResponse(request, NULL))
        return failed("WinHttpReceiveResponse");
    if (!WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL,
                             &status, &size, NULL) ||
        status != 200)
        return failed("status");
    do {
        if (!WinHttpReadData(request, chunk, CHUNK, &size))
            return failed("WinHttpReadData");
        add(sum, chunk, size);
    } while (size);
    WinHttpCloseHandle(request);
    WinHttpCloseHandle(connection);
    WinHttpCloseHandle(session);
    return 0;
}

static int with_wininet(const char *host, int port, const char *path, struct sum *sum)
{
    static unsigned char chunk[CHUNK];
    inet session, request;
    char url[1400];
    DWORD size;

    snprintf(url, sizeof(url), "http://%s:%d%s", host, port, path);
    session = InternetOpenA("ringsock", 1 /* direct */, NULL, NULL, 0);
    if (!session ||
        !(request = InternetOpenUrlA(session, url, NULL, 0, NO_CACHE_WRITE | RELOAD, 0)))
        return failed("InternetOpenUrl");
    do {
        if (!InternetReadFile(request, chunk, CHUNK, &size))
            return failed("InternetReadFile");
        add(sum, chunk, size);
    } while (size);
    InternetCloseHandle(request);
    InternetCloseHandle(session);
    return 0;
}

int main(int argc, char **argv)
{
    int i, error, count = argc > 5 ? atoi(argv[5]) : 1;

    if (argc < 5) {
        puts("usage: http_get winhttp|wininet HOST PORT PATH [COUNT]");
        return 2;
    }
    for (i = 0; i < count; i++) {
        struct sum sum = {0, 0xcbf29ce484222325ull};

        error = (!strcmp(argv[1], "wininet") ? with_wininet : with_winhttp)(argv[2], atoi(argv[3]),
                                                                            argv[4], &sum);
        if (error)
            return error;
        printf("%lu %08lx%08lx\n", (unsigned long)sum.bytes, (unsigned long)(sum.hash >> 32),
               (unsigned long)(sum.hash & 0xffffffff));
        fflush(stdout);
    }
    return 0;
}
