/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * remote_winsock: makes the Winsock calls that it reads from its standard input, for a test that
 * does things to the network meanwhile (tests/remote.py).
 *
 * Each line "TAG COMMAND ARGUMENTS..." runs on a thread of its own.  It prints "TAG waiting" where
 * it is about to block or its operation is pending, and at last "TAG done error=... NAME=VALUE...".
 * A socket has a number that the test chooses.  Ends with the end of its input.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS    256
#define WORDS    10
#define PATIENCE 60000
#define LARGEST  65536

#ifndef SIO_UDP_CONNRESET
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#endif
#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif

struct command {
    char line[256];
    char *word[WORDS]; /* tag, name, arguments; "" where there is none */
};

static struct slot {
    SOCKET socket;
    int family;
    HANDLE port;
} slots[SLOTS];

struct outcome {
    int error;          /* as Winsock tells it */
    DWORD system_error; /* as GetQueuedCompletionStatus tells it */
    DWORD bytes, flags;
    long events; /* of select, WSAPoll, WSAEnumNetworkEvents */
    struct sockaddr_storage from;
    char data[LARGEST];
};

static struct slot *slot_of(const struct command *command)
{
    return &slots[(unsigned)atoi(command->word[2]) % SLOTS];
}

/* A whole line, and not two at a time. */
static void say(const char *line)
{
    static SRWLOCK lock = SRWLOCK_INIT;

    AcquireSRWLockExclusive(&lock);
    fputs(line, stdout);
    fflush(stdout);
    ReleaseSRWLockExclusive(&lock);
}

static void waiting(const struct command *command)
{
    char line[64];

    snprintf(line, sizeof(line), "%s waiting\n", command->word[0]);
    say(line);
}

static int last_error(BOOL failed)
{
    return failed ? WSAGetLastError() : 0;
}

static int parse_address(int family, const char *host, const char *port,
                         struct sockaddr_storage *address)
{
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    int length = family == AF_INET6 ? sizeof(*v6) : sizeof(*v4);

    memset(address, 0, sizeof(*address));
    WSAStringToAddressA((char *)host, family, NULL, (struct sockaddr *)address, &length);
    v4->sin_port = htons((u_short)atoi(port)); /* at the same place in both */
    return length;
}

/* ---- overlapped operations: issue, wait in one of three ways ---- */

enum style { BY_EVENT, BY_ROUTINE, BY_PORT };

struct routine_call {
    WSAOVERLAPPED overlapped; /* first: the routine gets its address */
    BOOL ran;
    DWORD error, bytes, flags;
};

static void CALLBACK routine(DWORD error, DWORD bytes, WSAOVERLAPPED *overlapped, DWORD flags)
{
    struct routine_call *call = (struct routine_call *)overlapped;

    call->error = error;
    call->bytes = bytes;
    call->flags = flags;
    call->ran = TRUE;
}

static BOOL overlapped_style(const char *word, enum style *style)
{
    *style = !strcmp(word, "apc") ? BY_ROUTINE : !strcmp(word, "port") ? BY_PORT : BY_EVENT;
    return *style != BY_EVENT || !strcmp(word, "event");
}

static void overlapped_begin(struct slot *slot, enum style style, struct routine_call *call)
{
    memset(call, 0, sizeof(*call));
    if (style == BY_EVENT)
        call->overlapped.hEvent = WSACreateEvent();
    if (style == BY_PORT && !slot->port)
        slot->port = CreateIoCompletionPort((HANDLE)slot->socket, NULL, 1, 0);
}

static BOOL wait_for_packet(struct slot *slot, struct outcome *outcome)
{
    OVERLAPPED *got = NULL;
    ULONG_PTR key;

    if (!GetQueuedCompletionStatus(slot->port, &outcome->bytes, &key, &got, PATIENCE))
        outcome->system_error = GetLastError();
    return got != NULL;
}

static BOOL wait_for_routine(const struct routine_call *call)
{
    while (!call->ran && SleepEx(PATIENCE, TRUE) == WAIT_IO_COMPLETION)
        ;
    return call->ran;
}

static BOOL overlapped_wait(struct slot *slot, enum style style, struct routine_call *call,
                            struct outcome *outcome)
{
    HANDLE event = call->overlapped.hEvent;

    switch (style) {
    case BY_EVENT:
        return WSAWaitForMultipleEvents(1, &event, TRUE, PATIENCE, FALSE) == WSA_WAIT_EVENT_0;
    case BY_ROUTINE:
        return wait_for_routine(call);
    default:
        return wait_for_packet(slot, outcome);
    }
}

/* `error` is what the call returned. */
static void overlapped_end(const struct command *command, struct slot *slot, enum style style,
                           struct routine_call *call, int error, struct outcome *outcome)
{
    outcome->error = error;
    if (!error || error == WSA_IO_PENDING) {
        if (error)
            waiting(command);
        if (!overlapped_wait(slot, style, call, outcome))
            TerminateProcess(GetCurrentProcess(), 2); /* its memory is the system's still */
        outcome->error = last_error(!WSAGetOverlappedResult(
            slot->socket, &call->overlapped, &outcome->bytes, FALSE, &outcome->flags));
        if (style == BY_ROUTINE) {
            outcome->error = (int)call->error;
            outcome->bytes = call->bytes;
            outcome->flags = call->flags;
        }
    }
    if (call->overlapped.hEvent)
        WSACloseEvent(call->overlapped.hEvent);
}

/* ---- receiving ---- */

/* recv SLOT STYLE SIZE [FLAGS]; a style that ends in "from" asks for the source too */
static void do_recv(const struct command *command, struct outcome *outcome)
{
    struct slot *slot = slot_of(command);
    const char *how = command->word[3];
    WSABUF buffer = {(ULONG)atoi(command->word[4]), outcome->data};
    int flags = atoi(command->word[5]), length = sizeof(outcome->from), got;
    struct routine_call call;
    enum style style;

    outcome->flags = (DWORD)flags;
    if (overlapped_style(how, &style)) {
        overlapped_begin(slot, style, &call);
        got = WSARecvFrom(slot->socket, &buffer, 1, NULL, &outcome->flags, NULL, NULL,
                          &call.overlapped, style == BY_ROUTINE ? routine : NULL);
        overlapped_end(command, slot, style, &call, last_error(got), outcome);
        return;
    }
    waiting(command);
    if (!strcmp(how, "recv"))
        got = recv(slot->socket, buffer.buf, (int)buffer.len, flags);
    else if (!strcmp(how, "recvfrom"))
        got = recvfrom(slot->socket, buffer.buf, (int)buffer.len, flags,
                       (struct sockaddr *)&outcome->from, &length);
    else if (!strcmp(how, "wsarecv"))
        got = WSARecv(slot->socket, &buffer, 1, &outcome->bytes, &outcome->flags, NULL, NULL);
    else
        got = WSARecvFrom(slot->socket, &buffer, 1, &outcome->bytes, &outcome->flags,
                          (struct sockaddr *)&outcome->from, &length, NULL, NULL);
    outcome->error = last_error(got == SOCKET_ERROR);
    if (got > 0)
        outcome->bytes = (DWORD)got;
}

/* ---- sending ---- */

/* send SLOT STYLE SIZE [HOST PORT]; waits for as long as it takes */
static void do_send(const struct command *command, struct outcome *outcome)
{
    struct slot *slot = slot_of(command);
    const char *how = command->word[3];
    WSABUF buffer = {(ULONG)atoi(command->word[4]), NULL};
    struct sockaddr_storage address;
    struct sockaddr *to = NULL;
    struct routine_call call;
    enum style style;
    int length = 0, got;

    buffer.buf = calloc(1, buffer.len + 1);
    memset(buffer.buf, 'd', buffer.len);
    if (*command->word[5]) {
        length = parse_address(slot->family, command->word[5], command->word[6], &address);
        to = (struct sockaddr *)&address;
    }
    if (overlapped_style(how, &style)) {
        overlapped_begin(slot, style, &call);
        got = WSASendTo(slot->socket, &buffer, 1, NULL, 0, to, length, &call.overlapped,
                        style == BY_ROUTINE ? routine : NULL);
        overlapped_end(command, slot, style, &call, last_error(got), outcome);
    } else {
        waiting(command);
        if (!strcmp(how, "send"))
            got = sendto(slot->socket, buffer.buf, (int)buffer.len, 0, to, length);
        else
            got = WSASendTo(slot->socket, &buffer, 1, &outcome->bytes, 0, to, length, NULL, NULL);
        outcome->error = last_error(got == SOCKET_ERROR);
        if (got > 0)
            outcome->bytes = (DWORD)got;
    }
    free(buffer.buf);
}

/* fill SLOT: sends until nothing more is taken */
static void do_fill(const struct command *command, struct outcome *outcome)
{
    struct slot *slot = slot_of(command);
    u_long on = 1;
    int got;

    ioctlsocket(slot->socket, FIONBIO, &on);
    while ((got = send(slot->socket, outcome->data, LARGEST, 0)) > 0)
        outcome->bytes += (DWORD)got;
    outcome->error = WSAGetLastError();
    on = 0;
    ioctlsocket(slot->socket, FIONBIO, &on);
}

/* ---- readiness ---- */

/* select SLOT [MILLISECONDS]: events 1 readable, 2 writable (looked at when it is over), 4 except
 */
static void do_select(const struct command *command, struct outcome *outcome)
{
    SOCKET s = slot_of(command)->socket;
    int milliseconds = *command->word[3] ? atoi(command->word[3]) : PATIENCE;
    struct timeval patience = {milliseconds / 1000, milliseconds % 1000 * 1000}, now = {0, 0};
    fd_set in, out, except;

    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(s, &in);
    FD_SET(s, &out);
    FD_SET(s, &except);
    waiting(command);
    outcome->error = last_error(select(0, &in, NULL, &except, &patience) == SOCKET_ERROR);
    select(0, NULL, &out, NULL, &now);
    outcome->events =
        (FD_ISSET(s, &in) ? 1 : 0) | (FD_ISSET(s, &out) ? 2 : 0) | (FD_ISSET(s, &except) ? 4 : 0);
}

/* poll SLOT [MILLISECONDS]: events are WSAPoll's */
static void do_poll(const struct command *command, struct outcome *outcome)
{
    WSAPOLLFD fd = {slot_of(command)->socket, POLLRDNORM, 0};

    waiting(command);
    outcome->error = last_error(
        WSAPoll(&fd, 1, *command->word[3] ? atoi(command->word[3]) : PATIENCE) == SOCKET_ERROR);
    outcome->events = fd.revents;
}

/* network_event SLOT BIT: waits for that one of WSAEventSelect; `error` is the record's */
static void do_network_event(const struct command *command, struct outcome *outcome)
{
    SOCKET s = slot_of(command)->socket;
    int bit = atoi(command->word[3]);
    WSANETWORKEVENTS events = {0};
    WSAEVENT event = WSACreateEvent();

    if (!(outcome->error = last_error(WSAEventSelect(s, event, 1 << bit)))) {
        waiting(command);
        WSAWaitForMultipleEvents(1, &event, TRUE, PATIENCE, FALSE);
        WSAEnumNetworkEvents(s, event, &events);
        outcome->events = events.lNetworkEvents;
        outcome->error = events.iErrorCode[bit];
    }
    WSAEventSelect(s, NULL, 0);
    WSACloseEvent(event);
}

/* ---- making and connecting ---- */

/* socket SLOT FAMILY TYPE */
static void do_socket(const struct command *command, struct outcome *outcome)
{
    struct slot *slot = slot_of(command);

    slot->family = atoi(command->word[3]) == 6 ? AF_INET6 : AF_INET;
    slot->socket = socket(slot->family, atoi(command->word[4]), 0);
    slot->port = NULL;
    outcome->error = last_error(slot->socket == INVALID_SOCKET);
}

/* bind SLOT: any address, any port; the port comes back as `events` */
static void do_bind(const struct command *command, struct outcome *outcome)
{
    struct slot *slot = slot_of(command);
    struct sockaddr_storage address = {.ss_family = slot->family};
    int length =
        slot->family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    outcome->error = last_error(bind(slot->socket, (struct sockaddr *)&address, length));
    getsockname(slot->socket, (struct sockaddr *)&address, &length);
    outcome->events = ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void connect_overlapped(const struct command *command, struct slot *slot, enum style style,
                               const struct sockaddr_storage *address, int length, DWORD size,
                               struct outcome *outcome)
{
    struct sockaddr_storage any = {.ss_family = slot->family};
    GUID guid = WSAID_CONNECTEX;
    struct routine_call call;
    LPFN_CONNECTEX connect_ex = NULL;
    DWORD bytes;

    memset(outcome->data, 'd', size);
    bind(slot->socket, (struct sockaddr *)&any, length);
    WSAIoctl(slot->socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid), &connect_ex,
             sizeof(connect_ex), &bytes, NULL, NULL);
    overlapped_begin(slot, style, &call);
    overlapped_end(command, slot, style, &call,
                   last_error(!connect_ex(slot->socket, (struct sockaddr *)address, length,
                                          size ? outcome->data : NULL, size, NULL,
                                          &call.overlapped)),
                   outcome);
}

/* connect SLOT STYLE HOST PORT [SIZE]: style call (waits), begin (nonblocking), event, port
 * (ConnectEx, which sends so many bytes) */
static void do_connect(const struct command *command, struct outcome *outcome)
{
    struct slot *slot = slot_of(command);
    const char *how = command->word[3];
    struct sockaddr_storage address;
    int length = parse_address(slot->family, command->word[4], command->word[5], &address);
    u_long on = 1;
    enum style style;

    if (overlapped_style(how, &style)) {
        connect_overlapped(command, slot, style, &address, length,
                           (DWORD)atoi(command->word[6]), outcome);
        return;
    }
    if (!strcmp(how, "begin"))
        ioctlsocket(slot->socket, FIONBIO, &on);
    waiting(command);
    outcome->error = last_error(connect(slot->socket, (struct sockaddr *)&address, length));
}

static void do_close(const struct command *command, struct outcome *outcome)
{
    struct slot *slot = slot_of(command);

    outcome->error = last_error(closesocket(slot->socket));
    if (slot->port)
        CloseHandle(slot->port);
    slot->port = NULL;
}

/* ---- settings ---- */

/* setopt SLOT LEVEL NAME VALUE */
static void do_setopt(const struct command *command, struct outcome *outcome)
{
    int value = atoi(command->word[5]);

    outcome->error = last_error(setsockopt(slot_of(command)->socket, atoi(command->word[3]),
                                           atoi(command->word[4]), (char *)&value, sizeof(value)));
}

/* getopt SLOT LEVEL NAME: the value is `events` */
static void do_getopt(const struct command *command, struct outcome *outcome)
{
    int value = -1, length = sizeof(value);

    outcome->error = last_error(getsockopt(slot_of(command)->socket, atoi(command->word[3]),
                                           atoi(command->word[4]), (char *)&value, &length));
    outcome->events = value;
}

/* icmp_error SLOT: `events` is protocol, type and code, `data` who it came from */
static void do_icmp_error(const struct command *command, struct outcome *outcome)
{
    struct {
        struct sockaddr_in6 source;
        INT protocol;
        UINT8 type, code;
    } info = {0};
    int length = sizeof(info);

    outcome->error =
        last_error(getsockopt(slot_of(command)->socket, IPPROTO_TCP, 19, (char *)&info, &length));
    if (outcome->error)
        return;
    outcome->events = info.protocol << 16 | info.type << 8 | info.code;
    outcome->bytes = sizeof(info.source);
    memcpy(outcome->data, &info.source, sizeof(info.source));
}

/* error_message SLOT: `data` is the IN_RECVERR of what MSG_ERRQUEUE returns, `events` how much of the
 * datagram came with it */
static void do_error_message(const struct command *command, struct outcome *outcome)
{
    enum { ERRQUEUE = 0x1000 };
    SOCKET s = slot_of(command)->socket;
    GUID guid = WSAID_WSARECVMSG;
    LPFN_WSARECVMSG receive = NULL;
    WSABUF buffer = {sizeof(outcome->data), outcome->data};
    ULONGLONG control[16];
    WSAMSG message = {.lpBuffers = &buffer,
                      .dwBufferCount = 1,
                      .Control = {sizeof(control), (char *)control},
                      .dwFlags = ERRQUEUE};
    WSACMSGHDR *header = (WSACMSGHDR *)control;
    DWORD bytes = 0;

    outcome->error = last_error(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof(guid),
                                         &receive, sizeof(receive), &bytes, NULL, NULL));
    if (!outcome->error)
        outcome->error = last_error(receive(s, &message, &bytes, NULL, NULL));
    if (outcome->error)
        return;
    outcome->events = (long)bytes;
    outcome->flags = message.dwFlags;
    outcome->bytes = (DWORD)(header->cmsg_len - WSA_CMSG_LEN(0));
    memcpy(outcome->data, WSA_CMSG_DATA(header), outcome->bytes);
}

/* keepalive SLOT IDLE INTERVAL, in milliseconds */
static void do_keepalive(const struct command *command, struct outcome *outcome)
{
    struct tcp_keepalive keep = {1, (u_long)atoi(command->word[3]), (u_long)atoi(command->word[4])};

    outcome->error = last_error(WSAIoctl(slot_of(command)->socket, SIO_KEEPALIVE_VALS, &keep,
                                         sizeof(keep), NULL, 0, &outcome->bytes, NULL, NULL));
}

/* initial_rto SLOT RTT COUNT */
static void do_initial_rto(const struct command *command, struct outcome *outcome)
{
    TCP_INITIAL_RTO_PARAMETERS given = {(USHORT)atoi(command->word[3]),
                                        (UCHAR)atoi(command->word[4])};

    outcome->error = last_error(WSAIoctl(slot_of(command)->socket, SIO_TCP_INITIAL_RTO, &given,
                                         sizeof(given), NULL, 0, &outcome->bytes, NULL, NULL));
}

/* quiet SLOT connreset|netreset: the ICMP errors of that control are not told any more */
static void do_quiet(const struct command *command, struct outcome *outcome)
{
    DWORD code = !strcmp(command->word[3], "netreset") ? SIO_UDP_NETRESET : SIO_UDP_CONNRESET;
    BOOL off = FALSE;

    outcome->error = last_error(WSAIoctl(slot_of(command)->socket, code, &off, sizeof(off), NULL, 0,
                                         &outcome->bytes, NULL, NULL));
}

/* ---- the program ---- */

static const struct {
    const char *name;
    void (*run)(const struct command *command, struct outcome *outcome);
} commands[] = {
    {"socket", do_socket},
    {"bind", do_bind},
    {"connect", do_connect},
    {"close", do_close},
    {"recv", do_recv},
    {"send", do_send},
    {"fill", do_fill},
    {"select", do_select},
    {"poll", do_poll},
    {"network_event", do_network_event},
    {"setopt", do_setopt},
    {"getopt", do_getopt},
    {"keepalive", do_keepalive},
    {"quiet", do_quiet},
    {"initial_rto", do_initial_rto},
    {"icmp_error", do_icmp_error},
    {"error_message", do_error_message},
};

/* One line in one write, so that the threads' lines do not mix.  Of the data only what a test looks
 * at: the first bytes. */
static void print_outcome(const struct command *command, const struct outcome *outcome, DWORD time)
{
    char line[512], data[65] = "";
    DWORD shown = outcome->bytes < 32 ? outcome->bytes : 32, i;

    for (i = 0; i < shown; i++)
        snprintf(data + 2 * i, 3, "%02x", (unsigned char)outcome->data[i]);
    snprintf(line, sizeof(line),
             "%s done error=%d system=%lu bytes=%lu flags=%lu events=%ld ms=%lu data=%s\n",
             command->word[0], outcome->error, outcome->system_error, outcome->bytes,
             outcome->flags, outcome->events, time, data);
    say(line);
}

static DWORD WINAPI run_command(void *parameter)
{
    struct command *command = parameter;
    struct outcome *outcome = calloc(1, sizeof(*outcome));
    DWORD start = GetTickCount();
    unsigned i;

    for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(commands[i].name, command->word[1])) {
            commands[i].run(command, outcome);
            break;
        }
    if (i == sizeof(commands) / sizeof(*commands))
        outcome->error = -1;
    print_outcome(command, outcome, GetTickCount() - start);
    free(outcome);
    free(command);
    return 0;
}

static struct command *read_command(void)
{
    struct command *command = calloc(1, sizeof(*command));
    char *word;
    int i;

    if (!fgets(command->line, sizeof(command->line), stdin)) {
        free(command);
        return NULL;
    }
    word = strtok(command->line, " \r\n");
    for (i = 0; i < WORDS; i++) {
        command->word[i] = word ? word : "";
        word = word ? strtok(NULL, " \r\n") : NULL;
    }
    return command;
}

int main(void)
{
    struct command *command;
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data))
        return 1;
    puts("READY");
    fflush(stdout);
    while ((command = read_command()))
        CloseHandle(CreateThread(NULL, 0, run_command, command, 0, NULL));
    fflush(stdout);
    TerminateProcess(GetCurrentProcess(), 0); /* threads may still wait */
    return 0;
}
