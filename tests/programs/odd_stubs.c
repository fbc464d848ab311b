/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A ntdll whose system-call stubs look like no known ones, made by changing each into code that
 * does the same: what needs only Winsock's own calls works there too.
 */
#include "late_winsock.h"
#include "stubs.h"

/* At once: VirtualProtect itself comes by one of the stubs.  No other thread runs yet. */
static void rewrite(unsigned char *code, const void *bytes, size_t count)
{
    DWORD protection;

    ok(VirtualProtect(code, count, PAGE_EXECUTE_READWRITE, &protection), "error %lu\n",
       GetLastError());
    memcpy(code, bytes, count);
    VirtualProtect(code, count, protection, &protection);
    FlushInstructionCache(GetCurrentProcess(), code, count);
}

#if defined(__x86_64__)
#define KNOWN       "\xf6\x04\x25\x08\x03\xfe\x7f\x01\x75" /* test byte [0x7ffe0308], 1; jnz */
#define SAME        "\x80\x3c\x25\x08\x03\xfe\x7f\x01\x74" /* cmp byte [0x7ffe0308], 1; jz */
#define KNOWN_BYTES (sizeof(KNOWN) - 1)

static void change(unsigned char *stub)
{
    rewrite(stub + ENTRY_BYTES, SAME, KNOWN_BYTES);
}

static BOOL is_known(const unsigned char *stub)
{
    return !memcmp(stub + ENTRY_BYTES, KNOWN, KNOWN_BYTES);
}
#else
/* mov eax, number; mov edx, dispatcher: the other way round */
static void change(unsigned char *stub)
{
    unsigned char swapped[10];

    memcpy(swapped, stub + 5, 5);
    memcpy(swapped + 5, stub, 5);
    rewrite(stub, swapped, sizeof(swapped));
}

static BOOL is_known(const unsigned char *stub)
{
    return stub[0] == 0xb8 && stub[5] == 0xba;
}
#endif

/* All that ntdll exports; how many. */
static unsigned change_all(void)
{
    unsigned char *base = (void *)GetModuleHandleA("ntdll.dll");
    IMAGE_NT_HEADERS *headers = (void *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    IMAGE_EXPORT_DIRECTORY *exports =
        (void *)(base + headers->OptionalHeader.DataDirectory[0].VirtualAddress);
    DWORD *names = (void *)(base + exports->AddressOfNames);
    unsigned changed = 0;

    for (DWORD i = 0; i < exports->NumberOfNames; i++) {
        const char *name = (const char *)base + names[i];
        unsigned char *stub = (void *)GetProcAddress((HMODULE)base, name);

        if (!strncmp(name, "Nt", 2) && is_known(stub)) {
            change(stub);
            changed++;
        }
    }
    return changed;
}

static void test_select(SOCKET from, SOCKET to)
{
    struct timeval time = {5, 0};
    fd_set set = {.fd_count = 1, .fd_array = {to}};
    char buffer[8];

    ok(ws.send(from, "select", 6, 0) == 6, "error %d\n", ws.WSAGetLastError());
    ok(ws.select(0, &set, NULL, NULL, &time) == 1, "error %d\n", ws.WSAGetLastError());
    ok(ws.recv(to, buffer, sizeof(buffer), 0) == 6, "error %d\n", ws.WSAGetLastError());
}

static void test_network_event(SOCKET from, SOCKET to)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    WSANETWORKEVENTS events = {0};
    char buffer[8];

    ok(!ws.WSAEventSelect(to, event, FD_READ), "error %d\n", ws.WSAGetLastError());
    ok(ws.send(from, "event", 5, 0) == 5, "error %d\n", ws.WSAGetLastError());
    ok(WaitForSingleObject(event, PATIENCE) == WAIT_OBJECT_0, "the event is not set\n");
    ok(!ws.WSAEnumNetworkEvents(to, event, &events) && events.lNetworkEvents == FD_READ,
       "events %lx, error %d\n", events.lNetworkEvents, ws.WSAGetLastError());
    ok(ws.recv(to, buffer, sizeof(buffer), 0) == 5, "error %d\n", ws.WSAGetLastError());
    CloseHandle(event);
}

static DWORD told;

static void CALLBACK on_received(DWORD error, DWORD bytes, WSAOVERLAPPED *ov, DWORD flags)
{
    (void)ov, (void)flags;
    told = error ? 0 : bytes;
}

static void test_routine(SOCKET from, SOCKET to)
{
    WSAOVERLAPPED ov = {0};
    char buffer[8];
    WSABUF buf = {sizeof(buffer), buffer};
    DWORD flags = 0;

    told = 0;
    ok(ws.WSARecv(to, &buf, 1, NULL, &flags, &ov, on_received) &&
           ws.WSAGetLastError() == WSA_IO_PENDING,
       "error %d\n", ws.WSAGetLastError());
    ok(ws.send(from, "routine", 7, 0) == 7, "error %d\n", ws.WSAGetLastError());
    ok(SleepEx(PATIENCE, TRUE) == WAIT_IO_COMPLETION && told == 7, "told of %lu bytes\n", told);
}

/* CloseHandle: nobody tells the DLL, and the next socket may have that handle */
static void test_closed(SOCKET closed, SOCKET other)
{
    char byte;
    SOCKET next;

    ok(CloseHandle((HANDLE)closed), "error %lu\n", GetLastError());
    ok(!ws.recv(other, &byte, 1, 0), "error %d\n", ws.WSAGetLastError());
    next = ws.socket(AF_INET, SOCK_DGRAM, 0);
    ok(next != INVALID_SOCKET, "error %d\n", ws.WSAGetLastError());
    ok(!ws.closesocket(next), "error %d\n", ws.WSAGetLastError());
    ok(!ws.closesocket(other), "error %d\n", ws.WSAGetLastError());
}

static void test_all_changed(void)
{
    unsigned changed;
    SOCKET a, b;

    ok(!late_is_loaded(), "ws2_32.dll is there already\n");
    changed = change_all();
    ok(changed > 100, "%u stubs\n", changed);
    late_load();
    late_start();
    for (int i = 0; i < 20; i++) {
        late_pair(&a, &b);
        late_transfer(a, b);
        test_select(b, a);
        test_routine(a, b);
        test_network_event(b, a); /* leaves it nonblocking */
        test_closed(a, b);
    }
    ok(!ws.WSACleanup(), "error %d\n", ws.WSAGetLastError());
}

START_TEST(odd_stubs)
{
    RUN(test_all_changed);
}
