/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Receiving and sending with AFD's control codes, as libuv does with datagrams and others with
 * everything.  No documentation of Microsoft's describes them.  The structures are those of libuv's
 * winapi.h and phnt's ntafd.h; what the receiving ones do was shown by Wine's test_recv for AFD,
 * run on Windows.  The built-in has IOCTL_AFD_RECEIVE only.
 */
#include <stddef.h>

#include "nt_io.h"

#define IOCTL_AFD_RECEIVE          0x12017
#define IOCTL_AFD_RECEIVE_DATAGRAM 0x1201b
#define IOCTL_AFD_SEND             0x1201f
#define IOCTL_AFD_SEND_DATAGRAM    0x12023

#define AFD_OVERLAPPED 2

#define RECEIVE_NORMAL    0x20
#define RECEIVE_EXPEDITED 0x40
#define RECEIVE_PEEK      0x80
#define RECEIVE_WAITALL   0x4000
#define SEND_EXPEDITED    0x20

struct transfer {
    WSABUF *buffers;
    ULONG count, afd_flags, tdi_flags;
    struct sockaddr *address; /* of receive_datagram only */
    int *address_length;
};
#define STREAM_SIZE offsetof(struct transfer, address)

struct send_datagram {
    WSABUF *buffers;
    ULONG count, afd_flags;
    void *request[5];
    struct {
        LONG user_size;
        void *user;
        LONG options_size;
        void *options;
        LONG address_length;
        struct sockaddr *address;
    } connection;
};

static SOCKET client, server;
static HANDLE event;
static char buffer[8];
static WSABUF bufs[2];
static IO_STATUS_BLOCK iosb;

static NTSTATUS receive(SOCKET s, ULONG afd_flags, ULONG tdi_flags)
{
    struct transfer in = {bufs, 1, afd_flags, tdi_flags, NULL, NULL};
    NTSTATUS status;

    bufs[0].buf = buffer;
    bufs[0].len = sizeof(buffer);
    memset(buffer, 0, sizeof(buffer));
    nt_mark(&iosb);
    status = NtDeviceIoControlFile((HANDLE)s, event, NULL, NULL, &iosb, IOCTL_AFD_RECEIVE, &in,
                                   STREAM_SIZE, NULL, 0);
    memset(&in, 0xcc, sizeof(in)); /* neither these nor the buffers' array are looked at again */
    memset(bufs, 0xcc, sizeof(bufs));
    return status;
}

static void begin(void)
{
    net_pair(&client, &server);
    event = CreateEventA(NULL, TRUE, FALSE, NULL);
}

static void end(void)
{
    closesocket(client);
    closesocket(server);
    CloseHandle(event);
}

static void arrive(const char *data)
{
    net_send_all(client, data, (int)strlen(data));
    net_arrived(server, (u_long)strlen(data));
}

static void test_receive(void)
{
    begin();
    ok_status(receive(server, 0, RECEIVE_NORMAL), NT_PENDING);
    ok(nt_marked(&iosb), "the status block was written\n");
    net_send_all(client, "later", 5);
    ok(nt_event_set(event), "not set\n");
    ok_iosb(iosb, 0, 5);
    ok(!memcmp(buffer, "later", 5), "got %s\n", buffer);
    arrive("now");
    ok_status(receive(server, 0, RECEIVE_NORMAL), 0);
    ok_iosb(iosb, 0, 3);
    ok(nt_event_set(event), "not set\n");
    end();
}

/* AFD_OVERLAPPED waits whether the socket is nonblocking or not. */
static void test_nonblocking(void)
{
    begin();
    net_nonblocking(server, 1);
    ok_status(receive(server, 0, RECEIVE_NORMAL), NT_DEVICE_NOT_READY);
    ok(nt_marked(&iosb), "the status block was written\n");
    arrive("x");
    ok_status(receive(server, 0, RECEIVE_NORMAL), 0);
    ok_status(receive(server, AFD_OVERLAPPED, RECEIVE_NORMAL), NT_PENDING);
    net_send_all(client, "y", 1);
    ok(nt_event_set(event), "not set\n");
    ok_iosb(iosb, 0, 1);
    end();
}

static void test_flags(void)
{
    begin();
    ok_status(receive(server, 0, 0), NT_INVALID_PARAMETER);
    ok_status(receive(server, 0, RECEIVE_NORMAL | RECEIVE_EXPEDITED), NT_INVALID_PARAMETER);
    ok(nt_marked(&iosb), "the status block was written\n");
    arrive("data");
    ok_status(receive(server, 0, RECEIVE_NORMAL | RECEIVE_PEEK), 0);
    ok_status(receive(server, 0, RECEIVE_NORMAL | RECEIVE_PEEK), 0);
    ok(iosb.Information == 4 && !memcmp(buffer, "data", 4), "got %s\n", buffer);
    if (!on_builtin()) {
        ok_status(receive(server, 0, RECEIVE_NORMAL | RECEIVE_WAITALL), NT_PENDING);
        net_send_all(client, "more", 4);
        ok(nt_event_set(event), "not set\n");
        ok_iosb(iosb, 0, 8);
        ok(!memcmp(buffer, "datamore", 8), "got %.8s\n", buffer);
        ok(send(client, "!", 1, MSG_OOB) == 1, "error %d\n", WSAGetLastError());
        Sleep(50);
        ok_status(receive(server, 0, RECEIVE_EXPEDITED), 0);
        ok_iosb(iosb, 0, 1);
        ok(buffer[0] == '!', "got %s\n", buffer);
    }
    end();
}

/* The socket's state first, then the request. */
static void test_parameters(void)
{
    struct transfer in = {NULL, 0, 0, RECEIVE_NORMAL, NULL, NULL};
    struct sockaddr_storage address;
    SOCKET listener, s = socket(AF_INET, SOCK_DGRAM, 0);
    int length;

    begin();
    listener = net_listener(AF_INET, &address, &length);
    nt_mark(&iosb);
    todo_wine ok_status(NtDeviceIoControlFile((HANDLE)listener, event, NULL, NULL, &iosb,
                                              IOCTL_AFD_RECEIVE, NULL, 0, NULL, 0),
                        NT_INVALID_CONNECTION);
    ok_status(NtDeviceIoControlFile((HANDLE)server, event, NULL, NULL, &iosb, IOCTL_AFD_RECEIVE,
                                    NULL, 0, NULL, 0),
              NT_INVALID_PARAMETER);
    ok_status(NtDeviceIoControlFile((HANDLE)server, event, NULL, NULL, &iosb, IOCTL_AFD_RECEIVE,
                                    &in, STREAM_SIZE - 1, NULL, 0),
              NT_INVALID_PARAMETER);
    if (!on_builtin()) {
        ok_status(NtDeviceIoControlFile((HANDLE)server, event, NULL, NULL, &iosb, IOCTL_AFD_RECEIVE,
                                        &in, STREAM_SIZE, NULL, 0),
                  NT_INVALID_PARAMETER);                                /* no buffers */
        ok_status(receive(s, 0, RECEIVE_NORMAL), NT_INVALID_PARAMETER); /* not bound */
        nt_mark(&iosb);
    }
    ok(nt_marked(&iosb), "the status block was written\n");
    shutdown(server, SD_RECEIVE);
    ok_status(receive(server, 0, RECEIVE_NORMAL), NT_PIPE_DISCONNECTED);
    ok(nt_marked(&iosb), "the status block was written\n");
    closesocket(listener);
    closesocket(s);
    end();
}

static void test_two_buffers(void)
{
    struct transfer in = {bufs, 2, 0, RECEIVE_NORMAL, NULL, NULL};

    begin();
    arrive("12345");
    bufs[0] = (WSABUF){2, buffer};
    bufs[1] = (WSABUF){4, buffer + 3};
    memset(buffer, '-', sizeof(buffer));
    ok_status(NtDeviceIoControlFile((HANDLE)server, event, NULL, NULL, &iosb, IOCTL_AFD_RECEIVE,
                                    &in, STREAM_SIZE, NULL, 0),
              0);
    ok_iosb(iosb, 0, 5);
    ok(!memcmp(buffer, "12-345--", 8), "got %.8s\n", buffer);
    end();
}

static LONG routines;
static void *routine_context;

static void NTAPI count_routine(void *context, IO_STATUS_BLOCK *block, ULONG reserved)
{
    (void)reserved;
    routines++;
    routine_context = block == &iosb ? context : NULL;
}

static void test_routine(void)
{
    struct transfer in = {bufs, 1, AFD_OVERLAPPED, RECEIVE_NORMAL, NULL, NULL};
    DWORD start = GetTickCount();

    begin();
    bufs[0] = (WSABUF){8, buffer};
    ok_status(NtDeviceIoControlFile((HANDLE)server, NULL, count_routine, (void *)0x77, &iosb,
                                    IOCTL_AFD_RECEIVE, &in, STREAM_SIZE, NULL, 0),
              NT_PENDING);
    net_send_all(client, "x", 1);
    Sleep(50);
    ok(!routines, "called outside of an alertable wait\n");
    while (!routines && GetTickCount() - start < NET_PATIENCE)
        SleepEx(50, TRUE);
    ok(routines == 1 && routine_context == (void *)0x77, "%ld calls with %p\n", routines,
       routine_context);
    ok_iosb(iosb, 0, 1);
    end();
}

/* ---- as libuv receives: through a port, with notification modes set ---- */

static NTSTATUS receive_from(SOCKET s, ULONG flags, void *context, struct sockaddr *from,
                             int *from_length)
{
    struct transfer in = {bufs, 1, AFD_OVERLAPPED, RECEIVE_NORMAL | flags, from, from_length};

    bufs[0] = (WSABUF){sizeof(buffer), buffer};
    nt_mark(&iosb);
    return NtDeviceIoControlFile((HANDLE)s, NULL, NULL, context, &iosb, IOCTL_AFD_RECEIVE_DATAGRAM,
                                 &in, sizeof(in), NULL, 0);
}

static void test_datagrams(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    struct sockaddr_storage address[2], from;
    IO_STATUS_BLOCK packet;
    int length, from_length = sizeof(from);
    SOCKET s[2];

    if (on_builtin())
        return;
    net_udp_pair(AF_INET, s, address, &length);
    CreateIoCompletionPort((HANDLE)s[1], port, 1, 0);
    ok(SetFileCompletionNotificationModes((HANDLE)s[1], FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
                                                            FILE_SKIP_SET_EVENT_ON_HANDLE),
       "error %lu\n", GetLastError());
    ok_status(receive_from(s[1], 0, &iosb, (struct sockaddr *)&from, &from_length), NT_PENDING);
    sendto(s[0], "data", 4, 0, (struct sockaddr *)&address[1], length);
    ok(nt_packet(port, NET_PATIENCE, &packet) == &iosb, "no packet\n");
    ok_iosb(iosb, 0, 4);
    ok(from_length == length && !memcmp(&from, &address[0], length), "another sender\n");
    /* too long, at once: what libuv takes for an end without a packet */
    sendto(s[0], "longer than that", 16, 0, (struct sockaddr *)&address[1], length);
    net_arrived(s[1], 16);
    ok_status(receive_from(s[1], RECEIVE_PEEK, &iosb, NULL, NULL), NT_BUFFER_OVERFLOW);
    ok_status(receive_from(s[1], 0, &iosb, NULL, NULL), NT_BUFFER_OVERFLOW);
    ok_iosb(iosb, NT_BUFFER_OVERFLOW, 8);
    ok(!nt_packet(port, 30, &packet), "a packet\n");
    /* the same after a wait */
    ok_status(receive_from(s[1], 0, &iosb, NULL, NULL), NT_PENDING);
    sendto(s[0], "longer than that", 16, 0, (struct sockaddr *)&address[1], length);
    ok(nt_packet(port, NET_PATIENCE, &packet) == &iosb, "no packet\n");
    ok_iosb(packet, NT_BUFFER_OVERFLOW, 8);
    ok_status(receive_from(s[1], 0, &iosb, NULL, NULL), NT_PENDING);
    ok(CancelIoEx((HANDLE)s[1], (OVERLAPPED *)&iosb), "error %lu\n", GetLastError());
    ok(nt_packet(port, NET_PATIENCE, &packet) == &iosb, "no packet\n");
    ok_iosb(packet, NT_CANCELLED, 0);
    closesocket(s[0]);
    closesocket(s[1]);
    CloseHandle(port);
}

/* ---- sending ---- */

static NTSTATUS send_out(SOCKET s, ULONG flags, char *data, ULONG size)
{
    WSABUF buf = {size, data};
    struct transfer in = {&buf, 1, AFD_OVERLAPPED, flags, NULL, NULL};

    nt_mark(&iosb);
    return NtDeviceIoControlFile((HANDLE)s, event, NULL, NULL, &iosb, IOCTL_AFD_SEND, &in,
                                 STREAM_SIZE, NULL, 0);
}

static void test_send(void)
{
    static char big[4 << 20], got[4 << 20];
    NTSTATUS status;
    char byte;
    size_t i;

    if (on_builtin())
        return;
    begin();
    ok_status(send_out(client, 0, "data", 4), 0);
    ok_iosb(iosb, 0, 4);
    ok(net_recv_all(server, buffer, 4) == 4 && !memcmp(buffer, "data", 4), "got %.4s\n", buffer);
    ok_status(send_out(client, SEND_EXPEDITED, "!", 1), 0);
    Sleep(50);
    ok(recv(server, &byte, 1, MSG_OOB) == 1 && byte == '!', "error %d\n", WSAGetLastError());
    for (i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 2654435761u >> 11);
    status = send_out(client, 0, big, sizeof(big));
    /* pending, unless the system has taken all of it meanwhile */
    ok(!status || status == NT_PENDING, "status %lx\n", (ULONG)status);
    ok(nt_marked(&iosb) || nt_event_set(event), "the status block was written\n");
    ok(net_recv_all(server, got, sizeof(got)) == sizeof(got) && !memcmp(got, big, sizeof(got)),
       "other bytes\n");
    ok(nt_event_set(event), "not set\n");
    ok_iosb(iosb, 0, sizeof(big));
    shutdown(client, SD_SEND);
    ok_status(send_out(client, 0, "x", 1), NT_PIPE_DISCONNECTED);
    ok(nt_marked(&iosb), "the status block was written\n");
    end();
}

static void test_send_datagram(void)
{
    WSABUF buf = {4, "data"};
    struct send_datagram in = {.buffers = &buf, .count = 1, .afd_flags = AFD_OVERLAPPED};
    struct sockaddr_storage address[2], from;
    int length, from_length = sizeof(from);
    SOCKET s[2];

    if (on_builtin())
        return;
    event = CreateEventA(NULL, TRUE, FALSE, NULL);
    net_udp_pair(AF_INET, s, address, &length);
    in.connection.address = (struct sockaddr *)&address[1];
    in.connection.address_length = length;
    ok_status(NtDeviceIoControlFile((HANDLE)s[0], event, NULL, NULL, &iosb, IOCTL_AFD_SEND_DATAGRAM,
                                    &in, sizeof(in), NULL, 0),
              0);
    ok_iosb(iosb, 0, 4);
    ok(recvfrom(s[1], buffer, 8, 0, (struct sockaddr *)&from, &from_length) == 4 &&
           !memcmp(buffer, "data", 4) && !memcmp(&from, &address[0], length),
       "error %d\n", WSAGetLastError());
    ok_status(NtDeviceIoControlFile((HANDLE)s[0], event, NULL, NULL, &iosb, IOCTL_AFD_SEND_DATAGRAM,
                                    &in, sizeof(in) - 1, NULL, 0),
              NT_INVALID_PARAMETER);
    closesocket(s[0]);
    closesocket(s[1]);
    CloseHandle(event);
}

static void test_nonblocking_send(void)
{
    static char block[65536];
    WSABUF buf = {sizeof(block), block};
    struct transfer in = {&buf, 1, 0, 0, NULL, NULL};
    NTSTATUS status;
    int i;

    if (on_builtin())
        return;
    begin();
    net_nonblocking(client, 1);
    for (i = 0; i < 10000; i++)
        if ((status = NtDeviceIoControlFile((HANDLE)client, event, NULL, NULL, &iosb,
                                            IOCTL_AFD_SEND, &in, STREAM_SIZE, NULL, 0)))
            break;
    ok(status == NT_DEVICE_NOT_READY, "status %lx\n", (ULONG)status);
    end();
}

START_TEST(afd_io)
{
    net_start();
    RUN(test_receive);
    RUN(test_nonblocking);
    RUN(test_flags);
    RUN(test_parameters);
    RUN(test_two_buffers);
    RUN(test_routine);
    RUN(test_datagrams);
    RUN(test_send);
    RUN(test_send_datagram);
    RUN(test_nonblocking_send);
    WSACleanup();
}
