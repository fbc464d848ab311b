/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets that two handles or two processes hold: WSADuplicateSocket, inherited handles,
 * DuplicateHandle.  The sentences are those of WSADuplicateSocket's page on learn.microsoft.com.
 *
 * A child is this program again, perhaps of the other width; what it does and what it has to know stand in its environment, and
 * its exit code is 0, or the line where something went wrong.
 */
#include "child_program.h"

#define CHILD_ROLE   "RINGSOCK_TEST_SHARE_ROLE"
#define CHILD_HANDLE "RINGSOCK_TEST_SHARE_HANDLE" /* a socket's, inherited */
#define CHILD_INFO   "RINGSOCK_TEST_SHARE_INFO"   /* handle of a pipe with protocol informations */
#define CHILD_PARENT "RINGSOCK_TEST_SHARE_PARENT"

#define need(condition)                                                                    \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            printf("child: line %d: error %d\n", __LINE__, WSAGetLastError());             \
            fflush(stdout);                                                                \
            ExitProcess(__LINE__);                                                         \
        }                                                                                  \
    } while (0)

/* ---- one process ---- */

static void test_errors(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), copy;
    WSAPROTOCOL_INFOW info;

    /* "WSAENOTSOCK: The descriptor is not a socket" */
    ok(WSADuplicateSocketW(0, GetCurrentProcessId(), &info) == SOCKET_ERROR, "no error\n");
    ok(WSAGetLastError() == WSAENOTSOCK, "error %d\n", WSAGetLastError());
    /* "WSAEINVAL: one of the specified parameters was invalid" */
    ok(WSADuplicateSocketW(s, 0, &info) == SOCKET_ERROR, "no error\n");
    ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    ok(WSADuplicateSocketW(s, ~0u, &info) == SOCKET_ERROR, "no error\n");
    ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    /* "WSAEFAULT: The lpProtocolInfo parameter is not a valid part of the user address space" */
    ok(WSADuplicateSocketW(s, GetCurrentProcessId(), NULL) == SOCKET_ERROR, "no error\n");
    ok(WSAGetLastError() == WSAEFAULT, "error %d\n", WSAGetLastError());
    /* "The special WSAPROTOCOL_INFO structure can only be used once by the target process." */
    ok(!WSADuplicateSocketW(s, GetCurrentProcessId(), &info), "error %d\n", WSAGetLastError());
    copy = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0, 0);
    ok(copy != INVALID_SOCKET && copy != s, "error %d\n", WSAGetLastError());
    if (!on_builtin()) {
        SOCKET again = WSASocketW(-1, -1, -1, &info, 0, 0);

        ok(again == INVALID_SOCKET, "used twice\n");
        ok(WSAGetLastError() == WSAEINVAL, "error %d\n", WSAGetLastError());
    }
    closesocket(copy);
    closesocket(s);
}

static void exchange(SOCKET from, SOCKET to, const char *text)
{
    char buffer[32] = {0};
    int length = (int)strlen(text);

    ok(send(from, text, length, 0) == length, "%s: send error %d\n", text, WSAGetLastError());
    ok(recv(to, buffer, sizeof(buffer), 0) == length, "%s: recv error %d\n", text,
       WSAGetLastError());
    ok(!strcmp(buffer, text), "%s: got %s\n", text, buffer);
}

/* "A process can call closesocket on a duplicated socket and the descriptor will become
 * deallocated. The underlying socket, however, will remain open until closesocket is called with
 * the last remaining descriptor." */
static void use_both(SOCKET client, SOCKET copy, SOCKET server)
{
    char byte;
    int value = 0, length = sizeof(value);
    DWORD on = 1;

    exchange(client, server, "by the first");
    exchange(copy, server, "by the second");
    exchange(server, copy, "to the second");
    exchange(server, client, "to the first");
    /* "a setsockopt operation performed using one descriptor is subsequently visible using a
     * getsockopt from any or all descriptors" */
    ok(!setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, (char *)&on, sizeof(on)), "setsockopt\n");
    ok(!getsockopt(copy, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, &length) && value, "%d\n",
       value);
    ok(!closesocket(client), "error %d\n", WSAGetLastError());
    ok(recv(client, &byte, 1, 0) == SOCKET_ERROR && WSAGetLastError() == WSAENOTSOCK, "error %d\n",
       WSAGetLastError());
    exchange(copy, server, "after one close");
    exchange(server, copy, "and back");
    ok(!closesocket(copy), "error %d\n", WSAGetLastError());
    ok(recv(server, &byte, 1, 0) == 0, "no end of the connection, error %d\n", WSAGetLastError());
    closesocket(server);
}

static void test_same_process(void)
{
    WSAPROTOCOL_INFOA narrow;
    WSAPROTOCOL_INFOW wide;
    SOCKET client, server, copy;

    net_pair(&client, &server);
    ok(!WSADuplicateSocketW(client, GetCurrentProcessId(), &wide), "error %d\n", WSAGetLastError());
    ok(wide.iAddressFamily == AF_INET && wide.iSocketType == SOCK_STREAM &&
           wide.iProtocol == IPPROTO_TCP,
       "%d %d %d\n", wide.iAddressFamily, wide.iSocketType, wide.iProtocol);
    copy = WSASocketW(-1, -1, -1, &wide, 0, 0);
    ok(copy != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    use_both(client, copy, server);

    net_pair(&client, &server);
    ok(!WSADuplicateSocketA(client, GetCurrentProcessId(), &narrow), "error %d\n",
       WSAGetLastError());
    copy = WSASocketA(0, 0, 0, &narrow, 0, WSA_FLAG_OVERLAPPED);
    ok(copy != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    use_both(copy, client, server);
}

static void test_duplicate_handle(void)
{
    HANDLE self = GetCurrentProcess(), copy;
    SOCKET client, server;

    if (on_builtin())
        return; /* it knows only the handles that its own calls have made (8.0 and 10.0) */
    net_pair(&client, &server);
    ok(DuplicateHandle(self, (HANDLE)client, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS),
       "error %lu\n", GetLastError());
    use_both(client, (SOCKET)copy, server);
    net_pair(&client, &server);
    ok(DuplicateHandle(self, (HANDLE)client, self, &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE),
       "error %lu\n", GetLastError());
    exchange((SOCKET)copy, server, "the moved one");
    exchange(server, (SOCKET)copy, "and back");
    ok(closesocket(client) == SOCKET_ERROR && WSAGetLastError() == WSAENOTSOCK, "error %d\n",
       WSAGetLastError());
    ok(CloseHandle(copy), "error %lu\n", GetLastError());
    closesocket(server);
}

/* ---- two processes ---- */

struct child {
    PROCESS_INFORMATION process;
    HANDLE infos; /* where it reads protocol informations from */
};

static void set_number(const char *name, ULONG_PTR value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lu", (unsigned long)value);
    SetEnvironmentVariableA(name, text);
}

static ULONG_PTR get_number(const char *name)
{
    char text[32] = "";

    GetEnvironmentVariableA(name, text, sizeof(text));
    return strtoul(text, NULL, 10);
}

/* `inherited`: a socket whose handle the child gets by inheritance, or INVALID_SOCKET. */
static void start_child(struct child *child, const char *role, SOCKET inherited)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOA startup = {.cb = sizeof(startup)};
    char path[MAX_PATH];
    HANDLE read_end;

    child_program(path);
    ok(CreatePipe(&read_end, &child->infos, &inherit, 0), "error %lu\n", GetLastError());
    SetHandleInformation(child->infos, HANDLE_FLAG_INHERIT, 0);
    SetEnvironmentVariableA(CHILD_ROLE, role);
    set_number(CHILD_INFO, (ULONG_PTR)read_end);
    set_number(CHILD_HANDLE, (ULONG_PTR)inherited);
    set_number(CHILD_PARENT, GetCurrentProcessId());
    ok(CreateProcessA(path, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child->process),
       "error %lu\n", GetLastError());
    SetEnvironmentVariableA(CHILD_ROLE, NULL);
    CloseHandle(read_end);
}

static void give(struct child *child, SOCKET s)
{
    WSAPROTOCOL_INFOW info;
    DWORD count;

    ok(!WSADuplicateSocketW(s, child->process.dwProcessId, &info), "error %d\n", WSAGetLastError());
    ok(WriteFile(child->infos, &info, sizeof(info), &count, NULL), "error %lu\n", GetLastError());
}

static SOCKET taken(void)
{
    HANDLE pipe = (HANDLE)get_number(CHILD_INFO);
    WSAPROTOCOL_INFOW info;
    DWORD count, done = 0;
    SOCKET s;

    while (done < sizeof(info)) {
        need(ReadFile(pipe, (char *)&info + done, sizeof(info) - done, &count, NULL) && count);
        done += count;
    }
    s = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                   WSA_FLAG_OVERLAPPED);
    need(s != INVALID_SOCKET);
    return s;
}

static void end_child(struct child *child)
{
    DWORD code = 0xdead;

    ok(WaitForSingleObject(child->process.hProcess, 4 * NET_PATIENCE) == WAIT_OBJECT_0,
       "the child does not end\n");
    ok(GetExitCodeProcess(child->process.hProcess, &code) && !code, "the child failed: line %lu\n",
       code);
    CloseHandle(child->process.hProcess);
    CloseHandle(child->process.hThread);
    CloseHandle(child->infos);
}

static void receive_all(SOCKET s, char *buffer, int length)
{
    int done = 0, count;

    while (done < length && (count = recv(s, buffer + done, length - done, 0)) > 0)
        done += count;
    ok(done == length, "%d of %d bytes, error %d\n", done, length, WSAGetLastError());
}

/* The pattern of PostgreSQL and of node's handle passing: accepted here, served there.  What came
 * before the hand-over must reach the child, whatever was read ahead on this side. */
static void child_echo(SOCKET s)
{
    char buffer[64];
    int count;
    struct sockaddr_storage name;
    int length = sizeof(name);

    need(!getpeername(s, (struct sockaddr *)&name, &length) && name.ss_family == AF_INET);
    while ((count = recv(s, buffer, sizeof(buffer), 0)) > 0)
        need(send(s, buffer, count, 0) == count);
    need(count == 0);
    need(!closesocket(s));
}

static void test_hand_over(void)
{
    SOCKET client, server;
    struct child child;
    char buffer[64] = {0};

    net_pair(&client, &server);
    ok(send(client, "early ", 6, 0) == 6, "error %d\n", WSAGetLastError());
    ok(net_readable(server, NET_PATIENCE), "nothing has come\n");
    ok(recv(server, buffer, 2, 0) == 2 && !memcmp(buffer, "ea", 2), "%.2s\n", buffer);
    start_child(&child, "echo", INVALID_SOCKET);
    give(&child, server);
    ok(!closesocket(server), "error %d\n", WSAGetLastError());
    ok(send(client, "and late", 8, 0) == 8, "error %d\n", WSAGetLastError());
    receive_all(client, buffer, 12);
    ok(!memcmp(buffer, "rly and late", 12), "%.12s\n", buffer);
    ok(!shutdown(client, SD_SEND), "error %d\n", WSAGetLastError());
    ok(recv(client, buffer, sizeof(buffer), 0) == 0, "error %d\n", WSAGetLastError());
    end_child(&child);
    closesocket(client);
}

/* The one that gave it away closes last, as node does: with nothing unread that is an orderly end,
 * whoever has read how much (closesocket's page: a graceful disconnect). */
static void test_closed_last(void)
{
    SOCKET client, server;
    struct child child;
    char buffer[64];

    net_pair(&client, &server);
    ok(send(client, "first", 5, 0) == 5, "error %d\n", WSAGetLastError());
    receive_all(server, buffer, 5);
    start_child(&child, "echo", INVALID_SOCKET);
    give(&child, server);
    ok(send(client, "for the child", 13, 0) == 13, "error %d\n", WSAGetLastError());
    ok(!shutdown(client, SD_SEND), "error %d\n", WSAGetLastError());
    receive_all(client, buffer, 13);
    end_child(&child);
    ok(!closesocket(server), "error %d\n", WSAGetLastError());
    ok(recv(client, buffer, sizeof(buffer), 0) == 0, "no end, error %d\n", WSAGetLastError());
    closesocket(client);
}

/* CreateProcess with bInheritHandles: the child knows the value of the handle and nothing else. */
static void test_inherited(void)
{
    SOCKET client, server;
    struct child child;
    char buffer[64] = {0};

    if (on_builtin())
        return; /* it knows only the handles that its own calls have made (8.0 and 10.0) */
    net_pair(&client, &server);
    ok(send(client, "early ", 6, 0) == 6, "error %d\n", WSAGetLastError());
    ok(net_readable(server, NET_PATIENCE), "nothing has come\n");
    ok(SetHandleInformation((HANDLE)server, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT), "error %lu\n",
       GetLastError());
    start_child(&child, "inherited echo", server);
    ok(!closesocket(server), "error %d\n", WSAGetLastError());
    ok(send(client, "and late", 8, 0) == 8, "error %d\n", WSAGetLastError());
    receive_all(client, buffer, 14);
    ok(!memcmp(buffer, "early and late", 14), "%.14s\n", buffer);
    ok(!shutdown(client, SD_SEND), "error %d\n", WSAGetLastError());
    ok(recv(client, buffer, sizeof(buffer), 0) == 0, "error %d\n", WSAGetLastError());
    end_child(&child);
    closesocket(client);
}

/* DuplicateHandle from the other side: the child fetches the handle itself. */
static void test_fetched(void)
{
    SOCKET client, server;
    struct child child;
    char buffer[8] = {0};

    if (on_builtin())
        return; /* it knows only the handles that its own calls have made (8.0 and 10.0) */
    net_pair(&client, &server);
    start_child(&child, "fetch", server);
    ok(send(client, "x", 1, 0) == 1, "error %d\n", WSAGetLastError());
    receive_all(client, buffer, 1);
    ok(buffer[0] == 'x', "%c\n", buffer[0]);
    ok(!shutdown(client, SD_SEND), "error %d\n", WSAGetLastError());
    end_child(&child);
    exchange(server, client, "still mine");
    closesocket(client);
    closesocket(server);
}

static void child_fetch(void)
{
    HANDLE parent = OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)get_number(CHILD_PARENT)), copy;

    need(parent);
    need(DuplicateHandle(parent, (HANDLE)get_number(CHILD_HANDLE), GetCurrentProcess(), &copy, 0,
                         FALSE, DUPLICATE_SAME_ACCESS));
    child_echo((SOCKET)copy);
}

/* A listener that both have: each accepts what comes while it waits. */
static void child_accept(void)
{
    SOCKET listener = taken(), s;
    char byte;

    for (int i = 0; i < 3; i++) {
        need((s = accept(listener, NULL, NULL)) != INVALID_SOCKET);
        need(recv(s, &byte, 1, 0) == 1);
        need(send(s, "c", 1, 0) == 1);
        need(recv(s, &byte, 1, 0) == 0);
        closesocket(s);
    }
    closesocket(listener);
}

static SOCKET connected_to(const struct sockaddr_storage *address, int length)
{
    /* its end must not wait for the child's, which is started later */
    SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);

    ok(!connect(s, (const struct sockaddr *)address, length), "error %d\n", WSAGetLastError());
    ok(send(s, "?", 1, 0) == 1, "error %d\n", WSAGetLastError());
    return s;
}

static void test_listener(void)
{
    struct sockaddr_storage address;
    int length;
    SOCKET listener = net_listener(AF_INET, &address, &length), clients[3], s;
    struct child child;
    char byte = 0;

    clients[0] = connected_to(&address, length); /* before anybody shares it */
    start_child(&child, "accept", INVALID_SOCKET);
    give(&child, listener);
    for (int i = 0; i < 3; i++) {
        if (i)
            clients[i] = connected_to(&address, length);
        ok(recv(clients[i], &byte, 1, 0) == 1 && byte == 'c', "error %d\n", WSAGetLastError());
        closesocket(clients[i]);
    }
    end_child(&child);
    /* the child has closed its copy: this one goes on */
    clients[0] = connected_to(&address, length);
    s = accept(listener, NULL, NULL);
    ok(s != INVALID_SOCKET, "error %d\n", WSAGetLastError());
    exchange(s, clients[0], "from here");
    closesocket(s);
    closesocket(clients[0]);
    closesocket(listener);
}

/* Both wait in accept: each connection goes to one of them, and both get some. */
static void child_compete(void)
{
    SOCKET listener = taken(), s;
    char byte = 0;

    do {
        need((s = accept(listener, NULL, NULL)) != INVALID_SOCKET);
        need(recv(s, &byte, 1, 0) == 1);
        need(byte == 'q' || send(s, "c", 1, 0) == 1);
        closesocket(s);
    } while (byte != 'q');
    closesocket(listener);
}

static DWORD CALLBACK compete_here(void *argument)
{
    SOCKET listener = (SOCKET)argument, s;
    char byte;

    while ((s = accept(listener, NULL, NULL)) != INVALID_SOCKET) {
        if (recv(s, &byte, 1, 0) == 1)
            send(s, byte == 'q' ? "q" : "p", 1, 0);
        closesocket(s);
    }
    return 0;
}

static void test_competing(void)
{
    struct sockaddr_storage address;
    int length, here = 0, there = 0;
    SOCKET listener = net_listener(AF_INET, &address, &length), s;
    struct child child;
    HANDLE thread;
    char byte;

    start_child(&child, "compete", INVALID_SOCKET);
    give(&child, listener);
    thread = CreateThread(NULL, 0, compete_here, (void *)listener, 0, NULL);
    for (int i = 0; i < 200 && (!here || !there || here + there < 40); i++) {
        byte = 0;
        s = connected_to(&address, length);
        ok(recv(s, &byte, 1, 0) == 1, "connection %d: error %d\n", i, WSAGetLastError());
        here += byte == 'p';
        there += byte == 'c';
        closesocket(s);
        Sleep(1);
    }
    ok(here && there, "%d here, %d in the child\n", here, there);
    do { /* until the child has got its end */
        s = socket(AF_INET, SOCK_STREAM, 0);
        byte = 0;
        ok(!connect(s, (struct sockaddr *)&address, length), "error %d\n", WSAGetLastError());
        send(s, "q", 1, 0);
        recv(s, &byte, 1, 0);
        closesocket(s);
    } while (byte == 'q');
    end_child(&child);
    closesocket(listener);
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "accept does not end\n");
    CloseHandle(thread);
}

/* To and fro: each side reads its share of one stream, in turns that the stream itself tells. */
#define ROUNDS 200

static int read_turn(SOCKET s, unsigned int *next)
{
    unsigned int number;
    int count = recv(s, (char *)&number, sizeof(number), MSG_WAITALL);

    return count == sizeof(number) && number == (*next)++;
}

static void child_turns(void)
{
    HANDLE mine = OpenEventA(SYNCHRONIZE, FALSE, "ringsock-share-child");
    HANDLE theirs = OpenEventA(EVENT_MODIFY_STATE, FALSE, "ringsock-share-parent");
    SOCKET s = taken();

    need(mine && theirs);
    for (unsigned int i = 1; i < ROUNDS; i += 2) {
        unsigned int next = i;

        need(WaitForSingleObject(mine, NET_PATIENCE) == WAIT_OBJECT_0);
        need(read_turn(s, &next));
        need(send(s, (char *)&i, sizeof(i), 0) == sizeof(i));
        SetEvent(theirs);
    }
    need(!closesocket(s));
}

static void test_turns(void)
{
    HANDLE theirs = CreateEventA(NULL, FALSE, FALSE, "ringsock-share-child");
    HANDLE mine = CreateEventA(NULL, FALSE, FALSE, "ringsock-share-parent");
    unsigned int numbers[ROUNDS], echo = 0;
    SOCKET client, server;
    struct child child;

    net_pair(&client, &server);
    for (unsigned int i = 0; i < ROUNDS; i++)
        numbers[i] = i;
    ok(send(client, (char *)numbers, sizeof(numbers), 0) == sizeof(numbers), "error %d\n",
       WSAGetLastError());
    start_child(&child, "turns", INVALID_SOCKET);
    give(&child, server);
    for (unsigned int i = 0; i < ROUNDS; i += 2) {
        unsigned int next = i;

        if (!read_turn(server, &next)) {
            ok(0, "turn %u: error %d\n", i, WSAGetLastError());
            break;
        }
        send(server, (char *)&i, sizeof(i), 0);
        SetEvent(theirs);
        ok(WaitForSingleObject(mine, NET_PATIENCE) == WAIT_OBJECT_0, "turn %u: no answer\n", i);
    }
    end_child(&child);
    for (unsigned int i = 0; i < ROUNDS; i++)
        if (recv(client, (char *)&echo, sizeof(echo), MSG_WAITALL) != sizeof(echo) || echo != i) {
            ok(0, "number %u: got %u, error %d\n", i, echo, WSAGetLastError());
            break;
        }
    closesocket(client);
    closesocket(server);
    CloseHandle(mine);
    CloseHandle(theirs);
}

/* Both read the same stream at the same time: each byte reaches one of them, none is lost. */
#define FLOOD 200000

static void child_flood(void)
{
    SOCKET s = taken(), report = taken();
    static char buffer[5000];
    unsigned int total = 0, sum = 0;
    int count;

    while ((count = recv(s, buffer, sizeof(buffer), 0)) > 0) {
        total += (unsigned int)count;
        for (int i = 0; i < count; i++)
            sum += (unsigned char)buffer[i];
    }
    need(count == 0);
    need(send(report, (char *)&total, sizeof(total), 0) == sizeof(total));
    need(send(report, (char *)&sum, sizeof(sum), 0) == sizeof(sum));
    closesocket(s);
    closesocket(report);
}

static DWORD CALLBACK send_flood(void *argument)
{
    SOCKET s = (SOCKET)argument;
    static char bytes[FLOOD];
    int done = 0;

    for (int i = 0; i < FLOOD; i++)
        bytes[i] = (char)(i * 7 % 251);
    for (int part; done < FLOOD; done += part) {
        part = FLOOD - done < 3001 ? FLOOD - done : 3001;
        if (send(s, bytes + done, part, 0) != part)
            break;
        if (done % 5 == 0)
            Sleep(1);
    }
    shutdown(s, SD_SEND);
    return 0;
}

static void test_both_read(void)
{
    SOCKET client, server, report, reported;
    unsigned int total = 0, sum = 0, expected = 0, theirs[2] = {0};
    static char buffer[5000];
    struct child child;
    HANDLE thread;
    int count;

    for (int i = 0; i < FLOOD; i++)
        expected += (unsigned int)(i * 7 % 251);
    net_pair(&client, &server);
    net_pair(&report, &reported);
    start_child(&child, "flood", INVALID_SOCKET);
    give(&child, server);
    give(&child, report);
    closesocket(report);
    thread = CreateThread(NULL, 0, send_flood, (void *)client, 0, NULL);
    while ((count = recv(server, buffer, sizeof(buffer), 0)) > 0) {
        total += (unsigned int)count;
        for (int i = 0; i < count; i++)
            sum += (unsigned char)buffer[i];
    }
    ok(count == 0, "error %d\n", WSAGetLastError());
    receive_all(reported, (char *)theirs, sizeof(theirs));
    ok(total + theirs[0] == FLOOD, "%u here, %u there of %u\n", total, theirs[0], FLOOD);
    ok(sum + theirs[1] == expected, "other bytes\n");
    end_child(&child);
    WaitForSingleObject(thread, NET_PATIENCE);
    CloseHandle(thread);
    closesocket(client);
    closesocket(server);
    closesocket(reported);
}

/* One waits in recv while the other one sends: neither holds up the other. */
static void child_send(void)
{
    SOCKET s = taken();
    char byte;

    need(send(s, "from the child", 14, 0) == 14);
    need(ReadFile((HANDLE)get_number(CHILD_INFO), &byte, 1, &(DWORD){0}, NULL));
    closesocket(s);
}

static DWORD CALLBACK receive_here(void *argument)
{
    SOCKET s = (SOCKET)argument;
    char buffer[16];

    return recv(s, buffer, sizeof(buffer), 0) == 4 && !memcmp(buffer, "mine", 4);
}

static void test_one_waits(void)
{
    SOCKET client, server;
    struct child child;
    HANDLE thread;
    char buffer[32] = {0};
    DWORD code = 0;

    net_pair(&client, &server);
    thread = CreateThread(NULL, 0, receive_here, (void *)server, 0, NULL);
    Sleep(50);
    start_child(&child, "send", INVALID_SOCKET);
    give(&child, server);
    receive_all(client, buffer, 14);
    ok(!memcmp(buffer, "from the child", 14), "%s\n", buffer);
    ok(send(client, "mine", 4, 0) == 4, "error %d\n", WSAGetLastError());
    ok(WaitForSingleObject(thread, NET_PATIENCE) == WAIT_OBJECT_0, "recv does not end\n");
    GetExitCodeThread(thread, &code);
    ok(code == 1, "recv got something else\n");
    CloseHandle(thread);
    WriteFile(child.infos, "x", 1, &code, NULL);
    end_child(&child);
    closesocket(client);
    closesocket(server);
}

/* The process that has the socket is killed: the other one goes on. */
static void child_die(void)
{
    SOCKET s = taken();
    char byte;

    need(recv(s, &byte, 1, 0) == 1 && byte == 'a');
    need(send(s, "!", 1, 0) == 1);
    TerminateProcess(GetCurrentProcess(), 0);
}

static void test_killed(void)
{
    SOCKET client, server;
    struct child child;
    char buffer[8] = {0};

    net_pair(&client, &server);
    ok(send(client, "a", 1, 0) == 1, "error %d\n", WSAGetLastError());
    start_child(&child, "die", INVALID_SOCKET);
    give(&child, server);
    receive_all(client, buffer, 1);
    end_child(&child);
    exchange(server, client, "alive");
    exchange(client, server, "and well");
    closesocket(server);
    ok(recv(client, buffer, 1, 0) == 0, "error %d\n", WSAGetLastError());
    closesocket(client);
}

/* A datagram socket. */
static void child_datagram(void)
{
    SOCKET s = taken();
    struct sockaddr_storage from;
    char buffer[16];
    int length, count;

    for (int i = 0; i < 2; i++) {
        length = sizeof(from);
        need((count = recvfrom(s, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length)) >
             0);
        need(sendto(s, buffer, count, 0, (struct sockaddr *)&from, length) == count);
    }
    closesocket(s);
}

static void test_datagram(void)
{
    struct sockaddr_storage address[2];
    struct child child;
    char buffer[16] = {0};
    int length;
    SOCKET s[2];

    net_udp_pair(AF_INET, s, address, &length);
    ok(sendto(s[0], "one", 3, 0, (struct sockaddr *)&address[1], length) == 3, "sendto\n");
    ok(net_readable(s[1], NET_PATIENCE), "nothing has come\n");
    start_child(&child, "datagram", INVALID_SOCKET);
    give(&child, s[1]);
    closesocket(s[1]);
    ok(sendto(s[0], "twice", 5, 0, (struct sockaddr *)&address[1], length) == 5, "sendto\n");
    ok(recv(s[0], buffer, sizeof(buffer), 0) == 3 && !memcmp(buffer, "one", 3), "%s\n", buffer);
    ok(recv(s[0], buffer, sizeof(buffer), 0) == 5 && !memcmp(buffer, "twice", 5), "%s\n", buffer);
    end_child(&child);
    closesocket(s[0]);
}

static const struct {
    const char *role;
    void (*act)(void);
} roles[] = {
    {"fetch", child_fetch}, {"accept", child_accept},     {"compete", child_compete},
    {"turns", child_turns}, {"flood", child_flood},       {"send", child_send},
    {"die", child_die},     {"datagram", child_datagram},
};

static void run_child(const char *role)
{
    if (!strcmp(role, "echo"))
        child_echo(taken());
    else if (!strcmp(role, "inherited echo"))
        child_echo((SOCKET)get_number(CHILD_HANDLE));
    else
        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
            if (!strcmp(role, roles[i].role))
                roles[i].act();
    WSACleanup();
    ExitProcess(0);
}

START_TEST(duplicate_socket)
{
    char role[32];

    net_start();
    if (GetEnvironmentVariableA(CHILD_ROLE, role, sizeof(role)))
        run_child(role);
    RUN(test_errors);
    RUN(test_same_process);
    RUN(test_duplicate_handle);
    RUN(test_hand_over);
    RUN(test_closed_last);
    RUN(test_inherited);
    RUN(test_fetched);
    RUN(test_listener);
    RUN(test_competing);
    RUN(test_turns);
    RUN(test_both_read);
    RUN(test_one_waits);
    RUN(test_killed);
    RUN(test_datagram);
    WSACleanup();
}
