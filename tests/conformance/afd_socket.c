/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AFD's control codes for a socket's address and its event record.
 * Sources: the codes and structures of phnt's ntafd.h; what they answer, Wine's test_bind,
 * test_getsockname, test_event_select and test_get_events for AFD, run on Windows.
 */
#include <stddef.h>

#include "nt_io.h"

#define IOCTL_AFD_BIND                0x12003
#define IOCTL_AFD_GET_ADDRESS         0x1202f
#define IOCTL_AFD_EVENT_SELECT        0x12087
#define IOCTL_AFD_ENUM_NETWORK_EVENTS 0x1208b

#define NT_SHARING_VIOLATION  ((NTSTATUS)0xc0000043)
#define NT_BUFFER_TOO_SMALL   ((NTSTATUS)0xc0000023)
#define NT_INVALID_ADDRESS    ((NTSTATUS)0xc0000141)
#define NT_ADDRESS_COMPONENT  ((NTSTATUS)0xc0000207)
#define NT_ALREADY_ASSOCIATED ((NTSTATUS)0xc0000238)
#define NT_CONNECTION_REFUSED ((NTSTATUS)0xc0000236)

enum {
    POLL_RECEIVE = 1,
    POLL_SEND = 4,
    POLL_DISCONNECT = 8,
    POLL_CONNECT = 0x40,
    POLL_REFUSED = 0x100
};

struct bind_info {
    ULONG sharing;
    char address[sizeof(struct sockaddr_in6)];
};
#define BIND_SIZE(length) ((ULONG)(offsetof(struct bind_info, address) + (length)))

struct event_select {
    HANDLE event;
    ULONG polled;
};

struct network_events {
    ULONG polled;
    NTSTATUS status[13];
};

static HANDLE event;
static IO_STATUS_BLOCK iosb;

static NTSTATUS control(SOCKET s, ULONG code, void *in, ULONG in_size, void *out, ULONG out_size)
{
    nt_mark(&iosb);
    ResetEvent(event);
    return NtDeviceIoControlFile((HANDLE)s, event, NULL, NULL, &iosb, code, in, in_size, out,
                                 out_size);
}

static NTSTATUS bind_to(SOCKET s, const void *address, int length, void *out, int out_size)
{
    struct bind_info info = {0};

    memcpy(info.address, address, length);
    return control(s, IOCTL_AFD_BIND, &info, BIND_SIZE(length), out, out_size);
}

/* What it does not refuse pends, and has come to its end by then. */
static void test_bind(int family, int type)
{
    SOCKET s = socket(family, type, 0), other = socket(family, type, 0);
    struct sockaddr_storage wanted, bound, got;
    int length = net_loopback(family, &wanted);

    todo_wine ok_status(bind_to(s, &wanted, length, &bound, length), NT_PENDING);
    ok(WaitForSingleObject(event, 0) == WAIT_OBJECT_0, "no event\n");
    ok_iosb(iosb, 0, (ULONG)length);
    ok(bound.ss_family == family && ((struct sockaddr_in *)&bound)->sin_port, "no address\n");
    ok_status(control(s, IOCTL_AFD_GET_ADDRESS, NULL, 0, &got, sizeof(got)), 0);
    ok(!memcmp(&got, &bound, length), "another address\n");
    ok_iosb(iosb, 0, (ULONG)length);
    ok_status(bind_to(s, &wanted, length, &got, length), NT_ALREADY_ASSOCIATED);
    todo_wine ok_status(bind_to(other, &bound, length, &got, length), NT_PENDING);
    ok_iosb(iosb, NT_SHARING_VIOLATION, 0);
    closesocket(other);
    closesocket(s);
}

static void test_bind_refused(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET}, bound;
    struct sockaddr_in foreign = {AF_INET, 0, {{{192, 0, 2, 77}}}, {0}};
    struct bind_info info = {0};

    ok_status(control(s, IOCTL_AFD_GET_ADDRESS, NULL, 0, &bound, 3), NT_INVALID_PARAMETER);
    memcpy(info.address, &address, sizeof(address));
    ok_status(control(s, IOCTL_AFD_BIND, &info, BIND_SIZE(1), &bound, sizeof(bound)),
              NT_INVALID_PARAMETER);
    ok_status(control(s, IOCTL_AFD_BIND, &info, BIND_SIZE(2), &bound, sizeof(bound)),
              NT_INVALID_ADDRESS);
    ok_status(bind_to(s, &address, sizeof(address) - 1, &bound, sizeof(bound)), NT_INVALID_ADDRESS);
    ok_status(bind_to(s, &address, sizeof(address), &bound, sizeof(bound) - 1),
              NT_INVALID_PARAMETER);
    todo_wine ok_status(bind_to(s, &foreign, sizeof(foreign), &bound, sizeof(bound)), NT_PENDING);
    ok_iosb(iosb, NT_ADDRESS_COMPONENT, 0);
    address.sin_family = 0xdead;
    ok_status(bind_to(s, &address, sizeof(address), &bound, sizeof(bound)), NT_INVALID_ADDRESS);
    address.sin_family = AF_INET;
    ok_success(bind(s, (struct sockaddr *)&address, sizeof(address)));
    ok_status(control(s, IOCTL_AFD_GET_ADDRESS, NULL, 0, &bound, 15), NT_BUFFER_TOO_SMALL);
    closesocket(s);
}

static void test_event_select(void)
{
    struct event_select info = {NULL, ~0u};
    WSANETWORKEVENTS told;
    SOCKET a, b;

    net_pair(&a, &b);
    ok_status(control(a, IOCTL_AFD_EVENT_SELECT, NULL, 0, NULL, 0), NT_INVALID_PARAMETER);
    ok_status(control(a, IOCTL_AFD_EVENT_SELECT, &info, sizeof(info), NULL, 0),
              NT_INVALID_PARAMETER);
    info.event = event;
    ok_status(control(a, IOCTL_AFD_EVENT_SELECT, &info, sizeof(info), NULL, 0), 0);
    ok_iosb(iosb, 0, 0);
    ok_success(WSAEnumNetworkEvents(a, NULL, &told));
    ok(told.lNetworkEvents == (FD_CONNECT | FD_WRITE), "got %lx\n", told.lNetworkEvents);
    info.polled = POLL_RECEIVE | POLL_DISCONNECT;
    ok_status(control(b, IOCTL_AFD_EVENT_SELECT, &info, sizeof(info), NULL, 0), 0);
    ResetEvent(event);
    net_send_all(a, "x", 1);
    ok(nt_event_set(event), "no event\n");
    ok_success(WSAEnumNetworkEvents(b, NULL, &told));
    ok(told.lNetworkEvents == FD_READ, "got %lx\n", told.lNetworkEvents);
    info = (struct event_select){NULL, 0};
    ok_status(control(b, IOCTL_AFD_EVENT_SELECT, &info, sizeof(info), NULL, 0), 0);
    closesocket(a);
    closesocket(b);
}

/* Later ones know the event. */
static BOOL is_wine_8(void)
{
    const char *(CDECL * version)(void) =
        (void *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version");

    return version && !strncmp(version(), "8.", 2);
}

static void test_network_events(void)
{
    struct network_events told;
    struct sockaddr_storage nobody;
    int length = net_nobody(AF_INET, &nobody);
    HANDLE selected = CreateEventW(NULL, TRUE, FALSE, NULL);
    SOCKET a, b;

    net_pair(&a, &b);
    ok_success(WSAEventSelect(a, selected, FD_READ | FD_WRITE | FD_CONNECT | FD_CLOSE));
    ok_status(control(a, IOCTL_AFD_ENUM_NETWORK_EVENTS, NULL, 0, NULL, 0), NT_INVALID_PARAMETER);
    memset(&told, 0xcc, sizeof(told));
    ok_status(control(a, IOCTL_AFD_ENUM_NETWORK_EVENTS, NULL, 0, &told, sizeof(told)), 0);
    ok(told.polled == (POLL_SEND | POLL_CONNECT) && !told.status[2] && !told.status[6], "got %lx\n",
       told.polled);
    ok_status(control(a, IOCTL_AFD_ENUM_NETWORK_EVENTS, NULL, 0, &told, sizeof(told)), 0);
    ok(!told.polled, "got %lx\n", told.polled);
    SetEvent(selected); /* the input is the event to be reset */
    ok_status(control(a, IOCTL_AFD_ENUM_NETWORK_EVENTS, selected, 0, &told, sizeof(told)), 0);
    todo_wine_if(is_wine_8()) ok(WaitForSingleObject(selected, 0) == WAIT_TIMEOUT, "still set\n");
    ResetEvent(selected);
    shutdown(b, SD_SEND);
    ok(nt_event_set(selected), "no event\n");
    ok_status(control(a, IOCTL_AFD_ENUM_NETWORK_EVENTS, NULL, 0, &told, sizeof(told)), 0);
    ok(told.polled == POLL_DISCONNECT, "got %lx\n", told.polled);
    closesocket(a);
    closesocket(b);

    a = socket(AF_INET, SOCK_STREAM, 0);
    ResetEvent(selected);
    ok_success(WSAEventSelect(a, selected, FD_CONNECT));
    ok_error(connect(a, (struct sockaddr *)&nobody, length), WSAEWOULDBLOCK);
    ok(nt_event_set(selected), "no event\n");
    ok_status(control(a, IOCTL_AFD_ENUM_NETWORK_EVENTS, NULL, 0, &told, sizeof(told)), 0);
    ok(told.polled == POLL_REFUSED && told.status[8] == NT_CONNECTION_REFUSED && !told.status[6],
       "got %lx, %lx\n", told.polled, (ULONG)told.status[8]);
    closesocket(a);
    CloseHandle(selected);
}

/* test_open_device: what a SOCKET may be used for. */
static void test_rights(void)
{
    struct {
        ULONG attributes, access, rest[12];
    } info;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    ok_status(NtQueryObject((HANDLE)s, ObjectBasicInformation, &info, sizeof(info), NULL), 0);
    todo_wine ok(info.access == (FILE_GENERIC_READ | FILE_GENERIC_WRITE | WRITE_DAC), "got %lx\n",
                 info.access);
    closesocket(s);
}

START_TEST(afd_socket)
{
    net_start();
    event = CreateEventW(NULL, TRUE, FALSE, NULL);
    RUN(test_bind, AF_INET, SOCK_STREAM);
    RUN(test_bind, AF_INET6, SOCK_STREAM);
    RUN(test_bind, AF_INET, SOCK_DGRAM);
    RUN(test_bind_refused);
    RUN(test_event_select);
    RUN(test_network_events);
    RUN(test_rights);
    CloseHandle(event);
    WSACleanup();
}
