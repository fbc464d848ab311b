/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding the server's program and runtime directory (see runtime.h).
 *
 * Owns nothing that lasts; takes no locks; called once a session, under session_open's lock.
 */
#include "runtime.h"
#include "log.h"

#ifndef RINGSOCK_LIBEXECDIR
#define RINGSOCK_LIBEXECDIR "/usr/local/libexec"
#endif

static char *(CDECL *wine_unix_name)(const WCHAR *); /* kernel32 of Wine */

bool runtime_nt_path(const char *unix_path, WCHAR *path, size_t size)
{
    static const WCHAR prefix[] = L"\\\\?\\unix";
    size_t used = ARRAYSIZE(prefix) - 1;

    if (size <= used)
        return false;
    memcpy(path, prefix, sizeof(prefix));
    if (!MultiByteToWideChar(CP_UTF8, 0, unix_path, -1, path + used, (int)(size - used)))
        return false;
    for (path += used; *path; path++)
        if (*path == '/')
            *path = '\\';
    return true;
}

static bool exists(const WCHAR *path)
{
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

/* The Unix path of a DOS path, by Wine's own export.  False if there is none. */
static bool unix_name(const WCHAR *dos_path, char *path, size_t size)
{
    char *name = wine_unix_name(dos_path);
    bool fits = name && strlen(name) < size;

    if (fits)
        strcpy(path, name);
    if (name)
        HeapFree(GetProcessHeap(), 0, name);
    return fits;
}

/* ---- the runtime directory ---- */

/* The Unix user: /proc/self as wineserver sees it, which opens the file and runs as the same user.
 */
static bool read_uid(unsigned long *uid)
{
    char text[2048];
    DWORD count = 0;
    const char *line;
    HANDLE file = CreateFileW(L"\\\\?\\unix\\proc\\self\\status", GENERIC_READ,
                              FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    if (file == INVALID_HANDLE_VALUE)
        return false;
    if (!ReadFile(file, text, sizeof(text) - 1, &count, NULL))
        count = 0;
    CloseHandle(file);
    text[count] = 0;
    if (!(line = strstr(text, "\nUid:")))
        return false;
    *uid = strtoul(line + 5, NULL, 10);
    return true;
}

/* The prefix by its inode: the same one under another name is the same prefix. */
static bool read_prefix_identity(unsigned long long *identity)
{
    char path[RUNTIME_PATH_MAX], *end;
    WCHAR nt_path[RUNTIME_PATH_MAX];
    BY_HANDLE_FILE_INFORMATION information;
    HANDLE directory;
    bool known;

    if (!unix_name(L"C:\\", path, sizeof(path)) || !(end = strstr(path, "/dosdevices")))
        return false;
    *end = 0;
    if (!runtime_nt_path(path, nt_path, ARRAYSIZE(nt_path)))
        return false;
    directory = CreateFileW(nt_path, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                            OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (directory == INVALID_HANDLE_VALUE)
        return false;
    known = GetFileInformationByHandle(directory, &information);
    CloseHandle(directory);
    *identity = ((unsigned long long)information.nFileIndexHigh << 32) | information.nFileIndexLow;
    return known;
}

static bool locate_directory(struct runtime *runtime)
{
    unsigned long long identity;
    unsigned long uid;
    char base[RUNTIME_PATH_MAX];
    DWORD length = GetEnvironmentVariableA("RINGSOCK_RUNTIME_DIR", base, sizeof(base));
    int written;

    if (!read_prefix_identity(&identity))
        return false;
    if (length >= sizeof(base) || (length && base[0] != '/')) {
        log_error("RINGSOCK_RUNTIME_DIR must be an absolute Unix path of less than %d bytes",
                  RUNTIME_PATH_MAX);
        return false;
    }
    if (!length) {
        const char *parent = exists(L"\\\\?\\unix\\dev\\shm") ? "/dev/shm" : "/tmp";

        if (!read_uid(&uid))
            return false;
        snprintf(base, sizeof(base), "%s/ringsock-%lu", parent, uid);
    }
    written = snprintf(runtime->unix_directory, sizeof(runtime->unix_directory), "%s/%llx-p%u",
                       base, identity, RS_PROTOCOL);
    return written > 0 && (size_t)written < sizeof(runtime->unix_directory) - 64 &&
           runtime_nt_path(runtime->unix_directory, runtime->directory,
                           ARRAYSIZE(runtime->directory) - 64);
}

/* A directory of somebody else under our name is an attack.  Wine shows a file of the own user as
 * owned by the token's user, any other as owned by another SID. */
static bool owned_by_us(HANDLE directory)
{
    union {
        SECURITY_DESCRIPTOR descriptor;
        char bytes[512];
    } security;
    union {
        TOKEN_USER user;
        char bytes[256];
    } token_user;
    DWORD length;
    HANDLE token;
    BOOL defaulted, known;
    PSID owner = NULL;

    known = GetKernelObjectSecurity(directory, OWNER_SECURITY_INFORMATION, &security.descriptor,
                                    sizeof(security), &length) &&
            GetSecurityDescriptorOwner(&security.descriptor, &owner, &defaulted);
    if (!known || !owner || !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    known = GetTokenInformation(token, TokenUser, &token_user, sizeof(token_user), &length) &&
            EqualSid(owner, token_user.user.User.Sid);
    CloseHandle(token);
    return known;
}

/* ---- the server's program ---- */

/* A path as people write it in the environment or registry: Unix or DOS. */
static bool program_path(const WCHAR *text, WCHAR *path)
{
    char bytes[RUNTIME_PATH_MAX];

    if (text[0] == '/') {
        if (!WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, sizeof(bytes), NULL, NULL))
            return false;
    } else if (!unix_name(text, bytes, sizeof(bytes)))
        return false;
    return runtime_nt_path(bytes, path, RUNTIME_PATH_MAX) && exists(path);
}

static bool server_from_environment(struct runtime *runtime, bool *set)
{
    WCHAR text[RUNTIME_PATH_MAX];
    DWORD length = GetEnvironmentVariableW(L"RINGSOCK_SERVER", text, ARRAYSIZE(text));

    *set = length > 0;
    return length && length < ARRAYSIZE(text) && program_path(text, runtime->server);
}

static bool server_from_registry(struct runtime *runtime)
{
    WCHAR text[RUNTIME_PATH_MAX] = {0};
    DWORD size = sizeof(text) - sizeof(WCHAR), type;
    HKEY key;
    LSTATUS status;

    if (RegOpenKeyExW(HKEY_CURRENT_USER, L"Software\\Ringsock", 0, KEY_READ, &key))
        return false;
    status = RegQueryValueExW(key, L"Server", NULL, &type, (BYTE *)text, &size);
    RegCloseKey(key);
    return !status && type == REG_SZ && program_path(text, runtime->server);
}

static bool server_beside_us(struct runtime *runtime)
{
    WCHAR path[RUNTIME_PATH_MAX], *name;
    HMODULE module;
    DWORD length;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (const WCHAR *)server_beside_us, &module))
        return false;
    length = GetModuleFileNameW(module, path, ARRAYSIZE(path) - 16);
    if (!length || length >= ARRAYSIZE(path) - 16 || !(name = wcsrchr(path, '\\')))
        return false;
    wcscpy(name + 1, L"ringsock-server");
    return program_path(path, runtime->server);
}

static DWORD locate_server(struct runtime *runtime)
{
    bool set;

    if (server_from_environment(runtime, &set))
        return 0;
    if (set) { /* who names one wants that one */
        log_error("RINGSOCK_SERVER names no existing file; set it to the path of ringsock-server");
        return WSASYSNOTREADY;
    }
    if (server_from_registry(runtime) ||
        program_path(L"" RINGSOCK_LIBEXECDIR "/ringsock-server", runtime->server) ||
        server_beside_us(runtime))
        return 0;
    log_error("no ringsock-server found: set RINGSOCK_SERVER, or the value Server of "
              "HKCU\\Software\\Ringsock, to its path, or put it into " RINGSOCK_LIBEXECDIR
              " or beside ws2_32.dll");
    return WSASYSNOTREADY;
}

DWORD runtime_locate(struct runtime *runtime)
{
    HMODULE kernel32 = GetModuleHandleW(L"kernel32.dll");

    wine_unix_name = (void *)GetProcAddress(kernel32, "wine_get_unix_file_name");
    if (!wine_unix_name || !locate_directory(runtime)) {
        log_error("cannot tell the runtime directory: is this Wine?");
        return WSASYSNOTREADY;
    }
    return locate_server(runtime);
}

/* ---- joining ---- */

static bool start_server(const struct runtime *runtime)
{
    WCHAR command[2 * RUNTIME_PATH_MAX + 32];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;

    swprintf(command, ARRAYSIZE(command), L"\"%ls\" --runtime \"%hs\"", runtime->server,
             runtime->unix_directory);
    if (!CreateProcessW(runtime->server, command, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL,
                        &startup, &process)) {
        log_error("cannot start %ls, error %lu", runtime->server, GetLastError());
        return false;
    }
    if (process.hThread)
        CloseHandle(process.hThread);
    if (process.hProcess)
        CloseHandle(process.hProcess);
    return true;
}

enum join_result { JOINED, JOIN_NO_SERVER, JOIN_REFUSED };

/* Overlapped, so that a stopped server costs seconds and not for ever. */
static enum join_result read_ticket(const struct runtime *runtime, HANDLE fifo,
                                    struct rs_ticket *ticket)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    enum join_result result = JOIN_NO_SERVER;
    DWORD count = 0;

    if (!overlapped.hEvent)
        return JOIN_REFUSED;
    if (!ReadFile(fifo, ticket, sizeof(*ticket), NULL, &overlapped)) {
        if (GetLastError() != ERROR_IO_PENDING) {
            /* nobody has it open for writing: Wine leaves the OVERLAPPED at "pending" then */
            CloseHandle(overlapped.hEvent);
            return JOIN_NO_SERVER;
        }
        if (WaitForSingleObject(overlapped.hEvent, 10000) == WAIT_TIMEOUT) {
            log_error("the server of %s does not answer", runtime->unix_directory);
            CancelIo(fifo);
            result = JOIN_REFUSED;
        }
    }
    if (GetOverlappedResult(fifo, &overlapped, &count, TRUE) && count) {
        result = JOINED;
        if (count != sizeof(*ticket) || ticket->magic != RS_MAGIC ||
            ticket->protocol != RS_PROTOCOL) {
            log_error("%s holds no server of ours", runtime->unix_directory);
            result = JOIN_REFUSED;
        }
    }
    CloseHandle(overlapped.hEvent);
    return result;
}

/* JOIN_NO_SERVER: there is no directory any more, as the server has left. */
static enum join_result check_directory(const struct runtime *runtime)
{
    HANDLE directory =
        CreateFileW(runtime->directory, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    DWORD error = GetLastError();
    bool ours;

    if (directory == INVALID_HANDLE_VALUE &&
        (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND))
        return JOIN_NO_SERVER;
    ours = directory != INVALID_HANDLE_VALUE && owned_by_us(directory);
    if (directory != INVALID_HANDLE_VALUE)
        CloseHandle(directory);
    if (ours)
        return JOINED;
    log_error("%s belongs to somebody else: refused", runtime->unix_directory);
    return JOIN_REFUSED;
}

static enum join_result try_join(const struct runtime *runtime, struct rs_ticket *ticket)
{
    WCHAR path[RUNTIME_PATH_MAX];
    enum join_result result;
    HANDLE fifo;

    swprintf(path, ARRAYSIZE(path), L"%ls\\join", runtime->directory);
    fifo = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED, NULL);
    if (fifo == INVALID_HANDLE_VALUE)
        return JOIN_NO_SERVER;
    if ((result = check_directory(runtime)) == JOINED)
        result = read_ticket(runtime, fifo, ticket);
    CloseHandle(fifo);
    return result;
}

DWORD runtime_join(const struct runtime *runtime, struct rs_ticket *ticket)
{
    ULONGLONG give_up = GetTickCount64() + 15000;
    ULONGLONG start_again = 0;

    for (;;) {
        ULONGLONG now = GetTickCount64();

        switch (try_join(runtime, ticket)) {
        case JOINED:
            return 0;
        case JOIN_REFUSED:
            return WSASYSNOTREADY;
        case JOIN_NO_SERVER:
            break;
        }
        if (now >= give_up)
            break;
        if (now >= start_again) { /* again: the one before may just have been leaving */
            if (!start_server(runtime))
                return WSASYSNOTREADY;
            start_again = now + 3000;
        }
        Sleep(2);
    }
    log_error("ringsock-server was started but did not come up; its log: %s/log",
              runtime->unix_directory);
    return WSASYSNOTREADY;
}
