/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What getsockopt and setsockopt know of each option: one row of option_table.c.
 */
#ifndef RINGSOCK_OPTION_H
#define RINGSOCK_OPTION_H

#include "socket.h"

/* How a value lies in the program's buffer.  Windows' providers differ in what they do with a
 * length that is not 4; each format is one pattern of Wine's test_set_getsockopt, which was run on
 * Windows. */
enum option_format {
    FORMAT_BOOL,      /* length 1..3: told as 1 byte; set with any length, even 0 */
    FORMAT_BYTE,      /* always one byte (BOOLEAN) */
    FORMAT_INT,       /* shorter than 4: WSAEFAULT */
    FORMAT_INT_CLEAR, /* the same, and get has cleared the short buffer */
    FORMAT_INT_SIZE0, /* the same, and get has set the length to 0 */
    FORMAT_IP,        /* length 1..3: one byte */
    FORMAT_RAW,       /* the row's read and write look after everything */
};

enum option_value {
    VALUE_ANY,
    VALUE_BOOL, /* becomes 0 or 1 */
    VALUE_BYTE, /* up to 255, else WSAEINVAL */
    VALUE_HOPS, /* the same or -1 */
    VALUE_ON,   /* only TRUE: WSAENOPROTOOPT for what cannot be turned off here */
    VALUE_OFF,  /* only 0: WSAENOPROTOOPT for what this implementation does not do */
};

enum option_types { FOR_ALL, FOR_STREAMS, FOR_DATAGRAMS };

struct option {
    int level, name;
    enum option_format format;
    enum option_value value;
    enum option_types types;
    /* Where it lives.  `field`: in struct socket; `server`: asked of and told to the server; with
     * both, the server is told and the field answers. */
    uint16_t field, field_size;
    uint16_t server;
    uint8_t control; /* asks for control data: WANTED_* (control_data.h) */
    /* Instead of that, called without a lock.  Both return 0 or a WSA error code. */
    DWORD (*get)(struct socket *socket, uint32_t *value);
    DWORD (*set)(struct socket *socket, uint32_t value);
    /* FORMAT_RAW; the buffer is not NULL, `length` is as given and at least 0. */
    DWORD (*read)(struct socket *socket, char *buffer, int *length);
    DWORD (*write)(struct socket *socket, const char *buffer, int length);
    DWORD get_error, set_error; /* refused with this */
};

/* NULL and *error: WSAEINVAL for an unknown level, WSAENOPROTOOPT for an unknown option. */
const struct option *option_find(int level, int name, DWORD *error);

/* Asks and tells the server; no lock may be held. */
DWORD option_server_read(struct socket *socket, uint16_t option, void *value, uint32_t size);
/* The same with a number that says which of several is meant. */
DWORD option_server_find(struct socket *socket, uint16_t option, uint32_t which, void *value,
                         uint32_t size);
DWORD option_server_get(struct socket *socket, uint16_t option, uint32_t *value);
DWORD option_server_set(struct socket *socket, uint16_t option, const void *value, uint32_t size);

/* An accepted connection begins with its listener's options.  Caller holds both locks. */
void option_inherit(struct socket *accepted, const struct socket *listener);

/* Rows that need code of their own (option_socket.c, option_group.c). */
DWORD get_accept_connections(struct socket *socket, uint32_t *value);
DWORD set_compartment(struct socket *socket, uint32_t value);
DWORD get_connect_time(struct socket *socket, uint32_t *value);
DWORD get_dont_fragment(struct socket *socket, uint32_t *value);
DWORD set_dont_fragment(struct socket *socket, uint32_t value);
DWORD get_dont_linger(struct socket *socket, uint32_t *value);
DWORD set_dont_linger(struct socket *socket, uint32_t value);
DWORD set_exclusive(struct socket *socket, uint32_t value);
DWORD set_reuse(struct socket *socket, uint32_t value);
DWORD set_conditional_accept(struct socket *socket, uint32_t value);
DWORD get_header_included(struct socket *socket, uint32_t *value);
DWORD set_header_included(struct socket *socket, uint32_t value);
DWORD get_linger(struct socket *socket, uint32_t *value);
DWORD set_linger(struct socket *socket, uint32_t value);
DWORD get_max_message(struct socket *socket, uint32_t *value);
DWORD set_oob_inline(struct socket *socket, uint32_t value);
DWORD get_receive_buffer(struct socket *socket, uint32_t *value);
DWORD set_receive_buffer(struct socket *socket, uint32_t value);
DWORD get_send_buffer(struct socket *socket, uint32_t *value);
DWORD set_send_buffer(struct socket *socket, uint32_t value);
DWORD get_type(struct socket *socket, uint32_t *value);
DWORD set_type(struct socket *socket, uint32_t value);
DWORD set_mtu_discover(struct socket *socket, uint32_t value);
DWORD get_mtu(struct socket *socket, uint32_t *value);
DWORD get_user_mtu(struct socket *socket, uint32_t *value);
DWORD set_user_mtu(struct socket *socket, uint32_t value);
DWORD get_one(struct socket *socket, uint32_t *value);
DWORD set_nothing(struct socket *socket, uint32_t value);
DWORD get_unicast_interface(struct socket *socket, uint32_t *value);
DWORD set_unicast_interface(struct socket *socket, uint32_t value);
DWORD get_unicast_interface6(struct socket *socket, uint32_t *value);
DWORD set_unicast_interface6(struct socket *socket, uint32_t value);
DWORD get_protection_level(struct socket *socket, uint32_t *value);
DWORD set_send_size(struct socket *socket, uint32_t value);
DWORD set_no_checksum(struct socket *socket, uint32_t value);
DWORD set_coalesced_size(struct socket *socket, uint32_t value);
DWORD get_v6only(struct socket *socket, uint32_t *value);
DWORD set_broadcast(struct socket *socket, uint32_t value);
DWORD set_v6only(struct socket *socket, uint32_t value);
DWORD set_keepalive(struct socket *socket, uint32_t value);
DWORD get_max_retransmit(struct socket *socket, uint32_t *value);
DWORD set_max_retransmit(struct socket *socket, uint32_t value);
DWORD get_keep_idle(struct socket *socket, uint32_t *value);
DWORD get_keep_count(struct socket *socket, uint32_t *value);
DWORD get_keep_interval(struct socket *socket, uint32_t *value);
DWORD set_keep_idle(struct socket *socket, uint32_t value);
DWORD set_keep_count(struct socket *socket, uint32_t value);
DWORD set_keep_interval(struct socket *socket, uint32_t value);
DWORD read_protocol_info_a(struct socket *socket, char *buffer, int *length);
DWORD read_protocol_info_w(struct socket *socket, char *buffer, int *length);
DWORD read_state(struct socket *socket, char *buffer, int *length);
DWORD read_ip_options(struct socket *socket, char *buffer, int *length);
DWORD write_ip_options(struct socket *socket, const char *buffer, int length);
DWORD write_accept_context(struct socket *socket, const char *buffer, int length);
DWORD write_connect_context(struct socket *socket, const char *buffer, int length);

/* IP_RECVERR and IPV6_RECVERR (error_queue.c). */
DWORD get_receive_errors(struct socket *socket, uint32_t *value);
DWORD set_receive_errors(struct socket *socket, uint32_t value);
DWORD get_receive_errors6(struct socket *socket, uint32_t *value);
DWORD set_receive_errors6(struct socket *socket, uint32_t value);

/* IP_IFLIST (option_interfaces.c). */
DWORD set_interface_list(struct socket *socket, uint32_t value);
DWORD add_listed_interface(struct socket *socket, uint32_t index);
DWORD remove_listed_interface(struct socket *socket, uint32_t index);
DWORD read_interface_list(struct socket *socket, char *buffer, int *length);
DWORD read_icmp_error(struct socket *socket, char *buffer, int *length); /* ioctl_tcp.c */

/* Winsock's ways to name a group's interface and addresses, on the wire (option_group.c). */
void group_set_interface(struct rs_group *group, uint32_t interface_address);
void wire_ipv4(struct rs_addr *wire, uint32_t address);

DWORD set_multicast_interface(struct socket *socket, uint32_t value);
DWORD write_join(struct socket *socket, const char *buffer, int length);
DWORD write_leave(struct socket *socket, const char *buffer, int length);
DWORD write_join6(struct socket *socket, const char *buffer, int length);
DWORD write_leave6(struct socket *socket, const char *buffer, int length);
DWORD write_join_group(struct socket *socket, const char *buffer, int length);
DWORD write_leave_group(struct socket *socket, const char *buffer, int length);
DWORD write_join_source(struct socket *socket, const char *buffer, int length);
DWORD write_leave_source(struct socket *socket, const char *buffer, int length);
DWORD write_block_source(struct socket *socket, const char *buffer, int length);
DWORD write_unblock_source(struct socket *socket, const char *buffer, int length);
DWORD write_join_source_group(struct socket *socket, const char *buffer, int length);
DWORD write_leave_source_group(struct socket *socket, const char *buffer, int length);
DWORD write_block_source_group(struct socket *socket, const char *buffer, int length);
DWORD write_unblock_source_group(struct socket *socket, const char *buffer, int length);

#endif
