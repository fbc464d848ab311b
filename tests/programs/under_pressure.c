/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * under_pressure MODE ...: makes a limit be met, or more pile up than anybody reads, while the test
 * looks at memory and logs from outside.
 *
 *   overlapped N         posts receives until one is refused, of which N may be outstanding; frees
 *                        one and posts again, ten times; then all are completed
 *   sockets              prints "READY", waits for a line, then makes sockets until that fails,
 *                        closes some and makes them again, twice; each time prints "REFUSED COUNT
 *                        ERROR"; a pair made before goes on working
 *   memory               the same with receives of 100,000 WSABUFs: "REFUSED COUNT ERROR", half of
 *                        them finished, again
 *   unread tcp|udp       prints "PORT NUMBER", takes whatever the test sends there and reads nothing
 *                        until a line comes in; then reads to the end and prints "READ BYTES"
 *   stuck HOW PORT...    connects to 127.0.0.1:PORT, each, and sends as much as is taken in the way
 *                        HOW: blocking, nonblocking (64 KiB each), whole (8 MiB each), overlapped
 *                        (3,000 of 64 KiB each); prints "ACCEPTED BYTES" when nothing more is, then
 *                        waits for a line, hands over the rest (blocking: until the other side has
 *                        gone) and closes: "SENT BYTES"
 *   datagrams HOST PORT SIZE MOST
 *                        sends MOST there, blocking; if MOST is 0 nonblocking until no more is taken:
 *                        "ACCEPTED COUNT"; then waits for a line and for room and sends "last"
 *   starved PORT...      sends as much as is taken to each, until one fails: "FAILED-WITH ERROR"
 *   beside PORT          sends to PORT until that is stuck, then ping-pong and bulk over another pair
 *
 * What goes over a connection at place i is (i * 7 + (i >> 11)) & 0xff.  Every mode ends with "DONE".
 */
#define __USE_MINGW_ANSI_STDIO 1
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE     60000
#define MAX_SOCKETS  40000
#define MAX_RECEIVES 1000
#define PIECE        65536
#define WHOLE        (8u << 20)

static void fail(const char *what)
{
    printf("FAILED %s: error %d\n", what, WSAGetLastError());
    fflush(stdout);
    ExitProcess(1);
}

static void say(const char *what, ULONGLONG value)
{
    printf("%s %llu\n", what, value);
    fflush(stdout);
}

static void wait_for_line(void)
{
    char line[16];

    if (!fgets(line, sizeof(line), stdin))
        fail("no line came in");
}

static void fill(char *data, unsigned int size, ULONGLONG place)
{
    for (unsigned int i = 0; i < size; i++)
        data[i] = (char)((place + i) * 7 + ((place + i) >> 11));
}

static void refused(int count)
{
    printf("REFUSED %d %d\n", count, WSAGetLastError());
    fflush(stdout);
}

static void ready(void)
{
    printf("READY\n");
    fflush(stdout);
    wait_for_line();
}

/* ---- sockets ---- */

static void loopback(struct sockaddr_in *address, int port)
{
    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->sin_port = htons((u_short)port);
}

static SOCKET bound(int type, struct sockaddr_in *address)
{
    int length = sizeof(*address);
    SOCKET s = socket(AF_INET, type, 0);

    loopback(address, 0);
    if (s == INVALID_SOCKET || bind(s, (struct sockaddr *)address, length) ||
        getsockname(s, (struct sockaddr *)address, &length))
        fail("bind");
    return s;
}

static SOCKET listener(struct sockaddr_in *address)
{
    SOCKET l = bound(SOCK_STREAM, address);

    if (listen(l, 5))
        fail("listen");
    return l;
}

static SOCKET connected(const struct sockaddr_in *address)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    if (s == INVALID_SOCKET || connect(s, (const struct sockaddr *)address, sizeof(*address)))
        fail("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof(on));
    return s;
}

static void pair(SOCKET *a, SOCKET *b)
{
    struct sockaddr_in address;
    SOCKET l = listener(&address);

    *a = connected(&address);
    *b = accept(l, NULL, NULL);
    if (*b == INVALID_SOCKET)
        fail("accept");
    closesocket(l);
}

static void send_all(SOCKET s, const char *data, int size)
{
    for (int sent = 0, got; sent < size; sent += got)
        if ((got = send(s, data + sent, size - sent, 0)) <= 0)
            fail("send");
}

static void recv_all(SOCKET s, char *data, int size)
{
    for (int count = 0, got; count < size; count += got)
        if ((got = recv(s, data + count, size - count, 0)) <= 0)
            fail("recv");
}

static void nonblocking(SOCKET s, u_long on)
{
    if (ioctlsocket(s, FIONBIO, &on))
        fail("FIONBIO");
}

/* ---- overlapped N ---- */

struct receive {
    WSAOVERLAPPED ov;
    char byte;
};

static BOOL post(SOCKET s, struct receive *receive)
{
    WSABUF buf = {1, &receive->byte};
    DWORD flags = 0;

    if (!WSARecv(s, &buf, 1, NULL, &flags, &receive->ov, NULL))
        fail("a receive with nothing there did not wait");
    return WSAGetLastError() == WSA_IO_PENDING;
}

static void finish(SOCKET from, SOCKET to, struct receive *receive)
{
    DWORD bytes, flags;

    send_all(from, "x", 1);
    if (!WSAGetOverlappedResult(to, &receive->ov, &bytes, TRUE, &flags) || bytes != 1)
        fail("WSAGetOverlappedResult");
}

static void mode_overlapped(int limit)
{
    struct receive *receives = calloc(limit + 1, sizeof(*receives));
    SOCKET a, b;
    int first, last;

    pair(&a, &b);
    for (last = 0; last <= limit && post(b, &receives[last]); last++)
        ;
    refused(last);
    if (receives[last].ov.Internal)
        fail("the one that was refused looks like one that waits");
    for (first = 0; first < 10; first++) {
        struct receive again = receives[first];

        finish(a, b, &receives[first]);
        memset(&again, 0, sizeof(again));
        receives[first] = again;
        if (!post(b, &receives[first]))
            fail("posting where one has been finished");
        if (post(b, &receives[last]))
            fail("one too many");
    }
    for (int i = 0; i < last; i++)
        finish(a, b, &receives[(first + i) % last]);
    say("FINISHED", last);
}

/* ---- sockets ---- */

static void check_pair(SOCKET a, SOCKET b)
{
    char text[4];

    send_all(a, "ping", 4);
    recv_all(b, text, 4);
    if (memcmp(text, "ping", 4))
        fail("other bytes");
}

static int open_until_refused(SOCKET *sockets, int count)
{
    while (count < MAX_SOCKETS)
        if ((sockets[count] = socket(AF_INET, SOCK_STREAM, 0)) == INVALID_SOCKET)
            break;
        else
            count++;
    refused(count);
    return count;
}

/* The connection waits in the listener's queue until there is room for it. */
static void mode_sockets(void)
{
    static SOCKET sockets[MAX_SOCKETS];
    struct sockaddr_in address;
    SOCKET a, b, l = listener(&address), client = socket(AF_INET, SOCK_STREAM, 0), server;
    int count, again;

    pair(&a, &b);
    ready();
    count = open_until_refused(sockets, 0);
    check_pair(a, b);
    nonblocking(client, 1);
    connect(client, (struct sockaddr *)&address, sizeof(address));
    for (int i = 0; i < 10; i++)
        closesocket(sockets[--count]);
    nonblocking(client, 0);
    server = accept(l, NULL, NULL);
    if (server == INVALID_SOCKET)
        fail("accept");
    check_pair(server, client);
    again = open_until_refused(sockets, count);
    check_pair(b, a);
    while (again)
        closesocket(sockets[--again]);
    open_until_refused(sockets, 0);
}

/* ---- memory ---- */

#define MANY_BUFFERS 100000 /* of a receive: their copy is what there will be no memory for */

static BOOL post_large(SOCKET s, struct receive *receive)
{
    static WSABUF bufs[MANY_BUFFERS];
    DWORD flags = 0;

    for (int i = 0; i < MANY_BUFFERS; i++)
        bufs[i] = (WSABUF){1, &receive->byte};
    if (!WSARecv(s, bufs, MANY_BUFFERS, NULL, &flags, &receive->ov, NULL))
        fail("a receive with nothing there did not wait");
    return WSAGetLastError() == WSA_IO_PENDING;
}

static int post_until_refused(SOCKET s, struct receive *receives, int count)
{
    while (count < MAX_RECEIVES && post_large(s, &receives[count]))
        count++;
    refused(count);
    return count;
}

static void mode_memory(void)
{
    static struct receive receives[MAX_RECEIVES];
    SOCKET a, b;
    int count;

    pair(&a, &b);
    ready();
    count = post_until_refused(b, receives, 0);
    for (int i = 0; i < count / 2; i++)
        finish(a, b, &receives[i]);
    post_until_refused(b, receives, count);
}

/* ---- unread ---- */

static void mode_unread(BOOL udp)
{
    static char data[PIECE];
    struct sockaddr_in address;
    ULONGLONG total = 0;
    SOCKET l = udp ? INVALID_SOCKET : listener(&address);
    SOCKET s = udp ? bound(SOCK_DGRAM, &address) : INVALID_SOCKET;
    int got;

    say("PORT", ntohs(address.sin_port));
    if (!udp && (s = accept(l, NULL, NULL)) == INVALID_SOCKET)
        fail("accept");
    wait_for_line();
    if (udp)
        nonblocking(s, 1);
    while ((got = recv(s, data, sizeof(data), 0)) > 0 || (udp && !got)) {
        for (int i = 0; i < got && !udp; i++)
            if (data[i] != (char)((total + i) * 7 + ((total + i) >> 11)))
                fail("a wrong byte");
        total += udp ? 1 : got;
    }
    if (got < 0 && WSAGetLastError() != WSAEWOULDBLOCK)
        fail("recv");
    say("READ", total);
}

/* ---- stuck ---- */

struct sender {
    SOCKET s;
    ULONGLONG done; /* volatile for mode blocking, whose threads count */
};

static void wait_until_stuck(ULONGLONG (*accepted)(void *), void *context)
{
    ULONGLONG last = 0, now;
    int same = 0;

    while (same < 10) {
        Sleep(100);
        now = accepted(context);
        same = now == last ? same + 1 : 0;
        last = now;
    }
    say("ACCEPTED", last);
}

static struct sender senders[256];
static int sender_count;

static ULONGLONG sum_of_senders(void *context)
{
    ULONGLONG sum = 0;

    (void)context;
    for (int i = 0; i < sender_count; i++)
        sum += *(volatile ULONGLONG *)&senders[i].done;
    return sum;
}

/* Stops when the other side has gone. */
static DWORD CALLBACK send_blocking(void *context)
{
    struct sender *sender = context;
    char *data = malloc(PIECE);
    int sent;

    do {
        fill(data, PIECE, sender->done);
        sent = send(sender->s, data, PIECE, 0);
        if (sent > 0)
            sender->done += sent;
    } while (sent > 0);
    free(data);
    return 0;
}

static void stuck_blocking(void)
{
    HANDLE threads[256];

    for (int i = 0; i < sender_count; i++)
        threads[i] = CreateThread(NULL, 0, send_blocking, &senders[i], 0, NULL);
    wait_until_stuck(sum_of_senders, NULL);
    wait_for_line(); /* meanwhile the test has read some and closed */
    for (int i = 0; i < sender_count; i++)
        if (WaitForSingleObject(threads[i], PATIENCE))
            fail("a blocked send never ended");
}

static ULONGLONG send_nonblocking(void *size)
{
    static char data[WHOLE];
    ULONGLONG before, now = sum_of_senders(NULL);

    do {
        before = now;
        for (int i = 0; i < sender_count; i++) {
            int sent;

            fill(data, *(unsigned int *)size, senders[i].done);
            sent = send(senders[i].s, data, *(unsigned int *)size, 0);
            if (sent > 0)
                senders[i].done += sent;
            else if (WSAGetLastError() != WSAEWOULDBLOCK)
                fail("a nonblocking send");
        }
        now = sum_of_senders(NULL);
    } while (now != before);
    return now;
}

static void stuck_nonblocking(unsigned int size)
{
    for (int i = 0; i < sender_count; i++)
        nonblocking(senders[i].s, 1);
    wait_until_stuck(send_nonblocking, &size);
    wait_for_line();
}

#define SENDS 3000

static struct send_operation {
    WSAOVERLAPPED ov;
    WSABUF buf;
} * sends;

static ULONGLONG finished_sends(void *context)
{
    ULONGLONG sum = 0;

    (void)context;
    for (int i = 0; i < SENDS * sender_count; i++)
        if (HasOverlappedIoCompleted((OVERLAPPED *)&sends[i].ov))
            sum += sends[i].ov.InternalHigh;
    return sum;
}

/* All of them from one buffer, whose length is a multiple of the pattern's period. */
static void stuck_overlapped(void)
{
    static char data[1u << 19];

    fill(data, sizeof(data), 0);
    if (!(sends = calloc(SENDS * sender_count, sizeof(*sends))))
        fail("calloc");
    for (int i = 0; i < SENDS; i++) {
        for (int k = 0; k < sender_count; k++) {
            struct send_operation *operation = &sends[i * sender_count + k];

            operation->buf.buf = data + (size_t)i * PIECE % sizeof(data);
            operation->buf.len = PIECE;
            if (WSASend(senders[k].s, &operation->buf, 1, NULL, 0, &operation->ov, NULL) &&
                WSAGetLastError() != WSA_IO_PENDING)
                fail("WSASend");
        }
    }
    say("QUEUED", (ULONGLONG)SENDS * sender_count);
    wait_until_stuck(finished_sends, NULL);
    wait_for_line();
    for (int i = 0; i < SENDS * sender_count; i++) {
        DWORD bytes, flags;

        while (!HasOverlappedIoCompleted((OVERLAPPED *)&sends[i].ov))
            Sleep(1); /* no event, so nothing else tells several of one socket apart */
        if (!WSAGetOverlappedResult(senders[i % sender_count].s, &sends[i].ov, &bytes, FALSE,
                                    &flags) ||
            bytes != PIECE)
            fail("WSAGetOverlappedResult");
    }
    for (int k = 0; k < sender_count; k++)
        senders[k].done = (ULONGLONG)SENDS * PIECE;
}

static void connect_senders(int count, char **ports)
{
    struct sockaddr_in address;

    for (sender_count = 0; sender_count < count; sender_count++) {
        loopback(&address, atoi(ports[sender_count]));
        senders[sender_count].s = connected(&address);
    }
}

static void mode_stuck(const char *how, int count, char **ports)
{
    connect_senders(count, ports);
    if (!strcmp(how, "blocking"))
        stuck_blocking();
    else if (!strcmp(how, "nonblocking"))
        stuck_nonblocking(PIECE);
    else if (!strcmp(how, "whole"))
        stuck_nonblocking(WHOLE);
    else
        stuck_overlapped();
    say("SENT", sum_of_senders(NULL));
    for (int i = 0; i < sender_count; i++)
        closesocket(senders[i].s);
}

/* ---- starved ---- */

/* The others, and new ones, go on when one connection has been given up. */
static void mode_starved(int count, char **ports)
{
    static char data[WHOLE];
    SOCKET a, b;
    int failed = 0;

    pair(&a, &b);
    connect_senders(count, ports);
    ready();
    for (int i = 0; i < count; i++)
        nonblocking(senders[i].s, 1);
    while (!failed) {
        for (int i = 0; i < count && !failed; i++)
            if (send(senders[i].s, data, WHOLE, 0) < 0 && WSAGetLastError() != WSAEWOULDBLOCK)
                failed = WSAGetLastError();
        Sleep(1);
    }
    say("FAILED-WITH", failed);
    check_pair(a, b);
    pair(&a, &b);
    check_pair(a, b);
}

/* ---- datagrams ---- */

static BOOL send_datagram(SOCKET s, const struct sockaddr_in *to, const char *data, int size)
{
    if (sendto(s, data, size, 0, (const struct sockaddr *)to, sizeof(*to)) == size)
        return TRUE;
    if (WSAGetLastError() != WSAEWOULDBLOCK)
        fail("sendto");
    return FALSE;
}

/* The last word is sent when there is room for it, once the test has read the line. */
static void mode_datagrams(const char *host, int port, int size, ULONGLONG most)
{
    struct sockaddr_in address;
    static char data[PIECE];
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    ULONGLONG count = 0;
    fd_set writable = {1, {s}};
    int refusals = 0;

    loopback(&address, port);
    address.sin_addr.s_addr = inet_addr(host);
    nonblocking(s, !most);
    while (most ? count < most : refusals < 20) {
        if (send_datagram(s, &address, data, size)) {
            count++;
            continue;
        }
        refusals++;
        Sleep(50);
    }
    say("ACCEPTED", count);
    wait_for_line();
    if (select(0, NULL, &writable, NULL, NULL) != 1 || !send_datagram(s, &address, "last", 4))
        fail("the last word");
}

/* ---- beside ---- */

struct transfer {
    SOCKET s;
    int count;
};

static DWORD CALLBACK echo(void *context)
{
    struct transfer *transfer = context;
    char message[64];

    for (int i = 0; i < transfer->count; i++) {
        recv_all(transfer->s, message, sizeof(message));
        send_all(transfer->s, message, sizeof(message));
    }
    return 0;
}

static DWORD CALLBACK take(void *context)
{
    struct transfer *transfer = context;
    static char data[PIECE];

    for (int i = 0; i < transfer->count; i++)
        recv_all(transfer->s, data, sizeof(data));
    return 0;
}

static ULONGLONG now_us(void)
{
    LARGE_INTEGER now, frequency;

    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (ULONGLONG)((double)now.QuadPart * 1e6 / (double)frequency.QuadPart);
}

/* Microseconds for `count` times there (and back). */
static ULONGLONG timed(SOCKET a, SOCKET b, BOOL back, int count)
{
    static char data[PIECE];
    struct transfer transfer = {b, count};
    HANDLE thread = CreateThread(NULL, 0, back ? echo : take, &transfer, 0, NULL);
    ULONGLONG start = now_us();

    for (int i = 0; i < count; i++) {
        send_all(a, data, back ? 64 : PIECE);
        if (back)
            recv_all(a, data, 64);
    }
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    return now_us() - start;
}

/* The best of some rounds: what the machine's other work leaves. */
static ULONGLONG best(SOCKET a, SOCKET b, BOOL back, int count)
{
    ULONGLONG least = ~(ULONGLONG)0;

    for (int i = 0; i < 5; i++) {
        ULONGLONG spent = timed(a, b, back, count);

        if (spent < least)
            least = spent;
    }
    return least;
}

static void mode_beside(int port)
{
    unsigned int size = PIECE;
    struct sockaddr_in address;
    SOCKET a, b;

    pair(&a, &b);
    say("ALONE-PINGPONG", best(a, b, TRUE, 1000));
    say("ALONE-BULK", best(a, b, FALSE, 500));
    loopback(&address, port);
    senders[0].s = connected(&address);
    sender_count = 1;
    nonblocking(senders[0].s, 1);
    wait_until_stuck(send_nonblocking, &size);
    say("BESIDE-PINGPONG", best(a, b, TRUE, 1000));
    say("BESIDE-BULK", best(a, b, FALSE, 500));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    WSADATA wsadata;

    if (WSAStartup(MAKEWORD(2, 2), &wsadata))
        fail("WSAStartup");
    if (!strcmp(mode, "memory"))
        mode_memory();
    else if (!strcmp(mode, "datagrams") && argc == 6)
        mode_datagrams(argv[2], atoi(argv[3]), atoi(argv[4]), (ULONGLONG)atoi(argv[5]));
    else if (!strcmp(mode, "starved") && argc > 2)
        mode_starved(argc - 2, argv + 2);
    else if (!strcmp(mode, "overlapped") && argc == 3)
        mode_overlapped(atoi(argv[2]));
    else if (!strcmp(mode, "sockets"))
        mode_sockets();
    else if (!strcmp(mode, "unread") && argc == 3)
        mode_unread(!strcmp(argv[2], "udp"));
    else if (!strcmp(mode, "stuck") && argc > 3)
        mode_stuck(argv[2], argc - 3, argv + 3);
    else if (!strcmp(mode, "beside") && argc == 3)
        mode_beside(atoi(argv[2]));
    else
        return 2;
    WSACleanup();
    printf("DONE\n");
    return 0;
}
