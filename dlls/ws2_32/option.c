/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getsockopt and setsockopt: how values lie in the program's buffer, and where they come from.
 *
 * Takes the socket's lock for its fields; asks the server with no lock held.
 */
#include "option.h"
#include "arguments.h"
#include "control_data.h"
#include "log.h"
#include "request.h"
#include "startup.h"
#include "thread_slot.h"

/* SO_OPENTYPE belongs to the thread (Wine's sock tests set it in one and find 0 in the next, run on
 * Windows), works on anything and before it, and changes only how socket() makes handles for
 * ReadFile, which this DLL makes overlapped anyway.  One that was never set is 0. */
static struct thread_slot open_type_of_thread;

DWORD option_server_find(struct socket *socket, uint16_t option, uint32_t which, void *value,
                         uint32_t size)
{
    struct request request = {.session = socket->session,
                              .type = RS_SUB_GETOPT,
                              .socket = socket->index,
                              .arg = {option, which},
                              .reply = value,
                              .reply_size = size};
    DWORD error = request_call(&request);

    if (!error && request.reply_length != size)
        error = WSAENOPROTOOPT;
    return error;
}

DWORD option_server_read(struct socket *socket, uint16_t option, void *value, uint32_t size)
{
    return option_server_find(socket, option, 0, value, size);
}

DWORD option_server_get(struct socket *socket, uint16_t option, uint32_t *value)
{
    return option_server_read(socket, option, value, sizeof(*value));
}

DWORD option_server_set(struct socket *socket, uint16_t option, const void *value, uint32_t size)
{
    struct request request = {.session = socket->session,
                              .type = RS_SUB_SETOPT,
                              .socket = socket->index,
                              .arg = {option},
                              .payload = value,
                              .payload_size = size};

    return request_call(&request);
}

/* ---- where a value lives ---- */

static uint32_t field_read(struct socket *socket, const struct option *option)
{
    const char *field = (const char *)socket + option->field;
    uint32_t value;

    AcquireSRWLockShared(&socket->lock);
    if (option->field_size == sizeof(bool))
        value = *(const bool *)field;
    else
        value = *(const uint32_t *)field;
    ReleaseSRWLockShared(&socket->lock);
    return value;
}

static void field_write(struct socket *socket, const struct option *option, uint32_t value)
{
    char *field = (char *)socket + option->field;

    AcquireSRWLockExclusive(&socket->lock);
    if (option->field_size == sizeof(bool))
        *(bool *)field = value;
    else
        *(uint32_t *)field = value;
    ReleaseSRWLockExclusive(&socket->lock);
}

static DWORD value_get(struct socket *socket, const struct option *option, uint32_t *value)
{
    *value = 0;
    if (option->get)
        return option->get(socket, value);
    if (option->control)
        *value = (control_wanted(socket, option->level) & option->control) != 0;
    else if (option->field)
        *value = field_read(socket, option);
    else if (option->server)
        return option_server_get(socket, option->server, value);
    return 0; /* neither: VALUE_OFF */
}

static DWORD value_set(struct socket *socket, const struct option *option, uint32_t value)
{
    DWORD error = 0;

    if (option->set)
        return option->set(socket, value);
    if (option->control)
        return control_want(socket, option->level, option->control, value);
    if (option->server)
        error = option_server_set(socket, option->server, &value, sizeof(value));
    if (!error && option->field)
        field_write(socket, option, value);
    return error;
}

static DWORD value_check(const struct option *option, uint32_t *value)
{
    switch (option->value) {
    case VALUE_ANY:
        return 0;
    case VALUE_BOOL:
        *value = *value != 0;
        return 0;
    case VALUE_BYTE:
        return *value > 255 ? WSAEINVAL : 0;
    case VALUE_HOPS:
        return *value > 255 && *value != UINT32_MAX ? WSAEINVAL : 0;
    case VALUE_ON:
        return *value ? 0 : WSAENOPROTOOPT;
    case VALUE_OFF:
        break;
    }
    return *value ? WSAENOPROTOOPT : 0;
}

/* ---- how it lies in the buffer ---- */

static DWORD store_short(enum option_format format, uint32_t value, char *buffer, int *length)
{
    switch (format) {
    case FORMAT_BOOL:
        memcpy(buffer, &value, *length);
        *length = 1;
        return 0;
    case FORMAT_IP:
        *buffer = (char)value;
        *length = 1;
        return 0;
    case FORMAT_INT_CLEAR:
        memset(buffer, 0, *length);
        return WSAEFAULT;
    case FORMAT_INT_SIZE0:
        *length = 0;
        return WSAEFAULT;
    default:
        return WSAEFAULT;
    }
}

static DWORD store(enum option_format format, uint32_t value, char *buffer, int *length)
{
    if (*length < 0)
        return WSAEFAULT;
    if (*length && format == FORMAT_BYTE) {
        *buffer = (char)value;
        *length = 1;
        return 0;
    }
    if (*length < (int)sizeof(value))
        return *length || format == FORMAT_INT_SIZE0 ? store_short(format, value, buffer, length)
                                                     : WSAEFAULT;
    memcpy(buffer, &value, sizeof(value));
    *length = sizeof(value);
    return 0;
}

static DWORD load(const struct option *option, const char *buffer, int length, uint32_t *value)
{
    enum option_format format = option->format;
    bool any_length = format == FORMAT_BOOL || format == FORMAT_IP;

    *value = 0;
    if (length < 0 && (option->level != SOL_SOCKET || format == FORMAT_BYTE))
        return WSAENOBUFS;
    if (length < 0 || length > (int)sizeof(*value))
        length = sizeof(*value);
    if (format == FORMAT_BYTE) {
        *value = length ? *(const uint8_t *)buffer : 0;
        return length ? 0 : WSAEFAULT;
    }
    if (length < (int)sizeof(*value) && (!any_length || (!length && format == FORMAT_IP)))
        return WSAEFAULT;
    memcpy(value, buffer, length);
    return 0;
}

/* ---- the calls ---- */

/* A small number passed where a pointer belongs, as programs do; the rest is theirs to get right.
 */
static bool is_bad_pointer(const void *pointer)
{
    return (UINT_PTR)pointer < 0x10000;
}

/* No option is longer.  A length beyond that is not believed: a program may have less memory. */
#define LONGEST ((int)sizeof(WSAPROTOCOL_INFOW))

static bool is_room(char *buffer, int *length)
{
    return !is_bad_pointer(buffer) && !is_bad_pointer(length) &&
           argument_out(length, sizeof(*length)) &&
           (*length < 0 || argument_out(buffer, (size_t)min(*length, LONGEST)));
}

static bool is_value(const char *buffer, int length)
{
    return length < 0 || argument_in(buffer, (size_t)min(length, LONGEST));
}

static const struct option *find_for(const struct socket *socket, int level, int name, DWORD *error)
{
    const struct option *option = option_find(level, name, error);
    bool stream = socket->type == SOCK_STREAM;

    if (!option) {
        if (*error == WSAENOPROTOOPT)
            log_once_each(LOG_WARN, (level << 16) ^ name, "option %#x at level %d is not supported",
                          name, level);
        return NULL;
    }
    *error = 0;
    if ((option->types == FOR_STREAMS && !stream) || (option->types == FOR_DATAGRAMS && stream))
        *error = level == IPPROTO_IP || level == IPPROTO_IPV6 ? WSAEINVAL : WSAENOPROTOOPT;
    return option;
}

static DWORD get_option(struct socket *socket, int level, int name, char *buffer, int *length)
{
    DWORD error;
    const struct option *option = find_for(socket, level, name, &error);
    uint32_t value;

    if (!option)
        return error;
    if (option->get_error) /* also where the type is wrong: IP_ADD_MEMBERSHIP of a stream */
        return option->get_error;
    if (error)
        return error;
    if (!is_room(buffer, length))
        return WSAEFAULT;
    if (option->format == FORMAT_RAW)
        return *length < 0 ? WSAEFAULT : option->read(socket, buffer, length);
    error = value_get(socket, option, &value);
    return error ? error : store(option->format, value, buffer, length);
}

static DWORD set_option(struct socket *socket, int level, int name, const char *buffer, int length)
{
    DWORD error;
    const struct option *option = find_for(socket, level, name, &error);
    uint32_t value;

    if (!option || error)
        return error;
    if (option->set_error)
        return option->set_error;
    if (!is_value(buffer, length))
        return WSAEFAULT;
    if (option->format == FORMAT_RAW)
        return option->write(socket, buffer, length);
    if (is_bad_pointer(buffer))
        return WSAEFAULT;
    if ((error = load(option, buffer, length, &value)) || (error = value_check(option, &value)))
        return error;
    return value_set(socket, option, value);
}

/* Sets the last error, to 0 on success as Windows does. */
static int return_result(DWORD error)
{
    SetLastError(error);
    return error ? SOCKET_ERROR : 0;
}

int WSAAPI getsockopt(SOCKET handle, int level, int name, char *buffer, int *length)
{
    struct socket *socket;
    LONG open_type;
    DWORD error;

    if (level == SOL_SOCKET && name == SO_OPENTYPE) {
        if (!startup_check())
            return SOCKET_ERROR;
        if (!is_room(buffer, length) || (*length >= 0 && *length < 4))
            return return_error(WSAEFAULT);
        open_type = (LONG)(LONG_PTR)thread_slot_get(&open_type_of_thread);
        memcpy(buffer, &open_type, sizeof(open_type));
        *length = sizeof(open_type);
        return return_result(0);
    }
    if (!(socket = socket_get(handle)))
        return SOCKET_ERROR;
    session_reap(socket->session); /* SO_ERROR and the like: what has arrived counts */
    error = get_option(socket, level, name, buffer, length);
    socket_put(socket);
    return return_result(error);
}

int WSAAPI setsockopt(SOCKET handle, int level, int name, const char *buffer, int length)
{
    struct socket *socket;
    LONG open_type;
    DWORD error;

    if (level == SOL_SOCKET && name == SO_OPENTYPE) {
        if (!startup_check())
            return SOCKET_ERROR;
        if (is_bad_pointer(buffer) || (length >= 0 && length < 4) ||
            !argument_in(buffer, sizeof(open_type)))
            return return_error(WSAEFAULT);
        memcpy(&open_type, buffer, sizeof(open_type));
        thread_slot_set(&open_type_of_thread, (void *)(LONG_PTR)open_type);
        return return_result(0);
    }
    if (!(socket = socket_get(handle)))
        return SOCKET_ERROR;
    error = set_option(socket, level, name, buffer, length);
    socket_put(socket);
    return return_result(error);
}
