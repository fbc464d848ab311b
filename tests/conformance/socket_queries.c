/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs ask of a handle to learn what it is, asked of a socket.  A socket is a file of the
 * device \Device\Afd: so tools that list handles find sockets, and others leave them alone.  What
 * is not the I/O manager's to answer goes to that device's driver, which is no file system:
 * STATUS_INVALID_DEVICE_REQUEST, ERROR_INVALID_FUNCTION.  Layouts and numbers: the pages of
 * FILE_INFORMATION_CLASS, NtQueryInformationFile and NtQueryObject.
 */
#include "nt_io.h"

#define NT_INVALID_DEVICE_REQUEST ((NTSTATUS)0xc0000010)
#define NT_LENGTH_MISMATCH        ((NTSTATUS)0xc0000004)

#define FILE_ACCESS    ((FILE_INFORMATION_CLASS)8)
#define FILE_MODE      ((FILE_INFORMATION_CLASS)16)
#define OBJECT_NAME    ((OBJECT_INFORMATION_CLASS)1)
#define FS_DEVICE      ((FS_INFORMATION_CLASS)4)
#define PIPE_DEVICE    0x11 /* FILE_DEVICE_NAMED_PIPE */
#define SYNCHRONOUS_IO 0x30 /* FILE_SYNCHRONOUS_IO_ALERT, _NONALERT */

NTSTATUS NTAPI NtQueryObject(HANDLE handle, OBJECT_INFORMATION_CLASS class, void *information,
                             ULONG length, ULONG *returned);

static const WCHAR afd[] = L"\\Device\\Afd";

static void expect_afd(SOCKET s)
{
    struct {
        UNICODE_STRING name;
        WCHAR text[64];
    } name;
    ULONG needed = 0;

    memset(&name, 0xcc, sizeof(name));
    ok(NtQueryObject((HANDLE)s, OBJECT_NAME, NULL, 0, &needed) == NT_LENGTH_MISMATCH,
       "no buffer is enough\n");
    todo_wine ok(needed >= sizeof(UNICODE_STRING) + sizeof(afd) - sizeof(WCHAR),
                 "%lu bytes needed\n", needed);
    ok_status(NtQueryObject((HANDLE)s, OBJECT_NAME, &name, sizeof(name), &needed), 0);
    todo_wine ok(name.name.Length == sizeof(afd) - sizeof(WCHAR) && name.name.Buffer == name.text &&
                     !wcscmp(name.text, afd),
                 "%u bytes, %ls\n", name.name.Length, name.name.Length ? name.text : L"");
}

static void test_name(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0), copy;

    expect_afd(s);
    ok(DuplicateHandle(GetCurrentProcess(), (HANDLE)s, GetCurrentProcess(), (HANDLE *)&copy, 0,
                       FALSE, DUPLICATE_SAME_ACCESS),
       "error %lu\n", GetLastError());
    expect_afd(copy);
    closesocket(copy);
    closesocket(s);
    s = socket(AF_INET6, SOCK_DGRAM, 0);
    expect_afd(s);
    closesocket(s);
}

/* Sizes are large enough for each class. */
static void test_file_classes(void)
{
    static const struct {
        int class;
        ULONG size;
        const char *name;
    } classes[] = {
        {4, 40, "FileBasicInformation"},        {5, 24, "FileStandardInformation"},
        {6, 8, "FileInternalInformation"},      {7, 4, "FileEaInformation"},
        {9, 600, "FileNameInformation"},        {18, 700, "FileAllInformation"},
        {22, 600, "FileStreamInformation"},     {23, 8, "FilePipeInformation"},
        {24, 40, "FilePipeLocalInformation"},   {34, 56, "FileNetworkOpenInformation"},
        {35, 8, "FileAttributeTagInformation"}, {59, 24, "FileIdInformation"},
    };
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        ULONGLONG answer[100];
        IO_STATUS_BLOCK iosb;
        NTSTATUS status = NtQueryInformationFile((HANDLE)s, &iosb, answer, classes[i].size,
                                                 (FILE_INFORMATION_CLASS)classes[i].class);

        todo_wine ok(status == NT_INVALID_DEVICE_REQUEST, "%s: status %lx\n", classes[i].name,
                     status);
    }
    closesocket(s);
}

static void expect_mode(DWORD flags, ULONG mode)
{
    SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, flags);
    ULONG got = 0xdead;
    IO_STATUS_BLOCK iosb;

    ok_status(NtQueryInformationFile((HANDLE)s, &iosb, &got, sizeof(got), FILE_MODE), 0);
    ok(!!(got & SYNCHRONOUS_IO) == !!mode, "flags %lx: mode %lx\n", flags, got);
    ok_status(NtQueryInformationFile((HANDLE)s, &iosb, &got, 2, FILE_MODE), NT_LENGTH_MISMATCH);
    closesocket(s);
}

/* What the I/O manager knows: FILE_ACCESS_INFORMATION; FILE_MODE_INFORMATION, where
 * FILE_SYNCHRONOUS_IO_ALERT or _NONALERT says that "All operations on the file are performed
 * synchronously", as on a socket without WSA_FLAG_OVERLAPPED; the device's type, of which
 * GetFileType makes FILE_TYPE_PIPE. */
static void test_manager_classes(void)
{
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    ULONG access = 0, device[2] = {0};
    IO_STATUS_BLOCK iosb;

    ok_status(NtQueryInformationFile((HANDLE)s, &iosb, &access, sizeof(access), FILE_ACCESS), 0);
    ok((access & (FILE_GENERIC_READ | FILE_GENERIC_WRITE)) ==
           (FILE_GENERIC_READ | FILE_GENERIC_WRITE),
       "access %lx\n", access);
    ok_status(NtQueryVolumeInformationFile((HANDLE)s, &iosb, device, sizeof(device), FS_DEVICE), 0);
    ok(device[0] == PIPE_DEVICE, "device %lx\n", device[0]);
    ok_iosb(iosb, 0, sizeof(device));
    closesocket(s);
    expect_mode(WSA_FLAG_OVERLAPPED, 0);
    expect_mode(0, SYNCHRONOUS_IO);
}

/* NtQueryVolumeInformationFile "retrieves information about the volume associated with a given
 * file, directory, storage device, or volume": a socket is on none.  The page of
 * IRP_MJ_QUERY_VOLUME_INFORMATION names GetFileType as a caller, and of what is on no volume it
 * says that the driver "should fail the query". */
static void test_volume_classes(void)
{
    static const struct {
        int class;
        ULONG size;
        BOOL wine; /* gives it too */
        const char *name;
    } classes[] = {
        {1, 600, FALSE, "FileFsVolumeInformation"},    {3, 24, TRUE, "FileFsSizeInformation"},
        {5, 600, FALSE, "FileFsAttributeInformation"}, {6, 48, FALSE, "FileFsControlInformation"},
        {7, 32, TRUE, "FileFsFullSizeInformation"},    {8, 64, FALSE, "FileFsObjectIdInformation"},
    };
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);

    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        ULONGLONG answer[100];
        IO_STATUS_BLOCK iosb;
        NTSTATUS status = NtQueryVolumeInformationFile((HANDLE)s, &iosb, answer, classes[i].size,
                                                       (FS_INFORMATION_CLASS)classes[i].class);

        todo_wine_if(!classes[i].wine)
            ok(status == NT_INVALID_DEVICE_REQUEST, "%s: status %lx\n", classes[i].name, status);
    }
    closesocket(s);
}

/* A handle that is closed is none: "FILE_TYPE_UNKNOWN: Either the type of the specified file is
 * unknown, or the function failed" (GetFileType). */
static void test_closed(void)
{
    HANDLE s = (HANDLE)socket(AF_INET, SOCK_STREAM, 0);
    ULONG device[2];
    IO_STATUS_BLOCK iosb;

    ok(GetFileType(s) == FILE_TYPE_PIPE, "type %lu\n", GetFileType(s));
    closesocket((SOCKET)s);
    SetLastError(0);
    ok(GetFileType(s) == FILE_TYPE_UNKNOWN && GetLastError() == ERROR_INVALID_HANDLE,
       "type %lu, error %lu\n", GetFileType(s), GetLastError());
    ok_status(NtQueryVolumeInformationFile(s, &iosb, device, sizeof(device), FS_DEVICE),
              NT_INVALID_HANDLE);
}

#define expect_invalid_function(call)                                                            \
    do {                                                                                         \
        SetLastError(0);                                                                         \
        todo_wine ok(!(call) && GetLastError() == ERROR_INVALID_FUNCTION, #call ": error %lu\n", \
                     GetLastError());                                                            \
    } while (0)

/* The same by kernel32, as fstat of C libraries and runtimes asks. */
static void test_by_handle(void)
{
    HANDLE s = (HANDLE)socket(AF_INET, SOCK_STREAM, 0);
    BY_HANDLE_FILE_INFORMATION information;
    ULONGLONG answer[100];
    LARGE_INTEGER size;
    FILETIME time;
    WCHAR path[300];

    expect_invalid_function(GetFileInformationByHandle(s, &information));
    expect_invalid_function(GetFileInformationByHandleEx(s, FileBasicInfo, answer, 40));
    expect_invalid_function(GetFileInformationByHandleEx(s, FileStandardInfo, answer, 24));
    expect_invalid_function(GetFileInformationByHandleEx(s, FileNameInfo, answer, 600));
    expect_invalid_function(GetFileSizeEx(s, &size));
    expect_invalid_function(GetFileTime(s, &time, NULL, NULL));
    SetLastError(0);
    ok(!GetVolumeInformationByHandleW(s, path, 300, NULL, NULL, NULL, NULL, 0) &&
           GetLastError() == ERROR_INVALID_FUNCTION,
       "error %lu\n", GetLastError());
    ok(!GetFinalPathNameByHandleW(s, path, 300, 0), "a path: %ls\n", path);
    closesocket((SOCKET)s);
}

START_TEST(socket_queries)
{
    net_start();
    RUN(test_name);
    RUN(test_file_classes);
    RUN(test_manager_classes);
    RUN(test_volume_classes);
    RUN(test_closed);
    RUN(test_by_handle);
    WSACleanup();
}
