/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registered I/O for test programs: its types, which mingw-w64's headers lack (layouts of mswsock.h
 * and mswsockdef.h), and the table of its functions, which is all that this keeps.  May call: Winsock.
 */
#ifndef RINGSOCK_TESTS_RIO_TYPES_H
#define RINGSOCK_TESTS_RIO_TYPES_H

#include <winsock2.h>

#define MSG_DONT_NOTIFY 1u /* RIO_MSG_DONT_NOTIFY and so on */
#define MSG_DEFER       2u
#define MSG_ALL         4u
#define MSG_COMMIT      8u

#define BAD_BUFFER ((void *)(ULONG_PTR)0xffffffff)
#define CORRUPT_CQ 0xffffffffu
#define MAX_CQ     0x8000000u

#ifndef WSA_FLAG_REGISTERED_IO
#define WSA_FLAG_REGISTERED_IO 0x100
#endif
#define MULTIPLE_EXTENSIONS _WSAIORW(IOC_WS2, 36)

typedef void *rq_t, *cq_t, *buffer_t;

struct slice { /* RIO_BUF */
    buffer_t buffer;
    ULONG offset, length;
};

struct result { /* RIORESULT */
    LONG status;
    ULONG bytes;
    ULONGLONG socket_context, request_context;
};

struct notification { /* RIO_NOTIFICATION_COMPLETION */
    int type;         /* 1: an event, 2: a completion port */
    union {
        struct {
            HANDLE handle;
            BOOL reset;
        } event;
        struct {
            HANDLE port;
            void *key, *overlapped;
        } port;
    } u;
};

static struct { /* RIO_EXTENSION_FUNCTION_TABLE */
    DWORD size;
    BOOL(WINAPI *receive)(rq_t, const struct slice *, ULONG, DWORD, void *);
    int(WINAPI *receive_ex)(rq_t, const struct slice *, ULONG, const struct slice *,
                            const struct slice *, const struct slice *, const struct slice *, DWORD,
                            void *);
    BOOL(WINAPI *send)(rq_t, const struct slice *, ULONG, DWORD, void *);
    BOOL(WINAPI *send_ex)(rq_t, const struct slice *, ULONG, const struct slice *,
                          const struct slice *, const struct slice *, const struct slice *, DWORD,
                          void *);
    void(WINAPI *close_cq)(cq_t);
    cq_t(WINAPI *create_cq)(DWORD, const struct notification *);
    rq_t(WINAPI *create_rq)(SOCKET, ULONG, ULONG, ULONG, ULONG, cq_t, cq_t, void *);
    ULONG(WINAPI *dequeue)(cq_t, struct result *, ULONG);
    void(WINAPI *deregister)(buffer_t);
    int(WINAPI *notify)(cq_t);
    buffer_t(WINAPI *register_buffer)(void *, DWORD);
    BOOL(WINAPI *resize_cq)(cq_t, DWORD);
    BOOL(WINAPI *resize_rq)(rq_t, DWORD, DWORD);
} rio;

/* Asks Winsock for the table; FALSE on one without registered I/O. */
static BOOL rio_get(void)
{
    GUID guid = {0x8509e081, 0x96dd, 0x4005, {0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f}};
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    DWORD bytes = 0;
    int result = WSAIoctl(s, MULTIPLE_EXTENSIONS, &guid, sizeof(guid), &rio, sizeof(rio), &bytes,
                          NULL, NULL);

    closesocket(s);
    return !result;
}

#endif
