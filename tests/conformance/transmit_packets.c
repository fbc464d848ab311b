/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TransmitPackets.
 * Sources: the pages of LPFN_TRANSMITPACKETS and of TRANSMIT_PACKETS_ELEMENT.  No Wine has it.
 */
#include "net.h"

#define FILE_SIZE 200000u

static LPFN_TRANSMITPACKETS transmit_packets;
static char content[FILE_SIZE], got[FILE_SIZE + 100];

static BOOL load(void)
{
    GUID guid = WSAID_TRANSMITPACKETS;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD size;

    todo_wine ok_success(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid),
                                  &transmit_packets, sizeof(transmit_packets), &size, NULL, NULL));
    closesocket(s);
    return transmit_packets != NULL;
}

static HANDLE make_file(void)
{
    char directory[MAX_PATH], path[MAX_PATH];
    HANDLE file;
    DWORD done;

    for (unsigned int i = 0; i < FILE_SIZE; i++)
        content[i] = (char)(i * 11 >> 3);
    GetTempPathA(sizeof(directory), directory);
    GetTempFileNameA(directory, "tp", 0, path);
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE | DELETE, 0, NULL, CREATE_ALWAYS,
                       FILE_FLAG_DELETE_ON_CLOSE, NULL);
    ok(WriteFile(file, content, FILE_SIZE, &done, NULL), "error %lu\n", GetLastError());
    return file;
}

static TRANSMIT_PACKETS_ELEMENT memory(const char *text, ULONG flags)
{
    TRANSMIT_PACKETS_ELEMENT element = {.dwElFlags = TP_ELEMENT_MEMORY | flags,
                                        .cLength = (ULONG)strlen(text)};

    element.pBuffer = (void *)text;
    return element;
}

static TRANSMIT_PACKETS_ELEMENT part_of(HANDLE file, LONGLONG offset, ULONG length)
{
    TRANSMIT_PACKETS_ELEMENT element = {.dwElFlags = TP_ELEMENT_FILE, .cLength = length};

    element.nFileOffset.QuadPart = offset;
    element.hFile = file;
    return element;
}

static DWORD WINAPI take_all(void *socket)
{
    return (DWORD)net_recv_all(*(SOCKET *)socket, got, sizeof(got));
}

/* All that arrives until the sender, which is closed, has ended. */
static DWORD all_of(HANDLE reader, SOCKET sender)
{
    DWORD count = 0;

    closesocket(sender);
    ok(!WaitForSingleObject(reader, 2 * NET_PATIENCE), "still reading\n");
    GetExitCodeThread(reader, &count);
    CloseHandle(reader);
    return count;
}

/* "transmits in-memory data or file data": in the order of the array; cLength: "If zero, the entire
 * file is transmitted"; nFileOffset: "When set to -1, transmission begins at the current byte
 * offset." TP_ELEMENT_FILE is the "Default setting for dwElFlags". */
static void test_elements(void)
{
    HANDLE file = make_file(), reader;
    TRANSMIT_PACKETS_ELEMENT elements[] = {memory("<head>", 0),   part_of(file, 1000, 500),
                                           memory("<middle>", 0), part_of(file, -1, 700),
                                           memory("", 0),         part_of(file, 3000, 0)};
    DWORD count, place = 0;
    SOCKET a, b;

    elements[5].dwElFlags = 0;
    SetFilePointer(file, 40, NULL, FILE_BEGIN);
    net_pair(&a, &b);
    reader = CreateThread(NULL, 0, take_all, &b, 0, NULL);
    ok(transmit_packets(a, elements, ARRAYSIZE(elements), 0, NULL, 0), "error %d\n",
       WSAGetLastError());
    count = all_of(reader, a);
    ok(count == 6 + 500 + 8 + 700 + FILE_SIZE - 3000, "got %lu\n", count);
    ok(!memcmp(got, "<head>", 6), "wrong head\n");
    place = 6;
    ok(!memcmp(got + place, content + 1000, 500), "wrong part\n");
    place += 500;
    ok(!memcmp(got + place, "<middle>", 8), "wrong middle\n");
    place += 8;
    ok(!memcmp(got + place, content + 40, 700), "wrong part at the position\n");
    place += 700;
    ok(!memcmp(got + place, content + 3000, FILE_SIZE - 3000), "wrong rest\n");
    closesocket(b);
    CloseHandle(file);
}

/* lpOverlapped: "overlapped I/O"; the count is that of all elements. */
static void test_overlapped(void)
{
    HANDLE file = make_file(), reader;
    TRANSMIT_PACKETS_ELEMENT elements[] = {memory("head", 0), part_of(file, 0, 0)};
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD count, flags;
    SOCKET a, b;
    BOOL done;

    net_pair(&a, &b);
    reader = CreateThread(NULL, 0, take_all, &b, 0, NULL);
    done = transmit_packets(a, elements, ARRAYSIZE(elements), 0, &overlapped, 0);
    ok(done || WSAGetLastError() == WSA_IO_PENDING, "error %d\n", WSAGetLastError());
    CloseHandle(file); /* the operation has its own hold on it */
    ok(!WaitForSingleObject(overlapped.hEvent, 2 * NET_PATIENCE), "not finished\n");
    ok(WSAGetOverlappedResult(a, &overlapped, &count, FALSE, &flags), "error %d\n",
       WSAGetLastError());
    ok(count == FILE_SIZE + 4, "count %lu\n", count);
    count = all_of(reader, a);
    ok(count == FILE_SIZE + 4 && !memcmp(got + 4, content, FILE_SIZE), "got %lu\n", count);
    closesocket(b);
    CloseHandle(overlapped.hEvent);
}

static void expect_datagram(SOCKET s, const char *text)
{
    int size = recv(s, got, sizeof(got), 0);

    ok(size == (int)strlen(text) && !memcmp(got, text, size), "got %d bytes '%.*s', not '%s'\n",
       size, size > 0 ? size : 0, got, text);
}

/* "the socket does not need to be a connection-oriented circuit"; nSendSize: "the size, in bytes,
 * of the data block used in the send operation"; TP_ELEMENT_EOP: "this element should not be
 * combined with the next element in a single send request" */
static void test_datagrams(void)
{
    TRANSMIT_PACKETS_ELEMENT elements[] = {memory("one ", 0), memory("message", TP_ELEMENT_EOP),
                                           memory("another", TP_ELEMENT_EOP),
                                           memory("the last", 0)};
    TRANSMIT_PACKETS_ELEMENT blocks[] = {memory("0123456", 0), memory("789", TP_ELEMENT_EOP),
                                         memory("abcdefgh", 0)};
    struct sockaddr_storage address[2];
    DWORD patience = NET_PATIENCE;
    SOCKET s[2];
    int length;

    net_udp_pair(AF_INET, s, address, &length);
    setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, (char *)&patience, sizeof(patience));
    ok_success(connect(s[0], (struct sockaddr *)&address[1], length));
    ok(transmit_packets(s[0], elements, ARRAYSIZE(elements), 0xffffffff, NULL, 0), "error %d\n",
       WSAGetLastError());
    expect_datagram(s[1], "one message");
    expect_datagram(s[1], "another");
    expect_datagram(s[1], "the last");
    ok(transmit_packets(s[0], blocks, ARRAYSIZE(blocks), 4, NULL, 0), "error %d\n",
       WSAGetLastError());
    expect_datagram(s[1], "0123");
    expect_datagram(s[1], "4567");
    expect_datagram(s[1], "89");
    expect_datagram(s[1], "abcd");
    expect_datagram(s[1], "efgh");
    net_nonblocking(s[1], 1);
    ok_error(recv(s[1], got, sizeof(got), 0), WSAEWOULDBLOCK);
    /* "Specifying this flag for sockets that do not support disconnect semantics ... results in an
     * error." */
    ok(!transmit_packets(s[0], blocks, 1, 0, NULL, TF_DISCONNECT), "disconnected a datagram\n");
    closesocket(s[0]);
    closesocket(s[1]);
}

/* TF_DISCONNECT: "Starts a transport-level disconnect after all the file data has been queued" */
static void test_disconnect(void)
{
    TRANSMIT_PACKETS_ELEMENT element = memory("last", 0);
    SOCKET a, b;

    net_pair(&a, &b);
    ok(transmit_packets(a, &element, 1, 0, NULL, TF_DISCONNECT), "error %d\n", WSAGetLastError());
    ok(net_recv_all(b, got, 5) == 4 && !memcmp(got, "last", 4), "got '%.4s'\n", got);
    closesocket(a);
    closesocket(b);
}

static void check_error(SOCKET s, TRANSMIT_PACKETS_ELEMENT *elements, DWORD count, DWORD flags,
                        int error)
{
    WSASetLastError(0xdead);
    ok(!transmit_packets(s, elements, count, 0, NULL, flags) && WSAGetLastError() == error,
       "error %d instead of %d\n", WSAGetLastError(), error);
}

/* The page's codes, and "Mutually exclusive" of the two kinds. */
static void test_errors(void)
{
    TRANSMIT_PACKETS_ELEMENT element = memory("data", 0), both = element,
                             large[2] = {element, element};
    SOCKET a, b, s = socket(AF_INET, SOCK_STREAM, 0);

    check_error(INVALID_SOCKET, &element, 1, 0, WSAENOTSOCK);
    check_error(s, &element, 1, 0, WSAENOTCONN);
    closesocket(s);
    net_pair(&a, &b);
    check_error(a, &element, 1, TF_REUSE_SOCKET, WSAEINVAL);
    check_error(a, NULL, 1, 0, WSAEFAULT);
    check_error(a, (void *)16, 0xffffffff, 0, WSAEFAULT);
    both.dwElFlags |= TP_ELEMENT_FILE;
    check_error(a, &both, 1, 0, WSAEINVAL);
    large[0].cLength = large[1].cLength = 0x40000000; /* two halves of 2,147,483,648 */
    check_error(a, large, 2, 0, WSAEINVAL);
    element.pBuffer = (void *)16;
    check_error(a, &element, 1, 0, WSAEFAULT);
    ok_success(shutdown(a, SD_SEND));
    element = memory("data", 0);
    check_error(a, &element, 1, 0, WSAESHUTDOWN);
    closesocket(a);
    closesocket(b);
}

START_TEST(transmit_packets)
{
    net_start();
    if (load()) {
        RUN(test_elements);
        RUN(test_overlapped);
        RUN(test_datagrams);
        RUN(test_disconnect);
        RUN(test_errors);
    }
    WSACleanup();
}
