/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getservbyname, getservbyport, getprotobyname, getprotobynumber.
 *
 * Owns the parsing of %SystemRoot%\system32\drivers\etc\services and ...\protocol, which have one
 * format: name, number (with /protocol for a service), aliases, # comment.  The built-in text
 * behind them is in the same format, so it goes through the same parser; it answers where the file
 * or the entry is missing (a bare prefix).  The file is read for each question, as Windows does:
 * programs and installers edit it.  Takes no lock; results are in the thread's buffer.
 */
#include "arguments.h"
#include "netdb.h"
#include "netdb_builtin.h"
#include "startup.h"
#include "thread_buffer.h"

#define FILE_LIMIT  (1u << 20)
#define MAX_ALIASES 16
#define LINE_LIMIT  512

struct entry {
    char line[LINE_LIMIT]; /* the strings below point into it */
    const char *name, *protocol;
    int number;
    const char *aliases[MAX_ALIASES];
    int alias_count;
};

/* What is looked for: a name (or alias) or a number, perhaps of one protocol. */
struct question {
    const char *name; /* NULL: the number counts */
    int number;
    const char *protocol; /* NULL: any */
};

static char *read_file(const WCHAR *name)
{
    WCHAR path[MAX_PATH + 64];
    UINT length = GetSystemDirectoryW(path, MAX_PATH);
    LARGE_INTEGER size;
    HANDLE file;
    char *text = NULL;
    DWORD got;

    if (!length || length >= MAX_PATH)
        return NULL;
    wcscpy(path + length, L"\\drivers\\etc\\");
    wcscat(path, name);
    file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return NULL;
    if (GetFileSizeEx(file, &size) && size.QuadPart < FILE_LIMIT)
        text = malloc((size_t)size.QuadPart + 1);
    if (text) {
        if (ReadFile(file, text, (DWORD)size.QuadPart, &got, NULL)) {
            text[got] = 0;
        } else {
            free(text);
            text = NULL;
        }
    }
    CloseHandle(file);
    return text;
}

/* Fills the entry from the line at text; false for an empty or malformed line. */
static bool parse_line(const char *text, size_t length, struct entry *entry)
{
    static const char blanks[] = " \t\r\f\v";
    char *word, *rest, *slash, *end;

    if (length >= sizeof(entry->line))
        length = sizeof(entry->line) - 1;
    memcpy(entry->line, text, length);
    entry->line[length] = 0;
    entry->line[strcspn(entry->line, "#")] = 0;
    entry->name = entry->protocol = NULL;
    entry->alias_count = 0;
    for (rest = entry->line; *(rest += strspn(rest, blanks)); rest = end) {
        word = rest;
        end = word + strcspn(word, blanks);
        if (*end)
            *end++ = 0;
        if (!entry->name) {
            entry->name = word;
        } else if (!entry->protocol) {
            entry->number = (int)strtol(word, &slash, 10);
            if (slash == word || (*slash && *slash != '/' && *slash != ','))
                return false;
            entry->protocol = *slash ? slash + 1 : slash;
        } else if (entry->alias_count < MAX_ALIASES) {
            entry->aliases[entry->alias_count++] = word;
        }
    }
    return entry->protocol != NULL;
}

static bool matches(const struct entry *entry, const struct question *question)
{
    if (question->protocol && _stricmp(entry->protocol, question->protocol))
        return false;
    if (!question->name)
        return entry->number == question->number;
    if (!_stricmp(entry->name, question->name))
        return true;
    for (int i = 0; i < entry->alias_count; i++)
        if (!_stricmp(entry->aliases[i], question->name))
            return true;
    return false;
}

static bool search_text(const char *text, const struct question *question, struct entry *entry)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        if (parse_line(text, length, entry) && matches(entry, question))
            return true;
        text += length;
        text += *text == '\n';
    }
    return false;
}

static bool search(const WCHAR *file, const char *builtin, const struct question *question,
                   struct entry *entry)
{
    char *text = read_file(file);
    bool found = text && search_text(text, question, entry);

    free(text);
    return found || search_text(builtin, question, entry);
}

/* ---- answers in the thread's buffer ---- */

static char *append(char **next, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*next, text, size);

    *next += size;
    return copy;
}

/* The most that an entry takes: the structure, the alias pointers, the strings of one line. */
union answer_head {
    struct servent service;
    struct protoent protocol;
};
#define ANSWER_SIZE \
    (sizeof(union answer_head) + (MAX_ALIASES + 1) * sizeof(char *) + LINE_LIMIT + 2 * MAX_ALIASES)

static char **append_aliases(const struct entry *entry, char **aliases, char **next)
{
    int i;

    for (i = 0; i < entry->alias_count; i++)
        aliases[i] = append(next, entry->aliases[i]);
    aliases[i] = NULL;
    return aliases;
}

static struct servent *answer_service(const struct question *question)
{
    struct entry entry;
    struct servent *service;
    char *next, **aliases;

    if (!search(L"services", builtin_services, question, &entry)) {
        SetLastError(WSANO_DATA);
        return NULL;
    }
    service = thread_buffer(THREAD_BUFFER_SERVICE, ANSWER_SIZE);
    if (!service) {
        SetLastError(WSAENOBUFS);
        return NULL;
    }
    aliases = (char **)(service + 1);
    next = (char *)(aliases + entry.alias_count + 1);
    service->s_aliases = append_aliases(&entry, aliases, &next);
    service->s_name = append(&next, entry.name);
    service->s_proto = append(&next, entry.protocol);
    service->s_port = (short)htons((u_short)entry.number);
    return service;
}

static struct protoent *answer_protocol(const struct question *question)
{
    struct entry entry;
    struct protoent *protocol;
    char *next, **aliases;

    if (!search(L"protocol", builtin_protocols, question, &entry)) {
        SetLastError(WSANO_DATA);
        return NULL;
    }
    protocol = thread_buffer(THREAD_BUFFER_PROTOCOL, ANSWER_SIZE);
    if (!protocol) {
        SetLastError(WSAENOBUFS);
        return NULL;
    }
    aliases = (char **)(protocol + 1);
    next = (char *)(aliases + entry.alias_count + 1);
    protocol->p_aliases = append_aliases(&entry, aliases, &next);
    protocol->p_name = append(&next, entry.name);
    protocol->p_proto = (short)entry.number;
    return protocol;
}

/* ---- the exports ---- */

static bool is_there(const char *name, const char *protocol)
{
    if (argument_text(name) && argument_text(protocol))
        return true;
    SetLastError(WSAEFAULT);
    return false;
}

struct servent *WINAPI getservbyname(const char *name, const char *protocol)
{
    struct question question = {.name = name, .protocol = protocol};

    if (!startup_check() || !is_there(name, protocol))
        return NULL;
    if (!name) {
        SetLastError(WSAEINVAL);
        return NULL;
    }
    return answer_service(&question);
}

struct servent *WINAPI getservbyport(int port, const char *protocol)
{
    struct question question = {.number = ntohs((u_short)port), .protocol = protocol};

    if (!startup_check() || !is_there(NULL, protocol))
        return NULL;
    return answer_service(&question);
}

struct protoent *WINAPI getprotobyname(const char *name)
{
    struct question question = {.name = name};

    if (!startup_check() || !is_there(name, NULL))
        return NULL;
    if (!name) {
        SetLastError(WSAEINVAL);
        return NULL;
    }
    return answer_protocol(&question);
}

struct protoent *WINAPI getprotobynumber(int number)
{
    struct question question = {.number = number};

    if (!startup_check())
        return NULL;
    return answer_protocol(&question);
}

/* ---- for the name functions ---- */

bool netdb_port_of_service(const char *name, const char *protocol, u_short *port)
{
    struct question question = {.name = name, .protocol = protocol};
    struct entry entry;

    if (!search(L"services", builtin_services, &question, &entry))
        return false;
    *port = htons((u_short)entry.number);
    return true;
}

bool netdb_service_of_port(u_short port, const char *protocol, char name[NETDB_NAME_MAX])
{
    struct question question = {.number = ntohs(port), .protocol = protocol};
    struct entry entry;

    if (!search(L"services", builtin_services, &question, &entry) ||
        strlen(entry.name) >= NETDB_NAME_MAX)
        return false;
    strcpy(name, entry.name);
    return true;
}
