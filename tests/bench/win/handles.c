/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows "other handles": what ntdll's calls that Ringsock takes over cost on handles that are no
 * sockets: files, pipes, events, semaphores, processes, completion ports.
 *
 * Ringsock's DLL is loaded only after the system-call stubs have been copied, so that one process
 * has both: the stub as it is now, and as it was.  Batches of some hundred microseconds of the one
 * and of the other take turns, and the medians are compared: what else the machine does meets both.
 * With Wine's own ws2_32 both are the same, and the difference is what cannot be measured.  A
 * socket is open and has received something, so that everything is started that ever is.
 *
 * The result line has the quartile of a batch, as seconds= (now) and plain= (before).
 */
#include "../common/bench.h"
#include <winternl.h>

#define BATCHES    4096u
#define BATCH_TIME 100000u /* nanoseconds */
#define PAYLOAD    64u
#define MANY       8u
#define STUB_BYTES 32u

/* ---- the calls, twice ---- */

typedef NTSTATUS(NTAPI *transfer_call)(HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, void *,
                                       ULONG, LARGE_INTEGER *, ULONG *);
typedef NTSTATUS(NTAPI *control_call)(HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, ULONG,
                                      void *, ULONG, void *, ULONG);
typedef NTSTATUS(NTAPI *query_call)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG);

struct calls {
    transfer_call read, write;
    control_call device_control, fs_control;
    query_call set_file, query_file, query_volume;
    NTSTATUS(NTAPI *query_object)(HANDLE, ULONG, void *, ULONG, ULONG *);
    NTSTATUS(NTAPI *wait)(HANDLE, BOOLEAN, LARGE_INTEGER *);
    NTSTATUS(NTAPI *wait_many)(ULONG, HANDLE *, BOOLEAN, BOOLEAN, LARGE_INTEGER *);
    NTSTATUS(NTAPI *set_event)(HANDLE, LONG *);
    NTSTATUS(NTAPI *reset_event)(HANDLE, LONG *);
    NTSTATUS(NTAPI *create_event)(HANDLE *, ACCESS_MASK, void *, ULONG, BOOLEAN);
    NTSTATUS(NTAPI *post)(HANDLE, ULONG_PTR, ULONG_PTR, NTSTATUS, SIZE_T);
    NTSTATUS(NTAPI *remove)(HANDLE, ULONG_PTR *, ULONG_PTR *, IO_STATUS_BLOCK *, LARGE_INTEGER *);
    NTSTATUS(NTAPI *create_file)
    (HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, LARGE_INTEGER *, ULONG, ULONG,
     ULONG, ULONG, void *, ULONG);
    NTSTATUS(NTAPI *duplicate)
    (HANDLE, HANDLE, HANDLE, HANDLE *, ACCESS_MASK, ULONG, ULONG);
    NTSTATUS(NTAPI *close)(HANDLE);
    NTSTATUS(NTAPI *sleep)(BOOLEAN, LARGE_INTEGER *);
    NTSTATUS(NTAPI *cancel)(HANDLE, IO_STATUS_BLOCK *);
};

/* in the order of struct calls */
static const char *const names[] = {
    "NtReadFile",
    "NtWriteFile",
    "NtDeviceIoControlFile",
    "NtFsControlFile",
    "NtSetInformationFile",
    "NtQueryInformationFile",
    "NtQueryVolumeInformationFile",
    "NtQueryObject",
    "NtWaitForSingleObject",
    "NtWaitForMultipleObjects",
    "NtSetEvent",
    "NtResetEvent",
    "NtCreateEvent",
    "NtSetIoCompletion",
    "NtRemoveIoCompletion",
    "NtCreateFile",
    "NtDuplicateObject",
    "NtClose",
    "NtDelayExecution",
    "NtCancelIoFile",
};
_Static_assert(sizeof(struct calls) == sizeof(names), "a name for each call");

static union {
    struct calls calls;
    void *pointers[ARRAYSIZE(names)];
} now, before;

static void find_calls(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    char *copies = VirtualAlloc(NULL, sizeof(names) / sizeof(names[0]) * STUB_BYTES,
                                MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);

    if (!copies || GetModuleHandleW(L"ws2_32.dll"))
        bench_die("cannot copy the stubs before ws2_32.dll changes them");
    for (size_t i = 0; i < ARRAYSIZE(names); i++) {
        now.pointers[i] = (void *)GetProcAddress(ntdll, names[i]);
        before.pointers[i] = copies + i * STUB_BYTES;
        memcpy(before.pointers[i], now.pointers[i], STUB_BYTES);
    }
}

static void must(bool good, const char *what)
{
    if (!good)
        bench_die("%s: error %lu", what, GetLastError());
}

/* ---- Winsock ---- */

#define IMPORT(name) __typeof__(name) *name##_ = (void *)GetProcAddress(winsock, #name)

static void use_winsock(void)
{
    HMODULE winsock = LoadLibraryW(L"ws2_32.dll");
    IMPORT(WSAStartup);
    IMPORT(socket);
    IMPORT(bind);
    IMPORT(getsockname);
    IMPORT(sendto);
    IMPORT(recv);
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof(address);
    WSADATA data;
    char byte = 1;
    SOCKET s;

    address.sin_addr.S_un.S_un_b.s_b1 = 127;
    address.sin_addr.S_un.S_un_b.s_b4 = 1;
    must(!WSAStartup_(MAKEWORD(2, 2), &data), "WSAStartup");
    s = socket_(AF_INET, SOCK_DGRAM, 0);
    must(!bind_(s, (struct sockaddr *)&address, length), "bind");
    must(!getsockname_(s, (struct sockaddr *)&address, &length), "getsockname");
    must(sendto_(s, &byte, 1, 0, (struct sockaddr *)&address, length) == 1, "sendto");
    must(recv_(s, &byte, 1, 0) == 1, "recv");
}

/* ---- the objects ---- */

static struct {
    HANDLE file, overlapped_file; /* the same, opened twice */
    HANDLE reader, writer;        /* an anonymous pipe */
    HANDLE server, client;        /* a named pipe, the server's end overlapped */
    HANDLE event, told, many[MANY];
    HANDLE port, file_port;
    WCHAR path[MAX_PATH];
} at;

static HANDLE open_file(DWORD disposition, DWORD flags)
{
    HANDLE file =
        CreateFileW(at.path, GENERIC_READ | GENERIC_WRITE, 7, NULL, disposition, flags, NULL);

    must(file != INVALID_HANDLE_VALUE, "CreateFile");
    return file;
}

static void make_files(void)
{
    static const char content[4096];
    WCHAR directory[MAX_PATH];
    DWORD written;

    must(GetTempPathW(MAX_PATH, directory) != 0, "GetTempPath");
    must(GetTempFileNameW(directory, L"rsb", 0, at.path) != 0, "GetTempFileName");
    at.file = open_file(CREATE_ALWAYS, 0);
    must(WriteFile(at.file, content, sizeof(content), &written, NULL), "WriteFile");
    at.overlapped_file = open_file(OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    at.file_port = CreateIoCompletionPort(at.overlapped_file, NULL, 1, 0);
    must(at.file_port != NULL, "CreateIoCompletionPort");
}

static void make_pipes(void)
{
    WCHAR name[64];

    must(CreatePipe(&at.reader, &at.writer, NULL, 4096), "CreatePipe");
    swprintf(name, ARRAYSIZE(name), L"\\\\.\\pipe\\ringsock-bench-%lu", GetCurrentProcessId());
    at.server = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1, 4096, 4096,
                                 0, NULL);
    must(at.server != INVALID_HANDLE_VALUE, "CreateNamedPipe");
    at.client = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    must(at.client != INVALID_HANDLE_VALUE, "CreateFile of the pipe");
}

static void make_objects(void)
{
    make_files();
    make_pipes();
    must((at.event = CreateEventW(NULL, TRUE, TRUE, NULL)) != NULL, "CreateEvent");
    must((at.told = CreateEventW(NULL, TRUE, FALSE, NULL)) != NULL, "CreateEvent");
    for (unsigned i = 0; i < MANY; i++)
        must((at.many[i] = CreateEventW(NULL, TRUE, i == MANY - 1, NULL)) != NULL, "CreateEvent");
    at.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    must(at.port != NULL, "CreateIoCompletionPort");
}

/* ---- one operation each; false: it went wrong ---- */

static bool transfer(transfer_call call, HANDLE file, HANDLE event, bool pends)
{
    static char data[PAYLOAD];
    static IO_STATUS_BLOCK iosb; /* static: what pends ends later */
    LARGE_INTEGER start = {.QuadPart = 0};
    NTSTATUS status = call(file, event, NULL, NULL, &iosb, data, PAYLOAD, &start, NULL);

    return pends ? status == STATUS_PENDING : !status && iosb.Information == PAYLOAD;
}

static bool read_file(const struct calls *nt)
{
    return transfer(nt->read, at.file, NULL, false);
}

static bool write_file(const struct calls *nt)
{
    return transfer(nt->write, at.file, NULL, false);
}

static bool seek(const struct calls *nt)
{
    LARGE_INTEGER place = {.QuadPart = 64};
    IO_STATUS_BLOCK iosb;

    return !nt->set_file(at.file, &iosb, &place, sizeof(place), 14); /* FilePositionInformation */
}

static bool query_place(const struct calls *nt)
{
    LARGE_INTEGER place;
    IO_STATUS_BLOCK iosb;

    return !nt->query_file(at.file, &iosb, &place, sizeof(place), 14);
}

static bool query_device(const struct calls *nt)
{
    FILE_FS_DEVICE_INFORMATION device;
    IO_STATUS_BLOCK iosb;

    return !nt->query_volume(at.file, &iosb, &device, sizeof(device),
                             4); /* FileFsDeviceInformation, as GetFileType asks */
}

static bool query_object(const struct calls *nt)
{
    PUBLIC_OBJECT_BASIC_INFORMATION information;

    return !nt->query_object(at.file, 0, &information, sizeof(information), NULL);
}

static bool through_pipe(const struct calls *nt)
{
    return transfer(nt->write, at.writer, NULL, false) &&
           transfer(nt->read, at.reader, NULL, false);
}

static bool peek_pipe(const struct calls *nt)
{
    ULONG answer[8];
    IO_STATUS_BLOCK iosb;

    return !nt->fs_control(at.reader, NULL, NULL, NULL, &iosb, 0x11400c, NULL, 0, answer,
                           sizeof(answer)); /* FSCTL_PIPE_PEEK */
}

static bool pipe_by_event(const struct calls *nt)
{
    return transfer(nt->read, at.server, at.told, true) &&
           transfer(nt->write, at.client, NULL, false) && !nt->wait(at.told, FALSE, NULL);
}

static bool remove_packet(const struct calls *nt, HANDLE port, ULONG_PTR wanted)
{
    ULONG_PTR key, context;
    IO_STATUS_BLOCK iosb;

    return !nt->remove(port, &key, &context, &iosb, NULL) && key == wanted;
}

static bool file_by_port(const struct calls *nt)
{
    static char data[PAYLOAD];
    static IO_STATUS_BLOCK iosb;
    LARGE_INTEGER start = {.QuadPart = 0};
    NTSTATUS status =
        nt->read(at.overlapped_file, NULL, NULL, &iosb, &iosb, data, PAYLOAD, &start, NULL);

    return status >= 0 && remove_packet(nt, at.file_port, 1);
}

static bool post_and_get(const struct calls *nt)
{
    return !nt->post(at.port, 3, 4, 0, 5) && remove_packet(nt, at.port, 3);
}

static bool control_file(const struct calls *nt)
{
    IO_STATUS_BLOCK iosb;

    return nt->device_control(at.file, NULL, NULL, NULL, &iosb, 0x4d4000, NULL, 0, NULL, 0) < 0;
}

static bool wait_event(const struct calls *nt)
{
    LARGE_INTEGER at_once = {.QuadPart = 0};

    return !nt->wait(at.event, FALSE, &at_once);
}

static bool wait_process(const struct calls *nt)
{
    LARGE_INTEGER at_once = {.QuadPart = 0};

    return nt->wait(GetCurrentProcess(), FALSE, &at_once) == STATUS_TIMEOUT;
}

static bool wait_many(const struct calls *nt)
{
    LARGE_INTEGER at_once = {.QuadPart = 0};

    return nt->wait_many(MANY, at.many, TRUE, FALSE, &at_once) == MANY - 1;
}

static bool set_and_reset(const struct calls *nt)
{
    return !nt->set_event(at.told, NULL) && !nt->reset_event(at.told, NULL);
}

static bool create_and_close(const struct calls *nt)
{
    HANDLE event;

    return !nt->create_event(&event, EVENT_ALL_ACCESS, NULL, 1, FALSE) && !nt->close(event);
}

static bool open_and_close(const struct calls *nt)
{
    static UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes = {
        .Length = sizeof(attributes), .ObjectName = &name, .Attributes = OBJ_CASE_INSENSITIVE};
    IO_STATUS_BLOCK iosb;
    HANDLE file;

    if (!name.Buffer)
        must(RtlDosPathNameToNtPathName_U(at.path, &name, NULL, NULL),
             "RtlDosPathNameToNtPathName");
    return !nt->create_file(&file, GENERIC_READ | SYNCHRONIZE, &attributes, &iosb, NULL, 0, 7,
                            FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0) &&
           !nt->close(file);
}

static bool duplicate_and_close(const struct calls *nt)
{
    HANDLE self = GetCurrentProcess(), copy;

    return !nt->duplicate(self, at.file, self, &copy, 0, 0, DUPLICATE_SAME_ACCESS) &&
           !nt->close(copy);
}

static bool sleep_alertably(const struct calls *nt)
{
    LARGE_INTEGER no_time = {.QuadPart = 0};

    return nt->sleep(TRUE, &no_time) >= 0;
}

static bool cancel(const struct calls *nt)
{
    IO_STATUS_BLOCK iosb;

    return !nt->cancel(at.server, &iosb);
}

static const struct operation {
    const char *name;
    bool (*once)(const struct calls *nt);
} operations[] = {
    {"read-file", read_file},
    {"write-file", write_file},
    {"seek", seek},
    {"query-file", query_place},
    {"query-volume", query_device},
    {"query-object", query_object},
    {"pipe", through_pipe},
    {"peek-pipe", peek_pipe},
    {"pipe-event", pipe_by_event},
    {"file-port", file_by_port},
    {"post-get", post_and_get},
    {"control", control_file},
    {"wait-event", wait_event},
    {"wait-process", wait_process},
    {"wait-many", wait_many},
    {"set-reset", set_and_reset},
    {"create-close", create_and_close},
    {"open-close", open_and_close},
    {"duplicate", duplicate_and_close},
    {"sleep", sleep_alertably},
    {"cancel", cancel},
};

static const struct operation *find_operation(void)
{
    for (size_t i = 0; i < ARRAYSIZE(operations); i++)
        if (!strcmp(operations[i].name, bench_args.call))
            return &operations[i];
    bench_die("no such call: %s", bench_args.call);
}

/* ---- batches by turns ---- */

static uint64_t run_batch(const struct operation *operation, const struct calls *nt, unsigned n)
{
    uint64_t from = bench_now();

    for (unsigned i = 0; i < n; i++)
        must(operation->once(nt), operation->name);
    return bench_now() - from;
}

static int compare(const void *first, const void *second)
{
    uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;

    return (a > b) - (a < b);
}

/* The first quartile: batches in which the machine did little else. */
static double quartile(uint64_t *values, unsigned count)
{
    qsort(values, count, sizeof(values[0]), compare);
    return (double)values[count / 4] / 1e9;
}

static void measure(const struct operation *operation)
{
    static uint64_t taken[BATCHES], plain[BATCHES];
    uint64_t end = bench_now() + (uint64_t)(bench_args.seconds * 1e9);
    unsigned n = 1, count = 0;

    while (n < 65536 && run_batch(operation, &now.calls, n) < BATCH_TIME)
        n *= 2;
    run_batch(operation, &before.calls, n);
    while (count < BATCHES && (count < 3 || bench_now() < end)) {
        taken[count] = run_batch(operation, &now.calls, n);
        plain[count++] = run_batch(operation, &before.calls, n);
    }
    printf("RESULT row=%s ops=%u seconds=%.9f bytes_per_op=0 checked=%u tids=%04lx plain=%.9f\n",
           bench_args.row, n, quartile(taken, count), n * count, GetCurrentThreadId(),
           quartile(plain, count));
}

int main(int argc, char **argv)
{
    const struct operation *operation;

    bench_start(argc, argv);
    operation = find_operation();
    find_calls();
    use_winsock();
    make_objects();
    measure(operation);
    CloseHandle(at.file);
    CloseHandle(at.overlapped_file);
    DeleteFileW(at.path);
    return 0;
}
