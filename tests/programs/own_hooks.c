/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program with hooks of its own on the stubs of ntdll that a Winsock DLL may want too.  They are
 * made as MinHook and Detours make them, before ws2_32.dll is loaded or after, and removed before
 * it is freed or after.  Whatever the order, hooks see the calls while they are in place, and
 * sockets work before, with and after them.
 */
#include "late_winsock.h"
#include "stubs.h"

#include <winternl.h>

#define IOCTL_AFD_RECEIVE 0x12017
#define TDI_RECEIVE       0x20

struct hook {
    const char *name;
    void *detour, **next;
    BOOL fill; /* what the jump leaves of the entry: 0xcc, as Detours does */
    LONG volatile calls;
    unsigned char *stub, entry[ENTRY_BYTES];
};

enum { READ, WRITE, CONTROL, CLOSE, WAIT, HOOKS };
static struct hook hooks[HOOKS];

#define DETOUR(name, index, parameters, arguments)  \
    static NTSTATUS(NTAPI *next_##name) parameters; \
    static NTSTATUS NTAPI on_##name parameters      \
    {                                               \
        InterlockedIncrement(&hooks[index].calls);  \
        return next_##name arguments;               \
    }

DETOUR(NtReadFile, READ,
       (HANDLE a, HANDLE b, void *c, void *d, void *e, void *f, ULONG g, void *h, void *i),
       (a, b, c, d, e, f, g, h, i))
DETOUR(NtWriteFile, WRITE,
       (HANDLE a, HANDLE b, void *c, void *d, void *e, void *f, ULONG g, void *h, void *i),
       (a, b, c, d, e, f, g, h, i))
DETOUR(NtDeviceIoControlFile, CONTROL,
       (HANDLE a, HANDLE b, void *c, void *d, void *e, ULONG f, void *g, ULONG h, void *i, ULONG j),
       (a, b, c, d, e, f, g, h, i, j))
DETOUR(NtClose, CLOSE, (HANDLE a), (a))
DETOUR(NtWaitForSingleObject, WAIT, (HANDLE a, BOOLEAN b, void *c), (a, b, c))

#define HOOK(function, fills) \
    {.name = #function, .detour = on_##function, .next = (void **)&next_##function, .fill = fills}
static struct hook hooks[HOOKS] = {
    [READ] = HOOK(NtReadFile, FALSE),
    [WRITE] = HOOK(NtWriteFile, TRUE),
    [CONTROL] = HOOK(NtDeviceIoControlFile, FALSE),
    [CLOSE] = HOOK(NtClose, TRUE),
    [WAIT] = HOOK(NtWaitForSingleObject, TRUE),
};

static void install(void)
{
    for (struct hook *hook = hooks; hook < hooks + HOOKS; hook++) {
        unsigned char *stub = (void *)GetProcAddress(GetModuleHandleA("ntdll.dll"), hook->name);
        unsigned char jump[ENTRY_BYTES], *code = stub_code(), *way;

        hook->stub = stub;
        memcpy(hook->entry, stub, ENTRY_BYTES);
        memcpy(code, stub, ENTRY_BYTES);
        way = stub_jump(code + ENTRY_BYTES, code + ENTRY_BYTES, stub + ENTRY_BYTES);
        *hook->next = (void *)code;
        memset(jump, 0xcc, sizeof(jump));
#if defined(__x86_64__)
        memcpy(way, "\xff\x25\0\0\0\0", 6); /* jmp [rip + 0] */
        memcpy(way + 6, &hook->detour, sizeof(hook->detour));
        stub_jump(jump, stub, way);
#else
        (void)way;
        stub_jump(jump, stub, hook->detour);
#endif
        stub_write(stub, jump, hook->fill ? ENTRY_BYTES : JUMP_BYTES);
    }
}

/* The trampolines stay: a thread may be in one. */
static void uninstall(void)
{
    for (struct hook *hook = hooks; hook < hooks + HOOKS; hook++)
        stub_write(hook->stub, hook->entry, hook->fill ? ENTRY_BYTES : JUMP_BYTES);
}

/* ReadFile and WriteFile: "A socket handle can optionally be a file handle" (Socket Handles) */
static void use_as_file(SOCKET from, SOCKET to)
{
    OVERLAPPED read = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    OVERLAPPED write = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    char buffer[8];
    DWORD bytes = 0;

    ok(WriteFile((HANDLE)from, "file", 4, NULL, &write) || GetLastError() == ERROR_IO_PENDING,
       "error %lu\n", GetLastError());
    ok(GetOverlappedResult((HANDLE)from, &write, &bytes, TRUE) && bytes == 4, "error %lu\n",
       GetLastError());
    ok(ReadFile((HANDLE)to, buffer, sizeof(buffer), NULL, &read) ||
           GetLastError() == ERROR_IO_PENDING,
       "error %lu\n", GetLastError());
    ok(GetOverlappedResult((HANDLE)to, &read, &bytes, TRUE) && bytes == 4 &&
           !memcmp(buffer, "file", 4),
       "%lu bytes, error %lu\n", bytes, GetLastError());
    CloseHandle(read.hEvent);
    CloseHandle(write.hEvent);
}

static void use_as_device(SOCKET from, SOCKET to)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    char buffer[8];
    WSABUF buf = {sizeof(buffer), buffer};
    struct {
        WSABUF *buffers;
        ULONG count, afd_flags, tdi_flags;
    } in = {&buf, 1, 0, TDI_RECEIVE};
    IO_STATUS_BLOCK iosb;
    NTSTATUS status;

    ok(ws.send(from, "device", 6, 0) == 6, "error %d\n", ws.WSAGetLastError());
    status = NtDeviceIoControlFile((HANDLE)to, event, NULL, NULL, &iosb, IOCTL_AFD_RECEIVE, &in,
                                   sizeof(in), NULL, 0);
    ok(!status || status == 0x103, "status %lx\n", status);
    /* Wine's WaitForSingleObject is a wait for several */
    ok(!NtWaitForSingleObject(event, FALSE, NULL), "the event is not set\n");
    ok(!iosb.Status && iosb.Information == 6 && !memcmp(buffer, "device", 6), "status %lx\n",
       iosb.Status);
    CloseHandle(event);
}

static void use(BOOL hooked)
{
    LONG before[HOOKS];
    char byte;
    SOCKET a, b;

    for (int i = 0; i < HOOKS; i++)
        before[i] = hooks[i].calls;
    late_start();
    late_pair(&a, &b);
    late_transfer(a, b);
    use_as_file(b, a);
    use_as_device(a, b);
    ok(CloseHandle((HANDLE)a), "error %lu\n", GetLastError());
    ok(!ws.recv(b, &byte, 1, 0), "error %d\n", ws.WSAGetLastError()); /* the end of its data */
    ok(!ws.closesocket(b), "error %d\n", ws.WSAGetLastError());
    ok(!ws.WSACleanup(), "error %d\n", ws.WSAGetLastError());
    for (int i = 0; i < HOOKS; i++)
        ok((hooks[i].calls > before[i]) == hooked, "%s: %ld calls\n", hooks[i].name,
           hooks[i].calls - before[i]);
}

/* Wine's own DLL has no working sockets when it is loaded again */
static BOOL reload(void)
{
    if (on_builtin())
        return FALSE;
    FreeLibrary(ws.module);
    late_load();
    return TRUE;
}

static void test_before(void)
{
    ok(!late_is_loaded(), "ws2_32.dll is there already\n");
    install();
    late_load();
    use(TRUE);
    if (reload()) {
        uninstall();
        use(FALSE);
    }
}

static void test_after(void)
{
    late_load();
    use(FALSE);
    install();
    use(TRUE);
    uninstall();
    use(FALSE);
    install(); /* and once more, while it is freed and loaded */
    if (!reload())
        return;
    use(TRUE);
    uninstall();
    use(FALSE);
}

static void test_between(void)
{
    install();
    late_load();
    use(TRUE);
    uninstall();
    use(FALSE);
    FreeLibrary(ws.module);
}

START_TEST(own_hooks)
{
    const char *order = __argc > 1 ? __argv[1] : "";

    if (!strcmp(order, "before"))
        RUN(test_before);
    else if (!strcmp(order, "between"))
        RUN(test_between);
    else
        RUN(test_after);
}
