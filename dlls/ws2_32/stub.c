/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking over one system-call stub (see stub.h).
 *
 * Owns: the pages with copies of stubs.  Takes no lock; runs in DllMain, and when win32u.dll is
 * loaded, under the loader's lock.
 *
 * A stub begins with its entry, whole instructions that only set registers, of at least the five
 * bytes of a jump.  Our jump stands behind it.  What programs bring along (Detours, MinHook) saves
 * the entry, puts a jump there, and goes on behind it: so neither minds the other, whoever comes
 * first and whoever leaves first, and a thread that is in the entry meanwhile meets the old code or
 * the new.  What follows the entry is position independent and reaches the dispatcher through an
 * absolute address: a copy works anywhere, and nothing here needs a disassembler.
 *
 * An entry that somebody has changed already is known from ntdll's file.  A stub that looks
 * different behind its entry (an unknown Wine, a longer jump) is left alone.
 */
#include "stub.h"
#include "log.h"

#define ANY 0x100 /* a byte that differs from call to call */

#if defined(__x86_64__)
static const unsigned short shape[] = {
    0x4c, 0x8b, 0xd1,                               /* mov r10, rcx */
    0xb8, ANY,  ANY,  ANY,  ANY,                    /* mov eax, number */
    0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, /* test byte [0x7ffe0308], 1 */
    0x75, 0x03, 0x0f, 0x05, 0xc3,                   /* jnz +3; syscall; ret */
    0xeb, 0x01, 0xc3,                               /* jmp +1; ret */
    0xff, 0x14, 0x25, 0x00, 0x10, 0xfe, 0x7f, 0xc3, /* call [0x7ffe1000]; ret */
};
#define ENTRY_BYTES 8u
#elif defined(__i386__)
static const unsigned short shape[] = {
    0xb8, ANY,  ANY,  ANY, ANY, /* mov eax, number */
    0xba, ANY,  ANY,  ANY, ANY, /* mov edx, dispatcher */
    0xff, 0xd2,                 /* call edx */
    0xc2, ANY,  0x00,           /* ret bytes of arguments */
};
#define ENTRY_BYTES 5u
#else
#error "no shape of a system-call stub is known for this architecture"
#endif

#define STUB_BYTES ARRAYSIZE(shape)
#define JUMP_BYTES 5u /* jmp rel32 */

static bool has_shape(const unsigned char *code, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (shape[i] != ANY && shape[i] != code[i])
            return false;
    return true;
}

/* ---- the entry that somebody has changed ---- */

/* Where the file of a module has what lies at this offset of its image; 0: nowhere. */
static DWORD file_offset(HMODULE module, DWORD offset)
{
    const unsigned char *base = (const void *)module;
    const IMAGE_NT_HEADERS *headers =
        (const void *)(base + ((const IMAGE_DOS_HEADER *)base)->e_lfanew);
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(headers);

    for (WORD i = 0; i < headers->FileHeader.NumberOfSections; i++, section++)
        if (offset >= section->VirtualAddress &&
            offset - section->VirtualAddress < section->SizeOfRawData)
            return section->PointerToRawData + (offset - section->VirtualAddress);
    return 0;
}

static bool read_entry(HMODULE module, const unsigned char *stub, unsigned char *entry)
{
    OVERLAPPED where = {.Offset = file_offset(module, (DWORD)(stub - (unsigned char *)module))};
    WCHAR path[MAX_PATH];
    DWORD got = 0;
    HANDLE file;

    if (!where.Offset || !GetModuleFileNameW(module, path, ARRAYSIZE(path)))
        return false;
    file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    if (!ReadFile(file, entry, ENTRY_BYTES, &got, &where))
        got = 0;
    CloseHandle(file);
    return got == ENTRY_BYTES && has_shape(entry, 0, ENTRY_BYTES);
}

/* ---- pages within reach of a jump ---- */

#define PAGE_BYTES 4096u
#define CODE_BYTES 64u /* a copy and a way to the replacement: the copies stay aligned */
#define WAY_OFFSET 32u
#define REACH      0x7fff0000u /* of rel32, less what a page or a stub is long */
_Static_assert(STUB_BYTES <= WAY_OFFSET, "a copy fits");

static unsigned char *page;
static size_t page_used;

static bool in_reach(ULONG_PTR from, ULONG_PTR to)
{
    return sizeof(void *) == 4 || (from < to ? to - from : from - to) < REACH;
}

static unsigned char *new_page(ULONG_PTR stub)
{
    ULONG_PTR at = stub > REACH ? stub - REACH + PAGE_BYTES : 0, step;
    MEMORY_BASIC_INFORMATION region;
    SYSTEM_INFO system;
    void *made = NULL;

    if (sizeof(void *) == 4)
        return VirtualAlloc(NULL, PAGE_BYTES, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    GetSystemInfo(&system);
    step = system.dwAllocationGranularity;
    for (at += step - at % step; !made && in_reach(stub, at);
         at += region.RegionSize + step - 1, at -= at % step) {
        if (!VirtualQuery((void *)at, &region, sizeof(region)))
            break;
        if (region.State == MEM_FREE)
            made = VirtualAlloc((void *)at, PAGE_BYTES, MEM_COMMIT | MEM_RESERVE,
                                PAGE_EXECUTE_READWRITE);
    }
    return made;
}

/* Room for one stub's code, or NULL.  What is there stays executable meanwhile: it is in use. */
static unsigned char *new_code(ULONG_PTR stub)
{
    DWORD old;

    if (!page || page_used + CODE_BYTES > PAGE_BYTES || !in_reach(stub, (ULONG_PTR)page)) {
        page = new_page(stub);
        page_used = 0;
    }
    if (!page || !VirtualProtect(page, PAGE_BYTES, PAGE_EXECUTE_READWRITE, &old))
        return NULL;
    page_used += CODE_BYTES;
    return memset(page + page_used - CODE_BYTES, 0xcc, CODE_BYTES);
}

static void finish_code(const unsigned char *code)
{
    DWORD old;

    VirtualProtect(page, PAGE_BYTES, PAGE_EXECUTE_READ, &old);
    FlushInstructionCache(GetCurrentProcess(), code, CODE_BYTES);
}

/* ---- jumps ---- */

/* A way to any address, for a jump that reaches less far. */
static unsigned char *make_way(unsigned char *way, void *target)
{
#if defined(__x86_64__)
    static const unsigned char indirect[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp [rip + 0] */

    memcpy(way, indirect, sizeof(indirect));
    memcpy(way + sizeof(indirect), &target, sizeof(target));
    return way;
#else
    (void)way;
    return target;
#endif
}

/* One store: the instruction that it covers is as long as the jump or longer. */
static void store_jump(unsigned char *from, const unsigned char *to)
{
    LONG distance = (LONG)(to - (from + JUMP_BYTES));
    LONG64 old, fresh;

    memcpy(&old, from, sizeof(old));
    fresh = old;
    *(unsigned char *)&fresh = 0xe9; /* jmp rel32 */
    memcpy((unsigned char *)&fresh + 1, &distance, sizeof(distance));
    InterlockedCompareExchange64((LONG64 volatile *)from, fresh, old);
}

enum stub_result stub_take(HMODULE module, const char *name, void *replacement, void **original)
{
    unsigned char *stub = (void *)GetProcAddress(module, name), *code, entry[ENTRY_BYTES];
    DWORD old;

    if (!stub)
        return STUB_ABSENT;
    *original = stub;
    if (!has_shape(stub, ENTRY_BYTES, STUB_BYTES))
        return STUB_UNKNOWN;
    memcpy(entry, stub, ENTRY_BYTES);
    if (!has_shape(entry, 0, ENTRY_BYTES)) {
        if (!read_entry(module, stub, entry))
            return STUB_UNKNOWN;
        log_info("%s is hooked by the program", name);
    }
    if (!(code = new_code((ULONG_PTR)stub)) ||
        !VirtualProtect(stub, STUB_BYTES, PAGE_EXECUTE_READWRITE, &old)) {
        log_warn("%s cannot be taken over: error %lu", name, GetLastError());
        return STUB_UNKNOWN;
    }
    memcpy(code, entry, ENTRY_BYTES);
    memcpy(code + ENTRY_BYTES, stub + ENTRY_BYTES, STUB_BYTES - ENTRY_BYTES);
    *original = code; /* first: from the store on, calls arrive at the replacement */
    store_jump(stub + ENTRY_BYTES, make_way(code + WAY_OFFSET, replacement));
    VirtualProtect(stub, STUB_BYTES, old, &old);
    finish_code(code);
    FlushInstructionCache(GetCurrentProcess(), stub, STUB_BYTES);
    return STUB_TAKEN;
}
