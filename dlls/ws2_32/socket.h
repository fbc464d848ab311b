/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SOCKET of this process: its state, what has arrived for it, what is posted on it, who waits.
 *
 * Locks: socket.lock guards every field below it unless stated.  Order: session.reap_lock, then
 * socket.lock, then port locks, then session.submit_lock.  Never two socket locks at once, except a
 * listener's before an accepted connection's.
 */
#ifndef RINGSOCK_SOCKET_H
#define RINGSOCK_SOCKET_H

#include "operation.h"
#include "segment.h"
#include "session.h"

/* Somebody who waits for levels, linked to the socket meanwhile: a thread in select or WSAPoll, on
 * its stack; or an AFD poll, which has no thread. */
struct poller {
    struct poller *next, **previous;
    struct waiter *waiter; /* NULL: `fires` is called, with the socket's lock held */
    void (*fires)(struct poller *poller, long levels);
    struct port *port; /* without a waiter: threads wait there, NULL: anywhere */
    long events;       /* LEVEL_* bits (readiness.h) that should wake it */
};

/* An overlapped operation that a thread of the pool carries out by calls that block
 * (transmission.c). */
struct carried {
    struct carried *next;
    struct operation *operation;
    struct waiter *waiter; /* that thread's, once it runs */
    HANDLE stop;           /* event: it was cancelled */
    bool cancelled;
};

/* One that was replaced: whoever delivers at that moment may still post to it. */
struct former_port {
    struct former_port *next;
    struct port *port; /* or NULL */
};

/* A connection that arrived on a listener and was not accepted yet. */
struct incoming {
    struct incoming *next;
    struct socket *socket; /* without a handle; holds a reference */
    bool deferred;         /* a condition function has said CF_DEFER */
};

#define INTERFACES_LISTED 16

enum socket_state {
    SOCKET_OPEN, /* not connected (datagrams: no peer set) */
    SOCKET_CONNECTING,
    SOCKET_CONNECTED,
    SOCKET_LISTENING,
    SOCKET_DEAD, /* the server is gone: everything is WSAENETDOWN */
};

struct socket {
    LONG volatile references; /* interlocked; memory is type-stable, see handle_table.h */
    struct socket *next_free;
    SRWLOCK lock;

    LONG volatile handles; /* interlocked: of this process, in the table */

    /* constant while the socket lives */
    SOCKET handle; /* its first; 0 for an incoming connection that was not accepted yet */
    struct session *session;
    uint32_t index;
    struct rs_socket_shared *shared;
    int family, type, protocol;
    DWORD creation_flags;
    uint32_t anchor;   /* of an incoming connection */
    uint64_t alone_at; /* when it was known that nobody else has a handle (anchor_pool.c); or 0 */

    LONG volatile accept_pending; /* an AcceptEx is about to make this socket a connection */
    enum socket_state state;
    SOCKET fresh;       /* the last DuplicateHandle of this process, while no call has met it */
    bool flags_changed; /* of its handle, by SetHandleInformation */
    bool duplicated;    /* other processes may hold it too (share.c) */
    bool volatile away; /* and one of them has it now */
    bool wanted;        /* the server was told that somebody waits here */
    bool yield_due;     /* somebody waits elsewhere */
    bool closing;       /* closesocket has begun */
    bool close_resets;  /* and ends the connection with a reset */
    bool bound, nonblocking;
    bool shut_send, shut_recv;
    bool connect_failed;        /* for select's exception set and WSAPoll, until the next connect */
    bool connectex;             /* connected by ConnectEx without SO_UPDATE_CONNECT_CONTEXT yet */
    bool acceptex;              /* the same of AcceptEx */
    bool copied;                /* DuplicateHandle gave another process a handle (handles.c) */
    struct rs_addr local, peer; /* family RS_AF_UNSPEC: not known */
    struct unix_names *unix_names; /* AF_UNIX: unix_socket.c's, or NULL */
    DWORD error;    /* sticky: reset, timeout...; reported by every later call on a stream */
    DWORD so_error; /* for SO_ERROR, cleared when read */
    DWORD connect_error;

    /* receiving */
    struct segment *arrived, *arrived_last;
    uint32_t arrived_bytes;                     /* payload not taken yet */
    uint32_t arrived_datagrams, arrived_errors; /* segments of either kind */
    bool end_of_stream;
    bool stalled; /* the server has held something back, and has not said yet that it has no more */
    uint32_t sent_at_end; /* up to where it is known that sending has provoked no reset since */
    struct operation_queue receiving;
    struct segment *urgent; /* bytes that arrived out of line, NULL if there is none */
    struct operation_queue receiving_urgent;
    struct error_message *messages; /* error_queue.c */
    uint32_t message_count;

    /* sending */
    uint32_t submitted;   /* handed to the server since the beginning, as `sent` counts */
    bool bell_due;        /* something was submitted, and the server may sleep */
    uint32_t send_window; /* bytes that may wait in the server before a send is pending */
    struct rs_addr last_destination; /* datagrams: sending there has worked, */
    uint32_t last_size;              /* with as many bytes, */
    struct rs_control last_source;   /* from there: its address and interface */
    uint32_t sends_lost;             /* datagrams of which the server said later that it failed */
    struct operation_queue sending;
    struct operation_queue backlog_watch; /* SIO_IDEAL_SEND_BACKLOG_CHANGE: at most one */
    bool fin_pending;   /* shutdown(SD_SEND) waits for `sending` to be handed over */
    bool disconnecting; /* it, or what was handed over, is RS_SUB_DISCONNECT */

    /* connections */
    struct operation_queue connecting; /* at most one connect or ConnectEx */
    struct operation_queue accepting;
    struct incoming *incoming, *incoming_last;

    /* SIO_ADDRESS_LIST_CHANGE (address_change.c) */
    struct operation_queue watching;
    uint64_t addresses_state; /* when the first of them began to wait */
    long watched_changes;     /* FD_ADDRESS_LIST_CHANGE, FD_ROUTING_INTERFACE_CHANGE asked for */
    bool conditional_accept;  /* SO_CONDITIONAL_ACCEPT */

    struct notification *notification; /* ProcessSocketNotifications' (notifications.c) */

    /* readiness */
    struct poller *pollers;
    uint32_t result_waiters;    /* threads in WSAGetOverlappedResult */
    struct afd_poll *main_poll; /* afd_poll.c */
    HANDLE event;               /* WSAEventSelect; 0 if none */
    long event_mask;
    long event_pending;  /* recorded and not yet enumerated FD_* bits */
    long event_disabled; /* FD_* bits that wait for their enabling call */
    int event_error[FD_MAX_EVENTS];
    HWND window; /* WSAAsyncSelect */
    UINT window_message;
    long window_mask; /* 0 if none */
    long window_told; /* FD_* bits that wait for their enabling call */

    /* registered I/O (rio.h) */
    struct rio_queue *rio; /* set once, under the lock */
    struct carried *carried;
    struct operation_queue deferred_receives, deferred_sends; /* not committed yet */

    /* completion port (port.c); read without the lock by who delivers */
    struct port *port;
    ULONG_PTR port_key;
    struct former_port *former_ports;
    UCHAR completion_modes; /* FILE_SKIP_* */

    /* the SOCKET as something to wait for (wait_object.c) */
    HANDLE object; /* set under the lock, once; NULL until somebody waits */
    LONG volatile object_set;

    /* options kept on this side */
    DWORD receive_timeout, send_timeout; /* ms, 0 = none */
    struct linger linger;
    bool broadcast, reuse_address, exclusive_address, v6only, oob_inline;
    DWORD connect_time;                   /* GetTickCount at the time of connection */
    uint32_t receive_buffer, send_buffer; /* as the program set them, 0 = not set */
    unsigned int group_priority;
    bool receive_buffer_set, send_buffer_set; /* 0 is a size a program may set */
    bool debug, dont_route, randomize_port, port_scalability, reuse_unicast_port;
    bool v6only_cleared;   /* IPV6_V6ONLY set to 0 on an IPv4 socket: remembered, no effect */
    uint8_t dont_fragment; /* 0: the protocol's default, 1: off, 2: on */
    uint32_t multicast_interface; /* IPv4 address or 0.0.0.index, network order */
    uint32_t protection_level;
    uint32_t mtu_discover, user_mtu;               /* as set; 0: not */
    uint32_t keep_idle, keep_interval, keep_count; /* as set; 0: Windows' default */
    uint32_t max_retransmit;                       /* TCP_MAXRT, in ms; 0: as the host does */
    bool fast_open;                                /* TCP_FASTOPEN */
    bool fail_on_icmp;                             /* TCP_FAIL_CONNECT_ON_ICMP_ERROR */
    bool udp_connreset_off, udp_netreset_off; /* SIO_UDP_CONNRESET, SIO_UDP_NETRESET set to FALSE */
    uint32_t control_ip, control_ip6;         /* control data that WSARecvMsg returns: WANTED_* */
    uint32_t control_told;                    /* RS_CONTROL_* that the server was asked for */
    uint32_t unicast_interface, unicast_interface6; /* host order */
    bool udp_no_checksum;
    bool restrict_interfaces; /* IP_IFLIST, for datagrams from these: */
    uint8_t interface_count;
    uint32_t interfaces[INTERFACES_LISTED];
    bool reuse_multicast_port;                  /* SO_REUSE_MULTICASTPORT */
    bool receive_times, send_times;             /* SIO_TIMESTAMPING */
    bool receive_errors, receive_errors6;       /* IP_RECVERR, IPV6_RECVERR */
    uint32_t udp_send_size, udp_coalesced_size; /* UDP_SEND_MSG_SIZE, UDP_RECV_MAX_COALESCED_SIZE */
    char kept_end; /* what lies between receive_timeout and this goes with a shared socket */
};

/* ---- finding and holding (handle_table.c) ---- */

/* The socket behind a handle with a reference, or NULL and WSANOTINITIALISED / WSAENOTSOCK set. */
struct socket *socket_get(SOCKET handle);
/* The same without getting it from another process that shares it: for who closes it. */
struct socket *socket_get_any(SOCKET handle);
/* And without making a socket of a handle that came by other ways. */
struct socket *socket_get_known(SOCKET handle);
/* The same without setting an error and without asking for WSAStartup: for intercepted calls. */
struct socket *socket_find(HANDLE handle);
void socket_put(struct socket *socket);
static inline struct socket *socket_hold(struct socket *socket)
{
    InterlockedIncrement(&socket->references);
    return socket;
}
bool socket_is_valid(SOCKET handle); /* sets the last error if not */

/* ---- what reaches a SOCKET through other DLLs (handles.c calls, the core implements) ---- */

/* The handle is about to be closed by NtClose: takes it out of the table, and if it was this
 * process's last one of the socket, aborts its operations; caller holds a reference and no lock.
 * False: it was not the last, or another thread was faster. */
bool socket_closed_by_handle(struct socket *socket, SOCKET handle);
/* The last handle, which is not in the table, is gone. */
void socket_ended(struct socket *socket);
/* The handle has been closed: tells the server. */
void socket_after_close(struct socket *socket);

/* Calls visit for each open socket with a reference held, no lock. */
void socket_for_each(void (*visit)(struct socket *socket, void *context), void *context);
/* For each handle in the table. */
void socket_for_each_handle(void (*visit)(struct socket *socket, SOCKET handle, void *context),
                            void *context);

/* ---- readiness (readiness.c); caller holds the lock ---- */

/* FD_READ, FD_OOB, FD_WRITE, FD_ACCEPT, FD_CONNECT, FD_CLOSE bits that hold now, levels not edges.
 */
long socket_readiness(struct socket *socket);
/* Something changed: wakes pollers, records events for WSAEventSelect and sets its event object,
 * posts WSAAsyncSelect's messages.  `edges`: FD_* bits that happened just now. */
void socket_notify(struct socket *socket, long edges);
/* WSAEventSelect or WSAAsyncSelect is in force: the socket cannot be made blocking. */
static inline bool socket_is_selected(const struct socket *socket)
{
    return socket->event_mask || socket->window_mask;
}
/* What is told with FD_CLOSE and FD_CONNECT. */
int socket_close_error(const struct socket *socket);
int socket_connect_error(const struct socket *socket);
/* A call that re-enables FD_READ, FD_OOB, FD_ACCEPT or FD_WRITE recording (semantics.md 14). */
void socket_event_enable(struct socket *socket, long events);
/* Recomputes shared->interest from who waits: operations, pollers, event mask. */
void socket_update_interest(struct socket *socket);
void poller_add(struct socket *socket, struct poller *poller);
void poller_remove(struct poller *poller);

/* ---- sending side bookkeeping (send.c); caller holds the lock ---- */
bool socket_can_send(struct socket *socket); /* also arms want_sent when not */

#endif
