/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A socket of a session, and the functions of its kinds.  See socket.c and the files named below.
 */
#ifndef SERVER_SOCKET_H
#define SERVER_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"
#include "backlog.h"
#include "loop.h"
#include "session.h"
#include "shortcut.h"
#include "timer.h"

enum socket_state {
    SOCKET_OPEN,       /* not connected; datagram sockets without a peer */
    SOCKET_CONNECTING, /* streams */
    SOCKET_CONNECTED,
    SOCKET_LISTENING,
    SOCKET_FAILED,  /* the connection is gone, the error was reported */
    SOCKET_CLOSING, /* nobody holds it any more; what was queued is being sent */
    SOCKET_CLOSED,  /* RS_COMP_CLOSED was posted; only the index remains */
    SOCKET_AWAY,    /* a shared socket that another session holds (share.c) */
};

/* How far a step of work got. */
enum work { WORK_DONE, WORK_MORE, WORK_BLOCKED /* the completion ring is full */ };

/* unix_peer.c; with names_lock */
struct callers {
    uint32_t listener; /* the process that listens, Windows' number as these */
    uint32_t *processes;
    uint32_t count, size;
    bool lost; /* one could not be noted */
};

struct socket {
    struct session *session;
    struct grave grave;
    uint32_t index;
    uint8_t family, type; /* enum rs_family, enum rs_type */
    enum socket_state state;
    struct watch watch; /* the kernel's socket */
    struct link work;   /* server.work while there may be something to read or accept */
    struct timer timer; /* connect, close */

    /* the anchor (anchor.c) */
    struct anchor *anchor; /* NULL: closed */
    bool anchored;         /* the DLL has opened it */
    bool anchor_gone;      /* its last handle is closed */
    bool anchor_kept;      /* its last handle is for the next socket (RS_CLOSE_KEPT) */
    struct link hung;      /* session.hung */
    bool close_seen;       /* RS_SUB_CLOSE came */
    bool in_stock;         /* the program has not taken it yet (stock.c) */
    uint16_t close_flags;  /* of it, or what RS_CLOSE_SOON said before */

    /* shared by several sessions (share.c) */
    struct share *share;   /* NULL: was never */
    struct link stub_link; /* share.stubs */
    uint32_t view;         /* number of this session's view of it: chunk.view */
    struct socket *sender; /* the view that sends just now, NULL: this one */
    bool held_back;        /* connections: not read from before the program has them */
    bool returned;         /* connections: handed back by who held the listener */
    struct link unread;    /* handed back by the last holder, for the next (share_data.c) */
    uint32_t unread_bytes; /* memory that takes */
    uint32_t unread_cost;  /* in the measure of `delivered` */

    /* naming (bind.c) */
    bool bound;
    bool shares_port;       /* Linux was told so; atomic: set by who binds beside it */
    uint64_t reservation;   /* ports.c: its token; 0: none */
    struct link bound_link; /* server.bound */
    union address bound_to;

    /* receiving */
    bool readable;     /* the kernel may have something */
    bool peer_closed;  /* seen EPOLLRDHUP: a short read is not the end of what is there */
    bool receive_done; /* end of data, an error, or shut: nothing more is read */
    bool stalled;      /* out of credit */
    bool urgent;       /* an urgent byte is somewhere ahead */
    bool urgent_held;  /* urgent_byte has been taken and not told of yet */
    uint8_t urgent_byte;
    uint8_t marks;          /* records to come that begin with RS_DATA_MARK */
    bool icmp_waits;        /* datagrams: the error queue may have something */
    bool icmp_told;         /* RS_OPT_ICMP_MESSAGES */
    uint8_t control;        /* datagrams: RS_CONTROL_* that come with each */
    struct watch capture;   /* raw: what is received from in its place, or none (capture.c) */
    bool ping;              /* raw: the kernel's is one for echo requests only (ping.c) */
    uint8_t ping_id[2];     /* what the program has for an identifier */
    uint32_t pending_error; /* WSA code, to be posted behind the data */
    uint32_t delivered;     /* payload since the beginning, as rs_socket_shared.consumed counts */
    uint32_t oob_delivered;

    /* sending */
    struct backlog backlog;
    uint32_t sent; /* rs_socket_shared.sent */
    bool send_shut, send_failed;
    bool wants_out;       /* EPOLLOUT is asked for */
    bool send_error_told; /* datagrams: RS_ERROR_SEND was posted, no call has asked since */

    struct shortcut shortcut; /* streams */

    /* datagrams (flow.c) */
    struct link flows, flows_in;   /* from here, and to here */
    uint32_t flow_count;           /* from here */
    bool flows_barred;             /* one call may send several datagrams */
    uint64_t drained_at;           /* rs clock: when the kernel had nothing more */
    struct sent_times *sent_times; /* sent_times.c; NULL: none are kept */

    /* options that the server keeps */
    bool reuse, exclusive, oob_inline, dont_fragment;
    bool multicast_port; /* RS_OPT_MULTICAST_PORT */
    uint32_t affinity;   /* RS_OPT_CPU_AFFINITY: the number and one; 0: none */
    uint32_t receive_buffer, send_buffer;
    uint32_t max_retransmit; /* RS_OPT_TCP_MAXRT */
    bool ack_at_once;        /* RS_OPT_ACK_AT_ONCE */
    char congestion[16];     /* RS_PRIORITY_VERY_LOW: the algorithm before that; else empty */
    uint32_t connect_time;   /* RS_OPT_CONNECT_TIME */
    bool fail_on_icmp;       /* RS_OPT_FAIL_ON_ICMP */
    struct rs_icmp_error icmp_error;
    uint32_t syn_bytes;  /* that its last connect has sent with the SYN */
    uint8_t tos, tclass; /* RS_OPT_IP_TOS, RS_OPT_IPV6_TCLASS as set */

    /* listening (listener.c) */
    struct socket *listener; /* of an accepted connection that is not anchored yet */
    struct link listening;   /* server.listeners */
    struct link sibling;     /* listener.children */
    struct link children;
    uint32_t child_count, child_limit;
    int listen_backlog;
    bool accept_paused; /* RS_OPT_PAUSE_ACCEPT */
    struct link held;   /* taken from the kernel, and not a socket yet: struct held */

    union address peer;
    char *unix_path; /* unix.c: what the next bind or connect means; NULL: none */
    uint32_t unix_path_length;
    char *unix_bound; /* the file that it has made, or NULL */
    uint64_t unix_device, unix_file;
    uint32_t peer_process; /* Windows' number; 0: none that is known */
    struct callers callers;
    bool disconnecting; /* RS_SUB_DISCONNECT came (disconnect.c) */
    /* RS_SUB_CLOSE with RS_CLOSE_REPLY */
    struct rs_call close_call;
    bool close_waits;
    uint64_t close_deadline, close_begin;
    uint32_t close_sent; /* `sent` when progress was last looked at */
};

static inline bool socket_shares_port(const struct socket *socket)
{
    return __atomic_load_n(&socket->shares_port, __ATOMIC_RELAXED);
}

/* socket.c: the table and the life cycle */
struct socket *socket_create(struct session *session, uint8_t family, uint8_t type, int fd,
                             int *error); /* NULL: fd stays the caller's */
/* A view of a socket that another session holds; NULL: no memory or index. */
struct socket *socket_create_stub(struct session *session, const struct socket *core);
struct socket *socket_at(struct session *session, uint32_t index); /* NULL: none there */
bool socket_has_index(const struct session *session);
/* Says in the log, now and then, why there can be no further socket; `error` is an errno. */
void socket_limit_met(struct session *session, int error);
void socket_forget(struct socket *socket);
/* Ends the kernel's socket and posts RS_COMP_CLOSED. */
void socket_finish(struct socket *socket, bool reset);
void socket_post_error(struct socket *socket, uint32_t error, uint32_t flags); /* RS_ERROR_* */
void socket_queue_work(struct socket *socket);
enum work socket_work(struct socket *socket);
/* What the program has been given and did not take. */
uint32_t socket_outstanding(const struct socket *socket);
/* How many bytes may be read ahead now; 0 has told the DLL that the socket is stalled. */
uint32_t socket_credit(struct socket *socket);
int socket_open(uint32_t family, uint32_t type, uint32_t protocol); /* a descriptor or -errno */
int socket_watch(struct socket *socket);                            /* 0 or -errno */
int socket_rewatch(struct socket *socket); /* after wants_out or the watch has changed */
/* Its session's server is another one by now; false: it cannot be watched there. */
bool socket_change_loop(struct socket *socket, struct loop *before);

/* anchor.c */
int anchor_open(struct socket *socket);     /* 0 or -errno */
void anchor_adopt(struct socket *socket);   /* RS_SUB_ANCHORED */
bool anchor_is_gone(struct socket *socket); /* as far as can be known just now */
uint32_t anchor_number(const struct socket *socket);
void anchor_close(struct socket *socket);
void anchor_close_spare(struct session *session);

/* Whether the bytes were written into the FIFO by somebody who has it open; takes them out. */
bool anchor_proves(struct socket *socket, const uint8_t proof[RS_PROOF]);
struct socket *anchor_find(struct server *server, uint64_t inode); /* NULL: no anchor is that */
/* close.c */
void socket_close(struct socket *socket, uint16_t flags);
void socket_close_hung(struct session *session);
/* RS_SUB_CLOSE; call is NULL without RS_CLOSE_REPLY */
void socket_close_request(struct socket *socket, uint16_t flags, const struct rs_call *call);
void socket_closing_progress(struct socket *socket);

/* stream.c */
void stream_ready(struct socket *socket, uint32_t events);
enum work stream_read(struct socket *socket);
/* While nothing is read: no credit, or the end of data was seen before. */
void stream_check_error(struct socket *socket);
void stream_fail(struct socket *socket, uint32_t error); /* WSA error: posts it, reads no more */
uint32_t stream_error_code(const struct socket *socket, int error); /* of a connection */
/* urgent.c */
#define URGENT_IN_LINE 2 /* marks: the next byte is urgent, and a record of its own */
void urgent_announced(struct socket *socket);   /* EPOLLPRI */
bool urgent_before_read(struct socket *socket); /* false: not now, the completion ring is full */
bool urgent_tell(struct socket *socket); /* what is held; false: the completion ring is full */
int urgent_set_inline(struct socket *socket, bool on); /* 0, or -1 with errno */
void urgent_sent(const struct socket *sender);         /* the kernel has taken an urgent byte */
/* unix.c */
uint32_t unix_bind(struct socket *socket); /* WSA error */
int unix_connect(struct socket *socket);   /* 0 or an errno */
void unix_release(struct socket *socket);  /* with names_lock */
/* unix_peer.c */
struct socket *
unix_peer_find(const struct socket *client); /* who listens there; NULL: none of ours */
void unix_peer_connected(struct socket *client, struct socket *listener);
void unix_peer_accepted(struct socket *child, struct socket *listener);
/* raw.c */
int raw_open(int family, int protocol); /* like socket(2) */
/* capture.c */
uint32_t capture_set(struct socket *socket, uint32_t what); /* RS_OPT_CAPTURE; WSA error */
void capture_end(struct socket *socket);
bool capture_change_loop(struct socket *socket, struct loop *before); /* like socket_change_loop */
ssize_t capture_receive(struct socket *socket, uint8_t *bytes, size_t size, union address *source,
                        struct rs_control *control);
/* ping.c */
bool ping_can_do(int family, int protocol);
int ping_open(int family);                  /* like socket(2) */
uint32_t ping_adopt(struct socket *socket); /* if it is one; WSA error */
void ping_sends(struct socket *socket, const uint8_t *payload, uint32_t length);
/* control_receive() of what a raw socket would get. */
ssize_t ping_receive(struct socket *socket, uint8_t *bytes, size_t size, union address *source,
                     socklen_t *source_size, struct rs_control *control);
/* datagram.c */
void datagram_prepare(int fd, bool v6);
void datagram_ready(struct socket *socket, uint32_t events);
/* Something went to that address: if it is a socket of this server, it reads it now. */
void datagram_arrive(struct server *server, const struct rs_addr *to);
enum work datagram_read(struct socket *socket);
/* control.c */
uint32_t control_enable(struct socket *socket,
                        uint32_t wanted);                  /* RS_OPT_CONTROL: adds; WSA error */
uint32_t control_coalesce(struct socket *socket, bool on); /* RS_OPT_UDP_COALESCE; WSA error */
/* recvfrom() that fills in *control too. */
ssize_t control_receive(struct socket *socket, void *bytes, size_t size, union address *source,
                        socklen_t *source_size, struct rs_control *control);
/* Whether a datagram to that address can go out so; WSA error. */
uint32_t control_check(const struct rs_control *control, const union address *to);
/* sendto() with it. */
ssize_t control_send(struct socket *socket, const union address *to, socklen_t to_size,
                     const struct rs_control *control, const void *bytes, size_t size);
/* multicast_port.c */
uint32_t multicast_port_set(struct socket *socket, bool on); /* RS_OPT_MULTICAST_PORT; WSA error */
/* sent_times.c */
uint32_t sent_times_keep(struct socket *socket, uint32_t limit); /* RS_OPT_SENT_TIMES; WSA error */
void sent_times_add(struct socket *socket, uint32_t stamp, uint64_t time);
bool sent_times_take(struct socket *socket, uint32_t stamp, uint64_t *time);
void sent_times_end(struct socket *socket);
/* listener.c */
int listener_start(struct socket *socket, uint32_t backlog); /* 0 or -errno */
enum work listener_accept(struct socket *socket);
uint32_t listener_pause(struct socket *socket, bool pause); /* WSA error */
/* Something has connected to `peer`: a listener there looks in this turn, so that who waits for
 * both ends is woken once. */
void listener_expect(struct server *server, const union address *peer);
void listener_release(struct socket *child); /* is anchored or gone */
void listener_stop(struct socket *socket);
/* connect.c */
/* `data`, in shared memory, may go with a stream's SYN. */
void socket_connect(struct socket *socket, const struct rs_addr *wire, const uint8_t *data,
                    uint32_t length);
void connect_ready(struct socket *socket);
/* disconnect.c */
enum work disconnect_drain(struct socket *socket);
void disconnect_settle(struct socket *socket); /* its end, or its last byte, was reached */
void disconnect_end(struct socket *socket, uint32_t error); /* tells who waits, if somebody does */
/* send.c; the payload lies in shared memory */
void socket_send(struct socket *socket, const uint8_t *payload, uint32_t length, bool urgent);
/* Returns the WSA error of the first try, which matters to a call only; then the datagram does not
 * count as sent yet.  `to` and `control`, copies, may be NULL. */
uint32_t socket_send_to(struct socket *socket, const struct rs_addr *to,
                        const struct rs_control *control, const uint8_t *payload, uint32_t length);
/* A datagram that was refused and whose sender does not wait for an answer. */
void socket_not_sent(struct socket *socket, uint32_t error, uint32_t length);
/* Who takes sending for a matter of course should ask again (RS_ERROR_SEND). */
void socket_tell_sender(struct socket *socket, uint32_t error);
void socket_flush(struct socket *socket);
void socket_want_out(struct socket *socket); /* flushes again when the kernel has room */
/* So many bytes of a stream's backlog went to where they were to go. */
void socket_sent_from_backlog(struct socket *socket, uint32_t count);
/* There may be room for more: posts RS_COMP_SENT if the DLL wants it. */
void socket_tell_sent(struct socket *socket);
uint32_t socket_shutdown(struct socket *socket, uint32_t how); /* WSA error */
/* bind.c */
uint32_t socket_bind(struct socket *socket, const struct rs_addr *wire); /* WSA error */
/* RS_OPT_CPU_AFFINITY; with names_lock; WSA error */
uint32_t bind_set_affinity(struct socket *socket, uint32_t processor);
void bind_again(struct socket *socket);         /* after a failed connect */
void bind_release(struct socket *socket);       /* with names_lock */
void bind_first_listens(struct socket *socket); /* after listen(2) */
/* ports.c */
/* What bind is to ask for: WSA error, or 0 and perhaps another port in *address.  These two with
 * names_lock. */
uint32_t ports_take(const struct socket *socket, union address *address);
void ports_give(const struct socket *socket,
                const union address *address); /* not needed any more */
void ports_owner_closed(const struct socket *socket);
/* share.c */
void share_leave(struct socket *socket);     /* a view ends, or all of them */
void share_closed(struct socket *socket);    /* RS_SUB_CLOSE while others hold the anchor */
void share_died(struct session *session);    /* its process is gone, before its sockets go */
bool share_move_away(struct socket *socket); /* to a session that lives; false: nobody else */
/* A listener has got a connection: the next is somebody else's.  True if nothing more is accepted
 * until then. */
bool share_turn_over(struct socket *listener);
bool share_pauses(const struct socket *socket); /* nothing may be read or accepted now */
struct socket *share_core(struct socket *view); /* what there is to act upon */
struct socket *share_view(struct socket *socket, uint32_t number); /* NULL: has ended */
/* share_data.c */
void share_discard_unread(struct socket *socket);
void share_replay(struct socket *socket); /* to who holds it now, the end of data included */
/* stock.c */
void stock_taken(struct socket *socket);
void stock_ended(struct socket *socket);
/* adopt.c: the kernel's socket of an accepted connection goes to another index; source ends */
void socket_move(struct socket *target, struct socket *source);
/* icmp_error.c: what a router says while a stream connects.  Take: was there anything? */
void icmp_error_begin(struct socket *socket);
bool icmp_error_take(struct socket *socket);
void icmp_error_end(struct socket *socket);

/* priority.c */
uint32_t priority_set(struct socket *socket, uint32_t number); /* RS_OPT_PRIORITY; WSA error */
void priority_copy(const struct socket *socket, int fd);       /* to another of the kernel's */
/* tcp_info.c; WSA error */
uint32_t tcp_info_get(const struct socket *socket, struct rs_tcp_info *info);
/* option.c; WSA errors */
void option_copy(const struct socket *socket, int fd); /* the kernel's, to another stream */
uint32_t option_set(struct socket *socket, uint32_t option, const void *value, uint32_t length);
uint32_t option_get(struct socket *socket, uint32_t option, void *value, uint32_t *length);

#endif
