/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shared-memory ABI between a process's ws2_32.dll and the host server.
 *
 * Owns: every byte both sides agree on: the segment's layout, the records of the two rings, the
 * words each side publishes beside them, and the names in the runtime directory.  Both compilers
 * (mingw-w64 and the host's, 32 and 64 bit) read this file, so every field has an explicit width
 * and every structure a checked size.  docs/protocol.md tells the story; docs/concurrency.md names
 * the partner of each atomic.
 *
 * Nothing here is trusted: the server works on copies and checks each before use; the DLL checks
 * the segment's header once, when it maps it.
 */
#ifndef RINGSOCK_ABI_H
#define RINGSOCK_ABI_H

#include <stddef.h>
#include <stdint.h>

#define RS_MAGIC 0x4b434f53474e4952ull /* "RINGSOCK" in memory */
#define RS_PROTOCOL 17u                /* part of the runtime directory's name */

#define RS_RING_SIZE (1u << 20) /* bytes, each direction, a power of two */
#define RS_RECORD_ALIGN 16u     /* records start and end at multiples of this */
#define RS_MAX_PAYLOAD 65536u   /* bytes of data that one record may carry */
#define RS_MAX_RECORD (RS_MAX_PAYLOAD + 4096u)
#define RS_MAX_SOCKETS 65536u /* per session; 0 is never a socket */
#define RS_MAX_SLOTS 1024u    /* threads that can park on a FIFO of their own; 0 is the pump */
#define RS_MAX_GROUPS 1024u   /* completion ports with a wake word of their own */
#define RS_RECV_WINDOW (256u << 10) /* bytes the server reads ahead of the program, per socket */
#define RS_ACCEPT_WINDOW 64u        /* connections accepted ahead of the program, per listener */
#define RS_DATAGRAM_OVERHEAD 96u    /* what keeping a datagram costs beside its bytes */
/* what a datagram counts in `sent`, `consumed` and against the windows: empty ones too fill them */
#define RS_DATAGRAM_COST(length) ((length) + RS_DATAGRAM_OVERHEAD)
#define RS_BACKLOG_CROWDED (256u << 20) /* `backlog` from which on a socket may hand over at most */
#define RS_CROWDED_PART (16u << 10)     /* this much at a time, and only with nothing waiting */
#define RS_STATE_MAX 512u   /* what a process tells the next holder of a shared socket, opaque */
#define RS_PROOF 16u        /* bytes that show who holds an anchor's handle */
#define RS_ADDR_MAX 28u             /* sockaddr_in6 */
#define RS_ANCHOR_DIRS 16u  /* directories of anchors: the server hears of their closes by directory */

/* ---- names in the runtime directory (relative; all created by the server, mode 0600) ----
 *   join           FIFO of rs_ticket: a DLL reads one and owns that session
 *   lock           flock()ed by the one server of this directory
 *   log            what the server prints when it has no terminal
 *   sXXXXXXXXXXXXXXXX/      one directory a session, %016llx of rs_ticket.session
 *       shm        the segment described below
 *       bell       FIFO, DLL to server: "the submission ring has something for a sleeping server";
 *                  its hang-up means that the process is gone
 *       wN         FIFO, server (or a thread of the process) to the parked thread of slot N;
 *                  w0, the pump's, is there from the beginning
 *   anchorsD/N     FIFO of anchor N, a SOCKET's (D = N % RS_ANCHOR_DIRS): when nobody has it open any
 *                  more the last handle of the SOCKET is gone, and then it may become the anchor of
 *                  another one
 */
struct rs_ticket {
    uint64_t magic;
    uint32_t protocol;
    uint32_t reserved;
    uint64_t session;
    uint64_t reserved2;
};
_Static_assert(sizeof(struct rs_ticket) == 32, "ticket");

/* One direction of traffic.  head and tail count bytes and wrap at 2^32; position = value % size. */
struct rs_ring {
    _Alignas(64) uint32_t tail; /* written by the producer */
    _Alignas(64) uint32_t head; /* written by the consumer */
};
_Static_assert(sizeof(struct rs_ring) == 128, "ring");

/* A thread that parks.  state is the only word both sides change, with compare-exchange. */
enum rs_slot_state {
    RS_SLOT_RUNNING = 0,
    RS_SLOT_PARKED = 1,  /* reads its FIFO; who turns this to RUNNING writes exactly one byte to it */
    RS_SLOT_WAITING = 2, /* in an NT wait; only the process itself ends this one (SetEvent) */
    RS_SLOT_LOOKING = 3, /* looks at `comp` again and again before it parks: need not be woken */
};
struct rs_slot {
    _Alignas(64) uint32_t state;
    uint32_t reserved;
    uint64_t deadline; /* rs clock, 0 = none; written before state becomes PARKED */
};
_Static_assert(sizeof(struct rs_slot) == 64, "slot");

/* Whom to wake for a socket: "interest", written by the DLL, read by the server after it has
 * published a record for that socket. */
#define RS_WAKE_NONE 0u                      /* nobody waits: publish and stay quiet */
#define RS_WAKE_SLOT(slot) ((slot) + 1u)     /* that thread; the pump if it is not parked */
/* what groups[group] says: RS_WAKE_SLOT, RS_WAKE_PUMP, or RS_WAKE_NONE while every thread of that
 * port is busy (the next to ask the port reaps first) */
#define RS_WAKE_GROUP(group) (0x10000u + (group))
#define RS_WAKE_PUMP RS_WAKE_SLOT(0u)

struct rs_socket_shared {
    /* written by the server */
    _Alignas(64) uint32_t sent; /* payload that the kernel has taken since the beginning: bytes of a
                                   stream, RS_DATAGRAM_COST of datagrams */
    uint32_t recv_stalled;      /* 1: no credit left, wants RS_SUB_RESUME once there is some */
    /* written by the DLL */
    _Alignas(64) uint32_t consumed; /* payload that the program has taken since the beginning, in
                                       the same measure */
    uint32_t want_sent;             /* 1: post RS_COMP_SENT at the next progress (server resets) */
    uint32_t interest;              /* RS_WAKE_* */
    uint32_t send_full;             /* 1: a send that does not wait filled the window, and the program
                                       has found no room since */
};
_Static_assert(sizeof(struct rs_socket_shared) == 128, "socket");

#define RS_VERSION_LEN 32

/* The segment begins with this; the parts follow at the stated offsets.  Everything up to `ready`
 * is written by the server before the ticket is handed out and never changes. */
struct rs_segment {
    uint64_t magic;
    uint32_t protocol;
    uint32_t segment_size;
    uint64_t session;
    uint32_t server_pid;
    uint32_t ring_size;
    uint32_t sub_data, comp_data; /* offsets of the rings' bytes */
    uint32_t slots, slot_count;
    uint32_t sockets, socket_count;
    uint32_t groups, group_count;
    char server_version[RS_VERSION_LEN];

    _Alignas(64) struct rs_ring sub;  /* DLL produces */
    struct rs_ring comp;              /* server produces */
    /* written by the server */
    _Alignas(64) uint64_t sleeping_until; /* rs clock; 0 = awake, UINT64_MAX = until a doorbell */
    uint64_t backlog; /* bytes of this session that the kernel did not take and the server keeps */
    /* written by the DLL */
    _Alignas(64) uint64_t earliest_deadline; /* rs clock, UINT64_MAX = none; lowered by who parks,
                                                raised by the server after it scanned the slots */
};

/* rs clock: 100 ns units of the host's CLOCK_MONOTONIC_RAW, which is what
 * QueryPerformanceCounter counts under Wine 8.0 and 10.0 (measured). */
#define RS_CLOCK_PER_MS 10000u

/* ---- records ---- */

struct rs_record {
    uint32_t size;   /* of the whole record, payload included, a multiple of RS_RECORD_ALIGN */
    uint16_t type;   /* enum rs_sub or rs_comp */
    uint16_t flags;  /* per type */
    uint32_t socket; /* index into sockets[], 0 where the record is of no socket */
    uint32_t length; /* payload bytes that follow the type's structure, without padding */
};
_Static_assert(sizeof(struct rs_record) == RS_RECORD_ALIGN, "record");

#define RS_PAD 0xffffu /* type: skip `size` bytes (the rest up to the ring's end) */

/* RS_AF_UNIX: paths do not fit into an address; RS_SUB_UNIX_PATH brings them, and bytes[0] says
 * whether the address has one (1) or no name (0). */
enum rs_family { RS_AF_UNSPEC = 0, RS_AF_UNIX = 1, RS_AF_INET = 4, RS_AF_INET6 = 6 };
enum rs_type { RS_STREAM = 1, RS_DGRAM = 2, RS_RAW = 3 /* RS_SUB_SOCKET: arg2 = protocol */ };
/* An address as it travels: Linux sockaddr bytes with neutral families. */
struct rs_addr {
    uint16_t family; /* enum rs_family */
    uint16_t port;   /* network order */
    uint32_t flowinfo;
    uint32_t scope_id;
    uint8_t bytes[16]; /* 4 or 16 used, network order */
    uint32_t reserved;
};
_Static_assert(sizeof(struct rs_addr) == 32, "addr");

/* What belongs to one datagram beside its bytes and the other's address.  From the server: what the
 * socket's RS_OPT_CONTROL asks for.  To the server: what the sender wants for this one alone. */
#define RS_CONTROL_PACKET 1u /* address, interface_index, delivery */
#define RS_CONTROL_TTL 2u
#define RS_CONTROL_TOS 4u
#define RS_CONTROL_ECN 8u /* to the server: the low two bits of tos, the others are the socket's */
/* from the server: several datagrams, each of `segment` bytes but for the last, which may be shorter;
 * to the server: cut it into such.  Not of RS_OPT_CONTROL: RS_OPT_UDP_COALESCE asks for it. */
#define RS_CONTROL_SEGMENT 16u
#define RS_CONTROL_TIME 32u  /* from the server: when it arrived */
#define RS_CONTROL_STAMP 64u /* to the server: keep for RS_OPT_SENT_TIME when it was sent */
#define RS_CONTROL_ALL 127u
enum rs_delivery { RS_DELIVERY_HOST = 0, RS_DELIVERY_BROADCAST = 1, RS_DELIVERY_MULTICAST = 2 };
struct rs_control {
    uint16_t present;         /* RS_CONTROL_* */
    uint8_t family;           /* enum rs_family of the datagram: IPv4 on an IPv6 socket is RS_AF_INET */
    uint8_t delivery;         /* enum rs_delivery, from the server */
    uint8_t ttl, tos;         /* IPv6: hop limit, traffic class */
    uint16_t segment;         /* RS_CONTROL_SEGMENT */
    uint32_t interface_index; /* 0: to the server: any */
    uint32_t stamp;           /* RS_CONTROL_STAMP: the program's number for it */
    uint8_t address[16];      /* this side's: where the datagram went, or is to come from (0: any) */
    uint64_t time;            /* RS_CONTROL_TIME: rs clock */
};
_Static_assert(sizeof(struct rs_control) == 40, "control");

/* DLL to server.  "call": carries a rs_call and is answered by one RS_COMP_REPLY with its cookie. */
enum rs_sub {
    RS_SUB_HELLO = 1, /* struct rs_hello: first record of a session */
    RS_SUB_SLOT,      /* call: make FIFO w<arg0>; reply when it can be opened */
    RS_SUB_SOCKET,    /* call: arg0 family, arg1 type, arg2 protocol (0 = default), arg3 as
                         RS_OPT_CONTROL (datagrams); reply value = socket index, value2 = anchor number.
                         flag RS_SOCKET_STOCK: the DLL takes RS_COMP_STOCK */
    RS_SUB_ANCHORED,  /* the DLL has opened the socket's anchor: that nobody has it open counts from here on */
    RS_SUB_BIND,      /* call, rs_addr payload; reply carries the local rs_addr */
    RS_SUB_LISTEN,    /* call: arg0 backlog; from then on RS_COMP_ACCEPTED */
    RS_SUB_CONNECT,   /* rs_addr payload.  Stream: answered by RS_COMP_CONNECTED.  Datagram: the same
                         record, at once; RS_AF_UNSPEC dissolves the association.  flag RS_CONNECT_DATA:
                         payload that may go with a stream's SYN (TCP Fast Open) */
    RS_SUB_SEND,      /* payload.  Stream or connected datagram; flag RS_SEND_OOB */
    RS_SUB_SENDTO,    /* rs_addr, then payload: one datagram.  flag RS_SEND_REPLY: a call record in
                         front of the address; the reply tells the first error and carries
                         the local rs_addr (sending binds).  flag RS_SEND_CONTROL: a rs_control
                         behind the address */
    RS_SUB_SHUTDOWN,  /* call: arg0 = RS_SHUT_*; sending side closes after what was queued */
    RS_SUB_CLOSE,     /* the DLL has closed its handle; flags RS_CLOSE_*.  The server closes if the
                         anchor is let go or kept, else leaves it to the anchor */
    RS_SUB_FORGET,    /* the DLL has seen RS_COMP_CLOSED: the index may be used again */
    RS_SUB_RESUME,    /* credit was given to a stalled socket: read on */
    RS_SUB_GETOPT,    /* call: arg0 = enum rs_option; reply payload = uint32_t or struct */
    RS_SUB_SETOPT,    /* call: arg0 = enum rs_option, payload = value */
    RS_SUB_GETNAME,   /* call: arg0 0 = local, 1 = peer; reply payload rs_addr */
    RS_SUB_RESOLVE,   /* call: struct rs_resolve payload, then the two strings */
    RS_SUB_REVERSE,   /* call: arg0 RS_REVERSE_NAME_REQUIRED or 0, payload rs_addr; reply: the host name, UTF-8 */
    RS_SUB_HOSTNAME,  /* call: reply payload: the host's name, UTF-8, no NUL */
    RS_SUB_DISCONNECT,/* close the sending side after what was queued, drop what still arrives, and when
                         the peer has closed too make the socket as new: RS_COMP_REUSED */
    RS_SUB_INTERFACES,/* call: reply payload: array of struct rs_interface */
    RS_SUB_ADOPT, /* struct rs_adopt: the header's socket becomes the accepted connection `source`
                     (AcceptEx); whose index then ends with RS_COMP_CLOSED */
    RS_SUB_UNIX_PATH, /* call: the host path, no NUL, or NUL and an abstract name, that the socket's
                         next RS_SUB_BIND or RS_SUB_CONNECT means */
    /* Sockets that several processes hold (docs/protocol.md, "Shared sockets"). */
    RS_SUB_ATTACH, /* call: arg0 | arg1 << 32 is the anchor's inode.  arg2 0: is there one?  1:
                      payload = RS_PROOF bytes that were written into it; reply value = index, value2
                      = 1 if the session had it already, payload rs_attached */
    RS_SUB_SHARE,  /* call: take back what was read ahead; replied when that is done */
    RS_SUB_USE,    /* call: replied when this session holds the socket */
    RS_SUB_WANT,   /* somebody waits here: give us the socket when nobody waits where it is */
    RS_SUB_IDLE,   /* answer to RS_COMP_WANTED: nobody waits here */
    RS_SUB_UNREAD, /* rs_addr (of a datagram), with RS_SEND_CONTROL a rs_control, payload: what was
                      read ahead and is handed back, in order; flags RS_DATA_*, RS_UNREAD_DATAGRAM */
    RS_SUB_RETURN, /* an accepted connection that the program has not taken is handed back */
    RS_SUB_PORTS,  /* call: arg0 = RS_PORTS_*.  ACQUIRE: arg1 first port (host order, 0: any), arg2 how
                      many; reply value = the first, payload = rs_port_token.  The others: arg1 | arg2 << 32
                      is the token */
    RS_SUB_YIELD,  /* payload of at most RS_STATE_MAX bytes: everything was handed back */
    RS_SUB_LOOK,   /* call: what is there is read, as far as the credit goes, before the reply; value = RS_LOOK_* */
    RS_SUB_MAX
};
#define RS_UNIX_PATH_MAX 4095u

/* Server to DLL. */
enum rs_comp {
    RS_COMP_REPLY = 1, /* struct rs_reply, then payload */
    RS_COMP_DATA,      /* stream payload; flags RS_DATA_* */
    RS_COMP_DATAGRAM,  /* struct rs_addr (source), with flag RS_DATAGRAM_CONTROL a struct rs_control,
                          then payload */
    RS_COMP_EOF,       /* the peer closed its sending side, after all RS_COMP_DATA */
    RS_COMP_ERROR,     /* struct rs_error: asynchronous failure of the socket */
    RS_COMP_CONNECTED, /* struct rs_connected */
    RS_COMP_ACCEPTED,  /* struct rs_accepted; header's socket = the listener */
    RS_COMP_SENT,      /* want_sent was set and sent has moved */
    RS_COMP_CLOSED,    /* last record of this index until RS_SUB_FORGET */
    RS_COMP_YIELD,     /* hand back what was read ahead, then RS_SUB_YIELD: the socket goes elsewhere */
    RS_COMP_WANTED,    /* somebody waits for it elsewhere: RS_SUB_IDLE as soon as nobody does here */
    RS_COMP_GIVEN,     /* struct rs_given, then the state that the last holder has told */
    RS_COMP_REUSED,    /* struct rs_reused: the answer to RS_SUB_DISCONNECT */
    RS_COMP_STOCK,     /* struct rs_stock: a new stream that may be taken without RS_SUB_SOCKET; RS_SUB_ANCHORED
                          says that it was */
    RS_COMP_ICMP,      /* struct rs_icmp_message, then what it quotes of the datagram */
    RS_COMP_MAX
};

#define RS_SOCKET_STOCK 1u
#define RS_CONNECT_DATA 1u
#define RS_SEND_OOB 1u
#define RS_SEND_REPLY 2u
#define RS_SEND_CONTROL 4u
#define RS_DATAGRAM_CONTROL 1u
#define RS_DATA_OOB 1u  /* one urgent byte, out of line */
#define RS_DATA_MARK 2u /* no receive may span the place before the first byte of this payload */
#define RS_UNREAD_DATAGRAM 256u
#define RS_CLOSE_ABORT 1u   /* reset the connection (linger 0, or unread data) */
#define RS_CLOSE_REPLY 2u   /* carries a rs_call: reply once everything queued was acknowledged or
                               arg0 milliseconds went by (then WSAEWOULDBLOCK and a reset) */
#define RS_CLOSE_KEPT 4u    /* the DLL keeps the handle for the next socket on that anchor; nobody
                               else has one */
#define RS_CLOSE_SOON 8u    /* with RS_CLOSE_ABORT: not closed yet, but what its end will mean if the
                               server sees that before the record that says so */
#define RS_REVERSE_NAME_REQUIRED 1u
enum { RS_LOOK_NOTHING = 0, RS_LOOK_DATA = 1, RS_LOOK_SOON = 2 /* the kernel has it, or will */ };
enum { RS_SHUT_RECV = 0, RS_SHUT_SEND = 1, RS_SHUT_BOTH = 2 };

/* A block of ports that only sockets of this session get that were associated with it; it ends with
 * the socket that acquired it. */
enum { RS_PORTS_ACQUIRE = 0, RS_PORTS_RELEASE = 1, RS_PORTS_ASSOCIATE = 2 };
#define RS_PORTS_MAX 256u /* in a block; each takes a descriptor of the server */
struct rs_port_token {
    uint64_t token;
};

/* Follows the record header of every "call". */
struct rs_call {
    uint64_t cookie; /* returned untouched */
    uint32_t wake;   /* RS_WAKE_SLOT of who waits for the reply */
    uint32_t arg0, arg1, arg2, arg3;
    uint32_t reserved;
};
_Static_assert(sizeof(struct rs_call) == 32, "call");

struct rs_reply {
    uint64_t cookie;
    uint32_t error; /* WSA error code, 0 = success */
    uint32_t value, value2;
    uint32_t reserved;
};
_Static_assert(sizeof(struct rs_reply) == 24, "reply"); /* payload follows at once */

struct rs_hello {
    uint32_t windows_pid;
    uint32_t windows_parent; /* the process that started it; 0: not known */
    uint32_t pointer_bits;
    uint32_t reserved;
    char dll_version[RS_VERSION_LEN];
    char program[64]; /* for the log; cut, NUL-terminated by the server */
};

/* The counters of both indices are taken as one: delivered and sent go on from the source's. */
struct rs_adopt {
    uint32_t source;
    uint32_t reserved[3];
};
#define RS_ERROR_SEND 1u /* a datagram that nobody waited for was not sent: for who sends next */
struct rs_error {
    uint32_t error; /* WSA error code */
    uint32_t flags; /* RS_ERROR_* */
};
struct rs_connected {
    uint32_t error; /* WSA error code, 0 = connected */
    uint32_t taken; /* bytes of RS_CONNECT_DATA's that were sent; `sent` does not count them */
    struct rs_addr local, peer;
};
struct rs_accepted {
    uint32_t socket; /* index of the new connection; its data may already follow */
    uint32_t anchor;
    struct rs_addr local, peer;
};

struct rs_stock {
    uint32_t family; /* enum rs_family; at most one of each lies ready */
    uint32_t anchor;
};
struct rs_reused {
    uint32_t error; /* WSA error code, 0 = not connected any more, and can be again */
    uint32_t reserved;
    struct rs_addr local; /* family RS_AF_UNSPEC: not bound */
};

struct rs_attached {
    uint32_t family, type; /* enum rs_family, enum rs_type */
};
enum rs_state { RS_STATE_OPEN = 0, RS_STATE_CONNECTING, RS_STATE_CONNECTED, RS_STATE_LISTENING };
struct rs_given {
    uint32_t state;           /* enum rs_state */
    uint32_t sent_shut;       /* 1: the sending side is closed */
    uint32_t taken;           /* as in rs_connected */
    uint32_t reserved;
    struct rs_addr local, peer; /* family RS_AF_UNSPEC: none */
};

/* RS_SUB_RESOLVE: getaddrinfo() on the host.  Flags and families neutral, as here. */
#define RS_AI_PASSIVE 1u
#define RS_AI_CANONNAME 2u
#define RS_AI_NUMERICHOST 4u
#define RS_AI_ADDRCONFIG 8u
#define RS_AI_FQDN 16u /* the name is what a flat node was found as, in a domain that is searched */
struct rs_resolve {
    uint32_t flags;
    uint32_t family;   /* enum rs_family */
    uint32_t node_len; /* bytes of UTF-8 that follow, no NUL; at most 1025 */
    uint32_t reserved;
};
/* Reply: value = number of rs_addr, which come first; then the canonical name (UTF-8, no NUL). */

#define RS_IF_UP 1u
#define RS_IF_BROADCAST 2u
#define RS_IF_LOOPBACK 4u
#define RS_IF_POINTTOPOINT 8u
#define RS_IF_MULTICAST 16u
struct rs_interface {
    uint32_t index, flags; /* RS_IF_* */
    struct rs_addr address, netmask, broadcast;
};

/* Options by a number of our own; the value on the wire is a uint32_t unless stated. */
enum rs_option {
    RS_OPT_REUSEADDR = 1,
    RS_OPT_KEEPALIVE,
    RS_OPT_BROADCAST,
    RS_OPT_OOBINLINE,
    RS_OPT_RCVBUF,
    RS_OPT_SNDBUF,
    RS_OPT_ERROR,  /* get: pending error as WSA code, cleared */
    RS_OPT_TCP_NODELAY,
    RS_OPT_TCP_KEEPIDLE,  /* seconds */
    RS_OPT_TCP_KEEPINTVL, /* seconds */
    RS_OPT_TCP_KEEPCNT,
    RS_OPT_TCP_MAXSEG,
    RS_OPT_IP_TTL,
    RS_OPT_IP_TOS,
    RS_OPT_IP_DONTFRAGMENT,
    RS_OPT_IP_MULTICAST_TTL,
    RS_OPT_IP_MULTICAST_LOOP,
    RS_OPT_IP_MULTICAST_IF,   /* struct rs_group: interface index, or address if index is 0 */
    RS_OPT_IP_ADD_MEMBERSHIP, /* struct rs_group */
    RS_OPT_IP_DROP_MEMBERSHIP,
    RS_OPT_IPV6_V6ONLY,
    RS_OPT_IPV6_UNICAST_HOPS,
    RS_OPT_IPV6_TCLASS,
    RS_OPT_IPV6_MULTICAST_HOPS,
    RS_OPT_IPV6_MULTICAST_LOOP,
    RS_OPT_IPV6_MULTICAST_IF,   /* uint32_t interface index */
    RS_OPT_IPV6_ADD_MEMBERSHIP, /* struct rs_group */
    RS_OPT_IPV6_DROP_MEMBERSHIP,
    RS_OPT_IPV6_DONTFRAG,
    RS_OPT_EXCLUSIVE, /* SO_EXCLUSIVEADDRUSE */
    RS_OPT_TCP_MAXRT, /* ms until what is not acknowledged ends the connection; 0 = the host's
                         default, UINT32_MAX = never */
    RS_OPT_MTU_DISCOVER, /* set: 1 never fragment, 2 fragment, 3 ignore what is known of the path */
    RS_OPT_MTU,          /* get: of a connected socket's path */
    RS_OPT_CONTROL,      /* set: RS_CONTROL_*: what comes too with each datagram read from here on */
    RS_OPT_IP_UNICAST_IF,   /* interface index, network order */
    RS_OPT_IPV6_UNICAST_IF, /* the same */
    RS_OPT_HDRINCL, /* raw: the program writes the IP header */
    RS_OPT_JOIN_SOURCE, /* struct rs_source_group, like the next three */
    RS_OPT_LEAVE_SOURCE,
    RS_OPT_BLOCK_SOURCE,
    RS_OPT_UNBLOCK_SOURCE,
    RS_OPT_UDP_SEGMENT,  /* every datagram is cut into such of so many bytes; 0: none */
    RS_OPT_UDP_NOCHECKSUM,
    RS_OPT_UDP_COALESCE, /* 1: several datagrams of one source may come as one */
    RS_OPT_TCP_FASTOPEN,
    RS_OPT_CONNECT_TIME, /* set: ms that a stream tries to connect for; 0: the default */
    RS_OPT_TCP_INFO,     /* get: struct rs_tcp_info, of a connection */
    RS_OPT_SOURCE_FILTER, /* struct rs_source_filter and its sources; get: the payload names the group */
    RS_OPT_FAIL_ON_ICMP, /* set: an ICMP error ends connecting, and what it was is kept */
    RS_OPT_ICMP_ERROR,   /* get: struct rs_icmp_error, of the last connect */
    RS_OPT_PEER_PROCESS, /* get: Windows' number of the process at the other end (RS_AF_UNIX) */
    RS_OPT_MULTICAST_PORT, /* set: no unicast comes, and others that have this too may have the port */
    RS_OPT_PAUSE_ACCEPT, /* a listener refuses connections */
    RS_OPT_SENT_TIMES, /* set: how many times of RS_CONTROL_STAMP are kept, up to 65535; 0: none */
    RS_OPT_SENT_TIME, /* get: uint64_t, rs clock: when arg1 was sent, which is forgotten then;
                         WSAEWOULDBLOCK: it is not known */
    RS_OPT_ACK_AT_ONCE, /* set: a stream acknowledges each segment when it has come */
    RS_OPT_CAPTURE, /* set, on a raw socket that is bound to an interface's address: RS_CAPTURE_* */
    RS_OPT_CPU_AFFINITY, /* set, before a datagram socket is bound: a processor's number; those that have
                            different ones may share an address, and each gets a part of the flows */
    RS_OPT_PRIORITY, /* set: RS_PRIORITY_* */
    RS_OPT_ICMP_MESSAGES, /* set, of datagrams, 1: RS_COMP_ICMP */
    RS_OPT_MAX
};
enum { RS_PRIORITY_NORMAL, RS_PRIORITY_LOW, RS_PRIORITY_VERY_LOW };
/* Everything of its family that passes there; what the interface gets as it is; all IPv4 multicast;
 * all of IGMP's. */
enum { RS_CAPTURE_OFF, RS_CAPTURE_ALL, RS_CAPTURE_HOST, RS_CAPTURE_GROUPS, RS_CAPTURE_IGMP };
struct rs_icmp_error {
    struct rs_addr source; /* who sent it */
    uint32_t protocol;     /* IPPROTO_ICMP or IPPROTO_ICMPV6; 0: there was none */
    uint8_t type, code;
    uint16_t reserved;
};
_Static_assert(sizeof(struct rs_icmp_error) == 40, "icmp error");
/* About a datagram that was sent there; it comes in front of the RS_COMP_ERROR that it may be. */
struct rs_icmp_message {
    struct rs_addr destination;
    uint32_t protocol; /* IPPROTO_ICMP or IPPROTO_ICMPV6 */
    uint32_t mtu;      /* where the datagram was too large for a path; else 0 */
    uint8_t type, code;
    uint16_t reserved;
    uint32_t reserved2;
};
_Static_assert(sizeof(struct rs_icmp_message) == 48, "icmp message");
#define RS_ICMP_QUOTED_MAX 2048u
/* What the kernel knows of a connection; `state` is Linux's number, times are us. */
struct rs_tcp_info {
    uint32_t state, timestamps; /* timestamps: 0 or 1 */
    uint32_t segment_size, segments_out; /* segments_out: on their way */
    uint32_t rtt, rtt_min;
    uint32_t congestion_window; /* segments */
    uint32_t send_window, receive_window;
    uint32_t retransmitted; /* bytes */
    uint64_t bytes_out, bytes_in;
    uint64_t busy, receiver_limited, sender_limited; /* how long it was sending, and not faster for that */
};
_Static_assert(sizeof(struct rs_tcp_info) == 80, "tcp info");
struct rs_group {
    uint32_t interface_index;
    uint32_t reserved;
    struct rs_addr group, interface_address;
};
_Static_assert(sizeof(struct rs_group) == 72, "group");
struct rs_source_group {
    struct rs_group group;
    struct rs_addr source;
};
_Static_assert(sizeof(struct rs_source_group) == 104, "source group");
/* All that a group is to bring, or does: it is joined for that, or left with RS_FILTER_INCLUDE and no
 * source. */
enum { RS_FILTER_INCLUDE = 0, RS_FILTER_EXCLUDE = 1 };
#define RS_FILTER_MAX 64u
struct rs_source_filter {
    struct rs_group group;
    uint32_t mode, count; /* count: of rs_addr that follow */
};
_Static_assert(sizeof(struct rs_source_filter) == 80, "source filter");

#endif
